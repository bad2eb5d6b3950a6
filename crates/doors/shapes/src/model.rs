//! The static tables of a generated service: operations, structures, constraints and errors.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{ByteStream, Event, EventStream, Pattern, Tree};

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// AWS JSON 1.0 or 1.1: one URL, the operation in `X-Amz-Target`; CBOR (`x-amz-cbor-1.1`) where a client asks for it.
    Json,
    /// Smithy RPC v2 with CBOR: service and operation in the path.
    RpcV2Cbor,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
    /// AWS query: a form with `Action` and `Version`, answers in XML.
    Query,
    /// EC2's dialect of the query protocol.
    Ec2Query,
}

/// One AWS service.
#[derive(Debug)]
pub struct Service {
    /// The name that clients and IAM actions use: `kinesis`.
    pub name: &'static str,
    /// The name that signatures are made for.
    pub signing_name: &'static str,
    /// The version of the API, a date.
    pub version: &'static str,
    /// How it is spoken, in each way that its model names; a client of ours speaks the first.
    pub protocols: &'static [Protocol],
    /// `1.0` or `1.1`, where it speaks AWS JSON.
    pub json_version: &'static str,
    /// The text before the dot of `X-Amz-Target`, and the service in the path of RPC v2; empty for other protocols.
    pub target: &'static str,
    /// Whether its JSON and CBOR errors also tell the codes of the query protocol that it spoke before.
    pub query_compatible: bool,
    /// The XML namespace of its documents.
    pub xml_namespace: Option<&'static str>,
    /// Every operation of the model, built or not.
    pub operations: &'static [&'static OperationShape],
}

impl Service {
    /// Whether it is spoken in this way.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.protocols.contains(&protocol)
    }

    /// Whether it is REST with XML, which checks constraints in words of its own.
    pub fn speaks_xml(&self) -> bool {
        self.speaks(Protocol::RestXml)
    }

    /// The operation of that name, built or not.
    pub fn operation(&self, name: &str) -> Option<&'static OperationShape> {
        self.operations
            .iter()
            .find(|operation| operation.name == name)
            .copied()
    }
}

/// One operation as the model describes it.
#[derive(Debug)]
pub struct OperationShape {
    /// `PutRecords`.
    pub name: &'static str,
    /// Method, path and status, for the REST protocols.
    pub http: Http,
    /// The input's structure.
    pub input: &'static Structure,
    /// The output's structure.
    pub output: &'static Structure,
    /// The element around a query's answer, where it has one: `GetCallerIdentityResult`.
    pub result_wrapper: Option<&'static str>,
    /// The errors that the model names.
    pub errors: &'static [&'static ErrorShape],
}

/// An operation's place in HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// The path with its labels, and fixed query parameters: `/{Bucket}/{Key+}?uploads`.
    pub uri: &'static str,
    /// The status of a success.
    pub status: u16,
}

/// An error that a service's model names.
#[derive(Debug)]
pub struct ErrorShape {
    /// The type: `ResourceNotFoundException`.
    pub name: &'static str,
    /// Its code in the query protocol, where that is another.
    pub query_code: Option<&'static str>,
    /// The status.
    pub status: u16,
}

/// A structure: its name and members, in the order in which AWS checks them where that is known, else in the model's.
#[derive(Debug)]
pub struct Structure {
    /// `PutRecordsInput`.
    pub name: &'static str,
    /// The members.
    pub members: &'static [Member],
    /// The wire name of the member that is the whole body, in the REST protocols.
    pub payload: Option<&'static str>,
    /// At most one member is set.
    pub union: bool,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name in the model: `StreamName`.
    pub name: &'static str,
    /// Its name on the wire (header, query parameter, XML element, JSON key).
    pub wire_name: &'static str,
    /// The shape of its value.
    pub shape: &'static Shape,
    /// Whether it must be there.
    pub required: bool,
    /// Where it stands in a REST message.
    pub location: Location,
    /// In XML: an attribute of the element instead of an element in it.
    pub xml_attribute: bool,
    /// Whether its value is a secret, which no log may hold.
    pub secret: bool,
}

/// Where a member stands in a REST message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the body.
    Body,
    /// A label of the path.
    Uri,
    /// A header.
    Header,
    /// All headers with the prefix in `wire_name`.
    Headers,
    /// A query parameter; a map in this place takes all those left over.
    Query,
    /// The status itself.
    Status,
}

impl Member {
    /// The same member under another name on the wire.
    pub const fn named(mut self, wire_name: &'static str) -> Self {
        self.wire_name = wire_name;
        self
    }

    /// The same member in another place.
    pub const fn at(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// The same member as an attribute of its structure's element.
    pub const fn attribute(mut self) -> Self {
        self.xml_attribute = true;
        self
    }

    /// The same member with a value that is a secret.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// A member that need not be there.
pub const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        wire_name: name,
        shape,
        required: false,
        location: Location::Body,
        xml_attribute: false,
        secret: false,
    }
}

/// A member that must be there.
pub const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        required: true,
        ..optional(name, shape)
    }
}

/// The input or output that an operation does not have; also that of operations without types.
pub static NOTHING: Structure = Structure {
    name: "",
    members: &[],
    payload: None,
    union: false,
};

