package uprobe.agent.boot;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * The agent's classes and libraries, out of the application's sight
 * <p>
 * They lie in the agent's jar below {@value #CLASSES} and {@link JarModule#ROOT}, where no other class loader looks, and this loader's parent is the
 * platform's: neither side sees the other's Byte Buddy or JNA.
 *
 * <pre>
 *   application loader ---- uprobe.agent.boot        the only classes an application could meet
 *   platform loader
 *     +-- layer loader      com.sun.jna              a named module with native access granted: no warning on 24 and later
 *           +-- this        uprobe.*, Byte Buddy, jelf, picocli, ...
 * </pre>
 */
final class IsolatedLoader extends ClassLoader {
    static final String CLASSES = "META-INF/uprobe/classes/";
    /** The attach API lives in a module of the application loader's: looked up there, and only this package. */
    private static final String ATTACH = "com.sun.tools.attach.";

    static {
        registerAsParallelCapable();
    }

    private final JarFile jar;
    private final URI location;
    /** Of the file when it was opened. */
    private final long length, modified;

    private IsolatedLoader(JarFile jar, URI location, ClassLoader parent) {
        super("uprobe", parent);
        this.jar = jar;
        this.location = location;
        this.length = new File(location).length();
        this.modified = new File(location).lastModified();
    }

    /** What was written over the file, in place, can not be read by an index that was read before. */
    private ClassNotFoundException notFound(String name, IOException why) {
        File file = new File(location);
        boolean changed = file.length() != length || file.lastModified() != modified;
        return new ClassNotFoundException(name + (changed ? ": " + file + " was overwritten while this JVM has the agent from it; put new jars under new names" : ""), why);
    }

    boolean isOf(File file) {
        return file.equals(new File(location)) && file.length() == length && file.lastModified() == modified;
    }

    /**
     * @param instrumentation null on the command line, where the manifest grants native access
     * @param file the agent's jar; null: the one that this class comes from
     */
    static IsolatedLoader create(Instrumentation instrumentation, File file) throws Exception {
        URI location = file != null ? file.toURI() : IsolatedLoader.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        JarFile jar = new JarFile(new File(location), false);
        Configuration configuration = ModuleLayer.boot().configuration()
                .resolve(JarModule.finder(jar, location, "com.sun.jna"), ModuleFinder.of(), Set.of("com.sun.jna"));
        ModuleLayer.Controller controller = ModuleLayer.defineModulesWithOneLoader(configuration, List.of(ModuleLayer.boot()),
                ClassLoader.getPlatformClassLoader());
        ModuleLayer layer = controller.layer();
        Module jna = layer.findModule("com.sun.jna").orElseThrow();
        if (instrumentation != null) {
            grantNativeAccess(jna, instrumentation);
        } else {
            handOnNativeAccess(jna, controller);
        }
        return new IsolatedLoader(jar, location, layer.findLoader("com.sun.jna"));
    }

    /** Module.implAddEnableNativeAccess, there from JDK 20 on; no public way exists for a layer of an agent's. */
    private static void grantNativeAccess(Module module, Instrumentation instrumentation) throws ReflectiveOperationException {
        Module self = IsolatedLoader.class.getModule();
        Method grant;
        try {
            grant = Module.class.getDeclaredMethod("implAddEnableNativeAccess");
        } catch (NoSuchMethodException nothingIsRestricted) {
            return;
        }
        instrumentation.redefineModule(Object.class.getModule(), Set.of(), Map.of(), Map.of("java.lang", Set.of(self)), Set.of(), Map.of());
        grant.setAccessible(true);
        grant.invoke(module);
    }

    /** ModuleLayer.Controller.enableNativeAccess, there from JDK 22 on: this class has it, by the manifest of the jar that was started. */
    private static void handOnNativeAccess(Module module, ModuleLayer.Controller controller) throws ReflectiveOperationException {
        try {
            ModuleLayer.Controller.class.getMethod("enableNativeAccess", Module.class).invoke(controller, module);
        } catch (NoSuchMethodException nothingIsRestricted) {
            /* or, before 24, nobody is warned */
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (name.startsWith(ATTACH)) {
            return ClassLoader.getSystemClassLoader().loadClass(name);
        }
        JarEntry entry = jar.getJarEntry(CLASSES + name.replace('.', '/') + ".class");
        if (entry == null) {
            throw notFound(name, null);
        }
        try (InputStream in = jar.getInputStream(entry)) {
            byte[] bytes = in.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw notFound(name, e);
        }
    }

    @Override
    protected URL findResource(String name) {
        JarEntry entry = jar.getJarEntry(CLASSES + name);
        try {
            return entry == null ? null : JarModule.url(location, entry.getName()).toURL();
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    protected Enumeration<URL> findResources(String name) {
        URL found = findResource(name);
        return found == null ? Collections.emptyEnumeration() : Collections.enumeration(List.of(found));
    }
}
