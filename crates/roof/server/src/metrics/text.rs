//! The text that metrics are read in: Prometheus' exposition format 0.0.4.

use std::fmt::Write;

use super::{
    families::Metric,
    samples::{Form, Histogram, Labels, Number},
};

/// The type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The form of the text: a line for each value.
pub struct Text;

impl Form for Text {
    fn value(&self, metric: &Metric, labels: Labels<'_>, value: Number, lines: &mut String) {
        line(metric, "", labels, None, value, lines);
    }

    fn histogram(
        &self,
        metric: &Metric,
        labels: Labels<'_>,
        of: Histogram<'_>,
        lines: &mut String,
    ) {
        let mut so_far = 0;
        let bounds = of.bounds.iter().map(Some).chain([None]);
        for (bound, count) in bounds.zip(of.counts) {
            so_far += count;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), f64::to_string);
            let le = Some(("le", &*bound));
            line(metric, "_bucket", labels, le, so_far.into(), lines);
        }
        line(metric, "_sum", labels, None, of.sum.into(), lines);
        line(metric, "_count", labels, None, so_far.into(), lines);
    }

    fn family(&self, metric: &Metric, lines: &str, text: &mut String) {
        let (name, help, kind) = (metric.name, escaped(metric.help, false), metric.kind.word());
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
    }
}

fn line<'a>(
    metric: &Metric,
    suffix: &str,
    labels: Labels<'a>,
    more: Option<(&'a str, &'a str)>,
    value: Number,
    lines: &mut String,
) {
    lines.push_str(metric.name);
    lines.push_str(suffix);
    write_labels(lines, labels.pairs(metric).chain(more));
    let _ = writeln!(lines, " {value}");
}

fn write_labels<'a>(text: &mut String, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut opening = '{';
    for (label, value) in pairs {
        let _ = write!(text, "{opening}{label}=\"{}\"", escaped(value, true));
        opening = ',';
    }
    if opening == ',' {
        text.push('}');
    }
}

/// A text without ends of lines, and where it stands in quotes without those.
fn escaped(text: &str, is_quoted: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => safe.push_str("\\\\"),
            '\n' => safe.push_str("\\n"),
            '"' if is_quoted => safe.push_str("\\\""),
            c => safe.push(c),
        }
    }
    safe
}

/// Reading the text back, as strictly as the format is described.
#[cfg(test)]
pub mod parse {
    use std::collections::{BTreeMap, BTreeSet};

