//! The root elements of S3's answers: the C2J models that we generate from leave them out.

use crate::Structure;

impl Structure {
    /// The name of the root element when this structure is a whole XML answer: what AWS sends, and what parsers that
    /// look at it (the SDK for Java's) expect. (Source: the S3 API reference.)
    pub fn xml_root(&self) -> &'static str {
        match self.name {
            "CompleteMultipartUploadOutput" => "CompleteMultipartUploadResult",
            "CreateMultipartUploadOutput" => "InitiateMultipartUploadResult",
            "CreateSessionOutput" => "CreateSessionResult",
            "DeleteObjectsOutput" => "DeleteResult",
            "GetBucketAccelerateConfigurationOutput" => "AccelerateConfiguration",
            "GetBucketAclOutput" | "GetObjectAclOutput" => "AccessControlPolicy",
            "GetBucketCorsOutput" => "CORSConfiguration",
            "GetBucketLifecycleConfigurationOutput" | "GetBucketLifecycleOutput" => {
                "LifecycleConfiguration"
            }
            "GetBucketLocationOutput" => "LocationConstraint",
            "GetBucketLoggingOutput" => "BucketLoggingStatus",
            "GetBucketRequestPaymentOutput" => "RequestPaymentConfiguration",
            "GetBucketTaggingOutput" | "GetObjectTaggingOutput" => "Tagging",
            "GetBucketVersioningOutput" => "VersioningConfiguration",
            "GetBucketWebsiteOutput" => "WebsiteConfiguration",
            "GetObjectAttributesOutput" => "GetObjectAttributesResponse",
            "ListBucketAnalyticsConfigurationsOutput" => "ListBucketAnalyticsConfigurationResult",
            "ListBucketInventoryConfigurationsOutput" => "ListInventoryConfigurationsResult",
            "ListBucketMetricsConfigurationsOutput" => "ListMetricsConfigurationsResult",
            "ListBucketsOutput" => "ListAllMyBucketsResult",
            "ListDirectoryBucketsOutput" => "ListAllMyDirectoryBucketsResult",
            "ListMultipartUploadsOutput" => "ListMultipartUploadsResult",
            "ListObjectVersionsOutput" => "ListVersionsResult",
            "ListObjectsOutput" | "ListObjectsV2Output" => "ListBucketResult",
            "ListPartsOutput" => "ListPartsResult",
            other => other,
        }
    }
}
