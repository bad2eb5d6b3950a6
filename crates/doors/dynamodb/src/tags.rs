//! Tags of tables: which there can be.

use headwater_shapes_dynamodb::Tag;
use headwater_tables::Tags;
use headwater_wire::{ApiError, TagFault, tag_fault};

use crate::errors::validation;

/// Tags of a table. (Source: the developer guide, "Tagging restrictions in DynamoDB".)
const TAGS_MAX: usize = 50;

/// Tags that a request sends.
pub(crate) fn read(sent: Vec<Tag>) -> Result<Tags, ApiError> {
    let mut read = Tags::new();
    for tag in sent {
        let Tag { key, value } = tag;
        match tag_fault(&key, &value) {
            None => {}
            Some(TagFault::Reserved) => {
                return Err(validation(format!(
                    "Tag Key cannot be prefixed with aws:, Key: {key}"
                )));
            }
            Some(TagFault::Key) => {
                return Err(validation(format!(
                    "The Tag Key provided is invalid, Key: {key}"
                )));
            }
            Some(TagFault::Value) => {
                let text = format!("The Tag Value provided is invalid, Value: {value}");
                return Err(validation(text));
            }
        }
        if read.contains_key(&key) {
            return Err(validation(format!(
                "Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}"
            )));
        }
        read.insert(key, value);
    }
    check_count(&read)?;
    Ok(read)
}

/// Whether a table can have so many.
pub(crate) fn check_count(tags: &Tags) -> Result<(), ApiError> {
    match tags.len() <= TAGS_MAX {
        true => Ok(()),
        false => Err(validation(
            "Number of Tags exceed the current limit for the provided ResourceArn",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_texts_and_are_not_too_many() {
        let read = |tags: &[(&str, &str)]| {
            let tag = |(key, value): &(&str, &str)| Tag {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            };
            super::read(tags.iter().map(tag).collect())
        };
        assert_eq!(read(&[("a", ""), ("ü", "b")]).map(|tags| tags.len()), Ok(2));
        for (tags, text) in [
            (
                &[("a", "1"), ("a", "2")][..],
                "Duplicate Tag Keys provided as input: Duplicate Tag Key found a",
            ),
            (
                &[("aws:a", "")],
                "Tag Key cannot be prefixed with aws:, Key: aws:a",
            ),
            (&[("a;", "")], "The Tag Key provided is invalid, Key: a;"),
            (&[("a", ";")], "The Tag Value provided is invalid, Value: ;"),
        ] {
            assert_eq!(read(tags).unwrap_err().message(), text);
        }
        let keys: Vec<String> = (0..51).map(|key| key.to_string()).collect();
        let many: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, "")).collect();
        assert!(read(&many[..50]).is_ok());
        assert_eq!(
            read(&many).unwrap_err().message(),
            "Number of Tags exceed the current limit for the provided ResourceArn"
        );
    }
}
