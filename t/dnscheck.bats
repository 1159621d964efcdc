#!/usr/bin/env bats
# mox-config dnscheck: what DNS has against what it should have.

bats_require_minimum_version 1.5.0
load helper
load dns

# mail.example.org on 192.0.2.1 has example.org, with all that is checked. The
# keys are made once.
setup_file() {
	mkdir "$BATS_FILE_TMPDIR/keys" && cd "$BATS_FILE_TMPDIR/keys"
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out host.pem
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out hostrsa.pem
	openssl genpkey -quiet -algorithm ED25519 -out a.pem
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out b.pem
	openssl genpkey -quiet -algorithm ED25519 -out other.pem
}

setup() {
	cd "$BATS_TEST_TMPDIR" && mkdir -p config data
	cp "$BATS_FILE_TMPDIR"/keys/* config
	unset MOXCONF MOX_LOGLEVEL MOX_PEDANTIC MOX_RESOLVER MOX_TRUST_ANCHOR
	cat >config/mox.conf <<'CONF'
DataDir: ../data
LogLevel: info
Hostname: mail.example.org
User: USER
ACME:
	le:
		DirectoryURL: https://acme.example/
		ContactEmail: a@example.org
Listeners:
	public:
		IPs:
			- 192.0.2.1
		TLS:
			ACME: le
			HostPrivateKeyFiles:
				- host.pem
				- hostrsa.pem
		SMTP:
			Enabled: true
		Submissions:
			Enabled: true
		IMAPS:
			Enabled: true
		AutoconfigHTTPS:
			Enabled: true
		MTASTSHTTPS:
			Enabled: true
HostTLSRPT:
	Account: mjl
	Mailbox: TLSRPT
	Localpart: tls
Postmaster:
	Account: mjl
	Mailbox: Postmaster
CONF
	sed -i "s,USER,$(id -un)," config/mox.conf
	cat >config/domains.conf <<'CONF'
Domains:
	example.org:
		ClientSettingsDomain: client.example.org
		DKIM:
			Selectors:
				a:
					PrivateKeyFile: a.pem
				b:
					PrivateKeyFile: b.pem
			Sign:
				- a
		DMARC:
			Localpart: dmarc
			Account: mjl
			Mailbox: DMARC
		MTASTS:
			PolicyID: 20260101T000000
			Mode: enforce
			MaxAge: 24h
		TLSRPT:
			Localpart: tls
			Account: mjl
			Mailbox: TLSRPT
Accounts:
	mjl:
		Domain: example.org
		Destinations:
			mjl@example.org: nil
CONF
	export MOX_DNS_ZONE=zone
	reload
	cp good zone
}

teardown() { stop_background; }

# What dnsrecords prints, and what it does not, as a zone for MOX_DNS_ZONE.
good() {
	mox config dnsrecords -offline -dnssec example.org | python3 -c '
import re, sys
text = re.sub(r"^;.*\n", "", sys.stdin.read(), flags=re.M)
text = re.sub(r"\(([^)]*)\)", lambda m: m[1].replace("\n", " "), text)
for line in text.splitlines():
    f = line.split(None, 2)
    if len(f) == 3 and f[1] != "CAA":
        f[0] = f[0].rstrip(".")
        if f[1] != "TXT" and f[2][-2:] != " .":
            f[2] = f[2].rstrip(".")
        print(*f)'
	cat <<-'EOZ'
	mail.example.org A 192.0.2.1
	1.2.0.192.in-addr.arpa PTR mail.example.org
	com SECURE
	example.org SECURE
	example.org NS ns.example.org
	EOZ
}

# The configuration was changed: other records are right.
reload() { good >good; }

check() { run --separate-stderr mox config dnscheck "$@" example.org; echo "$output$stderr"; }
# The lines of a section that was printed.
section() { sed -n "/^# $1\$/,/^# /p" <<<"$output" | sed '/^# /d; /^$/d'; }
errors() { grep -E '^(error|warning): ' <<<"$output"; }
# Lines of the zone that match become the text behind, or vanish.
zone() {
	local drop=()
	while [ "$1" = -e ]; do drop+=(-e "$2"); shift 2; done
	[ ${#drop[@]} -gt 0 ] || { drop=(-e "$1"); shift; }
	grep -v "${drop[@]}" good >zone
	[ $# = 0 ] || printf '%s\n' "$@" >>zone
	check
}

# zone ... says in SECTION exactly this line of error or warning, and nothing
# elsewhere; exit status 1 for errors.
says() {
	[ "$(errors)" = "$2" ]
	[[ $(section "$1") == *"$2"* ]]
	case $2 in error*) [ "$status" = 1 ] ;; *) [ "$status" = 0 ] ;; esac
}
publish() { [[ $(section "$1") == *"$2"* ]]; }

@test "all is right" {
	check
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ -z "$(errors)" ]
	[ "$(grep '^# ' <<<"$output" | tr '\n' ' ')" = '# DNSSEC # IPRev # MX # TLS # DANE # SPF # DKIM # DMARC # Host TLSRPT # Domain TLSRPT # MTA-STS # SRV # Autoconfig # Autodiscover ' ]
	[ "$(section TLS)" = 'note: no connection was made to port 25 of mail.example.org' ]
	[[ $(section MTA-STS) == 'note: the policy was not fetched from https://mta-sts.example.org/'* ]]
	[ "$(grep -vc -e '^# ' -e '^$' -e ^note: <<<"$output")" = 0 ]
}

@test "IPRev" {
	zone arpa
	says IPRev 'error: 192.0.2.1 has no reverse name'
	publish IPRev '1.2.0.192.in-addr.arpa. PTR mail.example.org.'
	zone arpa '1.2.0.192.in-addr.arpa PTR host.isp.example'
	says IPRev 'error: the reverse name of 192.0.2.1 is host.isp.example, not mail.example.org'
	zone nothing '1.2.0.192.in-addr.arpa PTR host.isp.example'
	says IPRev 'warning: 192.0.2.1 has 2 reverse names; one is usual'
	zone arpa '1.2.0.192.in-addr.arpa FAIL'
	[ "$status" = 111 ]
	[[ $(section IPRev) == 'error: 192.0.2.1: temporary failure: '* ]]
	# Not that of mox.conf, but both lead there.
	zone nothing 'mail.example.org A 192.0.2.9'
	[[ $(section IPRev) == 'error: 192.0.2.9 has no reverse name'* ]]
	[[ $(section SPF) == '' ]]
	zone 'mail.example.org A' 'mail.example.org A 192.0.2.9' '9.2.0.192.in-addr.arpa PTR mail.example.org'
	[[ $(section MX) == 'warning: 192.0.2.1, an address of mox.conf, is not among those of mail.example.org' ]]
	[[ $(section IPRev) == 'error: the reverse name of 192.0.2.1 is mail.example.org, which does not lead back to it'* ]]
}

@test "MX" {
	zone '^example.org MX'
	says MX 'error: example.org has no MX record'
	publish MX 'example.org. MX 10 mail.example.org.'
	zone '^example.org MX' 'example.org MX 0 .'
	says MX 'error: the MX record says that example.org takes no mail'
	zone '^example.org MX' 'example.org MX 10 other.example' 'other.example A 192.0.2.2'
	[ "$status" = 1 ]
	[[ $(section MX) == $'warning: mail may also go to other.example, not this host\nerror: no MX record names this host, mail.example.org\nexample.org. MX 10 mail.example.org.' ]]
	[[ $(section MTA-STS) == 'error: the policy does not allow mail host other.example, which MX names'* ]]
	zone nothing 'example.org MX 20 gone.example'
	[[ $(section MX) == 'error: mail host gone.example has no addresses' ]]
	zone 'mail.example.org A'
	[[ $(section MX) == $'error: mail.example.org has no addresses\nPublish A and AAAA records of mail.example.org'* ]]
	[[ $(section Autoconfig) == $'error: autoconfig.example.org has no addresses\nautoconfig.example.org. CNAME mail.example.org.' ]]
	zone 'mail.example.org A' 'mail.example.org A 10.0.0.1' 'mail.example.org A 127.0.0.1'
	[[ $(section MX) == *'error: mail.example.org has the address 10.0.0.1, which others cannot reach'*127.0.0.1,* ]]
	zone 'mail.example.org A' 'mail.example.org CNAME real.example' 'real.example A 192.0.2.1'
	[[ $(section MX) == 'error: mail.example.org is an alias of real.example, which a mail host must not be' ]]
}

@test "DNSSEC and DANE" {
	zone '^com SECURE'
	says DNSSEC 'warning: answers are not validated here: whether zones are signed is not known, DANE does not protect mail to others'
	zone 'example.org SECURE'
	[ "$status" = 0 ]
	[[ $(section DNSSEC) == 'warning: the zone of example.org is not signed'*'warning: the zone of mail.example.org is not signed'* ]]
	[ "$(section DANE)" = 'warning: TLSA records of _25._tcp.mail.example.org have no effect without DNSSEC' ]
	zone -e 'example.org SECURE' -e TLSA
	[ "$(section DANE)" = 'note: DANE needs DNSSEC for mail.example.org' ]

	ec=$(openssl pkey -in config/host.pem -pubout -outform DER | sha256sum | cut -c1-64)
	rsa=$(openssl pkey -in config/hostrsa.pem -pubout -outform DER | sha256sum | cut -c1-64)
	zone "$rsa"
	says DANE "error: _25._tcp.mail.example.org has no TLSA record 3 1 1 $rsa"
	publish DANE "_25._tcp.mail.example.org. TLSA 3 1 1 $ec"$'\n'"_25._tcp.mail.example.org. TLSA 3 1 1 $rsa"
	zone nothing '_25._tcp.mail.example.org TLSA 3 1 1 00ff'
	says DANE 'warning: _25._tcp.mail.example.org TLSA 3 1 1 00ff is of no key in HostPrivateKeyFiles'
	zone TLSA '_25._tcp.mail.example.org TLSA 3 1 1 00ff'
	[[ $(section DANE) == *'error: none of the TLSA records is of a key of this host'* ]]
	sed -i '/HostPrivateKeyFiles/d; /host.*pem/d' config/mox.conf
	reload
	zone nothing
	says DANE 'warning: listener public has no HostPrivateKeyFiles, whose keys stay when certificates change'
}

@test "SPF" {
	zone 'v=spf1 ip4'
	says SPF 'error: example.org has no SPF record'
	publish SPF 'example.org. TXT "v=spf1 ip4:192.0.2.1 mx ~all"'
	zone 'v=spf1 a -all'
	says SPF 'error: mail.example.org has no SPF record'
	publish SPF 'mail.example.org. TXT "v=spf1 a -all"'
	zone nothing 'example.org TXT "v=spf1 mx -all"'
	says SPF 'error: example.org: spf: example.org has more than one SPF record'
	zone 'v=spf1 ip4' 'example.org TXT "v=spf1 wrong -all"'
	says SPF 'error: example.org: spf: "wrong" is no valid term'
	zone 'v=spf1 ip4' 'example.org TXT "v=spf1 ip4:192.0.2.2 -all"'
	says SPF 'error: mail of example.org from 192.0.2.1: fail'
	publish SPF 'example.org. TXT "v=spf1 ip4:192.0.2.1 mx ~all"'
	zone 'v=spf1 ip4' 'example.org TXT "v=spf1 include:down.example mx -all"' 'down.example FAIL'
	[ "$status" = 111 ]
	[[ $(section SPF) == 'error: example.org from 192.0.2.1: temporary failure: '* ]]
	zone 'v=spf1 ip4' 'example.org TXT "v=spf1 mx +all"'
	says SPF 'warning: SPF of example.org: +all keeps nobody from using the domain'
	zone 'v=spf1 ip4' 'example.org TXT "v=spf1 mx"'
	says SPF 'warning: SPF of example.org does not end in ~all or -all'
}

@test "DKIM" {
	local other
	other=$(mox-dkim txt <config/other.pem | grep -o 'v=DKIM1[^"]*')
	zone ^a._domainkey
	says DKIM 'error: a._domainkey.example.org has no DKIM record'
	publish DKIM "$(mox-dkim txt <config/a.pem | grep -o 'v=DKIM1[^"]*')"
	zone ^b._domainkey
	says DKIM 'warning: b._domainkey.example.org has no DKIM record, for a key that does not sign yet'
	zone ^a._domainkey "a._domainkey.example.org TXT \"$other\""
	says DKIM 'error: a._domainkey.example.org has another key than PrivateKeyFile'
	zone ^a._domainkey 'a._domainkey.example.org TXT "v=DKIM1;k=ed25519;p="'
	says DKIM 'error: a._domainkey.example.org says that the key is revoked'
	zone ^a._domainkey 'a._domainkey.example.org TXT "v=DKIM1;k=ed25519;p=%"'
	says DKIM 'error: a._domainkey.example.org: dkim record: p= is no base64'
	sed '/^a._domainkey/s/v=DKIM1;/&s=other;/' good >zone; check
	says DKIM 'error: a._domainkey.example.org is not for mail, by its s='
	sed '/^a._domainkey/s/h=sha256/h=sha1/' good >zone; check
	says DKIM 'error: a._domainkey.example.org does not allow the hash that is used, by its h='
	sed '/^a._domainkey/s/v=DKIM1;/&t=y;/' good >zone; check
	says DKIM 'warning: a._domainkey.example.org says t=y, testing: signatures may be ignored'
	sed -i '/Sign:/d; /- a$/d' config/domains.conf
	reload
	zone nothing
	says DKIM 'warning: mail of the domain is not signed'
}

@test "DMARC" {
	zone ^_dmarc
	says DMARC 'error: _dmarc.example.org: no record'
	publish DMARC '_dmarc.example.org. TXT "v=DMARC1;p=reject;rua=mailto:dmarc@example.org!10m"'
	zone nothing '_dmarc.example.org TXT "v=DMARC1;p=none"'
	says DMARC 'error: _dmarc.example.org: several records'
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=wrong"'
	[ "$status" = 1 ]
	[[ $(section DMARC) == 'error: _dmarc.example.org: '* ]]
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=none;rua=mailto:dmarc@example.org"'
	says DMARC 'warning: policy none: forged mail is not refused'
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=reject;pct=50;rua=mailto:dmarc@example.org"'
	says DMARC 'warning: pct=50: some forged mail is not refused'
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=reject"'
	says DMARC 'warning: reports do not go to mailto:dmarc@example.org'
	publish DMARC '_dmarc.example.org. TXT "v=DMARC1;p=reject;rua='
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=reject;rua=mailto:dmarc@example.org,mailto:d@reports.example"'
	says DMARC 'warning: reports.example does not take reports: example.org._report._dmarc.reports.example has no DMARC record'
	echo 'example.org._report._dmarc.reports.example TXT "v=DMARC1"' >>zone
	check
	[ -z "$(errors)" ]
	sed -i '/DMARC:/,/Mailbox: DMARC/d' config/domains.conf
	reload
	zone ^_dmarc '_dmarc.example.org TXT "v=DMARC1;p=reject"'
	says DMARC 'warning: nobody reports about mail of the domain'
	publish DMARC 'Set DMARC of the domain in domains.conf'
}

@test "TLSRPT" {
	zone ^_smtp._tls.mail
	says 'Host TLSRPT' 'error: _smtp._tls.mail.example.org has no TLSRPT record'
	publish 'Host TLSRPT' '_smtp._tls.mail.example.org. TXT "v=TLSRPTv1; rua=mailto:tls@mail.example.org"'
	zone ^_smtp._tls.example
	says 'Domain TLSRPT' 'error: _smtp._tls.example.org has no TLSRPT record'
	publish 'Domain TLSRPT' '_smtp._tls.example.org. TXT "v=TLSRPTv1; rua=mailto:tls@example.org"'
	zone nothing '_smtp._tls.example.org TXT "v=TLSRPTv1;rua=mailto:x@example.org"'
	says 'Domain TLSRPT' 'error: _smtp._tls.example.org has 2 TLSRPT records: all are void'
	zone ^_smtp._tls.example '_smtp._tls.example.org TXT "v=TLSRPTv1;rua=mailto:x@example.org"'
	says 'Domain TLSRPT' 'warning: reports go to mailto:x@example.org, not to mailto:tls@example.org'
	zone ^_smtp._tls.example '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=https://x.example/r , mailto:tls@Example.org;"'
	[ -z "$(errors)" ]
	zone ^_smtp._tls.example '_smtp._tls.example.org TXT "v=TLSRPTv1; r=1"'
	says 'Domain TLSRPT' 'error: tlsrpt record: no rua='
	sed -i '/TLSRPT:/,/Mailbox: TLSRPT/d' config/domains.conf
	reload
	zone nothing
	says 'Domain TLSRPT' 'warning: nobody reports about TLS with example.org'
	publish 'Domain TLSRPT' 'Set TLSRPT of the domain in domains.conf'
	zone nothing '_smtp._tls.example.org TXT "v=TLSRPTv1;rua=mailto:x@example.org"'
	[ -z "$(errors)" ]
	[[ $(section 'Domain TLSRPT') == 'note: reports go to mailto:x@example.org;'* ]]
}

@test "MTA-STS" {
	zone ^_mta-sts
	says MTA-STS 'error: _mta-sts.example.org has no MTA-STS record'
	publish MTA-STS '_mta-sts.example.org. TXT "v=STSv1; id=20260101T000000"'
	zone ^_mta-sts '_mta-sts.example.org TXT "v=STSv1;id=old"'
	says MTA-STS 'error: the id of the record is "old", that of the policy "20260101T000000"'
	zone ^_mta-sts '_mta-sts.example.org TXT "v=STSv1; id=a-b"'
	says MTA-STS 'error: the record is malformed'
	zone nothing '_mta-sts.example.org TXT "v=STSv1;id=old"'
	says MTA-STS 'error: _mta-sts.example.org has 2 MTA-STS records: all are void'
	zone ^mta-sts
	says MTA-STS 'error: mta-sts.example.org has no addresses'
	publish MTA-STS 'mta-sts.example.org. CNAME mail.example.org.'
	zone ^mta-sts 'mta-sts.example.org A 192.0.2.7'
	says MTA-STS 'error: mta-sts.example.org leads to 192.0.2.7, which is no address of mail.example.org'
	# Patterns: one label.
	sed -i 's/^\t\t\tPolicyID.*/&\n\t\t\tMX:\n\t\t\t\t- mail.example.org\n\t\t\t\t- *.backup.example/' config/domains.conf
	reload
	zone nothing 'example.org MX 20 a.backup.example' 'a.backup.example A 192.0.2.3'
	says MX 'warning: mail may also go to a.backup.example, not this host'
	zone nothing 'example.org MX 20 b.a.backup.example' 'b.a.backup.example A 192.0.2.3'
	[[ $(section MTA-STS) == 'error: the policy does not allow mail host b.a.backup.example, which MX names'* ]]
	sed -i '/MTASTS:/,/MaxAge/d' config/domains.conf
	reload
	zone nothing
	says MTA-STS 'warning: the domain has no MTASTS in domains.conf: others may deliver without verified TLS'
	zone nothing '_mta-sts.example.org TXT "v=STSv1;id=old"'
	says MTA-STS 'error: _mta-sts.example.org promises a policy, but the domain has no MTASTS in domains.conf'
}

