"""A name server, for both ours and Postfix: mail for d0.example and so on goes
to mx.d0.example, on the address that peers.domain_address says."""
import signal
import subprocess
import time

import peers

IP = "127.90.0.9"


class Names:
    def __init__(self, folder):
        self.dir = f"{folder}/names"

    def __enter__(self):
        d = self.dir
        peers.write(f"{d}/example.zone", f"""$ORIGIN example.
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {IP}
""" + "".join(f"d{i} MX 10 mx.d{i}\nmx.d{i} A {peers.domain_address(i)}\n"
              for i in range(peers.DOMAINS)))
        peers.write(f"{d}/nsd.conf", f"""server:
	ip-address: {IP}
	username: ""
	chroot: ""
	zonesdir: "{d}"
	logfile: "{d}/log"
	pidfile: ""
	xfrdfile: ""
	xfrdir: "{d}"
	zonelistfile: "{d}/zone.list"
	database: ""
remote-control:
	control-enable: no
zone:
	name: example
	zonefile: example.zone
""")
        # The system's resolver can be told no port.
        peers.write(f"{d}/resolv.conf", f"nameserver {IP}\n")
        self.process = subprocess.Popen(
            ["nsd", "-d", "-c", f"{d}/nsd.conf"], stderr=subprocess.DEVNULL)
        self.wait()
        return self

    def wait(self, seconds=10):
        end = time.monotonic() + seconds
        while subprocess.run(["dig", "+short", "+time=1", "+tries=1",
                              f"@{IP}", "d0.example", "MX"],
                             check=False, capture_output=True).stdout == b"":
            if time.monotonic() > end:
                with open(f"{self.dir}/log", encoding="utf-8") as f:
                    raise RuntimeError("nsd: " + f.read())
            time.sleep(0.05)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def environment(self):
        return {"MOX_RESOLVER": IP, "MOX_TRUST_ANCHOR": "none",
                "MOX_SMTP_PORT": str(peers.DOMAINS_PORT)}

    def command(self, *words):
        """One that sees this server in /etc/resolv.conf."""
        return ["unshare", "-m", "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                f"{self.dir}/resolv.conf", *words]