    /// A line with a value.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Sample {
        pub name: String,
        pub labels: BTreeMap<String, String>,
        pub value: f64,
    }

    /// A page that was read.
    #[derive(Debug, Default)]
    pub struct Page {
        /// The kinds and meanings of metrics, by name.
        pub families: BTreeMap<String, (String, String)>,
        pub samples: Vec<Sample>,
    }

    impl Page {
        /// The one value with these labels; none where there is no such line.
        pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
            let fits = |sample: &&Sample| {
                let has = |(label, value): &(&str, &str)| {
                    sample
                        .labels
                        .get(*label)
                        .is_some_and(|there| there == value)
                };
                sample.name == name && labels.iter().all(has)
            };
            let found: Vec<_> = self.samples.iter().filter(fits).collect();
            assert!(found.len() < 2, "{found:?}");
            found.first().map(|sample| sample.value)
        }
    }

    /// Reads a page.
    ///
    /// # Panics
    /// When it is none.
    pub fn page(text: &str) -> Page {
        assert!(text.is_empty() || text.ends_with('\n'));
        let (mut page, mut family, mut seen) = (Page::default(), None, BTreeSet::new());
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
                let (typed, kind) = kind.split_once(' ').unwrap();
                assert_eq!(typed, name);
                let told = (kind.to_owned(), unescaped(help, false));
                let before = page.families.insert(name.to_owned(), told);
                assert_eq!(before, None, "{name} is told of once");
                family = Some((name.to_owned(), kind.to_owned()));
                continue;
            }
            let sample = sample(line);
            let (name, kind) = family.as_ref().expect("a value follows its meaning");
            let suffix = sample.name.strip_prefix(name.as_str()).unwrap();
            let allowed: &[&str] = match kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(allowed.contains(&suffix), "{line}");
            assert!(
                seen.insert((sample.name.clone(), sample.labels.clone())),
                "{line}"
            );
            page.samples.push(sample);
        }
        page
    }

    fn sample(line: &str) -> Sample {
        let name_end = line.find(['{', ' ']).unwrap();
        let (name, mut rest) = line.split_at(name_end);
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        assert!(is_name(name), "{line}");
        let mut labels = BTreeMap::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            loop {
                let (label, quoted) = rest.split_once("=\"").unwrap();
                let end = end_of_quoted(quoted);
                let value = unescaped(&quoted[..end], true);
                assert!(is_name(label) && labels.insert(label.to_owned(), value).is_none());
                rest = &quoted[end + 1..];
                match rest.strip_prefix(',') {
                    Some(more) => rest = more,
                    None => break,
                }
            }
            rest = rest.strip_prefix('}').unwrap();
        }
        let value = rest.strip_prefix(' ').unwrap();
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        let name = name.to_owned();
        Sample {
            name,
            labels,
            value,
        }
    }

    fn end_of_quoted(text: &str) -> usize {
        let mut is_escaped = false;
        let ends = |c| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        };
        text.find(ends).unwrap()
    }

    fn unescaped(text: &str, is_quoted: bool) -> String {
        let (mut plain, mut chars) = (String::new(), text.chars());
        while let Some(c) = chars.next() {
            assert!(c != '\n' && (c != '"' || !is_quoted), "{text}");
            plain.push(match c {
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    '"' if is_quoted => '"',
                    '\\' => '\\',
                    other => panic!("{other:?} is escaped in {text:?}"),
                },
                c => c,
            });
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{
            families::{Kind, *},
            samples::Samples,
        },
        *,
    };

    static QUOTES: Metric = Metric {
        name: "headwater_quotes",
        kind: Kind::Gauge,
        labels: &["region", "says"],
        help: "What \"it\" says:\nwith \\ and ends",
    };

    #[test]
    fn values_of_a_metric_stand_together_in_the_form_of_the_format() {
        let mut samples = Samples::of_region("eu-1", Box::new(Text));
        samples.add(&QUEUE_RECORDS, &["q", "waiting"], 7);
        samples.add(&LOG_FILES, &[], 2);
        samples.set_region("eu-2");
        samples.add(&QUEUE_RECORDS, &["a\"b\\c\nd", "in_flight"], 0);
        samples.add(&QUEUE_OLDEST, &["q"], 0.25);
        let took = Histogram {
            bounds: &[0.001, 2.5],
            counts: &[3, 0, 1],
            sum: 9.5,
        };
        samples.add_histogram(&REQUEST_DURATION, &["s", "o"], took);
        let (help, age) = (QUEUE_RECORDS.help, QUEUE_OLDEST.help);
        let (files, took) = (LOG_FILES.help, REQUEST_DURATION.help);
        let expected = format!(
            "\
# HELP headwater_log_files {files}
# TYPE headwater_log_files gauge
headwater_log_files 2
# HELP headwater_queue_oldest_record_age_seconds {age}
# TYPE headwater_queue_oldest_record_age_seconds gauge
headwater_queue_oldest_record_age_seconds{{region=\"eu-2\",queue=\"q\"}} 0.25
# HELP headwater_queue_records {help}
# TYPE headwater_queue_records gauge
headwater_queue_records{{region=\"eu-1\",queue=\"q\",state=\"waiting\"}} 7
headwater_queue_records{{region=\"eu-2\",queue=\"a\\\"b\\\\c\\nd\",state=\"in_flight\"}} 0
# HELP headwater_request_duration_seconds {took}
# TYPE headwater_request_duration_seconds histogram
headwater_request_duration_seconds_bucket{{service=\"s\",operation=\"o\",le=\"0.001\"}} 3
headwater_request_duration_seconds_bucket{{service=\"s\",operation=\"o\",le=\"2.5\"}} 3
headwater_request_duration_seconds_bucket{{service=\"s\",operation=\"o\",le=\"+Inf\"}} 4
headwater_request_duration_seconds_sum{{service=\"s\",operation=\"o\"}} 9.5
headwater_request_duration_seconds_count{{service=\"s\",operation=\"o\"}} 4
"
        );
        assert_eq!(samples.into_text(), expected);
        assert_eq!(Samples::of_region("", Box::new(Text)).into_text(), "");
    }

    proptest! {
        #[test]
        fn whatever_a_label_says_is_read_back(
            values in prop::collection::btree_map("(?s).*|[\\\\\"\nn,={}]*", any::<u64>(), 1..20),
            region in "(?s).*",
        ) {
            let mut samples = Samples::of_region(&region, Box::new(Text));
            for (says, value) in &values {
                samples.add(&QUOTES, &[says], *value);
            }
            let page = parse::page(&samples.into_text());
            let told = ("gauge".to_owned(), QUOTES.help.to_owned());
            prop_assert_eq!(&page.families["headwater_quotes"], &told);
            prop_assert_eq!(page.samples.len(), values.len());
            for (sample, (says, value)) in page.samples.iter().zip(&values) {
                prop_assert_eq!(&sample.labels["says"], says);
                prop_assert_eq!(&sample.labels["region"], &region);
                prop_assert_eq!(sample.value, *value as f64);
            }
        }
    }
}
