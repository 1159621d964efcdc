#!/usr/bin/env bats
# The fault tools themselves, on small sequences of calls by python3 and pair.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/d TRACE=$BATS_TEST_TMPDIR/trace
	WORK=$BATS_TEST_TMPDIR/work
	mkdir "$D"
	export LC_ALL=C
}

py() { faulty "$D" "${@:2}" python3 -c "import os; os.chdir('$D'); $1"; }

# What powercut sees of D after the calls of $1: each state as a line
# "name=content ..." in order, sorted, without doubles.
states() {
	powercut begin "$D" "$TRACE"
	py "$1" FAULT_TRACE="$TRACE"
	cat >"$BATS_TEST_TMPDIR/list" <<-'END'
		#!/bin/bash
		cd "$1" || exit 1
		for f in *; do [ ! -f "$f" ] || printf '%s=%s ' "$f" "$(tr '\0' 0 <"$f")"; done
		echo "[$(tr '\n' ' ' <"$POWERCUT_MARKS")]"
		exit 1
	END
	chmod +x "$BATS_TEST_TMPDIR/list"
	powercut check -seeds "${SEEDS:-60}" -jobs 1 "$TRACE" "$WORK" \
		"$BATS_TEST_TMPDIR/list" | grep -v ^powercut | sort -u
}

CREAT='os.O_CREAT|os.O_WRONLY'

@test "the Nth, from the Nth on, or every sync fails, by path" {
	three="
for i in range(3):
	try: os.fsync(f); print('ok')
	except OSError as e: print(e.errno)
"
	prepare="f=os.open('a.log',$CREAT);"
	run py "$prepare$three" FAULT_FAIL='fsync:*.log:2:EIO'
	[ "${lines[*]}" = "ok 5 ok" ]
	run py "$prepare$three" FAULT_FAIL='sync:a*:2+:ENOSPC'
	[ "${lines[*]}" = "ok 28 28" ]
	run py "$prepare$three" FAULT_FAIL='sync:*:*:EIO'
	[ "${lines[*]}" = "5 5 5" ]
	run py "$prepare$three" FAULT_FAIL='fdatasync:*:*:EIO fsync:b:*:EIO'
	[ "${lines[*]}" = "ok ok ok" ]
	run py "f=os.open('.',0);$three" FAULT_FAIL='fsync:.:1:EIO'
	[ "${lines[*]}" = "5 ok ok" ]
}

@test "a full disk takes what fits" {
	run py "
f=os.open('a',$CREAT)
print(os.write(f,b'12345'), os.write(f,b'67890'))
try: os.write(f,b'x')
except OSError as e: print(e.errno)" FAULT_FULL=8
	[ "${lines[*]}" = "5 3 28" ]
	[ "$(cat "$D/a")" = 12345678 ]
}

@test "kill before, in the middle of, and after a call" {
	for when in before half after; do
		rm -f "$D/a"
		run py "os.write(os.open('a',$CREAT),b'1234'); os.unlink('a')" \
			FAULT_KILL=2 FAULT_KILL_WHEN=$when
		[ "$status" = 137 ]
		echo "$when $(cat "$D/a")" >>"$BATS_TEST_TMPDIR/left"
	done
	diff "$BATS_TEST_TMPDIR/left" - <<-END
		before 
		half 12
		after 1234
	END
}

@test "kill points end when the program survives" {
	try() {
		rm -rf "$D/x"
		py "os.mkdir('x'); os.rmdir('x')" "${KILL[@]}" 2>/dev/null
	}
	kill_points before try
	[ "${KILL[0]}" = FAULT_KILL=3 ]
}

@test "calls of several processes are counted and traced in one order" {
	py "
for i in range(4):
	if os.fork() == 0:
		f=os.open('a%d'%i,$CREAT)
		for k in range(20): os.write(f,b'x')
		os._exit(0)
for i in range(4): os.wait()" FAULT_TRACE="$TRACE"
	[ "$(wc -l <"$TRACE")" = 84 ]
	[ "$(grep -c '^write .* x78$' "$TRACE")" = 80 ]
}

@test "calls outside the folder are left alone" {
	run py "f=os.open('../other',$CREAT); os.write(f,b'x'); os.fsync(f)" \
		FAULT_FAIL='*:*:*:EIO' FAULT_TRACE="$TRACE"
	[ "$status" = 0 ]
	[ ! -s "$TRACE" ]
}

