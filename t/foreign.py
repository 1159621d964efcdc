"""foreign - two IMAP clients, a sender and a foreign program in one Maildir:
none loses a message, none sees two, and a session that was there all the time
ends with what a new one sees.
"""
import collections
import os
import random
import re
import subprocess
import sys
import threading
import time

import ledger
import mailtest
from mailtest import DIR

SECONDS = 6
MAILDIR = os.path.join(DIR, "data/accounts/mox/Maildir")
SYSTEM = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered",
          "D": "\\Draft"}


class Watcher(mailtest.Imap):
    """Keeps a mailbox by what it is told, as a mail program does."""

    def __init__(self):
        super().__init__()
        self.view = []  # [uid, flags]
        self.take(self.ok("SELECT INBOX"))

    def take(self, answer):
        for line in answer.lines:
            m = re.match(r"\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)", line, re.S)
            if not m:
                continue
            n = int(m[1])
            if m[2] == "EXPUNGE":
                del self.view[n - 1]
            elif m[2] == "EXISTS":
                assert n >= len(self.view), (n, len(self.view))
                self.view += [[0, None] for _ in range(n - len(self.view))]
            elif "FLAGS" in m[3]:
                uid = int(re.search(r"UID (\d+)", m[3])[1])
                assert self.view[n - 1][0] in (0, uid), line
                flags = re.search(r"FLAGS \(([^)]*)\)", m[3])[1].split()
                self.view[n - 1] = [uid, frozenset(flags)]

    def step(self):
        self.take(self.ok("NOOP"))
        unknown = [i + 1 for i, (uid, _) in enumerate(self.view) if not uid]
        if unknown:
            self.take(self.ok(f"FETCH {ledger.uid_set(unknown)} (UID FLAGS)"))
        time.sleep(0.01)


def on_disk():
    """{(mailbox, token): [flags]} of the foreign program's messages."""
    out = collections.defaultdict(list)
    for mailbox in ledger.MAILBOXES:
        folder = "" if mailbox == "INBOX" else "." + mailbox
        for path in mailtest.maildir_files(folder):
            m = re.search(r"(f-\d+)[^:/]*(?::2,(\w*))?$", path)
            if m and ".shell" in path:
                out[mailbox, m[1]].append(
                    sorted(SYSTEM[c] for c in m[2] or ""))
    return {k: sorted(v) for k, v in out.items()}


def over_imap(found):
    out = collections.defaultdict(list)
    for token, places in found.items():
        for (mailbox, _), flags in places.items():
            if token.startswith("f-"):
                out[mailbox, token].append(sorted(flags))
    return {k: sorted(v) for k, v in out.items()}


def eventually_same(left, right, what):
    """Files that are gone are believed to be after two quiet seconds."""
    end = time.monotonic() + ledger.PATIENCE
    while (a := left()) != (b := right()):
        if time.monotonic() > end:
            raise ledger.Broken(f"{what}: {a} and {b}")
        time.sleep(0.2)


def main():
    seed = int(os.environ.get("MOX_TEST_SEED", random.randrange(1 << 15)))
    print(f"seed {seed}")
    book = ledger.Ledger()
    mailtest.Imap().ok("CREATE work")
    watcher = Watcher()
    sender = ledger.Sender("s", book, seed)
    workers = [ledger.Client(f"c{i}", book, seed) for i in range(2)] + \
        [sender, watcher]
    failed = []

    def run(worker):
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and not failed:
                worker.step()
                time.sleep(0.005)
        except BaseException as e:  # pylint: disable=broad-except
            failed.append(e)

    here = os.path.dirname(os.path.abspath(__file__))
    shell = subprocess.Popen(
        ["bash", f"{here}/foreign.sh", MAILDIR, str(SECONDS)],
        stdout=subprocess.PIPE, text=True)
    threads = [threading.Thread(target=run, args=(w,)) for w in workers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    out, _ = shell.communicate()
    print(f"foreign messages {out.strip()}; {dict(book.count)}")
    if failed:
        raise failed[0]
    compare(book, watcher, workers[0], int(out))


def compare(book, watcher, client, n):
    eventually_same(on_disk, lambda: over_imap(client.look()), "foreign")
    assert n > 20 and len(on_disk()) > 10, n
    ledger.check_all(book, {f"f-{i}" for i in range(1, n + 1)})

    def watched():
        watcher.step()
        return {uid: flags for uid, flags in watcher.view}

    def fresh():
        return {uid: flags for places in client.look().values()
                for (mailbox, uid), flags in places.items()
                if mailbox == "INBOX"}

    eventually_same(watched, fresh, "watched")
    mailtest.eq([uid for uid, _ in watcher.view], sorted(fresh()))


main()
