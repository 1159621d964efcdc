#!/usr/bin/env bats
# IMAP on the wire: every command in and out of its state, its arguments right
# and wrong, two sessions on one mailbox.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "greeting, capabilities, states before login" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(login=False)
	assert c.greeting.startswith("* OK [CAPABILITY IMAP4rev2 IMAP4rev1"), c.greeting
	for word in ("STARTTLS", "AUTH=PLAIN", "AUTH=SCRAM-SHA-256", "SASL-IR", "LITERAL+"):
	    assert word in c.greeting, word
	a = c.ok("CAPABILITY")
	assert a.has(r"^\* CAPABILITY IMAP4rev2 IMAP4rev1 "), a
	c.ok("NOOP")
	assert c.ok('ID ("name" "test")').has(r'^\* ID \("name" "mox"\)$')
	for command in ("SELECT INBOX", "LIST \"\" *", "FETCH 1 FLAGS", "IDLE", "APPEND x {1+}\r\na"):
	    c.no(command)
	c.bad("FOO")
	c.bad("LOGIN")
	c.bad("LOGIN a")
	c.bad("CAPABILITY x")
	a = c.ok("LOGOUT")
	assert a.has(r"^\* BYE"), a
	eq(c.rest(), b"")
	EOF
}

@test "not IMAP: turned away at once" {
	py <<-'EOF'
	from mailtest import *
	for line in (b"GET / HTTP/1.1\r\n", b"EHLO x\r\n", b"\r\n", b"\0\0\0\r\n"):
	    c = Imap(login=False)
	    c.send(line)
	    assert c.rest().startswith(b"* BYE please try again speaking imap"), line
	EOF
}

@test "login: right, wrong, each mechanism of the clear" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(login=False)
	a = c.no("LOGIN mox@localhost wrong")
	assert a.text.startswith("[AUTHENTICATIONFAILED]"), a
	a = c.no("LOGIN nobody@localhost wrong")
	assert a.text.startswith("[AUTHENTICATIONFAILED]"), a
	a = c.ok('LOGIN "mox@localhost" {9+}\r\nmoxmoxmox')
	assert a.text.startswith("[CAPABILITY "), a
	c.bad("LOGIN a b")
	c = Imap(login=False)
	token = base64.b64encode(b"\0mox@localhost\0moxmoxmox").decode()
	c.ok("AUTHENTICATE PLAIN " + token)
	c = Imap(login=False)
	c.begin("AUTHENTICATE PLAIN")
	eq(c.line(), b"+ ")
	c.send(token + "\r\n")
	eq(c.end().status, "OK")
	c = Imap(login=False)
	c.begin("AUTHENTICATE PLAIN")
	c.line()
	c.send("*\r\n")
	eq(c.end().status, "BAD")
	c.no("AUTHENTICATE FOO")
	c.no("AUTHENTICATE PLAIN " + base64.b64encode(b"other\0mox@localhost\0moxmoxmox").decode())
	c.ok("LOGIN mox+tag@localhost moxmoxmox")
	EOF
}

@test "STARTTLS, and bytes behind it" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(login=False)
	c.ok("STARTTLS")
	c.starttls()
	a = c.ok("CAPABILITY")
	assert not a.has("STARTTLS") and a.has("AUTH=SCRAM-SHA-256-PLUS"), a
	c.bad("STARTTLS")
	c.ok("LOGIN mox@localhost moxmoxmox")
	c.ok("SELECT INBOX")
	c.ok("NOOP")
	c.ok("LOGOUT")
	c = Imap(login=False)
	c.send("a STARTTLS\r\nb LOGIN mox@localhost moxmoxmox\r\n")
	got = c.rest()
	assert b"a OK" not in got and b"b " not in got, got
	c = Imap(1993, tls=True)
	c.ok("SELECT INBOX")
	EOF
}

