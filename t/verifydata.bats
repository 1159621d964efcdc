#!/usr/bin/env bats
# mox-verifydata: one damage for each check; said, mended, then clean.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/data A=$D/accounts/test M=$D/accounts/test/Maildir
	mkdir "$D"
	account new create a/b 0 >/dev/null
	printf '100000S\n0 0\n' >"$M/maildirsize"
	storectl multi Inbox 1 2 3 4 5 , multi a/b 6 7 , fold Inbox , fold a , \
		fold Sent >/dev/null
}

storectl() { "$MOX_T/bin/storectl" "$D" test "$@"; }
account() { "$MOX_T/bin/account" "$D" "$@"; }
verify() { mox-verifydata "$@" "$D" 2>/dev/null; }

# run, in a subshell of its own: the status is in $status.
says() {
	run verify
	grep -q "$1" <<<"$output" || { echo "not \"$1\": $output"; return 1; }
}

# $1: what is said. It is an error; -fix mends it; then all is well. Files
# are all there, and messages keep what they are.
error_and_fix() {
	says "error: $1"
	[ "$status" = 1 ]
	run verify -fix
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	grep -q "fixed: ${1%%:*}" <<<"$output"
	clean
}
note_and_fix() {
	says "note: $1"
	[ "$status" = 0 ]
	[[ $output == *": OK" ]]
	run verify -fix
	[ "$status" = 0 ]
	grep -q "fixed: ${1%%:*}" <<<"$output"
	clean
}
clean() {
	run verify
	[ "$output" = "$D: OK" ] || { echo "not clean: $output"; return 1; }
}

# Do something in the folder $1 that its mtime does not tell.
unseen() {
	local when
	when=$(stat -c %y "$1")
	(cd "$1" && shift && "$@")
	touch -d "$when" "$1"
}
files() { ls "$M/new" "$M/cur" | grep -c ',S='; }
first() { ls "$M/new" | head -n1; }
# Change the byte at an offset of a file.
flip() {
	python3 - "$1" "$2" <<-'END'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(int(sys.argv[2]))
		    c = f.read(1)[0]
		    f.seek(int(sys.argv[2]))
		    f.write(bytes([c ^ 4]))
	END
}

@test "what is right is OK" {
	clean
	run verify -fix
	[ "$output" = "$D: OK" ]
	[ "$status" = 0 ]
	run mox-verifydata "$D/nowhere"
	[ "$status" = 1 ]
	run mox-verifydata
	[ "$status" = 2 ]
}

@test "missing file" {
	unseen "$M/new" rm "$(first)"
	error_and_fix 'missing: UID . has no file'
	[ "$(files)" = 4 ]
}

@test "a file that another program removed is no error" {
	sleep 0.05
	rm "$M/new/$(first)"
	note_and_fix 'missing: UID . has no file'
}

@test "unknown file" {
	unseen "$M/cur" sh -c 'echo x >1.x.h:2,S'
	error_and_fix 'unknown: file is in no record: 1.x.h:2,S'
	[ -e "$M/cur/1.x.h:2,S" ]
}

@test "new mail of another program is no news" {
	sleep 0.05
	echo x >"$M/new/1.x.h"
	mkdir "$M/cur/folder"
	clean
}

