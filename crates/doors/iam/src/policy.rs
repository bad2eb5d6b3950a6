//! A policy document, understood.

use crate::{
    Condition, Malformed, Pattern, Principal, condition,
    pattern::Reading,
    principal,
    raw::{RawPolicy, RawStatement, Statements, Texts},
};

/// A policy: what it allows and denies.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its statements; their order does not matter.
    pub statements: Vec<Statement>,
}

/// A statement: its principals are allowed, or denied, its actions on its resources where all conditions hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its name within the policy.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// The principals that it covers.
    pub principals: Listed<Principal>,
    /// The actions that it covers.
    pub actions: Listed<Action>,
    /// The resources that it covers.
    pub resources: Listed<Pattern>,
    /// The conditions under which it holds.
    pub conditions: Vec<Condition>,
}

/// The effect of a statement on the requests that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It may be done.
    Allow,
    /// It may not be done, even where another statement allows it.
    Deny,
}

/// The values that an element covers: those that it lists, or all but those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed<T> {
    /// `Principal`, `Action`, `Resource`.
    Only(Vec<T>),
    /// `NotPrincipal`, `NotAction`, `NotResource`.
    AllBut(Vec<T>),
}

impl<T> Listed<T> {
    /// Whether something is covered; `is` tells whether it is a given one of the list.
    pub(crate) fn covers(&self, is: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Only(listed) => listed.iter().any(is),
            Self::AllBut(listed) => !listed.iter().any(is),
        }
    }
}

/// An action, such as `kinesis:PutRecord`, with `*` and `?` as wildcards; upper and lower case are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    text: String,
    pattern: Pattern,
}

impl Action {
    fn read(text: String) -> Result<Self, Malformed> {
        let reading = Reading {
            wildcards: true,
            variables: false,
        };
        let of_service = text
            .split_once(':')
            .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
        if text != "*" && !of_service {
            return Err(Malformed::Action(text));
        }
        let pattern = Pattern::read(&text, reading)?;
        Ok(Self { text, pattern })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is(&self, action: &str) -> bool {
        self.pattern.matches_any_case(action, &Default::default())
    }
}

impl Policy {
    /// Reads the policy of a resource, whose statements say whom they cover.
    ///
    /// # Errors
    /// When the text is no policy of a resource.
    pub fn of_resource(text: &str) -> Result<Self, Malformed> {
        let raw: RawPolicy =
            serde_json::from_str(text).map_err(|e| Malformed::Json(e.to_string()))?;
        let variables = match raw.version.as_deref() {
            Some("2012-10-17") => true,
            Some("2008-10-17") | None => false,
            Some(other) => return Err(Malformed::Version(other.to_owned())),
        };
        let Statements(statements) = raw.statement;
        if statements.is_empty() {
            return Err(Malformed::Empty("Statement"));
        }
        let statements = statements.into_iter().map(|raw| statement(raw, variables));
        Ok(Self {
            statements: statements.collect::<Result<_, _>>()?,
        })
    }
}

fn statement(raw: RawStatement, variables: bool) -> Result<Statement, Malformed> {
    let resource = |text: String| {
        if text != "*" && !text.starts_with("arn:") {
            return Err(Malformed::Resource(text));
        }
        Pattern::read(
            &text,
            Reading {
                wildcards: true,
                variables,
            },
        )
    };
    Ok(Statement {
        sid: raw.sid,
        effect: match raw.effect.as_str() {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return Err(Malformed::Effect(raw.effect)),
        },
        principals: principal::read(raw.principal, raw.not_principal)?,
        actions: listed("Action", raw.action, raw.not_action, Action::read)?,
        resources: listed("Resource", raw.resource, raw.not_resource, resource)?,
        conditions: condition::read(raw.condition, variables)?,
    })
}

fn listed<T>(
    element: &'static str,
    only: Option<Texts>,
    all_but: Option<Texts>,
    read: impl Fn(String) -> Result<T, Malformed>,
) -> Result<Listed<T>, Malformed> {
    let all = |Texts(texts): Texts| match texts.is_empty() {
        true => Err(Malformed::Empty(element)),
        false => texts.into_iter().map(&read).collect::<Result<Vec<T>, _>>(),
    };
    match (only, all_but) {
        (Some(only), None) => all(only).map(Listed::Only),
        (None, Some(all_but)) => all(all_but).map(Listed::AllBut),
        _ => Err(Malformed::OneOf(element)),
    }
}
