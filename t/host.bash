# host.bash - a host in a scratch tree, for those who run it as root would: with
# config/, data/, run/ and a user of its own; `load host`.
#
# The tree is not below bats's own folder, which only root may enter.

# A user id nobody has; services need no name.
HOST_USER=48213

make_tree() {
	TREE=$(mktemp -d /tmp/mox-test.XXXXXX)
	chmod 755 "$TREE"
	# Programs where that user can reach them.
	mkdir "$TREE/bin"
	cp -l "$MOX_BIN"/mox-* "$TREE/bin/" 2>/dev/null ||
		cp "$MOX_BIN"/mox-* "$TREE/bin/"
	PATH=$TREE/bin:$PATH
	cd "$TREE"
}

remove_tree() {
	cd /
	[ -z "${TREE:-}" ] || rm -rf "$TREE"
}

# mox.conf and domains.conf for $IP, on ports that need no root; account anna,
# anna@example.org, password "correct horse".
make_host() {
	mkdir -p config/tls
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout config/tls/key.pem -out config/tls/cert.pem -days 2 \
		-subj "/CN=${1:-mail.example.org}" 2>/dev/null
	cat >config/mox.conf <<CONF
DataDir: ../data
LogLevel: debug
User: $HOST_USER
Hostname: mail.example.org
Limits:
	LoopbackExempt: true
Listeners:
	public:
		IPs:
			- $IP
		TLS:
			KeyCerts:
				-
					CertFile: tls/cert.pem
					KeyFile: tls/key.pem
		SMTP:
			Enabled: true
			Port: 1025
		Submissions:
			Enabled: true
			Port: 1465
		IMAPS:
			Enabled: true
			Port: 1993
Postmaster:
	Account: anna
	Mailbox: Postmaster
DNS:
	ZoneFile: zone
CONF
	echo 'example.net A 127.0.0.1' >config/zone
	cat >config/domains.conf <<'CONF'
Domains:
	example.org: nil
Accounts:
	anna:
		Domain: example.org
		Destinations:
			anna@example.org: nil
		NoFirstTimeSenderDelay: true
CONF
	chmod 640 config/mox.conf
	mkdir -p data
	echo 'correct horse' | mox-setaccountpassword anna >/dev/null
}

# What mox-quickstart finds in DNS.
make_dns() {
	cat >dns <<-'EOF'
	com                    NS   a.gtld-servers.net
	com                    SECURE
	example.org            NS   ns.example.org
	example.org            SECURE
	mail.example.org       A    198.51.100.7
	7.100.51.198.in-addr.arpa  PTR  mail.example.org
	gmail.com              MX   5 mx.example.com
	mx.example.com         A    127.0.0.1
	EOF
	export MOX_DNS_ZONE=$TREE/dns
}

quickstart() {
	mox-quickstart -hostname mail.example.org -skipdial "$@" \
		anna@example.org "$HOST_USER"
}

# Listener public on $IP, on ports for everybody; Submission, too. The domain
# that `deliver` sends from exists from here on.
high_ports() {
	echo 'example.net A 127.0.0.1' >>dns
	python3 - "$IP" <<-'EOF'
	import re, sys
	p = "config/mox.conf"
	s = open(p).read()
	head, tail = s.split("\tpublic:\n")
	ips = re.compile(r"(\t\tIPs:\n)(\t\t\t- .*\n)+")
	tail = ips.sub(r"\1\t\t\t- " + sys.argv[1] + "\n", tail, count=1)
	for kind, port in ("SMTP", 1025), ("Submissions", 1465), ("IMAPS", 1993):
	    tail = tail.replace(f"\t\t{kind}:\n\t\t\tEnabled: true\n",
	                        f"\t\t{kind}:\n\t\t\tEnabled: true\n\t\t\tPort: {port}\n")
	tail = tail.replace("\t\tSubmissions:\n", "\t\tSubmission:\n\t\t\tEnabled: true\n"
	                    "\t\t\tPort: 1587\n\t\tSubmissions:\n", 1)
	open(p, "w").write(head + "\tpublic:\n" + tail)
	EOF
}

password() { sed -n 's/^with password  *//p' quickstart.log; }

# All of that, with bob@example.org, and routes; both have $PASSWORD.
quickstart_host() {
	make_tree
	make_dns
	quickstart >/dev/null
	PASSWORD=$(password)
	high_ports
	mox-config account add bob bob@example.org 2>/dev/null
	printf '%s\n' "$PASSWORD" | mox-setaccountpassword bob >/dev/null
	relays
}

# Three smarthosts: for all, for refuses.example, for slow.example.
relays() {
	local name port=2524
	echo 'Transports:' >>config/mox.conf
	for name in good refusing slow; do
		printf '\t%s:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: %s\n\t\t\tNoSTARTTLS: true\n' \
			$name "$IP" $((++port)) >>config/mox.conf
	done
	cat >>config/domains.conf <<'CONF'
Routes:
	-
		ToDomain:
			- refuses.example
		Transport: refusing
	-
		ToDomain:
			- .slow.example
		Transport: slow
	-
		Transport: good
CONF
	mox-config test 2>/dev/null
}

start_sink() {
	local name=$1 port
	shift
	case $name in good) port=2525 ;; refusing) port=2526 ;; slow) port=2527 ;; esac
	mkdir -m 777 "$name" # it gives up being root
	background smtp-sink -u nobody -d "$TREE/$name/%M." "$@" "$IP:$port" 100
	eventually port_open "$IP" $port
}

start_serve() {
	: >serve.log # "ready" of an earlier one
	background "${SERVE:-mox-serve}" "$@" 2>>serve.log
	SERVE_PID=$BACKGROUND_PID
	eventually grep -q 'p=mox-serve.* m="ready"' serve.log || {
		cat serve.log
		return 1
	}
}

# Have the queue looked at now, as programs do that put something there.
poke() {
	local waiter
	for waiter in run/watch/queue/*; do printf x 1<>"$waiter"; done
}

deliver() {
	printf 'Subject: %s\n\nIt works.\n' "$1" |
		curl -sS --crlf "smtp://$IP:${2:-1025}" \
		--mail-from you@example.net --mail-rcpt "${3:-anna@example.org}" -T -
}

# The newest mail, by IMAP under TLS.
read_mail() {
	curl -sSk "imaps://$IP:${1:-1993}/Inbox;MAILINDEX=*" \
		-u "${2:-anna@example.org:correct horse}"
}

# Process ids of a program that serves this tree (its working folder).
pids_of() {
	local p
	for p in $(pgrep -x "$1"); do
		[ "$(readlink "/proc/$p/cwd")" != "$TREE" ] || echo "$p"
	done
}
