#!/usr/bin/env bats
# kill -9 of any process of the server, from mox-localserve down to a front,
# at random moments under load. MOX_TEST_SEED repeats a run, about.

load helper

@test "kill -9 anywhere, any time: what was acknowledged stays, once" {
	need setpriv
	export DIR=$BATS_TEST_TMPDIR/mox IP
	IP=$(own_ip)
	cd "$BATS_TEST_DIRNAME"
	python3 kill.py "${MOX_TEST_SEED:-$RANDOM}"
}
