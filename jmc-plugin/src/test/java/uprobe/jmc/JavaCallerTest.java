package uprobe.jmc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.openjdk.jmc.common.IMCFrame;
import org.openjdk.jmc.common.IMCFrame.Type;
import org.openjdk.jmc.common.IMCStackTrace;
import org.openjdk.jmc.common.IMCType;
import org.openjdk.jmc.common.util.MCFrame;
import org.openjdk.jmc.common.util.MCMethod;
import org.openjdk.jmc.common.util.MCStackTrace;
import org.openjdk.jmc.common.util.MethodToolkit;

/** Stacks top to bottom, as a reader sees them. */
class JavaCallerTest {

    private static final IMCFrame DEFLATE = function("libz", "deflate");
    private static final IMCFrame COMPRESS = function("libz", "compress2");
    private static final IMCFrame NATIVE_METHOD = frame("java.util.zip", "Deflater", "deflateBytesBytes", null, Type.NATIVE);
    private static final IMCFrame JDK = java("java.util.zip", "Deflater", "deflate");
    private static final IMCFrame STREAM = java("java.util.zip", "GZIPOutputStream", "write");
    private static final IMCFrame THREAD = java("java.lang", "Thread", "run");
    private static final IMCFrame USER = java("app", "Archive", "pack");
    private static final IMCFrame MAIN = java("app", "Main", "main");

    @Test
    void isTheInnermostMethodOutsideTheJdk() {
        assertEquals("app.Archive.pack", callerIn(DEFLATE, NATIVE_METHOD, JDK, STREAM, USER, MAIN));
    }

    @Test
    void isTheInnermostMethodOfTheJdkIfThereIsNoOther() {
        assertEquals("java.util.zip.Deflater.deflate", callerIn(DEFLATE, NATIVE_METHOD, JDK, STREAM, THREAD));
    }

    @Test
    void isTheUsersMethodThatCallsItsOwnNativeMethod() {
        IMCFrame ownNative = frame("org.rocksdb", "RocksDB", "get", null, Type.NATIVE);

        assertEquals("org.rocksdb.RocksDB.get", callerIn(function("librocksdbjni", "Get"), ownNative,
                java("org.rocksdb", "RocksDB", "get"), USER));
    }

    @Test
    void passesProbedFunctionsThatCalledTheProbedFunction() {
        assertEquals("app.Archive.pack", callerIn(DEFLATE, COMPRESS, NATIVE_METHOD, JDK, USER));
    }

    @Test
    void passesTheLambdaFormsOfADowncallWithoutANativeMethod() {
        assertEquals("app.Archive.pack", callerIn(DEFLATE, java("jdk.internal.foreign.abi", "DowncallStub", "invoke"),
                java("java.lang.invoke", "LambdaForm$MH", "invoke"), USER));
    }

    @Test
    void passesNativeFramesThatAParserExtensionPutIn() {
        assertEquals("app.Archive.pack",
                callerIn(DEFLATE, frame("", "", "compress2", null, Type.CPP), NATIVE_METHOD, USER));
    }

    @Test
    void mayBeAClassWithoutAPackage() {
        assertEquals("Main.main", callerIn(DEFLATE, NATIVE_METHOD, JDK, java("", "Main", "main")));
    }

    @Test
    void packagesThatOnlyBeginLikeTheJdksAreTheUsers() {
        assertEquals("javafoo.Main.main", callerIn(DEFLATE, NATIVE_METHOD, java("javafoo", "Main", "main"), USER));
    }

    @Test
    void isUnknownWithoutJavaFrames() {
        assertNull(callerIn());
        assertNull(callerIn(DEFLATE));
        assertNull(callerIn(DEFLATE, COMPRESS, NATIVE_METHOD));
        assertNull(JavaCaller.in(null));
    }

    @Test
    void theTopFrameNamesTheFunction() {
        assertEquals("libz.deflate", JavaCaller.functionIn(stack(DEFLATE, COMPRESS, USER)));
        assertNull(JavaCaller.functionIn(null));
        assertNull(JavaCaller.functionIn(stack()));
    }

    private static String callerIn(IMCFrame... frames) {
        return JavaCaller.in(stack(frames));
    }

    private static IMCStackTrace stack(IMCFrame... frames) {
        return new MCStackTrace(List.of(frames), IMCStackTrace.TruncationState.NOT_TRUNCATED);
    }

    private static IMCFrame function(String stem, String symbol) {
        return frame("", stem, symbol, 0, Type.JIT_COMPILED);
    }

    private static IMCFrame java(String itsPackage, String type, String method) {
        return frame(itsPackage, type, method, 42, Type.JIT_COMPILED);
    }

    private static IMCFrame frame(String itsPackage, String type, String method, Integer line, Type kind) {
        String name = itsPackage.isEmpty() ? type : itsPackage + "." + type;
        IMCType owner = MethodToolkit.typeFromBinaryJLS(name);
        return new MCFrame(new MCMethod(owner, method, "()V", 0, false), 0, line, kind);
    }
}
