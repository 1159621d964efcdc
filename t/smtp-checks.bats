#!/usr/bin/env bats
# Who sent this? Mail to port 25 under a private DNS: iprev, SPF, DKIM, ARC,
# DMARC, each with the answer and the header it must have.

load helper
load dns

# Clients are addresses of 127.7.0.0/24; the first is that of good.example.
zone() {
	cat <<-'EOF'
	mx.good.example           A    127.7.0.1
	1.0.7.127.in-addr.arpa    PTR  mx.good.example
	2.0.7.127.in-addr.arpa    PTR  mx.good.example
	3.0.7.127.in-addr.arpa    FAIL
	good.example              MX   10 mx.good.example
	good.example              TXT  "v=spf1 ip4:127.7.0.1 -all"
	_dmarc.good.example       TXT  "v=DMARC1; p=reject"
	sub.good.example          A    127.7.0.1
	sub.good.example          TXT  "v=spf1 a -all"
	quarantine.example        A    127.7.0.1
	quarantine.example        TXT  "v=spf1 ip4:127.7.0.1 -all"
	_dmarc.quarantine.example TXT  "v=DMARC1; p=quarantine"
	none.example              A    127.7.0.1
	none.example              TXT  "v=spf1 ip4:127.7.0.1 -all"
	_dmarc.none.example       TXT  "v=DMARC1; p=none"
	strict.example            A    127.7.0.1
	_dmarc.strict.example     TXT  "v=DMARC1; p=reject; adkim=s; aspf=s"
	sub.strict.example        A    127.7.0.1
	sub.strict.example        TXT  "v=spf1 ip4:127.7.0.1 -all"
	spared.example            A    127.7.0.1
	_dmarc.spared.example     TXT  "v=DMARC1; p=reject; pct=0"
	lost.example              A    127.7.0.1
	_dmarc.lost.example       FAIL
	wrong.example             A    127.7.0.1
	_dmarc.wrong.example      TXT  "v=DMARC1; p=whatever"
	soft.example              A    127.7.0.1
	soft.example              TXT  "v=spf1 ip4:127.7.0.9 ~all"
	fail.example              A    127.7.0.1
	fail.example              TXT  "v=spf1 ip4:127.7.0.9 -all"
	neutral.example           A    127.7.0.1
	neutral.example           TXT  "v=spf1 ?all"
	plain.example             A    127.7.0.1
	temp.example              A    127.7.0.1
	temp.example              TXT  "v=spf1 include:down.example -all"
	perm.example              A    127.7.0.1
	perm.example              TXT  "v=spf1 ip4:1 -all"
	null.example              MX   0 .
	text.example              TXT  "no address"
	down.example              FAIL
	helo.example              TXT  "v=spf1 ip4:127.7.0.1 -all"
	helo.example              A    127.7.0.1
	lost._domainkey.good.example FAIL
	bad._domainkey.good.example  TXT "v=DKIM1; p=%%%"
	EOF
}

# publish KEY SELECTOR DOMAIN: into the zone.
publish() {
	mox-dkim -json txt <"$1" | python3 -c 'import json,sys
print(sys.argv[1] + " TXT \"" + json.load(sys.stdin)["Record"] + "\"")' \
		"$2._domainkey.$3" >>zone
}

# What mox-dkim signs with: both kinds of keys.
signing_config() {
	mkdir config
	printf 'DataDir: ../data\nUser: %s\nHostname: mx.good.example\nLogLevel: info\n' \
		"$(id -un)" >config/mox.conf
	printf 'Listeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\nPostmaster:\n\tAccount: a\n\tMailbox: Inbox\n' \
		>>config/mox.conf
	{
		printf 'Domains:\n'
		for domain in good.example none.example; do
			printf '\t%s:\n\t\tDKIM:\n\t\t\tSelectors:\n' $domain
			printf '\t\t\t\t%s:\n\t\t\t\t\tPrivateKeyFile: ../%s.pem\n' rsa rsa ed ed
			printf '\t\t\tSign:\n\t\t\t\t- rsa\n\t\t\t\t- ed\n'
		done
		printf 'Accounts:\n\ta:\n\t\tDomain: good.example\n\t\tDestinations:\n\t\t\ta@good.example: nil\n'
	} >config/domains.conf
}

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP WORK=$BATS_FILE_TMPDIR
	IP=$(own_ip)
	cd "$WORK"
	zone >zone
	mox-dkim genrsa >rsa.pem
	mox-dkim gened25519 >ed.pem
	for domain in good.example none.example plain.example list.example; do
		publish rsa.pem rsa $domain
		publish ed.pem ed $domain
	done
	echo 'list.example A 127.7.0.1' >>zone
	signing_config
	export MOX_DNS_ZONE=$WORK/zone
	start_server
	export SERVER_PID BACKGROUND_PIDS
	cat >words.py <<'EOF'
