#!/usr/bin/env bats
# AUTH: every mechanism, right and wrong, by a client of our own (RFC 4954).

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

# A key and certificate NAME.key, NAME.crt, and the key's name in data/auth.
client_key() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" -days 9 -subj "/CN=$1" \
		2>/dev/null
	openssl x509 -in "$DIR/$1.crt" -noout -pubkey |
		openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary |
		basenc --base64url | tr -d =
}

@test "PLAIN, LOGIN, CRAM-MD5, SCRAM: right and wrong, with and without initial response" {
	py <<-'EOF'
	from mailtest import *
	from sasl_client import *
	def mechs(user, password):
	    yield "PLAIN", lambda: plain(user, password)
	    yield "LOGIN", lambda: login(user, password)
	    yield "CRAM-MD5", lambda: cram_md5(user, password)
	    yield "SCRAM-SHA-1", lambda: scram("sha1", user, password)
	    yield "scram-sha-256", lambda: scram("sha256", user, password)
	for name, mech in mechs(USER, PASSWORD):
	    for initial in (True, False):
	        s = Smtp(1587)
	        eq((name, smtp_auth(s, name, mech(), initial)), (name, (235, "2.7.0 welcome")))
	        s.expect(250, "MAIL FROM:<mox@localhost>")
	        s.expect(503, "AUTH PLAIN")
	        s.expect(250, "RSET")
	        s.expect(503, "AUTH PLAIN")
	# Any address of the account is a name for it.
	for user in ("mox+list@localhost", "MOX@LOCALHOST"):
	    eq(smtp_auth(Smtp(1587), "PLAIN", plain(user, PASSWORD))[0], 235)
	# Nobody learns which of name and password was wrong.
	for user, password in ((USER, "wrongwrong"), ("nobody@localhost", PASSWORD),
	        ("x@other.example", PASSWORD), ("x", PASSWORD)):
	    for name, mech in mechs(user, password):
	        s = Smtp(1587)
	        code, text = smtp_auth(s, name, mech())
	        assert code == 535 and text.startswith("5.7.8 bad credentials ("), (user, name, code, text)
	        s.expect(530, "MAIL FROM:<mox@localhost>")
	EOF
}

