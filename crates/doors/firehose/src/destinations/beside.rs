//! The common settings of destinations beside the bucket: the bucket for records that fail there, and hints.

use headwater_delivery::{AddressError, Buffering, Destination, WebAddress};
use headwater_shapes_firehose::{
    CloudWatchLoggingOptions, ExtendedS3DestinationConfiguration, ProcessingConfiguration,
    S3DestinationConfiguration, S3DestinationDescription, SecretsManagerConfiguration,
};
use headwater_wire::ApiError;

use super::{configured::Configured, s3};
use crate::errors::refuse;

/// The settings that all these configurations have.
pub(super) struct Common {
    pub(super) s3: S3DestinationConfiguration,
    pub(super) processing: Option<ProcessingConfiguration>,
    pub(super) logging: Option<CloudWatchLoggingOptions>,
    /// Whether every record goes to the bucket too, as it came.
    pub(super) keeps_all: bool,
}

/// The same as it is described.
pub(super) struct Described {
    pub(super) s3: S3DestinationDescription,
    pub(super) processing: Option<ProcessingConfiguration>,
    pub(super) logging: CloudWatchLoggingOptions,
}

impl Common {
    /// The destination with the bucket for its target, and what all these destinations describe alike.
    pub(super) fn destination(self) -> Result<(Destination, Described), ApiError> {
        let backup = match self.keeps_all {
            // Its errors are logged with those of the destination.
            true => {
                let bucket = S3DestinationConfiguration {
                    cloud_watch_logging_options: None,
                    ..self.s3.clone()
                };
                s3::backup(Some("Enabled"), Some(bucket))?.map(|(backup, _)| backup)
            }
            false => None,
        };
        let bucket = ExtendedS3DestinationConfiguration {
            processing_configuration: self.processing,
            ..s3::extended(self.s3)
        };
        let Configured {
            mut destination,
            description: s3,
        } = s3::of_configuration(bucket)?;
        // Errors at the bucket are logged in the bucket's own place only where there is no other.
        let logging = s3::logging(self.logging.as_ref())?;
        destination.logging = logging.or(destination.logging);
        destination.backup = backup;
        let described = Described {
            processing: s3.processing_configuration.clone(),
            s3: s3::simple(&s3),
            logging: s3::described_logging(self.logging),
        };
        Ok((destination, described))
    }
}

/// Hints as the domain has them.
pub(super) fn buffering(size_mib: i32, interval_s: i32) -> Buffering {
    Buffering {
        size_mib: size_mib.unsigned_abs(),
        interval_s: interval_s.unsigned_abs(),
    }
}

/// Refuses what all these destinations could have and none has here.
pub(super) fn refuse_common(secrets: Option<&SecretsManagerConfiguration>) -> Result<(), ApiError> {
    let enabled = |given: &SecretsManagerConfiguration| {
        let SecretsManagerConfiguration {
            enabled,
            // They are those of a secret that is asked for by the member above.
            secret_arn: _,
            role_arn: _,
        } = given;
        *enabled
    };
    let secrets = secrets.is_some_and(enabled);
    refuse(&[(
        secrets,
        "SecretsManagerConfiguration (give the secret itself)",
    )])
}

/// The address that the setting `member` names; `pattern` is AWS's for it.
pub(super) fn address(member: &str, text: &str, pattern: &str) -> Result<WebAddress, ApiError> {
    WebAddress::parse(text).map_err(|error| {
        let note = match error {
            AddressError::Insecure => " (Headwater takes http:// for addresses of this machine)",
            AddressError::Invalid => "",
        };
        // The value may hold a secret and is not told, as on AWS.
        let text = format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: {pattern}{note}"
        );
        ApiError::new(400, "ValidationException", text)
    })
}
