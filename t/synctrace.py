"""synctrace - what a server wrote and synced, and in which order, from strace.

synctrace.py mail         a warm delivery, then IMAP commands, over the wire
synctrace.py check FILE   the order of design: nothing is acknowledged that is
                          not on disk, and nothing more is synced than needed
"""
import re
import sys

import mailtest

LINE = re.compile(r"(\d+) +(.*)$")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)$")
PATHS = re.compile(r"<(/[^>]*)>")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Call:
    """start, end: numbers of lines; a call is before another if it had ended
    when that began."""

    def __init__(self, name, args, start):
        self.name, self.args = name, args
        self.start = self.end = start

    def paths(self):
        return [p.partition("/Maildir/")[2] for p in PATHS.findall(self.args)]

    def text(self):
        return "".join(TEXT.findall(self.args))

    def __repr__(self):
        return f"{self.start}-{self.end} {self.name}({self.args[:200]}"


def parse(path):
    calls, open_calls = [], {}
    with open(path, encoding="latin-1") as f:
        for number, line in enumerate(f):
            pid, rest = LINE.match(line).groups()
            resumed = RESUMED.match(rest)
            if resumed and pid in open_calls:
                call = open_calls.pop(pid)
                call.args += resumed[2]
                call.end = number
                continue
            name, paren, args = rest.partition("(")
            if not paren or not name.isidentifier():
                continue
            call = Call(name, args, number)
            calls.append(call)
            if args.endswith("<unfinished ...>"):
                open_calls[pid] = call
    return calls


class Window:
    """The calls between two."""

    def __init__(self, calls, first, last):
        self.first, self.last = first, last
        self.calls = [c for c in calls
                      if first.end < c.start and c.start < last.start]

    def all(self, names, pattern, text=""):
        return [c for c in self.calls if c.name in names and
                any(re.fullmatch(pattern, p) for p in c.paths()) and
                re.search(text, c.text())]

    def syncs(self):
        return sorted(f"{c.name} {c.paths()[0]}" for c in self.calls
                      if c.name in ("fsync", "fdatasync"))

    def writes(self, pattern, text=""):
        return self.all(WRITES, pattern, text)

    def sync(self, pattern):
        return one(self.all(("fsync", "fdatasync"), pattern))


WRITES = ("write", "writev", "pwrite64", "pwritev")
SENDS = WRITES + ("sendto", "sendmsg")
READS = ("read", "readv", "recvfrom", "recvmsg")
RENAMES = ("rename", "renameat", "renameat2", "link", "linkat")


def one(calls):
    assert len(calls) == 1, calls
    return calls[0]


def ordered(*steps):
    """Each step, a call or a list of them, had ended when the next began."""
    steps = [s if isinstance(s, list) else [s] for s in steps]
    for before, after in zip(steps, steps[1:]):
        assert before and after, (before, after)
        for b in before:
            for a in after:
                assert b.end < a.start, f"not in order: {b!r}, {a!r}"


def find(calls, names, text):
    return [c for c in calls if c.name in names and "socket:" in c.args and
            re.search(text, c.text())]


# ---- what is asked of each ----

FILE = r"{}/[^/]*"


def check_new(w, folder, place):
    """A message that came in: its file, its line, its entry in the folder."""
    file = w.sync(folder + FILE.format("tmp"))
    rename = one(w.all(RENAMES, folder + FILE.format("tmp")) or
                 w.all(RENAMES, folder + "tmp"))
    log = w.sync(folder + r"mox\.log")
    entry = w.sync(folder + place)
    written = w.writes(folder + FILE.format("tmp"))
    lines = w.writes(folder + r"mox\.log")
    ordered(written, file, rename, entry, w.last)
    ordered(file, [c for c in lines if c.text().startswith("a ")], log)
    ordered(lines, log, w.last)
    assert len(w.syncs()) == 3, w.syncs()
    mailtest.eq(sorted(s.split()[0] for s in w.syncs()),
                ["fdatasync", "fsync", "fsync"])


