#!/usr/bin/env bats
# Many kinds of clients in one mailbox at the same time, while it changes; in
# the end all of them have the same.

load helper

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP MOX_NODE=${MOX_NODE:-/usr/local/lib/mox-test}
	IP=$(own_ip)
	start_server -loglevel info
	export SERVER_PID BACKGROUND_PIDS
}

teardown_file() { stop_background; }

mbsync_rc() {
	mkdir -p "$HOME/mbsync/crowd/cur" "$HOME/mbsync/crowd/new" "$HOME/mbsync/crowd/tmp"
	cat >"$HOME/mbsync.rc" <<-EOF
	IMAPStore far
	Host $IP
	Port 1143
	User mox@localhost
	Pass moxmoxmox
	SSLType None
	AuthMechs LOGIN

	MaildirStore near
	Path $HOME/mbsync/
	Inbox $HOME/mbsync/inbox

	Channel all
	Far :far:crowd
	Near :near:crowd
	Expunge Both
	Create Both
	SyncState *
	EOF
}

offlineimap_rc() {
	cat >"$HOME/offlineimap.rc" <<-EOF
	[general]
	accounts = a
	metadata = $HOME/offlineimap.state
	ui = quiet
	[Account a]
	localrepository = near
	remoterepository = far
	[Repository near]
	type = Maildir
	localfolders = $HOME/offlineimap
	[Repository far]
	type = IMAP
	remotehost = $IP
	remoteport = 1143
	ssl = no
	starttls = no
	remoteuser = mox@localhost
	remotepass = moxmoxmox
	folderfilter = lambda name: name == "crowd"
	EOF
}

@test "mbsync, offlineimap, imapflow, a script in the Maildir and three that change" {
	need mbsync offlineimap node
	[ -d "$MOX_NODE/node_modules/imapflow" ] || skip 'no imapflow here: make deps'
	export HOME=$BATS_TEST_TMPDIR
	mbsync_rc
	offlineimap_rc
	T=$BATS_TEST_DIRNAME PYTHONPATH=$BATS_TEST_DIRNAME timeout 280 python3 - <<-'EOF'
	import atexit, glob, random, subprocess, threading
	from mailtest import *
	HOME = os.environ["HOME"]
	seed = int(os.environ.get("MOX_TEST_SEED", "1"))
	c = Imap()
	c.ok("CREATE crowd")
	for i in range(50):
	    c.append("crowd", message(f"first-{i}"))

	watchers = [subprocess.Popen(["node", os.environ["T"] + "/imapflow-watch.mjs", "crowd", f"{HOME}/seen-{q}", q],
	                             stdin=subprocess.DEVNULL) for q in ("true", "false")]
	for w in watchers:
	    atexit.register(w.kill)
	for q in "true", "false":
	    wait_for(lambda: os.path.exists(f"{HOME}/seen-{q}.ready"), 60)

	def change(n):
	    rand, c = random.Random(seed * 10 + n), Imap()
	    c.ok("SELECT crowd")
	    for step in range(120):
	        what = rand.random()
	        uids = [int(re.search(r"UID (\d+)", l)[1]) for l in c.ok("UID FETCH 1:* (UID)").lines if "UID" in l]
	        some = rand.choice(uids) if uids else 1
	        if what < 0.3 or len(uids) < 20:
	            assert c.append("crowd", message(f"by{n}-{step}"), rand.choice(["", "(\\Seen)", "(\\Flagged)"])).status == "OK"
	        elif what < 0.7:
	            c.cmd(f"UID STORE {some} {rand.choice('+-')}FLAGS.SILENT ({rand.choice([chr(92) + 'Seen', chr(92) + 'Flagged', chr(92) + 'Answered'])})")
	        elif what < 0.9:
	            c.cmd(f"UID STORE {some} +FLAGS.SILENT (\\Deleted)")
	            c.cmd(f"UID EXPUNGE {some}")
	        else:
	            c.cmd(f"UID MOVE {some} Archive")
	    c.ok("LOGOUT")

	def script():
	    "What a user's script does to files: marks them read."
	    rand, box = random.Random(seed), DIR + "/data/accounts/mox/Maildir/.crowd"
	    for _ in range(40):
	        files = [f for f in glob.glob(box + "/cur/*:2,*") if "S" not in f.rpartition(",")[2]]
	        if files:
	            f = rand.choice(files)
	            try:
	                os.rename(f, f.rpartition(",")[0] + "," + "".join(sorted(f.rpartition(",")[2] + "S")))
	            except FileNotFoundError:
	                pass
	        stop.wait(0.05)

	MBSYNC = ["mbsync", "-q", "-c", HOME + "/mbsync.rc", "-a"]
	OFFLINE = ["offlineimap", "-c", HOME + "/offlineimap.rc", "-o"]
	def mirror(argv):
	    while not stop.is_set():
	        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=100)
	        stop.wait(0.2)

	stop = threading.Event()
	failed = []
	def guarded(f, *args):
	    try:
	        f(*args)
	    except BaseException as e:
	        failed.append((f.__name__, args, repr(e)))
	def start(f, *args):
	    t = threading.Thread(target=guarded, args=(f, *args))
	    t.start()
	    return t
	changers = [start(change, n) for n in range(3)]
	mirrors = [start(mirror, MBSYNC), start(mirror, OFFLINE)]
	start(script).join()
	for t in changers:
	    t.join()
	stop.set()
	for t in mirrors:
	    t.join()
	for argv in (MBSYNC, OFFLINE) * 2:
	    p = subprocess.run(argv, capture_output=True, text=True, timeout=100)
	    assert p.returncode == 0, p
	eq(failed, [])
	c.ok("SELECT crowd")
	truth = sorted((re.search(r"Subject: ([^\r]*)", l)[1], *sorted(re.search(r"FLAGS \((.*?)\)", l)[1].split()))
	               for l in c.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").lines if "Subject" in l)
	assert len(truth) > 20
	LETTER = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "T": "\\Deleted"}
	def files(folder):
	    for path in glob.glob(folder + "/[cn][ue][wr]/*"):
	        with open(path) as f:
	            subject = re.search(r"(?m)^Subject: (.*?)\r?$", f.read())[1]
	        yield (subject, *sorted(LETTER[x] for x in path.rpartition(":2,")[2]))
	eq(sorted(files(HOME + "/mbsync/crowd")), truth)
	eq(sorted(files(HOME + "/offlineimap/crowd")), truth)
	for q, p in zip(("true", "false"), watchers):
	    open(f"{HOME}/seen-{q}.end", "w").close()
	    eq(p.wait(60), 0)
	    with open(f"{HOME}/seen-{q}") as f:
	        eq(sorted(tuple(l.split()) for l in f), truth)
	EOF
}
