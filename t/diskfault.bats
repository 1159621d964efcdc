#!/usr/bin/env bats
# A server whose disk is full, and one whose syncs fail: 4xx and NO, nothing
# lost, and all well afterwards without a restart.

load helper

setup() {
	export DIR=$BATS_TEST_TMPDIR/mox IP
	IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly >/dev/null
}

teardown() {
	stop_background
	! mountpoint -q "$DIR/data" || umount "$DIR/data"
}

py() { python3 "$BATS_TEST_DIRNAME/diskfault.py" "$@"; }

# After a restart all is as acknowledged, and the data is sound.
check_again() {
	stop_background
	mox-verifydata "$DIR/data"
	start_server -loglevel error
	py check
	stop_background
	mox-verifydata "$DIR/data"
}

# A small file system of its own, where that is allowed.
mount_data() {
	local image=$BATS_TEST_TMPDIR/image
	truncate -s 16M "$image"
	mkfs.ext4 -q -F -m 0 "$image"
	cp -a "$DIR/data" "$BATS_TEST_TMPDIR/data"
	mount -o loop "$image" "$DIR/data" 2>/dev/null ||
		mount -t tmpfs -o size=8m none "$DIR/data" 2>/dev/null ||
		skip "not allowed to mount a small file system: run as root"
	cp -a "$BATS_TEST_TMPDIR/data/." "$DIR/data/"
}

@test "the disk is full, twice" {
	need mkfs.ext4
	mount_data
	start_server -loglevel error
	py full "$DIR/data"
	check_again
}

# The Nth calls of these fail, counted over all processes.
start_failing_server() {
	export FAULT_DIR=$DIR/data FAULT_STATE=$BATS_TEST_TMPDIR/counters
	export FAULT_PROG='mox-*d' FAULT_FAIL="$*"
	export LD_PRELOAD=$MOX_T/bin/faultshim.so
	export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
	start_server -nosandbox -loglevel error
	unset LD_PRELOAD "${!FAULT_@}"
}

@test "syncs and writes fail now and then" {
	start_failing_server \
		'fsync:*/Maildir/tmp/*:25:EIO' 'fsync:*/Maildir/new:40:EIO' \
		'fdatasync:*/Maildir/mox.log:30:EIO' \
		'fdatasync:*/Maildir/mox.log:45:EIO' \
		'fdatasync:*/.work/mox.log:30:EIO' 'fsync:*/.work/cur:12:EIO' \
		'fdatasync:*/.Archive/mox.log:20:EIO' \
		'write:*/Maildir/mox.log:90:ENOSPC' \
		'write:*/Maildir/tmp/*:60:ENOSPC' \
		'write:*/.work/mox.log:50:ENOSPC' 'rename:*/.work/*:30:EIO'
	py failing
	check_again
}
