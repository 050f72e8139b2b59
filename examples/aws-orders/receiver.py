"""The addresses that the example has called: /crm answers 200, /down answers 500.

    python3 receiver.py      serves until it is ended

GET /crm tells what came there. ORDERS_RECEIVER says where it listens, or, when
something listens there already, who is asked.
"""

import contextlib
import http.client
import http.server
import json
import os
import threading
import time

WHERE = os.environ.get("ORDERS_RECEIVER", "127.0.0.1:9400")
KEY = "the shop's key"


def url(path):
    return f"http://{WHERE}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    got = {}
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.lock:
            self.got.setdefault(self.path, []).append({"key": self.headers.get("X-Api-Key"), "body": json.loads(body)})
        self.answer(500 if self.path == "/down" else 200, b"{}")

    def do_GET(self):
        with self.lock:
            self.answer(200, json.dumps(self.got.get(self.path, [])).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a caller that went away in between


def ask(path):
    host, port = WHERE.rsplit(":", 1)
    c = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        c.request("GET", path)
        return json.loads(c.getresponse().read())
    finally:
        c.close()


def calls(path, count, patience):
    """The calls of a path, when they are for that many orders: each comes once, or more often."""
    until = time.monotonic() + patience
    while True:
        got = ask(path)
        if len({c["body"]["detail"]["id"] for c in got}) >= count or time.monotonic() >= until:
            return got
        time.sleep(0.05)


@contextlib.contextmanager
def running():
    """Has a receiver run meanwhile, unless there is one."""
    try:
        ask("/")
        yield
        return
    except OSError:
        pass
    host, port = WHERE.rsplit(":", 1)
    server = Server((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()


if __name__ == "__main__":
    host, port = WHERE.rsplit(":", 1)
    Server((host, int(port)), Handler).serve_forever()
