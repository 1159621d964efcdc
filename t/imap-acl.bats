#!/usr/bin/env bats
# ACL (RFC 4314), LIST-MYRIGHTS (RFC 8440), mailboxes of other users (RFC 2342).

load helper
load acl

# Tests run side by side: each has its own accounts.
setup_file() {
	acl_server fred anna bob eve jan una ben ida ole uma tom tim ted kim kai zoé
}

teardown_file() { stop_background; }

@test "SETACL, GETACL, DELETEACL: the examples (RFC 4314, 2.1.1, 3.1, 3.2, 3.3)" {
	py <<-'EOF'
	c = login("fred")
	assert c.ok("CAPABILITY").has(r" ACL RIGHTS=texk LIST-MYRIGHTS( |$)")
	c.ok("CREATE INBOX/Drafts")
	all = "lrswipkxtecda"
	eq(c.ok("GETACL INBOX/Drafts").lines, [f'* ACL "Inbox/Drafts" "fred" {all}'])
	c.ok("SeTacl INBOX/Drafts anna lrswida")
	eq(c.ok("getacl INBOX/Drafts").lines, [f'* ACL "Inbox/Drafts" "fred" {all} "anna" lrswiteda'])
	c.ok("Setacl INBOX/Drafts bob lrswikda")
	eq(c.ok("getAcl INBOX/Drafts").lines,
	   [f'* ACL "Inbox/Drafts" "fred" {all} "anna" lrswiteda "bob" lrswiktecda'])
	eq(acl("fred", ".INBOX.Drafts"), "user=anna lrswitea\nuser=bob lrswiktea\n")
	c.ok("DELETEACL INBOX/Drafts anna")
	c.ok("DELETEACL INBOX/Drafts bob")
	eq(acl("fred", ".INBOX.Drafts"), None)
	c.ok("SETACL INBOX/Drafts anna lrswi")
	c.ok("SETACL INBOX/Drafts anna +cda")
	eq(c.ok("GETACL INBOX/Drafts").lines, [f'* ACL "Inbox/Drafts" "fred" {all} "anna" {all.replace("p", "")}'])
	c.ok("SETACL INBOX/Drafts anna -cdasw")
	eq(c.ok("GETACL INBOX/Drafts").lines, [f'* ACL "Inbox/Drafts" "fred" {all} "anna" lri'])
	c.ok('SETACL INBOX/Drafts anna ""')
	eq(c.ok("GETACL INBOX/Drafts").lines, [f'* ACL "Inbox/Drafts" "fred" {all} "anna" ""'])
	c.bad("SETACL INBOX/Drafts anna lrQswicda")
	c.bad("SETACL INBOX/Drafts anna lrqswicda")
	# 3.2, with rights that are taken away, and a group of Dovecot's.
	open(DIR + "/data/accounts/fred/Maildir/dovecot-acl", "w").write(
	    "owner lrswipkxtea\n-owner wetd\ngroup=team w\n")
	eq(c.ok("getacl INBOX").lines, [f'* ACL "INBOX" "fred" {all} "-fred" wted "$team" w'])
	c.ok("DeleteAcl INBOX fred")
	eq(c.ok("GETACL INBOX").lines, [f'* ACL "INBOX" "fred" {all} "-fred" wted "$team" w'])
	eq(acl("fred"), "-owner wte\ngroup=team w\n")
	eq(c.ok("MYRIGHTS INBOX").lines, ['* MYRIGHTS "INBOX" lrsipkxca'])
	c.ok("DELETEACL INBOX -fred")
	c.ok("DELETEACL INBOX $team")
	eq(acl("fred"), None)
	EOF
}

