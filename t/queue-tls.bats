#!/usr/bin/env bats
# TLS policies on signed zones: DANE, MTA-STS, REQUIRETLS, and who tries to get
# around them. One domain a row of the table, all delivered to at once.

load helper
load dns
load mx

# NAME|CERT FAULTS|TLSA of its host, by commas|MTA-STS|REQUIRETLS|OUTCOME|TEXT|
# RESULT: how its line for TLS reports ends, - none.
# The domain is NAME.signed.example, its host mx.NAME.signed.example. OUTCOME
# tls and clear are deliveries.
table() {
	cat <<'EOF2'
none|-|||-|clear||type=no-policy-found .*failure=starttls-not-supported
opportunistic|good|||-|tls||type=no-policy-found
wrongcert|old|||-|tls||type=no-policy-found
ee|self|3 1 1 self||-|tls||type=tlsa .*host=1
eecert|self|3 0 2 self||-|tls||type=tlsa
eeold|old|3 1 1 old||-|tls||type=tlsa
eetwo|self|3 1 1 good,3 1 1 self||-|tls||type=tlsa
ta|HOST|2 0 1 ca||-|tls||type=tlsa
takey|HOST|2 1 0 ca||-|tls||type=tlsa
tanext|DOMAIN|2 1 1 ca||-|tls||type=tlsa
taold|HOST -1|2 0 1 ca||-|delayed|certificate has expired|failure=certificate-expired
taname|good|2 0 1 ca||-|delayed|hostname mismatch|failure=certificate-host-mismatch
taother|HOST|2 0 1 other||-|delayed|no matching DANE TLSA|failure=tlsa-invalid
mismatch|self|3 1 1 good||-|delayed|no matching DANE TLSA|failure=tlsa-invalid
unusable|self|1 1 1 good||-|tls||failure=tlsa-invalid
unusable2|self|short,unknown||-|tls||failure=tlsa-invalid
unusableclear|-|1 1 1 good||-|delayed|STARTTLS is required|failure=tlsa-invalid
bogus|self|bogus||-|delayed|bogus answer|failure=dnssec-invalid
silent|self|broken||-|delayed|TLSA records|failure=validation-failure
stripped|self nostarttls|3 1 1 self||-|delayed|STARTTLS is required|failure=starttls-not-supported
refused|self starttls=454|3 1 1 self||-|delayed|454|failure=starttls-not-supported
helo|self ehlo=500|3 1 1 self||-|delayed|STARTTLS is required|failure=starttls-not-supported
injected|self injected|3 1 1 self||-|delayed|TLS|failure=validation-failure
garbage|self handshake=garbage|3 1 1 self||-|delayed|TLS|failure=validation-failure
cut|self handshake=drop|3 1 1 self||-|delayed|TLS|failure=validation-failure
sts|HOST||enforce|-|tls||type=sts .*mx=
stsself|self||enforce|-|delayed|self-signed|failure=certificate-not-trusted
stsold|HOST -1||enforce|-|delayed|expired|failure=certificate-expired
stsname|good||enforce|-|delayed|mismatch|failure=certificate-host-mismatch
stsstripped|HOST nostarttls||enforce|-|delayed|STARTTLS is required|failure=starttls-not-supported
stsmx|HOST||enforce:mx.example.org|-|delayed|does not name this host|failure=validation-failure reason=mx-mismatch
stswild|HOST||enforce:*.stswild.signed.example|-|tls||type=sts
ststest|self||testing|-|tls||failure=certificate-not-trusted
ststestclear|-||testing|-|clear||failure=starttls-not-supported
ststestmx|HOST||testing:mx.example.org|-|tls||failure=validation-failure reason=mx-mismatch
stsnone|self||none|-|tls||type=no-policy-found
stsstale|self||stale enforce|-|delayed|self-signed|failure=sts-policy-fetch-error
stsended|self||ended enforce|-|tls||failure=sts-policy-fetch-error
stsgone|self||gone enforce|-|delayed|self-signed|failure=certificate-not-trusted
stsfetch|HOST||fetch enforce|-|tls||type=sts .*mx=
stsfetchself|self||fetch enforce|-|delayed|self-signed|failure=certificate-not-trusted
stsfetchbad|self||fetchbad enforce|-|tls||failure=sts-webpki-invalid
stsnofetch|self||nofetch enforce|-|tls||failure=sts-policy-fetch-error
stsbogus|self||bogus|-|delayed|MTA-STS policy|-
stsinvalid|self||invalid|-|tls||failure=sts-policy-invalid
both|self|3 1 1 self|enforce|-|tls||type=tlsa
bothbad|HOST|3 1 1 self|enforce|-|delayed|no matching DANE TLSA|failure=tlsa-invalid
requires|self ext=REQUIRETLS|3 1 1 self||yes|tls||type=tlsa
requiressts|HOST ext=REQUIRETLS||enforce|yes|tls||type=sts
requiresnot|self|3 1 1 self||yes|failed|5.7.30|type=tlsa
requiresnone|good ext=REQUIRETLS|||yes|failed|5.7.30|-
requirestest|HOST ext=REQUIRETLS||testing|yes|failed|5.7.30|-
requiresunusable|self ext=REQUIRETLS|1 1 1 self||yes|failed|5.7.30|failure=tlsa-invalid
requiresbad|self ext=REQUIRETLS|3 1 1 good||yes|delayed|no matching DANE TLSA|failure=tlsa-invalid
never|self|3 1 1 good||no|tls||-
neverclear|self nostarttls|3 1 1 self||no|clear||-
neversts|self||enforce|no|tls||-
EOF2
}

