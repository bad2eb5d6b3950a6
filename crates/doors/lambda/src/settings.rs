//! Settings of functions: what is done, what is accepted because it is the default, and what is refused by name.

use headwater_functions::{Configuration, Layer};
use headwater_shapes_lambda::{
    AcceleratorConfig, CapacityProviderConfig, CreateFunctionRequest, DeadLetterConfig,
    DurableConfig, Environment, EphemeralStorage, FileSystemConfig, FunctionConfiguration,
    FunctionRuntimeConfig, ImageConfig, LoggingConfig, SnapStart, TracingConfig,
    UpdateFunctionConfigurationRequest, VpcConfig,
};
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::{
    errors::{invalid_parameter, validation},
    runtimes::runtime,
    target::Target,
};

/// The longest time-out of a function.
const TIMEOUT_SECONDS: i32 = 900;
/// The most memory of a function.
const MEMORY_MB: i32 = 10_240;

/// The architectures that AWS has.
pub(crate) const ARCHITECTURES: [&str; 2] = ["x86_64", "arm64"];

/// AWS's name of the machine's architecture.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Refuses what is set and not built.
fn refuse(set: bool, what: &str) -> Result<(), ApiError> {
    if set {
        Err(ApiError::not_supported(what))
    } else {
        Ok(())
    }
}

fn filled(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

fn has_members<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_some_and(|list| !list.is_empty())
}

/// Settings that creating and changing a function share and that are accepted only as their defaults.
struct Fixed<'a> {
    vpc: &'a Option<VpcConfig>,
    kms_key: &'a Option<String>,
    tracing: &'a Option<TracingConfig>,
    file_systems: &'a Option<Vec<FileSystemConfig>>,
    image: &'a Option<ImageConfig>,
    storage: &'a Option<EphemeralStorage>,
    snap_start: &'a Option<SnapStart>,
    logging: &'a Option<LoggingConfig>,
    capacity_provider: &'a Option<CapacityProviderConfig>,
    durable: &'a Option<DurableConfig>,
    runtime_config: &'a Option<FunctionRuntimeConfig>,
    accelerator: &'a Option<AcceleratorConfig>,
}

impl Fixed<'_> {
    fn check(&self, target: &Target) -> Result<(), ApiError> {
        self.vpc.as_ref().map_or(Ok(()), check_vpc)?;
        refuse(filled(self.kms_key), "KMSKeyArn")?;
        let traced = |TracingConfig { mode }: &TracingConfig| {
            mode.as_deref().is_some_and(|mode| mode != "PassThrough")
        };
        refuse(
            self.tracing.as_ref().is_some_and(traced),
            "a TracingConfig other than PassThrough",
        )?;
        refuse(has_members(self.file_systems), "FileSystemConfigs")?;
        refuse(self.image.is_some(), "ImageConfig")?;
        let other = |EphemeralStorage { size }: &EphemeralStorage| *size != 512;
        refuse(
            self.storage.as_ref().is_some_and(other),
            "an EphemeralStorage other than 512 MB",
        )?;
        let snap =
            |SnapStart { apply_on }: &SnapStart| apply_on.as_deref().is_some_and(|on| on != "None");
        refuse(self.snap_start.as_ref().is_some_and(snap), "SnapStart")?;
        self.logging
            .as_ref()
            .map_or(Ok(()), |logging| check_logging(logging, target))?;
        refuse(self.capacity_provider.is_some(), "CapacityProviderConfig")?;
        refuse(self.durable.is_some(), "DurableConfig")?;
        refuse(self.runtime_config.is_some(), "RuntimeConfig")?;
        refuse(self.accelerator.is_some(), "AcceleratorConfig")
    }
}

/// Functions are in no network of their own.
fn check_vpc(vpc: &VpcConfig) -> Result<(), ApiError> {
    let VpcConfig {
        subnet_ids,
        security_group_ids,
        ipv6_allowed_for_dual_stack,
    } = vpc;
    let is_set = has_members(subnet_ids)
        || has_members(security_group_ids)
        || *ipv6_allowed_for_dual_stack == Some(true);
    refuse(is_set, "VpcConfig")
}

