//! Tables by their names and ARNs, and who may do what with them.

use headwater_iam::{Access, Policy};
use headwater_tables::{Error, TableRecord};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};

use crate::{
    Dynamo,
    errors::{api, constraint, denied, invalid, no_table, not_found, validation},
};

/// The characters of a name, as AWS writes them.
const PATTERN: &str = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
/// The longest name, in characters.
const NAME_MAX: usize = 255;
/// The shortest.
pub(crate) const NAME_MIN: usize = 3;

/// What AWS says of a name that is too short or too long, where a table is looked at or changed.
pub(crate) const NAME_LENGTH: &str =
    "TableName must be at least 3 characters long and at most 255 characters long";

/// The ARN of a table.
pub fn arn(table: &str, context: &Context) -> String {
    format!("{}table/{table}", prefix(context))
}

/// The ARN of a table's stream with this label.
pub fn stream_arn(table: &str, label: &str, context: &Context) -> String {
    format!("{}/stream/{label}", arn(table, context))
}

/// The ARN of an index.
pub(crate) fn index_arn(table: &str, index: &str, context: &Context) -> String {
    format!("{}/index/{index}", arn(table, context))
}

/// The time when a stream was enabled as the label that it is known by.
pub(crate) fn label(enabled: Millis) -> String {
    let enabled = i64::try_from(enabled.0).unwrap_or(i64::MAX);
    let enabled = jiff::Timestamp::from_millisecond(enabled).unwrap_or(jiff::Timestamp::MAX);
    enabled.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string()
}

/// What all ARNs of a region of an account begin with.
fn prefix(context: &Context) -> String {
    let (region, account) = (&context.region.0, &context.account.0);
    format!("arn:aws:dynamodb:{region}:{account}:")
}

/// Whether a table can be made under this name. AWS's words for one that is too short or too long are others where a table
/// is made than everywhere else.
pub(crate) fn check_new_name(name: &str) -> Result<(), ApiError> {
    let mut broken = Vec::new();
    if !is_of_pattern(name) {
        broken.push(PATTERN);
    }
    if name.len() < NAME_MIN {
        broken.push("Member must have length greater than or equal to 3");
    }
    if name.len() > NAME_MAX {
        broken.push("Member must have length less than or equal to 255");
    }
    let texts: Vec<String> = broken
        .iter()
        .map(|text| format!("Value '{name}' at 'tableName' failed to satisfy constraint: {text}"))
        .collect();
    match texts.len() {
        0 => Ok(()),
        1 => Err(validation(format!(
            "1 validation error detected: {}",
            texts.concat()
        ))),
        count => Err(validation(format!(
            "{count} validation errors detected: {}",
            texts.join("; ")
        ))),
    }
}

fn is_of_pattern(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !name.is_empty() && name.chars().all(is_allowed)
}

/// The name that a request gives for a table, by itself or within an ARN; `managed` where it is about the table rather
/// than what is in it.
pub(crate) fn name_of(named: &str, managed: bool, context: &Context) -> Result<String, ApiError> {
    if named.starts_with("arn:") {
        return name_of_arn(named, context);
    }
    if managed && !(NAME_MIN..=NAME_MAX).contains(&named.len()) {
        return Err(validation(NAME_LENGTH));
    }
    if !is_of_pattern(named) {
        return Err(constraint("tableName", named, PATTERN));
    }
    if named.len() > NAME_MAX {
        let text = "Member must have length less than or equal to 255";
        return Err(constraint("tableName", named, text));
    }
    Ok(named.to_owned())
}

/// The name within an ARN that stands for a table's name.
fn name_of_arn(arn: &str, context: &Context) -> Result<String, ApiError> {
    let wrong = |what: &str| {
        validation(format!(
            "1 validation error detected: Invalid {what} in '{arn}'"
        ))
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &[_, partition, _, region, account, resource] = &parts[..] else {
        return Err(wrong("ARN format"));
    };
    if partition != "aws" {
        return Err(wrong("AWS partition"));
    }
    if region != context.region.0 {
        return Err(wrong("AWS region"));
    }
    let name = resource
        .strip_prefix("table/")
        .filter(|name| is_of_pattern(name));
    let name = name.ok_or_else(|| wrong("resource type"))?;
    match account == context.account.0 {
        true => Ok(name.to_owned()),
        false => Err(no_table(name)),
    }
}

/// The name of the table that a `ResourceArn` of tags and policies names.
pub(crate) fn name_of_resource<'a>(arn: &'a str, context: &Context) -> Result<&'a str, ApiError> {
    if !arn.starts_with("arn:") {
        return Err(invalid(format_args!("ARNs must start with 'arn:': {arn}")));
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &[_, partition, "dynamodb", region, account, resource] = &parts[..] else {
        let why = format_args!("Provided Arn is not a DynamoDB resource arn: {arn}");
        return Err(invalid(why));
    };
    let name = resource.strip_prefix("table/").unwrap_or_default();
    if name.contains("/stream/") {
        return Err(ApiError::not_supported("tags and policies of streams"));
    }
    if !is_of_pattern(name) {
        return Err(invalid(format_args!(
            "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
        )));
    }
    if partition != "aws" || region != context.region.0 || name.len() < NAME_MIN {
        return Err(validation(format!(
            "Invalid TableArn: Invalid ResourceArn provided as input {arn}"
        )));
    }
    match account == context.account.0 {
        true => Ok(name),
        false => Err(denied(format!(
            "User: {} is not authorized to perform: {} on resource: {arn}",
            context.caller.arn,
            context.action()
        ))),
    }
}

