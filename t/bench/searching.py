"""
SEARCH, SORT and THREAD beside Dovecot: the same files in a mailbox of both.

Messages are as people write them: words of which few are frequent and most are
rare, threads of a few messages, a signature in base64 in each header.
"""
import os
import random
import shutil

WORDS = 20000
FLAGS = ["", "S", "S", "S", "RS", "FS"]


def make_words(r):
    on = "b c d f g h l m n p r s t st tr th ch sh br w".split()
    vowel, off = "a e i o u ea ou ai".split(), ["", "", "n", "r", "s", "t", "ng", "l", "ck"]
    return ["".join(r.choice(on) + r.choice(vowel) + r.choice(off)
                    for _ in range(1 if i < 100 else r.choice((2, 2, 3))))
            for i in range(WORDS)]


def make_mailbox(maildir, count, owner=None):
    """The folder Search with count messages; a word that ten have, at most."""
    r = random.Random(1)
    words = make_words(r)

    def word():
        return words[int(WORDS ** r.random()) - 1]
    folder = os.path.join(maildir, ".Search")
    for d in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, d))
    subjects = []
    for i in range(count):
        refs = ""
        if subjects and r.random() < 0.6:
            of = r.choice(subjects[-50:])
            refs = f"In-Reply-To: <{of[0]}@x.example>\nReferences: <{of[0]}@x.example>\n"
            subject = of[1] if of[1].startswith("Re: ") else "Re: " + of[1]
        else:
            subject = " ".join(word() for _ in range(4))
        subjects.append((i, subject))
        text = " ".join(word() for _ in range(r.randrange(50, 700)))
        lines = "\n".join(text[k:k + 70] for k in range(0, len(text), 70))
        if i % (count // 10 or 1) == 7:
            lines += "\nhaystackneedle\n"
        head = "".join(r.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=340))
        with open(f"{folder}/cur/{1700000000 + i}.M{r.randrange(1000000)}P{i % 32768}.bench:2,{r.choice(FLAGS)}", "w") as f:
            f.write(f"DKIM-Signature: v=1; a=rsa-sha256; b={head}\n"
                    f"From: {word()} {word()} <{word()}@{word()}.example>\nTo: mox@localhost\n"
                    f"Subject: {subject}\nMessage-Id: <{i}@x.example>\n{refs}"
                    f"Date: {1 + i // 60 % 28} Nov 2026 {i % 24:02}:{i % 60:02}:00 +0000\n"
                    f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{lines}\n")
    if owner:
        for path, dirs, files in os.walk(folder):
            for name in [".", *files]:
                shutil.chown(os.path.join(path, name), *owner)


def measure(report, load, servers, count):
    for s in servers:
        stat = os.stat(s.maildir)
        make_mailbox(s.maildir, count, (stat.st_uid, stat.st_gid))
        load(s, s.imap, False, "command", "", 1, "SELECT Search")
        load(s, s.imap, False, "command", "Search", 1, "FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
    for label, command, repeat in (
            ("SEARCH by flags", "SEARCH UNANSWERED UNSEEN", 21),
            ("SEARCH by subject", "SEARCH SUBJECT ath", 11),
            ("SEARCH by header", "SEARCH HEADER Message-Id 77@x", 5),
            ("SEARCH TEXT, 10 have it", "SEARCH TEXT haystackneedle", 5),
            ("SEARCH TEXT, none has it", "SEARCH TEXT nowheretobefound", 5),
            ("SEARCH BODY, many have it", "SEARCH BODY th", 3),
            ("SORT by date", "SORT (REVERSE DATE) UTF-8 ALL", 11),
            ("SORT by size", "SORT (SIZE) UTF-8 ALL", 11),
            ("SORT by subject", "SORT (SUBJECT) UTF-8 ALL", 11),
            ("SORT by from", "SORT (FROM) UTF-8 ALL", 11),
            ("SORT by to", "SORT (TO) UTF-8 ALL", 11),
            ("SORT by name in from", "SORT (DISPLAYFROM) UTF-8 ALL", 11),
            ("SORT by name in to", "SORT (DISPLAYTO) UTF-8 ALL", 11),
            ("THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL", 11),
            ("THREAD ORDEREDSUBJECT", "THREAD ORDEREDSUBJECT UTF-8 ALL", 11),
            ("THREAD REFS", "THREAD REFS UTF-8 ALL", 11)):
        row = []
        for s in servers:
            first = load(s, s.imap, False, "command", "Search", 1, command)
            warm = load(s, s.imap, False, "command", "Search", repeat, command)
            row.append((first[0], warm[0]))
        row.append((None, None))
        for i, how in enumerate(("first", "warm")):
            report(f"IMAP {count}: {label}, {how}", "ms", row[0][i], row[1][i], False)
    for s in servers:
        load(s, s.imap, False, "command", "", 1, "DELETE Search")
