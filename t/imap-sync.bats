#!/usr/bin/env bats
# CONDSTORE and QRESYNC (RFC 7162): what is said when, by the examples there,
# and what clients get that come back.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "ENABLE QRESYNC, and what it turns on (RFC 7162, 3.1 and 3.2.3)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	assert c.ok("CAPABILITY").has(r" CONDSTORE .*QRESYNC ")
	c.ok("CREATE enable")
	c.append("enable", message("m"))
	c.bad("SELECT enable (QRESYNC (1 1))")
	eq(c.ok("ENABLE QRESYNC").lines, ["* ENABLED QRESYNC CONDSTORE"])
	eq(c.ok("ENABLE QRESYNC CONDSTORE").lines, ["* ENABLED QRESYNC CONDSTORE"])
	c = Imap()
	c.ok("SELECT enable")
	a = c.ok("ENABLE CONDSTORE QRESYNC")
	assert re.match(r"\* OK \[HIGHESTMODSEQ \d+\]", a.lines[0]), a
	eq(a.lines[1:], ["* ENABLED CONDSTORE QRESYNC"])
	# Each of these turns CONDSTORE on, and says so while a mailbox is selected.
	for command in ("FETCH 1 (MODSEQ)", "FETCH 1 (FLAGS) (CHANGEDSINCE 1)",
	                "STATUS enable (HIGHESTMODSEQ)", "SEARCH MODSEQ 1",
	                "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (x)"):
	    c = Imap()
	    c.ok("SELECT enable")
	    assert not c.ok("FETCH 1 (FLAGS)").has("MODSEQ")
	    a = c.ok(command)
	    assert a.has(r"^\* OK \[HIGHESTMODSEQ \d+\]"), (command, a)
	    d = Imap()
	    d.ok("SELECT enable")
	    d.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
	    d.ok("STORE 1 -FLAGS.SILENT (\\Flagged)")
	    assert c.ok("NOOP").has(r"^\* 1 FETCH \(UID 1 FLAGS \(.*\) MODSEQ \(\d+\)\)"), command
	    d.ok("LOGOUT")
	c = Imap()
	for wrong in ("SELECT enable (CONDSTORE", "SELECT enable ()", "SELECT enable (FOO)",
	              "FETCH 1 (FLAGS) (CHANGEDSINCE)", "FETCH 1 (FLAGS) (FOO 1)"):
	    c.ok("SELECT enable")
	    c.bad(wrong)
	EOF
}

@test "conditional STORE (RFC 7162, 3.1.3)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("CREATE store")
	for i in range(1, 10):
	    c.append("store", message(f"m{i}"))
	high = int(c.ok("SELECT store (CONDSTORE)").find(r"HIGHESTMODSEQ (\d+)")[1])
	d.ok("SELECT store (CONDSTORE)")
	# All pass: each is told its new MODSEQ, silent or not.
	a = c.ok(f"STORE 4,5,7 (UNCHANGEDSINCE {high}) +FLAGS.SILENT (\\Seen)")
	eq(a.text, "STORE done")
	got = {int(m[1]): (int(m[2]), int(m[3])) for m in (re.fullmatch(r"\* (\d+) FETCH \(UID (\d+) MODSEQ \((\d+)\)\)", l) for l in a.lines)}
	eq({n: uid for n, (uid, _) in got.items()}, {4: 4, 5: 5, 7: 7})
	assert all(modseq == high + 1 for _, modseq in got.values()), got
	# Two have changed: they are left alone and named.
	d.ok("STORE 7,9 +FLAGS.SILENT ($Processed)")
	now = int(d.ok("FETCH 9 (MODSEQ)").find(r"MODSEQ \((\d+)\)")[1])
	a = c.ok(f"STORE 7,5,9 (UNCHANGEDSINCE {now - 1}) +FLAGS.SILENT (\\Deleted)")
	assert a.text.startswith("[MODIFIED 7,9] "), a
	assert a.has(r"^\* 5 FETCH \(UID 5 MODSEQ \(\d+\)\)$"), a
	# What they are now comes with it.
	assert a.has(rf"^\* 7 FETCH \(UID 7 FLAGS \(\\Seen \$processed\) MODSEQ \({now}\)\)$") or \
	       a.has(rf"^\* 7 FETCH \(UID 7 FLAGS \(\\Seen \$Processed\) MODSEQ \({now}\)\)$"), a
	assert not c.ok("FETCH 7,9 (FLAGS)").has("Deleted")
	a = c.ok(f"UID STORE 7,5,9 (UNCHANGEDSINCE {now - 1}) FLAGS ()")
	assert a.text.startswith("[MODIFIED 5,7,9] "), a
	# UNCHANGEDSINCE 0 always fails: system flags always exist.
	a = c.ok("STORE 1:2 (UNCHANGEDSINCE 0) +FLAGS (\\Flagged)")
	assert a.text.startswith("[MODIFIED 1:2] "), a
	# What passes without a change is told, too, with its old MODSEQ.
	a = c.ok(f"STORE 4 (UNCHANGEDSINCE {now + 10}) +FLAGS.SILENT (\\Seen)")
	eq(a.lines, [f"* 4 FETCH (UID 4 MODSEQ ({high + 1}))"])
	# Of a message that another expunged nothing else can be said.
	d.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	a = c.no(f"STORE 1,2 (UNCHANGEDSINCE {now + 10}) +FLAGS (\\Flagged)")
	assert a.text.startswith("[MODIFIED 2] "), a
	assert a.has(r"^\* 1 FETCH \(FLAGS \(\\Flagged\) MODSEQ|^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged\) MODSEQ"), a
	assert not a.has("EXPUNGE"), a
	assert c.ok("STORE 2 +FLAGS (\\Flagged)").text.startswith("[EXPUNGEISSUED]")
	assert c.ok("NOOP").has(r"^\* 2 EXPUNGE$")
	for wrong in ("(UNCHANGEDSINCE) FLAGS ()", "(UNCHANGEDSINCE x) FLAGS ()", "(UNCHANGEDSINCE 1 FLAGS ()",
	              "(FOO 1) FLAGS ()", "(UNCHANGEDSINCE 99999999999999999999) FLAGS ()"):
	    c.bad("STORE 1 " + wrong)
	EOF
}

