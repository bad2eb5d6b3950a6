//! One action of a transaction that writes.

use std::collections::BTreeMap;

use headwater_expressions::{Condition, Update as Changes};
use headwater_items::{Item, item_size};
use headwater_shapes_dynamodb::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use headwater_tables::{TableRecord, Write, WriteAction};
use headwater_wire::{ApiError, Context};

use crate::{
    errors::validation,
    items::{
        condition::Conditional,
        dialect::Dialects,
        fault::Fault,
        named::Named,
        placeholders::{Sent, check_used},
        returned::shows_failed,
        update::Updating,
        values::{self, Attributes},
        writes,
    },
};

/// An action of a transaction, before it is known whether its table takes it.
pub(crate) struct Action {
    /// The table.
    pub named: Named,
    /// Whether the item is shown where the condition does not hold.
    pub shows: bool,
    doing: Doing,
    condition: Option<Condition>,
}

/// What is done.
enum Doing {
    Put(Item),
    Update(Item, Changes),
    Delete(Item),
    Check(Item),
}

/// The members that all actions have.
struct Common {
    table_name: String,
    condition: Option<String>,
    names: Option<BTreeMap<String, String>>,
    values: Option<Attributes>,
    shows: Option<String>,
}

impl Action {
    /// The action that was sent.
    ///
    /// # Errors
    /// It is none, or more than one.
    pub fn read(sent: TransactWriteItem, context: &Context) -> Result<Self, ApiError> {
        let TransactWriteItem {
            condition_check,
            put,
            delete,
            update,
        } = sent;
        match (condition_check, put, delete, update) {
            (Some(sent), None, None, None) => of_check(sent, context),
            (None, Some(sent), None, None) => of_put(sent, context),
            (None, None, Some(sent), None) => of_delete(sent, context),
            (None, None, None, Some(sent)) => of_update(sent, context),
            (None, None, None, None) => Err(validation(
                "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request",
            )),
            _ => Err(validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            )),
        }
    }

    /// The operation that policies know it as.
    pub fn operation(&self) -> &'static str {
        match self.doing {
            Doing::Put(_) => "PutItem",
            Doing::Update(..) => "UpdateItem",
            Doing::Delete(_) => "DeleteItem",
            Doing::Check(_) => "ConditionCheckItem",
        }
    }

    /// The bytes that it brings.
    pub fn bytes(&self) -> usize {
        match &self.doing {
            Doing::Put(item) => item_size(item),
            Doing::Update(key, _) | Doing::Delete(key) | Doing::Check(key) => item_size(key),
        }
    }

    /// The write.
    ///
    /// # Errors
    /// The table does not take it.
    pub fn write(self, table: &TableRecord) -> Result<Write, Fault> {
        let condition = self.condition;
        match self.doing {
            Doing::Put(item) => writes::put(item, condition, table),
            Doing::Update(key, update) => writes::update(key, update, condition, table),
            Doing::Delete(key) => writes::of_key(key, WriteAction::Delete, condition, table),
            Doing::Check(key) => writes::of_key(key, WriteAction::Check, condition, table),
        }
    }
}

impl Common {
    /// The action of what is done to an item, which may be an update too.
    fn action(
        self,
        sent: Attributes,
        update: Option<String>,
        doing: impl FnOnce(Item, Option<Changes>) -> Result<Doing, Fault>,
        context: &Context,
    ) -> Result<Action, ApiError> {
        let named = Named::new(self.table_name, context)?;
        let placeholders = Sent {
            names: self.names,
            values: self.values,
        };
        let conditional = Conditional {
            expression: self.condition,
            ..Conditional::default()
        };
        let of_update = update.iter().map(|_| ("UpdateExpression", true));
        let expressions: Vec<_> = of_update.chain([conditional.expression_sent()]).collect();
        let dialects = Dialects {
            projection: None,
            expressions: &expressions,
            older: &[],
        };
        dialects.check(&placeholders)?;
        let item = values::item(sent)?;
        let mut placeholders = placeholders.read()?;
        let updating = |text| Updating {
            expression: Some(text),
            older: None,
        };
        let update = update.map(|text| updating(text).read(&mut placeholders));
        let update = update.transpose()?;
        let condition = conditional.read(&mut placeholders)?;
        check_used(&placeholders)?;
        Ok(Action {
            named,
            shows: shows_failed(self.shows.as_deref()),
            doing: doing(item, update)?,
            condition,
        })
    }
}

fn of_check(sent: ConditionCheck, context: &Context) -> Result<Action, ApiError> {
    let ConditionCheck {
        key,
        table_name,
        condition_expression,
        expression_attribute_names,
        expression_attribute_values,
        return_values_on_condition_check_failure,
    } = sent;
    let common = Common {
        table_name,
        condition: Some(condition_expression),
        names: expression_attribute_names,
        values: expression_attribute_values,
        shows: return_values_on_condition_check_failure,
    };
    common.action(key, None, |key, _| Ok(Doing::Check(key)), context)
}

fn of_put(sent: Put, context: &Context) -> Result<Action, ApiError> {
    let Put {
        item,
        table_name,
        condition_expression,
        expression_attribute_names,
        expression_attribute_values,
        return_values_on_condition_check_failure,
    } = sent;
    let common = Common {
        table_name,
        condition: condition_expression,
        names: expression_attribute_names,
        values: expression_attribute_values,
        shows: return_values_on_condition_check_failure,
    };
    let doing = |item: Item, _| {
        writes::check_size(&item)?;
        Ok(Doing::Put(item))
    };
    common.action(item, None, doing, context)
}

fn of_delete(sent: Delete, context: &Context) -> Result<Action, ApiError> {
    let Delete {
        key,
        table_name,
        condition_expression,
        expression_attribute_names,
        expression_attribute_values,
        return_values_on_condition_check_failure,
    } = sent;
    let common = Common {
        table_name,
        condition: condition_expression,
        names: expression_attribute_names,
        values: expression_attribute_values,
        shows: return_values_on_condition_check_failure,
    };
    common.action(key, None, |key, _| Ok(Doing::Delete(key)), context)
}

fn of_update(sent: Update, context: &Context) -> Result<Action, ApiError> {
    let Update {
        key,
        update_expression,
        table_name,
        condition_expression,
        expression_attribute_names,
        expression_attribute_values,
        return_values_on_condition_check_failure,
    } = sent;
    let common = Common {
        table_name,
        condition: condition_expression,
        names: expression_attribute_names,
        values: expression_attribute_values,
        shows: return_values_on_condition_check_failure,
    };
    let doing = |key, update: Option<Changes>| {
        let update = update.unwrap_or_else(|| Changes(Vec::new()));
        Ok(Doing::Update(key, update))
    };
    common.action(key, Some(update_expression), doing, context)
}
