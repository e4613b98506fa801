package uprobe.it.app;

import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Recording;

/** A library is unloaded while its probe is not armed, others come in its place, and it comes again. Prints how often its probe was refused in the recording. */
public final class ComesAndGoes {
    private static final String LEAF = "uprobe.g.leaf";
    public static final String[] PROBES = {"c:g/leaf libprobed:probed_leaf i=$arg1:s64", "jfc=probes.jfc"};

    private static NativeLibrary open(String name) {
        return NativeLibrary.getInstance(System.getProperty("native.dir") + "/lib" + name + ".so");
    }

    private static void call(NativeLibrary library, long i) {
        Fixture.same(i * 3 + 1, library.getFunction("probed_leaf").invokeLong(new Object[] {i}), "leaf");
    }

    private static Recording started() {
        Recording r = new Recording();
        r.enable(LEAF);
        r.start();
        return r;
    }

    public static void main(String[] args) throws Exception {
        NativeLibrary library = open("probed");
        Keeping.awaitProbes(LEAF);
        library.close();
        Fixture.check(!Files.readString(Path.of("/proc/self/maps")).contains("libprobed"), () -> "libprobed is still there");
        Recording r = started();
        for (String other : new String[] {"chains", "ways", "storm"}) {
            open(other);
            Thread.sleep(200);
        }
        library = open("probed");
        Thread.sleep(1_500);
        call(library, 1);
        Recording later = started();
        call(library, 2);
        Chunks ofLater = Chunks.ended(later), all = Chunks.ended(r);
        Fixture.same(1, ofLater.of(LEAF).size(), "events when it is there again");
        Fixture.same(0, ofLater.of("uprobe.ProbeRefused").size(), "refused when it is there again");
        Fixture.same(2, all.of(LEAF).size(), "events of the recording that saw it come");
        Fixture.same(1, all.of("uprobe.ProbeRefused").size(), "refused while it was gone");
        Fixture.ok();
    }

    private ComesAndGoes() {}
}
