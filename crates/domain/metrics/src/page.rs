//! Pages of a file: points of series, in columns, as short as what is alike lets them be.

use crate::{
    Distribution, Summary,
    bytes::{Input, put_number, put_varint},
    cell::{Cell, Spread},
    distribution::BUCKETS_END,
    index::SeriesId,
    limits,
    recent::{Dot, Level},
};

/// Points of one series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub series: SeriesId,
    pub dots: Vec<Dot>,
}

/// Whether a spread is even, not known, or how many buckets more than this it has.
const EVEN: u64 = 0;
const UNKNOWN: u64 = 1;
const KNOWN: u64 = 2;

/// Adds points of a series behind the runs that a page has; `before` is the series of the last of them.
pub(crate) fn put_run(
    to: &mut Vec<u8>,
    before: Option<SeriesId>,
    series: SeriesId,
    level: Level,
    dots: &[Dot],
) {
    put_varint(to, (series.0 - before.map_or(0, |before| before.0)).into());
    put_varint(to, dots.len() as u64);
    let mut at = 0;
    for dot in dots {
        put_varint(to, dot.at / level.seconds() - at);
        at = dot.at / level.seconds();
    }
    let column = |to: &mut Vec<u8>, of: fn(&Summary) -> f64| {
        let mut near = 0.0;
        for dot in dots {
            put_number(to, of(&dot.cell.summary), near);
            near = of(&dot.cell.summary);
        }
    };
    column(to, |summary| summary.count);
    column(to, |summary| summary.sum);
    for Summary {
        count, sum, min, ..
    } in dots.iter().map(|dot| dot.cell.summary)
    {
        put_number(to, min, sum / count);
    }
    for Summary { min, max, .. } in dots.iter().map(|dot| dot.cell.summary) {
        put_number(to, max, min);
    }
    dots.iter().for_each(|dot| put_spread(to, &dot.cell.spread));
}

fn put_spread(to: &mut Vec<u8>, spread: &Spread) {
    let known = match spread {
        Spread::Even => return put_varint(to, EVEN),
        Spread::Unknown => return put_varint(to, UNKNOWN),
        Spread::Known(known) => known,
    };
    put_varint(to, KNOWN + known.buckets().len() as u64);
    let (mut before, mut near) = (0, 1.0);
    for (bucket, count) in known.buckets() {
        put_varint(to, (bucket - before).into());
        put_number(to, *count, near);
        (before, near) = (*bucket, *count);
    }
}

/// The runs of a page; none where the bytes are no page of this level.
pub(crate) fn runs(bytes: &[u8], level: Level) -> Option<Vec<Run>> {
    let mut input = Input::new(bytes);
    let (mut runs, mut series) = (Vec::new(), 0u32);
    while !input.rest().is_empty() {
        series = series.checked_add(input.varint()?.try_into().ok()?)?;
        let dots = take_dots(&mut input, level)?;
        let series = SeriesId(series);
        runs.push(Run { series, dots });
    }
    Some(runs)
}

fn take_dots(input: &mut Input<'_>, level: Level) -> Option<Vec<Dot>> {
    let count = input.count(limits::RUN_POINTS_MAX + 1)?;
    let mut dots: Vec<Dot> = Vec::with_capacity(count.min(input.rest().len()));
    let mut at = 0u64;
    for number in 0..count {
        let step = input.varint()?;
        if number > 0 && step == 0 {
            return None;
        }
        at = at.checked_add(step)?;
        dots.push(Dot {
            at: at.checked_mul(level.seconds())?,
            cell: Cell::default(),
        });
    }
    let mut near = 0.0;
    for dot in &mut dots {
        near = input.number(near)?;
        dot.cell.summary.count = near;
    }
    near = 0.0;
    for dot in &mut dots {
        near = input.number(near)?;
        dot.cell.summary.sum = near;
    }
    for summary in dots.iter_mut().map(|dot| &mut dot.cell.summary) {
        summary.min = input.number(summary.sum / summary.count)?;
    }
    for summary in dots.iter_mut().map(|dot| &mut dot.cell.summary) {
        summary.max = input.number(summary.min)?;
    }
    for dot in &mut dots {
        dot.cell.spread = take_spread(input)?;
    }
    Some(dots)
}

fn take_spread(input: &mut Input<'_>) -> Option<Spread> {
    let count = match input.varint()? {
        EVEN => return Some(Spread::Even),
        UNKNOWN => return Some(Spread::Unknown),
        known => usize::try_from(known - KNOWN).ok()?,
    };
    if count > input.rest().len() {
        return None;
    }
    let mut buckets = Vec::with_capacity(count);
    let (mut bucket, mut near) = (0u64, 1.0);
    for number in 0..count {
        let step = input.varint()?;
        if number > 0 && step == 0 {
            return None;
        }
        bucket = bucket.checked_add(step)?;
        near = input.number(near)?;
        if bucket >= BUCKETS_END.into() {
            return None;
        }
        buckets.push((bucket as u32, near));
    }
    Some(Spread::Known(Box::new(Distribution::of_buckets(buckets))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Values;

    fn cells() -> impl Strategy<Value = Cell> {
        let value = prop_oneof![-3f64..1000.0, (0i32..9).prop_map(f64::from)];
        let each = prop::collection::vec((value, 1u8..4), 1..6);
        each.prop_map(|each| {
            let each = each.into_iter().map(|(value, count)| (value, count.into()));
            Cell::of(&Values::Each(each.collect()))
        })
    }

    proptest! {
        #[test]
        fn a_page_reads_back(
            all in prop::collection::btree_map(
                any::<u32>(),
                prop::collection::btree_map(0u64..1 << 40, cells(), 1..5),
                0..4,
            ),
        ) {
            let level = Level::Minute;
            let (mut bytes, mut before, mut expected) = (Vec::new(), None, Vec::new());
            for (series, dots) in all {
                let dots = dots.into_iter().map(|(at, cell)| Dot { at: at * 60, cell });
                let run = Run { series: SeriesId(series), dots: dots.collect() };
                put_run(&mut bytes, before, run.series, level, &run.dots);
                before = Some(run.series);
                expected.push(run);
            }
            prop_assert_eq!(runs(&bytes, level), Some(expected));
        }

        #[test]
        fn any_bytes_are_a_page_or_none(bytes: Vec<u8>) {
            drop(runs(&bytes, Level::Second));
        }
    }
}
