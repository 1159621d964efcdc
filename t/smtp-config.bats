#!/usr/bin/env bats
# mox-smtpd as its configuration says: addresses, aliases, refusals, sizes,
# quotas, TLS that is needed or missing, proxies. Without localserve.

load helper

setup_file() {
	export DIR=$BATS_FILE_TMPDIR IP
	IP=$(own_ip)
	cd "$DIR"
	mkdir config data
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout config/key -out config/crt -days 9 -subj /CN=mail.example \
		-addext subjectAltName=DNS:mail.example 2>/dev/null
	cat >config/mox.conf <<EOF
DataDir: ../data
LogLevel: info
User: $(id -un)
Hostname: mail.example
Listeners:
	public:
		IPs:
			- $IP
		Hostname: mx.example
		TLS:
			KeyCerts:
				-
					CertFile: crt
					KeyFile: key
		SMTP:
			Enabled: true
		Submission:
			Enabled: true
		ProxyProtocolFrom:
			- 127.9.9.9
	small:
		IPs:
			- $IP
		SMTPMaxMessageSize: 1000
		SMTP:
			Enabled: true
			NoSTARTTLS: true
			NoRequireTLS: true
	strict:
		IPs:
			- $IP
		TLS:
			KeyCerts:
				-
					CertFile: crt
					KeyFile: key
		SMTP:
			Enabled: true
			RequireSTARTTLS: true
			NoRequireTLS: true
	imaponly:
		IPs:
			- $IP
Postmaster:
	Account: alice
	Mailbox: Postmaster
HostTLSRPT:
	Account: alice
	Mailbox: TLSRPT
	Localpart: tlsreports
Limits:
	LoopbackExempt: true
DNS:
	ZoneFile: zone
EOF
	# far.example may send from anywhere, so also to several recipients.
	cat >config/zone <<EOF
far.example A 127.0.0.1
far.example TXT "v=spf1 +all"
a.example A 127.0.0.1
EOF
	cat >config/domains.conf <<EOF
Domains:
	a.example:
		LocalpartCatchallSeparator: +
		Aliases:
			team:
				Addresses:
					- alice@a.example
					- bob@a.example
			open:
				Addresses:
					- alice@a.example
					- bob@a.example
				PostPublic: true
			name:
				Addresses:
					- alice@a.example
					- bob@a.example
				AllowMsgFrom: true
	all.example: nil
	off.example:
		Disabled: true
Accounts:
	alice:
		Domain: a.example
		Destinations:
			alice@a.example: nil
			alice2@a.example:
				Mailbox: Second
			alice@off.example: nil
			@all.example:
				Mailbox: All
			gone@a.example:
				SMTPError: 550 gone away
			later@a.example:
				SMTPError: 421 come back later
	bob:
		Domain: a.example
		Destinations:
			bob@a.example: nil
	small:
		Domain: a.example
		Destinations:
			small@a.example: nil
		QuotaMessageSize: 4500
	closed:
		Domain: a.example
		Destinations:
			closed@a.example: nil
		LoginDisabled: closed for good
EOF
	cat >words.py <<'EOF'
from mailtest import *
PASSWORD = "moxmoxmox"
def mailbox(account, name="", text=False):
    path = os.path.join(DIR, "data/accounts", account, "Maildir", name)
    files = [os.path.join(path, d, f) for d in ("new", "cur") if os.path.isdir(path)
        for f in os.listdir(os.path.join(path, d))]
    if text:
        return open(max(files, key=lambda f: os.stat(f).st_ctime_ns)).read().replace("\n ", " ")
    return len(files)
def send(s, to, code, text=None, sender="x@far.example"):
    """MAIL, RCPTs, DATA; the code and text of the last answer."""
    s.expect(250, f"MAIL FROM:<{sender}>")
    for t in [to] if isinstance(to, str) else to:
        got = s.cmd(f"RCPT TO:<{t}>")
        if got[0] != 250:
            break
    else:
        s.expect(354, "DATA")
        got = s.cmd((text or message()) + ".")
    if got[0] != 250:
        s.expect(250, "RSET")
    eq((to, got[0]), (to, code))
    return "\n".join(got[1])
EOF
	for account in alice bob closed; do
		echo moxmoxmox | mox-setaccountpassword -config config/mox.conf $account
	done
	# Ports: 1025 public, 1587 its submission, 2025 small, 3025 strict.
	background systemd-socket-activate -l "$IP:1025" -l "$IP:1587" \
		-l "$IP:2025" -l "$IP:3025" \
		--fdname=smtp.public:submission.public:smtp.small:smtp.strict \
		-E ASAN_OPTIONS -E UBSAN_OPTIONS \
		"$(command -v mox-smtpd)" -config "$DIR/config/mox.conf" \
		>"$DIR/out" 2>"$DIR/log"
	eventually port_open "$IP" 1025
	export BACKGROUND_PIDS
}

