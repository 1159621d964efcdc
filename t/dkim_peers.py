"""
Others who sign and verify: dkimpy, and OpenDKIM's library through ctypes.

Keys come from a zone text as lib/dns/zone.h reads it. Messages are bytes with
CRLF. Used by dkim-peers.py and the bench.
"""
import base64
import ctypes
import subprocess

import dkim

CANON = {"simple": 0, "relaxed": 1}


def zone_keys(path):
    """name -> text of the TXT records."""
    keys = {}
    for line in open(path, encoding="ascii"):
        name, kind, text = line.split(None, 2)
        if kind == "TXT":
            keys[name] = text.strip().strip('"')
    return keys


def dnsfunc(keys):
    """dkimpy's way to ask."""
    def ask(name, timeout=5):
        text = keys.get(name.decode().rstrip("."))
        return text.encode() if text else None
    return ask


def private_key(pem_path, ed25519):
    """As dkimpy wants it: PEM of an RSA key, or the seed in base64."""
    if not ed25519:
        return open(pem_path, "rb").read()
    der = subprocess.run(
        ["openssl", "pkey", "-in", pem_path, "-outform", "DER"],
        check=True, capture_output=True).stdout
    return base64.b64encode(der[-32:])


def signatures(message):
    """The DKIM-Signature fields at the top of a message, and the rest."""
    fields, rest = [], message
    while rest[:15].lower() == b"dkim-signature:":
        end = rest.index(b"\r\n") + 2
        while rest[end:end + 1] in (b" ", b"\t"):
            end = rest.index(b"\r\n", end) + 2
        fields.append(rest[:end])
        rest = rest[end:]
    return fields, rest


class OpenDKIM:
    """libopendkim with keys from a file."""

    def __init__(self, keys, work):
        lib = ctypes.CDLL("libopendkim.so.11")
        for name in ("dkim_init", "dkim_verify", "dkim_sign"):
            getattr(lib, name).restype = ctypes.c_void_p
        self.lib = lib
        self.handle = ctypes.c_void_p(lib.dkim_init(None, None))
        self.has_ed25519 = bool(lib.dkim_libfeature(self.handle, 11))
        path = f"{work}/opendkim.keys"
        with open(path, "w", encoding="ascii") as f:
            for name, text in keys.items():
                f.write(f"{name} {text}\n")
        method = ctypes.c_int(1)
        info = ctypes.create_string_buffer(path.encode(), 4096)
        assert lib.dkim_options(self.handle, 1, 6, ctypes.byref(method),
                                ctypes.c_size_t(4)) == 0
        assert lib.dkim_options(self.handle, 1, 7, info,
                                ctypes.c_size_t(len(path) + 1)) == 0

    def feed(self, d, message):
        assert self.lib.dkim_chunk(d, message,
                                   ctypes.c_size_t(len(message))) == 0
        self.lib.dkim_chunk(d, None, ctypes.c_size_t(0))

    def verify(self, message):
        """Is the (one) signature of the message right?"""
        stat = ctypes.c_int(0)
        d = ctypes.c_void_p(self.lib.dkim_verify(
            self.handle, b"test", None, ctypes.byref(stat)))
        self.feed(d, message)
        testkey = ctypes.c_bool(False)
        result = self.lib.dkim_eom(d, ctypes.byref(testkey))
        self.lib.dkim_free(d)
        return result == 0

    def sign(self, message, domain, selector, pem, canon, ed25519=False):
        """The message with a signature."""
        stat = ctypes.c_int(0)
        d = ctypes.c_void_p(self.lib.dkim_sign(
            self.handle, b"test", None, pem, selector.encode(),
            domain.encode(), CANON[canon[0]], CANON[canon[1]],
            2 if ed25519 else 1, ctypes.c_ssize_t(-1), ctypes.byref(stat)))
        assert d.value, f"dkim_sign: {stat.value}"
        self.feed(d, message)
        result = self.lib.dkim_eom(d, None)
        self.lib.dkim_geterror.restype = ctypes.c_char_p
        assert result == 0, f"dkim_eom: {result} {self.lib.dkim_geterror(d)}"
        field, n = ctypes.c_char_p(), ctypes.c_size_t(0)
        assert self.lib.dkim_getsighdr_d(d, ctypes.c_size_t(16),
                                         ctypes.byref(field),
                                         ctypes.byref(n)) == 0
        text = field.value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self.lib.dkim_free(d)
        return b"DKIM-Signature: " + text + b"\r\n" + message


def dkimpy_verify(message, keys, idx=0):
    try:
        return dkim.DKIM(message).verify(idx=idx, dnsfunc=dnsfunc(keys))
    except dkim.DKIMException:
        return False


def dkimpy_sign(message, domain, selector, key, canon, ed25519=False):
    return dkim.sign(
        message, selector.encode(), domain.encode(), key,
        canonicalize=(canon[0].encode(), canon[1].encode()),
        signature_algorithm=b"ed25519-sha256" if ed25519 else b"rsa-sha256",
    ) + message
