//! All functions: made, changed, found, deleted, run.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use headwater_catalog::{Catalog, Table, Versioned};
use headwater_env::Env;
use headwater_types::{Account, Arn, Millis, Region, kept::Prefix};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit, oneshot};

use crate::{
    Alias, AliasChange, AliasName, Claims, Code, Configuration, Error, EventSettingsChange,
    Function, FunctionCalls, FunctionMetrics, FunctionName, FunctionUrl, Kept, KeptEventSettings,
    LayerVersion, LogSink, Outlets, Part, Policy, Processes, Provisioned, Publish, Qualifier,
    RuntimeKind, Statement, UrlTarget, bootstraps,
    counts::Counts,
    events::{self, Events},
    invoke::{self, Answer, Beginning, Invocation, Request, StreamedAnswer},
    keep::keep,
    launch,
    layers::{self, LayerCounter},
    leftovers::Leftovers,
    limits,
    logs::LogWriter,
    opt::{Namespaces, View},
    outcomes::{self, Outcomes},
    packages::{Packages, sha256},
    pool::{Bounds, Pool, reap_idle},
    process::{Process, Surroundings},
    unpack::{self, CodeDir},
    version::{start_of, version_key},
};

/// The server as functions need to know it, and their bounds.
#[derive(Debug, Clone)]
pub struct Options {
    /// The region that functions run in.
    pub region: Region,
    /// The account that they belong to.
    pub account: Account,
    /// Where a function reaches this server: its `AWS_ENDPOINT_URL`.
    pub endpoint_url: String,
    /// The access key that a function signs its own requests with.
    pub access_key_id: String,
    /// The secret to it.
    pub secret_access_key: String,
    /// The token that such requests carry, as those of a role's session do.
    pub session_token: String,
    /// The variables that processes inherit: `PATH` and `HOME`. Nothing else of the server's environment reaches them.
    pub inherited: HashMap<String, String>,
    /// Invocations at one time, and processes in all.
    pub concurrency: usize,
    /// Invocations of one function at one time.
    pub concurrency_per_function: usize,
    /// How long an invocation waits for room before it is refused. AWS refuses at once, but has room for 1,000.
    pub concurrency_wait: Duration,
}

impl Options {
    /// Options with credentials that a server without credentials takes, and bounds for one machine.
    pub fn new(region: Region, account: Account, endpoint_url: impl Into<String>) -> Self {
        Self {
            region,
            account,
            endpoint_url: endpoint_url.into(),
            access_key_id: "headwater".into(),
            secret_access_key: "headwater".into(),
            session_token: "headwater".into(),
            inherited: HashMap::new(),
            concurrency: 64,
            concurrency_per_function: 32,
            concurrency_wait: Duration::from_secs(10),
        }
    }

    /// The ARN of a function.
    pub fn function_arn(&self, name: &FunctionName) -> Arn {
        Arn::new(
            "lambda",
            &self.region,
            &self.account,
            format!("function:{name}"),
        )
    }
}

/// How much there is of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The functions themselves.
    pub functions: usize,
    /// Bytes of their packages together, those of each version counted.
    pub code_bytes: u64,
}

/// All functions of a server. Cheap to clone.
#[derive(Clone)]
pub struct Functions {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub env: Env,
    pub options: Options,
    pub pool: Arc<Pool>,
    pub logs: LogWriter,
    pub events: Arc<Events>,
    pub outcomes: Arc<Outcomes>,
    /// Where outcomes are told, once it is known.
    pub outlets: OnceLock<Arc<dyn Outlets>>,
    pub event_settings: Table<KeptEventSettings>,
    pub catalog: Arc<dyn Catalog>,
    pub table: Table<Function>,
    pub versions: Table<Function>,
    pub aliases: Table<Alias>,
    pub layers: Table<LayerCounter>,
    pub layer_versions: Table<LayerVersion>,
    pub urls: Table<FunctionUrl>,
    pub url_ids: Table<UrlTarget>,
    pub policies: Table<Policy>,
    pub claims: Table<Claims>,
    /// The claims as they are kept.
    pub claimed: Mutex<HashMap<FunctionName, Claims>>,
    /// Held by whoever changes what stands beside functions (policies, claims), or deletes what that stands beside.
    pub beside: tokio::sync::Mutex<()>,
    pub packages: Packages,
    /// Places in memory for packages that come, which a slow bucket may hold for long.
    coming: Semaphore,
    /// Places in memory for packages that are unpacked.
    unpacking: Semaphore,
    pub counts: Counts,
    leftovers: Arc<Leftovers>,
    /// How processes see layers at `/opt`; found out by the first that has some.
    namespaces: OnceCell<Option<Namespaces>>,
    /// Filled when our bootstrap for Java is compiled.
    java: OnceCell<()>,
    /// Unpacked code by its package; made once, by the first invocation that needs it.
    pub code: Mutex<HashMap<String, Arc<OnceCell<Arc<CodeDir>>>>>,
    dir: PathBuf,
}

