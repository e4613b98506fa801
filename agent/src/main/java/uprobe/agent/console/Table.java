package uprobe.agent.console;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import com.github.freva.asciitable.OverflowBehaviour;
import com.grack.nanojson.JsonStringWriter;
import com.grack.nanojson.JsonWriter;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Rows that people read in a terminal and programs as JSON. Cells keep their values; how a value is written is the column's. */
public final class Table {
    /** What the cells of a column are. */
    public enum Kind {
        /** A String. */
        TEXT,
        /** A String at the right. */
        RIGHT,
        /** A Long: 1,234,567. */
        COUNT,
        /** A Long, nanoseconds: 1.23 ms. */
        NANOS,
        /** A Long, bytes: 1.2 MiB. */
        BYTES
    }

    private record Heading(String title, Kind kind) {}

    /** Blanks around a column's texts, which AsciiTable counts to its width. */
    private static final int GAP = 2;
    /** No text is cut shorter than this. */
    private static final int NARROWEST = 16;

    private final List<Heading> headings = new ArrayList<>();
    private final List<Object[]> rows = new ArrayList<>();

    public Table column(String title, Kind kind) {
        headings.add(new Heading(title, kind));
        return this;
    }

    /** @param cells one for each column: Long or String, as its kind says; null: an empty cell */
    public Table row(Object... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + headings.size() + " columns");
        }
        for (int i = 0; i < cells.length; i++) {
            if (cells[i] != null && (cells[i] instanceof String) != isText(i)) {
                throw new IllegalArgumentException(headings.get(i) + " takes no " + cells[i].getClass());
            }
        }
        rows.add(cells);
        return this;
    }

    public int size() {
        return rows.size();
    }

    public boolean isEmpty() {
        return rows.isEmpty();
    }

    private boolean isText(int column) {
        return headings.get(column).kind == Kind.TEXT || headings.get(column).kind == Kind.RIGHT;
    }

    /** @param width of the terminal, in characters; the widest texts are cut to fit into it. 0: nothing is cut */
    public String text(int width) {
        int[] widths = widths(width);
        List<ColumnData<Object[]>> columns = new ArrayList<>();
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            HorizontalAlign align = headings.get(i).kind == Kind.TEXT ? HorizontalAlign.LEFT : HorizontalAlign.RIGHT;
            columns.add(new Column().header(headings.get(i).title).headerAlign(align).dataAlign(align)
                    .maxWidth(widths[i] + GAP, OverflowBehaviour.ELLIPSIS_RIGHT).with(row -> written(column, row[column])));
        }
        StringBuilder text = new StringBuilder();
        AsciiTable.builder().border(new Character[BORDERS]).lineSeparator("\n").data(rows, columns).asString().lines()
                .forEach(line -> text.append(line.strip().isEmpty() ? "" : line.substring(1).stripTrailing() + "\n"));
        return text.toString();
    }

    /** As AsciiTable.NO_BORDERS has it: null for each. */
    private static final int BORDERS = AsciiTable.NO_BORDERS.length;

    /** The widest texts give first. */
    private int[] widths(int width) {
        int[] widths = new int[headings.size()];
        int sum = 0;
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            widths[i] = Math.max(headings.get(i).title.length(), rows.stream().mapToInt(row -> written(column, row[column]).length()).max().orElse(0));
            sum += widths[i] + GAP;
        }
        while (width > 0 && sum > width) {
            int widest = -1;
            for (int i = 0; i < widths.length; i++) {
                widest = isText(i) && widths[i] > NARROWEST && (widest < 0 || widths[i] > widths[widest]) ? i : widest;
            }
            if (widest < 0) {
                break;
            }
            widths[widest]--;
            sum--;
        }
        return widths;
    }

    private String written(int column, Object cell) {
        if (cell == null) {
            return "";
        }
        return switch (headings.get(column).kind) {
            case TEXT, RIGHT -> (String) cell;
            case COUNT -> Numbers.count((long) cell);
            case NANOS -> Numbers.nanos((long) cell);
            case BYTES -> Numbers.bytes((long) cell);
        };
    }

    /** An array of objects, one a row; numbers are as they are: counts, nanoseconds, bytes. */
    public String json() {
        JsonStringWriter json = JsonWriter.string().array();
        for (Object[] row : rows) {
            json.object();
            for (int i = 0; i < row.length; i++) {
                json.value(headings.get(i).title, row[i]);
            }
            json.end();
        }
        return json.end().done();
    }

    public void write(DataOutput out) throws IOException {
        out.writeInt(headings.size());
        for (Heading heading : headings) {
            out.writeUTF(heading.title);
            out.writeByte(heading.kind.ordinal());
        }
        out.writeInt(rows.size());
        for (Object[] row : rows) {
            for (Object cell : row) {
                out.writeByte(cell == null ? 0 : cell instanceof String ? 1 : 2);
                if (cell instanceof String text) {
                    Wire.writeText(out, text);
                } else if (cell != null) {
                    out.writeLong((long) cell);
                }
            }
        }
    }

    public static Table read(DataInput in) throws IOException {
        Table table = new Table();
        for (int columns = in.readInt(); columns > 0; columns--) {
            table.column(in.readUTF(), Kind.values()[in.readByte()]);
        }
        for (int rows = in.readInt(); rows > 0; rows--) {
            Object[] cells = new Object[table.headings.size()];
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
}
