package uprobe.it.app;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * Calls natives of the JDK's own libraries, those of each symbol on a thread named for it, and says in an event {@code it.JdkCall} what stack
 * its calls have. Where a native can be made to fail, the exception that it throws has the stack of its very call; else the caller takes its own on the
 * line of the call. Argument: calls of each.
 */
public final class JdkNatives {
    private static final boolean UNIX_PREFIX = Runtime.version().feature() >= 21;
    private static final byte[] TEXT = new byte[10_000];

    private JdkNatives() {
    }

    /** frames: {@code Class.method:line}, innermost first, joined by blanks; from the native on if it threw, else from this program's first frame on. */
    @Name("it.JdkCall")
    static final class JdkCall extends Event {
        String symbol;
        String frames;
        boolean threw;
        long calls;
    }

    /** Returns the stack of the caller, or ends with what the native threw. */
    private interface Call {
        Throwable call() throws Exception;
    }

    private record Native(String symbol, Call call) {
    }

    private static List<Native> natives() throws Exception {
        List<Native> all = new ArrayList<>();
        FileInputStream closed = new FileInputStream("/dev/null");
        closed.close();
        FileOutputStream full = new FileOutputStream("/dev/full");
        RandomAccessFile zero = new RandomAccessFile("/dev/zero", "r");
        FileChannel folder = FileChannel.open(Path.of("/"), StandardOpenOption.READ);
        FileChannel fullChannel = FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE);
        Selector selector = Selector.open();
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), closedServer = new ServerSocket(0);
        InetSocketAddress nobody = new InetSocketAddress(InetAddress.getLoopbackAddress(), closedServer.getLocalPort());
        closedServer.close();
        Socket client = new Socket(server.getInetAddress(), server.getLocalPort()), peer = server.accept();
        String dispatcher = "sun_nio_ch_" + (UNIX_PREFIX ? "UnixFileDispatcherImpl" : "FileDispatcherImpl");
        byte[] noDeflate = new byte[64];
        Arrays.fill(noDeflate, (byte) 0xff);

        all.add(new Native("java_io_FileInputStream_open0", () -> {
            throw new AssertionError(new FileInputStream("/no such file"));
        }));
        all.add(new Native("java_io_FileInputStream_readBytes", () -> {
            throw new AssertionError(closed.read(new byte[10]));
        }));
        all.add(new Native("java_io_FileOutputStream_writeBytes", () -> {
            full.write(TEXT);
            throw new AssertionError();
        }));
        all.add(new Native("java_lang_ProcessImpl_forkAndExec", () -> {
            throw new AssertionError(new ProcessBuilder("/no such program").start());
        }));
        all.add(new Native("java_io_RandomAccessFile_seek0", () -> {
            Throwable here = new Throwable(); zero.seek(10); // one line: frames carry line numbers
            return here;
        }));
        all.add(new Native("java_lang_ProcessHandleImpl_isAlive0", () -> {
            Throwable here = new Throwable(); ProcessHandle.current().isAlive(); // one line
            return here;
        }));
        all.add(new Native("java_io_UnixFileSystem_getLength" + (UNIX_PREFIX ? "0" : ""), () -> {
            Throwable here = new Throwable(); new File("/dev/null").length(); // one line
            return here;
        }));
        if (!UNIX_PREFIX) {
            all.add(new Native("java_lang_StrictMath_sin", () -> { // written in Java since 21
                Throwable here = new Throwable(); StrictMath.sin(1); // one line
                return here;
            }));
        }
        all.add(new Native(dispatcher + "_read0", () -> {
            throw new AssertionError(folder.read(ByteBuffer.allocateDirect(10)));
        }));
        all.add(new Native(dispatcher + "_write0", () -> {
            throw new AssertionError(fullChannel.write(ByteBuffer.allocateDirect(10)));
        }));
        all.add(new Native("sun_nio_ch_EPoll_wait", () -> {
            Throwable here = new Throwable(); selector.select(1); // one line
            return here;
        }));
        all.add(new Native("sun_nio_fs_UnixNativeDispatcher_readlink0", () -> {
            Throwable here = new Throwable(); Files.readSymbolicLink(Path.of("/proc/self/exe")); // one line
            return here;
        }));
        all.add(new Native("sun_nio_ch_Net_connect0", () -> {
            try (SocketChannel channel = SocketChannel.open()) {
                throw new AssertionError(channel.connect(nobody));
            }
        }));
        all.add(new Native("sun_nio_ch_SocketDispatcher_read0", () -> {
            peer.getOutputStream().write(1);
            Throwable here = new Throwable(); client.getInputStream().read(); // one line
            return here;
        }));
        all.add(new Native("java_net_NetworkInterface_getByName0", () -> {
            Throwable here = new Throwable(); NetworkInterface.getByName("lo"); // one line
            return here;
        }));
        all.add(new Native("java_util_zip_Inflater_inflateBytesBytes", () -> {
            Inflater inflater = new Inflater();
            try {
                inflater.setInput(noDeflate);
                throw new AssertionError(inflater.inflate(new byte[100]));
            } finally {
                inflater.end();
            }
        }));
        all.add(new Native("java_util_zip_Deflater_deflateBytesBytes", () -> {
            Deflater deflater = new Deflater();
            deflater.setInput(TEXT);
            deflater.finish();
            Throwable here = new Throwable(); deflater.deflate(new byte[1_000]); // one line
            deflater.end();
            return here;
        }));
        return all;
    }

    /** Calls, and says what stack all these calls had. */
    private static final class Caller extends Thread {
        private final Native each;
        private final int calls;
        private Throwable failure;

        Caller(Native each, int calls) {
            super(each.symbol);
            this.each = each;
            this.calls = calls;
        }

        @Override
        public void run() {
            JdkCall told = new JdkCall();
            try {
                for (int i = 0; i < calls; i++) {
                    String frames = frames(stack(told));
                    Fixture.check(told.frames == null || told.frames.equals(frames), () -> "two stacks:\n" + told.frames + "\n" + frames);
                    told.frames = frames;
                }
            } catch (Throwable e) {
                failure = e;
            }
            told.symbol = each.symbol;
            told.calls = calls;
            told.commit();
        }

        private Throwable stack(JdkCall told) {
            try {
                return each.call.call();
            } catch (Exception e) {
                told.threw = true;
                Throwable cause = e;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                return cause;
            }
        }

        private static String frames(Throwable stack) {
            return Stream.of(stack.getStackTrace()).map(f -> f.getClassName() + "." + f.getMethodName() + ":" + Math.max(NativeWays.NO_LINE, f.getLineNumber()))
                    .collect(Collectors.joining(" "));
        }
    }

    public static void main(String[] args) throws Exception {
        int calls = Fixture.argument(args, 0, 100);
        List<Caller> callers = new ArrayList<>();
        for (Native each : natives()) {
            Caller first = new Caller(each, 1); // loads classes, which are files as well
            first.stack(new JdkCall());
            callers.add(new Caller(each, calls));
        }
        Churn.during(() -> {
            for (Caller caller : callers) {
                caller.start();
                caller.join();
                Fixture.check(caller.failure == null, () -> caller.getName() + ": " + caller.failure);
            }
        });
        Fixture.ok();
    }
}
