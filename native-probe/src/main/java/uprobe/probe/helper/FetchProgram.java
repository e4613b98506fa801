package uprobe.probe.helper;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import uprobe.probe.spec.Fetch;
import uprobe.probe.spec.FieldSpec;
import uprobe.probe.spec.ProbeSpec;

/** A probe's fields as the helper evaluates them: an array of {@code struct up_fetch}. */
public final class FetchProgram {
    /** {@code UP_FETCH_RESULT}: the function's integer result. */
    private static final int RESULT = 255;
    private static final int MAX_BYTES = 1 << 16;

    public static byte[] encode(ProbeSpec spec) {
        ByteBuffer out = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.nativeOrder());
        for (FieldSpec field : spec.fields()) {
            List<Long> displacements = new ArrayList<>();
            Fetch at = field.fetch();
            while (at instanceof Fetch.Dereference dereference) {
                displacements.add(0, dereference.offset());
                at = dereference.address();
            }
            out.put((byte) source(at));
            out.put((byte) field.type().size());
            out.put((byte) (field.type().signed() ? 1 : 0));
            out.put((byte) (spec.readsAtReturn(field) ? 1 : 0));
            out.putInt(displacements.size());
            displacements.forEach(out::putLong);
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    private static int source(Fetch fetch) {
        if (fetch instanceof Fetch.Argument argument) {
            return argument.register().number();
        } else if (fetch instanceof Fetch.Register register) {
            return register.register().number();
        } else if (fetch instanceof Fetch.ReturnValue) {
            return RESULT;
        }
        throw new IllegalArgumentException("not a source: " + fetch);
    }

    private FetchProgram() {}
}
