//! ListObjectsV2.

use headwater_shapes_s3::{ListObjectsV2Output, ListObjectsV2Request, ops::ListObjectsV2};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::api,
    listing::{self, Encoding, Page},
    settings,
};

const READ: [&str; 8] = [
    "list-type",
    "delimiter",
    "encoding-type",
    "max-keys",
    "prefix",
    "continuation-token",
    "fetch-owner",
    "start-after",
];

impl Handle<ListObjectsV2> for S3 {
    async fn handle(
        &self,
        input: ListObjectsV2Request,
        context: &Context,
    ) -> Result<ListObjectsV2Output, ApiError> {
        settings::check(&input, &READ, context)?;
        let encoding = Encoding::asked(input.encoding_type.as_deref())?;
        let after = match &input.continuation_token {
            Some(token) => Some(listing::place(token)?),
            None => input.start_after.clone(),
        };
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = Page::new(&input.bucket, prefix, delimiter, after, input.max_keys)?;
        let found = self.store.list(&page.query).await.map_err(api)?;
        let owner = input
            .fetch_owner
            .unwrap_or(false)
            .then(|| listing::owner(context));
        Ok(ListObjectsV2Output {
            is_truncated: Some(found.next.is_some()),
            key_count: listing::count(&found),
            contents: encoding.objects(&found.objects, owner.as_ref()),
            name: Some(input.bucket),
            prefix: Some(encoding.text(prefix.unwrap_or_default())),
            delimiter: page
                .query
                .delimiter
                .as_deref()
                .map(|delimiter| encoding.text(delimiter)),
            max_keys: Some(page.max_keys),
            common_prefixes: encoding.prefixes(&found.prefixes),
            encoding_type: encoding.name(),
            continuation_token: input.continuation_token,
            next_continuation_token: found.next.as_deref().map(listing::token),
            start_after: input.start_after.map(|key| encoding.text(&key)),
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn pages_go_on_from_their_token_and_keys_are_escaped() {
        let world = World::new().await;
        for key in ["a b", "d/1", "d/2", "e+"] {
            world.put(key, "x").await;
        }
        let mut input = ListObjectsV2Request {
            bucket: "bucket".into(),
            delimiter: Some("/".into()),
            encoding_type: Some("url".into()),
            max_keys: Some(1),
            start_after: Some("a".into()),
            ..Default::default()
        };
        let mut lines = Vec::new();
        loop {
            let output = call::<ListObjectsV2>(&world.s3, input.clone())
                .await
                .unwrap();
            assert_eq!(output.key_count, Some(1));
            assert_eq!(output.start_after.as_deref(), Some("a"));
            lines.extend(
                output
                    .contents
                    .into_iter()
                    .flatten()
                    .filter_map(|object| object.key),
            );
            lines.extend(
                output
                    .common_prefixes
                    .into_iter()
                    .flatten()
                    .filter_map(|prefix| prefix.prefix),
            );
            input.continuation_token = output.next_continuation_token;
            if input.continuation_token.is_none() {
                break;
            }
        }
        assert_eq!(lines, ["a%20b", "d/", "e%2B"]);
        let none = ListObjectsV2Request {
            max_keys: Some(0),
            continuation_token: None,
            ..input.clone()
        };
        let none = call::<ListObjectsV2>(&world.s3, none).await.unwrap();
        assert_eq!((none.key_count, none.is_truncated), (Some(0), Some(false)));
        let forged = ListObjectsV2Request {
            continuation_token: Some("?".into()),
            ..input
        };
        let forged = call::<ListObjectsV2>(&world.s3, forged).await.unwrap_err();
        assert_eq!(
            forged.message(),
            "The continuation token provided is incorrect"
        );
    }
}
