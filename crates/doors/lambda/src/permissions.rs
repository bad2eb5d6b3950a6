//! Permissions: the statements of functions' policies as AWS writes them, and whether somebody may call.
//!
//! Owns what a statement may say and how it is asked for. The evaluation of policies is `iam`'s; policies are kept by the
//! domain, which does not read them. Callers of the server's own account need no permission; callers of others and
//! AWS's services, which call on somebody's behalf, need one for the very version or alias that they call.
//! (Sources: the Lambda developer guide, "Working with resource-based IAM policies"; statements as recorded on AWS.)

use headwater_auth::Caller;
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Part, Policy, Qualifier, Version};
use headwater_iam::{self as iam, Access, Decision, Keys};
use headwater_shapes_lambda::AddPermissionRequest;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};
use serde_json::{Map, Value, json};

use crate::{
    Lambda,
    errors::{self, invalid_parameter},
    target::{LATEST, Target},
};

/// Answers whether one of AWS's services, or somebody who comes through it, may call a function.
#[derive(Clone)]
pub struct Permissions {
    env: Env,
    functions: Functions,
}

/// A call of a function that needs a permission.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The action: `lambda:InvokeFunction`, `lambda:InvokeFunctionUrl`.
    pub action: &'static str,
    /// The ARN of what it is called for: a topic, a bucket, a rule.
    pub source_arn: Option<String>,
    /// The account of that.
    pub source_account: Option<String>,
    /// Further condition keys and their values, such as `lambda:FunctionUrlAuthType`.
    pub keys: Vec<(&'static str, String)>,
}

impl Asked {
    /// An invocation for a resource of an account.
    pub fn invoke(source_arn: impl Into<String>, source_account: impl Into<String>) -> Self {
        Self {
            action: "lambda:InvokeFunction",
            source_arn: Some(source_arn.into()),
            source_account: Some(source_account.into()),
            keys: Vec::new(),
        }
    }
}

impl Permissions {
    /// The permissions of these functions.
    pub fn new(env: Env, functions: Functions) -> Self {
        Self { env, functions }
    }

    /// Whether a service, such as `sns.amazonaws.com`, may make a call of a function, or of a version or alias of it.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn service_may(
        &self,
        service: &str,
        asked: &Asked,
        name: &FunctionName,
        qualifier: Option<&Qualifier>,
    ) -> Result<bool, Error> {
        self.may(&Caller::of_service(service), asked, name, qualifier)
            .await
    }

    /// Whether somebody may make a call. It is not asked whether they belong to the server's account: that is for the
    /// caller to know, for whom it matters.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn may(
        &self,
        caller: &Caller,
        asked: &Asked,
        name: &FunctionName,
        qualifier: Option<&Qualifier>,
    ) -> Result<bool, Error> {
        let part = part_of(name, qualifier);
        let Some(policy) = self.functions.policy(&part).await? else {
            return Ok(false);
        };
        // Statements are read at each call: that takes microseconds, and only where there are some.
        let Ok(policy) = iam::Policy::of_resource(&policy.document()) else {
            return Ok(false);
        };
        let resource = resource(&self.functions, &part);
        let keys = asked.condition_keys(&self.env);
        let request = iam::Request {
            caller,
            action: asked.action,
            resource: &resource,
            keys: &keys,
        };
        Ok(iam::evaluate([&policy], &request) == Decision::Allow)
    }
}

impl Asked {
    fn condition_keys(&self, env: &Env) -> Keys {
        let now = env.clock.now();
        let time = i64::try_from(now.0).ok();
        let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let known = [
            ("aws:SourceArn", self.source_arn.clone()),
            ("aws:SourceAccount", self.source_account.clone()),
            ("aws:CurrentTime", time.map(|time| time.to_string())),
            ("aws:EpochTime", Some(now.seconds().to_string())),
        ];
        let more = self
            .keys
            .iter()
            .map(|(key, value)| (*key, Some(value.clone())));
        known
            .into_iter()
            .chain(more)
            .filter_map(|(key, value)| Some((key, value?)))
            .fold(Keys::default(), |keys, (key, value)| keys.with(key, value))
    }
}

/// The part of a function whose policy counts: the latest version has none beside the function's.
fn part_of(name: &FunctionName, qualifier: Option<&Qualifier>) -> Part {
    let latest = Qualifier::Version(Version::Latest);
    Part {
        name: name.clone(),
        qualifier: qualifier.filter(|asked| **asked != latest).cloned(),
    }
}

fn resource(functions: &Functions, part: &Part) -> String {
    let arn = functions.options().function_arn(&part.name);
    match &part.qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn.to_string(),
    }
}

