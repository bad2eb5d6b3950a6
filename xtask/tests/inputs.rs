//! Holds the doors to taking every input apart whole: `let Input { every, member } = input;`, without `..`.
//!
//! A member that a newer model adds then does not compile until somebody names it, and one that is named and not read
//! is an unused variable. That is what the compiler sees to; that no input goes round it is seen to here, over the text
//! of the doors' sources: each structure that an operation of a door's table can be sent, the operation's own and those
//! within, has to have such a pattern in the door. Why: `docs/adr/0025-inputs-taken-apart.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The door whose operations' own inputs have up to fifty members of which few are done: it names those that it reads
/// and refuses every other when it is asked (`crates/doors/s3/src/settings.rs`), which a test beside it holds it to. What
/// stands within its inputs is taken apart as everywhere.
const REFUSES_BY_ITSELF: &str = "s3";

/// Files that show kept documents: what they take apart was sent to another operation, and that it is read there they do
/// not show. They are held to do it whole all the same, or a member that is kept would not be shown.
const SHOW: [&str; 1] = ["crates/doors/glue/src/show.rs"];

const REFUSED: &str = "is refused when it is there, whatever it says";
const KEPT: &str = "is kept and shown as it came";
const LAID_OVER: &str = "is read into the configuration, which is taken apart and has a place for it all, or it is refused";

/// Structures that no member is read of, and why that ignores nothing.
const WHOLE: &[(&str, &str, &[&str])] = &[
    (
        "dynamodb",
        REFUSED,
        &[
            "GlobalTableWitnessGroupUpdate",
            "ReplicationGroupUpdate",
            "VectorIndex",
            "VectorIndexUpdate",
            "WarmThroughput",
        ],
    ),
    (
        "kinesis",
        REFUSED,
        &[
            "ChannelEncryptionConfiguration",
            "S3TablesDestinationConfiguration",
            "S3TablesDestinationUpdateInput",
        ],
    ),
    (
        "firehose",
        REFUSED,
        &[
            "DatabaseSourceConfiguration",
            "DirectPutSourceConfiguration",
            "IcebergDestinationConfiguration",
            "IcebergDestinationUpdate",
            "MSKSourceConfiguration",
            "SnowflakeDestinationConfiguration",
            "SnowflakeDestinationUpdate",
            "VpcConfiguration",
        ],
    ),
    (
        "firehose",
        LAID_OVER,
        &[
            "AmazonOpenSearchServerlessDestinationConfiguration",
            "AmazonOpenSearchServerlessDestinationUpdate",
            "AmazonopensearchserviceDestinationUpdate",
            "ElasticsearchDestinationConfiguration",
            "ElasticsearchDestinationUpdate",
            "HttpEndpointDestinationUpdate",
            "RedshiftDestinationUpdate",
            "SplunkDestinationUpdate",
        ],
    ),
    ("logs", REFUSED, &["Entity"]),
    ("cloudwatch", REFUSED, &["EntityMetricData"]),
    (
        "sts",
        REFUSED,
        &["PolicyDescriptorType", "ProvidedContext", "Tag"],
    ),
    (
        "cloudtrail",
        REFUSED,
        &[
            "AdvancedEventSelector",
            "AdvancedFieldSelector",
            "DataResource",
        ],
    ),
    (
        "glue",
        REFUSED,
        &[
            "AuditContext",
            "DatabaseIdentifier",
            "FederatedDatabase",
            "FederatedTable",
            "OpenTableFormatInput",
            "PartitionIndex",
            "PrincipalPermissions",
            "QuerySessionContext",
            "SchemaReference",
            "TableIdentifier",
            "UpdateOpenTableFormatInput",
            "ViewDefinitionInput",
        ],
    ),
    ("glue", KEPT, &["Order", "SerDeInfo", "SkewedInfo"]),
    (
        "s3",
        REFUSED,
        &[
            "BlockedEncryptionTypes",
            "BucketInfo",
            "EventBridgeConfiguration",
            "LambdaFunctionConfiguration",
            "LocationInfo",
            "LoggingEnabled",
            "QueueConfiguration",
            "TopicConfiguration",
        ],
    ),
    (
        "s3",
        REFUSED,
        &["NoncurrentVersionTransition", "Transition"],
    ),
    (
        "lambda",
        REFUSED,
        &[
            "AcceleratorConfig",
            "AmazonManagedKafkaEventSourceConfig",
            "CapacityProviderConfig",
            "DocumentDBEventSourceConfig",
            "DurableConfig",
            "EventSourceMappingLoggingConfig",
            "FileSystemConfig",
            "FunctionRuntimeConfig",
            "ImageConfig",
            "ProvisionedPollerConfig",
            "ScalingConfig",
            "SelfManagedEventSource",
            "SelfManagedKafkaEventSourceConfig",
            "SourceAccessConfiguration",
            "TenancyConfig",
        ],
    ),
];

