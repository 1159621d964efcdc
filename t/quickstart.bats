#!/usr/bin/env bats
# mox-quickstart: from an empty folder to a server that receives and is read.

load helper
load host

setup() {
	need openssl
	[ "$(id -u)" = 0 ] || skip "needs root"
	IP=$(own_ip)
	make_tree
	make_dns
}

teardown() {
	stop_background
	remove_tree
}

@test "an empty folder, then mox serve: receives, is read over imaps, stops" {
	need curl
	quickstart >out
	cmp out quickstart.log
	high_ports
	start_serve
	deliver hello
	run read_mail 1993 "anna@example.org:$(password)"
	[[ $output == *"Subject: hello"* ]]
	deliver report 1025 dmarcreports@example.org
	deliver postmaster 1025 postmaster@example.org
	[ -n "$(ls data/accounts/anna/Maildir/.DMARC/new)" ]
	[ -n "$(ls data/accounts/anna/Maildir/.Postmaster/new)" ]
	mox-stop
	! mox-config test 2>&1 | grep error || false
	[ -z "$(find data run secret ! -user "$HOST_USER")" ]
}

@test "edits by root and by the user keep owners, and take effect" {
	need curl setpriv
	quickstart >/dev/null
	high_ports
	start_serve
	mox-config account add bob bob@example.org
	eventually deliver hello 1025 bob@example.org
	setpriv --reuid "$HOST_USER" --regid "$HOST_USER" --clear-groups \
		"$TREE/bin/mox-config" address add info@example.org bob
	eventually deliver hello 1025 info@example.org
	echo 'correct horse' | mox-setaccountpassword bob
	read_mail 1993 'bob@example.org:correct horse' | grep -q 'It works'
	echo 'correct horse' | mox-setadminpassword
	[ "$(stat -c '%u %a' config/domains.conf)" = "$HOST_USER 600" ]
	[ "$(stat -c '%u' secret/adminpasswd)" = "$HOST_USER" ]
	[ "$(stat -c '%u %a' config)" = '0 1770' ]
	[ -z "$(find data run secret ! -user "$HOST_USER")" ]
	# But mox.conf is root's.
	run setpriv --reuid "$HOST_USER" --regid "$HOST_USER" --clear-groups \
		mv config/mox.conf config/other
	[ "$status" != 0 ]
}

