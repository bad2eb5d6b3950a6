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


def test_a_table_over_its_capacity_throttles_until_it_gets_more(server, name):
    shown = run(server, "08-throttling.sh", TABLE=name)
    burst = [line for line in shown.splitlines() if line.startswith("put ")]
    assert burst[0] == "put 1 took 60.0 units, all until now 61"
    # The burst is what was saved in five minutes, and a last put that it did not suffice for.
    assert 300 <= int(burst[-1].split()[-1]) < 600
    assert "(ProvisionedThroughputExceededException) when calling the PutItem operation" in shown
    assert "units a second now: 100" in shown and "puts that passed: 10" in shown
    assert name not in server.client("dynamodb").list_tables()["TableNames"]


def test_carts_are_what_their_changes_make(server, name):
    shown = run(server, "stateful-cart.sh", TABLE=name)
    assert "MODIFY ann: apples 2 -> 5" in shown and "REMOVE bob: cheese 1 -> none" in shown
    assert shown.count("which is what the scan shows") == 2
    carts = shown.split("as all of their changes make them:\n")[1].splitlines()[:4]
    assert carts == ["  ann: 1 x apples", "  ann: 1 x bread", "  bob/order-1: 1 x cheese", "  cyd: 4 x dates"]
    assert name not in server.client("dynamodb").list_tables()["TableNames"]


@pytest.mark.parametrize("script", sorted(path.name for path in EXERCISES.glob("*.sh")))
def test_the_list_names_every_script(script):
    assert f"]({script})" in (EXERCISES / "README.md").read_text()
