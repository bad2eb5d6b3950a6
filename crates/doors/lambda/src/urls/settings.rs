//! The settings of addresses as requests give them and answers show them.

use headwater_functions::{
    AliasName, Cors, Error, FunctionUrl, Options, UrlChange, UrlSettings, UrlTarget,
};
use headwater_shapes_lambda::{
    self as shapes, CreateFunctionUrlConfigResponse, FunctionUrlConfig,
    GetFunctionUrlConfigResponse, UpdateFunctionUrlConfigResponse, errors as types,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};

use super::LABEL;
use crate::{
    Lambda,
    errors::{self, not_found, validation},
    target::Target,
};

/// AWS's pattern of a qualifier here: the name of an alias, and no version.
const QUALIFIER: &str = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)";

/// The function or alias that a request is about.
pub(crate) fn target(
    name: &str,
    qualifier: Option<&str>,
    options: &Options,
) -> Result<(Target, UrlTarget), ApiError> {
    let alias = |text: &str| text.parse::<AliasName>();
    if let Some(text) = qualifier.filter(|text| alias(text).is_err()) {
        let rule = format!("Member must satisfy regular expression pattern: {QUALIFIER}");
        return Err(validation(text, "qualifier", &rule));
    }
    let target = Target::parse(name, qualifier, options)?;
    let of_name = target.qualifier.as_deref().map(alias).transpose();
    let url = UrlTarget {
        function: target.name.clone(),
        alias: of_name.map_err(|_| not_found("The resource you requested does not exist."))?,
    };
    Ok((target, url))
}

/// The settings of a new address.
pub(crate) fn wished(
    auth_type: &str,
    cors: Option<shapes::Cors>,
    invoke_mode: Option<String>,
) -> UrlSettings {
    UrlSettings {
        signed: auth_type == "AWS_IAM",
        cors: cors.map(read_cors),
        streams: invoke_mode.map(|mode| mode == "RESPONSE_STREAM"),
    }
}

/// What is given of an address to change.
pub(crate) fn change(
    auth_type: Option<String>,
    cors: Option<shapes::Cors>,
    invoke_mode: Option<String>,
) -> UrlChange {
    UrlChange {
        signed: auth_type.map(|kind| kind == "AWS_IAM"),
        cors: cors.map(read_cors),
        streams: invoke_mode.map(|mode| mode == "RESPONSE_STREAM"),
    }
}

fn read_cors(given: shapes::Cors) -> Cors {
    let shapes::Cors {
        allow_credentials,
        allow_headers,
        allow_methods,
        allow_origins,
        expose_headers,
        max_age,
    } = given;
    Cors {
        credentials: allow_credentials,
        headers: allow_headers,
        methods: allow_methods,
        origins: allow_origins,
        exposed: expose_headers,
        max_age: max_age.map(i32::unsigned_abs),
    }
}

fn show_cors(kept: &Cors) -> shapes::Cors {
    shapes::Cors {
        allow_credentials: kept.credentials,
        allow_headers: kept.headers.clone(),
        allow_methods: kept.methods.clone(),
        allow_origins: kept.origins.clone(),
        expose_headers: kept.exposed.clone(),
        max_age: kept.max_age.map(|seconds| seconds as i32),
    }
}

/// A domain error about an address; `missing` is AWS's text where the function is missing, which differs.
pub(crate) fn no_function(error: Error, target: &Target, missing: &str) -> ApiError {
    match error {
        Error::NotFound(_) | Error::NoAlias(_) | Error::NoVersion(_) => not_found(missing),
        Error::NoUrl => not_found("The resource you requested does not exist."),
        Error::UrlExists => ApiError::of(
            &types::RESOURCE_CONFLICT_EXCEPTION,
            format!(
                "Failed to create function url config for [functionArn = {}]. Error message:  FunctionUrlConfig exists \
                 for this Lambda function",
                target.qualified_arn()
            ),
        ),
        error => errors::api(error, target.qualified_arn()),
    }
}