import subprocess
from mailtest import *
WORK = os.environ["WORK"]
GOOD = "127.7.0.1"

def newest():
    path = max(maildir_files(), key=lambda f: os.stat(f).st_ctime_ns)
    return open(path, "rb").read().decode("latin-1")

def fields(text):
    """[(name, unfolded value)] of the header."""
    head = re.sub(r"\n[ \t]+", " ", text.split("\n\n", 1)[0])
    return [tuple(line.split(": ", 1)) for line in head.split("\n")]

def field(name):
    return [v for n, v in fields(newest()) if n == name][0]

def results():
    """"iprev=pass dkim=none ..." of Authentication-Results."""
    return " ".join(re.findall(r"; (\w+=\w+)", field("Authentication-Results")))

def mail(domain, subject="hello"):
    return message(subject).replace("a@example.org", "a@" + domain)

def signed(text):
    """With the signatures of mox-dkim."""
    with open(WORK + "/text", "w", newline="") as f:
        f.write(text)
    return subprocess.run(["mox-dkim", "-config", WORK + "/config/mox.conf", "sign",
        WORK + "/text"], capture_output=True, check=True).stdout.decode()

def send(sender, text, source=GOOD, helo=None):
    """The answer to the message."""
    s = Smtp(ehlo=False, source=source)
    s.expect(250, helo or "EHLO mx.good.example")
    s.expect(250, f"MAIL FROM:<{sender}>")
    s.expect(250, "RCPT TO:<mox@localhost>")
    s.expect(354, "DATA")
    code, texts = s.cmd(text + ".")
    s.cmd("QUIT")
    return code, texts[0]

def accepted(want, sender, text, **args):
    before = len(maildir_files())
    code, answer = send(sender, text, **args)
    eq((sender, code, answer), (sender, 250, answer))
    eq(len(maildir_files()), before + 1)
    eq((sender, results()), (sender, want))

def refused(sender, text, **args):
    before = len(maildir_files())
    code, answer = send(sender, text, **args)
    eq((code, answer[:7]), (550, "5.7.26 "))
    eq(len(maildir_files()), before)
EOF
}

teardown_file() { stop_background; }
teardown() { [ -z "${OWN:-}" ] || stop_background; }

py() { cd "$WORK" && cat words.py - | PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -; }

@test "what is good: the header, in its order, and all it says" {
	py <<-'EOF'
	accepted("iprev=pass dkim=none spf=pass dmarc=pass", "a@good.example", mail("good.example"))
	head = fields(newest())
	eq([n for n, v in head[:5]], ["Delivered-To", "Return-Path", "Authentication-Results",
	    "Received-SPF", "Received"])
	eq(head[2][1], "localhost; iprev=pass (without dnssec) policy.iprev=127.7.0.1; dkim=none;"
	    " spf=pass (without dnssec) smtp.mailfrom=a@good.example;"
	    " dmarc=pass (without dnssec, p=reject) header.from=good.example")
	eq(head[3][1], "pass (localhost: domain of good.example designates 127.7.0.1 as permitted"
	    " sender) client-ip=127.7.0.1; envelope-from=\"a@good.example\";"
	    " helo=mx.good.example; identity=mailfrom; mechanism=\"ip4:127.7.0.1\";"
	    " receiver=localhost")
	assert head[4][1].startswith("from mx.good.example (mx.good.example [127.7.0.1]) by "), head[4]
	EOF
}

