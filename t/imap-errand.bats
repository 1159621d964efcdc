#!/usr/bin/env bats
# What a session asks of another account: URLFETCH of URLs that others signed (RFC
# 4467, 5524), and mailboxes of others that are made, removed and renamed by the
# rights k and x (RFC 4314).

load helper
load acl

setup_file() {
	acl_server joe fred bob ann ben cal deb eli fay gus hal ida jim kay lee
	cat >>"$DIR/words.py" <<'END'
import signal
PARTS = ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\n\r\none\r\n--b\r\n\r\nSi vis pacem, para bellum.\r\n\r\n"
         "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw6QKYgA=\r\n--b--\r\n")
def rump(owner, box, access, rest="", uid=1):
    return f"imap://{owner}%40localhost@example.com/{box}/;uid={uid}{rest};urlauth={access}"
def sign(c, *rumps):
    a = c.ok("GENURLAUTH " + " ".join(f'"{r}" INTERNAL' for r in rumps))
    urls = re.fullmatch(r'\* GENURLAUTH "(.*)"', a.lines[0])[1].split('" "')
    return urls if len(urls) > 1 else urls[0]
def fetch(c, url):
    """What URLFETCH says for a URL."""
    a = c.ok(f'URLFETCH "{url}"')
    eq(len(a.lines), 1)
    return re.fullmatch(rf'\* URLFETCH "{re.escape(url)}" (NIL|\{{\d+\}}\r\n(.*))', a.lines[0], re.S)[2]
def listed(c, pattern): return sorted(l.split('"/" ')[1].strip('"') for l in c.ok(f'LIST "" "{pattern}"').lines if "NonExistent" not in l and "Noselect" not in l)
END
}

teardown_file() { stop_background; }

@test "URLFETCH: the examples, from another account (RFC 4467, 7)" {
	py <<-'EOF2'
	joe = login("joe")
	joe.ok("CREATE box")
	joe.append("box", "Subject: x\r\n" + PARTS)
	f = login("fred")
	# The access of the RFC's examples: submission servers, a user, any, anybody.
	want = "Si vis pacem, para bellum.\r\n"
	for access, who in (("submit+fred", []), ("user+fred%40localhost", [f]), ("authuser", [f]), ("anonymous", [f]),
	                    ("user+bob%40localhost", []), ("user+nobody%40localhost", [])):
	    url = sign(joe, rump("joe", "box", access, "/;section=2"))
	    for c in f, login("bob") if access == "user+bob%40localhost" else f:
	        eq(fetch(c, url), want if c in who or (c is not f) else None)
	# Several, of two accounts and none, in the order that was asked for.
	f.ok("CREATE mine")
	f.append("mine", message("m"))
	mine = sign(f, rump("fred", "mine", "authuser", "/;section=TEXT"))
	good = sign(joe, rump("joe", "box", "authuser", "/;section=1"))
	a = f.ok(f'URLFETCH "{good}" "{mine}" "{good[:-1]}" "{good}"')
	eq([l.split("\r\n")[0].split(" ")[-1] for l in a.lines], ["{3}", mine and a.lines[1].split("\r\n")[0].split(" ")[-1], "NIL", "{3}"])
	# With a mailbox selected, which stays as it is; joe's message is not seen by it.
	f.ok("SELECT mine")
	eq(fetch(f, good), "one")
	joe.ok("SELECT box")
	eq(joe.ok("FETCH 1 FLAGS").lines, ["* 1 FETCH (FLAGS ())"])
	# A large one; more than the session keeps in memory.
	text = "Subject: y\r\n\r\n" + "0123456789abcdef\r\n" * 500
	joe.ok("UNSELECT")
	joe.append("box", text)
	large = sign(joe, rump("joe", "box", "authuser", uid=2))
	eq(fetch(f, large), text)
	a = f.ok("URLFETCH" + f' "{large}"' * 20)
	eq([len(l.split("\r\n", 1)[1]) for l in a.lines], [len(text)] * 20)
	EOF2
}

