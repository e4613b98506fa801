package uprobe.probe.elf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import net.fornwall.jelf.ElfSegment;

/**
 * Code that Go's compiler made
 * ----------------------------
 * Go's runtime walks the stacks of its goroutines by tables of its own, copies them elsewhere when they grow, and gives up the process at a return
 * address that the tables do not know. The same tables tell which code that is. Names, sections and notes do not: strip takes the first two, and
 * {@code go build -ldflags=-buildid=} the note. Found in memory, as the runtime finds it (runtime/symtab.go):
 *
 *     pcHeader    0: fb, fa, f0, f1 or a later number, ff ff ff      4: 0, 0      6: 1 (x86 instructions)      7: 8 (size of a pointer)
 *     moduledata  0: -> pcHeader       since Go 1.16   160: minpc   168: maxpc
 *                                      before           80: minpc    88: maxpc
 *
 * What cgo has a C compiler make lies outside, the functions that Go exports to C among it: they run on a thread's own stack, which Go does not walk.
 */
public final class GoCode {
    private static final long HEADER = 0x08010000_fffffff0L, HEADER_MASK = 0xffffffff_fffffff0L;
    private static final byte LAST = (byte) (HEADER >>> 56), BEFORE_LAST = (byte) (HEADER >>> 48);
    private static final int BEFORE_1_16 = 0xfb;
    private static final int PCS = 160, PCS_BEFORE_1_16 = 80, WORD = 8, PIECE = 1 << 20;

    private final long start;
    private final long end;

    private GoCode(long start, long end) {
        this.start = start;
        this.end = end;
    }

    /** Empty if there is none. Of a table that is laid out otherwise all code of the object is taken for Go's. */
    static Optional<GoCode> of(LoadedImage image) throws IOException {
        try (ProcessMemory memory = ProcessMemory.open()) {
            long[] header = new long[2];
            boolean found = memory.available() && anyPiece(image, memory, (address, words) -> {
                int at = header(words);
                header[0] = address + at;
                header[1] = at < 0 ? 0 : words.get(at) & 0xff;
                return at >= 0;
            });
            if (!found) {
                return Optional.empty();
            }
            GoCode[] code = {all(image)};
            anyWord(image, memory, (address, word) -> {
                Optional<GoCode> module = word == header[0] ? module(image, memory, address + (header[1] == BEFORE_1_16 ? PCS_BEFORE_1_16 : PCS)) : Optional.empty();
                module.ifPresent(m -> code[0] = m);
                return module.isPresent();
            });
            return Optional.of(code[0]);
        }
    }

    private static GoCode all(LoadedImage image) {
        long start = image.executableLoads().stream().mapToLong(load -> load.p_vaddr).min().orElseThrow();
        long end = image.executableLoads().stream().mapToLong(load -> load.p_vaddr + load.p_memsz).max().orElseThrow();
        return new GoCode(image.bias() + start, image.bias() + end);
    }

    private static Optional<GoCode> module(LoadedImage image, ProcessMemory memory, long pcs) throws IOException {
        ByteBuffer words = ByteBuffer.allocate(2 * WORD).order(ByteOrder.LITTLE_ENDIAN);
        if (!image.holds(pcs) || memory.read(words, pcs) < words.capacity()) {
            return Optional.empty();
        }
        GoCode code = new GoCode(words.getLong(0), words.getLong(WORD)), all = all(image);
        return all.start <= code.start && code.start < code.end && code.end <= all.end ? Optional.of(code) : Optional.empty();
    }

    /** Offset of the first word that begins a table; -1 if there is none. By bytes, of which most are not the one: libjvm has a million words. */
    private static int header(ByteBuffer words) {
        byte[] bytes = words.array();
        for (int last = WORD - 1, end = words.limit(); last < end; last += WORD) {
            if (bytes[last] == LAST && bytes[last - 1] == BEFORE_LAST && (words.getLong(last - WORD + 1) & HEADER_MASK) == HEADER) {
                return last - WORD + 1;
            }
        }
        return -1;
    }

    private interface WordTest {
        boolean is(long address, long word) throws IOException;
    }

    private static boolean anyWord(LoadedImage image, ProcessMemory memory, WordTest test) throws IOException {
        return anyPiece(image, memory, (address, words) -> {
            for (int at = 0; at < words.limit(); at += WORD) {
                if (test.is(address + at, words.getLong(at))) {
                    return true;
                }
            }
            return false;
        });
    }

    private interface PieceTest {
        /** @param words from index 0 to the limit, whole ones */
        boolean is(long address, ByteBuffer words) throws IOException;
    }

    /** Whether it is so of aligned words of the segments that hold no code, as far as they come from the file. */
    private static boolean anyPiece(LoadedImage image, ProcessMemory memory, PieceTest test) throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
        for (ElfSegment load : image.loads()) {
            if (load.isExecutable()) {
                continue;
            }
            long at = image.bias() + (load.p_vaddr + WORD - 1 & -WORD), end = image.bias() + load.p_vaddr + load.p_filesz;
            while (at + WORD <= end) {
                piece.clear().limit((int) Math.min(PIECE, end - at));
                int words = readable(memory, piece, at) / WORD;
                if (words <= 0) {
                    at = ProcessMaps.pageDown(at) + ProcessMaps.PAGE;   /* protected, or beyond the end of a file that was cut: no tables that Go uses */
                    continue;
                }
                if (test.is(at, piece.limit(words * WORD))) {
                    return true;
                }
                at += words * WORD;
            }
        }
        return false;
    }

    private static int readable(ProcessMemory memory, ByteBuffer piece, long at) {
        try {
            return memory.read(piece, at);
        } catch (IOException nothing) {
            return 0;
        }
    }

    public boolean contains(long address) {
        return address >= start && address < end;
    }

    /** Runtime address of its first byte. */
    public long start() {
        return start;
    }

    /** Runtime address behind its last byte. */
    public long end() {
        return end;
    }
}
