#!/usr/bin/env bats
# The store: the order of writes and syncs, and disks that are full or fail.

load helper
load faults

setup() {
	D=$BATS_TEST_TMPDIR/d TRACE=$BATS_TEST_TMPDIR/trace
	M=$D/accounts/joe/Maildir
	mkdir "$D"
	storectl create Work , deliver Inbox one , deliver Inbox two , \
		deliver Work other >/dev/null
}

storectl() { "$MOX_T/bin/storectl" "$D" joe "$@"; }

# Run with the calls recorded, then print them by the roles of files.
calls() {
	rm -f "$TRACE"
	faulty "$D" FAULT_TRACE="$TRACE" "$MOX_T/bin/storectl" "$D" joe "$@"
	{
		for f in mox.log new cur tmp .Work/mox.log .Work/tmp .Work/cur; do
			stat -c "file %i $f" "$M/$f"
		done
		cat "$TRACE"
	} | awk '
		$1 == "file" { name[$2] = $3; next }
		$1 == "create" { name[$2] = "message" }
		$1 == "mark" || $1 == "utime" { next }
		$1 == "rename" { print "rename", name[$3], name[$5]; next }
		$1 == "link" { print "link", name[$3]; next }
		$1 == "unlink" { print "unlink", name[$3]; next }
		name[$2] != "" { print $1, name[$2] }'
}

expect() {
	diff "$BATS_TEST_TMPDIR/calls" - || { cat "$BATS_TEST_TMPDIR/calls"; return 1; }
}

@test "order: a delivery" {
	calls deliver Inbox three | grep -v '^added\|^done' >"$BATS_TEST_TMPDIR/calls"
	expect <<-END
		create message
		write message
		sync message
		write mox.log
		rename tmp new
		write mox.log
		sync mox.log
		sync new
	END
}

@test "order: flags" {
	calls store Inbox 1 + seen | grep -v '^stored\|^done' >"$BATS_TEST_TMPDIR/calls"
	# OK is after the first sync; the rest writes the name.
	expect <<-END
		write mox.log
		sync mox.log
		write mox.log
		rename new cur
		rename new cur
		write mox.log
		sync cur
		sync new
		write mox.log
	END
}

@test "order: expunge" {
	storectl store Inbox 1 + deleted
	calls expunge Inbox | grep -v '^expunged\|^done' >"$BATS_TEST_TMPDIR/calls"
	expect <<-END
		write mox.log
		sync mox.log
		unlink cur
		write mox.log
		sync cur
		sync new
		write mox.log
	END
}

@test "order: move" {
	storectl tidy Inbox
	calls move Inbox 1 Work | grep -v '^moved\|^done' >"$BATS_TEST_TMPDIR/calls"
	expect <<-END
		write mox.log
		rename cur .Work/cur
		write .Work/mox.log
		write mox.log
		write .Work/mox.log
		write mox.log
		sync .Work/cur
		sync cur
		sync .Work/mox.log
		sync mox.log
	END
}

@test "order: copy" {
	storectl tidy Inbox
	calls copy Inbox 1 Work | grep -v '^copied\|^done' >"$BATS_TEST_TMPDIR/calls"
	expect <<-END
		write .Work/mox.log
		link .Work/cur
		write .Work/mox.log
		sync .Work/mox.log
		sync .Work/cur
	END
}

# Each sync of a command fails in turn: it says so, with a temporary failure,
# and has done nothing; then it works.
failing_syncs() {
	local n before out
	for ((n = 1; n < 20; n++)); do
		before=$(storectl list Inbox , list Work)
		faulty "$D" FAULT_FAIL="sync:*:$n:EIO" "$MOX_T/bin/storectl" \
			"$D" joe "$@" >"$BATS_TEST_TMPDIR/out" && break
		[ ! -s "$BATS_TEST_TMPDIR/out" ] || [ "$OUTPUT" ]
		out=$(storectl list Inbox , list Work)
		[ "$out" = "$before" ] || { diff <(echo "$before") <(echo "$out"); return 1; }
	done
	echo "$n syncs tried" >&2
	((n > 1))
	storectl "$@"
}

@test "failing sync: delivery" { failing_syncs deliver Inbox three; }
@test "failing sync: delivery with flags" { failing_syncs deliver Inbox three seen; }
@test "failing sync: several" { failing_syncs multi Inbox three four; }
@test "failing sync: flags" { failing_syncs store Inbox 1 + flagged; }

@test "full disk at any byte" {
	local n before out
	before=$(storectl list Inbox , list Work)
	for ((n = 0; n < 3000; n += 37)); do
		faulty "$D" FAULT_FULL="$n" "$MOX_T/bin/storectl" "$D" joe \
			deliver Inbox three >"$BATS_TEST_TMPDIR/out" && break
		[ ! -s "$BATS_TEST_TMPDIR/out" ]
		out=$(storectl list Inbox , list Work)
		[ "$out" = "$before" ] || { echo "$n: $out"; return 1; }
	done
	((n > 37 && n < 3000))
	storectl list Inbox | grep -q three
}

# Whatever fails, and whoever looks at once: a message is in one mailbox.
@test "failing sync: move" {
	local n
	for ((n = 1; n < 20; n++)); do
		storectl deliver Inbox "number-$n" >/dev/null
		uid=$(storectl list Inbox | awk -v s="number-$n" '$NF == s { print $1 }')
		uid=${uid#*.}
		faulty "$D" FAULT_FAIL="sync:*:$n:EIO" "$MOX_T/bin/storectl" \
			"$D" joe move Inbox "$uid" Work >"$BATS_TEST_TMPDIR/out" && break
		out=$(storectl list Inbox , list Work)
		[ "$(grep -cE "number-$n( |\$)" <<<"$out")" = 1 ] || { echo "$n: $out"; return 1; }
	done
	((n > 4 && n < 20))
}
