#!/usr/bin/env bats
# mox-remote to the hosts of a domain: which hosts, which addresses, in which
# order, and what becomes of each recipient.

load helper
load dns
load mx
load faults

setup() {
	DIR=$BATS_TEST_TMPDIR/mox Q=$DIR/data/queue IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	export MOX_DNS_ZONE=$BATS_TEST_TMPDIR/zone MOX_SMTP_PORT=2525
}

teardown() { stop_background; }

# A server named $1, its address in ${1^^}, with faults of t/bin/fake-mx.
server() {
	local address
	address=$(own_ip)
	declare -g "${1^^}=$address"
	server_at "$1" "$address" "${@:2}"
}

# A server at an address that is given.
server_at() { mx_alone "$BATS_TEST_TMPDIR/$1" "$1" "$2" "$MOX_SMTP_PORT" bare "${@:3}"; }

# An address where nobody listens.
nobody() { declare -g "${1^^}=$(own_ip)"; }

zone() { cat >"$MOX_DNS_ZONE"; }

# The hosts of x.example.
one_before_two() {
	zone <<-EOF
	x.example      MX 10 one.example
	x.example      MX 20 two.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
}

runner() {
	background mox-queued -config "$DIR/mox.conf" 2>>"$BATS_TEST_TMPDIR/queued.log"
	RUNNER=$BACKGROUND_PID
}

stop_runner() {
	kill -TERM "$RUNNER"
	wait "$RUNNER" || true
}

send() {
	printf 'From: <mox@localhost>\r\nSubject: x\r\n\r\nhello\r\n' |
		"$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"
}

