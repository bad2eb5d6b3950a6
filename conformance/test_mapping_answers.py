"""What AWS answers about event source mappings, word for word, as others recorded it there."""

import datetime

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for
from test_mappings import ALL, Place

NOBODY = "The resource you requested does not exist."
UNKNOWN = "7b0ff6c0-5f8c-4a3c-9d53-3d4ba6f4a1f0"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"



@pytest.fixture
def place(tmp_path, server):
    return Place(tmp_path, server)


@pytest.fixture
def made(place, name):
    """The names of a stream and of a function, which has one version."""
    place.stream(name)
    place.function(name, ALL)
    place.lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    place.lambda_.publish_version(FunctionName=name)
    return name


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    answer = caught.value.response
    error = answer["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def test_an_answer_has_what_the_one_of_aws_has(place, made):
    answer = place.lambda_.create_event_source_mapping(
        EventSourceArn=STREAM + made, FunctionName=made, StartingPosition="LATEST"
    )
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    uuid, modified = answer.pop("UUID"), answer.pop("LastModified")
    age = datetime.datetime.now(datetime.timezone.utc) - modified
    assert abs(age.total_seconds()) < 60
    assert answer == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": STREAM + made,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}",
        "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{made}",
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }
    wait_for("the mapping", lambda: place.show(uuid)["State"] == "Enabled")
    again = refused(
        place.lambda_.create_event_source_mapping,
        EventSourceArn=STREAM + made,
        FunctionName=made,
        StartingPosition="LATEST",
    )
    assert again == (
        409,
        "ResourceConflictException",
        f'The event source arn (" {STREAM}{made} ") and function (" {made} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}",
    )
    assert place.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=7)["State"] == "Updating"
    wait_for("the change", lambda: place.show(uuid)["State"] == "Enabled")
    assert place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    wait_for("the stop", lambda: place.show(uuid)["State"] == "Disabled")


@pytest.mark.parametrize("form", ["{0}", "{1}", "{0}:$LATEST", "{1}:$LATEST", "{0}:1", "{1}:1", "{2}:{0}"])
def test_the_function_is_told_with_the_qualifier_that_it_was_given_with(place, made, form):
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{made}"
    named = form.format(made, arn, "000000000000:function")
    answer = place.lambda_.create_event_source_mapping(
        EventSourceArn=STREAM + made, FunctionName=named, StartingPosition="LATEST"
    )
    qualifier = named.removeprefix(arn).removeprefix("000000000000:function:").removeprefix(made)
    assert answer["FunctionArn"] == arn + qualifier


@pytest.mark.parametrize("call", ["get", "update", "delete"])
def test_a_mapping_that_is_not_there(place, call):
    call = getattr(place.lambda_, f"{call}_event_source_mapping")
    assert refused(call, UUID=UNKNOWN) == (404, "ResourceNotFoundException", NOBODY)


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"EventSourceArn": None}, "InvalidParameterValueException", "Unrecognized event source."),
        ({"FunctionName": "unknown"}, "InvalidParameterValueException", "Function does not exist"),
        (
            {"EventSourceArn": f"{STREAM}unknown"},
            "InvalidParameterValueException",
            f"Stream not found: {STREAM}unknown",
        ),
        (
            {"StartingPosition": None},
            "InvalidParameterValueException",
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null.",
        ),
        (
            {"StartingPosition": "invalid"},
            "ValidationException",
            "1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: "
            "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
        ),
        (
            {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::bucket"}}},
            "InvalidParameterValueException",
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
    ],
)
def test_what_cannot_be_made(place, made, changed, code, message):
    asked = {"EventSourceArn": STREAM + made, "FunctionName": made, "StartingPosition": "LATEST", **changed}
    asked = {name: value for name, value in asked.items() if value is not None}
    assert refused(place.lambda_.create_event_source_mapping, **asked) == (400, code, message)


SUCCESSES = ["[]", "None", "{}", "''", "{'batchItemFailures': []}", "{'batchItemFailures': None}"]
FAILURES = [
    "{'batchItemFailures': [{'itemIdentifier': ''}]}",
    "{'batchItemFailures': [{'itemIdentifier': None}]}",
    "{'batchItemFailures': [{'foo': event['Records'][0]['kinesis']['sequenceNumber']}]}",
    "{'batchItemFailures': [{'foo': None}]}",
    "{'batchItemFailures': [{'itemIdentifier': '123'}]}",
    "1 / 0",
]


@pytest.mark.parametrize(("answer", "calls"), [*((a, 1) for a in SUCCESSES), *((a, 2) for a in FAILURES)])
def test_what_an_answer_of_the_function_means(place, name, answer, calls):
    """A batch that failed is called with again, as often as the mapping says."""
    stream, bucket = place.stream(name), name
    place.s3.create_bucket(Bucket=bucket)
    code = ALL.replace("def handler", "def note") + f"\ndef handler(event, context):\n    note(event, context)\n    return {answer}\n"
    place.function(name, code)
    uuid = place.mapping(
        stream,
        name,
        BatchSize=1,
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}},
    )
    place.put(stream, 1)
    if calls == 1:
        wait_for("the call", lambda: place.show(uuid)["LastProcessingResult"] == "OK")
        assert place.failed(bucket) == {}
    else:
        [told] = wait_for("the failure", lambda: list(place.failed(bucket).values()))
        check_failure(told, stream, name, is_error=answer == "1 / 0")
    assert place.written() == [1] * calls


def check_failure(told, stream, name, is_error):
    """All members that AWS's own message has, and no other."""
    request, response, batch = told["requestContext"], told["responseContext"], told["KinesisBatchInfo"]
    assert set(told) == {"requestContext", "responseContext", "version", "timestamp", "KinesisBatchInfo", "payload"}
    assert set(request) == {"requestId", "functionArn", "condition", "approximateInvokeCount"}
    assert request["functionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (request["condition"], request["approximateInvokeCount"]) == ("RetryAttemptsExhausted", 2)
    function_error = "Unhandled" if is_error else None
    assert response == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": function_error}
    assert set(batch) == {
        "shardId",
        "startSequenceNumber",
        "endSequenceNumber",
        "approximateArrivalOfFirstRecord",
        "approximateArrivalOfLastRecord",
        "batchSize",
        "streamArn",
    }
    assert (batch["batchSize"], batch["streamArn"], told["version"]) == (1, stream, "1.0")
    datetime.datetime.strptime(told["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
