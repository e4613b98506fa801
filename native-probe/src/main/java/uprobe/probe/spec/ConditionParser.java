package uprobe.probe.spec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import uprobe.probe.spec.Condition.Instruction;
import uprobe.probe.spec.Condition.Step;

/* From len > 4096 && $duration > 10ms to a program
 * ------------------------------------------------
 * Operators by precedence, C's: || && | ^ & (== !=) (< <= > >=) (+ -) * and the unary ones. Each line of LEVELS is climbed from the loosest.
 * The tree is then written out in postfix.
 *
 * What a number counts goes along with it, because a condition that compares milliseconds with microseconds is wrong and looks right:
 *
 *     10ms       TIME      nanoseconds, until it meets something that tells its unit
 *     timeout    NS .. S   a field of that unit; 10ms beside it becomes 10 if the field counts ms
 *     $duration  DURATION  units of the engine's clock, which are known only when the program is made: 10ms beside it stays nanoseconds,
 *                          and is marked
 *     4k         SIZE      a number; but beside a time 1m was not meant as 1048576
 *     4096       NUMBER    beside a field: of the field's unit; not beside $duration
 *
 * Sums keep the kind. A product of a time and a number is a time still, that of a field and a number is a number (timeout * 1000).
 *
 * Holds: no more than MAX_STEPS nodes are ever made and parentheses nest at most MAX_NESTING deep, so neither a long text nor a deep one can
 * end the stack here. Indices are 0-based inside, columns 1-based outside; only at() converts.
 */
final class ConditionParser {
    private static final int MAX_NESTING = 100;
    private static final List<List<String>> LEVELS = List.of(List.of("||"), List.of("&&"), List.of("|"), List.of("^"), List.of("&"),
            List.of("==", "!="), List.of("<=", ">=", "<", ">"), List.of("+", "-"), List.of("*"));
    private static final int RELATIONS = 6;
    private static final String OPERATORS = "operators are || && ! == != < <= > >= & | ^ ~ + - * and parentheses";
    private static final List<String> UNITS_OF_TIME = List.of("ns", "us", "ms", "s");
    private static final Map<String, Integer> SIZES = Map.of("k", 10, "K", 10, "KiB", 10, "m", 20, "M", 20, "MiB", 20, "g", 30, "G", 30, "GiB", 30);
    private static final Map<String, String> WORDS = Map.of("and", "&&", "or", "||", "not", "!", "AND", "&&", "OR", "||", "NOT", "!");

    private enum Kind {
        NUMBER, SIZE, TIME, NS, US, MS, S, DURATION;

        private boolean isFieldsUnit() {
            return this.compareTo(NS) >= 0 && this.compareTo(S) <= 0;
        }

        /* of NS .. S */
        private long nanos() {
            return switch (this) {
                case NS -> 1;
                case US -> 1_000;
                case MS -> 1_000_000;
                case S -> 1_000_000_000;
                default -> throw new IllegalStateException(name());
            };
        }

        private String unit() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final class Node {
        private final Step step;
        private final int from;         /* where it begins in the text */
        private final int to;
        private final Node left;        /* of one operand: this */
        private final Node right;
        private final Kind kind;
        private final boolean unsigned; /* as an operand of an order */
        private int index;
        private long constant;
        private boolean nanos;
        private boolean closed;         /* stands in parentheses */

        private Node(Step step, int from, int to, Node left, Node right, Kind kind, boolean unsigned) {
            this.step = step;
            this.from = from;
            this.to = to;
            this.left = left;
            this.right = right;
            this.kind = kind;
            this.unsigned = unsigned;
        }
    }

    private final String text;
    private final int from;
    private final int to;
    private int begin;              /* of the condition's first character */
    private final List<FieldSpec> fields;
    private final Map<String, Integer> positions = new HashMap<>();
    private final ProbeType type;
    private int at;
    private int nodes;
    private int nesting;
    private String before = "";     /* the operator or parenthesis that was read last */

    /* text[from, to) is the condition; what follows, if anything does, is an option */
    ConditionParser(String text, int from, int to, List<FieldSpec> fields, ProbeType type) {
        this.text = text;
        this.from = from;
        this.to = to;
        this.fields = fields;
        this.type = type;
        fields.forEach(field -> positions.put(field.name(), positions.size()));
    }

