//! Texts become trees.
//!
//! A text is read whole first (`reader`, `conditions`, `updates`); what is found on the way that is no fault of syntax is
//! noted. Then the checks are made, in AWS's order, and the tree is built (`build` and `build_update`).

mod build;
mod build_update;
mod conditions;
mod findings;
mod keys;
mod overlap;
mod raw;
mod reader;
mod reserved;
mod tokens;
mod updates;

pub use build::{between, called, compare, one_of};
pub use build_update::{all_of, appended, calculated};

use tokens::TokenKind;

use crate::{
    Condition, Invalid, KeyCondition, KeyConditions, Placeholders, Projection, Update, limits,
};

/// The condition or filter that a text means.
///
/// # Errors
/// When it means none.
pub fn condition(text: &str, placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    check_size(text)?;
    let node = conditions::read(text)?;
    let condition = build::condition(&node, placeholders)?;
    check_expanded(text, placeholders)?;
    Ok(condition)
}

/// The update that a text means.
///
/// # Errors
/// When it means none.
pub fn update(text: &str, placeholders: &mut Placeholders) -> Result<Update, Invalid> {
    check_size(text)?;
    let clauses = updates::read(text)?;
    let update = build_update::update(&clauses, placeholders)?;
    check_expanded(text, placeholders)?;
    build_update::check_given(&update)?;
    Ok(update)
}

/// The projection that a text means.
///
/// # Errors
/// When it means none.
pub fn projection(text: &str, placeholders: &mut Placeholders) -> Result<Projection, Invalid> {
    check_size(text)?;
    let paths = reader::projection(text)?
        .into_iter()
        .map(|path| path.resolve(placeholders))
        .collect::<Result<Vec<_>, _>>()?;
    overlap::check(&paths)?;
    check_expanded(text, placeholders)?;
    Ok(Projection(paths))
}

/// What a text wants of the attributes of a key; which make it is not known yet.
///
/// # Errors
/// When it means no such thing.
pub fn key_conditions(
    text: &str,
    placeholders: &mut Placeholders,
) -> Result<KeyConditions, Invalid> {
    keys::conditions(condition(text, placeholders)?)
}

/// The key condition that a text means; `partition` and `sort` are the names of the key's attributes.
///
/// # Errors
/// When it means none.
pub fn key_condition(
    text: &str,
    placeholders: &mut Placeholders,
    partition: &str,
    sort: Option<&str>,
) -> Result<KeyCondition, Invalid> {
    key_conditions(text, placeholders)?.of_key(partition, sort)
}

fn check_size(text: &str) -> Result<(), Invalid> {
    if text.trim_ascii().is_empty() {
        return Err(Invalid::new("The expression can not be empty;"));
    }
    if text.len() > limits::EXPRESSION_BYTES {
        return Err(Invalid::new(format!(
            "Expression size has exceeded the maximum allowed size; expression size: {}",
            text.len()
        )));
    }
    Ok(())
}

/// Makes sure that a text is not too large with what its names and values stand for, each as often as it is used.
fn check_expanded(text: &str, placeholders: &Placeholders) -> Result<(), Invalid> {
    let (mut bytes, mut token) = (text.len(), tokens::next(text, 0));
    while token.kind != TokenKind::End {
        if matches!(token.kind, TokenKind::Name | TokenKind::Value) {
            let written = text.get(token.at.clone()).unwrap_or_default();
            bytes += placeholders.bytes(written);
        }
        token = tokens::next(text, token.at.end);
    }
    match bytes {
        0..=limits::EXPANDED_BYTES => Ok(()),
        _ => Err(Invalid::new(
            "Expression size has exceeded the maximum allowed size;",
        )),
    }
}

#[cfg(test)]
mod tests;
