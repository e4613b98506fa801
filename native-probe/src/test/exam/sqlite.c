/* SQLite: sqlite-jdbc's library exports JNI functions only and has no symbols. Its table of routines for extensions (sqlite3_api_routines in
 * sqlite3ext.h; members are only ever added at its end) is found in its data, and the workload calls through it. */
#define _GNU_SOURCE
#include "object.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Indexes in struct sqlite3_api_routines. */
enum {
    BIND_BLOB = 2, BIND_DOUBLE = 3, BIND_INT64 = 5, BIND_NULL = 6, BIND_COUNT = 7, BIND_INDEX = 8, BIND_TEXT = 10, BIND_TEXT16 = 11, CHANGES = 15,
    COLUMN_BLOB = 19, COLUMN_BYTES = 20, COLUMN_COUNT = 22, COLUMN_DECLTYPE = 25, COLUMN_DOUBLE = 27, COLUMN_INT64 = 29, COLUMN_NAME = 30,
    COLUMN_TEXT = 36, COLUMN_TEXT16 = 37, COLUMN_TYPE = 38, COMMIT_HOOK = 40, COMPLETE = 41, ERRMSG = 53, ERRMSG16 = 54, EXEC = 55, FINALIZE = 57,
    FREE = 58, FREE_TABLE = 59, GET_TABLE = 62, LIBVERSION = 66, MPRINTF = 69, PROGRESS = 75, RESET = 77, RESULT_DOUBLE = 79, RESULT_ERROR = 80,
    RESULT_INT64 = 83, RESULT_TEXT = 85, RESULT_VALUE = 89, SET_AUTHORIZER = 91, STEP = 94, TABLE_METADATA = 95, TOTAL_CHANGES = 97, UPDATE_HOOK = 100,
    VALUE_DOUBLE = 105, VALUE_INT64 = 107, VALUE_TEXT = 109, VALUE_TYPE = 113, PREPARE_V2 = 116, CLEAR_BINDINGS = 118, BLOB_BYTES = 121,
    BLOB_CLOSE = 122, BLOB_OPEN = 123, BLOB_READ = 124, BLOB_WRITE = 125, COLLATION_V2 = 126, OPEN_V2 = 135, TEST_CONTROL = 147, RANDOMNESS = 148,
    EXTENDED_CODES = 150, LIMIT = 151, SQL = 153, BACKUP_FINISH = 155, BACKUP_INIT = 156, BACKUP_PAGES = 157, BACKUP_REMAINING = 158, BACKUP_STEP = 159,
    FUNCTION_V2 = 162, DB_STATUS = 165, STMT_STATUS = 170, CLOSE_V2 = 179, STMT_READONLY = 185, CHECKPOINT_V2 = 191, STRGLOB = 203, EXPANDED_SQL = 215,
    TRACE_V2 = 214, STR_NEW = 228, STR_FINISH = 229, STR_APPENDF = 230, WINDOW_FUNCTION = 239, DESERIALIZE = 262, SERIALIZE = 263,
    CONSECUTIVE = 250
};
enum { ROW = 100, DONE = 101, OPEN_RW_CREATE_MEMORY_URI = 2 | 4 | 64, PRNG_SEED = 28 };

static void **api;
/* ABI of a call through the table: everything that is not a double is passed in general registers. */
typedef long (*call)(long, ...);
#define CALL(index, ...) (((call)api[index])((long)__VA_ARGS__))
#define A(x) ((long)(x))

static uint64_t data_start, data_end, text_start, text_end;

static int segments(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    if (info->dlpi_addr != *(ElfW(Addr) *)bias)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
            text_start = info->dlpi_addr + p->p_vaddr;
            text_end = text_start + p->p_filesz;
        } else if (p->p_type == PT_LOAD && p->p_flags & PF_W) {
            data_start = (info->dlpi_addr + p->p_vaddr + 7) & ~(uint64_t)7;
            data_end = info->dlpi_addr + p->p_vaddr + p->p_filesz;
        }
    }
    return 1;
}

static int is_text(uint64_t address)
{
    return address >= text_start && address < text_end;
}

