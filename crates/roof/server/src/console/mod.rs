//! The console: a page for people at `/_headwater/console`, and the feed that it draws its picture from. A browser that asks
//! for `/` is sent to it.
//!
//! Owns the files and the feed, which anyone may read who may read the page of metrics. Whatever else the page shows or
//! changes it asks of AWS's API, as any client, with the keys of the person before it.

mod assets;
mod feed;
pub mod picture;
pub mod things;
mod visitors;
mod welcome;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use feed::{Draw, Feed};
use headwater_env::Env;
use headwater_http::{Body, body};
use headwater_types::Millis;
use headwater_wire::{Page, Place};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use picture::Picture;
use serde_json::{Value, json};

use crate::{places::Places, services::Running};

const ADDRESS: &str = "/_headwater/console";

/// The console of a server.
pub struct Console(Arc<Feed>);

/// The sources of the picture.
pub struct Sources {
    /// The server's own region, and its services.
    pub home: (Place, Vec<Arc<dyn Running>>),
    /// The others.
    pub places: Arc<Places>,
    /// Whether signatures are checked: otherwise any keys do.
    pub is_signed: bool,
    /// When the server started, from where on it counts.
    pub started: Millis,
}

impl Console {
    /// A console that nobody looks at.
    pub fn new(env: Env, sources: Sources) -> Self {
        Self(Feed::new(env, Box::new(sources)))
    }

    /// Ends the feed, so that a shutdown need not wait for those who look.
    pub fn close(&self) {
        self.0.close();
    }

    fn events(&self) -> Response<Body> {
        match self.0.listen() {
            Some(events) => assets::response("text/event-stream", body::streamed(events, None)),
            None => {
                let text = "as many look at the console as may: close another one";
                let mut response = assets::response("text/plain", body::full(text));
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
            }
        }
    }
}

#[async_trait]
impl Page for Console {
    fn takes(&self, request: &Request<Body>) -> bool {
        let path = request.uri().path();
        let below = path.strip_prefix(ADDRESS);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || welcome::is_browser(request)
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let name = request.uri().path().strip_prefix(ADDRESS);
        if name.is_some() && !visitors::is_welcome(&request) {
            return refused();
        }
        match (request.method(), name) {
            // The page's own files are named below this address, not beside it.
            (&Method::GET, None | Some("")) => moved(),
            (&Method::GET, Some("/events")) => self.events(),
            (&Method::GET | &Method::HEAD, Some(name)) => {
                assets::answer(name.trim_start_matches('/')).unwrap_or_else(nothing)
            }
            _ => nothing(),
        }
    }
}

fn moved() -> Response<Body> {
    let mut response = assets::response("text/plain", body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let address = HeaderValue::from_static("/_headwater/console/");
    response.headers_mut().insert(header::LOCATION, address);
    response
}

fn refused() -> Response<Body> {
    let text = "the console is not for other sites' pages: ask for it by an address, by a name of this machine or network, or over TLS";
    let mut response = assets::response("text/plain", body::full(text));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn nothing() -> Response<Body> {
    let mut response = assets::response("text/plain", body::full("the console has no such page"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[async_trait]
impl Draw for Sources {
    async fn things(&self) -> BTreeMap<String, Value> {
        let (home, services) = &self.home;
        let mut picture = Picture::of_region(&home.region, !self.is_signed);
        for service in services {
            service.show(&mut picture).await;
        }
        for (region, services) in self.places.regions() {
            picture.set_region(&region);
            for service in services.iter() {
                service.show(&mut picture).await;
            }
        }
        picture.things
    }

    fn server(&self) -> Value {
        let (home, _) = &self.home;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "region": home.region.0,
            "account": home.account.0,
            "signed": self.is_signed,
            "started": self.started.0,
        })
    }
}
