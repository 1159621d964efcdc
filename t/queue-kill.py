"""A queue, two runners, and a receiver that counts: kill -9 of runners,
starters, deliveries and their warm parents at random moments, and a receiver that now and then
refuses for a while, is slow, or hangs up behind the final dot.

Nothing may be lost. A message may come twice only if what took it the first
time cannot know that the other side heard its 250: no command followed.

Usage: queue-kill.py FOLDER IP MESSAGES KILLS [DOMAINS]; MOX_TEST_SEED begins
with the same random numbers. With DOMAINS messages are to d0.example, ... in
turn, which have MX records in $MOX_DNS_ZONE; else to x.example by a route.
"""
import glob
import os
import random
import signal
import socketserver
import subprocess
import sys
import threading
import time

FOLDER, IP, MESSAGES, KILLS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
DOMAINS = int(sys.argv[5]) if len(sys.argv) > 5 else 0
SEED = int(os.environ.get("MOX_TEST_SEED", time.time()))
print("seed", SEED, flush=True)
dice = random.Random(SEED)
QUEUE = FOLDER + "/data/queue"
lock = threading.Lock()
takings = []  # [recipient, heard]


class Receiver(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        taken, rcpts = [], []
        self.say("220 counting")
        for line in self.rfile:
            for one in taken:  # it goes on: it has read the answer
                one[1] = True
            taken = []
            word = line[:4].upper()
            if word == b"EHLO":
                self.say("250-counting")
                self.say("250 PIPELINING")
            elif word == b"RCPT":
                if quiet or dice.random() > 0.03:
                    rcpts.append(line.split(b"<")[1].split(b">")[0].decode())
                    self.say("250 ok")
                else:
                    self.say("451 not now")
            elif word == b"DATA":
                if not rcpts:
                    self.say("554 nobody")
                    continue
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                time.sleep(dice.random() / 200)
                taken = [[to, False] for to in rcpts]
                with lock:
                    takings.extend(taken)
                rcpts = []
                if not quiet and dice.random() < 0.02:
                    return
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                rcpts = [] if word in (b"RSET", b"MAIL") else rcpts
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, address):
        pass  # killed clients


def start():
    return subprocess.Popen(["mox-queued", "-config", FOLDER + "/mox.conf"],
        stderr=open(FOLDER + "/queued.log", "a"), stdin=subprocess.DEVNULL)


def processes():
    """Starters, runners, deliveries, their warm parents, and what answers DNS
    for them, of this folder, by /proc."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                args = open(f"/proc/{entry}/cmdline").read()
            except OSError:
                continue
            if FOLDER + "/mox.conf" in args:
                yield int(entry)


def left():
    return [f for d in ("todo", "due", "active", "msg", "hold")
        for f in glob.glob(f"{QUEUE}/{d}/**", recursive=True)
        if os.path.isfile(f)]


def again():
    """What was delayed is due now; FIFOs are poked as any program would."""
    for item in glob.glob(QUEUE + "/due/2*/*"):
        try:
            os.rename(item, QUEUE + "/due/now/" + os.path.basename(item))
        except OSError:
            pass
    for fifo in glob.glob(FOLDER + "/run/watch/queue/*"):
        try:
            fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, b"x")
            os.close(fd)
        except OSError:
            pass


quiet = KILLS == 0
server = Server((IP, 2525), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()


def add(to, count):
    return subprocess.Popen([os.environ["MOX_T"] + "/bin/queuectl", "-number", "-n", str(count),
        FOLDER + "/data", to], stdin=open(FOLDER + "/message"), stdout=subprocess.DEVNULL)


tos = [f"a@d{i}.example" for i in range(DOMAINS)] or ["a@x.example"]
each = MESSAGES // len(tos)
adders = [add(to, each) for to in tos]
runners = [start(), start()]
for _ in range(KILLS):
    time.sleep(dice.random() * 0.3)
    victims = list(processes())
    if victims:
        try:
            os.kill(dice.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            pass
    runners = [r if r.poll() is None else start() for r in runners]
    again()
assert not any(adder.wait() for adder in adders)
quiet = True
end = time.monotonic() + 120
while left():
    assert time.monotonic() < end, f"still there: {left()[:10]}"
    runners = [r if r.poll() is None else start() for r in runners]
    again()
    time.sleep(0.2)
for r in runners:
    r.terminate()
for r in runners:
    r.wait()
server.shutdown()

counts = {}
for to, heard in takings:
    counts.setdefault(to, []).append(heard)
lost = [f"{n}.{to}" for n in range(1, each + 1) for to in tos if f"{n}.{to}" not in counts]
assert not lost, f"lost: {lost[:10]} of {len(lost)}"
assert len(counts) == each * len(tos), "more than was sent"
# All but one of those that came several times went without an echo.
wrong = {to: v for to, v in counts.items() if v.count(True) > 1}
assert not wrong, f"sent again though answered: {list(wrong.items())[:10]}"
twice = sum(len(v) > 1 for v in counts.values())
assert KILLS or not twice, f"{twice} twice without a kill"
print(f"{MESSAGES} messages, {KILLS} kills, {twice} twice")
