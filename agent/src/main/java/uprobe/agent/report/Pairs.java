package uprobe.agent.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;

/**
 * What was opened and never closed: two probes, paired by a value of each, as malloc's result and free's argument
 * <p>
 * A thing is open from the end of the call that made it to the start of the call that takes it away. No thing is what could not be read, -1 (as open and mmap say
 * that they failed), any negative number of a field that is no address, and 0 of one that is, or has no sign (as malloc says so, and free(0) is allowed).
 */
final class Pairs {
    /** What a user names: {@code malloc:ret}. */
    record End(String probe, String field) {
        static End parse(String text) throws BadInput {
            int colon = text.lastIndexOf(':');
            if (colon <= 0 || colon == text.length() - 1) {
                throw BadInput.usage("--pair wants two of PROBE:FIELD, not '" + text + "'; e.g. --pair malloc:ret free:ptr");
            }
            return new End(text.substring(0, colon), text.substring(colon + 1));
        }
    }

    private static final class Caller {
        private final String name;
        private long opened, open, amount;

        Caller(String name) {
            this.name = name;
        }
    }

    /** Fields by their index in a type; -1: the type has no such part. */
    private record Role(int open, int close, int amount) {}

    private final End open, close;
    private final List<String> sumFields;
    private final OpenKeys keys = new OpenKeys();
    private final Map<String, Integer> owners = new HashMap<>();
    private final List<Caller> callers = new ArrayList<>();
    private final Set<String> seen = new TreeSet<>();
    private final Set<End> found = new HashSet<>();
    private final Map<EventType, Role> roles = new IdentityHashMap<>();
    private String sumField;
    private long opened, closed;

    Pairs(End open, End close, List<String> sumFields) {
        this.open = open;
        this.close = close;
        this.sumFields = sumFields;
    }

    /** Of each chunk. Whether what the user named is there at all is known in the end. */
    void look(List<EventType> types) {
        roles.clear();
        for (EventType type : types) {
            int opens = indexIn(type, open), closes = indexIn(type, close);
            if (opens >= 0 && sumField == null) {
                sumField = sumFields.stream().filter(field -> isNumber(type, field)).findFirst().orElse(null);
            }
            roles.put(type, new Role(opens, closes, sumField == null ? -1 : type.indexOf(sumField)));
        }
    }

    private int indexIn(EventType type, End end) {
        if (!type.isCalled(end.probe)) {
            return -1;
        }
        seen.add(end.probe + " " + type.name());
        if (!isNumber(type, end.field)) {
            return -1;
        }
        found.add(end);
        return type.indexOf(end.field);
    }

    private static boolean isNumber(EventType type, String field) {
        int index = type.indexOf(field);
        return index >= 0 && type.fields().get(index).isNumber();
    }

    /** @throws BadInput if a probe or field is none, or more than one, of the recordings' */
    void check(RecordedFields recorded) throws BadInput {
        for (End end : List.of(open, close)) {
            List<String> types = seen.stream().filter(each -> each.startsWith(end.probe + " ")).map(each -> each.substring(end.probe.length() + 1)).toList();
            if (types.isEmpty()) {
                throw BadInput.usage("--pair: no probe is called '" + end.probe + "'; there are " + recorded.probes());
            }
            if (types.size() > 1) {
                throw BadInput.usage("--pair: '" + end.probe + "' is any of " + String.join(", ", types) + "; write one of them");
            }
            if (!found.contains(end)) {
                throw BadInput.usage("--pair: " + types.get(0) + " has no field '" + end.field + "' of numbers; it has " + recorded.numbersOf(types.get(0)));
            }
        }
    }

    void add(Hit hit, StackNode node) {
        Role role = roles.get(hit.type);
        if (role.open >= 0 && isThing(hit, role.open)) {
            opened++;
            int owner = owners.computeIfAbsent(Calls.callerOf(node), name -> {
                callers.add(new Caller(name));
                return callers.size() - 1;
            });
            callers.get(owner).opened++;
            keys.open(hit.number(role.open), hit.chunk().timeNanos(hit.endTicks()), owner, role.amount < 0 ? 0 : hit.number(role.amount));
        }
        if (role.close >= 0 && isThing(hit, role.close)) {
            closed++;
            keys.close(hit.number(role.close), hit.chunk().timeNanos(hit.startTicks()));
        }
    }

    private static boolean isThing(Hit hit, int index) {
        EventType.Unit unit = hit.type.fields().get(index).unit();
        boolean unsigned = unit == EventType.Unit.ADDRESS || unit == EventType.Unit.UNSIGNED;
        long key = hit.number(index);
        return hit.isRead(index) && (unsigned ? key != 0 && key != -1 : key >= 0);
    }

    /** @param calls that know the unit of what is summed */
    Table table(Calls calls) {
        keys.forEachOpen((owner, amount) -> {
            callers.get(owner).open++;
            callers.get(owner).amount += amount;
        });
        Stream<Column> columns = Stream.of(Column.text("caller"), Column.count("opened"), Column.count("still open").named("open"));
        List<Column> all = Stream.concat(columns, sumField == null ? Stream.of() : Stream.of(ReportTables.amount("open " + sumField, calls.unit(sumField)).named("open." + sumField))).toList();
        Table table = new Table("open", "Opened by " + open.probe + ":" + open.field + " and never closed by " + close.probe + ":" + close.field, all);
        callers.stream().filter(each -> each.open > 0).sorted(Comparator.comparingLong((Caller each) -> each.amount).thenComparingLong(each -> each.open).reversed()
                .thenComparing(each -> each.name)).forEach(each -> {
                    if (sumField == null) {
                        table.row(each.name, each.opened, each.open);
                    } else {
                        table.row(each.name, each.opened, each.open, each.amount);
                    }
                });
        return table;
    }

    String note() {
        long open = callers.stream().mapToLong(each -> each.open).sum();
        return String.format(Locale.ROOT, "%s:%s opened %,d, %s:%s closed %,d; %,d are open at the end, unless hits were lost.", this.open.probe, this.open.field, opened,
                close.probe, close.field, closed, open);
    }
}