/// The parts that all answers show.
struct Shown {
    url: String,
    arn: String,
    auth_type: String,
    cors: Option<shapes::Cors>,
    created: String,
    changed: String,
    /// As it was given, if it was.
    mode: Option<String>,
}

impl Shown {
    fn of(lambda: &Lambda, url: &FunctionUrl, context: &Context) -> Self {
        let options = lambda.functions.options();
        let arn = options.function_arn(&url.target.function);
        let scheme = if context.origin.secure {
            "https"
        } else {
            "http"
        };
        let port = context.host.rsplit_once(':').map(|(_, port)| port);
        let port = port.filter(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let (id, region) = (&url.id, &options.region.0);
        let auth_type = if url.settings.signed {
            "AWS_IAM"
        } else {
            "NONE"
        };
        let mode = |streams| {
            if streams {
                "RESPONSE_STREAM"
            } else {
                "BUFFERED"
            }
        };
        Self {
            url: format!("{scheme}://{id}.{LABEL}.{region}.localhost{port}/"),
            arn: match &url.target.alias {
                Some(alias) => format!("{arn}:{alias}"),
                None => arn.to_string(),
            },
            auth_type: auth_type.to_owned(),
            cors: url.settings.cors.as_ref().map(show_cors),
            created: date(url.created),
            changed: date(url.changed),
            mode: url.settings.streams.map(|streams| mode(streams).to_owned()),
        }
    }

    /// The mode, also where nobody gave one.
    fn mode_or_default(&self) -> Option<String> {
        Some(self.mode.clone().unwrap_or_else(|| "BUFFERED".to_owned()))
    }
}

/// A time as these answers write it.
fn date(time: Millis) -> String {
    let shown = i64::try_from(time.0).ok();
    let shown = shown.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let shown = shown.unwrap_or_default();
    shown.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// An address that was made.
pub(crate) fn created(
    lambda: &Lambda,
    url: &FunctionUrl,
    context: &Context,
) -> CreateFunctionUrlConfigResponse {
    let shown = Shown::of(lambda, url, context);
    CreateFunctionUrlConfigResponse {
        function_url: shown.url,
        function_arn: shown.arn,
        auth_type: shown.auth_type,
        cors: shown.cors,
        creation_time: shown.created,
        invoke_mode: shown.mode,
    }
}

/// An address that was changed.
pub(crate) fn updated(
    lambda: &Lambda,
    url: &FunctionUrl,
    context: &Context,
) -> UpdateFunctionUrlConfigResponse {
    let shown = Shown::of(lambda, url, context);
    UpdateFunctionUrlConfigResponse {
        function_url: shown.url,
        function_arn: shown.arn,
        auth_type: shown.auth_type,
        cors: shown.cors,
        creation_time: shown.created,
        last_modified_time: shown.changed,
        invoke_mode: shown.mode,
    }
}

/// An address that was asked for.
pub(crate) fn described(
    lambda: &Lambda,
    url: &FunctionUrl,
    context: &Context,
) -> GetFunctionUrlConfigResponse {
    let shown = Shown::of(lambda, url, context);
    let invoke_mode = shown.mode_or_default();
    GetFunctionUrlConfigResponse {
        function_url: shown.url,
        function_arn: shown.arn,
        auth_type: shown.auth_type,
        cors: shown.cors,
        creation_time: shown.created,
        last_modified_time: shown.changed,
        invoke_mode,
    }
}

/// Addresses in a list.
pub(crate) fn page_of(
    lambda: &Lambda,
    urls: &[FunctionUrl],
    context: &Context,
) -> Vec<FunctionUrlConfig> {
    let listed = |url| {
        let shown = Shown::of(lambda, url, context);
        let invoke_mode = shown.mode_or_default();
        FunctionUrlConfig {
            function_url: shown.url,
            function_arn: shown.arn,
            auth_type: shown.auth_type,
            cors: shown.cors,
            creation_time: shown.created,
            last_modified_time: shown.changed,
            invoke_mode,
        }
    };
    urls.iter().map(listed).collect()
}
