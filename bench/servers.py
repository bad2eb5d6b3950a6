"""Servers for the time of a measurement, and the load against them: what bench/peers and bench/all share.

Every server has its data in a folder that is removed behind it, may take so much memory and no more, and is asked for
its memory where the machine tells of it.
"""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
HEADWATER = pathlib.Path(os.environ.get("HEADWATER_BINARY", TARGET / "release" / "headwater"))
START_SECONDS = 60
LOAD_SECONDS = 600
OPEN_FILES = 65_536


# Who stops a measurement stops the servers that it started, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


class Failed(Exception):
    """Something that was measured did not work; the text says why."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def bounded(memory_mib):
    """What a child process does first: as many open files as it may have, and a bound for its memory."""
    def apply():
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
        if memory_mib:
            resource.setrlimit(resource.RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
    return apply


class Server:
    """A server that runs."""

    def __init__(self, process, url, folder, log):
        self.process, self.url, self.folder, self.log = process, url, folder, log

    def memory_mib(self, peak=True):
        """What it and the processes that it started take, at their highest or now."""
        field = "VmHWM:" if peak else "VmRSS:"
        return sum(status(pid, field) for pid in family(self.process.pid)) / 1024

    def last_words(self):
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:200] if lines else ""


def status(pid, field):
    """A figure of a process in KiB; 0 once it is gone."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    return 0


def family(pid):
    with contextlib.suppress(OSError):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in family(int(child)))]
    return [pid]


def processor_seconds(pid):
    """What a process has used of the processors so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(command, *, environment=(), memory_mib=None, folder=None):
    """Starts a server; `{port}` and `{folder}` in its command and environment are filled in."""
    own = folder is None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headwater-bench-", dir=TARGET)) if own else folder
    port = free_port()
    fill = lambda text: str(text).format(port=port, folder=folder)  # noqa: E731
    environment = os.environ | {name: fill(value) for name, value in dict(environment).items()}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [fill(word) for word in command], env=environment, cwd=folder, stdout=output, stderr=output,
            preexec_fn=bounded(memory_mib), start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", folder, log)
    try:
        wait_for(server, port)
        yield server
    finally:
        # The whole session: a peer may have started others.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if own:
            shutil.rmtree(folder, ignore_errors=True)


def wait_for(server, port):
    """Until it takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise Failed(f"it ended at its start: {server.last_words()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.002)
    raise Failed(f"it did not listen within {START_SECONDS} s: {server.last_words()}")


def headwater(*flags, memory_mib=None, folder=None):
    """This project's server, without AWS's limits."""
    command = [HEADWATER, "serve", "--listen", "127.0.0.1:{port}", "--data-dir", "{folder}/data", "--limits", "off"]
    return running([*command, *flags], memory_mib=memory_mib, folder=folder)


def bench(kind, *arguments, patience=LOAD_SECONDS):
    """Runs `headwater bench`, and gives what it found, if it does not take longer than so many seconds."""
    command = [HEADWATER, "bench", kind, *map(str, arguments), "--json"]
    credentials = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
    try:
        done = subprocess.run(
            command, env=os.environ | credentials, capture_output=True, text=True,
            timeout=patience, preexec_fn=bounded(None),
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"bench {kind} took longer than {patience} s") from None
    if not done.stdout.strip():
        raise Failed(done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else "no result")
    result = json.loads(done.stdout)
    if done.returncode:
        raise Failed(why(result))
    return result


def why(result):
    """What was wrong with a result of `headwater bench`."""
    verification = result.get("verification")
    if verification and not verification["exact"]:
        return f"what was read is not what was put: {json.dumps(verification)}"
    errors = [f"{code} {count}" for one in result["measured"] for code, count in one["errors"].items()]
    return ", ".join(errors) or "nothing was answered in time"


def load(server, kind, *arguments, patience=LOAD_SECONDS):
    """Runs `headwater bench` against a server."""
    try:
        return bench(kind, "--endpoint-url", server.url, *arguments, patience=patience)
    except Failed as failure:
        if server.process.poll() is not None:
            raise Failed(f"the server ended: {server.last_words()}") from failure
        raise


def measured(result, start):
    """The first thing in a result whose name starts so."""
    return next(one for one in result["measured"] if one["what"].startswith(start))


def limits(seconds):
    """What the machine allows, by name."""
    return {one["name"]: one for one in bench("limits", "--dir", TARGET, "--duration", seconds)["limits"]}


def call(url, target, content):
    """One call in AWS JSON 1.1, without a signature worth the name."""
    authorization = "AWS4-HMAC-SHA256 Credential=bench/20130101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0"
    headers = {
        "content-type": "application/x-amz-json-1.1", "x-amz-target": target,
        "authorization": authorization, "x-amz-date": "20130101T000000Z",
    }
    request = urllib.request.Request(url, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"{}")
