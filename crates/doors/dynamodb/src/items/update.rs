//! What an update does.

use std::collections::BTreeMap;

use headwater_expressions::{Action, Placeholders, SetValue, Update, legacy};
use headwater_items::Value;
use headwater_shapes_dynamodb::AttributeValueUpdate;
use headwater_tables::TableRecord;
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::{fault::Fault, indexes, keys, older, paths, placeholders::refused},
};

/// An update in either dialect, as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Updating {
    /// `UpdateExpression`.
    pub expression: Option<String>,
    /// `AttributeUpdates`.
    pub older: Option<BTreeMap<String, AttributeValueUpdate>>,
}

impl Updating {
    /// The update; one of nothing makes the item where it is not there.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn read(self, placeholders: &mut Placeholders) -> Result<Update, ApiError> {
        if let Some(text) = &self.expression {
            let update = headwater_expressions::update(text, placeholders);
            return update.map_err(refused("UpdateExpression"));
        }
        let updates = older::updates(self.older.unwrap_or_default())?;
        legacy::update(updates).map_err(|invalid| validation(invalid.text))
    }
}

/// Whether a table takes an update, whatever the item is.
///
/// # Errors
/// It changes the key, or gives an index's key a value that it cannot have.
pub(crate) fn check(update: &Update, table: &TableRecord) -> Result<(), Fault> {
    let is_changed = |attribute: &&String| {
        let mut places = update.0.iter().map(Action::place);
        places.any(|place| *place.root == **attribute)
    };
    if let Some(attribute) = keys::names(&table.key).find(is_changed) {
        return Err(Fault::ChangesKey(attribute.clone()));
    }
    for action in &update.0 {
        if let Some(value) = given(action)
            && action.place().steps.is_empty()
        {
            indexes::check_update(&action.place().root, value, table)?;
        }
    }
    paths::check(&paths::of_update(update), table)
}

/// The value that an action gives, or works with, where the request says it.
fn given(action: &Action) -> Option<&Value> {
    match action {
        Action::Set(_, SetValue::Value(value))
        | Action::Add(_, value)
        | Action::Delete(_, value)
        | Action::AddLegacy(_, value)
        | Action::DeleteLegacy(_, value) => Some(value),
        Action::Set(..) | Action::Remove(_) => None,
    }
}
