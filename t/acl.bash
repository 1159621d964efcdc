# acl.bash - a server with many accounts, for tests of what they share; `load acl`
# after helper.

# The accounts are the arguments, all with the usual password and a quota of
# 20000 bytes; SERVER_OPTIONS are for mox-localserve, besides.
acl_server() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	export DIR=$BATS_FILE_TMPDIR/mox IP
	local name
	IP=$(own_ip)
	mox-localserve -dir "$DIR" -ip "$IP" -initonly
	for name; do
		printf '\t%s:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\t%s@localhost: nil\n\t\tQuotaMessageSize: 20000\n' \
			"$name" "$name" >>"$DIR/domains.conf"
	done
	for name; do
		echo moxmoxmox | mox-setaccountpassword -dir "$DIR" "$name"
	done
	start_server -loglevel info ${SERVER_OPTIONS:-}
	export SERVER_PID BACKGROUND_PIDS
	cat >"$DIR/words.py" <<'EOF'
from mailtest import *
def login(name): return Imap(user=name + "@localhost")
def acl(name, folder=""):
    path = f"{DIR}/data/accounts/{name}/Maildir/{folder}/dovecot-acl"
    return open(path).read() if os.path.exists(path) else None
def nonexistent(a): assert a.status == "NO" and a.text.startswith("[NONEXISTENT] "), a
def noperm(a): assert a.status == "NO" and a.text.startswith("[NOPERM] "), a
def told(c, pattern):
    """Until the server says so by itself; what it said."""
    lines = []
    while not lines or not re.search(pattern, lines[-1]): lines.append(c.response())
    return lines
EOF
}

py() { cat "$DIR/words.py" - | PYTHONPATH=$BATS_TEST_DIRNAME python3 -; }
