//! Rules of composite alarms: read, bounded, and evaluated over the states of others.
//!
//! `ALARM(x)`, `OK(x)` and `INSUFFICIENT_DATA(x)` ask for the state of an alarm by its name or ARN, in quotation marks if
//! need be; `TRUE` and `FALSE` are what they say; `NOT` binds more strongly than `AND`, and `AND` than `OR`.

use std::collections::BTreeSet;

use crate::{State, limits};

/// A rule that is well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Constant(bool),
    Is(State, String),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It has more bytes than a rule may have.
    #[error("it has more than {} bytes", limits::RULE_BYTES_MAX)]
    TooLong,
    /// Its parts stand too deep within each other.
    #[error(
        "its parts stand more than {} deep within each other",
        limits::RULE_DEPTH_MAX
    )]
    TooDeep,
    /// It names too many alarms.
    #[error("it names more than {} alarms", limits::CHILDREN_MAX)]
    TooMany,
    /// It is not written as a rule is.
    #[error("at character {at}: {what}")]
    Syntax {
        /// Where, counted from 1.
        at: usize,
        /// The fault there.
        what: &'static str,
    },
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > limits::RULE_BYTES_MAX {
            return Err(RuleError::TooLong);
        }
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        let node = parser.any()?;
        parser.skip();
        if parser.at < text.len() {
            return Err(parser.fault("AND, OR or the end should stand here"));
        }
        let rule = Self(node);
        match rule.alarms().len() > limits::CHILDREN_MAX {
            true => Err(RuleError::TooMany),
            false => Ok(rule),
        }
    }

    /// The names and ARNs of the alarms that it names.
    pub fn alarms(&self) -> BTreeSet<&str> {
        let mut alarms = BTreeSet::new();
        self.0.alarms(&mut alarms);
        alarms
    }

    /// Whether it holds where alarms have these states. One that there is not has none.
    pub fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        self.0.holds(state)
    }
}

