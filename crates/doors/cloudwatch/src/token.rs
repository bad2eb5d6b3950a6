//! Tokens: where a listing goes on, as clients carry it back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_metrics::Metric;
use serde_json::Value;

/// The token of a listing that goes on after this metric.
pub(crate) fn of_metric(metric: &Metric) -> String {
    let dimensions = metric
        .dimensions
        .iter()
        .flat_map(|(name, value)| [name, value]);
    let texts = [&metric.namespace, &metric.name].into_iter();
    let texts = texts.chain(dimensions).cloned().collect::<Vec<_>>();
    of_text(&Value::from(texts).to_string())
}

/// The metric that a token names.
pub(crate) fn metric(token: &str) -> Option<Metric> {
    let texts: Vec<String> = serde_json::from_str(&text(token)?).ok()?;
    let mut texts = texts.into_iter();
    let (namespace, name) = (texts.next()?, texts.next()?);
    let mut dimensions = Vec::new();
    while let Some(name) = texts.next() {
        dimensions.push((name, texts.next()?));
    }
    Some(Metric::new(namespace, name, dimensions))
}

/// The token that holds a text.
pub(crate) fn of_text(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The text that a token holds.
pub(crate) fn text(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_read_back(texts in prop::collection::vec("\\PC{0,9}", 2..6)) {
            let dimensions = texts.chunks_exact(2).skip(1);
            let dimensions = dimensions.map(|pair| (pair[0].clone(), pair[1].clone()));
            let made = Metric::new(&texts[0], &texts[1], dimensions.collect());
            prop_assert_eq!(metric(&of_metric(&made)), Some(made));
        }

        #[test]
        fn any_text_is_a_token_or_none(token in "\\PC{0,70}", inside in "\\PC{0,40}") {
            drop(metric(&token));
            drop(metric(&of_text(&inside)));
        }
    }
}
