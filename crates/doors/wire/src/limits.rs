//! The bounds of everything here that waits or grows.

/// How deep elements may stand in each other; the deepest of S3's shapes needs a third of it.
pub(crate) const XML_DEPTH: usize = 24;

/// Elements of an XML body: twice what 10,000 parts with all their checksums have.
pub(crate) const XML_ELEMENTS: usize = 300_000;

/// Attributes of an XML element.
pub(crate) const XML_ATTRIBUTES: usize = 16;

/// Bytes that the large answers may take together, in the making and on their way to the client; a request for another
/// one waits until there is room.
pub(crate) const ANSWERS_BYTES: usize = 128 << 20;

/// Bytes that an answer with records may take while it is made: 10 MiB of records, and the same again in base64.
pub(crate) const ANSWER_IN_THE_MAKING_BYTES: usize = 25 << 20;

/// Bytes that an answer in JSON may take ahead for elements that are yet to come.
pub(crate) const ANSWER_AHEAD_BYTES: usize = 16 << 20;

/// An answer up to this length does not count.
pub(crate) const ANSWER_UNCOUNTED_BYTES: usize = 16 << 10;

/// An answer of DynamoDB that is shorter is not packed: AWS's own bound.
pub(crate) const PACKED_BYTES_MIN: usize = 4 << 10;

/// A value that an error shows; what is longer is cut.
pub(crate) const SHOWN_BYTES: usize = 256 << 10;

/// The values in a body that is read without expectations, to find AWS's words for what is wrong with it.
pub(crate) const RAW_VALUES: usize = 1 << 18;

/// The longest message of an event stream that is read: AWS's own bound.
pub(crate) const EVENT_MESSAGE_BYTES: usize = 16 << 20;

/// How deep lists, maps and structures may stand in each other in CBOR; JSON has serde_json's own bound of 128.
pub(crate) const CBOR_DEPTH: usize = 64;

/// How deep lists and structures may stand in each other in JSON: as deep as `serde_json` lets them.
pub(crate) const JSON_DEPTH: usize = 127;

/// The body of an AWS JSON or CBOR request that puts data: 10 MiB of records in base64, and their frame.
pub(crate) const JSON_DATA_BYTES: usize = 16 << 20;

/// The body of any other AWS JSON or CBOR request.
pub(crate) const JSON_BODY_BYTES: usize = 1 << 20;

/// The longest line of aws-chunked framing: a length with a signature, or a trailer.
pub(crate) const CHUNK_LINE_BYTES: usize = 4096;

/// Trailers behind an aws-chunked body.
pub(crate) const TRAILERS: usize = 16;

/// The random bytes of `x-amz-id-2`: AWS's are 64 to 80.
pub(crate) const EXTENDED_ID_BYTES: usize = 72;

/// The body of a REST-JSON request: AWS's own bound for a function's code in base64.
pub(crate) const REST_JSON_BODY_BYTES: usize = 70_167_211;

/// The body of a REST-XML request that is not streamed: 10,000 parts with their checksums take a third of it.
pub(crate) const XML_BODY_BYTES: usize = 8 << 20;

/// Parameters of a query request: what 1 MiB of metrics can have.
pub(crate) const QUERY_FIELDS: usize = 40_000;

/// The dots in the names of a query request's parameters: eight in each, as metrics' queries have. Reading them takes some 60
/// bytes for each.
pub(crate) const QUERY_DOTS: usize = 320_000;

/// The parts of a query parameter's name.
pub(crate) const QUERY_DEPTH: usize = 32;

/// The body of a query request: a message of 1 MiB, each byte of which may be written as three.
pub(crate) const QUERY_BODY_BYTES: usize = 4 << 20;

/// The body of a query request that nobody signed, where signatures are checked: a token of a federation's, each byte of which
/// may be written as three.
pub(crate) const UNSIGNED_FORM_BYTES: usize = 256 << 10;

/// Accounts' regions that are open at a time.
pub(crate) const PLACES: usize = 64;
