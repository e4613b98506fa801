package uprobe.agent.command;

import com.sun.tools.attach.VirtualMachine;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import uprobe.agent.console.Wire;
import uprobe.agent.verb.Verb;

/**
 * A verb that is done in another process. The command listens on a socket in a folder that only the target's user can enter; the attach API loads the agent
 * there, if it is not yet, and tells it to connect. The folder is gone as soon as it has.
 */
final class Remote {
    /** So long nothing may be heard of the target before one is told so. */
    private static final long PATIENCE_MS = 9_000;
    /** The attach API carries 1,024 characters on JDK 17 (attachListener.hpp, AttachOperation::arg_length_max), of jar and argument together. */
    private static final int LONGEST_REQUEST = 1_000;
    private static final String NAME = "uprobe-command-";

    private final TargetProcess target;
    private final Verb verb;
    private volatile boolean ended;

    Remote(TargetProcess target, Verb verb) {
        this.target = target;
        this.verb = verb;
    }

    int run(List<String> words) throws Exception {
        if (target.obstacle().isPresent()) {
            throw new IOException("attaching to " + target.pid() + " failed: " + target.obstacle().get());
        }
        try (Screen screen = new Screen(verb.json(), !verb.endsByItself())) {
            verb.file().ifPresent(screen::to);
            if (verb.arms()) {
                new ForeignMasks(target.pid()).open().forEach(screen::problem);
            }
            SocketChannel channel = connect();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> endCleanly(channel), "uprobe-end"));
            try (channel) {
                Wire.writeRequest(new DataOutputStream(Channels.newOutputStream(channel)), words);
                int code = Wire.receive(new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel))), screen);
                if (code == Verb.OK && verb.file().isPresent()) {
                    verb.fetched(screen.fileBytes());
                }
                return code;
            } catch (EOFException gone) {
                throw new IOException(target.died());
            } finally {
                ended = true;
            }
        }
    }

    /** Ctrl-C: the target takes its traps out before the prompt is back. */
    private void endCleanly(SocketChannel channel) {
        if (ended) {
            return;
        }
        try {
            channel.shutdownOutput();
            for (long waited = 0; !ended && waited < PATIENCE_MS / 3; waited += 10) {
                Thread.sleep(10);
            }
        } catch (IOException | InterruptedException e) {
            /* the socket's end tells the target all the same */
        }
    }

    private SocketChannel connect() throws Exception {
        Path there = null, here = null;
        List<String> tried = new ArrayList<>();
        for (Path folder : target.folders()) {
            try {
                here = Files.createTempDirectory(target.seen(folder), NAME, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                there = folder.resolve(here.getFileName().toString());
                break;
            } catch (IOException e) {
                tried.add(folder + " (" + e.getMessage() + ")");
            }
        }
        if (here == null) {
            throw new IOException("no folder of " + target.pid() + " can be written to: " + String.join(", ", tried));
        }
        Path socket = here.resolve("socket");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Path jar = jarThere();
            if (!target.user().equals(Files.getOwner(here))) {
                Files.setOwner(socket, target.user());
                Files.setOwner(here, target.user());
            }
            String argument = argument(there.resolve("socket"), jar);
            CompletableFuture<Void> loaded = new CompletableFuture<>();
            CompletableFuture<SocketChannel> accepted = new CompletableFuture<>();
            daemon("uprobe-attach", () -> load(jar, argument, loaded));
            daemon("uprobe-accept", () -> {
                try {
                    accepted.complete(server.accept());
                } catch (IOException e) {
                    accepted.completeExceptionally(e);
                }
            });
            return await(loaded, accepted);
        } finally {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(here);
        }
    }

    /** The jar is told only where there is room: an agent of another version that is detached then answers with its own classes. */
    private static String argument(Path socket, Path jar) {
        String command = "command=" + socket, named = command + ";jar=" + jar;
        return jar.toString().length() + named.length() < LONGEST_REQUEST ? named : command;
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(null, task, name, 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    private void load(Path jar, String argument, CompletableFuture<Void> loaded) {
        try {
            VirtualMachine vm = VirtualMachine.attach(target.pid());
            try {
                vm.loadAgent(jar.toString(), argument);
            } finally {
                vm.detach();
            }
            loaded.complete(null);
        } catch (Exception e) {
            loaded.completeExceptionally(e);
        }
    }

    private SocketChannel await(CompletableFuture<Void> loaded, CompletableFuture<SocketChannel> accepted) throws Exception {
        try {
            CompletableFuture.anyOf(accepted, loaded).get(PATIENCE_MS, TimeUnit.MILLISECONDS);
            return accepted.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(target.whyNot((Exception) e.getCause()), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("the JVM " + target.pid() + " does not answer: " + target.silence()
                    + (loaded.isDone() ? ", or its stderr tells why the agent could not start" : ""));
        }
    }

    /** The jar as the target can open it: its own path where both see the same file, else a copy. */
    private Path jarThere() throws IOException {
        Path jar = Path.of(System.getProperty("java.class.path")).toAbsolutePath();
        if (target.seesTheSame(jar) && jar.toString().indexOf('=') < 0) {     /* which ends the jar's name in what the JVM is told */
            return jar;
        }
        String name = "uprobe-agent-" + Files.size(jar) + "-" + Files.getLastModifiedTime(jar).toMillis() + ".jar";
        IOException last = null;
        for (Path folder : target.folders()) {
            Path copy = target.seen(folder).resolve(name);
            try {
                if (!Files.exists(copy)) {
                    Path part = Files.createTempFile(target.seen(folder), NAME, ".jar");
                    Files.copy(jar, part, StandardCopyOption.REPLACE_EXISTING);
                    Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-r--r--"));
                    Files.move(part, copy, StandardCopyOption.ATOMIC_MOVE);
                }
                return folder.resolve(name);
            } catch (IOException e) {
                last = e;
            }
        }
        throw new IOException("the agent's jar can be put nowhere that " + target.pid() + " can read: " + last, last);
    }
}
