package uprobe.probe.code;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What binutils' objdump makes of code: the text of each instruction (AT&T), taken apart as far as a judgement needs it. */
final class Objdump {
    private static final Set<String> PREFIXES = Set.of("lock", "rep", "repz", "repnz", "repe", "repne", "data16", "addr32", "cs", "ds", "es", "ss",
            "fs", "gs", "bnd", "notrack", "xacquire", "xrelease");
    /** Prefixes that change nothing about a near branch but how it is predicted or checked. */
    private static final Set<String> SAY_NOTHING = Set.of("cs", "ds", "es", "ss", "fs", "gs", "bnd", "notrack", "repz", "repnz");

    /**
     * A line.
     *
     * @param text as printed, without the bytes; empty if objdump wrote none
     * @param fresh whether objdump began anew here: at a symbol, a section or the start
     */
    record Line(long address, byte[] bytes, String text, boolean fresh) {
        long next() {
            return address + bytes.length;
        }

        boolean isBad() {
            return text.contains("(bad)") || text.isEmpty() || text.startsWith(".byte");
        }

        /** Prefixes that objdump could not make part of what follows stand on a line of their own. */
        boolean isPrefixAlone() {
            for (String word : text.split("\\s+")) {
                if (!isPrefix(word)) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * @param prefixes in the order printed
     * @param operands what follows the mnemonic, without blanks, addresses of branches and comment
     * @param target absolute address of a direct branch or of an operand relative to rip
     * @param direct whether it is the target of a branch or call
     * @param relative whether an operand is relative to rip
     */
    record Text(List<String> prefixes, String mnemonic, String operands, long target, boolean direct, boolean relative) {
        boolean hasTarget() {
            return direct || relative;
        }

        boolean has(String prefix) {
            return prefixes.contains(prefix);
        }

        boolean hasRexW() {
            return prefixes.stream().anyMatch(p -> p.startsWith("rex.W"));
        }

        /** All that must stay when an instruction is copied: the operand relative to rip is written without its displacement. */
        String meaning() {
            return String.join(" ", prefixes) + " " + mnemonic + " " + operands;
        }

        /** A branch's mnemonic without hints. */
        String branch() {
            int comma = mnemonic.indexOf(',');
            return comma < 0 ? mnemonic : mnemonic.substring(0, comma);
        }

        List<String> tellingPrefixes() {
            return prefixes.stream().filter(p -> !SAY_NOTHING.contains(p) && !p.startsWith("rex")).toList();
        }
    }

    static boolean isPrefix(String word) {
        return PREFIXES.contains(word) || word.equals("rex") || word.startsWith("rex.");
    }

    /** @param bias is added to all addresses, which a library's own file counts from zero */
    static Text parse(String line, long bias) {
        int comment = line.indexOf("# ");
        String rest = (comment < 0 ? line : line.substring(0, comment)).trim();
        List<String> prefixes = new ArrayList<>(2);
        String word;
        while (true) {
            int end = rest.indexOf(' ');
            word = end < 0 ? rest : rest.substring(0, end);
            rest = end < 0 ? "" : rest.substring(end).trim();
            if (rest.isEmpty() || !isPrefix(word)) {
                break;
            }
            prefixes.add(word);
        }
        if (rest.isEmpty()) {
            return new Text(List.copyOf(prefixes), word, "", 0, false, false);
        }
        if (isBranch(word) && rest.charAt(0) != '*' && rest.charAt(0) != '$') {
            int symbol = rest.indexOf(" <");
            return new Text(List.copyOf(prefixes), word, "", bias + hex(symbol < 0 ? rest : rest.substring(0, symbol)), true, false);
        }
        int rip = rest.indexOf("(%rip)"), eip = rest.indexOf("(%eip)");
        if (rip < 0 && eip < 0) {
            return new Text(List.copyOf(prefixes), word, rest, 0, false, false);
        }
        int end = Math.max(rip, eip), start = end;
        while (start > 0 && "-0x123456789abcdef".indexOf(rest.charAt(start - 1)) >= 0) {
            start--;
        }
        String told = line.substring(comment + 2);
        int symbol = told.indexOf(" <");
        long target = bias + hex((symbol < 0 ? told : told.substring(0, symbol)).trim());
        return new Text(List.copyOf(prefixes), word, rest.substring(0, start) + rest.substring(end), target, false, true);
    }

    private static boolean isBranch(String mnemonic) {
        return mnemonic.startsWith("j") || mnemonic.startsWith("call") || mnemonic.startsWith("loop") || mnemonic.equals("xbegin");
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, digits.startsWith("0x") ? 2 : 0, digits.length(), 16);
    }

    /** All code of a library's file, or what lies between two addresses of it (0, 0: all). Blocks of zeros are decoded too. */
    static void library(Path file, long from, long to, Consumer<Line> sink) throws Exception {
        List<String> command = new ArrayList<>(List.of("objdump", "-d", "-w", "-z"));
        if (to != 0) {
            command.addAll(List.of("--start-address=0x" + Long.toHexString(from), "--stop-address=0x" + Long.toHexString(to)));
        }
        command.add(file.toString());
        run(command, sink);
    }

    /** Bytes without any format, which lie at this address. Blocks of zeros are left out. */
    static void raw(Path file, long address, Consumer<Line> sink) throws Exception {
        run(List.of("objdump", "-D", "-w", "-b", "binary", "-m", "i386:x86-64", "--adjust-vma=0x" + Long.toHexString(address),
                file.toString()), sink);
    }

    /** Addresses of the functions that a library exports, as its file counts them. */
    static List<Long> functions(Path file) throws Exception {
        List<Long> found = new ArrayList<>();
        lines(List.of("nm", "-D", "--defined-only", file.toString()), line -> {
            String[] words = line.split(" ");
            if (words.length == 3 && "TtWwi".contains(words[1])) {
                found.add(hex(words[0]));
            }
        });
        return found.stream().distinct().sorted().toList();
    }

    private static void run(List<String> command, Consumer<Line> sink) throws Exception {
        boolean[] fresh = {true};
        lines(command, line -> {
            int colon = line.indexOf(":\t");
            if (colon <= 0 || line.charAt(0) != ' ' && Character.digit(line.charAt(0), 16) < 0) {
                fresh[0] |= line.endsWith(">:") || line.startsWith("Disassembly");
                return;
            }
            int tab = line.indexOf('\t', colon + 2);
            String bytes = (tab < 0 ? line.substring(colon + 2) : line.substring(colon + 2, tab)).trim();
            sink.accept(new Line(hex(line.substring(0, colon).trim()), bytes(bytes), tab < 0 ? "" : line.substring(tab + 1).trim(), fresh[0]));
            fresh[0] = false;
        });
    }

    private static byte[] bytes(String printed) {
        byte[] out = new byte[(printed.length() + 1) / 3];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) (Character.digit(printed.charAt(3 * i), 16) << 4 | Character.digit(printed.charAt(3 * i + 1), 16));
        }
        return out;
    }

    private static void lines(List<String> command, Consumer<String> sink) throws Exception {
        Process process = new ProcessBuilder(command).redirectError(new File("/dev/null")).start();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.ISO_8859_1), 1 << 16)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                sink.accept(line);
            }
        } finally {
            process.destroy();
        }
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + process.exitValue());
        }
    }

    private Objdump() {}
}
