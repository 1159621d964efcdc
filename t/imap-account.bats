#!/usr/bin/env bats
# What an account has set for IMAP: capabilities it hides, keys that log in.

load helper

setup_file() {
	start_shared_server -loglevel info
	stop_server
	sed -i 's/^\t\tDomain: localhost$/&\n\t\tIMAPCapabilitiesDisabled:\n\t\t\t- uidonly\n\t\t\t- METADATA\n\t\t\t- QRESYNC/' \
		"$DIR/domains.conf"
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

# A key in $DIR/NAME.key that logs in as mox; preauth yes or no.
client_key() {
	local pin
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" -days 9 -subj "/CN=$1" \
		2>/dev/null
	pin=$(openssl x509 -in "$DIR/$1.crt" -noout -pubkey |
		openssl pkey -pubin -outform DER |
		openssl dgst -sha256 -binary | basenc --base64url | tr -d =)
	mkdir -p "$DIR/data/auth/@tls"
	cat >"$DIR/data/auth/@tls/$pin" <<-KEY
	account mox
	login mox+laptop@localhost
	type ecdsa-p256
	name $1
	created 1700000000
	preauth $2
	cert $(openssl x509 -in "$DIR/$1.crt" -outform DER | base64 -w0)
	KEY
}

@test "IMAPCapabilitiesDisabled: hidden after login, and not enabled" {
	py <<-'EOF'
	from mailtest import *
	hidden = "UIDONLY", "METADATA", "QRESYNC"
	c = Imap(login=False)
	for word in hidden:
	    assert f" {word}" in c.greeting, c.greeting
	a = c.ok(f"LOGIN {USER} {PASSWORD}")
	for text in a.text, c.ok("CAPABILITY").lines[0]:
	    words = re.split(r"[] ]", text)
	    assert not set(words) & set(hidden), words
	    assert {"CONDSTORE", "LIST-METADATA", "IMAP4rev2", "MOVE"} <= set(words), words
	eq(c.ok("ENABLE UIDONLY QRESYNC CONDSTORE").lines, ["* ENABLED CONDSTORE"])
	eq(c.ok("ENABLE QRESYNC").lines, ["* ENABLED"])
	EOF
}

@test "a client certificate: PREAUTH on imaps, if its key may" {
	client_key known yes
	client_key asks no
	py <<-'EOF'
	from mailtest import *
	class Tls(Imap):
	    def __init__(self, name):
	        Wire.__init__(self, 1993)
	        context = tls_context()
	        context.load_cert_chain(f"{DIR}/{name}.crt", f"{DIR}/{name}.key")
	        self.sock = context.wrap_socket(self.sock)
	        self.file = self.sock.makefile("rb")
	        self.greeting, self.n = self.line().decode(), 0
	c = Tls("known")
	m = re.fullmatch(r"\* PREAUTH \[CAPABILITY (.*)\] mox imap welcomes mox\+laptop@localhost", c.greeting)
	assert m and "IMAP4rev2" in m[1] and "QRESYNC" not in m[1] and " AUTH=" not in m[1], c.greeting
	c.ok("SELECT INBOX")
	assert c.cmd(f"LOGIN {USER} {PASSWORD}").status in ("NO", "BAD")
	c = Tls("asks")
	assert c.greeting.startswith("* OK [CAPABILITY ") and " AUTH=EXTERNAL " in c.greeting, c.greeting
	c.no("SELECT INBOX")
	c.ok("AUTHENTICATE EXTERNAL =")
	c.ok("SELECT INBOX")
	EOF
}
