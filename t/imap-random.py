#!/usr/bin/env python3
"""Random steps of several IMAP sessions and a foreign program on one mailbox,
compared with a model of the mailbox.

usage: imap-random.py SEED STEPS [GUEST | notify]

With GUEST, an account, one session is that account's, with which the mailboxes are
shared. With notify, one session has NOTIFY (RFC 5465) on both, delayed until a
command, and is parked now and then.

Commands are sent one after the other, so what they do is known; what the
foreign program does is taken in when it is noticed. Each session is a client
with a cache, that believes what it is told:

    numbers   a FETCH has the UID the client counts at that number
    UIDs      only grow, and a UID is always the same message
    modseqs   each change has a higher one than all before
    flags     what the model has, once there is nothing more to be told
    resync    after QRESYNC, or CONDSTORE with UID SEARCH, the cache is what a
              fresh client sees

The server is that of the environment (IP, DIR: helper.bash).
"""
import os
import random
import re
import sys
import time

import processes
from mailtest import USER, Imap, message

BOX, OTHER = "box", "other"
NOTIFY = f"NOTIFY SET (selected-delayed (MessageNew (UID FLAGS MODSEQ) " \
    f"MessageExpunge FlagChange)) (mailboxes {OTHER} (MessageNew MessageExpunge))"
MAILDIR = os.path.join(os.environ["DIR"], "data/accounts/mox/Maildir")
# Flags of the clients, and those of the foreign program.
OURS = ["\\Seen", "\\Deleted", "\\Draft", "$Junk", "word"]
THEIRS = {"F": "\\Flagged", "R": "\\Answered"}
SETTLE_S = 60


class Model:
    def __init__(self):
        self.flags = {}    # id -> set of flags, of messages in BOX
        self.unsure = set()  # ids a foreign program removed
        self.uids = {}     # uid in BOX -> id; a message may come back
        self.dead = set()  # uids that were expunged or moved
        self.moving = set()  # uids of a MOVE that is not answered yet
        self.next_id = 0
        self.modseq = 0    # highest that anybody was told
        self.last_uid = 0

    def new_id(self):
        self.next_id += 1
        return self.next_id

    def gone(self, i):
        self.flags.pop(i, None)
        self.unsure.discard(i)


