package uprobe.probe;

import com.sun.jna.JNIEnv;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;

/**
 * Puts probes into the native code of this process.
 *
 * <p>Everything that can be decided before a hit is decided here - symbols, mechanism, relocated code, field programs - and handed to the helper as
 * bytes and numbers. Arming is a transaction: all sites of a probe or none. A site and its slot, once made, stay for good; arming again uses them
 * again, so a thread that is still inside is always right.
 *
 * <p>There is one engine in a process. Its methods may be called from any thread; they take the engine's lock, which no hit ever takes.
 */
public final class ProbeEngine {
    private static ProbeEngine instance;

    /** A site as Java remembers it. {@code users} are the probes that want its hits now. */
    private static final class Site {
        final int index;
        final byte original;
        final ArmedSite described;
        int users;

        Site(int index, byte original, ArmedSite described) {
            this.index = index;
            this.original = original;
            this.described = described;
        }
    }

    /** What {@link #plan} found for one address: everything but the deed. */
    private record Plan(long address, byte original, byte[] slotCode, long slot, ArmedSite described) {}

    private final EngineOptions options;
    private final ByteBuffer records;
    private final String javaStacks;
    private final Map<Long, Site> sites = new HashMap<>();
    private final Map<Integer, List<Site>> sitesOfProbe = new HashMap<>();
    private final Map<String, SlotRegion> regions = new HashMap<>();
    private final Map<String, Long> pins = new HashMap<>();
    private LoadedLibraries snapshot;
    private long snapshotChanges;
    private boolean draining;

