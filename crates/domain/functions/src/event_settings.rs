//! How events of a function are tried, and where their ends are told: settings of a function's latest version, of a
//! version or an alias, each of its own.

use headwater_catalog::Expect;
use headwater_types::{Arn, Millis};
use serde::{Deserialize, Serialize};

use crate::{Error, FunctionName, Part, functions::Inner, limits};

/// The settings of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSettings {
    /// How often an event is tried again that the function failed.
    pub retries: Option<u32>,
    /// How old an event may grow, in seconds.
    pub age_s: Option<u32>,
    /// Where successes are told.
    pub on_success: Option<Arn>,
    /// Where it is told that an event was given up.
    pub on_failure: Option<Arn>,
}

/// A change of settings; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSettingsChange {
    /// How often an event is tried again.
    pub retries: Option<u32>,
    /// How old an event may grow, in seconds.
    pub age_s: Option<u32>,
    /// Where successes are told, and failures.
    pub places: Option<(Option<Arn>, Option<Arn>)>,
}

impl EventSettingsChange {
    fn over(self, there: EventSettings) -> EventSettings {
        let former = (there.on_success, there.on_failure);
        let (on_success, on_failure) = self.places.unwrap_or(former);
        EventSettings {
            retries: self.retries.or(there.retries),
            age_s: self.age_s.or(there.age_s),
            on_success,
            on_failure,
        }
    }
}

/// The settings as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEventSettings {
    /// The settings.
    pub settings: EventSettings,
    /// When they were changed.
    pub modified: Millis,
}

/// The reasons for which nothing can be told at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationFault {
    /// It is the function itself.
    Itself,
    /// It is not there.
    Missing(Arn),
}

impl EventSettings {
    /// How often an event is run at most.
    pub(crate) fn tries(&self) -> u32 {
        self.retries
            .map_or(limits::EVENT_TRIES_MAX, |retries| retries + 1)
    }

    /// How old an event may grow.
    pub(crate) fn age(&self) -> std::time::Duration {
        let given = self.age_s.map(|s| std::time::Duration::from_secs(s.into()));
        given.unwrap_or(limits::EVENT_AGE_MAX)
    }
}

impl Inner {
    /// The settings of a part, if it has any.
    pub async fn event_settings(&self, part: &Part) -> Result<Option<KeptEventSettings>, Error> {
        let found = self.event_settings.get(&part.key()).await?;
        Ok(found.map(|found| found.value))
    }

    /// All settings of a function, by the version or alias that they are for.
    pub async fn all_event_settings(
        &self,
        name: &FunctionName,
    ) -> Result<Vec<(String, KeptEventSettings)>, Error> {
        let start = crate::version::start_of(name);
        let found = self.event_settings.scan(&start, None, usize::MAX).await?;
        Ok(found
            .into_iter()
            .map(|(key, kept)| (key[start.len()..].to_owned(), kept.value))
            .collect())
    }

    /// Changes the settings of a part that there is: those that it has, or in place of them.
    pub async fn set_event_settings(
        &self,
        part: &Part,
        change: EventSettingsChange,
        over: bool,
    ) -> Result<KeptEventSettings, Error> {
        let _beside = self.beside.lock().await;
        self.resolve(&part.name, part.qualifier.as_ref(), false)
            .await?;
        let former = match over {
            true => {
                self.event_settings(part)
                    .await?
                    .ok_or(Error::NoEventSettings)?
                    .settings
            }
            false => EventSettings::default(),
        };
        let settings = change.over(former);
        let places = [&settings.on_success, &settings.on_failure];
        for place in places.into_iter().flatten() {
            self.check_destination(&part.name, place).await?;
        }
        let kept = KeptEventSettings {
            settings,
            modified: self.env.clock.now(),
        };
        let key = part.key();
        self.event_settings.write(&key, &kept, Expect::Any).await?;
        Ok(kept)
    }

    /// Removes the settings of a part; whether it had any.
    pub async fn remove_event_settings(&self, part: &Part) -> Result<bool, Error> {
        let _beside = self.beside.lock().await;
        let had = self.event_settings(part).await?.is_some();
        if had {
            self.event_settings.remove(&part.key(), Expect::Any).await?;
        }
        Ok(had)
    }

    /// Whether a function's outcomes can be told at a place.
    pub async fn check_destination(
        &self,
        name: &FunctionName,
        destination: &Arn,
    ) -> Result<(), Error> {
        let missing = || Error::Destination(DestinationFault::Missing(destination.clone()));
        if destination.service != "lambda" {
            let there = match self.outlets.get() {
                Some(outlets) => outlets.is_there(destination).await,
                None => false,
            };
            return there.then_some(()).ok_or_else(missing);
        }
        let part = Part::of(destination, &self.options).ok_or_else(missing)?;
        if part.name == *name {
            return Err(Error::Destination(DestinationFault::Itself));
        }
        match self
            .resolve(&part.name, part.qualifier.as_ref(), false)
            .await
        {
            Ok(_) => Ok(()),
            Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => Err(missing()),
            Err(error) => Err(error),
        }
    }
}
