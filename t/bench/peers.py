"""Servers to measure: ours, and Debian's Postfix and Dovecot set up beside it.

Each is started from nothing in a folder of its own on the same disk, on a
loopback address of its own, and stopped again. The user is mox, the password
moxmoxmox, everywhere.
"""
import contextlib
import os
import pwd
import re
import signal
import socket
import subprocess
import time

USER, PASSWORD = "mox", "moxmoxmox"
DOMAINS, DOMAINS_PORT = 500, 2598  # d0.example to d499.example


def domain_address(i):
    """Where mail for one of the domains goes: each is a destination."""
    return f"127.91.{i // 250}.{i % 250 + 1}"


def wait_port(ip, port, seconds=20):
    """Seconds until a connection gives a first byte."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        try:
            with socket.create_connection((ip, port), 1) as s:
                s.settimeout(5)
                if s.recv(1):
                    return time.monotonic() - begin
        except OSError:
            time.sleep(0.001)
    raise RuntimeError(f"nothing answers on {ip}:{port}")


def processes():
    """pid -> (ppid, cpu ticks with those of reaped children)."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(pid)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root):
    """The process root and all below it."""
    all_, want = processes(), {root}
    grown = True
    while grown:
        more = {p for p, (pp, _) in all_.items() if pp in want} - want
        want |= more
        grown = bool(more)
    return want & set(all_)


def cpu_seconds(roots):
    ticks = os.sysconf("SC_CLK_TCK")
    all_ = processes()
    # Some may have ended between the two looks.
    return sum(all_.get(p, (0, 0))[1]
               for root in roots for p in tree(root)) / ticks


def pss_kb(roots):
    total = 0
    for root in roots:
        for pid in tree(root):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    total += sum(int(line.split()[1]) for line in f
                                 if line.startswith("Pss:"))
            except OSError:
                pass
    return total


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


@contextlib.contextmanager
def change(server, names, path, edit):
    """While it lasts, the queue when started asks names for the hosts of
    domains, and has no other way."""
    with open(path) as f:
        before = f.read()
    server.names = names
    write(path, edit(before))
    try:
        yield
    finally:
        server.names = None
        write(path, before)


class Server:
    name = ""
    smtp = imap = imaps = None  # (ip, port)

    def __init__(self, folder):
        self.dir = folder
        self.roots = []
        self.tracer = []  # what the programs of the queue are run with
        self.names = None  # whom they ask for the hosts of domains
        os.makedirs(folder, exist_ok=True)

    def cpu(self):
        return cpu_seconds(self.roots)

    def pss(self):
        return pss_kb(self.roots)

    def inbox_files(self):
        return sum(len(os.listdir(os.path.join(self.maildir, d)))
                   for d in ("new", "cur"))