def numbers_in(text):
    """Those of "1:3,5"."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def change(op, have, flags):
    return set(flags) if op == "=" else \
        set(have) | flags if op == "+" else set(have) - flags


def subject_of(text):
    return int(re.search(r"Subject: (\d+)", text)[1])


class Client:
    """A session with its cache."""

    def __init__(self, model, rng, kind, guest=None, notify=False):
        self.model, self.rng, self.kind = model, rng, kind
        self.notify = notify
        self.user = f"{guest}@localhost" if guest else USER
        self.box, self.other = [
            ("Other Users/mox/" if guest else "") + name
            for name in (BOX, OTHER)]
        self.known = {}    # uid -> (flags, modseq or None)
        self.high = 0
        self.validity = None
        self.connect()

    def connect(self):
        self.c = Imap(user=self.user)
        self.view = []     # uid or None by number
        if self.kind == "qresync":
            self.c.ok("ENABLE QRESYNC")
        if self.notify:
            self.c.ok(NOTIFY)

    def drop(self):
        self.c.close()
        self.c = None

    # ---- what the server says ----

    def take(self, line):
        if m := re.match(r"\* (\d+) EXISTS$", line):
            n = int(m[1])
            assert n >= len(self.view), f"EXISTS {n} with {len(self.view)}"
            self.view += [None] * (n - len(self.view))
        elif m := re.match(r"\* (\d+) EXPUNGE$", line):
            assert self.kind != "qresync", line
            uid = self.view.pop(int(m[1]) - 1)
            self.forget(uid)
        elif m := re.match(r"\* VANISHED (\(EARLIER\) )?([\d:,]+)$", line):
            for uid in numbers_in(m[2]):
                if not m[1]:
                    self.view.remove(uid)
                elif uid in self.view or uid not in self.known:
                    continue
                self.forget(uid)
        elif m := re.match(r"\* (\d+) FETCH \((.*)\)$", line, re.S):
            self.take_fetch(int(m[1]), m[2])
        if m := re.search(r"\[HIGHESTMODSEQ (\d+)\]", line):
            self.high = int(m[1])

    def take_fetch(self, number, items):
        assert 1 <= number <= len(self.view), f"FETCH {number}"
        uid = self.view[number - 1]
        if m := re.search(r"\bUID (\d+)", items):
            told = int(m[1])
            assert uid in (None, told), f"{number} is {uid}, told {told}"
            others = self.view[:number - 1]
            assert told not in others, f"{told} twice"
            uid = self.view[number - 1] = told
        assert uid is not None, f"FETCH {number} without UID"
        flags, modseq = self.known.get(uid, (None, None))
        if m := re.search(r"MODSEQ \((\d+)\)", items):
            new = int(m[1])
            assert modseq is None or new >= modseq, f"{uid}: {modseq} {new}"
            modseq = new
            self.high = max(self.high, new)
            self.model.modseq = max(self.model.modseq, new)
        if m := re.search(r"FLAGS \(([^)]*)\)", items):
            flags = frozenset(f.lower() for f in m[1].split())
        self.known[uid] = (flags, modseq)

    def forget(self, uid):
        assert uid is not None
        self.known.pop(uid, None)
        i = self.model.uids.get(uid)
        if uid not in self.model.dead | self.model.moving and \
                i in self.model.unsure:
            self.model.gone(i)
            self.model.dead.add(uid)
        assert uid in self.model.dead | self.model.moving, \
            f"{uid} is gone, message {i} is not"

    def cmd(self, command, status="OK", before=None):
        """before(answer) is called before its lines are taken in."""
        a = self.c.cmd(command)
        assert a.status in status.split(), f"{command}: {a}"
        if before:
            before(a)
        for line in a.lines:
            self.take(line)
        if m := re.match(r"\[HIGHESTMODSEQ (\d+)\]", a.text):
            self.high = int(m[1])
        self.identify()
        return a

    def identify(self):
        """Which messages are they that came?"""
        while None in self.view:
            first = self.view.index(None) + 1
            for line in self.c.ok(f"FETCH {first}:* (UID FLAGS)").lines:
                self.take(line)
        new = sorted(u for u in self.view if u not in self.model.uids)
        if not new:
            return
        assert new[0] > self.model.last_uid, (new, self.model.last_uid)
        self.model.last_uid = new[-1]
        a = self.c.ok("UID FETCH " + ",".join(map(str, new)) +
                      " (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for line in a.lines:
            if m := re.match(r"\* \d+ FETCH \(UID (\d+) BODY", line):
                uid, i = int(m[1]), subject_of(line)
                assert all(u in self.model.dead for u, k in
                           self.model.uids.items() if k == i), line
                self.model.uids[uid] = i
            else:
                self.take(line)
        # Removed by the foreign program before anybody could read them: any
        # that nobody has seen.
        seen = {i for u, i in self.model.uids.items()
                if u not in self.model.dead}
        for uid in new:
            if uid not in self.model.uids:
                self.model.uids[uid] = min(self.model.unsure - seen)
                seen.add(self.model.uids[uid])

    # ---- selecting ----

    def select(self, more=""):
        a = self.c.ok(f'SELECT "{self.box}"{more}')
        self.view = []
        text = "\n".join(a.lines)
        validity = int(re.search(r"UIDVALIDITY (\d+)", text)[1])
        assert self.validity in (None, validity), "UIDVALIDITY changed"
        self.validity = validity
        told = int(re.search(r"HIGHESTMODSEQ (\d+)", text)[1])
        assert told >= self.high, f"HIGHESTMODSEQ {self.high} {told}"
        high = [l for l in a.lines if "HIGHESTMODSEQ" in l]
        exists = [l for l in a.lines if l.endswith(" EXISTS")]
        rest = a.lines[a.lines.index(high[0]) + 1:]
        self.take(exists[0])
        return told, rest

    def fresh(self):
        self.known = {}
        self.high, _ = self.select(" (CONDSTORE)")
        if self.view:
            self.cmd("FETCH 1:* (UID FLAGS MODSEQ)")

    def resync(self):
        """From the cache to what is, as clients do."""
        if self.kind == "qresync":
            uids = ",".join(map(str, sorted(self.known)))
            told, lines = self.select(
                f" (QRESYNC ({self.validity} {self.high or 1}))" if
                self.rng.random() < .5 or not uids else
                f" (QRESYNC ({self.validity} {self.high or 1} {uids}))")
            # Numbers are those of what is left, in order of UIDs.
            for line in lines:
                if "VANISHED" in line:
                    self.take(line)
            self.view = sorted(self.known) + \
                [None] * (len(self.view) - len(self.known))
            for line in lines:
                if "VANISHED" not in line:
                    self.take(line)
            self.high = max(self.high, told)
        else:
            since = self.high
            told, _ = self.select(" (CONDSTORE)")
            now = [int(u) for u in re.findall(
                r"\d+", self.c.ok("UID SEARCH ALL").lines[0])]
            for uid in set(self.known) - set(now):
                self.forget(uid)
            self.view = now + [None] * (len(self.view) - len(now))
            if self.view:
                self.cmd(f"FETCH 1:* (UID FLAGS) (CHANGEDSINCE {since})")
            self.high = max(self.high, told)
        self.identify()

    # ---- is it right? ----

    def check(self):
        """The cache against the model, with nothing pending."""
        assert None not in self.view
        assert self.view == sorted(self.view), "UIDs do not grow"
        ids = [self.model.uids[u] for u in self.view]
        if set(ids) != set(self.model.flags):
            return f"has {sorted(set(ids) ^ set(self.model.flags))} wrong"
        for uid, i in zip(self.view, ids):
            want = {f.lower() for f in self.model.flags[i]}
            if self.known[uid][0] != want:
                return f"uid {uid}: {set(self.known[uid][0])}, not {want}"
        return None


class Foreign:
    """mv, rm and new files in the folder."""

    def __init__(self, model, rng):
        self.model, self.rng, self.n = model, rng, 0
        self.path = os.path.join(MAILDIR, "." + BOX)

    def files(self):
        found = []
        for sub in ("cur", "new"):
            for f in os.listdir(os.path.join(self.path, sub)):
                found.append(os.path.join(self.path, sub, f))
        return sorted(found)

    def id_of(self, path):
        with open(path, "rb") as f:
            return subject_of(f.read(4096).decode("latin-1"))

    def step(self):
        getattr(self, self.rng.choice(("add", "flag", "flag", "remove")))()

    def add(self):
        i = self.model.new_id()
        self.n += 1
        name = f"{1700000000 + self.n}.F{self.n}.foreign"
        letters = "".join(l for l in sorted(THEIRS) if self.rng.random() < .3)
        tmp = os.path.join(self.path, "tmp", name)
        with open(tmp, "w") as f:
            f.write(f"Subject: {i}\n\nforeign\n")
        sub, end = ("cur", ":2," + letters) if letters else ("new", "")
        os.rename(tmp, os.path.join(self.path, sub, name + end))
        self.model.flags[i] = {THEIRS[l] for l in letters}

    def pick(self):
        files = self.files()
        if not files:
            return None, None
        path = self.rng.choice(files)
        try:
            return path, self.id_of(path)
        except FileNotFoundError:
            return None, None

    def flag(self):
        path, i = self.pick()
        if path is None or i not in self.model.flags:
            return
        base, _, letters = os.path.basename(path).partition(":2,")
        letter = self.rng.choice(sorted(THEIRS))
        on = letter not in letters
        letters = sorted(set(letters) ^ {letter})
        try:
            os.rename(path, os.path.join(
                self.path, "cur", base + ":2," + "".join(letters)))
        except FileNotFoundError:
            return # the server was first
        flags = self.model.flags[i]
        (flags.add if on else flags.discard)(THEIRS[letter])

    def remove(self):
        path, i = self.pick()
        if path is None or i not in self.model.flags:
            return
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        self.model.unsure.add(i)


class Run:
    def __init__(self, seed, guest=None, notify=False):
        self.rng = random.Random(seed)
        self.model = Model()
        self.c = Imap()
        for box in (BOX, OTHER):
            self.c.cmd("DELETE " + box)
            self.c.ok("CREATE " + box)
            if guest:
                self.c.ok(f"SETACL {box} {guest} lrswite")
        self.clients = []
        for kind in ("qresync", "condstore", "qresync"):
            client = Client(self.model, self.rng, kind,
                            guest if kind == "condstore" else None)
            client.fresh()
            self.clients.append(client)
        if notify:
            client = Client(self.model, self.rng, "qresync", notify=True)
            client.fresh()
            self.clients.append(client)
        self.foreign = Foreign(self.model, self.rng)
        self.other = {}    # id -> flags in OTHER

    # ---- steps ----

    def some(self, client):
        """Numbers and UIDs of some messages that the client counts."""
        n = len(client.view)
        if n == 0:
            return None, None
        numbers = sorted(self.rng.sample(range(1, n + 1),
                                         self.rng.randint(1, min(n, 5))))
        return numbers, [client.view[k - 1] for k in numbers]

    def alive(self, uid):
        i = self.model.uids[uid]
        return uid not in self.model.dead and i not in self.model.unsure

    def append(self, client):
        i = self.model.new_id()
        flags = {f for f in OURS if self.rng.random() < .2}
        self.model.flags[i] = flags
        a = client.c.append(client.box, message(str(i)), f"({' '.join(sorted(flags))})")
        assert a.status == "OK", a
        uid = int(re.match(r"\[APPENDUID \d+ (\d+)\]", a.text)[1])
        assert uid not in self.model.uids
        for line in a.lines:
            client.take(line)
        client.identify()

    def apply(self, op, uid, flags):
        i = self.model.uids[uid]
        self.model.flags[i] = change(op, self.model.flags[i], flags)

    def store(self, client):
        numbers, uids = self.some(client)
        if numbers is None:
            return
        op = self.rng.choice("+-+-=")
        flags = {f for f in OURS if self.rng.random() < .3} or {"\\Seen"}
        if op == "=" and self.foreign_dirty:
            op = "+"       # which of the two was last is not to be known
        by_uid = self.rng.random() < .5
        known = [client.known.get(u, (None, None))[1] for u in uids]
        condition = ""
        if self.rng.random() < .3 and None not in known:
            limit = self.rng.choice([max(known), client.high, max(1, min(known) - 1)])
            condition = f"(UNCHANGEDSINCE {limit}) "
        silent = self.rng.choice(("", ".SILENT"))
        skipped = set()

        def done(answer):
            """A silent change the client makes in its cache itself."""
            m = re.match(r"\[MODIFIED ([\d:,]+)\]", answer.text)
            assert m or answer.status == "OK", answer
            named = numbers_in(m[1]) if m else ()
            skipped.update(u for n, u in zip(numbers, uids)
                           if (u if by_uid else n) in named)
            for u in uids:
                if silent and u not in skipped:
                    have, modseq = client.known[u]
                    client.known[u] = (frozenset(change(
                        op, have, {f.lower() for f in flags})), modseq)

        before = {u: self.alive(u) for u in uids}
        highest = self.model.modseq
        client.cmd(
            f"{'UID ' if by_uid else ''}STORE "
            f"{','.join(map(str, uids if by_uid else numbers))} {condition}"
            f"{'' if op == '=' else op}FLAGS{silent} "
            f"({' '.join(sorted(flags))})", "OK NO", done)
        for uid in uids:
            if uid in skipped or not before[uid]:
                continue
            i = self.model.uids[uid]
            had = set(self.model.flags[i])
            self.apply(op, uid, flags)
            if had != self.model.flags[i] and not self.foreign_dirty:
                assert client.known[uid][1] > highest, (uid, highest)

    def expunge(self, client):
        uids = None
        if self.rng.random() < .5:
            numbers, uids = self.some(client)
            if numbers is None:
                return
        for u in client.view if uids is None else uids:
            i = self.model.uids[u]
            if u not in self.model.dead and \
                    "\\Deleted" in self.model.flags[i]:
                self.model.gone(i)
                self.model.dead.add(u)
        client.cmd("EXPUNGE" if uids is None else
                   "UID EXPUNGE " + ",".join(map(str, uids)))

    def move(self, client):
        numbers, uids = self.some(client)
        if numbers is None:
            return
        here = [u for u in uids if u not in self.model.dead]
        self.model.moving = set(here)
        a = client.cmd("MOVE " + ",".join(map(str, numbers)) +
                       f' "{client.other}"')
        self.model.moving = set()
        moved = set()
        for line in a.lines:
            if m := re.match(r"\* OK \[COPYUID \d+ ([\d:,]+) ", line):
                moved |= numbers_in(m[1])
        assert moved <= set(here), (moved, here)
        for uid in here:
            i = self.model.uids[uid]
            if uid in moved:
                assert i not in self.model.unsure, f"{uid} has no file"
                self.other[i] = self.model.flags[i]
            else:
                # Not there to be moved, which the server did not know yet.
                assert i in self.model.unsure, f"{uid} was not moved"
            if uid in moved or uid not in client.view:
                self.model.gone(i)
                self.model.dead.add(uid)

    def move_back(self):
        if not self.other:
            return
        self.c.ok("SELECT " + OTHER)
        self.c.ok("MOVE 1:* " + BOX)
        self.c.ok("UNSELECT")
        self.model.flags.update(self.other)
        self.other = {}

    def fetch(self, client):
        numbers, _ = self.some(client)
        if numbers is not None:
            client.cmd("FETCH " + ",".join(map(str, numbers)) + " (UID FLAGS)")

    def read(self, client):
        numbers, uids = self.some(client)
        if numbers is None:
            return
        uid = uids[0]
        alive = self.alive(uid)
        client.cmd(f"UID FETCH {uid} (BODY[TEXT])")
        if alive:
            self.apply("+", uid, {"\\Seen"})

    def noop(self, client):
        client.cmd("NOOP")

    def again(self, client):
        """Off, and back with the cache; the others go on meanwhile."""
        client.drop()
        for _ in range(self.rng.randrange(6)):
            self.step(self.rng.choice([x for x in self.clients if x.c]))
        client.connect()
        client.resync()
        self.compare(client)

    def compare(self, client):
        """A fresh client sees the same, if nothing happened in between."""
        fresh = Client(self.model, self.rng, "condstore")
        fresh.fresh()
        client.cmd("NOOP")
        fresh.cmd("NOOP")
        a = {u: client.known[u][0] for u in client.view}
        b = {u: fresh.known[u][0] for u in fresh.view}
        assert a == b, f"resync {a} fresh {b}"
        fresh.drop()

    def step(self, client):
        kind = self.rng.choices(
            ("append", "store", "expunge", "move", "fetch", "read", "noop",
             "again", "back", "foreign"),
            (12, 30, 6, 4, 12, 5, 12, 3, 2, 10))[0]
        if kind == "back":
            self.move_back()
        elif kind == "foreign":
            self.foreign_dirty = True
            self.foreign.step()
        elif kind == "again":
            if sum(x.c is not None for x in self.clients) > 1:
                self.again(client)
        elif kind != "append" or len(self.model.flags) < 120:
            getattr(self, kind)(client)

    # ---- all ----

    foreign_dirty = False  # it did what perhaps nobody knows yet

    def settle(self):
        """Until all have seen what the foreign program did."""
        end = time.monotonic() + SETTLE_S
        while True:
            for client in self.clients:
                client.cmd("NOOP")
            # What came and went before the server looked never had a UID,
            # or all would have been told of it by now.
            for i in self.model.unsure - set(self.model.uids.values()):
                self.model.gone(i)
            wrong = [client.check() for client in self.clients]
            if not self.model.unsure and not any(wrong):
                self.foreign_dirty = False
                return
            assert time.monotonic() < end, wrong
            time.sleep(.05)

    def rest(self):
        """Nothing happens until those with NOTIFY are parked."""
        end = time.monotonic() + SETTLE_S
        for client in self.clients:
            while client.notify and "park" not in [
                    processes.role(p) for p in
                    processes.of_connection(client.c.sock)]:
                assert time.monotonic() < end, "it is not parked"
                time.sleep(.05)

    def go(self, steps):
        for n in range(steps):
            self.n = n
            self.step(self.rng.choice(self.clients))
            if n % 150 == 149:
                self.settle()
            if n % 70 == 69:
                self.rest()
        self.settle()
        for client in self.clients:
            self.compare(client)


def main():
    seed, steps = int(sys.argv[1]), int(sys.argv[2])
    print(f"seed {seed}, {steps} steps", flush=True)
    notify = sys.argv[3:] == ["notify"]
    run = Run(seed, *([] if notify else sys.argv[3:]), notify=notify)
    try:
        run.go(steps)
    except Exception:
        print(f"at step {getattr(run, 'n', 0)} of seed {seed}", flush=True)
        raise


if __name__ == "__main__":
    main()
