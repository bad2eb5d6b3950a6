"""Addresses of functions: made through boto3, called over plain HTTP; answers as recorded on AWS by LocalStack."""

import json
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from headwater import Server
from lambdas import create, error_of, fetch, opened

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
GONE = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
NO_FUNCTION = (404, "ResourceNotFoundException", "Function does not exist")
ECHO = "def handler(event, context): return event"
# Gives back what it is given as a body, as JSON.
GIVE = "import json\ndef handler(event, context): return json.loads(event['body'])"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


def permit(lambda_, name, qualifier=None):
    """Lets everyone call an address without signatures, as AWS wants it said."""
    more = {"Qualifier": qualifier} if qualifier else {}
    lambda_.add_permission(
        FunctionName=name,
        StatementId="urlPermission",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
        **more,
    )


@pytest.fixture
def address(lambda_, name):
    """A function of the test's own with an address that everyone may call."""

    def address(code, runtime="python3.12", file="index.py", **settings):
        create(lambda_, name, {file: code}, runtime=runtime)
        made = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE", **settings)
        permit(lambda_, name)
        return made["FunctionUrl"]

    return address


def test_settings_live(lambda_, name):
    create(lambda_, name, {"index.py": ECHO})
    made = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201 and "InvokeMode" not in made
    host = urllib.parse.urlsplit(made["FunctionUrl"]).hostname
    assert host.endswith(".lambda-url.us-east-1.localhost") and len(host.split(".")[0]) == 32
    arn = made["FunctionArn"]
    text = (
        f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for "
        "this Lambda function"
    )
    again = error_of(lambda: lambda_.create_function_url_config(FunctionName=name, AuthType="NONE"))
    assert again == (409, "ResourceConflictException", text)
    found = lambda_.get_function_url_config(FunctionName=name)
    assert found["InvokeMode"] == "BUFFERED" and found["LastModifiedTime"] == made["CreationTime"]
    changed = lambda_.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert (changed["AuthType"], changed["FunctionUrl"]) == ("AWS_IAM", made["FunctionUrl"])
    assert "InvokeMode" not in changed
    lambda_.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")
    assert lambda_.update_function_url_config(FunctionName=name)["InvokeMode"] == "RESPONSE_STREAM"
    wrong = error_of(
        lambda: lambda_.update_function_url_config(FunctionName=name, InvokeMode="UNKNOWN")
    )
    assert wrong[2] == (
        "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy "
        "enum value set: [RESPONSE_STREAM, BUFFERED]"
    )
    assert lambda_.delete_function_url_config(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert error_of(lambda: lambda_.get_function_url_config(FunctionName=name)) == GONE


def test_an_alias_has_settings_of_its_own(lambda_, server, name):
    create(lambda_, name, {"index.py": ECHO})
    lambda_.publish_version(FunctionName=name)
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert error_of(lambda: lambda_.list_function_url_configs(FunctionName="none")) == NO_FUNCTION
    assert lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []
    latest = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE")
    live = lambda_.create_function_url_config(FunctionName=f"{name}:live", Qualifier="live", AuthType="NONE")
    assert live["FunctionArn"] == f"{latest['FunctionArn']}:live"
    listed = lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert {each["FunctionUrl"] for each in listed} == {latest["FunctionUrl"], live["FunctionUrl"]}
    assert all(each["InvokeMode"] == "BUFFERED" for each in listed)
    page = lambda_.list_function_url_configs(FunctionName=name, MaxItems=1)
    rest = lambda_.list_function_url_configs(FunctionName=name, MaxItems=1, Marker=page["NextMarker"])
    assert page["FunctionUrlConfigs"] + rest["FunctionUrlConfigs"] == listed
    lambda_.delete_function_url_config(FunctionName=name)
    assert lambda_.get_function_url_config(FunctionName=name, Qualifier="live")["FunctionUrl"] == live["FunctionUrl"]
    permit(lambda_, name, "live")
    assert fetch(server, live["FunctionUrl"]).status == 200
    lambda_.delete_alias(FunctionName=name, Name="live")
    gone = fetch(server, live["FunctionUrl"])
    assert (gone.status, gone.headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")


def test_what_is_wrong_has_awss_words(lambda_, name):
    create(lambda_, name, {"index.py": ECHO})
    lambda_.publish_version(FunctionName=name)
    lambda_.create_alias(FunctionName=name, Name="urlalias", FunctionVersion="1")
    arn = lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    mismatch = "The derived qualifier from the function name does not match the specified qualifier."

    def wrong(value):
        text = (
            f"1 validation error detected: Value '{value}' at 'qualifier' failed to satisfy constraint: Member must "
            r"satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
        )
        return 400, "ValidationException", text

    for call, missing, more in (
        (lambda_.create_function_url_config, NO_FUNCTION, {"AuthType": "NONE"}),
        (lambda_.update_function_url_config, NO_FUNCTION, {"AuthType": "AWS_IAM"}),
        (lambda_.get_function_url_config, GONE, {}),
        (lambda_.delete_function_url_config, GONE, {}),
    ):
        for asked, answer in (
            ({"FunctionName": "doesnotexist"}, missing),
            ({"FunctionName": arn.replace(name, "doesnotexist")}, missing),
            ({"FunctionName": "doesnotexist", "Qualifier": "1"}, wrong("1")),
            ({"FunctionName": name, "Qualifier": "2"}, wrong("2")),
            ({"FunctionName": name, "Qualifier": "$LATEST"}, wrong("$LATEST")),
            ({"FunctionName": name, "Qualifier": "v1"}, missing),
            (
                {"FunctionName": f"{name}:urlalias-other", "Qualifier": "urlalias"},
                (400, "InvalidParameterValueException", mismatch),
            ),
        ):
            assert error_of(lambda call=call, asked=asked, more=more: call(**asked, **more)) == answer, (call, asked)
    for call in (lambda_.get_function_url_config, lambda_.delete_function_url_config, lambda_.update_function_url_config):
        assert error_of(lambda call=call: call(FunctionName=name)) == GONE
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    text = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    assert error_of(lambda: lambda_.get_function_url_config(FunctionName=elsewhere))[2] == text


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ('{"hello": "world"}', '{"hello":"world"}'),
        ('{"statusCode": 200, "body": "body123"}', "body123"),
        ('{"statusCode": 200, "body": "{\\"hello\\": \\"world\\"}"}', '{"hello": "world"}'),
        ('["hello", 3, true]', '["hello",3,true]'),
        ('"hello"', "hello"),
        ("3", "3"),
        ("3.1", "3.1"),
        ("true", "true"),
        ('{"statusCode": 200, "body": {"b": 1, "a": [true]}}', '{"b":1,"a":[true]}'),
    ],
)
def test_what_a_function_gives_is_the_answer(server, address, given, body):
    got = fetch(server, address(GIVE), method="POST", path="/custom?test_param=x", body=given.encode(), headers=JSON)
    assert (got.status, got.text, got.headers["Content-Type"]) == (200, body, "application/json")
    assert got.headers["Content-Length"] == str(len(body))


