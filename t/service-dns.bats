#!/usr/bin/env bats
# Backs of a service ask the DNS through mox-resolver: t/bin/echod over a
# private, signed DNS.

load helper
load dns

setup_file() {
	need nsd ldns-signzone ldns-keygen systemd-socket-activate
	export DNS_DIR=$BATS_FILE_TMPDIR/dns
	DNS_IP=$(own_ip) && export DNS_IP
	dns_zone signed.example <<-'EOF'
	@	A	192.0.2.1
	a	A	192.0.2.2
	b	A	192.0.2.3
	EOF
	dns_zone -plain plain.example <<<'@ A 192.0.2.4'
	dns_zone -bogus bogus.example <<<'@ A 192.0.2.5'
	dns_start
}
teardown_file() { stop_background || :; }

setup() {
	BACKGROUND_PIDS=
	IP=$(own_ip) PORT=4000 LOG=$BATS_TEST_TMPDIR/log
}
teardown() { stop_background || :; }

start() {
	background systemd-socket-activate -l "$IP:$PORT" --fdname="${KIND:-login}.public" \
		-E ASAN_OPTIONS -E UBSAN_OPTIONS -E PATH \
		-E MOX_RESOLVER -E MOX_TRUST_ANCHOR \
		"$MOX_T/bin/echod" "$@" 2>"$LOG"
	PID=$BACKGROUND_PID
	eventually port_open "$IP" "$PORT"
	eventually answers
}
answers() {
	(exec 9<>"/dev/tcp/$IP/$PORT" && echo quit >&9 && read -r -u 9 -t 30 ||
		[ $? = 1 ])
}
talk() { printf '%s\n' "$@" | timeout 60 nc -w 60 "$IP" "$PORT" | tr -d '\r'; }
resolver() { pgrep -P "$PID" -x mox-resolver; }
no_resolver() { ! resolver; }

@test "none before somebody asks; then one for all, with DNSSEC" {
	start -dns=env
	run talk hi quit
	[[ $output == *'ok hi'* ]]
	no_resolver
	run talk 'ask dns signed.example,plain.example,bogus.example,no.signed.example' quit
	echo "$output"
	[[ $output == *'ok 192.0.2.1+ 192.0.2.4 bogus none+'* ]]
	first=$(resolver)
	run talk 'ask dns a.signed.example,b.signed.example' 'ask dns signed.example' quit
	[[ $output == *'ok 192.0.2.2+ 192.0.2.3+'*'ok 192.0.2.1+'* ]]
	[ "$(resolver)" = "$first" ]
}

@test "many questions of many backs at the same time" {
	start -dns=env -timeout=60000
	names=$(for i in $(seq 45); do printf 'x%d.signed.example,a.signed.example,' "$i"; done)
	for i in 1 2 3 4 5; do
		talk "ask dns ${names:0:900}" quit >"$BATS_TEST_TMPDIR/out.$i" &
		talks+=" $!"
	done
	wait $talks
	cat "$BATS_TEST_TMPDIR"/out.*
	for i in 1 2 3 4 5; do
		grep -qE '^ok none\+( 192\.0\.2\.2\+ none\+)+' "$BATS_TEST_TMPDIR/out.$i"
	done
}

@test "shared backs ask, too, one client after another" {
	KIND=shared start -dns=env
	for i in 1 2 3; do
		run talk 'ask dns signed.example' quit
		[[ $output == *'ok 192.0.2.1+'* ]]
	done
}

@test "one that dies is replaced, and what was asked is answered" {
	start -dns=env -timeout=60000
	exec 7<>"/dev/tcp/$IP/$PORT"
	read -r -u 7
	echo 'ask dns signed.example' >&7
	read -r -u 7
	[[ $REPLY == 'ok 192.0.2.1+'* ]]
	first=$(resolver)
	kill -STOP "$first"
	echo 'ask dns a.signed.example,b.signed.example' >&7
	sleep 0.2 # it may be under way, or not yet
	kill -KILL "$first"
	read -r -u 7 -t 60
	echo "$REPLY"
	[[ $REPLY == 'ok 192.0.2.2+ 192.0.2.3+'* ]]
	[ "$(resolver)" != "$first" ]
	grep -q 'm="program ended" program=mox-resolver .*signal=9' "$LOG"
}

