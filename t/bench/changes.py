"""IMAP changes of many messages in one command, and a client that comes back to
a mailbox it knows.
"""
import re
import socket
import statistics
import time

import fetching
import peers

BACK = 11  # times a client comes back


class Client:
    """One command after the other; answers as bytes."""

    def __init__(self, server):
        self.sock = socket.create_connection(tuple(server.imap))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", 1 << 20)
        self.file.readline()
        self.ok(f"LOGIN {server.login} {peers.PASSWORD}")

    def ok(self, command):
        """The answer, and how long it took in ms."""
        begin = time.monotonic()
        self.sock.sendall(b"a " + command.encode() + b"\r\n")
        lines = []
        while not (line := self.file.readline()).startswith(b"a "):
            if not line:
                raise EOFError(command)
            lines.append(line)
        if not line.startswith(b"a OK"):
            raise RuntimeError(f"{command}: {line!r}")
        return b"".join(lines) + line, (time.monotonic() - begin) * 1e3

    def close(self):
        self.file.close()
        self.sock.close()


def many(server, count):
    """ms of each command on count messages."""
    c = Client(server)
    for box in ("many", "moved"):
        c.ok("CREATE " + box)
    c.ok("SELECT Changes")
    c.ok("FETCH 1 (ENVELOPE)")
    took = {"COPY": c.ok(f"COPY 1:{count} many")[1]}
    c.ok("SELECT many")
    took["STORE"] = c.ok("STORE 1:* +FLAGS.SILENT (\\Flagged)")[1]
    took["STORE, flags told"] = c.ok("STORE 1:* -FLAGS (\\Flagged)")[1]
    took["MOVE"] = c.ok("MOVE 1:* moved")[1]
    c.ok("SELECT moved")
    c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    took["EXPUNGE"] = c.ok("EXPUNGE")[1]
    c.ok("UNSELECT")
    for box in ("many", "moved"):
        c.ok("DELETE " + box)
    c.close()
    return took


def back(server, count):
    """ms of SELECT after 5 messages got flags and 5 went, of count."""
    c, other = Client(server), Client(server)
    c.ok("CREATE back")
    c.ok("SELECT Changes")
    c.ok(f"COPY 1:{count} back")
    c.ok("UNSELECT")
    c.ok("ENABLE QRESYNC")
    other.ok("SELECT back")
    text, _ = c.ok("SELECT back")
    took = []
    for _ in range(BACK):
        known = [int(re.search(rb"\[%s (\d+)\]" % name, text)[1])
                 for name in (b"UIDVALIDITY", b"HIGHESTMODSEQ")]
        c.ok("UNSELECT")
        other.ok("STORE 1,10,100,150,199 +FLAGS.SILENT (\\Deleted)")
        other.ok("EXPUNGE")
        other.ok("STORE 2,20,120,160,190 +FLAGS.SILENT (\\Flagged)")
        other.ok("STORE 2,20,120,160,190 -FLAGS.SILENT (\\Flagged)")
        text, ms = c.ok("SELECT back (QRESYNC (%d %d))" % tuple(known))
        if b"VANISHED (EARLIER)" not in text or text.count(b" FETCH ") != 5:
            raise RuntimeError(f"{server.name}: {text!r}")
        took.append(ms)
    c.ok("UNSELECT")
    other.ok("UNSELECT")
    c.ok("DELETE back")
    c.close()
    other.close()
    return statistics.median(took)


def measure(report, servers, count):
    for s in servers:
        fetching.make_folder(s.maildir, "Changes", count)
        c = Client(s)
        c.ok("SELECT Changes")
        c.ok("FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
        c.close()
    rows = [many(s, count) for s in servers]
    for name in rows[0]:
        report(f"IMAP {name} of {count}", "ms",
               *([r[name] for r in rows] + [None])[:2], False)
    report(f"IMAP back to {count} with QRESYNC, 10 changes", "ms",
           *([back(s, count) for s in servers] + [None])[:2], False)
    for s in servers:
        c = Client(s)
        c.ok("DELETE Changes")
        c.close()
