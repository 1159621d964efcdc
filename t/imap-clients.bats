#!/usr/bin/env bats
# IMAP clients, and other programs on the same Maildir, that we did not write.

load helper

setup() { start_server -loglevel error; }
teardown() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME:$BATS_TEST_DIRNAME/bench IP=$IP DIR=$DIR python3 -; }

# What our server says of a mailbox, a line a message:
# UID, flags, keywords, size, SHA-1 of what is in it.
state() {
	MAILBOX=$1 PORT=${2:-1143} AT=${3:-$IP} LOGIN=${4:-mox@localhost} py <<-'EOF'
	import hashlib, os
	from mailtest import *
	c = Imap(int(os.environ["PORT"]), login=False, ip=os.environ["AT"])
	c.ok(f"LOGIN {os.environ['LOGIN']} moxmoxmox")
	a = c.ok(f'EXAMINE "{os.environ["MAILBOX"]}"')
	print(a.find(r"UIDVALIDITY (\d+)")[0], a.find(r"UIDNEXT (\d+)")[0])
	for line in c.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])").lines:
	    uid = re.search(r"UID (\d+)", line)[1]
	    flags = re.search(r"FLAGS \(([^)]*)\)", line)[1].split()
	    body = re.search(r"BODY\[\] \{\d+\}\r\n(.*?)\r\n?(?: UID \d+)?(?: FLAGS \([^)]*\))?\)$", line, re.S)[1]
	    flags = sorted(f for f in flags if f != "\\Recent")
	    print(uid, *flags, len(body), hashlib.sha1(body.encode("latin-1")).hexdigest())
	EOF
}

