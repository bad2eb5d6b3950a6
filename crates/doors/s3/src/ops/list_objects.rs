//! ListObjects, the first version.

use headwater_shapes_s3::{ListObjectsOutput, ListObjectsRequest, ops::ListObjects};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::api,
    listing::{self, Encoding, Page},
    settings,
};

const READ: [&str; 5] = ["delimiter", "encoding-type", "marker", "max-keys", "prefix"];

impl Handle<ListObjects> for S3 {
    async fn handle(
        &self,
        input: ListObjectsRequest,
        context: &Context,
    ) -> Result<ListObjectsOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let encoding = Encoding::asked(input.encoding_type.as_deref())?;
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = Page::new(
            &input.bucket,
            prefix,
            delimiter,
            input.marker.clone(),
            input.max_keys,
        )?;
        let found = self.store.list(&page.query).await.map_err(api)?;
        let owner = listing::owner(context);
        let text = |text: Option<&str>| encoding.text(text.unwrap_or_default());
        Ok(ListObjectsOutput {
            is_truncated: Some(found.next.is_some()),
            marker: Some(text(input.marker.as_deref())),
            // Without a delimiter the last key says where to go on.
            next_marker: found
                .next
                .as_deref()
                .filter(|_| page.query.delimiter.is_some())
                .map(|m| encoding.text(m)),
            contents: encoding.objects(&found.objects, Some(&owner)),
            name: Some(input.bucket),
            prefix: Some(text(prefix)),
            delimiter: page
                .query
                .delimiter
                .as_deref()
                .map(|delimiter| encoding.text(delimiter)),
            max_keys: Some(page.max_keys),
            common_prefixes: encoding.prefixes(&found.prefixes),
            encoding_type: encoding.name(),
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn the_next_marker_comes_with_a_delimiter_alone() {
        let world = World::new().await;
        for key in ["a/1", "b", "c"] {
            world.put(key, "x").await;
        }
        let input = ListObjectsRequest {
            bucket: "bucket".into(),
            max_keys: Some(1),
            ..Default::default()
        };
        let plain = call::<ListObjects>(&world.s3, input.clone()).await.unwrap();
        assert_eq!((plain.is_truncated, plain.next_marker), (Some(true), None));
        assert!(plain.contents.unwrap()[0].owner.is_some());
        let delimited = ListObjectsRequest {
            delimiter: Some("/".into()),
            ..input
        };
        let first = call::<ListObjects>(&world.s3, delimited.clone())
            .await
            .unwrap();
        assert_eq!(first.next_marker.as_deref(), Some("a/"));
        let second = ListObjectsRequest {
            marker: first.next_marker,
            ..delimited
        };
        let second = call::<ListObjects>(&world.s3, second).await.unwrap();
        assert_eq!(second.contents.unwrap()[0].key.as_deref(), Some("b"));
    }
}
