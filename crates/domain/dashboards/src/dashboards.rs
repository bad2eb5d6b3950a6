//! Dashboards made, changed, listed and deleted.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Expect, Table, Versioned};
use headwater_env::Env;
use headwater_types::{Account, kept::Prefix};

use crate::{Dashboard, Error, limits};

/// The dashboards of an account; cheap to clone.
#[derive(Clone)]
pub struct Dashboards {
    env: Env,
    account: Account,
    catalog: Arc<dyn Catalog>,
    dashboards: Table<Dashboard>,
    bodies: Table<String>,
}

impl Dashboards {
    /// The dashboards of `account` in a catalog that all regions share.
    pub fn new(env: Env, catalog: Arc<dyn Catalog>, account: Account) -> Self {
        Self {
            env,
            account,
            dashboards: Table::new(catalog.clone(), Prefix::Dashboards),
            bodies: Table::new(catalog.clone(), Prefix::DashboardBodies),
            catalog,
        }
    }

    /// Makes a dashboard with these tags, or gives one that there is another body and leaves its tags as they are.
    ///
    /// # Errors
    /// It would have too many tags; the catalog failed.
    pub async fn put(
        &self,
        name: &str,
        body: String,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let (this, name) = (self.clone(), name.to_owned());
        let put = async move { this.put_to_the_end(&name, body, tags).await };
        self.env.to_the_end(put).await
    }

    async fn put_to_the_end(
        &self,
        name: &str,
        body: String,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        if tags.len() > limits::TAGS_MAX {
            return Err(Error::TooManyTags);
        }
        let key = self.key(name);
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.dashboards.get(&key).await?;
            let expect = found.as_ref().map_or(Expect::Absent, at);
            let dashboard = Dashboard {
                modified: self.env.clock.now(),
                size: body.len() as u64,
                tags: found.map_or_else(|| tags.clone(), |found| found.value.tags),
            };
            let changes = vec![
                self.dashboards.put(&key, &dashboard, expect),
                self.bodies.put(&key, &body, Expect::Any),
            ];
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                committed => return Ok(committed.map(drop)?),
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    /// A dashboard's body.
    ///
    /// # Errors
    /// There is none of that name; the catalog failed.
    pub async fn body(&self, name: &str) -> Result<String, Error> {
        let found = self.bodies.get(&self.key(name)).await?;
        let found = found.ok_or_else(|| Error::NoDashboard(name.to_owned()))?;
        Ok(found.value)
    }

    /// A dashboard without its body.
    ///
    /// # Errors
    /// There is none of that name; the catalog failed.
    pub async fn get(&self, name: &str) -> Result<Dashboard, Error> {
        self.find(name).await.map(|found| found.value)
    }

    /// At most `limit` dashboards whose names begin with `start` and come after `after`, in order of their names.
    ///
    /// # Errors
    /// The catalog failed.
    pub async fn list(
        &self,
        start: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Dashboard)>, Error> {
        let (start, after) = (self.key(start), after.map(|name| self.key(name)));
        let found = self.dashboards.scan(&start, after.as_deref(), limit);
        let found = found.await?.into_iter();
        let of_account = self.key("").len();
        let found = found.map(|(key, found)| (key[of_account..].to_owned(), found.value));
        Ok(found.collect())
    }

    /// Deletes those of these dashboards that are there; the names of the others.
    ///
    /// # Errors
    /// The catalog failed.
    pub async fn delete(&self, names: Vec<String>) -> Result<Vec<String>, Error> {
        let this = self.clone();
        let deleted = async move {
            let mut absent = Vec::new();
            for name in names {
                if !this.delete_one(&name).await? {
                    absent.push(name);
                }
            }
            Ok(absent)
        };
        self.env.to_the_end(deleted).await
    }

    /// Whether there was one of that name.
    async fn delete_one(&self, name: &str) -> Result<bool, Error> {
        let key = self.key(name);
        let changes = vec![
            self.dashboards.delete(&key, Expect::Present),
            self.bodies.delete(&key, Expect::Any),
        ];
        match self.catalog.commit(changes).await {
            Err(CatalogError::Conflict { .. }) => Ok(false),
            committed => Ok(committed.map(|_| true)?),
        }
    }

    /// Changes the tags of a dashboard.
    ///
    /// # Errors
    /// It is not there, or would have too many; the catalog failed.
    pub async fn change_tags(
        &self,
        name: &str,
        change: impl Fn(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), Error> {
        let (this, name) = (self.clone(), name.to_owned());
        let changed = async move { this.change_tags_to_the_end(&name, change).await };
        self.env.to_the_end(changed).await
    }

    async fn change_tags_to_the_end(
        &self,
        name: &str,
        change: impl Fn(&mut BTreeMap<String, String>),
    ) -> Result<(), Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find(name).await?;
            let expect = at(&found);
            let mut dashboard = found.value;
            change(&mut dashboard.tags);
            if dashboard.tags.len() > limits::TAGS_MAX {
                return Err(Error::TooManyTags);
            }
            let key = self.key(name);
            match self.dashboards.write(&key, &dashboard, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(drop)?),
            }
        }
        Err(Error::Conflict(name.to_owned()))
    }

    async fn find(&self, name: &str) -> Result<Versioned<Dashboard>, Error> {
        let found = self.dashboards.get(&self.key(name)).await?;
        found.ok_or_else(|| Error::NoDashboard(name.to_owned()))
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.account.0)
    }
}

