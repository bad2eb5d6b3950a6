//! Rules of lifecycles, to and from the members of requests and answers, checked as AWS does.

use std::collections::HashSet;

use headwater_objects::{
    Expiration, FilterForm, Lifecycle, LifecycleFilter, LifecycleRule, NoncurrentExpiration,
    ObjectInfo,
};
use headwater_shapes_s3::{self as shapes, Tag};
use headwater_wire::ApiError;

use crate::{
    errors::{argument, invalid_request, malformed_xml},
    limits::{NEWER_VERSIONS_MAX, RULE_ID_MAX, RULES_MAX, TAGS_MAX},
    listing::Encoding,
    settings::unsupported,
    times::{http_date, millis, timestamp},
};

const SAME_MINIMUM: &str = "all_storage_classes_128K";
const MINIMUM_BY_CLASS: &str = "varies_by_storage_class";

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The header that says when an object expires, and by which rule.
pub fn expiration(object: &ObjectInfo) -> Option<String> {
    let expires = object.expires.as_ref()?;
    let date = http_date(timestamp(expires.at));
    let rule = Encoding::URL.text(&expires.rule);
    Some(format!("expiry-date=\"{date}\", rule-id=\"{rule}\""))
}

/// The least size of objects that are moved, by its name.
pub fn minimum(lifecycle: &Lifecycle) -> String {
    let name = if lifecycle.minimum_by_class {
        MINIMUM_BY_CLASS
    } else {
        SAME_MINIMUM
    };
    name.to_owned()
}

/// The rules of a request.
pub fn read(
    configuration: shapes::BucketLifecycleConfiguration,
    minimum: Option<&str>,
) -> Result<Lifecycle, ApiError> {
    let minimum_by_class = match minimum {
        None | Some(SAME_MINIMUM) => false,
        Some(MINIMUM_BY_CLASS) => true,
        Some(other) => {
            return Err(invalid_request(format!(
                "Invalid TransitionDefaultMinimumObjectSize found: {other}"
            )));
        }
    };
    let shapes::BucketLifecycleConfiguration { rules } = configuration;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(malformed_xml());
    }
    let rules: Vec<_> = rules.into_iter().map(rule).collect::<Result<_, _>>()?;
    let mut ids = HashSet::new();
    for id in rules
        .iter()
        .map(|rule| &rule.id)
        .filter(|id| !id.is_empty())
    {
        if !ids.insert(id) {
            let message = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(argument(message, "ID", id));
        }
    }
    Ok(Lifecycle {
        rules,
        minimum_by_class,
    })
}

fn rule(rule: shapes::LifecycleRule) -> Result<LifecycleRule, ApiError> {
    let shapes::LifecycleRule {
        expiration,
        id,
        prefix,
        filter,
        status,
        transitions,
        noncurrent_version_transitions,
        noncurrent_version_expiration,
        abort_incomplete_multipart_upload,
    } = rule;
    if transitions.is_some_and(|transitions| !transitions.is_empty()) {
        return Err(unsupported("Transition"));
    }
    if noncurrent_version_transitions.is_some_and(|transitions| !transitions.is_empty()) {
        return Err(unsupported("NoncurrentVersionTransition"));
    }
    let rule = LifecycleRule {
        id: id.unwrap_or_default(),
        enabled: match status.as_str() {
            "Enabled" => true,
            "Disabled" => false,
            _ => return Err(malformed_xml()),
        },
        filter: filter_of(filter, prefix)?,
        expiration: expiration.map(of_expiration).transpose()?,
        noncurrent: noncurrent_version_expiration
            .map(of_noncurrent)
            .transpose()?,
        abort_uploads: abort_incomplete_multipart_upload
            .map(of_abort)
            .transpose()?,
    };
    check(&rule)?;
    Ok(rule)
}

