//! Policies of functions: the statements that say who besides their owner may call them.
//!
//! A function has one for calls that name no version, and each of its versions and aliases may have its own. Statements
//! are kept as they were written; what they mean is left to whoever asks.

use headwater_catalog::{Expect, Versioned};
use headwater_types::Arn;
use serde::{Deserialize, Serialize};

use crate::{Error, FunctionName, Options, Qualifier, Version, functions::Inner, limits};

/// The policy of a function, or of a version or alias of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// A random id, new after every change.
    pub revision: String,
    /// Its statements, in the order in which they were added; never none.
    pub statements: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Its name, of which a policy has no second.
    pub id: String,
    /// The statement: an object in JSON.
    pub text: String,
}

/// The part of a function that a policy is for: without a qualifier the function itself, as is its latest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The function.
    pub name: FunctionName,
    /// The version or alias.
    pub qualifier: Option<Qualifier>,
}

impl Policy {
    /// The whole policy as a document.
    pub fn document(&self) -> String {
        let texts: Vec<&str> = self.statements.iter().map(|one| &*one.text).collect();
        format!(
            r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
            texts.join(",")
        )
    }
}

impl Part {
    /// The part of a function of this server that an ARN names.
    pub fn of(arn: &Arn, options: &Options) -> Option<Self> {
        let is_here = arn.service == "lambda"
            && arn.region == options.region.0
            && arn.account == options.account.0;
        let resource = arn.name_of("function").filter(|_| is_here)?;
        let (name, qualifier) = match resource.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier.parse().ok()?)),
            None => (resource, None),
        };
        let name = name.parse().ok()?;
        Some(Self { name, qualifier })
    }

    /// The name under which what belongs to this part is kept.
    pub(crate) fn key(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}/{qualifier}", self.name),
            None => format!("{}/{}", self.name, Version::Latest),
        }
    }
}

impl Inner {
    /// The policy of a part, if it has one.
    pub async fn policy(&self, part: &Part) -> Result<Option<Versioned<Policy>>, Error> {
        Ok(self.policies.get(&part.key()).await?)
    }

    /// Adds a statement to the policy of a part that there is.
    pub async fn add_statement(
        &self,
        part: &Part,
        statement: Statement,
        revision: Option<&str>,
    ) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        let found = self.policy_at(part, revision).await?;
        let mut statements = found.map_or_else(Vec::new, |found| found.statements);
        if statements.iter().any(|other| other.id == statement.id) {
            return Err(Error::StatementExists(statement.id));
        }
        statements.push(statement);
        let policy = Policy {
            revision: self.env.random.uuid(),
            statements,
        };
        let size = policy.document().len();
        if size > limits::POLICY_BYTES_MAX {
            return Err(Error::PolicyTooLarge { size });
        }
        let key = part.key();
        let written = self.policies.write(&key, &policy, Expect::Any);
        Ok(written.await.map(drop)?)
    }

    /// Removes a statement, and with the last one the policy.
    pub async fn remove_statement(
        &self,
        part: &Part,
        id: &str,
        revision: Option<&str>,
    ) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        let key = part.key();
        self.resolve(&part.name, part.qualifier.as_ref(), false)
            .await?;
        let found = self.policy(part).await?.ok_or(Error::NoPolicy)?;
        let mut policy = found.value;
        let before = policy.statements.len();
        policy.statements.retain(|statement| statement.id != id);
        if policy.statements.len() == before {
            return Err(Error::NoStatement(id.to_owned()));
        }
        if revision.is_some_and(|revision| revision != policy.revision) {
            return Err(Error::PolicyRevision);
        }
        policy.revision = self.env.random.uuid();
        match policy.statements.is_empty() {
            true => self.policies.remove(&key, Expect::Any).await?,
            false => {
                let written = self.policies.write(&key, &policy, Expect::Any);
                written.await.map(drop)?;
            }
        }
        Ok(())
    }

    /// The policy of a part, which must be at a revision if one is given: its own, or that of the part while there is no
    /// policy.
    async fn policy_at(
        &self,
        part: &Part,
        revision: Option<&str>,
    ) -> Result<Option<Policy>, Error> {
        let qualifier = part.qualifier.as_ref();
        let function = self.resolve(&part.name, qualifier, false).await?;
        let found = self.policy(part).await?.map(|found| found.value);
        let current = match (&found, qualifier) {
            (Some(policy), _) => policy.revision.clone(),
            (None, Some(Qualifier::Alias(alias))) => {
                self.alias(&part.name, alias).await?.value.revision
            }
            (None, _) => function.revision,
        };
        match revision {
            Some(revision) if revision != current => Err(Error::PolicyRevision),
            _ => Ok(found),
        }
    }
}
