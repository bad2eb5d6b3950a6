//! Settings of a request: done or refused, never ignored.
//!
//! A handler names the members of its input that it reads. Whatever else a client sends is either the default that
//! every bucket here has, or the request is refused with the name of what it asked for.

use headwater_shapes::Tree;
use headwater_wire::{ApiError, Context};
use serde_json::Value;

/// Members that say which digests come with a body in memory: it is held against them before there is an input.
pub const BODY: [&str; 2] = ["Content-MD5", "x-amz-sdk-checksum-algorithm"];

/// Refuses `input` when it has a member, by its name on the wire, that is neither among `read` nor a default.
pub fn check(input: &impl Tree, read: &[&str], context: &Context) -> Result<(), ApiError> {
    let members = input.to_value();
    for (name, value) in members.as_object().into_iter().flatten() {
        if !read.contains(&name.as_str()) && !is_absent(name, value) {
            check_default(name, value, context)?;
        }
    }
    Ok(())
}

/// Headers that are refused whatever they say.
const NEVER: [&str; 1] = ["x-amz-bypass-governance-retention"];

fn is_absent(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(false) => !NEVER.contains(&name),
        _ => false,
    }
}

/// A setting that all buckets here have may be asked for.
fn check_default(name: &str, value: &Value, context: &Context) -> Result<(), ApiError> {
    let text = value.as_str().unwrap_or_default();
    match (name, text) {
        ("Bucket" | "Key", _) => Ok(()),
        // There is one owner, who has full control.
        ("x-amz-acl", "private" | "bucket-owner-full-control" | "bucket-owner-read") => Ok(()),
        ("x-amz-object-ownership", "BucketOwnerEnforced") => Ok(()),
        ("x-amz-bypass-governance-retention", _) => Err(argument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            name,
        )),
        // No bucket lets the requester pay.
        ("x-amz-request-payer", "requester") => Ok(()),
        ("x-amz-expected-bucket-owner" | "x-amz-source-expected-bucket-owner", owner) => {
            check_owner(owner, context)
        }
        _ => Err(unsupported(name)),
    }
}

fn check_owner(owner: &str, context: &Context) -> Result<(), ApiError> {
    if owner.len() != 12 || !owner.bytes().all(|b| b.is_ascii_digit()) {
        let message = format!(
            "The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"
        );
        return Err(ApiError::new(
            400,
            "InvalidBucketOwnerAWSAccountID",
            message,
        ));
    }
    if owner != context.account.0 {
        return Err(ApiError::new(403, "AccessDenied", "Access Denied"));
    }
    Ok(())
}

fn argument(text: &str, name: &str) -> ApiError {
    ApiError::new(400, "InvalidArgument", text).with("ArgumentName", name)
}

/// The refusal of a header or parameter.
pub fn unsupported(name: &str) -> ApiError {
    ApiError::not_supported(format_args!("{name}")).with("Header", name)
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::PutObjectRequest;

    use super::*;
    use crate::testing::context;

    fn put(change: impl FnOnce(&mut PutObjectRequest)) -> Result<(), ApiError> {
        let mut input = PutObjectRequest {
            bucket: "b".into(),
            key: "k".into(),
            ..Default::default()
        };
        change(&mut input);
        check(&input, &["Content-Type"], &context())
    }

    #[test]
    fn what_is_not_done_is_refused_by_name() {
        let refused =
            put(|input| input.sse_customer_algorithm = Some("AES256".into())).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (501, "NotImplemented"));
        assert!(
            refused
                .message()
                .contains("x-amz-server-side-encryption-customer-algorithm")
        );
        assert!(put(|input| input.acl = Some("public-read".into())).is_err());
        assert!(put(|input| input.object_lock_mode = Some("GOVERNANCE".into())).is_err());
    }

    #[test]
    fn what_every_bucket_has_may_be_asked_for() {
        put(|input| {
            input.content_type = Some("text/plain".into());
            input.acl = Some("private".into());
            input.expected_bucket_owner = Some("000000000000".into());
        })
        .unwrap();
    }

    #[test]
    fn another_owner_is_denied() {
        let denied =
            put(|input| input.expected_bucket_owner = Some("111111111111".into())).unwrap_err();
        assert_eq!(denied.status(), 403);
        let invalid = put(|input| input.expected_bucket_owner = Some("me".into())).unwrap_err();
        assert_eq!(invalid.code(), "InvalidBucketOwnerAWSAccountID");
    }
}
