#!/usr/bin/env bats
# The jails of running services, seen from /proc while a client is connected:
# every process that reads what a client sends is under seccomp, without new
# privileges, and has no descriptor it does not need. What a jailed process
# that tries gets is tested in service.bats and sandbox.c.

load helper

setup_file() {
	start_shared_server -loglevel error
	cat >"$DIR/words.py" <<'EOF'
from mailtest import *
import processes
SANITIZER = "/asan/" in os.environ["MOX_T"]  # keeps descriptors 1 and 2
def status(pid):
    text = open(f"/proc/{pid}/status").read()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
def jailed(pid):
    st = status(pid)
    eq((st["Seccomp"].strip(), st["NoNewPrivs"].strip()), ("2", "1"))
    eq(int(st["CapEff"], 16) if os.getuid() else 0, 0)
def descriptors(pid):
    """What each is: "socket", or a path."""
    out = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = os.readlink(f"/proc/{pid}/fd/{fd}")
        if not (SANITIZER and fd in ("0", "1", "2")):
            out.append(path.split(":")[0])
    return sorted(out)
def front_and_back(c):
    """Of a connection; the back may be one that others have too."""
    pids = processes.of_connection(c.sock)
    front, = [p for p in pids if processes.role(p) == "front"]
    return front, [p for p in pids if processes.role(p) == "back"][0]
EOF
}

teardown_file() { stop_background; }

py() { cat "$DIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "SMTP: front and back, before and after TLS, login and delivery" {
	py <<-'EOF'
	def check(s):
	    front, back = front_and_back(s)
	    jailed(front)
	    jailed(back)
	    # The client and the back; nothing else.
	    eq(descriptors(front), ["socket", "socket"])
	    held = descriptors(back)
	    assert not any(p.endswith((".key", ".crt", "passwd")) for p in held), held
	s = Smtp(ehlo=False)
	check(s)
	s = Smtp(1587)
	s.expect(220, "STARTTLS")
	s.starttls()
	s.expect(250, "EHLO x")
	check(s)
	eq(s.auth_plain()[0], 235)
	check(s)
	s.expect(250, "MAIL FROM:<mox@localhost>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(354, "DATA")
	s.expect(250, "From: mox@localhost\r\n\r\nx\r\n.")
	check(s)
	check(Smtp(1465, tls=True))
	EOF
}

@test "IMAP: front and back before login, the session and its relay after" {
	py <<-'EOF'
	c = Imap(login=False)
	front, back = front_and_back(c)
	jailed(front)
	jailed(back)
	eq(descriptors(front), ["socket", "socket"])
	c.ok(f"LOGIN {USER} {PASSWORD}")
	c.ok("SELECT INBOX")
	for pid in processes.of_connection(c.sock):
	    jailed(pid)
	c = Imap(1993, tls=True)
	c.ok("SELECT INBOX")
	relay, session = front_and_back(c)
	jailed(relay)
	jailed(session)
	eq(descriptors(relay), ["socket", "socket"])
	EOF
}

@test "the accepting parents, which read nothing from clients, are jailed too" {
	py <<-'EOF'
	smtp, imap = Smtp(), Imap(login=False)
	for c in smtp, imap:
	    front, back = front_and_back(c)
	    jailed(int(status(back)["PPid"]))
	front, back = front_and_back(smtp)
	eq(status(front)["PPid"], status(back)["PPid"])
	front, back = front_and_back(imap)
	eq(status(front)["PPid"], str(back))
	EOF
}
