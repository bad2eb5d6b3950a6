//! The requests that were answered.

use headwater_wire::requests::{Answered, OUTCOMES, Requests, TIMES};

use super::{Samples, families::*, samples::Histogram};

/// Adds the counts of all operations that were called.
pub fn measure(requests: &Requests, to: &mut Samples) {
    let bounds = TIMES.map(|time| time.as_secs_f64());
    for answered in requests.answered() {
        let Answered {
            service, operation, ..
        } = answered;
        for (outcome, count) in OUTCOMES.iter().zip(answered.outcomes) {
            if count > 0 {
                to.add(&REQUESTS, &[service, operation, outcome], count);
            }
        }
        let labels = [service, operation];
        to.add(&REQUEST_BYTES, &labels, answered.bytes_in);
        to.add(&RESPONSE_BYTES, &labels, answered.bytes_out);
        let times = Histogram {
            bounds: &bounds,
            counts: &answered.times,
            sum: answered.total.as_secs_f64(),
        };
        to.add_histogram(&REQUEST_DURATION, &labels, times);
    }
}
