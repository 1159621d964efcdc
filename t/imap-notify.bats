#!/usr/bin/env bats
# NOTIFY (RFC 5465), by its examples and where it says no; what is told without
# it of mailboxes that others make.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel info
	export SERVER_PID BACKGROUND_PIDS
}

teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "arguments (RFC 5465, 3.1, 5, 6.1 and 8)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(r" NOTIFY\b")
	for wrong in ("", " ", " bogus", " None ", " none x", " Set", " Set ", " Set Status", " Set Status ", " Set Status ()",
	              " Set (personal)", " Set (personal )", " Set (personal ())", " Set (personal messageNew)",
	              " Set (personal (messageNew))x", " Set Status (UnknownSpecifier (messageNew messageExpunge))",
	              " Set Status (Personal (messageNew messageExpunge) )", " Set Status (Personal (messageNew messageExpunge)) ",
	              " Set (personal NONE", " Set (personal NONE) (", " Set (personal NONE)(personal NONE)",
	              " Set (selected (mailboxName))", " Set (selected (messageNew))", " Set (selected (messageExpunge))",
	              " Set (selected (flagChange))", " Set (selected (messageNew flagChange))",
	              " Set (selected (subscriptionChange messageNew messageExpunge))",
	              " Set (selected NONE) (selected-delayed NONE)", " Set (selected NONE) (selected NONE)",
	              " Set (mailboxes (messageNew messageExpunge))", " Set (mailboxes () NONE)", " Set (subtree NONE)",
	              " Set (mailboxes a)", " Set (subtree (a b) )", " Set (mailboxes (a b NONE)",
	              " Set (selected (messageNew () messageExpunge))", " Set (selected (messageNew (bogus) messageExpunge))",
	              " Set (selected (messageNew (uid messageExpunge))", " Set (selected (messageNew (ALL) messageExpunge))",
	              " Set (selected (messageNew uid messageExpunge))x", " Set (selected (messageNew (body[1) messageExpunge))",
	              " Set (personal (messageNew (uid) messageExpunge))", " Set (selected (messageNew messageExpunge (uid)))",
	              " Set (personal (mailboxName)) (personal NONE) x"):
	    c.bad("NOTIFY" + wrong)
	for wrong in ("mailboxes (a//b b)", "mailboxes /", "subtree \"\""):
	    a = c.cmd(f"NOTIFY SET ({wrong} NONE)")
	    assert a.status in ("NO", "BAD"), (wrong, a)
	# Events that are not supported are refused with NO, and what is.
	for event in ("annotationChange", "bogus", "messageNew messageExpunge annotationChange"):
	    a = c.no(f"NOTIFY SET (personal ({event}))")
	    eq(a.text, "[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
	       "MailboxMetadataChange ServerMetadataChange)] NOTIFY unknown event")
	c.bad("NOTIFY SET (personal (annotationChange))x")
	# Too much.
	names = " ".join(f"n{i}" for i in range(1001))
	c.bad(f"NOTIFY SET (mailboxes ({names}) NONE)")
	c.bad("NOTIFY SET" + " (personal NONE)" * 101)
	fields = " ".join(f"field{i}" for i in range(400))
	atts = " ".join(f"body.peek[header.fields ({fields})]" for i in range(4))
	assert c.no(f"NOTIFY SET (selected (messageNew ({atts}) messageExpunge))").text.startswith("[NOTIFICATIONOVERFLOW]")
	for right in ("NONE", "set (selected none)", "SET (Selected (MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge))"
	              " (subtree Lists (MessageNew MessageExpunge))", "SET STATUS (inboxes (mailboxname))",
	              "SET (mailboxes INBOX (Messagenew messageExpunge)) (personal (SubscriptionChange))",
	              "SET (selected (Messagenew (uid flags) messageExpunge)) (personal (MessageNew FlagChange MessageExpunge))",
	              "SET (subtree-one (a b) (servermetadatachange)) (mailboxes \"a b\" (mailboxmetadatachange))",
	              "SET (selected-delayed (messagenew messageexpunge flagchange)) (subscribed none)"):
	    c.ok("NOTIFY " + right)
	EOF
}

