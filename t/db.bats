#!/usr/bin/env bats
# lib/db on disks that fail, in processes that are killed, after power cuts.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/d TRACE=$BATS_TEST_TMPDIR/trace
	WORK=$BATS_TEST_TMPDIR/work
	mkdir "$D"
	pair create
	verifier >"$BATS_TEST_TMPDIR/verify"
	chmod +x "$BATS_TEST_TMPDIR/verify"
}

pair() { "$MOX_T/bin/pair" "$D" "$@"; }

# $1 a folder after a crash, POWERCUT_MARKS what was acknowledged: it is all
# there, units are whole, and the pair can be used, folded and read.
verifier() {
	cat <<-'END'
		#!/bin/bash
		show() { "$MOX_T/bin/pair" "$@" show; }
		out=$(show "$1" 2>&1) || { echo "$out"; exit 1; }
		while read -r mark; do
			if [ "$mark" = file ]; then
				[ "$(cat "$1/file")" = content ] || exit 2
			else
				grep -qx "$mark" <<<"$out" || { echo "$mark is not in: $out"; exit 3; }
			fi
		done <"$POWERCUT_MARKS"
		[ -z "$(sort <<<"$out" | uniq -d)" ] || { echo "doubled: $out"; exit 4; }
		n=$(grep -c '^unit' <<<"$out")
		[ "$n" = 0 ] || [ "$n" = 3 ] || { echo "half a unit: $out"; exit 5; }
		[ ! -e "$1/file" ] || [ "$(cat "$1/file")" = content ] || exit 6
		"$MOX_T/bin/pair" "$1" add last >/dev/null || exit 7
		want=$(printf '%s\nlast' "$out" | sed '/^$/d')
		[ "$(show "$1")" = "$want" ] || { show "$1"; exit 8; }
		"$MOX_T/bin/pair" "$1" fold || exit 9
		[ "$(show "$1")" = "$want" ] || { show "$1"; exit 10; }
	END
}

# Everything once; stops where it is killed.
scenario() {
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" add one two &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" put three &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" fold &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" group unit1 unit2 unit3 &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" file file content &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" fold &&
	faulty "$D" "$@" "$MOX_T/bin/pair" "$D" add four
}

killed() {
	local survived
	rm -rf "$D" && mkdir "$D" && pair create
	scenario "${KILL[@]}" >"$BATS_TEST_TMPDIR/acks" 2>/dev/null
	survived=$?
	POWERCUT_MARKS=$BATS_TEST_TMPDIR/acks "$BATS_TEST_TMPDIR/verify" "$D" ||
		{ echo "after call $1" >&2; exit 1; }
	return $survived
}

@test "killed before any call" { kill_points before killed; }
@test "killed in the middle of any write" { kill_points half killed; }
@test "killed after any call" { kill_points after killed; }

@test "a power cut at any moment" {
	powercut begin "$D" "$TRACE"
	scenario FAULT_TRACE="$TRACE"
	powercut check -seeds 4 "$TRACE" "$WORK" "$BATS_TEST_TMPDIR/verify"
}

# Killed in the middle of a fold, gone on by another process, then the power
# fails: what the second acknowledged must not hang on names the first made.
@test "killed, gone on, then a power cut" {
	went_on() {
		local survived
		rm -rf "$D" "$WORK" "$TRACE" && mkdir "$D" && pair create
		pair add one
		powercut begin "$D" "$TRACE"
		faulty "$D" FAULT_TRACE="$TRACE" "${KILL[@]}" \
			"$MOX_T/bin/pair" "$D" fold 2>/dev/null
		survived=$?
		faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/pair" "$D" add two
		powercut check -seeds 1 "$TRACE" "$WORK" \
			"$BATS_TEST_TMPDIR/verify" || exit 1
		return $survived
	}
	kill_points after went_on
}

# $1: the rule. Afterwards acknowledged lines are there, failed ones not.
failing() {
	rm -rf "$D" && mkdir "$D" && pair create
	faulty "$D" FAULT_FAIL="$1" "$MOX_T/bin/pair" "$D" add one two three \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || true
	pair show >"$BATS_TEST_TMPDIR/shown"
	diff <(grep -v ' ' "$BATS_TEST_TMPDIR/out") "$BATS_TEST_TMPDIR/shown"
}

@test "a failed sync takes the line back and begins a new log" {
	failing 'fdatasync:p.log:2:EIO'
	grep -qx 'failed two' "$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/shown")" = "$(printf 'one\nthree')" ]
	grep -q '^test 1 2 ' "$D/p.log"
}

@test "while no sync works nothing is acknowledged" {
	failing 'sync:*:1+:EIO'
	[ ! -s "$BATS_TEST_TMPDIR/shown" ]
	pair add later
	[ "$(pair show)" = later ]
}

@test "any one call fails in a fold" {
	for rule in open:.p.cdb.* write:.p.cdb.* fsync:.p.cdb.* rename:p.cdb \
	    open:.p.log.* write:.p.log.* fsync:.p.log.* write:p.log \
	    rename:p.log fsync:.; do
		rm -rf "$D" && mkdir "$D" && pair create
		pair add one
		! faulty "$D" FAULT_FAIL="$rule:1:EIO" "$MOX_T/bin/pair" "$D" fold || false
		[ "$(pair show)" = one ]
		pair add two
		pair fold
		[ "$(pair show)" = "$(printf 'one\ntwo')" ]
		[ -z "$(ls "$D"/.*.tmp 2>/dev/null)" ]
	done
}

@test "a folder sync that fails after the rename is not believed later" {
	pair add one
	! faulty "$D" FAULT_FAIL='fsync:.:2:EIO' "$MOX_T/bin/pair" "$D" fold || false
	grep -q '^@suspect ' "$D/p.log"
	pair add two
	grep -q '^test 1 3 ' "$D/p.log"
	[ "$(pair show)" = "$(printf 'one\ntwo')" ]
}

@test "a full disk loses nothing and leaves nothing half" {
	for room in 0 1 20 30 40 50 60 70 80 90; do
		rm -rf "$D" && mkdir "$D" && pair create
		faulty "$D" FAULT_FULL=$room "$MOX_T/bin/pair" "$D" \
			add one two three >"$BATS_TEST_TMPDIR/out" 2>/dev/null || true
		pair show | diff <(grep -v ' ' "$BATS_TEST_TMPDIR/out") -
		! faulty "$D" FAULT_FULL=$room "$MOX_T/bin/pair" "$D" fold || false
		pair show | diff <(grep -v ' ' "$BATS_TEST_TMPDIR/out") -
	done
}
