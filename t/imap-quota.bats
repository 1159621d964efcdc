#!/usr/bin/env bats
# QUOTA (RFC 9208): a limit of the account, what it refuses, what frees space.

load helper

setup_file() {
	start_shared_server -loglevel info
	stop_server
	sed -i 's/^\t\tDomain: localhost$/&\n\t\tQuotaMessageSize: 10000/' \
		"$DIR/domains.conf"
	grep -q QuotaMessageSize "$DIR/domains.conf"
	start_shared_server -loglevel info
}

teardown_file() { stop_background; }

@test "GETQUOTA, GETQUOTAROOT (RFC 9208, 4.1)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	for word in "QUOTA", "QUOTA=RES-STORAGE":
	    assert c.ok("CAPABILITY").has(rf" {word}( |$)")
	c.ok("CREATE quota")
	eq(c.ok('GETQUOTA ""').lines, ['* QUOTA "" (STORAGE 0 10)'])
	# Units of 1024 bytes, begun ones counted.
	c.append("quota", message("one"))
	eq(c.ok('GETQUOTA ""').lines, ['* QUOTA "" (STORAGE 1 10)'])
	eq(c.ok("GETQUOTAROOT INBOX").lines,
	   ['* QUOTAROOT "INBOX" ""', '* QUOTA "" (STORAGE 1 10)'])
	c.ok("SELECT quota")
	eq(c.ok("GETQUOTAROOT {5+}\r\nquota").lines[0], '* QUOTAROOT "quota" ""')
	assert c.no("GETQUOTA other").text.startswith("[NONEXISTENT] ")
	assert c.no("GETQUOTAROOT missing").text.startswith("[NONEXISTENT] ")
	# Limits are the administrator's: no QUOTASET.
	c.bad('SETQUOTA "" (STORAGE 512)')
	for command in "GETQUOTA", 'GETQUOTA "" x', "GETQUOTAROOT", "GETQUOTAROOT a b":
	    c.bad(command)
	c.ok("STORE 1 +FLAGS (\\Deleted)")
	c.ok("EXPUNGE")
	eq(c.ok('GETQUOTA ""').lines, ['* QUOTA "" (STORAGE 0 10)'])
	EOF
}

@test "OVERQUOTA of APPEND and COPY; DELETED-STORAGE says what EXPUNGE frees" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE full")
	text = message("one", "x" * 6000 + "\r\n")
	eq(c.append("full", text).status, "OK")
	# 4.3.1: before the message is sent, if it does not fit in any case.
	c.begin("APPEND full {20000}")
	a = c.end()
	assert a.status == "NO" and a.text.startswith("[OVERQUOTA] "), a
	a = c.append("full", text)
	assert a.status == "NO" and a.text.startswith("[OVERQUOTA] "), a
	c.ok("SELECT full")
	c.ok("CREATE copy")
	assert c.no("COPY 1 copy").text.startswith("[OVERQUOTA] ")
	assert c.ok("STATUS copy (MESSAGES)").has("MESSAGES 0")
	# A move takes no space.
	c.ok("MOVE 1 copy")
	c.ok("SELECT copy")
	assert c.ok("STATUS copy (DELETED DELETED-STORAGE)").has(r"\(DELETED 0 DELETED-STORAGE 0\)")
	c.ok("STORE 1 +FLAGS (\\Deleted)")
	assert c.ok("STATUS copy (DELETED DELETED-STORAGE)").has(rf"\(DELETED 1 DELETED-STORAGE {len(text)}\)")
	c.ok("EXPUNGE")
	assert c.ok("STATUS copy (DELETED DELETED-STORAGE)").has(r"\(DELETED 0 DELETED-STORAGE 0\)")
	eq(c.append("full", text).status, "OK")
	EOF
}
