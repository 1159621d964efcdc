#!/usr/bin/env bats
# Parked sessions: they give up their process while they wait, and go on as they
# were. The server parks after 0.2 seconds.

load helper

setup_file() {
	start_shared_server -loglevel info -park 0.2
	cat >"$DIR/words.py" <<'EOF'
from mailtest import *
import processes, time
def parked(c):
    """Has it no back? The process that parks has it, or its relay is alone."""
    roles = [processes.role(p) for p in processes.of_connection(c.sock)]
    return roles == (["front"] if isinstance(c.sock, ssl.SSLSocket) else ["park"])
def park(*clients):
    for c in clients:
        wait_for(lambda: parked(c))
EOF
}

teardown_file() { stop_background; }

py() { cat "$DIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "between commands: parked, and input resumes" {
	py <<-'EOF'
	c = Imap()
	park(c)
	c.ok("NOOP")
	park(c)
	c.ok("SELECT INBOX")
	park(c)
	c.ok("FETCH 1:* FLAGS")
	park(c)
	# What is pipelined, and in pieces.
	c.send("a NOOP\r\nb NO")
	eq(c.line(), b"a OK NOOP done")
	c.send("OP\r\n")
	eq(c.line(), b"b OK NOOP done")
	EOF
}

@test "IDLE: a change resumes, and DONE with the right tag" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	c.ok("SELECT INBOX")
	c.send("x1 IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c)
	d.ok("APPEND INBOX {4+}\r\nx: y")
	assert c.line().endswith(b" EXISTS")
	assert b" FETCH (UID " in c.line()
	park(c)
	c.send("DONE\r\n")
	eq(c.line(), b"x1 OK IDLE done")
	EOF
}

@test "what is told of other mailboxes is told to a parked session, too" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	# Without a mailbox: the list, and annotations.
	c.ok("ENABLE METADATA IMAP4rev2")
	c.send("i1 IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c)
	d.ok("CREATE parked")
	eq(c.line(), b'* LIST (\\Subscribed) "/" "parked"')
	park(c)
	d.ok('SETMETADATA parked (/private/comment "x")')
	eq(c.line(), b'* METADATA "parked" /private/comment')
	park(c)
	d.ok("RENAME parked unparked")
	eq(c.line(), b'* LIST (\\Subscribed) "/" "unparked" ("OLDNAME" ("parked"))')
	c.send("DONE\r\n")
	eq(c.line(), b"i1 OK IDLE done")
	# Between commands: after the next.
	park(c)
	d.ok("DELETE unparked")
	eq(c.ok("NOOP").lines, ['* LIST (\\Subscribed \\NonExistent) "/" "unparked"'])
	# NOTIFY NONE stays so.
	c.ok("SELECT Inbox")
	c.ok("NOTIFY NONE")
	park(c)
	d.append("Inbox", message("x"))
	eq(c.ok("NOOP").lines, [])
	park(c)
	eq(c.ok("NOOP").lines, [])
	EOF
}

@test "NOTIFY: parked between commands, told of messages, names, annotations elsewhere" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE watched")
	d.ok("CREATE others")
	c.ok("SELECT Inbox")
	events = "MessageNew MessageExpunge FlagChange MailboxName MailboxMetadataChange"
	c.ok(f"NOTIFY SET (selected (MessageNew MessageExpunge)) (mailboxes watched ({events}))")
	park(c)
	n = int(d.ok("STATUS Inbox (MESSAGES)").find(r"MESSAGES (\d+)")[1])
	d.append("Inbox", message("y"))
	eq(c.line(), b"* %d EXISTS" % (n + 1))
	c.line()
	park(c)
	d.append("watched", message("y"))
	assert re.match(rb'\* STATUS "watched" \(MESSAGES 1 UIDNEXT 2 .*UNSEEN 1\)$', c.line())
	park(c)
	# Something that is not wanted wakes it, and is not told.
	d.append("others", message("y"))
	d.ok('SETMETADATA watched (/private/comment "x")')
	eq(c.line(), b'* METADATA "watched" /private/comment')
	park(c)
	d.ok("SELECT Inbox")
	d.ok(f"STORE {n + 1} +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	eq(c.line(), b"* %d EXPUNGE" % (n + 1))
	d.ok("UNSELECT")
	park(c)
	# A command at once: its answer, and then nothing is lost or told twice.
	d.append("watched", message("z"))
	a = c.ok("NOOP")
	told = a.lines + c.ok("NOOP").lines
	eq([l.split("(")[1].split()[:2] for l in told if "STATUS" in l], [["MESSAGES", "2"]])
	EOF
}

