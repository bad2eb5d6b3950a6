//! DescribeStream.

use headwater_shapes::Timestamp;
use headwater_shapes_dynamodbstreams::{
    DescribeStreamInput, DescribeStreamOutput, KeySchemaElement, SequenceNumberRange, Shard,
    ShardFilter, StreamDescription, ops::DescribeStream,
};
use headwater_tables::{ShardId, Stream, StreamShard};
use headwater_wire::{ApiError, Context, Handle};

use super::page;
use crate::{
    Dynamo,
    errors::validation,
    place::label,
    schema,
    stream::view_name,
    streams::{errors::api, number, place::Named},
};

/// Shards of a page. (Source: the API's reference.)
const PAGE: i32 = 100;

impl Handle<DescribeStream> for Dynamo {
    async fn handle(
        &self,
        input: DescribeStreamInput,
        context: &Context,
    ) -> Result<DescribeStreamOutput, ApiError> {
        let DescribeStreamInput {
            stream_arn,
            limit,
            exclusive_start_shard_id,
            shard_filter,
        } = input;
        let limit = page(limit, PAGE)?;
        let parent = shard_filter.map(parent).transpose()?;
        let named = Named::read(&stream_arn, context)?;
        let failed = |error| api(error, &stream_arn);
        let stream = self.stream(&named)?;
        let described = stream.described().map_err(failed)?;
        let mut shards = stream.shards().map_err(failed)?;
        shards.retain(|shard| {
            let is_child = parent.is_none_or(|parent| shard.parent == Some(parent));
            let after = exclusive_start_shard_id.as_deref();
            is_child && after.is_none_or(|after| shard.id.to_string().as_str() > after)
        });
        let has_more = shards.len() > limit;
        shards.truncate(limit);
        let last = shards.last().filter(|_| has_more);
        let key = &self.tables.get(named.table).map_err(failed)?.key;
        let key = schema::show_key(key)
            .into_iter()
            .map(|element| KeySchemaElement {
                attribute_name: element.attribute_name,
                key_type: element.key_type,
            });
        Ok(DescribeStreamOutput {
            stream_description: Some(StreamDescription {
                stream_label: Some(label(named.label)),
                stream_status: Some(status(&described).to_owned()),
                stream_view_type: Some(view_name(described.view).to_owned()),
                creation_request_date_time: Some(Timestamp(
                    i64::try_from(named.label.0).unwrap_or(i64::MAX),
                )),
                table_name: Some(named.table.to_owned()),
                key_schema: Some(key.collect()),
                last_evaluated_shard_id: last.map(|shard| shard.id.to_string()),
                shards: Some(shards.iter().map(show).collect()),
                stream_arn: Some(stream_arn),
            }),
        })
    }
}

/// The shard whose children a filter asks for.
fn parent(filter: ShardFilter) -> Result<ShardId, ApiError> {
    let ShardFilter { r#type, shard_id } = filter;
    let missing = |member: &str| {
        validation(format!(
            "1 validation error detected: Value null at 'shardFilter.{member}' failed to satisfy constraint: Member must \
             not be null"
        ))
    };
    // `wire` has checked that the type is one, and there is only one.
    r#type.ok_or_else(|| missing("type"))?;
    let id = shard_id.ok_or_else(|| missing("shardId"))?;
    id.parse()
        .map_err(|_| validation(format!("Invalid ShardFilter.ShardId: {id}")))
}

fn status(stream: &Stream) -> &'static str {
    match stream.disabled {
        _ if stream.is_enabling() => "ENABLING",
        None => "ENABLED",
        Some(_) if stream.is_disabling() => "DISABLING",
        Some(_) => "DISABLED",
    }
}

fn show(shard: &StreamShard) -> Shard {
    Shard {
        shard_id: Some(shard.id.to_string()),
        sequence_number_range: Some(SequenceNumberRange {
            starting_sequence_number: Some(number::start(shard)),
            ending_sequence_number: number::end(shard),
        }),
        parent_shard_id: shard.parent.map(|parent| parent.to_string()),
    }
}
