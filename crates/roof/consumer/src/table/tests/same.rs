//! Leases in a table and in memory, changed alike in any order by those who know the latest and those who do not.

use proptest::prelude::*;

use super::*;
use crate::MemoryLeases;

#[derive(Debug, Clone)]
enum Step {
    Create,
    /// By one who saw the lease after that many steps.
    Change(usize, Change),
    Remove(usize),
    /// A leader's write.
    Ask(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let worker = || prop_oneof![Just("a"), Just("b")];
    let change = prop_oneof![
        Just(Change::Renew { throughput: None }),
        worker().prop_map(|worker| Change::Take(worker.into())),
        (1..5u64).prop_map(|sub| Change::Checkpoint(at("9", sub))),
        Just(Change::Finish(vec!["c".into(), "d".into()])),
        Just(Change::Release),
    ];
    // The latest is the one that most changes fit.
    let seen = || prop_oneof![Just(0usize), 0..4usize];
    prop_oneof![
        1 => Just(Step::Create),
        8 => (seen(), change).prop_map(|(seen, change)| Step::Change(seen, change)),
        1 => seen().prop_map(Step::Remove),
        2 => worker().prop_map(Step::Ask),
    ]
}

/// Both stores, and the leases that were seen, the latest first.
struct Both {
    memory: Arc<MemoryLeases>,
    table: Arc<FakeTable>,
    seen: Vec<Lease>,
}

impl Both {
    async fn step(&mut self, env: &Env, step: Step) {
        let stores: [Arc<dyn LeaseStore>; 2] = [self.memory.clone(), self.table.leases(env)];
        let [memory, table] = &stores;
        let seen = |back: usize| self.seen.get(back).cloned().unwrap_or_else(lease);
        match step {
            Step::Create => assert_eq!(
                memory.create(lease()).await.unwrap(),
                table.create(lease()).await.unwrap()
            ),
            Step::Change(back, change) => assert_eq!(
                memory.change(&seen(back), change.clone()).await.unwrap(),
                table.change(&seen(back), change).await.unwrap()
            ),
            Step::Remove(back) => assert_eq!(
                memory.remove(&seen(back)).await.unwrap(),
                table.remove(&seen(back)).await.unwrap()
            ),
            Step::Ask(next) => self.ask(next),
        }
        let leases = memory.list().await.unwrap();
        assert_eq!(leases, table.list().await.unwrap());
        self.seen.splice(0..0, leases);
    }

    fn ask(&self, next: &str) {
        let mut leases = self.memory.write();
        let Some(lease) = leases.values_mut().next() else {
            return;
        };
        if lease.checkpoint_owner.is_none()
            && let Some(owner) = lease.owner.clone()
        {
            lease.owner = Some(next.to_owned());
            lease.checkpoint_owner = Some(owner.clone());
            let asked = [
                ("leaseOwner", text(next)),
                ("checkpointOwner", text(&owner)),
            ];
            self.table.write(&lease.key, &asked);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_table_does_what_memory_does(steps in prop::collection::vec(step(), 1..24)) {
        let (env, _) = env();
        let mut both = Both { memory: Arc::default(), table: Arc::default(), seen: Vec::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            both.step(&env, Step::Create).await;
            for step in steps {
                both.step(&env, step).await;
            }
        });
    }
}