impl Functions {
    /// Opens the functions whose records are in `catalog` and whose packages are in `dir`; ends processes that a
    /// former server left, and goes on with events that wait.
    ///
    /// # Errors
    /// When the catalog or the disk fails.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        dir: &Path,
        sink: Arc<dyn LogSink>,
        options: Options,
    ) -> Result<Self, Error> {
        let dir =
            std::path::absolute(dir).map_err(Error::disk("finding the folder of functions"))?;
        let table = Table::new(catalog.clone(), Prefix::Functions);
        let versions = Table::new(catalog.clone(), Prefix::FunctionVersions);
        let aliases = Table::new(catalog.clone(), Prefix::FunctionAliases);
        let leftovers = Arc::new(Leftovers::open(env.disk.clone(), dir.join("processes"))?);
        let packages = Packages::open(env.disk.clone(), dir.join("packages"))?;
        prepare(&env, &dir)?;
        let bounds = Bounds {
            total: options.concurrency,
            per_function: options.concurrency_per_function,
            wait: options.concurrency_wait,
        };
        let pool = Pool::new(env.clone(), bounds);
        let events = Table::new(catalog.clone(), Prefix::FunctionEvents);
        let events = Arc::new(Events::open(env.clone(), events).await?);
        let outcomes = Arc::new(Outcomes::open(env.clone(), catalog.clone()).await?);
        let logs = LogWriter::start(&env, sink);
        env.spawn(reap_idle(env.clone(), Arc::downgrade(&pool)));
        let code = Mutex::default();
        let inner = Arc::new(Inner {
            layers: Table::new(catalog.clone(), Prefix::Layers),
            layer_versions: Table::new(catalog.clone(), Prefix::LayerVersions),
            urls: Table::new(catalog.clone(), Prefix::FunctionUrls),
            url_ids: Table::new(catalog.clone(), Prefix::FunctionUrlIds),
            env,
            options,
            pool,
            logs,
            events,
            outcomes,
            outlets: OnceLock::new(),
            event_settings: Table::new(catalog.clone(), Prefix::FunctionEventSettings),
            catalog: catalog.clone(),
            table,
            versions,
            aliases,
            policies: Table::new(catalog.clone(), Prefix::FunctionPolicies),
            claims: Table::new(catalog, Prefix::FunctionClaims),
            claimed: Mutex::default(),
            beside: tokio::sync::Mutex::default(),
            packages,
            coming: Semaphore::new(limits::PACKAGES_IN_MEMORY_MAX),
            unpacking: Semaphore::new(limits::PACKAGES_IN_MEMORY_MAX),
            counts: Counts::default(),
            leftovers,
            namespaces: OnceCell::new(),
            java: OnceCell::new(),
            code,
            dir,
        });
        let named = inner.named_packages().await?;
        inner.packages.keep_only(|id| named.contains(id))?;
        for (name, claims) in inner.read_claims().await? {
            inner.adopt_claims(&name, claims).await?;
        }
        let weak: Weak<Inner> = Arc::downgrade(&inner);
        inner.env.spawn(keep(inner.env.clone(), weak.clone()));
        inner.env.spawn(events::dispatch(inner.env.clone(), weak));
        Ok(Self { inner })
    }

    /// Makes a function, and its first version where it is to be published.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Invalid`], [`Error::Package`], or what failed below.
    pub async fn create(
        &self,
        name: FunctionName,
        configuration: Configuration,
        tags: BTreeMap<String, String>,
        package: Bytes,
        publish: bool,
    ) -> Result<Function, Error> {
        self.change(|inner| async move {
            let create = inner.create(name, configuration, tags, package, publish);
            create.await
        })
        .await
    }

    /// Gives a function other code; `expected` is the revision that it must be at, if any. Where it is published, the
    /// new version is answered.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Revision`], [`Error::Package`], or what failed below.
    pub async fn update_code(
        &self,
        name: &FunctionName,
        package: Bytes,
        expected: Option<&str>,
        publish: bool,
    ) -> Result<Function, Error> {
        let (name, expected) = (name.clone(), expected.map(str::to_owned));
        self.change(|inner| async move {
            let update = inner.update_code(&name, package, expected, publish);
            update.await
        })
        .await
    }

    /// Makes sure that `package` could become a function's code, and what the function would be then.
    ///
    /// # Errors
    /// As [`Functions::update_code`].
    pub async fn check_code(
        &self,
        name: &FunctionName,
        package: &Bytes,
        expected: Option<&str>,
    ) -> Result<Function, Error> {
        let found = self.inner.expect(name, expected).await?;
        let code = Code {
            sha256: sha256(package),
            size: package.len() as u64,
            unpacked: unpack::check(package)?,
            ..found.value.code
        };
        layers::check_size(&found.value.configuration, &code)?;
        Ok(Function {
            code,
            ..found.value
        })
    }

    /// Changes how a function is run.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Revision`], [`Error::Invalid`], or what failed below.
    pub async fn update_configuration(
        &self,
        name: &FunctionName,
        expected: Option<&str>,
        change: impl FnOnce(&mut Configuration) + Send + 'static,
    ) -> Result<Function, Error> {
        let (name, expected) = (name.clone(), expected.map(str::to_owned));
        self.change(
            |inner| async move { inner.update_configuration(&name, expected, change).await },
        )
        .await
    }

    /// Changes a function's tags; its processes stay.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for too many, or what failed below.
    pub async fn update_tags(
        &self,
        name: &FunctionName,
        change: impl Fn(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.update_tags(&name, change).await })
            .await
    }

    /// One function, as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn get(&self, name: &FunctionName) -> Result<Function, Error> {
        Ok(self.inner.find(name).await?.value)
    }

    /// The version of a function that a qualifier means.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], or what failed below.
    pub async fn get_version(
        &self,
        name: &FunctionName,
        qualifier: Option<&Qualifier>,
    ) -> Result<Function, Error> {
        self.inner.resolve(name, qualifier, false).await
    }

    /// Publishes a function as it is; what was published so already is answered as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Revision`], [`Error::OtherCode`], or what failed below.
    pub async fn publish(&self, name: &FunctionName, wishes: Publish) -> Result<Function, Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.publish(&name, wishes).await })
            .await
    }

    /// At most `limit` published versions of a function whose numbers come after `after`.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn versions(
        &self,
        name: &FunctionName,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Function>, Error> {
        let (start, after) = (start_of(name), version_key(name, after));
        let found = self
            .inner
            .versions
            .scan(&start, Some(&after), limit)
            .await?;
        Ok(found.into_iter().map(|(_, kept)| kept.value).collect())
    }

    /// Deletes a published version, if it is there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Referenced`], or what failed below.
    pub async fn delete_version(&self, name: &FunctionName, number: u64) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.delete_version(&name, number).await })
            .await
    }

    /// Makes an alias, at a revision that is given to it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::AliasExists`], [`Error::Routing`], or what failed below.
    pub async fn create_alias(&self, name: &FunctionName, alias: Alias) -> Result<Alias, Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.create_alias(&name, alias).await })
            .await
    }

    /// Changes an alias.
    ///
    /// # Errors
    /// [`Error::NoAlias`], [`Error::Revision`], or as [`Functions::create_alias`].
    pub async fn update_alias(
        &self,
        name: &FunctionName,
        alias: &AliasName,
        change: AliasChange,
    ) -> Result<Alias, Error> {
        let (name, alias) = (name.clone(), alias.clone());
        self.change(|inner| async move { inner.update_alias(&name, &alias, change).await })
            .await
    }

    /// Deletes an alias, if it is there.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn delete_alias(&self, name: &FunctionName, alias: &AliasName) -> Result<(), Error> {
        let (name, alias) = (name.clone(), alias.clone());
        self.change(|inner| async move { inner.delete_alias(&name, &alias).await })
            .await
    }

    /// One alias.
    ///
    /// # Errors
    /// [`Error::NoAlias`], or what failed below.
    pub async fn alias(&self, name: &FunctionName, alias: &AliasName) -> Result<Alias, Error> {
        Ok(self.inner.alias(name, alias).await?.value)
    }

    /// All aliases of a function, in order of their names.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn aliases(&self, name: &FunctionName) -> Result<Vec<Alias>, Error> {
        self.inner.find(name).await?;
        let found = self.inner.aliases_of(name).await?;
        Ok(found.into_iter().map(|(_, kept)| kept.value).collect())
    }

    /// The policy of a part of a function, if it has one.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn policy(&self, part: &Part) -> Result<Option<Policy>, Error> {
        let found = self.inner.policy(part).await?;
        Ok(found.map(|found| found.value))
    }

    /// Adds a statement to a policy, which must be at a revision if one is given: the policy's own, or that of what it
    /// is for while there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], [`Error::PolicyRevision`],
    /// [`Error::StatementExists`], [`Error::PolicyTooLarge`], or what failed below.
    pub async fn add_statement(
        &self,
        part: Part,
        statement: Statement,
        revision: Option<String>,
    ) -> Result<(), Error> {
        self.change(|inner| async move {
            let revision = revision.as_deref();
            inner.add_statement(&part, statement, revision).await
        })
        .await
    }

    /// Removes a statement of a policy, and with the last one the policy.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], [`Error::NoPolicy`], [`Error::NoStatement`],
    /// [`Error::PolicyRevision`], or what failed below.
    pub async fn remove_statement(
        &self,
        part: Part,
        id: String,
        revision: Option<String>,
    ) -> Result<(), Error> {
        self.change(|inner| async move {
            inner
                .remove_statement(&part, &id, revision.as_deref())
                .await
        })
        .await
    }

    /// Reserves concurrency for a function, or gives that back.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Claim`], or what failed below.
    pub async fn reserve(&self, name: &FunctionName, count: Option<u32>) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.reserve(&name, count).await })
            .await
    }

    /// Has processes kept for a version or alias.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], [`Error::Claim`], or what failed below.
    pub async fn provision(
        &self,
        name: &FunctionName,
        qualifier: Qualifier,
        count: u32,
    ) -> Result<Provisioned, Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.provision(&name, &qualifier, count).await })
            .await
    }

    /// Has no more processes kept for a version or alias.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], or what failed below.
    pub async fn unprovision(
        &self,
        name: &FunctionName,
        qualifier: Qualifier,
    ) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.unprovision(&name, &qualifier).await })
            .await
    }

    /// The stage of what is kept for a version or alias, if anything is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], or what failed below.
    pub async fn kept(
        &self,
        name: &FunctionName,
        qualifier: &Qualifier,
    ) -> Result<Option<Kept>, Error> {
        self.inner.kept(name, qualifier).await
    }

    /// The claims of a function on the account's concurrency.
    pub fn claims(&self, name: &FunctionName) -> Claims {
        self.inner.claims_of(name)
    }

    /// The settings of a part's events, if it has any.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn event_settings(&self, part: &Part) -> Result<Option<KeptEventSettings>, Error> {
        self.inner.event_settings(part).await
    }

    /// The settings of a function's events, by the version or alias that they are for.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn all_event_settings(
        &self,
        name: &FunctionName,
    ) -> Result<Vec<(String, KeptEventSettings)>, Error> {
        self.inner.find(name).await?;
        self.inner.all_event_settings(name).await
    }

    /// Changes the settings of a part's events: `over` those that it has, or in place of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::NoAlias`], [`Error::Destination`],
    /// [`Error::NoEventSettings`], or what failed below.
    pub async fn set_event_settings(
        &self,
        part: Part,
        change: EventSettingsChange,
        over: bool,
    ) -> Result<KeptEventSettings, Error> {
        self.change(|inner| async move { inner.set_event_settings(&part, change, over).await })
            .await
    }

    /// Whether ends of events can be told at places of a service, as an ARN names it.
    pub fn tells(&self, service: &str) -> bool {
        let outlets = self.inner.outlets.get();
        service == "lambda" || outlets.is_some_and(|outlets| outlets.serves(service))
    }

    /// Removes the settings of a part's events; whether it had any.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn remove_event_settings(&self, part: Part) -> Result<bool, Error> {
        self.change(|inner| async move { inner.remove_event_settings(&part).await })
            .await
    }

    /// Makes sure that a function's dead letters can go to a place.
    ///
    /// # Errors
    /// [`Error::Destination`].
    pub async fn check_destination(&self, name: &FunctionName, place: &Arn) -> Result<(), Error> {
        self.inner.check_destination(name, place).await
    }

    /// Has ends of events told through `outlets` from now on; the first that are given count.
    pub fn tell_through(&self, outlets: Arc<dyn Outlets>) {
        if self.inner.outlets.set(outlets).is_ok() {
            let weak = Arc::downgrade(&self.inner);
            let env = &self.inner.env;
            env.spawn(outcomes::tell(env.clone(), weak));
        }
    }

    /// How many ends of events wait to be told.
    pub fn waiting_outcomes(&self) -> usize {
        self.inner.outcomes.waiting()
    }

    /// The account's concurrency that no function has to itself.
    pub fn unreserved(&self) -> u32 {
        self.inner.unreserved(None)
    }

    /// At most `limit` functions whose names come after `after`, in order of their names.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Function>, Error> {
        let found = self.inner.table.scan("", after, limit).await?;
        Ok(found
            .into_iter()
            .map(|(_, function)| function.value)
            .collect())
    }

    /// How much there is of functions.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn usage(&self) -> Result<Usage, Error> {
        self.inner.usage().await
    }

    /// Deletes a function with its versions and aliases: what runs of it runs to its end, what waits is dropped.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn delete(&self, name: &FunctionName) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.delete(&name).await })
            .await
    }

    /// The code of the version of a function that has this package, if any has it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn code(&self, name: &FunctionName, package: &str) -> Result<Option<Code>, Error> {
        let latest = self.inner.find(name).await?.value;
        let mut all = self.inner.versions_of(name).await?;
        all.push(latest);
        let mut code = all.into_iter().map(|function| function.code);
        Ok(code.find(|code| code.package == package))
    }

    /// The zip file that a function's code was given as, in pieces.
    ///
    /// # Errors
    /// When the disk fails. In place of its last piece a package that is not what was uploaded has
    /// [`crate::PackageError::Damaged`].
    pub async fn package(
        &self,
        code: &Code,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + 'static, Error> {
        let env = self.inner.env.clone();
        let (packages, code) = (self.inner.packages.clone(), code.clone());
        let reader = env.blocking(move || packages.reader(&code)).await?;
        Ok(stream::try_unfold(reader, move |mut reader| {
            let env = env.clone();
            async move {
                let read = env.blocking(move || reader.next().map(|piece| (piece, reader)));
                let (piece, reader) = read.await?;
                Ok(piece.map(|piece| (piece, reader)))
            }
        }))
    }

    /// Waits for room in memory for one package that comes, which is given back when the place is dropped.
    pub async fn room_for_package(&self) -> SemaphorePermit<'_> {
        place(&self.inner.coming).await
    }

    /// Runs a function and waits for its answer. It runs to its end even when nobody waits any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PayloadTooLarge`], [`Error::Throttled`], [`Error::Runtime`], or what failed
    /// below. A function that fails is no error here, but an [`Invocation`] that says so.
    pub async fn invoke(&self, name: &FunctionName, request: Request) -> Result<Invocation, Error> {
        let (done, wait) = oneshot::channel();
        let (inner, name) = (self.inner.clone(), name.clone());
        self.inner.env.spawn(async move {
            // The caller may be gone by then.
            drop(done.send(inner.invoke(&name, request, true, &mut None).await));
        });
        wait.await.unwrap_or(Err(Error::Closed))
    }

    /// The same for a caller who takes the answer in pieces, as far as the function gives it so.
    ///
    /// # Errors
    /// As [`Functions::invoke`].
    pub async fn invoke_streaming(
        &self,
        name: &FunctionName,
        request: Request,
    ) -> Result<Answer, Error> {
        let (done, wait) = oneshot::channel();
        let (begin, beginning) = oneshot::channel();
        let (inner, name) = (self.inner.clone(), name.clone());
        self.inner.env.spawn(async move {
            let mut begin = Some(begin);
            let ended = inner.invoke(&name, request, true, &mut begin).await;
            // The caller may be gone by then.
            drop(done.send(ended));
        });
        match beginning.await {
            Ok(beginning) => Ok(Answer::Streamed(StreamedAnswer::new(beginning, wait))),
            Err(_) => wait.await.unwrap_or(Err(Error::Closed)).map(Answer::Whole),
        }
    }

    /// Keeps an event for a function to be run on soon, at least once; durable when it returns.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PayloadTooLarge`], [`Error::QueueFull`], or what failed below.
    pub async fn invoke_later(&self, name: &FunctionName, request: Request) -> Result<(), Error> {
        let name = name.clone();
        self.change(|inner| async move {
            let qualifier = request.qualifier.as_ref();
            inner.resolve(&name, qualifier, false).await?;
            inner.events.push(name, request).await
        })
        .await
    }

    /// Runs a change to its end, even when its caller goes away: the catalog, the packages, the processes and the
    /// counts belong together.
    pub(crate) async fn change<T, F>(&self, change: impl FnOnce(Arc<Inner>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let work = change(self.inner.clone());
        self.inner.env.to_the_end(work).await
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// How many invocations wait that nobody waits for.
    pub fn waiting_events(&self) -> usize {
        self.inner.events.waiting()
    }

    /// The invocations of each function that was called since the process started, by name.
    pub fn metrics(&self) -> Vec<(FunctionName, FunctionMetrics)> {
        self.inner.counts.now()
    }

    /// What was counted of each function since this was asked last: for one who publishes it.
    pub fn take_calls(&self) -> Vec<(FunctionName, FunctionCalls)> {
        self.inner.counts.take()
    }

    /// The processes that there are.
    pub fn processes(&self) -> Processes {
        self.inner.pool.processes()
    }

    /// The time of day that functions are told.
    pub fn now(&self) -> Millis {
        self.inner.env.clock.now()
    }

    /// The server as functions know it, and their bounds.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Waits until all output so far is with the sink.
    pub async fn flush_logs(&self) {
        self.inner.logs.flush().await;
    }

    /// Admits no more invocations, waits for those that run, though not for long, and passes on the last output.
    /// Invocations that still run then end with the server.
    pub async fn close(&self) {
        tokio::select! {
            () = self.inner.pool.close() => {}
            () = self.inner.env.clock.sleep(limits::CLOSE_TIME) => {
                tracing::warn!("functions still run and are ended with the server");
            }
        }
        self.inner.logs.flush().await;
    }
}

async fn place(places: &Semaphore) -> SemaphorePermit<'_> {
    let place = places.acquire().await;
    place.expect("the places are never closed")
}

