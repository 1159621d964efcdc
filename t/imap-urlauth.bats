#!/usr/bin/env bats
# URLAUTH (RFC 4467): URLs that give a message to who has them, and what they
# tell beside its octets (RFC 5524).

load helper

setup_file() {
	export MOX_FAKE_TIME=$BATS_FILE_TMPDIR/mox/data/tmp/now # the session may read it
	start_shared_server -loglevel info
	write_common
	mox config -config "$DIR/mox.conf" account add joe joe@localhost
	echo 'correct horse' | mox-setaccountpassword -config "$DIR/mox.conf" joe
	# A running one would know him within a second.
	stop_server
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME:$BATS_FILE_TMPDIR python3 -; }

# Module urls: a message of three parts, URLs of it.
write_common() {
	cat >"$BATS_FILE_TMPDIR/urls.py" <<-'EOF'
	from mailtest import *
	def login(user, password="correct horse"):
	    c = Imap(login=False)
	    c.ok(f'LOGIN {user} "{password}"')
	    return c
	PARTS = ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	         "--b\r\n\r\none\r\n"
	         "--b\r\n\r\nSi vis pacem, para bellum.\r\n\r\n"
	         "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw6QKYgA=\r\n--b--\r\n")
	def fill(c, box):
	    """A mailbox with one message; its UIDVALIDITY."""
	    c.ok("CREATE " + box)
	    c.append(box, "Subject: x\r\n" + PARTS)
	    return c.ok(f"STATUS {box} (UIDVALIDITY)").find(r"UIDVALIDITY (\d+)")[1]
	ME = "mox%40localhost@mail.example.com"
	def rump(box, rest="", access="user+mox%40localhost", server=ME):
	    return f"imap://{server}/{box}/;uid=1{rest};urlauth={access}"
	def generate(c, *rumps):
	    a = c.ok("GENURLAUTH " + " ".join(f'"{r}" INTERNAL' for r in rumps))
	    urls = re.fullmatch(r'\* GENURLAUTH "(.*)"', a.lines[0])[1].split('" "')
	    eq(sum(l.startswith("* GENURLAUTH") for l in a.lines), 1)
	    for r, u in zip(rumps, urls, strict=True):
	        assert re.fullmatch(re.escape(r) + ":internal:01[0-9a-f]{64}", u), u
	    return urls if len(urls) > 1 else urls[0]
	def fetch(c, url):
	    """What URLFETCH says for a URL."""
	    a = c.ok(f'URLFETCH "{url}"')
	    return re.fullmatch(rf'\* URLFETCH "{re.escape(url)}" (NIL|\{{\d+\}}\r\n(.*))', a.lines[0], re.S)[2]
	EOF
}

@test "GENURLAUTH, URLFETCH: the examples (RFC 4467, 7)" {
	py <<-'EOF'
	from urls import *
	c = Imap()
	assert c.ok("CAPABILITY").has(" URLAUTH URLAUTH=BINARY( |$)")
	fill(c, "box")
	a = c.bad(f'GENURLAUTH "imap://{ME}/box/;uid=20/;section=1.2" INTERNAL')
	eq((a.text, a.lines), ("GENURLAUTH missing access identifier in supplied URL", []))
	a = c.bad('GENURLAUTH "imap://example.com/Shared/;uid=20/;section=1.2;urlauth=submit+fred" INTERNAL')
	eq((a.text, a.lines), ("GENURLAUTH missing owner username in supplied URL", []))
	for access in "submit+fred", "user+mox%40localhost", "authuser", "anonymous":
	    url = generate(c, rump("box", "/;section=2", access))
	    # Nobody here is a submission server.
	    eq(fetch(c, url), None if access == "submit+fred" else "Si vis pacem, para bellum.\r\n")
	    eq(generate(c, rump("box", "/;section=2", access)), url)
	# The whole, fields, pieces, what is not there; several at once, in any form.
	rumps = [rump("box", rest) for rest in ("", "/;section=HEADER.FIELDS%20(Subject)", "/;section=2/;partial=7.5",
	                                        "/;section=4", "/;section=2.MIME", "/;partial=999999", "/;section=1;expire=2100-01-01T00:00:00Z")]
	urls = generate(c, *rumps)
	eq([fetch(c, u) for u in urls], ["Subject: x\r\n" + PARTS, "Subject: x\r\n\r\n", "pacem", None, "\r\n", "", "one"])
	a = c.ok(f'URLFETCH "{urls[2]}" {{{len(urls[3])}+}}\r\n{urls[3]} "{urls[6]}"')
	eq(a.lines, [f'* URLFETCH "{urls[2]}" {{5}}\r\npacem', f'* URLFETCH "{urls[3]}" NIL', f'* URLFETCH "{urls[6]}" {{3}}\r\none'])
	# With a mailbox selected, which stays as it is; nothing is seen by it.
	a = c.ok("SELECT box")
	assert a.has(r"^\* OK \[URLMECH INTERNAL\] "), a
	eq(fetch(c, urls[6]), "one")
	eq(c.ok("FETCH 1 FLAGS").lines, ["* 1 FETCH (FLAGS ())"])
	# What another session appends is there at once, what it expunges is not.
	d = Imap()
	d.append("box", message("two"))
	two = generate(c, rump("box").replace("uid=1", "uid=2"))
	eq(fetch(c, two), message("two"))
	d.ok("SELECT box")
	d.ok("STORE 2 +FLAGS \\Deleted")
	d.ok("EXPUNGE")
	eq(fetch(c, two), None)
	EOF
}

