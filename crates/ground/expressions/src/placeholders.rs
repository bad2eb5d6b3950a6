//! What stands for names and values in expressions.

use std::collections::BTreeMap;

use headwater_items::Value;

use crate::Invalid;

/// What `#names` and `:values` of a request's expressions stand for, and which of them were used.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, (String, bool)>,
    values: BTreeMap<String, (Value, bool)>,
}

impl Placeholders {
    /// The placeholders of a request; names with their `#`, values with their `:`.
    pub fn new(names: BTreeMap<String, String>, values: BTreeMap<String, Value>) -> Self {
        Self {
            names: names
                .into_iter()
                .map(|(key, name)| (key, (name, false)))
                .collect(),
            values: values
                .into_iter()
                .map(|(key, value)| (key, (value, false)))
                .collect(),
        }
    }

    /// The names that no expression used, in order.
    pub fn unused_names(&self) -> Vec<&str> {
        unused(&self.names)
    }

    /// The values that no expression used, in order.
    pub fn unused_values(&self) -> Vec<&str> {
        unused(&self.values)
    }

    /// The name that is written so: with a `#` what it stands for, otherwise itself.
    pub(crate) fn name<'a>(&'a mut self, written: &'a str) -> Result<&'a str, Invalid> {
        if !written.starts_with('#') {
            return Ok(written);
        }
        take(&mut self.names, written)
            .map(String::as_str)
            .ok_or_else(|| {
                Invalid::new(format!(
                    "An expression attribute name used in the document path is not defined; \
                 attribute name: {written}"
                ))
            })
    }

    /// The value that this `:value` stands for.
    pub(crate) fn value(&mut self, written: &str) -> Result<&Value, Invalid> {
        take(&mut self.values, written).ok_or_else(|| {
            Invalid::new(format!(
                "An expression attribute value used in expression is not defined; \
                 attribute value: {written}"
            ))
        })
    }
}

/// What a placeholder stands for; from now on it is used.
fn take<'a, T>(of: &'a mut BTreeMap<String, (T, bool)>, written: &str) -> Option<&'a T> {
    let (meant, used) = of.get_mut(written)?;
    *used = true;
    Some(meant)
}

fn unused<T>(of: &BTreeMap<String, (T, bool)>) -> Vec<&str> {
    of.iter()
        .filter(|(_, (_, used))| !used)
        .map(|(key, _)| key.as_str())
        .collect()
}
