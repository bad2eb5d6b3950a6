//! When a read or a write may happen, by what the object is at that moment.

use headwater_types::Millis;

use crate::{ObjectError, ObjectInfo};

/// Conditions on reading an object; RFC 9110 says how they combine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadConditions {
    /// The ETag must be one of these; `*` stands for any.
    pub if_match: Option<String>,
    /// The ETag must be none of these; `*` stands for any.
    pub if_none_match: Option<String>,
    /// It must have been written after this.
    pub modified_since: Option<Millis>,
    /// It must not have been written after this.
    pub unmodified_since: Option<Millis>,
}

impl ReadConditions {
    /// Whether the object may be read at the time `now`. Times that are still to come are ignored, as AWS does.
    pub fn check(&self, object: &ObjectInfo, now: Millis) -> Result<(), ObjectError> {
        let past = |time: &Millis| time.seconds() <= now.seconds();
        let unmodified_since = self.unmodified_since.filter(past);
        let modified_since = self.modified_since.filter(past);
        // Times in conditions have whole seconds, so the object's is rounded down as its readers see it.
        let modified = object.modified.seconds();
        match (&self.if_match, unmodified_since) {
            (Some(etags), _) if !names(etags, &object.etag) => {
                return Err(ObjectError::PreconditionFailed("If-Match"));
            }
            (None, Some(time)) if modified > time.seconds() => {
                return Err(ObjectError::PreconditionFailed("If-Unmodified-Since"));
            }
            _ => {}
        }
        let known = match (&self.if_none_match, modified_since) {
            (Some(etags), _) => names(etags, &object.etag),
            (None, Some(time)) => modified <= time.seconds(),
            (None, None) => false,
        };
        if known {
            return Err(ObjectError::NotModified {
                etag: object.etag.clone(),
                modified: object.modified,
            });
        }
        Ok(())
    }
}

/// A condition on writing or deleting an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing.
    #[default]
    None,
    /// There must be no such object.
    IfAbsent,
    /// The object must be there with one of these ETags; `*` stands for any.
    IfMatch(String),
}

impl WriteCondition {
    /// The header's name; none without a condition.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::IfAbsent => Some("If-None-Match"),
            Self::IfMatch(_) => Some("If-Match"),
        }
    }

    /// Whether the object, there with `etag` or not there, may be written.
    pub fn check(&self, key: &str, etag: Option<&str>) -> Result<(), ObjectError> {
        match (self, etag) {
            (Self::None, _) | (Self::IfAbsent, None) => Ok(()),
            (Self::IfAbsent, Some(_)) => Err(ObjectError::PreconditionFailed("If-None-Match")),
            (Self::IfMatch(_), None) => Err(ObjectError::NoSuchKey(key.to_owned())),
            (Self::IfMatch(etags), Some(etag)) if names(etags, etag) => Ok(()),
            (Self::IfMatch(_), Some(_)) => Err(ObjectError::PreconditionFailed("If-Match")),
        }
    }
}

/// Whether a list of ETags, with or without quotes, names `etag`.
fn names(etags: &str, etag: &str) -> bool {
    etags
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|one| one == "*" || one == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> ObjectInfo {
        ObjectInfo {
            etag: "abc".into(),
            modified: Millis(5_500),
            ..ObjectInfo::default()
        }
    }

    #[test]
    fn reads_follow_rfc_9110() {
        let check = |c: ReadConditions| c.check(&object(), Millis(9_999));
        let some = |s: &str| Some(s.to_owned());
        let none = ReadConditions::default();
        assert!(check(none.clone()).is_ok());
        assert!(
            check(ReadConditions {
                if_match: some("\"x\", \"abc\""),
                ..none.clone()
            })
            .is_ok()
        );
        assert!(matches!(
            check(ReadConditions {
                if_match: some("x"),
                ..none.clone()
            }),
            Err(ObjectError::PreconditionFailed("If-Match"))
        ));
        // A match wins over the time.
        let both = ReadConditions {
            if_match: some("abc"),
            unmodified_since: Some(Millis(1)),
            ..none.clone()
        };
        assert!(check(both).is_ok());
        let late = ReadConditions {
            unmodified_since: Some(Millis(4_000)),
            ..none.clone()
        };
        assert!(matches!(
            check(late),
            Err(ObjectError::PreconditionFailed("If-Unmodified-Since"))
        ));
        for known in [
            ReadConditions {
                if_none_match: some("*"),
                ..none.clone()
            },
            ReadConditions {
                modified_since: Some(Millis(5_000)),
                ..none.clone()
            },
        ] {
            assert!(matches!(check(known), Err(ObjectError::NotModified { .. })));
        }
        let other = ReadConditions {
            if_none_match: some("x"),
            modified_since: Some(Millis(9_000)),
            ..none.clone()
        };
        assert!(check(other).is_ok());
        let future = ReadConditions {
            modified_since: Some(Millis(10_000)),
            ..none
        };
        assert!(check(future).is_ok());
    }

    #[test]
    fn writes_ask_for_absence_or_an_etag() {
        let matching = WriteCondition::IfMatch("\"abc\"".into());
        assert!(WriteCondition::IfAbsent.check("k", None).is_ok());
        assert!(WriteCondition::IfAbsent.check("k", Some("abc")).is_err());
        assert!(matching.check("k", Some("abc")).is_ok());
        assert!(matches!(
            matching.check("k", Some("x")),
            Err(ObjectError::PreconditionFailed(_))
        ));
        assert!(matches!(
            matching.check("k", None),
            Err(ObjectError::NoSuchKey(_))
        ));
    }
}
