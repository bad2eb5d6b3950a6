//! The keys that requests may be signed with: those that the settings give, and one of this run's own for functions.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use headwater_auth::{
    Caller,
    sign::Credentials,
    verify::{Key, Verifier},
};
use headwater_env::Env;
use headwater_types::{Account, Region};

use crate::{
    Failure,
    settings::{self, Auth, Settings},
};

/// Bytes that are read of a credentials file.
const FILE_BYTES: u64 = 1 << 20;

/// The check of signatures and the server's own key, where not everyone may call.
pub struct Access {
    /// Checks what comes in.
    pub verifier: Verifier,
    /// A key that functions call back with. It is made at each start and kept nowhere.
    pub functions: Credentials,
}

/// The keys of the settings; none where no signatures are asked for.
pub fn open(env: &Env, settings: &Settings) -> Result<Option<Access>, Failure> {
    if settings.auth() != Auth::Signed {
        return Ok(None);
    }
    let own = Account(settings.account.clone());
    let root = Arc::new(Caller::root(own.clone()));
    let mut keys = Vec::new();
    if let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) {
        let credentials = key(id, &secret.0, None);
        let credentials =
            credentials.map_err(|e| format!("--access-key-id and --secret-access-key: {e}"))?;
        keys.push(Key {
            credentials,
            holder: root.clone(),
        });
    }
    if let Some(file) = &settings.credentials {
        let shown = file.display();
        let text = read(env, file)
            .map_err(|e| format!("reading the credentials in {shown} failed: {e}"))?;
        keys.extend(parse(&text, &own).map_err(|e| format!("{shown}: {e}"))?);
    }
    let functions = Credentials {
        access_key_id: format!("HEADWATER{:011X}", env.random.next_u64() >> 20),
        secret_access_key: format!("{}{}", env.random.uuid(), env.random.uuid()),
        session_token: Some(format!("{}{}", env.random.uuid(), env.random.uuid())),
    };
    tracing::info!(keys = keys.len(), "requests must be signed");
    let all = keys.into_iter().chain([Key {
        credentials: functions.clone(),
        holder: root,
    }]);
    let region = Region(settings.region.clone());
    Ok(Some(Access {
        verifier: Verifier::new(all, region, env.clock.clone()),
        functions,
    }))
}

fn read(env: &Env, file: &Path) -> std::io::Result<String> {
    let file = env.disk.open_read(file)?;
    let len = file.len()?;
    if len > FILE_BYTES {
        return Err(std::io::Error::other("it is too large for a list of keys"));
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not text"))
}

/// The keys of a file in the form of `~/.aws/credentials`, one of each profile; `own` is the account of those that name
/// none. The text of an error holds no secret.
fn parse(text: &str, own: &Account) -> Result<Vec<Key>, String> {
    let mut profiles: Vec<(&str, BTreeMap<&str, &str>)> = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        let number = number + 1;
        let name = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        match (name, line.split_once('='), profiles.last_mut()) {
            (Some(name), ..) => profiles.push((name.trim(), BTreeMap::new())),
            _ if line.is_empty() || line.starts_with(['#', ';']) => {}
            (None, None, _) => {
                return Err(format!(
                    "line {number} is neither `[profile]` nor `name = value`"
                ));
            }
            (None, Some(_), None) => {
                return Err(format!("line {number} stands before the first `[profile]`"));
            }
            (None, Some((name, value)), Some((_, values))) => {
                values.insert(name.trim(), value.trim());
            }
        }
    }
    if profiles.is_empty() {
        return Err("it holds no `[profile]` with a key".to_owned());
    }
    profiles
        .into_iter()
        .map(|(name, values)| profile(name, &values, own).map_err(|e| format!("[{name}]: {e}")))
        .collect()
}

