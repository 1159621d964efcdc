#!/usr/bin/env bats
# mox-sendmail: submit to a server with every way to log in, keep what fails.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	mox-localserve -dir "$DIR" -initonly >/dev/null
	# A certificate that can be verified by the address of this test.
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$DIR/localhost.key" -out "$DIR/localhost.crt" \
		-days 2 -subj /CN=localhost \
		-addext "subjectAltName=IP:$IP,DNS:localhost" 2>/dev/null
	rm -rf "$DIR.new" && mv "$DIR" "$DIR.new"
	start_with_cert
	export SERVER_PID BACKGROUND_PIDS
}

# -ip counts only for a new folder: begin anew and put the certificate there.
start_with_cert() {
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	cp "$DIR.new/localhost.crt" "$DIR.new/localhost.key" "$DIR/"
	background mox-localserve -dir "$DIR" \
		>"$BATS_TEST_TMPDIR/server.out" 2>"$BATS_TEST_TMPDIR/server.log"
	SERVER_PID=$BACKGROUND_PID
	eventually port_open "$IP" 1587
	eventually port_open "$IP" 1465
}

teardown_file() { stop_background; }

setup() {
	export HOME=$BATS_TEST_TMPDIR/home
	export MOXSUBMIT_CONF=$BATS_TEST_TMPDIR/moxsubmit.conf
	export SSL_CERT_FILE=$DIR/localhost.crt
	mkdir -p "$HOME"
	SUBJECT=t$BATS_TEST_NUMBER.$RANDOM
}

teardown() { [ -z "${open:-}" ] || rm -rf "$open"; }

# conf PORT TLS STARTTLS [LINE...]: lines replace those of the same field.
conf() {
	local port=$1 tls=$2 starttls=$3 line
	shift 3
	cat >"$MOXSUBMIT_CONF" <<-EOF
	LocalHostname: localhost
	Host: $IP
	Port: $port
	TLS: $tls
	STARTTLS: $starttls
	Username: mox@localhost
	Password: moxmoxmox
	AuthMethod:
	From: mox@localhost
	EOF
	for line; do
		sed -i "/^${line%%:*}:/d" "$MOXSUBMIT_CONF"
		[ "$line" = "Password:" ] || echo "$line" >>"$MOXSUBMIT_CONF"
	done
}

# The delivered message with the subject of this test.
delivered() { # by way of the queue: that takes its time
	eventually grep -rqE "^Subject: $SUBJECT\$" "$(maildir)/new" "$(maildir)/cur"
	grep -rlE "^Subject: $SUBJECT\$" "$(maildir)/new" "$(maildir)/cur"
}
kept() { cat "$HOME"/moxsubmit.failures/newmsg.*; }
nothing_kept() { [ ! -e "$HOME/moxsubmit.failures" ]; }
hello() { printf 'Subject: %s\n\nhello\n.\n..\nend\n' "$SUBJECT"; }

@test "each AuthMethod over TLS, over STARTTLS and in the clear" {
	for where in "1465 true false" "1587 false true" "1587 false false"; do
		for method in "" SCRAM-SHA-256-PLUS SCRAM-SHA-256 \
		    SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN; do
			case "$where $method" in *"false false "*PLUS) continue ;; esac
			SUBJECT=$RANDOM$RANDOM
			conf $where "AuthMethod: $method"
			hello | mox-sendmail mox@localhost
			[ "$(sed '1,/^$/d' "$(delivered)")" = $'hello\n.\n..\nend' ]
			nothing_kept
		done
	done
}

@test "which mechanism is taken: with TLS the one that binds to it" {
	conf 1465 true false
	run env MOX_LOGLEVEL=traceauth mox-sendmail mox@localhost <<<"Subject: $SUBJECT"
	[ "$status" = 0 ]
	[[ $output == *"> AUTH SCRAM-SHA-256-PLUS "* ]]
	conf 1587 false false
	run env MOX_LOGLEVEL=traceauth mox-sendmail mox@localhost <<<"Subject: $SUBJECT"
	[[ $output == *"> AUTH SCRAM-SHA-256 "* ]]
	# Passwords are not in a trace without auth.
	conf 1465 true false "AuthMethod: PLAIN"
	run env MOX_LOGLEVEL=trace mox-sendmail mox@localhost <<<"Subject: $SUBJECT"
	[[ $output == *"> MAIL FROM:<mox@localhost>"* ]]
	[[ $output != *"AUTH PLAIN"* ]]
}

