//! `AttributeUpdates`.

use headwater_items::{Kind, Value};

use crate::{Action, Invalid, Path, SetValue, Update, kinds};

use super::invalid;

/// What is done to an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeUpdate {
    /// Its name.
    pub attribute: String,
    /// What is done.
    pub action: UpdateAction,
    /// With what.
    pub value: Option<Value>,
}

/// What can be done to an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateAction {
    /// `PUT`, which is meant where none is named.
    Put,
    /// `ADD`: adds to a number, a set or a list.
    Add,
    /// `DELETE`: takes elements out of a set, or the attribute away.
    Delete,
}

/// The update that these make.
///
/// # Errors
/// When a value is missing, or of a kind that the action does not take.
pub fn update(updates: Vec<AttributeUpdate>) -> Result<Update, Invalid> {
    let actions = updates.into_iter().map(action);
    Ok(Update(actions.collect::<Result<_, _>>()?))
}

fn action(update: AttributeUpdate) -> Result<Action, Invalid> {
    let path = Path::attribute(update.attribute);
    let kind = update.value.as_ref().map(Value::kind);
    match (update.action, update.value) {
        (UpdateAction::Delete, None) => Ok(Action::Remove(path)),
        (_, None) => Err(invalid(
            "Only DELETE action is allowed when no attribute value is specified",
        )),
        (UpdateAction::Put, Some(value)) => Ok(Action::Set(path, SetValue::Value(value.into()))),
        (UpdateAction::Add, Some(value)) if kind.is_some_and(can_be_added) => {
            Ok(Action::AddLegacy(path, value.into()))
        }
        (UpdateAction::Add, Some(value)) => Err(invalid(format_args!(
            "ADD action is not supported for the type {}",
            kinds::symbol(value.kind())
        ))),
        (UpdateAction::Delete, Some(value)) if kind.is_some_and(kinds::is_set) => {
            Ok(Action::DeleteLegacy(path, value.into()))
        }
        (UpdateAction::Delete, Some(value)) => Err(invalid(format_args!(
            "DELETE action with value is not supported for the type {}",
            kinds::symbol(value.kind())
        ))),
    }
}

fn can_be_added(kind: Kind) -> bool {
    kinds::is_set(kind) || matches!(kind, Kind::Number | Kind::List)
}
