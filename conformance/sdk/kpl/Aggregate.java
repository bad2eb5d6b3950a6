import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * The Kinesis Producer Library: Aggregate name count folder seconds, where the folder takes its native daemon.
 *
 * The endpoint of Kinesis, STS (which it asks for the account) and CloudWatch (which it tells what it did) comes from
 * AWS_ENDPOINT_URL, and whom to trust from AWS_CA_BUNDLE. Puts user records over so many seconds and prints a summary, or
 * fails when one is not put. Then it sends its metrics until its input ends.
 */
public final class Aggregate {
    private static final long UPLOAD_DELAY_MILLIS = 2_000;

    public static void main(String[] arguments) throws Exception {
        KinesisProducer producer = new KinesisProducer(configuration(System.getenv(), arguments[2]));
        int count = Integer.parseInt(arguments[1]);
        long pause = TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[3])) / count;
        long begin = System.nanoTime();
        List<Future<UserRecordResult>> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            TimeUnit.NANOSECONDS.sleep(begin + i * pause - System.nanoTime());
            ByteBuffer data = ByteBuffer.wrap(("record " + i).getBytes());
            results.add(producer.addUserRecord(arguments[0], "key-" + i % 10, data));
        }
        var shards = new TreeSet<String>();
        int put = 0;
        for (Future<UserRecordResult> result : results) {
            UserRecordResult record = result.get(40, TimeUnit.SECONDS);
            if (record.isSuccessful()) put++;
            shards.add(record.getShardId());
        }
        double own = producer.getMetrics("UserRecordsPut").stream()
                .filter(metric -> metric.getDimensions().keySet().equals(java.util.Set.of("StreamName")))
                .mapToDouble(metric -> metric.getSum())
                .sum();
        String summary = "{\"client\": \"kpl\", \"put\": %d, \"shards\": %d, \"own\": %s}%n";
        System.out.printf(summary, put, shards.size(), own);
        System.in.readAllBytes();
        producer.destroy();
        System.exit(0);
    }

    private static KinesisProducerConfiguration configuration(Map<String, String> variables, String folder) {
        URI server = URI.create(variables.get("AWS_ENDPOINT_URL"));
        return new KinesisProducerConfiguration()
                .setRegion(variables.get("AWS_REGION"))
                .setKinesisEndpoint(server.getHost())
                .setKinesisPort(server.getPort())
                .setStsEndpoint(server.getHost())
                .setStsPort(server.getPort())
                .setCloudwatchEndpoint(server.getHost())
                .setCloudwatchPort(server.getPort())
                .setCaCertFile(variables.get("AWS_CA_BUNDLE"))
                .setCredentialsProvider(EnvironmentVariableCredentialsProvider.create())
                .setMetricsUploadDelay(UPLOAD_DELAY_MILLIS)
                .setTempDirectory(folder);
    }
}
