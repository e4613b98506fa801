package uprobe.agent.report;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.openjdk.jmc.flightrecorder.parser.IEventSink;
import org.openjdk.jmc.flightrecorder.parser.IEventSinkFactory;
import org.openjdk.jmc.flightrecorder.parser.IParserExtension;
import org.openjdk.jmc.flightrecorder.parser.ValueField;

/** Has Mission Control's parser forget of a hit what no rule for probes looks at: its thread and what the probe fetched. */
final class SlimHits implements IParserExtension {
    private static final Set<String> KEPT = Set.of("startTime", "(endTime)", "duration", "stackTrace", "drained", "library", "function");

    @Override
    public IEventSinkFactory getEventSinkFactory(IEventSinkFactory next) {
        return new IEventSinkFactory() {
            @Override
            public IEventSink create(String id, String label, String[] category, String description, List<ValueField> fields) {
                if (!new EventType(0, id, List.of()).isHit()) {
                    return next.create(id, label, category, description, fields);
                }
                int[] kept = IntStream.range(0, fields.size()).filter(i -> KEPT.contains(fields.get(i).getIdentifier())).toArray();
                IEventSink sink = next.create(id, label, category, description, IntStream.of(kept).mapToObj(fields::get).toList());
                return values -> {
                    Object[] slim = new Object[kept.length];
                    for (int i = 0; i < kept.length; i++) {
                        slim[i] = values[kept[i]];
                    }
                    sink.addEvent(slim);
                };
            }

            @Override
            public void flush() {
                next.flush();
            }
        };
    }
}