# The key of a client, known to the server by its fingerprint.
know_key() {
	local print
	print=$(openssl pkey -in "$1" -pubout -outform DER | openssl dgst -sha256 -binary |
		base64 | tr '+/' '-_' | tr -d =)
	mkdir -p "$DIR/data/auth/@tls"
	openssl req -x509 -key "$1" -subj /CN=x -days 2 -out "$1.crt" 2>/dev/null
	cat >"$DIR/data/auth/@tls/$print" <<-EOF
	account mox
	login mox@localhost
	type key
	name test
	created 1700000000
	preauth yes
	cert $(openssl x509 -in "$1.crt" -outform DER | base64 -w0)
	EOF
}

@test "EXTERNAL: by a key of 32 bytes, by a PEM file" {
	seed=$(printf '%032d' $RANDOM)
	printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20%s' "$seed" |
		openssl pkey -inform DER -out "$BATS_TEST_TMPDIR/ed.key"
	know_key "$BATS_TEST_TMPDIR/ed.key"
	for where in "1465 true false" "1587 false true"; do
		SUBJECT=$RANDOM$RANDOM
		conf $where "Password:" \
			"ClientAuthEd25519PrivateKey: $(printf %s "$seed" | base64 | tr '+/' '-_' | tr -d =)"
		hello | mox-sendmail mox@localhost
		delivered
	done
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out "$BATS_TEST_TMPDIR/ec.key" 2>/dev/null
	know_key "$BATS_TEST_TMPDIR/ec.key"
	cat "$BATS_TEST_TMPDIR/ec.key.crt" "$BATS_TEST_TMPDIR/ec.key" >"$BATS_TEST_TMPDIR/both.pem"
	SUBJECT=$RANDOM$RANDOM
	conf 1465 true false "Password:" "AuthMethod: EXTERNAL" \
		"ClientAuthCertPrivateKeyPEMFile: $BATS_TEST_TMPDIR/both.pem"
	hello | mox-sendmail mox@localhost
	delivered
	# A key that nobody knows.
	conf 1465 true false "Password:" \
		"ClientAuthEd25519PrivateKey: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	run mox-sendmail mox@localhost <<<"Subject: x"
	[ "$status" = 1 ]
	conf 1465 true false "Password:" "ClientAuthEd25519PrivateKey: AAAA"
	run mox-sendmail mox@localhost <<<"Subject: x"
	[ "$status" = 78 ]
	[[ $output == *"ClientAuthEd25519PrivateKey: must be 32 bytes in base64url"* ]]
}

@test "a failure is kept, once for each, and said" {
	conf 1465 true false "Password: wrongwrong"
	run mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"AUTH: 535 5.7.8"* ]]
	[[ $output == *"it is kept in $HOME/moxsubmit.failures/newmsg."* ]]
	[ "$(stat -c %a "$HOME/moxsubmit.failures")" = 700 ]
	[ "$(stat -c %a "$HOME"/moxsubmit.failures/*)" = 600 ]
	[ "$(kept)" = "From: <mox@localhost>"$'\n'"Subject: $SUBJECT"$'\nTo: <mox@localhost>\n\nhello\n.\n..\nend' ]
	run mox-sendmail mox@localhost < <(hello)
	[ "$(ls "$HOME/moxsubmit.failures" | wc -l)" = 2 ]
	# What was kept can be sent as it is.
	conf 1465 true false
	mox-sendmail -t <"$(ls "$HOME"/moxsubmit.failures/newmsg.* | head -n 1)"
	delivered
}

@test "nobody is there, a server that hangs up, a refused recipient" {
	conf 1 false false
	run mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"$IP port 1: Connection refused"* ]]
	[ "$(kept | grep -c ^Subject)" = 1 ]
	rm -r "$HOME/moxsubmit.failures"
	conf 1587 false true
	run mox-sendmail "rcptto550@localhost" mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"rcptto550@localhost: RCPT TO: 550 "* ]]
	delivered
}

