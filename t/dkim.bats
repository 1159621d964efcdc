#!/usr/bin/env bats
# mox-dkim, mox-arc, mox-dmarc, mox-message; what others sign and verify.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	export MOX_DNS_ZONE=$BATS_TEST_TMPDIR/zone
	unset MOXCONF
	echo '_dmarc.peer.example TXT "v=DMARC1; p=reject"' >zone
}

teardown() { stop_background; }

json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }

# make_keys: rsa.pem and ed.pem.
make_keys() {
	mox-dkim genrsa >rsa.pem
	mox-dkim gened25519 >ed.pem
}

# publish SELECTOR KEY.pem: its record in the zone.
publish() {
	mox-dkim -json txt <"$2" | python3 -c 'import json,sys
print(sys.argv[1] + "._domainkey.peer.example TXT \"" + json.load(sys.stdin)["Record"] + "\"")' \
		"$1" >>zone
}

# selector NAME KEY.pem HEADER BODY: lines of domains.conf.
selector() {
	printf '\t\t\t\t%s:\n\t\t\t\t\tPrivateKeyFile: ../%s\n' "$1" "$2"
	[ "$3" = simple ] && [ "$4" = simple ] && return
	printf '\t\t\t\t\tCanonicalization:\n'
	printf '\t\t\t\t\t\tHeaderRelaxed: %s\n' "$([ "$3" = relaxed ] && echo true || echo false)"
	printf '\t\t\t\t\t\tBodyRelaxed: %s\n' "$([ "$4" = relaxed ] && echo true || echo false)"
}

# A configuration whose domain signs in all ways.
make_config() {
	local kind header body names=
	mkdir -p config
	cat >config/mox.conf <<-EOF
	DataDir: ../data
	User: $(id -un)
	Hostname: mail.peer.example
	LogLevel: info
	Listeners:
	EOF
	printf '\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\nPostmaster:\n\tAccount: a\n\tMailbox: Inbox\n' \
		>>config/mox.conf
	{
		printf 'Domains:\n\tpeer.example:\n\t\tDKIM:\n\t\t\tSelectors:\n'
		for kind in rsa ed; do
			for header in simple relaxed; do
				for body in simple relaxed; do
					selector "$kind-$header-$body" $kind.pem $header $body
					publish "$kind-$header-$body" $kind.pem
					names+=" $kind-$header-$body"
				done
			done
		done
		printf '\t\t\tSign:\n'
		# shellcheck disable=SC2086
		printf '\t\t\t\t- %s\n' $names
		printf '\tother.example: nil\nAccounts:\n\ta:\n\t\tDomain: peer.example\n'
		printf '\t\tDestinations:\n\t\t\ta@peer.example: nil\n'
	} >config/domains.conf
}

@test "mox-dkim: keys and their records" {
	make_keys
	openssl pkey -in rsa.pem -noout -text | grep -q '2048 bit'
	openssl pkey -in ed.pem -noout -text | grep -qi ed25519
	run mox-dkim txt <rsa.pem
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = '<selector>._domainkey.<your.domain.> TXT (' ]
	[[ ${lines[1]} == $'\t\t"v=DKIM1;h=sha256;p='* ]]
	p=$(openssl pkey -in rsa.pem -pubout -outform DER | base64 -w 0)
	[ "$(grep '"' <<<"$output" | tr -d '\t\n"')" = "v=DKIM1;h=sha256;p=$p" ]
	run mox-dkim txt <ed.pem
	p=$(openssl pkey -in ed.pem -pubout -outform DER | tail -c 32 | base64)
	[ "$output" = "<selector>._domainkey.<your.domain.> TXT \"v=DKIM1;h=sha256;k=ed25519;p=$p\"" ]
	run mox-dkim txt </dev/null
	[ "$status" = 1 ]
	[[ $output == 'mox-dkim: '*'no private key in PEM'* ]]
}

@test "mox-dkim lookup" {
	make_keys
	publish s rsa.pem
	cat >>zone <<-'EOF'
	old._domainkey.peer.example TXT "v=DKIM1; t=y; p="
	down._domainkey.peer.example FAIL
	EOF
	run mox-dkim lookup s peer.example
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == 'v=DKIM1;'*$'\n(without dnssec)\nkey: rsa\n'*'bits: 2048' ]]
	run mox-dkim -json lookup s peer.example
	[ "$(json 'd["Key"], d["Bits"], d["Revoked"]')" = "('rsa', 2048, False)" ]
	run mox-dkim lookup old peer.example
	[ "$status" = 1 ]
	[[ $output == *$'for tests (t=y)\n'*revoked ]]
	run mox-dkim lookup none peer.example
	[ "$status" = 1 ]
	[[ $output == *'no record at none._domainkey.peer.example'* ]]
	run mox-dkim lookup down peer.example
	[ "$status" = 111 ]
}

