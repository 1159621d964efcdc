#!/usr/bin/env bats
# SMTP on the wire: every command in and out of its state, its arguments right
# and wrong, the ends of messages, and what is delivered.

load helper

setup_file() {
	start_shared_server
}

teardown_file() { stop_background; }

@test "greeting and EHLO: the extensions of each kind, in order" {
	py <<-'EOF'
	from mailtest import *
	AUTH = "AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN"
	PLUS = "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN"
	def names(extensions):
	    return [e.split(" ")[0] if e.startswith("FUTURE") else e for e in extensions]
	HEAD = ["localhost", "PIPELINING", "SIZE 104857600"]
	TAIL = ["ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING", "BINARYMIME",
	    "LIMITS RCPTMAX=1000", "SMTPUTF8"]
	s = Smtp()
	eq(s.greeting, (220, ["localhost ESMTP mox"]))
	eq(s.extensions, HEAD + ["STARTTLS", "DSN"] + TAIL)
	s.expect(220, "STARTTLS")
	s.starttls()
	eq(s.cmd("EHLO x")[1], HEAD + ["REQUIRETLS", "DSN"] + TAIL)
	s = Smtp(1587)
	eq(names(s.extensions), HEAD + ["STARTTLS", AUTH, "FUTURERELEASE", "DSN"] + TAIL)
	s.expect(220, "STARTTLS")
	s.starttls()
	eq(names(s.cmd("EHLO x")[1]), HEAD + ["REQUIRETLS", PLUS, "FUTURERELEASE", "DSN"] + TAIL)
	s = Smtp(1465, tls=True)
	eq(names(s.extensions), HEAD + ["REQUIRETLS", PLUS, "FUTURERELEASE", "DSN"] + TAIL)
	future = [e for e in s.extensions if e.startswith("FUTURE")][0]
	assert re.fullmatch(r"FUTURERELEASE 5184000 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", future), future
	eq(s.cmd("HELO x"), (250, ["localhost"]))
	EOF
}

@test "names of clients: domains and address literals" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(ehlo=False)
	for name, code in (("mail.example.org", 250), ("x", 250), ("[127.0.0.1]", 250),
	        ("[IPv6:::1]", 250), ("bücher.example", 250), ("", 501), ("a b", 501),
	        ("-x.example", 501), ("a..b", 501), ("[127.0.0]", 501), ("a\tb", 501),
	        ("<x>", 501), ("[IPv6:127.0.0.1", 501), ("a" * 64 + ".example", 501)):
	    for command in ("EHLO", "HELO"):
	        eq((name, s.cmd(f"{command} {name}")[0]), (name, code))
	EOF
}

@test "not SMTP: turned away at once, later no more" {
	py <<-'EOF'
	from mailtest import *
	for line in (b"GET / HTTP/1.1\r\n", b"\r\n", b"\0\0\0\r\n", b"\x16\x03\x01\r\n", b"EHLOx\r\n"):
	    s = Smtp(ehlo=False)
	    s.send(line)
	    assert s.rest().startswith(b"500 5.5.2 please try again speaking smtp ("), line
	s = Smtp()
	for line in ("GET / HTTP/1.1", "", "\0", "MAILFROM:<a@b.example>", "ETRN x"):
	    eq(s.cmd(line)[0], 500)
	s.expect(250, "NOOP")
	EOF
}

@test "commands in and out of their states" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(ehlo=False)
	def run(*rows):
	    for command, code in rows:
	        eq((command, s.cmd(command)[0]), (command, code))
	MAIL, RCPT = "MAIL FROM:<a@example.org>", "RCPT TO:<mox@localhost>"
	run((MAIL, 503), (RCPT, 503), ("DATA", 503), ("STARTTLS", 503), ("AUTH PLAIN", 503),
	    ("NOOP", 250), ("NOOP ignored words", 250), ("RSET", 250), ("RSET x", 501),
	    ("HELP", 214), ("HELP MAIL", 214), ("VRFY mox", 252), ("EXPN mox", 252))
	run(("EHLO x", 250), (RCPT, 503), ("DATA", 503), ("BDAT", 501))
	s = Smtp()
	run(("BDAT 0 LAST", 503), (MAIL, 250), (MAIL, 503), ("DATA", 554), ("BDAT 0", 554),
	    (RCPT, 250), ("DATA x", 501), ("RSET", 250), (RCPT, 503),
	    (MAIL, 250), (RCPT, 250), ("EHLO x", 250), (RCPT, 503), ("DATA", 503),
	    (MAIL, 250), (RCPT, 250), ("HELO x", 250), ("DATA", 503),
	    (MAIL + " SIZE=1", 555), (MAIL, 250), ("AUTH PLAIN", 503), ("mail from:<a@b.example>", 503),
	    ("rset", 250), ("QUIT x", 501), ("quit", 221))
	eq(s.rest(), b"")
	s = Smtp(1587)
	run((MAIL, 530), (RCPT, 503), ("DATA", 503))
	EOF
}

