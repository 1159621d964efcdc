"""kill - kill -9 of any process of a running server, while mail comes in over
SMTP and is changed over IMAP. Nothing acknowledged may be lost, nothing
doubled.

Usage, by kill.bats: kill.py SEED, with IP and DIR. Starts and ends the server
itself, since mox-localserve is among the killed.
"""
import os
import random
import subprocess
import sys
import time

import ledger
import mailtest
import processes
from mailtest import DIR, IP

DELIVERIES = 200
CHANGES = 600
KILLS = 200
SENDERS = 4
CLIENTS = 3
SECONDS = 120  # far more than needed


class Server:
    def __init__(self):
        self.process = None

    def start(self):
        """Ports may be taken for as long as the killed one's children are
        ending: again, as a supervisor would."""
        end = time.monotonic() + ledger.PATIENCE
        while time.monotonic() < end:
            # setpriv: does not outlive this test.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "mox-localserve", "-dir",
                 DIR, "-ip", IP, "-loglevel", "error"],
                stdout=subprocess.PIPE)
            line = self.process.stdout.readline()
            while line and not line.startswith(b"mox is ready"):
                line = self.process.stdout.readline()
            if line:
                return
            self.process.wait()
            time.sleep(0.05)
        raise ledger.Broken("the server does not start again")

    def stop(self):
        self.process.terminate()
        if self.process.wait() != 0:
            raise ledger.Broken(f"server ended with {self.process.returncode}")


class Killer:
    """Mostly those that serve a connection: services are restarted ever
    later when they end often."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.kills = dict.fromkeys(processes.ROLES, 0)
        self.services = 0  # killed since the last start of localserve

    def role(self):
        r = self.random.random()
        if r < 0.95:
            return "front" if r < 0.3 else "back"
        if self.services < 2:
            return "parent" if r < 0.975 else "keeper"
        return "localserve"

    def step(self):
        time.sleep(self.random.expovariate(1 / 0.02))
        role = self.role()
        pids = processes.by_role(self.server.process.pid)[role]
        if not pids or not processes.kill(self.random.choice(pids)):
            return
        self.kills[role] += 1
        self.services += role in ("parent", "keeper")
        if role == "localserve":
            self.server.process.wait()
            self.server.start()
            self.services = 0


def verify():
    """mox-verifydata finds no error, and does not with what it mends."""
    done = subprocess.run(["mox-verifydata", f"{DIR}/data"], check=False,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ledger.Broken(f"mox-verifydata: {done.stdout}")


def send_some(sender, book):
    """Until there are enough, with pauses: all through the storm."""
    if book.count["deliveries"] < DELIVERIES:
        sender.step()
    else:
        sender.quit()
    time.sleep(sender.random.expovariate(1 / 0.08))


def enough(book, killer):
    return book.count["deliveries"] >= DELIVERIES and \
        book.count["changes"] >= CHANGES and \
        sum(killer.kills.values()) >= KILLS


def storm(server, book, seed):
    killer = Killer(server, seed)
    senders = [ledger.Sender(f"s{i}", book, seed) for i in range(SENDERS)]
    clients = [ledger.Client(f"c{i}", book, seed, tls=i == 0)
               for i in range(CLIENTS)]
    workers = ledger.Workers([lambda s=s: send_some(s, book) for s in senders] +
                      [c.step for c in clients])
    end = time.monotonic() + SECONDS
    try:
        while not enough(book, killer) and not workers.failed:
            if time.monotonic() > end:
                raise ledger.Broken("too slow")
            killer.step()
    finally:
        workers.join()
        print(f"kills {killer.kills}; {dict(book.count)}")
    if workers.failed:
        raise workers.failed[0]


def kill_all(server):
    for pids in processes.by_role(server.process.pid).values():
        for pid in pids:
            processes.kill(pid)
    server.process.wait()


def main():
    seed = int(sys.argv[1])
    book, server = ledger.Ledger(), Server()
    try:
        server.start()
        mailtest.Imap().ok("CREATE work")
        storm(server, book, seed)
        kill_all(server)
        verify()
        server.start()
        ledger.check_all(book)
        server.stop()
        verify()
    except BaseException:
        print(f"seed {seed}")
        if server.process is not None and server.process.poll() is None:
            server.process.terminate()
            server.process.wait()
        raise


main()
