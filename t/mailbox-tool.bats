#!/usr/bin/env bats
# mox-mailbox: for each repair a store that is damaged the way it mends, looked
# at from outside over IMAP, with a session that was there before; then
# mox-verifydata has nothing to say. Kill points at the end.

load helper
load faults

setup() {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	export DIR IP MOXCONF=$DIR/mox.conf
}
teardown() {
	stop_background
	[ -z "${OWNED:-}" ] || rm -rf "$OWNED"
}

storectl() { "$MOX_T/bin/storectl" "$DIR/data" mox "$@"; }
clean() {
	run mox-verifydata "$DIR/data"
	[ "$output" = "$DIR/data: OK" ] || { echo "not clean: $output"; return 1; }
}

# What the Python parts share.
prelude() {
	cat >"$BATS_TEST_TMPDIR/pre.py" <<-'END'
	import os, re, struct, subprocess, sys, glob
	from mailtest import *

	MAILDIR = DIR + "/data/accounts/mox/Maildir"
	# lib/store/index_fold.c: a head of mox.cdb begins with it.
	HEAD = struct.pack("<Q", 0x6d6f78696478 << 16 | 112)

	def mox(*args, status=0):
	    p = subprocess.run(["mox", *args], stdout=subprocess.PIPE, text=True)
	    assert p.returncode == status, (args, p.returncode, p.stdout)
	    return p.stdout

	def select(c, mailbox="INBOX"):
	    "UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ"
	    a = c.ok(f"SELECT {mailbox}")
	    return tuple(int(a.find(rf"\[{w} (\d+)\]")[1]) for w in
	                 ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ"))

	def rows(c, items="FLAGS"):
	    "UID -> (subject, what else was asked for)"
	    found = {}
	    for line in c.ok(f"UID FETCH 1:* (UID {items} ENVELOPE)").lines:
	        uid = int(re.search(r"UID (\d+)", line)[1])
	        subject = re.search(r'ENVELOPE \("[^"]*" "([^"]*)"', line)[1]
	        found[uid] = subject, re.sub(r"^\* \d+ FETCH \(UID \d+ ", "", line)
	    return found

	def gone(c):
	    "The session is told that its mailbox is not what it was."
	    try:
	        c.send("x NOOP\r\n")
	        rest = c.rest()
	    except ConnectionError:
	        return
	    assert b"* BYE" in rest, rest

	def alive(c):
	    c.ok("NOOP")
	END
}

# A server all of whose mailboxes have been opened.
begin_server() {
	prelude
	start_server
	mox-mailbox fixuidmeta mox >/dev/null
}

# Runs standard input beside a server.
live() {
	begin_server
	{ cat "$BATS_TEST_TMPDIR/pre.py"; cat; } >"$BATS_TEST_TMPDIR/test.py"
	py "$BATS_TEST_TMPDIR/test.py"
	stop_background
	clean
}

@test "bumpuidvalidity: one mailbox, all; UIDs stay, sessions end" {
	live <<-'END'
	c, other = Imap(), Imap()
	c.ok("CREATE Work")
	for s in ("a", "b", "c"):
	    c.append("INBOX", message(s), "(\\Flagged kw)")
	smtp = Smtp()
	smtp.expect(250, "MAIL FROM:<a@example.org>")
	before = select(c)
	work = select(other, "Work")
	was = rows(c)
	out = mox("bumpuidvalidity", "mox", "inbox")
	new = int(re.fullmatch(r'uid validity for "Inbox" updated to (\d+)\n', out)[1])
	assert new > before[0] and new > work[0]
	gone(c)
	alive(other)
	c = Imap()
	after = select(c)
	eq(after[0], new)
	eq(after[1], before[1])
	eq(rows(c), was)
	# A transaction that had begun goes on; so does the client, elsewhere.
	smtp.expect(250, "RCPT TO:<mox@localhost>")
	smtp.expect(354, "DATA")
	smtp.send(message("d") + ".\r\n")
	eq(smtp.reply()[0], 250)
	wait_for(lambda: c.ok("NOOP") and len(rows(c)) == 4)
	out = mox("bumpuidvalidity", "-json", "mox")
	import json
	boxes = json.loads(out)["Accounts"][0]["Mailboxes"]
	assert {"Inbox", "Work"} <= {b["Mailbox"] for b in boxes}, boxes
	assert all(b["UIDValidity"] > new for b in boxes)
	gone(c)
	gone(other)
	mox("bumpuidvalidity", status=2)
	mox("bumpuidvalidity", "mox", "none", status=1)
	mox("bumpuidvalidity", "nobody", status=1)
	mox("bumpuidvalidity", "-all-accounts", "mox", status=2)
	assert "mox: uid validity for" in mox("bumpuidvalidity", "-all-accounts")
	END
}

@test "bumpuidvalidity: an open delivery goes on" {
	live <<-'END'
	smtp = Smtp()
	def send(s):
	    smtp.expect(250, "MAIL FROM:<a@example.org>")
	    smtp.expect(250, "RCPT TO:<mox@localhost>")
	    smtp.expect(354, "DATA")
	    smtp.send(message(s) + ".\r\n")
	    eq(smtp.reply()[0], 250)
	send("one")
	mox("bumpuidvalidity", "mox")
	send("two")
	mox("reassignuids", "mox")
	send("three")
	c = Imap()
	select(c)
	eq([v[0] for v in rows(c).values()], ["one", "two", "three"])
	END
}

@test "reassignuids: holes go, messages keep all else" {
	live <<-'END'
	c = Imap()
	flags = ["(\\Seen)", "(\\Flagged work)", "($Junk \\Answered)", "(\\Draft)", "()"]
	for i in range(10):
	    c.append("INBOX", message(f"m{i}", f"Text of {i}.\r\n"), flags[i % 5])
	before = select(c)
	c.ok("STORE 1,4,5 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	c.ok("STORE 2 +FLAGS (\\Seen more)")
	items = "FLAGS INTERNALDATE SAVEDATE EMAILID THREADID RFC822.SIZE BODY.PEEK[TEXT] BODYSTRUCTURE"
	was = rows(c, items)
	box = c.ok("STATUS INBOX (MAILBOXID)").find(r"MAILBOXID \((\S+)\)")[1]
	idle = Imap()
	select(idle)
	idle.begin("IDLE")
	assert idle.line().startswith(b"+")
	out = mox("reassignuids", "mox", "INBOX")
	assert out.startswith('uids of "Inbox" reassigned: 7 messages, uid validity '), out
	assert b"* BYE" in idle.rest()   # at once, not when it asks
	gone(c)
	c = Imap()
	after = select(c)
	assert after[0] > before[0] and after[2] > before[2]
	eq(after[1], 8)
	now = rows(c, items)
	eq(sorted(now), list(range(1, 8)))
	eq(list(now.values()), list(was.values()))
	eq(c.ok("STATUS INBOX (MAILBOXID)").find(r"MAILBOXID \((\S+)\)")[1], box)
	# Old knowledge is worth nothing.
	c.ok("ENABLE QRESYNC")
	c.ok("UNSELECT")
	assert not c.ok(f"SELECT INBOX (QRESYNC ({before[0]} {before[2]} 1:10))").has("VANISHED")
	c.append("INBOX", message("new"))
	c.ok("NOOP")
	eq(max(rows(c)), 8)
	END
	[ "$(ls "$DIR"/data/accounts/mox/Maildir/{new,cur} | grep -c S=)" = 8 ]
}

@test "reassignuids: all mailboxes, and while mail is coming" {
	live <<-'END'
	import threading
	c = Imap()
	c.ok("CREATE Work")
	for i in range(5):
	    c.append("Work", message(f"w{i}"))
	acked, stop = [], threading.Event()
	def feed():
	    d = Imap()
	    while not stop.is_set():
	        a = d.append("INBOX", message(f"f{len(acked)}"))
	        if a.status == "OK":
	            acked.append(a)
	t = threading.Thread(target=feed)
	t.start()
	wait_for(lambda: len(acked) > 10)
	validities = [int(v) for i in range(5) for v in
	              re.findall(r'"Inbox" reassigned.*validity (\d+)', mox("reassignuids", "mox"))]
	stop.set()
	t.join()
	c = Imap()
	eq(select(c)[0], validities[-1])
	eq([v[0] for v in rows(c).values()], [f"f{i}" for i in range(len(acked))])
	eq(validities, sorted(set(validities)))
	END
}

# Two numbers of the CDB's, which are there twice: in the head and as a line.
@test "fixuidmeta: UIDNEXT below a UID, counters below a UIDVALIDITY or none" {
	begin_server
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/fill.py"
	c = Imap()
	for i in range(5):
	    c.append("INBOX", message(f"m{i}"), "(kw)")
	print(select(c)[0])
	END
	validity=$(py "$BATS_TEST_TMPDIR/fill.py")
	stop_background
	storectl fold Inbox >/dev/null
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/break.py"
	path = MAILDIR + "/mox.cdb"
	data = bytearray(open(path, "rb").read())
	line = b"v %s 6 " % sys.argv[1].encode()
	at = data.index(line)
	data[at:at + len(line)] = b"v %s 3 " % sys.argv[1].encode()
	head = data.index(HEAD)
	# magic modseq floor stored size deleted_size messages unseen deleted uidnext
	off = head + 6 * 8 + 3 * 4
	eq(struct.unpack_from("<I", data, off)[0], 6)
	struct.pack_into("<I", data, off, 3)
	open(path, "wb").write(data)
	END
	py "$BATS_TEST_TMPDIR/break.py" "$validity"
	run mox-verifydata "$DIR/data"
	[ "$status" = 1 ]
	[[ $output == *'error: uidnext: UIDNEXT is 3 in mox.cdb, UIDs up to 5 '* ]]
	cp -a "$DIR/data" "$DIR/broken"
	mox-verifydata -fix "$DIR/data" | grep 'fixed: uidnext'
	clean
	rm -r "$DIR/data"
	mv "$DIR/broken" "$DIR/data"
	echo 5 >"$DIR/data/accounts/mox/uidvalidity"
	start_server
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/test.py"
	validity = int(sys.argv[1])
	c = Imap()
	eq(select(c)[:2], (validity, 6))   # no UID is given twice meanwhile
	out = mox("fixuidmeta", "mox")
	assert 'updating uidnext for mailbox "Inbox" from 3 to 6\n' in out, out
	assert re.search(r"updating uid validity of the account from \d+ to \d+\n", out), out
	alive(c)
	eq(mox("fixuidmeta", "mox"), "UIDs are right for account mox\n")
	c.append("INBOX", message("new"))
	c.ok("NOOP")
	eq(sorted(rows(c)), [1, 2, 3, 4, 5, 6])
	c.ok("CREATE New")
	assert select(c, "New")[0] > validity
	with open(DIR + "/data/accounts/mox/uidvalidity", "w") as f:
	    f.write("none\n")
	assert "updating uid validity of the account from 0 to" in mox("fixuidmeta", "mox")
	c.ok("CREATE Newest")
	assert select(c, "Newest")[0] > validity
	END
	py "$BATS_TEST_TMPDIR/test.py" "$validity"
	stop_background
	clean
	run mox-mailbox fixuidmeta -json
	[[ $output == *'"Changed": 0'* ]]
}

@test "fixmsgsize: wrong names, wrong W=, a file that was edited" {
	live <<-'END'
	c = Imap()
	text = message("ours").replace("\r\n", "\n").encode()
	def foreign(name, subject, flags="S", **sizes):
	    body = message(subject).replace("\r\n", "\n").encode()
	    s = "".join(f",{k}={v}" for k, v in sizes.items())
	    with open(f"{MAILDIR}/tmp/{name}", "wb") as f:
	        f.write(body)
	    os.rename(f"{MAILDIR}/tmp/{name}", f"{MAILDIR}/cur/{name}{s}:2,{flags}")
	    return len(body), len(body) + body.count(b"\n")
	size, wire = foreign("1.right.h", "right")
	foreign("2.right.h", "right2", S=foreign("3.bare.h", "bare00")[0], W=foreign("4.bare.h", "bare11")[1])
	foreign("5.wrongs.h", "wrongs", "FS", S=3, W=4)
	n = len(message("wrongw").replace("\r\n", "\n"))
	foreign("6.wrongw.h", "wrongw", "F", S=n, W=n)
	foreign("7.wrongw.h", "wrongx", "R", S=n, W=n + 1)
	c.append("INBOX", message("edited"), "(\\Flagged kw)")
	c.append("INBOX", message("last"))
	before = select(c)
	by_subject = {v[0]: (u, v[1]) for u, v in rows(c, "FLAGS EMAILID SAVEDATE RFC822.SIZE").items()}
	eq(len(by_subject), 9)
	edited = [f for f in maildir_files() if b"Subject: edited" in open(f, "rb").read()][0]
	with open(edited, "ab") as f:
	    f.write(b"more\n")
	out = mox("fixmsgsize", "mox")
	assert "Inbox: 3 messages of another size got new UIDs, 1 file names corrected\n" in out, out
	assert out.endswith("4 message size(s) fixed for account mox\n"), out
	c.ok("NOOP")
	now = {v[0]: (u, v[1]) for u, v in rows(c, "FLAGS EMAILID SAVEDATE RFC822.SIZE").items()}
	eq(set(now), set(by_subject))
	for s in now:
	    new_uid = s in ("wrongw", "wrongx", "edited")
	    eq(now[s][0] != by_subject[s][0], new_uid)
	    flags, was = (re.search(r"FLAGS \([^)]*\)", x[s][1])[0] for x in (now, by_subject))
	    eq(flags, was)
	    eq(re.search(r"EMAILID \(\S+\)", now[s][1])[0] == re.search(r"EMAILID \(\S+\)", by_subject[s][1])[0], s != "edited")
	    eq(re.search(r"SAVEDATE .*?\"", now[s][1])[0], re.search(r"SAVEDATE .*?\"", by_subject[s][1])[0])
	    a = c.ok(f"UID FETCH {now[s][0]} (RFC822.SIZE BODY.PEEK[])")
	    m = a.find(r"RFC822.SIZE (\d+) BODY\[\] \{(\d+)\}\r\n(.*)\)$")
	    eq(int(m[1]), int(m[2]))
	    eq(len(m[3]), int(m[1]))
	    eq(m[3].count("\n"), m[3].count("\r\n"))
	assert "more" in c.ok(f"UID FETCH {now['edited'][0]} BODY.PEEK[TEXT]").lines[0]
	for f in maildir_files():
	    data, name = open(f, "rb").read(), os.path.basename(f)
	    for letter, want in (("S", len(data)), ("W", len(data) + data.count(b"\n"))):
	        m = re.search(rf",{letter}=(\d+)", name)
	        assert m is None or int(m[1]) == want, name
	assert os.path.exists(f"{MAILDIR}/cur/1.right.h:2,S")
	eq(len(maildir_files()), 9)
	alive(c)
	eq(mox("fixmsgsize", "mox"), "0 message size(s) fixed for account mox\n")
	eq(select(c)[0], before[0])
	END
}

@test "fixmsgsize: what is kept as it was sent stays so; maildirsize" {
	live <<-'END'
	c = Imap()
	# Bare line feeds, among CRLF and alone.
	for m in (b"Subject: a\r\n\r\nx\ny\r\n", b"Subject: b\n\nx\n"):
	    eq(c.append("INBOX", m).status, "OK")
	with open(MAILDIR + "/maildirsize", "w") as f:
	    f.write("100000S\n5 5\n")
	select(c)
	was = c.ok("FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])").lines
	assert re.fullmatch(r"maildirsize set to \d+ bytes in 2 messages \(was \d+ in \d+\)\n0 message size\(s\) fixed for account mox\n", mox("fixmsgsize", "mox"))
	c.ok("NOOP")
	eq(c.ok("FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])").lines, was)
	size = sum(os.path.getsize(f) for f in maildir_files())
	eq(open(MAILDIR + "/maildirsize").read(), f"100000S\n{size} 2\n")
	END
}

@test "ensureparsed: damaged and missing records; reparse: wrong ones" {
	live <<-'END'
	c = Imap()
	for i in range(20):
	    c.append("INBOX", message(f"m{i:02}"))
	before = select(c)
	rows(c)
	eq(mox("ensureparsed", "mox"), "0 message(s) parsed for account mox\n")
	cache = glob.glob(MAILDIR + "/mox.cache.*")
	eq(len(cache), 1)
	data = bytearray(open(cache[0], "rb").read())
	for s in (b"m03", b"m17"):
	    data[data.index(b'"%s"' % s) + 1] = ord("X")
	open(cache[0], "wb").write(data)
	out = mox("ensureparsed", "mox")
	eq(out, "Inbox: 2 of 20 messages parsed\n2 message(s) parsed for account mox\n")
	alive(c)
	os.unlink(cache[0])
	assert mox("ensureparsed", "mox").endswith("20 message(s) parsed for account mox\n")
	alive(c)
	d = Imap()
	eq(select(d), before)
	eq([v[0] for v in rows(d).values()], [f"m{i:02}" for i in range(20)])
	# A good record that says something else than the file does.
	path = [f for f in maildir_files() if b"Subject: m05" in open(f, "rb").read()][0]
	text = open(path, "rb").read().replace(b"Subject: m05", b"Subject: Z05")
	open(path, "r+b").write(text)
	eq(rows(d)[6][0], "m05")
	out = mox("reparse", "mox")
	assert re.fullmatch(r"Inbox: 1 of 20 messages had no record, or another one\n20 message\(s\) reparsed for account mox in \d+ms\n", out), out
	alive(d)
	d.ok("NOOP")
	eq(rows(d)[6][0], "Z05")
	assert re.fullmatch(r"20 message\(s\) reparsed for account mox in \d+ms\n", mox("reparse"))
	eq(mox("ensureparsed", "-all", "mox"), "0 message(s) parsed for account mox\n")
	END
}

@test "reparse: the text index is made anew" {
	live <<-'END'
	c = Imap()
	for i in range(100):
	    c.append("INBOX", message(f"m{i}", f"some words and number{i:03}x\r\n"))
	select(c)
	for i in range(3):
	    assert c.ok("SEARCH BODY number042x").has(r"SEARCH 43$")
	wait_for(lambda: c.ok("NOOP") and c.ok("SEARCH BODY number042x") and glob.glob(MAILDIR + "/mox.text.[0-9]*"))
	path = [f for f in maildir_files() if b"number042x" in open(f, "rb").read()][0]
	text = open(path, "rb").read().replace(b"number042x", b"purple042x")
	open(path, "r+b").write(text)
	assert not c.ok("SEARCH BODY purple042x").has(r"SEARCH 43$")
	mox("reparse", "mox")
	assert glob.glob(MAILDIR + "/mox.text.[0-9]*")
	assert c.ok("SEARCH BODY purple042x").has(r"SEARCH 43$")
	d = Imap()
	select(d)
	assert d.ok("SEARCH BODY purple042x").has(r"SEARCH 43$")
	END
}

@test "recalculatemailboxcounts: totals of an index, and maildirsize" {
	begin_server
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/fill.py"
	c = Imap()
	for i in range(5):
	    c.append("INBOX", message(f"m{i}"), "(\\Seen)" if i else "")
	END
	py "$BATS_TEST_TMPDIR/fill.py"
	stop_background
	storectl fold Inbox >/dev/null
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/break.py"
	path = MAILDIR + "/mox.cdb"
	data = bytearray(open(path, "rb").read())
	head = data.index(HEAD)
	off = head + 6 * 8
	eq(struct.unpack_from("<III", data, off), (5, 1, 0))
	struct.pack_into("<II", data, off + 4, 4, 3)
	open(path, "wb").write(data)
	with open(MAILDIR + "/maildirsize", "w") as f:
	    f.write("100000S\n5 5\n")
	END
	py "$BATS_TEST_TMPDIR/break.py"
	start_server
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/test.py"
	c, d = Imap(), Imap()
	assert d.ok("STATUS INBOX (UNSEEN DELETED)").has(r"UNSEEN 4 DELETED 3")
	before = select(c)
	out = mox("recalculatemailboxcounts", "mox")
	assert re.search(r"^for Inbox setting new counts <5 messages, 0 deleted, 1 unseen, (\d+) bytes> \(was <5 messages, 3 deleted, 4 unseen, \1 bytes>\)$", out, re.M), out
	assert "maildirsize set to" in out
	alive(c)
	assert d.ok("STATUS INBOX (UNSEEN DELETED)").has(r"UNSEEN 1 DELETED 0")
	eq(select(c), before)
	eq(mox("recalculatemailboxcounts", "mox"), "counts are right for account mox\n")
	END
	py "$BATS_TEST_TMPDIR/test.py"
	stop_background
	clean
}

@test "reassignthreads: replies whose parents were not known" {
	live <<-'END'
	c = Imap()
	c.ok("CREATE Work")
	def thread(n, mailbox="INBOX"):
	    select(c, mailbox)
	    return c.ok(f"FETCH {n} THREADID").find(r"THREADID \((\S+)\)")[1]
	def lose():
	    for f in glob.glob(DIR + "/data/accounts/mox/threads.*"):
	        os.unlink(f)
	def add(mailbox, subject, mid, refs=None, date="01-Nov-2026 10:00:00 +0000"):
	    head = f"From: <a@x.org>\r\nSubject: {subject}\r\n" + (f"Message-Id: <{mid}@x.org>\r\n" if mid else "") + \
	        (f"References: <{refs}@x.org>\r\n" if refs else "")
	    eq(c.append(mailbox, head + "\r\nx\r\n", "", f'"{date}"').status, "OK")
	add("INBOX", "hello", "p")
	lose()
	add("Work", "Re: hello", "r", "p", "02-Nov-2026 10:00:00 +0000")
	lose()
	add("INBOX", "Re: hello", "s", None, "03-Nov-2026 10:00:00 +0000")
	add("INBOX", "other", None, None, "04-Nov-2026 10:00:00 +0000")
	apart = {thread(1), thread(1, "Work"), thread(2), thread(3)}
	eq(len(apart), 4)
	select(c)
	was = select(c)
	out = mox("reassignthreads", "mox")
	assert re.search(r"^Inbox: \d of 3 messages are in another thread$", out, re.M), out
	alive(c)
	c.ok("NOOP")
	eq(thread(1), thread(1, "Work"))
	eq(thread(1), thread(2))
	assert thread(3) != thread(1)
	eq(mox("reassignthreads", "mox"), "0 message(s) in another thread for account mox\n")
	# A reply that was faster than what it replies to, and one to it.
	add("Work", "Re: late", "l2", "l1", "05-Nov-2026 10:00:00 +0000")
	add("Work", "Re: late", "l3", "l2", "05-Nov-2026 11:00:00 +0000")
	add("INBOX", "late", "l1", None, "05-Nov-2026 12:00:00 +0000")
	mox("reassignthreads", "mox")
	eq({thread(4), thread(2, "Work")}, {thread(3, "Work")})
	# Deliveries know all of it now.
	add("Work", "Re: hello", "t", "r")
	eq(thread(4, "Work"), thread(1))
	d = Imap()
	select(d)
	eq(d.ok("FETCH 2 THREADID").find(r"THREADID \((\S+)\)")[1], thread(1))
	assert not glob.glob(DIR + "/data/accounts/mox/.threads*")
	END
}

@test "stopped between batches: what is done is done, status 111" {
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	storectl multi Inbox a b c >/dev/null
	mox-mailbox fixuidmeta mox >/dev/null
	prelude
	(cat "$BATS_TEST_TMPDIR/pre.py"; cat <<-'END') >"$BATS_TEST_TMPDIR/test.py"
	import fcntl, signal
	lock = open(MAILDIR + "/mox.lock", "r+b")
	fcntl.lockf(lock, fcntl.LOCK_EX, 1, 0)
	p = subprocess.Popen(["mox-mailbox", "reassignuids", "mox"], stderr=subprocess.PIPE)
	def waits():
	    fds = f"/proc/{p.pid}/fd"
	    return any(os.readlink(f"{fds}/{n}").endswith("/Maildir/mox.lock") for n in os.listdir(fds))
	wait_for(waits)
	p.send_signal(signal.SIGTERM)
	fcntl.lockf(lock, fcntl.LOCK_UN, 1, 0)
	err = p.stderr.read()
	eq(p.wait(), 111)
	assert b"what is done is done" in err, err
	END
	py "$BATS_TEST_TMPDIR/test.py"
	clean
}

@test "usage" {
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	run mox-mailbox
	[ "$status" = 2 ]
	run mox-mailbox nothing
	[ "$status" = 2 ]
	run mox reparse one two
	[ "$status" = 2 ]
	run mox help reassignuids
	[ "$status" = 0 ]
	[[ $output == 'usage: mox-mailbox reassignuids [options] account [mailbox]'* ]]
	run mox help
	[[ $output == *'mox fixmsgsize ...'* ]]
	run mox -config "$DIR/none.conf" reparse mox
	[ "$status" = 1 ]
}

@test "root acts as the owner of the data" {
	[ "$(id -u)" = 0 ] || skip "only root can become others"
	# The owner must be able to get there.
	OWNED=$(mktemp -d "${TMPDIR:-/tmp}/mox-owned.XXXXXX")
	chmod 755 "$OWNED"
	DIR=$OWNED/mox MOXCONF=$DIR/mox.conf
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	chown -R nobody "$DIR"
	mox reassignuids mox
	mox reassignthreads mox
	[ -z "$(find "$DIR/data/accounts" ! -user nobody)" ]
}

@test "killed now and then, while mail comes in and is changed" {
	start_server
	py "$BATS_TEST_DIRNAME/repair-storm.py" "${MOX_TEST_SEED:-$RANDOM}"
	stop_background
	mox-verifydata "$DIR/data"
}

# ---- killed anywhere ----

# All messages are there, and nothing is wrong with the data. ONCE=uniq: a
# message may be there twice.
ONCE=cat
whole() {
	local got
	mox-verifydata "$DIR/data" >"$BATS_TEST_TMPDIR/verify" ||
		{ echo "$1:"; cat "$BATS_TEST_TMPDIR/verify"; return 1; }
	got=$(listing | $ONCE)
	[ "$got" = "$EXPECTED" ] || { echo "$1: $got, not $EXPECTED"; return 1; }
}

# Flags, keywords and subjects.
listing() { joe list Inbox , list Work | sed '/^done/d; s/^[^ ]* //' | sort; }
joe() { "$MOX_T/bin/storectl" "$DIR/data" joe "$@"; }

killed() {
	local survived
	rm -rf "$DIR" && cp -a "$DIR.setup" "$DIR"
	faulty "$DIR/data" "${KILL[@]}" mox-mailbox "${COMMAND[@]}" \
		>/dev/null 2>&1
	survived=$?
	whole "after call $1" >&2 || exit 1
	((survived == 0)) && return 0
	mox-mailbox "${COMMAND[@]}" >/dev/null || exit 1
	[ "$(listing)" = "$EXPECTED" ] || { echo "again after $1" >&2; exit 1; }
	return 1
}

some_mail() {
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	rm -r "$DIR"/data/accounts/*
	joe create Work , multi Inbox a b c d , deliver Work "f" flagged kw , \
		store Inbox 2:3 + seen kw , store Inbox 4 + deleted , \
		expunge Inbox , list Inbox , list Work >/dev/null
	A=$DIR/data/accounts/joe M=$A/Maildir
}

# COMMAND... at each call.
kill_everywhere() {
	COMMAND=("$@")
	rm -rf "$DIR.setup" && cp -a "$DIR" "$DIR.setup"
	EXPECTED=$(listing)
	[ -n "$EXPECTED" ]
	kill_points "${WHEN:-before}" killed
}

@test "bumpuidvalidity, killed anywhere" {
	some_mail
	kill_everywhere bumpuidvalidity joe
}

@test "reassignuids, killed anywhere" {
	some_mail
	kill_everywhere reassignuids joe Inbox
	WHEN=half kill_everywhere reassignuids joe Inbox
}

@test "fixmsgsize, killed anywhere" {
	some_mail
	local a
	a=$(ls "$M"/cur/* | head -n1)
	mv "$a" "${a%,S=*},S=3,W=5:2,${a##*:2,}"
	printf 'Subject: wrong\n\nx\n' >"$M/tmp/1.wrong.h"
	mv "$M/tmp/1.wrong.h" "$M/cur/1.wrong.h,S=18,W=18:2,F"
	joe list Inbox >/dev/null
	ONCE=uniq kill_everywhere fixmsgsize joe
	run mox-mailbox fixmsgsize joe
	[ "$output" = '0 message size(s) fixed for account joe' ]
}

@test "reassignthreads, killed anywhere" {
	some_mail
	rm "$A"/threads.*
	kill_everywhere reassignthreads joe
}

@test "reparse, killed anywhere" {
	some_mail
	rm "$M"/mox.cache.*
	kill_everywhere reparse joe
}

# ---- power cuts ----

# Of a tree as a power cut left it: is each message of EXPECTED there?
after_power() {
	local got box sub
	for box in "" /.Work; do
		for sub in new cur; do
			touch -d @1000000000 "$1/accounts/joe/Maildir$box/$sub"
		done
	done
	got=$("$MOX_T/bin/storectl" "$1" joe list Inbox , list Work |
		sed '/^done/d; s/^[^ ]* //' | sort)
	[ "$($ONCE <<<"$got")" = "$EXPECTED" ] || { echo "$got"; return 1; }
}
export -f after_power

cut_power() {
	EXPECTED=$(listing)
	export EXPECTED ONCE
	powercut begin "$DIR/data" "$BATS_TEST_TMPDIR/trace"
	faulty "$DIR/data" FAULT_TRACE="$BATS_TEST_TMPDIR/trace" \
		mox-mailbox "$@" >/dev/null
	powercut check "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/work" \
		bash -c 'after_power "$0"'
}

@test "a power cut while UIDs are reassigned" {
	some_mail
	cut_power reassignuids joe Inbox
}

@test "a power cut while sizes are fixed" {
	some_mail
	printf 'Subject: wrong\n\nx\n' >"$M/tmp/1.wrong.h"
	mv "$M/tmp/1.wrong.h" "$M/cur/1.wrong.h,S=18,W=18:2,F"
	joe list Inbox >/dev/null
	ONCE=uniq cut_power fixmsgsize joe
}