@test "MAIL: domains that take no mail, and that cannot be looked up" {
	py <<-'EOF'
	s = Smtp(source=GOOD)
	for domain, code, enhanced in (("null.example", 550, "5.7.27"), ("gone.example", 550, "5.7.27"),
	        ("text.example", 550, "5.7.27"), ("down.example", 451, "4.4.0"),
	        ("good.example", 250, "2.1.0"), ("plain.example", 250, "2.1.0"),
	        ("[127.7.0.1]", 550, "5.7.0")):
	    got = s.cmd(f"MAIL FROM:<a@{domain}>")
	    eq((domain, got[0], got[1][0].split(" ")[0]), (domain, code, enhanced))
	    s.cmd("RSET")
	s.expect(250, "MAIL FROM:<>")
	EOF
}

@test "HELO: a name that exists; EHLO may say anything" {
	py <<-'EOF'
	s = Smtp(ehlo=False, source=GOOD)
	eq(s.cmd("HELO gone.example")[1][0][:6], "5.5.0 ")
	s.expect(503, "MAIL FROM:<a@good.example>")
	for name in ("text.example", "null.example", "good.example"):
	    s.expect(550, "HELO " + name)
	for name in ("mx.good.example", "down.example", "[127.7.0.1]"):
	    s.expect(250, "HELO " + name)
	s.expect(250, "MAIL FROM:<a@good.example>")
	s.expect(250, "EHLO gone.example")
	EOF
}

@test "RCPT: a second one only with SPF pass" {
	py <<-'EOF'
	for domain, code in (("good.example", 250), ("soft.example", 452), ("fail.example", 452),
	        ("plain.example", 452), ("temp.example", 452)):
	    s = Smtp(source=GOOD)
	    s.expect(250, f"MAIL FROM:<a@{domain}>")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    eq((domain, s.cmd("RCPT TO:<mox+2@localhost>")[0]), (domain, code))
	EOF
}

@test "iprev: every result" {
	py <<-'EOF'
	for ip, want in ((1, "pass"), (2, "fail"), (3, "temperror"), (4, "permerror")):
	    accepted(f"iprev={want} dkim=none spf=none dmarc=none", "a@plain.example",
	        mail("plain.example"), source=f"127.7.0.{ip}")
	    eq("(mx.good.example [" in field("Received"), ip == 1)
	EOF
}

@test "SPF: every result; of HELO for the null sender" {
	py <<-'EOF'
	for domain, want, dmarc in (("good", "pass", "pass"), ("soft", "softfail", "none"),
	        ("fail", "fail", "none"), ("neutral", "neutral", "none"), ("plain", "none", "none"),
	        ("temp", "temperror", "none"), ("perm", "permerror", "none")):
	    accepted(f"iprev=pass dkim=none spf={want} dmarc={dmarc}", f"a@{domain}.example",
	        mail(domain + ".example"))
	    assert field("Received-SPF").startswith(want + " ("), field("Received-SPF")
	accepted("iprev=pass dkim=none spf=pass dmarc=none", "", mail("plain.example"),
	    helo="EHLO helo.example")
	assert "smtp.helo=helo.example" in field("Authentication-Results")
	assert "identity=helo" in field("Received-SPF")
	EOF
}

@test "DMARC: aligned or not, each policy, each result" {
	py <<-'EOF'
	ok = "iprev=pass dkim=none spf=pass dmarc="
	accepted(ok + "pass", "a@good.example", mail("good.example"))
	accepted(ok + "pass", "a@sub.good.example", mail("good.example"))      # relaxed
	accepted(ok + "pass", "a@good.example", mail("other.good.example"))    # by that of the organization
	refused("a@none.example", mail("good.example"))                        # pass, but not its own
	refused("a@sub.strict.example", mail("strict.example"))
	refused("a@none.example", mail("quarantine.example"))
	refused("a@good.example", mail("good.example"), source="127.7.0.2")    # SPF fail
	refused("", mail("good.example"), source="127.7.0.2")
	accepted(ok + "fail", "a@good.example", mail("none.example"))
	accepted(ok + "fail", "a@good.example", mail("spared.example"))
	assert "spared by pct" in field("Authentication-Results")
	accepted(ok + "temperror", "a@good.example", mail("lost.example"))
	accepted(ok + "permerror", "a@good.example", mail("wrong.example"))
	accepted(ok + "none", "a@good.example", mail("plain.example"))
	accepted("iprev=pass dkim=none spf=pass", "a@good.example", "Subject: nobody\r\n\r\n")
	# Who forges cannot buy himself off with errors of his own domain.
	refused("a@temp.example", mail("good.example"))
	code, answer = send("a@none.example", mail("good.example"))
	assert "good.example does not want this" in answer, answer
	EOF
}

