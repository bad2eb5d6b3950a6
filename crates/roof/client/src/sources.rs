//! Where credentials come from: variables, a profile, a process, a container, an instance; the first that is set up.

use std::{process::Stdio, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::Env;
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty};
use tokio::{process::Command, sync::Mutex};

use headwater_auth::sign::Credentials;

use crate::{
    CallError,
    config::Timeouts,
    credentials::{Cached, CredentialsError, Issue, Issued, parse_issued},
    http::Http,
    limits::CONFIG_FILE_BYTES,
    profile::Profile,
};

const CONTAINER_HOST: &str = "http://169.254.170.2";
/// Hosts that may be asked for a container's credentials over plain HTTP, as AWS's own clients allow.
const CONTAINER_HOSTS: [&str; 5] = [
    "169.254.170.2",
    "169.254.170.23",
    "127.0.0.1",
    "localhost",
    "[::1]",
];
const INSTANCE_HOST: &str = "http://169.254.169.254";
const INSTANCE_TOKEN_SECONDS: &str = "21600";

/// Metadata services are on the same machine: who does not answer at once is not there.
const METADATA_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    response: Duration::from_secs(2),
    idle: Duration::from_secs(2),
};

/// The first source of AWS's order that is set up.
pub(crate) fn chain(
    lookup: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    profile: &Profile,
    env: &Env,
) -> Result<Cached<CredentialSource>, CredentialsError> {
    let kind = match from_variables(lookup) {
        Some(credentials) => SourceKind::Static(credentials),
        None => match from_profile(profile)? {
            Some(kind) => kind,
            None => from_machine(lookup)?,
        },
    };
    let issuer = CredentialSource {
        kind,
        env: env.clone(),
    };
    Ok(Cached {
        issuer,
        clock: env.clock.clone(),
        held: Mutex::default(),
    })
}

/// One place that issues credentials, and the means to ask it.
pub(crate) struct CredentialSource {
    kind: SourceKind,
    env: Env,
}

/// The kind of place that issues credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SourceKind {
    Static(Credentials),
    /// A command that prints them.
    Process(String),
    /// A container's address, with the value of `Authorization` or the file that holds it.
    Container {
        address: String,
        token: Option<String>,
        token_file: Option<String>,
    },
    /// An EC2 instance.
    Instance {
        host: String,
    },
    Disabled,
}

fn from_variables(lookup: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: lookup("AWS_ACCESS_KEY_ID")?,
        secret_access_key: lookup("AWS_SECRET_ACCESS_KEY")?,
        session_token: lookup("AWS_SESSION_TOKEN"),
    })
}

fn from_profile(profile: &Profile) -> Result<Option<SourceKind>, CredentialsError> {
    if let (Some(access_key_id), Some(secret_access_key)) = (
        profile.get("aws_access_key_id"),
        profile.get("aws_secret_access_key"),
    ) {
        let session_token = profile.get("aws_session_token");
        return Ok(Some(SourceKind::Static(Credentials {
            access_key_id,
            secret_access_key,
            session_token,
        })));
    }
    if let Some(command) = profile.get("credential_process") {
        return Ok(Some(SourceKind::Process(command)));
    }
    let unsupported = [
        "role_arn",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
        "login_session",
    ];
    match unsupported.iter().find(|key| profile.get(key).is_some()) {
        None => Ok(None),
        Some(key) => Err(CredentialsError(format!(
            "the profile {name:?} has {key}, which Headwater cannot use itself; let the AWS CLI do it: make a \
             profile with credential_process = aws configure export-credentials --profile {name}",
            name = profile.name
        ))),
    }
}

