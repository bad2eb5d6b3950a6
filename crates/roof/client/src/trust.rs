//! Authorities that a client trusts: those of a file, or others that its user knows. A client that is told of none
//! trusts whom the machine does.

use std::{fmt, io, path::PathBuf, sync::Arc};

use headwater_env::{Disk, Env};
use tokio_rustls::rustls::{
    self, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, TrustAnchor, pem::PemObject},
};

use crate::limits::CONFIG_FILE_BYTES;

/// Authorities, and no others than these.
#[derive(Clone)]
pub struct Authorities(Arc<RootCertStore>);

/// Why a file of authorities is of no use.
#[derive(Debug, thiserror::Error)]
#[error("cannot trust the authorities in {path} (AWS_CA_BUNDLE): {problem}")]
pub struct TrustError {
    /// The file.
    pub path: String,
    /// The reason.
    pub problem: String,
}

impl Authorities {
    /// The authorities of these trust anchors, which are known without a certificate.
    pub fn of_anchors(anchors: impl IntoIterator<Item = TrustAnchor<'static>>) -> Self {
        Self(Arc::new(anchors.into_iter().collect()))
    }

    /// The authorities in a text of certificates in PEM form.
    ///
    /// # Errors
    /// When there is none in it, or something else.
    pub fn from_pem(text: &[u8]) -> Result<Self, String> {
        let mut authorities = Self::of_anchors([]);
        authorities.add_pem(text)?;
        Ok(authorities)
    }

    /// Trusts those in a text of certificates in PEM form as well.
    ///
    /// # Errors
    /// When there is none in it, or something else.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<(), String> {
        let roots = Arc::make_mut(&mut self.0);
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.len() == before {
            Err("there is no certificate in it".to_owned())
        } else {
            Ok(())
        }
    }

    /// The authorities in a file of certificates in PEM form.
    pub(crate) async fn load(path: String, env: &Env) -> Result<Self, TrustError> {
        let (disk, place) = (env.disk.clone(), PathBuf::from(&path));
        let text = env.blocking(move || read(&*disk, &place)).await;
        let found = text
            .map_err(|error| error.to_string())
            .and_then(|text| Self::from_pem(&text));
        found.map_err(|problem| TrustError { path, problem })
    }

    /// TLS with whom these vouch for.
    pub fn tls(&self) -> rustls::ClientConfig {
        rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(self.0.clone())
            .with_no_client_auth()
    }
}

fn read(disk: &dyn Disk, path: &std::path::Path) -> io::Result<Vec<u8>> {
    let file = disk.open_read(path)?;
    let len = file.len()?;
    if len > CONFIG_FILE_BYTES {
        return Err(io::Error::other(format!(
            "it has more than {CONFIG_FILE_BYTES} bytes"
        )));
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorities").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let error = Authorities::load("/no/such/ca.pem".into(), &Env::real())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot trust the authorities in /no/such/ca.pem"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_is_refused(text in "(-----BEGIN CERTIFICATE-----\n)?[A-Za-z0-9+/=\n-]{0,200}") {
            prop_assert!(Authorities::from_pem(text.as_bytes()).is_err());
            let whole = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            prop_assert!(Authorities::from_pem(whole.as_bytes()).is_err());
        }
    }
}
