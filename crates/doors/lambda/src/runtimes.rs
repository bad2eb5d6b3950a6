//! AWS's runtimes: those that it takes for new code, those that it takes no more, and which of them run here.

use headwater_functions::Runtime;
use headwater_wire::ApiError;

use crate::errors::invalid_parameter;

/// The runtimes that AWS takes, in the order in which its error lists them (recorded in January 2026).
pub(crate) const TAKEN: &[&str] = &[
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// Runtimes of the model that came after that list was recorded.
const NEWER: &[&str] = &[
    "nodejs26.x",
    "python3.15",
    "ruby4.0",
    "java8.al2023",
    "java11.al2023",
    "java17.al2023",
    "custom",
];

/// Runtimes of the model that AWS has given up.
const GIVEN_UP: &[&str] = &[
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "java8",
    "python2.7",
    "python3.6",
    "python3.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "provided",
];

/// The runtimes that an error of ListLayers and ListLayerVersions lists, in its order (recorded in 2026).
pub(crate) const LISTED: &[&str] = &[
    "ruby3.5",
    "ruby2.6",
    "dotnetcore1.0",
    "python3.7",
    "nodejs8.10",
    "nasa",
    "ruby2.7",
    "python2.7-greengrass",
    "dotnetcore2.0",
    "python3.8",
    "java21",
    "dotnet6",
    "dotnetcore2.1",
    "python3.9",
    "java11",
    "nodejs6.10",
    "provided",
    "dotnetcore3.1",
    "dotnet8",
    "java25",
    "java17",
    "nodejs",
    "nodejs4.3",
    "java8.al2",
    "go1.x",
    "dotnet10",
    "nodejs20.x",
    "go1.9",
    "byol",
    "nodejs10.x",
    "provided.al2023",
    "nodejs22.x",
    "python3.10",
    "java8",
    "nodejs12.x",
    "python3.11",
    "nodejs24.x",
    "nodejs8.x",
    "python3.12",
    "nodejs14.x",
    "nodejs8.9",
    "nodejs26.x",
    "python3.13",
    "python3.14",
    "nodejs16.x",
    "python3.15",
    "provided.al2",
    "nodejs4.3-edge",
    "nodejs18.x",
    "ruby3.2",
    "python3.4",
    "ruby3.3",
    "ruby3.4",
    "ruby2.5",
    "python3.6",
    "python2.7",
];

/// Whether a layer may say that it is for this runtime.
pub(crate) fn is_known(name: &str) -> bool {
    [TAKEN, NEWER, GIVEN_UP, LISTED]
        .iter()
        .any(|list| list.contains(&name))
}

/// The runtime of that name, for new code.
pub(crate) fn runtime(name: &str) -> Result<Runtime, ApiError> {
    if GIVEN_UP.contains(&name) {
        return Err(invalid_parameter(format!(
            "The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if !TAKEN.contains(&name) && !NEWER.contains(&name) {
        return Err(invalid_parameter(format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
             valid ARN",
            TAKEN.join(", ")
        )));
    }
    let known = name.parse();
    known.map_err(|_| ApiError::not_supported(format!("the runtime {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_run_or_refused_in_awss_words() {
        let refused = |name: &str| {
            let error = runtime(name).unwrap_err();
            (error.code().to_owned(), error.message().to_owned())
        };
        for name in [
            "python3.8",
            "nodejs26.x",
            "provided.al2023",
            "java21",
            "ruby3.4",
        ] {
            assert_eq!(runtime(name).unwrap().as_str(), name);
        }
        for name in ["dotnet8", "custom"] {
            assert_eq!(refused(name).0, "NotImplemented", "{name}");
        }
        for name in ["provided", "python3.7", "go1.x", "nodejs14.x"] {
            let (code, text) = refused(name);
            let start = format!("The runtime parameter of {name} is no longer supported ");
            assert_eq!(code, "InvalidParameterValueException");
            assert!(text.starts_with(&start), "{text}");
        }
        for name in ["python", "PYTHON3.9", "python3.99", "java", "cobol"] {
            let (code, text) = refused(name);
            let start = format!(
                "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \
                 [nodejs20.x, python3.14, "
            );
            assert_eq!(code, "InvalidParameterValueException");
            assert!(text.starts_with(&start), "{text}");
            assert!(text.ends_with(", java8.al2] or be a valid ARN"), "{text}");
        }
    }
}
