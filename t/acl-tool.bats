#!/usr/bin/env bats
# mox-acl: lists of rights and what accounts share, from a shell.

load helper

setup() {
	export DIR=$BATS_TEST_TMPDIR/mox MOXCONF=$BATS_TEST_TMPDIR/mox/mox.conf
	mox-localserve -dir "$DIR" -ip 127.0.0.1 -initonly
	local name
	for name in anna bob; do
		printf '\t%s:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\t%s@localhost: nil\n' \
			$name $name >>"$DIR/domains.conf"
		mkdir -p "$DIR/data/accounts/$name/Maildir/"{,.Lists.}{cur,new,tmp} \
			"$DIR/data/accounts/$name/Maildir/.Lists/"{cur,new,tmp}
	done
	LIST=$DIR/data/accounts/anna/Maildir/.Lists/dovecot-acl
}

# $1 status, $2 what is said, and the command.
refused() {
	local want=$1 text=$2
	shift 2
	run mox-acl "$@"
	[ "$status" = "$want" ] && [[ $output == *"$text"* ]] ||
		{ echo "$status: $output" >&2; return 1; }
}

@test "set, list, shared, delete" {
	mox acl set anna Lists bob lr
	mox-acl set anna@localhost lists/x anyone l && false
	mox-acl set anna Lists bob@localhost +s
	mox-acl set anna inbox authenticated l
	mox-acl set anna Lists -anyone w
	mox-acl set anna Lists anna -kx
	[ "$(cat "$LIST")" = "user=bob lrs
-anyone w
owner lrswiptea" ]
	[ "$(mox-acl list anna)" = "Inbox	authenticated	l
Lists	user=bob	lrs
Lists	-anyone	w
Lists	owner	lrswiptea" ]
	[ "$(mox-acl list anna Lists | wc -l)" = 3 ]
	[ "$(mox-acl shared bob)" = "anna	Inbox	l
anna	Lists	lrs" ]
	[ "$(mox-acl shared -json bob | tr -d ' \n\t')" = \
		'[{"Owner":"anna","Mailbox":"Inbox","Rights":"l"},{"Owner":"anna","Mailbox":"Lists","Rights":"lrs"}]' ]
	[ "$(mox-acl shared -json anna | tr -d ' \n\t')" = '[]' ]
	mox-acl delete anna Lists bob
	mox-acl delete anna Lists owner
	mox-acl delete anna Lists -anyone
	mox-acl delete anna Inbox authenticated
	[ ! -e "$LIST" ]
	[ -z "$(mox-acl list anna)$(mox-acl shared bob)" ]
}

@test "what is refused" {
	refused 1 'no account "nobody"' list nobody
	refused 1 'no account "nobody"' set anna Lists nobody lr
	refused 1 'no account "x@example.org"' set anna Lists x@example.org lr
	refused 1 'no mailbox "None"' set anna None bob lr
	refused 1 'no mailbox "None"' list anna None
	refused 1 'rights are among' set anna Lists bob lQ
	refused 1 'mailbox name' set anna 'a//b' bob l
	refused 2 'arguments are missing' set anna Lists bob
	refused 2 'too many arguments' rebuild anna
	refused 2 'no command "frob"' frob
	refused 2 'usage: ' 
	printf 'nonsense\n' >"$LIST"
	refused 1 'make no sense' list anna Lists
	refused 1 'make no sense' set anna Lists bob lr
	[ "$(cat "$LIST")" = nonsense ]
	# An account that is gone may still have an entry.
	printf 'user=gone lr\n' >"$LIST"
	mox-acl delete anna Lists gone
	[ ! -e "$LIST" ]
}

@test "rebuild: lists that were copied or edited" {
	printf 'user=bob lr\n' >"$LIST"
	mkdir -p "$DIR/data/shared/bob"
	echo Inbox >"$DIR/data/shared/bob/anna"
	[ -z "$(mox-acl shared bob)" ]
	[ "$(mox-acl rebuild)" = "added anna	Lists	bob
removed anna	Inbox	bob" ]
	[ "$(mox-acl shared bob)" = "anna	Lists	lr" ]
	[ -z "$(mox-acl rebuild)" ]
}

@test "an account that is removed leaves no rights to the next of its name" {
	mox-acl set anna Lists bob lr
	mox-config account rm bob
	[ ! -e "$LIST" ]
	[ -z "$(find "$DIR/data/shared" -type f ! -name .lock)" ]
}
