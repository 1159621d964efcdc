#!/usr/bin/env bats
# A day of operation, with the tools every Unix has: the queue with mv and cat,
# backups with rsync and cp while mail flows, and what comes back from them.

load helper
load host

setup() {
	need rsync openssl smtp-sink
	[ "$(id -u)" = 0 ] || skip "needs root"
	export IP PASSWORD MOX_TEST_TIMEOUT=60
	IP=$(own_ip)
	quickstart_host
	start_sink good
	start_sink slow -r RCPT
	start_serve
	Q=$TREE/data/queue
}

teardown() {
	stop_background
	remove_tree
}

send() {
	printf 'From: anna@example.org\nSubject: %s\n\nIt works.\n' "$1" |
		curl -sSk --crlf "smtps://$IP:1465" -u "anna@example.org:$PASSWORD" \
		--mail-from anna@example.org --mail-rcpt "$2" -T -
}
in_due() { [ "$(ls "$Q"/due/2*/ 2>/dev/null | grep -c '\.1$')" = "$1" ]; }
relayed() { grep -lsr "^Subject: $1" good/; }
queue_empty() { [ -z "$(find "$1/queue" -type f ! -name .lock)" ]; }

@test "hold a domain with mv, look with cat, try another way, release, drop" {
	send one x@slow.example
	send two y@slow.example
	send three z@other.slow.example
	eventually in_due 3
	# What waits, for whom, and what was said at each attempt.
	grep -h '^to ' "$Q"/due/2*/* | sort >waiting
	[ "$(cat waiting)" = 'to x@slow.example
to y@slow.example
to z@other.slow.example' ]
	[ "$(grep -l '@other' "$Q"/due/2*/* | xargs cat | grep -c '^delayed .* 450 ')" = 1 ]
	# Hold a domain: all to slow.example, not to other.slow.example.
	grep -l '^to .*@slow\.example$' "$Q"/due/*/* | xargs -I{} mv {} "$Q/hold/"
	[ "$(ls "$Q/hold" | wc -l)" = 2 ]
	in_due 1
	[ "$(mox-queue list -hold true | grep -c slow.example)" = 2 ]
	# Its smarthost is no good: the next route, and try at once.
	sed -i 's/\.slow\.example/nothing.example/' config/domains.conf
	eventually grep -q 'm="domains.conf taken"' serve.log # within a second
	mv "$Q"/due/2*/*.1 "$Q/due/now/"
	poke
	eventually relayed three
	[ ! "$(relayed one)" ]
	# Release one, drop the other.
	mv "$(grep -l '^to x@' "$Q"/hold/*)" "$Q/due/now/"
	poke
	eventually relayed one
	rm "$Q"/hold/*.1
	[ -z "$(mox-queue list | grep example)" ]
	[ ! "$(relayed two)" ]
}

# Mail flows, and some waits; what was acknowledged so far is in the file acked.
begin_flow() {
	send waits x@slow.example
	eventually in_due 1
	send held y@slow.example
	eventually in_due 2
	mv "$(grep -l '^to y@' "$Q"/due/2*/*)" "$Q/hold/"
	background env PYTHONPATH="$BATS_TEST_DIRNAME" python3 "$BATS_TEST_DIRNAME/day.py" flow flowing 2>flow.log
	FLOW=$BACKGROUND_PID
	flows 20
}
# $1 more messages.
flows() {
	local now
	now=$(wc -l <flowing 2>/dev/null || echo 0)
	enough() { [ "$(wc -l <flowing)" -ge $((now + $1)) ]; }
	eventually enough "$1"
}
end_flow() {
	kill "$FLOW"
	wait "$FLOW" || true
}

# What is in $1 as the data folder of another server, here; the first has
# stopped: nothing is lost of what the file acked says.
restore() {
	mox-stop
	mv data lost
	cp -a "$1" data
	mox-verifydata -restored -fix data
	mox-verifydata data >verified
	[ "$(cat verified)" = 'data: OK' ] || { cat verified; return 1; }
	[ "$(mox-queue list -hold true | grep -c y@slow.example)" = 1 ]
	start_serve
	settled() { ! find data/queue/todo data/queue/due/now data/queue/active -type f ! -name .lock | grep .; }
	eventually settled
	py "$BATS_TEST_DIRNAME/day.py" lost acked >missing
	[ ! -s missing ] || { cat missing; return 1; }
}

@test "rsync while mail flows, and all is there again" {
	begin_flow
	cp flowing acked
	mkdir backup
	rsync -aH --delete data/ backup/ || [ $? = 24 ]
	rsync -aH data/ backup/ || [ $? = 24 ]
	flows 5
	end_flow
	restore backup
}

@test "hard links while mail flows, and all is there again" {
	begin_flow
	cp flowing acked
	mkdir snapshot
	rsync -a --exclude='Maildir/cur/*' --exclude='Maildir/new/*' \
		--exclude='Maildir/.*/cur/*' --exclude='Maildir/.*/new/*' \
		data/ snapshot/ || [ $? = 24 ]
	cp -aln data/. snapshot/ 2>vanished ||
		! grep -v 'No such file or directory' vanished || false
	flows 5
	end_flow
	restore snapshot
}
