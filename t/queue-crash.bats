#!/usr/bin/env bats
# What crashes, power cuts, full and failing disks leave of the queue, and that
# the runner, with a fake mox-remote, makes the best of it.

load helper
load faults

setup() {
	export DIR=$BATS_TEST_TMPDIR/mox FAKE_LOG=$BATS_TEST_TMPDIR/log
	Q=$DIR/data/queue LOG=$BATS_TEST_TMPDIR/queued.log
	mox-localserve -dir "$DIR" -ip "$(own_ip)" -initonly
	mkdir "$BATS_TEST_TMPDIR/bin"
	for p in mox-remote mox-local; do
		ln -s "$TOP/t/bin/fake-remote" "$BATS_TEST_TMPDIR/bin/$p"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	: >"$FAKE_LOG"
}

teardown() { stop_background; }

runner() {
	background env "$@" mox-queued -config "$DIR/mox.conf" 2>>"$LOG"
	RUNNER=$BACKGROUND_PID
}

# As faulty, but a process that ends with the test.
background_faulty() {
	background env FAULT_DIR="$1" LD_PRELOAD="$MOX_T/bin/faultshim.so" \
		ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" "${@:2}"
}

put() { printf 'Subject: x\r\n\r\nhello\r\n' | "$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"; }
send() { put "$DIR/data" "$@"; }

