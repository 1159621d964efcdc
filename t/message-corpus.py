#!/usr/bin/python3
"""Compare msgdump with what Dovecot 2.3.19 said of 176 messages.

Usage: message-corpus.py MSGDUMP DATA [-v]

Counts agreement per level, checks that the LF form gives the same record, and
fails below the counts of MINIMUM or on a difference that is not known.
"""
import hashlib
import json
import os
import re
import subprocess
import sys

MINIMUM = {"tree": 173, "core": 169, "ext": 171, "envelope": 170,
           "sections": 170, "size": 175, "lf": 176}

END = "it ends in CR without LF, which Dovecot's copy lost"
DELIMITER = "RFC 2046, 5.1.1: the line break before a boundary belongs to it"
BOUNDARY = "boundary=----=_x without quotes is meant as it stands; Dovecot " \
    "ends it at \"=\" and finds an empty part at the end"
EMPTY = "RFC 5322, 4.4: empty entries of a list are nothing"
TOKEN = "RFC 2183, 2: no type, no disposition"

# name -> {level: why we answer otherwise}
DIFFERENT = {
    "mailparser-legacy-049": {"core": END, "sections": END, "size": END},
    "mailparser-rfc-008": {"core": DELIMITER, "sections": DELIMITER},
    "mimekit-rfc2060": {"core": DELIMITER, "sections": DELIMITER},
    "rubymail-error_emails-content_transfer_encoding_with_semi_colon": {
        "core": "\"quoted-printable;\" is what the part is encoded in"},
    "rubymail-error_emails-missing_body": {
        "envelope": "<Undisclosed-Recipient:@host;>: SYNTAX_ERROR is no host"},
    "rubymail-error_emails-missing_content_disposition": {"ext": TOKEN},
    "rubymail-error_emails-multiple_invalid_content_dispositions": {
        "ext": TOKEN},
    "rubymail-error_emails-weird_to_header": {"envelope": EMPTY},
    "rubymail-mime_emails-raw_email_with_binary_encoded": dict.fromkeys(
        ("tree", "core", "ext", "sections"), BOUNDARY),
    "rubymail-mime_emails-raw_email_with_illegal_boundary": dict.fromkeys(
        ("tree", "core", "ext", "sections"), BOUNDARY),
    "rubymail-plain_emails-raw_email_bad_time": dict.fromkeys(
        ("tree", "core", "ext", "sections"), BOUNDARY),
    "rubymail-plain_emails-mix_caps_content_type": {
        "envelope": "Big Bug bb@bug.com: the address can be read"},
    "rubymail-plain_emails-raw_email_with_at_display_name": {
        "envelope": "a@b <c@d>: a@b is the name, and the list goes on"},
    "rubymail-rfc2822-example11": {"envelope": EMPTY},
    "rubymail-rfc2822-example14": {
        "envelope": "RFC 5322, 2.2.3: unfolding keeps all white space"},
}


def parse(data, i=0):
    """An IMAP value at data[i]: (value, index behind it)."""
    if data[i:i + 1] == b"(":
        out, i = [], i + 1
        while data[i:i + 1] != b")":
            if data[i:i + 1] == b" ":
                i += 1
                continue
            value, i = parse(data, i)
            out.append(value)
        return out, i + 1
    if data[i:i + 1] == b'"':
        m = re.compile(rb'"((?:[^"\\]|\\.)*)"').match(data, i)
        return re.sub(rb"\\(.)", rb"\1", m[1]).decode("latin-1"), m.end()
    m = re.compile(rb"\{(\d+)\}\r\n").match(data, i)
    if m:
        end = m.end() + int(m[1])
        return data[m.end():end].decode("latin-1"), end
    m = re.compile(rb"NIL|\d+").match(data, i)
    return None if m[0] == b"NIL" else int(m[0]), m.end()


def pairs(v):
    if v is None:
        return None
    return {v[i].lower(): v[i + 1] for i in range(0, len(v), 2)}


def extension(v):
    disposition = v[0] and [v[0][0].lower(), pairs(v[0][1])]
    return [disposition] + v[1:]


