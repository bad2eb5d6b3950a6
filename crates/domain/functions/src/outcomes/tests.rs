//! Outcomes that wait are bounded, and no place holds up another.

use headwater_catalog::MemoryCatalog;
use headwater_env::ManualClock;

use super::*;

struct World {
    clock: Arc<ManualClock>,
    catalog: Arc<dyn Catalog>,
    outcomes: Outcomes,
}

async fn world() -> World {
    let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let outcomes = Outcomes::open(env, catalog.clone()).await.unwrap();
    World {
        clock,
        catalog,
        outcomes,
    }
}

fn outcome(place: &str, number: usize, size: usize) -> Outcome {
    Outcome {
        place: format!("arn:aws:s3:::{place}").parse().unwrap(),
        function: "f".parse().unwrap(),
        request_id: format!("{number:08}"),
        ended: Millis(1_700_000_000_000),
        body: "x".repeat(size),
        dead: None,
        trace: String::new(),
    }
}

impl World {
    async fn keep(&self, outcome: Outcome) -> usize {
        let lost = Mutex::new(0);
        let kept = self
            .outcomes
            .keep(Vec::new(), vec![outcome], |_| *lost.lock() += 1);
        kept.await.unwrap();
        lost.into_inner()
    }

    async fn rows(&self) -> usize {
        let rows = self
            .catalog
            .scan("function-outcomes/", None, usize::MAX)
            .await;
        rows.unwrap().len()
    }
}

#[tokio::test]
async fn the_oldest_that_could_not_be_told_makes_room() {
    let world = world().await;
    let size = limits::OUTCOMES_BYTES_MAX / 8;
    for number in 0..8 {
        assert_eq!(world.keep(outcome("broken", number, size)).await, 0);
    }
    let (next, _) = world.outcomes.next();
    assert_eq!(next.len(), limits::OUTCOMES_RUNNING_PER_PLACE);
    // All are still to be tried: who comes waits for one of them.
    let coming = world.keep(outcome("broken", 8, size));
    tokio::pin!(coming);
    assert!(futures_util::poll!(&mut coming).is_pending());
    for key in &next {
        assert!(!world.outcomes.again(key));
    }
    assert_eq!(coming.await, 1, "one was given up for it");
    assert_eq!((world.outcomes.waiting(), world.rows().await), (8, 8));
    world.outcomes.done(&next[1]).await.unwrap();
    assert_eq!(world.keep(outcome("broken", 9, size)).await, 0);
    assert_eq!((world.outcomes.waiting(), world.rows().await), (8, 8));
    assert!(world.outcomes.state.lock().bytes <= limits::OUTCOMES_BYTES_MAX);
    // Another start finds the same.
    let again = Outcomes::open(world.outcomes.env.clone(), world.catalog.clone()).await;
    let again = again.unwrap();
    assert_eq!(again.waiting(), 8);
    assert_eq!(again.state.lock().bytes, world.outcomes.state.lock().bytes);
}

#[tokio::test]
async fn outcomes_are_bounded_in_number_too() {
    let world = world().await;
    for number in 0..limits::OUTCOMES_MAX {
        world.keep(outcome("b", number, 1)).await;
    }
    let (next, _) = world.outcomes.next();
    world.outcomes.again(&next[0]);
    assert_eq!(world.keep(outcome("b", limits::OUTCOMES_MAX, 1)).await, 1);
    assert_eq!(world.outcomes.waiting(), limits::OUTCOMES_MAX);
    // One that is larger than all the room is kept where it is alone.
    let large = self::world().await;
    large
        .keep(outcome("b", 0, limits::OUTCOMES_BYTES_MAX + 1))
        .await;
    assert_eq!(large.outcomes.waiting(), 1);
}

#[tokio::test]
async fn a_place_that_does_not_answer_holds_up_no_other() {
    let world = world().await;
    for number in 0..20 {
        world.keep(outcome("silent", number, 1)).await;
    }
    world.keep(outcome("fine", 20, 1)).await;
    let (next, _) = world.outcomes.next();
    let of = |place: &str| {
        let state = world.outcomes.state.lock();
        let running = state.waiting.values().filter(|one| one.running);
        running.filter(|one| one.place.resource == place).count()
    };
    assert_eq!(
        (of("silent"), of("fine")),
        (limits::OUTCOMES_RUNNING_PER_PLACE, 1)
    );
    assert_eq!(next.len(), limits::OUTCOMES_RUNNING_PER_PLACE + 1);
}

#[tokio::test]
async fn an_outcome_is_told_again_later_and_given_up_when_it_is_old() {
    let world = world().await;
    world.keep(outcome("b", 0, 1)).await;
    let mut wait = limits::OUTCOME_RETRY_AFTER;
    let mut tries = 0;
    loop {
        let (next, _) = world.outcomes.next();
        tries += 1;
        if world.outcomes.again(&next[0]) {
            break;
        }
        let (none, due) = world.outcomes.next();
        assert_eq!((none.len(), due), (0, wait));
        world.clock.advance(wait);
        wait = (wait * 2).min(limits::OUTCOME_RETRY_MAX);
    }
    assert!((60..70).contains(&tries), "{tries} tries within an hour");
}

#[tokio::test]
async fn one_that_is_old_and_can_neither_be_told_nor_removed_is_looked_at_again() {
    let world = world().await;
    world.keep(outcome("a", 0, 10)).await;
    let (next, _) = world.outcomes.next();
    let [key] = &*next else { panic!("{next:?}") };
    world.clock.advance(limits::OUTCOME_AGE_MAX * 2);
    assert!(world.outcomes.again(key));
    // Removing it failed, for instance on a full disk.
    world.outcomes.rest(key);
    world.clock.advance(limits::OUTCOME_RETRY_MAX);
    assert_eq!(world.outcomes.next().0, next);
}
