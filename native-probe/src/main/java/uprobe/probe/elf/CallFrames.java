package uprobe.probe.elf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import net.fornwall.jelf.ElfSegment;

/**
 * What a library's .eh_frame says of the stretches of code it describes, as far as probes need it: where they begin and end, and whether the caller's
 * return address lies on top of the stack at their beginning. A function has it there; a part of one that the compiler moved elsewhere ({@code
 * .cold}) mostly has not. Read from memory (the file may be gone) through the sorted table of .eh_frame_hdr.
 *
 * <p>Formats: LSB Core, "Exception Frames"; DWARF 5, 6.4 and 7.24; psABI x86-64, figure 3.36 (register numbers).
 */
public final class CallFrames {
    /**
     * @param start runtime address of the first byte
     * @param end behind the last
     */
    public record Entry(long start, long end) {}

    private static final int PT_GNU_EH_FRAME = 0x6474e550;
    /** DW_EH_PE_pcrel | sdata4, udata4, datarel | sdata4: what GNU ld and lld write. */
    private static final int FRAME_POINTER = 0x1b, COUNT = 0x03, TABLE = 0x3b;
    private static final int HEADER = 12, ROW = 8, RSP = 7, WORD = 8;
    private static final int LONGEST = 1 << 16;

    private final long header;
    private final ByteBuffer table;

    private CallFrames(long header, ByteBuffer table) {
        this.header = header;
        this.table = table;
    }

    /** Empty if the library has no such table, or one in a form that no linker in use writes. */
    static Optional<CallFrames> of(LoadedImage image) throws IOException {
        Optional<ElfSegment> segment = image.segments().stream().filter(s -> s.p_type == PT_GNU_EH_FRAME).findFirst();
        if (segment.isEmpty()) {
            return Optional.empty();
        }
        long header = image.bias() + segment.get().p_vaddr;
        try (ProcessMemory memory = ProcessMemory.open()) {
            ByteBuffer start = read(memory, header, HEADER);
            boolean known = start.get(0) == 1 && start.get(1) == FRAME_POINTER && start.get(2) == COUNT && start.get(3) == TABLE;
            long rows = known ? Integer.toUnsignedLong(start.getInt(8)) : 0;
            if (!known || HEADER + rows * ROW > segment.get().p_memsz) {
                return Optional.empty();
            }
            return Optional.of(new CallFrames(header, read(memory, header + HEADER, (int) rows * ROW)));
        }
    }

    private static ByteBuffer read(ProcessMemory memory, long address, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        int read = memory.read(bytes, address);
        if (read < length) {
            throw new IOException(String.format("only %d of %d bytes are readable at 0x%x", Math.max(0, read), length, address));
        }
        return bytes.rewind();
    }

    /** How many stretches there are. */
    public int size() {
        return table.capacity() / ROW;
    }

    /** Where the i-th begins, in order of address. */
    public long start(int i) {
        return header + table.getInt(i * ROW);
    }

    /** The stretch that holds this address. */
    public Optional<Entry> containing(long address) throws IOException {
        int i = indexBelow(address);
        if (i < 0) {
            return Optional.empty();
        }
        Entry entry = entry(i);
        return address < entry.end() ? Optional.of(entry) : Optional.empty();
    }

