/* libz: every level and strategy, streams in small pieces, dictionaries, gzip files, checksums, damaged input. */
#define _GNU_SOURCE
#include "exam.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT = 24 << 10, OUTPUT = 64 << 10 };
static uint8_t input[INPUT], packed[OUTPUT], unpacked[OUTPUT];
static const char dictionary[] = "the probe of a library returns and section to INSERT buffer in memory, that is. page";

static int one_way(int level, int strategy, int window, int memory, const uint8_t *data, size_t length, size_t piece, int flush, int use_dictionary)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    int e = deflateInit2(&z, level, Z_DEFLATED, window, memory, strategy);
    exam_note_word((uint64_t)e);
    if (e != Z_OK)
        return 0;
    if (use_dictionary)
        exam_note_word((uint64_t)deflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary));
    z.next_in = (Bytef *)data;
    z.next_out = packed;
    z.avail_out = OUTPUT;
    for (size_t left = length; left > 0;) {
        size_t n = left < piece ? left : piece;
        z.avail_in = (uInt)n;
        left -= n;
        e = deflate(&z, left == 0 ? Z_FINISH : flush);
        if (flush == Z_BLOCK && left > 0 && z.avail_out > 100)
            exam_note_word((uint64_t)deflateParams(&z, (level + (int)left) % 10, strategy));
    }
    exam_note_word((uint64_t)e);
    unsigned pending;
    int bits;
    exam_note_word((uint64_t)deflatePending(&z, &pending, &bits));
    int size = (int)z.total_out;
    exam_note(packed, (size_t)size);
    exam_note_word((uint64_t)deflateEnd(&z));
    return size;
}

static void back(int window, int size, size_t piece, size_t room, int use_dictionary)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    int e = inflateInit2(&z, window);
    exam_note_word((uint64_t)e);
    if (e != Z_OK)
        return;
    if (use_dictionary && window < 0)
        inflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary);
    z.next_in = packed;
    z.next_out = unpacked;
    for (size_t left = (size_t)size; e == Z_OK || e == Z_BUF_ERROR || e == Z_NEED_DICT;) {
        if (e == Z_NEED_DICT && inflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary) != Z_OK)
            break;
        if (z.avail_in == 0) {
            size_t n = left < piece ? left : piece;
            if (n == 0 && e == Z_BUF_ERROR)
                break;
            z.avail_in = (uInt)n;
            left -= n;
        }
        size_t free_room = (size_t)OUTPUT - z.total_out;
        z.avail_out = (uInt)(free_room < room ? free_room : room);
        e = inflate(&z, Z_NO_FLUSH);
        if (free_room == 0)
            break;
    }
    exam_note_word((uint64_t)e);
    exam_note_text(z.msg);
    exam_note(unpacked, z.total_out);
    exam_note_word((uint64_t)inflateMark(&z));
    exam_note_word(inflateCodesUsed(&z));
    exam_note_word((uint64_t)inflateEnd(&z));
}

static void streams(void)
{
    int step = exam_shared->full ? 2 : 5;
    for (int kind = 0; kind < (exam_shared->full ? EXAM_KINDS : 2); kind++) {
        size_t length = exam_shared->full ? kind == EXAM_TEXT ? 2000 : 700 : kind == EXAM_TEXT ? 400 : 120;
        exam_fill(input, length, kind, 1 + (uint64_t)kind);
        for (int level = kind == EXAM_TEXT ? -1 : 0; level <= 9; level += kind == EXAM_TEXT && exam_shared->full ? 1 : step) {
            int size = one_way(level, Z_DEFAULT_STRATEGY, 15, 8, input, length, length, Z_NO_FLUSH, 0);
            back(15, size, OUTPUT, OUTPUT, 0);
        }
    }
    size_t length = exam_shared->full ? 500 : 150;
    exam_fill(input, length, EXAM_TEXT, 7);
    static const int flushes[] = { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK };
    for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++)
        for (int level = 1; level <= (exam_shared->full ? 9 : 1); level += 4) {
            int size = one_way(level, strategy, 15 + 16, 9, input, length, 700, flushes[strategy], 0);
            back(15 + 32, size, 17, 300, 0);
        }
    for (int window = 9; window <= (exam_shared->full ? 15 : 9); window += 2)
        for (int raw = 0; raw < 2; raw++) {
            int bits = raw ? -window : window;
            int size = one_way(raw ? 4 : 6, Z_DEFAULT_STRATEGY, bits, 1 + raw * 7, input, length, 100, Z_NO_FLUSH, 1);
            back(bits, size, 50, OUTPUT, 1);
        }
    for (int damage = 0; damage < (exam_shared->full ? 24 : 3); damage++) {
        int size = one_way(6, Z_DEFAULT_STRATEGY, 15 + 16 * (damage & 1), 8, input, length, length, Z_NO_FLUSH, 0);
        uint64_t seed = 100 + (uint64_t)damage;
        for (int i = 0; i < 4; i++)
            packed[exam_random(&seed) % (uint64_t)(damage < 8 ? 30 : size)] ^= (uint8_t)(1 << (damage & 7));
        back(15 + 32, damage & 2 ? size : size / 2, OUTPUT, OUTPUT, 0);
    }
}

