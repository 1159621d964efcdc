#!/usr/bin/env bats
# The parent of deliveries, mox-remote -warm.

load helper

setup() {
	need smtp-sink
	DIR=$BATS_TEST_TMPDIR/mox Q=$DIR/data/queue IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	printf 'Transports:\n\tsmart:\n\t\tSMTP:\n\t\t\tHost: %s\n\t\t\tPort: 2525\n\t\t\tNoSTARTTLS: true\n' \
		"$IP" >>"$DIR/mox.conf"
	printf 'Routes:\n\t-\n\t\tTransport: smart\n' >>"$DIR/domains.conf"
	# smtp-sink gives up being root, and the folders of tests are private.
	GOT=$(mktemp -d "${TMPDIR:-/tmp}/mox-sink.XXXXXX")
	chmod 777 "$GOT"
}

teardown() {
	stop_background
	rm -rf "$GOT"
}

sink() {
	background smtp-sink -u nobody -d "$GOT/%M." "$@" "$IP:2525" 100
	eventually port_open "$IP" 2525
}

runner() {
	background mox-queued -config "$DIR/mox.conf" 2>>"$BATS_TEST_TMPDIR/queued.log"
	STARTER=$BACKGROUND_PID
	eventually find_warm
}

send() { printf 'hello\r\n' | "$MOX_T/bin/queuectl" "$DIR/data" "$@" >/dev/null; }
got() { [ "$(cat "$GOT"/* 2>/dev/null | grep -c '^hello')" = "$1" ]; }
count() { [ "$(find "$Q/$1" -type f ! -name .lock | wc -l)" = "$2" ]; }
empty() { count todo 0 && count due 0 && count active 0 && count msg 0; }
in_due() { [ "$(ls "$Q"/due/*/ 2>/dev/null | grep -c '\.[0-9]')" = "$1" ]; }

# Child $2 of process $1 whose arguments hold -warm; waiting for requests if it
# has sent its first byte, which is what it does before anything else.
children_of() { pgrep -P "$1" -f -- "-warm"; }
find_warm() { WARM=$(children_of "$STARTER") && [ "$WARM" != "${1:-}" ]; }
# The delivery is kept for the next message for 3 seconds.
delivering() { DELIVERY=$(children_of "$WARM"); }

@test "a delivery is a child of the warm parent, which is replaced when it dies" {
	sink
	runner
	# The first ones may come before it is ready: these are programs.
	warm_delivers() {
		send a@x.example
		eventually empty
		delivering
	}
	eventually warm_delivers
	old=$WARM
	kill -9 "$WARM"
	send b@y.example
	eventually empty
	find_new() { find_warm "$old"; }
	eventually find_new
	# What was started instead goes on as long as there is something to do.
	eventually sh -c "! pgrep -P $STARTER -f -- -destination"
	grep -q 'killed by a signal' "$BATS_TEST_TMPDIR/queued.log"
	eventually warm_delivers
	sent=$(cat "$GOT"/* | grep -c '^hello')
	[ "$sent" = "$(cat "$GOT"/* | grep -c '^X-Rcpt-Args')" ]
}

@test "a changed mox.conf is in effect with the next delivery" {
	sink
	sed -i 's/Port: 2525/Port: 2526/' "$DIR/mox.conf"
	runner
	send a@x.example
	eventually in_due 1
	sed -i 's/Port: 2526/Port: 2525/' "$DIR/mox.conf"
	# The delivery that has read the other ends within seconds.
	again() {
		mv "$Q"/due/2*/*.1 "$Q/due/now/" 2>/dev/null
		got 1
	}
	eventually again
	eventually empty
}

@test "told to end, what is on its way is delivered, once" {
	sink -w 1
	runner
	send a@x.example b@x.example
	trying() { grep -q '^trying' "$Q"/active/*/*.1; }
	eventually trying
	kill -TERM "$STARTER"
	wait "$STARTER" || true
	eventually got 1
	runner
	eventually empty
	got 1
}
