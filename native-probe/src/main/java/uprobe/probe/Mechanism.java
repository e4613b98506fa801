package uprobe.probe;

/** How a site gets its hits, best first. */
public enum Mechanism {
    /** INT3; the displaced instruction runs in its slot and jumps back: one trap a hit. */
    BOOST;

    /** As it stands in events and lists: {@code boost}. */
    public String text() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
