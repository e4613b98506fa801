package uprobe.probe.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/* From one line to a ProbeSpec
 * ----------------------------
 *     TYPE[:[GROUP/]EVENT]  LIBRARY:TARGET  [FIELD...]               [if CONDITION]  [OPTION=VALUE...]
 *     c:zlib/deflate        libz:deflate    len=+8($arg1):u32/bytes  if len > 4096   sample=1/100
 *
 * Words are separated by blanks or commas; only a condition is not made of words. It begins with the word if and ends where an option begins.
 *
 * The parser walks once from left to right and stops at the first mistake, because what follows a mistake is guesswork. Words are cut one
 * at a time for the same reason: an unclosed quote in the fifth must not hide what is wrong with the second. Indices are 0-based inside,
 * columns 1-based outside; only at() converts.
 *
 * Holds: what the design has and this parser has not is refused by name ("... is not there yet; ..."), never read as something else. So a
 * text that parses today means the same when the rest is there. A word that begins like an option (mode=, limit=) is a field if a FETCH follows
 * the equals sign, and no option's value begins like a FETCH.
 */

/**
 * Parses the probe language: the kernel's uprobe_events syntax with types {@code c}, units and library patterns added. The grammar, with
 * an example of each construct and of each mistake, is in docs/probe-language.md.
 */
public final class ProbeParser {
    private static final String SHAPE = "a probe is TYPE[:[GROUP/]EVENT] LIBRARY:TARGET [FIELD...] [if CONDITION] [OPTION=VALUE...], e.g. p "
            + "libz:deflate";
    private static final Pattern OFFSET = Pattern.compile("\\+(?:0[xX][0-9a-fA-F]+|[0-9]+)$");
    private static final String CUT_OFF = "if the rest was lost at a blank, quote the whole probe or use @file";

    /* the agent's own event types are uprobe.NAME; a group of that name would make them look like a folder of the user's */
    private static final List<String> RESERVED_GROUPS = List.of("ProbeArmed", "ProbeRefused", "ProbeStatistics", "DataLoss", "NativeCall");
    private static final Set<String> JFR_FIELDS = Set.of("startTime", "duration", "eventThread", "stackTrace");
    private static final Set<String> AGENT_FIELDS = Set.of("nativeThreadId", "nativeThreadName", "javaThreadId", "drained", "missing");

    private static final Map<String, String> TYPE_WORDS = Map.ofEntries(Map.entry("entry", "p"), Map.entry("probe", "p"),
            Map.entry("uprobe", "p"), Map.entry("P", "p"), Map.entry("return", "r"), Map.entry("ret", "r"), Map.entry("uretprobe", "r"),
            Map.entry("R", "r"), Map.entry("call", "c"), Map.entry("C", "c"));

    /* how each option is written */
    private static final Map<String, String> OPTIONS = Map.of("mode", "mode=event, mode=count or mode=hist", "sample", "e.g. sample=1/100",
            "limit", "e.g. limit=1000/s", "until", "e.g. until=1000 (hits) or until=10s", "stack", "stack=java or stack=none", "enabled",
            "enabled=true or enabled=false", "mechanism", "mechanism=boost, mechanism=emulate or mechanism=step");
    private static final List<String> OPTION_NAMES = List.of("mode", "sample", "limit", "until", "stack", "enabled", "mechanism");
    /* an option where a condition stands: behind a blank, and no comparison */
    private static final Pattern OPTION = Pattern.compile("(?<=[\\s,])(?:" + String.join("|", OPTION_NAMES) + ")=(?!=)");

    private static final List<String> VARIABLES = List.of("$arg1", "$arg2", "$arg3", "$arg4", "$arg5", "$arg6", "$retval");
    private static final List<String> REGISTERS = names(MachineRegister.values());
    private static final List<String> TYPES = names(ValueType.values());
    private static final List<String> UNITS = names(Unit.values());
    private static final Map<String, String> UNIT_WORDS = Map.of("byte", "bytes", "b", "bytes", "B", "bytes", "nanos", "ns", "micros", "us",
            "millis", "ms", "seconds", "s", "sec", "s", "ptr", "address");

    private final String text;
    private int at;
    private ProbeType type;
    private final Map<String, Object> options = new HashMap<>();
    private final List<FieldSpec> fields = new ArrayList<>();
    private Condition condition; // null: none

    private ProbeParser(String text) {
        this.text = text;
    }

    /**
     * @param text one probe, without the separators of agent arguments around it; blanks before and after do not matter
     * @throws ProbeSyntaxException for the first mistake from the left, with its column
     */
    public static ProbeSpec parse(String text) throws ProbeSyntaxException {
        return new ProbeParser(text).probe();
    }

    // ---- words

    /* text[from, to) */
    private record Word(int from, int to) {
    }

