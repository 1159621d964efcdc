#!/usr/bin/env bats
# Mail that is passed on: aliases, forwards of accounts; ARC, SRS, and
# notifications. A host of ours, example.org on $IP; there.example on $THERE is
# another of ours, good.example on 127.7.0.1 a sender.

load helper
load host

setup() {
	need openssl
	[ "$(id -u)" = 0 ] || skip "needs root"
	/usr/bin/python3 -c 'import dkim, nacl' || skip "no dkimpy here: make deps"
	IP=$(own_ip) THERE=$(own_ip)
	export IP THERE
	make_tree
	make_host
	export TREE DIR=$TREE
	keys
	domains
	zone
	words
}

teardown() {
	stop_background
	remove_tree
}

keys() {
	mkdir -p secret/dkim
	mox-dkim genrsa >secret/dkim/rsa.pem
	mox-dkim gened25519 >secret/dkim/ed.pem
	mox-dkim genrsa >good.pem
	chown -R "$HOST_USER" secret
}

domains() {
	cat >config/domains.conf <<'CONF'
Domains:
	example.org:
		DKIM:
			Selectors:
				ed:
					PrivateKeyFile: ../secret/dkim/ed.pem
				rsa:
					PrivateKeyFile: ../secret/dkim/rsa.pem
			Sign:
				- ed
				- rsa
		Aliases:
			staff:
				Addresses:
					- anna@example.org
					- bob@example.org
				PostPublic: true
	plain.example.org:
		Aliases:
			staff:
				Addresses:
					- anna@example.org
				PostPublic: true
Accounts:
	anna:
		Domain: example.org
		Destinations:
			anna@example.org: nil
		NoFirstTimeSenderDelay: true
	bob:
		Domain: example.org
		Destinations:
			bob@example.org: nil
		NoFirstTimeSenderDelay: true
CONF
	# What is for there.example goes there, all else nowhere.
	cat >>config/mox.conf <<CONF
Transports:
	there:
		SMTP:
			Host: $THERE
			Port: 1025
			NoSTARTTLS: true
CONF
	printf 'Routes:\n\t-\n\t\tTransport: there\n' >>config/domains.conf
	for account in anna bob; do
		echo 'correct horse' | mox-setaccountpassword $account >/dev/null
	done
}

# publish KEY SELECTOR DOMAIN
publish() {
	mox-dkim -json txt <"$1" | python3 -c 'import json,sys
print(sys.argv[1] + " TXT \"" + json.load(sys.stdin)["Record"] + "\"")' \
		"$2._domainkey.$3" >>config/zone
}

zone() {
	cat >config/zone <<-EOF
	good.example           A    127.7.0.1
	good.example           TXT  "v=spf1 ip4:127.7.0.1 -all"
	_dmarc.good.example    TXT  "v=DMARC1; p=reject"
	forged.example         A    127.7.0.1
	forged.example         TXT  "v=spf1 ip4:127.7.0.9 -all"
	mail.example.org       A    $IP
	example.org            A    $IP
	example.org            TXT  "v=spf1 ip4:127.0.0.0/8 -all"
	_dmarc.example.org     TXT  "v=DMARC1; p=none"
	there.example          A    $THERE
	EOF
	publish secret/dkim/rsa.pem rsa example.org
	publish secret/dkim/ed.pem ed example.org
	publish good.pem good good.example
	export MOX_DNS_ZONE=$TREE/config/zone
}

# The other host: takes all mail, for the account mox.
start_there() {
	background mox-localserve -dir "$TREE/there" -ip "$THERE" \
		>"$TREE/there.out" 2>"$TREE/there.log"
	eventually grep -q 'mox is ready' "$TREE/there.out"
}