log_of() { cat "$BATS_TEST_TMPDIR/$1/log"; }
heard() { log_of "$1" | grep -q "$2"; }
unheard() { if heard "$@"; then return 1; fi; } # "!" fails no test
times() { [ "$(log_of "$1" | grep -c "$2")" = "$3" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }
item() { cat "$Q"/due/*/*."${1:-1}"; }
inbox() { cat "$(maildir)"/new/* "$(maildir)"/cur/* 2>/dev/null; }
dsn() { inbox | grep -q "$1"; }

@test "to the best host, by few connections for many messages" {
	server one
	server two
	zone <<-EOF
	x.example      MX 20 two.example
	x.example      MX 10 one.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
	runner
	send "$DIR/data" a@x.example b@X.Example
	eventually heard one 'took a@x.example b@X.Example'
	send -n 30 "$DIR/data" c@x.example
	eventually times one 'took c@x.example' 30
	eventually empty
	# At most ten at a time, and each for all that comes.
	[ "$(log_of one | grep -c ' connect ')" -lt 15 ]
	unheard two EHLO
}

@test "no MX records: the domain itself; CNAMEs; an address literal" {
	server one
	zone <<-EOF
	plain.example  A $ONE
	alias.example  CNAME real.example
	real.example   MX 1 mx.example
	mx.example     CNAME plain.example
	EOF
	runner
	send "$DIR/data" a@plain.example b@alias.example "c@[$ONE]"
	eventually heard one 'took a@plain.example'
	eventually heard one 'took b@alias.example'
	eventually heard one 'took c@'
	eventually empty
}

@test "domains that take no mail: told at once, with the reason" {
	server one
	zone <<-EOF
	null.example   MX 0 .
	loop.example   CNAME pool.example
	pool.example   CNAME loop.example
	EOF
	runner
	send "$DIR/data" a@null.example b@nowhere.example c@loop.example
	eventually dsn '^Status: 5.1.10'
	eventually dsn '^Diagnostic-Code: smtp; 556 5.1.10 .*null MX'
	eventually dsn '^Status: 5.1.2'
	eventually dsn '^Status: 5.4.6'
	eventually empty
}

@test "DNS does not answer, or wrong: later" {
	zone <<-EOF
	fail.example   FAIL
	bogus.example  BOGUS
	half.example   MX 1 fail.example
	EOF
	runner
	send "$DIR/data" a@fail.example b@bogus.example c@half.example
	eventually in_due 3
	item 1 | grep -q '^delayed .* 451 4.4.3 MX of fail.example'
	item 2 | grep -q '^delayed .* 451 4.4.3 MX of bogus.example.*bogus'
	item 3 | grep -q '^delayed .* fail.example .*no answer'
}

@test "hosts that are not there, or will not now: the next one" {
	nobody gone
	server later 'mail=451 4.3.2 not now'
	server good
	zone <<-EOF
	x.example      MX 10 gone.example
	x.example      MX 15 noaddress.example
	x.example      MX 20 later.example
	x.example      MX 30 good.example
	gone.example   A $GONE
	later.example  A $LATER
	good.example   A $GOOD
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually heard good 'took a@x.example'
	heard later MAIL
	eventually empty
}

@test "each recipient by itself: taken, refused for good, put off to the next" {
	server one 'rcpt:no=550 5.1.1 no such user' 'rcpt:late=450 4.2.1 later' \
		'rcpt:never=450 4.2.1 later'
	server two 'rcpt:never=451 4.2.2 really not'
	one_before_two
	runner
	send "$DIR/data" yes@x.example no@x.example late@x.example never@x.example
	eventually heard one 'took yes@x.example'
	eventually heard two 'took late@x.example'
	eventually in_due 1
	item 4 | grep -q '^delayed .* two.example 451 4.2.2 really not'
	eventually dsn '^Final-Recipient: rfc822; *no@x.example'
	unheard two 'RCPT TO:<no@'
	unheard two 'RCPT TO:<yes@'
}

@test "refused for good: no other host is asked" {
	server one 'end=554 5.6.0 not this'
	server two
	one_before_two
	runner
	send "$DIR/data" a@x.example
	eventually dsn '^Diagnostic-Code: smtp; 554 5.6.0 not this'
	eventually empty
	unheard two EHLO
}

@test "hosts that greet with 5xx: the next one, and in the end it has failed" {
	server one 'greeting=554 5.3.2 no mail here'
	server two 'ehlo=550 5.7.1 who are you' 'helo=550 5.7.1 who are you'
	one_before_two
	runner
	send "$DIR/data" a@x.example
	eventually dsn '^Diagnostic-Code: smtp; 55'
	heard two EHLO
	eventually empty
}

@test "lost behind the end of a message: later, not to another host at once" {
	server one end=drop
	server two
	one_before_two
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	unheard two EHLO
	item | grep -q '^delayed .* one.example .*end of message'
}

@test "nobody is there: delayed, and the others for it with the first" {
	nobody one
	zone <<-EOF
	x.example      A $ONE
	EOF
	runner
	send -n 3 "$DIR/data" a@x.example
	eventually in_due 3
	grep -c "^delayed .* x.example .*refused" "$Q"/due/*/*.1
}

@test "mail that would come back to us: an error; better hosts get it" {
	server better
	zone <<-EOF
	self.example   MX 10 me.example
	named.example  MX 10 other.example
	other.example  A $BETTER
	named.example  MX 10 localhost
	x.example      MX 20 me.example
	x.example      MX 10 better.example
	x.example      MX 30 worse.example
	me.example     A $IP
	better.example A $BETTER
	worse.example  A $BETTER
	localhost      A $IP
	EOF
	runner
	send "$DIR/data" a@self.example b@x.example c@named.example
	eventually heard better 'took b@x.example'
	eventually dsn '^Diagnostic-Code: smtp; 554 5.4.6 .*self.example loops back'
	eventually dsn '^Diagnostic-Code: smtp; 554 5.4.6 .*named.example loops back'
	eventually empty
	heard better "connect $IP" # the address of our listener
}

@test "STARTTLS where it is offered; in the clear where it fails" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$BATS_TEST_TMPDIR/key" -out "$BATS_TEST_TMPDIR/cert" -days 2 \
		-subj /CN=wrong.example 2>/dev/null
	cat "$BATS_TEST_TMPDIR/key" >>"$BATS_TEST_TMPDIR/cert"
	server tls cert="$BATS_TEST_TMPDIR/cert"
	server broken cert="$BATS_TEST_TMPDIR/cert" 'starttls=454 4.7.0 not now'
	zone <<-EOF
	tls.example    A $TLS
	broken.example A $BROKEN
	EOF
	runner
	send "$DIR/data" a@tls.example b@broken.example
	eventually heard tls 'tls TLSv1.3 tls.example'
	eventually heard tls 'took a@'
	eventually heard broken 'took b@'
	eventually empty
	times broken ' connect ' 2
}

