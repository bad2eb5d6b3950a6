//! Redshift destinations.

use headwater_delivery::{Database, Destination, Redshift, Secret, Target};
use headwater_shapes::Tree;
use headwater_shapes_firehose::{
    CopyCommand, RedshiftDestinationConfiguration, RedshiftDestinationDescription,
    RedshiftDestinationUpdate, RedshiftRetryOptions,
};
use headwater_wire::ApiError;
use serde_json::Value;

use super::{
    beside::{self, Common},
    configured::Configured,
    s3,
    update::merged,
};
use crate::errors::invalid_argument;

const RETRY_S: i32 = 3600;

/// The destination that a configuration makes.
pub(super) fn of_configuration(
    given: RedshiftDestinationConfiguration,
) -> Result<Configured, ApiError> {
    let RedshiftDestinationConfiguration {
        role_arn,
        cluster_jdbcurl,
        copy_command,
        username,
        password,
        retry_options,
        s3_configuration,
        processing_configuration,
        s3_backup_mode,
        s3_backup_configuration,
        cloud_watch_logging_options,
        secrets_manager_configuration,
    } = given;
    beside::refuse_common(secrets_manager_configuration.as_ref())?;
    let (backup, s3_backup_description) =
        s3::backup(s3_backup_mode.as_deref(), s3_backup_configuration)?.unzip();
    let mode = if backup.is_some() {
        "Enabled"
    } else {
        "Disabled"
    }
    .to_owned();
    let compression = s3_configuration.compression_format.as_deref();
    if !matches!(compression, None | Some("UNCOMPRESSED" | "GZIP")) {
        return Err(invalid_argument(
            "The compression formats SNAPPY or ZIP cannot be specified in RedshiftDestinationConfiguration.S3Configuration",
        ));
    }
    let (Some(user), Some(password)) = (username, password) else {
        return Err(invalid_argument("Username and Password must be specified."));
    };
    let database = Database::parse(&cluster_jdbcurl)
        .map_err(|error| invalid_argument(format!("Invalid ClusterJDBCURL: it {error}.")))?;
    let RedshiftRetryOptions {
        duration_in_seconds,
    } = retry_options.unwrap_or_default();
    let retry = duration_in_seconds.unwrap_or(RETRY_S);
    let CopyCommand {
        data_table_name,
        data_table_columns,
        copy_options,
    } = &copy_command;
    let target = Redshift {
        database,
        user: user.clone(),
        password: Secret::new(password),
        table: data_table_name.clone(),
        columns: data_table_columns.clone().unwrap_or_default(),
        options: copy_options.clone().unwrap_or_default(),
        retry_s: retry.unsigned_abs(),
    };
    let common = Common {
        s3: s3_configuration,
        processing: processing_configuration,
        logging: cloud_watch_logging_options,
        keeps_all: false,
    };
    let (destination, common) = common.destination()?;
    let description = RedshiftDestinationDescription {
        role_arn: role_arn.clone(),
        cluster_jdbcurl,
        copy_command,
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
        role: role_arn,
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
    let is_kept = old["S3BackupMode"] == "Enabled";
    s3::refuse_ended_backup(update.s3_backup_mode.as_deref(), is_kept)?;
    let mut described = old.clone();
    described["Password"] = redshift.password.reveal().into();
    let kept = take(&mut described, "S3BackupDescription");
    let mut update = update.to_value();
    let backup = s3::merged_backup(kept, take(&mut update, "S3BackupUpdate").as_ref())?;
    if let Some(backup) = backup {
        described["S3BackupConfiguration"] = backup.to_value();
    }
    of_configuration(merged(described, &update)?)
}

fn take(value: &mut Value, member: &str) -> Option<Value> {
    value.as_object_mut()?.remove(member)
}
