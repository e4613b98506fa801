package uprobe.agent.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;

/** The tables of calls. */
final class ReportTables {
    enum By { FUNCTION, CALLER, BOTH }

    private final Calls calls;

    ReportTables(Calls calls) {
        this.calls = calls;
    }

    static Column amount(String title, EventType.Unit unit) {
        return switch (unit) {
            case BYTES -> Column.bytes(title);
            case TICKS, NANOSECONDS -> Column.time(title);
            default -> Column.count(title);
        };
    }

    List<Table> of(List<By> wanted) {
        return wanted.stream().map(this::of).toList();
    }

    private Table of(By by) {
        List<CallRow> rows = switch (by) {
            case FUNCTION -> calls.byFunction();
            case CALLER -> calls.byCaller();
            case BOTH -> calls.byBoth();
        };
        List<Column> columns = new ArrayList<>();
        if (by != By.CALLER) {
            columns.add(Column.text("function"));
        }
        if (by != By.FUNCTION) {
            columns.add(Column.text("caller"));
        }
        columns.addAll(List.of(Column.count("calls"), Column.time("total"), Column.time("self"), Column.time("p50"), Column.time("p90"), Column.time("p99")));
        calls.sumFields().forEach(field -> columns.add(amount(field, calls.unit(field)).named("sum." + field)));
        columns.add(Column.time("longest"));
        columns.add(Column.text("with").named("longestValues"));
        Table table = new Table(name(by), title(by), columns);
        rows.forEach(row -> table.row(cells(by, row)));
        return table;
    }

    private static String name(By by) {
        return switch (by) {
            case FUNCTION -> "byFunction";
            case CALLER -> "byCaller";
            case BOTH -> "byBoth";
        };
    }

    private static String title(By by) {
        return switch (by) {
            case FUNCTION -> "By function";
            case CALLER -> "By Java caller";
            case BOTH -> "By function and Java caller";
        };
    }

    private Object[] cells(By by, CallRow row) {
        List<Object> cells = new ArrayList<>();
        if (by != By.CALLER) {
            cells.add(row.function);
        }
        if (by != By.FUNCTION) {
            cells.add(row.caller);
        }
        cells.add(row.calls);
        cells.addAll(row.isTimed() ? Arrays.asList(row.nanos, row.selfNanos, row.durations.percentile(50), row.durations.percentile(90),
                row.durations.percentile(99)) : Arrays.asList(null, null, null, null, null));
        cells.addAll(Arrays.asList(row.sums));
        cells.add(row.isTimed() ? row.longest : null);
        cells.add(row.longestValues);
        return cells.toArray();
    }
}
