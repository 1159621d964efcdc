#!/usr/bin/env bats
# mox-dane and mox-smtp against servers behind a signed DNS.

load helper
load dns
load mx

setup_file() {
	MX_PORT=25 mx_begin
	mx_dns
	mx_root other "Another CA"
	mx_cert good mail.signed.example
	mx_cert old mail.signed.example -1
	mx_cert taold taold.signed.example -1
	mx_cert else else.example
	mx_cert stray mail.signed.example 9 other
	hosts=
	for host in good old else ta taold taelse mismatch stray bad none next; do
		case $host in
		good | mismatch | bad | none | ta) cert=good ;;
		old | taold) cert=$host ;;
		stray) cert=stray ;;
		*) cert=else ;;
		esac
		mx_host $host.signed.example "cert=$MX/$cert.pem"
		hosts+="$host A $ADDRESS"$'\n'
	done
	for host in pkix pkixta pkixelse; do
		mx_cert $host ${host/else/}.signed.example
		mx_host $host.signed.example "cert=$MX/$host.pem" immediate
		hosts+="$host A $ADDRESS"$'\n'
	done
	mx_host tls.signed.example "cert=$MX/good.pem" immediate
	hosts+="tls A $ADDRESS"$'\n'
	mx_host plain.signed.example
	hosts+="plain A $ADDRESS"$'\n'
	{
		echo "$hosts"
		cat <<-ZONE
		_25._tcp.good TLSA $(tlsa 3 1 1 good)
		_25._tcp.tls TLSA $(tlsa 3 1 1 good)
		_25._tcp.plain TLSA $(tlsa 3 1 1 good)
		_25._tcp.old TLSA $(tlsa 3 0 1 old)
		_25._tcp.else TLSA $(tlsa 3 1 2 else)
		_25._tcp.ta TLSA $(tlsa 2 0 1 ca)
		_25._tcp.taold TLSA $(tlsa 2 1 1 ca)
		_25._tcp.taelse TLSA $(tlsa 2 0 0 ca)
		_25._tcp.mismatch TLSA $(tlsa 3 1 1 else)
		_25._tcp.mismatch TLSA $(tlsa 2 0 1 other)
		_25._tcp.pkix TLSA $(tlsa 1 1 1 pkix)
		_25._tcp.pkixelse TLSA $(tlsa 1 0 1 pkixelse)
		_25._tcp.pkixta TLSA $(tlsa 0 0 1 ca)
		_25._tcp.stray TLSA $(tlsa 2 0 1 ca)
		_25._tcp.bad TLSA 3 1 1 00ff
		_25._tcp.bad TLSA 3 1 9 $(tlsa 3 1 1 good | cut -d' ' -f4)
		_25._tcp.next TLSA $(tlsa 2 0 1 ca)
		_25._tcp.bogus CNAME tlsa.bogus.example.
		bogus A 127.0.0.1
		alias CNAME good
		mail CNAME ta
		toplain CNAME host.plain.example.
		_25._tcp.toplain TLSA $(tlsa 3 1 1 good)
		@ MX 20 good
		@ MX 10 mismatch
		one MX 10 ta
		unusable MX 10 pkix
		nodane MX 10 none
		null MX 0 .
		down MX 10 down.host
		down.host A $(own_ip)
		_25._tcp.down.host TLSA $(tlsa 3 1 1 good)
		else MX 10 next
		ZONE
	} | dns_zone signed.example
	dns_zone -plain plain.example <<-ZONE
	host A $(mx_address good.signed.example)
	_25._tcp.host TLSA $(tlsa 3 1 1 good)
	@ MX 10 good.signed.example.
	ZONE
	dns_zone -bogus bogus.example <<<"tlsa TLSA $(tlsa 3 1 1 good)"
	# The next hop is what that certificate is for (RFC 7672, 3.2.2).
	dns_zone else.example <<<"@ MX 10 next.signed.example."
	dns_start
	mx_start
}

teardown_file() { stop_background || :; }