def levels(s):
    """tree, core and ext of a BODYSTRUCTURE, in the form of the JSON."""
    if isinstance(s[0], list):
        n = next(i for i, v in enumerate(s) if not isinstance(v, list))
        kind = "multipart/" + s[n].lower()
        kids = [levels(v) for v in s[:n]]
        return ([kind] + [k[0] for k in kids],
                [kind, pairs(s[n + 1])] + [k[1] for k in kids],
                [kind] + extension(s[n + 2:]) + [k[2] for k in kids])
    kind = s[0].lower() + "/" + s[1].lower()
    core = [kind, pairs(s[2]), s[3], s[4], s[5].lower(), s[6]]
    if kind == "message/rfc822":
        kid = levels(s[8])
        return ([kind, kid[0]], core + [s[7], kid[1], s[9]],
                extension(s[11:]) + [kid[2]])
    if kind.startswith("text/"):
        return [kind], core + [s[7]], extension(s[9:])
    return [kind], core, extension(s[8:])


def dump(msgdump, message, *args):
    out = subprocess.run([msgdump, *args], input=message, check=True,
                         stdout=subprocess.PIPE).stdout
    texts, sections, i = {}, {}, 0
    while i < len(out):
        line, i = out[i:out.index(b"\n", i)], out.index(b"\n", i) + 1
        word = line.decode("latin-1").split(" ")
        if word[0] in ("size", "flags", "date", "received", "record"):
            texts[word[0]] = int(word[1])
        elif word[0] == "section":
            sections[word[1]] = None if word[2] == "none" else \
                [int(w) for w in word[2:]]
        elif word[0] != "part":
            texts[word[0]] = out[i:i + int(word[1])]
            i += int(word[1]) + 1
    return texts, sections, out


def main():
    msgdump, data = sys.argv[1:3]
    verbose = "-v" in sys.argv
    with open(data + "/messages-imap-dovecot-2.3.19.json") as f:
        want = json.load(f)
    agree = dict.fromkeys(MINIMUM, 0)
    failed = False
    for name in sorted(want):
        with open(os.path.join(data, "messages", name), "rb") as f:
            lf = f.read().replace(b"\r\n", b"\n")
        wire = lf.replace(b"\n", b"\r\n")
        w = want[name]
        texts, ranges, out = dump(msgdump, wire, *w["sections"])
        got = dict(zip(("tree", "core", "ext"),
                       levels(parse(texts["structure"])[0])))
        got["envelope"] = parse(texts["envelope"])[0]
        got["size"] = texts["size"]
        got["sections"] = {}
        for s, r in ranges.items():
            if r is not None:
                part = wire[r[0]:r[0] + r[2]]
                got["sections"][s] = "%s:%d" % (
                    hashlib.sha1(part).hexdigest()[:16], len(part))
                if part != lf[r[0] - r[1]:].replace(b"\n", b"\r\n")[:r[2]]:
                    got["sections"][s] = "breaks"
        got["lf"] = b"\r" in lf or dump(msgdump, lf, "-lf", "-chunk", "7",
                                        *w["sections"])[2] == out
        w["lf"] = True
        known = DIFFERENT.get(name.removesuffix(".eml"), {})
        for level in MINIMUM:
            if got[level] == w[level]:
                agree[level] += 1
                if level in known:
                    print("%s %s: agrees now" % (name, level))
                    failed = True
            elif level not in known:
                print("%s %s:\n  got  %s\n  want %s" % (
                    name, level, json.dumps(got[level]),
                    json.dumps(w[level])))
                failed = True
            elif verbose:
                print("%s %s: %s" % (name, level, known[level]))
    print("agree, of %d: %s" % (len(want), ", ".join(
        "%s %d" % a for a in agree.items())))
    low = [v for v in MINIMUM if agree[v] < MINIMUM[v]]
    if low:
        print("fewer than %s" % {v: MINIMUM[v] for v in low})
    return 1 if failed or low else 0


sys.exit(main())
