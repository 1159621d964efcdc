"""Opening a mailbox and reading it beside Dovecot.

Once the mailbox is as mail came in by SMTP, once a Maildir that no server has
opened before: the same files for both, made here.
"""
import os
import shutil

# More than this come as files, not by SMTP, and above LINKED as links to so
# many: a million messages would take an hour, and 4 GB.
DELIVERED, LINKED, CONTENTS = 10000, 100000, 1000


def text(i):
    lines = "The quick brown fox jumps over the lazy dog, and again, and so on.\n" * 55
    return (f"From: Someone {i % 100} <a{i % 100}@example.org>\nTo: mox@localhost\n"
            f"Subject: message {i}\nMessage-Id: <{i}.bench@example.org>\n"
            f"Date: Sat, 21 Nov 2026 07:{i // 60 % 60:02}:{i % 60:02} +0000\n"
            "MIME-Version: 1.0\nContent-Type: text/plain\n\n" + lines)


def file_name(i):
    """As Dovecot would name it, whose hash of numbers that only count up has
    few values: with those 100,000 files take it seven minutes to open."""
    return (f"{1700000000 + i}.M{i * 7919 * 7907 % 1000003:06}P{i * 31 % 32749}"
            f".bench:2,{'S' if i % 4 else ''}")


def own(path, owner):
    shutil.chown(path, *owner)


def make_folder(maildir, name, count):
    """A folder beside Inbox with count messages that nobody has indexed."""
    stat = os.stat(maildir)
    owner = (stat.st_uid, stat.st_gid)
    folder = os.path.join(maildir, "." + name)
    for d in ("", "cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, d))
        own(os.path.join(folder, d), owner)
    contents = CONTENTS if count > LINKED else count
    cur = f"{folder}/cur"
    for i in range(count):
        file = f"{cur}/{file_name(i)}"
        if i >= contents:
            # A file has at most 65,000 names in ext4.
            of = i % contents
            os.link(f"{cur}/{file_name(of)}", file)
            continue
        with open(file, "w") as f:
            f.write(text(i))
        own(file, owner)


COMMANDS = (
    ("SELECT", "SELECT {}", 21),
    ("FLAGS", "FETCH 1:* (UID FLAGS)", 11),
    ("ENVELOPE BODYSTRUCTURE", "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)", 5),
    ("BODY[TEXT]<0.1024>", "FETCH 1:* BODY.PEEK[TEXT]<0.1024>", 3),
    ("BODY[]", "FETCH 1:* BODY.PEEK[]", 3))


def lines(report, load, servers, mailbox, what, count):
    def each(command, *args):
        return [load(s, s.imaps if args[0] else s.imap, args[0], "command",
                     mailbox if args[2] else "", args[1], command)
                for s in servers]

    def told(name, unit, values, more=False):
        report(name, unit, *(values + [None])[:2], more)
    for label, command, repeat in COMMANDS:
        command = command.format(mailbox)
        select = label != "SELECT"
        first = each(command, False, 1, select)
        warm = each(command, False, repeat, select)
        told(f"IMAP {what}: {label}, first", "ms", [v[0] for v in first])
        told(f"IMAP {what}: {label}, warm", "ms", [v[0] for v in warm])
    tls = each(command, True, 3, True)
    for name, rows in (("plain", warm), ("TLS", tls)):
        told(f"  BODY[] {name}", "MB/s", [v[1] / v[0] / 1e3 for v in rows], True)


def measure(report, load, servers, fill, count):
    if count <= DELIVERED:
        fill(count)
        lines(report, load, servers, "INBOX", f"fetch {count}", count)
    for s in servers:
        make_folder(s.maildir, "Files", count)
    lines(report, load, servers, "Files", f"files {count}", count)
    for s in servers:
        load(s, s.imap, False, "command", "", 1, "DELETE Files")
