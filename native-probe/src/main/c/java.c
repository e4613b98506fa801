/* Floor 2 */
/* Allowed here: what the head of trap.c allows. */
#include "java.h"
#include "memory.h"

enum {
    INTERPRETER_METHOD = -3,    /* frame_x86.hpp, interpreter_frame_method_offset: words from rbp */
    SEGMENT_FREE = 0xff         /* heap.hpp, free_sentinel */
};

struct up_java up_java;
__thread int64_t up_java_id __attribute__((tls_model("initial-exec")));
__thread int32_t up_java_id_watch __attribute__((tls_model("initial-exec")));
__thread int32_t up_java_carries __attribute__((tls_model("initial-exec")));
struct up_flush_statistics up_flush_stats;

static enum up_frame_kind method_kind(uint64_t method)
{
    static const char prefix[] = "jdk/jfr/internal/";
    if (up_java.vm.method_const < 0 || up_java.vm.klass_name < 0)
        return UP_FRAME_NATIVE_METHOD;
    uint64_t const_method = up_java_load(method + (uint64_t)up_java.vm.method_const);
    uint64_t pool = up_java_load(const_method + (uint64_t)up_java.vm.const_pool);
    uint64_t symbol = up_java_load(up_java_load(pool + (uint64_t)up_java.vm.pool_holder) + (uint64_t)up_java.vm.klass_name);
    if (*(const uint16_t *)(symbol + (uint64_t)up_java.vm.symbol_length) < sizeof prefix - 1)
        return UP_FRAME_NATIVE_METHOD;
    const char *name = (const char *)(symbol + (uint64_t)up_java.vm.symbol_body);
    for (unsigned i = 0; i < sizeof prefix - 1; i++)
        if (name[i] != prefix[i])
            return UP_FRAME_NATIVE_METHOD;
    return UP_FRAME_JFR_METHOD;
}

static int begins_with(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return 0;
    return 1;
}

/* The code blob that holds pc: heap.cpp, CodeHeap::find_start. Each byte of the segment map is the distance back to the block's first segment, in
 * steps of at most 254; 255 is a free segment. */
static uint64_t find_blob(uint64_t pc)
{
    uint64_t heaps = (uint64_t)up_java.vm.heaps;
    int32_t n = *(const volatile int32_t *)(heaps + (uint64_t)up_java.vm.array_length);
    uint64_t data = up_java_load(heaps + (uint64_t)up_java.vm.array_data);
    for (int32_t i = 0; i < n; i++) {
        uint64_t heap = up_java_load(data + 8 * (uint64_t)i);
        uint64_t low = up_java_load(heap + (uint64_t)up_java.vm.heap_low);
        if (pc < low || pc >= up_java_load(heap + (uint64_t)up_java.vm.heap_high))
            continue;
        const volatile uint8_t *map = (const volatile uint8_t *)up_java_load(heap + (uint64_t)up_java.vm.heap_segmap);
        int32_t shift = *(const volatile int32_t *)(heap + (uint64_t)up_java.vm.heap_log2_segment);
        uint64_t segment = (pc - low) >> shift;
        uint8_t back = map[segment];
        if (back == SEGMENT_FREE)
            return 0;
        while (back > 0) {
            segment -= back;
            back = map[segment];
        }
        uint64_t block = low + (segment << shift);
        return *(const volatile uint8_t *)(block + (uint64_t)up_java.vm.block_used) ? block + (uint64_t)up_java.vm.block_size : 0;
    }
    return 0;
}

enum up_frame_kind up_java_frame_kind(uint64_t thread, uint64_t pc)
{
    if (up_java.vm.interpreter_low > 0 && pc >= (uint64_t)up_java.vm.interpreter_low && pc < (uint64_t)up_java.vm.interpreter_high) {
        uint64_t fp = up_java_load(thread + (uint64_t)up_java.vm.last_java_fp);
        return fp ? method_kind(up_java_load(fp + (uint64_t)((int64_t)INTERPRETER_METHOD * UP_WORD))) : UP_FRAME_OTHER;
    }
    if (up_java.vm.heaps <= 0 || up_java.vm.blob_name < 0 || up_java.vm.nmethod_method < 0)
        return UP_FRAME_NATIVE_METHOD;
    uint64_t blob = find_blob(pc);
    if (!blob)
        return UP_FRAME_OTHER;
    const char *name = (const char *)up_java_load(blob + (uint64_t)up_java.vm.blob_name);
    if (!name)
        return UP_FRAME_OTHER;
    if (begins_with(name, "native nmethod"))
        return method_kind(up_java_load(blob + (uint64_t)up_java.vm.nmethod_method));
    return begins_with(name, "nep_invoker_blob") ? UP_FRAME_NATIVE_METHOD : UP_FRAME_OTHER;
}

void up_java_keep_last_pc(uint64_t at, uint64_t address)
{
    uint64_t thread = __atomic_load_n(&up_java.attached, __ATOMIC_ACQUIRE) ? up_java_any_thread() : 0, last_sp;
    if (!thread)
        return;
    uint64_t anchor = thread + (uint64_t)up_java.vm.last_java_sp, *last_pc = (uint64_t *)(thread + (uint64_t)up_java.vm.last_java_pc);
    if (up_java_load(thread) == up_java.thread_vtable)
        last_sp = up_java_load(anchor);
    else if (up_read_safely(anchor, &last_sp, sizeof last_sp) != 0)
        return;                 /* a class without an anchor may end before */
    if (last_sp == at + UP_WORD && !__atomic_load_n(last_pc, __ATOMIC_RELAXED))
        __atomic_store_n(last_pc, address, __ATOMIC_RELEASE);
}

int up_java_is_bare_carrier(uint64_t thread)
{
    if (up_java.vm.continuation < 0 || up_java_load(thread + (uint64_t)up_java.vm.continuation))
        return 0;
    if (!up_java_carries) {
        up_java_carries = -1;
        for (int i = 0; i < up_java.carrier_count; i++)
            if (up_java.carriers[i] == thread)
                up_java_carries = 1;
    }
    return up_java_carries > 0;
}

int up_jvm_same_java_stack(uint64_t a, uint64_t b)
{
    uint64_t thread = up_java.attached && up_java.vm.stack_base >= 0 && up_java.vm.stack_size >= 0 ? up_java_thread() : 0;
    if (!thread)
        return 0;
    uint64_t base = up_java_load(thread + (uint64_t)up_java.vm.stack_base), size = up_java_load(thread + (uint64_t)up_java.vm.stack_size);
    return base - a <= size && base - b <= size;
}
