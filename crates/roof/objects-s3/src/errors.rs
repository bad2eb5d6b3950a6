//! The store's errors as the domain's.

use headwater_client::CallError;
use headwater_objects::{BucketName, ObjectError, ObjectName};

/// The subject of a call: S3's errors say it in fields that get lost on the way.
pub struct About<'a> {
    pub bucket: &'a BucketName,
    pub key: &'a str,
    pub upload: &'a str,
    pub version: Option<&'a str>,
}

impl<'a> About<'a> {
    /// A call about a bucket.
    pub fn bucket(bucket: &'a BucketName) -> Self {
        Self {
            bucket,
            key: "",
            upload: "",
            version: None,
        }
    }

    /// A call about an object.
    pub fn object(name: &'a ObjectName) -> Self {
        Self {
            bucket: name.bucket(),
            key: name.key(),
            upload: "",
            version: None,
        }
    }

    /// A call about a version of an object, or the object.
    pub fn version(name: &'a ObjectName, version: Option<&'a str>) -> Self {
        Self {
            version,
            ..Self::object(name)
        }
    }

    /// A call about an upload.
    pub fn upload(name: &'a ObjectName, upload: &'a str) -> Self {
        Self {
            upload,
            ..Self::object(name)
        }
    }

    /// The domain's error, where the code alone says enough.
    pub fn error(&self, error: CallError) -> ObjectError {
        let version = self.version.unwrap_or_default().to_owned();
        match error.code.as_str() {
            "NoSuchVersion" => ObjectError::NoSuchVersion {
                key: self.key.to_owned(),
                version,
            },
            "InvalidArgument" if error.message == "Invalid version id specified" => {
                ObjectError::InvalidVersion(version)
            }
            "BucketNotEmpty" if error.message.contains("all versions") => {
                ObjectError::VersionsLeft(self.bucket.to_string())
            }
            "NoSuchBucket" => ObjectError::NoSuchBucket(self.bucket.to_string()),
            "NoSuchKey" => ObjectError::NoSuchKey(self.key.to_owned()),
            "NoSuchUpload" => ObjectError::NoSuchUpload(self.upload.to_owned()),
            "BucketAlreadyOwnedByYou" | "BucketAlreadyExists" => {
                ObjectError::BucketExists(self.bucket.to_string())
            }
            "BucketNotEmpty" => ObjectError::BucketNotEmpty(self.bucket.to_string()),
            "InvalidBucketName" => ObjectError::InvalidBucketName(self.bucket.to_string()),
            "KeyTooLongError" => ObjectError::KeyTooLong(self.key.len()),
            "InvalidPartOrder" => ObjectError::PartOrder,
            "SlowDown" | "ServiceUnavailable" => ObjectError::Busy,
            _ => ObjectError::Remote(error.to_string().into()),
        }
    }
}