/* sqlite3_libversion is lea rax, [rip+string]; ret. Around the word that points to it must lie nothing but functions and nulls. */
int exam_sqlite_prepare(void)
{
    struct link_map *map = NULL;
    if (dlinfo(exam_library, RTLD_DI_LINKMAP, &map) != 0)
        return -1;
    ElfW(Addr) bias = map->l_addr;
    dl_iterate_phdr(segments, &bias);
    for (uint64_t at = data_start + LIBVERSION * 8; at + (CONSECUTIVE - LIBVERSION) * 8 < data_end; at += 8) {
        uint64_t function = *(uint64_t *)at;
        const uint8_t *code = (const uint8_t *)function;
        if (!is_text(function) || code[0] != 0x48 || code[1] != 0x8d || code[2] != 0x05 || code[7] != 0xc3)
            continue;
        const char *text = (const char *)(function + 7 + (uint64_t)(int64_t)*(const int32_t *)(code + 3));
        void **table = (void **)at - LIBVERSION;
        int fits = text[0] == '3' && text[1] == '.';
        for (int i = 0; fits && i < CONSECUTIVE; i++)
            fits = table[i] == NULL || is_text((uint64_t)table[i]);
        if (fits) {
            api = table;
            return 0;
        }
    }
    return -1;
}

static int noted_row(void *rows, int columns, char **values, char **names)
{
    ++*(int *)rows;
    for (int i = 0; i < columns; i++) {
        exam_note_text(values[i]);
        if (*(int *)rows == 1)
            exam_note_text(names[i]);
    }
    return 0;
}

static void run(void *db, const char *sql)
{
    char *error = NULL;
    int rows = 0;
    exam_note_word((uint64_t)(int)CALL(EXEC, db, sql, noted_row, &rows, &error));
    exam_note_text(error);
    CALL(FREE, error);
}

static const char *const basics[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, score REAL DEFAULT 1.5, data BLOB, parent INT REFERENCES t(id),"
        " CHECK(score > -100), UNIQUE(name, parent))",
    "CREATE INDEX t_score ON t(score DESC, name) WHERE score > 2",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO t(id, name, score, data, parent)"
        " SELECT i, 'name' || i, i * 0.75, zeroblob(i % 7), nullif(i / 4, 0) FROM n",
    "SELECT a.name, count(*), sum(b.score), avg(b.id), group_concat(b.name, '|'), min(b.name), max(b.score), total(b.id) FROM t a JOIN t b ON b.parent = a.id"
        " GROUP BY a.id HAVING count(*) > 1 ORDER BY 2 DESC, a.name LIMIT 9 OFFSET 1",
    "SELECT id, row_number() OVER w, rank() OVER w, dense_rank() OVER w, ntile(4) OVER w, lag(id, 2, -1) OVER w, lead(name) OVER w,"
        " first_value(id) OVER w, last_value(id) OVER w, nth_value(id, 3) OVER w, percent_rank() OVER w, cume_dist() OVER w,"
        " sum(score) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW),"
        " sum(score) OVER (ORDER BY id RANGE BETWEEN 3 PRECEDING AND CURRENT ROW), count(*) FILTER (WHERE id > 5) OVER (PARTITION BY parent)"
        " FROM t WHERE id < 14 WINDOW w AS (PARTITION BY id % 3 ORDER BY score DESC)",
    "UPDATE t SET score = score + 1, name = upper(name) WHERE id % 5 = 0 RETURNING id, name",
    "INSERT INTO t(id, name) VALUES(3, 'three') ON CONFLICT(id) DO UPDATE SET name = excluded.name || '!' WHERE id = 3",
    "INSERT OR REPLACE INTO t(id, name, score) VALUES(4, 'four', 4), (5, 'five', 5)",
    "INSERT INTO t(id, name) VALUES(4, 'again')",
    "DELETE FROM t WHERE id BETWEEN 40 AND 45 OR name LIKE 'n%e5_' OR name GLOB '*9'",
    "SELECT * FROM t WHERE score IN (SELECT score FROM t WHERE id < 10) AND EXISTS (SELECT 1 FROM t x WHERE x.parent = t.id) ORDER BY name COLLATE BINARY",
    "SELECT name FROM t WHERE id < 5 UNION SELECT name FROM t WHERE id < 7 EXCEPT SELECT 'name2' INTERSECT SELECT name FROM t ORDER BY 1",
    "EXPLAIN QUERY PLAN SELECT * FROM t a, t b WHERE a.id = b.parent AND b.score > 3 ORDER BY a.name",
    "EXPLAIN SELECT count(*) FROM t WHERE name > 'm' GROUP BY parent",
    "SELECT 1/0, 7 % 3, 5 << 2, ~7, -9223372036854775808, 0x7fff, 1e308 * 10, 'a' || NULL, x'414243', CAST('12abc' AS INT), 3 BETWEEN 1 AND 5,"
        " CASE 4 WHEN 3 THEN 'x' WHEN 4 THEN 'y' ELSE 'z' END, iif(1, 2, 3), coalesce(NULL, 'c'), NOT 1, 1 IS NOT 2, 'A' = 'a' COLLATE NOCASE",
    "SELECT nonsense FROM nowhere", "SELEC 1", "SELECT * FROM t WHERE", "INSERT INTO t(id, name, score) VALUES(99, 'x', -200)",
};

