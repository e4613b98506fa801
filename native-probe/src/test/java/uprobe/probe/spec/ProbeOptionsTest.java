package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeOptionsTest {
    private static ProbeOptions options(String rest) throws ProbeSyntaxException {
        return ProbeParser.parse("c libz:deflate " + rest).options();
    }

    private static void refused(Function<String, ?> parse, String text, String message) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, () -> parse.apply(text)).getMessage());
    }

    @Test
    void areTheDefaultsWhenNoneIsGiven() throws Exception {
        assertEquals(ProbeOptions.DEFAULT, options("len=$arg2"));
        assertEquals(new ProbeOptions(Mode.EVENT, Sampling.ALL, RateLimit.NONE, Until.NEVER, true, null, null), ProbeOptions.DEFAULT);
    }

    @Test
    void areReadInAnyOrder() throws Exception {
        ProbeOptions wanted = new ProbeOptions(Mode.HIST, new Sampling(100), new RateLimit(1000), new Until(Long.MAX_VALUE, 10_000_000_000L), false,
                false, Mechanism.EMULATE);
        assertEquals(wanted, options("mode=hist sample=1/100 limit=1000/s until=10s stack=none enabled=false mechanism=emulate"));
        assertEquals(wanted, options("mechanism=emulate enabled=false,stack=none len=$arg2 until=10s limit=1k/s if len > 4 sample=1/100 mode=hist"));
    }

    @Test
    void sayWhatHoldsAnyway() throws Exception {
        ProbeOptions said = options("mode=event sample=1/1 limit=none until=never stack=java enabled=true");
        assertEquals(new ProbeOptions(Mode.EVENT, Sampling.ALL, RateLimit.NONE, Until.NEVER, true, true, null), said);
    }

    @Test
    void leaveItOpenWhetherTheEventIsEnabled() throws Exception {
        assertNull(options("").enabled());
        assertTrue(options("enabled=true").enabled());
        assertFalse(options("enabled=false").enabled());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mode", "sample", "limit", "until", "stack", "enabled", "mechanism"})
    void leaveTheirNamesToFields(String name) throws Exception {
        ProbeSpec probe = ProbeParser.parse("c libz:deflate " + name + "=$arg2 x=$arg1 if x > " + name + " until=7");
        assertEquals(List.of(name, "x"), probe.fields().stream().map(FieldSpec::name).toList());
        assertEquals(new Until(7, Long.MAX_VALUE), probe.options().until());
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void readBackEveryMode(Mode mode) {
        assertEquals(mode, Mode.parse(mode.text()));
    }

    @ParameterizedTest
    @CsvSource({"1/100,100,1/100", "1/1,1,all", "all,1,all", "1,1,all", "1/1000000000,1000000000,1/1000000000", "' 1/7 ',7,1/7", "1/007,7,1/7"})
    void readAShareOfTheHits(String text, long oneOf, String written) {
        assertEquals(new Sampling(oneOf), Sampling.parse(text));
        assertEquals(written, Sampling.parse(text).text());
        assertEquals(Sampling.parse(text), Sampling.parse(written));
    }

    @ParameterizedTest
    @CsvSource({"1000/s,1000,1000/s", "1/s,1,1/s", "100k/s,100000,100000/s", "2m/s,2000000,2000000/s", "1000m/s,1000000000,1000000000/s"})
    void readARate(String text, long perSecond, String written) {
        assertEquals(new RateLimit(perSecond), RateLimit.parse(text));
        assertEquals(written, RateLimit.parse(text).text());
        assertEquals(RateLimit.parse(text), RateLimit.parse(written));
    }

    @Test
    void readTheWordsForNothing() {
        assertSame(RateLimit.NONE, RateLimit.parse("off"));
        assertSame(RateLimit.NONE, RateLimit.parse("none"));
        assertSame(RateLimit.NONE, RateLimit.parse(RateLimit.NONE.text()));
        assertSame(Sampling.ALL, Sampling.parse(Sampling.ALL.text()));
        assertSame(Until.NEVER, Until.parse(Until.NEVER.text()));
    }

    @ParameterizedTest
    @CsvSource({"1000,1000,,1000", "1,1,,1", "10s,,10000000000,10s", "500ms,,500000000,500ms", "5m,,300000000000,5m", "60s,,60000000000,1m",
        "1h,,3600000000000,1h",
        "90m,,5400000000000,90m", "1500us,,1500000,1500us", "7ns,,7,7ns", "2000ms,,2000000000,2s"})
    void readAnEnd(String text, Long hits, Long nanos, String written) {
        Until until = new Until(hits == null ? Long.MAX_VALUE : hits, nanos == null ? Long.MAX_VALUE : nanos);
        assertEquals(until, Until.parse(text));
        assertEquals(written, until.text());
        assertEquals(until, Until.parse(written));
    }

    @Test
    void refuseAModeThatIsNone() {
        refused(Mode::parse, "Count", "unknown mode 'Count'; did you mean count? modes are event, count and hist");
        refused(Mode::parse, "", "unknown mode ''; modes are event, count and hist");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0.01", "1%", "100", "2/100", "1/", "1/x", "1/-5", "1 / 5", "1/9999999999999999999"})
    void refuseAShareThatIsNone(String text) {
        refused(Sampling::parse, text, "'" + text + "' is no share of the hits; write 1/N to record one hit of N, e.g. 1/100, or all");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1_000_000_001, 999_999_999_999_999_999L})
    void refuseAShareOutOfRange(long oneOf) {
        refused(Sampling::parse, "1/" + oneOf, "sampling 1/" + oneOf + " is out of range; write 1/1 to 1/1000000000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1000", "1000/ms", "/s", "-1/s", "1.5k/s", "1g/s", "1000 /s", "9999999999999/s"})
    void refuseARateThatIsNone(String text) {
        refused(RateLimit::parse, text, "'" + text + "' is no rate; write hits a second, e.g. 1000/s or 100k/s, or none");
    }

    @ParameterizedTest
    @CsvSource({"0/s,0", "0k/s,0", "1000000001/s,1000000001", "1001m/s,1001000000", "999999999999m/s,999999999999000000"})
    void refuseARateOutOfRange(String text, String perSecond) {
        refused(RateLimit::parse, text, "rate " + perSecond + "/s is out of range; write 1/s to 1000000000/s, or none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10x", "s", "-1", "1.5s", "10 s", "1d", "10sec"})
    void refuseAnEndThatIsNone(String text) {
        refused(Until::parse, text, "'" + text + "' is no end; write a number of hits, e.g. 1000, or a time: 500ms, 10s, 5m or 1h");
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "99999999999999999999", "9999999999h", "99999999999999999999s"})
    void refuseAnEndThatIsTooFar(String text) {
        refused(Until::parse, text, "'" + text + "' is too large; write never, or a smaller number");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0s", "0ms"})
    void refuseAnEndBeforeTheBeginning(String text) {
        refused(Until::parse, text, "a probe cannot end before its first hit; write a number of hits or a time above 0");
    }

    @Test
    void refuseTwoEnds() {
        assertThrows(IllegalArgumentException.class, () -> new Until(5, 5));
    }
}
