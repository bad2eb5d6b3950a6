//! Records as rows: the JSON of a record read straight into columns.
//!
//! Owns which key belongs to which column, and what of nested JSON a nested type takes. Numbers, text and times are
//! `scalar`'s. A record is one or more JSON objects, each a row; if one of them does not fit, none is kept.
//!
//! The values that AWS takes and refuses, and its words, are as recorded on AWS (okinaka/floci pull requests 3333 and
//! 3521 probed both deserializers in September 2026); else they are what the SerDes' own code does.

mod decimal;
mod double;
mod joda;
mod scalar;
mod text;
mod time;

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer as Json, error::Category, value::RawValue};

use self::{joda::Pattern, scalar::Token};
use crate::{
    column::{Column, Values},
    failure::Failure,
    settings::{Deserializer, OpenX, Unsupported},
    types::{Column as Member, DataType, Schema},
};

/// Reads records after a schema.
#[derive(Debug)]
pub(crate) struct Reader {
    fields: Fields,
    rules: Rules,
}

/// The rules that a deserializer's settings come to.
#[derive(Debug)]
pub(crate) struct Rules {
    /// OpenX takes what can be understood; Hive takes what is of the type.
    lenient: bool,
    /// Keys find columns and members in any case.
    any_case: bool,
    /// All keys are in lower case before anything looks at them.
    lower_keys: bool,
    /// Dots in keys are underscores.
    dots: bool,
    /// Formats of times, before the usual one.
    formats: Vec<Pattern>,
}

/// The columns of a table or the members of a struct, found by JSON key.
#[derive(Debug)]
struct Fields {
    places: HashMap<String, usize>,
    nodes: Vec<Node>,
}

/// A value on its way into a column.
#[derive(Debug)]
enum Node {
    Scalar(DataType),
    List(Box<Node>),
    Map(DataType, Box<Node>),
    Struct(Fields),
}

impl Reader {
    pub fn new(schema: &Schema, deserializer: &Deserializer) -> Result<Self, Unsupported> {
        let none = OpenX::default();
        let (rules, settings) = match deserializer {
            Deserializer::OpenX(openx) => (Rules::of_openx(openx), openx),
            Deserializer::Hive(hive) => (Rules::of_hive(&hive.timestamp_formats)?, &none),
        };
        Ok(Self {
            fields: Fields::new(&schema.columns, &rules, settings),
            rules,
        })
    }

    /// Adds the rows of a record, or nothing of it.
    pub fn read(&self, record: &[u8], columns: &mut [Column]) -> Result<(), Failure> {
        let before = columns[0].slots();
        let outcome = self.documents(record, columns);
        if outcome.is_err() {
            columns
                .iter_mut()
                .for_each(|column| column.truncate(before));
        }
        outcome.map_err(|error| failure(record, &error))
    }

    fn documents(&self, record: &[u8], columns: &mut [Column]) -> serde_json::Result<()> {
        let mut json = Json::from_slice(record);
        loop {
            let row = columns[0].slots();
            Document(Row {
                fields: &self.fields,
                rules: &self.rules,
                columns,
                slots: row,
            })
            .deserialize(&mut json)?;
            if json.end().is_ok() {
                return Ok(());
            }
        }
    }
}

/// Why a record was not read. A record that is no JSON is that first, whatever else is wrong with it.
fn failure(record: &[u8], error: &serde_json::Error) -> Failure {
    if record.iter().all(u8::is_ascii_whitespace) {
        return Failure::malformed("The record was empty or contained only whitespace.");
    }
    let broken = Json::from_slice(record)
        .into_iter::<IgnoredAny>()
        .find_map(Result::err);
    match (error.classify(), broken) {
        (Category::Data, None) => {
            let place = format!(" at line {} column {}", error.line(), error.column());
            let text = error.to_string();
            Failure::malformed(text.strip_suffix(&place).unwrap_or(&text))
        }
        (_, broken) => Failure::parse(format!(
            "Encountered malformed JSON. {}",
            broken.as_ref().unwrap_or(error)
        )),
    }
}

impl Rules {
    fn of_openx(openx: &OpenX) -> Self {
        Self {
            lenient: true,
            any_case: openx.case_insensitive,
            lower_keys: openx.case_insensitive,
            dots: openx.convert_dots_in_json_keys_to_underscores,
            formats: Vec::new(),
        }
    }

    fn of_hive(formats: &[String]) -> Result<Self, Unsupported> {
        let formats = formats
            .iter()
            .map(|format| Pattern::new(format))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            lenient: false,
            any_case: true,
            lower_keys: false,
            dots: false,
            formats,
        })
    }

    /// A JSON key as it is looked up.
    fn key<'k>(&self, key: &'k str) -> Cow<'k, str> {
        let lower = self.any_case && key.contains(|c: char| c.is_uppercase());
        let key = if lower {
            Cow::Owned(key.to_lowercase())
        } else {
            Cow::Borrowed(key)
        };
        if self.dots && key.contains('.') {
            Cow::Owned(key.replace('.', "_"))
        } else {
            key
        }
    }

    /// A JSON key as it is kept: in a map, or in JSON that becomes text.
    fn kept_key<'k>(&self, key: &'k str) -> Cow<'k, str> {
        if self.lower_keys {
            Cow::Owned(key.to_lowercase())
        } else {
            Cow::Borrowed(key)
        }
    }
}

