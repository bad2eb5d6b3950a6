//! MD5 of texts and attributes, as receivers and senders compare them.
//!
//! The form over attributes is that of the SQS developer guide ("Calculating the MD5 message digest for message
//! attributes").

use std::fmt::Write;

use md5::{Digest, Md5};

use crate::message::{Attributes, Value};

/// The MD5 of a text, in hexadecimal digits.
pub fn md5_of_text(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// The MD5 of attributes, in hexadecimal digits; none where there are none.
pub fn md5_of_attributes(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        add(&mut digest, name.as_bytes());
        add(&mut digest, attribute.data_type.as_bytes());
        let (kind, bytes): (u8, &[u8]) = match &attribute.value {
            Value::Text(text) => (1, text.as_bytes()),
            Value::Binary(bytes) => (2, bytes),
        };
        digest.update([kind]);
        add(&mut digest, bytes);
    }
    Some(hex(&digest.finalize()))
}

fn add(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Attribute;

    #[test]
    fn digests_are_those_of_aws() {
        // As recorded on AWS by LocalStack (test_send_message_with_binary_attributes, test_send_message_batch…).
        assert_eq!(md5_of_text("test"), "098f6bcd4621d373cade4e832627b4f6");
        let value = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01";
        let attribute = Attribute {
            data_type: "Binary".into(),
            value: Value::Binary(value.to_vec().into()),
        };
        let attributes = Attributes::from([("attr1".to_owned(), attribute)]);
        assert_eq!(
            md5_of_attributes(&attributes).as_deref(),
            Some("8cbe4db156db8a94db8b801b7addb984")
        );
        assert_eq!(md5_of_attributes(&Attributes::new()), None);
    }
}
