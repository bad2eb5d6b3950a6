//! What stands for names and values in expressions.

use std::{collections::BTreeMap, sync::Arc};

use headwater_items::Value;

use crate::{Invalid, limits::PLACEHOLDERS_BYTES};

/// What `#names` and `:values` of a request's expressions stand for, and which of them were used. An expression shares them,
/// however often it uses one.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, Meant<Arc<str>>>,
    values: BTreeMap<String, Meant<Arc<Value>>>,
}

/// What a placeholder stands for.
#[derive(Debug)]
struct Meant<T> {
    what: T,
    bytes: usize,
    is_used: bool,
}

impl Placeholders {
    /// The placeholders of a request; names with their `#`, values with their `:`.
    pub fn new(names: BTreeMap<String, String>, values: BTreeMap<String, Value>) -> Self {
        let name = |(key, name): (_, String)| {
            let bytes = name.len();
            (key, Meant::new(name.into(), bytes))
        };
        let value = |(key, value): (_, Value)| {
            let bytes = value.size();
            (key, Meant::new(value.into(), bytes))
        };
        Self {
            names: names.into_iter().map(name).collect(),
            values: values.into_iter().map(value).collect(),
        }
    }

    /// Whether there are not too many of them, and they stand for nothing too large.
    ///
    /// # Errors
    /// There are, or they do. Texts are those of DynamoDB Local.
    pub fn check_size(&self) -> Result<(), Invalid> {
        let (names, values) = (size(&self.names), size(&self.values));
        let what = match PLACEHOLDERS_BYTES {
            most if names > most => "ExpressionAttributeNames",
            most if values > most => "ExpressionAttributeValues",
            most if names + values > most => {
                "Combined size of ExpressionAttributeNames and ExpressionAttributeValues"
            }
            _ => return Ok(()),
        };
        Err(Invalid::bare(format!("{what} exceeds max size")))
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
    pub(crate) fn name(&mut self, written: &str) -> Result<Arc<str>, Invalid> {
        if !written.starts_with('#') {
            return Ok(written.into());
        }
        take(&mut self.names, written).ok_or_else(|| {
            Invalid::new(format!(
                "An expression attribute name used in the document path is not defined; \
                 attribute name: {written}"
            ))
        })
    }

    /// The value that this `:value` stands for.
    pub(crate) fn value(&mut self, written: &str) -> Result<Arc<Value>, Invalid> {
        take(&mut self.values, written).ok_or_else(|| {
            Invalid::new(format!(
                "An expression attribute value used in expression is not defined; \
                 attribute value: {written}"
            ))
        })
    }

    /// Bytes of what this `#name` or `:value` stands for.
    pub(crate) fn bytes(&self, written: &str) -> usize {
        let name = self.names.get(written).map(|name| name.bytes);
        let value = || self.values.get(written).map(|value| value.bytes);
        name.or_else(value).unwrap_or_default()
    }
}

impl<T> Meant<T> {
    fn new(what: T, bytes: usize) -> Self {
        Self {
            what,
            bytes,
            is_used: false,
        }
    }
}

/// What a placeholder stands for; from now on it is used.
fn take<T: Clone>(of: &mut BTreeMap<String, Meant<T>>, written: &str) -> Option<T> {
    let meant = of.get_mut(written)?;
    meant.is_used = true;
    Some(meant.what.clone())
}

fn unused<T>(of: &BTreeMap<String, Meant<T>>) -> Vec<&str> {
    let unused = of.iter().filter(|(_, meant)| !meant.is_used);
    unused.map(|(key, _)| key.as_str()).collect()
}

fn size<T>(of: &BTreeMap<String, Meant<T>>) -> usize {
    of.iter().map(|(key, meant)| key.len() + meant.bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;

    fn refused(names: usize, values: usize) -> Option<String> {
        let name = ("#n".to_owned(), "n".repeat(names));
        let value = (":v".to_owned(), text(&"v".repeat(values)));
        let placeholders = Placeholders::new([name].into(), [value].into());
        placeholders.check_size().err().map(|invalid| invalid.text)
    }

    #[test]
    fn what_placeholders_stand_for_is_bounded() {
        let most = PLACEHOLDERS_BYTES;
        let too_large = |what: &str| Some(format!("{what} exceeds max size"));
        assert_eq!(refused(0, most - 4), None);
        assert_eq!(
            refused(most - 1, most),
            too_large("ExpressionAttributeNames")
        );
        assert_eq!(refused(1, most - 1), too_large("ExpressionAttributeValues"));
        assert_eq!(
            refused(1, most - 4),
            too_large("Combined size of ExpressionAttributeNames and ExpressionAttributeValues")
        );
    }
}
