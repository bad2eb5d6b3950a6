//! The records in the stream and in the bucket, read back and counted.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Cursor},
    time::Duration,
};

use futures_util::{StreamExt, future::try_join_all};
use headwater_client::CallError;
use headwater_env::Env;
use headwater_producer::{KinesisStream, Position, Shard, Stored, Stream};
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops;
use serde::Deserialize;

use crate::{
    demo::{
        DemoError, Doing, TIMEOUT,
        setup::{DELIVERED, FAILED, Setup},
    },
    limits::DEMO_OBJECT_BYTES_MAX,
    replay::parse_time,
};

/// Between two reads of one shard: five a second are allowed, and the delivery reads too.
const READ_INTERVAL: Duration = Duration::from_millis(250);

/// Between two looks into the bucket.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The attributes of an event that are counted.
#[derive(Debug, Deserialize)]
struct Line {
    r#type: String,
    trip_id: Option<u64>,
    total_amount: Option<f64>,
    approximate_arrival_timestamp: Option<String>,
}

/// Trips, each counted once and its repetitions apart.
#[derive(Debug, Default)]
pub struct Tally {
    ids: HashSet<u64>,
    /// Trips that were there before.
    pub repeated: u64,
    /// The sum of `total_amount`, in cents.
    pub cents: i64,
    /// Watermarks.
    pub watermarks: u64,
    /// Bytes of all events.
    pub bytes: u64,
}

impl Tally {
    /// Trips, each once.
    pub fn trips(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Whether the same trips are in both.
    pub fn same_trips(&self, other: &Tally) -> bool {
        self.ids == other.ids
    }

    fn lines(&self) -> u64 {
        self.trips() + self.repeated + self.watermarks
    }

    fn add(&mut self, line: &Line, bytes: usize) -> Result<(), DemoError> {
        self.bytes += bytes as u64;
        match (line.r#type.as_str(), line.trip_id) {
            ("watermark", _) => self.watermarks += 1,
            (_, Some(id)) if self.ids.insert(id) => {
                self.cents += (line.total_amount.unwrap_or(0.0) * 100.0).round() as i64;
            }
            (_, Some(_)) => self.repeated += 1,
            (kind, None) => {
                return Err(DemoError::Wrong(format!(
                    "an event of type {kind:?} is no trip"
                )));
            }
        }
        Ok(())
    }

    fn merge(mut self, other: Tally) -> Tally {
        let before = self.trips() + other.trips();
        self.ids.extend(other.ids);
        // A trip in two shards is a repetition too.
        self.repeated += other.repeated + (before - self.trips());
        self.cents += other.cents;
        self.watermarks += other.watermarks;
        self.bytes += other.bytes;
        self
    }
}

fn parse(line: &[u8], place: &str) -> Result<Line, DemoError> {
    serde_json::from_slice(line).map_err(|error| {
        DemoError::Wrong(format!("{place} holds something that is no event: {error}"))
    })
}

/// The count of the stream's records.
#[derive(Debug)]
pub struct InStream {
    /// All events.
    pub tally: Tally,
    /// Records by shard.
    pub shards: Vec<(String, u64)>,
}

impl InStream {
    /// Reads every shard from its start to its tip.
    pub async fn count(stream: &KinesisStream, env: &Env) -> Result<Self, DemoError> {
        let shards = stream.shards().await.doing("listing the shards")?;
        let counted =
            try_join_all(shards.iter().map(|shard| count_shard(stream, shard, env))).await?;
        let shards = shards
            .iter()
            .zip(&counted)
            .map(|(s, t)| (s.id.clone(), t.lines()))
            .collect();
        let tally = counted.into_iter().fold(Tally::default(), Tally::merge);
        Ok(Self { tally, shards })
    }
}

async fn count_shard(stream: &KinesisStream, shard: &Shard, env: &Env) -> Result<Tally, DemoError> {
    let what = || format!("reading {}", shard.id);
    let mut tally = Tally::default();
    let mut iterator = Some(
        stream
            .iterator(&shard.id, &Position::Start)
            .await
            .doing(what())?,
    );
    let deadline = env.clock.elapsed() + TIMEOUT;
    while let Some(at) = iterator.take() {
        env.clock.sleep(READ_INTERVAL).await;
        let page = match stream.read(&at).await {
            Err(error) if error.retryable && env.clock.elapsed() < deadline => {
                iterator = Some(at);
                continue;
            }
            page => page.doing(what())?,
        };
        for Stored { data, .. } in &page.records {
            tally.add(&parse(data, &shard.id)?, data.len())?;
        }
        iterator = page.next.filter(|_| !page.at_tip);
    }
    Ok(tally)
}

/// The count of the bucket's records.
#[derive(Debug, Default)]
pub struct Delivered {
    /// All events.
    pub tally: Tally,
    /// Objects.
    pub objects: u64,
    /// Their bytes, compressed.
    pub object_bytes: u64,
    /// Objects of what could not be delivered.
    pub failed_objects: u64,
    /// From a record's arrival until the object that it is in was there, in milliseconds, ascending.
    pub latencies_ms: Vec<i64>,
}

impl Delivered {
    /// Reads each object that is delivered, until there are as many events as are expected, or no more come
    /// for as long as `timeout`.
    pub async fn wait_for(
        setup: &Setup,
        expected: u64,
        timeout: Duration,
    ) -> Result<Self, DemoError> {
        let mut delivered = Self::default();
        let mut known: HashMap<String, i64> = HashMap::new();
        let mut since = setup.env.clock.elapsed();
        loop {
            for object in list(setup, DELIVERED)
                .await
                .doing("listing the delivered objects")?
            {
                let (Some(key), Some(size)) = (object.key, object.size) else {
                    continue;
                };
                if known.insert(key.clone(), size).is_none() {
                    delivered
                        .read(setup, &key, object.last_modified.map_or(0, |time| time.0))
                        .await?;
                    delivered.object_bytes += size.unsigned_abs();
                    since = setup.env.clock.elapsed();
                }
            }
            let waited = setup.env.clock.elapsed().saturating_sub(since);
            if delivered.tally.lines() >= expected || waited >= timeout {
                break;
            }
            setup.env.clock.sleep(LOOK_INTERVAL).await;
        }
        let failed = list(setup, FAILED).await.doing("listing what failed")?;
        delivered.failed_objects = failed.len() as u64;
        delivered.latencies_ms.sort_unstable();
        Ok(delivered)
    }