@test "LISTRIGHTS, MYRIGHTS (RFC 4314, 3.4, 3.5); identifiers" {
	py <<-'EOF'
	c = login("jan")
	c.ok("CREATE saved")
	eq(c.ok("LISTRIGHTS saved anna").lines, ['* LISTRIGHTS "saved" "anna" "" l r s w i p k x t e c d a'])
	eq(c.ok("listrights saved anyone").lines, ['* LISTRIGHTS "saved" "anyone" "" l r s w i p k x t e c d a'])
	eq(c.ok("LISTRIGHTS saved jan").lines, ['* LISTRIGHTS "saved" "jan" la r s w i p k x t e c d'])
	# The form that the client has used (3.4); addresses are accounts.
	eq(c.ok("LISTRIGHTS saved jan@localhost").lines,
	   ['* LISTRIGHTS "saved" "jan@localhost" la r s w i p k x t e c d'])
	c.ok("SETACL saved Anna@LOCALHOST lr")
	eq(acl("jan", ".saved"), "user=anna lr\n")
	c.ok("DELETEACL saved anna+x@localhost")
	eq(acl("jan", ".saved"), None)
	eq(c.ok("MYRIGHTS saved").lines, ['* MYRIGHTS "saved" lrswipkxtecda'])
	eq(c.ok("MYRIGHTS INBOX").lines, ['* MYRIGHTS "INBOX" lrswipkxtecda'])
	c.ok("SETACL saved anyone l")
	c.ok("SETACL saved authenticated lr")
	c.ok("SETACL saved -eve lr")
	eq(acl("jan", ".saved"), "anyone l\nauthenticated lr\n-user=eve lr\n")
	assert c.ok("GETACL saved").has('"jan" lrswipkxtecda "anyone" l "authenticated" lr "-eve" lr$')
	# Nobody.
	for who in "nobody", "nobody@example.org", "anna@example.org", "$team", "!team", '"../anna"':
	    for command in f"SETACL saved {who} lr", f"LISTRIGHTS saved {who}":
	        a = c.no(command)
	        assert a.text.startswith("[CANNOT] "), a
	for who in '""', "-", '"\xff"':
	    c.bad(f"SETACL saved {who} lr".encode("latin-1"))
	# As names are prepared (RFC 4314, 3; RFC 8265, 4.2): no controls, form C.
	literal = lambda text: b"{%d+}\r\n%s" % (len(text.encode()), text.encode())
	for who in "an\x07na", "anna\x7f", "an\u0378na", "an\u2028na":
	    for command in b"SETACL saved %s lr", b"LISTRIGHTS saved %s", b"DELETEACL saved %s":
	        c.bad(command % literal(who))
	for who in "zo\u00e9", "zoe\u0301", "zoe\u0301@localhost":
	    c.ok(b"SETACL saved %s lr" % literal(who))
	    eq(acl("jan", ".saved"), "anyone l\nauthenticated lr\n-user=eve lr\nuser=zo\u00e9 lr\n")
	    c.ok(b"DELETEACL saved %s" % literal("zoe\u0301"))
	c.ok("DELETEACL saved nobody")
	for command in ("SETACL", "SETACL saved", "SETACL saved anna", "SETACL saved anna l r", "GETACL", "GETACL saved x",
	                "DELETEACL saved", "LISTRIGHTS saved", "MYRIGHTS", "MYRIGHTS saved x", "SETACL saved anna +-l"):
	    c.bad(command)
	for command in ("SETACL no anna lr", "DELETEACL no anna", "GETACL no", "LISTRIGHTS no anna", "MYRIGHTS no"):
	    nonexistent(c.no(command))
	for who in "anyone", "authenticated", "-eve": c.ok(f"DELETEACL saved {who}")
	eq(acl("jan", ".saved"), None)
	# The owner is never without l and a (2.1.1), and gets all back.
	c.ok('SETACL saved jan ""')
	eq(acl("jan", ".saved"), "owner la\n")
	eq(c.ok("MYRIGHTS saved").lines, ['* MYRIGHTS "saved" la'])
	noperm(c.no("SELECT saved"))
	c.ok("SETACL saved jan +r")
	eq(c.ok("GETACL saved").lines, ['* ACL "saved" "jan" lra'])
	c.ok("DELETEACL saved jan")
	eq(c.ok("MYRIGHTS saved").lines, ['* MYRIGHTS "saved" lrswipkxtecda'])
	EOF
}