@test "certificates: not trusted, for another name, not looked at" {
	conf 1465 true false
	run env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"TLS: self-signed certificate"* ]]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$BATS_TEST_TMPDIR/o.key" -out "$BATS_TEST_TMPDIR/o.crt" \
		-days 2 -subj /CN=other -addext "subjectAltName=DNS:other" 2>/dev/null
	background openssl s_server -accept "$IP:4465" -key "$BATS_TEST_TMPDIR/o.key" \
		-cert "$BATS_TEST_TMPDIR/o.crt" -quiet
	eventually port_open "$IP" 4465
	conf 4465 true false
	run env SSL_CERT_FILE="$BATS_TEST_TMPDIR/o.crt" mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"TLS: IP address mismatch"* ]]
	conf 1465 true false "TLSInsecureSkipVerify: true"
	env SSL_CERT_FILE=/nonexistent mox-sendmail mox@localhost < <(hello)
	delivered
}

@test "STARTTLS that is not offered is not done without" {
	cat >"$BATS_TEST_TMPDIR/server" <<-'EOF'
	#!/bin/sh
	printf '220 x\r\n'
	read -r line
	printf '250 x\r\n'
	cat >/dev/null
	EOF
	chmod +x "$BATS_TEST_TMPDIR/server"
	background socat "TCP-LISTEN:2587,bind=$IP,fork,reuseaddr" \
		EXEC:"$BATS_TEST_TMPDIR/server" 2>/dev/null
	eventually port_open "$IP" 2587
	conf 2587 false true
	run mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"STARTTLS is required and not offered"* ]]
}

@test "-t: recipients of the header; Bcc is not shown" {
	conf 1465 true false
	printf 'To: mox@localhost\nBcc: mox+hidden@localhost\nSubject: %s\n\nx\n' "$SUBJECT" \
		>"$BATS_TEST_TMPDIR/message"
	run env MOX_LOGLEVEL=trace mox-sendmail -oi -t <"$BATS_TEST_TMPDIR/message"
	[ "$status" = 0 ]
	[[ $output == *"> RCPT TO:<mox@localhost>"*"> RCPT TO:<mox+hidden@localhost>"* ]]
	delivered
	! grep -q '^Bcc' "$(delivered | head -n 1)" || false
	run mox-sendmail -t <<<"Subject: x"
	[ "$status" = 1 ]
	[[ $output == *"no recipient"* ]]
}

@test "without @: DefaultDestination, or an error" {
	conf 1465 true false
	run mox-sendmail root < <(hello)
	[ "$status" = 1 ]
	[[ $output == *'recipient "root" has no domain, and there is no DefaultDestination'* ]]
	[ "$(kept)" = "$(hello)" ]
	conf 1465 true false "DefaultDestination: mox@localhost"
	mox-sendmail root < <(hello)
	grep -q '^To: <mox@localhost>' "$(delivered)"
}

@test "as cron, mutt and mail(1) call it" {
	conf 1465 true false "DefaultDestination: mox@localhost"
	run mox-sendmail -i -FCronDaemon -B8BITMIME -oem root <<-EOF
	From: root (Cron Daemon)
	To: root
	Subject: $SUBJECT
	Content-Type: text/plain; charset=UTF-8

	täglich
	EOF
	[ "$status" = 0 ]
	[[ $output == *"-F is ignored"* ]]
	grep -q '^From: <mox@localhost>' "$(delivered)"
	grep -q täglich "$(delivered)"
	SUBJECT=$RANDOM$RANDOM
	hello | mox-sendmail -oi -f me@elsewhere -- mox@localhost
	delivered
	need mutt
	SUBJECT=$RANDOM$RANDOM
	echo body | mutt -n -F /dev/null -e 'set sendmail="mox-sendmail -oem -oi"' \
		-e 'set use_from=yes' -e 'set from=me@elsewhere' -e 'unset record' \
		-s "$SUBJECT" mox@localhost
	eventually delivered
}

