//! The functions of metric math.

use std::{cmp::Ordering, collections::BTreeMap, ops::RangeInclusive};

use headwater_types::Millis;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    Inputs, MathError, TimeSeries, Value,
    evaluate::evaluate,
    limits,
    parse::{Node, Word},
};

macro_rules! functions {
    ($($function:ident = $name:literal, $arguments:expr;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function {$($function,)*}

        impl Function {
            const ALL: &'static [Self] = &[$(Self::$function,)*];

            pub const fn name(self) -> &'static str {
                match self {$(Self::$function => $name,)*}
            }

            /// How many arguments it takes.
            pub const fn arguments(self) -> RangeInclusive<usize> {
                match self {$(Self::$function => $arguments,)*}
            }
        }
    };
}

functions! {
    Abs = "ABS", 1..=1;
    Average = "AVG", 1..=1;
    Ceiling = "CEIL", 1..=1;
    CountOfPoints = "DATAPOINT_COUNT", 1..=1;
    Date = "DATE", 1..=1;
    Day = "DAY", 1..=1;
    Difference = "DIFF", 1..=1;
    DifferenceOfTime = "DIFF_TIME", 1..=1;
    Epoch = "EPOCH", 1..=1;
    Fill = "FILL", 2..=2;
    First = "FIRST", 1..=1;
    Floor = "FLOOR", 1..=1;
    Hour = "HOUR", 1..=1;
    If = "IF", 2..=3;
    Last = "LAST", 1..=1;
    Log = "LOG", 1..=1;
    Log10 = "LOG10", 1..=1;
    Maximum = "MAX", 1..=1;
    CountOfMetrics = "METRIC_COUNT", 1..=1;
    Metrics = "METRICS", 0..=1;
    Minimum = "MIN", 1..=1;
    Minute = "MINUTE", 1..=1;
    Month = "MONTH", 1..=1;
    Period = "PERIOD", 1..=1;
    Rate = "RATE", 1..=1;
    RemoveEmpty = "REMOVE_EMPTY", 1..=1;
    RunningSum = "RUNNING_SUM", 1..=1;
    Slice = "SLICE", 2..=3;
    Sort = "SORT", 3..=4;
    Deviation = "STDDEV", 1..=1;
    Sum = "SUM", 1..=1;
    Series = "TIME_SERIES", 1..=1;
    Year = "YEAR", 1..=1;
}

/// Functions of AWS's that ask other services, or models.
pub(super) const NOT_SUPPORTED: &[&str] = &[
    "ANOMALY_DETECTION_BAND",
    "DB_PERF_INSIGHTS",
    "INSIGHT_RULE_METRIC",
    "SEARCH",
    "SERVICE_QUOTA",
];

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name() == name)
    }

    /// What it makes of numbers; none where there are none, or of a function of another kind.
    fn of_numbers(self, numbers: impl Iterator<Item = f64>) -> Option<f64> {
        let numbers: Vec<f64> = numbers.collect();
        let count = numbers.len() as f64;
        let sum = || numbers.iter().sum::<f64>();
        if numbers.is_empty() {
            return None;
        }
        Some(match self {
            Self::Sum => sum(),
            Self::Average => sum() / count,
            Self::Minimum => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Maximum => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::CountOfPoints => count,
            Self::Deviation => {
                let mean = sum() / count;
                let squares = numbers.iter().map(|number| (number - mean).powi(2));
                (squares.sum::<f64>() / count).sqrt()
            }
            _ => return None,
        })
    }
}

/// The value of a call, which has as many arguments as the function takes.
pub(super) fn call(
    function: Function,
    arguments: &[Node],
    inputs: &Inputs,
) -> Result<Value, MathError> {
    use Function as F;
    let value = |number: usize| evaluate(&arguments[number], inputs);
    match function {
        F::Metrics => metrics(arguments, inputs),
        F::Fill => fill_all(arguments, inputs),
        F::Sort => sort(arguments, inputs),
        F::Slice => slice(arguments, inputs),
        F::If => choose(
            value(0)?,
            value(1)?,
            arguments.get(2).map(|_| value(2)).transpose()?,
        ),
        F::Abs => Ok(value(0)?.map(f64::abs)),
        F::Ceiling => Ok(value(0)?.map(f64::ceil)),
        F::Floor => Ok(value(0)?.map(f64::floor)),
        F::Log => Ok(value(0)?.map(f64::ln)),
        F::Log10 => Ok(value(0)?.map(f64::log10)),
        F::Average | F::Deviation | F::Maximum | F::Minimum | F::Sum | F::CountOfPoints => {
            summed_up(function, value(0)?)
        }
        F::Date | F::Day | F::Epoch | F::Hour | F::Minute | F::Month | F::Year => {
            value(0)?.each(|series| series.map(|at, _| part_of_time(function, at)))
        }
        F::Difference | F::DifferenceOfTime | F::Rate => {
            value(0)?.each(|series| between(function, series))
        }
        F::RunningSum => value(0)?.each(running_sum),
        F::Period => Ok(Value::Scalar(value(0)?.one_series()?.period.into())),
        F::Series => Ok(Value::Series(constant(value(0)?.scalar()?, inputs)?)),
        F::CountOfMetrics => Ok(Value::Scalar(value(0)?.array()?.len() as f64)),
        F::First => ends(value(0)?.array()?.into_iter().next()),
        F::Last => ends(value(0)?.array()?.pop()),
        F::RemoveEmpty => {
            let mut array = value(0)?.array()?;
            array.retain(|series| !series.points.is_empty());
            Ok(Value::Array(array))
        }
    }
}

