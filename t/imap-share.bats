#!/usr/bin/env bats
# Mailboxes that accounts share, between sessions: what each sees of the other,
# rights that come and go, the jail.

load helper
load acl

setup_file() {
	acl_server ada alf bea bob cat cid dan dot eva elf fay fox gil gus hal hob
}

teardown_file() { stop_background; }

# $1: what is wanted, line by line; then the arguments of jailed.
jailed() {
	local want=$1
	shift
	run "$MOX_T/bin/jailed" "$DIR/mox.conf" "$@"
	[ "$output" = "$want" ] || {
		echo "$output"
		return 1
	}
}

@test "owner and reader see each other's changes at once, in IDLE, and parked" {
	py <<-'EOF'
	import time
	a = login("ada")
	a.ok("CREATE x")
	a.ok("SETACL x alf lrswite")
	a.ok("SELECT x")
	b = login("alf")
	b.ok('SELECT "Other Users/ada/x"')
	def idle(x):
	    x.begin("IDLE")
	    assert x.line().startswith(b"+ ")
	def done(x):
	    x.send("DONE\r\n")
	    eq(x.end().status, "OK")
	for x, y, box in (a, b, "Other Users/ada/x"), (b, a, "x"):
	    idle(x)
	    eq(y.append(box, message("m")).status, "OK")
	    told(x, r"EXISTS$")
	    y.ok("STORE * +FLAGS (\\Flagged word)")
	    told(x, r"FETCH .*\\Flagged.*word")
	    done(x)
	    y.ok("NOOP")
	# Parked after some seconds, in another's mailbox as in one's own.
	for x, y, box in (b, a, "x"), (a, b, "Other Users/ada/x"):
	    idle(x)
	    time.sleep(6)
	    eq(y.append(box, message("m")).status, "OK")
	    told(x, r"EXISTS$")
	    done(x)
	    y.ok("NOOP")
	b.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
	b.ok("EXPUNGE")
	eq(len([l for l in a.ok("NOOP").lines if l.endswith("EXPUNGE")]), 4)
	EOF
}

@test "rights that are taken away, at the next command; given ones at the next login" {
	py <<-'EOF'
	a = login("bea")
	for name in "x", "y": a.ok(f"CREATE {name}")
	a.append("x", message("m"))
	a.ok("SETACL x bob lrswite")
	b = login("bob")
	box = '"Other Users/bea/x"'
	b.ok(f"SELECT {box}")
	b.ok("STORE 1 +FLAGS (\\Flagged)")
	# RFC 4314, 5.1.1: told when they change.
	a.ok("SETACL x bob -w")
	r = b.no("STORE 1 +FLAGS (\\Flagged)")
	noperm(r)
	assert r.has(r"PERMANENTFLAGS \(\\Seen \\Deleted\)"), r
	a.ok("SETACL x bob -sit")
	noperm(b.append("Other Users/bea/x", message("n")))
	a.ok("SETACL x bob +ap")
	b.ok(f"SETACL {box} bob -p")
	a.ok("SETACL x bob lr")
	noperm(b.no(f"SETACL {box} bob +w"))
	# What comes up during a session is seen from the next on.
	a.ok("SETACL y bob lr")
	nonexistent(b.no('STATUS "Other Users/bea/y" (MESSAGES)'))
	login("bob").ok('STATUS "Other Users/bea/y" (MESSAGES)')
	# Without "r" nothing of it can be done any more (5.1.1).
	a.ok('SETACL x bob l')
	b.begin("NOOP")
	assert b.response().startswith("* BYE ")
	b = login("bob")
	noperm(b.no(f"SELECT {box}"))
	a.ok("DELETEACL x bob")
	nonexistent(b.no(f"SELECT {box}"))
	assert not b.ok('LIST "" *').has("bea/x")
	# In IDLE at once.
	b.ok('SELECT "Other Users/bea/y"')
	b.begin("IDLE")
	assert b.line().startswith(b"+ ")
	a.ok("DELETEACL y bob")
	assert told(b, "BYE")
	# A mailbox that was renamed is another one, one that is gone is gone.
	a.ok("SETACL y bob lr")
	b = login("bob")
	b.ok('SELECT "Other Users/bea/y"')
	b.ok("UNSELECT")
	a.ok("RENAME y z")
	nonexistent(b.no('SELECT "Other Users/bea/y"'))
	a.ok("CREATE y")
	nonexistent(b.no('SELECT "Other Users/bea/y"'))
	b = login("bob")
	b.ok('SELECT "Other Users/bea/z"')
	a.ok("DELETE z")
	b.begin("NOOP")
	assert b.response().startswith("* BYE ")
	assert not login("bob").ok('LIST "" *').has("Other Users/bea")
	EOF
}

