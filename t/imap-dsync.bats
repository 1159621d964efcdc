#!/usr/bin/env bats
# Dovecot's doveadm backup and sync, with our server as the other side: whole
# accounts there and back, and a second run that has nothing to do.

load helper

setup_file() {
	start_shared_server -loglevel trace
	# Where nobody may go.
	export HERE
	HERE=$(mktemp -d "${TMPDIR:-/tmp}/mox-dsync.XXXXXX")
	chmod 755 "$HERE"
}

setup() { need doveadm setpriv; }

teardown_file() {
	stop_background
	rm -rf "$HERE"
}

# A script on stdin; commands() gives what changes clients have asked the
# server for since the last call.
py() {
	{ cat <<-'EOT'; cat; } | LOG=$BATS_FILE_TMPDIR/server.log PYTHONPATH=$BATS_TEST_DIRNAME timeout 280 python3 -
	from mailtest import *
	import subprocess
	from dsync import Dsync, by_content, server_state
	HERE = os.environ["HERE"]
	heard = Heard()
	def changes():
	    return [c for c in heard()
	            if re.match("(UID )?(APPEND|STORE|EXPUNGE|CREATE|DELETE|RENAME|COPY|MOVE|SUBSCRIBE|UNSUBSCRIBE)", c)]
	def same(a, b):
	    eq(sorted(a), sorted(b))
	    for box in a:
	        assert a[box] == b[box], (box, a[box], b[box])
	def fill(c, box, n):
	    for i in range(1, n + 1):
	        flags = ["", "(\\Seen)", "(\\Flagged $Forwarded work)", "(\\Answered \\Seen Other-Word)", "(\\Draft \\Deleted)"][i % 5]
	        c.append(box, message(f"{box} {i}", f"body of {i}\r\n" * i), flags, f'"{i % 28 + 1:2}-Feb-2019 01:02:{i % 60:02} +0130"')
	EOT
}

@test "backup from us, twice, after changes of all kinds; then sync both ways" {
	py <<-'EOF'
	c = Imap()
	fill(c, "INBOX", 60)
	for box in "Lists/qmail", "Lists/dots.and spaces", "Gr&APYA3w-e", "Empty":
	    c.ok(f'CREATE "{box}"')
	    if box != "Empty":
	        fill(c, box, 10)
	c.ok("SELECT INBOX")
	c.ok("UID STORE 3,5:9 +FLAGS.SILENT (\\Deleted)")
	c.ok("UID EXPUNGE 5:9")
	c.ok("UNSELECT")
	d = Dsync(HERE + "/mirror")
	d.run("backup", "-R", "imapc:")
	before = server_state()
	eq(len(before["INBOX"]), 55)
	same(d.state(), before)
	# Nothing to do, and nothing is done.
	changes()
	d.run("backup", "-R", "imapc:")
	eq(changes(), [])
	same(d.state(), before)
	# Flags, new, gone, made, renamed, deleted.
	c.ok("SELECT INBOX")
	c.ok("UID STORE 11:15 FLAGS.SILENT (\\Answered new)")
	c.ok("UID STORE 20:22 +FLAGS.SILENT (\\Deleted)")
	c.ok("UID EXPUNGE 20:22")
	c.append("INBOX", message("late"), "($Junk)")
	c.ok("UID MOVE 30:32 Archive")
	c.ok("UNSELECT")
	c.ok("RENAME Lists/qmail Lists/notqmail")
	c.ok("DELETE Empty")
	c.ok("CREATE Other")
	c.append("Other", message("other"))
	d.run("backup", "-R", "imapc:")
	same(d.state(), server_state())
	# Both sides change: a sync brings all to both, another one nothing.
	c.ok("SELECT INBOX")
	c.ok("UID STORE 40:42 +FLAGS.SILENT (\\Flagged ours)")
	c.ok("UID STORE 50 +FLAGS.SILENT (\\Deleted)")
	c.ok("UID EXPUNGE 50")
	c.ok("UNSELECT")
	c.append("Archive", message("ours"))
	d.run("flags", "add", "\\Answered theirs", "mailbox", "INBOX", "uid", "45:46")
	d.run("flags", "remove", "\\Seen", "mailbox", "INBOX", "uid", "46")
	d.run("expunge", "mailbox", "INBOX", "uid", "51")
	# (It makes no mailboxes over IMAP: it could not choose their GUIDs.)
	d.run("save", "-m", "Other", stdin=message("theirs"))
	d.run("save", "-m", "Sent", stdin=message("theirs sent"))
	d.sync()
	after = server_state()
	same(by_content(d.state()), by_content(after))
	inbox = after["INBOX"]
	assert 50 not in inbox and 51 not in inbox
	assert {"\\Flagged", "ours"} <= set(inbox[40][0]) and {"\\Answered", "theirs"} <= set(inbox[45][0]) and "\\Seen" not in inbox[46][0]
	assert any("theirs" in m[2] for m in after["Other"].values()) and any("theirs sent" in m[2] for m in after["Sent"].values())
	changes()
	d.sync()
	eq(changes(), [])
	same(by_content(d.state()), by_content(server_state()))
	EOF
}

@test "a Dovecot account moves to us; doveadm uses ours as its own store" {
	py <<-'EOF'
	c = Imap()
	d = Dsync(HERE + "/old", "maildir:~/Maildir:LAYOUT=fs")
	for path, box, n in ("", "INBOX", 30), ("Projects/One", "Projects/One", 10), ("Projects/Two/deep", "Projects/Two/deep", 5), ("Gesch&AOQ-ft", "Geschäft", 3):
	    path = f"{HERE}/old/home/Maildir/{path}"
	    for sub in "new", "cur", "tmp":
	        os.makedirs(f"{path}/{sub}")
	    for i in range(n):
	        name = f"{path}/cur/{1500000000 + i}.{i}.old:2,{['', 'S', 'FS', 'RS', 'D'][i % 5]}"
	        with open(name, "w") as f:
	            f.write(message(f"{box} {i}", f"line {i}\r\n" * 50).replace("\r\n", "\n"))
	        os.utime(name, (0, 1400000000 + i * 86400))
	subprocess.run(["chown", "-R", "nobody:nogroup", HERE + "/old"], check=os.getuid() == 0)
	for box in "INBOX", "Geschäft":
	    d.run("flags", "add", "$Label1 keyword", "mailbox", box, "1:2")
	before = by_content(d.state())
	# doveadm with our account as its store reads the Maildir.
	new = Dsync(HERE + "/new", "imapc:")
	changes()
	new.run("import", f"maildir:{HERE}/old/home/Maildir:LAYOUT=fs", "", "ALL")
	assert any(x.startswith("CREATE") for x in changes())
	now = by_content(server_state())
	for box in before:
	    assert [m for m in now[box] if m in before[box]] == before[box], (box, now.get(box), before[box])
	same(by_content(new.state()), now)
	EOF
}
