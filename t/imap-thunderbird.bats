#!/usr/bin/env bats
# Thunderbird without a window: folders, mail, flags, IDLE, and coming back.

load helper

setup_file() {
	start_shared_server -loglevel trace
}

setup() { need thunderbird; }
teardown_file() { stop_background; }

# A script on stdin; commands() gives what clients have sent to the server
# since the last call.
py() {
	{ cat <<-'EOT'; cat; } | LOG=$BATS_FILE_TMPDIR/server.log HERE=$BATS_TEST_TMPDIR PYTHONPATH=$BATS_TEST_DIRNAME timeout 280 python3 -
	from mailtest import *
	from thunderbird import Thunderbird
	HERE = os.environ["HERE"]
	commands = Heard()
	def flags(c, box):
	    c.ok(f"EXAMINE {box}")
	    return {int(m[1]): " ".join(sorted(m[2].split())) for l in c.ok("UID FETCH 1:* (FLAGS)").lines
	            if (m := re.search(r"UID (\d+) FLAGS \((.*?)\)", l))}
	EOT
}

@test "folders, mail, flags, tags, copy, move, delete, append; then IDLE; then back after changes" {
	py <<-'EOF'
	c = Imap()
	for i in range(1, 31):
	    c.append("INBOX", message(f"m{i}", f"body {i}\r\n"), "(\\Seen)" if i % 2 else "")
	with Thunderbird(HERE + "/tb", IP, 1143) as t:
	    eq(sorted(t.run("return root.descendants.map(f => f.name)")),
	       ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"])
	    # Which is which it knows from SPECIAL-USE.
	    eq(t.run("return ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash'].map(n => "
	             "find(n).isSpecialFolder(Ci.nsMsgFolderFlags[n === 'Sent' ? 'SentMail' : n], false))"), [True] * 5)
	    eq(t.run("const i = find('INBOX'); await update(i); return messages(i).map(m => [m.messageKey, m.subject, m.isRead])"),
	       [[n, f"m{n}", n % 2 == 1] for n in range(1, 31)])
	    # Flags and tags.
	    t.run("const i = find('INBOX'), m = messages(i); i.markMessagesRead(m.slice(1, 4), true);"
	          "i.markMessagesFlagged([m[4]], true); i.addKeywordsToMessages([m[5]], '$label1 work')")
	    wait_for(lambda: (f := flags(c, "INBOX"))[2] == f[4] == "\\Seen" and f[5] == "\\Flagged \\Seen" and f[6] == "$label1 work")
	    t.run("const i = find('INBOX'); i.removeKeywordsFromMessages([messages(i)[5]], 'work')")
	    wait_for(lambda: flags(c, "INBOX")[6] == "$label1")
	    # A new folder, copies, moves; a name that is not ASCII.
	    t.run("root.createSubfolder('Größe', null); return 1")
	    t.until("return root.descendants.some(f => f.name === 'Größe')")
	    assert c.ok('LIST "" "*"').has('"Gr&APYA3w-e"')
	    copy = ("const i = find('INBOX'), to = root.descendants.find(f => f.name === args[0]);"
	            "await copied(l => MailServices.copy.copyMessages(i, messages(i).filter(m => args[1].includes(m.messageKey)), to, args[2], l, null, false))")
	    t.run(copy, "Größe", [10, 11], False)
	    t.run(copy, "Größe", [12, 13], True)
	    eq(sorted(flags(c, "Gr&APYA3w-e")), [1, 2, 3, 4])
	    eq(sorted(flags(c, "INBOX")), [*range(1, 12), *range(14, 31)])
	    # Deleted into the trash, as it does by default.
	    t.run("const i = find('INBOX'); await copied(l => i.deleteMessages(messages(i).slice(-2), null, false, false, l, false))")
	    wait_for(lambda: len(flags(c, "Trash")) == 2 and max(flags(c, "INBOX")) == 28)
	    # A message that it has written goes to Sent.
	    file = HERE + "/sent.eml"
	    with open(file, "w", newline="") as f:
	        f.write(message("written"))
	    t.run("const f = Cc['@mozilla.org/file/local;1'].createInstance(Ci.nsIFile); f.initWithPath(args[0]);"
	          "await copied(l => MailServices.copy.copyFileMessage(f, find('Sent'), null, false, Ci.nsMsgMessageFlags.Read, '', l, null))", file)
	    eq(flags(c, "Sent"), {1: "\\Seen"})
	    # It reads: the body is fetched, by what the URL of the message gives.
	    text = t.run("const m = messages(find('INBOX'))[7], uri = m.folder.getUriForMsg(m);"
	                 "const s = MailServices.messageServiceFromURI(uri), text = [];"
	                 "await new Promise((resolve, reject) => s.streamMessage(uri, { QueryInterface: ChromeUtils.generateQI(['nsIStreamListener']),"
	                 "onStartRequest() {}, onDataAvailable(r, stream, off, n) { const i = Cc['@mozilla.org/scriptableinputstream;1'].createInstance(Ci.nsIScriptableInputStream);"
	                 "i.init(stream); text.push(i.read(n)); }, onStopRequest(r, status) { status ? reject(status) : resolve(); } }, null, null, false, '', false));"
	                 "return text.join('')")
	    assert text.replace("\r", "").endswith("body 8\n"), text
	    # It idles in the Inbox: mail and flags appear without its asking.
	    commands()
	    t.run("await update(find('INBOX'))")
	    wait_for(lambda: "IDLE" in commands())
	    c.append("INBOX", message("came"))
	    t.until("return messages(find('INBOX')).some(m => m.subject === 'came')")
	    c.ok("SELECT INBOX")
	    c.ok("UID STORE 1 +FLAGS (\\Flagged)")
	    t.until("return messages(find('INBOX'))[0].isFlagged")
	    c.ok("UID STORE 3 +FLAGS (\\Deleted)")
	    c.ok("UID EXPUNGE 3")
	    t.until("return !messages(find('INBOX')).some(m => m.messageKey === 3)")
	    assert not any(re.search("POLL", x) for x in commands())
	    before = t.run("return messages(find('INBOX')).map(m => m.messageKey)")
	# While it is away.
	c.ok("UID STORE 20 +FLAGS (\\Answered $forwarded)")
	c.ok("UID STORE 21:22 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	c.append("INBOX", message("meanwhile"))
	c.ok("RENAME Gr&APYA3w-e Renamed")
	commands()
	with Thunderbird(HERE + "/tb", IP, 1143) as t:
	    eq(t.run("const i = find('INBOX'); await update(i); return messages(i).map(m => m.messageKey)"),
	       [k for k in before if k not in (21, 22)] + [32])
	    eq(t.run("const m = messages(find('INBOX')).find(m => m.messageKey === 20);"
	             "return [!!(m.flags & Ci.nsMsgMessageFlags.Replied), !!(m.flags & Ci.nsMsgMessageFlags.Forwarded)]"), [True, True])
	    assert t.run("return root.descendants.map(f => f.name).includes('Renamed')")
	    said = commands()
	    assert any("(CHANGEDSINCE " in x for x in said), said
	EOF
}

@test "TLS and STARTTLS with a certificate that it is told to trust" {
	py <<-'EOF'
	c = Imap()
	c.ok("CREATE secured")
	c.append("secured", message("over TLS"))
	trust = ("const db = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB);"
	         "const over = Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService);"
	         "over.setDisableAllSecurityChecksAndLetAttackersInterceptMyData(true)")
	for tls in {"tls": True}, {"starttls": True}:
	    folder = HERE + "/" + next(iter(tls))
	    with Thunderbird(folder, IP, 1993 if "tls" in tls else 1143, first=trust, **tls) as t:
	        eq(t.run("const f = find('secured'); await update(f); return messages(f).map(m => m.subject)"), ["over TLS"])
	EOF
}
