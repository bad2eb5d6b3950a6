//! ListStreams.

use headwater_shapes_kinesis::{
    ListStreamsInput, ListStreamsOutput, StreamSummary, ops::ListStreams,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    errors::{TokenFor, token_api},
    place::stream_name,
};

/// Streams in one answer, whatever the limit asked for.
const STREAMS: usize = 100;

impl Handle<ListStreams> for Kinesis {
    async fn handle(
        &self,
        input: ListStreamsInput,
        context: &Context,
    ) -> Result<ListStreamsOutput, ApiError> {
        let ListStreamsInput {
            limit,
            exclusive_start_stream_name,
            next_token,
        } = input;
        let limit = limit.map_or(STREAMS, |limit| STREAMS.min(limit.unsigned_abs() as usize));
        let page = match next_token {
            Some(token) => self
                .streams
                .next_streams(&token, limit)
                .map_err(|error| token_api(error, context, TokenFor::Page))?,
            None => {
                let after = exclusive_start_stream_name
                    .map(|name| stream_name(&name))
                    .transpose()?;
                self.streams.list_streams(after.as_ref(), limit)
            }
        };
        let summary = |stream: &headwater_streams::Stream| StreamSummary {
            stream_name: stream.record.name.to_string(),
            stream_arn: describe::arn(stream, context),
            stream_status: describe::status(stream),
            stream_mode_details: Some(describe::mode(stream)),
            stream_creation_timestamp: Some(describe::created(stream)),
        };
        Ok(ListStreamsOutput {
            stream_names: page
                .streams
                .iter()
                .map(|stream| stream.record.name.to_string())
                .collect(),
            has_more_streams: page.next.is_some(),
            next_token: page.next,
            stream_summaries: Some(page.streams.iter().map(|stream| summary(stream)).collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn pages_follow_by_name_or_by_token() {
        let world = World::new(false).await;
        for name in ["c", "a", "b"] {
            world
                .ok::<ops::CreateStream>(json!({"StreamName": name, "ShardCount": 1}))
                .await;
        }
        let page = world.ok::<ops::ListStreams>(json!({"Limit": 2})).await;
        assert_eq!(
            (&page["StreamNames"], &page["HasMoreStreams"]),
            (&json!(["a", "b"]), &json!(true))
        );
        assert_eq!(page["StreamSummaries"][1]["StreamStatus"], "ACTIVE");
        for next in [
            json!({"NextToken": page["NextToken"]}),
            json!({"ExclusiveStartStreamName": "b"}),
        ] {
            let page = world.ok::<ops::ListStreams>(next).await;
            assert_eq!(
                (&page["StreamNames"], &page["HasMoreStreams"]),
                (&json!(["c"]), &json!(false))
            );
            assert!(page.get("NextToken").is_none());
        }
    }
}