/// The metrics, or those whose ids contain a text.
fn metrics(arguments: &[Node], inputs: &Inputs) -> Result<Value, MathError> {
    let part = match arguments {
        [] => "",
        [Node::Text(part)] => part,
        _ => return Err(MathError::Kind("METRICS takes a text")),
    };
    let ids = inputs.metrics.iter().filter(|id| id.contains(part));
    let series = ids.filter_map(|id| inputs.values.get(id));
    let each = series.flat_map(|value| value.series().iter().cloned());
    Ok(Value::Array(each.collect()))
}

/// A number of one series; of several, a series of a number for each time.
fn summed_up(function: Function, value: Value) -> Result<Value, MathError> {
    let array = match value {
        Value::Scalar(number) => return Ok(Value::Scalar(number)),
        // AWS's numbers have no place for what is none.
        Value::Series(series) => {
            let number = function.of_numbers(series.values());
            return Ok(Value::Scalar(number.unwrap_or(0.0)));
        }
        Value::Array(array) => array,
    };
    let mut by_time: BTreeMap<Millis, Vec<f64>> = BTreeMap::new();
    for (at, value) in array.iter().flat_map(|series| &series.points) {
        by_time.entry(*at).or_default().push(*value);
    }
    let points = by_time.into_iter();
    let points =
        points.filter_map(|(at, values)| Some((at, function.of_numbers(values.into_iter())?)));
    let whole = TimeSeries {
        id: None,
        period: array.iter().map(|series| series.period).max().unwrap_or(0),
        points: Vec::new(),
    };
    Ok(Value::Series(whole.with(points)))
}

/// The numbers between each point and the one before it.
fn between(function: Function, series: &TimeSeries) -> TimeSeries {
    let pairs = series.points.windows(2).map(|pair| {
        let seconds = (pair[1].0.0 - pair[0].0.0) as f64 / 1000.0;
        let difference = pair[1].1 - pair[0].1;
        let number = match function {
            Function::DifferenceOfTime => seconds,
            Function::Rate => difference / seconds,
            _ => difference,
        };
        (pair[1].0, number)
    });
    series.with(pairs)
}

fn running_sum(series: &TimeSeries) -> TimeSeries {
    let mut sum = 0.0;
    let points = series.points.iter().map(|(at, value)| {
        sum += value;
        (*at, sum)
    });
    series.with(points)
}

/// A part of a time, in UTC. Days of the week are counted from Monday, which is 1.
fn part_of_time(function: Function, at: Millis) -> f64 {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    // What is behind the end of all times that have a year has no part.
    let Ok(time) = Timestamp::from_millisecond(millis) else {
        return f64::NAN;
    };
    let time: Zoned = time.to_zoned(TimeZone::UTC);
    match function {
        Function::Minute => time.minute().into(),
        Function::Hour => time.hour().into(),
        Function::Day => time.weekday().to_monday_one_offset().into(),
        Function::Date => time.day().into(),
        Function::Month => time.month().into(),
        Function::Year => time.year().into(),
        _ => at.seconds() as f64,
    }
}

/// The beginnings of the periods that are asked for.
fn times(inputs: &Inputs, period: u32) -> Result<impl Iterator<Item = Millis> + use<>, MathError> {
    let step = u64::from(period.max(1)) * 1000;
    let (from, to) = (inputs.from.0, inputs.to.0.max(inputs.from.0));
    if (to - from) / step >= limits::POINTS_MAX as u64 {
        return Err(MathError::TooManyPoints);
    }
    Ok((from..to).step_by(step as usize).map(Millis))
}

fn constant(number: f64, inputs: &Inputs) -> Result<TimeSeries, MathError> {
    let series = TimeSeries {
        id: None,
        period: inputs.period,
        points: Vec::new(),
    };
    Ok(series.with(times(inputs, inputs.period)?.map(|at| (at, number))))
}

/// What stands where a series has no point.
#[derive(Clone, Copy)]
enum Filling {
    Number(f64),
    Repeat,
    Linear,
}

