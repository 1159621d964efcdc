#!/usr/bin/env bats
# mox admin imapserve: a session of IMAP without a password, on a pipe.

bats_require_minimum_version 1.5.0
load helper

setup() {
	start_server -loglevel error
	export MOXCONF=$DIR/mox.conf
}
teardown() { stop_background; }

serve_as() { mox admin imapserve "$@"; }
deliver() {
	printf 'Subject: %s\r\n\r\nhello\r\n' "$1" >"$BATS_TEST_TMPDIR/m"
	curl -sS -u mox@localhost:moxmoxmox -T "$BATS_TEST_TMPDIR/m" "imap://$IP:1143/INBOX"
}

@test "imapserve: greeted by PREAUTH, the mail of the account, commands on a pipe" {
	deliver one
	printf '1 STATUS Inbox (MESSAGES)\r\n2 EXAMINE Inbox\r\n3 FETCH 1 ENVELOPE\r\n4 LOGOUT\r\n' |
		serve_as mox@localhost | tr -d '\r' >"$BATS_TEST_TMPDIR/out"
	head -n 1 "$BATS_TEST_TMPDIR/out" | grep -q '^\* PREAUTH \[CAPABILITY .*IMAP4rev2.*\] .*mox@localhost$'
	! grep -q ' AUTH=' "$BATS_TEST_TMPDIR/out" || false
	grep -qi '^\* STATUS .*inbox.* (MESSAGES 1)' "$BATS_TEST_TMPDIR/out"
	grep -q '^\* 1 FETCH .*"one"' "$BATS_TEST_TMPDIR/out"
	grep -q '^4 OK' "$BATS_TEST_TMPDIR/out"
}

@test "imapserve: no address, unknown ones, unknown commands" {
	run -2 serve_as
	run -2 mox admin serve mox@localhost
	run -1 serve_as nobody@elsewhere.example
	[[ $output == *"nobody@elsewhere.example: no address of an account"* ]]
	run -1 serve_as ''
}

@test "imapserve: ends with its input, and as root leaves nothing that is root's" {
	serve_as mox@localhost </dev/null | grep -q PREAUTH
	printf '1 CREATE made\r\n' | serve_as mox@localhost >/dev/null
	[ -z "$(find "$DIR/data/accounts" ! -uid "$(stat -c %u "$DIR/data")")" ]
	curl -sS -u mox@localhost:moxmoxmox "imap://$IP:1143/" | grep -q made
}

@test "imapserve: imaplib over its pipe, and over a socket with -fd0" {
	PYTHONPATH=$BATS_TEST_DIRNAME MOX=$BATS_TEST_DIRNAME/../bin/mox python3 - <<-'EOF'
	import imaplib, os, socket, subprocess
	mox = [os.environ["MOX"], "admin", "imapserve"]
	c = imaplib.IMAP4_stream(" ".join(mox + ["mox@localhost"]))
	assert c.state == "AUTH", c.state
	c.create("a")
	assert c.append("a", None, None, b"Subject: x\r\n\r\ny\r\n")[0] == "OK"
	# Another session sees it come.
	ours, theirs = socket.socketpair()
	p = subprocess.Popen(mox + ["-fd0", "mox@localhost"], stdin=theirs, stdout=subprocess.DEVNULL)
	theirs.close()
	f = ours.makefile("rwb", buffering=0)
	assert f.readline().startswith(b"* PREAUTH ")
	f.write(b"1 SELECT a\r\n")
	while not (line := f.readline()).startswith(b"1 "):
	    pass
	assert line.startswith(b"1 OK"), line
	f.write(b"2 IDLE\r\n")
	assert f.readline().startswith(b"+ ")
	assert c.append("a", None, None, b"Subject: x\r\n\r\nz\r\n")[0] == "OK"
	assert f.readline() == b"* 2 EXISTS\r\n"
	f.write(b"DONE\r\n")
	ours.shutdown(socket.SHUT_WR)
	while f.readline():
	    pass
	assert p.wait(20) == 0
	c.logout()
	EOF
}

@test "imapserve: mbsync through it" {
	need mbsync
	deliver tunnelled
	cat >"$BATS_TEST_TMPDIR/rc" <<-EOF
	IMAPAccount a
	Tunnel "$BATS_TEST_DIRNAME/../bin/mox admin imapserve mox@localhost"

	IMAPStore far
	Account a

	MaildirStore near
	Path $BATS_TEST_TMPDIR/near/
	Inbox $BATS_TEST_TMPDIR/near/INBOX

	Channel c
	Far :far:
	Near :near:
	Patterns INBOX
	Create Near
	SyncState *
	EOF
	mkdir "$BATS_TEST_TMPDIR/near"
	mbsync -q -c "$BATS_TEST_TMPDIR/rc" c
	grep -rq 'Subject: tunnelled' "$BATS_TEST_TMPDIR/near/INBOX"
}
