package uprobe.probe.patch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.code.CodeText;
import uprobe.probe.code.FunctionCode;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.code.SlotCode;
import uprobe.probe.code.Way;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.Mechanism;

/**
 * The addresses that have, or had, a trap: what lies there, who uses it, and the helper's number of each. A site and its slots, once made, stay for good;
 * so a thread that is still inside is always right. Callers hold the engine's lock.
 */
public final class SiteTable {
    /** Changed sites that can be told of; who writes over more knows it. */
    private static final int CHANGES_AT_ONCE = 4096;
    private static final int[] NOBODY = {};
    private static final byte TRAP = (byte) 0xcc;

    /** A site as Java remembers it. */
    public static final class Site {
        private final int index;
        private SitePlan plan;
        /** Those before it, for other mechanisms; their slots are used again. */
        private List<SitePlan> former = List.of();
        /** The helper's numbers of the probes that want its hits now. */
        private int[] users = NOBODY;
        /** Other code lies there now: nothing is written there any more. */
        private boolean forgotten;

        private Site(int index, SitePlan plan) {
            this.index = index;
            this.plan = plan;
        }

        /** The number by which the helper knows it. */
        public int index() {
            return index;
        }

        public LoadedLibrary library() {
            return plan.library();
        }

        public SitePlan plan() {
            return plan;
        }

        /** Its library has gone, or lies there anew: it is armed no more, and another takes its place. */
        public boolean isForgotten() {
            return forgotten;
        }

        /** The one that it had when it was made to use this mechanism; null: it never was. */
        public SitePlan plan(Mechanism mechanism) {
            return plan.way().mechanism() == mechanism ? plan
                    : former.stream().filter(other -> other.way().mechanism() == mechanism).findFirst().orElse(null);
        }

        private boolean had(SitePlan wanted) {
            return plan == wanted || former.contains(wanted);
        }

        /** Of other code nothing is used again. */
        private void use(SitePlan next) {
            List<SitePlan> kept = new ArrayList<>(former);
            kept.add(plan);
            kept.removeIf(other -> other.way().mechanism() == next.way().mechanism() || !Arrays.equals(other.displaced(), next.displaced()));
            former = List.copyOf(kept);
            plan = next;
        }

        public boolean isUsed() {
            return users.length > 0;
        }

        private void add(int probe) {
            users = Arrays.copyOf(users, users.length + 1);
            users[users.length - 1] = probe;
        }

        /** One of these, if there is one. */
        private void remove(int probe) {
            for (int i = 0; i < users.length; i++) {
                if (users[i] == probe) {
                    int[] left = Arrays.copyOf(users, users.length - 1);
                    System.arraycopy(users, i + 1, left, i, left.length - i);
                    users = left.length == 0 ? NOBODY : left;
                    return;
                }
            }
        }
    }

    private final NavigableMap<Long, Site> sites = new TreeMap<>();
    private final LibraryPins pins;
    /** Looked up once in a transaction. */
    private final Map<LoadedLibrary, Boolean> goneNow = new HashMap<>();
    private FunctionCode lastFunction;
    /** Indices of sites that {@link #changed} has told of, with the byte that was there. */
    private final Map<Integer, Byte> told = new HashMap<>();

    /** @param pins the libraries that are held: those can not be gone */
    public SiteTable(LibraryPins pins) {
        this.pins = pins;
    }

    /** Addresses of pages of code that held a trap; those of libraries that are gone too. */
    public Set<Long> pages() {
        Set<Long> pages = new HashSet<>();
        sites.keySet().forEach(address -> pages.add(address & -4096L));
        return pages;
    }

    /** A transaction begins: what the last one had looked up may have changed. */
    public void lookAgain() {
        goneNow.clear();
        lastFunction = null;
    }

    /** null if there never was one. */
    public Site at(long address) {
        return sites.get(address);
    }

