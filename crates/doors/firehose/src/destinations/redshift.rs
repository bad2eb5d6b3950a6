//! Redshift destinations.

use headwater_delivery::{Database, Destination, Redshift, Secret, Target};
use headwater_shapes_firehose::{
    RedshiftDestinationConfiguration, RedshiftDestinationDescription, RedshiftDestinationUpdate,
    RedshiftRetryOptions,
};
use headwater_wire::ApiError;
use serde_json::Value;

use super::{
    beside::{self, Common},
    configured::Configured,
    s3,
    update::merged,
};
use crate::errors::{invalid_argument, refuse};

const RETRY_S: i32 = 3600;

/// The destination that a configuration makes.
pub(super) fn of_configuration(
    given: RedshiftDestinationConfiguration,
) -> Result<Configured, ApiError> {
    beside::refuse_common(given.secrets_manager_configuration.as_ref())?;
    let (backup, s3_backup_description) = s3::backup(
        given.s3_backup_mode.as_deref(),
        given.s3_backup_configuration,
    )?
    .unzip();
    let mode = if backup.is_some() {
        "Enabled"
    } else {
        "Disabled"
    }
    .to_owned();
    let compression = given.s3_configuration.compression_format.as_deref();
    if !matches!(compression, None | Some("UNCOMPRESSED" | "GZIP")) {
        return Err(invalid_argument(
            "The compression formats SNAPPY or ZIP cannot be specified in RedshiftDestinationConfiguration.S3Configuration",
        ));
    }
    let (Some(user), Some(password)) = (given.username, given.password) else {
        return Err(invalid_argument("Username and Password must be specified."));
    };
    let database = Database::parse(&given.cluster_jdbcurl)
        .map_err(|error| invalid_argument(format!("Invalid ClusterJDBCURL: it {error}.")))?;
    let retry = given
        .retry_options
        .and_then(|retry| retry.duration_in_seconds)
        .unwrap_or(RETRY_S);
    let copy = &given.copy_command;
    let target = Redshift {
        database,
        user: user.clone(),
        password: Secret::new(password),
        table: copy.data_table_name.clone(),
        columns: copy.data_table_columns.clone().unwrap_or_default(),
        options: copy.copy_options.clone().unwrap_or_default(),
        retry_s: retry.unsigned_abs(),
    };
    let common = Common {
        s3: given.s3_configuration,
        processing: given.processing_configuration,
        logging: given.cloud_watch_logging_options,
        keeps_all: false,
    };
    let (destination, common) = common.destination()?;
    let description = RedshiftDestinationDescription {
        role_arn: given.role_arn.clone(),
        cluster_jdbcurl: given.cluster_jdbcurl,
        copy_command: given.copy_command,
        username: Some(user),
        retry_options: Some(RedshiftRetryOptions {
            duration_in_seconds: Some(retry),
        }),
        s3_destination_description: common.s3,
        processing_configuration: common.processing,
        s3_backup_mode: Some(mode),
        s3_backup_description,
        cloud_watch_logging_options: Some(common.logging),
        ..Default::default()
    };
    let destination = Destination {
        role: given.role_arn,
        backup,
        target: Target::Redshift(target),
        ..destination
    };
    let configured = Configured {
        destination,
        description,
    };
    Ok(configured.into_kept())
}

/// The destination that was described as `old`, with what an update specifies.
pub(super) fn updated(
    old: &Value,
    redshift: &Redshift,
    update: &RedshiftDestinationUpdate,
) -> Result<Configured, ApiError> {
    refuse(&[(update.s3_backup_update.is_some(), "S3BackupUpdate")])?;
    let mut described = old.clone();
    described["Password"] = redshift.password.reveal().into();
    of_configuration(merged(described, update)?)
}