/// What the parts of a rule must not be beside each other.
fn check(rule: &LifecycleRule) -> Result<(), ApiError> {
    if rule.id.chars().count() > RULE_ID_MAX {
        let message = format!("ID length should not exceed allowed limit of {RULE_ID_MAX}");
        return Err(argument(message, "ID", &rule.id));
    }
    if rule.expiration.is_none() && rule.noncurrent.is_none() && rule.abort_uploads.is_none() {
        return Err(invalid_request(
            "At least one action needs to be specified in a rule",
        ));
    }
    let filter = &rule.filter;
    let has_size = filter.larger_than.is_some() || filter.smaller_than.is_some();
    let markers = matches!(rule.expiration, Some(Expiration::DeleteMarkers(_)));
    for (is_there, action) in [
        (
            rule.abort_uploads.is_some(),
            "AbortIncompleteMultipartUpload",
        ),
        (markers, "ExpiredObjectDeleteMarker"),
    ] {
        for (is_asked, what) in [(!filter.tags.is_empty(), "Tags"), (has_size, "Object Size")] {
            if is_there && is_asked {
                let message = format!("{action} cannot be specified with {what}.");
                return Err(invalid_request(message));
            }
        }
    }
    let newer = rule.noncurrent.and_then(|noncurrent| noncurrent.newer);
    if newer.is_some() && filter.form == FilterForm::InRule {
        return Err(invalid_request(
            "NewerNoncurrentVersions can only be specified in a rule with a Filter",
        ));
    }
    Ok(())
}

/// The filter of a rule, which has one in either form.
fn filter_of(
    filter: Option<shapes::LifecycleRuleFilter>,
    prefix: Option<String>,
) -> Result<LifecycleFilter, ApiError> {
    let filter = match (filter, prefix) {
        (Some(filter), None) => of_filter(filter)?,
        (None, Some(prefix)) => LifecycleFilter {
            prefix: Some(prefix),
            form: FilterForm::InRule,
            ..Default::default()
        },
        _ => return Err(malformed_xml()),
    };
    if filter
        .prefix
        .as_ref()
        .is_some_and(|it| it.len() > headwater_objects::limits::KEY_BYTES_MAX)
    {
        return Err(invalid_request("The maximum size of a prefix is 1024."));
    }
    if filter.tags.len() > TAGS_MAX {
        return Err(malformed_xml());
    }
    Ok(filter)
}

fn of_filter(filter: shapes::LifecycleRuleFilter) -> Result<LifecycleFilter, ApiError> {
    let shapes::LifecycleRuleFilter {
        prefix,
        tag,
        object_size_greater_than,
        object_size_less_than,
        and,
    } = filter;
    let given = [
        prefix.is_some(),
        tag.is_some(),
        object_size_greater_than.is_some(),
        object_size_less_than.is_some(),
        and.is_some(),
    ];
    if given.into_iter().filter(|is_given| *is_given).count() > 1 {
        return Err(malformed_xml());
    }
    if let Some(and) = and {
        return joined(and);
    }
    Ok(LifecycleFilter {
        prefix,
        tags: tags(tag.into_iter().collect())?,
        larger_than: object_size_greater_than.map(size).transpose()?,
        smaller_than: object_size_less_than.map(size).transpose()?,
        form: FilterForm::One,
    })
}

fn joined(and: shapes::LifecycleRuleAndOperator) -> Result<LifecycleFilter, ApiError> {
    let shapes::LifecycleRuleAndOperator {
        prefix,
        tags: given,
        object_size_greater_than,
        object_size_less_than,
    } = and;
    let filter = LifecycleFilter {
        prefix,
        tags: tags(given.unwrap_or_default())?,
        larger_than: object_size_greater_than.map(size).transpose()?,
        smaller_than: object_size_less_than.map(size).transpose()?,
        form: FilterForm::Joined,
    };
    match (filter.larger_than, filter.smaller_than) {
        (Some(larger), Some(smaller)) if larger >= smaller => Err(invalid_request(
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        )),
        _ => Ok(filter),
    }
}

fn tags(tags: Vec<Tag>) -> Result<Vec<(String, String)>, ApiError> {
    let mut keys = HashSet::new();
    if !tags.iter().all(|tag| keys.insert(&tag.key)) {
        return Err(invalid_request("Duplicate Tag Keys are not allowed."));
    }
    let pair = |Tag { key, value }| (key, value);
    Ok(tags.into_iter().map(pair).collect())
}

fn size(size: i64) -> Result<u64, ApiError> {
    u64::try_from(size).map_err(|_| malformed_xml())
}

fn of_expiration(expiration: shapes::LifecycleExpiration) -> Result<Expiration, ApiError> {
    let shapes::LifecycleExpiration {
        date,
        days,
        expired_object_delete_marker,
    } = expiration;
    match (date, days, expired_object_delete_marker) {
        (Some(date), None, None) if date.0 % DAY != 0 => {
            let given = jiff::Timestamp::from_millisecond(date.0).unwrap_or_default();
            let message = "'Date' must be at midnight GMT";
            Err(argument(message, "Date", &given.to_string()))
        }
        (Some(date), None, None) => Ok(Expiration::Date(millis(date))),
        (None, Some(given), None) => Ok(Expiration::Days(days_of(given, "Days", "Expiration")?)),
        (None, None, Some(markers)) => Ok(Expiration::DeleteMarkers(markers)),
        _ => Err(malformed_xml()),
    }
}

