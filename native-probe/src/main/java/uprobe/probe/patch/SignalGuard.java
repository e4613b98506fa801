package uprobe.probe.patch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.code.SlotRegion;
import uprobe.probe.code.SystemCalls;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;

/**
 * Keeps SIGTRAP open and the engine's handlers in place, from the first probe on
 * ------------------------------------------------------------------------------
 * A trap taken while SIGTRAP is blocked kills the process. So libc's functions that set masks and handlers are given a jump to functions of the
 * helper's (signals.c says what those do), and so are the places where it, or another library, blocks signals by a system call of its own
 * ({@link SystemCallGuard}). Here is decided where the jumps go; the order of the first arming is
 *
 * <ol>
 * <li>the jumps are stored, each over one instruction, whole: threads are before it or behind it;
 * <li>the signals are taken;
 * <li>every thread is given the time to leave those functions that it may have entered before the jump was there ({@link SignalMasks#awaitRun}):
 *     until then it may still block SIGTRAP or set a handler past us;
 * <li>the signals are taken again, from who was that late, and SIGTRAP comes out of every sa_mask installed;
 * <li>the masks of all threads are read ({@link SignalMasks#threadBlocking});
 * <li>traps are written if none blocks SIGTRAP, first those that guard it themselves ({@link SystemCallGuard}).
 * </ol>
 *
 * What could not be done is no failure: {@link #limits} tells.
 *
 * <p>When the engine closes, the same is undone in the reverse order ({@link #close}): traps, then everybody is waited for who may have run into one, then
 * signals, then jumps.
 */
public final class SignalGuard {
    /** The helper's functions, in the order of signals.c, {@code enum hook}. */
    private enum Hook { SIGMASK, SIGACTION, SIGSUSPEND, EPOLL_PWAIT, EPOLL_PWAIT2, PPOLL, PPOLL_CHK, PSELECT }

    /** Calls of other libraries to a function that has no room for a jump. {@code bound}: ld.so binds the name to this address. */
    private record Redirect(Hook hook, String name, long from, boolean bound) {}

    /** e9 rel32: jmp. */
    private static final byte JUMP = (byte) 0xe9;
    private static final int JUMP_SIZE = 5, ATOMIC = 8;
    private static final int MOVES = InstructionTable.BRANCH | InstructionTable.CALL | InstructionTable.RETURN | InstructionTable.TRAP
            | InstructionTable.PRIVILEGED | InstructionTable.SYSCALL | InstructionTable.INDIRECT | InstructionTable.FAR
            | InstructionTable.TRANSACTION;
    /**
     * libc keeps two signals of its own out of every mask: it tests a set for both and clears them, with constants in its code (glibc,
     * sysdeps/unix/sysv/linux/internal-signals.h: SIGCANCEL is 32, SIGSETXID 33). With SIGTRAP's bit in them it keeps out SIGTRAP as well.
     */
    private static final long TESTED = 1L << 31 | 1L << 32, CLEARED = ~TESTED;
    private static final byte TRAP_BIT = 1 << (SignalMasks.SIGTRAP - 1);

    /** For tests: as if no function began with an instruction that a jump fits over. */
    public static boolean withoutJumps;

    /** What a library may do past libc: block SIGTRAP, and take a signal that is ours or let a handler run with SIGTRAP blocked. */
    private static final Set<Integer> OF_ANY_LIBRARY = Set.of(SystemCallGuard.RT_SIGPROCMASK, SystemCallGuard.RT_SIGACTION);
    /** What libc does past its own functions, besides. */
    private static final Set<Integer> OF_LIBC = Set.of(SystemCallGuard.RT_SIGPROCMASK, SystemCallGuard.RT_SIGACTION, SystemCallGuard.EXECVE,
            SystemCallGuard.EXECVEAT, SystemCalls.CLONE3);
    private static final List<String> limits = new ArrayList<>();
    /** Bytes of libc that are ours now, by address, with what they were; they stay until {@link #close}. */
    private static final Map<Long, Byte> originals = new HashMap<>();
    private static final List<Redirect> redirects = new ArrayList<>();
    private static final SystemCallGuard calls = new SystemCallGuard(limits, originals);
    private static long ledAt = -1, lookedAt = -1;
    private static boolean installed;
    /** For good: the two slots of each function of libc's that was given a jump, by its address. */
    private static final Map<Long, long[]> slots = new HashMap<>();
    /** Single bytes of ours in libc's constants, in the order in which they were written. */
    private static final List<Long> constants = new ArrayList<>();

