//! The items of a table: each has a number, which tells its key, and a stamp, which tells the call that wrote it.

use serde_json::{Value, json};

use crate::bench::{
    calls::{KEY_CHARS, hexadecimal},
    payload::mix,
};

/// Bytes of an item, names and values, as DynamoDB counts them.
pub const ITEM_BYTES: usize = 200;

/// Items with the same partition key: those that a query finds.
pub const COLLECTION_ITEMS: u64 = 100;

/// The names of an item's four attributes have a byte each.
const FILLER_BYTES: usize = ITEM_BYTES - 3 * KEY_CHARS - 4;

/// Digits of a key or of a stamp.
pub type Digits = [u8; KEY_CHARS];

/// All items of a table. Those whose numbers follow each other are in different collections, and the partition keys of
/// those have no order: no store finds them beside each other.
#[derive(Debug, Clone, Copy)]
pub struct Items {
    /// How many there are, a multiple of [`COLLECTION_ITEMS`].
    pub count: u64,
}

impl Items {
    /// The collection of an item.
    pub fn collection(self, number: u64) -> u64 {
        number % self.collections()
    }

    /// The numbers of a collection's items, by their sort keys.
    pub fn of_collection(self, collection: u64) -> impl Iterator<Item = u64> {
        (0..COLLECTION_ITEMS).map(move |place| place * self.collections() + collection)
    }

    /// The partition key of an item.
    pub fn partition(self, number: u64) -> Digits {
        hexadecimal(mix(self.collection(number)))
    }

    /// The sort key of an item.
    pub fn sort(self, number: u64) -> Digits {
        hexadecimal(number / self.collections())
    }

    fn collections(self) -> u64 {
        (self.count / COLLECTION_ITEMS).max(1)
    }
}

/// A key as JSON.
pub fn key(partition: &Digits, sort: &Digits) -> Value {
    json!({"p": {"S": text(partition)}, "s": {"S": text(sort)}})
}

/// An item as JSON.
pub fn item(partition: &Digits, sort: &Digits, stamp: &Digits) -> Value {
    let mut item = key(partition, sort);
    item["v"] = json!({"S": text(stamp)});
    item["d"] = json!({"S": "x".repeat(FILLER_BYTES)});
    item
}

/// Digits as a text.
pub fn text(digits: &Digits) -> String {
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_item_has_a_key_of_its_own_and_each_collection_a_hundred() {
        let items = Items { count: 1000 };
        let keys: HashSet<_> = (0..1000)
            .map(|number| (items.partition(number), items.sort(number)))
            .collect();
        assert_eq!(keys.len(), 1000);
        let one: Vec<_> = items.of_collection(7).collect();
        assert_eq!((one.len(), one[1]), (100, 17));
        assert!(one.iter().all(|number| items.collection(*number) == 7));
        assert!(one.is_sorted_by_key(|number| items.sort(*number)));
    }

    #[test]
    fn an_item_has_two_hundred_bytes() {
        let digits = hexadecimal(1);
        let Value::Object(item) = item(&digits, &digits, &digits) else {
            panic!("an item is an object")
        };
        let bytes: usize = item
            .iter()
            .map(|(name, value)| name.len() + value["S"].as_str().map_or(0, str::len))
            .sum();
        assert_eq!(bytes, ITEM_BYTES);
    }
}
