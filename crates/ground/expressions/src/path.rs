//! The way to a value inside an item, and the parts of an item that a projection keeps.

use std::{fmt, sync::Arc};

use headwater_items::{Item, Value};

/// The way to a value: an attribute of the item, and steps into it. It is shown as AWS's texts have it: `[a, [1], b]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The attribute.
    pub root: Arc<str>,
    /// The steps from there.
    pub steps: Vec<Step>,
}

/// A step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Field(Arc<str>),
    /// Into a list.
    Index(usize),
}

/// The parts of items that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection(pub Vec<Path>);

impl Path {
    /// The way to a whole attribute.
    pub fn attribute(name: impl Into<Arc<str>>) -> Self {
        Self {
            root: name.into(),
            steps: Vec::new(),
        }
    }

    /// The value there.
    pub fn find<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps
            .iter()
            .try_fold(item.get(&*self.root)?, |value, step| step.into(value))
    }
}

impl Step {
    /// The value inside another that the step leads to.
    fn into<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match (self, value) {
            (Self::Field(name), Value::Map(map)) => map.get(&**name),
            (Self::Index(index), Value::List(list)) => list.get(*index),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.root)?;
        for step in &self.steps {
            match step {
                Step::Field(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}

impl Projection {
    /// The wanted parts of an item; elements of lists come one behind the other.
    pub fn of(&self, item: &Item) -> Item {
        // Paths in order, so that those with the same beginning are neighbours and indexes ascend.
        let mut paths: Vec<&Path> = self.0.iter().collect();
        paths.sort_unstable();
        paths
            .chunk_by(|one, other| one.root == other.root)
            .filter_map(|paths| {
                let root = &paths.first()?.root;
                Some((root.to_string(), part(item.get(&**root)?, paths, 0)?))
            })
            .collect()
    }
}

/// The part of a value that paths want which have led to it with their first `taken` steps; none where there is nothing.
fn part(value: &Value, paths: &[&Path], taken: usize) -> Option<Value> {
    if paths.first()?.steps.len() <= taken {
        return Some(value.clone());
    }
    let parts = paths
        .chunk_by(|one, other| one.steps.get(taken) == other.steps.get(taken))
        .filter_map(|paths| {
            let step = paths.first()?.steps.get(taken)?;
            Some((step, part(step.into(value)?, paths, taken + 1)?))
        });
    match value {
        Value::Map(_) => {
            let map: Item = parts
                .filter_map(|(step, part)| match step {
                    Step::Field(name) => Some((name.to_string(), part)),
                    Step::Index(_) => None,
                })
                .collect();
            (!map.is_empty()).then_some(Value::Map(map))
        }
        Value::List(_) => {
            let list: Vec<Value> = parts.map(|(_, part)| part).collect();
            (!list.is_empty()).then_some(Value::List(list))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{item, list, map, paths, text};

    fn letters() -> Item {
        item([
            ("a", list([text("a0"), text("a1"), text("a2")])),
            (
                "m",
                map([
                    ("x", text("mx")),
                    ("y", text("my")),
                    ("l", list([map([("p", text("p")), ("q", text("q"))])])),
                ]),
            ),
            ("s", text("s")),
        ])
    }

    #[test]
    fn paths_lead_to_values() {
        let item = letters();
        for (path, found) in [
            ("s", Some(text("s"))),
            ("a[1]", Some(text("a1"))),
            ("m.l[0].q", Some(text("q"))),
            ("a[3]", None),
            ("a.x", None),
            ("m[0]", None),
            ("s.x", None),
            ("z", None),
        ] {
            assert_eq!(paths(path).0[0].find(&item), found.as_ref(), "{path}");
        }
    }

    #[test]
    fn paths_are_shown_as_aws_does() {
        assert_eq!(paths("a.b[2].c").0[0].to_string(), "[a, b, [2], c]");
    }

    #[test]
    fn a_projection_keeps_what_is_wanted() {
        let item = letters();
        for (wanted, kept) in [
            ("s, z", vec![("s", text("s"))]),
            (
                "a[2], a[0], a[7]",
                vec![("a", list([text("a0"), text("a2")]))],
            ),
            (
                "m.y, s, m.x",
                vec![
                    ("m", map([("x", text("mx")), ("y", text("my"))])),
                    ("s", text("s")),
                ],
            ),
            (
                "m.l[0].q, m.l[0].p",
                vec![(
                    "m",
                    map([("l", list([map([("p", text("p")), ("q", text("q"))])]))]),
                )],
            ),
            ("m.z, a[9], s.t", vec![]),
            ("a.b, m[1]", vec![]),
            ("a", vec![("a", list([text("a0"), text("a1"), text("a2")]))]),
        ] {
            assert_eq!(
                paths(wanted).of(&item),
                super::super::testing::item(kept),
                "{wanted}"
            );
        }
    }

    #[test]
    fn overlapping_paths_keep_the_larger_part() {
        let both = Projection(vec![paths("m.x").0.remove(0), paths("m").0.remove(0)]);
        assert_eq!(both.of(&letters()), paths("m").of(&letters()));
    }
}