    /** What of this could not be done in this process, one sentence each; empty before the first probe. */
    public static synchronized List<String> limits() {
        return List.copyOf(limits);
    }

    /** Puts back, in this copy of the memory at {@code address}, the bytes that this class changed there. */
    public static void restore(long address, byte[] copy) {
        restore(address, address + copy.length, (at, original) -> copy[(int) (at - address)] = original);
    }

    /** Takes note of a byte as it is without the engine. */
    @FunctionalInterface
    interface Original {
        void is(long address, byte original);
    }

    /** Tells the bytes that this class changed in {@code [start, end)}. */
    static synchronized void restore(long start, long end, Original original) {
        originals.forEach((at, was) -> {
            if (at >= start && at < end) {
                original.is(at, was);
            }
        });
    }

    /** Why libc may still run code of its own with SIGTRAP blocked; empty if it does not. */
    public static synchronized Optional<String> unguarded(LoadedLibrary library) {
        return calls.unguarded(library);
    }

    /** Where a jump of ours at this address leads. */
    public static synchronized OptionalLong ledFrom(long address) {
        return calls.ledFrom(address);
    }

    /** Whether the instruction at this address is not run where it stands, or holds a trap of the guard's own. */
    public static synchronized boolean isClosed(long address) {
        return calls.isClosed(address);
    }

    /**
     * Steps 1 to 4, the first time; later only what somebody took past libc meanwhile is taken back, and libraries that are new are looked through.
     *
     * @param changes the dynamic linker's count when {@code loaded} was looked for; a library that comes later is to be looked through the next time
     */
    public static synchronized void install(LoadedLibraries loaded, long changes) throws IOException {
        if (installed) {
            leadCalls();
            boolean led = lookThrough(loaded, changes);
            takeSignals();
            if (led && !SignalMasks.awaitRun()) {
                limits.add("a thread that did not run for a second may still block SIGTRAP");
            }
            return;
        }
        Optional<LoadedLibrary> libc = libc(loaded);
        Helper.up_signals_guard(1);
        loaded.all().stream().filter(l -> l.fileName().equals("libjvm.so")).findFirst()
                .ifPresent(vm -> Helper.up_signals_vm_text(vm.textStart(), vm.textEnd()));
        if (libc.isPresent()) {
            hookAll(libc.get());
        } else {
            limits.add("SIGTRAP can still be blocked, and its handler replaced: no libc.so.6 is loaded");
        }
        lookThrough(loaded, changes);
        leadCalls();
        takeSignals();
        if (!SignalMasks.awaitRun()) {
            limits.add("a thread that did not run for a second may still block SIGTRAP");
        }
        takeSignals();
        calls.lookedAhead();
        installed = true;
    }

    /** The one that the process uses: dlmopen(3) may have loaded others beside it. */
    private static Optional<LoadedLibrary> libc(LoadedLibraries loaded) {
        long inside = Helper.symbol("gnu_get_libc_version");
        return loaded.all().stream().filter(l -> inside >= l.textStart() && inside < l.textEnd()).findFirst();
    }

    /** Looks through libraries for the first {@link #install}, which then finds most of its work done. Changes nothing. */
    public static void lookAhead(LoadedLibraries loaded) throws IOException {
        Optional<LoadedLibrary> libc = libc(loaded);
        for (LoadedLibrary library : loaded.all()) {
            calls.lookAhead(library, libc.filter(library::equals).isPresent() ? OF_LIBC : OF_ANY_LIBRARY);
        }
    }

    /** Whether {@link #complete} has anything to do. */
    public static synchronized boolean isIncomplete() {
        return calls.hasTrapsToWrite();
    }

    /**
     * Step 6, once no thread keeps SIGTRAP blocked. Masks are to be read once more afterwards: somebody may have passed a place where a trap stands only now.
     *
     * @return who blocks it at one look after the other, though for moments; then not all is done. Empty: it is
     */
    public static synchronized Optional<String> complete() throws IOException {
        calls.writeBlockingTraps();
        Optional<String> blocking = SignalMasks.awaitOpen(SignalMasks.SIGTRAP);
        if (blocking.isEmpty()) {
            calls.writeOtherTraps();
        }
        return blocking;
    }