static unsigned take(void *from, unsigned char **bytes)
{
    int *given = from;
    *bytes = packed + *given;
    *given += 64;
    return 64;
}

static int give(void *to, unsigned char *bytes, unsigned length)
{
    exam_note(bytes, length);
    *(unsigned *)to += length;
    return 0;
}

static void odds_and_ends(void)
{
    static unsigned char window[1 << 15];
    exam_fill(input, 900, EXAM_TEXT, 9);
    int size = one_way(9, Z_DEFAULT_STRATEGY, -15, 8, input, 900, 900, Z_NO_FLUSH, 0);
    z_stream z;
    memset(&z, 0, sizeof z);
    int given = 0;
    unsigned got = 0;
    exam_note_word((uint64_t)inflateBackInit(&z, 15, window));
    exam_note_word((uint64_t)inflateBack(&z, take, &given, give, &got));
    exam_note_word(got + (uint64_t)size);
    exam_note_word((uint64_t)inflateBackEnd(&z));

    memset(&z, 0, sizeof z);
    z_stream copy;
    deflateInit(&z, 5);
    gz_header header = { .text = 1, .time = 1, .os = 3, .extra = (Bytef *)"extra", .extra_len = 5, .name = (Bytef *)"name", .comment = (Bytef *)"why", .hcrc = 1 };
    exam_note_word((uint64_t)deflateSetHeader(&z, &header));
    exam_note_word((uint64_t)deflateTune(&z, 4, 8, 16, 32));
    exam_note_word(deflateBound(&z, 900));
    z.next_in = input;
    z.avail_in = 450;
    z.next_out = packed;
    z.avail_out = OUTPUT;
    deflate(&z, Z_SYNC_FLUSH);
    exam_note_word((uint64_t)deflatePrime(&z, 3, 5));
    exam_note_word((uint64_t)deflateCopy(&copy, &z));
    unsigned known = sizeof window;
    exam_note_word((uint64_t)deflateGetDictionary(&z, window, &known));
    exam_note_word(known);
    copy.avail_in = 450;
    exam_note_word((uint64_t)deflate(&copy, Z_FINISH));
    exam_note_word((uint64_t)deflateReset(&z));
    exam_note_word((uint64_t)deflateResetKeep(&z));
    exam_note_word((uint64_t)deflateEnd(&z));
    exam_note_word((uint64_t)deflateEnd(&copy));

    memset(&z, 0, sizeof z);
    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    deflateSetHeader(&z, &header);
    z.next_in = input;
    z.avail_in = 900;
    z.next_out = packed;
    z.avail_out = OUTPUT;
    exam_note_word((uint64_t)deflate(&z, Z_FINISH));
    size = (int)z.total_out;
    exam_note(packed, (size_t)size);
    deflateEnd(&z);
    memset(&z, 0, sizeof z);
    static Bytef name[20], comment[20], extra[20];
    gz_header read = { .name = name, .name_max = 20, .comment = comment, .comm_max = 20, .extra = extra, .extra_max = 20 };
    inflateInit2(&z, 47);
    exam_note_word((uint64_t)inflateGetHeader(&z, &read));
    z.next_in = packed;
    z.avail_in = (uInt)size / 2;
    z.next_out = unpacked;
    z.avail_out = OUTPUT;
    exam_note_word((uint64_t)inflate(&z, Z_BLOCK));
    exam_note_word((uint64_t)inflate(&z, Z_TREES));
    exam_note_word((uint64_t)inflate(&z, Z_SYNC_FLUSH));
    exam_note_word((uint64_t)inflateCopy(&copy, &z));
    known = sizeof window;
    exam_note_word((uint64_t)inflateGetDictionary(&copy, window, &known));
    exam_note_word((uint64_t)inflateSyncPoint(&copy));
    exam_note_word((uint64_t)inflateValidate(&copy, 0));
    copy.avail_in = (uInt)size / 2;
    exam_note_word((uint64_t)inflateSync(&copy));
    exam_note_word((uint64_t)inflateReset2(&copy, 15));
    exam_note_word((uint64_t)inflatePrime(&copy, 2, 1));
    exam_note_word((uint64_t)inflateUndermine(&copy, 1));
    inflateEnd(&copy);
    inflateEnd(&z);
    exam_note(name, sizeof name);

    uLong crc = crc32(0, NULL, 0), adler = adler32(0, NULL, 0), second = crc32(0, NULL, 0);
    for (size_t i = 0; i < 600; i += i < 40 && exam_shared->full ? 3 : 97) {
        crc = crc32(crc, input + (i & 7), (uInt)i);
        adler = adler32(adler, input + (i & 3), (uInt)i);
        second = crc32_z(second, input + i, i / 2);
        exam_note_word(crc32_combine(crc, second, (z_off_t)i) ^ adler32_combine(adler, adler, (z_off_t)i));
        exam_note_word(crc32_combine_op(crc, second, crc32_combine_gen((z_off_t)i)));
    }
    exam_note_word(adler32(adler, input, 6000));
    exam_note_word(crc ^ adler);
    exam_note(get_crc_table(), 1024);
    uLongf length = OUTPUT;
    exam_note_word((uint64_t)compress(packed, &length, input, 900));
    uLongf plain = OUTPUT;
    exam_note_word((uint64_t)uncompress(unpacked, &plain, packed, length));
    length = 10;
    exam_note_word((uint64_t)compress2(packed, &length, input, 900, 1));
    exam_note_word(compressBound(77));
    exam_note_word(zlibCompileFlags());
    exam_note_text(zlibVersion());
    for (int e = -7; e < 3; e++)
        exam_note_text(zError(e));
}