    async fn read(&mut self, setup: &Setup, key: &str, written: i64) -> Result<(), DemoError> {
        let bytes = get(setup, key).await?;
        self.objects += 1;
        let lines =
            BufReader::new(flate2::read::MultiGzDecoder::new(Cursor::new(bytes))).split(b'\n');
        for line in lines {
            let line =
                line.map_err(|error| DemoError::Wrong(format!("{key} is not gzip: {error}")))?;
            let event = parse(&line, key)?;
            self.tally.add(&event, line.len() + 1)?;
            let arrived = event
                .approximate_arrival_timestamp
                .as_deref()
                .and_then(parse_time);
            let arrived = arrived
                .ok_or_else(|| DemoError::Wrong(format!("{key} has a line without its arrival")))?;
            self.latencies_ms.push(written - arrived);
        }
        Ok(())
    }

    /// The latency that a share of the events did not exceed, in seconds.
    pub fn latency(&self, share: f64) -> f64 {
        let index = (self.latencies_ms.len().saturating_sub(1) as f64 * share).round() as usize;
        self.latencies_ms
            .get(index)
            .map_or(0.0, |ms| *ms as f64 / 1000.0)
    }
}

async fn list(setup: &Setup, prefix: &str) -> Result<Vec<s3::Object>, CallError> {
    let (mut objects, mut token) = (Vec::new(), None);
    loop {
        let input = s3::ListObjectsV2Request {
            bucket: setup.names.bucket.clone(),
            prefix: Some(prefix.to_owned()),
            continuation_token: token,
            ..Default::default()
        };
        let page = setup.client.call::<ops::ListObjectsV2>(input).await?;
        objects.extend(page.contents.unwrap_or_default());
        token = page.next_continuation_token;
        if token.is_none() {
            return Ok(objects);
        }
    }
}

async fn get(setup: &Setup, key: &str) -> Result<Vec<u8>, DemoError> {
    let input = s3::GetObjectRequest {
        bucket: setup.names.bucket.clone(),
        key: key.to_owned(),
        ..Default::default()
    };
    let output = setup
        .client
        .call::<ops::GetObject>(input)
        .await
        .doing(format!("reading {key}"))?;
    let mut chunks = output.body.chunks;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| DemoError::Wrong(format!("{key} broke off: {error}")))?;
        if bytes.len() + chunk.len() > DEMO_OBJECT_BYTES_MAX {
            return Err(DemoError::Wrong(format!(
                "{key} has more than {DEMO_OBJECT_BYTES_MAX} bytes"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(ids: &[u64]) -> Tally {
        let mut tally = Tally::default();
        for id in ids {
            let text = format!("{{\"type\":\"trip\",\"trip_id\":{id},\"total_amount\":{id}.1}}");
            tally
                .add(&parse(text.as_bytes(), "here").unwrap(), text.len())
                .unwrap();
        }
        tally
    }

    #[test]
    fn repetitions_are_counted_apart_wherever_they_are() {
        let both = tally(&[1, 2, 2]).merge(tally(&[2, 3]));
        assert_eq!((both.trips(), both.repeated, both.lines()), (3, 2, 5));
        assert_eq!(tally(&[1, 2]).cents, 320);
        assert!(
            tally(&[1, 2]).same_trips(&tally(&[2, 1, 1])) && !tally(&[1]).same_trips(&tally(&[2]))
        );
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        assert!(parse(b"nonsense", "here").is_err());
        let line = parse(b"{\"type\":\"other\"}", "here").unwrap();
        assert!(Tally::default().add(&line, 1).is_err());
    }
}