@test "mailboxes: create, list, subscribe, rename, delete" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	a = c.ok('LIST "" "*"')
	for name in ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"):
	    assert a.has(rf'^\* LIST \(.*\) "/" "{name}"$'), (name, a)
	assert a.has(r'\\Sent.*"Sent"')
	eq(c.ok('LIST "" ""').lines, ['* LIST () "/" ""'])
	c.ok("CREATE a/b/c")
	a = c.ok('LIST "" "a*" RETURN (CHILDREN SUBSCRIBED)')
	eq(a.lines, ['* LIST (\\HasChildren \\Subscribed) "/" "a"', '* LIST (\\HasChildren \\Subscribed) "/" "a/b"', '* LIST (\\HasNoChildren \\Subscribed) "/" "a/b/c"'])
	eq(c.ok('LIST "" "a/%"').lines, ['* LIST () "/" "a/b"'])
	eq(c.ok('LIST a/ "%"').lines, ['* LIST () "/" "a/b"'])
	assert "ALREADYEXISTS" in c.no("CREATE a").text
	assert "HASCHILDREN" in c.no("DELETE a").text
	assert "NONEXISTENT" in c.no("DELETE nope").text
	assert "CANNOT" in c.no("CREATE a//b").text
	c.no("DELETE INBOX")
	c.ok("RENAME a/b x/y")
	a = c.ok('LIST "" "x*"')
	eq(a.lines, ['* LIST () "/" "x"', '* LIST () "/" "x/y"', '* LIST () "/" "x/y/c"'])
	assert "ALREADYEXISTS" in c.no("RENAME x/y a").text
	assert "NONEXISTENT" in c.no("RENAME nope z").text
	c.ok("UNSUBSCRIBE x/y/c")
	c.ok("SUBSCRIBE not/there")
	a = c.ok('LIST (SUBSCRIBED) "" "*"')
	assert a.has(r'\\Subscribed \\NonExistent.* "not/there"') and not a.has('"x/y/c"'), a
	a = c.ok('LSUB "" "not%"')
	eq(a.lines, ['* LSUB (\\NoSelect) "/" "not"'])
	eq(c.ok('LIST "" "not%"').lines, [])
	a = c.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" "not"')
	eq(a.lines, ['* LIST (\\NonExistent) "/" "not" ("CHILDINFO" ("SUBSCRIBED"))'])
	c.ok("UNSUBSCRIBE not/there")
	c.ok('CREATE special (USE (\\Archive))')
	assert not c.ok('LIST "" Archive').has("Archive.*Archive")
	assert c.ok('LIST (SPECIAL-USE) "" "*"').has(r'\\Archive.*"special"')
	assert "USEATTR" in c.no("CREATE s2 (USE (\\Foo))").text
	a = c.ok('LIST "" "INBOX" RETURN (STATUS (MESSAGES UIDNEXT))')
	assert a.has(r'^\* STATUS "INBOX" \(MESSAGES \d+ UIDNEXT \d+\)'), a
	os.makedirs(DIR + "/data/accounts/mox/Maildir/.for.eign/cur")
	eq(c.ok('LIST "" "fo%"').lines, ['* LIST (\\Noselect) "/" "for"'])
	eq(c.ok('LIST "" "fo%" RETURN (CHILDREN)').lines, ['* LIST (\\NonExistent \\HasChildren) "/" "for"'])
	eq(c.ok('LIST "" "fo*gn"').lines, ['* LIST () "/" "for/eign"'])
	c.ok("DELETE for/eign")
	for name in ("x/y/c", "x/y", "x", "a", "special"):
	    c.ok("DELETE " + name)
	c.ok("CREATE &AOk-t&AOk-")
	assert c.ok('LIST "" "&AOk-*"').has('"&AOk-t&AOk-"')
	c.ok("ENABLE IMAP4rev2")
	assert c.ok('LIST "" "*"').has('"\xc3\xa9t\xc3\xa9"')
	c.ok('DELETE "\xe9t\xe9"'.encode("utf-8"))
	c.ok('CREATE "a.b"')
	c.ok('CREATE "a.b/c.d"')
	assert c.ok('LIST "" "a.b/%"').has('"a.b/c.d"')
	c.ok('DELETE "a.b/c.d"')
	c.ok('DELETE "a.b"')
	EOF
}

