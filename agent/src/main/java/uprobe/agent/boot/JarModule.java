package uprobe.agent.boot;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A module whose classes lie unpacked below {@link #ROOT}{@code NAME/} in the agent's jar. */
final class JarModule extends ModuleReference {
    static final String ROOT = "META-INF/uprobe/modules/";

    private final JarFile jar;
    private final URI location;
    private final String prefix;

    private JarModule(ModuleDescriptor descriptor, JarFile jar, URI location, String prefix) {
        super(descriptor, location);
        this.jar = jar;
        this.location = location;
        this.prefix = prefix;
    }

    /** Finds this one module. */
    static ModuleFinder finder(JarFile jar, URI location, String name) throws IOException {
        String prefix = ROOT + name + "/";
        Set<String> packages = jar.stream().map(JarEntry::getName)
                .filter(n -> n.startsWith(prefix) && n.endsWith(".class")).map(n -> n.substring(prefix.length()))
                .filter(n -> n.indexOf('/') > 0 && !n.startsWith("META-INF/"))
                .map(n -> n.substring(0, n.lastIndexOf('/')).replace('/', '.')).collect(Collectors.toSet());
        JarEntry plain = jar.getJarEntry(prefix + "module-info.class");
        JarEntry versioned = jar.getJarEntry(prefix + "META-INF/versions/9/module-info.class");
        ModuleDescriptor descriptor;
        try (InputStream in = jar.getInputStream(plain != null ? plain : versioned)) {
            descriptor = ModuleDescriptor.read(in, () -> packages);
        }
        ModuleReference reference = new JarModule(descriptor, jar, location, prefix);
        return new ModuleFinder() {
            @Override
            public Optional<ModuleReference> find(String wanted) {
                return wanted.equals(name) ? Optional.of(reference) : Optional.empty();
            }

            @Override
            public Set<ModuleReference> findAll() {
                return Set.of(reference);
            }
        };
    }

    static URI url(URI jar, String entry) {
        return URI.create("jar:" + jar + "!/" + entry);
    }

    @Override
    public ModuleReader open() {
        return new ModuleReader() {
            @Override
            public Optional<URI> find(String name) {
                return Optional.ofNullable(jar.getJarEntry(prefix + name)).map(e -> url(location, e.getName()));
            }

            @Override
            public Optional<InputStream> open(String name) throws IOException {
                JarEntry entry = jar.getJarEntry(prefix + name);
                return entry == null ? Optional.empty() : Optional.of(jar.getInputStream(entry));
            }

            @Override
            public Stream<String> list() {
                return jar.stream().map(JarEntry::getName).filter(n -> n.startsWith(prefix)).map(n -> n.substring(prefix.length()));
            }

            @Override
            public void close() {
                /* the jar stays open as long as the agent */
            }
        };
    }
}
