//! Which keys a query wants.

use headwater_items::Value;

use crate::Invalid;

/// The keys that a query wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    /// The attribute that must be equal, and to what.
    pub partition: (String, Value),
    /// What is wanted of the attribute that sorts.
    pub sort: Option<(String, SortCondition)>,
}

/// What is wanted of the attribute that sorts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// `=`
    Equal(Value),
    /// `<`
    Less(Value),
    /// `<=`
    LessOrEqual(Value),
    /// `>`
    Greater(Value),
    /// `>=`
    GreaterOrEqual(Value),
    /// Between both, or equal to one.
    Between(Value, Value),
    /// Begins with; strings and binaries only.
    BeginsWith(Value),
}

/// What is wanted of one or two attributes, before it is known which of them make the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyConditions(pub(crate) Vec<(String, Wanted)>);

/// What is wanted of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What an index can find.
    Sort(SortCondition),
    /// What none can: the other operators of the older dialect.
    NotIndexable,
}

impl KeyConditions {
    /// Conditions on attributes of which none comes twice.
    ///
    /// # Errors
    /// Where they are not one or two.
    pub(crate) fn new(conditions: Vec<(String, Wanted)>) -> Result<Self, Invalid> {
        match conditions.len() {
            1 | 2 => Ok(Self(conditions)),
            _ => Err(Invalid::bare("Conditions can be of length 1 or 2 only")),
        }
    }

    /// The keys that are wanted of a table or an index whose key is made of these attributes.
    ///
    /// # Errors
    /// Where one is missing, or is asked what it cannot be.
    pub fn of_key(mut self, partition: &str, sort: Option<&str>) -> Result<KeyCondition, Invalid> {
        let two = self.0.len() > 1;
        if two && sort.is_none() {
            return Err(Invalid::bare("Query key condition not supported"));
        }
        let missed = |name: &str| {
            Invalid::bare(format!("Query condition missed key schema element: {name}"))
        };
        let wanted = self.take(partition).ok_or_else(|| missed(partition))?;
        let SortCondition::Equal(value) = wanted.indexable()? else {
            return Err(Invalid::bare("Query key condition not supported"));
        };
        let sort = match sort.filter(|_| two) {
            Some(name) => {
                let wanted = self.take(name).ok_or_else(|| missed(name))?;
                Some((name.to_owned(), wanted.indexable()?))
            }
            None => None,
        };
        Ok(KeyCondition {
            partition: (partition.to_owned(), value),
            sort,
        })
    }

    fn take(&mut self, name: &str) -> Option<Wanted> {
        let at = self.0.iter().position(|(attribute, _)| attribute == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

impl Wanted {
    fn indexable(self) -> Result<SortCondition, Invalid> {
        match self {
            Self::Sort(condition) => Ok(condition),
            Self::NotIndexable => Err(Invalid::bare(
                "Attempted conditional constraint is not an indexable operation",
            )),
        }
    }
}
