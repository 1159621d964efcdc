#!/usr/bin/env bats
# Parked sessions: they give up their process while they wait, and go on as they
# were. The server parks after 0.2 seconds.

load helper

setup_file() {
	start_shared_server -loglevel info -park 0.2
	cat >"$DIR/words.py" <<'EOF'
from mailtest import *
import processes, time
def parked(c):
    """Is the plaintext of this connection with the process that parks?"""
    return [processes.role(p) for p in processes.of_connection(c.sock)] == ["park"]
def park(*clients):
    for c in clients:
        wait_for(lambda: parked(c))
EOF
}

teardown_file() { stop_background; }

py() { cat "$DIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "between commands: parked, and input resumes" {
	py <<-'EOF'
	c = Imap()
	park(c)
	c.ok("NOOP")
	park(c)
	c.ok("SELECT INBOX")
	park(c)
	c.ok("FETCH 1:* FLAGS")
	park(c)
	# What is pipelined, and in pieces.
	c.send("a NOOP\r\nb NO")
	eq(c.line(), b"a OK NOOP done")
	c.send("OP\r\n")
	eq(c.line(), b"b OK NOOP done")
	EOF
}

@test "IDLE: a change resumes, and DONE with the right tag" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	c.ok("SELECT INBOX")
	c.send("x1 IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c)
	d.ok("APPEND INBOX {4+}\r\nx: y")
	assert c.line().endswith(b" EXISTS")
	assert b" FETCH (UID " in c.line()
	park(c)
	c.send("DONE\r\n")
	eq(c.line(), b"x1 OK IDLE done")
	EOF
}

@test "what is told of other mailboxes is told to a parked session, too" {
	py <<-'EOF'
	c, d = Imap(), Imap()
	# Without a mailbox: the list, and annotations.
	c.ok("ENABLE METADATA IMAP4rev2")
	c.send("i1 IDLE\r\n")
	eq(c.line(), b"+ waiting")
	park(c)
	d.ok("CREATE parked")
	eq(c.line(), b'* LIST (\\Subscribed) "/" "parked"')
	park(c)
	d.ok('SETMETADATA parked (/private/comment "x")')
	eq(c.line(), b'* METADATA "parked" /private/comment')
	park(c)
	d.ok("RENAME parked unparked")
	eq(c.line(), b'* LIST (\\Subscribed) "/" "unparked" ("OLDNAME" ("parked"))')
	c.send("DONE\r\n")
	eq(c.line(), b"i1 OK IDLE done")
	# Between commands: after the next.
	park(c)
	d.ok("DELETE unparked")
	eq(c.ok("NOOP").lines, ['* LIST (\\Subscribed \\NonExistent) "/" "unparked"'])
	# NOTIFY NONE stays so; what asks for more needs its process.
	c.ok("SELECT Inbox")
	c.ok("NOTIFY NONE")
	park(c)
	d.append("Inbox", message("x"))
	eq(c.ok("NOOP").lines, [])
	park(c)
	eq(c.ok("NOOP").lines, [])
	assert c.ok("NOTIFY SET (selected (MessageNew MessageExpunge))").has(" EXISTS$")
	time.sleep(1)
	assert not parked(c)
	d.append("Inbox", message("y"))
	assert c.line().endswith(b" EXISTS")
	EOF
}
