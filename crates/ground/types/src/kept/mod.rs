//! All that is kept, by name: the keys of the catalog and the shares of the log's shard numbers.
//!
//! An owner gets its table of the catalog with an entry of this list and its shards with another, so nothing is kept
//! under a name that is not here. Owns the names and who has them; the form of the records is the owners', and stands in
//! the documents that are named here.

mod clash;
#[cfg(test)]
mod tests;

/// Makes an enum of entries, and what is known of each.
macro_rules! entries {
    (
        $(#[$about:meta])*
        $name:ident {$(
            $(#[doc = $doc:literal])+
            $entry:ident = $key:literal, of $owner:literal, in $document:literal;
        )*}
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {$(
            $(#[doc = $doc])+
            $entry,
        )*}

        impl $name {
            /// All entries.
            pub const ALL: &'static [Self] = &[$(Self::$entry),*];
            const KEYS: &'static [&'static str] = &[$($key),*];

            /// Its text in the catalog.
            pub const fn key(self) -> &'static str {
                match self {$(Self::$entry => $key,)*}
            }

            /// The crate that reads and writes it, without `headwater-`.
            pub const fn owner(self) -> &'static str {
                match self {$(Self::$entry => $owner,)*}
            }

            /// The document in `docs/format` that says what is kept.
            pub const fn document(self) -> &'static str {
                match self {$(Self::$entry => $document,)*}
            }
        }
    };
}

