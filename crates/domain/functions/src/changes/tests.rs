//! Changes whose callers go away half way: packages, records and counts agree.

use std::{
    collections::BTreeSet,
    io::{Cursor, Write},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use headwater_catalog::{Catalog, testing::MortalCatalog};
use headwater_env::{
    Env, ManualClock,
    testing::{CountedTasks, drop_at_every_await},
};
use headwater_types::{Account, Millis, Region};

use super::*;
use crate::{
    Alias, AliasChange, ClaimFault, Claims, EventSettingsChange, Functions, LogBatch, LogSink,
    Options, Part, Publish, Qualifier, Request, Statement,
};

/// A sink that keeps nothing.
struct NoLines;

#[async_trait]
impl LogSink for NoLines {
    async fn append(&self, _: &[LogBatch]) -> Result<(), String> {
        Ok(())
    }
}

struct World {
    dir: tempfile::TempDir,
    catalog: Arc<MortalCatalog>,
    functions: Functions,
}

type Call = for<'a> fn(&'a World) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a function or what waits for it.
const CALLS: &[(&str, Call)] = &[
    ("create", |w| Box::pin(create(w, "new"))),
    ("update_code", |w| {
        Box::pin(async move {
            w.functions
                .update_code(&name("f"), zip("b"), None, false)
                .await
                .map(drop)
        })
    }),
    ("update_configuration", |w| {
        let change = |configuration: &mut Configuration| configuration.timeout_s = 7;
        Box::pin(async move {
            let function = name("f");
            let updated = w.functions.update_configuration(&function, None, change);
            updated.await.map(drop)
        })
    }),
    ("update_tags", |w| {
        Box::pin(async move {
            let tag = |tags: &mut BTreeMap<String, String>| {
                tags.insert("new".into(), String::new());
            };
            w.functions.update_tags(&name("f"), tag).await
        })
    }),
    ("update_code, published", |w| {
        Box::pin(async move {
            let function = name("f");
            let updated = w.functions.update_code(&function, zip("b"), None, true);
            updated.await.map(drop)
        })
    }),
    ("publish", |w| {
        Box::pin(async move {
            let timeout = |configuration: &mut Configuration| configuration.timeout_s = 7;
            let function = name("f");
            let updated = w.functions.update_configuration(&function, None, timeout);
            updated.await?;
            let published = w.functions.publish(&function, Publish::default());
            published.await.map(drop)
        })
    }),
    ("delete_version", |w| {
        Box::pin(async move {
            let function = name("f");
            let updated = w.functions.update_code(&function, zip("b"), None, false);
            updated.await?;
            w.functions.delete_version(&function, 1).await
        })
    }),
    ("create_alias, update_alias, delete_alias", |w| {
        Box::pin(async move {
            let (function, live) = (name("f"), "live".parse().unwrap());
            w.functions.create_alias(&function, alias("live")).await?;
            let change = AliasChange {
                version: Some(Version::Latest),
                ..Default::default()
            };
            w.functions.update_alias(&function, &live, change).await?;
            w.functions.delete_alias(&function, &live).await
        })
    }),
    ("delete", |w| {
        Box::pin(async move {
            w.functions.create_alias(&name("f"), alias("live")).await?;
            w.functions.delete(&name("f")).await
        })
    }),
    ("reserve, provision, unprovision", |w| {
        Box::pin(async move {
            let (function, version) = (name("f"), || Qualifier::Version(Version::Published(1)));
            w.functions.reserve(&function, Some(7)).await?;
            w.functions.provision(&function, version(), 3).await?;
            w.functions.unprovision(&function, version()).await
        })
    }),
    ("add_statement, remove_statement", |w| {
        Box::pin(async move {
            let add = |id: &str| {
                let (id, text) = (id.to_owned(), "{}".to_owned());
                w.functions
                    .add_statement(part(), Statement { id, text }, None)
            };
            add("a").await?;
            add("b").await?;
            w.functions.remove_statement(part(), "a".into(), None).await
        })
    }),
    ("set_event_settings, remove_event_settings", |w| {
        Box::pin(async move {
            let change = || EventSettingsChange {
                retries: Some(1),
                ..Default::default()
            };
            w.functions
                .set_event_settings(part(), change(), false)
                .await?;
            w.functions
                .set_event_settings(part(), change(), true)
                .await?;
            w.functions.remove_event_settings(part()).await.map(drop)
        })
    }),
    ("delete, with all beside it", |w| {
        Box::pin(async move {
            let statement = Statement {
                id: "a".to_owned(),
                text: "{}".to_owned(),
            };
            w.functions.add_statement(part(), statement, None).await?;
            w.functions.reserve(&name("f"), Some(7)).await?;
            let change = EventSettingsChange::default();
            w.functions
                .set_event_settings(part(), change, false)
                .await?;
            w.functions.delete(&name("f")).await
        })
    }),
    ("publish_layer, change_layer_policy, delete_layer", |w| {
        Box::pin(async move {
            let id = publish_layer(w, "other").await?;
            let grant = |permissions: &mut Vec<_>| {
                permissions.push(crate::LayerPermission {
                    id: "p".into(),
                    principal: "*".into(),
                    organization: None,
                });
                Ok(())
            };
            w.functions.change_layer_policy(&id, None, grant).await?;
            w.functions.delete_layer(&id).await
        })
    }),
    ("a layer given, taken and deleted", |w| {
        Box::pin(async move {
            let id = publish_layer(w, "l").await?;
            let used = vec![w.functions.layer(&id).await?.used()];
            give_layers(w, "f", used).await?;
            w.functions.publish(&name("f"), Publish::default()).await?;
            w.functions.delete_layer(&id).await?;
            give_layers(w, "f", vec![]).await?;
            w.functions.delete_version(&name("f"), 2).await
        })
    }),
    ("create_url, update_url, delete_url", |w| {
        Box::pin(async move {
            let target = url_target(None);
            w.functions.create_url(&target, url_settings()).await?;
            let change = crate::UrlChange::default();
            w.functions.update_url(&target, change).await?;
            w.functions.delete_url(&target).await
        })
    }),
    ("addresses of what is deleted", |w| {
        Box::pin(async move {
            w.functions.create_alias(&name("f"), alias("live")).await?;
            for target in [url_target(None), url_target(Some("live"))] {
                w.functions.create_url(&target, url_settings()).await?;
            }
            let live = "live".parse().unwrap();
            w.functions.delete_alias(&name("f"), &live).await?;
            w.functions.delete(&name("f")).await
        })
    }),
    ("invoke_later", |w| {
        Box::pin(async move { w.functions.invoke_later(&name("f"), request()).await })
    }),
];

fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

async fn publish_layer(world: &World, layer: &str) -> Result<crate::LayerId, Error> {
    let layer = layer.parse().unwrap();
    let wishes = crate::LayerWishes::default();
    let published = world
        .functions
        .publish_layer(&layer, wishes, zip("l"))
        .await?;
    Ok(published.id())
}

async fn give_layers(
    world: &World,
    function: &str,
    layers: Vec<crate::Layer>,
) -> Result<(), Error> {
    let change = move |configuration: &mut Configuration| configuration.layers = layers;
    let function = name(function);
    let given = world
        .functions
        .update_configuration(&function, None, change);
    given.await.map(drop)
}

fn url_target(alias: Option<&str>) -> crate::UrlTarget {
    crate::UrlTarget {
        function: name("f"),
        alias: alias.map(|alias| alias.parse().unwrap()),
    }
}

fn url_settings() -> crate::UrlSettings {
    crate::UrlSettings {
        signed: false,
        cors: None,
        streams: None,
    }
}

fn part() -> Part {
    Part {
        name: name("f"),
        qualifier: None,
    }
}

fn alias(text: &str) -> Alias {
    Alias {
        name: text.parse().unwrap(),
        version: Version::Published(1),
        description: String::new(),
        weights: BTreeMap::new(),
        revision: String::new(),
    }
}

fn request() -> Request {
    Request {
        request_id: "r".to_owned(),
        payload: Bytes::from_static(b"{}"),
        client_context: None,
        qualifier: None,
    }
}