@test "mail programs: SRV, autoconfig, autodiscover" {
	zone ^_imaps
	says SRV 'error: _imaps._tcp.example.org has no SRV record'
	publish SRV '_imaps._tcp.example.org. SRV 0 1 993 client.example.org.'
	zone ^_imaps '_imaps._tcp.example.org SRV 5 9 993 client.example.org'
	[ -z "$(errors)" ]
	zone ^_imaps '_imaps._tcp.example.org SRV 0 1 994 other.example'
	says SRV 'error: _imaps._tcp.example.org leads to port 994 of other.example'
	zone ^_imaps '_imaps._tcp.example.org SRV 0 0 0 .'
	says SRV 'error: _imaps._tcp.example.org says that the service is not offered'
	zone ^_pop3._tcp
	says SRV 'warning: _pop3._tcp.example.org has no SRV record that says it is not offered'
	publish SRV '_pop3._tcp.example.org. SRV 0 0 0 .'
	zone ^_pop3._tcp '_pop3._tcp.example.org SRV 0 1 110 mail.example.org'
	says SRV 'error: _pop3._tcp.example.org leads to port 110 of mail.example.org, but the service is not offered'
	zone ^client
	says SRV 'error: client.example.org has no addresses'
	publish SRV 'client.example.org. CNAME mail.example.org.'
	zone ^autoconfig
	says Autoconfig 'error: autoconfig.example.org has no addresses'
	zone ^_autodiscover
	says Autodiscover 'error: _autodiscover._tcp.example.org has no SRV record'
	publish Autodiscover '_autodiscover._tcp.example.org. SRV 0 1 443 mail.example.org.'
	sed -i '/AutoconfigHTTPS/{N;d}' config/mox.conf
	reload
	zone nothing
	[ -z "$(errors)" ]
	[ "$(section Autoconfig)" = 'note: no listener has AutoconfigHTTPS' ]
}