@test "one that cannot start: questions fail, the service goes on" {
	start -dns=/nowhere/mox.conf
	run talk 'ask dns signed.example' hi quit
	echo "$output"
	[[ $output == *'ok dns: the resolver ended'*'ok hi'* ]]
	grep -q 'm="program ended" program=mox-resolver exit=1' "$LOG"
}

@test "it is jailed, knows nothing of the service, ends with it" {
	start -dns=env
	talk 'ask dns signed.example' quit
	pid=$(resolver)
	run cat "/proc/$pid/status"
	[[ $output == *$'Seccomp:\t2'* && $output == *$'NoNewPrivs:\t1'* ]]
	run ls -l "/proc/$pid/fd"
	[[ $output != *"$IP"* ]]
	[ "$(readlink "/proc/$pid/fd/3" | cut -d: -f1)" = socket ]
	kill -TERM "$PID"
	wait "$PID" || :
	eventually test ! -e "/proc/$pid"
}

@test "a trust anchor that does not fit is told" {
	MOX_TRUST_ANCHOR=/usr/share/dns/root.key start -dns=env
	run talk 'ask dns signed.example' quit
	[[ $output == *'ok bogus'* ]]
	eventually grep -q 'm="the root cannot be validated: .*why=' "$LOG"
}

@test "without one, backs cannot ask" {
	start
	run talk 'ask dns signed.example' quit
	[[ $output == *'ok no door'* ]]
}

@test "a connection from inetd has one of its own while it lasts" {
	run bash -c "printf '%s\n' 'ask dns signed.example' hi quit |
	    '$MOX_T/bin/echod' -kind=login -dns=env 2>'$LOG'"
	echo "$output"
	[[ $output == *'ok 192.0.2.1+'*'ok hi'* ]]
	gone() { ! pgrep -f "echod -kind=login -dns=env" && ! pgrep -g 0 -x mox-resolver; }
	eventually gone
}

@test "whoever asks nonsense disturbs nobody" {
	# mox-resolver itself, with a door of ours.
	run python3 - <<-'EOF'
	import os, random, socket, struct, subprocess
	door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	os.dup2(theirs.fileno(), 9)
	resolver = subprocess.Popen(["mox-resolver", "-door=9"], pass_fds=[9])
	theirs.close(); os.close(9)

	def client():
	    mine, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	    socket.send_fds(door, [b"\0"], [far.fileno()])
	    far.close()
	    mine.settimeout(30)
	    return mine
	def question(number, name, kind=1, ms=20000):
	    return struct.pack("=IIHH", number, ms, kind, 0) + name
	def answer(c):
	    got = c.recv(70000)
	    number, rcode, flags, why = struct.unpack("=IBBH", got[:8])
	    return number, rcode, flags
	def fine():
	    c = client()
	    c.send(question(7, b"signed.example"))
	    assert answer(c) == (7, 0, 1), "not answered"
	fine()
	random.seed(1)
	door.send(b"no descriptor")
	for _ in range(50):
	    c = client()
	    c.send(random.randbytes(random.randrange(1, 2000)))
	    c.close()
	for name in b"..", b"a" * 1000, b"\\", b"\\999", b"a\0b", b"x" * 64 + b".example":
	    c = client()
	    c.send(question(3, name))
	    assert answer(c)[1] != 0, name
	# Too short: hung up.
	c = client()
	c.send(b"abc")
	assert c.recv(10) == b""
	# One that never reads, of whom others must not hear.
	deaf = client()
	deaf.setblocking(False)
	try:
	    for i in range(5000):
	        deaf.send(question(i, b"n%d.signed.example" % i))
	except BlockingIOError:
	    pass
	fine()
	# In no time: too late, and still not for others.
	c = client()
	c.send(question(5, b"late.nowhere.example", 1, 0))
	assert answer(c)[0] == 5
	for _ in range(300):
	    client().close()
	fine()
	deaf.close()
	c.close()
	door.close()
	assert resolver.wait(30) == 0, "did not end"
	EOF
	echo "$output"
	[ "$status" = 0 ]
}
