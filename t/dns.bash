# dns.bash - a private DNS for tests: a signed root, zones below it, a server
# on loopback. `load helper`, `load dns`.
#
#	dns_zone example.org <<'EOF'		signed, with a DS in the root
#	@	A	192.0.2.1
#	EOF
#	dns_zone -plain example.net <<'EOF' ...	not signed
#	dns_zone -bogus example.com <<'EOF' ...	signed by a key that its DS denies
#	dns_zone -broken example.info </dev/null	SERVFAIL
#	dns_start
#
# After that the programs under test ask it: MOX_RESOLVER and MOX_TRUST_ANCHOR
# are set. Needs nsd and ldnsutils (need nsd ldns-signzone). Zones may be
# changed and added: call dns_zone and dns_start again. SOA and NS records are
# made here; all names that no zone has do not exist, proven by the root.

DNS_DIR=${DNS_DIR:-$BATS_TEST_TMPDIR/dns} DNS_PORT=${DNS_PORT:-5353}
export PATH=$PATH:/usr/sbin

# The zone, with what every zone has before its records on stdin.
dns_zone_text() {
	printf '$ORIGIN %s\n$TTL 300\n' "${1%.}."
	printf '@ SOA ns.dns-test. root.dns-test. %s 3600 600 86400 60\n' \
		"$(date +%s)"
	printf '@ NS ns.dns-test.\n'
	cat
}

# Key files of a zone, made once: the base name.
dns_key() {
	local base
	base=$(cd "$DNS_DIR/keys" && ls K"$1".+*.private 2>/dev/null | head -n 1)
	[ -n "$base" ] || base=$(cd "$DNS_DIR/keys" &&
		ldns-keygen -a ECDSAP256SHA256 -k "$1").private
	echo "$DNS_DIR/keys/${base%.private}"
}

dns_zone() {
	local kind=-signed
	case $1 in -*) kind=$1; shift ;; esac
	mkdir -p "$DNS_DIR/keys" "$DNS_DIR/zones"
	dns_zone_text "$1" >"$DNS_DIR/zones/$1"
	echo "$kind" >"$DNS_DIR/zones/$1.kind"
}

# Sign FILE of zone $2 to FILE.signed with key $3.
dns_sign() {
	ldns-signzone -o "$2" -f "$1.signed" "$1" "$3"
}

dns_sign_all() {
	local kind zone key
	: >"$DNS_DIR/delegations"
	for kind in "$DNS_DIR"/zones/*.kind; do
		zone=$(basename "$kind" .kind) kind=$(cat "$kind")
		printf '%s. NS ns.dns-test.\n' "$zone" >>"$DNS_DIR/delegations"
		case $kind in
		-signed | -bogus)
			key=$(dns_key "$zone.") || return 1
			dns_sign "$DNS_DIR/zones/$zone" "$zone" "$key" || return 1
			cat "$key.ds" >"$DNS_DIR/ds"
			# The DS of another key: no signature fits.
			[ $kind = -signed ] ||
				sed -i -E 's/[0-9a-f]{8}$/00000000/' "$DNS_DIR/ds"
			cat "$DNS_DIR/ds" >>"$DNS_DIR/delegations" ;;
		esac
	done
	dns_zone_text . <"$DNS_DIR/delegations" >"$DNS_DIR/root"
	key=$(dns_key .) || return 1
	dns_sign "$DNS_DIR/root" . "$key" || return 1
	cp "$key.key" "$DNS_DIR/anchor"
}

dns_conf() {
	local kind zone file
	cat <<-EOF
	server:
		ip-address: $DNS_IP
		port: $DNS_PORT
		username: ""
		chroot: ""
		database: ""
		server-count: 1
		zonesdir: "$DNS_DIR"
		pidfile: "$DNS_DIR/nsd.pid"
		zonelistfile: "$DNS_DIR/zone.list"
		xfrdfile: "$DNS_DIR/xfrd.state"
		logfile: "$DNS_DIR/nsd.log"
	remote-control:
		control-enable: no
	zone:
		name: "."
		zonefile: "$DNS_DIR/root.signed"
	EOF
	for kind in "$DNS_DIR"/zones/*.kind; do
		zone=$(basename "$kind" .kind) file=zones/$zone
		case $(cat "$kind") in
		-signed | -bogus) file=$file.signed ;;
		-broken) file=nowhere ;;
		esac
		printf 'zone:\n\tname: "%s"\n\tzonefile: "%s"\n' "$zone" "$file"
	done
}

dns_start() {
	DNS_IP=${DNS_IP:-$(own_ip)}
	dns_stop
	dns_sign_all >"$DNS_DIR/sign.log" 2>&1 || { cat "$DNS_DIR/sign.log"; return 1; }
	dns_conf >"$DNS_DIR/nsd.conf"
	background nsd -d -c "$DNS_DIR/nsd.conf" >"$DNS_DIR/nsd.out" 2>&1
	DNS_PID=$BACKGROUND_PID
	eventually port_open "$DNS_IP" "$DNS_PORT" || { cat "$DNS_DIR/nsd.log"; return 1; }
	export MOX_RESOLVER=$DNS_IP@$DNS_PORT MOX_TRUST_ANCHOR=$DNS_DIR/anchor
}

dns_stop() {
	[ -n "${DNS_PID:-}" ] || return 0
	kill -TERM "$DNS_PID" && wait "$DNS_PID"
	DNS_PID=
}
