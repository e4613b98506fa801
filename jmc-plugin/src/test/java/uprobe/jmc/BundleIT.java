package uprobe.jmc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The jar that users put into the dropins folder. */
class BundleIT {

    private JarFile bundle;

    @BeforeEach
    void open() throws IOException {
        bundle = new JarFile(new File(System.getProperty("bundle")));
    }

    @AfterEach
    void close() throws IOException {
        bundle.close();
    }

    @Test
    void isASingletonAsEclipseAsksOfBundlesWithAPluginXml() throws IOException {
        assertEquals("uprobe.jmc;singleton:=true", header("Bundle-SymbolicName"));
        assertEquals("2", header("Bundle-ManifestVersion"));
    }

    @Test
    void requiresTheBundlesOfMissionControlThatItExtends() throws IOException {
        assertEquals(Set.of("org.openjdk.jmc.flightrecorder.ui", "org.openjdk.jmc.common", "org.openjdk.jmc.flightrecorder",
                "org.openjdk.jmc.flightrecorder.rules"), Set.of(header("Require-Bundle").split(",")));
    }

    /** An invalid version keeps a bundle from being installed, and Eclipse says so in a log only. */
    @Test
    void versionIsOneThatOsgiAccepts() throws IOException {
        assertTrue(header("Bundle-Version").matches("\\d+\\.\\d+\\.\\d+(\\.[\\w-]+)?"), header("Bundle-Version"));
    }

    @Test
    void hasItsDeclarationsWhereMissionControlLooks() {
        for (String name : List.of("plugin.xml", "pages.xml",
                "META-INF/services/org.openjdk.jmc.flightrecorder.rules.IRule")) {
            assertNotNull(bundle.getEntry(name), name);
        }
    }

    /** Mission Control's own classes inside would be others than those it knows: rules would not be IRules. */
    @Test
    void hasNoClassesButItsOwn() {
        assertTrue(bundle.stream().map(JarEntry::getName).filter(name -> name.endsWith(".class"))
                .allMatch(name -> name.startsWith("uprobe/jmc/")));
    }

    private String header(String name) throws IOException {
        Attributes manifest = bundle.getManifest().getMainAttributes();
        assertNotNull(manifest.getValue(name), name);
        return manifest.getValue(name);
    }
}
