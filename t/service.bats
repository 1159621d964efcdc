#!/usr/bin/env bats
# lib/service through t/bin/echod: connections, limits, jails, stop, upgrade.
load helper

setup() {
	IP=$(own_ip) PORT=4000 DIR=$BATS_TEST_TMPDIR
	mkdir -p "$DIR/run" "$DIR/files"
	LOG=$DIR/log
}

teardown() { stop_background; }

# echod with a listening socket KIND.public, as systemd starts it.
start_only() {
	local kind=$1
	shift
	background systemd-socket-activate -l "$IP:$PORT" --fdname="$kind.public" \
		-E NOTIFY_SOCKET -E ASAN_OPTIONS -E UBSAN_OPTIONS \
		"$MOX_T/bin/echod" "$@" 2>"$LOG"
	PID=$BACKGROUND_PID
	eventually port_open "$IP" "$PORT" # then it is started
	eventually has_parent
}
start() {
	start_only "$@"
	eventually answers
	eventually no_children
}
has_parent() { [ -n "$(parent)" ]; }
answers() { # or closes
	(exec 9<>"/dev/tcp/$IP/$PORT" && echo quit >&9 && read -r -u 9 -t 30 ||
		[ $? = 1 ])
}

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$DIR/key" -out "$DIR/cert" -days 9 -subj /CN=test \
		-addext subjectAltName=DNS:"${1:-test.example}" 2>/dev/null
}

# Send lines, print answers.
talk() { printf '%s\n' "$@" | timeout 20 nc -w 10 "$IP" "$PORT" | tr -d '\r'; }

# What a new connection hears. It says nothing: what is sent to a closed
# socket may take the answer with it.
greeting() {
	(exec 9<>"/dev/tcp/$IP/$PORT" && read -r -u 9 -t 30 && echo "${REPLY%$'\r'}")
}

# A connection kept open on descriptor 7, past its greeting.
connect() {
	exec 7<>"/dev/tcp/$IP/$PORT"
	read -r -u 7 -t 30 REPLY && [[ $REPLY == "ok hello"* ]]
}
say() {
	echo "$1" >&7
	read -r -u 7 -t 30 REPLY || true # the end
	REPLY=${REPLY%$'\r'}
}

# Processes of all connections; of one, by its back.
parent() { pgrep -P "$PID" | tail -n 1; }
no_children() { ! pgrep -P "$(parent)" >/dev/null; }
back() { pgrep -P "$(parent)"; }
processes() { [ "$(pgrep -c -g "$1")" = "$2" ]; }
logged() { grep -qE "$1" "$LOG"; }

@test "lines are answered by front and back" {
	start echo
	run talk hi "ask who" quit
	[[ $output == $'ok hello\nok hi\nok 127.'* ]]
}

@test "a front logs through its back" {
	start echo
	talk "log some thing" quit
	eventually logged 'cid=[0-9a-f]+ pkg=echod m="said" what="some thing" front=1$'
}

@test "jailed processes cannot open files, sockets, run, signal" {
	start echo -exempt
	run talk "try open" "try socket" quit
	[ "$output" = $'ok hello\nok refused\nok refused' ]
	for what in exec fork kill ptrace; do
		# The front is killed for it, by seccomp.
		connect
		say "try $what"
		[ "$REPLY" = "" ]
		eventually logged 'front crashed.* signal=31'
		: >"$LOG"
	done
}

