//! GetRecords.

use headwater_log::ReadLimit;
use headwater_shapes_dynamodbstreams::{GetRecordsInput, GetRecordsOutput, ops::GetRecords};
use headwater_wire::{ApiError, Context, Handle};

use super::page;
use crate::{
    Dynamo,
    streams::{
        errors::{api, invalid_iterator, trimmed},
        event::record,
        place::{Named, arn_of_iterator, iterator},
    },
};

/// Events of an answer. (Source: the API's reference.)
const EVENTS: i32 = 1000;
/// Bytes of these. (Source: the same.)
const BYTES: usize = 1024 * 1024;

impl Handle<GetRecords> for Dynamo {
    async fn handle(
        &self,
        input: GetRecordsInput,
        context: &Context,
    ) -> Result<GetRecordsOutput, ApiError> {
        let GetRecordsInput {
            shard_iterator,
            limit,
        } = input;
        let limit = ReadLimit {
            records: page(limit, EVENTS)?,
            bytes: BYTES,
        };
        let named = Named::read(arn_of_iterator(&shard_iterator), context);
        let named = named.map_err(|_| invalid_iterator())?;
        let (stream, position) = self.open_iterator(&shard_iterator, &named)?;
        let shard = position.shard();
        let read = stream.read(shard, position.offset, limit).await;
        let read = read.map_err(|error| api(error, named.arn))?;
        if position.offset < read.extent.first && position.offset != shard.begin {
            return Err(trimmed());
        }
        let is_over = read.extent.ended && read.next >= read.extent.end;
        let next = (!is_over).then(|| iterator(&stream, &named, shard, read.next, context));
        let events = read.events.into_iter();
        let records = events.map(|event| record(event, &context.region.0));
        Ok(GetRecordsOutput {
            records: Some(records.collect()),
            next_shard_iterator: next,
        })
    }
}
