//! Deliveries from source to bucket, as an operator would see them.

use std::{io::Write, time::Duration};

use headwater_env::Clock;
use headwater_log::{ReadLimit, ShardLog, ShardNumber};
use headwater_types::Millis;
use serde_json::json;

use super::{PutFault, World, destination, function, new_stream, number};
use crate::{
    Buffering, Compression, Conversion, DeliveryError, Destination, Encryption, Format, Function,
    Logging, NewOrigin, NewStream, Options, PrefixError, Quotas, Status, Step,
    limits::{DECOMPRESSED_BYTES_MAX, DEFLATE_FACTOR_MAX, FILES_KIB_MAX},
    ports::{InvokeError, SourceError},
};

fn with_function(batch_bytes: usize, retries: u32) -> Destination {
    Destination {
        steps: function(batch_bytes, retries),
        ..destination()
    }
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn records_after_creation_arrive_once_and_those_before_do_not() {
    let world = World::new(2);
    world.put(0, "before\n");
    let deliveries = world.open().await;
    let gzip = Destination {
        compression: Compression::Gzip,
        ..destination()
    };
    deliveries.create(new_stream("d", gzip)).await.unwrap();
    world.put(0, "a\n");
    world.put(1, "b\n");
    world.until_delivered().await;
    world.put(1, "c\n");
    world.until_delivered().await;
    assert_eq!(
        lines(&world.objects.text("data/2018/08/27/10/d-1-2018-08-27-10-1")),
        ["a", "b", "c"]
    );
    let keys = world.objects.keys("");
    assert!(
        keys.len() == 2 && keys.iter().all(|key| key.ends_with(".gz")),
        "{keys:?}"
    );
    let status = deliveries.status("d").await.unwrap();
    assert_eq!(
        (status.behind, status.totals.records, status.totals.batches),
        (Some(0), 3, 2)
    );
    world
        .until(async || deliveries.status("d").await.unwrap().lag == Some(Duration::ZERO))
        .await;
    let all = Status {
        name: "d".into(),
        totals: status.totals,
        delivering: false,
        behind: Some(0),
        lag: Some(Duration::ZERO),
        incident: None,
        failures: 0,
        taken: None,
    };
    assert_eq!(deliveries.statuses().await, [all]);
    assert_eq!(deliveries.streams()[0].name, "d");
}

#[tokio::test]
async fn a_batch_is_closed_at_its_size_before_its_time() {
    let world = World::new(1);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    for _ in 0..5 {
        world.put(0, vec![b'x'; 400_000]);
    }
    // The time that passes is far below the interval, so only the size can close batches: it is what a reader waits for
    // more records, over and over, while threads that compress have to wait for a processor.
    for turn in 0..1_000_000 {
        if world.objects.keys("data/").len() == 1 {
            break;
        }
        if turn % 1000 == 0 {
            world.clock.advance(Duration::from_millis(10));
        }
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
    // The hint is 1 MiB: the third record fills the batch, and the other two wait.
    assert_eq!(world.objects.text("data/").len(), 3 * 400_000);
    world.until_delivered().await;
    assert_eq!(world.objects.text("data/").len(), 5 * 400_000);
}

#[tokio::test]
async fn the_function_sees_records_in_the_form_of_aws() {
    let world = World::new(1);
    let (tell, mut told) = tokio::sync::mpsc::channel(10);
    world.behave(move |call| {
        tell.try_send(call.request.clone()).unwrap();
        Ok(call.ok())
    });
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1024, 3)))
        .await
        .unwrap();
    let mut aggregator = headwater_aggregation::Aggregator::new(1000);
    assert!(aggregator.add("k1", None, b"one") && aggregator.add("k2", None, b"two"));
    world.put(0, aggregator.finish().unwrap().data);
    world.put(0, "three");
    world.until_delivered().await;
    let request = told.recv().await.unwrap();
    assert_eq!(
        request["sourceKinesisStreamArn"],
        "arn:aws:kinesis:us-east-1:000000000000:stream/source"
    );
    assert_eq!(
        request["deliveryStreamArn"],
        "arn:aws:firehose:us-east-1:000000000000:deliverystream/d"
    );
    assert_eq!(
        (
            &request["region"],
            request["invocationId"].as_str().unwrap().len()
        ),
        (&json!("us-east-1"), 36)
    );
    let arrival = request["records"][1]["approximateArrivalTimestamp"].clone();
    assert!(arrival.as_u64().unwrap() >= 1_535_364_672_000);
    assert_eq!(
        request["records"][1],
        json!({
            "recordId": format!("{}000001", number(0, 0)),
            "approximateArrivalTimestamp": arrival,
            "data": "dHdv",
            "kinesisRecordMetadata": {
                "sequenceNumber": number(0, 0).to_string(), "subsequenceNumber": 1, "partitionKey": "k2", "shardId": "0",
                "approximateArrivalTimestamp": arrival,
            },
        })
    );
    assert_eq!(
        request["records"][2]["recordId"],
        format!("{}000000", number(0, 1))
    );
    assert_eq!(
        request["records"][2]["kinesisRecordMetadata"]["partitionKey"],
        "key-1"
    );
    assert_eq!(world.objects.text("data/"), "ONETWOTHREE");
}