@test "URLs that are good for nothing are NIL (RFC 4467, 6)" {
	py <<-'EOF'
	from urls import *
	c = Imap()
	validity = fill(c, "bad")
	good = generate(c, rump("bad", "/;section=1"))
	eq(fetch(c, good), "one")
	token = good.rsplit(":", 1)[1]
	last = "0" if token[-1] != "0" else "1"
	for url in (good.replace("section=1", "section=2"), good.replace("uid=1", "UID=1"), good.replace("example.com", "example.org"),
	            good.replace("user+mox%40localhost", "authuser"), good.replace("user+", "submit+"), good.replace("mox%40", "m%6fx%40"),
	            good.replace(";urlauth", ";expire=2100-01-01T00:00:00Z;urlauth"), good[:-1] + last, good[:-1], good + "0",
	            good.replace(":01", ":02"), good.replace(token, token.upper()), good.replace(":internal:", ":xsample:"),
	            good.replace(token, "0" * 32), good.replace(":" + token, ":"), good.replace(":internal:" + token, ""), good.split(";urlauth")[0],
	            good.replace("/bad/", "/nowhere/"), good.replace("/bad/", "/INBOX/"), good.replace("/bad/", f"/bad;UIDVALIDITY={validity}/"),
	            good.replace("imap://" + ME, ""), "imap://" + ME, f"imap://{ME}/", f"imap://{ME}/bad", f"imap://{ME}/bad;urlauth=anonymous:internal:{token}",
	            f"imap://{ME}/bad?SUBJECT%20x", "", "x", "http://example.com/", "imap://%ff@x/"):
	    eq(fetch(c, url), None)
	for command in ("URLFETCH", "URLFETCH ", f'URLFETCH "{good}" ', f'URLFETCH "{good}"x', f'URLFETCH ("{good}"', "URLFETCH ()", f'URLFETCH ("{good}" SIZE)',
	                f'URLFETCH ("{good}" BODY BODY)', f'URLFETCH ("{good}" BODY )'):
	    a = c.bad(command)
	    eq(a.lines, [])
	# UIDVALIDITY in the URL, right and wrong; a mailbox that is made anew.
	box = f"bad;UIDVALIDITY={validity}"
	with_it = generate(c, rump(box))
	assert fetch(c, with_it)
	c.bad(f'GENURLAUTH "{rump("bad;UIDVALIDITY=1")}" INTERNAL')
	c.ok("RENAME bad moved")
	eq((fetch(c, with_it), fetch(c, good)), (None, None))
	c.ok("RENAME moved bad")
	eq(fetch(c, good), "one")
	c.ok("DELETE bad")
	eq((fetch(c, with_it), fetch(c, good)), (None, None))
	fill(c, "bad")
	eq((fetch(c, with_it), fetch(c, good)), (None, None))
	eq(fetch(c, generate(c, rump("bad", "/;section=1"))), "one")
	EOF
}

@test "GENURLAUTH refuses (RFC 4467, 7)" {
	py <<-'EOF'
	from urls import *
	c = Imap()
	fill(c, "gen")
	good = f'"{rump("gen")}" INTERNAL'
	c.ok("GENURLAUTH " + good)
	for wrong in (rump("missing"), rump("gen").replace("/;uid=1", ""), rump("gen", access="everybody"), rump("gen", access="user+"),
	              rump("gen", "/;section=x"), rump("gen", "/;section=1/;partial=x"), rump("gen", ";expire=tomorrow"), "", "x", "/gen/;uid=1;urlauth=anonymous",
	              rump("gen", server="nobody@localhost"), rump("gen", server="joe%40localhost@localhost"), rump("gen", server="a b"), rump("gen", server="mox%40localhost@"),
	              rump("gen") + ":internal:00"):
	    # Alone, and behind one that is good: none is given then.
	    for command in f'GENURLAUTH "{wrong}" INTERNAL', f'GENURLAUTH {good} "{wrong}" INTERNAL':
	        eq(c.bad(command).lines, [])
	eq(c.no(f'GENURLAUTH "{rump("gen", ";expire=2001-01-01T00:00:00Z")}" INTERNAL').lines, [])
	for command in ("GENURLAUTH", f'GENURLAUTH "{rump("gen")}"', f'GENURLAUTH "{rump("gen")}" XSAMPLE', f'GENURLAUTH {good} ', f'GENURLAUTH {good} "x"',
	                f"GENURLAUTH ({good})"):
	    eq(c.bad(command).lines, [])
	# Any login name of the account is the owner's; the host is whatever it is called.
	for server in "mox%40localhost@[::1]:1143", "MOX%40localhost@localhost", "mox%40localhost;AUTH=*@x", "mox%2Btag%40localhost@x":
	    assert fetch(c, generate(c, rump("gen", server=server)))
	EOF
}

