package uprobe.jmc;

import static org.openjdk.jmc.common.item.Attribute.attr;
import static org.openjdk.jmc.common.unit.UnitLookup.PLAIN_TEXT;
import static org.openjdk.jmc.common.unit.UnitLookup.RAW_NUMBER;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import org.openjdk.jmc.common.item.Aggregators;
import org.openjdk.jmc.common.item.IAttribute;
import org.openjdk.jmc.common.item.IItem;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.item.IItemFilter;
import org.openjdk.jmc.common.item.IItemIterable;
import org.openjdk.jmc.common.item.IMemberAccessor;
import org.openjdk.jmc.common.item.ItemFilters;
import org.openjdk.jmc.common.util.PredicateToolkit;
import org.openjdk.jmc.flightrecorder.jdk.JdkAttributes;
import org.openjdk.jmc.flightrecorder.jdk.JdkFilters;

/**
 * What a recording says about native probes: the names, which are all that ties this plug-in to the agent.
 * <p>
 * A probe's hits are events of a type of its own, {@code uprobe.<group>.<event>}; probes with a wildcard share
 * {@value #NATIVE_CALL}. The agent reports about itself in four more types under the same prefix.
 */
final class ProbeEvents {

    static final String PREFIX = "uprobe.";
    static final String NATIVE_CALL = "uprobe.NativeCall";

    static final String PROBE_ARMED = "uprobe.ProbeArmed";
    static final String PROBE_REFUSED = "uprobe.ProbeRefused";
    static final String PROBE_STATISTICS = "uprobe.ProbeStatistics";
    static final String DATA_LOSS = "uprobe.DataLoss";
    private static final Set<String> ABOUT_PROBES = Set.of(PROBE_ARMED, PROBE_REFUSED, PROBE_STATISTICS, DATA_LOSS);

    /** Why a hit was committed by the drain thread, whose stack it then has; null for one with its caller's own stack. */
    static final IAttribute<String> DRAINED = attr("drained", "Drained", PLAIN_TEXT);

    /** The library a {@value #NATIVE_CALL} went to: with {@link #FUNCTION} what the type is for other hits. */
    static final IAttribute<String> LIBRARY = attr("library", "Library", PLAIN_TEXT);
    static final IAttribute<String> FUNCTION = attr("function", "Function", PLAIN_TEXT);

    /** The fields of {@value #PROBE_STATISTICS} that count hits which happened and yet are no events. */
    private static final List<IAttribute<Number>> HITS_WITHOUT_EVENT = List.of(attr("sampledOut", "Sampled Out", RAW_NUMBER),
            attr("dropped", "Dropped", RAW_NUMBER), attr("missed", "Missed", RAW_NUMBER));

    /** Hits of any probe. */
    static final IItemFilter HITS = type ->
            isHit(type.getIdentifier()) ? PredicateToolkit.truePredicate() : PredicateToolkit.falsePredicate();

    private ProbeEvents() {
    }

    static boolean isHit(String typeId) {
        return typeId.startsWith(PREFIX) && !ABOUT_PROBES.contains(typeId);
    }

    /** The types of hits that some recording had enabled, whether or not there was a hit. */
    static Set<String> enabledHitTypes(IItemCollection items) {
        Set<String> recorded = items
                .apply(ItemFilters.and(JdkFilters.RECORDING_SETTING,
                        ItemFilters.equals(JdkAttributes.REC_SETTING_NAME, "enabled"),
                        ItemFilters.equals(JdkAttributes.REC_SETTING_VALUE, "true")))
                .getAggregate(Aggregators.distinct(JdkAttributes.REC_SETTING_FOR_ID));
        Set<String> enabled = new TreeSet<>();
        if (recorded != null) {
            recorded.stream().filter(ProbeEvents::isHit).forEach(enabled::add);
        }
        return enabled;
    }

    /**
     * Whether the agent said that hits happened which are not in the recording. The counters may be totals or increments: only
     * that there were some is looked at.
     */
    static boolean someHitsHaveNoEvent(IItemCollection items) {
        if (items.apply(ItemFilters.type(DATA_LOSS)).hasItems()) {
            return true;
        }
        for (IItemIterable statistics : items.apply(ItemFilters.type(PROBE_STATISTICS))) {
            for (IAttribute<Number> counter : HITS_WITHOUT_EVENT) {
                IMemberAccessor<Number, IItem> hits = counter.getAccessor(statistics.getType());
                if (hits != null && statistics.stream().map(hits::getMember).anyMatch(n -> n != null && n.longValue() > 0)) {
                    return true;
                }
            }
        }
        return false;
    }
}
