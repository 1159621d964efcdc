#!/usr/bin/env bats
# mox-setadminpassword, mox-loglevels, mox-cid.

bats_require_minimum_version 1.5.0
load helper
load faults

setup() {
	cd "$BATS_TEST_TMPDIR" && mkdir -p config data
	unset MOXCONF MOX_LOGLEVEL MOX_PEDANTIC
	cat >config/mox.conf <<'CONF'
DataDir: ../data
LogLevel: info
PackageLogLevels:
	store: debug
Hostname: mail.example.org
AdminPasswordFile: adminpasswd
Listeners:
	public:
		IPs:
			- 192.0.2.1
Postmaster:
	Account: mjl
	Mailbox: Postmaster
CONF
}

teardown() { stop_background; }

# ---- mox-setadminpassword ----

set_admin() { printf '%s\n' "$1" | mox setadminpassword; }

# Is it the password behind the hash?
verify() {
	python3 -W ignore - "$1" <<-'EOF'
	import ctypes, ctypes.util, sys
	crypt = ctypes.CDLL(ctypes.util.find_library("crypt")).crypt
	crypt.restype = ctypes.c_char_p
	want = open("config/adminpasswd", "rb").read()
	sys.exit(crypt(sys.argv[1].encode(), want) != want)
	EOF
}

@test "the admin password: a bcrypt hash, mode 0660, replaced whole" {
	run set_admin 'correct horse'
	[ "$status" = 0 ]
	[ "$output" = 'password: ' ]
	[[ $(cat config/adminpasswd) == '$2b$10$'* ]]
	[ "$(stat -c '%a %s' config/adminpasswd)" = '660 60' ]
	verify 'correct horse'
	! verify 'correct hors' || false
	# RFC 8265: other spaces are the same.
	set_admin $'p\u00e4ss\u00a0w\u00f6rd'
	verify $'p\u00e4ss w\u00f6rd'
}

@test "bad admin passwords are refused, and the old one stays" {
	set_admin 'correct horse'
	cp config/adminpasswd before
	local bad
	for bad in '' 1234567 $'tab\there here' $'bad \xff utf-8'; do
		run set_admin "$bad"
		[ "$status" = 1 ]
		[[ $output == *password* ]]
	done
	cmp before config/adminpasswd
	sed -i /AdminPasswordFile/d config/mox.conf
	run set_admin 'correct horse'
	[ "$status" = 1 ]
	[[ $output == *'AdminPasswordFile is not set'* ]]
	run mox setadminpassword x
	[ "$status" = 2 ]
}

@test "the admin password on a full or failing disk: 111, and the old one stays" {
	set_admin 'correct horse'
	cp config/adminpasswd before
	faulty_admin() { printf 'battery staple\n' | faulty "$PWD" "$@" mox-setadminpassword; }
	run faulty_admin FAULT_FULL=0
	[ "$status" = 111 ]
	run faulty_admin FAULT_FAIL='fsync:config/.adminpasswd*:1:EIO'
	[ "$status" = 111 ]
	cmp before config/adminpasswd
	killed() {
		local survived=0
		cp before config/adminpasswd
		faulty_admin "${KILL[@]}" >/dev/null 2>&1 || survived=1
		verify 'correct horse' || verify 'battery staple' || exit 1
		[ $survived = 1 ] || verify 'battery staple' || exit 1
		return $survived
	}
	kill_points before killed
	kill_points after killed
}

@test "the admin password set by root belongs to who reads it" {
	[ "$(id -u)" = 0 ] || skip 'not root'
	chown nobody data
	set_admin 'correct horse'
	[ "$(stat -c %U config/adminpasswd)" = nobody ]
	chown daemon config/adminpasswd
	set_admin 'battery staple'
	[ "$(stat -c %U config/adminpasswd)" = daemon ]
}

# ---- mox-loglevels ----

