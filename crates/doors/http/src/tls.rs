//! Listeners: sockets that take connections, in the clear or with TLS.

use std::{io, sync::Arc};

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    },
    server::TlsStream,
};

/// A socket that takes connections.
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// The certificate for its connections, if they are encrypted.
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }
}

/// A certificate and its key, ready to meet clients. Which HTTP is spoken is agreed on the way.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why a certificate and a key are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate, or the text is not PEM.
    #[error("there is no certificate in it in PEM form: {0}")]
    Certificate(pem::Error),
    /// There is no key, or the text is not PEM.
    #[error("there is no private key in it in PEM form: {0}")]
    Key(pem::Error),
    /// They are not fit for a server, or do not belong to each other.
    #[error("certificate and key are of no use to a server: {0}")]
    Unfit(#[from] rustls::Error),
}

impl Tls {
    /// TLS 1.2 and 1.3 with this chain of certificates, the server's own first, and its key, both in PEM form.
    ///
    /// # Errors
    /// When they are not that, or do not belong to each other.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Agrees with a client on keys.
    pub(crate) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(socket).await
    }
}