dane() { cd "$BATS_TEST_TMPDIR" && run mox-dane "$@" <<<$'QUIT\r' && echo "$output"; }
smtp() { cd "$BATS_TEST_TMPDIR" && run mox-smtp "$@" <<<$'QUIT\r' && echo "$output"; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }

@test "dialmx: which hosts hold" {
	# host, exit status, what is said
	while IFS='|' read -r host want text; do
		dane dialmx signed.example "$host.signed.example"
		[ "$status" = "$want" ]
		[[ $output == *"$text"* ]]
	done <<-'EOF'
	good|0|verified by TLSA 3 1 1
	old|0|verified by TLSA 3 0 1
	else|0|verified by TLSA 3 1 2
	alias|0|verified by TLSA 3 1 1
	taold|1|certificate has expired
	taelse|1|ostname mismatch
	ta|1|ostname mismatch
	mail|0|verified by TLSA 2 0 1
	mismatch|1|no matching DANE TLSA records
	stray|1|no matching DANE TLSA records
	pkix|1|none of the 1 TLSA records of pkix.signed.example can be used
	bad|1|none of the 2 TLSA records of bad.signed.example can be used
	none|1|no TLSA records at _25._tcp.none.signed.example
	plain|1|STARTTLS is required and not offered
	nowhere|1|nowhere.signed.example has no address
	bogus|111|bogus answer for _25._tcp.bogus.signed.example
	toplain|0|verified by TLSA 3 1 1
	EOF
	dane dialmx signed.example host.plain.example
	[ "$status" = 1 ]
	[[ $output == *"not secured by DNSSEC"* ]]
}

@test "dialmx: the hosts of a domain, until one holds" {
	dane dialmx signed.example
	[ "$status" = 0 ]
	[[ ${lines[0]} == "mox-dane: mismatch.signed.example "*"no matching DANE"* ]]
	[[ ${lines[1]} == "mox-dane: connected to good.signed.example, "*" port 25, TLSv1.3 "* ]]
	dane dialmx else.example
	[ "$status" = 0 ]
	dane dialmx unusable.signed.example
	[ "$status" = 1 ]
	dane dialmx null.signed.example
	[ "$status" = 1 ]
	[[ $output == *"takes no mail"* ]]
	dane dialmx down.signed.example
	[ "$status" = 111 ]
	[[ $output == *"refused"* ]]
	dane dialmx plain.example
	[ "$status" = 1 ]
	[[ $output == *"the MX records of plain.example not secured by DNSSEC"* ]]
	dane dialmx bogus.example
	[ "$status" = 111 ]
}

@test "dialmx: a dialogue over it" {
	cd "$BATS_TEST_TMPDIR"
	printf 'MAIL FROM:<>\r\nRCPT TO:<a@signed.example>\r\nRSET\r\nQUIT\r\n' |
		mox-dane dialmx -ehlohostname me.example signed.example \
		good.signed.example >out
	[ "$(tr -d '\r' <out)" = "$(printf '250 2.1.0 ok\n250 2.1.5 ok\n250 2.0.0 ok\n221 2.0.0 bye')" ]
	mx_log good.signed.example | grep -q 'C: EHLO me.example'
	mx_log good.signed.example | grep -q 'tls TLSv1.3 good.signed.example'
}

@test "dialmx -json" {
	dane dialmx -json signed.example
	[ "$status" = 0 ]
	[ "$(json 'd["Domain"], [h["Verified"] for h in d["Hosts"]]')" = "('signed.example', [False, True])" ]
	[ "$(json 'd["Hosts"][0]["Failure"], d["Hosts"][1]["Match"][:6]')" = "('tlsa-invalid', '3 1 1 ')" ]
	[ "$(json 'd["Hosts"][1]["Records"][0]["Usage"]')" = dane-ee ]
	dane dialmx -json signed.example pkix.signed.example
	[ "$status" = 1 ]
	[ "$(json 'd["Hosts"][0]["DANE"], d["Hosts"][0]["Records"][0]["Usable"]')" = "('unusable', False)" ]
}

