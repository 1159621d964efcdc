#!/usr/bin/env bats
# SEARCH, SORT and THREAD with their extensions, after the examples of the RFCs.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "WITHIN (RFC 5032)" {
	py <<-'EOF'
	from mailtest import *
	from time import gmtime, strftime, time
	c = Imap()
	assert c.ok("CAPABILITY").has(r" WITHIN\b")
	c.ok("CREATE within")
	now = time()
	for age in (10, 86400 + 60, 3 * 86400 + 60):
	    c.append("within", message(f"m{age}"), "", strftime('"%d-%b-%Y %H:%M:%S +0000"', gmtime(now - age)))
	c.ok("SELECT within")
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	eq(s("UNSEEN YOUNGER 259200"), [1, 2])
	eq(s("OLDER 86400"), [2, 3])
	eq(s("OLDER 86400 YOUNGER 259200"), [2])
	eq(s("YOUNGER 4294967295"), [1, 2, 3])
	eq(s("NOT OLDER 4294967295"), [1, 2, 3])
	for q in ("YOUNGER", "YOUNGER 0", "OLDER x", "OLDER -1", "OLDER 4294967296"):
	    c.bad("SEARCH " + q)
	EOF
}

@test "save dates (RFC 8514)" {
	py <<-'EOF'
	from mailtest import *
	from datetime import datetime, timedelta, timezone
	c = Imap()
	c.ok("CREATE saved")
	c.append("saved", message("old"), "", '"01-Jan-2020 00:00:00 +0000"')
	c.ok("SELECT saved")
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	day = lambda n: (datetime.now(timezone.utc) + timedelta(n)).strftime("%d-%b-%Y")
	eq(s("SINCE " + day(-2)), [])
	eq(s("SAVEDSINCE " + day(-2)), [1])
	eq(s("SAVEDBEFORE " + day(-2)), [])
	eq(s("SAVEDBEFORE " + day(2)), [1])
	eq(s(f"OR SAVEDON {day(0)} SAVEDON {day(-1)}"), [1])
	eq(s("SAVEDON 28-Dec-2014"), [])
	eq(s("SAVEDATESUPPORTED"), [1])
	for q in ("SAVEDON", "SAVEDBEFORE 1", "SAVEDSINCE 30-Feb-2020", "SAVEDATESUPPORTED x"):
	    c.bad("SEARCH " + q)
	EOF
}

@test "EMAILID and THREADID (RFC 8474)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE ids")
	c.append("ids", message("one"))
	c.append("ids", message("Re: one", extra="References: <one@example.org>\r\n"))
	c.append("ids", message("three"))
	c.ok("SELECT ids")
	ids = [re.search(r"R.{12}E(.{20})\.", f)[1] for f in maildir_files(".ids")]
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	found = [s("EMAILID " + i) for i in ids]
	eq(sorted(found), [[1], [2], [3]])
	c.ok("CREATE idscopy")
	c.ok("COPY 2 idscopy")
	log = open(DIR + "/data/accounts/mox/Maildir/.ids/mox.log").read()
	threads = re.findall(r"^a (?:\S+ ){6}\S+ (\S+) ", log, re.M)
	eq(len(threads), 3)
	hexid = [f"T{int(t):016x}" for t in threads]
	eq(s("THREADID " + hexid[0]), [1, 2])
	eq(s("THREADID " + hexid[2]), [3])
	eq(s("THREADID T0000000000000000"), [])
	eq(s("THREADID nothing-of_ours"), [])
	eq(s("EMAILID M1"), [])
	c.ok("SELECT idscopy")
	eq(s("EMAILID " + ids[found.index([2])]), [1])
	for q in ("EMAILID", 'EMAILID "a"', "EMAILID (a)", "THREADID", "THREADID " + "a" * 256):
	    c.bad("SEARCH " + q)
	EOF
}