fn of_noncurrent(
    noncurrent: shapes::NoncurrentVersionExpiration,
) -> Result<NoncurrentExpiration, ApiError> {
    let shapes::NoncurrentVersionExpiration {
        noncurrent_days,
        newer_noncurrent_versions,
    } = noncurrent;
    let action = "NoncurrentVersionExpiration";
    let days = noncurrent_days.ok_or_else(malformed_xml)?;
    let newer = |newer: i32| {
        let newer = days_of(newer, "NewerNoncurrentVersions", action)?;
        if newer > NEWER_VERSIONS_MAX {
            let message =
                format!("'NewerNoncurrentVersions' must not be greater than {NEWER_VERSIONS_MAX}");
            return Err(argument(
                message,
                "NewerNoncurrentVersions",
                &newer.to_string(),
            ));
        }
        Ok(newer)
    };
    Ok(NoncurrentExpiration {
        days: days_of(days, "NoncurrentDays", action)?,
        newer: newer_noncurrent_versions.map(newer).transpose()?,
    })
}

fn of_abort(abort: shapes::AbortIncompleteMultipartUpload) -> Result<u32, ApiError> {
    let shapes::AbortIncompleteMultipartUpload {
        days_after_initiation,
    } = abort;
    let days = days_after_initiation.ok_or_else(malformed_xml)?;
    days_of(
        days,
        "DaysAfterInitiation",
        "AbortIncompleteMultipartUpload",
    )
}

/// A number of days, or of versions.
fn days_of(days: i32, name: &str, action: &str) -> Result<u32, ApiError> {
    let positive = u32::try_from(days).ok().filter(|days| *days > 0);
    positive.ok_or_else(|| {
        let message = format!("'{name}' for {action} action must be a positive integer");
        argument(message, name, &days.to_string())
    })
}

/// A rule for an answer.
pub fn to_rule(rule: LifecycleRule) -> shapes::LifecycleRule {
    let (filter, prefix) = to_filter(rule.filter);
    let status = if rule.enabled { "Enabled" } else { "Disabled" };
    let days = |days: u32| i32::try_from(days).ok();
    shapes::LifecycleRule {
        id: Some(rule.id),
        status: status.to_owned(),
        filter,
        prefix,
        expiration: rule.expiration.map(|expiration| {
            let mut told = shapes::LifecycleExpiration::default();
            match expiration {
                Expiration::Days(after) => told.days = days(after),
                Expiration::Date(at) => told.date = Some(timestamp(at)),
                Expiration::DeleteMarkers(is_set) => {
                    told.expired_object_delete_marker = Some(is_set)
                }
            }
            told
        }),
        noncurrent_version_expiration: rule.noncurrent.map(|noncurrent| {
            shapes::NoncurrentVersionExpiration {
                noncurrent_days: days(noncurrent.days),
                newer_noncurrent_versions: noncurrent.newer.and_then(days),
            }
        }),
        abort_incomplete_multipart_upload: rule.abort_uploads.map(|after| {
            shapes::AbortIncompleteMultipartUpload {
                days_after_initiation: days(after),
            }
        }),
        ..Default::default()
    }
}

