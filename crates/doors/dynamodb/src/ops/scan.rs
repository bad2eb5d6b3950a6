//! Scan.

use headwater_expressions::Condition;
use headwater_items::Item;
use headwater_shapes_dynamodb::{ScanInput, ScanOutput, ops::Scan};
use headwater_tables::{Range, ReadOptions};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Consistency, Split, Told},
        dialect::Dialects,
        failed::below,
        filter::Filtering,
        named::Named,
        page::Showing,
        paths,
        placeholders::{Sent, check_used},
        projection::{Projecting, Wanted},
        select::{Select, Selection},
        source::Source,
        start,
    },
};

/// What a request asks, before it is known whether its table takes it.
struct Asked {
    named: Named,
    index: Option<String>,
    segment: (u32, u32),
    filter: Option<Condition>,
    wanted: Wanted,
    select: Select,
    start: Option<Item>,
    limit: Option<usize>,
    consistency: Consistency,
    told: Told,
}

impl Handle<Scan> for Dynamo {
    async fn handle(&self, input: ScanInput, context: &Context) -> Result<ScanOutput, ApiError> {
        let asked = read(input, context)?;
        let table = self.open(&asked.named, context)?;
        let is_consistent = asked.consistency == Consistency::Strong;
        let source = Source::find(&table, asked.index.as_deref(), is_consistent)?;
        let whole = asked.select.whole(&asked.wanted, &source)?;
        if let Some(start) = &asked.start {
            start::check_scan(start, &source)?;
            self.check_segment(start, asked.segment, &source)?;
        }
        asked.wanted.check(&table)?;
        if let Some(filter) = &asked.filter {
            paths::check(&paths::of_condition(filter), &table)?;
        }
        let range = Range::Scan(headwater_tables::Scan {
            segment: asked.segment,
            options: ReadOptions {
                after: asked.start,
                limit: asked.limit,
                filter: asked.filter,
                count_only: asked.select == Select::Count,
                whole,
            },
        });
        let showing = Showing {
            select: asked.select,
            wanted: asked.wanted,
            consistency: asked.consistency,
        };
        let page = self.page(&source, range, showing, context).await?;
        let consumed = asked
            .told
            .consumed(&asked.named.given, &page.units, Split::Untold);
        Ok(ScanOutput {
            items: page.items,
            count: page.count,
            scanned_count: page.scanned,
            last_evaluated_key: page.last,
            consumed_capacity: consumed,
        })
    }
}

impl Dynamo {
    /// Whether the scan of a segment comes by the key behind which it is to go on.
    fn check_segment(
        &self,
        start: &Item,
        (segment, of): (u32, u32),
        source: &Source<'_>,
    ) -> Result<(), ApiError> {
        let is_in = self
            .tables
            .is_in_segment(&source.target(), (segment, of), start);
        match is_in.map_err(below)? {
            true => Ok(()),
            false => Err(validation(format!(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
                 Segment. TotalSegments: {of} Segment: {segment}"
            ))),
        }
    }
}

fn read(input: ScanInput, context: &Context) -> Result<Asked, ApiError> {
    let ScanInput {
        table_name,
        index_name,
        attributes_to_get,
        limit,
        select,
        scan_filter,
        conditional_operator,
        exclusive_start_key,
        return_consumed_capacity,
        total_segments,
        segment,
        projection_expression,
        filter_expression,
        expression_attribute_names,
        expression_attribute_values,
        consistent_read,
    } = input;
    let named = Named::new(table_name, context)?;
    let sent = Sent {
        names: expression_attribute_names,
        values: expression_attribute_values,
    };
    let filtering = Filtering {
        expression: filter_expression,
        older: scan_filter,
        operator: conditional_operator,
    };
    let projecting = Projecting {
        expression: projection_expression,
        attributes: attributes_to_get,
    };
    check_dialects(&projecting, &filtering, &sent)?;
    let selection = Selection {
        select: select.as_deref(),
        projection: projecting.name(),
        of_index: index_name.is_some(),
        prefix: "",
    };
    let select = selection.read()?;
    let start = start::read(exclusive_start_key)?;
    let segment = read_segment(segment, total_segments)?;
    let mut placeholders = sent.read()?;
    let filter = filtering.read(&mut placeholders)?;
    let wanted = projecting.read(&mut placeholders)?;
    check_used(&placeholders)?;
    Ok(Asked {
        named,
        index: index_name,
        segment,
        filter,
        wanted,
        select,
        start,
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
        consistency: Consistency::of(consistent_read),
        told: Told::of(return_consumed_capacity.as_deref()),
    })
}

fn check_dialects(
    projecting: &Projecting,
    filtering: &Filtering,
    sent: &Sent,
) -> Result<(), ApiError> {
    let dialects = Dialects {
        projection: Some(projecting.expression.is_some()),
        expressions: &[("FilterExpression", filtering.expression.is_some())],
        older: &[
            ("AttributesToGet", projecting.attributes.is_some()),
            ("ScanFilter", filtering.older.is_some()),
            ("ConditionalOperator", filtering.operator.is_some()),
        ],
    };
    dialects.check(sent)
}

/// The segment, and of how many: the only one where none is named.
fn read_segment(segment: Option<i32>, of: Option<i32>) -> Result<(u32, u32), ApiError> {
    let number = |sent: i32| u32::try_from(sent).unwrap_or_default();
    match (segment, of) {
        (None, None) => Ok((0, 1)),
        (Some(_), None) => Err(validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
             present",
        )),
        (None, Some(_)) => Err(validation(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
             present",
        )),
        (Some(segment), Some(of)) if segment >= of => Err(validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not \
             less than TotalSegments: {of}"
        ))),
        (Some(segment), Some(of)) => Ok((number(segment), number(of))),
    }
}
