//! What goes wrong beside the function: writes whose outcome is unknown, clocks that go back, changes amid a wait.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use headwater_catalog::{CatalogError, Change, Version, Versioned};

use super::*;
use crate::{
    lane::Lane,
    poller::Poller,
    progress::ShardProgress,
    worker::{Configured, Shared, Worker},
};

/// A catalog that makes a commit of a mapping's progress and says that it failed, so often.
struct Forgetful {
    inner: MemoryCatalog,
    failures: AtomicUsize,
}

#[async_trait]
impl Catalog for Forgetful {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.inner.get(key).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        self.inner.scan(prefix, after, limit).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        let is_progress = changes.len() == 1 && changes[0].key.contains("/progress/");
        let version = self.inner.commit(changes).await?;
        let take = |left: usize| left.checked_sub(1);
        if is_progress && self.failures.fetch_update(SeqCst, SeqCst, take).is_ok() {
            return Err(CatalogError::Failed("the disk went away".into()));
        }
        Ok(version)
    }
}

#[tokio::test]
async fn a_checkpoint_whose_write_is_unknown_blocks_nothing() {
    let mut world = World::new(1, |_| Ok(Value::Null));
    world.catalog = Arc::new(Forgetful {
        inner: MemoryCatalog::default(),
        failures: AtomicUsize::new(3),
    });
    for n in 0..5 {
        world.put(0, &n.to_string());
    }
    let mappings = world.open().await;
    world.create(&mappings, batches_of(1)).await;
    world.until(|| mappings.metrics()[0].1.records == 5).await;
    assert_eq!(world.called_with().concat(), ["0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn what_is_left_of_a_batch_has_all_its_tries() {
    let world = World::new(1, |event| {
        let records = event["Records"].as_array().unwrap();
        let at = data(event).iter().position(|data| data == "5");
        let number =
            |at: usize| json!({"itemIdentifier": records[at]["kinesis"]["sequenceNumber"]});
        Ok(json!({"batchItemFailures": at.map(number).into_iter().collect::<Vec<_>>()}))
    });
    for n in 0..6 {
        world.put(0, &n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        item_failures: true,
        retries: Some(3),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(3)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.given_up == 1).await;
    let calls: Vec<_> = world
        .called_with()
        .iter()
        .map(|batch| batch.concat())
        .collect();
    assert_eq!(calls, ["012", "345", "5", "5", "5", "5"]);
    let told = world.stored.0.lock()[0].1.clone();
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 4);
    assert_eq!(told["responseContext"]["functionError"], Value::Null);
    assert_eq!(told["KinesisBatchInfo"]["batchSize"], 1);
}

#[tokio::test]
async fn an_old_record_behind_a_young_one_is_told_of_at_most_once() {
    let mut calls = 0;
    let world = World::new(1, move |_| {
        calls += 1;
        Ok(if calls < 4 { failure() } else { Value::Null })
    });
    world.put(0, "young");
    world
        .source
        .put(0, "old", START.minus(Duration::from_secs(3600)));
    let mappings = world.open().await;
    let settings = Settings {
        age_s: Some(60),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(10)
    };
    world.create(&mappings, settings).await;
    world.until(|| world.called_with().len() == 4).await;
    world.pass(Duration::from_secs(1)).await;
    assert!(world.stored.0.lock().len() <= 1);
}

#[tokio::test]
async fn a_mapping_that_is_deleted_amid_a_wait_calls_no_more() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, "bad");
    let mappings = world.open().await;
    let id = world.create(&mappings, batches_of(1)).await.id;
    world.until(|| world.called_with().len() == 8).await;
    let deleted = mappings.delete(&id).await.unwrap();
    assert_eq!(deleted.id, id);
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.called_with().len(), 8);
}