    /** Leads the system calls of libraries that were not looked through yet; libc's are {@link #hookAll}'s. */
    private static boolean lookThrough(LoadedLibraries loaded, long changes) {
        if (changes == lookedAt) {
            return false;
        }
        lookedAt = changes;
        boolean led = false;
        long own = Helper.up_guards_address();
        for (LoadedLibrary library : loaded.all()) {
            try {
                boolean ours = own >= library.textStart() && own < library.textEnd();
                led |= !ours && calls.isNew(library) && calls.lead(library, OF_ANY_LIBRARY, Set.of());
            } catch (IOException | java.io.UncheckedIOException e) {
                limits.add("system calls of " + library.fileName() + " can still block SIGTRAP: " + e.getMessage());
            }
        }
        return led;
    }

    /**
     * Undoes all that is possible, once no probe is armed. A thread that is inside one of the helper's functions or slots goes on rightly; nobody new comes
     * there. The next {@link #install} begins anew.
     *
     * @param left gets a sentence for each thing that stays
     * @return references of the dynamic linker's that are to be given back
     */
    public static synchronized List<Long> close(List<String> left) throws IOException {
        if (!installed) {
            return List.of();
        }
        Optional<String> late = SignalMasks.awaitNoTrap();
        if (late.isPresent()) {
            left.add("the handlers of SIGTRAP and its kin, and what keeps SIGTRAP open in " + originals.size() + " bytes of code: thread " + late.get()
                    + " may have run into a trap and has not come to the handler yet");
            return List.of();
        }
        if (calls.hasTraps()) {
            calls.takeTrapsOut(left);
            late = SignalMasks.awaitNoTrap();
        }
        int stays = late.isPresent() ? SignalMasks.SIGTRAP : 0;
        if (late.isPresent()) {
            left.add("the handler of SIGTRAP: thread " + late.get() + " may have run into a trap and has not come to it yet");
        }
        Helper.up_signals_guard(0);
        Helper.up_signals_give_back(stays);
        List<Long> references = calls.takeJumpsOut(left);
        for (int i = constants.size() - 1; i >= 0; i--) {
            restoreConstant(constants.get(i), left);
        }
        for (Redirect r : redirects) {
            int changed = Helper.up_got_redirect(r.name(), Helper.up_signals_function(r.hook().ordinal()), r.from(), 0);
            if (changed < 0) {
                left.add("calls of some libraries to " + r.name() + " go through the helper: their tables can not be written, error " + -changed);
            }
        }
        /* Who was inside one of our functions, and may have set a signal as if it were ours. */
        SignalMasks.awaitRun();
        int ours = Helper.up_signals_give_back(stays);
        if (ours > 0) {
            left.add(ours + " signals whose handlers are ours in the kernel, which did not let them be changed");
        }
        constants.clear();
        redirects.clear();
        originals.clear();
        limits.clear();
        ledAt = lookedAt = -1;
        installed = false;
        return references;
    }

    private static void restoreConstant(long address, List<String> left) {
        byte[] now = new byte[1];
        byte original = originals.get(address), ours = (byte) (original ^ TRAP_BIT);
        if (Helper.up_text_read(address, now, 1) == 1 && now[0] == ours && Helper.up_code_write(address, new byte[] {original}, 1) >= 0) {
            return;
        }
        left.add("libc's constant at 0x" + Long.toHexString(address) + " keeps SIGTRAP open: it could not be put back");
    }

    private static void takeSignals() throws IOException {
        int error = Helper.up_trap_install();
        if (error < 0) {
            throw new IOException("the kernel did not let SIGTRAP and its kin be taken: error " + -error);
        }
    }

