//! An event as patterns see it: values by path, where elements of a list of objects keep together.
//!
//! Conditions on members of objects in one list hold only if one and the same object satisfies them, as AWS documents
//! for rules of EventBridge.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    matcher::Matcher,
    pattern::{Condition, leads_to},
};

/// The values of an event, or of one object in a list of it.
#[derive(Debug, Default)]
pub(crate) struct Event<'e> {
    /// What is neither object nor list, by its path.
    values: BTreeMap<String, Vec<&'e Value>>,
    /// The objects of lists, by the list's path.
    lists: BTreeMap<String, Vec<Event<'e>>>,
}

impl<'e> Event<'e> {
    /// The values of an object at paths that are wanted.
    pub fn of(members: &'e Map<String, Value>, is_wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut event = Self::default();
        event.add_object("", members, is_wanted);
        event
    }

    /// Whether all `conditions` hold.
    pub fn satisfies(&self, conditions: &[Arc<Condition>]) -> bool {
        let conditions = conditions.iter().map(|condition| &**condition);
        let open = conditions.filter(|condition| {
            !condition.any_of.contains(&Matcher::Absent) || self.has(&condition.path)
        });
        self.satisfies_all(open.collect())
    }

    /// Whether `conditions` hold here, those on members of a list's objects in one of these objects.
    fn satisfies_all(&self, mut conditions: Vec<&Condition>) -> bool {
        conditions.retain(|condition| !self.has_match(condition));
        for (path, objects) in &self.lists {
            let (inside, rest) = conditions
                .into_iter()
                .partition::<Vec<_>, _>(|condition| leads_to(path, &condition.path));
            conditions = rest;
            let holds = inside.is_empty() || {
                let mut objects = objects.iter();
                objects.any(|object| object.satisfies_all(inside.clone()))
            };
            if !holds {
                return false;
            }
        }
        conditions.is_empty()
    }

    fn has_match(&self, condition: &Condition) -> bool {
        let values = self.values.get(&condition.path);
        let mut values = values.into_iter().flatten();
        values.any(|value| {
            condition
                .any_of
                .iter()
                .any(|matcher| matcher.matches(value))
        })
    }

    /// Whether there is any value at `path`.
    fn has(&self, path: &str) -> bool {
        let mut objects = self.lists.values().flatten();
        self.values.contains_key(path) || objects.any(|object| object.has(path))
    }

    fn add_object(
        &mut self,
        path: &str,
        members: &'e Map<String, Value>,
        is_wanted: &dyn Fn(&str) -> bool,
    ) {
        for (name, value) in members {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            if is_wanted(&path) {
                self.add(path, value, is_wanted);
            }
        }
    }

    fn add(&mut self, path: String, value: &'e Value, is_wanted: &dyn Fn(&str) -> bool) {
        match value {
            Value::Object(members) => self.add_object(&path, members, is_wanted),
            Value::Array(elements) => {
                for element in elements {
                    self.add_element(&path, element, is_wanted);
                }
            }
            value => self.values.entry(path).or_default().push(value),
        }
    }

    fn add_element(&mut self, path: &str, element: &'e Value, is_wanted: &dyn Fn(&str) -> bool) {
        let Value::Object(members) = element else {
            return self.add(path.to_owned(), element, is_wanted);
        };
        let mut object = Self::default();
        object.add_object(path, members, is_wanted);
        self.lists.entry(path.to_owned()).or_default().push(object);
    }
}
