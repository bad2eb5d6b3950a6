//! PostObject: the form that a browser posts to a bucket. Its fields are the headers of a put, under a policy that whoever
//! made the form has signed.

use std::collections::BTreeMap;

use headwater_auth::verify::{SignedForm, missing_field};
use headwater_shapes::{Operation, Tree};
use headwater_shapes_s3::{
    PostObjectOutput, PostObjectRequest, PostResponse, PutObjectOutput, PutObjectRequest,
    ops::{PostObject, PutObject},
};
use headwater_wire::{
    ApiError, Context, Handle,
    rest::{Format, Message, Unreadable, read},
    xml,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    S3,
    errors::{argument, malformed_xml, precondition_failed},
    form::{Form, Multipart, Policy, Sizes},
    listing::location,
    settings, tags,
};

/// Fields that are headers of a put, besides those whose names begin with `x-amz-`.
const HEADERS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
/// Fields that are the signature's.
const SIGNATURES: [&str; 5] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];
const METADATA: &str = "x-amz-meta-";

impl Handle<PostObject> for S3 {
    async fn handle(
        &self,
        input: PostObjectRequest,
        context: &Context,
    ) -> Result<PostObjectOutput, ApiError> {
        settings::check(&input, &["Content-Type"], context)?;
        let content_type = input.content_type.unwrap_or_default();
        let Some(body) = Multipart::new(input.body.chunks, &content_type) else {
            return Err(precondition_failed(
                "Bucket POST must be of the enclosure-type multipart/form-data",
            ));
        };
        let form = Form::read(body).await?;
        if form.field("key").is_none() {
            return Err(missing_field("key"));
        }
        let signed = SignedForm::of(|name| form.field(name))?;
        context.admit_form(signed.as_ref())?;
        let sizes = self.sizes(&form, &input.bucket)?;
        let answer = Answer::asked(&form);
        let put = put(form, sizes, input.bucket.clone())?;
        let key = put.key.clone();
        let written = Handle::<PutObject>::handle(self, put, context).await?;
        Ok(answer.output(&input.bucket, &key, written, context))
    }
}

impl S3 {
    /// The sizes that a form's policy allows its file, where it has one and keeps to it.
    fn sizes(&self, form: &Form, bucket: &str) -> Result<Option<Sizes>, ApiError> {
        let Some(policy) = form.field("policy") else {
            return Ok(None);
        };
        Policy::parse(policy)?.check(bucket, &form.fields, self.clock.now())
    }
}

/// The put that a form asks for.
fn put(form: Form, sizes: Option<Sizes>, bucket: String) -> Result<PutObjectRequest, ApiError> {
    let mut message = Message {
        labels: vec![
            ("Bucket", bucket),
            ("Key", form.field("key").unwrap_or_default().to_owned()),
        ],
        ..Message::default()
    };
    let mut metadata = BTreeMap::new();
    for (name, value) in &form.fields {
        match name.as_str() {
            "acl" => add(&mut message.headers, "x-amz-acl", value)?,
            name if SIGNATURES.contains(&name) => {}
            // The tags of a form are in a field of another name and form.
            "x-amz-tagging" => return Err(settings::unsupported("x-amz-tagging")),
            name if let Some(key) = name.strip_prefix(METADATA) => {
                if HeaderName::from_bytes(name.as_bytes()).is_err() {
                    return Err(argument("This is no name of a header.", name, value));
                }
                metadata.insert(key.to_owned(), value.clone());
            }
            name if HEADERS.contains(&name) => add(&mut message.headers, name, value)?,
            name if name.starts_with("x-amz-") => {
                if !is_member(name) {
                    return Err(settings::unsupported(name));
                }
                add(&mut message.headers, name, value)?;
            }
            _ => {}
        }
    }
    let tree = read(PutObject::SHAPE.input, &message, Format::Xml(None));
    let tree = tree.map_err(|error| match error {
        Unreadable::Scalar { name, text, .. } => {
            argument(format!("Provided {name} is not valid"), name, &text)
        }
        _ => malformed_xml(),
    })?;
    let mut put = PutObjectRequest::from_value(tree).map_err(|_| malformed_xml())?;
    put.metadata = (!metadata.is_empty()).then_some(metadata);
    put.tagging = form.field("tagging").map(tagging).transpose()?;
    put.body = form.into_body(sizes);
    Ok(put)
}

fn is_member(name: &str) -> bool {
    let mut members = PutObject::SHAPE.input.members.iter();
    members.any(|member| member.wire_name.eq_ignore_ascii_case(name))
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), ApiError> {
    let invalid = || argument("This is no value of a header.", name, value);
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
    headers.insert(header, value);
    Ok(())
}

/// The tags in a form's field, as a header has them.
fn tagging(text: &str) -> Result<String, ApiError> {
    let root = xml::parse(text.as_bytes()).map_err(|_| malformed_xml())?;
    let set = root
        .child("TagSet")
        .map(|set| &set.children[..])
        .unwrap_or_default();
    let tag = |tag: &xml::Element| {
        let text = |name| {
            tag.child_text(name)
                .map(str::to_owned)
                .ok_or_else(malformed_xml)
        };
        Ok((text("Key")?, text("Value")?))
    };
    let pairs: Vec<(String, String)> = set.iter().map(tag).collect::<Result<_, ApiError>>()?;
    Ok(tags::to_header(&pairs))
}

