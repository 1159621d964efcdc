#!/usr/bin/env bats
# mox-tlsrpt: records, reports of others, what was collected.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	cat >zone <<-'EOF'
	_smtp._tls.a.example TXT "v=TLSRPTv1; rua=mailto:r@a.example,https://a.example/r"
	_smtp._tls.bad.example TXT "v=TLSRPTv1; rua=r"
	_smtp._tls.down.example FAIL
	EOF
	export MOX_DNS_ZONE=$PWD/zone
}

json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }

@test "lookup" {
	run mox-tlsrpt lookup a.example
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = 'record at _smtp._tls.a.example: "v=TLSRPTv1; rua=mailto:r@a.example,https://a.example/r"
reports go to: mailto:r@a.example
reports go to: https://a.example/r' ]
	run mox-tlsrpt lookup -json a.example
	[ "$(json 'd["Addresses"]')" = "['mailto:r@a.example', 'https://a.example/r']" ]
	run mox-tlsrpt lookup none.example
	[ "$status" = 1 ]
	[ "$output" = 'mox-tlsrpt: none.example: no TLSRPT record' ]
	run mox-tlsrpt lookup -json bad.example
	[ "$status" = 1 ]
	[ "$(json 'd["Record"], d["Error"]')" = \
		"('v=TLSRPTv1; rua=r', 'tlsrpt record: no address at \"r\"')" ]
	run mox-tlsrpt lookup down.example
	[ "$status" = 111 ]
	run mox-tlsrpt lookup
	[ "$status" = 2 ]
}

# A message with the report on stdin, as Python's library makes it.
make_message() {
	python3 -c '
import email.message, gzip, sys
m = email.message.EmailMessage()
m["Subject"] = "Report Domain: a.example Submitter: x Report-ID: <1>"
m.set_content("A report.")
m.add_attachment(gzip.compress(sys.stdin.buffer.read()),
    maintype="application", subtype="tlsrpt+gzip", filename="a.json.gz")
m.replace_header("Content-Type", "multipart/report; report-type=tlsrpt")
sys.stdout.buffer.write(m.as_bytes())'
}

@test "parsereportmsg" {
	echo '{"organization-name": "X", "report-id": "1", "policies": [
		{"policy": {"policy-type": "sts", "policy-domain": "a.example"},
		 "summary": {"total-successful-session-count": 5}}]}' |
		make_message >message
	run mox-tlsrpt parsereportmsg message
	echo "$output"
	[ "$status" = 0 ]
	[ "$(json 'd["organization-name"], d["policies"][0]["policy"]["policy-type"]')" = "('X', 'sts')" ]
	[ "$(json 'd["policies"][0]["summary"]["total-successful-session-count"]')" = 5 ]
	sed 's/$/\r/' message >wire
	run mox-tlsrpt -json parsereportmsg message wire - <message
	[ "$status" = 0 ]
	[ "$(json '[r["report-id"] for r in d["Reports"]]')" = "['1', '1', '1']" ]
	echo '[]' | make_message >wrong
	run mox-tlsrpt parsereportmsg wrong message
	[ "$status" = 1 ]
	[[ $output == *'mox-tlsrpt: wrong: TLS report: the whole is no object'* ]]
	[[ $output == *'"report-id": "1"'* ]]
	run mox-tlsrpt parsereportmsg missing
	[ "$status" = 1 ]
	[[ $output == *'missing: no such file' ]]
	head -c 30000000 /dev/zero | make_message >bomb
	run mox-tlsrpt parsereportmsg bomb
	[ "$status" = 1 ]
	[[ $output == *'bomb: TLS report: gzip: more than 10485760 bytes' ]]
}

@test "results" {
	mkdir -p config data
	cat >config/mox.conf <<EOF
DataDir: ../data
User: $(id -un)
LogLevel: info
Hostname: mail.example.org
Postmaster:
	Account: x
	Mailbox: Postmaster
Listeners:
	local:
		IPs:
			- 127.0.0.1
EOF
	run mox-tlsrpt results
	[ "$status" = 0 ]
	[ -z "$output" ]
	mkdir -p data/tlsresults/20261130 "data/tlsresults/$(date -u +%Y%m%d)"
	cat >data/tlsresults/20261130/a.example <<-'EOF'
	n=5 type=sts rcpt-domain=a.example policy="version: STSv1" mx=*.a.example mx-host=mx.a.example
	n=2 type=sts rcpt-domain=a.example policy="version: STSv1" mx=*.a.example failure=certificate-expired reason="since May" mx-host=mx.a.example receiving-ip=192.0.2.1
	EOF
	run mox-tlsrpt results 20261130
	[ "$output" = $'a.example: sts, 5 sessions succeeded, 2 failed
\t2 certificate-expired, mx.a.example [192.0.2.1]: since May' ]
	run mox-tlsrpt results -json 20261130
	[ "$(json 'd["Results"][0]["RecipientDomains"], d["Results"][0]["Policies"][0]["summary"]')" = \
		"(['a.example'], {'total-successful-session-count': 5, 'total-failure-session-count': 2})" ]
	run mox-tlsrpt results
	[ "$status" = 0 ]
	run mox-tlsrpt results ../x
	[ "$status" = 2 ]
}
