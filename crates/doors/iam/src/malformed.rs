//! Why a text is no policy.

/// The reason why a document is no policy; the text says where, for its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is not JSON, or has other elements than a policy.
    #[error("the document is not a policy in JSON: {0}")]
    Json(String),
    /// Not a version of the language.
    #[error("Version must be 2012-10-17 or 2008-10-17, not {0:?}")]
    Version(String),
    /// A policy without statements, or an element without values.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// A statement must have one of two elements, and has none or both.
    #[error("a statement must have {0} or Not{0}, and not both")]
    OneOf(&'static str),
    /// Neither allowed nor denied.
    #[error("Effect must be Allow or Deny, not {0:?}")]
    Effect(String),
    /// Not somebody who could call.
    #[error(
        "the principal {0:?} is neither an account nor the ARN of an account's root, user or role"
    )]
    Principal(String),
    /// Principals of a kind that there is not.
    #[error("principals are AWS, Service, Federated or CanonicalUser, not {0:?}")]
    PrincipalKind(String),
    /// Not the name of an action.
    #[error("the action {0:?} is not of the form service:Action")]
    Action(String),
    /// Not the name of a resource.
    #[error("the resource {0:?} is neither an ARN nor *")]
    Resource(String),
    /// A variable that does not end, or has no name.
    #[error("the variable in {0:?} is not of the form ${{key}} or ${{key, 'default'}}")]
    Variable(String),
    /// A condition operator that there is not.
    #[error("the condition operator {0:?} is not known")]
    Operator(String),
    /// A condition that compares with something that its operator cannot compare with.
    #[error("{operator} cannot compare with {value:?}")]
    Value {
        /// The operator.
        operator: String,
        /// The value.
        value: String,
    },
}
