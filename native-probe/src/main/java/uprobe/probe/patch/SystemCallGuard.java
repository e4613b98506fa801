package uprobe.probe.patch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.code.Displaced;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.code.SlotCode;
import uprobe.probe.code.SlotRegion;
import uprobe.probe.code.SystemCalls;
import uprobe.probe.code.Way;
import uprobe.probe.elf.CallFrames;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.Mechanism;

/**
 * System calls that would block SIGTRAP, led through the helper
 * -------------------------------------------------------------
 * glibc starts and ends threads, spawns, aborts and runs its own helper threads with every signal blocked, by rt_sigprocmask right where it is needed, and
 * so do other libraries that make their own system calls. Each such call is found ({@link SystemCalls}), and the code before it gets a jump to a slot:
 *
 * <pre>
 * 88ff8: b8 0e 00 00 00          mov eax, 14             e9 ..     jmp slot
 * 88ffd: 48 8d b3 f0 08 00 00    lea rsi, [rbx+0x8f0]    not run any more
 * 89004: 0f 05                   syscall                 not run any more
 * 89006: ...                                             <- the slot comes back here
 *
 * slot:  b8 0e 00 00 00          mov eax, 14             the instructions that the jump stands for
 *        48 8d b3 f0 08 00 00    lea rsi, [rbx+0x8f0]
 *        48 8d 64 24 80          lea rsp, [rsp-128]      over the red zone
 *        ff 15 ..                call [rip+..]           up_guards_entry: the same call, but for SIGTRAP
 *        48 8d a4 24 80 00 00 00 lea rsp, [rsp+128]
 *        48 8d 0d ..             lea rcx, [rip+..]       as the kernel leaves it
 *        e9 ..                   jmp 89006
 * </pre>
 *
 * The jump is one aligned store over one instruction, since nobody may trap there yet. Where no instruction of five bytes lies in eight aligned ones,
 * a trap stands on the {@code syscall} itself, once no thread has SIGTRAP blocked: from then on that holds by itself. What the sets are does not matter,
 * nor where they lie: the linker merges glibc's constant of all signals with other constants of the same bytes, so it must not be changed.
 *
 * <p>clone3 comes back twice, on two stacks, so the helper only says whether it is to be made, and the slot makes it: {@link #MADE_HERE}.
 *
 * <p>What stands so stays until the engine closes; slots stay for good, as threads may be in them, and are used again. Callers hold {@link SignalGuard}'s lock.
 */
final class SystemCallGuard {
    /** linux/arch/x86/entry/syscalls/syscall_64.tbl. */
    static final int RT_SIGACTION = 13, RT_SIGPROCMASK = 14, EXECVE = 59, EXECVEAT = 322;
    private static final Pattern OF_LIBC = Pattern.compile("(libc|libpthread|librt|ld-linux-x86-64)[.-].*");
    private static final int SIG_BLOCK = 0, SIG_UNBLOCK = 1;
    /** test eax, eax; js over the next; syscall: a call that comes back twice, and can not be made below our own frame. */
    private static final int[] MADE_HERE = {0x85, 0xc0, 0x78, 0x02, 0x0f, 0x05};
    private static final int JUMP_SIZE = 5, ATOMIC = 8;
    private static final byte JUMP = (byte) 0xe9;

    /** A call whose code has no room for a jump. */
    private record Pending(LoadedLibrary library, SystemCalls.Call call, SlotCode slot) {}

    /**
     * Eight aligned bytes of code with a jump of ours.
     *
     * @param before what they were
     */
    private record Stored(long window, long before, long after) {}