@test "NOTIFY: foreign changes anywhere resume it; IDLE with it; delayed until a command" {
	py <<-'EOF'
	root = DIR + "/data/accounts/mox/Maildir"
	def foreign(name, n):
	    with open(f"{root}/{name}/new/{n}.foreign.x", "w") as f:
	        f.write("x: z\n")
	c, d = Imap(), Imap()
	d.ok("CREATE one")
	d.ok("CREATE two")
	d.append("two", message("1"))
	c.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge MailboxName))")
	park(c)
	foreign(".one", 1)
	assert c.line().startswith(b'* STATUS "one" (MESSAGES 1 ')
	park(c)
	for sub in "", "/cur", "/new", "/tmp":
	    os.mkdir(f"{root}/.made{sub}")
	eq(c.line(), b'* LIST (\\HasNoChildren) "/" "made"')
	c.ok("SELECT two")
	c.send("i IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c)
	foreign(".one", 2)
	assert c.line().startswith(b'* STATUS "one" (MESSAGES 2 ')
	foreign(".two", 2)
	eq(c.line(), b"* 2 EXISTS")
	c.line()
	c.send("DONE\r\n")
	eq(c.line(), b"i OK IDLE done")
	# What waits for a command waits while it is parked, too.
	d.ok("SELECT two")
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	d.ok("UNSELECT")
	park(c)
	a = c.ok("FETCH 2 UID")
	assert a.has(r"^\* 2 FETCH \(UID 2\)$") and not a.has("EXPUNGE"), a
	park(c)
	assert c.ok("NOOP").has(r"^\* 1 EXPUNGE$")
	EOF
}

@test "NOTIFY: more names than a parked session may have, or mailboxes of others: it stays" {
	mox-config -config "$DIR/mox.conf" account add lender lender@localhost
	mox-config -config "$DIR/mox.conf" account add many many@localhost
	for user in lender many; do
		printf 'moxmoxmox\nmoxmoxmox\n' | mox-setaccountpassword -config "$DIR/mox.conf" $user
	done
	sleep 1.1 # new accounts are looked for once a second
	py <<-'EOF'
	def login(user):
	    c = Imap(login=False)
	    c.ok(f"LOGIN {user}@localhost moxmoxmox")
	    return c
	lender, many = login("lender"), login("many")
	lender.ok("CREATE lent")
	long = "m" * 198
	for i in range(48):
	    many.ok(f"CREATE {long}{i}")
	personal = "NOTIFY SET (personal (MessageNew MessageExpunge))"
	one = f"NOTIFY SET (mailboxes {long}1 (MessageNew MessageExpunge))"
	lots, few = login("many"), login("many")
	lots.ok(personal)
	few.ok(one)
	lender.ok("SETACL lent many lr")
	other = login("many")
	other.ok(one)
	lender.ok(personal)
	park(lender, few)
	time.sleep(1)
	assert not parked(lots)
	assert not parked(other)
	many.append(long + "1", message("x"))
	for s in lots, few, other:
	    assert b"(MESSAGES 1 " in s.line(), s
	EOF
}

