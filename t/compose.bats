#!/usr/bin/env bats
# The service files of conf/, as installed: each way takes a mail and gives it.
# Only paths, user and ports are changed: ports are those of conf plus 1000.

load helper
load host

setup() {
	need curl openssl setpriv
	[ "$(id -u)" = 0 ] || skip "needs root"
	IP=$(own_ip)
	make_tree
	build=${MOX_BIN##*/}
	[ "$build" != bin ] || build=rel
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$TOP" V="$build" \
		install DESTDIR="$TREE/root" PREFIX=/usr
	rm -r bin # nothing but what is installed
	cp -R root/usr/share/doc/mox/conf conf
	# A new folder: quickstart made it; only addresses and ports are ours.
	make_host
	AS_USER=(setpriv --reuid "$HOST_USER" --regid "$HOST_USER" --clear-groups)
	chown -R "$HOST_USER:$HOST_USER" data config
	chown 0 config config/mox.conf
	mkdir -m 700 run && chown "$HOST_USER:$HOST_USER" run
	grep -rlE '/usr/bin/|/var/' conf/systemd conf/s6 conf/tcpserver \
		conf/inetd.conf | xargs sed -i "s,/usr/bin/,$TREE/root/usr/bin/,g
		s,/var/lib/mox,$TREE,; s,/var/log/mox,$TREE/log,"
}

teardown() {
	stop_background
	remove_tree
}

# Takes a mail over SMTP, one over submission with a login, gives them by IMAP.
works() {
	eventually deliver "first-$1"
	eventually read_mail
	run read_mail
	[[ $output == *"Subject: first-$1"* ]]
	[ "$(ls -A data/accounts/anna/Maildir/new data/accounts/anna/Maildir/cur |
		grep -c ,S=)" = 1 ]
	curl -sSk --head "smtps://$IP:1465" -u 'anna@example.org:correct horse'
	run curl -sSk --head "smtps://$IP:1465" -u 'anna@example.org:wrong'
	[ "$status" != 0 ]
	for pid in $(pids_of mox-smtpd) $(pids_of mox-imapd); do
		# That of a connection may have ended since.
		exe=$(readlink "/proc/$pid/exe") || continue
		[[ $exe == $TREE/root/usr/bin/* ]] || {
			echo "$exe"
			false
		}
	done
}

# The value of a setting in a unit.
setting() { sed -n "s/^$1=//p" "$2"; }

# Start a service as its unit says, with the sockets of these units.
activate() {
	local unit=$1 args=() names=
	shift
	for socket; do
		[ "$(setting Service "conf/systemd/$socket")" = "$unit" ]
		grep -q "^Sockets=.*$socket" "conf/systemd/$unit"
		args+=(-l "$IP:$(($(setting ListenStream "conf/systemd/$socket") + 1000))")
		names+=:$(setting FileDescriptorName "conf/systemd/$socket")
	done
	# shellcheck disable=SC2046
	background "${AS_USER[@]}" systemd-socket-activate "${args[@]}" \
		--fdname="${names#:}" $(setting ExecStart "conf/systemd/$unit") \
		2>>log.systemd
}

@test "systemd: units are sound, tight, and name the sockets services know" {
	need systemd-analyze
	# All that is wrong in units is said with the name of one.
	run systemd-analyze verify --man=no conf/systemd/*
	echo "$output"
	[[ $output != *mox* ]]
	for unit in conf/systemd/*.service; do
		systemd-analyze security --offline=true --threshold=20 "$unit"
	done
}

@test "systemd: socket activation as the units say" {
	need systemd-socket-activate
	activate mox-smtpd.service mox-smtp.socket mox-submissions.socket
	activate mox-imapd.service mox-imaps.socket
	works systemd
	# mox-queued has no sockets.
	mkfifo ready
	exec 7<>ready
	# shellcheck disable=SC2046
	background "${AS_USER[@]}" $(setting ExecStart conf/systemd/mox-queued.service) \
		-notify-fd 7 2>>log.systemd
	read -r -t 30 line <&7
	exec 7>&-
}

@test "s6: service folders, readiness, restart, log" {
	need s6-svscan
	mkdir log scan
	chown "$HOST_USER" log
	cp -R conf/s6/mox-* scan/
	sed -i "s/s6-setuidgid mox/s6-setuidgid $HOST_USER:$HOST_USER/" \
		scan/*/run scan/*/log/run
	background s6-svscan "$TREE/scan" 2>svscan.log
	eventually s6-svwait -U -t 500 scan/mox-smtpd scan/mox-imapd scan/mox-queued
	works s6
	for pid in $(pids_of mox-smtpd) $(pids_of mox-imapd) $(pids_of mox-queued); do
		uid=$(stat -c %u "/proc/$pid" 2>/dev/null) || continue
		[ "$uid" = "$HOST_USER" ]
	done
	grep -q delivered log/mox-smtpd/current
	s6-svc -k scan/mox-imapd
	eventually read_mail
	eventually s6-svwait -U -t 500 scan/mox-imapd
	# Keys are opened anew by a restart: root only is enough.
	chown -R 0:0 config/tls
	chmod 700 config/tls
	s6-svc -r scan/mox-imapd
	eventually s6-svwait -U -t 500 scan/mox-imapd
	eventually read_mail
}

@test "tcpserver: run files" {
	need tcpserver
	sed -i "s/\$(id -[ug] \$user)/$HOST_USER/; s/ip=0 port=/ip=$IP port=1/" \
		conf/tcpserver/*.run
	sed -i 's/port=125/port=1025/' conf/tcpserver/smtp.run
	for f in conf/tcpserver/*.run; do
		background "$f" >>log.tcpserver
	done
	works tcpserver || { cat log.tcpserver; cat conf/tcpserver/smtp.run; false; }
	grep -q 'tcpserver: ok' log.tcpserver
}

@test "inetd: each line" {
	need systemd-socket-activate
	n=0
	while read -r name _ _ _ _ program arguments; do
		case $name in
		smtp) port=1025 ;;
		submissions) port=1465 ;;
		imaps) port=1993 ;;
		*) continue ;;
		esac
		n=$((n + 1))
		# shellcheck disable=SC2086
		background "${AS_USER[@]}" systemd-socket-activate --inetd -a \
			-l "$IP:$port" "$program" ${arguments#* } 2>>log.inetd
	done <conf/inetd.conf
	[ $n = 3 ]
	works inetd
}

@test "mox-listen: says what is in the way" {
	PATH=$TREE/root/usr/bin:$PATH
	run mox-listen
	[ "$status" = 2 ]
	run mox-listen mox-queued
	[ "$status" = 2 ]
	run mox-listen -config nowhere.conf mox-smtpd
	[ "$status" = 1 ]
	run mox-listen mox-smtpd -notify-fd 3 3>/dev/null
	[ "$status" = 1 ]
	[[ $output == *"descriptor 3 is in use"*notification-fd* ]]
	sed -i '/IMAPS:/,+2d' config/mox.conf
	run mox-listen mox-imapd
	[ "$status" = 1 ]
	[[ $output == *"no listener of config/mox.conf is for mox-imapd"* ]]
	chmod 666 config/mox.conf
	run mox-listen mox-smtpd
	[ "$status" = 1 ]
	[[ $output == *"can be changed by others"* ]]
}