@test "CHANGEDSINCE, VANISHED, HIGHESTMODSEQ (RFC 7162, 3.1.4, 3.2.6 to 3.2.9)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("CREATE fetch")
	c.ok("CREATE fetch2")
	for i in range(1, 21):
	    c.append("fetch", message(f"m{i}"))
	c.ok("ENABLE QRESYNC")
	high = int(c.ok("SELECT fetch").find(r"HIGHESTMODSEQ (\d+)")[1])
	d.ok("SELECT fetch (CONDSTORE)")
	d.ok("STORE 3,12 +FLAGS.SILENT (\\Seen)")
	d.ok("STORE 5,6,15 +FLAGS.SILENT (\\Deleted)")
	a = d.ok("EXPUNGE")
	eq([l for l in a.lines if "EXPUNGE" in l], ["* 15 EXPUNGE", "* 6 EXPUNGE", "* 5 EXPUNGE"])
	gone = int(re.match(r"\[HIGHESTMODSEQ (\d+)\]", a.text)[1])
	# The first session still numbers them; by number none is told as gone.
	a = c.ok(f"FETCH 1:20 (FLAGS) (CHANGEDSINCE {high})")
	assert not a.has("VANISHED") and not a.has("EXPUNGE"), a
	eq(sorted(int(re.match(r"\* (\d+) FETCH", l)[1]) for l in a.lines[:-1]), [3, 5, 6, 12, 15])
	# ... and the client must not take the MODSEQs it saw for all there is.
	waits = int(re.match(r"\* OK \[HIGHESTMODSEQ (\d+)\] expunges are waiting$", a.lines[-1])[1])
	assert high <= waits < gone, (high, waits, gone)
	# By UID they are: not as EARLIER, since the numbers change with it.
	a = c.ok(f"UID FETCH 1:16 (FLAGS) (CHANGEDSINCE {high} VANISHED)")
	eq([l for l in a.lines if "VANISHED" in l], ["* VANISHED 5:6,15"])
	a = c.ok(f"UID FETCH 6:16 (FLAGS) (VANISHED CHANGEDSINCE {high})")
	eq(a.lines[0], "* VANISHED (EARLIER) 6,15")
	m = re.fullmatch(r"\* 10 FETCH \(UID 12 FLAGS \(\\Seen\) MODSEQ \((\d+)\)\)", a.lines[1])
	assert m and high < int(m[1]) < gone, a
	eq(len(a.lines), 2)
	eq(c.ok(f"UID FETCH 1:20 (FLAGS) (CHANGEDSINCE {gone} VANISHED)").lines, [])
	for wrong in (f"FETCH 1:3 (FLAGS) (CHANGEDSINCE {high} VANISHED)", "UID FETCH 1:3 (FLAGS) (VANISHED)"):
	    c.bad(wrong)
	d.bad(f"UID FETCH 1:3 (FLAGS) (CHANGEDSINCE {high} VANISHED)")
	# VANISHED of one's own: EXPUNGE, UID EXPUNGE, MOVE; the code is of after it.
	c.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
	a = c.ok("UID EXPUNGE 2")
	eq(a.lines, ["* VANISHED 2"])
	n1 = int(re.match(r"\[HIGHESTMODSEQ (\d+)\] UID EXPUNGE expunged", a.text)[1])
	a = c.ok("EXPUNGE")
	eq(a.lines, ["* VANISHED 1"])
	eq(int(re.match(r"\[HIGHESTMODSEQ (\d+)\]", a.text)[1]), n1 + 1)
	eq(c.ok("EXPUNGE").text, "EXPUNGE expunged")
	a = c.ok("UID MOVE 3:4 fetch2")
	assert re.match(r"\* OK \[COPYUID \d+ 3:4 1:2\]", a.lines[0]), a
	eq(a.lines[1:], ["* VANISHED 3:4"])
	assert re.match(rf"\[HIGHESTMODSEQ {n1 + 2}\]", a.text), a
	d.ok("NOOP")
	# CLOSE: the new value if nothing else happened, the old one if something did.
	c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	a = c.ok("CLOSE")
	eq(a.lines, [])
	eq(int(re.match(r"\[HIGHESTMODSEQ (\d+)\]", a.text)[1]), n1 + 4)
	c.ok("SELECT fetch")
	a = c.ok("STORE 1 +FLAGS (\\Deleted)")
	known = int(a.find(r"MODSEQ \((\d+)\)")[1])
	d.ok("NOOP")
	d.ok("STORE 5 +FLAGS.SILENT (\\Answered)")
	eq(int(re.match(r"\[HIGHESTMODSEQ (\d+)\]", c.ok("CLOSE").text)[1]), known)
	eq(d.ok("NOOP").lines, ["* 1 EXPUNGE"])
	# A body sets \Seen also if another has just taken it away.
	c.ok("SELECT fetch")
	c.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
	d.ok("NOOP")
	d.ok("STORE 1 -FLAGS.SILENT (\\Seen)")
	c.ok("FETCH 1 BODY[TEXT]")
	assert d.ok("NOOP").has(r"^\* 1 FETCH \(UID 9 FLAGS \(\\Seen\)")
	c.ok("STORE 1 -FLAGS.SILENT (\\Seen)")
	d.ok("NOOP")
	# IDLE tells the same way.
	c.ok("SELECT fetch")
	c.begin("IDLE")
	c.line()
	d.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	assert re.match(rb"\* 1 FETCH \(UID 9 FLAGS \(\\Deleted\) MODSEQ \(\d+\)\)", c.line())
	d.ok("EXPUNGE")
	eq(c.line(), b"* VANISHED 9")
	c.send("DONE\r\n")
	eq(c.end().status, "OK")
	EOF
}