@test "size of a file" {
	echo more >>"$M/new/$(first)"
	error_and_fix 'size: UID .: file has 76 bytes, not 71'
	[ "$(ls "$M/new" "$M/cur" | grep -c '[.]R')" = 5 ]
	grep -q more "$M"/new/*
}

@test "sizes are not looked at if not wanted" {
	echo more >>"$M/new/$(first)"
	run verify -skip-size-check
	[ "$output" = "$D: OK" ]
}

@test "two files of one message" {
	unseen "$M/cur" cp "../new/$(first)" "$(first):2,S"
	error_and_fix 'double: two files of one message'
	[ "$(ls "$M/new" "$M/cur" | grep -c '[.]R')" = 6 ]
}

@test "two links of one message" {
	unseen "$M/cur" ln "../new/$(first)" "$(first):2,S"
	error_and_fix 'double: two files of one message'
	[ "$(files)" = 5 ]
}

@test "a copy: what was read while it was made is one message; others are two" {
	first=$(first)
	unseen "$M/cur" cp "../new/$first" "$first:2,S"
	run verify -restored -fix
	[ "$status" = 0 ]
	[ "$(files)" = 5 ]
	[ ! -e "$M/new/$first" ]
	clean
	first=$(first)
	unseen "$M/cur" cp "../new/$first" "$first:2,S"
	# One more byte at the end, S= as it was: not the same.
	echo >>"$M/cur/$first:2,S"
	verify -restored -fix
	[ "$(ls "$M/new" "$M/cur" | grep -c '[.]R')" = 6 ]
}

@test "a copied queue: what moved on meanwhile is there once" {
	q=$D/queue id=00064a1b2c3d4e5f
	mkdir -p "$q"/{todo,hold,due/{now,20261130T1504Z,20261130T1604Z},active/a,retired/20261201,msg/60}
	item() {
		local at
		for at in "${@:2}"; do
			printf 'mox-item 1\nto b@x\n' >"$q/$at/${id}60.$1"
			touch "$q/msg/60/${id}60.$1"
		done
	}
	longer() { echo 'delayed 2026-11-30T15:04:05Z - 451 no' >>"$q/$1"; }
	item 1 due/20261130T1504Z due/20261130T1604Z hold
	longer "due/20261130T1604Z/${id}60.1"
	item 2 due/now hold # settled: no message
	rm "$q/msg/60/${id}60.2"
	item 3 due/now retired/20261201
	longer "retired/20261201/${id}60.3"
	rm "$q/msg/60/${id}60.3"
	item 4 hold
	run verify -restored
	[ "$status" = 1 ]
	[ "$(grep -c '^error: queue: queue/' <<<"$output")" = 5 ]
	run verify -restored -fix
	[ "$status" = 0 ]
	[ "$(cd "$q" && find . -name '*.?' -path './[dhr]*' | sort)" = "./due/20261130T1604Z/${id}60.1
./hold/${id}60.4
./retired/20261201/${id}60.3" ]
	# An envelope makes its items anew, but for those beside it.
	touch "$q/todo/${id}60"
	item 1 active/a
	touch "$q/active/a/${id}60"
	verify -restored -fix
	[ "$(cd "$q" && find . -type f ! -path './msg/*' | sort)" = "./active/a/${id}60
./active/a/${id}60.1
./retired/20261201/${id}60.3" ]
	verify -restored | grep -q OK
}

@test "damaged records" {
	flip "$M/mox.cdb" "$(($(grep -abo records "$M/mox.cdb" | head -n1 |
		cut -d: -f1) + 40))" # in the first, behind key and padding
	error_and_fix 'index: mox.cdb: checksum'
	[ "$(files)" = 5 ]
	ls "$M" | grep -q '^mox.*bad-'
}

@test "missing, empty and foreign index files" {
	for damage in 'rm mox.log' 'rm mox.cdb' 'rm mox.log mox.cdb' 'truncate -s0 mox.cdb' \
	    'truncate -s9 mox.log' 'cp ../threads.log mox.log' \
	    'cp .Sent/mox.cdb mox.cdb'; do
		storectl fold Inbox , fold Inbox >/dev/null
		(cd "$M" && $damage)
		error_and_fix 'index: mox' || { echo "$damage"; false; }
		[ "$(files)" = 5 ]
	done
}

@test "two records of one file" {
	account line Inbox "a 90 90 1 1 53 57 Ac0fwC8UNzlXerAQJ8CJ 1 - 0 - - $(first)"
	error_and_fix 'index: UID 90: two messages have the same file'
}

@test "damaged log line" {
	storectl multi Inbox 8 9 >/dev/null
	flip "$M/mox.log" "$(($(grep -abo '^a ' "$M/mox.log" | head -n1 |
		cut -d: -f1) + 20))"
	# The line of a message is lost, so it comes back as a new one.
	says 'error: log: mox.log: .* bytes of bad lines'
	[ "$status" = 1 ]
	run verify -fix
	[ "$status" = 0 ]
	clean
	[ "$(files)" = 7 ]
}

@test "totals" {
	python3 - "$M/mox.cdb" <<-'END'
		import sys, struct
		with open(sys.argv[1], "r+b") as f:
		    data = f.read()
		    at = data.index(b"xdixom") - 2
		    f.seek(at + 52) # unseen
		    f.write(struct.pack("<I", 3))
	END
	error_and_fix 'counts: totals say 5 messages, 3 unseen'
}

@test "cache" {
	flip "$M/mox.cache.1" 60
	note_and_fix 'cache: 1 cached records are damaged or missing'
	rm "$M/mox.cache.1"
	note_and_fix 'cache: 5 cached records are damaged or missing'
}

@test "threads" {
	flip "$A/threads.log" 60
	error_and_fix 'threads: threads: threads.log: .* bad lines'
	[ "$(grep -c '^set m' "$A/threads.log")" = 7 ]
	rm "$A/threads.log"
	touch "$A/threads.cdb"
	error_and_fix 'threads: threads'
	[ "$(grep -c '^set m' "$A/threads.log")" = 7 ]
}

@test "quota" {
	printf '100000S\n1 1\n' >"$M/maildirsize"
	note_and_fix 'quota: maildirsize says 1 bytes in 1 messages, not 497 in 7'
	[ "$(cat "$M/maildirsize")" = "$(printf '100000S\n497 7')" ]
	echo nonsense >"$M/maildirsize"
	note_and_fix 'quota: maildirsize says'
}

@test "counter of UIDVALIDITY" {
	echo 5 >"$A/uidvalidity"
	error_and_fix 'uidvalidity: the counter says 5, a mailbox has'
	echo x >"$A/uidvalidity"
	says 'error: account: .*uidvalidity'
	[ "$status" = 1 ]
}

@test "a copied folder" {
	cp -a "$M/.a.b" "$M/.copy"
	error_and_fix 'mailboxid: another mailbox has the same MAILBOXID'
}

@test "leftovers" {
	mkdir -p "$D/accounts/.x.RANDOM.tmp/Maildir" "$D/tmp" \
		"$M/tmp/.old.x.tmp/cur"
	echo x >"$M/tmp/1.x.h"
	echo x >"$M/.a/.mox.cdb.x.tmp"
	echo x >"$D/tmp/spool"
	echo x >"$A/.specialuse.x.tmp"
	clean
	find "$D" -name '*.tmp' -o -name 1.x.h -o -name spool |
		xargs touch -d '2 days ago'
	says 'note: leftover'
	[ "$(grep -c 'note: leftover' <<<"$output")" = 6 ]
	note_and_fix 'leftover: left over by a crash: .x.RANDOM.tmp'
	[ -z "$(find "$D" -name '*.tmp' -o -name 1.x.h -o -name spool)" ]
}

@test "a mailbox nobody has opened" {
	mkdir -p "$M/.Foreign/cur" "$M/.Foreign/new" "$M/.Foreign/tmp"
	echo x >"$M/.Foreign/cur/1.x.h:2,S"
	note_and_fix 'new: no index yet'
	[ -e "$M/.Foreign/mox.log" ]
}

@test "credentials" {
	mkdir "$D/auth"
	echo 'SCRAM-SHA-256 nonsense' >"$D/auth/test"
	says '^test: error: credentials: '
	[ "$status" = 1 ]
	run verify -fix
	[ "$status" = 1 ]
	rm "$D/auth/test"
	clean
	mkdir "$D/auth/@tls"
	echo x >"$D/auth/@tls/$(printf '%043d' 1)"
	says '^error: credentials: '
}

@test "an unreadable mailbox does not stop the others" {
	rm -r "$M/.a/cur"
	ln -s /dev/null "$M/.a/cur"
	echo 5 >"$A/uidvalidity"
	says 'test: a: error: mailbox'
	grep -q 'error: uidvalidity' <<<"$output"
	[ "$status" = 1 ]
}

@test "a rename that was cut short is finished" {
	kill_one() {
		faulty "$D" FAULT_KILL=12 "$MOX_T/bin/account" "$D" rename a x
	}
	! kill_one 2>/dev/null || false
	clean
}

@test "JSON" {
	echo more >>"$M/new/$(first)"
	run verify -json
	[ "$status" = 1 ]
	python3 - "$output" "$D" <<-'END'
		import json, sys
		r = json.loads(sys.argv[1])
		assert r["Dir"] == sys.argv[2]
		assert (r["Accounts"], r["Mailboxes"], r["Messages"]) == (1, 4, 7)
		assert (r["Errors"], r["Notes"], r["Fixed"]) == (1, 0, 0)
		f, = r["Findings"]
		assert (f["Account"], f["Mailbox"]) == ("test", "Inbox")
		assert (f["Level"], f["What"]) == ("error", "size")
	END
}

uidvalidity() {
	sed -n 's/^v \([0-9]*\) .*/\1/p' "$1/mox.log" | tail -n1
}

