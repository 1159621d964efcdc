#!/usr/bin/env bats
# mox-local: items into mailboxes, notifications to senders; by hand, as
# mox-queued would ask.

load helper

ID=00064a1b2c3d4e5f60

teardown() { stop_background; }

setup() {
	export TZ=UTC
	D=$BATS_TEST_TMPDIR Q=$D/data/queue R=$Q/active/r
	mkdir -p "$D/config" "$R" "$Q/msg/60"
	cat >"$D/config/mox.conf" <<END
DataDir: ../data
LogLevel: info
User: $(id -un)
Hostname: mail.example
Listeners:
	x:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: bob
	Mailbox: Postmaster
END
	cat >"$D/config/domains.conf" <<END
Domains:
	a.example:
		LocalpartCatchallSeparator: +
		Aliases:
			open:
				PostPublic: true
				Addresses:
					- alice@a.example
					- bob@a.example
			team:
				Addresses:
					- alice@a.example
					- bob@a.example
	off.example:
		Disabled: true
Accounts:
	alice:
		Domain: a.example
		QuotaMessageSize: 20000
		Destinations:
			alice@a.example: nil
			lists@a.example:
				Mailbox: Lists
			alice@off.example: nil
	bob:
		Domain: a.example
		Destinations:
			bob@a.example: nil
			full@a.example:
				SMTPError: 421 gone fishing
END
	message <<-END
	From: bob@a.example
	To: alice@a.example
	Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
	Message-ID: <m1@a.example>

	hello
	END
}

# Messages of the group: standard input is what they are.
message() { cat >"$D/message"; }

# Item N for an address, with further lines.
item() {
	local n=$1 to=$2
	shift 2
	{
		printf '%s\n' 'mox-item 1' 'queued 2026-11-30T15:04:05.123Z' \
			"account ${ACCOUNT-bob}" "from ${FROM-bob@a.example}" \
			'size 200' 'msgid m1@a.example' 'envid QQ+2B1' \
			'source c.example ([192.0.2.1])' "to $to" "$@" 'offset 0'
	} >"$R/$ID.$n"
	cp "$D/message" "$Q/msg/60/$ID.$n"
}
lines() { printf '%s\n' "$@" >>"$R/$ID.1"; }

