#!/usr/bin/env bats
# What mox-smtpd remembers of the mail it took: the history of an account, and
# what DMARC reports will be made of. A private DNS, one server.

load helper

zone() {
	cat <<-'EOF'
	mx.good.example           A    127.7.0.1
	1.0.7.127.in-addr.arpa    PTR  mx.good.example
	good.example              A    127.7.0.1
	good.example              TXT  "v=spf1 ip4:127.7.0.1 -all"
	_dmarc.good.example       TXT  "v=DMARC1; p=reject; rua=mailto:r@good.example; ri=3600"
	sub.good.example          A    127.7.0.1
	sub.good.example          TXT  "v=spf1 ip4:127.7.0.1 -all"
	plain.example             A    127.7.0.1
	soft.example              A    127.7.0.1
	soft.example              TXT  "v=spf1 ip4:127.7.0.9 ~all"
	helo.example              A    127.7.0.1
	helo.example              TXT  "v=spf1 ip4:127.7.0.1 -all"
	quiet.example             A    127.7.0.1
	_dmarc.quiet.example      TXT  "v=DMARC1; p=reject"
	other.example             A    127.7.0.1
	_dmarc.other.example      TXT  "v=DMARC1; p=quarantine; rua=mailto:r@other.example"
	EOF
}

setup() {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	export DIR IP
	cd "$BATS_TEST_TMPDIR"
	zone >zone
	mox-dkim gened25519 >ed.pem
	mox-dkim -json txt <ed.pem | python3 -c 'import json,sys
print("ed._domainkey.sub.good.example TXT \"" + json.load(sys.stdin)["Record"] + "\"")' >>zone
	export MOX_DNS_ZONE=$PWD/zone
	start_server
	LOG=$DIR/data/accounts/mox/history.log
}

teardown() { stop_background; }

# send FROM-ADDRESS HEADER-FROM [RCPT]: the code and text of the answer.
send() {
	SENDER=$1 AUTHOR=$2 RCPT=${3:-mox@localhost} PYTHONPATH=$BATS_TEST_DIRNAME \
		/usr/bin/python3 - <<-'EOF'
	from mailtest import *
	e = os.environ
	s = Smtp(ehlo=False, source=e.get("SOURCE", "127.7.0.1"))
	s.expect(250, "EHLO " + e.get("HELO", "mx.good.example"))
	s.expect(250, f"MAIL FROM:<{e['SENDER']}>")
	s.expect(250, f"RCPT TO:<{e['RCPT']}>")
	s.expect(354, "DATA")
	text = (e.get("HEADER", "") + message("hello").replace("a@example.org", e["AUTHOR"]))
	code, texts = s.cmd(text + ".")
	print(code, texts[0])
	s.cmd("QUIT")
	EOF
}

# The newest line, once there are N of them.
line() {
	eventually lines "$1" || { cat "$LOG"; return 1; }
	grep '^add ' "$LOG" | tail -n 1
}
lines() { [ "$(grep -c '^add ' "$LOG")" = "$1" ]; }

# has TEXT... : the line has all of it.
has() {
	local text
	for text; do
		[[ " $LINE " == *" $text "* ]] || { echo "no $text in: $LINE"; return 1; }
	done
}
lacks() {
	local name
	for name; do
		[[ " $LINE" != *" $name="* ]] || { echo "$name in: $LINE"; return 1; }
	done
}

@test "history: who, by which host, confirmed how" {
	[[ $(send a@good.example Anna@GOOD.example) == 250* ]]
	LINE=$(line 1)
	has mailbox=Inbox ip=127.7.0.1 helo=mx.good.example mailfrom=a@good.example \
		mailfrom.is=pass from=Anna@good.example from.is=strict dmarc=pass
	lacks dkim helo.is list forward
	# The same id as the file has.
	id=$(sed -E 's/.* id=([^ ]*) .*/\1/' <<<"$LINE")
	ls "$(maildir)/new" | grep -qF "E$id."

	HEADER=$'List-Id: <x.plain.example>\r\n' send b@soft.example b@plain.example
	LINE=$(line 2)
	has mailfrom.is=softfail from=b@plain.example from.is=none list=yes dmarc=none

	HELO=helo.example send '' mailer@sub.helo.example
	LINE=$(line 3)
	has helo=helo.example helo.is=pass from.is=relaxed
	lacks mailfrom mailfrom.is

	# Aligned as the policy wants it, not the same name.
	send a@sub.good.example a@good.example
	LINE=$(line 4)
	has from.is=dmarc dmarc=pass mailfrom=a@sub.good.example
	[ "$(cut -d' ' -f1,2 <<<"$LINE")" = 'add 4' ]
}