@test "quota and annotations of the owner" {
	py <<-'EOF'
	a = login("cat")
	a.ok("CREATE x")
	a.ok("SETACL x cid lri")
	a.ok('SETMETADATA x (/private/comment "mine" /shared/comment "ours")')
	eq(a.append("x", message("m", "x" * 8000 + "\r\n")).status, "OK")
	a.ok('GETQUOTA ""')
	b = login("cid")
	box = '"Other Users/cat/x"'
	eq(b.ok(f"GETQUOTAROOT {box}").lines,
	   [f'* QUOTAROOT {box} "Other Users/cat"', '* QUOTA "Other Users/cat" (STORAGE 8 20)'])
	eq(b.ok('GETQUOTA "Other Users/cat"').lines, ['* QUOTA "Other Users/cat" (STORAGE 8 20)'])
	for root in "Other Users", "Other Users/", "Other Users/c", "Other Users/cat/x", "Other Users/dan", "..":
	    nonexistent(b.no(f'GETQUOTA "{root}"'))
	eq(b.append("Other Users/cat/x", message("m", "x" * 8000 + "\r\n")).status, "OK")
	for c, root in (b, "Other Users/cat"), (a, ""):
	    eq(c.ok(f'GETQUOTA "{root}"').lines, [f'* QUOTA "{root}" (STORAGE 16 20)'])
	big = message("m", "x" * 8000 + "\r\n")
	for c, name in (b, "Other Users/cat/x"), (a, "x"):
	    r = c.append(name, big)
	    assert r.status == "NO" and r.text.startswith("[OVERQUOTA] "), r
	eq(b.ok('GETQUOTA ""').lines, ['* QUOTA "" (STORAGE 0 20)'])
	# RFC 5464, 3.3
	eq(b.ok(f"GETMETADATA {box} (/private/comment /shared/comment)").lines, [f'* METADATA {box} (/shared/comment "ours")'])
	noperm(b.no(f'SETMETADATA {box} (/shared/comment "x")'))
	noperm(b.no(f'SETMETADATA {box} (/private/comment "x")'))
	assert b.ok(f'LIST "" {box} RETURN (METADATA (/private/comment /shared/comment))').has(r'/private/comment NIL /shared/comment "ours"')
	EOF
}

@test "names that try to get elsewhere find nothing" {
	py <<-'EOF'
	a = login("dan")
	for name in "open", "secret": a.ok(f"CREATE {name}")
	a.ok("SETACL open dot lrswitea")
	b = login("dot")
	for name in ("Other Users/dan/secret", "Other Users/dan/INBOX", "Other Users/dan/open/secret", "Other Users/dan",
	             "Other Users/dan/open/..", "Other Users/dan/../dan/open", "Other Users/../dan/open", "Other Users//dan/open",
	             "Other Users/%2E%2E/dan/open", "Other Users/dan/open%2F..%2F.secret", "Other Users/dan/.secret",
	             "Other Users/DAN/open", "other users/dan/open", "Other Users/dan/#.secret", "#Other Users/dan/open",
	             "../dan/Maildir/.secret", "Other Users/dan/open/.", "Other Users/dan/ open", "Other Users/dan/open\tx", "/Other Users/dan/open"):
	    for command in "SELECT", "EXAMINE", "MYRIGHTS", "GETACL", "DELETE", "GETMETADATA":
	        r = b.cmd(f'{command} "{name}"' + (" /shared/x" if command == "GETMETADATA" else ""))
	        assert r.status in ("NO", "BAD") and not r.has("secret"), (name, command, r)
	    assert b.cmd(f'STATUS "{name}" (MESSAGES)').status in ("NO", "BAD")
	    assert b.append(name, message("m")).status in ("NO", "BAD")
	    assert b.cmd(f'SETACL "{name}" dot lr').status in ("NO", "BAD")
	    assert b.cmd(f'RENAME "{name}" mine').status in ("NO", "BAD")
	b.ok('SELECT "Other Users/dan/open/"')
	EOF
	# What a name says in data/shared opens nothing.
	printf 'secret\n..%%2F..\nInbox\n' >"$DIR/data/shared/dot/dan"
	py <<-'EOF'
	b = login("dot")
	assert not b.ok('LIST "" *').has("Other")
	nonexistent(b.no('SELECT "Other Users/dan/secret"'))
	EOF
}

