package uprobe.probe.spec;

/** A probe's text is wrong: where, and what would be right. */
public final class ProbeSyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String text;
    private final int column;
    private final String problem;

    ProbeSyntaxException(String text, int column, String problem) {
        super("column " + column + ": " + oneLine(problem));
        this.text = text;
        this.column = column;
        this.problem = oneLine(problem);
    }

    /** 1-based, in chars of {@link #text}; one more than its length where something is missing at the end. */
    public int column() {
        return column;
    }

    /** The whole text of the probe, as it was handed to the parser. */
    public String text() {
        return text;
    }

    /** {@link #getMessage} without the column, for callers that tell the place in their own way. */
    public String problem() {
        return problem;
    }

    /** Two lines: the text, and below it a caret under the column. Control characters (tabs, line ends) are shown as blanks. */
    public String pointed() {
        return oneLine(text) + "\n" + " ".repeat(column - 1) + "^";
    }

    private static String oneLine(String s) {
        StringBuilder line = new StringBuilder(s.length());
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            line.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? ' ' : c);
        }
        return line.toString();
    }
}
