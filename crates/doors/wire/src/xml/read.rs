//! From elements to values.

use headwater_shapes::{Member, Shape, Structure};
use serde_json::{Map, Value};

use crate::{
    rest::{body_members, parse_scalar},
    xml::{Element, XmlError},
};

/// The value of `element`, which must be called `name` where one is given.
pub(crate) fn read(
    element: &Element,
    name: Option<&'static str>,
    shape: &Shape,
) -> Result<Value, XmlError> {
    match name {
        Some(expected) if element.name != expected => Err(XmlError::Root {
            found: element.name.clone(),
            expected,
        }),
        _ => value(element, shape),
    }
}

/// The body members of a structure that is a whole document. Any root will do: stores other than AWS differ there.
pub(crate) fn read_root(
    root: &Element,
    structure: &Structure,
) -> Result<Map<String, Value>, XmlError> {
    let mut members = body_members(structure);
    if let (Some(only), None) = (members.next(), members.next())
        && is_unwrapped(structure, only)
    {
        return Ok(Map::from_iter([(
            only.wire_name.to_owned(),
            value(root, only.shape)?,
        )]));
    }
    structure_members(root, structure)
}

/// S3's GetBucketLocation: the one member is the root itself.
pub(super) fn is_unwrapped(structure: &Structure, only: &Member) -> bool {
    structure.xml_root() == only.wire_name && matches!(only.shape, Shape::String { .. })
}

fn value(element: &Element, shape: &Shape) -> Result<Value, XmlError> {
    match shape {
        Shape::Structure(structure) => structure_members(element, structure).map(Value::Object),
        Shape::List {
            member,
            member_name,
            ..
        } => {
            let items = element
                .children
                .iter()
                .filter(|child| child.name == *member_name);
            items
                .map(|item| value(item, member))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        }
        Shape::Map { value: shape, .. } => map(element, shape),
        scalar => parse_scalar(&element.text, scalar).map_err(|expected| XmlError::Scalar {
            element: element.name.clone(),
            expected,
        }),
    }
}

fn map(element: &Element, shape: &Shape) -> Result<Value, XmlError> {
    let mut members = Map::new();
    for entry in element
        .children
        .iter()
        .filter(|child| child.name == "entry")
    {
        if let (Some(key), Some(item)) = (entry.child_text("key"), entry.child("value")) {
            members.insert(key.to_owned(), value(item, shape)?);
        }
    }
    Ok(Value::Object(members))
}

fn structure_members(
    element: &Element,
    structure: &Structure,
) -> Result<Map<String, Value>, XmlError> {
    let mut members = Map::new();
    for member in body_members(structure) {
        if let Some(value) = read_member(element, member)? {
            members.insert(member.wire_name.to_owned(), value);
        }
    }
    Ok(members)
}

fn read_member(element: &Element, member: &Member) -> Result<Option<Value>, XmlError> {
    if member.xml_attribute {
        let attribute = element
            .attributes
            .iter()
            .find(|(name, _)| name == member.wire_name);
        return Ok(attribute.map(|(_, text)| text.as_str().into()));
    }
    let mut children = element
        .children
        .iter()
        .filter(|child| child.name == member.wire_name);
    if let Shape::List {
        member: shape,
        flattened: true,
        ..
    } = member.shape
    {
        let items = children
            .map(|child| value(child, shape))
            .collect::<Result<Vec<_>, _>>()?;
        return Ok((!items.is_empty()).then_some(Value::Array(items)));
    }
    match children.next() {
        None => Ok(None),
        Some(child) if is_empty(child, member.shape) => Ok(None),
        Some(child) => value(child, member.shape).map(Some),
    }
}

/// `<MaxKeys/>` says nothing; `<Prefix/>` says that it is empty.
fn is_empty(element: &Element, shape: &Shape) -> bool {
    let holds_text = matches!(
        shape,
        Shape::Integer { .. }
            | Shape::Long { .. }
            | Shape::Float { .. }
            | Shape::Double { .. }
            | Shape::Boolean
            | Shape::Timestamp { .. }
    );
    holds_text && element.text.trim().is_empty()
}
