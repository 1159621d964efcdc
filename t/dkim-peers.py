#!/usr/bin/python3
"""
DKIM and ARC both ways: what we sign, dkimpy and OpenDKIM verify, and we verify
what they sign; all canonicalisations, both kinds of keys. Authentication-
Results of a seal are read by authres.

Usage: dkim-peers.py WORK, a folder with config/ whose domain peer.example
signs with selectors KIND-HEADER-BODY, keys rsa.pem and ed.pem, and a zone.
Prints what went wrong, and a line of sums; exit code 1 if anything did.
"""
import itertools
import os
import subprocess
import sys

import authres
import dkim

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim_peers as peers  # noqa: E402

DOMAIN = "peer.example"
FORMS = [(h, b) for h in ("simple", "relaxed") for b in ("simple", "relaxed")]
HEADER = (b"From: Joe <joe@peer.example>\r\n"
          b"To:  Suzie <suzie@example.net>,\r\n\t Ann <ann@example.net>\r\n"
          b"Subject:  Is \t dinner\r\n   ready?\r\n"
          b"Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
          b"Message-ID: <1@peer.example>\r\n\r\n")
BODIES = {
    "plain": b"Hi.\r\n\r\nWe lost  the game. \r\n\t\r\n\r\n",
    "empty": b"",
    "empty lines": b"\r\n\r\n",
    "no end": b"no line end",
    "dots": b".\r\n..\r\n -- \r\n",
    "large": b"0123456789abcdef \t " * 20000 + b"\r\n",
    "utf8": "Grüße \r\n".encode() * 50,
}

passed, failed = 0, []


def check(ok, *what):
    global passed
    if ok:
        passed += 1
    else:
        failed.append(" ".join(what))


def mox(*args):
    run = subprocess.run(args, capture_output=True)
    return run.returncode, run.stdout


def write(work, message):
    path = os.path.join(work, "message.eml")
    with open(path, "wb") as f:
        f.write(message)
    return path


def ours_by_them(work, keys, opendkim, name, message):
    """All selectors of the configuration sign in one go."""
    code, signed = mox("mox-dkim", "sign", write(work, message))
    check(code == 0, "mox-dkim sign", name)
    fields, rest = peers.signatures(signed)
    check(rest == message, "the message as it was", name)
    check(len(fields) == 2 * len(FORMS), "signatures", name)
    code, out = mox("mox-dkim", "verify", write(work, signed))
    check(out.count(b'status "pass"') == len(fields), "we", name)
    for i, field in enumerate(fields):
        which = field.split(b" s=")[1].split(b";")[0].decode()
        check(peers.dkimpy_verify(signed, keys, i), "dkimpy of ours", name,
              which)
        # It adds no CRLF to a relaxed body (RFC 6376, 3.4.4 does).
        if name == "no end" and which.endswith("relaxed"):
            continue
        if opendkim.has_ed25519 or not which.startswith("ed"):
            check(opendkim.verify(field + rest), "opendkim of ours", name,
                  which)
    changed = signed[:-3] + b"X" + signed[-2:]
    check(mox("mox-dkim", "verify", write(work, changed))[0] == 1,
          "we of changed", name)


def theirs_by_us(work, opendkim, name, message):
    for kind, form in itertools.product(("rsa", "ed"), FORMS):
        pem = os.path.join(work, kind + ".pem")
        selector = f"{kind}-{form[0]}-{form[1]}"
        key = peers.private_key(pem, kind == "ed")
        signed = peers.dkimpy_sign(message, DOMAIN, selector, key, form,
                                   kind == "ed")
        check(mox("mox-dkim", "verify", write(work, signed))[0] == 0,
              "we of dkimpy's", name, selector)
        if kind == "ed" and not opendkim.has_ed25519:
            continue
        # OpenDKIM signs no body without a last line end; its Ed25519
        # signatures with a simple header verify nowhere, nor with itself.
        if name == "no end" or (kind == "ed" and form[0] == "simple"):
            continue
        signed = opendkim.sign(message, DOMAIN, selector,
                               open(pem, "rb").read(), form, kind == "ed")
        check(mox("mox-dkim", "verify", write(work, signed))[0] == 0,
              "we of opendkim's", name, selector)


def arc(work, keys):
    """A chain of us, dkimpy, us, each verified by both."""
    pem = os.path.join(work, "rsa.pem")
    selector = "rsa-relaxed-relaxed"
    message = HEADER + BODIES["plain"]
    for i, who in enumerate(("mox", "dkimpy", "mox", "dkimpy"), 1):
        if who == "mox":
            message = subprocess.run(
                [os.environ["MOX_T"] + "/bin/arcseal", pem, DOMAIN, selector],
                input=message, check=True, capture_output=True).stdout
        else:
            message = arc_sign(message, f"hop{i}.example", selector, pem,
                               keys)
        code, out = mox("mox-arc", "verify", write(work, message))
        check(code == 0 and f"sets: {i}\n".encode() in out,
              f"we of chain of {i}:", out.decode())
        cv, results, why = dkim.arc_verify(message,
                                           dnsfunc=peers.dnsfunc(keys))
        check(cv == b"pass" and len(results) == i, f"dkimpy of chain of {i}:",
              str(cv), str(why))
    value = message.split(b"ARC-Authentication-Results: i=3; ")[1]
    value = value.split(b"\r\nARC")[0].split(b"\r\nFrom")[0].decode()
    parsed = authres.AuthenticationResultsHeader.parse(
        "Authentication-Results: " + value.split("\r\nAuth")[0])
    check(parsed.authserv_id == "mx.seal.example" and
          parsed.results[0].method == "arc" and
          parsed.results[0].result == "pass", "authres of a seal")
    # authres leaves backslashes in a reason, and forgets header.b.
    said = [(r.method, r.result, (r.reason or "").replace("\\", ""),
             {f"{p.type}.{p.name}": p.value for p in r.properties})
            for r in parsed.results[1:]]
    check(said == [("spf", "softfail", 'says "no"',
                    {"smtp.mailfrom": '"odd one"@peer.example'}),
                   ("dkim", "pass", "", {"header.i": "@peer.example"}),
                   ("iprev", "pass", "", {"policy.iprev": "2001:db8::1"})],
          "authres of a seal:", str(said))
    code, _ = mox("mox-arc", "verify",
                  write(work, message.replace(b"ready?", b"gone?")))
    check(code == 1, "we of a changed chain")


def arc_sign(message, host, selector, pem, keys):
    """As dkim.arc_sign, which has no way to say whom to ask for keys."""
    results = f"Authentication-Results: {host}; arc=pass\r\n".encode()
    signer = dkim.ARC(results + message)
    verify = signer.verify
    signer.verify = lambda **_: verify(dnsfunc=peers.dnsfunc(keys))
    return b"".join(signer.sign(
        selector.encode(), DOMAIN.encode(), open(pem, "rb").read(),
        host.encode(), include_headers=[b"from", b"to", b"subject"],
    )) + results + message


def main():
    work = sys.argv[1]
    keys = peers.zone_keys(os.path.join(work, "zone"))
    opendkim = peers.OpenDKIM(keys, work)
    for name, body in BODIES.items():
        ours_by_them(work, keys, opendkim, name, HEADER + body)
        theirs_by_us(work, opendkim, name, HEADER + body)
    arc(work, keys)
    for what in failed:
        print("wrong:", what)
    if not opendkim.has_ed25519:
        print("this OpenDKIM has no Ed25519")
    print(f"peers: {passed} right, {len(failed)} wrong")
    return 1 if failed else 0


sys.exit(main())
