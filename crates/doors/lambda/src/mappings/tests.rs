//! The five operations, with the answers that are recorded on AWS.

use headwater_shapes_lambda::ops::{
    CreateEventSourceMapping, CreateFunction, DeleteEventSourceMapping, GetEventSourceMapping,
    ListEventSourceMappings, ListTags, TagResource, UntagResource, UpdateEventSourceMapping,
};
use serde_json::{Value, json};

use crate::testing::{World, function};

const OF: &str = "arn:aws:lambda:us-east-1:000000000000";
const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

async fn world() -> World {
    let world = World::new().await;
    for name in ["f", "g"] {
        world.ok::<CreateFunction>(function(name)).await;
    }
    world
}

fn mapping() -> Value {
    json!({"EventSourceArn": STREAM, "FunctionName": "f", "StartingPosition": "LATEST"})
}

/// The mapping with other members.
fn with(members: Value) -> Value {
    let mut input = mapping();
    let more = members.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(more);
    input
}

async fn refusal(world: &World, members: Value) -> (String, String) {
    world
        .refused::<CreateEventSourceMapping>(with(members))
        .await
}

#[tokio::test]
async fn a_mapping_is_made_shown_changed_and_deleted() {
    let world = world().await;
    let mut made = world.ok::<CreateEventSourceMapping>(mapping()).await;
    let id = made["UUID"].as_str().unwrap().to_owned();
    assert!(made["LastModified"].take().is_number());
    assert_eq!(
        made,
        json!({
            "BatchSize": 100,
            "BisectBatchOnFunctionError": false,
            "DestinationConfig": {"OnFailure": {}},
            "EventSourceArn": STREAM,
            "EventSourceMappingArn": format!("{OF}:event-source-mapping:{id}"),
            "FunctionArn": format!("{OF}:function:f"),
            "FunctionResponseTypes": [],
            "LastModified": null,
            "LastProcessingResult": "No records processed",
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
            "StartingPosition": "LATEST",
            "State": "Creating",
            "StateTransitionReason": "User action",
            "TumblingWindowInSeconds": 0,
            "UUID": id,
        })
    );
    let uuid = json!({"UUID": id});
    let shown = world.ok::<GetEventSourceMapping>(uuid.clone()).await;
    assert_eq!(shown["State"], "Enabled");
    let update = json!({
        "UUID": id,
        "BatchSize": 5,
        "MaximumRetryAttempts": 2,
        "MaximumRecordAgeInSeconds": 60,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::failed"}},
        "FilterCriteria": {"Filters": [{"Pattern": "{\"partitionKey\": [\"a\"]}"}]},
        "FunctionName": "g:$LATEST",
    });
    let changed = world.ok::<UpdateEventSourceMapping>(update.clone()).await;
    assert_eq!(changed["State"], "Updating");
    assert_eq!(changed["FunctionArn"], format!("{OF}:function:g:$LATEST"));
    for member in [
        "BatchSize",
        "MaximumRetryAttempts",
        "FilterCriteria",
        "DestinationConfig",
    ] {
        assert_eq!(changed[member], update[member], "{member}");
    }
    let rest = json!({"UUID": id, "Enabled": false});
    let changed = world.ok::<UpdateEventSourceMapping>(rest).await;
    assert_eq!(
        (&changed["State"], &changed["BatchSize"]),
        (&json!("Disabling"), &json!(5))
    );
    let deleted = world.ok::<DeleteEventSourceMapping>(uuid.clone()).await;
    assert_eq!(deleted["State"], "Deleting");
    let missing = (
        "ResourceNotFoundException".to_owned(),
        "The resource you requested does not exist.".to_owned(),
    );
    assert_eq!(
        world.refused::<GetEventSourceMapping>(uuid.clone()).await,
        missing
    );
    assert_eq!(
        world
            .refused::<DeleteEventSourceMapping>(uuid.clone())
            .await,
        missing
    );
    assert_eq!(
        world.refused::<UpdateEventSourceMapping>(uuid).await,
        missing
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_words_of_aws() {
    let world = world().await;
    let missing_stream = "arn:aws:kinesis:us-east-1:000000000000:stream/missing";
    let elsewhere = "arn:aws:kinesis:eu-west-1:000000000000:stream/s";
    let unsupported =
        "Unsupported DestinationConfig parameter for given event source mapping type.";
    for (members, text) in [
        (json!({"EventSourceArn": null}), "Unrecognized event source.".to_owned()),
        (json!({"EventSourceArn": "arn:aws:x:::y"}), "Unrecognized event source.".to_owned()),
        (json!({"FunctionName": "none"}), "Function does not exist".to_owned()),
        (json!({"FunctionName": "f:7"}), "Function does not exist".to_owned()),
        (json!({"EventSourceArn": missing_stream}), format!("Stream not found: {missing_stream}")),
        (json!({"EventSourceArn": elsewhere}), format!("Stream not found: {elsewhere}")),
        (
            json!({"StartingPosition": null}),
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.".to_owned(),
        ),
        (
            json!({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::b"}}}),
            unsupported.to_owned(),
        ),
        (
            json!({"FilterCriteria": {"Filters": [{"Pattern": "{\"a\": 1}"}]}}),
            "Invalid filter pattern definition.".to_owned(),
        ),
    ] {
        let expected = ("InvalidParameterValueException".to_owned(), text);
        assert_eq!(refusal(&world, members.clone()).await, expected, "{members}");
    }
}

#[tokio::test]
async fn what_is_not_built_is_refused_by_its_name() {
    let world = world().await;
    for (members, name) in [
        (
            json!({"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}),
            "KMSKeyArn",
        ),
        (
            json!({"MetricsConfig": {"Metrics": ["EventCount"]}}),
            "MetricsConfig",
        ),
        (
            json!({"ScalingConfig": {"MaximumConcurrency": 2}}),
            "ScalingConfig",
        ),
        (json!({"Topics": ["t"]}), "Topics"),
        (
            json!({"EventSourceArn": "arn:aws:kafka:us-east-1:000000000000:cluster/c/1"}),
            "kafka",
        ),
    ] {
        let (_, text) = refusal(&world, members).await;
        assert!(text.contains(name), "{text}");
    }
}

const CHANGES: &str =
    "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2023-11-14T22:13:20.007";

#[tokio::test]
async fn a_mapping_of_a_tables_stream_is_shown_as_one_of_a_stream() {
    let world = world().await;
    let input = with(json!({"EventSourceArn": CHANGES, "StartingPosition": "TRIM_HORIZON"}));
    let mut made = world.ok::<CreateEventSourceMapping>(input.clone()).await;
    let of_stream = world.ok::<CreateEventSourceMapping>(mapping()).await;
    let names = |shown: &Value| {
        shown
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&made), names(&of_stream));
    assert_eq!(
        (
            &made["EventSourceArn"],
            &made["StartingPosition"],
            &made["BatchSize"]
        ),
        (&json!(CHANGES), &json!("TRIM_HORIZON"), &json!(100))
    );
    let id = made["UUID"].take();
    let id = id.as_str().unwrap();
    let again = world.refused::<CreateEventSourceMapping>(input).await;
    let text = format!(
        "The event source arn (\" {CHANGES} \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID {id}"
    );
    assert_eq!(again, ("ResourceConflictException".to_owned(), text));
    let change =
        json!({"UUID": id, "ParallelizationFactor": 2, "BisectBatchOnFunctionError": true});
    let changed = world.ok::<UpdateEventSourceMapping>(change).await;
    assert_eq!(changed["ParallelizationFactor"], 2);
}

#[tokio::test]
async fn what_tables_streams_do_not_have_is_refused_in_aws_words() {
    let world = world().await;
    let missing = CHANGES.replace("table/t", "table/missing");
    let elsewhere = CHANGES.replace("us-east-1", "eu-west-1");
    let table = CHANGES.split("/stream").next().unwrap();
    for (members, text) in [
        (
            json!({"EventSourceArn": CHANGES, "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1}),
            format!("Unsupported starting position for arn type: {CHANGES}"),
        ),
        (
            json!({"EventSourceArn": CHANGES, "StartingPosition": "AT_TIMESTAMP"}),
            format!("Unsupported starting position for arn type: {CHANGES}"),
        ),
        (
            json!({"EventSourceArn": CHANGES, "ScalingConfig": {"MaximumConcurrency": 2}}),
            "Unsupported ScalingConfig parameter for given event source mapping type.".to_owned(),
        ),
        (
            json!({"EventSourceArn": missing}),
            format!("Stream not found: {missing}"),
        ),
        (
            json!({"EventSourceArn": elsewhere}),
            format!("Stream not found: {elsewhere}"),
        ),
        (
            json!({"EventSourceArn": table}),
            "Unrecognized event source.".to_owned(),
        ),
    ] {
        let expected = ("InvalidParameterValueException".to_owned(), text);
        assert_eq!(
            refusal(&world, members.clone()).await,
            expected,
            "{members}"
        );
    }
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

fn of_queue(members: Value) -> Value {
    let mut input = json!({"EventSourceArn": QUEUE, "FunctionName": "f"});
    let more = members.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(more);
    input
}

#[tokio::test]
async fn a_mapping_of_a_queue_is_shown_with_its_own_members() {
    let world = world().await;
    let mut made = world
        .ok::<CreateEventSourceMapping>(of_queue(json!({})))
        .await;
    let id = made["UUID"].as_str().unwrap().to_owned();
    assert!(made["LastModified"].take().is_number());
    assert_eq!(
        made,
        json!({
            "BatchSize": 10,
            "EventSourceArn": QUEUE,
            "EventSourceMappingArn": format!("{OF}:event-source-mapping:{id}"),
            "FunctionArn": format!("{OF}:function:f"),
            "FunctionResponseTypes": [],
            "LastModified": null,
            "MaximumBatchingWindowInSeconds": 0,
            "State": "Creating",
            "StateTransitionReason": "USER_INITIATED",
            "UUID": id,
        })
    );
    let change = json!({"UUID": id, "ScalingConfig": {"MaximumConcurrency": 2}});
    let changed = world.ok::<UpdateEventSourceMapping>(change).await;
    assert_eq!(changed["ScalingConfig"]["MaximumConcurrency"], 2);
    let change = json!({"UUID": id, "ScalingConfig": {}});
    let changed = world.ok::<UpdateEventSourceMapping>(change).await;
    assert!(changed.get("ScalingConfig").is_none());
    let other = of_queue(json!({"FunctionName": "g", "Enabled": false}));
    let made = world.ok::<CreateEventSourceMapping>(other).await;
    assert_eq!(made["State"], "Disabled");
    let refused = world
        .refused::<CreateEventSourceMapping>(of_queue(json!({})))
        .await;
    let text = format!(
        "An event source mapping with SQS arn (\" {QUEUE} \") and function (\" f \") already exists. Please update or delete the existing mapping with UUID {id}"
    );
    assert_eq!(refused, ("ResourceConflictException".to_owned(), text));
}

#[tokio::test]
async fn what_queues_do_not_have_is_refused_in_aws_words() {
    let world = world().await;
    let mut slow = function("slow");
    slow["Timeout"] = json!(31);
    world.ok::<CreateFunction>(slow).await;
    let window = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10";
    let missing = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.";
    let unsupported =
        |name: &str| format!("Unsupported {name} parameter for given event source mapping type.");
    for (members, text) in [
        (
            json!({"StartingPosition": "LATEST"}),
            "StartingPosition is not valid for SQS event sources.".to_owned(),
        ),
        (json!({"BatchSize": 11}), window.to_owned()),
        (
            json!({"EventSourceArn": format!("{QUEUE}.fifo"), "BatchSize": 11}),
            window.to_owned(),
        ),
        (
            json!({"EventSourceArn": format!("{QUEUE}.fifo"), "MaximumBatchingWindowInSeconds": 1}),
            "Batching window is not supported for FIFO queues".to_owned(),
        ),
        (
            json!({"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:missing"}),
            missing.to_owned(),
        ),
        (
            json!({"EventSourceArn": "arn:aws:sqs:eu-west-1:000000000000:q"}),
            missing.to_owned(),
        ),
        (
            json!({"FunctionName": "slow"}),
            "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"
                .to_owned(),
        ),
        (
            json!({"FunctionName": "none"}),
            "Function does not exist".to_owned(),
        ),
        (
            json!({"BisectBatchOnFunctionError": true}),
            unsupported("BisectBatchOnFunctionError"),
        ),
        (
            json!({"ParallelizationFactor": 1}),
            unsupported("ParallelizationFactor"),
        ),
        (
            json!({"MaximumRetryAttempts": 1}),
            unsupported("MaximumRetryAttempts"),
        ),
        (
            json!({"MaximumRecordAgeInSeconds": 60}),
            unsupported("MaximumRecordAgeInSeconds"),
        ),
        (
            json!({"TumblingWindowInSeconds": 1}),
            unsupported("TumblingWindowInSeconds"),
        ),
        (
            json!({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}),
            unsupported("DestinationConfig"),
        ),
        (
            json!({"FilterCriteria": {"Filters": [{"Pattern": "{\"a\": 1}"}]}}),
            "Invalid filter pattern definition.".to_owned(),
        ),
    ] {
        let refused = world
            .refused::<CreateEventSourceMapping>(of_queue(members.clone()))
            .await;
        let expected = ("InvalidParameterValueException".to_owned(), text);
        assert_eq!(refused, expected, "{members}");
    }
}

#[tokio::test]
async fn a_source_has_one_mapping_to_a_function() {
    let world = world().await;
    let made = world.ok::<CreateEventSourceMapping>(mapping()).await;
    let id = made["UUID"].as_str().unwrap();
    let text = format!(
        "The event source arn (\" {STREAM} \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID {id}"
    );
    let expected = ("ResourceConflictException".to_owned(), text);
    assert_eq!(refusal(&world, json!({})).await, expected);
    world
        .ok::<CreateEventSourceMapping>(with(json!({"FunctionName": "f:$LATEST"})))
        .await;
}

#[tokio::test]
async fn mappings_are_listed_by_source_and_function_in_pages() {
    let world = world().await;
    world.stream.put(0, "a", headwater_types::Millis(1));
    for (source, name) in [("s", "f"), ("t", "f"), ("t", "g")] {
        let source = format!("arn:aws:kinesis:us-east-1:000000000000:stream/{source}");
        let input = with(json!({"EventSourceArn": source, "FunctionName": name}));
        world.ok::<CreateEventSourceMapping>(input).await;
    }
    let count = async |input: Value| {
        let listed = world.ok::<ListEventSourceMappings>(input).await;
        listed["EventSourceMappings"].as_array().unwrap().len()
    };
    assert_eq!(count(json!({})).await, 3);
    assert_eq!(count(json!({"FunctionName": "f"})).await, 2);
    assert_eq!(count(json!({"EventSourceArn": STREAM})).await, 1);
    assert_eq!(
        count(json!({"EventSourceArn": STREAM, "FunctionName": "g"})).await,
        0
    );
    let first = world
        .ok::<ListEventSourceMappings>(json!({"MaxItems": 2}))
        .await;
    assert_eq!(first["EventSourceMappings"].as_array().unwrap().len(), 2);
    assert_eq!(count(json!({"Marker": first["NextMarker"]})).await, 1);
}

#[tokio::test]
async fn mappings_have_tags() {
    let world = world().await;
    let made = world
        .ok::<CreateEventSourceMapping>(with(json!({"Tags": {"a": "1"}})))
        .await;
    let arn = &made["EventSourceMappingArn"];
    world
        .ok::<TagResource>(json!({"Resource": arn, "Tags": {"b": "2"}}))
        .await;
    world
        .ok::<UntagResource>(json!({"Resource": arn, "TagKeys": ["a"], "tagKeys": ["a"]}))
        .await;
    let tags = world.ok::<ListTags>(json!({"Resource": arn})).await;
    assert_eq!(tags, json!({"Tags": {"b": "2"}}));
}
