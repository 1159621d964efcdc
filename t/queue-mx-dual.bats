#!/usr/bin/env bats
# Hosts with addresses of both families, one of which is dead, or unwelcome.

load helper
load mx

setup_file() {
	grep -q '^0*1 ' /proc/net/if_inet6 || skip "no IPv6 loopback here"
	IP=$(own_ip)
	# ::1 is everybody's: a port of one's own.
	IFS=. read -r _ b c d <<<"$IP"
	MX_PORT=$((10000 + (b * 7919 + c * 257 + d) % 20000)) mx_begin
	export MOX_DNS_ZONE=$BATS_FILE_TMPDIR/zone
	mx_host_dir
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
	mx_queue
	for to in a@dead4 a@dead6 a@dead no@both no@only6 never@both a@half; do
		mx_send "$to.example"
	done
	mx_await 2
}

teardown_file() { stop_background || :; }

@test "one side is dead: the other" {
	mx_came_to a@dead4.example six.example
	mx_came_to a@dead6.example four.example
}

@test "both are: delayed" {
	grep -q '^delayed .* dead.example ' "$(mx_item a@dead.example)"
}

@test "DNS does not tell of one side: the other" { mx_came_to a@half.example four.example; }

@test "unwelcome from an address: the other family, by the next attempt" {
	file=$(mx_item no@both.example)
	grep -q '^delayed .* both.example 550 5.7.1 not from there' "$file"
	mv "$file" "$Q/due/now/"
	mox-queue -config "$DIR/mox.conf" list >/dev/null
	eventually mx_came_to no@both.example four.example
}

@test "... but not where there is no other, or for another reason" {
	grep -q '550 5.7.1 not from there' "$(mx_dsn no@only6.example)"
	grep -q '550 5.1.1 nobody' "$(mx_dsn never@both.example)"
}
