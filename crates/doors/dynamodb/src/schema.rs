//! Keys and the attributes that they are made of, as requests define them and answers show them.

use std::collections::BTreeMap;

use headwater_shapes_dynamodb::{AttributeDefinition, KeySchemaElement};
use headwater_tables::{KeyKind, KeySchema};
use headwater_wire::ApiError;

use crate::errors::{constraint, invalid, validation};

/// The attributes that a request defines, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Definitions(Vec<(String, KeyKind)>);

/// An element of a key's schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Element {
    /// The attribute.
    pub name: String,
    /// Whether it says the partition; else it sorts.
    pub is_hash: bool,
}

impl Definitions {
    /// What a request defines.
    pub fn read(sent: Vec<AttributeDefinition>) -> Result<Self, ApiError> {
        let mut read = Vec::<(String, KeyKind)>::new();
        for definition in sent {
            let AttributeDefinition {
                attribute_name,
                attribute_type,
            } = definition;
            if read.iter().any(|(name, _)| *name == attribute_name) {
                let text = format!("Attribute Name is duplicated: {attribute_name}");
                return Err(validation(text));
            }
            read.push((attribute_name, kind(&attribute_type)));
        }
        Ok(Self(read))
    }

    /// How many these are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The kind of an attribute.
    pub fn kind(&self, name: &str) -> Option<KeyKind> {
        let mut all = self.0.iter();
        all.find(|(defined, _)| defined == name)
            .map(|(_, kind)| *kind)
    }

    /// Whether all attributes of a key are defined.
    pub fn cover(&self, key: &[Element]) -> Result<(), ApiError> {
        if key.iter().all(|element| self.kind(&element.name).is_some()) {
            return Ok(());
        }
        Err(invalid(format_args!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            listed(key.iter().map(|element| &*element.name)),
            self.listed(),
        )))
    }

    /// Whether each is an attribute of one of these keys.
    pub fn are_used<'a>(&self, keys: impl Iterator<Item = &'a str>) -> Result<(), ApiError> {
        let mut used: Vec<&str> = Vec::new();
        for key in keys {
            if !used.contains(&key) {
                used.push(key);
            }
        }
        if self.0.iter().all(|(name, _)| used.contains(&&**name)) {
            return Ok(());
        }
        Err(invalid(format_args!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            self.listed(),
            listed(used.into_iter()),
        )))
    }

    /// By their names.
    pub fn into_kinds(self) -> BTreeMap<String, KeyKind> {
        self.0.into_iter().collect()
    }

    fn listed(&self) -> String {
        listed(self.0.iter().map(|(name, _)| &**name))
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The kind that the model's enumeration names; `wire` has checked that it is one.
fn kind(name: &str) -> KeyKind {
    match name {
        "N" => KeyKind::Number,
        "B" => KeyKind::Binary,
        _ => KeyKind::String,
    }
}

/// The name of a kind.
pub(crate) fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::String => "S",
        KeyKind::Number => "N",
        KeyKind::Binary => "B",
    }
}

/// The elements of a key's schema.
pub(crate) fn elements(sent: Vec<KeySchemaElement>) -> Vec<Element> {
    let sent = sent.into_iter();
    sent.map(|element| {
        let KeySchemaElement {
            attribute_name,
            key_type,
        } = element;
        Element {
            name: attribute_name,
            is_hash: key_type == "HASH",
        }
    })
    .collect()
}

/// Whether a key has no more elements than it may have everywhere; `member` is where it stands. The model has no bound, since
/// global indexes may have more.
pub(crate) fn check_count(key: &[Element], member: &str) -> Result<(), ApiError> {
    if key.len() <= 2 {
        return Ok(());
    }
    let shown = key.iter().map(|Element { name, is_hash }| {
        let kind = if *is_hash { "HASH" } else { "RANGE" };
        format!("KeySchemaElement(attributeName={name}, keyType={kind})")
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let text = "Member must have length less than or equal to 2";
    Err(constraint(member, format_args!("[{shown}]"), text))
}

/// The key that has these elements.
pub(crate) fn key(elements: &[Element]) -> Result<KeySchema, ApiError> {
    let (first, second) = match elements {
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        _ => return Err(ApiError::not_supported("keys of several attributes")),
    };
    if second.is_some_and(|second| second.name == first.name) {
        return Err(validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }
    if !first.is_hash {
        return Err(validation(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ));
    }
    if second.is_some_and(|second| second.is_hash) {
        return Err(validation(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ));
    }
    Ok(KeySchema {
        partition: first.name.clone(),
        sort: second.map(|second| second.name.clone()),
    })
}

/// The attributes of a key.
pub(crate) fn names(key: &KeySchema) -> impl Iterator<Item = &str> {
    [Some(&*key.partition), key.sort.as_deref()]
        .into_iter()
        .flatten()
}

/// A key as answers show it.
pub(crate) fn show_key(key: &KeySchema) -> Vec<KeySchemaElement> {
    let element = |name: &str, kind: &str| KeySchemaElement {
        attribute_name: name.to_owned(),
        key_type: kind.to_owned(),
    };
    let sort = key.sort.as_deref().map(|name| element(name, "RANGE"));
    [Some(element(&key.partition, "HASH")), sort]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements_of(key: &[(&str, bool)]) -> Vec<Element> {
        let of = |(name, is_hash): &(&str, bool)| Element {
            name: (*name).to_owned(),
            is_hash: *is_hash,
        };
        key.iter().map(of).collect()
    }

    #[test]
    fn a_key_is_one_attribute_or_two() {
        let read = key(&elements_of(&[("a", true), ("b", false)])).unwrap();
        assert_eq!(names(&read).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(key(&elements(show_key(&read))), Ok(read));
        for (sent, text) in [
            (
                &[("a", true), ("a", false)][..],
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ),
            (
                &[("a", false)],
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
            ),
            (
                &[("a", true), ("b", true)],
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
            ),
        ] {
            assert_eq!(key(&elements_of(sent)).unwrap_err().message(), text);
        }
        let three = elements_of(&[("a", true), ("b", false), ("c", false)]);
        assert_eq!(
            check_count(&three, "keySchema").unwrap_err().message(),
            "1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), \
             KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, keyType=RANGE)]' at \
             'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"
        );
    }

    #[test]
    fn definitions_are_what_keys_are_made_of() {
        let define = |names: &[&str]| {
            let of = |name: &&str| AttributeDefinition {
                attribute_name: (*name).to_owned(),
                attribute_type: "N".to_owned(),
            };
            Definitions::read(names.iter().map(of).collect())
        };
        let twice = define(&["xyz", "xyz"]).unwrap_err();
        assert_eq!(twice.message(), "Attribute Name is duplicated: xyz");
        let defined = define(&["a", "b"]).unwrap();
        assert_eq!(defined.kind("b"), Some(KeyKind::Number));
        assert!(defined.cover(&elements_of(&[("a", true)])).is_ok());
        assert_eq!(
            defined
                .cover(&elements_of(&[("a", true), ("c", false)]))
                .unwrap_err()
                .message(),
            "One or more parameter values were invalid: Some index key attributes are not defined in \
             AttributeDefinitions. Keys: [a, c], AttributeDefinitions: [a, b]"
        );
        assert!(defined.are_used(["b", "a", "b"].into_iter()).is_ok());
        assert_eq!(
            defined
                .are_used(["a", "a"].into_iter())
                .unwrap_err()
                .message(),
            "One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: \
             [a, b], keys used: [a]"
        );
    }
}
