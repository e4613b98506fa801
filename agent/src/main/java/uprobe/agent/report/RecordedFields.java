package uprobe.agent.report;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import uprobe.agent.report.EventType.Field;

/** The probes of some recordings, with the numbers that they fetch: for errors that say what there is. */
final class RecordedFields {
    private final Map<String, Set<String>> numbers = new TreeMap<>();
    private boolean aboutProbes;

    void look(EventType type) {
        if (!type.isHit()) {
            aboutProbes |= type.name().startsWith(EventType.PREFIX);
            return;
        }
        Set<String> names = numbers.computeIfAbsent(type.name(), key -> new LinkedHashSet<>());
        type.fields().stream().filter(EventType::isFetched).filter(Field::isNumber).map(Field::name).forEach(names::add);
    }

    boolean isEmpty() {
        return numbers.isEmpty() && !aboutProbes;
    }

    String probes() {
        return numbers.isEmpty() ? "none" : String.join(", ", numbers.keySet());
    }

    String numbersOf(String probe) {
        Set<String> names = numbers.getOrDefault(probe, Set.of());
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    boolean hasNumber(String field) {
        return numbers.values().stream().anyMatch(names -> names.contains(field));
    }

    String allNumbers() {
        Set<String> all = new LinkedHashSet<>();
        numbers.values().forEach(all::addAll);
        return all.isEmpty() ? "there are no fields of numbers" : "there are " + String.join(", ", all);
    }
}
