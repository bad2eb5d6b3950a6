package headwater;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a handler may know of its invocation. */
final class Invocation implements Context {
    private final String requestId;
    private final String arn;
    private final long deadline;
    private final String client;

    Invocation(HttpURLConnection next) {
        requestId = next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
        arn = next.getHeaderField("Lambda-Runtime-Invoked-Function-Arn");
        deadline = Long.parseLong(next.getHeaderField("Lambda-Runtime-Deadline-Ms"));
        client = next.getHeaderField("Lambda-Runtime-Client-Context");
    }

    @Override
    public String getAwsRequestId() {
        return requestId;
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return arn;
    }

    @Override
    public CognitoIdentity getIdentity() {
        return null;
    }

    @Override
    public ClientContext getClientContext() {
        if (client == null) {
            return null;
        }
        // The header holds UTF-8, which Java takes for Latin-1.
        String text = new String(client.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        Map<?, ?> given = (Map<?, ?>) Json.parse(text);
        return new GivenClient(texts(given.get("custom")), texts(given.get("env")));
    }

    private static Map<String, String> texts(Object given) {
        Map<String, String> texts = new LinkedHashMap<>();
        if (given instanceof Map) {
            ((Map<?, ?>) given).forEach((name, value) -> texts.put((String) name, String.valueOf(value)));
        }
        return texts;
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, deadline - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public LambdaLogger getLogger() {
        return new Logger();
    }

    private static final class Logger implements LambdaLogger {
        @Override
        public void log(String message) {
            Bootstrap.log(String.valueOf(message));
        }

        @Override
        public void log(byte[] message) {
            Bootstrap.log(new String(message, StandardCharsets.UTF_8));
        }
    }

    private static final class GivenClient implements ClientContext {
        private final Map<String, String> custom;
        private final Map<String, String> environment;

        GivenClient(Map<String, String> custom, Map<String, String> environment) {
            this.custom = custom;
            this.environment = environment;
        }

        @Override
        public Client getClient() {
            return null;
        }

        @Override
        public Map<String, String> getCustom() {
            return custom;
        }

        @Override
        public Map<String, String> getEnvironment() {
            return environment;
        }
    }
}