    Condition condition() throws ProbeSyntaxException {
        at = from;
        skipBlanks();
        begin = at;
        if (at == to) {
            throw at(at, "the condition is empty; write e.g. " + example() + " > 4096" + optionsNameIsAField());
        }
        Node root = binary(0);
        skipBlanks();
        if (at < to) {
            throw unexpected();
        }
        List<Instruction> instructions = new ArrayList<>();
        write(root, instructions);
        int depth = Condition.depth(instructions);
        if (depth > Condition.MAX_DEPTH) {
            throw at(begin, "the condition keeps " + depth + " values at one time; at most " + Condition.MAX_DEPTH + " can be used, so put what is "
                    + "nested deepest first");
        }
        boolean atReturn = instructions.stream().anyMatch(i -> i.step() == Step.DURATION
                || i.step() == Step.FIELD && (type == ProbeType.RETURN || type == ProbeType.CALL && fields.get(i.index()).atReturn()));
        int end = to;
        while (isBlank(text.charAt(end - 1))) {
            end--;
        }
        return new Condition(text.substring(begin, end), atReturn, instructions);
    }

    private static void write(Node node, List<Instruction> into) {
        if (node.left != null) {
            write(node.left, into);
        }
        if (node.right != null) {
            write(node.right, into);
        }
        into.add(new Instruction(node.step, node.index, node.constant, node.nanos));
    }

    // ---- operators

    private Node binary(int level) throws ProbeSyntaxException {
        if (level == LEVELS.size()) {
            return unary();
        }
        Node left = binary(level + 1);
        for (String operator = operator(level); operator != null; operator = operator(level)) {
            int place = at;
            at += operator.length();
            before = operator;
            Node right = binary(level + 1);
            left = join(operator, place, left, right);
        }
        return left;
    }

    /* the operator of this level that stands next; at stays before it */
    private String operator(int level) throws ProbeSyntaxException {
        skipBlanks();
        for (String operator : LEVELS.get(level)) {
            if (text.startsWith(operator, at) && at + operator.length() <= to && !isLonger(operator)) {
                return operator;
            }
        }
        return null;
    }

    /* & of &&, | of ||, < of <<, > of >> */
    private boolean isLonger(String operator) {
        char next = at + operator.length() < to ? text.charAt(at + operator.length()) : 0;
        return switch (operator) {
            case "&", "|", "<", ">" -> next == operator.charAt(0);
            default -> false;
        };
    }

    private Node join(String operator, int place, Node left, Node right) throws ProbeSyntaxException {
        boolean unsigned = left.unsigned || right.unsigned;
        return switch (operator) {
            case "||" -> node(Step.OR, left, right, Kind.NUMBER, false);
            case "&&" -> node(Step.AND, left, right, Kind.NUMBER, false);
            case "|" -> node(Step.OR_BITS, left, right, bits(operator, place, left, right), unsigned);
            case "^" -> node(Step.XOR_BITS, left, right, bits(operator, place, left, right), unsigned);
            case "&" -> node(Step.AND_BITS, left, right, bits(operator, place, left, right), unsigned);
            case "*" -> node(Step.MULTIPLY, left, right, product(place, left, right), unsigned);
            case "+" -> node(Step.ADD, left, right, same(place, left, right), unsigned);
            case "-" -> node(Step.SUBTRACT, left, right, same(place, left, right), unsigned);
            default -> {
                refuseChain(operator, place, left);
                same(place, left, right);
                refuseForegone(operator, left, right);
                yield switch (operator) {
                    case "==" -> node(Step.EQUAL, left, right, Kind.NUMBER, false);
                    case "!=" -> node(Step.NOT_EQUAL, left, right, Kind.NUMBER, false);
                    case "<" -> node(unsigned ? Step.LESS_UNSIGNED : Step.LESS, left, right, Kind.NUMBER, false);
                    case "<=" -> node(unsigned ? Step.LESS_EQUAL_UNSIGNED : Step.LESS_EQUAL, left, right, Kind.NUMBER, false);
                    case ">" -> node(unsigned ? Step.LESS_UNSIGNED : Step.LESS, right, left, Kind.NUMBER, false);
                    default -> node(unsigned ? Step.LESS_EQUAL_UNSIGNED : Step.LESS_EQUAL, right, left, Kind.NUMBER, false);
                };
            }
        };
    }