@test "a long search tells its progress, and ends with its client (RFC 9585)" {
	IP=$(own_ip) DIR=$BATS_TEST_TMPDIR/long
	export MOX_FAKE_TIME=$DIR/data/tmp/now # the session may read it
	start_server -loglevel debug
	failed=0
	py <<-'EOF' || failed=1
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(r" INPROGRESS\b")
	c.ok("CREATE long")
	for i in range(3000):
	    with open(f"{DIR}/data/accounts/mox/Maildir/.long/cur/{2000000000 + i}.x.y:2,S", "w") as f:
	        f.write(f"Subject: {i}\n\nnothing to be found in here\n")
	c.ok("SELECT long")
	assert c.ok("SEARCH SEEN").has(r"SEARCH 1 2 .* 3000$")
	with PassingTime():
	    a = c.ok("SEARCH" + " NOT TEXT ~" * 20 + " TEXT ~")
	    # One that has gone is not searched for to the end.
	    d = Imap()
	    d.ok("SELECT long")
	    d.begin("SEARCH " + "NOT TEXT ~ " * 400 + "ALL")
	    d.close()
	    log = os.environ["BATS_TEST_TMPDIR"] + "/server.log"
	    wait_for(lambda: b"command given up" in open(log, "rb").read())
	told = [l for l in a.lines if "INPROGRESS" in l]
	assert told, a
	m = re.match(rf'^\* OK \[INPROGRESS \("t\d+" (\d+) 3000\)\] ', told[0])
	assert m and 0 < int(m[1]) < 3000, told
	eq(a.lines[-1], "* SEARCH")
	EOF
	stop_server
	[ $failed = 0 ]
}

@test "SORT (RFC 5256), by what is shown (RFC 5957)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	a = c.ok("CAPABILITY")
	for word in ("SORT", "SORT=DISPLAY", "ESORT", "I18NLEVEL=1"):
	    assert a.has(rf" {word}( |$)"), word
	c.ok("CREATE sort")
	def add(n, subject, from_, to, cc, day, arrived, size):
	    c.append("sort", f"From: {from_}\r\nTo: {to}\r\n" + (f"Cc: {cc}\r\n" if cc else "") +
	        f"Subject: {subject}\r\nDate: {day} 2020 00:00:00 +0000\r\n\r\n" + "x" * size, "",
	        f'"{arrived:02d}-Feb-2020 00:00:00 +0000"')
	add(1, "bravo", "Zoe <anna@x.org>", "b@x.org", "", "Wed, 1 Jan", 5, 30)
	add(2, "Re: Alpha", "<zoe@x.org>", "Xaver <c@x.org>", "q@x.org", "Fri, 3 Jan", 4, 20)
	add(3, "[list] alpha (fwd)", "=?utf-8?q?=C3=84nne?= <Bert@x.org>", "a@x.org", "P@x.org", "Thu, 2 Jan", 3, 10)
	add(4, "_under", "friends: a@x.org;", "undisclosed: ;", "", "Thu, 2 Jan", 2, 0)
	add(5, "", "nobody", "a@x.org", "o@x.org", "never", 1, 50)
	c.ok("SELECT sort")
	def s(key, q="ALL"):
	    return [int(n) for n in c.ok(f"SORT ({key}) UTF-8 {q}").find(r"^\* SORT(.*)")[1].split()]
	eq(s("ARRIVAL"), [5, 4, 3, 2, 1])
	eq(s("REVERSE ARRIVAL"), [1, 2, 3, 4, 5])
	eq(s("DATE"), [1, 3, 4, 2, 5])          # 5 has none: arrival
	eq(s("REVERSE DATE"), [5, 2, 3, 4, 1])  # equal ones stay in order
	eq(s("SIZE", "1:4"), sorted([1, 2, 3, 4], key=lambda n: int(c.ok(f"FETCH {n} RFC822.SIZE").find(r"SIZE (\d+)")[1])))
	eq(s("SUBJECT"), [5, 2, 3, 1, 4])
	eq(s("SUBJECT REVERSE DATE"), [5, 2, 3, 1, 4])
	eq(s("SUBJECT DATE"), [5, 3, 2, 1, 4])
	eq(s("REVERSE SUBJECT"), [4, 1, 2, 3, 5])
	eq(s("FROM", "1:3"), [1, 3, 2])
	eq(s("TO", "1:3"), [3, 1, 2])
	eq(s("CC"), [1, 4, 5, 3, 2])
	eq(s("DISPLAYFROM", "1:3"), [3, 1, 2])
	eq(s("REVERSE DISPLAYTO", "1:3"), [2, 1, 3])
	eq(c.ok('SORT (SUBJECT) US-ASCII TEXT "not in mailbox"').lines, ["* SORT"])
	c.ok("STORE 1 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	eq(c.ok("UID SORT (REVERSE ARRIVAL) utf-8 ALL").lines, ["* SORT 2 3 4 5"])
	a = c.ok("SORT (ARRIVAL) UTF-8 MODSEQ 1")
	assert a.has(r"^\* SORT 4 3 2 1 \(MODSEQ \d+\)$"), a
	assert "BADCHARSET" in c.no("SORT (DATE) KOI8-R ALL").text
	for q in ("(DATE)", "(DATE) UTF-8", "() UTF-8 ALL", "(FOO) UTF-8 ALL", "(REVERSE) UTF-8 ALL", "DATE UTF-8 ALL",
	          "(" + "DATE " * 20 + "DATE) UTF-8 ALL", "(DATE) UTF-8 FOO", "(REVERSE REVERSE DATE) UTF-8 ALL"):
	    c.bad("SORT " + q)
	c.ok("CLOSE")
	c.no("SORT (DATE) UTF-8 ALL")
	EOF
}