@test "NAMESPACE (RFC 2342), LIST, LSUB, STATUS, SELECT, ESEARCH of others' mailboxes" {
	py <<-'EOF'
	c = login("una")
	eq(c.ok("NAMESPACE").lines, ['* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL'])
	c.ok("CREATE lists/qmail")
	c.append("lists/qmail", message("one"))
	c.append("INBOX", message("two"))
	c.ok("SETACL lists/qmail ben lr")
	c.ok("SETACL INBOX ben lr")
	b = login("ben")
	name = "Other Users/una/lists/qmail"
	a = b.ok('LIST "" *')
	assert a.has(rf'^\* LIST \(\) "/" "{name}"$') and a.has(r'^\* LIST \(\) "/" "Other Users/una/INBOX"$'), a
	# Those above are no mailboxes: nobody has "l" of lists.
	assert a.has(r'^\* LIST \(\\Noselect\) "/" "Other Users/una/lists"$') and a.has(r'\(\\Noselect\) "/" "Other Users"$'), a
	eq([l for l in b.ok('LIST "" %').lines if "Other" in l], ['* LIST (\\Noselect) "/" "Other Users"'])
	eq(b.ok('LIST "" "Other Users/%" RETURN (CHILDREN)').lines,
	   ['* LIST (\\NonExistent \\HasChildren) "/" "Other Users/una"'])
	eq(b.ok('LIST "Other Users/una/" %').lines,
	   ['* LIST () "/" "Other Users/una/INBOX"', '* LIST (\\Noselect) "/" "Other Users/una/lists"'])
	assert not login("ida").ok('LIST "" *').has("Other")
	# STATUS, also with LIST.
	eq(b.ok(f'STATUS "{name}" (MESSAGES)').lines, [f'* STATUS "{name}" (MESSAGES 1)'])
	assert b.ok('STATUS "Other Users/una/inbox" (MESSAGES)').has(r'"Other Users/una/INBOX" \(MESSAGES 1\)')
	assert b.ok('LIST "" "Other Users/*" RETURN (STATUS (MESSAGES))').has(rf'^\* STATUS "{name}" \(MESSAGES 1\)')
	# SELECT and what it tells.
	a = b.ok(f'SELECT "{name}"')
	assert a.text.startswith("[READ-ONLY] ") and a.has(r"^\* OK \[PERMANENTFLAGS \(\)\]") and a.has(rf'\* LIST \(\) "/" "{name}"'), a
	assert a.has(r"^\* 1 EXISTS")
	assert b.ok("FETCH 1 (BODY[] FLAGS)").has(r"Subject: one(.|\n)*FLAGS \(\)")
	assert b.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE PREVIEW)").has("one")
	eq(b.ok("SEARCH SUBJECT one").lines, ["* SEARCH 1"])
	eq(b.ok("SEARCH TEXT works").lines, ["* SEARCH 1"])
	# ESEARCH (RFC 7377): personal is what it says; by name others' too.
	assert not b.ok("ESEARCH IN (personal) RETURN (COUNT) ALL").has("Other")
	assert b.ok(f'ESEARCH IN (mailboxes "{name}") RETURN (COUNT) ALL').has(rf'MAILBOX "{name}" .*COUNT 1')
	assert b.ok('ESEARCH IN (subtree "Other Users") RETURN (COUNT) ALL').has("una/INBOX.* COUNT 1")
	assert b.ok("ESEARCH IN (selected) RETURN (COUNT) ALL").has(rf'MAILBOX "{name}"')
	b.ok("UNSELECT")
	# SUBSCRIBE, in one spelling; LSUB.
	b.ok('SUBSCRIBE "Other Users/una/inbox"')
	b.ok(f'SUBSCRIBE "{name}"')
	assert b.ok('LSUB "" *').has(r'\(\) "/" "Other Users/una/INBOX"')
	assert b.ok('LIST (SUBSCRIBED) "" "Other*"').has(r'\(\\Subscribed\) "/" "Other Users/una/INBOX"')
	assert b.ok("ESEARCH IN (subscribed) RETURN (COUNT) ALL").has(rf'"{name}"')
	b.ok('UNSUBSCRIBE "Other Users/una/INBOX"')
	# Others' mailboxes are made, renamed and removed by those with k and x.
	for command in ('CREATE "Other Users/una/lists/qmail/x"', 'CREATE "Other Users/x"', 'CREATE "Other Users"',
	                f'DELETE "{name}"', f'RENAME "{name}" x', 'RENAME Sent "Other Users/x"'):
	    noperm(b.no(command))
	b.ok("CREATE OtherUsers")
	# CATENATE reads, too (RFC 4469).
	assert b.cmd('APPEND INBOX CATENATE (URL "/Other%20Users/una/INBOX/;UID=1")').status == "OK"
	assert b.cmd('APPEND INBOX CATENATE (URL "/Other%20Users/una/Sent/;UID=1")').text.startswith("[BADURL ")
	# COPY out of it, and MOVE, which would take away.
	b.ok(f'SELECT "{name}"')
	b.ok("COPY 1 INBOX")
	noperm(b.no("MOVE 1 INBOX"))
	b.ok("SELECT INBOX")
	assert b.ok("FETCH * BODY[]").has("Subject: one")
	# UTF-8 names.
	c.ok("CREATE caf&AOk-")
	c.ok("SETACL caf&AOk- ben lr")
	b = login("ben")
	assert b.ok('LIST "" "Other Users/*"').has('"Other Users/una/caf&AOk-"')
	b.ok('STATUS "Other Users/una/caf&AOk-" (MESSAGES)')
	b.ok("ENABLE IMAP4rev2")
	assert b.ok('LIST "" "Other Users/*"').has('"Other Users/una/caf\xc3\xa9"')
	EOF
}

