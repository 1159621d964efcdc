#!/usr/bin/env bats
# Hosts with addresses of both families, one of which is dead, or unwelcome.

load helper
load mx

setup_file() {
	grep -q '^0*1 ' /proc/net/if_inet6 || skip "no IPv6 loopback here"
	export IP DIR=$BATS_FILE_TMPDIR/mox Q=$BATS_FILE_TMPDIR/mox/data/queue
	IP=$(own_ip)
	# ::1 is everybody's: a port of one's own.
	IFS=. read -r _ b c d <<<"$IP"
	MX_PORT=$((10000 + (b * 7919 + c * 257 + d) % 20000)) mx_begin
	export MOX_DNS_ZONE=$BATS_FILE_TMPDIR/zone
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	mx_host four.example
	ADDRESS_GIVEN=::1 mx_host six.example rcpt:no='550 5.7.1 not from there' \
		rcpt:never='550 5.1.1 nobody'
	cat >"$MOX_DNS_ZONE" <<-EOF
	both.example A $(mx_address four.example)
	both.example AAAA ::1
	dead4.example A $(own_ip)
	dead4.example AAAA ::1
	dead6.example A $(mx_address four.example)
	dead6.example AAAA fe80::1
	only6.example AAAA ::1
	dead.example A $(own_ip)
	dead.example AAAA fe80::1
	half.example A $(mx_address four.example)
	half.example FAIL AAAA
	EOF
	mx_start
	background mox-queued -config "$DIR/mox.conf" 2>"$BATS_FILE_TMPDIR/queued.log"
	for to in a@dead4 a@dead6 a@dead no@both no@only6 never@both a@half; do
		printf 'Subject: %s\n\nhello\n' "$to" |
			"$MOX_T/bin/queuectl" "$DIR/data" "$to.example"
	done >/dev/null
	export BACKGROUND_PIDS
	eventually settled
}

teardown_file() { stop_background || :; }

settled() {
	[ -z "$(find "$Q/todo" "$Q/active" "$Q/due/now" -type f ! -name .lock)" ] &&
		[ "$(ls "$DIR"/data/accounts/mox/Maildir/new | wc -l)" = 2 ]
}
item() { grep -lx "to $1" "$Q"/due/*/* | head -n 1; }
dsn() { grep -l "^Final-Recipient: rfc822; *$1\$" "$DIR"/data/accounts/mox/Maildir/*/*; }
came_to() { grep -lq "RCPT TO:<$1>" "$MX"/"$2".[0-9]*; }

@test "one side is dead: the other" {
	came_to a@dead4.example six.example
	came_to a@dead6.example four.example
}

@test "both are: delayed" {
	grep -q '^delayed .* dead.example ' "$(item a@dead.example)"
}

@test "DNS does not tell of one side: the other" { came_to a@half.example four.example; }

@test "unwelcome from an address: the other family, by the next attempt" {
	file=$(item no@both.example)
	grep -q '^delayed .* both.example 550 5.7.1 not from there' "$file"
	mv "$file" "$Q/due/now/"
	mox-queue -config "$DIR/mox.conf" list >/dev/null
	eventually came_to no@both.example four.example
}

@test "... but not where there is no other, or for another reason" {
	grep -q '550 5.7.1 not from there' "$(dsn no@only6.example)"
	grep -q '550 5.1.1 nobody' "$(dsn never@both.example)"
}