    private static void hookAll(LoadedLibrary libc) throws IOException {
        Set<Integer> numbers = new HashSet<>(OF_LIBC);
        Set<Long> done = new HashSet<>();
        /* What sigaction, signal and their kin end in; before it was exported to libc's own libraries, sigaction itself. */
        String sigaction = address(libc, "__libc_sigaction") != 0 ? "__libc_sigaction" : "sigaction";
        Optional<String> noSigaction = hook(libc, Hook.SIGACTION, sigaction);
        if (noSigaction.isEmpty()) {
            numbers.remove(SystemCallGuard.RT_SIGACTION);
        }
        /* Its own constants are cheaper than a trap at its system call, where no jump fits. */
        if (hook(libc, Hook.SIGMASK, "pthread_sigmask").isEmpty() || widen(libc, "pthread_sigmask", TESTED, CLEARED).isEmpty()) {
            done.add(address(libc, "pthread_sigmask"));
        }
        hook(libc, Hook.SIGSUSPEND, "sigsuspend").ifPresent(why -> lead(libc, why, Hook.SIGSUSPEND, "sigsuspend", "__sigsuspend"));
        hook(libc, Hook.EPOLL_PWAIT, "epoll_pwait").ifPresent(why -> lead(libc, why, Hook.EPOLL_PWAIT, "epoll_pwait"));
        if (address(libc, "epoll_pwait2") != 0) {                   /* since 2.35 */
            hook(libc, Hook.EPOLL_PWAIT2, "epoll_pwait2").ifPresent(why -> lead(libc, why, Hook.EPOLL_PWAIT2, "epoll_pwait2"));
        }
        /* No build of glibc begins these with a long instruction; docs/limits.md says so, and nobody needs to be told each time. */
        lead(libc, "", Hook.PPOLL, "ppoll");
        lead(libc, "", Hook.PPOLL_CHK, "__ppoll_chk");
        lead(libc, "", Hook.PSELECT, "pselect");
        calls.isNew(libc);
        calls.lead(libc, numbers, done);
        calls.leadSyscall(libc);
        if (noSigaction.isPresent() && calls.covers(SystemCallGuard.RT_SIGACTION)) {
            Helper.up_signals_next(Hook.SIGACTION.ordinal(), address(libc, sigaction));
        } else if (noSigaction.isPresent()) {
            lead(libc, noSigaction.get(), Hook.SIGACTION, "sigaction", "__sigaction");
        }
    }

    /** The second best: where other libraries call the function. @param why not the best; empty to say nothing */
    private static void lead(LoadedLibrary libc, String why, Hook hook, String... names) {
        List<String> there = Arrays.stream(names).filter(name -> address(libc, name) != 0).toList();
        if (!there.isEmpty()) {
            Helper.up_signals_next(hook.ordinal(), address(libc, there.get(0)));
            there.forEach(name -> redirects.add(new Redirect(hook, name, address(libc, name), Helper.symbol(name) == address(libc, name))));
        }
        if (!why.isEmpty()) {
            limits.add(names[0] + (there.isEmpty() ? " can still block SIGTRAP"
                    : " can still block SIGTRAP if it is called inside libc or by a library that is loaded later than the last probe") + ": " + why);
        }
    }

    /** Again whenever libraries were loaded: theirs are new tables. */
    private static void leadCalls() {
        long changes = Helper.up_library_changes();
        if (changes == ledAt) {
            return;
        }
        ledAt = changes;
        for (Redirect r : redirects) {
            int changed = Helper.up_got_redirect(r.name(), r.from(), Helper.up_signals_function(r.hook().ordinal()), r.bound() ? 1 : 0);
            String sentence = "some libraries' calls to " + r.name() + " can still block SIGTRAP: their tables can not be written";
            if (changed < 0 && !limits.contains(sentence)) {
                limits.add(sentence);
            }
        }
    }

    private static long address(LoadedLibrary libc, String name) {
        return libc.symbols().find(name).stream().filter(s -> s.kind() == NativeSymbol.Kind.FUNCTION).mapToLong(NativeSymbol::address).findFirst().orElse(0);
    }

    private static byte[] code(LoadedLibrary libc, long address) {
        long end = libc.symbols().containing(address).map(NativeSymbol::end).orElse(libc.symbols().nextFunctionStart(address));
        byte[] code = new byte[(int) Math.min(end - address, 4096)];
        Helper.up_text_read(address, code, code.length);
        return code;
    }

