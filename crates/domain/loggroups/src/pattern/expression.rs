//! Conditions joined by `&&` and `||`, of which `&&` binds closer, and parentheses.

use super::{invalid, scan::Scan};
use crate::{Error, limits::PATTERN_DEPTH_MAX};

#[derive(Debug, Clone)]
pub(super) enum Expression<T> {
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    One(T),
}

impl<T> Expression<T> {
    /// The expression that comes next, of conditions that `one` reads.
    pub fn parse(
        scan: &mut Scan<'_>,
        one: &impl Fn(&mut Scan<'_>) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        Self::any(scan, one, 0)
    }

    fn any(
        scan: &mut Scan<'_>,
        one: &impl Fn(&mut Scan<'_>) -> Result<T, Error>,
        depth: usize,
    ) -> Result<Self, Error> {
        let mut any = vec![Self::all(scan, one, depth)?];
        while scan.take("||") {
            any.push(Self::all(scan, one, depth)?);
        }
        Ok(Self::Any(any))
    }

    fn all(
        scan: &mut Scan<'_>,
        one: &impl Fn(&mut Scan<'_>) -> Result<T, Error>,
        depth: usize,
    ) -> Result<Self, Error> {
        let mut all = vec![Self::part(scan, one, depth)?];
        while scan.take("&&") {
            all.push(Self::part(scan, one, depth)?);
        }
        Ok(Self::All(all))
    }

    fn part(
        scan: &mut Scan<'_>,
        one: &impl Fn(&mut Scan<'_>) -> Result<T, Error>,
        depth: usize,
    ) -> Result<Self, Error> {
        if !scan.take("(") {
            return one(scan).map(Self::One);
        }
        if depth == PATTERN_DEPTH_MAX {
            return Err(invalid("too many parentheses within each other"));
        }
        let within = Self::any(scan, one, depth + 1)?;
        scan.expect(")")?;
        Ok(within)
    }

    /// Whether it holds where `holds` says so of its conditions.
    pub fn holds(&self, holds: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(all) => all.iter().all(|part| part.holds(holds)),
            Self::Any(any) => any.iter().any(|part| part.holds(holds)),
            Self::One(one) => holds(one),
        }
    }

    /// Its conditions, in order.
    pub fn parts(&self) -> Vec<&T> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::parts).collect(),
            Self::One(one) => vec![one],
        }
    }
}
