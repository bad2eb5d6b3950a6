package headwater;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs a Java handler over the Lambda runtime API. The standard library only; ends when the API does. */
public final class Bootstrap {
    private static final String API =
            "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime";

    private Bootstrap() {}

    public static void main(String[] arguments) {
        // An answer that was lost is not sent again: the server would take it for another one's.
        System.setProperty("sun.net.http.retryPost", "false");
        Handler handler;
        try {
            handler = Handler.named(System.getenv("_HANDLER"));
        } catch (Throwable error) {
            fail("/init/error", error);
            System.exit(1);
            return;
        }
        while (true) {
            invoke(handler);
        }
    }

    private static void invoke(Handler handler) {
        HttpURLConnection next = call("GET", "/invocation/next", null, null);
        byte[] event = read(next);
        Invocation invocation = new Invocation(next);
        String trace = next.getHeaderField("Lambda-Runtime-Trace-Id");
        System.setProperty("com.amazonaws.xray.traceHeader", trace == null ? "" : trace);
        String path = "/invocation/" + invocation.getAwsRequestId();
        byte[] answer;
        try {
            answer = handler.call(event, invocation);
        } catch (Throwable error) {
            fail(path + "/error", error);
            return;
        } finally {
            System.out.flush();
            System.err.flush();
        }
        read(call("POST", path + "/response", answer, null));
    }

    private static void fail(String path, Throwable error) {
        Throwable cause = error instanceof InvocationTargetException && error.getCause() != null
                ? error.getCause()
                : error;
        Map<String, Object> described = describe(cause, 0);
        List<String> lines = new ArrayList<>();
        lines.add(cause.getMessage() + ": " + cause.getClass().getName());
        lines.add(cause.toString());
        for (Object frame : (List<?>) described.get("stackTrace")) {
            lines.add("\tat " + frame);
        }
        log(String.join("\n", lines));
        byte[] body = Json.write(described).getBytes(StandardCharsets.UTF_8);
        String type = cause.getClass().getName().replaceAll("[^\\x20-\\x7e]", "?");
        read(call("POST", path, body, type));
    }

    private static Map<String, Object> describe(Throwable error, int depth) {
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("errorMessage", error.getMessage() == null ? error.toString() : error.getMessage());
        described.put("errorType", error.getClass().getName());
        List<String> frames = new ArrayList<>();
        for (StackTraceElement frame : error.getStackTrace()) {
            boolean isOurs = frame.getClassName().startsWith("headwater.")
                    || frame.getClassName().startsWith("java.base/jdk.internal.reflect")
                    || frame.getClassName().startsWith("jdk.internal.reflect");
            if (!isOurs) {
                frames.add(frame.toString());
            }
        }
        described.put("stackTrace", frames);
        if (error.getCause() != null && depth < 8) {
            described.put("cause", describe(error.getCause(), depth + 1));
        }
        return described;
    }

    /** One event of the log, of however many lines: one that ends in a zero goes on in the next. */
    static void log(String text) {
        String trimmed = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        byte[] bytes = (trimmed.replace("\n", "\0\n") + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private static HttpURLConnection call(String method, String path, byte[] body, String errorType) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(API + path).toURL().openConnection();
            connection.setRequestMethod(method);
            if (body != null) {
                connection.setDoOutput(true);
                connection.setFixedLengthStreamingMode(body.length);
                connection.setRequestProperty("Content-Type", "application/json");
                if (errorType != null) {
                    connection.setRequestProperty("Lambda-Runtime-Function-Error-Type", errorType);
                }
                try (OutputStream to = connection.getOutputStream()) {
                    to.write(body);
                }
            }
            connection.getResponseCode();
            return connection;
        } catch (IOException error) {
            throw gone();
        }
    }

    private static byte[] read(HttpURLConnection connection) {
        try {
            InputStream from = connection.getResponseCode() < 400
                    ? connection.getInputStream()
                    : connection.getErrorStream();
            ByteArrayOutputStream to = new ByteArrayOutputStream();
            if (from != null) {
                from.transferTo(to);
                from.close();
            }
            return to.toByteArray();
        } catch (IOException error) {
            throw gone();
        }
    }

    /** The server is gone or has given this process up. */
    private static IllegalStateException gone() {
        Runtime.getRuntime().halt(1);
        return new IllegalStateException();
    }
}
