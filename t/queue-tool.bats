#!/usr/bin/env bats
# mox-queue: what it shows and what it does to the files of the queue.

load helper

A=64a1b2c3d4e5f60718 B=64a1b2c3d4e5f60819 C=64a1b2c3d4e5f6091a

setup() {
	export MOXCONF=$BATS_TEST_TMPDIR/m/mox.conf MOX_FAKE_TIME=$BATS_TEST_TMPDIR/now
	Q=$BATS_TEST_TMPDIR/m/data/queue
	echo 1796051045 >"$MOX_FAKE_TIME" # 2026-11-30T15:04:05Z
	mox-localserve -dir "$BATS_TEST_TMPDIR/m" -ip 127.0.0.1 -initonly >/dev/null
	mkdir -p "$Q"/{tmp,todo,hold,due/now,due/20261130T1511Z,active/r,retired/20261201}
	mkdir -p "$Q"/msg/{18,19,1a}
}

# Item $1 in folder $2 for $3; further lines.
item() {
	local file=$Q/$2/$1 id=$1 to=$3
	shift 3
	printf '%s\n' 'mox-item 1' "queued ${QUEUED:-2026-11-30T15:00:00.123Z}" \
		"account ${ACCOUNT:-anna}" "from ${FROM-anna@a.example}" 'size 99' \
		'msgid m1@a.example' 'subject Hello' "to $to" 'offset 120' "$@" >"$file"
}
delayed() { echo "delayed 2026-11-30T15:03:35.000Z mx.b.example 450 4.2.0 \"not\" now"; }
three() {
	QUEUED=2026-11-30T14:00:00Z item $A.1 due/now bob@b.example
	QUEUED=2026-11-30T14:30:00Z item $B.2 due/20261130T1511Z carl@b.example "$(delayed)" \
		'next 2026-11-30T15:10:30Z'
	FROM=eve@e.example ACCOUNT=eve item $C.1 hold dan@d.example 'transport smart'
}
# Recipients, as list has them.
to() { mox-queue list "$@" | grep -o 'to:[a-z]*' | cut -c4- | paste -sd' '; }
# Where an item is.
where() { (cd "$Q" && ls -d */"$1" */*/"$1" 2>/dev/null) | grep -v '^msg/'; }

@test "list: empty, and a line for each" {
	run mox-queue list
	[ "$output" = messages:$'\n''(none)' ]
	three
	item $C.2 active/r fay@f.example 'trying 2026-11-30T15:04:04Z'
	run mox-queue list
	[ "$status" = 0 ]
	diff - <(echo "$output") <<-END
	messages:
	$B.2 2026-11-30T14:30:00Z from:anna@a.example to:carl@b.example next 6m55s last 30s error "450 4.2.0 \"not\" now"
	$C.2 2026-11-30T15:00:00Z from:anna@a.example to:fay@f.example next 0s last - error "" active
	$C.1 2026-11-30T15:00:00Z from:eve@e.example to:dan@d.example next 0s last - error "" hold
	$A.1 2026-11-30T14:00:00Z from:anna@a.example to:bob@b.example next 0s last - error ""
	END
}

@test "list: what no runner has taken up yet, each recipient" {
	printf '%s\n' 'mox-envelope 1' 'queued 2026-11-30T15:00:00Z' 'account anna' \
		'from anna@a.example' 'size 9' 'to x@b.example' 'to y@c.example' \
		'until 2026-12-01T15:04:05Z' '' 'Subject: x' '' hello >"$Q/todo/$A"
	run mox-queue list
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[1]} == "$A.1 "*' to:x@b.example next 24h0m0s last - '* ]]
	[[ ${lines[2]} == "$A.2 "*' to:y@c.example '* ]]
	[ "$(to -n 1)" = x ]
	[ "$(to -ids $A.2)" = y ]
	[ "$(to -ids $A)" = 'x y' ]
	run mox-queue dump $A
	[ "$output" = $'Subject: x\n\nhello' ]
	run mox-queue hold
	[ "${lines[0]}" = '0 messages changed' ]
	[[ $output == *'2 not yet taken up by mox-queued, left alone'* ]]
}

@test "filters, alone and together" {
	three
	while IFS='|' read -r args want; do
		got=$(eval to "$args")
		[ "$got" = "$want" ] || { echo "$args: $got"; false; }
	done <<-END
	-asc|bob dan carl
	-sort queued|dan carl bob
	-sort queued -asc|bob carl dan
	-sort queued -asc -n 2|bob carl
	-n 1|carl
	-ids $A,$C.1 -asc|bob dan
	-ids $B|carl
	-ids $B.1|
	-account anna -asc|bob carl
	-account ann|
	-from @e.example|dan
	-to @B.example|carl bob
	-to bob -from eve|
	-from anna -to d.example|
	-submitted '<-50m'|bob
	-submitted '>-50m' -asc|dan carl
	-submitted '<now' -asc|bob dan carl
	-nextattempt '<now' -asc|bob dan
	-nextattempt '>5m'|carl
	-nextattempt '>10m'|
	-hold true|dan
	-hold=false|carl bob
	-transport smart|dan
	-transport '' -asc|bob carl
	END
	run mox-queue list -submitted 5m
	[ "$status" = 2 ]
	[[ $output == *'-submitted must be < (before)'* ]]
	for bad in '-ids 1' '-hold maybe' '-n -1' '-nextattempt <soon' '-sort to'; do
		run mox-queue list $bad
		[ "$status" = 2 ] || { echo "$bad: $status"; false; }
	done
}

@test "list -json, as programs read it" {
	three
	mox-queue list -json | python3 -c '
import json, sys
l = json.load(sys.stdin)
m = l[0]
assert [x["State"] for x in l] == ["due", "hold", "due"], l
assert m["ID"] == "64a1b2c3d4e5f60819.2" and m["To"] == "carl@b.example"
assert m["NextAttempt"] == "2026-11-30T15:11:00.000Z" and m["LastAttempt"] == "2026-11-30T15:03:35.000Z"
assert m["Results"] == [{"Time": "2026-11-30T15:03:35.000Z", "Result": "delayed",
    "Host": "mx.b.example", "Text": "450 4.2.0 \"not\" now"}]
assert m["Attempts"] == 1 and m["MaxAttempts"] == 8 and m["RequireTLS"] is None
assert l[1]["Hold"] is True and l[1]["Transport"] == "smart" and l[1]["SenderAccount"] == "eve"
'
	rm "$Q"/*/*/* "$Q"/hold/*
	[ "$(mox-queue list -json | tr -d ' \n')" = '[]' ]
}

@test "hold and unhold keep the time it was to be tried" {
	three
	run mox-queue hold
	[ "$output" = '2 messages changed' ]
	[ "$(where $A.1)" = "hold/$A.1" ]
	[ "$(where $B.2)" = "hold/$B.2" ]
	[ "$(to -hold true -asc)" = 'bob dan carl' ]
	run mox-queue unhold -to @b.example
	[ "$output" = '2 messages changed' ]
	[ "$(where $A.1)" = "due/now/$A.1" ]
	[ "$(where $B.2)" = "due/20261130T1511Z/$B.2" ]
	[ "$(where $C.1)" = "hold/$C.1" ]
	# One that was put off by hand says so in its folder only.
	mkdir "$Q/due/20261201T0000Z"
	mv "$Q/due/now/$A.1" "$Q/due/20261201T0000Z/"
	mox-queue hold -ids $A
	mox-queue unhold -ids $A
	[ "$(where $A.1)" = "due/20261201T0000Z/$A.1" ]
}

@test "schedule: from the time it was to be tried, from now, on hold" {
	three
	run mox-queue schedule -ids $B.2 1h
	[ "$output" = '1 message(s) rescheduled' ]
	[ "$(where $B.2)" = "due/20261130T1611Z/$B.2" ]
	mox-queue schedule -ids $B.2 -now 10m
	[ "$(where $B.2)" = "due/20261130T1515Z/$B.2" ]
	mox-queue schedule -ids $B.2 -now 0s
	[ "$(where $B.2)" = "due/now/$B.2" ]
	mox-queue schedule -ids $B.2 -- -5m
	[ "$(where $B.2)" = "due/now/$B.2" ]
	mox-queue schedule -hold true 2h
	[ "$(where $C.1)" = "hold/$C.1" ]
	[[ $(mox-queue list -ids $C) == *' next 2h0m0s '* ]]
	mox-queue unhold
	[ "$(where $C.1)" = "due/20261130T1705Z/$C.1" ]
	run mox-queue schedule soon
	[ "$status" = 2 ]
	run mox-queue schedule
	[ "$status" = 2 ]
}

@test "transport: a line in the item, which stays where it was" {
	three
	run mox-queue transport -account anna nowhere
	[ "$status" = 1 ]
	[[ $output == *'no transport "nowhere" in '*mox.conf ]]
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: smart.example\n' >>"$MOXCONF"
	run mox-queue transport -account anna smart
	[ "$output" = '2 message(s) changed' ]
	[ "$(where $B.2)" = "due/20261130T1511Z/$B.2" ]
	[ "$(tail -n 1 "$Q/due/now/$A.1")" = 'transport smart' ]
	[ "$(to -transport smart -asc)" = 'bob dan carl' ]
	mox-queue transport -hold true ''
	[ "$(to -transport '')" = dan ]
}

@test "fail and drop are for the runner to do" {
	three
	run mox-queue fail -to @b.example
	[ "$output" = '2 message(s) marked as failed' ]
	[ "$(where $B.2)" = "due/now/$B.2" ]
	tail -n 1 "$Q/due/now/$B.2" | grep -qE '^cancel 2026-11-30T15:04:05.000Z canceled by admin'
	run mox-queue drop
	[ "$output" = '1 message(s) dropped' ]
	tail -n 1 "$Q/due/now/$C.1" | grep -qE '^drop 2026-11-30T'
	[[ $(mox-queue list) == *'"" dropped'* ]]
}

@test "what somebody else has, or moved meanwhile, is left alone" {
	three
	mv "$Q/due/now/$A.1" "$Q/active/r/"
	run mox-queue fail
	[ "${lines[0]}" = '2 message(s) marked as failed' ]
	[[ $output == *'1 being delivered at this moment, left alone'* ]]
	[ "$(where $A.1)" = "active/r/$A.1" ]
	! grep -q cancel "$Q/active/r/$A.1" || false
	# Two at once: each item is changed by one of them.
	rm -rf "$Q"/due/* "$Q"/hold/*
	mkdir -p "$Q/due/now"
	for i in {1..300}; do item $B.$i due/now x@b.example; done
	mox-queue hold >"$BATS_TEST_TMPDIR/1" &
	mox-queue hold >"$BATS_TEST_TMPDIR/2"
	wait
	[ "$(ls "$Q/hold" | wc -l)" = 300 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/[12] | awk '{ n += $1 } END { print n }')" = 300 ]
}

@test "an item that cannot be read is said, the others are listed" {
	three
	echo nonsense >"$Q/due/now/$C.7"
	run mox-queue list
	[ "$status" = 1 ]
	[ "$(grep -c 'from:' <<<"$output")" = 3 ]
	[[ $output == *"mox-queue: due/now/$C.7: line 1: not mox-item 1"* ]]
	touch "$Q/hold/other" # no item
	rm "$Q/due/now/$C.7"
	[ "$(to -hold true)" = dan ]
}

@test "dump" {
	printf '%s\n' 'mox-envelope 1' 'queued 2026-11-30T15:00:00Z' 'account anna' \
		'from anna@a.example' 'size 9' 'to x@b.example' 'to bob@b.example' '' \
		'Subject: x' '' hello >"$Q/msg/19/$B.2"
	for id in $B $B.2; do
		run mox-queue dump $id
		[ "$output" = $'Subject: x\n\nhello' ]
	done
	mkdir -p "$Q/active/r.1"
	mv "$Q/msg/19/$B.2" "$Q/active/r.1/$B" # as a runner has it
	for id in $B $B.2; do
		run mox-queue dump $id
		[ "$output" = $'Subject: x\n\nhello' ]
	done
	run mox-queue dump $A
	[ "$status" = 1 ]
	[ "$output" = "mox-queue: no message $A in the queue" ]
	run mox-queue dump ../x
	[ "$status" = 1 ]
	run mox-queue dump
	[ "$status" = 2 ]
}

@test "hold rules: added, listed, removed; they hold what is there" {
	three
	run mox-queue holdrules list
	[ "$output" = 'hold rules:'$'\n''(none)' ]
	run mox-queue holdrules add -account anna -senderdom A.example -recipientdom bücher.example
	[ "$output" = 'hold rule 1 added, 0 messages held' ]
	run mox-queue holdrules add -recipientdom B.EXAMPLE
	[ "$output" = 'hold rule 2 added, 2 messages held' ]
	[ "$(to -hold true -asc)" = 'bob dan carl' ]
	mox-queue holdrules add
	diff - <(mox-queue holdrules list) <<-'END'
	hold rules:
	id 1: account "anna", sender domain "a.example", recipient domain "xn--bcher-kva.example"
	id 2: recipient domain "b.example"
	id 3: all messages
	END
	mox-queue holdrules remove 2
	run mox-queue holdrules remove 2
	[ "$status" = 1 ]
	[ "$output" = 'mox-queue: no hold rule 2' ]
	[ "$(mox-queue holdrules list -json | python3 -c 'import json, sys; print([r["ID"] for r in json.load(sys.stdin)])')" = '[1, 3]' ]
	[ "$(to -hold true -asc)" = 'bob dan carl' ]
	run mox-queue holdrules add -senderdom 'a b'
	[ "$status" = 1 ]
}

@test "retired: list and print" {
	item $A.1 retired/20261201 bob@b.example \
		'delivered 2026-11-30T15:00:05Z mx.b.example 250 2.0.0 ok'
	item $B.1 retired/20261201 carl@c.example \
		'failed 2026-11-30T15:03:05Z mx.c.example 550 5.1.1 no'
	diff - <(mox-queue retired list) <<-END
	retired messages:
	$B.1 2026-11-30T15:00:00Z from:anna@a.example to:carl@c.example last 1m0s error "550 5.1.1 no" failure
	$A.1 2026-11-30T15:00:00Z from:anna@a.example to:bob@b.example last 4m0s error "" success
	END
	[ "$(mox-queue retired list -result success | grep -c from:)" = 1 ]
	mox-queue retired list -lastactivity '<-2m' | grep -q to:bob
	[ "$(mox-queue retired list -lastactivity '<-2m' | grep -c from:)" = 1 ]
	mox-queue retired print $B.1 | python3 -c '
import json, sys
m = json.load(sys.stdin)
assert m["Success"] is False and m["State"] == "retired"
assert m["KeepUntil"] == "2026-12-01T00:00:00.000Z"
'
	run mox-queue retired print $C.1
	[ "$status" = 1 ]
	[ "$(mox-queue list | tail -n 1)" = '(none)' ]
}

@test "wrong usage, help, as a word of mox" {
	run mox-queue
	[ "$status" = 2 ]
	run mox-queue eat
	[ "$status" = 2 ]
	[[ $output == *'no command "eat"'* ]]
	run mox-queue holdrules
	[ "$status" = 2 ]
	run mox-queue list -help
	[ "$status" = 0 ]
	[[ $output == *-nextattempt* ]]
	three
	[[ $(mox queue list -n 1) == *to:carl* ]]
	[[ $(env -u MOXCONF mox-queue -config "$MOXCONF" list) == *to:carl* ]]
	[[ $(env -u MOXCONF mox-queue list -config "$MOXCONF") == *to:carl* ]]
}

@test "list: an item that is still in its envelope, with a runner" {
	mkdir -p "$Q/active/r.2"
	printf 'mox-envelope 1\nqueued 2026-11-30T15:04:05Z\nfrom anna@a.example\nsize 9\nto x@x.example\n\nhello\n' \
		>"$Q/active/r.2/0123456789abcdef01"
	# One of two whose items are written.
	sed 's/^to x.*/&\nto y@y.example/' "$Q/active/r.2/0123456789abcdef01" >"$Q/active/r.2/0123456789abcdef02"
	mox-queue list >"$BATS_TEST_TMPDIR/list"
	grep -q '^0123456789abcdef01.1 .* to:x@x.example .* active$' "$BATS_TEST_TMPDIR/list"
	[ "$(grep -c '^0123456789abcdef02' "$BATS_TEST_TMPDIR/list")" = 2 ]
	printf 'mox-item 1\nqueued 2026-11-30T15:04:05Z\nfrom anna@a.example\nsize 9\nto x@x.example\noffset 99\n' \
		>"$Q/active/r.2/0123456789abcdef01.1"
	[ "$(mox-queue list | grep -c '^0123456789abcdef01')" = 1 ]
}

@test "requiretls: of what is there; recipients are told apart" {
	three
	run mox-queue requiretls -ids $A yes
	[ "$output" = '1 message(s) changed' ]
	[ "$(where $A.1)" = due/now/$A.1 ]
	[ "$(tail -n 1 "$Q/due/now/$A.1")" = 'requiretls yes' ]
	mox-queue list -json | python3 -c '
import json,sys
assert {m["ID"]: m["RequireTLS"] for m in json.load(sys.stdin)}["'$A'.1"] is True'
	run mox-queue requiretls no
	[ "$output" = '3 message(s) changed' ]
	[ "$(where $C.1)" = hold/$C.1 ]
	[ "$(tail -n 1 "$Q/hold/$C.1")" = 'requiretls no' ]
	run mox-queue requiretls -ids $B default
	[ "$(tail -n 1 "$Q/due/20261130T1511Z/$B.2")" = 'requiretls default' ]
	run mox-queue requiretls perhaps
	[ "$status" = 2 ]
	run mox-queue requiretls
	[ "$status" = 2 ]
}

@test "suppress: add, list, lookup, remove" {
	run mox-queue suppress list
	[ "$output" = $'account\taddress\tmanual\tcreated\tbase address\treason\n(none)' ]
	mox-queue suppress add mox Bob.X+y@B.example
	[ "$(cat "$Q/suppress/mox")" = 'bobx@b.example 2026-11-30T15:04:05.000Z manual Bob.X+y@B.example' ]
	echo 'carl@b.example 2026-11-30T15:04:04Z auto carl@b.example 550 5.1.1 no' >>"$Q/suppress/mox"
	echo 'bobx@b.example' >"$Q/suppress/eve"
	run mox-queue suppress list
	diff - <(echo "$output") <<-END
	account	address	manual	created	base address	reason
	eve	bobx@b.example	yes	-	bobx@b.example	
	mox	Bob.X+y@B.example	yes	2026-11-30T15:04:05.000Z	bobx@b.example	
	mox	carl@b.example	no	2026-11-30T15:04:04.000Z	carl@b.example	550 5.1.1 no
	END
	run mox-queue suppress list -account eve
	[ "${#lines[@]}" = 2 ]
	run mox-queue suppress list -json
	python3 -c '
import json,sys
v = json.loads(sys.argv[1])
assert [e["Account"] for e in v] == ["eve", "mox", "mox"], v
assert v[0]["Created"] is None and v[2]["Manual"] is False, v
assert v[2]["Reason"] == "550 5.1.1 no" and v[1]["OriginalAddress"] == "Bob.X+y@B.example", v' "$output"
	run mox-queue suppress lookup -account mox carl-x@b.example
	[ "$status" = 0 ]
	[ "$output" = $'present\naccount: mox\nadded: 2026-11-30T15:04:04.000Z\nmanual: no\nbase address: carl@b.example\nreason: 550 5.1.1 no' ]
	[ "$(mox-queue suppress lookup bobx@b.example | grep -c '^present')" = 2 ]
	run mox-queue suppress lookup dan@b.example
	[ "$status" = 1 ]
	[ "$output" = 'not present' ]
	run mox-queue suppress lookup -json dan@b.example
	[ "$status" = 1 ]
	[ "$output" = '[]' ]
	run mox-queue suppress add mox bob.x@b.example
	[ "$status" = 0 ]
	[ "$output" = 'mox-queue: bob.x@b.example is on the list already' ]
	mox-queue suppress remove mox bobx@b.example
	run mox-queue suppress remove mox bobx@b.example
	[ "$status" = 1 ]
	[[ $output == *'bobx@b.example is not on the list of mox'* ]]
	echo moxmoxmox | mox-setaccountpassword mox 2>/dev/null # compiles domains.conf
	run mox-queue suppress add nobody bobx@b.example
	[ "$status" = 1 ]
	[[ $output == *'no account "nobody"'* ]]
	run mox-queue suppress add mox 'no address'
	[ "$status" = 1 ]
	run mox-queue suppress add mox
	[ "$status" = 2 ]
	[ "$(ls "$Q/suppress" | paste -sd' ')" = 'eve mox' ]
}
