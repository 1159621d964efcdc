#!/usr/bin/env bats
# neomutt with a header cache, QRESYNC and IDLE, in a terminal that is none.

load helper

setup_file() {
	start_shared_server -loglevel trace
}

setup() { need neomutt; }
teardown_file() { stop_background; }

# A script on stdin. neomutt() starts one with settings of its own; commands()
# gives what clients have sent to the server since the last call.
py() {
	{ cat <<-'EOT'; cat; } | LOG=$BATS_FILE_TMPDIR/server.log HOME=$BATS_TEST_TMPDIR PYTHONPATH=$BATS_TEST_DIRNAME timeout 120 python3 -
	from mailtest import *
	from terminal import Terminal
	HOME = os.environ["HOME"]
	def neomutt(box, keys="", settings="", scheme="imap", port=1143):
	    rc = HOME + "/neomuttrc"
	    with open(rc, "w") as f:
	        f.write(f"""
	set imap_user=mox@localhost imap_pass=moxmoxmox ssl_force_tls=no ssl_starttls=no
	set certificate_file={DIR}/localhost.crt ssl_verify_host=no ssl_verify_dates=no
	set header_cache={HOME}/cache imap_qresync=yes imap_condstore=yes imap_idle=yes
	set confirm_append=no confirm_create=no delete=yes move=no wait_key=no mail_check=1 timeout=1
	set quit=yes copy=no mark_old=no pager_index_lines=0 prompt_after=no
	set folder={scheme}://{IP}:{port}/ spool_file=+INBOX record=+Sent
	unset imap_passive
	{settings}
	""")
	    argv = ["neomutt", "-n", "-F", rc, "-f", f"{scheme}://{IP}:{port}/{box}"]
	    return Terminal(argv + (["-e", f'push "{keys}"'] if keys else []))
	def run(*args, **more):
	    with neomutt(*args, **more) as t:
	        eq(t.ended(), 0)
	commands = Heard()
	def subjects(c, box):
	    c.ok(f"EXAMINE {box}")
	    return [re.search(r"Subject: ([^\r]*)", l)[1] for l in c.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").lines
	            if "Subject" in l]
	EOT
}

@test "read, flag, delete, copy, save, search on the server; plain and TLS" {
	py <<-'EOF'
	c = Imap()
	for scheme, port in ("imap", 1143), ("imaps", 1993):
	    box = scheme + "box"
	    c.ok(f"CREATE {box}")
	    for i in range(1, 21):
	        c.append(box, message(f"m{i}", f"body {i} {'needle' if i in (4, 9) else ''}\r\n"))
	    url = f"{scheme}://{IP}:{port}/{box}kept"
	    run(box, scheme=scheme, port=port, keys=
	        "1<enter><display-message><exit>"
	        "<tag-pattern>~s m3$<enter><tag-prefix><flag-message><untag-pattern>~A<enter>"
	        f"<tag-pattern>=b needle<enter><tag-prefix><copy-message>{url}<enter><untag-pattern>~A<enter>"
	        f"<tag-pattern>~s m1[0-2]<enter><tag-prefix><save-message>{url}<enter><untag-pattern>~A<enter>"
	        "<delete-pattern>~s m2.<enter><sync-mailbox><exit>")
	    c.ok(f"SELECT {box}")
	    flags = {int(m[1]): m[2] for m in (re.search(r"UID (\d+) FLAGS \((.*?)\)", l) for l in c.ok("UID FETCH 1:* (FLAGS)").lines)}
	    eq(sorted(flags), [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19])
	    eq({uid: f for uid, f in flags.items() if f}, {1: "\\Seen", 3: "\\Flagged"})
	    eq(sorted(subjects(c, box + "kept")), sorted(["m4", "m9", "m10", "m11", "m12"]))
	said = commands()
	assert any(re.search("SEARCH .*needle", line) for line in said), said
	assert 'CREATE \\"imapsboxkept\\"' in said, said  # it was told TRYCREATE
	EOF
}

@test "header cache: what changed meanwhile comes by VANISHED and CHANGEDSINCE" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE cached")
	c.ok("CREATE starred")
	for i in range(1, 301):
	    c.append("cached", message(f"m{i}"))
	commands()
	run("cached", "<exit>")
	first = commands()
	assert any(re.match(r"UID FETCH 1:\S* |FETCH 1:300 ", line) for line in first), first
	c.ok("SELECT cached")
	c.ok("UID STORE 5,77,200 +FLAGS.SILENT (\\Flagged)")
	c.ok("UID STORE 50:59,300 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	for i in range(301, 304):
	    c.append("cached", message(f"m{i}"), "(\\Flagged)")
	c.ok("CLOSE")
	commands()
	# It copies what it takes for flagged, and the last one that it sees.
	run("cached", f"<tag-pattern>~F<enter><tag-prefix><copy-message>imap://{IP}:1143/starred<enter>"
	    f"<untag-pattern>~A<enter><limit>!~F<enter><last-entry><copy-message>imap://{IP}:1143/starred<enter><exit>")
	second = commands()
	assert any(re.match(r"UID FETCH 1:300 \(FLAGS\) \(CHANGEDSINCE \d+ VANISHED\)", line) for line in second), second
	# Headers of the new ones; it mistakes the numbers of as many as are gone,
	# sees it, and does without VANISHED: with Dovecot, too.
	ranges = [re.match(r"FETCH (\d+):(\d+) .*BODY.PEEK", line) for line in second]
	assert sum(int(m[2]) - int(m[1]) + 1 for m in ranges if m) in (3, 13), second
	eq(subjects(c, "starred"), ["m5", "m77", "m200", "m301", "m302", "m303", "m299"])
	# A mailbox made anew under its name is not mistaken for the old one.
	c.ok("CLOSE")
	c.ok("DELETE cached")
	c.ok("CREATE cached")
	for i in range(1, 11):
	    c.append("cached", message(f"other{i}"))
	run("cached", f"<last-entry><copy-message>imap://{IP}:1143/starred<enter><exit>")
	eq(subjects(c, "starred")[-1], "other10")
	EOF
}

@test "IDLE: new mail, flags and removals appear while it waits" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE waits")
	c.append("waits", message("first"))
	c.append("waits", message("second"))
	with neomutt("waits", settings="set index_format='%C %Z=%s='") as t:
	    t.until("second=")
	    wait_for(lambda: "IDLE" in commands())
	    c.append("waits", message("third"))
	    t.until("third=")
	    c.ok("SELECT waits")
	    c.ok("STORE 1 +FLAGS (\\Flagged)")
	    t.until("!")
	    c.ok("STORE 2 +FLAGS (\\Deleted)")
	    c.ok("EXPUNGE")
	    c.append("waits", message("fourth"))
	    t.until("fourth=")
	    t.keys("x")
	    eq(t.ended(), 0)
	eq(subjects(c, "waits"), ["first", "third", "fourth"])
	EOF
}