impl Fields {
    fn new(members: &[Member], rules: &Rules, settings: &OpenX) -> Self {
        let key_of = |member: &Member| {
            let mapped = settings.column_to_json_key_mappings.get(&member.name);
            rules.key(mapped.unwrap_or(&member.name)).into_owned()
        };
        Self {
            places: members
                .iter()
                .enumerate()
                .map(|(place, member)| (key_of(member), place))
                .collect(),
            nodes: members
                .iter()
                .map(|member| Node::new(&member.data_type, rules, settings))
                .collect(),
        }
    }
}

impl Node {
    fn new(data_type: &DataType, rules: &Rules, settings: &OpenX) -> Self {
        let node = |data_type| Box::new(Self::new(data_type, rules, settings));
        match data_type {
            DataType::Array(element) => Self::List(node(element)),
            DataType::Map(key, value) => Self::Map((**key).clone(), node(value)),
            DataType::Struct(members) => Self::Struct(Fields::new(members, rules, settings)),
            scalar => Self::Scalar(scalar.clone()),
        }
    }
}

/// One JSON document, which is a row.
struct Document<'a>(Row<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    /// The kind of a document that is neither an object nor an array.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or array at the top level")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.of_object(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        if !self.0.rules.lenient {
            return Err(A::Error::custom(mismatch(
                "java.io.IOException: Start token not found where expected",
            )));
        }
        self.0.of_array(array)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(E::custom(PRIMITIVE))
    }
}

const PRIMITIVE: &str = "The input JSON contained a primitive at the top level. The top level must be an object or array.";

/// A value that is not of its column's type.
fn mismatch(why: impl fmt::Display) -> String {
    format!("Data does not match the schema. {why}")
}

/// The columns of a row, or the members of a struct's value.
struct Row<'a> {
    fields: &'a Fields,
    rules: &'a Rules,
    columns: &'a mut [Column],
    /// Slots of each column before this row.
    slots: usize,
}

impl Row<'_> {
    fn of_object<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Place {
            fields: self.fields,
            rules: self.rules,
        })? {
            match place {
                Some(place) => map.next_value_seed(self.slot(place))?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        self.fill();
        Ok(())
    }

    fn of_array<'de, A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        for place in 0..self.columns.len() {
            if array.next_element_seed(self.slot(place))?.is_none() {
                break;
            }
        }
        while array.next_element::<IgnoredAny>()?.is_some() {}
        self.fill();
        Ok(())
    }

    /// Where a column's value goes. Of a key that comes twice the last value stands.
    fn slot(&mut self, place: usize) -> Slot<'_> {
        let column = &mut self.columns[place];
        column.truncate(self.slots);
        Slot {
            node: &self.fields.nodes[place],
            rules: self.rules,
            column,
        }
    }

    /// Nothing where no value was.
    fn fill(&mut self) {
        let slots = self.slots;
        self.columns
            .iter_mut()
            .filter(|column| column.slots() == slots)
            .for_each(Column::push_null);
    }
}

/// The column that a key belongs to.
struct Place<'a> {
    fields: &'a Fields,
    rules: &'a Rules,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self
            .fields
            .places
            .get(self.rules.key(key).as_ref())
            .copied())
    }
}

/// Where the next value goes.
struct Slot<'a> {
    node: &'a Node,
    rules: &'a Rules,
    column: &'a mut Column,
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.node {
            Node::Scalar(data_type) if scalar::is_of_digits(data_type) => {
                let raw = <&RawValue as serde::Deserialize>::deserialize(json)?;
                let text = text::of_scalar(raw.get());
                self.scalar(
                    text.as_ref()
                        .map_or(Token::Nested(raw.get()), |text| text.token()),
                )
            }
            _ => json.deserialize_any(self),
        }
    }
}

