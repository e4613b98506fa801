package uprobe.jfr;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jdk.jfr.Event;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import uprobe.probe.Growth;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.ProbeSettings;
import uprobe.probe.Refusal;
import uprobe.probe.spec.Condition;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.RateLimit;
import uprobe.probe.spec.Sampling;
import uprobe.probe.spec.Until;

/**
 * A probe, the event type of its hits, and what recordings want of it. It is armed while a recording has the type enabled, and judged by what all that
 * run want together.
 */
public final class RecordedProbe {
    /** Longer than any call: JFR's own ticks are 63 bits. */
    private static final long LONGEST = Long.MAX_VALUE >> 1;

    private static final String THRESHOLD = "threshold", ENABLED = "enabled";
    private static final Pattern TIME = Pattern.compile("([0-9]{1,9}) ?(ns|us|ms|s)");

    /** The guard looks at the rate over so long. */
    private static final long GUARD_NANOS = 1_000_000_000;

    private final EventBridge bridge;
    private final ProbeSpec spec;
    private volatile String eventName;
    private final Map<String, OwnSetting> settings = new ConcurrentHashMap<>();
    private EventType type;
    /** An event that is never committed, and its duration: JFR adds that field when it loads the class. */
    private Event sample;
    private Field duration;
    private boolean lastEnabled;
    private long lastThreshold;
    private Probe probe;
    /** Counters at the last look of {@link #keep}, and when that was. */
    private ProbeCounters before;
    private long beforeNanos;
    private long armedFirstNanos;
    private volatile boolean guarded;
    private volatile boolean ended;
    private volatile String refusal = "";
    /** It is refused as long as its libraries are not there: who looks for libraries arms it. */
    private volatile boolean waitsForALibrary;
    private String told = "";           /* what was said of it last, as long as that is so */
    private Mode mode = Mode.EVENT;
    private final boolean enabledByDefault;
    private final List<Class<? extends Event>> types = new ArrayList<>();
    /** What holds whatever recordings say, by setting. */
    private volatile Map<String, String> overrides = Map.of();

    RecordedProbe(EventBridge bridge, ProbeSpec spec, boolean enabledByDefault) {
        this.enabledByDefault = enabledByDefault;
        this.bridge = bridge;
        this.spec = spec;
    }

    /** JFR learns the type; recordings that run already may have it enabled at once. A pattern has one for each library, of one name. */
    void register(String name, Class<? extends Event> generated) {
        eventName = name;
        OwnSetting.register(this, () -> FlightRecorder.register(generated));
        types.add(generated);
        type = EventType.getEventType(generated);
        try {
            sample = generated.getDeclaredConstructor().newInstance();
            duration = generated.getDeclaredField("duration");
            duration.setAccessible(true);
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
    }

    void probe(Probe defined) {
        probe = defined;
    }

    public ProbeSpec spec() {
        return spec;
    }

    /** As it was written, and what was set since. */
    public String text() {
        return spec.text() + (overrides.isEmpty() ? "" : "   set: " + overrides.entrySet().stream().map(set -> set.getKey() + "=" + set.getValue()).collect(Collectors.joining(" ")));
    }

    /** JFR forgets its type; events that were made stay. It must be disarmed. */
    void unregister() {
        types.forEach(FlightRecorder::unregister);
    }

    /**
     * What holds from now on whatever recordings say; an empty value takes that back. It is applied by the caller.
     *
     * @return what changed, one line
     * @throws IllegalArgumentException with one sentence if a setting or value means nothing; then nothing was changed
     */
    String override(Map<String, String> values) {
        Map<String, String> all = new TreeMap<>(overrides);
        values.forEach((name, value) -> {
            if (!value.isEmpty()) {
                check(name, value);
                all.put(name, value);
            } else if (all.remove(name) == null) {
                check(name, "");
            }
        });
        overrides = Map.copyOf(all);
        guarded = false;
        return eventName + ": " + (all.isEmpty() ? "as it was written, and as recordings say"
                : all.entrySet().stream().map(set -> set.getKey() + "=" + set.getValue()).collect(Collectors.joining(" ")) + ", whatever recordings say");
    }

    /** An empty value is no mistake. */
    private void check(String name, String value) {
        OwnSetting setting = settings.get(name);
        if (setting != null && !value.isEmpty()) {
            try {
                setting.check(this, value);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + "=" + value + " of " + eventName + ": " + e.getMessage(), e);
            }
        } else if (name.equals(THRESHOLD)) {
            if (!value.isEmpty()) {
                nanos(value);
            }
        } else if (name.equals(ENABLED)) {
            if (!Set.of("", "true", "false").contains(value)) {
                throw new IllegalArgumentException("enabled=" + value + " means nothing; write enabled=false, or enabled= to take that back");
            }
        } else if (setting == null) {
            throw new IllegalArgumentException("there is no setting " + name + "; there are " + String.join(", ", new TreeSet<>(settings.keySet())) + ", " + THRESHOLD
                    + " and " + ENABLED);
        }
    }