@test "files: modes, owners, keys that fit, sound configuration" {
	quickstart >/dev/null
	mox-config test
	[ "$(stat -c '%u %g %a' config config/mox.conf)" = "0 $HOST_USER 1770
0 $HOST_USER 640" ]
	[ "$(stat -c '%u %a' config/domains.conf)" = "$HOST_USER 600" ]
	[ "$(stat -c '%u %a' quickstart.log mox.service)" = '0 600
0 644' ]
	[ -z "$(find secret data run ! -user "$HOST_USER")" ]
	[ -z "$(find secret data run -perm /077 ! -name '*.crt.pem')" ]
	grep -q '^\$2b\$' secret/adminpasswd
	[ "$(ls secret/dkim | wc -l)" = 2 ]
	cert=secret/tls/mail.example.org.crt.pem
	openssl x509 -in $cert -noout -checkhost mail.example.org |
		grep 'does match'
	spki=$(openssl x509 -in $cert -noout -pubkey | openssl pkey -pubin -outform der |
		sha256sum | cut -d' ' -f1)
	grep -q "^_25._tcp.mail.example.org. TLSA 3 1 1 $spki" quickstart.log ||
		grep -q "^;; _25._tcp.mail.example.org. TLSA 3 1 1 $spki" quickstart.log
	openssl verify -CAfile $cert $cert
}

@test "DNS records of the host and the domain are printed" {
	quickstart >out
	for record in 'example.org. MX 10 mail.example.org.' \
	    '_smtp._tls.example.org. TXT "v=TLSRPTv1' \
	    '_dmarc.example.org. TXT "v=DMARC1' \
	    "$(date -u +%Y)a._domainkey.example.org. TXT" \
	    "$(date -u +%Y)b._domainkey.example.org. TXT" \
	    'mail.example.org. TXT "v=spf1 a -all"' \
	    '_imaps._tcp.example.org. SRV 0 1 993' \
	    '_submissions._tcp.example.org. SRV 0 1 465'; do
		grep -qF "$record" out || { echo "no $record"; false; }
	done
	# The published key is that of the file which signs.
	p=$(openssl pkey -in secret/dkim/*a._domainkey* -pubout -outform der |
		base64 -w0)
	tr -d '"\n\t' <out | grep -qF "p=$p"
}

@test "passwords: 12 of 81 characters, no two alike" {
	for i in 1 2 3; do
		quickstart >out
		p=$(password)
		[ ${#p} = 12 ]
		[[ $p =~ ^[a-zA-Z0-9!@#\$%^\&*_\;:,\<.\>/-]{12}$ ]]
		echo "$p" >>all
		rm -rf config secret data run mox.service quickstart.log
	done
	[ "$(sort -u all | wc -l)" = 3 ]
}

@test "nothing is overwritten, and a second run is refused" {
	quickstart >/dev/null
	before=$(find config secret data -type f -exec sha1sum {} + | sort)
	run quickstart
	[ "$status" = 1 ]
	[[ $output == *"config/mox.conf is there already"* ]]
	[ "$before" = "$(find config secret data -type f -exec sha1sum {} + | sort)" ]
	rm config/mox.conf
	run quickstart
	[ "$status" = 1 ]
	[[ $output == *"config/domains.conf is there already"* ]]
}

@test "what was made is removed when something fails, the rest stays" {
	mkdir secret config
	echo mine >config/other
	echo mine >secret/hostkeys
	run quickstart
	[ "$status" = 1 ]
	[[ $output == *hostkeys* ]]
	[ "$(find . -path ./bin -prune -o -type f -print | sort)" = './config/other
./dns
./secret/hostkeys' ]
	[ ! -e data ]
	rm secret/hostkeys
	# An address that the configuration does not take.
	run mox-quickstart -skipdial -hostname mail.example.org \
		anna+x@example.org "$HOST_USER"
	[ "$status" = 1 ]
	[[ $output == *"domains.conf"* ]]
	[[ $output == *"would not be valid"* ]]
	[ "$(find . -path ./bin -prune -o -type f -print | sort)" = './config/other
./dns' ]
}

@test "warnings: DNS that fails, and what it says of the host" {
	cat >dns <<-'EOF2'
	com                    FAIL
	mail.example.org       FAIL
	example.org            FAIL
	EOF2
	quickstart >out
	grep -q 'DNS does not answer' out
	grep -q 'nameserver 127.0.0.1' out
	grep -q 'mail.example.org was not looked up' out
	mox-config test
	rm -rf config secret data run mox.service quickstart.log

	# Not validated; another address; another reverse name; listed.
	cat >dns <<-'EOF2'
	com                    NS   a.gtld-servers.net
	mail.example.org       A    198.51.100.7
	7.100.51.198.in-addr.arpa  PTR  other.example.net
	7.100.51.198.sbl.spamhaus.org  A  127.0.0.2
	7.100.51.198.sbl.spamhaus.org  TXT "sends spam"
	EOF2
	mox-quickstart -hostname mail.example.org anna@example.org \
		"$HOST_USER" >out
	grep -q 'DNSSEC does not work' out
	grep -q 'options edns0 trust-ad' out
	grep -q 'reverse name of 198.51.100.7 is other.example.net, not mail' out
	grep -q '198.51.100.7 is listed in sbl.spamhaus.org: sends spam' out
	grep -q 'whether mail can be sent was not tried' out
	grep -q 'See the warnings above' out
	mox-config test
}

@test "no answer to anything takes 10 seconds at most" {
	unset MOX_DNS_ZONE
	export MOX_RESOLVER=192.0.2.53 MOX_TRUST_ANCHOR=none
	before=$(date +%s)
	quickstart >out
	(($(date +%s) - before < 25)) # the rest is keys, on a busy machine
	mox-config test
}

@test "port 25 of others is tried unless told not to" {
	sed -i "s/mx.example.com .*/mx.example.com A 127.0.0.99/" dns
	mox-quickstart -hostname mail.example.org anna@example.org \
		"$HOST_USER" >out
	grep -q 'no connection to port 25 of mx.example.com' out
}

# In a network of its own, with these addresses on an interface.
network() {
	local add=
	for address; do add+="ip address add $address dev d0; "; done
	shift $#
	unshare -n sh -ec "ip link set lo up; ip link add d0 type veth
		ip link set d0 up; $add
		mox-quickstart -skipdial -hostname mail.example.org \
		anna@example.org $HOST_USER"
}

# The addresses below a field of a listener, on one line.
listed() {
	awk -v l="$1:" -v f="$2:" '$1 == l { on = 1 } $1 == f && on { ips = 1; next }
		ips && $1 == "-" { printf "%s ", $2; next } ips { exit }
		/^\t[a-z]/ && $1 != l { on = 0 }' config/mox.conf
}

@test "listens on public addresses; behind NAT on private ones" {
	need ip unshare
	unshare -n sh -c 'ip link add d0 type veth' || skip "no networks"
	network 198.51.100.7/24 10.0.0.5/24 >out
	[ "$(listed public IPs)" = '198.51.100.7 ' ]
	[ "$(listed internal IPs)" = '10.0.0.5 127.0.0.1 ::1 ' ]
	mox-config test
	rm -rf config secret data run mox.service quickstart.log
	network 10.0.0.5/24 >out
	[ "$(listed public IPs)" = '10.0.0.5 ' ]
	[ "$(listed public NATIPs)" = '198.51.100.7 ' ]
	grep -q 'behind NAT: 198.51.100.7' out
	grep -q 'v=spf1.*ip4:198.51.100.7' out
	mox-config test
	rm -rf config secret data run mox.service quickstart.log
	network 198.51.100.8/24 >out
	[ "$(listed public IPs)" = '198.51.100.8 ' ]
	grep -q '198.51.100.7, which DNS has for mail.example.org, is no' out
}

@test "with another web server; names in unicode; the host name of the system" {
	mox-quickstart -skipdial -existing-webserver -hostname post.bücher.example \
		'анна@bücher.example' "$HOST_USER" >out
	mox-config test
	grep -q '^Hostname: post.bücher.example' config/mox.conf
	grep -q 'Port: 1080' config/mox.conf
	grep -q 'xn--bcher-kva.example. MX 10 post.xn--bcher-kva.example.' out
	rm -rf config secret data run mox.service quickstart.log
	mox-quickstart -skipdial bob@example.net "$HOST_USER" >out
	grep -qE '^Host name: .+\.' out
	grep -q 'example.net is not in DNS' out
}

@test "wrong usage and users" {
	run mox-quickstart
	[ "$status" = 2 ]
	run mox-quickstart anna
	[ "$status" = 2 ]
	run mox-quickstart anna@[127.0.0.1]
	[ "$status" = 2 ]
	run mox-quickstart -skipdial anna@example.org nobody-has-this-name
	[ "$status" = 1 ]
	[[ $output == *useradd* ]]
	mkdir -m 700 closed
	cd closed
	run quickstart
	[ "$status" = 1 ]
	[[ $output == *"user $HOST_USER cannot get to"* ]]
	[ -z "$(ls -A)" ]
}

@test "the unit is one that systemd takes" {
	need systemd-analyze
	quickstart >/dev/null
	[ "$(mox-config printservice | grep -v Exec)" = "$(grep -v Exec mox.service)" ]
	run systemd-analyze verify --man=no ./mox.service
	echo "$output"
	[ "$status" = 0 ]
	[[ $output != *mox.service:* ]]
}
