package uprobe.agent.report;

/**
 * A frame of any stack; there is one object for each name and kind.
 *
 * @param name {@code libz.deflate}, {@code app.Archive.pack}
 */
record Frame(String name, Kind kind) {
    enum Kind {
        /** A probed function. */
        FUNCTION,
        NATIVE_METHOD,
        /** A Java method that nobody would blame: the JDK's or a driver's. */
        PASSED_OVER,
        JAVA,
        /** Stands for what is not known, in parentheses. */
        NOTE
    }

    boolean isFunction() {
        return kind == Kind.FUNCTION;
    }
}