fn zip(text: &str) -> Bytes {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("index.py", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner().into()
}

async fn create(world: &World, function: &str) -> Result<(), Error> {
    let runtime = "python3.13".parse().unwrap();
    let configuration = Configuration::new(runtime, "index.handler", "role");
    let created = world.functions.create(
        name(function),
        configuration,
        BTreeMap::new(),
        zip("a"),
        true,
    );
    created.await.map(drop)
}

async fn world(tasks: &CountedTasks) -> World {
    let env = Env {
        clock: Arc::new(ManualClock::at(Millis(1_700_000_000_000))),
        tasks: Arc::new(tasks.clone()),
        ..Env::real()
    };
    let dir = tempfile::tempdir().unwrap();
    let catalog = Arc::new(MortalCatalog::default());
    let shared: Arc<dyn Catalog> = catalog.clone();
    let options = Options {
        // An invocation that waits is not begun.
        concurrency: 0,
        ..Options::new(
            Region("us-east-1".into()),
            Account("000000000000".into()),
            "http://127.0.0.1:1",
        )
    };
    let functions = Functions::open(env.clone(), shared, dir.path(), Arc::new(NoLines), options)
        .await
        .unwrap();
    let world = World {
        dir,
        catalog,
        functions,
    };
    create(&world, "f").await.unwrap();
    world.catalog.yield_in(env);
    world
}

async fn agrees(world: World) {
    let functions = world.functions.list(None, 100).await.unwrap();
    let mut all = functions.clone();
    for function in &functions {
        all.extend(
            world
                .functions
                .versions(&function.name, 0, 100)
                .await
                .unwrap(),
        );
    }
    let mut named: BTreeSet<_> = all
        .iter()
        .flat_map(|function| {
            let layers = function.configuration.layers.iter();
            let layers = layers.map(|layer| &layer.code);
            layers.chain([&function.code])
        })
        .map(|code| code.package.clone())
        .collect();
    let layers = ["l", "other"].map(|layer| layer.parse().unwrap());
    for layer in &layers {
        let versions = world.functions.layer_versions(layer).await.unwrap();
        named.extend(versions.into_iter().map(|version| version.code.package));
    }
    addresses_agree(&world, &functions).await;
    for kind in [
        "function-versions/",
        "function-aliases/",
        "function-policies/",
        "function-event-settings/",
        "function-urls/",
    ] {
        let kept = world.catalog.scan(kind, None, 100).await.unwrap();
        let of = |key: &str| {
            functions
                .iter()
                .any(|f| key[kind.len()..].starts_with(&format!("{}/", f.name)))
        };
        assert!(
            kept.iter().all(|(key, _)| of(key)),
            "{kind} of a function that is gone"
        );
    }
    let claims = world.catalog.scan("function-claims/", None, 100).await;
    let claims = claims.unwrap();
    for (key, _) in &claims {
        assert_eq!(
            key, "function-claims/f",
            "claims of a function that is gone"
        );
        assert_ne!(world.functions.claims(&name("f")), Claims::default());
    }
    let left = limits::ACCOUNT_CONCURRENCY - 7 * u32::try_from(claims.len()).unwrap();
    assert_eq!(world.functions.unreserved(), left);
    let kept: BTreeSet<_> = std::fs::read_dir(world.dir.path().join("packages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, named, "a package for each record, and no other");
    let events = world.catalog.scan("function-events/", None, 100).await;
    assert_eq!(world.functions.waiting_events(), events.unwrap().len());
}

/// Every address leads to where it says, and back.
async fn addresses_agree(world: &World, functions: &[Function]) {
    let mut ids = BTreeSet::new();
    for function in functions {
        for url in world.functions.urls(&function.name).await.unwrap() {
            let found = world.functions.url_of(&url.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&url));
            ids.insert(url.id.to_string());
            if let Some(alias) = &url.target.alias {
                let alias = world.functions.alias(&function.name, alias).await;
                assert!(alias.is_ok(), "an address of an alias that is gone");
            }
        }
    }
    let kept = world.catalog.scan("function-url-ids/", None, 100).await;
    let kept = kept.unwrap().into_iter();
    let kept: BTreeSet<_> = kept
        .map(|(key, _)| key["function-url-ids/".len()..].to_owned())
        .collect();
    assert_eq!(kept, ids, "ids that lead nowhere");
}

/// A change that the catalog did not take is not answered as done.
#[tokio::test]
async fn a_catalog_that_fails_is_told_of() {
    let world = world(&CountedTasks::default()).await;
    let id = publish_layer(&world, "l").await.unwrap();
    let target = url_target(None);
    let url = world.functions.create_url(&target, url_settings()).await;
    let url = url.unwrap();
    world.catalog.fail_after(0);
    let failed = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Catalog(_))));
    failed(world.functions.delete_layer(&id).await);
    failed(world.functions.delete_url(&target).await);
    failed(publish_layer(&world, "l").await.map(drop));
    world.catalog.mend();
    assert!(world.functions.layer(&id).await.is_ok());
    assert_eq!(world.functions.url_of(&url.id).await, Ok(Some(url)));
}

