"""ledger - what a server has acknowledged, and so must keep.

Every message has a subject of its own, its token. The ledger knows of each
token where its copies must be: {(mailbox, uid): flags}. A client that loses
its connection during a command looks afterwards: all of the command must have
been done, or nothing of it. No UID may ever stand for a second message,
UIDVALIDITY may not change, UIDNEXT may not fall.
"""
import collections
import random
import re
import threading
import time

import mailtest
import processes

MAILBOXES = ("INBOX", "Archive", "work")
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Junk", "todo")
PATIENCE = 30  # seconds without any progress are a failure
COPIES_MAX = 4  # of a message
GONE = (OSError, EOFError)


class Broken(AssertionError):
    """The server broke its word."""


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.places = {}  # token: {(mailbox, uid): flags}
        self.content = {}  # token: bytes as sent
        self.unsure = set()  # tokens never acknowledged: there once or not
        self.delivered = []  # tokens acknowledged by SMTP, nobody's yet
        self.uids = {}  # (mailbox, uid): token
        self.validity = {}
        self.next = collections.defaultdict(int)
        self.count = collections.Counter()
        self.history = collections.defaultdict(list)  # of a token, to read

    def new(self, token, content):
        with self.lock:
            self.content[token] = content
            self.unsure.add(token)

    def acknowledged(self, token):
        with self.lock:
            self.unsure.remove(token)
            self.delivered.append(token)
            self.count["deliveries"] += 1

    def take_delivered(self):
        with self.lock:
            tokens, self.delivered = self.delivered, []
        return tokens

    def seen(self, mailbox, uid, token):
        """The server said that this UID is this message."""
        with self.lock:
            had = self.uids.setdefault((mailbox, uid), token)
        if had != token:
            raise Broken(f"{mailbox} UID {uid} was {had}, is now {token}")

    def selected(self, mailbox, validity, uidnext, known):
        """known: what UIDNEXT was known to be when the command was sent."""
        with self.lock:
            had = self.validity.setdefault(mailbox, validity)
            self.next[mailbox] = max(self.next[mailbox], uidnext)
        if had != validity:
            raise Broken(f"{mailbox}: UIDVALIDITY {had}, now {validity}")
        if uidnext < known:
            raise Broken(f"{mailbox}: UIDNEXT fell, {known} to {uidnext}")

    def given(self, mailbox, validity, uids, tokens, known):
        """New UIDs, of APPENDUID or COPYUID."""
        if len(uids) != len(tokens) or min(uids) < known:
            raise Broken(f"{mailbox}: UIDs {uids} for {tokens}, UIDNEXT "
                         f"was {known}")
        for uid, token in zip(uids, tokens):
            self.seen(mailbox, uid, token)
        self.selected(mailbox, validity, max(uids) + 1, known)


def uid_set(uids):
    return ",".join(str(u) for u in uids)


