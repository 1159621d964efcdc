#!/usr/bin/env bats
# SEARCH, SORT and THREAD with their extensions, after the examples of the RFCs.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	IP=$(own_ip)
	start_server -loglevel info
	export SERVER_PID BACKGROUND_PIDS
}

teardown_file() { stop_background; }

py() { PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }

@test "WITHIN (RFC 5032)" {
	py <<-'EOF'
	from mailtest import *
	from time import gmtime, strftime, time
	c = Imap()
	assert c.ok("CAPABILITY").has(r" WITHIN\b")
	c.ok("CREATE within")
	now = time()
	for age in (10, 86400 + 60, 3 * 86400 + 60):
	    c.append("within", message(f"m{age}"), "", strftime('"%d-%b-%Y %H:%M:%S +0000"', gmtime(now - age)))
	c.ok("SELECT within")
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	eq(s("UNSEEN YOUNGER 259200"), [1, 2])
	eq(s("OLDER 86400"), [2, 3])
	eq(s("OLDER 86400 YOUNGER 259200"), [2])
	eq(s("YOUNGER 4294967295"), [1, 2, 3])
	eq(s("NOT OLDER 4294967295"), [1, 2, 3])
	for q in ("YOUNGER", "YOUNGER 0", "OLDER x", "OLDER -1", "OLDER 4294967296"):
	    c.bad("SEARCH " + q)
	EOF
}

@test "save dates (RFC 8514)" {
	py <<-'EOF'
	from mailtest import *
	from datetime import datetime, timedelta, timezone
	c = Imap()
	c.ok("CREATE saved")
	c.append("saved", message("old"), "", '"01-Jan-2020 00:00:00 +0000"')
	c.ok("SELECT saved")
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	day = lambda n: (datetime.now(timezone.utc) + timedelta(n)).strftime("%d-%b-%Y")
	eq(s("SINCE " + day(-2)), [])
	eq(s("SAVEDSINCE " + day(-2)), [1])
	eq(s("SAVEDBEFORE " + day(-2)), [])
	eq(s("SAVEDBEFORE " + day(2)), [1])
	eq(s(f"OR SAVEDON {day(0)} SAVEDON {day(-1)}"), [1])
	eq(s("SAVEDON 28-Dec-2014"), [])
	eq(s("SAVEDATESUPPORTED"), [1])
	for q in ("SAVEDON", "SAVEDBEFORE 1", "SAVEDSINCE 30-Feb-2020", "SAVEDATESUPPORTED x"):
	    c.bad("SEARCH " + q)
	EOF
}

@test "EMAILID and THREADID (RFC 8474)" {
	py <<-'EOF'
	from mailtest import *
	c = Imap()
	c.ok("CREATE ids")
	c.append("ids", message("one"))
	c.append("ids", message("Re: one", extra="References: <one@example.org>\r\n"))
	c.append("ids", message("three"))
	c.ok("SELECT ids")
	ids = [re.search(r"R.{12}E(.{20})\.", f)[1] for f in maildir_files(".ids")]
	def s(q):
	    return [int(n) for n in c.ok("SEARCH " + q).find(r"^\* SEARCH(.*)")[1].split()]
	found = [s("EMAILID " + i) for i in ids]
	eq(sorted(found), [[1], [2], [3]])
	c.ok("CREATE idscopy")
	c.ok("COPY 2 idscopy")
	log = open(DIR + "/data/accounts/mox/Maildir/.ids/mox.log").read()
	threads = re.findall(r"^a (?:\S+ ){6}\S+ (\S+) ", log, re.M)
	eq(len(threads), 3)
	hexid = [f"T{int(t):016x}" for t in threads]
	eq(s("THREADID " + hexid[0]), [1, 2])
	eq(s("THREADID " + hexid[2]), [3])
	eq(s("THREADID T0000000000000000"), [])
	eq(s("THREADID nothing-of_ours"), [])
	eq(s("EMAILID M1"), [])
	c.ok("SELECT idscopy")
	eq(s("EMAILID " + ids[found.index([2])]), [1])
	for q in ("EMAILID", 'EMAILID "a"', "EMAILID (a)", "THREADID", "THREADID " + "a" * 256):
	    c.bad("SEARCH " + q)
	EOF
}

@test "a long search tells its progress, and ends with its client (RFC 9585)" {
	IP=$(own_ip) DIR=$BATS_TEST_TMPDIR/long
	export MOX_FAKE_TIME=$DIR/data/tmp/now # the session may read it
	start_server -loglevel debug
	failed=0
	py <<-'EOF' || failed=1
	from mailtest import *
	import threading
	c = Imap()
	assert c.ok("CAPABILITY").has(r" INPROGRESS\b")
	c.ok("CREATE long")
	for i in range(3000):
	    with open(f"{DIR}/data/accounts/mox/Maildir/.long/cur/{2000000000 + i}.x.y:2,S", "w") as f:
	        f.write(f"Subject: {i}\n\nnothing to be found in here\n")
	c.ok("SELECT long")
	assert c.ok("SEARCH SEEN").has(r"SEARCH 1 2 .* 3000$")
	now, done = 2000000000, False
	def pass_time():
	    global now
	    while not done:
	        now += 11
	        with open(DIR + "/data/tmp/now2", "w") as f:
	            f.write(str(now))
	        os.rename(DIR + "/data/tmp/now2", DIR + "/data/tmp/now")
	t = threading.Thread(target=pass_time)
	t.start()
	try:
	    a = c.ok("SEARCH" + " NOT TEXT ~" * 20 + " TEXT ~")
	    # One that has gone is not searched for to the end.
	    d = Imap()
	    d.ok("SELECT long")
	    d.begin("SEARCH " + "NOT TEXT ~ " * 400 + "ALL")
	    d.close()
	    log = os.environ["BATS_TEST_TMPDIR"] + "/server.log"
	    wait_for(lambda: b"search given up" in open(log, "rb").read())
	finally:
	    done = True
	    t.join()
	told = [l for l in a.lines if "INPROGRESS" in l]
	assert told, a
	m = re.match(rf'^\* OK \[INPROGRESS \("t\d+" (\d+) 3000\)\] ', told[0])
	assert m and 0 < int(m[1]) < 3000, told
	eq(a.lines[-1], "* SEARCH")
	EOF
	stop_server
	[ $failed = 0 ]
}
