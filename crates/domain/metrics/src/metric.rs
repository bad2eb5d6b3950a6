//! What identifies a series: the metric, and the unit in which it was measured.

use crate::bytes::Input;

/// A metric: a name within a namespace, and its dimensions. Metrics with other dimensions are other metrics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Names and values of the dimensions, sorted, each name once.
    pub dimensions: Vec<(String, String)>,
}

impl Metric {
    /// A metric with these dimensions in any order; of those with one name the last holds.
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        mut dimensions: Vec<(String, String)>,
    ) -> Self {
        dimensions.reverse();
        dimensions.sort_by(|a, b| a.0.cmp(&b.0));
        dimensions.dedup_by(|later, first| later.0 == first.0);
        Self {
            namespace: namespace.into(),
            name: name.into(),
            dimensions,
        }
    }

    /// Its name as bytes, in whose order metrics are listed.
    pub(crate) fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(128);
        put_text(&mut key, &self.namespace);
        put_text(&mut key, &self.name);
        for (name, value) in &self.dimensions {
            put_text(&mut key, name);
            put_text(&mut key, value);
        }
        key.extend_from_slice(END_OF_KEY);
        key
    }

    /// The name of its series of `unit`.
    pub(crate) fn series_key(&self, unit: Unit) -> Vec<u8> {
        let mut key = self.key();
        key.push(unit as u8);
        key
    }

    /// The metric and the unit of a series; none where the bytes are no name of one.
    pub(crate) fn of_series(key: &[u8]) -> Option<(Self, Unit)> {
        let mut input = Input::new(key);
        let (namespace, name) = (take_text(&mut input)?, take_text(&mut input)?);
        let mut dimensions = Vec::new();
        while !input.rest().starts_with(END_OF_KEY) {
            dimensions.push((take_text(&mut input)?, take_text(&mut input)?));
        }
        input.take(END_OF_KEY.len())?;
        let unit = Unit::of_number(input.byte()?)?;
        let metric = Self {
            namespace,
            name,
            dimensions,
        };
        input.rest().is_empty().then_some((metric, unit))
    }
}

/// A text of a key ends with two bytes that no text has, so that keys are in the order of their texts.
const END_OF_TEXT: &[u8] = &[0, 1];
const ZERO_WITHIN: &[u8] = &[0, 0xff];
const END_OF_KEY: &[u8] = &[0, 0];

/// The beginning of the keys of all metrics of a namespace, and of a name within it.
pub(crate) fn key_start(namespace: Option<&str>, name: Option<&str>) -> Vec<u8> {
    let mut key = Vec::new();
    if let Some(namespace) = namespace {
        put_text(&mut key, namespace);
        if let Some(name) = name {
            put_text(&mut key, name);
        }
    }
    key
}

fn put_text(key: &mut Vec<u8>, text: &str) {
    for (i, part) in text.as_bytes().split(|byte| *byte == 0).enumerate() {
        if i > 0 {
            key.extend_from_slice(ZERO_WITHIN);
        }
        key.extend_from_slice(part);
    }
    key.extend_from_slice(END_OF_TEXT);
}

fn take_text(input: &mut Input<'_>) -> Option<String> {
    let mut text = Vec::new();
    loop {
        match input.byte()? {
            0 if input.byte()? == ZERO_WITHIN[1] => text.push(0),
            // The end, or what is no text.
            0 => return String::from_utf8(text).ok(),
            byte => text.push(byte),
        }
    }
}

macro_rules! units {
    ($($unit:ident = $name:literal,)*) => {
        /// The unit of what was measured. Its number is kept on disk.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum Unit {
            #[default]
            $($unit,)*
        }

        impl Unit {
            /// All units.
            pub const ALL: &'static [Self] = &[$(Self::$unit,)*];

            /// The name, as users write it.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$unit => $name,)*}
            }
        }
    };
}

units! {
    None = "None",
    Seconds = "Seconds",
    Microseconds = "Microseconds",
    Milliseconds = "Milliseconds",
    Bytes = "Bytes",
    Kilobytes = "Kilobytes",
    Megabytes = "Megabytes",
    Gigabytes = "Gigabytes",
    Terabytes = "Terabytes",
    Bits = "Bits",
    Kilobits = "Kilobits",
    Megabits = "Megabits",
    Gigabits = "Gigabits",
    Terabits = "Terabits",
    Percent = "Percent",
    Count = "Count",
    BytesPerSecond = "Bytes/Second",
    KilobytesPerSecond = "Kilobytes/Second",
    MegabytesPerSecond = "Megabytes/Second",
    GigabytesPerSecond = "Gigabytes/Second",
    TerabytesPerSecond = "Terabytes/Second",
    BitsPerSecond = "Bits/Second",
    KilobitsPerSecond = "Kilobits/Second",
    MegabitsPerSecond = "Megabits/Second",
    GigabitsPerSecond = "Gigabits/Second",
    TerabitsPerSecond = "Terabits/Second",
    CountPerSecond = "Count/Second",
}

impl Unit {
    /// The unit with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|unit| unit.name() == name)
    }

    fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_have_their_names_and_numbers() {
        assert_eq!(Unit::ALL.len(), 27);
        for (number, unit) in Unit::ALL.iter().enumerate() {
            assert_eq!(Unit::from_name(unit.name()), Some(*unit));
            assert_eq!(Unit::of_number(number as u8), Some(*unit));
        }
        assert_eq!(Unit::from_name("seconds"), None);
        assert_eq!(Unit::of_number(27), None);
    }

    #[test]
    fn dimensions_are_sorted_and_the_last_of_a_name_holds() {
        let dimension = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let given = vec![
            dimension("b", "1"),
            dimension("a", "2"),
            dimension("b", "3"),
        ];
        let metric = Metric::new("n", "m", given);
        assert_eq!(
            metric.dimensions,
            [dimension("a", "2"), dimension("b", "3")]
        );
    }

    fn metrics() -> impl Strategy<Value = Metric> {
        let text = "[\0\u{1}a-cü]{0,3}";
        let dimensions = prop::collection::vec((text, text), 0..3);
        (text, text, dimensions).prop_map(|(space, name, dims)| Metric::new(space, name, dims))
    }

    proptest! {
        #[test]
        fn keys_read_back_and_tell_metrics_apart(a in metrics(), b in metrics(), unit in 0u8..27) {
            let unit = Unit::of_number(unit).unwrap();
            prop_assert_eq!(Metric::of_series(&a.series_key(unit)), Some((a.clone(), unit)));
            prop_assert_eq!(a.key() == b.key(), a == b);
            prop_assert!(a.key().starts_with(&key_start(Some(&a.namespace), Some(&a.name))));
        }

        #[test]
        fn any_bytes_are_a_key_or_none(bytes: Vec<u8>) {
            if let Some((metric, unit)) = Metric::of_series(&bytes) {
                prop_assert!(metric.series_key(unit).len() <= bytes.len());
            }
        }
    }
}
