#!/usr/bin/env bats
# What servers answer, and where they go away: what becomes of the message, what
# the item says, and what the sender is told. One server a row of the table.

load helper
load mx

# NAME|FAULTS|RECIPIENTS|OUTCOME|TEXT. OUTCOME is of the first recipient, TEXT
# what its item, or the notification, has as the reply.
table() {
	cat <<'EOF2'
greet4|greeting='450 4.3.2 busy'|a|delayed|450 4.3.2 busy
greet421|greeting='421 4.3.2 closing'|a|delayed|421 4.3.2 closing
ehlo4|ehlo='451 4.4.0 not now'|a|delayed|451 4.4.0 not now
helo4|ehlo='502 what' helo='450 no'|a|delayed|450 no
mail4|mail='452 4.3.1 full'|a|delayed|452 4.3.1 full
mail421|mail='421 4.3.2 closing'|a|delayed|421 4.3.2 closing
rcpt4|rcpt='450 4.2.1 greylisted'|a|delayed|450 4.2.1 greylisted
rcpt421|rcpt='421 4.7.0 slow down'|a|delayed|421 4.7.0 slow down
data4|data='451 4.3.0 no space'|a|delayed|451 4.3.0 no space
data421|data='421 4.3.2 closing'|a|delayed|421 4.3.2 closing
end4|end='451 4.7.1 scanner'|a|delayed|451 4.7.1 scanner
end421|end='421 4.3.2 closing'|a|delayed|421 4.3.2 closing
greet5|greeting='554 5.7.1 go away'|a|failed|554 5.7.1 go away
ehlo5|ehlo='550 5.7.1 not you'|a|failed|550 5.7.1 not you
helo5|ehlo='500 what' helo='550 5.7.1 not you'|a|failed|550 5.7.1 not you
mail5|mail='550 5.1.8 sender'|a|failed|550 5.1.8 sender
rcpt5|rcpt='550 5.1.1 nobody'|a|failed|550 5.1.1 nobody
rcpt5bare|rcpt='550 nobody here'|a|failed|550 nobody here
rcpt5odd|rcpt='550 4.2.1 the code counts'|a|failed|550 4.2.1 the code counts
rcptlines|rcpt='550-5.1.1 nobody\n550-5.1.1 at\n550 5.1.1 all'|a|failed|550 5.1.1 nobody
data5|data='554 5.5.0 no'|a|failed|554 5.5.0 no
end5|end='552 5.3.4 too large'|a|failed|552 5.3.4 too large
size|bare ext='SIZE 10'|a|failed|5.3.4
dropgreet|greeting=drop|a|delayed|greeting: connection lost
dropehlo|ehlo=drop|a|delayed|EHLO: connection lost
dropmail|mail=drop|a|delayed|MAIL FROM: connection lost
droprcpt|rcpt=drop|a|delayed|RCPT TO: connection lost
dropdata|data=drop|a|delayed|DATA: connection lost
dropend|end=drop|a|delayed|end of message: connection lost
resetmail|mail=reset|a|delayed|connection lost: Connection reset by peer
resetdata|data=reset|a|delayed|connection lost: Connection reset by peer
resetend|end=reset|a|delayed|end of message: connection lost
nosmtp|greeting='SSH-2.0-OpenSSH_9'|a|delayed|greeting
mixedcode|mail='250-yes\n450 no'|a|delayed|MAIL FROM
oddmail|mail='354 go on'|a|delayed|354 go on
odddata|data='250 2.0.0 ok'|a|delayed|250
oddend|end='354 more'|a|delayed|354 more
helo|ehlo='500 what'|a|delivered|250 2.0.0 taken
bare|bare|a|delivered|250 2.0.0 taken
r251|rcpt='251 2.1.5 forwarded'|a|delivered|250 2.0.0 taken
starttls4|cert=CERT starttls='454 4.7.0 not now'|a|delivered|250 2.0.0 taken
starttls5|cert=CERT starttls='502 5.5.1 what'|a|delivered|250 2.0.0 taken
tlsdrop|cert=CERT handshake=drop|a|delivered|250 2.0.0 taken
tlsgarbage|cert=CERT handshake=garbage|a|delivered|250 2.0.0 taken
tlsinjected|cert=CERT injected|a|delivered|250 2.0.0 taken
chunking|ext=CHUNKING|a|delivered|250 2.0.0 taken
chunking5|ext=CHUNKING end='554 5.6.0 no'|a|failed|554 5.6.0 no
rcpt452|ext=CHUNKING rcpt:late='452 4.5.3 too many'|a late|delivered|250 2.0.0 taken
mixed|rcpt:no='550 5.1.1 nobody' rcpt:later='450 4.2.1 greylisted'|a no later|delivered|250 2.0.0 taken
allno|rcpt:a='550 5.1.1 nobody' rcpt:b='550 5.2.1 disabled'|a b|failed|550 5.1.1 nobody
mixedend|rcpt:no='550 5.1.1 nobody' end='451 4.3.0 disk'|a no|delayed|451 4.3.0 disk
EOF2
}

