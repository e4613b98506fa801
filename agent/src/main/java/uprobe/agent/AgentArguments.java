package uprobe.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uprobe.probe.spec.Nearest;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;
import uprobe.probe.spec.RateLimit;

/* From one string to probes, options and complaints
 * -------------------------------------------------
 *     record=app.jfr; c:zlib/deflate libz:deflate len=$arg2; @more.probes
 *
 * Items are told apart before anything in them is understood, so that a mistake in one cannot spoil the next: a semicolon separates unless
 * it stands between two quotes or in a JNI method descriptor, which are recognised whole, (Ljava/lang/String;I)V. A quote or parenthesis
 * that is never closed protects nothing.
 *
 * This runs before main: nothing here touches logging, JMX, the default locale or the default charset.
 */

/**
 * Parses what stands behind {@code -javaagent:uprobe-agent.jar=}, or what {@code jcmd} and the attach API hand over: items separated by
 * {@code ;}, each a probe, an option, or {@code @FILE} with one item a line. Nothing is thrown for what users write: mistakes are
 * {@link Result#errors}, and all other items hold.
 */
public final class AgentArguments {
    /** {@code ring=} when it is left out, for each thread: a call of a thousand hits with fifteen fields each. */
    public static final int DEFAULT_RING_BYTES = 256 << 10;
    /** The smallest {@code ring=}, one page. */
    public static final int MIN_RING_BYTES = 4 << 10;
    /** The largest {@code ring=}. */
    public static final int MAX_RING_BYTES = 16 << 20;
    /** {@code rings=} when it is left out: threads that can record at one time. */
    public static final int DEFAULT_RINGS = 1024;
    /** The largest {@code rings=}. */
    public static final int MAX_RINGS = 65536;

    /** {@code guard=} when it is left out: events a second of one probe. */
    public static final RateLimit DEFAULT_GUARD = new RateLimit(100_000);

    private static final int MAX_FILE_BYTES = 8 << 20;

    private static final String ALL = "options are " + AgentOption.all()
            + "; verbs are remove NAME, set NAME SETTING=VALUE, list, status and detach; a probe begins with p, r or c, e.g. p libz:deflate";

    /* options of the design -> what holds without them */
    private static final Map<String, String> LATER = Map.of(
            "pack", "write the probes themselves, or keep them in a file: @FILE",
            "drain", "hits without a Java frame are drained within 1 s",
            "coexist", "detach perf and other uprobes from the same functions first");

    /* a type in a method descriptor (JVMS 4.3.3); neither a C++ signature nor a FETCH is made of these */
    private static final Pattern FIELD_TYPE = Pattern.compile("\\[*+(?:[BCDFIJSZ]|L[^;()'\"\\s]++;)");
    private static final int MAX_PARAMETERS = 255;

    /* r10 is the kernel's MAXACTIVE: the parser explains it */
    private static final Pattern PROBE = Pattern.compile("[prc][0-9]*(?:[:,\\s].*)?", Pattern.DOTALL);
    /* what the command line can do to an agent that is there, and needs no answer but lines */
    private static final Pattern VERB = Pattern.compile("-:.*|(?:remove|set|detach|list|status)(?:\\s.*)?", Pattern.DOTALL);
    /* a probe's place without its type */
    private static final Pattern PLACE = Pattern.compile("[^\\s:=;]+:[^\\s:=;].*", Pattern.DOTALL);
    private static final Pattern FILE_OPTION = Pattern.compile("(record|jfc|dir)\\s*=\\s*(.*)", Pattern.DOTALL);
    private static final Pattern SIZE = Pattern.compile("([0-9]+)([kKmM]?)");