/// A change that was refused by the door, or below it.
enum Refused {
    Here(ApiError),
    Below(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Below(error)
    }
}

impl Dynamo {
    /// The table that a request about tables names, if the caller may do with it what they call.
    pub(crate) fn table(&self, named: &str, context: &Context) -> Result<TableRecord, ApiError> {
        let name = name_of(named, true, context)?;
        self.permitted(&name, is_shown(named, context), context)?
            .ok_or_else(|| no_table(&name))
    }

    /// The table that a `ResourceArn` names, if the caller may do with it what they call. The word in its text is AWS's.
    pub(crate) fn resource(&self, arn: &str, context: &Context) -> Result<TableRecord, ApiError> {
        let name = name_of_resource(arn, context)?;
        self.permitted(name, true, context)?
            .ok_or_else(|| not_found(format_args!("ResourcArn: {arn} not found")))
    }

    /// The table of this name, if the caller may do with it what they call; to those of other accounts one that is not
    /// there is one that nobody shares with them.
    pub(crate) fn permitted(
        &self,
        name: &str,
        is_shown: bool,
        context: &Context,
    ) -> Result<Option<TableRecord>, ApiError> {
        let found = match is_shown {
            true => self.tables.get(name).ok(),
            false => None,
        };
        let text = found.as_ref().and_then(|table| table.policy.as_ref());
        if text.is_none() && !context.is_foreign() {
            return Ok(found);
        }
        // A text that is no policy was never stored; should one be, it allows nobody anything.
        let policy = text.and_then(|(text, _)| Policy::of_resource(text).ok());
        let (action, resource) = (context.action(), arn(name, context));
        let access = Access {
            context,
            action: &action,
            resource: &resource,
            now: self.clock.now(),
        };
        let checked = access.check(policy.as_ref());
        checked.map_err(|error| denied(error.to_string()))?;
        Ok(found)
    }

    /// Changes a table. The change is made to the newest record, and may be made again.
    pub(crate) async fn alter(
        &self,
        name: &str,
        change: impl Fn(&mut TableRecord) -> Result<(), ApiError> + Send + Sync,
    ) -> Result<TableRecord, ApiError> {
        let change = |table: &mut TableRecord| change(table).map_err(Refused::Here);
        match self.tables.change(name, change).await {
            Ok(table) => Ok(table),
            Err(Refused::Here(error)) => Err(error),
            Err(Refused::Below(error)) => Err(api(error)),
        }
    }
}

/// Whether a caller can mean a table of this account: those of others name it by its ARN, for a name alone is one of their
/// own account.
pub(crate) fn is_shown(named: &str, context: &Context) -> bool {
    !context.is_foreign() || named.starts_with("arn:")
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    fn context() -> Context {
        let region = Region("eu-west-1".into());
        Context::new("r", region, Account("123456789012".into()), "localhost")
    }

    #[test]
    fn tables_are_named_or_have_arns() {
        let named = |named: &str| name_of(named, true, &context());
        assert_eq!(named("abc").as_deref(), Ok("abc"));
        let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/abc";
        assert_eq!(named(arn).as_deref(), Ok("abc"));
        assert_eq!(super::arn("abc", &context()), arn);
        assert_eq!(name_of("a", false, &context()).as_deref(), Ok("a"));
        let long = "a".repeat(256);
        let length = "TableName must be at least 3 characters long and at most 255 characters long";
        let in_other = arn.replace("eu-west-1", "us-east-1");
        for (given, text) in [
            ("", length.to_owned()),
            ("a;", length.to_owned()),
            (&long, length.to_owned()),
            (
                "abc;",
                "1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
                    .to_owned(),
            ),
            (
                &in_other,
                format!("1 validation error detected: Invalid AWS region in '{in_other}'"),
            ),
        ] {
            assert_eq!(named(given).unwrap_err().message(), text, "{given}");
        }
    }

    #[test]
    fn a_new_name_is_told_all_that_is_wrong_with_it() {
        assert!(check_new_name("a.B").is_ok());
        assert_eq!(
            check_new_name(";").unwrap_err().message(),
            "2 validation errors detected: Value ';' at 'tableName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9_.-]+; Value ';' at 'tableName' failed to satisfy constraint: Member \
             must have length greater than or equal to 3"
        );
    }

    #[test]
    fn resources_are_tables() {
        let resource = |arn: &str| {
            name_of_resource(arn, &context())
                .map(str::to_owned)
                .map_err(|error| error.message().to_owned())
        };
        let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/abc";
        assert_eq!(resource(arn).as_deref(), Ok("abc"));
        let prefix = "One or more parameter values were invalid:";
        for (given, text) in [
            (
                "abc".to_owned(),
                format!("{prefix} ARNs must start with 'arn:': abc"),
            ),
            (
                "arn:aws:s3:::b".to_owned(),
                format!("{prefix} Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::b"),
            ),
            (
                arn.replace("abc", "ab"),
                "Invalid TableArn: Invalid ResourceArn provided as input \
                 arn:aws:dynamodb:eu-west-1:123456789012:table/ab"
                    .to_owned(),
            ),
            (
                format!("{arn}/index/i"),
                format!(
                    "{prefix} Invalid resource arn provided, only table or stream is accepted. Provided resource arn: \
                     {arn}/index/i"
                ),
            ),
        ] {
            assert_eq!(resource(&given), Err(text));
        }
    }

    #[test]
    fn a_label_is_a_time_with_milliseconds() {
        assert_eq!(label(Millis(1_700_000_000_007)), "2023-11-14T22:13:20.007");
    }
}
