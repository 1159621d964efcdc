#!/usr/bin/env bats
# mox-queued, mox-remote and mox-local with real servers: smtp-sink, mox-smtpd.

load helper

setup() {
	need smtp-sink
	DIR=$BATS_TEST_TMPDIR/mox Q=$DIR/data/queue IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	# smtp-sink gives up being root, and the folders of tests are private.
	GOT=$(mktemp -d "${TMPDIR:-/tmp}/mox-sink.XXXXXX")
	chmod 777 "$GOT"
}

teardown() {
	stop_background
	rm -rf "$GOT"
}

# Transports of mox.conf; a route to the one named smart.
transport() {
	printf 'Transports:\n%b' "$1" >>"$DIR/mox.conf"
	printf 'Routes:\n\t-\n\t\tTransport: smart\n' >>"$DIR/domains.conf"
	mox-config -config "$DIR/mox.conf" test 2>/dev/null
}

sink() {
	background smtp-sink -u nobody -d "$GOT/%M." "$@" "$IP:2525" 100
	eventually port_open "$IP" 2525
}

runner() {
	background mox-queued -config "$DIR/mox.conf" 2>>"$BATS_TEST_TMPDIR/queued.log"
}

send() {
	printf 'From: <mox@localhost>\r\nSubject: x\r\n\r\nhello\r\n.\r\n..dots\r\n' |
		"$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"
}

got() { [ "$(cat "$GOT"/* 2>/dev/null | grep -c '^hello')" = "$1" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }
inbox() { cat "$(maildir)"/new/* "$(maildir)"/cur/* 2>/dev/null; }

@test "to a smarthost: messages as they were, local ones into mailboxes" {
	transport "\tsmart:\n\t\tSMTP:\n\t\t\tHost: $IP\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n"
	sink
	runner
	send "$DIR/data" a@x.example b@x.example mox@localhost
	send "$DIR/data" c@y.example
	eventually got 2
	eventually empty
	grep -qh '^X-Rcpt-Args: <a@x.example>' "$GOT"/*
	grep -qh '^X-Mail-Args: <mox@localhost>' "$GOT"/*
	# dot-stuffed on the wire, and undone
	grep -qh '^\.\.dots' "$GOT"/* || grep -qh '^\.dots' "$GOT"/*
	inbox | grep -q '^hello$'
	inbox | grep -q '^Delivered-To: mox@localhost'
}

@test "refused for good: the sender has it in the Inbox; for now: later" {
	transport "\tsmart:\n\t\tSMTP:\n\t\t\tHost: $IP\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n"
	sink -f RCPT
	runner
	send "$DIR/data" a@x.example
	eventually empty
	eventually sh -c "cat '$(maildir)'/new/* | grep -q '^Subject: mail delivery failed'"
	inbox | grep -q '^Action: failed'
	inbox | grep -q '^Diagnostic-Code: smtp; 5'
	inbox | grep -q '^Final-Recipient: rfc822; *a@x.example'
	inbox | grep -q '^Return-Path: <>'
	stop_background || true
	sink -r DATA
	runner
	send "$DIR/data" b@x.example
	eventually in_due 1
	grep -q "^delayed .* $IP 450" "$Q"/due/*/*.1
}

@test "nobody there: delayed, with the reason" {
	transport "\tsmart:\n\t\tSMTP:\n\t\t\tHost: $IP\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n"
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	grep -q "^delayed .* $IP .*refused" "$Q"/due/*/*.1
}

@test "with an unknown transport: delayed, and says why" {
	runner
	send -transport none "$DIR/data" b@x.example
	eventually in_due 1
	grep -qh '^delayed .* 451 4.3.5 no transport none' "$Q"/due/*/*.1
}

@test "a Fail transport fails" {
	transport "\tsmart:\n\t\tFail:\n\t\t\tSMTPMessage: not out of here\n"
	runner
	send "$DIR/data" a@x.example
	eventually empty
	eventually sh -c "cat '$(maildir)'/new/* | grep -q 'not out of here'"
}

@test "submission with TLS and a login: the certificate is checked" {
	other=$BATS_TEST_TMPDIR/other IP2=$(own_ip)
	background mox-localserve -dir "$other" -ip "$IP2" 2>/dev/null >&2
	eventually port_open "$IP2" 1465
	transport "\tsmart:\n\t\tSubmissions:\n\t\t\tHost: $IP2\n\t\t\tPort: 1465\n\t\t\tAuth:\n\t\t\t\tUsername: mox@localhost\n\t\t\t\tPassword: moxmoxmox\n"
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	grep -q '^delayed .*certificate' "$Q"/due/*/*.1
	stop_background || true
	background mox-localserve -dir "$other" 2>/dev/null >&2
	eventually port_open "$IP2" 1465
	sed -i '/^Transports:/,$s/^\(\t*\)Port: 1465/&\n\1STARTTLSInsecureSkipVerify: true/' "$DIR/mox.conf"
	runner
	mv "$Q"/due/*/*.1 "$Q/due/now/"
	eventually empty
	eventually sh -c "cat '$other'/data/accounts/mox/Maildir/*/* | grep -q '^hello'"
}

@test "a connection that dies with each message: nothing is lost" {
	transport "\tsmart:\n\t\tSMTP:\n\t\t\tHost: $IP\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n"
	sink -q DATA
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	stop_background || true
	sink
	runner
	mv "$Q"/due/*/*.1 "$Q/due/now/"
	eventually got 1
	eventually empty
}