teardown_file() { stop_background; }

# Python with a few words more than mailtest has.
py() { cat "$DIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "addresses: mailboxes, separators, catchall, postmaster, errors, strangers" {
	py <<-'EOF'
	s = Smtp()
	eq(s.greeting, (220, ["mx.example ESMTP mox"]))
	send(s, "alice@a.example", 250)
	send(s, "ALICE+list@A.EXAMPLE", 250)
	eq(mailbox("alice"), 2)
	text = mailbox("alice", text=True)
	assert text.startswith("Delivered-To: ALICE+list@A.EXAMPLE\nReturn-Path: <x@far.example>\n"
	    "Authentication-Results: mx.example;"), text
	assert "\nReceived: from client.example" in text, text
	assert " by mx.example ([127." in text and " for <ALICE+list@A.EXAMPLE>;" in text, text
	send(s, "alice2@a.example", 250)
	eq(mailbox("alice", ".Second"), 1)
	send(s, "who.ever@all.example", 250)
	eq(mailbox("alice", ".All"), 1)
	send(s, "postmaster", 250)
	send(s, "postmaster@mail.example", 250)
	eq(mailbox("alice", ".Postmaster"), 2)
	assert send(s, "gone@a.example", 550).startswith("5.1.1 gone away (")
	assert send(s, "alice@off.example", 450).startswith("4.2.1 ")
	assert send(s, "alice@far.example", 550).startswith("5.1.1 ")
	assert send(s, "alice@[127.0.0.1]", 550).startswith("5.1.1 ")
	assert send(s, "later@a.example", 451).startswith("4.3.0 come back later (")
	EOF
}

@test "unknown addresses are refused when the message has come, apart from others" {
	py <<-'EOF'
	s = Smtp()
	s.expect(250, "MAIL FROM:<x@far.example>")
	s.expect(250, "RCPT TO:<nobody@a.example>")
	s.expect(250, "RCPT TO:<nobody2@a.example>")
	eq(s.expect(452, "RCPT TO:<alice@a.example>")[1][0][:5], "4.5.3")
	s.expect(354, "DATA")
	eq(s.expect(550, message() + ".")[1][0][:5], "5.1.1")
	before = mailbox("alice")
	s.expect(250, "MAIL FROM:<x@far.example>")
	s.expect(250, "RCPT TO:<alice@a.example>")
	eq(s.expect(550, "RCPT TO:<nobody@a.example>")[1][0][:5], "5.1.1")
	s.expect(354, "DATA")
	s.expect(250, message() + ".")
	eq(mailbox("alice"), before + 1)
	EOF
}

@test "one message for several: each mailbox has it once" {
	py <<-'EOF'
	s = Smtp()
	alice, bob = mailbox("alice"), mailbox("bob")
	send(s, ["alice@a.example", "bob@a.example", "alice+x@a.example"], 250)
	eq((mailbox("alice"), mailbox("bob")), (alice + 1, bob + 1))
	assert " for <bob@a.example>;" in mailbox("bob", text=True)
	EOF
}

@test "aliases: who may post, who gets it" {
	py <<-'EOF'
	s = Smtp()
	def post(to, author, code):
	    before = mailbox("alice"), mailbox("bob")
	    text = send(s, to, code, f"From: <{author}>\r\n\r\nx\r\n")
	    return text[:5], mailbox("alice") - before[0], mailbox("bob") - before[1]
	eq(post("open@a.example", "x@far.example", 250), ("2.0.0", 1, 1))
	assert mailbox("bob", text=True).startswith("Delivered-To: open@a.example\n")
	eq(post("team@a.example", "x@far.example", 550), ("5.7.2", 0, 0))
	eq(post("team@a.example", "team@a.example", 550), ("5.7.2", 0, 0))
	eq(post("team@a.example", "bob+x@a.example", 250), ("2.0.0", 1, 0))
	eq(post(["team@a.example", "bob@a.example"], "bob@a.example", 250), ("2.0.0", 1, 1))
	eq(post("name@a.example", "name@a.example", 250), ("2.0.0", 1, 1))
	eq(post("name@a.example", "open@a.example", 550), ("5.7.2", 0, 0))
	EOF
}

