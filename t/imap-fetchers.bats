#!/usr/bin/env bats
# Programs that fetch mail and mirror mailboxes: fetchmail, getmail,
# offlineimap; and several clients in one mailbox at once.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel info
	export SERVER_PID BACKGROUND_PIDS
}

setup() { export HOME=$BATS_TEST_TMPDIR; }
teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME timeout 280 python3 -; }

# put MAILBOX N [FLAGS]: messages with the subjects "MAILBOX 1" to "MAILBOX N".
put() {
	BOX=$1 N=$2 FLAGS=${3:-} py <<-'EOF'
	from mailtest import *
	c, box = Imap(), os.environ["BOX"]
	if box != "INBOX":
	    c.cmd(f'CREATE "{box}"')
	for i in range(1, int(os.environ["N"]) + 1):
	    assert c.append(box, message(f"{box} {i}", f".dot\r\nFrom here {i}\r\n"), os.environ["FLAGS"]).status == "OK"
	EOF
}

# count MAILBOX KEY: messages that SEARCH finds.
count() {
	BOX=$1 KEY=${2:-ALL} py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok(f'EXAMINE "{os.environ["BOX"]}"')
	print(len(c.ok("SEARCH " + os.environ["KEY"]).find(r"\* SEARCH(.*)")[1].split()))
	EOF
}

# What puts a message on stdin into a file of its own, and how many there are.
mda() {
	printf '#!/bin/sh\ncat >"%s/got.$$"\n' "$HOME" >"$HOME/mda"
	chmod 755 "$HOME/mda"
}
got() { find "$HOME" -name 'got.*' | wc -l; }

files_of() { find "$1/cur" "$1/new" -type f | wc -l; }

@test "fetchmail: by STARTTLS and TLS, keeps and deletes; IDLE brings the next at once" {
	need fetchmail
	put fetch 5
	put fetch 2 '(\Seen)'
	rc() {
		cat >"$HOME/fetchmailrc"
		chmod 600 "$HOME/fetchmailrc"
	}
	mda
	fetch() { timeout 60 fetchmail --pidfile "$HOME/pid" -f "$HOME/fetchmailrc" >"$HOME/fetchmail.out" 2>&1 || (r=$?; cat "$HOME/fetchmail.out"; exit $r); }
	rc <<-EOT
	poll $IP service 1143 proto imap user "mox@localhost" password moxmoxmox
		folder fetch keep sslproto tls1.2+ no sslcertck mda "$HOME/mda"
	EOT
	fetch
	[ "$(got)" = 5 ]
	[ "$(count fetch UNSEEN)" = 0 ]
	fetch && return 1 # status 1: there was nothing
	put fetch 1
	rc <<-EOT
	poll $IP service 1993 proto imap user "mox@localhost" password moxmoxmox
		folder fetch fetchall no keep ssl no sslcertck mda "$HOME/mda"
	EOT
	fetch
	[ "$(got)" = 13 ]
	[ "$(count fetch)" = 0 ]
	grep -l '^Subject: fetch 3' "$HOME"/got.* | wc -l | grep -qx 2
	sed '1,/^$/d' "$(grep -l '^Subject: fetch 3' "$HOME"/got.* | head -n 1)" | tr -d '\r' |
		cmp - <(printf '.dot\nFrom here 3\n')
	rc <<-EOT
	poll $IP service 1143 proto imap user "mox@localhost" password moxmoxmox
		folder fetch no keep idle sslproto '' mda "$HOME/mda"
	EOT
	background timeout 100 fetchmail --pidfile "$HOME/pid" -v -f "$HOME/fetchmailrc" >"$HOME/idle.out" 2>&1
	local fetchmail=$BACKGROUND_PID
	eventually grep -q 'IDLE' "$HOME/idle.out"
	put fetch 1
	arrived() { [ "$(got)" = 14 ]; }
	eventually arrived
	kill -TERM "$fetchmail"
	wait "$fetchmail" || true
}

