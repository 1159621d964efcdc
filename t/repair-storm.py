"""repair-storm - the repairs of mox-mailbox, killed now and then, while mail
comes in over SMTP and is changed over IMAP.

Usage, by mailbox-tool.bats: repair-storm.py SEED, beside a server at IP, DIR.

First those that sessions are not told of, with clients that know of each message
where it must be. Then those that give new UIDs, with deliveries: what was
acknowledged is there, once.
"""
import collections
import random
import re
import subprocess
import sys

import ledger
import mailtest
from mailtest import DIR

QUIET = ("reparse", "ensureparsed", "fixmsgsize", "fixuidmeta",
         "recalculatemailboxcounts", "reassignthreads")
LOUD = ("reassignuids", "bumpuidvalidity")
RUNS = 40


def repair(command, rnd):
    """Killed in half of the cases; what ends by itself was done."""
    p = subprocess.Popen(["mox-mailbox", command, "mox"],
                         stdout=subprocess.DEVNULL)
    try:
        p.wait(rnd.expovariate(1 / 0.05) if rnd.random() < 0.5 else 30)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        return
    if p.returncode != 0:
        raise ledger.Broken(f"{command}: {p.returncode}")


def storm(steps, commands, rnd):
    workers = ledger.Workers(steps)
    try:
        for _ in range(RUNS):
            repair(rnd.choice(commands), rnd)
            if workers.failed:
                break
    finally:
        workers.join()
    if workers.failed:
        raise workers.failed[0]
    verify()


def verify():
    done = subprocess.run(["mox-verifydata", f"{DIR}/data"], check=False,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ledger.Broken(f"mox-verifydata: {done.stdout}")


def quiet(rnd, seed):
    book = ledger.Ledger()
    clients = [ledger.Client(f"c{i}", book, seed) for i in range(2)]
    sender = ledger.Sender("s", book, seed)
    storm([c.step for c in clients] + [sender.step], QUIET, rnd)
    ledger.check_all(book)


def subjects(c, mailbox):
    c.ok(f"SELECT {mailbox}")
    return collections.Counter(
        re.search(r'ENVELOPE \((?:NIL|"[^"]*") "([^"]*)"', line)[1]
        for line in c.ok("UID FETCH 1:* (ENVELOPE)").lines
        if "ENVELOPE" in line)


def loud(rnd, seed):
    before = subjects(mailtest.Imap(), "INBOX")
    book = ledger.Ledger()
    senders = [ledger.Sender(f"l{i}", book, seed) for i in range(2)]
    storm([s.step for s in senders], LOUD, rnd)
    for s in senders:
        s.quit()
    found = subjects(mailtest.Imap(), "INBOX") - before
    for token in book.delivered:
        if found[token] != 1:
            raise ledger.Broken(f"{token}: {found[token]} times")
    if any(n > 1 for n in found.values()):
        raise ledger.Broken(f"twice: {found.most_common(3)}")
    if not book.delivered:
        raise ledger.Broken("nothing was delivered")


def main():
    seed = int(sys.argv[1])
    rnd = random.Random(seed)
    try:
        c = mailtest.Imap()
        c.ok("CREATE work")
        subprocess.run(["mox-mailbox", "fixuidmeta", "mox"], check=True)
        quiet(rnd, seed)
        loud(rnd, seed)
    except BaseException:
        print(f"seed {seed}")
        raise


main()
