package uprobe.probe;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import uprobe.probe.code.Planner;
import uprobe.probe.elf.JniName;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.patch.LibraryPins;
import uprobe.probe.patch.SiteTable;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;

/** What is there and could be probed. Nothing is prepared for it: no site, no slot. Guarded by the engine's lock. */
final class Survey {
    private final TargetFinder finder;
    private final SiteTable sites;
    private final LibraryPins pins;

    /** @param pins hold a library while it is looked at */
    Survey(TargetFinder finder, SiteTable sites, LibraryPins pins) {
        this.finder = finder;
        this.sites = sites;
        this.pins = pins;
    }

    List<LibraryInfo> libraries() throws IOException {
        List<LibraryInfo> all = new ArrayList<>();
        for (LoadedLibrary library : finder.others()) {
            try {
                List<NativeSymbol> functions = library.symbols().functions();
                all.add(new LibraryInfo(library.fileName(), library.path().toString(), (int) functions.stream().mapToLong(NativeSymbol::address).distinct().count(),
                        (int) functions.stream().filter(function -> JniName.isOne(function.name())).count(), library.textEnd() - library.textStart()));
            } catch (UncheckedIOException goneMeanwhile) {
                /* then it is none that could be probed */
            }
        }
        return all;
    }

    /**
     * @param spec its type and fields do not matter
     * @param held gets the libraries that were taken; the caller gives them back
     */
    List<FunctionInfo> functions(ProbeSpec spec, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        List<FunctionInfo> all = new ArrayList<>();
        for (LoadedLibrary library : finder.others()) {
            if (TargetFinder.matches(spec, library)) {
                try {
                    List<NativeSymbol> functions = TargetFinder.functions(spec, library);
                    if (!functions.isEmpty()) {
                        pins.take(library);
                        held.add(library);
                        all.addAll(of(library, functions, spec));
                    }
                } catch (ProbeRefusedException | UncheckedIOException goneMeanwhile) {
                    /* as above */
                }
            }
        }
        if (all.isEmpty()) {
            throw finder.nothing(spec);
        }
        return all;
    }

    private List<FunctionInfo> of(LoadedLibrary library, List<NativeSymbol> functions, ProbeSpec spec) throws ProbeRefusedException, IOException {
        Map<Long, DefinedProbe.Target> calls = new HashMap<>(), entries = new HashMap<>();
        Map<Long, ProbeRefusedException> notCalls = new HashMap<>(), notEntries = new HashMap<>();
        List<NativeSymbol> chosen = TargetFinder.chosen(library, functions);
        look(library, chosen, spec.withType(ProbeType.CALL), calls, notCalls);
        look(library, chosen.stream().filter(function -> notCalls.containsKey(function.address())).toList(), spec.withType(ProbeType.ENTRY), entries, notEntries);
        List<FunctionInfo> all = new ArrayList<>();
        for (NativeSymbol function : chosen) {
            long address = function.address();
            DefinedProbe.Target target = calls.getOrDefault(address, entries.get(address));
            ProbeRefusedException why = target == null ? notEntries.get(address) : notCalls.get(address);
            if (why != null && why.refusal() == Refusal.PART_OF_FUNCTION) {
                continue;
            }
            SiteTable.Site site = sites.at(address);
            all.add(new FunctionInfo(library.fileName(), function.name(), address, function.size(), calls.containsKey(address) ? "p r c" : target != null ? "p" : "",
                    target == null ? "" : target.plan().described().mechanism().text(), why != null ? why.refusal().sentence() : "",
                    JniName.javaName(function.name()), site != null && site.isUsed() && !sites.isGone(library)));
        }
        all.sort(Comparator.comparingLong(FunctionInfo::address));
        return all;
    }

    private void look(LoadedLibrary library, List<NativeSymbol> functions, ProbeSpec spec, Map<Long, DefinedProbe.Target> possible, Map<Long, ProbeRefusedException> refused)
            throws ProbeRefusedException, IOException {
        new LibraryPlan(library, spec, finder, sites, Planner.withoutRoom(), (symbol, why) -> refused.put(symbol.address(), why)).of(functions)
                .forEach(target -> possible.put(target.plan().address(), target));
    }
}
