//! Floating-point numbers as Java writes them, which is how they arrive in a text column.

/// A number as Java writes it: `1.5`, `10.0`, `1.0E10`.
pub(super) fn of_double(value: f64) -> String {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    if plain || !value.is_finite() {
        return format!("{value:?}");
    }
    let written = format!("{value:E}");
    match written.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_does() {
        for (value, text) in [
            (1.5, "1.5"),
            (10.0, "10.0"),
            (-0.0, "-0.0"),
            (1e7, "1.0E7"),
            (1.25e10, "1.25E10"),
            (1e-4, "1.0E-4"),
            (0.001, "0.001"),
        ] {
            assert_eq!(of_double(value), text);
        }
    }
}
