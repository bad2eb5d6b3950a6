//! Trips as the taxi example has them, about 190 bytes of JSON each, and the columns of their table.

use bytes::Bytes;

/// Names and types.
pub const COLUMNS: [(&str, &str); 10] = [
    ("vendor", "int"),
    ("pickup", "timestamp"),
    ("dropoff", "timestamp"),
    ("passengers", "tinyint"),
    ("distance", "double"),
    ("from_zone", "string"),
    ("to_zone", "string"),
    ("fare", "decimal(10,2)"),
    ("tip", "double"),
    ("payment", "string"),
];

/// A trip, with a newline; numbers that vary as real ones do.
pub fn trip(at: u64) -> Bytes {
    let noise = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (hour, minute, second) = (at / 3600 % 24, at / 60 % 60, at % 60);
    let day = at / 20_000 % 27;
    let trip = serde_json::json!({
        "vendor": noise % 3,
        "pickup": format!("2026-03-{:02} {hour:02}:{minute:02}:{second:02}", 1 + day),
        "dropoff": format!("2026-03-{:02}T{:02}:{minute:02}:{second:02}Z", 2 + day, noise % 24),
        "passengers": 1 + noise % 5,
        "distance": (noise % 3000) as f64 / 100.0,
        "from_zone": format!("Zone {}", noise % 265),
        "to_zone": format!("Zone {}", noise / 7 % 265),
        "fare": (300 + noise % 8000) as f64 / 100.0,
        "tip": (noise % 1500) as f64 / 100.0,
        "payment": if noise.is_multiple_of(3) { "cash" } else { "card" },
    });
    Bytes::from(format!("{trip}\n"))
}
