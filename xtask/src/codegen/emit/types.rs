//! The Rust types of structures, and the list of constraints that a value is checked against.

use std::fmt::Write;

use crate::codegen::{
    emit::{Emit, TAKES_ALL},
    facts,
    model::{ShapeDef, ShapeRef},
    names,
};

impl Emit<'_> {
    pub(super) fn types(&self, out: &mut String) {
        let is_generated =
            |(name, shape): &(&str, &ShapeDef)| facts::by_hand(name, shape).is_none();
        for (name, shape) in self.structures().filter(is_generated) {
            self.structure(out, name, shape);
            self.tree(out, name, shape);
            if self.direct.contains(name) && self.from_inputs.contains(name) {
                self.constraints(out, name, shape);
            }
        }
    }

    /// The events of a stream as one type; its errors are none of them.
    pub(super) fn event_types(&self, out: &mut String) {
        let shapes = self
            .shapes
            .iter()
            .map(|name| (name, self.model.shape(name)));
        for (name, shape) in shapes.filter(|(_, shape)| shape.eventstream) {
            let events = shape
                .members
                .0
                .iter()
                .filter(|(_, part)| !self.model.shape(&part.shape).exception);
            let (mut variants, mut names, mut reads) =
                (String::new(), String::new(), String::new());
            for (event, part) in events {
                let variant = capitalized(event);
                writeln!(variants, "{variant}({}),", part.shape).expect(TAKES_ALL);
                writeln!(names, "Self::{variant}(_) => {event:?},").expect(TAKES_ALL);
                writeln!(
                    reads,
                    "{event:?} => Deserialize::deserialize(from).map(|held| Some(Self::{variant}(held))),"
                )
                .expect(TAKES_ALL);
            }
            write!(
                out,
                "#[derive(Debug, Clone, PartialEq, Serialize)]\n#[serde(untagged)]\npub enum {name} {{\n{variants}}}\n\n\
                 impl headwater_shapes::Event for {name} {{\nfn name(&self) -> &'static str {{\nmatch self {{\n{names}}}\n}}\n\n\
                 fn read<'de, D: serde::Deserializer<'de>>(name: &str, from: D) -> Result<Option<Self>, D::Error> {{\n\
                 match name {{\n{reads}_ => Ok(None),\n}}\n}}\n}}\n\n"
            )
            .expect(TAKES_ALL);
        }
    }

    fn structure(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        let mut derives = "Debug, Default".to_owned();
        if !self.model.streams(name) {
            derives += ", Clone, PartialEq";
        }
        let is_direct = self.direct.contains(name);
        if is_direct {
            derives += ", Serialize, Deserialize";
        }
        // A client reads answers leniently: a member that a server left out is as empty as can be.
        let lenient = if is_direct && !self.from_inputs.contains(name) {
            "#[serde(default)]\n"
        } else {
            ""
        };
        writeln!(out, "#[derive({derives})]\n{lenient}pub struct {name} {{").expect(TAKES_ALL);
        for (member, part) in &shape.members.0 {
            self.field(out, name, shape, member, part);
        }
        out.push_str("}\n\n");
    }

    fn field(
        &self,
        out: &mut String,
        structure: &str,
        shape: &ShapeDef,
        member: &str,
        part: &ShapeRef,
    ) {
        let is_direct = self.direct.contains(structure);
        let serde = |attributes: String| match is_direct {
            true => format!("#[serde({attributes})]\n"),
            false => String::new(),
        };
        let field = names::field(member);
        if self.is_outside(part) {
            let kind = match self.model.shape(&part.shape).eventstream {
                true => format!("headwater_shapes::EventStream<{}>", part.shape),
                false => "headwater_shapes::ByteStream".to_owned(),
            };
            let skip = serde("skip".to_owned());
            writeln!(out, "{skip}pub {field}: {kind},").expect(TAKES_ALL);
            return;
        }
        let wire_name = self.wire_name(member, part);
        let mut kind = self.kind(&part.shape);
        if self.model.holds_itself(structure, &part.shape) {
            kind = format!("Box<{kind}>");
        }
        if shape.required.iter().any(|r| r == member) {
            let rename = serde(format!("rename = {wire_name:?}"));
            writeln!(out, "{rename}pub {field}: {kind},")
        } else {
            let skip = "skip_serializing_if = \"Option::is_none\"";
            let rename = serde(format!("rename = {wire_name:?}, {skip}"));
            writeln!(out, "{rename}pub {field}: Option<{kind}>,")
        }
        .expect(TAKES_ALL);
    }

    /// How the structure is read from a tree and written to one.
    fn tree(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        let (outside, inside): (Vec<_>, Vec<_>) = shape
            .members
            .0
            .iter()
            .partition(|(_, part)| self.is_outside(part));
        write!(out, "headwater_shapes::tree!({name} {{").expect(TAKES_ALL);
        for (member, part) in inside {
            let how = match shape.required.iter().any(|r| r == member) {
                false => "optional",
                true if self.from_inputs.contains(name) => "required",
                true => "lenient",
            };
            let (wire_name, field) = (self.wire_name(member, part), names::field(member));
            write!(out, "{how} {wire_name:?} {field},").expect(TAKES_ALL);
        }
        let outside: Vec<String> = outside
            .iter()
            .map(|(member, _)| names::field(member))
            .collect();
        if !outside.is_empty() {
            write!(out, "; {}", outside.join(", ")).expect(TAKES_ALL);
        }
        out.push_str(" });\n\n");
    }

    /// Whether a member stands outside of the tree: a body that streams, or events.
    fn is_outside(&self, part: &ShapeRef) -> bool {
        self.is_stream(part) || self.model.shape(&part.shape).eventstream
    }

    /// The Rust type of a shape.
    fn kind(&self, name: &str) -> String {
        let shape = self.model.shape(name);
        if shape.document {
            return "headwater_shapes::Value".to_owned();
        }
        if let Some(path) = facts::by_hand(name, shape) {
            return path.to_owned();
        }
        let part = |part: &Option<ShapeRef>| {
            self.kind(&part.as_ref().expect("lists and maps name theirs").shape)
        };
        match shape.kind.as_str() {
            "structure" => name.to_owned(),
            "string" | "character" => "String".to_owned(),
            "integer" => "i32".to_owned(),
            "long" => "i64".to_owned(),
            "float" => "f32".to_owned(),
            "double" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "blob" => "headwater_shapes::Blob".to_owned(),
            "timestamp" => "headwater_shapes::Timestamp".to_owned(),
            "list" => format!("Vec<{}>", part(&shape.member)),
            "map" => format!("BTreeMap<String, {}>", part(&shape.value)),
            other => panic!("no shape of type {other}"),
        }
    }

    fn constraints(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        write!(out, "headwater_shapes::valid!({name} {{").expect(TAKES_ALL);
        for (member, part) in &shape.members.0 {
            if !self.is_outside(part) && self.model.is_constrained(&part.shape) {
                let shape = match self.model.shape(&part.shape).kind.as_str() {
                    "structure" => "headwater_shapes::check::ANY".to_owned(),
                    _ => format!("tables::{}", self.statics[&part.shape]),
                };
                write!(out, " {}: {shape},", names::field(member)).expect(TAKES_ALL);
            }
        }
        out.push_str(" });\n\n");
    }

    /// Whether a member is a body that streams.
    pub(super) fn is_stream(&self, part: &ShapeRef) -> bool {
        part.streaming || self.model.shape(&part.shape).streaming
    }
}

/// A member's name as a variant of an enum is written.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