@test "IDLE: hang-up, foreign changes, a mailbox that goes" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE goes")
	d.ok("APPEND goes {4+}\r\nx: y")
	for s in c, d:
	    s.ok("SELECT goes")
	c.send("i IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c, d)
	# A program that knows nothing of watches: seen by looking.
	box = DIR + "/data/accounts/mox/Maildir/.goes"
	with open(box + "/new/1.foreign.x", "w") as f:
	    f.write("x: z\n")
	eq(c.line(), b"* 2 EXISTS")
	c.line()
	park(c, d)
	d.ok("SELECT INBOX")
	d.ok("DELETE goes")
	assert c.line().startswith(b"* BYE mailbox was deleted")
	d.send("i IDLE\r\n")
	d.line()
	park(d)
	d.close()
	EOF
	eventually grep -q 'parked client is gone' "$BATS_FILE_TMPDIR/server.log"
}

@test "what others did while it was parked: numbers, flags, new messages" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE box")
	for i in range(10):
	    d.ok("APPEND box {4+}\r\nx: y")
	for s in c, d:
	    s.ok("SELECT box")
	park(c)
	d.ok("STORE 2,5 +FLAGS.SILENT (\\Deleted)")
	d.ok("STORE 7 +FLAGS.SILENT (\\Flagged)")
	d.ok("EXPUNGE")
	d.ok("APPEND box {4+}\r\nx: y")
	# By number: those of before, and no EXPUNGE yet.
	a = c.ok("FETCH 3,6 UID")
	eq(sorted(l for l in a.lines if " (UID " in l and "FLAGS" not in l),
	    ["* 3 FETCH (UID 3)", "* 6 FETCH (UID 6)"])
	assert a.has(r"^\* 7 FETCH \(UID 7 FLAGS \(\\Flagged\)"), a
	assert a.has(r"^\* 11 EXISTS"), a
	assert not a.has("EXPUNGE"), a
	# Still pending when it is parked once more.
	park(c)
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	a = c.ok("NOOP")
	eq([l for l in a.lines if "EXPUNGE" in l],
	    ["* 5 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"])
	eq(c.ok("UID SEARCH ALL").lines, ["* SEARCH 3 4 6 7 8 9 10 11"])
	EOF
}

@test "expunged, and folded away while it was parked: counted until it is told" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE fold")
	for i in range(5):
	    d.ok("APPEND fold {4+}\r\nx: y")
	for s in c, d:
	    s.ok("SELECT fold")
	park(c)
	d.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	log = DIR + "/data/accounts/mox/Maildir/.fold/mox.log"
	first = os.stat(log).st_ino
	# Keywords long enough for the log to be folded.
	n = 0
	while os.stat(log).st_ino == first:
	    d.ok(f"STORE 1:4 FLAGS.SILENT ({' '.join(f'k{i}' + 'x' * 90 for i in range(60))})")
	    d.ok("STORE 1:4 FLAGS.SILENT ()")
	    n += 1
	    if n % 250 == 0:
	        d.ok("SELECT fold") # when it is closed nobody waits
	    assert n < 3000
	d.ok("UNSELECT")
	a = c.cmd("FETCH 2:3 (UID FLAGS INTERNALDATE BODY.PEEK[])")
	assert "[EXPUNGEISSUED]" in a.text, a
	assert not a.has(r"^\* 2 FETCH") and a.has(r"^\* 3 FETCH \(UID 3 "), a
	assert c.ok("NOOP").has(r"^\* 2 EXPUNGE$")
	eq(c.ok("UID SEARCH ALL").lines, ["* SEARCH 1 3 4 5"])
	EOF
}

