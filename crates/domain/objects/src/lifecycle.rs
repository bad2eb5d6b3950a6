//! Rules by which objects, versions and unfinished uploads of a bucket expire: what they apply to, and when.
//!
//! What expires does so at a midnight UTC, as on AWS. Who looks, and removes it, is the store.

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
pub(crate) const DAY: u64 = 24 * 60 * 60 * 1000;

/// The rules of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// The rules, in their writer's order.
    pub rules: Vec<LifecycleRule>,
    /// Whether the least size of objects that are moved to another class is each class's own. It is kept and told alone:
    /// nothing is moved here.
    #[serde(default)]
    pub minimum_by_class: bool,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRule {
    /// Its name; the store gives one to a rule whose name is empty.
    pub id: String,
    /// Whether it is followed.
    pub enabled: bool,
    /// The objects that it applies to.
    pub filter: LifecycleFilter,
    /// The end of objects, where it sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// The end of versions that are not the latest, where it sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent: Option<NoncurrentExpiration>,
    /// After how many days unfinished uploads are aborted, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_uploads: Option<u32>,
}

/// The objects that a rule applies to: those for which all holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleFilter {
    /// Their keys start with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// They have these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// They have more bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger_than: Option<u64>,
    /// They have fewer bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smaller_than: Option<u64>,
    /// How its writer put it.
    #[serde(default)]
    pub form: FilterForm,
}

/// The form that a filter was written in, to be told in the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterForm {
    /// One condition or none.
    #[default]
    One,
    /// Several, joined.
    Joined,
    /// A prefix in the rule itself, as of old.
    InRule,
}

/// The end of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiration {
    /// So many days after they were written.
    Days(u32),
    /// At this time.
    Date(Millis),
    /// Never; but delete markers that no version is left behind are removed, if this is true.
    DeleteMarkers(bool),
}

/// The end of versions that are not the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoncurrentExpiration {
    /// So many days after a later one came.
    pub days: u32,
    /// Of each key so many of the newest are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<u32>,
}

/// When an object expires, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expires {
    /// When.
    pub at: Millis,
    /// The rule's name.
    pub rule: String,
}

/// The parts of a version that rules ask for; a delete marker has neither tags nor a size.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub key: &'a str,
    pub object: Option<(u64, &'a BTreeMap<String, String>)>,
}

impl LifecycleFilter {
    pub(crate) fn applies_to(&self, subject: Subject<'_>) -> bool {
        let starts = |prefix: &String| subject.key.starts_with(prefix);
        if !self.prefix.as_ref().is_none_or(starts) {
            return false;
        }
        let asks_object =
            !self.tags.is_empty() || self.larger_than.is_some() || self.smaller_than.is_some();
        let Some((size, tags)) = subject.object else {
            return !asks_object;
        };
        self.larger_than.is_none_or(|bound| size > bound)
            && self.smaller_than.is_none_or(|bound| size < bound)
            && self.tags.iter().all(|(k, v)| tags.get(k) == Some(v))
    }
}

impl Lifecycle {
    fn of<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = &'a LifecycleRule> {
        self.rules
            .iter()
            .filter(move |rule| rule.enabled && rule.filter.applies_to(subject))
    }

    /// When an object that was written at `modified` expires: by the rule that is the earliest, and of several of these
    /// by the first.
    pub(crate) fn expires(&self, subject: Subject<'_>, modified: Millis) -> Option<Expires> {
        let ends = self.of(subject).filter_map(|rule| {
            let at = match rule.expiration? {
                Expiration::Days(days) => midnight(modified, days),
                Expiration::Date(date) => date,
                Expiration::DeleteMarkers(_) => return None,
            };
            Some((at, rule))
        });
        let (at, rule) = ends.min_by_key(|(at, _)| *at)?;
        Some(Expires {
            at,
            rule: rule.id.clone(),
        })
    }

    /// Whether a delete marker that was written at `modified`, and is all that there is of its key, has gone by `now`.
    pub(crate) fn ends_marker(&self, key: &str, modified: Millis, now: Millis) -> bool {
        let subject = Subject { key, object: None };
        let removes =
            |rule: &LifecycleRule| rule.expiration == Some(Expiration::DeleteMarkers(true));
        let mut rules = self.of(subject);
        rules.any(removes)
            || self
                .expires(subject, modified)
                .is_some_and(|end| end.at <= now)
    }

    /// Whether a version has gone by `now` that is not the latest since `since`, and before which are `newer` others.
    pub(crate) fn ends_version(
        &self,
        subject: Subject<'_>,
        since: Millis,
        newer: u32,
        now: Millis,
    ) -> bool {
        let mut ends = self.of(subject).filter_map(|rule| rule.noncurrent);
        ends.any(|end| {
            end.newer.is_none_or(|kept| newer >= kept) && midnight(since, end.days) <= now
        })
    }

    /// Whether an unfinished upload that was begun at `created` has gone by `now`.
    pub(crate) fn ends_upload(&self, key: &str, created: Millis, now: Millis) -> bool {
        let subject = Subject { key, object: None };
        let mut ends = self.of(subject).filter_map(|rule| rule.abort_uploads);
        ends.any(|days| midnight(created, days) <= now)
    }
}

