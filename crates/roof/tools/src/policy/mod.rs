//! `headwater trail policy`: the least policy that allows what was called, read out of CloudTrail's events.
//!
//! It works against AWS as well. [`grant`] makes the policy of events; here they are asked for, page by page.

mod actions;
mod grant;

use std::time::Duration;

use clap::Args;
use headwater_client::{CallError, Client, ClientConfig, ConfigError};
use headwater_env::Env;
use headwater_shapes::Timestamp;
use headwater_shapes_cloudtrail::{LookupAttribute, LookupEventsRequest, ops::LookupEvents};

pub use actions::action;
pub use grant::Grants;

/// Tries of a page: LookupEvents may be called twice a second.
const TRIES: u32 = 10;

/// Prints the least IAM policy that allows the calls that succeeded, out of CloudTrail's events.
///
/// Calls of data operations, such as putting records or getting objects, are not in the trail: add what they need.
#[derive(Debug, Clone, Args)]
pub struct PolicyArgs {
    /// Where the service is, if not at AWS.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,

    /// Only the calls of the user, or the session, of this name.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,

    /// Only the calls since then: a time (ISO 8601), or how long ago: 30m, 12h, 7d [default: all 90 days].
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
}

/// The beginning of what is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Ago(Duration),
    At(Timestamp),
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A call.
    #[error("LookupEvents failed: {0}")]
    Call(#[from] CallError),
}

/// Reads the events and makes the policy of them.
///
/// # Errors
/// When the service cannot be asked.
pub async fn run(
    args: PolicyArgs,
    env: Env,
    variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<Grants, PolicyError> {
    let config = ClientConfig::from_env(variable, &env).await?;
    let mut config = config.with_endpoint_url(args.endpoint_url.clone());
    config.retry.attempts = TRIES;
    let client = Client::new(config, env.clone());
    let attribute = args.username.as_ref().map(|name| LookupAttribute {
        attribute_key: "Username".to_owned(),
        attribute_value: name.clone(),
    });
    let start_time = args.since.map(|since| match since {
        Since::At(at) => at,
        Since::Ago(ago) => Timestamp(env.clock.now().minus(ago).0 as i64),
    });
    let mut grants = Grants::default();
    let mut next_token = None;
    loop {
        let page = LookupEventsRequest {
            lookup_attributes: attribute.clone().map(|it| vec![it]),
            start_time,
            next_token,
            ..Default::default()
        };
        let page = client.call::<LookupEvents>(page).await?;
        for event in page.events.unwrap_or_default() {
            grants.add(&event.cloud_trail_event.unwrap_or_default());
        }
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(grants);
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    let wrong = || format!("{text:?} is neither a time nor how long ago: 30m, 12h, 7d");
    let units = [("m", 60), ("h", 3600), ("d", 24 * 3600)];
    for (unit, seconds) in units {
        if let Some(count) = text.strip_suffix(unit) {
            let count: u64 = count.parse().map_err(|_| wrong())?;
            return Ok(Since::Ago(Duration::from_secs(
                count.saturating_mul(seconds),
            )));
        }
    }
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(Since::At(Timestamp(at.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_how_long_ago_is_read() {
        assert_eq!(since("12h"), Ok(Since::Ago(Duration::from_secs(12 * 3600))));
        assert_eq!(
            since("7d"),
            Ok(Since::Ago(Duration::from_secs(7 * 24 * 3600)))
        );
        let at = Since::At(Timestamp(1_764_547_200_000));
        assert_eq!(since("2025-12-01T00:00:00Z"), Ok(at));
        for wrong in ["", "h", "-1h", "yesterday"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
