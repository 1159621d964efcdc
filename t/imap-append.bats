#!/usr/bin/env bats
# Several messages in one APPEND (RFC 3502), and REPLACE (RFC 8508).

load helper

setup_file() {
	start_shared_server -loglevel info
	cat >"$BATS_FILE_TMPDIR/words.py" <<'EOF2'
from mailtest import *
def parts(*messages):
    """What follows APPEND and the mailbox: (head, text), ..., unasked."""
    return b"".join(f" {head}{{{len(text)}+}}\r\n{text}".encode() for head, text in messages)
def append(c, mailbox, *messages):
    return c.cmd(f"APPEND {mailbox}".encode() + parts(*messages))
def tmp_files():
    top = DIR + "/data/accounts/mox/Maildir"
    return [f for p, _, files in os.walk(top) if p.endswith("/tmp") for f in files]
EOF2
}

teardown_file() { stop_background; }

py() { cat "$BATS_FILE_TMPDIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "MULTIAPPEND: the example, with asked and unasked literals" {
	py <<-'EOF'
	c = Imap()
	assert c.ok("CAPABILITY").has(" MULTIAPPEND ")
	c.ok("CREATE saved-messages")
	one, two = message("one"), message("two")
	c.begin(f"APPEND saved-messages (\\Seen) {{{len(one)}}}")
	assert c.line().startswith(b"+ ")
	c.send(f'{one} (\\Seen word) " 7-Feb-1994 22:43:04 -0800" {{{len(two)}}}\r\n')
	assert c.line().startswith(b"+ ")
	c.send(two + "\r\n")
	a = c.end()
	validity = re.fullmatch(r"\[APPENDUID (\d+) 1:2\] APPEND done", a.text)[1]
	c.ok("SELECT saved-messages")
	eq(c.ok("FETCH 1:2 (FLAGS RFC822.SIZE)").lines, [
	    f"* 1 FETCH (RFC822.SIZE {len(one)} FLAGS (\\Seen))",
	    f"* 2 FETCH (RFC822.SIZE {len(two)} FLAGS (\\Seen word))"])
	assert c.ok("FETCH 2 INTERNALDATE").has(r'" 8-Feb-1994 06:43:04 \+0000"')
	assert c.ok("FETCH 2 ENVELOPE").has('"two"')
	# To the mailbox that is selected, and one message as before.
	a = append(c, "saved-messages", ("", message("3")), ("", message("4")), ("(\\Flagged) ", message("5")))
	assert a.text.startswith(f"[APPENDUID {validity} 3:5] "), a
	assert a.has(r"^\* 5 EXISTS$") and a.has(r"^\* 5 FETCH \(UID 5 FLAGS \(\\Flagged\)"), a
	eq(append(c, "saved-messages", ("", message("6"))).text, f"[APPENDUID {validity} 6] APPEND done")
	# UTF8 and literal8.
	c.ok("ENABLE UTF8=ACCEPT")
	u = message("\u00e4").encode()
	a = c.cmd(b"APPEND saved-messages UTF8 (~{%d+}\r\n%b) (\\Seen) UTF8 (~{%d+}\r\n%b) ~{3+}\r\nabc" % (len(u), u, len(u), u))
	assert a.text.startswith(f"[APPENDUID {validity} 7:9] "), a
	EOF
}

