//! Which function a request means: a name, a partial or a whole ARN, with or without a qualifier.

use headwater_functions::{FunctionName, Options, Qualifier};
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::errors::{invalid_parameter, no_function, not_found};

/// A function, and the version of it that was asked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub name: FunctionName,
    /// The version or alias that stood behind the name or in `Qualifier`.
    pub qualifier: Option<String>,
    /// The function's ARN, without the qualifier.
    pub arn: Arn,
    /// Whether the account was named: to callers of others, a name alone means a function of their own.
    pub names_account: bool,
}

/// The version that changes.
pub(crate) const LATEST: &str = "$LATEST";

/// The characters of a function's name, whatever stands around it (AWS's bound).
const NAME_CHARS: usize = 64;

/// The parts of a reference, as far as it has them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

impl Target {
    /// The function that `text` and `qualifier` mean on a server with these options.
    pub fn parse(text: &str, qualifier: Option<&str>, options: &Options) -> Result<Self, ApiError> {
        let parts = split(text);
        if let Some(region) = parts.region.filter(|region| *region != options.region.0) {
            let here = &options.region.0;
            return Err(not_found(format!(
                "Functions from '{region}' are not reachable in this region ('{here}')"
            )));
        }
        if parts
            .account
            .is_some_and(|account| account != options.account.0)
        {
            return Err(ApiError::new(
                403,
                "AccessDeniedException",
                "The function belongs to another account.",
            )
            // As recorded on AWS, the answer has no text.
            .with("Message", serde_json::Value::Null));
        }
        if let (Some(derived), Some(given)) = (parts.qualifier, qualifier)
            && derived != given
        {
            return Err(invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        let qualifier = parts.qualifier.or(qualifier).map(str::to_owned);
        // The model refuses what is no name at all; what is too long for one, no function has.
        let Ok(name) = parts.name.parse::<FunctionName>() else {
            let resource = format!("function:{}", parts.name);
            let arn = Arn::new("lambda", &options.region, &options.account, resource);
            return Err(no_function(qualified(&arn, &qualifier)));
        };
        Ok(Self {
            arn: options.function_arn(&name),
            name,
            qualifier,
            names_account: parts.account.is_some(),
        })
    }

    /// The function that is to be made.
    pub fn new_function(text: &str, options: &Options) -> Result<Self, ApiError> {
        let name = split(text).name;
        if name.len() > NAME_CHARS {
            let rule = format!("Member must have length less than or equal to {NAME_CHARS}");
            return Err(invalid_parameter(format!(
                "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: {rule}"
            )));
        }
        Self::whole(text, options)
    }

    /// The same, for an operation on the whole function, which may be named with `$LATEST`.
    pub fn whole(text: &str, options: &Options) -> Result<Self, ApiError> {
        let target = Self::parse(text, None, options)?;
        match &target.qualifier {
            Some(version) if version != LATEST => Err(no_function(target.qualified_arn())),
            _ => Ok(target),
        }
    }

    /// The same, for an invocation: of what no function can be named, the latest version is missing.
    pub fn invoked(
        text: &str,
        qualifier: Option<&str>,
        options: &Options,
    ) -> Result<Self, ApiError> {
        let named = qualifier.or(split(text).qualifier);
        let target = Self::parse(text, named.or(Some(LATEST)), options)?;
        Ok(Self {
            qualifier: named.map(str::to_owned),
            ..target
        })
    }

    /// The version that was asked for by name, if any. What is no version's name, none has.
    pub fn version(&self) -> Result<Option<Qualifier>, ApiError> {
        let parsed = self.qualifier.as_ref().map(|text| text.parse());
        let parsed = parsed.transpose();
        parsed.map_err(|_| no_function(self.qualified_arn()))
    }

    /// The ARN with the qualifier that was asked for.
    pub fn qualified_arn(&self) -> String {
        qualified(&self.arn, &self.qualifier)
    }
}

fn qualified(arn: &Arn, qualifier: &Option<String>) -> String {
    match qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn.to_string(),
    }
}

/// `[arn:partition:lambda:][region:][account:][function:]name[:qualifier]`; whether each part is what its place wants
/// is checked later.
fn split(text: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest: Vec<&str> = text.split(':').collect();
    if rest.len() >= 3 && rest[0] == "arn" {
        rest.drain(..3);
    }
    if rest.len() > 1 && is_region(rest[0]) {
        parts.region = Some(rest.remove(0));
    }
    if rest.len() > 1 && is_account(rest[0]) {
        parts.account = Some(rest.remove(0));
    }
    if rest.len() > 1 && rest[0] == "function" {
        rest.remove(0);
    }
    parts.name = rest[0];
    parts.qualifier = rest.get(1).copied();
    parts
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [names @ .., number] if names.len() >= 2 => {
            names.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};
    use proptest::prelude::*;

    use super::*;

    fn options() -> Options {
        Options::new(
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "",
        )
    }

    fn parse(text: &str) -> Result<Target, ApiError> {
        Target::parse(text, None, &options())
    }

    #[test]
    fn a_function_is_named_in_many_ways() {
        for text in [
            "f",
            "function:f",
            "000000000000:f",
            "000000000000:function:f",
            "us-east-1:000000000000:function:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        ] {
            let target = parse(text).unwrap();
            assert_eq!(
                (target.name.as_str(), target.qualifier),
                ("f", None),
                "{text}"
            );
            let target = parse(&format!("{text}:$LATEST")).unwrap();
            assert_eq!(
                target.qualified_arn(),
                "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
                "{text}"
            );
        }
        assert_eq!(parse("function").unwrap().name.as_str(), "function");
    }

    #[test]
    fn what_is_elsewhere_or_nowhere_has_awss_error() {
        let refused = |result: Result<Target, ApiError>| {
            let error = result.unwrap_err();
            (
                error.status(),
                error.code().to_owned(),
                error.message().to_owned(),
            )
        };
        let elsewhere = refused(parse("arn:aws:lambda:eu-west-1:000000000000:function:f"));
        let text = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')";
        assert_eq!(
            elsewhere,
            (404, "ResourceNotFoundException".into(), text.into())
        );
        assert_eq!(refused(parse("111111111111:f")).1, "AccessDeniedException");
        let long = "a".repeat(65);
        let text = format!("arn:aws:lambda:us-east-1:000000000000:function:{long}");
        assert_eq!(
            refused(parse(&long)).2,
            format!("Function not found: {text}")
        );
        let new = refused(Target::new_function(&text, &options()));
        assert_eq!(new.1, "InvalidParameterValueException");
        assert!(new.2.ends_with("less than or equal to 64"), "{}", new.2);
        let mismatch = Target::parse("f:$LATEST", Some("1"), &options());
        assert_eq!(refused(mismatch).1, "InvalidParameterValueException");
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:7";
        assert_eq!(refused(Target::whole("f:7", &options())).2, text);
        let odd = Target::parse("f", Some("$latest"), &options()).unwrap();
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$latest";
        assert_eq!(odd.version().unwrap_err().message(), text);
    }

    proptest! {
        #[test]
        fn any_text_is_a_target_or_an_error(text in "\\PC{0,40}", parts in "[a-z0-9:$-]{0,60}") {
            drop(parse(&text));
            drop(parse(&parts));
        }
    }
}
