#!/usr/bin/env bats
# UNAUTHENTICATE (RFC 8437): another user on the same connection.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel info -park 0.2
	export SERVER_PID BACKGROUND_PIDS
	mox-config -config "$DIR/mox.conf" account add other other@localhost
	printf 'moxmoxmox\nmoxmoxmox\n' | mox-setaccountpassword -config "$DIR/mox.conf" other
	sleep 1.1 # accounts are looked for once a second
}

teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "one user after the other; nothing of the first is left" {
	py <<-'EOF'
	from mailtest import *
	for port, tls in (1143, False), (1993, True):
	    c = Imap(port, tls=tls)
	    assert c.ok("CAPABILITY").has(r" UNAUTHENTICATE\b")
	    c.cmd("CREATE mine")
	    c.ok("ENABLE QRESYNC UTF8=ACCEPT")
	    c.ok("SELECT INBOX")
	    c.append("INBOX", message("x"), flags="(\\Deleted)")
	    c.ok("SEARCH RETURN (SAVE) ALL")
	    a = c.ok("UNAUTHENTICATE")
	    assert not a.has("EXPUNGE|VANISHED"), a
	    # As with a new connection: no command of a session, no greeting.
	    a = c.no("SELECT INBOX")
	    a = c.ok("CAPABILITY")
	    assert a.has(r" AUTH=PLAIN\b") and not a.has("UNAUTHENTICATE"), a
	    assert tls == (not a.has("STARTTLS")), a
	    assert tls == a.has(r" AUTH=SCRAM-SHA-256-PLUS\b"), a
	    c.no("LOGIN other@localhost wrong")
	    c.ok("LOGIN other@localhost moxmoxmox")
	    assert not c.ok('LIST "" *').has("mine")
	    c.ok("SELECT INBOX")
	    eq(c.ok("UID SEARCH ALL").lines, ["* SEARCH"])
	    c.bad("SELECT INBOX (QRESYNC (1 1))")  # not enabled
	    # And back, parked in between.
	    import time
	    time.sleep(0.6)
	    c.ok("UNAUTHENTICATE")
	    c.ok(f"LOGIN {USER} {PASSWORD}")
	    c.ok("SELECT INBOX")
	    a = c.ok("UID SEARCH ALL")
	    assert a.has(r"^\* SEARCH 1"), a
	    c.ok("LOGOUT")
	    eq(c.rest(), b"")
	EOF
}

@test "pipelined: what follows is for who is not logged in" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.send("a UNAUTHENTICATE\r\nb SELECT INBOX\r\nc LOGIN other@localhost moxmoxmox\r\nd SELECT INBOX\r\n")
	assert c.line().startswith(b"a OK ")
	assert c.line().startswith(b"b NO ")
	assert c.line().startswith(b"c OK ")
	while not c.line().startswith(b"d OK "):
	    pass
	EOF
}

@test "TLS facts hold: SCRAM with channel binding, a client certificate, no STARTTLS twice" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(1993, tls=True)
	c.ok("UNAUTHENTICATE")
	c.bad("STARTTLS")
	# Without TLS there can be some later.
	c = Imap()
	c.ok("UNAUTHENTICATE")
	c.ok("STARTTLS")
	c.starttls()
	c.ok(f"LOGIN {USER} {PASSWORD}")
	c.ok("UNAUTHENTICATE")
	c.ok(f"LOGIN {USER} {PASSWORD}")
	EOF
}

@test "errors: arguments, COMPRESS, not before log-in" {
	py <<-'EOF'
	from mailtest import *
	c = Imap(login=False)
	c.no("UNAUTHENTICATE")
	c = Imap()
	c.bad("UNAUTHENTICATE x")
	c.compress()
	assert c.no("UNAUTHENTICATE").text.startswith("[CANNOT]")
	c.ok("NOOP")
	EOF
}

@test "failed log-ins still count" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("UNAUTHENTICATE")
	for i in range(3):
	    assert c.no("LOGIN other@localhost wrong").text.startswith("[AUTHENTICATIONFAILED]")
	EOF
	eventually grep -q 'login attempt.*result=badcreds\|login attempt.*result=badpassword' "$BATS_FILE_TMPDIR/server.log"
}