@test "ESORT (RFC 5267) and PARTIAL (RFC 9394)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE esort")
	for i in range(6):
	    c.append("esort", message(f"m{5 - i}"), "(\\Seen)" if i == 2 else "")
	c.ok("SELECT esort")
	c.ok("STORE 1 +FLAGS.SILENT \\Deleted")
	c.ok("EXPUNGE")
	c.ok("STORE 5 +FLAGS.SILENT \\Flagged")
	def e(command):
	    a = c.ok(command)
	    eq(len(a.lines), 1)
	    m = re.match(rf'^\* ESEARCH \(TAG "{c.tag}"\)(.*)$', a.lines[0])
	    assert m, a
	    return m[1]
	eq(e("UID SORT RETURN () (SUBJECT) UTF-8 UNDELETED UNKEYWORD $Junk"), " UID ALL 6,5,4,3,2")
	eq(e("SORT RETURN (COUNT MIN MAX) (SUBJECT) UTF-8 ALL"), " MIN 5 MAX 1 COUNT 5")
	eq(e("UID SORT RETURN (PARTIAL 2:3 COUNT) (SUBJECT) UTF-8 ALL"), " UID PARTIAL (2:3 5,4) COUNT 5")
	eq(e("UID SORT RETURN (PARTIAL -1:-2) (SUBJECT) UTF-8 ALL"), " UID PARTIAL (-1:-2 3,2)")
	eq(e("UID SEARCH RETURN (PARTIAL 1:3) ALL"), " UID PARTIAL (1:3 2:4)")
	eq(e("UID SEARCH RETURN (PARTIAL 4:9) ALL"), " UID PARTIAL (4:9 5:6)")
	eq(e("UID SEARCH RETURN (PARTIAL 6:10) ALL"), " UID PARTIAL (6:10 NIL)")
	eq(e("UID SEARCH RETURN (PARTIAL 3:1) ALL"), " UID PARTIAL (3:1 2:4)")
	eq(e("UID SEARCH RETURN (PARTIAL -1:-2) ALL"), " UID PARTIAL (-1:-2 5:6)")
	eq(e("UID SEARCH RETURN (PARTIAL -5:-100) ALL"), " UID PARTIAL (-5:-100 2)")
	eq(e("UID SEARCH RETURN (PARTIAL -1:-2) NOT ALL"), " UID PARTIAL (-1:-2 NIL)")
	eq(e("UID SEARCH RETURN (PARTIAL 1:1 MIN MAX COUNT) UNSEEN"), " UID MIN 2 MAX 6 PARTIAL (1:1 2) COUNT 4")
	eq(e("SEARCH RETURN (PARTIAL 1:2) SEEN"), " PARTIAL (1:2 2)")
	one = int(c.ok("FETCH 1 MODSEQ").find(r"MODSEQ \((\d+)\)")[1])
	eq(e("SEARCH RETURN (PARTIAL 1:1) MODSEQ 1"), f" PARTIAL (1:1 1) MODSEQ {one}")
	def saved(options):
	    c.ok(f"UID SEARCH RETURN (SAVE {options}) ALL")
	    return [int(re.search(r"UID (\d+)", l)[1]) for l in c.ok("UID FETCH $ FLAGS").lines]
	eq(saved("PARTIAL 2:3"), [3, 4])
	eq(saved("PARTIAL 2:3 MAX"), [3, 4, 6])
	eq(saved("PARTIAL 2:3 COUNT"), [2, 3, 4, 5, 6])
	eq(saved("PARTIAL 7:9 MIN"), [2])
	eq(saved("MIN MAX"), [2, 6])
	for o in ("PARTIAL 1:2 ALL", "ALL PARTIAL 1:2", "PARTIAL 1:2 PARTIAL 3:4", "PARTIAL", "PARTIAL 1", "PARTIAL 0:1",
	          "PARTIAL 1:-1", "PARTIAL -1:1", "PARTIAL 1:*", "PARTIAL a:b", "ALL ALL"):
	    c.bad(f"SEARCH RETURN ({o}) ALL")
	    c.bad(f"SORT RETURN ({o}) (DATE) UTF-8 ALL")
	EOF
}

