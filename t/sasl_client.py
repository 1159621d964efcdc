"""sasl_client - the client's side of every SASL mechanism, written apart from
lib/sasl for its tests. Each mechanism is a generator: it yields responses and
is sent the challenges, bytes without base64; the first response may be None,
where the server speaks first.
"""
import base64
import hashlib
import hmac
import os


def plain(user, password, authzid=""):
    yield f"{authzid}\0{user}\0{password}".encode()


def login(user, password):
    yield None
    yield user.encode()
    yield password.encode()


def cram_md5(user, password):
    challenge = yield None
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    yield f"{user} {digest}".encode()


def external(authzid=""):
    yield authzid.encode()


def scram(digest, user, password, binding=None, gs2=None, cut=False):
    """RFC 5802. binding: (type, data) for -PLUS. gs2: the flag, if not the
    one that goes with binding. cut: leave out the last byte of the proof."""
    kind, data = binding or (None, b"")
    flag = gs2 or (f"p={kind}" if kind else "n")
    header = f"{flag},,".encode()
    name = user.replace("=", "=3D").replace(",", "=2C")
    nonce = base64.b64encode(os.urandom(18)).decode()
    first = f"n={name},r={nonce}".encode()
    server_first = yield header + first
    fields = dict(f.split("=", 1) for f in server_first.decode().split(","))
    assert fields["r"].startswith(nonce) and len(fields["r"]) > len(nonce) + 8
    salted = hashlib.pbkdf2_hmac(digest, password.encode(),
                                 base64.b64decode(fields["s"]),
                                 int(fields["i"]))
    key = hmac.digest(salted, b"Client Key", digest)
    stored = hashlib.new(digest, key).digest()
    channel = base64.b64encode(header + data).decode()
    final = f"c={channel},r={fields['r']}".encode()
    auth = first + b"," + server_first + b"," + final
    signature = hmac.digest(stored, auth, digest)
    proof = bytes(a ^ b for a, b in zip(key, signature))
    if cut:
        proof = proof[:-1]
    server_final = yield final + b",p=" + base64.b64encode(proof)
    want = hmac.digest(hmac.digest(salted, b"Server Key", digest), auth, digest)
    assert server_final == b"v=" + base64.b64encode(want), server_final
    yield b""


def smtp_auth(conn, name, mech, initial=True):
    """Run mech over a mailtest.Smtp; the last reply. initial: send the first
    response along with the command, if there is one."""
    response = next(mech)
    command = "AUTH " + name
    if initial and response is not None:
        command += " " + (base64.b64encode(response).decode() or "=")
        response = None
    code, texts = conn.cmd(command)
    while code == 334:
        challenge = base64.b64decode(texts[0])
        if response is None:
            response = mech.send(challenge)
        code, texts = conn.cmd(base64.b64encode(response))
        response = None
    return code, texts[0]


def imap_auth(conn, name, mech):
    """The same over a mailtest.Imap, with an initial response: its Answer."""
    response = base64.b64encode(next(mech)).decode() or "="
    conn.begin(f"AUTHENTICATE {name} {response}")
    while (line := conn.line()).startswith(b"+ "):
        conn.send(base64.b64encode(mech.send(base64.b64decode(line[2:]))) +
                  b"\r\n")
    tag, _, text = line.decode().partition(" ")
    assert tag == conn.tag, line
    return text
