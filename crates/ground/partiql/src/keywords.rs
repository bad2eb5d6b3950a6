//! The words that name nothing without quotes.

/// The words, in order. (Source: the lists of `partiql-lang-kotlin`, AWS's own implementation of the language; those of SQL-92
/// without the parts of dates, which AWS's examples use as names, and what PartiQL has beside them.)
const WORDS: &str = "
absolute action add all allocate alter and any are as asc assertion at authorization avg bag begin between bit bit_length
blob bool boolean both by cascade cascaded case cast catalog char char_length character character_length check clob close
coalesce collate collation column commit connect connection constraint constraints continue convert corresponding count
create cross current current_date current_time current_timestamp current_user cursor date deallocate dec decimal declare
default deferrable deferred delete desc describe descriptor diagnostics disconnect distinct domain double drop else end
escape except exception exec execute exists external extract false fetch first float for foreign found from full get global
go goto grant group having identity immediate in index indicator initially inner input insensitive insert int integer
intersect interval into is isolation join key language last leading left level like limit list local lower match max min
missing module names national natural nchar next no not null nullif numeric octet_length of on only open option or order
outer output overlaps pad partial pivot position precision prepare preserve primary prior privileges procedure public read
real references relative remove restrict returning revoke right rollback rows schema scroll section select session session_user set
sexp size smallint some space sql sqlcode sqlerror sqlstate string struct substring sum symbol system_user table temporary
then time timestamp to trailing transaction translate translation trim true tuple union unique unknown unpivot update upper
usage user using value values varchar varying view when whenever where with work write zone
";

/// The longest word has so many bytes.
const LONGEST: usize = 17;

/// Those that stand between values.
const OPERATORS: &[&str] = &["and", "between", "in", "is", "like", "or"];

/// Whether a name is one of the words; case does not matter.
pub(crate) fn is_keyword(name: &str) -> bool {
    name.len() <= LONGEST && is_one_of(name, WORDS.split_whitespace())
}

/// Whether a name is one of those that stand between values.
pub(crate) fn is_operator(name: &str) -> bool {
    is_one_of(name, OPERATORS.iter().copied())
}

fn is_one_of<'a>(name: &str, mut words: impl Iterator<Item = &'a str>) -> bool {
    words.any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_other_names_are_free() {
        assert!(WORDS.split_whitespace().is_sorted());
        assert_eq!(WORDS.split_whitespace().map(str::len).max(), Some(LONGEST));
        for name in ["SELECT", "inner", "Current_Timestamp"] {
            assert!(is_keyword(name), "{name}");
        }
        for name in ["data", "year", "status", "selects", ""] {
            assert!(!is_keyword(name), "{name}");
        }
        assert!(is_operator("Is") && !is_operator("select"));
    }
}
