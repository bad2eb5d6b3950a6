//! The list against itself, against `docs/format` and against those who use it.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use super::{Prefix, ShardSpace, Single, clash};

/// An entry of any kind, as the tests look at it.
struct Entry {
    /// As code spells it.
    name: String,
    /// As its document spells it.
    spelling: String,
    owner: &'static str,
    document: &'static str,
}

fn entries() -> Vec<Entry> {
    let prefix = |entry: &Prefix| Entry {
        name: format!("Prefix::{entry:?}"),
        spelling: format!("`{}<", entry.key()),
        owner: entry.owner(),
        document: entry.document(),
    };
    let single = |entry: &Single| Entry {
        name: format!("Single::{entry:?}"),
        spelling: format!("`{}`", entry.key()),
        owner: entry.owner(),
        document: entry.document(),
    };
    let space = |entry: &ShardSpace| Entry {
        name: format!("ShardSpace::{entry:?}"),
        spelling: format!("`0x{:02x}", *entry as u8),
        owner: entry.owner(),
        document: entry.document(),
    };
    let prefixes = Prefix::ALL.iter().map(prefix);
    let singles = Single::ALL.iter().map(single);
    let spaces = ShardSpace::ALL.iter().map(space);
    prefixes.chain(singles).chain(spaces).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

#[test]
fn keys_that_begin_with_another_are_refused() {
    clash::refuse(&[&["a/b/", "a/c/"], &["a/d", "ab/"]]);
    for lists in [
        &[&["a/", "b/"][..], &["a/c"]][..],
        &[&["a/b/", "a/b/"]],
        &[&["a/b/"], &["a/b/"]],
        &[&["x/", "a/b/c/", "a/b"]],
    ] {
        assert!(catch_unwind(|| clash::refuse(lists)).is_err(), "{lists:?}");
    }
}

#[test]
fn a_prefix_ends_with_a_slash() {
    assert!(Prefix::ALL.iter().all(|entry| entry.key().ends_with('/')));
    assert!(!Single::ALL.iter().any(|entry| entry.key().ends_with('/')));
}

/// Each entry stands in the document that it names, in code letters.
#[test]
fn each_entry_is_documented() {
    for entry in entries() {
        let path = root().join("docs/format").join(entry.document);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert!(
            text.contains(&entry.spelling),
            "{} does not have {}",
            entry.document,
            entry.spelling
        );
    }
}

/// Each entry is used, and by its owner alone.
#[test]
fn each_entry_has_the_owner_that_it_names() {
    let mut sources = Vec::new();
    for floor in ["ground", "domain", "doors", "roof"] {
        for found in fs::read_dir(root().join("crates").join(floor)).unwrap() {
            let path = found.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name != "types" && path.join("src").is_dir() {
                let mut text = String::new();
                read_all(&path.join("src"), &mut text);
                sources.push((name, text));
            }
        }
    }
    for entry in entries() {
        let is_named = |text: &str| {
            text.match_indices(&entry.name).any(|(at, name)| {
                let after = text[at + name.len()..].chars().next();
                !after.is_some_and(|after| after.is_alphanumeric())
            })
        };
        let users: Vec<_> = sources
            .iter()
            .filter(|(_, text)| is_named(text))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(users, [entry.owner], "{}", entry.name);
    }
}

fn read_all(folder: &Path, text: &mut String) {
    for found in fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
