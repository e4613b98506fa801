package uprobe.agent.verb;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import uprobe.jfr.EventBridge;
import uprobe.jfr.RecordedProbe;
import uprobe.probe.spec.Nearest;

/** How verbs call probes: {@code zlib/deflate}, {@code uprobe.zlib.deflate}, {@code -:zlib/deflate}; {@code *} and {@code ?} stand for anything. */
final class Names {
    private static final String PREFIX = "uprobe.", REMOVAL = "-:";

    /** Of names of event types. */
    static Predicate<String> of(String written) {
        Pattern pattern = Pattern.compile(plain(written).chars()
                .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c))).collect(Collectors.joining()));
        return name -> pattern.matcher(plain(name)).matches();
    }

    static String plain(String name) {
        String plain = name.startsWith(REMOVAL) ? name.substring(REMOVAL.length()) : name;
        plain = plain.startsWith(PREFIX) ? plain.substring(PREFIX.length()) : plain;
        return plain.replace('/', '.');
    }

    /** Why nothing came of it. */
    static String none(String name, Optional<EventBridge> bridge) {
        List<String> there = bridge.map(EventBridge::probes).orElse(List.of()).stream().map(RecordedProbe::eventName).map(Names::plain).distinct().sorted().toList();
        if (there.isEmpty()) {
            return name + ": there are no probes in this JVM";
        }
        return name + ": there is no such probe; " + Nearest.atAnyDistance(plain(name), there).map(nearest -> "the nearest is " + nearest + ", ").orElse("")
                + "there are " + there.size() + ": " + there.stream().limit(10).collect(Collectors.joining(", ")) + (there.size() > 10 ? ", ..." : "");
    }

    private Names() {}
}
