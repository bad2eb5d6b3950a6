//! Names of the models as Rust spells them.

use std::collections::{BTreeMap, HashSet};

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static",
    "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// `StreamARN` → `stream_arn`, `ChecksumCRC32C` → `checksum_crc32c`, `ConsumerARNs` → `consumer_arns`.
pub fn snake(name: &str) -> String {
    // Units are words of their own, although they do not look like it.
    let name = ["KiB", "MiB", "GiB"]
        .iter()
        .fold(name.to_owned(), |name, unit| {
            name.replace(unit, &(unit[..1].to_owned() + &unit[1..].to_lowercase()))
        });
    let chars: Vec<char> = name.chars().collect();
    let lower = |i: usize| chars.get(i).is_some_and(char::is_ascii_lowercase);
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        // A lone `s` after capitals is their plural, not the start of a word.
        let plural = chars.get(i + 1) == Some(&'s') && !lower(i + 2);
        let starts_word = c.is_ascii_uppercase() && lower(i + 1) && !plural;
        let after_word = i > 0 && c.is_ascii_uppercase() && chars[i - 1].is_ascii_lowercase();
        if i > 0 && (starts_word || after_word) && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The name of a field.
pub fn field(name: &str) -> String {
    let name = snake(name);
    if KEYWORDS.contains(&name.as_str()) {
        format!("r#{name}")
    } else {
        name
    }
}

/// The names of the statics for `names`, all different.
pub fn statics<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut taken = HashSet::new();
    names
        .map(|name| {
            let base = snake(name).to_uppercase();
            let mut unique = base.clone();
            let mut count = 1;
            while !taken.insert(unique.clone()) {
                count += 1;
                unique = format!("{base}_{count}");
            }
            (name.to_owned(), unique)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_where_people_split_them() {
        for (name, expected) in [
            ("StreamARN", "stream_arn"),
            ("ConsumerARNs", "consumer_arns"),
            ("S3DestinationDescription", "s3_destination_description"),
            ("SSECustomerKeyMD5", "sse_customer_key_md5"),
            ("ChecksumCRC64NVME", "checksum_crc64nvme"),
            ("ETag", "e_tag"),
            ("nextToken", "next_token"),
            ("AWSKMSKeyARN", "awskms_key_arn"),
            ("AvailabilityZones", "availability_zones"),
            ("IsTruncated", "is_truncated"),
            ("MaxRecordSizeInKiB", "max_record_size_in_kib"),
            ("WarmThroughputMiBps", "warm_throughput_mibps"),
            (
                "ExecutionEnvironmentMemoryGiBPerVCpu",
                "execution_environment_memory_gib_per_v_cpu",
            ),
            ("As", "as"),
        ] {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(field("Type"), "r#type");
    }

    #[test]
    fn names_that_differ_in_case_alone_stay_apart() {
        let names = statics(["NextToken", "nextToken"].into_iter());
        assert_eq!(
            (names["NextToken"].as_str(), names["nextToken"].as_str()),
            ("NEXT_TOKEN", "NEXT_TOKEN_2")
        );
    }
}