    private Node unary() throws ProbeSyntaxException {
        skipBlanks();
        if (at == to) {
            throw at(at, "a value is missing behind '" + before + "'; " + values() + optionsNameIsAField());
        }
        char c = text.charAt(at);
        int place = at;
        if ("!~-+(".indexOf(c) < 0) {
            return value();
        }
        if ((c == '+' || c == '-') && text.substring(at, to).matches("(?s).(0x)?[0-9a-fA-F]+\\(.*")) {
            throw at(at, "a condition cannot read memory by itself; make a field of it, e.g. x=" + (c == '+' ? "+" : "-") + "8("
                    + (type == ProbeType.RETURN ? "$retval" : "$arg1") + "), and write x");
        }
        if (++nesting > MAX_NESTING) {
            throw at(at, "the condition is nested more than " + MAX_NESTING + " deep; take parentheses out");
        }
        at++;
        before = String.valueOf(c);
        Node node = c == '(' ? inParentheses(place) : unary(c, place);
        nesting--;
        return node;
    }

    private Node unary(char operator, int place) throws ProbeSyntaxException {
        Node operand = unary();
        if (operator == '+') {
            return operand;
        }
        if (operator == '-' && operand.step == Step.CONSTANT && !operand.closed && !operand.unsigned) {
            Node negative = new Node(Step.CONSTANT, place, operand.to, null, null, operand.kind, false);
            negative.constant = -operand.constant;
            return negative;
        }
        if (operator == '~' && (operand.kind == Kind.TIME || operand.kind == Kind.DURATION)) {
            throw at(place, "'~' of a time means nothing; take it out");
        }
        return switch (operator) {
            case '!' -> node(Step.NOT, place, operand.to, operand, null, Kind.NUMBER, false);
            case '~' -> node(Step.INVERT, place, operand.to, operand, null, Kind.NUMBER, operand.unsigned);
            default -> node(Step.NEGATE, place, operand.to, operand, null, operand.kind, operand.unsigned);
        };
    }

    private Node inParentheses(int open) throws ProbeSyntaxException {
        Node node = binary(0);
        skipBlanks();
        if (at == to) {
            throw at(to, "')' is missing: the '(' at column " + (open + 1) + " is not closed");
        }
        if (text.charAt(at) != ')') {
            throw unexpected();
        }
        at++;
        node.closed = true;
        return node;
    }

    // ---- values

    private Node value() throws ProbeSyntaxException {
        char c = text.charAt(at);
        if (Character.isDigit(c)) {
            return number();
        }
        int end = endOfName(at);
        String name = text.substring(at, end);
        if (c == '%') {
            throw at(at, "a condition cannot read a register by itself; make a field of it, e.g. x=%rdi, and write x");
        }
        if (c == '\'' || c == '"') {
            throw at(at, "a string in a condition is not there yet; compare numbers, e.g. a field of the first 8 bytes, +0(FETCH):x64");
        }
        if (end == at) {
            String two = text.substring(at, Math.min(at + 2, to));
            boolean isOperator = LEVELS.stream().anyMatch(operators -> operators.contains(two));
            throw at(at, "a value is missing before '" + (isOperator ? two : text.charAt(at)) + "'; " + values());
        }
        if (name.equals("$duration")) {
            if (type != ProbeType.CALL) {
                throw at(at, "$duration exists in c only; write c instead of " + type.letter());
            }
            Node node = node(Step.DURATION, at, end, null, null, Kind.DURATION, false);
            at = end;
            return node;
        }
        Integer position = positions.get(name);
        if (position == null) {
            throw unknown(name);
        }
        FieldSpec field = fields.get(position);
        Node node = node(Step.FIELD, at, end, null, null, kind(field), field.type().size() == 8 && !field.type().signed());
        node.index = position;
        at = end;
        return node;
    }

    private static Kind kind(FieldSpec field) {
        return field.unit() == null ? Kind.NUMBER : switch (field.unit()) {
            case NS -> Kind.NS;
            case US -> Kind.US;
            case MS -> Kind.MS;
            case S -> Kind.S;
            default -> Kind.NUMBER;
        };
    }