tell() { mox-local -config "$D/config/mox.conf" -runner r "$@" 2>>"$D/log"; }
send() { echo "send $*" | tell; }
mails() { cat "$D/data/accounts/$1/Maildir/${2:-}"/{new,cur}/* 2>/dev/null; }
count() { ls "$D/data/accounts/$1/Maildir/${2:-}"/{new,cur} 2>/dev/null | grep -c 'S='; }

# $1: address; $2: the answer and the line in the item.
gives() {
	item 1 "$1"
	run send $ID.1
	[ "$output" = "$ID.1 $2"$'\n'ready ] || { echo "$1: $output"; return 1; }
	tail -n 1 "$R/$ID.1" | grep -qE "^${2%% *} [-0-9]+T[:.0-9]+Z - ${2#* }\$" ||
		{ cat "$R/$ID.1"; return 1; }
	tail -n 2 "$R/$ID.1" | head -n 1 | grep -q '^trying 20'
}

@test "delivered, with Delivered-To and Return-Path before it" {
	gives alice@a.example 'delivered 250 2.0.0 delivered'
	mails alice | head -n 2 | diff - <(echo 'Delivered-To: alice@a.example'
		echo 'Return-Path: <bob@a.example>')
	mails alice | tail -n +3 | diff - "$D/message"
	gives '"alice"+x@a.example' 'failed 553 5.1.3 no address'
	gives alice+x@a.example 'delivered 250 2.0.0 delivered'
	gives Lists@A.example 'delivered 250 2.0.0 delivered'
	[ "$(count alice) $(count alice .Lists)" = '2 1' ]
	grep -q 'm="delivered" .*account=alice mailbox=Lists uid=1' "$D/log"
	echo 'queue error' >"$D/run/loglevels" # of mox-loglevels
	: >"$D/log"
	gives alice@a.example 'delivered 250 2.0.0 delivered'
	! grep -q delivered "$D/log"
}

@test "what cannot be delivered now, and what never can" {
	gives nobody@a.example 'failed 550 5.1.1 no such user'
	gives alice@off.example 'delayed 450 4.2.1 domain is disabled for now'
	gives full@a.example 'delayed 451 4.3.0 gone fishing'
	gives x@far.example 'delayed 451 4.4.4 no domain of this host any more'
	{ cat "$D/message"; head -c 30000 /dev/zero | tr '\0' x; echo; } >"$D/big"
	mv "$D/big" "$D/message"
	gives alice@a.example 'delayed 452 4.2.2 mailbox is full'
	message < <(for i in {1..101}; do echo "Received: x"; done; echo; echo x)
	gives bob@a.example 'failed 554 5.4.6 mail loop'
	rm "$Q/msg/60/$ID.1"
	run send $ID.1
	[ "$output" = "$ID.1 failed 554 5.3.0 its file in the queue is gone"$'\n'ready ]
}

@test "aliases: who may post, who gets it, each mailbox once" {
	gives open@a.example 'delivered 250 2.0.0 delivered'
	[ "$(count alice) $(count bob)" = '1 0' ] # bob wrote it
	gives team@a.example 'delivered 250 2.0.0 delivered'
	[ "$(count alice) $(count bob)" = '2 0' ]
	sed -i 's/^From: .*/From: x@far.example/' "$D/message"
	gives team@a.example 'failed 550 5.7.2 not allowed to post to this address'
	item 1 open@a.example
	item 2 alice@a.example
	item 3 bob@a.example
	run send $ID.1 $ID.2 $ID.3
	[ "$(grep -c ' delivered 250' <<<"$output")" = 3 ]
	[ "$(count alice) $(count bob)" = '3 1' ]
	mails alice | grep -q '^Delivered-To: open@a.example'
}

@test "several groups; items that are gone or finished are passed over" {
	item 1 alice@a.example
	item 2 bob@a.example
	lines 'delivered 2026-11-30T15:05:05.123Z - 250 2.0.0 delivered'
	run tell < <(echo "send $ID.1"; echo "send $ID.2 $ID.3"; echo 'send x ../y'; echo eat)
	[ "$status" = 0 ]
	[ "$output" = ready$'\n'"$ID.2 delivered 250 2.0.0 delivered"$'\n'ready$'\n'ready$'\n'ready ]
	[ "$(count bob)" = 1 ]
	[ ! -e "$D/data/accounts/alice" ]
	grep -q 'no name of an item' "$D/log"
}

@test "verbatim messages, and large ones, come through as they are" {
	printf 'From: bob@a.example\n\nbare\rcr\n' | message
	item 1 alice@a.example verbatim
	run send $ID.1
	[[ $output == *delivered* ]]
	printf 'From: bob@a.example\n\nbare\rcr\n' | cmp - <(mails alice | tail -n 3)
	{ printf 'From: bob@a.example\n\n'; seq 400000; } | message
	gives bob@a.example 'delivered 250 2.0.0 delivered'
	mails bob | tail -n +3 | cmp - "$D/message"
}

