import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.enhanced.dynamodb.*;
import software.amazon.awssdk.enhanced.dynamodb.extensions.annotations.DynamoDbVersionAttribute;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.*;
import software.amazon.awssdk.enhanced.dynamodb.model.*;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;
import software.amazon.awssdk.services.dynamodb.waiters.DynamoDbWaiter;

/** DynamoDB through the enhanced client of the Java SDK v2: Tables name. The endpoint comes from AWS_ENDPOINT_URL. */
public final class Tables {
    /** An item, as the client finds its attributes in getters. */
    @DynamoDbBean
    public static final class Order {
        private String user, city;
        private Integer number;
        private Double total;
        private Long version;
        private Set<String> tags;
        private Map<String, List<Integer>> more;
        private SdkBytes bytes;
        private Instant at;

        @DynamoDbPartitionKey public String getUser() { return user; }
        public void setUser(String user) { this.user = user; }
        @DynamoDbSortKey public Integer getNumber() { return number; }
        public void setNumber(Integer number) { this.number = number; }
        @DynamoDbSecondaryPartitionKey(indexNames = "by-city") public String getCity() { return city; }
        public void setCity(String city) { this.city = city; }
        @DynamoDbSecondarySortKey(indexNames = "by-city") public Double getTotal() { return total; }
        public void setTotal(Double total) { this.total = total; }
        @DynamoDbVersionAttribute public Long getVersion() { return version; }
        public void setVersion(Long version) { this.version = version; }
        public Set<String> getTags() { return tags; }
        public void setTags(Set<String> tags) { this.tags = tags; }
        public Map<String, List<Integer>> getMore() { return more; }
        public void setMore(Map<String, List<Integer>> more) { this.more = more; }
        public SdkBytes getBytes() { return bytes; }
        public void setBytes(SdkBytes bytes) { this.bytes = bytes; }
        public Instant getAt() { return at; }
        public void setAt(Instant at) { this.at = at; }
    }

    public static void main(String[] arguments) {
        DynamoDbClient client = DynamoDbClient.create();
        DynamoDbEnhancedClient enhanced = DynamoDbEnhancedClient.builder().dynamoDbClient(client).build();
        DynamoDbTable<Order> table = enhanced.table(arguments[0], TableSchema.fromBean(Order.class));
        table.createTable();
        BackoffStrategy soon = BackoffStrategy.fixedDelay(Duration.ofMillis(100));
        DynamoDbWaiter.builder().client(client).overrideConfiguration(o -> o.backoffStrategyV2(soon)).build()
            .waitUntilTableExists(r -> r.tableName(arguments[0]));

        Order made = order("ann", 1);
        made.setTags(Set.of("new", "gift"));
        made.setMore(Map.of("x", List.of(1, 2)));
        made.setBytes(SdkBytes.fromByteArray(new byte[] {0, -1}));
        made.setAt(Instant.parse("2026-01-02T03:04:05.678Z"));
        table.putItem(made);
        Order found = table.getItem(key("ann", 1));
        check(found.getTags().equals(made.getTags()) && found.getMore().equals(made.getMore()));
        check(found.getBytes().equals(made.getBytes()) && found.getAt().equals(made.getAt()));
        check(found.getVersion() == 1);
        found.setTotal(99.5);
        check(table.updateItem(found).getVersion() == 2);
        // Its version is that of before.
        made.setVersion(1L);
        refused(ConditionalCheckFailedException.class, () -> table.updateItem(made));

        IntStream.range(0, 60).mapToObj(n -> order("bob", n)).forEach(table::putItem);
        QueryConditional bobs = QueryConditional.sortGreaterThanOrEqualTo(key("bob", 20));
        List<Integer> numbers = table.query(r -> r.queryConditional(bobs).limit(7)).items().stream().map(Order::getNumber).toList();
        check(numbers.equals(IntStream.range(20, 60).boxed().toList()));
        QueryConditional city = QueryConditional.keyEqualTo(k -> k.partitionValue("city-1"));
        List<Double> totals = table.index("by-city").query(r -> r.queryConditional(city).scanIndexForward(false)).stream()
            .flatMap(page -> page.items().stream()).map(Order::getTotal).limit(3).toList();
        check(totals.equals(List.of(99.5, 14.5, 13.75)));

        Expression nobody = Expression.builder().expression("attribute_exists(#u)").putExpressionName("#u", "user").build();
        TransactionCanceledException cancelled = refused(TransactionCanceledException.class, () ->
            enhanced.transactWriteItems(r -> r
                .addDeleteItem(table, key("ann", 1))
                .addConditionCheck(table, ConditionCheck.builder().key(key("none", 0)).conditionExpression(nobody).build())));
        check(cancelled.cancellationReasons().stream().map(CancellationReason::code).toList()
            .equals(List.of("None", "ConditionalCheckFailed")));
        enhanced.transactWriteItems(r -> r.addDeleteItem(table, key("ann", 1)));
        check(table.getItem(key("ann", 1)) == null);
        table.deleteTable();
        refused(ResourceNotFoundException.class, table::describeTable);
        System.out.printf("{\"items\": %d}%n", numbers.size());
        System.exit(0);
    }

    private static Order order(String user, int number) {
        Order order = new Order();
        order.setUser(user);
        order.setNumber(number);
        order.setTotal(number / 4.0);
        order.setCity("city-" + number % 3);
        return order;
    }

    private static Key key(String user, int number) {
        return Key.builder().partitionValue(user).sortValue(number).build();
    }

    private static <E extends Exception> E refused(Class<E> kind, Runnable call) {
        try {
            call.run();
        } catch (Exception error) {
            return kind.cast(error);
        }
        throw new AssertionError("it was not refused");
    }

    private static void check(boolean holds) {
        if (!holds) throw new AssertionError();
    }
}