@test "the example of RFC 5465, 3.1" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	for box in ("Lists/Lemonade", "Lists/Im2000", "misc"):
	    d.ok("CREATE " + box)
	for i in range(3):
	    d.append("Lists/Lemonade", message(f"m{i}"))
	d.append("Inbox", message("first"))
	# Not as there: MessageNew needs MessageExpunge.
	a = c.ok("notify set status (selected (MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge)) "
	         "(subtree Lists (MessageNew MessageExpunge))")
	eq([re.sub(r"UIDVALIDITY \d+", "UIDVALIDITY v", l) for l in a.lines], [
	    '* STATUS "Lists" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY v UNSEEN 0)',
	    '* STATUS "Lists/Im2000" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY v UNSEEN 0)',
	    '* STATUS "Lists/Lemonade" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY v UNSEEN 3)'])
	c.ok("select inbox")
	d.append("Lists/Lemonade", message("one"))
	assert re.match(r'\* STATUS "Lists/Lemonade" \(MESSAGES 4 UIDNEXT 5 UIDVALIDITY \d+ UNSEEN 4\)$', c.response())
	d.append("misc", message("nobody asked"))
	d.append("inbox", "From: alice@example.org\r\nTo: bob@example.org\r\nX: y\r\nSubject: Re: good morning\r\n\r\nhi\r\n")
	eq(c.response(), "* 2 EXISTS")
	eq(c.response(), "* 2 FETCH (UID 2 BODY[header.fields (from to subject)] {75}\r\n"
	   "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: Re: good morning\r\n\r\n)")
	c.ok("STATUS misc (UIDVALIDITY UIDNEXT MESSAGES)")
	eq(c.ok("notify set (selected (MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge)) "
	     "(subtree Lists (MessageNew MessageExpunge)) (mailboxes misc (MessageNew MessageExpunge))").lines, [])
	d.append("misc", message("now"))
	assert re.match(r'\* STATUS "misc" \(MESSAGES 2 UIDNEXT 3 ', c.response())
	d.ok("SELECT misc")
	d.ok("STORE 1 +FLAGS (\\Deleted)")
	d.ok("EXPUNGE")
	assert re.match(r'\* STATUS "misc" \(MESSAGES 1 UIDNEXT 3 ', c.response())
	# Flags were not asked for.
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	eq(c.ok("NOOP").lines, [])
	EOF
}

@test "the selected mailbox: what is told when (RFC 5465, 3.1, 5 and 6.1)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	d.ok("CREATE sel")
	for i in range(4):
	    d.append("sel", message(f"m{i}"))
	c.ok("SELECT sel")
	d.ok("SELECT sel")
	# Nothing, not even after commands; what this client does itself is.
	c.ok("NOTIFY NONE")
	d.append("sel", message("m4"))
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	d.ok("STORE 2 +FLAGS (\\Deleted)")
	d.ok("EXPUNGE")
	for command in ("NOOP", "UID FETCH 1:* (UID)", "CHECK"):
	    assert not c.ok(command).has("EXISTS|EXPUNGE|FLAGS"), command
	assert c.ok("STORE 3 +FLAGS (\\Deleted)").has(r"^\* 3 FETCH \(FLAGS \(\\Deleted\)\)")
	a = c.ok("EXPUNGE")
	eq([l for l in a.lines if "EXPUNGE" in l], ["* 3 EXPUNGE", "* 2 EXPUNGE"])
	assert not a.has("Flagged"), a
	d.append("sel", message("m5"))
	# All that came up meanwhile is told at once when it is wanted again.
	a = c.ok("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")
	assert a.has(r"^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged\)\)"), a
	assert a.has(r"^\* 4 EXISTS"), a
	assert a.has(r"^\* 4 FETCH \(UID 6 FLAGS \(\)\)"), a
	# Without a command, at once.
	d.append("sel", message("m6"))
	eq(c.response(), "* 5 EXISTS")
	eq(c.response(), "* 5 FETCH (UID 7 FLAGS ())")
	d.ok("NOOP")
	d.ok("UID STORE 6 +FLAGS (\\Seen)")
	eq(c.response(), "* 4 FETCH (UID 6 FLAGS (\\Seen))")
	d.ok("UID STORE 7 +FLAGS.SILENT (\\Deleted)")
	eq(c.response(), "* 5 FETCH (UID 7 FLAGS (\\Deleted))")
	d.ok("EXPUNGE")
	eq(c.response(), "* 5 EXPUNGE")
	# New keywords come with FLAGS before.
	d.ok("UID STORE 6 FLAGS (fresh)")
	eq(c.response(), "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent fresh)")
	assert "PERMANENTFLAGS" in c.response()
	eq(c.response(), "* 4 FETCH (UID 6 FLAGS (fresh))")
	# One's own are not told with FETCH.
	a = c.append("sel", message("own"))
	eq(a.lines, ["* 5 EXISTS"])
	# Flags that are not wanted wait until they are.
	c.ok("NOTIFY SET (selected (MessageNew (uid) MessageExpunge))")
	d.ok("NOOP")
	d.ok("UID STORE 6 FLAGS (\\Answered)")
	d.append("sel", message("m8"))
	eq([c.response(), c.response()], ["* 6 EXISTS", "* 6 FETCH (UID 9)"])
	eq(c.ok("NOOP").lines, [])
	assert c.ok("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))").has(r"^\* 4 FETCH \(UID 6 FLAGS \(\\Answered\)\)")
	# In IDLE the same is told (4); and the mailbox may change.
	c.begin("IDLE")
	eq(c.response(), "+ waiting")
	d.ok("UID STORE 6 FLAGS ()")
	eq(c.response(), "* 4 FETCH (UID 6 FLAGS ())")
	c.send("DONE\r\n")
	eq(c.end().lines, [])
	d.ok("CREATE sel2")
	d.append("sel2", message("x"))
	c.ok("SELECT sel2")
	d.append("sel2", message("y"))
	eq([c.response(), c.response()], ["* 2 EXISTS", "* 2 FETCH (UID 2 FLAGS ())"])
	# Not mentioned is the same as NONE, and no selected mailbox is no error.
	c.ok("NOTIFY SET (personal (MailboxName))")
	d.append("sel2", message("z"))
	eq(c.ok("NOOP").lines, [])
	c.ok("UNSELECT")
	eq(c.ok("NOTIFY SET STATUS (selected (MessageNew MessageExpunge))").lines, [])
	# A message number in a command that was sent before the change.
	c.ok("SELECT sel2")
	d.ok("SELECT sel2")
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	c.begin("FETCH 3 (UID)")
	assert c.end().has(r"^\* 3 FETCH \(UID 3\)")
	EOF
}

