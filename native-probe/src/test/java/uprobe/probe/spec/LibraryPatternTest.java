package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LibraryPatternTest {
    private static final String SQLITE = "/tmp/sqlite-3.47.1.0-4f6c2f2e-1b2c-4d3e-8f90-a1b2c3d4e5f6-libsqlitejdbc.so";
    private static final String NETTY = "/tmp/libnetty_tcnative_linux_x86_6415926535897932384.so (deleted)";

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            libz                     | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            libz.so                  | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            libz.so.1                | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            libz.so*                 | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            lib?                     | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            lib[a-z].so.[!2]*        | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            {libz,libzip}            | /usr/lib/x86_64-linux-gnu/libz.so.1.2.13
            {libz,libzip}            | /opt/jdk/lib/libzip.so
            {libz.so*,libzip.so}     | /opt/jdk/lib/libzip.so
            libz{,ip}                | /opt/jdk/lib/libzip.so
            lib{z{,ip},nio}.so       | /opt/jdk/lib/libnio.so
            *                        | /opt/jdk/lib/libnio.so
            /opt/jdk/lib/libnio      | /opt/jdk/lib/libnio.so
            /usr/lib/*/libz.so.1     | /usr/lib/x86_64-linux-gnu/libz.so.1
            /usr/**/libz.so*         | /usr/lib/x86_64-linux-gnu/libz.so.1
            libstdc++                | /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30
            libc                     | /usr/lib/x86_64-linux-gnu/libc-2.31.so
            java                     | /opt/jdk/bin/java
            lib\\[a\\].so            | /opt/lib[a].so
            lib\\{a                  | /opt/lib{a.so
            []x]                     | /opt/].so
            """)
    void finds(String pattern, String path) {
        assertTrue(LibraryPattern.of(pattern).matches(path, null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            libz                     | /opt/jdk/lib/libzip.so
            libz                     | /usr/lib/libz-ng.so.2
            libz.so.1                | /usr/lib/libz.so.2
            libz.so.1                | /usr/lib/libz.so.10
            libz.so                  | /usr/lib/libz.software
            LIBZ                     | /usr/lib/libz.so
            z                        | /usr/lib/libz.so
            lib?                     | /opt/jdk/lib/libzip.so
            lib[!z]                  | /usr/lib/libz.so.1
            /usr/lib/*.so            | /usr/lib/x86_64-linux-gnu/libc.so
            /usr/lib/libz            | /opt/lib/libz.so
            {libz,libzip}            | /usr/lib/libzstd.so
            """)
    void passesBy(String pattern, String path) {
        assertFalse(LibraryPattern.of(pattern).matches(path, null));
    }

    @Test
    void findsAFileByTheSonameItDoesNotShow() {
        assertTrue(LibraryPattern.of("libz.so.1").matches("/opt/app/native-7.bin", "libz.so.1"));
        assertTrue(LibraryPattern.of("libz").matches("/opt/app/native-7.bin", "libz.so.1"));
        assertTrue(LibraryPattern.of("libz*").matches("/opt/app/native-7.bin", "libz.so.1"));
        assertFalse(LibraryPattern.of("libz").matches("/opt/app/native-7.bin", null));
    }

    @Test
    void findsWhatSqliteJdbcUnpacks() {
        assertTrue(LibraryPattern.of("libsqlitejdbc").matches(SQLITE, null));
        assertTrue(LibraryPattern.of("libsqlitejdbc.so").matches(SQLITE, null));
        assertTrue(LibraryPattern.of("*sqlitejdbc*").matches(SQLITE, null));
        assertTrue(LibraryPattern.of("sqlite-*").matches(SQLITE, null));
    }

    @Test
    void findsWhatNettyUnpacksAndDeletes() {
        assertTrue(LibraryPattern.of("libnetty_tcnative_linux_x86_64").matches(NETTY, null));
        assertTrue(LibraryPattern.of("libnetty_tcnative*").matches(NETTY, null));
        assertTrue(LibraryPattern.of("/tmp/libnetty*.so").matches(NETTY, null));
    }

    @Test
    void staysFastWhereBacktrackingWouldNot() {
        LibraryPattern pattern = LibraryPattern.of("*a".repeat(40) + "b");
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> assertFalse(pattern.matches("a".repeat(4000), null)));
    }

    @Test
    void refusesAPatternThatDoesNotClose() {
        assertEquals("'{' in LIBRARY is not closed; write {a,b}, or \\{ for the character itself (in 'lib{a')",
                assertThrows(IllegalArgumentException.class, () -> LibraryPattern.of("lib{a")).getMessage());
    }

    @Test
    void refusesMoreThanAThousandAlternatives() {
        assertEquals("LIBRARY has more than 1000 alternatives; use * or several probes (in '" + "{a,b}".repeat(10) + "')",
                assertThrows(IllegalArgumentException.class, () -> LibraryPattern.of("{a,b}".repeat(10))).getMessage());
    }

    @Test
    void isEqualWhereTheTextIs() {
        assertEquals(LibraryPattern.of("libz*"), LibraryPattern.of("libz*"));
        assertEquals(LibraryPattern.of("libz*").hashCode(), LibraryPattern.of("libz*").hashCode());
        assertFalse(LibraryPattern.of("libz").equals(LibraryPattern.of("libz*")));
        assertEquals("libz*", LibraryPattern.of("libz*").toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            libz.so.1.2.13                                                            | libz
            /usr/lib/x86_64-linux-gnu/libz.so.1                                       | libz
            libjvm.so                                                                 | libjvm
            libstdc++.so.6.0.30                                                       | libstdc++
            ld-linux-x86-64.so.2                                                      | ld-linux-x86-64
            libc-2.31.so                                                              | libc
            libc.so.6                                                                 | libc
            libclang-14.so.1                                                          | libclang-14
            libpython3.11.so.1.0                                                      | libpython3.11
            libicui18n.so.72.1                                                        | libicui18n
            libz.so.1.debug                                                           | libz
            sqlite-3.47.1.0-4f6c2f2e-1b2c-4d3e-8f90-a1b2c3d4e5f6-libsqlitejdbc.so     | libsqlitejdbc
            snappy-1.1.10.5-4F6C2F2E-1b2c-4d3e-8f90-a1b2c3d4e5f6-libsnappyjava.so     | libsnappyjava
            libfoo-4f6c2f2e-1b2c-4d3e-8f90-a1b2c3d4e5f6.so                            | libfoo
            jansi-2.4.0-4f6c2f2e8a7b1c3d-libjansi.so                                  | libjansi
            libfoo-4f6c2f2e8a7b1c3d.so                                                | libfoo
            libgfortran-040039e1.so.5.0.0                                             | libgfortran
            libnetty_tcnative_linux_x86_6415926535897932384.so                        | libnetty_tcnative_linux_x86_64
            libnetty_tcnative_linux_x86_6415926535897932384.so (deleted)              | libnetty_tcnative_linux_x86_64
            libnetty_tcnative_linux_x86_64.so                                         | libnetty_tcnative_linux_x86_64
            libnetty_tcnative_linux_x86_6464123456789012345.so                        | libnetty_tcnative_linux_x86_64
            libnetty_transport_native_epoll_aarch_648237498237498237.so               | libnetty_transport_native_epoll_aarch_64
            libconscrypt_openjdk_jni-linux-x86_6418446744073709551615.so              | libconscrypt_openjdk_jni-linux-x86_64
            librocksdbjni8324982374982374.so                                          | librocksdbjni
            librocksdbjni-linux648324982374982374.so                                  | librocksdbjni-linux64
            librocksdbjni-linux64.so                                                  | librocksdbjni-linux64
            liblz4-java-8237498237498237.so                                           | liblz4-java
            libsha218446744073709551615.so                                            | libsha2
            libsha22000000000000000000.so                                             | libsha2
            libsha28237498237498.so                                                   | libsha
            libsha256.so                                                              | libsha256
            libbuild20240131.so                                                       | libbuild20240131
            jna8327498237498.tmp                                                      | jna
            jffi8237498237498237.so                                                   | jffi
            libzstd-jni-1.5.6-3-8237498.so                                            | libzstd-jni
            libzstd-jni-1.5.6-38237498237498.so                                       | libzstd-jni
            libzstd-jni-1.5.6-3.so                                                    | libzstd-jni
            libfoo-1.2.3-SNAPSHOT.so                                                  | libfoo
            /memfd:libfoo.so (deleted)                                                | libfoo
            12345678901234.so                                                         | 12345678901234
            .so                                                                       | .so
            [vdso]                                                                    | [vdso]
            java                                                                      | java
            """)
    void stem(String file, String stem) {
        assertEquals(stem, LibraryPattern.stem(file));
    }
}
