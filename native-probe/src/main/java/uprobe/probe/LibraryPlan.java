package uprobe.probe;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import uprobe.probe.code.CodeText;
import uprobe.probe.code.Displaced;
import uprobe.probe.code.Entries;
import uprobe.probe.code.FunctionCode;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.code.Planner;
import uprobe.probe.elf.CallFrames;
import uprobe.probe.elf.GoCode;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.patch.SitePlan;
import uprobe.probe.patch.SiteTable;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.Mechanism;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;

/**
 * Where a probe's traps will be in one library. Its code is read in one piece for each executable segment, and the helper looks at the beginnings of all
 * functions there in one call: a pattern may name some ten thousand.
 */
final class LibraryPlan {
    private final LoadedLibrary library;
    private final ProbeSpec spec;
    private final TargetFinder finder;
    private final SiteTable sites;
    private final Planner planner;
    private final long offset;
    private final Refused refused;
    private final List<DefinedProbe.Target> targets = new ArrayList<>();
    private final String stem;

    /** Gets what can not be probed. */
    @FunctionalInterface
    interface Refused {
        void because(NativeSymbol symbol, ProbeRefusedException why);
    }

    LibraryPlan(LoadedLibrary library, ProbeSpec spec, TargetFinder finder, SiteTable sites, Planner planner, Refused refused) {
        this.library = library;
        this.spec = spec;
        this.finder = finder;
        this.sites = sites;
        this.planner = planner;
        this.refused = refused;
        this.offset = TargetFinder.offset(spec);
        this.stem = LibraryPattern.stem(library.fileName());
    }

    /** @param symbols one for each address */
    List<DefinedProbe.Target> of(List<NativeSymbol> symbols) throws ProbeRefusedException, IOException {
        boolean isPattern = !(spec.target() instanceof Symbol);
        TargetFinder.Denial denial = new TargetFinder.Denial(library, spec);
        List<NativeSymbol> allowed = new ArrayList<>(symbols.size());
        for (NativeSymbol symbol : symbols) {
            try {
                if (isPattern) {
                    TargetFinder.refusePart(library, symbol);
                }
                denial.refuse(symbol);
                allowed.add(symbol);
            } catch (ProbeRefusedException e) {
                refused.because(symbol, e);
            }
        }
        allowed.sort(Comparator.comparingLong(NativeSymbol::address));
        for (int from = 0, to; from < allowed.size(); from = to) {
            long segmentEnd = library.codeEnd(allowed.get(from).address());
            for (to = from + 1; to < allowed.size() && allowed.get(to).address() < segmentEnd; to++) { }
            inSegment(allowed.subList(from, to), segmentEnd);
        }
        planner.verify();
        return targets;
    }

    private void inSegment(List<NativeSymbol> symbols, long segmentEnd) throws ProbeRefusedException, IOException {
        long[] starts = symbols.stream().mapToLong(NativeSymbol::address).toArray(), ends = new long[starts.length];
        long last = 0;
        for (int i = 0; i < ends.length; i++) {
            NativeSymbol symbol = symbols.get(i);
            ends[i] = symbol.size() > 0 ? symbol.address() + symbol.size() : library.symbols().nextFunctionStart(symbol.address());
            last = Math.max(last, ends[i]);
        }
        boolean returns = spec.type() != ProbeType.ENTRY;
        Optional<CallFrames> frames = returns ? library.callFrames() : Optional.empty();
        Optional<GoCode> go = returns ? library.goCode() : Optional.empty();
        /* The last instruction may reach beyond the end that a wrong symbol size claims. */
        try (CodeText text = sites.text(starts[0], Math.min(last + InstructionTable.LONGEST, segmentEnd));
                CallFrames.Reader reader = frames.isPresent() ? frames.get().reader() : null) {
            Entries entries = Entries.of(text, starts, ends);
            for (int i = 0; i < starts.length; i++) {
                NativeSymbol symbol = symbols.get(i);
                String where = TargetFinder.where(library, symbol, offset);
                try {
                    if (offset < 0 || starts[i] + offset >= ends[i]) {
                        throw new ProbeRefusedException(Refusal.OFFSET_OUTSIDE, where, "it is 0x" + Long.toHexString(ends[i] - starts[i]) + " bytes long");
                    }
                    Displaced displaced = offset == 0 ? entries.first(i, where) : inside(text, starts[i], ends[i], where);
                    SitePlan known = sites.known(text, library, displaced.address(), spec.mechanism());
                    if (displaced.is(InstructionTable.TRAP)) {
                        throw new ProbeRefusedException(Refusal.FOREIGN_TRAP, where, "");
                    }
                    finder.refuseCriticalSection(library, displaced.address(), where);
                    if (returns) {
                        refuseReturnOf(symbol, reader, go, entries.usesReturnAddress(i), where);
                    }
                    String name = TargetFinder.named(symbol, offset);
                    SitePlan plan = known != null && !isOvertaken(known) ? known : planned(planner, library, displaced, spec.mechanism(), where, name);
                    targets.add(new DefinedProbe.Target(library, stem, plan, name));
                } catch (ProbeRefusedException e) {
                    refused.because(symbol, e);
                }
            }
        }
    }

