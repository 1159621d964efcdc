#!/usr/bin/env bats
# Includes go down only: the order of folders in the README. And what else is
# the same in two places of the tree.

load helper

# Layer of a folder; files may include their own folder and lower layers.
layer_of() {
	case $1 in
	base) echo 0 ;;
	text | net | db) echo 1 ;;
	limit) echo 2 ;;
	service) echo 3 ;;
	dns | message) echo 4 ;;
	iprev | dnsbl | spf | dkim | arc | dmarc | dane | mtasts | tlsrpt | srs) echo 5 ;;
	sasl | junk | acme | rdap) echo 5 ;;
	auth | config) echo 6 ;;
	store) echo 7 ;;
	host) echo 8 ;;
	smtp | imap | http | queue | tools) echo 9 ;;
	*) echo unknown ;;
	esac
}

@test "includes go down" {
	bad=0
	while IFS=: read -r file include; do
		case $file in
		lib/*) from=${file#lib/} from=${from%%/*} ;;
		*) from=${file%%/*} ;;
		esac
		to=${include%%/*}
		[ "$from" = "$to" ] && continue
		case "$from $to" in
		"arc spf" | "arc dkim" | "dmarc spf" | "dmarc dkim") continue ;;
		"auth sasl" | "limit net" | "config auth" | "tools "* ) continue ;;
		"imap smtp" | "queue smtp") case $include in smtp/client.h | smtp/esmtp.h | smtp/gather.h) continue ;; esac ;;
		"smtp queue" | "http queue") [ "$include" = queue/queue.h ] && continue ;;
		esac
		a=$(layer_of "$from") b=$(layer_of "$to")
		if [ "$a" = unknown ] || [ "$b" = unknown ] || [ "$a" -le "$b" ]; then
			echo "$file ($from, layer $a) includes $include (layer $b)"
			bad=1
		fi
	done < <(
		cd "$BATS_TEST_DIRNAME/.." &&
		grep -noE '^#include "[a-z]+/[a-z0-9_]+\.h"' -r lib smtp imap http queue tools \
		    --include='*.[ch]' 2>/dev/null |
		sed -E 's/:[0-9]+:#include "([^"]+)"/:\1/')
	[ "$bad" = 0 ]
}

@test "a file named mox-*.c is a program with a manual page, no other has main" {
	cd "$BATS_TEST_DIRNAME/.."
	bad=0
	for f in */mox-*.c; do
		[ -e "$f" ] || continue
		grep -q '^main(' "$f" || { echo "$f has no main"; bad=1; }
		ls "${f%.c}".[1-8] >/dev/null 2>&1 || { echo "$f has no manual page"; bad=1; }
	done
	for f in lib/*/*.c smtp/*.c imap/*.c queue/*.c tools/*.c; do
		case $f in */mox-*.c | *'*'*) continue ;; esac
		grep -q '^main(' "$f" && { echo "$f has main"; bad=1; }
	done
	[ "$bad" = 0 ]
}

@test "cited RFCs are in t/rfc.txt" {
	cd "$BATS_TEST_DIRNAME/.."
	bad=0
	for n in $(grep -rhoE 'RFC [0-9]{3,5}' lib smtp imap queue tools --include='*.[ch]' |
	    sed 's/RFC //' | sort -un); do
		grep -qE "^$n[[:space:]]" t/rfc.txt || { echo "RFC $n is cited but not in t/rfc.txt"; bad=1; }
	done
	[ "$bad" = 0 ]
}

@test "manual pages are well formed" {
	cd "$BATS_TEST_DIRNAME/.."
	for m in bin/*.[1-8] */*.[1-8]; do
		[ -e "$m" ] || continue
		run mandoc -T lint -W warning "$m"
		[ "$status" = 0 ] || { echo "$output"; false; }
	done
}

# options_of NAME SOURCE...: of the program and of its commands, with whose
# words rows of tables in the sources begin.
options_of() {
	local name=$1 words
	shift
	{
		"$name" -help
		sed -n 's/^\t{ { "\([a-z -]*\)", .*/\1/p' "$@" | while read -r words; do
			"$name" $words -help
		done
	} | sed -n 's/^  -\([a-zA-Z0-9-]*\).*/\1/p' | sort -u
}

@test "manual pages have the options that programs have" {
	cd "$BATS_TEST_DIRNAME/.."
	bad=0
	for m in */mox-*.[1-8]; do
		name=${m##*/} name=${name%.*}
		sources=("${m%.*}".c)
		[ "$name" != mox-config ] || sources+=(tools/config_*.c)
		options_of "$name" "${sources[@]}" >"$BATS_TEST_TMPDIR/has"
		while read -r option; do
			grep -qE "Fl $option( |\$)" "$m" || { echo "$m: no -$option"; bad=1; }
		done <"$BATS_TEST_TMPDIR/has"
		# Its own stand in no help: they are those of other sendmails.
		[ "$name" != mox-sendmail ] || continue
		for option in $(sed -n 's/^\.It Fl \([a-zA-Z0-9-]*\).*/\1/p' "$m"); do
			grep -qxF -e "$option" "$BATS_TEST_TMPDIR/has" || { echo "$m: -$option is gone"; bad=1; }
		done
	done
	[ "$bad" = 0 ]
}