@test "DKIM of ours: both keys; changed; a domain that SPF does not speak for" {
	py <<-'EOF'
	two = "iprev=pass dkim=pass dkim=pass spf="
	accepted(two + "pass dmarc=pass", "a@good.example", signed(mail("good.example")))
	assert re.search(r"dkim=pass \(without dnssec\) header.d=good.example header.s=rsa"
	    r" header.a=rsa-sha256 header.b=\S{8,10} header.i=a@good.example; dkim=pass"
	    r" \(without dnssec\) header.d=good.example header.s=ed header.a=ed25519-sha256 ",
	    field("Authentication-Results")), field("Authentication-Results")
	# The signature alone makes it the domain's own.
	accepted(two + "none dmarc=pass", "a@plain.example", signed(mail("good.example")))
	refused("a@plain.example", signed(mail("good.example")).replace("works", "breaks"))
	refused("a@plain.example", signed(mail("good.example")).replace("hello", "hallo"))
	# Somebody else's signature does not.
	refused("a@plain.example", signed(mail("none.example")).replace("From: <a@none", "From: <b@good"))
	fail = signed(mail("none.example")).replace("works", "breaks")
	accepted("iprev=pass dkim=fail dkim=fail spf=none dmarc=fail", "a@plain.example", fail)
	assert "body was changed" in field("Authentication-Results")
	EOF
}

@test "DKIM of dkimpy: every result" {
	/usr/bin/python3 -c 'import dkim, nacl' || skip "no dkimpy here: make deps"
	py <<-'EOF'
	import dkim, dkim_peers
	def sign(text, selector, domain, key="rsa", **args):
	    ed = key == "ed"
	    return (dkim.sign(text.encode(), selector.encode(), domain.encode(),
	        dkim_peers.private_key(f"{WORK}/{key}.pem", ed),
	        signature_algorithm=b"ed25519-sha256" if ed else b"rsa-sha256", **args)
	        + text.encode()).decode()
	text = mail("plain.example")
	def check(want, text):
	    accepted(f"iprev=pass dkim={want} spf=pass dmarc=none", "a@good.example", text)
	for key in ("rsa", "ed"):
	    for h in (b"simple", b"relaxed"):
	        for b in (b"simple", b"relaxed"):
	            check("pass", sign(text, key, "plain.example", key, canonicalize=(h, b)))
	check("fail", sign(text, "rsa", "plain.example").replace("works", "breaks"))
	check("fail", sign(text, "rsa", "plain.example").replace("hello", "hallo"))
	check("policy", sign(text, "rsa", "plain.example", length=True))
	check("policy", sign(text, "rsa", "plain.example", include_headers=[b"from", b"to"]))
	check("temperror", sign(text, "lost", "good.example"))
	check("permerror", sign(text, "bad", "good.example"))
	check("permerror", sign(text, "gone", "good.example"))
	check("permerror", "DKIM-Signature: v=1; nonsense\r\n" + text)
	# A key that cannot be had now might have been the domain's own.
	accepted("iprev=pass dkim=temperror spf=pass dmarc=temperror", "a@none.example",
	    sign(mail("good.example"), "lost", "good.example"))
	many = text
	for _ in range(12):
	    many = sign(many, "ed", "plain.example", "ed", include_headers=[b"from", b"subject"])
	check(" dkim=".join(["pass"] * 10 + ["neutral"] * 2), many)
	EOF
}