words() {
	cat >"$TREE/words.py" <<'EOF2'
import glob, subprocess
import dkim, dkim_peers
from mailtest import *
TREE, THERE = os.environ["TREE"], os.environ["THERE"]
GOOD = "127.7.0.1"

def mailbox(account="anna", there=False):
    path = TREE + ("/there" if there else "") + f"/data/accounts/{account}/Maildir/"
    return sorted(glob.glob(path + "new/*") + glob.glob(path + "cur/*"),
        key=lambda f: os.stat(f).st_ctime_ns)

def there():
    return mailbox("mox", True)

def read(path):
    return open(path, "rb").read().replace(b"\n", b"\r\n").decode()

def field(text, name):
    head = re.sub(r"\r\n[ \t]+", " ", text.split("\r\n\r\n", 1)[0])
    return [l.split(": ", 1)[1] for l in head.split("\r\n") if l.startswith(name + ": ")]

def signed(text, domain="good.example"):
    return (dkim.sign(text.encode(), b"good", domain.encode(), open(TREE + "/good.pem", "rb").read())
        + text.encode()).decode()

def mail(domain="good.example", subject="hello"):
    return signed(message(subject).replace("a@example.org", "a@" + domain))

def send(to, text, sender="a@good.example", ip=IP, mail_args="", rcpt_args="", source=GOOD):
    """The first answer that is no consent, or that to the message."""
    s = Smtp(1025, source=source, ip=ip)
    for line in (f"MAIL FROM:<{sender}>{mail_args}", f"RCPT TO:<{to}>{rcpt_args}", "DATA", text + "."):
        code, texts = s.cmd(line)
        if code >= 400:
            break
    s.cmd("QUIT")
    return code, texts[0]

def sealed(text, n=1):
    """By our own tool, and by dkimpy."""
    with open(TREE + "/text", "w", newline="") as f:
        f.write(text)
    got = subprocess.run(["mox-arc", "verify", TREE + "/text"], capture_output=True, text=True).stdout
    assert got.startswith(f"status: pass\nsets: {n}\noldest pass: 0\n"), got
    keys = dkim_peers.dnsfunc(dkim_peers.zone_keys(TREE + "/config/zone"))
    cv, sets, why = dkim.arc_verify(text.encode(), dnsfunc=keys)
    eq((cv, why), (b"pass", "success"))
    return got
EOF2
}

