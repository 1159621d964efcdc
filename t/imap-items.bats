#!/usr/bin/env bats
# Items and modifiers of FETCH and STATUS that came after IMAP4rev1: ids, save
# date, previews, pages, UIDs only, batches.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "ids of messages, threads and mailboxes (RFC 8474)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" OBJECTID ")
	ID = r"([A-Za-z0-9_-]{1,255})"
	# 4: of mailboxes, told by CREATE, SELECT and STATUS, kept by RENAME.
	a = c.ok("CREATE foo")
	mailbox = re.match(rf"\[MAILBOXID \({ID}\)\] ", a.text)[1]
	other = re.match(rf"\[MAILBOXID \({ID}\)\] ", c.ok("CREATE bar").text)[1]
	assert mailbox != other
	eq(c.ok("SELECT foo").find(rf"^\* OK \[MAILBOXID \({ID}\)\]")[1], mailbox)
	eq(c.ok("STATUS foo (MAILBOXID)").lines, [f'* STATUS "foo" (MAILBOXID ({mailbox}))'])
	c.ok("RENAME foo renamed")
	assert c.ok("STATUS renamed (UIDNEXT MAILBOXID)").has(rf"\(UIDNEXT 1 MAILBOXID \({mailbox}\)\)$")
	assert c.ok('LIST "" bar RETURN (STATUS (MAILBOXID))').has(rf"MAILBOXID \({other}\)")
	# 5: the same message in two mailboxes, and moved; a reply in its thread.
	c.append("renamed", message("one"))
	c.append("renamed", message("one", extra="References: <one@example.org>\r\n").replace("Message-Id: <one", "Message-Id: <two"))
	c.append("renamed", message("three"))
	c.ok("SELECT renamed")
	a = c.ok("FETCH 1:3 (EMAILID THREADID)")
	got = [re.fullmatch(rf"\* (\d) FETCH \(EMAILID \({ID}\) THREADID \({ID}\)\)", l) for l in a.lines]
	emails, threads = [m[2] for m in got], [m[3] for m in got]
	eq(len(set(emails)), 3)
	assert threads[0] == threads[1] != threads[2], threads
	c.ok("COPY 1 bar")
	c.ok("MOVE 2 bar")
	c.ok("SELECT bar")
	a = c.ok("FETCH 1:2 (UID EMAILID THREADID)")
	eq(a.lines, [f"* {i} FETCH (UID {i} EMAILID ({emails[i - 1]}) THREADID ({threads[0]}))" for i in (1, 2)])
	eq(c.ok(f"UID SEARCH EMAILID {emails[1]}").lines, ["* SEARCH 2"])
	# A message that nobody has parsed has no thread yet.
	box = DIR + "/data/accounts/mox/Maildir/.foreign"
	for sub in ("/cur", "/new", "/tmp"):
	    os.makedirs(box + sub)
	with open(box + "/cur/1.a.host:2,", "w") as f:
	    f.write("Subject: x\n\nx\n")
	c.ok("SELECT foreign")
	assert c.ok("FETCH 1 (THREADID EMAILID)").has(rf"^\* 1 FETCH \(THREADID NIL EMAILID \({ID}\)\)$")
	c.ok("FETCH 1 ENVELOPE")
	assert c.ok("FETCH 1 (THREADID)").has(rf"THREADID \({ID}\)")
	c.bad("FETCH 1 (MAILBOXID)")
	c.bad("STATUS foreign (EMAILID)")
	EOF
}

