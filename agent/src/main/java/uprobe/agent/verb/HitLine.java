package uprobe.agent.verb;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import uprobe.agent.console.Amounts;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbePoint;
import uprobe.probe.spec.FieldSpec;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Unit;

/** A hit as a line: taken on its thread as numbers, written where there is time. */
final class HitLine {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS");

    /** Knows the clock, and who called. */
    static final class Maker {
        private final ProbeEngine engine;
        private final JavaCaller caller;
        private final long base = ProbeEngine.clock();
        private final Instant at = Instant.now();

        Maker(ProbeEngine engine, JavaCaller caller) {
            this.engine = engine;
            this.caller = caller;
            caller.prepare();
        }

        HitLine make(ProbeSpec spec, ProbePoint point, ByteBuffer record, boolean drained) {
            long[] values = new long[(record.limit() - HitRecordDescriptor.VALUES) / Long.BYTES];
            for (int i = 0; i < values.length; i++) {
                values[i] = record.getLong(HitRecordDescriptor.VALUES + i * Long.BYTES);
            }
            String thread = drained ? HitRun.nativeThreadName() : Thread.currentThread().getName();
            return new HitLine(this, spec, point, values, record.getShort(HitRecordDescriptor.MISSING) & 0xffff, record.getLong(HitRecordDescriptor.TIME), thread,
                    drained ? JavaCaller.NONE : caller.now());
        }
    }

    private final Maker maker;
    private final ProbeSpec spec;
    private final ProbePoint point;
    private final long[] values;
    private final int missing;
    private final long time;
    private final String thread;
    private final String caller;

    private HitLine(Maker maker, ProbeSpec spec, ProbePoint point, long[] values, int missing, long time, String thread, String caller) {
        this.maker = maker;
        this.spec = spec;
        this.point = point;
        this.values = values;
        this.missing = missing;
        this.time = time;
        this.thread = thread;
        this.caller = caller;
    }

    String text() {
        boolean isCall = spec.type() == ProbeType.CALL;
        StringBuilder text = new StringBuilder(LocalTime.ofInstant(maker.at.plusNanos(maker.engine.nanos(time - maker.base)), ZoneId.systemDefault()).format(TIME))
                .append("  ").append(point.site().symbol());
        List<FieldSpec> fields = spec.fields();
        for (int i = 0; i < fields.size(); i++) {
            text.append("  ").append(fields.get(i).name()).append('=')
                    .append((missing & 1 << i) != 0 ? "?" : value(fields.get(i), values[i + (isCall ? 1 : 0)]));
        }
        if (isCall) {
            text.append("  ").append((missing & HitRecordDescriptor.MISSING_DURATION) != 0 ? "never returned" : Amounts.time(maker.engine.nanos(values[0])));
        }
        return text.append("  [").append(thread).append("]  ").append(caller).toString();
    }

    private static String value(FieldSpec field, long value) {
        if (field.type().hex() || field.unit() == Unit.ADDRESS) {
            return "0x" + Long.toHexString(value);
        }
        return (field.type().signed() ? Long.toString(value) : Long.toUnsignedString(value)) + (field.unit() == null || field.unit() == Unit.BYTES ? "" : field.unit().text());
    }
}
