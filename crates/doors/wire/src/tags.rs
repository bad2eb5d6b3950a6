//! The one rule of tags: the texts that AWS lets a key and a value be (its guide on tagging resources). The doors of
//! services whose models have no such rule refuse a fault in their service's words; the number of tags that a resource
//! has is bounded by its domain.

/// The longest key, in characters.
const KEY_MAX: usize = 128;
/// The longest value, in characters.
const VALUE_MAX: usize = 256;

/// AWS's words for a key that begins with `aws:`, in the services that have none of their own for it.
pub const RESERVED_TAG: &str = "aws: prefixed tag key names are not allowed for external use.";

/// The fault of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagFault {
    /// Its key begins with `aws:`, which AWS keeps for its own.
    Reserved,
    /// Its key is empty or too long, or has a character that no tag has.
    Key,
    /// The same of its value, which may be empty.
    Value,
}

/// The first fault of a tag, if it has one.
pub fn tag_fault(key: &str, value: &str) -> Option<TagFault> {
    if key.starts_with("aws:") {
        return Some(TagFault::Reserved);
    }
    if key.is_empty() || !is_text(key, KEY_MAX) {
        return Some(TagFault::Key);
    }
    (!is_text(value, VALUE_MAX)).then_some(TagFault::Value)
}

fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && text.chars().all(is_allowed)
}

/// Letters, numbers and spaces of all languages, and some signs.
fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_letters_and_some_signs_within_its_bounds() {
        let (key, value) = ("ü".repeat(KEY_MAX), "9".repeat(VALUE_MAX));
        for (key, value) in [("Äö 1_.:/=+-@", ""), ("aws", "aws:"), (&key, &value)] {
            assert_eq!(tag_fault(key, value), None, "{key}: {value}");
        }
        let (long_key, long_value) = ("k".repeat(KEY_MAX + 1), "v".repeat(VALUE_MAX + 1));
        for (key, value, fault) in [
            ("aws:", "", TagFault::Reserved),
            ("aws:createdBy", "me", TagFault::Reserved),
            ("", "", TagFault::Key),
            ("a;b", "", TagFault::Key),
            ("a\nb", "", TagFault::Key),
            (&long_key, "", TagFault::Key),
            ("a", "b,c", TagFault::Value),
            ("a", &long_value, TagFault::Value),
        ] {
            assert_eq!(tag_fault(key, value), Some(fault), "{key}: {value}");
        }
    }
}
