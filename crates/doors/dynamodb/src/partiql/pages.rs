//! Pages of statements that read.

use headwater_items::Item;
use headwater_partiql::{Select, Statement};
use headwater_shapes_dynamodb::ExecuteStatementOutput;
use headwater_tables::{Page, Range, ReadOptions, TableRecord, Units, limits::PAGE_BYTES};
use headwater_wire::{ApiError, Context};

use super::{
    alone, named,
    token::{Place, not_one},
    way::Way,
};
use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Consistency, Split, Told},
        paths,
        projection::Wanted,
        query::finds_one,
        select,
        source::Source,
        start,
        values::{Attributes, shown},
    },
};

/// What is asked of a statement that reads, beside the statement.
pub(crate) struct Pages {
    /// A digest of the statement and its parameters.
    pub digest: [u8; 32],
    /// The token of the page before.
    pub token: Option<String>,
    /// Items that are looked at, at the most.
    pub limit: Option<usize>,
    /// `ConsistentRead`.
    pub consistency: Consistency,
    /// `ReturnConsumedCapacity`.
    pub told: Told,
}

/// The way through what is read.
struct Walk<'a> {
    select: &'a Select,
    source: &'a Source<'a>,
    way: Way,
    options: ReadOptions,
    limit: Option<usize>,
    consistency: Consistency,
}

/// What was read so far.
#[derive(Default)]
struct Found {
    items: Vec<Attributes>,
    units: Units,
    scanned: usize,
    bytes: usize,
    /// Where it goes on.
    next: Option<Place>,
}

impl Dynamo {
    /// Reads a page of what a statement wants.
    pub(crate) async fn pages(
        &self,
        select: Select,
        pages: Pages,
        context: &Context,
    ) -> Result<ExecuteStatementOutput, ApiError> {
        let statement = Statement::Select(select.clone());
        let named = named(&statement, context)?;
        let table = self.open(&named, &alone(&statement, context))?;
        let source = source_of(&select, &table, pages.consistency)?;
        let way = Way::new(&select, &source)?;
        let place = pages.token.as_deref();
        let place = place.map(|token| Place::of_token(token, &pages.digest));
        let place = place.transpose()?.unwrap_or_default();
        if let Some(after) = &place.after {
            check_start(after, way.place(place.number), &source).map_err(|_| not_one())?;
        }
        let walk = Walk {
            select: &select,
            source: &source,
            way,
            options: options(&select, &source)?,
            limit: pages.limit,
            consistency: pages.consistency,
        };
        let found = self.walk(walk, place, context).await?;
        let last = found.next.as_ref().and_then(|place| place.after.clone());
        Ok(ExecuteStatementOutput {
            items: Some(found.items),
            next_token: found.next.map(|place| place.token(&pages.digest)),
            consumed_capacity: pages
                .told
                .consumed(&named.given, &found.units, Split::Untold),
            last_evaluated_key: last.map(shown),
        })
    }

    /// Reads one place after the other, from this one on, until a page is full.
    async fn walk(
        &self,
        walk: Walk<'_>,
        mut place: Place,
        context: &Context,
    ) -> Result<Found, ApiError> {
        let mut found = Found::default();
        loop {
            let is_full = found.bytes >= PAGE_BYTES || walk.limit == Some(found.scanned);
            let options = ReadOptions {
                after: place.after.take(),
                limit: walk.limit.map(|limit| limit.saturating_sub(found.scanned)),
                ..walk.options.clone()
            };
            let Some(range) = walk.way.range(place.number, options) else {
                return Ok(found);
            };
            if is_full {
                found.next = Some(place);
                return Ok(found);
            }
            let is_one = is_one(&range, walk.source);
            let (page, units) = self
                .page_of(walk.source, range, walk.consistency, context)
                .await?;
            let Page {
                items,
                count: _,
                scanned,
                bytes,
                last,
            } = page;
            let items = items.into_iter().map(|item| shown(walk.select.shown(item)));
            found.items.extend(items);
            found.units.add(&units, 1.0);
            found.scanned += scanned;
            found.bytes += bytes;
            if let Some(last) = last.filter(|_| !is_one) {
                place.after = Some(last);
                found.next = Some(place);
                return Ok(found);
            }
            place.number += 1;
        }
    }
}

/// Whether one item at the most is read: behind it there is none.
fn is_one(range: &Range, source: &Source<'_>) -> bool {
    match range {
        Range::Query(query) => finds_one(&query.keys, source),
        Range::Scan(_) => false,
    }
}

/// What is read, if it can be read so. AWS's texts are others than those of Query.
fn source_of<'a>(
    select: &'a Select,
    table: &'a TableRecord,
    consistency: Consistency,
) -> Result<Source<'a>, ApiError> {
    let index = select.from.index.as_deref();
    if let Some(name) = index
        && !table.local.contains_key(name)
    {
        if !table.global.contains_key(name) {
            return Err(validation("The table does not have the specified index"));
        }
        if consistency == Consistency::Strong {
            return Err(validation(
                "Strongly consistent read is not supported on Global Secondary Indexes",
            ));
        }
    }
    Source::find(table, index, false)
}

/// How a table or an index is read.
fn options(select: &Select, source: &Source<'_>) -> Result<ReadOptions, ApiError> {
    let wanted = Wanted::of(select.columns.clone());
    let kind = match select.columns.is_empty() {
        true => select::Select::Projected,
        false => select::Select::Specific,
    };
    let whole = kind.whole(&wanted, source)?;
    wanted.check(source.table)?;
    if let Some(condition) = &select.condition {
        paths::check(&paths::of_condition(condition), source.table)?;
    }
    Ok(ReadOptions {
        filter: select.condition.clone(),
        whole,
        ..ReadOptions::default()
    })
}

/// Whether reading can go on behind a key in a place.
fn check_start(
    after: &Item,
    place: Option<&headwater_expressions::KeyCondition>,
    source: &Source<'_>,
) -> Result<(), ApiError> {
    match place {
        Some(keys) => start::check_query(after, keys, source),
        None => start::check_scan(after, source),
    }
}
