"""A store that cannot be trusted: an HTTP proxy in front of an S3 server that does to writes what networks and stores do."""

import http.client
import http.server
import random
import threading

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection", "host"}

# What becomes of a write, and how often of 100.
REFUSED = ("refused", 6)  # not stored, 503
DROPPED = ("dropped", 4)  # not stored, the connection ends
STORED_AND_DROPPED = ("stored and dropped", 6)  # stored, but the connection ends before the answer
STORED_AND_DENIED = ("stored and denied", 6)  # stored, but the answer says 500
CORRUPTED = ("corrupted", 3)  # a byte is changed on the way to the store
HUNG = ("hung", 1)  # stored, and no answer until the fault is lifted
FAULTS = [REFUSED, DROPPED, STORED_AND_DROPPED, STORED_AND_DENIED, CORRUPTED, HUNG]


class FaultyStore:
    """Passes requests to `backend` (host, port); writes whose path starts with `prefix` suffer faults."""

    def __init__(self, backend, prefix, seed):
        self.backend, self.prefix = backend, prefix
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.counts = {}
        self.writes = threading.Semaphore(0)
        self.lifted = threading.Event()
        self.is_honest = False
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.store = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def fault(self, method, path):
        """What is to become of a request: a fault's name, or nothing."""
        if method == "GET" or not path.startswith(self.prefix):
            return None
        self.writes.release()
        if self.is_honest:
            return None
        with self.lock:
            drawn = self.chance.uniform(0, 100)
            for name, share in FAULTS:
                drawn -= share
                if drawn < 0:
                    self.counts[name] = self.counts.get(name, 0) + 1
                    return name
        return None

    def lift(self):
        """Lets everything that hangs go on."""
        self.lifted.set()
        self.lifted = threading.Event()

    def be_honest(self):
        """No faults from now on."""
        self.is_honest = True
        self.lift()

    def close(self):
        self.be_honest()
        self.server.shutdown()
        self.server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Connections that end in the middle are the business of this server."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def _serve(self):
        store = self.server.store
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        body = self._body()
        fault = store.fault(self.command, self.path)
        if fault in ("refused", "dropped"):
            return self._refuse(503) if fault == "refused" else self._drop()
        if fault == "corrupted" and body:
            body = body[:-1] + bytes([body[-1] ^ 1])
        answer = self._forward(body)
        if fault == "hung":
            store.lifted.wait()
        if fault in ("stored and dropped", "hung"):
            return self._drop()
        if fault == "stored and denied":
            return self._refuse(500)
        self._answer(*answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self._exactly(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self._exactly(int(self.headers.get("Content-Length", 0)))

    def _exactly(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the request ended in the middle")
        return data

    def _forward(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        headers.pop("Expect", None)
        headers["Content-Length"] = str(len(body))
        connection = http.client.HTTPConnection(*self.server.store.backend, timeout=60)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        # The answer to HEAD tells a length that it does not have.
        length = dict((name.lower(), value) for name, value in headers).get("content-length")
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status):
        code = {500: "InternalError", 503: "SlowDown"}[status]
        self._answer(status, [("Content-Type", "application/xml")], f"<Error><Code>{code}</Code></Error>".encode())

    def _drop(self):
        self.close_connection = True
