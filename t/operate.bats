#!/usr/bin/env bats
# What an admin gets: from an empty folder, as root, by quickstart and serve;
# users send with the programs they have, and read by IMAP.

load helper
load host

setup_file() {
	need curl openssl smtp-sink
	[ "$(id -u)" = 0 ] || skip "needs root"
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR IP TREE PASSWORD MOX_DNS_ZONE
	IP=$(own_ip)
	quickstart_host
	start_sink good
	start_sink refusing -f RCPT
	start_sink slow -r RCPT
	start_serve
	export BACKGROUND_PIDS SERVE_PID
}

teardown_file() {
	stop_background
	remove_tree
}

setup() {
	PATH=$TREE/bin:$PATH
	cd "$TREE"
	BACKGROUND_PIDS= # what a test starts ends with it
}

teardown() { stop_background || true; }

arrive() { py <<<"from hostmail import *; arrive('$*'.split())"; }
text() { printf 'From: anna@example.org\nTo: bob@example.org\nSubject: %s\n\nIt works.\n' "$1"; }
cert() { echo "$TREE"/secret/tls/*.crt.pem; }
# What failed, and to whom nothing is sent any more, is remembered.
queue_empty() {
	[ -z "$(find data/queue -type f ! -name .lock ! -path '*/failures/*' \
	    ! -path '*/suppress/*')" ]
}

@test "msmtp, over 587 and 465, with each mechanism it has; it verifies the host" {
	need msmtp
	sent=
	for port in 1587 1465; do
		starttls=on
		[ $port = 1587 ] || starttls=off
		for auth in plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-256-plus; do
			msmtp --version | grep -qwi "$auth" || continue
			text msmtp-$port-$auth | msmtp --host="$IP" --port=$port --tls \
				--tls-starttls=$starttls --tls-trust-file="$(cert)" \
				--tls-host-override=mail.example.org --auth=$auth \
				--user=anna@example.org --passwordeval='printenv PASSWORD' \
				--from=anna@example.org bob@example.org
			sent+=" msmtp-$port-$auth"
		done
	done
	[[ $sent == *1465-cram-md5* ]]
	arrive $sent
	eventually queue_empty
}

@test "swaks and curl, over 587 and 465" {
	need swaks
	user=(--from anna@example.org --to bob@example.org --hide-all
		--auth-user anna@example.org --auth-password "$PASSWORD")
	for auth in PLAIN LOGIN CRAM-MD5; do
		swaks --server "$IP:1587" --tls --auth $auth "${user[@]}" \
			--header "Subject: swaks-1587-$auth"
		swaks --server "$IP:1465" --tls-on-connect --auth $auth "${user[@]}" \
			--header "Subject: swaks-1465-$auth"
	done
	for url in "smtp://mail.example.org:1587" "smtps://mail.example.org:1465"; do
		text "curl-${url##*:}" | curl -sS --crlf --ssl-reqd --cacert "$(cert)" \
			--resolve "mail.example.org:${url##*:}:$IP" "$url" \
			-u "anna@example.org:$PASSWORD" --mail-from anna@example.org \
			--mail-rcpt bob@example.org -T -
	done
	arrive swaks-{1587,1465}-{PLAIN,LOGIN,CRAM-MD5} curl-{1587,1465}
}

@test "each SASL mechanism over 587 and 465; EXTERNAL with a client certificate" {
	mox-config tlspubkey gen laptop 2>/dev/null
	mox-config tlspubkey add anna@example.org laptop \
		<"$(echo laptop.*.certificate.pem)"
	py <<-'EOF'
	import hashlib
	from hostmail import *
	from mailtest import eq
	from sasl_client import *
	sent = []
	(KEY,) = glob.glob("laptop.*privatekey-certificate.pem")
	def send(port, name, mech, key=None):
	    s = wire_session(port, key)
	    if mech == "PLUS":
	        binding = hashlib.sha256(s.sock.getpeercert(True)).digest()
	        mech = scram("sha1" if "SHA-1" in name else "sha256", ANNA, PASSWORD,
	                     ("tls-server-end-point", binding))
	    if mech:
	        eq((name, smtp_auth(s, name, mech)[0]), (name, 235))
	    sent.append(f"{name}-{port}")
	    wire_send(s, sent[-1])
	for port in SUBMISSION, SUBMISSIONS:
	    for name, auth in (("PLAIN", "auth_plain"), ("LOGIN", "auth_login"), ("CRAM-MD5", "auth_cram_md5")):
	        with smtplib_session(port) as s:
	            s.user, s.password = ANNA, PASSWORD
	            s.ehlo()
	            s.auth(name, getattr(s, auth), initial_response_ok=name == "PLAIN")
	            sent.append(f"smtplib-{name}-{port}")
	            s.send_message(text(sent[-1]))
	    send(port, "PLAIN", plain(ANNA, PASSWORD))
	    send(port, "LOGIN", login(ANNA, PASSWORD))
	    send(port, "CRAM-MD5", cram_md5(ANNA, PASSWORD))
	    send(port, "SCRAM-SHA-1", scram("sha1", ANNA, PASSWORD))
	    send(port, "SCRAM-SHA-256", scram("sha256", ANNA, PASSWORD))
	    send(port, "SCRAM-SHA-1-PLUS", "PLUS")
	    send(port, "SCRAM-SHA-256-PLUS", "PLUS")
	    send(port, "EXTERNAL", external(), KEY)
	    send(port, "certificate", None, KEY)
	arrive(sent)
	EOF
	eventually queue_empty
}

@test "one message to another account and to the world, by the smarthost" {
	py <<-'EOF'
	from hostmail import *
	with smtplib_session(SUBMISSIONS) as s:
	    s.login(ANNA, PASSWORD)
	    s.send_message(text("both", "carol@far.example, " + BOB))
	arrive(["both"])
	m = next(m for m in mails() if "Subject: both" in m)
	for line in f"Delivered-To: {BOB}", f"Return-Path: <{ANNA}>", "Message-I", "Date: ", "It works.":
	    assert line in m, (line, m)
	relayed = lambda: [t for t in map(lambda f: open(f).read(), glob.glob("good/*")) if "Subject: both" in t]
	wait_for(lambda: any("It works." in t for t in relayed()))
	(t,) = relayed()
	assert "X-Rcpt-Args: <carol@far.example>" in t and f"X-Mail-Args: <{ANNA}>" in t, t
	EOF
	eventually queue_empty
}

@test "refused for good by the smarthost: back in the sender's Inbox" {
	py <<-'EOF'
	from hostmail import *
	with smtplib_session(SUBMISSION) as s:
	    s.login(ANNA, PASSWORD)
	    s.send_message(text("bounced", "x@refuses.example"))
	arrive(["mail delivery failed"], ANNA)
	(m,) = [m for m in mails(ANNA) if "Subject: mail delivery failed" in m]
	for part in ("Return-Path: <>", "Final-Recipient: rfc822; x@refuses.example",
	        "Action: failed", "Diagnostic-Code: smtp; 5", "Subject: bounced"):
	    assert part in m, (part, m)
	EOF
	eventually queue_empty
}

@test "refused for hours: told of the delay, told that it failed, by another clock" {
	mox-stop
	mkdir -p run
	now=$(date +%s)
	echo "$now" >run/now
	MOX_FAKE_TIME=$TREE/run/now start_serve
	py <<-'EOF'
	from hostmail import *
	with smtplib_session(SUBMISSION) as s:
	    s.login(ANNA, PASSWORD)
	    s.send_message(text("late", "x@mx.slow.example"))
	EOF
	for try in 1 2 3 4 5 6 7 8; do
		tried() { [ "$(cat data/queue/due/2*/*.1 | grep -c '^delayed .* 450 ')" = "$try" ]; }
		[ $try = 8 ] || eventually tried
		if [ $try = 5 ]; then
			arrive_as_anna delayed
		fi
		now=$((now + 17 * 3600))
		echo $now >run/now
		poke # it looks at the clock by itself, too, but not at once
	done
	arrive_as_anna failed
	eventually queue_empty
}

arrive_as_anna() {
	py <<-EOF
	from hostmail import *
	def told():
	    return [m for m in mails(ANNA) if "Subject: mail delivery $1" in m and "x@mx.slow.example" in m]
	wait_for(told)
	(m,) = told()
	for part in "Action: $1", "Diagnostic-Code: smtp; 450 ", "Subject: late":
	    assert part in m, (part, m)
	EOF
}
