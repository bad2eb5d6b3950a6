//! Claims of concurrency: the part of the account's that functions have to themselves, reserved or provisioned.
//!
//! Owns the sums: all claims together leave the account its minimum. Claims are kept in the catalog and in memory, where
//! each call asks for them; they change in both together, and one change at a time (`Inner::beside`). How a claim is
//! kept to is the pool's.

use std::collections::{BTreeMap, HashMap};

use headwater_catalog::{Change, Expect};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{Error, FunctionName, Qualifier, Version, functions::Inner, limits, pool::Keep};

/// The claims of one function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The most of its invocations at one time, which no other function takes from it.
    pub reserved: Option<u32>,
    /// The processes that are kept for versions, by the version or alias that they were asked for with.
    #[serde(default)]
    pub provisioned: BTreeMap<String, Provisioned>,
}

/// Processes that are kept for a version or alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioned {
    /// How many.
    pub requested: u32,
    /// When that was asked for.
    pub modified: Millis,
}

/// The stage of processes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The number that was asked for, and when.
    pub asked: Provisioned,
    /// How many of them there are.
    pub ready: u32,
    /// The reason why there are not more, if there will not be.
    pub failed: Option<KeepFailure>,
}

/// The reasons for which processes cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepFailure {
    /// The function does not come up.
    Start,
    /// This server runs fewer processes than are asked for.
    Room {
        /// The most that it keeps.
        most: usize,
    },
}

/// The reasons for which something cannot be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFault {
    /// Reserving it leaves the account less than its minimum.
    ReservedMinimum,
    /// More is to be provisioned than the account has unreserved.
    Unreserved {
        /// The places that it has.
        left: u32,
    },
    /// Provisioning it leaves the account less than its minimum.
    ProvisionedMinimum,
    /// More is to be provisioned than the function has reserved.
    OverReserved,
    /// Less is to be reserved than the function has provisioned.
    UnderProvisioned {
        /// The places that are to be reserved.
        reserved: u32,
        /// The places that are provisioned.
        provisioned: u32,
    },
    /// Processes are kept only for versions that were published.
    Unpublished,
    /// The alias leads to two versions.
    Weights,
    /// The alias leads to a version that has processes kept by itself.
    VersionKept,
    /// An alias that has processes kept leads to the version.
    AliasKept,
}

impl Claims {
    /// All that is provisioned.
    pub fn provisioned(&self) -> u32 {
        let each = self.provisioned.values();
        each.fold(0, |sum, one| sum.saturating_add(one.requested))
    }

    /// The places that the claims take from the account.
    fn claimed(&self) -> u32 {
        self.reserved.unwrap_or_else(|| self.provisioned())
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<ClaimFault> for Error {
    fn from(fault: ClaimFault) -> Self {
        Self::Claim(fault)
    }
}

impl Inner {
    /// The claims of all functions, as they are kept.
    pub async fn read_claims(&self) -> Result<HashMap<FunctionName, Claims>, Error> {
        let all = self.claims.all().await?.into_iter();
        let named = all.filter_map(|(name, kept)| Some((name.parse().ok()?, kept.value)));
        Ok(named.collect())
    }

    /// The claims of a function.
    pub fn claims_of(&self, name: &FunctionName) -> Claims {
        self.claimed.lock().get(name).cloned().unwrap_or_default()
    }

    /// The places that no function has to itself, those of `but` among them.
    pub fn unreserved(&self, but: Option<&FunctionName>) -> u32 {
        let all = self.claimed.lock();
        let others = all.iter().filter(|(name, _)| Some(*name) != but);
        let taken = others.fold(0u32, |sum, (_, one)| sum.saturating_add(one.claimed()));
        limits::ACCOUNT_CONCURRENCY.saturating_sub(taken)
    }

    /// Reserves concurrency for a function, or gives that back.
    pub async fn reserve(&self, name: &FunctionName, count: Option<u32>) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        self.find(name).await?;
        let mut claims = self.claims_of(name);
        if let Some(reserved) = count {
            let left = self.unreserved(Some(name));
            // The minimum is asked for first: what reserves nothing takes nothing.
            if reserved > 0 && left < reserved.saturating_add(limits::UNRESERVED_MIN) {
                return Err(ClaimFault::ReservedMinimum.into());
            }
            let provisioned = claims.provisioned();
            if reserved < provisioned {
                return Err(ClaimFault::UnderProvisioned {
                    reserved,
                    provisioned,
                }
                .into());
            }
        }
        claims.reserved = count;
        self.write_claims(name, claims).await
    }

    /// Keeps processes for a version or alias.
    pub async fn provision(
        &self,
        name: &FunctionName,
        qualifier: &Qualifier,
        requested: u32,
    ) -> Result<Provisioned, Error> {
        let _beside = self.beside.lock().await;
        self.check_provisionable(name, qualifier).await?;
        let mut claims = self.claims_of(name);
        claims.provisioned.remove(&qualifier.to_string());
        self.check_sum(name, &claims, requested)?;
        let asked = Provisioned {
            requested,
            modified: self.env.clock.now(),
        };
        claims.provisioned.insert(qualifier.to_string(), asked);
        self.write_claims(name, claims).await?;
        Ok(asked)
    }

    /// Keeps no more processes for a version or alias.
    pub async fn unprovision(
        &self,
        name: &FunctionName,
        qualifier: &Qualifier,
    ) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        self.resolve(name, Some(qualifier), false).await?;
        let mut claims = self.claims_of(name);
        match claims.provisioned.remove(&qualifier.to_string()) {
            Some(_) => self.write_claims(name, claims).await,
            None => Ok(()),
        }
    }

