# mx.bash - mail servers with faults, certificates for them, behind a DNS of
# one's own. `load helper`, `load mx`; in setup_file:
#
#	mx_begin				$MX, a CA in $MX/ca.pem
#	mx_cert good mail.example.org		$MX/good.pem: key and chain
#	mx_host good cert=$MX/good.pem		its address is in $ADDRESS
#	mx_start
#
# With a signed DNS (load dns): mx_dns, then dns_zone example.org <<EOF ...
# with $(tlsa 3 1 1 good) and $(mx_address good), dns_start. t/bin/fake-mx says
# what faults there are; mx_fault changes those of a host. Servers listen on
# $MX_PORT, to which mox-remote connects; what has to be 25 needs root.

mx_begin() {
	need openssl python3
	export MX=$BATS_FILE_TMPDIR/mx MX_PORT=${MX_PORT:-2525}
	export MOX_SMTP_PORT=$MX_PORT
	[ "$MX_PORT" != 25 ] || [ "$(id -u)" = 0 ] || skip "port 25 is root's"
	mkdir "$MX"
	: >"$MX/hosts"
	mx_root ca "Test CA"
}

mx_dns() {
	need nsd ldns-signzone ldns-keygen
	export DNS_DIR=$BATS_FILE_TMPDIR/dns
	DNS_IP=$(own_ip) && export DNS_IP
}

# A CA: $MX/NAME.pem, $MX/NAME.key
mx_root() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$MX/$1.key" -out "$MX/$1.pem" -days 9 -subj "/CN=$2" \
		2>/dev/null
}

# mx_cert FILE NAME [DAYS [CA]]: expired yesterday, if DAYS is -1.
mx_cert() {
	local ca=${4:-ca} from to
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$MX/$1.key" -out "$MX/$1.csr" -subj "/CN=$2" 2>/dev/null
	from=$(date -u -d '-9 days' +%Y%m%d000000Z)
	to=$(date -u -d "${3:-9} days" +%Y%m%d%H%M%SZ)
	: >"$MX/$1.db"
	printf '%s\n' '[ca]' 'default_ca=c' '[c]' "database=$MX/$1.db" \
		"new_certs_dir=$MX" 'default_md=sha256' 'policy=p' 'rand_serial=yes' \
		'unique_subject=no' '[p]' 'commonName=supplied' '[x]' \
		"subjectAltName=DNS:$2" >"$MX/$1.conf"
	openssl ca -batch -notext -config "$MX/$1.conf" -extensions x \
		-startdate "$from" -enddate "$to" -in "$MX/$1.csr" \
		-cert "$MX/$ca.pem" -keyfile "$MX/$ca.key" -out "$MX/$1.crt" \
		2>"$MX/$1.log" || { cat "$MX/$1.log"; return 1; }
	cat "$MX/$1.key" "$MX/$1.crt" "$MX/$ca.pem" >"$MX/$1.pem"
}

# The value of a TLSA record: tlsa USAGE SELECTOR MATCH FILE, of $MX/FILE.pem.
tlsa() { env -u MOX_DNS_ZONE mox-dane makerecord "$1" "$2" "$3" "$MX/$4.pem"; }

mx_host() {
	local name=$1
	shift
	ADDRESS=${ADDRESS_GIVEN:-$(own_ip)}
	printf '%s %s' "$name" "$ADDRESS" >>"$MX/hosts"
	printf ' %q' "$@" >>"$MX/hosts"
	echo >>"$MX/hosts"
}

mx_address() { awk -v n="$1" '$1 == n { print $2 }' "$MX/hosts"; }

# Other faults, from the next connection on.
mx_fault() {
	local name=$1 address
	address=$(mx_address "$1")
	shift
	{
		grep -v "^$name " "$MX/hosts"
		printf '%s %s' "$name" "$address"
		printf ' %q' "$@"
		echo
	} >"$MX/hosts.new"
	mv "$MX/hosts.new" "$MX/hosts"
}

mx_start() {
	fake_mx "$MX" "$MX_PORT"
	export BACKGROUND_PIDS
}

# The servers of FOLDER/hosts: fake_mx FOLDER PORT
fake_mx() {
	rm -f "$1/ready"
	background "$TOP/t/bin/fake-mx" -port "$2" "$1" 2>>"$1/fake-mx.log"
	eventually test -e "$1/ready"
}