@test "content not synced: there, missing, torn or zeros" {
	echo -n old >"$D/a"
	run states "f=os.open('a',os.O_WRONLY); os.pwrite(f,b'NEW+',0)"
	for state in old NEW+ 0000 '\(Nld\|NEd\|NEW\)'; do
		grep -qx "a=$state \[\]" <<<"$output"
	done
}

@test "synced content stays, a name without a folder sync may not" {
	run states "
f=os.open('a',$CREAT); os.write(f,b'1'); os.fsync(f)"
	[ "${lines[*]}" = "[] a= [] a=0 [] a=1 []" ]
}

@test "after the folder is synced nothing can be lost" {
	export FAULT_MARKS=1
	run states "
f=os.open('t',$CREAT); os.write(f,b'1'); os.fsync(f)
os.rename('t','a'); d=os.open('.',0); os.fsync(d)
import socket; s=socket.socketpair(); os.write(s[0].fileno(),b'250 ok\r\n')"
	[ "$(grep '250 ok' <<<"$output")" = "a=1 [250 ok  ]" ]
}

@test "a rename in one folder is whole, over another file too" {
	echo -n old >"$D/a"
	run states "
f=os.open('t',$CREAT); os.write(f,b'new'); os.fsync(f)
d=os.open('.',0); os.fsync(d); os.rename('t','a')"
	[ "$(grep -c '^$' <<<"$output")" = 0 ]
	# With t durable: either both as before, or only the new one.
	[ "$(grep 't=new' <<<"$output")" = "a=old t=new []" ]
	grep -qx 'a=new \[\]' <<<"$output"
	! grep -q 'a=new t=' <<<"$output"
}

@test "a rename between folders may leave both names, never none" {
	mkdir "$D/x" "$D/y"
	echo -n 1 >"$D/x/m"
	cat >"$BATS_TEST_TMPDIR/verify" <<-'END'
		#!/bin/bash
		grep -qx 1 "$1"/*/m || exit 1
		echo $(cd "$1" && ls */m) $(cat "$POWERCUT_MARKS") >>"$SEEN"
	END
	chmod +x "$BATS_TEST_TMPDIR/verify"
	powercut begin "$D" "$TRACE"
	py "
os.rename('x/m','y/m'); os.fsync(os.open('x',0))
import socket; s=socket.socketpair(); os.write(s[0].fileno(),b'done')" \
		FAULT_TRACE="$TRACE" FAULT_MARKS=1
	export SEEN=$BATS_TEST_TMPDIR/seen
	powercut check -seeds 60 "$TRACE" "$WORK" "$BATS_TEST_TMPDIR/verify"
	sort -u "$SEEN" | diff - <(printf '%s\n' x/m 'x/m y/m' y/m 'y/m done')
}

@test "hard links, folders and times come back" {
	mkdir "$D/sub"
	echo -n 1 >"$D/sub/a"
	ln "$D/sub/a" "$D/b"
	touch -d @1000 "$D/b"
	cat >"$BATS_TEST_TMPDIR/verify" <<-'END'
		#!/bin/bash
		[ "$1/b" -ef "$1/sub/a" ] && [ "$(stat -c %Y "$1/b")" = 1000 ] || exit 1
		[ ! -e "$1/n/c" ] || [ "$1/n/c" -ef "$1/b" ]
	END
	chmod +x "$BATS_TEST_TMPDIR/verify"
	powercut begin "$D" "$TRACE"
	py "os.mkdir('n'); os.link('b','n/c'); os.symlink('b','s')" \
		FAULT_TRACE="$TRACE"
	powercut check -seeds 5 "$TRACE" "$WORK" "$BATS_TEST_TMPDIR/verify"
}

@test "an acknowledgement before the sync is found" {
	"$MOX_T/bin/pair" "$D" create
	powercut begin "$D" "$TRACE"
	faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/pair" "$D" add one
	# The same run, but with the mark moved before the sync.
	awk '/^sync/ && !placed { placed = 1; print; next }
		/^sync/ { hold = $0; next }
		{ print } /^mark/ { print hold }' "$TRACE" >"$TRACE.bad"
	cat >"$BATS_TEST_TMPDIR/verify" <<-'END'
		#!/bin/bash
		"$MOX_T/bin/pair" "$1" show >"$1/out" || exit 1
		while read -r m; do grep -qx "$m" "$1/out" || exit 2; done <"$POWERCUT_MARKS"
	END
	chmod +x "$BATS_TEST_TMPDIR/verify"
	powercut check "$TRACE" "$WORK" "$BATS_TEST_TMPDIR/verify"
	! powercut check "$TRACE.bad" "$WORK" "$BATS_TEST_TMPDIR/verify"
}