#[tokio::test]
async fn a_poisonous_record_takes_only_its_group_along() {
    let world = World::new(1);
    world.behave(
        |call| match call.records.iter().any(|(_, data)| data == "bad\n") {
            true => Err(InvokeError::Function("Unhandled".into())),
            false => Ok(call.ok()),
        },
    );
    let logging = Some(Logging {
        group: "g".into(),
        stream: "s".into(),
    });
    let deliveries = world.open().await;
    let destination = Destination {
        logging,
        ..with_function(8, 2)
    };
    deliveries
        .create(new_stream("d", destination))
        .await
        .unwrap();
    for data in ["a1\n", "a2\n", "bad\n", "b1\n", "c1\n", "c2\n"] {
        world.put(0, data);
    }
    world.until_delivered().await;
    // Groups of at most 8 bytes: a1 a2, bad b1, c1 c2.
    assert_eq!(world.objects.text("data/"), "A1\nA2\nC1\nC2\n");
    assert_eq!(world.failed(), ["bad\n", "b1\n"]);
    assert_eq!(world.calls(), 1 + 3 + 1, "two retries");
    let line = world.objects.text("processing-failed/");
    let line: serde_json::Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["attemptsMade"], &line["errorCode"]),
        (&json!(3), &json!("Lambda.FunctionError"))
    );
    assert_eq!(
        line["lambdaARN"],
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    assert!(
        world.log_lines()[0].starts_with("g s {\"deliveryStreamARN\":"),
        "{:?}",
        world.log_lines()
    );
}

#[tokio::test]
async fn results_of_a_function_are_sorted_as_aws_does() {
    let world = World::new(1);
    world.behave(|call| {
        let mut answer = call.answer(|_, data| match data {
            "drop" => ("Dropped", String::new()),
            "fail" => ("ProcessingFailed", data.to_owned()),
            _ => ("Ok", data.to_owned()),
        });
        let records = answer["records"].as_array_mut().unwrap();
        let twice = records[3].clone();
        records.push(twice);
        records.remove(4);
        Ok(answer)
    });
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1024, 0)))
        .await
        .unwrap();
    for data in ["ok", "drop", "fail", "twice", "lost"] {
        world.put(0, data);
    }
    world.until_delivered().await;
    assert_eq!(world.objects.text("data/"), "ok");
    assert_eq!(world.failed(), ["fail", "twice", "lost"]);
    let text = world.objects.text("processing-failed/");
    for code in [
        "Lambda.ProcessingFailedStatus",
        "Lambda.DuplicatedRecordId",
        "Lambda.MissingRecordId",
    ] {
        assert!(text.contains(code), "{code}: {text}");
    }
}

#[tokio::test]
async fn answers_out_of_form_fail_their_records() {
    for (answer, code) in [
        (json!(7), "Lambda.JsonProcessingException"),
        (
            json!({"records": [{"result": "Fine", "data": ""}]}),
            "Lambda.FunctionError",
        ),
        (
            json!({"records": [{"result": "Ok", "data": "%"}]}),
            "Lambda.FunctionError",
        ),
        (json!({"other": 1}), "Lambda.MissingRecordId"),
    ] {
        let world = World::new(1);
        world.behave(move |call| {
            let mut answer = answer.clone();
            if let Some(record) = answer.pointer_mut("/records/0") {
                record["recordId"] = call.records[0].0.clone().into();
            }
            Ok(answer)
        });
        let deliveries = world.open().await;
        deliveries
            .create(new_stream("d", with_function(1024, 3)))
            .await
            .unwrap();
        world.put(0, "a");
        world.until_delivered().await;
        assert_eq!(
            (world.failed(), world.calls()),
            (vec!["a".to_owned()], 1),
            "no retry: it did answer"
        );
        assert!(
            world.objects.text("processing-failed/").contains(code),
            "{code}"
        );
        assert!(world.objects.keys("data/").is_empty());
    }
}

#[tokio::test]
async fn a_store_that_fails_is_tried_until_it_works() {
    let world = World::new(1);
    world
        .objects
        .faults
        .lock()
        .extend([PutFault::Refused, PutFault::Denied, PutFault::Refused]);
    *world.objects.bucket_gone.lock() = true;
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1024, 0)))
        .await
        .unwrap();
    world.put(0, "a");
    world
        .until(async || {
            deliveries
                .status("d")
                .await
                .unwrap()
                .incident
                .is_some_and(|t| t.times > 3)
        })
        .await;
    let status = deliveries.status("d").await.unwrap();
    let incident = status.incident.unwrap();
    assert!(incident.error.contains("the bucket bucket does not exist"));
    assert_eq!(incident.code, "S3.NoSuchBucket");
    assert!(
        incident.since < incident.at,
        "it began with the first error"
    );
    assert_eq!(
        (status.behind, status.delivering, world.calls()),
        (Some(1), true, 1)
    );
    assert!(status.failures > 3 && status.lag > Some(Duration::ZERO));
    *world.objects.bucket_gone.lock() = false;
    world.until_delivered().await;
    assert_eq!(world.objects.text(""), "A");
    assert_eq!(deliveries.status("d").await.unwrap().incident, None);
}

