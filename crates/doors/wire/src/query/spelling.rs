//! The names that a service's members have in the query protocol, where they are others than in JSON.

/// How a service that speaks AWS JSON spells its members in the query protocol. All its lists and maps are flat; a list of
/// structures has the name of its structures.
#[derive(Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The members with other names.
    pub members: &'static [Spelled],
    /// The member that the path of an address is a value of, where the form has none.
    pub address: Option<&'static str>,
    /// The operations that such an address does not take.
    pub not_at_addresses: &'static [&'static str],
}

/// A member with another name.
#[derive(Debug, PartialEq, Eq)]
pub struct Spelled {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its name in a form, and in an answer.
    pub query: &'static str,
    /// The name of a map's keys.
    pub key: &'static str,
}

impl Spelled {
    /// A member that is a list.
    pub const fn list(name: &'static str, query: &'static str) -> Self {
        Self::map(name, query, "Name")
    }

    /// A member that is a map.
    pub const fn map(name: &'static str, query: &'static str, key: &'static str) -> Self {
        Self { name, query, key }
    }
}

/// The name of a map's values.
pub(crate) const VALUE: &str = "Value";

impl Spelling {
    /// The names of a member.
    pub(crate) fn of(&self, name: &str) -> Option<&'static Spelled> {
        self.members.iter().find(|spelled| spelled.name == name)
    }
}
