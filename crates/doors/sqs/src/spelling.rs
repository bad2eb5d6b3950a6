//! The names of members in the query protocol. (Source: the examples of the API reference and AWS's answers as
//! LocalStack recorded them.)

use headwater_wire::{Spelled, Spelling};

/// The names.
pub(crate) static SPELLING: Spelling = Spelling {
    members: &[
        Spelled::list("AWSAccountIds", "AWSAccountId"),
        Spelled::list("Actions", "ActionName"),
        Spelled::list("AttributeNames", "AttributeName"),
        Spelled::map("Attributes", "Attribute", "Name"),
        Spelled::list("BinaryListValues", "BinaryListValue"),
        Spelled::list("MessageAttributeNames", "MessageAttributeName"),
        Spelled::map("MessageAttributes", "MessageAttribute", "Name"),
        Spelled::list("MessageSystemAttributeNames", "MessageSystemAttributeName"),
        Spelled::map("MessageSystemAttributes", "MessageSystemAttribute", "Name"),
        Spelled::list("QueueUrls", "QueueUrl"),
        Spelled::list("StringListValues", "StringListValue"),
        Spelled::list("TagKeys", "TagKey"),
        Spelled::map("Tags", "Tag", "Key"),
        Spelled::list("queueUrls", "QueueUrl"),
        Spelled::map("tags", "Tag", "Key"),
    ],
    address: Some("QueueUrl"),
    not_at_addresses: &["CreateQueue", "ListQueues"],
};
