//! A way in for `fuzz/`.

use headwater_shapes_glue::Column;

use crate::filter::Filter;

/// Reads an expression over keys of every type, named `a` to `f`, and holds it against a partition.
pub fn filter(expression: &str, value: &str) {
    let types = ["string", "int", "decimal", "date", "timestamp", "float"];
    let keys = ["a", "b", "c", "d", "e", "f"].into_iter().zip(types);
    let keys: Vec<Column> = keys
        .map(|(name, data_type)| Column {
            name: name.to_owned(),
            r#type: Some(data_type.to_owned()),
            ..Default::default()
        })
        .collect();
    if let Ok(Some(filter)) = Filter::new(expression, &keys) {
        drop(filter.passes(&vec![value.to_owned(); keys.len()]));
    }
}
