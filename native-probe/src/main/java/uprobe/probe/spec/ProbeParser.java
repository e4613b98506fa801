package uprobe.probe.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/* From one line to a ProbeSpec
 * ----------------------------
 *     TYPE[:[GROUP/]EVENT]  LIBRARY:TARGET  [FIELD...]           words, separated by blanks or commas
 *     c:zlib/deflate        libz:deflate    len=+8($arg1):u32/bytes
 *
 * The parser walks once from left to right and stops at the first mistake, because what follows a mistake is guesswork. Words are cut one
 * at a time for the same reason: an unclosed quote in the fifth must not hide what is wrong with the second. Indices are 0-based inside,
 * columns 1-based outside; only at() converts.
 *
 * Holds: what the design has and this parser has not is refused by name ("... is not there yet; ..."), never read as something else. So a
 * text that parses today means the same when the rest is there. In particular a word that is an option to be (mode=, limit=) is a field only
 * if a FETCH follows the equals sign, and no option's value begins like a FETCH.
 */

/**
 * Parses the probe language: the kernel's uprobe_events syntax with types {@code c}, units and library patterns added. The grammar, with
 * an example of each construct and of each mistake, is in docs/probe-language.md.
 */
public final class ProbeParser {
    private static final String SHAPE = "a probe is TYPE[:[GROUP/]EVENT] LIBRARY:TARGET [FIELD...], e.g. p libz:deflate";
    private static final String CUT_OFF = "if the rest was lost at a blank, quote the whole probe or use @file";

    /* the agent's own event types are uprobe.NAME; a group of that name would make them look like a folder of the user's */
    private static final List<String> RESERVED_GROUPS = List.of("ProbeArmed", "ProbeRefused", "ProbeStatistics", "DataLoss", "NativeCall");
    private static final Set<String> JFR_FIELDS = Set.of("startTime", "duration", "eventThread", "stackTrace");
    private static final Set<String> AGENT_FIELDS = Set.of("nativeThreadId", "nativeThreadName", "javaThreadId", "drained", "missing");

    private static final Map<String, String> TYPE_WORDS = Map.ofEntries(Map.entry("entry", "p"), Map.entry("probe", "p"),
            Map.entry("uprobe", "p"), Map.entry("P", "p"), Map.entry("return", "r"), Map.entry("ret", "r"), Map.entry("uretprobe", "r"),
            Map.entry("R", "r"), Map.entry("call", "c"), Map.entry("C", "c"));

    /* options of the design -> what holds without them */
    private static final Map<String, String> LATER_OPTIONS = Map.of(
            "mode", "leave it out: every hit becomes an event",
            "sample", "leave it out: every hit is recorded",
            "limit", "leave it out: every hit is recorded",
            "until", "leave it out and stop the recording instead",
            "stack", "leave it out and use the event's stackTrace setting",
            "enabled", "leave it out and set the event's enabled setting in the recording");

    private static final String MECHANISM = "mechanism=";
    private static final List<String> VARIABLES = List.of("$arg1", "$arg2", "$arg3", "$arg4", "$arg5", "$arg6", "$retval");
    private static final List<String> REGISTERS = names(MachineRegister.values());
    private static final List<String> TYPES = names(ValueType.values());
    private static final List<String> UNITS = names(Unit.values());
    private static final Map<String, String> UNIT_WORDS = Map.of("byte", "bytes", "b", "bytes", "B", "bytes", "nanos", "ns", "micros", "us",
            "millis", "ms", "seconds", "s", "sec", "s", "ptr", "address");

    private final String text;
    private int at;
    private ProbeType type;
    private Mechanism mechanism; // null: not said

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

    private static boolean isSeparator(char c) {
        return c == ',' || Character.isWhitespace(c);
    }

    private ProbeSyntaxException at(int index, String problem) {
        return new ProbeSyntaxException(text, index + 1, problem);
    }

    private ProbeSyntaxException notThereYet(int index, String what, String instead) {
        return at(index, what + " is not there yet; " + instead);
    }

    private static String quote(String s) {
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
        List<FieldSpec> fields = fields();
        return new ProbeSpec(type, group, event, library, target, fields, mechanism, text);
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
                throw at(i, "'" + c + "' in a symbol; put a C++ name with parentheses or blanks into quotes, e.g. 'rocksdb::DB::Get(int)'");
            }
            if ("*?[]{}".indexOf(c) >= 0) {
                throw notThereYet(i, "a pattern as TARGET ('" + c + "')", "name one symbol per probe, or quote a symbol that has the character "
                        + "in its name");
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

    // ---- FIELD = NAME=FETCH[:TYPE][/UNIT]

    private List<FieldSpec> fields() throws ProbeSyntaxException {
        List<FieldSpec> fields = new ArrayList<>();
        for (Word word = nextWord(); word != null; word = nextWord()) {
            int afterWord = at;
            if (isMechanism(word)) {
                mechanism(word);
                continue;
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
        return fields;
    }

    /* mechanism=$arg1 is a field of that name, as with every option */
    private boolean isMechanism(Word word) {
        int value = word.from + MECHANISM.length();
        return text.startsWith(MECHANISM, word.from) && value <= word.to && (value == word.to || !beginsFetch(text.charAt(value)));
    }

    private void mechanism(Word word) throws ProbeSyntaxException {
        if (mechanism != null) {
            throw at(word.from, "option 'mechanism=' is there twice; leave one of them out");
        }
        int value = word.from + MECHANISM.length();
        String name = text.substring(value, word.to);
        if (name.equals("jump")) {
            throw notThereYet(value, "mechanism " + quote(name), "leave it out: the best possible mechanism is taken");
        }
        List<String> known = Arrays.stream(Mechanism.values()).map(Mechanism::text).toList();
        mechanism = Mechanism.of(name).orElse(null);
        if (mechanism == null) {
            throw at(value, (name.isEmpty() ? "option 'mechanism=' has no value" : "unknown mechanism " + quote(name)) + "; mechanisms are "
                    + String.join(", ", known.subList(0, known.size() - 1)) + " and " + known.get(known.size() - 1));
        }
    }

    private FieldSpec field(Word word, int position) throws ProbeSyntaxException {
        String whole = text.substring(word.from, word.to);
        if (whole.equals("if") || whole.startsWith("if(")) {
            throw notThereYet(word.from, "a condition ('if')", "leave it out and filter the recorded events");
        }
        int equals = indexOf('=', word.from, word.to);
        String name = equals < 0 ? "arg" + position : text.substring(word.from, equals);
        int fetch = equals < 0 ? word.from : equals + 1;
        if (equals >= 0 && LATER_OPTIONS.containsKey(name) && fetch < word.to && !beginsFetch(text.charAt(fetch))) {
            throw notThereYet(word.from, "option '" + name + "='", LATER_OPTIONS.get(name));
        }
        if (position > ProbeSpec.MAX_FIELDS) {
            throw at(word.from, "this is field " + position + "; a probe has at most " + ProbeSpec.MAX_FIELDS + ", so put it into a second "
                    + "probe on the same function");
        }
        if (equals < 0 && !beginsFetch(text.charAt(word.from))) {
            throw at(word.from, quote(whole) + " is not a field; " + fetchMeantBy(whole, "write NAME=FETCH, e.g. " + JavaNames.identifier(whole)
                    + "=" + example()));
        }
        if (equals >= 0) {
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
        identifier("field", name, index);
    }

    private static boolean beginsFetch(char c) {
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

    private static String didYouMean(String word, List<String> known) {
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
