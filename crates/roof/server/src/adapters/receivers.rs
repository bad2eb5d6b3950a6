//! Tables send their changes into streams.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_dynamodb::destination_record;
use headwater_streams::{Beside, Error, PutEntry, Stream, Streams};
use headwater_tables::{NotPut, Outgoing, Receivers, Unfit};
use headwater_types::{Arn, StreamName};
use headwater_wire::Place;

/// The streams of a place.
pub struct StreamReceivers {
    /// The streams.
    pub streams: Arc<Streams>,
    /// Where they are.
    pub place: Place,
}

impl StreamReceivers {
    /// The name of the stream with this ARN, which is of this place.
    fn name(&self, stream: &str) -> Result<StreamName, Unfit> {
        let arn: Arn = stream.parse().map_err(|_| Unfit::Missing)?;
        if arn.service == "kinesis" && arn.region != self.place.region.0 {
            return Err(Unfit::OtherRegion);
        }
        if arn.service == "kinesis" && arn.account != self.place.account.0 {
            return Err(Unfit::Foreign);
        }
        let name = arn.name_of("stream").filter(|_| arn.service == "kinesis");
        name.and_then(|name| name.parse().ok())
            .ok_or(Unfit::Missing)
    }
}

#[async_trait]
impl Receivers for StreamReceivers {
    fn check(&self, stream: &str) -> Result<(), Unfit> {
        let found = self.streams.get(&self.name(stream)?);
        found.map(drop).map_err(|_| Unfit::Missing)
    }

    async fn put(&self, outgoing: Outgoing<'_>) -> Result<usize, NotPut> {
        let name = self.name(outgoing.stream).map_err(|_| NotPut::Missing)?;
        let stream = self.streams.get(&name).map_err(not_put)?;
        let (entries, changes) = self.entries(&stream, &outgoing);
        // Changes before the first entry that is not put are done: those among them without an entry never will be.
        let done = |put: usize| changes.get(put).copied().unwrap_or(outgoing.changes.len());
        let beside = |put: usize| Beside {
            shard: outgoing.progress_shard,
            value: (outgoing.progress)(done(put)),
        };
        let put = self.streams.put_beside(&name, &entries, beside).await;
        match put.map_err(not_put)? {
            0 if !entries.is_empty() => Ok(0),
            put => Ok(done(put)),
        }
    }
}

impl StreamReceivers {
    /// The entries of the changes that the stream takes, and of each the place of its change.
    fn entries(&self, stream: &Stream, outgoing: &Outgoing<'_>) -> (Vec<PutEntry>, Vec<usize>) {
        let Outgoing {
            table, precision, ..
        } = *outgoing;
        let region = &self.place.region.0;
        let entries = outgoing.changes.iter().enumerate().filter_map(|(at, change)| {
            let (key, data) = destination_record(change, table, precision, region);
            let entry = PutEntry {
                partition_key: key.into(),
                hash_key: None,
                data: data.into(),
            };
            let (bytes, most) = (entry.bytes(), stream.record.max_record_bytes);
            if bytes <= most as usize {
                return Some((entry, at));
            }
            let stream = &stream.record.name;
            tracing::error!(%table, %stream, bytes, most, "a change is left out that is larger than records of the stream may be: raise its MaxRecordSizeInKiB");
            None
        });
        entries.unzip()
    }
}

fn not_put(error: Error) -> NotPut {
    match error {
        Error::NoStream(_) => NotPut::Missing,
        other => NotPut::Failed(other.to_string()),
    }
}
