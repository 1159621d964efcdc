#!/usr/bin/env bats
# Sessions, deliveries, and a shell script with mv, ln and rm in one Maildir.

load helper

teardown() { stop_background; }

@test "a foreign program beside two sessions: nothing lost, all agree" {
	export DIR=$BATS_TEST_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel error
	python3 "$BATS_TEST_DIRNAME/foreign.py"
	stop_server
	mox-verifydata "$DIR/data"
}
