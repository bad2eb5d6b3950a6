//! The parts that all services of a place share: the catalog, the log, the object store, and the settings.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use headwater_auth::Sessions;
use headwater_catalog::{Catalog, ScopedCatalog, SqliteCatalog};
use headwater_client::{Client, ClientConfig};
use headwater_delivery::{Invoke, Ports, Quotas};
use headwater_env::Env;
use headwater_log::{EmbeddedLog, ScopedLog, ShardLog};
use headwater_objects::{DirectoryStore, ObjectStore};
use headwater_objects_s3::S3Store;
use headwater_sealing::InstallationKey;
use headwater_types::{Account, Region, kept::Prefix};
use headwater_wire::Place;
use tokio_rustls::rustls;

use crate::{
    Failure,
    access::Access,
    adapters::{Calls, HttpWeb, PostgresWarehouse},
    services::{Given, given},
    settings::{Durability, Limits, Objects, Settings},
    trust,
};

/// The parts that the services of one place share.
#[derive(Clone)]
pub struct Ground {
    /// Clock, randomness, disk and tasks.
    pub env: Env,
    /// The account and the region.
    pub place: Place,
    /// The control state of the place.
    pub catalog: Arc<dyn Catalog>,
    /// The control state of all places, for what an account has in all of its regions.
    pub shared_catalog: Arc<dyn Catalog>,
    /// The shards of the place.
    pub log: Arc<dyn ShardLog>,
    /// The objects of all places.
    pub store: Arc<dyn ObjectStore>,
    /// The keys that expire, of all places.
    pub sessions: Arc<Sessions>,
    /// The events of calls, of all places.
    pub calls: Arc<Calls>,
    /// How functions run.
    pub functions: headwater_functions::Options,
    /// Whether AWS's limits hold.
    pub limits: bool,
    /// TLS to destinations.
    trusted: rustls::ClientConfig,
    data_dir: PathBuf,
}

impl Ground {
    /// Opens the data folder for the place of the settings.
    pub async fn open(
        env: &Env,
        settings: &Settings,
        address: SocketAddr,
        access: Option<&Access>,
    ) -> Result<Self, Failure> {
        let sync = settings.durability == Durability::Fsync;
        let options = headwater_catalog::Options {
            dir: settings.data_dir.join("catalog"),
            sync,
        };
        let catalog: Arc<dyn Catalog> = Arc::new(SqliteCatalog::open(env.clone(), options)?);
        let log = open_log(env, settings, sync).await?;
        Ok(Self {
            env: env.clone(),
            place: Place {
                account: Account(settings.account.clone()),
                region: Region(settings.region.clone()),
            },
            store: open_store(env, settings, &catalog).await?,
            sessions: Arc::new(Sessions::new(
                env.clone(),
                &InstallationKey::open(env, &catalog).await?,
            )),
            shared_catalog: catalog.clone(),
            calls: Arc::default(),
            catalog,
            log,
            functions: function_options(settings, address, access),
            limits: settings.limits == Limits::Aws,
            trusted: trust::open(env, settings)?,
            data_dir: settings.data_dir.clone(),
        })
    }

    /// The ground of a server with a folder of its own, for tests.
    #[cfg(test)]
    pub async fn for_tests(dir: &std::path::Path) -> Self {
        let arguments = ["headwater", "serve", "--data-dir"].map(Into::into);
        let arguments = arguments.into_iter().chain([dir.as_os_str().to_owned()]);
        let settings = match crate::cli::parse(arguments.collect()) {
            Ok(crate::cli::Cli {
                command: crate::cli::Command::Serve(settings),
            }) => settings,
            _ => panic!("these are arguments of serve"),
        };
        let address = ([127, 0, 0, 1], 4566).into();
        let ground = Self::open(&Env::real(), &settings, address, None).await;
        ground.expect("a new folder can be opened")
    }

    /// The ground of another place: a part of the catalog and of the log, and a folder of its own.
    pub fn of_place(&self, place: Place, number: u8) -> Self {
        let prefix = format!("{}{number}/", Prefix::InPlaces.key());
        let functions = headwater_functions::Options {
            region: place.region.clone(),
            account: place.account.clone(),
            ..self.functions.clone()
        };
        Self {
            catalog: Arc::new(ScopedCatalog::new(self.catalog.clone(), prefix)),
            log: Arc::new(ScopedLog::new(self.log.clone(), number)),
            data_dir: self.data_dir.join("places").join(number.to_string()),
            place,
            functions,
            ..self.clone()
        }
    }

    /// The parts that nearly every domain is opened with.
    pub fn parts(&self) -> (Env, Arc<dyn Catalog>, Arc<dyn ShardLog>) {
        (self.env.clone(), self.catalog.clone(), self.log.clone())
    }

    /// A folder of the data folder.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.data_dir.join(name)
    }

    /// How deliveries are kept.
    pub fn delivery_options(&self) -> headwater_delivery::Options {
        let quotas = self.limits.then(|| Quotas::of_region(&self.place.region.0));
        headwater_delivery::Options {
            quotas,
            spool: self.dir("spool"),
            ..Default::default()
        }
    }

    /// HTTP to destinations.
    pub fn web(&self) -> HttpWeb {
        HttpWeb::new(&self.env, self.trusted.clone())
    }

    /// The other domains, as deliveries use them that call functions by `invoke`.
    pub fn ports(&self, others: &Given, invoke: Arc<dyn Invoke>) -> Ports {
        Ports {
            sources: given(&others.sources),
            invoke,
            objects: given(&others.objects),
            logs: given(&others.delivery_log),
            tables: given(&others.tables),
            web: Arc::new(self.web()),
            warehouse: Arc::new(PostgresWarehouse {
                env: self.env.clone(),
                tls: Arc::new(self.trusted.clone()),
            }),
        }
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
    Ok(Arc::new(EmbeddedLog::open(env.clone(), options).await?))
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
    let inherited = ["PATH", "HOME"].into_iter();
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
        options.session_token = functions.session_token.clone().unwrap_or_default();
    }
    options
}

/// The object store that the settings name.
pub async fn open_store(
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