@test "LIST RETURN (MYRIGHTS) (RFC 8440, 4)" {
	py <<-'EOF'
	c = login("ole")
	for name in "foo", "foo/bar", "foo/baz": c.ok(f"CREATE {name}")
	c.ok("SETACL foo ole lrswipkxtcda")
	c.ok("SETACL foo/bar ole lr")
	a = c.ok('LIST "" foo/* RETURN (MYRIGHTS)')
	eq(a.lines, ['* LIST () "/" "foo/bar"', '* MYRIGHTS "foo/bar" lra',
	             '* LIST () "/" "foo/baz"', '* MYRIGHTS "foo/baz" lrswipkxtecda'])
	a = c.ok('LIST "" foo RETURN (CHILDREN MYRIGHTS SUBSCRIBED)')
	eq(a.lines, ['* LIST (\\HasChildren \\Subscribed) "/" "foo"', '* MYRIGHTS "foo" lrswipkxtecda'])
	# Names without a mailbox have none.
	c.ok("SUBSCRIBE nowhere")
	eq(c.ok('LIST (SUBSCRIBED) "" nowhere RETURN (MYRIGHTS)').lines, ['* LIST (\\Subscribed \\NonExistent) "/" "nowhere"'])
	c.ok("SETACL foo/baz uma lr")
	e = login("uma")
	eq(e.ok('LIST "" "Other Users/ole/*" RETURN (MYRIGHTS)').lines,
	   ['* LIST (\\NonExistent) "/" "Other Users/ole/foo"',
	    '* LIST () "/" "Other Users/ole/foo/baz"', '* MYRIGHTS "Other Users/ole/foo/baz" lr'])
	c.bad('LIST "" foo RETURN (MYRIGHTS foo')
	EOF
}

