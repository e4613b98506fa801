package uprobe.it.app;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Optional;

/** Downcalls and an upcall of java.lang.foreign, which is there from JDK 22 on: its handles are made by reflection, and called as anybody's. */
final class ForeignWays {
    static final boolean AVAILABLE = Runtime.version().feature() >= 22;
    private static final MethodType LONG_TO_LONG = MethodType.methodType(long.class, long.class);
    private static final MethodHandle PLAIN, ALONE, CRITICAL, ERRNO, UP, NEW_STATE, ERRNO_OF;

    private ForeignWays() {
    }

    static {
        try {
            if (AVAILABLE) {
                Maker maker = new Maker();
                PLAIN = maker.downcall("ways_plain");
                ALONE = maker.downcall("ways_alone");
                CRITICAL = maker.downcall("ways_alone", maker.option("critical", boolean.class, false));
                ERRNO = maker.downcall("ways_errno", maker.option("captureCallState", String[].class, new String[] {"errno"}))
                        .asType(MethodType.methodType(long.class, Object.class, long.class));
                UP = maker.upcalling("ways_up");
                NEW_STATE = maker.newState();
                ERRNO_OF = maker.errnoOf();
            } else {
                PLAIN = ALONE = CRITICAL = ERRNO = UP = NEW_STATE = ERRNO_OF = null;
            }
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static long plain(long id) throws Throwable {
        return (long) PLAIN.invokeExact(id);
    }

    /** Without a witness, which a critical call could not have. */
    static long alone(long id) throws Throwable {
        return (long) ALONE.invokeExact(id);
    }

    static long critical(long id) throws Throwable {
        return (long) CRITICAL.invokeExact(id);
    }

    static long capturingErrno(long id) throws Throwable {
        Object state = NEW_STATE.invoke();
        long result = (long) ERRNO.invokeExact(state, id);
        Fixture.same(id % 97 + 1, (int) ERRNO_OF.invoke(state), "the errno that was captured");
        return result;
    }

    static long upAndDown(long id) throws Throwable {
        return (long) UP.invokeExact(id);
    }

    /** java.lang.foreign by names. */
    private static final class Maker {
        private final Class<?> linkerType = foreign("Linker"), optionType = foreign("Linker$Option"), segment = foreign("MemorySegment");
        private final Class<?> layoutType = foreign("MemoryLayout"), arenaType = foreign("Arena"), descriptorType = foreign("FunctionDescriptor");
        private final Object linker = linkerType.getMethod("nativeLinker").invoke(null);
        private final Object global = arenaType.getMethod("global").invoke(null);
        private final Object library = foreign("SymbolLookup").getMethod("libraryLookup", Path.class, arenaType)
                .invoke(null, Path.of(System.getProperty("native.dir"), "libways.so"), global);
        private final Method downcallHandle = linkerType.getMethod("downcallHandle", segment, descriptorType, optionType.arrayType());

        Maker() throws ReflectiveOperationException {
        }

        private static Class<?> foreign(String name) throws ClassNotFoundException {
            return Class.forName("java.lang.foreign." + name);
        }

        private static Object layout(String name) throws ReflectiveOperationException {
            return foreign("ValueLayout").getField(name).get(null);
        }

        private Object descriptor(Object... arguments) throws ReflectiveOperationException {
            Object layouts = Array.newInstance(layoutType, arguments.length);
            System.arraycopy(arguments, 0, layouts, 0, arguments.length);
            return descriptorType.getMethod("of", layoutType, layoutType.arrayType()).invoke(null, layout("JAVA_LONG"), layouts);
        }

        private Object symbol(String name) throws ReflectiveOperationException {
            return ((Optional<?>) foreign("SymbolLookup").getMethod("find", String.class).invoke(library, name)).orElseThrow();
        }

        private Object optionsOf(Object... options) {
            Object array = Array.newInstance(optionType, options.length);
            System.arraycopy(options, 0, array, 0, options.length);
            return array;
        }

        Object option(String name, Class<?> type, Object argument) throws ReflectiveOperationException {
            return optionType.getMethod(name, type).invoke(null, argument);
        }

        MethodHandle downcall(String function, Object... options) throws ReflectiveOperationException {
            return (MethodHandle) downcallHandle.invoke(linker, symbol(function), descriptor(layout("JAVA_LONG")), optionsOf(options));
        }

        /** A function of an id and a callback, with {@link NativeWays#up} for the callback. */
        MethodHandle upcalling(String function) throws ReflectiveOperationException {
            Object descriptor = descriptor(layout("JAVA_LONG"), layout("ADDRESS"));
            MethodHandle handle = (MethodHandle) downcallHandle.invoke(linker, symbol(function), descriptor, optionsOf());
            MethodHandle up = MethodHandles.lookup().findStatic(NativeWays.class, "up", LONG_TO_LONG);
            Object stub = linkerType.getMethod("upcallStub", MethodHandle.class, descriptorType, arenaType, optionType.arrayType())
                    .invoke(linker, up, descriptor(layout("JAVA_LONG")), global, optionsOf());
            return MethodHandles.insertArguments(handle, 1, stub);
        }

        /** A segment that errno is captured in. */
        MethodHandle newState() throws ReflectiveOperationException {
            Object layout = optionType.getMethod("captureStateLayout").invoke(null);
            MethodHandle ofAuto = MethodHandles.publicLookup().findStatic(arenaType, "ofAuto", MethodType.methodType(arenaType));
            MethodHandle allocate = MethodHandles.publicLookup().findVirtual(arenaType, "allocate", MethodType.methodType(segment, layoutType));
            return MethodHandles.filterReturnValue(ofAuto, MethodHandles.insertArguments(allocate, 1, layout))
                    .asType(MethodType.methodType(Object.class));
        }

        MethodHandle errnoOf() throws ReflectiveOperationException {
            MethodHandle get = MethodHandles.publicLookup().findVirtual(segment, "get",
                    MethodType.methodType(int.class, foreign("ValueLayout$OfInt"), long.class));
            return MethodHandles.insertArguments(get, 1, layout("JAVA_INT"), 0L).asType(MethodType.methodType(int.class, Object.class));
        }
    }
}
