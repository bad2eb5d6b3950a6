//! Alarms over alarms: put into the states that their rules come to.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    Alarm, Error, Rule, State, Watches,
    alarm::UNCHECKED,
    alarms::{Inner, name_of},
    reason::{json, long_time, time},
};

/// Brings all alarms that watch others up to date. The caller changes alarms alone. As none leads back to itself, there is an
/// end; it is bounded nevertheless, for rules of before may have.
pub(crate) async fn settle(inner: &Inner) -> Result<(), Error> {
    let all: Vec<Arc<Alarm>> = inner.known.read().values().cloned().collect();
    let composites = all
        .iter()
        .filter(|alarm| matches!(alarm.watches, Watches::Alarms(_)));
    let names: Vec<&str> = composites.map(|alarm| alarm.name.as_str()).collect();
    for _ in 0..names.len() {
        let mut has_changed = false;
        for name in &names {
            has_changed |= settle_one(inner, name).await?;
        }
        if !has_changed {
            break;
        }
    }
    Ok(())
}

/// Brings one alarm up to date; whether it went into another state.
async fn settle_one(inner: &Inner, name: &str) -> Result<bool, Error> {
    let alarm = inner.find(name)?;
    let Watches::Alarms(rule) = &alarm.watches else {
        return Ok(false);
    };
    let rule = Rule::parse(rule)?;
    let child = |reference: &str| inner.find(name_of(reference)).ok();
    let state = match rule.holds(&|reference| child(reference).map(|child| child.state.value)) {
        true => State::Alarm,
        false => State::Ok,
    };
    if alarm.state.value == state {
        return Ok(false);
    }
    let children = rule.alarms().into_iter().filter_map(child);
    let newest = children.max_by_key(|child| child.state.transitioned);
    let (reason, data) = why(&alarm, state, newest.as_deref());
    inner.transition(&alarm, state, reason, data).await?;
    Ok(true)
}

/// Why an alarm goes into a state, in words and as JSON: the child that went into another last.
fn why(alarm: &Alarm, state: State, newest: Option<&Alarm>) -> (String, Option<String>) {
    #[derive(Serialize)]
    struct Child<'a> {
        value: &'static str,
        timestamp: &'a str,
    }
    #[derive(Serialize)]
    struct Trigger<'a> {
        arn: &'a str,
        state: Child<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        triggering_alarms: Vec<Trigger<'a>>,
    }
    let timestamp = newest.map_or_else(String::new, |child| time(child.state.transitioned));
    let triggering_alarms = newest.into_iter().map(|child| Trigger {
        arn: &child.arn,
        state: Child {
            value: child.state.value.name(),
            timestamp: &timestamp,
        },
    });
    let data = json(&Data {
        triggering_alarms: triggering_alarms.collect(),
    });
    let is_new = alarm.state.reason == UNCHECKED;
    let reason = match newest {
        Some(child) if !is_new => {
            let at = long_time(child.state.transitioned);
            format!(
                "{} transitioned to {} at {at}",
                child.arn,
                child.state.value.name()
            )
        }
        _ => format!(
            "{} was created and its alarm rule evaluates to {}",
            alarm.arn,
            state.name()
        ),
    };
    (reason, Some(data))
}