@test "URLFETCH=BINARY from another account (RFC 5524)" {
	py <<-'EOF2'
	ann, ben = login("ann"), login("ben")
	ann.ok("CREATE box")
	ann.append("box", "Subject: x\r\n" + PARTS)
	plain, coded, missing = sign(ann, *(rump("ann", "box", "user+ben%40localhost", "/;section=" + n) for n in "239"))
	for what in "", " BODY", " BINARY", " BODYPARTSTRUCTURE", " BODYPARTSTRUCTURE BODY BINARY":
	    for url in plain, coded, missing:
	        own = sign(ann, url.split(":internal:")[0].replace("user+ben%40localhost", "authuser"))
	        mine = ann.ok(f'URLFETCH ("{own}"{what})').lines[0].split('" ' if what == "" else '"', 2)
	        his = ben.ok(f'URLFETCH ("{url}"{what})').lines[0].split('" ' if what == "" else '"', 2)
	        eq(his[2:], mine[2:])
	assert ben.ok(f'URLFETCH ("{coded}" BINARY)').has("\\(BINARY ~\\{5\\}\r\n")
	eq(ben.ok(f'URLFETCH ("{coded[:-1]}" BODY BINARY)').lines, [f'* URLFETCH "{coded[:-1]}" NIL'])
	for bad in f'("{plain}" SIZE)', f'("{plain}" BODY BODY)': ben.bad("URLFETCH " + bad)
	EOF2
}

@test "URLs of others that are good for nothing are NIL, and take as long (RFC 4467, 6)" {
	py <<-'EOF2'
	import time
	cal, deb = login("cal"), login("deb")
	cal.ok("CREATE box")
	cal.append("box", "Subject: x\r\n" + PARTS)
	validity = cal.ok("STATUS box (UIDVALIDITY)").find(r"UIDVALIDITY (\d+)")[1]
	good = sign(cal, rump("cal", "box", "user+deb%40localhost", "/;section=1"))
	token = good.rsplit(":", 1)[1]
	eq(fetch(deb, good), "one")
	last = "0" if token[-1] != "0" else "1"
	refused = [good.replace("cal%40", "nobody%40"), good.replace("cal%40localhost", "cal%40example.org"), good.replace("cal%40", "..%2fcal%40"),
	           good.replace("cal%40localhost", "cal"), good.replace("cal%40", "eli%40"), good[:-1] + last, good.replace("/box/", "/other/"),
	           good.replace("/box/", "/..%2fbox/"), good.replace("/box/", "/Other%20Users/deb/INBOX/"), good.replace("section=1", "section=2"),
	           good.replace("uid=1", "uid=2"), good.replace("/box/", f"/box;UIDVALIDITY={validity}/"), good.replace("user+deb%40localhost", "authuser")]
	for url in refused:
	    start = time.monotonic()
	    eq(fetch(deb, url), None)
	    if "..%2f" not in url: assert time.monotonic() - start >= 0.05, url
	# Somebody whom it was not made for; the owner takes it back.
	eq(fetch(login("eli"), good), None)
	cal.ok("RESETKEY box")
	eq(fetch(deb, good), None)
	good = sign(cal, rump("cal", "box", "authuser", "/;section=1"))
	eq(fetch(deb, good), "one")
	cal.ok("DELETE box")
	eq(fetch(deb, good), None)
	assert cal.no(f'GENURLAUTH "{rump("cal", "INBOX", "authuser", ";expire=2001-01-01T00:00:00Z")}" INTERNAL')
	# Of a mailbox that eli shares with cal, and not with deb: while he does.
	e = login("eli")
	e.ok("CREATE common")
	e.append("common", "Subject: x\r\n" + PARTS)
	e.ok("SETACL common cal lr")
	cal = login("cal")
	url = sign(cal, rump("cal", "Other%20Users/eli/common", "authuser", "/;section=1"))
	eq(fetch(deb, url), "one")
	e.ok("DELETEACL common cal")
	eq(fetch(deb, url), None)
	# Too long for a request; a session that is served on.
	assert deb.ok(f'URLFETCH "{rump("cal", "x" * 15000, "authuser")}:internal:{token}"').lines[0].endswith(" NIL")
	deb.ok("NOOP")
	EOF2
}

