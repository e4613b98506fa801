package uprobe.agent.report;

/** What cannot be done, in a sentence with the values and what to type instead. */
final class BadInput extends Exception {
    private static final long serialVersionUID = 1;
    static final int FAILURE = 1, USAGE = 2;

    private final int exitCode;

    private BadInput(int exitCode, String sentence) {
        super(sentence);
        this.exitCode = exitCode;
    }

    /** The command line asks for what is not there. */
    static BadInput usage(String sentence) {
        return new BadInput(USAGE, sentence);
    }

    /** The command line may be right, the files are not. */
    static BadInput failure(String sentence) {
        return new BadInput(FAILURE, sentence);
    }

    int exitCode() {
        return exitCode;
    }
}
