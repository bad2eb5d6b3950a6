//! What goes on by itself: alarms evaluated as their time comes, and what they owe done.

use std::sync::{Arc, Weak, atomic::Ordering::Relaxed};

use headwater_catalog::Expect;
use headwater_env::Env;
use headwater_types::Millis;

use crate::{
    Alarm, Error, HistoryItem, MetricAlarm, Owed, Range, Watches, alarms::Inner, composite,
    evaluate as verdict, history, limits,
};

const MINUTE: u64 = 60;

/// Begins both, until the alarms are dropped.
pub(crate) fn begin(inner: &Arc<Inner>) {
    let (env, weak) = (inner.env.clone(), Arc::downgrade(inner));
    let clock = env.clock.clone();
    inner.env.spawn(async move {
        loop {
            clock.sleep(limits::EVALUATE_FINE_EVERY).await;
            let Some(inner) = weak.upgrade() else { return };
            evaluate(&inner).await;
        }
    });
    let weak = Arc::downgrade(inner);
    inner.env.spawn(perform_for_ever(env, weak));
}

async fn perform_for_ever(env: Env, weak: Weak<Inner>) {
    loop {
        let Some(inner) = weak.upgrade() else { return };
        perform(&inner).await;
        // Nobody waits here with the alarms in hand, or they would never be dropped.
        let is_owed = inner.is_owed.clone();
        drop(inner);
        tokio::select! {
            () = is_owed.notified() => {}
            () = env.clock.sleep(limits::EVALUATE_FINE_EVERY) => {}
        }
    }
}

/// Evaluates the alarms whose time has come: those of short periods, and once a minute, some seconds behind its end so that what
/// was measured in it is there, all others.
pub(crate) async fn evaluate(inner: &Arc<Inner>) {
    let now = inner.env.clock.now();
    let minute = now.minus(limits::EVALUATE_BEHIND).seconds() / MINUTE;
    let is_new_minute = inner.evaluated.swap(minute, Relaxed) != minute;
    let all: Vec<Arc<Alarm>> = inner.known.read().values().cloned().collect();
    for alarm in all {
        let Watches::Metric(metric) = &alarm.watches else {
            continue;
        };
        let is_fine = u64::from(metric.period()) < MINUTE;
        if (is_fine || is_new_minute)
            && let Err(error) = evaluate_one(inner, &alarm, metric, now).await
        {
            tracing::warn!(alarm = alarm.name, %error, "an alarm could not be evaluated; it is tried again");
        }
    }
    if is_new_minute && let Err(error) = look_after(inner, now).await {
        tracing::warn!(%error, "alarms over alarms could not be evaluated; it is tried again");
    }
}

async fn evaluate_one(
    inner: &Arc<Inner>,
    alarm: &Arc<Alarm>,
    metric: &MetricAlarm,
    now: Millis,
) -> Result<(), String> {
    let Some(readings) = inner.readings.get() else {
        return Ok(());
    };
    let range = Range::of(metric, now);
    let found = readings.readings(&metric.source, range).await?;
    let Some(verdict) = verdict(metric, alarm.state.value, &found, range, now) else {
        return Ok(());
    };
    let (changing, alarm) = (inner.clone(), alarm.clone());
    let change = async move {
        let _one = changing.changing.lock().await;
        // Somebody may have changed it meanwhile; then it is evaluated the next time.
        let is_same = changing
            .find(&alarm.name)
            .is_ok_and(|known| Arc::ptr_eq(&known, &alarm));
        if !is_same || alarm.state.value == verdict.state {
            return Ok(());
        }
        let data = Some(verdict.data);
        changing
            .transition(&alarm, verdict.state, verdict.reason, data)
            .await?;
        composite::settle(&changing).await
    };
    let changed: Result<(), Error> = inner.env.to_the_end(change).await;
    changed.map_err(|error| error.to_string())
}

/// What is left of a crash between an alarm and those that watch it, and what happened too long ago.
async fn look_after(inner: &Arc<Inner>, now: Millis) -> Result<(), Error> {
    let looking = inner.clone();
    let settled = async move {
        let _one = looking.changing.lock().await;
        composite::settle(&looking).await
    };
    inner.env.to_the_end(settled).await?;
    if (now.seconds() / MINUTE).is_multiple_of(limits::FORGET_EVERY_MINUTES) {
        let oldest = now.minus(limits::HISTORY_FOR);
        history::forget(&*inner.catalog, &inner.history, oldest).await?;
    }
    Ok(())
}

/// Does what is owed and due, in the order in which it came.
pub(crate) async fn perform(inner: &Arc<Inner>) {
    let _one = inner.performing.lock().await;
    let mut last: Option<String> = None;
    loop {
        let page = inner
            .owed
            .scan("", last.as_deref(), limits::ROWS_AT_ONCE)
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "what alarms owe could not be read; it is tried again");
                return;
            }
        };
        let Some((key, _)) = page.last() else { return };
        last = Some(key.clone());
        for (key, owed) in page {
            if let Err(error) = perform_one(inner, &key, owed.value).await {
                tracing::warn!(%error, "an action of an alarm could not be noted; it is done again");
                return;
            }
        }
    }
}

async fn perform_one(inner: &Arc<Inner>, key: &str, owed: Owed) -> Result<(), Error> {
    let now = inner.env.clock.now();
    let Some(perform) = inner.perform.get().filter(|_| owed.due <= now) else {
        return Ok(());
    };
    let done = perform.perform(&owed).await;
    let tries = owed.tries + 1;
    let changes = match done {
        Err(_) if tries < limits::TRIES_MAX => {
            let due = now.plus(limits::TRY_AGAIN_AFTER * 2u32.pow(owed.tries));
            let again = Owed { tries, due, ..owed };
            vec![inner.owed.put(key, &again, Expect::Present)]
        }
        done => {
            let error = done.err();
            let item = HistoryItem::of_action(&owed.alarm, &owed.action, error.as_deref(), now);
            vec![inner.owed.delete(key, Expect::Any), inner.remember(&item)]
        }
    };
    inner.catalog.commit(changes).await?;
    Ok(())
}
