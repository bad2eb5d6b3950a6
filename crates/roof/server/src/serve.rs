//! `headwater serve`: opens the services of the list over what the data folder holds, listens, and shuts down in the
//! reverse order.

use std::{
    io::Write,
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use headwater_env::{Env, File, raise_open_files};
use headwater_http::{Buffers, Limits, Listener, Serving};
use headwater_wire::{Observe, Options, Page, Pipeline, requests::Requests};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};

use crate::{
    Failure,
    access::{self, Access},
    clock,
    console::{Console, Sources},
    ground::Ground,
    health::OwnPages,
    logging,
    metrics::Metrics,
    otlp::{self, Exporter, Spans},
    places::Places,
    services::{Running, SERVICES, open_listed},
    settings::Settings,
    tls,
};

/// Connections that wait to be accepted. One beyond them tries again a second later, so hundreds that come at once must
/// find room; the system has a bound of its own (net.core.somaxconn).
const BACKLOG: u32 = 4096;

/// Open files that systems grant without being asked.
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
    ground: Ground,
    /// In the order of the list.
    services: Vec<Arc<dyn Running>>,
    /// The other regions.
    places: Arc<Places>,
    console: Arc<Console>,
    shutdown: oneshot::Sender<()>,
    listening: oneshot::Receiver<()>,
    /// Set when it is told to stop.
    is_stopping: Arc<AtomicBool>,
    /// Tells a collector, where there is one.
    exporter: Option<Exporter>,
    /// Keeps other servers out of the data folder.
    _lock: Box<dyn File>,
}

impl Server {
    /// Opens the data folder and listens.
    pub async fn start(machine: Env, settings: &Settings) -> Result<Self, Failure> {
        settings.check()?;
        let env = clock::open(machine.clone(), settings)?;
        let lock = lock(&env, &settings.data_dir)?;
        let access = access::open(&env, settings)?;
        let (plain, address) = bind(settings.listen, "--listen").await?;
        let mut listeners = vec![Listener::from(plain)];
        let mut tls_address = None;
        if let Some(asked) = settings.tls_listen {
            let (socket, address) = bind(asked, "--tls-listen").await?;
            // Clients hold certificates against the machine's time.
            let tls = Some(tls::open(&machine, settings, address)?);
            listeners.push(Listener { socket, tls });
            tls_address = Some(address);
        }
        let ground = Ground::open(&env, settings, address, access.as_ref()).await?;
        let services = open_listed(SERVICES, &ground).await?;
        let places = Places::open(ground.clone()).await?;
        let watch = Watch {
            spans: otlp::spans(&env, settings),
            is_stopping: Arc::default(),
        };
        let Served {
            serving,
            metrics,
            console,
        } = serving(&ground, &services, &places, access, &watch);
        let exporter = watch
            .spans
            .clone()
            .map(|spans| Exporter::start(&ground, settings, spans, metrics));
        let exporter = exporter.transpose()?;
        let (shutdown, told) = oneshot::channel::<()>();
        let (ended, listening) = oneshot::channel();
        let serve_env = env.clone();
        env.spawn(async move {
            let told = async move { drop(told.await) };
            headwater_http::serve(listeners, serving, serve_env, told).await;
            // Nobody waits for it after a stop that was itself dropped.
            let _ = ended.send(());
        });
        Ok(Self {
            address,
            tls_address,
            ground,
            services,
            places,
            console,
            shutdown,
            listening,
            is_stopping: watch.is_stopping,
            exporter,
            _lock: lock,
        })
    }

    /// Lets what runs come to its end, within bounds, and closes everything, users before what they use.
    pub async fn stop(self) {
        self.is_stopping.store(true, Relaxed);
        let all = || self.services.iter().cloned().chain(self.places.services());
        for service in all().collect::<Vec<_>>().iter().rev() {
            service.end_waits().await;
        }
        self.console.close();
        drop(self.shutdown);
        drop(self.listening.await);
        // A request may have opened a region meanwhile; from here on none can.
        for service in all().collect::<Vec<_>>().iter().rev() {
            service.close().await;
        }
        if let Some(exporter) = self.exporter {
            exporter.close().await;
        }
        self.ground.log.close().await;
    }
}

/// What those outside are told of the server besides its metrics.
#[derive(Default)]
pub struct Watch {
    /// The requests that a collector is told of.
    pub spans: Option<Arc<Spans>>,
    /// Set when the server is told to stop.
    pub is_stopping: Arc<AtomicBool>,
}

/// The services behind a listener, and those that look on.
pub struct Served {
    /// The services.
    pub serving: Serving,
    /// What is measured of all.
    pub metrics: Arc<Metrics>,
    /// The console among the pages.
    pub console: Arc<Console>,
}

/// The services behind the pipeline that every request takes.
pub fn serving(
    ground: &Ground,
    services: &[Arc<dyn Running>],
    places: &Arc<Places>,
    access: Option<Access>,
    watch: &Watch,
) -> Served {
    let tables: Vec<_> = services.iter().map(|service| service.table()).collect();
    let requests = Arc::new(Requests::new(&tables));
    let home = Options::new(ground.place.clone());
    let (buffers, answers) = (Buffers::default(), home.answers.clone());
    let metrics = Arc::new(Metrics {
        env: ground.env.clone(),
        log: ground.log.clone(),
        requests: requests.clone(),
        spans: watch.spans.clone(),
        rooms: [("bodies", buffers.clone()), ("answers", answers)],
        home: (ground.place.region.clone(), services.to_vec()),
        places: places.clone(),
        one: Default::default(),
    });
    let pages = OwnPages {
        log: ground.log.clone(),
        services: services.to_vec(),
        places: places.clone(),
        metrics: metrics.clone(),
        is_stopping: watch.is_stopping.clone(),
        operations: tables.iter().map(|table| table.operations()).collect(),
        is_signed: access.is_some(),
    };
    let sources = Sources {
        home: (ground.place.clone(), services.to_vec()),
        places: places.clone(),
        is_signed: access.is_some(),
        started: ground.env.clock.now(),
    };
    let console = Arc::new(Console::new(ground.env.clone(), sources));
    let mut observers: Vec<Arc<dyn Observe>> = vec![requests];
    observers.extend(watch.spans.clone().map(|spans| spans as Arc<dyn Observe>));
    let options = Options {
        observers,
        calls: Some(ground.calls.clone()),
        verifier: access.map(|access| {
            let verifier = access.verifier.in_any_region();
            verifier.with_sessions(ground.sessions.clone())
        }),
        sessions: Some(ground.sessions.clone()),
        others: Some(places.clone()),
        pages: vec![console.clone() as Arc<dyn Page>, Arc::new(pages)],
        virtual_hosts: VIRTUAL_HOSTS.map(str::to_owned).to_vec(),
        buffers: buffers.clone(),
        ..home
    };
    let serving = Serving {
        service: Arc::new(Pipeline::new(tables, options, ground.env.clone())),
        buffers,
        limits: Limits::with_open_files(open_files()),
    };
    Served {
        serving,
        metrics,
        console,
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
