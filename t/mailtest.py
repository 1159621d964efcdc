"""mailtest - small clients for the tests: IMAP and SMTP as they are on the
wire, so that a test sees every line, and what it must not see.

Run as a script by bats: address and directory come as IP and DIR in the
environment (helper.bash).
"""
import base64
import os
import re
import socket
import ssl
import sys
import threading
import zlib

IP = os.environ.get("IP", "127.0.0.1")
DIR = os.environ.get("DIR", "")
USER, PASSWORD = "mox@localhost", "moxmoxmox"
TIMEOUT = float(os.environ.get("MOX_TEST_TIMEOUT", "30"))


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def wait_for(true, seconds=30):
    """What goes through the queue takes its time."""
    import time
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "never true"
        time.sleep(0.02)


class Wire:
    """Lines over a socket, with TLS from the start or later."""

    def __init__(self, port, tls=False, ip=None, source=None):
        self.sock = socket.create_connection(
            (ip or IP, port), TIMEOUT, (source, 0) if source else None)
        if tls:
            self.sock = tls_context().wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def starttls(self):
        self.sock = tls_context().wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.sock.sendall(data)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("connection closed")
        assert line.endswith(b"\r\n"), line
        return line[:-2]

    def rest(self):
        """All until the server closes."""
        return self.file.read()

    def close(self):
        self.file.close()
        self.sock.close()


class Deflated:
    """What socket and file are to Wire, compressed (RFC 4978): each way until
    that ends its stream, and then in the clear (RFC 8437, 4.1)."""

    def __init__(self, sock, file):
        self.sock, self.raw = sock, file
        self.packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)
        self.have = b""

    def sendall(self, data):
        if self.packer:
            data = self.packer.compress(data) + \
                self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.sock.sendall(data)

    def more(self):
        got = self.raw.read1()
        if self.unpacker.eof:
            self.have += got
        else:
            self.have += self.unpacker.decompress(got)
            self.have += self.unpacker.unused_data
        return got

    def take(self, n):
        got, self.have = self.have[:n], self.have[n:]
        return got

    def readline(self):
        while b"\n" not in self.have and self.more():
            pass
        return self.take(self.have.find(b"\n") + 1 or len(self.have))

    def read(self, n=None):
        while (n is None or len(self.have) < n) and self.more():
            pass
        return self.take(len(self.have) if n is None else n)

    def read1(self):
        while not self.have and self.more():
            pass
        return self.take(len(self.have))

    def end(self, data, mode=zlib.Z_FINISH, rest=b""):
        """The last that is compressed, and what follows in the clear; at once."""
        self.sock.sendall(self.packer.compress(data) + self.packer.flush(mode) +
                          rest)
        self.packer = None

    def close(self):
        self.raw.close()
        self.sock.close()


class Answer:
    def __init__(self, status, text, lines):
        self.status, self.text, self.lines = status, text, lines

    def has(self, pattern):
        return any(re.search(pattern, line) for line in self.lines)

    def find(self, pattern):
        for line in self.lines:
            m = re.search(pattern, line, re.S)
            if m:
                return m
        raise AssertionError(f"{pattern!r} is not in {self.lines!r}")

    def __repr__(self):
        return f"{self.status} {self.text} {self.lines!r}"


