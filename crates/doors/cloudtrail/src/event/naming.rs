//! Operations whose events have other names.

/// Names of Lambda's events: the operation, and the date of the API that it came with. (Source: Lambda developer guide,
/// "Logging Lambda API calls using CloudTrail", and events that users show.)
const LAMBDA: &[&str] = &[
    "AddLayerVersionPermission20181031",
    "AddPermission20150331v2",
    "CreateEventSourceMapping20150331",
    "CreateFunction20150331",
    "DeleteEventSourceMapping20150331",
    "DeleteFunction20150331",
    "DeleteFunctionConcurrency20171031",
    "GetEventSourceMapping20150331",
    "GetFunction20150331v2",
    "GetFunctionConfiguration20150331v2",
    "GetLayerVersion20181031",
    "GetLayerVersionPolicy20181031",
    "GetPolicy20150331v2",
    "ListEventSourceMappings20150331",
    "ListFunctions20150331",
    "ListTags20170331",
    "ListVersionsByFunction20150331",
    "PublishLayerVersion20181031",
    "PublishVersion20150331",
    "PutFunctionConcurrency20171031",
    "RemoveLayerVersionPermission20181031",
    "RemovePermission20150331v2",
    "TagResource20170331v2",
    "UntagResource20170331v2",
    "UpdateEventSourceMapping20150331",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
];

/// Operations of S3 and their events. (Source: S3 user guide, "Amazon S3 CloudTrail events".)
const S3: &[(&str, &str)] = &[
    ("DeletePublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    ("GetBucketLifecycleConfiguration", "GetBucketLifecycle"),
    (
        "GetBucketNotificationConfiguration",
        "GetBucketNotification",
    ),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
    (
        "PutBucketNotificationConfiguration",
        "PutBucketNotification",
    ),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
];

/// The name of an operation's events.
pub fn event_name(service: &str, operation: &str) -> String {
    let named = match service {
        "lambda" => LAMBDA.iter().copied().find(|name| dated(name) == operation),
        "s3" => S3
            .iter()
            .find(|(of, _)| *of == operation)
            .map(|(_, name)| *name),
        _ => None,
    };
    named.unwrap_or(operation).to_owned()
}

/// The operation of a name with a date behind it.
fn dated(name: &str) -> &str {
    let end = name.find("20").unwrap_or(name.len());
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_as_aws_names_them() {
        for (service, operation, name) in [
            ("lambda", "CreateFunction", "CreateFunction20150331"),
            (
                "lambda",
                "UpdateFunctionCode",
                "UpdateFunctionCode20150331v2",
            ),
            (
                "lambda",
                "CreateFunctionUrlConfig",
                "CreateFunctionUrlConfig",
            ),
            ("s3", "GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
            ("s3", "CreateBucket", "CreateBucket"),
            ("kinesis", "CreateStream", "CreateStream"),
        ] {
            assert_eq!(event_name(service, operation), name);
        }
    }
}