@test "our own server as a host: TLS, and a mailbox" {
	other=$BATS_TEST_TMPDIR/other IP2=$(own_ip)
	zone <<-EOF
	x.example      A $IP2
	localhost      A 127.0.0.1
	EOF
	background mox-localserve -dir "$other" -ip "$IP2" 2>/dev/null >&2
	eventually port_open "$IP2" 1025
	export MOX_SMTP_PORT=1025
	runner
	send "$DIR/data" a@x.example
	eventually sh -c "cat '$other'/data/accounts/mox/Maildir/*/* | grep -q '^hello'"
	eventually empty
	grep -hq 'with ESMTPS' "$other"/data/accounts/mox/Maildir/*/*
}

# ---- what TLS a host must have ----

# Keys and certificates of hosts, $1.example, by a CA of this test's own.
certs() {
	local name
	MX=$BATS_TEST_TMPDIR
	mx_root ca 'test CA'
	for name; do mx_cert "$name" "$name.example"; done
	printf 'TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- %s\n' "$MX/ca.pem" >>"$DIR/mox.conf"
}

tls_server() { server "$1" cert="$MX/${2:-$1}.pem" "${@:3}"; }

# An MTA-STS policy that is cached: mode, mx lines.
policy() {
	local domain=$1 mode=$2 mx
	shift 2
	mkdir -p "$DIR/data/mtasts"
	{
		printf 'mox-mtasts 1\nid 1\nfetched %s\n\nversion: STSv1\nmode: %s\n' \
			"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$mode"
		for mx; do echo "mx: $mx"; done
		echo 'max_age: 86400'
	} >"$DIR/data/mtasts/$domain"
}

results() { cat "$DIR"/data/tlsresults/*/"$1" 2>/dev/null; }
result() { results "$1" | grep -q "$2"; }

@test "DANE: the host whose certificate fits; never without TLS" {
	certs good bad
	tls_server bad
	tls_server good
	zone <<-EOF
	x.example      MX 10 bad.example
	x.example      MX 20 good.example
	only.example   MX 10 bad.example
	bad.example    A $BAD
	good.example   A $GOOD
	_25._tcp.bad.example   TLSA $(tlsa 3 1 1 good)
	_25._tcp.good.example  TLSA $(tlsa 3 1 1 good)
	example        SECURE
	EOF
	runner
	send "$DIR/data" a@x.example b@only.example
	eventually heard good 'took a@x.example'
	eventually in_due 1
	item 2 | grep -q '^delayed .* bad.example 451 4.7.5 TLS:'
	unheard bad took
	result good.example '^n=1 type=tlsa rcpt-domain=x.example policy="3 1 1 .*host=1'
	result bad.example 'failure=tlsa-invalid'
}

@test "DANE: records of which none can be used: TLS, whoever it is" {
	certs good
	tls_server good
	server plain
	zone <<-EOF
	x.example      MX 10 plain.example
	x.example      MX 20 good.example
	plain.example  A $PLAIN
	good.example   A $GOOD
	_25._tcp.plain.example  TLSA 0 0 1 00
	_25._tcp.good.example   TLSA 0 0 1 00
	example        SECURE
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually heard good 'took a@x.example'
	heard plain EHLO
	unheard plain MAIL
}

@test "MTA-STS, enforced: hosts of the policy with valid certificates" {
	certs one two
	tls_server one two # its certificate is another's
	tls_server two
	tls_server three two
	zone <<-EOF
	x.example      MX 10 three.example
	x.example      MX 20 one.example
	x.example      MX 30 two.example
	one.example    A $ONE
	two.example    A $TWO
	three.example  A $THREE
	_mta-sts.x.example  TXT "v=STSv1; id=1"
	EOF
	policy x.example enforce one.example two.example
	runner
	send "$DIR/data" a@x.example
	eventually heard two 'took a@x.example'
	unheard three EHLO
	heard one EHLO
	unheard one MAIL
	eventually empty
	result x.example 'type=sts .*policy="version: STSv1".*mx=one.example.*failure=certificate-host-mismatch.*mx-host=one.example'
	result x.example 'type=sts .*failure=validation-failure.*mx-mismatch.*mx-host=three.example'
	results x.example | grep 'mx-host=two.example' | grep -vq failure
}

