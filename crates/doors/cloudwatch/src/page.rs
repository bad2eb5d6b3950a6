//! Pages of GetMetricData: as many points as a request takes, series by series.

use headwater_shapes_cloudwatch::{MessageData, MetricDataResult, errors::INVALID_NEXT_TOKEN};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{errors::validation, ranges, token};

/// Points in one answer (API reference, GetMetricData).
pub(crate) const POINTS_MAX: usize = 100_800;

/// A series, as it may be answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawn {
    pub id: String,
    pub label: String,
    /// The points, in the order of their times; none where they were not read, since this page has no room for them.
    pub points: Option<Vec<(Millis, f64)>>,
    pub messages: Vec<MessageData>,
}

/// A page that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its first series, counted from 0.
    series: usize,
    /// The time of the last point of that series that was answered.
    after: Option<Millis>,
    /// Points that it has at most.
    pub most: usize,
    is_ascending: bool,
}

impl Page {
    /// Reads what a request says of it.
    pub fn read(
        next_token: Option<&str>,
        most: Option<i32>,
        is_ascending: bool,
    ) -> Result<Self, ApiError> {
        let most = match most.map(usize::try_from) {
            None => POINTS_MAX,
            Some(Ok(most)) if (1..=POINTS_MAX).contains(&most) => most,
            Some(_) => {
                return Err(validation(format!(
                    "The parameter MaxDatapoints must be between 1 and {POINTS_MAX}.\n"
                )));
            }
        };
        let (series, after) = match next_token {
            None => (0, None),
            Some(token) => place(token).ok_or_else(|| {
                ApiError::of(&INVALID_NEXT_TOKEN, "The value for NextToken is invalid.")
            })?,
        };
        Ok(Self {
            series,
            after,
            most,
            is_ascending,
        })
    }

    /// Whether a series was answered by the pages before.
    pub fn is_before(&self, series: usize) -> bool {
        series < self.series
    }

    /// The results of this page, and the token of the next one.
    pub fn cut(&self, drawn: Vec<Drawn>) -> (Vec<MetricDataResult>, Option<String>) {
        let (mut results, mut next) = (Vec::new(), None);
        let mut left = self.most;
        for (at, drawn) in drawn.into_iter().enumerate().skip(self.series) {
            let (points, is_whole) = match drawn.points {
                None => (Vec::new(), false),
                Some(points) => {
                    let mut points = self.ordered(points, at);
                    let is_whole = points.len() <= left;
                    points.truncate(left);
                    (points, is_whole)
                }
            };
            left -= points.len();
            if !is_whole && next.is_none() {
                let of_before = self.after.filter(|_| at == self.series);
                next = Some((at, points.last().map(|point| point.0).or(of_before)));
            }
            let (times, values): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            results.push(MetricDataResult {
                id: Some(drawn.id),
                label: Some(drawn.label),
                timestamps: Some(times.into_iter().map(ranges::timestamp).collect()),
                values: Some(values),
                status_code: Some(if is_whole { "Complete" } else { "PartialData" }.to_owned()),
                messages: (!drawn.messages.is_empty()).then_some(drawn.messages),
            });
        }
        (results, next.map(|(series, after)| token_of(series, after)))
    }

    /// The points of a series that are left for this page, in the order in which they are asked for.
    fn ordered(&self, mut points: Vec<(Millis, f64)>, series: usize) -> Vec<(Millis, f64)> {
        if let Some(after) = self.after.filter(|_| series == self.series) {
            points.retain(|(at, _)| match self.is_ascending {
                true => *at > after,
                false => *at < after,
            });
        }
        if !self.is_ascending {
            points.reverse();
        }
        points
    }
}

fn token_of(series: usize, after: Option<Millis>) -> String {
    let after = after.map(|after| after.0.to_string()).unwrap_or_default();
    token::of_text(&format!("{series}/{after}"))
}

fn place(token: &str) -> Option<(usize, Option<Millis>)> {
    let text = token::text(token)?;
    let (series, after) = text.split_once('/')?;
    let after = match after {
        "" => None,
        after => Some(Millis(after.parse().ok()?)),
    };
    Some((series.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(lengths: &[usize]) -> Vec<Drawn> {
        let points = |len| {
            (0..len as u64)
                .map(|at| (Millis(at * 1000), at as f64))
                .collect()
        };
        let series = lengths.iter().enumerate().map(|(at, len)| Drawn {
            id: at.to_string(),
            label: String::new(),
            points: Some(points(*len)),
            messages: Vec::new(),
        });
        series.collect()
    }

    proptest! {
        #[test]
        fn pages_together_have_each_point_once(
            lengths in prop::collection::vec(0usize..9, 1..5),
            most in 1i32..12,
            is_ascending: bool,
        ) {
            let mut found = vec![Vec::new(); lengths.len()];
            let mut token: Option<String> = None;
            loop {
                let page = Page::read(token.as_deref(), Some(most), is_ascending).unwrap();
                let (results, next) = page.cut(drawn(&lengths));
                let values = |result: &MetricDataResult| result.values.clone().unwrap_or_default();
                let count: usize = results.iter().map(|result| values(result).len()).sum();
                prop_assert!(count <= most as usize);
                for result in &results {
                    let at: usize = result.id.as_ref().unwrap().parse().unwrap();
                    found[at].extend(values(result));
                }
                let is_whole = results.iter().all(|r| r.status_code.as_deref() == Some("Complete"));
                prop_assert_eq!(is_whole, next.is_none());
                token = next;
                if token.is_none() {
                    break;
                }
            }
            for (len, mut values) in lengths.into_iter().zip(found) {
                if !is_ascending {
                    values.reverse();
                }
                prop_assert_eq!(values, (0..len).map(|at| at as f64).collect::<Vec<_>>());
            }
        }

        #[test]
        fn any_text_is_a_token_or_an_error(token in "\\PC{0,40}", inside in "[0-9/]{0,30}") {
            drop(Page::read(Some(&token), None, true));
            drop(Page::read(Some(&token::of_text(&inside)), None, true));
        }
    }

    #[test]
    fn a_page_has_some_points_and_not_too_many() {
        for most in [-1, 0, POINTS_MAX as i32 + 1] {
            assert_eq!(
                Page::read(None, Some(most), true).unwrap_err().status(),
                400
            );
        }
    }
}
