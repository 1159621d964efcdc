#!/usr/bin/env bats
# The store of programs that are killed, on power cuts, on failing disks.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/d TRACE=$BATS_TEST_TMPDIR/trace
	WORK=$BATS_TEST_TMPDIR/work ACKS=$BATS_TEST_TMPDIR/acks
	store_check setup "$D.setup"
	read -ra SCENARIO <<<"$(store_check commands)"
}

store_check() { "$TOP/t/bin/store-check" "$@"; }
storectl() { "$MOX_T/bin/storectl" "$@"; }

fresh() {
	rm -rf "$D" && cp -a "$D.setup" "$D"
}

killed() {
	local survived
	fresh
	faulty "$D" "${KILL[@]}" "$MOX_T/bin/storectl" "$D" joe \
		"${SCENARIO[@]}" >"$ACKS" 2>/dev/null
	survived=$?
	POWERCUT_MARKS=$ACKS store_check kill "$D" ||
		{ echo "after call $1" >&2; exit 1; }
	return $survived
}

@test "killed before any call" { kill_points before killed; }
@test "killed in the middle of any write" { kill_points half killed; }

# A Maildir that Dovecot has filled: its UIDs stay, whenever the first who opens
# it is killed.
adopted() {
	local survived told
	fresh
	faulty "$D" "${KILL[@]}" "$MOX_T/bin/storectl" "$D" joe \
		list Dovecot >/dev/null 2>&1
	survived=$?
	told=$(mox-verifydata "$D" 2>&1) ||
		{ echo "after call $1: $told" >&2; exit 1; }
	told=$(storectl "$D" joe status Dovecot , list Dovecot)
	[[ $told == *"uidvalidity 1700000000 "*7*'first'*9*'second'* ]] ||
		{ echo "after call $1: $told" >&2; exit 1; }
	return $survived
}

@test "killed while a Maildir of Dovecot gets its index" {
	local maildir=$D.setup/accounts/joe/Maildir/.Dovecot
	mkdir -p "$maildir"/{cur,new,tmp}
	printf 'Subject: first\n\n' >"$maildir/cur/2.b.host:2,S"
	printf 'Subject: second\n\n' >"$maildir/cur/1.a.host:2,"
	printf '3 V1700000000 N20 Gabc\n7 :2.b.host\n9 :1.a.host\n' \
		>"$maildir/dovecot-uidlist"
	kill_points before adopted
	kill_points half adopted
}

@test "a power cut at any moment" {
	fresh
	powercut begin "$D" "$TRACE"
	faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/storectl" "$D" joe \
		"${SCENARIO[@]}"
	powercut check "$TRACE" "$WORK" "$TOP/t/bin/store-check" power
}

@test "five processes at once, killed at random" {
	local seed=${MOX_RANDOM_SEED:-$RANDOM}
	mkdir "$D"
	"$TOP/t/bin/store-stress" "$D" "$seed" 5 40 || { echo "seed $seed"; return 1; }
}
