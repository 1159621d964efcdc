#!/usr/bin/env bats
# mox-localserve, as a newcomer meets it: the commands of the README.

load helper

teardown() { stop_background; }

@test "the first mail of the README: sent, read, seen with ls and cat" {
	need curl
	start_server
	printf 'Subject: hello\n\nIt works.\n' |
		curl -sS --crlf "smtp://$IP:1025" --mail-from you@example.org \
			--mail-rcpt mox@localhost -T -
	run curl -sS "imap://mox%40localhost:moxmoxmox@$IP:1143/Inbox;MAILINDEX=1"
	[ "$status" = 0 ]
	[[ $output == *"Subject: hello"* ]]
	[[ $output == *"It works."* ]]
	cat "$(maildir)"/new/* "$(maildir)"/cur/* | grep -q '^It works\.$'
	grep -q ' 1 ' "$(maildir)/mox.log"
}

@test "makes the folder once and keeps what is in it" {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	for f in mox.conf domains.conf localhost.key localhost.crt data/auth/mox \
	    data/accounts/mox/Maildir/cur; do
		[ -e "$DIR/$f" ] || { echo "no $f"; false; }
	done
	[ "$(stat -c %a "$DIR/localhost.key")" = 600 ]
	before=$(cat "$DIR/mox.conf" "$DIR/localhost.key" | sha1sum)
	mox-localserve -dir "$DIR" -initonly
	[ "$before" = "$(cat "$DIR/mox.conf" "$DIR/localhost.key" | sha1sum)" ]
	mox-config -config "$DIR/mox.conf" test
}

@test "stops on INT and TERM, clients are told, nothing is left running" {
	start_server
	exec 5<>"/dev/tcp/$IP/1143" 6<>"/dev/tcp/$IP/1025"
	read -r line <&5
	read -r line <&6
	kill -INT "$SERVER_PID"
	rc=0
	wait "$SERVER_PID" || rc=$?
	[ "$rc" = 0 ]
	grep -q 'BYE' <&5
	grep -q '^421' <&6
	exec 5>&- 6>&-
	run pgrep -f "$DIR/mox.conf"
	[ -z "$output" ]
	BACKGROUND_PIDS=
	start_server
	stop_server
}

@test "a service that dies is started again" {
	start_server
	pid=$(pgrep -P "$SERVER_PID" -f mox-imapd)
	kill -9 "$pid"
	another() { pgrep -P "$SERVER_PID" -f mox-imapd | grep -vx "$pid"; }
	eventually another
	eventually curl -sS --max-time 5 \
		"imap://mox%40localhost:moxmoxmox@$IP:1143/" -X NOOP
}

@test "what is wrong is said: address, port taken, options" {
	run mox-localserve -dir "$BATS_TEST_TMPDIR/x" -ip 1.2.3
	[ "$status" = 1 ]
	[[ $output == *"1.2.3 is not an IP address"* ]]
	run mox-localserve -foo
	[ "$status" = 2 ]
	run mox-localserve argument
	[ "$status" = 2 ]
	run mox-localserve -help
	[ "$status" = 0 ]
	start_server
	run mox-localserve -dir "$DIR"
	[ "$status" != 0 ]
	[[ $output == *"listen on $IP port 1025"* ]]
}

@test "special addresses fail as the manual says" {
	start_server
	PYTHONPATH=$BATS_TEST_DIRNAME IP=$IP DIR=$DIR python3 - <<-'EOF'
	from mailtest import *
	s = Smtp()
	eq(s.cmd("MAIL FROM:<mailfromtemperror@example.org>")[0], 451)
	eq(s.cmd("MAIL FROM:<mailfrom552@example.org>")[0], 552)
	s.expect(250, "MAIL FROM:<a@example.org>")
	eq(s.cmd("RCPT TO:<rcpttopermerror@localhost>")[0], 554)
	s.expect(250, "RCPT TO:<x450@localhost>")
	s.expect(354, "DATA")
	eq(s.cmd(message() + ".")[0], 450)
	s.expect(250, "MAIL FROM:<a@example.org>")
	s.expect(250, "RCPT TO:<anybody@anywhere.example>")
	s.expect(354, "DATA")
	eq(s.cmd(message() + ".")[0], 250)
	eq(len(maildir_files()), 1)
	EOF
}