static const char *const functions[] = {
    "SELECT abs(-5), char(65, 8364, 128512), hex('abc'), unhex('4142'), instr('hello', 'l'), length('h\xc3\xa9llo'), lower('ABC'), ltrim('  x'), rtrim('xyy', 'y'),"
        " trim(' z '), max(1, 3, 2), min('a', 'b'), quote('it''s'), quote(x'00ff'), quote(1.5), replace('aXbX', 'X', 'yy'), round(2.567, 2), sign(-3),"
        " soundex('x'), substr('abcdef', 2, 3), substr('abc', -2), typeof(1), typeof(1.0), typeof(x''), typeof(NULL), unicode('e'), upper('x'),"
        " likelihood(1, 0.5), concat('a', 2), concat_ws('-', 'a', 'b'), octet_length('abc'), string_agg('x', ',')",
    "SELECT printf('%5d|%-6s|%08.3f|%x|%X|%o|%e|%g|%c|%q|%Q|%w|%%|%,d|%+d|%!g', 42, 'ab', 3.14159, 255, 255, 8, 12345.678, 0.0001, 'z', 'it''s', NULL, 'a\"b', 1234567, 5, 0.1)",
    "SELECT acos(0.5), acosh(2), asin(0.5), asinh(1), atan(1), atan2(1, 2), atanh(0.5), ceil(1.2), cos(1), cosh(1), degrees(1), exp(1), floor(-1.5), ln(2),"
        " log(100), log(2, 8), log2(8), mod(7, 3), pi(), pow(2, 10), radians(180), sin(1), sinh(1), sqrt(2), tan(1), tanh(1), trunc(1.9)",
    "SELECT date('2024-02-29', '+1 year', '-1 month', 'start of month', 'weekday 1'), time('12:34:56.789', '+90 minutes'), datetime(1700000000, 'unixepoch', 'utc'),"
        " julianday('2000-01-01 12:00'), strftime('%d %f %H %j %J %m %M %s %S %w %W %Y %% %e %k %I %p %u %G %V', '2023-07-15T10:20:30.456'),"
        " unixepoch('2020-01-01'), timediff('2023-02-15', '2022-12-10'), date('bad'), datetime('2023-12-31', '+1 day', 'subsec'), date('2023-01-31', '+1 month', 'floor')",
    "SELECT json('{\"a\":[1,2,{\"b\":null}],\"c\":\"x\\u0041\"}'), json_array(1, 'two', NULL, 3.5), json_array_length('[1,2,3]'), json_extract('{\"a\":{\"b\":[10,20]}}', '$.a.b[1]'),"
        " json_insert('{}', '$.x', 1), json_object('k', 'v', 'n', json('[1]')), json_patch('{\"a\":1}', '{\"a\":null,\"b\":2}'), json_remove('[1,2,3]', '$[1]'),"
        " json_replace('{\"a\":1}', '$.a', 'z'), json_set('{\"a\":1}', '$.b', 2), json_type('[1]', '$[0]'), json_valid('{bad'), json_quote('q\"'), '{\"a\":5}' -> 'a',"
        " '{\"a\":5}' ->> '$.a', json_pretty('{\"a\":[1,{}]}'), json_error_position('{\"a\":]'), json('{a:0x1F, /* c */ b:''s'', c:+.5, d:Infinity,}'), jsonb_extract(jsonb('[1,[2]]'), '$[1]')",
    "SELECT key, value, type, atom, parent, fullkey, path FROM json_tree('{\"a\":[1,true,{\"b\":\"c\"}],\"d\":1.5e3}')",
    "SELECT json_group_array(id), json_group_object(name, id) FROM t WHERE id < 6",
    "SELECT value FROM json_each('[3,1,2]') ORDER BY value",
    "SELECT hex(randomblob(4)), random() IS NOT NULL, last_insert_rowid(), changes(), total_changes(), sqlite_version(), sqlite_source_id() LIKE '20%'",
    "SELECT regexp('a', 'b')", "SELECT load_extension('nothing')", "SELECT abs(-9223372036854775808)", "SELECT json('{')", "SELECT substr()",
    "SELECT name, count(*) FILTER (WHERE score > 5), median(score) FROM t", "SELECT sum(score), sum(id), sum(name) FROM t",
};

