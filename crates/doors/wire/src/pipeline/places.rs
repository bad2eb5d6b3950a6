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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_env::Env;
    use headwater_http::{Body, body};
    use headwater_shapes_lambda as lambda;
    use http::{Request, Response, request::Parts};
    use http_body_util::BodyExt;
    use parking_lot::Mutex;

    use super::*;
    use crate::{
        Hosted, Options, Pipeline, Routes,
        pipeline::{Trace, blank},
    };

    /// A service with a host in each region, which says where it was asked.
    struct Addresses;

    #[async_trait]
    impl Hosted for Addresses {
        fn operation(&self) -> &'static str {
            "Open"
        }

        fn region<'h>(&self, host: &'h str) -> Option<&'h str> {
            host.strip_prefix("id.")
        }

        async fn answer(
            &self,
            _: &Parts,
            _: Body,
            context: &Context,
        ) -> Result<Response<Body>, ApiError> {
            let region = context.region.0.clone();
            Ok(Response::new(body::full(Bytes::from(region))))
        }
    }

    fn table() -> Table {
        let addresses = Routes::new(&lambda::SERVICE, Arc::new(Addresses));
        addresses.hosted().build()
    }

    /// Places of which some run, and which notes what it opens.
    struct Others {
        running: Vec<Place>,
        opened: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl OpenPlace for Others {
        async fn open(&self, place: &Place) -> Result<Vec<Table>, ApiError> {
            self.opened.lock().push(place.region.0.clone());
            Ok(vec![table()])
        }

        fn runs(&self, place: &Place) -> bool {
            self.running.contains(place)
        }
    }

    const ACCOUNT: &str = "000000000000";

    /// A pipeline at home in us-east-1, and others of which eu-west-1 runs.
    fn pipeline() -> (Pipeline, Arc<Others>) {
        let others = Arc::new(Others {
            running: vec![Place::new(ACCOUNT, "eu-west-1")],
            opened: Mutex::default(),
        });
        let options = Options {
            others: Some(others.clone()),
            ..Options::new(Place::new(ACCOUNT, "us-east-1"))
        };
        (Pipeline::new(vec![table()], options, Env::real()), others)
    }

    /// The region that a request to a host is answered in.
    async fn region_of(pipeline: &Pipeline, host: &str) -> String {
        let (head, ()) = Request::new(()).into_parts();
        let mut context = Context {
            host: host.to_owned(),
            ..blank(&pipeline.options)
        };
        let mut trace = Trace::default();
        let answer = pipeline.answer(&head, body::empty(), &mut context, &mut trace);
        let body = answer.await.unwrap().into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    /// Asks for a region as somebody does who signs for it.
    async fn open(pipeline: &Pipeline, region: &str) {
        let context = Context {
            region: Region(region.to_owned()),
            ..blank(&pipeline.options)
        };
        pipeline.places.tables(&context).await.unwrap();
    }

    #[tokio::test]
    async fn a_host_that_nobody_signs_for_opens_no_region() {
        let (pipeline, others) = pipeline();
        for (host, region) in [
            ("id.us-east-1", "us-east-1"),
            ("id.eu-west-1", "eu-west-1"),
            ("id.eu-west-1", "eu-west-1"),
            ("id.ap-south-1", "us-east-1"),
            ("id.nowhere", "us-east-1"),
        ] {
            assert_eq!(region_of(&pipeline, host).await, region, "{host}");
        }
        assert_eq!(*others.opened.lock(), ["eu-west-1"]);
        open(&pipeline, "ap-south-1").await;
        assert_eq!(region_of(&pipeline, "id.ap-south-1").await, "ap-south-1");
        assert_eq!(*others.opened.lock(), ["eu-west-1", "ap-south-1"]);
    }

    #[tokio::test]
    async fn a_place_is_open_at_home_where_it_runs_and_once_it_was_asked_for() {
        let (pipeline, _) = pipeline();
        let is_open = |account: &str, region: &str| {
            let account = Account(account.to_owned());
            pipeline.places.is_open(&account, region)
        };
        assert!(is_open(ACCOUNT, "us-east-1") && is_open(ACCOUNT, "eu-west-1"));
        assert!(!is_open("111111111111", "us-east-1") && !is_open("111111111111", "eu-west-1"));
        assert!(!is_open(ACCOUNT, "ap-south-1"));
        open(&pipeline, "ap-south-1").await;
        assert!(is_open(ACCOUNT, "ap-south-1"));
        assert!(!is_open("111111111111", "ap-south-1"));
    }
}
