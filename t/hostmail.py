"""hostmail - what mail programs of people do with the host of host.bash: they
know its name, and its certificate, which they verify.

IP and PASSWORD (of anna, and of bob) come in the environment; the working
folder is the tree.
"""
import glob
import imaplib
import os
import smtplib
import socket
import ssl
from email.message import EmailMessage

from mailtest import IP, Smtp, Wire, wait_for

HOST = "mail.example.org"
ANNA, BOB = "anna@example.org", "bob@example.org"
PASSWORD = os.environ["PASSWORD"]
SUBMISSION, SUBMISSIONS, IMAPS = 1587, 1465, 1993

# The host has its name in no DNS that this program asks.
_getaddrinfo = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: _getaddrinfo(
    IP if host == HOST else host, *more, **named)


def context(key=None):
    """Of a client that verifies the host; key: a file with the key and the
    certificate that it shows."""
    c = ssl.create_default_context(
        cafile=glob.glob("secret/tls/*.crt.pem")[0])
    if key:
        c.load_cert_chain(key)
    return c


def text(subject, to=BOB, body="It works.\n"):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = f"Anna <{ANNA}>", to, subject
    m.set_content(body)
    return m


def smtplib_session(port):
    """Without a login."""
    if port == SUBMISSIONS:
        return smtplib.SMTP_SSL(HOST, port, context=context())
    s = smtplib.SMTP(HOST, port)
    s.starttls(context=context())
    return s


def wire_session(port, key=None):
    """A mailtest.Smtp under TLS, greeted."""
    s = Smtp(port) if port == SUBMISSION else Wire(port)
    if port == SUBMISSION:
        s.expect(220, "STARTTLS")
    s.sock = context(key).wrap_socket(s.sock, server_hostname=HOST)
    s.file = s.sock.makefile("rb")
    s.__class__ = Smtp
    if port == SUBMISSIONS:
        s.reply()
    s.expect(250, "EHLO client.example")
    return s


def wire_send(s, subject, to=BOB):
    s.expect(250, f"MAIL FROM:<{ANNA}>")
    s.expect(250, f"RCPT TO:<{to}>")
    s.expect(354, "DATA")
    lines = text(subject, to).as_bytes().replace(b"\n", b"\r\n")
    s.expect(250, lines + b".")


def mails(user=BOB, mailbox="Inbox", password=PASSWORD):
    """All messages of a mailbox, by IMAP."""
    with imaplib.IMAP4_SSL(HOST, IMAPS, ssl_context=context()) as c:
        c.login(user, password)
        status, _ = c.select(mailbox, readonly=True)
        assert status == "OK", mailbox
        _, data = c.fetch("1:*", "(BODY.PEEK[])")
        return [d[1].decode("latin-1") for d in data if isinstance(d, tuple)]


def subjects(user=BOB):
    return [line[9:] for m in mails(user) for line in m.splitlines()
            if line.startswith("Subject: ")]


def arrive(wanted, user=BOB):
    """Until all of these subjects are there, each once."""
    wait_for(lambda: set(wanted) <= set(subjects(user)))
    got = subjects(user)
    assert all(got.count(s) == 1 for s in wanted), got
