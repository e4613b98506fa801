package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeParserTest {
    private static FieldSpec field(String probe) throws ProbeSyntaxException {
        return ProbeParser.parse(probe).fields().get(0);
    }

    private static ProbeTarget target(String place) throws ProbeSyntaxException {
        return ProbeParser.parse("p " + place).target();
    }

    @Test
    void readsTheProbeOfTheReadme() throws Exception {
        String text = "c:zlib/deflate libz.so*:deflate avail_in=+8($arg1):u32/bytes flush=$arg2:s32 ret=$retval:s32";
        assertEquals(new ProbeSpec(ProbeType.CALL, "zlib", "deflate", LibraryPattern.of("libz.so*"), new Symbol("deflate", 0), List.of(
                new FieldSpec("avail_in", new Fetch.Dereference(8, new Fetch.Argument(1)), ValueType.U32, Unit.BYTES, 33),
                new FieldSpec("flush", new Fetch.Argument(2), ValueType.S32, null, 62),
                new FieldSpec("ret", new Fetch.ReturnValue(), ValueType.S32, null, 78)), null, ProbeOptions.DEFAULT, text), ProbeParser.parse(text));
    }

    @Test
    void readsTheMechanismWhereverItStands() throws Exception {
        for (Mechanism mechanism : Mechanism.values()) {
            ProbeSpec probe = ProbeParser.parse("p libz:deflate a=$arg1 mechanism=" + mechanism.text() + " b=$arg2");
            assertEquals(mechanism, probe.mechanism());
            assertEquals(2, probe.fields().size());
        }
        assertNull(ProbeParser.parse("p libz:deflate mechanism=$arg1").mechanism());
    }

    @Test
    void leavesGroupAndEventNullWhenTheyAreLeftOut() throws Exception {
        ProbeSpec probe = ProbeParser.parse("p libz:deflate");
        assertNull(probe.group());
        assertNull(probe.event());
        assertEquals(List.of(), probe.fields());
    }

    @Test
    void takesAnEventWithoutAGroup() throws Exception {
        ProbeSpec probe = ProbeParser.parse("r:compress libz:deflate");
        assertNull(probe.group());
        assertEquals("compress", probe.event());
    }

    @Test
    void takesAnEventOfTheAgentsNameBecauseItsGroupStandsBefore() throws Exception {
        assertEquals("ProbeArmed", ProbeParser.parse("p:zlib/ProbeArmed libz:deflate").event());
    }

    @ParameterizedTest
    @EnumSource(ProbeType.class)
    void beginsWithTheLetterOfTheType(ProbeType type) throws Exception {
        assertEquals(type, ProbeParser.parse(type.letter() + " libz:deflate").type());
    }

    @Test
    void takesCommasTabsAndLineEndsForBlanks() throws Exception {
        ProbeSpec probe = ProbeParser.parse("  c:zlib/deflate,libz:deflate\ta=$arg1,\n b=$arg2 ,c=$arg3  ");
        assertEquals(List.of("a", "b", "c"), probe.fields().stream().map(FieldSpec::name).toList());
    }

    @Test
    void keepsTheCommaBetweenAlternativesOfALibrary() throws Exception {
        ProbeSpec probe = ProbeParser.parse("p,{libz.so*,libzip.so}:deflate,a=$arg1");
        assertEquals("{libz.so*,libzip.so}", probe.library().text());
        assertEquals(new Symbol("deflate", 0), probe.target());
    }

    @Test
    void keepsTheColonThatQuotesOrABackslashProtectInALibrary() throws Exception {
        assertTrue(ProbeParser.parse("p '/opt/a:b c/libz.so':f").library().matches("/opt/a:b c/libz.so", null));
        assertTrue(ProbeParser.parse("p /opt/a\\:b/libz.so:f").library().matches("/opt/a:b/libz.so", null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            libz:deflate                               | deflate                             | 0
            libz:deflate+0x1c                          | deflate                             | 28
            libz:deflate+28                            | deflate                             | 28
            libz:deflate+0                             | deflate                             | 0
            libz:deflate.part.0                        | deflate.part.0                      | 0
            libc:memcpy@@GLIBC_2.14                    | memcpy@@GLIBC_2.14                  | 0
            libc:memcpy@GLIBC_2.2.5+4                  | memcpy@GLIBC_2.2.5                  | 4
            libfoo:$_0                                 | $_0                                 | 0
            librocksdbjni:_ZN7rocksdb2DB3GetEi         | _ZN7rocksdb2DB3GetEi                | 0
            librocksdbjni:rocksdb::DB::Open            | rocksdb::DB::Open                   | 0
            librocksdbjni:std::sort<int>               | std::sort<int>                      | 0
            librocksdbjni:operator<                    | operator<                           | 0
            librocksdbjni:'rocksdb::DB::Get(int)'      | rocksdb::DB::Get(int)               | 0
            librocksdbjni:"f(char const*, int)"+0x10   | f(char const*, int)                 | 16
            libfoo:'operator+'                         | operator+                           | 0
            libfoo:'operator+'+4                       | operator+                           | 4
            libfoo:'0x1f959'                           | 0x1f959                             | 0
            libfoo:'a-4'                               | a-4                                 | 0
            libfoo:'jni:x'                             | jni:x                               | 0
            """)
    void readsSymbolsOfEveryKind(String place, String name, long offset) throws Exception {
        assertEquals(new Symbol(name, offset), target(place));
    }

    @Test
    void takesAnOffsetOfNothingInReturnAndCallProbes() throws Exception {
        assertEquals(new Symbol("deflate", 0), ProbeParser.parse("c libz:deflate+0").target());
    }

    @Test
    void namesAnUnnamedFieldByItsPosition() throws Exception {
        List<FieldSpec> fields = ProbeParser.parse("p libz:deflate $arg3 len=%si $arg1").fields();
        assertEquals(List.of("arg1", "len", "arg3"), fields.stream().map(FieldSpec::name).toList());
        assertEquals(new Fetch.Argument(3), fields.get(0).fetch());
    }

    @Test
    void readsAFieldOfAnOptionsNameWhenAFetchFollows() throws Exception {
        List<FieldSpec> fields = ProbeParser.parse("p libc:open mode=$arg2:x32 limit=%si stack=+8($arg1)").fields();
        assertEquals(List.of("mode", "limit", "stack"), fields.stream().map(FieldSpec::name).toList());
    }

    @Test
    void readsEightNestedMemoryReads() throws Exception {
        Fetch fetch = field("p f:f a=+1(-2(+0x3(-0x4(+5(+6(+7(+8(%r15))))))))").fetch();
        long[] offsets = {1, -2, 3, -4, 5, 6, 7, 8};
        for (long offset : offsets) {
            Fetch.Dereference read = (Fetch.Dereference) fetch;
            assertEquals(offset, read.offset());
            fetch = read.address();
        }
        assertEquals(new Fetch.Register(MachineRegister.R15), fetch);
    }

    @Test
    void takesFifteenFields() throws Exception {
        assertEquals(15, ProbeParser.parse("p f:f" + " $arg1".repeat(15)).fields().size());
    }

    @Test
    void readsAPlainValueAsUnsignedAndWhole() throws Exception {
        assertEquals(ValueType.U64, field("p f:f a=$arg1").type());
        assertEquals(ValueType.U64, field("p f:f a=$arg1/address").type());
    }

    @ParameterizedTest
    @EnumSource(ValueType.class)
    void readsEveryType(ValueType type) throws Exception {
        assertEquals(type, field("p f:f a=$arg1:" + type.text()).type());
    }

    @ParameterizedTest
    @EnumSource(Unit.class)
    void readsEveryUnit(Unit unit) throws Exception {
        assertEquals(unit, field("p f:f a=$arg1:u32/" + unit.text()).unit());
    }

    @Test
    void readsOnlyWhatIsMadeFromTheResultAtTheReturnOfACall() throws Exception {
        ProbeSpec call = ProbeParser.parse("c f:f a=$arg1 b=%ax c=$retval d=+8(+0($retval))");
        assertEquals(List.of(false, false, true, true), call.fields().stream().map(FieldSpec::atReturn).toList());
        assertEquals(List.of(false, false, true, true), call.fields().stream().map(call::readsAtReturn).toList());
    }

    @Test
    void readsEveryFieldOfAReturnProbeAtTheReturn() throws Exception {
        ProbeSpec probe = ProbeParser.parse("r f:f a=%dx b=$retval");
        assertFalse(probe.fields().get(0).atReturn());
        assertTrue(probe.readsAtReturn(probe.fields().get(0)));
    }

    @Test
    void readsNoFieldOfAnEntryProbeAtTheReturn() throws Exception {
        ProbeSpec probe = ProbeParser.parse("p f:f a=%dx");
        assertFalse(probe.readsAtReturn(probe.fields().get(0)));
    }

    @Test
    void countsColumnsInTheTextAsItWasHandedOver() throws Exception {
        assertEquals(10, field("   p f:f a=$arg1").column());
    }

    @Test
    void refusesANameThatIsTooLongForAClass() {
        String name = "x".repeat(201);
        assertEquals("column 3: event '" + "x".repeat(79) + "\u2026' has 201 characters; at most 200 can be used",
                assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse("p:" + name + " f:f")).getMessage());
    }

    @Test
    void refusesInvisibleCharactersThatJavaWouldIgnoreInAName() {
        assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse("p:a\u0001b f:f"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"eax", "al", "edi", "dil", "spl", "r8d", "r15w", "r9b"})
    void refusesEveryKindOfPartOfARegister(String part) {
        String message = assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse("p f:f a=%" + part)).getMessage();
        assertTrue(message.startsWith("column 9: '%" + part + "' is a part of %r"), message);
    }

    @Test
    void pointsAtTheColumn() {
        ProbeSyntaxException e = assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse("p libz:deflate\ta=%foo"));
        assertEquals("p libz:deflate a=%foo\n                 ^", e.pointed());
        assertEquals(18, e.column());
        assertEquals("p libz:deflate\ta=%foo", e.text());
    }

    @Test
    void keepsAMessageOnOneLineWhateverTheText() {
        ProbeSyntaxException e = assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse("p 'a\r\nb\u2028c'"));
        assertEquals("column 11: ':' and the function are missing after ''a  b c''; write LIBRARY:TARGET, e.g. libz:deflate", e.getMessage());
        assertEquals("p 'a  b c'\n          ^", e.pointed());
    }

    /* Whatever arrives (a cut-off attach argument, another tool's syntax), the parser answers with a probe or a sentence, at a real column. */
    @Test
    void answersAnyTextWithAProbeOrASentence() {
        String[] pieces = {"p", "r", "c", ":", "/", " ", ",", "libz", "deflate", "'", "\"", "{", "}", "[", "]", "\\", "*", "+", "-", "8", "0x1c",
            "(", ")", "$arg1", "$retval", "$", "%rdi", "%", "=", "u32", "bytes", "@", "jni", "sdt", "jni:", "fn@*", "if", " if ",
            "a", "$duration", "mode=", " mode=count", "10ms", "4k", "&&", "!=", ">", "sample=1/10", "\n", "\u00e9", "<"};
        Random random = new Random(42);
        int parsed = 0;
        for (int i = 0; i < 300_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "p libz:" : random.nextBoolean() ? "c libz:f a=" : "");
            for (int n = random.nextInt(12); n > 0; n--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            try {
                ProbeParser.parse(text.toString());
                parsed++;
            } catch (ProbeSyntaxException e) {
                assertTrue(e.column() >= 1 && e.column() <= text.length() + 1, () -> e.getMessage() + " of " + text);
                assertTrue(e.getMessage().lines().count() == 1, e::getMessage);
            } catch (RuntimeException e) {
                throw new AssertionError("on '" + text + "'", e);
            }
        }
        assertTrue(parsed > 1000, "only " + parsed + " texts were probes");
    }
}