#[test]
fn every_input_is_taken_apart_whole() {
    let doors = doors();
    assert!(doors.len() >= 6, "the doors are not where they were");
    let files: BTreeSet<&str> = doors
        .iter()
        .flat_map(|door| &door.files)
        .map(|(path, _)| path.as_str())
        .collect();
    assert!(SHOW.iter().all(|path| files.contains(path)), "{SHOW:?}");
    let failures: Vec<String> = doors
        .iter()
        .flat_map(|door| failures(door, &whole_of(&door.name)))
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn whole_of(door: &str) -> BTreeSet<&'static str> {
    WHOLE
        .iter()
        .filter(|(of, _, _)| *of == door)
        .flat_map(|(_, _, structures)| structures.iter().copied())
        .collect()
}

/// A door's sources.
struct Door {
    name: String,
    /// The only files of its services' generated crates.
    shapes: String,
    /// The files without their tests, by path.
    files: Vec<(String, String)>,
}

/// The faults of a door, where `whole` are the structures that need not be taken apart.
fn failures(door: &Door, whole: &BTreeSet<&str>) -> Vec<String> {
    let shapes = Shapes::read(&door.shapes);
    let patterns = Patterns::read(&door.files, &shapes);
    let (mut failures, mut met, mut spared) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let routed = routed(&door.files);
    let refuses_by_itself = door.name == REFUSES_BY_ITSELF;
    if routed.is_empty() {
        failures.push(format!("{}: no table of operations is found", door.name));
    }
    for operation in routed {
        let Some(input) = shapes.inputs.get(&operation) else {
            failures.push(format!("{}: {operation} has no input", door.name));
            continue;
        };
        let file = handler(&door.files, &operation);
        let mut open = vec![input.as_str()];
        while let Some(structure) = open.pop() {
            if !met.insert(structure) {
                continue;
            }
            if whole.contains(structure) {
                spared.insert(structure);
                continue;
            }
            if !(refuses_by_itself && structure == input) {
                failures.extend(patterns.failures(structure, file));
            }
            let Some(within) = shapes.structures.get(structure) else {
                continue;
            };
            open.extend(within.iter().map(String::as_str));
        }
    }
    let needless = whole.difference(&spared).map(|structure| {
        format!(
            "{}: {structure} is no structure that could be sent, and is spared",
            door.name
        )
    });
    failures.extend(needless);
    failures
}

/// The operations of the door's table.
fn routed(files: &[(String, String)]) -> Vec<String> {
    files
        .iter()
        .flat_map(|(_, text)| text.split(".route").chain(text.split(".direct")))
        .filter_map(|rest| {
            let call = rest.strip_prefix("_on").unwrap_or(rest);
            let operation = call.strip_prefix("::<")?;
            let operation = operation.strip_prefix("shapes::").unwrap_or(operation);
            Some(word(operation).to_owned())
        })
        .collect()
}

