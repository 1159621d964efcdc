# faults.bash - run programs on a failing disk; `load faults` after helper.
# README says what the variables mean.

# faulty DIR [FAULT_NAME=VALUE...] COMMAND...
faulty() {
	env FAULT_DIR="$1" LD_PRELOAD="$MOX_T/bin/faultshim.so" \
		ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" "${@:2}"
}

# kill_points WHEN FUNCTION: call FUNCTION N for N = 1, 2, ... until it returns
# 0, which says that its run was not killed at call N any more. WHEN is
# before, half or after. The function runs its program with "${KILL[@]}".
kill_points() {
	local n
	for ((n = 1; n < 10000; n++)); do
		rm -f "$BATS_TEST_TMPDIR/faults"
		KILL=(FAULT_KILL="$n" FAULT_KILL_WHEN="$1"
			FAULT_STATE="$BATS_TEST_TMPDIR/faults")
		"$2" "$n" && return 0
	done
	return 1
}

powercut() { "$TOP/t/bin/powercut" "$@"; }
