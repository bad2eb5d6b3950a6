//! From a form to a tree of values, after an input's shape.

use std::collections::BTreeMap;

use headwater_auth::parse_query;
use headwater_shapes::{Member, Shape, Structure, Value};
use serde_json::Map;

use crate::{
    ApiError,
    limits::{QUERY_DEPTH, QUERY_DOTS, QUERY_FIELDS},
    query::{Form, VALUE},
    rest::parse_scalar,
};

/// A form's fields.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a form's text. They are counted before they take memory; the dots of their names once they are
    /// decoded, as a dot may be written `%2E`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let count = |text: &str, what| text.bytes().filter(|byte| *byte == what).count();
        if count(text, b'&') >= QUERY_FIELDS {
            return Err(malformed(format!(
                "there are more than {QUERY_FIELDS} parameters"
            )));
        }
        let fields = parse_query(text);
        let dots = fields.iter().map(|(name, _)| count(name, b'.'));
        if dots.sum::<usize>() > QUERY_DOTS {
            return Err(malformed("the parameters' names are too long".to_owned()));
        }
        Ok(Self(fields))
    }

    /// Adds a field that the path of the address stands for, where there is none of that name.
    pub(crate) fn add(&mut self, name: &str, path: &str) {
        if self.get(name).is_none() && path != "/" {
            self.0.push((name.to_owned(), path.to_owned()));
        }
    }

    /// The first field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The members of an input in a form.
pub(crate) fn read(fields: &Fields, structure: &Structure, form: Form) -> Result<Value, ApiError> {
    let mut fields: Vec<_> = fields.0.iter().collect();
    // Of those that are named alike the first stays the first.
    fields.sort_by(|(one, _), (other, _)| one.split('.').cmp(other.split('.')));
    let mut root = Node::default();
    for (name, value) in fields {
        root.put(name, value)?;
    }
    read_structure(&mut root, structure, form).map(Value::Object)
}

/// The fields that begin alike. There may be a node for each dot, so they are small.
#[derive(Default)]
struct Node<'a> {
    text: Option<&'a str>,
    /// In the order of their names, which are all different.
    children: Vec<(&'a str, Node<'a>)>,
}

impl<'a> Node<'a> {
    /// Adds the field that follows those that are here in the order of the parts of their names.
    fn put(&mut self, name: &'a str, value: &'a str) -> Result<(), ApiError> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == QUERY_DEPTH {
                return Err(malformed(format!("{name} has too many parts")));
            }
            node = node.last(part);
        }
        node.text.get_or_insert(value);
        Ok(())
    }

    /// The last child, which is the one of that name.
    fn last(&mut self, name: &'a str) -> &mut Self {
        if self.children.last().is_none_or(|(last, _)| *last != name) {
            if self.children.is_empty() {
                // Most have one child.
                self.children.reserve_exact(1);
            }
            self.children.push((name, Node::default()));
        }
        let (_, last) = self.children.last_mut().expect("one was pushed");
        last
    }

    fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn remove(&mut self, name: &str) -> Option<Self> {
        let place = self.place(name)?;
        Some(self.children.remove(place).1)
    }

    fn place(&self, name: &str) -> Option<usize> {
        let place = self.children.binary_search_by_key(&name, |(name, _)| *name);
        place.ok()
    }

    /// The numbered children in the order of their numbers.
    fn numbered(self) -> Vec<Self> {
        let numbered = self.children.into_iter();
        let numbered = numbered.filter_map(|(name, node)| Some((name.parse::<u64>().ok()?, node)));
        let sorted: BTreeMap<u64, Self> = numbered.collect();
        sorted.into_values().collect()
    }
}

fn read_structure(
    node: &mut Node<'_>,
    structure: &Structure,
    form: Form,
) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    for member in structure.members {
        if let Some(child) = node.remove(&name(member, form))
            && let Some(value) = read_value(child, member.wire_name, member.shape, form)?
        {
            members.insert(member.wire_name.to_owned(), value);
        } else if form.spelling.is_some()
            && member.required
            && matches!(member.shape, Shape::List { .. })
        {
            // A form has no other way to say that a list is empty.
            members.insert(member.wire_name.to_owned(), Value::Array(Vec::new()));
        }
    }
    Ok(members)
}

/// The name of a member in a form.
pub(super) fn name(member: &Member, form: Form) -> String {
    let spelled = form
        .spelling
        .and_then(|spelling| spelling.of(member.wire_name));
    if let Some(spelled) = spelled {
        return spelled.query.to_owned();
    }
    if let (Some(_), Shape::List { member, .. }) = (form.spelling, member.shape)
        && let Shape::Structure(structure) = member
    {
        return structure.name.to_owned();
    }
    let mut name = member.wire_name.to_owned();
    if form.is_ec2
        && let Some(first) = name.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    name
}

fn read_value(
    mut node: Node<'_>,
    name: &str,
    shape: &Shape,
    form: Form,
) -> Result<Option<Value>, ApiError> {
    match shape {
        Shape::Structure(structure) => {
            read_structure(&mut node, structure, form).map(|members| Some(Value::Object(members)))
        }
        Shape::List {
            member,
            member_name,
            flattened,
            ..
        } => {
            let between = (!flattened && !form.is_ec2).then_some(*member_name);
            let items = inside(node, between).numbered().into_iter();
            let items = items.map(|item| read_value(item, name, member, form));
            let items: Result<Vec<_>, _> = items.filter_map(Result::transpose).collect();
            items.map(|items| Some(Value::Array(items)))
        }
        Shape::Map { value, .. } => {
            let is_flat = !node.has("entry");
            let entries = inside(node, (!is_flat).then_some("entry")).numbered();
            read_map(entries, name, value, form).map(|entries| Some(Value::Object(entries)))
        }
        scalar => node
            .text
            .map(|text| read_scalar(text, name, scalar))
            .transpose(),
    }
}

/// The node behind a word that stands between a list and its members.
fn inside<'a>(mut node: Node<'a>, between: Option<&str>) -> Node<'a> {
    match between {
        Some(word) => node.remove(word).unwrap_or_default(),
        None => node,
    }
}

fn read_map(
    entries: Vec<Node<'_>>,
    name: &str,
    shape: &Shape,
    form: Form,
) -> Result<Map<String, Value>, ApiError> {
    let mut map = Map::new();
    for mut entry in entries {
        let mut part = |names: &[&str]| names.iter().find_map(|name| entry.remove(name));
        let (keys, values): (&[&str], &[&str]) = match form.spelling {
            Some(_) => (&["Name", "Key"], &[VALUE]),
            // SNS has maps whose entries are spelled otherwise, and reads either.
            None => (&["key", "Name"], &["value", VALUE]),
        };
        let key = part(keys).and_then(|key| key.text);
        let value = part(values);
        if let (Some(key), Some(value)) = (key, value)
            && let Some(value) = read_value(value, name, shape, form)?
        {
            map.insert(key.to_owned(), value);
        }
    }
    Ok(map)
}

fn read_scalar(text: &str, name: &str, shape: &Shape) -> Result<Value, ApiError> {
    parse_scalar(text, shape).map_err(|expected| malformed(format!("{name} must be {expected}")))
}

fn malformed(why: String) -> ApiError {
    ApiError::new(400, "MalformedInput", why)
}
