#!/usr/bin/env bats
# mox-serve and mox-stop: as root would start it, in a tree of its own.

load helper
load host

setup() {
	need curl openssl
	[ "$(id -u)" = 0 ] || skip "needs root"
	IP=$(own_ip)
	make_tree
	make_host
}

teardown() {
	stop_background
	remove_tree
}

uid_of() { stat -c %u "/proc/$1"; }

@test "from an empty data folder: receives, is read, stops" {
	rm -rf data
	mkdir data
	echo 'correct horse' | mox-setaccountpassword anna
	start_serve
	deliver hello
	run read_mail
	[[ $output == *"Subject: hello"* ]]
	mox-stop >stopped
	[ "$(cat stopped)" = 'mox stopped' ]
	wait "$SERVE_PID"
	run pids_of mox-smtpd
	[ -z "$output" ]
	! port_open "$IP" 1025 || false
	[ ! -e run/serve ]
}


@test "nothing is root once it runs, and files are the user's" {
	chmod 755 data
	start_serve
	deliver hello
	for p in mox-serve mox-smtpd mox-imapd mox-queued; do
		pids=$(pids_of $p)
		[ -n "$pids" ]
		for pid in $pids; do
			[ "$(uid_of "$pid")" = "$HOST_USER" ]
			grep -q '^CapPrm:.*0000000000000000$' "/proc/$pid/status"
			grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status"
		done
	done
	[ -z "$(find data run ! -user "$HOST_USER")" ]
	[ -z "$(find data run -perm /007)" ]
	[ -s data/receivedid.key ]
	[ "$(stat -c '%u %a' config)" = '0 1770' ]
	[ "$(stat -c '%u %g %a' config/mox.conf)" = "0 $HOST_USER 640" ]
	[ "$(stat -c '%u %a' config/domains.conf)" = "$HOST_USER 640" ]
}

@test "owners are put right, but no link is followed, unless told not to" {
	start_serve
	deliver hello
	mox-stop
	touch elsewhere
	echo secret >linked
	ln -s ../../elsewhere data/accounts/symbolic
	ln linked data/accounts/hard
	chown -R root data/accounts/anna
	chmod 755 data/accounts/anna
	start_serve
	[ -z "$(find data/accounts/anna ! -user "$HOST_USER")" ]
	[ "$(stat -c '%u %a' data/accounts/anna)" = "$HOST_USER 750" ]
	[ "$(stat -c %u elsewhere)" = 0 ]
	[ "$(stat -c %u linked)" = 0 ]
	grep -q 'left alone: it has several links' serve.log
	mox-stop
	sed -i 's/^User:/NoFixPermissions: true\n&/' config/mox.conf
	chown root data/accounts/anna/Maildir/cur
	chown root data/accounts
	start_serve
	[ "$(stat -c %u data/accounts)" = 0 ]
}

@test "root does not act on a mox.conf that others may change" {
	chmod 660 config/mox.conf
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"can be changed by others than root"*"chmod 640"* ]]
	chmod 640 config/mox.conf
	chown 4711 config/mox.conf
	run mox-serve
	[ "$status" = 1 ]
	chown 0 config/mox.conf
	chown 4711 config
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"config belongs to user 4711"* ]]
}