/// How a form wants to be answered.
struct Answer {
    redirect: Option<String>,
    status: i32,
}

impl Answer {
    /// What the fields of a form say. AWS passes over a redirection that is no address, and statuses of other kinds.
    fn asked(form: &Form) -> Self {
        let redirect = form
            .field("success_action_redirect")
            .or(form.field("redirect"));
        let is_address = |text: &&str| {
            let is_header = HeaderValue::from_str(text).is_ok();
            is_header && (text.starts_with("http://") || text.starts_with("https://"))
        };
        let status = match form.field("success_action_status") {
            Some("200") => 200,
            Some("201") => 201,
            _ => 204,
        };
        Self {
            redirect: redirect.filter(is_address).map(str::to_owned),
            status,
        }
    }

    fn output(
        self,
        bucket: &str,
        key: &str,
        written: PutObjectOutput,
        context: &Context,
    ) -> PostObjectOutput {
        let PutObjectOutput {
            e_tag,
            version_id,
            expiration,
            ..
        } = written;
        if let Some(redirect) = self.redirect {
            let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let mark = if redirect.contains('?') { '&' } else { '?' };
            let etag = escaped(e_tag.as_deref().unwrap_or_default());
            let (bucket, key) = (escaped(bucket), escaped(key));
            return PostObjectOutput {
                status: Some(303),
                location: Some(format!(
                    "{redirect}{mark}bucket={bucket}&key={key}&etag={etag}"
                )),
                e_tag,
                version_id,
                expiration,
                post_response: None,
            };
        }
        let location = Some(location(context, bucket, key));
        let response = PostResponse {
            location: location.clone(),
            bucket: Some(bucket.to_owned()),
            key: Some(key.to_owned()),
            e_tag: e_tag.clone(),
        };
        PostObjectOutput {
            status: Some(self.status),
            location,
            e_tag,
            version_id,
            expiration,
            post_response: (self.status == 201).then_some(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_shapes::ByteStream;

    use super::*;
    use crate::testing::{World, call};

    /// A form with these fields and a file of four bytes.
    fn form(fields: &[(&str, &str)]) -> PostObjectRequest {
        let part = |name: &str, more: &str, value: &str| {
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n"
            )
        };
        let mut body: String = fields
            .iter()
            .map(|(name, value)| part(name, "", value))
            .collect();
        body += &part("file", "; filename=\"a.txt\"", "text");
        body += "--B--\r\n";
        PostObjectRequest {
            bucket: "bucket".into(),
            content_type: Some("multipart/form-data; boundary=B".into()),
            body: ByteStream::from_bytes(Bytes::from(body)),
        }
    }

    #[tokio::test]
    async fn fields_are_the_headers_of_a_put() {
        let world = World::new().await;
        let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b=c</Value></Tag></TagSet></Tagging>";
        let answer = call::<PostObject>(
            &world.s3,
            form(&[
                ("KEY", "dir/${filename}"),
                ("Content-Type", "text/plain"),
                ("x-amz-meta-Name", "ü"),
                ("tagging", tags),
                ("success_action_status", "201"),
                ("submit", "Upload"),
            ]),
        );
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, Some(201));
        let told = answer.post_response.unwrap();
        assert_eq!(told.key.as_deref(), Some("dir/a.txt"));
        assert!(answer.location.unwrap().ends_with("/bucket/dir%2Fa.txt"));
        assert_eq!(world.read("dir/a.txt").await, "text");
        let attributes = world.head("dir/a.txt").await.attributes;
        assert_eq!(attributes.headers["content-type"], "text/plain");
        assert_eq!(attributes.metadata["name"], "ü");
        assert_eq!(attributes.tags["a"], "b=c");
    }

    #[tokio::test]
    async fn a_browser_is_sent_on_to_an_address_alone() {
        let world = World::new().await;
        for (redirect, status) in [("http://a/b?c=d", 303), ("/b", 204)] {
            let fields = [("key", "k"), ("success_action_redirect", redirect)];
            let answer = call::<PostObject>(&world.s3, form(&fields)).await.unwrap();
            assert_eq!(answer.status, Some(status));
            let location = answer.location.unwrap();
            assert_eq!(
                location.starts_with("http://a/b?c=d&bucket=bucket&key=k&etag=%22"),
                status == 303
            );
        }
    }

    #[tokio::test]
    async fn what_a_put_refuses_a_form_is_refused() {
        let world = World::new().await;
        for (field, value, code) in [
            ("acl", "public-read", "AccessControlListNotSupported"),
            ("x-amz-storage-class", "FakeClass", "InvalidStorageClass"),
            ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"),
            ("x-amz-unknown", "x", "NotImplemented"),
            ("tagging", "not-xml", "MalformedXML"),
            ("policy", "e30=", "InvalidPolicyDocument"),
        ] {
            let refused =
                call::<PostObject>(&world.s3, form(&[("key", "k"), (field, value)])).await;
            assert_eq!(refused.unwrap_err().code(), code, "{field}");
        }
        let keyless = call::<PostObject>(&world.s3, form(&[])).await.unwrap_err();
        assert_eq!(keyless.fields()["ArgumentName"], "key");
        assert!(world.keys().await.is_empty());
    }
}
