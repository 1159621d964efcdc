#!/usr/bin/env bats
# SMTP with clients we did not write: what they send is what is in the mailbox.

load helper

setup_file() {
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

# The one message whose Subject is $1, and how many have it.
delivered() { grep -lr "^Subject: $1\$" "$(maildir)/new" "$(maildir)/cur"; }
count() { delivered "$1" | wc -l; }

text() { printf 'From: mox@localhost\nTo: mox@localhost\nSubject: %s\n\nbody\n.\n..dots\n' "$1"; }

is_there() { [ "$(count "$1")" != 0 ]; }

# The body is as it was sent; swaks adds an empty line. What was submitted
# arrives by way of the queue.
intact() {
	eventually is_there "$1"
	[ "$(count "$1")" = 1 ]
	sed '1,/^$/d' "$(delivered "$1")" | head -n 3 >"$BATS_TEST_TMPDIR/body"
	printf 'body\n.\n..dots\n' | cmp - "$BATS_TEST_TMPDIR/body"
}

@test "swaks: plain, STARTTLS, TLS, AUTH, PIPELINING, LMTP refused" {
	need swaks
	text swaks1 >"$BATS_TEST_TMPDIR/m"
	to=(--from mox@localhost --to mox@localhost --hide-all)
	swaks --server "$IP:1025" "${to[@]}" --data "@$BATS_TEST_TMPDIR/m"
	intact swaks1
	text swaks2 >"$BATS_TEST_TMPDIR/m"
	swaks --server "$IP:1025" --tls --pipeline "${to[@]}" --data "@$BATS_TEST_TMPDIR/m"
	intact swaks2
	text swaks3 >"$BATS_TEST_TMPDIR/m"
	swaks --server "$IP:1587" --tls --auth-user mox@localhost --auth-password moxmoxmox \
		"${to[@]}" --data "@$BATS_TEST_TMPDIR/m"
	intact swaks3
	text swaks4 >"$BATS_TEST_TMPDIR/m"
	swaks --server "$IP:1465" --tls-on-connect --auth-user mox@localhost \
		--auth-password moxmoxmox "${to[@]}" --data "@$BATS_TEST_TMPDIR/m"
	intact swaks4
	run swaks --server "$IP:1587" --auth-user mox@localhost --auth-password wrong "${to[@]}"
	[ "$status" = 28 ]
	run swaks --server "$IP:1025" --protocol LMTP "${to[@]}"
	[ "$status" != 0 ]
}

@test "curl: upload, TLS, login" {
	need curl
	text curl1 | curl -sS --crlf "smtp://$IP:1025" --mail-from a@example.org \
		--mail-rcpt mox@localhost -T -
	intact curl1
	text curl2 | curl -sS --crlf -k --ssl-reqd "smtp://$IP:1587" -u mox@localhost:moxmoxmox \
		--mail-from mox@localhost --mail-rcpt mox@localhost -T -
	intact curl2
	text curl3 | curl -sS --crlf -k "smtps://$IP:1465" -u mox@localhost:moxmoxmox \
		--login-options AUTH=CRAM-MD5 \
		--mail-from mox@localhost --mail-rcpt mox@localhost -T -
	intact curl3
	run curl -sS "smtp://$IP:1587" -u mox@localhost:wrong \
		--mail-from mox@localhost --mail-rcpt mox@localhost -T /dev/null
	[ "$status" = 67 ]
	# Without CRs, which curl does not add by itself: refused, not smuggled.
	run bash -c "printf 'Subject: curl4\n\nx\n' | curl -sS 'smtp://$IP:1025' --mail-from a@example.org --mail-rcpt mox@localhost -T -"
	[ "$status" != 0 ]
	[ "$(count curl4)" = 0 ]
}

@test "msmtp: STARTTLS, TLS, each of its mechanisms" {
	need msmtp
	for auth in plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-256-plus; do
		msmtp --version | grep -qw "${auth^^}\|$auth" || case $auth in scram*) continue ;; esac
		text "msmtp-$auth" | msmtp --host="$IP" --port=1587 --tls --tls-certcheck=off \
			--auth="$auth" --user=mox@localhost --passwordeval='echo moxmoxmox' \
			--from=mox@localhost mox@localhost
		intact "msmtp-$auth"
	done
	text msmtp-tls | msmtp --host="$IP" --port=1465 --tls --tls-starttls=off \
		--tls-certcheck=off --auth --user=mox@localhost \
		--passwordeval='echo moxmoxmox' --from=mox@localhost mox@localhost
	intact msmtp-tls
	text msmtp-25 | msmtp --host="$IP" --port=1025 --from=a@example.org mox@localhost
	intact msmtp-25
}

