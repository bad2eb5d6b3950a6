import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.util.LineReader;
import org.xerial.snappy.SnappyInputStream;

/**
 * What Java reads Snappy with: Unpack java|hadoop from to, where `java` is snappy-java's stream, with which Spark keeps its
 * own blocks, and `hadoop` the codec that Hadoop and Spark find for a text by its name, which ends in `.snappy`.
 */
public final class Unpack {
    public static void main(String[] arguments) throws Exception {
        Path from = Path.of(arguments[1]), to = Path.of(arguments[2]);
        try (InputStream packed = Files.newInputStream(from)) {
            long lines = arguments[0].equals("java") ? whole(packed, to) : lines(packed, from.toString(), to);
            System.out.printf("{\"lines\": %d}%n", lines);
        }
    }

    private static long whole(InputStream packed, Path to) throws Exception {
        Files.copy(new SnappyInputStream(packed), to);
        try (var lines = Files.lines(to)) {
            return lines.count();
        }
    }

    private static long lines(InputStream packed, String name, Path to) throws Exception {
        Configuration configuration = new Configuration();
        var path = new org.apache.hadoop.fs.Path(name);
        CompressionCodec codec = new CompressionCodecFactory(configuration).getCodec(path);
        Text line = new Text();
        long count = 0;
        try (LineReader reader = new LineReader(codec.createInputStream(packed), configuration);
                var out = Files.newOutputStream(to)) {
            for (; reader.readLine(line) > 0; count++) {
                out.write(line.getBytes(), 0, line.getLength());
                out.write('\n');
            }
        }
        return count;
    }
}
