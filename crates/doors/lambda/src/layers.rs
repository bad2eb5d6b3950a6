//! Layers as requests name them and answers show them.

use headwater_functions::{
    Error, Functions, Layer, LayerId, LayerName, LayerPermission, LayerPolicy, LayerVersion,
    Options, limits,
};
use headwater_shapes_lambda::{LayerVersionContentOutput, LayerVersionsListItem};
use headwater_wire::{ApiError, Context};
use serde_json::json;

use crate::{
    Lambda,
    describe::date,
    errors::{invalid_parameter, not_found, other},
    runtimes,
    settings::ARCHITECTURES,
};

/// A layer by its name or ARN. One that is elsewhere is none here.
pub(crate) fn name(text: &str, options: &Options) -> Result<LayerName, ApiError> {
    let name = match text.rsplit_once(':') {
        Some((_, name)) if text.starts_with("arn:") => {
            let parsed = name.parse().map_err(|_| missing())?;
            let here = options.layer_arn(&parsed).to_string();
            return if here == text {
                Ok(parsed)
            } else {
                Err(missing())
            };
        }
        _ => text,
    };
    name.parse().map_err(|_| missing())
}

/// A version of a layer by name and number.
pub(crate) fn id(text: &str, number: i64, options: &Options) -> Result<LayerId, ApiError> {
    match u64::try_from(number) {
        Ok(number) if number > 0 => Ok(LayerId {
            name: name(text, options)?,
            number,
        }),
        _ => Err(invalid_parameter("Layer Version Cannot be less than 1")),
    }
}

/// The version that an ARN names.
pub(crate) fn of_arn(arn: &str, context: &Context, options: &Options) -> Result<LayerId, ApiError> {
    let Some((layer, version)) = arn.rsplit_once(':') else {
        return Err(missing());
    };
    let parts: Vec<&str> = layer.split(':').collect();
    let [_, _, _, region, account, _, name] = parts.as_slice() else {
        return Err(missing());
    };
    if *account != options.account.0 {
        return Err(denied(arn, context));
    }
    if *region != options.region.0 {
        return Err(missing());
    }
    let number = version.parse().map_err(|_| missing())?;
    id(name, number, options)
}

/// The answer about a layer of another account, which has no policies that reach here.
fn denied(arn: &str, context: &Context) -> ApiError {
    let (caller, action) = (&context.caller.arn, "lambda:GetLayerVersion");
    let text = format!(
        "User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based policy \
         allows the {action} action"
    );
    ApiError::new(403, "AccessDeniedException", text)
}

/// The answer about a layer version that is not there.
pub(crate) fn missing() -> ApiError {
    not_found("The resource you requested does not exist.")
}

/// A domain error about a layer version.
pub(crate) fn api(error: Error, arn: &str) -> ApiError {
    match error {
        Error::NoLayer(_) => not_found(format!("Layer version {arn} does not exist.")),
        Error::Revision => ApiError::of(
            &headwater_shapes_lambda::errors::PRECONDITION_FAILED_EXCEPTION,
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve \
             the latest Revision Id",
        ),
        Error::PermissionExists(id) => ApiError::of(
            &headwater_shapes_lambda::errors::RESOURCE_CONFLICT_EXCEPTION,
            format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement."
            ),
        ),
        Error::NoPermission(id) => {
            not_found(format!("Statement {id} is not found in resource policy."))
        }
        error => crate::errors::api(error, arn),
    }
}

/// The ARN of a layer version.
pub(crate) fn version_arn(id: &LayerId, options: &Options) -> String {
    format!("{}:{}", options.layer_arn(&id.name), id.number)
}

/// A version as lists show it.
pub(crate) fn listed(version: LayerVersion, options: &Options) -> LayerVersionsListItem {
    LayerVersionsListItem {
        layer_version_arn: Some(version_arn(&version.id(), options)),
        version: Some(version.number as i64),
        description: Some(version.description),
        created_date: Some(date(version.created)),
        compatible_architectures: version.architectures,
        compatible_runtimes: version.runtimes,
        license_info: version.license,
    }
}

/// The files of a version: how large they are, and an address to fetch them from.
pub(crate) fn content(
    lambda: &Lambda,
    version: &LayerVersion,
    context: &Context,
) -> LayerVersionContentOutput {
    let options = lambda.functions.options();
    LayerVersionContentOutput {
        location: Some(lambda.locations.of_layer(version, options, context)),
        code_sha256: Some(version.code.sha256.clone()),
        code_size: Some(version.code.size as i64),
        ..Default::default()
    }
}

