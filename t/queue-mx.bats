#!/usr/bin/env bats
# mox-remote to the hosts of a domain: which hosts, which addresses, in which
# order, and what becomes of each recipient.

load helper

setup() {
	DIR=$BATS_TEST_TMPDIR/mox Q=$DIR/data/queue IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	export MOX_DNS_ZONE=$BATS_TEST_TMPDIR/zone MOX_SMTP_PORT=2525
}

teardown() { stop_background; }

# A server named $1, its address in ${1^^}: answers as told by options.
server() {
	local name=$1 ip
	shift
	ip=$(own_ip)
	declare -g "${name^^}=$ip"
	start_script "$name" "$ip" "$@"
}

start_script() {
	local name=$1 ip=$2
	shift 2
	background python3 "$TOP/t/bin/smtp-script" "$@" "$ip" 2525 "$BATS_TEST_TMPDIR/$name.log"
	eventually port_open "$ip" 2525
}

# An address where nobody listens.
nobody() { declare -g "${1^^}=$(own_ip)"; }

zone() { cat >"$MOX_DNS_ZONE"; }

runner() {
	background mox-queued -config "$DIR/mox.conf" 2>>"$BATS_TEST_TMPDIR/queued.log"
}

send() {
	printf 'From: <mox@localhost>\r\nSubject: x\r\n\r\nhello\r\n' |
		"$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"
}

heard() { grep -q "$2" "$BATS_TEST_TMPDIR/$1.log"; }
times() { [ "$(grep -c "$2" "$BATS_TEST_TMPDIR/$1.log")" = "$3" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }
item() { cat "$Q"/due/*/*."${1:-1}"; }
inbox() { cat "$(maildir)"/new/* "$(maildir)"/cur/* 2>/dev/null; }
dsn() { inbox | grep -q "$1"; }
again() { mv "$Q"/due/*/*.[0-9]* "$Q/due/now/" && mox-queue -config "$DIR/mox.conf" list >/dev/null; }

@test "to the best host, by one connection for several messages" {
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
	send "$DIR/data" c@x.example
	eventually heard one 'took c@x.example'
	eventually empty
	times one connect 2 || times one ' connect ' 2
	! heard two EHLO
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
	server later -reply 'MAIL=451 4.3.2 not now'
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
	server one -reply 'RCPT:no@=550 5.1.1 no such user' -reply 'RCPT:late@=450 4.2.1 later' \
		-reply 'RCPT:never@=450 4.2.1 later'
	server two -reply 'RCPT:never@=451 4.2.2 really not'
	zone <<-EOF
	x.example      MX 10 one.example
	x.example      MX 20 two.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
	runner
	send "$DIR/data" yes@x.example no@x.example late@x.example never@x.example
	eventually heard one 'took yes@x.example'
	eventually heard two 'took late@x.example'
	eventually in_due 1
	item 4 | grep -q '^delayed .* two.example 451 4.2.2 really not'
	eventually dsn '^Final-Recipient: rfc822; *no@x.example'
	! heard two 'RCPT TO:<no@'
	! heard two 'RCPT TO:<yes@'
}

@test "refused for good: no other host is asked" {
	server one -reply 'end=554 5.6.0 not this'
	server two
	zone <<-EOF
	x.example      MX 10 one.example
	x.example      MX 20 two.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually dsn '^Diagnostic-Code: smtp; 554 5.6.0 not this'
	eventually empty
	! heard two EHLO
}

@test "hosts that greet with 5xx: the next one, and in the end it has failed" {
	server one -reply 'greeting=554 5.3.2 no mail here'
	server two -reply 'EHLO=550 5.7.1 who are you'
	zone <<-EOF
	x.example      MX 10 one.example
	x.example      MX 20 two.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually dsn '^Diagnostic-Code: smtp; 55'
	heard two EHLO
	eventually empty
}

@test "lost behind the end of a message: later, not to another host at once" {
	server one -drop end
	server two
	zone <<-EOF
	x.example      MX 10 one.example
	x.example      MX 20 two.example
	one.example    A $ONE
	two.example    A $TWO
	EOF
	runner
	send "$DIR/data" a@x.example
	eventually in_due 1
	! heard two EHLO
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
	server tls -tls "$BATS_TEST_TMPDIR/cert" "$BATS_TEST_TMPDIR/key"
	server broken -tls "$BATS_TEST_TMPDIR/cert" "$BATS_TEST_TMPDIR/key" -reply 'STARTTLS=454 4.7.0 not now'
	zone <<-EOF
	tls.example    A $TLS
	broken.example A $BROKEN
	EOF
	runner
	send "$DIR/data" a@tls.example b@broken.example
	eventually heard tls 'tls tls.example'
	eventually heard tls 'took a@'
	eventually heard broken 'took b@'
	eventually empty
	times broken ' connect ' 3 # the first was the test's own
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