@test "selected-delayed (RFC 5465, 6.1.2)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	for box in ("delayed", "beside"):
	    d.ok("CREATE " + box)
	for i in range(3):
	    d.append("delayed", message(f"m{i}"))
	c.ok("SELECT delayed")
	c.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (mailboxes beside (MessageNew MessageExpunge))")
	d.ok("SELECT delayed")
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	d.append("delayed", message("m3"))
	d.append("beside", message("tells that it was looked"))
	assert c.response().startswith('* STATUS "beside" (MESSAGES 1 ')
	# A command with message numbers, which still mean the same.
	a = c.ok("FETCH 1:3 (UID)")
	assert not a.has("EXPUNGE"), a
	eq([l for l in a.lines if "(UID" in l][1:3], ["* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)"])
	assert a.has(r"^\* 4 EXISTS"), a
	eq(c.ok("NOOP").lines, ["* 1 EXPUNGE"])
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	d.append("beside", message("looked again"))
	assert c.response().startswith('* STATUS "beside" (MESSAGES 2 ')
	c.begin("IDLE")
	got = [c.response(), c.response()]
	assert "* 1 EXPUNGE" in got and "+ waiting" in got, got
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	got = c.response()
	assert got in ("* 1 EXPUNGE", "* 1 FETCH (UID 3 FLAGS (\\Deleted))"), got
	c.send("DONE\r\n")
	c.end()
	EOF
}

