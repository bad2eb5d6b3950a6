import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.coordinator.WorkerStateChangeListener;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.*;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Kinesis Client Library: Worker stream application name polling|fanout.
 *
 * The endpoint of Kinesis, DynamoDB and CloudWatch comes from AWS_ENDPOINT_URL. What happens is told line by line, as
 * "milliseconds what shard numbers". The worker ends in order when its standard input ends.
 */
public final class Worker {
    private static final long FAILOVER_MILLIS = 5_000;
    private static final long ASSIGNMENT_MILLIS = 2_000;
    private static final long LEADER_MILLIS = 20_000;
    private static final long GRACE_SECONDS = 30;

    public static void main(String[] arguments) throws Exception {
        Scheduler scheduler = scheduler(arguments[0], arguments[1], arguments[2], arguments[3].equals("fanout"));
        Thread thread = new Thread(scheduler);
        thread.start();
        while (System.in.read() >= 0) {}
        shutDown(scheduler);
        thread.join();
        System.exit(0);
    }

    /**
     * A graceful shutdown waits for ever when the lease of a shard that is processed to its end has only just come, for
     * its consumer has done its last task and answers no more: so after a time the scheduler ends without grace.
     */
    private static void shutDown(Scheduler scheduler) throws Exception {
        boolean done = false;
        try {
            done = scheduler.startGracefulShutdown().get(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            System.err.println("the graceful shutdown did not come to its end");
        }
        if (!done) scheduler.shutdown();
    }

    private static Scheduler scheduler(String stream, String application, String name, boolean fanout) {
        KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(KinesisAsyncClient.builder());
        DynamoDbAsyncClient tables = DynamoDbAsyncClient.create();
        CloudWatchAsyncClient metrics = CloudWatchAsyncClient.create();
        var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        var tracker = new SingleStreamTracker(stream, start);
        var configs = new ConfigsBuilder(tracker, application, kinesis, tables, metrics, name, Processor::new);
        RetrievalSpecificConfig reading = fanout
                ? new FanOutConfig(kinesis).streamName(stream).applicationName(application)
                : new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(250);
        return new Scheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig().parentShardPollIntervalMillis(500).workerStateChangeListener(new States()),
                quick(configs.leaseManagementConfig()),
                configs.lifecycleConfig(),
                configs.metricsConfig(),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(reading));
    }

    /** Its intervals, made short; and leases of shards that are closed stay, for the test to see. */
    private static LeaseManagementConfig quick(LeaseManagementConfig config) {
        config.workerUtilizationAwareAssignmentConfig()
                .inMemoryWorkerMetricsCaptureFrequencyMillis(500)
                .workerMetricsReporterFreqInMillis(FAILOVER_MILLIS)
                .varianceBalancingFrequency(1);
        return config.failoverTimeMillis(FAILOVER_MILLIS)
                .leaseAssignmentIntervalMillis(ASSIGNMENT_MILLIS)
                .shardSyncIntervalMillis(5_000)
                .leasesRecoveryAuditorExecutionFrequencyMillis(2_000)
                .leasesRecoveryAuditorInconsistencyConfidenceThreshold(1)
                .dynamoDbLockBasedLeaderLeaseDurationInMillis(LEADER_MILLIS)
                .dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(2_000)
                .dynamoDbRequestTimeout(Duration.ofSeconds(20))
                .cleanupLeasesUponShardCompletion(false);
    }

    private static synchronized void tell(long millis, String what, String shard, String numbers) {
        System.out.println(String.join(" ", String.valueOf(millis), what, shard, numbers).trim());
        System.out.flush();
    }

    private static final class States implements WorkerStateChangeListener {
        @Override
        public void onWorkerStateChange(WorkerState state) {
            tell(System.currentTimeMillis(), state.name().toLowerCase(), "", "");
        }

        @Override
        public void onAllInitializationAttemptsFailed(Throwable problem) {
            System.exit(1);
        }
    }

    private static final class Processor implements ShardRecordProcessor {
        private String shard;

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
            tell("begins", "");
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            List<String> numbers = input.records().stream()
                    .map(record -> String.valueOf(record.data().getLong()))
                    .collect(Collectors.toList());
            if (numbers.isEmpty()) return;
            // Before the checkpoint: a worker that is killed in between reads them again elsewhere, and loses none.
            tell("reads", String.join(",", numbers));
            checkpoint(input.checkpointer());
        }

        @Override
        public void leaseLost(LeaseLostInput input) {
            tell("loses", "");
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            checkpoint(input.checkpointer());
            tell("ends", "");
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
            tell("yields", "");
        }

        /** Tells the time before the table is asked: at that time at the earliest it agreed that the lease is held. */
        private void checkpoint(RecordProcessorCheckpointer checkpointer) {
            long asked = System.currentTimeMillis();
            try {
                checkpointer.checkpoint();
                Worker.tell(asked, "keeps", shard, "");
            } catch (ShutdownException lost) {
                Worker.tell(asked, "refused", shard, "");
            } catch (InvalidStateException problem) {
                throw new IllegalStateException(problem);
            }
        }

        private void tell(String what, String numbers) {
            Worker.tell(System.currentTimeMillis(), what, shard, numbers);
        }
    }
}