static const char *const schema[] = {
    "CREATE TABLE log(what TEXT, id INT)",
    "CREATE TRIGGER ti AFTER INSERT ON t BEGIN INSERT INTO log VALUES('i', new.id); END",
    "CREATE TRIGGER tu BEFORE UPDATE OF score ON t WHEN new.score > 50 BEGIN SELECT raise(IGNORE); END",
    "CREATE TRIGGER td AFTER DELETE ON t BEGIN INSERT INTO log SELECT 'd', old.id; UPDATE t SET score = 0 WHERE parent = old.id; END",
    "CREATE VIEW v AS SELECT id, name, score * 2 AS twice FROM t WHERE score > 1",
    "CREATE TRIGGER tv INSTEAD OF INSERT ON v BEGIN INSERT INTO t(id, name, score) VALUES(new.id, new.name, new.twice / 2); END",
    "INSERT INTO v(id, name, twice) VALUES(200, 'from view', 8)", "DELETE FROM t WHERE id = 2", "UPDATE t SET score = 60 WHERE id = 7",
    "SELECT * FROM log", "SELECT * FROM v WHERE twice > 30 ORDER BY twice LIMIT 5",
    "CREATE TABLE g(a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, c TEXT AS (printf('%d', a)) VIRTUAL)",
    "INSERT INTO g(a) VALUES(1), (2), (3)", "SELECT * FROM g", "CREATE INDEX gc ON g(c, abs(b))", "SELECT * FROM g WHERE c = '2'",
    "CREATE TABLE w(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID", "INSERT INTO w VALUES('a', 1), ('b', 'two'), ('c', x'03')", "SELECT * FROM w WHERE k >= 'b'",
    "UPDATE w SET v = 9 FROM g WHERE w.k = 'a' AND g.a = 1", "DELETE FROM w WHERE k = 'b'",
    "PRAGMA foreign_keys = ON", "CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE c(pid REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)",
    "INSERT INTO p VALUES(1), (2)", "INSERT INTO c VALUES(1), (1), (2)", "DELETE FROM p WHERE id = 1", "UPDATE p SET id = 5", "SELECT * FROM c", "INSERT INTO c VALUES(77)",
    "ALTER TABLE g ADD COLUMN d TEXT DEFAULT 'dd'", "ALTER TABLE g RENAME COLUMN a TO aa", "ALTER TABLE g RENAME TO gg", "ALTER TABLE gg DROP COLUMN d", "SELECT sql FROM sqlite_schema",
    "SAVEPOINT one", "DELETE FROM t WHERE id > 20", "SAVEPOINT two", "UPDATE t SET name = name || '?'", "ROLLBACK TO two", "RELEASE one",
    "BEGIN IMMEDIATE", "INSERT INTO t(id, name) VALUES(300, 'gone')", "ROLLBACK", "BEGIN", "BEGIN", "COMMIT", "ANALYZE", "SELECT * FROM sqlite_stat1", "REINDEX", "PRAGMA integrity_check",
    "PRAGMA table_info(t)", "PRAGMA index_list(t)", "PRAGMA foreign_key_list(c)", "PRAGMA foreign_key_check", "PRAGMA quick_check", "PRAGMA optimize", "PRAGMA compile_options",
    "PRAGMA page_count", "PRAGMA cache_size = 50", "PRAGMA encoding", "PRAGMA user_version = 7", "PRAGMA collation_list", "PRAGMA function_list", "PRAGMA table_xinfo(gg)", "PRAGMA database_list",
    "ATTACH ':memory:' AS other", "CREATE TABLE other.o AS SELECT id, name FROM t", "SELECT count(*) FROM other.o JOIN t USING(id)", "SELECT * FROM other.o NATURAL LEFT JOIN t FULL JOIN gg ON gg.aa = o.id LIMIT 4", "DETACH other",
    "CREATE TEMP TABLE tmp(x)", "INSERT INTO tmp SELECT id FROM t", "SELECT x FROM tmp ORDER BY x DESC LIMIT 3", "DROP TABLE tmp", "VACUUM", "DROP VIEW v", "DROP TABLE log",
};