    /// Whether so much more may be provisioned for a function that has these claims.
    fn check_sum(&self, name: &FunctionName, claims: &Claims, more: u32) -> Result<(), ClaimFault> {
        let all = claims.provisioned().saturating_add(more);
        if let Some(reserved) = claims.reserved {
            return match all > reserved {
                true => Err(ClaimFault::OverReserved),
                false => Ok(()),
            };
        }
        let left = self.unreserved(Some(name));
        let left = left.saturating_sub(claims.provisioned());
        if more > left {
            return Err(ClaimFault::Unreserved { left });
        }
        match all > 0 && left - more < limits::UNRESERVED_MIN {
            true => Err(ClaimFault::ProvisionedMinimum),
            false => Ok(()),
        }
    }

    /// Whether processes may be kept for a version or alias, as others are kept already.
    async fn check_provisionable(
        &self,
        name: &FunctionName,
        qualifier: &Qualifier,
    ) -> Result<(), Error> {
        let function = self.resolve(name, Some(qualifier), false).await?;
        let claims = self.claims_of(name);
        if function.version == Version::Latest {
            return Err(ClaimFault::Unpublished.into());
        }
        if let Qualifier::Alias(alias) = qualifier {
            if !self.alias(name, alias).await?.value.weights.is_empty() {
                return Err(ClaimFault::Weights.into());
            }
            return check_target(&claims, function.version).map_err(Error::from);
        }
        let aliases = self.aliases_of(name).await?;
        let kept = |alias: &crate::Alias| claims.provisioned.contains_key(&alias.name.to_string());
        let leading = aliases.iter().map(|(_, alias)| &alias.value);
        match leading
            .filter(|alias| alias.version == function.version)
            .any(kept)
        {
            true => Err(ClaimFault::AliasKept.into()),
            false => Ok(()),
        }
    }

    /// Whether an alias may come to lead to `version`, where processes are kept for the alias.
    pub fn check_alias_move(&self, name: &FunctionName, alias: &crate::Alias) -> Result<(), Error> {
        let claims = self.claims_of(name);
        match claims.provisioned.contains_key(&alias.name.to_string()) {
            true => check_target(&claims, alias.version).map_err(Error::from),
            false => Ok(()),
        }
    }

    /// A function's claims without what is kept for a version or alias that goes, and the change that keeps them.
    pub fn claims_without(&self, name: &FunctionName, qualifier: &str) -> (Claims, Change) {
        let mut claims = self.claims_of(name);
        claims.provisioned.remove(qualifier);
        let change = self.claims_change(name, &claims);
        (claims, change)
    }

    fn claims_change(&self, name: &FunctionName, claims: &Claims) -> Change {
        match claims.is_empty() {
            true => self.claims.delete(name.as_str(), Expect::Any),
            false => self.claims.put(name.as_str(), claims, Expect::Any),
        }
    }

    /// Keeps claims, in the catalog first.
    async fn write_claims(&self, name: &FunctionName, claims: Claims) -> Result<(), Error> {
        let change = self.claims_change(name, &claims);
        self.catalog.commit(vec![change]).await?;
        self.adopt_claims(name, claims).await
    }

    /// Has claims that are kept hold for calls from now on.
    pub async fn adopt_claims(&self, name: &FunctionName, claims: Claims) -> Result<(), Error> {
        let kept = self.to_keep(name, &claims).await;
        let reserved = claims.reserved;
        let total = {
            let mut all = self.claimed.lock();
            match claims.is_empty() {
                true => drop(all.remove(name)),
                false => drop(all.insert(name.clone(), claims)),
            }
            let each = all.values();
            each.fold(0u32, |sum, one| sum.saturating_add(one.claimed()))
        };
        let (kept, error) = match kept {
            Ok(kept) => (kept, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        self.pool.claim(name, reserved, kept, total);
        error.map_or(Ok(()), Err)
    }

    /// The versions of a function for which processes are kept.
    async fn to_keep(&self, name: &FunctionName, claims: &Claims) -> Result<Vec<Keep>, Error> {
        let mut all: Vec<Keep> = Vec::new();
        for (qualifier, asked) in &claims.provisioned {
            let Ok(qualifier) = qualifier.parse::<Qualifier>() else {
                continue;
            };
            let function = match self.resolve(name, Some(&qualifier), false).await {
                Ok(function) => function,
                Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => continue,
                Err(error) => return Err(error),
            };
            let count = asked.requested as usize;
            match all
                .iter_mut()
                .find(|keep| keep.function.version == function.version)
            {
                Some(keep) => keep.count += count,
                None => all.push(Keep { function, count }),
            }
        }
        Ok(all)
    }

    /// The stage of what is kept for a version or alias, if anything is.
    pub async fn kept(
        &self,
        name: &FunctionName,
        qualifier: &Qualifier,
    ) -> Result<Option<Kept>, Error> {
        let function = self.resolve(name, Some(qualifier), false).await?;
        let claims = self.claims_of(name);
        let asked = claims.provisioned.get(&qualifier.to_string());
        Ok(asked.map(|asked| {
            let (ready, failed) = self.pool.kept(&function);
            let ready = asked
                .requested
                .min(u32::try_from(ready).unwrap_or(u32::MAX));
            Kept {
                asked: *asked,
                ready,
                failed: failed.filter(|_| ready < asked.requested),
            }
        }))
    }
}

fn check_target(claims: &Claims, version: Version) -> Result<(), ClaimFault> {
    match version {
        Version::Latest => Err(ClaimFault::Unpublished),
        Version::Published(_) if claims.provisioned.contains_key(&version.to_string()) => {
            Err(ClaimFault::VersionKept)
        }
        Version::Published(_) => Ok(()),
    }
}
