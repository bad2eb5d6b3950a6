//! The Rust types of structures, and the list of constraints that a value is checked against.

use std::fmt::Write;

use crate::codegen::{
    emit::{Emit, TAKES_ALL},
    model::{ShapeDef, ShapeRef},
    names,
};

impl Emit<'_> {
    pub(super) fn types(&self, out: &mut String) {
        for (name, shape) in self.structures() {
            self.structure(out, name, shape);
            if self.from_inputs.contains(name) {
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
                writeln!(variants, "{event}({}),", part.shape).expect(TAKES_ALL);
                writeln!(names, "Self::{event}(_) => {event:?},").expect(TAKES_ALL);
                writeln!(
                    reads,
                    "{event:?} => Deserialize::deserialize(from).map(|held| Some(Self::{event}(held))),"
                )
                .expect(TAKES_ALL);
            }
            write!(
                out,
                "#[derive(Debug, Clone, PartialEq, Serialize)]\n#[serde(untagged)]\npub enum {name} {{\n{variants}}}\n\n\
                 impl crate::Event for {name} {{\nfn name(&self) -> &'static str {{\nmatch self {{\n{names}}}\n}}\n\n\
                 fn read<'de, D: serde::Deserializer<'de>>(name: &str, from: D) -> Result<Option<Self>, D::Error> {{\n\
                 match name {{\n{reads}_ => Ok(None),\n}}\n}}\n}}\n\n"
            )
            .expect(TAKES_ALL);
        }
    }

    fn structure(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        let derives = if self.model.streams(name) {
            "Debug, Default, Serialize, Deserialize"
        } else {
            "Debug, Clone, Default, PartialEq, Serialize, Deserialize"
        };
        // A client reads answers leniently: a member that a server left out is as empty as can be.
        let lenient = if self.from_inputs.contains(name) {
            ""
        } else {
            "#[serde(default)]\n"
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
        let field = names::field(member);
        if self.model.shape(&part.shape).eventstream {
            writeln!(
                out,
                "#[serde(skip)]\npub {field}: crate::EventStream<{}>,",
                part.shape
            )
            .expect(TAKES_ALL);
            return;
        }
        if self.is_stream(part) {
            writeln!(out, "#[serde(skip)]\npub {field}: scalars::ByteStream,").expect(TAKES_ALL);
            return;
        }
        let wire_name = self.wire_name(member, part);
        let mut kind = self.kind(&part.shape);
        if self.model.holds_itself(structure, &part.shape) {
            kind = format!("Box<{kind}>");
        }
        if shape.required.iter().any(|r| r == member) {
            writeln!(
                out,
                "#[serde(rename = {wire_name:?})]\npub {field}: {kind},"
            )
        } else {
            let skip = "skip_serializing_if = \"Option::is_none\"";
            writeln!(
                out,
                "#[serde(rename = {wire_name:?}, {skip})]\npub {field}: Option<{kind}>,"
            )
        }
        .expect(TAKES_ALL);
    }

    /// The Rust type of a shape.
    fn kind(&self, name: &str) -> String {
        let shape = self.model.shape(name);
        if shape.document {
            return "serde_json::Value".to_owned();
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
            "blob" => "scalars::Blob".to_owned(),
            "timestamp" => "scalars::Timestamp".to_owned(),
            "list" => format!("Vec<{}>", part(&shape.member)),
            "map" => format!("BTreeMap<String, {}>", part(&shape.value)),
            other => panic!("no shape of type {other}"),
        }
    }

    fn constraints(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        write!(out, "valid!({name} {{").expect(TAKES_ALL);
        for (member, part) in &shape.members.0 {
            let plain = !self.is_stream(part) && !self.model.shape(&part.shape).eventstream;
            if plain && self.model.is_constrained(&part.shape) {
                let shape = match self.model.shape(&part.shape).kind.as_str() {
                    "structure" => "ANY".to_owned(),
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