fn fill_all(arguments: &[Node], inputs: &Inputs) -> Result<Value, MathError> {
    let filling = match &arguments[1] {
        Node::Word(Word::Repeat) => Filling::Repeat,
        Node::Word(Word::Linear) => Filling::Linear,
        number => Filling::Number(evaluate(number, inputs)?.scalar()?),
    };
    Ok(match evaluate(&arguments[0], inputs)? {
        Value::Array(array) => {
            let mut points = 0;
            let filled = array.iter().map(|series| {
                let series = fill(series, filling, inputs)?;
                points += series.points.len();
                match points > limits::POINTS_MAX {
                    true => Err(MathError::TooManyPoints),
                    false => Ok(series),
                }
            });
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        one => Value::Series(fill(&one.one_series()?, filling, inputs)?),
    })
}

fn fill(series: &TimeSeries, filling: Filling, inputs: &Inputs) -> Result<TimeSeries, MathError> {
    let period = if series.period == 0 {
        inputs.period
    } else {
        series.period
    };
    let mut points: BTreeMap<Millis, f64> = series.points.iter().copied().collect();
    for at in times(inputs, period)? {
        if series.value_at(at).is_some() {
            continue;
        }
        let next = series.points.partition_point(|point| point.0 < at);
        let before = next.checked_sub(1).map(|before| series.points[before]);
        let value = match (filling, before, series.points.get(next)) {
            (Filling::Number(number), ..) => Some(number),
            (Filling::Repeat, Some(before), _) => Some(before.1),
            (Filling::Linear, Some(before), Some(after)) => {
                let share = (at.0 - before.0.0) as f64 / (after.0.0 - before.0.0) as f64;
                Some(before.1 + (after.1 - before.1) * share)
            }
            _ => None,
        };
        points.extend(value.map(|value| (at, value)));
    }
    Ok(series.with(points))
}

/// One value where a condition is not zero, and another where it is. Without the other there is no point.
fn choose(condition: Value, yes: Value, no: Option<Value>) -> Result<Value, MathError> {
    let series = match condition {
        Value::Scalar(condition) if condition != 0.0 => return Ok(yes),
        Value::Scalar(_) => return Ok(no.unwrap_or(Value::Series(TimeSeries::default()))),
        series => series.one_series()?,
    };
    let is_array = |value: &Value| matches!(value, Value::Array(_));
    if is_array(&yes) || no.as_ref().is_some_and(is_array) {
        return Err(MathError::Kind("IF takes numbers and single series"));
    }
    let at = |value: &Value, at: Millis| match value {
        Value::Scalar(number) => Some(*number),
        value => value.series().first()?.value_at(at),
    };
    let chosen = series.points.iter().filter_map(|(time, condition)| {
        let value = match *condition != 0.0 {
            true => at(&yes, *time),
            false => at(no.as_ref()?, *time),
        };
        Some((*time, value?))
    });
    Ok(Value::Series(series.with(chosen)))
}

fn sort(arguments: &[Node], inputs: &Inputs) -> Result<Value, MathError> {
    let (Node::Word(Word::By(by)), Node::Word(order)) = (&arguments[1], &arguments[2]) else {
        return Err(MathError::Kind(
            "SORT takes AVG, MIN, MAX or SUM, and ASC or DESC",
        ));
    };
    let is_descending = *order == Word::Descending;
    if !is_descending && *order != Word::Ascending {
        return Err(MathError::Kind("SORT takes ASC or DESC"));
    }
    let array = evaluate(&arguments[0], inputs)?.array()?;
    let mut keyed: Vec<_> = array
        .into_iter()
        .map(|series| (by.of_numbers(series.values()), series))
        .collect();
    // Series without a point come last.
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) if is_descending => b.total_cmp(a),
        (Some(a), Some(b)) => a.total_cmp(b),
        (None, None) => Ordering::Equal,
        (a, _) => match a {
            Some(_) => Ordering::Less,
            None => Ordering::Greater,
        },
    });
    let count = match arguments.get(3) {
        Some(count) => place(evaluate(count, inputs)?)?,
        None => usize::MAX,
    };
    Ok(Value::Array(
        keyed
            .into_iter()
            .map(|series| series.1)
            .take(count)
            .collect(),
    ))
}

fn slice(arguments: &[Node], inputs: &Inputs) -> Result<Value, MathError> {
    let array = evaluate(&arguments[0], inputs)?.array()?;
    let from = place(evaluate(&arguments[1], inputs)?)?;
    let to = match arguments.get(2) {
        Some(to) => place(evaluate(to, inputs)?)?,
        None => usize::MAX,
    };
    let part = array.into_iter().take(to).skip(from);
    Ok(Value::Array(part.collect()))
}

/// A place in an array.
fn place(value: Value) -> Result<usize, MathError> {
    let number = value.scalar()?;
    match number >= 0.0 && number.fract() == 0.0 {
        true => Ok(number as usize),
        false => Err(MathError::Kind("a place in an array is a whole number")),
    }
}

fn ends(series: Option<TimeSeries>) -> Result<Value, MathError> {
    Ok(Value::Series(series.unwrap_or_default()))
}
