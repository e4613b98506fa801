package uprobe.jfr;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.Event;
import uprobe.probe.CommitMethod;
import uprobe.probe.ProbePoint;
import uprobe.probe.spec.FieldSpec;
import uprobe.probe.spec.JavaNames;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;
import uprobe.probe.spec.SymbolPattern;

/**
 * Makes the event classes of one probe, and with them its commit methods: one for each stem of a library - several where that has very many functions, or
 * a later copy has others -, with methods for each function.
 */
final class EventTypes implements CommitMethod.Factory {
    /** What a pattern's probe without fields records. */
    private static final String ARGUMENTS = " arg1=$arg1:x64 arg2=$arg2:x64 arg3=$arg3:x64 arg4=$arg4:x64 arg5=$arg5:x64 arg6=$arg6:x64";
    private static final String RESULT = " result=$retval:x64";

    /** Registers a class and has it loaded and linked. */
    interface Registration {
        void register(String eventName, Class<? extends Event> generated);
    }

    private final boolean enabled;
    private final Registration registration;

    /** Functions of one library, whose hits are events of one class. */
    private static final class Group {
        final List<String> symbols = new ArrayList<>();
        ProbeEventClass.Classes classes;
    }

    /** A class has at most 65,535 methods and as many names in its constant pool; each function takes one of either (JVMS 4.1). */
    private static final int FUNCTIONS_OF_A_CLASS = 10_000;

    /** The newest of each stem, which takes more as long as its class is not made; and the one of each stem and symbol. */
    private final Map<String, Group> growing = new HashMap<>();
    private final Map<List<String>, Group> groups = new HashMap<>();

    /** @param enabled whether recordings that say nothing of the events have them enabled */
    EventTypes(boolean enabled, Registration registration) {
        this.enabled = enabled;
        this.registration = registration;
    }

    /** {@code uprobe.GROUP.EVENT}; what the probe leaves out is the library's stem and the function's symbol, as identifiers, or {@code uprobe.NativeCall}. */
    static String eventName(ProbeSpec spec, String stem, String symbol) {
        if (isShared(spec)) {
            return "uprobe.NativeCall";
        }
        String group = spec.group() != null ? spec.group() : JavaNames.identifier(stem);
        String event = spec.event() != null ? spec.event() : JavaNames.identifier(symbol);
        return "uprobe." + group + "." + event;
    }

    /** Whether the library's stem is a part of the name: events of libraries with different stems are different types then. */
    static boolean isNamedByLibrary(ProbeSpec spec) {
        return !isShared(spec) && spec.group() == null;
    }

    /** Whether its events have the type that all such probes share. */
    static boolean isShared(ProbeSpec spec) {
        return spec.target() instanceof SymbolPattern && spec.event() == null;
    }

    /** A pattern's probe that says nothing records what every function may have. */
    static ProbeSpec withFields(ProbeSpec spec) {
        if (!(spec.target() instanceof SymbolPattern) || !spec.fields().isEmpty()) {
            return spec;
        }
        String fields = switch (spec.type()) {
            case ENTRY -> ARGUMENTS;
            case RETURN -> RESULT;
            case CALL -> ARGUMENTS + RESULT;
        };
        try {
            List<FieldSpec> all = ProbeParser.parse(spec.type().letter() + " any:any" + fields).fields();
            return new ProbeSpec(spec.type(), spec.group(), spec.event(), spec.library(), spec.target(), all, spec.condition(), spec.options(), spec.text());
        } catch (ProbeSyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public void places(ProbeSpec spec, List<ProbePoint> points) {
        for (ProbePoint point : points) {
            String stem = LibraryPattern.stem(point.site().library()), symbol = point.site().symbol();
            Group group = growing.computeIfAbsent(stem, first -> new Group());
            if (groups.containsKey(List.of(stem, symbol))) {
                continue;
            }
            if (group.symbols.size() == FUNCTIONS_OF_A_CLASS || group.classes != null) {
                group = new Group();
                growing.put(stem, group);
            }
            groups.put(List.of(stem, symbol), group);
            group.symbols.add(symbol);
        }
        Hits.places(points);
    }

    @Override
    public CommitMethod make(int id, ProbeSpec spec, String stem, String symbol, ByteBuffer records) {
        Group group = groups.get(List.of(stem, symbol));
        if (group.classes == null) {
            String name = eventName(spec, stem, symbol);
            group.classes = ProbeEventClass.of(spec, name, stem, group.symbols, enabled);
            registration.register(name, group.classes.event());
        }
        return new CommitMethod(group.classes.event(), ProbeEventClass.methodName(symbol), group.classes.frames());
    }
}
