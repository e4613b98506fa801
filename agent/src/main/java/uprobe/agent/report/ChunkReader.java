package uprobe.agent.report;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import one.jfr.ClassRef;
import one.jfr.Dictionary;
import one.jfr.JfrReader;
import one.jfr.MethodRef;
import one.jfr.StackTrace;
import uprobe.agent.console.Amounts;
import uprobe.agent.report.EventType.Field;

/**
 * The agent's events of one chunk, one after the other
 * <p>
 * one.jfr reads the constants: stacks, methods, threads, strings. Its own way to events of other types (registerEvent, readEvent) is not taken: it knows one
 * type of a name, where a probe has one for each library; it promises an event 68 bytes in the buffer, which one with arguments exceeds; and it does not tell
 * which type it is at. So the events' bounds are found here, in the same mapped memory, and their values are read with its methods.
 */
final class ChunkReader {
    private static final int HEADER = 68;

    private final Chunk header;
    private final ByteBuffer buffer;
    private final JfrReader constants;
    private final Dictionary<Hit> hits = new Dictionary<>();
    private final Collection<EventType> types;

    ChunkReader(Chunk header) throws IOException, BadInput {
        this.header = header;
        buffer = header.map();
        try {
            constants = new JfrReader(buffer);
            types = ChunkMetadata.eventTypes(constants, buffer, header).values();
        } catch (RuntimeException e) {
            throw damaged(e);
        }
        types.forEach(type -> hits.put(type.id(), new Hit(type, header)));
        buffer.position(HEADER);
    }

    /** Those of the agent that the chunk could have events of. */
    Collection<EventType> types() {
        return types;
    }

    /** @return the next event of the agent's, valid until the one after; null at the end */
    Hit next() throws BadInput {
        try {
            while (buffer.hasRemaining()) {
                int from = buffer.position();
                int size = constants.getVarint();
                if (size <= 0) {
                    throw new IllegalStateException("an event of " + size + " bytes at " + from);
                }
                Hit hit = hits.get(constants.getVarint());
                if (hit != null) {
                    read(hit);
                }
                buffer.position(from + size);
                if (hit != null) {
                    return hit;
                }
            }
            return null;
        } catch (IllegalArgumentException | IllegalStateException | BufferUnderflowException e) {
            throw damaged(e);
        }
    }

    private BadInput damaged(RuntimeException e) {
        return BadInput.failure(header.file() + " is damaged: the chunk at byte " + Amounts.count(header.offset()) + " can not be read (" + e
                + "); does `jfr summary " + header.file() + "` read it?");
    }

    private void read(Hit hit) {
        for (int i = 0; i < hit.type.fields().size(); i++) {
            Field field = hit.type.fields().get(i);
            switch (field.kind()) {
                case VARINT -> hit.set(i, signed(field, constants.getVarlong()));
                case BYTE -> hit.set(i, constants.getByte());
                case FLOAT -> hit.set(i, Float.floatToRawIntBits(constants.getFloat()));
                case DOUBLE -> hit.set(i, Double.doubleToRawLongBits(constants.getDouble()));
                case STRING -> hit.set(i, constants.getString());
                case UNREADABLE -> {
                    return;         /* what comes behind it is not found; none of the agent's types has one */
                }
            }
        }
    }

    private static long signed(Field field, long value) {
        return field.pooled() ? value : switch (field.type()) {
            case "int" -> (int) value;
            case "short" -> (short) value;
            default -> value;
        };
    }

    Chunk header() {
        return header;
    }

    /** null if there is none */
    StackTrace stack(long id) {
        return id == 0 ? null : constants.stackTraces.get(id);
    }

    int deepestStack() {
        int[] deepest = new int[1];
        constants.stackTraces.forEach((id, stack) -> deepest[0] = Math.max(deepest[0], stack.methods.length));
        return deepest[0];
    }

    /** {@code java/util/zip/Deflater}, empty if it is not known */
    String className(long method) {
        MethodRef of = constants.methods.get(method);
        ClassRef type = of == null ? null : constants.classes.get(of.cls);
        return type == null ? "" : symbol(type.name);
    }

    String methodName(long method) {
        MethodRef of = constants.methods.get(method);
        return of == null ? "?" : symbol(of.name);
    }

    private String symbol(long id) {
        byte[] bytes = constants.symbols.get(id);
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    /** null if it has none */
    String threadName(long thread) {
        return constants.threads.get(thread);
    }

    /** 0 if it is no Java thread */
    long javaThreadId(long thread) {
        Long id = constants.javaThreads.get(thread);
        return id == null ? 0 : id;
    }
}
