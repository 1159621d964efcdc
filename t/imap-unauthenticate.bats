#!/usr/bin/env bats
# UNAUTHENTICATE (RFC 8437): another user on the same connection.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel info -park 0.2
	export SERVER_PID BACKGROUND_PIDS
	mox-config -config "$DIR/mox.conf" account add other other@localhost
	printf 'moxmoxmox\nmoxmoxmox\n' | mox-setaccountpassword -config "$DIR/mox.conf" other
	sleep 1.1 # accounts are looked for once a second
}

teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "one user after the other; nothing of the first is left" {
	py <<-'EOF'
	from mailtest import *
	for port, tls in (1143, False), (1993, True):
	    c = Imap(port, tls=tls)
	    assert c.ok("CAPABILITY").has(r" UNAUTHENTICATE\b")
	    c.cmd("CREATE mine")
	    c.ok("ENABLE QRESYNC UTF8=ACCEPT")
	    c.ok("SELECT INBOX")
	    c.append("INBOX", message("x"), flags="(\\Deleted)")
	    c.ok("SEARCH RETURN (SAVE) ALL")
	    a = c.ok("UNAUTHENTICATE")
	    assert not a.has("EXPUNGE|VANISHED"), a
	    # As with a new connection: no command of a session, no greeting.
	    a = c.no("SELECT INBOX")
	    a = c.ok("CAPABILITY")
	    assert a.has(r" AUTH=PLAIN\b") and not a.has("UNAUTHENTICATE"), a
	    assert tls == (not a.has("STARTTLS")), a
	    assert tls == a.has(r" AUTH=SCRAM-SHA-256-PLUS\b"), a
	    c.no("LOGIN other@localhost wrong")
	    c.ok("LOGIN other@localhost moxmoxmox")
	    assert not c.ok('LIST "" *').has("mine")
	    c.ok("SELECT INBOX")
	    eq(c.ok("UID SEARCH ALL").lines, ["* SEARCH"])
	    c.bad("SELECT INBOX (QRESYNC (1 1))")  # not enabled
	    # And back, parked in between.
	    import time
	    time.sleep(0.6)
	    c.ok("UNAUTHENTICATE")
	    c.ok(f"LOGIN {USER} {PASSWORD}")
	    c.ok("SELECT INBOX")
	    a = c.ok("UID SEARCH ALL")
	    assert a.has(r"^\* SEARCH 1"), a
	    c.ok("LOGOUT")
	    eq(c.rest(), b"")
	EOF
}

@test "pipelined: what follows is for who is not logged in" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.send("a UNAUTHENTICATE\r\nb SELECT INBOX\r\nc LOGIN other@localhost moxmoxmox\r\nd SELECT INBOX\r\n")
	assert c.line().startswith(b"a OK ")
	assert c.line().startswith(b"b NO ")
	assert c.line().startswith(b"c OK ")
	while not c.line().startswith(b"d OK "):
	    pass
	EOF
}

@test "no STARTTLS twice; without TLS there can be some later" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(1993, tls=True)
	c.ok("UNAUTHENTICATE")
	c.bad("STARTTLS")
	c = Imap()
	c.ok("UNAUTHENTICATE")
	c.ok("STARTTLS")
	c.starttls()
	c.ok(f"LOGIN {USER} {PASSWORD}")
	c.ok("UNAUTHENTICATE")
	c.ok(f"LOGIN {USER} {PASSWORD}")
	EOF
}

@test "COMPRESS ends with it, both ways; what is pipelined is plain, and none is lost" {
	py <<-'EOF'
	from mailtest import *
	import zlib
	def client(tls, packed=True):
	    c = Imap(1993 if tls else 1143, tls=tls)
	    if packed:
	        c.compress()
	    c.ok("SELECT INBOX")
	    return c
	PLAIN = b"b SELECT INBOX\r\nc LOGIN other@localhost moxmoxmox\r\nd SELECT INBOX\r\n"
	for tls in False, True:
	    for mode in zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH:
	        c = client(tls)
	        c.sock.end(b"a UNAUTHENTICATE\r\n", mode, PLAIN)
	        assert c.line().startswith(b"a OK ")
	        assert c.line().startswith(b"b NO ")
	        assert c.line().startswith(b"c OK ")
	        while not (line := c.line()).startswith(b"d "):
	            pass
	        assert line.startswith(b"d OK "), line
	        # The stream of the answer ended, too; there can be another one.
	        assert c.sock.unpacker.eof
	        c.ok("NOOP")
	        c.compress()
	        c.ok("FETCH 1:* FLAGS")
	# In pieces, the end of the stream last.
	c = client(False)
	d = c.sock
	packed = d.packer.compress(b"a UNAUTHENTICATE\r\n") + d.packer.flush(zlib.Z_SYNC_FLUSH)
	d.packer = None
	for i in range(len(packed)):
	    d.sock.sendall(packed[i:i + 1])
	assert c.line().startswith(b"a OK ")
	c.ok("LOGIN other@localhost moxmoxmox")
	# Log-ins of other kinds.
	from sasl_client import imap_auth, plain, scram
	for name, mech in ("PLAIN", plain), ("SCRAM-SHA-256", lambda *a: scram("sha256", *a)):
	    c = client(True)
	    c.sock.end(b"a UNAUTHENTICATE\r\n")
	    assert c.line().startswith(b"a OK ")
	    assert imap_auth(c, name, mech("other@localhost", "wrong")).startswith("NO ")
	    assert imap_auth(c, name, mech("other@localhost", PASSWORD)).startswith("OK ")
	# More that is compressed is no command of anybody: BYE.
	for tls in False, True:
	    c = client(tls)
	    c.send(b"a UNAUTHENTICATE\r\n" + PLAIN)
	    assert c.line().startswith(b"* BYE ")
	    eq(c.rest(), b"")
	EOF
}

