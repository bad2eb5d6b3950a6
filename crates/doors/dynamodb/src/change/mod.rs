//! A change of a table, as UpdateTable asks for it: read, checked against itself, and made to a table's record.
//!
//! AWS changes one thing at a time: what may stand together in a request, and in which order it says that it may not, is
//! as users recorded it on AWS.

pub(crate) mod decreases;
mod indexes;
pub(crate) mod switches;
mod throughput;

use headwater_shapes_dynamodb::{StreamSpecification, UpdateTableInput};
use headwater_tables::TableRecord;
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{
    billing::{Maxima, Mode, Units},
    errors::{check_state, invalid, validation},
    refused,
    schema::Definitions,
    stream,
};

use indexes::IndexChange;
use throughput::Payment;

/// A change of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// The attributes that the keys of new indexes are made of.
    definitions: Definitions,
    payment: Option<Payment>,
    indexes: Vec<IndexChange>,
    stream: Option<stream::Wanted>,
    infrequent_access: Option<bool>,
    protected: Option<bool>,
}

/// The parts of a change that may not stand beside others.
struct Parts {
    class: bool,
    protection: bool,
    maxima: bool,
    /// Whether units of the table change: by themselves, or by a change to paying by the second.
    units: bool,
    mode: bool,
    stream: bool,
    /// Whether indexes are made or deleted.
    indexes: bool,
    updates: bool,
}

impl Change {
    /// The table that a request names, and the change that it asks for.
    pub fn read(input: UpdateTableInput) -> Result<(String, Self), ApiError> {
        let UpdateTableInput {
            attribute_definitions,
            table_name,
            billing_mode,
            provisioned_throughput,
            global_secondary_index_updates,
            stream_specification,
            sse_specification,
            replica_updates,
            table_class,
            deletion_protection_enabled,
            multi_region_consistency,
            global_table_witness_updates,
            on_demand_throughput,
            warm_throughput,
            global_table_settings_replication_mode,
            disassociation_protection_enabled,
            vector_index_updates,
        } = input;
        refused::absent(replica_updates, "ReplicaUpdates")?;
        refused::absent(multi_region_consistency, "MultiRegionConsistency")?;
        refused::absent(global_table_witness_updates, "GlobalTableWitnessUpdates")?;
        refused::warm(warm_throughput)?;
        refused::absent(
            global_table_settings_replication_mode,
            "GlobalTableSettingsReplicationMode",
        )?;
        refused::absent(
            disassociation_protection_enabled,
            "DisassociationProtectionEnabled",
        )?;
        refused::absent(vector_index_updates, "VectorIndexUpdates")?;
        if sse_specification.is_some() {
            refused::encryption(sse_specification)?;
            return Err(invalid("Table is already encrypted by default"));
        }
        let mode = billing_mode.as_deref().map(Mode::read);
        let payment = Payment {
            mode,
            units: provisioned_throughput.map(|throughput| Units::read(&throughput)),
            maxima: Maxima::read(on_demand_throughput),
        };
        let payment = (payment != Payment::default()).then_some(payment);
        let updates = global_secondary_index_updates.unwrap_or_default();
        let change = Self {
            payment,
            indexes: indexes::read(updates)?,
            stream: None,
            infrequent_access: table_class.map(|class| class == "STANDARD_INFREQUENT_ACCESS"),
            protected: deletion_protection_enabled,
            definitions: Definitions::read(attribute_definitions.unwrap_or_default())?,
        };
        Ok((table_name, change.checked(stream_specification)?))
    }

    /// The change when its parts may stand together and are what they can be.
    fn checked(mut self, stream: Option<StreamSpecification>) -> Result<Self, ApiError> {
        let parts = self.parts(stream.is_some());
        parts.check()?;
        if let Some(payment) = &self.payment {
            payment.check()?;
        }
        self.stream = stream.map(stream::of_change).transpose()?;
        indexes::check(&self.indexes, &self.definitions)?;
        Ok(self)
    }

    fn parts(&self, stream: bool) -> Parts {
        let payment = self.payment.unwrap_or_default();
        let makes = |index: &IndexChange| index.makes_or_deletes();
        Parts {
            class: self.infrequent_access.is_some(),
            protection: self.protected.is_some(),
            maxima: payment.maxima.is_some(),
            units: payment.units.is_some() || payment.mode == Some(Mode::Provisioned),
            mode: payment.mode.is_some(),
            stream,
            indexes: self.indexes.iter().any(makes),
            updates: !self.indexes.is_empty(),
        }
    }

    /// Makes the change.
    pub fn apply(&self, table: &mut TableRecord, now: Millis) -> Result<(), ApiError> {
        // Protection may be changed whatever else is going on.
        if self.protected.is_none() {
            check_state(table, now)?;
        }
        let was = Mode::of(&table.billing);
        if let Some(payment) = &self.payment {
            payment.apply(table, now)?;
        }
        indexes::apply(&self.indexes, &self.definitions, was, table, now)?;
        if let Some(wanted) = self.stream {
            stream::apply(wanted, table, now)?;
        }
        if let Some(infrequent_access) = self.infrequent_access {
            table.infrequent_access = infrequent_access;
        }
        if let Some(protected) = self.protected {
            table.protected = protected;
        }
        Ok(())
    }

    /// Whether the table shows for a while that it is being changed.
    pub fn shows(&self) -> bool {
        self.protected.is_none()
    }
}

impl Parts {
    /// Whether there are any, and they may stand together.
    fn check(&self) -> Result<(), ApiError> {
        let all = [
            self.class,
            self.protection,
            self.maxima,
            self.units || self.mode,
            self.stream,
            self.updates,
        ];
        let count = all.iter().filter(|part| **part).count();
        if count == 0 {
            return Err(validation(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, \
                 SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, \
                 MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is \
                 required",
            ));
        }
        let only = |what: &str| {
            invalid(format_args!(
                "{what} modification must be the only operation in the request"
            ))
        };
        match count > 1 {
            true if self.class => Err(only("TableClass")),
            true if self.protection => Err(only("DeletionProtection")),
            true if self.maxima && (self.stream || self.updates) => Err(invalid(
                "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
            )),
            true if self.stream && self.units => Err(invalid(
                "You cannot modify stream status while updating table IOPS",
            )),
            true if self.indexes && self.units => Err(invalid(
                "You cannot create or delete index while updating table IOPS",
            )),
            true if self.indexes && self.stream => Err(invalid(
                "You cannot create or delete index while changing stream status",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
