"""Runtimes: Java and Ruby where the machine has them, wrappers, what a log event is, and what is refused by name."""

import json
import shutil
import subprocess

import pytest

from headwater import wait_for
from lambdas import ROLE, create, error_of, invoke, package

RUBY = shutil.which("ruby")
JAVAC = shutil.which("javac")


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


def events(client, name, count):
    """The messages of a function's log, when there are so many."""
    logs = client("logs")

    def found():
        try:
            messages = [e["message"] for e in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return messages if len(messages) >= count else None

    return wait_for("the log", found)


JAVA = """
package taxi;
import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
import java.util.*;
public class Handler implements RequestHandler<Handler.Trip, Map<String, Object>> {
    public static class Trip {
        private String id; private double fare; private List<Integer> stops;
        public void setId(String id) { this.id = id; }
        public void setFare(double fare) { this.fare = fare; }
        public void setStops(List<Integer> stops) { this.stops = stops; }
    }
    public record Receipt(String text, int count) {}
    private int count;
    @Override
    public Map<String, Object> handleRequest(Trip trip, Context context) {
        context.getLogger().log("two\\nlines");
        System.out.println("printed");
        if (trip.id == null) throw new IllegalStateException("no id");
        return Map.of("id", trip.id, "twice", trip.fare * 2, "stops", trip.stops.size(), "count", ++count,
                      "request", context.getAwsRequestId(), "left", context.getRemainingTimeInMillis() > 0);
    }
    public Receipt receipt(Map<String, Object> event) { return new Receipt((String) event.get("text"), 1); }
    public void stream(InputStream in, OutputStream out, Context context) throws IOException { in.transferTo(out); }
}
"""


@pytest.fixture(scope="module")
def classes(server, tmp_path_factory):
    """The handler above as classes, compiled against what the server has of AWS's interfaces."""
    folder = tmp_path_factory.mktemp("java")
    (folder / "Handler.java").write_text(JAVA)
    sources = sorted(map(str, (server.data_dir / "functions/bootstraps/java-sources/aws").glob("*.java")))
    subprocess.run(["javac", "-d", folder / "out", folder / "Handler.java", *sources], check=True)
    out = folder / "out"
    return {str(file.relative_to(out)): file.read_bytes() for file in out.glob("taxi/*.class")}


@pytest.mark.skipif(not JAVAC, reason="there is no JDK")
@pytest.mark.parametrize("runtime", ["java17", "java21", "java25", "java8.al2"])
def test_java(lambda_, client, classes, name, runtime):
    settings = {"runtime": runtime, "MemorySize": 512}
    create(lambda_, name, classes, handler="taxi.Handler", **settings)
    trip = {"id": "ü\u2028", "fare": 12.5, "stops": [1, 2], "unknown": {}}
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(trip))
    given = json.load(answer["Payload"])
    request = answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    expected = {"id": "ü\u2028", "twice": 25.0, "stops": 2, "count": 1, "request": request, "left": True}
    assert given == expected
    assert invoke(lambda_, name, trip)["count"] == 2, "the process is warm"
    failed = lambda_.invoke(FunctionName=name, Payload="{}")
    error = json.load(failed["Payload"])
    assert (failed["FunctionError"], error["errorType"]) == ("Unhandled", "java.lang.IllegalStateException")
    assert error["errorMessage"] == "no id" and "taxi.Handler.handleRequest" in error["stackTrace"][0]
    log = events(client, name, 10)
    assert "two\nlines\n" in log and "printed\n" in log
    assert any(m.startswith("no id: java.lang.IllegalStateException\n") and "\tat taxi" in m for m in log)


@pytest.mark.skipif(not JAVAC, reason="there is no JDK")
def test_java_finds_handlers_by_name(lambda_, classes, name):
    create(lambda_, name, classes, runtime="java21", handler="taxi.Handler::receipt", MemorySize=512)
    assert invoke(lambda_, name, {"text": "a"}) == {"text": "a", "count": 1}
    for handler, expected in (
        ("taxi.Handler::stream", {"any": [1, "thing"]}),
        ("taxi.Missing", "Class not found: taxi.Missing"),
        ("taxi.Handler::none", "No public method named none on class taxi.Handler"),
    ):
        lambda_.update_function_configuration(FunctionName=name, Handler=handler)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
        answer = json.load(lambda_.invoke(FunctionName=name, Payload='{"any": [1, "thing"]}')["Payload"])
        assert answer == expected or answer["errorMessage"] == expected, answer