@test "expunged beyond the history while it was parked: BYE, if it was of what it counts" {
	py <<-'EOF'
	c, d, e = Imap(), Imap(), Imap()
	d.ok("CREATE short")
	d.ok("CREATE many")
	d.ok("APPEND short" + 3 * " {4+}\r\nx: y")
	d.ok("APPEND many" + 250 * " (\\Deleted) {4+}\r\nx: y {4+}\r\nx: y")
	for s in c, d, e:
	    s.ok("SELECT short")
	park(c)
	d.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	e.ok("NOOP")
	park(e)
	# The history is of 10,000 ranges, counted when the log is folded.
	d.ok("SELECT many")
	for i in range(41):
	    d.ok("COPY 1:* short")
	d.ok("SELECT short")
	d.ok("EXPUNGE")
	log = DIR + "/data/accounts/mox/Maildir/.short/mox.log"
	logs, n = {os.stat(log).st_ino}, 0
	while len(logs) < 3:
	    d.ok(f"STORE 1:2 FLAGS.SILENT ({' '.join(f'k{i}' + 'x' * 90 for i in range(60))})")
	    d.ok("STORE 1:2 FLAGS.SILENT ()")
	    n += 1
	    if n % 250 == 0:
	        d.ok("SELECT short") # when it is closed nobody waits
	    logs.add(os.stat(log).st_ino)
	    assert n < 3000
	d.ok("UNSELECT")
	c.send("x NOOP\r\n")
	eq(c.line(), b"* BYE the mailbox has changed too much, please come back")
	eq(c.rest(), b"")
	# What it counts is all there: it goes on.
	assert e.ok("UID SEARCH UID 1:4").has(r"^\* SEARCH 1 3$")
	# And back.
	c = Imap()
	assert c.ok("SELECT short").has(r"^\* 10252 EXISTS$")
	EOF
	eventually grep -q 'too much happened for a parked session' "$BATS_FILE_TMPDIR/server.log"
}

@test "what ENABLE said, EXAMINE and the saved result survive" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE r&AOk-")
	for i in range(5):
	    d.ok("APPEND r&AOk- {4+}\r\nx: y")
	d.ok("SELECT r&AOk-")
	c.ok("ENABLE QRESYNC UTF8=ACCEPT")
	c.ok('EXAMINE "r\u00e9"')
	c.ok("SEARCH RETURN (SAVE) UID 2:4")
	park(c)
	d.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	assert c.no("STORE 1 +FLAGS (\\Seen)").text.startswith("[READ-ONLY]")
	assert c.ok("NOOP").has(r"^\* VANISHED 3$")
	park(c)
	a = c.ok("UID FETCH $ UID")
	eq([l for l in a.lines if "FETCH" in l], ["* 2 FETCH (UID 2)", "* 3 FETCH (UID 4)"])
	assert c.ok('LIST "" r*').has('"r\u00c3\u00a9"')  # UTF-8
	u = Imap()
	u.ok("ENABLE UIDONLY")
	u.ok("SELECT r&AOk-")
	park(u)
	u.bad("FETCH 1 FLAGS")
	assert u.ok("UID FETCH 1 FLAGS").has(r"^\* 1 UIDFETCH ")
	EOF
}

@test "VANISHED with QRESYNC, of what went while it was parked" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("CREATE van")
	for i in range(5):
	    d.ok("APPEND van {4+}\r\nx: y")
	c.ok("ENABLE QRESYNC")
	for s in c, d:
	    s.ok("SELECT van")
	c.send("i IDLE\r\n")
	c.line()
	park(c)
	d.ok("STORE 2:3 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	told = []
	while not told or b"VANISHED" not in told[-1]:
	    told.append(c.line())
	eq(told[-1], b"* VANISHED 2:3")
	park(c)
	c.send("DONE\r\n")
	eq(c.line(), b"i OK IDLE done")
	EOF
}

@test "a mailbox that went: another can be selected, or BYE" {
	py <<-'EOF'
	c, d, e = Imap(), Imap(), Imap()
	d.ok("CREATE temp")
	for s in c, e:
	    s.ok("SELECT temp")
	park(c, e)
	d.ok("DELETE temp")
	d.ok("CREATE temp")
	c.ok("SELECT INBOX")
	c.ok("NOOP")
	e.send("x NOOP\r\n")
	assert e.line().startswith(b"* BYE mailbox was deleted")
	EOF
}

