//! Pages of queries and scans: the rows that a range means, and the items that they lead to.

use headwater_expressions::{Condition, KeyCondition, SortCondition};
use headwater_items::{Item, Value, decode, item_size, key};

use crate::{
    Error, KeySchema, Page, Query, Range, ReadOptions, Scan, Tables, Target,
    index::{Span, View, behind, behind_all},
    keys::{BaseKey, Row, RowKind, base_of, first_hash},
    layout::{Index, Layout, Order},
    limits::{PAGE_BYTES, PAGE_READ_BYTES},
    pass::find,
};

/// What is read, and how.
struct Reading<'a> {
    layout: &'a Layout,
    /// The index that is read; the table itself where there is none.
    index: Option<(&'a Index, &'a KeySchema)>,
    options: &'a ReadOptions,
    view: &'a dyn View,
}

impl Tables {
    /// A page of a query or a scan.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoIndex`], [`Error::WrongKey`], or what failed below.
    pub async fn page(&self, target: &Target, range: Range) -> Result<Page, Error> {
        let core = self.inner.core.clone();
        let (table, index) = (core.table(&target.table)?, target.index.clone());
        let (layout, env) = (table.layout(), core.env.clone());
        let read = move || read(&layout, index.as_deref(), &range, &*core.view());
        let page = env.blocking(read).await?;
        table.counters.paged(&page);
        Ok(page)
    }

    /// Whether a scan of a segment comes by the item with these attributes, which may go on behind it then.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoIndex`], or [`Error::WrongKey`].
    pub fn is_in_segment(
        &self,
        target: &Target,
        segment: (u32, u32),
        item: &Item,
    ) -> Result<bool, Error> {
        let core = &self.inner.core;
        let (layout, view) = (core.table(&target.table)?.layout(), core.view());
        let options = ReadOptions::default();
        let reading = Reading::new(&layout, target.index.as_deref(), &options, &*view)?;
        let (span, row) = (reading.of_scan(segment), reading.row(item)?);
        Ok(span.from <= row && row < span.to)
    }
}

/// Reads a page. Waits for the disk.
fn read(
    layout: &Layout,
    index: Option<&str>,
    range: &Range,
    view: &dyn View,
) -> Result<Page, Error> {
    let (options, descending) = match range {
        Range::Query(query) => (&query.options, query.descending),
        Range::Scan(scan) => (&scan.options, false),
    };
    let reading = Reading::new(layout, index, options, view)?;
    let mut span = match range {
        Range::Query(Query { keys, .. }) => reading.of_query(keys)?,
        Range::Scan(Scan { segment, .. }) => reading.of_scan(*segment),
    };
    if let Some(after) = &options.after {
        let row = reading.row(after)?;
        match descending {
            true => span.to = span.to.min(row),
            false => span.from = span.from.max(behind(row)),
        }
    }
    reading.page(&span, descending)
}

impl<'a> Reading<'a> {
    fn new(
        layout: &'a Layout,
        index: Option<&str>,
        options: &'a ReadOptions,
        view: &'a dyn View,
    ) -> Result<Self, Error> {
        let index = index.map(|name| layout.index(name)).transpose()?;
        let index = index.and_then(|index| match &index.order {
            Order::Key(key, _) => Some((index, key)),
            Order::Expiry(_) => None,
        });
        Ok(Self {
            layout,
            index,
            options,
            view,
        })
    }
}

