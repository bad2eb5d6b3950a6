//! The `__type` of errors in AWS JSON and CBOR: the plain type for most services, for some behind the namespace of what
//! raises it on AWS. DynamoDB's are as the tests of dynalite and of Alternator recorded them, CloudWatch's as LocalStack's.

use std::borrow::Cow;

use headwater_shapes::Service;

use crate::dynamo;

/// The services that name namespaces, by the names that they are signed for, with the namespace of their own errors.
const NAMESPACES: &[(&str, &str)] = &[
    ("dynamodb", dynamo::OWN),
    ("monitoring", "com.amazonaws.cloudwatch.v2010_08_01"),
];

/// The `__type` of an error with this code; without a service it is nobody's.
pub(crate) fn error_type<'a>(code: &'a str, service: Option<&Service>) -> Cow<'a, str> {
    let Some(service) = service else {
        return code.into();
    };
    let mut named = NAMESPACES.iter();
    let Some((_, own)) = named.find(|(name, _)| *name == service.signing_name) else {
        return code.into();
    };
    let is_own = || {
        let mut errors = service.operations.iter().flat_map(|op| op.errors);
        errors.any(|error| error.name == code)
    };
    let namespace = match code {
        "ValidationException" => "com.amazon.coral.validate",
        "ThrottlingException" => "com.amazon.coral.availability",
        _ if is_own() => own,
        _ => "com.amazon.coral.service",
    };
    format!("{namespace}#{code}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_namespace_of_what_raises_them() {
        let dynamodb = &headwater_shapes_dynamodb::SERVICE;
        let cloudwatch = &headwater_shapes_cloudwatch::SERVICE;
        for (service, code, name) in [
            (
                dynamodb,
                "ResourceNotFoundException",
                "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            ),
            (
                dynamodb,
                "ValidationException",
                "com.amazon.coral.validate#ValidationException",
            ),
            (
                dynamodb,
                "ThrottlingException",
                "com.amazon.coral.availability#ThrottlingException",
            ),
            (
                dynamodb,
                "UnrecognizedClientException",
                "com.amazon.coral.service#UnrecognizedClientException",
            ),
            (
                cloudwatch,
                "ResourceNotFound",
                "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound",
            ),
            (
                cloudwatch,
                "ValidationException",
                "com.amazon.coral.validate#ValidationException",
            ),
        ] {
            assert_eq!(error_type(code, Some(service)), name);
        }
        let kinesis = &headwater_shapes_kinesis::SERVICE;
        for service in [None, Some(kinesis)] {
            assert_eq!(
                error_type("ValidationException", service),
                "ValidationException"
            );
        }
    }
}