@test "CRLF lines, no header, empty, 8 bits in the subject, 3 MB" {
	conf 1465 true false
	printf 'Subject: %s\r\n\r\nline\r\n' "$SUBJECT" | mox-sendmail mox@localhost
	[ "$(sed '1,/^$/d' "$(delivered)")" = line ]
	echo "just text $SUBJECT" | mox-sendmail mox@localhost
	eventually grep -rq "^just text $SUBJECT" "$(maildir)/new"
	mox-sendmail mox@localhost </dev/null
	SUBJECT=größe$RANDOM
	hello | mox-sendmail mox@localhost
	delivered
	SUBJECT=big$RANDOM
	{ hello; yes 0123456789012345678901234567890123456789 | head -c 3000000; echo; } |
		mox-sendmail mox@localhost
	[ "$(tail -c 3000001 "$(delivered)" | md5sum)" = \
	  "$({ yes 0123456789012345678901234567890123456789 | head -c 3000000; echo; } | md5sum)" ]
}

@test "RequireTLS: yes is asked of the server, no is a field" {
	conf 1465 true false "RequireTLS: yes"
	run env MOX_LOGLEVEL=trace mox-sendmail mox@localhost < <(hello)
	[ "$status" = 0 ]
	[[ $output == *"> MAIL FROM:<mox@localhost> SIZE="*" REQUIRETLS"* ]]
	conf 1587 false false "RequireTLS: yes"
	run mox-sendmail mox@localhost < <(hello)
	[ "$status" = 1 ]
	[[ $output == *"requires TLS with a verified server"* ]]
	SUBJECT=$RANDOM$RANDOM
	conf 1465 true false "RequireTLS: no"
	mox-sendmail mox@localhost < <(hello)
	grep -q '^TLS-Required: No' "$(delivered)"
}

@test "usage and configuration" {
	run mox-sendmail
	[ "$status" = 64 ]
	run mox-sendmail -bs
	[ "$status" = 64 ]
	run mox-sendmail -help
	[ "$status" = 0 ]
	[[ $output == *"usage: mox-sendmail"* ]]
	run mox sendmail -version
	[ "$status" = 0 ]
	conf 1465 true true
	run mox-sendmail mox@localhost < <(hello)
	[ "$status" = 78 ]
	[[ $output == *"moxsubmit.conf:"*"STARTTLS: cannot be used together with TLS"* ]]
	[ "$(kept)" = "$(hello)" ]
	run mox-sendmail -C "$BATS_TEST_TMPDIR/none" mox@localhost < <(hello)
	[ "$status" = 78 ]
	# Neither sent nor kept: the caller is to keep it.
	run env HOME=/nonexistent mox-sendmail mox@localhost < <(hello)
	[ "$status" = 75 ]
}

@test "called as sendmail, the installed one" {
	conf 1465 true false
	ln -s "$TOP/bin/mox" "$BATS_TEST_TMPDIR/sendmail"
	hello | "$BATS_TEST_TMPDIR/sendmail" -oi mox@localhost
	delivered
}

@test "setgid: the caller chooses nothing, and what is kept is his" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	open=$(mktemp -d) HOME=$open/home # others cannot enter ours
	mkdir "$HOME"
	chmod 755 "$open"
	chown nobody:nogroup "$HOME"
	install -g mail -m 2755 "$MOX_BIN/mox-sendmail" "$open/"
	conf 1587 false false
	try() {
		hello | setpriv --reuid nobody --regid nogroup --clear-groups \
			env HOME="$HOME" "$open/mox-sendmail" "$@" mox@localhost
	}
	run setpriv --reuid nobody --regid nogroup --clear-groups \
		"$open/mox-sendmail" -version
	[ "$status" = 0 ] || skip "programs here cannot be run by others"
	run try -C "$MOXSUBMIT_CONF"
	[ "$status" = 78 ]
	[[ $output == *"-C is not for a setgid program"* ]]
	[ "$(stat -c %U:%G "$HOME"/moxsubmit.failures/newmsg.*)" = nobody:nogroup ]
	[ -e /etc/moxsubmit.conf ] && skip "this host has a /etc/moxsubmit.conf"
	run try # MOXSUBMIT_CONF is not looked at
	[ "$status" = 78 ]
	[[ $output == *"/etc/moxsubmit.conf: no such file"* ]]
}
