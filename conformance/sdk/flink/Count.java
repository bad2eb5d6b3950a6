import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.restartstrategy.RestartStrategies;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.sink.KinesisStreamsSink;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.connector.kinesis.source.config.KinesisStreamsSourceConfigConstants;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.CheckpointConfig.ExternalizedCheckpointCleanup;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.time.Time;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;
import org.apache.flink.streaming.connectors.kinesis.config.ConsumerConfigConstants;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import org.apache.flink.util.Collector;

/**
 * Flink from one stream to another: Count polling|fanout|source from to folder, where `source` is the connector's newer
 * source, which polls too, and the folder keeps checkpoints; a second run goes on from the newest one.
 *
 * A record is "KEY NUMBER MILLISECONDS". For each, the other stream gets "seen KEY NUMBER SHARD", or "bad ..." if state
 * that counts once has seen it before or later numbers of its key in its shard; and for each window of ten seconds "window
 * KEY START COUNT". Records of the key `end` only move the time. The endpoint comes from AWS_ENDPOINT_URL; it runs until it
 * is killed.
 */
public final class Count {
    private static final TypeInformation<Tuple4<String, Integer, Long, String>> EVENT =
            Types.TUPLE(Types.STRING, Types.INT, Types.LONG, Types.STRING);

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[3]);
        StreamExecutionEnvironment flink = StreamExecutionEnvironment.createLocalEnvironment(2, configuration(folder));
        flink.enableCheckpointing(1000);
        flink.getCheckpointConfig().setCheckpointStorage(folder.toUri());
        flink.getCheckpointConfig().setExternalizedCheckpointCleanup(ExternalizedCheckpointCleanup.RETAIN_ON_CANCELLATION);
        flink.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, org.apache.flink.api.common.time.Time.seconds(1)));
        // Windows close when a record of `end` comes, which is far ahead: until then none is late.
        WatermarkStrategy<Tuple4<String, Integer, Long, String>> time =
                WatermarkStrategy.<Tuple4<String, Integer, Long, String>>forBoundedOutOfOrderness(Duration.ofDays(1))
                        .withTimestampAssigner((event, arrival) -> event.f2)
                        .withIdleness(Duration.ofSeconds(3));
        KeyedStream<Tuple4<String, Integer, Long, String>, String> events = read(flink, arguments[0], arguments[1])
                .assignTimestampsAndWatermarks(time)
                .filter(event -> !event.f0.equals("end"))
                .keyBy(event -> event.f0);
        DataStream<String> windows =
                events.window(TumblingEventTimeWindows.of(Time.seconds(10))).process(new InWindow());
        events.process(new Seen()).union(windows).sinkTo(sink(arguments[2])).setParallelism(1);
        flink.execute();
    }

    private static Configuration configuration(Path folder) throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("taskmanager.memory.network.max", "32m");
        configuration.setString("taskmanager.memory.managed.size", "16m");
        Optional<Path> newest = newest(folder);
        if (newest.isPresent()) configuration.setString("execution.savepoint.path", newest.get().toUri().toString());
        return configuration;
    }

    /** The newest whole checkpoint: its folder, which has the number as its name and metadata in it. */
    private static Optional<Path> newest(Path folder) throws Exception {
        try (var paths = Files.walk(folder, 3)) {
            return paths.filter(path -> path.endsWith("_metadata"))
                    .max(Comparator.comparingLong(path -> path.toFile().lastModified()))
                    .map(Path::getParent);
        }
    }

    private static DataStream<Tuple4<String, Integer, Long, String>> read(
            StreamExecutionEnvironment flink, String mode, String stream) {
        if (mode.equals("source")) {
            Configuration settings = new Configuration();
            client().forEach((name, value) -> settings.setString(name.toString(), value.toString()));
            settings.setString("flink.stream.initpos", "TRIM_HORIZON");
            settings.set(KinesisStreamsSourceConfigConstants.SHARD_DISCOVERY_INTERVAL_MILLIS, 1000L);
            var source = KinesisStreamsSource.<Tuple4<String, Integer, Long, String>>builder()
                    .setStreamArn("arn:aws:kinesis:us-east-1:000000000000:stream/" + stream)
                    .setSourceConfig(settings)
                    .setDeserializationSchema(new FromRecord())
                    .build();
            return flink.fromSource(source, WatermarkStrategy.noWatermarks(), "source", EVENT).uid("source");
        }
        Properties settings = client();
        settings.setProperty(ConsumerConfigConstants.STREAM_INITIAL_POSITION, "TRIM_HORIZON");
        settings.setProperty(ConsumerConfigConstants.SHARD_DISCOVERY_INTERVAL_MILLIS, "1000");
        if (mode.equals("fanout")) {
            settings.setProperty(ConsumerConfigConstants.RECORD_PUBLISHER_TYPE, "EFO");
            settings.setProperty(ConsumerConfigConstants.EFO_CONSUMER_NAME, "flink");
        }
        return flink.addSource(new FlinkKinesisConsumer<>(stream, new FromBytes(), settings)).returns(EVENT).uid("source");
    }

    private static KinesisStreamsSink<String> sink(String stream) {
        return KinesisStreamsSink.<String>builder()
                .setStreamName(stream)
                .setKinesisClientProperties(client())
                .setSerializationSchema(new SimpleStringSchema())
                .setPartitionKeyGenerator(line -> line.split(" ")[1])
                // Several requests at once could change places.
                .setMaxInFlightRequests(1)
                .build();
    }

    private static Properties client() {
        Properties properties = new Properties();
        properties.setProperty("aws.region", System.getenv("AWS_REGION"));
        properties.setProperty("aws.endpoint", System.getenv("AWS_ENDPOINT_URL"));
        properties.setProperty("aws.credentials.provider", "ENV_VAR");
        return properties;
    }

    private static Tuple4<String, Integer, Long, String> event(byte[] data, String shard) {
        String[] words = new String(data).split(" ");
        return Tuple4.of(words[0], Integer.valueOf(words[1]), Long.valueOf(words[2]), shard);
    }

    private static final class FromBytes implements KinesisDeserializationSchema<Tuple4<String, Integer, Long, String>> {
        @Override
        public Tuple4<String, Integer, Long, String> deserialize(
                byte[] data, String key, String sequence, long arrival, String stream, String shard) {
            return event(data, shard);
        }

        @Override
        public TypeInformation<Tuple4<String, Integer, Long, String>> getProducedType() {
            return EVENT;
        }
    }

    private static final class FromRecord
            implements org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema<
                    Tuple4<String, Integer, Long, String>> {
        @Override
        public void deserialize(
                Record record, String stream, String shard, Collector<Tuple4<String, Integer, Long, String>> events) {
            events.collect(event(record.data().asByteArray(), shard));
        }

        @Override
        public TypeInformation<Tuple4<String, Integer, Long, String>> getProducedType() {
            return EVENT;
        }
    }

    /** Holds a key's numbers against those that came before. */
    private static final class Seen
            extends KeyedProcessFunction<String, Tuple4<String, Integer, Long, String>, String> {
        private transient MapState<Integer, String> seen;
        private transient MapState<String, Integer> newest;

        @Override
        public void open(OpenContext context) {
            seen = getRuntimeContext().getMapState(new MapStateDescriptor<>("seen", Types.INT, Types.STRING));
            newest = getRuntimeContext().getMapState(new MapStateDescriptor<>("newest", Types.STRING, Types.INT));
        }

        @Override
        public void processElement(Tuple4<String, Integer, Long, String> event, Context context, Collector<String> lines)
                throws Exception {
            Integer before = newest.get(event.f3);
            if (seen.contains(event.f1) || before != null && before >= event.f1)
                lines.collect("bad " + event + " after " + before + ", seen in " + seen.get(event.f1));
            else lines.collect("seen " + event.f0 + " " + event.f1 + " " + event.f3);
            seen.put(event.f1, event.f3);
            newest.put(event.f3, event.f1);
        }
    }

    private static final class InWindow
            extends ProcessWindowFunction<Tuple4<String, Integer, Long, String>, String, String, TimeWindow> {
        @Override
        public void process(
                String key,
                Context context,
                Iterable<Tuple4<String, Integer, Long, String>> events,
                Collector<String> lines) {
            int count = 0;
            for (var event : events) count++;
            lines.collect("window " + key + " " + context.window().getStart() + " " + count);
        }
    }
}
