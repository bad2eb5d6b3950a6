//! Functions: their invocations and processes.

use headwater_functions::Functions;

use super::{Samples, families::*};

/// Adds what was counted of each function that was called, and the processes of all.
pub fn measure(functions: &Functions, to: &mut Samples) {
    for (name, counted) in functions.metrics() {
        let labels = [name.as_str()];
        to.add(&FUNCTION_INVOCATIONS, &labels, counted.invocations);
        to.add(&FUNCTION_ERRORS, &labels, counted.errors);
        to.add(&FUNCTION_THROTTLES, &labels, counted.throttles);
        to.add(&FUNCTION_COLD_STARTS, &labels, counted.cold_starts);
        to.add(&FUNCTION_UNTOLD, &labels, counted.untold);
        let duration = counted.duration.as_secs_f64();
        to.add(&FUNCTION_DURATION, &labels, duration);
    }
    let processes = functions.processes();
    for (state, count) in [("busy", processes.busy), ("idle", processes.idle)] {
        to.add(&FUNCTION_PROCESSES, &[state], count as u64);
    }
    to.add(&FUNCTION_CONCURRENCY, &[], processes.most as u64);
    to.add(&FUNCTION_EVENTS, &[], functions.waiting_events() as u64);
    to.add(&FUNCTION_OUTCOMES, &[], functions.waiting_outcomes() as u64);
}
