//! Queues against a model of what they say, with restarts, lost power and a full disk among the actions.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use headwater_messages::{
    Fifo, NewMessage, Receipt, ReceiptError, Receive, Received, Redrive, Settings, Settle,
};
use headwater_types::Millis;
use proptest::prelude::*;
use support::World;

const QUEUE: &str = "q";
const DEAD: &str = "dead";
const MAX_RECEIVES: u32 = 3;
const VISIBILITY_S: u64 = 10;

#[derive(Debug, Clone)]
enum Step {
    Send {
        group: u8,
        delay: u64,
    },
    SendBatch(u8),
    Advance(u64),
    Receive {
        limit: usize,
        visibility: Option<u64>,
    },
    Settle(prop::sample::Index, Settle),
    Purge,
    Reopen,
    Crash,
    /// A receive and a send while the disk takes no more.
    Full,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let settle = prop_oneof![
        3 => Just(Settle::Delete),
        2 => (0u64..15).prop_map(|seconds| Settle::Visibility(Duration::from_secs(seconds))),
    ];
    let delay = prop_oneof![3 => Just(0), 1 => 1u64..15];
    let step = prop_oneof![
        6 => (0u8..3, delay).prop_map(|(group, delay)| Step::Send { group, delay }),
        2 => (0u8..3).prop_map(Step::SendBatch),
        4 => (1u64..15).prop_map(Step::Advance),
        9 => (1usize..6, prop::option::of(0u64..15))
            .prop_map(|(limit, visibility)| Step::Receive { limit, visibility }),
        7 => (any::<prop::sample::Index>(), settle).prop_map(|(at, settle)| Step::Settle(at, settle)),
        1 => Just(Step::Purge),
        2 => Just(Step::Reopen),
        2 => Just(Step::Crash),
        1 => Just(Step::Full),
    ];
    prop::collection::vec(step, 1..60)
}

/// The model of one message.
#[derive(Debug, Clone)]
struct Known {
    group: u8,
    receives: u32,
    visible: Millis,
}

struct Model {
    is_fifo: bool,
    /// The messages that are there, by their texts, which are numbers in the order of sending.
    known: BTreeMap<u64, Known>,
    dead: BTreeSet<u64>,
    receipts: Vec<(u64, u32, Receipt)>,
    sent: u64,
    purged: Option<Millis>,
}

impl Model {
    fn send(&mut self, group: u8, visible: Millis) -> u64 {
        let body = self.sent;
        self.sent += 1;
        let known = Known {
            group,
            receives: 0,
            visible,
        };
        self.known.insert(body, known);
        body
    }

    /// The messages that can be received, and are no dead letters: of a group those before the first that is hidden.
    fn ready(&mut self, now: Millis) -> BTreeSet<u64> {
        let mut closed = BTreeSet::new();
        let mut ready = BTreeSet::new();
        for (body, known) in &self.known {
            if self.is_fifo && closed.contains(&known.group) {
                continue;
            }
            if known.visible > now {
                closed.insert(known.group);
            } else {
                ready.insert(*body);
            }
        }
        ready
    }

    fn received(&mut self, received: &[Received], limit: usize, visibility: u64, now: Millis) {
        let ready = self.ready(now);
        let is_dead = |body: &u64| self.known[body].receives >= MAX_RECEIVES;
        let alive: BTreeSet<u64> = ready
            .iter()
            .copied()
            .filter(|body| !is_dead(body))
            .collect();
        let bodies: Vec<u64> = received.iter().map(|r| r.body.parse().unwrap()).collect();
        assert!(
            bodies.iter().all(|body| alive.contains(body)),
            "{bodies:?} of {alive:?}"
        );
        assert_eq!(
            bodies.len(),
            limit.min(alive.len()),
            "{bodies:?} of {alive:?}"
        );
        if self.is_fifo {
            for (at, body) in bodies.iter().enumerate() {
                let group = self.known[body].group;
                let before = alive
                    .iter()
                    .filter(|b| self.known[b].group == group && *b < body);
                assert!(
                    before.clone().all(|b| bodies[..at].contains(b)),
                    "out of order"
                );
            }
        }
        for received in received {
            let body = received.body.parse().unwrap();
            let known = self.known.get_mut(&body).unwrap();
            known.receives += 1;
            known.visible = now.plus(Duration::from_secs(visibility));
            assert_eq!(received.receives, known.receives);
            self.receipts.push((body, known.receives, received.receipt));
        }
    }

    /// Messages that were found in the queue for dead letters.
    fn buried(&mut self, bodies: impl IntoIterator<Item = u64>) {
        for body in bodies {
            let known = self.known.remove(&body).unwrap();
            assert_eq!(known.receives, MAX_RECEIVES);
            self.dead.insert(body);
        }
    }

    fn settled(
        &mut self,
        at: usize,
        settle: Settle,
        result: Result<(), ReceiptError>,
        now: Millis,
    ) {
        let (body, receive, _) = self.receipts[at];
        let Some(known) = self.known.get_mut(&body) else {
            let expected = match settle {
                Settle::Delete => Ok(()),
                Settle::Visibility(_) => Err(ReceiptError::Gone),
            };
            assert_eq!(result, expected);
            return;
        };
        let is_current = known.receives == receive && known.visible > now;
        if self.is_fifo && !is_current {
            assert_eq!(result, Err(ReceiptError::Expired));
            return;
        }
        assert_eq!(result, Ok(()));
        match settle {
            Settle::Delete => drop(self.known.remove(&body)),
            Settle::Visibility(by) => known.visible = now.plus(by),
        }
    }
}

