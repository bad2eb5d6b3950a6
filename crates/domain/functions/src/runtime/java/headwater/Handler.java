package headwater;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A method that is called with events: `package.Class::method`, or a class that implements one of AWS's interfaces. */
final class Handler {
    private final Object instance;
    private final Method method;

    private Handler(Object instance, Method method) {
        this.instance = instance;
        this.method = method;
    }

    static Handler named(String name) throws Exception {
        int colons = name.indexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        Class<?> found;
        try {
            found = Class.forName(className);
        } catch (ClassNotFoundException error) {
            throw new ClassNotFoundException("Class not found: " + className, error);
        }
        boolean isInterface =
                RequestHandler.class.isAssignableFrom(found) || RequestStreamHandler.class.isAssignableFrom(found);
        if (colons < 0 && !isInterface) {
            throw new IllegalArgumentException(
                    "Class " + className + " does not implement an appropriate handler interface");
        }
        Method method = method(found, colons < 0 ? "handleRequest" : name.substring(colons + 2));
        Object instance = null;
        if (!Modifier.isStatic(method.getModifiers())) {
            Constructor<?> constructor = found.getDeclaredConstructor();
            constructor.setAccessible(true);
            instance = constructor.newInstance();
        }
        return new Handler(instance, method);
    }

    /** Of several methods of a name the one with the most parameters, as on AWS; those that the compiler made do not count. */
    private static Method method(Class<?> of, String name) throws NoSuchMethodException {
        Method best = null;
        for (Method method : of.getMethods()) {
            boolean fits = method.getName().equals(name) && !method.isBridge() && !method.isSynthetic();
            if (fits && (best == null || method.getParameterCount() > best.getParameterCount())) {
                best = method;
            }
        }
        if (best == null) {
            throw new NoSuchMethodException("No public method named " + name + " on class " + of.getName());
        }
        best.setAccessible(true);
        return best;
    }

    /** The answer to an event, as bytes. */
    byte[] call(byte[] event, Context context) throws Exception {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        List<Object> arguments = new ArrayList<>();
        boolean streams = false;
        for (Type type : types()) {
            if (type == InputStream.class) {
                arguments.add(new ByteArrayInputStream(event));
            } else if (type == OutputStream.class) {
                arguments.add(to);
                streams = true;
            } else if (type == Context.class) {
                arguments.add(context);
            } else {
                arguments.add(Json.bind(Json.parse(new String(event, StandardCharsets.UTF_8)), type));
            }
        }
        Object result = method.invoke(instance, arguments.toArray());
        return streams ? to.toByteArray() : Json.write(result).getBytes(StandardCharsets.UTF_8);
    }

    /** The parameters' types; one that a class leaves open is found where the class says what it is. */
    private List<Type> types() {
        List<Type> types = new ArrayList<>();
        for (Type type : method.getGenericParameterTypes()) {
            types.add(Json.resolve(type, instance == null ? method.getDeclaringClass() : instance.getClass()));
        }
        return types;
    }
}
