//! Whom deliveries trust: the authorities that browsers do, and those of a file that the settings name.

use std::sync::Arc;

use headwater_env::Env;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{Failure, settings::Settings, tls};

/// TLS to destinations.
pub fn open(env: &Env, settings: &Settings) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = &settings.trust_ca {
        let bad = |why: &str| format!("--trust-ca names {}: {why}", file.display());
        let pem = tls::named(env, file)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|e| bad(&format!("it is not PEM: {e}")))?;
        if certificates.is_empty() {
            return Err(bad("there is no certificate in it").into());
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|e| bad(&e.to_string()))?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
