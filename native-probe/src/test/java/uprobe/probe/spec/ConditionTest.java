package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import uprobe.probe.spec.Condition.Step;

class ConditionTest {
    /* a and d are unsigned as operands, b and c are not */
    private static final String PROBE = "c libfoo:f a=$arg1 b=$arg2:s64 c=$arg3:u32 d=$arg4:x64 t=$arg5:u32/ms ret=$retval:s32 ";
    private static final double CLOCK = 2.5;    // units a nanosecond

    private static Condition condition(String text) throws ProbeSyntaxException {
        return ProbeParser.parse(PROBE + "if " + text).condition();
    }

    private static ConditionProgram program(String text) throws ProbeSyntaxException {
        return new ConditionProgram(condition(text), CLOCK);
    }

    private static boolean holds(String text, long... fields) throws ProbeSyntaxException {
        return program(text).value(Arrays.copyOf(fields, 6), 0) != 0;
    }

    @Test
    void writesStepsOfSixteenBytesInPostfix() throws Exception {
        assertEquals("0000010000000000" + "0000000000000000"
                + "0100000000000000" + "0010000000000000"
                + "0900000000000000" + "0000000000000000", HexFormat.of().formatHex(condition("b < 4096").program(1)));
    }

    @Test
    void numbersTheStepsAsTheEngineDoes() {
        assertEquals("FIELD CONSTANT DURATION NOT INVERT NEGATE MULTIPLY ADD SUBTRACT LESS LESS_UNSIGNED LESS_EQUAL LESS_EQUAL_UNSIGNED EQUAL "
                + "NOT_EQUAL AND_BITS XOR_BITS OR_BITS AND OR", String.join(" ", Arrays.stream(Step.values()).map(Enum::name).toList()));
    }

    @Test
    void exchangesTheOperandsOfGreater() throws Exception {
        ConditionProgram program = program("b > c");
        assertEquals(List.of(2, 1), List.of(program.index(0), program.index(1)));
        assertEquals(Step.LESS, program.step(2));
    }

