#!/usr/bin/env bats
# mox-setaccountpassword, and what it writes as others read it.

load helper
load faults

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p data
	cat >mox.conf <<'CONF'
DataDir: data
LogLevel: info
Hostname: mail.example.org
Listeners:
	local:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: alice
	Mailbox: Inbox
CONF
	cat >domains.conf <<'CONF'
Domains:
	example.org: nil
Accounts:
	alice:
		Domain: example.org
		Destinations:
			alice@example.org: nil
CONF
}

set_password() {
	local password=$1
	shift
	printf '%s\n' "$password" | mox-setaccountpassword -config mox.conf "$@"
}

# The value of a scheme in alice's file.
value() { sed -n "s/^$1 //p" data/auth/alice; }

@test "sets a password, mode 0600, and only schemes that are needed" {
	set_password 'correct horse' alice
	[ "$(stat -c %a data/auth/alice)" = 600 ]
	[ "$(stat -c %a data/auth)" = 700 ]
	[ "$(cut -d' ' -f1 data/auth/alice | tr '\n' ' ')" = 'SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 ' ]
	[ -z "$(find data/auth -name '.*.tmp')" ]
}

@test "prompts, without showing what it reads" {
	run set_password 'correct horse' alice
	[ "$status" = 0 ]
	[ "$output" = 'password: ' ]
}

@test "a new password gives new salts" {
	set_password 'correct horse' alice
	cp data/auth/alice before
	set_password 'correct horse' alice
	! cmp -s before data/auth/alice
}

@test "-bcrypt adds a hash of cost 10" {
	set_password 'correct horse' -bcrypt alice
	[[ $(value CRYPT) == '$2b$10$'* ]]
}

@test "refuses short and malformed passwords, and keeps the old one" {
	set_password 'correct horse' alice
	cp data/auth/alice before
	local bad
	for bad in '' 1234567 $'tab\there here' $'bad \xff utf-8'; do
		run set_password "$bad" alice
		[ "$status" = 1 ]
		[[ $output == *password* ]]
	done
	run mox-setaccountpassword -config mox.conf alice </dev/null
	[ "$status" = 1 ]
	cmp before data/auth/alice
}

@test "an account must exist, or -force" {
	run set_password 'correct horse' bob
	[ "$status" = 1 ]
	[[ $output == *'no account "bob"'* ]]
	run set_password 'correct horse' alice@example.org
	[ "$status" = 1 ]
	[ ! -e data/auth/bob ]
	set_password 'correct horse' -force bob
	[ -e data/auth/bob ]
}

@test "an account just added to domains.conf is known" {
	set_password 'correct horse' alice
	cat >>domains.conf <<'CONF'
	bob:
		Domain: example.org
		Destinations:
			bob@example.org: nil
CONF
	set_password 'correct horse' bob
	[ -e data/auth/bob ]
}

@test "-dir names the folder of mox.conf" {
	cd /
	printf 'correct horse\n' |
		mox-setaccountpassword -dir "$BATS_TEST_TMPDIR" alice
	[ -s "$BATS_TEST_TMPDIR/data/auth/alice" ]
}

@test "wrong usage is 2" {
	run mox-setaccountpassword -config mox.conf
	[ "$status" = 2 ]
	run mox-setaccountpassword -config mox.conf alice bob
	[ "$status" = 2 ]
	run mox-setaccountpassword -nosuch alice
	[ "$status" = 2 ]
	run mox-setaccountpassword -dir . -config mox.conf alice
	[ "$status" = 2 ]
}

# Set a new password on a disk with faults.
set_faulty() {
	printf 'battery staple\n' |
		faulty "$PWD/data" "$@" mox-setaccountpassword -config mox.conf alice
}

@test "a disk that is full or fails is 111, and the old password stays" {
	set_password 'correct horse' alice
	cp data/auth/alice before
	run set_faulty FAULT_FULL=0
	[ "$status" = 111 ]
	cmp before data/auth/alice
	run set_faulty FAULT_FAIL='fsync:auth/.alice*:1:EIO'
	[ "$status" = 111 ]
	cmp before data/auth/alice
	[ -z "$(find data/auth -name '.*.tmp')" ]
}

# The old file or the new one, whole; and the new one once that was said.
whole() {
	[ "$(cut -d' ' -f1 "$1/auth/alice" | tr '\n' ' ')" = 'SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 ' ] &&
		[ "$(tail -c1 "$1/auth/alice" | od -An -c | tr -d ' ')" = '\n' ]
}

killed() {
	local survived=0
	cp before data/auth/alice
	set_faulty "${KILL[@]}" >/dev/null 2>&1 || survived=1
	whole data || exit 1
	[ $survived = 1 ] || ! cmp -s before data/auth/alice || exit 1
	return $survived
}

@test "killed at any call, it leaves a whole file" {
	set_password 'correct horse' alice
	cp data/auth/alice before
	kill_points before killed
	kill_points half killed
	kill_points after killed
}

@test "a power cut leaves a whole file, and the new one once it is done" {
	set_password 'correct horse' alice
	cp data/auth/alice before
	powercut begin data trace
	set_faulty FAULT_TRACE="$PWD/trace" >/dev/null
	export -f whole
	echo "mark x$(printf done | od -An -tx1 | tr -d ' \n')" >>trace
	powercut check trace work bash -c 'whole "$0" &&
		if [ -s "$POWERCUT_MARKS" ]; then ! cmp -s before "$0/auth/alice"; fi'
}

@test "root's files belong to the owner of data" {
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 711 "$BATS_TEST_TMPDIR" .
	chmod 644 mox.conf domains.conf
	chown -R nobody data
	set_password 'correct horse' alice
	[ "$(stat -c %U data/auth/alice)" = nobody ]
}

@test "Dovecot takes the same hashes for the password" {
	need doveadm
	set_password 'correct horse' -bcrypt alice
	local scheme
	for scheme in SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 CRYPT; do
		doveadm pw -t "{$scheme}$(value $scheme)" -p 'correct horse'
		run doveadm pw -t "{$scheme}$(value $scheme)" -p 'correct hors'
		[ "$status" != 0 ]
	done
}

@test "Python derives the same keys" {
	need python3
	set_password 'pässwörd 1' alice
	python3 - data/auth/alice <<-'PY'
		import base64, hashlib, hmac, sys
		lines = dict(l.split(' ', 1) for l in open(sys.argv[1]))
		password = 'pässwörd 1'.encode()
		for name, hash, count in (('SCRAM-SHA-256', 'sha256', 4096),
		                          ('SCRAM-SHA-1', 'sha1', 8192)):
		    n, *rest = lines[name].strip().split(',')
		    salt, stored, server = map(base64.b64decode, rest)
		    assert int(n) == count and len(salt) == 16
		    salted = hashlib.pbkdf2_hmac(hash, password, salt, count)
		    client = hmac.digest(salted, b'Client Key', hash)
		    assert hashlib.new(hash, client).digest() == stored
		    assert hmac.digest(salted, b'Server Key', hash) == server
	PY
}