/// Brings the folder in order: bootstraps written, unpacked code of a former server removed.
fn prepare(env: &Env, dir: &Path) -> Result<(), Error> {
    for folder in ["code", "bootstraps"] {
        let path = dir.join(folder);
        // It is perhaps not there.
        drop(env.disk.remove_dir_all(&path));
        env.disk
            .create_dir_all(&path)
            .map_err(Error::disk("making the folders of functions"))?;
    }
    bootstraps::write(&*env.disk, &dir.join("bootstraps"))
        .map_err(Error::disk("writing the bootstraps"))
}

impl Inner {
    /// Runs one invocation to its end; `wait` tells whether it waits for room.
    pub async fn invoke(
        self: &Arc<Self>,
        name: &FunctionName,
        request: Request,
        wait: bool,
        begin: &mut Option<oneshot::Sender<Beginning>>,
    ) -> Result<Invocation, Error> {
        let size = request.payload.len();
        if size > limits::PAYLOAD_BYTES_MAX {
            return Err(Error::PayloadTooLarge {
                size,
                max: limits::PAYLOAD_BYTES_MAX,
            });
        }
        let qualifier = request.qualifier.clone();
        let mut function = self.resolve(name, qualifier.as_ref(), true).await?;
        let counters = self.counts.of(name);
        loop {
            match invoke::run(self, &function, request.clone(), wait, &counters, begin).await {
                // Its package is gone when the function was changed between our look and the start.
                Err(error @ Error::Disk { .. }) => {
                    let changed = self.resolve(name, qualifier.as_ref(), true).await?;
                    if changed.build == function.build {
                        counters.refused(&error);
                        return Err(error);
                    }
                    function = changed;
                }
                ended => return ended.inspect_err(|error| counters.refused(error)),
            }
        }
    }

