"""A server whose clock a test moves."""

import email.utils
import os
import time
import urllib.request

from headwater import Server, wait_for


class Clocked:
    """A server whose clock a test moves."""

    def __init__(self, folder):
        self.file, self.ahead, self.clients = folder / "ahead", 0, []
        self.write()
        self.server = Server(folder / "data", "--clock-offset-file", self.file).start()

    def write(self):
        # In one step, so that the server does not read half a number.
        written = self.file.with_suffix(".new")
        written.write_text(f"{self.ahead}\n")
        os.replace(written, self.file)

    def time(self):
        with urllib.request.urlopen(f"{self.server.endpoint}/_headwater/health", timeout=5) as answer:
            return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()

    def client(self, service):
        """A client whose connections do not outlive a jump of the time, since the server ends those that waited."""
        self.clients.append(self.server.client(service))
        return self.clients[-1]

    def advance(self, seconds):
        self.ahead += seconds
        self.write()
        wait_for("the later time", self.is_later, seconds=10, every=0.02)
        for client in self.clients:
            client.close()

    def is_later(self):
        try:
            return self.time() >= time.time() + self.ahead - 2
        except OSError:  # A connection that waits while the time jumps ends with it.
            return False
