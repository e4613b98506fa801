package uprobe.jfr;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JfcTextTest {
    /** The last of two patterns' probes gave its sample to the first, whose file was used as it was written. */
    @Test
    void whereProbesOfOneEventTypeDifferNothingIsSaidOfTheSetting() {
        assertEquals(Map.of("uprobe.NativeCall", Map.of("enabled", "true"), "uprobe.z.one", Map.of("sample", "all")), JfcText.merged(List.of(
                Map.entry("uprobe.NativeCall", Map.of("enabled", "true", "sample", "1/1000")), Map.entry("uprobe.z.one", Map.of("sample", "all")),
                Map.entry("uprobe.NativeCall", Map.of("enabled", "true", "sample", "all")))));
    }
}
