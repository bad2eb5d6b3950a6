//! ListShards.

use headwater_shapes::Timestamp;
use headwater_shapes_kinesis::{
    self as shapes, ListShardsInput, ListShardsOutput, ops::ListShards,
};
use headwater_streams::{ShardFilter, ShardPage, Stream};
use headwater_types::ShardIndex;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    errors::{TokenFor, invalid_argument, no_stream, token_api},
    place::{Place, shard_index},
};

/// Shards in one answer, unless asked for otherwise.
const SHARDS: usize = 1000;

impl Handle<ListShards> for Kinesis {
    async fn handle(
        &self,
        input: ListShardsInput,
        context: &Context,
    ) -> Result<ListShardsOutput, ApiError> {
        let ListShardsInput {
            stream_name,
            next_token,
            exclusive_start_shard_id,
            max_results,
            stream_creation_timestamp,
            shard_filter,
            stream_arn,
            stream_id,
        } = input;
        let limit = max_results.map_or(SHARDS, |limit| limit.unsigned_abs() as usize);
        let first = First {
            place: Place {
                name: stream_name,
                arn: stream_arn,
                id: stream_id,
            },
            after: exclusive_start_shard_id,
            created: stream_creation_timestamp,
            filter: shard_filter,
        };
        let page = match next_token {
            Some(token) => {
                first.only_token()?;
                let next = self.streams.next_shards(&token, limit);
                let (stream, page) =
                    next.map_err(|error| token_api(error, context, TokenFor::Page))?;
                self.permit_stream(&stream.record.name, Some(&stream), context)?;
                page
            }
            None => self.first_page(first, limit, context)?,
        };
        let shards = page
            .shards
            .iter()
            .map(|shard| describe::shard(shard))
            .collect();
        Ok(ListShardsOutput {
            shards: Some(shards),
            next_token: page.next,
        })
    }
}

/// The members that ask for a first page, and are not sent for the pages after it.
struct First {
    place: Place,
    after: Option<String>,
    created: Option<Timestamp>,
    filter: Option<shapes::ShardFilter>,
}

impl First {
    /// A token says all; beside it AWS takes only `MaxResults`.
    fn only_token(&self) -> Result<(), ApiError> {
        let others = [
            ("StreamName", self.place.name.is_some()),
            ("StreamARN", self.place.arn.is_some()),
            ("StreamId", self.place.id.is_some()),
            ("ExclusiveStartShardId", self.after.is_some()),
            ("StreamCreationTimestamp", self.created.is_some()),
            ("ShardFilter", self.filter.is_some()),
        ];
        match others.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(invalid_argument(format!(
                "NextToken and {name} cannot be provided together."
            ))),
            None => Ok(()),
        }
    }
}

impl Kinesis {
    fn first_page(
        &self,
        first: First,
        limit: usize,
        context: &Context,
    ) -> Result<ShardPage, ApiError> {
        let First {
            place,
            after,
            created,
            filter,
        } = first;
        if (&place.name, &place.arn, &place.id) == (&None, &None, &None) {
            return Err(invalid_argument(
                "Either NextToken or StreamName should be provided.",
            ));
        }
        let stream = self.stream(place, context)?;
        if created.is_some_and(|created| created.0 / 1000 != describe::created(&stream).0 / 1000) {
            return Err(no_stream(&stream.record.name, &context.account.0));
        }
        let after = after
            .map(|id| shard_index(&id, &stream.record.name, context))
            .transpose()?;
        let (after, filter) = match filter {
            Some(filter) => read_filter(filter, after, &stream, context)?,
            None => (after, ShardFilter::default()),
        };
        Ok(self.streams.list_shards(&stream, after, filter, limit))
    }
}

