package uprobe.jfr;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A recording configuration (.jfc) that names the probes' events with all their settings, to be edited and to be given beside another:
 * {@code jcmd PID JFR.start settings=default.jfc settings=probes.jfc}; no JDK takes a list with a comma for one {@code settings=}.
 */
final class JfcText {
    static String of(List<RecordedProbe> probes) {
        StringBuilder out = new StringBuilder("""
                <?xml version="1.0" encoding="UTF-8"?>
                <!-- enabled: the probe is armed while the recording runs. filter: a condition over the probe's fields. sample: 1/N. limit: N/s.
                     mode: event, count or hist; the latter two make no events but uprobe.ProbeStatistics. -->
                <configuration version="2.0" label="Native Probes" description="The probes of this JVM" provider="uprobe">
                """);
        merged(probes.stream().map(probe -> Map.entry(probe.eventName(), probe.defaults())).toList()).forEach((name, settings) -> event(out, name, settings));
        for (String name : List.of("uprobe.ProbeArmed", "uprobe.ProbeRefused", "uprobe.ProbeStatistics", "uprobe.DataLoss")) {
            event(out, name, Map.of("enabled", "true"));
        }
        return out.append("</configuration>\n").toString();
    }

    /**
     * One entry for each name. Patterns' probes share {@code uprobe.NativeCall}, and what a file says of it holds for all of them: where they were written
     * differently it must say nothing, so that each keeps what it was written with.
     */
    static Map<String, Map<String, String>> merged(List<Map.Entry<String, Map<String, String>>> events) {
        Map<String, Map<String, String>> byName = new LinkedHashMap<>();
        events.forEach(event -> byName.merge(event.getKey(), new LinkedHashMap<>(event.getValue()), (all, more) -> {
            all.entrySet().retainAll(more.entrySet());
            return all;
        }));
        return byName;
    }

    private static void event(StringBuilder out, String name, Map<String, String> settings) {
        out.append("  <event name=\"").append(escaped(name)).append("\">\n");
        settings.forEach((setting, value) ->
                out.append("    <setting name=\"").append(setting).append("\">").append(escaped(value)).append("</setting>\n"));
        out.append("  </event>\n");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    private JfcText() {}
}
