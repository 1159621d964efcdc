#!/usr/bin/env bats
# make install: the installed tree alone is a mail server.
load helper

setup() {
	IP=$(own_ip) DIR=$BATS_TEST_TMPDIR/mox ROOT=$BATS_TEST_TMPDIR/root
	build=${MOX_BIN##*/}
	[ "$build" != bin ] || build=rel
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$TOP" V="$build" \
		install DESTDIR="$ROOT" PREFIX=/usr
}

teardown() { stop_background; }

inbox() {
	curl -sS "imap://mox%40localhost:moxmoxmox@$IP:1143/Inbox;MAILINDEX=1"
}

@test "a mail goes in and out of the installed tree" {
	# Only what is installed can be found.
	PATH=/usr/bin:/bin background "$ROOT/usr/bin/mox" localserve \
		-dir "$DIR" -ip "$IP" 2>"$BATS_TEST_TMPDIR/server.log"
	eventually port_open "$IP" 1025
	eventually port_open "$IP" 1143
	printf 'Subject: hello\n\nIt works.\n' |
		curl -sS --crlf "smtp://$IP:1025" --mail-from you@example.org \
			--mail-rcpt mox@localhost -T -
	eventually inbox
	run inbox
	[[ $output == *"It works."* ]]
	# The processes are the installed ones.
	for p in smtpd imapd; do
		pid=$(pgrep -o -f "^mox-$p -config $DIR/mox.conf")
		[ "$(readlink "/proc/$pid/exe")" = "$ROOT/usr/bin/mox-$p" ]
	done
}

@test "every installed program has its manual page" {
	for program in "$ROOT"/usr/bin/*; do
		name=${program##*/}
		ls "$ROOT"/usr/share/man/man*/"$name".[1-8]
	done
}

@test "sendmail is there for whoever links to it" {
	run "$ROOT/usr/lib/mox/sendmail" -version
	[ "$status" = 0 ]
	[[ $output == "mox-sendmail "* ]]
}