/// A filter, or the prefix that stood in the rule itself.
fn to_filter(filter: LifecycleFilter) -> (Option<shapes::LifecycleRuleFilter>, Option<String>) {
    let bound = |size: Option<u64>| size.and_then(|size| i64::try_from(size).ok());
    let (larger, smaller) = (bound(filter.larger_than), bound(filter.smaller_than));
    let mut tags = filter
        .tags
        .into_iter()
        .map(|(key, value)| Tag { key, value });
    match filter.form {
        FilterForm::InRule => (None, filter.prefix),
        FilterForm::One => {
            let one = shapes::LifecycleRuleFilter {
                prefix: filter.prefix,
                tag: tags.next(),
                object_size_greater_than: larger,
                object_size_less_than: smaller,
                and: None,
            };
            (Some(one), None)
        }
        FilterForm::Joined => {
            let tags: Vec<_> = tags.collect();
            let and = shapes::LifecycleRuleAndOperator {
                prefix: filter.prefix,
                tags: (!tags.is_empty()).then_some(tags),
                object_size_greater_than: larger,
                object_size_less_than: smaller,
            };
            let joined = shapes::LifecycleRuleFilter {
                and: Some(and),
                ..Default::default()
            };
            (Some(joined), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes::Tree;
    use serde_json::{Value, json};

    use super::*;

    fn given(rules: Value) -> Result<Lifecycle, ApiError> {
        let configuration = json!({"Rule": rules});
        let configuration = shapes::BucketLifecycleConfiguration::from_value(configuration);
        read(configuration.unwrap(), None)
    }

    fn with(more: Value) -> Value {
        let mut rule = json!({"ID": "r", "Status": "Enabled", "Filter": {}});
        let more = more.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(more);
        json!([rule])
    }

    #[test]
    fn rules_come_back_as_they_were_written() {
        let tags = json!([{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]);
        for more in [
            json!({"Expiration": {"Days": 7}, "Filter": {"Prefix": ""}}),
            json!({"Expiration": {"ExpiredObjectDeleteMarker": true}}),
            json!({"Expiration": {"Days": 1}, "Filter": {"Tag": {"Key": "a", "Value": "b"}}}),
            json!({"Expiration": {"Days": 1}, "Filter": {"And": {"Prefix": "p", "Tag": tags}}}),
            json!({"Expiration": {"Days": 1}, "Filter": {"ObjectSizeLessThan": 10}}),
            json!({"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}}),
            json!({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "Status": "Disabled"}),
        ] {
            let rules = with(more);
            let read = given(rules.clone()).unwrap();
            let told = read.rules.into_iter().map(to_rule);
            let told: Vec<_> = told.map(|rule| without_nulls(rule.to_value())).collect();
            assert_eq!(json!(told), rules);
        }
    }

    fn without_nulls(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members.into_iter().filter(|(_, value)| !value.is_null());
                kept.map(|(name, value)| (name, without_nulls(value)))
                    .collect()
            }
            Value::Array(items) => items.into_iter().map(without_nulls).collect(),
            value => value,
        }
    }

    #[test]
    fn wrong_rules_are_refused_in_the_words_of_aws() {
        let one_day = json!({"Days": 1});
        let tag = json!({"Tag": {"Key": "a", "Value": "b"}});
        let abort = json!({"DaysAfterInitiation": 1});
        for (more, code, message) in [
            (
                json!({}),
                "InvalidRequest",
                "At least one action needs to be specified in a rule",
            ),
            (json!({"Expiration": {}}), "MalformedXML", ""),
            (
                json!({"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": true}}),
                "MalformedXML",
                "",
            ),
            (
                json!({"Expiration": one_day, "Status": "On"}),
                "MalformedXML",
                "",
            ),
            (
                json!({"Expiration": one_day, "Prefix": ""}),
                "MalformedXML",
                "",
            ),
            (
                json!({"Expiration": one_day, "NoncurrentVersionExpiration": {}}),
                "MalformedXML",
                "",
            ),
            (
                json!({"Expiration": one_day, "Filter": {"Prefix": "", "ObjectSizeGreaterThan": 5}}),
                "MalformedXML",
                "",
            ),
            (
                json!({"Expiration": {"Days": 0}}),
                "InvalidArgument",
                "'Days' for Expiration action must be a positive integer",
            ),
            (
                json!({"Expiration": {"Date": 1_672_538_520}}),
                "InvalidArgument",
                "'Date' must be at midnight GMT",
            ),
            (
                json!({"AbortIncompleteMultipartUpload": abort, "Filter": tag}),
                "InvalidRequest",
                "AbortIncompleteMultipartUpload cannot be specified with Tags.",
            ),
            (
                json!({"Expiration": one_day, "Transition": [{"Days": 1, "StorageClass": "GLACIER"}]}),
                "NotImplemented",
                "Headwater does not support Transition yet.",
            ),
        ] {
            let refused = given(with(more.clone())).unwrap_err();
            assert_eq!(refused.code(), code, "{more}");
            assert!(
                message.is_empty() || refused.message() == message,
                "{refused}"
            );
        }
        let rule = with(json!({"Expiration": one_day}))[0].clone();
        let twice = given(json!([rule, rule])).unwrap_err();
        assert_eq!(twice.fields()["ArgumentName"], "ID");
        assert_eq!(given(json!([])).unwrap_err().code(), "MalformedXML");
    }
}
