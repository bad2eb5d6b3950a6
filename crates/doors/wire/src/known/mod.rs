//! The services of AWS that are not built: a client of one gets an answer that it can read and that names the service.

mod services;

use headwater_shapes::Protocol;

use crate::{ApiError, dialect::Dialect};

/// A service of AWS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    name: &'static str,
    title: &'static str,
    signing_name: &'static str,
    version: &'static str,
    protocol: Protocol,
    json_version: &'static str,
    target: &'static str,
    xml_namespace: &'static str,
}

impl Known {
    /// The service that signatures are made for under that name.
    pub(crate) fn signed(signing_name: &str) -> Option<&'static Self> {
        let mut all = services::SERVICES.iter();
        all.find(|known| known.signing_name == signing_name)
    }

    /// The service that stands before the dot of `X-Amz-Target` or in the path of RPC v2.
    pub(crate) fn targeted(target: &str) -> Option<&'static Self> {
        let mut all = services::SERVICES.iter();
        all.find(|known| !known.target.is_empty() && known.target == target)
    }

    /// The service of the query protocols with that version.
    pub(crate) fn queried(version: &str) -> Option<&'static Self> {
        let mut all = services::SERVICES.iter();
        all.find(|known| known.speaks_query() && known.version == version)
    }

    fn speaks_query(&self) -> bool {
        matches!(self.protocol, Protocol::Query | Protocol::Ec2Query)
    }

    /// The way in which its clients speak.
    pub(crate) fn dialect(&self) -> Dialect {
        let namespace = (!self.xml_namespace.is_empty()).then_some(self.xml_namespace);
        Dialect::of(self.protocol, self.json_version, namespace)
    }

    /// The answer to each of its requests.
    pub(crate) fn refusal(&self) -> ApiError {
        ApiError::not_supported(format_args!("{} ({})", self.title, self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_what_their_clients_send() {
        let sts = Known::signed("sts").unwrap();
        assert_eq!(Known::queried("2011-06-15"), Some(sts));
        assert_eq!(
            sts.refusal().message(),
            "Headwater does not support AWS Security Token Service (sts) yet."
        );
        assert_eq!(
            Known::targeted("DynamoDB_20120810").unwrap().name,
            "dynamodb"
        );
        assert_eq!(Known::targeted(""), None);
        assert_eq!(Known::signed("nothing"), None);
    }
}
