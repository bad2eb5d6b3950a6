//! Values read: from bytes by serde, and from a tree.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headwater_items::{Item, Number, Value};
use headwater_shapes::{Blob, Tree, Unfit};
use serde::{Deserialize, Deserializer};

use crate::{AttributeValue, Fault, Read};

/// A value as the model has it: of each kind one, of which one should be there. Members of other names are ignored, as AWS
/// does.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    #[serde(rename = "S")]
    string: Option<String>,
    #[serde(rename = "N")]
    number: Option<String>,
    #[serde(rename = "B")]
    binary: Option<Blob>,
    #[serde(rename = "SS")]
    strings: Option<Vec<String>>,
    #[serde(rename = "NS")]
    numbers: Option<Vec<String>>,
    #[serde(rename = "BS")]
    binaries: Option<Vec<Blob>>,
    #[serde(rename = "M")]
    map: Option<BTreeMap<String, AttributeValue>>,
    #[serde(rename = "L")]
    list: Option<Vec<AttributeValue>>,
    #[serde(rename = "NULL")]
    null: Option<bool>,
    #[serde(rename = "BOOL")]
    bool: Option<bool>,
}

headwater_shapes::tree!(Sent {
    optional "S" string,
    optional "N" number,
    optional "B" binary,
    optional "SS" strings,
    optional "NS" numbers,
    optional "BS" binaries,
    optional "M" map,
    optional "L" list,
    optional "NULL" null,
    optional "BOOL" bool,
});

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A value that is null is as one that says nothing.
        let sent = Option::<Sent>::deserialize(from)?;
        Ok(Self(sent.unwrap_or_default().read()))
    }
}

impl Tree for AttributeValue {
    fn from_value(value: headwater_shapes::Value) -> Result<Self, Unfit> {
        let sent = match value.is_null() {
            true => Sent::default(),
            false => Sent::from_value(value)?,
        };
        Ok(Self(sent.read()))
    }

    fn to_value(&self) -> headwater_shapes::Value {
        crate::write::tree(self)
    }
}

impl Sent {
    /// The value. A fault in what it says comes before that it says more than one.
    fn read(self) -> Result<Read, Fault> {
        let Self {
            string,
            number,
            binary,
            strings,
            numbers,
            binaries,
            map,
            list,
            null,
            bool,
        } = self;
        let mut found = Found::default();
        found.add(string.map(|text| flat(Value::String(text))));
        if let Some(text) = number {
            found.add(Some(flat(Value::Number(read_number(text)?))));
        }
        found.add(binary.map(|Blob(bytes)| flat(Value::Binary(bytes))));
        found.add(strings.map(read_strings).transpose()?);
        found.add(numbers.map(read_numbers).transpose()?);
        found.add(binaries.map(read_binaries).transpose()?);
        found.add(map.map(read_map).transpose()?);
        found.add(list.map(read_list).transpose()?);
        if null == Some(false) {
            return Err(Fault::NotNull);
        }
        found.add(null.map(|_| flat(Value::Null)));
        found.add(bool.map(|bool| flat(Value::Bool(bool))));
        found.only()
    }
}

/// The kinds that were there.
#[derive(Default)]
struct Found {
    last: Option<Read>,
    count: usize,
}

impl Found {
    fn add(&mut self, read: Option<Read>) {
        if read.is_some() {
            self.last = read;
            self.count += 1;
        }
    }

    fn only(self) -> Result<Read, Fault> {
        match self.count {
            0 | 1 => self.last.ok_or(Fault::Empty),
            _ => Err(Fault::Several),
        }
    }
}

/// A value that holds no others.
fn flat(value: Value) -> Read {
    Read { value, depth: 1 }
}

fn read_number(text: String) -> Result<Number, Fault> {
    match text.parse() {
        Ok(number) => Ok(number),
        Err(error) => Err(Fault::of_number(text, error)),
    }
}

fn read_strings(strings: Vec<String>) -> Result<Read, Fault> {
    if strings.is_empty() {
        return Err(Fault::NoStrings);
    }
    let set: BTreeSet<String> = strings.iter().cloned().collect();
    match set.len() == strings.len() {
        true => Ok(flat(Value::StringSet(set))),
        false => Err(Fault::SameStrings(format!("[{}]", strings.join(", ")))),
    }
}

fn read_numbers(texts: Vec<String>) -> Result<Read, Fault> {
    if texts.is_empty() {
        return Err(Fault::NoNumbers);
    }
    let count = texts.len();
    let set: BTreeSet<Number> = texts
        .into_iter()
        .map(read_number)
        .collect::<Result<_, _>>()?;
    match set.len() == count {
        true => Ok(flat(Value::NumberSet(set))),
        false => Err(Fault::SameNumbers),
    }
}

fn read_binaries(blobs: Vec<Blob>) -> Result<Read, Fault> {
    if blobs.is_empty() {
        return Err(Fault::NoBinaries);
    }
    let set: BTreeSet<Bytes> = blobs.iter().map(|Blob(bytes)| bytes.clone()).collect();
    if set.len() == blobs.len() {
        return Ok(flat(Value::BinarySet(set)));
    }
    let mut shown = Vec::new();
    for Blob(bytes) in &blobs {
        shown.extend_from_slice(if shown.is_empty() { b"[" } else { b", " });
        Blob::write_base64(bytes, &mut shown);
    }
    shown.push(b']');
    Err(Fault::SameBinaries(
        String::from_utf8_lossy(&shown).into_owned(),
    ))
}

fn read_map(map: BTreeMap<String, AttributeValue>) -> Result<Read, Fault> {
    let mut deepest = 0;
    let mut item = Item::new();
    for (name, AttributeValue(read)) in map {
        let Read { value, depth } = read?;
        deepest = deepest.max(depth);
        item.insert(name, value);
    }
    Ok(Read {
        value: Value::Map(item),
        depth: deepest.saturating_add(1),
    })
}

fn read_list(list: Vec<AttributeValue>) -> Result<Read, Fault> {
    let mut deepest = 0;
    let mut values = Vec::with_capacity(list.len());
    for AttributeValue(read) in list {
        let Read { value, depth } = read?;
        deepest = deepest.max(depth);
        values.push(value);
    }
    Ok(Read {
        value: Value::List(values),
        depth: deepest.saturating_add(1),
    })
}

#[cfg(test)]
mod tests;