@test "THREAD (RFC 5256)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	a = c.ok("CAPABILITY")
	for word in ("ORDEREDSUBJECT", "REFERENCES", "REFS"):
	    assert a.has(rf" THREAD={word}( |$)"), word
	c.ok("CREATE thread")
	def add(n, subject, refs="", head="References", date=None):
	    c.append("thread", f"Message-Id: <{n}@x.org>\r\nSubject: {subject}\r\n" +
	        (f"{head}: {refs}\r\n" if refs else "") + f"Date: {date or n} Jan 2020 00:00:00 +0000\r\n\r\nx\r\n",
	        "", f'"{n:02d}-Mar-2020 00:00:00 +0000"')
	add(1, "start")
	add(2, "Re: start", "<1@x.org>")
	add(3, "other")
	add(4, "Re: start", "<1@x.org> <2@x.org>")
	add(5, "Fwd: other")
	add(6, "new subject", "<1@x.org> (yours)", "In-Reply-To")
	add(7, "start", date=31)
	c.ok("SELECT thread")
	def t(command):
	    return c.ok(command).find(r"^\* THREAD ?(.*)$")[1]
	eq(t("THREAD REFERENCES UTF-8 ALL"), "((1 (2 4)(6))(7))(3 5)")
	eq(t("THREAD REFS UTF-8 ALL"), "(3)(5)(1 (2 4)(6))(7)")
	eq(t("THREAD ORDEREDSUBJECT UTF-8 ALL"), "(1 (2)(4)(7))(3 5)(6)")
	eq(t("THREAD REFERENCES US-ASCII 2:6"), "((2 4)(6))(3 5)")
	eq(t('THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"'), "")
	eq(c.ok("THREAD REFERENCES UTF-8 NOT ALL").lines, ["* THREAD"])
	c.ok("STORE 1 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	eq(t("UID THREAD REFERENCES UTF-8 UID 2:6"), "((2 4)(6))(3 5)")
	eq(t("THREAD REFS UTF-8 ALL"), "(2)(4)((1 3)(5))(6)")
	assert "BADCHARSET" in c.no("THREAD REFS KOI8-R ALL").text
	for q in ("", " REFS", " REFS UTF-8", " FOO UTF-8 ALL", " REFERENCES UTF-8 FOO", " REFERENCES ALL"):
	    assert c.cmd("THREAD" + q).status in ("BAD", "NO"), q
	EOF
}