static const char *const virtuals[] = {
    "CREATE VIRTUAL TABLE f USING fts5(title, body, tokenize = 'porter unicode61', prefix = '2')",
    "INSERT INTO f VALUES('first', 'the quick brown foxes jumped'), ('second', 'over the lazy dogs, running quickly'), ('third', 'nothing to see h\xc3\xa9re')",
    "SELECT rowid, highlight(f, 1, '[', ']'), snippet(f, 1, '<', '>', '..', 3), bm25(f) FROM f WHERE f MATCH 'quick* OR fox' ORDER BY rank",
    "SELECT * FROM f WHERE f MATCH 'NEAR(quick fox, 4)'", "SELECT * FROM f WHERE f MATCH 'title:first AND body:\"brown fox\" NOT cat'", "SELECT * FROM f WHERE f MATCH 'bad ('",
    "UPDATE f SET body = 'replaced words' WHERE rowid = 2", "DELETE FROM f WHERE rowid = 1", "INSERT INTO f(f) VALUES('optimize')", "INSERT INTO f(f) VALUES('integrity-check')", "INSERT INTO f(f) VALUES('rebuild')",
    "CREATE VIRTUAL TABLE fv USING fts5vocab(f, 'row')", "SELECT * FROM fv",
    "CREATE VIRTUAL TABLE f3 USING fts3(a, b, tokenize=porter)", "INSERT INTO f3 VALUES('some old words', 'and more of them'), ('older', 'wording')",
    "SELECT snippet(f3), offsets(f3), hex(matchinfo(f3, 'pcnalx')) FROM f3 WHERE f3 MATCH 'old* more'", "SELECT * FROM f3 WHERE a MATCH 'words NEAR/3 some'", "INSERT INTO f3(f3) VALUES('optimize')", "DELETE FROM f3 WHERE docid = 1",
    "CREATE VIRTUAL TABLE f4 USING fts4(a, order=desc, prefix=\"1,3\")", "INSERT INTO f4 VALUES('prefix matches'), ('pre')", "SELECT docid FROM f4 WHERE f4 MATCH 'pre*'",
    "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, y0, y1, +note)", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70) INSERT INTO r SELECT i, i, i + 2, i % 9, i % 9 + 1, 'n' || i FROM n",
    "SELECT id, note FROM r WHERE x0 > 5 AND x1 < 30 AND y0 >= 3 ORDER BY id", "DELETE FROM r WHERE id % 3 = 0", "UPDATE r SET x1 = x1 + 5 WHERE id = 10", "SELECT rtreecheck('r')",
    "SELECT name, path, pageno, pagetype, ncell, payload FROM dbstat WHERE name = 't'", "SELECT * FROM pragma_table_info('t') WHERE pk", "SELECT value FROM generate_series(1, 5)",
    "DROP TABLE f", "DROP TABLE f3", "DROP TABLE r",
};

static void all(void *db, const char *const *statements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run(db, statements[i]);
}
#define ALL(db, statements) all(db, statements, sizeof statements / sizeof *statements)

static void twice(void *context, int count, void **values)
{
    if (count != 1) {
        CALL(RESULT_ERROR, context, "want one", -1);
        return;
    }
    exam_note_word((uint64_t)(int)CALL(VALUE_TYPE, values[0]));
    exam_note_text((const char *)CALL(VALUE_TEXT, values[0]));
    CALL(RESULT_INT64, context, 2 * CALL(VALUE_INT64, values[0]));
}