    /** For good: where each library's slots lie, and the slot of each call. */
    private final Map<String, SlotRegion> regions = new HashMap<>();
    private final Map<String, SlotCode> slots = new HashMap<>();
    /** For good: the system calls in libraries that were looked through. */
    private final Map<String, List<SystemCalls.Call>> found = new HashMap<>();
    private final List<Stored> stored = new ArrayList<>();
    /** The helper's numbers of the traps. */
    private final List<Integer> traps = new ArrayList<>();
    /** The dynamic linker's references that keep libraries loaded: {@link Helper#pin}. */
    private final List<Long> pins = new ArrayList<>();
    private final Set<String> looked = new HashSet<>();
    /** The system calls in libraries that {@link #lookAhead} has been through. */
    private final Map<LoadedLibrary, List<SystemCalls.Call>> ahead = new ConcurrentHashMap<>();
    private final List<Pending> pending = new ArrayList<>();
    private final List<String> limits;
    private final Map<Long, Byte> originals;
    /** Where the jumps lead, by the address that they stand at. */
    private final Map<Long, Long> led = new HashMap<>();
    /** Code that is not run any more, or that holds a trap of ours: its end by its start. */
    private final NavigableMap<Long, Long> closed = new TreeMap<>();
    /** Numbers of calls that are led, or will be once the traps are written. */
    private final Set<Integer> covered = new HashSet<>();
    /** Libraries of a libc with a call that could not be led, and which. */
    private final Map<String, String> unguarded = new HashMap<>();

    SystemCallGuard(List<String> limits, Map<Long, Byte> originals) {
        this.limits = limits;
        this.originals = originals;
    }

    /** A call of this libc's, or of a library of its, that could not be led here; empty if there is none. */
    Optional<String> unguarded(LoadedLibrary library) {
        String own = unguarded.get(key(library));
        return own != null ? Optional.of(own)
                : unguarded.entrySet().stream().filter(e -> !e.getKey().matches(".*/libc[.-][^/]*")).map(Map.Entry::getValue).findFirst();
    }

    private static String key(LoadedLibrary library) {
        return library.path() + "@" + Long.toHexString(library.loadBias());
    }

    /** The same code at the same place. */
    private static String identity(LoadedLibrary library) {
        return key(library) + " " + library.buildId().orElse("");
    }

    /** The slot that a jump of ours at this address leads to. */
    OptionalLong ledFrom(long address) {
        Long slot = led.get(address);
        return slot == null ? OptionalLong.empty() : OptionalLong.of(slot);
    }

    void ledFrom(long address, long slot) {
        led.put(address, slot);
    }

    boolean isClosed(long address) {
        Map.Entry<Long, Long> before = closed.floorEntry(address);
        return before != null && address < before.getValue();
    }

    boolean covers(int number) {
        return covered.contains(number);
    }

    /** @return whether the library is looked at for the first time */
    boolean isNew(LoadedLibrary library) {
        return looked.add(identity(library));
    }

    /**
     * Leads what it can through the helper.
     *
     * @param numbers of the system calls that are meant
     * @param done functions that are taken care of already, by their first address
     * @return whether a jump was written
     */
    boolean lead(LoadedLibrary library, Set<Integer> numbers, Set<Long> done) throws IOException {
        SlotRegion region = null;
        boolean led = false;
        for (SystemCalls.Call call : found(library, numbers)) {
            boolean harmless = call.numbers().equals(Set.of(RT_SIGPROCMASK)) && (call.first().is(SIG_UNBLOCK) || call.second().is(0));
            if (harmless || done.contains(start(library, call.address()))) {
                continue;
            }
            try {
                region = region != null ? region : regionOf(library);
                led |= lead(library, call, region, false);
                covered.addAll(call.numbers());
            } catch (ProbeRefusedException | IOException e) {
                missed(library, call, e.getMessage());
            }
        }
        return led;
    }

    /** Has what {@link #lead} asks of the library's code looked for before. */
    void lookAhead(LoadedLibrary library, Set<Integer> numbers) throws IOException {
        ahead.put(library, find(library, numbers));
    }

    /** What was looked for ahead and not asked for is in libraries that are gone. */
    void lookedAhead() {
        ahead.clear();
    }

    private List<SystemCalls.Call> found(LoadedLibrary library, Set<Integer> numbers) throws IOException {
        String key = identity(library) + " " + new TreeSet<>(numbers);
        List<SystemCalls.Call> known = found.get(key), before = ahead.remove(library);
        if (known == null) {
            known = before == null ? find(library, numbers) : before.stream().flatMap(call -> call.among(numbers).stream()).toList();
            if (library.buildId().isPresent()) {        /* else a file that was overwritten would be taken for the one that it was */
                found.put(key, known);
            }
        }
        return known;
    }

    private static List<SystemCalls.Call> find(LoadedLibrary library, Set<Integer> numbers) throws IOException {
        int[] wanted = numbers.stream().mapToInt(Integer::intValue).toArray();
        return Helper.up_may_call(library.textStart(), library.textEnd(), wanted, wanted.length) <= 0 ? List.of() : callsOf(library).find(numbers);
    }