    /** JFR's own way to write a time: {@code 10 ms}, with or without the blank. */
    private static long nanos(String text) {
        Matcher time = TIME.matcher(text);
        if (!time.matches()) {
            throw new IllegalArgumentException(THRESHOLD + "=" + text + " is no time; write 500us, 10 ms or 1s");
        }
        return Long.parseLong(time.group(1)) * switch (time.group(2)) {
            case "us" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "s" -> 1_000_000_000L;
            default -> 1L;
        };
    }

    /** Name of the event type, {@code uprobe.GROUP.EVENT}. */
    public String eventName() {
        return eventName;
    }

    public Probe probe() {
        return probe;
    }

    /** Why it is not armed though it is wanted; empty if it is, or is not wanted. */
    public String refusal() {
        return refusal;
    }

    /** Whether it may be armed now without anything else having changed: a thread that blocked a signal is gone, or a foreign byte. */
    boolean isWorthAnotherTry() {
        return !refusal.isEmpty() && !waitsForALibrary;
    }

    /**
     * Called with JFR's lock held.
     *
     * @param registering on the thread that adds the probe, and then makes it what recordings want
     */
    void settingChanged(OwnSetting setting, boolean registering) {
        settings.put(setting.name(), setting);
        guarded = false;
        if (!registering) {
            bridge.settingsChanged();
        }
    }

    void problem(String line) {
        bridge.says().accept(line);
    }