    /** Sites that are in use stay as they are; those that are not get the plans' mechanisms. In the order of the plans, of which no two have one address. */
    public List<Site> define(List<SitePlan> plans) throws IOException {
        List<SitePlan> fresh = plans.stream().filter(plan -> {
            Site site = sites.get(plan.address());
            return site == null || site.forgotten || site.plan != plan;
        }).toList();
        writeSlots(fresh);
        ByteBuffer ways = ByteBuffer.allocate(fresh.size() * Way.SIZE).order(ByteOrder.nativeOrder());
        fresh.forEach(plan -> plan.way().pack(ways));
        int[] indices = new int[fresh.size()];
        Helper.check(Helper.up_sites_define(ways.array(), indices.length, indices), "sites");
        for (int i = 0; i < indices.length; i++) {
            SitePlan plan = fresh.get(i);
            Site site = sites.get(plan.address());
            if (site == null || site.forgotten) {
                sites.put(plan.address(), new Site(indices[i], plan));
            } else {
                site.use(plan);
            }
        }
        return plans.stream().map(plan -> sites.get(plan.address())).toList();
    }

    /** Slots that lie one behind the other are written as one, traps in the gaps. Each is written once: threads may be in those of former plans. */
    private void writeSlots(List<SitePlan> plans) throws IOException {
        ByteArrayOutputStream run = new ByteArrayOutputStream();
        long start = 0;
        for (SitePlan plan : plans) {
            SlotCode slot = plan.way().slot();
            Site site = sites.get(plan.address());
            if (slot == null || site != null && site.had(plan)) {
                continue;
            }
            long gap = slot.address() - (start + run.size());
            if (gap < 0 || gap >= SlotCode.UNIT) {
                writeRun(start, run);
                start = slot.address();
                gap = 0;
            }
            for (; gap > 0; gap--) {
                run.write(TRAP);
            }
            run.writeBytes(slot.code());
        }
        writeRun(start, run);
    }

    private static void writeRun(long start, ByteArrayOutputStream run) throws IOException {
        if (run.size() > 0) {
            Helper.check(Helper.up_code_write(start, run.toByteArray(), run.size()), "writing slots");
        }
        run.reset();
    }

    /**
     * The plan that the site at an address is used with, or was; a site whose code has been replaced by another library's is forgotten.
     *
     * @param wanted the mechanism that a site in no use shall have; null: any
     * @return null if it must be made anew
     */
    public SitePlan known(CodeText text, LoadedLibrary library, long address, Mechanism wanted) throws ProbeRefusedException {
        Site site = sites.get(address);
        if (site != null && !site.library().isSameAs(library)) {
            forget(site);
        }
        if (site == null || !isStill(site, library, text)) {
            return null;
        }
        return wanted == null || site.isUsed() ? site.plan : site.plan(wanted);
    }

    /**
     * One more user each; a first one's trap is written.
     *
     * @param probes the helper's numbers, in the order of the sites
     * @throws ProbeRefusedException for the first site where it can not be, and then nothing was changed
     */
    public void arm(List<Site> wanted, int[] probes) throws ProbeRefusedException, IOException {
        int[] indices = wanted.stream().mapToInt(site -> site.index).toArray(), error = new int[1];
        Helper.check(Helper.up_sites_consumers(indices, probes, indices.length, 1), "consumers");
        for (int i = 0; i < probes.length; i++) {
            wanted.get(i).add(probes[i]);
        }
        int armed = Helper.up_sites_arm(indices, indices.length, error);
        if (armed < indices.length) {
            for (int i = armed; i < probes.length; i++) {
                wanted.get(i).remove(probes[i]);
            }
            release(wanted.subList(0, armed), probes);
            Helper.up_sites_consumers(Arrays.copyOfRange(indices, armed, indices.length), Arrays.copyOfRange(probes, armed, indices.length), indices.length - armed, 0);
            throw notArmed(wanted.get(armed), error[0]);
        }
    }

