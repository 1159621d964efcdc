#!/usr/bin/env bats
# One Maildir, several programs: Dovecot beside us at the same time, Maildirs
# that Dovecot or Courier made.

load helper

teardown() {
	stop_background
	[ -z "${SHARED:-}" ] || rm -rf "$SHARED"
}

py() {
	PYTHONPATH=$BATS_TEST_DIRNAME:$BATS_TEST_DIRNAME/bench IP=$IP DIR=$DIR \
		SHARED=${SHARED:-} IP2=${IP2:-} python3 -
}

# Dovecot serves no mail of root, so all is done as nobody.
AS_NOBODY=(setpriv --reuid=nobody --regid=nogroup --clear-groups)

shared_folder() {
	need dovecot setpriv
	[ "$(id -u)" = 0 ] || skip "Dovecot has to be started by root"
	SHARED=$(mktemp -d "${TMPDIR:-/tmp}/mox-shared.XXXXXX")
	mkdir "$SHARED/bin"
	cp "$MOX_BIN"/mox-* "$SHARED/bin/"
	chmod 755 "$SHARED"
	chown -R nobody:nogroup "$SHARED"
	DIR=$SHARED/mox IP=$(own_ip) IP2=$(own_ip)
	"${AS_NOBODY[@]}" "$SHARED/bin/mox-localserve" -dir "$DIR" -ip "$IP" -initonly \
		>/dev/null
}

start_as_nobody() {
	background "${AS_NOBODY[@]}" "$SHARED/bin/mox-localserve" -dir "$DIR" \
		-loglevel error >"$SHARED/log" 2>&1
	eventually port_open "$IP" 1143
}

@test "Dovecot on the same Maildir at the same time" {
	shared_folder
	start_as_nobody
	py <<-'EOF'
	import os, time
	from mailtest import *
	import peers
	dovecot = peers.Dovecot(os.environ["SHARED"] + "/dovecot", os.environ["IP2"])
	os.symlink(DIR + "/data/accounts/mox/Maildir", dovecot.maildir)
	dovecot.prepare()
	ours = Imap()
	ours.ok("CREATE Lists/a")
	for i in range(5):
	    ours.append("INBOX", message(f"m{i}"), ["", "(\\Seen)", "(\\Flagged work)", "($Junk \\Answered)", "(\\Draft)"][i])
	ours.append("Lists/a", message("l"))
	dovecot.start()

	def seen_by(c):
	    "Subject -> flags, as this server has it"
	    c.ok("NOOP")
	    found = {}
	    for line in c.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").lines:
	        subject = re.search(r"Subject: (\S+)", line)
	        if subject:
	            flags = re.search(r"FLAGS \(([^)]*)\)", line)[1].split()
	            found[subject[1]] = sorted(f for f in flags if f != "\\Recent")
	    return found

	def agree(want=None):
	    "Until both say the same, for at most 10 s."
	    for i in range(100):
	        a, b = seen_by(ours), seen_by(theirs)
	        if a == b and (want is None or a == want):
	            return a
	        time.sleep(0.1)
	    raise AssertionError(f"ours {a}, Dovecot's {b}, want {want}")

	def do(c, command, subject, rest):
	    "Numbers are each server's own."
	    n = c.ok("SEARCH SUBJECT " + subject).find(r"SEARCH (\d+)")[1]
	    return c.ok(f"{command} {n} {rest}")

	try:
	    theirs = Imap(143, login=False, ip=os.environ["IP2"])
	    theirs.ok("LOGIN mox moxmoxmox")
	    assert theirs.ok('LIST "" *').has(r'"?Lists[./]a"?')
	    ours.ok("SELECT INBOX")
	    theirs.ok("SELECT INBOX")
	    want = agree({"m0": [], "m1": ["\\Seen"], "m2": ["\\Flagged", "work"],
	        "m3": ["$Junk", "\\Answered"], "m4": ["\\Draft"]})
	    # What Dovecot does:
	    do(theirs, "STORE", "m0", "+FLAGS (\\Seen play)")
	    do(theirs, "STORE", "m2", "-FLAGS (work \\Flagged)")
	    do(theirs, "STORE", "m4", "+FLAGS (\\Deleted)")
	    theirs.ok("EXPUNGE")
	    m = message("m5")
	    theirs.begin(f"APPEND INBOX (\\Seen play) {{{len(m)}}}")
	    theirs.line()
	    theirs.send(m + "\r\n")
	    theirs.end()
	    want.update({"m0": ["\\Seen", "play"], "m2": [], "m5": ["\\Seen", "play"]})
	    del want["m4"]
	    agree(want)
	    # What we do:
	    do(ours, "STORE", "m0", "-FLAGS (play)")
	    do(ours, "STORE", "m1", "+FLAGS (\\Flagged other)")
	    do(ours, "STORE", "m2", "+FLAGS (\\Deleted)")
	    ours.ok("EXPUNGE")
	    ours.append("INBOX", message("m6"), "(work)")
	    do(ours, "MOVE", "m3", "Lists/a")
	    want.update({"m0": ["\\Seen"], "m1": ["\\Flagged", "\\Seen", "other"], "m6": ["work"]})
	    del want["m2"], want["m3"]
	    agree(want)
	    theirs.ok("SELECT Lists.a")
	    ours.ok("SELECT Lists/a")
	    agree({"l": [], "m3": ["$Junk", "\\Answered"]})
	finally:
	    dovecot.stop()
	EOF
}

