//! The configuration of a client: addresses, credentials, time-outs and retries.

use std::{fmt, sync::Arc, time::Duration};

use headwater_env::Env;
use headwater_shapes::Service;

use crate::{
    Authorities, CallError, ProvideCredentials, Retry, TrustError,
    credentials::CredentialsError,
    profile::{Profile, ProfileError},
    sources,
};

/// How a [`Client`](crate::Client) calls.
#[derive(Clone)]
pub struct ClientConfig {
    /// The region; none is fine where an endpoint is given.
    pub region: Option<String>,
    /// Where services are, if not at AWS.
    pub endpoints: Endpoints,
    /// As whom.
    pub credentials: Arc<dyn ProvideCredentials>,
    /// When to try again.
    pub retry: Retry,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The authorities to trust, if not those of the machine.
    pub trust: Option<Authorities>,
}

/// The longest waits of a client.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From the request's start to the answer's head, and from there to the end of an answer that is not streamed.
    pub response: Duration,
    /// For the next piece of a streamed answer.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// The times that AWS's own clients wait: they give a long-running function the whole minute, and so must we.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            connect: Duration::from_secs(5),
            response: minute,
            idle: minute,
        }
    }
}

/// Reads a variable by its name.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Addresses other than AWS's.
#[derive(Clone, Default)]
pub struct Endpoints {
    all: Option<String>,
    lookup: Option<Lookup>,
}

/// Why no configuration came out of the environment and the files.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The authorities to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl ClientConfig {
    /// AWS or the endpoint that is set later, with these credentials.
    pub fn new(credentials: impl ProvideCredentials + 'static) -> Self {
        Self {
            region: None,
            endpoints: Endpoints::default(),
            credentials: Arc::new(credentials),
            retry: Retry::default(),
            timeouts: Timeouts::default(),
            trust: None,
        }
    }

    /// The configuration that AWS's own tools would take: variables (`lookup` reads them), then the profile of the
    /// shared files, then what the container or instance offers.
    ///
    /// # Errors
    /// When a file that is there cannot be read, a file of authorities is named that is of no use, a profile that is
    /// named does not exist, or it asks for a kind of credentials that is not supported.
    pub async fn from_env(
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        env: &Env,
    ) -> Result<Self, ConfigError> {
        let lookup: Lookup = Arc::new(move |name| lookup(name).filter(|value| !value.is_empty()));
        let profile = Profile::load(&*lookup, env).await?;
        let region = lookup("AWS_REGION").or_else(|| lookup("AWS_DEFAULT_REGION"));
        let credentials = sources::chain(&*lookup, &profile, env)?;
        let trust = match lookup("AWS_CA_BUNDLE").or_else(|| profile.get("ca_bundle")) {
            Some(path) => Some(Authorities::load(path, env).await?),
            None => None,
        };
        let ignored = lookup("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|v| v == "true");
        let endpoints = if ignored {
            Endpoints::default()
        } else {
            let all = lookup("AWS_ENDPOINT_URL").or_else(|| profile.get("endpoint_url"));
            Endpoints {
                all,
                lookup: Some(lookup),
            }
        };
        let region = region.or_else(|| profile.get("region"));
        Ok(Self {
            region,
            endpoints,
            trust,
            ..Self::new(credentials)
        })
    }

    /// The same, for every service at `url` where one is given: `http://127.0.0.1:4566`.
    #[must_use]
    pub fn with_endpoint_url(mut self, url: Option<String>) -> Self {
        if url.is_some() {
            self.endpoints = Endpoints {
                all: url,
                lookup: None,
            };
        }
        self
    }

    /// The same in `region`, where one is given.
    #[must_use]
    pub fn with_region(mut self, region: Option<String>) -> Self {
        self.region = region.or(self.region);
        self
    }

    /// The same with other retries.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// A service's address and the region that its requests are signed for.
    pub(crate) fn address(&self, service: &Service) -> Result<(String, String), CallError> {
        match (self.endpoints.of(service.name), &self.region) {
            (Some(url), region) => Ok((
                url,
                region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            )),
            (None, Some(region)) => Ok((
                format!("https://{}.{region}.amazonaws.com", service.name),
                region.clone(),
            )),
            (None, None) => Err(CallError::request(
                "no region: set AWS_REGION, or region in the profile, or give an endpoint with AWS_ENDPOINT_URL",
            )),
        }
    }
}

impl Endpoints {
    /// The address of one service, where it is not AWS's.
    fn of(&self, service: &str) -> Option<String> {
        let own = self
            .lookup
            .as_ref()
            .and_then(|lookup| lookup(&variable(service)));
        own.or_else(|| self.all.clone())
    }
}

/// The variable that moves one service. AWS derives it from the service's id, which is the name but for logs.
fn variable(service: &str) -> String {
    let id = if service == "logs" {
        "cloudwatch_logs"
    } else {
        service
    };
    format!(
        "AWS_ENDPOINT_URL_{}",
        id.to_uppercase().replace(['-', ' '], "_")
    )
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}