@test "append, select, fetch" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE fetch")
	m = message("one", "line 1\r\nline 2\r\n")
	a = c.append("fetch", m, "(\\Seen word)", '"21-Nov-2026 08:00:00 +0100"')
	assert re.match(r"\[APPENDUID \d+ 1\]", a.text), a
	c.begin("APPEND fetch {5}")
	assert c.line().startswith(b"+ ")
	c.send("a\r\nb\r\n")
	assert "[APPENDUID" in c.end().text
	assert "TRYCREATE" in c.no("APPEND nope {1}").text
	c.no("APPEND fetch {0}")
	a = c.ok("SELECT fetch")
	assert a.has(r"^\* 2 EXISTS$") and a.has(r"^\* OK \[UIDVALIDITY \d+\]") and a.has(r"^\* OK \[UIDNEXT 3\]"), a
	assert a.has(r"^\* OK \[UNSEEN 2\]") and a.has(r"^\* FLAGS \(\\Seen .*word\)"), a
	assert a.text.startswith("[READ-WRITE]"), a
	a = c.ok("FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)")
	eq(a.lines, [f'* 1 FETCH (UID 1 INTERNALDATE "21-Nov-2026 07:00:00 +0000" RFC822.SIZE {len(m)} FLAGS (\\Seen word))'])
	eq(c.ok("FETCH 1 BODY[]").lines, [f"* 1 FETCH (BODY[] {{{len(m)}}}\r\n{m})"])
	eq(c.ok("FETCH 1 BODY[]<6.3>").lines, [f"* 1 FETCH (BODY[]<6> {{3}}\r\n{m[6:9]})"])
	eq(c.ok("FETCH 1 BODY[TEXT]<7.100>").lines, ["* 1 FETCH (BODY[TEXT]<7> {9}\r\n\nline 2\r\n)"])
	eq(c.ok("FETCH 1 BODY[1]").lines, ["* 1 FETCH (BODY[1] {16}\r\nline 1\r\nline 2\r\n)"])
	f = "To: <mox@localhost>\r\nSubject: one\r\n\r\n"
	eq(c.ok("FETCH 1 BODY[HEADER.FIELDS (subject to)]").lines, [f"* 1 FETCH (BODY[HEADER.FIELDS (subject to)] {{{len(f)}}}\r\n{f})"])
	h = m[:m.index("\r\n\r\n") + 4]
	eq(c.ok("FETCH 1 RFC822.HEADER").lines, [f"* 1 FETCH (RFC822.HEADER {{{len(h)}}}\r\n{h})"])
	eq(c.ok("FETCH 1 BINARY.SIZE[1]").lines, ["* 1 FETCH (BINARY.SIZE[1] 16)"])
	assert c.ok("FETCH 1 ENVELOPE").has(r'ENVELOPE \("Sat, 21 Nov 2026 07:00:00 \+0000" "one" \(\(NIL NIL "a" "example.org"\)\)')
	assert c.ok("FETCH 1 BODYSTRUCTURE").has(r'BODYSTRUCTURE \("TEXT" "PLAIN" .* NIL NIL "7BIT" 16 2 ')
	eq(c.no("FETCH 1 BODY[2]").lines, [])
	eq(c.ok("FETCH 1 BINARY.PEEK[1]<5.3>").lines, ["* 1 FETCH (BINARY[1] {3}\r\n1\r\n)"])
	got = "".join(re.search(r"\}\r\n(.*)\)$", c.ok(f"FETCH 1 BODY.PEEK[]<{i}.7>").lines[0], re.S)[1] for i in range(0, len(m), 7))
	eq(got, m)
	eq(c.ok("FETCH 1 BODY.PEEK[]<40.2>").lines, [f"* 1 FETCH (BODY[]<40> {{2}}\r\n{m[40:42]})"])
	a = c.ok("FETCH 2 (BODY[])")
	assert a.has(r"FLAGS \(\\Seen\)"), a
	assert c.ok("FETCH 2 FLAGS").has(r"\\Seen")
	c.bad("FETCH 3 FLAGS")
	c.bad("FETCH 0 FLAGS")
	c.bad("FETCH 1 FOO")
	c.bad("FETCH 1 BODY[")
	c.bad("FETCH 1")
	eq(len(c.ok("UID FETCH 1:100 FLAGS").lines), 2)
	eq(len(c.ok("UID FETCH 77:* FLAGS").lines), 1)
	c.ok("EXAMINE fetch")
	assert "READ-ONLY" in c.no("STORE 1 FLAGS ()").text
	assert "READ-ONLY" in c.no("EXPUNGE").text
	c.ok("CLOSE")
	c.no("FETCH 1 FLAGS")
	EOF
}