    private ProbeEngine(EngineOptions options, String javaStacks) {
        this.options = options;
        this.javaStacks = javaStacks;
        long size = Helper.up_ring_memory_size();
        records = new Pointer(Helper.up_ring_memory()).getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /**
     * Loads the helper and sets up its memory; no code is changed yet. Later calls return the same engine, whatever their options.
     *
     * @throws ProbeRefusedException {@link Refusal#PLATFORM}
     * @throws IOException if the helper can not be unpacked or set up
     */
    public static synchronized ProbeEngine open(EngineOptions options) throws ProbeRefusedException, IOException {
        if (instance == null) {
            Platform.check();
            Helper.load();
            check(Helper.up_init(options.ringBytes(), options.rings(), options.tsc() ? 1 : 0, Helper.vdsoClockGettime()), "memory for rings");
            instance = new ProbeEngine(options, attachToVm());
        }
        return instance;
    }

    /** Empty if hits get their Java stacks; else one sentence that says why not: every hit is then left to the drain thread. */
    public String withoutJavaStacks() {
        return javaStacks;
    }

    /** The memory of all rings, where commit methods read their records. In the processor's byte order. */
    public ByteBuffer records() {
        return records.duplicate().order(ByteOrder.nativeOrder());
    }

    /** Now, in the units of {@link HitRecordDescriptor#TIME}: TSC cycles, or nanoseconds of CLOCK_MONOTONIC. */
    public static long clock() {
        return Helper.up_clock();
    }

    /** Grows whenever the dynamic linker loads or unloads a library: a cheap question to ask often. */
    public long libraryChanges() {
        return Helper.up_library_changes();
    }

    public FlushStatistics flushStatistics() {
        return FlushStatistics.now();
    }

    /** Traps that were ours; of these, those whose site had been disarmed meanwhile; and traps handed on to whoever had SIGTRAP before. */
    public record TrapStatistics(long traps, long stale, long foreign) {}

    public TrapStatistics trapStatistics() {
        long[] w = new long[3];
        Helper.up_trap_statistics(w);
        return new TrapStatistics(w[0], w[1], w[2]);
    }

    /**
     * Has all whole records that no JNI return will flush made into events, and waits for that.
     *
     * @param unfinished also take the hits of JNI calls that have not returned yet, without their Java stacks
     * @return false if it was not done in time
     */
    public boolean drain(boolean unfinished, long timeoutMillis) {
        return !draining || Helper.up_drain_now(unfinished ? 1 : 0, timeoutMillis * 1_000_000) == 0;
    }

    /**
     * Arms a probe on every function that its pattern names in the libraries that are loaded now.
     *
     * @param factory asked for the commit method before the first trap is written
     * @throws ProbeRefusedException if a site is refused; then nothing was changed
     */
    public synchronized ArmedProbe arm(ProbeSpec spec, CommitMethod.Factory factory) throws ProbeRefusedException, IOException {
        Map<LoadedLibrary, List<NativeSymbol>> targets = find(spec);
        LoadedLibrary first = targets.keySet().iterator().next();
        String stem = LibraryPattern.stem(first.fileName());
        List<Plan> plans = new ArrayList<>();
        List<Site> known = new ArrayList<>();
        try {
            for (Map.Entry<LoadedLibrary, List<NativeSymbol>> target : targets.entrySet()) {
                for (NativeSymbol symbol : target.getValue()) {
                    long address = symbol.address() + offset(spec);
                    if (sites.containsKey(address)) {
                        refuseFunction(target.getKey(), symbol, spec);
                        known.add(sites.get(address));
                    } else {
                        plans.add(plan(target.getKey(), symbol, spec));
                    }
                }
            }
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
        refuseWhileBlocked(spec);
        return carryOut(spec, stem, plans, known, factory);
    }

    private ArmedProbe carryOut(ProbeSpec spec, String stem, List<Plan> plans, List<Site> all, CommitMethod.Factory factory)
            throws ProbeRefusedException, IOException {
        byte[] program = FetchProgram.encode(spec);
        int id = check(Helper.up_probe_define(kind(spec.type()), spec.fields().size(), program, program.length), "a probe");
        for (Plan plan : plans) {
            check(Helper.up_code_write(plan.slot(), plan.slotCode(), plan.slotCode().length), "writing a slot");
            int index = check(Helper.up_site_define(plan.address(), plan.slot(), plan.original() & 0xff), "a site");
            Site site = new Site(index, plan.original(), plan.described());
            sites.put(plan.address(), site);
            all.add(site);
        }
        String symbol = all.get(0).described.symbol();
        CommitMethod commit = factory.make(id, spec, stem, symbol, records());
        check(Helper.up_commit_register(JNIEnv.CURRENT, id, commit.owner(), commit.name()), "registering " + commit);
        startDraining();
        check(Helper.up_trap_install(), "taking SIGTRAP");
        List<Site> armed = new ArrayList<>();
        for (Site site : all) {
            check(Helper.up_site_consumer(site.index, id, 1), "a consumer");
            int result = Helper.up_site_arm(site.index);
            if (result < 0) {
                Helper.up_site_consumer(site.index, id, 0);
                armed.forEach(done -> release(done, id));
                throw new ProbeRefusedException(result == Helper.CHANGED ? Refusal.TEXT_CHANGED : Refusal.NO_MEMORY, where(site.described),
                        "writing the trap failed with " + result);
            }
            site.users++;
            armed.add(site);
        }
        sitesOfProbe.put(id, armed);
        return new ArmedProbe(this, id, spec, stem, armed.stream().map(s -> s.described).toList());
    }

    synchronized List<ArmedSite> disarm(ArmedProbe probe) {
        List<Site> mine = sitesOfProbe.remove(probe.id());
        return mine == null ? List.of() : mine.stream().filter(site -> !release(site, probe.id())).map(site -> site.described).toList();
    }

    /** Takes the trap out with its last user. False if somebody else had changed the code, which is then left as it is. */
    private boolean release(Site site, int probe) {
        boolean restored = --site.users > 0 || Helper.up_site_disarm(site.index) == 0;
        Helper.up_site_consumer(site.index, probe, 0);
        return restored;
    }

    /** The libraries and functions that the probe means, in order of address; at least one. */
    private Map<LoadedLibrary, List<NativeSymbol>> find(ProbeSpec spec) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> loaded = loaded().all();
        List<LoadedLibrary> matching = loaded.stream().filter(l -> spec.library().matches(l.path().toString(), l.soname())).toList();
        if (matching.isEmpty()) {
            throw new ProbeRefusedException(Refusal.LIBRARY_NOT_LOADED, spec.library().text(), "loaded are "
                    + loaded.stream().map(LoadedLibrary::fileName).distinct().sorted().collect(Collectors.joining(", ")));
        }
        Symbol symbol = (Symbol) spec.target();
        Map<LoadedLibrary, List<NativeSymbol>> found = new LinkedHashMap<>();
        for (LoadedLibrary library : matching) {
            List<NativeSymbol> here = distinct(library.symbols().find(symbol.name()));
            if (!here.isEmpty()) {
                found.put(library, here);
            }
        }
        if (found.isEmpty()) {
            String names = matching.stream().flatMap(l -> l.symbols().nearest(symbol.name(), 3).stream()).distinct().limit(5)
                    .collect(Collectors.joining(", "));
            String limits = matching.stream().flatMap(l -> l.symbols().limitation().stream()).distinct().collect(Collectors.joining("; "));
            throw new ProbeRefusedException(Refusal.SYMBOL_UNKNOWN, matching.get(0).fileName() + "!" + symbol.name(),
                    (names.isEmpty() ? "no name there is like it" : "similar names there: " + names) + (limits.isEmpty() ? "" : "; " + limits));
        }
        return found;
    }

    /** The libraries as they are now; looked for again only if the dynamic linker has done something since. */
    private LoadedLibraries loaded() throws IOException {
        long changes = libraryChanges();
        if (snapshot == null || changes != snapshotChanges) {
            snapshot = LoadedLibraries.snapshot();
            snapshotChanges = changes;
        }
        return snapshot;
    }

    /** Aliases share an address and are one site. */
    private static List<NativeSymbol> distinct(List<NativeSymbol> symbols) {
        Map<Long, NativeSymbol> byAddress = new LinkedHashMap<>();
        symbols.forEach(s -> byAddress.putIfAbsent(s.address(), s));
        return List.copyOf(byAddress.values());
    }

    private static void refuseFunction(LoadedLibrary library, NativeSymbol symbol, ProbeSpec spec) throws ProbeRefusedException {
        String where = where(library, symbol, offset(spec));
        if (symbol.kind() == NativeSymbol.Kind.IFUNC) {
            throw new ProbeRefusedException(Refusal.IFUNC, where, "probe the implementation it chooses, whose name usually ends in _avx2, _sse2 or the like");
        } else if (symbol.kind() != NativeSymbol.Kind.FUNCTION) {
            throw new ProbeRefusedException(Refusal.NOT_A_FUNCTION, where, "its kind is " + symbol.kind());
        } else if (library.fileName().startsWith("libuprobe.so") || library.fileName().startsWith("libZydis.so")) {
            throw new ProbeRefusedException(Refusal.OWN_CODE, where, "");
        } else if (spec.type() != ProbeType.ENTRY && offset(spec) != 0) {
            throw new ProbeRefusedException(Refusal.RETURNS_ENTRY_ONLY, where, "leave the offset out");
        } else if (spec.type() != ProbeType.ENTRY && Helper.up_shadow_stack_on() != 0) {
            throw new ProbeRefusedException(Refusal.SHADOW_STACK, where, "use p");
        }
        String stem = LibraryPattern.stem(library.fileName());
        Refusal denied = DeniedFunctions.of(stem, symbol.name(), spec.type());
        if (denied != null) {
            throw new ProbeRefusedException(denied, where, "");
        }
        for (NativeSymbol alias : library.symbols().aliases(symbol.address())) {
            denied = DeniedFunctions.of(stem, alias.name(), spec.type());
            if (denied != null) {
                throw new ProbeRefusedException(denied, where, "it is also called " + alias.name());
            }
        }
    }

    private static void refuseWhileBlocked(ProbeSpec spec) throws ProbeRefusedException, IOException {
        java.util.Optional<String> thread = SignalMasks.threadBlocking(SignalMasks.SIGTRAP);
        if (thread.isPresent()) {
            throw new ProbeRefusedException(Refusal.SIGNAL_BLOCKED, spec.library().text() + ":" + spec.target(), "thread " + thread.get());
        }
    }

    private Plan plan(LoadedLibrary library, NativeSymbol symbol, ProbeSpec spec) throws ProbeRefusedException, IOException {
        refuseFunction(library, symbol, spec);
        long offset = offset(spec), address = symbol.address() + offset;
        String where = where(library, symbol, offset);
        long end = symbol.size() > 0 ? symbol.address() + symbol.size() : library.symbols().nextFunctionStart(symbol.address());
        if (offset < 0 || address >= end) {
            throw new ProbeRefusedException(Refusal.OFFSET_OUTSIDE, where, "it is 0x" + Long.toHexString(end - symbol.address()) + " bytes long");
        }
        /* The instruction at the site may reach beyond the end that a wrong symbol size claims. */
        long readable = Math.min(Math.max(end, address + 16), library.textEnd());
        byte[] code = code(symbol.address(), (int) (Math.min(readable, address + 16) - symbol.address()));
        InstructionTable table = InstructionTable.decode(code, symbol.address());
        InstructionTable.Instruction displaced = table.containing(address);
        if (displaced == null || displaced.length() == 0) {
            throw new ProbeRefusedException(Refusal.NOT_AN_INSTRUCTION, where, "");
        } else if (displaced.address() != address) {
            throw new ProbeRefusedException(Refusal.MID_INSTRUCTION, where, "the instructions around it begin at +0x"
                    + Long.toHexString(displaced.address() - symbol.address()) + " and +0x"
                    + Long.toHexString(displaced.address() + displaced.length() - symbol.address()));
        }
        pin(library);
        byte[] bytes = java.util.Arrays.copyOfRange(code, (int) offset, (int) offset + displaced.length());
        SlotRegion region = regionFor(library, where);
        try {
            long slot = region.take();
            return new Plan(address, bytes[0], Relocator.relocate(displaced, bytes, slot), slot,
                    new ArmedSite(library.fileName(), named(symbol, offset), address, Mechanism.BOOST, "jumps are not there yet"));
        } catch (Relocator.NotRelocatable e) {
            throw new ProbeRefusedException(e.refusal, where, e.getMessage());
        }
    }

    private SlotRegion regionFor(LoadedLibrary library, String where) throws ProbeRefusedException, IOException {
        String key = library.path() + "@" + library.loadBias();
        SlotRegion region = regions.get(key);
        if (region == null || region.peek() < 0) {
            region = SlotRegion.near(library, where);
            regions.put(key, region);
        }
        return region;
    }

    /** Memory as it is without our traps. */
    private byte[] code(long address, int length) {
        byte[] bytes = new byte[length];
        Helper.up_text_read(address, bytes, length);
        sites.forEach((at, site) -> {
            if (at >= address && at < address + length && site.users > 0) {
                bytes[(int) (at - address)] = site.original;
            }
        });
        return bytes;
    }

    /** A library with probes is never unmapped: its dynamic linker's reference count is one higher. */
    private void pin(LoadedLibrary library) {
        String path = library.path().toString();
        pins.computeIfAbsent(path, Helper::pin);
    }

    private static long offset(ProbeSpec spec) {
        return ((Symbol) spec.target()).offset();
    }

    private static String named(NativeSymbol symbol, long offset) {
        return symbol.name() + (offset == 0 ? "" : "+0x" + Long.toHexString(offset));
    }

    private static String where(LoadedLibrary library, NativeSymbol symbol, long offset) {
        return library.fileName() + "!" + named(symbol, offset);
    }

    private static String where(ArmedSite site) {
        return site.library() + "!" + site.symbol();
    }

    private static int kind(ProbeType type) {
        return switch (type) {
            case ENTRY -> 0;
            case RETURN -> 1;
            case CALL -> 2;
        };
    }

    private static int check(int result, String what) throws IOException {
        if (result < 0) {
            String why = result == Helper.FULL ? "its table is full" : result == Helper.OTHER_PROCESS ? "this is the child of a fork" : "error " + -result;
            throw new IOException("the native helper refused " + what + ": " + why);
        }
        return result;
    }

    /** Off the caller's thread: HotSpot's attach listener is a Java thread of another C++ class than those that call native methods. */
    private static String attachToVm() {
        int[] result = {Helper.NO_VM};
        String[] problem = new String[1];
        Thread plain = new Thread(null, () -> {
            try (Memory layout = VmLayout.of(Platform.libjvm())) {
                result[0] = Helper.up_jvm_attach(JNIEnv.CURRENT, layout);
            } catch (UnsatisfiedLinkError | IOException e) {
                problem[0] = String.valueOf(e.getMessage());
            }
        }, "uprobe-attach", 0, false);
        plain.start();
        boolean interrupted = false;
        while (plain.isAlive()) {
            try {
                plain.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return result[0] == 0 ? "" : "no Java stacks: this VM does not tell where its threads keep their frames"
                + (problem[0] == null ? "" : " (" + problem[0] + ")");
    }

    private void startDraining() throws IOException {
        if (!draining && javaStacks.isEmpty()) {
            Thread name = new Thread(null, null, "uprobe-drain", 0, false);
            name.setDaemon(true);
            check(Helper.up_drain_start(JNIEnv.CURRENT, name, options.drainMillis() * 1_000_000L, options.longCallMillis() * 1_000_000L),
                    "a drain thread");
            draining = true;
        }
    }
}