@test "arguments of MAIL and RCPT" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	def mail(args, code, enhanced):
	    got, texts = s.cmd("MAIL FROM:" + args)
	    eq((args, got, texts[0].split(" ")[0]), (args, code, enhanced))
	    if got == 250:
	        s.expect(250, "RSET")
	mail("<>", 250, "2.1.0")
	mail("<a@example.org> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x", 250, "2.1.0")
	mail("a@example.org", 501, "5.1.7")
	mail("<a@example.org", 501, "5.1.7")
	mail(" <a@example.org>", 501, "5.1.7")     # Pedantic
	mail("<a@[127.0.0.1]>", 550, "5.7.0")
	mail("<a@example.org> SIZE=104857601", 552, "5.3.4")
	mail("<a@example.org> SIZE=1 SIZE=1", 501, "5.5.4")
	mail("<a@example.org> BODY=X", 501, "5.5.4")
	mail("<a@example.org> REQUIRETLS", 523, "5.7.10")
	mail("<a@example.org> HOLDFOR=10", 555, "5.3.3")
	mail("<a@example.org> BY=10;R", 555, "5.3.3")
	mail("<é@example.org>", 550, "5.6.7")
	mail("<é@example.org> SMTPUTF8", 250, "2.1.0")
	mail("<" + "a" * 65 + "@example.org>", 501, "5.1.7")  # Pedantic
	s.expect(250, "MAIL FROM:<a@example.org>")
	for args, code in (("<mox@localhost>", 250), ("<postmaster>", 250), ("<Postmaster@LOCALHOST>", 250),
	        ("<mox+x@localhost>", 250), ("<@a.example,@b.example:mox@localhost>", 250),
	        ("<mox@[127.0.0.1]>", 550), ("<>", 501), ("<mox>", 501), ("mox@localhost", 501),
	        ("<mox@localhost> NOTIFY=NEVER ORCPT=rfc822;x@y.example", 250),
	        ("<mox@localhost> NOTIFY=X", 501), ("<mox@localhost> FOO", 555), ("<é@localhost>", 550)):
	    eq((args, s.cmd("RCPT TO:" + args)[0]), (args, code))
	s.expect(250, "RSET")
	s.expect(250, "MAIL FROM:<>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	eq(s.cmd("RCPT TO:<mox@localhost>"), (452, [s.cmd("RCPT TO:<mox@localhost>")[1][0]]))
	code, texts = s.cmd("RCPT TO:<x>")
	assert re.fullmatch(r"5\.1\.3 .* \([A-Za-z0-9_-]{22}\)", texts[0]), texts
	EOF
}

@test "1000 recipients, one more, and one message for all of them" {
	py <<-'EOF'
	from mailtest import *
	before = len(maildir_files())
	s = Smtp()
	lines = [f"RCPT TO:<r{i}x@localhost>\r\n" for i in range(1001)]
	s.send("MAIL FROM:<a@example.org>\r\n" + "".join(lines) + "DATA\r\n")
	got = [s.reply() for _ in range(1003)]
	eq([g[0] for g in got], [250] * 1001 + [452, 354])
	assert got[1001][1][0].startswith("4.5.3 "), got[1001]
	s.expect(250, message("thousand") + ".")
	eq(len(maildir_files()), before + 1)
	EOF
}

@test "a whole session in one segment; answers come in order" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(ehlo=False)
	s.send("EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n"
	    + message("one") + ".\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n"
	    + message("two") + ".\r\nQUIT\r\n")
	eq([s.reply()[0] for _ in range(9)], [250, 250, 250, 354, 250, 250, 250, 354, 250])
	eq(s.reply()[0], 221)
	eq(s.rest(), b"")
	EOF
}

