//! Column types as a Glue table spells them, which is as Hive does: `struct<a:int,b:array<string>>`.
//!
//! Owns their grammar. The form of a value in JSON is `read`'s, and in a file the writers'.

use std::fmt;

use crate::limits::TYPE_DEPTH;

/// The columns of a table, in their order in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
}

/// A column of a table, or a member of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it stands in the file.
    pub name: String,
    /// The type of its values; any value can be null.
    pub data_type: DataType,
}

/// The type of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataType {
    /// `boolean`
    Boolean,
    /// `tinyint`: 8 bits.
    TinyInt,
    /// `smallint`: 16 bits.
    SmallInt,
    /// `int`: 32 bits.
    Int,
    /// `bigint`: 64 bits.
    BigInt,
    /// `float`: 32 bits.
    Float,
    /// `double`: 64 bits.
    Double,
    /// `decimal(precision,scale)`: digits in all, and of them after the point.
    Decimal(u8, u8),
    /// `string`
    String,
    /// `char(n)`: at most n characters; spaces at the end do not count.
    Char(u32),
    /// `varchar(n)`: at most n characters.
    VarChar(u32),
    /// `binary`
    Binary,
    /// `date`
    Date,
    /// `timestamp`: an instant to the nanosecond.
    Timestamp,
    /// `array<element>`
    Array(Box<DataType>),
    /// `map<key,value>`, with keys that are not nested.
    Map(Box<DataType>, Box<DataType>),
    /// `struct<name:type,…>`
    Struct(Vec<Column>),
}

/// Most digits of a decimal.
pub(crate) const DECIMAL_DIGITS: u8 = 38;

/// A column type that cannot be read or that is not supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the column type {text:?} {why}")]
pub struct TypeError {
    /// The type as the table has it.
    pub text: String,
    /// The error in it.
    pub why: String,
}

/// A schema that no file can be written after.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A type of a column.
    #[error("column {column}: {source}")]
    Type {
        /// The column's name.
        column: String,
        /// The error in its type.
        source: TypeError,
    },
    /// Two columns, or two members of a struct, that differ in case at most.
    #[error("the name {0} stands twice among the columns")]
    Twice(String),
    /// A table without columns.
    #[error("the table has no columns")]
    Empty,
}

impl Schema {
    /// The schema of a table's columns, each a name and a type.
    ///
    /// # Errors
    /// On types that cannot be read, on names that stand twice and on no columns at all.
    pub fn parse<'a>(
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SchemaError> {
        let parsed = columns.into_iter().map(|(name, text)| {
            let data_type = DataType::parse(text).map_err(|source| SchemaError::Type {
                column: name.to_owned(),
                source,
            })?;
            Ok(Column {
                name: name.to_owned(),
                data_type,
            })
        });
        let schema = Self {
            columns: parsed.collect::<Result<_, _>>()?,
        };
        if schema.columns.is_empty() {
            return Err(SchemaError::Empty);
        }
        match name_twice(&schema.columns) {
            Some(name) => Err(SchemaError::Twice(name)),
            None => Ok(schema),
        }
    }
}

/// A name that two of these columns have, or two members of a struct in one.
fn name_twice(columns: &[Column]) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    let here = columns
        .iter()
        .find(|column| !seen.insert(column.name.to_lowercase()));
    here.map(|column| column.name.clone()).or_else(|| {
        columns
            .iter()
            .find_map(|column| twice_within(&column.data_type))
    })
}

fn twice_within(data_type: &DataType) -> Option<String> {
    match data_type {
        DataType::Array(element) => twice_within(element),
        DataType::Map(_, value) => twice_within(value),
        DataType::Struct(members) => name_twice(members),
        _ => None,
    }
}

impl DataType {
    /// Reads a type.
    ///
    /// # Errors
    /// On what is not a type, and on types that no format here holds: `uniontype`, `interval`, …
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let mut parser = Parser { rest: text };
        let parsed = parser
            .data_type(0)
            .and_then(|parsed| match parser.rest.trim() {
                "" => Ok(parsed),
                rest => Err(format!("goes on after its end: {rest:?}")),
            });
        parsed.map_err(|why| TypeError {
            text: text.to_owned(),
            why,
        })
    }

    fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(..) | Self::Struct(_))
    }
}

