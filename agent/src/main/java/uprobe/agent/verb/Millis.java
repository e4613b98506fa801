package uprobe.agent.verb;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** 500ms, 10s, 2m, 1h; a number alone: seconds. */
final class Millis implements ITypeConverter<Long> {
    private static final Pattern TIME = Pattern.compile("([0-9]{1,9})\\s*(ms|s|m|h|)");

    @Override
    public Long convert(String value) {
        Matcher time = TIME.matcher(value);
        if (!time.matches() || Long.parseLong(time.group(1)) == 0) {
            throw new TypeConversionException("'" + value + "' is no time; write 500ms, 10s, 2m or 1h");
        }
        return Long.parseLong(time.group(1)) * switch (time.group(2)) {
            case "ms" -> 1L;
            case "m" -> 60_000L;
            case "h" -> 3_600_000L;
            default -> 1_000L;
        };
    }
}