    /** @return why not; empty if the jump is in */
    private static Optional<String> hook(LoadedLibrary libc, Hook hook, String name) {
        long address = address(libc, name);
        if (address == 0) {
            return Optional.of(libc.fileName() + " has no " + name);
        } else if (withoutJumps) {
            return Optional.of("jumps are not wanted");
        }
        byte[] code = code(libc, address);
        InstructionTable table = InstructionTable.decode(code, address);
        InstructionTable.Instruction first = table.get(0);
        if (first.length() < JUMP_SIZE || (first.flags() & MOVES) != 0 || address + JUMP_SIZE > (address & -ATOMIC) + ATOMIC) {
            return Optional.of("the first instruction of " + name + " is not one of five bytes within eight aligned ones");
        }
        for (int i = 0; i < table.size(); i++) {
            long target = table.get(i).target();
            if ((table.get(i).flags() & (InstructionTable.BRANCH | InstructionTable.CALL)) != 0 && target > address && target < address + JUMP_SIZE) {
                return Optional.of("the branch at +0x" + Long.toHexString(table.get(i).address() - address) + " of " + name
                        + " lands inside the five bytes of a jump");
            }
        }
        try {
            long[] pair = slots.get(address);
            if (pair == null) {
                SlotRegion region = calls.regionOf(libc);
                pair = new long[] {region.take(1), region.take(1)};
                write(pair[0], jumpTo(Helper.up_signals_function(hook.ordinal())));
                write(pair[1], continuation(first, code, pair[1]));
                slots.put(address, pair);
            }
            Helper.up_signals_next(hook.ordinal(), pair[1]);
            calls.store(address, code, pair[0]);
            return Optional.empty();
        } catch (ProbeRefusedException | IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    private static void write(long address, byte[] code) throws IOException {
        int error = Helper.up_code_write(address, code, code.length);
        if (error < 0) {
            throw new IOException("writing at 0x" + Long.toHexString(address) + " failed with " + error);
        }
    }

    /** ff 25 00000000: jmp [rip+0], then the address; the helper may lie anywhere. */
    private static byte[] jumpTo(long target) {
        return ByteBuffer.allocate(14).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0xff).put((byte) 0x25).putInt(0).putLong(target).array();
    }

    /** The displaced instruction, its operand re-aimed, and the jump to what follows it. */
    private static byte[] continuation(InstructionTable.Instruction displaced, byte[] code, long at) throws IOException {
        int length = displaced.length();
        ByteBuffer out = ByteBuffer.allocate(length + JUMP_SIZE).order(ByteOrder.LITTLE_ENDIAN).put(code, 0, length);
        if (displaced.is(InstructionTable.RIP_RELATIVE)) {
            out.putInt(displaced.displacementAt(), SystemCallGuard.relative(at + length, displaced.target()));
        }
        return out.put(JUMP).putInt(SystemCallGuard.relative(at + length + JUMP_SIZE, displaced.address() + length)).array();
    }

    /**
     * Puts SIGTRAP into libc's constants, one byte each: first where bits are cleared, then where they are tested, so that nobody finds the bit tested
     * and not cleared.
     *
     * @param tested the constant tested for
     * @return why not; empty if it is done
     */
    private static Optional<String> widen(LoadedLibrary libc, String name, long tested, long cleared) {
        long address = address(libc, name);
        if (address == 0) {
            return Optional.of(libc.fileName() + " has no " + name);
        }
        byte[] code = code(libc, address);
        long clearing = immediate(code, address, cleared), testing = immediate(code, address, tested);
        if (clearing < 0 || testing < 0) {
            return Optional.of(name + " does not keep libc's own signals out of masks in the way that is known");
        }
        try {
            change(clearing, (byte) cleared, (byte) ((byte) cleared & ~TRAP_BIT));
            change(testing, (byte) tested, (byte) ((byte) tested | TRAP_BIT));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    private static void change(long address, byte from, byte to) throws IOException {
        write(address, new byte[] {to});
        originals.put(address, from);
        constants.add(address);
    }

    /** Address of the lowest byte of the only 48..4f b8..bf imm64 (mov r64, imm64) with this constant; -1 if there is none or more. */
    private static long immediate(byte[] code, long address, long constant) {
        InstructionTable table = InstructionTable.decode(code, address);
        ByteBuffer bytes = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
        long found = -1;
        for (int i = 0; i < table.size(); i++) {
            int at = (int) (table.get(i).address() - address);
            if (table.get(i).length() == 10 && (code[at] & 0xf8) == 0x48 && (code[at + 1] & 0xf8) == 0xb8 && bytes.getLong(at + 2) == constant) {
                if (found >= 0) {
                    return -1;
                }
                found = address + at + 2;
            }
        }
        return found;
    }

    private SignalGuard() {}
}
