//! What a query or a scan gives: whole items, the attributes of an index, some attributes, or their number.

use headwater_wire::ApiError;

use crate::{
    errors::{invalid, validation},
    items::{projection::Wanted, source::Source},
};

/// `Select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Select {
    /// `ALL_ATTRIBUTES`.
    All,
    /// `ALL_PROJECTED_ATTRIBUTES`, or nothing was said.
    Projected,
    /// `SPECIFIC_ATTRIBUTES`, or a projection was sent.
    Specific,
    /// `COUNT`.
    Count,
}

/// What a request says of what is to be given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<'a> {
    /// `Select`.
    pub select: Option<&'a str>,
    /// The projection's parameter, where one was sent.
    pub projection: Option<&'a str>,
    /// Whether an index is read.
    pub of_index: bool,
    /// Words that AWS puts before its own: those of queries have some.
    pub prefix: &'static str,
}

impl Selection<'_> {
    /// What is given.
    ///
    /// # Errors
    /// A part of it contradicts another.
    pub fn read(self) -> Result<Select, ApiError> {
        let refused = |why: String| Err(validation(format!("{}{why}", self.prefix)));
        let (select, words) = match self.select {
            None if self.projection.is_some() => return Ok(Select::Specific),
            None => return Ok(Select::Projected),
            Some("SPECIFIC_ATTRIBUTES") => {
                return match self.projection {
                    Some(_) => Ok(Select::Specific),
                    None => refused(
                        "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
                         SPECIFIC_ATTRIBUTES"
                            .to_owned(),
                    ),
                };
            }
            Some("COUNT") => (Select::Count, "only the Count"),
            Some("ALL_PROJECTED_ATTRIBUTES") => (Select::Projected, "ALL_PROJECTED_ATTRIBUTES"),
            Some(_) => (Select::All, "ALL_ATTRIBUTES"),
        };
        if let Some(projection) = self.projection {
            return refused(format!(
                "Cannot specify the {projection} when choosing to get {words}"
            ));
        }
        if select == Select::Projected && !self.of_index {
            return refused(
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
                    .to_owned(),
            );
        }
        Ok(select)
    }
}

impl Select {
    /// Whether whole items are wanted of an index that has only parts of them.
    ///
    /// # Errors
    /// The index is global: it gives only what it has.
    pub fn whole(self, wanted: &Wanted, source: &Source<'_>) -> Result<bool, ApiError> {
        let Some(index) = source.index else {
            return Ok(false);
        };
        match self {
            Self::Count | Self::Projected => Ok(false),
            Self::All
                if index.is_global && *index.projected != headwater_tables::Projected::All =>
            {
                Err(invalid(format_args!(
                    "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection \
                     type is not ALL",
                    index.name
                )))
            }
            Self::All => Ok(*index.projected != headwater_tables::Projected::All),
            Self::Specific => {
                let roots = wanted.paths().iter().map(|path| &*path.root);
                let missing: Vec<&str> = roots.filter(|root| !source.has(root)).collect();
                match missing.is_empty() {
                    false if index.is_global => Err(invalid(format_args!(
                        "Global secondary index {} does not project [{}]",
                        index.name,
                        missing.join(", ")
                    ))),
                    nothing => Ok(!nothing),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    fn read(
        select: Option<&str>,
        projection: Option<&str>,
        of_index: bool,
    ) -> Result<Select, String> {
        let selection = Selection {
            select,
            projection,
            of_index,
            prefix: "1 validation error detected: ",
        };
        selection.read().map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_given_contradicts_nothing() {
        let projection = Some("ProjectionExpression");
        assert_eq!(read(None, None, true), Ok(Select::Projected));
        assert_eq!(read(None, projection, false), Ok(Select::Specific));
        assert_eq!(
            read(Some("SPECIFIC_ATTRIBUTES"), projection, false),
            Ok(Select::Specific)
        );
        assert_eq!(
            read(Some("ALL_PROJECTED_ATTRIBUTES"), None, true),
            Ok(Select::Projected)
        );
        for (select, projection, text) in [
            (
                "SPECIFIC_ATTRIBUTES",
                None,
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ),
            (
                "ALL_PROJECTED_ATTRIBUTES",
                None,
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
            ),
            (
                "COUNT",
                Some("AttributesToGet"),
                "Cannot specify the AttributesToGet when choosing to get only the Count",
            ),
            (
                "ALL_ATTRIBUTES",
                projection,
                "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
            ),
        ] {
            let text = format!("1 validation error detected: {text}");
            assert_eq!(read(Some(select), projection, false), Err(text));
        }
    }
}