#[tokio::test]
async fn a_function_that_cannot_be_asked_holds_the_batch_back() {
    let world = World::new(1);
    world.behave(|call| match call.number {
        0..5 => Err(InvokeError::Failed("shutting down".into())),
        _ => Ok(call.ok()),
    });
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1024, 0)))
        .await
        .unwrap();
    world.put(0, "a");
    world.until_delivered().await;
    assert_eq!(
        (world.objects.text("data/"), world.failed()),
        ("A".to_owned(), vec![])
    );
}

#[tokio::test]
async fn a_stream_made_anew_is_not_taken_for_the_old_one() {
    let world = World::new(1);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    deliveries.close().await;
    world.source.become_another();
    world.put(0, "of the other");
    let deliveries = world.open().await;
    world
        .until(async || deliveries.status("d").await.unwrap().incident.is_some())
        .await;
    let status = deliveries.status("d").await.unwrap();
    assert!(status.incident.unwrap().error.contains("made anew"));
    assert!(world.objects.keys("").is_empty());
}

#[tokio::test]
async fn direct_puts_are_delivered_and_then_let_go() {
    let world = World::new(0);
    let deliveries = world.open().await;
    let new = NewStream {
        origin: NewOrigin::Direct,
        ..new_stream("d", with_function(1024, 0))
    };
    deliveries.create(new.clone()).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::channel(10);
    world.behave(move |call| {
        tell.try_send(call.request.clone()).unwrap();
        Ok(call.ok())
    });
    let ids = deliveries
        .put("d", vec!["a".into(), "".into(), "b".into()])
        .await
        .unwrap()
        .ids;
    assert!(ids.len() == 3 && ids[0] != ids[1]);
    assert_eq!(ids[0].as_ref().unwrap().len(), 224);
    world
        .until(async || deliveries.status("d").await.unwrap().totals.records == 3)
        .await;
    assert_eq!(world.objects.text("data/"), "AB");
    let request = told.recv().await.unwrap();
    assert!(request.get("sourceKinesisStreamArn").is_none());
    assert!(request["records"][0].get("kinesisRecordMetadata").is_none());
    let shard = ShardNumber(0x02 << 56 | 1);
    assert_eq!(
        world.log.retention(shard).unwrap().floor,
        Millis(1_500_000_000_000),
        "only what came before may go"
    );
    // A second process goes on, a stray shard is swept up, and deletion leaves nothing.
    deliveries.close().await;
    let stray = headwater_log::Retention {
        period: Duration::MAX,
        floor: Millis::ZERO,
    };
    let (stray_shard, other) = (ShardNumber(0x02 << 56 | 99), ShardNumber(0x01 << 56 | 99));
    let both = [stray_shard, other];
    let opened = headwater_log::ShardLog::open_shards(&*world.log, &both, stray).await;
    assert_eq!(opened, Ok(()));
    let deliveries = world.open().await;
    assert_eq!(
        (world.log.retention(stray_shard), world.log.retention(other)),
        (None, Some(stray))
    );
    deliveries.put("d", vec!["c".into()]).await.unwrap();
    world
        .until(async || deliveries.status("d").await.unwrap().totals.records == 4)
        .await;
    assert_eq!(
        lines(&world.objects.text("data/").replace("AB", "AB\n")),
        ["AB", "C"]
    );
    deliveries.delete("d").await.unwrap();
    assert_eq!(world.log.retention(shard), None);
    assert_eq!(
        deliveries.put("d", vec!["d".into()]).await,
        Err(DeliveryError::NotFound("d".into()))
    );
    deliveries.create(new).await.unwrap();
    assert_eq!(
        deliveries.status("d").await.unwrap().totals.records,
        0,
        "a new life"
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let world = World::new(1);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    let refused = async |new| deliveries.create(new).await.unwrap_err();
    assert_eq!(
        refused(new_stream("d", destination())).await,
        DeliveryError::Exists("d".into())
    );
    let prefix = Destination {
        prefix: Some("!{timestamp:yyyy}".into()),
        ..destination()
    };
    assert_eq!(
        refused(new_stream("e", prefix)).await,
        DeliveryError::Prefix(PrefixError::ErrorPrefixMissing)
    );
    let origin = NewOrigin::Stream {
        arn: super::arn("kinesis", "stream/missing"),
        role: String::new(),
    };
    let missing = NewStream {
        origin,
        ..new_stream("e", destination())
    };
    assert!(matches!(
        refused(missing).await,
        DeliveryError::Source(SourceError::NotFound(_))
    ));
    assert_eq!(
        deliveries.put("d", vec![]).await,
        Err(DeliveryError::NotDirect("d".into()))
    );
    assert_eq!(
        deliveries.delete("e").await,
        Err(DeliveryError::NotFound("e".into()))
    );
    deliveries
        .create(NewStream {
            origin: NewOrigin::Direct,
            ..new_stream("e", destination())
        })
        .await
        .unwrap();
    let big = vec![0u8; 1_024_001];
    assert_eq!(
        deliveries.put("e", vec![big.into()]).await,
        Err(DeliveryError::TooLarge)
    );
    assert_eq!(
        deliveries.put("e", vec!["".into(); 501]).await,
        Err(DeliveryError::TooLarge)
    );
    let names = async |after| {
        let (page, more) = deliveries.list(after, 1, |_| true).await.unwrap();
        (
            page.into_iter()
                .map(|stream| stream.name)
                .collect::<Vec<_>>(),
            more,
        )
    };
    assert_eq!(names(None).await, (vec!["d".to_owned()], true));
    assert_eq!(names(Some("d")).await, (vec!["e".to_owned()], false));
    deliveries
        .tag("d", |tags| drop(tags.insert("k".into(), "v".into())))
        .await
        .unwrap();
    assert_eq!(deliveries.describe("d").await.unwrap().tags["k"], "v");
    assert!(world.clock.now() > Millis::ZERO);
}

#[tokio::test]
async fn a_function_without_room_is_waited_for() {
    let world = World::new(1);
    world.behave(|call| {
        if call.number < 20 {
            Err(InvokeError::Throttled)
        } else {
            Ok(call.ok())
        }
    });
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1024, 0)))
        .await
        .unwrap();
    world.put(0, "a");
    world.until_delivered().await;
    assert_eq!(
        (world.objects.text("data/"), world.failed()),
        ("A".to_owned(), vec![])
    );
}

