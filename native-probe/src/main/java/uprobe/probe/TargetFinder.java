package uprobe.probe;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import uprobe.probe.code.CriticalSections;
import uprobe.probe.elf.CallFrames;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeTarget;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;
import uprobe.probe.spec.SymbolPattern;

/**
 * What a probe means in the libraries that are loaded now, and what is refused whatever else is armed. Guarded by the engine's lock.
 */
final class TargetFinder {
    /** GCC's and LLVM's names; .part.N is a function of its own. */
    static final Pattern MOVED_OUT = Pattern.compile("\\.cold(\\.\\d+)?$");
    /** Addresses in the libraries that the engine brought: its helper, the helper's decoder, and whoever calls the helper, the engine's own JNA. */
    private final Set<Long> own;
    private LoadedLibraries snapshot;
    private Set<LoadedLibrary> others = Set.of();
    private long snapshotChanges;
    /** Of the libraries in the present snapshot. */
    private final Map<LoadedLibrary, CriticalSections> criticalSections = new HashMap<>();
    /** null once it was asked, or if there was none. */
    private HeadStart ahead;

    /** @param ahead may have looked already; null: nobody has */
    TargetFinder(HeadStart ahead) {
        own = Helper.ownCode();
        this.ahead = ahead;
    }

    /** {@link ProbeEngine#libraryChanges} when the libraries were last looked for. */
    long changes() {
        return snapshotChanges;
    }

    /** What was found is not so any more. */
    void lookAgain() {
        snapshot = null;
    }

    /** All libraries as they are now; looked for again only if the dynamic linker has done something since. Those that stayed are the same objects. */
    LoadedLibraries loaded() throws IOException {
        HeadStart.Seen seen = ahead == null ? null : ahead.seen();
        ahead = null;
        if (seen != null) {
            use(seen.libraries(), seen.changes());
        }
        long changes = Helper.up_library_changes();
        if (snapshot == null || changes != snapshotChanges) {
            use(snapshot == null ? LoadedLibraries.snapshot() : snapshot.again(), changes);
        }
        return snapshot;
    }

    private void use(LoadedLibraries found, long changes) {
        snapshot = found;
        others = found.all().stream().filter(library -> own.stream().noneMatch(library::contains)).collect(Collectors.toCollection(LinkedHashSet::new));
        snapshotChanges = changes;
        criticalSections.keySet().retainAll(others);
    }

    /** Those that probes may mean, in order of address: all but the engine's own, of which nobody asked. */
    Set<LoadedLibrary> others() throws IOException {
        loaded();
        return others;
    }

    static boolean matches(ProbeSpec spec, LoadedLibrary library) {
        return spec.library().matches(library.path().toString(), library.soname());
    }

    /** The functions of a library that the probe means, in order of address. */
    static List<NativeSymbol> functions(ProbeSpec spec, LoadedLibrary library) throws ProbeRefusedException {
        try {
            return distinct(named(library, spec.target()));
        } catch (UncheckedIOException e) {
            throw new ProbeRefusedException(Refusal.LIBRARY_GONE, library.fileName(), e.getCause().getMessage());
        }
    }

    /** Why a probe that means nothing now does so: there may be a library that it can wait for, or it is a slip of the pen. */
    ProbeRefusedException nothing(ProbeSpec spec) throws IOException {
        List<LoadedLibrary> matching = others().stream().filter(library -> matches(spec, library)).toList();
        if (matching.isEmpty()) {
            boolean ours = loaded().all().stream().anyMatch(library -> library.contains(Helper.codeOfTheHelper()) && matches(spec, library));
            return ours && spec.library().isOne() ? new ProbeRefusedException(Refusal.OWN_CODE, spec.library().text(), "")
                    : new ProbeRefusedException(Refusal.LIBRARY_NOT_LOADED, spec.library().text(), "loaded are "
                            + others.stream().map(LoadedLibrary::fileName).distinct().sorted().collect(Collectors.joining(", ")));
        }
        String name = spec.target() instanceof Symbol symbol ? symbol.name() : spec.target().toString();
        String names = matching.stream().flatMap(l -> l.symbols().nearest(name, 3).stream()).distinct().limit(5).collect(Collectors.joining(", "));
        String limits = matching.stream().flatMap(l -> l.symbols().limitation().stream()).distinct().collect(Collectors.joining("; "));
        String similar = names.isEmpty() ? "no name there is like it" : "similar names there: " + names;
        return spec.library().isOne()
                ? new ProbeRefusedException(Refusal.SYMBOL_UNKNOWN, matching.get(0).fileName() + "!" + name, similar + (limits.isEmpty() ? "" : "; " + limits))
                : new ProbeRefusedException(Refusal.NOT_THERE_YET, spec.library().text() + ":" + name, similar);
    }

    private static List<NativeSymbol> named(LoadedLibrary library, ProbeTarget target) {
        return target instanceof SymbolPattern pattern ? library.symbols().functions().stream().filter(symbol -> pattern.matches(symbol.name()))
                .map(symbol -> library.symbols().aliases(symbol.address()).get(0)).toList()      /* whatever name was matched, it has the one that people call */
                : library.symbols().find(((Symbol) target).name());
    }

