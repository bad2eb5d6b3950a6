//! The two dialects of requests, expressions and the older parameters, of which one may speak only one.

use headwater_wire::ApiError;

use crate::{errors::validation, items::placeholders::Sent};

/// A parameter's name, and whether it was sent.
pub(crate) type Parameter = (&'static str, bool);

/// The parameters of either dialect that an operation takes, in the order in which AWS names them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialects<'a> {
    /// `ProjectionExpression`, which has names only: whether it was sent, where the operation takes it.
    pub projection: Option<bool>,
    /// Expressions that values can stand in.
    pub expressions: &'a [Parameter],
    /// The older parameters.
    pub older: &'a [Parameter],
}

impl Dialects<'_> {
    /// Whether only one of them is spoken, and placeholders come only with expressions that they can stand in.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&self, sent: &Sent) -> Result<(), ApiError> {
        let projection = self.projection.map(|sent| ("ProjectionExpression", sent));
        let expressions = those_sent(projection.iter().chain(self.expressions));
        let older = those_sent(self.older);
        if !expressions.is_empty() && !older.is_empty() {
            return Err(validation(format!(
                "Can not use both expression and non-expression parameters in the same request: \
                 Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
                older.join(", "),
                expressions.join(", ")
            )));
        }
        if sent.names.is_some() && expressions.is_empty() {
            return Err(validation(
                "ExpressionAttributeNames can only be specified when using expressions",
            ));
        }
        if sent.values.is_some() && !self.expressions.iter().any(|(_, sent)| *sent) {
            let names: Vec<&str> = self.expressions.iter().map(|(name, _)| *name).collect();
            let are = if names.len() == 1 { "is" } else { "are" };
            return Err(validation(format!(
                "ExpressionAttributeValues can only be specified when using expressions: {} {are} null",
                names.join(" and ")
            )));
        }
        Ok(())
    }
}

fn those_sent<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> Vec<&'static str> {
    let parameters = parameters.into_iter();
    let sent = parameters.filter(|(_, sent)| *sent);
    sent.map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::collections::BTreeMap;

    use super::*;

    fn refused(dialects: Dialects<'_>, names: bool, values: bool) -> String {
        let sent = Sent {
            names: names.then(BTreeMap::new),
            values: values.then(BTreeMap::new),
        };
        dialects.check(&sent).unwrap_err().message().to_owned()
    }

    #[test]
    fn only_one_dialect_is_spoken() {
        let dialects = Dialects {
            projection: Some(true),
            expressions: &[
                ("FilterExpression", true),
                ("KeyConditionExpression", false),
            ],
            older: &[("AttributesToGet", false), ("QueryFilter", true)],
        };
        assert_eq!(
            refused(dialects, false, false),
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
             {QueryFilter} Expression parameters: {ProjectionExpression, FilterExpression}"
        );
    }

    #[test]
    fn placeholders_need_expressions() {
        let update = Dialects {
            projection: None,
            expressions: &[("UpdateExpression", false), ("ConditionExpression", false)],
            older: &[("Expected", true)],
        };
        assert_eq!(
            refused(update, true, true),
            "ExpressionAttributeNames can only be specified when using expressions"
        );
        assert_eq!(
            refused(update, false, true),
            "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and \
             ConditionExpression are null"
        );
        let scan = Dialects {
            projection: Some(true),
            expressions: &[("FilterExpression", false)],
            older: &[],
        };
        assert_eq!(
            refused(scan, true, true),
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"
        );
    }
}