/// The rest of a type's text.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn data_type(&mut self, depth: usize) -> Result<DataType, String> {
        if depth > TYPE_DEPTH {
            return Err(format!("is nested deeper than {TYPE_DEPTH} levels"));
        }
        let word = self.word().to_ascii_lowercase();
        Ok(match word.as_str() {
            "boolean" => DataType::Boolean,
            "tinyint" => DataType::TinyInt,
            "smallint" => DataType::SmallInt,
            "int" | "integer" => DataType::Int,
            "bigint" => DataType::BigInt,
            "float" => DataType::Float,
            "double" => DataType::Double,
            "decimal" | "numeric" => self.decimal()?,
            "string" => DataType::String,
            "char" => DataType::Char(self.length(255)?),
            "varchar" => DataType::VarChar(self.length(65535)?),
            "binary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" => DataType::Timestamp,
            "array" => self.array(depth)?,
            "map" => self.map(depth)?,
            "struct" => self.members(depth)?,
            "" => return Err("has no name where one is expected".to_owned()),
            other => return Err(format!("is not supported: {other}")),
        })
    }

    /// `(precision,scale)`, `(precision)` or nothing, which is `(10,0)`.
    fn decimal(&mut self) -> Result<DataType, String> {
        if !self.eat('(') {
            return Ok(DataType::Decimal(10, 0));
        }
        let precision = self.number()?;
        let scale = if self.eat(',') { self.number()? } else { 0 };
        self.expect(')')?;
        let fits = (1..=u32::from(DECIMAL_DIGITS)).contains(&precision) && scale <= precision;
        if !fits {
            return Err(format!(
                "has digits that a decimal cannot have: {precision},{scale}"
            ));
        }
        Ok(DataType::Decimal(precision as u8, scale as u8))
    }

    /// `(n)`
    fn length(&mut self, most: u32) -> Result<u32, String> {
        self.expect('(')?;
        let length = self.number()?;
        self.expect(')')?;
        let fits = (1..=most).contains(&length);
        if fits {
            Ok(length)
        } else {
            Err(format!(
                "has a length that is not from 1 to {most}: {length}"
            ))
        }
    }

    fn array(&mut self, depth: usize) -> Result<DataType, String> {
        self.expect('<')?;
        let element = self.data_type(depth + 1)?;
        self.expect('>')?;
        Ok(DataType::Array(Box::new(element)))
    }

    fn map(&mut self, depth: usize) -> Result<DataType, String> {
        self.expect('<')?;
        let key = self.data_type(depth + 1)?;
        self.expect(',')?;
        let value = self.data_type(depth + 1)?;
        self.expect('>')?;
        if key.is_nested() {
            return Err("has a map whose keys are nested".to_owned());
        }
        Ok(DataType::Map(Box::new(key), Box::new(value)))
    }

    fn members(&mut self, depth: usize) -> Result<DataType, String> {
        self.expect('<')?;
        let mut members = Vec::new();
        loop {
            let (name, rest) = self
                .rest
                .split_once(':')
                .ok_or("has a member without a type")?;
            let name = name.trim();
            if name.is_empty() || name.contains(['<', '>', ',', '(', ')']) {
                return Err(format!("has a member with a name that cannot be: {name:?}"));
            }
            self.rest = rest;
            members.push(Column {
                name: name.to_owned(),
                data_type: self.data_type(depth + 1)?,
            });
            if !self.eat(',') {
                break;
            }
        }
        self.expect('>')?;
        Ok(DataType::Struct(members))
    }

    fn word(&mut self) -> &'a str {
        self.take(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn number(&mut self) -> Result<u32, String> {
        let digits = self.take(|c| c.is_ascii_digit());
        digits
            .parse()
            .map_err(|_| "has no number where one is expected".to_owned())
    }

    fn take(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let text = self.rest.trim_start();
        let end = text.find(|c| !part(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    fn eat(&mut self, sign: char) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.eat(sign) {
            Ok(())
        } else {
            Err(format!("has no {sign:?} where one is expected"))
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::VarChar(length) => write!(f, "varchar({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|m| format!("{}:{}", m.name, m.data_type))
                    .collect();
                write!(f, "struct<{}>", members.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_read_back_as_they_are_written() {
        let texts = [
            "boolean",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "float",
            "double",
            "decimal(38,9)",
            "string",
            "char(255)",
            "varchar(65535)",
            "binary",
            "date",
            "timestamp",
            "array<int>",
            "map<string,array<int>>",
            "struct<a:int,b.c:array<string>,d:struct<e:map<int,date>>>",
        ];
        for text in texts {
            assert_eq!(DataType::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn case_spaces_and_short_forms_are_allowed() {
        for (text, plain) in [
            (" Array < INT > ", "array<int>"),
            ("decimal", "decimal(10,0)"),
            ("numeric(5)", "decimal(5,0)"),
            ("STRUCT<A : integer, b:Date>", "struct<A:int,b:date>"),
        ] {
            assert_eq!(DataType::parse(text).unwrap().to_string(), plain);
        }
    }

    #[test]
    fn what_is_no_type_says_why() {
        for (text, why) in [
            ("uniontype<int,string>", "is not supported: uniontype"),
            (
                "decimal(39,0)",
                "has digits that a decimal cannot have: 39,0",
            ),
            ("decimal(3,4)", "has digits that a decimal cannot have: 3,4"),
            ("char", "has no '(' where one is expected"),
            ("char(256)", "has a length that is not from 1 to 255: 256"),
            ("map<array<int>,int>", "has a map whose keys are nested"),
            ("struct<>", "has a member without a type"),
            ("int int", "goes on after its end: \"int\""),
            ("", "has no name where one is expected"),
        ] {
            assert_eq!(DataType::parse(text).unwrap_err().why, why, "{text}");
        }
        let deep = format!("{}int{}", "array<".repeat(1000), ">".repeat(1000));
        assert!(
            DataType::parse(&deep)
                .unwrap_err()
                .why
                .starts_with("is nested deeper")
        );
    }

    #[test]
    fn a_name_stands_once_in_a_schema_and_in_a_struct() {
        assert_eq!(
            Schema::parse([("a", "int"), ("A", "int")]),
            Err(SchemaError::Twice("A".to_owned()))
        );
        let within = Schema::parse([("a", "array<struct<b:int,b:int>>")]);
        assert_eq!(within, Err(SchemaError::Twice("b".to_owned())));
        assert_eq!(Schema::parse([]), Err(SchemaError::Empty));
    }

    proptest! {
        #[test]
        fn any_text_is_a_type_or_an_error(text in "[a-z<>(),: 0-9]{0,60}", other in "\\PC{0,40}") {
            for text in [text, other] {
                if let Ok(parsed) = DataType::parse(&text) {
                    prop_assert_eq!(DataType::parse(&parsed.to_string()), Ok(parsed));
                }
            }
        }
    }
}
