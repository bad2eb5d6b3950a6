//! What statements mean, and with which words others are refused.

#![allow(clippy::unwrap_used, reason = "test code")]

mod keys;
mod random;
mod refusals;
mod texts;

use headwater_items::Value;

use crate::{Refused, Statement};

fn read(text: &str) -> Result<Statement, Refused> {
    crate::statement(text, Vec::new())
}

fn refusal(text: &str) -> String {
    match read(text) {
        Ok(statement) => format!("{text} is {statement:?}"),
        Err(Refused(why)) => why,
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}
