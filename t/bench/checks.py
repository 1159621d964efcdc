"""
Time that a message from others spends in checks: iprev, SPF, DKIM (RSA-2048
and Ed25519), ARC, DMARC, with a signed private DNS behind a resolver that has
the answers already; and the same messages where nothing is checked.
"""
import json
import os
import signal
import socket
import statistics
import subprocess
import time

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, DNS_IP = "127.90.1.1", "127.90.0.8"
DOMAIN = "good.example"

# t/dns.bash, with what it takes from t/helper.bash.
DNS = r"""
set -eu
DNS_DIR=$1 DNS_IP=$2
BATS_TEST_TMPDIR=$1
background() { "$@" & BACKGROUND_PID=$!; }
port_open() { (exec 8<>"/dev/tcp/$1/$2") 2>/dev/null; }
eventually() { for i in $(seq 200); do "$@" && return; sleep 0.05; done; return 1; }
. "$3/../dns.bash"
dns_zone good.example
dns_start
echo "$MOX_RESOLVER $MOX_TRUST_ANCHOR"
wait
"""


def run(*command, **args):
    return subprocess.run(command, check=True, capture_output=True,
                          **args).stdout


def keys(binaries, folder):
    """TXT records of two keys, made in folder."""
    records = []
    for kind in ("rsa", "ed25519"):
        pem = f"{folder}/{kind}.pem"
        peers.write(pem, run(f"{binaries}/mox-dkim", f"gen{kind}").decode(),
                    0o600)
        with open(pem, "rb") as f:
            txt = json.loads(run(f"{binaries}/mox-dkim", "-json", "txt",
                                 stdin=f))["Record"]
        parts = " ".join(f'"{txt[i:i + 200]}"'
                         for i in range(0, len(txt), 200))
        records.append(f"{kind}._domainkey TXT {parts}\n")
    return "".join(records)


def zone(binaries, folder):
    return f"""@ A {CLIENT}
@ MX 10 mx
mx A {CLIENT}
@ TXT "v=spf1 mx -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@{DOMAIN}"
{keys(binaries, folder)}"""


def signed(binaries, folder, size):
    """A message of about this size, signed twice."""
    selectors = "".join(
        f"\t\t\t\t{kind}:\n\t\t\t\t\tPrivateKeyFile: ../{kind}.pem\n"
        for kind in ("rsa", "ed25519"))
    user = run("id", "-un").decode().strip()
    peers.write(f"{folder}/config/mox.conf", f"""DataDir: ../data
User: {user}
Hostname: mx.{DOMAIN}
LogLevel: error
Listeners:
	local:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: a
	Mailbox: Inbox
""")
    peers.write(f"{folder}/config/domains.conf", f"""Domains:
	{DOMAIN}:
		DKIM:
			Selectors:
{selectors}			Sign:
				- rsa
				- ed25519
Accounts:
	a:
		Domain: {DOMAIN}
		Destinations:
			a@{DOMAIN}: nil
""")
    line = "The quick brown fox jumps over the lazy dog, again and again.\r\n"
    peers.write(f"{folder}/message", f"""From: a@{DOMAIN}\r
To: mox@localhost\r
Subject: checks\r
Date: Mon, 30 Nov 2026 15:04:05 +0000\r
Message-ID: <checks@{DOMAIN}>\r
\r
""" + line * (size // len(line)))
    return run(f"{binaries}/mox-dkim", "-config", f"{folder}/config/mox.conf",
               "sign", f"{folder}/message")


class Client:
    def __init__(self, server):
        self.sock = socket.create_connection(server.smtp, 60, (CLIENT, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.answer()
        self.command(f"EHLO mx.{DOMAIN}", 250)

    def answer(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return int(line[:3])

    def command(self, text, want):
        self.sock.sendall(text.encode() + b"\r\n")
        got = self.answer()
        if got != want:
            raise RuntimeError(f"{text}: {got}")

    def deliver(self, text):
        """Seconds from MAIL, and from the end of the message, to the 250."""
        begin = time.monotonic()
        self.command(f"MAIL FROM:<a@{DOMAIN}>", 250)
        self.command("RCPT TO:<mox@localhost>", 250)
        self.command("DATA", 354)
        self.sock.sendall(text)
        end = time.monotonic()
        self.sock.sendall(b".\r\n")
        if self.answer() != 250:
            raise RuntimeError("message refused")
        now = time.monotonic()
        return now - begin, now - end


def times(server, text, count):
    """Medians in ms, over one connection, the first messages left out."""
    client = Client(server)
    for _ in range(5):
        client.deliver(text)
    got = [client.deliver(text) for _ in range(count)]
    return [statistics.median(t) * 1000 for t in zip(*got)]


def results(server):
    """Was it really checked?"""
    folder = f"{server.maildir}/new"
    newest = max(os.listdir(folder),
                 key=lambda f: os.stat(f"{folder}/{f}").st_mtime_ns)
    with open(f"{folder}/{newest}") as f:
        return f.read(4000)


def serve(binaries, folder, ip, env):
    before = dict(os.environ)
    os.environ.update(env)
    try:
        server = peers.Mox(folder, binaries, ip)
        server.prepare()
        server.start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return server


def start_dns(binaries, folder):
    dns = subprocess.Popen(
        ["bash", "-c", DNS, "dns", f"{folder}/dns", DNS_IP, HERE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True)
    dns.stdin.write(zone(binaries, folder))
    dns.stdin.close()
    words = dns.stdout.readline().split()
    if len(words) != 2:
        raise RuntimeError("no DNS: nsd and ldnsutils are needed (make deps)")
    return dns, {"MOX_RESOLVER": words[0], "MOX_TRUST_ANCHOR": words[1]}


def measure(report, binaries, folder, n):
    folder = f"{folder}/checks"
    os.makedirs(folder)
    dns, env = start_dns(binaries, folder)
    servers = []
    try:
        servers.append(serve(binaries, f"{folder}/with", "127.90.0.6", env))
        servers.append(serve(binaries, f"{folder}/without", "127.90.0.7", {}))
        for size, label in ((4096, "4 KB"), (102400, "100 KB")):
            text = signed(binaries, folder, size)
            rows = [times(s, text, n(300)) for s in servers]
            head = results(servers[0])
            if head.count("dkim=pass") != 2 or "dmarc=pass" not in head or \
                    "(with dnssec)" not in head:
                raise RuntimeError(f"not checked: {head}")
            for i, what in enumerate(("MAIL to 250", "end of DATA to 250")):
                report(f"checks, {label}: {what}", "ms", rows[0][i], None)
                report("  nothing checked", "ms", rows[1][i], None)
    finally:
        for s in servers:
            s.stop()
        os.killpg(dns.pid, signal.SIGTERM)
        dns.wait()