/// The layers that a function is to have, in the order in which they are laid over each other.
pub(crate) async fn resolve(
    functions: &Functions,
    given: Option<Vec<String>>,
    context: &Context,
) -> Result<Option<Vec<Layer>>, ApiError> {
    let Some(arns) = given else {
        return Ok(None);
    };
    let options = functions.options();
    if arns.len() > limits::LAYERS_MAX {
        let text = format!("Cannot reference more than {} layers.", limits::LAYERS_MAX);
        return Err(invalid_parameter(text));
    }
    let mut layers: Vec<Layer> = Vec::new();
    for arn in &arns {
        if arn.contains(":awslayer:") {
            return Err(ApiError::not_supported("a layer of AWS's own"));
        }
        if arn.split(':').nth(3) != Some(&options.region.0) {
            return Err(invalid_parameter(format!(
                "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                options.region.0
            )));
        }
        let gone = || invalid_parameter(format!("Layer version {arn} does not exist."));
        let id = of_arn(arn, context, options).map_err(|error| match error.status() {
            403 => error,
            _ => gone(),
        })?;
        if let Some(same) = layers.iter().find(|layer| layer.id.name == id.name) {
            let (first, second) = (version_arn(&same.id, options), version_arn(&id, options));
            return Err(invalid_parameter(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. \
                 {first} and {second} are versions of the same layer."
            )));
        }
        let found = functions.layer(&id).await;
        layers.push(match found {
            Ok(version) => version.used(),
            Err(Error::NoLayer(_)) => return Err(gone()),
            Err(error) => return Err(other(error)),
        });
    }
    Ok(Some(layers))
}

/// Holds a new version's runtimes and architectures against those that AWS has, and tells all that is wrong at once.
pub(crate) fn check_compatible(
    runtimes: &Option<Vec<String>>,
    architectures: &Option<Vec<String>>,
) -> Result<(), ApiError> {
    let shown = |list: &[String]| format!("[{}]", list.join(", "));
    let mut wrong = Vec::new();
    if let Some(list) = runtimes
        .as_ref()
        .filter(|list| !list.iter().all(|name| runtimes::is_known(name)))
    {
        wrong.push(format!(
            "Value '{}' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: \
             [{}]",
            shown(list),
            runtimes::TAKEN.join(", ")
        ));
    }
    let is_one = |name: &String| ARCHITECTURES.contains(&name.as_str());
    if let Some(list) = architectures
        .as_ref()
        .filter(|list| !list.iter().all(is_one))
    {
        wrong.push(format!(
            "Value '{}' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: \
             [Member must satisfy enum value set: [{}], Member must not be null]",
            shown(list),
            ARCHITECTURES.join(", ")
        ));
    }
    let text = match wrong.len() {
        0 => return Ok(()),
        1 => "1 validation error".to_owned(),
        count => format!("{count} validation errors"),
    };
    let text = format!("{text} detected: {}", wrong.join("; "));
    Err(ApiError::new(400, "ValidationException", text))
}

/// The wish of one who lists: versions that say of themselves that they are for this.
pub(crate) struct Compatible {
    pub runtime: Option<String>,
    pub architecture: Option<String>,
}

impl Compatible {
    /// A wish for something that AWS has.
    pub fn new(runtime: Option<String>, architecture: Option<String>) -> Result<Self, ApiError> {
        if let Some(name) = runtime.as_ref().filter(|name| !runtimes::is_known(name)) {
            let rule = format!(
                "Member must satisfy enum value set: [{}]",
                runtimes::LISTED.join(", ")
            );
            return Err(crate::errors::validation(name, "compatibleRuntime", &rule));
        }
        Ok(Self {
            runtime,
            architecture,
        })
    }

    pub fn fits(&self, version: &LayerVersion) -> bool {
        let has = |list: &Option<Vec<String>>, wish: &Option<String>| {
            let has = |wish: &String| list.as_ref().is_some_and(|list| list.contains(wish));
            wish.as_ref().is_none_or(has)
        };
        has(&version.runtimes, &self.runtime) && has(&version.architectures, &self.architecture)
    }
}

/// A permission as AWS writes it.
pub(crate) fn statement(permission: &LayerPermission, arn: &str) -> serde_json::Value {
    let principal = match permission.principal.as_str() {
        "*" => json!("*"),
        account if account.bytes().all(|b| b.is_ascii_digit()) => {
            json!({ "AWS": format!("arn:aws:iam::{account}:root") })
        }
        root => json!({ "AWS": root }),
    };
    let mut statement = json!({
        "Sid": permission.id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    });
    if let Some(organization) = &permission.organization {
        statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": organization } });
    }
    statement
}

/// A policy as AWS writes it.
pub(crate) fn policy(policy: &LayerPolicy, arn: &str) -> String {
    let statements: Vec<_> = policy
        .permissions
        .iter()
        .map(|one| statement(one, arn))
        .collect();
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
}
