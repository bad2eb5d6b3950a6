import static java.util.stream.Collectors.toList;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.ProtocolNegotiation;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.services.kinesis.model.Record;

/**
 * Kinesis through the Java SDK v2: Kinesis streams|fanout name cbor|json, with its synchronous client and, for what is
 * pushed, its asynchronous one. The endpoint comes from AWS_ENDPOINT_URL.
 */
public final class Kinesis {
    private final KinesisClient kinesis = KinesisClient.create();
    private final String name;
    private final Map<String, List<String>> expected = new TreeMap<>();
    private final Map<String, List<String>> found = new TreeMap<>();

    private Kinesis(String name) {
        this.name = name;
    }

    public static void main(String[] arguments) throws Exception {
        // The SDK's own choice is CBOR.
        if (arguments[2].equals("json")) System.setProperty("aws.cborEnabled", "false");
        Kinesis scenarios = new Kinesis(arguments[1]);
        String summary = arguments[0].equals("fanout") ? scenarios.fanout() : scenarios.streams();
        System.out.printf("{\"client\": \"java\", \"scenario\": \"%s\", %s}%n", arguments[0], summary);
        System.exit(0);
    }

    private String streams() {
        create(2);
        refusals();
        settings();
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) all[i] = (byte) i;
        SdkBytes data = SdkBytes.fromByteArray(all);
        kinesis.putRecord(r -> r.streamName(name).partitionKey("single").data(data));
        remember(expected, "single", data);
        put(0);
        String middle = String.valueOf(1L << 62);
        kinesis.splitShard(r -> r.streamName(name).shardToSplit(shard(0)).newStartingHashKey(middle));
        active();
        put(1);
        kinesis.mergeShards(r -> r.streamName(name).shardToMerge(shard(3)).adjacentShardToMerge(shard(1)));
        active();
        put(2);
        List<Shard> shards = kinesis.listShards(r -> r.streamName(name)).shards();
        List<List<String>> parents = shards.stream().map(Kinesis::parents).collect(toList());
        same(List.of(List.of(), List.of(), List.of(shard(0)), List.of(shard(0)), List.of(shard(1), shard(3))), parents);
        readAll();
        same(expected, found);
        delete();
        long records = found.values().stream().mapToLong(List::size).sum();
        return String.format("\"records\": %d, \"shards\": %d", records, shards.size());
    }

    private String fanout() throws Exception {
        create(1);
        String stream = description().streamARN();
        String consumer = kinesis.registerStreamConsumer(r -> r.streamARN(stream).consumerName("reader"))
                .consumer().consumerARN();
        until(() -> kinesis.describeStreamConsumer(r -> r.consumerARN(consumer)).consumerDescription()
                .consumerStatus() == ConsumerStatus.ACTIVE);
        put(0);
        SubscribeToShardRequest request = SubscribeToShardRequest.builder().consumerARN(consumer).shardId(shard(0))
                .startingPosition(p -> p.type(ShardIteratorType.TRIM_HORIZON)).build();
        List<SubscribeToShardEvent> events = new CopyOnWriteArrayList<>();
        try (KinesisAsyncClient pushed = pushed()) {
            CompletableFuture<Void> first = pushed.subscribeToShard(request, handler(event -> {
                event.records().forEach(record -> remember(found, record.partitionKey(), record.data()));
                events.add(event);
                continueAfter(count(found), event);
            }));
            until(() -> !events.isEmpty());
            refusal(ResourceInUseException.class, () -> join(pushed.subscribeToShard(request, handler(event -> {}))));
            first.get(30, TimeUnit.SECONDS);
        }
        same(expected, found);
        List<ChildShard> children = events.get(events.size() - 1).childShards();
        same(List.of(shard(1), shard(2)), children.stream().map(ChildShard::shardId).collect(toList()));
        same(List.of(shard(0)), children.get(0).parentShards());
        kinesis.deregisterStreamConsumer(r -> r.consumerARN(consumer));
        until(() -> !kinesis.listStreamConsumers(r -> r.streamARN(stream)).hasConsumers()
                || kinesis.listStreamConsumers(r -> r.streamARN(stream)).consumers().isEmpty());
        delete();
        return String.format("\"pushed\": %d", count(found));
    }

    /** The SDK's own choice is HTTP/2 by prior knowledge, also over TLS; with JSON the versions are negotiated there. */
    private static KinesisAsyncClient pushed() {
        boolean negotiated = System.getenv("AWS_ENDPOINT_URL").startsWith("https:") && !cbor();
        if (!negotiated) return KinesisAsyncClient.create();
        return KinesisAsyncClient.builder().httpClientBuilder(NettyNioAsyncHttpClient.builder()
                .protocol(Protocol.HTTP2).protocolNegotiation(ProtocolNegotiation.ALPN)).build();
    }

    private static boolean cbor() {
        return !"false".equals(System.getProperty("aws.cborEnabled"));
    }

    private interface OnEvent {
        void accept(SubscribeToShardEvent event);
    }

    private static SubscribeToShardResponseHandler handler(OnEvent onEvent) {
        return SubscribeToShardResponseHandler.builder()
                .subscriber(SubscribeToShardResponseHandler.Visitor.builder()
                        .onSubscribeToShardEvent(onEvent::accept).build())
                .build();
    }

    /** Puts more once the first hundred came, and ends the shard once all came. */
    private void continueAfter(int count, SubscribeToShardEvent event) {
        if (count == 100 && event.hasRecords()) put(1);
        if (count == 200 && event.hasRecords()) {
            String middle = "170141183460469231731687303715884105728";
            kinesis.splitShard(r -> r.streamName(name).shardToSplit(shard(0)).newStartingHashKey(middle));
        }
    }

    private static void join(CompletableFuture<Void> future) {
        try {
            future.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw (RuntimeException) error.getCause();
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    private void create(int shards) {
        kinesis.createStream(r -> r.streamName(name).shardCount(shards));
        active();
    }

    private void active() {
        kinesis.waiter().waitUntilStreamExists(r -> r.streamName(name));
    }

    private void delete() {
        kinesis.deleteStream(r -> r.streamName(name));
        kinesis.waiter().waitUntilStreamNotExists(r -> r.streamName(name));
    }

    private StreamDescriptionSummary description() {
        return kinesis.describeStreamSummary(r -> r.streamName(name)).streamDescriptionSummary();
    }

    private void refusals() {
        String unknown = name + "-unknown";
        String message = refusal(ResourceNotFoundException.class,
                () -> kinesis.describeStreamSummary(r -> r.streamName(unknown)));
        same(true, message.contains(unknown));
        refusal(ResourceInUseException.class, () -> kinesis.createStream(r -> r.streamName(name).shardCount(1)));
        refusal(InvalidArgumentException.class, () -> kinesis.putRecord(r -> r.streamName(name).partitionKey("k")
                .data(SdkBytes.fromUtf8String("x")).explicitHashKey("340282366920938463463374607431768211456")));
    }

    private static String refusal(Class<? extends KinesisException> expected, Runnable call) {
        try {
            call.run();
        } catch (KinesisException error) {
            same(expected, error.getClass());
            return error.awsErrorDetails().errorMessage();
        }
        throw new AssertionError("no " + expected);
    }

    private void settings() {
        List<String> names = kinesis.listStreamsPaginator(r -> r.limit(1)).streamNames().stream().collect(toList());
        same(true, names.contains(name));
        kinesis.increaseStreamRetentionPeriod(r -> r.streamName(name).retentionPeriodHours(48));
        StreamDescriptionSummary description = description();
        same(48, description.retentionPeriodHours());
        same(2, description.openShardCount());
        Duration age = Duration.between(description.streamCreationTimestamp(), Instant.now());
        same(true, age.abs().toMinutes() < 1);
        kinesis.addTagsToStream(r -> r.streamName(name).tags(Map.of("one", "1", "two", "zwei ä")));
        kinesis.removeTagsFromStream(r -> r.streamName(name).tagKeys("one"));
        List<Tag> tags = kinesis.listTagsForStream(r -> r.streamName(name)).tags();
        same(List.of(Tag.builder().key("two").value("zwei ä").build()), tags);
    }

    /** A hundred records of ten keys, of 2 to 992 bytes that no text encoding has. */
    private void put(int round) {
        List<PutRecordsRequestEntry> entries = IntStream.range(0, 100).mapToObj(i -> {
            byte[] data = new byte[2 + i * 10];
            for (int j = 0; j < i * 10; j++) data[2 + j] = (byte) (i * j);
            data[0] = (byte) round;
            data[1] = (byte) i;
            return PutRecordsRequestEntry.builder().partitionKey("key-" + i % 10).data(SdkBytes.fromByteArray(data))
                    .build();
        }).collect(toList());
        same(0, kinesis.putRecords(r -> r.streamName(name).records(entries)).failedRecordCount());
        entries.forEach(entry -> remember(expected, entry.partitionKey(), entry.data()));
    }

    private static void remember(Map<String, List<String>> byKey, String key, SdkBytes data) {
        byKey.computeIfAbsent(key, any -> new ArrayList<>()).add(HexFormat.of().formatHex(data.asByteArray()));
    }

    private static int count(Map<String, List<String>> byKey) {
        return byKey.values().stream().mapToInt(List::size).sum();
    }

    private void readAll() {
        var read = new HashSet<String>();
        var ready = new ArrayDeque<>(List.of(shard(0), shard(1)));
        while (!ready.isEmpty()) {
            String shard = ready.remove();
            List<ChildShard> children = readShard(shard);
            read.add(shard);
            children.stream().filter(child -> read.containsAll(child.parentShards())).map(ChildShard::shardId)
                    .forEach(ready::add);
        }
    }

    private List<ChildShard> readShard(String shard) {
        String iterator = kinesis.getShardIterator(r -> r.streamName(name).shardId(shard)
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON)).shardIterator();
        while (true) {
            String from = iterator;
            GetRecordsResponse answer = kinesis.getRecords(r -> r.shardIterator(from).limit(60));
            for (Record record : answer.records()) remember(found, record.partitionKey(), record.data());
            iterator = answer.nextShardIterator();
            if (iterator == null) return answer.childShards();
            if (answer.records().isEmpty() && answer.millisBehindLatest() == 0) return List.of();
        }
    }

    private static List<String> parents(Shard shard) {
        return Stream.of(shard.parentShardId(), shard.adjacentParentShardId()).filter(id -> id != null).sorted()
                .collect(toList());
    }

    private static void until(BooleanSupplier condition) {
        for (int i = 0; i < 100; i++) {
            if (condition.getAsBoolean()) return;
            try {
                Thread.sleep(100);
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
        throw new AssertionError("never so");
    }

    private static void same(Object expected, Object found) {
        if (!expected.equals(found)) throw new AssertionError("expected " + expected + ", found " + found);
    }

    private static String shard(int n) {
        return String.format("shardId-%012d", n);
    }
}