@test "submission: TLS before passwords, accounts and their addresses" {
	py <<-'EOF'
	s = Smtp(1587)
	assert "AUTH" in s.extensions, s.extensions
	code, texts = s.auth_plain("alice@a.example")
	eq((code, texts[0][:6]), (538, "5.7.11"))
	def login(user):
	    s = Smtp(1587)
	    s.expect(220, "STARTTLS")
	    s.starttls()
	    s.expect(250, "EHLO what_ever name")     # not Pedantic
	    code, texts = s.auth_plain(user)
	    return s, code, texts[0]
	s, code, text = login("closed@a.example")
	eq((code, text[:22]), (525, "5.7.13 closed for good"))
	s, code, text = login("alice@a.example")
	eq(code, 235)
	FROM = "From: <alice@a.example>\r\n\r\nx\r\n"
	send(s, "bob@a.example", 250, FROM, "alice2@a.example")
	send(s, "x@far.example", 250, FROM, "alice@a.example")
	assert send(s, "nobody@a.example", 550, FROM, "alice@a.example").startswith("5.1.1 ")
	for sender in ("bob@a.example", "team@a.example", "x@far.example"):
	    eq(s.cmd(f"MAIL FROM:<{sender}>")[1][0][:5], "5.7.1")
	eq(s.cmd("MAIL FROM:<alice@off.example>")[1][0][:5], "4.3.0")
	s.expect(250, "MAIL FROM:<name@a.example>")
	s.expect(250, "RSET")
	assert send(s, "bob@a.example", 550, "From: <bob@a.example>\r\n\r\n", "alice@a.example")[:5] == "5.7.1"
	assert send(s, "bob@a.example", 451, "From: <alice@off.example>\r\n\r\n", "alice@a.example")[:5] == "4.3.0"
	s.expect(250, "MAIL FROM: <alice@a.example> ")  # not Pedantic
	EOF
}

@test "sizes: announced, in MAIL, of what comes by DATA and BDAT" {
	py <<-'EOF'
	s = Smtp(2025)
	assert "SIZE 1000" in s.extensions and "STARTTLS" not in s.extensions, s.extensions
	eq(s.cmd("STARTTLS")[0], 503)
	eq(s.cmd("MAIL FROM:<x@far.example> SIZE=1001")[1][0][:5], "5.2.3")
	before = mailbox("bob")
	body = "x" * 994 + "\r\n"
	send(s, "bob@a.example", 552, "\r\n" + body[1:] * 3)
	send(s, "bob@a.example", 552, "\r\n\r\nx" + body)
	send(s, "bob@a.example", 250, "\r\n" + body)
	send(s, "bob@a.example", 250, "\r\n" + "..\r\n" * 200 + "x" * 396 + "\r\n")
	eq(mailbox("bob"), before + 2)
	for chunks in ((1001,), (500, 501), (10, 990, 1)):
	    s.expect(250, "MAIL FROM:<x@far.example>")
	    s.expect(250, "RCPT TO:<bob@a.example>")
	    for n in chunks:
	        s.send(b"BDAT %d\r\n" % n + b"x" * n)
	        code, texts = s.reply()
	    eq((code, texts[0][:5]), (552, "5.2.3"))
	    eq(s.cmd("BDAT 0 LAST")[0], 503)
	eq(mailbox("bob"), before + 2)
	s.expect(250, "MAIL FROM:<x@far.example>")
	s.expect(250, "RCPT TO:<bob@a.example>")
	s.send(b"BDAT 990\r\n" + b"x" * 990 + b"BDAT 10 LAST\r\n\r\n" + b"y" * 8)
	eq((s.reply()[0], s.reply()[0]), (250, 250))
	EOF
}

@test "a full mailbox: 452, and nobody gets the message twice" {
	py <<-'EOF'
	s = Smtp()
	text = message(body="x" * 1000 + "\r\n")
	send(s, "small@a.example", 250, text)
	send(s, "small@a.example", 250, text)
	assert send(s, "small@a.example", 452, text).startswith("4.2.2 ")
	eq(mailbox("small"), 2)
	before = mailbox("bob")
	send(s, ["bob@a.example", "small@a.example"], 452, text)
	eq(mailbox("bob"), before)
	send(s, "small@a.example", 250, "Subject: short\r\n\r\n")
	EOF
}

