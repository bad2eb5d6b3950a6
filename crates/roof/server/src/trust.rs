//! The authorities that deliveries trust: those that browsers do, and those of a file that the settings name.

use headwater_client::Authorities;
use headwater_env::Env;
use tokio_rustls::rustls::ClientConfig;

use crate::{Failure, settings::Settings, tls};

/// TLS to destinations.
pub fn open(env: &Env, settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut authorities = Authorities::of_anchors(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = &settings.trust_ca {
        let added = authorities.add_pem(&tls::named(env, file)?);
        added.map_err(|why| format!("--trust-ca names {}: {why}", file.display()))?;
    }
    Ok(authorities.tls())
}
