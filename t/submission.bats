#!/usr/bin/env bats
# Submission: through the queue, into mailboxes, with what users may and may
# not do. One server for all.

load helper

setup_file() {
	export IP DIR
	IP=$(own_ip)
	DIR=$BATS_FILE_TMPDIR/mox
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	sed -i 's/^\t\tDomain: localhost/&\n\t\tFromIDLoginAddresses:\n\t\t\t- fromid@localhost/; s/^\t\t\tmox@localhost: nil/&\n\t\t\tfromid@localhost: nil\n\t\t\tmox@sign.example: nil/' "$DIR/domains.conf"
	mkdir -p "$DIR/dkim"
	mox-dkim gened25519 >"$DIR/dkim/ed.pem"
	mox-dkim genrsa >"$DIR/dkim/rsa.pem"
	sed -i 's/^Domains:/&\n\tsign.example:\n\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ted:\n\t\t\t\t\tPrivateKeyFile: dkim\/ed.pem\n\t\t\t\trsa:\n\t\t\t\t\tPrivateKeyFile: dkim\/rsa.pem\n\t\t\t\t\tExpiration: 72h\n\t\t\tSign:\n\t\t\t\t- ed\n\t\t\t\t- rsa/' "$DIR/domains.conf"
	mox-config -config "$DIR/mox.conf" test 2>/dev/null
	mox-localserve -dir "$DIR" >"$BATS_FILE_TMPDIR/out" 2>"$BATS_FILE_TMPDIR/server.log" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	eventually grep -q ready "$BATS_FILE_TMPDIR/out"
}

teardown_file() { kill -TERM "$(cat "$BATS_FILE_TMPDIR/pid")" && wait "$(cat "$BATS_FILE_TMPDIR/pid")" || true; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 - "$@"; }
queue_empty() { [ -z "$(find "$DIR/data/queue" -path '*/holdrules' -o -type f ! -name .lock -print)" ]; }

@test "accepted is queued, then in the mailbox, once; the queue is empty" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	before = len(maildir_files())
	for i in range(20):
	    s.expect(250, "MAIL FROM:<mox@localhost>")
	    s.expect(250, f"RCPT TO:<r{i}@far.example>")
	    s.expect(354, "DATA")
	    code, texts = s.cmd(f"From: <mox@localhost>\r\nSubject: n{i}\r\n\r\nx\r\n.")
	    eq(code, 250)
	wait_for(lambda: len(maildir_files()) == before + 20)
	EOF
	eventually queue_empty
}

@test "special addresses: refused for good comes back, refused for now waits" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	def send(to, extra=""):
	    s.expect(250, "MAIL FROM:<mox@localhost>")
	    s.expect(250, f"RCPT TO:<{to}>")
	    s.expect(354, "DATA")
	    s.expect(250, f"From: <mox@localhost>\r\n{extra}\r\nx\r\n.")
	def texts():
	    return [open(f, encoding="latin1").read() for f in maildir_files()]
	send("a.554@far.example")
	wait_for(lambda: any("Subject: mail delivery failed" in t and "a.554@far.example" in t for t in texts()))
	send("a.451@far.example")
	EOF
	eventually sh -c "grep -q '^delayed .* 451 ' '$DIR'/data/queue/due/*/*.1"
	rm "$DIR"/data/queue/due/*/*.1 "$DIR"/data/queue/msg/*/*.1
}

@test "what the header says: TLS-Required, X-Mox-Extra; HOLDFOR" {
	py <<-'EOF'
	from mailtest import *
	import glob
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	def send(fields, code, params=" HOLDFOR=3600"):
	    s.expect(250, "MAIL FROM:<mox@localhost>" + params)
	    s.expect(250, "RCPT TO:<later@far.example>")
	    s.expect(354, "DATA")
	    got, texts = s.cmd(f"From: <mox@localhost>\r\n{fields}\r\nx\r\n.")
	    eq((fields, got), (fields, code))
	def items():
	    return [open(f).read() for f in glob.glob(DIR + "/data/queue/due/2*/*.1")]
	send("TLS-Required: No\r\nX-Mox-Extra-Order: 12\r\n 13\r\nX-Mox-Extra-b: c\r\n", 250)
	wait_for(lambda: len(items()) == 1)
	text = items()[0]
	assert "\nrequiretls no\n" in text, text
	assert "\nextra Order 12 13\n" in text and "\nextra b c\n" in text, text
	assert "\nuntil 2" in text, text
	send("TLS-Required: No\r\nTLS-Required: Yes\r\n", 250)
	wait_for(lambda: len(items()) == 2)
	assert [("requiretls" in t) for t in items()].count(False) == 1
	send("X-Mox-Extra-A: 1\r\nx-mox-extra-a: 2\r\n", 554)
	send("X-Mox-Extra-A: " + "y" * 20000 + "\r\n", 554)
	EOF
	rm "$DIR"/data/queue/due/2*/*.1 "$DIR"/data/queue/msg/*/*.1
}

