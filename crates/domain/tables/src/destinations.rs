//! Streams of records that tables send their changes to, each change exactly once.
//!
//! Of each partition a sender reads the change log and puts what it finds into the stream, with one append that also
//! writes how far it is. So a crash neither loses a change nor repeats one. Owns which stream a table sends to, and since
//! when; leaves what a change looks like in the stream, and the stream itself, to [`crate::Receivers`].

mod change;
mod progress;
mod sender;
mod sending;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{Error, TableRecord, Unfit, limits::DESTINATIONS};

pub(crate) use change::progress_shards;
pub(crate) use sending::Sending;

/// A stream of records that a table's changes go to, or went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The stream's ARN.
    pub stream: String,
    /// When it was enabled, by which it is told from others of its table.
    pub since: Millis,
    /// Where it is in its life.
    pub state: DestinationState,
    /// How exact times are, where that was said; else they are in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Of each partition, the offset of the first change that goes there. None at all before it is active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begins: Vec<u64>,
}

/// Where a destination is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DestinationState {
    /// It is being enabled.
    Enabling,
    /// Changes go there.
    Active,
    /// It could not be enabled.
    Failed(Unfit),
    /// Those that were made go there, and then no more.
    Disabling,
    /// No more go there.
    Disabled,
}

/// How exact the times of changes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Precision {
    /// In milliseconds.
    #[default]
    Milliseconds,
    /// In microseconds.
    Microseconds,
}

/// Why a destination cannot be enabled, changed or disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DestinationFault {
    /// There is one that changes go to.
    #[error("they go to a stream already")]
    Live,
    /// The stream was never one.
    #[error("they were never sent to that stream")]
    Unknown,
    /// Changes do not go there.
    #[error("they do not go to that stream now")]
    Inactive,
    /// It is as it is to be.
    #[error("their times are told so already")]
    Same,
}

impl Destination {
    /// Whether changes go there, or are about to, or some are left to.
    pub fn is_live(&self) -> bool {
        matches!(
            self.state,
            DestinationState::Enabling | DestinationState::Active | DestinationState::Disabling
        )
    }

    /// Whether changes are sent there now.
    pub(crate) fn is_sent_to(&self) -> bool {
        self.is_live() && self.state != DestinationState::Enabling
    }
}

impl TableRecord {
    /// The destination that changes go to.
    pub fn live_destination(&self) -> Option<&Destination> {
        self.destinations.iter().find(|to| to.is_live())
    }

    /// Begins to enable a destination.
    fn enable_destination(
        &mut self,
        stream: &str,
        precision: Option<Precision>,
        now: Millis,
    ) -> Result<(), Error> {
        if self.live_destination().is_some() {
            return Err(self.refuse(DestinationFault::Live));
        }
        // What a destination is known by is no other's, also where a clock stands still.
        let others = self.destinations.iter().map(|to| to.since.0 + 1);
        let since = Millis(others.fold(now.0, u64::max));
        self.destinations.retain(|to| to.stream != stream);
        self.destinations.truncate(DESTINATIONS - 1);
        let new = Destination {
            stream: stream.to_owned(),
            since,
            state: DestinationState::Enabling,
            precision,
            begins: Vec::new(),
        };
        self.destinations.insert(0, new);
        Ok(())
    }

    /// Begins to disable a destination. One that is being disabled stays so.
    fn disable_destination(&mut self, stream: &str) -> Result<(), Error> {
        let found = self.destinations.iter_mut().find(|to| to.stream == stream);
        match found {
            Some(to) if to.is_sent_to() => {
                to.state = DestinationState::Disabling;
                Ok(())
            }
            _ => Err(self.refuse(DestinationFault::Inactive)),
        }
    }

    /// Changes how exact times are told from now on.
    fn set_precision(&mut self, stream: &str, precision: Precision) -> Result<(), Error> {
        let found = self.destinations.iter_mut().find(|to| to.stream == stream);
        let fault = match found {
            None => DestinationFault::Unknown,
            Some(to) if to.state != DestinationState::Active => DestinationFault::Inactive,
            Some(to) if to.precision.unwrap_or_default() == precision => DestinationFault::Same,
            Some(to) => {
                to.precision = Some(precision);
                return Ok(());
            }
        };
        Err(self.refuse(fault))
    }

    fn refuse(&self, fault: DestinationFault) -> Error {
        Error::Destination(self.name.clone(), fault)
    }
}
