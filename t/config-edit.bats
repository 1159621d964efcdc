#!/usr/bin/env bats
# mox-config's commands that change domains.conf, and what asks about it.

bats_require_minimum_version 1.5.0
load helper
load faults

setup() {
	cd "$BATS_TEST_TMPDIR" && mkdir -p config data
	unset MOXCONF MOX_LOGLEVEL MOX_PEDANTIC
	cat >config/mox.conf <<'CONF'
DataDir: ../data
LogLevel: info
Hostname: mail.example.org
User: USER
Listeners:
	public:
		IPs:
			- 192.0.2.1
		SMTP:
			Enabled: true
			NoSTARTTLS: true
		IMAP:
			Enabled: true
			NoRequireSTARTTLS: true
Postmaster:
	Account: mjl
	Mailbox: Postmaster
CONF
	sed -i "s,USER,$(id -un)," config/mox.conf
	cat >config/domains.conf <<'CONF'
# All of it.
Domains:
	# The domain.
	example.org:
		LocalpartCatchallSeparator: +
Accounts:
	# The first.
	mjl:
		Domain: example.org
		Destinations:
			mjl@example.org: nil
			@example.org: nil
# The end.
CONF
	cp config/domains.conf before
}

teardown() { stop_background; }

refused() {
	local status_wanted=$1 text=$2
	shift 2
	cp config/domains.conf refused.before
	run --separate-stderr mox config "$@"
	echo "$stderr"
	[ "$status" = "$status_wanted" ]
	[ -z "$output" ]
	[[ $stderr == *"$text"* ]]
	cmp refused.before config/domains.conf
}

@test "an account: added, listed, disabled, found, removed; the file is as before" {
	run mox config account add anna anna@example.org
	[ "$status" = 0 ]
	[[ $output == *"mox setaccountpassword anna"* ]]
	printf 'correct horse\n' | mox setaccountpassword anna
	[ -e data/auth/anna ]
	mkdir -p data/accounts/anna/Maildir/cur
	touch data/accounts/anna/Maildir/cur/1
	run mox config account list
	[ "$output" = $'anna\nmjl' ]
	mox config account disable anna 'not now'
	run mox config account list
	[ "$output" = $'anna\t(disabled)\nmjl' ]
	mox config account enable anna
	mox config address add sales@example.org anna
	run mox config account addresses anna
	[ "$output" = $'anna@example.org\nsales@example.org' ]
	run mox config address account SALES+x@example.org
	[ "$output" = anna ]
	run mox config address account any@example.org
	[ "$output" = mjl ]
	mox config address rm sales@example.org
	run mox config account rm anna
	[ "$output" = 'account removed' ]
	cmp before config/domains.conf
	[ ! -e data/auth/anna ]
	[ -z "$(ls -A data/accounts)" ]
}

