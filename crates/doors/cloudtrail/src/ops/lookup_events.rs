//! LookupEvents: the newest events first, by one attribute and by time. Events are there at once, where AWS takes minutes.

use headwater_shapes::Timestamp;
use headwater_shapes_cloudtrail::{
    Event as Shown, LookupAttribute, LookupEventsRequest, LookupEventsResponse, Resource,
    errors as shapes, ops::LookupEvents,
};
use headwater_trail::{Attribute, Event, Lookup, limits::PAGE_EVENTS_MAX};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudTrail,
    answers::time,
    errors::{api, refuse},
    token,
};

impl Handle<LookupEvents> for CloudTrail {
    async fn handle(
        &self,
        input: LookupEventsRequest,
        _: &Context,
    ) -> Result<LookupEventsResponse, ApiError> {
        let LookupEventsRequest {
            lookup_attributes,
            start_time,
            end_time,
            event_category,
            max_results,
            next_token,
        } = input;
        refuse(event_category.is_some(), "insight events (EventCategory)")?;
        let mut lookup = Lookup {
            attribute: attribute(lookup_attributes.unwrap_or_default())?,
            start: start_time.map(first),
            end: end_time.map(last),
            limit: limit(max_results)?,
            before: None,
        };
        if let (Some(start), Some(end)) = (lookup.start, lookup.end)
            && start > end
        {
            return Err(ApiError::of(
                &shapes::INVALID_TIME_RANGE_EXCEPTION,
                "The start time must be before the end time.",
            ));
        }
        if let Some(token) = next_token {
            let before = token::before(&lookup, &token);
            lookup.before = Some(before.ok_or_else(|| {
                ApiError::of(&shapes::INVALID_NEXT_TOKEN_EXCEPTION, "Invalid NextToken")
            })?);
        }
        let found = self.store.look_up(&lookup).await.map_err(api)?;
        Ok(LookupEventsResponse {
            events: Some(found.events.into_iter().map(shown).collect()),
            next_token: found.next.map(|before| token::of(&lookup, before)),
        })
    }
}

/// The first millisecond of a time that is wanted.
fn first(Timestamp(at): Timestamp) -> Millis {
    Millis(u64::try_from(at).unwrap_or(0))
}

/// The last millisecond of a time that is wanted: events have whole seconds.
fn last(Timestamp(at): Timestamp) -> Millis {
    Millis(first(Timestamp(at)).seconds() * 1000 + 999)
}

fn limit(asked: Option<i32>) -> Result<usize, ApiError> {
    let Some(asked) = asked else {
        return Ok(PAGE_EVENTS_MAX);
    };
    let asked = usize::try_from(asked).ok();
    asked
        .filter(|asked| (1..=PAGE_EVENTS_MAX).contains(asked))
        .ok_or_else(|| {
            ApiError::of(
                &shapes::INVALID_MAX_RESULTS_EXCEPTION,
                format!("Max results must be between 1 and {PAGE_EVENTS_MAX}"),
            )
        })
}

fn attribute(asked: Vec<LookupAttribute>) -> Result<Option<Attribute>, ApiError> {
    let wrong = |text: &str| {
        Err(ApiError::of(
            &shapes::INVALID_LOOKUP_ATTRIBUTES_EXCEPTION,
            text,
        ))
    };
    let mut asked = asked.into_iter();
    let Some(LookupAttribute {
        attribute_key,
        attribute_value: value,
    }) = asked.next()
    else {
        return Ok(None);
    };
    if asked.next().is_some() {
        return wrong("You can only specify one lookup attribute.");
    }
    Ok(Some(match (attribute_key.as_str(), value.as_str()) {
        ("EventId", _) => Attribute::Id(value),
        ("EventName", _) => Attribute::Name(value),
        ("ReadOnly", "true") => Attribute::ReadOnly(true),
        ("ReadOnly", "false") => Attribute::ReadOnly(false),
        ("ReadOnly", _) => return wrong("The value of ReadOnly must be true or false."),
        ("Username", _) => Attribute::Username(value),
        ("ResourceType", _) => Attribute::ResourceKind(value),
        ("ResourceName", _) => Attribute::ResourceName(value),
        ("EventSource", _) => Attribute::Source(value),
        ("AccessKeyId", _) => Attribute::AccessKey(value),
        _ => return wrong("The lookup attribute key is not valid."),
    }))
}

fn shown(event: Event) -> Shown {
    let resources = event.resources.into_iter().map(|resource| Resource {
        resource_type: Some(resource.kind),
        resource_name: Some(resource.name),
    });
    Shown {
        event_id: Some(event.id),
        event_name: Some(event.name),
        read_only: Some(event.read_only.to_string()),
        access_key_id: event.access_key,
        event_time: Some(time(event.time)),
        event_source: Some(event.source),
        username: event.username,
        resources: Some(resources.collect()),
        cloud_trail_event: Some(event.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: &str, value: &str) -> LookupAttribute {
        LookupAttribute {
            attribute_key: key.to_owned(),
            attribute_value: value.to_owned(),
        }
    }

    #[test]
    fn one_attribute_may_be_asked_for() {
        assert_eq!(attribute(Vec::new()), Ok(None));
        let one = attribute(vec![asked("ReadOnly", "false")]);
        assert_eq!(one, Ok(Some(Attribute::ReadOnly(false))));
        for wrong in [
            vec![asked("ReadOnly", "no")],
            vec![asked("Colour", "red")],
            vec![asked("EventId", "1"), asked("EventName", "2")],
        ] {
            let code = attribute(wrong).unwrap_err().code().to_owned();
            assert_eq!(code, "InvalidLookupAttributesException");
        }
    }

    #[test]
    fn a_page_has_up_to_50_events() {
        assert_eq!(
            (limit(None), limit(Some(1)), limit(Some(50))),
            (Ok(50), Ok(1), Ok(50))
        );
        for wrong in [0, -1, 51] {
            assert_eq!(
                limit(Some(wrong)).unwrap_err().code(),
                "InvalidMaxResultsException"
            );
        }
    }

    #[test]
    fn the_last_second_is_wanted_whole() {
        let at = Timestamp(1_764_547_200_000);
        assert_eq!(
            (first(at), last(at)),
            (Millis(1_764_547_200_000), Millis(1_764_547_200_999))
        );
    }
}
