//! AssumeRole.

use std::time::Duration;

use headwater_auth::{Caller, Session};
use headwater_shapes_sts::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, ops::AssumeRole,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sts,
    answers::{credentials, denied, invalid, refuse},
    role::Role,
};

/// A session whose length nobody says, and the longest of one who has a role already.
const LIFE: Duration = Duration::from_secs(3600);

impl Handle<AssumeRole> for Sts {
    async fn handle(
        &self,
        input: AssumeRoleRequest,
        context: &Context,
    ) -> Result<AssumeRoleResponse, ApiError> {
        let AssumeRoleRequest {
            role_arn,
            role_session_name,
            policy_arns,
            policy,
            duration_seconds,
            tags,
            transitive_tag_keys,
            // A role's trust policy may ask for it; there are none that could.
            external_id: _,
            serial_number,
            token_code,
            source_identity,
            provided_contexts,
            minimum_session_token_size,
        } = input;
        let role = Role::of(&role_arn).ok_or_else(|| invalid(format!("{role_arn} is invalid")))?;
        refuse(&[
            ("PolicyArns", policy_arns.is_some()),
            ("Policy", policy.is_some()),
            ("Tags", tags.is_some()),
            ("TransitiveTagKeys", transitive_tag_keys.is_some()),
            ("SerialNumber", serial_number.is_some()),
            ("TokenCode", token_code.is_some()),
            ("ProvidedContexts", provided_contexts.is_some()),
            (
                "MinimumSessionTokenSize",
                minimum_session_token_size.is_some(),
            ),
        ])?;
        let caller = &*context.caller;
        if role.account != caller.account {
            let (caller, role) = (&caller.arn, role_arn);
            return Err(denied(format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"
            )));
        }
        let source_identity = source_of(caller, source_identity)?;
        let session = Session {
            behind: caller.key_behind().to_owned(),
            role: Some(role_arn),
            source_identity: source_identity.clone(),
        };
        let arn = role.session(&role_session_name);
        let life = life(caller, duration_seconds)?;
        let begun = self
            .sessions
            .begin(&role.account, &arn, session.clone(), life);
        let assumed = Caller {
            account: role.account,
            arn: arn.clone(),
            access_key_id: begun.credentials.access_key_id.clone(),
            session: Some(session),
        };
        Ok(AssumeRoleResponse {
            credentials: Some(credentials(begun)),
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: assumed.id(),
                arn,
            }),
            packed_policy_size: None,
            source_identity,
            session_token_size: None,
            session_token_utilization: None,
        })
    }
}

/// How long the session lasts.
fn life(caller: &Caller, asked: Option<i32>) -> Result<Duration, ApiError> {
    let asked = asked.map(|seconds| Duration::from_secs(seconds.unsigned_abs().into()));
    let life = asked.unwrap_or(LIFE);
    if caller.role().is_some() && life > LIFE {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    Ok(life)
}

/// Who is behind the session: one who was named once stays so.
fn source_of(caller: &Caller, asked: Option<String>) -> Result<Option<String>, ApiError> {
    let known = caller
        .session
        .as_ref()
        .and_then(|session| session.source_identity.clone());
    match (known, asked) {
        (Some(known), Some(asked)) if known != asked => Err(denied(
            "The source identity of a session cannot be changed: it was set when its role was assumed",
        )),
        (known, asked) => Ok(known.or(asked)),
    }
}
