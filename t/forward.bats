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
