package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SymbolPatternTest {
    private static ProbeTarget target(String target) throws ProbeSyntaxException {
        return ProbeParser.parse("p libfoo:" + target).target();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            deflate*                | deflate                       | true
            deflate*                | deflateInit2_                 | true
            deflate*                | inflate                       | false
            deflate*                | x_deflate                     | false
            *                       | operator/                     | true
            operator?               | operator/                     | true
            operator[!a]            | operator/                     | true
            JVM_*                   | JVM_GC                        | true
            JVM_*                   | jvm_gc                        | false
            {deflate,inflate}       | inflate                       | true
            {deflate,inflate}       | inflateEnd                    | false
            {deflate,inflate}{,End} | inflateEnd                    | true
            {deflate,in*}           | inflateEnd                    | true
            z_[a-c]?                | z_bX                          | true
            z_[a-c]?                | z_dX                          | false
            rocksdb::*Get*          | rocksdb::DB::Get(int, char)   | true
            rocksdb::*Get*          | rocksdb::DB::Put(int)         | false
            _ZN7rocksdb*3GetEi      | _ZN7rocksdb2DB3GetEi          | true
            mem*                    | memcpy@@GLIBC_2.14            | true
            mem*cpy                 | memcpy@GLIBC_2.2.5            | true
            mem*@@GLIBC_2.14        | memcpy                        | true
            mem*@@GLIBC_2.*         | memcpy@GLIBC_2.2.5            | true
            memcpy@*                | memcpy                        | true
            memcpy@*                | memcpy_s                      | false
            {mem*@V1,str*@V2}       | strcpy                        | true
            operator\\**            | operator*=                    | true
            operator\\**            | operator+                     | false
            operator+*              | operator+=                    | true
            *.part.[0-9]            | deflate.part.0                | true
            """)
    void matchesWholeNamesWithoutTheirVersion(String pattern, String name, boolean matches) throws Exception {
        assertEquals(matches, assertInstanceOf(SymbolPattern.class, target(pattern)).matches(name));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            'operator*'             | operator*
            "operator*"             | operator*
            'f[abi:cxx11]'          | f[abi:cxx11]
            operator\\*             | operator*
            operator\\[\\]          | operator[]
            f\\{1\\}                | f{1}
            {deflate}               | deflate
            """, quoteCharacter = '`')
    void isASymbolIfNothingInItIsAPattern(String target, String symbol) throws Exception {
        assertEquals(new Symbol(symbol, 0), target(target));
    }

    @ParameterizedTest
    @EnumSource(ProbeType.class)
    void standsInProbesOfEveryTypeWithFields(ProbeType type) throws Exception {
        ProbeSpec probe = ProbeParser.parse(type.letter() + " {libz,libzip}:{de,in}flate* a=%rsp");
        assertEquals("{de,in}flate*", probe.target().toString());
        assertEquals(1, probe.fields().size());
    }

    @Test
    void needsNoNameForItsEvents() throws Exception {
        assertNull(ProbeParser.parse("p libz:deflate*").event());
        assertEquals("all", ProbeParser.parse("p:zlib/all libz:deflate*").event());
    }

    @Test
    void isWhatItsTextIs() {
        assertEquals(SymbolPattern.of("a*"), SymbolPattern.of("a*"));
        assertEquals(SymbolPattern.of("a*").hashCode(), SymbolPattern.of("a*").hashCode());
        assertNotEquals(SymbolPattern.of("a*"), SymbolPattern.of("a**"));
        assertEquals("a*", SymbolPattern.of("a*").text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{", "}", "", "{,}", "[z-a]"})
    void refusesAPatternThatIsNone(String text) {
        assertThrows(IllegalArgumentException.class, () -> SymbolPattern.of(text));
    }
}