    private ProbeRefusedException notArmed(Site site, int result) {
        String where = site.plan.where();
        return switch (result) {
            case Helper.CHANGED -> new ProbeRefusedException(Refusal.TEXT_CHANGED, where, found(site));
            case Helper.GONE -> new ProbeRefusedException(Refusal.LIBRARY_GONE, where, "its text is not mapped any more");
            case Helper.NOT_PERMITTED, Helper.NO_ACCESS -> new ProbeRefusedException(Refusal.TEXT_NOT_WRITABLE, where, "neither through /proc/self/mem nor by"
                    + " mprotect (error " + -result + "): it is sealed (mseal), or a security policy forbids to change code");
            default -> new ProbeRefusedException(Refusal.NO_MEMORY, where, "writing the trap failed with " + result);
        };
    }

    /**
     * One user less each; a last one takes the trap out.
     *
     * @param probes the helper's numbers, in the order of the sites
     * @return those whose code somebody else had changed, which is then left as it is
     */
    public List<Site> release(List<Site> wanted, int[] probes) {
        List<Site> unused = new ArrayList<>(), left = new ArrayList<>();
        LoadedLibrary library = null;
        boolean gone = false;
        for (int i = 0; i < wanted.size(); i++) {
            Site site = wanted.get(i);
            site.remove(probes[i]);
            if (site.isUsed() || site.forgotten) {
                continue;
            }
            if (site.library() != library) {
                library = site.library();
                gone = isGone(library);
            }
            if (gone) {
                forget(site);
            } else {
                unused.add(site);
            }
        }
        int[] indices = unused.stream().mapToInt(site -> site.index).toArray(), errors = new int[indices.length];
        int result = Helper.up_sites_disarm(indices, indices.length, errors);
        for (int i = 0; i < errors.length; i++) {
            if (result < 0 || errors[i] != 0 && errors[i] != Helper.GONE) {
                left.add(unused.get(i));
            }
        }
        int[] all = wanted.stream().mapToInt(site -> site.index).toArray();
        Helper.up_sites_consumers(all, probes, all.length, 0);
        return left;
    }

    /**
     * Libraries that nothing holds, and that came back to where they were before anybody looked: their code is the file's again, without a trap.
     * Called when the dynamic linker has loaded or unloaded something.
     */
    public void forgetReplaced() {
        Map<LoadedLibrary, Boolean> replaced = new HashMap<>();
        for (Site site : sites.values()) {
            if (site.isUsed() && !site.forgotten && replaced.computeIfAbsent(site.library(), l -> !pins.holds(l) && hasItsOwnByte(site))) {
                forget(site);
            }
        }
    }

    private static boolean hasItsOwnByte(Site site) {
        byte[] now = new byte[1];
        return Helper.up_text_read(site.plan.address(), now, 1) < 0 || now[0] == site.plan.displaced()[0];
    }

    /** Other code lies there now: the site's probes lose it, and nothing is written. */
    private void forget(Site site) {
        site.forgotten = true;
        Helper.up_site_forget(site.index);
        int[] indices = new int[site.users.length];
        Arrays.fill(indices, site.index);
        Helper.up_sites_consumers(indices, site.users, indices.length, 0);
    }

    /** Only a library that is not held can be; looked up once for all sites that are released together. */
    public boolean isGone(LoadedLibrary library) {
        return !pins.holds(library) && goneNow.computeIfAbsent(library, l -> {
            try {
                return !l.isStillThere();
            } catch (IOException e) {
                return true;        /* nothing is written where nothing can be known */
            }
        });
    }

