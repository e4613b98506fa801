package uprobe.agent.console;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import com.github.freva.asciitable.Styler;
import com.grack.nanojson.JsonSink;
import com.grack.nanojson.JsonStringWriter;
import com.grack.nanojson.JsonWriter;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import picocli.CommandLine.Help.Ansi;

/**
 * A table: columns, and rows of plain values, which are shown humanely as text and left as they are in JSON. A null is an empty cell, and not there in JSON.
 * A target sends its tables to the command that asked, which knows how wide its terminal is.
 *
 * <pre>
 * Table table = new Table("byFunction", "Calls by function", Column.text("function"), Column.count("calls"), Column.time("total"));
 * table.row("libz.deflate", 1_234_567L, 12_300_000.0);
 * </pre>
 */
public final class Table {
    /** What the values of a column are. */
    public enum Kind {
        /** Strings. */
        TEXT,
        /** Strings at the right. */
        RIGHT,
        /** Whole numbers. */
        COUNT,
        /** Nanoseconds. */
        TIME,
        /** Bytes. */
        BYTES;

        private boolean isText() {
            return this == TEXT || this == RIGHT;
        }
    }

    /**
     * @param title the header
     * @param key the member's name in JSON
     */
    public record Column(String title, String key, Kind kind) {
        public static Column text(String title) {
            return new Column(title, title, Kind.TEXT);
        }

        /** Of texts that end at one line. */
        public static Column right(String title) {
            return new Column(title, title, Kind.RIGHT);
        }

        /** Of whole numbers. */
        public static Column count(String title) {
            return new Column(title, title, Kind.COUNT);
        }

        /** Of times in ns, which their name in JSON says. */
        public static Column time(String title) {
            return new Column(title, title + "Nanos", Kind.TIME);
        }

        public static Column bytes(String title) {
            return new Column(title, title + "Bytes", Kind.BYTES);
        }

        /** Under another name in JSON. */
        public Column named(String name) {
            return new Column(title, name, kind);
        }

        /** Whether its values end at one line. */
        public boolean right() {
            return kind != Kind.TEXT;
        }

        String cell(Object value) {
            return value == null ? "" : switch (kind) {
                case TEXT, RIGHT -> value.toString();
                case COUNT -> Amounts.count(((Number) value).longValue());
                case TIME -> Amounts.time(((Number) value).doubleValue());
                case BYTES -> Amounts.bytes(((Number) value).longValue());
            };
        }
    }

    private static final String GAP = "  ", ELLIPSIS = "\u2026";
    /** Mangled names have hundreds of characters; others are not moved away for their sake. */
    private static final int WIDEST_PADDED = 64;
    /** No text is cut shorter than this. */
    private static final int NARROWEST = 16;
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

    /** One that stands alone, without a title. */
    public static Table of(Column... columns) {
        return new Table("", "", columns);
    }

    /** @param cells one for each column: strings and numbers */
    public Table row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns.size() + " columns of " + name);
        }
        for (int i = 0; i < cells.length; i++) {
            if (cells[i] != null && columns.get(i).kind.isText() == cells[i] instanceof Number) {
                throw new IllegalArgumentException(columns.get(i) + " takes no " + cells[i].getClass());
            }
        }
        rows.add(Collections.unmodifiableList(new ArrayList<>(Arrays.asList(cells))));
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
        List<ColumnData<List<Object>>> data = new ArrayList<>();
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

    /**
     * Header and rows without borders, each line with its end.
     *
     * @param width of the terminal, in characters: the widest texts are cut to fit into it. 0: nothing is cut, and what is much longer than most goes over
     *     its column's edge
     */
    public String text(int width) {
        String[][] cells = new String[rows.size() + 1][columns.size()];
        for (int i = 0; i < columns.size(); i++) {
            cells[0][i] = columns.get(i).title();
            for (int row = 0; row < rows.size(); row++) {
                cells[row + 1][i] = shown(row, i);
            }
        }
        int[] widths = widths(cells, width);
        StringBuilder text = new StringBuilder();
        for (String[] row : cells) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String cell = width > 0 && row[i].length() > widths[i] ? row[i].substring(0, widths[i] - 1) + ELLIPSIS : row[i];
                String blanks = " ".repeat(Math.max(0, widths[i] - cell.length()));
                line.append(i > 0 ? GAP : "").append(columns.get(i).right() ? blanks + cell : cell + blanks);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** The widest texts give first. */
    private int[] widths(String[][] cells, int width) {
        int[] widths = new int[columns.size()];
        int sum = -GAP.length();
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            int widest = Arrays.stream(cells).mapToInt(row -> row[column].length()).max().orElse(0);
            widths[i] = width == 0 && columns.get(i).kind.isText() ? Math.max(columns.get(i).title().length(), Math.min(widest, WIDEST_PADDED)) : widest;
            sum += widths[i] + GAP.length();
        }
        for (int widest = 0; width > 0 && sum > width && widest >= 0; sum--) {
            widest = -1;
            for (int i = 0; i < widths.length; i++) {
                widest = columns.get(i).kind.isText() && widths[i] > NARROWEST && (widest < 0 || widths[i] > widths[widest]) ? i : widest;
            }
            if (widest >= 0) {
                widths[widest]--;
            }
        }
        return widths;
    }

    /** An array of objects, one a row. */
    public String json() {
        JsonStringWriter out = JsonWriter.string().array();
        rows(out);
        return out.end().done();
    }

    /** Writes the rows as an array of objects, as a member of the object that is open. */
    public void json(JsonSink<?> out) {
        out.array(name);
        rows(out);
        out.end();
    }

    private void rows(JsonSink<?> out) {
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
    }

    public void write(DataOutput out) throws IOException {
        out.writeUTF(name);
        out.writeUTF(title);
        out.writeInt(columns.size());
        for (Column column : columns) {
            out.writeUTF(column.title);
            out.writeUTF(column.key);
            out.writeByte(column.kind.ordinal());
        }
        out.writeInt(rows.size());
        for (List<Object> row : rows) {
            for (Object cell : row) {
                out.writeByte(cell == null ? 0 : cell instanceof Number ? 2 : 1);
                if (cell instanceof Number number) {
                    out.writeLong(number instanceof Double real ? Math.round(real) : number.longValue());
                } else if (cell != null) {
                    Wire.writeText(out, cell.toString());
                }
            }
        }
    }

    public static Table read(DataInput in) throws IOException {
        String name = in.readUTF(), title = in.readUTF();
        Column[] columns = new Column[in.readInt()];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = new Column(in.readUTF(), in.readUTF(), Kind.values()[in.readByte()]);
        }
        Table table = new Table(name, title, columns);
        for (int rows = in.readInt(); rows > 0; rows--) {
            Object[] cells = new Object[columns.length];
            for (int i = 0; i < cells.length; i++) {
                cells[i] = switch (in.readByte()) {
                    case 0 -> null;
                    case 1 -> Wire.readText(in);
                    default -> in.readLong();
                };
            }
            table.row(cells);
        }
        return table;
    }

    /** The header stands out, where there is a terminal. */
    private record Bold(Ansi ansi) implements Styler {
        @Override
        public List<String> styleHeader(com.github.freva.asciitable.Column column, int index, List<String> lines) {
            return lines.stream().map(line -> ansi.enabled() && !line.isBlank() ? "\u001b[1m" + line + "\u001b[0m" : line).toList();
        }
    }
}
