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
 * The Kinesis Producer Library: Aggregate name count folder, where the folder takes its native daemon.
 *
 * The endpoint comes from AWS_ENDPOINT_URL, that of STS (which it asks for the account) from AWS_ENDPOINT_URL_STS, and
 * whom to trust from AWS_CA_BUNDLE. Puts user records and prints a summary, or fails when one is not put.
 */
public final class Aggregate {
    public static void main(String[] arguments) throws Exception {
        KinesisProducer producer = new KinesisProducer(configuration(System.getenv(), arguments[2]));
        List<Future<UserRecordResult>> results = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
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
        producer.destroy();
        System.out.printf("{\"client\": \"kpl\", \"put\": %d, \"shards\": %d}%n", put, shards.size());
        System.exit(0);
    }

    private static KinesisProducerConfiguration configuration(Map<String, String> variables, String folder) {
        URI kinesis = URI.create(variables.get("AWS_ENDPOINT_URL"));
        URI sts = URI.create(variables.get("AWS_ENDPOINT_URL_STS"));
        return new KinesisProducerConfiguration()
                .setRegion(variables.get("AWS_REGION"))
                .setKinesisEndpoint(kinesis.getHost())
                .setKinesisPort(kinesis.getPort())
                .setStsEndpoint(sts.getHost())
                .setStsPort(sts.getPort())
                .setCaCertFile(variables.get("AWS_CA_BUNDLE"))
                .setCredentialsProvider(EnvironmentVariableCredentialsProvider.create())
                .setMetricsLevel("none")
                .setTempDirectory(folder);
    }
}
