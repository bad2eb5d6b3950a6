//! The leases that a consumer takes: those of nobody first, then one of the consumer that has most, as KCL does.

use std::collections::{HashMap, HashSet};

use crate::{lease::Lease, limits::STOLEN_AT_A_TIME, lineage::is_ready};

/// The leases as one consumer sees them.
pub struct View<'a> {
    /// All leases.
    pub leases: &'a [Lease],
    /// The consumer.
    pub me: &'a str,
    /// Keys of leases whose owners no longer renew them.
    pub expired: &'a HashSet<String>,
    /// Leases that it may hold.
    pub leases_max: usize,
}

impl<'a> View<'a> {
    /// The leases to take; `chance` decides between equals, so that consumers do not all reach for the same.
    pub fn to_take(&self, chance: u64) -> Vec<&'a Lease> {
        let wanted: Vec<&Lease> = self
            .leases
            .iter()
            .filter(|l| !l.is_finished() && is_ready(l, self.leases))
            .collect();
        let (held, mut free): (Vec<&Lease>, Vec<&Lease>) = wanted
            .iter()
            .partition(|lease| self.live_owner(lease).is_some());
        let loads = self.loads(&held);
        let mine = loads[self.me];
        let target = wanted.len().div_ceil(loads.len()).min(self.leases_max);
        let needed = target.saturating_sub(mine);
        if free.is_empty() {
            let (owner, load) = busiest(&loads);
            let uneven = load > target || load >= mine + 2;
            free = held
                .into_iter()
                .filter(|l| uneven && self.live_owner(l) == Some(owner))
                .collect();
            return picked(free, needed.min(STOLEN_AT_A_TIME), chance);
        }
        picked(free, needed, chance)
    }

    fn live_owner(&self, lease: &'a Lease) -> Option<&'a str> {
        lease
            .holder()
            .filter(|_| !self.expired.contains(&lease.key))
    }

    fn loads(&self, held: &[&'a Lease]) -> HashMap<&'a str, usize> {
        let mut loads = HashMap::from([(self.me, 0)]);
        for owner in held.iter().filter_map(|lease| self.live_owner(lease)) {
            *loads.entry(owner).or_default() += 1;
        }
        loads
    }
}

fn busiest<'a>(loads: &HashMap<&'a str, usize>) -> (&'a str, usize) {
    let most = loads.iter().max_by_key(|(owner, load)| (**load, **owner));
    most.map(|(owner, load)| (*owner, *load))
        .unwrap_or_default()
}

fn picked(mut leases: Vec<&Lease>, count: usize, chance: u64) -> Vec<&Lease> {
    if !leases.is_empty() {
        let turn = (chance % leases.len() as u64) as usize;
        leases.rotate_left(turn);
    }
    leases.truncate(count);
    leases
}

#[cfg(test)]
mod tests {
    use headwater_types::HashRange;
    use proptest::prelude::*;

    use super::*;
    use crate::{api::Shard, checkpoint::Checkpoint};

    fn leases(owners: &[Option<&str>]) -> Vec<Lease> {
        let shard = |i: usize| Shard {
            id: format!("s{i:03}"),
            parents: vec![],
            range: HashRange::ALL,
            open: true,
        };
        let lease = |(i, owner): (usize, &Option<&str>)| Lease {
            owner: owner.map(str::to_owned),
            ..Lease::of(&shard(i), Checkpoint::TrimHorizon)
        };
        owners.iter().enumerate().map(lease).collect()
    }

    fn taken(owners: &[Option<&str>], expired: &[&str], me: &str) -> usize {
        let leases = leases(owners);
        let expired = expired.iter().map(ToString::to_string).collect();
        View {
            leases: &leases,
            me,
            expired: &expired,
            leases_max: 100,
        }
        .to_take(7)
        .len()
    }

    #[test]
    fn free_ones_are_taken_up_to_the_share_and_then_one_is_stolen() {
        let (a, b) = (Some("a"), Some("b"));
        assert_eq!(taken(&[None; 4], &[], "a"), 4);
        assert_eq!(taken(&[b, None, None, None], &[], "a"), 2);
        assert_eq!(taken(&[b, b, b, b], &[], "a"), 1);
        assert_eq!(
            taken(&[b, b, b, b], &["s000", "s001", "s002", "s003"], "a"),
            4
        );
        assert_eq!(taken(&[b, b, a, a], &[], "a"), 0);
        assert_eq!(
            taken(&[b, b, a], &[], "a"),
            0,
            "an odd one stays where it is"
        );
        assert_eq!(taken(&[], &[], "a"), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn consumers_come_to_even_shares_and_rest(
            count in 0..40usize, names in 1..6usize, chance: u64,
        ) {
            let names: Vec<String> = (0..names).map(|i| format!("w{i}")).collect();
            let mut all = leases(&vec![None; count]);
            let expired = HashSet::new();
            // Each in turn; all shares are even long before this many rounds.
            for round in 0..200u64 {
                for me in &names {
                    let view = View { leases: &all, me, expired: &expired, leases_max: 100 };
                    let keys: Vec<String> =
                        view.to_take(chance.wrapping_add(round)).iter().map(|l| l.key.clone()).collect();
                    prop_assert!(round < 150 || keys.is_empty(), "no rest");
                    for lease in all.iter_mut().filter(|l| keys.contains(&l.key)) {
                        lease.owner = Some(me.clone());
                    }
                }
            }
            let load = |me: &String| all.iter().filter(|l| l.owner.as_ref() == Some(me)).count();
            let loads: Vec<usize> = names.iter().map(load).collect();
            prop_assert_eq!(loads.iter().sum::<usize>(), count);
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
        }
    }
}
