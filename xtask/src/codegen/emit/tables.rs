//! The static tables: what the slow path, the REST bindings and the dispatch read.

use std::fmt::Write;

use crate::codegen::{
    emit::{Emit, TAKES_ALL},
    facts,
    model::{OperationDef, ShapeDef, ShapeRef},
    names,
};

impl Emit<'_> {
    pub(super) fn tables(&self, out: &mut String) {
        out.push_str("#[allow(dead_code, reason = \"a shape may be used in a variant alone\")]\nmod tables {\nuse headwater_shapes::*;\n\nuse super::errors;\n\n");
        out.push_str("pub(super) static OPERATIONS: &[&OperationShape] = &[");
        for name in self.model.operations.keys() {
            write!(out, "&{},", operation_static(name)).expect(TAKES_ALL);
        }
        out.push_str("];\n\n");
        for operation in self.model.operations.values() {
            self.operation_table(out, operation);
        }
        let shapes = self
            .shapes
            .iter()
            .map(|name| (name, self.model.shape(name)));
        for (name, shape) in shapes.filter(|(_, shape)| !shape.eventstream) {
            if is_structure(shape) {
                self.structure_table(out, name, shape);
                continue;
            }
            if let Some(pattern) = &shape.pattern {
                let (constant, pattern) =
                    (&self.statics[name], raw(facts::checked_pattern(pattern)));
                writeln!(
                    out,
                    "static {constant}_REGEX: Pattern = Pattern::new({pattern});"
                )
                .expect(TAKES_ALL);
            }
            let text = self.shape_text(name, false, None);
            writeln!(
                out,
                "pub(super) static {}: Shape = {text};",
                self.statics[name]
            )
            .expect(TAKES_ALL);
        }
        out.push_str("}\n");
    }

    fn operation_table(&self, out: &mut String, operation: &OperationDef) {
        let OperationDef {
            name,
            http,
            input,
            output,
            errors,
        } = operation;
        let chosen = self.chosen.contains(name.as_str());
        let structure = |r: &Option<ShapeRef>| match r {
            Some(r) if chosen => format!("&{}", self.statics[&r.shape]),
            _ => "&NOTHING".to_owned(),
        };
        let errors: Vec<String> = errors
            .iter()
            .map(|e| format!("&errors::{}", names::snake(&e.shape).to_uppercase()))
            .collect();
        writeln!(
            out,
            "pub(super) static {}: OperationShape = OperationShape {{ name: {name:?}, http: Http {{ method: {:?}, \
             uri: {:?}, status: {} }}, input: {}, output: {}, result_wrapper: {:?}, errors: &[{}] }};",
            operation_static(name),
            http.method,
            http.request_uri,
            http.response_code.unwrap_or(200),
            structure(input),
            structure(output),
            output.as_ref().and_then(|r| r.result_wrapper.as_deref()),
            if chosen { errors.join(", ") } else { String::new() },
        )
        .expect(TAKES_ALL);
    }

    fn structure_table(&self, out: &mut String, name: &str, shape: &ShapeDef) {
        let constant = &self.statics[name];
        write!(
            out,
            "static {constant}: Structure = Structure {{ name: {name:?}, members: &["
        )
        .expect(TAKES_ALL);
        let mut members: Vec<&(String, ShapeRef)> = shape.members.0.iter().collect();
        let order = facts::check_order(name);
        members.sort_by_key(|(member, _)| {
            order
                .iter()
                .position(|o| o == member)
                .unwrap_or(order.len())
        });
        for (member, part) in members {
            if !self.model.shape(&part.shape).eventstream {
                out.push_str(&self.member_text(shape, member, part));
            }
        }
        let payload = shape.payload.as_ref().and_then(|payload| {
            let (member, part) = shape
                .members
                .0
                .iter()
                .find(|(member, _)| member == payload)?;
            (!self.model.shape(&part.shape).eventstream).then(|| self.wire_name(member, part))
        });
        writeln!(out, "], payload: {payload:?}, union: {} }};", shape.union).expect(TAKES_ALL);
    }

    fn member_text(&self, structure: &ShapeDef, member: &str, part: &ShapeRef) -> String {
        let wire_name = self.wire_name(member, part);
        let target = self.model.shape(&part.shape);
        let flags = part.flattened && !target.flattened || part.streaming && !target.streaming;
        let shape = if flags || part.timestamp_format.is_some() {
            self.shape_text(&part.shape, flags, part.timestamp_format.as_deref())
        } else {
            self.reference(&part.shape)
        };
        let maker = if structure.required.iter().any(|r| r == member) {
            "required"
        } else {
            "optional"
        };
        let mut text = format!("{maker}({member:?}, &{shape})");
        if wire_name != member {
            write!(text, ".named({wire_name:?})").expect(TAKES_ALL);
        }
        let location = match part.location.as_deref() {
            None => None,
            Some("uri") => Some("Uri"),
            Some("header") => Some("Header"),
            Some("headers") => Some("Headers"),
            Some("querystring") => Some("Query"),
            Some("statusCode") => Some("Status"),
            Some(other) => panic!("{member} stands in {other}"),
        };
        if let Some(location) = location {
            write!(text, ".at(Location::{location})").expect(TAKES_ALL);
        }
        if part.xml_attribute {
            text.push_str(".attribute()");
        }
        if self.is_secret(&part.shape) {
            text.push_str(".secret()");
        }
        text + ", "
    }

    /// Whether a shape's values are secrets, or those in its list or map.
    fn is_secret(&self, name: &str) -> bool {
        let shape = self.model.shape(name);
        let parts = [&shape.member, &shape.value];
        let within = |part: &&ShapeRef| self.model.shape(&part.shape).sensitive;
        shape.sensitive || parts.into_iter().flatten().any(|part| within(&part))
    }

    /// The expression behind the `&` where a shape is used.
    fn reference(&self, name: &str) -> String {
        let constant = &self.statics[name];
        if is_structure(self.model.shape(name)) {
            format!("Shape::Structure(&{constant})")
        } else {
            constant.clone()
        }
    }

    /// The table of a shape other than a structure; `flags` sets what a use of it adds: flattened for a list, streaming for a blob.
    fn shape_text(&self, name: &str, flags: bool, format: Option<&str>) -> String {
        let shape = self.model.shape(name);
        let part = |part: &Option<ShapeRef>| {
            format!(
                "&{}",
                self.reference(&part.as_ref().expect("lists and maps name theirs").shape)
            )
        };
        let whole = |bound: Option<f64>| format!("{:?}", bound.map(|b| b as i64));
        let (min, max) = (whole(shape.min), whole(shape.max));
        let bounds = format!("min: {min}, max: {max}");
        let real_bounds = format!("min: {:?}, max: {:?}", shape.min, shape.max);
        match shape.kind.as_str() {
            _ if shape.document => "Shape::Document".to_owned(),
            "string" | "character" => self.string_text(name, shape, &bounds),
            "blob" => format!(
                "Shape::Blob {{ {bounds}, streaming: {} }}",
                shape.streaming || flags
            ),
            "integer" => format!("Shape::Integer {{ {bounds} }}"),
            "long" => format!("Shape::Long {{ {bounds} }}"),
            "float" => format!("Shape::Float {{ {real_bounds} }}"),
            "double" => format!("Shape::Double {{ {real_bounds} }}"),
            "boolean" => "Shape::Boolean".to_owned(),
            "timestamp" => {
                format!(
                    "Shape::Timestamp {{ format: {:?} }}",
                    format.or(shape.timestamp_format.as_deref())
                )
            }
            "list" => format!(
                "Shape::List {{ member: {}, member_name: {:?}, flattened: {}, {bounds} }}",
                part(&shape.member),
                shape
                    .member
                    .as_ref()
                    .and_then(|m| m.location_name.as_deref())
                    .unwrap_or("member"),
                shape.flattened || flags,
            ),
            "map" => {
                format!(
                    "Shape::Map {{ key: {}, value: {}, {bounds} }}",
                    part(&shape.key),
                    part(&shape.value)
                )
            }
            other => panic!("no shape of type {other}"),
        }
    }

    fn string_text(&self, name: &str, shape: &ShapeDef, bounds: &str) -> String {
        let mut values: Vec<&str> = shape.values.iter().map(String::as_str).collect();
        let order = facts::enum_order(name);
        values.sort_by_key(|value| order.iter().position(|o| o == value).unwrap_or(order.len()));
        let pattern = match &shape.pattern {
            Some(_) => format!("Some(&{}_REGEX)", self.statics[name]),
            None => "None".to_owned(),
        };
        format!("Shape::String {{ {bounds}, pattern: {pattern}, values: &{values:?} }}")
    }

    /// A member's name on the wire. In XML a flattened list has its members' name, where they have one.
    pub(super) fn wire_name(&self, member: &str, part: &ShapeRef) -> String {
        let shape = self.model.shape(&part.shape);
        let of_members = shape.member.as_ref().and_then(|m| m.location_name.as_ref());
        let flattened = shape.flattened || part.flattened;
        let name = of_members
            .filter(|_| flattened)
            .or(part.location_name.as_ref());
        name.map_or_else(|| member.to_owned(), Clone::clone)
    }
}

fn is_structure(shape: &ShapeDef) -> bool {
    shape.kind == "structure" && !shape.document
}

/// The static of an operation: with a prefix, because shapes may have the same name.
pub(super) fn operation_static(name: &str) -> String {
    format!("OP_{}", names::snake(name).to_uppercase())
}

/// A raw string literal.
fn raw(text: &str) -> String {
    let hashes = if text.contains('"') { "#" } else { "" };
    format!("r{hashes}\"{text}\"{hashes}")
}
