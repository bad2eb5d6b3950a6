//! Which attributes an index has, as requests say and answers show it.

use std::collections::BTreeSet;

use headwater_shapes_dynamodb::Projection;
use headwater_tables::Projected;
use headwater_wire::ApiError;

use crate::errors::invalid;

/// What a request has an index have.
pub(crate) fn read(sent: Projection) -> Result<Projected, ApiError> {
    let Projection {
        projection_type,
        non_key_attributes,
    } = sent;
    let Some(kind) = projection_type else {
        return Err(invalid("Unknown ProjectionType: null"));
    };
    match (&*kind, non_key_attributes) {
        ("INCLUDE", None) => Err(invalid(
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        )),
        ("INCLUDE", Some(names)) => {
            let mut known = BTreeSet::new();
            match names.iter().find(|name| !known.insert(*name)) {
                Some(twice) => Err(invalid(format_args!(
                    "Duplicate element in NonKeyAttributes: {twice}"
                ))),
                None => Ok(Projected::Include(names)),
            }
        }
        (_, Some(_)) => Err(invalid(format_args!(
            "ProjectionType is {kind}, but NonKeyAttributes is specified"
        ))),
        ("KEYS_ONLY", None) => Ok(Projected::Keys),
        (_, None) => Ok(Projected::All),
    }
}

/// What an index has.
pub(crate) fn show(projected: &Projected) -> Projection {
    let (kind, names) = match projected {
        Projected::All => ("ALL", None),
        Projected::Keys => ("KEYS_ONLY", None),
        Projected::Include(names) => ("INCLUDE", Some(names.clone())),
    };
    Projection {
        projection_type: Some(kind.to_owned()),
        non_key_attributes: names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection(kind: Option<&str>, names: Option<&[&str]>) -> Projection {
        let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Projection {
            projection_type: kind.map(str::to_owned),
            non_key_attributes: names,
        }
    }

    #[test]
    fn attributes_are_named_where_some_are_included() {
        for sent in [
            projection(Some("ALL"), None),
            projection(Some("KEYS_ONLY"), None),
            projection(Some("INCLUDE"), Some(&["a", "b"])),
        ] {
            assert_eq!(show(&read(sent.clone()).unwrap()), sent);
        }
        for (kind, names, text) in [
            (None, Some(&["a"][..]), "Unknown ProjectionType: null"),
            (
                Some("ALL"),
                Some(&["a"]),
                "ProjectionType is ALL, but NonKeyAttributes is specified",
            ),
            (
                Some("INCLUDE"),
                None,
                "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
            ),
            (
                Some("INCLUDE"),
                Some(&["a", "a"]),
                "Duplicate element in NonKeyAttributes: a",
            ),
        ] {
            let text = format!("One or more parameter values were invalid: {text}");
            assert_eq!(read(projection(kind, names)).unwrap_err().message(), text);
        }
    }
}