@test "the jail has what is shared, as it is shared, and nothing else" {
	py <<-'EOF'
	a = login("eva")
	for name in "read", "write", "secret": a.ok(f"CREATE {name}"), a.append(name, message("m"))
	a.ok("SETACL read elf lr")
	a.ok("SETACL write elf lrswite")
	login("elf").ok("NOOP")
	login("fay").ok("NOOP")
	EOF
	local m=accounts/eva/Maildir
	jailed "select Other Users/eva/read: yes
select Other Users/eva/write: yes
select Other Users/eva/secret: no such mailbox
select Inbox: yes
read $m/.read/mox.log: yes
write $m/.read/mox.log: Permission denied
write $m/.read/new/x: Permission denied
write $m/.write/x: yes
write accounts/eva/shared/added: yes
list $m/.secret: Permission denied
read $m/.secret/mox.log: Permission denied
read $m/mox.log: Permission denied
list $m: Permission denied
list accounts/eva: Permission denied
read accounts/eva/uidvalidity: Permission denied
write accounts/eva/forward: Permission denied
read $m/.read/../.secret/mox.log: Permission denied
list accounts: Permission denied
list auth: Permission denied
write shared/x: yes
write accounts/elf/x: yes" elf \
		select 'Other Users/eva/read' select 'Other Users/eva/write' \
		select 'Other Users/eva/secret' select Inbox \
		read $m/.read/mox.log write $m/.read/mox.log write $m/.read/new/x \
		write $m/.write/x write accounts/eva/shared/added \
		list $m/.secret read $m/.secret/mox.log read $m/mox.log list $m \
		list accounts/eva read accounts/eva/uidvalidity \
		write accounts/eva/forward read $m/.read/../.secret/mox.log \
		list accounts list auth write shared/x write accounts/elf/x
	# Should the check be got round: the jail alone.
	run "$MOX_T/bin/jailed" "$DIR/mox.conf" elf force eva secret force eva Inbox
	[[ ${lines[0]} == *'Permission denied'* && ${lines[1]} == *'Permission denied'* ]]
	# Nothing is shared with others.
	jailed "list $m/.read: Permission denied
read $m/.write/mox.log: Permission denied
select Other Users/eva/read: no such mailbox" fay \
		list $m/.read read $m/.write/mox.log select 'Other Users/eva/read'
	# The inbox opens the owner's Maildir, but not his account: mox-imapd(8).
	py <<<'login("eva").ok("SETACL INBOX elf lr")'
	jailed "read $m/.secret/mox.log: yes
write $m/.secret/mox.log: Permission denied
select Other Users/eva/secret: no such mailbox
list accounts/eva: Permission denied" elf \
		read $m/.secret/mox.log write $m/.secret/mox.log \
		select 'Other Users/eva/secret' list accounts/eva
}

@test "python's imaplib: setacl, getacl, myrights, deleteacl, namespace" {
	py <<-'EOF'
	import imaplib
	a = imaplib.IMAP4(IP, 1143)
	a.login("gil@localhost", PASSWORD)
	eq(a.namespace(), ("OK", [b'(("" "/")) (("Other Users/" "/")) NIL']))
	eq(a.create("x")[0], "OK")
	eq(a.setacl("x", "gus", "lrs"), ("OK", [b"SETACL done"]))
	eq(a.getacl("x"), ("OK", [b'"x" "gil" lrswipkxtecda "gus" lrs']))
	eq(a.myrights("x"), ("OK", [b'"x" lrswipkxtecda']))
	b = imaplib.IMAP4(IP, 1143)
	b.login("gus@localhost", PASSWORD)
	eq(b.myrights('"Other Users/gil/x"'), ("OK", [b'"Other Users/gil/x" lrs']))
	eq(b.select('"Other Users/gil/x"')[0], "OK")
	assert b'() "/" "Other Users/gil/x"' in b.list()[1]
	eq(a.deleteacl("x", "gus")[0], "OK")
	eq(a.getacl("x"), ("OK", [b'"x" "gil" lrswipkxtecda']))
	EOF
}

@test "Dovecot's rights are ours, and a mailbox for reading that others fill" {
	py <<-'EOF'
	import subprocess
	a = login("hal")
	a.ok("CREATE x")
	a.append("x", message("m"))
	folder = DIR + "/data/accounts/hal/Maildir/.x/"
	# As Dovecot writes it; then the names of whom it is shared with.
	open(folder + "dovecot-acl", "w").write("user=hob lr\nowner lrwstipekxa\n")
	subprocess.run(["mox-acl", "rebuild", "-config", DIR + "/mox.conf"], check=True)
	b = login("hob")
	eq(b.ok('MYRIGHTS "Other Users/hal/x"').lines, ['* MYRIGHTS "Other Users/hal/x" lr'])
	b.ok('SELECT "Other Users/hal/x"')
	# A file put there is taken in by who may write.
	open(folder + "new/1796051045.1.h", "w").write("Subject: put\n\nx\n")
	b.ok("NOOP")
	wait_for(lambda: a.ok("STATUS x (MESSAGES)").has("MESSAGES 2"))
	assert b.ok("NOOP").has("^\\* 2 EXISTS"), "not told"
	assert b.ok("FETCH 2 (ENVELOPE BODY[])").has("put")
	EOF
}