static int reversed(void *unused, int an, const void *a, int bn, const void *b)
{
    (void)unused;
    int n = an < bn ? an : bn, d = memcmp(b, a, (size_t)n);
    return d ? d : bn - an;
}

static int authorize(void *unused, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)unused; (void)b; (void)c; (void)d;
    exam_note_word((uint64_t)action);
    exam_note_text(a);
    return 0;
}

static int progress(void *count)
{
    return ++*(int *)count > 1000;
}

static void updated(void *unused, int operation, const char *database, const char *table, long long row)
{
    (void)unused; (void)database;
    exam_note_word((uint64_t)(operation + row));
    exam_note_text(table);
}

static void statements(void *db)
{
    long statement = 0, blob = 0;
    static const char sql[] = "SELECT ?1, :name, @b, $d, ?, twice(id), id FROM t WHERE id > ?1 ORDER BY name COLLATE backwards LIMIT 4";
    int steps = 0;
    exam_note_word((uint64_t)(int)CALL(FUNCTION_V2, db, "twice", 1, 1 | 0x800, 0L, twice, 0L, 0L, 0L));
    exam_note_word((uint64_t)(int)CALL(COLLATION_V2, db, "backwards", 1, 0L, reversed, 0L));
    CALL(UPDATE_HOOK, db, updated, 0L);
    CALL(SET_AUTHORIZER, db, authorize, 0L);
    CALL(PROGRESS, db, 100, progress, &steps);
    exam_note_word((uint64_t)(int)CALL(PREPARE_V2, db, sql, -1, &statement, 0L));
    CALL(SET_AUTHORIZER, db, 0L, 0L);
    for (int round = 0; round < 2; round++) {
        exam_note_word((uint64_t)(int)CALL(BIND_COUNT, statement));
        CALL(BIND_INT64, statement, 1L, (long)round * 5);
        CALL(BIND_TEXT, statement, CALL(BIND_INDEX, statement, ":name"), "text", -1, 0L);
        CALL(BIND_BLOB, statement, 3L, "blob", 4L, -1L);
        ((int (*)(long, int, double))api[BIND_DOUBLE])(statement, 4, 2.25);
        CALL(BIND_TEXT16, statement, 5L, L"w", 4L, 0L);
        while ((int)CALL(STEP, statement) == ROW)
            for (int i = 0; i < (int)CALL(COLUMN_COUNT, statement); i++) {
                exam_note_word((uint64_t)(int)CALL(COLUMN_TYPE, statement, (long)i));
                exam_note_text((const char *)CALL(COLUMN_NAME, statement, (long)i));
                exam_note_text((const char *)CALL(COLUMN_DECLTYPE, statement, (long)i));
                exam_note_word((uint64_t)CALL(COLUMN_INT64, statement, (long)i));
                double d = ((double (*)(long, int))api[COLUMN_DOUBLE])(statement, i);
                exam_note(&d, sizeof d);
                exam_note_text((const char *)CALL(COLUMN_TEXT, statement, (long)i));
                exam_note((const void *)CALL(COLUMN_TEXT16, statement, (long)i), 2);
            }
        char *expanded = (char *)CALL(EXPANDED_SQL, statement);
        exam_note_text(expanded);
        CALL(FREE, expanded);
        exam_note_word((uint64_t)(int)CALL(RESET, statement));
        exam_note_word((uint64_t)(int)CALL(CLEAR_BINDINGS, statement));
    }
    exam_note_word((uint64_t)(int)CALL(STMT_STATUS, statement, 4L, 1L));
    exam_note_word((uint64_t)(int)CALL(STMT_READONLY, statement));
    exam_note_word((uint64_t)(int)CALL(FINALIZE, statement));
    run(db, "UPDATE t SET data = zeroblob(6000) WHERE id = 10");
    exam_note_word((uint64_t)(int)CALL(BLOB_OPEN, db, "main", "t", "data", 10L, 1L, &blob));
    exam_note_word((uint64_t)(int)CALL(BLOB_WRITE, blob, "written", 7L, 4090L));
    char bytes[20];
    exam_note_word((uint64_t)(int)CALL(BLOB_READ, blob, bytes, 20L, 4085L));
    exam_note(bytes, sizeof bytes);
    exam_note_word((uint64_t)(int)CALL(BLOB_BYTES, blob));
    exam_note_word((uint64_t)(int)CALL(BLOB_CLOSE, blob));
    char **table = NULL, *error = NULL;
    int rows, columns;
    exam_note_word((uint64_t)(int)CALL(GET_TABLE, db, "SELECT id, name FROM t LIMIT 3", &table, &rows, &columns, &error));
    exam_note_text(table ? table[3] : NULL);
    CALL(FREE_TABLE, table);
    exam_note_word((uint64_t)(int)CALL(COMPLETE, "CREATE TRIGGER x BEGIN; SELECT 1; END;"));
    exam_note_text((const char *)CALL(ERRMSG, db));
    exam_note_word((uint64_t)(int)CALL(LIMIT, db, 3L, -1L));
    exam_note_word((uint64_t)(int)CALL(STRGLOB, "a[b-d]*?", "acxyz"));
    CALL(PROGRESS, db, 0L, 0L, 0L);
}

