//! The settings of trails, as they are asked for.

use headwater_shapes_cloudtrail::{CreateTrailRequest, Tag, UpdateTrailRequest, errors as shapes};
use headwater_trail::{NewTrail, Settings, Wanted};
use headwater_wire::ApiError;

use crate::{errors::refuse, names::checked};

/// Characters of a prefix (CloudTrail: 200).
const PREFIX_CHARS_MAX: usize = 200;

/// The trail that a request makes.
pub(crate) fn new(input: CreateTrailRequest) -> Result<NewTrail, ApiError> {
    let CreateTrailRequest {
        name,
        s3_bucket_name,
        s3_key_prefix,
        sns_topic_name,
        include_global_service_events,
        is_multi_region_trail,
        enable_log_file_validation,
        cloud_watch_logs_log_group_arn,
        cloud_watch_logs_role_arn,
        kms_key_id,
        is_organization_trail,
        tags_list,
        recursive_logging,
    } = input;
    refuse_others(&[
        ("SnsTopicName", sns_topic_name.is_some()),
        ("IsMultiRegionTrail", is_multi_region_trail == Some(true)),
        (
            "EnableLogFileValidation",
            enable_log_file_validation == Some(true),
        ),
        (
            "CloudWatchLogsLogGroupArn",
            cloud_watch_logs_log_group_arn.is_some(),
        ),
        ("CloudWatchLogsRoleArn", cloud_watch_logs_role_arn.is_some()),
        ("KmsKeyId", kms_key_id.is_some()),
        ("IsOrganizationTrail", is_organization_trail == Some(true)),
        ("RecursiveLogging", recursive_logging.is_some()),
    ])?;
    let tags = tags_list.unwrap_or_default().into_iter();
    Ok(NewTrail {
        name: checked(&name)?,
        settings: Settings {
            bucket: s3_bucket_name,
            prefix: s3_key_prefix.map(prefix).transpose()?.flatten(),
            is_global: include_global_service_events.unwrap_or(true),
            wanted: vec![Wanted::all()],
        },
        tags: tags.map(pair).collect(),
    })
}

/// The name of the trail that a request changes, and the change.
pub(crate) fn change(
    input: UpdateTrailRequest,
) -> Result<(String, impl FnOnce(&mut Settings) + Send + 'static), ApiError> {
    let UpdateTrailRequest {
        name,
        s3_bucket_name,
        s3_key_prefix,
        sns_topic_name,
        include_global_service_events,
        is_multi_region_trail,
        enable_log_file_validation,
        cloud_watch_logs_log_group_arn,
        cloud_watch_logs_role_arn,
        kms_key_id,
        is_organization_trail,
        recursive_logging,
    } = input;
    refuse_others(&[
        ("SnsTopicName", sns_topic_name.is_some()),
        ("IsMultiRegionTrail", is_multi_region_trail == Some(true)),
        (
            "EnableLogFileValidation",
            enable_log_file_validation == Some(true),
        ),
        (
            "CloudWatchLogsLogGroupArn",
            cloud_watch_logs_log_group_arn.is_some(),
        ),
        ("CloudWatchLogsRoleArn", cloud_watch_logs_role_arn.is_some()),
        ("KmsKeyId", kms_key_id.is_some()),
        ("IsOrganizationTrail", is_organization_trail == Some(true)),
        ("RecursiveLogging", recursive_logging.is_some()),
    ])?;
    let prefix = s3_key_prefix.map(prefix).transpose()?;
    let change = move |settings: &mut Settings| {
        if let Some(bucket) = s3_bucket_name {
            settings.bucket = bucket;
        }
        if let Some(prefix) = prefix {
            settings.prefix = prefix;
        }
        if let Some(is_global) = include_global_service_events {
            settings.is_global = is_global;
        }
    };
    Ok((name, change))
}

/// A tag as name and value.
pub(crate) fn pair(tag: Tag) -> (String, String) {
    let Tag { key, value } = tag;
    (key, value.unwrap_or_default())
}

/// Refuses settings that are given and that nothing here would heed.
fn refuse_others(given: &[(&str, bool)]) -> Result<(), ApiError> {
    let given = given.iter().find(|(_, given)| *given);
    given.map_or(Ok(()), |(name, _)| {
        refuse(true, &format!("CloudTrail's setting {name}"))
    })
}

/// A prefix; an empty one is none.
fn prefix(text: String) -> Result<Option<String>, ApiError> {
    match text.chars().count() > PREFIX_CHARS_MAX {
        true => Err(ApiError::of(
            &shapes::INVALID_S3_PREFIX_EXCEPTION,
            format!("S3 prefix is longer than maximum length: {PREFIX_CHARS_MAX}"),
        )),
        false => Ok(Some(text).filter(|text| !text.is_empty())),
    }
}