    /// Starts a process for a function, which may be kept for its version.
    pub async fn start(&self, function: &Function, is_kept: bool) -> Result<Process, Error> {
        let code = self.unpacked(&function.code).await?;
        let view = self.view(function).await?;
        if function.configuration.runtime.kind() == RuntimeKind::Java {
            self.java.get_or_try_init(|| self.compile_java()).await?;
        }
        let bootstraps = &self.dir.join("bootstraps");
        let surroundings = Surroundings {
            env: &self.env,
            options: &self.options,
            leftovers: &self.leftovers,
            bootstraps,
        };
        Process::start(surroundings, function, code, view, is_kept).await
    }

    /// The layers of a function, unpacked, as its process is to see them.
    async fn view(&self, function: &Function) -> Result<View, Error> {
        let mut layers = Vec::new();
        for layer in &function.configuration.layers {
            layers.push(self.unpacked(&layer.code).await?);
        }
        if layers.is_empty() {
            return Ok(View::none());
        }
        let path = self.options.inherited.get("PATH").map(String::as_str);
        let probe = || Namespaces::probe(&*self.env.disk, &self.dir, path);
        let namespaces = *self.namespaces.get_or_init(probe).await;
        let programs = ["python3", "node", "ruby", "java", "sh"].into_iter();
        let programs: Vec<_> = programs
            .filter_map(|program| launch::find(program, path.unwrap_or_default()))
            .collect();
        let code = self.dir.join("code");
        Ok(View::new(layers, namespaces, &code, &programs))
    }