    private ProbeSyntaxException unknown(String name) {
        if (name.equals("duration")) {
            return at(at, "unknown field 'duration'; " + (type == ProbeType.CALL ? "write $duration" : "$duration exists in c only"));
        }
        if (name.charAt(0) == '$') {
            boolean variable = name.matches("\\$(arg[1-6]|retval)");
            return at(at, variable ? "a condition cannot read " + name + " by itself; make a field of it, e.g. x=" + name + ", and write x"
                    : "unknown variable " + ProbeParser.quote(name) + "; a condition knows the probe's fields"
                    + (type == ProbeType.CALL ? " and $duration" : ""));
        }
        if (WORDS.containsKey(name)) {
            return at(at, "'" + name + "' is not an operator; write " + WORDS.get(name));
        }
        if (name.equals("NULL") || name.equals("null")) {
            return at(at, "unknown field '" + name + "'; write 0");
        }
        List<String> known = fields.stream().map(FieldSpec::name).toList();
        return at(at, "unknown field " + ProbeParser.quote(name) + "; " + (known.isEmpty() ? "the probe has no fields, write one before 'if', e.g. "
                + JavaNames.identifier(name) + "=" + (type == ProbeType.RETURN ? "$retval" : "$arg1")
                : ProbeParser.didYouMean(name, known) + "fields are " + String.join(" ", known)));
    }

    private Node number() throws ProbeSyntaxException {
        int begin = at;
        boolean hex = text.startsWith("0x", at) || text.startsWith("0X", at);
        int end = hex ? at + 2 : at;
        while (end < to && Character.digit(text.charAt(end), hex ? 16 : 10) >= 0 && text.charAt(end) < 128) {
            end++;
        }
        String digits = text.substring(hex ? at + 2 : at, end);
        int endOfUnit = endOfName(end);
        String unit = text.substring(end, endOfUnit);
        String whole = text.substring(begin, endOfUnit);
        if (endOfUnit + 1 < to && text.charAt(endOfUnit) == '.' && Character.isDigit(text.charAt(endOfUnit + 1))) {
            throw at(begin, "a number in a condition must be whole; write a smaller unit, e.g. 1500us for 1.5ms");
        }
        if (digits.isEmpty()) {
            throw at(begin, "digits are missing in " + ProbeParser.quote(whole) + "; write e.g. 0x1000");
        }
        if (!hex && digits.length() > 1 && digits.charAt(0) == '0') {
            throw at(begin, ProbeParser.quote(digits) + " begins with 0, which C reads as octal; write it in decimal without the 0, or as 0x");
        }
        boolean time = UNITS_OF_TIME.contains(unit);
        if (!unit.isEmpty() && !time && !SIZES.containsKey(unit)) {
            throw at(end, "unknown unit '" + unit + "' of a number; times are ns us ms s, sizes k m g");
        }
        Kind kind = time ? Kind.TIME : unit.isEmpty() ? Kind.NUMBER : Kind.SIZE;
        long value;
        try {
            value = Long.parseUnsignedLong(digits, hex ? 16 : 10);
            if (!unit.isEmpty()) {
                if (value < 0) {
                    throw new ArithmeticException();
                }
                value = Math.multiplyExact(value, time ? Kind.valueOf(unit.toUpperCase(Locale.ROOT)).nanos() : 1L << SIZES.get(unit));
            }
        } catch (NumberFormatException | ArithmeticException tooLarge) {
            String most = unit.isEmpty() ? "0xffffffffffffffff" : time ? "9223372036s" : "8589934591g";
            throw at(begin, ProbeParser.quote(whole) + " is too large; at most " + most + " can be used");
        }
        Node node = node(Step.CONSTANT, begin, endOfUnit, null, null, kind, value < 0);
        node.constant = value;
        at = endOfUnit;
        return node;
    }

    // ---- what numbers count