@test "a restored copy gets new UIDVALIDITYs, never given before" {
	storectl deliver a/b 8 >/dev/null
	cp -a "$D" "$BATS_TEST_TMPDIR/backup"
	given=$(account uidvalidity uidvalidity uidvalidity | tail -n1)
	rm -r "$D"
	cp -a "$BATS_TEST_TMPDIR/backup" "$D"
	run verify -restored
	[ "$status" = 0 ] || { echo "$output"; false; }
	for folder in "$M" "$M/.a" "$M/.a.b" "$M/.Sent"; do
		[ "$(uidvalidity "$folder")" -gt "${given#* }" ]
	done
	[ "$(for f in "$M" "$M"/.*/; do uidvalidity "$f"; done 2>/dev/null |
		sort | uniq -d)" = "" ]
	clean
}

# The scenario of store-crash.bats, seen with the verifier's eyes: notes of
# what is not synced, and of files already moved away; nothing else.
@test "no errors when killed anywhere" {
	D=$BATS_TEST_TMPDIR/d
	"$TOP/t/bin/store-check" setup "$D.setup"
	read -ra SCENARIO <<<"$("$TOP/t/bin/store-check" commands)"
	killed() {
		local survived
		rm -rf "$D" && cp -a "$D.setup" "$D"
		faulty "$D" "${KILL[@]}" "$MOX_T/bin/storectl" "$D" joe \
			"${SCENARIO[@]}" >/dev/null 2>&1
		survived=$?
		verify >"$BATS_TEST_TMPDIR/out" &&
			! grep -v 'OK$\|: note: ' "$BATS_TEST_TMPDIR/out" >&2 ||
			{ echo "after call $1" >&2; exit 1; }
		return $survived
	}
	kill_points before killed
}