/// A put that was done and denied, and then the source drops the records: what is there stays.
#[tokio::test]
async fn what_was_delivered_before_the_source_dropped_it_is_not_removed() {
    let world = World::new(1);
    world.objects.faults.lock().extend([PutFault::Denied]);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    world.put(0, "a");
    world
        .until(async || !world.objects.keys("data/").is_empty())
        .await;
    world.source.trim(0, 1);
    world.until_delivered().await;
    assert_eq!(world.objects.text("data/"), "a");
}

/// The same where the shard itself goes, and another of the batch stays.
#[tokio::test]
async fn what_was_delivered_before_its_shard_went_is_not_removed() {
    let world = World::new(2);
    world.objects.faults.lock().extend([PutFault::Denied]);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    world.put(0, "a\n");
    world.put(1, "b\n");
    world
        .until(async || !world.objects.keys("data/").is_empty())
        .await;
    world.source.add_shard(&["0"]);
    world.source.drop_shard(0);
    world.until_delivered().await;
    let delivered = lines(&world.objects.text("data/"));
    // The records that are left are delivered beside it: rather twice than not at all.
    assert_eq!(delivered, ["a", "b", "b"]);
}

/// The same where only the front of the batch has expired.
#[tokio::test]
async fn what_was_delivered_before_the_front_expired_is_not_written_over() {
    let world = World::new(1);
    world.objects.faults.lock().extend([PutFault::Denied]);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    for record in ["a\n", "b\n", "c\n"] {
        world.put(0, record);
    }
    world
        .until(async || !world.objects.keys("data/").is_empty())
        .await;
    world.source.trim(0, 1);
    world.until_delivered().await;
    let delivered = lines(&world.objects.text("data/"));
    assert_eq!(delivered, ["a", "b", "b", "c", "c"]);
    let totals = deliveries.status("d").await.unwrap().totals;
    assert_eq!((totals.records, totals.batches), (2, 1));
}

#[tokio::test]
async fn a_record_that_is_too_large_for_a_function_fails_alone() {
    let world = World::new(1);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", with_function(1 << 20, 3)))
        .await
        .unwrap();
    world.put(0, "a\n");
    world.put(0, vec![b'x'; 5 << 20]);
    world.put(0, "b\n");
    world.until_delivered().await;
    assert_eq!(lines(&world.objects.text("data/")), ["A", "B"]);
    assert_eq!(
        world.failed().iter().map(String::len).collect::<Vec<_>>(),
        [5 << 20]
    );
    assert!(
        world
            .objects
            .text("processing-failed/")
            .contains("\"attemptsMade\":1")
    );
}

#[tokio::test]
async fn records_that_arrived_too_far_apart_do_not_share_a_call() {
    let world = World::new(1);
    let deliveries = world.open().await;
    let Some(Step::Function(function)) = function(1024, 3).pop() else {
        panic!("a function")
    };
    let steps = vec![Step::Function(Function {
        interval_s: 2,
        ..function
    })];
    deliveries
        .create(new_stream(
            "d",
            Destination {
                steps,
                ..destination()
            },
        ))
        .await
        .unwrap();
    for data in ["a", "b", "c", "d", "e"] {
        world.put(0, data);
        world.clock.advance(Duration::from_secs(1));
    }
    world.until_delivered().await;
    // "a" to "c" arrived within two seconds, and all five went into one object.
    assert_eq!((world.calls(), world.objects.keys("data/").len()), (2, 1));
    assert_eq!(world.objects.text("data/"), "ABCDE");
}