@test "fetch attributes: all sorts, those that fail, UIDONLY, QRESYNC (RFC 5465, 5.2 and 5.3)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	d.ok("CREATE atts")
	c.ok("SELECT atts")
	c.ok("NOTIFY SET (selected (MessageNew (rfc822.size body[text] flags) MessageExpunge))")
	d.append("atts", "Subject: x\r\n\r\nbody\r\n")
	eq(c.response(), "* 1 EXISTS")
	eq(c.response(), "* 1 FETCH (UID 1 RFC822.SIZE 20 BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen))")
	assert d.ok("STATUS atts (UNSEEN)").has("UNSEEN 0")
	# A part that is not there.
	c.ok("NOTIFY SET (selected (MessageNew (body[2]) MessageExpunge))")
	d.append("atts", "Subject: x\r\n\r\nbody\r\n")
	eq([c.response() for i in range(3)], ["* 2 EXISTS", "* 2 FETCH (UID 2)",
	   "* NO processing fetch attribute: no such part"])
	# MODSEQ turns CONDSTORE on.
	a = c.ok("NOTIFY SET (selected (MessageNew (uid modseq) MessageExpunge FlagChange)) (mailboxes Drafts (MessageNew MessageExpunge))")
	assert a.has(r"^\* OK \[HIGHESTMODSEQ \d+\]"), a
	d.append("atts", "Subject: x\r\n\r\nbody\r\n")
	eq(c.response(), "* 3 EXISTS")
	assert re.match(r"\* 3 FETCH \(UID 3 MODSEQ \(\d+\)\)$", c.response())
	d.append("Drafts", message("x"))
	assert re.match(r'\* STATUS "Drafts" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ \d+\)$', c.response())
	# Several at once: one EXISTS.
	d.ok("SELECT Drafts")
	d.ok("COPY 1 atts")
	eq(c.response(), "* 4 EXISTS")
	c.response()
	# VANISHED, and no message numbers.
	e = Imap()
	e.ok("ENABLE QRESYNC UIDONLY")
	e.ok("SELECT atts")
	e.ok("NOTIFY SET (selected (MessageNew (envelope) MessageExpunge FlagChange))")
	d.append("atts", "Subject: only\r\n\r\nbody\r\n")
	eq(e.response(), "* 5 EXISTS")
	assert re.match(r'\* 5 UIDFETCH \(ENVELOPE \(NIL "only" .*\) MODSEQ \(\d+\)\)$', e.response())
	d.ok("SELECT atts")
	d.ok("UID STORE 5 +FLAGS.SILENT (\\Deleted)")
	assert re.match(r"\* 5 UIDFETCH \(FLAGS \(\\Deleted\) MODSEQ \(\d+\)\)$", e.response())
	d.ok("EXPUNGE")
	eq(e.response(), "* VANISHED 5")
	# Nothing of what was asked for can be told.
	e.ok("NOTIFY SET (selected (MessageNew (body[2]) MessageExpunge FlagChange))")
	d.append("atts", "Subject: only\r\n\r\nbody\r\n")
	eq(e.response(), "* 5 EXISTS")
	assert re.match(r"\* 6 UIDFETCH \(MODSEQ \(\d+\)\)$", e.response())
	assert e.response().startswith("* NO processing fetch attribute: no such part")
	EOF
}

@test "attributes of messages that a context gets (RFC 5465, 7)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	d.ok("CREATE context")
	d.append("context", "From: myboss@example.org\r\nSubject: one\r\n\r\nx\r\n")
	c.ok("SELECT context")
	for wrong in ("UPDATE ()", "UPDATE (bogus)", "UPDATE (UID", "UPDATE(UID ALL)"):
	    c.bad(f'SEARCH RETURN (COUNT {wrong}) FROM "boss"')
	a = c.ok('SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (TO FROM SUBJECT)])) FROM "boss"')
	eq(a.lines, [f'* ESEARCH (TAG "{c.tag}") COUNT 1'])
	tag = c.tag
	d.append("context", "From: myboss@example.org\r\nSubject: two\r\n\r\nx\r\n")
	d.append("context", "From: nobody@example.org\r\nSubject: three\r\n\r\nx\r\n")
	lines = c.ok("NOOP").lines
	want = ["* 3 EXISTS", "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (TO FROM SUBJECT)] {42}\r\n"
	        "From: myboss@example.org\r\nSubject: two\r\n\r\n)", f'* ESEARCH (TAG "{tag}") ADDTO (0 2)']
	eq([l for l in lines if l in want], want)
	# Not when flags bring a message.
	c.ok("CANCELUPDATE " + '"' + tag + '"')
	c.ok("SEARCH RETURN (UPDATE(UID ENVELOPE)) FLAGGED")
	d.ok("SELECT context")
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	a = c.ok("NOOP")
	assert a.has("ADDTO") and not a.has("ENVELOPE"), a
	EOF
}