impl Node {
    fn alarms<'a>(&'a self, alarms: &mut BTreeSet<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, alarm) => drop(alarms.insert(alarm)),
            Self::Not(node) => node.alarms(alarms),
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().for_each(|node| node.alarms(alarms))
            }
        }
    }

    fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(constant) => *constant,
            Self::Is(wanted, alarm) => state(alarm) == Some(*wanted),
            Self::Not(node) => !node.holds(state),
            Self::All(nodes) => nodes.iter().all(|node| node.holds(state)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(state)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn fault(&self, what: &'static str) -> RuleError {
        let at = self.at + 1;
        RuleError::Syntax { at, what }
    }

    fn skip(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes_sign(&mut self, sign: char) -> bool {
        self.skip();
        let is_next = self.text[self.at..].starts_with(sign);
        self.at += if is_next { sign.len_utf8() } else { 0 };
        is_next
    }

    /// The word that stands next, which is not taken.
    fn word(&mut self) -> &str {
        self.skip();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = self.word() == word;
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn any(&mut self) -> Result<Node, RuleError> {
        let mut nodes = vec![self.all()?];
        while self.takes_word("OR") {
            nodes.push(self.all()?);
        }
        Ok(one_or(nodes, Node::Any))
    }

    fn all(&mut self) -> Result<Node, RuleError> {
        let mut nodes = vec![self.one()?];
        while self.takes_word("AND") {
            nodes.push(self.one()?);
        }
        Ok(one_or(nodes, Node::All))
    }

    fn one(&mut self) -> Result<Node, RuleError> {
        if self.depth == limits::RULE_DEPTH_MAX {
            return Err(RuleError::TooDeep);
        }
        self.depth += 1;
        let node = self.one_within();
        self.depth -= 1;
        node
    }

    fn one_within(&mut self) -> Result<Node, RuleError> {
        if self.takes_sign('(') {
            let node = self.any()?;
            return match self.takes_sign(')') {
                true => Ok(node),
                false => Err(self.fault("a closing bracket should stand here")),
            };
        }
        if self.takes_word("NOT") {
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.takes_word("TRUE") {
            return Ok(Node::Constant(true));
        }
        if self.takes_word("FALSE") {
            return Ok(Node::Constant(false));
        }
        let states = [State::Alarm, State::Ok, State::InsufficientData];
        for state in states {
            if self.takes_word(state.name()) {
                return Ok(Node::Is(state, self.alarm()?));
            }
        }
        Err(self
            .fault("ALARM, OK, INSUFFICIENT_DATA, NOT, TRUE, FALSE or a bracket should stand here"))
    }

    /// The alarm within the brackets behind a state.
    fn alarm(&mut self) -> Result<String, RuleError> {
        if !self.takes_sign('(') {
            return Err(self.fault("a bracket with an alarm should stand here"));
        }
        let (end, what) = match self.takes_sign('"') {
            true => ('"', "the name has no closing quotation mark"),
            false => (')', "the bracket has no end"),
        };
        let rest = &self.text[self.at..];
        let len = rest.find(end).ok_or_else(|| self.fault(what))?;
        let name = match end {
            ')' => rest[..len].trim(),
            _ => &rest[..len],
        };
        if name.is_empty() {
            return Err(self.fault("the name of an alarm should stand here"));
        }
        let name = name.to_owned();
        self.at += len + 1;
        match end == ')' || self.takes_sign(')') {
            true => Ok(name),
            false => Err(self.fault("a closing bracket should stand here")),
        }
    }
}

fn one_or(mut nodes: Vec<Node>, many: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match (nodes.len(), nodes.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            nodes.extend(last);
            many(nodes)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Alarms named a are in ALARM, those named o are OK, those named i unknown; there are no others.
    fn state(alarm: &str) -> Option<State> {
        match alarm.as_bytes()[0] {
            b'a' => Some(State::Alarm),
            b'o' => Some(State::Ok),
            b'i' => Some(State::InsufficientData),
            _ => None,
        }
    }

    #[test]
    fn rules_hold_as_they_say() {
        for (text, expected) in [
            ("ALARM(a1)", true),
            (" OK( o1 ) ", true),
            ("INSUFFICIENT_DATA(i)", true),
            ("ALARM(\"a name (with) brackets\")", true),
            ("ALARM(arn:aws:x) OR ALARM(\"o\")", true),
            ("ALARM(x)", false),
            ("NOT ALARM(x)", true),
            ("TRUE AND NOT FALSE", true),
            ("ALARM(a) OR ALARM(a) AND ALARM(o)", true),
            ("(ALARM(a) OR ALARM(a)) AND ALARM(o)", false),
            ("NOT ALARM(o) AND OK(o)", true),
            ("NOT (ALARM(o) OR OK(o))", false),
        ] {
            assert_eq!(
                Rule::parse(text).map(|rule| rule.holds(&state)),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_reason() {
        let fault = |text: &str| Rule::parse(text).unwrap_err().to_string();
        for (text, expected) in [
            (
                "ALARM",
                "at character 6: a bracket with an alarm should stand here",
            ),
            (
                "ALARM()",
                "at character 7: the name of an alarm should stand here",
            ),
            ("ALARM(x", "at character 7: the bracket has no end"),
            (
                "ALARM(\"x)",
                "at character 8: the name has no closing quotation mark",
            ),
            (
                "ALARM(x) x",
                "at character 10: AND, OR or the end should stand here",
            ),
            (
                "(ALARM(x)",
                "at character 10: a closing bracket should stand here",
            ),
        ] {
            assert_eq!(fault(text), expected, "{text}");
        }
        assert_eq!(Rule::parse(&"(".repeat(1000)), Err(RuleError::TooDeep));
        assert_eq!(Rule::parse(&"NOT ".repeat(1000)), Err(RuleError::TooDeep));
        assert_eq!(Rule::parse(&" ".repeat(20_000)), Err(RuleError::TooLong));
        let many: Vec<_> = (0..101).map(|number| format!("OK({number})")).collect();
        assert_eq!(Rule::parse(&many.join(" OR ")), Err(RuleError::TooMany));
        assert_eq!(
            Rule::parse(&many[..100].join(" AND "))
                .unwrap()
                .alarms()
                .len(),
            100
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_rule_or_none(text in "((ALARM|OK|NOT|AND|OR|TRUE|[()\" a-zü]){1,12}|.{0,9})") {
            if let Ok(rule) = Rule::parse(&text) {
                rule.holds(&|_| None);
            }
        }
    }
}
