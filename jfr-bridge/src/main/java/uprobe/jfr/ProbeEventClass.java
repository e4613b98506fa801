package uprobe.jfr;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.FieldVisitor;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.spec.FieldSpec;
import uprobe.probe.spec.JavaNames;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.SymbolPattern;
import uprobe.probe.spec.Unit;

/**
 * The event class of one probe and the methods that commit its events
 * <p>
 * The method that commits an event is the top frame of its stack trace. So its class is named for the library and the method for the function: the stack
 * reads {@code libz.deflate <- java.util.zip.Deflater.deflateBytesBytes <- ...}. The helper calls that method itself, so no frame of ours lies between.
 * For the probe {@code c:zlib/deflate libz:deflate flush=$arg2:s32} the classes would read in Java:
 *
 * <pre>
 * &#64;Name("uprobe.zlib.deflate") &#64;Label("deflate") &#64;Category({"Native Probes", "libz"})
 * public final class uprobe$zlib$deflate extends Event {
 *     &#64;Label("flush") long flush;
 *     long nativeThreadId; String nativeThreadName; long javaThreadId; String drained; String missing;
 *
 *     public static uprobe$zlib$deflate of(int offset, HitThread thread) {
 *         uprobe$zlib$deflate event = new uprobe$zlib$deflate();
 *         event.startTime = Hits.ticks(Hits.RECORDS.getLong(offset + 16));
 *         event.duration = Hits.duration(Hits.RECORDS.getLong(offset + 32));
 *         event.flush = Hits.RECORDS.getLong(offset + 40);
 *         ...
 *         if (thread != null) {        // the drain thread brings them
 *             event.nativeThreadId = thread.nativeId();
 *             ...
 *         }
 *         return event;
 *     }
 *
 *     public static void done(uprobe$zlib$deflate event, int offset) {
 *         Hits.RECORDS.putInt(offset, REJECTED - event.accepted);      // REJECTED - 1 is COMMITTED
 *     }
 * }
 *
 * public final class libz {
 *     public static void deflate() {
 *         long run = HitRun.now();
 *         int offset = HitRun.offset(run), count = HitRun.count(run);
 *         HitThread thread = HitThread.of(run);
 *         for (; count != 0; count--, offset += 64) {
 *             uprobe$zlib$deflate event = uprobe$zlib$deflate.of(offset, thread);
 *             event.commit();
 *             uprobe$zlib$deflate.done(event, offset);
 *         }
 *     }
 * }
 * </pre>
 *
 * These methods are as short as can be, since a pattern has one for each of some ten thousand functions. A second class of that name has native methods of
 * the functions' names. Such a method is the function's frame in the stacks of hits inside a call of it: the helper binds it to C that calls on
 * (commit.c). None of the methods has a parameter: stacks show them, and a native function has none of Java's types.
 *
 * JFR adds the private fields startTime and duration, in its ticks, to every event class when it is loaded; only the class's own code may store into
 * them. Classes of one name live in loaders of their own. No line numbers: debuggers step over.
 */
final class ProbeEventClass {
    private static final String SUPER = "uprobe/jfr/ProbeEvent", HITS = "uprobe/jfr/Hits", BUFFER = "java/nio/ByteBuffer", STRING = "Ljava/lang/String;";
    private static final String RUN = "uprobe/probe/HitRun", THREAD = "uprobe/jfr/HitThread", METHOD = "()V";
    /** Locals of a commit method. */
    private static final int OFFSET = 0, COUNT = 1, OF_THREAD = 2;
    /** Those of the method that makes an event of a record, behind its arguments: the offset and the thread. */
    private static final int HIT_THREAD = 1, EVENT = 2, MISSING = 3;

    /** Defines one class; the bridge's classes are visible to it, no application's. */
    private static final class Loader extends ClassLoader {
        /** @param parent of what the class uses */
        Loader(Class<?> parent) {
            super("uprobe-event", parent.getClassLoader());
        }

        /** @param used by its methods: found now, so that no loader is asked while a hit is committed */
        Class<?> define(String name, byte[] bytes, Class<?>... used) {
            Class<?> defined = defineClass(name, bytes, 0, bytes.length);
            try {
                for (Class<?> other : used) {
                    Class.forName(other.getName(), false, this);
                }
                return defined;
            } catch (ClassNotFoundException impossible) {
                throw new AssertionError(impossible);
            }
        }
    }

