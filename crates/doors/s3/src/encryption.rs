//! Encryption at rest, to and from the members of requests and answers. The method that is asked for is passed on to
//! the store, and what the store did is told.

use headwater_objects::{Encryption, EncryptionMethod};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

use crate::errors::argument;

/// The header that names the method.
pub const METHOD: &str = "x-amz-server-side-encryption";

/// The names on the wire of the members that [`given`] reads.
pub const MEMBERS: [&str; 3] = [
    METHOD,
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
];

/// The encryption that the members of a request ask for.
macro_rules! given {
    ($input:expr) => {
        $crate::encryption::read(
            $input.server_side_encryption.as_deref(),
            $input.ssekms_key_id.as_ref(),
            $input.bucket_key_enabled,
        )
    };
}

/// Sets the members of an answer that tell of encryption.
macro_rules! answer {
    ($output:expr, $encryption:expr, $context:expr) => {
        if let Some(encryption) = $encryption {
            let encryption: &headwater_objects::Encryption = encryption;
            $output.server_side_encryption = Some(encryption.method.name().to_owned());
            $output.ssekms_key_id = $crate::encryption::key(encryption, $context);
            $output.bucket_key_enabled = encryption.bucket_key.filter(|is_used| *is_used);
        }
    };
}

pub(crate) use {answer, given};

/// The encryption of a request. A key needs a method that has keys, and only one of those has keys of buckets (AWS's
/// guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
pub fn read(
    method: Option<&str>,
    key: Option<&String>,
    bucket_key: Option<bool>,
) -> Result<Option<Encryption>, ApiError> {
    let named = |name: &str| {
        let unknown = || {
            argument(
                "The encryption method specified is not supported",
                METHOD,
                name,
            )
        };
        EncryptionMethod::named(name).ok_or_else(unknown)
    };
    let given = method.map(named).transpose()?;
    let has_keys = matches!(
        given,
        Some(EncryptionMethod::KeyService | EncryptionMethod::KeyServiceTwice)
    );
    if (key.is_some() && !has_keys)
        || (bucket_key == Some(true) && given != Some(EncryptionMethod::KeyService))
    {
        return Err(argument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
             aws:kms",
            METHOD,
            method.unwrap_or("null"),
        ));
    }
    Ok(given.map(|method| Encryption {
        method,
        key: key.cloned(),
        bucket_key,
    }))
}

/// The ARN of the key that an object is encrypted under, where the method has keys: without a name it is the one that
/// AWS makes for S3 in each account.
pub fn key(encryption: &Encryption, context: &Context) -> Option<String> {
    let default = match encryption.method {
        EncryptionMethod::StoreKeys => None,
        EncryptionMethod::KeyService | EncryptionMethod::KeyServiceTwice => Some("alias/aws/s3"),
    };
    let named = encryption.key.as_deref().or(default)?;
    Some(arn(named, context))
}

/// The ARN of a key: of one that is named shortly, in the account and region of the request.
fn arn(key: &str, context: &Context) -> String {
    if key.starts_with("arn:") {
        return key.to_owned();
    }
    let resource = if key.starts_with("alias/") {
        key.to_owned()
    } else {
        format!("key/{key}")
    };
    Arn::new("kms", &context.region, &context.account, resource).to_string()
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{HeadObjectOutput, PutObjectRequest};

    use super::*;
    use crate::testing::context;

    fn put(method: Option<&str>, key: Option<&str>, bucket_key: bool) -> PutObjectRequest {
        PutObjectRequest {
            server_side_encryption: method.map(str::to_owned),
            ssekms_key_id: key.map(str::to_owned),
            bucket_key_enabled: Some(bucket_key),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_given_is_answered_with_the_keys_arn() {
        let arn = "arn:aws:kms:eu-west-1:111111111111:key/k";
        for (method, key, told) in [
            ("AES256", None, None),
            (
                "aws:kms",
                None,
                Some("arn:aws:kms:us-east-1:000000000000:alias/aws/s3"),
            ),
            (
                "aws:kms",
                Some("k"),
                Some("arn:aws:kms:us-east-1:000000000000:key/k"),
            ),
            (
                "aws:kms",
                Some("alias/a"),
                Some("arn:aws:kms:us-east-1:000000000000:alias/a"),
            ),
            ("aws:kms:dsse", Some(arn), Some(arn)),
        ] {
            let encryption = given!(put(Some(method), key, false)).unwrap();
            let mut output = HeadObjectOutput::default();
            answer!(output, encryption.as_ref(), &context());
            assert_eq!(output.server_side_encryption.as_deref(), Some(method));
            assert_eq!(
                (output.ssekms_key_id.as_deref(), output.bucket_key_enabled),
                (told, None)
            );
        }
        assert!(
            given!(put(Some("aws:kms"), None, true))
                .unwrap()
                .unwrap()
                .bucket_key
                == Some(true)
        );
        assert_eq!(given!(put(None, None, false)).unwrap(), None);
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_the_words_of_aws() {
        for (method, key, bucket_key, words) in [
            (Some("AES128"), None, false, "is not supported"),
            (None, Some("k"), false, "requires HTTP header"),
            (Some("AES256"), Some("k"), false, "requires HTTP header"),
            (None, None, true, "requires HTTP header"),
            (Some("aws:kms:dsse"), None, true, "requires HTTP header"),
        ] {
            let refused = given!(put(method, key, bucket_key)).unwrap_err();
            assert!(refused.code() == "InvalidArgument" && refused.message().contains(words));
            assert_eq!(refused.fields()["ArgumentName"], METHOD);
        }
    }
}
