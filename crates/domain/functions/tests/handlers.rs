//! Handlers in Python, in Node, and behind a bootstrap of their own: answers, errors, contexts, output.

#![allow(clippy::unwrap_used, missing_docs, reason = "this is test code")]

mod common;

use common::{World, json, name, zip_of};
use headwater_functions::{Alias, Error, Request, Version};
use serde_json::json;

#[tokio::test]
async fn a_python_handler_answers_logs_and_is_reused() {
    let world = World::new().await;
    let code = "
import logging, os
count = 0
def handler(event, context):
    global count
    count += 1
    print('printed', event['x'])
    logging.getLogger().warning('logged')
    left = context.get_remaining_time_in_millis()
    return {'count': count, 'x': event['x'], 'id': context.aws_request_id, 'timed': 0 < left <= 30000,
            'arn': context.invoked_function_arn, 'memory': context.memory_limit_in_mb,
            'name': context.function_name, 'stream': context.log_stream_name,
            'endpoint': os.environ['AWS_ENDPOINT_URL'], 'leaked': os.environ.get('CARGO_MANIFEST_DIR')}
";
    world.python("py", code).await;
    let first = world.invoke("py", r#"{"x":"ü"}"#).await;
    let answer = json(&first);
    assert!(!first.failed, "{answer}");
    assert_eq!(answer["count"], 1);
    assert_eq!(answer["x"], "ü");
    assert_eq!(answer["id"], first.request_id.as_str());
    assert_eq!(answer["timed"], true);
    assert_eq!(
        answer["arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:py"
    );
    assert_eq!(
        (&answer["memory"], &answer["name"]),
        (&json!("128"), &json!("py"))
    );
    assert_eq!(
        (&answer["endpoint"], &answer["leaked"]),
        (&json!("http://127.0.0.1:1"), &json!(null))
    );

    let tail = String::from_utf8(first.log_tail.clone()).unwrap();
    let lines: Vec<&str> = tail.lines().collect();
    assert_eq!(
        lines[0],
        format!("START RequestId: {} Version: $LATEST", first.request_id)
    );
    assert_eq!(lines[1], "printed ü");
    assert!(
        lines[2].starts_with("[WARNING]\t")
            && lines[2].ends_with(&format!("\t{}\tlogged", first.request_id))
    );
    assert_eq!(lines[3], format!("END RequestId: {}", first.request_id));
    assert!(
        lines[4].starts_with(&format!(
            "REPORT RequestId: {}\tDuration: ",
            first.request_id
        )),
        "{tail}"
    );
    assert!(
        lines[4].contains("\tMemory Size: 128 MB\t") && lines[4].contains("\tInit Duration: "),
        "{tail}"
    );

    let second = world.invoke("py", r#"{"x":1}"#).await;
    assert_eq!(json(&second)["count"], 2, "the process is warm");
    assert!(
        !String::from_utf8(second.log_tail)
            .unwrap()
            .contains("Init Duration")
    );

    world.functions.flush_logs().await;
    let batches = world.lines.batches();
    assert!(
        batches
            .iter()
            .all(|b| b.group == "/aws/lambda/py" && json!(b.stream) == answer["stream"])
    );
    let lines = world.lines.all();
    let start = "INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:";
    assert!(lines[0].starts_with(start), "{}", lines[0]);
    assert_eq!(
        lines[1..].concat(),
        format!("{}{}", tail, lines[6..].concat())
    );
    assert!(lines.iter().all(|line| line.ends_with('\n')), "{lines:?}");
}

#[tokio::test]
async fn a_function_finds_awss_environment() {
    let world = World::new().await;
    let code = "
import os
before = dict(os.environ)
def handler(event, context):
    return dict(os.environ, BEFORE=before.get('_X_AMZN_TRACE_ID'))
";
    world.python("env", code).await;
    let environment = json(&world.invoke("env", "{}").await);
    for (name, value) in [
        ("_HANDLER", "index.handler"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.12"),
        ("AWS_LAMBDA_FUNCTION_NAME", "env"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/env"),
        ("AWS_ACCESS_KEY_ID", "headwater"),
        ("AWS_SECRET_ACCESS_KEY", "headwater"),
        ("AWS_SESSION_TOKEN", "headwater"),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    for name in ["LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"] {
        let dir = environment[name].as_str().unwrap();
        assert!(std::path::Path::new(dir).is_dir(), "{name}: {dir}");
    }
    let trace = environment["_X_AMZN_TRACE_ID"].as_str().unwrap();
    assert!(
        trace.starts_with("Root=1-") && trace.contains(";Parent="),
        "{trace}"
    );
    assert_eq!(environment["BEFORE"], json!(null));

    let own = Some([("LANG".to_owned(), "C.UTF-8".to_owned())].into());
    world
        .functions
        .update_configuration(&name("env"), None, |c| c.environment = own)
        .await
        .unwrap();
    let changed = json(&world.invoke("env", "{}").await);
    assert_eq!(changed["LANG"], "C.UTF-8", "this one is not reserved");
}

#[tokio::test]
async fn python_errors_have_awss_form() {
    let world = World::new().await;
    let code = "
def handler(event, context):
    if event == 'set': return {1, 2}
    if event == 'exit': raise SystemExit(3)
    raise ValueError('bad ' + event)
";
    world.python("py", code).await;
    let raised = world.invoke("py", r#""event""#).await;
    let error = json(&raised);
    assert!(raised.failed);
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&json!("ValueError"), &json!("bad event"))
    );
    assert_eq!(error["requestId"], raised.request_id.as_str());
    let counted = world.functions.metrics().remove(0).1;
    assert_eq!((counted.invocations, counted.errors), (1, 1));
    assert!(counted.duration > std::time::Duration::ZERO);
    let trace = error["stackTrace"].as_array().unwrap();
    assert_eq!(trace.len(), 1);
    assert!(
        trace[0]
            .as_str()
            .unwrap()
            .contains("index.py\", line 5, in handler\n    raise ValueError"),
        "{error}"
    );
    assert!(
        String::from_utf8(raised.log_tail)
            .unwrap()
            .contains("[ERROR] ValueError: bad event\nTraceback")
    );

    let unmarshalled = json(&world.invoke("py", r#""set""#).await);
    assert_eq!(unmarshalled["errorType"], "Runtime.MarshalError");
    let text = "Unable to marshal response: Object of type set is not JSON serializable";
    assert_eq!(unmarshalled["errorMessage"], text);

    let exited = world.invoke("py", r#""exit""#).await;
    let text = format!(
        "RequestId: {} Error: Runtime exited with error: exit status 3",
        exited.request_id
    );
    assert_eq!(
        json(&exited),
        json!({ "errorType": "Runtime.ExitError", "errorMessage": text })
    );
    assert!(
        String::from_utf8(exited.log_tail)
            .unwrap()
            .contains("\tStatus: error\tError Type: Runtime.ExitError")
    );
    assert_eq!(
        json(&world.invoke("py", r#""set""#).await)["errorType"],
        "Runtime.MarshalError",
        "a new process"
    );
}

#[tokio::test]
async fn python_that_cannot_start_says_why() {
    let world = World::new().await;
    for (at, code, handler, kind, message) in [
        (
            "a",
            "",
            "missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module",
        ),
        (
            "b",
            "",
            "index.other",
            "Runtime.HandlerNotFound",
            "Handler 'other' missing on module 'index'",
        ),
        (
            "c",
            "",
            "handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler'",
        ),
        (
            "d",
            "def (",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index'",
        ),
        (
            "e",
            "raise KeyError('x')",
            "index.handler",
            "KeyError",
            "'x'",
        ),
        (
            "f",
            "raise SystemExit(0)",
            "index.handler",
            "Runtime.ExitError",
            "RequestId: ",
        ),
    ] {
        world
            .create(at, "python3.12", handler, &[("index.py", code)])
            .await;
        let failed = world.invoke(at, "{}").await;
        let error = json(&failed);
        assert!(failed.failed);
        assert_eq!(error["errorType"], kind, "{error}");
        assert!(
            error["errorMessage"].as_str().unwrap().starts_with(message),
            "{error}"
        );
    }
}

#[tokio::test]
async fn node_handlers_answer_in_every_style() {
    let world = World::new().await;
    let code = "
let count = 0;
export const handler = async (event, context) => {
  console.log('seen', event, 'two\\nlines');
  return { count: ++count, id: context.awsRequestId, left: context.getRemainingTimeInMillis() > 0 };
};
export const nothing = async () => {};
export const thrown = async () => { throw new TypeError('no'); };
export const sync = () => { throw 'text'; };
";
    world.node("esm", code).await;
    let first = world.invoke("esm", r#"{"a":1}"#).await;
    assert_eq!(
        json(&first),
        json!({ "count": 1, "id": first.request_id, "left": true })
    );
    let tail = String::from_utf8(first.log_tail).unwrap();
    assert!(
        tail.contains(&format!(
            "Z\t{}\tINFO\tseen {{ a: 1 }} two\nlines\n",
            first.request_id
        )),
        "{tail}"
    );
    assert_eq!(json(&world.invoke("esm", "{}").await)["count"], 2);

    for (handler, expected) in [
        ("index.nothing", json!(null)),
        (
            "index.thrown",
            json!({ "errorType": "TypeError", "errorMessage": "no" }),
        ),
        (
            "index.sync",
            json!({ "errorType": "string", "errorMessage": "text", "trace": [] }),
        ),
        (
            "index.none",
            json!({ "errorType": "Runtime.HandlerNotFound", "errorMessage": "index.none is undefined or not exported" }),
        ),
        (
            "other.handler",
            json!({ "errorType": "Runtime.ImportModuleError", "errorMessage": "Error: Cannot find module 'other'" }),
        ),
    ] {
        world
            .functions
            .update_configuration(&name("esm"), None, move |c| c.handler = handler.to_owned())
            .await
            .unwrap();
        let answer = json(&world.invoke("esm", "{}").await);
        for (key, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&answer[key], value, "{answer}");
        }
        assert_eq!(expected.is_null(), answer.is_null());
    }

    let commonjs = "
const path = require('path');
exports.callback = (event, context, callback) => setTimeout(() => callback(null, path.join('a', event)), 5);
exports.done = (event, context) => context.done(null, 'done');
exports.silent = () => 'is not an answer';
let ended = 0;
exports.lasting = (event, context, callback) => { callback(null, ended); setTimeout(() => ended++, 20); };
exports.both = async (event, context, callback) => { callback(null, 'called'); };
exports.twice = (event, context, callback) => { callback(null, 'first'); callback(new Error('second')); context.fail(); };
exports.throws = (event, context, callback) => { callback(null, 'before'); throw new Error('after'); };
exports.hasty = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setInterval(() => {}, 1000);
  callback(null, 'now');
};
exports.late = (event, context, callback) => setTimeout(() => { throw new RangeError('late'); }, 5);
";
    world
        .create(
            "cjs",
            "nodejs20.x",
            "src/app.callback",
            &[("src/app.js", commonjs)],
        )
        .await;
    assert_eq!(json(&world.invoke("cjs", r#""b""#).await), "a/b");
    for (handler, expected) in [
        ("src/app.done", json!("done")),
        ("src/app.silent", json!(null)),
        ("src/app.hasty", json!("now")),
        ("src/app.both", json!("called")),
        ("src/app.twice", json!("first")),
        ("src/app.throws", json!("before")),
    ] {
        world
            .functions
            .update_configuration(&name("cjs"), None, move |c| c.handler = handler.to_owned())
            .await
            .unwrap();
        assert_eq!(
            json(&world.invoke("cjs", "{}").await),
            expected,
            "{handler}"
        );
    }
    world
        .functions
        .update_configuration(&name("cjs"), None, |c| c.handler = "src/app.lasting".into())
        .await
        .unwrap();
    for ended in 0..3 {
        let answer = json(&world.invoke("cjs", "{}").await);
        assert_eq!(
            answer,
            json!(ended),
            "what was begun has ended before the answer"
        );
    }
    world
        .functions
        .update_configuration(&name("cjs"), None, |c| c.handler = "src/app.late".into())
        .await
        .unwrap();
    let late = world.invoke("cjs", "{}").await;
    assert!(late.failed);
    assert_eq!(json(&late)["errorType"], "RangeError");
}

#[tokio::test]
async fn node_passes_any_text_on_and_megabytes_of_it() {
    let world = World::new().await;
    let code = "
export const handler = async (event, context) => ({ event, custom: context.clientContext?.custom });
export const failing = async (event) => { throw new Error(event); };
export const large = async (event) => 'x'.repeat(event);
";
    world.node("any", code).await;
    for text in [
        "",
        "plain",
        "gr\u{fc}n",
        "zi\u{119}by",
        "\u{1f40b}",
        "a: b\r\n\r\nc",
    ] {
        let context = Some(json!({ "custom": { "key: of": text } }).to_string());
        let request = Request {
            client_context: context,
            qualifier: None,
            ..world.request(&json!({ "text": text }).to_string())
        };
        let answer = json(&world.functions.invoke(&name("any"), request).await.unwrap());
        assert_eq!(
            answer,
            json!({ "event": { "text": text }, "custom": { "key: of": text } })
        );
    }
    for text in ["y".repeat(5_000_000), "\u{44f}".repeat(2_500_000)] {
        let answer = json(&world.invoke("any", &json!(text).to_string()).await);
        assert_eq!(answer["event"], text);
    }

    let any = name("any");
    let with_handler = async |handler: &str| {
        let handler = handler.to_owned();
        world
            .functions
            .update_configuration(&any, None, move |c| c.handler = handler.to_owned())
            .await
            .unwrap();
    };
    with_handler("index.failing").await;
    let failed = json(&world.invoke("any", "\"zi\u{119}by\"").await);
    assert_eq!(failed["errorMessage"], "zi\u{119}by");
    with_handler("index.large").await;
    for (length, failed) in [(7_000_000, true), (70_000_000, true), (3, false)] {
        assert_eq!(
            world.invoke("any", &length.to_string()).await.failed,
            failed,
            "{length}"
        );
    }
}

#[tokio::test]
async fn a_provided_runtime_speaks_the_runtime_api_itself() {
    let world = World::new().await;
    let bootstrap = r#"#!/usr/bin/env python3
import os, urllib.request as u
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def post(path, body):
    try: u.urlopen(u.Request(api + path, data=body)).read()
    except u.HTTPError as error: print("refused", error.code)
while True:
    with u.urlopen(api + "invocation/next") as work:
        id, body = work.headers["Lambda-Runtime-Aws-Request-Id"], work.read()
        post("invocation/other/response", b"1")
        print("no line end", end="", flush=True)
        if body == b'"fail"': post("invocation/" + id + "/error", b'{"errorType":"Mine"}')
        else: post("invocation/" + id + "/response", b"[" + body + b"]")
"#;
    world
        .create(
            "own",
            "provided.al2023",
            "unused",
            &[("bootstrap", bootstrap)],
        )
        .await;
    let answered = world.invoke("own", "7").await;
    assert_eq!(json(&answered), json!([7]));
    let tail = String::from_utf8(answered.log_tail).unwrap();
    assert!(
        tail.contains("\nrefused 400\nno line end\nEND RequestId"),
        "{tail}"
    );
    let failed = world.invoke("own", r#""fail""#).await;
    assert_eq!(
        (failed.failed, json(&failed)),
        (true, json!({ "errorType": "Mine" }))
    );

    for (file, text, reason) in [
        (
            "other",
            "",
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        ),
        (
            "bootstrap",
            "#!/no/such/program\n",
            "fork/exec /var/task/bootstrap: no such file or directory",
        ),
        (
            "bootstrap",
            "\u{1}\u{2}",
            "fork/exec /var/task/bootstrap: exec format error",
        ),
    ] {
        let package = zip_of(&[(file, text)]);
        let updated = world
            .functions
            .update_code(&name("own"), package, None, false)
            .await;
        updated.unwrap();
        let failed = world.invoke("own", "7").await;
        let id = &failed.request_id;
        let error = json!({
            "errorType": "Runtime.InvalidEntrypoint", "errorMessage": format!("RequestId: {id} Error: {reason}"),
        });
        assert_eq!((failed.failed, json(&failed)), (true, error));
        let tail = String::from_utf8(failed.log_tail).unwrap();
        assert!(
            tail.contains("\nRuntime.InvalidEntrypoint\nEND RequestId"),
            "{tail}"
        );
    }

    let shell = "#!/bin/sh\necho hello >&2\nkill -SEGV $$\n";
    world
        .functions
        .update_code(&name("own"), zip_of(&[("bootstrap", shell)]), None, false)
        .await
        .unwrap();
    let crashed = world.invoke("own", "7").await;
    let text = format!(
        "RequestId: {} Error: Runtime exited with error: signal: segmentation fault",
        crashed.request_id
    );
    assert_eq!(json(&crashed)["errorMessage"], text);
    assert!(
        String::from_utf8(crashed.log_tail)
            .unwrap()
            .starts_with("hello\nSTART")
    );
}

#[tokio::test]
async fn a_version_runs_as_it_was_published() {
    let world = World::new().await;
    let code = |what: &str| {
        format!(
            "
import os
def handler(event, context):
    return ['{what}', context.function_version, context.invoked_function_arn.split(':')[6:],
            os.environ['AWS_LAMBDA_FUNCTION_VERSION'], '[' + context.function_version + ']' in context.log_stream_name]
"
        )
    };
    world.python("f", &code("old")).await;
    let functions = &world.functions;
    let publish = async || functions.publish(&name("f"), Default::default()).await;
    let first = publish().await.unwrap();
    assert_eq!(
        publish().await,
        Ok(first.clone()),
        "nothing has changed since"
    );
    let new = zip_of(&[("index.py", &code("new"))]);
    let second = functions.update_code(&name("f"), new, None, true).await;
    assert_eq!(second.unwrap().version, Version::Published(2));
    let live = Alias {
        name: "live".parse().unwrap(),
        version: Version::Published(1),
        description: String::new(),
        weights: Default::default(),
        revision: String::new(),
    };
    functions.create_alias(&name("f"), live).await.unwrap();

    let invoke = async |qualifier: Option<&str>| {
        let request = Request {
            qualifier: qualifier.map(|text| text.parse().unwrap()),
            ..world.request("1")
        };
        let done = functions.invoke(&name("f"), request).await?;
        Ok::<_, Error>((done.executed_version.to_string(), json(&done)))
    };
    for (qualifier, said, version, arn) in [
        (None, "new", "$LATEST", json!(["f"])),
        (Some("$LATEST"), "new", "$LATEST", json!(["f", "$LATEST"])),
        (Some("1"), "old", "1", json!(["f", "1"])),
        (Some("2"), "new", "2", json!(["f", "2"])),
        (Some("live"), "old", "1", json!(["f", "live"])),
    ] {
        let answer = json!([said, version, arn, version, true]);
        let expected = Ok((version.to_owned(), answer));
        assert_eq!(invoke(qualifier).await, expected, "{qualifier:?}");
    }
    let none = invoke(Some("3")).await;
    assert_eq!(none, Err(Error::NoVersion(Version::Published(3))));
    let none = invoke(Some("dead")).await;
    assert_eq!(none, Err(Error::NoAlias("dead".parse().unwrap())));

    let started = functions.metrics().remove(0).1.cold_starts;
    assert_eq!(started, 3, "one for each version");
    functions
        .update_configuration(&name("f"), None, |c| c.timeout_s = 9)
        .await
        .unwrap();
    invoke(Some("live")).await.unwrap();
    let started = functions.metrics().remove(0).1.cold_starts;
    assert_eq!(
        started, 3,
        "a version's processes outlive changes of the latest"
    );
    let referenced = functions.delete_version(&name("f"), 1).await;
    assert_eq!(
        referenced,
        Err(Error::Referenced(vec!["live".parse().unwrap()]))
    );
}