@test "TLS: the relay stays, and bytes of any size pass afterwards" {
	py <<-'EOF'
	c = Imap(1993, tls=True)
	park(c)
	eq(sorted(processes.role(p) for p in processes.of_connection(c.sock)), ["front"])
	text = "x" * 300000
	c.ok("APPEND INBOX {300006+}\r\nx: y\r\n" + text)
	c.ok("SELECT INBOX")
	park(c)
	assert text in "".join(c.ok("FETCH * BODY[]").lines)
	c.send("i IDLE\r\n")
	c.line()
	park(c)
	d = Imap()
	d.ok("APPEND INBOX {4+}\r\nx: y")
	assert c.line().endswith(b" EXISTS")
	c.line()
	c.send("DONE\r\n")
	eq(c.line(), b"i OK IDLE done")
	a = c.ok("LOGOUT")
	assert a.has(r"^\* BYE")
	eq(c.rest(), b"")
	# Gone while it is parked: relay and slot, too.
	c = Imap(1993, tls=True)
	park(c)
	relay, = processes.of_connection(c.sock)
	c.close()
	processes.wait_for_end([relay])
	EOF
}

@test "not parked: COMPRESS, contexts, half a line" {
	py <<-'EOF'
	c, d, e = Imap(), Imap(), Imap()
	sock = c.sock
	c.compress()
	d.ok("SELECT INBOX")
	d.ok("SEARCH RETURN (UPDATE) ALL")
	e.send("x NO")
	f = Imap()
	park(f)
	time.sleep(0.5)
	for s in sock, d.sock, e.sock:
	    assert "back" in [processes.role(p) for p in processes.of_connection(s)], s
	e.send("OP\r\n")
	eq(e.line(), b"x OK NOOP done")
	EOF
}

@test "an account that may no longer log in: BYE when it would go on" {
	mox-config -config "$DIR/mox.conf" account add other other@localhost
	printf 'moxmoxmox\nmoxmoxmox\n' | mox-setaccountpassword -config "$DIR/mox.conf" other
	py <<-'EOF'
	c = Imap(login=False)
	c.ok("LOGIN other@localhost moxmoxmox")
	c.ok("SELECT INBOX")
	park(c)
	import subprocess
	subprocess.run(["mox-config", "-config", DIR + "/mox.conf", "account", "disable", "other", "gone away"], check=True)
	time.sleep(1.1)  # looked at once a second
	c.send("x NOOP\r\n")
	assert c.line().startswith(b"* BYE account cannot be opened"), c
	eq(c.rest(), b"")
	EOF
}

@test "a mailbox of another account: parked, and over when it is not shared any more" {
	mox-config -config "$DIR/mox.conf" account add friend friend@localhost
	printf 'moxmoxmox\nmoxmoxmox\n' | mox-setaccountpassword -config "$DIR/mox.conf" friend
	sleep 1.1 # new accounts are looked for once a second
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE shared")
	c.ok("SETACL shared friend lr")
	f, g = Imap(login=False), Imap(login=False)
	for s in f, g:
	    s.ok("LOGIN friend@localhost moxmoxmox")
	    s.ok('SELECT "Other Users/mox/shared"')
	f.send("i IDLE\r\n")
	f.line()
	park(f, g)
	c.ok("APPEND shared {4+}\r\nx: y")
	eq(f.line(), b"* 1 EXISTS")
	f.line()
	assert g.ok("NOOP").has(r"^\* 1 EXISTS")
	g.no("STORE 1 +FLAGS (\\Seen)")
	park(f, g)
	c.ok("DELETEACL shared friend")
	g.send("x FETCH 1 FLAGS\r\n")
	assert b" BYE " in g.rest()
	EOF
}

@test "the process that parks is jailed, and has nothing but what waits" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	d.ok("SELECT INBOX")
	d.send("i IDLE\r\n")
	d.line()
	park(c, d)
	pid, = processes.of_connection(c.sock)
	st = dict(l.split(":\t", 1) for l in open(f"/proc/{pid}/status") if ":\t" in l)
	eq((st["Seccomp"].strip(), st["NoNewPrivs"].strip()), ("2", "1"))
	held = {os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0]
	        for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2}
	files = {f for f in held if f.startswith("/")}
	watch, box = DIR + "/run/watch/", DIR + "/data/accounts/mox/Maildir"
	assert held - files <= {"socket", "anon_inode"}, held
	assert all(f.startswith(watch) or f.startswith(box) for f in files), files
	EOF
}