impl Reading<'_> {
    fn wrong_key(&self) -> Error {
        Error::WrongKey(self.layout.record.name.clone())
    }

    /// The beginning of all rows of the table or the index.
    fn head(&self) -> Row {
        let table = self.layout.record.number;
        match self.index {
            Some((index, _)) => Row::of(RowKind::Entry, table).number(index.id),
            None => Row::of(RowKind::Item, table),
        }
    }

    /// The rows of a segment, and of how many.
    fn of_scan(&self, (segment, of): (u32, u32)) -> Span {
        let last = segment.saturating_add(1);
        match first_hash(segment, of) {
            Some(first) => self.head().numbers(first, first_hash(last, of)),
            None => Span::empty(),
        }
    }

    /// The rows whose keys a query wants.
    fn of_query(&self, keys: &KeyCondition) -> Result<Span, Error> {
        let mut partition = Vec::new();
        if !key::encode(&keys.partition.1, &mut partition) {
            return Err(self.wrong_key());
        }
        let hash = xxhash_rust::xxh3::xxh3_64(&partition);
        let start = self.head().number(hash).bytes(&partition).0;
        match &keys.sort {
            None => Ok(Span::of_prefix(start)),
            Some((_, wanted)) => sorted(&start, wanted).ok_or_else(|| self.wrong_key()),
        }
    }

    /// The row of an item with these attributes, of which only those of the keys matter.
    fn row(&self, item: &Item) -> Result<Vec<u8>, Error> {
        let (record, base) = (&self.layout.record, self.layout.base(item)?);
        match self.index {
            None => Ok(base.row(record.number)),
            Some((index, _)) => {
                let entry = index.entry(record, item, &base);
                entry.ok_or_else(|| self.wrong_key())
            }
        }
    }

    fn page(&self, span: &Span, descending: bool) -> Result<Page, Error> {
        let (mut page, mut read) = (Page::default(), 0);
        for row in self.view.range(span, descending) {
            let (row, value) = row?;
            let whole = self.item(&row, &value)?;
            read += item_size(&whole);
            let item = self.shown(whole);
            page.scanned += 1;
            page.bytes += item_size(&item);
            let is_full = Some(page.scanned) == self.options.limit
                || page.bytes >= PAGE_BYTES
                || read >= PAGE_READ_BYTES;
            if is_full {
                page.last = Some(self.key_of(&item));
            }
            let is_wanted = |filter: &Condition| filter.holds(&item);
            if self.options.filter.as_ref().is_none_or(is_wanted) {
                page.count += 1;
                if !self.options.count_only {
                    page.items.push(item);
                }
            }
            if is_full {
                break;
            }
        }
        Ok(page)
    }

    /// The item that a row has or leads to.
    fn item(&self, row: &[u8], value: &[u8]) -> Result<Item, Error> {
        let damaged = |what| Error::damaged(&self.layout.record.name, what);
        let Some((index, _)) = self.index else {
            return decode(value).map_err(|_| damaged("an item is not one"));
        };
        let base: Option<BaseKey> = base_of(row, index.values());
        let base = base.ok_or_else(|| damaged("an entry of an index is not one"))?;
        let item = find(self.view, &self.layout.record, &base)?;
        item.ok_or_else(|| damaged("an index has an entry of an item that is not there"))
    }

    /// What is shown of an item.
    fn shown(&self, mut item: Item) -> Item {
        if let Some((index, _)) = self.index
            && !self.options.whole
        {
            item.retain(|name, _| index.has(&self.layout.record, name));
        }
        item
    }

    /// The attributes of an item's key, and of its key in the index, which has both.
    fn key_of(&self, item: &Item) -> Item {
        let keys = [
            Some(&self.layout.record.key),
            self.index.map(|(_, key)| key),
        ];
        let names = keys.into_iter().flatten();
        let names = names.flat_map(|key| std::iter::once(&key.partition).chain(&key.sort));
        let found = names.filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
        found.collect()
    }
}

/// The rows that begin with `start` and go on with a value that is wanted; none where the value cannot be one of a key.
fn sorted(start: &[u8], wanted: &SortCondition) -> Option<Span> {
    let row = |value: &Value| {
        let mut row = start.to_vec();
        key::encode(value, &mut row).then_some(row)
    };
    let behind_start = || behind_all(start.to_vec());
    let (from, to) = match wanted {
        SortCondition::Equal(value) => (row(value)?, behind_all(row(value)?)),
        SortCondition::Less(value) => (start.to_vec(), row(value)?),
        SortCondition::LessOrEqual(value) => (start.to_vec(), behind_all(row(value)?)),
        SortCondition::Greater(value) => (behind_all(row(value)?), behind_start()),
        SortCondition::GreaterOrEqual(value) => (row(value)?, behind_start()),
        SortCondition::Between(low, high) => (row(low)?, behind_all(row(high)?)),
        SortCondition::BeginsWith(value) => {
            let mut row = start.to_vec();
            key::encode_prefix(value, &mut row).then_some(())?;
            (row.clone(), behind_all(row))
        }
    };
    Some(Span { from, to })
}
