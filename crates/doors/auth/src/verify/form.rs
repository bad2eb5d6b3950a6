//! Signatures of forms that a browser posts to S3: made over the policy in the form, in version 4 or 2. (Source: the S3
//! API reference, "Authenticating requests: browser-based uploads using POST"; errors recorded on AWS by LocalStack.)

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use headwater_shapes::ApiError;

use crate::{
    Caller,
    sign::hmac_matches,
    verify::{
        Refusal, Verifier,
        claim::{Claim, Texts},
    },
};

/// A form's policy and what is said of its signature.
#[derive(Debug)]
pub struct SignedForm<'a> {
    policy: &'a str,
    token: Option<&'a str>,
    signature: Signature<'a>,
}

#[derive(Debug)]
enum Signature<'a> {
    Four {
        algorithm: &'a str,
        credential: &'a str,
        signature: &'a str,
        date: &'a str,
    },
    Two {
        key: &'a str,
        signature: &'a str,
    },
}

const VERSION_4: [&str; 4] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
];
const VERSION_2: [&str; 2] = ["AWSAccessKeyId", "Signature"];

impl<'a> SignedForm<'a> {
    /// The signature in the fields of a form, which are found by their names in small letters; none where no field is one
    /// of a signature's.
    ///
    /// # Errors
    /// Some of the fields are there and not all.
    pub fn of(field: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Self>, ApiError> {
        let named = |name: &&str| field(&name.to_ascii_lowercase());
        let four = VERSION_4.each_ref().map(named);
        let two = VERSION_2.each_ref().map(named);
        let signature = if four.iter().any(Option::is_some) {
            let [algorithm, credential, signature, date] = all(VERSION_4, four)?;
            Signature::Four {
                algorithm,
                credential,
                signature,
                date,
            }
        } else if two.iter().any(Option::is_some) {
            let [key, signature] = all(VERSION_2, two)?;
            Signature::Two { key, signature }
        } else {
            return Ok(None);
        };
        let [policy] = all(["policy"], [field("policy")])?;
        Ok(Some(Self {
            policy,
            token: field("x-amz-security-token"),
            signature,
        }))
    }
}

/// The values of fields that must all be there.
fn all<'a, const N: usize>(
    names: [&str; N],
    values: [Option<&'a str>; N],
) -> Result<[&'a str; N], ApiError> {
    let missing = names.iter().zip(&values).find(|(_, value)| value.is_none());
    match missing {
        Some((name, _)) => Err(missing_field(name)),
        None => Ok(values.map(Option::unwrap_or_default)),
    }
}

/// A form lacks a field.
pub fn missing_field(name: &str) -> ApiError {
    let text = format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    );
    ApiError::new(400, "InvalidArgument", text)
        .with("ArgumentName", name)
        .with("ArgumentValue", "")
}

impl Verifier {
    /// The caller that signed a form's policy with one of the keys. How long it is valid is the policy's to say.
    pub fn check_form(&self, form: &SignedForm<'_>) -> Result<Arc<Caller>, ApiError> {
        let checked = match form.signature {
            Signature::Four {
                algorithm,
                credential,
                signature,
                date,
            } => self.check_form_4(
                form,
                Texts {
                    algorithm: algorithm.into(),
                    credential: credential.into(),
                    signed_headers: Cow::default(),
                    signature: signature.into(),
                    date: date.into(),
                    token: form.token.map(Cow::from),
                    presigned: None,
                },
            ),
            Signature::Two { key, signature } => self.check_form_2(form, key, signature),
        };
        checked.map_err(|refusal| {
            tracing::debug!(?refusal, "a form was refused");
            refusal.s3(true)
        })
    }

    fn check_form_4(
        &self,
        form: &SignedForm<'_>,
        texts: Texts<'_>,
    ) -> Result<Arc<Caller>, Refusal> {
        let claim = Claim::new(texts)?;
        let wrong = claim.wrong_scope(self.expected_region(&claim), "s3");
        if !wrong.is_empty() {
            return Err(Refusal::Scope(wrong));
        }
        let Some(key) = self.0.keys.get(&claim.access_key_id) else {
            return Err(Refusal::UnknownKey(claim.access_key_id));
        };
        let signing_key = self.signing_key(&key.credentials, &claim, "s3");
        if !hmac_matches(&signing_key, form.policy.as_bytes(), &claim.signature) {
            return Err(mismatch(form, &claim.access_key_id, &claim.signature));
        }
        self.check_token(&key.credentials, form.token)?;
        Ok(key.holder.clone())
    }