    /** @throws IllegalArgumentException if the text is no condition over this probe's fields; null if it is empty */
    Condition condition(String text) {
        try {
            return text.isEmpty() ? null : Condition.parse(text, spec.fields(), spec.type(), 1);
        } catch (ProbeSyntaxException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /**
     * What all running recordings that have the event enabled want together. Asked of the recordings themselves: JFR combines only what they say, so one
     * that says nothing, and wants what the probe has by itself, would be bound by the wishes of the others.
     */
    private String value(String name, List<Map<String, String>> running) {
        String override = overrides.get(name);
        if (override != null) {
            return override;
        }
        OwnSetting setting = settings.get(name);        /* JFR made all four when the class was registered */
        Set<String> wishes = new TreeSet<>();
        for (Map<String, String> said : running) {
            if (Boolean.parseBoolean(said(said, "enabled", String.valueOf(enabledByDefault)))) {
                wishes.add(said(said, name, setting.initial(this)));
            }
        }
        return wishes.isEmpty() ? setting.initial(this) : setting.of(wishes);
    }

    /** JFR takes the event's name and its number. */
    private String said(Map<String, String> settings, String name, String otherwise) {
        String byName = settings.get(eventName + "#" + name);
        return byName != null ? byName : settings.getOrDefault(type.getId() + "#" + name, otherwise);
    }

    /** What recordings want now. Called with the bridge's lock of transactions. */
    private ProbeSettings wanted(boolean enabled, List<Map<String, String>> running) {
        Mode wanted = Mode.parse(value("mode", running)), last = mode;
        mode = enabled || wanted != Mode.EVENT ? wanted : Mode.COUNT;
        if (mode != last) {
            before = null;          /* what was only counted is nothing to the guard */
        }
        Condition condition;
        try {
            condition = condition(value("filter", running));
        } catch (IllegalArgumentException tooLarge) {
            condition = null;       /* several filters, which together are more than the engine takes: all hits go on */
        }
        long until = guarded ? 0 : spec.options().until().hits();
        lastThreshold = enabled ? threshold() : 0;
        String override = overrides.get(THRESHOLD);
        long threshold = override == null ? lastThreshold : Math.max(lastThreshold, bridge.engine().units(nanos(override)));
        return new ProbeSettings(mode, threshold, condition,
                Sampling.parse(value("sample", running)).oneOf(), RateLimit.parse(value("limit", running)).perSecond(), until, true);
    }

    /**
     * The threshold that JFR has combined, asked of JFR itself: the shortest duration that it would take.
     *
     * @return in its ticks, which are as long as the engine's units; 0 if it takes all
     */
    private long threshold() {
        if (isTaken(ProbeSettings.INSTANT)) {
            return 0;
        }
        long low = ProbeSettings.INSTANT, high = LONGEST;
        while (low + 1 < high) {        /* not taken at low, taken at high, if anywhere */
            long middle = low + (high - low) / 2;
            if (isTaken(middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return high == LONGEST ? 0 : high;      /* disabled meanwhile: commit() will say so */
    }

    /** Whether JFR would take an event of this duration. */
    private boolean isTaken(long ticks) {
        try {
            duration.setLong(sample, ticks);
            return sample.shouldCommit();
        } catch (IllegalAccessException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** JFR tells of changes in a running recording only where one of our own settings is set; the others have to be looked for. */
    boolean changedMeanwhile() {
        boolean enabled = type.isEnabled();
        return enabled != lastEnabled || enabled && (lastThreshold == 0 ? !isTaken(ProbeSettings.INSTANT) : !isTaken(lastThreshold) || isTaken(lastThreshold - 1));
    }

    /** Its settings as they are where no recording says anything, in the order in which one reads them. */
    Map<String, String> defaults() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("enabled", String.valueOf(enabledByDefault));
        all.put("stackTrace", String.valueOf(spec.options().stack()));
        all.put("threshold", "0 ns");
        List.of("filter", "sample", "limit", "mode").forEach(name -> all.put(name, settings.get(name).initial(this)));
        return all;
    }

    /**
     * Makes it what recordings want now. Called with the bridge's lock of transactions.
     *
     * @param running the settings of the recordings that run
     * @return whether it was armed by this
     */
    boolean apply(boolean always, boolean off, List<Map<String, String>> running) {
        lastEnabled = type.isEnabled();
        if (!probe.isArmed() && armedFirstNanos != 0) {
            endIfItsTimeIsUp();         /* nobody looked while it was not armed */
        }
        boolean enabled = lastEnabled, wanted = !off && !ended && (enabled || always) && !"false".equals(overrides.get(ENABLED));
        try {
            if (!wanted) {
                refusal = told = "";
                waitsForALibrary = false;
                probe.disarm();
                return false;
            }
            boolean armed = probe.isArmed();
            if (!armed) {
                release();
            }
            probe.use(wanted(enabled, running));
            if (armed) {
                return false;
            }
            probe.arm();
            refusal = told = "";
            waitsForALibrary = false;
            if (armedFirstNanos == 0) {
                armedFirstNanos = System.nanoTime();
            }
            return true;
        } catch (ProbeRefusedException | IOException e) {
            refusal = String.valueOf(e.getMessage());
            waitsForALibrary = e instanceof ProbeRefusedException refused && refused.refusal().isForWantOfALibrary();
            String news = waitsForALibrary ? Refusal.LIBRARY_NOT_LOADED.sentence() : refusal;      /* without the libraries that are there instead */
            if (!news.equals(told)) {
                told = news;
                bridge.refused(this);
            }
            return false;
        }
    }

    /** Looks for libraries that have come or gone; new places are armed if the others are. Called as {@link #apply}. */
    Growth grow(boolean always, boolean off, List<Map<String, String>> running) throws IOException {
        boolean armed = probe.isArmed();
        Growth growth;
        try {
            growth = probe.extend();
        } catch (ProbeRefusedException notArmed) {
            growth = Growth.NONE;
        }
        if (armed && growth.places() == 0 && !growth.went().isEmpty()) {
            refusal = String.join(", ", growth.went()) + " was unloaded; the probe waits for it";
            told = Refusal.LIBRARY_NOT_LOADED.sentence();
            waitsForALibrary = true;
            bridge.gone(this);
        } else if (armed && probe.isArmed()) {
            bridge.news().armed(this, growth.came());
        } else if (armed || !growth.came().isEmpty()) {
            if (apply(always, off, running)) {
                bridge.news().armed(this, probe.sites());
            }
        }
        return growth;
    }

    /** The guard holds it no longer, and begins anew. Called with the bridge's lock of transactions. */
    void release() {
        guarded = false;
        before = null;
    }

    /** Looks after it now and then: its guard, and its end. Returns whether its settings have to be applied anew. */
    boolean keep(RateLimit guard) {
        if (!probe.isArmed()) {
            before = null;
            return false;
        }
        if (endIfItsTimeIsUp()) {
            return true;
        }
        long nanos = System.nanoTime();
        if (before != null && nanos - beforeNanos < GUARD_NANOS) {
            return false;
        }
        ProbeCounters now = probe.counters();
        boolean changed = false;
        if (before != null && !guarded && guard.perSecond() != RateLimit.NONE.perSecond()) {
            long events = now.recorded() + now.dropped() - before.recorded() - before.dropped();
            double perSecond = events * 1e9 / (nanos - beforeNanos);
            if (perSecond > guard.perSecond() && mode == Mode.EVENT) {
                guarded = changed = true;
                bridge.guarded(this, Math.round(perSecond));
            }
        }
        before = now;
        beforeNanos = nanos;
        return changed;
    }

    /** It ends with its last hit or by time, once and for all; only if it was armed before. Returns whether it does so now. */
    private boolean endIfItsTimeIsUp() {
        Until until = spec.options().until();
        if (ended || until.equals(Until.NEVER)) {
            return false;
        }
        long hits = probe.counters().hits();
        if (hits < until.hits() && System.nanoTime() - armedFirstNanos < until.nanos()) {
            return false;
        }
        ended = true;
        bridge.says().accept(eventName + " has come to its end (until=" + until.text() + ") after " + hits + " hits; it is disarmed");
        return true;
    }

    /** Whether durations are of any meaning. */
    boolean isCall() {
        return spec.type() == ProbeType.CALL;
    }
}
