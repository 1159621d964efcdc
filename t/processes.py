"""processes - those of the server in DIR: who is who, and killing them.

A service is localserve > keeper > parent > back > front; where one back serves
many connections, the parent has fronts besides. Their names say what they are.
"""
import os
import signal
import socket
import time

import mailtest

ROLES = ("localserve", "keeper", "parent", "back", "front")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def ours(pid):
    """Of the server in DIR, and alive."""
    return mailtest.DIR.encode() in read(f"/proc/{pid}/cmdline")


def parents():
    """{pid: pid of its parent} of the server's processes."""
    out = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and f"{mailtest.DIR}/mox.conf".encode() in \
           read(f"/proc/{name}/cmdline"):
            stat = read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            if stat and stat[0] != b"Z":
                out[int(name)] = int(stat[1])
    return out


def by_role(top):
    """{role: [pid]}; top: of mox-localserve."""
    family = parents()
    out = {role: [] for role in ROLES}
    out["localserve"].append(top)
    for pid in sorted(family):
        depth, p = 0, pid
        while p in family:
            depth, p = depth + 1, family[p]
        out[role(pid) or ROLES[min(depth, 4)]].append(pid)
    return out


def role(pid):
    """"back" or "front", "" for others."""
    return read(f"/proc/{pid}/comm").decode().strip().partition(":")[2]


def kill(pid):
    """By a pidfd, which never becomes another process."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not ours(pid):
            return False
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def has_socket(pid, inode):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == inode
                   for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def in_proc(address):
    """As /proc/net/tcp has it."""
    return socket.inet_aton(address[0])[::-1].hex().upper() + f":{address[1]:04X}"


def of_connection(sock):
    """pids of the session behind a client's socket: who holds the other end
    of it, and its back: its parent, or all backs that could be it."""
    # By both addresses: others may use the same port towards another server.
    ends = [in_proc(sock.getpeername()), in_proc(sock.getsockname())]
    lines = [line.split() for line in
             read("/proc/net/tcp").decode().splitlines()]
    inode = [f"socket:[{f[9]}]" for f in lines if f[1:3] == ends]
    family = parents()
    holders = [p for p in family if inode and has_socket(p, inode[0])]
    backs = [q for q in family for p in holders
             if role(q) == "back" and role(p) == "front" and
             (q == family[p] or family[q] == family[p] and
              role(family[p]) != "back")]
    return holders + backs


def wait_for_end(pids, seconds=30):
    end = time.monotonic() + seconds
    while any(ours(pid) for pid in pids):
        if time.monotonic() > end:
            raise AssertionError(f"session {pids} outlives its connection")
        time.sleep(0.005)