@test "RESETKEY revokes; keys are nobody else's (RFC 4467, 7)" {
	py <<-'EOF'
	from urls import *
	import stat
	c = Imap()
	c.ok("RESETKEY")
	for box in "one", "two":
	    fill(c, box)
	one, two = generate(c, rump("one", "/;section=1"), rump("two", "/;section=1"))
	keys = DIR + "/data/accounts/mox/urlkeys"
	eq((stat.S_IMODE(os.stat(keys).st_mode), len(open(keys).readlines())), (0o600, 2))
	a = c.ok("RESETKEY one")
	eq((a.text, a.lines), ("[URLMECH INTERNAL] RESETKEY done", []))
	eq((fetch(c, one), fetch(c, two)), (None, "one"))
	again = generate(c, rump("one", "/;section=1"))
	assert again != one
	eq((fetch(c, one), fetch(c, again)), (None, "one"))
	eq(c.ok("RESETKEY one internal").text, "[URLMECH INTERNAL] RESETKEY done")
	eq(fetch(c, again), None)
	assert c.no("RESETKEY missing").text.startswith("[NONEXISTENT] ")
	for command in "RESETKEY one XSAMPLE", "RESETKEY ", "RESETKEY one INTERNAL XSAMPLE", "RESETKEY INTERNAL one two":
	    c.bad(command)
	eq(fetch(c, two), "one")
	eq(c.ok("RESETKEY").text, "RESETKEY done")
	eq((fetch(c, two), os.path.exists(keys)), (None, False))
	# A damaged file gives no URLs, and is told; RESETKEY mends it.
	two = generate(c, rump("two", "/;section=1"))
	with open(keys, "a") as f:
	    f.write("nonsense\n")
	eq(fetch(c, two), "one")
	# Not to be had by any name that IMAP knows.
	assert not c.ok('LIST "" "*"').has("urlkeys")
	c.no("SELECT urlkeys")
	c.no('SELECT "../urlkeys"')
	EOF
	run mox-verifydata "$DIR/data"
	[ "$status" = 1 ]
	[[ $output == *"urlkeys"*"1 line that make no sense"* ]]
	rm "$DIR/data/accounts/mox/urlkeys"
	mox-verifydata "$DIR/data"
}

@test "who may use a URL, and until when (RFC 4467, 3)" {
	echo 2000000000 >"$MOX_FAKE_TIME"
	py <<-'EOF'
	from urls import *
	c, joe = Imap(), login("joe@localhost")
	fill(c, "mine")
	fill(joe, "mine")
	until = generate(c, rump("mine", "/;section=1;expire=2033-05-18T04:34:20%2B01:00".replace("%2B", "+")))
	eq(fetch(c, until), "one")
	set_clock(2000000059)
	eq(fetch(c, until), "one")
	set_clock(2000000060)
	eq(fetch(c, until), None)
	c.no(f'GENURLAUTH "{rump("mine", ";expire=2033-05-18T04:34:20+01:00")}" INTERNAL')
	# Another account gets it, if it is meant; with the owner's key only.
	for access in "user+joe%40localhost", "authuser", "anonymous":
	    url = generate(c, rump("mine", access=access))
	    eq(bool(fetch(c, url)), access != "user+joe%40localhost")
	    assert fetch(joe, url)
	    eq(fetch(joe, url.replace("mox%40", "joe%40")), None)
	joes = rump("mine", "/;section=1", server="joe%40localhost@x")
	c.bad(f'GENURLAUTH "{joes}" INTERNAL')
	joes = rump("mine", "/;section=1", "authuser", "joe%40localhost@x")
	eq(fetch(joe, generate(joe, joes)), "one")
	EOF
	rm "$MOX_FAKE_TIME"
}