    fn check_form_2(
        &self,
        form: &SignedForm<'_>,
        id: &str,
        signature: &str,
    ) -> Result<Arc<Caller>, Refusal> {
        let Some(key) = self.0.keys.get(id) else {
            return Err(Refusal::UnknownKey(id.to_owned()));
        };
        let secret = key.credentials.secret_access_key.as_bytes();
        let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(form.policy.as_bytes());
        let given = STANDARD.decode(signature);
        if !given.is_ok_and(|given| mac.verify_slice(&given).is_ok()) {
            return Err(mismatch(form, id, signature));
        }
        self.check_token(&key.credentials, form.token)?;
        Ok(key.holder.clone())
    }
}

fn mismatch(form: &SignedForm<'_>, key: &str, signature: &str) -> Refusal {
    Refusal::Mismatch {
        access_key_id: key.to_owned(),
        signature: signature.to_owned(),
        canonical_request: String::new(),
        text_to_sign: form.policy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use headwater_env::ManualClock;
    use headwater_types::{Account, Millis, Region};

    use super::*;
    use crate::{
        sign::{Credentials, hex, hmac, signing_key},
        verify::Key,
    };

    type Fields = BTreeMap<&'static str, String>;

    fn verifier() -> Verifier {
        let key = Key {
            credentials: Credentials {
                access_key_id: "AKID".into(),
                secret_access_key: "secret".into(),
                session_token: None,
            },
            holder: Arc::new(Caller::root(Account("000000000000".into()))),
        };
        let clock = Arc::new(ManualClock::at(Millis(0)));
        Verifier::new([key], Region("us-east-1".into()), clock)
    }

    fn fields(pairs: &[(&'static str, &str)]) -> Fields {
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn four() -> Fields {
        let key = signing_key("secret", "20130524", "us-east-1", "s3");
        fields(&[
            ("policy", "e30="),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            (
                "x-amz-credential",
                "AKID/20130524/us-east-1/s3/aws4_request",
            ),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-signature", &hex(&hmac(&key, b"e30="))),
        ])
    }

    fn two() -> Fields {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").unwrap();
        mac.update(b"e30=");
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        fields(&[
            ("policy", "e30="),
            ("awsaccesskeyid", "AKID"),
            ("signature", &signature),
        ])
    }

    fn check(fields: &Fields) -> Result<(), ApiError> {
        let field = |name: &str| fields.get(name).map(String::as_str);
        let form = SignedForm::of(field)?;
        verifier().check_form(&form.unwrap()).map(drop)
    }

    #[test]
    fn a_form_is_signed_in_either_version() {
        check(&four()).unwrap();
        check(&two()).unwrap();
        assert!(SignedForm::of(|_| None).unwrap().is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        for (mut form, name) in [(four(), "x-amz-signature"), (two(), "awsaccesskeyid")] {
            form.remove(name);
            let missing = check(&form).unwrap_err();
            assert_eq!(missing.code(), "InvalidArgument");
            let told = missing.fields()["ArgumentName"].as_str().unwrap();
            assert!(told.eq_ignore_ascii_case(name), "{told}");
        }
        for mut form in [four(), two()] {
            form.insert("policy", "e30".into());
            let wrong = check(&form).unwrap_err();
            assert_eq!(wrong.code(), "SignatureDoesNotMatch");
            assert_eq!(wrong.fields()["StringToSign"], "e30");
        }
        let mut elsewhere = four();
        let scope = "AKID/20130524/eu-west-1/s3/aws4_request";
        elsewhere.insert("x-amz-credential", scope.into());
        assert!(
            check(&elsewhere)
                .unwrap_err()
                .message()
                .contains("expecting 'us-east-1'")
        );
        let mut unknown = two();
        unknown.insert("awsaccesskeyid", "other".into());
        assert_eq!(check(&unknown).unwrap_err().code(), "InvalidAccessKeyId");
    }
}