    private final ProbeSpec spec;
    private final String eventName;
    private final String stem;
    private final String symbol;
    private final String className;
    private final boolean enabled;

    private ProbeEventClass(ProbeSpec spec, String eventName, String stem, String symbol, boolean enabled) {
        this.enabled = enabled;
        this.spec = spec;
        this.eventName = eventName;
        this.stem = stem;
        this.symbol = symbol;
        this.className = eventName.replace('.', '$');
    }

    /** Name of the method that commits, which is the frame's. */
    static String methodName(String symbol) {
        return JavaNames.frameName(symbol);
    }

    /**
     * @param eventName {@code uprobe.GROUP.EVENT}
     * @param symbol of the function; of a pattern's probe one of them
     * @param enabled whether recordings that say nothing of it have it enabled
     */
    static Class<? extends Event> of(ProbeSpec spec, String eventName, String stem, String symbol, boolean enabled) {
        ProbeEventClass generated = new ProbeEventClass(spec, eventName, stem, symbol, enabled);
        Class<?> loaded = new Loader(ProbeEventClass.class).define(generated.className, generated.bytes(), Hits.class, HitThread.class, ByteBuffer.class, String.class);
        return loaded.asSubclass(Event.class);
    }

    /**
     * What the helper calls.
     *
     * @param commits whose methods commit
     * @param frames whose native methods are the functions' frames in the stacks of hits inside their calls; null: they have none, as returns are not awaited
     */
    record Methods(Class<?> commits, Class<?> frames) {}

