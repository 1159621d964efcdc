#!/usr/bin/env bats
# kill -9 of everything around a queue, with a receiver that counts.

load helper

setup() {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	mkdir -p "$DIR/run"
	printf 'From: <mox@localhost>\r\n\r\nhello\r\n' >"$DIR/message"
}

by_route() {
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n' \
		"$IP" >>"$DIR/mox.conf"
	printf 'Routes:\n\t-\n\t\tTransport: smart\n' >>"$DIR/domains.conf"
}

# Several domains share a host, as they do; on an address that is not ours, or
# it would be a loop.
by_mx() {
	IP=$(own_ip)
	export MOX_DNS_ZONE=$DIR/zone MOX_SMTP_PORT=2525
	for ((i = 0; i < $1; i++)); do
		echo "d$i.example MX 10 mx$((i % 3)).example"
	done >"$MOX_DNS_ZONE"
	for i in 0 1 2; do
		echo "mx$i.example A $IP"
	done >>"$MOX_DNS_ZONE"
}

teardown() { pkill -9 -f "$DIR/mox.conf" || true; }

@test "1,000 messages, killed at random: none lost, none twice that was answered" {
	by_route
	python3 "$BATS_TEST_DIRNAME/queue-kill.py" "$DIR" "$IP" 1000 40
}

@test "1,000 messages to 20 domains, killed at random, by their MX hosts" {
	by_mx 20
	python3 "$BATS_TEST_DIRNAME/queue-kill.py" "$DIR" "$IP" 1000 40 20
}

@test "1,000 messages, two runners: each is delivered once" {
	by_route
	python3 "$BATS_TEST_DIRNAME/queue-kill.py" "$DIR" "$IP" 1000 0
}
