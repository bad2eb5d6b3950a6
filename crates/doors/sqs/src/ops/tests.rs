//! The operations in AWS's words, as LocalStack recorded them.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_sqs::ops::*;
use serde_json::{Value, json};

use crate::testing::{World, url};

fn invalid(text: &str) -> (String, String) {
    ("InvalidParameterValueException".into(), text.into())
}

#[tokio::test]
async fn a_queue_shows_what_was_set() {
    let world = World::with("q", json!({"VisibilityTimeout": "20", "DelaySeconds": ""})).await;
    let all = json!({"QueueUrl": url("q"), "AttributeNames": ["All"]});
    let shown = world.ok::<GetQueueAttributes>(all.clone()).await;
    let expected = json!({
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": "1700000000",
        "DelaySeconds": "0",
        "LastModifiedTimestamp": "1700000000",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": "arn:aws:sqs:us-east-1:000000000000:q",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "20",
    });
    assert_eq!(shown, json!({ "Attributes": expected }));
    world.pass(5);
    let set = json!({"QueueUrl": url("q"), "Attributes": {"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "6000"}});
    world.ok::<SetQueueAttributes>(set).await;
    let shown = world.ok::<GetQueueAttributes>(all.clone()).await;
    let shown = &shown["Attributes"];
    assert_eq!(shown["SqsManagedSseEnabled"], "false");
    assert_eq!(shown["KmsDataKeyReusePeriodSeconds"], "6000");
    assert_eq!(shown["LastModifiedTimestamp"], "1700000005");
    let both = json!({"QueueUrl": url("q"), "Attributes": {"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"}});
    assert_eq!(
        world.refused::<SetQueueAttributes>(both).await.0,
        "InvalidAttributeName"
    );
    let none = json!({"QueueUrl": url("q"), "Attributes": {"KmsMasterKeyId": ""}});
    world.ok::<SetQueueAttributes>(none).await;
    let shown = world.ok::<GetQueueAttributes>(all).await;
    assert_eq!(shown["Attributes"]["SqsManagedSseEnabled"], "false");
    assert!(shown["Attributes"]["KmsMasterKeyId"].is_null());
    let unknown = json!({"QueueUrl": url("q"), "AttributeNames": ["Name"]});
    let refused = world.refused::<GetQueueAttributes>(unknown).await;
    assert_eq!(
        refused,
        (
            "InvalidAttributeName".into(),
            "Unknown Attribute Name.".into()
        )
    );
}

#[tokio::test]
async fn a_queue_is_made_once_and_only_with_what_it_can_have() {
    let world = World::with("q", json!({"DelaySeconds": "1"})).await;
    let create =
        |name: &str, attributes: Value| json!({"QueueName": name, "Attributes": attributes});
    let again = world
        .ok::<CreateQueue>(create("q", json!({"DelaySeconds": "1"})))
        .await;
    assert_eq!(again["QueueUrl"], url("q"));
    world.ok::<CreateQueue>(create("q", json!({}))).await;
    let text = "A queue already exists with the same name and a different value for attribute DelaySeconds";
    let refused = world
        .refused::<CreateQueue>(create("q", json!({"DelaySeconds": "2"})))
        .await;
    assert_eq!(refused, ("QueueNameExists".into(), text.into()));
    for (attribute, text) in [
        ("FifoQueue", "Unknown Attribute FifoQueue."),
        (
            "ContentBasedDeduplication",
            "Unknown Attribute ContentBasedDeduplication.",
        ),
        (
            "DeduplicationScope",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            "FifoThroughputLimit",
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
        ("Color", "Unknown Attribute Color."),
        ("QueueArn", "Unknown Attribute QueueArn."),
    ] {
        let refused = world
            .refused::<CreateQueue>(create("r", json!({attribute: "false"})))
            .await;
        assert_eq!(refused, ("InvalidAttributeName".into(), text.into()));
    }
    for (name, value) in [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "x"),
        ("MaximumMessageSize", "1048577"),
        ("MaximumMessageSize", "1023"),
        ("MessageRetentionPeriod", "59"),
        ("DelaySeconds", "-1"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("Policy", "{"),
        (
            "Policy",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}"#,
        ),
    ] {
        let refused = world
            .refused::<CreateQueue>(create("r", json!({name: value})))
            .await;
        assert_eq!(refused.0, "InvalidAttributeValue", "{name}: {value}");
    }
    for (name, fifo) in [
        ("a b", false),
        ("q.fifo", false),
        ("q", true),
        ("", false),
        (".fifo", true),
    ] {
        let attributes = if fifo {
            json!({"FifoQueue": "True"})
        } else {
            json!({})
        };
        assert!(
            world
                .refused::<CreateQueue>(create(name, attributes))
                .await
                .0
                .starts_with(['I', 'M'])
        );
    }
    world
        .ok::<CreateQueue>(create("q.fifo", json!({"FifoQueue": "True"})))
        .await;
    let set = json!({"QueueUrl": url("q.fifo"), "Attributes": {"FifoQueue": "false"}});
    let refused = world.refused::<SetQueueAttributes>(set).await;
    let text =
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.";
    assert_eq!(refused, ("InvalidAttributeValue".into(), text.into()));
}

#[tokio::test]
async fn a_message_goes_through_with_its_digests() {
    let world = World::with("q", json!({})).await;
    let message = json!({
        "QueueUrl": url("q"),
        "MessageBody": "test",
        "MessageAttributes": {"Foo": {"DataType": "String", "StringValue": "Bar"}},
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
    });
    let sent = world.ok::<SendMessage>(message).await;
    assert_eq!(sent["MD5OfMessageBody"], "098f6bcd4621d373cade4e832627b4f6");
    assert_eq!(
        sent["MD5OfMessageAttributes"],
        "ae7155c6026991b6d54b11589678bf9c"
    );
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    let receive =
        json!({"QueueUrl": url("q"), "MessageAttributeNames": ["F.*"], "AttributeNames": ["All"]});
    let received = world.ok::<ReceiveMessage>(receive).await;
    let received = &received["Messages"][0];
    assert_eq!(
        received["MD5OfMessageAttributes"],
        "ae7155c6026991b6d54b11589678bf9c"
    );
    let system = json!({
        "ApproximateFirstReceiveTimestamp": "1700000000000",
        "ApproximateReceiveCount": "1",
        "AWSTraceHeader": "Root=1",
        "SenderId": "000000000000",
        "SentTimestamp": "1700000000000",
    });
    assert_eq!(received["Attributes"], system);
    let handle = &received["ReceiptHandle"];
    world
        .ok::<DeleteMessage>(json!({"QueueUrl": url("q"), "ReceiptHandle": handle}))
        .await;
    let gone = json!({"QueueUrl": url("q"), "ReceiptHandle": handle, "VisibilityTimeout": 1});
    let refused = world.refused::<ChangeMessageVisibility>(gone).await;
    assert!(
        refused
            .1
            .ends_with("Message does not exist or is not available for visibility timeout change.")
    );
    let wrong = json!({"QueueUrl": url("q"), "ReceiptHandle": "x"});
    assert_eq!(
        world.refused::<DeleteMessage>(wrong).await.0,
        "ReceiptHandleIsInvalid"
    );
}

#[tokio::test]
async fn what_cannot_be_sent_or_received_is_refused_in_aws_words() {
    let world = World::with("q", json!({"MaximumMessageSize": "1024"})).await;
    world.create("q.fifo", json!({"FifoQueue": "true"})).await;
    let send = |body: &str| json!({"QueueUrl": url("q"), "MessageBody": body});
    let refused = world.refused::<SendMessage>(send(&"x".repeat(1025))).await;
    assert_eq!(
        refused,
        invalid(
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
        )
    );
    let refused = world.refused::<SendMessage>(send("")).await;
    let text = "The request must contain the parameter MessageBody.";
    assert_eq!(
        refused,
        ("MissingRequiredParameterException".into(), text.into())
    );
    assert_eq!(
        world.refused::<SendMessage>(send("\u{1}")).await.0,
        "InvalidMessageContents"
    );
    let fifo = |group: Option<&str>, dedup: Option<&str>| json!({"QueueUrl": url("q.fifo"), "MessageBody": "b", "MessageGroupId": group, "MessageDeduplicationId": dedup});
    let text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
    assert_eq!(
        world.refused::<SendMessage>(fifo(Some("g"), None)).await,
        invalid(text)
    );
    let refused = world.refused::<SendMessage>(fifo(None, Some("d"))).await;
    assert_eq!(
        refused.1,
        "The request must contain the parameter MessageGroupId."
    );
    let text = "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
    assert_eq!(
        world
            .refused::<SendMessage>(fifo(Some("a b"), Some("d")))
            .await,
        invalid(text)
    );
    let mut delayed = fifo(Some("g"), Some("d"));
    delayed["DelaySeconds"] = json!(2);
    let text = "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.";
    assert_eq!(world.refused::<SendMessage>(delayed).await, invalid(text));
    let receive = |name: &str, value: i32| json!({"QueueUrl": url("q"), name: value});
    let text = "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.";
    assert_eq!(
        world
            .refused::<ReceiveMessage>(receive("MaxNumberOfMessages", 11))
            .await,
        invalid(text)
    );
    let text = "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.";
    assert_eq!(
        world
            .refused::<ReceiveMessage>(receive("WaitTimeSeconds", 21))
            .await,
        invalid(text)
    );
    let none = json!({"QueueUrl": url("none")});
    let refused = world.refused::<ReceiveMessage>(none).await;
    assert_eq!(
        refused,
        (
            "QueueDoesNotExist".into(),
            "The specified queue does not exist.".into()
        )
    );
    assert_eq!(
        world
            .refused::<ReceiveMessage>(json!({"QueueUrl": "a/b/c"}))
            .await
            .0,
        "InvalidAddress"
    );
}

#[tokio::test]
async fn batches_are_checked_whole_and_their_entries_one_by_one() {
    let world = World::with("q", json!({"MaximumMessageSize": "1024"})).await;
    let batch = |entries: Vec<Value>| json!({"QueueUrl": url("q"), "Entries": entries});
    let entry = |id: &str, body: &str| json!({"Id": id, "MessageBody": body});
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (
            (0..11).map(|i| entry(&i.to_string(), "b")).collect(),
            "TooManyEntriesInBatchRequest",
        ),
        (
            vec![entry("a", "b"), entry("a", "b")],
            "BatchEntryIdsNotDistinct",
        ),
        (vec![entry("a:b", "b")], "InvalidBatchEntryId"),
        (vec![entry("", "b")], "InvalidBatchEntryId"),
        (
            vec![entry("a", &"x".repeat(1 << 20)), entry("b", "x")],
            "BatchRequestTooLong",
        ),
    ] {
        assert_eq!(
            world.refused::<SendMessageBatch>(batch(entries)).await.0,
            code
        );
    }
    let sent = world
        .ok::<SendMessageBatch>(batch(vec![entry("a", "b"), entry("c", &"x".repeat(1025))]))
        .await;
    assert_eq!(sent["Successful"].as_array().unwrap().len(), 1);
    let failed = json!([{
        "Id": "c",
        "SenderFault": true,
        "Code": "InvalidParameterValue",
        "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.",
    }]);
    assert_eq!(sent["Failed"], failed);
    let received = world
        .ok::<ReceiveMessage>(json!({"QueueUrl": url("q")}))
        .await;
    let handle = &received["Messages"][0]["ReceiptHandle"];
    let later = json!({"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 5});
    let changed = world
        .ok::<ChangeMessageVisibilityBatch>(batch(vec![later]))
        .await;
    assert_eq!(changed["Successful"], json!([{"Id": "1"}]));
    let entries = vec![
        json!({"Id": "1", "ReceiptHandle": handle}),
        json!({"Id": "2", "ReceiptHandle": "x"}),
    ];
    let deleted = world.ok::<DeleteMessageBatch>(batch(entries)).await;
    assert_eq!(deleted["Successful"], json!([{"Id": "1"}]));
    assert_eq!(deleted["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn a_redrive_policy_names_a_queue_of_the_kind_and_stays_when_that_is_gone() {
    let world = World::with("q", json!({})).await;
    world.create("dead", json!({})).await;
    world
        .create("dead.fifo", json!({"FifoQueue": "true"}))
        .await;
    let set = |policy: &str| json!({"QueueUrl": url("q"), "Attributes": {"RedrivePolicy": policy}});
    let policy = |name: &str, count: Value| {
        json!({"deadLetterTargetArn": format!("arn:aws:sqs:us-east-1:000000000000:{name}"), "maxReceiveCount": count}).to_string()
    };
    for wrong in [
        "x".to_owned(),
        "{}".to_owned(),
        policy("none", json!(1)),
        policy("dead.fifo", json!(1)),
        policy("dead", json!(0)),
        policy("dead", json!(1001)),
        policy("dead", json!("x")),
    ] {
        let refused = world.refused::<SetQueueAttributes>(set(&wrong)).await;
        assert_eq!(refused.0, "InvalidParameterValueException", "{wrong}");
    }
    world
        .ok::<SetQueueAttributes>(set(&policy("dead", json!("3"))))
        .await;
    let sources = world
        .ok::<ListDeadLetterSourceQueues>(json!({"QueueUrl": url("dead")}))
        .await;
    assert_eq!(sources["queueUrls"], json!([url("q")]));
    world
        .ok::<DeleteQueue>(json!({"QueueUrl": url("dead")}))
        .await;
    let other = json!({"QueueUrl": url("q"), "Attributes": {"DelaySeconds": "1"}});
    world.ok::<SetQueueAttributes>(other).await;
    let shown = world
        .ok::<GetQueueAttributes>(
            json!({"QueueUrl": url("q"), "AttributeNames": ["RedrivePolicy"]}),
        )
        .await;
    assert_eq!(
        shown["Attributes"]["RedrivePolicy"],
        policy("dead", json!(3))
    );
    world
        .create(
            "dead",
            json!({"RedriveAllowPolicy": r#"{"redrivePermission": "denyAll"}"#}),
        )
        .await;
    let refused = world
        .refused::<SetQueueAttributes>(set(&policy("dead", json!(1))))
        .await;
    assert_eq!(refused.0, "InvalidParameterValueException");
    let only = json!({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:000000000000:q"]});
    let allow =
        json!({"QueueUrl": url("dead"), "Attributes": {"RedriveAllowPolicy": only.to_string()}});
    world.ok::<SetQueueAttributes>(allow).await;
    world
        .ok::<SetQueueAttributes>(set(&policy("dead", json!(1))))
        .await;
    world.ok::<SetQueueAttributes>(set("")).await;
}

#[tokio::test]
async fn permissions_are_added_and_removed_by_their_labels() {
    let world = World::with("q", json!({})).await;
    let arn = "arn:aws:sqs:us-east-1:000000000000:q";
    let add = |label: &str, accounts: Value, actions: Value| json!({"QueueUrl": url("q"), "Label": label, "AWSAccountIds": accounts, "Actions": actions});
    let shown = async || {
        let shown = world
            .ok::<GetQueueAttributes>(json!({"QueueUrl": url("q"), "AttributeNames": ["Policy"]}))
            .await;
        let text = shown["Attributes"]["Policy"].as_str().map(str::to_owned);
        text.map(|text| serde_json::from_str::<Value>(&text).unwrap())
    };
    world
        .ok::<AddPermission>(add(
            "l",
            json!(["111111111111", "222222222222"]),
            json!(["ReceiveMessage"]),
        ))
        .await;
    let expected = json!({
        "Version": "2008-10-17",
        "Id": format!("{arn}/SQSDefaultPolicy"),
        "Statement": [{
            "Sid": "l",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]},
            "Action": "SQS:ReceiveMessage",
            "Resource": arn,
        }],
    });
    assert_eq!(shown().await, Some(expected));
    let again = world
        .refused::<AddPermission>(add("l", json!(["111111111111"]), json!(["*"])))
        .await;
    assert_eq!(
        again,
        invalid("Value l for parameter Label is invalid. Reason: Already exists.")
    );
    for (accounts, actions) in [
        (json!(["x"]), json!(["SendMessage"])),
        (json!(["111111111111"]), json!(["CreateQueue"])),
    ] {
        let refused = world
            .refused::<AddPermission>(add("m", accounts, actions))
            .await;
        assert_eq!(refused.0, "InvalidParameterValueException");
    }
    let receive = json!({"QueueUrl": url("q")});
    assert!(
        world
            .call_as::<ReceiveMessage>("111111111111", receive.clone())
            .await
            .is_ok()
    );
    let send = json!({"QueueUrl": url("q"), "MessageBody": "b"});
    let denied = world
        .call_as::<SendMessage>("111111111111", send)
        .await
        .unwrap_err();
    assert_eq!(denied.0, "AccessDeniedException");
    let remove = json!({"QueueUrl": url("q"), "Label": "l"});
    world.ok::<RemovePermission>(remove.clone()).await;
    assert_eq!(shown().await, None);
    let gone = world.refused::<RemovePermission>(remove).await;
    assert_eq!(
        gone,
        invalid("Value l for parameter Label is invalid. Reason: can't find label.")
    );
    assert!(
        world
            .call_as::<ReceiveMessage>("111111111111", receive)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn permissions_that_are_added_at_once_are_all_kept() {
    let world = World::with("q", json!({})).await;
    let add = |label: String| json!({"QueueUrl": url("q"), "Label": label, "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]});
    tokio::join!(
        world.ok::<AddPermission>(add("a".into())),
        world.ok::<AddPermission>(add("b".into())),
        world.ok::<AddPermission>(add("c".into())),
    );
    for label in ["a", "b", "c"] {
        world
            .ok::<RemovePermission>(json!({"QueueUrl": url("q"), "Label": label}))
            .await;
    }
}

#[tokio::test]
async fn a_policy_with_a_resource_that_is_no_arn_is_kept_and_allows_nothing() {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "q"},
    });
    let world = World::with("q", json!({"Policy": policy.to_string()})).await;
    let receive = json!({"QueueUrl": url("q")});
    assert!(
        world
            .call_as::<ReceiveMessage>("111111111111", receive.clone())
            .await
            .is_err()
    );
    world.ok::<ReceiveMessage>(receive).await;
}

#[tokio::test]
async fn lists_come_in_pages_and_tags_are_kept() {
    let world = World::with("a-1", json!({})).await;
    world.create("a-2", json!({})).await;
    world.create("b", json!({})).await;
    let page = world
        .ok::<ListQueues>(json!({"QueueNamePrefix": "a", "MaxResults": 1}))
        .await;
    assert_eq!(page["QueueUrls"], json!([url("a-1")]));
    let next = json!({"QueueNamePrefix": "a", "MaxResults": 1, "NextToken": page["NextToken"]});
    assert_eq!(
        world.ok::<ListQueues>(next).await,
        json!({"QueueUrls": [url("a-2")]})
    );
    assert_eq!(
        world
            .ok::<ListQueues>(json!({"QueueNamePrefix": "c"}))
            .await,
        json!({})
    );
    assert_eq!(
        world
            .refused::<ListQueues>(json!({"MaxResults": 0}))
            .await
            .0,
        "InvalidParameterValueException"
    );
    let tags = json!({"QueueUrl": url("b"), "Tags": {"k": "v", "e": ""}});
    world.ok::<TagQueue>(tags).await;
    world
        .ok::<UntagQueue>(json!({"QueueUrl": url("b"), "TagKeys": ["k"]}))
        .await;
    let listed = json!({"QueueUrl": url("b")});
    assert_eq!(
        world.ok::<ListQueueTags>(listed.clone()).await,
        json!({"Tags": {"e": ""}})
    );
    let found = world.ok::<GetQueueUrl>(json!({"QueueName": "b"})).await;
    assert_eq!(found["QueueUrl"], url("b"));
    world.ok::<PurgeQueue>(listed.clone()).await;
    let text = "Only one PurgeQueue operation on b is allowed every 60 seconds.";
    assert_eq!(
        world.refused::<PurgeQueue>(listed).await,
        ("PurgeQueueInProgress".into(), text.into())
    );
}

#[tokio::test]
async fn what_has_no_size_on_aws_has_a_bound_here() {
    let world = World::with("q", json!({})).await;
    let trace = |value: &str| json!({"QueueUrl": url("q"), "MessageBody": "b", "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": value}}});
    let text = "Message (system) attribute 'AWSTraceHeader' has an invalid value.";
    let long = "x".repeat(1025);
    for value in [&*long, "a\u{1}"] {
        let refused = world.refused::<SendMessage>(trace(value)).await;
        assert_eq!(refused, invalid(text));
    }
    world.ok::<SendMessage>(trace(&"x".repeat(1024))).await;
    let receive =
        |names: Vec<String>| json!({"QueueUrl": url("q"), "MessageAttributeNames": names});
    for names in [
        vec!["a".into(); 1001],
        vec!["x".repeat(16 << 10), "y".into()],
    ] {
        let refused = world.refused::<ReceiveMessage>(receive(names)).await;
        assert_eq!(refused.0, "InvalidParameterValueException");
    }
    world
        .ok::<ReceiveMessage>(receive(vec!["a".into(); 1000]))
        .await;
    let attempt = "x".repeat(129);
    let again = json!({"QueueUrl": url("q"), "ReceiveRequestAttemptId": attempt});
    let text = format!(
        "Value {attempt} for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
    );
    assert_eq!(world.refused::<ReceiveMessage>(again).await, invalid(&text));
}
