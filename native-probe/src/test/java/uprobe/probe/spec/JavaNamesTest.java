package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaNamesTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            deflate                        | deflate
            deflate.part.0                 | deflate_part_0
            __libc_start_main              | __libc_start_main
            _ZN7rocksdb2DB3GetEi           | _ZN7rocksdb2DB3GetEi
            memcpy@@GLIBC_2.14             | memcpy_GLIBC_2_14
            rocksdb::DB::Get(int)          | rocksdb_DB_Get_int
            rocksdb::DB::Get(int*)         | rocksdb_DB_Get_int_star
            operator<                      | operator_lt
            operator<<                     | operator_lt_lt
            operator>                      | operator_gt
            operator()                     | operator_call
            operator[]                     | operator_index
            Foo::~Foo()                    | Foo_tilde_Foo
            std::sort<int>                 | std_sort_lt_int_gt
            fn@0x1f959                     | fn_0x1f959
            libstdc++                      | libstdc_plus_plus
            ld-linux-x86-64                | ld_linux_x86_64
            7zip                           | _7zip
            .L123                          | L123
            new                            | new_
            _                              | __
            ::                             | unnamed
            ``                             | unnamed
            grün                           | grün
            """)
    void identifier(String symbol, String identifier) {
        assertEquals(identifier, JavaNames.identifier(symbol));
        assertTrue(JavaNames.isIdentifier(identifier));
    }

    @Test
    void keepsLongSymbolsApartInIdentifiersOf200Characters() {
        String one = JavaNames.identifier("f".repeat(500) + "1");
        String other = JavaNames.identifier("f".repeat(500) + "2");
        assertEquals(200, one.length());
        assertNotEquals(one, other);
        assertTrue(JavaNames.isIdentifier(one));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            deflate              | deflate
            libz                 | libz
            deflate.part.0       | deflate\u00b7part\u00b70
            <init>               | \u2039init\u203a
            operator<            | operator\u2039
            std::sort<int>       | std::sort\u2039int\u203a
            operator[]           | operator\uff3b]
            operator/            | operator\u2215
            a;b                  | a\uff1bb
            ``                   | unnamed
            """)
    void frameName(String symbol, String name) {
        assertEquals(name, JavaNames.frameName(symbol));
    }

    @Test
    void showsControlCharactersInFramesAsReplacements() {
        assertEquals("a\ufffdb", JavaNames.frameName("a\nb"));
    }

    @Test
    void keepsLongSymbolsApartInFramesOf200Characters() {
        String one = JavaNames.frameName("f<" + "x".repeat(500) + "1>");
        assertEquals(200, one.length());
        assertNotEquals(one, JavaNames.frameName("f<" + "x".repeat(500) + "2>"));
    }

    @Test
    void doesNotCutACharacterOfTwoHalves() {
        String name = JavaNames.frameName("x".repeat(190) + "\ud83d\ude00".repeat(20));
        assertFalse(Character.isHighSurrogate(name.charAt(name.indexOf('\u2026') - 1)), name);
    }

    /* JVMS 4.2.2 asked of the JVM itself: a class with such a method must load. */
    @Test
    void makesMethodNamesThatTheJvmAccepts() throws Exception {
        for (String symbol : new String[] {"<init>", "<clinit>", "operator<", "a.b;c[d/e>f", "rocksdb::DB::Get(int, char const*)", "", "x".repeat(999)}) {
            Class<?> made = ClassWithMethod.named(JavaNames.frameName("libz.so.1"), JavaNames.frameName(symbol));
            assertEquals(JavaNames.frameName(symbol), made.getDeclaredMethods()[0].getName());
            assertEquals("libz\u00b7so\u00b71", made.getName());
        }
    }
}
