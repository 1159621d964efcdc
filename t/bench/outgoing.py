"""
Submission and the queue, beside Postfix (passwords: Dovecot): messages a
second into the queue, out of it to a smarthost, and how long one alone takes.
"""
import os
import shutil
import smtplib
import socketserver
import ssl
import statistics
import subprocess
import sys
import threading
import time

import names
import peers

SINK = ("127.90.0.6", 2525)
SINK_OF_DOMAINS = ("0.0.0.0", peers.DOMAINS_PORT)
SYNCS = "fsync,fdatasync,syncfs,sync_file_range,sync"
SENDER = {"mox": "mox@localhost", "postfix": "a@example.org"}


class Sink:
    """smtp-sink, which counts in a file: "sess=1 quit=0 mesg=5" at its end."""

    def __init__(self, folder, address=SINK):
        self.path, self.address = f"{folder}/sink", address

    def __enter__(self):
        with open(self.path, "w") as out:
            self.process = subprocess.Popen(
                ["smtp-sink", "-u", "nobody", "-c",
                 "%s:%d" % self.address, "1000"], stdout=out)
        peers.wait_port(*self.address)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def count(self):
        with open(self.path, "rb") as f:
            f.seek(max(0, os.path.getsize(self.path) - 200))
            tail = f.read().rpartition(b"mesg=")[2].split()
        return int(tail[0]) if tail else 0

    def wait(self, want, seconds=300):
        begin = time.monotonic()
        while self.count() < want:
            if time.monotonic() - begin > seconds:
                raise RuntimeError(f"{self.count()} of {want} messages "
                                   "came to the sink")
            time.sleep(0.01)


def submit(server, binaries, count, how=None):
    """Messages a second, CPU ms a message; they stay in the queue."""
    ip, port = server.fill_port()
    cpu = server.cpu()
    out = subprocess.run(
        [f"{binaries}/t/bin/submit", ip, str(port), server.login,
         peers.PASSWORD, SENDER[server.name], "4", str(count), "4096",
         *([how] if how else [])],
        check=True, capture_output=True, text=True).stdout
    time.sleep(0.2)
    return float(out), (server.cpu() - cpu) * 1000 / count


def deliver(server, folder, count, address=SINK):
    """From the start of the queue runner to the last message."""
    with Sink(folder, address) as sink:
        begin = time.monotonic()
        cpu = server.release()
        sink.wait(count)
        took = time.monotonic() - begin
        time.sleep(0.5)
        return count / took, (server.cpu() - cpu) * 1000 / count


def both(report, name, row, unit="msg/s"):
    (ours, theirs) = row
    report(name, unit, ours[0], theirs[0])
    report("  server CPU", "ms/msg", ours[1], theirs[1], False)


def queue(report, binaries, folder, servers, n):
    """Both fill their queue, and empty it."""
    for each, name in ((True, "one"), (False, "many")):
        row = []
        for s in servers:
            s.hold()
            row.append(submit(s, binaries, n(500), "each") if each
                       else submit(s, binaries, n(4500)))
        both(report, f"submission 4 KB, 4 TLS connections, {name} on each",
             row)
    count = n(500) + n(4500)
    row = [deliver(s, folder, count) for s in servers]
    both(report, f"queue: {count} messages to a smarthost", row)


# ---- to one destination, to many ----

def syncs(server, binaries, folder, count):
    """Syncs a message, by strace: all of those that the queue runner and its
    deliveries, or all of Postfix, do meanwhile."""
    trace = f"{folder}/{server.name}.syncs"
    server.hold()
    submit(server, binaries, count)
    server.tracer = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", trace,
                     "-e", f"trace={SYNCS}"]
    try:
        deliver(server, folder, count)
    finally:
        server.tracer = []
    with open(trace, encoding="utf-8") as f:
        return sum("sync" in line and "resumed" not in line for line in f
                   ) / count


def delivery(report, binaries, folder, servers, n):
    """The queue is filled, and then emptied to sinks that take all."""
    count = n(5000)
    for how, address, name in (
            (None, SINK, "one destination"),
            (str(peers.DOMAINS), SINK_OF_DOMAINS,
             f"{peers.DOMAINS} destinations")):
        row = []
        for s in servers:
            s.hold()
            submit(s, binaries, count, how)
            row.append(deliver(s, folder, count, address))
        both(report, f"queue: {count} messages to {name}", row)
    if shutil.which("strace"):
        row = [syncs(s, binaries, folder, n(500)) for s in servers]
        report("  syncs, to one", "1/msg", *row, False)
    by_mx(report, binaries, folder, servers, count)


def by_mx(report, binaries, folder, servers, count):
    """The same by the MX records of the domains."""
    row = []
    with names.Names(folder) as dns:
        for s in servers:
            s.hold()
            submit(s, binaries, count, str(peers.DOMAINS))
            try:
                with s.by_mx(dns):
                    row.append(deliver(s, folder, count, SINK_OF_DOMAINS))
            except RuntimeError as e:
                print(f"by MX: no figures of {s.name}: {e}", file=sys.stderr)
                row.append((None, None))
    both(report, f"queue: {count} messages to {peers.DOMAINS} domains by MX",
         row)


# ---- one alone ----

class Handler(socketserver.StreamRequestHandler):
    """Of a smarthost that notes when a message is there."""
    disable_nagle_algorithm = True

    def say(self, line):
        self.wfile.write(line + b"\r\n")

    def data(self):
        self.say(b"354 go on")
        while self.rfile.readline() not in (b".\r\n", b""):
            pass
        self.server.came = time.monotonic()
        self.say(b"250 2.0.0 taken")
        self.server.event.set()

    def handle(self):
        self.say(b"220 sink ESMTP")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.data()
            elif word == b"EHLO":
                self.say(b"250-sink\r\n250 PIPELINING")
            else:
                self.say(b"250 2.0.0 ok")
            if word == b"QUIT":
                return


class Smarthost(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def latencies(server, count, pause):
    """ms from the answer to the client to the end of the message at the
    smarthost, each after a pause."""
    context = ssl._create_unverified_context()
    took = []
    with Smarthost(SINK, Handler) as sink:
        sink.event = threading.Event()
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        with smtplib.SMTP(*server.submission) as client:
            client.starttls(context=context)
            client.login(server.login, peers.PASSWORD)
            sender = SENDER[server.name]
            for _ in range(count):
                time.sleep(pause)
                sink.event.clear()
                client.sendmail(sender, ["r@far.example"],
                                f"From: <{sender}>\r\nSubject: x\r\n\r\nx\r\n")
                done = time.monotonic()
                if not sink.event.wait(30):
                    raise RuntimeError(f"{server.name}: nothing came")
                took.append((sink.came - done) * 1000)
        sink.shutdown()
    return statistics.median(took)


def latency(report, servers, n):
    for s in servers:
        s.hold()
        s.release()
    for pause, count, label in ((0.2, n(30), "one every 0.2 s"),
                                (4, 5, "after 4 s of nothing")):
        row = [latencies(s, count, pause) for s in servers]
        report(f"submission to smarthost, {label}", "ms", *row, False)
