#!/usr/bin/env bats
# Parked sessions of lib/service, through t/bin/echod: whose they are, what a
# session may say of itself, and what happens when processes die.
load helper

setup() {
	export IP PORT=4000 DIR=$BATS_TEST_TMPDIR
	IP=$(own_ip)
	mkdir -p "$DIR/run" "$DIR/files"
	LOG=$DIR/log
	cat >"$DIR/words.py" <<'EOF'
import os, re, signal, socket, subprocess, time
class Client:
    def __init__(self, *lines):
        self.sock = socket.create_connection((os.environ["IP"], int(os.environ["PORT"])), 30)
        self.file = self.sock.makefile("rb")
        self.hear("ok hello")
        for line in lines:
            self.say(line)
    def send(self, line):
        self.sock.sendall(line.encode() + b"\n")
    def line(self):
        return self.file.readline().decode().rstrip("\r\n")
    def hear(self, text):
        got = self.line()
        assert re.fullmatch(text, got), (got, text)
    def say(self, line, answer="ok .*"):
        self.send(line)
        self.hear(answer)
def session(who="joe"):
    return Client(f"ask login {who}", "session")
def children(of):
    out = subprocess.run(["pgrep", "-P", str(of)], capture_output=True, text=True)
    return [int(p) for p in out.stdout.split()]
def role(pid):
    try:
        return open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        return ""
PARENT = children(os.environ["PID"])[-1]
def park_pid():
    return next((p for p in children(PARENT) if role(p) == "echod:park"), 0)
def backs():
    return [p for p in children(PARENT) if role(p) != "echod:park"]
def until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "never true"
        time.sleep(0.02)
def parked(c, ms=600000, state="state"):
    c.send(f"park {ms} {state}")
EOF
}

teardown() { stop_background; }

start() {
	background systemd-socket-activate -l "$IP:$PORT" --fdname=login.public \
		-E ASAN_OPTIONS -E UBSAN_OPTIONS \
		"$MOX_T/bin/echod" -exempt -run "$DIR/run" "$@" 2>"$LOG"
	export PID=$BACKGROUND_PID
	eventually port_open "$IP" "$PORT" # then it is started
	eventually answers
}
answers() { (exec 9<>"/dev/tcp/$IP/$PORT" && echo quit >&9 && read -r -u 9 -t 30); }
py() { cat "$DIR/words.py" - | python3 -; }
logged() { grep -qE "$1" "$LOG"; }

@test "parked, and resumed by input: who it was at log-in, with its state" {
	start
	py <<-'EOF'
	c = session()
	parked(c, state="some state")
	until(lambda: park_pid() and not backs())
	c.say("hi", r"ok resumed joe some state 127\..*")
	c.hear("ok session hi")
	parked(c, state="x" * 900)
	until(lambda: not backs())
	c.send("one\ntwo")
	c.hear("ok resumed joe x{900} .*")
	c.hear("ok session one")
	c.hear("ok session two")
	c.say("quit", "ok bye")
	assert c.line() == ""
	EOF
}

@test "resumed at its end" {
	start
	py <<-'EOF'
	c = session()
	parked(c, ms=100)
	c.hear("ok resumed joe state .*")
	c.say("hi", "ok session hi")
	EOF
}

@test "a session cannot become another's: what it claims later is not believed" {
	start
	py <<-'EOF'
	c = session()
	c.say("claim root")
	parked(c, state="who=root")
	c.say("claim root", "ok resumed joe who=root .*")
	c.hear("ok session claim root")
	parked(c, state="root")
	c.say("x", "ok resumed joe root .*")
	c.hear("ok session x")
	# Nobody logged in, or nobody knows who: not parked.
	c = Client("session")
	c.say("park 10 x", "no park")
	c.say("hi", "ok session hi")
	c = Client("ask login", "session")
	c.say("park 10 x", "no park")
	EOF
}

