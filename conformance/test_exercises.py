"""The exercises' scripts, as they are."""

import os
import subprocess

import pytest

from headwater import ROOT, clean_environment

EXERCISES = ROOT / "examples/exercises"


def run(server, script, **variables):
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    environment = clean_environment(AWS_ENDPOINT_URL=server.endpoint, PATH=path, **variables)
    done = subprocess.run([EXERCISES / script], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_stream_calls_a_function_whose_output_is_in_the_log(server, name):
    shown = run(server, "01-stream-to-function.sh", STREAM=name, FUNCTION=name, FAILED=name)
    assert "JSONDecodeError" in shown and "aws/lambda/" in shown
    assert "PROBLEM: Function call failed" in shown
    assert "Received data: Hello, again!" in shown


def test_two_functions_see_every_record(server, name):
    shown = run(server, "09-fan-out.sh", STREAM=name)
    for aspect in ("orders", "payments"):
        assert [f"{aspect}: record {n:02}" for n in range(1, 11)] == [
            line for line in shown.splitlines() if line.startswith(f"{aspect}: ")
        ]


@pytest.mark.parametrize("script", sorted(path.name for path in EXERCISES.glob("*.sh")))
def test_the_list_names_every_script(script):
    assert f"]({script})" in (EXERCISES / "README.md").read_text()