@test "MTA-STS, testing: told, not enforced" {
	certs one
	server plain
	tls_server one
	zone <<-EOF
	x.example      MX 10 plain.example
	y.example      MX 10 one.example
	plain.example  A $PLAIN
	one.example    A $ONE
	_mta-sts.x.example  TXT "v=STSv1; id=1"
	_mta-sts.y.example  TXT "v=STSv1; id=1"
	EOF
	policy x.example testing plain.example
	policy y.example testing other.example
	runner
	send "$DIR/data" a@x.example b@y.example
	eventually heard plain took
	eventually heard one took
	eventually empty
	result x.example 'failure=starttls-not-supported'
	result y.example 'mx-mismatch'
}

@test "REQUIRETLS: to verified hosts that offer it, else refused; and No" {
	certs one two
	tls_server one one ext=REQUIRETLS
	tls_server two one
	zone <<-EOF
	x.example      MX 10 two.example
	x.example      MX 20 one.example
	y.example      MX 10 two.example
	z.example      A $ONE
	one.example    A $ONE
	two.example    A $TWO
	_25._tcp.one.example  TLSA $(tlsa 3 1 1 one)
	_25._tcp.two.example  TLSA $(tlsa 3 1 1 two)
	example        SECURE
	z.example      TXT insecure
	EOF
	runner
	send -tls yes "$DIR/data" a@x.example
	eventually heard one 'took a@x.example'
	heard one 'MAIL FROM:<mox@localhost>.* REQUIRETLS'
	send -tls yes "$DIR/data" b@z.example
	eventually dsn '^Status: 5.7.30'
	grep -q '^set x.example .*starttls%20requiretls' "$DIR/data/rcpttls/mox.log"
	# two.example's certificate is not what its record says.
	send -tls no "$DIR/data" c@y.example
	eventually heard two 'took c@y.example'
	# ... and the next message does not go over that connection.
	send "$DIR/data" d@y.example
	eventually in_due 1
	unheard two 'took d@y.example'
}

@test "reports are not sent in the clear because TLS failed, and not noted" {
	certs one
	tls_server one one 'starttls=454 4.7.0 not now'
	zone <<-EOF
	x.example      A $ONE
	EOF
	runner
	send -report "$DIR/data" a@x.example
	eventually in_due 1
	item | grep -q '^delayed .* x.example 454'
	unheard one MAIL
	[ -z "$(results x.example)" ]
	send "$DIR/data" b@x.example
	eventually heard one 'took b@x.example'
	eventually result x.example 'type=no-policy-found .*failure=starttls-not-supported'
}

# ---- addresses, transports ----

# ::1 is everybody's: a port nobody else has.
need_ipv6() {
	[ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6 || skip "no IPv6 here"
	MOX_SMTP_PORT=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET6); s.bind(("::1", 0)); print(s.getsockname()[1])')
}

transports() { printf 'Transports:\n%b' "$1" >>"$DIR/mox.conf"; }

@test "two families: the other one when one is dead" {
	need_ipv6
	FOUR=$(own_ip)
	server_at four "$FOUR"
	zone <<-EOF
	x.example      MX 1 mx.example
	mx.example     AAAA ::1
	mx.example     A $FOUR
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually heard four 'took a@x.example'
	eventually empty
}

@test "refused by policy at one family: not for good before the other was tried" {
	need_ipv6
	FOUR=$(own_ip)
	server_at six ::1 'rcpt=550 5.7.1 not from there'
	server_at four "$FOUR" 'rcpt:late=451 4.7.1 later'
	zone <<-EOF
	x.example      MX 1 mx.example
	mx.example     AAAA ::1
	mx.example     A $FOUR
	EOF
	runner
	send "$DIR/data" a@x.example late@x.example
	eventually in_due 2
	heard six 'RCPT TO:<a@'
	item 1 | grep -q '^delayed .* mx.example 550 5.7.1'
	item 1 | grep -q '^dialed .* mx.example ::1'
	mv "$Q"/due/*/*.[12] "$Q/due/now/"
	eventually heard four 'took a@x.example'
	eventually in_due 1
	# Then the first one, and then it is meant.
	mv "$Q"/due/*/*.2 "$Q/due/now/"
	eventually dsn '^Final-Recipient: rfc822; *late@x.example'
	dsn '^Status: 5.7.1'
}