@test "a connection begins again: the next log-in is another's, and only that" {
	start -unauth 2
	py <<-'EOF'
	c = session()
	c.say("restart", "ok again")
	c.say("hi", "ok hi")
	# It counts as one without a log-in again.
	d = Client()
	s = socket.create_connection((os.environ["IP"], int(os.environ["PORT"])), 30)
	assert s.makefile().readline() == "no busy\n"
	c.say("ask login bob", "ok in")
	c.say("session", "ok session")
	c.say("claim joe")
	parked(c)
	c.say("hi", "ok resumed bob state .*")
	c.hear("ok session hi")
	# What was sent behind it is kept.
	c.sock.sendall(b"restart\nask login eve\nsession\npark 60000 x\n")
	for text in "ok again", "ok in", "ok session":
	    c.hear(text)
	c.say("hi", "ok resumed eve x .*|ok session hi")
	# Who has not logged in cannot.
	d.say("session")
	d.say("restart", "ok session restart")
	EOF
}

@test "descriptors that cannot be waited for end their own connection only" {
	start -files "$DIR/files"
	py <<-'EOF'
	other = session("other")
	parked(other)
	until(lambda: not backs())
	for state in "regular", "nofolder":
	    c = session()
	    parked(c, state=state)
	    assert c.line() == "", state  # closed
	assert park_pid()
	other.say("hi", "ok resumed other state .*")
	EOF
}

@test "hang-up while parked frees the slot; parked connections count" {
	start -total 3
	py <<-'EOF'
	three = [session() for i in range(3)]
	for c in three:
	    parked(c)
	until(lambda: not backs())
	s = socket.create_connection((os.environ["IP"], int(os.environ["PORT"])), 30)
	assert s.makefile().readline() == "no busy\n"
	three[0].file.close()
	three[0].sock.close()
	def room():
	    try:
	        session()
	        return True
	    except (AssertionError, OSError):
	        return False
	until(room)
	EOF
	logged 'parked client is gone'
}

@test "killed: the process that parks, then what it has is over, and another is started" {
	start
	py <<-'EOF'
	c, d = session(), session()
	parked(c)
	until(lambda: len(backs()) == 1)
	old = park_pid()
	os.kill(old, signal.SIGKILL)
	assert c.line() == ""
	d.say("hi", "ok session hi")
	until(lambda: not park_pid())
	parked(d)
	until(lambda: park_pid() and not backs())
	assert park_pid() != old
	d.say("hi", "ok resumed joe state .*")
	EOF
	logged 'parked sessions died'
}

@test "SIGTERM, SIGUSR2, kill -9 of parent and keeper: parked clients are told" {
	for n in 1 2 3 4; do
		PORT=400$n
		start
		n=$n py <<-'EOF'
		c = session()
		parked(c)
		until(lambda: park_pid() and not backs())
		park, n = park_pid(), int(os.environ["n"])
		pid = PARENT if n == 3 else int(os.environ["PID"])
		os.kill(pid, [signal.SIGTERM, signal.SIGUSR2, signal.SIGKILL, signal.SIGKILL][n - 1])
		c.hear("no stopping")
		assert c.line() == ""
		until(lambda: not role(park))
		EOF
	done
}

@test "a resumed session is told to stop, and ends with its parent" {
	start
	py <<-'EOF'
	c = session()
	parked(c)
	until(lambda: not backs())
	c.say("hi", "ok resumed .*")
	c.hear("ok session hi")
	back, = backs()
	os.kill(PARENT, signal.SIGKILL)
	c.hear("no stopping")
	until(lambda: not role(back))
	EOF
}

@test "500 parked at once, resumed and parked again" {
	start -total 600
	py <<-'EOF'
	clients = [session(f"u{i}") for i in range(500)]
	for c in clients:
	    parked(c)
	until(lambda: not backs())
	for c in clients:
	    c.send("hi")
	for i, c in enumerate(clients):
	    c.hear(f"ok resumed u{i} state .*")
	    c.hear("ok session hi")
	    parked(c)
	until(lambda: not backs())
	clients[499].say("hi", "ok resumed u499 .*")
	for c in clients[:499]:
	    c.sock.close()
	EOF
}