@test "the host is the domain" {
	sed -i 's/mail.example.org/example.org/' config/mox.conf
	reload
	sed 's/mail\.example\.org/example.org/; /^mail/d' good >zone
	echo 'example.org A 192.0.2.1' >>zone
	check
	[ "$status" = 0 ]
	[ -z "$(errors)" ]
	[ "$(section 'Host TLSRPT')" = 'note: the host is the domain: see Domain TLSRPT' ]
}

@test "what DNS does not answer" {
	# One question: the rest is told all the same.
	zone ^_dmarc '_dmarc.example.org FAIL'
	[ "$status" = 111 ]
	[ "$(errors)" = 'error: _dmarc.example.org: temporary failure: dns: no answer for _dmarc.example.org' ]
	zone -e ^_dmarc -e ^_imaps '_dmarc.example.org FAIL'
	[ "$status" = 1 ]
	zone ^_dmarc '_dmarc.example.org BOGUS'
	[ "$status" = 1 ]
	[[ $(section DMARC) == 'error: _dmarc.example.org: DNSSEC validation fails, nobody who validates sees it: '* ]]
	# Nobody answers.
	unset MOX_DNS_ZONE
	export MOX_RESOLVER=$(own_ip)@53 MOX_TRUST_ANCHOR=none
	check
	[ "$status" = 111 ]
	[ "$(errors | grep -vc 'temporary failure')" = 0 ]
	[ "$(errors | grep -c 'temporary failure')" -gt 20 ]
}

