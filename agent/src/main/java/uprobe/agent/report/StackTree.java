package uprobe.agent.report;

import java.util.HashMap;
import java.util.Map;
import one.jfr.Dictionary;
import one.jfr.StackTrace;

/** All stacks of hits. A stack is walked once a chunk, and afterwards known by its number. */
final class StackTree {
    private static final String NO_STACK = "no stack recorded", NO_JAVA = "no Java caller";

    private final Frames frames;
    private final StackNode root = new StackNode(null, null);
    private Dictionary<StackNode> ofChunk = new Dictionary<>();
    private final Map<String, StackNode> drainedOfChunk = new HashMap<>();

    StackTree(Frames frames) {
        this.frames = frames;
    }

    void nextChunk() {
        frames.nextChunk();
        ofChunk = new Dictionary<>();
        drainedOfChunk.clear();
    }

    StackNode root() {
        return root;
    }

    /** Where the hit's stack ends: at the probed function. */
    StackNode of(ChunkReader chunk, Hit hit) {
        String drained = hit.drained();
        if (drained != null) {
            return drainedOfChunk.computeIfAbsent(hit.stack() + " " + hit.type.id() + " " + drained + functionField(hit), key -> drained(chunk, hit));
        }
        StackNode known = hit.stack() == 0 ? null : ofChunk.get(hit.stack());
        if (known == null) {
            StackTrace stack = chunk.stack(hit.stack());
            if (stack == null || stack.methods.length == 0) {
                return root.child(frames.note(NO_STACK)).child(frames.function(nameWithoutStack(hit)));
            }
            known = root;
            for (int i = stack.methods.length - 1; i >= 0; i--) {
                known = known.child(frames.of(chunk, stack, i));
            }
            ofChunk.put(hit.stack(), known);
        }
        return known;
    }

    /** The drain thread committed it: functions are the hit's, Java frames would be its own. */
    private StackNode drained(ChunkReader chunk, Hit hit) {
        StackNode node = root.child(frames.note(NO_JAVA + ": " + hit.drained()));
        StackTrace stack = chunk.stack(hit.stack());
        if (stack == null || stack.methods.length == 0) {
            return node.child(frames.function(nameWithoutStack(hit)));
        }
        for (int i = stack.methods.length - 1; i >= 0; i--) {
            Frame frame = frames.of(chunk, stack, i);
            node = frame.isFunction() ? node.child(frame) : node;
        }
        return node;
    }

    private static String functionField(Hit hit) {
        String function = hit.string("function");
        return function == null ? "" : " " + function;
    }

    /** The events of a pattern's probe say which function it was; others are named by their type. */
    private static String nameWithoutStack(Hit hit) {
        String function = hit.string("function");
        return function == null ? hit.type.shortName() : hit.string("library") + "." + function;
    }
}
