//! Event selectors: which events a trail wants.

use headwater_shapes_cloudtrail::{EventSelector, errors as shapes};
use headwater_trail::Wanted;
use headwater_wire::ApiError;

use crate::errors::refuse;

/// Selectors of one trail (CloudTrail's quota).
const SELECTORS_MAX: usize = 5;
/// The services whose management events may be left out; there are none of theirs here.
const LEFT_OUT: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// The events that selectors want.
pub(crate) fn wanted(selectors: Vec<EventSelector>) -> Result<Vec<Wanted>, ApiError> {
    if !(1..=SELECTORS_MAX).contains(&selectors.len()) {
        return Err(invalid(format!(
            "A trail has between 1 and {SELECTORS_MAX} event selectors."
        )));
    }
    selectors.into_iter().map(of).collect()
}

fn of(selector: EventSelector) -> Result<Wanted, ApiError> {
    let EventSelector {
        read_write_type,
        include_management_events,
        data_resources,
        exclude_management_event_sources,
    } = selector;
    let data_resources = data_resources.unwrap_or_default();
    refuse(!data_resources.is_empty(), "data events (DataResources)")?;
    let (reads, writes) = match read_write_type.as_deref() {
        None | Some("All") => (true, true),
        Some("ReadOnly") => (true, false),
        Some("WriteOnly") => (false, true),
        Some(other) => return Err(invalid(format!("{other} is no type of events"))),
    };
    let without = exclude_management_event_sources.unwrap_or_default();
    if let Some(other) = without.iter().find(|it| !LEFT_OUT.contains(&it.as_str())) {
        return Err(invalid(format!(
            "The events of {other} cannot be excluded."
        )));
    }
    Ok(Wanted {
        reads,
        writes,
        management: include_management_events.unwrap_or(true),
        without,
    })
}

/// Selectors as CloudTrail shows them.
pub(crate) fn shown(wanted: &[Wanted]) -> Vec<EventSelector> {
    let show = |wanted: &Wanted| EventSelector {
        read_write_type: Some(
            match (wanted.reads, wanted.writes) {
                (true, true) => "All",
                (true, false) => "ReadOnly",
                (false, _) => "WriteOnly",
            }
            .to_owned(),
        ),
        include_management_events: Some(wanted.management),
        data_resources: Some(Vec::new()),
        exclude_management_event_sources: Some(wanted.without.clone()),
    };
    wanted.iter().map(show).collect()
}

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_EVENT_SELECTORS_EXCEPTION, text)
}
