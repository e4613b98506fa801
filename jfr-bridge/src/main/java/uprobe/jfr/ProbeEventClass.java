package uprobe.jfr;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
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
import uprobe.probe.spec.FieldSpec;
import uprobe.probe.spec.JavaNames;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.SymbolPattern;
import uprobe.probe.spec.Unit;

/**
 * The event class of one probe
 * <p>
 * The method that commits an event is the top frame of its stack trace. So the generated class is named for the library and its methods for the
 * function: the stack reads {@code libz.deflate <- java.util.zip.Deflater.deflateBytesBytes <- ...}. The helper calls that method itself, so no
 * frame of ours lies between. For the probe {@code c:zlib/deflate libz:deflate flush=$arg2:s32} the class would read in Java:
 *
 * <pre>
 * &#64;Name("uprobe.zlib.deflate") &#64;Label("deflate") &#64;Category({"Native Probes", "libz"})
 * public final class libz extends Event {
 *     &#64;Label("flush") long flush;
 *     long nativeThreadId; String nativeThreadName; long javaThreadId; String drained; String missing;
 *
 *     public static void deflate() {
 *         long run = HitRun.now();
 *         int offset = HitRun.offset(run), count = HitRun.count(run);
 *         // what the drain thread tells, if it brings them: else 0 and null
 *         long nativeThreadId = 0; String nativeThreadName = null; long javaThreadId = 0; String drained = null;
 *         if (HitRun.isDrained(run)) {
 *             nativeThreadId = HitRun.nativeThreadId(); ...
 *         }
 *         for (; count != 0; count--, offset += 64) {
 *             libz event = new libz();
 *             event.startTime = Hits.ticks(Hits.RECORDS.getLong(offset + 16));
 *             event.duration = Hits.duration(Hits.RECORDS.getLong(offset + 32));
 *             event.flush = Hits.RECORDS.getLong(offset + 40);
 *             ...
 *             event.commit();
 *             Hits.RECORDS.putInt(offset, REJECTED - event.accepted);      // REJECTED - 1 is COMMITTED
 *         }
 *     }
 * }
 * </pre>
 *
 * A second class of the same name has native methods of the functions' names. Such a method is the function's frame in the stacks of hits inside a call of
 * it: the helper binds it to C that calls on (commit.c). None of the methods has a parameter: stacks show them, and a native function has none of Java's
 * types.
 *
 * JFR adds the private fields startTime and duration, in its ticks, to every event class when it is loaded; only the class's own code may store into
 * them. As they are private, classes of equal name live in loaders of their own. No line numbers: debuggers step over.
 */
final class ProbeEventClass {
    private static final String SUPER = "uprobe/jfr/ProbeEvent", HITS = "uprobe/jfr/Hits", BUFFER = "java/nio/ByteBuffer", STRING = "Ljava/lang/String;";
    private static final String RUN = "uprobe/probe/HitRun", METHOD = "()V";
    /** Locals of the commit method. */
    private static final int OFFSET = 0, COUNT = 1, THREAD_ID = 2, THREAD_NAME = 4, JAVA_ID = 5, DRAINED = 7, EVENT = 8, MISSING = 9, NOW = 10;

    /** Defines one class; the bridge's classes are visible to it, no application's. */
    private static final class Loader extends ClassLoader {
        Loader() {
            super("uprobe-event", ProbeEventClass.class.getClassLoader());
        }

        Class<?> define(String name, byte[] bytes) {
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    /**
     * @param event whose methods commit
     * @param frames whose native methods are the functions' frames in the stacks of hits inside their calls; null: they have none, as returns are not awaited
     */
    record Classes(Class<? extends Event> event, Class<?> frames) {}

    private final ProbeSpec spec;
    private final String eventName;
    private final String stem;
    private final List<String> symbols;
    private final String className;
    private final boolean enabled;

    private ProbeEventClass(ProbeSpec spec, String eventName, String stem, List<String> symbols, boolean enabled) {
        this.enabled = enabled;
        this.spec = spec;
        this.eventName = eventName;
        this.stem = stem;
        this.symbols = symbols;
        this.className = JavaNames.frameName(stem);
    }

    /** Name of the method that commits, which is the frame's. */
    static String methodName(String symbol) {
        return JavaNames.frameName(symbol);
    }

    /**
     * @param eventName {@code uprobe.GROUP.EVENT}
     * @param symbols of the functions, each of which gets a method; of a pattern's probe there may be some thousand
     * @param enabled whether recordings that say nothing of it have it enabled
     */
    static Classes of(ProbeSpec spec, String eventName, String stem, List<String> symbols, boolean enabled) {
        ProbeEventClass generated = new ProbeEventClass(spec, eventName, stem, symbols, enabled);
        Class<?> loaded = new Loader().define(generated.className, generated.bytes());
        boolean callsOthers = spec.type() != ProbeType.ENTRY;
        return new Classes(loaded.asSubclass(Event.class), callsOthers ? new Loader().define(generated.className, generated.frames()) : null);
    }

    /** The events of a pattern say which function it was. */
    private boolean isPattern() {
        return spec.target() instanceof SymbolPattern;
    }

    private byte[] bytes() {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS | ClassWriter.COMPUTE_FRAMES);
        writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, className, null, SUPER, null);
        annotate(writer.visitAnnotation("Ljdk/jfr/Name;", true), eventName);
        annotate(writer.visitAnnotation("Ljdk/jfr/Label;", true), isPattern() ? spec.target().toString() : symbols.get(0));
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
        symbols.stream().map(ProbeEventClass::methodName).distinct().forEach(method -> commitMethod(writer, method));
        writer.visitEnd();
        return writer.toByteArray();
    }

