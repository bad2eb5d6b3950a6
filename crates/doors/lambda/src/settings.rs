//! Settings of functions: what is done, what is accepted because it is the default, and what is refused by name.

use headwater_functions::{Configuration, Runtime};
use headwater_shapes_lambda::{
    CreateFunctionRequest, EphemeralStorage, FileSystemConfig, FunctionConfiguration,
    LoggingConfig, SnapStart, TracingConfig, UpdateFunctionConfigurationRequest, VpcConfig,
};
use headwater_wire::ApiError;

use crate::{errors::invalid_parameter, target::Target};

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
    dead_letter: bool,
    kms_key: &'a Option<String>,
    tracing: &'a Option<TracingConfig>,
    layers: &'a Option<Vec<String>>,
    file_systems: &'a Option<Vec<FileSystemConfig>>,
    image: bool,
    storage: &'a Option<EphemeralStorage>,
    snap_start: &'a Option<SnapStart>,
    logging: &'a Option<LoggingConfig>,
    capacity_provider: bool,
    durable: bool,
    runtime_config: bool,
    accelerator: bool,
}

impl Fixed<'_> {
    fn check(&self, target: &Target) -> Result<(), ApiError> {
        let vpc =
            |vpc: &VpcConfig| has_members(&vpc.subnet_ids) || has_members(&vpc.security_group_ids);
        refuse(self.vpc.as_ref().is_some_and(vpc), "VpcConfig")?;
        refuse(self.dead_letter, "DeadLetterConfig")?;
        refuse(filled(self.kms_key), "KMSKeyArn")?;
        let traced = |tracing: &TracingConfig| {
            tracing
                .mode
                .as_deref()
                .is_some_and(|mode| mode != "PassThrough")
        };
        refuse(
            self.tracing.as_ref().is_some_and(traced),
            "a TracingConfig other than PassThrough",
        )?;
        refuse(has_members(self.layers), "Layers")?;
        refuse(has_members(self.file_systems), "FileSystemConfigs")?;
        refuse(self.image, "ImageConfig")?;
        refuse(
            self.storage
                .as_ref()
                .is_some_and(|storage| storage.size != 512),
            "an EphemeralStorage other than 512 MB",
        )?;
        let snap = |snap: &SnapStart| snap.apply_on.as_deref().is_some_and(|on| on != "None");
        refuse(self.snap_start.as_ref().is_some_and(snap), "SnapStart")?;
        self.logging
            .as_ref()
            .map_or(Ok(()), |logging| check_logging(logging, target))?;
        refuse(self.capacity_provider, "CapacityProviderConfig")?;
        refuse(self.durable, "DurableConfig")?;
        refuse(self.runtime_config, "RuntimeConfig")?;
        refuse(self.accelerator, "AcceleratorConfig")
    }
}

fn check_logging(logging: &LoggingConfig, target: &Target) -> Result<(), ApiError> {
    let json = logging
        .log_format
        .as_deref()
        .is_some_and(|format| format != "Text");
    refuse(json, "a LogFormat other than Text")?;
    refuse(
        filled(&logging.application_log_level),
        "ApplicationLogLevel",
    )?;
    refuse(filled(&logging.system_log_level), "SystemLogLevel")?;
    let other = logging
        .log_group
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

/// Versions are not built.
pub(crate) fn check_publish(
    publish: Option<bool>,
    publish_to: &Option<String>,
) -> Result<(), ApiError> {
    refuse(publish == Some(true), "Publish: there is only $LATEST")?;
    refuse(publish_to.is_some(), "PublishTo")
}

/// A new function's configuration.
pub(crate) fn create(
    input: &CreateFunctionRequest,
    target: &Target,
) -> Result<Configuration, ApiError> {
    let image = input
        .package_type
        .as_deref()
        .is_some_and(|package| package != "Zip");
    refuse(image, "a PackageType other than Zip")?;
    check_architectures(&input.architectures)?;
    check_publish(input.publish, &input.publish_to)?;
    refuse(
        filled(&input.code_signing_config_arn),
        "CodeSigningConfigArn",
    )?;
    refuse(input.tenancy_config.is_some(), "TenancyConfig")?;
    Fixed {
        vpc: &input.vpc_config,
        dead_letter: input
            .dead_letter_config
            .as_ref()
            .is_some_and(|dead| filled(&dead.target_arn)),
        kms_key: &input.kms_key_arn,
        tracing: &input.tracing_config,
        layers: &input.layers,
        file_systems: &input.file_system_configs,
        image: input.image_config.is_some(),
        storage: &input.ephemeral_storage,
        snap_start: &input.snap_start,
        logging: &input.logging_config,
        capacity_provider: input.capacity_provider_config.is_some(),
        durable: input.durable_config.is_some(),
        runtime_config: input.runtime_config.is_some(),
        accelerator: input.accelerator_config.is_some(),
    }
    .check(target)?;
    let (Some(name), Some(handler)) = (&input.runtime, &input.handler) else {
        return Err(invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let mut configuration = Configuration::new(runtime(name)?, handler, &input.role);
    configuration.description = input.description.clone().unwrap_or_default();
    if let Some(timeout) = input.timeout {
        configuration.timeout_s = timeout.unsigned_abs();
    }
    if let Some(memory) = input.memory_size {
        configuration.memory_mb = memory.unsigned_abs();
    }
    if let Some(environment) = &input.environment {
        configuration.environment = environment.variables.clone().unwrap_or_default();
    }
    Ok(configuration)
}

/// What a request changes of a configuration.
pub(crate) fn update(
    input: UpdateFunctionConfigurationRequest,
    target: &Target,
) -> Result<impl FnOnce(&mut Configuration) + Send + use<>, ApiError> {
    Fixed {
        vpc: &input.vpc_config,
        dead_letter: input
            .dead_letter_config
            .as_ref()
            .is_some_and(|dead| filled(&dead.target_arn)),
        kms_key: &input.kms_key_arn,
        tracing: &input.tracing_config,
        layers: &input.layers,
        file_systems: &input.file_system_configs,
        image: input.image_config.is_some(),
        storage: &input.ephemeral_storage,
        snap_start: &input.snap_start,
        logging: &input.logging_config,
        capacity_provider: input.capacity_provider_config.is_some(),
        durable: input.durable_config.is_some(),
        runtime_config: input.runtime_config.is_some(),
        accelerator: input.accelerator_config.is_some(),
    }
    .check(target)?;
    let runtime = input.runtime.as_deref().map(runtime).transpose()?;
    Ok(move |configuration: &mut Configuration| {
        set(&mut configuration.runtime, runtime);
        set(&mut configuration.handler, input.handler);
        set(&mut configuration.role, input.role);
        set(&mut configuration.description, input.description);
        set(
            &mut configuration.timeout_s,
            input.timeout.map(i32::unsigned_abs),
        );
        set(
            &mut configuration.memory_mb,
            input.memory_size.map(i32::unsigned_abs),
        );
        set(
            &mut configuration.environment,
            input.environment.map(|e| e.variables.unwrap_or_default()),
        );
    })
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// A runtime that is run; AWS's others are refused by name.
fn runtime(name: &str) -> Result<Runtime, ApiError> {
    name.parse().map_err(|_| {
        let family = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if ["java", "dotnet", "dotnetcore", "ruby", "go", "python", "nodejs"].contains(&family) {
            return ApiError::not_supported(format!("the runtime {name}"));
        }
        invalid_parameter(format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \
             [nodejs22.x, nodejs24.x, python3.13, python3.14, provided.al2, provided.al2023] or be a valid ARN"
        ))
    })
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