@test "-PLUS binds to the connection: tls-unique, tls-server-end-point, tls-exporter" {
	py <<-'EOF'
	from mailtest import *
	from sasl_client import *
	import subprocess
	def connect(version):
	    s = Wire(1465)
	    context = tls_context()
	    context.maximum_version = version
	    s.sock = context.wrap_socket(s.sock)
	    s.file = s.sock.makefile("rb")
	    s.__class__ = Smtp
	    s.reply()
	    s.extensions = s.cmd("EHLO x")[1]
	    return s
	def run(s, binding, **more):
	    return [smtp_auth(s, f"SCRAM-{n}-PLUS", scram(d, USER, PASSWORD, binding, **more))[0]
	        for n, d in (("SHA-256", "sha256"),)][0]
	old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
	s = connect(old)
	eq(run(s, ("tls-unique", s.sock.get_channel_binding("tls-unique"))), 235)
	s = connect(new)
	point = hashlib.sha256(s.sock.getpeercert(True)).digest()
	eq(run(s, ("tls-server-end-point", point)), 235)
	s = connect(new)
	eq(smtp_auth(s, "SCRAM-SHA-1-PLUS", scram("sha1", USER, PASSWORD, ("tls-server-end-point", point)))[0], 235)
	# A man in the middle, who has another certificate.
	s = connect(new)
	code, text = smtp_auth(s, "SCRAM-SHA-256-PLUS", scram("sha256", USER, PASSWORD, ("tls-server-end-point", b"x" * 32)))
	eq((code, text[:6]), (535, "5.7.7 "))
	# tls-unique is not for TLS 1.3 (RFC 9266, 3), nor a binding nobody knows.
	for kind in ("tls-unique", "tls-foo"):
	    assert run(connect(new), (kind, b"x" * 12)) in (501, 535), kind
	# Somebody took -PLUS out of what is announced: the client says that it could have.
	code, text = smtp_auth(connect(new), "SCRAM-SHA-256", scram("sha256", USER, PASSWORD, gs2="y"))
	eq((code, text[:6]), (535, "5.7.7 "))
	# openssl knows tls-exporter (RFC 9266).
	p = subprocess.Popen(["openssl", "s_client", "-connect", f"{IP}:1465", "-crlf", "-ign_eof",
	    "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
	    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	data = None
	while True:
	    line = p.stdout.readline().decode()
	    assert line, "s_client ended"
	    if "Keying material:" in line and "Label" not in line:
	        data = bytes.fromhex(line.split(":")[1].strip())
	    if line.startswith("220 "):
	        break
	class Pipe(Smtp):
	    def __init__(self):
	        self.file = p.stdout
	    def send(self, b):
	        p.stdin.write(b.replace(b"\r", b"")) # -crlf adds it
	        p.stdin.flush()
	s = Pipe()
	s.line = lambda: p.stdout.readline().rstrip(b"\r\n")
	eq(s.cmd("EHLO x")[0], 250)
	eq(smtp_auth(s, "SCRAM-SHA-256-PLUS", scram("sha256", USER, PASSWORD, ("tls-exporter", data)))[0], 235)
	p.kill()
	p.wait()
	EOF
}

@test "exchanges that go wrong" {
	py <<-'EOF'
	from mailtest import *
	from sasl_client import *
	s = Smtp()
	eq(s.cmd("AUTH PLAIN")[1][0][:5], "5.5.1")
	s = Smtp(1587)
	for command, code, enhanced in (("AUTH", 501, "5.5.2"), ("AUTH FOO", 504, "5.5.4"),
	        ("AUTH PLAIN !", 501, "5.5.2"), ("AUTH PLAIN =", 501, "5.5.0"),
	        ("AUTH PLAIN YQ==", 501, "5.5.0"), ("AUTH SCRAM-SHA-256 bixs", 501, "5.5.0")):
	    s = Smtp(1587)
	    got, texts = s.cmd(command)
	    eq((command, got, texts[0][:5]), (command, code, enhanced))
	# A connection goes on after them. From the third on it is slow, a byte a
	# second: two on each, but for one, of which the beginning is enough.
	def fail(s, answer, *commands):
	    for command in commands:
	        s.expect(334, command)
	        got, texts = s.cmd(answer)
	        eq((command, answer, got, texts[0][:5]), (command, answer, 501, "5.5.0"))
	    s.expect(250, "NOOP")
	slow = Smtp(1587)
	for answer in (b"*", b"!", b"YQ=", b"\0"):
	    fail(slow if answer == b"*" else Smtp(1587), answer, "AUTH PLAIN", "AUTH LOGIN")
	    fail(Smtp(1587), answer, "AUTH CRAM-MD5", "AUTH PLAIN")
	slow.expect(334, "AUTH CRAM-MD5")
	slow.send("*\r\n")
	eq(slow.file.read(9), b"501 5.5.0")
	s = Smtp(1587)
	eq(smtp_auth(s, "PLAIN", plain(USER, PASSWORD, "other@localhost"))[0], 535)
	eq(smtp_auth(s, "PLAIN", plain(USER, PASSWORD, USER))[0], 235)
	eq(smtp_auth(Smtp(1587), "SCRAM-SHA-256", scram("sha256", USER, PASSWORD, cut=True))[0] // 100, 5)
	eq(smtp_auth(Smtp(1587), "EXTERNAL", external())[0], 535)
	eq(smtp_auth(Smtp(1587), "SCRAM-SHA-256-PLUS", scram("sha256", USER, PASSWORD, ("tls-unique", b"x")))[0] // 100, 5)
	# A response that never ends.
	s = Smtp(1587)
	s.expect(334, "AUTH PLAIN")
	s.send("x" * 13000 + "\r\n")
	assert s.rest().startswith(b"500 5.5.0 line too long"), s
	EOF
}

@test "client certificates: log in by themselves, EXTERNAL, AUTH for the same account" {
	known=$(client_key known)
	client_key unknown >/dev/null
	mkdir -p "$DIR/data/auth/@tls"
	cat >"$DIR/data/auth/@tls/$known" <<-EOF
	account mox
	login mox+laptop@localhost
	type ecdsa-p256
	name laptop
	created 1700000000
	preauth no
	cert $(openssl x509 -in "$DIR/known.crt" -outform DER | base64 -w0)
	EOF
	py <<-'EOF'
	from mailtest import *
	from sasl_client import *
	def connect(name, port=1465, starttls=False):
	    s = Smtp(port) if starttls else Wire(port)
	    if starttls:
	        s.expect(220, "STARTTLS")
	    context = tls_context()
	    context.load_cert_chain(f"{DIR}/{name}.crt", f"{DIR}/{name}.key")
	    s.sock = context.wrap_socket(s.sock)
	    s.file = s.sock.makefile("rb")
	    s.__class__ = Smtp
	    if not starttls:
	        s.reply()
	    s.extensions = s.cmd("EHLO x")[1]
	    return s
	def mechs(s):
	    return [e for e in s.extensions if e.startswith("AUTH")]
	for starttls, port in ((False, 1465), (True, 1587)):
	    s = connect("known", port, starttls)
	    assert mechs(s)[0].startswith("AUTH EXTERNAL SCRAM-SHA-256-PLUS "), s.extensions
	    s.expect(250, "MAIL FROM:<mox@localhost>")
	    s.expect(250, "RSET")
	    eq(smtp_auth(s, "EXTERNAL", external())[0], 235)
	    s.expect(503, "AUTH EXTERNAL")
	    s = connect("known", port, starttls)
	    eq(smtp_auth(s, "EXTERNAL", external("nobody@localhost"))[0], 535)
	    eq(smtp_auth(s, "PLAIN", plain(USER, "wrongwrong"))[0], 535)
	    s.expect(250, "MAIL FROM:<mox@localhost>")
	    s.expect(250, "RSET")
	    eq(smtp_auth(s, "PLAIN", plain(USER, PASSWORD))[0], 235)
	s = connect("unknown")
	assert "EXTERNAL" not in mechs(s)[0], s.extensions
	eq(smtp_auth(s, "EXTERNAL", external())[0], 535)
	s.expect(530, "MAIL FROM:<mox@localhost>")
	s = connect("known", 1025, True)
	eq(mechs(s), [])
	EOF
}

@test "clients of others: swaks with each mechanism it knows" {
	need swaks
	for mech in PLAIN LOGIN CRAM-MD5; do
		swaks --server "$IP:1587" --from mox@localhost --to mox@localhost \
			--auth "$mech" --auth-user mox@localhost \
			--auth-password moxmoxmox --hide-all
	done
}