@test "python smtplib: login, send_message with UTF-8, many recipients" {
	PYTHONPATH=$BATS_TEST_DIRNAME python3 - <<-'EOF'
	import smtplib
	from email.message import EmailMessage
	from mailtest import *
	def mail(subject, body="body\n"):
	    m = EmailMessage()
	    m["From"], m["To"], m["Subject"] = "mox@localhost", "mox@localhost", subject
	    m.set_content(body)
	    return m
	with smtplib.SMTP(IP, 1587) as s:
	    s.starttls()
	    s.login(USER, PASSWORD)
	    s.send_message(mail("python1"))
	    s.send_message(mail("python2 é", "é\n" * 1000))
	    eq(s.noop()[0], 250)
	with smtplib.SMTP_SSL(IP, 1465) as s:
	    s.login(USER, PASSWORD)
	    s.send_message(mail("python3"), "mox@localhost", ["a@localhost", "b@localhost"])
	    m = mail("python4")
	    m.replace_header("From", "é <mox@localhost>")
	    s.send_message(m, "mox+é@localhost", ["é@localhost"])
	with smtplib.SMTP(IP, 1587) as s:
	    s.login(USER, PASSWORD)
	    try:
	        s.sendmail("other@example.org", ["mox@localhost"], "x")
	        assert False
	    except smtplib.SMTPSenderRefused as e:
	        eq(e.smtp_code, 550)
	EOF
	for subject in python1 'python2.*' python3 python4; do
		eventually is_there "$subject"
		[ "$(count "$subject")" = 1 ]
	done
}

@test "smtp-source: 2,000 messages over 10 sessions, none lost, none twice" {
	command -v smtp-source >/dev/null || need /usr/sbin/smtp-source
	before=$(find "$(maildir)/new" "$(maildir)/cur" -type f | wc -l)
	ulimit -n 1024
	PATH=$PATH:/usr/sbin smtp-source -d -s 10 -m 2000 -l 2000 -f a@example.org \
		-t mox@localhost -S many "$IP:1025"
	[ "$(find "$(maildir)/new" "$(maildir)/cur" -type f | wc -l)" = $((before + 2000)) ]
	# smtp-source numbers them: every number is there once.
	delivered many | xargs cat | sed -n 's/^Message-Id: <\(.*\)>$/\1/p' | sort |
		uniq -d | { ! grep .; }
	# And a connection for each.
	PATH=$PATH:/usr/sbin smtp-source -s 10 -m 300 -f a@example.org -t mox@localhost \
		-S single "$IP:1025"
	[ "$(count single)" = 300 ]
	# UIDs are those of the log: as many as files, each once.
	PYTHONPATH=$BATS_TEST_DIRNAME python3 - <<-'EOF'
	from mailtest import *
	c = Imap()
	n = int(c.ok("SELECT INBOX").find(r"^\* (\d+) EXISTS")[1])
	eq(n, len(maildir_files()))
	uids = [m for line in c.ok("UID SEARCH ALL").lines for m in re.findall(r"\d+", line)]
	eq(len(set(uids)), n)
	EOF
}
