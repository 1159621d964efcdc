#!/usr/bin/env bats
# Thousands of random steps of three sessions and a foreign program on one
# mailbox, checked against a model: imap-random.py says what. MOX_RANDOM, seeds
# and steps, has it look elsewhere: MOX_RANDOM='1:100 5000'.

load helper
load acl

setup_file() {
	SERVER_OPTIONS="-park 0.01" acl_server guest
}

teardown_file() { stop_background; }

run_seed() { PYTHONPATH=$BATS_TEST_DIRNAME python3 "$BATS_TEST_DIRNAME/imap-random.py" "$@"; }

@test "no update is lost, no number is wrong, all agree: seed 4" { run_seed 4 700; }
@test "no update is lost, no number is wrong, all agree: seed 8" { run_seed 8 700; }
@test "no update is lost, no number is wrong, all agree: seed 12" { run_seed 12 700; }

@test "the same with a session of another account, with which it is shared: seed 16" { run_seed 16 700 guest; }

@test "the same with a session that has NOTIFY, and is parked: seed 20" { run_seed 20 500 notify; }

@test "no update is lost, no number is wrong, all agree: other seeds" {
	[ -n "${MOX_RANDOM:-}" ] || skip "MOX_RANDOM is not set"
	read -r seeds steps <<<"$MOX_RANDOM"
	for seed in $(seq "${seeds%:*}" "${seeds#*:}"); do
		run_seed "$seed" "$steps"
		run_seed "$seed" "$steps" guest
		run_seed "$seed" "$steps" notify
	done
}