@test "failure: the sender is told, as others read it" {
	item 1 'bob@b.example' 'orcpt rfc822;rob+2B@b.example'
	lines 'failed 2026-11-30T15:05:05.123Z mx.b.example 550 5.1.1 no such user'
	item 2 'carl@c.example'
	printf '%s\n' 'delayed 2026-11-30T15:04:09Z mx.c.example 450 4.2.0 later' \
		'failed 2026-11-30T15:05:06Z - after 8 attempts: 450 4.2.0 later' >>"$R/$ID.2"
	item 3 'dan@d.example'
	echo 'failed 2026-11-30T15:05:06Z - delivery canceled by administrator' >>"$R/$ID.3"
	run tell <<<"dsn failure $ID.1 $ID.2 $ID.3"
	[ "$output" = "$ID.1 dsn bob"$'\n'"$ID.2 dsn bob"$'\n'"$ID.3 dsn bob"$'\n'ready ]
	tail -n 1 "$R/$ID.3" | grep -qE '^dsn failure 20[-0-9]+T[:.0-9]+Z bob$'
	[ "$(count bob)" = 1 ]
	mails bob | python3 -c '
import email, email.policy, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
def eq(a, b): assert a == b, (a, b)
eq(m["Return-Path"], "<>")
eq(m["Delivered-To"], "bob@a.example")
eq(m["From"], "postmaster@mail.example")
eq(m["To"], "bob@a.example")
eq(m["Subject"], "mail delivery failed")
eq(m["In-Reply-To"], "<m1@a.example>")
eq(m.get_content_type(), "multipart/report")
eq(m.get_param("report-type"), "delivery-status")
eq(m.defects, [])
text, status, about = m.get_payload()
eq(text.get_content_type(), "text/plain")
for part in ("bob@b.example", "mx.b.example said: 550 5.1.1 no such user",
        "which you wrote as rob+@b.example",
        "mx.c.example said: 450 4.2.0 later", "Grüße"):
    assert part in text.get_content(), text.get_content()
eq(status.get_content_type(), "message/delivery-status")
fields = [dict(g.items()) for g in status.get_payload()]
eq(fields[0], {"Original-Envelope-Id": "QQ+1", "Reporting-MTA": "dns; mail.example",
    "Received-From-MTA": "dns; c.example ([192.0.2.1])", "Arrival-Date": fields[0]["Arrival-Date"]})
eq(len(fields), 4)
r = fields[1]
eq([r[k] for k in ("Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code")],
    ["rfc822; rob+@b.example", "rfc822; bob@b.example", "failed", "5.1.1", "dns; mx.b.example", "smtp; 550 5.1.1 no such user"])
eq((fields[2]["Status"], fields[2]["Diagnostic-Code"]), ("5.4.7", "smtp; 450 4.2.0 later"))
eq((fields[2]["Remote-MTA"], fields[2]["Last-Attempt-Date"]), ("dns; mx.c.example", "Mon, 30 Nov 2026 15:04:09 +0000"))
eq((fields[3]["Status"], fields[3]["Diagnostic-Code"]), ("5.0.0", "x-mox; delivery canceled by administrator"))
eq(about.get_content_type(), "text/rfc822-headers")
assert "hello" not in about.get_payload()
assert "Message-ID: <m1@a.example>" in about.get_payload()
'
}

@test "RET=FULL: the whole message comes back when it failed" {
	item 1 bob@b.example 'ret full'
	lines 'failed 2026-11-30T15:05:05Z mx.b.example 550 5.1.1 no such user'
	run tell <<<"dsn failure $ID.1"
	mails bob | python3 -c '
import email, email.policy, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
about = m.get_payload()[2]
assert about.get_content_type() == "message/rfc822", about.get_content_type()
assert about.get_payload()[0].get_content().strip() == "hello"
'
	lines 'delayed 2026-11-30T15:05:05Z mx.b.example 450 4.1.1 later'
	run tell <<<"dsn delay $ID.1"
	[ "$(count bob)" = 2 ]
	[ "$(mails bob | grep -c '^hello')" = 1 ]
	mails bob | grep -q '^Content-Type: text/rfc822-headers'
}

