//! `headwater serve`: opens what the data folder holds, wires the domains to each other and to their doors, listens,
//! and shuts down in the reverse order.

use std::{io::Write, net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use headwater_catalog::{Catalog, SqliteCatalog};
use headwater_delivery::{Deliveries, Family, Ports, Quotas};
use headwater_env::{Env, File, raise_open_files};
use headwater_firehose::Firehose;
use headwater_functions::Functions;
use headwater_glue::Glue;
use headwater_kinesis::{Channels, Kinesis};
use headwater_lambda::Lambda;
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_loggroups::LogGroups;
use headwater_logs::Logs;
use headwater_objects::{DirectoryStore, ObjectStore};
use headwater_objects_s3::S3Store;
use headwater_queues::Queues;
use headwater_s3::S3;
use headwater_schemas::Schemas;
use headwater_streams::{StreamSources, Streams};
use headwater_types::{Account, Region};
use headwater_wire::{
    Door, Rest,
    client::{Client, ClientConfig},
    server::{self, JsonDoor, Listener, Router, Serving},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};

use crate::{
    Failure,
    access::{self, Access},
    adapters::{
        DeliveryLog, FunctionInvoke, FunctionLog, HttpWeb, ObjectCode, PostgresWarehouse,
        SchemaTables, StoreObjects,
    },
    health::HealthDoor,
    logging,
    settings::{Durability, Limits, Objects, Settings},
    tls, trust,
};

/// Connections that wait to be accepted. One beyond them tries again a second later, so hundreds that come at once must
/// find room; the system has a bound of its own (net.core.somaxconn).
const BACKLOG: u32 = 4096;

/// What systems grant where nobody asks.
const OPEN_FILES_GUESS: u64 = 1024;

/// Names of this machine under which a bucket may stand in front: `bucket.localhost:4566`.
const VIRTUAL_HOSTS: [&str; 2] = ["localhost", "s3.localhost"];

/// Serves until the process is told to stop.
pub async fn run(env: Env, settings: Settings) -> Result<ExitCode, Failure> {
    logging::start(&settings)?;
    let server = Server::start(env, &settings).await?;
    // Scripts wait for these lines; there are no others on standard output.
    let mut out = std::io::stdout().lock();
    writeln!(out, "headwater listening on http://{}", server.address)?;
    if let Some(address) = server.tls_address {
        writeln!(out, "headwater listening on https://{address}")?;
    }
    drop(out);
    stop_signal().await?;
    tracing::info!("stopping");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// How many files and sockets may be open, raised to what the system grants.
fn open_files() -> u64 {
    match raise_open_files() {
        Ok((before, after)) => {
            tracing::info!(before, after, "raised the bound of open files");
            after
        }
        Err(error) => {
            tracing::warn!(%error, "the bound of open files could not be raised: set it with ulimit -n");
            OPEN_FILES_GUESS
        }
    }
}

/// SIGTERM or SIGINT.
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens with TLS.
    tls_address: Option<SocketAddr>,
    domains: Domains,
    shutdown: oneshot::Sender<()>,
    listening: oneshot::Receiver<()>,
    /// Keeps other servers out of the data folder.
    _lock: Box<dyn File>,
}

/// What the doors open to. Those above use those below.
struct Domains {
    channels: Channels,
    deliveries: Arc<Deliveries>,
    functions: Functions,
    groups: LogGroups,
    objects: Arc<dyn ObjectStore>,
    queues: Arc<Queues>,
    schemas: Schemas,
    streams: Arc<Streams>,
    log: Arc<dyn ShardLog>,
}

impl Server {
    /// Opens the data folder and listens.
    pub async fn start(env: Env, settings: &Settings) -> Result<Self, Failure> {
        settings.check()?;
        let lock = lock(&env, &settings.data_dir)?;
        let access = access::open(&env, settings)?;
        let (plain, address) = bind(settings.listen, "--listen").await?;
        let mut listeners = vec![Listener::from(plain)];
        let mut tls_address = None;
        if let Some(asked) = settings.tls_listen {
            let (socket, address) = bind(asked, "--tls-listen").await?;
            listeners.push(Listener {
                socket,
                tls: Some(tls::open(&env, settings, address)?),
            });
            tls_address = Some(address);
        }
        let functions = function_options(settings, address, access.as_ref());
        let domains = Domains::open(&env, settings, functions).await?;
        let serving = Serving {
            router: Arc::new(domains.doors()),
            region: Region(settings.region.clone()),
            account: Account(settings.account.clone()),
            verifier: access.map(|access| access.verifier),
            limits: server::Limits::with_open_files(open_files()),
        };
        let (shutdown, told) = oneshot::channel::<()>();
        let (ended, listening) = oneshot::channel();
        let serve_env = env.clone();
        env.spawn(async move {
            let told = async move { drop(told.await) };
            server::serve(listeners, serving, serve_env, told).await;
            // Nobody waits for it after a stop that was itself dropped.
            let _ = ended.send(());
        });
        Ok(Self {
            address,
            tls_address,
            domains,
            shutdown,
            listening,
            _lock: lock,
        })
    }

    /// Lets what runs come to its end, within bounds, and closes everything, users before what they use.
    pub async fn stop(self) {
        self.domains.streams.end_subscriptions();
        self.domains.queues.close().await;
        drop(self.shutdown);
        drop(self.listening.await);
        self.domains.channels.deliveries.close().await;
        self.domains.deliveries.close().await;
        self.domains.functions.close().await;
        if let Err(error) = self.domains.groups.close().await {
            tracing::warn!(%error, "the newest times of log streams were not kept");
        }
        self.domains.log.close().await;
    }
}

async fn bind(address: SocketAddr, setting: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let socket = listen(address).map_err(|e| {
        format!("listening on {address} failed: {e}. Choose another with {setting}")
    })?;
    let bound = socket.local_addr()?;
    Ok((socket, bound))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // As the standard library does: a server that was just stopped does not keep the next one from its port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Makes the data folder and takes it for this process.
pub fn lock(env: &Env, dir: &Path) -> Result<Box<dyn File>, Failure> {
    let name = dir.display();
    env.disk
        .create_dir_all(dir)
        .map_err(|e| format!("making the data folder {name} failed: {e}"))?;
    env.disk.lock(&dir.join("LOCK")).map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => {
            format!("another server uses the data folder {name}: stop it, or choose another with --data-dir")
                .into()
        }
        _ => format!("locking the data folder {name} failed: {e}").into(),
    })
}

