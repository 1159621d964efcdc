"""
DKIM beside OpenDKIM's library (through ctypes) and dkimpy: messages a second
of processor time, and the memory that a large one takes.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

DOMAIN, SELECTOR, FORM = "peer.example", "s", ("relaxed", "relaxed")
SECONDS = 1
LINE = (b"The quick brown fox jumps over the lazy dog, and over and over "
        b"again, until.\r\n")
HEADER = (b"From: Joe <joe@peer.example>\r\nTo: Suzie <suzie@example.net>\r\n"
          b"Subject: Is dinner ready?\r\n"
          b"Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
          b"Message-ID: <1@peer.example>\r\n\r\n")


def rate(work):
    """Calls a second of processor time, as bench_dkim counts."""
    n, begin = 0, time.process_time()
    while time.process_time() < begin + SECONDS:
        if not work():
            return None
        n += 1
    return n / (time.process_time() - begin)


def message(size):
    return HEADER + LINE * ((size - len(HEADER)) // len(LINE) + 1)


def key(work, binaries, kind):
    """A key in a file of its own, and its record."""
    pem = f"{work}/{kind}.pem"
    with open(pem, "wb") as f:
        subprocess.run([f"{binaries}/mox-dkim", f"gen{kind}"], check=True,
                       stdout=f)
    with open(pem, "rb") as f:
        out = subprocess.run([f"{binaries}/mox-dkim", "-json", "txt"],
                             check=True, stdin=f, capture_output=True).stdout
    return pem, json.loads(out)["Record"]


def one(report, binaries, work, kind, size, label):
    import dkim_peers as peers
    pem, record = key(work, binaries, kind)
    keys = {f"{SELECTOR}._domainkey.{DOMAIN}": record}
    opendkim = peers.OpenDKIM(keys, work)
    ed25519 = kind == "ed25519"
    with open(pem, "rb") as f:
        text = f.read()
    secret, plain = peers.private_key(pem, ed25519), message(size)

    def ours(op):
        return bench(binaries, op, pem, size, SECONDS)

    def sign():
        return opendkim.sign(plain, DOMAIN, SELECTOR, text, FORM, ed25519)

    signed = sign()
    name = f"DKIM {kind}, {label}"
    report(f"{name}: verify; peer libopendkim", "msg/s", ours("verify"),
           rate(lambda: opendkim.verify(signed)))
    report(f"{name}: sign; peer libopendkim", "msg/s", ours("sign"),
           rate(sign))
    report(f"{name}: verify; peer dkimpy", "msg/s", ours("verify"),
           rate(lambda: peers.dkimpy_verify(signed, keys)))
    report(f"{name}: sign; peer dkimpy", "msg/s", ours("sign"),
           rate(lambda: peers.dkimpy_sign(plain, DOMAIN, SELECTOR, secret,
                                          FORM, ed25519)))


def bench(binaries, *args):
    out = subprocess.run([f"{binaries}/t/bin/bench_dkim", *map(str, args)],
                         check=True, capture_output=True, text=True).stdout
    return float(out)


def measure(report, binaries):
    """In Debian's Python, whichever runs the bench: it has the peers."""
    run = subprocess.Popen(["/usr/bin/python3", __file__, binaries],
                           stdout=subprocess.PIPE, text=True)
    for line in run.stdout:
        report(*json.loads(line))
    if run.wait() != 0:
        raise RuntimeError("DKIM bench failed")


def measure_all(report, binaries):
    with tempfile.TemporaryDirectory(prefix="mox-bench.") as work:
        for kind in ("rsa", "ed25519"):
            for size, label in ((4096, "4 KB"), (1000000, "1 MB")):
                one(report, binaries, work, kind, size, label)
        pem, _ = key(work, binaries, "rsa")
        report("DKIM verify, 50 MB; in place of the peer 64 KB", "KB",
               bench(binaries, "memory", pem, 50000000, 0),
               bench(binaries, "memory", pem, 65536, 0), False)


def print_row(*row):
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    measure_all(print_row, sys.argv[1])