#[tokio::test]
async fn a_record_that_no_function_takes_is_told_of_as_it_is() {
    let world = World::new(1, |_| Ok(Value::Null));
    world.source.put(0, vec![b'x'; 10 << 20], START);
    world.put(0, "next");
    let mappings = world.open().await;
    let settings = Settings {
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(10)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(world.called_with(), [["next"]]);
    let told = world.stored.0.lock()[0].1.clone();
    assert_eq!(data(&told["payload"])[0].len(), 10 << 20);
}

#[tokio::test]
async fn a_long_state_comes_back_whole_also_after_a_failure_and_a_crash() {
    let mut calls = 0;
    let world = World::new(1, move |event| {
        calls += 1;
        let state = event["state"]["all"].as_str().unwrap_or_default();
        let all = format!("{state}{}", data(event).concat());
        // Every second call fails.
        Ok(if calls % 2 == 0 {
            failure()
        } else {
            json!({"state": {"all": all}})
        })
    });
    for n in 0..4 {
        world.put(0, &n.to_string().repeat(10_000));
    }
    let mappings = world.open().await;
    let settings = Settings {
        tumbling_s: Some(60),
        ..batches_of(1)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 2).await;
    mappings.close();
    let _again = world.open().await;
    let is_final = |event: &Value| event["isFinalInvokeForWindow"] == true;
    world
        .until(|| world.function.events.lock().iter().any(is_final))
        .await;
    let events = world.function.events.lock();
    let last = events.iter().find(|event| is_final(event)).unwrap();
    let expected: String = (0..4).map(|n| n.to_string().repeat(10_000)).collect();
    assert_eq!(last["state"]["all"], expected);
}

/// The room for batches that is taken, in KiB.
fn taken(mappings: &Mappings) -> usize {
    let work = &mappings.world.work;
    crate::limits::WORK_KIB_MAX as usize - work.available_permits()
}

#[tokio::test]
async fn a_batch_has_room_as_long_as_it_is_called_with() {
    let world = World::new(3, |_| Ok(failure()));
    let mappings = world.open().await;
    let gate = world.function.close();
    for shard in 0..3 {
        world.source.put(shard, vec![b'x'; 3 << 20], START);
    }
    let id = world.create(&mappings, batches_of(10)).await.id;
    world
        .until(|| world.function.events.lock().len() == 3)
        .await;
    assert!(taken(&mappings) > 3 * 2 * 4 * 1024, "{}", taken(&mappings));
    drop(gate);
    // While they wait for their next tries they have none.
    world.until(|| taken(&mappings) == 0).await;
    assert_eq!(mappings.metrics()[0].1.blocked, 3);
    mappings.delete(&id).await.unwrap();
}

/// What a mapping holds while it waits is its tasks: all else is in the catalog and the log.
#[tokio::test]
async fn a_mapping_at_rest_takes_little_memory() {
    let world = World::new(1, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let mapping = world.create(&mappings, batches_of(1)).await;
    let store = &mappings.world.store;
    let progress = ShardProgress::open(store, &mapping.id, "0", 1)
        .await
        .unwrap();
    let shared = Arc::new(Shared::new(Configured::of(mapping)));
    let lane = Lane {
        world: mappings.world.clone(),
        shared: shared.clone(),
        source: world.source.clone(),
        shard: "0".into(),
        progress: Arc::new(progress),
        number: 0,
        of: 1,
        until: None,
        tumbling: None,
        stop: tokio::sync::watch::channel(false).1,
    };
    let poller = Poller::new(mappings.world.clone(), shared.clone());
    let worker = Worker {
        world: mappings.world.clone(),
        shared,
    };
    let closed = tokio::sync::watch::channel(false).1;
    let worker = size_of_val(&worker.run(closed));
    let (lane, poller) = (size_of_val(&lane.run()), size_of_val(&poller.run()));
    assert!(worker + lane < 32 * 1024, "{worker} {lane}");
    assert!(worker + poller < 32 * 1024, "{worker} {poller}");
}