@test "a transport for one family only" {
	need_ipv6
	FOUR=$(own_ip)
	server_at six ::1
	server_at four "$FOUR"
	zone <<-EOF
	x.example      AAAA ::1
	x.example      A $FOUR
	EOF
	transports '\tfour:\n\t\tDirect:\n\t\t\tDisableIPv6: true\n\tany:\n\t\tDirect:\n\t\t\tDisableIPv4: true\n'
	runner
	send -transport four "$DIR/data" a@x.example
	eventually heard four 'took a@x.example'
	send -transport any "$DIR/data" b@x.example
	eventually heard six 'took b@x.example'
}

@test "through a SOCKS5 proxy, under its name" {
	server one
	PROXY=$(own_ip)
	background python3 "$TOP/t/bin/socks-proxy" "$PROXY" 1080 "$BATS_TEST_TMPDIR/proxy.log"
	eventually port_open "$PROXY" 1080
	zone <<-EOF
	x.example      MX 1 one.example
	one.example    A $ONE
	EOF
	transports "\tproxy:\n\t\tSocks:\n\t\t\tAddress: $PROXY:1080\n\t\t\tRemoteIPs:\n\t\t\t\t- 192.0.2.1\n\t\t\tRemoteHostname: out.example\n"
	runner
	send -transport proxy "$DIR/data" a@x.example
	eventually heard one 'took a@x.example'
	heard one 'EHLO out.example'
	grep -q "^$ONE 2525" "$BATS_TEST_TMPDIR/proxy.log"
	eventually empty
	touch "$BATS_TEST_TMPDIR/proxy.log.refuse"
	stop_runner # and with it the connection
	runner
	send -transport proxy "$DIR/data" b@x.example
	eventually in_due 1
	item | grep -q '^delayed .* one.example .*socks: not allowed by its rules'
}

@test "REQUIRETLS by a transport without verified TLS: refused" {
	server one
	zone </dev/null
	transports "\tsmart:\n\t\tSMTP:\n\t\t\tHost: $ONE\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n"
	runner
	send -tls yes -transport smart "$DIR/data" a@x.example
	eventually dsn '^Diagnostic-Code: smtp; 554 5.7.30'
	unheard one MAIL
}

# ---- around it ----

@test "DNS by mox-resolver, one for all deliveries; by hand, one of its own" {
	need nsd ldns-signzone ldns-keygen
	unset MOX_DNS_ZONE
	server one
	dns_zone example <<-EOF
	x  MX 10 one
	y  MX 10 one
	one A $ONE
	EOF
	dns_start
	runner
	send "$DIR/data" a@x.example b@y.example c@nowhere.example
	eventually heard one 'took a@x.example'
	eventually heard one 'took b@y.example'
	eventually dsn '^Status: 5.1.2'
	[ "$(pgrep -c -P "$RUNNER" -x mox-resolver)" = 1 ]
	mkdir "$Q/active/by-hand"
	mox-remote -config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example' </dev/null
}

@test "by hand, beside a runner that takes back what is left" {
	nobody one
	server two 'rcpt:later=451 4.3.0 not now'
	zone <<-EOF
	x.example      A $ONE
	EOF
	runner
	send "$DIR/data" a@x.example later@x.example
	eventually in_due 2
	echo "x.example A $TWO" | zone
	mkdir "$Q/active/by-hand"
	mv "$Q"/due/*/*.[12] "$Q/active/by-hand/"
	run mox-remote -config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example' \
		<<<"send $(cd "$Q/active/by-hand" && echo *)"
	[ "$status" = 0 ]
	[[ $output == *".1 delivered 250"* && $output == *".2 delayed 451"* && $output == *ready* ]]
	heard two 'took a@x.example'
	# Once more: what was delivered stays so.
	mox-remote -config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example' \
		<<<"send $(cd "$Q/active/by-hand" && echo *.1)"
	times two 'took' 1
	# Who comes next takes it back.
	stop_runner
	runner
	eventually in_due 1
	eventually count msg 1
	times two 'took' 1
}

@test "by hand: trusted certificates are read inside the jail, when needed" {
	certs one
	nobody gone
	tls_server one
	echo "x.example A $GONE" | zone
	policy x.example enforce one.example
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	zone <<-EOF
	x.example      MX 1 one.example
	one.example    A $ONE
	_mta-sts.x.example  TXT "v=STSv1; id=1"
	EOF
	mkdir "$Q/active/by-hand"
	mv "$Q"/due/*/*.1 "$Q/active/by-hand/"
	mox-remote -config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example' \
		<<<"send $(cd "$Q/active/by-hand" && echo *)"
	heard one 'took a@x.example'
	result x.example 'type=sts'
}

