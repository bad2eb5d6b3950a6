//! The two halves of a configuration: a destination of the domain's, and how it is described.
//!
//! The description belongs to this door: it is AWS's, without secrets, and the domain keeps it beside the destination
//! without a look at it (`docs/format/delivery.md`, "The door's description").

use headwater_delivery::Destination;
use headwater_shapes::Tree;
use serde_json::Value;

/// A destination and its description, as the catalog keeps that unless it is typed.
pub(crate) struct Configured<Description = Value> {
    /// The destination that records go to.
    pub(crate) destination: Destination,
    /// The description that callers get.
    pub(crate) description: Description,
}

impl<Description: Tree> Configured<Description> {
    /// The same with its description as the catalog keeps it.
    pub(super) fn into_kept(self) -> Configured {
        Configured {
            destination: self.destination,
            description: self.description.to_value(),
        }
    }
}
