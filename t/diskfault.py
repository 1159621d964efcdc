"""diskfault - a server whose disk is full, or fails to sync, for a while:
clients are told to try again later, nothing acknowledged is lost, nothing
comes twice, and all is well when the disk is.

diskfault.py full MOUNT   fills MOUNT, where the server's data is, and empties
                          it again
diskfault.py failing      some calls fail, as bats has told the fault shim
diskfault.py check        after a restart
"""
import os
import pickle
import random
import sys

import ledger
import mailtest

BOOK = os.path.join(mailtest.DIR, "ledger")


def fill(path):
    """All of the space that there is by now, to the last block."""
    with open(path, "ab", buffering=0) as f:
        for size in (1 << 20, 1 << 12, 1 << 9, 1):
            try:
                while True:
                    f.write(b"x" * size)
                    os.fsync(f.fileno())
            except OSError:
                pass


def work(sender, client, n):
    for _ in range(n):
        sender.step()
        client.step()


def later(book):
    """How many messages were answered with 4xx; none with 5xx."""
    codes = [c for c in book.count if isinstance(c, int)]
    assert all(c == 250 or 400 <= c < 500 for c in codes), book.count
    return sum(book.count[c] for c in codes if c != 250)


def read_all(client):
    """Reading works on a full disk."""
    for mailbox in ledger.MAILBOXES:
        client.select(mailbox)
        client.ok("UID FETCH 1:* (BODY.PEEK[])")


def work_refused(book, sender, client, ballast):
    """Until something was refused by both. Expunging makes room, and so does a
    fold, so the disk is filled again and again."""
    refused = book.count["refused"]
    said = later(book)
    for _ in range(40):
        fill(ballast)
        work(sender, client, 10)
        if later(book) > said and book.count["refused"] > refused:
            return
    raise AssertionError(f"nothing was refused: {book.count}")


def full(book, sender, client, mount):
    ballast = os.path.join(mount, "ballast")
    for _ in range(2):
        client.may_refuse = True
        work_refused(book, sender, client, ballast)
        read_all(client)
        os.unlink(ballast)
        well(book, sender, client)


def trouble(book):
    return book.count["refused"] + later(book)


def well(book, sender, client):
    client.may_refuse = False
    before = trouble(book)
    work(sender, client, 30)
    assert trouble(book) == before, book.count


def failing(book, sender, client):
    """Until all that is to fail has failed."""
    before = -1
    while trouble(book) != before:
        before = trouble(book)
        work(sender, client, 100)
    assert later(book) > 1 and book.count["refused"] > 1, book.count


def main():
    seed = int(os.environ.get("MOX_TEST_SEED", random.randrange(1 << 15)))
    print(f"seed {seed}")
    book = ledger.Ledger()
    sender = ledger.Sender("s", book, seed)
    client = ledger.Client("c", book, seed)
    mailtest.Imap().ok("CREATE work")
    client.may_refuse = sys.argv[1] == "failing"
    work(sender, client, 20)
    if sys.argv[1] == "full":
        full(book, sender, client, sys.argv[2])
    else:
        failing(book, sender, client)
    ledger.check_all(book)
    print(dict(book.count))
    book.lock = None
    with open(BOOK, "wb") as f:
        pickle.dump(book, f)


def check():
    with open(BOOK, "rb") as f:
        book = pickle.load(f)
    book.lock = ledger.threading.Lock()
    ledger.check_all(book)


if sys.argv[1] == "check":
    check()
else:
    main()
