//! The IAM action behind an event. (Source: the service authorization reference.)

/// Events of S3 whose action has another name than they.
const S3: &[(&str, &str)] = &[
    (
        "DeleteBucketAnalyticsConfiguration",
        "PutAnalyticsConfiguration",
    ),
    ("DeleteBucketCors", "PutBucketCORS"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    (
        "DeleteBucketIntelligentTieringConfiguration",
        "PutIntelligentTieringConfiguration",
    ),
    (
        "DeleteBucketInventoryConfiguration",
        "PutInventoryConfiguration",
    ),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    (
        "DeleteBucketMetricsConfiguration",
        "PutMetricsConfiguration",
    ),
    (
        "DeleteBucketOwnershipControls",
        "PutBucketOwnershipControls",
    ),
    (
        "DeleteBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketTagging", "PutBucketTagging"),
    (
        "GetBucketAccelerateConfiguration",
        "GetAccelerateConfiguration",
    ),
    (
        "GetBucketAnalyticsConfiguration",
        "GetAnalyticsConfiguration",
    ),
    ("GetBucketCors", "GetBucketCORS"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    (
        "GetBucketIntelligentTieringConfiguration",
        "GetIntelligentTieringConfiguration",
    ),
    (
        "GetBucketInventoryConfiguration",
        "GetInventoryConfiguration",
    ),
    ("GetBucketLifecycle", "GetLifecycleConfiguration"),
    ("GetBucketMetricsConfiguration", "GetMetricsConfiguration"),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    (
        "GetObjectLockConfiguration",
        "GetBucketObjectLockConfiguration",
    ),
    ("HeadBucket", "ListBucket"),
    (
        "ListBucketAnalyticsConfigurations",
        "GetAnalyticsConfiguration",
    ),
    (
        "ListBucketIntelligentTieringConfigurations",
        "GetIntelligentTieringConfiguration",
    ),
    (
        "ListBucketInventoryConfigurations",
        "GetInventoryConfiguration",
    ),
    ("ListBucketMetricsConfigurations", "GetMetricsConfiguration"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    (
        "PutBucketAccelerateConfiguration",
        "PutAccelerateConfiguration",
    ),
    ("PutBucketCors", "PutBucketCORS"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PutBucketLifecycle", "PutLifecycleConfiguration"),
];

/// The action that a call needs; none where it needs no permission.
pub fn action(source: &str, event: &str) -> Option<String> {
    let service = source.strip_suffix(".amazonaws.com").unwrap_or(source);
    let event = undated(event);
    let (service, action) = match (service, event) {
        // Everybody may ask who they are.
        ("sts", "GetCallerIdentity") => return None,
        ("s3", event) => {
            let other = S3.iter().find(|(of, _)| *of == event);
            ("s3", other.map_or(event, |(_, action)| action))
        }
        ("monitoring", event) => ("cloudwatch", event),
        ("lambda", "GetLayerVersionByArn") => ("lambda", "GetLayerVersion"),
        other => other,
    };
    Some(format!("{service}:{action}"))
}

/// An event's name without the date that Lambda puts behind it: `CreateFunction20150331`, `GetPolicy20150331v2`.
fn undated(event: &str) -> &str {
    let start = event
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(event.len());
    let (name, date) = event.split_at(start);
    let digits = date.split('v').next().unwrap_or_default();
    let is_date = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_date { name } else { event }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_needs_the_action_that_iam_names() {
        let of = |service: &str, event| action(&format!("{service}.amazonaws.com"), event);
        for (service, event, action) in [
            ("kinesis", "CreateStream", "kinesis:CreateStream"),
            ("lambda", "CreateFunction20150331", "lambda:CreateFunction"),
            ("lambda", "GetPolicy20150331v2", "lambda:GetPolicy"),
            ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
            ("s3", "HeadBucket", "s3:ListBucket"),
            ("monitoring", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
            ("glue", "GetMLTaskRun2", "glue:GetMLTaskRun2"),
        ] {
            assert_eq!(of(service, event).as_deref(), Some(action));
        }
        assert_eq!(of("sts", "GetCallerIdentity"), None);
    }
}