@test "delay and success" {
	export MOX_FAKE_TIME=$D/now
	echo 1796051045 >"$D/now" # 2026-11-30T14:04:05Z
	item 1 carl@c.example
	for i in 1 2 3 4 5; do
		lines "delayed 2026-11-30T15:0$i:00Z mx.c.example 450 4.2.0 later"
	done
	run tell <<<"dsn delay $ID.1"
	[ "$output" = "$ID.1 dsn bob"$'\n'ready ]
	mails bob | grep -q '^Subject: mail delivery delayed'
	# 7.5 minutes times 16, 32, 64 after the last
	mails bob | grep -qE '^Will-Retry-Until: Tue, 1 Dec 2026 05:05:00 \+0000'
	item 1 alice@a.example
	lines 'delivered 2026-11-30T15:05:05Z - 250 2.0.0 delivered'
	tell <<<"dsn success $ID.1"
	mails bob | grep -q '^Action: delivered'
	item 1 alice@b.example
	lines 'delivered 2026-11-30T15:05:05Z mx.b.example 250 2.0.0 ok'
	tell <<<"dsn success $ID.1"
	mails bob | grep -q '^Action: relayed'
	mails bob | grep -q '^Status: 2.0.0'
}

@test "nobody to tell: the null sender, reports; an account that is gone" {
	FAILED='failed 2026-11-30T15:05:05Z mx.b.example 550 5.1.1 no such user'
	FROM= item 1 bob@b.example
	lines "$FAILED"
	run tell <<<"dsn failure $ID.1"
	[ "$output" = "$ID.1 dsn -"$'\n'ready ]
	tail -n 1 "$R/$ID.1" | grep -qE '^dsn failure .* -$'
	grep -q 'nobody to notify' "$D/log"
	item 1 bob@b.example report
	lines "$FAILED"
	run tell <<<"dsn failure $ID.1"
	[ "$output" = "$ID.1 dsn -"$'\n'ready ]
	[ ! -e "$D/data/accounts" ] || [ -z "$(ls "$D/data/accounts")" ]
	ACCOUNT=gone item 1 bob@b.example
	lines "$FAILED"
	run tell <<<"dsn failure $ID.1"
	[ "$output" = "$ID.1 dsn bob"$'\n'ready ]
	[ "$(count bob .Postmaster)" = 1 ]
}

@test "a notification that cannot be delivered: no line, so it is tried again" {
	FROM=alice@a.example ACCOUNT=alice item 1 bob@b.example
	lines 'failed 2026-11-30T15:05:05Z mx.b.example 550 5.1.1 no such user'
	sed -i 's/QuotaMessageSize: .*/QuotaMessageSize: 10/' "$D/config/domains.conf"
	run tell <<<"dsn failure $ID.1"
	[ "$output" = ready ]
	! grep -q '^dsn' "$R/$ID.1" || false
	grep -q 'm="notification failed".*over quota' "$D/log"
}

