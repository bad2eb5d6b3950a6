//! A document as JSON has it, before its texts are understood. Elements that there are not, and elements and
//! conditions given twice, are errors: the second would silently replace the first.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// A document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RawPolicy {
    pub version: Option<String>,
    #[serde(rename = "Id")]
    pub _id: Option<String>,
    pub statement: Statements,
}

/// A statement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RawStatement {
    pub sid: Option<String>,
    pub effect: String,
    pub principal: Option<RawPrincipals>,
    pub not_principal: Option<RawPrincipals>,
    pub action: Option<Texts>,
    pub not_action: Option<Texts>,
    pub resource: Option<Texts>,
    pub not_resource: Option<Texts>,
    #[serde(default)]
    pub condition: Pairs<Pairs<Texts>>,
}

/// One statement or many.
pub struct Statements(pub Vec<RawStatement>);

/// One text or many; numbers and truth values are taken as their texts.
pub struct Texts(pub Vec<String>);

/// `"*"`, or texts by the kind of principal.
pub enum RawPrincipals {
    Everyone,
    ByKind(Pairs<Texts>),
}

/// An object's members in their order, none twice.
pub struct Pairs<T>(pub Vec<(String, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Pairs<T>, M::Error> {
        let mut pairs: Vec<(String, T)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, T>()? {
            if pairs
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(&name))
            {
                return Err(de::Error::custom(format_args!("{name} is given twice")));
            }
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StatementsVisitor)
    }
}

struct StatementsVisitor;

impl<'de> Visitor<'de> for StatementsVisitor {
    type Value = Statements;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a statement or a list of them")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<Statements, M::Error> {
        RawStatement::deserialize(MapAccessDeserializer::new(members))
            .map(|one| Statements(vec![one]))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, items: S) -> Result<Statements, S::Error> {
        all(items).map(Statements)
    }
}

impl<'de> Deserialize<'de> for RawPrincipals {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PrincipalsVisitor)
    }
}

struct PrincipalsVisitor;

impl<'de> Visitor<'de> for PrincipalsVisitor {
    type Value = RawPrincipals;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("\"*\" or an object")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawPrincipals, E> {
        match text {
            "*" => Ok(RawPrincipals::Everyone),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<RawPrincipals, M::Error> {
        PairsVisitor(PhantomData)
            .visit_map(members)
            .map(RawPrincipals::ByKind)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, items: S) -> Result<Texts, S::Error> {
        let one = |Text(text): Text| text;
        all(items).map(|texts| Texts(texts.into_iter().map(one).collect()))
    }
}

/// One text, or a number or truth value as its text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Texts(mut texts) = Texts::deserialize(from)?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(Text(text)),
            _ => Err(de::Error::custom("a list stands where a text should")),
        }
    }
}

fn all<'de, S: SeqAccess<'de>, T: Deserialize<'de>>(mut items: S) -> Result<Vec<T>, S::Error> {
    let mut all = Vec::new();
    while let Some(item) = items.next_element()? {
        all.push(item);
    }
    Ok(all)
}
