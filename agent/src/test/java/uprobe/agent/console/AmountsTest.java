package uprobe.agent.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmountsTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0|0 ns", "7|7 ns", "0.5|0.50 ns", "812|812 ns", "999.4|999 ns", "999.6|1.00 us", "1234|1.23 us", "12345|12.3 us",
        "99960|100 us", "12345678|12.3 ms", "999500000|1.00 s", "12345678901|12.3 s", "1234567890123|1,235 s"})
    void timesHaveThreeDigits(double nanos, String shown) {
        assertEquals(shown, Amounts.time(nanos));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0|0 B", "999|999 B", "20000|20.0 kB", "1999993|2.00 MB", "-5000|-5.00 kB"})
    void bytesByThousands(long bytes, String shown) {
        assertEquals(shown, Amounts.bytes(bytes));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0|0", "1234567|1,234,567", "-1234|-1,234"})
    void countsInFull(long number, String shown) {
        assertEquals(shown, Amounts.count(number));
    }
}
