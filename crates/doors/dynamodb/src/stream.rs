//! What a table's changes are shown as: what requests say of it, and what answers do.

use headwater_shapes_dynamodb::StreamSpecification;
use headwater_tables::{Stream, TableRecord, ViewType};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::errors::{api, invalid};

/// What is to become of a table's stream: what it shows, or that it is disabled.
pub(crate) type Wanted = Option<ViewType>;

/// What a request says of the stream of a new table.
pub(crate) fn of_new(sent: Option<StreamSpecification>) -> Result<Wanted, ApiError> {
    let Some(sent) = sent else { return Ok(None) };
    read(sent).map_err(|enabled| {
        invalid(match enabled {
            true => "Table is being created with a stream enabled, UpdateViewType is required",
            false => {
                "Table is being created with a stream disabled, UpdateViewType should not be specified"
            }
        })
    })
}

/// What a request says of a table's stream that is to be changed.
pub(crate) fn of_change(sent: StreamSpecification) -> Result<Wanted, ApiError> {
    read(sent).map_err(|enabled| {
        invalid(match enabled {
            true => "If stream is being enabled then UpdateViewType is required",
            false => "If stream is being disabled, then UpdateViewType must not be specified",
        })
    })
}

/// What a specification says; when it contradicts itself, whether it enables.
fn read(sent: StreamSpecification) -> Result<Wanted, bool> {
    let StreamSpecification {
        stream_enabled,
        stream_view_type,
    } = sent;
    match (stream_enabled, stream_view_type) {
        (true, Some(view)) => Ok(Some(view_of(&view))),
        (false, None) => Ok(None),
        (enabled, _) => Err(enabled),
    }
}

/// What the model's enumeration names; `wire` has checked that it is one.
fn view_of(name: &str) -> ViewType {
    match name {
        "KEYS_ONLY" => ViewType::Keys,
        "NEW_IMAGE" => ViewType::New,
        "OLD_IMAGE" => ViewType::Old,
        _ => ViewType::Both,
    }
}

/// The name of what a stream shows.
pub(crate) fn view_name(view: ViewType) -> &'static str {
    match view {
        ViewType::Keys => "KEYS_ONLY",
        ViewType::New => "NEW_IMAGE",
        ViewType::Old => "OLD_IMAGE",
        ViewType::Both => "NEW_AND_OLD_IMAGES",
    }
}

/// The stream that is enabled.
pub(crate) fn enabled(table: &TableRecord) -> Option<&Stream> {
    table
        .streams
        .first()
        .filter(|stream| stream.disabled.is_none())
}

/// Enables or disables a table's stream.
pub(crate) fn apply(wanted: Wanted, table: &mut TableRecord, now: Millis) -> Result<(), ApiError> {
    let changed = match wanted {
        Some(view) => table.enable_stream(view, now),
        None => table.disable_stream(now),
    };
    changed.map_err(api)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specification(enabled: bool, view: Option<&str>) -> StreamSpecification {
        StreamSpecification {
            stream_enabled: enabled,
            stream_view_type: view.map(str::to_owned),
        }
    }

    #[test]
    fn a_stream_shows_something_if_and_only_if_it_is_enabled() {
        for view in ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] {
            let wanted = of_new(Some(specification(true, Some(view))));
            assert_eq!(wanted.map(|wanted| wanted.map(view_name)), Ok(Some(view)));
        }
        assert_eq!(of_new(Some(specification(false, None))), Ok(None));
        let text = |error: ApiError| error.message().to_owned();
        let prefix = "One or more parameter values were invalid:";
        assert_eq!(
            of_new(Some(specification(true, None))).map_err(text),
            Err(format!(
                "{prefix} Table is being created with a stream enabled, UpdateViewType is required"
            ))
        );
        assert_eq!(
            of_change(specification(false, Some("NEW_IMAGE"))).map_err(text),
            Err(format!(
                "{prefix} If stream is being disabled, then UpdateViewType must not be specified"
            ))
        );
    }
}