@test "save date (RFC 8514)" {
	py <<-'EOF'
	from mailtest import *
	import time
	from datetime import datetime
	c = Imap()
	assert c.ok("CAPABILITY").has(" SAVEDATE ")
	c.ok("CREATE saved")
	c.ok("CREATE saved2")
	before = int(time.time())
	c.append("saved", message("old"), "", '"01-Jan-2020 00:00:00 +0000"')
	c.ok("SELECT saved")
	def date(answer):
	    m = answer.find(r'^\* 1 FETCH \(INTERNALDATE "([^"]*)" SAVEDATE "([^"]*)"\)$')
	    return m[1], int(datetime.strptime(m[2].strip(), "%d-%b-%Y %H:%M:%S %z").timestamp())
	internal, saved = date(c.ok("FETCH 1 (INTERNALDATE SAVEDATE)"))
	eq(internal, " 1-Jan-2020 00:00:00 +0000")
	assert before <= saved <= time.time() + 1, saved
	c.ok("COPY 1 saved2")
	c.ok("SELECT saved2")
	internal2, saved2 = date(c.ok("FETCH 1 (INTERNALDATE SAVEDATE)"))
	assert internal2 == internal and saved2 >= saved
	EOF
}

@test "previews (RFC 8970)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" PREVIEW ")
	c.ok("CREATE preview")
	c.append("preview", message("one", "Hi Dave,\r\nThis is the text.\r\n\r\nIt goes on.\r\n"))
	c.append("preview", message("long", "word " * 200))
	c.append("preview", message("html", "<p>Hello <b>there</b></p>\r\n", "Content-Type: text/html\r\n"))
	c.append("preview", message("image", "AAAA\r\n", "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"))
	c.append("preview", "Subject: utf8\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".encode() + "\xe4".encode() * 300)
	c.ok("SELECT preview")
	eq(c.ok("FETCH 1 (RFC822.SIZE PREVIEW)").lines[0].split(" PREVIEW ")[1], '"Hi Dave, This is the text. It goes on.")')
	long = re.search(r'PREVIEW "(.*)"\)$', c.ok("FETCH 2 PREVIEW").lines[0])[1]
	assert 190 < len(long) <= 200, long
	eq(c.ok("FETCH 3 (PREVIEW (LAZY))").lines, ['* 3 FETCH (PREVIEW "Hello there")'])
	eq(c.ok("FETCH 4 PREVIEW").lines, ['* 4 FETCH (PREVIEW "")'])
	m = re.search(r"PREVIEW \{(\d+)\}\r\n(.*)\)$", c.ok("FETCH 5 PREVIEW (LAZY)").lines[0], re.S)
	eq((int(m[1]), m[2].encode("latin-1").decode()), (400, "\xe4" * 200))
	assert not c.ok("FETCH 1 (FLAGS)").has("Seen")
	# Lazy ones are not made for it, others are.
	box = DIR + "/data/accounts/mox/Maildir/.lazy"
	for sub in ("/cur", "/new", "/tmp"):
	    os.makedirs(box + sub)
	with open(box + "/cur/1.a.host:2,", "w") as f:
	    f.write("Subject: x\n\nThe text\n")
	c.ok("SELECT lazy")
	eq(c.ok("FETCH 1 (PREVIEW (LAZY) UID)").lines, ["* 1 FETCH (UID 1 PREVIEW NIL)"])
	eq(c.ok("FETCH 1 (PREVIEW)").lines, ['* 1 FETCH (PREVIEW "The text")'])
	eq(c.ok("FETCH 1 (PREVIEW (LAZY) UID)").lines, ['* 1 FETCH (UID 1 PREVIEW "The text")'])
	eq(len(c.ok("FETCH 1 PREVIEW (CHANGEDSINCE 1)").lines[-1:]), 1)
	for wrong in ("PREVIEW (FOO)", "(PREVIEW (LAZY)", "(PREVIEW ())", "(PREVIEW (LAZY LAZY))"):
	    c.bad("FETCH 1 " + wrong)
	EOF
}

