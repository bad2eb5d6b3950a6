//! Redshift: what was put into the bucket is listed in a manifest and loaded with COPY.
//!
//! Redshift reads the bucket itself, at least once as on AWS. A plain PostgreSQL cannot: its rows are sent to it, in
//! one transaction with a line in a table of ours that names the load, so that each load is there exactly once.

mod options;
mod rows;

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use headwater_env::Env;
use headwater_types::Arn;
use serde_json::json;

use self::{options::Options, rows::rows};
use super::{
    retries::{AttemptError, Retries},
    sink::{Load, Loader},
};
use crate::{
    config::Redshift,
    limits::LOAD_WAIT_MAX,
    ports::{Login, ObjectMeta, Objects, ObjectsError, Session, Warehouse, WarehouseError},
    records::Failure,
};

/// The table in a PostgreSQL that names the last load of each delivery stream.
const LOADS: &str = "headwater_loads";

/// Loads into a warehouse.
pub struct RedshiftLoader {
    pub redshift: Redshift,
    /// The role that the warehouse reads the bucket with.
    pub role: String,
    /// The ARN of the key that manifests are encrypted under, where one is named.
    pub encryption_key: Option<String>,
    /// The delivery stream.
    pub stream: Arn,
    pub env: Env,
    pub objects: Arc<dyn Objects>,
    pub warehouse: Arc<dyn Warehouse>,
}

#[async_trait]
impl Loader for RedshiftLoader {
    async fn load(&self, load: &Load) -> Result<Option<Failure>, ObjectsError> {
        let manifest = manifest_key(load, "manifests/");
        self.put_manifest(load, &manifest).await?;
        let mut retries = Retries::new(&self.env, self.redshift.retry_s);
        let error = loop {
            let Err(error) = self
                .within(LOAD_WAIT_MAX, self.attempt(load, &manifest))
                .await
            else {
                return Ok(None);
            };
            if error.is_permanent || !retries.again().await {
                break error;
            }
        };
        self.put_manifest(load, &manifest_key(load, "errors/manifests/"))
            .await?;
        Ok(Some(error.failure))
    }
}

impl RedshiftLoader {
    async fn put_manifest(&self, load: &Load, key: &str) -> Result<(), ObjectsError> {
        let entry = |key| json!({"url": format!("s3://{}/{key}", load.bucket), "mandatory": true});
        let entries: Vec<_> = load.keys.iter().map(entry).collect();
        let body = Bytes::from(json!({"entries": entries}).to_string());
        let encryption_key = self.encryption_key.clone();
        let meta = ObjectMeta {
            content_type: "application/json",
            content_encoding: None,
            encryption_key,
        };
        let body = stream::once(async { Ok(body) }).boxed();
        self.objects.put(&load.bucket, key, body, meta).await
    }

