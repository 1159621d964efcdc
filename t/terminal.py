"""terminal - a full-screen program in a terminal that is none.

    with Terminal(["neomutt", ...]) as t:
        t.until("INBOX")        what must have been shown since the last until
        t.keys("q")
        assert t.ended() == 0
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

# What moves the cursor and colours the text says nothing.
CONTROL = re.compile(rb"\x1b(?:\[[0-9;?]*[@-~]|\][^\x07]*\x07|[()][0-9A-B]|[=>78])|[\x00-\x09\x0b-\x1f]")


class Terminal:
    def __init__(self, argv, rows=50, columns=200, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", **env)
            try:
                os.execvp(argv[0], argv)
            finally:
                os._exit(127)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)
        self.raw, self.status = b"", None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def keys(self, text):
        os.write(self.fd, text.encode())

    def more(self, seconds):
        """False at the end of the program."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.raw += os.read(self.fd, 65536)
            except OSError:
                return False
        return True

    def until(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern.encode(), CONTROL.sub(b"", self.raw)):
            assert self.more(0.1) and time.monotonic() < end, (pattern, self.raw[-2000:])
        self.raw = b""

    def ended(self, seconds=60):
        """The exit status."""
        end = time.monotonic() + seconds
        while self.more(0.1):
            assert time.monotonic() < end, self.raw[-2000:]
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status