# Each right, on and off, of another's mailbox.
@test "each right at each command (RFC 4314, 4)" {
	py <<-'EOF'
	c, all = login("tom"), "lrswite"
	c.ok("CREATE table")
	box = '"Other Users/tom/table"'
	def fill():
	    c.ok("SELECT table")
	    c.ok("STORE 1:* +FLAGS (\\Deleted)") if int(c.ok("STATUS table (MESSAGES)").find(r"MESSAGES (\d+)")[1]) else None
	    c.ok("CLOSE")
	    c.append("table", message("t"), "(\\Deleted)")
	    c.append("table", message("u"))
	def flags(n): return c.ok(f"FETCH {n} FLAGS").find(r"FLAGS \((.*)\)")[1]
	# command, right without which it is refused; the mailbox must be selected
	rows = [
	    (f"STATUS {box} (MESSAGES)", "r", False), (f"SELECT {box}", "r", False), (f"EXAMINE {box}", "r", False),
	    ("STORE 2 +FLAGS (\\Seen)", "s", True), ("STORE 2 +FLAGS (\\Flagged)", "w", True),
	    ("STORE 2 +FLAGS (word)", "w", True), ("STORE 2 +FLAGS (\\Deleted)", "t", True),
	    ("STORE 2 -FLAGS (\\Seen)", "s", True), ("STORE 2 FLAGS (\\Deleted)", "t", True),
	    ("EXPUNGE", "e", True), ("UID EXPUNGE 1:*", "e", True),
	    ("MOVE 2 INBOX", "t", True), ("MOVE 2 INBOX", "e", True),
	    (f"APPEND {box} {{1+}}\r\nx", "i", False), (f"COPY 1 {box}", "i", None),
	    ("REPLACE 2 INBOX {1+}\r\nx", "t", True), ("REPLACE 2 INBOX {1+}\r\nx", "e", True),
	    (f"GETACL {box}", "a", False), (f"SETACL {box} ted l", "a", False), (f"DELETEACL {box} ted", "a", False),
	    (f"LISTRIGHTS {box} ted", "a", False), (f"GETQUOTAROOT {box}", "r", False),
	]
	for command, right, selected in rows:
	    for on in True, False:
	        rights = (all + "a") if on else (all + "a").replace(right, "")
	        fill()
	        c.ok(f"SETACL table tim {rights}")
	        b = login("tim")
	        b.ok(f"SELECT {box}" if selected else "SELECT INBOX")
	        if selected is None:
	            b.append("INBOX", message("x"))
	        a = b.cmd(command)
	        if on: assert a.status == "OK", (command, rights, a)
	        else: noperm(a)
	        b.close()
	# Without l it is as if it were not there, but for what is allowed (6).
	fill()
	c.ok("SETACL table tim i")
	b = login("tim")
	for command in f"SELECT {box}", f"STATUS {box} (MESSAGES)", f"GETACL {box}", f"DELETE {box}", f"GETQUOTAROOT {box}", f"GETMETADATA {box} /shared/x":
	    nonexistent(b.no(command))
	assert not b.ok('LIST "" *').has("table")
	eq(b.ok(f"MYRIGHTS {box}").lines, [f"* MYRIGHTS {box} i"])
	eq(b.append("Other Users/tom/table", message("v")).status, "OK")
	c.ok("SETACL table tim s")
	nonexistent(b.no(f"MYRIGHTS {box}"))
	nonexistent(b.append("Other Users/tom/table", message("v")))
	# k and x of his own mailboxes are the owner's to give up.
	c.ok("CREATE table/x")
	c.ok("SETACL table/x tom -kx")
	noperm(c.no("DELETE table/x"))
	noperm(c.no("CREATE table/x/y/z"))
	noperm(c.no("RENAME table/x y"))
	noperm(c.no("RENAME INBOX table/x/y"))
	c.ok("SETACL table/x tom +x")
	c.ok("RENAME table/x table/y")
	eq(acl("tom", ".table.y"), "user=tim s\nowner lrswipxtea\n")
	c.ok("DELETE table/y")
	# Given to others: imap-errand.bats.
	c.ok("SETACL table tim lrkx")
	eq(login("tim").ok(f"MYRIGHTS {box}").lines, [f"* MYRIGHTS {box} lrkxc"])
	EOF
}

