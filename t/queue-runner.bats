#!/usr/bin/env bats
# mox-queued with a fake mox-remote: what becomes of items, and of crashes.

load helper

setup() {
	export DIR=$BATS_TEST_TMPDIR/mox FAKE_LOG=$BATS_TEST_TMPDIR/log
	Q=$DIR/data/queue
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
	background env "$@" mox-queued -config "$DIR/mox.conf" \
		2>>"$BATS_TEST_TMPDIR/queued.log"
	RUNNER=$BACKGROUND_PID
}

# What is put, and how often.
put() { printf 'Subject: x\r\n\r\nhello\r\n' | "$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"; }
send() { put "$DIR/data" "$@"; }

delivered() { [ "$(grep -c '@' "$FAKE_LOG")" = "$1" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0 && count hold 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }

@test "delivered: nothing is left; one message to several destinations" {
	send ok1@a.example ok2@a.example ok3@b.example
	runner
	eventually delivered 3
	eventually empty
	send ok4@a.example
	eventually delivered 4
	eventually empty
	[ -z "$(ls "$Q/retired")" ]
}

@test "delayed: back-off, the sender is told once, then it has failed" {
	mkdir -p "$DIR/run"
	export MOX_FAKE_TIME=$DIR/run/now # in its jail
	now=1796051045
	echo $now >"$MOX_FAKE_TIME"
	send tmp@a.example
	runner
	eventually in_due 1
	item=$(echo "$Q"/due/*/*.1)
	# 450 s, to the minute
	[ "$(basename "$(dirname "$item")")" = 20261130T1512Z ] ||
		[ "$(basename "$(dirname "$item")")" = 20261130T1513Z ]
	grep -q '^delayed .* mx.x 451 4.0.0 not now$' "$item"
	wait=450
	for try in 2 3 4 5 6 7; do
		now=$((now + wait + wait / 40 + 70)) wait=$((wait * 2))
		echo $now >"$MOX_FAKE_TIME"
		eventually sh -c "[ \$(cat '$Q'/due/*/*.1 | grep -c ^delayed) = $try ]"
		eventually in_due 1
	done
	[ "$(grep -c 'dsn delay' "$FAKE_LOG")" = 1 ]
	echo $((now + wait + wait / 40 + 70)) >"$MOX_FAKE_TIME"
	eventually empty
	[ "$(grep -c 'dsn failure' "$FAKE_LOG")" = 1 ]
}

@test "failed: told, others of the message are not touched; no DSN about DSNs" {
	send ok@a.example perm@a.example
	put -from '' "$DIR/data" perm2@a.example
	put -notify never "$DIR/data" perm3@a.example
	runner
	eventually empty
	delivered 1
	[ "$(grep -c 'dsn failure' "$FAKE_LOG")" = 1 ]
}

@test "success is told to who asked" {
	put -notify success "$DIR/data" ok@a.example
	runner
	eventually empty
	grep -q 'dsn success' "$FAKE_LOG"
}

@test "a host that is down: one attempt for all that wait for it" {
	for i in 1 2 3 4 5 6; do send dead$i@a.example; done
	send ok@b.example
	runner
	eventually in_due 6
	eventually delivered 1
	[ "$(cat "$Q"/due/*/*.1 | grep -c '^delayed .* no answer')" = 6 ]
	# The first connections are two.
	[ "$(cat "$Q"/due/*/*.1 | grep -c '^trying')" -le 2 ]
}

