//! The fast half of validation: whether typed values keep the constraints of their shapes.

use std::{collections::BTreeMap, sync::OnceLock};

use regex::{Regex, RegexBuilder};

use crate::{Blob, Shape, Timestamp};

/// A value that can be held against its shape.
pub trait Check {
    /// True when it keeps every constraint, its members included.
    fn check(&self, shape: &Shape) -> bool;
}

/// The shape of a structure, which knows its constraints by its type.
pub static ANY: Shape = Shape::Document;

/// Says which fields of a structure are checked, and against which shapes; the others have no constraints.
#[macro_export]
macro_rules! valid {
    ($name:ident { $($field:ident : $shape:path),* $(,)? }) => {
        impl $crate::Valid for $name {
            fn valid(&self) -> bool {
                true $(&& $crate::check::Check::check(&self.$field, &$shape))*
            }
        }

        impl $crate::check::Check for $name {
            fn check(&self, _shape: &$crate::Shape) -> bool {
                $crate::Valid::valid(self)
            }
        }
    };
}

impl<T: Check> Check for Option<T> {
    fn check(&self, shape: &Shape) -> bool {
        self.as_ref().is_none_or(|value| value.check(shape))
    }
}

impl<T: Check> Check for Box<T> {
    fn check(&self, shape: &Shape) -> bool {
        (**self).check(shape)
    }
}

impl<T: Check> Check for Vec<T> {
    fn check(&self, shape: &Shape) -> bool {
        let Shape::List {
            member, min, max, ..
        } = shape
        else {
            return true;
        };
        within(self.len(), *min, *max) && self.iter().all(|value| value.check(member))
    }
}

impl<T: Check> Check for BTreeMap<String, T> {
    fn check(&self, shape: &Shape) -> bool {
        let Shape::Map {
            key,
            value,
            min,
            max,
        } = shape
        else {
            return true;
        };
        within(self.len(), *min, *max) && self.iter().all(|(k, v)| k.check(key) && v.check(value))
    }
}

impl Check for String {
    fn check(&self, shape: &Shape) -> bool {
        let Shape::String {
            min,
            max,
            pattern,
            values,
        } = shape
        else {
            return true;
        };
        chars_within(self, *min, *max)
            && (values.is_empty() || values.contains(&self.as_str()))
            && pattern.is_none_or(|pattern| pattern.matches(self))
    }
}

impl Check for Blob {
    fn check(&self, shape: &Shape) -> bool {
        let Shape::Blob { min, max, .. } = shape else {
            return true;
        };
        within(self.0.len(), *min, *max)
    }
}

impl Check for i32 {
    fn check(&self, shape: &Shape) -> bool {
        i64::from(*self).check(shape)
    }
}

impl Check for i64 {
    fn check(&self, shape: &Shape) -> bool {
        let (Shape::Integer { min, max } | Shape::Long { min, max }) = shape else {
            return true;
        };
        min.is_none_or(|min| *self >= min) && max.is_none_or(|max| *self <= max)
    }
}

impl Check for f32 {
    fn check(&self, shape: &Shape) -> bool {
        f64::from(*self).check(shape)
    }
}

impl Check for f64 {
    fn check(&self, shape: &Shape) -> bool {
        let (Shape::Float { min, max } | Shape::Double { min, max }) = shape else {
            return true;
        };
        min.is_none_or(|min| *self >= min) && max.is_none_or(|max| *self <= max)
    }
}

impl Check for bool {
    fn check(&self, _shape: &Shape) -> bool {
        true
    }
}

impl Check for Timestamp {
    fn check(&self, _shape: &Shape) -> bool {
        true
    }
}

/// The same of a text's characters, which are only counted where its bytes leave it open.
fn chars_within(text: &str, min: Option<u64>, max: Option<u64>) -> bool {
    let (most, least) = (text.len(), text.len().div_ceil(4));
    (within(most, None, max) && within(least, min, None)) || within(text.chars().count(), min, max)
}

fn within(len: usize, min: Option<u64>, max: Option<u64>) -> bool {
    let len = len as u64;
    min.is_none_or(|min| len >= min) && max.is_none_or(|max| len <= max)
}

/// A pattern of AWS's models, compiled when it is first needed. The whole text must match, as in Java's `matches`.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Compiled>>,
}

#[derive(Debug)]
enum Compiled {
    /// It only says which characters there may be, one of them at least: what names have, in every request.
    Class([bool; 128]),
    Java(Java),
}

/// Java's patterns look ahead at their start and behind at their end; `regex` does neither, so these are apart.
#[derive(Debug)]
struct Java {
    body: Regex,
    not_at_start: Option<Regex>,
    not_at_end: Option<Regex>,
}

impl Pattern {
    /// The pattern that AWS's model writes as `text`.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// The pattern as AWS writes it.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether the pattern can be expressed here; one with lookaround inside cannot.
    pub fn is_expressible(&self) -> bool {
        Compiled::of(self.text).is_some()
    }