@test "DSN: success is told to who asks, with the ENVID and ORCPT given; NEVER is" {
	py <<-'EOF'
	from mailtest import *
	import email
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	def send(to, mail="", rcpt=""):
	    s.expect(250, f"MAIL FROM:<mox@localhost>{mail}")
	    s.expect(250, f"RCPT TO:<{to}>{rcpt}")
	    s.expect(354, "DATA")
	    s.expect(250, "From: <mox@localhost>\r\nSubject: dsn test\r\n\r\nx\r\n.")
	def dsns():
	    for f in maildir_files():
	        m = email.message_from_file(open(f, encoding="latin1"))
	        if m.get_content_type() == "multipart/report":
	            yield m.get_payload()[1].as_string()
	send("never.554@far.example", rcpt=" NOTIFY=NEVER")
	send("asks@far.example", " RET=HDRS ENVID=QQ+2B314", " NOTIFY=SUCCESS ORCPT=rfc822;As+3DKS@far.example")
	wait_for(lambda: any("QQ+314" in d for d in dsns()))
	d = [d for d in dsns() if "QQ+314" in d][0]
	assert "Action: delivered" in d, d
	assert "As=KS@far.example" in d, d
	assert not any("never.554" in d for d in dsns())
	EOF
}

@test "signed by the domain in From, with what we added" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	for i in range(2):
	    s.expect(250, "MAIL FROM:<mox@sign.example>")
	    s.expect(250, "RCPT TO:<signed@far.example>")
	    s.expect(354, "DATA")
	    s.expect(250, "From: <mox@sign.example>\r\nSubject: signed\r\n\r\nx\r\n..dot \r\n.")
	def signed():
	    return [f for f in maildir_files() if "Subject: signed" in open(f).read()]
	wait_for(lambda: len(signed()) == 2)
	text = open(signed()[0]).read()
	eq(text.count("DKIM-Signature: "), 2)
	# What mox-local put before it is not signed.
	text = text[text.index("DKIM-Signature: "):].replace("\n", "\r\n")
	open(DIR + "/signed.eml", "w", newline="").write(text)
	EOF
	for s in ed rsa; do
		printf '%s._domainkey.sign.example TXT %s\n' $s \
			"$(mox-dkim txt <"$DIR/dkim/$s.pem" | grep -o '"[^"]*"' | tr '\n' ' ')"
	done >"$DIR/zone"
	run env MOX_DNS_ZONE="$DIR/zone" mox-dkim verify "$DIR/signed.eml"
	echo "$output"
	[ "$(grep -c 'status "pass"' <<<"$output")" = 2 ]
	grep -qi 'h=.*message-id' <<<"${output//$'\n'/ }"
}

@test "unique MAIL FROM for logins that ask for it" {
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain("fromid@localhost")[0], 235)
	def send(sender, to, code=250):
	    s.expect(250, f"MAIL FROM:<{sender}>")
	    for one in to:
	        s.expect(250, f"RCPT TO:<{one}>")
	    s.expect(354, "DATA")
	    eq(s.cmd("From: <mox@localhost>\r\nSubject: fromid\r\n\r\nx\r\n.")[0], code)
	def froms():
	    texts = [open(f).read() for f in maildir_files()]
	    return [re.search(r"^Return-Path: <(.*)>$", t, re.M)[1] for t in texts if "Subject: fromid" in t]
	send("mox@localhost", ["a@far.example", "b@far.example"])
	wait_for(lambda: len(froms()) == 2)
	assert all(re.fullmatch(r"mox\+[\w-]{22}@localhost", f) for f in froms()), froms()
	eq(len(set(froms())), 2)
	send("mox+mine@localhost", ["a@far.example"])
	wait_for(lambda: "mox+mine@localhost" in froms())
	send("mox+mine@localhost", ["a@far.example", "b@far.example"], 554)
	EOF
}

@test "limits of an account: recipients a day, new ones" {
	sed -i 's/^\t\tDomain: localhost/&\n\t\tMaxFirstTimeRecipientsPerDay: 200\n\t\tMaxOutgoingMessagesPerDay: 60/' "$DIR/domains.conf"
	sleep 1.2
	py <<-'EOF'
	from mailtest import *
	s = Smtp(1465, tls=True)
	eq(s.auth_plain()[0], 235)
	def send():
	    s.expect(250, "MAIL FROM:<mox@localhost>")
	    s.expect(250, "RCPT TO:<limit@far.example>")
	    s.expect(354, "DATA")
	    return s.cmd("From: <mox@localhost>\r\n\r\nx\r\n.")
	for n in range(80):
	    code, texts = send()
	    if code != 250:
	        break
	assert 0 < n < 60, n
	eq((code, texts[0][:39]), (451, "4.7.1 more than 60 recipients in 24 hou"))
	EOF
}
