"""The programs in `sdk/`, one for each of AWS's SDKs: built once, kept in `target/sdk`, and run against a server; and
examples of the crates.

A program is called with a scenario and a name that no one else uses, prints one line of JSON, and fails at the first
thing that is not as it should be. Of what they are written in, Java, Maven and Go may be missing on a machine.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import shutil
import subprocess

import pytest

from headwater import BINARY, ROOT, clean_environment, size

SOURCES = ROOT / "conformance/sdk"
BUILT = ROOT / "target/sdk"
BUILD_SECONDS = 600
RUN_SECONDS = 60
# Marks of a suite that takes minutes, or minutes to build.
SLOW = [pytest.mark.long, pytest.mark.skipif(size(True, False), reason="slow: `./test long` tries it")]


def run(command, endpoint, **variables):
    """Runs a program, and gives the line it printed."""
    done = attempt(command, endpoint, **variables)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return json.loads(done.stdout)


def attempt(command, endpoint, **variables):
    """Runs a program that may fail."""
    environment = clean_environment(AWS_ENDPOINT_URL=endpoint, **variables)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)


@functools.cache
def javascript(program):
    """`sdk/javascript/<program>.mjs`."""
    source = SOURCES / "javascript"
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    build(source / "node_modules", source.glob("package*.json"), install)
    return ["node", "--no-warnings", str(source / f"{program}.mjs")]


@functools.cache
def python(program):
    """`sdk/python/<program>.py`, in an environment of its own: what it drives does not go with the suites' versions."""
    source, made = SOURCES / "python", BUILT / "python"
    install = [made / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    install += ["--requirement", "requirements.txt"]
    make = ["python3", "-m", "venv", made]
    build(made, source.glob("requirements.txt"), ["rm", "-rf", made], make, install)
    return [str(made / "bin/python"), str(source / f"{program}.py")]


@functools.cache
def java(program, folder="java"):
    """`sdk/<folder>/<program>.java`, with the jars that its pom.xml names."""
    need("Java SDK" if folder == "java" else folder.title(), "javac", "java", "mvn")
    source, made = SOURCES / folder, BUILT / folder
    path = f"{made}/jars/*"
    copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    fetch = ["mvn", "-q", "-B", copy, "-DincludeScope=runtime", f"-DoutputDirectory={made}/jars"]
    files = sorted(source.glob("*.java"))
    compile_ = ["javac", "-cp", path, "-d", f"{made}/classes", *files]
    build(made, [source / "pom.xml", *files], ["rm", "-rf", made], fetch, compile_)
    # It starts in half the time without the optimising compiler.
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{made}/classes:{path}", program]


@functools.cache
def go(folder="go"):
    """`sdk/<folder>`."""
    need("Go SDK" if folder == "go" else folder.title(), "go")
    program = BUILT / folder / f"sdk-{folder}"
    build(program, (SOURCES / folder).glob("*.*"), ["go", "build", "-mod=readonly", "-o", program, "."])
    return [str(program)]


@functools.cache
def rust():
    """`sdk/rust`, a cargo workspace of its own."""
    source, program = SOURCES / "rust", BUILT / "rust/debug/sdk-rust"
    command = ["cargo", "build", "--quiet", "--locked", "--target-dir", BUILT / "rust"]
    build(program, [*source.glob("Cargo.*"), *source.glob("src/*.rs")], command)
    return [str(program)]


@functools.cache
def example(package, name):
    """A crate's example, built as the server under test is; cargo itself lets only one build at a time."""
    folder, profile = BINARY.parent.parent, BINARY.parent.name
    command = ["cargo", "build", "--quiet", "--locked", "--package", package, "--example", name]
    command += ["--target-dir", str(folder)] + (["--release"] if profile == "release" else [])
    subprocess.run(command, cwd=ROOT, check=True)
    return BINARY.parent / "examples" / name


def need(client, *tools):
    """Passes over a client whose tools are not among the project's prerequisites and not installed."""
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"the {client} is not tried: {', '.join(missing)} not installed")


def build(result, inputs, *commands):
    """Runs `commands` in the inputs' folder, unless they made `result` before of the same inputs."""
    inputs = sorted(inputs)
    with one_at_a_time():
        build_alone(result, inputs, commands)


@contextlib.contextmanager
def one_at_a_time():
    """Holds off the other processes of pytest: what one builds the next finds, and Maven's store is not made for two."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_alone(result, inputs, commands):
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = BUILT / f"{inputs[0].parent.name}.built"
    if result.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    for command in ([str(part) for part in command] for command in commands):
        done = subprocess.run(
            command,
            cwd=inputs[0].parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
    stamp.write_text(digest)