#[tokio::test]
async fn records_over_the_quota_are_refused_each_and_taken_later() {
    let quotas = Some(Quotas {
        requests: 10.0,
        records: 5.0,
        bytes: 1024.0,
    });
    let mut world = World::new(1);
    world.options = Options {
        quotas,
        ..Options::default()
    };
    let deliveries = world.open().await;
    deliveries
        .create(NewStream {
            origin: NewOrigin::Direct,
            ..new_stream("d", destination())
        })
        .await
        .unwrap();
    let put = async |count: usize| {
        deliveries
            .put("d", vec!["x".into(); count])
            .await
            .map(|accepted| accepted.ids.iter().flatten().count())
    };
    assert_eq!(put(4).await, Ok(4));
    assert_eq!(put(4).await, Ok(1));
    assert_eq!(put(4).await, Ok(0));
    let taken = deliveries.status("d").await.unwrap().taken.unwrap();
    assert_eq!((taken.records, taken.bytes, taken.throttled), (5, 5, 7));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(put(4).await, Ok(4));
    for _ in 0..9 {
        put(0).await.unwrap();
    }
    assert_eq!(put(1).await, Err(DeliveryError::Throttled("d".into())));
    world
        .until(async || world.objects.text("data/").len() == 9)
        .await;
}

#[tokio::test]
async fn a_batch_goes_where_it_was_to_go_when_it_was_closed() {
    let world = World::new(1);
    world.objects.faults.lock().extend([PutFault::Refused; 3]);
    let deliveries = world.open().await;
    deliveries
        .create(new_stream("d", destination()))
        .await
        .unwrap();
    world.put(0, "before");
    // Its intent is written, and its objects are refused.
    world
        .until(async || deliveries.status("d").await.unwrap().incident.is_some())
        .await;
    let changed = Destination {
        prefix: Some("changed/".into()),
        compression: Compression::Gzip,
        buffering: Buffering {
            size_mib: 1,
            interval_s: 1,
        },
        ..destination()
    };
    let stale = DeliveryError::OtherVersion {
        name: "d".into(),
        version: 1,
        expected: 7,
    };
    assert_eq!(
        deliveries.update("d", 7, changed.clone(), json!(7)).await,
        Err(stale)
    );
    assert_eq!(
        deliveries
            .update("d", 1, changed, json!(1))
            .await
            .unwrap()
            .version,
        2
    );
    world.put(0, "after");
    world.until_delivered().await;
    assert_eq!(
        (world.objects.text("data/"), world.objects.text("changed/")),
        ("before".into(), "after".into())
    );
    assert!(world.objects.keys("data/")[0].contains("/d-1-"));
    let key = world.objects.keys("changed/").remove(0);
    assert!(key.contains("/d-2-") && key.ends_with(".gz"), "{key}");
}

#[tokio::test]
async fn an_open_batch_is_made_anew_when_its_buffering_changes() {
    let world = World::new(1);
    let deliveries = world.open().await;
    let slow = Destination {
        buffering: Buffering {
            size_mib: 128,
            interval_s: 900,
        },
        ..destination()
    };
    deliveries.create(new_stream("d", slow)).await.unwrap();
    world.put(0, "a");
    // The shard is read to its end and has ended: the new batch has to read it again.
    world.source.add_shard(&["0"]);
    let start = world.clock.now();
    world
        .until(async || world.clock.now().since(start) > Duration::from_secs(30))
        .await;
    deliveries
        .update("d", 1, destination(), json!(1))
        .await
        .unwrap();
    world.until_delivered().await;
    assert_eq!(world.objects.text("data/"), "a");
    assert!(world.clock.now().since(start) < Duration::from_secs(100));
}

#[tokio::test]
async fn records_that_lack_the_format_are_set_aside_and_keys_follow_a_template() {
    let world = World::new(1);
    let deliveries = world.open().await;
    let destination = Destination {
        key_template: Some("out/!{channel-name}/!{yyyy}!{extension}".into()),
        error_prefix: Some("bad/".into()),
        compression: Compression::Zstd,
        steps: vec![Step::Check(Format::Json)],
        ..destination()
    };
    deliveries
        .create(new_stream("c", destination))
        .await
        .unwrap();
    for data in ["1", "{", "[2]"] {
        world.put(0, data);
    }
    world.until_delivered().await;
    assert_eq!(world.objects.text("out/c/2018-"), "1\n[2]\n");
    assert!(world.objects.keys("out/")[0].ends_with(".zst"));
    assert!(
        world
            .objects
            .text("bad/processing-failed/")
            .contains("\"rawData\":\"ew==\"")
    );
}

/// A function says another partition at each call, and executions fail after they have written, for what failed cannot
/// be told of.
#[tokio::test]
async fn partitions_of_an_execution_that_failed_are_gone() {
    let world = World::new(1);
    world
        .objects
        .stubborn
        .lock()
        .insert("metadata-extraction-failed/".into(), PutFault::Refused);
    world.behave(|call| {
        let mut answer = call.ok();
        let records = answer["records"].as_array_mut().unwrap();
        for record in records.iter_mut().take(3) {
            record["metadata"] =
                json!({"partitionKeys": {"k": format!("{}-{}", call.number, record["data"])}});
        }
        Ok(answer)
    });
    let deliveries = world.open().await;
    let partitioned = Destination {
        prefix: Some("data/k=!{partitionKeyFromLambda:k}/".into()),
        error_prefix: Some("!{firehose:error-output-type}/".into()),
        is_partitioned: true,
        ..with_function(1024, 0)
    };
    deliveries
        .create(new_stream("d", partitioned))
        .await
        .unwrap();
    for data in ["a", "b", "c", "none"] {
        world.put(0, data);
    }
    world
        .until(async || deliveries.status("d").await.unwrap().incident.is_some())
        .await;
    assert!(world.objects.keys("data/k=0-").len() == 3 && world.failed().is_empty());
    world.objects.stubborn.lock().clear();
    world.until_delivered().await;
    let keys = world
        .objects
        .keys(&format!("data/k={}-", world.calls() - 1));
    assert!(
        world.calls() > 1 && keys.len() == 3 && keys == world.objects.keys("data/"),
        "{keys:?}"
    );
    assert_eq!(
        (world.objects.text("data/").len(), world.failed()),
        (3, vec!["none".to_owned()])
    );
}

