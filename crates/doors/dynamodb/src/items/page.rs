//! Pages of queries and scans as answers show them.

use headwater_tables::{Page, Range};
use headwater_wire::ApiError;

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, Units},
        failed::below,
        projection::Wanted,
        select::Select,
        source::Source,
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
    ) -> Result<Shown, ApiError> {
        let page = self.tables.page(&source.target(), range).await;
        let page = page.map_err(below)?;
        let units = Units::of_page(&page, source, showing.consistency);
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
}