@test "jailed backs reach their folder only" {
	start echo -files "$DIR/files" -run "$DIR/run"
	run talk "ask try open" "ask try socket" "ask try exec" "ask try fork" \
		"ask try kill" "ask try ptrace" "ask try write $DIR/x" \
		"ask try write $DIR/files/x" quit
	[ "$output" = $'ok hello\nok refused\nok refused\nok refused\nok refused
ok refused\nok refused\nok refused\nok allowed' ]
}

@test "time out, lines too long, half-open connections" {
	start echo -timeout 300
	connect
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no timeout"* ]]
	run talk "$(printf 'x%.0s' {1..2000})"
	[ "${lines[1]}" = "no too long" ]
	eventually no_children
}

@test "messages that may not come end the connection" {
	start echo
	run talk bad hi quit
	eventually logged 'split: unknown message 99'
	[ "${lines[0]}" = "ok hello" ]
	[[ $output != *"ok hi"* ]] || [[ $output == *"no back"* ]] || true
	eventually no_children
}

@test "connections of an address are limited" {
	start echo -per-ip 3 -timeout 60000
	exec 4<>/dev/tcp/$IP/$PORT 5<>/dev/tcp/$IP/$PORT 6<>/dev/tcp/$IP/$PORT
	read -r -u 6 -t 30
	run greeting
	[ "$output" = "no too many" ]
	exec 5>&-
	eventually connect
	say hi
	[ "$REPLY" = "ok hi" ]
	exec 4>&- 6>&-
}

@test "connections in all, and without login, are limited" {
	start login -total 3 -unauth 2 -timeout 60000
	exec 4<>/dev/tcp/$IP/$PORT
	connect
	run greeting
	[ "$output" = "no busy" ]
	say "ask login"
	[ "$REPLY" = "ok in" ]
	exec 5<>/dev/tcp/$IP/$PORT
	read -r -u 5 -t 30 REPLY
	[[ $REPLY == "ok hello"* ]]
	run greeting
	[ "$output" = "no busy" ]
	exec 4>&- 5>&- 7>&-
}

@test "new connections a minute are limited" {
	start echo -run "$DIR/run" -per-minute 4
	# The first two were start's own; a minute may end in between.
	for i in {1..12}; do talk quit; done >"$DIR/out"
	grep -q "^no rate" "$DIR/out"
}

@test "failed logins lead to refusal, by all services of the host" {
	start login -run "$DIR/run"
	# Three a minute, which may end in between.
	refused() { [ "$(talk "ask fail" quit)" = "no failed logins" ]; }
	eventually refused
	PORT=4001
	start login -run "$DIR/run"
	eventually refused
}

@test "1,000 connections of one address: refused, in bounded memory" {
	start echo -per-ip 20
	parent=$(parent)
	before=$(awk '/^Pss:/ { print $2 }' "/proc/$parent/smaps_rollup")
	run timeout 60 python3 - "$IP" "$PORT" <<-'END'
		import socket, sys
		at = (sys.argv[1], int(sys.argv[2]))
		all, told = [], 0
		for i in range(1000):
		    s = socket.create_connection(at, 10)
		    s.settimeout(10)
		    told += s.recv(100) == b"no too many\r\n"
		    all.append(s)
		print(told)
	END
	[ "$output" -ge 975 ]
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
	after=$(awk '/^Pss:/ { print $2 }' "/proc/$parent/smaps_rollup")
	echo "PSS of the parent: $before kB, then $after kB" >&3
	[ $((after - before)) -lt 2000 ]
	[ "$(grep -c 'm="refused"' "$LOG")" -lt 60 ]
}

@test "loopback can be exempt" {
	start echo -per-ip 1 -per-minute 1 -exempt
	connect
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
}

@test "a front that crashes ends its connection, and its address is refused" {
	start echo -run "$DIR/run"
	for i in 1 2 3; do
		connect
		say crash
		[ "$REPLY" = "" ]
	done
	eventually logged 'front crashed.* signal='
	refused() { [ "$(talk hi)" = "no crashes" ]; }
	eventually refused
	eventually no_children
}

@test "a back that crashes takes its front along" {
	start echo
	connect
	say "ask crash"
	[[ $REPLY == "no "* ]]
	eventually logged 'connection crashed'
	eventually no_children
}

@test "TLS, at once and by STARTTLS; nothing passes from before" {
	certificate
	start echos -cert "$DIR/cert" -key "$DIR/key"
	s_client() {
		(sleep 1; printf 'tls\nsession\none\nquit\n'; sleep 1) |
			timeout 20 openssl s_client -connect "$IP:$PORT" -quiet \
				"$@" 2>/dev/null | tr -d '\r'
	}
	run s_client
	[ "$output" = $'ok hello\nok TLSv1.3 new\nok session\nok session one\nok bye' ]
	run s_client -tls1_2 -sess_out "$DIR/session"
	[ "${lines[1]}" = "ok TLSv1.2 new" ]
	run s_client -tls1_2 -sess_in "$DIR/session"
	[ "${lines[1]}" = "ok TLSv1.2 resumed" ]
}

@test "bytes buffered behind STARTTLS close the connection" {
	certificate
	start echo -cert "$DIR/cert" -key "$DIR/key"
	run talk starttls hi quit
	[ "$output" = $'ok hello\nok start' ]
}

@test "certificates are loaded again when they change" {
	certificate old.example
	start echos -cert "$DIR/cert" -key "$DIR/key" -etc "$DIR"
	name() {
		timeout 10 openssl s_client -connect "$IP:$PORT" </dev/null 2>/dev/null |
			openssl x509 -noout -ext subjectAltName
	}
	[[ $(name) == *old.example* ]]
	certificate new.example
	sleep 1.1
	is_new() { [[ $(name) == *new.example* ]]; }
	eventually is_new
	logged 'loaded anew'
}

@test "plain hand-over: the session has the socket, unread bytes included" {
	start echo
	run talk session one two quit
	[ "$output" = $'ok hello\nok session\nok session one\nok session two\nok bye' ]
	connect
	say session
	say again
	[ "$REPLY" = "ok session again" ]
	eventually processes "$(back)" 1
}

@test "SIGTERM: clients are told, and the service ends" {
	start echo
	connect
	exec 8<>/dev/tcp/$IP/$PORT
	read -r -u 8 -t 30
	echo session >&8
	read -r -u 8 -t 30
	kill -TERM "$PID"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	read -r -u 8 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	wait "$PID"
	! port_open "$IP" "$PORT" || false
	exec 8>&-
}

@test "SIGTERM to a service whose clients do not listen takes 3 s" {
	start echo -timeout 60000
	connect
	echo -n "part of a line" >&7
	parent=$(parent)
	SECONDS=0
	kill -TERM "$PID"
	wait "$PID"
	[ "$SECONDS" -le 6 ]
	! kill -0 "$parent" 2>/dev/null
}

@test "kill -9 of the keeper or the parent leaves nothing behind" {
	start echo -timeout 60000
	connect
	back=$(back)
	kill -KILL "$PID"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	eventually processes "$back" 0
	PORT=4002
	start echo -timeout 60000
	connect
	parent=$(parent) back=$(back)
	kill -KILL "$parent"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	eventually processes "$back" 0
}

@test "SIGUSR2 executes anew with the same sockets; clients are told" {
	start echo -timeout 60000
	connect
	parent=$(parent)
	kill -USR2 "$PID"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
	[ "$(pgrep -P "$PID" -n)" != "$parent" ]
	kill -USR2 "$PID"
	sleep 0.3
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
	alone() { [ "$(pgrep -c -P "$PID")" = 1 ]; }
	eventually alone
}

@test "ready: systemd is told, within 50 ms" {
	background python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True: print(s.recv(100).decode(), flush=True)' "$DIR/notify" >"$DIR/told"
	eventually test -S "$DIR/notify"
	export NOTIFY_SOCKET=$DIR/notify
	start echo
	eventually grep -q READY=1 "$DIR/told"
	kill -TERM "$PID"
	eventually grep -q STOPPING=1 "$DIR/told"
}

@test "ready: s6 is told on -notify-fd" {
	mkfifo "$DIR/ready"
	exec 8<>"$DIR/ready"
	background python3 -c 'import os, socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_FDNAMES"] = "echo.public"
os.execv(sys.argv[3], sys.argv[3:])' "$IP" "$PORT" "$MOX_T/bin/echod" -notify-fd 8
	read -r -u 8 -t 30 REPLY
	[ "$REPLY" = "" ]
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
	exec 8>&-
}

@test "one connection: tcpserver" {
	need tcpserver
	background tcpserver -RHl0 "$IP" "$PORT" "$MOX_T/bin/echod" -kind echo 2>"$LOG"
	eventually port_open "$IP" "$PORT"
	run talk "ask who" "try open" quit
	[[ ${lines[1]} == "ok 127."* ]]
	[ "${lines[2]}" = "ok refused" ]
	run talk session one quit
	[ "${lines[2]}" = "ok session one" ]
}

@test "one connection: systemd Accept=yes, inetd" {
	background systemd-socket-activate -a -l "$IP:$PORT" \
		"$MOX_T/bin/echod" -kind echo 2>"$LOG"
	eventually port_open "$IP" "$PORT"
	run talk "ask who" quit
	[[ ${lines[1]} == "ok 127."* ]]
	PORT=4003
	background systemd-socket-activate -a --inetd -l "$IP:$PORT" \
		"$MOX_T/bin/echod" -kind echo 2>"$LOG"
	eventually port_open "$IP" "$PORT"
	run talk "ask who" quit
	[[ ${lines[1]} == "ok 127."* ]]
}

@test "one connection: pipes, the address from the environment" {
	for v in TCPREMOTEIP REMOTE_ADDR; do
		run bash -c "printf 'ask who\nsession\none\nquit\n' |
			$v=192.0.2.7 '$MOX_T/bin/echod' -kind echo | tr -d '\r'"
		[ "$output" = $'ok hello\nok 192.0.2.7\nok session\nok session one\nok bye' ]
	done
}

@test "the PROXY protocol, from whom it may come" {
	start echo -proxy 127.0.0.0/8 -per-ip 2
	run talk $'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nask who' quit
	[ "${lines[1]}" = "ok 192.0.2.1" ]
	run bash -c "printf '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\x9\xc6\x33\x64\2\0\1\0\2ask who\nquit\n' |
		timeout 10 nc -w 5 $IP $PORT | tr -d '\r'"
	[ "${lines[1]}" = "ok 192.0.2.9" ]
	run talk "EHLO no.proxy"
	[ "$output" = "" ]
	# Limits are of the client behind it.
	exec 4<>/dev/tcp/$IP/$PORT 5<>/dev/tcp/$IP/$PORT
	printf 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n' >&4
	printf 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n' >&5
	read -r -u 5 -t 30
	run talk $'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r' hi
	[[ $output == *"no too many" ]]
	run talk $'PROXY TCP4 192.0.2.5 192.0.2.2 1 2\r' hi quit
	[ "${lines[1]}" = "ok hi" ]
	exec 4>&- 5>&-
}

@test "nothing to serve: usage; sockets without a kind" {
	run "$MOX_T/bin/echod" </dev/null
	[ "$status" = 1 ]
	[[ $output == *"no sockets"* ]]
	run "$MOX_T/bin/echod" -kind nosuch </dev/null
	[ "$status" = 1 ]
}

# ---- a back for many connections ----

# Children of the parent with a role, those with a connection: who waits for
# one has a socket only.
of_role() {
	local pid
	for pid in $(pgrep -P "$(parent)"); do
		if grep -qs ":$1\$" "/proc/$pid/comm"; then echo "$pid"; fi
	done
}
backs() { of_role back; }
none_served() {
	local pid
	for pid in $(of_role front); do
		[ "$(readlink "/proc/$pid/fd/"* | grep -c socket)" -lt 2 ] || return 1
	done
}

start_shared() {
	start_only shared "$@"
	eventually answers
	eventually none_served
}

@test "a shared back serves one connection after another" {
	start_shared -exempt
	for i in 1 2 3; do
		run talk "ask served" "try open" "ask try open" "ask try fork" quit
		served=${lines[1]}
		[ "${lines[2]} ${lines[3]} ${lines[4]}" = "ok refused ok refused ok refused" ]
		eventually none_served
	done
	# start's own were before; now and then two overlapped.
	[ "${served#ok }" -ge 3 ]
	[ "$(backs | wc -l)" -le 2 ]
}

@test "connections at once have backs of their own" {
	start_shared -timeout 60000
	connect
	say "ask served"
	first=$REPLY
	exec 8<>"/dev/tcp/$IP/$PORT"
	read -r -u 8 -t 30
	echo "ask who" >&8
	read -r -u 8 -t 30 REPLY
	[[ $REPLY == "ok 127."* ]]
	[ "$(backs | wc -l)" -ge 2 ]
	say "ask served"
	[ "$REPLY" = "$first" ]
	exec 8>&-
}

@test "a crashed front ends its shared back too, and its address is refused" {
	start_shared -run "$DIR/run"
	for i in 1 2 3; do
		connect
		before=$(backs)
		say crash
		[ "$REPLY" = "" ]
		ended() { ! kill -0 $before 2>/dev/null; }
		eventually ended
	done
	eventually logged 'connection crashed.* signal='
	refused() { [ "$(talk hi)" = "no crashes" ]; }
	eventually refused
}

@test "a shared back that crashes takes its front along, others live" {
	start_shared -timeout 60000
	exec 8<>"/dev/tcp/$IP/$PORT"
	read -r -u 8 -t 30
	connect
	say "ask crash"
	[[ $REPLY == "no "* ]]
	eventually logged 'connection crashed'
	echo "ask who" >&8
	read -r -u 8 -t 30 REPLY
	[[ $REPLY == "ok 127."* ]]
	exec 8>&-
	run talk hi quit
	[ "${lines[1]}" = "ok hi" ]
}

@test "a message that may not come ends the connection and its shared back" {
	start_shared
	connect
	before=$(backs)
	say bad
	eventually logged 'split: unknown message 99'
	ended() { ! kill -0 $before 2>/dev/null; }
	eventually ended
	run talk "ask who" quit
	[[ ${lines[1]} == "ok 127."* ]]
}

@test "SIGTERM and kill -9 with shared backs: clients are told, nothing is left" {
	start_shared -timeout 60000
	connect
	kill -TERM "$PID"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	wait "$PID"
	PORT=4004
	start_shared -timeout 60000
	connect
	parent=$(parent)
	all=$(pgrep -P "$parent")
	kill -KILL "$parent"
	read -r -u 7 -t 30 REPLY
	[[ $REPLY == "no stopping"* ]]
	ended() { ! kill -0 $all 2>/dev/null; }
	eventually ended
}

@test "a front waits for the next client, and none for more; killed, it is missed by nobody" {
	start_shared -exempt -timeout 60000
	one_waits() { [ "$(of_role front | wc -l)" = 1 ] && none_served; }
	eventually one_waits
	waiting=$(of_role front)
	connect
	say "ask who"
	[[ $REPLY == "ok 127."* ]]
	kill -0 "$waiting"
	exec 7>&-
	eventually one_waits
	[ "$(of_role front)" != "$waiting" ]
	kill -9 "$(of_role front)"
	run talk hi "try open" quit
	[ "${lines[1]} ${lines[2]}" = "ok hi ok refused" ]
}

@test "certificates: a front that waits has no old one" {
	certificate old.example
	start_shared -exempt -cert "$DIR/cert" -key "$DIR/key" -etc "$DIR"
	eventually eval '[ -n "$(of_role front)" ]'
	waiting=$(of_role front)
	certificate new.example
	sleep 1.1
	talk quit
	eventually logged 'loaded anew'
	gone() { ! kill -0 $waiting 2>/dev/null; }
	eventually gone
}

@test "a proxy's connections have a back each, also of a shared kind" {
	start_shared -proxy 127.0.0.0/8
	run talk $'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nask who' quit
	[ "${lines[1]}" = "ok 192.0.2.1" ]
}
