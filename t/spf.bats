#!/usr/bin/env bats
# The OpenSPF suite: our results, and those of pyspf over the same zones.

load helper

@test "the RFC 7208 test suite passes whole, and pyspf agrees" {
	need_data
	/usr/bin/python3 -c 'import spf, yaml' 2>/dev/null ||
		skip "no pyspf here: make deps"
	run "$BATS_TEST_DIRNAME/spf-suite.py" "$MOX_T/bin/spfrun" \
	    "$MOX_TEST_DATA/spf/rfc7208-tests.yml" "$BATS_TEST_TMPDIR/zone"
	echo "$output"
	[ "$status" = 0 ]
	[[ ${lines[-1]} == "suite: 203 of 203; pyspf says the same for 203 of 203" ]]
}

@test "pyspf says the same of 2400 random checks" {
	/usr/bin/python3 -c 'import spf, yaml' 2>/dev/null ||
		skip "no pyspf here: make deps"
	run "$BATS_TEST_DIRNAME/spf-random.py" "$MOX_T/bin/spfrun" \
	    "$BATS_TEST_TMPDIR/zone" 200 10
	echo "$output"
	[ "$status" = 0 ]
	[[ ${lines[-1]} == 'random: 2400 of 2400 the same, fail neutral none pass permerror softfail' ]]
}
