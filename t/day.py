"""day - users of the host of host.bash while it is backed up.

	day.py flow FILE    send without end, a line `bob|far SUBJECT` in FILE for
	                    each message once it is acknowledged; read and flag
	                    and move what arrives, as mail programs do
	day.py lost FILE    print what FILE has and neither bob's mailboxes nor
	                    the smarthost's folder good/ has
"""
import glob
import imaplib
import re
import sys
import threading

from hostmail import *


def send(acked):
    n = 0
    with smtplib_session(SUBMISSIONS) as s:
        s.login(ANNA, PASSWORD)
        while True:
            n += 1
            for who, to in ("bob", BOB), ("far", f"n{n}@far.example"):
                s.send_message(text(f"{who}-{n}", to))
                acked.write(f"{who} {who}-{n}\n")
                acked.flush()


def read():
    with imaplib.IMAP4_SSL(HOST, IMAPS, ssl_context=context()) as c:
        c.login(BOB, PASSWORD)
        c.create("Kept")
        while True:
            c.select("Inbox")
            c.uid("STORE", "1:*", "+FLAGS", r"(\Seen)")
            c.uid("COPY", "1:3", "Kept")
            c.uid("MOVE", "1:5", "Kept")
            c.uid("STORE", "*", "+FLAGS", r"(\Flagged)")


def flow(path):
    with open(path, "a") as acked:
        threading.Thread(target=read, daemon=True).start()
        send(acked)


def lost(path):
    have = set(subjects_in("Inbox") + subjects_in("Kept"))
    for f in glob.glob("good/*"):
        with open(f, encoding="latin-1") as m:
            have.update(re.findall("^Subject: (.*)$", m.read(), re.M))
    for line in open(path):
        if line.split()[1] not in have:
            print(line, end="")


def subjects_in(mailbox):
    return [s for m in mails(BOB, mailbox)
            for s in re.findall("^Subject: (.*?)\r?$", m, re.M)]


{"flow": flow, "lost": lost}[sys.argv[1]](sys.argv[2])