    /** Aliases share an address and are one site. */
    private static List<NativeSymbol> distinct(List<NativeSymbol> symbols) {
        Map<Long, NativeSymbol> byAddress = new LinkedHashMap<>();
        symbols.forEach(s -> byAddress.putIfAbsent(s.address(), s));
        return List.copyOf(byAddress.values());
    }

    /**
     * The functions that are called by these names: of an IFUNC what its resolver chooses in this process. The dynamic linker calls a resolver for each
     * library that refers to its name, so it may be called once more; not before the library has been relocated, which the caller has waited for.
     */
    static List<NativeSymbol> chosen(LoadedLibrary library, List<NativeSymbol> named) throws IOException {
        List<NativeSymbol> chosen = new ArrayList<>();
        for (NativeSymbol symbol : named) {
            chosen.add(symbol.kind() == NativeSymbol.Kind.IFUNC ? implementation(library, symbol) : symbol);
        }
        return distinct(chosen);
    }

    /** The resolver itself, if it chooses something outside of the library: libc's `time` is the kernel's, in [vdso]. */
    private static NativeSymbol implementation(LoadedLibrary library, NativeSymbol resolver) throws IOException {
        long address = Helper.resolve(resolver.address());
        if (address < library.textStart() || address >= library.textEnd()) {
            return resolver;
        }
        Optional<NativeSymbol> known = library.symbols().aliases(address).stream().filter(s -> s.size() > 0).findFirst();
        Optional<CallFrames.Entry> frame = known.isPresent() || library.callFrames().isEmpty() ? Optional.empty() : library.callFrames().get().containing(address);
        long size = known.isPresent() ? known.get().size() : frame.isPresent() && frame.get().start() == address ? frame.get().end() - address : 0;
        return new NativeSymbol(resolver.name(), address, size, NativeSymbol.Kind.FUNCTION, resolver.global(), resolver.source());
    }

    /** What is refused of one library whatever its code is. */
    static final class Denial {
        private final LoadedLibrary library;
        private final ProbeSpec spec;
        private final String stem;
        private final boolean shadowStack;

        Denial(LoadedLibrary library, ProbeSpec spec) {
            this.library = library;
            this.spec = spec;
            stem = LibraryPattern.stem(library.fileName());
            shadowStack = spec.type() != ProbeType.ENTRY && Helper.up_shadow_stack_on() != 0;
        }

        void refuse(NativeSymbol symbol) throws ProbeRefusedException {
            if (symbol.kind() == NativeSymbol.Kind.IFUNC) {
                throw refusal(Refusal.IFUNC, symbol, "");
            } else if (symbol.kind() != NativeSymbol.Kind.FUNCTION) {
                throw refusal(Refusal.NOT_A_FUNCTION, symbol, "its kind is " + symbol.kind());
            } else if (library.codeEnd(symbol.address()) == symbol.address()) {
                throw refusal(Refusal.NOT_A_FUNCTION, symbol, "it lies in no executable segment");
            } else if (spec.type() != ProbeType.ENTRY && offset(spec) != 0) {
                throw refusal(Refusal.RETURNS_ENTRY_ONLY, symbol, "leave the offset out");
            } else if (shadowStack) {
                throw refusal(Refusal.SHADOW_STACK, symbol, "use p");
            }
            Refusal denied = DeniedFunctions.of(stem, symbol.name(), spec.type());
            if (denied != null) {
                throw refusal(denied, symbol, "");
            }
            for (NativeSymbol alias : library.symbols().aliases(symbol.address())) {
                denied = alias == symbol ? null : DeniedFunctions.of(stem, alias.name(), spec.type());
                if (denied != null) {
                    throw refusal(denied, symbol, "it is also called " + alias.name());
                }
            }
        }

        private ProbeRefusedException refusal(Refusal why, NativeSymbol symbol, String more) {
            return new ProbeRefusedException(why, where(library, symbol, offset(spec)), more);
        }
    }

    void refuseCriticalSection(LoadedLibrary library, long address, String where) throws ProbeRefusedException {
        if (criticalSections.computeIfAbsent(library, CriticalSections::of).contain(address)) {
            throw new ProbeRefusedException(Refusal.RESTARTABLE_SEQUENCE, where, "");
        }
    }

    /** A compiler's own name for what it moved out of a function, where it is seldom run; whether .eh_frame can tell depends on what was pushed before. */
    static void refusePart(LoadedLibrary library, NativeSymbol symbol) throws ProbeRefusedException {
        if (MOVED_OUT.matcher(symbol.name()).find()) {
            throw new ProbeRefusedException(Refusal.PART_OF_FUNCTION, where(library, symbol, 0), "use p");
        }
    }

    static long offset(ProbeSpec spec) {
        return spec.target() instanceof Symbol symbol ? symbol.offset() : 0;
    }

    static String named(NativeSymbol symbol, long offset) {
        return symbol.name() + (offset == 0 ? "" : "+0x" + Long.toHexString(offset));
    }

    static String where(LoadedLibrary library, NativeSymbol symbol, long offset) {
        return library.fileName() + "!" + named(symbol, offset);
    }
}
