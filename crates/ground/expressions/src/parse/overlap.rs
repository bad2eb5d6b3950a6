//! Paths that stand in each other's way.

use std::mem::discriminant;

use crate::{Invalid, Path};

/// How two paths stand in each other's way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clash {
    /// One is the beginning of the other.
    Overlap,
    /// At the same place one wants a map and the other a list.
    Conflict,
}

/// Makes sure that no path stands in the way of another. An overlap is told before a conflict, wherever they are.
///
/// # Errors
/// The first two that do.
pub fn check(paths: &[Path]) -> Result<(), Invalid> {
    let clashes = || {
        paths.iter().enumerate().flat_map(|(at, path)| {
            let before = paths.get(..at).unwrap_or_default();
            before
                .iter()
                .filter_map(move |earlier| Some((clash(earlier, path)?, earlier, path)))
        })
    };
    let overlap = clashes().find(|(clash, ..)| *clash == Clash::Overlap);
    let Some((clash, one, two)) = overlap.or_else(|| clashes().next()) else {
        return Ok(());
    };
    let what = match clash {
        Clash::Overlap => "overlap",
        Clash::Conflict => "conflict",
    };
    Err(Invalid::new(format!(
        "Two document paths {what} with each other; must remove or rewrite one of these paths; \
         path one: {one}, path two: {two}"
    )))
}

fn clash(one: &Path, other: &Path) -> Option<Clash> {
    if one.root != other.root {
        return None;
    }
    let parted = one
        .steps
        .iter()
        .zip(&other.steps)
        .find(|(one, other)| one != other);
    match parted {
        None => Some(Clash::Overlap),
        Some((one, other)) if discriminant(one) != discriminant(other) => Some(Clash::Conflict),
        Some(_) => None,
    }
}
