//! Layers: seen under `/opt` by whoever has them, written by nobody, kept for as long as somebody does.

#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::process::Command;

use common::{World, json, name, zip_of};
use headwater_functions::{Configuration, Error, Layer, LayerVersion, LayerWishes, limits};
use serde_json::json;

async fn publish(world: &World, layer: &str, files: &[(&str, &str)]) -> LayerVersion {
    let (layer, package) = (layer.parse().unwrap(), zip_of(files));
    let published = world
        .functions
        .publish_layer(&layer, LayerWishes::default(), package);
    published.await.unwrap()
}

async fn create(
    world: &World,
    function: &str,
    runtime: &str,
    layers: &[&LayerVersion],
    files: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> Result<(), Error> {
    let configuration = Configuration {
        timeout_s: 30,
        layers: layers.iter().map(|version| version.used()).collect(),
        environment: Some(
            environment
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
        ),
        ..Configuration::new(runtime.parse().unwrap(), "index.handler", "role")
    };
    let (function, package) = (name(function), zip_of(files));
    let created =
        world
            .functions
            .create(function, configuration, Default::default(), package, false);
    created.await.map(drop)
}

async fn give(world: &World, function: &str, layers: Vec<Layer>) -> Result<(), Error> {
    let change = move |configuration: &mut Configuration| configuration.layers = layers;
    let function = name(function);
    let updated = world
        .functions
        .update_configuration(&function, None, change);
    updated.await.map(drop)
}

/// Whether this machine lets processes mount folders, as the functions under test find out for themselves.
fn mounts() -> bool {
    let script = "mkdir -p a b && mount -t overlay -o ro,lowerdir=a:b overlay /opt";
    let dir = tempfile::tempdir().unwrap();
    ["--mount", "--mount --user --map-root-user"]
        .iter()
        .any(|options| {
            let mut command = Command::new("unshare");
            command
                .args(options.split(' '))
                .args(["sh", "-c", script])
                .current_dir(&dir);
            command.output().is_ok_and(|done| done.status.success())
        })
}

fn packages(world: &World) -> usize {
    std::fs::read_dir(world.dir.path().join("packages"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn layers_are_listed_by_their_names_and_versions_the_newest_first() {
    let world = World::new().await;
    // Keys of versions have "a-b/" before "a/".
    for layer in ["a_b", "a", "a-b", "b", "a", "a-b", "a1"] {
        publish(&world, layer, &[("text", layer)]).await;
    }
    let shown = |found: Vec<LayerVersion>| {
        let ids = found.iter().map(|version| version.id().to_string());
        ids.collect::<Vec<_>>()
    };
    let newest = world.functions.layers(|_| true).await.unwrap();
    assert_eq!(shown(newest), ["a:2", "a-b:2", "a1:1", "a_b:1", "b:1"]);
    let first = world.functions.layers(|version| version.number == 1).await;
    assert_eq!(
        shown(first.unwrap()),
        ["a:1", "a-b:1", "a1:1", "a_b:1", "b:1"]
    );
    let versions = world.functions.layer_versions(&"a".parse().unwrap()).await;
    assert_eq!(shown(versions.unwrap()), ["a:2", "a:1"]);
}

const LOOK: &str = "
import os, subprocess
def attempt(what):
    try:
        what()
        return True
    except Exception:
        return False
def read(path):
    return open(path).read() if os.path.exists(path) else None
def write(path):
    with open(path, 'w') as file: file.write('x')
def handler(event, context):
    import both, first
    command = ['mount', '-o', 'remount,rw', '/opt']
    remounted = attempt(lambda: subprocess.run(command, capture_output=True, check=True))
    return {
        'both': both.OF, 'first': first.OF, 'text': read('/opt/text'),
        'written': attempt(lambda: write('/opt/new')), 'over': attempt(lambda: write('/opt/text')),
        'remounted': remounted and attempt(lambda: write('/opt/new')),
        'path': os.environ['PATH'], 'libraries': os.environ['LD_LIBRARY_PATH'],
        'preloaded': os.environ.get('LD_PRELOAD'), 'later': [n for n in os.environ if 'LATER' in n],
        'uid': os.getuid(),
    }
";

#[tokio::test]
async fn layers_are_laid_over_each_other_for_reading() {
    let world = World::new().await;
    let one = publish(
        &world,
        "one",
        &[
            ("python/both.py", "OF = 1"),
            ("python/first.py", "OF = 1"),
            ("text", "one"),
        ],
    )
    .await;
    let two = publish(
        &world,
        "two",
        &[("python/both.py", "OF = 2"), ("text", "two")],
    )
    .await;
    let code = [("index.py", LOOK)];
    // A variable that would keep the tools from starting at all reaches the function alone.
    let preload = [("LD_PRELOAD", "/nowhere.so")];
    create(&world, "f", "python3.12", &[&one, &two], &code, &preload)
        .await
        .unwrap();
    let seen = json(&world.invoke("f", "{}").await);
    assert_eq!(
        (&seen["both"], &seen["first"]),
        (&json!(2), &json!(1)),
        "{seen}"
    );
    assert_eq!(
        (&seen["preloaded"], &seen["later"]),
        (&json!("/nowhere.so"), &json!([]))
    );
    assert_eq!(seen["uid"], json!(rustix::process::getuid().as_raw()));
    let lines = world.lines.all().concat();
    if mounts() {
        for refused in ["written", "over", "remounted"] {
            assert_eq!(seen[refused], json!(false), "{refused}");
        }
        assert_eq!(seen["text"], json!("two"));
        assert!(
            seen["path"].as_str().unwrap().ends_with(":/opt/bin"),
            "{seen}"
        );
        assert!(
            seen["libraries"]
                .as_str()
                .unwrap()
                .ends_with("/lib:/opt/lib"),
            "{seen}"
        );
    } else {
        assert!(
            lines.contains("the layers are not at /opt, but in /"),
            "{lines}"
        );
    }
    // The machine's own /opt is there for who has no layers.
    let code = [(
        "index.py",
        "import os\ndef handler(e, c): return sorted(os.listdir('/opt'))",
    )];
    create(&world, "bare", "python3.12", &[], &code, &[])
        .await
        .unwrap();
    let mut own: Vec<_> = std::fs::read_dir("/opt")
        .map(|dir| {
            dir.map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    own.sort();
    assert_eq!(json(&world.invoke("bare", "{}").await), json!(own));
}

#[tokio::test]
async fn node_and_provided_runtimes_find_what_layers_bring() {
    let world = World::new().await;
    let layer = publish(
        &world,
        "l",
        &[
            (
                "nodejs/node_modules/greet/index.js",
                "exports.greet = () => 'hello';",
            ),
            ("bootstrap", BOOTSTRAP),
            ("extensions/one", "#!/bin/sh\n"),
        ],
    )
    .await;
    let code = [(
        "index.js",
        "exports.handler = async () => require('greet').greet();",
    )];
    create(&world, "node", "nodejs22.x", &[&layer], &code, &[])
        .await
        .unwrap();
    assert_eq!(json(&world.invoke("node", "{}").await), json!("hello"));
    world.functions.flush_logs().await;
    assert!(
        world
            .lines
            .all()
            .concat()
            .contains("extensions, which Headwater does not start")
    );
    create(
        &world,
        "own",
        "provided.al2023",
        &[&layer],
        &[("x", "")],
        &[],
    )
    .await
    .unwrap();
    assert_eq!(
        json(&world.invoke("own", "{}").await),
        json!("from the layer")
    );
}

const BOOTSTRAP: &str = "#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while true; do
  id=$(curl -sD - -o /dev/null $api/invocation/next | tr -d '\\r' | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
  curl -s -d '\"from the layer\"' $api/invocation/$id/response
done
";

#[tokio::test]
async fn a_wrapper_stands_around_the_program() {
    let world = World::new().await;
    let wrapper = "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n";
    let layer = publish(&world, "l", &[("bootstrap", wrapper)]).await;
    let code = [
        (
            "index.py",
            "import os\ndef handler(e, c): return os.environ.get('WRAPPED')",
        ),
        ("bootstrap", wrapper),
    ];
    for (function, layers, path, expected) in [
        ("own", vec![], "/var/task/bootstrap", json!("yes")),
        ("layer", vec![&layer], "/opt/bootstrap", json!("yes")),
        ("none", vec![], "", json!(null)),
    ] {
        let environment = [("AWS_LAMBDA_EXEC_WRAPPER", path)];
        create(&world, function, "python3.12", &layers, &code, &environment)
            .await
            .unwrap();
        assert_eq!(
            json(&world.invoke(function, "{}").await),
            expected,
            "{function}"
        );
    }
    let missing = [("AWS_LAMBDA_EXEC_WRAPPER", "/nowhere")];
    create(&world, "missing", "python3.12", &[], &code, &missing)
        .await
        .unwrap();
    let failed = world.invoke("missing", "{}").await;
    let text = format!(
        "RequestId: {} Error: Runtime exited with error: exit status 127",
        failed.request_id
    );
    assert_eq!(
        json(&failed),
        json!({ "errorType": "Runtime.ExitError", "errorMessage": text })
    );
}

#[tokio::test]
async fn a_deleted_version_lives_on_in_the_functions_that_have_it() {
    let world = World::new().await;
    let layer = publish(&world, "l", &[("python/of.py", "OF = 1")]).await;
    let code = [("index.py", "import of\ndef handler(e, c): return of.OF")];
    create(&world, "f", "python3.12", &[&layer], &code, &[])
        .await
        .unwrap();
    world.functions.delete_layer(&layer.id()).await.unwrap();
    assert_eq!(
        world.functions.layer(&layer.id()).await,
        Err(Error::NoLayer(layer.id()))
    );
    assert_eq!(
        (json(&world.invoke("f", "{}").await), packages(&world)),
        (json!(1), 2)
    );
    // Nobody else can come to have it, and who has it may say so again.
    let refused = create(&world, "g", "python3.12", &[&layer], &code, &[]).await;
    assert_eq!(refused, Err(Error::NoLayer(layer.id())));
    give(&world, "f", vec![layer.used()]).await.unwrap();
    give(&world, "f", vec![]).await.unwrap();
    assert_eq!(packages(&world), 1);
    // Numbers go on.
    assert_eq!(publish(&world, "l", &[("a", "")]).await.number, 2);
    world.functions.delete(&name("f")).await.unwrap();
    assert_eq!(packages(&world), 1);
}

#[tokio::test]
async fn code_and_layers_have_a_bound_together() {
    let world = World::new().await;
    let large = " ".repeat(130_000_000);
    let one = publish(&world, "one", &[("a", &large)]).await;
    let two = publish(&world, "two", &[("b", &large)]).await;
    let refused = create(
        &world,
        "f",
        "python3.12",
        &[&one, &two],
        &[("c", &large)],
        &[],
    )
    .await;
    let size = 3 * 130_000_000;
    assert!(size > limits::UNPACKED_BYTES_MAX);
    assert_eq!(refused, Err(Error::TooLargeTogether { size }));
    assert_eq!(packages(&world), 2, "what was refused is not kept");
}

#[tokio::test]
async fn a_permission_has_its_name_alone() {
    let world = World::new().await;
    let layer = publish(&world, "l", &[("a", "")]).await;
    let id = layer.id();
    let add = |name: &str| {
        let permission = headwater_functions::LayerPermission {
            id: name.to_owned(),
            principal: "*".to_owned(),
            organization: None,
        };
        world
            .functions
            .change_layer_policy(&id, None, move |permissions| {
                headwater_functions::add_permission(permissions, permission.clone())
            })
    };
    add("one").await.unwrap();
    assert_eq!(add("one").await, Err(Error::PermissionExists("one".into())));
    let mut count = 1;
    while add(&format!("p{count}")).await.is_ok() {
        count += 1;
    }
    assert!(matches!(
        add("last").await,
        Err(Error::PolicyTooLarge { .. })
    ));
    assert!((100..130).contains(&count), "{count}");
}
