//! Records that are put into a delivery stream itself: they wait in a log shard of its own, which is then read like
//! any other source.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_env::Random;
use headwater_log::{
    Append, AppendError, LogError, NewRecord, ReadLimit, Record, Retention, ShardLog, ShardNumber,
};
use headwater_sealing::{Opened, SEALED_KEY, Sealer};
use headwater_types::{Millis, SequenceNumber, ShardIndex};

use crate::ports::{Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard};

/// The upper eight bits of the numbers of all log shards that belong to deliveries.
const NAMESPACE: u64 = 0x02 << 56;
/// Records that are not delivered are kept, however long their destination is away.
const FOREVER: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);
/// Bytes behind a record's id; its text has 224 characters, as on AWS.
const RECORD_ID_BYTES: usize = 168;

/// The log shard of one delivery stream.
#[derive(Clone)]
pub struct DirectShard {
    log: Arc<dyn ShardLog>,
    number: ShardNumber,
    created: Millis,
    sealer: Arc<Sealer>,
}

impl DirectShard {
    /// The shard with a number from the catalog's counter.
    pub fn new(log: Arc<dyn ShardLog>, number: u64, created: Millis, sealer: Arc<Sealer>) -> Self {
        Self {
            log,
            number: ShardNumber(NAMESPACE | number),
            created,
            sealer,
        }
    }

    /// Makes the shard known to the log; records that arrived before `delivered_until` are delivered and may go.
    pub fn open(&self, delivered_until: Millis) {
        self.log.open_shard(
            self.number,
            Retention {
                period: FOREVER,
                floor: delivered_until,
            },
        );
    }

    /// Forgets the shard and all it holds.
    pub fn remove(&self) {
        self.log.remove_shard(self.number);
    }

    /// Appends records, all or none, encrypted if they are to be; durable when it returns.
    pub async fn append(&self, records: Vec<Bytes>, encrypted: bool) -> Result<(), AppendError> {
        let stored = |value: Bytes| match encrypted {
            true => self.sealer.seal(self.number, &[], &value).into(),
            false => value,
        };
        let values: Vec<Bytes> = records.into_iter().map(stored).collect();
        let key = if encrypted { SEALED_KEY } else { &[] };
        let records: Vec<_> = values
            .iter()
            .map(|value| NewRecord { key, value })
            .collect();
        let append = Append {
            shard: self.number,
            records: &records,
        };
        let mut results = self.log.append(&[append]).await;
        results
            .pop()
            .unwrap_or(Err(AppendError::Log(LogError::Closed)))
            .map(drop)
    }

    fn id(&self) -> String {
        ShardIndex(0).to_string()
    }
}

/// Forgets all shards of deliveries that `is_known` does not know, left behind by a crash.
pub fn remove_strays(log: &dyn ShardLog, is_known: impl Fn(u64) -> bool) {
    for shard in log.shards() {
        if shard.0 & 0xff << 56 == NAMESPACE && !is_known(shard.0 ^ NAMESPACE) {
            log.remove_shard(shard);
        }
    }
}

/// The id that a put record is answered with.
pub fn record_id(random: &dyn Random) -> String {
    let mut bytes = [0; RECORD_ID_BYTES];
    random.fill(&mut bytes);
    STANDARD.encode(bytes)
}

fn failed(error: LogError) -> SourceError {
    SourceError::Failed(error.to_string())
}

#[async_trait]
impl Source for DirectShard {
    fn identity(&self) -> String {
        String::new()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let state = self.log.state(self.number).map_err(failed)?;
        Ok(vec![SourceShard {
            id: self.id(),
            parents: Vec::new(),
            first: state.first,
            end: state.end,
            ended: state.sealed,
        }])
    }

    async fn read(
        &self,
        _shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let limit = ReadLimit {
            records: limit.records,
            bytes: limit.bytes,
        };
        let chunk = self
            .log
            .read(self.number, from, limit)
            .await
            .map_err(failed)?;
        let number =
            |offset, time| SequenceNumber::of_record(self.created, ShardIndex(0), offset, time);
        let read = |record: Record| {
            let Opened { data, .. } = self.sealer.unseal(self.number, &record).map_err(|_| {
                SourceError::Failed(format!(
                    "record {} cannot be decrypted: the key in the catalog is not the one that it was encrypted \
                     under. Restore the data folder as a whole",
                    record.offset
                ))
            })?;
            Ok(SourceRecord {
                offset: record.offset,
                sequence_number: number(record.offset, record.time),
                partition_key: Bytes::new(),
                data,
                arrival: record.time,
            })
        };
        let records = chunk
            .records
            .into_iter()
            .map(read)
            .collect::<Result<_, SourceError>>()?;
        Ok(SourceChunk {
            records,
            next: chunk.next,
            end: chunk.state.end,
            ended: chunk.state.sealed,
        })
    }

    async fn offset_at(&self, _shard: &str, time: Millis) -> Result<u64, SourceError> {
        self.log.offset_at(self.number, time).await.map_err(failed)
    }

    async fn wait(&self, _shard: &str, from: u64) {
        self.log.wait(self.number, from).await;
    }
}
