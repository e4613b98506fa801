package uprobe.agent.verb;

/** Of this jar. */
public final class Version {
    public static final String TEXT = "uprobe 0.1.0";

    private Version() {}
}