# One by itself, in a folder of its own: mx_alone FOLDER NAME ADDRESS PORT FAULT...
mx_alone() {
	local folder=$1 port=$4
	mkdir -p "$folder"
	{
		printf '%s %s' "$2" "$3"
		[ $# = 4 ] || printf ' %q' "${@:5}"
		echo
	} >"$folder/hosts"
	fake_mx "$folder" "$port"
}

# Lines of the log about a host.
mx_log() { sed -n "s/^$1 //p" "$MX/log"; }

# ---- the queue of $DIR ----

# A server without its services, of which the queue is started by mx_queue;
# mx_send ADDRESS... has a short message sent.
mx_host_dir() {
	export DIR=$BATS_FILE_TMPDIR/mox Q=$BATS_FILE_TMPDIR/mox/data/queue
	export INBOX=$DIR/data/accounts/mox/Maildir IP
	IP=${IP:-$(own_ip)}
	mox-localserve -dir "$DIR" -ip "$IP" -initonly 2>/dev/null
}

mx_queue() {
	background mox-queued -config "$DIR/mox.conf" 2>"$BATS_FILE_TMPDIR/queued.log"
}

mx_send() {
	printf 'From: <mox@localhost>\nSubject: %s\n\nhello\n' "$*" |
		"$MOX_T/bin/queuectl" ${MX_SEND:-} "$DIR/data" "$@" >/dev/null
}

# Nothing waits for an attempt, and $1 notifications came.
mx_settled() {
	[ -z "$(find "$Q/todo" "$Q/active" "$Q/due/now" -type f ! -name .lock)" ] &&
		[ "$(ls "$INBOX/new" | wc -l)" = "$1" ]
}

mx_await() {
	export BACKGROUND_PIDS
	eventually mx_settled "$1" || {
		find "$Q" -type f ! -path '*/due/2*'
		ls "$INBOX/new"
		grep -v l=trace "$BATS_FILE_TMPDIR/queued.log"
		return 1
	}
}

# The item of an address; the notification about it; is its message at a host?
mx_item() { grep -lx "to $1" "$Q"/due/2*/* | head -n 1; }
mx_has_item() { [ -n "$(mx_item "$1")" ]; }
mx_dsn() { grep -l "^Final-Recipient: rfc822; *$1\$" "$INBOX"/*/*; }
mx_came_to() { grep -lq "RCPT TO:<$1>" "$MX"/"$2".[0-9]*; }

# A Postfix of its own on $2:$MX_PORT for domain $1, below $POSTFIX, a folder
# that everybody may enter: it takes a@, b@ and the like into Maildirs there,
# later@ later, full@ never.
postfix_start() {
	local service
	need postfix
	mkdir -p "$POSTFIX/etc" "$POSTFIX/queue" "$POSTFIX/lib" "$POSTFIX/mail"
	chown postfix: "$POSTFIX/lib"
	chown nobody: "$POSTFIX/mail"
	{
		echo "$2:$MX_PORT inet n - n - 20 smtpd"
		echo "postlog unix-dgram n - n - 1 postlogd"
		echo "tlsmgr unix - - n 1000? 1 tlsmgr"
		echo "qmgr unix n - n 300 1 qmgr"
		echo "cleanup unix n - n - 0 cleanup"
		echo "virtual unix - n n - - virtual"
		echo "rewrite unix - - n - - trivial-rewrite"
		echo "anvil unix - - n - 1 anvil"
		echo "proxymap unix - - n - - proxymap"
		for service in bounce defer trace; do
			echo "$service unix - - n - 0 bounce"
		done
		for service in error retry; do
			echo "$service unix - - n - - error"
		done
	} >"$POSTFIX/etc/master.cf"
	cat >"$POSTFIX/etc/rcpt" <<-CONF
	later@$1 450 4.2.0 greylisted
	full@$1 552 5.2.2 over quota
	CONF
	for service in a b c; do echo "$service@$1 $service/"; done >"$POSTFIX/etc/boxes"
	cat >"$POSTFIX/etc/main.cf" <<-CONF
	compatibility_level = 3.6
	queue_directory = $POSTFIX/queue
	data_directory = $POSTFIX/lib
	maillog_file = $POSTFIX/log
	maillog_file_prefixes = $POSTFIX
	myhostname = $1
	mydestination =
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	mynetworks =
	alias_maps =
	virtual_mailbox_domains = $1
	virtual_mailbox_base = $POSTFIX/mail
	virtual_mailbox_maps = texthash:$POSTFIX/etc/boxes
	virtual_minimum_uid = 1
	virtual_uid_maps = static:$(id -u nobody)
	virtual_gid_maps = static:$(id -g nobody)
	smtpd_recipient_restrictions = check_recipient_access texthash:$POSTFIX/etc/rcpt, reject_unlisted_recipient
	smtpd_relay_restrictions = reject_unauth_destination
	message_size_limit = 100000
	disable_dns_lookups = yes
	smtputf8_enable = no
	smtpd_tls_security_level = ${4:-may}
	smtpd_tls_loglevel = 1
	smtpd_tls_chain_files = $3
	CONF
	postfix -c "$POSTFIX/etc" start >"$POSTFIX/start" 2>&1 || {
		cat "$POSTFIX/start" "$POSTFIX/log"
		postconf -c "$POSTFIX/etc" -n | tail -n 1 # says what is wrong in it
		return 1
	}
	eventually port_open "$2" "$MX_PORT"
}

postfix_stop() {
	[ ! -d "${POSTFIX:-/nonexistent}" ] || postfix -c "$POSTFIX/etc" stop >/dev/null 2>&1
}
