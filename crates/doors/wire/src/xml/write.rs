//! From values to text.

use headwater_shapes::{Shape, Structure};
use serde_json::{Map, Value};

use crate::{
    query::{Spelling, VALUE},
    rest::{Times, body_members, render_scalar},
    xml::read::is_unwrapped,
};

/// The one prefix that models give attributes, declared where it is used.
const XSI: (&str, &str) = ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document whose root is `name`.
pub(crate) fn write(value: &Value, name: &str, shape: &Shape, namespace: Option<&str>) -> String {
    let mut writer = Writer::new(namespace);
    writer.value(name, value, shape);
    writer.text
}

/// A document whose root is the structure itself, with its body members in it.
pub(crate) fn write_root(
    tree: &Map<String, Value>,
    structure: &Structure,
    namespace: Option<&str>,
) -> String {
    let mut writer = Writer::new(namespace);
    let mut members = body_members(structure);
    match (members.next(), members.next()) {
        (Some(only), None) if is_unwrapped(structure, only) => {
            let value = tree
                .get(only.wire_name)
                .cloned()
                .unwrap_or_else(|| "".into());
            writer.value(only.wire_name, &value, only.shape);
        }
        _ => writer.structure(structure.xml_root(), tree, structure),
    }
    writer.text
}

/// A document as it grows.
pub(crate) struct Writer {
    pub(crate) text: String,
    /// The namespace that the next element declares: the root's.
    namespace: Option<String>,
    /// The names of members in the query protocol of a service that has others in JSON.
    spelling: Option<&'static Spelling>,
    /// How times are written.
    times: Times,
}

impl Writer {
    pub(crate) fn new(namespace: Option<&str>) -> Self {
        Self {
            text: DECLARATION.to_owned(),
            namespace: namespace.map(str::to_owned),
            spelling: None,
            times: Times::Iso8601,
        }
    }

    /// The same with times written in another way.
    pub(crate) fn timed(self, times: Times) -> Self {
        Self { times, ..self }
    }

    /// The same with other names of members.
    pub(crate) fn spelled(self, spelling: Option<&'static Spelling>) -> Self {
        Self { spelling, ..self }
    }

    /// A member of a service whose lists and maps are flat and have other names in the query protocol.
    fn spell(&mut self, name: &str, value: &Value, shape: &Shape, spelling: &Spelling) {
        let spelled = spelling.of(name);
        match (value, shape) {
            (Value::Array(items), Shape::List { member, .. }) => {
                let of_structure = match member {
                    Shape::Structure(structure) => structure.name,
                    _ => name,
                };
                let name = spelled.map_or(of_structure, |spelled| spelled.query);
                items.iter().for_each(|item| self.value(name, item, member));
            }
            (Value::Object(entries), Shape::Map { value: shape, .. }) => {
                let (name, key) = spelled.map_or((name, "Name"), |s| (s.query, s.key));
                for (entry, value) in entries {
                    self.open(name, &[]);
                    self.leaf(key, entry);
                    self.value(VALUE, value, shape);
                    self.close(name);
                }
            }
            (value, shape) => self.value(name, value, shape),
        }
    }

    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text += "<";
        self.text += name;
        let namespace = self.namespace.take();
        let namespace = namespace.iter().map(|uri| ("xmlns", uri.as_str()));
        for (key, value) in namespace.chain(attributes.iter().copied()) {
            self.text += &format!(" {key}=\"");
            escape(&mut self.text, value);
            self.text += "\"";
        }
        self.text += ">";
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.text += &format!("</{name}>");
    }

    /// An element that holds text alone.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name, &[]);
        escape(&mut self.text, text);
        self.close(name);
    }

    fn value(&mut self, name: &str, value: &Value, shape: &Shape) {
        match (value, shape) {
            (Value::Null, _) => {}
            (Value::Object(tree), Shape::Structure(structure)) => {
                self.structure(name, tree, structure)
            }
            (
                Value::Array(items),
                Shape::List {
                    member,
                    member_name,
                    ..
                },
            ) => {
                self.open(name, &[]);
                items
                    .iter()
                    .for_each(|item| self.value(member_name, item, member));
                self.close(name);
            }
            (Value::Object(entries), Shape::Map { value: shape, .. }) => {
                self.open(name, &[]);
                for (key, value) in entries {
                    self.open("entry", &[]);
                    self.leaf("key", key);
                    self.value("value", value, shape);
                    self.close("entry");
                }
                self.close(name);
            }
            (value, shape) => self.leaf(name, &render_scalar(value, shape, self.times)),
        }
    }

    /// An element with a structure's members in it.
    pub(crate) fn structure(
        &mut self,
        name: &str,
        tree: &Map<String, Value>,
        structure: &Structure,
    ) {
        let attributes = body_members(structure).filter(|member| member.xml_attribute);
        let mut attributes: Vec<(&str, &str)> = attributes
            .filter_map(|member| Some((member.wire_name, tree.get(member.wire_name)?.as_str()?)))
            .collect();
        if attributes.iter().any(|(name, _)| name.starts_with("xsi:")) {
            attributes.insert(0, XSI);
        }
        self.open(name, &attributes);
        let begin = self.text.len();
        self.members(tree, structure);
        if self.spelling.is_some() && self.text.len() == begin {
            // As SQS writes it.
            self.text.insert(begin - 1, '/');
        } else {
            self.close(name);
        }
    }

    /// A structure's members, each an element.
    pub(crate) fn members(&mut self, tree: &Map<String, Value>, structure: &Structure) {
        for member in body_members(structure).filter(|member| !member.xml_attribute) {
            if let (Some(spelling), Some(value)) = (self.spelling, tree.get(member.wire_name)) {
                self.spell(member.wire_name, value, member.shape, spelling);
                continue;
            }
            match (tree.get(member.wire_name), member.shape) {
                (None, _) => {}
                (
                    Some(Value::Array(items)),
                    Shape::List {
                        member: shape,
                        flattened: true,
                        ..
                    },
                ) => {
                    items
                        .iter()
                        .for_each(|item| self.value(member.wire_name, item, shape));
                }
                (Some(value), shape) => self.value(member.wire_name, value, shape),
            }
        }
    }
}

/// Appends `text` so that it reads back as it is. Control characters become references, as S3 writes them: XML 1.0
/// does not allow them, and a client that expects them asks for `encoding-type=url`.
fn escape(to: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            '\t' | '\n' => to.push(c),
            '\0'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => {
                to.push_str(&format!("&#x{:x};", c as u32));
            }
            c => to.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::parse;

    proptest! {
        #[test]
        fn any_text_but_nul_reads_back(text in "[^\\x00]{0,60}") {
            let mut writer = Writer::new(Some("urn:x&y"));
            writer.open("A", &[("k", "v\"<")]);
            writer.leaf("B", &text);
            writer.close("A");
            let root = parse(writer.text.as_bytes()).unwrap();
            prop_assert_eq!(root.child_text("B"), Some(text.as_str()));
            prop_assert_eq!(&root.attributes[1].1, "v\"<");
        }
    }
}