/// Where the filter starts and which shards it wants from there on.
fn read_filter(
    filter: shapes::ShardFilter,
    after: Option<ShardIndex>,
    stream: &Stream,
    context: &Context,
) -> Result<(Option<ShardIndex>, ShardFilter), ApiError> {
    let shapes::ShardFilter {
        r#type,
        shard_id,
        timestamp,
    } = filter;
    // AWS's model: "This property can only be used if" the types that are meant are specified.
    let takes_id = r#type == "AFTER_SHARD_ID";
    let takes_time = ["AT_TIMESTAMP", "FROM_TIMESTAMP"].contains(&&*r#type);
    let others = [
        ("ShardId", shard_id.is_some() && !takes_id),
        ("Timestamp", timestamp.is_some() && !takes_time),
    ];
    if let Some((member, _)) = others.iter().find(|(_, given)| *given) {
        return Err(invalid_argument(format!(
            "{member} cannot be provided for a ShardFilter of type {type}."
        )));
    }
    let needs = |member: &str| {
        invalid_argument(format!(
            "{member} must be provided for a ShardFilter of type {}.",
            r#type
        ))
    };
    let time = || {
        timestamp
            .map(describe::millis)
            .ok_or_else(|| needs("Timestamp"))
    };
    Ok(match r#type.as_str() {
        // AWS's model does not say what an ExclusiveStartShardId beside the ShardId means, but that both do the same:
        // the filter's holds.
        "AFTER_SHARD_ID" => {
            let id = shard_id.as_ref().ok_or_else(|| needs("ShardId"))?;
            (
                Some(shard_index(id, &stream.record.name, context)?),
                ShardFilter::FromTrimHorizon,
            )
        }
        "AT_TRIM_HORIZON" => (after, ShardFilter::AtTrimHorizon),
        "AT_LATEST" => (after, ShardFilter::AtLatest),
        "AT_TIMESTAMP" => (after, ShardFilter::AtTimestamp(time()?)),
        "FROM_TIMESTAMP" => (after, ShardFilter::FromTimestamp(time()?)),
        _ => (after, ShardFilter::FromTrimHorizon),
    })
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    fn ids(page: &Value) -> Vec<&str> {
        page["Shards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|shard| &shard["ShardId"].as_str().unwrap()[19..])
            .collect()
    }

    #[tokio::test]
    async fn pages_follow_by_token_alone_until_it_expires() {
        let world = World::with_stream(5).await;
        let page = world
            .ok::<ops::ListShards>(json!({"StreamName": "s", "MaxResults": 2}))
            .await;
        assert_eq!(ids(&page), ["0", "1"]);
        let token = &page["NextToken"];
        let page = world
            .ok::<ops::ListShards>(json!({"NextToken": token, "MaxResults": 3}))
            .await;
        assert_eq!(
            (ids(&page), page.get("NextToken")),
            (vec!["2", "3", "4"], None)
        );
        for (member, value) in [
            ("StreamName", json!("s")),
            (
                "StreamARN",
                json!("arn:aws:kinesis:us-east-1:000000000000:stream/s"),
            ),
            ("ExclusiveStartShardId", json!("0")),
            ("ShardFilter", json!({"Type": "AT_LATEST"})),
        ] {
            let refused = world
                .refused::<ops::ListShards>(json!({"NextToken": token, member: value}))
                .await;
            let text = format!("NextToken and {member} cannot be provided together.");
            assert_eq!(refused, refusal("InvalidArgumentException", text));
        }
        world.advance(300_001);
        let (code, _) = world
            .refused::<ops::ListShards>(json!({"NextToken": token}))
            .await;
        assert_eq!(code, "ExpiredNextTokenException");
        let (code, _) = world
            .refused::<ops::ListShards>(json!({"NextToken": "x"}))
            .await;
        assert_eq!(code, "InvalidArgumentException");
    }

    #[tokio::test]
    async fn all_six_filters_are_understood() {
        let world = World::with_stream(3).await;
        let listed = async |filter: Value| {
            let page = world
                .ok::<ops::ListShards>(json!({"StreamName": "s", "ShardFilter": filter}))
                .await;
            ids(&page).len()
        };
        for kind in ["AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST"] {
            assert_eq!(listed(json!({"Type": kind})).await, 3);
        }
        for kind in ["AT_TIMESTAMP", "FROM_TIMESTAMP"] {
            assert_eq!(listed(json!({"Type": kind, "Timestamp": 1})).await, 3);
        }
        assert_eq!(
            listed(json!({"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000000"})).await,
            2
        );
        for (kind, member) in [
            ("AFTER_SHARD_ID", "ShardId"),
            ("AT_TIMESTAMP", "Timestamp"),
            ("FROM_TIMESTAMP", "Timestamp"),
        ] {
            let input = json!({"StreamName": "s", "ShardFilter": {"Type": kind}});
            let (code, text) = world.refused::<ops::ListShards>(input).await;
            assert_eq!(code, "InvalidArgumentException");
            assert!(text.starts_with(member), "{text}");
        }
    }

    #[tokio::test]
    async fn filters_take_only_what_their_type_uses() {
        let world = World::with_stream(1).await;
        let id = json!("shardId-000000000000");
        let shard = |kind| (kind, "ShardId", id.clone());
        let time = |kind| (kind, "Timestamp", json!(1));
        for (kind, member, value) in [
            shard("AT_TRIM_HORIZON"),
            shard("FROM_TRIM_HORIZON"),
            shard("AT_LATEST"),
            shard("AT_TIMESTAMP"),
            shard("FROM_TIMESTAMP"),
            time("AFTER_SHARD_ID"),
            time("AT_TRIM_HORIZON"),
            time("FROM_TRIM_HORIZON"),
            time("AT_LATEST"),
        ] {
            let filter = json!({"Type": kind, member: value});
            let input = json!({"StreamName": "s", "ShardFilter": filter});
            let text = format!("{member} cannot be provided for a ShardFilter of type {kind}.");
            assert_eq!(
                world.refused::<ops::ListShards>(input).await,
                refusal("InvalidArgumentException", text)
            );
        }
    }

    #[tokio::test]
    async fn the_shard_of_a_filter_goes_before_the_one_beside_it() {
        let world = World::with_stream(4).await;
        let page = world
            .ok::<ops::ListShards>(
                json!({"StreamName": "s", "ExclusiveStartShardId": "shardId-000000000002",
                "ShardFilter": {"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000000"}}),
            )
            .await;
        assert_eq!(ids(&page), ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn filters_tell_closed_shards_from_open_ones() {
        let world = World::with_stream(1).await;
        world.advance(60_000);
        world.split().await;
        let listed = async |filter: Value| {
            let page = world
                .ok::<ops::ListShards>(json!({"StreamName": "s", "ShardFilter": filter}))
                .await;
            ids(&page).join("")
        };
        assert_eq!(listed(json!({"Type": "FROM_TRIM_HORIZON"})).await, "012");
        assert_eq!(listed(json!({"Type": "AT_TRIM_HORIZON"})).await, "0");
        assert_eq!(listed(json!({"Type": "AT_LATEST"})).await, "12");
        assert_eq!(
            listed(json!({"Type": "AT_TIMESTAMP", "Timestamp": 1_700_000_030})).await,
            "0"
        );
        assert_eq!(
            listed(json!({"Type": "FROM_TIMESTAMP", "Timestamp": 1_700_000_061})).await,
            "12"
        );
        assert_eq!(
            listed(json!({"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000001"})).await,
            "2"
        );
        world.advance(24 * 3_600_000 + 1000);
        assert_eq!(listed(json!({"Type": "FROM_TRIM_HORIZON"})).await, "12");
    }

    #[tokio::test]
    async fn a_stream_is_named_and_its_age_may_be() {
        let world = World::with_stream(1).await;
        let refused = world.refused::<ops::ListShards>(json!({})).await;
        let text = "Either NextToken or StreamName should be provided.";
        assert_eq!(refused, refusal("InvalidArgumentException", text));
        let aged = |time: u64| json!({"StreamName": "s", "StreamCreationTimestamp": time});
        assert_eq!(
            ids(&world.ok::<ops::ListShards>(aged(1_700_000_000)).await).len(),
            1
        );
        let (code, _) = world.refused::<ops::ListShards>(aged(1_600_000_000)).await;
        assert_eq!(code, "ResourceNotFoundException");
    }
}
