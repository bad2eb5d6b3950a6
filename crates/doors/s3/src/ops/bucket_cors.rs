//! GetBucketCors, PutBucketCors and DeleteBucketCors. What the rules do is [`crate::cors`]'s.

use headwater_objects::{CorsRule, Setting};
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    CORSConfiguration, CORSRule, DeleteBucketCorsRequest, GetBucketCorsOutput,
    GetBucketCorsRequest, PutBucketCorsRequest,
    ops::{DeleteBucketCors, GetBucketCors, PutBucketCors},
};
use headwater_wire::{ApiError, Context, Handle};

use super::bucket_without::none;
use crate::{
    S3,
    errors::{api, invalid_request, malformed_xml},
    limits::{CORS_BYTES_MAX, CORS_RULES_MAX},
    settings::{self, BODY},
};

const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

impl Handle<GetBucketCors> for S3 {
    async fn handle(
        &self,
        input: GetBucketCorsRequest,
        context: &Context,
    ) -> Result<GetBucketCorsOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let rules = self.store.settings(&bucket).await.map_err(api)?.cors;
        if rules.is_empty() {
            return none(
                "NoSuchCORSConfiguration",
                "The CORS configuration does not exist",
                &bucket,
            );
        }
        Ok(GetBucketCorsOutput {
            cors_rules: Some(rules.into_iter().map(shown).collect()),
        })
    }
}

impl Handle<PutBucketCors> for S3 {
    async fn handle(
        &self,
        input: PutBucketCorsRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(
            &input,
            &[&BODY[..], &["CORSConfiguration"]].concat(),
            context,
        )?;
        let bucket = self.bucket(&input.bucket).await?;
        let CORSConfiguration { cors_rules } = input.cors_configuration;
        if cors_rules.is_empty() || cors_rules.len() > CORS_RULES_MAX {
            return Err(malformed_xml());
        }
        let rules: Result<Vec<_>, _> = cors_rules.into_iter().map(rule).collect();
        let rules = rules?;
        if rules.iter().map(bytes_of).sum::<usize>() > CORS_BYTES_MAX {
            return Err(malformed_xml());
        }
        let set = self.store.set(&bucket, Setting::Cors(rules)).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<DeleteBucketCors> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketCorsRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let set = self.store.set(&bucket, Setting::Cors(Vec::new())).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

/// The bytes of a rule's texts.
fn bytes_of(rule: &CorsRule) -> usize {
    let id = rule.id.iter();
    let lists = [
        &rule.allowed_headers,
        &rule.allowed_methods,
        &rule.allowed_origins,
        &rule.expose_headers,
    ];
    id.chain(lists.into_iter().flatten()).map(String::len).sum()
}

/// A rule that keeps S3's rules for rules.
fn rule(rule: CORSRule) -> Result<CorsRule, ApiError> {
    let CORSRule {
        id,
        allowed_headers,
        allowed_methods,
        allowed_origins,
        expose_headers,
        max_age_seconds,
    } = rule;
    let rule = CorsRule {
        id,
        allowed_headers: allowed_headers.unwrap_or_default(),
        allowed_methods,
        allowed_origins,
        expose_headers: expose_headers.unwrap_or_default(),
        max_age_seconds,
    };
    let unknown = |method: &&String| !METHODS.contains(&method.as_str());
    if let Some(method) = rule.allowed_methods.iter().find(unknown) {
        return Err(invalid_request(format!(
            "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
        )));
    }
    for (name, patterns) in [
        ("AllowedOrigin", &rule.allowed_origins),
        ("AllowedHeader", &rule.allowed_headers),
    ] {
        if let Some(pattern) = patterns.iter().find(|p| p.matches('*').count() > 1) {
            return Err(invalid_request(format!(
                "{name} \"{pattern}\" can not have more than one wildcard."
            )));
        }
    }
    match rule.expose_headers.iter().find(|name| name.contains('*')) {
        None => Ok(rule),
        Some(name) => Err(invalid_request(format!(
            "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        ))),
    }
}

fn shown(rule: CorsRule) -> CORSRule {
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    CORSRule {
        id: rule.id,
        allowed_headers: some(rule.allowed_headers),
        allowed_methods: rule.allowed_methods,
        allowed_origins: rule.allowed_origins,
        expose_headers: some(rule.expose_headers),
        max_age_seconds: rule.max_age_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    fn good() -> CORSRule {
        CORSRule {
            allowed_methods: vec!["GET".into()],
            allowed_origins: vec!["https://*.example.com".into()],
            ..Default::default()
        }
    }

    async fn put(world: &World, rules: Vec<CORSRule>) -> Result<Nothing, ApiError> {
        let input = PutBucketCorsRequest {
            bucket: "bucket".into(),
            cors_configuration: CORSConfiguration { cors_rules: rules },
            ..Default::default()
        };
        call::<PutBucketCors>(&world.s3, input).await
    }

    #[tokio::test]
    async fn rules_come_back_until_they_are_deleted() {
        let world = World::new().await;
        let get = async || {
            let input = GetBucketCorsRequest {
                bucket: "bucket".into(),
                ..Default::default()
            };
            call::<GetBucketCors>(&world.s3, input).await
        };
        assert_eq!(get().await.unwrap_err().code(), "NoSuchCORSConfiguration");
        put(&world, vec![good()]).await.unwrap();
        assert_eq!(get().await.unwrap().cors_rules, Some(vec![good()]));
        let delete = DeleteBucketCorsRequest {
            bucket: "bucket".into(),
            ..Default::default()
        };
        call::<DeleteBucketCors>(&world.s3, delete).await.unwrap();
        assert_eq!(get().await.unwrap_err().code(), "NoSuchCORSConfiguration");
    }

    #[tokio::test]
    async fn wrong_rules_are_refused() {
        let world = World::new().await;
        let method = CORSRule {
            allowed_methods: vec!["MYMETHOD".into()],
            ..good()
        };
        let origin = CORSRule {
            allowed_origins: vec!["*://*".into()],
            ..good()
        };
        let exposed = CORSRule {
            expose_headers: Some(vec!["*".into()]),
            ..good()
        };
        for (rules, code) in [
            (vec![], "MalformedXML"),
            (vec![good(); CORS_RULES_MAX + 1], "MalformedXML"),
            (vec![method], "InvalidRequest"),
            (vec![origin], "InvalidRequest"),
            (vec![exposed], "InvalidRequest"),
        ] {
            assert_eq!(put(&world, rules).await.unwrap_err().code(), code);
        }
    }
}