@test "pages of UID FETCH (RFC 9394, 3.4)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" PARTIAL ")
	c.ok("CREATE pages")
	for i in range(30):
	    c.append("pages", message(f"m{i}"))
	a = c.ok("SELECT pages (CONDSTORE)")
	high = int(a.find(r"HIGHESTMODSEQ (\d+)")[1])
	c.ok("UID STORE 3,13 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	c.ok("UID STORE 5:9,20 +FLAGS.SILENT (\\Seen)")
	def fetch(rest):
	    return [int(n) for n in re.findall(r"UID (\d+)", "\n".join(c.ok("UID FETCH " + rest).lines))]
	eq(fetch("1:* (UID) (PARTIAL 1:5)"), [1, 2, 4, 5, 6])
	eq(fetch("1:* (UID) (PARTIAL 10:12)"), [11, 12, 14])
	eq(fetch("1:* (UID) (PARTIAL 12:10)"), [11, 12, 14])
	eq(fetch("1:* (UID) (PARTIAL -1:-3)"), [28, 29, 30])
	eq(fetch("1:* (UID) (PARTIAL -3:-2)"), [28, 29])
	eq(fetch("2:4,10:15 (UID) (PARTIAL 2:4)"), [4, 10, 11])
	eq(fetch("2:4,10:15 (UID) (PARTIAL -4:-100)"), [2, 4, 10, 11])
	eq(fetch("1:4 (UID) (PARTIAL 4:9)"), [])
	eq(fetch("1:4 (UID) (PARTIAL 3:9)"), [4])
	eq(fetch("100:200 (UID) (PARTIAL 1:9)"), [])
	eq(fetch(f"1:* (UID) (PARTIAL 2:3 CHANGEDSINCE {high})"), [6, 7])
	eq(fetch(f"1:* (UID) (CHANGEDSINCE {high} PARTIAL -1:-2)"), [9, 20])
	for wrong in ("PARTIAL", "PARTIAL 1", "PARTIAL 0:1", "PARTIAL -1:1", "PARTIAL 1:-1", "PARTIAL 1:*", "PARTIAL -0:-1"):
	    c.bad(f"UID FETCH 1:* (UID) ({wrong})")
	c.bad("FETCH 1:* (UID) (PARTIAL 1:2)")
	EOF
}

