package uprobe.jfr;

import java.util.Set;
import java.util.TreeSet;
import jdk.jfr.SettingControl;

/**
 * A setting of a probe's events that JFR knows by name only: {@code filter}, {@code sample}, {@code limit}, {@code mode}. JFR makes one of each when
 * the event class is registered, tells it the wish of each recording, and has it combine them when there are several.
 * <p>
 * {@link #setValue} is called with JFR's recorder lock held: it only notes the wish. JDK 17 loses what {@link #combine} returned and calls
 * {@code setValue(null)} instead, so that is remembered here.
 */
public abstract class OwnSetting extends SettingControl {
    /** Whose event class is being registered by this thread. */
    private static final ThreadLocal<RecordedProbe> registering = new ThreadLocal<>();

    private final String name;
    private final RecordedProbe probe = registering.get();
    private String combined;
    private volatile String value;      /* null: what the probe was written with */

    OwnSetting(String name) {
        this.name = name;
    }

    /** JFR makes settings by their constructors without arguments, on the thread that registers. */
    static void register(RecordedProbe probe, Runnable registration) {
        registering.set(probe);
        try {
            registration.run();
        } finally {
            registering.remove();
        }
    }

    /** What holds if no recording says anything: as the probe was written. */
    abstract String initial(RecordedProbe of);

    /** What lets through all that any of them lets through; two at least. */
    abstract String union(Set<String> wishes);

    /** @throws IllegalArgumentException with one sentence if the text means nothing */
    abstract void check(RecordedProbe of, String text);

    final String name() {
        return name;
    }

    /** What lets through all that any of these wishes lets through; a bad one is as none. */
    final String of(Set<String> wishes) {
        Set<String> good = new TreeSet<>();
        for (String wish : wishes) {
            good.add(problemOf(wish) == null ? wish.strip() : initial(probe));
        }
        return good.size() == 1 ? good.iterator().next() : union(good);
    }

    @Override
    public final String combine(Set<String> wishes) {
        wishes.forEach(this::tell);
        combined = of(wishes);
        return combined;
    }

    @Override
    public final void setValue(String wish) {
        if (wish != null) {
            tell(wish);
            value = of(Set.of(wish));
        } else if (combined != null) {
            value = combined;
        }
        if (probe != null) {
            probe.settingChanged(this, registering.get() != null);
        }
    }

    private void tell(String wish) {
        String problem = problemOf(wish);
        if (problem != null && probe != null) {
            probe.problem("setting " + name() + "=" + wish + " of " + probe.eventName() + ": " + problem + "; it is as if it said nothing");
        }
    }

    /** Null if the wish can be understood. */
    private String problemOf(String wish) {
        try {
            check(probe, wish.strip());
            return null;
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    @Override
    public final String getValue() {
        String now = value;
        return now == null ? initial(probe) : now;
    }
}