    /**
     * Those of some functions.
     *
     * @param events the class of their events
     * @param symbols of one library; some may be there more than once
     */
    static Methods methods(Class<? extends Event> events, ProbeSpec spec, String stem, List<String> symbols) {
        String name = JavaNames.frameName(stem);
        List<String> names = symbols.stream().map(ProbeEventClass::methodName).distinct().toList();
        ClassWriter commits = new ClassWriter(0), frames = new ClassWriter(0);
        for (ClassWriter writer : List.of(commits, frames)) {
            writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, name, null, "java/lang/Object", null);
        }
        for (String method : names) {
            commitMethod(commits, events.getName(), length(spec), method);
            frames.visitMethod(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_NATIVE, method, METHOD, null, null).visitEnd();
        }
        Class<?> made = new Loader(events).define(name, commits.toByteArray(), events, HitRun.class, HitThread.class);
        try {
            Class.forName(name, true, made.getClassLoader());        /* linked as well */
        } catch (ClassNotFoundException impossible) {
            throw new AssertionError(impossible);
        }
        return new Methods(made, spec.type() == ProbeType.ENTRY ? null : new Loader(events).define(name, frames.toByteArray()));
    }

    /** The events of a pattern say which function it was. */
    private boolean isPattern() {
        return spec.target() instanceof SymbolPattern;
    }

    private byte[] bytes() {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS | ClassWriter.COMPUTE_FRAMES);
        writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, className, null, SUPER, null);
        annotate(writer.visitAnnotation("Ljdk/jfr/Name;", true), eventName);
        annotate(writer.visitAnnotation("Ljdk/jfr/Label;", true), isPattern() ? spec.target().toString() : symbol);
        annotate(writer.visitAnnotation("Ljdk/jfr/Description;", true), description());
        if (!enabled) {
            annotate(writer.visitAnnotation("Ljdk/jfr/Enabled;", true), false);
        }
        if (!spec.options().stack()) {
            annotate(writer.visitAnnotation("Ljdk/jfr/StackTrace;", true), false);
        }
        AnnotationVisitor category = writer.visitAnnotation("Ljdk/jfr/Category;", true);
        AnnotationVisitor names = category.visitArray("value");
        names.visit(null, "Native Probes");
        names.visit(null, stem);
        names.visitEnd();
        category.visitEnd();
        if (isPattern()) {
            ownField(writer, "library", STRING, "Library", "File name of the library");
            ownField(writer, "function", STRING, "Function", "Symbol of the function");
            ownField(writer, "address", "J", "Address", "Where the function begins");
        }
        spec.fields().forEach(field -> userField(writer, field));
        ownField(writer, "nativeThreadId", "J", "Native Thread Id", "Thread id of the kernel, for hits without Java stack");
        ownField(writer, "nativeThreadName", STRING, "Native Thread Name", "Name of the thread that made the hit, for hits without Java stack");
        ownField(writer, "javaThreadId", "J", "Java Thread Id", "Id of the Java thread that made the hit, for hits without Java stack");
        ownField(writer, "drained", STRING, "Drained", "Why the hit has no Java stack");
        ownField(writer, "missing", STRING, "Missing", "Values that could not be read");
        writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_FINAL, "NAMES", "[" + STRING, null, null).visitEnd();
        initializer(writer);
        constructor(writer, SUPER);
        ofRecord(writer);
        done(writer);
        writer.visitEnd();
        return writer.toByteArray();
    }

    private String description() {
        String what = switch (spec.type()) {
            case ENTRY -> "Hit at ";
            case RETURN -> "Return from ";
            case CALL -> "Call of ";
        };
        return what + (isPattern() ? "one of " + spec.target() : symbol) + " in " + stem;
    }

    private static void annotate(AnnotationVisitor annotation, Object value) {
        annotation.visit("value", value);
        annotation.visitEnd();
    }

    private static void userField(ClassWriter writer, FieldSpec field) {
        FieldVisitor visitor = writer.visitField(Opcodes.ACC_PUBLIC, field.name(), "J", null, null);
        annotate(visitor.visitAnnotation("Ljdk/jfr/Label;", true), field.name());
        Unit unit = field.unit();
        if (unit == Unit.ADDRESS || unit == null && field.type().hex()) {
            visitor.visitAnnotation("Ljdk/jfr/MemoryAddress;", true).visitEnd();
        } else if (unit == Unit.BYTES || unit == Unit.BITS) {
            annotate(visitor.visitAnnotation("Ljdk/jfr/DataAmount;", true), unit == Unit.BYTES ? "BYTES" : "BITS");
        } else if (unit != null) {
            String timespan = switch (unit) {
                case NS -> "NANOSECONDS";
                case US -> "MICROSECONDS";
                case MS -> "MILLISECONDS";
                case S -> "SECONDS";
                default -> throw new IllegalArgumentException("no annotation for unit " + unit);
            };
            annotate(visitor.visitAnnotation("Ljdk/jfr/Timespan;", true), timespan);
        } else if (!field.type().signed() && field.type().size() == Long.BYTES) {
            visitor.visitAnnotation("Ljdk/jfr/Unsigned;", true).visitEnd();
        }
        visitor.visitEnd();
    }

    private static void ownField(ClassWriter writer, String name, String type, String label, String description) {
        FieldVisitor visitor = writer.visitField(Opcodes.ACC_PUBLIC, name, type, null, null);
        annotate(visitor.visitAnnotation("Ljdk/jfr/Label;", true), label);
        annotate(visitor.visitAnnotation("Ljdk/jfr/Description;", true), description);
        if (name.equals("address")) {
            visitor.visitAnnotation("Ljdk/jfr/MemoryAddress;", true).visitEnd();
        }
        visitor.visitEnd();
    }

    private void initializer(ClassWriter writer) {
        List<String> names = new ArrayList<>(spec.fields().stream().map(FieldSpec::name).toList());
        names.add("duration");
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
        m.visitCode();
        m.visitLdcInsn(names.size());
        m.visitTypeInsn(Opcodes.ANEWARRAY, "java/lang/String");
        for (int i = 0; i < names.size(); i++) {
            m.visitInsn(Opcodes.DUP);
            m.visitLdcInsn(i);
            m.visitLdcInsn(names.get(i));
            m.visitInsn(Opcodes.AASTORE);
        }
        m.visitFieldInsn(Opcodes.PUTSTATIC, className, "NAMES", "[" + STRING);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    private static void constructor(ClassWriter writer, String superclass) {
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "()V", null, null);
        m.visitCode();
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, superclass, "<init>", "()V", false);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    /** Bytes of the probe's records. */
    private static int length(ProbeSpec spec) {
        int values = spec.fields().size() + (spec.type() == ProbeType.CALL ? 1 : 0);
        return (HitRecordDescriptor.VALUES + values * Long.BYTES + 31) / 32 * 32;
    }

    private static void commitMethod(ClassWriter writer, String events, int length, String method) {
        String event = "L" + events + ";";
        Label loop = new Label(), end = new Label();
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, method, METHOD, null, null);
        m.visitCode();
        m.visitMethodInsn(Opcodes.INVOKESTATIC, RUN, "now", "()J", false);
        m.visitInsn(Opcodes.DUP2);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, RUN, "offset", "(J)I", false);
        m.visitVarInsn(Opcodes.ISTORE, OFFSET);
        m.visitInsn(Opcodes.DUP2);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, RUN, "count", "(J)I", false);
        m.visitVarInsn(Opcodes.ISTORE, COUNT);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, THREAD, "of", "(J)L" + THREAD + ";", false);
        m.visitVarInsn(Opcodes.ASTORE, OF_THREAD);
        m.visitLabel(loop);
        m.visitFrame(Opcodes.F_APPEND, 3, new Object[] {Opcodes.INTEGER, Opcodes.INTEGER, THREAD}, 0, null);
        m.visitVarInsn(Opcodes.ILOAD, COUNT);
        m.visitJumpInsn(Opcodes.IFEQ, end);
        m.visitVarInsn(Opcodes.ILOAD, OFFSET);
        m.visitVarInsn(Opcodes.ALOAD, OF_THREAD);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, events, "of", "(IL" + THREAD + ";)" + event, false);
        m.visitInsn(Opcodes.DUP);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, events, "commit", "()V", false);
        m.visitVarInsn(Opcodes.ILOAD, OFFSET);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, events, "done", "(" + event + "I)V", false);
        m.visitIincInsn(OFFSET, length);
        m.visitIincInsn(COUNT, -1);
        m.visitJumpInsn(Opcodes.GOTO, loop);
        m.visitLabel(end);
        m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(4, 3);
        m.visitEnd();
    }

    private void ofRecord(ClassWriter writer) {
        boolean isCall = spec.type() == ProbeType.CALL;
        Label nothingMissing = new Label(), own = new Label();
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "of", "(IL" + THREAD + ";)L" + className + ";", null, null);
        m.visitCode();
        m.visitTypeInsn(Opcodes.NEW, className);
        m.visitInsn(Opcodes.DUP);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, className, "<init>", "()V", false);
        m.visitVarInsn(Opcodes.ASTORE, EVENT);

        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        readLong(m, HitRecordDescriptor.TIME);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, HITS, "ticks", "(J)J", false);
        m.visitFieldInsn(Opcodes.PUTFIELD, className, "startTime", "J");
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        if (isCall) {
            readLong(m, HitRecordDescriptor.VALUES);
            m.visitMethodInsn(Opcodes.INVOKESTATIC, HITS, "duration", "(J)J", false);
        } else {
            m.visitInsn(Opcodes.LCONST_1);
        }
        m.visitFieldInsn(Opcodes.PUTFIELD, className, "duration", "J");
        if (isPattern()) {
            fromPlace(m, "library", STRING);
            fromPlace(m, "function", STRING);
            fromPlace(m, "address", "J");
        }
        for (int i = 0; i < spec.fields().size(); i++) {
            m.visitVarInsn(Opcodes.ALOAD, EVENT);
            readLong(m, HitRecordDescriptor.VALUES + (i + (isCall ? 1 : 0)) * Long.BYTES);
            m.visitFieldInsn(Opcodes.PUTFIELD, className, spec.fields().get(i).name(), "J");
        }

        m.visitFieldInsn(Opcodes.GETSTATIC, HITS, "RECORDS", "L" + BUFFER + ";");
        address(m, HitRecordDescriptor.MISSING);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, BUFFER, "getShort", "(I)S", false);
        m.visitLdcInsn(0xffff);
        m.visitInsn(Opcodes.IAND);
        m.visitInsn(Opcodes.DUP);
        m.visitVarInsn(Opcodes.ISTORE, MISSING);
        m.visitJumpInsn(Opcodes.IFEQ, nothingMissing);
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitVarInsn(Opcodes.ILOAD, MISSING);
        m.visitFieldInsn(Opcodes.GETSTATIC, className, "NAMES", "[" + STRING);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, HITS, "missing", "(I[" + STRING + ")" + STRING, false);
        m.visitFieldInsn(Opcodes.PUTFIELD, className, "missing", STRING);
        m.visitLabel(nothingMissing);

        m.visitVarInsn(Opcodes.ALOAD, HIT_THREAD);
        m.visitJumpInsn(Opcodes.IFNULL, own);
        fromThread(m, "nativeId", "nativeThreadId", "J");
        fromThread(m, "nativeName", "nativeThreadName", STRING);
        fromThread(m, "javaId", "javaThreadId", "J");
        fromThread(m, "drained", "drained", STRING);
        m.visitLabel(own);
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitInsn(Opcodes.ARETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    private void fromThread(MethodVisitor m, String what, String field, String type) {
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitVarInsn(Opcodes.ALOAD, HIT_THREAD);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, THREAD, what, "()" + type, false);
        m.visitFieldInsn(Opcodes.PUTFIELD, className, field, type);
    }

    private void done(ClassWriter writer) {
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "done", "(L" + className + ";I)V", null, null);
        m.visitCode();
        m.visitFieldInsn(Opcodes.GETSTATIC, HITS, "RECORDS", "L" + BUFFER + ";");
        m.visitVarInsn(Opcodes.ILOAD, 1);
        if (HitRecordDescriptor.STATE != 0) {
            m.visitLdcInsn(HitRecordDescriptor.STATE);
            m.visitInsn(Opcodes.IADD);
        }
        m.visitLdcInsn(HitRecordDescriptor.REJECTED);
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitFieldInsn(Opcodes.GETFIELD, SUPER, "accepted", "Z");
        m.visitInsn(Opcodes.ISUB);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, BUFFER, "putInt", "(II)L" + BUFFER + ";", false);
        m.visitInsn(Opcodes.POP);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    /** A field that the place of the hit tells. */
    private void fromPlace(MethodVisitor m, String field, String type) {
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitFieldInsn(Opcodes.GETSTATIC, HITS, "RECORDS", "L" + BUFFER + ";");
        address(m, HitRecordDescriptor.PROBE);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, BUFFER, "getInt", "(I)I", false);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, HITS, field, "(I)" + type, false);
        m.visitFieldInsn(Opcodes.PUTFIELD, className, field, type);
    }

    private static void address(MethodVisitor m, int at) {
        m.visitVarInsn(Opcodes.ILOAD, OFFSET);
        if (at != 0) {
            m.visitLdcInsn(at);
            m.visitInsn(Opcodes.IADD);
        }
    }

    private static void readLong(MethodVisitor m, int at) {
        m.visitFieldInsn(Opcodes.GETSTATIC, HITS, "RECORDS", "L" + BUFFER + ";");
        address(m, at);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, BUFFER, "getLong", "(I)J", false);
    }

    /** An event class that is begun and never committed: the only way to read JFR's own clock. Registered. */
    static Class<? extends Event> clock() {
        String name = "uprobe/jfr/Clock";
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, name, null, "jdk/jfr/Event", null);
        annotate(writer.visitAnnotation("Ljdk/jfr/Name;", true), "uprobe.Clock");
        annotate(writer.visitAnnotation("Ljdk/jfr/Registered;", true), false);
        constructor(writer, "jdk/jfr/Event");
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "now", "()J", null, null);
        m.visitCode();
        m.visitTypeInsn(Opcodes.NEW, name);
        m.visitInsn(Opcodes.DUP);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, name, "<init>", "()V", false);
        m.visitVarInsn(Opcodes.ASTORE, 0);
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, name, "begin", "()V", false);
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitFieldInsn(Opcodes.GETFIELD, name, "startTime", "J");
        m.visitInsn(Opcodes.LRETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
        writer.visitEnd();
        Class<? extends Event> clock = new Loader(ProbeEventClass.class).define(name.replace('/', '.'), writer.toByteArray()).asSubclass(Event.class);
        FlightRecorder.register(clock);
        return clock;
    }

    /** Reads JFR's ticks through {@link #clock()}; while no recording runs they are 0. */
    static LongSupplier ticksOf(Class<? extends Event> clock) {
        try {
            MethodHandle now = MethodHandles.publicLookup().findStatic(clock, "now", MethodType.methodType(long.class));
            return () -> {
                try {
                    return (long) now.invokeExact();
                } catch (Throwable impossible) {
                    throw new AssertionError(impossible);
                }
            };
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
