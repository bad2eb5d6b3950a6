//! Where calls go, and as whom: the service, its address, and each request's head.

use std::sync::Arc;

use bytes::Bytes;
use headwater_auth::sign::{Payload, Scope, sign};
use headwater_client::{ClientConfig, ProvideCredentials};
use headwater_env::Env;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;

use crate::{
    bench::{BenchError, calls::Codec, connection::Failure},
    limits::BENCH_CONNECT_WAIT_MAX,
};

/// A service as its calls name it.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    json: &'static str,
    /// The header that a server without credentials of its own is content with.
    constant_signature: &'static str,
}

/// Kinesis.
pub static KINESIS: Service = Service {
    name: "kinesis",
    json: "application/x-amz-json-1.1",
    constant_signature: "AWS4-HMAC-SHA256 Credential=bench/20130101/us-east-1/kinesis/aws4_request, \
        SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000",
};

/// DynamoDB.
pub static DYNAMODB: Service = Service {
    name: "dynamodb",
    json: "application/x-amz-json-1.0",
    constant_signature: "AWS4-HMAC-SHA256 Credential=bench/20130101/us-east-1/dynamodb/aws4_request, \
        SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000",
};

impl Service {
    fn content_type(&self, codec: Codec) -> HeaderValue {
        HeaderValue::from_static(match codec {
            Codec::Json => self.json,
            Codec::Cbor => "application/x-amz-cbor-1.1",
        })
    }
}

/// Where to call, and as whom; connections share it.
pub struct Endpoint {
    /// The service that is called.
    pub service: &'static Service,
    /// Its address.
    pub uri: Uri,
    /// The region of signatures.
    pub region: String,
    /// The credentials to sign with; none for a constant signature.
    pub signer: Option<Arc<dyn ProvideCredentials>>,
    /// How bodies are written.
    pub codec: Codec,
    /// Clock and tasks.
    pub env: Env,
    /// The connector, with the certificates that all connections believe.
    pub connector: Connector,
}

/// Opens connections.
pub type Connector = HttpsConnector<HttpConnector>;

/// A connector for connections with TLS and without.
pub fn connector() -> Connector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(BENCH_CONNECT_WAIT_MAX));
    let tls = match HttpsConnectorBuilder::new().with_native_roots() {
        Ok(native) => native,
        // A machine without certificates of its own.
        Err(_) => HttpsConnectorBuilder::new().with_webpki_roots(),
    };
    tls.https_or_http().enable_http1().wrap_connector(tcp)
}

impl Endpoint {
    /// A service at that address, called with the credentials of `config` or with a constant signature.
    ///
    /// # Errors
    /// When it is no address.
    pub fn open(
        service: &'static Service,
        url: &str,
        config: &ClientConfig,
        sign: bool,
        codec: Codec,
        env: &Env,
    ) -> Result<Arc<Self>, BenchError> {
        let bad = || BenchError::Address(url.to_owned());
        let uri: Uri = format!("{}/", url.trim_end_matches('/'))
            .parse()
            .map_err(|_| bad())?;
        if uri.authority().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad());
        }
        let region = config.region.clone();
        Ok(Arc::new(Self {
            service,
            uri,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            signer: sign.then(|| config.credentials.clone()),
            codec,
            env: env.clone(),
            connector: connector(),
        }))
    }

    /// The request, signed; the address in it is the path alone, as HTTP/1.1 has it.
    pub async fn request(
        &self,
        target: HeaderValue,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let Endpoint {
            service,
            uri,
            region,
            signer,
            codec,
            env,
            ..
        } = self;
        let (mut head, ()) = Request::post(uri.clone())
            .body(())
            .expect("its parts are valid")
            .into_parts();
        head.headers
            .insert(header::CONTENT_TYPE, service.content_type(*codec));
        head.headers.insert("x-amz-target", target);
        match signer {
            Some(signer) => {
                let credentials = signer
                    .credentials()
                    .await
                    .map_err(|error| Failure::transport(&error, false))?;
                let scope = Scope {
                    service: service.name,
                    region,
                    at: env.clock.now(),
                };
                sign(&mut head, Payload::Bytes(&body), &credentials, &scope);
            }
            None => {
                let host = uri.authority().map_or("", |authority| authority.as_str());
                let host = HeaderValue::from_str(host).expect("an authority is plain ASCII");
                head.headers.insert(header::HOST, host);
                head.headers.insert(
                    header::AUTHORIZATION,
                    HeaderValue::from_static(service.constant_signature),
                );
                head.headers
                    .insert("x-amz-date", HeaderValue::from_static("20130101T000000Z"));
            }
        }
        head.uri = Uri::from_static("/");
        Ok(Request::from_parts(head, Full::new(body)))
    }
}