    /* null at the end of the text */
    private Word nextWord() throws ProbeSyntaxException {
        while (at < text.length() && isSeparator(text.charAt(at))) {
            at++;
        }
        if (at == text.length()) {
            return null;
        }
        int from = at;
        int braces = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\'' || c == '"') {
                int close = text.indexOf(c, at + 1);
                if (close < 0) {
                    throw at(at, "the quote " + c + " is not closed; put another " + c + " behind the name");
                }
                at = close;
            } else if (isEscape(at)) {
                at++;
            } else if (c == '{') {
                braces++;
            } else if (c == '}') {
                braces--;
            } else if (isSeparator(c) && (c != ',' || braces <= 0)) {
                break;
            }
            at++;
        }
        return new Word(from, at);
    }

    /* a backslash before a character that means something between words and in LIBRARY; quotes cannot be escaped */
    private boolean isEscape(int i) {
        return text.charAt(i) == '\\' && i + 1 < text.length() && "{}[],:*?\\".indexOf(text.charAt(i + 1)) >= 0;
    }

    static boolean isSeparator(char c) {
        return c == ',' || Character.isWhitespace(c);
    }

    private ProbeSyntaxException at(int index, String problem) {
        return new ProbeSyntaxException(text, index + 1, problem);
    }

    private ProbeSyntaxException notThereYet(int index, String what, String instead) {
        return at(index, what + " is not there yet; " + instead);
    }

    static String quote(String s) {
        return "'" + (s.length() <= 80 ? s : s.substring(0, 79) + "\u2026") + "'";
    }

    // ---- TYPE[:[GROUP/]EVENT] LIBRARY:TARGET

    private ProbeSpec probe() throws ProbeSyntaxException {
        Word first = nextWord();
        if (first == null) {
            throw at(text.length(), "the probe is empty; " + SHAPE);
        }
        int colon = indexOf(':', first.from, first.to);
        type = type(text.substring(first.from, colon < 0 ? first.to : colon), first.from);
        String group = null;
        String event = null;
        if (colon >= 0) {
            int slash = indexOf('/', colon + 1, first.to);
            checkEventWord(first, colon, slash);
            if (slash >= 0) {
                group = identifier("group", text.substring(colon + 1, slash), colon + 1);
                if (RESERVED_GROUPS.contains(group)) {
                    throw at(colon + 1, "group " + quote(group) + " is reserved, because uprobe." + group
                            + " is an event of the agent; choose another name, e.g. " + group + "_");
                }
            }
            int from = Math.max(slash, colon) + 1;
            event = identifier("event", text.substring(from, first.to), from);
        }

        Word second = nextWord();
        if (second == null) {
            throw at(text.length(), "LIBRARY:TARGET is missing after " + quote(text.substring(first.from, first.to)) + "; " + SHAPE + "; "
                    + CUT_OFF);
        }
        int split = splitOfPlace(second);
        LibraryPattern library = library(second.from, split);
        ProbeTarget target = target(split + 1, second.to);
        fieldsAndOptions();
        return new ProbeSpec(type, group, event, library, target, fields, condition, options(), text);
    }

    private ProbeType type(String word, int index) throws ProbeSyntaxException {
        if (word.length() == 1) {
            var known = ProbeType.of(word.charAt(0));
            if (known.isPresent()) {
                return known.get();
            }
        }
        if (word.matches("[prc][0-9]+")) {
            throw at(index + 1, "a number after the type (the kernel's MAXACTIVE) is not needed; write " + word.charAt(0));
        }
        String meant = TYPE_WORDS.get(word);
        throw at(index, "unknown probe type " + quote(word) + "; "
                + (meant != null ? "write " + meant : "a probe begins with p (entry), r (return) or c (call), e.g. p libz:deflate"));
    }

    private void checkEventWord(Word word, int colon, int slash) throws ProbeSyntaxException {
        if (colon + 1 == word.to) {
            throw at(word.to, "EVENT is missing after ':'; write e.g. " + type.letter() + ":zlib/deflate, or " + type.letter()
                    + " alone to name the event after the symbol");
        }
        int second = indexOf(':', colon + 1, word.to);
        if (second >= 0) {
            throw at(second, "a second ':' in " + quote(text.substring(word.from, word.to)) + "; between the type and LIBRARY:TARGET stands a "
                    + "blank, e.g. " + type.letter() + " libz:deflate");
        }
        if (slash < 0) {
            return;
        }
        if (slash == colon + 1) {
            throw at(slash, "GROUP is missing before '/'; write GROUP/EVENT, or EVENT alone");
        }
        if (slash + 1 == word.to) {
            throw at(word.to, "EVENT is missing after '/'; write GROUP/EVENT, or EVENT alone");
        }
        int again = indexOf('/', slash + 1, word.to);
        if (again >= 0) {
            throw at(again, "a second '/' in the event's name; write GROUP/EVENT");
        }
    }

    private String identifier(String what, String name, int index) throws ProbeSyntaxException {
        if (JavaNames.isKeyword(name)) {
            throw at(index, what + " " + quote(name) + " is a Java keyword; write e.g. " + JavaNames.identifier(name));
        }
        if (!JavaNames.isIdentifier(name)) {
            throw at(index, what + " " + quote(name) + " is not a Java identifier; write e.g. " + JavaNames.identifier(name));
        }
        if (name.length() > JavaNames.MAX_LENGTH) {
            throw at(index, what + " " + quote(name) + " has " + name.length() + " characters; at most " + JavaNames.MAX_LENGTH + " can be used");
        }
        return name;
    }

    /* the first colon that is not inside quotes, {a,b} or [abc] */
    private int splitOfPlace(Word word) throws ProbeSyntaxException {
        int braces = 0;
        for (int i = word.from; i < word.to; i++) {
            char c = text.charAt(i);
            if (c == '\'' || c == '"') {
                i = text.indexOf(c, i + 1);
            } else if (isEscape(i)) {
                i++;
            } else if (c == '[' && indexOf(']', i, word.to) >= 0) {
                i = indexOf(']', i, word.to);
            } else if (c == '{') {
                braces++;
            } else if (c == '}') {
                braces--;
            } else if (c == ':' && braces <= 0) {
                return i;
            }
        }
        String place = text.substring(word.from, word.to);
        /* an unclosed bracket may have swallowed the colon: that is the mistake then */
        library(word.from, word.to);
        throw at(word.to, "':' and the function are missing after " + quote(place) + "; write LIBRARY:TARGET, e.g. libz:deflate");
    }

    private LibraryPattern library(int from, int to) throws ProbeSyntaxException {
        if (from == to) {
            throw at(from, "LIBRARY is missing before ':'; write e.g. libz:deflate, or * for every library");
        }
        String library = text.substring(from, to);
        if (library.equals("jni")) {
            Word rest = new Word(Math.min(to + 1, at), at);
            throw notThereYet(from, "jni:METHOD", "name the C function, e.g. *:" + jniName(text.substring(rest.from, rest.to)));
        }
        if (library.equals("sdt")) {
            throw notThereYet(from, "sdt:PROVIDER:NAME", "probe the function that contains it, e.g. libc:malloc");
        }
        int opening = 0;
        int quote = library.indexOf('\'') < 0 ? library.indexOf('"') : library.indexOf('\'');
        if (quote >= 0) {
            if (quote > 0 || library.indexOf(library.charAt(0), 1) != library.length() - 1) {
                throw at(from, "quotes must go around the whole of LIBRARY; write e.g. 'my lib.so':f");
            }
            library = library.substring(1, library.length() - 1);
            opening = 1;
        }
        try {
            return LibraryPattern.parse(library);
        } catch (Glob.Malformed e) {
            throw at(from + opening + e.index, e.getMessage());
        }
    }

    /* java.util.zip.Deflater.init -> Java_java_util_zip_Deflater_init (JNI specification, Resolving Native Method Names) */
    private static String jniName(String method) {
        String name = method.replaceFirst("\\(.*", "");
        StringBuilder symbol = new StringBuilder("Java_");
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '.' || c == '/') {
                symbol.append('_');
            } else if (c == '_') {
                symbol.append("_1");
            } else if (c < 128 && Character.isLetterOrDigit(c)) {
                symbol.append(c);
            } else {
                String hex = Integer.toHexString(c);
                symbol.append("_0").append("0".repeat(4 - hex.length())).append(hex);
            }
        }
        return name.isEmpty() ? "Java_java_util_zip_Deflater_init" : symbol.toString();
    }

    private ProbeTarget target(int from, int to) throws ProbeSyntaxException {
        if (from == to) {
            throw at(from, "TARGET is missing after ':'; write a function's name, e.g. libz:deflate");
        }
        char first = text.charAt(from);
        if (first == '\'' || first == '"') {
            int close = text.indexOf(first, from + 1);
            if (close == from + 1) {
                throw at(from, "the symbol between the quotes is empty; write a function's name, e.g. libz:deflate");
            }
            if (close + 1 < to && text.charAt(close + 1) != '+') {
                throw at(close + 1, "only +OFFSET or a blank may follow a quoted symbol, found '" + text.charAt(close + 1) + "'");
            }
            return new Symbol(text.substring(from + 1, close), close + 1 < to ? offset(close + 1, to) : 0);
        }
        refuseOtherTargets(from, to);
        if (mayBePattern(from, to)) {
            return pattern(from, to);
        }
        int plus = text.lastIndexOf('+', to - 1);
        if (plus < from) {
            return new Symbol(text.substring(from, to), 0);
        }
        if (plus == from) {
            throw at(from, "the symbol before '+' is missing; write SYM+OFFSET, e.g. deflate+0x1c");
        }
        return new Symbol(text.substring(from, plus), offset(plus, to));
    }

    private void refuseOtherTargets(int from, int to) throws ProbeSyntaxException {
        String target = text.substring(from, to);
        if (Character.isDigit(target.charAt(0))) {
            throw notThereYet(from, "an address as TARGET (" + target + ")", "name a symbol, SYM+OFFSET for an instruction inside it");
        }
        if (target.startsWith("fn@0x") || target.startsWith("fn@*")) {
            throw notThereYet(from, "a function without a name (" + target + ")", "name a symbol");
        }
        if (target.startsWith("sdt:")) {
            throw notThereYet(from, "sdt:PROVIDER:NAME", "probe the function that contains it, e.g. libc:malloc");
        }
        if (target.startsWith("jni:")) {
            throw notThereYet(from, "jni:METHOD", "name the C function, e.g. *:" + jniName(target.substring(4)));
        }
        if (target.matches("[^:]+\\.\\w+:[0-9]+")) {
            throw notThereYet(from, "a source line as TARGET (" + target + ")", "write SYM+OFFSET; objdump -dl shows a line's offset");
        }
        if (target.endsWith("%return")) {
            throw at(from + target.length() - 7, "'%return' is how perf asks for the return; here the type does: write r and leave it out");
        }
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c == ';') {
                throw at(i, "';' separates the agent's arguments; take it out, or quote a symbol that has it in its name");
            }
            if (c == '(' || c == ')' || c == '\'' || c == '"') {
                throw at(i, mayBePattern(from, to) ? "'" + c + "' in a pattern; write ? for it"
                        : "'" + c + "' in a symbol; put a C++ name with parentheses or blanks into quotes, e.g. 'rocksdb::DB::Get(int)'");
            }
        }
        if (target.indexOf('<') >= 0 && !target.contains("operator")
                && target.chars().filter(c -> c == '<').count() != target.chars().filter(c -> c == '>').count()) {
            throw at(from + target.indexOf('<'), "'<' in a symbol is not closed; put a C++ name with commas or blanks into quotes, e.g. "
                    + "'f(std::pair<int, int>)'");
        }
        if (target.matches(".*[^-]-(0x[0-9a-fA-F]+|[0-9]+)")) {
            throw at(from + target.lastIndexOf('-'), "an offset cannot be negative; write SYM+OFFSET, or quote a symbol that has '-' in its "
                    + "name");
        }
    }

    /* a backslash counts as well: it takes the meaning of what follows it away, and is taken out */
    private boolean mayBePattern(int from, int to) {
        for (int i = from; i < to; i++) {
            if ("*?[]{}".indexOf(text.charAt(i)) >= 0 || isEscape(i)) {
                return true;
            }
        }
        return false;
    }

    private ProbeTarget pattern(int from, int to) throws ProbeSyntaxException {
        String pattern = text.substring(from, to);
        Matcher offset = OFFSET.matcher(pattern);
        if (offset.find()) {
            throw at(from + offset.start(), "a pattern cannot have an offset (" + offset.group() + "): it means whole functions; leave it out, or "
                    + "name one symbol");
        }
        try {
            return SymbolPattern.parse(pattern);
        } catch (Glob.Malformed e) {
            throw at(from + e.index, e.getMessage());
        }
    }

    /* text[plus] is the plus sign */
    private long offset(int plus, int to) throws ProbeSyntaxException {
        long offset = number(plus + 1, to, "OFFSET", "write SYM+OFFSET, e.g. deflate+0x1c, or quote a symbol that has '+' in its name");
        if (offset != 0 && type != ProbeType.ENTRY) {
            throw at(plus, type.letter() + " cannot have an offset (" + text.substring(plus, to) + "): returns are caught from the function's "
                    + "entry; leave it out, or write p");
        }
        return offset;
    }

    private long number(int from, int to, String what, String wayOut) throws ProbeSyntaxException {
        String digits = text.substring(from, to);
        if (digits.isEmpty()) {
            throw at(from, what + " is missing after '" + text.charAt(from - 1) + "'; " + wayOut);
        }
        boolean hex = digits.startsWith("0x") || digits.startsWith("0X");
        if (!digits.matches(hex ? "0[xX][0-9a-fA-F]+" : "[0-9]+")) {
            throw at(from, what + " " + quote(digits) + " is not a number; " + wayOut);
        }
        if (!hex && digits.length() > 1 && digits.charAt(0) == '0') {
            throw at(from, what + " " + quote(digits) + " begins with 0, which the kernel reads as octal; write it in decimal without the 0, or "
                    + "as 0x");
        }
        try {
            return hex ? Long.parseLong(digits.substring(2), 16) : Long.parseLong(digits);
        } catch (NumberFormatException tooLarge) {
            throw at(from, what + " " + quote(digits) + " is too large; at most 0x7fffffffffffffff can be used");
        }
    }

    // ---- [FIELD...] [if CONDITION] [OPTION=VALUE...]

    private void fieldsAndOptions() throws ProbeSyntaxException {
        for (Word word = nextWord(); word != null; word = nextWord()) {
            int afterWord = at;
            if (isIf(word)) {
                condition(word);
                continue;
            }
            String option = optionAt(word);
            if (option != null) {
                option(option, word);
                continue;
            }
            if (condition != null) {
                throw behindCondition(word);
            }
            FieldSpec field = field(word, fields.size() + 1);
            for (FieldSpec earlier : fields) {
                if (earlier.name().equals(field.name())) {
                    throw at(word.from, "field " + quote(field.name()) + " is there twice, first at column " + earlier.column()
                            + "; give one of them another name");
                }
            }
            fields.add(field);
            at = afterWord;
        }
    }

    /* if, if(len > 4), if!len */
    private boolean isIf(Word word) {
        int end = word.from + 2;
        return text.startsWith("if", word.from)
                && (end == word.to || end < word.to && text.charAt(end) != '=' && !Character.isJavaIdentifierPart(text.charAt(end)));
    }

    private void condition(Word word) throws ProbeSyntaxException {
        if (condition != null) {
            throw at(word.from, "a second 'if'; join conditions with && or ||");
        }
        int from = word.from + 2;
        Matcher option = OPTION.matcher(text);
        int to = option.find(from) ? option.start() : text.length();
        condition = new ConditionParser(text, from, to, fields, type).condition();
        at = to;
    }

    private ProbeSyntaxException behindCondition(Word word) {
        int equals = indexOf('=', word.from, word.to);
        if (beginsFetch(text.charAt(word.from)) || equals >= 0 && equals + 1 < word.to && beginsFetch(text.charAt(equals + 1))) {
            return fieldBehindCondition(text, word.from);
        }
        return unknownOption(text, word.from, text.substring(word.from, equals < 0 ? word.to : equals));
    }

    static ProbeSyntaxException fieldBehindCondition(String text, int index) {
        return new ProbeSyntaxException(text, index + 1, "a field stands behind the condition; write all fields before 'if'");
    }

    static ProbeSyntaxException unknownOption(String text, int index, String name) {
        if (OPTIONS.containsKey(name)) {
            return new ProbeSyntaxException(text, index + 1, "a blank is missing before option '" + name + "='");
        }
        return new ProbeSyntaxException(text, index + 1, "unknown option " + quote(name) + "; " + didYouMean(name, OPTION_NAMES) + "options are "
                + String.join(" ", OPTION_NAMES));
    }

    // ---- OPTION=VALUE

    /* mode=$arg2 is a field of that name, as with every option; null: no option */
    private String optionAt(Word word) {
        int equals = indexOf('=', word.from, word.to);
        if (equals < 0 || equals + 1 < word.to && beginsFetch(text.charAt(equals + 1))) {
            return null;
        }
        String name = text.substring(word.from, equals);
        return OPTIONS.containsKey(name) ? name : null;
    }

    private void option(String name, Word word) throws ProbeSyntaxException {
        if (options.containsKey(name)) {
            throw at(word.from, "option '" + name + "=' is there twice; leave one of them out");
        }
        int from = word.from + name.length() + 1;
        String value = text.substring(from, word.to);
        if (value.isEmpty()) {
            throw at(from, "option '" + name + "=' has no value; " + (name.equals("mechanism") ? mechanisms() : "write " + OPTIONS.get(name)));
        }
        try {
            options.put(name, switch (name) {
                case "mode" -> mode(value);
                case "sample" -> Sampling.parse(value);
                case "limit" -> RateLimit.parse(value);
                case "until" -> Until.parse(value);
                case "stack" -> oneOf(name, value, "java", "none");
                case "enabled" -> oneOf(name, value, "true", "false");
                default -> mechanism(value, from);
            });
        } catch (IllegalArgumentException e) {
            throw at(from, e.getMessage());
        }
    }

    private Mode mode(String value) {
        Mode mode = Mode.parse(value);
        if (mode == Mode.HIST && type != ProbeType.CALL) {
            throw new IllegalArgumentException("mode hist counts durations, which " + type.letter() + " has not; write c instead of " + type.letter()
                    + ", or mode=count");
        }
        return mode;
    }

    private static boolean oneOf(String name, String value, String yes, String no) {
        if (!value.equals(yes) && !value.equals(no)) {
            throw new IllegalArgumentException(name + " is " + yes + " or " + no + ", not " + quote(value));
        }
        return value.equals(yes);
    }

    private Mechanism mechanism(String value, int index) throws ProbeSyntaxException {
        if (value.equals("jump")) {
            throw notThereYet(index, "mechanism " + quote(value), "leave it out: the best possible mechanism is taken");
        }
        return Mechanism.of(value).orElseThrow(() -> new IllegalArgumentException("unknown mechanism " + quote(value) + "; " + mechanisms()));
    }

    private static String mechanisms() {
        List<String> known = Arrays.stream(Mechanism.values()).map(Mechanism::text).toList();
        return "mechanisms are " + String.join(", ", known.subList(0, known.size() - 1)) + " and " + known.get(known.size() - 1);
    }

    private ProbeOptions options() {
        ProbeOptions none = ProbeOptions.DEFAULT;
        return new ProbeOptions((Mode) options.getOrDefault("mode", none.mode()), (Sampling) options.getOrDefault("sample", none.sample()),
                (RateLimit) options.getOrDefault("limit", none.limit()), (Until) options.getOrDefault("until", none.until()),
                (Boolean) options.getOrDefault("stack", none.stack()), (Boolean) options.get("enabled"), (Mechanism) options.get("mechanism"));
    }

    // ---- FIELD = NAME=FETCH[:TYPE][/UNIT]

    private FieldSpec field(Word word, int position) throws ProbeSyntaxException {
        String whole = text.substring(word.from, word.to);
        int equals = indexOf('=', word.from, word.to);
        String name = equals < 0 ? "arg" + position : text.substring(word.from, equals);
        int fetch = equals < 0 ? word.from : equals + 1;
        if (position > ProbeSpec.MAX_FIELDS) {
            throw at(word.from, "this is field " + position + "; a probe has at most " + ProbeSpec.MAX_FIELDS + ", so put it into a second "
                    + "probe on the same function");
        }
        if (equals < 0 && !beginsFetch(text.charAt(word.from))) {
            throw at(word.from, quote(whole) + " is not a field; " + fetchMeantBy(whole, "write NAME=FETCH, e.g. " + JavaNames.identifier(whole)
                    + "=" + example()));
        }
        if (equals >= 0) {
            refuseMistypedOption(name, word, fetch);
            checkFieldName(name, word.from);
        }
        at = fetch;
        if (at == word.to || text.charAt(at) == ':' || text.charAt(at) == '/') {
            throw at(at, "field " + quote(name) + " has no value after '='; write e.g. " + name + "=" + example() + "; " + eaten());
        }
        Fetch value = fetch(word.to, 0);
        ValueType valueType = ValueType.DEFAULT;
        Unit unit = null;
        if (at < word.to && text.charAt(at) == ':') {
            valueType = valueType(word.to);
        }
        if (at < word.to && text.charAt(at) == '/') {
            unit = unit(word.to);
        }
        if (at < word.to) {
            throw at(at, "unexpected '" + text.charAt(at) + "' behind " + quote(text.substring(fetch, at)) + "; only :TYPE, /UNIT or a blank "
                    + "may follow");
        }
        return new FieldSpec(name, value, valueType, unit, word.from + 1);
    }

    /* mod=count, where neither is a FETCH there nor what was meant to be one */
    private void refuseMistypedOption(String name, Word word, int value) throws ProbeSyntaxException {
        if (value < word.to && Character.isLetterOrDigit(text.charAt(value)) && Nearest.to(name, OPTION_NAMES).isPresent()
                && fetchMeantBy(text.substring(value, endOfName(value, word.to)), "").isEmpty()) {
            throw unknownOption(text, word.from, name);
        }
    }

    private void checkFieldName(String name, int index) throws ProbeSyntaxException {
        if (name.isEmpty()) {
            throw at(index, "a field's name is missing before '='; write NAME=FETCH, e.g. len=" + example());
        }
        if (JFR_FIELDS.contains(name)) {
            throw at(index, "field " + quote(name) + " is reserved: JFR gives every event its own; choose another name, e.g. " + name + "_");
        }
        if (AGENT_FIELDS.contains(name)) {
            throw at(index, "field " + quote(name) + " is reserved: the agent adds it to its events; choose another name, e.g. " + name + "_");
        }
        if (name.equals("$duration")) {
            throw at(index, "field '$duration' is reserved: in a condition it is the call's duration; choose another name, e.g. duration_");
        }
        identifier("field", name, index);
    }

    static boolean beginsFetch(char c) {
        return "$%+-@\\".indexOf(c) >= 0;
    }

    /* reads from at; leaves at behind the FETCH */
    private Fetch fetch(int to, int depth) throws ProbeSyntaxException {
        int from = at;
        switch (text.charAt(from)) {
            case '$' -> {
                at = endOfName(from + 1, to);
                return variable(from);
            }
            case '%' -> {
                at = endOfName(from + 1, to);
                return register(from);
            }
            case '+', '-' -> {
                return dereference(to, depth);
            }
            case '@' -> throw notThereYet(from, "@SYMBOL (a global variable)", "pass its address through an argument: +0($arg1)");
            case '\\' -> throw notThereYet(from, "\\CONSTANT", "leave it out: it would be the same in every event");
            default -> {
                if (Character.isDigit(text.charAt(from))) {
                    throw at(from, "a number is not a FETCH; write $arg1 to $arg6, $retval, a register or +OFFSET(FETCH)");
                }
                String word = text.substring(from, Math.max(endOfName(from, to), from + 1));
                throw at(from, quote(word) + " is not a FETCH; "
                        + fetchMeantBy(word, "write $arg1 to $arg6, $retval, a register such as %rdi, or +OFFSET(FETCH)"));
            }
        }
    }

    /* a FETCH that is right in this type of probe */
    private String example() {
        return type == ProbeType.RETURN ? "$retval" : "$arg1";
    }

    private String eaten() {
        return "if " + example() + " stood there, single quotes keep it from a shell, $" + example() + " from Compose and systemd";
    }

    private static String fetchMeantBy(String word, String otherwise) {
        if (VARIABLES.contains("$" + word)) {
            return "write $" + word;
        }
        if (MachineRegister.named(word).isPresent()) {
            return "write %" + word;
        }
        return word.startsWith("*") || word.startsWith("(") ? "memory is read with +OFFSET(FETCH), e.g. +0($arg1)" : otherwise;
    }

    private Fetch variable(int from) throws ProbeSyntaxException {
        String name = text.substring(from, at);
        if (name.equals("$retval")) {
            if (type == ProbeType.ENTRY) {
                throw at(from, "$retval does not exist at entry; write r for the return, or c for the whole call");
            }
            return new Fetch.ReturnValue();
        }
        if (name.matches("\\$arg[0-9]+")) {
            if (!name.matches("\\$arg[1-6]")) {
                throw at(from, name.matches("\\$arg0+") ? name + ": arguments are counted from 1; write $arg1"
                        : name + " is passed on the stack, and $stack is not there yet; $arg1 to $arg6 are in registers");
            }
            if (type == ProbeType.RETURN) {
                throw at(from, name + " is gone when the function returns; write c instead of r: it keeps the arguments from the entry");
            }
            return new Fetch.Argument(name.charAt(4) - '0');
        }
        if (name.equals("$")) {
            throw at(from, "a name is missing after '$'; write $arg1 to $arg6 or $retval");
        }
        if (name.equals("$arg")) {
            throw at(from, "$arg needs a number; write $arg1 to $arg6, one per field");
        }
        if (name.matches("\\$farg[0-9]*")) {
            throw notThereYet(from, name + " (a floating-point argument)", "integer and pointer arguments are $arg1 to $arg6");
        }
        if (name.matches("\\$stack[0-9]*")) {
            throw notThereYet(from, name, "write " + (name.equals("$stack") ? "%rsp" : "+" + stackOffset(name) + "(%rsp)"));
        }
        if (name.equals("$tid") || name.equals("$comm")) {
            throw notThereYet(from, name, "leave it out: the event knows its thread");
        }
        throw at(from, "unknown variable " + quote(name) + "; " + didYouMean(name, VARIABLES) + "there are $arg1 to $arg6 and $retval");
    }

    /* $stackN is the Nth word of 8 bytes, 0 the one rsp points to */
    private static String stackOffset(String stackN) {
        String n = stackN.substring("$stack".length());
        return n.length() > 6 ? "OFFSET" : String.valueOf(8 * Integer.parseInt(n));
    }

    private Fetch register(int from) throws ProbeSyntaxException {
        String name = text.substring(from + 1, at);
        var register = MachineRegister.named(name);
        if (register.isPresent()) {
            return new Fetch.Register(register.get());
        }
        if (name.isEmpty()) {
            throw at(from, "a register's name is missing after '%'; registers are " + String.join(" ", REGISTERS));
        }
        var whole = MachineRegister.ofLowPart(name);
        if (whole.isPresent()) {
            throw at(from, "'%" + name + "' is a part of " + whole.get() + "; write " + whole.get() + " and a type: :u32 takes the low 32 bits");
        }
        if (name.equals("rip") || name.equals("ip")) {
            throw at(from, "'%" + name + "' would be the probe's own address in every event; leave it out");
        }
        if (name.matches("(xmm|ymm|zmm|st)[0-9]*")) {
            throw notThereYet(from, "a floating-point register ('%" + name + "')", "registers are " + String.join(" ", REGISTERS));
        }
        throw at(from, "unknown register '%" + name + "'; " + didYouMean("%" + name, REGISTERS) + "registers are "
                + String.join(" ", REGISTERS));
    }

    private Fetch dereference(int to, int depth) throws ProbeSyntaxException {
        int sign = at;
        int open = indexOf('(', sign + 1, to);
        if (text.substring(sign + 1, to).matches("u[0-9].*")) {
            throw notThereYet(sign, "+uOFFSET(FETCH)", "write " + text.charAt(sign) + text.substring(sign + 2, open < 0 ? to : open)
                    + "(FETCH): all memory of a JVM is user memory");
        }
        if (open < 0) {
            int end = endOfName(sign + 1, to);
            throw at(end, "'(FETCH)' is missing after " + quote(text.substring(sign, end)) + "; memory is read with +OFFSET(FETCH), e.g. +8("
                    + example() + ")");
        }
        if (depth == Fetch.MAX_DEPTH) {
            throw at(sign, "memory reads are nested more than " + Fetch.MAX_DEPTH + " deep; read an inner address in a field of its own");
        }
        long offset = number(sign + 1, open, "OFFSET", "write +OFFSET(FETCH), e.g. +8(" + example() + ")");
        at = open + 1;
        if (at == to || text.charAt(at) == ')') {
            throw at(at, "nothing stands between the parentheses; write e.g. +8(" + example() + "); " + eaten());
        }
        Fetch address = fetch(to, depth + 1);
        if (at == to) {
            throw at(to, "')' is missing: the '(' at column " + (open + 1) + " is not closed");
        }
        char c = text.charAt(at);
        if (c != ')') {
            throw at(at, "unexpected '" + c + "' before ')'" + (c == ':' || c == '/' ? "; :TYPE and /UNIT stand behind the last ')'"
                    : "; write e.g. +8(" + example() + ")"));
        }
        at++;
        return new Fetch.Dereference(text.charAt(sign) == '-' ? -offset : offset, address);
    }

    /* text[at] is the colon; leaves at behind the type */
    private ValueType valueType(int to) throws ProbeSyntaxException {
        int from = at + 1;
        String rest = text.substring(from, to);
        if (rest.matches("b[0-9]+@.*")) {
            throw notThereYet(from, "a bitfield type (" + rest + ")", "record the whole word, e.g. :u32, and cut it where you read it");
        }
        int slash = indexOf('/', from, to);
        at = slash < 0 ? to : slash;
        String name = text.substring(from, at);
        var known = ValueType.named(name);
        if (known.isPresent()) {
            return known.get();
        }
        if (name.isEmpty()) {
            throw at(from, "TYPE is missing after ':'; types are " + String.join(" ", TYPES));
        }
        if (name.indexOf('[') >= 0) {
            throw notThereYet(from, "an array type (" + name + ")", "record single elements: +0(FETCH), +8(FETCH)");
        }
        switch (name) {
            case "string", "ustring" -> throw notThereYet(from, "type '" + name + "'", "record the first 8 bytes: +0(FETCH):x64");
            case "char", "bool" -> throw notThereYet(from, "type '" + name + "'", "write :u8");
            case "f32", "f64" -> throw notThereYet(from, "type '" + name + "'", "record the bits: :x" + name.substring(1));
            case "symbol", "symstr" -> throw notThereYet(from, "type '" + name + "'", "record the address: :x64/address");
            default -> throw at(from, "unknown type " + quote(name) + "; " + didYouMean(name, TYPES) + "types are " + String.join(" ", TYPES));
        }
    }

    /* text[at] is the slash; leaves at behind the unit */
    private Unit unit(int to) throws ProbeSyntaxException {
        int from = at + 1;
        String name = text.substring(from, to);
        at = to;
        int colon = name.indexOf(':');
        if (colon >= 0) {
            throw at(from + colon, "TYPE stands before UNIT; write " + name.substring(colon) + "/" + name.substring(0, colon));
        }
        if (name.isEmpty()) {
            throw at(from, "UNIT is missing after '/'; units are " + String.join(" ", UNITS));
        }
        var known = Unit.named(name);
        if (known.isPresent()) {
            return known.get();
        }
        String meant = UNIT_WORDS.get(name);
        throw at(from, "unknown unit " + quote(name) + "; " + (meant != null ? "did you mean " + meant + "? " : didYouMean(name, UNITS))
                + "units are " + String.join(" ", UNITS));
    }

    static String didYouMean(String word, List<String> known) {
        return Nearest.to(word, known).map(nearest -> "did you mean " + nearest + "? ").orElse("");
    }

    // ---- characters

    private int endOfName(int from, int to) {
        int i = from;
        while (i < to && (text.charAt(i) == '_' || Character.isLetterOrDigit(text.charAt(i)))) {
            i++;
        }
        return i;
    }

    private int indexOf(char c, int from, int to) {
        int i = text.indexOf(c, from);
        return i < to ? i : -1;
    }

    private static List<String> names(Object[] constants) {
        List<String> names = new ArrayList<>();
        for (Object constant : constants) {
            names.add(constant instanceof ValueType type ? type.text() : constant instanceof Unit unit ? unit.text() : constant.toString());
        }
        return List.copyOf(names);
    }
}
