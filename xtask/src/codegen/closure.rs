//! The part of a model that is needed: the shapes that the chosen operations reach, and what must be said about each.

use std::collections::BTreeSet;

use crate::codegen::model::{Model, ShapeDef, ShapeRef};

impl Model {
    /// The shape of that name.
    pub fn shape(&self, name: &str) -> &ShapeDef {
        self.shapes
            .get(name)
            .unwrap_or_else(|| panic!("the model uses {name} and does not define it"))
    }

    /// All shapes that `roots` reach, themselves included; errors of an event stream are left out.
    pub fn reach<'a>(&self, roots: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<String> = roots.into_iter().map(str::to_owned).collect();
        while let Some(name) = open.pop() {
            let shape = self.shape(&name);
            if !shape.exception && seen.insert(name.clone()) {
                open.extend(shape.uses().map(str::to_owned));
            }
        }
        seen
    }

    /// Whether a value of this shape can break a constraint, in itself or in what it holds.
    pub fn is_constrained(&self, name: &str) -> bool {
        self.reach([name])
            .iter()
            .any(|name| self.shape(name).has_constraint())
    }

    /// Whether a structure holds itself without a list or map between.
    pub fn holds_itself(&self, outer: &str, member: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![member.to_owned()];
        while let Some(name) = open.pop() {
            if name == outer {
                return true;
            }
            let shape = self.shape(&name);
            if shape.kind == "structure" && seen.insert(name) {
                open.extend(shape.members.0.iter().map(|(_, m)| m.shape.clone()));
            }
        }
        false
    }

    /// Whether a member of a structure is a body that streams, or events.
    pub fn streams(&self, name: &str) -> bool {
        let streams = |m: &ShapeRef| {
            let shape = self.shape(&m.shape);
            m.streaming || shape.streaming || shape.eventstream
        };
        self.shape(name).members.0.iter().any(|(_, m)| streams(m))
    }
}

impl ShapeDef {
    /// The shapes that this one names.
    fn uses(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.member, &self.key, &self.value];
        let parts = parts.into_iter().flatten().map(|r| r.shape.as_str());
        self.members
            .0
            .iter()
            .map(|(_, r)| r.shape.as_str())
            .chain(parts)
    }

    /// Whether this shape itself restricts its values; that a member is required shows in its type.
    fn has_constraint(&self) -> bool {
        self.min.is_some()
            || self.max.is_some()
            || self.pattern.is_some()
            || !self.values.is_empty()
    }
}
