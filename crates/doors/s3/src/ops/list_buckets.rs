//! ListBuckets.

use headwater_objects::BucketQuery;
use headwater_shapes_s3::{Bucket, ListBucketsOutput, ListBucketsRequest, ops::ListBuckets};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, argument},
    limits::MAX_BUCKETS,
    listing, settings,
    times::timestamp,
};

const READ: [&str; 4] = [
    "max-buckets",
    "continuation-token",
    "prefix",
    "bucket-region",
];

impl Handle<ListBuckets> for S3 {
    async fn handle(
        &self,
        input: ListBucketsRequest,
        context: &Context,
    ) -> Result<ListBucketsOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let owner = Some(listing::owner(context));
        if input
            .bucket_region
            .as_ref()
            .is_some_and(|region| *region != context.region.0)
        {
            return Ok(ListBucketsOutput {
                owner,
                buckets: Some(Vec::new()),
                prefix: input.prefix,
                ..Default::default()
            });
        }
        let limit = max_buckets(input.max_buckets)?;
        let query = BucketQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            after: input
                .continuation_token
                .as_deref()
                // AWS takes an empty one for none.
                .filter(|token| !token.is_empty())
                .map(listing::place)
                .transpose()?,
            limit: limit + 1,
        };
        let mut found = self.store.list_buckets(&query).await.map_err(api)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| listing::token(last.name.as_str()));
        // A plain list of old has no regions in it.
        let paged =
            input.max_buckets.is_some() || input.bucket_region.is_some() || input.prefix.is_some();
        let bucket = |info: headwater_objects::BucketInfo| Bucket {
            name: Some(info.name.to_string()),
            creation_date: Some(timestamp(info.created)),
            bucket_region: paged.then(|| context.region.0.clone()),
            bucket_arn: Some(format!("arn:aws:s3:::{}", info.name)),
        };
        let buckets = found.into_iter().map(bucket).collect();
        Ok(ListBucketsOutput {
            buckets: Some(buckets),
            owner,
            continuation_token: next,
            prefix: input.prefix,
        })
    }
}

fn max_buckets(asked: Option<i32>) -> Result<usize, ApiError> {
    match asked.unwrap_or(MAX_BUCKETS) {
        asked @ 1..=MAX_BUCKETS => Ok(asked as usize),
        other => Err(argument(
            "Argument max-buckets must be an integer between 1 and 10000",
            "max-buckets",
            &other.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn buckets_come_in_pages() {
        let world = World::new().await;
        for name in ["aaa", "bbb", "ccc"] {
            world.create_bucket(name).await;
        }
        let mut names = Vec::new();
        let mut input = ListBucketsRequest {
            max_buckets: Some(2),
            ..Default::default()
        };
        loop {
            let output = call::<ListBuckets>(&world.s3, input.clone()).await.unwrap();
            names.extend(
                output
                    .buckets
                    .unwrap()
                    .into_iter()
                    .filter_map(|bucket| bucket.name),
            );
            input.continuation_token = output.continuation_token;
            if input.continuation_token.is_none() {
                break;
            }
        }
        assert_eq!(names, ["aaa", "bbb", "bucket", "ccc"]);
    }
}
