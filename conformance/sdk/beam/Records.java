import java.io.FileOutputStream;
import java.io.PrintStream;
import java.net.URI;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.runners.direct.DirectRunner;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.io.GenerateSequence;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisIO;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisPartitioner;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisRecord;
import org.apache.beam.sdk.io.aws2.options.AwsOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.joda.time.Duration;
import software.amazon.awssdk.regions.Region;
import software.amazon.kinesis.common.InitialPositionInStream;

/**
 * Beam's KinesisIO: Records write stream count | read stream count file [consumer]
 *
 * It writes the numbers below `count`, packed, by forty keys. Or it reads as many records, by polling or as the consumer
 * whose ARN it is given, and puts a line "SHARD SEQUENCE SUBSEQUENCE KEY DATA" for each into the file, in the order in
 * which they came. The endpoint comes from AWS_ENDPOINT_URL.
 */
public final class Records {
    public static void main(String[] arguments) {
        DirectOptions options = PipelineOptionsFactory.create().as(DirectOptions.class);
        options.setRunner(DirectRunner.class);
        options.setTargetParallelism(2);
        options.as(AwsOptions.class).setAwsRegion(Region.of(System.getenv("AWS_REGION")));
        options.as(AwsOptions.class).setEndpoint(URI.create(System.getenv("AWS_ENDPOINT_URL")));
        Pipeline pipeline = Pipeline.create(options);
        String stream = arguments[1];
        long count = Long.parseLong(arguments[2]);
        if (arguments[0].equals("write")) write(pipeline, stream, count);
        else read(pipeline, stream, count, arguments[3], arguments.length > 4 ? arguments[4] : null);
        pipeline.run().waitUntilFinish();
        System.exit(0);
    }

    private static void write(Pipeline pipeline, String stream, long count) {
        pipeline.apply(GenerateSequence.from(0).to(count))
                .apply(KinesisIO.<Long>write()
                        .withStreamName(stream)
                        .withRecordAggregation(packed -> packed.maxBytes(4096).maxBufferedTime(Duration.millis(500)))
                        .withPartitioner(new ByNumber())
                        .withSerializer(number -> number.toString().getBytes()));
    }

    /** Fewer than 10,000 have one reader, which so has the order of all. */
    private static void read(Pipeline pipeline, String stream, long count, String file, String consumer) {
        KinesisIO.Read read = KinesisIO.read()
                .withStreamName(stream)
                .withMaxNumRecords(count)
                .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON);
        pipeline.apply(consumer == null ? read : read.withConsumerArn(consumer)).apply(ParDo.of(new IntoFile(file)));
    }

    private static final class ByNumber implements KinesisPartitioner<Long> {
        @Override
        public String getPartitionKey(Long number) {
            return "k" + number % 40;
        }
    }

    private static final class IntoFile extends DoFn<KinesisRecord, Void> {
        private final String file;

        IntoFile(String file) {
            this.file = file;
        }

        @ProcessElement
        public void process(@Element KinesisRecord record) throws Exception {
            String line = String.join(
                    " ",
                    record.getShardId(),
                    record.getSequenceNumber(),
                    String.valueOf(record.getSubSequenceNumber()),
                    record.getPartitionKey(),
                    new String(record.getDataAsBytes()));
            try (PrintStream lines = new PrintStream(new FileOutputStream(file, true))) {
                lines.println(line);
            }
        }
    }
}
