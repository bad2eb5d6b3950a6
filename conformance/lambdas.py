"""Functions made for a test, and what a client sees of them: shared by the suites of Lambda."""

import contextlib
import http.client
import io
import json
import stat
import urllib.parse
import zipfile

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/function"


def package(files):
    """A zip file of names and texts; what is named as a program may be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            is_program = name.rsplit("/", 1)[-1] in ("bootstrap", "wrapper")
            info.external_attr = (stat.S_IFREG | (0o755 if is_program else 0o644)) << 16
            archive.writestr(info, text)
    return buffer.getvalue()


def create(lambda_, name, files, runtime="python3.12", handler="index.handler", **settings):
    """Makes a function of these files."""
    made = lambda_.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler=handler,
        Role=ROLE,
        Code={"ZipFile": package(files)},
        **{"Timeout": 30, **settings},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return made


def invoke(lambda_, name, payload=None):
    """The answer's payload as JSON, of a function that did not fail."""
    more = {} if payload is None else {"Payload": json.dumps(payload)}
    answer = lambda_.invoke(FunctionName=name, **more)
    given = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, given
    return given


def error_of(call):
    """Status, code and text of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


class Answer:
    """An answer over HTTP, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


@contextlib.contextmanager
def opened(server, url, method="GET", path="/", body=None, headers=()):
    """The answer of a function's address, as it comes; the name in it need not be known to this machine."""
    host = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", host)
    for name, value in dict(headers).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def fetch(server, url, **request):
    """The whole answer of a function's address."""
    with opened(server, url, **request) as response:
        return Answer(response)