/// The type of [`NOTHING`]. In AWS JSON such an answer has no body at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Nothing {}

crate::tree!(Nothing {});

impl Valid for Nothing {
    fn valid(&self) -> bool {
        true
    }
}

/// A type with its constraints. Bounds are AWS's: characters of a string, bytes of a blob, members of a list.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "the fields are the constraints of the same name in AWS's models"
)]
pub enum Shape {
    String {
        min: Option<u64>,
        max: Option<u64>,
        pattern: Option<&'static Pattern>,
        values: &'static [&'static str],
    },
    Blob {
        min: Option<u64>,
        max: Option<u64>,
        streaming: bool,
    },
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Long {
        min: Option<i64>,
        max: Option<i64>,
    },
    Float {
        min: Option<f64>,
        max: Option<f64>,
    },
    Double {
        min: Option<f64>,
        max: Option<f64>,
    },
    Boolean,
    /// A time; `format` is `iso8601`, `rfc822` or `unixTimestamp` where the model names one.
    Timestamp {
        format: Option<&'static str>,
    },
    List {
        member: &'static Shape,
        member_name: &'static str,
        flattened: bool,
        min: Option<u64>,
        max: Option<u64>,
    },
    Map {
        key: &'static Shape,
        value: &'static Shape,
        min: Option<u64>,
        max: Option<u64>,
    },
    /// Any JSON.
    Document,
    Structure(&'static Structure),
}

/// An operation's types, generated; its behaviour is a handler's.
pub trait Operation: Send + Sync + 'static {
    /// The service it belongs to.
    const SERVICE: &'static Service;
    /// Its tables.
    const SHAPE: &'static OperationShape;
    /// The input.
    type Input: Tree + Send + 'static;
    /// The output.
    type Output: Tree + Send + 'static;
    /// The events that the answer consists of, where it does.
    type Event: Event;
    /// Whether it does.
    const HAS_EVENTS: bool = false;

    /// Gives an input its streaming body, where it has one.
    fn set_input_stream(_input: &mut Self::Input, _body: ByteStream) {}
    /// Takes an input's streaming body, for the client's half.
    fn take_input_stream(_input: &mut Self::Input) -> Option<ByteStream> {
        None
    }
    /// Gives an output its streaming body, for the client's half.
    fn set_output_stream(_output: &mut Self::Output, _body: ByteStream) {}
    /// Takes an output's streaming body, where it has one.
    fn take_output_stream(_output: &mut Self::Output) -> Option<ByteStream> {
        None
    }
    /// Takes an output's events, where it has any.
    fn take_event_stream(_output: &mut Self::Output) -> Option<EventStream<Self::Event>> {
        None
    }
    /// Gives an output its events, for the client's half.
    fn set_event_stream(_output: &mut Self::Output, _events: EventStream<Self::Event>) {}
}

/// An operation that carries data: its types are read straight from a body's bytes and written straight to them.
pub trait Direct:
    Operation<Input: DeserializeOwned + Serialize + Valid, Output: DeserializeOwned + Serialize>
{
}

/// Whether a decoded value keeps all constraints of its shape. Generated, and only a yes or no: the words for a no
/// come from the tables.
pub trait Valid {
    /// True when every constraint holds, members included.
    fn valid(&self) -> bool;
}

/// Makes the type of an operation; the names behind `input` and `output` are the fields with streaming bodies, that
/// behind `events` is the field with the events.
#[macro_export]
macro_rules! operation {
    (direct $name:ident, $($rest:tt)*) => {
        $crate::operation!($name, $($rest)*);

        impl $crate::Direct for $name {}
    };
    ($name:ident, $table:path, $input:ty => $output:ty, events $events:ident: $event:ty) => {
        pub struct $name;

        impl $crate::Operation for $name {
            const SERVICE: &'static $crate::Service = &SERVICE;
            const SHAPE: &'static $crate::OperationShape = &$table;
            type Input = $input;
            type Output = $output;
            type Event = $event;
            const HAS_EVENTS: bool = true;

            fn take_event_stream(output: &mut Self::Output) -> Option<$crate::EventStream<$event>> {
                Some(std::mem::take(&mut output.$events))
            }
            fn set_event_stream(output: &mut Self::Output, events: $crate::EventStream<$event>) {
                output.$events = events;
            }
        }
    };
    ($name:ident, $table:path, $input:ty => $output:ty
     $(, input $input_body:ident)? $(, output $output_body:ident)?) => {
        pub struct $name;

        impl $crate::Operation for $name {
            const SERVICE: &'static $crate::Service = &SERVICE;
            const SHAPE: &'static $crate::OperationShape = &$table;
            type Input = $input;
            type Output = $output;
            type Event = $crate::NoEvent;

            $(fn set_input_stream(input: &mut Self::Input, body: $crate::ByteStream) {
                input.$input_body = body;
            }
            fn take_input_stream(input: &mut Self::Input) -> Option<$crate::ByteStream> {
                Some(std::mem::take(&mut input.$input_body))
            })?
            $(fn set_output_stream(output: &mut Self::Output, body: $crate::ByteStream) {
                output.$output_body = body;
            }
            fn take_output_stream(output: &mut Self::Output) -> Option<$crate::ByteStream> {
                Some(std::mem::take(&mut output.$output_body))
            })?
        }
    };
}
