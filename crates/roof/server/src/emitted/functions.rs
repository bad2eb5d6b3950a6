//! Functions: `AWS/Lambda`. (Source: the developer guide, "Types of metrics for Lambda functions".)

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use headwater_functions::{FunctionCalls, Functions};
use headwater_mappings::Mappings;
use headwater_metrics::Unit;
use headwater_types::Tallied;

use super::{Emits, Emitted, Name};

const fn count(name: &'static str) -> Name {
    Name::new("AWS/Lambda", name, Unit::Count)
}

const fn millis(name: &'static str) -> Name {
    Name::new("AWS/Lambda", name, Unit::Milliseconds)
}

const INVOCATIONS: Name = count("Invocations");
const ERRORS: Name = count("Errors");
const THROTTLES: Name = count("Throttles");
const CONCURRENT: Name = count("ConcurrentExecutions");
/// Counted in nanoseconds.
const DURATION: Name = millis("Duration").times(1e-6);
const ITERATOR_AGE: Name = millis("IteratorAge");

/// What functions emit, and the mappings of streams to them.
pub struct EmitFunctions {
    /// The functions.
    pub functions: Functions,
    /// The mappings.
    pub mappings: Arc<Mappings>,
}

#[async_trait]
impl Emits for EmitFunctions {
    async fn take(&self, to: &mut Emitted) {
        let mut all = FunctionCalls::default();
        for (name, calls) in self.functions.take_calls() {
            of_function(&calls, &[("FunctionName", name.as_str())], to);
            let both = |one, other| Tallied::all([one, other]);
            all = FunctionCalls {
                errors: both(all.errors, calls.errors),
                throttles: both(all.throttles, calls.throttles),
                nanos: both(all.nanos, calls.nanos),
                concurrent: both(all.concurrent, calls.concurrent),
            };
        }
        // AWS has the same of all functions together, without dimensions.
        of_function(&all, &[], to);
        for (function, ages) in self.ages() {
            to.add(&ITERATOR_AGE, &[("FunctionName", &*function)], Some(ages));
        }
    }
}

impl EmitFunctions {
    /// How old the records of streams were when functions were done with them, by function.
    fn ages(&self) -> BTreeMap<String, Tallied> {
        let mut all = BTreeMap::new();
        for (mapping, ages) in self.mappings.take_ages() {
            let function = mapping.function.name_of("function").unwrap_or_default();
            let function = function.split(':').next().unwrap_or_default();
            // A queue has no iterator.
            let is_stream = mapping.start.is_some();
            if let Some(ages) = ages.filter(|_| is_stream) {
                let known = all.entry(function.to_owned());
                known
                    .and_modify(|known: &mut Tallied| *known = known.and(ages))
                    .or_insert(ages);
            }
        }
        all
    }
}

fn of_function(calls: &FunctionCalls, dimensions: &[(&str, &str)], to: &mut Emitted) {
    let ran = calls.nanos.map(|ran| Tallied {
        count: ran.count,
        sum: ran.count,
        least: 1,
        most: 1,
    });
    for (name, tallied) in [
        (&INVOCATIONS, ran),
        (&ERRORS, calls.errors),
        (&THROTTLES, calls.throttles),
        (&DURATION, calls.nanos),
        (&CONCURRENT, calls.concurrent),
    ] {
        to.add(name, dimensions, tallied);
    }
}
