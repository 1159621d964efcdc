"""dsync - a Dovecot store of its own that doveadm holds against our server
(imapc). No Dovecot runs; doveadm refuses to be root and is nobody then.

    d = Dsync(folder)
    d.run("backup", "-R", "imapc:")     ours is the master
    d.state() == server_state()
"""
import json
import os
import re
import subprocess

from mailtest import DIR, IP, PASSWORD, USER, Imap

AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] \
    if os.getuid() == 0 else []


class Dsync:
    def __init__(self, folder, location="sdbox:~/mail"):
        self.folder = folder
        os.makedirs(folder + "/home", exist_ok=True)
        with open(folder + "/conf", "w") as f:
            f.write(f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
ssl = no
first_valid_uid = 1
mail_location = {location}
mail_fsync = never
imapc_host = {IP}
imapc_port = 1143
imapc_user = {USER}
imapc_password = {PASSWORD}
namespace inbox {{
  inbox = yes
  separator = /
}}
""")
        if AS_NOBODY:
            subprocess.run(["chown", "-R", "nobody:nogroup", folder], check=True)

    def call(self, *args, stdin=""):
        return subprocess.run(
            [*AS_NOBODY, "env", "USER=mox", "TZ=UTC", f"HOME={self.folder}/home",
             "doveadm", *(["-f", "json"] if args[0] == "fetch" else []), "-c",
             self.folder + "/conf", *args],
            input=stdin, capture_output=True, text=True, timeout=120)

    def run(self, *args, stdin=""):
        """What it prints; it must not complain."""
        p = self.call(*args, stdin=stdin)
        complaints = [line for line in p.stderr.splitlines() if "Info: imapc" not in line]
        assert p.returncode == 0 and not complaints, (args, p)
        return p.stdout

    def sync(self, *args):
        """Both ways, until nothing was left for another run: status 2."""
        for _ in range(4):
            p = self.call("sync", *args, "imapc:")
            if p.returncode != 2:
                break
        assert p.returncode == 0, p

    def boxes(self):
        return sorted(self.run("mailbox", "list").split("\n")[:-1])

    def state(self):
        """{mailbox: {uid: (flags, keywords, date, text)}}"""
        boxes = {box: {} for box in self.boxes()}
        for m in json.loads(self.run("fetch", "mailbox uid flags date.received text", "ALL") or "[]"):
            flags = sorted(f for f in m["flags"].split() if f != "\\Recent")
            boxes[m["mailbox"]][int(m["uid"])] = (flags, m["date.received"], m["text"].replace("\r", ""))
        return boxes


def by_content(boxes):
    """The same without UIDs."""
    return {box: sorted(messages.values()) for box, messages in boxes.items()}


def server_state():
    c, boxes = Imap(), {}
    assert c.ok("ENABLE UTF8=ACCEPT")
    for line in c.ok('LIST "" "*"').lines:
        box = re.match(r'\* LIST \(.*?\) "/" "(.*)"$', line)[1].encode("latin-1")
        c.ok(b'EXAMINE "%s"' % box)
        messages = boxes[box.decode()] = {}
        for line in c.ok("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])").lines:
            if not (m := re.search(r"UID (\d+) ", line)):
                continue
            flags = sorted(re.search(r"FLAGS \((.*?)\)", line)[1].split())
            date = re.search(r'INTERNALDATE "(.*?)"', line)[1]
            n, text = re.search(r"BODY\[\] \{(\d+)\}\r\n(.*)", line, re.S).groups()
            messages[int(m[1])] = (flags, iso(date), text[:int(n)].encode("latin-1").decode().replace("\r", ""))
    return boxes


def iso(date):
    from datetime import datetime, timezone
    then = datetime.strptime(date.strip(), "%d-%b-%Y %H:%M:%S %z")
    return then.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
