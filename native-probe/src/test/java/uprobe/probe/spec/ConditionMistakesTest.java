package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/* Mistakes in conditions: one mistake, one test, the whole sentence. They are in docs/probe-language.md as well. */
class ConditionMistakesTest {
    private static void mistake(String text, String message) {
        assertEquals(message, assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse(text)).getMessage());
    }

    @Test
    void missesTheConditionBehindIf() {
        mistake("p libz:deflate len=$arg2 if",
                "column 28: the condition is empty; write e.g. len > 4096");
    }

    @Test
    void missesTheConditionBeforeAnOption() {
        mistake("p libz:deflate len=$arg2 if mode=count",
                "column 29: the condition is empty; write e.g. len > 4096");
    }

    @Test
    void seesThatAFieldOfAnOptionsNameWasMeant() {
        mistake("p libc:open mode=$arg2 if mode=2",
                "column 27: the condition is empty; write e.g. mode > 4096; if the field mode is meant, write mode ==");
    }

    @Test
    void seesThatAFieldOfAnOptionsNameWasMeantBehindAnOperator() {
        mistake("p libc:open mode=$arg2 if 3 > mode=2",
                "column 31: a value is missing behind '>'; write a field's name or a number; if the field mode is meant, "
                + "write mode ==");
    }

    @Test
    void missesTheValueAtTheEnd() {
        mistake("p libz:deflate len=$arg2 if len >",
                "column 34: a value is missing behind '>'; write a field's name or a number");
    }

    @Test
    void missesTheValueBeforeAnOperator() {
        mistake("c libz:deflate len=$arg2 if len > && len < 9",
                "column 35: a value is missing before '&&'; write a field's name, $duration or a number");
    }

    @Test
    void missesTheOperator() {
        mistake("p libz:deflate len=$arg2 if len 4096",
                "column 33: an operator is missing before '4096'; operators are || && ! == != < <= > >= & | ^ ~ + - * and "
                + "parentheses");
    }

    @Test
    void refusesAnAssignment() {
        mistake("p libz:deflate len=$arg2 if len = 4096",
                "column 33: '=' sets a value; write == to compare");
    }

    @Test
    void hasNoDivision() {
        mistake("p libz:deflate len=$arg2 if len / 4 > 1024",
                "column 33: there is no division; multiply the other side");
    }

    @Test
    void hasNoShifts() {
        mistake("p libz:deflate len=$arg2 if len > 1 << 12",
                "column 37: there are no shifts; write the number, or multiply");
    }

    @Test
    void refusesAnUnknownOperator() {
        mistake("p libz:deflate len=$arg2 if len ? 1",
                "column 33: unexpected '?' in a condition; operators are || && ! == != < <= > >= & | ^ ~ + - * and "
                + "parentheses");
    }

    @Test
    void translatesTheWordAnd() {
        mistake("p libz:deflate len=$arg2 if len > 1 and len < 9",
                "column 37: 'and' is not an operator; write &&");
    }

    @Test
    void translatesTheWordNot() {
        mistake("p libz:deflate len=$arg2 if not len",
                "column 29: 'not' is not an operator; write !");
    }

    @Test
    void missesTheClosingParenthesis() {
        mistake("p libz:deflate len=$arg2 if (len > 4096",
                "column 40: ')' is missing: the '(' at column 29 is not closed");
    }

    @Test
    void missesTheOpeningParenthesis() {
        mistake("p libz:deflate len=$arg2 if len > 4096)",
                "column 39: ')' has no '(' before it; take it out");
    }

    @Test
    void guessesTheFieldThatWasMeant() {
        mistake("p libz:deflate len=$arg2 level=$arg3 if lne > 4096",
                "column 41: unknown field 'lne'; did you mean len? fields are len level");
    }

    @Test
    void wantsAFieldToCompare() {
        mistake("p libz:deflate if len > 4096",
                "column 19: unknown field 'len'; the probe has no fields, write one before 'if', e.g. len=$arg1");
    }

    @Test
    void hasNoDurationAtEntry() {
        mistake("p libz:deflate if $duration > 10ms",
                "column 19: $duration exists in c only; write c instead of p");
    }

    @Test
    void missesTheDollarOfTheDuration() {
        mistake("c libz:deflate if duration > 10ms",
                "column 19: unknown field 'duration'; write $duration");
    }

    @Test
    void missesTheDollarOfTheDurationWhereThereIsNone() {
        mistake("r libz:deflate if duration > 10ms",
                "column 19: unknown field 'duration'; $duration exists in c only");
    }

    @Test
    void refusesAnUnknownVariable() {
        mistake("c libz:deflate if $dur > 10ms",
                "column 19: unknown variable '$dur'; a condition knows the probe's fields and $duration");
    }

    @Test
    void wantsArgumentsInAField() {
        mistake("p libz:deflate if $arg2 > 4096",
                "column 19: a condition cannot read $arg2 by itself; make a field of it, e.g. x=$arg2, and write x");
    }

    @Test
    void wantsRegistersInAField() {
        mistake("p libz:deflate if %rsi > 4096",
                "column 19: a condition cannot read a register by itself; make a field of it, e.g. x=%rdi, and write x");
    }

    @Test
    void wantsMemoryInAField() {
        mistake("p libz:deflate if +8($arg1) > 4096",
                "column 19: a condition cannot read memory by itself; make a field of it, e.g. x=+8($arg1), and write x");
    }

    @Test
    void wantsMemoryOfTheResultInAField() {
        mistake("r libz:deflate if +8($retval) > 4096",
                "column 19: a condition cannot read memory by itself; make a field of it, e.g. x=+8($retval), and write x");
    }

    @Test
    void hasNoNull() {
        mistake("p libz:deflate strm=$arg1 if strm == NULL",
                "column 38: unknown field 'NULL'; write 0");
    }

    @Test
    void hasNoStringsYet() {
        mistake("p libc:open path=$arg1 if path == '/etc/passwd'",
                "column 35: a string in a condition is not there yet; compare numbers, e.g. a field of the first 8 bytes, "
                + "+0(FETCH):x64");
    }

    @Test
    void refusesAChainOfComparisons() {
        mistake("p libz:deflate len=$arg2 if 1 < len < 9",
                "column 37: comparisons do not chain; write e.g. a < b && b < c");
    }

    @Test
    void refusesAChainOfEqualities() {
        mistake("p libz:deflate len=$arg2 if 1 == len == 9",
                "column 38: comparisons do not chain; write e.g. a < b && b < c");
    }

    @Test
    void wantsASignBelowZero() {
        mistake("c libz:deflate ret=$retval if ret < 0",
                "column 31: field 'ret' is u64 and never below 0; give it a signed type, :s32 if it is an int, else :s64");
    }

    @Test
    void wantsASignForANegativeNumber() {
        mistake("c libz:deflate ret=$retval:u32 if -1 == ret",
                "column 41: field 'ret' is u32 and never below 0; give it a signed type, e.g. :s32");
    }

    @Test
    void wantsAWholeNumber() {
        mistake("c libz:deflate if $duration > 1.5ms",
                "column 31: a number in a condition must be whole; write a smaller unit, e.g. 1500us for 1.5ms");
    }

    @Test
    void refusesANumberThatCouldBeOctal() {
        mistake("p libz:deflate len=$arg2 if len > 010",
                "column 35: '010' begins with 0, which C reads as octal; write it in decimal without the 0, or as 0x");
    }

    @Test
    void missesTheDigits() {
        mistake("p libz:deflate len=$arg2 if len > 0x",
                "column 35: digits are missing in '0x'; write e.g. 0x1000");
    }

    @Test
    void refusesAnUnknownUnitOfANumber() {
        mistake("p libz:deflate len=$arg2 if len > 10kb",
                "column 37: unknown unit 'kb' of a number; times are ns us ms s, sizes k m g");
    }

    @Test
    void refusesANumberOfMoreThan64Bits() {
        mistake("p libz:deflate len=$arg2 if len > 0x10000000000000000",
                "column 35: '0x10000000000000000' is too large; at most 0xffffffffffffffff can be used");
    }

    @Test
    void refusesATimeThatIsTooLong() {
        mistake("c libz:deflate if $duration > 9223372037s",
                "column 31: '9223372037s' is too large; at most 9223372036s can be used");
    }

    @Test
    void refusesASizeThatIsTooLarge() {
        mistake("p libz:deflate len=$arg2 if len > 8589934592g",
                "column 35: '8589934592g' is too large; at most 8589934591g can be used");
    }

    @Test
    void wantsAUnitBesideTheDuration() {
        mistake("c libz:deflate if $duration > 10",
                "column 31: '10' beside a time needs a unit; write e.g. 10ms");
    }

    @Test
    void refusesASizeBesideTheDuration() {
        mistake("c libz:deflate if $duration > 1m",
                "column 31: '1m' is a size; beside a time write a time, whose units are ns us ms s");
    }

    @Test
    void refusesATimeBesideAFieldWithoutUnit() {
        mistake("p libz:deflate len=$arg2 if len > 10ms",
                "column 29: 'len' has no unit of time, so it cannot stand beside '10ms'; give the field one, e.g. /ms");
    }

    @Test
    void refusesAFieldWithoutUnitBesideTheDuration() {
        mistake("c libz:deflate len=$arg2 if $duration > len",
                "column 41: 'len' has no unit of time, so it cannot stand beside '$duration'; write a time, e.g. 10ms");
    }

    @Test
    void hasNoFieldBesideTheDurationYet() {
        mistake("c libfoo:wait timeout=$arg2/ms if $duration > timeout",
                "column 45: $duration beside a field's time is not there yet; write a time, e.g. 10ms");
    }

    @Test
    void refusesFieldsOfDifferentUnits() {
        mistake("p libfoo:wait a=$arg1/ms b=$arg2/us if a > b",
                "column 42: 'a' counts ms and 'b' us; write a * 1000");
    }

    @Test
    void refusesATimeThatTheFieldsUnitCannotTell() {
        mistake("p libfoo:wait timeout=$arg2/ms if timeout > 100us",
                "column 45: '100us' is no whole number of ms, which the field counts; write whole ms");
    }

    @Test
    void refusesAProductOfTimes() {
        mistake("c libz:deflate if $duration * 10ms > 1s",
                "column 29: a time times a time means nothing; multiply it by a number");
    }

    @Test
    void refusesBitsOfATime() {
        mistake("c libz:deflate len=$arg2 if $duration > 10ms & $duration",
                "column 46: '&' of a time means nothing; for both of two conditions write &&, for either ||");
    }

    @Test
    void refusesTheComplementOfATime() {
        mistake("c libz:deflate if ~$duration > 1ms",
                "column 19: '~' of a time means nothing; take it out");
    }

    @Test
    void refusesASecondIf() {
        mistake("p libz:deflate len=$arg2 if len > 1 if len < 9",
                "column 37: a second 'if'; join conditions with && or ||");
    }

    @Test
    void refusesASecondIfBehindAnOption() {
        mistake("p libz:deflate len=$arg2 if len > 1 mode=count if len < 9",
                "column 48: a second 'if'; join conditions with && or ||");
    }

    @Test
    void refusesAFieldBehindTheCondition() {
        mistake("p libz:deflate len=$arg2 if len > 4096 level=$arg3",
                "column 40: a field stands behind the condition; write all fields before 'if'");
    }

    @Test
    void refusesAFieldBehindTheOptions() {
        mistake("p libz:deflate len=$arg2 if len > 4096 mode=count $arg3",
                "column 51: a field stands behind the condition; write all fields before 'if'");
    }

    @Test
    void reservesTheDurationsName() {
        mistake("c libz:deflate $duration=$arg2",
                "column 16: field '$duration' is reserved: in a condition it is the call's duration; choose another name, "
                + "e.g. duration_");
    }

    @Test
    void refusesTooManySteps() {
        mistake("p f:f a=$arg1 if a" + " + a".repeat(32),
                "column 18: the condition has more than 64 steps (names, numbers and operators); use fewer, or several probes");
    }

    @Test
    void refusesTooManyValuesAtOneTime() {
        mistake("p f:f a=$arg1 if a" + " + (a".repeat(16) + ")".repeat(16),
                "column 18: the condition keeps 17 values at one time; at most 16 can be used, so put what is nested deepest first");
    }

    @Test
    void refusesParenthesesThatAreTooDeep() {
        mistake("p f:f a=$arg1 if " + "(".repeat(101) + "a" + ")".repeat(101),
                "column 118: the condition is nested more than 100 deep; take parentheses out");
    }

    @Test
    void refusesAnEmptySetting() {
        assertEquals("column 3: the condition is empty; write e.g. len > 4096", assertThrows(ProbeSyntaxException.class,
                () -> Condition.parse("  ", java.util.List.of(), ProbeType.ENTRY, 1)).getMessage());
    }
}