@test "SELECT with QRESYNC (RFC 7162, 3.2.5)" {
	py <<-'EOF'
	from mailtest import *
	c, d = Imap(), Imap()
	c.ok("CREATE back")
	for i in range(1, 31):
	    c.append("back", message(f"m{i}"))
	c.ok("ENABLE QRESYNC")
	a = c.ok("SELECT back")
	high, validity = int(a.find(r"HIGHESTMODSEQ (\d+)")[1]), int(a.find(r"UIDVALIDITY (\d+)")[1])
	c.ok("CLOSE")
	d.ok("SELECT back")
	d.ok("UID STORE 7,8,11,20:22 +FLAGS.SILENT (\\Deleted)")
	d.ok("EXPUNGE")
	d.ok("UID STORE 4,12 +FLAGS.SILENT (\\Answered)")
	d.append("back", message("new"))
	def select(rest, command="SELECT"):
	    a = c.ok(f"{command} back (QRESYNC ({validity} {high}{rest}))")
	    lines = a.lines[[i for i, l in enumerate(a.lines) if "HIGHESTMODSEQ" in l][0] + 1:]
	    return lines
	def told(lines):
	    return [int(re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \(.*\) MODSEQ \(\d+\)\)$", l)[1]) for l in lines]
	lines = select("")
	eq(lines[0], "* VANISHED (EARLIER) 7:8,11,20:22")
	eq(told(lines[1:]), [4, 12, 31])
	lines = select(" 1:11,21:30", "EXAMINE")
	eq(lines[0], "* VANISHED (EARLIER) 7:8,11,21:22")
	eq(told(lines[1:]), [4])
	# Message numbers do not matter while the history is complete.
	eq(select(" 1:30 (1,9 1,12)")[0], "* VANISHED (EARLIER) 7:8,11,20:22")
	eq(select(" (1:10 1:10)")[0], "* VANISHED (EARLIER) 7:8,11,20:22")
	# Another UIDVALIDITY: nothing that the client knows is true.
	a = c.ok(f"SELECT back (QRESYNC ({validity + 1} {high}))")
	assert not a.has("VANISHED") and not a.has("FETCH"), a
	assert a.has("^\\* OK \\[CLOSED\\]"), a
	# Up to date: nothing.
	now = int(a.find(r"HIGHESTMODSEQ (\d+)")[1])
	a = c.ok(f"SELECT back (CONDSTORE QRESYNC ({validity} {now}))")
	assert not a.has("VANISHED") and not a.has("FETCH"), a
	# It says that it has seen what was never there: all is told.
	lines = select(" 1:40")
	assert lines[0].startswith("* OK [ALERT]"), lines
	eq(lines[1], "* VANISHED (EARLIER) 7:8,11,20:22,32:40")
	eq(len(told(lines[2:])), 25)
	a = c.ok(f"SELECT back (QRESYNC ({validity} {now + 1000}))")
	assert a.has("ALERT") and a.has(r"VANISHED \(EARLIER\) 7:8,11,20:22$"), a
	for wrong in ("", "(1)", "(1 2", "(0 1)", "(1 0)", "(1 1 )", "(1 1 *)", "(1 1 1:*)", "(1 1 0)",
	              "(1 1 ())", "(1 1 (1 1:2))", "(1 1 (1:2 1)", "(1 1 (1:2))", "(1 1 1 1)", "(a 1)", "(1 a)"):
	    c.bad(f"SELECT back (QRESYNC {wrong})")
	    c.bad(f"SELECT back (QRESYNC{wrong})")
	c.ok("NOOP")
	EOF
}

@test "the history is over: full answers, shorter with message numbers" {
	py <<-'EOF'
	from mailtest import *
	box = DIR + "/data/accounts/mox/Maildir/.long"
	for sub in ("", "/cur", "/new", "/tmp"):
	    os.makedirs(box + sub, exist_ok=True)
	n = 20010
	for i in range(1, n + 1):
	    with open(f"{box}/cur/{1700000000 + i}.M{i}.test:2,", "w") as f:
	        f.write(f"Subject: {i}\n\nx\n")
	c, d = Imap(), Imap()
	c.ok("ENABLE QRESYNC")
	a = c.ok("SELECT long")
	high, validity = int(a.find(r"HIGHESTMODSEQ (\d+)")[1]), int(a.find(r"UIDVALIDITY (\d+)")[1])
	assert a.has(rf"^\* {n} EXISTS"), a
	# Every other one: 10,003 ranges, of which a fold keeps 10,000.
	odd = [str(i) for i in range(5, n + 1, 2)]
	for i in range(0, len(odd), 2000):
	    c.ok("UID STORE " + ",".join(odd[i:i + 2000]) + " +FLAGS.SILENT (\\Deleted)")
	odd = ",".join(odd)
	a = c.ok("EXPUNGE")
	lines = [l for l in a.lines if "VANISHED" in l]
	assert len(lines) > 5 and all(len(l) < 4100 for l in lines)
	eq(",".join(l[len("* VANISHED "):] for l in lines), odd)
	middle = int(re.match(r"\[HIGHESTMODSEQ (\d+)\]", a.text)[1])
	c.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
	assert c.ok("EXPUNGE").lines[0] == "* VANISHED 2"
	c.ok("UNSELECT")
	def gone(since, rest=""):
	    a = d.ok(f"SELECT long (QRESYNC ({validity} {since}{rest}))")
	    return ",".join(l[len("* VANISHED (EARLIER) "):] for l in a.lines if "VANISHED" in l)
	d.ok("ENABLE QRESYNC")
	eq(gone(high), "2," + odd)
	eq(gone(middle), "2")               # this the history still has
	eq(gone(high, " 1:10"), "2,5,7,9")
	# Numbers and UIDs that agree: what is below need not be told.
	eq(gone(high, " 1:10 (1 1)"), "2,5,7,9")
	eq(gone(high, " 1:10 (1,3 1,4)"), "5,7,9")
	eq(gone(high, " 1:10 (1,3,4,5 1,4,6,9)"), "7,9")
	eq(gone(high, f" (1,3:4 1,4,6)"), odd[2:])
	EOF
}
