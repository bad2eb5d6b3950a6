package headwater;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** JSON, and the plain objects that handlers take and give. */
final class Json {
    private static final int DEPTH = 500;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    // Reading.

    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length()) {
            throw json.wrong();
        }
        return value;
    }

    private IllegalArgumentException wrong() {
        return new IllegalArgumentException("not JSON at character " + at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong();
        }
        return text.charAt(at);
    }

    private Object value() {
        space();
        if (++depth > DEPTH) {
            throw wrong();
        }
        Object value;
        switch (peek()) {
            case '{': value = object(); break;
            case '[': value = array(); break;
            case '"': value = string(); break;
            case 't': value = word("true", Boolean.TRUE); break;
            case 'f': value = word("false", Boolean.FALSE); break;
            case 'n': value = word("null", null); break;
            default: value = number();
        }
        depth--;
        return value;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong();
        }
        at += word.length();
        return value;
    }

    private Map<String, Object> object() {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        space();
        if (peek() == '}') {
            at++;
            return map;
        }
        while (true) {
            space();
            if (peek() != '"') {
                throw wrong();
            }
            String name = string();
            space();
            if (peek() != ':') {
                throw wrong();
            }
            at++;
            map.put(name, value());
            space();
            char next = peek();
            at++;
            if (next == '}') {
                return map;
            }
            if (next != ',') {
                throw wrong();
            }
        }
    }

    private List<Object> array() {
        List<Object> list = new ArrayList<>();
        at++;
        space();
        if (peek() == ']') {
            at++;
            return list;
        }
        while (true) {
            list.add(value());
            space();
            char next = peek();
            at++;
            if (next == ']') {
                return list;
            }
            if (next != ',') {
                throw wrong();
            }
        }
    }

    private String string() {
        StringBuilder to = new StringBuilder();
        at++;
        while (peek() != '"') {
            char next = text.charAt(at++);
            to.append(next == '\\' ? escaped() : next);
        }
        at++;
        return to.toString();
    }

    private char escaped() {
        char kind = peek();
        at++;
        int known = "\"\\/bfnrt".indexOf(kind);
        if (known >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(known);
        }
        if (kind != 'u' || at + 4 > text.length()) {
            throw wrong();
        }
        at += 4;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }

    private Number number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(start, at);
        if (digits.isEmpty()) {
            throw wrong();
        }
        if (digits.matches("-?\\d+")) {
            BigInteger whole = new BigInteger(digits);
            if (whole.bitLength() < 32) {
                return whole.intValue();
            }
            return whole.bitLength() < 64 ? (Number) whole.longValue() : whole;
        }
        return Double.valueOf(digits);
    }

    // Objects of Java out of what was read.

    /** The type that a variable of a class stands for, as the subclass `of` says it; Object where nobody does. */
    static Type resolve(Type type, Class<?> of) {
        if (!(type instanceof TypeVariable)) {
            return type;
        }
        for (Class<?> at = of; at != null && at != Object.class; at = at.getSuperclass()) {
            List<Type> above = new ArrayList<>(List.of(at.getGenericInterfaces()));
            above.add(at.getGenericSuperclass());
            for (Type generic : above) {
                if (generic instanceof ParameterizedType) {
                    ParameterizedType known = (ParameterizedType) generic;
                    TypeVariable<?>[] names = ((Class<?>) known.getRawType()).getTypeParameters();
                    for (int n = 0; n < names.length; n++) {
                        if (names[n].equals(type)) {
                            return known.getActualTypeArguments()[n];
                        }
                    }
                }
            }
        }
        return Object.class;
    }

    static Object bind(Object value, Type type) throws ReflectiveOperationException {
        if (type instanceof ParameterizedType) {
            ParameterizedType known = (ParameterizedType) type;
            return bind(value, (Class<?>) known.getRawType(), known.getActualTypeArguments());
        }
        if (type instanceof WildcardType) {
            return bind(value, ((WildcardType) type).getUpperBounds()[0]);
        }
        return bind(value, type instanceof Class ? (Class<?>) type : Object.class, new Type[0]);
    }

    private static Object bind(Object value, Class<?> type, Type[] of) throws ReflectiveOperationException {
        if (value == null) {
            return type == Optional.class ? Optional.empty() : null;
        }
        if (type == Object.class) {
            return value;
        }
        if (type == String.class || type == CharSequence.class) {
            return value instanceof Map || value instanceof List ? refuse(value, type) : String.valueOf(value);
        }
        if (type == Optional.class) {
            return Optional.of(bind(value, of[0]));
        }
        if (value instanceof Number && (Number.class.isAssignableFrom(type) || type.isPrimitive())) {
            return number((Number) value, type);
        }
        if (value instanceof Boolean && (type == boolean.class || type == Boolean.class)) {
            return value;
        }
        if (type == Date.class || type == Instant.class) {
            Instant time = value instanceof Number
                    ? Instant.ofEpochMilli(((Number) value).longValue())
                    : Instant.parse((String) value);
            return type == Date.class ? Date.from(time) : time;
        }
        if (value instanceof String) {
            return fromText((String) value, type);
        }
        if (value instanceof List) {
            return fromList((List<?>) value, type, of);
        }
        if (value instanceof Map) {
            return fromMap((Map<?, ?>) value, type, of);
        }
        return refuse(value, type);
    }

    private static Object refuse(Object value, Class<?> type) {
        String kind = value.getClass().getSimpleName();
        throw new IllegalArgumentException("An error occurred during JSON parsing: a " + kind + " is no " + type.getName());
    }

    private static Object number(Number value, Class<?> type) {
        BigDecimal exact = new BigDecimal(value.toString());
        if (type == int.class || type == Integer.class) return exact.intValue();
        if (type == long.class || type == Long.class) return exact.longValue();
        if (type == double.class || type == Double.class) return exact.doubleValue();
        if (type == float.class || type == Float.class) return exact.floatValue();
        if (type == short.class || type == Short.class) return exact.shortValue();
        if (type == byte.class || type == Byte.class) return exact.byteValue();
        if (type == BigDecimal.class) return exact;
        if (type == BigInteger.class) return exact.toBigInteger();
        return type == Number.class ? value : refuse(value, type);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object fromText(String value, Class<?> type) {
        if (type.isEnum()) return Enum.valueOf((Class<? extends Enum>) type, value);
        if (type == byte[].class) return Base64.getDecoder().decode(value);
        if (type == ByteBuffer.class) return ByteBuffer.wrap(Base64.getDecoder().decode(value));
        if ((type == char.class || type == Character.class) && value.length() == 1) return value.charAt(0);
        if (type == boolean.class || type == Boolean.class) return Boolean.valueOf(value);
        if (Number.class.isAssignableFrom(type) || type.isPrimitive()) return number(new BigDecimal(value), type);
        return refuse(value, type);
    }

    private static Object fromList(List<?> value, Class<?> type, Type[] of) throws ReflectiveOperationException {
        if (type.isArray()) {
            Object array = Array.newInstance(type.getComponentType(), value.size());
            for (int n = 0; n < value.size(); n++) {
                Array.set(array, n, bind(value.get(n), type.getComponentType()));
            }
            return array;
        }
        boolean isSet = Set.class.isAssignableFrom(type);
        if (!isSet && !type.isAssignableFrom(ArrayList.class)) {
            return refuse(value, type);
        }
        Collection<Object> bound = isSet ? new LinkedHashSet<>() : new ArrayList<>();
        for (Object item : value) {
            bound.add(bind(item, of.length > 0 ? of[0] : Object.class));
        }
        return bound;
    }

    private static Object fromMap(Map<?, ?> value, Class<?> type, Type[] of) throws ReflectiveOperationException {
        if (type.isAssignableFrom(LinkedHashMap.class)) {
            Map<Object, Object> bound = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : value.entrySet()) {
                Object name = of.length > 1 ? bind(entry.getKey(), of[0]) : entry.getKey();
                bound.put(name, bind(entry.getValue(), of.length > 1 ? of[1] : Object.class));
            }
            return bound;
        }
        return type.isRecord() ? record(value, type) : plain(value, type);
    }

    private static Object record(Map<?, ?> value, Class<?> type) throws ReflectiveOperationException {
        RecordComponent[] parts = type.getRecordComponents();
        Class<?>[] types = new Class<?>[parts.length];
        Object[] given = new Object[parts.length];
        for (int n = 0; n < parts.length; n++) {
            types[n] = parts[n].getType();
            Object bound = bind(value.get(parts[n].getName()), parts[n].getGenericType());
            given[n] = bound == null && types[n].isPrimitive() ? Array.get(Array.newInstance(types[n], 1), 0) : bound;
        }
        Constructor<?> constructor = type.getDeclaredConstructor(types);
        constructor.setAccessible(true);
        return constructor.newInstance(given);
    }

    /** An object with a setter or a public field for each member; members that have neither are passed over. */
    private static Object plain(Map<?, ?> value, Class<?> type) throws ReflectiveOperationException {
        Constructor<?> constructor = type.getDeclaredConstructor();
        constructor.setAccessible(true);
        Object made = constructor.newInstance();
        for (Map.Entry<?, ?> entry : value.entrySet()) {
            String name = (String) entry.getKey();
            Method setter = setter(type, name);
            Field field = setter == null ? field(type, name) : null;
            Type wanted = setter != null ? setter.getGenericParameterTypes()[0] : field == null ? null : field.getGenericType();
            Object bound = wanted == null ? null : bind(entry.getValue(), resolve(wanted, type));
            boolean isNothing = bound == null && wanted instanceof Class && ((Class<?>) wanted).isPrimitive();
            if (setter != null && !isNothing) {
                setter.setAccessible(true);
                setter.invoke(made, bound);
            } else if (field != null && !isNothing) {
                field.set(made, bound);
            }
        }
        return made;
    }

    private static Method setter(Class<?> type, String name) {
        for (Method method : type.getMethods()) {
            boolean isSetter = method.getName().equalsIgnoreCase("set" + name) && method.getParameterCount() == 1;
            if (isSetter && !method.isBridge()) {
                return method;
            }
        }
        return null;
    }

    private static Field field(Class<?> type, String name) {
        for (Field field : type.getFields()) {
            if (field.getName().equalsIgnoreCase(name) && !Modifier.isFinal(field.getModifiers())) {
                field.setAccessible(true);
                return field;
            }
        }
        return null;
    }

    // Writing.

    static String write(Object value) throws IllegalArgumentException {
        StringBuilder to = new StringBuilder();
        try {
            write(value, to, 0);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException("An error occurred during JSON serialization of response", error);
        }
        return to.toString();
    }

    private static void write(Object value, StringBuilder to, int depth) throws ReflectiveOperationException {
        if (depth > DEPTH) {
            throw new IllegalArgumentException("An error occurred during JSON serialization of response: too deep");
        }
        if (value == null || value instanceof Boolean || value instanceof Number && isFinite((Number) value)) {
            to.append(value);
        } else if (value instanceof Map) {
            members((Map<?, ?>) value, to, depth);
        } else if (value instanceof Iterable) {
            items((Iterable<?>) value, to, depth);
        } else if (value instanceof byte[]) {
            quote(Base64.getEncoder().encodeToString((byte[]) value), to);
        } else if (value instanceof ByteBuffer) {
            ByteBuffer bytes = ((ByteBuffer) value).duplicate();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            quote(Base64.getEncoder().encodeToString(copy), to);
        } else if (value.getClass().isArray()) {
            List<Object> list = new ArrayList<>();
            for (int n = 0; n < Array.getLength(value); n++) {
                list.add(Array.get(value, n));
            }
            items(list, to, depth);
        } else if (value instanceof Optional) {
            write(((Optional<?>) value).orElse(null), to, depth + 1);
        } else if (value instanceof Date) {
            to.append(((Date) value).getTime());
        } else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum
                || value instanceof Number || value.getClass().getName().startsWith("java.")) {
            quote(value instanceof Enum ? ((Enum<?>) value).name() : value.toString(), to);
        } else {
            members(properties(value), to, depth);
        }
    }

    private static boolean isFinite(Number value) {
        return !(value instanceof Double || value instanceof Float) || Double.isFinite(value.doubleValue());
    }

    private static void members(Map<?, ?> map, StringBuilder to, int depth) throws ReflectiveOperationException {
        to.append('{');
        String between = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            to.append(between);
            quote(String.valueOf(entry.getKey()), to);
            to.append(':');
            write(entry.getValue(), to, depth + 1);
            between = ",";
        }
        to.append('}');
    }

    private static void items(Iterable<?> list, StringBuilder to, int depth) throws ReflectiveOperationException {
        to.append('[');
        String between = "";
        for (Object item : list) {
            to.append(between);
            write(item, to, depth + 1);
            between = ",";
        }
        to.append(']');
    }

    /** What an object shows: the parts of a record, or its getters and public fields. */
    private static Map<String, Object> properties(Object value) throws ReflectiveOperationException {
        Map<String, Object> shown = new LinkedHashMap<>();
        Class<?> type = value.getClass();
        if (type.isRecord()) {
            for (RecordComponent part : type.getRecordComponents()) {
                part.getAccessor().setAccessible(true);
                shown.put(part.getName(), part.getAccessor().invoke(value));
            }
            return shown;
        }
        for (Field field : type.getFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                shown.put(field.getName(), field.get(value));
            }
        }
        for (Method method : type.getMethods()) {
            String name = property(method);
            if (name != null) {
                method.setAccessible(true);
                shown.put(name, method.invoke(value));
            }
        }
        return shown;
    }

    private static String property(Method method) {
        String name = method.getName();
        int start = name.startsWith("get") ? 3 : name.startsWith("is") ? 2 : 0;
        boolean isGetter = start > 0 && name.length() > start && method.getParameterCount() == 0
                && method.getReturnType() != void.class && !Modifier.isStatic(method.getModifiers())
                && method.getDeclaringClass() != Object.class && !method.isBridge();
        return isGetter ? Character.toLowerCase(name.charAt(start)) + name.substring(start + 1) : null;
    }

    private static void quote(String text, StringBuilder to) {
        to.append('"');
        for (int n = 0; n < text.length(); n++) {
            char next = text.charAt(n);
            int known = "\"\\\b\f\n\r\t".indexOf(next);
            if (known >= 0) {
                to.append('\\').append("\"\\bfnrt".charAt(known));
            } else if (next < ' ' || Character.isSurrogate(next) && !isPaired(text, n)) {
                to.append(String.format("\\u%04x", (int) next));
            } else {
                to.append(next);
            }
        }
        to.append('"');
    }

    private static boolean isPaired(String text, int at) {
        return Character.isHighSurrogate(text.charAt(at))
                ? at + 1 < text.length() && Character.isLowSurrogate(text.charAt(at + 1))
                : at > 0 && Character.isHighSurrogate(text.charAt(at - 1));
    }
}
