#!/usr/bin/env bats
# libunbound over a private DNS: DNSSEC, CNAMEs, truncation, failures.

load helper
load dns

setup_file() {
	need nsd ldns-signzone ldns-keygen
	export DNS_DIR=$BATS_FILE_TMPDIR/dns
	DNS_IP=$(own_ip) && export DNS_IP
	dns_zone signed.example <<-'EOF'
	@	A	192.0.2.1
	@	MX	10 mail
	@	MX	20 backup.plain.example.
	@	NS	ns2.plain.example.
	@	TXT	"v=spf1 " "mx -all \"quoted\""
	mail	A	192.0.2.2
	mail	AAAA	2001:db8::2
	www	CNAME	mail
	out	CNAME	host.plain.example.
	lost	CNAME	nowhere.plain.example.
	nomail	MX	0 .
	_25._tcp.mail	TLSA	3 1 1 0011223344556677889900112233445566778899001122334455667788990011
	_imaps._tcp	SRV	0 1 993 mail
	EOF
	{
		# More than any UDP answer here has room for.
		for i in $(seq 40); do
			printf 'big TXT "%03d %s"\n' "$i" "$(printf '%0200d' 0)"
		done
		for i in 1 2 3 4 5; do printf 'c%d CNAME c%d\n' $i $((i + 1)); done
		echo 'c6 A 192.0.2.6'
		echo 'loop CNAME loop2'
		echo 'loop2 CNAME loop'
		echo 'host A 192.0.2.3'
		echo '@ TXT "hello"'
	} | dns_zone -plain plain.example
	dns_zone -bogus bogus.example <<<'@ A 192.0.2.4'
	dns_zone -broken broken.example </dev/null
	dns_zone 2.0.192.in-addr.arpa <<-'EOF'
	2	PTR	mail.signed.example.
	3	PTR	mail.signed.example.
	5	PTR	bogus.example.
	EOF
	dns_start
}
teardown_file() { stop_background || :; }

json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }
lookup() { cd "$BATS_TEST_TMPDIR" && run mox-dns lookup "$@"; echo "$output"; }
lookup_json() { cd "$BATS_TEST_TMPDIR" && run mox-dns -json lookup "$@"; echo "$output"; }

@test "every type, signed" {
	lookup a signed.example.
	[ "$status" = 0 ]
	[ "$output" = $'a records (1, with dnssec):\n- 192.0.2.1' ]
	lookup aaaa mail.signed.example
	[ "$output" = $'aaaa records (1, with dnssec):\n- 2001:db8::2' ]
	lookup ips mail.signed.example
	[ "$output" = $'records (2, with dnssec):\n- 192.0.2.2\n- 2001:db8::2' ]
	lookup ns signed.example
	[ "${lines[0]}" = 'ns records (2, with dnssec):' ]
	[[ $output == *'- ns2.plain.example.'* ]]
	lookup mx signed.example
	[[ $output == *'mx records (2, with dnssec):'* ]]
	[[ $output == *'- mail.signed.example., preference 10'* ]]
	lookup txt signed.example
	[ "${lines[1]}" = '- "v=spf1 mx -all \"quoted\""' ]
	lookup srv _imaps._tcp.signed.example
	[ "${lines[1]}" = '- mail.signed.example., port 993, priority 0, weight 1' ]
	lookup tlsa _25._tcp.mail.signed.example
	[[ ${lines[1]} == '- usage dane-ee (3), selector spki (1), match type sha2-256 (1), data 00112233'* ]]
	lookup cname www.signed.example
	[ "${lines[1]}" = '- mail.signed.example.' ]
	lookup ptr 192.0.2.2
	[ "$output" = $'names (1, with dnssec):\n- mail.signed.example.' ]
	lookup ptr 2.2.0.192.in-addr.arpa
	[ "${lines[1]}" = '- mail.signed.example.' ]
	lookup mx nomail.signed.example
	[ "${lines[1]}" = '- ., preference 0' ]
}

@test "insecure, with and without a signed CNAME before it" {
	lookup a host.plain.example
	[ "$output" = $'a records (1, without dnssec):\n- 192.0.2.3' ]
	lookup_json a out.signed.example
	[ "$(json 'd["Name"], d["DNSSEC"]')" = "('host.plain.example', False)" ]
	lookup_json a www.signed.example
	[ "$(json 'd["Name"], d["DNSSEC"]')" = "('mail.signed.example', True)" ]
}

@test "no such name and no such records differ, and are proven" {
	lookup_json a nowhere.signed.example
	[ "$status" = 1 ]
	[ "$(json 'd["Status"], d["DNSSEC"]')" = "('no such name', True)" ]
	lookup_json txt mail.signed.example
	[ "$status" = 1 ]
	[ "$(json 'd["Status"], d["DNSSEC"]')" = "('no records', True)" ]
	lookup_json a nowhere.plain.example
	[ "$(json 'd["Status"], d["DNSSEC"]')" = "('no such name', False)" ]
	lookup_json a lost.signed.example
	[ "$(json 'd["Status"], d["DNSSEC"]')" = "('no such name', False)" ]
	lookup a nowhere.signed.example
	[[ $output == *'mox-dns: no such name'* ]]
}

@test "bogus answers are refused, and why is told" {
	lookup_json a bogus.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = bogus ]
	[[ $(json 'd["Why"]') == *'DS hash mismatches key'* ]]
	lookup a bogus.example
	[[ $output == 'mox-dns: dns: bogus answer for bogus.example: '* ]]
}

