package uprobe.agent.report;

import com.grack.nanojson.JsonArray;
import com.grack.nanojson.JsonObject;
import com.grack.nanojson.JsonParser;
import com.grack.nanojson.JsonParserException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import picocli.CommandLine;

/** What the command said of a recording. */
record Reported(int exit, String out, String err) {
    interface Program {
        void run() throws Exception;
    }

    /** Made by this JVM's own JFR. */
    static Path record(Path file, Program program) throws Exception {
        try (Recording recording = new Recording()) {
            recording.start();
            program.run();
            recording.stop();
            recording.dump(file);
            return file;
        }
    }

    static Reported of(Object... arguments) {
        PrintStream out = System.out, err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream(), complained = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true));
        System.setErr(new PrintStream(complained, true));
        try {
            int exit = new CommandLine(new ReportCommand()).setCaseInsensitiveEnumValuesAllowed(true)
                    .execute(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
            return new Reported(exit, said.toString(), complained.toString());
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** Of JSON; fails if the command did. */
    static JsonObject json(Object... arguments) throws JsonParserException {
        List<Object> all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        Reported reported = of(all.toArray());
        if (reported.exit != 0 || !reported.err.isEmpty()) {
            throw new AssertionError(reported.exit + " " + reported.err);
        }
        return JsonParser.object().from(reported.out);
    }

    /** The row of a table that has this in this column. */
    static JsonObject row(JsonObject json, String table, String column, String value) {
        JsonArray rows = json.getArray(table);
        return rows.stream().map(JsonObject.class::cast).filter(row -> value.equals(row.getString(column))).findFirst()
                .orElseThrow(() -> new AssertionError("no " + column + " " + value + " in " + rows));
    }
}