# Domains that lead to hosts of the table in other ways.
others() {
	mx_host lured.signed.example "cert=$MX/self.pem"
	echo "lured A $ADDRESS"
	mx_cert leaver leaver.signed.example
	mx_host leaver.signed.example "cert=$MX/leaver.pem"
	cat <<-EOF2
	_25._tcp.lured TLSA $(tlsa 3 1 1 good)
	alias CNAME ee
	cnamehost MX 10 cname
	cname CNAME mx.ee
	leaves MX 10 leaver
	leaver CNAME host.plain.example.
	_25._tcp.leaver TLSA $(tlsa 2 0 1 ca)
	second MX 10 mx.mismatch
	second MX 20 mx.eecert
	implicit A $(mx_address mx.eeold.signed.example)
	_25._tcp.implicit TLSA $(tlsa 3 1 1 old)
	EOF2
	dns_zone -plain plain.example <<-EOF2
	@ MX 10 lured.signed.example.
	host A $ADDRESS
	EOF2
}
OTHERS="alias.signed.example cnamehost.signed.example leaves.signed.example
	second.signed.example implicit.signed.example plain.example"

setup_file() {
	mx_begin
	mx_dns
	mx_root other "Another CA"
	mx_root self self.example
	mx_cert good good.example
	mx_cert old old.example -1
	cat "$MX/self.key" >>"$MX/self.pem"
	mkdir "$MX/web"
	cp "$MX/good.pem" "$MX/web/default.pem"
	STS=$(own_ip) && export STS
	mx_host_dir
	printf 'TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- %s\n' "$MX/ca.pem" >>"$DIR/mox.conf"
	{
		make_hosts
		others
	} | dns_zone signed.example
	dns_zone -bogus bogus.example <<<"tlsa TLSA $(tlsa 3 1 1 self)"
	dns_zone -broken broken.example </dev/null
	dns_start
	mx_start
	export MOX_MTASTS_PORT=8443
	background python3 "$TOP/t/policyhost.py" "$STS" 8443 "$MX/web" 2>"$MX/web.log"
	eventually port_open "$STS" 8443
	mx_queue
	while IFS='|' read -r name _ _ _ require _; do
		[ "$require" = - ] && MX_SEND= || MX_SEND="-tls $require"
		mx_send "a@$name.signed.example"
	done < <(table)
	MX_SEND=
	for name in $OTHERS; do mx_send "a@$name"; done
	mx_await "$(table | grep -c '|failed|')"
}

teardown_file() { stop_background || :; }

