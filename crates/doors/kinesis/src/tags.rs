//! The checks of tags: the letters and lengths that AWS allows.

use std::collections::BTreeMap;

use headwater_shapes_kinesis::Tag;
use headwater_streams::Tags;
use headwater_types::StreamName;
use headwater_wire::{ApiError, Context, RESERVED_TAG, TagFault, tag_fault};

use crate::errors::invalid_argument;

/// Refuses letters that AWS says it allows in no tag.
pub(crate) fn check_letters<'a>(
    mut texts: impl Iterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-%@".contains(c);
    if texts.all(|text| text.chars().all(allowed)) {
        return Ok(());
    }
    Err(invalid_argument(
        "Some tags contain invalid characters. Valid characters: \
         Unicode letters, digits, white space, _ . / = + - % @.",
    ))
}

/// Refuses new tags of a resource that is no stream, where a letter or a key is none that AWS allows.
pub(crate) fn check_texts(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    check_letters(tags.keys().chain(tags.values()))?;
    check_reserved(tags)
}

fn check_reserved(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_reserved =
        |(key, value): (&String, &String)| tag_fault(key, value) == Some(TagFault::Reserved);
    match tags.iter().any(is_reserved) {
        true => Err(invalid_argument(RESERVED_TAG)),
        false => Ok(()),
    }
}

/// Refuses texts that AWS allows in no tag; `done` completes "Failed to … stream" (`add tags to`). As recorded on
/// AWS, `%` is refused in other words than the rest.
pub(crate) fn check<'a>(
    texts: impl Iterator<Item = &'a String> + Clone,
    done: &str,
    stream: &StreamName,
    context: &Context,
) -> Result<(), ApiError> {
    check_letters(texts.clone())?;
    if texts.into_iter().any(|text| text.contains('%')) {
        let account = &context.account.0;
        return Err(invalid_argument(format!(
            "Failed to {done} stream {stream} under account {account} because some tags contained illegal \
             characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'."
        )));
    }
    Ok(())
}

/// The same for tags to add.
pub(crate) fn check_new(
    tags: &BTreeMap<String, String>,
    stream: &StreamName,
    context: &Context,
) -> Result<(), ApiError> {
    let texts = tags.keys().chain(tags.values());
    check(texts, "add tags to", stream, context)?;
    check_reserved(tags)
}

/// The same for the keys of tags to remove.
pub(crate) fn check_keys(
    keys: &[String],
    stream: &StreamName,
    context: &Context,
) -> Result<(), ApiError> {
    check(keys.iter(), "remove tags from", stream, context)
}

/// The tags after one of their keys, in order of their keys.
pub(crate) fn after(tags: &Tags, key: Option<&str>) -> impl Iterator<Item = Tag> {
    let key = key.map(str::to_owned);
    let tags = tags
        .iter()
        .filter(move |(name, _)| key.as_ref().is_none_or(|key| *name > key));
    tags.map(|(key, value)| Tag {
        key: key.clone(),
        value: Some(value.clone()),
    })
}