def check_store(w):
    log = w.sync(r"mox\.log")
    ordered(w.writes(r"mox\.log"), log, w.last)
    mailtest.eq(w.syncs(), ["fdatasync mox.log"])


def check_copy(w):
    """Links: their content is on disk already."""
    log, entry = w.sync(r"\.work/mox\.log"), w.sync(r"\.work/cur")
    link = w.all(("link", "linkat"), r"\.work/cur")
    lines = w.writes(r"\.work/mox\.log")
    # Lines that say that files are coming: without them all lines are void.
    coming = [c for c in lines if c.text().startswith("a ")]
    assert all(r"\no " in c.text() for c in coming), coming
    ordered(coming, link, entry, w.last)
    ordered(lines, log, w.last)
    mailtest.eq(w.syncs(), ["fdatasync .work/mox.log", "fsync .work/cur"])


def check_move(w):
    """The message is in one folder, then in the target's log, then out of
    the source's; all of it on disk."""
    rename = w.all(("rename", "renameat", "renameat2"), r"\.work/cur")
    there = w.writes(r"\.work/mox\.log", "^a ")
    away = w.writes(r"mox\.log", "^y ")
    target, source = w.sync(r"\.work/mox\.log"), w.sync(r"mox\.log")
    ordered(rename, there, away, source, w.last)
    ordered(w.writes(r"\.work/mox\.log"), target, w.last)
    # A line that says gone is on disk only when what says where is, too.
    ordered([w.sync(r"\.work/cur"), target], source)
    ordered(rename, [w.sync(r"\.work/cur"), w.sync("cur")], w.last)
    mailtest.eq(w.syncs(), ["fdatasync .work/mox.log", "fdatasync mox.log",
                            "fsync .work/cur", "fsync cur"])


def check_expunge(w, after):
    """OK first, then the file goes."""
    log = w.sync(r"mox\.log")
    ordered(w.writes(r"mox\.log"), log, w.last)
    assert not w.all(("unlink", "unlinkat"), "cur"), w.calls
    assert after.all(("unlink", "unlinkat"), "cur"), after.calls
    mailtest.eq(w.syncs(), ["fdatasync mox.log"])


def check(path):
    calls = parse(path)
    # A message is answered by the front; the first of a connection opens
    # the mailbox, so look at the last.
    go, accepted = (find(calls, SENDS, t)[-1]
                    for t in ("^354 ", "^250 2.0.0 accepted"))
    check_new(Window(calls, go, accepted), "", "new")
    for tag, do in ((4, lambda w, _: check_new(w, r"\.work/", "cur")),
                    (6, lambda w, _: check_store(w)),
                    (7, lambda w, _: check_copy(w)),
                    (8, lambda w, _: check_move(w)),
                    (10, check_expunge)):
        said = [find(calls, READS, f"^t{tag} ")[-1],
                find(calls, SENDS, rf"(^|\\n)t{tag} OK")[-1],
                find(calls, SENDS, rf"(^|\\n)t{tag + 1} OK")[-1]]
        do(Window(calls, *said[:2]), Window(calls, *said[1:]))


def mail():
    s = mailtest.Smtp()
    for i in range(4):
        s.expect(250, "MAIL FROM:<a@example.org>")
        s.expect(250, "RCPT TO:<mox@localhost>")
        s.expect(354, "DATA")
        s.expect(250, mailtest.message(f"m{i}") + ".")
    c = mailtest.Imap()
    c.ok("CREATE work")
    c.append("work", mailtest.message("warm"), "(\\Seen)")
    mailtest.eq(c.append("work", mailtest.message("new"), "(\\Seen)").status,
                "OK")
    c.ok("SELECT INBOX")
    c.ok("STORE 1:4 +FLAGS.SILENT (\\Seen)")      # t6
    c.ok("COPY 1 work")
    c.ok("MOVE 2 work")
    c.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    c.ok("EXPUNGE")                               # t10
    c.ok("NOOP")


if sys.argv[1] == "mail":
    mail()
else:
    check(sys.argv[2])
