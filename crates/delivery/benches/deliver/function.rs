//! A function that answers with what it is sent, in this process: what remains is what the contract itself costs, its
//! JSON and its base64.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Invoke, InvokeError};
use headwater_types::Arn;
use serde::{Deserialize, Serialize};

pub struct Echo;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    records: Vec<Asked<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    record_id: &'a str,
    data: &'a str,
}

#[derive(Serialize)]
struct Response<'a> {
    records: Vec<Answered<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    record_id: &'a str,
    result: &'static str,
    data: &'a str,
}

#[async_trait]
impl Invoke for Echo {
    async fn invoke(&self, _arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError> {
        let failed = |error: serde_json::Error| InvokeError::Failed(error.to_string());
        let request: Request<'_> = serde_json::from_slice(&payload).map_err(failed)?;
        let answered = |Asked { record_id, data }| Answered { record_id, result: "Ok", data };
        let response = Response { records: request.records.into_iter().map(answered).collect() };
        serde_json::to_vec(&response).map(Bytes::from).map_err(failed)
    }
}