def uid_list(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        out += range(int(first), int(last or first) + 1)
    return out


def agrees(found, wanted):
    """found: {(mailbox, uid): flags}; wanted: [(mailbox, uid or None for a
    new one, flags)]."""
    rest = dict(found)
    for mailbox, uid, flags in wanted:
        if uid is not None and rest.pop((mailbox, uid), None) != flags:
            return False
    new = sorted((m, sorted(f)) for m, u, f in wanted if u is None)
    return new == sorted((m, sorted(f)) for (m, _), f in rest.items())


class Client:
    """An IMAP client that changes messages of its own, at random, in
    mailboxes it shares with others."""

    def __init__(self, name, ledger, seed, tls=False):
        self.name, self.ledger, self.tls = name, ledger, tls
        self.session = []  # processes that serve the connection
        self.may_refuse = False  # the disk fails: NO is right
        self.random = random.Random(f"{seed} {name}")
        self.mine = []
        self.wire = self.mailbox = None
        self.n = 0

    # ---- connection ----

    def connected(self, then):
        """then() on a connection, on new ones until it is not cut."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if self.wire is None:
                    self.wire = mailtest.Imap(1993 if self.tls else 1143,
                                              self.tls)
                    self.session = processes.of_connection(self.wire.sock)
                return then()
            except GONE as e:
                self.lost()
                if time.monotonic() > end:
                    raise Broken(f"{self.name}: no service: {e}") from e
                time.sleep(0.01)

    def lost(self):
        """Not before its session has ended is it certain what it did."""
        if self.wire is not None:
            self.wire.close()
        self.wire = self.mailbox = None
        processes.wait_for_end(self.session)

    def command(self, text):
        """A BYE is a cut connection, whatever else is said."""
        a = self.wire.cmd(text)
        if a.has(r"^\* BYE"):
            raise EOFError
        return a

    def ok(self, text):
        return self.expect_ok(text, self.command(text))

    def expect_ok(self, text, a):
        if a.status != "OK":
            raise Broken(f"{self.name}: {text[:80]!r}: {a!r}")
        return a

    def select(self, mailbox):
        if self.mailbox == mailbox:
            return
        known = self.ledger.next[mailbox]
        self.mailbox = None
        text = f"SELECT {mailbox}"
        a = self.command(text)
        # What others wrote is synced before it is told, which may fail.
        if self.may_refuse and a.status == "NO":
            self.ledger.count["refused"] += 1
            raise EOFError
        self.expect_ok(text, a)
        self.ledger.selected(mailbox,
                             int(a.find(r"UIDVALIDITY (\d+)")[1]),
                             int(a.find(r"UIDNEXT (\d+)")[1]), known)
        self.mailbox = mailbox

    # ---- looking ----

    def look_at(self, mailbox):
        """{token: {(mailbox, uid): flags}}"""
        out = collections.defaultdict(dict)
        self.mailbox = None
        self.select(mailbox)
        for line in self.ok("UID FETCH 1:* (ENVELOPE FLAGS)").lines:
            if "ENVELOPE" not in line:
                continue
            uid = int(re.search(r"UID (\d+)", line)[1])
            token = re.search(r'ENVELOPE \((?:NIL|"[^"]*") "([^"]*)"',
                              line)[1]
            flags = re.search(r"FLAGS \(([^)]*)\)", line)[1]
            out[token][mailbox, uid] = frozenset(flags.split())
            self.ledger.seen(mailbox, uid, token)
        return out

    def look(self):
        out = collections.defaultdict(dict)
        for mailbox in MAILBOXES:
            for token, places in self.look_at(mailbox).items():
                out[token].update(places)
        return out

    def adopt(self):
        """Delivered messages become this client's."""
        tokens = self.ledger.take_delivered()
        if not tokens:
            return
        found = self.connected(self.look)
        for token in tokens:
            places = found.get(token, {})
            if not agrees(places, [("INBOX", None, frozenset())]):
                raise Broken(f"delivered, acknowledged: {token}: {places}")
            self.ledger.places[token] = places
        self.mine += tokens

    # ---- changing ----

    def change(self, mailbox, text, wanted, done):
        """wanted: {token: [(mailbox, uid, flags)]} if text is done. done(a)
        gives the UIDs of the new copies, in the order of the tokens."""
        try:
            if self.wire is None or mailbox not in (None, self.mailbox):
                self.connected(lambda: self.select(mailbox or "INBOX"))
            a = self.command(text)
            if a.status == "NO" and self.may_refuse:
                self.ledger.count["refused"] += 1
                self.settle(text, wanted)
                return
            uids = done(self.expect_ok(text, a))
        except GONE:
            self.ledger.count["cut"] += 1
            self.lost()
            self.settle(text, wanted)
            return
        self.ledger.count["changes"] += 1
        for token, new in wanted.items():
            self.ledger.places[token] = {
                (m, uids.pop(0) if u is None else u): f for m, u, f in new}
            self.ledger.history[token].append(
                f"done: {text[:80]!r}: {self.ledger.places[token]}")

    def settle(self, text, wanted):
        """Cut during a command, or refused: all of it was done, or nothing;
        a MOVE, of each message (RFC 6851, 3.3)."""
        before = {t: [(m, u, f) for (m, u), f in
                      self.ledger.places.get(t, {}).items()] for t in wanted}
        found = self.connected(self.look)
        done = [[agrees(found.get(t, {}), state[t]) for t in wanted]
                for state in (before, wanted)]
        if not any(map(all, done)) and not (
                "UID MOVE" in text and all(map(any, zip(*done)))):
            raise Broken(f"{self.name}: {text[:80]!r}: half done\n" +
                         "\n".join(self.told(t, found.get(t, {}))
                                   for t in wanted))
        for token in wanted:
            self.ledger.places[token] = found.get(token, {})
            self.ledger.history[token].append(
                f"cut: {text[:80]!r}: {found.get(token, {})}")

    def told(self, token, found):
        return "\n  ".join([token] + self.ledger.history[token] +
                           [f"found: {found}"])

    def append(self):
        self.n += 1
        token = f"{self.name}-{self.n}"
        body = "x" * self.random.choice((10, 70, 900)) + "\r\n"
        body *= self.random.choice((1, 5, 200))
        content = mailtest.message(token, body).encode()
        mailbox = self.random.choice(MAILBOXES)
        flags = frozenset(self.random.sample(FLAGS, 2))
        known = self.ledger.next[mailbox]

        def done(a):
            m = re.match(r"\[APPENDUID (\d+) (\d+)\]", a.text)
            self.ledger.given(mailbox, int(m[1]), [int(m[2])], [token], known)
            return [int(m[2])]

        self.ledger.content[token] = content
        self.mine.append(token)
        head = f"APPEND {mailbox} ({' '.join(flags)}) {{{len(content)}+}}\r\n"
        self.change(None, head + content.decode(),
                    {token: [(mailbox, None, flags)]}, done)

    def pick(self):
        """Some messages of a mailbox: {token: uid}."""
        mailbox = self.random.choice(MAILBOXES)
        here = {}
        for token in self.mine:
            for m, uid in self.ledger.places[token]:
                if m == mailbox:
                    here[token] = uid
        k = min(len(here), self.random.choice((1, 1, 2, 5, 20)))
        tokens = self.random.sample(sorted(here), k)
        return mailbox, {t: here[t] for t in sorted(tokens, key=here.get)}

    def states(self, mailbox, picked, changed):
        """The places of the picked, with changed(uid, flags), a list, in
        place of the one in mailbox."""
        out = {}
        for token, uid in picked.items():
            out[token] = []
            for (m, u), f in self.ledger.places[token].items():
                out[token] += changed(u, f) if (m, u) == (mailbox, uid) \
                    else [(m, u, f)]
        return out

    def store(self, flags=None, sign=None):
        mailbox, picked = self.pick()
        if not picked:
            return None
        flags = flags or frozenset(
            self.random.sample(FLAGS, self.random.randint(1, 3)))
        sign = sign or self.random.choice(("+", "-", ""))

        def changed(uid, had):
            new = {"+": had | flags, "-": had - flags, "": flags}[sign]
            return [(mailbox, uid, new)]

        self.change(mailbox, f"UID STORE {uid_set(picked.values())} "
                    f"{sign}FLAGS.SILENT ({' '.join(flags)})",
                    self.states(mailbox, picked, changed), lambda a: [])
        return mailbox, picked

    def copy(self, move=False):
        mailbox, picked = self.pick()
        picked = {t: u for t, u in picked.items()
                  if move or len(self.ledger.places[t]) < COPIES_MAX}
        if not picked:
            return
        target = self.random.choice([m for m in MAILBOXES if m != mailbox])
        known = self.ledger.next[target]

        def done(a):
            text = "\n".join(a.lines + [a.text])
            m = re.search(r"\[COPYUID (\d+) (\S+) (\S+)\]", text)
            tokens = [self.ledger.uids[mailbox, u] for u in uid_list(m[2])]
            if tokens != list(picked):
                raise Broken(f"COPYUID {m[0]} for {picked}")
            uids = uid_list(m[3])
            self.ledger.given(target, int(m[1]), uids, tokens, known)
            return uids

        self.change(mailbox, f"UID {'MOVE' if move else 'COPY'} "
                    f"{uid_set(picked.values())} {target}",
                    self.states(mailbox, picked, lambda u, f:
                                ([] if move else [(mailbox, u, f)]) +
                                [(target, None, f)]), done)

    def move(self):
        self.copy(True)

    def expunge(self):
        got = self.store(frozenset(["\\Deleted"]), "+")
        if got is None:
            return
        mailbox, picked = got
        wanted = self.states(mailbox, picked, lambda u, f:
                             [] if "\\Deleted" in f else [(mailbox, u, f)])
        self.change(mailbox, f"UID EXPUNGE {uid_set(picked.values())}",
                    wanted, lambda a: [])

    def step(self):
        what = (self.append, self.append, self.store, self.store, self.copy,
                self.move, self.expunge)
        self.random.choice(what)()
        self.adopt()


class Sender:
    """Delivers over SMTP, some messages a connection, a new token for each
    attempt."""

    def __init__(self, name, ledger, seed):
        self.name, self.ledger, self.n = name, ledger, 0
        self.random = random.Random(f"{seed} {name}")
        self.wire = None

    def step(self):
        """One attempt; True if it was acknowledged."""
        self.n += 1
        token = f"{self.name}-{self.n}"
        body = ("y" * 70 + "\r\n") * self.random.choice((1, 50, 2000))
        content = mailtest.message(token, body).encode()
        try:
            if self.wire is None:
                self.wire = mailtest.Smtp()
            return self.send(token, content)
        except GONE + (AssertionError,):  # cut, or 421
            self.quit()
            self.ledger.count["deliveries cut"] += 1
            return False

    def send(self, token, content):
        self.wire.expect(250, "MAIL FROM:<a@example.org>")
        self.wire.expect(250, "RCPT TO:<mox@localhost>")
        self.wire.expect(354, "DATA")
        self.ledger.new(token, content)
        code, text = self.wire.cmd(content + b".")
        self.ledger.count[code] += 1
        if code != 250:
            self.quit()
            return False
        self.ledger.acknowledged(token)
        if self.random.random() < 0.2:
            self.quit()
        return True

    def quit(self):
        if self.wire is not None:
            self.wire.close()
        self.wire = None


class Workers:
    """Steps, each over and over in a thread of its own, until join()."""

    def __init__(self, steps):
        self.failed, self.stop = [], False
        self.threads = [threading.Thread(target=self.run, args=(s,))
                        for s in steps]
        for t in self.threads:
            t.start()

    def run(self, step):
        try:
            while not self.stop:
                step()
        except BaseException as e:  # pylint: disable=broad-except
            self.failed.append(e)

    def join(self):
        self.stop = True
        for t in self.threads:
            t.join()


# ---- at the end ----

def check_all(ledger, others=()):
    """All the server holds is what was acknowledged, and whole; besides it
    others, which came in by other ways."""
    client = Client("check", ledger, 0)
    client.adopt()
    found = client.connected(client.look)
    for token, places in ledger.places.items():
        if found.get(token, {}) != places:
            raise Broken(f"{token}: {found.get(token)}, not {places}")
    for token, places in found.items():
        if token in ledger.places or token in others:
            continue
        if token not in ledger.unsure:
            raise Broken(f"{token}: nobody sent it")
        if len(places) != 1:
            raise Broken(f"{token}: one attempt, {places}")
        ledger.count["unsure, there"] += 1
    check_content(ledger, client)
    check_files(found)


def check_content(ledger, client):
    for mailbox in MAILBOXES:
        client.select(mailbox)
        for line in client.ok("UID FETCH 1:* (BODY.PEEK[])").lines:
            m = re.search(r"UID (\d+) BODY\[\] \{\d+\}\r\n(.*)\)$", line, re.S)
            if not m:
                continue
            token = ledger.uids[mailbox, int(m[1])]
            if token not in ledger.content:
                continue
            if not m[2].encode("latin-1").endswith(ledger.content[token]):
                raise Broken(f"{mailbox} UID {m[1]}: not as sent")


def check_files(found):
    want = collections.Counter(m for p in found.values() for m, _ in p)
    for mailbox in MAILBOXES:
        files = mailtest.maildir_files(
            "" if mailbox == "INBOX" else "." + mailbox)
        if len(files) != want[mailbox]:
            raise Broken(f"{mailbox}: {len(files)} files, "
                         f"{want[mailbox]} messages")
