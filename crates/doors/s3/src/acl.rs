//! Lists of who may do what (ACLs): everything is its owner's alone. A list that says just that is taken; a bucket whose
//! owner is enforced refuses any other as AWS does, and other buckets refuse it by name, as it would not be acted on.

use headwater_objects::{BucketName, BucketSettings, ObjectError, Ownership};
use headwater_shapes_s3::{AccessControlPolicy, Grant, Grantee, Owner};
use headwater_wire::{ApiError, Context};

use crate::{S3, errors::api, errors::invalid_request, listing, settings::unsupported};

/// The names on the wire of the members that [`asked`] reads.
pub const MEMBERS: [&str; 6] = [
    "x-amz-acl",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-grant-write",
];

/// The lists that leave everything to the owner. The reader of the second and the third is the owner of the bucket.
const OWNERS: [&str; 3] = ["private", "bucket-owner-read", "bucket-owner-full-control"];

const OTHERS: [&str; 5] = [
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "log-delivery-write",
];

/// The list that a request asks for.
pub struct Asked<'a> {
    /// By the name of a ready-made one.
    pub canned: Option<&'a str>,
    /// In headers, one a permission.
    pub granted: bool,
    /// In the body.
    pub policy: Option<&'a AccessControlPolicy>,
}

/// The list in the headers of a request for an object.
macro_rules! asked {
    ($input:expr) => {
        $crate::acl::Asked {
            canned: $input.acl.as_deref(),
            granted: [
                &$input.grant_full_control,
                &$input.grant_read,
                &$input.grant_read_acp,
                &$input.grant_write_acp,
            ]
            .into_iter()
            .any(Option::is_some),
            policy: None,
        }
    };
}

pub(crate) use asked;

impl Asked<'_> {
    /// Whether it leaves everything to the owner; an error where it says two things, or what cannot be.
    pub fn is_owners(&self, context: &Context) -> Result<bool, ApiError> {
        if self.canned.is_some() && self.granted {
            return Err(invalid_request(
                "Specifying both Canned ACLs and Header Grants is not allowed",
            ));
        }
        if self.policy.is_some() && (self.canned.is_some() || self.granted) {
            return Err(ApiError::new(
                400,
                "UnexpectedContent",
                "This request does not support content",
            ));
        }
        match (self.canned, self.policy) {
            (Some(name), _) if OWNERS.contains(&name) => Ok(true),
            (Some(name), _) if OTHERS.contains(&name) => Ok(false),
            // AWS says no more than the name.
            (Some(name), _) => Err(crate::errors::argument("", "x-amz-acl", name)),
            (None, Some(policy)) => is_owners(policy, context),
            (None, None) => Ok(!self.granted),
        }
    }

    /// Whether it is none at all.
    pub fn is_absent(&self) -> bool {
        self.canned.is_none() && !self.granted && self.policy.is_none()
    }
}

impl S3 {
    /// Refuses a list for `bucket` that gives anything to others than the owner.
    pub async fn check_acl(
        &self,
        bucket: &BucketName,
        asked: &Asked<'_>,
        context: &Context,
    ) -> Result<(), ApiError> {
        if asked.is_absent() || asked.is_owners(context)? {
            return Ok(());
        }
        let settings = match self.store.settings(bucket).await {
            // A bucket of a store behind this server has its owner's rules there.
            Err(ObjectError::Elsewhere(_)) => BucketSettings::default(),
            settings => settings.map_err(api)?,
        };
        match settings.ownership {
            Some(Ownership::BucketOwnerEnforced) => Err(ApiError::new(
                400,
                "AccessControlListNotSupported",
                "The bucket does not allow ACLs",
            )),
            _ => Err(unsupported(&match asked.canned {
                Some(name) => format!("x-amz-acl: {name}"),
                None => "an ACL for others than the owner".to_owned(),
            })),
        }
    }
}

/// The list of everything here: the owner may do anything.
pub fn of_owner(context: &Context) -> (Owner, Vec<Grant>) {
    let owner = listing::owner(context);
    let grantee = Grantee {
        id: owner.id.clone(),
        r#type: "CanonicalUser".to_owned(),
        ..Default::default()
    };
    let grant = Grant {
        grantee: Some(grantee),
        permission: Some("FULL_CONTROL".to_owned()),
    };
    (owner, vec![grant])
}

/// Whether a list grants just what the owner has.
fn is_owners(policy: &AccessControlPolicy, context: &Context) -> Result<bool, ApiError> {
    let AccessControlPolicy { grants, owner } = policy;
    let (Some(grants), Some(owner)) = (grants, owner) else {
        return Err(malformed());
    };
    let Owner {
        id,
        // Names of owners mean nothing, as on AWS since 2025.
        display_name: _,
    } = owner;
    let id = id.as_ref().ok_or_else(malformed)?;
    let (own, _) = of_owner(context);
    if Some(id) != own.id.as_ref() {
        return Err(crate::errors::argument(
            "Invalid id",
            "CanonicalUser/ID",
            id,
        ));
    }
    let full = grants.iter().map(|grant| is_full(grant, id));
    let full: Vec<bool> = full.collect::<Result<_, _>>()?;
    Ok(!full.is_empty() && full.into_iter().all(|is_full| is_full))
}

/// Whether a grant gives the owner everything.
fn is_full(grant: &Grant, owner: &str) -> Result<bool, ApiError> {
    let Grant {
        grantee,
        permission,
    } = grant;
    let (Some(grantee), Some(permission)) = (grantee, permission) else {
        return Err(malformed());
    };
    let Grantee {
        id,
        r#type,
        // A group is no owner, and its type says so.
        uri: _,
        // Names mean nothing besides the id.
        display_name: _,
        // Whom an address names is of another type.
        email_address: _,
    } = grantee;
    Ok(r#type == "CanonicalUser" && id.as_deref() == Some(owner) && permission == "FULL_CONTROL")
}

fn malformed() -> ApiError {
    ApiError::new(
        400,
        "MalformedACLError",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}