/// The midnight UTC after `days` days have passed since `from`.
fn midnight(from: Millis, days: u32) -> Millis {
    Millis((from.0 / DAY + u64::from(days) + 1) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, expiration: Option<Expiration>) -> LifecycleRule {
        LifecycleRule {
            id: id.into(),
            enabled: true,
            filter: LifecycleFilter::default(),
            expiration,
            noncurrent: None,
            abort_uploads: None,
        }
    }

    fn of(rules: Vec<LifecycleRule>) -> Lifecycle {
        Lifecycle {
            rules,
            minimum_by_class: false,
        }
    }

    const NO_TAGS: &BTreeMap<String, String> = &BTreeMap::new();

    fn subject(key: &str) -> Subject<'_> {
        let object = Some((10, NO_TAGS));
        Subject { key, object }
    }

    #[test]
    fn days_end_at_the_midnight_after_them() {
        assert_eq!(midnight(Millis(DAY / 2), 3), Millis(4 * DAY));
        assert_eq!(midnight(Millis(0), 1), Millis(2 * DAY));
    }

    #[test]
    fn the_earliest_rule_holds_and_of_several_the_first() {
        let days = |id, days| rule(id, Some(Expiration::Days(days)));
        let off = LifecycleRule {
            enabled: false,
            ..days("off", 1)
        };
        let rules = of(vec![off, days("late", 9), days("one", 2), days("two", 2)]);
        let expires = rules.expires(subject("k"), Millis(0)).unwrap();
        assert_eq!((expires.at, &*expires.rule), (Millis(3 * DAY), "one"));
        let date = of(vec![rule("date", Some(Expiration::Date(Millis(DAY))))]);
        let expires = date.expires(subject("k"), Millis(5 * DAY)).unwrap();
        assert_eq!(expires.at, Millis(DAY));
        let markers = of(vec![rule("m", Some(Expiration::DeleteMarkers(true)))]);
        assert_eq!(markers.expires(subject("k"), Millis(0)), None);
        assert!(markers.ends_marker("k", Millis(0), Millis(0)));
        assert!(!rules.ends_marker("k", Millis(0), Millis(3 * DAY - 1)));
        assert!(rules.ends_marker("k", Millis(0), Millis(3 * DAY)));
    }

    #[test]
    fn all_of_a_filter_holds_and_a_marker_has_no_tags_and_no_size() {
        let tags = [("a".to_owned(), "b".to_owned())].into();
        let tagged = |key| Subject {
            key,
            object: Some((10, &tags)),
        };
        let filter = LifecycleFilter {
            prefix: Some("p/".into()),
            tags: vec![("a".into(), "b".into())],
            larger_than: Some(9),
            smaller_than: Some(11),
            form: FilterForm::Joined,
        };
        assert!(filter.applies_to(tagged("p/k")));
        assert!(!filter.applies_to(tagged("k")));
        assert!(!filter.applies_to(subject("p/k")));
        let key = "p/k";
        assert!(!filter.applies_to(Subject { key, object: None }));
        for bound in [
            LifecycleFilter {
                larger_than: Some(10),
                ..filter.clone()
            },
            LifecycleFilter {
                smaller_than: Some(10),
                ..filter
            },
        ] {
            assert!(!bound.applies_to(tagged("p/k")));
        }
    }

    #[test]
    fn versions_end_when_they_are_old_enough_and_behind_those_that_are_kept() {
        let noncurrent = |newer| {
            let noncurrent = Some(NoncurrentExpiration { days: 1, newer });
            of(vec![LifecycleRule {
                noncurrent,
                ..rule("n", None)
            }])
        };
        let (all, kept) = (noncurrent(None), noncurrent(Some(2)));
        let now = Millis(2 * DAY);
        assert!(all.ends_version(subject("k"), Millis(0), 0, now));
        assert!(!all.ends_version(subject("k"), Millis(0), 0, Millis(2 * DAY - 1)));
        assert!(!kept.ends_version(subject("k"), Millis(0), 1, now));
        assert!(kept.ends_version(subject("k"), Millis(0), 2, now));
    }
}
