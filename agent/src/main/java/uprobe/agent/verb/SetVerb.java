package uprobe.agent.verb;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Output;

/** Changes what a probe makes of its hits. */
@Command(name = "set", description = {"Changes settings of a probe at once, whatever its recordings say: filter, sample, limit, mode, threshold.",
        "SETTING= without a value takes that back. To change its fields, attach it again with another text."})
public final class SetVerb extends Verb {
    @Parameters(index = "1", paramLabel = "NAME", description = "GROUP/EVENT as `list` shows it, with * and ?")
    private String name;

    @Parameters(index = "2..*", arity = "1..*", paramLabel = "SETTING=VALUE", description = "e.g. 'filter=len > 4k', sample=1/100, limit=100/s, mode=hist, threshold=1ms")
    private List<String> settings;

    @Override
    public int run(Target target, Output out) throws Exception {
        Map<String, String> values = new LinkedHashMap<>();
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                out.problem("'" + setting + "' sets nothing; write SETTING=VALUE, e.g. limit=100/s");
                return USAGE;
            }
            values.put(setting.substring(0, equals).strip(), setting.substring(equals + 1).strip());
        }
        List<String> changed = target.bridgeIfOpen().isPresent() ? target.bridgeIfOpen().get().override(Names.of(name), values) : List.of();
        for (String text : changed) {
            out.line(text);
        }
        if (changed.isEmpty()) {
            out.problem(Names.none(name, target.bridgeIfOpen()));
        }
        return changed.isEmpty() ? FAILED : OK;
    }
}