@test "a Maildir that Dovecot made keeps UIDs, flags, keywords, subscriptions" {
	shared_folder
	py <<-'EOF'
	import os, shutil, subprocess
	from mailtest import *
	import peers
	SHARED = os.environ["SHARED"]
	dovecot = peers.Dovecot(SHARED + "/dovecot", os.environ["IP2"])
	dovecot.prepare()
	dovecot.start()
	boxes = ("INBOX", "Lists.qmail", "Sent")
	try:
	    c = Imap(143, login=False, ip=os.environ["IP2"])
	    c.ok("LOGIN mox moxmoxmox")
	    for box in boxes:
	        if box != "INBOX":
	            c.ok("CREATE " + box)
	            c.ok("SUBSCRIBE " + box)
	        c.ok("SELECT " + box)
	        for i in range(20):
	            m = message(f"{box}{i}", "line\r\n" * i)
	            c.begin(f"APPEND {box} {{{len(m)}}}")
	            c.line()
	            c.send(m + "\r\n")
	            c.end()
	        c.ok("STORE 2:9 +FLAGS (\\Deleted)")
	        c.ok("EXPUNGE")
	        c.ok("STORE 1:4 FLAGS (\\Seen one)")
	        c.ok("STORE 3:6 +FLAGS (\\Flagged two $Forwarded)")

	    def state(c, box):
	        a = c.ok(f'SELECT "{box}"')
	        yield a.find(r"UIDVALIDITY \d+")[0], a.find(r"UIDNEXT \d+")[0]
	        for line in c.ok("UID FETCH 1:* (FLAGS RFC822.SIZE INTERNALDATE)").lines:
	            if "RFC822.SIZE" in line:
	                flags = re.search(r"FLAGS \(([^)]*)\)", line)[1].split()
	                # The day may have a space or a zero before it.
	                yield (*(re.search(p, line)[1] for p in (r"UID (\d+)", r"SIZE (\d+)", r'DATE "[ 0]?([^"]*)"')),
	                    sorted(f for f in flags if f != "\\Recent"))

	    want = {box: list(state(c, box)) for box in boxes}
	    eq(len(want["Sent"]), 13)
	finally:
	    dovecot.stop()
	path = DIR + "/data/accounts/mox/Maildir"
	shutil.rmtree(path)
	subprocess.run(["cp", "-a", dovecot.maildir, path], check=True)
	server = subprocess.Popen(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
	    SHARED + "/bin/mox-localserve", "-dir", DIR, "-loglevel", "error"], stdout=subprocess.DEVNULL)
	try:
	    peers.wait_port(IP, 1143)
	    c = Imap()
	    for box in boxes:
	        eq(list(state(c, box.replace(".", "/"))), want[box])
	    a = c.ok('LIST (SUBSCRIBED) "" "*"')
	    assert a.has('"Lists/qmail"') and a.has('"Sent"'), a
	    a = c.append("Lists/qmail", message("new"))
	    assert a.text.endswith(" 21] APPEND done"), a
	finally:
	    server.terminate()
	    server.wait()
	EOF
}

# A Maildir as Courier IMAP leaves it: UIDs in courierimapuiddb, keywords in
# courierimapkeywords, folders with maildirfolder, subscriptions with INBOX.
courier_maildir() {
	local dir=$1
	mkdir -p "$dir"/{cur,new,tmp,courierimapkeywords} "$dir"/.Old.Mail/{cur,new,tmp}
	: >"$dir/.Old.Mail/maildirfolder"
	printf '1 1100000000 7\n2 1100000002.a.host\n3 1100000003.a.host\n6 1100000006.a.host\n' \
		>"$dir/courierimapuiddb"
	printf '1 1100000001 5\n4 1100000004.b.host\n' >"$dir/.Old.Mail/courierimapuiddb"
	printf '$Forwarded\nwork\n\n1100000003.a.host:0 1\n1100000006.a.host:1\n' \
		>"$dir/courierimapkeywords/:list"
	printf 'INBOX.Old.Mail\n' >"$dir/courierimapsubscribed"
	for name in 1100000002.a.host:2,S 1100000003.a.host:2,RS 1100000006.a.host:2,; do
		printf 'Subject: %s\n\nbody\n' "$name" >"$dir/cur/$name"
	done
	printf 'Subject: old\n\n' >"$dir/.Old.Mail/cur/1100000004.b.host:2,F"
	printf 'Subject: unseen by Courier\n\n' >"$dir/new/1100000009.a.host"
}

@test "a Maildir that Courier made keeps UIDs, flags and keywords" {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
	rm -rf "$(maildir)"
	courier_maildir "$(maildir)"
	start_server -loglevel error
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	a = c.ok("SELECT INBOX")
	assert a.has(r"UIDVALIDITY 1100000000\]") and a.has(r"UIDNEXT 8\]"), a
	eq(c.ok("FETCH 1:* (UID FLAGS)").lines, [
	    "* 1 FETCH (UID 2 FLAGS (\\Seen))",
	    "* 2 FETCH (UID 3 FLAGS (\\Seen \\Answered $Forwarded work))",
	    "* 3 FETCH (UID 6 FLAGS (work))",
	    "* 4 FETCH (UID 7 FLAGS ())"])
	a = c.ok("SELECT Old/Mail")
	assert a.has(r"UIDVALIDITY 1100000001\]"), a
	eq(c.ok("FETCH 1:* (UID FLAGS)").lines, ["* 1 FETCH (UID 4 FLAGS (\\Flagged))"])
	EOF
}
