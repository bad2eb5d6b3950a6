//! Addresses that packages are fetched from: signed by this server and good for ten minutes, as those that AWS gives.
//!
//! Owns how an address looks and whether it is good; the page that it leads to is one of the server's own.

use std::{io, sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use headwater_auth::sign::{hex, hmac, hmac_matches};
use headwater_env::{Clock, Env};
use headwater_functions::{Function, FunctionName, LayerId, LayerVersion, Options};
use headwater_http::{Body, body};
use headwater_wire::Context;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::Lambda;

/// The path of all packages, among the server's own pages.
const PREFIX: &str = "/_headwater/packages/";
/// The same of layers.
const LAYERS_PREFIX: &str = "/_headwater/layers/";

/// How long an address is good.
const GOOD_FOR: Duration = Duration::from_secs(600);

/// Makes addresses and knows them again, until the server ends.
pub(crate) struct Locations {
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
}

/// A package that an address may lead to.
enum Owner {
    Function(FunctionName),
    Layer(LayerId),
}

/// An address's path and query, taken apart.
struct Asked<'a> {
    path: &'a str,
    owner: Owner,
    package: &'a str,
    expires: &'a str,
    signature: &'a str,
}

/// The reasons for which nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NotOurs,
    Expired,
    Gone,
}

impl Locations {
    pub fn new(env: &Env) -> Self {
        let mut secret = [0; 32];
        env.random.fill(&mut secret);
        Self {
            clock: env.clock.clone(),
            secret,
        }
    }

    /// The address of a function's package, on the host that the request was sent to.
    pub fn of(&self, function: &Function, options: &Options, context: &Context) -> String {
        let (name, package) = (&function.name, &function.code.package);
        self.signed(
            format!("{}{name}/{package}", prefix(PREFIX, options)),
            context,
        )
    }

    /// The address of a layer version's package.
    pub fn of_layer(&self, version: &LayerVersion, options: &Options, context: &Context) -> String {
        let (id, package) = (version.id(), &version.code.package);
        let path = format!("{}{id}/{package}", prefix(LAYERS_PREFIX, options));
        self.signed(path, context)
    }

    fn signed(&self, path: String, context: &Context) -> String {
        let scheme = if context.origin.secure {
            "https"
        } else {
            "http"
        };
        let expires = (self.clock.now().plus(GOOD_FOR).0 / 1000).to_string();
        let signature = hex(&hmac(&self.secret, &signed(&path, &expires)));
        let host = &context.host;
        format!("{scheme}://{host}{path}?Expires={expires}&Signature={signature}")
    }

    fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let text = signed(asked.path, asked.expires);
        if !hmac_matches(&self.secret, &text, asked.signature) {
            return Err(Refusal::NotOurs);
        }
        // What was signed is a number.
        let expires: u64 = asked.expires.parse().map_err(|_| Refusal::NotOurs)?;
        match self.clock.now().0 / 1000 < expires {
            true => Ok(()),
            false => Err(Refusal::Expired),
        }
    }
}

fn prefix(start: &str, options: &Options) -> String {
    format!("{start}{}/{}/", options.account.0, options.region.0)
}

fn signed(path: &str, expires: &str) -> Vec<u8> {
    format!("{path}\n{expires}").into_bytes()
}

impl<'a> Asked<'a> {
    /// A request for a package of the functions with these options.
    fn of(request: &'a Request<()>, options: &Options) -> Option<Self> {
        let path = request.uri().path();
        let of = |start| path.strip_prefix(&prefix(start, options))?.split_once('/');
        let (owner, package) = match (of(PREFIX), of(LAYERS_PREFIX)) {
            (Some((name, package)), _) => (Owner::Function(name.parse().ok()?), package),
            (None, Some((id, package))) => (Owner::Layer(id.parse().ok()?), package),
            (None, None) => return None,
        };
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map_or("", |(_, value)| value)
        };
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        reads.then(|| Self {
            path,
            owner,
            package,
            expires: value("Expires"),
            signature: value("Signature"),
        })
    }
}