entries! {
    /// Records of which there are many: each has a key that begins with this prefix, followed by a name.
    Prefix {
        /// A region that was opened beside the server's own, by its number.
        Places = "places/", of "server", in "places.md";
        /// All that is kept of such a region, under the keys of this list: `<number>/<key>`.
        InPlaces = "in/", of "server", in "places.md";
        /// A stream with its shards and consumers, by its name.
        Streams = "streams/stream/", of "streams", in "streams.md";
        /// A queue, by its id.
        Queues = "queues/queue/", of "queues", in "queues.md";
        /// A queue's id, by its name.
        QueueNames = "queues/name/", of "queues", in "queues.md";
        /// The first offset that was never received, by queue and shard: `<id>/<shard>`.
        QueuePositions = "queues/position/", of "queues", in "queues.md";
        /// A record that was received and is not acknowledged: `<id>/<shard>/<offset>`.
        QueuePending = "queues/pending/", of "queues", in "queues.md";
        /// A queue that was deleted and may have rows left, by its id.
        QueuesDeleted = "queues/deleted/", of "queues", in "queues.md";
        /// How many queues a stream has, by its ARN.
        StreamQueues = "queues/of-stream/", of "queues", in "queues.md";
        /// A queue of messages, by its name.
        MessageQueues = "messages/queue/", of "messages", in "messages.md";
        /// The place in a queue's shard of changes from which its state is read, by the queue's number.
        MessageCheckpoints = "messages/checkpoint/", of "messages", in "messages.md";
        /// A log group, by its name.
        LogGroups = "log-groups/", of "loggroups", in "log-groups.md";
        /// A log stream: `<number of its group>:<name>`.
        LogStreams = "log-streams/", of "loggroups", in "log-groups.md";
        /// The bytes of a log group's events that arrived on one day: `<number of its group>:<day>`.
        LogGroupBytes = "log-group-bytes/", of "loggroups", in "log-groups.md";
        /// The offset that a log group's counts reach to: `<number of its group>:`.
        LogGroupsCounted = "log-groups-counted/", of "loggroups", in "log-groups.md";
        /// A subscription of a log group: `<number of its group>:<name>`.
        LogSubscriptions = "log-subscriptions/", of "loggroups", in "log-groups.md";
        /// The first offset that a subscription has not sent: `<number of its group>:<name>`.
        LogSubscriptionProgress = "log-subscription-progress/", of "loggroups", in "log-groups.md";
        /// A metric filter of a log group: `<number of its group>:<name>`.
        LogMetricFilters = "log-metric-filters/", of "loggroups", in "log-groups.md";
        /// A function, by its name.
        Functions = "functions/", of "functions", in "functions.md";
        /// A published version of a function: `<name>/<number>`.
        FunctionVersions = "function-versions/", of "functions", in "functions.md";
        /// An alias of a function's version: `<name>/<alias>`.
        FunctionAliases = "function-aliases/", of "functions", in "functions.md";
        /// The number of a layer's last version, by the layer's name.
        Layers = "layers/", of "functions", in "functions.md";
        /// A version of a layer: `<name>/<number>`.
        LayerVersions = "layer-versions/", of "functions", in "functions.md";
        /// The address of a function or an alias: `<name>/<alias or $LATEST>`.
        FunctionUrls = "function-urls/", of "functions", in "functions.md";
        /// The function or alias that an address leads to, by the address's id.
        FunctionUrlIds = "function-url-ids/", of "functions", in "functions.md";
        /// The policy of a function, or of a version or alias of it: `<name>/<version or alias>`.
        FunctionPolicies = "function-policies/", of "functions", in "functions.md";
        /// The concurrency that a function has to itself, by its name.
        FunctionClaims = "function-claims/", of "functions", in "functions.md";
        /// The settings of the events of a function, or of a version or alias of it: `<name>/<version or alias>`.
        FunctionEventSettings = "function-event-settings/", of "functions", in "functions.md";
        /// The end of an event that is to be told: `<time>-<request id>-<number>`.
        FunctionOutcomes = "function-outcomes/", of "functions", in "functions.md";
        /// An invocation that nobody waits for: `<due>-<request id>`.
        FunctionEvents = "function-events/", of "functions", in "functions.md";
        /// An event source mapping, by its id.
        Mappings = "mappings/mapping/", of "mappings", in "mappings.md";
        /// The id of the one mapping of a source to a function: `<source ARN> <function ARN>`.
        MappingPairs = "mappings/pair/", of "mappings", in "mappings.md";
        /// How far a mapping is in a shard: `<id>/<shard>`.
        MappingProgress = "mappings/progress/", of "mappings", in "mappings.md";
        /// A mapping that was deleted and may have rows left, by its id.
        MappingsDeleted = "mappings/deleted/", of "mappings", in "mappings.md";
        /// A topic, by its name.
        Topics = "topics/topic/", of "topics", in "topics.md";
        /// A subscription, by its id.
        Subscriptions = "topics/subscription/", of "topics", in "topics.md";
        /// The id of a topic's one subscription of an endpoint: `<topic>/<protocol>/<hash of the endpoint>`.
        SubscriptionEndpoints = "topics/endpoint/", of "topics", in "topics.md";
        /// How far a subscription is, by its id.
        SubscriptionProgress = "topics/progress/", of "topics", in "topics.md";
        /// A confirmation that may come, by its token.
        SubscriptionTokens = "topics/token/", of "topics", in "topics.md";
        /// A request to confirm something that is to be sent, by its id.
        SubscriptionNotices = "topics/notice/", of "topics", in "topics.md";
        /// A table of items, by its name.
        Tables = "tables/table/", of "tables", in "tables.md";
        /// A table that was deleted and may have rows left in the index, by its number.
        TablesDeleted = "tables/deleted/", of "tables", in "tables.md";
        /// A dashboard without its body: `<account>/<name>`.
        Dashboards = "dashboards/dashboard/", of "dashboards", in "dashboards.md";
        /// A dashboard's body: `<account>/<name>`.
        DashboardBodies = "dashboards/body/", of "dashboards", in "dashboards.md";
        /// An alarm, by its name.
        Alarms = "alarms/alarm/", of "alarms", in "alarms.md";
        /// A thing that happened to an alarm: `<length of its name>:<name>/<time>-<number>`.
        AlarmHistory = "alarms/history/", of "alarms", in "alarms.md";
        /// An action that an alarm owes: `<time>-<number>`.
        AlarmActions = "alarms/owed/", of "alarms", in "alarms.md";
        /// A database, by its name.
        SchemaDatabases = "schema-databases/", of "schemas", in "schemas.md";
        /// A table at its latest version: its database and its name.
        SchemaTables = "schema-tables/", of "schemas", in "schemas.md";
        /// A version of a table before the latest.
        SchemaVersions = "schema-versions/", of "schemas", in "schemas.md";
        /// A partition of a table: `<id of the table's partitions>/<values>`.
        SchemaPartitions = "schema-partitions/", of "schemas", in "schemas.md";
        /// Partitions of a table that was deleted, of which some may be left, by their table's id for them.
        SchemaPartitionsDeleted = "schema-partitions-deleted/", of "schemas", in "schemas.md";
        /// A bucket, by its name.
        Buckets = "bucket/", of "objects", in "objects.md";
        /// The settings of a bucket that has others than a new one, by its name.
        BucketSettings = "bucket-settings/", of "objects", in "objects.md";
        /// An object, or the latest version of one: `<bucket>/<key>`.
        Objects = "object/", of "objects", in "objects.md";
        /// A delete marker that is the latest version of its key: `<bucket>/<key>`.
        ObjectMarkers = "object-marker/", of "objects", in "objects.md";
        /// A version that is not the latest: bucket, key and place.
        ObjectVersions = "object-version/", of "objects", in "objects.md";
        /// The place of the null version, where it is not the latest: `<bucket>/<key>`.
        ObjectNulls = "object-null/", of "objects", in "objects.md";
        /// The parts that an object is made of, by its upload.
        ObjectManifests = "object-manifest/", of "objects", in "objects.md";
        /// An upload in parts: bucket, key and id.
        ObjectUploads = "object-upload/", of "objects", in "objects.md";
        /// A part of an upload: `<upload>/<number>`.
        ObjectParts = "object-part/", of "objects", in "objects.md";
        /// A blob that some row names, by its id.
        ObjectBlobs = "object-blob/", of "objects", in "objects.md";
        /// A delivery stream, by its name.
        Deliveries = "delivery/stream/", of "delivery", in "delivery.md";
        /// How far a delivery stream is, by its id.
        DeliveryProgress = "delivery/progress/", of "delivery", in "delivery.md";
        /// A channel of a stream, by its name.
        Channels = "channel/stream/", of "delivery", in "delivery.md";
        /// How far a channel is, by its id.
        ChannelProgress = "channel/progress/", of "delivery", in "delivery.md";
        /// How many channels a stream has, by its ARN.
        StreamChannels = "channel/of-stream/", of "delivery", in "delivery.md";
        /// A trail, by its name.
        Trails = "trails/trail/", of "trail", in "trail.md";
    }
}