@test "RequireSTARTTLS: not without TLS, but for reports on TLS" {
	py <<-'EOF'
	s = Smtp(3025)
	eq(s.cmd("MAIL FROM:<x@far.example>")[0], 250)
	code, texts = s.cmd("RCPT TO:<alice@a.example>")
	eq((code, texts[0][:5]), (530, "5.7.0"))
	s.expect(250, "RCPT TO:<tlsreports@mail.example>")
	s.expect(220, "STARTTLS")
	s.starttls()
	code, texts = s.cmd("EHLO x")
	assert "REQUIRETLS" not in texts, texts
	code, texts = s.cmd("MAIL FROM:<x@far.example> REQUIRETLS")
	eq((code, texts[0][:5]), (555, "5.3.3"))
	send(s, "alice@a.example", 250)
	EOF
}

@test "a mailbox that is deleted while a connection has it open is made anew" {
	py <<-'EOF'
	import shutil
	s = Smtp()
	send(s, "alice2@a.example", 250)
	path = os.path.join(DIR, "data/accounts/alice/Maildir")
	os.rename(path + "/.Second", path + "/tmp/.old.x.tmp")
	send(s, "alice2@a.example", 250)
	eq(mailbox("alice", ".Second"), 1)
	EOF
}

@test "the PROXY protocol from its addresses: whose connection it is" {
	py <<-'EOF'
	import struct
	def connect(header, source="127.9.9.9"):
	    s = Wire.__new__(Smtp)
	    s.sock = socket.socket()
	    s.sock.bind((source, 0))
	    s.sock.settimeout(30)
	    s.sock.connect((IP, 1025))
	    s.file = s.sock.makefile("rb")
	    s.sock.sendall(header)
	    return s
	v2 = b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, 12) + \
	    socket.inet_aton("198.51.100.7") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 1000, 25)
	for header, ip, by in ((b"PROXY TCP4 198.51.100.9 192.0.2.1 1000 25\r\n", "198.51.100.9", "192.0.2.1"),
	        (b"PROXY TCP6 2001:db8::9 2001:db8::1 1000 25\r\n", "IPv6:2001:db8::9", "IPv6:2001:db8::1"),
	        (v2, "198.51.100.7", "192.0.2.1"), (b"PROXY UNKNOWN\r\n", "127.9.9.9", IP)):
	    s = connect(header)
	    eq(s.reply()[0], 220)
	    s.expect(250, "EHLO x")
	    send(s, "bob@a.example", 250)
	    text = mailbox("bob", text=True)
	    assert f"from x ([{ip}]) by mx.example ([{by}])" in text, text
	# Nonsense from there, and a header from elsewhere.
	eq(connect(b"EHLO x\r\n").rest(), b"")
	s = connect(b"PROXY TCP4 198.51.100.9 192.0.2.1 1000 25\r\n", "127.9.9.8")
	eq(s.reply()[0], 220)
	assert s.rest().startswith(b"500 5.5.2 "), s
	EOF
}

@test "one connection on descriptors 0 and 1, as tcpserver and inetd have it" {
	printf 'EHLO x\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<bob@a.example>\r\nDATA\r\nSubject: inetd\r\n\r\n.\r\nQUIT\r\n' |
		TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=1 TCPLOCALIP=192.0.2.1 TCPLOCALPORT=25 \
		mox-smtpd -config "$DIR/config/mox.conf" -kind smtp -listener public \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/log"
	grep -q '^250 2.0.0 accepted' "$BATS_TEST_TMPDIR/out"
	grep -q '^221 ' "$BATS_TEST_TMPDIR/out"
	py <<-'EOF'
	text = mailbox("bob", text=True)
	assert "from x ([192.0.2.9]) by mx.example ([192.0.2.1])" in text, text
	EOF
}

@test "what cannot be served is said at the start" {
	run mox-smtpd -config "$DIR/config/mox.conf" -kind smtp -listener nowhere </dev/null
	[ "$status" != 0 ]
	[[ $output == *"no listener nowhere"* ]]
	run mox-smtpd -config "$DIR/config/mox.conf" -kind smtp -listener imaponly </dev/null
	[ "$status" != 0 ]
	[[ $output == *"listener imaponly has no SMTP"* ]]
	run mox-smtpd -config "$DIR/config/mox.conf" -kind submissions -listener small </dev/null
	[ "$status" != 0 ]
	[[ $output == *"submissions needs TLS"* ]]
	run mox-smtpd -config "$DIR/config/none.conf" </dev/null
	[ "$status" != 0 ]
	run mox-smtpd -nonsense
	[ "$status" = 2 ]
}
