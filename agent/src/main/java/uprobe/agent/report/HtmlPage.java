package uprobe.agent.report;

import com.grack.nanojson.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;

/**
 * One file that asks for nothing else: tables whose headers sort, and flame graphs. Each graph is a whole page of its own, with names of its own, so it is shown
 * in a frame.
 */
final class HtmlPage {
    private static final Pattern PLACE = Pattern.compile("/\\*([a-z]+)\\*/");

    private final String title, header;
    private final List<String> notes;
    private final List<Table> tables;

    HtmlPage(String title, String header, List<String> notes, List<Table> tables) {
        this.title = title;
        this.header = header;
        this.notes = notes;
        this.tables = tables;
    }

    void write(Path file, FlameGraphs graphs) throws IOException {
        Map<String, String> pages = new LinkedHashMap<>();
        graphs.weights().forEach(weight -> pages.put(weight, graphs.html(weight, escaped(weight))));
        Map<String, String> parts = Map.of("title", escaped(title), "header", escaped(header), "notes",
                notes.stream().map(note -> "<li>" + escaped(note) + "</li>").collect(Collectors.joining("\n")), "tables",
                tables.stream().filter(table -> !table.isEmpty()).map(HtmlPage::html).collect(Collectors.joining("\n")), "graphs",
                JsonWriter.string(pages).replace("</", "<\\/").replace("<!--", "<\\!--"));
        Files.writeString(file, PLACE.matcher(template()).replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1)))));
    }

    private static String template() throws IOException {
        try (InputStream in = HtmlPage.class.getResourceAsStream("report.html")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String html(Table table) {
        StringBuilder html = new StringBuilder("<h2>" + escaped(table.title()) + "</h2>\n<table id=\"" + escaped(table.name()) + "\"><thead><tr>");
        for (Column column : table.columns()) {
            html.append("<th").append(side(column)).append('>').append(escaped(column.title())).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (int row = 0; row < table.rows().size(); row++) {
            html.append("<tr>");
            for (int column = 0; column < table.columns().size(); column++) {
                Object value = table.rows().get(row).get(column);
                html.append("<td").append(side(table.columns().get(column)));
                if (value != null) {
                    html.append(" data-value=\"").append(escaped(value.toString())).append('"');
                }
                html.append('>').append(escaped(table.shown(row, column))).append("</td>");
            }
            html.append("</tr>\n");
        }
        return html.append("</tbody></table>").toString();
    }

    private static String side(Column column) {
        return column.right() ? " class=\"right\"" : "";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