/// The file that handles an operation.
fn handler<'a>(files: &'a [(String, String)], operation: &str) -> &'a str {
    let names = [
        format!("Handle<{operation}>"),
        format!("settles!(\n    {operation},"),
    ];
    let found = files
        .iter()
        .find(|(_, text)| names.iter().any(|name| text.contains(name)));
    found.map_or("the door", |(path, _)| path)
}

/// The structures and operations of a generated crate.
#[derive(Default)]
struct Shapes {
    /// The structures that stand in each structure's members.
    structures: BTreeMap<String, BTreeSet<String>>,
    /// The input of each operation that has members.
    inputs: BTreeMap<String, String>,
}

impl Shapes {
    fn read(text: &str) -> Self {
        let bodies: BTreeMap<&str, &str> = text
            .split("pub struct ")
            .skip(1)
            .filter_map(|rest| {
                let name = word(rest);
                let body = rest[name.len()..].strip_prefix(" {")?;
                Some((name, body.split_once('}')?.0))
            })
            .collect();
        let structures = bodies.iter().map(|(name, body)| {
            let within = words(body).filter(|word| bodies.contains_key(word));
            ((*name).to_owned(), within.map(str::to_owned).collect())
        });
        let inputs = text.split("operation!(").skip(1).filter_map(|rest| {
            let (input, _) = rest.split_once("=>")?;
            let operation = words(input).find(|word| *word != "direct")?;
            Some((operation.to_owned(), words(input).last()?.to_owned()))
        });
        Self {
            structures: structures.collect(),
            inputs: inputs.collect(),
        }
    }
}

/// The patterns of a door's sources, by their structures.
struct Patterns<'a>(BTreeMap<&'a str, Vec<Pattern<'a>>>);

/// A structure taken apart.
struct Pattern<'a> {
    path: &'a str,
    has_rest: bool,
    /// Members that are bound as nothing without a reason.
    unexplained: Vec<&'a str>,
}

impl<'a> Patterns<'a> {
    fn read(files: &'a [(String, String)], shapes: &Shapes) -> Self {
        let mut patterns = BTreeMap::<&str, Vec<Pattern<'_>>>::new();
        for (path, text) in files {
            for (at, _) in text.match_indices(" {") {
                let structure = last_word(&text[..at]);
                let Some(body) = braced(&text[at + 1..]) else {
                    continue;
                };
                let after = &text[at + 1 + body.len()..];
                if shapes.structures.contains_key(structure) && ends_a_pattern(after) {
                    patterns.entry(structure).or_default().push(Pattern {
                        path,
                        has_rest: body.lines().any(|line| code(line).contains("..")),
                        unexplained: unexplained(body),
                    });
                }
            }
        }
        Self(patterns)
    }

    /// The faults in how a structure is taken apart that the handler in `file` is sent.
    fn failures(&self, structure: &str, file: &str) -> Vec<String> {
        let Some(patterns) = self.0.get(structure) else {
            return vec![format!("{file}: {structure} is not taken apart")];
        };
        let mut failures = Vec::new();
        if patterns.iter().all(|pattern| SHOW.contains(&pattern.path)) {
            failures.push(format!(
                "{file}: {structure} is taken apart only where it is shown"
            ));
        }
        for pattern in patterns {
            let path = pattern.path;
            if pattern.has_rest {
                failures.push(format!(
                    "{path}: {structure} is not taken apart whole, but with `..`"
                ));
            }
            failures.extend(pattern.unexplained.iter().map(|member| {
                format!("{path}: {member} of {structure} is ignored, and no comment says why")
            }));
        }
        failures
    }
}

