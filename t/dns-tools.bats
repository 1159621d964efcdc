#!/usr/bin/env bats
# mox-spf and mox-dnsbl over a zone file.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	cat >zone <<-'EOF'
	example.org TXT "v=spf1 ip4:192.0.2.0/24 -all exp=why.example.org"
	why.example.org TXT "%{i} is not ours, %{s}"
	down.example.org FAIL
	wrong.example.org TXT "v=spf1 ip4:x"
	two.example.org TXT "v=spf1"
	two.example.org TXT "v=spf1 -all"
	xn--bcher-kva.example TXT "v=spf1 +MX:a.b ~all"
	xn--bcher-kva.example SECURE
	2.0.0.127.bl.example A 127.0.0.2
	9.2.0.192.bl.example A 127.0.0.3
	9.2.0.192.bl.example TXT "dynamic"
	2.0.0.127.all.example A 127.0.0.2
	1.0.0.127.all.example A 127.0.0.2
	EOF
	export MOX_DNS_ZONE=zone
}

json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }

@test "mox-spf check" {
	run mox-spf check joe@example.org 192.0.2.1
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = 'status: pass' ]
	[ "${lines[1]}" = 'mechanism: ip4:192.0.2.0/24' ]
	[[ $output == *'Received-SPF: pass ('*'envelope-from="joe@example.org"'* ]]
	run mox-spf check example.org 198.51.100.1
	[ "$status" = 1 ]
	[[ $output == *'explanation: 198.51.100.1 is not ours, postmaster@example.org'* ]]
	run mox-spf -json check -helo x.y joe@example.org 198.51.100.1
	[ "$status" = 1 ]
	[ "$(json 'd["Status"], d["Mechanism"], d["DNSSEC"]')" = "('fail', '-all', False)" ]
	[[ $(json 'd["ReceivedSPF"]') == *helo=x.y* ]]
	run mox-spf check down.example.org 192.0.2.1
	[ "$status" = 111 ]
	[[ $output == *'status: temperror'*'problem: dns: no answer for down.example.org'* ]]
	run mox-spf check wrong.example.org 192.0.2.1
	[ "$status" = 1 ]
	[[ $output == *'status: permerror'*'"ip4:x" is no valid term'* ]]
}

@test "mox-spf lookup" {
	run mox-spf lookup bücher.example
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = $'v=spf1 +MX:a.b ~all\n(with dnssec)\nunderstood as: v=spf1 mx:a.b ~all' ]
	run mox-spf lookup none.example
	[ "$status" = 1 ]
	[[ $output == *'none.example has no SPF record'* ]]
	run mox-spf lookup down.example.org
	[ "$status" = 111 ]
	run mox-spf lookup -json two.example.org
	[ "$status" = 1 ]
	[[ $(json 'd["Error"]') == *'more than one SPF record'* ]]
	run mox-spf lookup -json wrong.example.org
	[ "$status" = 1 ]
	[ "$(json 'd["Record"]')" = 'v=spf1 ip4:x' ]
}

@test "mox-spf parse" {
	run mox-spf parse 'v=spf1 mx -all'
	[ "$status" = 0 ]
	[ -z "$output" ]
	run mox-spf parse 'v=spf1 mxx'
	[ "$status" = 1 ]
	[ "$output" = 'mox-spf: spf: "mxx" is no valid term' ]
	run mox-spf parse
	[ "$status" = 2 ]
	run mox-spf check example.org nonsense
	[ "$status" = 2 ]
}

@test "mox-dnsbl" {
	run mox-dnsbl check bl.example 192.0.2.9
	[ "$status" = 1 ]
	[ "$output" = 'listed: 127.0.0.3: dynamic' ]
	run mox-dnsbl check bl.example 192.0.2.8
	[ "$status" = 0 ]
	[ "$output" = 'not listed' ]
	run mox-dnsbl -json check bl.example 192.0.2.9
	[ "$(json 'd["Listed"], d["Code"], d["Why"]')" = "(True, '127.0.0.3', 'dynamic')" ]
	run mox-dnsbl checkhealth bl.example
	[ "$status" = 0 ]
	[ "$output" = healthy ]
	run mox-dnsbl checkhealth all.example
	[ "$status" = 1 ]
	[[ $output == *'lists 127.0.0.1'* ]]
	run mox-dnsbl -json checkhealth none.example
	[ "$status" = 1 ]
	[ "$(json 'd["Healthy"]')" = False ]
}