@test "history: signatures that passed; what was refused is not there" {
	cat >sign.py <<-'EOF'
	import dkim, sys
	from mailtest import *
	text = message("hello").replace("a@example.org", "a@sub.good.example").encode()
	key = open("ed.pem", "rb").read()
	import base64
	seed = base64.b64decode(b"".join(key.split(b"\n")[1:-2]))[-32:]
	sig = dkim.sign(text, b"ed", b"sub.good.example", base64.b64encode(seed),
	    signature_algorithm=b"ed25519-sha256", include_headers=[b"from", b"subject"])
	s = Smtp(source="127.7.0.1")
	for twice in range(2):
	    s.expect(250, "MAIL FROM:<b@soft.example>")
	    s.expect(250, "RCPT TO:<mox@localhost>")
	    s.expect(354, "DATA")
	    s.expect(250, (sig + text).decode() + ".")
	EOF
	PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null ||
		skip 'no dkimpy here: make deps'
	PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 sign.py
	LINE=$(line 2)
	has dkim=sub.good.example from.is=strict dmarc=pass mailfrom.is=softfail
	[[ $(send b@soft.example b@good.example) == '550 5.7.26 '* ]]
	send b@soft.example c@plain.example
	LINE=$(line 3)
	has from=c@plain.example
	lacks dkim
}

@test "history: without a DNS, what is known without" {
	stop_server
	unset MOX_DNS_ZONE
	start_server
	send x@anything.example y@anything.example
	LINE=$(line 1)
	has ip=127.7.0.1 mailfrom=x@anything.example from=y@anything.example
	lacks from.is mailfrom.is helo.is dmarc
}

@test "history: a torn line, a damaged file stop no mail" {
	send a@good.example a@good.example
	line 1
	printf 'add 2 t=17' >>"$LOG"
	send a@good.example b@good.example
	LINE=$(line 2)
	has from=b@good.example
	stop_server
	echo garbage >"$LOG"
	mox-verifydata "$DIR/data" | grep 'history: history.log'
	start_server
	send a@good.example c@good.example
	LINE=$(line 1)
	has from=c@good.example
	stop_server
	mox-verifydata "$DIR/data" | grep ': OK'
	echo garbage >"$LOG"
	mox-verifydata -fix "$DIR/data"
	mox-verifydata "$DIR/data"
}

# ---- DMARC evaluations ----

results() { cat "$DIR"/data/dmarcresults/*/"$1" 2>/dev/null; }
count() { [ "$(results "$1" | wc -l)" = "$2" ]; }

@test "DMARC: accepted and rejected mail of domains that want reports" {
	# A stranger's forgery says nothing to anybody.
	[[ $(send b@soft.example x@good.example) == '550 5.7.26 '* ]]
	send a@good.example a@good.example
	eventually count good.example 1
	LINE=$(results good.example)
	has ip=127.7.0.1 disposition=none aligned.spf=yes aligned.dkim=no from=good.example \
		mailfrom=good.example rcpt=localhost spf=pass spf.mfrom=good.example \
		record='v=DMARC1;%20p=reject;%20rua=mailto:r@good.example;%20ri=3600'
	lacks optional override
	# Now they are known.
	[[ $(send b@soft.example x@sub.good.example) == '550 5.7.26 '* ]]
	eventually count good.example 2
	LINE=$(results good.example | tail -n 1)
	has disposition=reject from=sub.good.example spf=softfail aligned.spf=no
	lacks optional
	[ -d "$DIR/data/dmarcresults/$(date -u +%Y%m%d)" ]
	# Who asks for no reports; whose forgery was all that came; a refusal for
	# another reason.
	[[ $(send b@soft.example x@quiet.example) == '550 5.7.26 '* ]]
	[[ $(send b@soft.example x@other.example) == '550 5.7.26 '* ]]
	[[ $(send b@soft.example x@plain.example) == 250* ]]
	line 2
	[ "$(ls "$DIR"/data/dmarcresults/*)" = good.example ]
}

@test "DMARC: NoOutgoingDMARCReports keeps none" {
	stop_server
	printf 'NoOutgoingDMARCReports: true\n' >>"$DIR/mox.conf"
	start_server
	send a@good.example a@good.example
	line 1
	[ -z "$(ls "$DIR/data/dmarcresults")" ]
}