@test "dots are undone, all else is delivered as it was sent" {
	py <<-'EOF'
	from mailtest import *
	def deliver(text):
	    before = set(maildir_files())
	    s.expect(250, "MAIL FROM:<a@example.org> BODY=8BITMIME")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    s.expect(354, "DATA")
	    s.send(text + b".\r\n")
	    eq(s.reply()[0], 250)
	    name, = set(maildir_files()) - before
	    return open(name, "rb").read()
	s = Smtp()
	body = b"..\r\n..two\r\na.\r\n...\r\n\r\n \xc3\xa9\xff\0 " + b"x" * 70000 + b"\r\n"
	got = deliver(b"Subject: x\r\n\r\n" + body)
	assert got.endswith(b"Subject: x\n\n.\n.two\na.\n..\n\n \xc3\xa9\xff\0 " + b"x" * 70000 + b"\n"), got[:300]
	assert deliver(b"").endswith(b"+0000\n")
	assert deliver(b"no header\r\n").endswith(b"+0000\nno header\n")
	EOF
}

@test "only CR LF dot CR LF ends a message: nothing is smuggled" {
	py <<-'EOF'
	from mailtest import *
	files = maildir_files()
	tail = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\nevil\r\n"
	for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n\n.\n\n",
	        b"\r\n.\r\r\n", b"\r\n\0.\r\n.\n", b"\n.\r"):
	    s = Smtp()
	    s.expect(250, "MAIL FROM:<a@example.org>")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    s.expect(354, "DATA")
	    s.send(message("smuggle") + "text")
	    s.send(end + tail + b"\r\n.\r\nQUIT\r\n")
	    code, texts = s.reply()
	    eq((end, code, texts[0][:6]), (end, 500, "5.5.2 "))
	    assert "smuggling" in texts[0]
	    assert s.rest().startswith(b"221 2.0.0"), end
	eq(maildir_files(), files)
	EOF
}

@test "BDAT: chunks, LAST, order, what is not wanted" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	def begin(params=""):
	    s.expect(250, "MAIL FROM:<a@example.org>" + params)
	    s.expect(250, "RCPT TO:<mox@localhost>")
	def chunk(data, last=False):
	    s.send(b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data)
	    return s.reply()
	def newest():
	    return open(max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns), "rb").read()
	begin()
	eq(chunk(b"Subject: chunks\r\n\r\n.\r\n")[0], 250)
	for command in ("DATA", "MAIL FROM:<a@example.org>", "RCPT TO:<mox@localhost>", "HELP"):
	    eq(s.cmd(command)[0], 503)
	s.expect(250, "NOOP")
	eq(chunk(b"x" * 100000)[0], 250)
	eq(chunk(b"\r\n")[0], 250)
	eq(chunk(b"", True)[0], 250)
	assert newest().endswith(b"Subject: chunks\n\n.\n" + b"x" * 100000 + b"\n")
	# Bare CR and LF are content of BINARYMIME, and of nothing else.
	binary = b"Subject: binary\r\n\r\na\rb\nc\0\r\n"
	begin(" BODY=BINARYMIME")
	eq(s.cmd("DATA")[0], 503)
	eq(chunk(binary, True)[0], 250)
	assert newest().endswith(b"+0000\r\n" + binary), newest()
	begin()
	eq(chunk(binary, True)[0], 554)
	# Chunks that nobody wants are passed over.
	eq(chunk(b"MAIL FROM:<x@example.org>\r\n")[0], 503)
	s.expect(250, "MAIL FROM:<a@example.org>")
	eq(chunk(b"x" * 100000, True)[0], 554)
	s.expect(250, "RCPT TO:<mox@localhost>")
	eq(chunk(b"Subject: x\r\n\r\n")[0], 250)
	s.expect(250, "EHLO x")
	eq(chunk(b"QUIT\r\n", True)[0], 503)
	# Pipelined, with its answers.
	s.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<mox@localhost>\r\nBDAT 6\r\nA: b\r\nBDAT 5 LAST\r\n\r\nx\r\nNOOP\r\n")
	eq([s.reply()[0] for _ in range(5)], [250, 250, 250, 250, 250])
	assert newest().endswith(b"A: b\n\nx\n")
	for bad in ("BDAT x", "BDAT -1", "BDAT 1 FIRST", "BDAT 99999999999999999999"):
	    s = Smtp()
	    s.send(bad + "\r\n")
	    assert s.rest().startswith(b"501 5.5.4"), bad
	EOF
}