fn message(is_fifo: bool, body: u64, group: u8, delay: u64) -> NewMessage {
    NewMessage {
        body: body.to_string(),
        group: is_fifo.then(|| group.to_string()),
        delay: (!is_fifo).then_some(Duration::from_secs(delay)),
        ..NewMessage::default()
    }
}

fn settings(is_fifo: bool) -> Settings {
    let fifo = Fifo {
        by_content: true,
        ..Fifo::default()
    };
    Settings {
        fifo: is_fifo.then_some(fifo),
        visibility_s: u32::try_from(VISIBILITY_S).unwrap(),
        ..Settings::default()
    }
}

async fn step(world: &mut World, model: &mut Model, step: Step) {
    use headwater_env::Clock;
    let now = world.clock.now();
    match step {
        Step::Send { group, delay } => {
            let delay = if model.is_fifo { 0 } else { delay };
            let body = model.send(group, now.plus(Duration::from_secs(delay)));
            world
                .send(QUEUE, message(model.is_fifo, body, group, delay))
                .await;
        }
        Step::SendBatch(group) => {
            let bodies: Vec<u64> = (0..5).map(|_| model.send(group, now)).collect();
            let messages = bodies
                .iter()
                .map(|body| message(model.is_fifo, *body, group, 0));
            let sent = world.queues.send(QUEUE, messages.collect()).await.unwrap();
            assert!(sent.iter().all(Result::is_ok));
        }
        Step::Advance(seconds) => world.pass(seconds),
        Step::Receive { limit, visibility } => {
            let receive = Receive {
                limit,
                visibility: visibility.map(Duration::from_secs),
                ..Receive::default()
            };
            let received = world.queues.receive(QUEUE, receive).await.unwrap();
            model.received(&received, limit, visibility.unwrap_or(VISIBILITY_S), now);
            bury(world, model, false).await;
        }
        Step::Settle(at, settle) => {
            if !model.receipts.is_empty() {
                let at = at.index(model.receipts.len());
                let result = world.settle(QUEUE, model.receipts[at].2, settle).await;
                model.settled(at, settle, result, now);
            }
        }
        Step::Purge => {
            let purged = world.queues.purge(QUEUE).await;
            let is_early = model
                .purged
                .is_some_and(|then| now < then.plus(Duration::from_secs(60)));
            assert_eq!(purged.is_err(), is_early);
            if !is_early {
                model.known.clear();
                model.purged = Some(now);
            }
        }
        Step::Reopen => world.reopen().await,
        Step::Crash => world.crash().await,
        Step::Full => {
            world.disk.set_room(Some(0));
            let body = model.sent;
            let new = vec![message(model.is_fifo, body, 0, 0)];
            let sent = world.queues.send(QUEUE, new).await;
            let receive = Receive {
                limit: 1,
                ..Receive::default()
            };
            let received = world.queues.receive(QUEUE, receive).await;
            world.disk.set_room(None);
            // What a full disk refuses was not done; there may have been room for it in a file that is there.
            if sent.is_ok() {
                model.send(0, now);
            } else {
                model.sent += 1;
            }
            if let Ok(received) = received {
                model.received(&received, 1, VISIBILITY_S, now);
            }
            // A dead letter may have been sent on, and not removed: the next receive sends it on again.
            let all = Receive {
                limit: 10,
                ..Receive::default()
            };
            let received = world.queues.receive(QUEUE, all).await.unwrap();
            model.received(&received, 10, VISIBILITY_S, now);
            bury(world, model, true).await;
        }
    }
}

/// Takes what is in the queue for dead letters out of it, where some may be there twice.
async fn bury(world: &World, model: &mut Model, twice: bool) {
    loop {
        let letters = world.receive(DEAD, 10).await;
        if letters.is_empty() {
            return;
        }
        for letter in &letters {
            world
                .settle(DEAD, letter.receipt, Settle::Delete)
                .await
                .unwrap();
        }
        model.buried(
            letters
                .iter()
                .map(|letter| letter.body.parse().unwrap())
                .filter(|body| !twice || !model.dead.contains(body))
                .collect::<BTreeSet<u64>>(),
        );
    }
}

async fn run(is_fifo: bool, seed: u64, steps: Vec<Step>) {
    let mut world = World::of_seed(seed).await;
    world.create(DEAD, settings(is_fifo)).await;
    let redrive = Redrive {
        target: DEAD.into(),
        max_receives: MAX_RECEIVES,
    };
    let with_redrive = Settings {
        redrive: Some(redrive),
        ..settings(is_fifo)
    };
    world.create(QUEUE, with_redrive).await;
    let mut model = Model {
        is_fifo,
        known: BTreeMap::new(),
        dead: BTreeSet::new(),
        receipts: Vec::new(),
        sent: 0,
        purged: None,
    };
    for one in steps {
        step(&mut world, &mut model, one).await;
        let depth = world.queues.depth(QUEUE).await.unwrap();
        let all = depth.visible + depth.in_flight + depth.delayed;
        assert_eq!(all, model.known.len() as u64, "{depth:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_without_order_is_as_its_model(seed in any::<u64>(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(false, seed, steps));
    }

    #[test]
    fn a_queue_with_order_is_as_its_model(seed in any::<u64>(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(true, seed, steps));
    }
}