fn from_machine(lookup: &dyn Fn(&str) -> Option<String>) -> Result<SourceKind, CredentialsError> {
    if lookup("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
        return Err(CredentialsError(
            "AWS_WEB_IDENTITY_TOKEN_FILE is set, which Headwater cannot use itself; set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or a profile with credential_process"
                .to_owned(),
        ));
    }
    let relative = lookup("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let address = relative
        .map(|path| format!("{CONTAINER_HOST}{path}"))
        .or_else(|| lookup("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    if let Some(address) = address {
        return container(address, lookup);
    }
    if lookup("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(SourceKind::Disabled);
    }
    let host =
        lookup("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| INSTANCE_HOST.to_owned());
    Ok(SourceKind::Instance {
        host: host.trim_end_matches('/').to_owned(),
    })
}

fn container(
    address: String,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<SourceKind, CredentialsError> {
    let uri: Option<Uri> = address.parse().ok();
    let allowed = uri.is_some_and(|uri| {
        uri.scheme_str() == Some("https")
            || uri
                .host()
                .is_some_and(|host| CONTAINER_HOSTS.contains(&host))
    });
    if !allowed {
        let host = CONTAINER_HOSTS.join(", ");
        return Err(CredentialsError(format!(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI must be an https address or one of these hosts: {host}"
        )));
    }
    Ok(SourceKind::Container {
        address,
        token: lookup("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        token_file: lookup("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    })
}

#[async_trait]
impl Issue for CredentialSource {
    async fn issue(&self) -> Result<Issued, CredentialsError> {
        match &self.kind {
            SourceKind::Static(credentials) => Ok(Issued {
                credentials: credentials.clone(),
                expires: None,
            }),
            SourceKind::Process(command) => from_process(command).await,
            SourceKind::Container {
                address,
                token,
                token_file,
            } => {
                let token = match token_file {
                    Some(path) => Some(self.read_token(path.clone()).await?),
                    None => token.clone(),
                };
                parse_issued(&self.get(address, "authorization", token).await?)
            }
            SourceKind::Instance { host } => self.ask_instance(host).await,
            SourceKind::Disabled => Err(nothing_set_up("the instance's metadata are switched off")),
        }
    }
}

impl CredentialSource {
    /// The second version of the instance's metadata: a token first, then the role's name, then its credentials.
    async fn ask_instance(&self, host: &str) -> Result<Issued, CredentialsError> {
        let request = Request::put(format!("{host}/latest/api/token")).header(
            "x-aws-ec2-metadata-token-ttl-seconds",
            INSTANCE_TOKEN_SECONDS,
        );
        let token = self
            .send(request)
            .await
            .map_err(|error| nothing_set_up(&error.to_string()))?;
        let token = Some(String::from_utf8_lossy(&token).into_owned());
        let roles = format!("{host}/latest/meta-data/iam/security-credentials/");
        let name = self
            .get(&roles, "x-aws-ec2-metadata-token", token.clone())
            .await?;
        let name = String::from_utf8_lossy(&name);
        let address = format!("{roles}{}", name.lines().next().unwrap_or_default());
        parse_issued(
            &self
                .get(&address, "x-aws-ec2-metadata-token", token)
                .await?,
        )
    }

    async fn get(
        &self,
        address: &str,
        header: &str,
        token: Option<String>,
    ) -> Result<Bytes, CredentialsError> {
        let mut request = Request::get(address);
        if let Some(token) = token {
            let token = HeaderValue::from_str(token.trim());
            let token = token.map_err(|_| {
                CredentialsError("the token for credentials is not plain text".into())
            })?;
            request = request.header(header, token);
        }
        let failed = |error| CredentialsError(format!("no credentials from {address}: {error}"));
        self.send(request).await.map_err(failed)
    }

    async fn send(&self, request: http::request::Builder) -> Result<Bytes, CallError> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        // Asked a few times an hour: connections are not worth keeping.
        let http = Http::new(&METADATA_TIMEOUTS, None, self.env.clock.clone());
        let answer = http
            .send(request.body(body).map_err(CallError::request)?)
            .await?;
        let status = answer.status().as_u16();
        let body = http.collect(status, answer.into_body()).await?;
        match status {
            200 => Ok(body),
            _ => Err(CallError::answered(
                status,
                format!("Http{status}"),
                String::new(),
            )),
        }
    }

    async fn read_token(&self, path: String) -> Result<String, CredentialsError> {
        let disk = self.env.disk.clone();
        let text = self.env.blocking({
            let path = path.clone();
            move || {
                let file = disk.open_read(path.as_ref())?;
                let mut bytes = vec![0; file.len()?.min(CONFIG_FILE_BYTES) as usize];
                file.read_exact_at(&mut bytes, 0)?;
                String::from_utf8(bytes).map_err(std::io::Error::other)
            }
        });
        text.await
            .map_err(|error| CredentialsError(format!("cannot read {path}: {error}")))
    }
}

async fn from_process(command: &str) -> Result<Issued, CredentialsError> {
    let failed = |why: String| CredentialsError(format!("credential_process failed: {why}"));
    let words = words(command);
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| failed("it is empty".into()))?;
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let done = run
        .await
        .map_err(|error| failed(format!("{program}: {error}")))?;
    if !done.status.success() {
        return Err(failed(format!(
            "{}: {}",
            done.status,
            String::from_utf8_lossy(&done.stderr).trim()
        )));
    }
    parse_issued(&done.stdout)
}

/// A command line's words: blanks part them, but not between quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn nothing_set_up(why: &str) -> CredentialsError {
    CredentialsError(format!(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile ({why})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words(r#" /bin/a  --x "b c" '' d"e f"g "#),
            ["/bin/a", "--x", "b c", "", "de fg"]
        );
        assert!(words("  ").is_empty());
    }

    #[tokio::test]
    async fn a_process_prints_credentials() {
        let command = r#"/bin/echo '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S"}'"#;
        assert_eq!(
            from_process(command)
                .await
                .unwrap()
                .credentials
                .access_key_id,
            "A"
        );
        assert!(from_process("/bin/false").await.is_err());
        assert!(from_process("").await.is_err());
    }

    #[test]
    fn variables_come_before_the_machine_and_strange_hosts_are_refused() {
        let lookup = |set: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                set.iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            }
        };
        let keys = lookup(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")]);
        assert_eq!(from_variables(&keys).unwrap().access_key_id, "A");
        let relative = lookup(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")]);
        let address = match from_machine(&relative) {
            Ok(SourceKind::Container { address, .. }) => address,
            other => panic!("{other:?}"),
        };
        assert_eq!(address, "http://169.254.170.2/v2/x");
        let strange = lookup(&[(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://evil.example/x",
        )]);
        assert!(from_machine(&strange).is_err());
        let off = lookup(&[("AWS_EC2_METADATA_DISABLED", "true")]);
        assert_eq!(from_machine(&off), Ok(SourceKind::Disabled));
    }
}