    /* for sums and comparisons: both sides count the same, or are made to */
    private Kind same(int place, Node left, Node right) throws ProbeSyntaxException {
        Kind a = left.kind;
        Kind b = right.kind;
        if (a == b) {
            return a;
        }
        boolean plainA = a == Kind.NUMBER || a == Kind.SIZE;
        boolean plainB = b == Kind.NUMBER || b == Kind.SIZE;
        if (plainA && plainB) {
            return Kind.NUMBER;
        }
        if (plainA || plainB) {
            Node number = plainA ? left : right;
            Node time = plainA ? right : left;
            if (number.kind == Kind.SIZE) {
                throw at(number.from, shown(number) + " is a size; beside a time write a time, whose units are ns us ms s");
            }
            if (time.kind.isFieldsUnit()) {
                return time.kind;
            }
            if (number.step == Step.CONSTANT) {
                throw at(number.from, shown(number) + " beside a time needs a unit; write e.g. " + digits(number) + "ms");
            }
            throw at(number.from, shown(number) + " has no unit of time, so it cannot stand beside " + shown(time)
                    + (number.step == Step.FIELD && time.kind == Kind.TIME ? "; give the field one, e.g. /ms" : "; write a time, e.g. 10ms"));
        }
        if (a == Kind.TIME || b == Kind.TIME) {
            Kind other = a == Kind.TIME ? b : a;
            convert(a == Kind.TIME ? left : right, other);
            return other;
        }
        if (a == Kind.DURATION || b == Kind.DURATION) {
            throw at(place, "$duration beside a field's time is not there yet; write a time, e.g. 10ms");
        }
        boolean leftIsFiner = a.nanos() < b.nanos();
        long factor = leftIsFiner ? b.nanos() / a.nanos() : a.nanos() / b.nanos();
        Node coarser = leftIsFiner ? right : left;
        throw at(place, shown(left) + " counts " + a.unit() + " and " + shown(right) + " " + b.unit() + "; write " + bare(coarser) + " * " + factor);
    }

    /* the times in the tree, in nanoseconds so far, become numbers of that unit */
    private void convert(Node node, Kind unit) throws ProbeSyntaxException {
        if (node.kind != Kind.TIME) {
            return;
        }
        if (node.step == Step.CONSTANT) {
            if (unit == Kind.DURATION) {
                node.nanos = true;
            } else if (node.constant % unit.nanos() != 0) {
                throw at(node.from, shown(node) + " is no whole number of " + unit.unit() + ", which the field counts; write whole " + unit.unit());
            } else {
                node.constant /= unit.nanos();
            }
            return;
        }
        convert(node.left, unit);
        if (node.right != null) {
            convert(node.right, unit);
        }
    }

    private Kind product(int place, Node left, Node right) throws ProbeSyntaxException {
        boolean timeA = left.kind == Kind.TIME || left.kind == Kind.DURATION;
        boolean timeB = right.kind == Kind.TIME || right.kind == Kind.DURATION;
        if (timeA && timeB || timeA && right.kind.isFieldsUnit() || timeB && left.kind.isFieldsUnit()) {
            throw at(place, "a time times a time means nothing; multiply it by a number");
        }
        return timeA ? left.kind : timeB ? right.kind : Kind.NUMBER;
    }

    private Kind bits(String operator, int place, Node left, Node right) throws ProbeSyntaxException {
        for (Node side : List.of(left, right)) {
            if (side.kind == Kind.TIME || side.kind == Kind.DURATION) {
                throw at(place, "'" + operator + "' of a time means nothing; for both of two conditions write &&, for either ||");
            }
        }
        return Kind.NUMBER;
    }

    // ---- conditions that parse and are not meant

    /* a < b < c compares a truth with c */
    private void refuseChain(String operator, int place, Node left) throws ProbeSyntaxException {
        boolean relation = LEVELS.get(RELATIONS).contains(operator);
        boolean chain = switch (left.step) {
            case LESS, LESS_UNSIGNED, LESS_EQUAL, LESS_EQUAL_UNSIGNED -> relation;
            case EQUAL, NOT_EQUAL -> !relation;
            default -> false;
        };
        if (chain && !left.closed) {
            throw at(place, "comparisons do not chain; write e.g. a < b && b < c");
        }
    }

    /* ret < 0 with an unsigned ret never holds, and u64 is what a field is that says nothing */
    private void refuseForegone(String operator, Node left, Node right) throws ProbeSyntaxException {
        boolean mirrored = left.step == Step.CONSTANT;
        Node field = mirrored ? right : left;
        Node constant = mirrored ? left : right;
        if (field.step != Step.FIELD || constant.step != Step.CONSTANT || constant.unsigned) {
            return;
        }
        FieldSpec spec = fields.get(field.index);
        boolean equality = operator.equals("==") || operator.equals("!=");
        boolean sign = mirrored ? operator.equals(">") || operator.equals("<=") : operator.equals("<") || operator.equals(">=");
        boolean negative = constant.constant < 0 && !(equality && spec.type().size() == 8);
        if (!spec.type().signed() && (negative || constant.constant == 0 && sign)) {
            throw at(field.from, "field " + ProbeParser.quote(spec.name()) + " is " + spec.type().text() + " and never below 0; give it a signed "
                    + "type, " + (spec.type().size() == 8 ? ":s32 if it is an int, else :s64" : "e.g. :s" + spec.type().size() * 8));
        }
    }

