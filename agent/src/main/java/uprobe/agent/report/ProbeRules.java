package uprobe.agent.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.util.IPreferenceValueProvider;
import org.openjdk.jmc.flightrecorder.CouldNotLoadRecordingException;
import org.openjdk.jmc.flightrecorder.JfrLoaderToolkit;
import org.openjdk.jmc.flightrecorder.parser.IParserExtension;
import org.openjdk.jmc.flightrecorder.parser.ParserExtensionRegistry;
import org.openjdk.jmc.flightrecorder.rules.IResult;
import org.openjdk.jmc.flightrecorder.rules.IRule;
import org.openjdk.jmc.flightrecorder.rules.ResultToolkit;
import org.openjdk.jmc.flightrecorder.rules.RuleRegistry;
import org.openjdk.jmc.flightrecorder.rules.Severity;
import org.openjdk.jmc.flightrecorder.rules.TypedResult;
import org.openjdk.jmc.flightrecorder.rules.util.RulesToolkit;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;

/**
 * Mission Control's automated analysis, as Mission Control would run it
 * <p>
 * Its rules ask for all events at once, so they are all in memory, of a hit only what the rules look at: see {@link SlimHits}.
 */
final class ProbeRules {
    private static final String OURS = "uprobe.";
    /** Its parser warns of fields that a JDK has and it does not know; held here, since loggers are forgotten otherwise. */
    private static final Logger PARSER = Logger.getLogger("org.openjdk.jmc");

    private record Line(IRule rule, IResult result) {
        double score() {
            var score = result.getResult(TypedResult.SCORE);
            return score == null ? -1 : score.doubleValue();
        }
    }

    private final List<Line> lines;

    private ProbeRules(List<Line> lines) {
        this.lines = lines;
    }

    /** @param all those for the JDK as well */
    static ProbeRules evaluate(List<Path> files, boolean all) throws BadInput, IOException {
        PARSER.setLevel(Level.SEVERE);
        List<IParserExtension> extensions = new ArrayList<>(ParserExtensionRegistry.getParserExtensions());
        if (!all) {
            extensions.add(new SlimHits());
        }
        try {
            IItemCollection events = JfrLoaderToolkit.loadEvents(files.stream().map(Path::toFile).toList(), extensions);
            Collection<IRule> rules = RuleRegistry.getRules().stream().filter(rule -> all || rule.getId().startsWith(OURS)).toList();
            Map<IRule, Future<IResult>> results = RulesToolkit.evaluateParallel(rules, events, IPreferenceValueProvider.DEFAULT_VALUES, 0);
            List<Line> lines = new ArrayList<>();
            for (Map.Entry<IRule, Future<IResult>> each : results.entrySet()) {
                lines.add(new Line(each.getKey(), each.getValue().get()));
            }
            lines.sort(Comparator.comparingDouble(Line::score).reversed().thenComparing(line -> line.rule.getId()));
            return new ProbeRules(lines);
        } catch (CouldNotLoadRecordingException | ExecutionException e) {
            throw BadInput.failure("Mission Control's rules could not be evaluated: " + e.getMessage());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** Whether a rule says so much or worse. */
    boolean isAtLeast(Severity severity) {
        return lines.stream().map(line -> line.result.getSeverity()).anyMatch(found -> found == Severity.WARNING || found == severity);
    }

    Table table() {
        Table table = new Table("rules", "Rules of Mission Control", Column.text("severity"), Column.count("score"), Column.text("rule"), Column.text("says"),
                Column.text("advises"));
        for (Line line : lines) {
            table.row(line.result.getSeverity().name(), line.score() < 0 ? null : (Object) Math.round(line.score()), line.rule.getName(),
                    said(line.result, line.result.getSummary()), said(line.result, line.result.getSolution()));
        }
        return table;
    }

    private static String said(IResult result, String message) {
        return message == null ? null : ResultToolkit.populateMessage(result, message, false).replaceAll("\\s+", " ").strip();
    }
}
