//! Data warehouses over PostgreSQL's protocol. To other machines only with TLS, as Redshift has it.

use std::{
    error::Error,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use futures_util::{
    SinkExt, TryStreamExt,
    future::{Either, select},
};
use headwater_delivery::{ChunkStream, Login, Session, Warehouse, WarehouseError};
use headwater_env::Env;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Client, Config, SimpleQueryMessage,
    config::SslMode,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// How long a connection may take to come about.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);
/// Bytes of rows that are sent together.
const ROWS_BYTES: usize = 64 * 1024;

/// PostgreSQL's protocol as its driver speaks it.
pub struct PostgresWarehouse {
    /// Runs connections.
    pub env: Env,
    /// The authorities that connections trust.
    pub tls: Arc<ClientConfig>,
}

struct PostgresSession(Client);

#[async_trait]
impl Warehouse for PostgresWarehouse {
    async fn open(&self, login: &Login) -> Result<Box<dyn Session>, WarehouseError> {
        let mut config = Config::new();
        config
            .host(&login.database.host)
            .port(login.database.port)
            .dbname(&login.database.name)
            .user(&login.user)
            .password(login.password.reveal())
            .application_name("headwater")
            .ssl_mode(if login.database.is_local() {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        let connect = config.connect(Tls(self.tls.clone()));
        let limit = pin!(self.env.clock.sleep(CONNECT_WAIT_MAX));
        let (client, connection) = match select(pin!(connect), limit).await {
            Either::Left((connected, _)) => connected.map_err(to_delivery)?,
            Either::Right(_) => {
                return Err(WarehouseError::NotConnected(format!(
                    "no session within {CONNECT_WAIT_MAX:?}"
                )));
            }
        };
        self.env.spawn(async move {
            // The session's user gets the error as well.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to a warehouse ended");
            }
        });
        Ok(Box::new(PostgresSession(client)))
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, WarehouseError> {
        let messages = self.0.simple_query(sql).await.map_err(to_delivery)?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }

    async fn copy_in(&mut self, sql: &str, mut rows: ChunkStream) -> Result<(), WarehouseError> {
        let sink = self
            .0
            .copy_in::<_, bytes::Bytes>(sql)
            .await
            .map_err(to_delivery)?;
        let mut sink = pin!(sink);
        let mut waiting = BytesMut::new();
        while let Some(more) = rows
            .try_next()
            .await
            .map_err(|e| WarehouseError::Rows(e.to_string()))?
        {
            waiting.extend_from_slice(&more);
            if waiting.len() >= ROWS_BYTES {
                sink.feed(waiting.split().freeze())
                    .await
                    .map_err(to_delivery)?;
                sink.flush().await.map_err(to_delivery)?;
            }
        }
        if waiting.has_remaining() {
            sink.feed(waiting.freeze()).await.map_err(to_delivery)?;
        }
        sink.finish().await.map(drop).map_err(to_delivery)
    }
}

/// A refusal with the warehouse's words; the driver's text of it would hold no more.
fn to_delivery(error: tokio_postgres::Error) -> WarehouseError {
    match error.as_db_error() {
        Some(refused) => {
            let detail = refused
                .detail()
                .map(|detail| format!(": {detail}"))
                .unwrap_or_default();
            WarehouseError::Refused {
                state: refused.code().code().to_owned(),
                message: format!("{}{detail}", refused.message()),
            }
        }
        None => {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            WarehouseError::NotConnected(format!("{error}{cause}"))
        }
    }
}

/// TLS for the driver.
struct Tls(Arc<ClientConfig>);

struct TlsTo(Arc<ClientConfig>, ServerName<'static>);

struct TlsStream<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = TlsStream<S>;
    type TlsConnect = TlsTo;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<TlsTo> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(TlsTo(self.0.clone(), name))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for TlsTo {
    type Stream = TlsStream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TlsStream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            TlsConnector::from(self.0)
                .connect(self.1, stream)
                .await
                .map(TlsStream)
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for TlsStream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