@test "ARC: chains, whole and broken" {
	py <<-'EOF'
	def seal(text):
	    return subprocess.run([os.environ["MOX_T"] + "/bin/arcseal", WORK + "/rsa.pem",
	        "list.example", "rsa"], input=text.encode(), capture_output=True, check=True).stdout.decode()
	def check(want, text):
	    accepted(f"iprev=pass dkim=none spf=pass arc={want} dmarc=none", "a@good.example", text)
	text = mail("plain.example")
	for n in range(1, 5):
	    text = seal(text)
	    check("pass", text)
	    assert f"arc=pass (i={n}, sealed by list.example) header.oldest-pass=0" in \
	        field("Authentication-Results"), field("Authentication-Results")
	check("fail", text.replace("works", "breaks"))
	assert "body was changed" in field("Authentication-Results")
	check("fail", text.replace("ARC-Seal: i=2", "ARC-Seal: i=7"))
	check("fail", "ARC-Seal: i=1; x\r\n" + mail("plain.example"))
	# A chain is no excuse: whom to trust is not configured here.
	refused("a@plain.example", seal(mail("good.example")))
	EOF
}

@test "one connection: what is found of a message is not said of the next" {
	py <<-'EOF'
	s = Smtp(source=GOOD)
	def one(domain, text):
	    s.expect(250, f"MAIL FROM:<a@{domain}>")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    s.expect(354, "DATA")
	    got = s.cmd(text + ".")
	    return results() if got[0] == 250 else got[1][0][:6]
	eq(one("good.example", signed(mail("good.example"))), "iprev=pass dkim=pass dkim=pass spf=pass dmarc=pass")
	eq(one("soft.example", mail("plain.example")), "iprev=pass dkim=none spf=softfail dmarc=none")
	eq(one("soft.example", mail("good.example")), "5.7.26")
	eq(one("good.example", "Subject: x\r\n\r\n"), "iprev=pass dkim=none spf=pass")
	s.expect(250, "MAIL FROM:<a@good.example>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	text = signed(mail("good.example"))
	s.send(f"BDAT {len(text) - 9}\r\n" + text[:-9])
	eq(s.reply()[0], 250)
	s.expect(250, "RSET")
	eq(one("good.example", mail("good.example")), "iprev=pass dkim=none spf=pass dmarc=pass")
	EOF
}

@test "users who submit are not checked" {
	py <<-'EOF'
	s = Smtp(1465, tls=True, source="127.7.0.2")
	eq(s.auth_plain()[0], 235)
	s.expect(250, "MAIL FROM:<mox@localhost>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(250, "RCPT TO:<mox+2@localhost>")
	s.expect(354, "DATA")
	s.expect(250, mail("x").replace("a@x", "mox@localhost") + ".")
	EOF
	# It comes by way of the queue.
	eventually grep -rq 'auth=pass' "$(maildir)/new"
}

@test "through mox-resolver: DNSSEC is told; bogus and no answers are errors" {
	need nsd ldns-signzone ldns-keygen
	OWN=1 BACKGROUND_PIDS=
	unset MOX_DNS_ZONE
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip 3) DNS_DIR=$BATS_TEST_TMPDIR/dns
	dns_zone signed.example <<-'EOF'
	@	MX	10 mx
	@	TXT	"v=spf1 mx -all"
	mx	A	127.7.0.1
	_dmarc	TXT	"v=DMARC1; p=reject"
	EOF
	dns_zone -plain unsigned.example <<-'EOF'
	@	A	127.7.0.1
	@	TXT	"v=spf1 a include:bogus.example -all"
	EOF
	dns_zone -bogus bogus.example <<<'@ TXT "v=spf1 -all"'
	dns_zone -broken broken.example </dev/null
	dns_start
	start_server
	py <<-'EOF'
	# libunbound itself knows the names of 127.0.0.0/8.
	accepted("iprev=permerror dkim=none spf=pass dmarc=pass", "a@signed.example", mail("signed.example"))
	eq(field("Authentication-Results").count("(with dnssec"), 2)
	accepted("iprev=permerror dkim=none spf=temperror dmarc=none", "a@unsigned.example",
	    mail("unsigned.example"), source="127.7.0.2")
	assert "bogus" in field("Authentication-Results")
	refused("a@unsigned.example", mail("signed.example"))
	s = Smtp(source=GOOD)
	for domain in ("bogus.example", "broken.example"):
	    eq(s.cmd(f"MAIL FROM:<a@{domain}>")[1][0][:6], "4.4.0 ")
	eq(s.cmd(f"MAIL FROM:<a@nowhere.example>")[1][0][:7], "5.7.27 ")
	EOF
	pgrep -x -P "$(pgrep -x -P "$SERVER_PID" mox-smtpd)" mox-resolver
}
