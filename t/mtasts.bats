#!/usr/bin/env bats
# mox-mtasts: policies over HTTPS from a web server with certificates of a CA of
# our own (policyhost.py), and the cache of them.

load helper
load dns

setup_file() {
	export CERTS=$BATS_FILE_TMPDIR
	cd "$CERTS"
	for ca in ca other-ca; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -keyout $ca.key -out $ca.crt -days 2 -subj /CN=$ca
	done 2>/dev/null
	certificate good 1 ca mta-sts.a.example mta-sts.b.example \
		mta-sts.c.example mta-sts.d.example
	certificate expired -1 ca mta-sts.a.example
	certificate other-name 1 ca mta-sts.other.example a.example
	certificate foreign 1 other-ca mta-sts.a.example
	certificate any 1 ca '*.a.example'
	certificate part 1 ca 'mta-st*.a.example'
	certificate common-name 1 ca
}

# NAME DAYS CA HOST...: NAME.pem, for hosts; without any with a CN only.
certificate() {
	local name=$1 days=$2 ca=$3 names
	shift 3
	names=$(printf ',DNS:%s' "$@")
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$name.key" -out "$name.csr" -subj /CN=mta-sts.a.example \
		${1:+-addext "subjectAltName=${names#,}"}
	openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" \
		-days "$days" -copy_extensions copy -out "$name.crt"
	cat "$name.crt" "$name.key" >"$name.pem"
} 2>/dev/null

# The last line end may be missing.
POLICY='version: STSv1
mode: enforce
mx: mx.a.example
mx: *.b.example
max_age: 604800'

setup() {
	cd "$BATS_TEST_TMPDIR"
	need openssl python3
	IP=$(own_ip) PORT=8443
	export MOX_MTASTS_PORT=$PORT MOX_DNS_ZONE=$PWD/zone
	mkdir web data config
	cp "$CERTS/good.pem" web/default.pem
	for d in a b c d; do
		echo "_mta-sts.$d.example TXT \"v=STSv1; id=1\""
		echo "mta-sts.$d.example A $IP"
		printf %s "$POLICY" >web/mta-sts.$d.example
	done >zone
	cat >config/mox.conf <<EOF
DataDir: ../data
User: $(id -un)
LogLevel: info
Hostname: mail.example.org
TLS:
	CA:
		CertFiles:
			- $CERTS/ca.crt
Postmaster:
	Account: x
	Mailbox: Postmaster
Listeners:
	local:
		IPs:
			- 127.0.0.1
EOF
	export MOXCONF=$PWD/config/mox.conf
	web_start
}

teardown() { stop_background; }

web_start() {
	background python3 "$TOP/t/policyhost.py" "$IP" $PORT web
	WEB_PID=$BACKGROUND_PID
	eventually port_open "$IP" $PORT
}

web_stop() {
	kill -TERM "$WEB_PID"
	wait "$WEB_PID" || true
}

use() { cp "$CERTS/$1.pem" web/mta-sts.a.example.pem; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(($1))" <<<"$output"; }
requests() { cat web/log 2>/dev/null | wc -l; }

# As a delivery asks: "domain status mode failure-type why" a line.
ask() { "$MOX_T/bin/policyask" config/mox.conf data/mtasts "$@" 2>>ask.log; }
cache() { mkdir -p data/mtasts; }

# Time of programs: seconds from now.
set_time() {
	export MOX_FAKE_TIME=$PWD/now
	echo $((START + $1)) >now
}

@test "lookup: record and policy" {
	run mox-mtasts lookup a.example
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = "record at _mta-sts.a.example: \"v=STSv1; id=1\"
policy at https://mta-sts.a.example:$PORT/.well-known/mta-sts.txt:
version: STSv1
mode: enforce
mx: mx.a.example
mx: *.b.example
max_age: 604800" ]
	[[ $(cat web/log) == 'mta-sts.a.example /.well-known/mta-sts.txt mox/'* ]]
	run mox-mtasts lookup -json A.example
	echo "$output"
	[ "$status" = 0 ]
	[ "$(json 'd["Status"], d["ID"], d["Record"]')" = "('ok', '1', 'v=STSv1; id=1')" ]
	[ "$(json 'd["Policy"]["Mode"], d["Policy"]["MX"], d["Policy"]["MaxAgeSeconds"]')" = \
		"('enforce', ['mx.a.example', '*.b.example'], 604800)" ]
	[ "$(json 'd["Text"]')" = "$POLICY" ]
	for mode in testing none; do
		printf 'version: STSv1\r\nmode: %s\r\nmx: x.example\r\nmax_age: 1\r\n' $mode \
			>web/mta-sts.a.example
		run mox-mtasts lookup a.example
		[ "$status" = 0 ]
		[[ $output == *"mode: $mode"* ]]
	done
	[ ! -e data/mtasts ]
}

@test "lookup: no record, a wrong one, no answer, no address" {
	run mox-mtasts lookup none.example
	[ "$status" = 1 ]
	[ "$output" = 'none.example: no MTA-STS: no record' ]
	echo '_mta-sts.wrong.example TXT "v=STSv1; id=a-b"' >>zone
	run mox-mtasts lookup wrong.example
	[ "$status" = 1 ]
	[ "$output" = 'wrong.example: no MTA-STS: the record is malformed: v=STSv1; id=a-b' ]
	echo '_mta-sts.down.example FAIL' >>zone
	run mox-mtasts lookup -json down.example
	[ "$status" = 111 ]
	[ "$(json 'd["Status"]')" = temperror ]
	echo '_mta-sts.alone.example TXT "v=STSv1; id=1"' >>zone
	run mox-mtasts lookup alone.example
	[ "$status" = 1 ]
	[[ $output == *'no policy: mta-sts.alone.example has no address (sts-policy-fetch-error)' ]]
	[ "$(requests)" = 0 ]
	run mox-mtasts lookup
	[ "$status" = 2 ]
	run mox-mtasts serve
	[ "$status" = 2 ]
}

# What lookup says is wrong.
problem() {
	run mox-mtasts lookup -json "$@" a.example
	[ "$status" = 1 ]
	json 'd["FailureType"] + " " + d["Problem"]'
}

@test "certificates: verified for mta-sts.DOMAIN, by DNS-IDs only" {
	use any
	run mox-mtasts lookup a.example
	[ "$status" = 0 ]
	for kind in expired other-name foreign part common-name; do
		use $kind
		run problem
		echo "$kind: $output"
		[[ $output == 'sts-webpki-invalid mta-sts.a.example: '* ]]
	done
	[ "$(requests)" = 1 ]
	# The system trusts nobody of ours.
	use any
	sed -i 's/^\t\tCertFiles:/\t\tAdditionalToSystem: true\n&/' config/mox.conf
	run mox-mtasts lookup a.example
	[ "$status" = 0 ]
	# Without mox.conf it alone counts.
	unset MOXCONF
	cd web
	[[ $(problem) == 'sts-webpki-invalid '* ]]
}

@test "answers that are no policy" {
	for code in 301 302 404 500 204; do
		echo $code >web/mta-sts.a.example.status
		run problem
		[[ $output == "sts-policy-fetch-error mta-sts.a.example: HTTP status $code"* ]]
	done
	# Redirects were not followed.
	[ "$(requests)" = 5 ]
	! grep -q elsewhere web/log || false
	rm web/mta-sts.a.example.status
	for type in text/html '' 'text/plainer; charset=utf-8'; do
		echo "$type" >web/mta-sts.a.example.type
		run problem
		[[ $output == 'sts-policy-invalid mta-sts.a.example: Content-Type is '* ]]
	done
	echo 'Text/Plain; charset=utf-8' >web/mta-sts.a.example.type
	run mox-mtasts lookup a.example
	[ "$status" = 0 ]
	echo 'hello' >web/mta-sts.a.example
	[ "$(problem)" = 'sts-policy-invalid policy, line 1: no "key: value"' ]
	{ echo "$POLICY"; yes 'x: 1' | head -c 70000; } >web/mta-sts.a.example
	[ "$(problem)" = 'sts-policy-invalid mta-sts.a.example: policy of more than 65536 bytes' ]
}

@test "a server that is slow, refuses, or says nothing" {
	echo 60 >web/mta-sts.a.example.delay
	SECONDS=0
	[[ $(problem -timeout 1) == 'sts-policy-fetch-error mta-sts.a.example: '*'timed out'* ]]
	[ "$SECONDS" -lt 30 ]
	web_stop
	[[ $(problem) == 'sts-policy-fetch-error mta-sts.a.example: '*'ailed to connect'* ]]
	background socat -u TCP-LISTEN:$PORT,bind="$IP",fork,reuseaddr EXEC:'sleep 60'
	eventually port_open "$IP" $PORT
	[[ $(problem -timeout 1) == 'sts-policy-fetch-error mta-sts.a.example: '*'timed out'* ]]
}

@test "one of several addresses is enough; a proxy is not asked" {
	sed -i "/^mta-sts.a.example/s/.*/mta-sts.a.example CNAME web.example/" zone
	printf 'web.example A %s\nweb.example A %s\nweb.example AAAA ::1\n' \
		"$(own_ip)" "$IP" >>zone
	https_proxy=http://127.0.0.1:1 run mox-mtasts lookup a.example
	[ "$status" = 0 ]
}

@test "only mox-mtasts is linked with libcurl" {
	ldd "$MOX_BIN/mox-mtasts" | grep -q libcurl
	for p in "$MOX_BIN"/mox-*; do
		case $p in */mox-mtasts | *.[1-8] | *.d) continue ;; esac
		! ldd "$p" 2>/dev/null | grep libcurl || { echo "$p"; false; }
	done
}

@test "serve: fetched once, then cached; again when the id changes" {
	cache
	run ask a.example
	cat ask.log
	[ "$output" = 'a.example ok enforce - ' ]
	[ "$(head -n 2 data/mtasts/a.example)" = $'mox-mtasts 1\nid 1' ]
	[ "$(sed '1,/^$/d' data/mtasts/a.example)" = "$POLICY" ]
	run ask a.example a.example a.example
	[ "${lines[2]}" = 'a.example ok enforce - ' ]
	[ "$(requests)" = 1 ]
	sed -i 's/id=1/id=2/' zone
	echo $'version: STSv1\nmode: testing\nmx: mx.a.example\nmax_age: 1' >web/mta-sts.a.example
	run ask a.example
	[ "$output" = 'a.example ok testing - ' ]
	[ "$(requests)" = 2 ]
	grep -q '^id 2$' data/mtasts/a.example
}

@test "serve: many at a time" {
	cache
	for d in a b c d; do echo 0.3 >web/mta-sts.$d.example.delay; done
	run ask {a,b,c,d}.example {a,b,c,d}.example
	[ "$(grep -c ' ok enforce - $' <<<"$output")" = 8 ]
	eventually grep -q 'policy fetched' ask.log
}

@test "serve: a failure is kept for five minutes, the old policy goes on" {
	START=$(date +%s)
	set_time 0
	cache
	echo 404 >web/mta-sts.a.example.status
	run ask a.example
	[ "$output" = 'a.example none - sts-policy-fetch-error mta-sts.a.example: HTTP status 404' ]
	rm web/mta-sts.a.example.status
	set_time 299
	run ask a.example
	[ "$output" = 'a.example none - sts-policy-fetch-error mta-sts.a.example: HTTP status 404' ]
	[ "$(requests)" = 1 ]
	set_time 301
	run ask a.example
	[ "$output" = 'a.example ok enforce - ' ]
	sed -i 's/id=1/id=2/' zone
	web_stop
	set_time 1000
	run ask a.example
	[[ $output == 'a.example ok enforce sts-policy-fetch-error mta-sts.a.example: '*connect* ]]
	# Nothing in DNS any more.
	: >zone
	run ask a.example
	[ "$output" = 'a.example ok enforce - ' ]
	set_time 700000
	run ask a.example
	[ "$output" = 'a.example none - - no record' ]
	echo '_mta-sts.a.example FAIL' >zone
	run ask a.example
	[[ $output == 'a.example temp - - '* ]]
}

@test "serve: what cannot be fetched for reasons of ours is for later" {
	cache
	chmod 500 data/mtasts
	if [ "$(id -u)" = 0 ]; then
		# root may write there; a file in place of the folder stops it
		MOX_MTASTS_PORT=no run ask a.example
	else
		run ask a.example
	fi
	chmod 700 data/mtasts
	[[ $output == 'a.example temp - - policy not fetched: '* ]]
}

@test "serve: who fetches is jailed, and so is who writes; all end with it" {
	cache
	echo 30 >web/mta-sts.a.example.delay
	background "$MOX_T/bin/policyask" "$MOXCONF" data/mtasts a.example
	eventually grep -q '^mta-sts.a.example' web/log
	pids=$(pgrep -f "mox-mtasts serve -config $MOXCONF")
	# The one that takes requests, which parses nothing; the job; its child.
	[ "$(wc -w <<<"$pids")" = 3 ]
	[ "$(for p in $pids; do grep '^Seccomp:' /proc/"$p"/status; done | tr -dc '02\n' | sort | xargs)" = '0 2 2' ]
	fetcher=$(tail -n 1 <<<"$pids")
	[ -z "$(readlink /proc/"$fetcher"/fd/* | grep "$BATS_TEST_TMPDIR/data")" ]
	kill "$(head -n 1 <<<"$pids")"
	gone() { ! pgrep -f "mox-mtasts serve -config $MOXCONF"; }
	eventually gone
}

@test "serve: a fetch that crashes is a failed one" {
	cache
	echo 30 >web/mta-sts.a.example.delay
	"$MOX_T/bin/policyask" "$MOXCONF" data/mtasts a.example >answer 2>>ask.log &
	eventually grep -q '^mta-sts.a.example' web/log
	kill -KILL "$(pgrep -f "mox-mtasts serve -config $MOXCONF" | tail -n 1)"
	wait $!
	[ "$(cat answer)" = 'a.example none - sts-policy-fetch-error fetching ended by signal 9' ]
}

@test "refresh: what is old is fetched, what is unused or withdrawn forgotten" {
	START=$(date +%s)
	set_time 0
	cache
	run ask {a,b,c,d}.example
	[ "$(requests)" = 4 ]
	run mox-mtasts refresh
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ "$(requests)" = 4 ]
	# Later: a as before, b with another id, c without record, d none.
	set_time 50000
	sed -i '/_mta-sts.b/s/id=1/id=2/; /_mta-sts.[cd]/d' zone
	sed -i '/mode/s/.*/mode: none/' data/mtasts/d.example
	touch -d @$((START)) data/mtasts/d.example
	run mox-mtasts refresh
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'policy fetched'*domain=a.example* ]]
	grep -q '^id 1$' data/mtasts/a.example
	grep -q '^id 2$' data/mtasts/b.example
	# Who can forge DNS does not end a policy; it is fetched all the same.
	[ "$(grep -c '^mta-sts.c.example ' web/log)" = 2 ]
	[ ! -e data/mtasts/d.example ]
	# Used last at the beginning.
	set_time $((181 * 86400))
	run mox-mtasts refresh
	[ "$(ls data/mtasts)" = '' ]
}

