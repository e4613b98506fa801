package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uprobe.probe.helper.Helper;

class PlatformTest {
    @ParameterizedTest
    @CsvSource({"Linux,amd64", "linux,x86_64"})
    void takesLinuxOnX86(String os, String arch) {
        assertDoesNotThrow(() -> Platform.check(os, arch, false));
    }

    @ParameterizedTest
    @CsvSource({"Linux,aarch64", "Mac OS X,x86_64", "Windows 11,amd64", "Linux,i386"})
    void refusesAnyOtherInOneSentence(String os, String arch) {
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> Platform.check(os, arch, false));
        assertEquals(Refusal.PLATFORM, refused.refusal());
        assertEquals(os + " on " + arch + ": this platform is not supported: Linux on x86-64 with glibc is", refused.getMessage());
    }

    /** musl's loader beside glibc, as multi-libc systems have it. */
    @Test
    void takesAProcessOnGlibcWhereMuslIsInstalledToo() {
        assertDoesNotThrow(() -> Platform.check("Linux", "amd64", true));
    }

    @Test
    void refusesAProcessorThatIsTooOld() {
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> Platform.checkProcessor(Helper.PROCESSOR));
        assertEquals("a processor without cmpxchg16b: this platform is not supported: those made since 2006 have it", refused.getMessage());
    }

    @Test
    void takesThisMachine() {
        assertDoesNotThrow(() -> Platform.check());
    }
}
