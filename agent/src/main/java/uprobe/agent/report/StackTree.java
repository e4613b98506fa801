package uprobe.agent.report;

import java.util.HashMap;
import java.util.Map;
import one.jfr.Dictionary;
import one.jfr.StackTrace;

/**
 * All stacks of hits. A stack is walked once a chunk, and afterwards known by its number.
 * <p>
 * JFR cuts deep stacks on the outside. The stack of a call inside another one is deeper, so it lost a frame more, and would not lie beside the other in the tree:
 * <pre>
 *   inflate <- read <- run <- ... <- a <- b         64 frames
 *   crc32 <- inflate <- read <- run <- ... <- a     64 frames
 * </pre>
 * So where stacks are that deep, of their Java frames a number is kept that is left in both.
 */
final class StackTree {
    /** JFR's stackdepth, unless it is set otherwise. */
    static final int DEPTH = 64;
    private static final int MOST_FUNCTIONS = 16;
    private static final String NO_STACK = "no stack recorded", NO_JAVA = "no Java caller", CUT = "further frames were cut";

    private final Frames frames;
    private final StackNode root = new StackNode(null, null);
    private Dictionary<StackNode> ofChunk = new Dictionary<>();
    private final Map<String, StackNode> drainedOfChunk = new HashMap<>();
    private int deepest;

    StackTree(Frames frames) {
        this.frames = frames;
    }

    void nextChunk(ChunkReader chunk) {
        frames.nextChunk();
        deepest = Math.max(deepest, chunk.deepestStack());
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
            int depth = kept(chunk, stack);
            if (depth < stack.methods.length) {
                known = known.child(frames.note(CUT));
            }
            for (int i = depth - 1; i >= 0; i--) {
                known = known.child(frames.of(chunk, stack, i));
            }
            known.isDeep |= stack.methods.length >= DEPTH;
            ofChunk.put(hit.stack(), known);
        }
        return known;
    }

    private int kept(ChunkReader chunk, StackTrace stack) {
        if (deepest < DEPTH) {
            return stack.methods.length;
        }
        int functions = 0;
        while (functions < stack.methods.length && frames.of(chunk, stack, functions).isFunction()) {
            functions++;
        }
        return Math.min(stack.methods.length, functions + deepest - MOST_FUNCTIONS);
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