    /// Compiles our bootstrap for Java.
    async fn compile_java(&self) -> Result<(), Error> {
        let path = self.options.inherited.get("PATH").map(String::as_str);
        bootstraps::compile_java(&self.dir.join("bootstraps"), path.unwrap_or_default()).await
    }

    pub async fn usage(&self) -> Result<Usage, Error> {
        let (all, versions) = (self.table.all().await?, self.versions.all().await?);
        let code = all
            .iter()
            .chain(&versions)
            .map(|(_, kept)| kept.value.code.size);
        let layers = self.layer_versions.all().await?;
        let layers = layers.iter().map(|(_, kept)| kept.value.code.size);
        Ok(Usage {
            functions: all.len(),
            code_bytes: code.chain(layers).sum(),
        })
    }

    pub async fn find(&self, name: &FunctionName) -> Result<Versioned<Function>, Error> {
        self.table
            .get(name.as_str())
            .await?
            .ok_or_else(|| Error::NotFound(name.clone()))
    }

    async fn package(&self, code: &Code) -> Result<Bytes, Error> {
        let (packages, code) = (self.packages.clone(), code.clone());
        self.env.blocking(move || packages.get(&code)).await
    }

    async fn unpacked(&self, code: &Code) -> Result<Arc<CodeDir>, Error> {
        let cell = self
            .code
            .lock()
            .entry(code.package.clone())
            .or_default()
            .clone();
        let unpack = || async {
            let _room = place(&self.unpacking).await;
            let package = self.package(code).await?;
            let (disk, path) = (
                self.env.disk.clone(),
                self.dir.join("code").join(&code.package),
            );
            let unpacked = self
                .env
                .blocking(move || CodeDir::unpack(disk, &package, path))
                .await?;
            Ok::<_, Error>(Arc::new(unpacked))
        };
        cell.get_or_try_init(unpack).await.cloned()
    }
}