fn check_logging(logging: &LoggingConfig, target: &Target) -> Result<(), ApiError> {
    let LoggingConfig {
        log_format,
        application_log_level,
        system_log_level,
        log_group,
    } = logging;
    let other = log_format.as_deref().is_some_and(|format| format != "Text");
    refuse(other, "a LogFormat other than Text")?;
    refuse(filled(application_log_level), "ApplicationLogLevel")?;
    refuse(filled(system_log_level), "SystemLogLevel")?;
    let other = log_group
        .as_ref()
        .is_some_and(|group| *group != target.name.log_group());
    refuse(other, "a LogGroup other than the function's own")
}

/// `Architectures`: the machine's, or none.
pub(crate) fn check_architectures(architectures: &Option<Vec<String>>) -> Result<(), ApiError> {
    let other = architectures
        .iter()
        .flatten()
        .find(|given| *given != architecture());
    other.map_or(Ok(()), |given| {
        Err(ApiError::not_supported(format!(
            "the architecture {given} on a machine that is {}",
            architecture()
        )))
    })
}

/// A version is published under its number, and nowhere else.
pub(crate) fn check_publish_to(publish_to: &Option<String>) -> Result<(), ApiError> {
    refuse(publish_to.is_some(), "PublishTo")
}

/// A new function's configuration.
pub(crate) fn create(
    input: &CreateFunctionRequest,
    layers: Option<Vec<Layer>>,
    target: &Target,
) -> Result<Configuration, ApiError> {
    let CreateFunctionRequest {
        runtime: name,
        role,
        handler,
        description,
        timeout,
        memory_size,
        publish_to,
        vpc_config,
        package_type,
        dead_letter_config,
        environment,
        kms_key_arn,
        tracing_config,
        file_system_configs,
        code_signing_config_arn,
        image_config,
        architectures,
        ephemeral_storage,
        snap_start,
        logging_config,
        tenancy_config,
        capacity_provider_config,
        durable_config,
        runtime_config,
        accelerator_config,
        // The operation reads them itself.
        function_name: _,
        layers: _,
        code: _,
        publish: _,
        tags: _,
    } = input;
    let image = package_type
        .as_deref()
        .is_some_and(|package| package != "Zip");
    refuse(image, "a PackageType other than Zip")?;
    check_architectures(architectures)?;
    check_publish_to(publish_to)?;
    refuse(filled(code_signing_config_arn), "CodeSigningConfigArn")?;
    refuse(tenancy_config.is_some(), "TenancyConfig")?;
    Fixed {
        vpc: vpc_config,
        kms_key: kms_key_arn,
        tracing: tracing_config,
        file_systems: file_system_configs,
        image: image_config,
        storage: ephemeral_storage,
        snap_start,
        logging: logging_config,
        capacity_provider: capacity_provider_config,
        durable: durable_config,
        runtime_config,
        accelerator: accelerator_config,
    }
    .check(target)?;
    let (Some(name), Some(handler)) = (name, handler) else {
        return Err(invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let mut configuration = Configuration::new(runtime(name)?, handler, role);
    configuration.description = description.clone().unwrap_or_default();
    set(&mut configuration.timeout_s, seconds(*timeout)?);
    set(&mut configuration.memory_mb, megabytes(*memory_size)?);
    set(&mut configuration.layers, layers);
    set(
        &mut configuration.dead_letters,
        dead_letters(dead_letter_config.clone())?,
    );
    configuration.environment = environment
        .as_ref()
        .map(|Environment { variables }| variables.clone().unwrap_or_default());
    Ok(configuration)
}

/// The change that a request makes to a configuration.
pub(crate) fn update(
    input: UpdateFunctionConfigurationRequest,
    layers: Option<Vec<Layer>>,
    target: &Target,
) -> Result<impl FnOnce(&mut Configuration) + Send + use<>, ApiError> {
    let UpdateFunctionConfigurationRequest {
        role,
        handler,
        description,
        timeout,
        memory_size,
        vpc_config,
        environment,
        runtime: name,
        dead_letter_config,
        kms_key_arn,
        tracing_config,
        file_system_configs,
        image_config,
        ephemeral_storage,
        snap_start,
        logging_config,
        capacity_provider_config,
        durable_config,
        runtime_config,
        accelerator_config,
        // The operation reads them itself.
        function_name: _,
        layers: _,
        revision_id: _,
    } = input;
    Fixed {
        vpc: &vpc_config,
        kms_key: &kms_key_arn,
        tracing: &tracing_config,
        file_systems: &file_system_configs,
        image: &image_config,
        storage: &ephemeral_storage,
        snap_start: &snap_start,
        logging: &logging_config,
        capacity_provider: &capacity_provider_config,
        durable: &durable_config,
        runtime_config: &runtime_config,
        accelerator: &accelerator_config,
    }
    .check(target)?;
    let runtime = name.as_deref().map(runtime).transpose()?;
    let environment = environment.map(|Environment { variables }| variables.unwrap_or_default());
    let dead_letters = dead_letters(dead_letter_config)?;
    let (timeout, memory) = (seconds(timeout)?, megabytes(memory_size)?);
    Ok(move |configuration: &mut Configuration| {
        set(&mut configuration.runtime, runtime);
        set(&mut configuration.handler, handler);
        set(&mut configuration.role, role);
        set(&mut configuration.description, description);
        set(&mut configuration.timeout_s, timeout);
        set(&mut configuration.memory_mb, memory);
        set(&mut configuration.environment, environment.map(Some));
        set(&mut configuration.layers, layers);
        set(&mut configuration.dead_letters, dead_letters);
    })
}

/// Where dead letters are to go: none of it where the request does not say, and nowhere where it says nothing.
pub(crate) fn dead_letters(
    config: Option<DeadLetterConfig>,
) -> Result<Option<Option<Arn>>, ApiError> {
    let target = config.and_then(|DeadLetterConfig { target_arn }| target_arn);
    let Some(text) = target else {
        return Ok(None);
    };
    if text.is_empty() {
        return Ok(Some(None));
    }
    match text.parse::<Arn>() {
        Ok(arn) if matches!(&*arn.service, "sqs" | "sns") => Ok(Some(Some(arn))),
        _ => Err(invalid_parameter(format!(
            "The provided dead letter target {text} is neither a queue of SQS nor a topic of SNS."
        ))),
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// A time-out in seconds. The model's upper bound is that of functions with a capacity provider.
fn seconds(timeout: Option<i32>) -> Result<Option<u32>, ApiError> {
    match timeout {
        Some(timeout) if timeout > TIMEOUT_SECONDS => {
            let rule = format!("Member must have value less than or equal to {TIMEOUT_SECONDS}");
            Err(validation(timeout, "timeout", &rule))
        }
        timeout => Ok(timeout.map(i32::unsigned_abs)),
    }
}

/// Memory in MB. The model's upper bound is that of functions with a capacity provider.
fn megabytes(memory: Option<i32>) -> Result<Option<u32>, ApiError> {
    match memory {
        Some(memory) if memory > MEMORY_MB => Err(invalid_parameter(format!(
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to {MEMORY_MB}"
        ))),
        memory => Ok(memory.map(i32::unsigned_abs)),
    }
}

/// The settings that every function has, as answers show them.
pub(crate) fn show_fixed(shown: &mut FunctionConfiguration) {
    use headwater_shapes_lambda::{SnapStartResponse, TracingConfigResponse};
    shown.package_type = Some("Zip".into());
    shown.architectures = Some(vec![architecture().into()]);
    shown.ephemeral_storage = Some(EphemeralStorage { size: 512 });
    shown.tracing_config = Some(TracingConfigResponse {
        mode: Some("PassThrough".into()),
    });
    shown.snap_start = Some(SnapStartResponse {
        apply_on: Some("None".into()),
        optimization_status: Some("Off".into()),
    });
}