    /**
     * What was asked for.
     *
     * @param record    file for a recording that begins with the agent, as written: relative to the working directory. Empty: none asked for
     * @param quiet     nothing but errors on stderr
     * @param ringBytes size of a thread's ring of records, in bytes: a power of two, {@value #MIN_RING_BYTES} to {@value #MAX_RING_BYTES}
     * @param rings     how many threads can have a ring at one time, 1 to {@value #MAX_RINGS}; all together are below 2 GiB
     * @param armedAlways whether probes are armed from the start on; false: while a recording has their event enabled
     * @param enabled   whether a probe's event is enabled in a recording that does not say, if the probe does not say either
     * @param guard     events a second of one probe above which it only counts; {@link RateLimit#NONE} for {@code guard=off}
     * @param allSites  whether every site has its own {@code uprobe.ProbeArmed}, however many a probe has; false: totals above 1,000
     * @param jfc       file for a recording configuration that names the probes' events, as written. Empty: none asked for
     * @param dir       folder to which the agent's native libraries are unpacked until the JVM ends. Empty: java.io.tmpdir, or another
     * @param off       true: every probe is disarmed, whatever recordings want, until {@code on} takes that back. Empty: as it was; the last one holds
     * @param given     the options that were there, as they were written, by name; the others have their defaults; unmodifiable
     * @param verbs     what is to be done once the options hold and the probes are there: {@code remove NAME}, {@code detach}; unmodifiable
     * @param probes    in the order of the text; unmodifiable
     * @param errors    one line for each item that was left out, with the item's text and the column in it; unmodifiable
     */
    public record Result(Optional<Path> record, boolean quiet, int ringBytes, int rings, boolean armedAlways, boolean enabled, RateLimit guard,
                         boolean allSites, Optional<Path> jfc, Optional<Path> dir, Optional<Boolean> off, Map<String, String> given, List<ProbeSpec> probes, List<String> verbs,
                         List<String> errors) {
        public Result {
            given = Map.copyOf(given);
            verbs = List.copyOf(verbs);
            probes = List.copyOf(probes);
            errors = List.copyOf(errors);
        }
    }

    private Optional<Path> record = Optional.empty();
    private boolean quiet;
    private int ringBytes = DEFAULT_RING_BYTES;
    private int rings = DEFAULT_RINGS;
    private boolean armedAlways;
    private boolean enabled = true;
    private RateLimit guard = DEFAULT_GUARD;
    private boolean allSites;
    private Optional<Path> jfc = Optional.empty();
    private Optional<Path> dir = Optional.empty();
    private Optional<Boolean> off = Optional.empty();
    private final List<ProbeSpec> probes = new ArrayList<>();
    private final List<String> verbs = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();
    private final Map<String, String> given = new HashMap<>();

    private AgentArguments() {
    }

    /** @param arguments null or blank when the agent was given none */
    public static Result parse(String arguments) {
        AgentArguments parsed = new AgentArguments();
        if (arguments != null) {
            for (String item : items(arguments)) {
                parsed.item(item, "");
            }
        }
        parsed.fitRings();
        return new Result(parsed.record, parsed.quiet, parsed.ringBytes, parsed.rings, parsed.armedAlways, parsed.enabled, parsed.guard,
                parsed.allSites, parsed.jfc, parsed.dir, parsed.off, parsed.given, parsed.probes, parsed.verbs, parsed.errors);
    }