setup_file() {
	mx_begin
	mx_cert good good.example
	export MOX_DNS_ZONE=$BATS_FILE_TMPDIR/zone
	mx_host_dir
	while IFS='|' read -r name faults _; do
		eval "faults=(${faults//CERT/$MX/good.pem})"
		mx_host "$name.example" "${faults[@]}"
		echo "$name.example A $ADDRESS"
	done < <(table) >"$MOX_DNS_ZONE"
	mx_start
	mx_queue
	while IFS='|' read -r name _ rcpts _; do
		mx_send $(printf '%s@'"$name"'.example\n' $rcpts)
	done < <(table)
	mx_await "$(wanted_dsns)"
}

teardown_file() { stop_background; }

# Recipients are told of together where they fail together.
wanted_dsns() {
	table | awk -F'|' '$4 == "failed" { n++ } $3 ~ /no/ { n++ } END { print n }'
}

# Is all as it should be for an address? $1 address, $2 outcome, $3 text
check() {
	local host=${1#*@} file
	case $2 in
	delayed)
		file=$(mx_item "$1")
		[ -n "$file" ] && ! mx_dsn "$1" >&2 &&
			grep -qF " $host " <(grep '^delayed ' "$file") &&
			grep -qF -- "$3" <(grep '^delayed ' "$file") ;;
	failed)
		file=$(mx_dsn "$1")
		[ -n "$file" ] && [ -z "$(mx_item "$1")" ] &&
			grep -q '^Action: failed' "$file" &&
			grep -q "^Remote-MTA: dns; *$host" "$file" &&
			grep -q '^Status: 5' "$file" &&
			tr -d '\n' <"$file" | sed 's/  */ /g' | grep -qF -- "$3" ;;
	delivered)
		[ -z "$(mx_item "$1")" ] && ! mx_dsn "$1" >&2 &&
			grep -q "RCPT TO:<$1>" "$MX/$host".* ;;
	esac || { echo "$1: not $2 $3: $file"; cat "$file" "$MX/log" | grep -e "$host" -e '^delayed'; return 1; }
}

check_all() {
	local bad=0
	while IFS='|' read -r name _ rcpts outcome text; do
		[ "$outcome" = "$1" ] || continue
		check "${rcpts%% *}@$name.example" "$outcome" "$text" || bad=1
	done < <(table)
	return $bad
}

@test "4xx, or a connection lost, at each step: later, and the item says why" {
	check_all delayed
}

@test "5xx at each step: the sender is told" { check_all failed; }

@test "what does not matter: delivered" { check_all delivered; }

@test "the next attempt is in seven and a half minutes" {
	now=$(date +%s)
	for item in "$Q"/due/2*/*; do
		next=$(sed -n 's/^next //p' "$item")
		tried=$(sed -n 's/^delayed \([^ ]*\) .*/\1/p' "$item")
		wait=$(($(date -d "$next" +%s) - $(date -d "$tried" +%s)))
		[ "$wait" -ge 440 ]
		[ "$wait" -le 465 ]
		[ "$(grep -c ^trying "$item")" = 1 ]
	done
}

@test "recipients of one message have fates of their own" {
	check no@mixed.example failed '550 5.1.1 nobody'
	check later@mixed.example delayed '450 4.2.1 greylisted'
	check b@allno.example failed '550 5.2.1 disabled'
	check no@mixedend.example failed '550 5.1.1 nobody'
	check late@rcpt452.example delayed '452 4.5.3 too many'
	# Those who were refused are not in the message that others got.
	! grep -q 'RCPT TO:<no@' "$MX"/mixed.example.1
}

@test "nobody has it twice: a connection each, but where TLS failed" {
	while IFS='|' read -r name faults _; do
		case $name in
		starttls4 | starttls5 | tls*) want=2 ;;
		*) want=1 ;;
		esac
		[ "$(mx_log "$name.example" | grep -c '^connect')" = $want ] || {
			echo "$name: not $want connections"
			mx_log "$name.example"
			false
		}
	done < <(table)
	# Taken, then lost: it is not known here, and not sent again at once.
	[ "$(mx_log dropend.example | grep -c '^data')" = 1 ]
	! ls "$MX"/*.3
}

@test "servers are left politely" {
	# The connection is kept for a while, after all is told.
	left() { mx_log "$1.example" | grep -q '^C: QUIT'; }
	for name in rcpt4 rcpt5 end4 mail5 helo; do
		eventually left $name
	done
}

@test "the reply of several lines is told whole" {
	file=$(mx_dsn a@rcptlines.example)
	tr -d '\n' <"$file" | grep -q 'nobody.*at.*all'
}
