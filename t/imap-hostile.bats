#!/usr/bin/env bats
# Clients that mean harm, or are broken: refused clearly, in bounded memory,
# others unhurt.

load helper

setup_file() {
	start_shared_server -loglevel error
}

teardown_file() { stop_background; }

# Afterwards a client of good will must be served, and nothing have crashed.
py() {
	PYTHONPATH=$BATS_TEST_DIRNAME python3 -
	echo 'from mailtest import *; Imap().ok("LOGOUT")' |
		PYTHONPATH=$BATS_TEST_DIRNAME python3 -
	! grep -E 'crashed|Sanitizer' "$BATS_FILE_TMPDIR/server.log"
}

@test "literals of 4 GB and more announced" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	for n in (2**32, 2**63, 2**64, 10**30):
	    assert c.no(f"APPEND INBOX {{{n}}}").text.startswith("[TOOBIG]"), n
	    assert c.bad(f"SELECT {{{n}}}").text.startswith("[TOOBIG]"), n
	for login in False, True:
	    for n in (200000, 2**32, 10**30):
	        c = Imap(login=login)
	        c.send(f"a LOGIN {{{n}+}}\r\n" + "b LOGOUT\r\n")
	        got = c.rest()
	        assert got.startswith(b"a BAD [TOOBIG]") and b"b OK" not in got, got
	c = Imap()
	c.send(f"a APPEND INBOX {{{2**32}+}}\r\nb LOGOUT\r\n")
	got = c.rest()
	assert got.startswith(b"a NO [TOOBIG]") and b"\r\n* BYE " in got, got
	assert b"b OK" not in got
	EOF
}

@test "literals past their count and sum" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.send(b"a SEARCH " + b"BODY {1+}\r\nx " * 1001 + b"ALL\r\n")
	assert c.line().startswith(b"a BAD [TOOBIG]")
	c = Imap()
	c.send(b"a SEARCH " + b"BODY {100000+}\r\n" + b"x" * 100000 + b" ")
	for i in range(9):
	    c.send(b"BODY {100000+}\r\n" + b"x" * 100000 + b" ")
	c.send(b"BODY {100000}\r\n")
	assert c.line().startswith(b"a BAD [TOOBIG]")
	c.ok("NOOP")
	EOF
}

@test "lines without end, before and after login" {
	py <<-'EOF'
	from mailtest import *
	for login in False, True:
	    for start in b"", b"a SEARCH BODY {1+}\r\nx":
	        c = Imap(login=login)
	        try:
	            c.send(start)
	            for i in range(200):
	                c.send(b"x" * 50000)
	        except OSError:
	            pass
	        try:
	            assert b"* BYE line too long" in c.rest()
	        except ConnectionResetError:
	            pass
	EOF
}

@test "NUL, CR and bytes that are no UTF-8 where they cannot be" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	for command in (b"\0", b"NO\0OP", b"SELECT a\0b", b'SELECT "a\0b"', b'SELECT "a\rb"', b"LOGOUT\0",
	        b"SELECT {3+}\r\na\0b", b"CREATE {3+}\r\na\nb", b'CREATE "\xff"', b'CREATE "a\x7fb"',
	        b'SEARCH CHARSET UTF-8 BODY "\xc3"', b'LIST "" "\xe9"', b"STORE 1 FLAGS (a\x80)"):
	    a = c.cmd(command)
	    assert a.status in ("BAD", "NO"), (command, a)
	c.ok("NOOP")
	c.ok("ENABLE UTF8=ACCEPT")
	assert c.cmd(b'CREATE "\xff"').status in ("BAD", "NO")
	c.send(b"\0\0\0\r\n\r\n * \r\n")
	for i in range(3):
	    assert c.line().startswith(b"* BAD "), i
	c.ok("NOOP")
	EOF
}

@test "arguments without measure" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.append("INBOX", message("m"))
	c.ok("SELECT INBOX")
	c.bad("SEARCH " + "(" * 8000 + "ALL" + ")" * 8000)
	c.bad("SEARCH " + "NOT " * 4000 + "ALL")
	c.bad("SEARCH " + "OR " * 4000 + "ALL")
	c.bad("SEARCH " + "ALL " * 4000 + "ALL")
	c.bad("FETCH 1 BODY[" + "1." * 1000 + "MIME]")
	c.bad("FETCH 1 (" + "UID " * 10 + "BODY[] " * 1000 + "BODY[])")
	c.bad("FETCH 1 BODY[HEADER.FIELDS (" + "x " * 5000 + "x)]")
	c.bad("FETCH 1 BODY[99999999999999999999]")
	c.bad("FETCH 1 BODY[]<0.0>")
	c.bad("FETCH 1 BODY[]<99999999999999999999.1>")
	eq(c.ok(f"FETCH 1 BODY.PEEK[]<{2**63-1}.{2**63-1}>").find(r"BODY\[\]<\d+> (.*)\)")[1], "{0}\r\n")
	c.bad("FETCH 4294967296 FLAGS")
	c.ok("UID FETCH 4294967295 FLAGS")
	c.ok("UID FETCH " + ",".join(str(n) for n in range(6000, 3000, -2)) + " FLAGS")
	c.bad("STORE 1 +FLAGS (" + " ".join(f"k{i}" for i in range(70)) + ")")
	c.ok("STORE 1 +FLAGS (" + " ".join(f"k{i}" for i in range(60)) + ")")
	assert "LIMIT" in c.no("STORE 1 +FLAGS (" + " ".join(f"j{i}" for i in range(10)) + ")").text
	c.bad("STORE 1 +FLAGS (" + "k" * 200 + ")")
	c.ok('LIST "" "' + "*%" * 1500 + 'x"')
	c.ok('LIST "' + "a" * 3000 + '" "%"')
	assert c.cmd("CREATE " + "a" * 1500).status == "NO"
	assert c.cmd("CREATE " + "a/" * 700 + "a").status == "NO"
	c.bad('LIST "" (' + "a " * 200 + "a)")
	c.ok('SEARCH BODY "' + "x" * 16000 + '"')
	c.bad('ID (' + '"a" "b" ' * 31 + '"a" "b")')
	c.bad("ENABLE (")
	EOF
}