@test "a domain: added with keys, disabled, its records, removed; keys are put aside" {
	run mox config domain add -disabled bücher.example bob b
	[ "$status" = 0 ]
	grep -q '^		Disabled: true$' config/domains.conf
	mox config domain enable xn--bcher-kva.example
	! grep -q Disabled config/domains.conf || false
	mox config test
	run mox config account addresses bob
	[ "$output" = $'b@xn--bcher-kva.example\npostmaster@xn--bcher-kva.example' ]
	[ "$(ls config/dkim | wc -l)" = 2 ]
	[ "$(stat -c %a config/dkim config/dkim/* | sort -u | tr '\n' ' ')" = '600 700 ' ]
	openssl pkey -in config/dkim/*a._domainkey.* -noout
	mox config dnsrecords -offline bücher.example >zone
	grep -q '^xn--bcher-kva.example. MX 10 mail.example.org.$' zone
	grep -q '^[0-9]*a._domainkey.xn--bcher-kva.example. TXT ($' zone
	# What is published is the public half of the file.
	p=$(openssl pkey -in config/dkim/*a._domainkey.* -pubout -outform DER | base64 -w0)
	published=$(sed -n '/a._domainkey/,/^	)/p' zone | sed -n 's/^		"\(.*\)"/\1/p' | tr -d '\n')
	[ "$published" = "v=DKIM1;h=sha256;p=$p" ]
	refused 1 'Destinations: the domain of "b@bücher.example" is none of Domains' domain rm bücher.example
	mox config address rm b@bücher.example
	mox config domain rm bücher.example
	mox config account rm bob
	cmp before config/domains.conf
	[ "$(ls config/dkim)" = old ]
	[ "$(ls config/dkim/old | wc -l)" = 2 ]
}

@test "keys are with other secrets if these have a folder" {
	mkdir secret
	mox config domain add new.example mjl
	grep -q 'PrivateKeyFile: ../secret/dkim/' config/domains.conf
	mox config test
	mox config domain rm new.example
	[ "$(ls secret/dkim/old | wc -l)" = 2 ]
}

@test "an alias: added, changed, printed, removed" {
	mox config account add anna anna@example.org
	cp config/domains.conf before
	mox config alias add team@example.org mjl@example.org
	mox config alias addaddr team@example.org anna@example.org
	mox config alias update team@example.org -postpublic false -allowmsgfrom true
	run mox config alias print team@example.org
	[ "$output" = '# postpublic false
# listmembers false
# allowmsgfrom true
# members:
mjl@example.org
anna@example.org' ]
	mox config alias update -postpublic=true team@example.org
	run mox config alias print -json team@example.org
	[ "$(jq -c '[.PostPublic, .ListMembers, .AllowMsgFrom, .Addresses[]]' <<<"$output")" = \
		'[true,false,true,"mjl@example.org","anna@example.org"]' ]
	run mox config alias list example.org
	[ "$output" = team@example.org ]
	mox config alias rmaddr team@example.org mjl@example.org
	refused 1 'is the last member of alias team@example.org' address rm anna@example.org
	refused 1 '-postpublic must be true or false, not "yes"' alias update team@example.org -postpublic yes
	refused 1 'there is no alias x@example.org' alias print x@example.org
	mox config alias rm team@example.org
	cmp before config/domains.conf
}

@test "TLS keys: made, added, listed; addresses they use stay" {
	run --separate-stderr mox config tlspubkey gen laptop
	[ "$status" = 0 ]
	seed=$(sed -n 's/^ed25519 private key, raw base64url: //p' <<<"$stderr")
	fingerprint=$(sed -n 's/^fingerprint: //p' <<<"$stderr")
	[ ${#seed} = 43 ]
	[ ${#fingerprint} = 43 ]
	key=$(ls laptop.*.ed25519privatekey.pkcs8.pem) cert=$(ls laptop.*.certificate.pem)
	[ "$(stat -c %a "$key")" = 600 ]
	[ "$(openssl pkey -in "$key" -pubout)" = "$(openssl x509 -in "$cert" -noout -pubkey)" ]
	[ "$(openssl x509 -in "$cert" -noout -pubkey | openssl pkey -pubin -outform DER |
		openssl sha256 -binary | base64 | tr '+/' '-_' | tr -d =)" = "$fingerprint" ]
	[ "$(cat laptop.*.ed25519privatekey-certificate.pem)" = "$(cat "$key" "$cert")" ]
	mox config account add anna anna@example.org
	mox config address add x@example.org anna
	run mox config tlspubkey add -no-imap-preauth x@example.org 'my "laptop"' <"$cert"
	[ "$output" = "$fingerprint" ]
	run mox config tlspubkey list
	[ "${lines[0]}" = '# 1 keys: fingerprint, type, name, account, login address, no imap preauth' ]
	[ "${lines[1]}" = "$fingerprint"$'\ted25519\t"my \\"laptop\\""\tanna\tx@example.org\ttrue' ]
	run mox config tlspubkey get "$fingerprint"
	[ "$(sed -n '/BEGIN/,$p' <<<"$output")" = "$(cat "$cert")" ]
	[[ $output == *'type: ed25519'* ]]
	refused 1 "x@example.org is used by TLS public key $fingerprint" address rm x@example.org
	refused 1 "x@example.org is used by TLS public key $fingerprint" domain rm example.org
	refused 1 'is no address of an account' tlspubkey add x@other.example </dev/null
	refused 1 'no certificate in PEM' tlspubkey add x@example.org </dev/null
	mox config tlspubkey rm "$fingerprint"
	refused 1 "there is no key $fingerprint" tlspubkey rm "$fingerprint"
	mox config address rm x@example.org
	# The common name is the name if there is none.
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out rsa.pem -subj /CN=desk 2>/dev/null
	mox config tlspubkey add anna@example.org <rsa.pem
	run mox config tlspubkey list -json anna
	[ "$(jq -c '.[] | [.Type, .Name, .NoIMAPPreauth]' <<<"$output")" = '["rsa-2048","desk",false]' ]
	# They go with the account.
	mox config account rm anna
	run mox config tlspubkey list
	[ "${#lines[@]}" = 1 ]
}

@test "queued messages: their senders stay, unless the account goes" {
	mox config account add anna anna@example.org
	mox config address add x@example.org anna
	id=$("$MOX_T/bin/queuectl" -account anna -from x@example.org -until 3600 data b@far.example <<<hello)
	refused 1 "x@example.org is used by queued message $id" address rm x@example.org
	mkdir -p data/queue/hold data/queue/msg/${id:16}
	# as mox-queued expands it
	{ echo 'mox-item 1'; sed -n '2,/^$/p' "data/queue/todo/$id" | sed '/^$/d'; echo 'offset 1'; } >"data/queue/hold/$id.1"
	mv "data/queue/todo/$id" "data/queue/msg/${id:16}/$id.1"
	refused 1 "x@example.org is used by queued message $id.1" address rm x@example.org
	mox config address rm anna@example.org
	mox queue suppress add anna b@far.example
	[ -e data/queue/suppress/anna ]
	mox config account rm anna
	[ ! -e data/queue/suppress/anna ]
	grep -q '^cancel ' "data/queue/due/now/$id.1"
	[ ! -e "data/queue/hold/$id.1" ]
}

@test "what would not load is refused, with file, line, field and reason" {
	refused 1 'config/domains.conf:13: Destinations: the domain of "x@other.example" is none of Domains
mox-config: refused, nothing was changed' address add x@other.example mjl
	refused 1 'config/domains.conf:9: Destinations' domain rm example.org
	refused 1 'config/mox.conf:16: Postmaster: there is no account "mjl" in domains.conf' account rm mjl
	refused 1 'mox-config: there is no account "nobody"' account rm nobody
	refused 1 'a message for users is needed' account disable mjl ''
	sed -i 's/^	mjl:/    mjl:/' config/domains.conf
	refused 1 'config/domains.conf:8: space in the indentation: indent with tabs' account add x x@example.org
}

@test "two at once lose nothing" {
	pids=
	for i in 1 2 3 4 5 6; do
		(for k in 1 2 3 4 5; do mox config address add "a$i.$k@example.org" mjl || exit; done) &
		pids+=" $!"
	done
	for p in $pids; do wait "$p"; done
	[ "$(mox config account addresses mjl | grep -c '^a')" = 30 ]
	grep -v '@example.org: nil' config/domains.conf >left
	grep -v '@example.org: nil' before | cmp - left
}

@test "killed at any call, it leaves the old file or the new one" {
	mox config address add new@example.org mjl
	cp config/domains.conf after
	killed() {
		local survived=0
		cp before config/domains.conf
		rm -rf data/lookup config/dkim
		faulty "$PWD" "${KILL[@]}" mox-config address add new@example.org mjl >/dev/null 2>&1 || survived=1
		cmp -s before config/domains.conf || cmp config/domains.conf after || exit 1
		[ $survived = 1 ] || cmp config/domains.conf after || exit 1
		# And the next one works.
		mox config account disable mjl x || exit 1
		return $survived
	}
	kill_points before killed
	kill_points half killed
	kill_points after killed
}

@test "a disk that is full or fails: 111, and the old file stays" {
	run faulty "$PWD" FAULT_FULL=0 mox-config account disable mjl x
	[ "$status" = 111 ]
	cmp before config/domains.conf
	run faulty "$PWD" FAULT_FAIL='fsync:config/.domains.conf*:1:EIO' mox-config account disable mjl x
	[ "$status" = 111 ]
	cmp before config/domains.conf
	[ -z "$(find config -name '.*.tmp')" ]
	run faulty "$PWD" FAULT_FULL=0 mox-config domain add new.example mjl
	[ "$status" = 111 ]
	[ -z "$(find config/dkim -type f)" ]
}

@test "a power cut leaves the old file or the new one, and the new one once it is said" {
	mkdir -p data/lookup data/auth
	mox config account list >/dev/null
	powercut begin config trace
	faulty "$PWD/config" FAULT_TRACE="$PWD/trace" mox-config account disable mjl x
	echo "mark x$(printf done | od -An -tx1 | tr -d ' \n')" >>trace
	cp config/domains.conf after
	powercut check trace work bash -c 'cmp -s "$0/domains.conf" after ||
		{ [ ! -s "$POWERCUT_MARKS" ] && cmp -s "$0/domains.conf" before; }'
}

@test "a running server takes a new address within a second, and refuses a removed one" {
	IP=$(own_ip)
	sed -i "s/192.0.2.1/$IP/; s/^\t\t\tNoSTARTTLS/\t\t\tPort: 1025\n&/" config/mox.conf
	sed -i '/@example.org: nil/{/mjl/!d}' config/domains.conf
	mkdir run
	# Senders are looked up, and several recipients need SPF.
	printf '%s\n' "example.net A $IP" 'example.net TXT "v=spf1 +all"' >zone
	export MOX_DNS_ZONE=$PWD/zone
	background mox-listen mox-smtpd 2>server.log
	eventually port_open "$IP" 1025
	rcpt() {
		PYTHONPATH=$BATS_TEST_DIRNAME IP=$IP DIR=$PWD python3 - "$1" "$2" <<-'EOF'
		import sys
		from mailtest import *
		s = Smtp()
		s.expect(250, "MAIL FROM:<a@example.net>")
		# A sole recipient who is unknown is refused after DATA only.
		s.expect(250, "RCPT TO:<mjl@example.org>")
		eq(s.cmd("RCPT TO:<%s>" % sys.argv[1])[0], int(sys.argv[2]))
		EOF
	}
	rcpt new@example.org 550
	mox config address add new@example.org mjl
	eventually rcpt new@example.org 250
	rcpt bob@new.example 550
	mox config domain add new.example bob bob
	eventually rcpt bob@new.example 250
	mox config domain disable new.example
	eventually rcpt bob@new.example 450
	mox config address rm new@example.org
	eventually rcpt new@example.org 550
}

@test "root's files belong to the owner of data" {
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 711 "$BATS_TEST_TMPDIR" .
	chown -R nobody data
	chown daemon config/domains.conf
	chmod 640 config/domains.conf
	chmod 755 config
	chmod 644 config/mox.conf
	chgrp nogroup config/domains.conf
	chown -R :nogroup data
	mox config domain add new.example mjl
	[ "$(stat -c '%U %a' config/domains.conf)" = 'daemon 640' ]
	[ "$(stat -c %U config/dkim config/dkim/* | sort -u)" = nobody ]
	[ "$(stat -c %U data/lookup/* | sort -u)" = nobody ]
	[ -s data/lookup/domains.cdb ]
}

@test "client settings, as a program of its own too" {
	run mox clientconfig example.org
	[ "$status" = 0 ]
	[[ ${lines[0]} == Protocol*Host*Port*Listener*Note ]]
	[[ ${lines[1]} == *mail.example.org*143*public*'plain text, no STARTTLS configured' ]]
	run mox config clientconfig -json example.org
	[ "$(jq -c '.[0] | [.Protocol, .Port]' <<<"$output")" = '["IMAP",143]' ]
	run mox clientconfig other.example
	[ "$status" = 1 ]
	run mox clientconfig
	[ "$status" = 2 ]
}

@test "a unit for systemd" {
	mkdir "a b%c" && cd "a b%c"
	mox config printservice >mox.service
	grep -q "^WorkingDirectory=$BATS_TEST_TMPDIR/a b%%c$" mox.service
	grep -q '^ExecStart=".*/mox-serve" -config config/mox.conf$' mox.service
	command -v systemd-analyze >/dev/null || return 0
	run systemd-analyze verify --man=no ./mox.service
	echo "$output"
	[[ $output != *mox.service:* ]]
}