@test "dial: TLS at once, usages" {
	cd "$BATS_TEST_TMPDIR"
	printf 'QUIT\r\n' | mox-dane dial tls.signed.example:25 >out
	[ "$(tr -d '\r' <out)" = $'220 tls.signed.example ESMTP\n221 2.0.0 bye' ]
	dane dial -usages dane-ta,PKIX-EE tls.signed.example:25
	[ "$status" = 1 ]
	[[ $output == *"none of the 1 TLSA records"* ]]
	dane dial -usages 3 -json tls.signed.example:25
	[ "$status" = 0 ]
	[ "$(json 'd["Verified"], d["TLSVersion"], d["Port"]')" = "(True, 'TLSv1.3', 25)" ]
	dane dial tls.signed.example:26
	[ "$status" = 1 ]
	[[ $output == *"no TLSA records at _26._tcp.tls.signed.example"* ]]
	for wrong in tls.signed.example tls.signed.example:0 tls:99999 127.0.0.1:25 "[::1]:25"; do
		dane dial "$wrong"
		[ "$status" = 2 ]
	done
	dane dial -usages foo tls.signed.example:25
	[ "$status" = 2 ]
}

@test "the end of input is told to a server that says nothing" {
	run timeout 30 bash -c 'exec mox-dane dial tls.signed.example:25 </dev/null'
	[ "$status" = 0 ]
	[[ $output == *"220 tls.signed.example ESMTP"* ]]
}

@test "dial: PKIX usages want a trusted certificate, too" {
	for host in pkix pkixta pkixelse; do
		dane dial $host.signed.example:25
		[ "$status" = 1 ]
		[[ $output == *"self-signed certificate in certificate chain"* ]]
	done
	export SSL_CERT_FILE=$MX/ca.pem
	for host in pkix pkixta; do
		dane dial $host.signed.example:25
		[ "$status" = 0 ]
	done
	dane dial pkixelse.signed.example:25
	[ "$status" = 1 ]
	[[ $output == *"ostname mismatch"* ]]
}

@test "makerecord: as openssl has it" {
	digest() { openssl dgst -"$1" -r | cut -d' ' -f1; }
	spki() { openssl x509 -in "$MX/good.crt" -noout -pubkey | openssl pkey -pubin -outform DER; }
	cert() { openssl x509 -in "$MX/good.crt" -outform DER; }
	dane makerecord dane-ee spki sha2-256 "$MX/good.crt"
	[ "$output" = "3 1 1 $(spki | digest sha256)" ]
	dane makerecord 2 0 2 "$MX/good.crt"
	[ "$output" = "2 0 2 $(cert | digest sha512)" ]
	dane makerecord pkix-ta CERT full "$MX/good.crt"
	[ "$output" = "0 0 0 $(cert | od -An -v -tx1 | tr -d ' \n')" ]
	[ "$(mox-dane makerecord 3 1 1 <"$MX/good.key")" = "3 1 1 $(spki | digest sha256)" ]
	dane makerecord -json 3 1 1 "$MX/good.crt"
	[ "$(json 'd["Record"][:6]')" = "3 1 1 " ]
	dane makerecord 3 0 1 "$MX/good.key"
	[ "$status" = 1 ]
	[[ $output == *"good.key: a key, but selector cert (0) needs a certificate"* ]]
	dane makerecord 3 1 1 /nonexistent
	[ "$status" = 1 ]
	for wrong in "4 1 1" "3 2 1" "3 1 3" "3 1" "dane spki full"; do
		dane makerecord $wrong
		[ "$status" = 2 ]
	done
}

