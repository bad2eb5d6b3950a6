//! RecordDeAggregation: records that their producer put together are taken apart.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::pure::Pure;
use crate::{
    config::Deaggregation,
    limits::SUB_RECORDS_MAX,
    records::{Failure, Item, UserRecord},
};

impl Pure for Deaggregation {
    /// A record that does not come apart, or into more than there may be, goes on whole, as on AWS: what comes after
    /// then says what it thinks of it.
    fn apply(&self, item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        let parts = match self {
            Self::Json => json_values(&item.data),
            Self::Delimited(delimiter) => Some(delimited(&item.data, delimiter)),
        };
        match parts.filter(|parts| (1..=SUB_RECORDS_MAX).contains(&parts.len())) {
            Some(parts) => out.extend(parts.into_iter().map(|part| part_of(&item, part))),
            None => out.push(item),
        }
        Ok(())
    }
}

/// A part as an item of its own: what fails of it later is the part, and not its siblings.
fn part_of(item: &Item, data: Bytes) -> Item {
    let origin = UserRecord {
        data: data.clone(),
        ..(*item.origin).clone()
    };
    Item {
        origin: origin.into(),
        data,
        keys: item.keys.clone(),
    }
}

/// The JSON values that `data` is made of; nothing where it is made of anything else.
fn json_values(data: &Bytes) -> Option<Vec<Bytes>> {
    let mut values = serde_json::Deserializer::from_slice(data).into_iter::<IgnoredAny>();
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(value) = values.next() {
        value.ok()?;
        let to = values.byte_offset();
        let white = data[from..to]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        parts.push(data.slice(from + white..to));
        from = to;
        if parts.len() > SUB_RECORDS_MAX {
            break;
        }
    }
    Some(parts)
}

/// The texts between the delimiters; empty ones are left out.
fn delimited(data: &Bytes, delimiter: &[u8]) -> Vec<Bytes> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&data[from..], delimiter) {
        parts.push(data.slice(from..from + at));
        from += at + delimiter.len();
    }
    parts.push(data.slice(from..));
    parts.retain(|part| !part.is_empty());
    parts
}

fn find(data: &[u8], delimiter: &[u8]) -> Option<usize> {
    data.windows(delimiter.len())
        .position(|window| window == delimiter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::item;

    fn run(by: &Deaggregation, data: &str) -> Vec<Bytes> {
        let mut out = Vec::new();
        by.apply(item(data.to_owned()), &mut out).unwrap();
        out.into_iter().map(|item| item.data).collect()
    }

    #[test]
    fn values_and_delimited_parts_come_apart() {
        assert_eq!(
            run(&Deaggregation::Json, "{\"a\":1}{\"a\":2}\n {\"a\":3}\n"),
            ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]
        );
        let by = Deaggregation::Delimited("####".into());
        assert_eq!(run(&by, "a####b########c####"), ["a", "b", "c"]);
        assert_eq!(run(&by, "a"), ["a"]);
    }

    #[test]
    fn what_does_not_come_apart_goes_on_whole() {
        assert_eq!(run(&Deaggregation::Json, "{\"a\":1}{"), ["{\"a\":1}{"]);
        assert_eq!(run(&Deaggregation::Json, ""), [""]);
        assert_eq!(run(&Deaggregation::Json, &"1 ".repeat(500)).len(), 500);
        assert_eq!(
            run(&Deaggregation::Json, &"1 ".repeat(501)),
            ["1 ".repeat(501)]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(data in "[ab#]{0,40}") {
            let by = Deaggregation::Delimited("##".into());
            let joined: String = run(&by, &data).iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
            let expected = data.replace("##", "");
            // A record of nothing but delimiters does not come apart.
            prop_assert_eq!(joined, if expected.is_empty() { data } else { expected });
        }

        #[test]
        fn any_text_is_taken(data in r#"[\[{"a:1, \]}]{0,40}"#) {
            run(&Deaggregation::Json, &data);
        }
    }
}
