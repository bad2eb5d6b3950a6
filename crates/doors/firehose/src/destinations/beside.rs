//! What destinations beside the bucket have in common: the bucket for what fails there, and hints.

use headwater_delivery::{AddressError, Buffering, Destination, Target, WebAddress};
use headwater_shapes::Tree;
use headwater_shapes_firehose::{
    CloudWatchLoggingOptions, ExtendedS3DestinationConfiguration, ExtendedS3DestinationDescription,
    ProcessingConfiguration, S3DestinationConfiguration, S3DestinationDescription,
    SecretsManagerConfiguration,
};
use headwater_wire::ApiError;

use super::{s3, update::read};
use crate::errors::refuse;

/// What a configuration has whatever it is for.
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
    /// The destination but for its target and its description, and what is described of it.
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
        let mut destination = s3::of_configuration(bucket)?;
        let s3: ExtendedS3DestinationDescription = read(destination.described.take())?;
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

/// A destination that is complete.
pub(super) fn complete(
    destination: Destination,
    target: Target,
    described: &impl Tree,
) -> Result<Destination, ApiError> {
    let described = described.to_value();
    Ok(Destination {
        target,
        described,
        ..destination
    })
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
    let secrets = secrets.is_some_and(|secrets| secrets.enabled);
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