impl Domains {
    /// Opens each domain after those that it uses.
    async fn open(
        env: &Env,
        settings: &Settings,
        functions: headwater_functions::Options,
    ) -> Result<Self, Failure> {
        let dir = &settings.data_dir;
        let sync = settings.durability == Durability::Fsync;
        let catalog: Arc<dyn Catalog> = Arc::new(SqliteCatalog::open(
            env.clone(),
            headwater_catalog::Options {
                dir: dir.join("catalog"),
                sync,
            },
        )?);
        let log = open_log(env, settings, sync).await?;
        let streams = Streams::open(
            env.clone(),
            log.clone(),
            catalog.clone(),
            stream_options(settings),
        )
        .await?;
        streams.keep_scaling();
        let groups = LogGroups::open(env.clone(), catalog.clone(), log.clone()).await?;
        let objects = open_objects(env, settings, &catalog).await?;
        let functions = Functions::open(
            env.clone(),
            catalog.clone(),
            &dir.join("functions"),
            Arc::new(FunctionLog(groups.clone())),
            functions,
        )
        .await?;
        let sources = Arc::new(StreamSources(streams.clone()));
        let queues = Queues::open(env.clone(), catalog.clone(), sources.clone()).await?;
        let trusted = trust::open(env, settings)?;
        let schemas = Schemas::new(env.clone(), catalog.clone());
        let ports = Ports {
            sources,
            invoke: Arc::new(FunctionInvoke {
                env: env.clone(),
                functions: functions.clone(),
            }),
            objects: Arc::new(StoreObjects(objects.clone())),
            logs: Arc::new(DeliveryLog(groups.clone())),
            tables: Arc::new(SchemaTables(schemas.clone())),
            web: Arc::new(HttpWeb::new(env, trusted.clone())),
            warehouse: Arc::new(PostgresWarehouse {
                env: env.clone(),
                tls: Arc::new(trusted),
            }),
        };
        let options = delivery_options(settings);
        let of_channels = headwater_delivery::Options {
            family: Family::Channels,
            ..options.clone()
        };
        let channels = Deliveries::open(
            env.clone(),
            catalog.clone(),
            log.clone(),
            ports.clone(),
            of_channels,
        )
        .await?;
        let channels = Channels {
            deliveries: channels,
            limits: settings.limits == Limits::Aws,
        };
        let deliveries =
            Deliveries::open(env.clone(), catalog, log.clone(), ports, options).await?;
        Ok(Self {
            channels,
            deliveries,
            functions,
            groups,
            objects,
            queues,
            schemas,
            streams,
            log,
        })
    }

