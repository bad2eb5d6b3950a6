//! Metric filters over the embedded log: what is counted goes on where values are not taken.

#![allow(clippy::unwrap_used, missing_docs, reason = "this is test code")]

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use headwater_catalog::MemoryCatalog;
use headwater_env::{Env, ManualClock};
use headwater_log::{Append, EmbeddedLog, NewRecord, Options, ShardLog};
use headwater_loggroups::{
    Batch, LogGroups, NewEvent, Transformation,
    ports::{CountError, Counted, Counts, Note},
};
use headwater_types::Millis;
use tokio::sync::mpsc;

const NOW: Millis = Millis(1_700_000_000_000);

/// A store that takes no new series but those of the dimension `known`, and tells what it took.
struct Full {
    log: Arc<dyn ShardLog>,
    taken: mpsc::Sender<f64>,
}

#[async_trait]
impl Counts for Full {
    async fn add(&self, values: Vec<Counted>, note: Note) -> Result<(), CountError> {
        let is_known = |counted: &Counted| counted.dimensions[0].1 == "known";
        if !values.iter().all(is_known) {
            return Err(CountError::Unfit("it is full".into()));
        }
        let records = [NewRecord {
            key: b"",
            value: &note.value,
        }];
        let append = Append {
            shard: note.shard,
            records: &records,
        };
        self.log.append_whole(&[append]).await.unwrap();
        let each = values.iter().flat_map(|counted| &counted.values);
        let sum = each.map(|(value, count)| value * count).sum();
        self.taken.send(sum).await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn values_that_are_not_taken_stop_no_later_ones() {
    let env = Env {
        clock: Arc::new(ManualClock::at(NOW)),
        ..Env::real()
    };
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(env.clone(), Options::new(dir.path()));
    let log: Arc<dyn ShardLog> = Arc::new(log.await.unwrap());
    let catalog = Arc::new(MemoryCatalog::default());
    let groups = LogGroups::open(env, catalog, log.clone()).await.unwrap();
    let (taken, mut told) = mpsc::channel(8);
    groups
        .count_into(Arc::new(Full { log, taken }))
        .await
        .unwrap();
    groups.create_group("g").await.unwrap();
    let transformation = Transformation {
        namespace: "n".into(),
        name: "m".into(),
        value: "$.v".into(),
        default: None,
        dimensions: BTreeMap::from([("d".into(), "$.d".into())]),
        unit: None,
    };
    let filter = groups.put_metric_filter("g", "f", "{ $.v = * }".into(), transformation);
    filter.await.unwrap();
    for (dimension, value, counted) in [("other", 1.0, 0.0), ("known", 2.0, 2.0)] {
        let message = format!(r#"{{"v": {value}, "d": "{dimension}"}}"#);
        let batch = Batch {
            group: "g".into(),
            stream: "s".into(),
            events: vec![NewEvent { time: NOW, message }],
        };
        groups.append(vec![batch]).await.unwrap();
        assert_eq!(told.recv().await, Some(counted), "{dimension}");
    }
    groups.close().await.unwrap();
}