/// The part of a line before its comment.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// The members of a pattern that are bound as `_` or `_name`, and neither their line nor a comment above says why. One
/// comment may stand above several of them.
fn unexplained(body: &str) -> Vec<&str> {
    let (mut found, mut is_explained) = (Vec::new(), false);
    for line in body.lines() {
        if line.trim_start().starts_with("//") {
            is_explained = true;
            continue;
        }
        let ignored: Vec<&str> = code(line)
            .match_indices(": _")
            .map(|(at, _)| last_word(&line[..at]))
            .collect();
        is_explained &= !ignored.is_empty();
        if !is_explained && !line.contains("//") {
            found.extend(ignored);
        }
    }
    found
}

/// Whether what stands before `after` was a pattern rather than a value: a `=`, `=>`, `|`, `in` or `if` comes next, or a
/// type at once. Brackets around it may close before, and a comma only inside of brackets that close. A pattern within
/// another's braces is taken for a value: it gets a `let` of its own.
fn ends_a_pattern(after: &str) -> bool {
    let (mut depth, mut comma) = (0, None);
    if after.starts_with(':') {
        return true;
    }
    let mut rest = after.trim_start();
    while let Some(next) = rest.chars().next() {
        let is_inside = comma.is_none_or(|at| depth < at);
        match next {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' => comma = Some(depth),
            '=' => return is_inside && !rest.starts_with("=="),
            '|' => return is_inside && !rest.starts_with("||"),
            '_' | '&' => {}
            c if c.is_alphanumeric() => match word(rest) {
                "in" | "if" => return is_inside,
                word => {
                    rest = rest[word.len()..].trim_start();
                    continue;
                }
            },
            _ => return false,
        }
        rest = rest[next.len_utf8()..].trim_start();
    }
    false
}

/// The text from a brace to the one that closes it.
fn braced(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(&text[..=at]),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word that a text begins with.
fn word(text: &str) -> &str {
    text.split(|c| !in_word(c)).next().unwrap_or_default()
}

/// The word that a text ends with.
fn last_word(text: &str) -> &str {
    text.rsplit(|c| !in_word(c)).next().unwrap_or_default()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !in_word(c)).filter(|word| !word.is_empty())
}

/// The doors: each has a crate of generated shapes beside it.
fn doors() -> Vec<Door> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let doors = root.join("crates/doors");
    let names = list(&doors)
        .into_iter()
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    let names: Vec<String> = names.collect();
    // A door may have a second service, whose name begins with its own.
    let shapes = |door: &String| {
        let prefix = format!("shapes-{door}");
        let crates = names.iter().filter(move |name| name.starts_with(&prefix));
        crates
            .map(|name| read(&doors.join(name).join("src/lib.rs")))
            .collect::<String>()
    };
    let doors_with_shapes = names.iter().filter(|name| !shapes(name).is_empty());
    doors_with_shapes
        .map(|name| Door {
            shapes: shapes(name),
            files: sources(&doors.join(name).join("src"), &root),
            name: name.clone(),
        })
        .collect()
}

/// The sources under a folder, without tests.
fn sources(folder: &Path, root: &Path) -> Vec<(String, String)> {
    let (mut open, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(list(&path));
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path);
            files.push((name.display().to_string(), read(&path)));
        }
    }
    let tests: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, text)| test_modules(text))
        .collect();
    let is_test = |path: &str| {
        Path::new(path)
            .file_stem()
            .is_some_and(|stem| tests.contains(&*stem.to_string_lossy()))
    };
    files.retain(|(path, _)| !is_test(path));
    for (_, text) in &mut files {
        if let Some(at) = text.find("#[cfg(test)]\nmod tests {") {
            text.truncate(at);
        }
    }
    files.sort();
    files
}