@test "text of others cannot steer a terminal" {
	zone ^_smtp._tls.example '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=\027[31mred\007"'
	says 'Domain TLSRPT' 'error: tlsrpt record: no address at "?[31mred?"'
}

@test "json, usage, unknown domain" {
	zone ^_imaps
	check -json
	[ "$status" = 1 ]
	run python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["Domain"] == "example.org"
assert len(d["Checks"]) == 14
by = {c["Name"]: c for c in d["Checks"]}
assert by["SRV"] == {"Name": "SRV", "Errors": ["_imaps._tcp.example.org has no SRV record"],
    "Warnings": [], "Notes": [], "Temporary": False,
    "Instructions": ["_imaps._tcp.example.org. SRV 0 1 993 client.example.org."]}, by["SRV"]
assert len(by["MTA-STS"]["Notes"]) == 1' <<<"$output"
	echo "$output"
	[ "$status" = 0 ]
	run --separate-stderr mox config dnscheck example.net
	[ "$status" = 1 ]
	[ "$stderr" = 'mox-config: there is no domain "example.net"' ]
	[ -z "$output" ]
	run mox config dnscheck
	[ "$status" = 2 ]
	rm config/a.pem
	run --separate-stderr mox config dnscheck example.org
	[ "$status" = 1 ]
	[[ $stderr == *a.pem* ]]
}