@test "getmail: new ones only, by UID; then all and deleted" {
	need getmail
	put getmail 6
	mda
	mkdir "$HOME/getmail"
	chmod 700 "$HOME/getmail"
	rc() {
		cat >"$HOME/getmail/rc" <<-EOT
		[retriever]
		type = $1
		server = $IP
		port = $2
		username = mox@localhost
		password = moxmoxmox
		mailboxes = ("getmail",)
		[destination]
		type = MDA_external
		path = $HOME/mda
		allow_root_commands = true
		[options]
		read_all = $3
		delete = $4
		delivered_to = false
		received = false
		EOT
	}
	get() { timeout 60 getmail --getmaildir "$HOME/getmail" --rcfile rc; }
	rc SimpleIMAPRetriever 1143 false false
	get
	[ "$(got)" = 6 ]
	put getmail 2
	get
	[ "$(got)" = 8 ]
	rc SimpleIMAPSSLRetriever 1993 true true
	get
	[ "$(got)" = 16 ]
	[ "$(count getmail)" = 0 ]
}

# offlineimap NAME: all mailboxes below "off" both ways with a Maildir.
offline() {
	cat >"$HOME/$1.rc" <<-EOT
	[general]
	accounts = a
	metadata = $HOME/$1.state
	ui = quiet
	[Account a]
	localrepository = near
	remoterepository = far
	[Repository near]
	type = Maildir
	localfolders = $HOME/$1
	sep = /
	sync_deletes = yes
	[Repository far]
	type = IMAP
	remotehost = $IP
	remoteport = 1993
	ssl = yes
	cert_fingerprint = $(openssl x509 -in "$DIR/localhost.crt" -outform DER | sha256sum | cut -c1-64),$(openssl x509 -in "$DIR/localhost.crt" -outform DER | sha1sum | cut -c1-40)
	tls_level = tls_compat
	remoteuser = mox@localhost
	remotepass = moxmoxmox
	maxconnections = 3
	folderfilter = lambda name: name.startswith("off")
	EOT
	timeout 120 offlineimap -c "$HOME/$1.rc" -o >"$HOME/$1.out" 2>&1 </dev/null
}

@test "offlineimap: two mirrors, flags, removals and new mail both ways" {
	need offlineimap
	put off/a 20
	put off/b 10 '(\Seen)'
	offline one
	offline two
	[ "$(files_of "$HOME/one/off/a")" = 20 ]
	[ "$(find "$HOME/one/off/b/cur" -name '*,S' | wc -l)" = 10 ]
	# Near: one flagged, two gone, one new. Far: one answered, three gone.
	for f in $(grep -l '^Subject: off/a 3.\?$' "$HOME"/one/off/a/*/*); do mv "$f" "$HOME/one/off/a/cur/$(basename "${f%,*}"),FS"; done
	rm $(grep -lE '^Subject: off/a [45].?$' "$HOME"/one/off/a/*/*)
	printf 'Subject: near\r\nMessage-Id: <near@example.org>\r\n\r\nnew\r\n' >"$HOME/one/off/b/new/$(date +%s).1.near"
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("SELECT off/a")
	c.ok("STORE 10 +FLAGS (\\Answered)")
	c.ok("STORE 18:20 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	EOF
	offline one
	offline two
	offline one
	[ "$(count off/a)" = 15 ]
	[ "$(count off/a 'FLAGGED SEEN')" = 1 ]
	[ "$(count off/b)" = 11 ]
	for box in off/a off/b; do
		diff <(cd "$HOME/one/$box" && content) <(cd "$HOME/two/$box" && content)
	done
	find "$HOME/two/off/a" -name '*,R' | grep -q .
}

# Subjects and flags of the Maildir here.
content() {
	for f in cur/* new/*; do
		[ -e "$f" ] || continue
		printf '%s %s\n' "$(grep -m1 '^Subject:' "$f" | tr -d '\r')" "$(sed 's/.*,//;/[^A-Z]/d' <<<"$f")"
	done | sort
}
