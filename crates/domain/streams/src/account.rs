//! What holds for all streams together: the commitment to a minimum throughput.
//!
//! Nothing is billed here. On AWS it unlocks warm throughput for on-demand streams, and so it does here.

use std::{sync::Arc, time::Duration};

use headwater_catalog::{CatalogError, Expect, Versioned};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{Error, Streams};

/// How long a commitment lasts at least.
const MIN_COMMITMENT: Duration = Duration::from_secs(24 * 3600);

/// The one record of this kind.
const ACCOUNT: &str = "account";

/// The commitment to a minimum throughput.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Commitment {
    /// When it was made; none when there never was one.
    pub started: Option<Millis>,
    /// When it ends or ended.
    pub ends: Option<Millis>,
}

impl Commitment {
    /// Whether it holds at `now`.
    pub fn is_on(&self, now: Millis) -> bool {
        self.started.is_some() && self.ends.is_none_or(|ends| now < ends)
    }

    /// The earliest time at which it may end.
    pub fn earliest_end(&self) -> Option<Millis> {
        self.started.map(|started| started.plus(MIN_COMMITMENT))
    }

    /// As it is after it was asked to be on, or off; what is too early to end ends as soon as it may.
    fn switched(self, on: bool, now: Millis) -> Self {
        match (on, self.is_on(now)) {
            (true, true) => Self { ends: None, ..self },
            (true, false) => Self {
                started: Some(now),
                ends: None,
            },
            (false, true) => Self {
                ends: self.earliest_end().map(|earliest| earliest.max(now)),
                ..self
            },
            (false, false) => self,
        }
    }
}

impl Streams {
    /// The commitment as it is.
    pub async fn commitment(&self) -> Result<Commitment, Error> {
        Ok(self
            .account
            .get(ACCOUNT)
            .await?
            .map_or_else(Commitment::default, |found| found.value))
    }

    /// Makes the commitment, or ends it as soon as it may end; as it is then.
    pub async fn commit_to_throughput(self: &Arc<Self>, on: bool) -> Result<Commitment, Error> {
        loop {
            let found = self.account.get(ACCOUNT).await?;
            let (before, expect) = found.map_or(
                (Commitment::default(), Expect::Absent),
                |Versioned { value, version }| (value, Expect::At(version)),
            );
            let after = before.switched(on, self.env.clock.now());
            match self.account.write(ACCOUNT, &after, expect).await {
                Ok(_) => return Ok(after),
                // Another call was first: the next round sees what it made.
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