@test "by hand: a folder that another has is refused" {
	zone </dev/null
	mkdir -p "$Q/active/by-hand"
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 7<>"$BATS_TEST_TMPDIR/in"
	background sh -c 'exec mox-remote "$@" <"$0" 7>&-' "$BATS_TEST_TMPDIR/in" \
		-config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example'
	eventually test -e "$Q/active/by-hand/.lock"
	held() { mox-remote -config "$DIR/mox.conf" -runner by-hand -destination 'mx x.example' </dev/null; [ $? = 111 ]; }
	eventually held
	exec 7>&-
}

@test "while it talks to strangers it is jailed" {
	server one data=hang
	echo "x.example A $ONE" | zone
	runner
	send "$DIR/data" a@x.example
	eventually heard one DATA
	# The warm one, which reads nothing, may wait beside it.
	jailed() {
		local pid
		for pid in $(pgrep -P "$RUNNER" -x mox-remote) $(pgrep -P "$(pgrep -d, -P "$RUNNER")" -x mox-remote); do
			grep -q '^Seccomp:.*2' "/proc/$pid/status" &&
				grep -q '^NoNewPrivs:.*1' "/proc/$pid/status" &&
				ls -l "/proc/$pid/fd" | grep -q socket && return 0
		done
		return 1
	}
	eventually jailed
}

# The runner, and its deliveries, where calls that match $1 fail.
failing_runner() {
	background env FAULT_DIR="$DIR/data" FAULT_PROG="$1" FAULT_FAIL="$2" \
		LD_PRELOAD="$MOX_T/bin/faultshim.so" \
		ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
		mox-queued -nosandbox -config "$DIR/mox.conf" \
		2>>"$BATS_TEST_TMPDIR/queued.log"
	RUNNER=$BACKGROUND_PID
}

two_recipients() {
	server one "rcpt:later=450 4.2.1 greylisted"
	zone <<-EOF
	x.example      MX 10 one.example
	one.example    A $ONE
	EOF
}

accept_all() { printf 'one %s bare\n' "$ONE" >"$BATS_TEST_TMPDIR/one/hosts"; }

# What is to be tried later is tried now, until the host has heard it.
hurry() {
	mv "$Q"/due/2*/* "$Q/due/now/" 2>/dev/null || true
	heard "$@"
}

@test "a sync of items fails when one was taken: nothing is lost, or sent twice" {
	two_recipients
	failing_runner mox-queued 'fsync:*/active/*:1+:EIO'
	send "$DIR/data" a@x.example later@x.example
	eventually heard one 'took a@x.example'
	eventually grep -q 'cannot be dropped now' "$BATS_TEST_TMPDIR/queued.log"
	# What says that it was taken is not on disk, so the envelope stays.
	in_due 0
	[ -e "$Q"/active/*/"$(cat "$BATS_TEST_TMPDIR/ids")" ]
	stop_runner
	accept_all
	runner
	eventually hurry one 'took later@x.example'
	eventually empty
	times one 'took a@x.example' 1
	times one 'took later@x.example' 1
}

@test "a disk that is full: nothing is sent by MX that could not be noted" {
	two_recipients
	failing_runner mox-remote 'write:*/active/*:1+:ENOSPC'
	# With notifications wanted they have items from the start.
	send -notify success "$DIR/data" a@x.example later@x.example
	eventually in_due 2
	unheard one 'C: DATA'
	grep -q 'not tried' "$BATS_TEST_TMPDIR/queued.log"
	stop_runner
	accept_all
	runner
	eventually hurry one 'took .*a@x.example'
	eventually hurry one 'took .*later@x.example'
	eventually empty
	times one 'took .*a@x.example' 1
}
