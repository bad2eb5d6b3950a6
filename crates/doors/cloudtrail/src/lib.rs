//! The CloudTrail door: events of calls as CloudTrail writes them, searches and trails, one file an operation.
//!
//! Owns the spelling of events, of searches and of trails. What is kept, found and delivered is the `trail` domain's; which
//! calls make events is the pipeline's. Data events, event data stores, channels, insights, digests and trails of
//! organizations or of several regions are refused by name. Texts are those of the API reference and of users' reports.

mod answers;
mod errors;
pub mod event;
mod names;
mod ops;
mod selectors;
mod settings;
mod token;

use std::sync::Arc;

use headwater_shapes_cloudtrail::{SERVICE, ops as shapes};
use headwater_trail::Store;
use headwater_wire::{READS, Routes, Table, WRITES};

/// The state that handlers run on.
pub struct CloudTrail {
    /// The events and the trails.
    pub store: Store,
}

/// The operations that are built.
pub fn table(trail: Arc<CloudTrail>) -> Table {
    Routes::new(&SERVICE, trail)
        .route::<shapes::AddTags>(WRITES)
        .route::<shapes::CreateTrail>(WRITES)
        .route::<shapes::DeleteTrail>(WRITES)
        .route::<shapes::DescribeTrails>(READS)
        .route::<shapes::GetEventSelectors>(READS)
        .route::<shapes::GetTrail>(READS)
        .route::<shapes::GetTrailStatus>(READS)
        .route::<shapes::ListTags>(READS)
        .route::<shapes::ListTrails>(READS)
        .route::<shapes::LookupEvents>(READS)
        .route::<shapes::PutEventSelectors>(WRITES)
        .route::<shapes::RemoveTags>(WRITES)
        .route::<shapes::StartLogging>(WRITES)
        .route::<shapes::StopLogging>(WRITES)
        .route::<shapes::UpdateTrail>(WRITES)
        .build()
}