@test "mox-dkim, mox-dmarc: what DNSSEC proves, over a signed zone" {
	need nsd ldns-signzone
	load dns
	IP=$(own_ip)
	unset MOX_DNS_ZONE
	mox-dkim gened25519 >ed.pem
	record=$(MOX_RESOLVER=$IP mox-dkim txt <ed.pem | sed 's/.* TXT //')
	dns_zone peer.example <<-EOF
	s._domainkey TXT $record
	_dmarc TXT "v=DMARC1; p=reject"
	EOF
	dns_zone -bogus bogus.example <<-EOF
	s._domainkey TXT $record
	EOF
	dns_start
	run mox-dkim lookup s peer.example
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'(with dnssec)'* ]]
	run mox-dmarc lookup a.peer.example
	[ "$status" = 0 ]
	[[ $output == *'(with dnssec)'* ]]
	run mox-dkim lookup none peer.example
	[ "$status" = 1 ]
	run mox-dkim lookup s bogus.example
	echo "$output"
	[ "$status" = 111 ]
	run mox-dmarc lookup bogus.example
	[ "$status" = 111 ]
}

@test "mox-dkim sign: as the domain of From says, lines as they were" {
	make_keys
	make_config
	printf 'From: a <A@Peer.Example>\nSubject: x\n\nhello\n' >lf
	run mox-dkim sign lf
	[ "$status" = 0 ]
	[ "$(grep -c '^DKIM-Signature: v=1; d=peer.example; s=' <<<"$output")" = 8 ]
	[ "$(tail -n 4 <<<"$output")" = "$(cat lf)" ]
	! grep -q $'\r' <<<"$output" || false
	echo "$output" >signed
	grep -q 'i=A@peer.example;a=rsa-sha256;c=simple/simple;' <(tr -d ' \n\t' <signed)
	run mox-dkim verify signed
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^status "pass", err <nil>$' <<<"$output")" = 8 ]
	sed -i s/hello/hallo/ signed
	run mox-dkim -json verify - <signed
	[ "$status" = 1 ]
	[ "$(json 'd["Signatures"][0]["Status"], d["Signatures"][0]["Why"], d["Signatures"][7]["Selector"]')" = \
	    "('fail', 'body was changed', 'ed-relaxed-relaxed')" ]
	printf 'From: a@other.example\n\n' >lf
	run mox-dkim sign lf
	[ "$status" = 1 ]
	[[ $output == *'domain other.example does not sign'* ]]
	printf 'From: a@unknown.example\n\n' >lf
	run mox-dkim sign lf
	[ "$status" = 1 ]
	[[ $output == *'domain unknown.example is not configured'* ]]
	printf 'To: x\n\n' >lf
	run mox-dkim sign lf
	[ "$status" = 1 ]
	[[ $output == *'no address in From'* ]]
}

@test "dkim, arc: dkimpy and OpenDKIM verify ours, we verify theirs" {
	/usr/bin/python3 -c 'import dkim, nacl, authres, ctypes
ctypes.CDLL("libopendkim.so.11")' 2>/dev/null || skip "no dkimpy, authres or OpenDKIM here: make deps"
	make_keys
	make_config
	run /usr/bin/python3 "$TOP/t/dkim-peers.py" .
	echo "$output"
	[ "$status" = 0 ]
	[[ ${lines[-1]} =~ ^'peers: '[0-9]{3}' right, 0 wrong'$ ]]
}