# An item of a message in folder $1, as mox-queued writes it; or its envelope.
queued() {
	mkdir -p "$D/tmp" "$D/queue/hold" "$D/queue/due/now" "$D/queue/due/20991231T2359Z"
	id=$("$MOX_T/bin/queuectl" -account test "$D" b@far.example <<<hello)
	[ -n "$1" ] || return 0
	mkdir -p "$D/queue/msg/${id:16}"
	{ echo 'mox-item 1'; sed -n '2,/^$/p' "$D/queue/todo/$id" | sed '/^$/d'; echo 'offset 1'; } >"$D/queue/$1/$id.1"
	mv "$D/queue/todo/$id" "$D/queue/msg/${id:16}/$id.1"
}
held() {
	says "$1"
	[ "$status" = 1 ]
	run verify -fix
	grep -q 'fixed: queue' <<<"$output"
}

@test "queue: all is well" {
	queued ''
	queued hold
	queued due/20991231T2359Z
	mkdir "$D/queue/active/live.x"
	touch "$D/queue/tmp/.x.tmp"
	rm "$D/queue/hold/"* # not for an hour yet
	clean
}

@test "queue: an item that is none, an envelope that is none" {
	queued due/20991231T2359Z
	echo nothing >"$D/queue/due/20991231T2359Z/$id.1"
	held 'error: queue: .*not mox-item'
	[ -e "$D/queue/hold/$id.1" ]
	says 'error: queue: .*mend it'
	rm "$D/queue/hold/$id.1" "$D/queue/msg/${id:16}/$id.1"
	queued ''
	echo nothing >"$D/queue/todo/$id"
	held 'error: queue: .*not mox-envelope'
	[ -e "$D/queue/hold/$id" ]
}

@test "queue: an item without message fails" {
	queued hold
	rm "$D/queue/msg/${id:16}/$id.1"
	error_and_fix 'queue: .*its message is gone'
	grep -q '^failed .* 554 5.3.0' "$D/queue/due/now/$id.1"
}

@test "rights: lines that make no sense; nobody but the owner has any" {
	printf 'user=bob lr\nbob lr\n' >"$M/.a.b/dovecot-acl"
	says 'test: a/b: error: rights: 1 line of dovecot-acl'
	[ "$status" = 1 ]
	run verify -fix
	[ "$status" = 1 ]
	printf 'user=bob lr\n' >"$M/.a.b/dovecot-acl"
	error_and_fix 'shared: bob is not told that it is shared'
	[ "$(cat "$D/shared/bob/test")" = a%2Fb ]
}

@test "shared: names without rights, of mailboxes and accounts that are gone" {
	mkdir -p "$D/shared/bob" "$D/shared/@anyone"
	printf 'a%%2Fb\nnone\n' >"$D/shared/bob/test"
	echo Inbox >"$D/shared/@anyone/gone"
	says 'test: a/b: note: shared: bob is told that it is shared'
	[ "$status" = 0 ]
	[[ $output == *'test: none: note: shared: bob is told'* ]]
	[[ $output == *'gone: Inbox: note: shared: @anyone is told'* ]]
	run verify -fix
	[ "$status" = 0 ]
	[ -z "$(find "$D/shared" -type f ! -name .lock)" ]
}
