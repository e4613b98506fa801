package uprobe.probe.spec;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;

/* A shell pattern
 * ---------------
 * {a,b} is expanded first, so each alternative is a pattern of its own, with or without glob characters. What is left is a list of tokens,
 * one for each character of the pattern, and matching walks the text once with the set of tokens that may come next: no backtracking, so
 * no pattern is slow.
 */
final class Glob {
    private static final int MAX_ALTERNATIVES = 1000;

    /** What a pattern is about. */
    enum Kind {
        /** The name or path of a file: stars, question marks and sets stop at a slash, {@code **} does not. */
        FILE("LIBRARY", "name a file, e.g. libz"),
        /** A symbol's name: a slash is a character like others ({@code operator/}), and nothing behind an @, the version, is compared. */
        SYMBOL("TARGET", "name a function, e.g. libz:deflate*");

        private final String word;
        private final String example;

        Kind(String word, String example) {
            this.word = word;
            this.example = example;
        }

        /* what a set, a question mark or a star (not a double one) can stand for */
        private boolean matchable(int c) {
            return this == SYMBOL || c != '/';
        }
    }

    /* what one token accepts; a star also lets itself be passed by */
    private record Token(IntPredicate accepts, boolean star) {
    }

    /** A pattern that is none: index is 0-based in its text. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;
        final int index;

        Malformed(int index, String problem) {
            super(problem);
            this.index = index;
        }
    }

    private final List<Token> tokens = new ArrayList<>();
    /** Matched as soon as the last token is reached: a star that takes whatever there is. */
    private final boolean open;
    private final boolean literal;
    private final String text;

    private Glob(String pattern, Kind kind) throws Malformed {
        boolean plain = true;
        int compared = Integer.MAX_VALUE;   // tokens from here on are a symbol's version
        StringBuilder unescaped = new StringBuilder();
        int i = 0;
        while (i < pattern.length()) {
            int c = pattern.codePointAt(i);
            switch (c) {
                case '*' -> {
                    boolean two = pattern.startsWith("**", i);
                    tokens.add(new Token(two ? any -> true : kind::matchable, true));
                    i += two ? 2 : 1;
                    plain = false;
                }
                case '?' -> {
                    tokens.add(new Token(kind::matchable, false));
                    i++;
                    plain = false;
                }
                case '[' -> {
                    int close = endOfSet(pattern, i, kind);
                    tokens.add(new Token(set(pattern, i + 1, close, kind), false));
                    i = close + 1;
                    plain = false;
                }
                default -> {
                    if (c == '@' && kind == Kind.SYMBOL && !tokens.isEmpty()) {
                        compared = Math.min(compared, tokens.size());
                    }
                    if (c == '\\' && i + 1 < pattern.length()) {
                        i++;
                        c = pattern.codePointAt(i);
                    }
                    int wanted = c;
                    tokens.add(new Token(found -> found == wanted, false));
                    unescaped.appendCodePoint(c);
                    i += Character.charCount(c);
                }
            }
        }
        if (compared < tokens.size()) {
            tokens.subList(compared, tokens.size()).clear();
        }
        open = kind == Kind.SYMBOL && !tokens.isEmpty() && tokens.get(tokens.size() - 1).star;
        literal = plain;
        text = plain ? unescaped.toString() : pattern;
    }

    /** The alternatives of a pattern, without empty ones. */
    static List<Glob> alternatives(String pattern, Kind kind) throws Malformed {
        List<String> expanded = new ArrayList<>();
        checkBalance(pattern, kind);
        expand(pattern, expanded, kind);
        List<Glob> globs = new ArrayList<>();
        for (String alternative : expanded) {
            if (!alternative.isEmpty()) {
                globs.add(new Glob(alternative, kind));
            }
        }
        if (globs.isEmpty()) {
            throw new Malformed(0, kind.word + " '" + pattern + "' matches nothing; " + kind.example);
        }
        return globs;
    }

    /** Whether the pattern has no glob characters: then text() is the one string it matches, escapes resolved. */
    boolean literal() {
        return literal;
    }

    String text() {
        return text;
    }

