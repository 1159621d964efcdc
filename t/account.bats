#!/usr/bin/env bats
# The list of mailboxes, killed anywhere and after power cuts.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/d TRACE=$BATS_TEST_TMPDIR/trace
	WORK=$BATS_TEST_TMPDIR/work VERIFY=$BATS_TEST_TMPDIR/verify
	ACKS=$BATS_TEST_TMPDIR/acks
	export NEW_ACCOUNT=
}

account() { "$MOX_T/bin/account" "$D" "$@"; }

fresh() {
	rm -rf "$D" && mkdir "$D"
	account new create a/b/c 4 create a/b.d 0 >/dev/null
	echo hello >"$D/accounts/test/Maildir/.a.b.c/cur/1.x.h:2,S"
}

# verifier TEXT: a script that opens $1 and looks at it. In TEXT, $out is the
# list, $marks what was acknowledged, `has NAME FLAGS` and `acked TEXT` ask.
verifier() {
	cat >"$VERIFY" <<-END
		#!/bin/bash
		D=\$1
		account() { "\$MOX_T/bin/account" "\$D" "\$@"; }
		has() { grep -qxF "\$1 \$2" <<<"\$out"; }
		absent() { ! grep -q "^\$1 " <<<"\$out"; }
		acked() { grep -qxF "\$1" "\$POWERCUT_MARKS"; }
		bad() { echo "\$1: \$out; acknowledged: \$(cat "\$POWERCUT_MARKS")"; exit 1; }
		out=\$(account list 2>&1) || bad open
		[ -z "\$(ls -A "\$D/accounts/test" | grep '^rename')" ] || bad intent
		$1
		# All goes on as if nothing had been.
		account create later/x 0 subscribe y rename later/x later/z \
			delete later/z uidvalidity >/dev/null 2>"\$D/err" ||
			bad "later \$(cat "\$D/err")"
	END
	chmod +x "$VERIFY"
}

# kill_test COMMAND...: killed at each call, before, in and after it.
kill_test() {
	COMMANDS=("$@")
	killed() {
		local survived=0
		fresh
		faulty "$D" "${KILL[@]}" "$MOX_T/bin/account" "$D" \
			"${COMMANDS[@]}" >"$ACKS" 2>/dev/null || survived=1
		POWERCUT_MARKS=$ACKS "$VERIFY" "$D" ||
			{ echo "after call $1" >&2; exit 1; }
		return $survived
	}
	kill_points before killed
	kill_points half killed
	kill_points after killed
}

cut_test() {
	fresh
	powercut begin "$D" "$TRACE"
	faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/account" "$D" "$@"
	powercut check -seeds 2 "$TRACE" "$WORK" "$VERIFY"
}

RENAMED='
	if has x/y s0 && absent a/b; then
		has x/y/c s4 && absent a/b/c && has x s0 || bad "half new"
	else
		has a/b s0 && has a/b/c s4 && absent x/y/c || bad "half old"
		! acked "rename a/b x/y" || bad lost
	fi
	has a s0 && has a/b.d s0 || bad others
	[ "$(cat "$D"/accounts/test/Maildir/.*.c/cur/1.x.h:2,S)" = hello ] || bad message'

@test "rename of a tree is whole when killed" {
	verifier "$RENAMED"
	kill_test rename a/b x/y
}

@test "rename of a tree is whole after a power cut" {
	verifier "$RENAMED"
	cut_test rename a/b x/y
}

CREATED='
	if acked "create new/one 2"; then
		has new/one s2 && has new s0 || bad lost
	fi
	for f in "$D"/accounts/test/Maildir/.new*; do
		[ ! -e "$f" ] || [ -d "$f/cur" ] && [ -d "$f/tmp" ] ||
			[ ! -e "$f" ] || bad "half made"
	done'

@test "create when killed" {
	verifier "$CREATED"
	kill_test create new/one 2
}

@test "create after a power cut" {
	verifier "$CREATED"
	cut_test create new/one 2
}

DELETED='
	if acked "delete a/b/c "; then
		absent a/b/c || has a/b/c "s!0" || bad back
	else
		has a/b/c s4 || has a/b/c "s!0" || has a/b/c "s!4" || bad half
	fi'

@test "delete when killed" {
	verifier "$DELETED"
	kill_test delete a/b/c
}

@test "delete after a power cut" {
	verifier "$DELETED"
	cut_test delete a/b/c
}

# No UIDVALIDITY is given twice.
COUNTED='
	next=$(account uidvalidity) || bad counter
	! acked "$next" || bad again
	last=$(tail -n1 "$POWERCUT_MARKS" | cut -d" " -f2)
	[ "${next#* }" -gt "${last:-0}" ] || bad lower'

@test "uidvalidity when killed" {
	verifier "$COUNTED"
	kill_test uidvalidity uidvalidity
}

@test "uidvalidity after a power cut" {
	verifier "$COUNTED"
	cut_test uidvalidity uidvalidity uidvalidity
}

@test "a new account is there whole or not at all" {
	made() {
		local survived=0
		rm -rf "$D" && mkdir "$D"
		faulty "$D" "${KILL[@]}" "$MOX_T/bin/account" "$D" new \
			>"$ACKS" 2>/dev/null || survived=1
		if [ -e "$D/accounts/test" ]; then
			[ "$(account list)" = "$(printf 'Inbox s0\nSent s8')" ]
		else
			[ ! -s "$ACKS" ] || exit 1
			account new >/dev/null || exit 1
		fi
		return $survived
	}
	kill_points before made
	kill_points after made
}

@test "a new account after a power cut" {
	mkdir "$D"
	cat >"$VERIFY" <<-'END'
		#!/bin/bash
		if [ -e "$1/accounts/test" ]; then
			[ "$("$MOX_T/bin/account" "$1" list)" = "$(printf 'Inbox s0\nSent s8')" ]
		else
			[ ! -s "$POWERCUT_MARKS" ]
		fi
	END
	chmod +x "$VERIFY"
	powercut begin "$D" "$TRACE"
	faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/account" "$D" new
	powercut check -seeds 2 "$TRACE" "$WORK" "$VERIFY"
}

@test "a full disk and failing syncs change nothing halfway" {
	verifier "$RENAMED"
	for rule in 'fsync:*:1+:EIO' 'fsync:*:2:EIO' 'fsync:*:3:EIO' \
	    'write:*:1+:ENOSPC' 'open:*:2+:ENOSPC' 'mkdir:*:1+:ENOSPC' \
	    'rename:*:2:EIO' 'rename:*:3:EIO' 'rename:*:4+:EIO'; do
		fresh
		faulty "$D" FAULT_FAIL="$rule" "$MOX_T/bin/account" "$D" \
			rename a/b x/y >"$ACKS" 2>/dev/null || true
		POWERCUT_MARKS=$ACKS "$VERIFY" "$D" || { echo "$rule"; false; }
	done
}