def test_status_headers_and_cookies(server, address):
    url = address(GIVE)

    def give(answer):
        return fetch(server, url, method="POST", body=json.dumps(answer).encode(), headers=JSON)

    got = give(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "My-Custom-Header": "Custom Value"},
            "cookies": ["a=b", "c=d"],
            "body": "AGE=",
            "isBase64Encoded": True,
        }
    )
    assert (got.status, got.body, got.headers["my-custom-header"]) == (201, b"\0a", "Custom Value")
    assert got.headers.get_all("Set-Cookie") == ["a=b", "c=d"]
    got = give({"statusCode": "418", "body": "i'm a teapot"})
    assert (got.status, got.text) == (418, "i'm a teapot")
    for wrong in ({"statusCode": "x"}, {"statusCode": 200, "headers": {"a\nb": "c"}}):
        got = give(wrong)
        assert (got.status, got.text) == (502, "Internal Server Error")


def test_a_request_is_an_event(server, address, lambda_, name):
    url = address(ECHO)
    got = fetch(
        server,
        url,
        method="POST",
        path="/pa2%Fth/a%20b?q=query&multiQuery=foo&multiQuery=%2Fbar",
        body=b'{"foo":"bar"}',
        headers={**JSON, "ExTrA-HeadErs": "With WeiRd CapS", "User-Agent": "test/echo", "Connection": "keep-alive"},
    )
    event = got.json
    host = urllib.parse.urlsplit(url)
    assert (event["rawPath"], event["version"], event["routeKey"]) == ("/pa2%Fth/a b", "2.0", "$default")
    assert event["rawQueryString"] == "q=query&multiQuery=foo&multiQuery=%2Fbar"
    assert event["queryStringParameters"] == {"multiQuery": "foo,/bar", "q": "query"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"foo":"bar"}', False)
    assert {name: event["headers"][name] for name in event["headers"] if not name.startswith("x-")} == {
        "content-length": "13",
        "content-type": "application/json",
        "extra-headers": "With WeiRd CapS",
        "host": host.netloc,
        "user-agent": "test/echo",
    }
    context = event["requestContext"]
    assert context["domainName"] == host.hostname and context["apiId"] == host.hostname.split(".")[0]
    assert context["http"]["sourceIp"] == event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert (context["accountId"], context["stage"]) == ("anonymous", "$default")
    assert context["requestId"] == got.headers["x-amzn-RequestId"]
    form = fetch(
        server, url, method="POST", body=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    ).json
    assert (form["body"], form["isBase64Encoded"]) == ("YT1i", True)
    bare = fetch(server, url).json
    assert not {"body", "cookies", "queryStringParameters"} & set(bare)
    assert fetch(server, url, headers={"Cookie": "a=b; c=d"}).json["cookies"] == ["a=b", "c=d"]
    assert fetch(server, url, path="/_headwater/health").json["rawPath"] == "/_headwater/health"
    head = fetch(server, url, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    large = fetch(server, url, method="POST", body=b"x" * (6 * 1024 * 1024 + 1))
    assert (large.status, large.json) == (413, {"message": "Request Entity Too Large"})


def test_failures_and_strangers(server, address):
    failed = fetch(server, address("def handler(e, c): raise ValueError()"), method="POST", body=b"{}")
    assert (failed.status, failed.text) == (502, "Internal Server Error")
    unknown = "http://0123456789abcdefghijklmnopqrstuv.lambda-url.us-east-1.localhost/"
    got = fetch(server, unknown)
    assert (got.status, got.text) == (403, '{"Message":null}')
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["x-amzn-ErrorType"] == "AccessDeniedException"


def test_addresses_of_a_region_are_answered_there_and_open_none(new_server):
    server = new_server()
    stranger = fetch(server, f"http://{'a' * 32}.lambda-url.eu-west-1.localhost/")
    assert stranger.headers["x-amzn-ErrorType"] == "AccessDeniedException"
    assert not (server.data_dir / "places").exists(), "nobody has signed for the region"
    far = server.client("lambda", region="eu-west-1")
    create(far, "f", {"index.py": "import os\ndef handler(event, context): return os.environ['AWS_REGION']"})
    url = far.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    permit(far, "f")
    assert fetch(server, url).text == "eu-west-1"
    assert (server.data_dir / "places").exists()
    server.restart()
    # Nobody but the caller of the address asks for the region now.
    assert fetch(server, url).text == "eu-west-1"


def test_requests_are_counted(server, address, lambda_):
    fetch(server, address(ECHO))
    with opened(server, server.endpoint, path="/_headwater/metrics") as page:
        text = page.read().decode()
    counted = [line for line in text.splitlines() if 'service="lambda"' in line and 'operation="other"' in line]
    assert any(not line.endswith(" 0") for line in counted), text[:2000]


def test_pages_of_other_origins(server, address):
    cors = {
        "AllowOrigins": ["https://example.com"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["x-one"],
        "ExposeHeaders": ["x-two"],
        "MaxAge": 300,
        "AllowCredentials": True,
    }
    url = address(ECHO, Cors=cors)
    ask = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    told = fetch(server, url, method="OPTIONS", headers=ask)
    assert (told.status, told.body) == (200, b"")
    start = "Access-Control-"
    assert {name: value for name, value in told.headers.items() if name.title().startswith(start)} == {
        "access-control-allow-origin": "https://example.com",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-one",
        "access-control-max-age": "300",
    }
    got = fetch(server, url, headers={"Origin": "https://example.com"})
    assert got.json["headers"]["origin"] == "https://example.com"
    assert got.headers["Access-Control-Expose-Headers"] == "x-two"
    other = fetch(server, url, headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


NODE = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'Content-Type': 'text/plain' },
                                                       cookies: ['a=b'] });
  stream.write('Hello, ');
  if (event.rawPath === '/breaks') throw new Error('in the middle');
  stream.write('world!');
  stream.end();
});
"""


def test_an_answer_streams(server, address, lambda_, name):
    url = address(NODE, runtime="nodejs22.x", file="index.mjs", InvokeMode="RESPONSE_STREAM")
    got = fetch(server, url)
    assert (got.status, got.text) == (201, "Hello, world!")
    assert (got.headers["Content-Type"], got.headers["Set-Cookie"]) == ("text/plain", "a=b")
    assert got.headers["Transfer-Encoding"] == "chunked"
    with opened(server, url, path="/breaks") as response, pytest.raises(Exception, match="IncompleteRead|closed|reset"):
        response.read()
    lambda_.update_function_url_config(FunctionName=name, InvokeMode="BUFFERED")
    assert fetch(server, url, path="/").status in (200, 502)


def test_a_function_that_does_not_stream_is_read_as_it_is(server, address):
    url = address(GIVE, InvokeMode="RESPONSE_STREAM")
    given = b'{"statusCode": 404, "body": "x"}'
    got = fetch(server, url, method="POST", body=given, headers=JSON)
    assert (got.status, got.json) == (200, {"statusCode": 404, "body": "x"})


KEYS = {"ours": ("AKIDOURS", "our-secret", "000000000000"), "theirs": ("AKIDTHEIRS", "their-secret", "222222222222")}


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server that asks for signatures, with keys of two accounts."""
    folder = tmp_path_factory.mktemp("urls")
    file = folder / "credentials"
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_account_id = {}\n"
    file.write_text("".join(profile.format(name, *key) for name, key in KEYS.items()))
    server = Server(folder / "data", "--credentials", file).start()
    yield server
    assert server.stop() == 0


