//! DescribeLogStreams, by name or by the time of the last event.

use std::cmp::Ordering;

use headwater_loggroups::Stream;
use headwater_shapes_logs::{
    DescribeLogStreamsRequest, DescribeLogStreamsResponse, LogStream, ops::DescribeLogStreams,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter},
    group, token,
};

/// Streams in one answer.
const PAGE: usize = 50;
/// Streams read at once where all of a group are sorted.
const READ: usize = 1000;

type Named = (String, Stream);

impl Handle<DescribeLogStreams> for Logs {
    async fn handle(
        &self,
        input: DescribeLogStreamsRequest,
        context: &Context,
    ) -> Result<DescribeLogStreamsResponse, ApiError> {
        let DescribeLogStreamsRequest {
            log_group_name,
            log_group_identifier,
            log_stream_name_prefix,
            order_by,
            descending,
            next_token,
            limit,
        } = input;
        let by_time = order_by.as_deref() == Some("LastEventTime");
        if by_time && log_stream_name_prefix.is_some() {
            return Err(invalid_parameter(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        let name = group::name(log_group_name, log_group_identifier, context)?;
        let prefix = log_stream_name_prefix.unwrap_or_default();
        let limit = limit.map_or(PAGE, |limit| PAGE.min(limit.unsigned_abs() as usize));
        let after = next_token.as_deref().map(token::entry).transpose()?;
        let descending = descending == Some(true);
        let mut found = if by_time || descending {
            let order = Order {
                by_time,
                descending,
            };
            order.page(self.all_streams(&name, &prefix).await?, after, limit + 1)
        } else {
            let after = after.map(|(_, name)| name);
            self.groups
                .streams(&name, &prefix, after.as_deref(), limit + 1)
                .await
                .map_err(api)?
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found
            .last()
            .filter(|_| more)
            .map(|(name, stream)| token::of_entry(last_time(stream), name));
        let shown = found
            .into_iter()
            .map(|(stream, kept)| show(&name, stream, &kept, context))
            .collect();
        Ok(DescribeLogStreamsResponse {
            log_streams: Some(shown),
            next_token,
        })
    }
}

impl Logs {
    async fn all_streams(&self, group: &str, prefix: &str) -> Result<Vec<Named>, ApiError> {
        let mut all: Vec<Named> = Vec::new();
        loop {
            let after = all.last().map(|(name, _)| name.clone());
            let page = self
                .groups
                .streams(group, prefix, after.as_deref(), READ)
                .await
                .map_err(api)?;
            let last_page = page.len() < READ;
            all.extend(page);
            if last_page {
                return Ok(all);
            }
        }
    }
}

/// An order that the catalog does not keep streams in.
struct Order {
    by_time: bool,
    descending: bool,
}

impl Order {
    fn page(
        &self,
        mut streams: Vec<Named>,
        after: Option<(u64, String)>,
        limit: usize,
    ) -> Vec<Named> {
        let key = |(name, stream): &Named| (last_time(stream), name.clone());
        streams.sort_by(|a, b| self.compare(&key(a), &key(b)));
        let is_after = |named: &Named| {
            after
                .as_ref()
                .is_none_or(|after| self.compare(&key(named), after).is_gt())
        };
        streams.into_iter().filter(is_after).take(limit).collect()
    }

    fn compare(
        &self,
        (a_time, a_name): &(u64, String),
        (b_time, b_name): &(u64, String),
    ) -> Ordering {
        let by_time = if self.by_time {
            a_time.cmp(b_time)
        } else {
            Ordering::Equal
        };
        let order = by_time.then_with(|| a_name.cmp(b_name));
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// The time of a stream's last event; a stream without events comes before all others.
fn last_time(stream: &Stream) -> u64 {
    stream.times.map_or(0, |times| times.last.0)
}

fn show(group: &str, name: String, stream: &Stream, context: &Context) -> LogStream {
    LogStream {
        arn: Some(group::stream_arn(group, &name, context)),
        log_stream_name: Some(name),
        creation_time: Some(stream.created.0 as i64),
        first_event_timestamp: stream.times.map(|times| times.first.0 as i64),
        last_event_timestamp: stream.times.map(|times| times.last.0 as i64),
        last_ingestion_time: stream.times.map(|times| times.ingested.0 as i64),
        upload_sequence_token: None,
        // AWS reports zero for every stream since 2019.
        stored_bytes: Some(0),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{CreateLogStream, DescribeLogStreams, PutLogEvents};
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    #[tokio::test]
    async fn streams_are_listed_in_every_order_and_in_pages() {
        let world = World::with_stream().await;
        for (name, at) in [("a", 9), ("b", 3), ("c", 6)] {
            world
                .ok::<CreateLogStream>(json!({ "logGroupName": "g", "logStreamName": name }))
                .await;
            let events = json!([{ "timestamp": START + at, "message": "m" }]);
            let put = json!({ "logGroupName": "g", "logStreamName": name, "logEvents": events });
            world.ok::<PutLogEvents>(put).await;
        }
        let describe = async |mut members: Value| {
            members["logGroupName"] = json!("g");
            world.ok::<DescribeLogStreams>(members).await
        };
        let names = |answer: &Value| {
            let streams = answer["logStreams"].as_array().unwrap();
            streams
                .iter()
                .map(|s| s["logStreamName"].as_str().unwrap())
                .collect::<String>()
        };
        for (order, descending, expected) in [
            ("LogStreamName", false, "abcs"),
            ("LogStreamName", true, "scba"),
            ("LastEventTime", false, "sbca"),
            ("LastEventTime", true, "acbs"),
        ] {
            let mut seen = String::new();
            let mut token = json!(null);
            loop {
                let input = json!({ "orderBy": order, "descending": descending, "limit": 3, "nextToken": token });
                let page = describe(input).await;
                seen += &names(&page);
                token = page["nextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            assert_eq!(seen, expected);
        }
        let a = describe(json!({ "logStreamNamePrefix": "a" })).await;
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:a";
        let shown = json!({
            "logStreamName": "a", "creationTime": START, "firstEventTimestamp": START + 9,
            "lastEventTimestamp": START + 9, "lastIngestionTime": START, "arn": arn, "storedBytes": 0,
        });
        assert_eq!(a, json!({ "logStreams": [shown] }));
        let identifier =
            json!({ "logGroupIdentifier": "arn:aws:logs:us-east-1:000000000000:log-group:g:*" });
        assert_eq!(
            names(&world.ok::<DescribeLogStreams>(identifier).await),
            "abcs"
        );
        let both = json!({ "logGroupName": "g", "logGroupIdentifier": "g" });
        let text = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
        assert_eq!(
            world.refused::<DescribeLogStreams>(both).await,
            ("ValidationException".into(), text.into())
        );
    }
}
