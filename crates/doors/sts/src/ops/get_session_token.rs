//! GetSessionToken.

use std::time::Duration;

use headwater_auth::{SESSION_LIFE, Session};
use headwater_shapes_sts::{GetSessionTokenRequest, GetSessionTokenResponse, ops::GetSessionToken};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sts,
    answers::{credentials, denied, refuse},
};

/// A user's session, where they say no other: twelve hours.
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// The longest session of an account's root, whose longer ones AWS makes this long.
const LIFE_OF_ROOT: Duration = Duration::from_secs(3600);

impl Handle<GetSessionToken> for Sts {
    async fn handle(
        &self,
        input: GetSessionTokenRequest,
        context: &Context,
    ) -> Result<GetSessionTokenResponse, ApiError> {
        let GetSessionTokenRequest {
            duration_seconds,
            serial_number,
            token_code,
            minimum_session_token_size,
        } = input;
        refuse(&[
            ("SerialNumber", serial_number.is_some()),
            ("TokenCode", token_code.is_some()),
            (
                "MinimumSessionTokenSize",
                minimum_session_token_size.is_some(),
            ),
        ])?;
        let caller = &context.caller;
        if caller.session.is_some() {
            return Err(denied(
                "Cannot call GetSessionToken with session credentials",
            ));
        }
        let asked =
            duration_seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs().into()));
        let longest = match caller.user() {
            Some(_) => SESSION_LIFE,
            None => LIFE_OF_ROOT,
        };
        let session = Session {
            behind: caller.key_behind().to_owned(),
            role: None,
            source_identity: None,
        };
        let life = asked.unwrap_or(LIFE).min(longest);
        let begun = self
            .sessions
            .begin(&caller.account, &caller.arn, session, life);
        Ok(GetSessionTokenResponse {
            credentials: Some(credentials(begun)),
            session_token_size: None,
            session_token_utilization: None,
        })
    }
}
