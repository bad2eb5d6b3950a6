//! Where a function's code comes from: the request itself, or an object store.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_functions::{Functions, limits};
use headwater_shapes::Blob;
use headwater_shapes_lambda::FunctionCode;
use headwater_wire::ApiError;

use crate::errors::{invalid_parameter, unzipped_too_large};

/// Objects that hold functions' code.
#[async_trait]
pub trait CodeSource: Send + Sync {
    /// The whole object, if it has at most `max` bytes.
    ///
    /// # Errors
    /// The store's error code and text, such as `NoSuchKey` and `The specified key does not exist.`
    async fn get(&self, bucket: &str, key: &str, max: usize) -> Result<Bytes, NoCode>;
}

/// The reasons for which an object with code could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCode {
    /// It has more bytes than were asked for.
    TooLarge,
    /// In the store's words.
    Refused {
        /// `NoSuchBucket`, `NoSuchKey` …
        code: String,
        /// The text to it.
        message: String,
    },
}

/// Room in memory for the zip file that a request names, until it is dropped; one that a request gives has its room.
pub(crate) async fn room<'a>(
    functions: &'a Functions,
    code: &FunctionCode,
) -> Option<impl Sized + use<'a>> {
    match code.s3_bucket {
        Some(_) => Some(functions.room_for_package().await),
        None => None,
    }
}

/// The zip file that a request gives or names.
pub(crate) async fn package(
    source: &dyn CodeSource,
    code: FunctionCode,
) -> Result<Bytes, ApiError> {
    let FunctionCode {
        zip_file,
        s3_bucket,
        s3_key,
        s3_object_version,
        s3_object_storage_mode,
        image_uri,
        source_kms_key_arn,
    } = code;
    let filled = |text: Option<String>| text.is_some_and(|text| !text.is_empty());
    for (set, what) in [
        (filled(image_uri), "ImageUri"),
        (filled(source_kms_key_arn), "SourceKMSKeyArn"),
        (s3_object_version.is_some(), "S3ObjectVersion"),
        (
            s3_object_storage_mode.is_some_and(|mode| mode != "COPY"),
            "S3ObjectStorageMode",
        ),
    ] {
        if set {
            return Err(ApiError::not_supported(what));
        }
    }
    match (zip_file, s3_bucket, s3_key) {
        (Some(Blob(zip)), None, None) if zip.len() > limits::PACKAGE_BYTES_MAX => {
            Err(zipped_too_large())
        }
        (Some(Blob(zip)), None, None) => Ok(zip),
        (None, Some(bucket), Some(key)) => {
            let max = limits::UNPACKED_BYTES_MAX as usize;
            source.get(&bucket, &key, max).await.map_err(no_code)
        }
        (None, None, None) => Err(invalid_parameter(
            "Please provide a source for function code.",
        )),
        _ => Err(invalid_parameter(
            "Please provide either a ZipFile, or an S3Bucket together with an S3Key, as source for function code.",
        )),
    }
}

fn no_code(error: NoCode) -> ApiError {
    match error {
        NoCode::TooLarge => unzipped_too_large(limits::UNPACKED_BYTES_MAX),
        NoCode::Refused { code, message } => invalid_parameter(format!(
            "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
        )),
    }
}

fn zipped_too_large() -> ApiError {
    let max = limits::PACKAGE_BYTES_MAX;
    let text = format!("Zipped size must be smaller than {max} bytes");
    ApiError::new(413, "RequestEntityTooLargeException", text)
}