/* A database in a file, by the rollback journal, then by the write-ahead log, copied by the backup interface and as bytes. */
static void files(void)
{
    static const char name[] = "/dev/shm/uprobe-exam.db", *const leftovers[] = { "", "-journal", "-wal", "-shm" };
    char path[64];
    void *db = NULL, *copy = NULL;
    for (int i = 0; i < 4; i++)
        unlink(strcat(strcpy(path, name), leftovers[i]));
    exam_note_word((uint64_t)(int)CALL(OPEN_V2, name, &db, (long)OPEN_RW_CREATE_MEMORY_URI & ~64L, 0L));
    run(db, "PRAGMA page_size = 1024; PRAGMA auto_vacuum = incremental; PRAGMA journal_mode");
    ALL(db, basics);
    run(db, "PRAGMA journal_mode = wal; BEGIN; UPDATE t SET score = 2; COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA incremental_vacuum(3)");
    run(db, "PRAGMA journal_mode = persist; UPDATE t SET score = 3; PRAGMA journal_mode = truncate; DELETE FROM t WHERE id > 30; PRAGMA mmap_size = 65536; SELECT count(*) FROM t");
    CALL(OPEN_V2, ":memory:", &copy, 6L, 0L);
    long backup = CALL(BACKUP_INIT, copy, "main", db, "main");
    while ((int)CALL(BACKUP_STEP, backup, 5L) == 0)
        exam_note_word((uint64_t)(int)CALL(BACKUP_REMAINING, backup));
    exam_note_word((uint64_t)(int)CALL(BACKUP_FINISH, backup));
    run(copy, "SELECT count(*), sum(id) FROM t; PRAGMA integrity_check");
    long long size = 0;
    void *image = (void *)CALL(SERIALIZE, copy, "main", &size, 0L);
    exam_note_word((uint64_t)size);
    CALL(DESERIALIZE, copy, "main", image, size, size, 1L | 2L);
    run(copy, "INSERT INTO t(name) VALUES('into the image'); SELECT count(*) FROM t");
    exam_note_word((uint64_t)(int)CALL(CLOSE_V2, copy));
    run(db, "VACUUM INTO '/dev/shm/uprobe-exam.db'");
    exam_note_word((uint64_t)(int)CALL(CLOSE_V2, db));
    for (int i = 0; i < 4; i++)
        unlink(strcat(strcpy(path, name), leftovers[i]));
}

void exam_sqlite(void)
{
    void *db = NULL;
    CALL(TEST_CONTROL, (long)PRNG_SEED, 12345L, 0L);
    exam_note_word((uint64_t)(int)CALL(OPEN_V2, ":memory:", &db, (long)OPEN_RW_CREATE_MEMORY_URI, 0L));
    CALL(EXTENDED_CODES, db, 1L);
    if (!exam_shared->full) {
        all(db, basics, 5);
        all(db, functions, 4);
        exam_note_word((uint64_t)(int)CALL(CLOSE_V2, db));
        return;
    }
    ALL(db, basics);
    ALL(db, functions);
    statements(db);
    ALL(db, schema);
    ALL(db, virtuals);
    exam_note_word((uint64_t)(int)CALL(CLOSE_V2, db));
    files();
}
