#!/usr/bin/env bats
# Delivery by MX and DANE to servers we did not write, and to our own.

load helper
load dns
load mx

setup_file() {
	[ "$(id -u)" = 0 ] || skip "Postfix starts as root only"
	need postfix smtp-sink
	MX_PORT=1025 mx_begin
	mx_dns
	mx_cert postfix mx.postfix.example
	# Postfix and smtp-sink give up being root.
	POSTFIX=$(mktemp -d /tmp/mox-postfix.XXXXXX) && export POSTFIX
	chmod 755 "$POSTFIX"
	cp "$MX/postfix.pem" "$POSTFIX/chain.pem"
	export OTHER=$BATS_FILE_TMPDIR/other P S O
	P=$(own_ip) S=$(own_ip) O=$(own_ip)
	mx_host_dir
	mox-localserve -dir "$OTHER" -ip "$O" -initonly
	postfix_start postfix.example "$P" "$POSTFIX/chain.pem"
	mkdir -m 777 "$POSTFIX/sink"
	background smtp-sink -u nobody -d "$POSTFIX/sink/%M." "$S:1025" 100
	background mox-localserve -dir "$OTHER" >"$OTHER.out" 2>&1
	cp "$OTHER/localhost.crt" "$MX/other.pem"
	dns_zone postfix.example <<-EOF2
	@ MX 10 mx
	mx A $P
	_25._tcp.mx TLSA $(tlsa 2 0 1 ca)
	EOF2
	dns_zone wrong.example <<-EOF2
	@ MX 10 mx
	mx A $P
	_25._tcp.mx TLSA $(tlsa 3 1 1 other)
	EOF2
	dns_zone other.example <<-EOF2
	@ MX 10 mx
	mx A $O
	_25._tcp.mx TLSA $(tlsa 3 1 1 other)
	EOF2
	dns_zone -plain sink.example <<-EOF2
	@ MX 10 mx
	mx A $S
	EOF2
	dns_start
	eventually grep -q 'mox is ready' "$OTHER.out"
	eventually port_open "$S" 1025
	mx_queue
	export BACKGROUND_PIDS
	M=$BATS_FILE_TMPDIR/message && export M
	{
		printf 'From: <mox@localhost>\nSubject: receivers\n\n.\n..two\n.three\n'
		printf 'caf\303\251\n%01000d\n' 7
		for i in $(seq 300); do echo "line $i"; done
		printf 'the end'
	} >"$M"
}

teardown_file() {
	stop_background || :
	postfix_stop
	rm -rf "${POSTFIX:-}"
}

teardown() {
	[ "${BATS_TEST_COMPLETED:-}" = 1 ] || {
		grep -v l=trace "$BATS_FILE_TMPDIR/queued.log" | tail -n 20
		tail -n 20 "$POSTFIX/log"
	}
}

send() { "$MOX_T/bin/queuectl" "$@" <"$M"; }
# The body is as it was sent (its last line end is added on the way).
same_body() { cmp <(sed '1,/^\r*$/d' "$@" | tr -d '\r') <(sed '1,/^$/d' "$M"; echo); }
in_box() { ls "$1"/new/* >/dev/null 2>&1; }

@test "Postfix: DANE, and what arrives is what was sent" {
	send "$DIR/data" a@postfix.example b@postfix.example
	eventually in_box "$POSTFIX/mail/a"
	eventually in_box "$POSTFIX/mail/b"
	same_body "$POSTFIX"/mail/a/new/*
	grep -q 'Subject: receivers' "$POSTFIX"/mail/b/new/*
	eventually grep -q 'TLS connection established.*TLSv1.3' "$POSTFIX/log"
	# One transaction, and a polite end.
	[ "$(grep -c 'smtpd.*: client=' "$POSTFIX/log")" = 1 ]
	eventually grep -Eq "disconnect from .*ehlo=2 starttls=1 mail=1 rcpt=2 (bdat|data)=1 .*quit=1 " "$POSTFIX/log"
}

@test "Postfix: recipients with fates of their own" {
	send "$DIR/data" c@postfix.example nobody@postfix.example later@postfix.example \
		full@postfix.example
	eventually in_box "$POSTFIX/mail/c"
	eventually mx_has_item later@postfix.example
	grep -q '^delayed .* mx.postfix.example 450 4.2.0' "$(mx_item later@postfix.example)"
	eventually mx_dsn nobody@postfix.example
	eventually mx_dsn full@postfix.example
	grep -q '^Status: 5.1.1' "$(mx_dsn nobody@postfix.example)"
	grep -q '^Status: 5.2.2' "$(mx_dsn full@postfix.example)"
	grep -q '^Remote-MTA: dns; mx.postfix.example' "$(mx_dsn full@postfix.example)"
}

@test "Postfix: too large is known before it is sent" {
	{
		cat "$M"
		head -c 200000 /dev/zero | tr '\0' x | fold
	} >"$BATS_TEST_TMPDIR/large"
	"$MOX_T/bin/queuectl" -from large@localhost "$DIR/data" a@postfix.example \
		<"$BATS_TEST_TMPDIR/large"
	eventually grep -lq '^Status: 5.3.4' -r "$INBOX"
	! grep -q 'from=<large@localhost>.*size=2' "$POSTFIX/log"
}

@test "Postfix: not sent where the certificate does not fit" {
	"$MOX_T/bin/queuectl" -from wrong@localhost "$DIR/data" a@wrong.example <"$M"
	eventually mx_has_item a@wrong.example
	grep -q '^delayed .* mx.wrong.example .*no matching DANE' "$(mx_item a@wrong.example)"
	! grep -q 'from=<wrong@localhost>' "$POSTFIX/log"
}

@test "smtp-sink: in the clear, and dots are undone once" {
	send "$DIR/data" x@sink.example
	eventually grep -q '^the end' -r "$POSTFIX/sink"
	grep -rqx "X-Rcpt-Args: <x@sink.example>.*" "$POSTFIX/sink"
	sed -n '/^\.$/,$p' "$POSTFIX"/sink/* | tr -d '\r' | sed -n '1,3p' |
		cmp - <(printf '.\n..two\n.three\n')
}

@test "our own: DANE, REQUIRETLS" {
	send -tls yes "$DIR/data" mox@other.example
	box=$OTHER/data/accounts/mox/Maildir
	eventually grep -lrq '^the end' "$box/new" "$box/cur"
	same_body "$(grep -lr '^the end' "$box/new" "$box/cur")"
	grep -hq 'with [A-Z0-9]*SMTPS' -r "$box/new" "$box/cur"
	grep -q 'REQUIRETLS' "$BATS_FILE_TMPDIR/queued.log"
}