    // ---- characters and words

    private Node node(Step step, Node left, Node right, Kind kind, boolean unsigned) throws ProbeSyntaxException {
        return node(step, Math.min(left.from, right.from), Math.max(left.to, right.to), left, right, kind, unsigned);
    }

    private Node node(Step step, int from, int to, Node left, Node right, Kind kind, boolean unsigned) throws ProbeSyntaxException {
        if (++nodes > Condition.MAX_STEPS) {
            throw at(begin, "the condition has more than " + Condition.MAX_STEPS + " steps (names, numbers and operators); use fewer, or several "
                    + "probes");
        }
        return new Node(step, from, to, left, right, kind, unsigned);
    }

    /* text[at] does not continue what was read, and is there */
    private ProbeSyntaxException unexpected() {
        char c = text.charAt(at);
        String two = text.substring(at, Math.min(at + 2, to));
        if (two.equals("<<") || two.equals(">>")) {
            return at(at, "there are no shifts; write the number, or multiply");
        }
        switch (c) {
            case '=' -> {
                return at(at, "'=' sets a value; write == to compare");
            }
            case '/', '%' -> {
                return at(at, "there is no division; multiply the other side");
            }
            case ')' -> {
                return at(at, "')' has no '(' before it; take it out");
            }
            default -> {
            }
        }
        int end = Character.isDigit(c) || Character.isJavaIdentifierStart(c) ? endOfName(at) : at;
        String word = text.substring(at, end);
        if (end < to && text.charAt(end) == '=' && (end + 1 == to || text.charAt(end + 1) != '=')) {
            if (end + 1 < to && ProbeParser.beginsFetch(text.charAt(end + 1))) {
                return ProbeParser.fieldBehindCondition(text, at);
            }
            return ProbeParser.unknownOption(text, at, word);
        }
        if (word.equals("if")) {
            return at(at, "a second 'if'; join conditions with && or ||");
        }
        if (WORDS.containsKey(word)) {
            return at(at, "'" + word + "' is not an operator; write " + WORDS.get(word));
        }
        if (c == '(' || c == '!' || c == '~' || c == '$' || c == '\'' || c == '"' || !word.isEmpty()) {
            return at(at, "an operator is missing before " + ProbeParser.quote(word.isEmpty() ? String.valueOf(c) : word) + "; " + OPERATORS);
        }
        return at(at, "unexpected '" + c + "' in a condition; " + OPERATORS);
    }

    private String values() {
        return "write a field's name" + (type == ProbeType.CALL ? ", $duration or a number" : " or a number");
    }

    private String example() {
        return fields.isEmpty() ? "len" : fields.get(0).name();
    }

    /* a condition that was cut off at mode= because that begins an option */
    private String optionsNameIsAField() {
        int end = to < text.length() ? endOfWord(to) : to;
        String next = text.substring(to, end);
        return positions.containsKey(next) ? "; if the field " + next + " is meant, write " + next + " ==" : "";
    }

    private int endOfWord(int begin) {
        int i = begin;
        while (i < text.length() && Character.isJavaIdentifierPart(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private String shown(Node node) {
        return ProbeParser.quote(text.substring(node.from, node.to));
    }

    private String bare(Node node) {
        String written = text.substring(node.from, node.to);
        return node.step == Step.FIELD ? written : "(" + written + ")";
    }

    private String digits(Node number) {
        return text.substring(number.from, number.to);
    }

    private int endOfName(int begin) {
        return Math.min(endOfWord(begin), to);
    }

    private void skipBlanks() {
        while (at < to && isBlank(text.charAt(at))) {
            at++;
        }
    }

    private static boolean isBlank(char c) {
        return ProbeParser.isSeparator(c);
    }

    private ProbeSyntaxException at(int index, String problem) {
        return new ProbeSyntaxException(text, index + 1, problem);
    }
}
