package uprobe.agent.console;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.HorizontalAlign;
import com.github.freva.asciitable.Styler;
import com.grack.nanojson.JsonSink;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import picocli.CommandLine.Help.Ansi;

/**
 * A table: columns, and rows of plain values, which are shown humanely as text and left as they are in JSON. A null is an empty cell, and not there in JSON.
 *
 * <pre>
 * Table table = new Table("byFunction", "Calls by function", Column.text("function"), Column.count("calls"), Column.time("total"));
 * table.row("libz.deflate", 1_234_567L, 12_300_000.0);
 * </pre>
 */
public final class Table {
    /**
     * @param title the header
     * @param key the member's name in JSON
     * @param shown from a value, never null, to its text
     */
    public record Column(String title, String key, boolean right, Function<Object, String> shown) {
        public static Column text(String title) {
            return new Column(title, title, false, Object::toString);
        }

        /** Of whole numbers. */
        public static Column count(String title) {
            return new Column(title, title, true, value -> Amounts.count(((Number) value).longValue()));
        }

        /** Of times in ns, which their name in JSON says. */
        public static Column time(String title) {
            return new Column(title, title + "Nanos", true, value -> Amounts.time(((Number) value).doubleValue()));
        }

        public static Column bytes(String title) {
            return new Column(title, title + "Bytes", true, value -> Amounts.bytes(((Number) value).longValue()));
        }

        /** Under another name in JSON. */
        public Column named(String name) {
            return new Column(title, name, right, shown);
        }

        String cell(Object value) {
            return value == null ? "" : shown.apply(value);
        }
    }

    private static final int WIDEST = 4096;

    private final String name;
    private final String title;
    private final List<Column> columns;
    private final List<List<Object>> rows = new ArrayList<>();

    /** @param name in JSON */
    public Table(String name, String title, Column... columns) {
        this(name, title, List.of(columns));
    }

    public Table(String name, String title, List<Column> columns) {
        this.name = name;
        this.title = title;
        this.columns = List.copyOf(columns);
    }

    /** @param cells one for each column: strings and numbers */
    public Table row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns.size() + " columns of " + name);
        }
        rows.add(Collections.unmodifiableList(new ArrayList<>(java.util.Arrays.asList(cells))));
        return this;
    }

    /** With so many of its rows at most, and a title that says so. */
    public Table top(int most) {
        if (rows.size() <= most) {
            return this;
        }
        Table top = new Table(name, title + " (" + most + " of " + rows.size() + "; --top " + rows.size() + " shows all)", columns);
        top.rows.addAll(rows.subList(0, most));
        return top;
    }

    public String name() {
        return name;
    }

    public String title() {
        return title;
    }

    public List<Column> columns() {
        return columns;
    }

    public List<List<Object>> rows() {
        return Collections.unmodifiableList(rows);
    }

    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /** What is shown of a value of this table. */
    public String shown(int row, int column) {
        return columns.get(column).cell(rows.get(row).get(column));
    }

    /** Title, header and rows, with no line's end behind the last. */
    public String text(Ansi ansi) {
        List<com.github.freva.asciitable.ColumnData<List<Object>>> data = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            int index = i;
            HorizontalAlign align = column.right() ? HorizontalAlign.RIGHT : HorizontalAlign.LEFT;
            data.add(new com.github.freva.asciitable.Column().header(column.title()).headerAlign(align).dataAlign(align)
                    .maxWidth(WIDEST).with(row -> column.cell(row.get(index))));
        }
        String lines = AsciiTable.builder().border(AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS_NO_OUTSIDE_BORDER).lineSeparator("\n")
                .styler(new Bold(ansi)).data(rows, data).asString();
        return ansi.string("@|bold " + title + "|@") + "\n" + lines.lines().map(String::stripTrailing).reduce((a, b) -> a + "\n" + b).orElse("");
    }

    /** Writes the rows as an array of objects, as a member of the object that is open. */
    public void json(JsonSink<?> out) {
        out.array(name);
        for (List<Object> row : rows) {
            out.object();
            for (int i = 0; i < columns.size(); i++) {
                Object value = row.get(i);
                if (value instanceof Double number) {
                    out.value(columns.get(i).key(), Math.round(number));
                } else if (value instanceof Number number) {
                    out.value(columns.get(i).key(), number);
                } else if (value != null) {
                    out.value(columns.get(i).key(), value.toString());
                }
            }
            out.end();
        }
        out.end();
    }

    /** The header stands out, where there is a terminal. */
    private record Bold(Ansi ansi) implements Styler {
        @Override
        public List<String> styleHeader(com.github.freva.asciitable.Column column, int index, List<String> lines) {
            return lines.stream().map(line -> ansi.enabled() && !line.isBlank() ? "\u001b[1m" + line + "\u001b[0m" : line).toList();
        }
    }
}