@test "the list and annotations (RFC 5465, 5.4 to 5.7)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("NOTIFY SET (personal (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
	def told(*lines):
	    for line in lines:
	        eq(c.response(), line)
	    eq(c.ok("NOOP").lines, [])
	d.ok("CREATE NewMailbox")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "NewMailbox"')
	d.ok("UNSUBSCRIBE NewMailbox")
	told('* LIST (\\HasNoChildren) "/" "NewMailbox"')
	d.ok("SUBSCRIBE NewMailbox")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "NewMailbox"')
	# The parent is affected, too.
	d.ok("CREATE NewMailbox/a")
	told('* LIST (\\Subscribed \\HasChildren) "/" "NewMailbox"', '* LIST (\\Subscribed \\HasNoChildren) "/" "NewMailbox/a"')
	d.ok("CREATE NewMailbox/b")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "NewMailbox/b"')
	# What is below moves along.
	d.ok("RENAME NewMailbox OldMailbox")
	told('* LIST (\\Subscribed \\HasChildren) "/" "OldMailbox" ("OLDNAME" ("NewMailbox"))')
	d.ok("RENAME OldMailbox/a x/y")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "x/y" ("OLDNAME" ("OldMailbox/a"))', '* LIST (\\Subscribed \\HasChildren) "/" "x"')
	d.ok("DELETE OldMailbox/b")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "OldMailbox"', '* LIST (\\Subscribed \\NonExistent \\HasNoChildren) "/" "OldMailbox/b"')
	d.ok("UNSUBSCRIBE OldMailbox/b")
	told('* LIST (\\NonExistent \\HasNoChildren) "/" "OldMailbox/b"')
	d.ok("SUBSCRIBE none")
	told('* LIST (\\Subscribed \\NonExistent \\HasNoChildren) "/" "none"')
	d.ok("UNSUBSCRIBE none")
	told('* LIST (\\NonExistent \\HasNoChildren) "/" "none"')
	# A new one with the name of an old one is no rename.
	d.ok("UNSUBSCRIBE x/y")
	told('* LIST (\\HasNoChildren) "/" "x/y"')
	d.ok("DELETE x/y")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "x"', '* LIST (\\NonExistent \\HasNoChildren) "/" "x/y"')
	d.ok("CREATE x/y (USE (\\Archive))")
	told('* LIST (\\Subscribed \\HasChildren) "/" "x"', '* LIST (\\Subscribed \\HasNoChildren \\Archive) "/" "x/y"')
	# Inbox stays.
	d.append("Inbox", message("m"))
	d.ok("RENAME Inbox was")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "was"')
	# Annotations, without values.
	d.ok('SETMETADATA OldMailbox (/private/comment "x" /shared/comment "y")')
	told('* METADATA "OldMailbox" /private/comment /shared/comment')
	d.ok('SETMETADATA OldMailbox (/private/comment "z" /shared/comment "y")')
	told('* METADATA "OldMailbox" /private/comment')
	d.ok('SETMETADATA OldMailbox (/private/comment NIL)')
	told('* METADATA "OldMailbox" /private/comment')
	d.ok('SETMETADATA "" (/shared/comment "server" "/shared/vendor/x/a b" "1")')
	told('* METADATA "" /shared/comment "/shared/vendor/x/a b"')
	d.ok('SETMETADATA "" (/shared/comment NIL)')
	told('* METADATA "" /shared/comment')
	# What this client does is not told.
	for command in ("CREATE own", "UNSUBSCRIBE own", "SUBSCRIBE own", "RENAME own own2", "CREATE own2/3", "DELETE own2/3",
	                'SETMETADATA own2 (/private/comment "x")', 'SETMETADATA "" (/private/comment "x")', "UNSUBSCRIBE own2/3", "RENAME own2 own"):
	    assert not c.ok(command).has(r"^\* (METADATA|LIST .*\\Has)"), command
	eq(c.ok("NOOP").lines, [])
	d.ok('SETMETADATA own (/private/comment "y")')
	told('* METADATA "own" /private/comment')
	# Of some mailboxes only, and others of all.
	c.ok("NOTIFY SET (mailboxes (own was) (MailboxName)) (subtree x NONE) (personal (SubscriptionChange))")
	d.ok("CREATE other")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "other"')
	for command in ("CREATE x/z", "SUBSCRIBE x/w", 'SETMETADATA "" (/shared/comment "s")', 'SETMETADATA own (/private/comment "s")', "UNSUBSCRIBE x/z"):
	    d.ok(command)
	d.ok("RENAME was were")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "were" ("OLDNAME" ("was"))')
	d.ok("RENAME other another")
	told('* LIST (\\Subscribed \\HasNoChildren) "/" "another"', '* LIST (\\NonExistent \\HasNoChildren) "/" "other"')
	EOF
}

@test "other mailboxes: STATUS when something changed (RFC 5465, 5.1 to 5.3 and 6)" {
	py <<-'EOF'
	from mailtest import *
	d = Imap()
	for box in ("inbox/a/b", "other/a/b", "s1"):
	    d.ok("CREATE " + box)
	d.ok("UNSUBSCRIBE other/a/b")
	filters = {"inboxes": "inbox/a/b", "subscribed": "inbox/a/b", "subtree (Nonexistent inbox)": "inbox/a/b",
	           "subtree-one (Nonexistent Inbox/a other)": "inbox/a/b", "mailboxes s1": "s1", "personal": "other/a/b"}
	clients = {}
	for f in filters:
	    clients[f] = Imap()
	    eq(clients[f].ok(f"NOTIFY SET ({f} (messageNew messageExpunge))").lines, [])
	for box in ("other/a/b", "inbox/a/b", "s1"):
	    d.append(box, message("x"))
	for f, box in filters.items():
	    m = re.match(r'\* STATUS "(.*)" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)$', clients[f].response())
	    eq(m[1].lower(), box)
	# The first that matches and says NONE has the last word.
	c = Imap()
	c.ok("NOTIFY SET (mailboxes s1 NONE) (personal (MessageNew MessageExpunge FlagChange))")
	d.append("s1", message("x"))
	d.append("other/a/b", message("x"))
	assert '"other/a/b"' in c.response()
	# Flags: UNSEEN, or with CONDSTORE any.
	d.ok("SELECT other/a/b")
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	eq(c.ok("NOOP").lines, [])
	d.ok("STORE 1 +FLAGS (\\Seen)")
	assert re.match(r'\* STATUS "other/a/b" \(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1\)$', c.response())
	c.ok("ENABLE CONDSTORE")
	d.ok("STORE 1 +FLAGS (\\Answered)")
	assert re.match(r'\* STATUS "other/a/b" \(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ \d+\)$', c.response())
	# One that is not there yet, or again: UIDVALIDITY is another one.
	c.ok("NOTIFY SET (mailboxes later (MessageNew MessageExpunge)) (mailboxes later (MailboxName))")
	d.ok("CREATE later")
	assert c.response().startswith("* LIST ")
	d.append("later", message("x"))
	first = c.response()
	assert first.startswith('* STATUS "later" (MESSAGES 1 '), first
	d.ok("DELETE later")
	assert "NonExistent" in c.response()
	d.ok("CREATE later")
	d.append("later", message("x"))
	lines = []
	while not lines or not lines[-1].startswith('* STATUS "later" (MESSAGES 1 '):
	    lines.append(c.response())
	assert re.search(r"UIDVALIDITY (\d+)", lines[-1])[1] != re.search(r"UIDVALIDITY (\d+)", first)[1]
	# What this client puts there is not told; what others do then is.
	c.ok("NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))")
	eq(c.append("later", message("own")).lines, [])
	eq(c.ok("NOOP").lines, [])
	c.ok("SELECT other/a/b")
	eq(c.ok("COPY 1:2 later").lines, [])
	eq(c.ok("NOOP").lines, [])
	d.append("later", message("not own"))
	assert c.response().startswith('* STATUS "later" (MESSAGES 5 UIDNEXT 6 ')
	# A mailbox that was left is one of the others again.
	d.append("other/a/b", message("x"))
	eq(c.ok("NOOP").lines, [])
	a = c.ok("UNSELECT")
	if not a.lines and not (a := c.ok("NOOP")).lines:
	    a.lines = [c.response()]
	assert a.has(r'^\* STATUS "other/a/b" \(MESSAGES 3 UIDNEXT 4 '), a
	# MOVE: both.
	d.ok("MOVE 1 later")
	got = sorted([c.response(), c.response()])
	assert got[0].startswith('* STATUS "later" (MESSAGES 6 ') and got[1].startswith('* STATUS "other/a/b" (MESSAGES 2 '), got
	EOF
}

@test "foreign programs, without a poke" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	root = os.path.join(DIR, "data/accounts/mox/Maildir")
	c.ok("CREATE foreign")
	c.ok("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))")
	with open(root + "/.foreign/tmp/1.f", "w") as f:
	    f.write("Subject: x\n\nx\n")
	os.rename(root + "/.foreign/tmp/1.f", root + "/.foreign/new/1.f")
	assert c.response().startswith('* STATUS "foreign" (MESSAGES 1 UIDNEXT 2 '), "new"
	[name] = [f for d in ("new", "cur") for f in os.listdir(root + "/.foreign/" + d)]
	for d in ("new", "cur"):
	    if os.path.exists(f"{root}/.foreign/{d}/{name}"):
	        os.rename(f"{root}/.foreign/{d}/{name}", root + "/.foreign/cur/1.f:2,S")
	assert "UNSEEN 0" in c.response(), "seen"
	os.unlink(root + "/.foreign/cur/1.f:2,S")
	assert c.response().startswith('* STATUS "foreign" (MESSAGES 0 '), "removed"
	for d in ("", "/cur", "/new", "/tmp"):
	    os.mkdir(root + "/.made" + d)
	eq(c.response(), '* LIST (\\HasNoChildren) "/" "made"')
	os.rename(root + "/.made", root + "/.moved")
	eq(c.response(), '* LIST (\\HasNoChildren) "/" "moved" ("OLDNAME" ("made"))')
	# The other way round: what a client does not look at is not waited for.
	with open(root + "/subscriptions", "a") as f:
	    f.write("moved\n")
	eq(c.response(), '* LIST (\\Subscribed \\HasNoChildren) "/" "moved"')
	# More names than are watched.
	with open(root + "/subscriptions", "a") as f:
	    f.write("".join(f"many{i}\n" for i in range(10001)))
	assert c.response().startswith("* OK [NOTIFICATIONOVERFLOW] "), "overflow"
	c.ok("CREATE silence")
	eq(c.ok("NOOP").lines, [])
	a = c.no("NOTIFY SET (personal (MailboxName))")
	assert a.text.startswith("[NOTIFICATIONOVERFLOW]"), a
	# Without NOTIFY nothing is promised, and nothing breaks.
	e = Imap()
	e.ok('LIST "" %')
	e.begin("IDLE")
	e.response()
	e.send("DONE\r\n")
	e.end()
	with open(root + "/subscriptions", "r+") as f:
	    lines = f.readlines()
	    f.seek(0)
	    f.writelines(l for l in lines if not l.startswith("many"))
	    f.truncate()
	c.ok("NOTIFY SET (personal (MailboxName))")
	EOF
}