@test "flags by right: COPY, APPEND, STORE, FETCH, CLOSE, PERMANENTFLAGS (RFC 4314, 4 and 5)" {
	py <<-'EOF'
	c = login("kim")
	c.ok("CREATE TargetMailbox")
	box = '"Other Users/kim/TargetMailbox"'
	def target(rights):
	    c.ok(f"SETACL TargetMailbox kai {rights}")
	    return login("kai")
	b = login("kai")
	b.ok("CREATE source")
	for flags in "(\\Draft \\Deleted)", "(\\Answered)", "($Forwarded \\Seen word)": b.append("source", message("m"), flags)
	def told(x, seqs):
	    return [l.split("FLAGS (")[1][:-2] for l in x.ok(f"FETCH {seqs} FLAGS").lines]
	# The example of COPY, and the same with APPEND.
	n = 0
	for rights, want in (("rwis", ["\\Draft", "\\Answered", "\\Seen $Forwarded word"]),
	                     ("rsti", ["\\Deleted", "", "\\Seen"]), ("ri", ["", "", ""])):
	    b = target(rights)
	    b.ok("SELECT source")
	    b.ok(f"COPY 1:3 {box}")
	    for flags in "(\\Draft \\Deleted)", "(\\Answered)", "($Forwarded \\Seen word)": b.append("Other Users/kim/TargetMailbox", message("m"), flags)
	    b.ok(f"EXAMINE {box}")
	    eq(told(b, f"{n + 1}:{n + 6}"), want + want)
	    n += 6
	# MOVE between accounts, both ways.
	b = target("rite")
	b.ok("SELECT source")
	a = b.ok(f"MOVE 3 {box}")
	assert a.has(r"^\* OK \[COPYUID \d+ 3 19\]") and a.has(r"^\* 3 EXPUNGE"), a
	b.ok(f"SELECT {box}")
	eq(told(b, "19"), [""])
	b.ok("MOVE 19 INBOX")
	eq(b.ok(f"STATUS {box} (MESSAGES)").find(r"MESSAGES (\d+)")[1], "18")
	# PERMANENTFLAGS and READ-ONLY say what is so; STORE does what it may.
	fixed = "$Forwarded $Junk $NotJunk $Phishing $MDNSent word \\*"
	for rights, flags, write in (("r", "", False), ("rs", "\\Seen", True), ("rt", "\\Deleted", True), ("re", "", True), ("ri", "", True),
	                             ("rw", "\\Answered \\Flagged \\Draft " + fixed, True), ("rp", "", False),
	                             ("rswt", "\\Seen \\Answered \\Flagged \\Deleted \\Draft " + fixed, True)):
	    b = target(rights)
	    a = b.ok(f"SELECT {box}")
	    eq(a.find(r"PERMANENTFLAGS \((.*)\)")[1], flags)
	    eq(a.text.split("]")[0], "[READ-WRITE" if write else "[READ-ONLY")
	    a = b.ok(f"EXAMINE {box}")
	    assert a.text.startswith("[READ-ONLY]") and a.has(r"PERMANENTFLAGS \(\)"), a
	c.ok("SELECT TargetMailbox")
	c.ok("STORE 1 FLAGS.SILENT (\\Seen \\Deleted \\Answered word)")
	b = target("rs")
	b.ok(f"SELECT {box}")
	assert b.ok("STORE 1 FLAGS (\\Flagged \\Seen)").has(r"FLAGS \(\\Seen \\Answered \\Deleted word\)")
	noperm(b.no("STORE 1 FLAGS (\\Flagged)"))
	assert b.ok("STORE 1 FLAGS ()").has(r"FLAGS \(\\Answered \\Deleted word\)")
	assert b.ok("STORE 1 +FLAGS (\\Flagged \\Seen)").has(r"FLAGS \(\\Seen \\Answered \\Deleted word\)")
	noperm(b.no("STORE 1 +FLAGS (\\Flagged \\Deleted)"))
	b = target("rw")
	b.ok(f"SELECT {box}")
	assert b.ok("STORE 1 FLAGS (\\Flagged other)").has(r"FLAGS \(\\Seen \\Flagged \\Deleted other\)")
	c.ok("NOOP")
	eq(told(c, "1"), ["\\Seen \\Flagged \\Deleted other"])
	# A FETCH that would set \Seen does not, without "s".
	c.ok("STORE 1 -FLAGS (\\Seen)")
	assert b.ok("FETCH 1 (BODY[TEXT] FLAGS)").has(r"FLAGS \(\\Flagged \\Deleted other\)")
	b = target("rs")
	b.ok(f"SELECT {box}")
	assert b.ok("FETCH 1 BODY[TEXT]").has(r"FLAGS \(\\Seen \\Flagged \\Deleted other\)")
	# CLOSE without "e" expunges nothing.
	b.ok("CLOSE")
	c.ok("STORE 2:* -FLAGS.SILENT (\\Deleted)")
	eq(c.ok("STATUS TargetMailbox (MESSAGES)").find(r"MESSAGES (\d+)")[1], "18")
	b = target("re")
	b.ok(f"SELECT {box}")
	b.ok("CLOSE")
	eq(c.ok("STATUS TargetMailbox (MESSAGES)").find(r"MESSAGES (\d+)")[1], "17")
	EOF
}
