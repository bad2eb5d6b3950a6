//! The parts that every client of a Kinesis stream needs: how to name the stream, and its shards.

use headwater_shapes_kinesis::{HashKeyRange, ListShardsInput, ListShardsOutput, Shard, ops};
use headwater_types::{HashKey, HashRange};

use crate::{CallError, Client};

/// A stream, in the two ways in which calls name one: exactly one of them is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRef {
    /// `StreamName`.
    pub name: Option<String>,
    /// `StreamARN`.
    pub arn: Option<String>,
}

impl StreamRef {
    /// The stream of that name or ARN.
    pub fn new(name_or_arn: &str) -> Self {
        let text = Some(name_or_arn.to_owned());
        match name_or_arn.starts_with("arn:") {
            true => Self {
                name: None,
                arn: text,
            },
            false => Self {
                name: text,
                arn: None,
            },
        }
    }
}

/// ListShards, all pages.
///
/// # Errors
/// The first call that fails.
pub async fn list_shards(client: &Client, stream: &StreamRef) -> Result<Vec<Shard>, CallError> {
    let mut shards = Vec::new();
    let mut token = None;
    loop {
        let page = shard_page(client, stream, token).await?;
        shards.extend(page.shards.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return Ok(shards);
        }
    }
}

async fn shard_page(
    client: &Client,
    stream: &StreamRef,
    token: Option<String>,
) -> Result<ListShardsOutput, CallError> {
    let input = match token {
        // With a token, nothing else may be named.
        Some(_) => ListShardsInput {
            next_token: token,
            ..Default::default()
        },
        None => ListShardsInput {
            stream_name: stream.name.clone(),
            stream_arn: stream.arn.clone(),
            ..Default::default()
        },
    };
    client.call::<ops::ListShards>(input).await
}

/// The hash keys that an answer gives a shard.
///
/// # Errors
/// When they are no hash keys.
pub fn hash_range(range: &HashKeyRange) -> Result<HashRange, CallError> {
    let hash_key = |text: &str| text.parse::<HashKey>().map_err(CallError::unreadable);
    Ok(HashRange {
        start: hash_key(&range.starting_hash_key)?,
        end: hash_key(&range.ending_hash_key)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_in_one_way() {
        let (name, arn) = (
            StreamRef::new("taxi"),
            StreamRef::new("arn:aws:kinesis:eu-west-1:1:stream/taxi"),
        );
        assert_eq!((name.name.as_deref(), name.arn), (Some("taxi"), None));
        assert!(arn.name.is_none() && arn.arn.is_some());
    }

    #[test]
    fn a_range_is_read_or_refused() {
        let range = |start: &str, end: &str| HashKeyRange {
            starting_hash_key: start.into(),
            ending_hash_key: end.into(),
        };
        let (start, end) = (HashKey(5), HashKey(7));
        assert_eq!(hash_range(&range("5", "7")), Ok(HashRange { start, end }));
        assert_eq!(
            hash_range(&range("5", "x")).unwrap_err().code,
            CallError::RESPONSE
        );
    }
}