@test "MULTIAPPEND: all or nothing" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE none")
	c.ok("CREATE other")
	good = message("good")
	def nothing(a, status, code=""):
	    assert a.status == status and a.text.startswith(code), a
	    assert c.ok("STATUS none (MESSAGES UIDNEXT)").has(r"\(MESSAGES 0 UIDNEXT 1\)")
	    eq(tmp_files(), [])
	# RFC 3502: an empty message takes back those before it.
	nothing(append(c, "none", ("", good), ("", good), ("", "")), "NO")
	c.begin(f"APPEND none {{{len(good)}+}}\r\n{good} {{0}}")
	nothing(c.end(), "NO")
	nothing(append(c, "none", ("", good), ("(\\Bogus) ", good)), "BAD")
	nothing(append(c, "none", ("", good), ('"1-Jan-2020" ', good)), "BAD")
	nothing(append(c, "none", ("", good), ("(bad{) ", good)), "BAD")
	nothing(c.cmd(f"APPEND none {{{len(good)}+}}\r\n{good} x"), "BAD")
	nothing(c.cmd(f"APPEND none {{{len(good)}+}}\r\n{good} "), "BAD")
	c.begin(f"APPEND none {{{len(good)}+}}\r\n{good} (\\Seen) {{{2**31}}}")
	nothing(c.end(), "NO", "[TOOBIG] ")
	nothing(append(c, "missing", ("", good), ("", good)), "NO", "[TRYCREATE] ")
	# The client goes away between two.
	d = Imap()
	d.begin(f"APPEND none {{{len(good)}+}}\r\n{good} {{10}}")
	assert d.line().startswith(b"+ ")
	wait_for(lambda: len(tmp_files()) == 1)
	d.close()
	wait_for(lambda: not tmp_files())
	nothing(append(c, "none", ("", "")), "NO")
	EOF
}

@test "REPLACE and UID REPLACE: the examples" {
	py <<-'EOF'
	c = Imap()
	assert c.ok("CAPABILITY").has(" REPLACE ")
	c.ok("CREATE Draft")
	append(c, "Draft", *[("", message(str(i))) for i in range(1, 6)])
	c.ok("SELECT Draft")
	one = message("again", "Just saw the best fireworks show. Wish you were here.\r\n")
	c.begin(f"REPLACE 4 Draft (\\Seen \\Draft) {{{len(one)}}}")
	assert c.line().startswith(b"+ ")
	c.send(one + "\r\n")
	a = c.end()
	eq(a.text, "REPLACE done")
	assert re.match(r"\* OK \[APPENDUID \d+ 6\] ", a.lines[0]), a
	eq(a.lines[1:3], ["* 4 EXPUNGE", "* 5 EXISTS"])
	assert not a.has("Deleted")
	assert c.ok("FETCH 1:* (UID FLAGS)").lines[3:] == [
	    "* 4 FETCH (UID 5 FLAGS ())", "* 5 FETCH (UID 6 FLAGS (\\Seen \\Draft))"]
	a = c.ok(f"UID REPLACE 6 Draft (\\Seen \\Draft) {{{len(one)}+}}\r\n{one}")
	assert re.match(r"\* OK \[APPENDUID \d+ 7\] ", a.lines[0]), a
	eq(a.lines[1:3], ["* 5 EXPUNGE", "* 5 EXISTS"])
	eq(a.text, "UID REPLACE done")
	# 3.4: into another mailbox, only that message, whatever is \Deleted.
	c.ok("STORE 1 +FLAGS (\\Deleted)")
	c.ok("CREATE elsewhere")
	a = c.ok(f'REPLACE * elsewhere "01-Jan-2020 00:00:00 +0000" {{{len(one)}+}}\r\n{one}')
	assert re.match(r"\* OK \[APPENDUID \d+ 1\] ", a.lines[0]), a
	eq(a.lines[1:], ["* 5 EXPUNGE"])
	eq([re.search(r"UID (\d+)", l)[1] for l in c.ok("FETCH 1:* UID").lines], ["1", "2", "3", "5"])
	assert c.ok("STATUS elsewhere (MESSAGES)").has("MESSAGES 1")
	# 4.5: as UID EXPUNGE with QRESYNC, 4.6: another id.
	c.ok("ENABLE QRESYNC")
	old = c.ok("FETCH 1 EMAILID").find(r"\((\S+)\)\)$")[1]
	a = c.ok(f"UID REPLACE 5 Draft {{{len(one)}+}}\r\n{one}")
	assert a.has(r"^\* VANISHED 5$") and re.match(r"\[HIGHESTMODSEQ \d+\] ", a.text), a
	eq(tmp_files(), [])
	EOF
}