/// An address that is made while its function or alias is deleted is of something, or is not there.
#[tokio::test]
async fn an_address_is_never_left_alone() {
    let tasks = CountedTasks::default();
    for deletes_alias in [true, false] {
        let world = world(&tasks).await;
        let (f, live) = (name("f"), "live".parse().unwrap());
        world
            .functions
            .create_alias(&f, alias("live"))
            .await
            .unwrap();
        let target = url_target(Some("live"));
        let delete = async {
            match deletes_alias {
                true => world.functions.delete_alias(&f, &live).await,
                false => world.functions.delete(&f).await,
            }
        };
        let made = world.functions.create_url(&target, url_settings());
        let (made, deleted) = futures_util::join!(made, delete);
        assert_eq!(deleted, Ok(()));
        assert!(matches!(
            made,
            Ok(_) | Err(Error::NotFound(_) | Error::NoAlias(_))
        ));
        agrees(world).await;
    }
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_made_everywhere_or_nowhere() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let world = async || world(&tasks).await;
        let done = drop_at_every_await(&tasks, world, async |w: &World| call(w).await, agrees);
        assert_eq!(done.await, Ok(()), "{what}");
    }
}

#[tokio::test]
async fn what_is_claimed_while_its_function_is_deleted_is_claimed_no_more() {
    let tasks = CountedTasks::default();
    for _ in 0..20 {
        let world = world(&tasks).await;
        let f = name("f");
        let (reserved, deleted) = futures_util::join!(
            world.functions.reserve(&f, Some(7)),
            world.functions.delete(&f)
        );
        assert!(matches!(reserved, Ok(()) | Err(Error::NotFound(_))));
        assert_eq!(deleted, Ok(()));
        agrees(world).await;
    }
}

#[tokio::test]
async fn claims_never_exceed_what_the_account_has() {
    let tasks = CountedTasks::default();
    let world = world(&tasks).await;
    create(&world, "g").await.unwrap();
    let (f, g) = (name("f"), name("g"));
    let (one, other) = futures_util::join!(
        world.functions.reserve(&f, Some(500)),
        world.functions.reserve(&g, Some(500))
    );
    assert_eq!(one.is_ok(), other.is_err(), "both would leave nothing");
    assert_eq!(world.functions.unreserved(), 500);
    let version = Qualifier::Version(Version::Published(1));
    let (empty, full) = if one.is_ok() { (g, f) } else { (f, g) };
    let over = world
        .functions
        .provision(&empty, version.clone(), 401)
        .await;
    assert_eq!(over, Err(ClaimFault::ProvisionedMinimum.into()));
    assert!(
        world
            .functions
            .provision(&empty, version, 400)
            .await
            .is_ok()
    );
    assert_eq!(world.functions.unreserved(), 100);
    // Places that are reserved no more are free; those that were provisioned stay.
    world.functions.reserve(&full, None).await.unwrap();
    assert_eq!(world.functions.unreserved(), 600);
}

#[tokio::test]
async fn tags_of_two_nodes_are_both_kept() {
    let tasks = CountedTasks::default();
    let world = world(&tasks).await;
    let tag = async |of: &'static str| {
        let tag = move |tags: &mut BTreeMap<String, String>| {
            tags.insert(of.into(), String::new());
        };
        world.functions.update_tags(&name("f"), tag).await
    };
    let (one, other) = futures_util::join!(tag("one"), tag("other"));
    assert_eq!((one, other), (Ok(()), Ok(())));
    let tags = world.functions.get(&name("f")).await.unwrap().tags;
    assert_eq!(tags.into_keys().collect::<Vec<_>>(), ["one", "other"]);
}

/// Each writes the layer anew, so the second finds it changed, which is nobody's business but ours.
#[tokio::test]
async fn a_layer_is_given_to_two_functions_at_a_time() {
    let world = world(&CountedTasks::default()).await;
    create(&world, "g").await.unwrap();
    let id = publish_layer(&world, "l").await.unwrap();
    let used = world.functions.layer(&id).await.unwrap().used();
    let give = |function| give_layers(&world, function, vec![used.clone()]);
    let (one, other) = futures_util::join!(give("f"), give("g"));
    assert_eq!((one, other), (Ok(()), Ok(())));
    for function in ["f", "g"] {
        let function = world.functions.get(&name(function)).await.unwrap();
        assert_eq!(function.configuration.layers, std::slice::from_ref(&used));
    }
}

#[tokio::test]
async fn one_of_two_changes_of_a_function_at_a_time_is_refused() {
    let world = world(&CountedTasks::default()).await;
    let f = name("f");
    let change = |timeout_s| {
        let change = move |configuration: &mut Configuration| configuration.timeout_s = timeout_s;
        world.functions.update_configuration(&f, None, change)
    };
    let (one, other) = futures_util::join!(change(7), change(8));
    assert!(matches!(
        (one, other),
        (Ok(_), Err(Error::Revision)) | (Err(Error::Revision), Ok(_))
    ));
}