class Mox(Server):
    name = "mox"

    def __init__(self, folder, bin_dir, ip="127.90.0.1"):
        super().__init__(folder)
        self.ip, self.bin = ip, bin_dir
        self.smtp, self.imap, self.imaps = (ip, 1025), (ip, 1143), (ip, 1993)
        self.rcpt, self.login = "mox@localhost", "mox@localhost"
        self.maildir = f"{folder}/data/accounts/mox/Maildir"

    def prepare(self):
        subprocess.run([f"{self.bin}/mox-localserve", "-dir", self.dir, "-ip",
                        self.ip, "-initonly"], check=True,
                       stdout=subprocess.DEVNULL)
        conf = f"{self.dir}/mox.conf"
        with open(conf) as f:
            text = f.read()
        # As a server in use would log, not as one being tried out.
        write(conf, text.replace("LogLevel: traceauth", "LogLevel: info"))

    def start(self):
        begin = time.monotonic()
        log = open(f"{self.dir}/log", "a")
        self.process = subprocess.Popen(
            [f"{self.bin}/mox-localserve", "-dir", self.dir],
            stdout=log, stderr=log)
        self.roots = [self.process.pid]
        wait_port(*self.smtp)
        wait_port(*self.imap)
        return time.monotonic() - begin

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class MoxQueue(Mox):
    """Submission and the queue as mox serve runs them, apart from each other,
    and a smarthost."""

    def __init__(self, folder, bin_dir, sink, ip="127.90.0.5"):
        super().__init__(folder, bin_dir, ip)
        self.sink, self.submission = sink, (ip, 1587)

    def prepare(self):
        super().prepare()
        with open(f"{self.dir}/mox.conf", "a") as f:
            f.write(f"""Transports:
	smart:
		SMTP:
			Host: {self.sink[0]}
			Port: {self.sink[1]}
			NoSTARTTLS: true
""")
            for i in range(DOMAINS):
                f.write(f"""	d{i}:
		SMTP:
			Host: {domain_address(i)}
			Port: {DOMAINS_PORT}
			NoSTARTTLS: true
""")
        with open(f"{self.dir}/domains.conf", "a") as f:
            f.write("""		MaxOutgoingMessagesPerDay: 1000000
		MaxFirstTimeRecipientsPerDay: 1000000
Routes:
""")
            for i in range(DOMAINS):
                f.write(f"""	-
		ToDomain:
			- d{i}.example
		Transport: d{i}
""")
            f.write("""	-
		Transport: smart
""")

    def spawn(self, *command):
        with open(f"{self.dir}/log", "a") as log:
            return subprocess.Popen(
                [*self.tracer, f"{self.bin}/{command[0]}", "-config",
                 f"{self.dir}/mox.conf", *command[1:]], stdout=log,
                stderr=log,
                env={**os.environ,
                     **(self.names.environment() if self.names else {}),
                     "PATH": f"{self.bin}:{os.environ['PATH']}"})

    def by_mx(self, names):
        return change(self, names, f"{self.dir}/domains.conf",
                      lambda text: text[:text.index("Routes:\n")])

    def start(self):
        self.smtpd = self.spawn("mox-listen", "mox-smtpd")
        self.queued = None
        self.roots = [self.smtpd.pid]
        wait_port(*self.submission)

    def hold(self):
        """What is submitted stays in the queue."""
        if self.queued:
            self.queued.send_signal(signal.SIGTERM)
            self.queued.wait(20)
            self.roots.remove(self.queued.pid)
        self.queued = None

    def release(self):
        """The CPU that was used before is returned."""
        cpu = self.cpu()
        self.queued = self.spawn("mox-queued")
        self.roots.append(self.queued.pid)
        return cpu

    def fill_port(self):
        return self.submission

    def stop(self):
        self.hold()
        self.smtpd.send_signal(signal.SIGTERM)
        self.smtpd.wait(20)


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, folder, ip="127.90.0.2"):
        super().__init__(folder)
        self.ip = ip
        self.imap, self.imaps = (ip, 143), (ip, 993)
        self.login = "mox"
        self.maildir = f"{folder}/Maildir"

    def prepare(self):
        d = self.dir
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=localhost", "-keyout", f"{d}/key.pem", "-out",
             f"{d}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        hashed = subprocess.run(
            ["doveadm", "pw", "-s", "BLF-CRYPT", "-r", "5", "-p", PASSWORD],
            check=True, capture_output=True, text=True).stdout.strip()
        nobody = pwd.getpwnam("nobody")
        write(f"{d}/users", f"{USER}:{hashed}:{nobody.pw_uid}:"
              f"{nobody.pw_gid}::{d}::\n")
        write(f"{d}/dovecot.conf", f"""
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = imap
listen = {self.ip}
ssl = yes
ssl_cert = <{d}/cert.pem
ssl_key = <{d}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{d}/Maildir
first_valid_uid = 1
auth_cache_size = 10M
default_client_limit = 4000
default_process_limit = 1000
mail_max_userip_connections = 1000
service imap-login {{
  process_limit = 1000
}}
service imap {{
  process_limit = 1000
}}
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = {d}/users
}}
userdb {{
  driver = passwd-file
  args = {d}/users
}}
service auth {{
  unix_listener {d}/sasl {{
    mode = 0666
  }}
}}
""")
        for sub in ("new", "cur", "tmp"):
            os.makedirs(f"{self.maildir}/{sub}", exist_ok=True)
        os.chmod(d, 0o755)
        subprocess.run(["chown", "-R", "nobody:", self.maildir], check=True)
        os.chown(d, nobody.pw_uid, nobody.pw_gid)

    def start(self):
        begin = time.monotonic()
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", f"{self.dir}/dovecot.conf"],
            stderr=subprocess.DEVNULL)
        self.roots = [self.process.pid]
        wait_port(*self.imap)
        return time.monotonic() - begin

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Postfix(Server):
    """Delivers into the Maildir that the Dovecot beside it serves."""
    name = "postfix"

    def __init__(self, folder, dovecot, sink, ip="127.90.0.3"):
        super().__init__(folder)
        self.ip, self.dovecot, self.sink = ip, dovecot, sink
        self.submission, self.login = (ip, 587), dovecot.login
        self.smtp, self.rcpt = (ip, 25), "mox@bench.example"
        self.maildir = dovecot.maildir

    def prepare(self):
        d = self.dir
        nobody = pwd.getpwnam("nobody")
        for sub in ("queue", "lib"):
            os.makedirs(f"{d}/{sub}", exist_ok=True)
        subprocess.run(["chown", "postfix:", f"{d}/lib"], check=True)
        with open("/usr/share/postfix/master.cf.dist") as f:
            master = f.read().replace("smtp      inet", f"{self.ip}:25 inet")
        # For users; on the second port mail is held, as on the first it would
        # be on its way before all of it is there.
        for port, client in ((587, "permit"),
                             (588, "check_client_access static:HOLD")):
            master += f"""
{self.ip}:{port} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o {{ smtpd_client_restrictions = {client} }}
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
"""
        # Nothing chrooted: the chroot would need files from /etc.
        write(f"{d}/etc/master.cf", re.sub(
            r"^(\S+\s+\S+\s+\S+\s+\S+\s+)y", r"\1n", master, flags=re.M))
        write(f"{d}/etc/virtual", f"{self.rcpt} Maildir/\n")
        write(f"{d}/etc/transport", "".join(
            f"d{i}.example smtp:[{domain_address(i)}]:{DOMAINS_PORT}\n"
            for i in range(DOMAINS)))
        write(f"{d}/etc/main.cf", f"""
compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/lib
maillog_file = {d}/log
maillog_file_prefixes = {d}
myhostname = bench.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = bench.example
virtual_mailbox_base = {os.path.dirname(self.maildir)}
virtual_mailbox_maps = texthash:{d}/etc/virtual
virtual_minimum_uid = 1
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
virtual_mailbox_limit = 0
message_size_limit = 104857600
disable_dns_lookups = yes
smtputf8_enable = no
relayhost = [{self.sink[0]}]:{self.sink[1]}
transport_maps = texthash:{d}/etc/transport
smtpd_sasl_type = dovecot
smtpd_sasl_path = {self.dovecot.dir}/sasl
smtpd_tls_cert_file = {self.dovecot.dir}/cert.pem
smtpd_tls_key_file = {self.dovecot.dir}/key.pem
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 200
""")

    def start(self):
        begin = time.monotonic()
        command = [*self.tracer, "postfix", "-c", f"{self.dir}/etc", "start"]
        if self.names:
            command = self.names.command(*command)
        # Not a pipe, which would be open for as long as Postfix runs.
        with open(f"{self.dir}/said", "w+", encoding="utf-8") as said:
            for _ in range(3):
                if subprocess.run(command, check=False, stdout=said,
                                  stderr=said).returncode == 0:
                    break
                time.sleep(1)
            else:
                said.seek(0)
                raise RuntimeError(f"{' '.join(command)} failed: {said.read()}"
                                   f"{self.log_end()}")
        wait_port(*self.smtp)
        took = time.monotonic() - begin
        with open(f"{self.dir}/queue/pid/master.pid") as f:
            self.roots = [int(f.read())]
        return took

    def log_end(self):
        try:
            with open(f"{self.dir}/log", encoding="utf-8",
                      errors="replace") as f:
                return "\nits log ends:\n" + "".join(f.readlines()[-10:])
        except OSError:
            return ""

    def stop(self):
        """Postfix says that it has stopped when it has waited long enough; it
        is not started again before it has."""
        subprocess.run(["postfix", "-c", f"{self.dir}/etc", "stop"],
                       check=False, capture_output=True)
        end = time.monotonic() + 30
        while any(os.path.exists(f"/proc/{pid}") for pid in self.roots):
            if time.monotonic() > end:
                raise RuntimeError("postfix does not stop" + self.log_end())
            time.sleep(0.05)

    def by_mx(self, names):
        return change(self, names, f"{self.dir}/etc/main.cf",
                      lambda text: text + f"""
disable_dns_lookups = no
relayhost =
transport_maps =
smtp_tcp_port = {DOMAINS_PORT}
""")

    def cpu(self):
        """Its passwords are checked by Dovecot."""
        return super().cpu() + self.dovecot.cpu()

    def hold(self):
        pass

    def fill_port(self):
        return self.ip, 588

    def release(self):
        """Like ours: started with all of it new in the queue."""
        self.stop()
        for name in os.listdir(f"{self.dir}/queue/hold"):
            os.rename(f"{self.dir}/queue/hold/{name}",
                      f"{self.dir}/queue/incoming/{name}")
        self.start()
        return self.dovecot.cpu()
