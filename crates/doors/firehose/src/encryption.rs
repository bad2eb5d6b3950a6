//! The encryption of direct puts, in AWS's spelling. Keys are names here: what is encrypted is so under the
//! installation's own key, whichever is named.

use headwater_delivery::Encryption;
use headwater_shapes_firehose::{
    DeliveryStreamEncryptionConfiguration, DeliveryStreamEncryptionConfigurationInput,
};
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

const OWNED: &str = "AWS_OWNED_CMK";
const CUSTOMER_MANAGED: &str = "CUSTOMER_MANAGED_CMK";

/// The encryption that a request asks for; the service's own key where it names none.
pub(crate) fn of_request(
    given: Option<DeliveryStreamEncryptionConfigurationInput>,
) -> Result<Encryption, ApiError> {
    let Some(given) = given else {
        return Ok(Encryption { key: None });
    };
    let DeliveryStreamEncryptionConfigurationInput { key_arn, key_type } = given;
    match (&*key_type, key_arn) {
        (CUSTOMER_MANAGED, None) => Err(invalid_argument(
            "KeyARN must be specified when KeyType is CUSTOMER_MANAGED_CMK.",
        )),
        (OWNED, Some(_)) => Err(invalid_argument(
            "KeyARN must not be specified when KeyType is AWS_OWNED_CMK.",
        )),
        (_, key) => Ok(Encryption { key }),
    }
}

/// How it is described. A change is done when it is answered, so that there is nothing between on and off.
pub(crate) fn describe(encryption: Option<&Encryption>) -> DeliveryStreamEncryptionConfiguration {
    let key = encryption.and_then(|encryption| encryption.key.clone());
    let key_type = encryption.map(|_| {
        if key.is_some() {
            CUSTOMER_MANAGED
        } else {
            OWNED
        }
        .to_owned()
    });
    let status = if encryption.is_some() {
        "ENABLED"
    } else {
        "DISABLED"
    };
    DeliveryStreamEncryptionConfiguration {
        key_arn: key,
        key_type,
        status: Some(status.to_owned()),
        ..Default::default()
    }
}