# Servers, certificates and policies of the table; their records on stdout.
make_hosts() {
	local name faults tlsa sts host cert
	while IFS='|' read -r name faults tlsa sts _; do
		host=mx.$name.signed.example
		set -- $faults
		cert=$1
		shift
		case $cert in
		HOST | DOMAIN)
			[ "$cert" = HOST ] && cert=$host || cert=$name.signed.example
			mx_cert "$name" "$cert" $([ "${1:-}" != -1 ] || echo -1)
			[ "${1:-}" != -1 ] || shift
			cert=$name ;;
		esac
		[ "$cert" = - ] || set -- "cert=$MX/$cert.pem" "$@"
		mx_host "$host" "$@"
		printf '%s MX 10 %s.\nmx.%s A %s\n' "$name" "$host" "$name" "$ADDRESS"
		tlsa_records "$name" "$tlsa"
		mx_policy "$name" $sts
	done < <(table)
}

tlsa_records() {
	local value
	tr , '\n' <<<"$2" | while read -r value; do
		case $value in
		'') ;;
		bogus | broken) printf '_25._tcp.mx.%s CNAME tlsa.%s.example.\n' "$1" "$value" ;;
		short) printf '_25._tcp.mx.%s TLSA 3 1 1 00ff\n' "$1" ;;
		unknown) printf '_25._tcp.mx.%s TLSA 3 1 9 00ff\n' "$1" ;;
		*) printf '_25._tcp.mx.%s TLSA %s\n' "$1" "$(tlsa $value)" ;;
		esac
	done
}

# mx_policy NAME [stale|ended|gone] MODE[:MX]: record and cache.
mx_policy() {
	local domain=$1.signed.example id=1 fetched=now state=${2:-}
	case $state in
	'') return ;;
	bogus) printf '_mta-sts.%s CNAME sts.bogus.example.\n' "$1"; return ;;
	invalid) printf '_mta-sts.%s TXT "v=STSv1; id=no-id-at-all!"\n' "$1"; return ;;
	stale | gone) id=2 fetched='2 days ago' ;;
	*fetch*) mx_policy_host "$@" ;;
	ended) fetched='30 days ago' ;;
	esac
	local mode=${3:-$2} mx
	[ "${mode#*:}" != "$mode" ] && mx=${mode#*:} || mx=mx.$domain
	[ "$state" = gone ] || printf '_mta-sts.%s TXT "v=STSv1; id=1"\n' "$1"
	mkdir -p "$DIR/data/mtasts"
	{
		printf 'mox-mtasts 1\nid %s\nfetched %s\n\n' $id \
			"$(date -u -d "$fetched" +%Y-%m-%dT%H:%M:%SZ)"
		printf 'version: STSv1\nmode: %s\nmx: %s\nmax_age: 864000\n' "${mode%%:*}" "$mx"
	} >"$DIR/data/mtasts/$domain"
	case $state in *fetch*)
		sed '1,/^$/d' "$DIR/data/mtasts/$domain" >"$MX/web/mta-sts.$domain"
		rm "$DIR/data/mtasts/$domain" ;;
	esac
}

# The host of a policy: fetch, fetchbad (its certificate is for another name),
# nofetch (there is none).
mx_policy_host() {
	[ "$2" != nofetch ] || return 0
	echo "mta-sts.$1 A $STS"
	[ "$2" != fetch ] || {
		mx_cert "web-$1" "mta-sts.$1.signed.example"
		cp "$MX/web-$1.pem" "$MX/web/mta-sts.$1.signed.example.pem"
	}
}