@test "SCRAM with channel binding: of the TLS that the relay has, after COMPRESS, too" {
	py <<-'EOF'
	from mailtest import *
	from sasl_client import imap_auth, scram
	import hashlib, subprocess
	def auth(c, kind, data):
	    return imap_auth(c, "SCRAM-SHA-256-PLUS", scram("sha256", "other@localhost", PASSWORD, (kind, data)))
	for compress in False, True:
	    c = Imap(1993, tls=True)
	    point = hashlib.sha256(c.sock.getpeercert(True)).digest()
	    if compress:
	        c.compress()
	        c.sock.end(b"a UNAUTHENTICATE\r\n")
	        assert c.line().startswith(b"a OK ")
	    else:
	        c.ok("UNAUTHENTICATE")
	    assert auth(c, "tls-server-end-point", b"x" * 32).startswith("NO ")
	    assert auth(c, "tls-server-end-point", point).startswith("OK ")
	# openssl knows tls-exporter (RFC 9266), and says it before the greeting.
	p = subprocess.Popen(["openssl", "s_client", "-connect", f"{IP}:1993", "-crlf", "-ign_eof",
	    "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
	    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	class Pipe(Imap):
	    def __init__(self):
	        self.n = 0
	    def send(self, b):
	        b = b.encode() if isinstance(b, str) else b
	        p.stdin.write(b.replace(b"\r", b"")) # -crlf adds it
	        p.stdin.flush()
	    def line(self):
	        line = p.stdout.readline()
	        assert line, "s_client ended"
	        return line.rstrip(b"\r\n")
	c, data = Pipe(), None
	while not (line := c.line()).startswith(b"* OK "):
	    if b"Keying material:" in line:
	        data = bytes.fromhex(line.split(b":")[1].strip().decode())
	c.ok(f"LOGIN {USER} {PASSWORD}")
	c.ok("UNAUTHENTICATE")
	assert auth(c, "tls-exporter", b"x" * 32).startswith("NO ")
	assert auth(c, "tls-exporter", data).startswith("OK ")
	c.ok("UNAUTHENTICATE")
	assert auth(c, "tls-exporter", data).startswith("OK ")
	p.kill()
	p.wait()
	EOF
}

@test "client certificates: EXTERNAL again, also after PREAUTH (RFC 8437, 4.2)" {
	mkdir -p "$DIR/data/auth/@tls"
	for preauth in yes no; do
		name=cert-$preauth
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout "$DIR/$name.key" -out "$DIR/$name.crt" -days 9 \
			-subj "/CN=$name" 2>/dev/null
		key=$(openssl x509 -in "$DIR/$name.crt" -noout -pubkey |
			openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary |
			basenc --base64url | tr -d =)
		cat >"$DIR/data/auth/@tls/$key" <<-KEY
		account mox
		login mox@localhost
		type ecdsa-p256
		name $name
		created 1700000000
		preauth $preauth
		cert $(openssl x509 -in "$DIR/$name.crt" -outform DER | base64 -w0)
		KEY
	done
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
	for name, word in ("cert-yes", "* PREAUTH "), ("cert-no", "* OK "):
	    c = Tls(name)
	    assert c.greeting.startswith(word), c.greeting
	    if name == "cert-no":
	        c.ok("AUTHENTICATE EXTERNAL =")
	    c.compress()
	    c.sock.end(b"a UNAUTHENTICATE\r\n")
	    assert c.line().startswith(b"a OK ")
	    c.no("SELECT INBOX")
	    assert c.ok("CAPABILITY").has(r" AUTH=EXTERNAL\b")
	    c.no("AUTHENTICATE EXTERNAL b3RoZXJAbG9jYWxob3N0")  # another's
	    c.ok("AUTHENTICATE EXTERNAL =")
	    c.ok("SELECT INBOX")
	    c.ok("UNAUTHENTICATE")
	    c.no("LOGIN other@localhost wrong")
	    c.ok(f"LOGIN {USER} {PASSWORD}")
	# Nobody has shown one.
	c = Imap(1993, tls=True)
	c.ok("UNAUTHENTICATE")
	assert not c.ok("CAPABILITY").has("AUTH=EXTERNAL")
	c.no("AUTHENTICATE EXTERNAL =")
	EOF
}

@test "errors: arguments, not before log-in, not where it is disabled" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(login=False)
	c.no("UNAUTHENTICATE")
	c = Imap()
	c.bad("UNAUTHENTICATE x")
	c.compress()
	c.bad("UNAUTHENTICATE x")
	c.ok("NOOP")
	# Pipelined more than the next process could be given: BYE, no command.
	c = Imap()
	c.send(b"a UNAUTHENTICATE\r\n" + b"b LOGIN " + b"x" * 40000)
	assert c.line().startswith((b"a OK ", b"* BYE "))
	EOF
}

@test "failed log-ins still count" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("UNAUTHENTICATE")
	for i in range(3):
	    assert c.no("LOGIN other@localhost wrong").text.startswith("[AUTHENTICATIONFAILED]")
	EOF
	eventually grep -q 'login attempt.*result=badcreds\|login attempt.*result=badpassword' "$BATS_FILE_TMPDIR/server.log"
}
