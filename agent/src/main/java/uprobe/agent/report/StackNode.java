package uprobe.agent.report;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A frame in the tree of all stacks, which grows from the outermost one. Its own numbers are those of hits whose innermost frame it is. */
final class StackNode {
    private static final CallRow[] NONE = {};

    final StackNode parent;
    final Frame frame;
    private Map<Frame, StackNode> children;
    /** One for each type of events that ends here; mostly one, or none. */
    private CallRow[] rows = NONE;
    long calls;
    /** Without what probed functions took that were called inside. */
    double selfNanos;
    /** Of the fields that are asked for. */
    long[] sums;
    /** Whether JFR may have cut the stack that ends here. */
    boolean isDeep;

    /** @param parent null at the root, whose frame is null as well */
    StackNode(StackNode parent, Frame frame) {
        this.parent = parent;
        this.frame = frame;
    }

    StackNode child(Frame of) {
        if (children == null) {
            children = new LinkedHashMap<>(2);
        }
        return children.computeIfAbsent(of, key -> new StackNode(this, key));
    }

    /** null if there is none of this type */
    CallRow row(String type) {
        for (CallRow row : rows) {
            if (row.type.equals(type)) {
                return row;
            }
        }
        return null;
    }

    void put(CallRow row) {
        rows = Arrays.copyOf(rows, rows.length + 1);
        rows[rows.length - 1] = row;
    }

    Collection<StackNode> children() {
        return children == null ? List.of() : children.values();
    }

    /**
     * The Java method to blame: the first that is neither native, the JDK's nor a driver's; where nobody else called, the innermost that is not native.
     *
     * @return null: no Java method is there
     */
    Frame caller() {
        Frame innermost = null, nativeMethod = null;
        for (StackNode node = this; node.frame != null; node = node.parent) {
            switch (node.frame.kind()) {
                case JAVA, NOTE -> {
                    return node.frame.kind() == Frame.Kind.NOTE && innermost != null ? innermost : node.frame;
                }
                case PASSED_OVER -> innermost = innermost == null ? node.frame : innermost;
                case NATIVE_METHOD -> nativeMethod = node.frame;
                default -> { }
            }
        }
        return innermost == null ? nativeMethod : innermost;
    }
}
