#!/usr/bin/env bats
# MESSAGELIMIT (RFC 9738): at most 10 messages for one command.

load helper

setup_file() { start_shared_server -loglevel error -messagelimit 10; }
teardown_file() { stop_background; }

# py for a mailbox $1 of 25 messages, of UIDs 2, 4 ... 50; those over 40 deleted.
with_mailbox() {
	{
		cat <<-EOF
		from mailtest import *
		BOX = "$1"
		EOF
		cat <<-'EOF'
		c = Imap()
		c.ok(f"CREATE {BOX}")
		c.ok(f"CREATE {BOX}2")
		for i in range(1, 51):
		    c.append(BOX, f"Subject: {i % 5}\r\n\r\n{i}\r\n")
		c.ok(f"SELECT {BOX}")
		for low in range(41, 0, -10):
		    c.ok(f"UID STORE {','.join(str(u) for u in range(low, low + 10, 2))} +FLAGS (\\Deleted)")
		c.ok("EXPUNGE")
		def uids(a, what="FETCH"):
		    return [int(re.search(r"UID (\d+)", l)[1]) for l in a.lines if what in l]
		HIGHEST = list(range(32, 51, 2))
		LIMIT = "[MESSAGELIMIT 10 32] "
		EOF
		cat
	} | py
}

@test "MESSAGELIMIT: announced, FETCH and STORE by number and UID, the highest first" {
	with_mailbox a <<-'EOF'
	assert "MESSAGELIMIT=10" in c.ok("CAPABILITY").lines[0].split()
	assert "MESSAGELIMIT=10" in Imap(login=False).greeting.split()
	for command in "FETCH 1:* (UID FLAGS)", "UID FETCH 1:* FLAGS":
	    a = c.ok(command)
	    assert LIMIT in a.text and "10 partial results" in a.text, a
	    eq(uids(a), HIGHEST)
	# The rest, as the code says where to go on.
	a = c.ok("UID FETCH 1:31 FLAGS")
	assert "[MESSAGELIMIT 10 12] " in a.text, a
	eq(uids(a), list(range(12, 32, 2)))
	a = c.ok("UID FETCH 1:11 FLAGS")
	assert "MESSAGELIMIT" not in a.text, a
	eq(uids(a), [2, 4, 6, 8, 10])
	# As many as there may be.
	assert "MESSAGELIMIT" not in c.ok("FETCH 16:25 FLAGS").text
	assert "[MESSAGELIMIT 10 30] " in c.ok("FETCH 14:24 FLAGS").text
	# PARTIAL (RFC 9738, 3.1): as many as it says, or none.
	a = c.no("UID FETCH 1:* FLAGS (PARTIAL -1:-11)")
	assert "[MESSAGELIMIT 10] " in a.text and not a.lines, a
	a = c.ok("UID FETCH 1:* FLAGS (PARTIAL -1:-10)")
	assert "MESSAGELIMIT" not in a.text, a
	eq(uids(a), HIGHEST)
	eq(len(c.ok("UID FETCH 42:* FLAGS (PARTIAL 1:20)").lines), 5)
	a = c.ok("STORE 1:* +FLAGS (\\Flagged)")
	assert LIMIT in a.text and len(a.lines) == 10, a
	eq(c.ok("UID SEARCH RETURN (COUNT) FLAGGED").lines[0].split()[-1], "10")
	EOF
}

@test "MESSAGELIMIT: SEARCH, UIDBEFORE and UIDAFTER, the saved result; SORT and THREAD" {
	with_mailbox b <<-'EOF'
	a = c.ok("UID SEARCH UNDELETED")
	assert LIMIT in a.text, a
	eq(a.lines, ["* SEARCH " + " ".join(map(str, HIGHEST))])
	a = c.ok("UID SEARCH UIDBEFORE 32 UNDELETED")
	assert "[MESSAGELIMIT 10 12] " in a.text, a
	eq(a.lines, ["* SEARCH " + " ".join(map(str, range(12, 32, 2)))])
	eq(c.ok("UID SEARCH UIDBEFORE 12").lines, ["* SEARCH 2 4 6 8 10"])
	eq(c.ok("UID SEARCH UIDBEFORE 1").lines, ["* SEARCH"])
	eq(c.ok("UID SEARCH UIDAFTER 46").lines, ["* SEARCH 48 50"])
	eq(c.ok("UID SEARCH UIDAFTER 4294967295").lines, ["* SEARCH"])
	eq(c.ok("UID SEARCH UIDAFTER 4 UIDBEFORE 8").lines, ["* SEARCH 6"])
	c.bad("UID SEARCH UIDBEFORE 0")
	c.bad("UID SEARCH UIDAFTER")
	c.bad("UID SEARCH UIDAFTER 1:3")
	a = c.ok("UID SEARCH RETURN (ALL) ALL")
	assert LIMIT in a.text and "ALL 32,34" in a.lines[0], a
	assert LIMIT in c.ok("UID SEARCH RETURN (SAVE) ALL").text
	eq(uids(c.ok("UID FETCH $ FLAGS")), HIGHEST)
	# What is not listed is not limited.
	assert c.ok("UID SEARCH RETURN (MIN MAX COUNT) ALL").lines[0].endswith("MIN 2 MAX 50 COUNT 25")
	assert "[MESSAGELIMIT 10] " in c.no("UID SEARCH RETURN (PARTIAL 1:11) ALL").text
	assert "MESSAGELIMIT" not in c.ok("UID SEARCH RETURN (PARTIAL 1:10) ALL").text
	for command in "SORT (SUBJECT)", "THREAD REFERENCES", "THREAD ORDEREDSUBJECT":
	    assert "[MESSAGELIMIT 10] " in c.no(f"{command} UTF-8 ALL").text
	    c.ok(f"{command} UTF-8 UIDAFTER 30")
	EOF
}

