#!/usr/bin/env bats
# METADATA (RFC 5464) and LIST-METADATA (RFC 9590).

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "GETMETADATA, SETMETADATA: the examples (RFC 5464, 4.2 and 4.3)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" METADATA ")
	c.ok('SETMETADATA "" (/shared/comment "Shared comment")')
	eq(c.ok('GETMETADATA "" /shared/comment').lines,
	   ['* METADATA "" (/shared/comment "Shared comment")'])
	c.ok('SETMETADATA INBOX (/private/comment "My own comment")')
	eq(c.ok('GETMETADATA "INBOX" /private/comment').lines,
	   ['* METADATA "INBOX" (/private/comment "My own comment")'])
	# Entries that are not there are not told.
	eq(c.ok('GETMETADATA "INBOX" (/shared/comment /private/comment)').lines,
	   ['* METADATA "INBOX" (/private/comment "My own comment")'])
	eq(c.ok('GETMETADATA "INBOX" /shared/comment').lines, [])
	long = "x" * 2199
	c.ok(f'SETMETADATA INBOX (/private/comment "My own comment" /shared/comment {{2199+}}\r\n{long})')
	for command in ('GETMETADATA "INBOX" (MAXSIZE 1024) (/shared/comment /private/comment)',
	                'GETMETADATA (MAXSIZE 1024) "INBOX" (/shared/comment /private/comment)'):
	    a = c.ok(command)
	    eq(a.lines, ['* METADATA "INBOX" (/private/comment "My own comment")'])
	    eq(a.text, "[METADATA LONGENTRIES 2199] GETMETADATA done")
	eq(c.ok('GETMETADATA (MAXSIZE 2199) INBOX /shared/comment').text, "GETMETADATA done")
	c.ok('SETMETADATA INBOX (/private/filters/values/small "SMALLER 5000" '
	     '/private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/values/a/b x'.replace(" x", ' "x")'))
	both = '/private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/values/small "SMALLER 5000"'
	eq(c.ok('GETMETADATA "INBOX" (DEPTH 1) (/private/filters/values)').lines, [f'* METADATA "INBOX" ({both})'])
	eq(c.ok('GETMETADATA (DEPTH infinity) "INBOX" /private/filters').lines,
	   [f'* METADATA "INBOX" (/private/filters/values/a/b "x" {both})'])
	eq(c.ok('GETMETADATA (DEPTH 0) "INBOX" /private/filters').lines, [])
	eq(c.ok('GETMETADATA (MAXSIZE 1 DEPTH infinity) INBOX /private/filters').text,
	   "[METADATA LONGENTRIES 23] GETMETADATA done")
	c.begin("SETMETADATA INBOX (/private/comment {33}")
	assert c.line().startswith(b"+ ")
	c.send("My new comment across\r\ntwo lines.)\r\n")
	eq(c.end().status, "OK")
	eq(c.ok("GETMETADATA INBOX /private/comment").lines,
	   ['* METADATA "INBOX" (/private/comment {33}\r\nMy new comment across\r\ntwo lines.)'])
	c.ok("SETMETADATA INBOX (/private/comment NIL)")
	eq(c.ok("GETMETADATA INBOX /private/comment").lines, [])
	c.ok("SETMETADATA INBOX (/private/comment NIL)")
	# Without case; any bytes; an empty value is one.
	c.ok(b"SETMETADATA INBOX (/PRIVATE/Comment ~{3+}\r\na\0\xff /shared/comment \"\")")
	eq(c.ok("GETMETADATA inbox (/private/COMMENT /shared/comment)").lines,
	   ['* METADATA "INBOX" (/private/comment ~{3}\r\na\0\xff /shared/comment "")'])
	assert open(DIR + "/data/accounts/mox/Maildir/mox.metadata", "rb").read().startswith(b"/private/comment\ta%00\xff\n")
	# Other sessions see the same; with a mailbox selected too.
	d = Imap()
	d.ok("SELECT INBOX")
	assert d.ok('GETMETADATA "" (DEPTH infinity) (/shared /private)').has(r'^\* METADATA "" \(/shared/comment "Shared comment"\)$')
	EOF
}

