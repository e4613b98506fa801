package uprobe.probe.code;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.spec.Mechanism;

/** Chooses how the displaced instruction of a site is carried out, and finds room for its slot. Changes nothing but that room. */
public final class Planner {
    /** A way and why it is not a better one; the reason is empty for the best. */
    public record Planned(Way way, String reason) {}

    /** e9 rel32: jmp. */
    private static final int JUMP = 0xe9;

    private final Map<String, SlotRegion> regions = new HashMap<>();
    /** What has not been looked at by the verifier yet. */
    private final List<Way> unverified = new ArrayList<>();
    private LoadedLibrary last;
    private String lastKey;
    private final boolean farSlots;
    private final boolean withoutRoom;

    /** @param farSlots put slots out of reach, as though no memory near the libraries were free */
    public Planner(boolean farSlots) {
        this(farSlots, false);
    }

    private Planner(boolean farSlots, boolean withoutRoom) {
        this.farSlots = farSlots;
        this.withoutRoom = withoutRoom;
    }

    /** One whose ways are never used: it says which there would be. */
    public static Planner withoutRoom() {
        return new Planner(false, true);
    }

    /**
     * @param wanted the mechanism to use; null for the best there is
     * @param where names the site in a refusal
     * @throws ProbeRefusedException if no mechanism, or not the wanted one, can do it
     */
    public Planned plan(LoadedLibrary library, Displaced displaced, Mechanism wanted, String where) throws ProbeRefusedException, IOException {
        Relocator.NotRelocatable first = null;
        for (Mechanism mechanism : wanted == null ? Mechanism.values() : new Mechanism[] {wanted}) {
            try {
                Way way = way(library, displaced, mechanism, where);
                return new Planned(way, first == null ? "jumps are not there yet" : sentence(first));
            } catch (Relocator.NotRelocatable e) {
                first = first == null ? e : first;
            }
        }
        throw new ProbeRefusedException(first.refusal, where, first.getMessage());
    }

    /**
     * The way of an instruction over which a jump of the engine's own stands: it goes on where that leads.
     *
     * @param wanted as for {@link #plan}
     */
    public Planned led(LoadedLibrary library, Displaced displaced, long to, Mechanism wanted, String where) throws ProbeRefusedException, IOException {
        String reason = "a jump of the engine's own stands there, which keeps SIGTRAP open";
        if (wanted != null && wanted != Mechanism.BOOST) {
            throw new ProbeRefusedException(Refusal.NOT_DISPLACEABLE, where, reason + ": leave mechanism= out");
        }
        SlotRegion region = regionFor(library, where);
        SlotCode code = new SlotCode.Writer(region.peek()).mark(SlotCode.Where.SITE).jump(to).done();
        region.take(code.units());
        return new Planned(new Way(Mechanism.BOOST, displaced, code, JUMP), reason);
    }

    private static String sentence(Relocator.NotRelocatable why) {
        return why.refusal.sentence() + (why.getMessage().isEmpty() ? "" : ": " + why.getMessage());
    }

    private Way way(LoadedLibrary library, Displaced displaced, Mechanism mechanism, String where)
            throws Relocator.NotRelocatable, ProbeRefusedException, IOException {
        if (mechanism == Mechanism.EMULATE) {
            Relocator.refuseWhatIsNotEmulated(displaced);
            return new Way(mechanism, displaced, null);
        }
        SlotRegion region = regionFor(library, where);
        SlotCode code = mechanism == Mechanism.BOOST ? Relocator.boost(displaced, region.peek()) : Relocator.step(displaced, region.peek());
        region.take(code.units());
        Way way = new Way(mechanism, displaced, code);
        unverified.add(way);
        return way;
    }

    /** Decodes all slots that were planned since the last time. No way is used before. */
    public void verify() {
        List<Way> ways = List.copyOf(unverified);
        unverified.clear();
        SlotVerifier.verify(ways);
    }

    private SlotRegion regionFor(LoadedLibrary library, String where) throws ProbeRefusedException, IOException {
        if (library != last) {
            last = library;
            lastKey = library.path() + "@" + library.loadBias();
        }
        SlotRegion region = regions.get(lastKey);
        if (region == null || region.peek() < 0) {
            region = withoutRoom ? SlotRegion.imagined(library) : SlotRegion.of(library, where, farSlots);
            regions.put(lastKey, region);
        }
        return region;
    }
}
