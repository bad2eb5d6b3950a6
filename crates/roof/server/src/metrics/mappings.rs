//! Mappings: what they called with, and what holds them up.

use headwater_mappings::Mappings;

use super::{Samples, families::*};

/// Adds what every mapping counted.
pub fn measure(mappings: &Mappings, to: &mut Samples) {
    for (mapping, counted) in mappings.metrics() {
        let function = mapping.function.name_of("function").unwrap_or_default();
        let function = function.split(':').next().unwrap_or_default();
        let labels = [mapping.id.as_str(), function];
        to.add(&MAPPING_CALLS, &labels, counted.calls);
        to.add(&MAPPING_FAILED_CALLS, &labels, counted.failed_calls);
        to.add(&MAPPING_RECORDS, &labels, counted.records);
        to.add(&MAPPING_GIVEN_UP, &labels, counted.given_up);
        to.add(&MAPPING_EXPIRED, &labels, counted.expired);
        to.add(&MAPPING_BLOCKED, &labels, counted.blocked);
        let age = counted.age_ms as f64 / 1000.0;
        to.add(&MAPPING_AGE, &labels, age);
    }
}