@test "REPLACE: what is refused leaves the message" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE keep")
	append(c, "keep", ("", message("1")), ("", message("2")))
	text = message("new")
	literal = f"{{{len(text)}+}}\r\n{text}"
	assert c.no(f"REPLACE 1 keep {literal}")
	c.ok("SELECT keep")
	def same(a, status, code=""):
	    assert a.status == status and a.text.startswith(code), a
	    assert not a.has("EXPUNGE"), a
	    assert c.ok("STATUS keep (MESSAGES UIDNEXT)").has(r"\(MESSAGES 2 UIDNEXT 3\)")
	    eq(tmp_files(), [])
	same(c.cmd(f"REPLACE 1 missing {literal}"), "NO", "[TRYCREATE] ")
	same(c.cmd(f"REPLACE 3 keep {literal}"), "BAD")
	same(c.cmd(f"REPLACE 0 keep {literal}"), "BAD")
	same(c.cmd(f"REPLACE 1:2 keep {literal}"), "BAD")
	same(c.cmd(f"UID REPLACE 9 keep {literal}"), "NO", "[NONEXISTENT] ")
	same(c.cmd("REPLACE 1 keep {0+}\r\n"), "NO")
	same(c.cmd("REPLACE 1 keep"), "BAD")
	# 4.7: one message only.
	same(c.cmd(f"REPLACE 1 keep {literal} {literal}"), "BAD")
	c.ok("EXAMINE keep")
	same(c.cmd(f"REPLACE 1 keep {literal}"), "NO", "[READ-ONLY] ")
	c.ok("SELECT keep")
	# Gone meanwhile, by another session.
	d = Imap()
	d.ok("SELECT keep")
	c.ok("UID REPLACE 1 keep (\\Seen) " + literal)
	a = d.no(f"UID REPLACE 1 keep {literal}") if d.ok("NOOP") else None
	assert a.text.startswith("[NONEXISTENT] "), a
	c.ok("ENABLE UIDONLY")
	assert c.bad(f"REPLACE 1 keep {literal}").text.startswith("[UIDREQUIRED] ")
	a = c.ok(f"UID REPLACE 2 keep {literal}")
	assert a.has(r"^\* VANISHED 2$"), a
	EOF
}