/// To Parquet, by the table of the test.
fn conversion() -> Conversion {
    Conversion {
        database: "db".into(),
        table: "t".into(),
        version: None,
        region: "us-east-1".into(),
        catalog: None,
        read: headwater_columnar::Deserializer::OpenX(Default::default()),
        write: headwater_columnar::Serializer::Parquet(Default::default()),
    }
}

/// Partitioned by the member `k` of each record.
fn by_key(retry_s: u32) -> Destination {
    Destination {
        steps: vec![Step::Query("{k: .k}".into()), Step::Append("\n".into())],
        prefix: Some("data/k=!{partitionKeyFromQuery:k}/".into()),
        error_prefix: Some("!{firehose:error-output-type}/".into()),
        is_partitioned: true,
        partition_retry_s: retry_s,
        ..destination()
    }
}

#[tokio::test]
async fn a_partition_that_the_store_does_not_take_counts_as_failed_after_its_retry_duration() {
    for fault in [PutFault::Refused, PutFault::Denied] {
        let world = World::new(1);
        world
            .objects
            .stubborn
            .lock()
            .insert("data/k=bad/".into(), fault);
        let deliveries = world.open().await;
        let logging = Some(Logging {
            group: "g".into(),
            stream: "s".into(),
        });
        deliveries
            .create(new_stream(
                "d",
                Destination {
                    logging,
                    ..by_key(100)
                },
            ))
            .await
            .unwrap();
        for n in 0..4 {
            world.put(
                0,
                format!(r#"{{"k": "{}", "n": {n}}}"#, ["good", "bad"][n % 2]),
            );
        }
        world
            .until(async || deliveries.status("d").await.unwrap().incident.is_some())
            .await;
        let refused_first = world.clock.now();
        assert!(
            world.objects.text("data/k=good/").lines().count() == 2 && world.failed().is_empty()
        );
        world.until_delivered().await;
        let took = world.clock.now().since(refused_first).as_secs();
        assert!((99..200).contains(&took), "{took} s");
        // The objects that were put and denied are there no more.
        assert_eq!(
            lines(&world.objects.text("data/")),
            [r#"{"k": "good", "n": 0}"#, r#"{"k": "good", "n": 2}"#]
        );
        assert_eq!(
            lines(&world.failed().concat()),
            [r#"{"k": "bad", "n": 1}"#, r#"{"k": "bad", "n": 3}"#]
        );
        let line = world.objects.text("processing-failed/");
        let line: serde_json::Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&line["errorCode"], &line["errorMessage"]),
            (
                &json!("S3.InternalServerError"),
                &json!("refused by the test")
            )
        );
        let attempts = line["attemptsMade"].as_u64().unwrap();
        assert!((6..10).contains(&attempts), "{attempts} attempts");
        assert_eq!(
            world.log_lines().len() as u64,
            attempts + 1,
            "one a failure, one for giving up"
        );
        assert_eq!(deliveries.status("d").await.unwrap().incident, None);
    }
}

#[tokio::test]
async fn a_retry_duration_of_zero_is_one_attempt_and_a_longer_one_may_succeed() {
    for (retry_s, delivered) in [(0, 0), (30, 1)] {
        let world = World::new(1);
        world.objects.faults.lock().push_back(PutFault::Refused);
        let deliveries = world.open().await;
        deliveries
            .create(new_stream("d", by_key(retry_s)))
            .await
            .unwrap();
        world.put(0, r#"{"k": 1}"#);
        world.until_delivered().await;
        assert_eq!(
            (world.objects.keys("data/").len(), world.failed().len()),
            (delivered, 1 - delivered)
        );
    }
}

#[tokio::test]
async fn nothing_counts_as_failed_that_cannot_be_told_of() {
    let world = World::new(1);
    *world.objects.bucket_gone.lock() = true;
    let deliveries = world.open().await;
    deliveries.create(new_stream("d", by_key(0))).await.unwrap();
    world.put(0, r#"{"k": 1}"#);
    world
        .until(async || {
            deliveries
                .status("d")
                .await
                .unwrap()
                .incident
                .is_some_and(|t| t.times > 5)
        })
        .await;
    assert_eq!(deliveries.status("d").await.unwrap().behind, Some(1));
    *world.objects.bucket_gone.lock() = false;
    world.until_delivered().await;
    assert_eq!(
        (world.objects.text("data/"), world.failed()),
        ("{\"k\": 1}\n".to_owned(), vec![])
    );
}

/// Records that do not fit a file are told of once, however often the file is tried and whether it is given up or not.
#[tokio::test]
async fn a_record_that_does_not_fit_is_told_of_once() {
    for is_given_up in [false, true] {
        let world = World::new(1);
        world
            .tables
            .0
            .store(1, std::sync::atomic::Ordering::Relaxed);
        world
            .objects
            .stubborn
            .lock()
            .insert("data/".into(), PutFault::Denied);
        let deliveries = world.open().await;
        let buffering = Buffering {
            size_mib: 64,
            interval_s: 1,
        };
        let converted = Destination {
            conversion: Some(conversion()),
            buffering,
            ..by_key(2000)
        };
        deliveries.create(new_stream("d", converted)).await.unwrap();
        // Several reads of the spool.
        for n in 0..12 {
            let c0 = if n % 4 == 1 { "\"none\"" } else { "1" };
            world.put(
                0,
                format!(
                    r#"{{"k": 1, "c0": {c0}, "pad": "{}"}}"#,
                    "x".repeat(300_000)
                ),
            );
        }
        world
            .until(async || deliveries.status("d").await.unwrap().incident.is_some())
            .await;
        if !is_given_up {
            world.objects.stubborn.lock().clear();
        }
        world.until_delivered().await;
        assert_eq!(
            world
                .objects
                .text("format-conversion-failed/")
                .lines()
                .count(),
            3
        );
        let given_up = world.objects.text("processing-failed/").lines().count();
        assert_eq!(
            (given_up, world.objects.keys("data/").len()),
            if is_given_up { (9, 0) } else { (0, 1) }
        );
    }
}

#[tokio::test]
async fn each_partition_has_a_buffer_of_its_own() {
    let world = World::new(1);
    let deliveries = world.open().await;
    deliveries.create(new_stream("d", by_key(0))).await.unwrap();
    for n in 0..9 {
        let key = ["large", "large", "small"][n % 3];
        world.put(
            0,
            format!(r#"{{"k": "{key}", "x": "{}"}}"#, "x".repeat(400_000)),
        );
    }
    world.until_delivered().await;
    let count = |key: &str| world.objects.keys(&format!("data/k={key}/")).len();
    // The hint is 1 MiB, which cuts what is in one partition and not what comes in.
    let status = deliveries.status("d").await.unwrap();
    assert_eq!(
        (status.totals.batches, count("large"), count("small")),
        (1, 2, 1)
    );
    assert_eq!(world.objects.text("data/").lines().count(), 9);
}

#[tokio::test]
async fn a_batch_is_converted_by_the_table_as_it_was_when_it_was_closed() {
    let world = World::new(1);
    let deliveries = world.open().await;
    let converted = Destination {
        conversion: Some(conversion()),
        ..destination()
    };
    deliveries.create(new_stream("d", converted)).await.unwrap();
    world.put(0, r#"{"c0": 1}"#);
    world.put(0, r#"{"c0": "none"}"#);
    // There is no such table yet.
    world
        .until(async || deliveries.status("d").await.unwrap().incident.is_some())
        .await;
    assert!(world.objects.keys("").is_empty());
    world.objects.faults.lock().extend([PutFault::Refused; 3]);
    world
        .tables
        .0
        .store(1, std::sync::atomic::Ordering::Relaxed);
    let closed = async || deliveries.status("d").await.unwrap().delivering;
    world.until(closed).await;
    world
        .tables
        .0
        .store(2, std::sync::atomic::Ordering::Relaxed);
    world.until_delivered().await;
    let key = world.objects.keys("data/").remove(0);
    assert!(key.ends_with(".parquet"), "{key}");
    let file = world.objects.stored.lock()[&key].0.clone();
    let has = |name: &str| {
        file.windows(name.len())
            .any(|window| window == name.as_bytes())
    };
    assert!(file.starts_with(b"PAR1") && has("c0") && !has("c1"));
    let line = world.objects.text("format-conversion-failed/");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["rawData"], &line["attemptsMade"]),
        (&json!("eyJjMCI6ICJub25lIn0="), &json!(1))
    );
    assert!(
        line["lastErrorCode"]
            .as_str()
            .unwrap()
            .starts_with("DataFormatConversion.")
    );
    assert_eq!(line["dataCatalogTable"]["versionId"], "1");
}

#[tokio::test]
async fn encrypted_records_wait_unreadable_and_are_delivered_as_they_were_put() {
    let world = World::new(0);
    let deliveries = world.open().await;
    let direct = NewStream {
        origin: NewOrigin::Direct,
        ..new_stream("d", destination())
    };
    deliveries.create(direct).await.unwrap();
    deliveries.put("d", vec!["plain\n".into()]).await.unwrap();
    deliveries
        .encrypt("d", Some(Encryption { key: None }))
        .await
        .unwrap();
    assert!(
        deliveries
            .put("d", vec!["secret\n".into()])
            .await
            .unwrap()
            .encrypted
    );
    deliveries.encrypt("d", None).await.unwrap();
    assert!(
        !deliveries
            .put("d", vec!["plain again\n".into()])
            .await
            .unwrap()
            .encrypted
    );

    let limit = ReadLimit {
        records: 10,
        bytes: 1 << 20,
    };
    let waiting = world
        .log
        .read(ShardNumber(0x02 << 56 | 1), 0, limit)
        .await
        .unwrap()
        .records;
    let holds = |text: &[u8]| {
        waiting
            .iter()
            .any(|r| r.value.windows(text.len()).any(|part| part == text))
    };
    assert!(waiting.len() == 3 && holds(b"plain") && !holds(b"secret"));

    world
        .until(async || deliveries.status("d").await.unwrap().totals.records == 3)
        .await;
    // They may be in several objects, whose names have no order.
    let delivered = world.objects.text("data/");
    let mut delivered: Vec<&str> = delivered.lines().collect();
    delivered.sort_unstable();
    assert_eq!(delivered, ["plain", "plain again", "secret"]);
    let reads = new_stream("r", destination());
    deliveries.create(reads).await.unwrap();
    let refused = deliveries
        .encrypt("r", Some(Encryption { key: None }))
        .await;
    assert_eq!(refused, Err(DeliveryError::NotDirect("r".into())));
}

#[tokio::test]
async fn files_of_rows_wait_for_room_and_nobody_else_does() {
    let world = World::new(1);
    world
        .tables
        .0
        .store(1, std::sync::atomic::Ordering::Relaxed);
    let room = world.options.budget.file(FILES_KIB_MAX * 1024).await;
    let deliveries = world.open().await;
    deliveries
        .create(new_stream(
            "rows",
            Destination {
                conversion: Some(conversion()),
                ..destination()
            },
        ))
        .await
        .unwrap();
    let partitioned = Destination {
        conversion: Some(conversion()),
        ..by_key(0)
    };
    deliveries
        .create(new_stream("partitioned", partitioned))
        .await
        .unwrap();
    let plain = Destination {
        prefix: Some("plain/".into()),
        ..destination()
    };
    deliveries.create(new_stream("plain", plain)).await.unwrap();
    world.put(0, r#"{"k": 1, "c0": 1}"#);
    let is_done = async |name| deliveries.status(name).await.unwrap().totals.records == 1;
    let is_begun = async |name| deliveries.status(name).await.unwrap().delivering;
    world
        .until(async || {
            is_done("plain").await && is_begun("rows").await && is_begun("partitioned").await
        })
        .await;
    assert!(world.objects.keys("data/").is_empty());
    drop(room);
    world.until_delivered().await;
    assert_eq!(world.objects.keys("data/").len(), 2);
}

#[tokio::test]
async fn what_is_unpacked_has_room_in_every_budget() {
    let pack = |data: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let packed = pack(&vec![b' '; DECOMPRESSED_BYTES_MAX]);
    assert!(packed.len() * DEFLATE_FACTOR_MAX >= DECOMPRESSED_BYTES_MAX);
    let world = World::new(1);
    let deliveries = world.open().await;
    let unpacked = Destination {
        steps: vec![Step::Decompress],
        ..destination()
    };
    let beside = json!({"http": {"url": "https://http.test/", "access_key": "", "gzip": false, "attributes": {},
        "bytes": 1, "retry_s": 0}});
    let beside = Destination {
        target: serde_json::from_value(beside).unwrap(),
        ..unpacked.clone()
    };
    deliveries.create(new_stream("d", unpacked)).await.unwrap();
    deliveries
        .create(new_stream("beside", beside))
        .await
        .unwrap();
    for _ in 0..4 {
        world.put(0, packed.clone());
        world.put(0, pack(b"small"));
    }
    world.until_delivered().await;
    let stored = world.objects.stored.lock();
    let data: usize = stored
        .iter()
        .filter(|(key, _)| key.starts_with("data/"))
        .map(|(_, (body, _))| body.len())
        .sum();
    assert_eq!(data, 4 * (DECOMPRESSED_BYTES_MAX + 5));
    let failed: usize = stored
        .iter()
        .filter(|(key, _)| key.contains("failed/"))
        .map(|(_, (body, _))| body.len())
        .sum();
    assert!(
        failed > 4 * packed.len(),
        "the network of the test cannot be reached"
    );
}

#[tokio::test]
async fn what_a_process_left_that_died_is_swept_once() {
    let world = World::new(1);
    let deliveries = world.open().await;
    world
        .objects
        .stubborn
        .lock()
        .insert("metadata-extraction-failed/".into(), PutFault::Refused);
    deliveries.create(new_stream("d", by_key(0))).await.unwrap();
    world.put(0, r#"{"k": 1}"#);
    world.put(0, "no key");
    world
        .until(async || deliveries.status("d").await.unwrap().incident.is_some())
        .await;
    let left = world.objects.keys("data/").remove(0);
    deliveries.close().await;
    world.objects.swept.lock().clear();
    let deliveries = world.open().await;
    world
        .until(async || {
            deliveries
                .status("d")
                .await
                .unwrap()
                .incident
                .is_some_and(|t| t.times > 2)
        })
        .await;
    let swept = std::mem::take(&mut *world.objects.swept.lock());
    assert!(
        swept.contains(&left) && swept.len() == 4,
        "the object of the partition, and one a kind of failure: {swept:?}"
    );
    world.objects.stubborn.lock().clear();
    world.until_delivered().await;
    world.put(0, r#"{"k": 2}"#);
    world.until_delivered().await;
    assert_eq!(*world.objects.swept.lock(), Vec::<String>::new());
}