def signed(url, who, secret=None, **request):
    id, known, _ = KEYS[who]
    path, body = request.get("path", "/"), request.get("body")
    asked = AWSRequest(request.get("method", "GET"), url.rstrip("/") + path, data=body)
    SigV4Auth(Credentials(id, secret or known), "lambda", "us-east-1").add_auth(asked)
    return {**request, "headers": dict(asked.headers.items())}


def test_signatures_are_asked_for(locked):
    import boto3

    lambda_ = boto3.client(
        "lambda",
        endpoint_url=locked.endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["ours"][0],
        aws_secret_access_key=KEYS["ours"][1],
    )
    create(lambda_, "f", {"index.py": ECHO})
    url = lambda_.create_function_url_config(FunctionName="f", AuthType="AWS_IAM")["FunctionUrl"]
    got = fetch(locked, url, **signed(url, "ours", method="POST", path="/a%20b?x=1", body=b"text"))
    assert got.status == 200, got.text
    iam = got.json["requestContext"]["authorizer"]["iam"]
    assert (iam["accessKey"], iam["accountId"]) == ("AKIDOURS", "000000000000")
    for refused in (
        fetch(locked, url),
        fetch(locked, url, **signed(url, "theirs")),
        fetch(locked, url, **signed(url, "ours", secret="wrong")),
        fetch(locked, url, **{**signed(url, "ours", method="POST", body=b"a"), "body": b"b"}),
    ):
        assert refused.status == 403 and "Message" in refused.json, refused.text
    assert fetch(locked, url).json["Message"] == FORBIDDEN
    public = lambda_.update_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    permit(lambda_, "f")
    assert fetch(locked, public).status == 200
