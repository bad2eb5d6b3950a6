//! The names in a package as a tree: which are files, which are links, and that neither has anything below it.
//!
//! A name may stand for as many folders as it has parts, so a small package could ask for millions of them. Each folder
//! is counted once, and held as a part of a name below another folder, never as the whole path to it.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

use crate::{PackageError, limits};

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    Link,
}

/// Entries so far, each known by the one above it and its own part of the name; the root is 0.
pub(crate) struct NameTree {
    known: HashMap<(u32, Box<str>), u32>,
    kinds: Vec<Kind>,
    /// The most of them.
    max: usize,
}

impl NameTree {
    /// A tree without entries, which takes `max` of them.
    pub fn new(max: usize) -> Self {
        Self {
            known: HashMap::new(),
            kinds: vec![Kind::Folder],
            max,
        }
    }

    /// Adds an entry and the folders above it.
    ///
    /// # Errors
    /// It stands below a file or in a link's place, or there are too many.
    pub fn add(&mut self, name: &Path, kind: Kind) -> Result<(), PackageError> {
        let clash = || PackageError::Clash(name.display().to_string());
        if name.as_os_str().len() > limits::PACKAGE_NAME_BYTES_MAX {
            return Err(PackageError::LongName);
        }
        let mut parts = name.components().peekable();
        let mut at = 0;
        while let Some(part) = parts.next() {
            let Component::Normal(part) = part else {
                continue;
            };
            if part.len() > limits::PACKAGE_NAME_PART_BYTES_MAX {
                return Err(PackageError::LongName);
            }
            let wanted = match parts.peek() {
                None => kind,
                Some(_) => Kind::Folder,
            };
            let (below, is_new) = self.below(at, &part.to_string_lossy(), wanted)?;
            let found = self.kinds[below as usize];
            // A folder may be named again and again, whatever else once.
            if !is_new && (found, wanted) != (Kind::Folder, Kind::Folder) {
                return Err(clash());
            }
            at = below;
        }
        Ok(())
    }

    /// The entry of that name below `at`, which is made where there is none.
    fn below(&mut self, at: u32, part: &str, kind: Kind) -> Result<(u32, bool), PackageError> {
        let key = (at, Box::from(part));
        if let Some(known) = self.known.get(&key) {
            return Ok((*known, false));
        }
        let count = self.kinds.len();
        if count > self.max {
            return Err(PackageError::TooManyFiles { max: self.max });
        }
        let made = u32::try_from(count).expect("entries are some hundred thousands");
        self.known.insert(key, made);
        self.kinds.push(kind);
        Ok((made, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tree: &mut NameTree, name: &str, kind: Kind) -> Result<(), PackageError> {
        tree.add(Path::new(name), kind)
    }

    #[test]
    fn a_file_or_link_has_its_name_alone_and_nothing_below_it() {
        let mut tree = NameTree::new(10);
        for (name, kind) in [
            ("a/b/c", Kind::File),
            ("a/b", Kind::Folder),
            ("a/b", Kind::Folder),
            ("a/link", Kind::Link),
        ] {
            assert_eq!(add(&mut tree, name, kind), Ok(()), "{name}");
        }
        for (name, kind) in [
            ("a/b/c", Kind::File),
            ("a/b/c/d", Kind::File),
            ("a/b", Kind::File),
            ("a/link/x", Kind::File),
            ("a/link", Kind::Folder),
        ] {
            let clash = Err(PackageError::Clash(name.to_owned()));
            assert_eq!(add(&mut tree, name, kind), clash, "{name}");
        }
    }

    /// 1,000 names of 2 KB ask for a million folders, and would take a gigabyte as paths.
    #[test]
    fn folders_are_counted_though_no_entry_names_them() {
        let max = limits::PACKAGE_ENTRIES_MAX;
        let mut tree = NameTree::new(max);
        let mut refused = None;
        for number in 0..1000 {
            let name = format!("{number}{}", "/a".repeat(1000));
            if let Err(error) = add(&mut tree, &name, Kind::File) {
                refused = Some((number, error));
                break;
            }
        }
        assert_eq!(refused, Some((65, PackageError::TooManyFiles { max })));
        let long = "a/".repeat(2000);
        assert_eq!(
            add(&mut NameTree::new(max), &long, Kind::File),
            Err(PackageError::LongName)
        );
        let part = "a".repeat(256);
        assert_eq!(
            add(&mut NameTree::new(max), &part, Kind::File),
            Err(PackageError::LongName)
        );
    }
}
