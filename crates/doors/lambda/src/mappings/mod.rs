//! Event source mappings in AWS's words: settings out of requests, and mappings as answers show them.

mod describe;
mod errors;
mod settings;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use describe::{Stage, configuration};
pub(crate) use errors::{api, pair};
pub(crate) use settings::{Unread, Wanted, refuse_unread};
pub(crate) use source::{Kind, kind_of, source_of, start_of};

use headwater_mappings::Mapping;
use headwater_shapes_lambda::EventSourceMappingConfiguration;
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::{Lambda, errors::invalid_parameter, target::Target};

/// A function that a mapping is to call.
pub(crate) struct Called {
    /// Its name, with its version where one is named.
    pub arn: Arn,
    pub timeout_s: u32,
}

impl Lambda {
    /// The function that a mapping is to call, which has to be there.
    pub(crate) async fn mapped_function(&self, name: &str) -> Result<Called, ApiError> {
        let missing = || invalid_parameter("Function does not exist");
        let target = Target::parse(name, None, self.functions.options()).map_err(|_| missing())?;
        let version = target.version().map_err(|_| missing())?;
        let found = self
            .functions
            .get_version(&target.name, version.as_ref())
            .await;
        let found = found.map_err(|_| missing())?;
        Ok(Called {
            arn: target.qualified_arn().parse().map_err(|_| missing())?,
            timeout_s: found.configuration.timeout_s,
        })
    }

    /// Checks that a queue hides messages for as long as a function may run.
    pub(crate) async fn check_queue(&self, queue: &Arn, function: &Called) -> Result<(), ApiError> {
        let found = self.mappings.queue(queue).await.map_err(api)?;
        let (hides_for, timeout) = (found.hides_for.as_secs(), function.timeout_s);
        if hides_for < timeout.into() {
            return Err(invalid_parameter(format!(
                "Queue visibility timeout: {hides_for} seconds is less than Function timeout: {timeout} seconds"
            )));
        }
        Ok(())
    }

    /// A mapping as it is now.
    pub(crate) fn shown_mapping(
        &self,
        mapping: &Mapping,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
        let is_working = self.mappings.is_working(&mapping.id).map_err(api)?;
        let last = self.mappings.last_result(&mapping.id).map_err(api)?;
        let stage = match (mapping.enabled, is_working) {
            (true, _) => Stage::Enabled,
            (false, true) => Stage::Disabling,
            (false, false) => Stage::Disabled,
        };
        Ok(configuration(
            mapping,
            stage,
            &last,
            self.functions.options(),
        ))
    }
}