delivered() { [ "$(grep -c '@' "$FAKE_LOG")" = "$1" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0 && count hold 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }
# Whether FILE exists, with patterns.
there() { compgen -G "$1" >/dev/null; }

# An envelope with the last ID in the folder of a runner that is no more.
dead_runner() {
	ID=$(tail -n 1 "$BATS_TEST_TMPDIR/ids")
	DEAD=$Q/active/dead.x
	mkdir -p "$DEAD"
	mv "$Q/todo/$ID" "$DEAD/"
}

@test "many long replies are read to the end" {
	send $(printf 'long%d@a.example ' {1..300})
	runner
	eventually delivered 300
	eventually empty
}

@test "a delivery that ends between messages costs none an attempt" {
	put -n 20 "$DIR/data" last@a.example
	runner
	eventually delivered 20
	eventually empty
}

@test "slow destinations leave room for others" {
	put -n 200 "$DIR/data" late@{a,b,c,d}.example
	runner
	# Until all of them have as many connections as they may.
	eventually sh -c "[ \$(pgrep -c -f '[f]ake-remote.*|[m]ox-remote.*$DIR') -ge 20 ]" || true
	send ok@z.example
	eventually grep -q ok@z.example "$FAKE_LOG"
	[ "$(grep -c late@ "$FAKE_LOG")" -lt 800 ]
}

@test "items that a crash left half-written are written again" {
	send ok1@a.example ok2@b.example ok3@b.example
	dead_runner
	: >"$DEAD/$ID.1"
	printf 'mox-item 1\nqueued 2026-' >"$DEAD/$ID.2"
	: >"$DEAD/.$ID.3.x.tmp"
	runner
	eventually delivered 3
	eventually empty
	eventually test ! -e "$DEAD"
}

@test "an item that is delivered stays so, its envelope there or not" {
	send ok1@a.example ok2@b.example
	dead_runner
	runner
	eventually empty
	kill -9 "$RUNNER"
	delivered 2
	: >"$FAKE_LOG"
	send ok1@a.example ok2@b.example
	dead_runner
	# As the runner writes it: the lines of the envelope, and its own.
	{
		echo 'mox-item 1'
		sed -n '2,/^$/p' "$DEAD/$ID" | sed '/^to ok2/d;/^$/d'
		printf 'offset %d\n' "$(sed '/^$/q' "$DEAD/$ID" | wc -c)"
		echo 'trying 2026-11-30T15:04:05Z'
		echo 'delivered 2026-11-30T15:04:05Z mx.x 250 ok'
	} >"$DEAD/$ID.1"
	runner
	eventually empty
	delivered 1
	grep -q ok2@ "$FAKE_LOG"
}

@test "an envelope that cannot be read is held, and in nobody's way" {
	mkdir -p "$Q/todo"
	echo 'no envelope' >"$Q/todo/0123456789abcdef01"
	send ok1@a.example
	dead_runner
	send ok2@a.example
	dead_runner
	echo 'no envelope' >"$DEAD/0123456789abcdef02"
	runner
	eventually delivered 2
	eventually test -e "$Q/hold/0123456789abcdef01"
	eventually test -e "$Q/hold/0123456789abcdef02"
	eventually test ! -e "$DEAD"
	grep -q 'envelope is held' "$LOG"
}

none_runs() { ! pgrep -f "mox-queued.*$DIR"; }

@test "one item under two names after a power cut is sent once" {
	send tmp@a.example
	runner
	eventually in_due 1
	kill -9 "$RUNNER"
	eventually none_runs
	mkdir "$Q/active/dead.x"
	sed -i 's/^to tmp/to ok/' "$Q"/due/*/*.1
	mv "$Q"/due/2*/*.1 "$Q/due/now/"
	ln "$Q"/due/now/*.1 "$Q/active/dead.x/"
	runner
	eventually delivered 1
	eventually empty
	delivered 1
	! grep -q 'cannot recover' "$LOG"
}

@test "a full disk: nothing is sent that could not be noted" {
	need smtp-sink
	rm "$BATS_TEST_TMPDIR/bin/"*
	ip=$(own_ip)
	got=$(mktemp -d "${TMPDIR:-/tmp}/mox-sink.XXXXXX")
	chmod 777 "$got"
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n' "$ip" >>"$DIR/mox.conf"
	background smtp-sink -u nobody -d "$got/%M." "$ip:2525" 100
	eventually port_open "$ip" 2525
	put -notify success -transport smart "$DIR/data" a@x.example
	put -notify success -transport smart "$DIR/data" mox@localhost
	background_faulty "$DIR" FAULT_PROG='mox-remote' \
		FAULT_FAIL='write:*/active/*:1+:ENOSPC' \
		mox-queued -nosandbox -config "$DIR/mox.conf" 2>>"$LOG"
	eventually in_due 2
	# Once put off, it is for minutes.
	sleep 1
	in_due 2
	! there "$Q/due/19*" || false
	! there "$got/*" || false
	grep -q 'not tried' "$LOG"
	rm -r "$got"
}

@test "a full disk: what needs no item is sent, once; what failed waits" {
	send ok1@a.example
	send tmp2@a.example
	background_faulty "$DIR" FAULT_FAIL='write:*/active/*:1+:ENOSPC' \
		mox-queued -nosandbox -config "$DIR/mox.conf" 2>>"$LOG"
	eventually delivered 1
	eventually grep -q 'cannot be dropped now' "$LOG"
	[ ! -e "$Q/active/"*"/$(head -n 1 "$BATS_TEST_TMPDIR/ids")" ]
	[ -e "$Q/active/"*"/$(tail -n 1 "$BATS_TEST_TMPDIR/ids")" ]
	stop_background || true
	runner
	eventually in_due 1
	eventually count active 0
	delivered 1
}

@test "an item in its envelope: its delivery, or all, are killed" {
	send late1@a.example
	runner
	eventually pkill -9 -P "$RUNNER" -f -- -destination
	eventually in_due 1
	grep -q '^lost .*without a result' "$Q"/due/*/*.1
	send late2@a.example
	eventually pkill -9 -P "$RUNNER" -f -- -destination
	kill -9 "$RUNNER"
	runner
	eventually sh -c "mv '$Q'/due/2*/* '$Q/due/now/'; [ \$(grep -c late2 '$FAKE_LOG') = 1 ]"
	eventually delivered 2
	eventually empty
}

@test "a full disk while items are written: as before, then delivered" {
	send ok1@a.example ok2@a.example ok3@a.example
	background_faulty "$DIR" FAULT_PROG='mox-queued' \
		FAULT_FAIL='write:*/active/*.2:1:ENOSPC' \
		mox-queued -nosandbox -config "$DIR/mox.conf" 2>>"$LOG"
	eventually grep -q 'no items for envelope now' "$LOG"
	eventually delivered 3
	eventually empty
	[ "$(sort "$FAKE_LOG" | uniq -d | wc -l)" = 0 ]
}

@test "a sync that fails: the envelope stays until items are written anew" {
	send tmp@a.example
	background_faulty "$DIR" FAULT_PROG='mox-queued' \
		FAULT_FAIL='fsync:*/active/*.1:1:EIO' \
		mox-queued -nosandbox -config "$DIR/mox.conf" 2>>"$LOG"
	eventually grep -q 'cannot be dropped now' "$LOG"
	in_due 0
	there "$Q/active/*/$(cat "$BATS_TEST_TMPDIR/ids")"
	stop_background || true
	runner
	eventually in_due 1
	[ "$(cat "$Q"/due/*/*.1 | grep -c ^delayed)" -ge 1 ]
}

# queue_add: a message is not acknowledged, or it is there.
add_survives() {
	faulty "$DIR/data" "${KILL[@]}" "$MOX_T/bin/queuectl" -n 2 "$DIR/data" ok@a.example \
		<<<"hello" >"$BATS_TEST_TMPDIR/acks" 2>/dev/null
	local rc=$? id
	while read -r id; do
		grep -q '^hello' "$Q/todo/$id" || exit 1
	done <"$BATS_TEST_TMPDIR/acks"
	for id in "$Q"/todo/*; do
		[ ! -e "$id" ] || grep -q '^hello' "$id" || exit 1
	done
	return $rc
}

@test "killed at each step of adding: acknowledged and there, or whole, or not" {
	for when in before half after; do
		kill_points "$when" add_survives
	done
}

@test "adding with a full or failing disk: nothing is acknowledged, or left" {
	for fault in 'write:*/tmp/*:1:ENOSPC' 'fsync:*/tmp/*:1:EIO' \
		'rename:*:1:EIO' 'fsync:*/todo:1:EIO' 'open:*/tmp/*:1:ENOSPC'; do
		run faulty "$DIR/data" FAULT_FAIL="$fault" "$MOX_T/bin/queuectl" "$DIR/data" ok@a.example <<<hello
		[ "$status" = 111 ] || { echo "$fault: $status $output"; return 1; }
		count todo 0
		count tmp 0
	done
}

@test "power cut while adding: what was acknowledged is there" {
	cat >"$BATS_TEST_TMPDIR/check" <<-'END'
		#!/bin/sh
		# each mark is an ID; whatever is in todo/ is whole
		while read -r id; do
			[ -e "$1/queue/todo/$id" ] || exit 1
		done <"$POWERCUT_MARKS"
		for f in "$1"/queue/todo/*; do
			[ ! -e "$f" ] || tail -n 1 "$f" | grep -qx hello || exit 2
		done
	END
	chmod +x "$BATS_TEST_TMPDIR/check"
	rm -rf "$Q"
	powercut begin "$DIR/data" "$BATS_TEST_TMPDIR/trace"
	faulty "$DIR/data" FAULT_TRACE="$BATS_TEST_TMPDIR/trace" FAULT_MARKS=1 \
		"$MOX_T/bin/queuectl" -n 3 "$DIR/data" ok@a.example <<<hello
	grep -c ^mark "$BATS_TEST_TMPDIR/trace"
	powercut check "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/check"
}

# Every recipient has its envelope, or an item of its own with its message.
nothing_lost() {
	cat >"$BATS_TEST_TMPDIR/check" <<-END
		#!/usr/bin/python3
		import glob, os, sys
		os.chdir(sys.argv[1] + '/queue')
		def whole(path, magic):
		    text = open(path, 'rb').read()
		    return text.startswith(magic) and text or b''
		def item(name):
		    for path in glob.glob('*/%s' % name) + glob.glob('*/*/%s' % name)\
		            + glob.glob('active/.*/%s' % name):
		        text = not path.startswith('msg') and whole(path, b'mox-item 1\nqueued ')
		        if text and b'\nto tmp' in text and b'\noffset ' in text:
		            return True
		for line in open('$BATS_TEST_TMPDIR/ids'):
		    id = line.strip()
		    if any(whole(p, b'mox-envelope 1\n').endswith(b'\nhello\n')
		           for p in glob.glob('todo/' + id) + glob.glob('active/*/' + id)\
		           + glob.glob('active/.*/' + id)):
		        continue
		    for n in '12':
		        m = 'msg/%s/%s.%s' % (id[16:], id, n)
		        if not item(id + '.' + n):
		            sys.exit('no item ' + id + '.' + n)
		        if not whole(m, b'mox-envelope 1\n').endswith(b'\nhello\n'):
		            sys.exit('no message ' + m)
	END
	chmod +x "$BATS_TEST_TMPDIR/check"
}

@test "power cut while an envelope is dropped: envelope, or items and messages" {
	nothing_lost
	send tmp1@a.example tmp2@b.example
	send tmp3@a.example tmp4@b.example
	powercut begin "$DIR/data" "$BATS_TEST_TMPDIR/trace"
	background_faulty "$DIR/data" FAULT_TRACE="$BATS_TEST_TMPDIR/trace" \
		mox-queued -nosandbox -config "$DIR/mox.conf" 2>>"$LOG"
	eventually in_due 4
	stop_background || true
	grep -q '^rename' "$BATS_TEST_TMPDIR/trace"
	powercut check "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/check"
}
