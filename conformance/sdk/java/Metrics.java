import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.*;

/** CloudWatch through the Java SDK v2: Metrics namespace. The endpoint comes from AWS_ENDPOINT_URL. */
public final class Metrics {
    public static void main(String[] arguments) {
        String namespace = arguments[0];
        Set<String> spoken = new TreeSet<>();
        CloudWatchClient client = CloudWatchClient.builder()
                .overrideConfiguration(c -> c.addExecutionInterceptor(new ExecutionInterceptor() {
                    @Override
                    public void beforeTransmission(Context.BeforeTransmission call, ExecutionAttributes attributes) {
                        call.httpRequest().firstMatchingHeader("Content-Type").ifPresent(spoken::add);
                    }
                }))
                .build();
        Dimension one = Dimension.builder().name("Id").value("one").build();
        Instant minute = Instant.now().truncatedTo(ChronoUnit.MINUTES);
        MetricDatum.Builder datum =
                MetricDatum.builder().metricName("m").dimensions(one).timestamp(minute).unit(StandardUnit.COUNT);
        client.putMetricData(r -> r.namespace(namespace).metricData(
                datum.copy().value(1.5).build(),
                datum.copy().values(2.0, 3.0).counts(1.0, 2.0).build(),
                datum.copy().statisticValues(s -> s.sampleCount(2.0).sum(4.0).minimum(1.0).maximum(3.0)).build()));
        List<Datapoint> points = client.getMetricStatistics(r -> r.namespace(namespace).metricName("m").dimensions(one)
                .startTime(minute).endTime(minute.plusSeconds(60)).period(60)
                .statistics(Statistic.SUM, Statistic.SAMPLE_COUNT, Statistic.MAXIMUM)).datapoints();
        Datapoint expected = Datapoint.builder().timestamp(minute).sum(13.5).sampleCount(6.0).maximum(3.0)
                .unit(StandardUnit.COUNT).build();
        same(List.of(expected), points);
        Metric metric = Metric.builder().namespace(namespace).metricName("m").dimensions(one).build();
        List<MetricDataResult> results = client.getMetricData(r -> r.startTime(minute).endTime(minute.plusSeconds(60))
                .metricDataQueries(
                        q -> q.id("m1").metricStat(s -> s.metric(metric).period(60).stat("Sum")),
                        q -> q.id("e1").expression("m1 * 2"))).metricDataResults();
        same(List.of(List.of(13.5), List.of(27.0)), results.stream().map(MetricDataResult::values).toList());
        same(List.of(minute), results.get(0).timestamps());
        same(List.of(metric), client.listMetrics(r -> r.namespace(namespace)).metrics());
        try {
            client.putMetricData(r -> r.namespace(namespace).metricData(datum.copy().value(1.0).values(1.0).build()));
            throw new AssertionError("both kinds of values were taken");
        } catch (InvalidParameterCombinationException refused) {
            same("InvalidParameterCombination", refused.awsErrorDetails().errorCode());
        }
        System.out.printf("{\"sum\": %s, \"spoken\": [\"%s\"]}%n", points.get(0).sum(), String.join("\", \"", spoken));
        System.exit(0);
    }

    private static void same(Object expected, Object found) {
        if (!expected.equals(found)) throw new AssertionError("expected " + expected + ", found " + found);
    }
}