    /** A part that was moved out of its function, and what looks at its own return address, or whose runtime does. frames: null if it has none. */
    private static void refuseReturnOf(NativeSymbol symbol, CallFrames.Reader frames, Optional<GoCode> go, boolean usesReturnAddress, String where)
            throws ProbeRefusedException, IOException {
        boolean elsewhere = frames != null && !frames.returnAddressOnTop(symbol.address()).orElse(true);
        if (elsewhere || TargetFinder.MOVED_OUT.matcher(symbol.name()).find()) {
            throw new ProbeRefusedException(Refusal.PART_OF_FUNCTION, where, "use p");
        } else if (go.isPresent() && go.get().contains(symbol.address())) {
            throw new ProbeRefusedException(Refusal.GO_FUNCTION, where, "use p; the functions that it exports to C can be probed by r and c");
        } else if (usesReturnAddress) {
            throw new ProbeRefusedException(Refusal.READS_RETURN_ADDRESS, where, "use p");
        }
    }

    /** All of the function is decoded: only so it is known where its instructions begin. */
    private Displaced inside(CodeText text, long start, long end, String where) throws ProbeRefusedException {
        return new FunctionCode(text.bytes(start, (int) (end - start) + InstructionTable.LONGEST), start, (int) (end - start)).at(start + offset, where);
    }

    static SitePlan planned(Planner planner, LoadedLibrary library, Displaced displaced, Mechanism mechanism, String where, String symbol)
            throws ProbeRefusedException, IOException {
        if (SignalGuard.isClosed(displaced.address())) {
            throw new ProbeRefusedException(Refusal.GUARDED, where, "");
        }
        OptionalLong led = SignalGuard.ledFrom(displaced.address());
        Planner.Planned planned = led.isPresent() ? planner.led(library, displaced, led.getAsLong(), mechanism, where)
                : planner.plan(library, displaced, mechanism, where);
        return new SitePlan(library, planned.way(), new ArmedSite(library.fileName(), symbol, displaced.address(), planned.way().mechanism(), planned.reason(), false));
    }

    /** Whether a jump of the engine's own has been put there since the plan was made. */
    static boolean isOvertaken(SitePlan plan) {
        return SignalGuard.isClosed(plan.address()) || SignalGuard.ledFrom(plan.address()).isPresent() && plan.way().stands() == plan.way().displaced().unsigned(0);
    }

    /** Whether at each place, in order of address, stands what its site was made for. */
    static boolean isStillRight(LoadedLibrary library, List<SiteTable.Site> places, SiteTable sites) throws ProbeRefusedException {
        for (int from = 0, to; from < places.size(); from = to) {
            long start = places.get(from).plan().address(), segmentEnd = library.codeEnd(start);
            for (to = from + 1; to < places.size() && places.get(to).plan().address() < segmentEnd; to++) { }
            try (CodeText text = sites.text(start, Math.min(places.get(to - 1).plan().address() + InstructionTable.LONGEST, segmentEnd))) {
                for (SiteTable.Site site : places.subList(from, to)) {
                    if (!sites.isStill(site, library, text)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
