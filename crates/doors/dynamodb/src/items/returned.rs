//! What writes return of the item that they wrote.

use std::sync::Arc;

use headwater_expressions::Projection;
use headwater_tables::Written;
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::values::{Attributes, shown},
};

/// `ReturnValues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    /// `NONE`.
    Nothing,
    /// `ALL_OLD`.
    AllOld,
    /// `UPDATED_OLD`.
    UpdatedOld,
    /// `ALL_NEW`.
    AllNew,
    /// `UPDATED_NEW`.
    UpdatedNew,
}

impl Returned {
    /// What an update returns.
    pub fn of_update(sent: Option<&str>) -> Self {
        match sent {
            Some("ALL_OLD") => Self::AllOld,
            Some("UPDATED_OLD") => Self::UpdatedOld,
            Some("ALL_NEW") => Self::AllNew,
            Some("UPDATED_NEW") => Self::UpdatedNew,
            _ => Self::Nothing,
        }
    }

    /// What a put or a deletion returns.
    ///
    /// # Errors
    /// It cannot return that.
    pub fn of_old(sent: Option<&str>) -> Result<Self, ApiError> {
        match Self::of_update(sent) {
            returned @ (Self::Nothing | Self::AllOld) => Ok(returned),
            _ => Err(validation("ReturnValues can only be ALL_OLD or NONE")),
        }
    }

    /// The attributes, where there are any; `touched` is what the update wrote to.
    pub fn attributes(self, written: Written, touched: &Projection) -> Option<Attributes> {
        let Written { before, after } = written;
        match self {
            Self::Nothing => None,
            Self::AllOld => before.map(Arc::unwrap_or_clone).map(shown),
            Self::AllNew => after.map(Arc::unwrap_or_clone).map(shown),
            Self::UpdatedOld => before.map(|item| shown(touched.of(&item))),
            Self::UpdatedNew => after.map(|item| shown(touched.of(&item))),
        }
        .filter(|attributes| !attributes.is_empty())
    }
}

/// Whether a condition that does not hold shows the item: `ReturnValuesOnConditionCheckFailure`.
pub(crate) fn shows_failed(sent: Option<&str>) -> bool {
    sent == Some("ALL_OLD")
}
