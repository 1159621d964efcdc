#!/usr/bin/env bats
# The order of writes and syncs from end to end: an acknowledgement on the wire
# comes after everything it promises is on disk, and costs no more syncs than
# that needs.

load helper

teardown() { stop_background; }

# What strace can see, where ptrace is allowed.
need_strace() {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "no strace here"
}

# -D: strace is not the parent, and ends with the last process it traces.
start_traced_server() {
	TRACE=$BATS_TEST_TMPDIR/trace
	background strace -D -f -y -s 3000 -o "$TRACE" \
		-e trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync \
		mox-localserve -dir "$DIR" -ip "$IP" -loglevel error >/dev/null 2>&1
	SERVER_PID=$BACKGROUND_PID
	eventually port_open "$IP" 1025
	eventually port_open "$IP" 1143
}

@test "delivery, APPEND, STORE, COPY, MOVE, EXPUNGE: synced, then answered" {
	need_strace
	export DIR=$BATS_TEST_TMPDIR/mox IP
	IP=$(own_ip)
	start_traced_server
	python3 "$BATS_TEST_DIRNAME/synctrace.py" mail
	stop_server
	eventually grep -q "^$SERVER_PID .*exited with" "$TRACE"
	python3 "$BATS_TEST_DIRNAME/synctrace.py" check "$TRACE"
}