    /// One door a service; S3 takes what no other does, so it stands last.
    fn doors(&self) -> Router {
        let kinesis = Kinesis {
            streams: self.streams.clone(),
            channels: self.channels.clone(),
            queues: self.queues.clone(),
        };
        let kinesis = headwater_kinesis::table(Arc::new(kinesis));
        let firehose = headwater_firehose::table(Arc::new(Firehose {
            deliveries: self.deliveries.clone(),
        }));
        let logs = headwater_logs::table(Arc::new(Logs {
            groups: self.groups.clone(),
        }));
        let glue = headwater_glue::table(Arc::new(Glue {
            schemas: self.schemas.clone(),
        }));
        let code = Arc::new(ObjectCode(self.objects.clone()));
        let lambda = headwater_lambda::table(Arc::new(Lambda {
            functions: self.functions.clone(),
            code,
        }));
        let s3 = headwater_s3::table(S3 {
            store: self.objects.clone(),
        });
        let operations = vec![
            kinesis.operations(),
            firehose.operations(),
            logs.operations(),
            glue.operations(),
            lambda.operations(),
            s3.operations(),
        ];
        let health = HealthDoor {
            log: self.log.clone(),
            deliveries: self.deliveries.clone(),
            channels: self.channels.deliveries.clone(),
            operations,
        };
        let lambda = Rest::new(lambda);
        let s3 = Rest::new(s3).with_virtual_hosts(VIRTUAL_HOSTS.map(str::to_owned));
        let others: [Arc<dyn Door>; 3] = [Arc::new(health), Arc::new(lambda), Arc::new(s3)];
        let json = [
            JsonDoor::new(kinesis),
            JsonDoor::new(firehose),
            JsonDoor::new(logs),
            JsonDoor::new(glue),
        ];
        Router::new(json, others)
    }
}

async fn open_log(
    env: &Env,
    settings: &Settings,
    sync: bool,
) -> Result<Arc<dyn ShardLog>, Failure> {
    let options = headwater_log::Options {
        segment_bytes: settings.segment_mib << 20,
        tail_cache_bytes: settings.tail_cache_mib << 20,
        sync,
        ..headwater_log::Options::new(settings.data_dir.join("log"))
    };
    let opening = env.clone();
    Ok(Arc::new(
        env.blocking(move || EmbeddedLog::open(opening, options))
            .await?,
    ))
}

fn stream_options(settings: &Settings) -> headwater_streams::Options {
    headwater_streams::Options {
        limits: settings.limits == Limits::Aws,
        ..Default::default()
    }
}

fn delivery_options(settings: &Settings) -> headwater_delivery::Options {
    let quotas = (settings.limits == Limits::Aws).then(|| Quotas::of_region(&settings.region));
    let spool = settings.data_dir.join("spool");
    headwater_delivery::Options {
        quotas,
        spool,
        ..Default::default()
    }
}

fn function_options(
    settings: &Settings,
    address: SocketAddr,
    access: Option<&Access>,
) -> headwater_functions::Options {
    let (region, account) = (
        Region(settings.region.clone()),
        Account(settings.account.clone()),
    );
    let mut reachable = address;
    if address.ip().is_unspecified() {
        // "Every address" is none to connect to; functions run on this machine.
        reachable.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let inherited = ["PATH", "HOME", "LANG"].into_iter();
    let mut options = headwater_functions::Options {
        inherited: inherited
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
            .collect(),
        concurrency: settings.function_concurrency as usize,
        concurrency_per_function: settings.function_concurrency as usize,
        ..headwater_functions::Options::new(region, account, format!("http://{reachable}"))
    };
    if let Some(Access { functions, .. }) = access {
        functions
            .access_key_id
            .clone_into(&mut options.access_key_id);
        functions
            .secret_access_key
            .clone_into(&mut options.secret_access_key);
    }
    options
}

async fn open_objects(
    env: &Env,
    settings: &Settings,
    catalog: &Arc<dyn Catalog>,
) -> Result<Arc<dyn ObjectStore>, Failure> {
    match settings.objects {
        Objects::Directory => {
            let dir = settings.data_dir.join("objects");
            Ok(Arc::new(
                DirectoryStore::open(env.clone(), &dir, catalog.clone()).await?,
            ))
        }
        Objects::S3 => {
            let config = ClientConfig::from_env(|name| std::env::var(name).ok(), env).await?;
            let config = config
                .with_endpoint_url(settings.objects_endpoint_url.clone())
                .with_region(Some(settings.region.clone()));
            Ok(Arc::new(S3Store::new(
                Client::new(config, env.clone()),
                env.clone(),
            )))
        }
    }
}