@test "CREATE with k, DELETE with x, RENAME with both (RFC 4314, 4)" {
	py <<-'EOF2'
	a = login("fay")
	for name in "team", "team/old", "other", "team/old/deep": a.ok("CREATE " + name)
	a.append("team/old", message("kept"))
	top = "Other Users/fay/"
	for name in "team", "team/old", "team/old/deep": a.ok(f"SETACL {name} gus lrk")
	a.ok("SETACL other gus lr")
	a.ok("SETACL team hal lr")
	b = login("gus")
	eq(b.ok(f'MYRIGHTS "{top}team"').lines, [f'* MYRIGHTS "{top}team" lrkc'])
	# k makes mailboxes below, which inherit; they can be used at once.
	r = b.ok(f'CREATE "{top}team/new/er"')
	eq(r.lines, [f'* LIST (\\Subscribed) "/" "{top}team/new"', f'* LIST (\\Subscribed) "/" "{top}team/new/er"'])
	assert re.match(r"\[MAILBOXID \(\S{22}\)\] ", r.text), r
	eq(listed(b, top + "*"), [top + n for n in ("other", "team", "team/new", "team/new/er", "team/old", "team/old/deep")])
	eq(b.ok(f'MYRIGHTS "{top}team/new/er"').lines, [f'* MYRIGHTS "{top}team/new/er" lrkc'])
	b.ok(f'SELECT "{top}team/new/er"')
	assert b.ok('LIST (SUBSCRIBED) "" "Other*" RETURN (MYRIGHTS)').has(f'"{top}team/new/er" lrkc')
	eq(acl("fay", ".team.new.er"), acl("fay", ".team"))
	assert login("hal").ok(f'STATUS "{top}team/new/er" (MESSAGES)').has("MESSAGES 0")
	assert a.ok('LIST "" team/new*').has('"team/new/er"')
	# Refused: no k, nothing above, what is there, another's uses, names that are none.
	noperm(b.no(f'CREATE "{top}other/x"'))
	for name in "x", "Inbox/x", "nothing/x": noperm(b.no(f'CREATE "{top}{name}"'))
	for name in "Other Users/nobody/x", "Other Users/hal/x", "Other Users/fay", "Other Users": noperm(b.no(f'CREATE "{name}"'))
	assert b.no(f'CREATE "{top}team/old"').text.startswith("[ALREADYEXISTS] ")
	assert b.no(f'CREATE "{top}team/x" (USE (\\Sent))').text.startswith("[USEATTR] ")
	for name in "team/../x", "team//x", "team/./x": b.no(f'CREATE "{top}{name}"')
	# x removes; not what has mailboxes below.
	noperm(b.no(f'DELETE "{top}team/new/er"'))
	noperm(b.no(f'RENAME "{top}team/new/er" "{top}team/new/est"'))
	for name in "team/new", "team/new/er", "team/old": a.ok(f"SETACL {name} gus +x")
	assert b.no(f'DELETE "{top}team/new"').text.startswith("[HASCHILDREN] ")
	r = b.ok(f'DELETE "{top}team/new/er"') # selected
	assert r.has(r"^\* OK \[CLOSED\]"), r
	nonexistent(b.no(f'SELECT "{top}team/new/er"'))
	nonexistent(b.no(f'DELETE "{top}team/new/er"'))
	b.ok(f'DELETE "{top}team/new"')
	eq(listed(a, "team/*"), ["team/old", "team/old/deep"])
	# RENAME: x of it, k where it goes; all below moves along, messages stay.
	b.ok(f'SELECT "{top}team/old"')
	r = b.ok(f'RENAME "{top}team/old" "{top}team/one/two"')
	eq(b.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").has("kept"), True)
	eq(listed(b, top + "team*"), [top + "team", top + "team/one", top + "team/one/two", top + "team/one/two/deep"])
	eq(b.ok(f'STATUS "{top}team/one/two" (MESSAGES)').find(r"MESSAGES (\d+)")[1], "1")
	noperm(b.no(f'RENAME "{top}team/one/two" "{top}other/two"'))
	noperm(b.no(f'RENAME "{top}team/one/two" "{top}two"'))
	assert b.no(f'RENAME "{top}team/one/two" "{top}team/one"').text.startswith(("[ALREADYEXISTS] ", "[CANNOT] "))
	nonexistent(b.no(f'RENAME "{top}team/none" "{top}team/x"'))
	# Nothing goes from one account to another.
	for to in "mine", "Other Users/hal/x":
	    r = b.no(f'RENAME "{top}team/one/two" "{to}"')
	    assert r.text.startswith(("[CANNOT] ", "[NOPERM] ")), r
	assert b.no(f'RENAME "{top}team/one/two" mine').text.startswith("[CANNOT] ")
	b.ok("CREATE mine")
	assert b.no(f'RENAME mine "{top}team/mine"').text.startswith("[CANNOT] ")
	# The inbox of another stays.
	a.ok("SETACL INBOX gus lrkx")
	b = login("gus")
	for command in f'DELETE "{top}INBOX"', f'RENAME "{top}INBOX" "{top}INBOX/x"':
	    assert b.no(command).text.startswith("[CANNOT] "), command
	b.ok(f'CREATE "{top}inbox/below"')
	eq(listed(b, top + "INBOX*"), [top + "INBOX", top + "INBOX/below"])
	# Rights that are taken away are gone at once.
	a.ok("SETACL team gus -k")
	noperm(b.no(f'CREATE "{top}team/more"'))
	EOF2
	mox-verifydata "$DIR/data"
}

@test "commands that were sent ahead, ENABLE, IDLE and NOTIFY go on (RFC 5465)" {
	py <<-'EOF2'
	a = login("ida")
	a.ok("CREATE team")
	a.ok("SETACL team jim lrswitekx")
	top = "Other Users/ida/team"
	b = login("jim")
	b.ok("ENABLE IMAP4rev2 CONDSTORE")
	b.ok(f'SELECT "{top}"')
	eq(a.append("team", message("m")).status, "OK")
	b.ok("NOOP")
	b.ok("SEARCH RETURN (SAVE) ALL")
	# All in one packet: what follows sees what was made.
	tags = [f"p{i}" for i in range(5)]
	lines = [f'CREATE "{top}/a"', f'STATUS "{top}/a" (MESSAGES)', f'COPY $ "{top}/a"', f'RENAME "{top}/a" "{top}/b"', f'STATUS "{top}/b" (MESSAGES)']
	b.send("".join(f"{t} {l}\r\n" for t, l in zip(tags, lines)))
	seen = []
	while not seen or not seen[-1].startswith("p4 "): seen.append(b.response())
	for t in tags: assert any(l.startswith(t + " OK") for l in seen), seen
	assert any(l.startswith(f'* STATUS "{top}/b" (MESSAGES 1)') for l in seen), seen
	assert any('OLDNAME' in l for l in seen), seen
	# Others are told; a new login of a third sees no more than it may.
	a.ok("NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))")
	b.ok(f'CREATE "{top}/c"')
	told(a, r'LIST .*"team/c"')
	b.ok(f'DELETE "{top}/c"')
	told(a, r'LIST \(.*NonExistent.*"team/c"')
	b.begin("IDLE")
	assert b.line().startswith(b"+ ")
	eq(a.append("team", message("m")).status, "OK")
	told(b, r"EXISTS$")
	b.send("DONE\r\n")
	eq(b.end().status, "OK")
	EOF2
}

@test "an account that dies in the middle: NO, and the session goes on" {
	py <<-'EOF2'
	import fcntl, struct, subprocess
	a = login("kay")
	a.ok("CREATE team")
	a.ok("SETACL team lee lrkx")
	b = login("lee")
	top = "Other Users/kay/team"
	b.ok(f'CREATE "{top}/first"')
	def errands(): return [int(p) for p in subprocess.run(["pgrep", "-x", "mox-imapd:erran"], capture_output=True, text=True).stdout.split()
	                       if open(f"/proc/{p}/environ", "rb").read().find(DIR.encode()) >= 0 or DIR in open(f"/proc/{p}/cmdline").read()]
	# It waits for the lock of the list of mailboxes.
	import glob
	locks = [open(f, "r+") for f in glob.glob(DIR + "/data/accounts/kay/**/.lock", recursive=True) + glob.glob(DIR + "/data/accounts/kay/**/*.lock", recursive=True)]
	assert locks
	F_OFD_SETLKW = 38
	for f in locks: fcntl.fcntl(f, F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
	b.begin(f'CREATE "{top}/second"')
	wait_for(lambda: errands())
	for p in errands(): os.kill(p, signal.SIGKILL)
	r = b.end()
	assert r.status == "NO" and r.text.startswith("[UNAVAILABLE] "), r
	for f in locks: f.close()
	b.ok("NOOP")
	b.ok(f'CREATE "{top}/second"')
	eq(listed(b, top + "*"), [top, top + "/first", top + "/second"])
	EOF2
	mox-verifydata "$DIR/data"
}
