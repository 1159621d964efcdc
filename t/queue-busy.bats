#!/usr/bin/env bats
# How many deliveries to a destination go on at once, and what goes together in
# a transaction.

load helper
load mx

setup() {
	DIR=$BATS_TEST_TMPDIR/mox Q=$DIR/data/queue IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n' \
		"$IP" >>"$DIR/mox.conf"
	printf 'Routes:\n\t-\n\t\tTransport: smart\n' >>"$DIR/domains.conf"
	mkdir "$BATS_TEST_TMPDIR/server"
	LOG=$BATS_TEST_TMPDIR/server/log
}

teardown() { stop_background; }

runner() { background mox-queued -config "$DIR/mox.conf" 2>>"$BATS_TEST_TMPDIR/queued.log"; }
send() { printf 'hello\n' | "$MOX_T/bin/queuectl" "$@" >>"$BATS_TEST_TMPDIR/ids"; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
settled() { count todo 0 && count active 0; }
logged() { [ "$(grep -c "$1" "$LOG")" = "$2" ]; }

server() { mx_alone "$BATS_TEST_TMPDIR/server" smart "$IP" 2525 bare "$@"; }

# A server that takes MOST connections at once. How it does not take others:
# answer (421), close, or mail (451 to MAIL). Its log: taken, refused.
narrow() {
	cat >"$BATS_TEST_TMPDIR/narrow.py" <<-'END'
		import socketserver, sys, threading, time
		ip, most, how, log = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], 'a')
		lock, now = threading.Lock(), 0

		class Session(socketserver.StreamRequestHandler):
		    def say(self, text):
		        self.wfile.write(text.encode() + b'\r\n')

		    def handle(self):
		        global now
		        with lock:
		            now += 1
		            refused = now > most
		        try:
		            self.talk(refused)
		        finally:
		            with lock:
		                now -= 1

		    def talk(self, refused):
		        if refused:
		            print('refused', file=log, flush=True)
		        if refused and how == 'answer':
		            return self.say('421 4.7.0 too many connections')
		        if refused and how == 'close':
		            return
		        self.say('220 narrow')
		        for line in self.rfile:
		            word = line[:4].upper()
		            if word == b'MAIL' and refused:
		                self.say('451 4.7.0 too many connections')
		            elif word == b'DATA':
		                self.say('354 go on')
		                while self.rfile.readline() not in (b'.\r\n', b''):
		                    pass
		                time.sleep(0.02)
		                print('taken', file=log, flush=True)
		                self.say('250 ok')
		            elif word == b'QUIT':
		                return self.say('221 bye')
		            else:
		                self.say('250 ok')

		class Server(socketserver.ThreadingTCPServer):
		    allow_reuse_address = daemon_threads = True
		    request_queue_size = 50

		Server((ip, 2525), Session).serve_forever()
	END
	: >"$LOG"
	background python3 "$BATS_TEST_TMPDIR/narrow.py" "$IP" "$1" "$2" "$LOG"
	eventually port_open "$IP" 2525
}

@test "a host that wants 3 connections at once has not many more, and all mail" {
	for how in answer close mail; do
		narrow 3 "$how"
		send -n 150 "$DIR/data" a@x.example
		runner
		eventually settled
		delayed=$(find "$Q/due" -type f | wc -l) taken=$(grep -c taken "$LOG")
		echo "$how: $taken taken, $(grep -c refused "$LOG") refused, $delayed delayed"
		# Those that were refused, not those that waited.
		[ $((taken + delayed)) = 150 ]
		[ "$delayed" -le 40 ]
		stop_background || true
		rm -rf "$Q"/due/2* "$Q"/msg/*
	done
}

@test "a host that never takes one: a few are tried, all others wait with them" {
	server 'mail=451 4.3.2 not now'
	send -n 100 "$DIR/data" a@x.example
	runner
	eventually settled
	[ "$(find "$Q/due" -type f | wc -l)" = 100 ]
	[ "$(grep -c MAIL "$LOG")" -le 30 ]
	# What waited is not told that it was tried.
	[ "$(cat "$Q"/due/*/*.1 | grep -c '^trying')" -le 30 ]
}

@test "LIMITS: no more recipients in a transaction, transactions on a connection" {
	server 'ext=LIMITS RCPTMAX=2 MAILMAX=2'
	runner
	send "$DIR/data" a@x.example b@x.example c@x.example d@y.example e@y.example
	eventually logged ' took ' 3
	logged ' took .* .* ' 0
	eventually count active 0
	logged EHLO 2
	count due 0
}

@test "recipients who differ in REQUIRETLS are not in one transaction" {
	server
	mkdir -p "$Q"
	echo '1 - - x.example' >"$Q/holdrules"
	send "$DIR/data" a@x.example b@x.example c@x.example
	runner
	eventually count hold 3
	echo 'requiretls yes' >>"$(echo "$Q"/hold/*.2)"
	stop_background || true
	server
	mv "$Q"/hold/* "$Q/due/now/"
	runner
	eventually logged ' took a@x.example c@x.example' 1
	eventually count active 0
	! grep -q 'took.*b@' "$LOG"
}
