//! Paths with labels and queries: templates such as `/{Bucket}/{Key+}?uploads` matched and filled in.

use percent_encoding::{percent_decode_str, utf8_percent_encode};

use headwater_auth::sign::{RESERVED, RESERVED_IN_PATH};

/// A template of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    /// Parameters that must be in the query, with a value where the template names one.
    pub(super) query: Vec<(&'static str, Option<&'static str>)>,
}

/// A part of a path pattern between two slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// `{Key+}`: all that is left, slashes included.
    Greedy(&'static str),
}

impl Template {
    /// Reads a template of the model.
    pub(super) fn parse(uri: &'static str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let segment =
            |text: &'static str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
                None => Segment::Literal(text),
                Some(label) => label
                    .strip_suffix('+')
                    .map_or(Segment::Label(label), Segment::Greedy),
            };
        let pair = |text: &'static str| match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Self {
            segments: path
                .split('/')
                .filter(|s| !s.is_empty())
                .map(segment)
                .collect(),
            query: query
                .split('&')
                .filter(|q| !q.is_empty())
                .map(pair)
                .collect(),
        }
    }

    /// The labels of `path`, not escaped, if it fits. A slash at the end means nothing but to a greedy label.
    pub(super) fn labels(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut labels = Vec::new();
        let mut rest = Some(path.strip_prefix('/').unwrap_or(path));
        for segment in &self.segments {
            let here = rest?;
            let (part, after) = match here.split_once('/') {
                Some((part, after)) => (part, Some(after)),
                None => (here, None),
            };
            match segment {
                Segment::Literal(literal) if *literal == part => rest = after,
                Segment::Label(name) if !part.is_empty() => {
                    labels.push((*name, unescape(part)?));
                    rest = after;
                }
                Segment::Greedy(name) if !here.is_empty() => {
                    labels.push((*name, unescape(here)?));
                    rest = None;
                }
                _ => return None,
            }
        }
        rest.is_none_or(str::is_empty).then_some(labels)
    }
}

/// A template filled in: the path with escaped labels, the template's parameters and then `query`.
pub fn render_uri(
    uri: &'static str,
    labels: &[(&'static str, String)],
    query: &[(String, String)],
) -> Option<String> {
    let template = Template::parse(uri);
    let value = |name: &str| {
        labels
            .iter()
            .find(|(label, _)| *label == name)
            .map(|(_, value)| value.as_str())
    };
    let mut path = String::new();
    for segment in &template.segments {
        path.push('/');
        match segment {
            Segment::Literal(literal) => path += literal,
            Segment::Label(name) => {
                let value = value(name).filter(|value| !value.is_empty())?;
                path.extend(utf8_percent_encode(value, RESERVED));
            }
            Segment::Greedy(name) => {
                path.extend(utf8_percent_encode(value(name)?, RESERVED_IN_PATH))
            }
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    let fixed = template.query.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => (*name).to_owned(),
    });
    let escape = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let own = query
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    let query = fixed.chain(own).collect::<Vec<_>>().join("&");
    Some(if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    })
}

/// A label's text; none where it is not UTF-8.
fn unescape(text: &str) -> Option<String> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(String::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use headwater_auth::parse_query;

    use super::*;

    fn labels(template: &'static str, path: &str) -> Option<Vec<String>> {
        Some(
            Template::parse(template)
                .labels(path)?
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
        )
    }

    #[test]
    fn labels_are_taken_out_of_a_path() {
        let object = "/{Bucket}/{Key+}";
        assert_eq!(labels(object, "/b/a%20b/c").unwrap(), ["b", "a b/c"]);
        assert_eq!(labels(object, "/b//a/").unwrap(), ["b", "/a/"]);
        assert_eq!(labels(object, "/b/"), None);
        assert_eq!(labels(object, "/b"), None);
        assert_eq!(labels("/{Bucket}", "/b/").unwrap(), ["b"]);
        assert_eq!(labels("/{Bucket}", "/b/k"), None);
        assert_eq!(labels("/", "/").unwrap(), [""; 0]);
        assert_eq!(labels("/", "/b"), None);
        assert_eq!(
            labels("/2015-03-31/functions", "/2015-03-31/functions/").unwrap(),
            [""; 0]
        );
        assert_eq!(
            labels("/v/tags/{R}", "/v/tags/arn%3Aaws%2Fx").unwrap(),
            ["arn:aws/x"]
        );
        assert_eq!(labels("/{Bucket}", "/%ff"), None);
    }

    #[test]
    fn a_template_is_filled_in() {
        let labels = [("Bucket", "b".to_owned()), ("Key", "a b/ü+".to_owned())];
        let query = [("prefix".to_owned(), "x/y z".to_owned())];
        assert_eq!(
            render_uri("/{Bucket}/{Key+}?uploads", &labels, &query).unwrap(),
            "/b/a%20b/%C3%BC%2B?uploads&prefix=x%2Fy%20z"
        );
        assert_eq!(render_uri("/", &[], &[]).unwrap(), "/");
        assert_eq!(render_uri("/{Bucket}", &[], &[]), None);
    }

    proptest! {
        #[test]
        fn keys_and_parameters_read_back(key in "(?s).{1,40}", value in "(?s).{0,40}") {
            let labels = [("Bucket", "b".to_owned()), ("Key", key.clone())];
            let uri = render_uri("/{Bucket}/{Key+}", &labels, &[("p".to_owned(), value.clone())]).unwrap();
            let (path, query) = uri.split_once('?').unwrap();
            let back = Template::parse("/{Bucket}/{Key+}").labels(path).unwrap();
            prop_assert_eq!(&back[1].1, &key);
            prop_assert_eq!(parse_query(query), [("p".to_owned(), value)]);
        }

        #[test]
        fn any_path_and_query_are_taken_without_a_panic(text in "(?s).{0,80}") {
            let _ = Template::parse("/{Bucket}/{Key+}").labels(&text);
            let _ = parse_query(&text);
        }
    }
}
