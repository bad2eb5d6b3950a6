//! Patterns of `LIKE`: `%` stands for any text, `_` for any character, and everything else for itself.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Like(Vec<char>);

impl Like {
    pub fn new(pattern: &str) -> Self {
        Self(pattern.chars().collect())
    }

    /// Whether all of `text` is as the pattern says. Only the last `%` is ever tried again, so that this takes at most
    /// as many steps as the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (&self.0, text.chars().collect::<Vec<_>>());
        let (mut in_pattern, mut in_text) = (0, 0);
        let mut again = None;
        while in_text < text.len() {
            match pattern.get(in_pattern) {
                Some('%') => {
                    in_pattern += 1;
                    again = Some((in_pattern, in_text));
                }
                Some(&wanted) if wanted == '_' || wanted == text[in_text] => {
                    in_pattern += 1;
                    in_text += 1;
                }
                _ => match again {
                    None => return false,
                    Some((pattern_from, text_from)) => {
                        again = Some((pattern_from, text_from + 1));
                        (in_pattern, in_text) = (pattern_from, text_from + 1);
                    }
                },
            }
        }
        pattern[in_pattern..].iter().all(|&left| left == '%')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    proptest! {
        #[test]
        fn a_pattern_matches_as_a_regular_expression_does(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
            let expression = format!("^{}$", pattern.replace('%', ".*").replace('_', "."));
            let expected = Regex::new(&expression).unwrap().is_match(&text);
            prop_assert_eq!(Like::new(&pattern).matches(&text), expected);
        }
    }
}