@test "MESSAGELIMIT: COPY and APPEND do all or nothing; MOVE and UID EXPUNGE the highest" {
	with_mailbox d <<-'EOF'
	count = lambda box: int(c.ok(f"STATUS {box} (MESSAGES)").find(r"MESSAGES (\d+)")[1])
	assert "[MESSAGELIMIT 10] " in c.no(f"COPY 1:* {BOX}2").text
	eq(count(BOX + "2"), 0)
	assert "COPYUID" in c.ok(f"COPY 1:10 {BOX}2").text
	many = lambda n: f"APPEND {BOX}2" + n * " {9+}\r\nA: b\r\n\r\nc"
	assert "[MESSAGELIMIT 10] " in c.no(many(11)).text
	eq(count(BOX + "2"), 10)
	c.ok(many(10))
	eq(count(BOX + "2"), 20)
	a = c.ok(f"UID MOVE 1:* {BOX}2")
	assert "[MESSAGELIMIT 10 32]" in a.text, a
	eq(count(BOX + "2"), 30)
	eq(c.ok("UID SEARCH RETURN (MAX) ALL").lines[0].split()[-1], "30")
	# With CONDSTORE its code is that of the answer.
	c.ok("ENABLE CONDSTORE")
	c.ok("UID STORE 12:30 +FLAGS.SILENT (\\Deleted)")
	c.ok("UID STORE 2:8 +FLAGS.SILENT (\\Deleted)")
	# Only those count that are deleted: 14 of 15. UID 10 is not.
	a = c.ok("UID EXPUNGE 1:*")
	assert "HIGHESTMODSEQ" in a.text, a
	assert [l for l in a.lines if l.startswith("* NO [MESSAGELIMIT 10 12]")], a
	eq(count(BOX), 5)
	a = c.ok("UID EXPUNGE 1:*")
	assert not a.has("MESSAGELIMIT"), a
	eq(count(BOX), 1)
	EOF
}

@test "MESSAGELIMIT: EXPUNGE and CLOSE have no limit, ESEARCH of several mailboxes ends with NO" {
	with_mailbox e <<-'EOF'
	count = lambda box: int(c.ok(f"STATUS {box} (MESSAGES)").find(r"MESSAGES (\d+)")[1])
	c.ok(f"COPY 1:4 {BOX}2")
	both = f'ESEARCH IN (mailboxes ("{BOX}" "{BOX}2"))'
	a = c.ok(f'{both} UID 2:12')
	eq([l.split()[-2:] for l in a.lines], [["ALL", "2,4,6,8,10,12"], ["ALL", "2:4"]])
	assert "MESSAGELIMIT" not in a.text, a
	# What was told before is complete.
	a = c.no(f'{both} UID 2:16')
	assert "[MESSAGELIMIT 10] " in a.text, a
	eq([l.split()[-2:] for l in a.lines], [["ALL", "2,4,6,8,10,12,14,16"]])
	a = c.no(f'{both} RETURN (PARTIAL 1:9) ALL')
	assert "[MESSAGELIMIT 10] " in a.text and len(a.lines) == 1, a
	# What is not listed is not limited.
	eq([l.split()[-1] for l in c.ok(f"{both} RETURN (COUNT) ALL").lines], ["25", "4"])
	# One mailbox is as with SEARCH.
	for source in f'IN (mailboxes "{BOX}") ', "IN (selected) ", "":
	    a = c.ok(f"ESEARCH {source}RETURN (ALL) UNDELETED")
	    assert LIMIT in a.text and "ALL 32,34" in a.lines[0], a
	for low in 2, 22:
	    c.ok(f"UID STORE {low}:{low + 18} +FLAGS.SILENT (\\Deleted)")
	a = c.ok("EXPUNGE")
	assert not a.has("MESSAGELIMIT") and len(a.lines) == 20, a
	c.ok(f"UID MOVE 42:50 {BOX}2")
	c.ok(f"SELECT {BOX}2")
	c.ok(f"APPEND {BOX}2" + 4 * " {9+}\r\nA: b\r\n\r\nc")
	c.ok("UID STORE 1:8 +FLAGS.SILENT (\\Deleted)")
	c.ok("UID STORE 9:* +FLAGS.SILENT (\\Deleted)")
	assert "MESSAGELIMIT" not in c.ok("CLOSE").text
	eq(count(BOX + "2"), 0)
	EOF
}

@test "MESSAGELIMIT: none, and numbers that are none" {
	run mox-imapd -config "$DIR/mox.conf" -messagelimit -1 -kind imap
	[ "$status" != 0 ]
	[[ $output == *"-messagelimit -1: no such number"* ]]
	run mox-imapd -messagelimit ten
	[ "$status" = 2 ]
}
