//! GetPartitions, by their values, or those that an expression finds.

use headwater_shapes_glue::{
    GetPartitionsRequest, GetPartitionsResponse, Segment, ops::GetPartitions,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::Partition;
use serde_json::Value;

use crate::{
    Glue,
    errors::{api, invalid_input, refuse},
    filter::Filter,
    partition::{Place, Values},
    show, token,
};

/// Partitions in one answer (AWS: 1,000).
const PAGE: usize = 1000;
/// Bytes of descriptions in one answer, after which no other is begun.
pub(super) const PAGE_BYTES: usize = 4 << 20;
/// Partitions that are read together.
const SCAN: usize = 200;
/// Partitions that one call looks at; if fewer than a page are wanted, it answers with those and a token.
const LOOKED_AT_MAX: usize = 10_000;

impl Handle<GetPartitions> for Glue {
    async fn handle(
        &self,
        input: GetPartitionsRequest,
        context: &Context,
    ) -> Result<GetPartitionsResponse, ApiError> {
        let GetPartitionsRequest {
            catalog_id,
            database_name,
            table_name,
            expression,
            next_token,
            segment,
            max_results,
            exclude_column_schema,
            transaction_id,
            query_as_of_time,
            audit_context,
        } = input;
        refuse(transaction_id.is_some(), "TransactionId")?;
        refuse(query_as_of_time.is_some(), "QueryAsOfTime")?;
        refuse(audit_context.is_some(), "AuditContext")?;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let wanted = Wanted {
            filter: Filter::new(expression.as_deref().unwrap_or_default(), &place.keys)?,
            segment: segment.map(Share::of).transpose()?,
        };
        let after = next_token.as_deref().map(token::values).transpose()?;
        let most = max_results.map_or(PAGE, |most| PAGE.min(most.unsigned_abs() as usize));
        let (found, next) = self.found_partitions(&place, &wanted, after, most).await?;
        let mut shown = Vec::new();
        for (values, partition) in found {
            let mut partition = show::partition(&place, values, partition, context)?;
            if exclude_column_schema == Some(true)
                && let Some(storage) = &mut partition.storage_descriptor
            {
                storage.columns = None;
            }
            shown.push(partition);
        }
        Ok(GetPartitionsResponse {
            partitions: Some(shown),
            next_token: next.as_deref().map(token::after_values),
        })
    }
}

impl Glue {
    /// At most `most` partitions that come after `after` and are wanted, and the values of the last one that was looked
    /// at, unless it was the table's last.
    async fn found_partitions(
        &self,
        place: &Place,
        wanted: &Wanted,
        mut after: Option<Values>,
        most: usize,
    ) -> Result<(Vec<(Values, Partition)>, Option<Values>), ApiError> {
        let (mut found, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
        loop {
            let partitions = self
                .schemas
                .partitions(&place.database, &place.table, after.as_deref(), SCAN)
                .await
                .map_err(api)?;
            let last = partitions.len() < SCAN;
            for (values, partition) in partitions {
                if found.len() == most || bytes >= PAGE_BYTES || looked_at == LOOKED_AT_MAX {
                    return Ok((found, after));
                }
                looked_at += 1;
                after = Some(values.clone());
                if wanted.has(&values)? {
                    bytes += size(&partition.document);
                    found.push((values, partition));
                }
            }
            if last {
                return Ok((found, None));
            }
        }
    }
}

/// The partitions that a request wants.
struct Wanted {
    filter: Option<Filter>,
    segment: Option<Share>,
}

impl Wanted {
    fn has(&self, values: &[String]) -> Result<bool, ApiError> {
        if self.segment.is_some_and(|share| !share.has(values)) {
            return Ok(false);
        }
        self.filter
            .as_ref()
            .map_or(Ok(true), |filter| filter.passes(values))
    }
}

/// A share of a table's partitions: those whose values' hash has this remainder.
#[derive(Clone, Copy)]
struct Share {
    number: u32,
    of: u32,
}

impl Share {
    fn of(segment: Segment) -> Result<Self, ApiError> {
        let Segment {
            segment_number,
            total_segments,
        } = segment;
        match segment_number < total_segments {
            true => Ok(Self {
                number: segment_number.unsigned_abs(),
                of: total_segments.unsigned_abs(),
            }),
            false => Err(invalid_input(format!(
                "Segment number {segment_number} is not below the total of {total_segments} segments."
            ))),
        }
    }

    /// The hash (FNV-1a) is the same in all calls, so that each partition is in one share.
    fn has(self, values: &[String]) -> bool {
        let bytes = values.iter().flat_map(|value| value.bytes());
        let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        hash % self.of == self.number
    }
}

/// About how many bytes a document takes in an answer.
pub(super) fn size(document: &Value) -> usize {
    match document {
        Value::String(text) => text.len() + 2,
        Value::Array(all) => all.iter().map(|one| size(one) + 1).sum(),
        Value::Object(all) => all.iter().map(|(key, one)| key.len() + size(one) + 4).sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::GetPartitions;
    use serde_json::{Value, json};

    use crate::testing::{World, partition, refusal};

    fn all() -> Value {
        json!({ "DatabaseName": "d", "TableName": "p" })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut input = all();
        input[name] = value;
        input
    }

    fn values(answer: &Value) -> Vec<String> {
        let list = answer["Partitions"].as_array().unwrap().iter();
        let joined = |partition: &Value| {
            let values = partition["Values"].as_array().unwrap().iter();
            let values = values.map(|value| value.as_str().unwrap());
            values.collect::<Vec<_>>().join("/")
        };
        list.map(joined).collect()
    }

    #[tokio::test]
    async fn partitions_come_in_pages_by_their_values() {
        let names: Vec<String> = (0..450).map(|at| format!("{at:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::with_partitions("at string", &names).await;
        for page in [1000, 450, 200, 100] {
            let (mut found, mut pages) = (Vec::new(), 0);
            let mut input = with("MaxResults", json!(page));
            loop {
                let answer = world.ok::<GetPartitions>(input.clone()).await;
                found.extend(values(&answer));
                pages += 1;
                if answer["NextToken"].is_null() {
                    break;
                }
                input["NextToken"] = answer["NextToken"].clone();
            }
            assert_eq!(found, names, "{page}");
            assert_eq!(pages, 450_usize.div_ceil(page), "{page}");
        }
        let wrong = world.refused::<GetPartitions>(with("NextToken", json!("#")));
        assert_eq!(wrong.await.0, "InvalidInputException");
    }

    #[tokio::test]
    async fn segments_share_the_partitions_among_them() {
        let names: Vec<String> = (0..60).map(|at| format!("{at:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::with_partitions("at string", &names).await;
        let mut found = Vec::new();
        for number in 0..5 {
            let segment = json!({ "SegmentNumber": number, "TotalSegments": 5 });
            let answer = world.ok::<GetPartitions>(with("Segment", segment)).await;
            let share = values(&answer);
            assert!(!share.is_empty());
            found.extend(share);
        }
        found.sort();
        assert_eq!(found, names);
        let segment = json!({ "SegmentNumber": 5, "TotalSegments": 5 });
        let refused = world.refused::<GetPartitions>(with("Segment", segment));
        assert_eq!(refused.await.0, "InvalidInputException");
    }

    #[tokio::test]
    async fn an_expression_finds_partitions_and_columns_may_be_left_out() {
        let world = World::with_partitions("year string, month int", &[]).await;
        let mut input = partition("2024/2");
        let storage = json!({ "Columns": [{ "Name": "c" }], "Location": "s3://b/p" });
        input["PartitionInput"]["StorageDescriptor"] = storage;
        world.create(input).await;
        world.create(partition("2024/11")).await;
        let mut input = with("Expression", json!("year = '2024' AND month < 10"));
        input["ExcludeColumnSchema"] = json!(true);
        let answer = world.ok::<GetPartitions>(input).await;
        assert_eq!(values(&answer), ["2024/2"]);
        assert_eq!(
            answer["Partitions"][0]["StorageDescriptor"],
            json!({ "Location": "s3://b/p" })
        );
        assert_eq!(
            values(
                &world
                    .ok::<GetPartitions>(with("Expression", json!(" ")))
                    .await
            ),
            ["2024/11", "2024/2"],
            "a blank one is none"
        );
        assert_eq!(
            world
                .refused::<GetPartitions>(with("Expression", json!("day = 1")))
                .await,
            refusal("InvalidInputException", "Invalid partition expression!")
        );
    }

    #[tokio::test]
    async fn what_is_not_built_is_refused() {
        let world = World::with_partitions("at string", &[]).await;
        for (name, value) in [
            ("TransactionId", json!("x")),
            ("QueryAsOfTime", json!(1)),
            ("AuditContext", json!({})),
        ] {
            let refused = world.refused::<GetPartitions>(with(name, value)).await;
            assert_eq!(refused.0, "NotImplemented", "{name}");
        }
    }
}