@test "with mv: hold, release, try later, drop" {
	runner
	send tmp@a.example
	eventually in_due 1
	mv "$Q"/due/*/*.1 "$Q/hold/"
	sed -i 's/^to tmp/to ok/' "$Q"/hold/*.1
	sleep 0.3
	count hold 1
	mv "$Q"/hold/*.1 "$Q/due/now/"
	eventually empty
	delivered 1
	send tmp2@a.example
	eventually in_due 1
	mkdir "$Q/due/20991231T2359Z"
	mv "$Q"/due/*/*.1 "$Q/due/20991231T2359Z/"
	sleep 0.3
	[ -e "$Q"/due/20991231T2359Z/*.1 ]
	rm "$Q"/due/*/*.1 "$Q"/msg/*/*.1
	empty
}

@test "items that are moved into buckets of the past are found, known ones or new" {
	mkdir -p "$Q/due/20200101T0000Z"
	: >"$Q/due/20200101T0000Z/stray" # it stays
	touch -d '-1 hour' "$Q/due"
	runner
	send tmp1@a.example tmp2@a.example
	eventually in_due 2
	mv "$Q"/due/2[1-9]*/*.1 "$Q"/due/202[1-9]*/*.[12] "$Q/hold/" 2>/dev/null || true
	sed -i 's/^to tmp/to ok/' "$Q"/hold/*.[12]
	sleep 3 # so that due/ has settled
	mv "$Q"/hold/*.1 "$Q/due/20200101T0000Z/"
	eventually delivered 1
	mkdir "$Q/due/20200101T0001Z"
	mv "$Q"/hold/*.2 "$Q/due/20200101T0001Z/"
	eventually delivered 2
	eventually count active 0
	rm -r "$Q/due/20200101T0000Z"
	empty
}

@test "later: HOLDUNTIL, hold rules, kept when retired" {
	sed -i 's/^\t\tDomain: localhost/\t\tKeepRetiredMessagePeriod: 72h\n&/' "$DIR/domains.conf"
	mkdir -p "$Q"
	echo '1 - - held.example' >"$Q/holdrules"
	put -until 3600 "$DIR/data" ok1@a.example
	send ok2@held.example
	runner
	eventually in_due 1
	eventually count hold 1
	send ok3@a.example
	eventually delivered 1
	eventually sh -c "ls '$Q'/retired/*/*.1"
	grep -q '^delivered' "$Q"/retired/*/*.1
	count msg 2
}

@test "what cannot be read is held, not lost" {
	mkdir -p "$Q/due/now"
	echo 'no item' >"$Q/due/now/0123456789abcdef01.1"
	runner
	eventually count hold 1
	grep -q 'item is held' "$BATS_TEST_TMPDIR/queued.log"
}

@test "an item that kills its delivery is tried with back-off, others go on" {
	send crash@a.example
	send ok@a.example
	runner
	eventually delivered 1
	eventually in_due 1
	grep -q '^lost' "$Q"/due/*/*.1
}

@test "killed at any time, nothing is lost or sent twice; two runners share" {
	put -n 150 "$DIR/data" ok1@a.example ok2@b.example &
	for i in 1 2 3 4 5 6 7 8; do
		runner
		first=$RUNNER
		runner
		sleep "0.$((RANDOM % 5))"
		pkill -9 -P "$first" || true
		kill -9 "$first" "$RUNNER" || true
	done
	wait %1 || true
	runner
	runner
	eventually emptied
	sort "$FAKE_LOG" >"$BATS_TEST_TMPDIR/all"
	[ "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/all" | sort -u | wc -l)" = 300 ]
	# Twice only what was killed between the delivery and its line.
	twice=$(uniq -d "$BATS_TEST_TMPDIR/all" | wc -l)
	echo "twice: $twice"
	[ "$twice" -le 16 ]
}

# Deliveries that were killed count as attempts, with their back-off.
emptied() {
	mv "$Q"/due/2*/*.? "$Q/due/now/"
	sleep 0.2
	empty
}

# ---- addresses that nothing is sent to ----

suppressed() { grep -qs "^$2 " "$Q/suppress/$1"; }

@test "suppressed: fails without an attempt, the sender is told; others go on" {
	mkdir -p "$Q/suppress"
	echo 'okone@a.example' >"$Q/suppress/mox"
	put -account mox "$DIR/data" ok.One+list@A.example ok2@a.example
	runner
	eventually empty
	delivered 1
	grep -q 'ok2@a.example' "$FAKE_LOG"
	[ "$(grep -c 'dsn failure' "$FAKE_LOG")" = 1 ]
	grep -q 'm="failed".*reply="suppressed: nothing is sent to okone@a.example since long"' \
		"$BATS_TEST_TMPDIR/queued.log"
	# The list counts when an attempt is due, also for what was queued before.
	put -account mox "$DIR/data" tmp@a.example
	eventually in_due 1
	echo 'tmp@a.example 2026-11-30T15:04:05Z manual Tmp@a.example no more' >>"$Q/suppress/mox"
	mv "$Q"/due/*/*.1 "$Q/due/now/"
	eventually empty
	grep -q 'suppressed: nothing is sent to tmp@a.example since 2026-11-30T15:04:05.000Z, when it said no more' \
		"$BATS_TEST_TMPDIR/queued.log"
	# Another account's list is its own.
	put -account other "$DIR/data" okone@a.example
	eventually delivered 2
}

@test "suppressed: a refusal adds to the list, of that account" {
	put -account mox "$DIR/data" perm.X@a.example
	runner
	eventually suppressed mox permx@a.example
	grep -qE '^permx@a.example [0-9TZ:.-]+ auto perm.X@a.example 550 5.1.1 no such user$' \
		"$Q/suppress/mox"
	eventually empty
	put -account mox "$DIR/data" permx+y@a.example ok@a.example
	eventually delivered 1
	eventually empty
	[ "$(grep -c 'dsn failure' "$FAKE_LOG")" = 2 ]
	[ "$(wc -l <"$Q/suppress/mox")" = 1 ]
	# Removed, it is tried again.
	MOXCONF=$DIR/mox.conf mox-queue suppress remove mox permx@a.example
	put -account mox "$DIR/data" perm.x@a.example
	eventually suppressed mox permx@a.example
	[ "$(ls "$Q/suppress")" = mox ]
}

@test "suppressed: three failures in a row; what succeeds begins anew" {
	runner
	for i in 1 2; do
		put -account mox -attempts 1 "$DIR/data" tmp@a.example
		eventually empty
		eventually grep -q "^tmp@a.example $i " "$Q/failures/mox"
	done
	# Not for good: only a refusal of ours makes a list.
	put -account mox -attempts 1 "$DIR/data" tmp@a.example
	eventually grep -q '^tmp@a.example 3 ' "$Q/failures/mox"
	eventually empty
	! suppressed mox tmp@a.example || false
	printf 'ok3@a.example 2 2026-11-30T15:04:05Z\n' >>"$Q/failures/mox"
	put -account mox "$DIR/data" ok3@a.example
	eventually grep -q '^ok3@a.example 0 ' "$Q/failures/mox"
}

@test "suppressed: not what is passed on for others, nor notifications" {
	runner
	mkdir -p "$Q/suppress"
	mkdir -p "$Q/tmp" "$Q/todo"
	echo ok@a.example >"$Q/suppress/mox"
	forwarded() {
		# As queue_add writes it.
		printf '%s\n' 'mox-envelope 1' 'queued 2026-11-30T15:04:05.000Z' 'account mox' \
			"from $2" ${4:+"$4"} 'size 5' "to $3" '' hello >"$Q/tmp/$1"
		mv "$Q/tmp/$1" "$Q/todo/$1"
	}
	forwarded 64a1b2c3d4e5f60718 x@b.example ok@a.example 'via mox@localhost'
	eventually delivered 1
	forwarded 64a1b2c3d4e5f60719 x@b.example perm@a.example 'via mox@localhost'
	eventually empty
	forwarded 64a1b2c3d4e5f6071a '' ok@a.example
	forwarded 64a1b2c3d4e5f6071b '' perm@a.example
	eventually delivered 2
	eventually empty
	[ "$(cat "$Q/suppress/mox")" = ok@a.example ]
	[ -z "$(ls "$Q/failures")" ]
}