fn profile(name: &str, values: &BTreeMap<&str, &str>, own: &Account) -> Result<Key, String> {
    const NAMES: [&str; 4] = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_account_id",
    ];
    if let Some(other) = values.keys().find(|name| !NAMES.contains(name)) {
        return Err(format!(
            "{other} is not known here; there are {}",
            NAMES.join(", ")
        ));
    }
    let [id, secret, token, account] = NAMES.map(|name| values.get(name).copied());
    let credentials = key(id.unwrap_or_default(), secret.unwrap_or_default(), token)?;
    let account = match account {
        Some(number) => Account(settings::account(number)?),
        None => own.clone(),
    };
    Ok(Key {
        credentials,
        holder: Arc::new(holder(name, account)?),
    })
}

/// The holder of a profile's key: policies name it as the user of that name, or the account's root for `default`.
fn holder(name: &str, account: Account) -> Result<Caller, String> {
    // The characters that IAM takes in a user's name.
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    match name {
        "default" => Ok(Caller::root(account)),
        _ if name.bytes().all(of_name) && (1..=64).contains(&name.len()) => {
            Ok(Caller::of_user(account, name))
        }
        _ => Err(
            "the name of a profile is that of its user: up to 64 letters, digits and +=,.@_-"
                .to_owned(),
        ),
    }
}

fn key(id: &str, secret: &str, token: Option<&str>) -> Result<Credentials, String> {
    if id.is_empty() || secret.is_empty() || token == Some("") {
        return Err(
            "an access key needs an id and a secret, and its token, if any, some text".to_owned(),
        );
    }
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b",=;/".contains(&byte))
    {
        return Err(format!(
            "{id:?} cannot be the id of an access key: a signature could not name it"
        ));
    }
    Ok(Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: token.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_all(text: &str) -> Result<Vec<Key>, String> {
        parse(text, &Account("111111111111".to_owned()))
    }

    #[test]
    fn a_file_holds_a_key_in_each_profile() {
        let text = "# ours\n[default]\naws_access_key_id = A\naws_secret_access_key=s=1\n\n[temporary]\n\
                    aws_access_key_id=B\naws_secret_access_key = t\naws_session_token = u/==\n";
        let keys = parse_all(text).unwrap();
        let [a, b] = [&keys[0].credentials, &keys[1].credentials];
        assert_eq!(
            (a.access_key_id.as_str(), a.secret_access_key.as_str()),
            ("A", "s=1")
        );
        assert_eq!(
            (b.access_key_id.as_str(), b.session_token.as_deref()),
            ("B", Some("u/=="))
        );
    }

    #[test]
    fn a_key_is_held_by_the_user_of_its_profiles_name() {
        let key = "aws_access_key_id=A\naws_secret_access_key=s\n";
        let text =
            format!("[default]\n{key}[ann]\n{key}[bob@x]\n{key}aws_account_id = 222222222222\n");
        let holders: Vec<String> = parse_all(&text)
            .unwrap()
            .into_iter()
            .map(|key| key.holder.arn.clone())
            .collect();
        assert_eq!(
            holders,
            [
                "arn:aws:iam::111111111111:root",
                "arn:aws:iam::111111111111:user/ann",
                "arn:aws:iam::222222222222:user/bob@x",
            ]
        );
    }

    #[test]
    fn a_file_that_would_let_nobody_in_is_refused_without_its_secrets() {
        for (text, said) in [
            ("", "no `[profile]`"),
            ("[a]\n", "[a]: an access key needs"),
            ("[a]\naws_access_key_id = A\nhush\n", "line 3"),
            ("aws_secret_access_key = hush\n", "line 1"),
            (
                "[a]\naws_access_key_id = A,B\naws_secret_access_key = hush\n",
                "\"A,B\"",
            ),
            (
                "[a]\naws_access_key_id = A\naws_secret_access_key = hush\nregion = x\n",
                "region is not known",
            ),
            (
                "[a]\naws_access_key_id = A\naws_secret_access_key = hush\naws_session_token =\n",
                "token",
            ),
            (
                "[a]\naws_access_key_id = A\naws_secret_access_key = hush\naws_account_id = 1\n",
                "twelve digits",
            ),
            (
                "[a b]\naws_access_key_id = A\naws_secret_access_key = hush\n",
                "its user",
            ),
        ] {
            let error = parse_all(text).err().unwrap();
            assert!(error.contains(said) && !error.contains("hush"), "{error}");
        }
    }
}