@test "another trust anchor, or none" {
	lookup_json a signed.example
	[ "$(json 'd["DNSSEC"]')" = True ]
	MOX_TRUST_ANCHOR=none lookup_json a signed.example
	[ "$(json 'd["DNSSEC"]')" = False ]
	MOX_TRUST_ANCHOR=none lookup_json a bogus.example
	[ "$(json 'd["Status"], d["DNSSEC"]')" = "('found', False)" ]
	# The Internet's root did not sign this one.
	MOX_TRUST_ANCHOR=/usr/share/dns/root.key lookup_json a signed.example
	[ "$(json 'd["Status"]')" = bogus ]
	MOX_TRUST_ANCHOR=/nowhere lookup a signed.example
	[ "$status" = 1 ]
	[[ $output == *'trust anchor /nowhere ('*'): No such file'* ]]
}

@test "CNAME chains and loops" {
	lookup_json a c1.plain.example
	[ "$(json 'd["Name"], d["Records"][0]["IP"]')" = "('c6.plain.example', '192.0.2.6')" ]
	lookup_json a loop.plain.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = failed ]
}

@test "an answer too large for UDP comes by TCP" {
	lookup_json txt big.plain.example
	[ "$status" = 0 ]
	[ "$(json 'len(d["Records"])')" = 40 ]
	[ "$(json 'sorted(r["Text"][:3] for r in d["Records"])[39]')" = 040 ]
}

@test "a server that fails, one that is silent, one that is not there" {
	lookup_json a broken.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = failed ]
	[[ $(json 'd["Error"]') == 'dns: SERVFAIL for broken.example'* ]]
	ip=$(own_ip)
	background python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('$ip', 5353))
t = socket.socket(); t.bind(('$ip', 5353)); t.listen(); time.sleep(600)"
	eventually port_open "$ip" 5353
	MOX_RESOLVER=$ip@5353 run mox-dns lookup -json -timeout 1 a signed.example
	echo "$output"
	stop_background || :
	[ "$status" = 111 ]
	[ "$(json 'd["Status"], d["Error"]')" = "('timeout', 'dns: no answer in time for signed.example')" ]
	MOX_RESOLVER=$(own_ip)@5353 run mox-dns lookup -json -timeout 2 a signed.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"] in ("failed", "timeout")')" = True ]
}

@test "mox.conf names resolvers, trust anchor, zone file; the environment goes before" {
	mkdir "$BATS_TEST_TMPDIR/config"
	cd "$BATS_TEST_TMPDIR"
	sed "s|^Postmaster:|DNS:\n\tResolvers:\n\t\t- $MOX_RESOLVER\n\tTrustAnchor: anchor\n&|" \
	    "$TOP/conf/mox.conf" >config/mox.conf
	cp "$MOX_TRUST_ANCHOR" config/anchor
	cp "$TOP/conf/domains.conf" config/
	unset MOX_RESOLVER MOX_TRUST_ANCHOR
	run mox-dns -json lookup a signed.example
	echo "$output"
	[ "$(json 'd["DNSSEC"]')" = True ]
	MOX_TRUST_ANCHOR=none run mox-dns -json lookup a signed.example
	[ "$(json 'd["DNSSEC"]')" = False ]
	sed -i 's|TrustAnchor: anchor|ZoneFile: zone|' config/mox.conf
	echo 'signed.example A 192.0.2.99' >config/zone
	run mox-dns -json lookup a signed.example
	[ "$(json 'd["Records"][0]["IP"]')" = 192.0.2.99 ]
	echo 'signed.example A 192.0.2.98' >zone2
	MOX_DNS_ZONE=zone2 run mox-dns -json lookup a signed.example
	[ "$(json 'd["Records"][0]["IP"]')" = 192.0.2.98 ]
	sed -i 's|- [0-9.]*@5353|- 192.0.2.1@0|' config/mox.conf
	run mox-dns lookup a signed.example
	[ "$status" = 1 ]
	[[ $output == *'must have a port number behind @'* ]]
}

@test "wrong usage" {
	cd "$BATS_TEST_TMPDIR"
	for args in '' lookup 'lookup a' 'lookup x signed.example' 'lookup a a..b' \
	    'find a b' 'lookup a b c'; do
		run mox-dns $args
		echo "$args: $output"
		[ "$status" = 2 ]
	done
	MOX_RESOLVER=nonsense lookup a signed.example
	[ "$status" = 1 ]
	[[ $output == *'"nonsense" is no address of a resolver'* ]]
}

@test "mox-iprev" {
	cd "$BATS_TEST_TMPDIR"
	run mox-iprev 192.0.2.2
	[ "$status" = 0 ]
	[ "$output" = $'pass: mail.signed.example (with dnssec)\nnames (1):\n- mail.signed.example.' ]
	run mox-iprev 192.0.2.3
	[ "$status" = 1 ]
	[ "${lines[0]}" = 'fail (with dnssec)' ]
	run mox-iprev -json 192.0.2.4
	[ "$status" = 1 ]
	[ "$(json 'd["Status"], d["DNSSEC"], d["Names"]')" = "('permerror', True, [])" ]
	run mox-iprev -json 192.0.2.5
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = temperror ]
	[[ $(json 'd["Error"]') == *bogus* ]]
	run mox-iprev 192.0.2
	[ "$status" = 2 ]
}