    /* the text between separating semicolons, stripped, without empty ones */
    static List<String> items(String text) {
        List<String> items = new ArrayList<>();
        Matcher type = FIELD_TYPE.matcher(text);
        int from = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i == text.length() ? ';' : text.charAt(i);
            if (c == '\'' || c == '"') {
                i = Math.max(i, text.indexOf(c, i + 1));
            } else if (c == '(') {
                i = Math.max(i, endOfDescriptor(text, i, type) - 1);
            } else if (c == ';') {
                String item = text.substring(from, i).strip();
                if (!item.isEmpty()) {
                    items.add(item);
                }
                from = i + 1;
            }
        }
        return items;
    }

    /**
     * The items of an argument string, those of the files that it names in place of {@code @FILE}.
     *
     * @throws IOException if a file can not be read; {@link #parse} says it in one sentence
     */
    private static List<String> itemsWithFiles(String arguments) throws IOException {
        List<String> items = new ArrayList<>();
        for (String item : items(arguments)) {
            if (item.charAt(0) == '@') {
                read(Path.of(unquoted(item.substring(1).strip()))).lines().forEach(line -> items.addAll(items(withoutComment(line))));
            } else {
                items.add(item);
            }
        }
        return items;
    }

    /**
     * What a command hands over: the items of the files that it names in their place, and file names as the target would find them.
     *
     * @throws IllegalArgumentException with a line for each mistake
     */
    public static List<String> handedOver(List<String> items) throws IOException {
        String written = String.join(";", items);
        List<String> errors = parse(written).errors();
        if (!errors.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", errors));
        }
        return itemsWithFiles(written).stream().map(AgentArguments::withWholePath).toList();
    }

    /** An option that names a file, with the whole path as seen from here; other items as they are. A line, that a file of items can hold. */
    private static String withWholePath(String item) {
        Matcher option = FILE_OPTION.matcher(item);
        if (!option.matches()) {
            return item.replaceAll("\\R", " ");
        }
        String file = Path.of(unquoted(option.group(2))).toAbsolutePath().toString();
        String quote = file.indexOf('\'') < 0 ? "'" : "\"";       /* a # behind a blank would begin a comment */
        return option.group(1) + "=" + quote + file + quote;
    }

    /* text[open] is a parenthesis; -1 if no whole descriptor begins there, result type included */
    private static int endOfDescriptor(String text, int open, Matcher type) {
        int i = open + 1;
        for (int parameters = 0; !text.startsWith(")", i); parameters++) {
            if (parameters == MAX_PARAMETERS || !type.region(i, text.length()).lookingAt()) {
                return -1;
            }
            i = type.end();
        }
        i++;
        if (text.startsWith("V", i)) {
            return i + 1;
        }
        return i < text.length() && type.region(i, text.length()).lookingAt() ? type.end() : -1;
    }

    /* place is where the item stands, "" for the argument string itself */
    private void item(String item, String place) {
        if (item.charAt(0) == '@') {
            file(item, place);
        } else if (PROBE.matcher(item).matches()) {
            try {
                probes.add(ProbeParser.parse(item));
            } catch (ProbeSyntaxException e) {
                error(item, place, e.column(), e.problem());
            }
        } else if (VERB.matcher(item).matches()) {
            verbs.add(item.startsWith("-:") ? "remove " + item : item);
        } else {
            option(item, place);
        }
    }

    private void error(String item, String place, int column, String problem) {
        errors.add(oneLine(place + "column " + column + " of \"" + item + "\": " + problem));
    }

    private static String oneLine(String s) {
        StringBuilder line = new StringBuilder(s.length());
        s.chars().forEach(c -> line.append(Character.isISOControl(c) ? ' ' : (char) c));
        return line.toString();
    }

    // ---- @FILE

    private void file(String item, String place) {
        String name = unquoted(item.substring(1).strip());
        if (!place.isEmpty()) {
            error(item, place, 1, "a file cannot name another; name both in the agent's arguments: @FILE;@FILE");
            return;
        }
        if (name.isEmpty()) {
            error(item, place, 2, "a file's name is missing after '@'; write @FILE, one item a line");
            return;
        }
        String text;
        try {
            text = read(Path.of(name));
        } catch (IOException | InvalidPathException e) {
            error(item, place, 2, "cannot read " + name + ": " + reason(e) + "; relative names begin at the JVM's working directory");
            return;
        }
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            for (String lineItem : items(withoutComment(line))) {
                item(lineItem, name + " line " + number + ", ");
            }
        }
    }

    private static String read(Path file) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_FILE_BYTES + 1);
        }
        if (bytes.length > MAX_FILE_BYTES) {
            throw new IOException("it is larger than " + (MAX_FILE_BYTES >> 20) + " MiB");
        }
        String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }

    private static String reason(Exception e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such file";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof CharacterCodingException) {
            return "it is not UTF-8 text";
        }
        if (e instanceof FileSystemException fs && fs.getReason() != null) {
            return fs.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /* a # at the beginning or behind a blank, not between quotes */
    private static String withoutComment(String line) {
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\'' || c == '"') {
                i = Math.max(i, line.indexOf(c, i + 1));
            } else if (c == '#' && (i == 0 || Character.isWhitespace(line.charAt(i - 1)))) {
                return line.substring(0, i);
            }
        }
        return line;
    }

    // ---- options

    private void option(String item, String place) {
        int equals = item.indexOf('=');
        String name = (equals < 0 ? item : item.substring(0, equals)).strip();
        String value = equals < 0 ? null : unquoted(item.substring(equals + 1).strip());
        int valueColumn = equals + 2;
        while (valueColumn <= item.length() && Character.isWhitespace(item.charAt(valueColumn - 1))) {
            valueColumn++;
        }
        if (LATER.containsKey(name)) {
            error(item, place, 1, "option " + name + " is not there yet; " + LATER.get(name));
            return;
        }
        Optional<AgentOption> known = AgentOption.of(name);
        if (known.isEmpty()) {
            if (PLACE.matcher(item).matches()) {
                error(item, place, 1, "a probe begins with its type: p, r or c; write c " + item);
                return;
            }
            String word = name.split("[\\s:,]", 2)[0];
            String nearest = Nearest.atAnyDistance(word, Arrays.stream(AgentOption.values()).map(AgentOption::text).sorted().toList()).orElseThrow();
            error(item, place, 1, "unknown option '" + word + "'; the nearest is " + AgentOption.of(nearest).orElseThrow().written() + "; " + ALL);
            return;
        }
        if (given.containsKey(name)) {
            error(item, place, 1, "option " + name + " is there twice; \"" + given.get(name) + "\" holds, take the other out");
            return;
        }
        if (!known.get().takesAValue()) {
            if (value != null) {
                error(item, place, equals + 1, "option " + name + " takes no value; write " + name + ", or leave it out");
                return;
            }
            quiet |= name.equals("quiet");
            off = name.equals("quiet") ? off : Optional.of(name.equals("off"));
            given.put(name, item);
            return;
        }
        if (value == null || value.isEmpty()) {
            error(item, place, item.length() + 1, "option " + name + " needs a value; write " + known.get().written() + known.get().example());
            return;
        }
        switch (name) {
            case "record" -> record = path(name, item, place, value, valueColumn);
            case "jfc" -> jfc = path(name, item, place, value, valueColumn);
            case "dir" -> dir = path(name, item, place, value, valueColumn);
            case "armed" -> armedAlways = oneOf("always", "recording", armedAlways, name, item, place, value, valueColumn);
            case "enabled" -> enabled = oneOf("true", "false", enabled, name, item, place, value, valueColumn);
            case "sites" -> allSites = oneOf("all", "totals", allSites, name, item, place, value, valueColumn);
            case "guard" -> guard(item, place, value, valueColumn);
            case "ring" -> ring(item, place, value, valueColumn);
            default -> rings(item, place, value, valueColumn);
        }
    }

    /* empty, as it was, if the value is none */
    private Optional<Path> path(String name, String item, String place, String value, int column) {
        try {
            Path path = Path.of(value);
            given.put(name, item);
            return Optional.of(path);
        } catch (InvalidPathException e) {
            error(item, place, column, "'" + value + "' cannot be a file's name: " + e.getReason());
            return Optional.empty();
        }
    }

    /* as it was if the value is neither */
    private boolean oneOf(String yes, String no, boolean before, String name, String item, String place, String value, int column) {
        if (!value.equals(yes) && !value.equals(no)) {
            error(item, place, column, name + " is " + yes + " or " + no + ", not '" + value + "'");
            return before;
        }
        given.put(name, item);
        return value.equals(yes);
    }

    private void guard(String item, String place, String value, int column) {
        try {
            guard = RateLimit.parse(value);
            given.put("guard", item);
        } catch (IllegalArgumentException e) {
            error(item, place, column, e.getMessage());
        }
    }

    private void ring(String item, String place, String value, int column) {
        Matcher size = SIZE.matcher(value);
        if (!size.matches()) {
            error(item, place, column, "ring size '" + value + "' is not a number of bytes; write e.g. 65536, 64k or 1m");
            return;
        }
        int shift = switch (size.group(2)) {
            case "k", "K" -> 10;
            case "m", "M" -> 20;
            default -> 0;
        };
        long bytes = smallNumber(size.group(1)) << shift;
        if (bytes < MIN_RING_BYTES || bytes > MAX_RING_BYTES) {
            error(item, place, column, "ring size " + value + " is out of range; write a power of two from 4k to 16m");
        } else if (Long.bitCount(bytes) != 1) {
            long below = Long.highestOneBit(bytes);
            error(item, place, column, "ring size " + value + " is not a power of two; write " + shown(below) + " or " + shown(2 * below));
        } else {
            ringBytes = (int) bytes;
            given.put("ring", item);
        }
    }

    private void rings(String item, String place, String value, int column) {
        if (!value.matches("[0-9]+")) {
            error(item, place, column, "number of rings '" + value + "' is not a number; write e.g. rings=1024");
            return;
        }
        long number = smallNumber(value);
        if (number < 1 || number > MAX_RINGS) {
            error(item, place, column, "number of rings " + value + " is out of range; write 1 to " + MAX_RINGS + ", one for each thread that "
                    + "records");
        } else {
            rings = (int) number;
            given.put("rings", item);
        }
    }

    /* all rings are one piece of memory, whose bytes have ints for numbers */
    private void fitRings() {
        int fitting = Integer.MAX_VALUE / ringBytes;
        if (rings > fitting && given.containsKey("rings")) {
            String item = given.get("rings");
            error(item, "", item.indexOf('=') + 2, rings + " rings of " + shown(ringBytes) + " are not below 2 GiB together; write rings=" + fitting
                    + " or less, or a smaller ring=SIZE; there are " + fitting + " now");
        }
        rings = Math.min(rings, fitting);
    }

    /* digits only; beyond nine of them any value is out of every range */
    private static long smallNumber(String digits) {
        String significant = digits.replaceFirst("^0+(?=.)", "");
        return significant.length() > 9 ? 1_000_000_000L : Long.parseLong(significant);
    }

    private static String shown(long bytes) {
        return bytes >= 1 << 20 ? (bytes >> 20) + "m" : (bytes >> 10) + "k";
    }

    static String unquoted(String value) {
        boolean quoted = value.length() >= 2 && (value.charAt(0) == '\'' || value.charAt(0) == '"')
                && value.indexOf(value.charAt(0), 1) == value.length() - 1;
        return quoted ? value.substring(1, value.length() - 1) : value;
    }
}