    /** The function that makes whatever system call it is asked for. */
    void leadSyscall(LoadedLibrary libc) throws IOException {
        for (NativeSymbol symbol : libc.symbols().find("syscall")) {
            String key = identity(libc) + " " + symbol.name();
            if (!found.containsKey(key)) {
                found.put(key, Stream.ofNullable(callsOf(libc).onlyOneIn(symbol.address(), symbol.end())).toList());
            }
            SystemCalls.Call call = found.get(key).stream().findFirst().orElse(null);
            try {
                if (call == null || place(call) < 0) {
                    throw new IOException("its code has no room for a jump");
                }
                lead(libc, call, regionOf(libc), true);
            } catch (ProbeRefusedException | IOException e) {
                limits.add("syscall(SYS_rt_sigprocmask) can still block SIGTRAP, and syscall(SYS_rt_sigaction) take it: " + e.getMessage());
            }
        }
    }

    private void missed(LoadedLibrary library, SystemCalls.Call call, String why) {
        if (call.numbers().contains(SystemCalls.CLONE3)) {
            limits.add("children of posix_spawn may end by SIGTRAP where a function is probed that they run before exec: " + why);
            return;
        }
        String sentence = "a system call of " + library.fileName() + " at 0x" + Long.toHexString(call.address() - library.loadBias())
                + " can still block or take SIGTRAP: " + why;
        limits.add(sentence);
        if (call.numbers().contains(RT_SIGPROCMASK) && OF_LIBC.matcher(library.fileName()).matches()) {
            unguarded.put(key(library), sentence);
        }
    }

    private static long start(LoadedLibrary library, long address) {
        return library.symbols().containing(address).map(NativeSymbol::address).orElse(0L);
    }

    SlotRegion regionOf(LoadedLibrary library) throws ProbeRefusedException, IOException {
        SlotRegion region = regions.get(identity(library));
        if (region == null) {
            region = SlotRegion.of(library, library.fileName(), false);
            regions.put(identity(library), region);
        }
        return region;
    }

    private static SystemCalls callsOf(LoadedLibrary library) throws IOException {
        byte[] text = new byte[(int) (library.textEnd() - library.textStart())];
        if (Helper.up_text_read(library.textStart(), text, text.length) < 0) {
            throw new IOException(library.fileName() + " is not mapped any more");
        }
        SignalGuard.restore(library.textStart(), text);
        CallFrames frames = library.callFrames().orElse(null);
        SystemCalls.Starts starts = frames == null ? SystemCalls.Starts.of(library.symbols().functions().stream().mapToLong(NativeSymbol::address).toArray())
                : startsOf(frames);
        return new SystemCalls(text, library.textStart(), starts);
    }

    private static SystemCalls.Starts startsOf(CallFrames frames) {
        return new SystemCalls.Starts() {
            @Override
            public int count() {
                return frames.size();
            }

            @Override
            public long at(int i) {
                return frames.start(i);
            }
        };
    }

    /** @return whether a jump was written; if not, a trap is to be */
    private boolean lead(LoadedLibrary library, SystemCalls.Call call, SlotRegion region, boolean onlySignals) throws IOException {
        int place = place(call);
        List<Displaced> moved = place < 0 ? List.of() : call.straight().subList(place, call.straight().size());
        SlotCode slot = slotOf(library, call, moved, region, onlySignals);
        if (place < 0) {
            pending.add(new Pending(library, call, slot));
            return false;
        }
        store(moved.get(0).address(), moved.get(0).bytes(), slot.address());
        if (moved.get(0).next() < call.next()) {
            closed.put(moved.get(0).next(), call.next());
        }
        keepLoaded(library);
        return true;
    }

