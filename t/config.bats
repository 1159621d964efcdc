#!/usr/bin/env bats
# mox-config, the front command, the samples and manual pages in conf/.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" && mkdir -p config secret/tls
	unset MOXCONF MOX_LOGLEVEL MOX_PEDANTIC
	cp "$TOP/conf/mox.conf" "$TOP/conf/domains.conf" config/
	# The test's user rather than mox, who may not exist.
	sed -i "s/^User: .*/User: $(id -un)/" config/mox.conf
}

# A key and certificate as the sample names them.
make_cert() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout secret/tls/mail.example.org.key.pem \
	    -out secret/tls/mail.example.org-chain.crt.pem \
	    -subj /CN=mail.example.org -days 2 2>/dev/null
}

# The line of the file that matches, for expected messages.
line_of() { grep -n -m 1 -- "$2" "$1" | cut -d: -f1; }

@test "config: the samples are good" {
	make_cert
	run --separate-stderr mox-config test
	[ "$status" = 0 ]
	[ "$output" = "config OK" ]
	# All they say besides: a field of a later version.
	[ "$stderr" = "config/domains.conf:$(line_of config/domains.conf FullName): warning: FullName: not in effect yet" ]
}

@test "config: lines that are commented out in the samples are good too" {
	make_cert
	sed -i -E 's/^(\t*)#(\t*[A-Za-z]+:( .*)?|\t*- .*)$/\1\2/' config/*.conf
	grep -q '^	Connections: 2000' config/mox.conf
	run mox-config test
	echo "$output"
	[ "$status" = 0 ]
}

@test "config: all problems of both files, with their lines" {
	sed -i 's/^LogLevel: .*/LogLevel: loud/; s/^Postmaster:/postmaster:/' config/mox.conf
	sed -i 's/^\t\tQuotaMessageSize: .*/        QuotaMessageSize: 1/' config/domains.conf
	run --separate-stderr mox-config test
	[ "$status" = 1 ]
	[ "$output" = "" ]
	echo "$stderr"
	grep -q "^config/mox.conf:$(line_of config/mox.conf loud): LogLevel: must be error, " <<<"$stderr"
	grep -q "^config/mox.conf:$(line_of config/mox.conf postmaster:): unknown key \"postmaster\": write it \"Postmaster\"$" <<<"$stderr"
	grep -q "^config/mox.conf: Postmaster: required field is missing$" <<<"$stderr"
	grep -q "^config/domains.conf:$(line_of config/domains.conf Quota): space in the indentation: indent with tabs" <<<"$stderr"
	grep -q 'CertFile: "config/../secret/tls/mail.example.org-chain.crt.pem": no such file' <<<"$stderr"
}

@test "config: keys that do not fit, and DKIM keys" {
	make_cert
	openssl genpkey -algorithm ed25519 -out secret/tls/mail.example.org.key.pem
	openssl genrsa 512 >config/weak.pem 2>/dev/null ||
		openssl genrsa 1024 >config/weak.pem 2>/dev/null
	echo nothing >config/none.pem
	cp secret/tls/mail.example.org.key.pem config/ed.pem
	sed -i '0,/^\t\tDMARC:/s//\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ta:\n\t\t\t\t\tHash: sha1\n\t\t\t\t\tPrivateKeyFile: ed.pem\n\t\t\t\tb:\n\t\t\t\t\tPrivateKeyFile: none.pem\n\t\tDMARC:/' config/domains.conf
	run mox-config test
	[ "$status" = 1 ]
	[[ $output == *"config/mox.conf:$(line_of config/mox.conf KeyFile:): KeyFile: \"../secret/tls/mail.example.org.key.pem\" is not the key of the certificate"* ]]
	[[ $output == *"config/domains.conf:$(line_of config/domains.conf sha1): Hash: must be sha256 for an ed25519 key"* ]]
	[[ $output == *"config/domains.conf:$(line_of config/domains.conf none.pem): PrivateKeyFile: \"none.pem\" holds no private key in PEM without password"* ]]
}

