//! What a statement says.

use headwater_expressions::{Condition, Path, Step, Update as Changes};
use headwater_items::Item;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `SELECT`
    Select(Select),
    /// `INSERT`
    Insert(Insert),
    /// `UPDATE`
    Update(Update),
    /// `DELETE`
    Delete(Delete),
    /// `EXISTS(SELECT …)`, which only transactions have.
    Exists(Select),
}

/// Items that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// The wanted parts of items; none for whole items.
    pub columns: Vec<Path>,
    /// What is read.
    pub from: From,
    /// What must hold of items.
    pub condition: Option<Condition>,
    /// How they are ordered.
    pub order: Vec<Order>,
}

/// A table or an index of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// The table, as it is named.
    pub table: String,
    /// The index.
    pub index: Option<String>,
}

/// An attribute by which items are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub attribute: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// An item that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table, as it is named.
    pub table: String,
    /// The item.
    pub item: Item,
}

/// An item that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The table, as it is named.
    pub table: String,
    /// What is done.
    pub changes: Changes,
    /// Which item, and what must hold of it.
    pub condition: Option<Condition>,
    /// What is shown.
    pub returning: Option<Returning>,
}

/// An item that is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The table, as it is named.
    pub table: String,
    /// Which item, and what must hold of it.
    pub condition: Option<Condition>,
    /// What is shown; of what was there, all.
    pub returning: Option<Returning>,
}

/// What is shown of an item that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returning {
    /// `ALL OLD *`
    AllOld,
    /// `MODIFIED OLD *`
    ModifiedOld,
    /// `ALL NEW *`
    AllNew,
    /// `MODIFIED NEW *`
    ModifiedNew,
}

impl Statement {
    /// Whether it only reads. What `EXISTS` asks belongs to writes.
    pub fn reads(&self) -> bool {
        matches!(self, Self::Select(_))
    }

    /// The table, as it is named.
    pub fn table(&self) -> &str {
        match self {
            Self::Select(select) | Self::Exists(select) => &select.from.table,
            Self::Insert(insert) => &insert.table,
            Self::Update(update) => &update.table,
            Self::Delete(delete) => &delete.table,
        }
    }

    /// What is shown of an item that is changed.
    pub fn returning(&self) -> Option<Returning> {
        match self {
            Self::Update(update) => update.returning,
            Self::Delete(delete) => delete.returning,
            Self::Select(_) | Self::Exists(_) | Self::Insert(_) => None,
        }
    }
}

impl Select {
    /// The wanted parts of an item, each by the name of its column.
    pub fn shown(&self, item: Item) -> Item {
        if self.columns.is_empty() {
            return item;
        }
        let columns = self.columns.iter();
        let shown = columns.filter_map(|path| Some((column(path), path.find(&item)?.clone())));
        shown.collect()
    }
}

/// The name of a path's column: the last name in it, with the indexes behind. (Source: floci's
/// `namesAPathColumnFromItsLastNamedComponent`, recorded on AWS.)
pub(crate) fn column(path: &Path) -> String {
    let mut column = path.root.to_string();
    for step in &path.steps {
        match step {
            Step::Field(name) => column = name.to_string(),
            Step::Index(index) => column.push_str(&format!("[{index}]")),
        }
    }
    column
}