    /** The one that it had before the engine was closed, or a new one. */
    private SlotCode slotOf(LoadedLibrary library, SystemCalls.Call call, List<Displaced> moved, SlotRegion region, boolean onlySignals) throws IOException {
        String key = identity(library) + " " + call.address() + " " + moved.size() + onlySignals + call.numbers().equals(Set.of(SystemCalls.CLONE3));
        SlotCode known = slots.get(key);
        if (known == null || !Arrays.equals(known.code(), slotCode(known.address(), moved, call, onlySignals))) {
            byte[] code = slotCode(region.peek(), moved, call, onlySignals);
            long address = region.take((code.length + SlotCode.UNIT - 1) / SlotCode.UNIT);
            write(address, code);
            known = new SlotCode(address, code, List.of(new SlotCode.Mark(0, 0, SlotCode.Where.SITE, false)), 0, Displaced.NO_REGISTER);
            slots.put(key, known);
        }
        return known;
    }

    /** As long as jumps lead from it. */
    private void keepLoaded(LoadedLibrary library) {
        long pin = Helper.pin(library.path().toString(), library.loadBias());
        if (pin != 0) {
            pins.add(pin);
        }
    }

    boolean hasTraps() {
        return !traps.isEmpty();
    }

    /**
     * The traps are taken out, in the reverse order: who begins to block SIGTRAP must not find one on the call that ends it. Threads that ran into one are
     * still right.
     *
     * @param left gets a sentence for each that somebody else had written over
     */
    void takeTrapsOut(List<String> left) {
        Collections.reverse(traps);
        int[] sites = traps.stream().mapToInt(Integer::intValue).toArray(), errors = new int[sites.length];
        int result = Helper.up_sites_disarm(sites, sites.length, errors);
        for (int error : errors) {
            if (result < 0 || error != 0 && error != Helper.GONE) {
                left.add("a system call's trap could not be taken out: error " + (result < 0 ? result : error));
            }
        }
        traps.clear();
    }

    /** No trap can come any more: the jumps are taken out too, and nothing is remembered but where slots are. Returns the references to give back. */
    List<Long> takeJumpsOut(List<String> left) {
        for (int i = stored.size() - 1; i >= 0; i--) {
            Stored s = stored.get(i);
            byte[] now = new byte[ATOMIC];
            boolean gone = Helper.up_text_read(s.window(), now, ATOMIC) < 0;
            int error = gone ? 0 : Helper.up_code_store(s.window(), s.after(), s.before());
            if (error != 0) {
                left.add("a jump at 0x" + Long.toHexString(s.window()) + " that keeps SIGTRAP open could not be taken out: error " + error);
            }
        }
        List<Long> references = List.copyOf(pins);
        stored.clear();
        pins.clear();
        looked.clear();
        pending.clear();
        led.clear();
        closed.clear();
        covered.clear();
        unguarded.clear();
        return references;
    }

    /** The nearest instruction before the call that a jump may stand on; a function's first only if there is no other. */
    private static int place(SystemCalls.Call call) {
        int first = -1;
        for (int i = SignalGuard.withoutJumps ? -1 : call.straight().size() - 1; i >= 0; i--) {
            Displaced at = call.straight().get(i);
            if (at.bytes().length >= JUMP_SIZE && at.address() + JUMP_SIZE <= (at.address() & -ATOMIC) + ATOMIC) {
                if (at.address() != call.function()) {
                    return i;
                }
                first = i;
            }
        }
        return first;
    }

    /** Puts the jump to {@code slot} over an instruction of five bytes or more in eight aligned ones. */
    void store(long address, byte[] displaced, long slot) throws IOException {
        long window = address & -ATOMIC;
        byte[] before = new byte[ATOMIC], after;
        Helper.up_text_read(window, before, ATOMIC);
        after = before.clone();
        int at = (int) (address - window);
        ByteBuffer.wrap(after).order(ByteOrder.LITTLE_ENDIAN).put(at, JUMP).putInt(at + 1, relative(address + JUMP_SIZE, slot));
        int error = Helper.up_code_store(window, word(before), word(after));
        if (error != 0) {
            throw new IOException("writing the jump failed with " + error);
        }
        for (int i = 0; i < JUMP_SIZE; i++) {
            originals.put(address + i, displaced[i]);
        }
        stored.add(new Stored(window, word(before), word(after)));
        led.put(address, slot);
    }

    boolean hasTrapsToWrite() {
        return !pending.isEmpty();
    }

    /**
     * Traps in place of jumps, those by which code begins to block signals. Libc blocks all of them for moments, and a thread that is just within one would die
     * of the trap on the call that ends it: those, and all that it may make in between, are {@link #writeOtherTraps}'s, once nobody is.
     */
    void writeBlockingTraps() {
        writeTraps(pending.stream().filter(p -> p.call().numbers().equals(Set.of(RT_SIGPROCMASK)) && p.call().first().is(SIG_BLOCK)).toList());
    }