@test "mox-dkim verify: 50 MB in flat memory" {
	case $MOX_T in */asan/*) skip "ASan needs much address space" ;; esac
	make_keys
	make_config
	{
		printf 'From: a@peer.example\r\nSubject: x\r\n\r\n'
		yes $'some text  of a line \t and more\r' | head -c 50000000
	} >big
	mox-dkim sign big >signed
	[ "$(stat -c %s signed)" -gt 50000000 ]
	# shellcheck disable=SC2016
	run bash -c 'ulimit -v 65536 && exec mox-dkim verify signed'
	[ "$status" = 0 ]
	[ "$(grep -c '^status "pass"' <<<"$output")" = 8 ]
}

@test "mox-dmarc lookup, checkreportaddrs" {
	cat >>zone <<-'EOF'
	_dmarc.rep.example TXT "v=DMARC1; p=none; rua=mailto:a@rep.example,mailto:b@yes.example; ruf=mailto:c@no.example,https://x/"
	rep.example._report._dmarc.yes.example TXT "v=DMARC1"
	_dmarc.down.example FAIL
	EOF
	run mox-dmarc lookup mail.peer.example
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = 'dmarc record at peer.example: "v=DMARC1; p=reject" (without dnssec)' ]
	[ "${lines[1]}" = 'understood as: v=DMARC1;p=reject' ]
	run mox-dmarc lookup -treewalk a.b.peer.example
	[ "$status" = 0 ]
	run mox-dmarc lookup none.example
	[ "$status" = 1 ]
	[ "$output" = 'status: none (no record)' ]
	run mox-dmarc -json lookup down.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = temperror ]
	run mox-dmarc checkreportaddrs rep.example
	echo "$output"
	[ "$status" = 1 ]
	[ "${lines[1]}" = 'rua mailto:a@rep.example: pass (same organizational domain)' ]
	[ "${lines[2]}" = 'rua mailto:b@yes.example: pass (record at rep.example._report._dmarc.yes.example, without dnssec)' ]
	[ "${lines[3]}" = 'ruf mailto:c@no.example: fail (rep.example._report._dmarc.no.example: no record)' ]
	[[ ${lines[4]} == 'ruf https://x/: fail '* ]]
	run mox-dmarc -json checkreportaddrs rep.example
	[ "$(json '[a["Result"] for a in d["Addresses"]]')" = "['pass', 'pass', 'fail', 'fail']" ]
}

@test "mox-dmarc verify" {
	make_keys
	make_config
	echo 'peer.example TXT "v=spf1 ip4:192.0.2.1 -all"' >>zone
	printf 'From: a@peer.example\nSubject: x\n\nhello\n' >m
	run mox-dmarc verify 192.0.2.1 b@peer.example mail.peer.example <m
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'spf: pass, peer.example, aligned'*'dkim: not aligned'*'dmarc: pass, policy reject, accept' ]]
	run mox-dmarc verify 192.0.2.9 b@peer.example mail.peer.example <m
	[ "$status" = 1 ]
	[[ $output == *'dmarc: fail, policy reject, reject' ]]
	mox-dkim sign m >signed
	run mox-dmarc -json verify 192.0.2.9 '' mail.peer.example <signed
	[ "$status" = 0 ]
	[ "$(json 'd["Status"], d["SPFAligned"], d["DKIMAligned"], d["Reject"], len(d["DKIM"])')" = \
	    "('pass', False, True, False, 8)" ]
	run mox-dmarc verify 192.0.2.9 x@y.example z <<<$'From: a@b.example, c@d.example\n'
	[ "$status" = 1 ]
	[[ $output == *'not one address in From'* ]]
}

@test "mox-arc verify" {
	make_keys
	publish s ed.pem
	printf 'From: a@peer.example\r\n\r\nhello\r\n' >m
	run mox-arc verify m
	[ "$status" = 1 ]
	[ "$output" = $'status: none\nsets: 0' ]
	"$MOX_T/bin/arcseal" ed.pem peer.example s <m >sealed
	run mox-arc verify sealed
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'status: pass'*'1: sealed by peer.example, said mx.seal.example;'*'arc=none;'* ]]
	sed -i s/hello/hallo/ sealed
	run mox-arc -json verify sealed
	[ "$status" = 1 ]
	[ "$(json 'd["Status"], d["Problem"]')" = "('fail', 'message signature 1: body was changed')" ]
	sed -i s/hallo/hello/ sealed
	echo 's._domainkey.peer.example FAIL' >zone
	run mox-arc verify sealed
	[ "$status" = 111 ]
}

@test "mox-message parse" {
	printf '%s\n' 'From: Jürgen <j@x.example>' 'Subject: =?utf-8?q?sch=C3=B6n?=' \
	    'Date: Fri, 11 Jul 2003 21:00:37 +0000' 'Content-Type: multipart/mixed; boundary=b' \
	    '' '--b' '' 'text' '--b' 'Content-Type: image/png' \
	    'Content-Transfer-Encoding: base64' '' 'AAAA' '--b--' >m
	run mox-message parse m
	echo "$output"
	[ "$status" = 0 ]
	[ "$(json 'd["Envelope"]["Subject"], d["Envelope"]["Date"], d["MediaSubType"], [p["MediaType"] for p in d["Parts"]]')" = \
	    "('schön', '2003-07-11T21:00:37.000Z', 'mixed', ['text', 'image'])" ]
	[ "$(json 'd["Size"]')" = "$(sed 's/$/\r/' m | wc -c)" ]
	run mox-message parse -smtputf8 m
	[ "${lines[-1]}" = 'message needs smtputf8: true' ]
	sed -i s/ü/ue/ m
	run mox-message parse -smtputf8 m
	[ "${lines[-1]}" = 'message needs smtputf8: false' ]
	run mox-message parse none
	[ "$status" = 1 ]
	run mox-message
	[ "$status" = 2 ]
}