    private int indexBelow(long address) {
        int low = 0, high = size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (start(middle) <= address) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** The i-th, in order of address. */
    public Entry entry(int i) throws IOException {
        try (Reader reader = reader()) {
            return reader.fde(i).entry();
        }
    }

    /** See {@link Reader#returnAddressOnTop}. */
    public Optional<Boolean> returnAddressOnTop(long address) throws IOException {
        try (Reader reader = reader()) {
            return reader.returnAddressOnTop(address);
        }
    }

    /** For many questions: what lies beside what was asked for is read with it, and not read again. One thread at a time. */
    public Reader reader() {
        return new Reader(ProcessMemory.open());
    }

    /** Reads entries of the .eh_frame, which the table points to. */
    public final class Reader implements AutoCloseable {
        private static final int WINDOW = 1 << 14;

        private final ProcessMemory memory;
        private ByteBuffer window = ByteBuffer.allocate(0);
        private long windowStart;
        private Cie cie;
        private long cieAddress;

        private Reader(ProcessMemory memory) {
            this.memory = memory;
        }

        /**
         * Whether the return address lies on top of the stack before the instruction at this address: the canonical frame address is rsp + 8. Empty if
         * nothing is said of that address.
         */
        public Optional<Boolean> returnAddressOnTop(long address) throws IOException {
            int i = indexBelow(address);
            if (i < 0) {
                return Optional.empty();
            }
            Fde fde = fde(i);
            if (address >= fde.entry().end()) {
                return Optional.empty();
            }
            Cfa cfa = new Cfa(fde.cie().codeAlignment(), fde.entry().start(), address);
            boolean known = cfa.run(fde.cie().instructions().duplicate().order(ByteOrder.LITTLE_ENDIAN)) && cfa.run(fde.instructions());
            return Optional.of(known && cfa.register == RSP && cfa.offset == WORD);
        }

        private Fde fde(int i) throws IOException {
            long address = header + table.getInt(i * ROW + 4);
            ByteBuffer in = record(address);
            long wanted = address + 4 - in.getInt();
            if (cie == null || cieAddress != wanted) {
                cie = Cie.of(record(wanted));
                cieAddress = wanted;
            }
            if (cie.encoding() != FRAME_POINTER) {
                throw new IOException(String.format("addresses in the .eh_frame at 0x%x are encoded as 0x%x, want 0x%x", wanted, cie.encoding(), FRAME_POINTER));
            }
            long start = address + 8 + in.getInt(), length = Integer.toUnsignedLong(in.getInt());
            if (cie.augmented()) {
                int skipped = (int) unsigned(in);
                in.position(in.position() + skipped);
            }
            return new Fde(cie, new Entry(start, start + length), in);
        }

        /** A CIE or FDE behind its length, positioned at its first field. */
        private ByteBuffer record(long address) throws IOException {
            long length = Integer.toUnsignedLong(at(address, 4).getInt());
            if (length == 0 || length > LONGEST) {
                throw new IOException(String.format("an entry of the .eh_frame at 0x%x has length %d", address, length));
            }
            return at(address + 4, (int) length);
        }

        private ByteBuffer at(long address, int length) throws IOException {
            if (address < windowStart || address + length > windowStart + window.limit()) {
                ByteBuffer fresh = ByteBuffer.allocate(Math.max(WINDOW, length));
                int read = memory.read(fresh, address);
                if (read < length) {
                    throw new IOException(String.format("only %d of %d bytes are readable at 0x%x", Math.max(0, read), length, address));
                }
                window = fresh.flip();
                windowStart = address;
            }
            return window.slice((int) (address - windowStart), length).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void close() throws IOException {
            memory.close();
        }
    }

    private record Fde(Cie cie, Entry entry, ByteBuffer instructions) { }

    private record Cie(int encoding, long codeAlignment, boolean augmented, ByteBuffer instructions) {
        static Cie of(ByteBuffer in) throws IOException {
            int id = in.getInt();
            int version = in.get();
            StringBuilder augmentation = new StringBuilder();
            for (byte c = in.get(); c != 0; c = in.get()) {
                augmentation.append((char) c);
            }
            if (id != 0 || version != 1 && version != 3) {
                throw new IOException("a CIE of version " + version + ", want 1 or 3");
            }
            long codeAlignment = unsigned(in);
            unsigned(in);           /* data alignment: signed, of the same length */
            unsigned(in);           /* return address column */
            int encoding = 0;
            boolean augmented = augmentation.indexOf("z") == 0;
            if (augmented) {
                int length = (int) unsigned(in), end = in.position() + length;
                encoding = encodingIn(in, augmentation.toString());
                in.position(end);
            }
            return new Cie(encoding, codeAlignment, augmented, in);
        }

        private static int encodingIn(ByteBuffer in, String augmentation) throws IOException {
            for (char c : augmentation.substring(1).toCharArray()) {
                switch (c) {
                    case 'R' -> {
                        return in.get();
                    }
                    case 'L' -> in.get();
                    case 'P' -> skipPointer(in, in.get());
                    case 'S', 'B' -> { }
                    default -> throw new IOException("an unknown augmentation of a CIE: " + augmentation);
                }
            }
            return 0;
        }

        /** DW_EH_PE: the low four bits are the format. */
        private static void skipPointer(ByteBuffer in, int encoding) throws IOException {
            int size = switch (encoding & 0x0f) {
                case 0x00, 0x04, 0x0c -> 8;
                case 0x02, 0x0a -> 2;
                case 0x03, 0x0b -> 4;
                default -> throw new IOException("a personality routine encoded as " + encoding);
            };
            in.position(in.position() + size);
        }
    }

    /** The rule for the canonical frame address before the instruction at {@code wanted}. */
    private static final class Cfa {
        private final long codeAlignment;
        private final long wanted;
        private final java.util.ArrayDeque<long[]> remembered = new java.util.ArrayDeque<>();
        private long location;
        private long register = -1;
        private long offset;

        Cfa(long codeAlignment, long start, long wanted) {
            this.codeAlignment = codeAlignment;
            this.location = start;
            this.wanted = wanted;
        }

        /** False if the rule is no register and offset. */
        boolean run(ByteBuffer in) {
            while (in.hasRemaining() && location <= wanted) {
                long[] before = {register, offset};
                int op = in.get() & 0xff;
                switch (op >> 6) {
                    case 1 -> location += (op & 0x3f) * codeAlignment;
                    case 2 -> unsigned(in);             /* offset */
                    case 3 -> { }                       /* restore */
                    default -> {
                        if (!extended(op, in)) {
                            return false;
                        }
                    }
                }
                if (location > wanted) {
                    register = before[0];
                    offset = before[1];
                }
            }
            return true;
        }

        private boolean extended(int op, ByteBuffer in) {
            switch (op) {
                case 0x00 -> { }                        /* nop */
                case 0x02 -> location += (in.get() & 0xff) * codeAlignment;     /* advance_loc1, 2, 4 */
                case 0x03 -> location += (in.getShort() & 0xffff) * codeAlignment;
                case 0x04 -> location += Integer.toUnsignedLong(in.getInt()) * codeAlignment;
                case 0x0a -> remembered.push(new long[] {register, offset});
                case 0x0b -> {                          /* restore_state */
                    long[] state = remembered.pop();
                    register = state[0];
                    offset = state[1];
                }
                case 0x06, 0x07, 0x08, 0x2e -> unsigned(in);    /* restore_extended, undefined, same_value, GNU_args_size */
                case 0x05, 0x09, 0x11, 0x14, 0x15 -> {  /* rules for one register */
                    unsigned(in);
                    unsigned(in);
                }
                case 0x0c -> {                          /* def_cfa */
                    register = unsigned(in);
                    offset = unsigned(in);
                }
                case 0x0d -> register = unsigned(in);   /* def_cfa_register */
                case 0x0e -> offset = unsigned(in);     /* def_cfa_offset */
                case 0x10, 0x16 -> {                    /* expression, val_expression */
                    unsigned(in);
                    int length = (int) unsigned(in);
                    in.position(in.position() + length);
                }
                default -> {                            /* def_cfa_expression and whatever else there may be */
                    return false;
                }
            }
            return true;
        }
    }

    /** ULEB128. */
    private static long unsigned(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = in.get();
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
    }
}
