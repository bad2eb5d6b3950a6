//! ListStreams.

use headwater_shapes_dynamodbstreams::{
    ListStreamsInput, ListStreamsOutput, Stream, ops::ListStreams,
};
use headwater_wire::{ApiError, Context, Handle};

use super::page;
use crate::{
    Dynamo,
    place::{label, stream_arn},
    streams::place::Named,
};

/// Streams of a page. (Source: the API's reference.)
const PAGE: i32 = 100;

impl Handle<ListStreams> for Dynamo {
    async fn handle(
        &self,
        input: ListStreamsInput,
        context: &Context,
    ) -> Result<ListStreamsOutput, ApiError> {
        let ListStreamsInput {
            table_name,
            limit,
            exclusive_start_stream_arn,
        } = input;
        let limit = page(limit, PAGE)?;
        let after = exclusive_start_stream_arn.as_deref();
        let after = after.map(|arn| Named::read(arn, context)).transpose()?;
        // The stream need not be there any more: the list goes on behind its place.
        let after = after.map(|named| (named.table, named.label));
        let (found, has_more) = self.tables.streams(table_name.as_deref(), after, limit);
        let stream = |(table, enabled): &(String, headwater_types::Millis)| {
            let label = label(*enabled);
            Stream {
                stream_arn: Some(stream_arn(table, &label, context)),
                table_name: Some(table.clone()),
                stream_label: Some(label),
            }
        };
        let streams: Vec<Stream> = found.iter().map(stream).collect();
        let last = streams.last().filter(|_| has_more);
        Ok(ListStreamsOutput {
            last_evaluated_stream_arn: last.and_then(|last| last.stream_arn.clone()),
            streams: Some(streams),
        })
    }
}
