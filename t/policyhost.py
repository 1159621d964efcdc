#!/usr/bin/env python3
"""policyhost.py - a web server for the policies of many domains.

    policyhost.py ADDRESS PORT FOLDER

In FOLDER, for each host name H that is asked for:
    H.pem     its certificate and key, chosen by SNI (default.pem for others)
    H         the body
    H.status  the HTTP status, 200 if missing
    H.type    the Content-Type, text/plain if missing; empty: none
    H.delay   seconds to wait, after the header
    log       a line for each request: host path user-agent
Anything may change while it runs, certificates too.
"""
import http.server, os, ssl, sys, time

address, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def read(name, default=""):
    try:
        with open(os.path.join(folder, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return default.encode() if isinstance(default, str) else default


def choose(sock, name, context):
    pem = os.path.join(folder, f"{name}.pem")
    if os.path.exists(pem):
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        fresh.load_cert_chain(pem)
        sock.context = fresh


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        # The handshake is this connection's, not the server's, to wait for.
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        with open(os.path.join(folder, "log"), "a") as f:
            print(host, self.path, self.headers.get("User-Agent"), file=f)
        body = read(host)
        kind = read(host + ".type", "text/plain").decode().strip()
        self.send_response(int(read(host + ".status", "200")))
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Location", "https://%s:%d/elsewhere" % (host, port))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        time.sleep(float(read(host + ".delay", "0")))
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, "default.pem"))
context.sni_callback = choose
Server((address, port), Handler).serve_forever()