# Of a domain and its host.
results() { cat "$DIR"/data/tlsresults/*/{,mx.}"$1" 2>/dev/null || :; }

check() {
	local name=$1 domain=$1.signed.example host=mx.$1.signed.example file
	case $2 in
	tls | clear)
		[ -z "$(mx_item "a@$domain")" ] && [ -e "$MX/$host.1" ] || return 1
		# The connection that the message went by.
		[ "$(mx_log "$host" | grep -e '^tls T' -e '^connect' | tail -n 1 | cut -d' ' -f1 |
			sed 's/connect/clear/')" = "$2" ] ;;
	delayed)
		file=$(mx_item "a@$domain")
		[ -n "$file" ] && [ ! -e "$MX/$host.1" ] && grep '^delayed ' "$file" | grep -qF -- "$3" &&
			! mx_log "$host" | grep -q '^C: MAIL' || false ;;
	failed)
		file=$(mx_dsn "a@$domain")
		[ -n "$file" ] && [ ! -e "$MX/$host.1" ] && grep -qF "Status: $3" "$file" ;;
	esac
}

check_all() {
	local bad=0 name outcome text file
	while IFS='|' read -r name _ _ _ require outcome text _; do
		[[ $name =~ ^($1)$ ]] || continue
		check "$name" "$outcome" "$text" || {
			bad=1
			echo "$name: not $outcome $text"
			mx_log "mx.$name.signed.example"
			grep -h '^delayed\|^failed' "$(mx_item "a@$name.signed.example")"
			grep "$name" "$BATS_FILE_TMPDIR/queued.log" | grep -v trace | tail -n 3
		}
	done < <(table)
	return $bad
}

@test "without a policy: TLS where it is offered, whoever it is" {
	check_all 'none|opportunistic|wrongcert'
}

@test "DANE: who fits" { check_all 'ee.*|ta|takey|tanext'; }

@test "DANE: who does not fit gets nothing" { check_all 'ta(old|name|other)|mismatch'; }

@test "DANE: records that cannot be used, or not be had" {
	check_all 'unusable.*|bogus|silent'
}

@test "DANE: STARTTLS taken away, or tampered with" {
	check_all 'stripped|refused|helo|injected|garbage|cut'
}

@test "MTA-STS: enforced, tested, none" { check_all 'sts|sts(self|old|name|stripped|mx|wild|test.*|none)'; }

@test "MTA-STS: policies that are old, or not to be had" {
	check_all 'sts(stale|ended|gone|.*fetch.*|bogus|invalid)'
}

@test "DANE goes before MTA-STS" { check_all 'both.*'; }

@test "REQUIRETLS" {
	check_all 'requires.*'
	mx_log mx.requires.signed.example | grep -q '^C: MAIL FROM:<mox@localhost>.* REQUIRETLS'
	! mx_log mx.ee.signed.example | grep -q REQUIRETLS
}

@test "TLS-Required: No goes before every policy" { check_all 'never.*'; }

@test "DANE: aliases of domains and hosts, the second host, no MX records" {
	mx_came_to a@alias.signed.example mx.ee.signed.example
	mx_came_to a@cnamehost.signed.example mx.ee.signed.example
	mx_came_to a@second.signed.example mx.eecert.signed.example
	mx_came_to a@implicit.signed.example mx.eeold.signed.example
	results mismatch.signed.example |
		grep -q 'rcpt-domain=second.signed.example.*failure=tlsa-invalid'
	results implicit.signed.example | grep -q 'type=tlsa rcpt-domain=implicit'
}

@test "DANE: an alias of a host that leaves for an insecure zone" {
	mx_came_to a@leaves.signed.example leaver.signed.example
	results leaver.signed.example | grep -q 'type=tlsa rcpt-domain=leaves.signed.example'
}

@test "no DANE where the MX records could be forged" {
	mx_came_to a@plain.example lured.signed.example
	mx_log lured.signed.example | grep -q '^tls TLSv1.3 lured'
}

@test "the server name asked for is the host's" {
	mx_log mx.ee.signed.example | grep -q '^tls TLSv1.3 mx.ee.signed.example'
	mx_log mx.sts.signed.example | grep -q '^tls TLSv1.3 mx.sts.signed.example'
}

@test "what came of it is noted for reports" {
	local bad=0 name want got
	while IFS='|' read -r name _ _ _ _ _ _ want; do
		got=$(results "$name.signed.example")
		case $want in
		-) [ -z "$got" ] ;;
		# No failure is noted of what went well.
		*failure*) [[ $got =~ ${want/ .*/.*} ]] ;;
		*) [[ $got =~ ${want/ .*/.*} ]] && [[ $got != *failure* ]] ;;
		esac || { bad=1; echo "$name: not $want: $got"; }
	done < <(table)
	return $bad
}
