//! Mappings of a table's stream, whose records are JSON as it stands in events.

use super::*;

const STREAM: &str = "table/t/stream/2023-11-14T22:13:20.007";

fn of_changes(settings: Settings) -> NewMapping {
    NewMapping {
        source: arn("dynamodb", STREAM),
        stream: arn("dynamodb", STREAM),
        ..new(settings)
    }
}

/// A change as its source gives it, with a number that floating point cannot hold.
fn change(name: &str, key: &str) -> String {
    format!(
        r#"{{"eventName":"{name}","dynamodb":{{"Keys":{{"p":{{"S":"{key}"}}}},"n":1.0,"SizeBytes":123456789012345678}}}}"#
    )
}

/// The keys of the records that calls were made with.
fn called_with(world: &World) -> Vec<Vec<String>> {
    let key = |record: &Value| {
        record["dynamodb"]["Keys"]["p"]["S"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let keys = |event: &Value| {
        event["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(key)
            .collect()
    };
    world.function.events.lock().iter().map(keys).collect()
}

#[tokio::test]
async fn an_event_has_the_changes_as_they_are() {
    let world = World::new(1, |_| Ok(Value::Null));
    for key in ["a", "b \u{1f30a}"] {
        world.put(0, &change("INSERT", key));
    }
    let mappings = world.open().await;
    mappings.create(of_changes(batches_of(10))).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 2).await;
    let changes = ["a", "b \u{1f30a}"].map(|key| change("INSERT", key));
    let changes = changes.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    assert_eq!(world.function.events.lock()[0], json!({"Records": changes}));
}

#[tokio::test]
async fn what_is_given_up_is_told_of_as_changes() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, &change("INSERT", "a"));
    world.put(0, &change("REMOVE", "a"));
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(0),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(10)
    };
    mappings.create(of_changes(settings)).await.unwrap();
    world.until(|| !world.stored.0.lock().is_empty()).await;
    let (_, told) = world.stored.0.lock()[0].clone();
    let number = |offset| headwater_reading::testing::number(0, offset).to_string();
    assert_eq!(
        told["DDBStreamBatchInfo"],
        json!({
            "shardId": "0",
            "startSequenceNumber": number(0),
            "endSequenceNumber": number(1),
            "approximateArrivalOfFirstRecord": "2020-09-13T12:26:40Z",
            "approximateArrivalOfLastRecord": "2020-09-13T12:26:40Z",
            "batchSize": 2,
            "streamArn": format!("arn:aws:dynamodb:us-east-1:000000000000:{STREAM}"),
        })
    );
    assert!(told.get("KinesisBatchInfo").is_none());
    assert_eq!(told["payload"]["Records"][1]["eventName"], "REMOVE");
}

#[tokio::test]
async fn patterns_see_the_change_itself() {
    let world = World::new(1, |_| Ok(Value::Null));
    for (name, key) in [("INSERT", "a"), ("MODIFY", "a"), ("INSERT", "b")] {
        world.put(0, &change(name, key));
    }
    // A record that is no change matches nothing.
    world.put(0, "INSERT");
    let mappings = world.open().await;
    let settings = Settings {
        filters: vec![
            r#"{"eventName": ["INSERT"], "dynamodb": {"Keys": {"p": {"S": ["b"]}}}}"#.into(),
            r#"{"eventName": [{"prefix": "MOD"}]}"#.into(),
        ],
        ..batches_of(10)
    };
    mappings.create(of_changes(settings)).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 2).await;
    assert_eq!(called_with(&world), [["a", "b"]]);
}

#[tokio::test]
async fn an_event_of_changes_is_as_large_as_functions_take() {
    let world = World::new(1, |_| Ok(Value::Null));
    // As data of a stream, which is a third longer in an event, the second would be too large for any function.
    for key in ["a".to_owned(), "b".repeat(5 * 1024 * 1024), "c".to_owned()] {
        world.put(0, &change("INSERT", &key));
    }
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(0),
        ..batches_of(10)
    };
    mappings.create(of_changes(settings)).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 3).await;
    assert_eq!(mappings.metrics()[0].1.given_up, 0);
    assert_eq!(called_with(&world).concat().len(), 3);
}

#[tokio::test]
async fn what_is_known_of_shards_that_are_gone_is_forgotten_while_others_are_read() {
    let world = World::new(1, |_| Ok(Value::Null));
    world.put(0, &change("INSERT", "a"));
    let mappings = world.open().await;
    let mapping = mappings.create(of_changes(batches_of(1))).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    world.source.add_shard(&["0"]);
    world.put(1, &change("INSERT", "b"));
    world.until(|| mappings.metrics()[0].1.records == 2).await;
    world.source.drop_shard(0);
    world.source.add_shard(&["1"]);
    world.put(2, &change("INSERT", "c"));
    world.until(|| mappings.metrics()[0].1.records == 3).await;
    let prefix = format!("mappings/progress/{}/", mapping.id);
    let rows = world.catalog.scan(&prefix, None, 10).await.unwrap();
    let names: Vec<_> = rows.iter().map(|(key, _)| &key[prefix.len()..]).collect();
    assert_eq!(names, ["1", "2"]);
}