/// The expectation that a dashboard is as it was found.
fn at(found: &Versioned<Dashboard>) -> Expect {
    Expect::At(found.version)
}

#[cfg(test)]
mod tests {
    use headwater_catalog::MemoryCatalog;

    use super::*;

    fn dashboards_of(catalog: &Arc<MemoryCatalog>, account: &str) -> Dashboards {
        let account = Account(account.to_owned());
        Dashboards::new(Env::real(), catalog.clone(), account)
    }

    fn tags(key: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), "value".to_owned())])
    }

    async fn names(dashboards: &Dashboards, start: &str, after: Option<&str>) -> Vec<String> {
        let listed = dashboards.list(start, after, 2).await.unwrap();
        listed.into_iter().map(|(name, _)| name).collect()
    }

    #[tokio::test]
    async fn a_dashboard_keeps_its_tags_when_its_body_changes() {
        let dashboards = dashboards_of(&Arc::default(), "000000000000");
        dashboards
            .put("a", "{}".to_owned(), tags("first"))
            .await
            .unwrap();
        dashboards
            .put("a", "{ }".to_owned(), tags("second"))
            .await
            .unwrap();
        assert_eq!(dashboards.body("a").await.as_deref(), Ok("{ }"));
        let found = dashboards.get("a").await.unwrap();
        assert_eq!((found.size, found.tags), (3, tags("first")));
        let many = |tags: &mut BTreeMap<_, _>| {
            tags.extend((0..limits::TAGS_MAX).map(|at| (at.to_string(), String::new())));
        };
        let changed = dashboards.change_tags("a", many).await;
        assert_eq!(changed, Err(Error::TooManyTags));
        let cleared = dashboards.change_tags("a", |tags| tags.clear());
        cleared.await.unwrap();
        assert_eq!(dashboards.get("a").await.unwrap().tags, BTreeMap::new());
    }

    #[tokio::test]
    async fn each_account_has_its_own_in_order_of_their_names() {
        let catalog = Arc::default();
        let ours = dashboards_of(&catalog, "000000000000");
        let theirs = dashboards_of(&catalog, "000000000001");
        for name in ["ab", "aa", "b", "ac"] {
            ours.put(name, "{}".to_owned(), BTreeMap::new())
                .await
                .unwrap();
        }
        assert_eq!(names(&ours, "a", None).await, ["aa", "ab"]);
        assert_eq!(names(&ours, "a", Some("ab")).await, ["ac"]);
        assert_eq!(names(&theirs, "", None).await, [""; 0]);
        assert_eq!(
            theirs.body("b").await,
            Err(Error::NoDashboard("b".to_owned()))
        );
    }

    #[tokio::test]
    async fn those_that_are_there_are_deleted() {
        let dashboards = dashboards_of(&Arc::default(), "000000000000");
        dashboards
            .put("a", "{}".to_owned(), BTreeMap::new())
            .await
            .unwrap();
        let (a, none) = ("a".to_owned(), "none".to_owned());
        let deleted = dashboards.delete(vec![none.clone(), a.clone()]).await;
        assert_eq!(deleted, Ok(vec![none]));
        assert_eq!(names(&dashboards, "", None).await, [""; 0]);
        assert_eq!(dashboards.body("a").await, Err(Error::NoDashboard(a)));
    }
}