entries! {
    /// Records of which there is one, under a key of its own.
    Single {
        /// The state that all streams share: the next stream's number, the secret of tokens.
        StreamInstallation = "streams/installation", of "streams", in "streams.md";
        /// The commitment to a minimum throughput.
        StreamAccount = "streams/account", of "streams", in "streams.md";
        /// The installation's key, that those of records and of files are derived from.
        RecordKey = "streams/record-key", of "sealing", in "records.md";
        /// The number of the next queue of messages.
        MessageQueueNumber = "messages/next-number", of "messages", in "messages.md";
        /// The number of the next log group.
        LogGroupNumber = "log-group-numbers/next", of "loggroups", in "log-groups.md";
        /// The number of the next topic.
        TopicNumber = "topics/next-number", of "topics", in "topics.md";
        /// The key that messages of topics are signed with, and its certificate.
        TopicSigning = "topics/signing", of "topics", in "topics.md";
        /// The number of the next table of items.
        TableNumber = "tables/next-number", of "tables", in "tables.md";
        /// The files of metrics, and how far the journal is folded into them.
        MetricFiles = "metrics/files", of "metrics", in "metrics.md";
        /// The number of the newest log shard of delivery streams.
        DeliveryShard = "delivery/counter/shards", of "delivery", in "delivery.md";
        /// The same of channels, which have no shards so far.
        ChannelShard = "channel/counter/shards", of "delivery", in "delivery.md";
    }
}

const _: () = clash::refuse(&[Prefix::KEYS, Single::KEYS]);

/// A share of the log's shard numbers: the highest of the number's eight bytes. The owner numbers its shards in the
/// seven below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ShardSpace {
    /// Shards of streams: the stream's number (24 bits), the shard's index (32).
    Streams = 0x01,
    /// Records that were put into a delivery stream itself: the delivery's number.
    Deliveries = 0x02,
    /// Events of log groups: the group's number, which has 2^48 added where the shard says how far they were counted.
    LogGroups = 0x03,
    /// Messages of topics: the topic's number.
    Topics = 0x05,
    /// Queues of messages: twice the queue's number, and one more for its changes.
    Messages = 0x04,
    /// Changes of tables: the table's number (48 bits) and partition (8), which has 128 added where the shard says how far the
    /// changes were sent; number 0 is transactions.
    Tables = 0x06,
    /// The journal of metrics: number 0.
    Metrics = 0x07,
    /// The events of the trail: number 0.
    Trail = 0x09,
}

impl ShardSpace {
    /// All shares.
    pub const ALL: &'static [Self] = &[
        Self::Streams,
        Self::Deliveries,
        Self::LogGroups,
        Self::Topics,
        Self::Messages,
        Self::Tables,
        Self::Metrics,
        Self::Trail,
    ];

    /// The crate whose shards they are, without `headwater-`.
    pub const fn owner(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Deliveries => "delivery",
            Self::LogGroups => "loggroups",
            Self::Topics => "topics",
            Self::Messages => "messages",
            Self::Tables => "tables",
            Self::Metrics => "metrics",
            Self::Trail => "trail",
        }
    }

    /// The document in `docs/format` that says what the shards hold.
    pub const fn document(self) -> &'static str {
        match self {
            Self::Streams => "records.md",
            Self::Deliveries => "delivery.md",
            Self::LogGroups => "log-groups.md",
            Self::Topics => "topics.md",
            Self::Messages => "messages.md",
            Self::Tables => "tables.md",
            Self::Metrics => "metrics.md",
            Self::Trail => "trail.md",
        }
    }
}