@test "UIDs only (RFC 9586)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	assert c.ok("CAPABILITY").has(" UIDONLY ")
	c.ok("CREATE uids")
	c.ok("CREATE uids2")
	for i in range(9):
	    c.append("uids", message(f"m{i}"))
	a = c.ok("SELECT uids")
	high, validity = int(a.find(r"HIGHESTMODSEQ (\d+)")[1]), int(a.find(r"UIDVALIDITY (\d+)")[1])
	c.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	eq(c.ok("ENABLE UIDONLY").lines, ["* ENABLED UIDONLY"])
	# 3.2: commands with numbers
	for command in ("FETCH 1 FLAGS", "FETCH $ FLAGS", "STORE 1 +FLAGS (x)", "SEARCH ALL", "COPY 1 uids2", "MOVE 1 uids2",
	                "UID SEARCH 1:2", "UID SEARCH NOT 1", "UID SEARCH OR (SEEN 1:*) ALL"):
	    a = c.bad(command)
	    assert a.text.startswith("[UIDREQUIRED] "), (command, a)
	# 3.3: UIDFETCH, with a UID only if asked
	eq(c.ok("UID FETCH 3:4 (FLAGS)").lines, ["* 3 UIDFETCH (FLAGS ())", "* 4 UIDFETCH (FLAGS ())"])
	eq(c.ok("UID FETCH 3 (UID RFC822.SIZE)").lines[0][:24], "* 3 UIDFETCH (UID 3 RFC8")
	eq(c.ok("UID STORE 3 +FLAGS (\\Seen)").lines, ["* 3 UIDFETCH (FLAGS (\\Seen))"])
	assert c.ok("UID FETCH 4 (BODY[TEXT])").has(r"(?s)^\* 4 UIDFETCH \(BODY\[TEXT\] .* FLAGS \(\\Seen\)\)$")
	d.ok("SELECT uids")
	d.ok("UID STORE 5 +FLAGS.SILENT (\\Flagged)")
	eq(c.ok("NOOP").lines, ["* 5 UIDFETCH (FLAGS (\\Flagged))"])
	a = c.ok(f"UID STORE 5,6 (UNCHANGEDSINCE {high}) +FLAGS.SILENT (\\Seen)")
	assert a.text.startswith("[MODIFIED 5] "), a
	assert a.has(r"^\* 6 UIDFETCH \(MODSEQ \(\d+\)\)$"), a
	eq(c.ok("UID SEARCH UID 5:6").lines, ["* SEARCH 5 6"])
	# 3.4, 3.5: no UNSEEN; VANISHED in place of EXPUNGE
	d.append("uids", message("new"))
	a = c.ok("NOOP")
	eq(a.lines[0], "* 8 EXISTS")
	assert re.match(r"\* 10 UIDFETCH \(FLAGS \(\) MODSEQ", a.lines[1]), a
	d.ok("UID STORE 7:8 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	assert c.ok("NOOP").has(r"^\* VANISHED 7:8$")
	a = c.ok("UID MOVE 9 uids2")
	assert a.has(r"^\* OK \[COPYUID \d+ 9 1\]") and a.has(r"^\* VANISHED 9$") and not a.has("EXPUNGE"), a
	c.ok("UID COPY 3 uids2")
	a = c.ok("SELECT uids")
	assert not a.has("UNSEEN") and a.has(r"^\* 5 EXISTS"), a
	c.ok("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
	eq(c.ok("EXPUNGE").lines, ["* VANISHED 3"])
	c.ok("ENABLE QRESYNC")
	a = c.bad(f"SELECT uids (QRESYNC ({validity} {high} 1:9 (1 1)))")
	assert a.text.startswith("[UIDREQUIRED] "), a
	a = c.ok(f"SELECT uids (QRESYNC ({validity} {high} 1:9))")
	assert a.has(r"^\* VANISHED \(EARLIER\) 1:3,7:9$") and a.has(r"^\* 5 UIDFETCH \(FLAGS \(\\Flagged\) MODSEQ"), a
	EOF
}

@test "batches of UIDs (RFC 10022)" {
	py <<-'EOF'
	from mailtest import *
	box = DIR + "/data/accounts/mox/Maildir/.batches"
	for sub in ("/cur", "/new", "/tmp"):
	    os.makedirs(box + sub)
	for i in range(1, 1701):
	    with open(f"{box}/cur/{1700000000 + i}.M{i}.test:2,", "w") as f:
	        f.write("Subject: x\n\nx\n")
	c = Imap()
	assert c.ok("CAPABILITY").has(" UIDBATCHES ")
	c.no("UIDBATCHES 500")
	c.ok("SELECT batches")
	def batches(rest):
	    c.begin("UIDBATCHES " + rest)
	    a = c.end()
	    eq(a.status, "OK")
	    m = re.fullmatch(r'\* UIDBATCHES \(TAG "%s"\)(?: ([0-9:,]+))?' % c.tag, a.lines[0])
	    assert m, a
	    return m[1]
	eq(batches("500"), "1700:1201,1200:701,700:201,200:1")
	eq(batches("2000"), "1700:1")
	eq(batches("500 2:3"), "1200:701,700:201")
	eq(batches("500 1:1"), "1700:1201")
	eq(batches("500 4:9"), "200:1")
	eq(batches("500 5:9"), None)
	eq(batches("4294967295 1:4294967295"), "1700:1")
	eq(batches("4294967295 4294967295:4294967295"), None)
	# UIDs that are gone belong to the older neighbour; 1 is always in the last.
	c.ok("UID STORE 1:100,1190:1210,1700 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	eq(batches("500"), "1699:1179,1178:679,678:179,178:1")
	got = [tuple(map(int, r.split(":"))) for r in batches("500").split(",")]
	eq([len(c.ok(f"UID FETCH {low}:{high} (UID)").lines) for high, low in got], [500, 500, 500, 78])
	c.ok("CREATE nothing")
	c.ok("SELECT nothing")
	eq(batches("500"), None)
	assert c.no("UIDBATCHES 499").text.startswith("[TOOFEW] ")
	assert c.bad("UIDBATCHES 500 3:2").text.startswith("[CLIENTBUG] ")
	for wrong in ("", " ", "x", "500 1", "500 1:", "500 0:1", "500 1:*", "500 1:2 3", "-1"):
	    c.bad("UIDBATCHES " + wrong)
	EOF
}

@test "COPY, MOVE and the first SELECT of many tell how far they are, and can be stopped (RFC 9585)" {
	IP=$(own_ip) DIR=$BATS_TEST_TMPDIR/many
	export MOX_FAKE_TIME=$DIR/data/tmp/now # the session may read it
	start_server -loglevel debug
	failed=0
	py <<-'EOF' || failed=1
	from mailtest import *
	c = Imap()
	c.ok("CREATE there")
	box = DIR + "/data/accounts/mox/Maildir/.many"
	for sub in ("/cur", "/new", "/tmp"):
	    os.makedirs(box + sub)
	n = 20000
	for i in range(n):
	    with open(f"{box}/cur/{2000000000 + i}.x.y:2,S", "w") as f:
	        f.write(f"Subject: {i}\n\nx\n")
	def told(a):
	    got = [tuple(map(int, m)) for m in re.findall(rf'\* OK \[INPROGRESS \("{c.tag}" (\d+) (\d+)\)\] ', "\n".join(a.lines))]
	    assert got and all(0 <= d <= total == n for d, total in got), a.lines[:9]
	    eq(got, sorted(got))
	with PassingTime():
	    told(c.ok("SELECT many"))
	    a = c.ok("COPY 1:* there")
	    told(a)
	    assert re.match(rf"\[COPYUID \d+ 1:{n} 1:{n}\]", a.text), a.text
	    # The client goes: nothing was copied.
	    log = os.environ["BATS_TEST_TMPDIR"] + "/server.log"
	    d = Imap()
	    d.ok("SELECT many")
	    d.begin("COPY 1:* there")
	    d.close()
	    wait_for(lambda: b"command given up" in open(log, "rb").read())
	    assert c.ok("STATUS there (MESSAGES)").has(rf"MESSAGES {n}\)")
	    a = c.ok("MOVE 1:* there")
	    told(a)
	    eq(len([l for l in a.lines if l.endswith(" EXPUNGE")]), n)
	    assert c.ok("STATUS there (MESSAGES)").has(rf"MESSAGES {2 * n}\)")
	EOF
	stop_server
	[ $failed = 0 ]
}

@test "pieces of BINARY are cut from what the part decodes to (RFC 3516, 4.2)" {
	py <<-'EOT'
	import base64, quopri, random
	from mailtest import *
	rand = random.Random(7)
	data = rand.randbytes(700000)
	text = "".join(rand.choice("abc=\t äß") for _ in range(90000)).encode() + b"\nend of it\n" * 9000
	plain = b"a line of text\r\n" * 12000
	def part(encoding, body):
	    return (b"--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n" % (encoding, body))
	coded = base64.encodebytes(data).replace(b"\n", b"\r\n")[:-2]
	odd = b"\r\n \r\n".join(base64.b64encode(data)[i:i + 999] for i in range(0, 950000, 999))
	quoted = quopri.encodestring(text).replace(b"\n", b"\r\n")
	parts = [(b"base64", coded, data), (b"base64", odd, data), (b"quoted-printable", quoted, text.replace(b"\n", b"\r\n") + b""),
	         (b"8bit", plain, plain)]
	m = (b"From: <a@example.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	     b"".join(part(e, body) for e, body, _ in parts) + b"--b--\r\n")
	c, d = Imap(), Imap()
	c.ok("CREATE pieces")
	assert c.append("pieces", m).status == "OK"
	# Kept as it came, since it has a bare CR.
	assert c.append("pieces", m.replace(b"From:", b"X: \r.\r\nFrom:")).status == "OK"
	for x in c, d:
	    x.ok("SELECT pieces")
	def get(c, message, n, offset, length):
	    line = c.ok(f"FETCH {message} BINARY.PEEK[{n}]<{offset}.{length}>").lines[0]
	    size, got = re.fullmatch(rf"\* {message} FETCH \(BINARY\[{n}\] ~?\{{(\d+)\}}\r\n(.*)\)", line, re.S).groups()
	    got = got.encode("latin-1")
	    assert len(got) == int(size) and ("~{" in line[:40]) == (b"\0" in got), line[:60]
	    return got
	for message in 1, 2:
	    for n, (_, _, want) in enumerate(parts, 1):
	        whole = get(c, message, n, 0, 1 << 20)
	        assert whole == want, (message, n, len(whole), len(want))
	        for step in 65536, 1000003, 7777 * 11:
	            assert b"".join(get(c, message, n, i, step) for i in range(0, len(want), step)) == want, (message, n, step)
	        eq(get(c, message, n, len(want), 10), b"")
	        eq(get(c, message, n, len(want) + 100000, 10), b"")
	    # Here and there, of one part and another.
	    for _ in range(150):
	        n = rand.randrange(len(parts))
	        want, offset = parts[n][2], rand.randrange(710000)
	        length = rand.choice((1, 100, 70000, 2 << 20))
	        assert get(d, message, n + 1, offset, length) == want[offset:offset + length], (message, n, offset, length)
	EOT
}

@test "RFC822.SIZE of files that others put there is counted when asked for" {
	DIR=$BATS_TEST_TMPDIR/sizes IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	start_server
	py <<-'EOF'
	import os
	from mailtest import *
	c, d = Imap(), Imap()
	def files(box):
	    c.ok("CREATE " + box)
	    path = DIR + "/data/accounts/mox/Maildir/." + box
	    for i, text in enumerate((b"a: b\n\n1\n", b"a: b\r\n\r\n", b"a: b\n\n" + b"x\n" * 90, b"", b"a: b\r\n\n")):
	        open(f"{path}/cur/{i + 1}.a.host:2,{'T' if i == 2 else 'S'}", "wb").write(text)
	    log = lambda: open(path + "/mox.log").read()
	    return lambda: len(re.findall(r"^s ", log(), re.M))
	sizes = [11, 8, 278, 0, 8]

	n = files("A")
	c.ok("SELECT A")
	c.ok("FETCH 1:* (UID FLAGS INTERNALDATE EMAILID)")
	eq(n(), 0)
	def told(c, seqs="1:*"):
	    return [int(s) for s in re.findall(r"RFC822.SIZE (\d+)", "\n".join(c.ok(f"FETCH {seqs} RFC822.SIZE").lines))]
	eq(told(c, 3), [278])
	eq(n(), 1)
	eq(told(c), sizes)
	eq(n(), 4)
	d.ok("SELECT A")
	eq(told(d), sizes)
	eq(n(), 4)

	for box, ask, answer in (
	        ("B", "SEARCH LARGER 10", r"^\* SEARCH 1 3$"),
	        ("C", "SEARCH SMALLER 11", r"^\* SEARCH 2 4 5$"),
	        ("D", "SORT (REVERSE SIZE) UTF-8 ALL", r"^\* SORT 3 1 2 5 4$"),
	        ("E", "SEARCH NOT LARGER 8 SEEN", r"^\* SEARCH 2 4 5$")):
	    n = files(box)
	    c.ok("SELECT " + box)
	    assert c.ok(ask).has(answer), (box, c)
	    eq(told(c), sizes)
	    eq(n(), 4)
	n = files("F")
	assert c.ok("STATUS F (MESSAGES UNSEEN)").has("MESSAGES 5")
	eq(n(), 0)
	assert c.ok("STATUS F (SIZE DELETED-STORAGE)").has(r"SIZE 305 DELETED-STORAGE 278")
	eq(n(), 4)
	n = files("G")
	c.ok("SELECT G")
	assert c.ok("FETCH 3 BODY.PEEK[]<0.12>").has("BODY")
	a = c.ok("FETCH 1:* (ENVELOPE RFC822.SIZE)")
	eq([int(s) for s in re.findall(r"RFC822.SIZE (\d+)", "\n".join(a.lines))], sizes)
	# A copy is as large, measured or not.
	n = files("H")
	c.ok("SELECT H")
	c.ok("CREATE I")
	c.ok("COPY 1:* I")
	eq(n(), 0)
	c.ok("SELECT I")
	eq(told(c), sizes)
	EOF
	stop_server
	mox-verifydata "$DIR/data"
}
