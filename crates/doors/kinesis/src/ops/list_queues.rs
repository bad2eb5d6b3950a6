//! ListQueues.

use std::time::Duration;

use headwater_queues::QueueRecord;
use headwater_shapes_kinesis::{
    ListQueuesInput, ListQueuesOutput, QueueStreamFilter, QueueStreamIdentifier, QueueSummary,
    ops::ListQueues,
};
use headwater_streams::{ITERATOR_LIFE, TokenKind};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};
use serde::{Deserialize, Serialize};

use crate::{
    Kinesis,
    describe::{self, ACTIVE},
    errors::{TokenFor, invalid_argument, token_api},
    queues,
};

/// Queues in one answer, unless another number is asked for.
const QUEUES: usize = 100;

/// Where the next page begins, and what is listed.
#[derive(Serialize, Deserialize)]
struct Next {
    after: String,
    streams: Option<Vec<StreamWanted>>,
}

impl TokenKind for Next {
    const TAG: u8 = 101;
    const LIFE: Duration = ITERATOR_LIFE;
}

/// A stream whose queues are listed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct StreamWanted {
    arn: String,
    /// When it was made, in the whole seconds that the API tells.
    created: Option<u64>,
}

impl Handle<ListQueues> for Kinesis {
    async fn handle(
        &self,
        input: ListQueuesInput,
        context: &Context,
    ) -> Result<ListQueuesOutput, ApiError> {
        let ListQueuesInput {
            max_results,
            next_token,
            stream_filter,
        } = input;
        let limit = max_results.map_or(QUEUES, |limit| limit.unsigned_abs() as usize);
        let mut streams =
            stream_filter.map(|filter| filter.into_iter().map(wanted).collect::<Vec<_>>());
        let mut after = None;
        if let Some(token) = next_token {
            let next: Next = self
                .streams
                .open_token(&token)
                .map_err(|error| token_api(error, context, TokenFor::Page))?;
            if streams.is_some() && streams != next.streams {
                return Err(invalid_argument(
                    "NextToken is of a list with another StreamFilter.",
                ));
            }
            (after, streams) = (Some(next.after), next.streams);
        }
        let wants = |record: &QueueRecord| {
            streams
                .as_ref()
                .is_none_or(|streams| streams.iter().any(|stream| stream.is_of(record)))
        };
        let (page, has_more) = self.queues.list(after.as_deref(), limit, wants);
        let last = page
            .last()
            .filter(|_| has_more)
            .map(|last| last.name.clone());
        Ok(ListQueuesOutput {
            queue_summaries: page.iter().map(|record| summary(record, context)).collect(),
            next_token: last.map(|after| self.streams.token_of(&Next { after, streams })),
        })
    }
}

impl StreamWanted {
    fn is_of(&self, record: &QueueRecord) -> bool {
        let is_stream = self.arn == record.stream.to_string();
        is_stream
            && self
                .created
                .is_none_or(|created| created == record.stream_created.seconds())
    }
}

fn wanted(filter: QueueStreamFilter) -> StreamWanted {
    let QueueStreamFilter {
        stream_arn,
        stream_creation_timestamp,
    } = filter;
    let created = stream_creation_timestamp.map(|time| describe::millis(time).seconds());
    StreamWanted {
        arn: stream_arn,
        created,
    }
}

fn summary(record: &QueueRecord, context: &Context) -> QueueSummary {
    let stream = QueueStreamIdentifier {
        stream_arn: record.stream.to_string(),
        stream_creation_timestamp: describe::timestamp(Millis(
            record.stream_created.seconds() * 1000,
        )),
    };
    QueueSummary {
        queue_name: record.name.clone(),
        queue_arn: queues::arn(&record.id, context),
        queue_status: ACTIVE.to_owned(),
        queue_creation_timestamp: describe::timestamp(record.created),
        streams: vec![stream],
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::World;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    #[tokio::test]
    async fn a_token_is_good_for_its_list_and_for_five_minutes() {
        let world = World::new(false).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        for name in ["b", "a", "c"] {
            let queue =
                json!({"QueueName": name, "StreamConfigurationList": [{"StreamARN": STREAM}]});
            world.ok::<ops::CreateQueue>(queue).await;
        }
        let filter = json!([{"StreamARN": STREAM}]);
        let page = world
            .ok::<ops::ListQueues>(json!({"StreamFilter": filter, "MaxResults": 2}))
            .await;
        assert_eq!(
            (
                &page["QueueSummaries"][0]["QueueName"],
                &page["QueueSummaries"][1]["QueueName"]
            ),
            (&json!("a"), &json!("b"))
        );
        let token = &page["NextToken"];
        for next in [
            json!({"NextToken": token}),
            json!({"NextToken": token, "StreamFilter": filter}),
        ] {
            let rest = world.ok::<ops::ListQueues>(next).await;
            assert_eq!(
                (
                    &rest["QueueSummaries"][0]["QueueName"],
                    rest.get("NextToken")
                ),
                (&json!("c"), None)
            );
        }
        let other =
            json!({"NextToken": token, "StreamFilter": [{"StreamARN": format!("{STREAM}2")}]});
        assert_eq!(
            world.refused::<ops::ListQueues>(other).await.0,
            "InvalidArgumentException"
        );
        world.advance(300_001);
        let late = world
            .refused::<ops::ListQueues>(json!({"NextToken": token}))
            .await;
        assert_eq!(late.0, "ExpiredNextTokenException");
    }
}
