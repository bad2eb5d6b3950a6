//! Pages of queries and scans as answers show them.

use headwater_tables::{CallKind, Ended, Page, Range, Units};
use headwater_wire::{ApiError, Context};

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, of_page},
        failed::below,
        projection::Wanted,
        select::Select,
        source::Source,
        throttled,
        values::{Attributes, shown},
    },
};

/// A page as answers show it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    /// The items, where more than their number is asked for.
    pub items: Option<Vec<Attributes>>,
    /// How many these are.
    pub count: Option<i32>,
    /// How many were looked at.
    pub scanned: Option<i32>,
    /// The key behind which the next page begins.
    pub last: Option<Attributes>,
    /// What it took.
    pub units: Units,
}

/// What is shown of the items of a page.
#[derive(Debug, Clone)]
pub(crate) struct Showing {
    /// What is given.
    pub select: Select,
    /// The wanted parts of items.
    pub wanted: Wanted,
    /// How the page is read.
    pub consistency: Consistency,
}

impl Dynamo {
    /// Reads a page and shows it.
    pub(crate) async fn page(
        &self,
        source: &Source<'_>,
        range: Range,
        showing: Showing,
        context: &Context,
    ) -> Result<Shown, ApiError> {
        let (page, units) = self
            .page_of(source, range, showing.consistency, context)
            .await?;
        let Page {
            items,
            count,
            scanned,
            bytes: _,
            last,
        } = page;
        let items = items.into_iter().map(|item| showing.wanted.shown(item));
        Ok(Shown {
            items: (showing.select != Select::Count).then(|| items.collect()),
            count: i32::try_from(count).ok(),
            scanned: i32::try_from(scanned).ok(),
            last: last.map(shown),
            units,
        })
    }

    /// Reads a page, and says what that took.
    pub(crate) async fn page_of(
        &self,
        source: &Source<'_>,
        range: Range,
        consistency: Consistency,
        context: &Context,
    ) -> Result<(Page, Units), ApiError> {
        let (target, partition) = (source.target(), source.partition_of(&range));
        let (began, kind) = (self.clock.elapsed(), CallKind::of_range(&range));
        let ended = |ended| self.called(&target.table, kind, ended, began);
        let metered = self.tables.metered(&target, partition).map_err(below)?;
        metered.admit().map_err(|error| {
            ended(Ended::Throttled);
            throttled::api(&error, &source.table.name, context)
        })?;
        let page = self.tables.page(&target, range).await;
        ended(Ended::of_page(&page));
        let page = page.map_err(below)?;
        let units = of_page(&page, source, consistency);
        metered.take(&units);
        Ok((page, units))
    }
}
