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
tlsa() { mox-dane makerecord "$1" "$2" "$3" "$MX/$4.pem"; }

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
	background "$TOP/t/bin/fake-mx" -port "$MX_PORT" "$MX" 2>"$MX/fake-mx.log"
	eventually test -e "$MX/ready"
	export BACKGROUND_PIDS
}

# Lines of the log about a host.
mx_log() { sed -n "s/^$1 //p" "$MX/log"; }