impl Slot<'_> {
    fn scalar<E: serde::de::Error>(self, token: Token<'_>) -> Result<(), E> {
        match self.node {
            Node::Scalar(data_type) => {
                scalar::push(data_type, token, self.rules, self.column).map_err(E::custom)
            }
            nested => self.nested_of(nested, token).map_err(E::custom),
        }
    }

    /// One value where a nested one is expected: OpenX takes it for an array of one.
    fn nested_of(self, node: &Node, token: Token<'_>) -> Result<(), String> {
        match (node, token) {
            (_, Token::Null) => {
                self.column.push_null();
                Ok(())
            }
            (Node::List(element), token) if self.rules.lenient => {
                let (ends, elements) = list(self.column);
                Slot {
                    node: element,
                    rules: self.rules,
                    column: elements,
                }
                .scalar::<serde::de::value::Error>(token)
                .map_err(|error| error.to_string())?;
                ends.push(elements.slots());
                self.column.present.push(true);
                Ok(())
            }
            (Node::List(_), _) => Err(mismatch("java.io.IOException: Start of Array expected")),
            (_, token) if self.rules.lenient => Err(mismatch(format_args!(
                "Data is not JSONObject  but {}",
                token.in_java()
            ))),
            _ => Err(mismatch("java.io.IOException: Start of Object expected")),
        }
    }

    /// An object where an array is expected: OpenX takes it for an array of one.
    fn list_of_object<'de, A: MapAccess<'de>>(
        self,
        element: &Node,
        map: A,
    ) -> Result<(), A::Error> {
        if !self.rules.lenient {
            return Err(A::Error::custom(mismatch(
                "java.io.IOException: Start of Array expected",
            )));
        }
        let (ends, elements) = list(self.column);
        Slot {
            node: element,
            rules: self.rules,
            column: elements,
        }
        .visit_map(map)?;
        ends.push(elements.slots());
        self.column.present.push(true);
        Ok(())
    }

    fn entries<'de, A: MapAccess<'de>>(
        self,
        key: &DataType,
        value: &Node,
        mut map: A,
    ) -> Result<(), A::Error> {
        let Values::Map(ends, keys, values) = &mut self.column.values else {
            unreachable!("a map's column")
        };
        while map
            .next_key_seed(Key {
                data_type: key,
                rules: self.rules,
                column: keys,
            })?
            .is_some()
        {
            map.next_value_seed(Slot {
                node: value,
                rules: self.rules,
                column: values,
            })?;
        }
        ends.push(keys.slots());
        self.column.present.push(true);
        Ok(())
    }

    /// A struct's value, by `fill` of its members.
    fn members<E>(
        self,
        fields: &Fields,
        fill: impl FnOnce(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Values::Struct { count, members } = &mut self.column.values else {
            unreachable!("a struct's column")
        };
        fill(Row {
            fields,
            rules: self.rules,
            columns: members,
            slots: *count,
        })?;
        *count += 1;
        self.column.present.push(true);
        Ok(())
    }

    /// JSON as the value of a text column.
    fn json_as_text<E: serde::de::Error>(
        self,
        data_type: &DataType,
        write: impl FnOnce(text::Compact<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.rules.lenient || !scalar::is_text(data_type) {
            return scalar::push(data_type, Token::Nested("{"), self.rules, self.column)
                .map_err(E::custom);
        }
        let mut text = String::new();
        write(text::Compact {
            out: &mut text,
            rules: self.rules,
        })?;
        scalar::push(data_type, Token::Text(&text), self.rules, self.column).map_err(E::custom)
    }
}

/// A list's column.
fn list(column: &mut Column) -> (&mut Vec<usize>, &mut Column) {
    let Values::List(ends, elements) = &mut column.values else {
        unreachable!("a list's column")
    };
    (ends, elements)
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar(Token::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Token::Boolean(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Token::Long(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.scalar(i64::try_from(value).map_or(Token::Double(value as f64), Token::Long))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Token::Double(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Token::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        match self.node {
            Node::Scalar(data_type) => {
                self.json_as_text(data_type, |compact| compact.visit_seq(array))
            }
            Node::List(element) => {
                let (ends, elements) = list(self.column);
                let rules = self.rules;
                while array
                    .next_element_seed(Slot {
                        node: element,
                        rules,
                        column: &mut *elements,
                    })?
                    .is_some()
                {}
                ends.push(elements.slots());
                self.column.present.push(true);
                Ok(())
            }
            Node::Struct(fields) if self.rules.lenient => {
                self.members(fields, |row| row.of_array(array))
            }
            _ if self.rules.lenient => Err(A::Error::custom(mismatch(
                "Data is not JSONObject  but org.openx.data.jsonserde.json.JSONArray",
            ))),
            _ => Err(A::Error::custom(mismatch(
                "java.io.IOException: Start of Object expected",
            ))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.node {
            Node::Scalar(data_type) => {
                self.json_as_text(data_type, |compact| compact.visit_map(map))
            }
            Node::List(element) => self.list_of_object(element, map),
            Node::Map(key, value) => self.entries(key, value, map),
            Node::Struct(fields) => self.members(fields, |row| row.of_object(map)),
        }
    }
}

/// Where a map's next key goes.
struct Key<'a> {
    data_type: &'a DataType,
    rules: &'a Rules,
    column: &'a mut Column,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        let key = self.rules.kept_key(key);
        scalar::push_key(self.data_type, &key, self.rules, self.column).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests;
