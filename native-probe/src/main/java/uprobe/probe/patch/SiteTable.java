package uprobe.probe.patch;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.code.FunctionCode;
import uprobe.probe.code.SlotCode;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.Mechanism;

/**
 * The addresses that have, or had, a trap: what lies there, who uses it, and the helper's number of each. A site and its slots, once made, stay for good;
 * so a thread that is still inside is always right. Callers hold the engine's lock.
 */
public final class SiteTable {
    /** SDM vol. 2A, 2.3.11: bytes. */
    private static final int MAX_INSTRUCTION = 15;
    /** Changed sites that can be told of; who writes over more knows it. */
    private static final int CHANGES_AT_ONCE = 4096;

    /** A site as Java remembers it. */
    public static final class Site {
        private final int index;
        private final LoadedLibrary library;
        /** One for each mechanism it has had; their slots are used again. */
        private final Map<Mechanism, SitePlan> plans = new EnumMap<>(Mechanism.class);
        private SitePlan plan;
        /** The helper's numbers of the probes that want its hits now. */
        private final List<Integer> users = new ArrayList<>();
        /** Other code lies there now: nothing is written there any more. */
        private boolean forgotten;

        private Site(int index, LoadedLibrary library) {
            this.index = index;
            this.library = library;
        }

        /** The number by which the helper knows it. */
        public int index() {
            return index;
        }

        public LoadedLibrary library() {
            return library;
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
            return plans.get(mechanism);
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

    /** A transaction begins: what the last one had looked up may have changed. */
    public void lookAgain() {
        goneNow.clear();
        lastFunction = null;
    }

    /** null if there never was one. */
    public Site at(long address) {
        return sites.get(address);
    }

    /** A site that is in use stays as it is; one that is not gets the plan's mechanism. */
    public Site define(SitePlan plan) throws IOException {
        Site site = sites.get(plan.address());
        if (site != null && !site.forgotten && site.plan == plan) {
            return site;
        }
        SlotCode slot = plan.way().slot();
        boolean hasSlot = slot != null && (site == null || site.plans.get(plan.way().mechanism()) != plan);
        if (hasSlot) {
            Helper.check(Helper.up_code_write(slot.address(), slot.code(), slot.code().length), "writing a slot");
        }
        int index = Helper.check(Helper.up_site_define(plan.way().pack()), "a site");
        if (site == null || site.forgotten) {
            site = new Site(index, plan.library());
            sites.put(plan.address(), site);
        }
        if (site.plan != null && !Arrays.equals(site.plan.displaced(), plan.displaced())) {
            site.plans.clear();
        }
        site.plan = plan;
        site.plans.put(plan.way().mechanism(), plan);
        return site;
    }

    /**
     * The plan that the site at an address is used with, or was; a site whose code has been replaced by another library's is forgotten.
     *
     * @param wanted the mechanism that a site in no use shall have; null: any
     * @return null if it must be made anew
     */
    public SitePlan known(LoadedLibrary library, long address, Mechanism wanted) throws ProbeRefusedException {
        Site site = sites.get(address);
        if (site != null && !site.library.isSameAs(library)) {
            forget(site);
        }
        if (site == null || !isStill(site, library)) {
            return null;
        }
        return wanted == null || !site.users.isEmpty() ? site.plan : site.plans.get(wanted);
    }

    /**
     * One more user; the first one's trap is written.
     *
     * @param probe the helper's number
     * @throws ProbeRefusedException and then nothing was changed
     */
    public void arm(Site site, int probe) throws ProbeRefusedException, IOException {
        Helper.check(Helper.up_site_consumer(site.index, probe, 1), "a consumer");
        int result = Helper.up_site_arm(site.index);
        if (result < 0) {
            Helper.up_site_consumer(site.index, probe, 0);
            throw notArmed(site, result);
        }
        site.users.add(probe);
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

    /** One user less; the last one takes the trap out. False if somebody else had changed the code, which is then left as it is. */
    public boolean release(Site site, int probe) {
        site.users.remove(Integer.valueOf(probe));
        boolean last = site.users.isEmpty();
        if (last && !site.forgotten && isGone(site.library)) {
            forget(site);
        }
        boolean restored = true;
        if (last && !site.forgotten) {
            int result = Helper.up_site_disarm(site.index);
            restored = result == 0 || result == Helper.GONE;
        }
        Helper.up_site_consumer(site.index, probe, 0);
        return restored;
    }

    /**
     * Libraries that nothing holds, and that came back to where they were before anybody looked: their code is the file's again, without a trap.
     * Called when the dynamic linker has loaded or unloaded something.
     */
    public void forgetReplaced() {
        Map<LoadedLibrary, Boolean> replaced = new HashMap<>();
        for (Site site : sites.values()) {
            if (!site.users.isEmpty() && !site.forgotten && replaced.computeIfAbsent(site.library, l -> !pins.holds(l) && hasItsOwnByte(site))) {
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
        site.users.forEach(probe -> Helper.up_site_consumer(site.index, probe, 0));
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

    /** Whether the site that was made for an address is right for what its library has there now. */
    public boolean isStill(Site site, LoadedLibrary library) throws ProbeRefusedException {
        if (site.forgotten) {
            return false;
        }
        byte[] now = code(site.plan.address(), site.plan.displaced().length);
        if (Arrays.equals(site.plan.displaced(), now)) {
            return true;
        } else if (!site.users.isEmpty() || !Arrays.equals(now, fileBytes(library, site.plan.address(), now.length))) {
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
            long readable = Math.min(end + MAX_INSTRUCTION, library.textEnd());
            lastFunction = new FunctionCode(code(start, (int) (readable - start)), start, (int) (end - start));
        }
        return lastFunction;
    }

    /** Memory as it is without our traps and jumps. */
    private byte[] code(long address, int length) throws ProbeRefusedException {
        byte[] bytes = new byte[length];
        if (Helper.up_text_read(address, bytes, length) < 0) {
            throw new ProbeRefusedException(Refusal.LIBRARY_GONE, "0x" + Long.toHexString(address), "its text is not mapped any more");
        }
        SignalGuard.restore(address, bytes);
        sites.subMap(address, address + length).forEach((at, site) -> {
            if (!site.users.isEmpty() && !site.forgotten) {
                bytes[(int) (at - address)] = site.plan.displaced()[0];
            }
        });
        return bytes;
    }
}