@test "METADATA: what is refused, and changes nothing (RFC 5464, 4.3)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE refused")
	c.ok('SETMETADATA refused (/private/comment "as it was")')
	def same(a, status, code=""):
	    assert a.status == status and a.text.startswith(code), a
	    eq(c.ok("GETMETADATA refused (/private/comment /shared/comment)").lines,
	       ['* METADATA "refused" (/private/comment "as it was")'])
	for entry in ("comment", "/comment", "/private", "/other/comment", "/private/", "/private//x",
	              '"/private/a*"', "/private/vendor/x", "/shared/vendor", '"/private/a%"',
	              '"/private/\xe4"', "/private/" + "x" * 1000):
	    same(c.cmd(f'SETMETADATA refused (/shared/comment "x" {entry} "x")'), "BAD")
	same(c.cmd('SETMETADATA refused /private/comment "x"'), "BAD")
	same(c.cmd("SETMETADATA refused (/private/comment)"), "BAD")
	same(c.cmd('SETMETADATA refused ()'), "BAD")
	same(c.cmd('SETMETADATA refused (/private/comment ~"x")'), "BAD")
	same(c.cmd('SETMETADATA missing (/private/comment "x")'), "NO", "[NONEXISTENT] ")
	same(c.cmd('SETMETADATA "" (/private/comment "x" /shared/admin "mailto:x@example.org")'), "NO", "[NOPERM] ")
	assert c.no("GETMETADATA missing /private/comment").text.startswith("[NONEXISTENT] ")
	for command in ("GETMETADATA", "GETMETADATA refused", "GETMETADATA refused ()", "GETMETADATA refused x",
	                "GETMETADATA (DEPTH 2) refused /private", "GETMETADATA (MAXSIZE x) refused /private",
	                "GETMETADATA (OTHER) refused /private", 'GETMETADATA refused "/private/*"',
	                "GETMETADATA refused (/private /shared", "GETMETADATA refused /private /shared"):
	    c.bad(command)
	# Too many, too large: of all mailboxes of the account together.
	big = "x" * 100000
	c.ok('SETMETADATA refused (/private/vendor/x/y "allowed")')
	for i in range(9):
	    c.ok(f'SETMETADATA "" (/private/big/{i} {{{len(big)}+}}\r\n{big})')
	same(c.cmd(f'SETMETADATA refused (/private/comment "x" /shared/comment {{{len(big)}+}}\r\n{big})'),
	     "NO", "[METADATA MAXSIZE 1000000] ")
	c.ok('SETMETADATA "" (' + " ".join(f"/private/big/{i} NIL" for i in range(9)) + ")")
	c.ok("CREATE many")
	c.ok('SETMETADATA many (' + " ".join(f'/private/n/{i} "x"' for i in range(500)) + ")")
	top = DIR + "/data/accounts/mox/"
	files = [top + "metadata"] + [os.path.join(p, "mox.metadata") for p, _, f in os.walk(top) if "mox.metadata" in f]
	left = 1000 - sum(len(open(f, "rb").readlines()) for f in files if os.path.exists(f))
	c.ok('SETMETADATA many (' + " ".join(f'/private/m/{i} "x"' for i in range(left)) + ")")
	same(c.cmd('SETMETADATA refused (/private/comment "x" /private/more "x")'), "NO", "[METADATA TOOMANY] ")
	# One for another, and less, are possible.
	c.ok('SETMETADATA many (/private/n/1 NIL /private/n/x "x")')
	c.ok("DELETE many")
	c.ok('SETMETADATA refused (/private/more "x")')
	EOF
}

@test "METADATA moves with RENAME and goes with DELETE (RFC 5464, 4.1)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE parent/child")
	c.ok('SETMETADATA parent (/private/comment "parent")')
	c.ok('SETMETADATA parent/child (/private/comment "child")')
	c.ok("RENAME parent moved")
	def comment(box):
	    lines = c.ok(f'GETMETADATA {box} /private/comment').lines
	    return re.search(r'comment "(.*)"\)$', lines[0])[1] if lines else None
	eq((comment("moved"), comment("moved/child")), ("parent", "child"))
	c.no("GETMETADATA parent /private/comment")
	c.ok("CREATE parent")
	eq(comment("parent"), None)
	c.ok("DELETE moved/child")
	c.ok("CREATE moved/child")
	eq(comment("moved/child"), None)
	# Those of Inbox stay, and are copied.
	c.ok('SETMETADATA INBOX (/private/comment "of inbox")')
	c.ok("RENAME INBOX old")
	eq((comment("INBOX"), comment("old")), ("of inbox", "of inbox"))
	EOF
}

@test "LIST RETURN (METADATA ...) (RFC 9590)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" LIST-METADATA( |$)")
	for box in "listed", "listed/red", "listed/none":
	    c.ok("CREATE " + box)
	c.ok("SUBSCRIBE listed/missing")
	c.ok('SETMETADATA listed/red (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")')
	entry = "/shared/vendor/cmu/cyrus-imapd/color"
	eq(c.ok(f'LIST "" "listed/%" RETURN (METADATA ("{entry}"))').lines,
	   ['* LIST () "/" "listed/none"', f'* METADATA "listed/none" ({entry} NIL)',
	    '* LIST () "/" "listed/red"', f'* METADATA "listed/red" ({entry} "#b71c1c")'])
	a = c.ok(f'LIST (SUBSCRIBED) "" "listed/*" RETURN (METADATA ({entry} /private/comment) STATUS (MESSAGES))')
	assert a.has(rf'^\* METADATA "listed/red" \({entry} "#b71c1c" /private/comment NIL\)$'), a
	assert a.has(r'^\* STATUS "listed/red" \(MESSAGES 0\)$'), a
	assert not a.has(r'METADATA "listed/missing"'), a
	for wrong in "METADATA", "METADATA ()", "METADATA (x)", f"METADATA ({entry}":
	    c.bad(f'LIST "" * RETURN ({wrong})')
	EOF
}

@test "mox-verifydata tells lines of annotations that make no sense" {
	printf '/private/comment\tx\nno sense\n' >"$(maildir)/mox.metadata"
	run mox-verifydata "$DIR/data"
	[[ $output == *metadata*"1 line"* ]]
	rm "$(maildir)/mox.metadata"
	run mox-verifydata "$DIR/data"
	[[ $output != *metadata* ]]
}
