# helper.bash - what the bats files share; `load helper`.
#
# Every test gets a loopback address of its own, so fixed ports never clash
# and tests run side by side. Whatever a test starts with `background` ends
# with it.

TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
: "${MOX_BIN:=$TOP/bin}" "${MOX_T:=$TOP/bin/.obj/rel/t}"
export MOX_BIN MOX_T
PATH=$MOX_BIN:$TOP/bin:$PATH

# An address nobody else uses: those taken in this run are counted, in a part
# of 127.64.0.0/10 chosen by the name of the run.
own_ip() (
	run=$(cksum <<<"$BATS_RUN_TMPDIR") run=${run%% *}
	exec 9>>"$BATS_RUN_TMPDIR/own_ip"
	flock 9
	echo >&9
	n=$(wc -l <"$BATS_RUN_TMPDIR/own_ip")
	echo "127.$((64 + run % 64)).$((run / 64 % 16 * 16 + n / 254 % 16)).$((1 + n % 254))"
)

# Run in the background; ends with the test. A program, not a function, whose
# programs would stay when it is ended.
background() {
	[ "$(type -t "$1")" != function ] || { echo "background: $1 is a function" >&2; return 1; }
	"$@" 3>&- 4>&- &
	BACKGROUND_PID=$!
	BACKGROUND_PIDS+=" $BACKGROUND_PID"
}

stop_background() {
	local pid
	for pid in $BACKGROUND_PIDS; do kill -TERM "$pid" 2>/dev/null; done
	for pid in $BACKGROUND_PIDS; do wait "$pid" 2>/dev/null; done
	BACKGROUND_PIDS=
}

# Until the command succeeds, for at most 30 seconds (ASan builds are slow, and
# machines busy).
eventually() {
	local end=$((SECONDS + 30))
	while ((SECONDS < end)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never true: $*" >&2
	return 1
}

port_open() { (exec 8<>"/dev/tcp/$1/$2") 2>/dev/null; }

# A complete server in $DIR on address $IP: SMTP 1025, submission 1587 and
# 1465, IMAP 1143 and 1993; account mox@localhost, password moxmoxmox.
start_server() {
	DIR=${DIR:-$BATS_TEST_TMPDIR/mox} IP=${IP:-$(own_ip)}
	background mox-localserve -dir "$DIR" -ip "$IP" "$@" \
		>"$BATS_TEST_TMPDIR/server.out" 2>"$BATS_TEST_TMPDIR/server.log"
	SERVER_PID=$BACKGROUND_PID
	# Its ports are open before its services are ready.
	eventually grep -q 'mox is ready' "$BATS_TEST_TMPDIR/server.out"
}

# The same for all tests of a file, in setup_file; with a test's own in
# teardown_file: stop_background.
start_shared_server() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR DIR=$BATS_FILE_TMPDIR/mox IP
	start_server "$@"
	export SERVER_PID BACKGROUND_PIDS
}

stop_server() {
	kill -TERM "$SERVER_PID"
	wait "$SERVER_PID"
}

# A Python program, from here: mailtest and its kin are there.
py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 "${@:--}"; }

maildir() { echo "$DIR/data/accounts/${1:-mox}/Maildir"; }

# Tests with others' data are skipped, loudly, where there is none.
need_data() {
	[ -n "${MOX_TEST_DATA:-}" ] || skip "MOX_TEST_DATA is not set"
}
need() {
	local c
	for c; do command -v "$c" >/dev/null || skip "no $c here: make deps"; done
}
