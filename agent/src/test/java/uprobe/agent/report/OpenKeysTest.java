package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OpenKeysTest {
    private static final long SECOND = 1_000_000_000;

    private static List<String> open(OpenKeys keys) {
        List<String> open = new ArrayList<>();
        keys.forEachOpen((owner, amount) -> open.add(owner + ":" + amount));
        Collections.sort(open);
        return open;
    }

    @Test
    void theOrderInWhichEventsComeDoesNotMatter() {
        for (int seed = 0; seed < 50; seed++) {
            OpenKeys keys = new OpenKeys();
            List<Runnable> events = new ArrayList<>(List.of(() -> keys.open(16, 1, 0, 100), () -> keys.close(16, 2), () -> keys.open(16, 3, 1, 200),
                    () -> keys.open(32, 1, 2, 300), () -> keys.close(32, 5), () -> keys.close(48, 7), () -> keys.open(0, 9, 3, 400)));
            Collections.shuffle(events, new Random(seed));
            events.forEach(Runnable::run);
            assertEquals(List.of("1:200", "3:400"), open(keys));
        }
    }

    @Test
    void anOpenWhoseCloseWasLostIsReplacedByTheNextOfItsKey() {
        OpenKeys keys = new OpenKeys();
        keys.open(16, 1, 0, 100);
        keys.open(16, 2, 1, 200);
        assertEquals(List.of("1:200"), open(keys));
    }

    @Test
    void manyKeysAreKept() {
        OpenKeys keys = new OpenKeys();
        for (int i = 0; i < 100_000; i++) {
            keys.open(i * 16L, i * SECOND, 0, i);
            if (i % 10 != 0) {
                keys.close(i * 16L, i * SECOND + 1);
            }
        }
        assertEquals(10_000, open(keys).size());
    }
}
