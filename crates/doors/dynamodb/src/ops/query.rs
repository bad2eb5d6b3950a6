//! Query.

use headwater_expressions::{Condition, KeyConditions};
use headwater_items::Item;
use headwater_shapes_dynamodb::{QueryInput, QueryOutput, ops::Query};
use headwater_tables::{Range, ReadOptions};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, Split, Told},
        dialect::Dialects,
        filter::{Filtering, check_of_query},
        named::Named,
        page::Showing,
        placeholders::{Sent, check_used},
        projection::{Projecting, Wanted},
        query::{self, Keyed},
        select::{Select, Selection},
        source::Source,
        start,
    },
};

/// What a request asks, before it is known whether its table takes it.
struct Asked {
    named: Named,
    index: Option<String>,
    keys: KeyConditions,
    filter: Option<Condition>,
    /// What AWS calls the filter.
    filter_name: &'static str,
    wanted: Wanted,
    select: Select,
    start: Option<Item>,
    limit: Option<usize>,
    descending: bool,
    consistency: Consistency,
    told: Told,
}

impl Handle<Query> for Dynamo {
    async fn handle(&self, input: QueryInput, context: &Context) -> Result<QueryOutput, ApiError> {
        let asked = read(input, context)?;
        let table = self.open(&asked.named, context)?;
        let is_consistent = asked.consistency == Consistency::Strong;
        let source = Source::find(&table, asked.index.as_deref(), is_consistent)?;
        let keys = query::of_source(asked.keys, &source)?;
        if let Some(start) = &asked.start {
            start::check_query(start, &keys, &source)?;
        }
        asked.wanted.check(&table)?;
        if let Some(filter) = &asked.filter {
            check_of_query(filter, asked.filter_name, &source)?;
        }
        let whole = asked.select.whole(&asked.wanted, &source)?;
        let finds_one = query::finds_one(&keys, &source);
        let range = Range::Query(headwater_tables::Query {
            keys,
            descending: asked.descending,
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
        Ok(QueryOutput {
            items: page.items,
            count: page.count,
            scanned_count: page.scanned,
            // Behind the one item that can be found there is none, and AWS does not go on there.
            last_evaluated_key: page.last.filter(|_| !finds_one),
            consumed_capacity: consumed,
        })
    }
}

fn read(input: QueryInput, context: &Context) -> Result<Asked, ApiError> {
    let QueryInput {
        table_name,
        index_name,
        select,
        attributes_to_get,
        limit,
        consistent_read,
        key_conditions,
        query_filter,
        conditional_operator,
        scan_index_forward,
        exclusive_start_key,
        return_consumed_capacity,
        projection_expression,
        filter_expression,
        key_condition_expression,
        expression_attribute_names,
        expression_attribute_values,
    } = input;
    let named = Named::new(table_name, context)?;
    let sent = Sent {
        names: expression_attribute_names,
        values: expression_attribute_values,
    };
    let filtering = Filtering {
        expression: filter_expression,
        older: query_filter,
        operator: conditional_operator,
    };
    let projecting = Projecting {
        expression: projection_expression,
        attributes: attributes_to_get,
    };
    let keyed = Keyed {
        expression: key_condition_expression,
        older: key_conditions,
    };
    check_dialects(&projecting, &filtering, &keyed, &sent)?;
    let selection = Selection {
        select: select.as_deref(),
        projection: projecting.name(),
        of_index: index_name.is_some(),
        prefix: "1 validation error detected: ",
    };
    let select = selection.read()?;
    let start = start::read(exclusive_start_key)?;
    keyed.check()?;
    let mut placeholders = sent.read()?;
    let filter_name = filtering.name_in_query();
    let keys = keyed.read(&mut placeholders)?;
    let filter = filtering.read(&mut placeholders)?;
    let wanted = projecting.read(&mut placeholders)?;
    check_used(&placeholders)?;
    Ok(Asked {
        named,
        index: index_name,
        keys,
        filter,
        filter_name,
        wanted,
        select,
        start,
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
        descending: scan_index_forward == Some(false),
        consistency: Consistency::of(consistent_read),
        told: Told::of(return_consumed_capacity.as_deref()),
    })
}

fn check_dialects(
    projecting: &Projecting,
    filtering: &Filtering,
    keyed: &Keyed,
    sent: &Sent,
) -> Result<(), ApiError> {
    // The older keys may come with a filter or a projection of the newer dialect.
    let both_keys = keyed.older.is_some() && keyed.expression.is_some();
    let dialects = Dialects {
        projection: Some(projecting.expression.is_some()),
        expressions: &[
            ("FilterExpression", filtering.expression.is_some()),
            ("KeyConditionExpression", keyed.expression.is_some()),
        ],
        older: &[
            ("AttributesToGet", projecting.attributes.is_some()),
            ("QueryFilter", filtering.older.is_some()),
            ("ConditionalOperator", filtering.operator.is_some()),
            ("KeyConditions", both_keys),
        ],
    };
    dialects.check(sent)
}