impl Lambda {
    /// The answer to a request for a function's package; none to any other.
    pub async fn package(&self, request: &Request<()>) -> Option<Response<Body>> {
        let asked = Asked::of(request, self.functions.options())?;
        Some(self.fetch(&asked).await.unwrap_or_else(refused))
    }

    async fn fetch(&self, asked: &Asked<'_>) -> Result<Response<Body>, Refusal> {
        self.locations.check(asked)?;
        let code = match &asked.owner {
            Owner::Function(name) => self
                .functions
                .code(name, asked.package)
                .await
                .ok()
                .flatten(),
            Owner::Layer(id) => self
                .functions
                .layer(id)
                .await
                .ok()
                .map(|version| version.code),
        };
        let code = code
            .filter(|code| code.package == asked.package)
            .ok_or(Refusal::Gone)?;
        let pieces = self.functions.package(&code).await;
        let pieces = pieces.map_err(|_| Refusal::Gone)?.map_err(io::Error::other);
        let mut response = Response::new(body::streamed(pieces, Some(code.size)));
        let kind = HeaderValue::from_static("application/zip");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}

fn refused(refusal: Refusal) -> Response<Body> {
    let (status, text) = match refusal {
        Refusal::NotOurs => (
            StatusCode::FORBIDDEN,
            "The address was not made by this server since it started.\n",
        ),
        Refusal::Expired => (
            StatusCode::FORBIDDEN,
            "The address has expired. The operation that gave it gives another.\n",
        ),
        Refusal::Gone => (
            StatusCode::NOT_FOUND,
            "The function has other code now, or what had it is gone.\n",
        ),
    };
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, DeleteFunction, GetFunction};
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;
    use crate::testing::{World, function};

    async fn location(world: &World) -> String {
        let found = world
            .ok::<GetFunction>(json!({ "FunctionName": "f" }))
            .await;
        assert_eq!(found["Code"]["RepositoryType"], "S3");
        found["Code"]["Location"].as_str().unwrap().to_owned()
    }

    async fn status(world: &World, address: &str) -> Option<u16> {
        let request = Request::get(address).body(()).unwrap();
        let response = world.lambda.package(&request).await?;
        Some(response.status().as_u16())
    }

    #[tokio::test]
    async fn a_package_comes_as_it_was_given() {
        let world = World::new().await;
        let given = function("f");
        world.ok::<CreateFunction>(given.clone()).await;
        let address = location(&world).await;
        assert!(address.starts_with("http://127.0.0.1:4566/_headwater/packages/"));
        let request = Request::get(&address).body(()).unwrap();
        let response = world.lambda.package(&request).await.unwrap();
        assert_eq!(response.status(), 200);
        let package = response.into_body().collect().await.unwrap().to_bytes();
        let zip = given["Code"]["ZipFile"].as_str().unwrap();
        assert_eq!(crate::testing::base64(&package), zip);
    }

    #[tokio::test]
    async fn an_address_is_good_as_it_was_made_for_ten_minutes() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let address = location(&world).await;
        let later = address.replace("Expires=1", "Expires=9");
        for other in [
            later.as_str(),
            &address.replace("/f/", "/g/"),
            address.split('?').next().unwrap(),
        ] {
            assert_eq!(status(&world, other).await, Some(403), "{other}");
        }
        let elsewhere = address.replace("us-east-1", "us-east-2");
        assert_eq!(status(&world, &elsewhere).await, None);
        world.clock.advance(GOOD_FOR - Duration::from_secs(2));
        assert_eq!(status(&world, &address).await, Some(200));
        world.clock.advance(Duration::from_secs(2));
        assert_eq!(status(&world, &address).await, Some(403));

        let address = location(&world).await;
        world
            .ok::<DeleteFunction>(json!({ "FunctionName": "f" }))
            .await;
        assert_eq!(status(&world, &address).await, Some(404));
    }
}