@test "STARTTLS: what was before is forgotten, what is behind it ends all" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	s.expect(501, "STARTTLS x")
	s.expect(250, "MAIL FROM:<a@example.org>")
	s.expect(220, "STARTTLS")
	s.starttls()
	eq(s.cmd("MAIL FROM:<a@example.org>")[0], 503)
	s.expect(250, "EHLO x")
	eq(s.cmd("RCPT TO:<mox@localhost>")[0], 503)
	eq(s.cmd("STARTTLS")[0], 503)
	s.expect(250, "MAIL FROM:<a@example.org> REQUIRETLS")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(354, "DATA")
	s.expect(250, message("tls") + ".")
	text = open(max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns)).read()
	text = text.replace("\n ", " ")
	assert re.search(r"^Received: from x \(\[127\.[0-9.]+\]\) by localhost \(\[127\.[0-9.]+\]\) via tcp "
	    r"with ESMTPS \(requiretls\) id [\w-]{22} \(TLS1.3 TLS_\w+\) for <mox@localhost>; ", text, re.M), text
	s = Smtp()
	s.send("STARTTLS\r\nMAIL FROM:<a@example.org>\r\n")
	assert s.rest().startswith(b"421 4.7.0 bytes behind STARTTLS"), s
	s = Smtp(1587)
	eq(s.auth_plain()[0], 235)
	eq(s.cmd("STARTTLS")[0], 503)
	EOF
	grep -q 'm="bytes behind STARTTLS"' "$BATS_FILE_TMPDIR/server.log"
}

@test "submission: whose addresses, whose From, what is added" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	eq(s.cmd("AUTH PLAIN")[0], 503)
	def send(text, code, enhanced, sender="mox@localhost", to="mox@localhost"):
	    s.expect(250, f"MAIL FROM:<{sender}>")
	    s.expect(250, f"RCPT TO:<{to}>")
	    s.expect(354, "DATA")
	    had = len(maildir_files())
	    got, texts = s.cmd(text + ".")
	    eq((text, got, texts[0].split(" ")[0]), (text, code, enhanced))
	    if got == 250:      # by way of the queue
	        wait_for(lambda: len(maildir_files()) > had)
	def newest():
	    return open(max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns)).read().replace("\n ", " ")
	eq(s.cmd("MAIL FROM:<other@example.org>")[1][0][:5], "5.7.1")
	FROM = "From: <mox@localhost>\r\n"
	send(FROM + "\r\nx\r\n", 250, "2.0.0")
	lines = newest().split("\n")
	eq(lines[0], "Delivered-To: mox@localhost")
	eq(lines[1], "Return-Path: <mox@localhost>")
	assert re.match(r"Received: from localhost by localhost via tcp with ESMTPSA id [\w-]{22} "
	    r"\(TLS1.3 TLS_\w+\) for <mox@localhost>; ", lines[2]), lines
	assert re.fullmatch(r"Message-Id: <[\w-]{22}@localhost>", lines[3]), lines
	assert lines[4].startswith("Date: "), lines
	eq(lines[5], "Authentication-Results: localhost; auth=pass smtp.mailfrom=mox@localhost")
	eq(lines[6:], ["From: <mox@localhost>", "", "x", ""])
	send(FROM + "Message-Id: <a@b.example>\r\nDate: x\r\n\r\nx\r\n", 250, "2.0.0", "", "x+y@localhost")
	text = newest()
	eq([text.count(w) for w in ("Message-Id:", "Date:", "smtp.mailfrom", "Return-Path: <>")], [1, 1, 0, 1])
	send(FROM + "no body\r\n", 554, "5.6.0")
	send("", 554, "5.6.0")
	send("\r\n", 550, "5.6.0")
	send("Subject: x\r\n\r\n", 550, "5.6.0")
	send("From: <mox@localhost>, <mox@localhost>\r\n\r\n", 550, "5.6.0")
	send("From: a b c\r\n\r\n", 550, "5.6.0")
	send("From: <other@localhost>\r\n\r\n", 550, "5.7.1")
	send("From: Mox <mox+list@localhost>\r\n\r\n", 250, "2.0.0")
	eq(s.cmd("MAIL FROM:<mox@localhost> HOLDFOR=60")[0], 250)
	s.expect(250, "RSET")
	eq(s.cmd("MAIL FROM:<mox@localhost> HOLDFOR=5184001")[1][0][:5], "5.5.4")
	# Recipients that may not know of each other.
	s.expect(250, "MAIL FROM:<mox@localhost>")
	s.expect(250, "RCPT TO:<a@localhost>")
	s.expect(250, "RCPT TO:<b@localhost>")
	s.expect(354, "DATA")
	had = len(maildir_files())
	s.expect(250, FROM + "\r\n.")
	wait_for(lambda: len(maildir_files()) > had)
	assert " for <" not in newest(), newest()
	EOF
}