    /// Whether all of `value` matches. A pattern with lookaround inside is not expressible here and matches all: the
    /// operation's own checks stand behind it.
    pub fn matches(&self, value: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Compiled::of(self.text));
        match compiled {
            None => true,
            Some(Compiled::Class(class)) => {
                let is_in = |byte: u8| class.get(usize::from(byte)).is_some_and(|is_in| *is_in);
                !value.is_empty() && value.bytes().all(is_in)
            }
            Some(Compiled::Java(java)) => java.matches(value),
        }
    }
}

impl Compiled {
    fn of(java: &str) -> Option<Self> {
        class(java)
            .map(Self::Class)
            .or_else(|| Java::of(java).map(Self::Java))
    }
}

/// The characters of a pattern such as `[a-zA-Z0-9_.-]+`.
fn class(java: &str) -> Option<[bool; 128]> {
    let inner = java.strip_prefix('[')?.strip_suffix("]+")?.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    if inner.is_empty() || !inner.iter().all(is_plain) {
        return None;
    }
    let (mut class, mut rest) = ([false; 128], inner);
    while let [first, after @ ..] = rest {
        let (last, after) = if let [b'-', last, after @ ..] = after {
            (last, after)
        } else {
            (first, after)
        };
        class
            .get_mut(usize::from(*first)..=usize::from(*last))?
            .fill(true);
        rest = after;
    }
    Some(class)
}

impl Java {
    fn matches(&self, value: &str) -> bool {
        self.body.is_match(value)
            && !self
                .not_at_start
                .as_ref()
                .is_some_and(|not| not.is_match(value))
            && !self
                .not_at_end
                .as_ref()
                .is_some_and(|not| not.is_match(value))
    }

    fn of(java: &str) -> Option<Self> {
        let mut body = ascii_classes(java);
        let mut not_at_start = None;
        let mut not_at_end = None;
        for opening in ["(?!", "^(?!"] {
            if let Some((not, rest)) = body.strip_prefix(opening).and_then(split_group) {
                not_at_start = Some(compile(&format!(r"\A(?:{not})"))?);
                body = rest;
                break;
            }
        }
        if let Some((rest, not)) = body.rsplit_once("(?<!")
            && let Some((not, "")) = split_group(not)
                .as_ref()
                .map(|(not, rest)| (not, rest.as_str()))
        {
            not_at_end = Some(compile(&format!(r"(?:{not})\z"))?);
            body = rest.to_owned();
        }
        Some(Self {
            body: compile(&format!(r"\A(?:{body})\z"))?,
            not_at_start,
            not_at_end,
        })
    }
}

/// The text before the parenthesis that closes a group, and the text behind it.
fn split_group(text: &str) -> Option<(String, String)> {
    let mut depth = 1;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text[..i].to_owned(), text[i + 1..].to_owned()));
        }
    }
    None
}

/// Java's `\d`, `\w` and `\s` are ASCII's, and `\uXXXX` has no braces.
fn ascii_classes(java: &str) -> String {
    let mut out = String::with_capacity(java.len());
    let mut in_class = false;
    let mut chars = java.chars();
    while let Some(c) = chars.next() {
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escaped) = chars.next() else { break };
        let class = match escaped {
            'd' => "0-9",
            'w' => "a-zA-Z0-9_",
            's' => r"\t\n\x0B\f\r ",
            _ => {
                out.extend(['\\', escaped]);
                continue;
            }
        };
        if in_class {
            out.push_str(class);
        } else {
            out.extend(["[", class, "]"]);
        }
    }
    out
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, yes, no) in [
            ("[a-zA-Z0-9_.-]+", "taxi-1.a_b", "taxi rides"),
            (
                r"0|([1-9]\d{0,38})",
                "340282366920938463463374607431768211456",
                "01",
            ),
            (r"0|([1-9]\d{0,38})", "0", "٣"),
            (
                r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$",
                "team: ä 1",
                "aws:x",
            ),
            (r"^(?!\s*$).+", " a", "  "),
            (r"[0-9A-Za-z\.\-_]*(?<!\.)", "a.b", "a.b."),
            (r"[\w\.\-]{1,255}", "my-bucket_1.x", "ä"),
            (r"[\u0001-\uFFFF]*", "abcß", "\0"),
            (r"^$|\.[0-9a-z!\-_.*'()]+", "", "gz"),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.matches(yes), "{pattern:?} {yes}");
            assert!(!pattern.matches(no), "{pattern:?} {no}");
        }
    }

    proptest::proptest! {
        #[test]
        fn classes_are_what_they_are_to_regex(text in "[a-z0-9_.ä -]{0,6}|.*") {
            for pattern in ["[a-zA-Z0-9_.-]+", "[-az]+", "[a-c0-1.]+", "[a]+"] {
                assert!(class(pattern).is_some(), "{pattern}");
                let expected = compile(&format!(r"\A(?:{pattern})\z")).unwrap().is_match(&text);
                assert_eq!(Pattern::new(pattern).matches(&text), expected, "{pattern}: {text:?}");
            }
        }
    }

    #[test]
    fn other_patterns_are_no_classes() {
        for pattern in [
            r"[\w]+", "[^a]+", "[a]*", "[]+", "[z-a]+", "[a&&b]+", "a+", "[a]+b",
        ] {
            assert!(class(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn lookaround_inside_a_pattern_is_left_to_the_operation() {
        assert!(Pattern::new("a((?!-)b)+").matches("anything"));
    }
}