@test "without NOTIFY: what others make, after commands and in IDLE" {
	py <<-'EOF'
	from mailtest import *
	d = Imap()
	for rev2 in (False, True):
	    c = Imap()
	    if rev2:
	        c.ok("ENABLE IMAP4rev2")
	    c.ok('LIST "" *')
	    d.ok("CREATE plain")
	    eq(c.ok("NOOP").lines, ['* LIST (\\Subscribed) "/" "plain"' if not rev2 else '* LIST (\\Subscribed) "/" plain'.replace("plain", '"plain"')])
	    d.ok("UNSUBSCRIBE plain")
	    eq(c.ok("NOOP").lines, ['* LIST () "/" "plain"'])
	    d.ok('SETMETADATA plain (/private/comment "x")')
	    eq(c.ok("NOOP").lines, [])
	    c.ok("ENABLE METADATA")
	    d.ok('SETMETADATA plain (/private/comment "y")')
	    d.ok('SETMETADATA "" (/private/comment "%s")' % rev2)
	    c.begin("IDLE")
	    got = []
	    while len(got) < 3:
	        got.append(c.response())
	    eq(sorted(got), ['* METADATA "" /private/comment', '* METADATA "plain" /private/comment', "+ waiting"])
	    d.ok("RENAME plain renamed")
	    eq(c.response(), '* LIST () "/" "renamed"' + (' ("OLDNAME" ("plain"))' if rev2 else ""))
	    d.ok("CREATE renamed/below")
	    eq(c.response(), '* LIST (\\Subscribed) "/" "renamed/below"')
	    d.ok("DELETE renamed/below")
	    if rev2:
	        eq(c.response(), '* LIST (\\Subscribed \\NonExistent) "/" "renamed/below"')
	    d.ok("UNSUBSCRIBE renamed/below")
	    eq(c.response(), '* LIST (\\NonExistent) "/" "renamed/below"')
	    # Messages of others are nobody's business.
	    d.append("renamed", message("x"))
	    c.send("DONE\r\n")
	    eq(c.end().lines, [])
	    assert not c.ok("DELETE renamed").has("^\\* LIST")
	    eq(c.ok("NOOP").lines, [])
	EOF
}