@test "mox-smtp dial: TLS or not, verified or not" {
	good=$(mx_address good.signed.example) plain=$(mx_address plain.signed.example)
	smtp dial "$good"
	[ "$status" = 0 ]
	[[ $output == *"connected to $good, $good port 25, TLSv1.3 "* ]]
	smtp dial -notls "$good:25"
	[[ $output == *"without TLS"* ]]
	smtp dial "$plain"
	[[ $output == *"without TLS"* ]]
	smtp dial -forcetls "$plain"
	[ "$status" = 1 ]
	[[ $output == *"STARTTLS: 500 5.5.1"* ]]
	smtp dial -tlsverify "$plain"
	[ "$status" = 1 ]
	smtp dial -tlsverify -remotehostname mail.signed.example "$good"
	[ "$status" = 1 ]
	smtp dial -tlsverify -tlscerts "$MX/ca.pem" -remotehostname mail.signed.example "$good"
	[ "$status" = 0 ]
	[[ $output == *", verified"* ]]
	smtp dial -tlsverify -tlscerts "$MX/ca.pem" "$good"
	[ "$status" = 1 ]
	[[ $output == *"mismatch"* ]]
	mx_log good.signed.example | grep -q 'tls TLSv1.3 mail.signed.example'
	smtp dial -json -tlscerts "$MX/ca.pem" -remotehostname mail.signed.example "$good"
	[ "$status" = 0 ]
	[ "$(json 'd["Verified"], d["Greeting"], "SIZE" in d["Extensions"], d["MaxSize"]')" = "(True, 'good.signed.example', True, 1000000)" ]
	smtp dial -json "$plain"
	[ "$(json 'd["Verified"], d["STARTTLSOffered"]')" = "(False, False)" ]
	smtp dial "$plain:1"
	[ "$status" = 111 ]
}

@test "mox-smtp dial: STARTTLS that is not told" {
	mx_fault else.signed.example "cert=$MX/else.pem" nostarttls
	else=$(mx_address else.signed.example)
	smtp dial "$else"
	[[ $output == *"without TLS"* ]]
	smtp dial -forcetls "$else"
	[ "$status" = 0 ]
	[[ $output == *TLSv1.3* ]]
}

@test "mox-smtp dial: what TLS is to be like" {
	good=$(mx_address good.signed.example)
	smtp dial -tlsversionmax tls1.2 "$good"
	[[ $output == *" TLSv1.2 "* ]]
	smtp dial -tlsversionmax tls1.2 -tlsciphersuites TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "$good"
	[[ $output == *" TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"* ]]
	smtp dial -tlsciphersuites "TLS_CHACHA20_POLY1305_SHA256, ECDHE-ECDSA-AES256-GCM-SHA384" "$good"
	[[ $output == *" TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"* ]]
	smtp dial -tlscurves CurveP384 -tlsnosessiontickets -tlsnodynamicrecordsizing -tlsrenegotiation never "$good"
	[ "$status" = 0 ]
	smtp dial -tlsrenegotiation always -tlscurves X25519,CurveP256 "$good"
	[ "$status" = 0 ]
	# What cannot be done is refused.
	for wrong in "-tlsversionmin ssl3" "-tlsversionmin tls1.3 -tlsversionmax tls1.2" \
	    "-tlsversionmax tls1.1" "-tlsciphersuites TLS_NO_SUCH" \
	    "-tlsciphersuites ECDHE-ECDSA-AES128-GCM-SHA256,NO-SUCH" \
	    "-tlsciphersuites TLS_RSA_WITH_NOTHING" "-tlscurves CurveP257" \
	    "-tlscurves P-256,nosuch" "-tlsrenegotiation once" \
	    "-tlsrenegotiation sometimes" "-notls -tlsverify" "-notls -tlscurves P-256"; do
		smtp dial $wrong "$good"
		[ "$status" = 2 ]
	done
	smtp dial -tlscerts /nonexistent "$good"
	[ "$status" = 1 ]
	for wrong in "" "a b" "[::1" host: host:0 host:70000 "[::1]25"; do
		smtp dial $wrong
		[ "$status" = 2 ]
	done
}

@test "mox-smtp dial: a dialogue; its transcript" {
	cd "$BATS_TEST_TMPDIR"
	good=$(mx_address good.signed.example)
	printf 'NOOP\r\nQUIT\r\n' | mox -loglevel trace smtp dial -ehlohostname me.example "$good" >out 2>err
	[ "$(tr -d '\r' <out)" = $'250 2.0.0 ok\n221 2.0.0 bye' ]
	grep -q 'm="> EHLO me.example"' err
}