@test "over signed DNS, which is asked from inside the jail" {
	need nsd ldns-signzone
	unset MOX_DNS_ZONE
	dns_zone a.example <<-EOF
	_mta-sts TXT "v=STSv1; id=1"
	mta-sts CNAME web
	web A $IP
	EOF
	dns_zone -broken b.example </dev/null
	dns_start
	run mox-mtasts lookup a.example
	echo "$output"
	[ "$status" = 0 ]
	run mox-mtasts lookup b.example
	[ "$status" = 111 ]
	START=$(date +%s)
	set_time 0
	cache
	run ask a.example
	[ "$output" = 'a.example ok enforce - ' ]
	set_time 50000
	run mox-mtasts refresh
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'policy fetched'*domain=a.example*id=1* ]]
	[ "$(requests)" = 3 ]
}

@test "refresh: failures keep the policy; others' leftovers are swept" {
	START=$(date +%s)
	set_time 0
	cache
	run ask a.example
	cp data/mtasts/a.example before
	touch -d '1 day ago' data/mtasts/.b.example.x.tmp
	echo damaged >data/mtasts/c.example
	set_time 50000
	web_stop
	run mox-mtasts refresh -spread 1
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'policy not fetched'*domain=a.example*type=sts-policy-fetch-error* ]]
	[ "$(sed '1,/^$/d' data/mtasts/a.example)" = "$(sed '1,/^$/d' before)" ]
	[ ! -e data/mtasts/.b.example.x.tmp ]
	[ ! -e data/mtasts/c.example ]
	run ask a.example
	[ "$output" = 'a.example ok enforce - ' ]
	# Only one at a time.
	web_start
	set_time 100000
	echo 60 >web/mta-sts.a.example.delay
	before=$(requests)
	background mox-mtasts refresh
	asked() { [ "$(requests)" -gt "$before" ]; }
	eventually asked
	run mox-mtasts refresh
	echo "$output"
	[ "$status" = 111 ]
}
