#!/usr/bin/env bats
# Recipients who take mail of confirmed authors only
# (MessageAuthRequiredSMTPError), and a DNS that does not answer.

load helper
load host

setup() {
	[ "$(id -u)" = 0 ] || skip 'not root'
	make_tree
	IP=$(own_ip)
	export IP TREE
}

teardown() {
	stop_background
	remove_tree
}

start_host() {
	make_host
	cat >config/domains.conf <<'CONF'
Domains:
	example.org:
		Aliases:
			all:
				PostPublic: true
				Addresses:
					- picky@example.org
Accounts:
	anna:
		Domain: example.org
		Destinations:
			anna@example.org: nil
			picky@example.org:
				MessageAuthRequiredSMTPError: sign your mail
			picky2@example.org:
				Mailbox: Two
				MessageAuthRequiredSMTPError: sign your mail
			strict@example.org:
				MessageAuthRequiredSMTPError: another text
		NoFirstTimeSenderDelay: true
CONF
	cat >config/zone
	chown "$HOST_USER" config/zone
	start_serve
}

# What mailtest has, and a session at MAIL.
py() {
	cat - <(cat) <<-'EOF' | PYTHONPATH=$BATS_TEST_DIRNAME MOX_TEST_TIMEOUT=90 python3 -
	from mailtest import *
	import time
	def mail(sender, *rcpts):
	    s = Smtp(source="127.7.0.1", ehlo=False)
	    s.expect(250, "EHLO mx.good.example")
	    s.expect(250, f"MAIL FROM:<{sender}>")
	    for r in rcpts:
	        s.expect(250, f"RCPT TO:<{r}@example.org>")
	    return s
	def text(author, header=""):
	    return header + message("hello").replace("a@example.org", author)
	def answer(s, text):
	    s.expect(354, "DATA")
	    code, texts = s.cmd(text + ".")
	    return code, re.sub(r" \([^ ]*\)$", "", texts[0])
	EOF
}

inbox() { ls data/accounts/anna/Maildir/new 2>/dev/null | wc -l; }

@test "mail of authors that neither SPF nor DKIM confirms is refused by those who want it so" {
	start_host <<-'EOF'
	good.example         A   127.7.0.1
	good.example         TXT "v=spf1 ip4:127.7.0.1 -all"
	sub.good.example     A   127.7.0.1
	other.example        A   127.7.0.1
	lost.example         A   127.7.0.1
	_dmarc.lost.example  FAIL
	EOF
	py <<-'EOF'
	good, refusal = (250, "2.0.0 accepted"), (550, "5.7.26 sign your mail")
	eq(answer(mail("a@good.example", "picky"), text("a@good.example")), good)
	eq(answer(mail("a@good.example", "picky"), text("b@SUB.good.example")), good)
	eq(answer(mail("a@other.example", "picky"), text("a@other.example")), refusal)
	eq(answer(mail("a@good.example", "picky"), text("a@other.example")), refusal)
	eq(answer(mail("a@good.example", "picky"), "Subject: no author\r\n\r\n"), refusal)
	# Others do not mind, nor does an alias.
	eq(answer(mail("a@other.example", "anna"), text("a@other.example")), good)
	eq(answer(mail("a@other.example", "all"), text("a@other.example")), good)
	# What DNS does not say now it may say later.
	eq(answer(mail("a@other.example", "picky"), text("a@lost.example")),
	    (451, "4.7.26 cannot be verified now: sign your mail"))
	# One answer is for all: who wants something else comes apart.
	s = mail("a@good.example", "picky", "picky2")
	for to in ("anna", "strict", "all"):
	    code, texts = s.cmd(f"RCPT TO:<{to}@example.org>")
	    eq((code, texts[0][:6]), (452, "4.5.3 "))
	eq(answer(s, text("a@other.example")), refusal)
	s = mail("a@good.example", "anna")
	eq(s.cmd("RCPT TO:<picky@example.org>")[0], 452)
	eq(answer(s, text("a@other.example")), good)
	EOF
	[ "$(inbox)" = 5 ]
}

# A name server that answers questions about addresses and where mail goes,
# and nothing else, ever.
silent_server() {
	cat >silent.py <<-'EOF'
	import os, socket, struct
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind((os.environ["IP"], 5353))
	print("ready", flush=True)
	while True:
	    q, peer = s.recvfrom(4096)
	    at = 12
	    while q[at]:
	        at += 1 + q[at]
	    kind = struct.unpack(">H", q[at + 1:at + 3])[0]
	    if kind not in (1, 28, 15) or b"\6silent" in q[:at]:
	        continue
	    found = kind == 1
	    s.sendto(q[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, found, 0, 0) + q[12:at + 5] +
	        (b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x7f\7\0\1" if found else b""), peer)
	EOF
	background python3 silent.py >silent.log
	eventually grep -q ready silent.log
}

@test "a DNS that does not answer: temporary errors, each in its time, and mail goes on" {
	export MOX_RESOLVER=$IP@5353 MOX_TRUST_ANCHOR=none
	silent_server
	start_host </dev/null
	sed -i '/^DNS:/,$d' config/mox.conf
	stop_serve() { kill -TERM "$SERVE_PID"; wait "$SERVE_PID"; }
	stop_serve || :
	start_serve
	py <<-'EOF'
	signature = ("DKIM-Signature: v=1; a=ed25519-sha256; d=good.example; s=x; h=from:subject;\r\n"
	    " bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n")
	begin = time.monotonic()
	s = mail("a@good.example", "anna")
	# Whether a second one may get it is not known now, so it may not.
	eq(s.cmd("RCPT TO:<anna+x@example.org>")[1][0][:46], "4.5.3 one recipient at a time without SPF pass")
	eq(answer(s, text("a@good.example", signature)), (250, "2.0.0 accepted"))
	took = time.monotonic() - begin
	# Asked side by side: one time-out of 20 s, not one for each.
	assert took < 59, took
	begin = time.monotonic()
	s = Smtp(source="127.7.0.1", ehlo=False)
	s.expect(250, "EHLO mx.good.example")
	eq(s.cmd("MAIL FROM:<a@silent.example>")[1][0][:6], "4.4.0 ")
	assert time.monotonic() - begin < 59
	EOF
	[ "$(inbox)" = 1 ]
	# All of it said in the header.
	python3 - data/accounts/anna/Maildir/new/* <<-'EOF'
	import re, sys
	head = re.sub(r"\n[ \t]+", " ", open(sys.argv[1]).read().split("\n\n")[0])
	line = re.search(r"^Authentication-Results: (.*)$", head, re.M)[1]
	found = re.findall(r"; (\w+=\w+)", line)
	# libunbound itself knows the names of 127.0.0.0/8.
	assert found == ["iprev=permerror", "dkim=temperror", "spf=temperror", "dmarc=temperror"], line
	assert line.count("no answer in time") + line.count("SERVFAIL") == 3, line
	assert re.search(r"^Received-SPF: temperror ", head, re.M), head
	EOF
}