/// The modules that a file has for tests alone, in files of their own.
fn test_modules(text: &str) -> Vec<String> {
    text.split("#[cfg(test)]\n")
        .skip(1)
        .filter_map(|rest| rest.split_once('\n')?.0.strip_suffix(';'))
        .map(|module| last_word(module).to_owned())
        .collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const SHAPES: &str = "
pub struct PutInput {
    pub name: String,
    pub options: Option<Options>,
}

pub struct Options {
    pub r#type: Option<String>,
    pub old: Option<bool>,
}

    operation!(direct Put, tables::OP_PUT, super::PutInput => super::PutOutput);
";

/// The faults of a door whose one handler is made of `body`.
fn failures_of(body: &str) -> Vec<String> {
    failures_beside(body, "")
}

/// The same of a door that shows what it keeps with `show`.
fn failures_beside(body: &str, show: &str) -> Vec<String> {
    let table = "Routes::new(&SERVICE, door).route::<shapes::Put>(WRITES).build()";
    let handler =
        format!("impl Handle<Put> for Door {{ fn handle(input: PutInput) {{ {body} }} }}");
    let door = Door {
        name: "door".to_owned(),
        shapes: SHAPES.to_owned(),
        files: vec![
            ("lib.rs".to_owned(), table.to_owned()),
            ("put.rs".to_owned(), handler),
            (SHOW[0].to_owned(), show.to_owned()),
        ],
    };
    failures(&door, &BTreeSet::new())
}

#[test]
fn what_is_taken_apart_whole_passes() {
    for body in [
        "let PutInput { name, options } = input; let Options { r#type, old } = options;",
        "let PutInput { name, options } = input; options.map(|Options { r#type, old }| r#type)",
        "let PutInput { name, options } = input;
         match (options, name) { (Some(Options { r#type, old }), _) => Options { r#type, old: None }, _ => b }",
        "let PutInput { name, options } = input;
         let Options {
             r#type,
             // AWS ignores it.
             old: _,
         } = options;",
    ] {
        assert_eq!(failures_of(body), [""; 0], "{body}");
    }
}

#[test]
fn what_is_shown_counts_as_shown_and_not_as_read() {
    let input = "let PutInput { name, options } = input;";
    let whole = "let Options { r#type, old } = kept;";
    let only_shown = "put.rs: Options is taken apart only where it is shown";
    assert_eq!(failures_beside(input, whole), [only_shown]);
    let read = format!("{input} {whole}");
    assert_eq!(failures_beside(&read, whole), [""; 0]);
    let in_part = "crates/doors/glue/src/show.rs: Options is not taken apart whole, but with `..`";
    let part = "let Options { r#type, .. } = kept;";
    assert_eq!(failures_beside(&read, part), [in_part]);
}

#[test]
fn what_is_not_is_found() {
    let none = "put.rs: PutInput is not taken apart";
    let rest = "put.rs: PutInput is not taken apart whole, but with `..`";
    let nested = "put.rs: Options is not taken apart";
    let ignored = "put.rs: old of Options is ignored, and no comment says why";
    for (body, expected) in [
        ("input.name", &[none, nested][..]),
        ("let PutInput { name, .. } = input;", &[rest, nested]),
        (
            "let PutInput { name, options } = input; options.old",
            &[nested],
        ),
        (
            "let PutInput { name, options } = input; let made = Some(Options { r#type, old });",
            &[nested],
        ),
        (
            "let PutInput { name, options } = input; match name { a => Options { r#type, old }, b => c }",
            &[nested],
        ),
        (
            "let PutInput { name, options } = input; let Options { r#type, old: _ } = options;",
            &[ignored],
        ),
        (
            "let PutInput { name, options } = input;
             let Options {
                 // A reason that ends with the next member.
                 r#type,
                 old: _old,
             } = options;",
            &[ignored],
        ),
    ] {
        assert_eq!(failures_of(body), expected, "{body}");
    }
    let door = Door {
        name: "door".to_owned(),
        shapes: SHAPES.to_owned(),
        files: Vec::new(),
    };
    assert_eq!(
        failures(&door, &BTreeSet::from(["Options"])),
        [
            "door: no table of operations is found",
            "door: Options is no structure that could be sent, and is spared"
        ]
    );
}
