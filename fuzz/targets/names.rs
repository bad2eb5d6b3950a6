//! Names, numbers and addresses: what is read is written the same.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_delivery::{Database, WebAddress};
use headwater_fuzz::target;
use headwater_items::Number;
use headwater_objects::{BucketName, ObjectName};
use headwater_types::{Arn, HashKey, SequenceNumber, StreamName};

target!(|text: &str| {
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.to_string(), text);
    }
    if let Ok(key) = text.parse::<HashKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(number) = text.parse::<SequenceNumber>() {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(database) = Database::parse(text) {
        assert_eq!(Database::parse(&database.to_string()), Ok(database));
    }
    if let Ok(number) = text.parse::<Number>() {
        assert_eq!(number.to_string().parse(), Ok(number));
    }
    drop(text.parse::<StreamName>());
    drop(WebAddress::parse(text).map(|address| address.join("/x")));
    drop(BucketName::parse(text));
    drop(ObjectName::new(
        BucketName::parse("bucket").expect("a good name"),
        text,
    ));
});