impl Lambda {
    /// Whether the caller may do what they call with a function. Those of the server's account may; all others only what
    /// the policy allows them, whether the function is there or not.
    pub(crate) async fn permit(&self, target: &Target, context: &Context) -> Result<(), ApiError> {
        if !context.is_foreign() {
            return Ok(());
        }
        if !target.names_account {
            let (options, account) = (self.functions.options(), &context.caller.account);
            let resource = format!("function:{}", target.name);
            let theirs = Arn::new("lambda", &options.region, account, resource);
            return Err(errors::no_function(theirs));
        }
        let version = target.version()?;
        let part = part_of(&target.name, version.as_ref());
        let policy = self.functions.policy(&part).await.map_err(errors::other)?;
        let read = policy.map(|policy| iam::Policy::of_resource(&policy.document()));
        let policy = read.transpose().map_err(ApiError::internal)?;
        let access = Access {
            context,
            action: &context.action(),
            resource: &resource(&self.functions, &part),
            now: self.env.clock.now(),
        };
        let checked = access.check(policy.as_ref());
        checked.map_err(|denied| {
            let text = denied.to_string();
            ApiError::new(403, "AccessDeniedException", text.clone()).with("Message", text)
        })
    }

    /// The part of a function whose policy is asked for.
    pub(crate) fn part_to_read(&self, target: &Target) -> Result<Part, ApiError> {
        Ok(part_of(&target.name, target.version()?.as_ref()))
    }

    /// The part of a function that a permission is to be for.
    pub(crate) fn part(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<(Target, Part), ApiError> {
        let target = Target::parse(name, qualifier, self.functions.options())?;
        if target.qualifier.as_deref() == Some(LATEST) {
            return Err(invalid_parameter(
                "We currently do not support adding policies for $LATEST.",
            ));
        }
        let part = Part {
            name: target.name.clone(),
            qualifier: target.version()?,
        };
        Ok((target, part))
    }
}

/// The statement that a request asks for, as AWS writes it.
pub(crate) fn statement(
    input: AddPermissionRequest,
    functions: &Functions,
    part: &Part,
) -> Result<String, ApiError> {
    let AddPermissionRequest {
        statement_id,
        action,
        principal,
        source_arn,
        function_url_auth_type,
        invoked_via_function_url,
        source_account,
        event_source_token,
        principal_org_id,
        // The operation reads them itself.
        function_name: _,
        qualifier: _,
        revision_id: _,
    } = input;
    if function_url_auth_type.is_some() && action != "lambda:InvokeFunctionUrl" {
        return Err(invalid_parameter(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
        ));
    }
    if invoked_via_function_url.is_some() && action != "lambda:InvokeFunction" {
        return Err(invalid_parameter(
            "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action",
        ));
    }
    let equals = [
        ("AWS:SourceAccount", source_account),
        ("lambda:FunctionUrlAuthType", function_url_auth_type),
        ("lambda:EventSourceToken", event_source_token),
        ("aws:PrincipalOrgID", principal_org_id),
    ];
    let equals = equals
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(value?))));
    let invoked = invoked_via_function_url.map(|invoked| invoked.to_string());
    let conditions = [
        ("StringEquals", equals.collect()),
        ("ArnLike", one("AWS:SourceArn", source_arn)),
        ("Bool", one("lambda:InvokedViaFunctionUrl", invoked)),
    ];
    let conditions: Vec<_> = conditions
        .into_iter()
        .filter(|(_, keys): &(_, Map<_, _>)| !keys.is_empty())
        .collect();
    let mut text = format!(
        r#"{{"Sid":{},"Effect":"Allow","Principal":{},"Action":{},"Resource":{}"#,
        json!(statement_id),
        self::principal(&principal)?,
        json!(action),
        json!(resource(functions, part)),
    );
    if !conditions.is_empty() {
        let conditions = conditions
            .into_iter()
            .map(|(operator, keys)| format!("{}:{}", json!(operator), Value::Object(keys)));
        let conditions: Vec<String> = conditions.collect();
        text += &format!(r#","Condition":{{{}}}"#, conditions.join(","));
    }
    text.push('}');
    // Whatever is kept is read at calls: what could not be is refused here.
    let document = Policy {
        revision: String::new(),
        statements: vec![headwater_functions::Statement {
            id: statement_id,
            text: text.clone(),
        }],
    };
    iam::Policy::of_resource(&document.document()).map_err(|_| invalid_principal())?;
    Ok(text)
}

fn one(key: &str, value: Option<String>) -> Map<String, Value> {
    let pair = value.map(|value| (key.to_owned(), json!(value)));
    pair.into_iter().collect()
}

/// A principal as statements have it: everybody, a service, or an account, user or role.
fn principal(given: &str) -> Result<Value, ApiError> {
    let is_account = given.len() == 12 && given.bytes().all(|byte| byte.is_ascii_digit());
    let is_service = [".amazonaws.com", ".amazon.com"]
        .iter()
        .any(|end| given.strip_suffix(end).is_some_and(is_service_name));
    match given {
        "*" => Ok(json!("*")),
        _ if is_account => Ok(json!({ "AWS": format!("arn:aws:iam::{given}:root") })),
        _ if is_service => Ok(json!({ "Service": given })),
        _ if given.starts_with("arn:") => Ok(json!({ "AWS": given })),
        _ => Err(invalid_principal()),
    }
}

fn is_service_name(name: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

fn invalid_principal() -> ApiError {
    invalid_parameter(
        "The provided principal was invalid. Please check the principal and try again.",
    )
}

/// A domain error about the policy of a part in AWS's words.
pub(crate) fn api(error: Error, target: &Target) -> ApiError {
    match error {
        Error::NoAlias(_) => errors::no_alias(target.qualified_arn()),
        other => errors::api(other, target.qualified_arn()),
    }
}