@test "host keys that listeners with ACME lack are made" {
	run --separate-stderr mox config ensureacmehostprivatekeys
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	mkdir secret
	sed -i 's/^Listeners:/ACME:\n\tle:\n\t\tDirectoryURL: https:\/\/acme.example\/\n\t\tContactEmail: a@example.org\n&/
		s/^\t\tSMTP:/\t\tTLS:\n\t\t\tACME: le\n&/' config/mox.conf
	run --separate-stderr mox config ensureacmehostprivatekeys
	[ "$status" = 0 ]
	[[ ${lines[2]} == $'\t\t\t\t- ../secret/hostkeys/mail.example.org.'*.ecdsap256.privatekey.pkcs8.pem ]]
	[[ ${lines[3]} == *.rsa2048.privatekey.pkcs8.pem ]]
	[ "$(stat -c %a secret/hostkeys/* | sort -u)" = 600 ]
	openssl pkey -in secret/hostkeys/*ecdsap256* -noout -text | grep -q prime256v1
	# One is named: the other is made, and both are printed.
	sed -i "s,^\t\t\tACME: le,&\n\t\t\tHostPrivateKeyFiles:\n${lines[2]}," config/mox.conf
	rm secret/hostkeys/*rsa2048*
	run --separate-stderr mox config ensureacmehostprivatekeys
	[ "${#lines[@]}" = 4 ]
	sed -i "s,^\t\t\t\t- ../secret.*,&\n${lines[3]}," config/mox.conf
	run --separate-stderr mox config ensureacmehostprivatekeys
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	mox config test
	[ "$(mox config dnsrecords -offline example.org | grep -c '^;; _25._tcp.mail.example.org. TLSA 3 1 1')" = 2 ]
}

@test "help of commands and wrong usage" {
	run mox config
	[ "$status" = 2 ]
	[[ $output == *'mox config account add account address'* ]]
	run mox config alias
	[ "$status" = 2 ]
	[[ ${lines[0]} == 'usage: mox config alias list'* ]]
	run mox config account add
	[ "$status" = 2 ]
	run mox config account add a b c
	[ "$status" = 2 ]
	run mox config account frob
	[ "$status" = 2 ]
	[[ $output == *unknown* ]]
	run mox config account add -help
	[ "$status" = 0 ]
	[[ ${lines[0]} == 'usage: mox-config account add account address' ]]
	run mox help config account add
	[ "$status" = 0 ]
	[[ $output == *'Add an account with an address.'* ]]
	run mox help config alias
	[ "$status" = 0 ]
	[[ ${lines[0]} == 'usage: mox config alias list'* ]]
	run mox help config nosuch
	[ "$status" = 2 ]
}
