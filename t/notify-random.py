#!/usr/bin/env python3
"""Random changes of mailboxes, messages and annotations by one session and a
foreign program, while another one has NOTIFY on everything: what it was told
must be what a fresh session sees.

usage: notify-random.py SEED STEPS [park]

park: changes begin when the session that is told is parked.

The server is that of the environment (IP, DIR: helper.bash).
"""
import os
import random
import re
import sys
import time

import processes
from mailtest import Imap, message

MAILDIR = os.path.join(os.environ["DIR"], "data/accounts/mox/Maildir")
EVENTS = "(MessageNew MessageExpunge FlagChange MailboxName " \
    "SubscriptionChange MailboxMetadataChange ServerMetadataChange)"
ITEMS = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ"
ELEMENTS = ["a", "b", "c d", "&AOk-"]
KEEP = {"\\Subscribed", "\\NonExistent", "\\HasChildren"}
SETTLE_S = 60


def words(text):
    return frozenset(text.split()) & KEEP


class Told:
    """What a client knows that believes what it is told."""

    def __init__(self):
        self.names = {}   # name -> attributes
        self.status = {}  # name -> items
        self.entries = set()  # (name, entry) that were said to have changed

    def take(self, line):
        if m := re.match(r'\* LIST \((.*?)\) "/" "(.*?)"(.*)$', line):
            name, attributes = m[2], words(m[1])
            if old := re.search(r'"OLDNAME" \("(.*)"\)', m[3]):
                self.rename(old[1], name)
            if "\\NonExistent" in attributes and len(attributes) == 1:
                self.names.pop(name, None)
            else:
                self.names[name] = attributes
            if "\\NonExistent" in attributes:
                self.status.pop(name, None)
        elif m := re.match(r'\* STATUS "(.*)" \((.*)\)$', line):
            v = m[2].split()
            self.status[m[1]] = dict(zip(v[::2], v[1::2]))
        elif m := re.match(r'\* METADATA "(.*?)" (/.*)$', line):
            self.entries |= {(m[1], e) for e in m[2].split()}

    def rename(self, old, new):
        for d in (self.names, self.status):
            for name in [n for n in d if n == old or n.startswith(old + "/")]:
                d[new + name[len(old):]] = d.pop(name)


def fresh():
    """The same of a session that asks."""
    c, told = Imap(), Told()
    for line in c.ok('LIST (SUBSCRIBED) "" * RETURN (CHILDREN)').lines + \
            c.ok(f'LIST "" * RETURN (SUBSCRIBED CHILDREN STATUS ({ITEMS}))').lines:
        told.take(line)
    c.ok("LOGOUT")
    return told


class Run:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.c, self.d = Imap(), Imap()
        self.told = fresh()
        self.c.ok("ENABLE CONDSTORE")
        for line in self.c.ok(f"NOTIFY SET STATUS (personal {EVENTS})").lines:
            self.told.take(line)
        self.entries = set()  # that were changed
        self.n = 0

    # ---- steps ----

    def name(self):
        return "/".join(self.rng.choice(ELEMENTS)
                        for _ in range(self.rng.choice((1, 1, 2, 3))))

    def existing(self):
        names = [n for n, a in fresh().names.items()
                 if "\\NonExistent" not in a]
        return self.rng.choice(sorted(names))

    def cmd(self, command):
        return self.d.cmd(command).status == "OK"

    def create(self):
        self.cmd(f'CREATE "{self.name()}"')

    def delete(self):
        self.cmd(f'DELETE "{self.name()}"')

    def rename(self):
        self.cmd(f'RENAME "{self.name()}" "{self.name()}"')

    def subscribe(self):
        self.cmd(self.rng.choice(("", "UN")) + f'SUBSCRIBE "{self.name()}"')

    def append(self):
        self.d.append(self.existing(), message("m"),
                      self.rng.choice(("()", "(\\Seen)")))

    def change(self):
        self.cmd(f'SELECT "{self.existing()}"')
        for _ in range(self.rng.randint(1, 3)):
            self.cmd(self.rng.choice((
                "STORE 1 +FLAGS (\\Seen)", "STORE 1 -FLAGS (\\Seen)",
                "STORE * +FLAGS (\\Flagged)", "STORE 1:* -FLAGS (\\Flagged)",
                "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE",
                f'COPY 1 "{self.name()}"', f'MOVE 1 "{self.name()}"')))
        self.cmd("UNSELECT")

    def annotate(self):
        name = self.rng.choice(("", self.existing()))
        self.n += 1
        entry = f"/private/e{self.n}"
        if self.cmd(f'SETMETADATA "{name}" ({entry} "x")'):
            self.entries.add((name, entry))
            self.d.ok(f'SETMETADATA "{name}" ({entry} NIL)')
            self.d.ok(f'SETMETADATA "{name}" ({entry} "{time.time_ns()}")')

    def foreign(self):
        """A folder, its name, a message: by nobody who pokes."""
        x, y = (".F" + self.rng.choice("xyz") for _ in range(2))
        path = os.path.join(MAILDIR, x)
        self.n += 1
        try:
            if self.rng.random() < .3:
                os.rename(path, os.path.join(MAILDIR, y))
            else:
                for sub in ("", "/cur", "/new", "/tmp"):
                    if not os.path.exists(path + sub):
                        os.mkdir(path + sub)
                with open(f"{path}/tmp/f{self.n}", "w") as f:
                    f.write("Subject: x\n\nx\n")
                os.rename(f"{path}/tmp/f{self.n}", f"{path}/new/f{self.n}")
        except OSError:
            pass

    # ---- all ----

    def settle(self):
        end = time.monotonic() + SETTLE_S
        while True:
            for line in self.c.ok("NOOP").lines:
                self.told.take(line)
            want = fresh()
            wrong = [(n, self.told.names.get(n), want.names.get(n))
                     for n in set(self.told.names) | set(want.names)
                     if self.told.names.get(n) != want.names.get(n)]
            wrong += [(n, self.told.status.get(n), s)
                      for n, s in want.status.items()
                      if n in self.told.status and self.told.status[n] != s
                      or n not in self.told.status and s["MESSAGES"] != "0"]
            if not wrong and not self.rejected():
                return
            assert time.monotonic() < end, (wrong, self.rejected())
            time.sleep(.05)

    def rejected(self):
        """Annotations that went with their mailbox need not be told."""
        left = {(n, e) for n, e in self.entries - self.told.entries
                if n == ""}
        if not left:
            self.entries = set()
        return left

    def park(self):
        """Until its process is gone: some seconds after the last change."""
        end = time.monotonic() + SETTLE_S
        while [processes.role(p) for p in
               processes.of_connection(self.c.sock)] != ["park"]:
            assert time.monotonic() < end, "it is not parked"
            time.sleep(.05)

    def go(self, steps, parked):
        kinds = [(self.create, 6), (self.delete, 4), (self.rename, 4),
                 (self.subscribe, 4), (self.append, 8), (self.change, 8),
                 (self.annotate, 2), (self.foreign, 2)]
        for n in range(steps):
            self.rng.choices([k for k, _ in kinds],
                             [w for _, w in kinds])[0]()
            if n % 10 == 9:
                self.settle()
                if parked:
                    self.park()
        self.settle()


def main():
    seed, steps = int(sys.argv[1]), int(sys.argv[2])
    print(f"seed {seed}, {steps} steps", flush=True)
    Run(seed).go(steps, "park" in sys.argv[3:])


if __name__ == "__main__":
    main()