    /** Caller has seen that no thread has SIGTRAP blocked since {@link #writeBlockingTraps}. */
    void writeOtherTraps() {
        writeTraps(List.copyOf(pending));
    }

    private void writeTraps(List<Pending> wanted) {
        pending.removeAll(wanted);
        for (Pending p : wanted) {
            keepLoaded(p.library());    /* what can not be held - the dynamic linker itself, another namespace's - mostly stays as well */
            int error = arm(p);
            if (error < 0) {
                missed(p.library(), p.call(), "writing the trap failed with " + error);
            }
        }
    }

    private int arm(Pending p) {
        byte[] bytes = new byte[SystemCalls.Call.SIZE];
        if (Helper.up_text_read(p.call().address(), bytes, bytes.length) < 0) {
            return Helper.GONE;
        }
        Displaced call = Displaced.of(new InstructionTable.Instruction(p.call().address(), bytes.length, 0, InstructionTable.SYSCALL, 0), bytes);
        ByteBuffer way = ByteBuffer.allocate(Way.SIZE).order(ByteOrder.nativeOrder());
        new Way(Mechanism.BOOST, call, p.slot()).pack(way);
        int[] site = new int[1], armed = new int[1];
        int defined = Helper.up_sites_define(way.array(), 1, site);
        int error = defined < 0 || Helper.up_sites_arm(site, 1, armed) == 1 ? defined : armed[0];
        if (error == 0) {
            traps.add(site[0]);
            originals.put(p.call().address(), bytes[0]);
            closed.put(p.call().address(), p.call().next());
        }
        return error;
    }

    private static byte[] slotCode(long slot, List<Displaced> moved, SystemCalls.Call call, boolean onlySignals) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        for (Displaced d : moved) {
            int at = out.position();
            out.put(d.bytes());
            if (d.is(InstructionTable.RIP_RELATIVE)) {
                out.putInt(at + d.instruction().displacementAt(), relative(slot + out.position(), d.instruction().target()));
            }
        }
        if (onlySignals) {
            put(out, 0x8d, 0x48, -RT_SIGACTION);                /* lea ecx, [rax-13] */
            put(out, 0x83, 0xf9, RT_SIGPROCMASK - RT_SIGACTION);        /* cmp ecx, 1 */
            put(out, 0x76, 14);                                 /* jbe: over the next three */
            put(out, 0x0f, 0x05);                               /* syscall */
            back(out, slot, call.next());
        }
        int more = call.numbers().equals(Set.of(SystemCalls.CLONE3)) ? MADE_HERE.length : 0;
        put(out, 0x48, 0x8d, 0x64, 0x24, 0x80);
        put(out, 0xff, 0x15).putInt(8 + more + 7 + 5);
        put(out, 0x48, 0x8d, 0xa4, 0x24).putInt(128);
        put(out, more == 0 ? new int[0] : MADE_HERE);
        back(out, slot, call.next());
        out.putLong(Helper.up_guards_address());
        return Arrays.copyOf(out.array(), out.position());
    }

    /** lea rcx, [rip+x]; jmp: twelve bytes. */
    private static void back(ByteBuffer out, long slot, long next) throws IOException {
        put(out, 0x48, 0x8d, 0x0d).putInt(relative(slot + out.position() + Integer.BYTES, next));
        put(out, JUMP).putInt(relative(slot + out.position() + Integer.BYTES, next));
    }

    private static ByteBuffer put(ByteBuffer out, int... bytes) {
        for (int b : bytes) {
            out.put((byte) b);
        }
        return out;
    }

    private static void write(long address, byte[] code) throws IOException {
        int error = Helper.up_code_write(address, code, code.length);
        if (error < 0) {
            throw new IOException("writing at 0x" + Long.toHexString(address) + " failed with " + error);
        }
    }

    static long word(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    static int relative(long from, long to) throws IOException {
        if (to - from != (int) (to - from)) {
            throw new IOException("0x" + Long.toHexString(to) + " is out of reach of 0x" + Long.toHexString(from));
        }
        return (int) (to - from);
    }
}