@test "curl: send, list, read, search, by STARTTLS and TLS" {
	need curl
	printf 'Subject: by curl\r\n\r\nhello\r\n' >"$BATS_TEST_TMPDIR/m"
	user=mox@localhost:moxmoxmox
	curl -sS -u $user -T "$BATS_TEST_TMPDIR/m" "imap://$IP:1143/Archive"
	curl -sS -u $user "imap://$IP:1143/" | tr -d '\r' | grep -qx '\* LIST (\\Archive) "/" "Archive"'
	curl -sSk --ssl-reqd -u $user "imap://$IP:1143/Archive;UID=1" | cmp - "$BATS_TEST_TMPDIR/m"
	curl -sSk -u $user "imaps://$IP:1993/Archive;UID=1;SECTION=TEXT" | grep -q hello
	[ "$(curl -sS -u $user "imap://$IP:1143/Archive?SUBJECT%20curl" | tr -d '\r')" = '* SEARCH 1' ]
	for mechanism in PLAIN LOGIN CRAM-MD5; do
		curl -sS --login-options AUTH=$mechanism -u $user "imap://$IP:1143/" -X NOOP
	done
	! curl -sS -u mox@localhost:wrong "imap://$IP:1143/" -X NOOP 2>/dev/null
}

@test "python imaplib" {
	py <<-'EOF'
	import imaplib, time
	from mailtest import IP, message, tls_context
	for tls in "none", "starttls", "tls":
	    if tls == "tls":
	        c = imaplib.IMAP4_SSL(IP, 1993, ssl_context=tls_context())
	    else:
	        c = imaplib.IMAP4(IP, 1143)
	    if tls == "starttls":
	        assert c.starttls(tls_context())[0] == "OK"
	    assert c.login("mox@localhost", "moxmoxmox")[0] == "OK"
	    box = "lib/" + tls
	    assert c.create(box)[0] == "OK"
	    when = imaplib.Time2Internaldate(time.time())
	    for i in range(3):
	        assert c.append(box, "(\\Seen)" if i else None, when, message(f"n{i}").encode())[0] == "OK"
	    assert c.select(box) == ("OK", [b"3"])
	    assert c.search(None, "UNSEEN") == ("OK", [b"1"])
	    assert c.search("UTF-8", "SUBJECT", "n2") == ("OK", [b"3"])
	    typ, data = c.fetch("1:3", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
	    assert [d[1] for d in data if isinstance(d, tuple)] == [b"Subject: n%d\r\n\r\n" % i for i in range(3)], data
	    assert c.store("2", "+FLAGS", "(\\Deleted)")[0] == "OK"
	    assert c.copy("1", "Archive")[0] == "OK"
	    assert c.uid("MOVE", "3", "Archive")[0] == "OK"
	    assert c.expunge() == ("OK", [b"3", b"2"])  # MOVE's among them
	    assert c.status(box, "(MESSAGES UNSEEN)")[1] == [b'"%s" (MESSAGES 1 UNSEEN 1)' % box.encode()]
	    assert c.list('""', '"lib/*"')[0] == "OK"
	    assert c.namespace()[1] == [b'(("" "/")) (("Other Users/" "/")) NIL']
	    assert c.close()[0] == "OK"
	    assert c.rename(box, box + "2")[0] == "OK"
	    assert c.delete(box + "2")[0] == "OK"
	    assert c.logout()[0] == "BYE"
	EOF
}

# mbsync NAME: with a Maildir of that name, all mailboxes both ways.
sync_with() {
	cat >"$BATS_TEST_TMPDIR/$1.rc" <<-EOF
	IMAPStore far
	Host $IP
	Port 1143
	User mox@localhost
	Pass moxmoxmox
	SSLType None
	AuthMechs LOGIN

	MaildirStore near
	Inbox $BATS_TEST_TMPDIR/$1/INBOX
	SubFolders Maildir++

	Channel all
	Far :far:
	Near :near:
	Patterns INBOX Archive
	Create Both
	Expunge Both
	SyncState *
	EOF
	mkdir -p "$BATS_TEST_TMPDIR/$1"
	mbsync -c "$BATS_TEST_TMPDIR/$1.rc" -a
}

# Flags and content of a Maildir, whatever the names of files.
content_of() {
	python3 - "$1" <<-'EOF'
	import glob, hashlib, re, sys
	for line in sorted(
	        hashlib.sha1(re.sub(rb"(?m)^X-TUID.*\n", b"", open(path, "rb").read())).hexdigest()
	        + " " + path.partition(":2,")[2].partition("/")[0]
	        for path in glob.glob(sys.argv[1] + "/[cn][ue][rw]/*")):
	    print(line)
	EOF
}

@test "mbsync: 2,000 messages with flags there and back, changes on both sides" {
	need mbsync
	near=$BATS_TEST_TMPDIR/one
	mkdir -p "$near"/INBOX/{cur,new,tmp}
	python3 - "$near/INBOX/cur" <<-'EOF'
	import sys
	flags = ["", "S", "RS", "F", "FS", "D", "FRS"]
	for i in range(2000):
	    with open(f"{sys.argv[1]}/{1700000000 + i}.{i}.here:2,{flags[i % 7]}", "w", newline="") as f:
	        f.write(f"From: a{i}@example.org\nTo: mox@localhost\nSubject: number {i}\n"
	                f"Message-ID: <{i}@example.org>\n\nline of {i}\n" + "text\n" * (i % 50))
	EOF
	sync_with one
	sync_with two
	[ "$(content_of "$near/INBOX" | wc -l)" = 2000 ]
	diff <(content_of "$near/INBOX") <(content_of "$BATS_TEST_TMPDIR/two/INBOX")
	# Flags, deletions and new messages on one side and on the server.
	(cd "$near/INBOX/cur" && for f in *.1[0-9][0-9].here*:2,S; do mv "$f" "${f%S}FRS"; done)
	rm "$near"/INBOX/cur/*.5[0-9].here*
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("SELECT INBOX")
	c.ok("STORE 1501:1600 FLAGS.SILENT (\\Answered \\Seen)")
	c.ok("STORE 1701:1710 +FLAGS.SILENT (\\Deleted)")
	c.ok("EXPUNGE")
	c.append("INBOX", message("new"))
	EOF
	sync_with one
	sync_with two
	sync_with one
	[ "$(content_of "$near/INBOX" | wc -l)" = 1981 ]
	diff <(content_of "$near/INBOX") <(content_of "$BATS_TEST_TMPDIR/two/INBOX")
	sync_with three
	diff <(content_of "$near/INBOX") <(content_of "$BATS_TEST_TMPDIR/three/INBOX")
	[ "$(state INBOX | tail -n +2 | wc -l)" = 1981 ]
}

# mutt on a folder in a terminal that is none; keys are typed at once.
type_mutt() {
	local folder=$1 keys=$2
	mkdir -p "$BATS_TEST_TMPDIR/muttmail"
	cat >"$BATS_TEST_TMPDIR/muttrc" <<-EOF
	set imap_user=mox@localhost imap_pass=moxmoxmox
	set certificate_file=$DIR/localhost.crt ssl_verify_host=no
	set confirmappend=no delete=yes confirmcreate=no move=no wait_key=no
	set header_cache="" mail_check=1 timeout=1 quit=yes copy=no
	set folder=$BATS_TEST_TMPDIR/muttmail spoolfile=$folder
	unset imap_passive
	EOF
	TERM=xterm timeout 60 script -qec \
		"mutt -F $BATS_TEST_TMPDIR/muttrc -f '$folder' -e 'push \"$keys\"'" \
		/dev/null </dev/null >"$BATS_TEST_TMPDIR/mutt.out" 2>&1
}

@test "mutt, over IMAP and directly on the Maildir" {
	need mutt script
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	for i in range(10):
	    c.append("INBOX", message(f"m{i}"))
	c.ok("CREATE kept")
	EOF
	export HOME=$BATS_TEST_TMPDIR
	type_mutt "imap://$IP:1143/INBOX" \
		"<tag-pattern>~s m3\$<enter><tag-prefix><flag-message><untag-pattern>~A<enter><delete-pattern>~s m4\$<enter><tag-pattern>~s m[56]\$<enter><tag-prefix><save-message>imap://$IP:1143/kept<enter><sync-mailbox><exit>"
	state INBOX >"$BATS_TEST_TMPDIR/state"
	cat "$BATS_TEST_TMPDIR/state"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/state")" = 8 ]
	grep -q '^4 .*\\Flagged' "$BATS_TEST_TMPDIR/state"
	[ "$(state kept | wc -l)" = 3 ]
	# The same mailbox as files, while a session has it open.
	py <<-EOF
	import subprocess, os
	from mailtest import *
	c = Imap()
	c.ok("SELECT INBOX")
	subprocess.run(["bash", "-c", r'''
	$(declare -f type_mutt)
	type_mutt "$(maildir)" '<tag-pattern>~s m7\$<enter><tag-prefix><flag-message><untag-pattern>~A<enter><delete-pattern>~s m8\$<enter><sync-mailbox><exit>'
	'''], check=True)
	lines = []
	for i in range(100):
	    lines += c.ok("NOOP").lines
	    if any("EXPUNGE" in l for l in lines) and any("Flagged" in l for l in lines):
	        break
	    import time
	    time.sleep(0.1)
	assert "* 6 EXPUNGE" in lines, lines
	assert any(re.search(r"FETCH \(UID 8 FLAGS \(.*\\\\Flagged", l) for l in lines), lines
	EOF
	state INBOX >"$BATS_TEST_TMPDIR/state"
	grep -q '^8 .*\\Flagged' "$BATS_TEST_TMPDIR/state"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/state")" = 7 ]
}
