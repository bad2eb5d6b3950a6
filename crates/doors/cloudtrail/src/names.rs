//! Names and ARNs of trails. (Source: CloudTrail user guide, "Naming requirements for CloudTrail resources".)

use headwater_shapes_cloudtrail::errors as shapes;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

/// The ARN of a trail.
pub(crate) fn arn(name: &str, context: &Context) -> String {
    let (region, account) = (&context.region.0, &context.account.0);
    format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}")
}

/// The name of a trail that is given by its name or its ARN.
pub(crate) fn name(text: &str, context: &Context) -> Result<String, ApiError> {
    if !text.starts_with("arn:") {
        return checked(text);
    }
    let found: Option<Arn> = text.parse().ok();
    let found = found.filter(|arn| arn.service == "cloudtrail");
    let name = found.as_ref().and_then(|arn| arn.name_of("trail"));
    let (Some(found), Some(name)) = (&found, name) else {
        return Err(bad_arn(text));
    };
    match found.region == context.region.0 && found.account == context.account.0 {
        true => checked(name),
        false => Err(crate::errors::no_trail(text)),
    }
}

/// The name of a trail that is given by its ARN, as tags want it.
pub(crate) fn name_of_arn(text: &str, context: &Context) -> Result<String, ApiError> {
    match text.starts_with("arn:") {
        true => name(text, context),
        false => Err(bad_arn(text)),
    }
}

fn bad_arn(text: &str) -> ApiError {
    ApiError::of(
        &shapes::CLOUD_TRAIL_ARN_INVALID_EXCEPTION,
        format!("Invalid trail ARN: {text}"),
    )
}

/// A name that a trail may have.
pub(crate) fn checked(name: &str) -> Result<String, ApiError> {
    let wrong = |text: &str| Err(ApiError::of(&shapes::INVALID_TRAIL_NAME_EXCEPTION, text));
    let is_inner = |c: char| "._-".contains(c);
    let mut between = name.chars().zip(name.chars().skip(1));
    if name.chars().count() < 3 {
        return wrong(
            "Trail name too short. Minimum allowed length: 3 characters. Specified name length: too short characters.",
        );
    }
    if name.chars().count() > 128 {
        return wrong("Trail name too long. Maximum allowed length: 128 characters.");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return wrong("Trail name must starts with a letter or number.");
    }
    if !name.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return wrong("Trail name must ends with a letter or number.");
    }
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || is_inner(c))
    {
        return wrong(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
        );
    }
    if between.any(|(one, next)| is_inner(one) && is_inner(next)) {
        return wrong("Trail name cannot have adjacent periods, underscores or dashes.");
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    #[test]
    fn a_trail_is_named_by_its_name_or_its_arn() {
        let context = Context::new("", Region("r-1".to_owned()), Account("1".repeat(12)), "h");
        let arn = arn("my-trail", &context);
        assert_eq!(arn, "arn:aws:cloudtrail:r-1:111111111111:trail/my-trail");
        for text in ["my-trail", &arn] {
            assert_eq!(name(text, &context).as_deref(), Ok("my-trail"));
        }
        assert!(name_of_arn("my-trail", &context).is_err());
        for (wrong, code) in [
            ("ab", "InvalidTrailNameException"),
            ("-ab", "InvalidTrailNameException"),
            ("ab-", "InvalidTrailNameException"),
            ("a--b", "InvalidTrailNameException"),
            ("a b", "InvalidTrailNameException"),
            ("arn:aws:s3:::b", "CloudTrailARNInvalidException"),
            (
                "arn:aws:cloudtrail:r-2:111111111111:trail/my-trail",
                "TrailNotFoundException",
            ),
        ] {
            assert_eq!(name(wrong, &context).unwrap_err().code(), code, "{wrong}");
        }
    }
}
