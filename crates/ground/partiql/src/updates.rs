//! What an `UPDATE` does.

use std::sync::Arc;

use headwater_expressions::{Action, Path, SetValue, Update, checked};
use headwater_items::{Kind, Value};

use crate::{Refused, reader::Reader};

impl Reader<'_> {
    /// The actions that are next: `SET` and `REMOVE`, as often as they come.
    pub fn changes(&mut self) -> Result<Update, Refused> {
        let mut actions = Vec::new();
        loop {
            let sets = self.eat_word("SET")?;
            if !sets && !self.eat_word("REMOVE")? {
                break;
            }
            loop {
                let path = self.path()?;
                actions.push(match sets {
                    true => self.set(path)?,
                    false => Action::Remove(path),
                });
                if !self.eat(",")? {
                    break;
                }
            }
        }
        match actions.is_empty() {
            true => Err(Refused::malformed("Expected data manipulation")),
            false => Ok(checked::all_of(actions)?),
        }
    }

    fn set(&mut self, path: Path) -> Result<Action, Refused> {
        self.expect("=", "EQ")?;
        let is_call = self.at_call()?;
        if is_call && self.at_word("set_add") {
            let set = self.set_members(&path, "SET_ADD")?;
            return Ok(Action::Add(path, set));
        }
        if is_call && self.at_word("set_delete") {
            let set = self.set_members(&path, "SET_DELETE")?;
            return Ok(Action::Delete(path, set));
        }
        let mut value = self.set_value()?;
        while self.at("+") || self.at("-") {
            let plus = self.bump()? == "+";
            self.operator()?;
            let other = self.set_value()?;
            value = checked::calculated(plus, value, other)?;
        }
        Ok(Action::Set(path, value))
    }

    fn set_value(&mut self) -> Result<SetValue, Refused> {
        if self.at_call()? {
            return self.within(Self::list_append);
        }
        if self.eat("(")? {
            let value = self.within(Self::set_value)?;
            self.expect(")", "RIGHT_PAREN")?;
            return Ok(value);
        }
        if let Some(value) = self.value()? {
            return Ok(SetValue::Value(value.into()));
        }
        Ok(SetValue::Path(self.path()?))
    }

    /// The only function whose outcome is a value.
    fn list_append(&mut self) -> Result<SetValue, Refused> {
        if !self.at_word("list_append") {
            let function = self.ahead().to_ascii_lowercase();
            return Err(self.told(format_args!("Unrecognized function: {function}")));
        }
        self.bump()?;
        let arguments = self.arguments(Self::set_value)?;
        let count = arguments.len();
        match <[SetValue; 2]>::try_from(arguments) {
            Ok([one, other]) => Ok(checked::appended(one, other)?),
            Err(_) => Refused::told(format!(
                "Incorrect number of operands for operator or function; operator or function: list_append, number of \
                 operands: {count}"
            )),
        }
    }

    /// The members that a function adds to the set at a path, or takes out of it. AWS has the path stand on both sides.
    fn set_members(&mut self, path: &Path, function: &str) -> Result<Arc<Value>, Refused> {
        let wrong_count = self.told(format_args!("{function} must have exactly two arguments"));
        let wrong_path = self.told(format_args!(
            "The first argument to {function} must equal the assignment value"
        ));
        self.bump()?;
        let mut first_at = None;
        let arguments = self.arguments(|reader| {
            first_at.get_or_insert_with(|| reader.place());
            reader.set_value()
        })?;
        let Ok([first, second]) = <[SetValue; 2]>::try_from(arguments) else {
            return Err(wrong_count);
        };
        if first != SetValue::Path(path.clone()) {
            return Err(wrong_path);
        }
        match second {
            SetValue::Value(set) if is_set(&set) => Ok(set),
            _ => Err(Refused::at(
                format_args!("The second argument to {function} must be a value with type SET"),
                self.text,
                &first_at.unwrap_or_default(),
            )),
        }
    }
}

fn is_set(value: &Value) -> bool {
    matches!(
        value.kind(),
        Kind::StringSet | Kind::NumberSet | Kind::BinarySet
    )
}