@test "log levels: shown, set, cleared" {
	run mox loglevels
	[ "$output" = $'(default): info\nstore: debug' ]
	mox loglevels trace smtpserver
	mox loglevels error
	mox loglevels warn store
	run mox loglevels
	[ "$output" = $'(default): error\nstore: warn\nsmtpserver: trace' ]
	[ "$(sort run/loglevels)" = $'- error\nsmtpserver trace\nstore warn' ]
	run mox loglevels -json
	[ "$(jq -c . <<<"$output")" = '{"":"error","store":"warn","smtpserver":"trace"}' ]
	mox loglevels '' smtpserver
	mox loglevels ''
	run mox loglevels
	[ "$output" = $'(default): info\nstore: warn' ]
}

@test "log levels: what is wrong" {
	run mox loglevels loud
	[ "$status" = 2 ]
	[[ $output == *'level must be error, warn,'* ]]
	run mox loglevels debug 'a b'
	[ "$status" = 2 ]
	run mox loglevels debug a b
	[ "$status" = 2 ]
	[ ! -e run/loglevels ]
	run faulty "$PWD" FAULT_FULL=0 mox-loglevels debug
	[ "$status" = 111 ]
}

@test "log levels of a running server change, and change back" {
	start_server -loglevel info
	export MOXCONF=$DIR/mox.conf
	log=$BATS_TEST_TMPDIR/server.log
	talk() {
		exec 5<>"/dev/tcp/$IP/1025"
		read -r line <&5
		printf 'NOOP %s\r\nQUIT\r\n' "$1" >&5
		cat <&5 >/dev/null
		exec 5>&-
	}
	traced() {
		talk "$1"
		sleep 0.2
		grep -q "< NOOP $1" "$log"
	}
	! traced before || false
	mox loglevels trace smtpserver
	eventually traced during
	mox loglevels '' smtpserver
	untraced() {
		n=$((n + 1))
		! traced "after$n"
	}
	n=0
	eventually untraced
}

# ---- mox-cid ----

@test "the id of a Received line leads to the log" {
	start_server -loglevel info
	export MOXCONF=$DIR/mox.conf
	PYTHONPATH=$BATS_TEST_DIRNAME IP=$IP DIR=$DIR python3 - <<-'EOF'
	from mailtest import *
	s = Smtp()
	s.expect(250, "MAIL FROM:<a@example.org>")
	s.expect(250, "RCPT TO:<mox@localhost>")
	s.expect(354, "DATA")
	s.expect(250, message() + ".")
	EOF
	id=$(tr '\n\t' '  ' <"$(ls "$(maildir)"/new/*)" | sed -n 's/.* id \([A-Za-z0-9_-]*\).*/\1/p')
	[ ${#id} = 22 ]
	run mox cid "$id"
	[ "$status" = 0 ]
	grep -q "cid=$output " "$BATS_TEST_TMPDIR/server.log"
	run mox cid "A${id:1}x"
	[ "$status" = 1 ]
	[[ $output == *'is no id of this host'* ]]
	run mox cid
	[ "$status" = 2 ]
}

@test "without a key no id is decoded, and none is made" {
	run mox cid yKx1KUXFPxMb1JnRSFO7Dw
	[ "$status" = 1 ]
	[[ $output == *'receivedid.key: No such file'* ]]
	[ ! -e data/receivedid.key ]
}

# ---- mox ----

@test "mox finds them all, and prints the help of all" {
	run mox help
	[ "$status" = 2 ]
	for c in cid clientconfig config loglevels setaccountpassword setadminpassword; do
		[[ $output == *"       mox $c ..."* ]]
		run --separate-stderr mox help $c
		[ "$status" = 0 ]
		[[ $output == "usage: mox-$c"* ]]
		run mox help
	done
	run --separate-stderr mox helpall
	[ "$status" = 0 ]
	[ -z "$output" ]
	[[ $stderr == *'# mox config'*'mox config account add account address'*'# mox loglevels'* ]]
}