@test "keys that only root may read are handed down, also to a restarted service" {
	mkdir -m 700 private
	mv config/tls/*.pem private
	chmod 600 private/*
	sed -i 's,tls/,../private/,' config/mox.conf
	start_serve
	grep -q 'readable by root only.*private/key.pem' serve.log
	deliver hello
	run read_mail
	[[ $output == *"It works."* ]]
	kill -9 "$(pids_of mox-imapd | head -n 1)"
	eventually read_mail
	# Nothing of it is left open where connections are served: only in the first,
	# which starts a service anew.
	exec 5<>"/dev/tcp/$IP/1025"
	read -r _ <&5
	served=$(pids_of 'mox-smtpd.*' | tail -n +2)
	[ "$(wc -w <<<"$served")" -ge 3 ] # parent, back, front
	for pid in $served; do
		! ls -l "/proc/$pid/fd" | grep private || false
	done
	exec 5>&-
	# An upgrade has it still.
	kill -USR2 "$(pids_of mox-imapd | head -n 1)"
	eventually grep -q 'executing anew' serve.log
	eventually read_mail
}

@test "new certificates are noticed, also behind symbolic links and by reload" {
	mkdir -p certs/live certs/archive
	mv config/tls/cert.pem certs/archive/cert1.pem
	mv config/tls/key.pem certs/archive/key1.pem
	ln -s ../archive/cert1.pem certs/live/cert.pem
	ln -s ../archive/key1.pem certs/live/key.pem
	chown -R "$HOST_USER" certs
	sed -i 's,tls/,../certs/live/,' config/mox.conf
	start_serve
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout certs/archive/key2.pem -out certs/archive/cert2.pem \
		-days 2 -subj /CN=second.example.org 2>/dev/null
	chown -R "$HOST_USER" certs
	ln -sfn ../archive/key2.pem certs/live/key.pem
	ln -sfn ../archive/cert2.pem certs/live/cert.pem
	shows_second() {
		openssl s_client -connect "$IP:$1" </dev/null 2>/dev/null |
			openssl x509 -noout -subject | grep second
	}
	mox-stop -reload
	eventually grep -q 'certificate loaded anew' serve.log
	eventually shows_second 1993
	eventually shows_second 1465
}

@test "services killed with -9 are started again, later each time" {
	start_serve
	for service in mox-smtpd mox-imapd mox-queued; do
		pid=$(pids_of $service | head -n 1)
		kill -9 "$pid"
		restarted() {
			[ "$(pids_of $service | head -n 1)" != "$pid" ] &&
				[ -n "$(pids_of $service)" ]
		}
		eventually restarted
	done
	eventually deliver again
	eventually read_mail
	# The second time in a row it waits, a second.
	service=mox-imapd
	pid=$(pids_of mox-imapd | head -n 1)
	before=$(date +%s%N)
	kill -9 "$pid"
	eventually restarted
	(($(date +%s%N) - before > 900000000))
	eventually read_mail
}

@test "killing mox-serve ends all it started; the next one takes over" {
	start_serve
	kill -9 "$SERVE_PID"
	gone() { [ -z "$(pids_of mox-smtpd)$(pids_of mox-imapd)$(pids_of mox-queued)" ]; }
	eventually gone
	run mox-stop
	[ "$status" = 1 ]
	[[ $output == *"mox-serve is not running"* ]]
	start_serve
	deliver hello
}

@test "a second one is refused, whatever its ports" {
	start_serve
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"mox-serve is running already"*"run/serve.lock"* ]]
	deliver hello
}

@test "stops on TERM and INT; clients are told" {
	for signal in TERM INT; do
		start_serve
		exec 5<>"/dev/tcp/$IP/1025"
		read -r _ <&5
		kill -$signal "$SERVE_PID"
		wait "$SERVE_PID"
		grep -q '^421' <&5
		exec 5>&-
	done
}

@test "what cannot be bound is named, with advice" {
	sed -i "s/- $IP/- 192.0.2.17/" config/mox.conf
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"listener public: listen on 192.0.2.17 port 1025: Cannot assign requested address"*NAT*NATIPs* ]]
	sed -i "s/- 192.0.2.17/- $IP/" config/mox.conf
	background python3 -c "import socket, time
s = socket.create_server(('$IP', 1993)); time.sleep(60)"
	eventually port_open "$IP" 1993
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"port 1993: Address already in use"*"ss -ltnp"* ]]
}

@test "a service that cannot start ends it, and says why" {
	echo nonsense >config/tls/cert.pem
	run mox-serve
	[ "$status" = 1 ]
	[[ $output == *"cert.pem"* ]]
	[[ $output == *"did not start"* ]]
	run mox-serve -foo
	[ "$status" = 2 ]
	run mox-serve -config nowhere.conf
	[ "$status" = 1 ]
	run mox-stop argument
	[ "$status" = 2 ]
}

@test "readiness goes to systemd and to s6" {
	background python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify.sock")
os.chmod("notify.sock", 0o666)
while True:
    print(s.recv(100).decode(), flush=True)' >notified
	eventually test -S notify.sock
	mkfifo ready
	exec 7<>ready
	export NOTIFY_SOCKET=$TREE/notify.sock
	background mox-serve -notify-fd 7 2>>serve.log
	unset NOTIFY_SOCKET
	read -r -t 30 line <&7
	[ -z "$line" ]
	eventually grep -qx READY=1 notified
	[ "$(grep -c READY notified)" = 1 ]
	mox-stop
	eventually grep -qx STOPPING=1 notified
	exec 7>&-
}

@test "as another user than root it binds what it may" {
	chown -R "$HOST_USER" config data .
	run setpriv --reuid "$HOST_USER" --regid "$HOST_USER" --clear-groups \
		true
	[ "$status" = 0 ] || skip "no setpriv"
	SERVE=setpriv start_serve --reuid "$HOST_USER" --regid "$HOST_USER" \
		--clear-groups "$(command -v mox-serve)"
	deliver hello
	read_mail | grep -q 'It works'
}