/* gzip files through a descriptor of a memory file: no name, no times. */
static void files(void)
{
    static const char *const modes[] = { "wb6", "wb1h", "wb9f", "wbT", "wb3R" };
    for (int i = 0; i < (exam_shared->full ? 5 : 1); i++) {
        int fd = memfd_create("exam", 0);
        gzFile f = gzdopen(dup(fd), modes[i]);
        exam_note_word((uint64_t)gzbuffer(f, i == 2 ? 256 : 8192));
        exam_note_word((uint64_t)gzwrite(f, input, 2000));
        exam_note_word((uint64_t)gzprintf(f, "%d %s %c\n", 42, "printed", 'x'));
        exam_note_word((uint64_t)gzputs(f, "a line\nanother line\n"));
        exam_note_word((uint64_t)gzputc(f, 'z'));
        exam_note_word((uint64_t)gzfwrite(input, 7, 30, f));
        exam_note_word((uint64_t)gzsetparams(f, 2, Z_FILTERED));
        exam_note_word((uint64_t)gzflush(f, Z_SYNC_FLUSH));
        exam_note_word((uint64_t)gzseek(f, 100, SEEK_CUR));
        exam_note_word((uint64_t)gztell(f));
        exam_note_word((uint64_t)gzclose(f));
        lseek(fd, 0, SEEK_SET);
        f = gzdopen(dup(fd), "rb");
        exam_note_word((uint64_t)gzdirect(f));
        exam_note_word((uint64_t)gzread(f, unpacked, 1990));
        exam_note(unpacked, 1990);
        exam_note_text(gzgets(f, (char *)unpacked, 100));
        int c = gzgetc(f);
        exam_note_word((uint64_t)c);
        exam_note_word((uint64_t)gzungetc('q', f));
        exam_note_word((uint64_t)gzfread(unpacked, 3, 40, f));
        exam_note_word((uint64_t)gzseek(f, 50, SEEK_SET));
        exam_note_word((uint64_t)gzread(f, unpacked, 5000));
        exam_note_word((uint64_t)gzeof(f));
        exam_note_word((uint64_t)gzoffset(f));
        exam_note_word((uint64_t)gzrewind(f));
        int e;
        exam_note_text(gzerror(f, &e));
        gzclearerr(f);
        exam_note_word((uint64_t)gzclose(f));
        close(fd);
    }
    exam_note_word((uint64_t)(gzopen("/nonexistent/file", "rb") == NULL));
}

void exam_libz(void)
{
    streams();
    odds_and_ends();
    files();
}