    @ParameterizedTest
    @CsvSource({"b < c,LESS", "b <= c,LESS_EQUAL", "a < b,LESS_UNSIGNED", "b > d,LESS_UNSIGNED", "c >= a,LESS_EQUAL_UNSIGNED",
        "b < 0x8000000000000000,LESS_UNSIGNED", "b < 0x7fffffffffffffff,LESS", "b < 2 * d,LESS_UNSIGNED", "b < -(~d),LESS_UNSIGNED",
        "b < (a == d),LESS", "b < !a,LESS", "$duration < 1ms,LESS"})
    void comparesUnsignedWhereAnOperandIsOf64UnsignedBits(String text, Step last) throws Exception {
        ConditionProgram program = program(text);
        assertEquals(last, program.step(program.steps() - 1));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            a > 4096 && b == 9          ; 4097 ;  9 ; true
            a > 4096 && b == 9          ; 4096 ;  9 ; false
            b > -1                      ;    0 ;  0 ; true
            b > -1                      ;    0 ; -1 ; false
            a == -1                     ;   -1 ;  0 ; true
            a > 9223372036854775807     ;   -1 ;  0 ; true
            b & 4 == 4                  ;    0 ;  6 ; false
            (b & 4) == 4                ;    0 ;  6 ; true
            !a || b                     ;    0 ;  0 ; true
            !(a || b)                   ;    0 ;  7 ; false
            1 + 2 * 3 == 7              ;    0 ;  0 ; true
            a - b - 1 == 0              ;   10 ;  9 ; true
            -b == 5 && +b == -5         ;    0 ; -5 ; true
            a == 4k && b == 1MiB        ; 4096 ; 1048576 ; true
            a == 2G && b == -1k         ; 2147483648 ; -1024 ; true
            a^b|~a                      ;    7 ;  7 ; true
            """)
    void readsOperatorsAsCDoes(String text, long a, long b, boolean expected) throws Exception {
        assertEquals(expected, holds(text, a, b));
    }

    /* what gcc makes of the same text; chains and comparisons that never hold are left out, as they are refused */
    @Test
    void meansWhatGccTakesItFor(@TempDir Path folder) throws Exception {
        Random random = new Random(7);
        long[][] values = new long[12][];
        for (int i = 0; i < values.length; i++) {
            values[i] = new long[] {value(random), value(random), random.nextInt() & 0xffffffffL, value(random), 0, 0};
        }
        List<String> texts = new ArrayList<>();
        while (texts.size() < 400) {
            String text = expression(random, 4);
            try {
                condition(text);
                texts.add(text);
            } catch (ProbeSyntaxException e) {
                assertTrue(e.getMessage().matches(".*(do not chain|never below 0|more than 64 steps).*"), () -> e.getMessage() + ": " + text);
            }
        }
        StringBuilder source = new StringBuilder("#include <stdio.h>\n#include <stdint.h>\n"
                + "static void all(uint64_t a, int64_t b, int64_t c, uint64_t d) {\n");
        texts.forEach(text -> source.append("printf(\"%lld\\n\", (long long)(").append(text.replaceAll("\\b([0-9]+)\\b", "$1L")).append("));\n"));
        source.append("}\nint main(void) {\n");
        for (long[] v : values) {
            source.append(String.format("all(0x%xU, (int64_t)0x%xU, 0x%xL, 0x%xU);%n", v[0], v[1], v[2], v[3]));
        }
        Files.writeString(folder.resolve("all.c"), source.append("return 0;\n}\n"));
        assertEquals("", run(folder, "gcc", "-w", "-fwrapv", "-o", "all", "all.c"));
        List<String> said = run(folder, "./all").lines().toList();
        assertEquals(texts.size() * values.length, said.size());
        int at = 0;
        for (long[] v : values) {
            for (String text : texts) {
                assertEquals(Long.parseLong(said.get(at++)), program(text).value(v, 0), () -> text + " of " + Arrays.toString(v));
            }
        }
    }

    private static long value(Random random) {
        long[] often = {0, 1, 2, -1, 5, Long.MIN_VALUE, Long.MAX_VALUE};
        return random.nextBoolean() ? often[random.nextInt(often.length)] : random.nextLong() >> random.nextInt(64);
    }

    private static String expression(Random random, int depth) {
        if (depth == 0 || random.nextInt(8) == 0) {
            return List.of("a", "b", "c", "d", "0", "1", "5", "4096", "9223372036854775807").get(random.nextInt(9));
        }
        if (random.nextInt(6) == 0) {
            return List.of("!", "~", "- ", "+ ").get(random.nextInt(4)) + expression(random, depth - 1);
        }
        if (random.nextInt(4) == 0) {
            return "(" + expression(random, depth - 1) + ")";
        }
        String[] operators = {"||", "&&", "|", "^", "&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*"};
        return expression(random, depth - 1) + " " + operators[random.nextInt(operators.length)] + " " + expression(random, depth - 1);
    }

    private static String run(Path folder, String... command) throws Exception {
        Path out = folder.resolve("out");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        assertEquals(0, process.waitFor(), () -> String.join(" ", command));
        return Files.readString(out);
    }

    @ParameterizedTest
    @CsvSource({"t >= 2s,2000", "t == 7ms,7", "2s <= t,2000", "t + 1s > 3s,2001", "t > 5,6", "t == 2 * 10ms,20"})
    void countsTimesBesideAFieldInTheFieldsUnit(String text, long milliseconds) throws Exception {
        assertTrue(holds(text, 0, 0, 0, 0, milliseconds));
        assertTrue(!holds("!(" + text + ")", 0, 0, 0, 0, milliseconds));
    }

    @ParameterizedTest
    @CsvSource({"$duration > 10ms,25000000", "10ms < $duration,25000000", "$duration > 3us,7500", "$duration > 1s,2500000000", "$duration > 7ns,18",
        "$duration - 5ms > 5ms,25000000", "$duration * 2 > 20ms,25000000", "$duration > 2 * 5ms,25000000", "$duration > -(-10ms),25000000"})
    void countsTimesBesideTheDurationInUnitsOfTheClock(String text, long units) throws Exception {
        assertEquals(0, program(text).value(new long[6], units));
        assertEquals(1, program(text).value(new long[6], units + 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"if a > 1", "if(a > 1)", "if,a,>,1", "if a>1", "if !a", "if!a"})
    void beginsBehindIfHoweverItIsSeparated(String condition) throws Exception {
        assertEquals(0, new ConditionProgram(ProbeParser.parse(PROBE + condition).condition(), 1).value(new long[] {1, 0, 0, 0, 0, 0}, 0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"if a > 1 mode=count|a > 1", "if  a > 1 , mode=count|a > 1", "if a > 1|a > 1",
        "if a,>,1,mode=count|a,>,1", "mode=count if a > 1|a > 1", "mode=count if (a > 1) limit=1/s|(a > 1)"})
    void endsWhereAnOptionBegins(String rest, String text) throws Exception {
        ProbeSpec probe = ProbeParser.parse(PROBE + rest);
        assertEquals(text, probe.condition().text());
        assertEquals(rest.contains("mode") ? Mode.COUNT : Mode.EVENT, probe.options().mode());
    }

    @Test
    void comparesAFieldOfAnOptionsName() throws Exception {
        ProbeSpec probe = ProbeParser.parse("p libc:open mode=$arg2 if mode==2 && 3 > mode mode=count");
        assertEquals("mode==2 && 3 > mode", probe.condition().text());
        assertEquals(Mode.COUNT, probe.options().mode());
    }

    @Test
    void isNotThereWithoutIf() throws Exception {
        assertNull(ProbeParser.parse(PROBE).condition());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"c f:f a=$arg1 b=$retval if a > 1;false", "c f:f a=$arg1 b=$retval if a && b;true",
        "c f:f b=+8($retval) if b > 1;true",
        "c f:f a=$arg1 if a > 1 || $duration > 1us;true", "r f:f a=%rdx if a > 1;true", "r f:f if 1;false", "p f:f a=%rdx if a > 1;false"})
    void knowsWhetherItNeedsTheReturn(String probe, boolean atReturn) throws Exception {
        assertEquals(atReturn, ProbeParser.parse(probe).condition().atReturn());
    }

    @Test
    void parsesTheSettingOfARecording() throws Exception {
        ProbeSpec probe = ProbeParser.parse("c libz:deflate len=$arg2");
        Condition filter = Condition.parse("  len > 4k ", probe.fields(), probe.type(), 1);
        assertEquals("len > 4k", filter.text());
        assertEquals(ProbeParser.parse("c libz:deflate len=$arg2 if len > 4096").condition(), filter);
    }

    @Test
    void countsColumnsFromTheOneItIsGiven() {
        ProbeSyntaxException e = assertThrows(ProbeSyntaxException.class, () -> Condition.parse("1 < lne", List.of(), ProbeType.ENTRY, 8));
        assertEquals(12, e.column());
        assertEquals("       1 < lne\n           ^", e.pointed());
    }

    @Test
    void joinsTheConditionsOfTwoRecordings() throws Exception {
        Condition either = Condition.or(List.of(condition("a > 10"), condition("b == 1 && ret < 0")));
        assertEquals("(b == 1 && ret < 0) || (a > 10)", either.text());
        ConditionProgram program = new ConditionProgram(either, CLOCK);
        assertEquals(1, program.value(new long[] {11, 0, 0, 0, 0, 0}, 0));
        assertEquals(1, program.value(new long[] {0, 1, 0, 0, 0, -1}, 0));
        assertEquals(0, program.value(new long[] {0, 1, 0, 0, 0, 0}, 0));
        assertTrue(either.atReturn());
        assertEquals(either, condition(either.text()));
    }

    @Test
    void joinsWhatIsTheSameOnce() throws Exception {
        Condition one = condition("a > 10");
        assertSame(one, Condition.or(List.of(one, condition("(a>0xa)"))));
    }

    @Test
    void passesEveryHitIfARecordingHasNoFilter() throws Exception {
        assertNull(Condition.or(Arrays.asList(condition("a > 10"), null)));
    }

    @Test
    void passesEveryHitIfTheFiltersAreTooLongTogether() throws Exception {
        String long1 = "a" + " + a".repeat(31);
        String long2 = "b" + " + b".repeat(31);
        assertEquals(63, condition(long1).program(1).length / Condition.STEP_SIZE);
        assertNull(Condition.or(List.of(condition(long1), condition(long2))));
    }

    @Test
    void joinsADeepConditionWithAFlatOne() throws Exception {
        Condition deep = condition("a + (".repeat(15) + "a" + ")".repeat(15));
        assertEquals(1, new ConditionProgram(Condition.or(List.of(condition("b"), deep)), 1).value(new long[] {0, 1, 0, 0, 0, 0}, 0));
    }

    @Test
    void tellsConditionsApartByTheirSteps() throws Exception {
        assertEquals(condition("a>4096"), condition("a > 4k"));
        assertEquals(condition("a>4096").hashCode(), condition("4k < a").hashCode());
        assertNotEquals(condition("a > 4096"), condition("b > 4096"));
        assertNotEquals(condition("$duration > 10ms"), condition("t * 1000000 > 10000000"));
        assertArrayEquals(condition("a>4096").program(1), condition("a > 4k").program(3));
    }

    @Test
    void wantsToKnowTheClock() throws Exception {
        Condition condition = condition("a > 1");
        assertThrows(IllegalArgumentException.class, () -> condition.program(0));
        assertThrows(IllegalArgumentException.class, () -> condition.program(Double.NaN));
    }

    @Test
    void takesSixtyFourStepsAndSixteenValues() throws Exception {
        assertEquals(64, program("!a" + " + a".repeat(31)).steps());
        assertEquals(1, program("a + (".repeat(15) + "a" + ")".repeat(15)).value(new long[] {1, 0, 0, 0, 0, 0}, 0) / 16);
    }

    @Test
    void answersAnyTextWithAConditionOrASentence() {
        String[] pieces = {"a", "b", "t", "ret", "$duration", "10ms", "1s", "4k", "7", "0x10", "0x", "010", "&&", "||", "!", "==", "!=", "<", "<=", ">", ">=",
            "&", "|", "^", "~", "+", "-", "*", "(", ")", "=", "/", "%", "<<", ",", " ", "mode=", "if", "and", "'", "$arg1", "+8(", "\n",
            "\u00e9", "\u0660", "."};
        Random random = new Random(11);
        List<FieldSpec> fields;
        try {
            fields = ProbeParser.parse(PROBE).fields();
        } catch (ProbeSyntaxException e) {
            throw new AssertionError(e);
        }
        int parsed = 0;
        for (int i = 0; i < 60_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(10); n > 0; n--) {
                text.append(pieces[random.nextInt(pieces.length)]).append(random.nextInt(4) == 0 ? " " : "");
            }
            try {
                new ConditionProgram(Condition.parse(text.toString(), fields, ProbeType.CALL, 1), 1).value(new long[6], 1);
                parsed++;
            } catch (ProbeSyntaxException e) {
                assertTrue(e.column() >= 1 && e.column() <= text.length() + 1, () -> e.getMessage() + " of " + text);
                assertEquals(1, e.getMessage().lines().count(), e::getMessage);
            } catch (RuntimeException e) {
                throw new AssertionError("on '" + text + "'", e);
            }
        }
        assertTrue(parsed > 300, "only " + parsed + " texts were conditions");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "!", "- ", "a + ", "a && (", "a < ("})
    void endsWithASentenceHoweverLongTheTextIs(String piece) {
        assertThrows(ProbeSyntaxException.class, () -> condition(piece.repeat(100_000)));
    }
}
