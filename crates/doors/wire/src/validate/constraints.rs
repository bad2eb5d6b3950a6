//! Which constraints values break, as AWS lists them: at most ten, a structure's members in their tables' order.

use headwater_shapes::{Member, Shape, Structure};
use serde_json::{Map, Value};

use crate::validate::render::{blob_len, lower_first, show};

/// AWS lists no more than these.
const MOST: usize = 10;

/// All broken constraints, each as AWS words it.
pub(super) fn check(
    members: &Map<String, Value>,
    structure: &Structure,
    names_null: bool,
) -> Vec<String> {
    let mut broken = Broken {
        texts: Vec::new(),
        names_null,
    };
    broken.structure(members, structure, "");
    broken.texts
}

struct Broken {
    texts: Vec<String>,
    /// Lambda names "not null" among the constraints of scalars in lists and maps, as users' reports show.
    names_null: bool,
}

impl Broken {
    fn structure(&mut self, members: &Map<String, Value>, structure: &Structure, path: &str) {
        for member in structure.members {
            let Member {
                name,
                wire_name,
                shape,
                required,
                ..
            } = member;
            let path = join(path, &lower_first(name));
            match members.get(*wire_name) {
                Some(value) if !value.is_null() => self.value(value, shape, &path),
                // A body that streams is not among the members.
                _ if *required
                    && !matches!(
                        shape,
                        Shape::Blob {
                            streaming: true,
                            ..
                        }
                    ) =>
                {
                    self.add(&Value::Null, shape, &path, "Member must not be null");
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, value: &Value, shape: &Shape, path: &str) {
        if self.texts.len() >= MOST {
            return;
        }
        for constraint in own_constraints(value, shape)
            .into_iter()
            .filter(|c| !c.holds)
        {
            self.add(value, shape, path, &constraint.text);
        }
        match (shape, value) {
            (Shape::Structure(inner), Value::Object(members)) => {
                self.structure(members, inner, path)
            }
            (Shape::List { member, .. }, Value::Array(values)) => {
                self.list(value, values, shape, member, path)
            }
            (
                Shape::Map {
                    key, value: inner, ..
                },
                Value::Object(entries),
            ) => {
                let keys: Vec<Value> = entries
                    .keys()
                    .map(|key| Value::String(key.clone()))
                    .collect();
                self.scalars(
                    value,
                    keys.iter(),
                    shape,
                    key,
                    path,
                    "Map keys must satisfy constraint: ",
                );
                if is_scalar(inner) {
                    self.scalars(
                        value,
                        entries.values(),
                        shape,
                        inner,
                        path,
                        "Map value must satisfy constraint: ",
                    );
                } else {
                    for (key, value) in entries {
                        self.value(value, inner, &format!("{path}.{key}.member"));
                    }
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, list: &Value, values: &[Value], shape: &Shape, member: &Shape, path: &str) {
        if is_scalar(member) {
            return self.scalars(
                list,
                values.iter(),
                shape,
                member,
                path,
                "Member must satisfy constraint: ",
            );
        }
        for (index, value) in values.iter().enumerate() {
            let path = format!("{path}.{}.member", index + 1);
            if value.is_null() {
                self.add(value, member, &path, "Member must not be null");
            } else {
                self.value(value, member, &path);
            }
        }
    }

    /// Scalars in a list or map are one complaint about the whole, which names all their constraints.
    fn scalars<'v>(
        &mut self,
        whole: &Value,
        mut values: impl Iterator<Item = &'v Value>,
        whole_shape: &Shape,
        shape: &Shape,
        path: &str,
        opening: &str,
    ) {
        let fails = |value: &Value| {
            value.is_null() || own_constraints(value, shape).iter().any(|c| !c.holds)
        };
        if let Some(failed) = values.find(|value| fails(value)) {
            let mut all = own_constraints(failed, shape);
            // In this place AWS names the upper bound first, then the lower one, then the pattern.
            all.sort_by_key(|c| c.rank);
            let mut texts: Vec<String> = all.into_iter().map(|c| c.text).collect();
            if failed.is_null() || self.names_null {
                texts.push("Member must not be null".to_owned());
            }
            self.add(
                whole,
                whole_shape,
                path,
                &format!("{opening}[{}]", texts.join(", ")),
            );
        }
    }

    fn add(&mut self, value: &Value, shape: &Shape, path: &str, constraint: &str) {
        if self.texts.len() < MOST {
            let value = if value.is_null() {
                "null".to_owned()
            } else {
                format!("'{}'", show(value, shape))
            };
            self.texts.push(format!(
                "Value {value} at '{path}' failed to satisfy constraint: {constraint}"
            ));
        }
    }
}

/// One constraint of a shape, and whether a value keeps it.
struct Constraint {
    text: String,
    holds: bool,
    /// Its place in a list of constraints on members.
    rank: u8,
}

impl Constraint {
    fn of(rank: u8, holds: bool, text: String) -> Self {
        Self { text, holds, rank }
    }
}

/// The constraints of the value itself, not of what it holds, in the order in which AWS reports them.
fn own_constraints(value: &Value, shape: &Shape) -> Vec<Constraint> {
    let mut all = Vec::new();
    match shape {
        Shape::String {
            min,
            max,
            pattern,
            values,
        } => {
            let text = value.as_str().unwrap_or_default();
            if let Some(pattern) = pattern {
                let name = pattern.text();
                let text = pattern.matches(text);
                all.push(Constraint::of(
                    2,
                    text,
                    format!("Member must satisfy regular expression pattern: {name}"),
                ));
            }
            lengths(&mut all, text.chars().count(), *min, *max);
            if !values.is_empty() {
                let set = values.join(", ");
                let text = format!("Member must satisfy enum value set: [{set}]");
                all.push(Constraint::of(
                    3,
                    values.contains(&value.as_str().unwrap_or_default()),
                    text,
                ));
            }
        }
        Shape::Blob { min, max, .. } => lengths(&mut all, blob_len(value), *min, *max),
        Shape::List { min, max, .. } => {
            lengths(&mut all, value.as_array().map_or(0, Vec::len), *min, *max)
        }
        Shape::Map { min, max, .. } => {
            lengths(&mut all, value.as_object().map_or(0, Map::len), *min, *max)
        }
        Shape::Integer { min, max } | Shape::Long { min, max } => {
            let n = value.as_i64().unwrap_or_default();
            bounds(&mut all, n, *min, *max);
        }
        Shape::Float { min, max } | Shape::Double { min, max } => {
            let n = value.as_f64().unwrap_or_default();
            bounds(&mut all, n, *min, *max);
        }
        Shape::Boolean | Shape::Timestamp { .. } | Shape::Document | Shape::Structure(_) => {}
    }
    all
}

fn lengths(all: &mut Vec<Constraint>, len: usize, min: Option<u64>, max: Option<u64>) {
    let len = len as u64;
    if let Some(min) = min {
        let text = format!("Member must have length greater than or equal to {min}");
        all.push(Constraint::of(1, len >= min, text));
    }
    if let Some(max) = max {
        let text = format!("Member must have length less than or equal to {max}");
        all.push(Constraint::of(0, len <= max, text));
    }
}

/// Bounds of a number; those of a fraction are shown as one: `1.0`.
fn bounds<N: PartialOrd + std::fmt::Debug>(
    all: &mut Vec<Constraint>,
    n: N,
    min: Option<N>,
    max: Option<N>,
) {
    if let Some(min) = min {
        let text = format!("Member must have value greater than or equal to {min:?}");
        all.push(Constraint::of(1, n >= min, text));
    }
    if let Some(max) = max {
        let text = format!("Member must have value less than or equal to {max:?}");
        all.push(Constraint::of(0, n <= max, text));
    }
}

fn is_scalar(shape: &Shape) -> bool {
    !matches!(
        shape,
        Shape::Structure(_) | Shape::List { .. } | Shape::Map { .. }
    )
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
