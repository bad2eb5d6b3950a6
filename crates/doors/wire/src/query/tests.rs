//! Forms as clients write them, and the answers that they read.

use headwater_shapes::{Member, Shape, Structure, optional};
use headwater_types::{Account, Region};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::{Context, xml};

static TEXT: Shape = Shape::String {
    min: None,
    max: None,
    pattern: None,
    values: &[],
};
static WHOLE: Shape = Shape::Integer {
    min: None,
    max: None,
};
static TAG: [Member; 2] = [optional("Key", &TEXT), optional("Value", &TEXT)];
static TAG_SHAPE: Shape = Shape::Structure(&Structure {
    name: "Tag",
    members: &TAG,
    payload: None,
    union: false,
});
static TAGS: Shape = list(&TAG_SHAPE, false);
static NAMES: Shape = list(&TEXT, true);
static COUNTS: Shape = Shape::Map {
    key: &TEXT,
    value: &WHOLE,
    min: None,
    max: None,
};
static MEMBERS: [Member; 4] = [
    optional("Tags", &TAGS),
    optional("Name", &NAMES),
    optional("Counts", &COUNTS),
    optional("maxResults", &WHOLE),
];
static INPUT: Structure = Structure {
    name: "In",
    members: &MEMBERS,
    payload: None,
    union: false,
};

const fn list(member: &'static Shape, flattened: bool) -> Shape {
    Shape::List {
        member,
        member_name: "member",
        flattened,
        min: None,
        max: None,
    }
}

const QUERY: Form = Form {
    namespace: Some("urn:x"),
    is_ec2: false,
    spelling: None,
};
const EC2: Form = Form {
    namespace: None,
    is_ec2: true,
    spelling: None,
};

fn tree(text: &str, form: Form) -> Value {
    read(&Fields::parse(text).unwrap(), &INPUT, form).unwrap()
}

#[test]
fn lists_maps_and_structures_are_numbered() {
    let text = "Action=X&Version=1&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=%26+c&Name.1=x&\
                Name.10=z&Name.2=y&Counts.entry.1.key=k&Counts.entry.1.value=7&maxResults=3&Unknown.1=u";
    let expected = json!({
        "Tags": [{"Key": "a", "Value": "& c"}, {"Key": "b"}],
        "Name": ["x", "y", "z"],
        "Counts": {"k": 7},
        "maxResults": 3,
    });
    assert_eq!(tree(text, QUERY), expected);
    // An empty list is a name alone.
    assert_eq!(tree("Tags=", QUERY), json!({"Tags": []}));
}

#[test]
fn ec2_flattens_and_capitalizes() {
    let expected = json!({"Tags": [{"Key": "a"}], "maxResults": 3});
    assert_eq!(tree("Tags.1.Key=a&MaxResults=3", EC2), expected);
}

#[test]
fn a_form_that_cannot_be_is_refused() {
    let refused = |text: &str| {
        Fields::parse(text)
            .and_then(|fields| read(&fields, &INPUT, QUERY))
            .unwrap_err()
    };
    assert_eq!(
        refused("maxResults=x").message(),
        "maxResults must be an integer"
    );
    assert_eq!(
        refused(&format!("a{}=1", ".b".repeat(100))).code(),
        "MalformedInput"
    );
    assert_eq!(refused(&"a=1&".repeat(100_000)).code(), "MalformedInput");
}

#[test]
fn dots_are_counted_in_names_alone_however_they_are_written() {
    let names = |dot: &str| format!("{}=&", format!("a{dot}").repeat(30)).repeat(11_000);
    for dot in [".", "%2E", "%2e"] {
        let refused = Fields::parse(&names(dot)).unwrap_err();
        assert_eq!(refused.message(), "the parameters' names are too long");
    }
    let many = Fields::parse(&format!("Name.1={}", ".".repeat(1 << 20))).unwrap();
    let read = read(&many, &INPUT, QUERY).unwrap();
    assert_eq!(read["Name"][0].as_str().unwrap().len(), 1 << 20);
}

#[test]
fn fields_may_come_in_any_order_and_the_first_of_a_name_counts() {
    let text = "Tags.member.1.Value=v&Name.1=x&Tags-x=1&Tags.member.1.Key=a&Tags%2Emember.1.Key=b&Name.1=y";
    let expected = json!({"Tags": [{"Key": "a", "Value": "v"}], "Name": ["x"]});
    assert_eq!(tree(text, QUERY), expected);
}

fn context() -> Context {
    let account = Account("000000000000".to_owned());
    Context::new("R1", Region("us-east-1".to_owned()), account, "localhost")
}

async fn document(error: &ApiError, form: Form) -> (u16, xml::Element, String) {
    let response = refuse(error, form, &context());
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (status, xml::parse(&bytes).unwrap(), text)
}

#[tokio::test]
async fn errors_say_whose_fault_they_are() {
    let error = ApiError::new(400, "ValidationException", "a < b");
    let (status, root, text) = document(&error, QUERY).await;
    let said = root.child("Error").unwrap();
    let texts = ["Type", "Code", "Message"].map(|name| said.child_text(name).unwrap());
    assert_eq!(
        (status, texts),
        (400, ["Sender", "ValidationError", "a < b"])
    );
    assert_eq!(root.child_text("RequestId"), Some("R1"));
    assert!(text.contains("<ErrorResponse xmlns=\"urn:x\">"), "{text}");
    let (_, root, _) = document(&ApiError::internal("x"), EC2).await;
    let said = root
        .child("Errors")
        .and_then(|errors| errors.child("Error"))
        .unwrap();
    assert_eq!(said.child_text("Code"), Some("InternalFailure"));
    assert_eq!(root.child_text("RequestID"), Some("R1"));
}