    boolean matches(String candidate) {
        BitSet next = new BitSet(tokens.size() + 1);
        reach(next, 0);
        for (int i = 0; i < candidate.length() && !next.isEmpty() && !(open && next.get(tokens.size())); ) {
            int c = candidate.codePointAt(i);
            BitSet after = new BitSet(tokens.size() + 1);
            for (int t = next.nextSetBit(0); t >= 0 && t < tokens.size(); t = next.nextSetBit(t + 1)) {
                if (tokens.get(t).accepts.test(c)) {
                    reach(after, tokens.get(t).star ? t : t + 1);
                }
            }
            next = after;
            i += Character.charCount(c);
        }
        return next.get(tokens.size());
    }

    private void reach(BitSet states, int token) {
        states.set(token);
        while (token < tokens.size() && tokens.get(token).star) {
            states.set(++token);
        }
    }

    private static void checkBalance(String pattern, Kind kind) throws Malformed {
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < pattern.length(); i = next(pattern, i, kind)) {
            if (pattern.charAt(i) == '{') {
                open.add(i);
            } else if (pattern.charAt(i) == '}') {
                if (open.isEmpty()) {
                    throw new Malformed(i, "'}' in " + kind.word + " has no '{' before it; write {a,b}, or \\} for the character itself");
                }
                open.remove(open.size() - 1);
            }
        }
        if (!open.isEmpty()) {
            throw new Malformed(open.get(0), "'{' in " + kind.word + " is not closed; write {a,b}, or \\{ for the character itself");
        }
    }

    private static void expand(String pattern, List<String> into, Kind kind) throws Malformed {
        int open = 0;
        while (open < pattern.length() && pattern.charAt(open) != '{') {
            open = next(pattern, open, kind);
        }
        if (open >= pattern.length()) {
            into.add(pattern);
            if (into.size() > MAX_ALTERNATIVES) {
                throw new Malformed(0, kind.word + " has more than " + MAX_ALTERNATIVES + " alternatives; use * or several probes");
            }
            return;
        }
        List<String> alternatives = new ArrayList<>();
        int depth = 0;
        int begin = open + 1;
        int close = open;
        for (; ; close = next(pattern, close, kind)) {
            char c = pattern.charAt(close);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth == 0 || depth == 1 && c == ',') {
                alternatives.add(pattern.substring(begin, close));
                begin = close + 1;
            }
            if (depth == 0) {
                break;
            }
        }
        for (String alternative : alternatives) {
            expand(pattern.substring(0, open) + alternative + pattern.substring(close + 1), into, kind);
        }
    }

    /* the index after the character, escaped pair or [set] at i, in all of which braces mean themselves */
    private static int next(String pattern, int i, Kind kind) throws Malformed {
        return switch (pattern.charAt(i)) {
            case '\\' -> Math.min(i + 2, pattern.length());
            case '[' -> endOfSet(pattern, i, kind) + 1;
            default -> i + 1;
        };
    }

    /* a ] that stands first, also after ! or ^, belongs to the set */
    private static int endOfSet(String pattern, int open, Kind kind) throws Malformed {
        int i = open + 1;
        if (i < pattern.length() && (pattern.charAt(i) == '!' || pattern.charAt(i) == '^')) {
            i++;
        }
        int close = pattern.indexOf(']', i + 1);
        if (close < 0) {
            throw new Malformed(open, "'[' in " + kind.word + " is not closed; write [abc], or \\[ for the character itself");
        }
        return close;
    }

    private static IntPredicate set(String pattern, int from, int to, Kind kind) throws Malformed {
        boolean negated = pattern.charAt(from) == '!' || pattern.charAt(from) == '^';
        int[] members = pattern.substring(negated ? from + 1 : from, to).codePoints().toArray();
        List<int[]> ranges = new ArrayList<>();
        for (int i = 0; i < members.length; i++) {
            boolean range = i + 2 < members.length && members[i + 1] == '-';
            int last = range ? members[i + 2] : members[i];
            if (last < members[i]) {
                throw new Malformed(from - 1, "the range '" + Character.toString(members[i]) + "-" + Character.toString(last)
                        + "' in " + kind.word + " is backwards; write the lower character first");
            }
            ranges.add(new int[]{members[i], last});
            i += range ? 2 : 0;
        }
        return c -> kind.matchable(c) && negated != ranges.stream().anyMatch(r -> r[0] <= c && c <= r[1]);
    }
}