@test "store, copy, move, expunge, seen by another session" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("CREATE change")
	c.ok("CREATE other")
	for i in range(5):
	    c.append("change", message(f"m{i}"))
	c.ok("SELECT change")
	d.ok("SELECT change")
	a = c.ok("STORE 1:2 +FLAGS (\\Flagged $Junk foo)")
	eq(len([l for l in a.lines if "FETCH" in l]), 2)
	a = d.ok("NOOP")
	assert a.has(r"^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged \$Junk foo\)\)"), a
	assert a.has(r"^\* FLAGS .*foo"), a
	eq([l for l in c.ok("STORE 1 -FLAGS.SILENT (foo)").lines if "FETCH" in l], [])
	assert d.ok("NOOP").has(r"^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged \$Junk\)\)")
	c.ok("STORE 3 FLAGS (\\Deleted \\Seen)")
	a = c.ok("COPY 2:3 other")
	assert re.match(r"\[COPYUID \d+ 2:3 1:2\]", a.text), a
	assert "TRYCREATE" in c.no("COPY 1 nope").text
	a = c.ok("MOVE 1 other")
	assert a.has(r"^\* OK \[COPYUID \d+ 1 3\]") and a.has(r"^\* 1 EXPUNGE"), a
	a = d.ok("FETCH 2 FLAGS")          # no EXPUNGE while FETCH runs
	assert not a.has("EXPUNGE") and a.has(r"^\* 2 FETCH"), a
	a = d.ok("NOOP")
	assert a.has(r"^\* 1 EXPUNGE"), a
	a = c.ok("EXPUNGE")
	eq([l for l in a.lines if "EXPUNGE" in l], ["* 2 EXPUNGE"])
	d.ok("NOOP")
	c.ok("STORE 1:* +FLAGS.SILENT \\Deleted")
	c.ok("UID EXPUNGE 4")
	a = d.ok("NOOP")
	assert a.has(r"^\* 2 EXPUNGE"), a
	c.append("change", message("new"))
	assert d.ok("NOOP").has(r"^\* 3 EXISTS")
	c.ok("CLOSE")
	assert c.ok("STATUS change (MESSAGES)").has("MESSAGES 1")
	assert c.ok("STATUS other (MESSAGES UNSEEN SIZE)").has("MESSAGES 3 UNSEEN 2")
	EOF
}

@test "conditional store and changed since" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE cond")
	for i in range(3):
	    c.append("cond", message(f"m{i}"))
	a = c.ok("SELECT cond (CONDSTORE)")
	high = int(a.find(r"HIGHESTMODSEQ (\d+)")[1])
	a = c.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
	new = int(a.find(r"^\* 1 FETCH \(UID 1 MODSEQ \((\d+)\)\)")[1])
	assert new > high
	a = c.ok(f"STORE 1:2 (UNCHANGEDSINCE {high}) +FLAGS (\\Flagged)")
	assert a.text.startswith("[MODIFIED 1]"), a
	eq([int(m) for m in re.findall(r"\* (\d+) FETCH", "\n".join(a.lines))], [2])
	a = c.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {high})")
	eq(len(a.lines), 2)
	a = c.ok(f"SEARCH MODSEQ {new + 1}")
	assert a.has(r"^\* SEARCH 2 \(MODSEQ \d+\)"), a
	EOF
}

