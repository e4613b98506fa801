package uprobe.agent.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.grack.nanojson.JsonStringWriter;
import com.grack.nanojson.JsonWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;
import uprobe.agent.console.Table.Column;

class TableTest {
    private static final Table TABLE = new Table("calls", "Calls", Column.text("function"), Column.count("calls"), Column.time("total"), Column.bytes("in"))
            .row("libz.deflate", 1_234_567L, 12_345_678.4, 20_000L).row("libz.crc32", 7L, null, null);

    @Test
    void textIsAlignedAndHumane() {
        assertEquals("""
                Calls
                 function     |     calls |   total |      in
                --------------+-----------+---------+---------
                 libz.deflate | 1,234,567 | 12.3 ms | 20.0 kB
                 libz.crc32   |         7 |         |""", TABLE.text(Ansi.OFF));
    }

    @Test
    void headersStandOutOnATerminalAlone() {
        assertEquals(2, TABLE.text(Ansi.ON).lines().filter(line -> line.contains("\u001b[1m")).count());
    }

    @Test
    void jsonHasPlainNumbersAndNoEmptyCells() {
        JsonStringWriter out = JsonWriter.string().object();
        TABLE.json(out);
        assertEquals("{\"calls\":[{\"function\":\"libz.deflate\",\"calls\":1234567,\"totalNanos\":12345678,\"inBytes\":20000},"
                + "{\"function\":\"libz.crc32\",\"calls\":7}]}", out.end().done());
    }

    @Test
    void aRowHasACellForEachColumn() {
        assertThrows(IllegalArgumentException.class, () -> new Table("t", "T", Column.text("a")).row("x", "y"));
    }
}
