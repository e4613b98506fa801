package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class DurationsTest {
    private static Durations upTo(int number) {
        Durations durations = new Durations();
        for (int i = 1; i <= number; i++) {
            durations.add(i * 1000.0);
        }
        return durations;
    }

    @Test
    void fewAreExactAndManyWithinOnePercent() {
        assertNull(new Durations().percentile(50));
        assertEquals(5000, upTo(10).percentile(50));
        assertEquals(9000, upTo(10).percentile(90));
        assertEquals(10_000, upTo(10).percentile(99));
        assertEquals(5_000_000, upTo(10_000).percentile(50), 50_000);
        assertEquals(9_900_000, upTo(10_000).percentile(99), 99_000);
    }

    @Test
    void theyAddUp() {
        Durations sum = new Durations();
        sum.add(upTo(50));
        sum.add(upTo(50));
        assertEquals(25_000, sum.percentile(50), 250);
        sum.add(upTo(10_000));
        sum.add(upTo(10));
        assertEquals(5_000_000, sum.percentile(50), 100_000);
    }
}
