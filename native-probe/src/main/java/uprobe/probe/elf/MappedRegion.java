package uprobe.probe.elf;

/**
 * One line of {@code /proc/self/maps}, see proc(5), "/proc/pid/maps".
 *
 * @param start      first address
 * @param end        address after the last one; page-aligned like {@code start}. Both are unsigned: {@code [vsyscall]} is negative in a long
 * @param readable   {@code r}
 * @param writable   {@code w}
 * @param executable {@code x}
 * @param shared     {@code s}; false is {@code p}, private copy-on-write
 * @param fileOffset offset in the file, in bytes, of the byte at {@code start}; 0 for anonymous memory
 * @param device     major:minor in hexadecimal as the kernel prints it; on overlayfs and btrfs not what stat(2) says
 * @param inode      0 for anonymous memory
 * @param path       file, or a name in brackets such as {@code [stack]}; "" if anonymous. Never ends in the kernel's " (deleted)"
 * @param deleted    whether the file had been unlinked (or replaced by a rename) when the line was read
 */
public record MappedRegion(
        long start,
        long end,
        boolean readable,
        boolean writable,
        boolean executable,
        boolean shared,
        long fileOffset,
        String device,
        long inode,
        String path,
        boolean deleted) {

    /** Length in bytes. */
    public long size() {
        return end - start;
    }

    /** Whether {@code address} lies in {@code [start, end)}. */
    public boolean contains(long address) {
        return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }

    /** Whether both are mappings of one file; never true of anonymous memory. */
    boolean sameFile(MappedRegion other) {
        return inode != 0 && inode == other.inode && device.equals(other.device);
    }
}