class Imap(Wire):
    """cmd() sends a command and gives its Answer; literals are part of the
    lines, as "{3}\\r\\nabc"."""

    def __init__(self, port=1143, tls=False, login=True, ip=None, user=USER):
        super().__init__(port, tls, ip)
        self.greeting = self.line().decode()
        self.n = 0
        if login:
            self.ok(f'LOGIN {user} {PASSWORD}')

    def response(self):
        """One response with its literals, latin-1 text."""
        line = self.line()
        while m := re.search(rb"\{(\d+)\}$", line):
            line += b"\r\n" + self.file.read(int(m[1])) + self.line()
        return line.decode("latin-1")

    def begin(self, command):
        self.n += 1
        self.tag = f"t{self.n}"
        if isinstance(command, str):
            command = command.encode()
        self.send(self.tag.encode() + b" " + command + b"\r\n")

    def end(self):
        lines = []
        while True:
            line = self.response()
            if line.startswith(self.tag + " "):
                status, _, text = line[len(self.tag) + 1:].partition(" ")
                return Answer(status, text, lines)
            lines.append(line)

    def cmd(self, command):
        self.begin(command)
        return self.end()

    def expect(self, status, command):
        a = self.cmd(command)
        assert a.status == status, f"{command!r}: {a!r}"
        return a

    def ok(self, command):
        return self.expect("OK", command)

    def no(self, command):
        return self.expect("NO", command)

    def bad(self, command):
        return self.expect("BAD", command)

    def compress(self):
        self.ok("COMPRESS DEFLATE")
        self.sock = self.file = Deflated(self.sock, self.file)

    def append(self, mailbox, message, flags="", date=""):
        if isinstance(message, str):
            message = message.encode()
        head = f'APPEND "{mailbox}" {flags + " " if flags else ""}' \
            f'{date + " " if date else ""}{{{len(message)}+}}\r\n'
        return self.cmd(head.encode() + message)


class Smtp(Wire):
    """cmd() gives (code, [texts])."""

    def __init__(self, port=1025, tls=False, ehlo=True, ip=None, source=None):
        super().__init__(port, tls, ip, source)
        self.greeting = self.reply()
        if ehlo:
            code, self.extensions = self.cmd("EHLO client.example")
            assert code == 250, code

    def reply(self):
        texts = []
        while True:
            line = self.line().decode("latin-1")
            texts.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), texts

    def cmd(self, command):
        if isinstance(command, str):
            command = command.encode()
        # In one piece: Nagle's algorithm would hold a second one back.
        self.send(command + b"\r\n")
        return self.reply()

    def expect(self, code, command):
        got = self.cmd(command)
        assert got[0] == code, f"{command!r}: {got!r}, not {code}"
        return got

    def auth_plain(self, user=USER, password=PASSWORD):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.cmd(f"AUTH PLAIN {token}")


class Heard:
    """What clients have sent to a server that logs at trace, as its log, $LOG,
    says: each call gives the commands since the last."""

    def __init__(self):
        self.path = os.environ["LOG"]
        self.at = os.path.getsize(self.path)

    def __call__(self):
        with open(self.path, errors="replace") as f:
            f.seek(self.at)
            text = f.read()
            self.at = f.tell()
        return re.findall(r'm="< \w+ (.*)"$', text, re.M)


def set_clock(now):
    """The clock of a server that was started with MOX_FAKE_TIME."""
    path = os.environ["MOX_FAKE_TIME"]
    with open(path + ".new", "w") as f:
        f.write(str(now))
    os.rename(path + ".new", path)


class PassingTime:
    """While in `with`, that clock goes on by 11 seconds again and again."""

    def __enter__(self):
        self.done = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        now = 2000000000
        while not self.done:
            now += 11
            set_clock(now)

    def __exit__(self, *error):
        self.done = True
        self.thread.join()


def message(subject="hello", body="It works.\r\n", extra=""):
    return (f"From: <a@example.org>\r\nTo: <mox@localhost>\r\n"
            f"Subject: {subject}\r\nMessage-Id: <{subject}@example.org>\r\n"
            f"Date: Sat, 21 Nov 2026 07:00:00 +0000\r\n{extra}\r\n{body}")


def maildir_files(mailbox=""):
    path = os.path.join(DIR, "data/accounts/mox/Maildir", mailbox)
    return sorted(os.path.join(path, d, f) for d in ("new", "cur")
                  for f in os.listdir(os.path.join(path, d)))


def eq(got, want):
    assert got == want, f"got {got!r}, not {want!r}"


sys.modules.setdefault("mailtest", sys.modules[__name__])