RUBY_CODE = """
require 'json'
module Taxi
  class Handler
    def self.process(event:, context:)
      puts "two\\nlines"
      raise ArgumentError, 'no id' unless event['id']
      { id: event['id'], request: context.aws_request_id, left: context.get_remaining_time_in_millis > 0 }
    end
  end
end
def handler(event:, context:) = event
"""


@pytest.mark.skipif(not RUBY, reason="there is no Ruby")
def test_ruby(lambda_, name):
    create(lambda_, name, {"index.rb": RUBY_CODE}, runtime="ruby3.4", handler="index.Taxi::Handler.process")
    answer = lambda_.invoke(FunctionName=name, Payload='{"id": "ü"}')
    given = json.load(answer["Payload"])
    assert (given["id"], given["left"]) == ("ü", True)
    failed = lambda_.invoke(FunctionName=name, Payload="{}")
    error = json.load(failed["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("Function<ArgumentError>", "no id")
    lambda_.update_function_configuration(FunctionName=name, Handler="index.handler")
    assert invoke(lambda_, name, [1]) == [1]


@pytest.mark.skipif(bool(RUBY), reason="there is a Ruby")
def test_a_runtime_that_the_machine_lacks_is_named(lambda_, name):
    create(lambda_, name, {"index.rb": RUBY_CODE}, runtime="ruby3.4")
    status, code, text = error_of(lambda: lambda_.invoke(FunctionName=name))
    assert (status, code) == (502, "InvalidRuntimeException")
    assert text.startswith("ruby could not be started") and "install it, or put it on the server's PATH" in text


WRAPPER = '#!/bin/sh\nexport WRAPPED="$1"\nexec "$@"\n'


@pytest.mark.parametrize(
    ("runtime", "file", "code"),
    [
        ("python3.12", "index.py", "import os\ndef handler(e, c): return os.environ['WRAPPED']"),
        ("nodejs22.x", "index.js", "exports.handler = async () => process.env.WRAPPED;"),
    ],
)
def test_a_wrapper_stands_around_the_program(lambda_, name, runtime, file, code):
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}}
    create(lambda_, name, {file: code, "wrapper": WRAPPER}, runtime=runtime, Environment=environment)
    assert invoke(lambda_, name).rsplit("/", 1)[-1].startswith(("python", "node"))
    missing = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/none"}}
    lambda_.update_function_configuration(FunctionName=name, Environment=missing)
    failed = json.load(lambda_.invoke(FunctionName=name)["Payload"])
    assert failed["errorType"] == "Runtime.ExitError"
    assert failed["errorMessage"].endswith("Error: Runtime exited with error: exit status 127")


def test_a_record_is_one_event_that_ends_its_line(lambda_, client, name):
    code = (
        "import logging\n"
        "def handler(event, context):\n"
        "    print('printed')\n"
        "    logging.getLogger().warning('two\\nlines')\n"
        "    raise ValueError('broken')\n"
    )
    create(lambda_, name, {"index.py": code})
    lambda_.invoke(FunctionName=name)
    log = events(client, name, 7)
    assert all(message.endswith("\n") for message in log)
    assert "printed\n" in log and any(m.startswith("[WARNING]") and m.endswith("two\nlines\n") for m in log)
    (error,) = [message for message in log if message.startswith("[ERROR]")]
    assert error.startswith("[ERROR] ValueError: broken\nTraceback (most recent call last):\n  File ")
    assert "raise ValueError('broken')\n" in error
    assert len(log) == 7, log


def test_what_is_not_done_is_refused_by_name(lambda_, name):
    made = {"FunctionName": name, "Role": ROLE, "Handler": "index.handler", "Code": {"ZipFile": package({"index.py": ""})}}
    for settings, named in (
        ({"Runtime": "dotnet8"}, "dotnet8"),
        ({"Runtime": "python3.12", "EphemeralStorage": {"Size": 1024}}, "EphemeralStorage"),
    ):
        status, code, text = error_of(lambda settings=settings: lambda_.create_function(**made, **settings))
        assert (status, code) == (501, "NotImplemented") and named in text
    made = lambda_.create_function(**made, Runtime="python3.12", EphemeralStorage={"Size": 512})
    assert made["EphemeralStorage"] == {"Size": 512}
    refused = error_of(
        lambda: lambda_.update_function_configuration(FunctionName=name, EphemeralStorage={"Size": 10240})
    )
    assert refused[1] == "NotImplemented"
