//! What AWS calls the kinds of values.

use headwater_items::Kind;

/// The symbol of a kind, as in `{"S": "a"}`.
pub fn symbol(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "S",
        Kind::Number => "N",
        Kind::Binary => "B",
        Kind::Bool => "BOOL",
        Kind::Null => "NULL",
        Kind::List => "L",
        Kind::Map => "M",
        Kind::StringSet => "SS",
        Kind::NumberSet => "NS",
        Kind::BinarySet => "BS",
    }
}

/// The kind with this symbol.
pub fn of_symbol(symbol: &str) -> Option<Kind> {
    Some(match symbol {
        "S" => Kind::String,
        "N" => Kind::Number,
        "B" => Kind::Binary,
        "BOOL" => Kind::Bool,
        "NULL" => Kind::Null,
        "L" => Kind::List,
        "M" => Kind::Map,
        "SS" => Kind::StringSet,
        "NS" => Kind::NumberSet,
        "BS" => Kind::BinarySet,
        _ => return None,
    })
}

/// The word for a kind, as the texts about `ADD` and `DELETE` have it.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "STRING",
        Kind::Number => "NUMBER",
        Kind::Binary => "BINARY",
        Kind::Bool => "BOOLEAN",
        Kind::Null => "NULL",
        Kind::List => "LIST",
        Kind::Map => "MAP",
        Kind::StringSet => "STRING_SET",
        Kind::NumberSet => "NUMBER_SET",
        Kind::BinarySet => "BINARY_SET",
    }
}

/// Whether values of this kind have an order.
pub fn is_ordered(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Number | Kind::Binary)
}

/// Whether values of this kind are sets.
pub fn is_set(kind: Kind) -> bool {
    matches!(kind, Kind::StringSet | Kind::NumberSet | Kind::BinarySet)
}
