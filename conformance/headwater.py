"""A headwater server under test: started, killed and started again on one data directory and one port."""

import itertools
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("HEADWATER_BINARY", ROOT / "target/release/headwater"))
START_SECONDS = 20
# Which of several pytests side by side this one is.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def size(usual, long):
    """How large a test is: as `./test` runs it, or as `./test long` does."""
    return long if os.environ.get("HEADWATER_LONG") == "1" else usual



def clean_environment(**more):
    """The environment of a client under test: no credentials or endpoints of the machine's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADWATER_"))}
    fixed = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_PAGER": "",
    }
    return {**kept, **fixed, **more}


def own_ports():
    """Below those that the system gives to clients, and others for each worker: a server finds its port free again."""
    first, count = 12_000 + WORKER % 16 * 1_000, 1_000
    start = random.randrange(count)
    return itertools.cycle(first + (start + n) % count for n in range(count))


PORTS = own_ports()


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:  # Someone else has it.
                continue


class Server:
    """One data directory, one port, and the process that serves them."""

    def __init__(self, data_dir, *arguments, port=None):
        self.data_dir = pathlib.Path(data_dir)
        self.arguments = arguments
        self.port = port or free_port()
        self.process = None
        self.log = self.data_dir.with_suffix(".log")

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Starts the process and returns once it says that it listens."""
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.data_dir, *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=subprocess.PIPE, stderr=log, env=clean_environment()
            )
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("headwater listening on "):
            self.kill()
            raise AssertionError(f"the server did not start: {line!r}\n{self.log.read_text()[-4000:]}")
        return self

    def kill(self):
        """SIGKILL: what pulling the plug looks like to the process."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """SIGTERM, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        finally:
            self.process.stdout.close()

    def restart(self):
        self.kill()
        return self.start()

    def client(self, service, region="us-east-1", **config):
        config = {"retries": {"max_attempts": 0}, **config}
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(**config),
        )

    def aws(self, *arguments, check=True, **options):
        """Runs the AWS CLI; its parsed JSON where it printed some, its text otherwise."""
        aws = ROOT / ".venv/bin/aws"
        command = [str(aws) if aws.exists() else shutil.which("aws"), *map(str, arguments)]
        done = subprocess.run(
            command, env=clean_environment(AWS_ENDPOINT_URL=self.endpoint), capture_output=True, text=True, **options
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        if not check:
            return done
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def memory_mib(self, peak=False):
        """The process's resident memory now, or at its highest."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        field = "VmHWM" if peak else "VmRSS"
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1024

    def health(self):
        with urllib.request.urlopen(f"{self.endpoint}/_headwater/health", timeout=5) as answer:
            return answer.status


def wait_for(what, condition, seconds=60, every=0.1):
    """Polls until `condition` gives something true, which is returned; fails with `what` when it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def wait_for_second_after(moment):
    """Waits until it is a later second than that of `moment`, a time of day: boto3 asks for whole seconds."""
    wait_for("the next second", lambda: int(time.time()) > int(moment.timestamp()), seconds=2, every=0.05)
