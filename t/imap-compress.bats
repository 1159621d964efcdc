#!/usr/bin/env bats
# COMPRESS=DEFLATE (RFC 4978): in the clear and inside TLS.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "COMPRESS DEFLATE, in the clear and inside TLS" {
	py <<-'EOF'
	from mailtest import *
	def client(kind):
	    if kind == "plain":
	        return Imap()
	    if kind == "tls":
	        return Imap(1993, tls=True)
	    c = Imap(login=False)
	    c.ok("STARTTLS")
	    c.starttls()
	    c.ok(f"LOGIN {USER} {PASSWORD}")
	    return c
	big = "".join(f"line {i} {i * i}\r\n" for i in range(60000))
	for kind in ("plain", "tls", "starttls"):
	    c = client(kind)
	    assert c.ok("CAPABILITY").has(r" COMPRESS=DEFLATE( |$)")
	    for wrong in ("", " ", " DEFLATE x", ' "DEFLATE"'):
	        c.bad("COMPRESS" + wrong)
	    c.no("COMPRESS GZIP")
	    c.compress()
	    # 3: not a second time
	    a = c.no("COMPRESS DEFLATE")
	    assert a.text.startswith("[COMPRESSIONACTIVE] "), a
	    c.ok("NOOP")
	    c.cmd("CREATE " + kind)
	    a = c.append(kind, message("big", big))
	    eq(a.status, "OK")
	    c.append(kind, message("small"))
	    c.ok("SELECT " + kind)
	    m = message("big", big)
	    eq(c.ok("FETCH 1 BODY[]").lines[0], f"* 1 FETCH (BODY[] {{{len(m)}}}\r\n{m} FLAGS (\\Seen))")
	    # Many commands at once, whose answers come in order.
	    c.sock.sendall(b"".join(b"p%d UID FETCH 1:2 (FLAGS)\r\n" % i for i in range(3000)))
	    for i in range(3000):
	        while not (line := c.line()).startswith(b"p"):
	            pass
	        assert line.startswith(b"p%d OK" % i), line
	    # IDLE waits for the compressed bytes of others and its own.
	    d = Imap()
	    d.compress()
	    c.begin("IDLE")
	    assert c.line().startswith(b"+ ")
	    d.append(kind, message("new"))
	    eq(c.line(), b"* 3 EXISTS")
	    c.line()
	    c.send("DONE\r\n")
	    eq(c.end().status, "OK")
	    c.begin("APPEND " + kind + " {10}")
	    assert c.line().startswith(b"+ ")
	    c.send("a: b\r\n\r\nx\n\r\n")
	    eq(c.end().status, "OK")
	    assert c.ok("LOGOUT").has(r"^\* BYE")
	    eq(c.rest(), b"")
	# Before login it is nobody's.
	c = Imap(login=False)
	assert c.ok("CAPABILITY").has(" COMPRESS=DEFLATE ")
	c.no("COMPRESS DEFLATE")
	EOF
}

@test "what is not compressed, or a bomb, ends or is refused; nothing grows" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.compress()
	c.sock.sock.sendall(b"a NOOP\r\nb NOOP\r\n")
	got = c.sock.raw.read()
	assert b"a OK" not in got
	# A line of a gigabyte is a megabyte here: its first 16 KB are enough.
	c = Imap()
	c.compress()
	try:
	    for i in range(1000):
	        c.sock.sendall(b"x" * 1000000)
	except OSError:
	    pass
	else:
	    assert b"* BYE line too long" in c.rest()
	c = Imap()
	c.compress()
	a = c.bad("SEARCH SUBJECT {2000000}")
	assert a.text.startswith("[TOOBIG]"), a
	# The peer may end its stream.
	c = Imap()
	c.compress()
	c.sock.sock.sendall(c.sock.packer.compress(b"z NOOP\r\n") + c.sock.packer.flush(zlib.Z_FINISH))
	assert b"z OK NOOP" in c.rest()
	c = Imap()
	c.ok("NOOP")
	EOF
}
