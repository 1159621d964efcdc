#!/usr/bin/env bats
# The SMTP client against servers we did not write, our own, and hostile ones.

load helper

setup_file() {
	start_shared_server
}

teardown_file() { stop_background; }

setup() {
	M=$BATS_TEST_TMPDIR/message
	printf 'Subject: t%s\n\nline\n.\n..dots\n' "$BATS_TEST_NUMBER" >"$M"
}

smtpc() { "$MOX_T/bin/smtpc" "$@"; }

# sink OPTIONS...: a smtp-sink of Postfix at $IP:$SINK.
sink() {
	need smtp-sink
	SINK=$((3000 + BATS_TEST_NUMBER * 100 + ${#SINKS}))
	SINKS+=x
	local user=
	[ "$(id -u)" != 0 ] || user='-u root'
	background smtp-sink $user "$@" "$IP:$SINK" 10 2>/dev/null
	eventually port_open "$IP" "$SINK"
}

# One message to two recipients; the last words of each line.
to_sink() { smtpc "$@" "$IP" "$SINK" a@example.org b@example.com,c@example.com "$M"; }

# A server in Python: $1 is the body of serve(conn, n), n counts connections.
fake() {
	FAKE=$((5000 + BATS_TEST_NUMBER * 100 + ${#FAKES}))
	FAKES+=x
	cat >"$BATS_TEST_TMPDIR/fake$FAKE.py" <<-EOF
	import socket, ssl, sys, time, threading
	def lines(c):
	    return c.makefile("rb")
	def serve(c):
	$(sed 's/^/    /' <<<"$1")
	s = socket.create_server(("$IP", $FAKE))
	while True:
	    c, _ = s.accept()
	    threading.Thread(target=serve, args=(c,), daemon=True).start()
	EOF
	background python3 "$BATS_TEST_TMPDIR/fake$FAKE.py" 2>/dev/null
	eventually port_open "$IP" "$FAKE"
}

@test "smtp-sink takes a message: pipelined or not, with EHLO or HELO" {
	for options in "" -p -e "-8 -E" -4; do
		mkdir "$BATS_TEST_TMPDIR/d$options"
		sink $options -d "$BATS_TEST_TMPDIR/d$options/m."
		run to_sink
		[ "$status" = 0 ]
		[[ $output == *"message: ok end of message 250"* ]]
		[[ $output == *"rcpt b@example.com: ok"*"rcpt c@example.com: ok"* ]]
		# What came is what was sent (the sink adds fields of its own).
		[ "$(sed -n '/^Subject/,$p' "$BATS_TEST_TMPDIR/d$options"/m.* | tr -d '\r')" = "$(cat "$M")" ]
	done
}

@test "smtp-sink refuses each command, for good and for now" {
	for kind in "-f perm 500" "-r temp 450"; do
		set -- $kind
		for command in connect:greeting "ehlo,helo:EHLO" mail:"MAIL FROM" \
		    rcpt:"RCPT TO" data:DATA .:"end of message"; do
			sink "$1" "${command%%:*}"
			run to_sink
			[[ $output == *": $2 ${command#*:} $3"* ]] || {
				echo "$kind $command: $output"
				false
			}
			# and without pipelining the same
			run to_sink -no-pipelining
			[[ $output == *": $2 ${command#*:} $3"* ]]
		done
	done
}

@test "smtp-sink hangs up at each command: only behind the dot is it unknown" {
	for command in mail:"lost MAIL FROM" rcpt:"lost RCPT TO" data:"lost DATA" \
	    .:"unknown end of message"; do
		sink -q "${command%%:*}"
		run to_sink -no-pipelining
		[[ $output == *"rcpt b@example.com: ${command#*:} - "* ]] || {
			echo "$command: $output"
			false
		}
		[[ $output == *"rcpt c@example.com: ${command#*:} - "* ]]
	done
}

@test "1,000 messages over one connection" {
	sink -c
	run smtpc -repeat 1000 "$IP" "$SINK" a@example.org b@example.com "$M"
	[ "$(grep -c '^message: ok end of message 250' <<<"$output")" = 1000 ]
	[ "$(grep -c '^open: ok' <<<"$output")" = 1 ]
}

# The content of the newest message with our subject, without added fields.
delivered() {
	cat "$(grep -rl "^Subject: t$BATS_TEST_NUMBER\$" "$(maildir)/new" | head -n 1)" |
		sed -n '/^Subject/,$p'
}
forget() { grep -rl "^Subject: t$BATS_TEST_NUMBER\$" "$(maildir)/new" | xargs -r rm; }

@test "mox-smtpd: the same bytes by DATA and BDAT, any TLS, pipelined or not" {
	for tls in none opportunistic required "pkix -ca $DIR/localhost.crt"; do
		for how in "" -no-chunking "-no-chunking -no-pipelining" -no-pipelining; do
			forget
			run smtpc -tls $tls $how "$IP" 1025 a@example.org mox@localhost "$M"
			[[ $output == *"message: ok end of message 250"* ]] || {
				echo "$tls $how: $output"
				false
			}
			case $tls in
			none) [[ $output == *"open: ok plain "* ]] ;;
			*) [[ $output == *"open: ok TLSv1.3 "* ]] ;;
			esac
			[ "$(delivered)" = "$(cat "$M")" ]
		done
	done
	# With a mode that does not look, what it would have seen is known.
	run smtpc -tls opportunistic "$IP" 1025 a@example.org mox@localhost "$M"
	[[ $output == *"open: ok TLSv1.3 certificate-not-trusted"* ]]
}

@test "mox-smtpd: DANE by its key, and by another" {
	key=$(openssl x509 -in "$DIR/localhost.crt" -pubkey -noout |
		openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
	run smtpc -tls dane -tlsa "030101$key" "$IP" 1025 a@example.org mox@localhost "$M"
	[[ $output == *"open: ok TLSv1.3"*"message: ok"* ]]
	run smtpc -tls dane -tlsa "030101${key/[0-9]/f}" "$IP" 1025 a@example.org mox@localhost "$M"
	[[ $output == *"open: tls TLS - TLS: no matching DANE TLSA records"* ]]
	[[ $output == *"tls: tlsa-invalid"* ]]
}

@test "DANE-TA: a chain to the record's certificate, its names and time count" {
	cd "$BATS_TEST_TMPDIR"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout ca.key -out ca.crt -days 2 -subj /CN=ca 2>/dev/null
	for name in mx.example other.example; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout $name.key -out $name.csr -subj /CN=$name \
			-addext "subjectAltName=DNS:$name" 2>/dev/null
		openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -days 1 \
			-copy_extensions copy -out $name.crt 2>/dev/null
		cat $name.crt ca.crt >$name.chain
	done
	digest=$(openssl x509 -in ca.crt -pubkey -noout |
		openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
	for name in mx.example other.example; do
		port=$((7000 + ${#name}))
		background openssl s_server -accept "$IP:$port" -key $name.key \
			-cert $name.crt -cert_chain $name.chain -quiet
		eventually port_open "$IP" $port
		run smtpc -tls dane -immediate -name mx.example -step 300 \
			-tlsa "020101$digest" "$IP" $port a@b c@d "$M"
		case $name in # s_server says nothing of itself
		mx.example) [[ $output == *"open: lost greeting"* ]] ;;
		*) [[ $output == *"tls: certificate-host-mismatch"* ]] ;;
		esac
	done
}

@test "mox-smtpd: bare CR only by BDAT, and REQUIRETLS only to who is verified" {
	printf 'Subject: bare\n\na\rb\n' >"$BATS_TEST_TMPDIR/bare"
	run smtpc "$IP" 1025 a@example.org mox@localhost "$BATS_TEST_TMPDIR/bare"
	[[ $output == *"message: ok"* ]]
	run smtpc -tls required -requiretls "$IP" 1025 a@example.org mox@localhost "$M"
	[[ $output == *"perm MAIL FROM 5.7.30"* ]]
	run smtpc -tls pkix -ca "$DIR/localhost.crt" -requiretls \
		"$IP" 1025 a@example.org mox@localhost "$M"
	[[ $output == *"message: ok"* ]]
}

@test "STARTTLS: taken off the offer, with bytes behind it, without TLS behind it" {
	fake '
f = lines(c)
c.sendall(b"220 x\r\n"); f.readline()
c.sendall(b"250-x\r\n250 PIPELINING\r\n"); f.readline(); c.sendall(b"221 x\r\n")'
	for mode in required pkix dane; do
		run smtpc -tls $mode -tlsa 0301010000 "$IP" "$FAKE" a@b c@d "$M"
		[[ $output == *"open: tls STARTTLS - STARTTLS is required and not offered"* ]]
		[[ $output == *"tls: starttls-not-supported"* ]]
	done
	fake '
f = lines(c)
c.sendall(b"220 x\r\n"); f.readline()
c.sendall(b"250-x\r\n250 STARTTLS\r\n"); f.readline()
c.sendall(b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"); f.read()'
	for mode in opportunistic required; do
		run smtpc -tls $mode "$IP" "$FAKE" a@b c@d "$M"
		[[ $output == *"open: tls TLS - TLS: bytes sent before TLS"* ]]
	done
	fake '
f = lines(c)
c.sendall(b"220 x\r\n"); f.readline()
c.sendall(b"250-x\r\n250 STARTTLS\r\n"); f.readline()
c.sendall(b"220 go\r\n"); f.read(5); c.sendall(b"500 what?\r\n"); f.read()'
	run smtpc -tls required "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *"open: tls TLS - "* ]]
	[[ $output == *"tls: validation-failure"* ]]
}

@test "servers that talk without end are left, in bounded memory" {
	fake '
try:
    c.sendall(b"220 x\r\n"); c.recv(100)
    while True: c.sendall(b"250-and on\r\n" * 10000)
except OSError: pass'
	run smtpc -memory "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *"open: protocol EHLO - EHLO: reply of more than 256 lines"* ]]
	endless=$(sed -n 's/^memory: //p' <<<"$output")
	fake '
try:
    c.sendall(b"220 ")
    for i in range(100): c.sendall(b"x" * 1000000)
except OSError: pass'
	run smtpc -memory "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *"open: protocol greeting - greeting: line of the answer is too long"* ]]
	long=$(sed -n 's/^memory: //p' <<<"$output")
	sink
	run to_sink -memory
	good=$(sed -n 's/^memory: //p' <<<"$output")
	case $MOX_T in *asan*) ;; *)
		[ $((endless - good)) -lt 1000 ]
		[ $((long - good)) -lt 1000 ] ;;
	esac
}

@test "slow servers: a byte now and then is no answer, and all has its time" {
	fake '
for b in b"220 hello\r\n" * 100:
    c.sendall(bytes([b])); time.sleep(0.2)'
	run smtpc -step 500 "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *"open: lost greeting - greeting: no answer in time"* ]]
	# Each line in time, the answer never.
	fake '
c.sendall(b"220 x\r\n"); c.recv(100)
for i in range(100):
    c.sendall(b"250-x\r\n"); time.sleep(0.1)'
	run smtpc -step 600 "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *"open: lost EHLO - EHLO: no answer in time"* ]]
	fake '
f = lines(c)
c.sendall(b"220 x\r\n")
for l in f: time.sleep(0.2); c.sendall(b"250 x\r\n")'
	run smtpc -limit 500 "$IP" "$FAKE" a@b c@d "$M"
	[[ $output == *": lost "*"no answer in time"* ]]
}

@test "a server that does not read, and one that hangs up in the message" {
	head -c 30000000 /dev/zero | tr '\0' 'x' | fold -w 70 >"$BATS_TEST_TMPDIR/big"
	fake '
f = lines(c)
c.sendall(b"220 x\r\n")
for i in range(3): f.readline(); c.sendall(b"250 x\r\n")
f.readline(); c.sendall(b"354 go\r\n"); time.sleep(60)'
	run smtpc -step 500 "$IP" "$FAKE" a@b c@d "$BATS_TEST_TMPDIR/big"
	[[ $output == *"message: lost end of message"* ]]
	fake '
f = lines(c)
c.sendall(b"220 x\r\n")
for i in range(3): f.readline(); c.sendall(b"250 x\r\n")
f.readline(); c.sendall(b"354 go\r\n"); f.read(100000)
c.sendall(b"552 5.3.4 too much\r\n"); c.shutdown(socket.SHUT_WR); time.sleep(0.2)
while c.recv(1 << 20): pass'
	run smtpc "$IP" "$FAKE" a@b c@d "$BATS_TEST_TMPDIR/big"
	[[ $output == *"message: perm end of message 552 5.3.4"* ]]
}

@test "TLS of other servers: 1.2, expired, no common version" {
	cd "$BATS_TEST_TMPDIR"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout r.key -out r.crt -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
	background openssl s_server -accept "$IP:7201" -key r.key -cert r.crt -quiet -tls1_2
	background openssl s_server -accept "$IP:7202" -key r.key -cert r.crt -quiet \
		-tls1_1 -cipher ALL:@SECLEVEL=0
	eventually port_open "$IP" 7201
	eventually port_open "$IP" 7202
	# It says nothing: what fails is the greeting, behind the handshake.
	run smtpc -tls pkix -ca r.crt -immediate -step 300 "$IP" 7201 a@b c@d "$M"
	[[ $output == *"open: lost greeting"* ]]
	run smtpc -tls opportunistic -immediate "$IP" 7202 a@b c@d "$M"
	[[ $output == *"open: tls TLS - "*"tls: validation-failure"* ]]
	run smtpc -tls pkix -ca r.crt -name other -immediate "$IP" 7201 a@b c@d "$M"
	[[ $output == *"tls: certificate-host-mismatch"* ]]
}
