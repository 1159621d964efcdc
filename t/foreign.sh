#!/bin/bash
# What mutt, procmail and a user with mv do in a Maildir beside a server:
# foreign.sh MAILDIR SECONDS. Messages of its own are f-1, f-2, ...; how many it
# delivered goes to stdout.
set -u
cd "$1" || exit 1
folders=(. .Archive .work)
n=0

pick() { local -n from=$1; echo "${from[RANDOM % ${#from[@]}]}"; }

# By the book: tmp/, then a link or a rename into new/.
deliver() {
	local dir name
	n=$((n + 1))
	dir=$(pick folders)
	name=$EPOCHSECONDS.f-$n.$$.shell
	printf 'From: a@example.org\nSubject: f-%d\n\nbody\n' $n >"$dir/tmp/$name"
	if ((RANDOM % 2)); then
		mv "$dir/tmp/$name" "$dir/new/$name"
	else
		ln "$dir/tmp/$name" "$dir/new/$name"
		rm "$dir/tmp/$name"
	fi
}

# A reader moves all that is new, its own and the server's, to cur/; what the
# server has moved already is not there any more.
read_new() {
	local f dir
	dir=$(pick folders)
	for f in "$dir"/new/*; do
		mv "$f" "$dir/cur/${f##*/}:2," 2>/dev/null
	done
}

# Something with one of its own messages.
change() {
	local files f dir to
	dir=$(pick folders)
	files=("$dir"/cur/*.f-*)
	[ -e "${files[0]}" ] || return
	f=$(pick files)
	to=$(pick folders)
	case $((RANDOM % 6)) in
	0 | 1) mv "$f" "${f%%:2,*}:2,$(pick flags)" ;;
	2) [ "$dir" = "$to" ] || mv "$f" "$to/cur/${f##*/}" ;;
	3) ln "$f" "$to/new/$EPOCHSECONDS.${RANDOM}_$(grep -o 'f-[0-9]*' <<<"${f##*/}").$$.shell" ;;
	4) mv "$f" "$dir/new/$(sed 's/:2,.*//' <<<"${f##*/}")" ;;
	5) rm "$f" ;;
	esac 2>/dev/null
}

flags=("" S F FS RS DFRS)
end=$((SECONDS + $2))
while ((SECONDS < end)); do
	deliver
	change
	change
	read_new
	sleep 0.0$((RANDOM % 5))
done
echo "$n"