py() { cat "$TREE/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -; }

@test "alias: sealed for its members, as others verify it" {
	start_serve
	start_there
	py <<-'EOF'
	eq(send("staff@example.org", mail())[0], 250)
	for account in ("anna", "bob"):
	    text = read(mailbox(account)[0])
	    assert "sealed by example.org, said mail.example.org;" in sealed(text)
	    aar = field(text, "ARC-Authentication-Results")[0]
	    assert "dkim=pass" in aar and "spf=pass" in aar and "dmarc=pass" in aar, aar
	    assert "arc=none smtp.remote-ip=127.7.0.1" in aar, aar
	    eq(field(text, "ARC-Seal")[0].split("; ")[1:4], ["a=rsa-sha256", "d=example.org", "s=rsa"])
	# What has a chain gets one set more; another server of ours agrees.
	eq(send("mox@localhost", text, "a@good.example", THERE)[0], 250)
	results = field(read(there()[-1]), "Authentication-Results")[0]
	assert "arc=pass (i=1, sealed by example.org)" in results, results
	eq(send("staff@example.org", text)[0], 250)
	again = read(mailbox("bob")[-1])
	sealed(again, 2)
	assert "arc=pass" in field(again, "ARC-Authentication-Results")[0]
	# Broken on the way: said so, once.
	eq(send("staff@example.org", again.replace("works", "breaks"))[0], 250)
	broken = read(mailbox("bob")[-1])
	eq(field(broken, "ARC-Seal")[0].split("; ")[0], "i=3")
	assert "cv=fail" in field(broken, "ARC-Seal")[0]
	eq(send("staff@example.org", broken)[0], 250)
	eq(len(field(read(mailbox("bob")[-1]), "ARC-Seal")), 3)
	EOF
}

@test "alias: no seal without a key, for an account, for what has no author" {
	start_serve
	py <<-'EOF'
	for to in ("staff@plain.example.org", "anna@example.org"):
	    eq(send(to, mail())[0], 250)
	    eq(field(read(mailbox()[-1]), "ARC-Seal"), [])
	eq(send("staff@example.org", "Subject: nobody\r\n\r\n")[0], 250)
	eq(field(read(mailbox()[-1]), "ARC-Seal"), [])
	EOF
	mv secret/dkim/rsa.pem secret/dkim/away.pem
	py <<-'EOF'
	eq(send("staff@example.org", mail())[0], 250)
	eq(field(read(mailbox()[-1]), "ARC-Seal"), [])
	EOF
	grep -q 'm="not sealed".*domain=example.org.*rsa.pem' serve.log
}

# forward_file ACCOUNT LINE...
forward_file() {
	local account=$1
	shift
	mkdir -p "data/accounts/$account"
	printf '%s\n' "$@" >"data/accounts/$account/forward"
	chown -R "$HOST_USER" "data/accounts/$account"
}

@test "forward: rewritten, sealed, as it was; kept here or not" {
	forward_file anna '# the office' office@there.example
	forward_file bob keep 'one@there.example' 'two@there.example'
	start_serve
	start_there
	py <<-'EOF'
	text = mail()
	eq(send("anna@example.org", text)[0], 250)
	wait_for(lambda: len(there()) == 1)
	eq(mailbox("anna"), [])
	got = read(there()[0])
	sealed(got)
	assert got.endswith(text), got
	m = re.fullmatch(r"<SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=good.example=a@example.org>", field(got, "Return-Path")[0])
	assert m, field(got, "Return-Path")
	eq(field(got, "Delivered-To"), ["office@there.example", "anna@example.org"])
	results = field(got, "Authentication-Results")
	assert "spf=pass" in results[0] and "arc=pass (i=1, sealed by example.org)" in results[0], results
	assert "dkim=pass" in results[0] and "dmarc=pass" in results[0], results
	assert results[1].startswith("mail.example.org; ") and "smtp.mailfrom=a@good.example" in results[1]
	assert " for <anna@example.org>;" in field(got, "Received")[1], field(got, "Received")
	eq(send("bob@example.org", mail(subject="both"))[0], 250)
	wait_for(lambda: len(there()) == 2)
	eq(len(mailbox("bob")), 1)
	eq(field(read(mailbox("bob")[0]), "Return-Path"), ["<a@good.example>"])
	# Members of an alias have theirs, too: once.
	eq(send("staff@example.org", mail(subject="all"))[0], 250)
	wait_for(lambda: len(there()) == 4)
	eq(len(mailbox("bob")), 2)
	# The null sender stays; ours need not be rewritten.
	eq(send("anna@example.org", mail(subject="null"), sender="")[0], 250)
	eq(send("anna@example.org", mail(subject="ours"), sender="bob@example.org")[0], 250)
	wait_for(lambda: len(there()) == 6)
	eq(sorted(field(read(f), "Return-Path")[0] for f in there()[4:]), ["<>", "<bob@example.org>"])
	EOF
	grep 'm="passed on"' serve.log | grep -q 'to=one@there.example recipients=2'
	grep 'm="delivered"' serve.log | grep -q 'to=two@there.example'
	[ "$(stat -c '%a %s' data/srs.key)" = '600 32' ]
}

@test "forward: submissions, to accounts here, and no loops" {
	forward_file anna bob@example.org
	forward_file bob anna@example.org bob@example.org
	start_serve
	start_there
	py <<-'EOF'
	# bob has a copy, and passes it on to who passed it on: refused for anna.
	eq(send("anna@example.org", mail())[0], 250)
	wait_for(lambda: len(mailbox("bob")) >= 1)
	got = read(mailbox("bob")[0])
	eq(field(got, "Delivered-To"), ["bob@example.org", "anna@example.org"])
	assert field(got, "Return-Path")[0].startswith("<SRS0=")
	s = Smtp(1465, tls=True)
	eq(s.auth_plain("anna@example.org", "correct horse")[0], 235)
	s.expect(250, "MAIL FROM:<anna@example.org>")
	s.expect(250, "RCPT TO:<bob@example.org>")
	s.expect(354, "DATA")
	s.expect(250, "From: <anna@example.org>\r\nSubject: from a user\r\n\r\nx\r\n.")
	wait_for(lambda: any("from a user" in read(f) for f in mailbox("bob")))
	# A copy that comes back from outside: kept where there is a copy ...
	eq(send("bob@example.org", "Delivered-To: bob@Example.Org\r\n" + mail(subject="back"))[0], 250)
	wait_for(lambda: any("Subject: back" in read(f) for f in mailbox("bob")))
	# ... and refused where there is none.
	code, answer = send("anna@example.org", "Received: x\r\nDelivered-To: <anna@example.org>\r\n" + mail())
	eq((code, answer[:6]), (554, "5.4.6 "))
	# Its sender is told.
	wait_for(lambda: any("Diagnostic-Code: smtp; 554 5.4.6 mail loop" in read(f) for f in there()))
	EOF
	eventually sh -c '[ -z "$(find data/queue/todo data/queue/due data/queue/active -type f ! -name .lock)" ]'
}

@test "forward: a file that is wrong keeps mail at its sender; addresses are checked" {
	forward_file anna office@there.example 'second line'
	forward_file bob '# for later'
	start_serve
	py <<-'EOF'
	code, answer = send("anna@example.org", mail())
	eq((code, answer[:6]), (451, "4.3.5 "))
	eq(send("bob@example.org", mail())[0], 250)
	eq(len(mailbox("bob")), 1)
	EOF
	grep -q 'm="cannot be forwarded".*account anna: forward, line 2' serve.log
	run mox-verifydata data
	[ "$status" = 1 ]
	[[ $output == *anna*forward*"line 2"* ]]
}

@test "forward: never what was refused, nor what may be forged as ours" {
	forward_file anna office@there.example
	start_serve
	start_there
	py <<-'EOF'
	forged = message("forged").replace("a@example.org", "a@good.example")
	eq(send("anna@example.org", forged, source="127.7.0.2")[0], 550)
	# From one of ours, by who is not: p=none would let it through, as us.
	ours = message("ours").replace("a@example.org", "bob@example.org")
	eq(send("anna@example.org", ours)[0], 250)
	eq(len(mailbox("anna")), 1)
	eq(send("anna@example.org", mail())[0], 250)
	wait_for(lambda: len(there()) == 1)
	assert "Subject: hello" in read(there()[0])
	EOF
	grep -q 'not forwarded: may be forged.*account=anna' serve.log
}

@test "SRS: notifications find their way back, and nothing else does" {
	forward_file anna office@there.example
	start_serve
	start_there
	py <<-'EOF'
	eq(send("anna@example.org", mail())[0], 250)
	wait_for(lambda: len(there()) == 1)
	srs = field(read(there()[0]), "Return-Path")[0][1:-1]
	note = message("returned").replace("a@example.org", "postmaster@good.example")
	eq(send(srs, signed(note), sender="")[0], 250)
	wait_for(lambda: len(there()) == 2)
	got = read(there()[1])
	assert "Subject: returned" in got
	eq(field(got, "Return-Path"), ["<>"])
	eq(field(got, "Delivered-To"), ["a@good.example", srs])
	# Case may have been lost.
	eq(send(srs.lower(), signed(note), sender="")[0], 250)
	wait_for(lambda: len(there()) == 3)
	def refused(address, sender="", code="550 5.1.1"):
	    got = send(address, signed(note), sender=sender)
	    eq((address, f"{got[0]} {got[1][:5]}"), (address, code))
	refused(srs, "a@good.example", "550 5.7.1")
	refused(srs.replace("good.example=a@", "good.example=b@"))
	refused(srs.replace("good.example=a@", "there.example=a@"))
	refused(srs.replace("@example.org", "@plain.example.org"))
	refused(srs[:5] + "A" * 8 + srs[13:])
	refused(srs.replace("SRS0", "SRS1"))
	refused("SRS0=@example.org")
	refused("srs1+AAAAAAAA=there.example==x=y=good.example=a@example.org")
	# Only users submit, and not to these.
	s = Smtp(1465, tls=True)
	eq(s.auth_plain("anna@example.org", "correct horse")[0], 235)
	s.expect(250, "MAIL FROM:<>")
	eq(s.cmd(f"RCPT TO:<{srs}>")[0], 550)
	open(TREE + "/srs", "w").write(srs)
	EOF
	# Three weeks later.
	mox-stop
	date -d '+22 days' +%s >data/tmp/now
	chmod 644 data/tmp/now
	export MOX_FAKE_TIME=$TREE/data/tmp/now
	start_serve
	py <<-'EOF'
	code, answer = send(open(TREE + "/srs").read(), signed(message("late").replace("a@example.org", "b@good.example")), sender="")
	eq((code, answer[:5]), (550, "5.1.1"))
	assert "old message" in answer, answer
	EOF
}

@test "SRS: a second forward on the way, and addresses that are none" {
	forward_file anna office@there.example
	start_serve
	start_there
	py <<-'EOF'
	def passed(sender):
	    n = len(there())
	    eq(send("anna@example.org", mail(), sender=sender)[0], 250)
	    wait_for(lambda: len(there()) > n)
	    return field(read(there()[-1]), "Return-Path")[0]
	got = passed("SRS0=ab1C=XY=first.example=anna@good.example")
	assert re.fullmatch(r"<SRS1=[A-Z2-7]{8}=good.example==ab1C=XY=first.example=anna@example.org>", got), got
	note = message("returned").replace("a@example.org", "postmaster@good.example")
	eq(send(got[1:-1], signed(note), sender="")[0], 250)
	# (which is nobody's there)
	log = lambda: open(TREE + "/serve.log").read()
	wait_for(lambda: 'to="SRS0=ab1C=XY=first.example=anna@good.example" host=' in log())
	# Quoted, so that no one takes it for more than it is.
	got = passed('"a b> RCPT TO:<x"@good.example')
	assert re.fullmatch(r'<"SRS0=[A-Z2-7]{8}=..=good.example=a b> RCPT TO:<x"@example.org>', got), got
	# Longer than 64 is usual; too long for any path, and it is the forwarder's.
	for n, sender in (100, "SRS0="), (230, "anna@example.org"):
	    eq(send("anna@example.org", mail(), sender="x" * n + "@good.example")[0], 250)
	    wait_for(lambda: re.search(f'm="passed on".* from="?{sender}', log()))
	assert "good.example=" + "x" * 100 + "@example.org" in log()
	EOF
}

@test "DSN: failures of what is forwarded, signed, to the sender; not to a forged one" {
	forward_file anna rcptto550@there.example
	start_serve
	start_there
	py <<-'EOF'
	eq(send("anna@example.org", mail(), mail_args=" RET=HDRS ENVID=QQ1+2B")[0], 250)
	wait_for(lambda: len(there()) == 1)
	got = read(there()[0])
	eq(field(got, "Return-Path"), ["<>"])
	eq(field(got, "Delivered-To"), ["a@good.example"])
	eq(field(got, "From"), ["postmaster@mail.example.org"])
	results = field(got, "Authentication-Results")[0]
	eq(results.count("dkim=pass"), 2)
	assert "header.d=example.org header.s=rsa" in results and "dmarc=pass" in results, results
	assert "header.d=example.org header.s=ed" in results, results
	for line in ("Original-Envelope-Id: QQ1+", "Final-Recipient: rfc822; rcptto550@there.example",
	        "Original-Recipient: rfc822; anna@example.org", "Action: failed",
	        "Received-From-MTA: dns; "):
	    assert line in got, (line, got)
	# SPF says that it is not him: the account is told.
	forged = message("forged").replace("a@example.org", "a@forged.example")
	eq(send("anna@example.org", forged, sender="a@forged.example")[0], 250)
	wait_for(lambda: len(mailbox("anna")) == 1)
	assert "Final-Recipient: rfc822; rcptto550@there.example" in read(mailbox("anna")[0])
	# Nobody is told who does not want to be.
	eq(send("anna@example.org", mail(), rcpt_args=" NOTIFY=NEVER")[0], 250)
	eq(send("anna@example.org", mail(), sender="")[0], 250)
	EOF
	eventually sh -c '[ "$(grep -c "m=.failed. .*rcptto550" serve.log)" -ge 4 ]'
	eventually sh -c '[ -z "$(find data/queue/todo data/queue/due data/queue/active -type f ! -name .lock)" ]'
	[ "$(grep -c 'm="notification"' serve.log)" = 2 ]
}

@test "DSN: success, on port 25; what goes on keeps what was asked for" {
	forward_file bob keep office@there.example
	start_serve
	start_there
	py <<-'EOF'
	s = Smtp(1025, source=GOOD)
	assert "DSN" in s.extensions
	def told(to, n=1, **args):
	    before = len(there())
	    eq(send(to, mail(), **args)[0], 250)
	    wait_for(lambda: len(there()) == before + n)
	    return [t for t in map(read, there()[before:]) if "multipart/report" in t]
	got, = told("anna@example.org", mail_args=" ENVID=e1", rcpt_args=" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Anna+2BX@old.example")
	assert "Action: delivered" in got and "Original-Recipient: rfc822; Anna+X@old.example" in got, got
	assert "Original-Envelope-Id: e1" in got and "Final-Recipient: rfc822; anna@example.org" in got, got
	assert "dkim=pass" in field(got, "Authentication-Results")[0]
	got, = told("staff@example.org", 2, rcpt_args=" NOTIFY=SUCCESS")
	assert "Action: expanded" in got and "Final-Recipient: rfc822; staff@example.org" in got, got
	# A copy here: told by us, and not once more by the next host.
	got, = told("bob@example.org", 2, rcpt_args=" NOTIFY=SUCCESS")
	assert "Action: delivered" in got and "rfc822; bob@example.org" in got, got
	open(TREE + "/data/accounts/bob/forward", "w").write("office@there.example\n")
	# All of it there: the next host has to tell, and does, to the sender's new address.
	n = len(there())
	eq(send("bob@example.org", mail(), mail_args=" RET=HDRS ENVID=e2", rcpt_args=" NOTIFY=SUCCESS")[0], 250)
	wait_for(lambda: len(there()) >= n + 1)
	# Nobody who may be forged is told, nor the null sender.
	forged = message("forged").replace("a@example.org", "a@forged.example")
	eq(send("anna@example.org", forged, sender="a@forged.example", rcpt_args=" NOTIFY=SUCCESS")[0], 250)
	eq(send("anna@example.org", mail(), sender="", rcpt_args=" NOTIFY=SUCCESS")[0], 250)
	EOF
	eventually sh -c '[ -z "$(find data/queue/todo data/queue/due data/queue/active -type f ! -name .lock)" ]'
	[ "$(grep -c 'm="notification"' serve.log)" = 3 ]
	# What was asked for went there: it tells, by the address that leads back.
	eventually grep -q 'm="notification".*to="\?SRS0=' there.log
}