# The lines of `good` at and below a name, for dns_zone.
zone_lines() {
	python3 -c '
import sys
for line in sys.stdin:
    name, type, data = line.rstrip("\n").split(None, 2) if line.count(" ") > 1 else ("", "", "")
    if type == "NS" or not ("." + name).endswith("." + sys.argv[1]):
        continue
    if type in ("CNAME", "MX", "PTR", "SRV") and data[-1] != ".":
        data += "."
    print(name + ".", type, data)' "$1" <good
}

@test "a signed zone, validated" {
	need nsd ldns-signzone ldns-keygen
	unset MOX_DNS_ZONE
	zone_lines example.org | dns_zone example.org
	zone_lines 2.0.192.in-addr.arpa | dns_zone 2.0.192.in-addr.arpa
	dns_start
	check
	[ "$status" = 0 ]
	[ -z "$(errors)" ]
	[ -z "$(section DANE)" ]
	# Not signed: it works, but DANE does not count.
	zone_lines example.org | dns_zone -plain example.org
	dns_start
	check
	[ "$status" = 0 ]
	[ "$(errors)" = 'warning: the zone of example.org is not signed
warning: the zone of mail.example.org is not signed
warning: TLSA records of _25._tcp.mail.example.org have no effect without DNSSEC' ]
	# Signed wrongly.
	zone_lines example.org | dns_zone -bogus example.org
	dns_start
	check
	[ "$status" = 1 ]
	[[ $(section MX) == 'error: example.org: DNSSEC validation fails'* ]]
	[ "$(errors | grep -vc -e 'DNSSEC validation' -e 192.0.2.1)" = 0 ]
}

# SMTP with STARTTLS on port 25 of $IP, with the key in $1; "none": without.
serve() {
	stop_background || :
	[ "$1" = none ] || openssl req -x509 -key "$1" -subj /CN=x -days 2 -out cert.pem
	background python3 -c '
import socket, ssl, sys
ip, key = sys.argv[1:]

def talk(c):
    f = c.makefile("rwb", buffering=0)
    f.write(b"220 mail.example.org ESMTP\r\n")
    while line := f.readline():
        if line.startswith(b"EHLO"):
            f.write(b"250-hi\r\n250 %s\r\n" % (b"SIZE" if key == "none" else b"STARTTLS"))
        elif line.startswith(b"STARTTLS"):
            f.write(b"220 go\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("cert.pem", key)
            c = context.wrap_socket(c, server_side=True)
            f = c.makefile("rwb", buffering=0)
        else:
            f.write(b"221 bye\r\n")
            return

s = socket.create_server((ip, 25))
while True:
    try:
        talk(s.accept()[0])
    except OSError:
        pass' "$IP" "$1"
	eventually port_open "$IP" 25
}

@test "-dial: TLS of the host" {
	[ "$(id -u)" = 0 ] || skip "port 25 is for root"
	IP=$(own_ip)
	zone 'mail.example.org A' "mail.example.org A $IP"
	[ "$(section TLS)" = 'note: no connection was made to port 25 of mail.example.org' ]
	check -dial
	[[ $(section TLS) == "error: $IP: temporary failure: "* ]]
	serve none
	check -dial
	[[ $(section TLS) == "error: $IP: "*STARTTLS* ]]
	serve config/host.pem
	check -dial
	[ -z "$(section TLS)" ]
	serve config/b.pem
	check -dial
	[[ $(section TLS) == "error: $IP: "*TLSA* ]]
	# Without DNSSEC an authority is to know it.
	sed -i /SECURE/d zone
	serve config/host.pem
	check -dial
	[[ $(section TLS) == "error: $IP: "*certificate* ]]
}

# ---- dnsrecords ----

# An authority that CAA records would name.
with_issuer() {
	sed -i "s,^\t\tContactEmail.*,&\n\t\tIssuerDomainName: le.example," config/mox.conf
}

# records [ZONE LINE...]: what is printed with this DNS.
records() {
	printf '%s\n' "$@" >zone
	run --separate-stderr mox config dnsrecords example.org
	[ "$status" = 0 ]
}

@test "dnsrecords: DNSSEC of the host, CAA of the domain as they are in DNS" {
	with_issuer
	records 'com NS a.example'
	[ -z "$stderr" ]
	grep -q '^;; _25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	grep -q '^example.org. CAA 0 issue "' <<<"$output"
	records 'example.org SECURE' 'mail.example.org A 192.0.2.1'
	[ -z "$stderr" ]
	grep -q '^_25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	# The host's counts, not the domain's.
	records 'client.example.org SECURE'
	! grep -q '^_25._tcp.mail.example.org. TLSA' <<<"$output" || false
	records 'example.org CAA 0 issue "ca.example"'
	grep -q '^;; example.org. CAA 0 issue "' <<<"$output"
	! grep -q '^example.org. CAA' <<<"$output" || false
	# One above it holds, too: RFC 8659, 3.
	records 'org CAA 0 issue "ca.example"'
	grep -q '^;; example.org. CAA 0 issue "' <<<"$output"
}

@test "dnsrecords: what DNS does not say; -offline, -dnssec" {
	with_issuer
	records 'mail.example.org FAIL'
	[ "$stderr" = 'mox-config: not known, and taken for not signed: dns: no answer for mail.example.org' ]
	grep -q '^;; _25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	records 'example.org SECURE' 'mail.example.org A 192.0.2.1' 'example.org CAA 0 issue "x"'
	run --separate-stderr mox config dnsrecords -offline example.org
	[ "$status" = 0 ]
	grep -q '^;; _25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	grep -q '^example.org. CAA 0 issue "' <<<"$output"
	run --separate-stderr mox config dnsrecords -offline -dnssec example.org
	grep -q '^_25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	rm zone # nobody is asked
	mox config dnsrecords -offline example.org >/dev/null
	run --separate-stderr mox config dnsrecords example.org
	[ "$status" = 1 ]
}

@test "dnsrecords: over signed zones" {
	need nsd ldns-signzone ldns-keygen
	with_issuer
	unset MOX_DNS_ZONE
	dns_zone example.org <<-'EOF'
	@	CAA	0 issue "ca.example"
	mail	A	192.0.2.1
	EOF
	dns_start
	run --separate-stderr mox config dnsrecords example.org
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	grep -q '^_25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
	grep -q '^;; example.org. CAA 0 issue "' <<<"$output"
	[ "$(mox dns lookup caa example.org)" = \
		$'caa records (1, with dnssec):\n- flags 0, "issue ca.example"' ] ||
		{ mox dns lookup caa example.org; false; }
	# A server that never answers: said within its time.
	stop_background
	background python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$DNS_IP', $DNS_PORT))
time.sleep(60)"
	run --separate-stderr timeout 30 mox config dnsrecords example.org
	[ "$status" = 0 ]
	[[ $stderr == *'not known, and taken for not signed: dns: no answer in time for '* ]]
	grep -q '^;; _25._tcp.mail.example.org. TLSA 3 1 1' <<<"$output"
}
