package uprobe.it.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Callers whose classes are defined anew by {@link #loader} each time: not initialised, not compiled, without subclasses that the compiler would know
 * of.
 */
public final class FreshCallers {
    private static final ThreadLocal<Long> wanted = new ThreadLocal<>();

    private FreshCallers() {
    }

    /** Public like all here: its loader differs. */
    public interface Caller {
        long call(long id);

        /** Makes wrong what the compiler took for granted in call. */
        void surprise();
    }

    private static final class Loader extends ClassLoader {
        Loader() {
            super(FreshCallers.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(Fresh.class.getName())) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static Caller caller(Class<? extends Caller> kind) throws ReflectiveOperationException {
        return (Caller) new Loader().loadClass(kind.getName()).getDeclaredConstructor().newInstance();
    }

    /** The native is called by a static initialiser. */
    static long initialise(long id) throws ReflectiveOperationException {
        wanted.set(id);
        Class<?> fresh = Class.forName(Fresh.Initialiser.class.getName(), true, new Loader());
        return fresh.getField("RESULT").getLong(null);
    }

    /** For the static initialiser, which has no argument. */
    public static long wanted() {
        return wanted.get();
    }

    /** Holds what is loaded anew. */
    public static final class Fresh {
        private Fresh() {
        }

        public static final class Initialiser {
            public static final long RESULT = NativeWays.byName(wanted());
        }

        public static class Base {
            public long take(long id) {
                return NativeWays.byName(id);
            }
        }

        /** Overrides what was inlined as nobody overrode it. */
        public static final class Overriding extends Base {
            @Override
            public long take(long id) {
                return NativeWays.byName(id);
            }
        }

        /** Base.take is inlined, since no loaded class overrides it; then one does. */
        public static final class OfTheOnlyClass implements Caller {
            private Base base = new Base();

            @Override
            public long call(long id) {
                return base.take(id);
            }

            @Override
            public void surprise() {
                base = new Overriding();
            }
        }

        /** A branch that was never taken is compiled as a trap back into the interpreter. */
        public static final class WithARareBranch implements Caller {
            private static boolean rare;

            @Override
            public long call(long id) {
                long result = NativeWays.byName(id);
                if (rare) {
                    result += Long.signum(result) - 1;
                }
                return result;
            }

            @Override
            public void surprise() {
                rare = true;
            }
        }
    }
}