    async fn within(
        &self,
        limit: Duration,
        attempt: impl Future<Output = Result<(), AttemptError>>,
    ) -> Result<(), AttemptError> {
        match select(pin!(attempt), pin!(self.env.clock.sleep(limit))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                let text = format!("The warehouse did not load a batch within {limit:?}.");
                Err(AttemptError::transient("Redshift.ConnectionFailed", text))
            }
        }
    }

    async fn attempt(&self, load: &Load, manifest: &str) -> Result<(), AttemptError> {
        let Redshift {
            database,
            user,
            password,
            ..
        } = &self.redshift;
        let login = Login {
            database: database.clone(),
            user: user.clone(),
            password: password.clone(),
        };
        let mut session = self.warehouse.open(&login).await.map_err(attempt_error)?;
        let version = one(&mut *session, "select version()")
            .await?
            .unwrap_or_default();
        if version.contains("Redshift") {
            let sql = self.redshift_copy(load, manifest);
            return session.query(&sql).await.map(drop).map_err(attempt_error);
        }
        self.load_once(&mut *session, load).await
    }

    /// The COPY that Firehose gives to Redshift.
    fn redshift_copy(&self, load: &Load, manifest: &str) -> String {
        let Redshift { options, .. } = &self.redshift;
        format!(
            "COPY {} FROM {} IAM_ROLE {} REGION {} MANIFEST {options}",
            self.target(),
            quoted(&format!("s3://{}/{manifest}", load.bucket)),
            quoted(&self.role),
            quoted(&self.stream.region),
        )
    }

    /// The table, and the columns of it where not all are loaded.
    fn target(&self) -> String {
        let Redshift { table, columns, .. } = &self.redshift;
        if columns.trim().is_empty() {
            table.clone()
        } else {
            format!("{table} ({columns})")
        }
    }

    /// Sends a PostgreSQL the rows, unless it has them.
    async fn load_once(&self, session: &mut dyn Session, load: &Load) -> Result<(), AttemptError> {
        let options = Options::parse(&self.redshift.options);
        let options = options
            .map_err(|e| AttemptError::permanent("Redshift.IncorrectCopyOptions", e.to_string()))?;
        let (stream, id) = (quoted(&self.stream.to_string()), quoted(&load.id));
        if one(session, &format!("begin; select to_regclass('{LOADS}')"))
            .await?
            .is_none()
        {
            let table =
                format!("create table {LOADS} (stream text primary key, load text not null)");
            session.query(&table).await.map_err(attempt_error)?;
        }
        // The line's lock keeps a second session with the same stream waiting until this one has ended.
        let last = format!(
            "insert into {LOADS} values ({stream}, '') on conflict do nothing; \
             select load from {LOADS} where stream = {stream} for update"
        );
        if one(session, &last).await?.as_deref() == Some(&load.id) {
            return Ok(());
        }
        let columns = self.columns(session).await?;
        let copy = self.postgres_copy(options);
        for key in &load.keys {
            let object = self.objects.get(&load.bucket, key).await;
            let object = object
                .map_err(|e| AttemptError::transient("Redshift.MissingS3File", e.to_string()))?;
            session
                .copy_in(&copy, rows(object, options, columns.clone()))
                .await
                .map_err(attempt_error)?;
        }
        let end = format!("update {LOADS} set load = {id} where stream = {stream}; commit");
        session.query(&end).await.map(drop).map_err(attempt_error)
    }

    /// The names of the columns that are loaded, as the database has them.
    async fn columns(&self, session: &mut dyn Session) -> Result<Vec<String>, AttemptError> {
        // The table says which columns a list of them names, with quotes and case as SQL has them.
        let list = Some(self.redshift.columns.trim())
            .filter(|list| !list.is_empty())
            .unwrap_or("*");
        let sql = format!(
            "create temporary table headwater_columns on commit drop as select {list} from {} limit 0; \
             select attname from pg_attribute where attrelid = 'headwater_columns'::regclass and attnum > 0 \
             order by attnum",
            self.redshift.table
        );
        let rows = session.query(&sql).await.map_err(attempt_error)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect())
    }

    fn postgres_copy(&self, options: Options) -> String {
        let format = match options.rows {
            options::Rows::Csv(delimiter) => {
                format!("format csv, delimiter {}", quoted_character(delimiter))
            }
            options::Rows::Delimited(delimiter) => {
                format!("format text, delimiter {}", quoted_character(delimiter))
            }
            options::Rows::Json => "format text".to_owned(),
        };
        format!("copy {} from stdin with ({format})", self.target())
    }
}

/// The rows that `options`, where they are understood, make of an object.
#[cfg(feature = "fuzzing")]
pub(crate) fn copy_rows(
    object: crate::ports::ChunkStream,
    options: &str,
    columns: Vec<String>,
) -> Option<crate::ports::ChunkStream> {
    Options::parse(options)
        .ok()
        .map(|options| rows(object, options, columns))
}

/// Where a manifest of a load is put: among the objects, in a folder of its own.
fn manifest_key(load: &Load, folder: &str) -> String {
    let first = load.keys.first().map(String::as_str).unwrap_or_default();
    match first.strip_prefix(&load.prefix) {
        Some(rest) => format!("{}{folder}{rest}", load.prefix),
        None => format!("{folder}{first}"),
    }
}

/// The one value that a statement gives.
async fn one(session: &mut dyn Session, sql: &str) -> Result<Option<String>, AttemptError> {
    let rows = session.query(sql).await.map_err(attempt_error)?;
    Ok(rows
        .into_iter()
        .next_back()
        .and_then(|row| row.into_iter().next().flatten()))
}