@test "search" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE search")
	c.append("search", message("apple pie", "The Quick brown fox\r\n"), "(\\Seen)", '"01-Jan-2020 00:00:00 +0000"')
	c.append("search", message("=?utf-8?q?=C3=84pfel?=", "nothing\r\n", "X-Foo: bar baz\r\n"), "(\\Flagged key)")
	c.append("search", message("third", "VGhlIHF1aWNrIG9uZQ==\r\n", "Content-Transfer-Encoding: base64\r\n"))
	c.ok("SELECT search")
	def s(q):
	    a = c.ok("SEARCH " + q)
	    return [int(n) for n in a.find(r"^\* SEARCH(.*)")[1].split()]
	eq(s("ALL"), [1, 2, 3])
	eq(s("SEEN"), [1])
	eq(s("UNSEEN FLAGGED"), [2])
	eq(s("KEYWORD key"), [2])
	eq(s("UNKEYWORD key"), [1, 3])
	eq(s("SUBJECT APPLE"), [1])
	eq(s("FROM example.org NOT SUBJECT third"), [1, 2])
	eq(s("OR SUBJECT apple SUBJECT third"), [1, 3])
	eq(s("BODY quick"), [1, 3])
	eq(s("TEXT \"bar baz\""), [2])
	eq(s("HEADER X-Foo \"\""), [2])
	eq(s("HEADER X-Foo BAR"), [2])
	eq(s("BEFORE 2-Jan-2020"), [1])
	eq(s("ON 1-Jan-2020"), [1])
	eq(s("SINCE 2-Jan-2020"), [2, 3])
	eq(s("SENTON 21-Nov-2026"), [1, 2, 3])
	eq(s("SENTBEFORE 21-Nov-2026"), [])
	eq(s("LARGER 1 SMALLER 100000"), [1, 2, 3])
	eq(s("2:*"), [2, 3])
	eq(s("UID 1,3"), [1, 3])
	eq(s("(SEEN) (NOT FLAGGED)"), [1])
	eq(s("NEW"), [])
	a = c.ok(b"SEARCH CHARSET UTF-8 SUBJECT {6+}\r\n\xc3\xa4PFEL")
	eq(a.lines, ["* SEARCH 2"])
	a = c.ok("SEARCH RETURN (MIN MAX COUNT ALL) ALL")
	assert a.has(r'^\* ESEARCH \(TAG "t\d+"\) MIN 1 MAX 3 ALL 1:3 COUNT 3$'), a
	a = c.ok("UID SEARCH RETURN () SEEN")
	assert a.has(r'^\* ESEARCH \(TAG "t\d+"\) UID ALL 1$'), a
	c.ok("SEARCH RETURN (SAVE) UNSEEN")
	eq(len(c.ok("FETCH $ FLAGS").lines), 2)
	assert "BADCHARSET" in c.no("SEARCH CHARSET KOI8-R ALL").text
	c.bad("SEARCH FOO")
	c.bad("SEARCH")
	c.bad("SEARCH " + "(" * 100 + "ALL" + ")" * 100)
	c.ok("ENABLE IMAP4rev2")
	assert c.ok("SEARCH SEEN").has(r"^\* ESEARCH .* ALL 1$")
	EOF
}

@test "a mailbox stays selected when it is renamed, not when it is deleted" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE here/now")
	c.append("here/now", message("m"))
	c.ok("SELECT here/now")
	c.ok("RENAME here there")
	eq(len(c.ok("FETCH 1 (FLAGS BODY.PEEK[])").lines), 1)
	c.append("there/now", message("n"))
	eq(len(c.ok("FETCH 1:2 FLAGS").lines), 2)
	a = c.ok("DELETE there/now")
	assert a.has(r"^\* OK \[CLOSED\]"), a
	c.no("FETCH 1 FLAGS")
	c.ok("CREATE gone")
	d = Imap()
	d.ok("SELECT gone")
	c.ok("DELETE gone")
	d.send("x NOOP\r\n")
	assert d.rest().startswith(b"* BYE mailbox was deleted")
	EOF
}

@test "IDLE tells at once" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("SELECT INBOX")
	before = int(c.ok("STATUS INBOX (MESSAGES)").find(r"MESSAGES (\d+)")[1])
	c.begin("IDLE")
	assert c.line().startswith(b"+ ")
	d.append("INBOX", message("idle"))
	line = c.line().decode()
	eq(line, f"* {before + 1} EXISTS")
	s = Smtp()
	s.expect(250, "MAIL FROM:<a@example.org>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(354, "DATA")
	s.expect(250, message("by smtp") + ".")
	eq(c.line().decode(), f"* {before + 1} FETCH (UID {before + 1} FLAGS ())")
	eq(c.line().decode(), f"* {before + 2} EXISTS")
	eq(c.line().decode(), f"* {before + 2} FETCH (UID {before + 2} FLAGS ())")
	c.send("DONE\r\n")
	eq(c.end().status, "OK")
	EOF
}
