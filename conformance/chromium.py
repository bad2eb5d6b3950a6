"""Debian's Chromium for a test, and the programs in `console/tests` that drive it."""

import functools
import json
import os
import pathlib
import shutil
import subprocess

from headwater import ROOT, clean_environment
from sdks import build, one_at_a_time

CONSOLE = ROOT / "console"
PROGRAM = pathlib.Path("/usr/bin/chromium")
INSTALL = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
INSTALL_SECONDS = 600
VISIT_SECONDS = 180


def visit(program, endpoint, **words):
    """Runs `console/tests/<program>.mjs` with these words, and gives the JSON that it printed."""
    install_chromium()
    packages()
    command = ["node", "--no-warnings", f"tests/{program}.mjs", json.dumps({"endpoint": endpoint, **words})]
    done = subprocess.run(
        command, cwd=CONSOLE, env=clean_environment(), capture_output=True, text=True, timeout=VISIT_SECONDS
    )
    assert done.returncode == 0, f"{program}\n{done.stdout[-4000:]}{done.stderr[-6000:]}"
    return json.loads(done.stdout)


@functools.cache
def packages():
    """The packages of the console's lock file."""
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    build(CONSOLE / "node_modules", CONSOLE.glob("package*.json"), install)


@functools.cache
def install_chromium():
    """Debian's package where it is missing and we may install it."""
    with one_at_a_time():
        if PROGRAM.exists():
            return
        wanted = "The console is tried in Chromium: install Debian's packages chromium and fonts-dejavu-core"
        assert shutil.which("apt-get") and os.geteuid() == 0, wanted
        subprocess.run(["apt-get", "update", "--quiet"], check=True, timeout=INSTALL_SECONDS)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(INSTALL, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        assert done.returncode == 0, f"{wanted}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