/// A text as SQL writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quoted_character(character: char) -> String {
    if character == '\t' {
        "E'\\t'".to_owned()
    } else {
        quoted(&character.to_string())
    }
}

/// AWS's code for what a warehouse says (its page on monitoring), by PostgreSQL's appendix of error codes.
fn attempt_error(error: WarehouseError) -> AttemptError {
    let code = match &error {
        WarehouseError::NotConnected(_) => "Redshift.ConnectionFailed",
        WarehouseError::Rows(_) => "Redshift.DataLoadFailed",
        WarehouseError::Refused { state, .. } => match state.as_str() {
            "42P01" => "Redshift.TableNotFound",
            "42703" => "Redshift.ColumnNotFound",
            "42601" => "Redshift.SyntaxError",
            "42501" => "Redshift.InsufficientPrivilege",
            "23502" => "Redshift.MissingColumn",
            "3D000" => "Redshift.DatabaseNotFound",
            "25006" => "Redshift.ReadOnlyCluster",
            "53100" => "Redshift.DiskFull",
            "57P03" | "53300" => "Redshift.ConnectionFailed",
            state if state.starts_with("28") => "Redshift.AuthenticationFailed",
            _ => "Redshift.DataLoadFailed",
        },
    };
    AttemptError::transient(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::{
        config::{Database, Secret},
        ports::ChunkStream,
        testing::{FakeObjects, Fuse, FusedObjects, JumpingClock, arn},
    };

    /// A warehouse that says of itself what a test wants, keeps what it is told, and refuses its first sessions.
    #[derive(Default)]
    struct FakeWarehouse {
        version: &'static str,
        last: &'static str,
        refusals: Mutex<u32>,
        told: Arc<Mutex<Vec<String>>>,
    }

    struct FakeSession {
        answers: [(&'static str, &'static str); 4],
        told: Arc<Mutex<Vec<String>>>,
    }

    #[async_trait]
    impl Warehouse for FakeWarehouse {
        async fn open(&self, login: &Login) -> Result<Box<dyn Session>, WarehouseError> {
            assert_eq!(login.password.reveal(), "hush");
            let left = self.refusals.lock().checked_sub(1);
            if let Some(left) = left {
                *self.refusals.lock() = left;
                return Err(WarehouseError::Refused {
                    state: "28P01".into(),
                    message: "no".into(),
                });
            }
            let answers = [
                ("select version()", self.version),
                ("to_regclass", "headwater_loads"),
                ("for update", self.last),
                ("pg_attribute", "a"),
            ];
            Ok(Box::new(FakeSession {
                answers,
                told: self.told.clone(),
            }))
        }
    }

    #[async_trait]
    impl Session for FakeSession {
        async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, WarehouseError> {
            self.told.lock().push(sql.to_owned());
            let answer = self.answers.iter().find(|(asked, _)| sql.contains(asked));
            Ok(answer
                .map(|(_, answer)| vec![Some((*answer).to_owned())])
                .into_iter()
                .collect())
        }

        async fn copy_in(&mut self, sql: &str, rows: ChunkStream) -> Result<(), WarehouseError> {
            let rows: Result<Vec<Bytes>, _> = futures_util::TryStreamExt::try_collect(rows).await;
            let rows = rows
                .map_err(|e| WarehouseError::Rows(e.to_string()))?
                .concat();
            self.told
                .lock()
                .push(format!("{sql}: {}", String::from_utf8_lossy(&rows)));
            Ok(())
        }
    }

    fn loader(
        warehouse: FakeWarehouse,
        options: &str,
        retry_s: u32,
    ) -> (Arc<FakeObjects>, RedshiftLoader) {
        let inner = Arc::<FakeObjects>::default();
        let content_type = "application/octet-stream";
        let meta = ObjectMeta {
            content_type,
            content_encoding: None,
            encryption_key: None,
        };
        inner
            .stored
            .lock()
            .insert("p/2026/x".into(), (Bytes::from_static(b"{\"a\":1}"), meta));
        let redshift = Redshift {
            database: Database::parse("jdbc:redshift://c.example.com:5439/dev").unwrap(),
            user: "me".into(),
            password: Secret::new("hush"),
            table: "t".into(),
            columns: "a".into(),
            options: options.into(),
            retry_s,
        };
        let objects = Arc::new(FusedObjects {
            inner: inner.clone(),
            fuse: Fuse::new(None),
        });
        let stream = arn("firehose", "deliverystream/d");
        let (env, warehouse) = (JumpingClock::env(), Arc::new(warehouse));
        let (role, encryption_key) = ("role".into(), None);
        (
            inner,
            RedshiftLoader {
                redshift,
                role,
                encryption_key,
                stream,
                env,
                objects,
                warehouse,
            },
        )
    }

    fn load() -> Load {
        let keys = vec!["p/2026/x".into()];
        Load {
            id: "it's 7".into(),
            bucket: "b".into(),
            prefix: "p/".into(),
            keys,
        }
    }

    #[tokio::test]
    async fn a_postgres_gets_rows_once() {
        let warehouse = FakeWarehouse {
            version: "PostgreSQL 15",
            refusals: Mutex::new(2),
            ..Default::default()
        };
        let told = warehouse.told.clone();
        let (objects, loader) = loader(warehouse, "json 'auto'", 60);
        assert_eq!(loader.load(&load()).await, Ok(None));
        let told = told.lock();
        assert!(
            told.contains(&"copy t (a) from stdin with (format text): 1\n".to_owned()),
            "{told:?}"
        );
        assert!(
            told.last().unwrap().contains("set load = 'it''s 7'")
                && told.last().unwrap().ends_with("commit")
        );
        assert_eq!(objects.keys(""), ["p/2026/x", "p/manifests/2026/x"]);
        assert!(!format!("{:?}", loader.redshift).contains("hush"));
    }

    #[tokio::test]
    async fn what_it_has_it_does_not_get_again() {
        let warehouse = FakeWarehouse {
            version: "PostgreSQL 15",
            last: "it's 7",
            ..Default::default()
        };
        let told = warehouse.told.clone();
        let (_, loader) = loader(warehouse, "json 'auto'", 0);
        assert_eq!(loader.load(&load()).await, Ok(None));
        assert!(
            !told
                .lock()
                .iter()
                .any(|sql| sql.contains("copy") || sql.contains("commit;"))
        );
    }

    #[tokio::test]
    async fn a_redshift_reads_the_bucket_itself() {
        let version = "PostgreSQL 8.0.2 on i686-pc-linux-gnu, Redshift 1.0";
        let warehouse = FakeWarehouse {
            version,
            ..Default::default()
        };
        let told = warehouse.told.clone();
        let (objects, loader) = loader(warehouse, "lzop", 0);
        assert_eq!(loader.load(&load()).await, Ok(None));
        let copy = "COPY t (a) FROM 's3://b/p/manifests/2026/x' IAM_ROLE 'role' REGION 'us-east-1' MANIFEST lzop";
        assert_eq!(told.lock().last().unwrap(), copy);
        assert_eq!(
            objects.text("p/manifests/"),
            r#"{"entries":[{"mandatory":true,"url":"s3://b/p/2026/x"}]}"#
        );
    }

    #[tokio::test]
    async fn what_is_not_loaded_is_listed() {
        for (version, options, refusals, code) in [
            ("PostgreSQL 15", "csv", 1, "Redshift.AuthenticationFailed"),
            ("PostgreSQL 15", "lzop", 0, "Redshift.IncorrectCopyOptions"),
            ("PostgreSQL 15", "json gzip", 0, "Redshift.DataLoadFailed"),
        ] {
            let warehouse = FakeWarehouse {
                version,
                refusals: Mutex::new(refusals),
                ..Default::default()
            };
            let (objects, loader) = loader(warehouse, options, 0);
            assert_eq!(
                loader
                    .load(&load())
                    .await
                    .unwrap()
                    .map(|failure| failure.code),
                Some(code)
            );
            assert_eq!(objects.keys("p/errors/"), ["p/errors/manifests/2026/x"]);
        }
    }
}
