//! Classes of storage: a word that is kept with an object and told. Those whose objects have to be restored before they
//! are read are refused by name, as nothing is restored here.

use headwater_wire::ApiError;

use crate::settings::unsupported;

/// The usual class, which is told in lists alone.
pub const STANDARD: &str = "STANDARD";

/// Classes whose objects are read as any others.
const KEPT: [&str; 5] = [
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
];
/// Classes whose objects have to be restored.
const ARCHIVES: [&str; 2] = ["DEEP_ARCHIVE", "GLACIER"];

/// The class that a request asks for, where it is another than the usual one.
pub fn read(asked: Option<&str>) -> Result<Option<String>, ApiError> {
    match asked {
        None | Some(STANDARD) => Ok(None),
        Some(class) if KEPT.contains(&class) => Ok(Some(class.to_owned())),
        Some(class) if ARCHIVES.contains(&class) => {
            Err(unsupported(&format!("x-amz-storage-class: {class}"))
                .with("StorageClassRequested", class))
        }
        // Among them those of other kinds of buckets, as on AWS.
        Some(class) => Err(ApiError::new(
            400,
            "InvalidStorageClass",
            "The storage class you specified is not valid",
        )
        .with("StorageClassRequested", class)),
    }
}

/// The class for a list.
pub fn listed(class: Option<&String>) -> Option<String> {
    Some(class.map_or(STANDARD, String::as_str).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_kept_where_their_objects_can_be_read() {
        assert_eq!(read(None).unwrap(), None);
        assert_eq!(read(Some("STANDARD")).unwrap(), None);
        assert_eq!(
            read(Some("STANDARD_IA")).unwrap().as_deref(),
            Some("STANDARD_IA")
        );
        assert_eq!(read(Some("GLACIER")).unwrap_err().code(), "NotImplemented");
        for other in ["OUTPOSTS", "EXPRESS_ONEZONE", "FakeClass"] {
            assert_eq!(read(Some(other)).unwrap_err().code(), "InvalidStorageClass");
        }
    }
}
