"""thunderbird - Thunderbird without a window, told what to do by scripts of
its own kind through Marionette (which opens a free port of 127.0.0.1).

    with Thunderbird(folder, ip, port) as t:    logged in, folders known
        t.run("return root.descendants.map(f => f.name)")
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

PREFS = {
    "mail.accountmanager.accounts": "account1",
    "mail.account.account1.server": "server1",
    "mail.account.account1.identities": "id1",
    "mail.identity.id1.fullName": "Mox",
    "mail.identity.id1.useremail": "mox@localhost",
    "mail.server.server1.type": "imap",
    "mail.server.server1.authMethod": 3,  # password, not encrypted
    "mail.server.server1.name": "mox",
    # By our scripts: at the start it would ask for the password, and wait.
    "mail.server.server1.login_at_startup": False,
    "mail.server.server1.check_new_mail": False,
    "mail.server.server1.offline_download": True,
    "mail.server.server1.use_condstore": True,
    "marionette.port": 0,
    # Nothing that asks, and nothing that looks elsewhere.
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "mailnews.start_page.enabled": False,
    "mail.provider.enabled": False,
    "mail.rights.version": 1,
    "mail.spotlight.firstRunDone": True,
    "mail.shell.checkDefaultClient": False,
    "extensions.update.enabled": False,
    "extensions.blocklist.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "services.settings.server": "data:,",
}

# What scripts begin with.
HEAD = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts[0].incomingServer;
const root = server.rootFolder;
const find = name => root.getChildWithURI(root.URI + "/" + name, true, false);
const messages = folder => [...folder.messages].sort((a, b) => a.messageKey - b.messageKey);
const update = folder => done(l => folder.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, l));
// Calls f with a url listener; resolves when the url is done.
const done = f => new Promise((resolve, reject) => f({
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, status) { status ? reject(new Error("status " + status.toString(16))) : resolve(); } }));
const copied = f => new Promise((resolve, reject) => f({
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
    onStopCopy(status) { status ? reject(new Error("status " + status.toString(16))) : resolve(); } }));
"""


class Thunderbird:
    def __init__(self, folder, ip, port, tls=False, starttls=False, first=""):
        self.folder, self.profile = folder, folder + "/profile"
        os.makedirs(self.profile, exist_ok=True)
        os.makedirs(folder + "/home", exist_ok=True)
        self.prefs = PREFS | {
            "mail.server.server1.hostname": ip,
            "mail.server.server1.port": port,
            "mail.server.server1.userName": "mox@localhost",
            "mail.server.server1.socketType": 3 if tls else 2 if starttls else 0,
        }
        self.id, self.first = 0, first

    def __enter__(self):
        with open(self.profile + "/user.js", "w") as f:
            for name, value in self.prefs.items():
                f.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        active = self.profile + "/MarionetteActivePort"
        if os.path.exists(active):
            os.unlink(active)
        env = dict(os.environ, HOME=self.folder + "/home", MOZ_HEADLESS="1",
                   MOZ_CRASHREPORTER_DISABLE="1", NO_AT_BRIDGE="1")
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        with open(self.folder + "/out", "ab") as out:
            self.process = subprocess.Popen(
                ["thunderbird", "--headless", "--no-remote", "--marionette",
                 "--remote-allow-system-access", "--profile", self.profile],
                env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)
        try:
            self.connect(active)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.command("Marionette:Quit", flags=["eAttemptQuit"])
                self.process.wait(60)
        finally:
            self.kill()

    def kill(self):
        """It and its helpers."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def connect(self, active):
        end = time.monotonic() + 120
        while not (os.path.exists(active) and os.path.getsize(active)):
            assert self.process.poll() is None, "thunderbird ended"
            assert time.monotonic() < end, "thunderbird does not start"
            time.sleep(0.05)
        with open(active) as f:
            self.sock = socket.create_connection(("127.0.0.1", int(f.read())), 120)
        self.file = self.sock.makefile("rb")
        self.packet()
        self.command("WebDriver:NewSession", capabilities={"alwaysMatch": {"timeouts": {"script": 60000}}})
        self.command("Marionette:SetContext", value="chrome")
        self.run(self.first + ";server.password = args[0]; await done(l => MailServices.imap.discoverAllFolders(root, l, null))", "moxmoxmox")

    def packet(self):
        n = b""
        while (c := self.file.read(1)) != b":":
            assert c, "thunderbird closed"
            n += c
        return json.loads(self.file.read(int(n)))

    def command(self, name, **params):
        self.id += 1
        data = json.dumps([0, self.id, name, params]).encode()
        self.sock.sendall(b"%d:" % len(data) + data)
        _, _, error, result = self.packet()
        assert not error, f"{error['error']}: {error['message']}\n{error['stacktrace']}"
        return result

    def run(self, script, *args):
        """What the script, which may await, returns; args are its `args`."""
        got = self.command(
            "WebDriver:ExecuteAsyncScript", args=list(args), sandbox="system",
            script=HEAD + "const args = arguments, finish = arguments[arguments.length - 1];"
            "(async () => {" + script + "})().then(r => finish({ r }), e => finish({ e: e + '\\n' + e.stack }));"
        )["value"]
        assert "e" not in got, got["e"]
        return got.get("r")

    def until(self, script, *args, seconds=60):
        end = time.monotonic() + seconds
        while not (got := self.run(script, *args)):
            assert time.monotonic() < end, f"never true in thunderbird: {script}"
            time.sleep(0.1)
        return got
