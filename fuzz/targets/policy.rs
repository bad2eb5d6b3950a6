//! Policies of resources, and what they say of a call.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_auth::Caller;
use headwater_fuzz::target;
use headwater_iam::{Keys, Policy, Request, evaluate};
use headwater_types::Account;

target!(|text: &str| {
    let Ok(policy) = Policy::of_resource(text) else {
        return;
    };
    let caller = Caller::of_user(Account("111111111111".into()), "ann");
    let keys = [
        "aws:SourceIp",
        "aws:CurrentTime",
        "aws:SecureTransport",
        "aws:username",
        "aws:UserAgent",
    ];
    let values = ["10.1.2.3", "2018-01-01T00:00:00Z", "true", "ann", "a b"];
    let keys = keys
        .iter()
        .zip(values)
        .fold(Keys::default(), |keys, (key, value)| keys.with(key, value));
    let resource = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    let request = Request {
        caller: &caller,
        action: "kinesis:PutRecord",
        resource,
        keys: &keys,
    };
    evaluate([&policy], &request);
});
