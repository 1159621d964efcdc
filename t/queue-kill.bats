#!/usr/bin/env bats
# kill -9 of everything around a queue, with a receiver that counts.

load helper

setup() {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	mkdir -p "$DIR/run"
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n' \
		"$IP" >>"$DIR/mox.conf"
	printf 'Routes:\n\t-\n\t\tTransport: smart\n' >>"$DIR/domains.conf"
	printf 'From: <mox@localhost>\r\n\r\nhello\r\n' >"$DIR/message"
}

teardown() { pkill -9 -f "$DIR/mox.conf" || true; }

@test "1,000 messages, killed at random: none lost, none twice that was answered" {
	python3 "$BATS_TEST_DIRNAME/queue-kill.py" "$DIR" "$IP" 1000 40
}

@test "1,000 messages, two runners: each is delivered once" {
	python3 "$BATS_TEST_DIRNAME/queue-kill.py" "$DIR" "$IP" 1000 0
}