@test "mailboxes that others share, while they do (RFC 4467, 7)" {
	py <<-'EOF'
	from urls import *
	joe = login("joe@localhost")
	joe.ok("RESETKEY")
	fill(joe, "common")
	joe.ok("SETACL common mox@localhost lr")
	c = Imap() # a login knows what is shared
	shared = rump("Other%20Users/joe/common", "/;section=1", "authuser")
	url = generate(c, shared)
	eq(fetch(c, url), "one")
	# It is signed by who asked, not by whose it is.
	eq(fetch(joe, url), "one")
	eq(fetch(joe, url.replace("mox%40", "joe%40")), None)
	assert not os.path.exists(DIR + "/data/accounts/joe/urlkeys")
	eq(c.ok('RESETKEY "Other Users/joe/common"').text, "[URLMECH INTERNAL] RESETKEY done")
	eq(fetch(c, url), None)
	url = generate(c, shared)
	eq(fetch(c, url), "one")
	# What may be seen, but not read.
	joe.ok("SETACL common mox@localhost l")
	eq(fetch(c, url), None)
	c.bad(f'GENURLAUTH "{shared}" INTERNAL')
	assert c.no('RESETKEY "Other Users/joe/common"').text.startswith("[NOPERM] ")
	joe.ok("DELETEACL common mox@localhost")
	eq(fetch(c, url), None)
	assert c.no('RESETKEY "Other Users/joe/common"').text.startswith("[NONEXISTENT] ")
	EOF
}

@test "URLFETCH with BODY, BINARY, BODYPARTSTRUCTURE (RFC 5524)" {
	py <<-'EOF'
	from urls import *
	c = Imap()
	fill(c, "ext")
	plain, coded, header, whole, missing = generate(c, *(rump("ext", rest) for rest in ("/;section=2", "/;section=3", "/;section=3.MIME", "", "/;section=9")))
	def extended(url, what):
	    return c.ok(f'URLFETCH ("{url}"{what})').lines[0].removeprefix(f'* URLFETCH "{url}"')
	TEXT = '("TEXT" "PLAIN" ("CHARSET" "{}") NIL NIL "{}" {} NIL NIL NIL NIL)'
	eq(extended(plain, ""), " {28}\r\nSi vis pacem, para bellum.\r\n")
	eq(extended(plain, " BODY"), " (BODY {28}\r\nSi vis pacem, para bellum.\r\n)")
	eq(extended(plain, " BODYPARTSTRUCTURE"), f' (BODYPARTSTRUCTURE {TEXT.format("us-ascii", "7BIT", "28 1")})')
	eq(extended(coded, " bodypartstructure body"), f' (BODYPARTSTRUCTURE {TEXT.format("utf-8", "BASE64", "8 0")}) (BODY {{8}}\r\nw6QKYgA=)')
	# As it is without its encoding; NUL makes it a literal8.
	eq(extended(coded, " BINARY BODYPARTSTRUCTURE"), f' (BODYPARTSTRUCTURE {TEXT.format("utf-8", "BINARY", "5 1")}) (BINARY ~{{5}}\r\n\xc3\xa4\nb\0)')
	eq(extended(plain, " BODY BINARY"), " (BODY {28}\r\nSi vis pacem, para bellum.\r\n) (BINARY {28}\r\nSi vis pacem, para bellum.\r\n)")
	eq(extended(header, " BINARY BODYPARTSTRUCTURE"), " (BINARY {78}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n)")
	structure = c.ok("SELECT ext") and c.ok("FETCH 1 BODYSTRUCTURE").find(r"BODYSTRUCTURE (.*)\)$")[1]
	eq(extended(whole, " BODYPARTSTRUCTURE"), f" (BODYPARTSTRUCTURE {structure})")
	eq(extended(missing, " BODYPARTSTRUCTURE BODY"), " (BODY NIL)")
	bad = whole[:-1]
	eq(c.ok(f'URLFETCH ("{bad}" BODYPARTSTRUCTURE BINARY) ("{plain}" BODY) "{bad}"').lines,
	   [f'* URLFETCH "{bad}" NIL', f'* URLFETCH "{plain}" (BODY {{28}}\r\nSi vis pacem, para bellum.\r\n)', f'* URLFETCH "{bad}" NIL'])
	# An encoding that nobody knows.
	c.append("ext", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: x-y\r\n\r\nbody")
	unknown = generate(c, rump("ext", "/;section=1").replace("uid=1", "uid=2"))
	eq(extended(unknown, " BODY BINARY"), " (BODY {4}\r\nbody) (BINARY NIL)")
	EOF
}

@test "large messages stream" {
	py <<-'EOF'
	from urls import *
	c = Imap()
	fill(c, "large")
	text = "Subject: y\r\n\r\n" + "0123456789abcdef\r\n" * 300000
	c.append("large", text)
	url = generate(c, rump("large").replace("uid=1", "uid=2"))
	eq(len(fetch(c, url)), len(text))
	part = generate(c, rump("large", "/;partial=5000014.36").replace("uid=1", "uid=2"))
	eq(fetch(c, part), text[5000014:5000050])
	EOF
}
