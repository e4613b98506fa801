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
 * Makes the event classes of one probe, one for each library, and its commit methods: those of each library are in a class, of a pattern with very many
 * functions in several. JFR learns the event classes at once, as recordings name them; the commit methods are made when there are events to be committed.
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

    /** A class has at most 65,535 methods and as many names in its constant pool; each function takes one of either (JVMS 4.1). */
    private static final int FUNCTIONS_OF_A_CLASS = 10_000;

    private static final class Library {
        final Class<? extends Event> events;
        /** Functions that have no commit methods yet. */
        List<String> waiting = new ArrayList<>();
        /** By symbol, whose class has them. */
        final Map<String, ProbeEventClass.Methods> commits = new HashMap<>();

        Library(Class<? extends Event> events) {
            this.events = events;
        }
    }

    /** By stem. */
    private final Map<String, Library> libraries = new HashMap<>();

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
        Map<String, Library> byFile = new HashMap<>();
        for (ProbePoint point : points) {
            String symbol = point.site().symbol();
            Library library = byFile.computeIfAbsent(point.site().library(), file -> library(spec, LibraryPattern.stem(file), symbol));
            if (!library.commits.containsKey(symbol)) {
                library.waiting.add(symbol);
            }
        }
        Hits.places(points);
    }

    private Library library(ProbeSpec spec, String stem, String symbol) {
        Library known = libraries.get(stem);
        if (known == null) {
            String name = eventName(spec, stem, symbol);
            known = new Library(ProbeEventClass.of(spec, name, stem, symbol, enabled));
            registration.register(name, known.events);
            libraries.put(stem, known);
        }
        return known;
    }

    @Override
    public CommitMethod make(int id, ProbeSpec spec, String stem, String symbol, ByteBuffer records) {
        Library library = libraries.get(stem);
        if (!library.commits.containsKey(symbol)) {
            for (int from = 0; from < library.waiting.size(); from += FUNCTIONS_OF_A_CLASS) {
                List<String> some = library.waiting.subList(from, Math.min(library.waiting.size(), from + FUNCTIONS_OF_A_CLASS));
                ProbeEventClass.Methods made = ProbeEventClass.methods(library.events, spec, stem, some);
                some.forEach(function -> library.commits.put(function, made));
            }
            library.waiting = new ArrayList<>();
        }
        ProbeEventClass.Methods methods = library.commits.get(symbol);
        return new CommitMethod(methods.commits(), ProbeEventClass.methodName(symbol), methods.frames());
    }
}
