//! Which door a request is for.

use std::sync::Arc;

use http::request::Parts;

use crate::{
    Door,
    server::json_door::{JsonDoor, Stray},
};

/// All doors of a listener, in the order in which they are asked.
pub struct Router {
    doors: Vec<Arc<dyn Door>>,
}

impl Router {
    /// The doors of services that are addressed by `X-Amz-Target`, and those after them: the first that takes a
    /// request gets it. What is AWS JSON and no service's is answered before the others are asked, so that a service
    /// that takes everything else, as S3 does, can stand last.
    pub fn new(
        json: impl IntoIterator<Item = JsonDoor>,
        others: impl IntoIterator<Item = Arc<dyn Door>>,
    ) -> Self {
        let json = json.into_iter().map(|door| Arc::new(door) as Arc<dyn Door>);
        let stray = Arc::new(Stray) as Arc<dyn Door>;
        Self {
            doors: json.chain([stray]).chain(others).collect(),
        }
    }

    /// The door for a request with this head.
    pub fn find(&self, head: &Parts) -> Option<Arc<dyn Door>> {
        self.doors.iter().find(|door| door.takes(head)).cloned()
    }
}