@test "CATENATE: the examples (RFC 4469, A; RFC 8508, 4.2)" {
	py <<-'EOF'
	c = Imap()
	assert c.ok("CAPABILITY").has(" CATENATE ")
	c.ok("CREATE Drafts2")
	B = "------------030308070208000400050907"
	def part(kind, text):
	    return f"Content-Type: {kind}\r\n\r\n{text}"
	head = message("trip", "", f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{B}"\r\n')
	old = head + f"\r\n--{B}\r\n" + part("text/plain", "The schedule.\r\n") + \
	    f"\r\n--{B}\r\n" + part("application/x-zip-compressed", "UEsDBA==\r\n") + f"\r\n--{B}--\r\n"
	append(c, "Drafts2", ("", old), ("", "new attachment\r\n"))
	validity = c.ok("STATUS Drafts2 (UIDVALIDITY)").find(r"UIDVALIDITY (\d+)")[1]
	def text(c, uid):
	    return re.search(r"\{\d+\}\r\n(.*)\)$", c.ok(f"UID FETCH {uid} BODY.PEEK[]").lines[0], re.S)[1]
	# Example 1: another attachment. Literals are asked for.
	box = f"/Drafts2;UIDVALIDITY={validity}"
	boundary, end = f"\r\n--{B}\r\n", f"\r\n--{B}--\r\n"
	c.begin(f'APPEND Drafts2 (\\Seen \\Draft $MDNSent) CATENATE (URL "{box}/;UID=1/;section=HEADER" TEXT {{{len(boundary)}}}')
	assert c.line().startswith(b"+ ")
	c.send(f'{boundary} URL "{box}/;UID=1/;section=1.MIME" URL "{box}/;UID=1/;section=1" TEXT {{{len(boundary)}}}\r\n')
	assert c.line().startswith(b"+ ")
	c.send(f'{boundary} URL "{box}/;UID=2" TEXT {{{len(end)}}}\r\n')
	assert c.line().startswith(b"+ ")
	c.send(f"{end})\r\n")
	a = c.end()
	eq(a.text, f"[APPENDUID {validity} 3] APPEND done")
	c.ok("SELECT Drafts2")
	eq(text(c, 3), head + boundary + part("text/plain", "The schedule.\r\n") + boundary + "new attachment\r\n" + end)
	assert c.ok("FETCH 3 (FLAGS BODY)").has(r'"MIXED"\) FLAGS \(\\Seen \\Draft \$MDNSent\)')
	assert not c.ok("FETCH 1:2 FLAGS").has("Seen")
	# URLs alone, as atom, literal, quoted, relative, partial, of fields; two messages.
	a = c.ok('APPEND Drafts2 CATENATE (URL /Drafts2/;UID=2) (\\Flagged) CATENATE (URL {20+}\r\n'
	         ';uid=2/;partial=4.10 URL "/Drafts2/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)" URL ";UID=2/;PARTIAL=14")')
	assert a.text.startswith(f"[APPENDUID {validity} 4:5] "), a
	eq(text(c, 4), "new attachment\r\n")
	eq(text(c, 5), "attachmentSubject: trip\r\n\r\n\r\n")
	# RFC 8508, 4.2, and names that are not ASCII.
	c.ok("CREATE &AOQ-b")
	a = c.ok('UID REPLACE 4 &AOQ-b CATENATE (TEXT {5+}\r\nA: b\n URL "/Drafts2/;UID=4")')
	assert a.has(r"^\* OK \[APPENDUID \d+ 1\] ") and a.has(r"^\* 4 EXPUNGE$"), a
	a = c.ok('APPEND Drafts2 CATENATE (URL "/%C3%A4b/;UID=1")')
	eq(text(c, 6), "A: b\nnew attachment\r\n")
	EOF
}

@test "CATENATE: what is refused (RFC 4469, 4)" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE cat")
	append(c, "cat", ("", message("one")))
	c.ok("EXAMINE cat")
	def refused(arguments, status, code=""):
	    a = c.cmd(f"APPEND cat {arguments}")
	    assert a.status == status and a.text.startswith(code), (arguments, a)
	    assert c.ok("STATUS cat (MESSAGES UIDNEXT)").has(r"\(MESSAGES 1 UIDNEXT 2\)")
	    eq(tmp_files(), [])
	for url in ("/cat/;UID=2", "/cat/;UID=0", "/cat/;UID=x", "/cat/;UID=1x", "/none/;UID=1", "/cat", "", "cat/;UID=1",
	            "/cat;UIDVALIDITY=1/;UID=1", "/cat;UIDVALIDITY=x/;UID=1", "/cat/;UID=1/;section=7",
	            "imap://localhost/cat/;UID=1", "http://x/;UID=1", "/cat/;UID=1/;section=1+FLAGS", "/ca%zz/;UID=1",
	            "/%ff/;UID=1", "/cat/;UID=1/;partial=x", "/cat/;UID=1/;section=TEXT%5d%20BODY%5b1"):
	    refused(f'CATENATE (URL "{url}")', "NO", f'[BADURL "{url}"] ')
	    # The first of several; with a message before it.
	    refused(f'{{3+}}\r\nabc CATENATE (TEXT {{3+}}\r\nabc URL "{url}" URL "/none/;UID=9")', "NO", "[BADURL ")
	refused('CATENATE (URL "/cat/]\\"\\\\;UID=1")', "NO", '[BADURL "/cat/???;UID=1"] ')
	for bad in ("CATENATE", "CATENATE ()", "CATENATE (URL)", "CATENATE (TEXT x)", "CATENATE (URL /cat/;UID=1", "CATENATE (OTHER x)",
	            "CATENATE (URL /cat/;UID=1) x", "CATENATE (URL /cat/;UID=1)x", "CATENATE (TEXT {1+}\r\nx", 'CATENATE ("x")'):
	    refused(bad, "BAD")
	refused("CATENATE (TEXT {0+}\r\n)", "NO")
	refused(f"CATENATE (TEXT {{{2**31}}}", "NO", "[TOOBIG] ")
	refused("CATENATE (URL {20000}", "NO", "[TOOBIG] ")
	a = c.cmd('APPEND missing CATENATE (URL "/cat/;UID=1")')
	assert a.text.startswith("[TRYCREATE] "), a
	EOF
}