@test "a message refused leaves the connection in step" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	m = message("m")
	assert c.append("none", m).text.startswith("[TRYCREATE]")
	assert c.append("none", m * 10000).text.startswith("[TRYCREATE]")
	c.bad(f"APPEND INBOX (\\Foo) {{{len(m)}+}}\r\n{m}")
	c.bad(f"APPEND INBOX {{{len(m)}+}}\r\n{m} more")
	c.bad(f"APPEND INBOX {{{len(m)}+}}\r\n{m} {{3+}}\r\nabc x {{4+}}\r\nabcd")
	c.bad(f"APPEND INBOX {{{len(m)}+}}\r\n{m} x {{3}}")
	c.bad(f"APPEND INBOX UTF8 (~{{{len(m)}+}}\r\n{m})")
	c.no("APPEND INBOX {0+}\r\n")
	c.no("APPEND INBOX {0}")
	c.ok("NOOP")
	before = len(maildir_files())
	c.ok(f"APPEND INBOX ~{{{len(m)}+}}\r\n{m}")
	c.ok("ENABLE UTF8=ACCEPT")
	c.ok(f"APPEND INBOX UTF8 (~{{{len(m)}+}}\r\n{m})")
	c.bad(f"APPEND INBOX UTF8 ({{{len(m)}+}}\r\n{m})")
	eq(len(maildir_files()), before + 2)
	EOF
}

@test "answers keep the order of commands, also before a continuation" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.send("a NOOP\r\nb NOOP\r\nc SELECT {5}\r\n")
	eq([c.line()[:4] for i in range(3)], [b"a OK", b"b OK", b"+ go"])
	c.send("INBOX\r\n")
	eq(c.response()[:7], "* FLAGS")
	c.send(b"".join(b"x%d NOOP\r\n" % i for i in range(10000)) + b"y LOGOUT\r\n")
	got = [l for l in c.rest().split(b"\r\n") if l[:1] == b"x"]
	eq(got, [b"x%d OK NOOP done" % i for i in range(10000)])
	EOF
}

@test "commands pipelined before STARTTLS" {
	py <<-'EOF'
	from mailtest import *
	for more in "b LOGIN mox@localhost moxmoxmox\r\n", "b", "\x16\x03\x01":
	    c = Imap(login=False)
	    c.send("a STARTTLS\r\n" + more)
	    got = c.rest()
	    assert b"a OK" not in got and b"b " not in got, got
	EOF
}

@test "half a command, half a literal, then gone or silent" {
	py <<-'EOF'
	from mailtest import *
	before = len(maildir_files())
	for tail in (b"a LOG", b"a LOGIN {5+}\r\nab", b"a LOGIN {5}\r\n"):
	    Imap(login=False).send(tail)
	for tail in (b"a SELE", b"a APPEND INBOX {1000+}\r\nSubject: x\r\n", b"a APPEND INBOX {10}\r\n",
	        b"a SEARCH BODY {9+}\r\nab", b"a IDLE\r\n", b"a IDLE\r\nDO"):
	    silent = Imap()
	    silent.send(tail)
	    gone = Imap()
	    gone.send(tail)
	    gone.close()
	Imap().ok("NOOP")
	eq(len(maildir_files()), before)
	EOF
}

@test "many connections that say nothing; one more is served" {
	py <<-'EOF'
	from mailtest import *
	idle = [Imap(login=False) for i in range(200)]
	logged = [Imap() for i in range(20)]
	c = Imap()
	c.ok("SELECT INBOX")
	for i in idle[:100]:
	    i.close()
	for i in logged:
	    i.ok("NOOP")
	EOF
}

# A connection holds at most 1.1 MB of a command and 64 KB of answers besides
# what its programs are; 40 MB have room for shared libraries too.
@test "memory is bounded by the request: long commands, answers nobody reads" {
	[[ $MOX_T != */asan/* ]] || skip "memory of a sanitizer"
	py <<-'EOF'
	from mailtest import *
	import glob, time
	def peak_kb():
	    most = 0
	    for path in glob.glob("/proc/[0-9]*/status"):
	        try:
	            text = open(path).read()
	            if DIR in open(path[:-6] + "cmdline").read():
	                most = max(most, int(re.search(r"VmHWM:\s+(\d+)", text)[1]))
	        except (OSError, TypeError):
	            pass
	    return most
	c = Imap()
	c.ok("CREATE large")
	big = message("big", "0123456789abcdef\r\n" * 2_000_000)
	assert c.append("large", big).status == "OK"
	c.ok("SELECT large")
	c.send("a FETCH 1 BODY.PEEK[]\r\n" * 3)       # and does not read
	d = Imap()
	d.ok("SELECT large")
	d.ok("SEARCH BODY nowhere")
	d.ok("FETCH 1 BINARY.SIZE[1]")
	for i in range(10):
	    d.cmd(b"SEARCH BODY {100000+}\r\n" + b"x" * 100000)
	eq(len(d.ok("FETCH 1 BODY.PEEK[]").lines[0]) > len(big), True)
	e = Imap(login=False)
	e.send(b"a LOGIN " + b"{100000+}\r\n" + b"x" * 100000 + b" x")
	time.sleep(0.5)
	got = peak_kb()
	print("peak", got, "KB")
	assert 1000 < got < 40000, got
	EOF
}
