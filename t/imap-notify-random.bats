#!/usr/bin/env bats
# Random changes by one session and a foreign program while another has NOTIFY on
# everything: notify-random.py says what is checked. MOX_RANDOM, seeds and steps,
# has it look elsewhere: MOX_RANDOM='1:100 5000'.

load helper

setup_file() {
	start_shared_server -loglevel info -park 0.05
}

teardown_file() { stop_background; }

run_seed() { PYTHONPATH=$BATS_TEST_DIRNAME python3 "$BATS_TEST_DIRNAME/notify-random.py" "$@"; }

@test "what NOTIFY tells is what is so: seed 1" { run_seed 1 300; }
@test "what NOTIFY tells is what is so: seed 2" { run_seed 2 300; }

@test "what NOTIFY tells is what is so, to who was parked: seed 3" { run_seed 3 120 park; }

@test "what NOTIFY tells is what is so: other seeds" {
	[ -n "${MOX_RANDOM:-}" ] || skip "MOX_RANDOM is not set"
	read -r seeds steps <<<"$MOX_RANDOM"
	for seed in $(seq "${seeds%:*}" "${seeds#*:}"); do
		run_seed "$seed" "$steps"
		run_seed "$seed" "$steps" park
	done
}