    private byte[] frames() {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, className, null, "java/lang/Object", null);
        symbols.stream().map(ProbeEventClass::methodName).distinct().forEach(method ->
                writer.visitMethod(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_NATIVE, method, METHOD, null, null).visitEnd());
        writer.visitEnd();
        return writer.toByteArray();
    }

    private String description() {
        String what = switch (spec.type()) {
            case ENTRY -> "Hit at ";
            case RETURN -> "Return from ";
            case CALL -> "Call of ";
        };
        return what + (isPattern() ? "one of " + spec.target() : symbols.get(0)) + " in " + stem;
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

    private void commitMethod(ClassWriter writer, String method) {
        boolean isCall = spec.type() == ProbeType.CALL;
        int values = spec.fields().size() + (isCall ? 1 : 0);
        int length = (HitRecordDescriptor.VALUES + values * Long.BYTES + 31) / 32 * 32;
        MethodVisitor m = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, method, METHOD, null, null);
        m.visitCode();
        whatFor(m);
        Label loop = new Label(), end = new Label(), nothingMissing = new Label();
        m.visitLabel(loop);
        m.visitVarInsn(Opcodes.ILOAD, COUNT);
        m.visitJumpInsn(Opcodes.IFEQ, end);
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

        store(m, Opcodes.LLOAD, THREAD_ID, "nativeThreadId", "J");
        store(m, Opcodes.ALOAD, THREAD_NAME, "nativeThreadName", STRING);
        store(m, Opcodes.LLOAD, JAVA_ID, "javaThreadId", "J");
        store(m, Opcodes.ALOAD, DRAINED, "drained", STRING);

        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, className, "commit", "()V", false);
        m.visitFieldInsn(Opcodes.GETSTATIC, HITS, "RECORDS", "L" + BUFFER + ";");
        address(m, HitRecordDescriptor.STATE);
        m.visitLdcInsn(HitRecordDescriptor.REJECTED);
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitFieldInsn(Opcodes.GETFIELD, SUPER, "accepted", "Z");
        m.visitInsn(Opcodes.ISUB);
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, BUFFER, "putInt", "(II)L" + BUFFER + ";", false);
        m.visitInsn(Opcodes.POP);

        m.visitIincInsn(OFFSET, length);
        m.visitIincInsn(COUNT, -1);
        m.visitJumpInsn(Opcodes.GOTO, loop);
        m.visitLabel(end);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    /** Into the locals: the records, and what the drain thread tells of those that it brings. */
    private static void whatFor(MethodVisitor m) {
        Label own = new Label();
        m.visitInsn(Opcodes.LCONST_0);
        m.visitVarInsn(Opcodes.LSTORE, THREAD_ID);
        m.visitInsn(Opcodes.ACONST_NULL);
        m.visitVarInsn(Opcodes.ASTORE, THREAD_NAME);
        m.visitInsn(Opcodes.LCONST_0);
        m.visitVarInsn(Opcodes.LSTORE, JAVA_ID);
        m.visitInsn(Opcodes.ACONST_NULL);
        m.visitVarInsn(Opcodes.ASTORE, DRAINED);
        ask(m, "now", "()J", Opcodes.LSTORE, NOW);
        ofRun(m, "offset", "(J)I");
        m.visitVarInsn(Opcodes.ISTORE, OFFSET);
        ofRun(m, "count", "(J)I");
        m.visitVarInsn(Opcodes.ISTORE, COUNT);
        ofRun(m, "isDrained", "(J)Z");
        m.visitJumpInsn(Opcodes.IFEQ, own);
        ask(m, "nativeThreadId", "()J", Opcodes.LSTORE, THREAD_ID);
        ask(m, "nativeThreadName", "()" + STRING, Opcodes.ASTORE, THREAD_NAME);
        ask(m, "javaThreadId", "()J", Opcodes.LSTORE, JAVA_ID);
        ask(m, "drained", "()" + STRING, Opcodes.ASTORE, DRAINED);
        m.visitLabel(own);
    }

    private static void ask(MethodVisitor m, String what, String type, int store, int local) {
        m.visitMethodInsn(Opcodes.INVOKESTATIC, RUN, what, type, false);
        m.visitVarInsn(store, local);
    }

    private static void ofRun(MethodVisitor m, String what, String type) {
        m.visitVarInsn(Opcodes.LLOAD, NOW);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, RUN, what, type, false);
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

    private void store(MethodVisitor m, int load, int local, String field, String type) {
        m.visitVarInsn(Opcodes.ALOAD, EVENT);
        m.visitVarInsn(load, local);
        m.visitFieldInsn(Opcodes.PUTFIELD, className, field, type);
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
        Class<? extends Event> clock = new Loader().define(name.replace('/', '.'), writer.toByteArray()).asSubclass(Event.class);
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