@test "localserve: anybody's mail is mox's, special addresses fail" {
	mox-localserve -dir "$D/ls" -ip 127.0.0.1 -initonly
	Q=$D/ls/data/queue R=$Q/active/r
	mkdir -p "$R" "$Q/msg/60"
	local_() { mox-local -config "$D/ls/mox.conf" -runner r -localserve 2>>"$D/log" <<<"send $ID.1"; }
	item 1 anybody@far.example
	run local_
	[ "$output" = "$ID.1 delivered 250 2.0.0 delivered"$'\n'ready ]
	ls "$D"/ls/data/accounts/mox/Maildir/new/*
	item 1 x-temperror@far.example
	run local_
	[ "$output" = "$ID.1 delayed 451 4.3.0 as you wish"$'\n'ready ]
	item 1 rcptto-550@far.example
	run local_
	[ "$output" = "$ID.1 failed 550 5.3.0 as you wish"$'\n'ready ]
	FROM=mailfrom421@x.example item 1 anybody@far.example
	run local_
	[ "$output" = "$ID.1 delayed 421 4.3.0 as you wish"$'\n'ready ]
}

@test "jail: it opens nothing else, makes no socket; its parser not even a file" {
	mkfifo "$D/in"
	exec 7<>"$D/in"
	background sh -c 'exec mox-local -config "$0/config/mox.conf" -runner r <"$0/in"' "$D" \
		>"$D/out" 2>>"$D/log" 7>&-
	item 1 alice@a.example
	echo "send $ID.1" >&7
	eventually grep -q ready "$D/out"
	parser=$(pgrep -P "$BACKGROUND_PID")
	for pid in $BACKGROUND_PID $parser; do
		grep -qE '^Seccomp:[[:space:]]+2' "/proc/$pid/status"
		grep -qE '^NoNewPrivs:[[:space:]]+1' "/proc/$pid/status"
	done
	# Its socket, and stderr for the log.
	[ "$(ls "/proc/$parser/fd" | tr '\n' ' ')" = '0 2 ' ]
	# Without a parser nothing is delivered any more, and nothing is lost.
	kill -9 "$parser"
	item 2 alice@a.example
	echo "send $ID.2" >&7
	rc=0
	wait "$BACKGROUND_PID" || rc=$?
	[ "$rc" = 1 ]
	! grep -q "^$ID.2" "$D/out" || false
	! grep -qE '^(delivered|delayed|failed)' "$R/$ID.2" || false
	BACKGROUND_PIDS=
	exec 7>&-
}

@test "jail: a store that leads elsewhere is not followed" {
	mkdir -p "$D/data/accounts" "$D/outside"
	ln -s "$D/outside" "$D/data/accounts/alice"
	item 1 alice@a.example
	run send $ID.1
	if grep -q 'no Landlock here' "$D/log"; then skip 'no Landlock here'; fi
	[ "$output" = "$ID.1 delayed 451 4.3.0 cannot be delivered now"$'\n'ready ]
	[ -z "$(ls "$D/outside")" ]
}

@test "wrong usage" {
	run mox-local -config "$D/config/mox.conf"
	[ "$status" = 2 ]
	run tell -runner ../x </dev/null
	[ "$status" = 2 ]
	run mox-local -config "$D/config/mox.conf" -runner none </dev/null
	[ "$status" = 1 ]
	[[ $output == *'queue/active/none'* ]]
}

# ---- with the runner ----

put() { "$MOX_T/bin/queuectl" "$D/ls/data" "$@" <"$D/message" >/dev/null; }
inbox() { cat "$D"/ls/data/accounts/mox/Maildir/{new,cur}/* 2>/dev/null; }
in_inbox() { inbox | grep -q "$@"; }
nothing_left() { [ -z "$(find "$D"/ls/data/queue/{todo,due,hold,active,msg} -type f ! -name .lock)" ]; }

@test "with mox-queued: delivered, failed and told, canceled and told, dropped" {
	export MOXCONF=$D/ls/mox.conf
	mox-localserve -dir "$D/ls" -ip 127.0.0.1 -initonly
	printf '\t\tKeepRetiredMessagePeriod: 1h\n' >>"$D/ls/domains.conf"
	background mox-queued -localserve 2>>"$D/log"
	put anybody@far.example
	eventually in_inbox '^hello'
	in_inbox '^Delivered-To: anybody@far.example'
	put permerror@far.example
	eventually in_inbox '^Diagnostic-Code: smtp; 554 5.3.0 as you wish'
	in_inbox '^Subject: mail delivery failed'
	eventually nothing_left
	put a-temperror@far.example b-temperror@far.example c-temperror@far.example
	eventually sh -c '[ $(mox-queue list -nextattempt ">1m" | grep -c "451 4.3.0 as you wish") = 3 ]'
	mox-queue hold -to a-
	mox-queue fail -to a-
	eventually in_inbox '^Final-Recipient: rfc822; a-temperror@far.example'
	in_inbox 'delivery canceled by administrator'
	mox-queue drop -to b-
	eventually sh -c '! mox-queue list | grep -q b-temperror'
	! in_inbox b-temperror || false
	mox-queue dump "$(mox-queue list | tail -n 1 | cut -d' ' -f1)" | cmp - "$D/message"
	mox-queue schedule -now 0s
	eventually sh -c 'mox-queue list -json | grep -q "\"Attempts\": 2"'
	mox-queue drop
	eventually nothing_left
	[ "$(mox-queue retired list -result success | grep -c 'to:anybody')" = 1 ]
}
