//! Other regions than the server's own: each has resources of its own, over a part of the same catalog and log.
//!
//! A region is opened when a request first names it, and from then on at each start, so that its work in the background
//! goes on. Buckets and objects are the same for all regions.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Expect, Table};
use headwater_log::PARTS_MAX;
use headwater_types::{Account, Region, kept::Prefix};
use headwater_wire::{ApiError, OpenPlace, Place};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    Failure,
    ground::Ground,
    services::{Running, SERVICES, open_listed},
};

/// A region that was opened, as the catalog keeps it under its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PlaceRecord {
    account: Account,
    region: Region,
}

/// All places beside the home.
pub struct Places {
    home: Ground,
    numbers: Table<PlaceRecord>,
    open: Mutex<Vec<(Place, Services)>>,
}

/// The services of a place.
pub type Services = Arc<[Arc<dyn Running>]>;

impl Places {
    /// Opens the places that were opened before.
    pub async fn open(home: Ground) -> Result<Arc<Self>, Failure> {
        let numbers = Table::new(home.catalog.clone(), Prefix::Places);
        let places = Arc::new(Self {
            home,
            numbers,
            open: Mutex::default(),
        });
        for (key, known) in places.numbers.all().await? {
            let PlaceRecord { account, region } = known.value;
            let number = key
                .parse()
                .map_err(|_| format!("places/{key} is no number"))?;
            places.run(Place { account, region }, number).await?;
        }
        Ok(places)
    }

    /// The services of all places beside the home.
    pub fn services(&self) -> Vec<Arc<dyn Running>> {
        let open = self.open.lock();
        open.iter()
            .flat_map(|(_, services)| services.iter().cloned())
            .collect()
    }

    /// The other regions of the home's account and their services. A server that was started with another region or
    /// account keeps what it opened before, which may have the home's region by now.
    pub fn regions(&self) -> Vec<(Region, Services)> {
        let home = &self.home.place;
        let is_other = |(place, _): &&(Place, Services)| {
            place.account == home.account && place.region != home.region
        };
        let open = self.open.lock();
        let regions = open.iter().filter(is_other);
        regions
            .map(|(place, services)| (place.region.clone(), services.clone()))
            .collect()
    }

    /// Opens the services of a place over its part of the catalog and the log.
    async fn run(&self, place: Place, number: u8) -> Result<Services, Failure> {
        let ground = self.home.of_place(place.clone(), number);
        let services: Services = open_listed(SERVICES, &ground).await?.into();
        tracing::info!(region = %place.region.0, number, "a region is open");
        self.open.lock().push((place, services.clone()));
        Ok(services)
    }

    fn running(&self, place: &Place) -> Option<Services> {
        let open = self.open.lock();
        open.iter()
            .find(|(open, _)| open == place)
            .map(|(_, services)| services.clone())
    }

    /// The number of a place that is new; none where all are given away.
    async fn take_number(&self, place: &Place) -> Result<Option<u8>, CatalogError> {
        let known = PlaceRecord {
            account: place.account.clone(),
            region: place.region.clone(),
        };
        for number in 1..=PARTS_MAX {
            match self
                .numbers
                .write(&number.to_string(), &known, Expect::Absent)
                .await
            {
                Ok(_) => return Ok(Some(number)),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl OpenPlace for Places {
    async fn open(&self, place: &Place) -> Result<Vec<headwater_wire::Table>, ApiError> {
        let services = match self.running(place) {
            Some(services) => services,
            None => {
                let number = self.take_number(place).await.map_err(ApiError::internal)?;
                let number = number.ok_or_else(too_many)?;
                self.run(place.clone(), number)
                    .await
                    .map_err(ApiError::internal)?
            }
        };
        Ok(services.iter().map(|service| service.table()).collect())
    }

    fn runs(&self, place: &Place) -> bool {
        self.running(place).is_some()
    }
}

fn too_many() -> ApiError {
    let text = format!("Headwater serves no more than {PARTS_MAX} regions beside its own.");
    ApiError::new(503, "ServiceUnavailable", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_other_regions_are_those_of_the_account_without_the_home() {
        let dir = tempfile::tempdir().unwrap();
        let ground = Ground::for_tests(dir.path()).await;
        let home = ground.place.clone();
        let numbers = Table::new(ground.catalog.clone(), Prefix::Places);
        let kept = [
            home.clone(),
            Place::new("999999999999", "eu-west-1"),
            Place::new(home.account.0.clone(), "eu-west-2"),
        ];
        for (Place { account, region }, number) in kept.into_iter().zip(["1", "2", "3"]) {
            let known = PlaceRecord { account, region };
            let written = numbers.write(number, &known, Expect::Absent).await;
            written.unwrap();
        }
        let places = Places::open(ground).await.unwrap();
        let regions = places.regions();
        let regions: Vec<_> = regions.iter().map(|(region, _)| &*region.0).collect();
        assert_eq!(regions, ["eu-west-2"]);
    }

    /// What was opened before a restart runs from the start, whether anybody asks for it or not.
    #[tokio::test]
    async fn what_was_opened_before_runs() {
        let dir = tempfile::tempdir().unwrap();
        let ground = Ground::for_tests(dir.path()).await;
        let account = ground.place.account.clone();
        let far = Place::new(account.0.clone(), "eu-west-2");
        let known = PlaceRecord {
            account,
            region: far.region.clone(),
        };
        let numbers = Table::new(ground.catalog.clone(), Prefix::Places);
        numbers.write("1", &known, Expect::Absent).await.unwrap();
        let places = Places::open(ground).await.unwrap();
        assert!(places.runs(&far));
        let others = [
            Place::new("999999999999", "eu-west-2"),
            Place::new(far.account.0.clone(), "ap-south-1"),
        ];
        for other in &others {
            assert!(!places.runs(other), "{}", other.region.0);
        }
        OpenPlace::open(&*places, &others[1]).await.unwrap();
        assert!(places.runs(&others[1]));
    }
}