    /** Whether the site that was made for an address is right for what its library has there now. text: that, or some of it; null: it is read. */
    public boolean isStill(Site site, LoadedLibrary library, CodeText text) throws ProbeRefusedException {
        byte[] made = site.plan.displaced();
        if (site.forgotten) {
            return false;
        } else if (text != null && text.has(made, site.plan.address())) {
            return true;
        }
        byte[] now = code(site.plan.address(), made.length);
        if (Arrays.equals(made, now)) {
            return true;
        } else if (site.isUsed() || !Arrays.equals(now, fileBytes(library, site.plan.address(), now.length))) {
            throw new ProbeRefusedException(Refusal.TEXT_CHANGED, site.plan.where(), found(site));
        }
        return false;       /* a file that was overwritten in place and loaded again */
    }

    /** null if the file can not be read any more. */
    private static byte[] fileBytes(LoadedLibrary library, long address, int length) {
        try {
            return library.fileBytes(address, length);
        } catch (IOException | IllegalArgumentException e) {
            return null;
        }
    }

    /** What stands at the site instead of what the engine expects there. */
    public String found(Site site) {
        byte[] bytes = new byte[site.plan.displaced().length];
        Helper.up_text_read(site.plan.address(), bytes, bytes.length);
        return "at 0x" + Long.toHexString(site.plan.address()) + " is " + HexFormat.ofDelimiter(" ").formatHex(bytes) + ", in the library "
                + HexFormat.ofDelimiter(" ").formatHex(site.plan.displaced());
    }

    /**
     * Compares all armed sites with what the engine wrote there; costs about a microsecond for each ten sites.
     *
     * @return those that somebody else has written over since the last call, each once for each byte that was found there
     */
    public List<Site> changed() {
        int[] indices = new int[CHANGES_AT_ONCE];
        byte[] bytes = new byte[CHANGES_AT_ONCE];
        int n = Math.max(0, Helper.up_sites_changed(indices, bytes, CHANGES_AT_ONCE));
        if (n == 0) {
            told.clear();
            return List.of();
        }
        Map<Integer, Byte> now = new HashMap<>();
        for (int i = 0; i < n; i++) {
            now.put(indices[i], bytes[i]);
        }
        List<Site> changed = sites.values().stream().filter(site -> !site.forgotten && now.containsKey(site.index))
                .filter(site -> !now.get(site.index).equals(told.get(site.index))).toList();
        told.clear();
        told.putAll(now);
        return changed;
    }

    /** A function as it is without traps. The last one asked for is remembered: many probes of one function follow each other. */
    public FunctionCode codeOf(LoadedLibrary library, long start, long end) throws ProbeRefusedException {
        if (lastFunction == null || lastFunction.start() != start) {
            /* The last instruction may reach beyond the end that a wrong symbol size claims. */
            long readable = Math.min(end + InstructionTable.LONGEST, library.textEnd());
            lastFunction = new FunctionCode(code(start, (int) (readable - start)), start, (int) (end - start));
        }
        return lastFunction;
    }

    /**
     * A library's code as it is without our traps and jumps.
     *
     * @throws ProbeRefusedException {@link Refusal#LIBRARY_GONE}
     */
    public CodeText text(long start, long end) throws ProbeRefusedException {
        CodeText text = CodeText.read(start, (int) (end - start));
        if (text == null) {
            throw gone(start);
        }
        restore(start, end, text::put);
        return text;
    }

    private static ProbeRefusedException gone(long address) {
        return new ProbeRefusedException(Refusal.LIBRARY_GONE, "0x" + Long.toHexString(address), "its text is not mapped any more");
    }

    private byte[] code(long address, int length) throws ProbeRefusedException {
        byte[] bytes = new byte[length];
        if (Helper.up_text_read(address, bytes, length) < 0) {
            throw gone(address);
        }
        restore(address, address + length, (at, original) -> bytes[(int) (at - address)] = original);
        return bytes;
    }

    private void restore(long start, long end, SignalGuard.Original original) {
        SignalGuard.restore(start, end, original);
        sites.subMap(start, end).forEach((at, site) -> {
            if (site.isUsed() && !site.forgotten) {
                original.is(at, site.plan.displaced()[0]);
            }
        });
    }
}