@test "config: no file, no user, wrong level from the environment" {
	make_cert
	MOXCONF=/nonexistent/mox.conf run mox-config test
	[ "$status" = 1 ]
	[ "$output" = "/nonexistent/mox.conf: open: No such file or directory" ]
	rm config/domains.conf
	sed -i 's/^User: .*/User: no-such-user/' config/mox.conf
	MOX_LOGLEVEL=loud run mox-config -config config/mox.conf test
	[ "$status" = 1 ]
	[[ $output == *"MOX_LOGLEVEL: must be error,"* ]]
	[[ $output == *"config/domains.conf: open: No such file or directory"* ]]
	[[ $output == *'User: there is no user "no-such-user" on this host'* ]]
}

@test "config: descriptions have every field and keep to 80 columns" {
	for what in static domains sendmail; do
		mox-config describe-$what >$what
		[ -s $what ]
		! expand $what | grep -E '^ *#.{80}' || false
	done
	grep -q '^DataDir:$' static
	grep -q '^	x:$' static
	grep -q '^		SMTP:$' static
	grep -q '^			Port: 25$' static
	grep -q '^						SMTPMailFromRegexp:$' domains
	grep -q '(optional)$' domains
	grep -q '^AuthMethod:$' sendmail
}

@test "config: examples are good" {
	make_cert
	run mox-config example
	[ "$output" = "transport
webhandlers" ]
	mox-config example webhandlers >>config/domains.conf
	mox-config example transport | sed '/^# In domains.conf/,$d' >>config/mox.conf
	mox-config example transport | sed '1,/^# In domains.conf/d' >>config/domains.conf
	sed -i 's/^\tinternal:/\t\tWebserverHTTP:\n\t\t\tEnabled: true\n&/' config/mox.conf
	run mox-config test
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"WebHandlers: not in effect yet"* ]]
	run mox-config example none
	[ "$status" = 2 ]
}

@test "config: wrong usage" {
	run mox-config
	[ "$status" = 2 ]
	run mox-config frobnicate
	[ "$status" = 2 ]
	run mox-config test more
	[ "$status" = 2 ]
	run mox-config manual
	[ "$status" = 2 ]
}

@test "config: manual pages have the fields of the tables" {
	"$TOP/conf/fields" -n
}

@test "mox: finds programs, passes flags on" {
	make_cert
	run mox config test
	[[ $output == *"config OK"* ]]
	mv config elsewhere
	run mox -config elsewhere/mox.conf -pedantic --loglevel=debug config test
	[[ $output == *"config OK"* ]]
	mkdir -p prefix/bin prefix/libexec/mox
	cp "$TOP/bin/mox" prefix/bin/
	printf '#!/bin/sh\necho "$MOXCONF $MOX_LOGLEVEL $MOX_PEDANTIC $*"\n' \
		>prefix/libexec/mox/mox-show
	chmod +x prefix/libexec/mox/mox-show
	ln -s prefix/bin/mox mox
	run ./mox -config 'a b' -loglevel trace -pedantic show -x 'c d'
	[ "$output" = "a b trace 1 -x c d" ]
	run ./mox help
	[[ $output == *"mox show"* ]]
	run ./mox help show
	[ "$output" = "   -help" ]
	cp prefix/libexec/mox/mox-show prefix/libexec/mox/mox-sendmail
	ln -s mox sendmail
	run ./sendmail -t
	[ "$output" = "   -t" ]
}

@test "mox: version, unknown command, no command" {
	run mox version
	[ "$status" = 0 ]
	[[ ${lines[0]} =~ ^mox\ [0-9]+\.[0-9]+ ]]
	[[ ${lines[1]} == linux/* ]]
	run mox no-such-thing
	[ "$status" = 2 ]
	run mox ../evil
	[ "$status" = 2 ]
	run mox
	[ "$status" = 2 ]
	run mox -config
	[ "$status" = 2 ]
	run mox -wrong config test
	[ "$status" = 2 ]
}