@test "nothing a client says gets a header line of its own" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	for line in ("MAIL FROM:<\"a\rX-Evil: 1\"@b.example>", "MAIL FROM:<a@b.example\rX-Evil: 1>",
	        "MAIL FROM:<\"a\0b\"@b.example>", "EHLO a\rX-Evil: 1"):
	    eq(s.cmd(line)[0], 501)
	s.expect(250, "EHLO [IPv6:::1]")
	s.expect(250, 'MAIL FROM:<"a\\"; (x) <y> \\\\"@b.example>')
	s.expect(250, 'RCPT TO:<"b> X-Evil: 1"@localhost>')
	s.expect(354, "DATA")
	s.expect(250, "Subject: s\r\n\r\n.")
	head = open(max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns)).read()
	head = head.replace("\n ", " ").split("\n")
	eq([line.split(":")[0] for line in head[:5]], ["Delivered-To", "Return-Path",
	    "Authentication-Results", "Received", "Subject"])
	eq(head[0], 'Delivered-To: "b> X-Evil: 1"@localhost')
	eq(head[1], 'Return-Path: <"a\\"; (x) <y> \\\\"@b.example>')
	EOF
}

@test "SMTPUTF8: addresses, and UTF8SMTP in Received only where needed" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	def send(sender, to, header):
	    s.expect(250, f"MAIL FROM:<{sender}> SMTPUTF8")
	    s.expect(250, f"RCPT TO:<{to}>")
	    s.expect(354, "DATA")
	    s.expect(250, header + "\r\n\r\n.")
	    text = open(max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns)).read()
	    return re.search(r"with (\S+)", text)[1]
	eq(send("a@example.org", "mox@localhost", "Subject: x"), "ESMTP")
	eq(send("é@example.org", "mox@localhost", "Subject: x"), "UTF8SMTP")
	eq(send("a@example.org", "é@localhost", "Subject: x"), "UTF8SMTP")
	eq(send("a@example.org", "mox@localhost", "Subject: é"), "UTF8SMTP")
	EOF
}

@test "loops end after 100 hops" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	for n, code in ((100, 250), (101, 550)):
	    s.expect(250, "MAIL FROM:<a@example.org>")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    s.expect(354, "DATA")
	    got, texts = s.cmd("Received: by x; now\r\n" * n + "\r\n.")
	    eq(got, code)
	assert texts[0].startswith("5.4.6 "), texts
	EOF
}

@test "lines: 2048 bytes, no more" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	eq(s.cmd("NOOP " + "x" * 2043)[0], 250)
	s.send("NOOP " + "x" * 2044 + "\r\n")
	assert s.rest().startswith(b"500 5.5.0 line too long ("), s
	s = Smtp()
	s.send(b"x" * 100000)
	try:
	    got = s.rest()
	except ConnectionResetError:
	    got = b"500"
	assert got.startswith(b"500"), got
	EOF
}

@test "ten failed transactions are enough, unless one was good" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp()
	for i in range(11):
	    eq(s.cmd("MAIL FROM:<a@[127.0.0.1]>")[0], 550)
	s.send("MAIL FROM:<a@example.org>\r\n")
	assert s.rest().startswith(b"550 5.1.0 too many failures ("), i
	s = Smtp()
	s.expect(250, "MAIL FROM:<a@example.org>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(354, "DATA")
	s.expect(250, message("good") + ".")
	for i in range(20):
	    s.expect(250, "MAIL FROM:<a@example.org>")
	    s.expect(250, "RSET")
	EOF
}

@test "the log: connections, deliveries, refusals, and no passwords" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1587)
	s.auth_plain(password="secretsecret")
	s.auth_plain()
	EOF
	log=$BATS_FILE_TMPDIR/server.log
	grep -q 'pkg=smtpserver m="connection" kind=smtp listener=local ip=127' "$log"
	grep -q 'm="delivered" from=a fromdomain=example.org to=mox@localhost account=mox mailbox=Inbox uid=' "$log"
	grep -q 'm="refused" code=550 enhanced=5.7.1 text=' "$log"
	grep -q 'm="login attempt" result=ok login=mox@localhost account=mox mech=PLAIN' "$log"
	eventually grep -q 'm="connection ended" messages=' "$log"
	# localserve shows the whole dialogue, see LogLevel.
	grep -q 'm="< MAIL FROM:<a@example.org>"' "$log"
	grep -q 'm="> 250 2.1.0 ok"' "$log"
}