@test "an index of texts finds the same as reading does, and mends itself" {
	py <<-'EOF'
	from mailtest import *
	import glob, random
	r = random.Random(5)
	c = Imap()
	c.ok("CREATE text")
	folder = DIR + "/data/accounts/mox/Maildir/.text"
	words = ["Apfel", "apple", "Äpfel", "pear", "peach", "grape", "grapefruit", "plum", "plumage", "re", "e", "日本語"]
	texts = []
	def add(n, mark):
	    for i in range(n):
	        subject, body = r.choice(words), " ".join(r.choice(words) for _ in range(r.randrange(12)))
	        texts.append((subject, body))
	        with open(f"{folder}/new/{1000000000 + len(texts)}.{len(texts)}.x", "w") as f:
	            f.write(f"Subject: {subject}\nX-Mark: {mark}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n")
	def s(q):
	    a = c.ok(f"SEARCH CHARSET UTF-8 {q}".encode())
	    return [int(n) for n in a.find(r"^\* SEARCH(.*)")[1].split()]
	def fold(t):
	    return t.lower().replace("ä", "a\u0308")
	def check():
	    for q in ("apple", "äpf", "APF", "ap", "grape", "pefru", "um", "r p", "e", "日本", "本", "plumage plum", "none at all"):
	        lit = q.encode()
	        literal = b"{%d+}\r\n" % len(lit) + lit
	        for key, text in ((b"BODY ", lambda t: [t[1]]), (b"TEXT ", lambda t: [t[1], "Subject: " + t[0], "X-Mark: one"[:8]])):
	            a = c.ok(b"SEARCH CHARSET UTF-8 " + key + literal)
	            got = [int(n) for n in a.find(r"^\* SEARCH(.*)")[1].split()]
	            want = [i + 1 for i, t in enumerate(texts) if any(fold(q) in fold(x + "\r\n") for x in text(t))]
	            if key == b"TEXT " and q in ("ap", "um", "e", "r p"):
	                assert set(want) <= set(got)     # other fields have it, too
	            else:
	                eq((q, got), (q, want))
	    eq(s("NOT BODY apple"), [i + 1 for i, t in enumerate(texts) if "apple" not in t[1]])
	    eq(s("OR BODY apple BODY pear"), [i + 1 for i, t in enumerate(texts) if "apple" in t[1] or "pear" in t[1]])
	def seen():
	    # What other programs deliver is looked for now and then.
	    wait_for(lambda: c.ok("NOOP") and s("ALL") == list(range(1, len(texts) + 1)))
	segments = lambda: sorted(glob.glob(folder + "/mox.text.[0-9]*"))
	add(60, "one")
	c.ok("SELECT text")
	check()
	eq(segments(), [])                                  # few are read
	add(60, "two")
	seen()
	check()
	eq([os.path.basename(f) for f in segments()], ["mox.text.1-120"])
	add(10, "three")
	seen()
	check()
	eq(len(segments()), 1)
	eq(s("HEADER X-Mark two"), list(range(61, 121)))
	eq(s("HEADER X-Mark e"), list(range(1, 61)) + list(range(121, 131)))
	eq(s('HEADER X-Mark ""'), list(range(1, 131)))
	eq(s('HEADER X-None ""'), [])
	eq(s('HEADER X-Mark two BODY grape'), [i for i in range(61, 121) if "grape" in texts[i - 1][1]])
	# Kept up while the session waits.
	add(200, "four")
	c.begin("IDLE")
	c.line()
	wait_for(lambda: any(f.endswith("-330") for f in segments()))
	c.send("DONE\r\n")
	c.end()
	check()
	# Damaged: noticed, made anew, and right all the time.
	for f in segments():
	    with open(f, "r+b") as g:
	        g.seek(os.path.getsize(f) // 2)
	        g.write(b"\0" * 100)
	check()
	check()
	assert segments()
	log = open(DIR + "/../server.log").read()
	assert "text index is damaged" in log
	# Expunged ones are not found, others move up.
	c.ok("STORE 1:100 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	del texts[:100]
	check()
	EOF
}

@test "texts in charsets of several bytes, however they came" {
	py <<-'EOF'
	from mailtest import *
	import base64, smtplib
	c = Imap()
	for charset, word in (("iso-2022-jp", "日本語"), ("shift_jis", "日本語"), ("euc-jp", "日本語"), ("gb18030", "简体"),
	                      ("big5", "繁體"), ("euc-kr", "한국어"), ("utf-16", "Ψωμί")):
	    box = "charset-" + charset
	    c.ok(f"CREATE {box}")
	    m = message(f"=?{charset}?B?{base64.b64encode(word.encode(charset)).decode()}?=",
	                base64.encodebytes(f"{word} body".encode(charset)).decode().replace("\n", "\r\n"),
	                f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n")
	    c.append(box, m)
	    with smtplib.SMTP(IP, 1025) as s:                            # parsed in a front
	        s.sendmail("a@example.org", [USER], m)
	    wait_for(lambda: c.ok("STATUS INBOX (MESSAGES)").has(r"MESSAGES 1\b"))
	    c.ok("SELECT INBOX")
	    c.ok(f"MOVE 1 {box}")
	    with smtplib.SMTP(IP, 1587) as s:                            # parsed by mox-local
	        s.starttls()
	        s.login(USER, PASSWORD)
	        s.sendmail(USER, [USER], m.replace("<a@example.org>", f"<{USER}>", 1))
	    wait_for(lambda: c.ok("STATUS INBOX (MESSAGES)").has(r"MESSAGES 1\b"))
	    c.ok(f"MOVE 1 {box}")
	    c.ok(f"SELECT {box}")
	    for key in "SUBJECT", "BODY":
	        eq((charset, key, c.ok(f'SEARCH CHARSET UTF-8 {key} "{word}"'.encode()).lines), (charset, key, ["* SEARCH 1 2 3"]))
	    for line in c.ok("FETCH 1:3 PREVIEW").lines:
	        assert f"{word} body" in line.encode("latin-1").decode(), (charset, line)
	EOF
}

@test "FUZZY (RFC 6203)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(r" SEARCH=FUZZY( |$)")
	c.ok("CREATE fuzzy")
	for subject in ("IMAP break", "break of the IMAP server", "IMAP", "break imap break", "other"):
	    c.append("fuzzy", message(subject, "Hello\r\n" if subject == "IMAP" else "hel\r\n"), "(\\Seen)" if subject == "IMAP break" else "")
	c.ok("SELECT fuzzy")
	def e(command):
	    return re.match(rf'^\* ESEARCH \(TAG "{{}}"\)(.*)$'.format("t\\d+"), c.ok(command).lines[0])[1]
	eq(c.ok('SEARCH FUZZY SUBJECT "IMAP break"').lines, ["* SEARCH 1 2 4"])
	eq(c.ok('SEARCH SUBJECT "IMAP break"').lines, ["* SEARCH 1 4"])
	eq(c.ok('SEARCH FUZZY (SUBJECT "IMAP break") UNSEEN').lines, ["* SEARCH 2 4"])
	eq(c.ok('SEARCH NOT FUZZY SUBJECT "IMAP break"').lines, ["* SEARCH 3 5"])
	eq(c.ok('SEARCH FUZZY FUZZY OR SUBJECT "server IMAP" SUBJECT other').lines, ["* SEARCH 2 5"])
	eq(c.ok("SEARCH FUZZY UNSEEN FUZZY BODY hello").lines, ["* SEARCH 3"])
	eq(e('SEARCH RETURN (RELEVANCY) FUZZY SUBJECT "IMAP break"'), " ALL 1:2,4 RELEVANCY (100 50 100)")
	eq(e('SEARCH RETURN (ALL RELEVANCY COUNT) FUZZY TEXT "Hello IMAP"'), " ALL 3 COUNT 1 RELEVANCY (50)")
	eq(e('SEARCH RETURN (PARTIAL 2:3 RELEVANCY) FUZZY SUBJECT "IMAP break"'), " PARTIAL (2:3 2,4) RELEVANCY (50 100)")
	eq(e('SEARCH RETURN (RELEVANCY) FUZZY SUBJECT "no such thing"'), "")
	eq(c.ok('SORT (RELEVANCY) UTF-8 FUZZY SUBJECT "IMAP break"').lines, ["* SORT 1 4 2"])
	eq(e('SORT RETURN (RELEVANCY) (REVERSE RELEVANCY) UTF-8 FUZZY SUBJECT "IMAP break"'), " ALL 2,1,4 RELEVANCY (50 100 100)")
	for q in ("RETURN (RELEVANCY) ALL", "FUZZY", "FUZZY FOO", "FUZZY " * 60 + "ALL"):
	    c.bad("SEARCH " + q)
	EOF
}

@test "contexts: results kept up to date (RFC 5267)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	a = c.ok("CAPABILITY")
	assert a.has(r" CONTEXT=SEARCH( |$)") and a.has(r" CONTEXT=SORT( |$)"), a
	c.ok("CREATE context")
	for s in ("d", "b", "f", "a"):
	    c.append("context", message(s))
	c.ok("SELECT context")
	d.ok("SELECT context")
	def tagged(tag, command, status="OK"):
	    c.send(f"{tag} {command}\r\n")
	    c.tag = tag
	    a = c.end()
	    eq(a.status, status)
	    return a
	def updates(a):
	    return [l[len("* ESEARCH (TAG "):] for l in a.lines if l.startswith("* ESEARCH")]
	eq(tagged("A01", "SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk").lines, ['* ESEARCH (TAG "A01") COUNT 4'])
	eq(tagged("B01", "UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk").lines, ['* ESEARCH (TAG "B01") UID COUNT 0'])
	assert "tag reuse" in tagged("B01", "SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED", "BAD").text
	assert "tag reuse" in tagged("B01", "SEARCH RETURN (UPDATE) FLAGGED", "BAD").text
	eq(tagged("S01", "UID SORT RETURN (UPDATE) (SUBJECT) UTF-8 UNSEEN").lines, ['* ESEARCH (TAG "S01") UID ALL 4,2,1,3'])
	eq(tagged("N01", "SEARCH RETURN (UPDATE ALL) UNDELETED").lines, ['* ESEARCH (TAG "N01") ALL 1:4'])
	# Own changes, and those of others.
	a = c.ok("STORE 2:3 +FLAGS.SILENT (\\Deleted $Junk)")
	eq(updates(a), ['"B01") UID ADDTO (0 2:3)', '"N01") REMOVEFROM (0 2:3)'])
	d.ok("NOOP")
	d.ok("STORE 3 -FLAGS (\\Deleted)")
	a = c.ok("NOOP")
	eq(updates(a), ['"B01") UID REMOVEFROM (0 3)', '"N01") ADDTO (0 3)'])
	assert [l for l in a.lines if "FETCH" in l] and "FETCH" in a.lines[0], a
	# New ones come after EXISTS, at their place.
	for s in ("c", "e"):
	    d.append("context", message(s))
	a = c.ok("NOOP")
	eq(updates(a), ['"S01") UID ADDTO (3 5 5 6)', '"N01") ADDTO (0 5:6)'])
	assert a.lines.index("* 6 EXISTS") < a.lines.index('* ESEARCH (TAG "N01") ADDTO (0 5:6)')
	# The order is now a b c d e f: UIDs 4 2 5 1 6 3.
	a = c.ok("UID STORE 5,1,4 +FLAGS.SILENT (\\Seen)")
	eq(updates(a), ['"S01") UID REMOVEFROM (4 1 3 5 1 4)'])
	a = c.ok("UID STORE 1,4 -FLAGS.SILENT (\\Seen)")
	eq(updates(a), ['"S01") UID ADDTO (1 4 3 1)'])
	eq(updates(c.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")), [])
	# What is expunged goes before it is, by the numbers that it had.
	d.ok("NOOP")
	d.ok("UID STORE 1,6 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	a = c.ok("FETCH 1 UID")
	assert not any("EXPUNGE" in l for l in a.lines), a
	a = c.ok("NOOP")
	gone = [l for l in a.lines if "REMOVEFROM" in l or "EXPUNGE" in l]
	eq(gone[-3:], ["* 6 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"])
	eq(sorted(gone[:-3]), ['* ESEARCH (TAG "B01") UID REMOVEFROM (0 2)', '* ESEARCH (TAG "S01") UID REMOVEFROM (4 6 3 1 2 2)'])
	# In IDLE, too.
	c.begin("IDLE")
	c.line()
	d.append("context", message("0"))
	lines = []
	while not any("N01" in l for l in lines):
	    lines.append(c.line().decode())
	assert any(re.match(r'\* ESEARCH \(TAG "S01"\) UID ADDTO \(1 7\)$', l) for l in lines), lines
	c.send("DONE\r\n")
	c.end()
	# No more.
	c.ok('CANCELUPDATE "B01" "N01"')
	a = c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted $Junk \\Seen)")
	assert len(updates(a)) == 1 and '"S01"' in updates(a)[0], a
	c.no('CANCELUPDATE "B01"')
	for x in ("", " ", " B01 x", ' "a" '):
	    c.bad("CANCELUPDATE" + x)
	for i in range(20):
	    a = tagged(f"M{i}", "SEARCH RETURN (UPDATE COUNT) ALL")
	    eq(len(a.lines), 1 if i < 15 else 2)
	    if i >= 15:
	        eq(a.lines[0], f'* NO [NOUPDATE "M{i}"] too many contexts')
	c.ok("CLOSE")
	c.ok("SELECT context")
	c.append("context", message("last"))
	eq(updates(c.ok("NOOP")), [])
	EOF
}

@test "several mailboxes at once (RFC 7377)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(r" MULTISEARCH( |$)")
	for name in ("folder1", "folder2", "folder2/a", "folder2/a/b", "folder3"):
	    c.ok("CREATE " + name)
	    c.append(name, message("chad in " + name.replace("/", "-")), "(\\Seen)")
	    c.append(name, message("other"))
	c.append("folder2/a/b", message("other"))
	c.ok("UNSUBSCRIBE folder3")
	def e(command):
	    a = c.ok(command)
	    return [re.match(rf'^\* ESEARCH \(TAG "{c.tag}" MAILBOX "([^"]*)" UIDVALIDITY \d+\) UID (.*)$', l).groups() for l in a.lines]
	eq(e('ESEARCH IN (mailboxes "folder1" subtree "folder2") unseen'),
	   [("folder1", "ALL 2"), ("folder2", "ALL 2"), ("folder2/a", "ALL 2"), ("folder2/a/b", "ALL 2:3")])
	eq(e('ESEARCH IN (mailboxes "folder1" subtree-one "folder2") subject "chad"'),
	   [("folder1", "ALL 1"), ("folder2", "ALL 1"), ("folder2/a", "ALL 1")])
	eq(e("ESEARCH IN (mailboxes (folder1 nope folder3 folder1)) RETURN (COUNT MIN) ALL"), [("folder1", "MIN 1 COUNT 2"), ("folder3", "MIN 1 COUNT 2")])
	eq(e('ESEARCH IN (subscribed) SUBJECT "chad in folder"'),
	   [("folder1", "ALL 1"), ("folder2", "ALL 1"), ("folder2/a", "ALL 1"), ("folder2/a/b", "ALL 1")])
	eq(len(e('ESEARCH IN (personal) SUBJECT "chad in folder"')), 5)
	eq(e('ESEARCH IN (inboxes) SUBJECT "chad in folder"'), [])
	eq(e("ESEARCH IN (mailboxes nope) ALL"), [])
	eq(e("ESEARCH IN (mailboxes (folder1 folder2)) TEXT chad UID 1:*"), [("folder1", "ALL 1"), ("folder2", "ALL 1")])
	uv = c.ok("STATUS folder1 (UIDVALIDITY)").find(r"UIDVALIDITY (\d+)")[1]
	eq(c.ok("ESEARCH IN (mailboxes folder1) SEEN").lines, [f'* ESEARCH (TAG "{c.tag}" MAILBOX "folder1" UIDVALIDITY {uv}) UID ALL 1'])
	c.bad("ESEARCH ALL")                      # nothing is selected
	c.bad("ESEARCH IN (selected) ALL")
	c.ok("SELECT folder1")
	c.ok("STORE 1 +FLAGS (\\Flagged)")
	eq(e("ESEARCH FLAGGED"), [("folder1", "ALL 1")])
	eq(e("ESEARCH IN (selected mailboxes folder2) ALL"), [("folder1", "ALL 1:2"), ("folder2", "ALL 1:2")])
	eq(e("ESEARCH IN (selected) RETURN (SAVE COUNT) 2"), [("folder1", "COUNT 1")])
	eq(c.ok("UID FETCH $ UID").lines, ["* 2 FETCH (UID 2)"])
	assert c.ok("FETCH 2 ENVELOPE").has("other")     # still selected
	for q in ("IN (mailboxes folder2) 1", "IN (mailboxes folder2) UID $", "IN (mailboxes folder2) RETURN (SAVE) ALL",
	          "IN (selected) RETURN (UPDATE) ALL", "IN () ALL", "IN ALL", "IN (foo) ALL", "IN (subtree) ALL", "IN (mailboxes nope) FOO",
	          "IN (mailboxes ()) ALL", "IN (personal)", "RETURN (ALL)"):
	    c.bad("ESEARCH " + q)
	assert "BADCHARSET" in c.no("ESEARCH IN (personal) CHARSET KOI8-R ALL").text
	EOF
}
