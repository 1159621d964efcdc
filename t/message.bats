#!/usr/bin/env bats
# lib/message against others' answers, and its limits on memory and time.

load helper

@test "records agree with what Dovecot answers for 176 messages" {
	[ -n "${MOX_TEST_DATA:-}" ] || skip "MOX_TEST_DATA is not set"
	run python3 "$TOP/t/message-corpus.py" "$MOX_T/bin/msgdump" "$MOX_TEST_DATA"
	echo "$output"
	[ "$status" = 0 ]
}

# parse_in KB: the message on stdin is parsed in that much memory.
parse_in() {
	(ulimit -v "$1" && "$MOX_T/bin/msgdump")
}

@test "a large message does not grow memory" {
	case $MOX_T in */asan/*) skip "ASan needs much address space" ;; esac
	{
		printf 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'
		printf 'Content-Transfer-Encoding: base64\r\n\r\n'
		head -c 300000000 /dev/zero | tr '\0' A | fold -w 76
		head -c 100000000 /dev/zero | tr '\0' B
		printf '\n--b--\n'
	} | parse_in 65536 >"$BATS_TEST_TMPDIR/out"
	grep -q '^part 1 parent 0 number 1 type text/plain' "$BATS_TEST_TMPDIR/out"
}

@test "a header of 300 MB does not grow memory" {
	case $MOX_T in */asan/*) skip "ASan needs much address space" ;; esac
	{
		yes 'To: somebody <somebody@example.org>' | head -c 100000000
		printf '\nSubject: '
		head -c 100000000 /dev/zero | tr '\0' x
		printf '\n'
		yes ' more of the subject' | head -c 100000000
		printf '\n\nbody\n'
	} | parse_in 65536 >"$BATS_TEST_TMPDIR/out"
	grep -q '^part 0 parent -1 number 1 type text/plain' "$BATS_TEST_TMPDIR/out"
}
