//! The services of each account and region, opened when a request first names it.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use headwater_types::{Account, Region};
use parking_lot::RwLock;

use crate::{ApiError, Context, limits::PLACES, table::Table};

/// An account in a region, which have resources of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The account.
    pub account: Account,
    /// The region.
    pub region: Region,
}

impl Place {
    /// The account of that number in the region of that name.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            account: Account(account.into()),
            region: Region(region.into()),
        }
    }
}

/// Opens the services of a place.
#[async_trait]
pub trait OpenPlace: Send + Sync {
    /// The tables of all services there, in the order of those at home.
    ///
    /// # Errors
    /// When what is kept of the place cannot be read.
    async fn open(&self, place: &Place) -> Result<Vec<Table>, ApiError>;

    /// Whether the services of a place run, though no request was made for it yet.
    fn runs(&self, place: &Place) -> bool;
}

pub(super) struct Places {
    open: RwLock<HashMap<Place, Arc<[Table]>>>,
    others: Option<Arc<dyn OpenPlace>>,
    home: Place,
    at_home: Arc<[Table]>,
    /// Held while a place is opened, so that none is opened twice.
    opening: tokio::sync::Mutex<()>,
}

impl Places {
    pub(super) fn new(home: Place, tables: Vec<Table>, others: Option<Arc<dyn OpenPlace>>) -> Self {
        Self {
            open: RwLock::default(),
            others,
            home,
            at_home: tables.into(),
            opening: tokio::sync::Mutex::default(),
        }
    }

    /// The tables of the home, which say of every place which operations there are.
    pub(super) fn at_home(&self) -> &[Table] {
        &self.at_home
    }

    /// Whether the services of a place are open.
    pub(super) fn is_open(&self, account: &Account, region: &str) -> bool {
        let place = Place {
            account: account.clone(),
            region: Region(region.to_owned()),
        };
        let runs = |others: &Arc<dyn OpenPlace>| others.runs(&place);
        place == self.home
            || self.open.read().contains_key(&place)
            || self.others.as_ref().is_some_and(runs)
    }

    /// The tables of the place that a request is made for.
    pub(super) async fn tables(&self, context: &Context) -> Result<Arc<[Table]>, ApiError> {
        if context.region == self.home.region && context.account == self.home.account {
            return Ok(self.at_home.clone());
        }
        let place = Place {
            account: context.account.clone(),
            region: context.region.clone(),
        };
        if let Some(tables) = self.open.read().get(&place) {
            return Ok(tables.clone());
        }
        self.open(place).await
    }

    async fn open(&self, place: Place) -> Result<Arc<[Table]>, ApiError> {
        let Some(others) = &self.others else {
            return Err(ApiError::not_supported(format_args!(
                "the region {}",
                place.region.0
            )));
        };
        let _one = self.opening.lock().await;
        if let Some(tables) = self.open.read().get(&place) {
            return Ok(tables.clone());
        }
        if self.open.read().len() >= PLACES {
            return Err(ApiError::new(
                503,
                "ServiceUnavailable",
                format!("Headwater serves no more than {PLACES} regions beside its own at a time."),
            ));
        }
        let tables: Arc<[Table]> = others.open(&place).await?.into();
        self.open.write().insert(place, tables.clone());
        Ok(tables)
    }
}
