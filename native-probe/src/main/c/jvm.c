/* The head of jvm.h has the idea. up_jvm_context and what it calls are on the hit path: allowed is what the head of trap.c allows. */
#define _GNU_SOURCE
#include "jvm.h"
#include "chain.h"
#include "ring.h"

#include <jni.h>
#include <jvmti.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREAD_IN_NATIVE = 4,       /* globalDefinitions.hpp, JavaThreadState */
    INTERPRETER_METHOD = -3,    /* frame_x86.hpp, interpreter_frame_method_offset: words from rbp */
    SEGMENT_FREE = 0xff,        /* heap.hpp, free_sentinel */
    /* Left for the upcall, above the end of the stack: HotSpot's guard and shadow zones (StackYellowPages .. StackShadowPages: 24 pages) and
     * about 48 KiB for JFR's commit. */
    UPCALL_STACK = 144 * 1024,
    /* Calls that are shown as frames: with the function itself half of what JFR keeps of a stack (stackdepth 64), so that a recursion does not push
     * out the Java frames below it. */
    CHAIN_FRAMES = 31,
    FLUSH_RUNS = 32,
    CHAIN_FRAME_STACK = 1280    /* and what each takes of the stack: 1,040 to 1,200 bytes measured, JDK 17 and 25, with and without -Xint and -Xcheck:jni */
};

static struct up_vm_layout vm;
static int attached;            /* all below is valid */
static uint64_t tls_module, tls_offset;     /* where libjvm keeps Thread::_thr_current */
static uint64_t java_thread_vtable;
static uint64_t env_distance;   /* JNIEnv* - JavaThread* */
static jclass thread_death;
static jvmtiEnv *jvmti;
static int shadow_stack;        /* user shadow stacks (CET) are on: return addresses must stay as they are */
struct up_flush_statistics up_flush_stats;

/* The java.lang.Thread's id, set by JVMTI ThreadStart; 0 on threads that were there before us (early_id) and on others. */
static __thread int64_t java_id __attribute__((tls_model("initial-exec")));
static struct early { uint64_t thread; int64_t id; } *early;
static int early_count;
static jfieldID field_eetop, field_tid;

static inline uint64_t load(uint64_t address)
{
    return *(const volatile uint64_t *)address;
}

/* The JavaThread* of the calling thread, or 0. glibc's TCB has the vector of TLS blocks at fs:8; entry n (16 bytes) is module n's block, or -1 while
 * the thread has not touched it; entry -1 is the vector's length (glibc sysdeps/x86_64/nptl/tls.h, elf/dl-tls.c). */
static inline uint64_t java_thread(void)
{
    uint64_t vector;
    __asm__("movq %%fs:8, %0" : "=r"(vector));
    if (tls_module > load(vector - 16))
        return 0;
    uint64_t block = load(vector + 16 * tls_module);
    if (block == 0 || block == UINT64_MAX)
        return 0;
    uint64_t thread = load(block + tls_offset);
    /* The VM's own threads (GC, compiler) are other classes and have no such anchor. */
    return thread && load(thread) == java_thread_vtable ? thread : 0;
}

static inline int state_of(uint64_t thread)
{
    return *(const volatile int32_t *)(thread + (uint64_t)vm.thread_state);
}

enum frame_kind { FRAME_NATIVE_METHOD, FRAME_JFR_METHOD, FRAME_OTHER };

static enum frame_kind method_kind(uint64_t method)
{
    static const char prefix[] = "jdk/jfr/internal/";
    if (vm.method_const < 0 || vm.klass_name < 0)
        return FRAME_NATIVE_METHOD;
    uint64_t const_method = load(method + (uint64_t)vm.method_const);
    uint64_t pool = load(const_method + (uint64_t)vm.const_pool);
    uint64_t symbol = load(load(pool + (uint64_t)vm.pool_holder) + (uint64_t)vm.klass_name);
    if (*(const uint16_t *)(symbol + (uint64_t)vm.symbol_length) < sizeof prefix - 1)
        return FRAME_NATIVE_METHOD;
    const char *name = (const char *)(symbol + (uint64_t)vm.symbol_body);
    for (unsigned i = 0; i < sizeof prefix - 1; i++)
        if (name[i] != prefix[i])
            return FRAME_NATIVE_METHOD;
    return FRAME_JFR_METHOD;
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
    uint64_t heaps = (uint64_t)vm.heaps;
    int32_t n = *(const volatile int32_t *)(heaps + (uint64_t)vm.array_length);
    uint64_t data = load(heaps + (uint64_t)vm.array_data);
    for (int32_t i = 0; i < n; i++) {
        uint64_t heap = load(data + 8 * (uint64_t)i);
        uint64_t low = load(heap + (uint64_t)vm.heap_low);
        if (pc < low || pc >= load(heap + (uint64_t)vm.heap_high))
            continue;
        const volatile uint8_t *map = (const volatile uint8_t *)load(heap + (uint64_t)vm.heap_segmap);
        int32_t shift = *(const volatile int32_t *)(heap + (uint64_t)vm.heap_log2_segment);
        uint64_t segment = (pc - low) >> shift;
        uint8_t back = map[segment];
        if (back == SEGMENT_FREE)
            return 0;
        while (back > 0) {
            segment -= back;
            back = map[segment];
        }
        uint64_t block = low + (segment << shift);
        return *(const volatile uint8_t *)(block + (uint64_t)vm.block_used) ? block + (uint64_t)vm.block_size : 0;
    }
    return 0;
}

/* What the frame at the anchor is. Where the VM tells too little for that, the caller's other checks have to do. */
static enum frame_kind frame_kind(uint64_t thread, uint64_t pc)
{
    if (vm.interpreter_low > 0 && pc >= (uint64_t)vm.interpreter_low && pc < (uint64_t)vm.interpreter_high) {
        uint64_t fp = load(thread + (uint64_t)vm.last_java_fp);
        return fp ? method_kind(load(fp + (uint64_t)((int64_t)INTERPRETER_METHOD * UP_WORD))) : FRAME_OTHER;
    }
    if (vm.heaps <= 0 || vm.blob_name < 0 || vm.nmethod_method < 0)
        return FRAME_NATIVE_METHOD;
    uint64_t blob = find_blob(pc);
    if (!blob)
        return FRAME_OTHER;
    const char *name = (const char *)load(blob + (uint64_t)vm.blob_name);
    if (!name)
        return FRAME_OTHER;
    if (begins_with(name, "native nmethod"))
        return method_kind(load(blob + (uint64_t)vm.nmethod_method));
    return begins_with(name, "nep_invoker_blob") ? FRAME_NATIVE_METHOD : FRAME_OTHER;
}

/* For up_jvm_java_id. */
static uint64_t known_as(uint64_t thread)
{
    return java_id ? (uint64_t)java_id : thread;
}

static void left_to_drain(struct up_context *out, uint64_t thread, enum up_drained reason)
{
    out->flags = (uint32_t)reason << UP_HIT_DRAINED_SHIFT;
    out->call = thread ? known_as(thread) : 0;
}

void up_jvm_context(struct up_thread *t, uint64_t sp, struct up_context *out)
{
    uint64_t thread = __atomic_load_n(&attached, __ATOMIC_ACQUIRE) ? java_thread() : 0;
    out->java_sp = UP_NO_JAVA_FRAME;
    if (!thread) {
        left_to_drain(out, 0, UP_DRAINED_NATIVE_THREAD);
        return;
    }
    uint64_t last_sp = load(thread + (uint64_t)vm.last_java_sp), pc = load(thread + (uint64_t)vm.last_java_pc);
    if (last_sp)
        out->java_sp = last_sp;
    else if (state_of(thread) != THREAD_IN_NATIVE)
        out->java_sp = UP_UNKNOWN_JAVA_FRAME;
    if (!last_sp) {
        /* Attached, but no Java frame below: a native thread for all that a stack could tell. */
        left_to_drain(out, thread, state_of(thread) == THREAD_IN_NATIVE ? UP_DRAINED_NATIVE_THREAD : UP_DRAINED_VM_STATE);
        return;
    }
    if (state_of(thread) != THREAD_IN_NATIVE || !pc) {
        up_count(&up_flush_stats.refused_state);
        left_to_drain(out, thread, UP_DRAINED_VM_STATE);
        return;
    }
    uint64_t at = last_sp - UP_WORD, word = load(at);
    int32_t slot = up_return_slot(word);
    struct up_return *e = slot == UP_NONE ? NULL : up_return_at(slot);
    if (!(e && e->flushes && e->sp == at && e->owner == t)) {
        /* Swapped already, but only for a probe on the native function itself: what counts is the true address. */
        uint64_t address = e ? up_return_shadow[slot] : word;
        enum frame_kind kind;
        if (address == pc || address < (uint64_t)vm.code_low || address >= (uint64_t)vm.code_high
            || (kind = frame_kind(thread, pc)) == FRAME_OTHER) {
            up_count(&up_flush_stats.refused_runtime_call);
            left_to_drain(out, thread, UP_DRAINED_RUNTIME_CALL);
            return;
        }
        if (kind == FRAME_JFR_METHOD) {
            up_count(&up_flush_stats.refused_jfr);
            left_to_drain(out, thread, UP_DRAINED_JFR);
            return;
        }
        if (shadow_stack) {
            left_to_drain(out, thread, UP_DRAINED_SHADOW_STACK);
            return;
        }
        up_return_drop_below(t, sp, UP_NONE);
    }
    e = up_return_swap(t, at);
    if (!e) {
        up_count(&up_flush_stats.slots_refused);
        left_to_drain(out, thread, UP_DRAINED_NO_RETURN_SLOT);
        return;
    }
    if (!e->flushes) {
        e->first = t->head;
        e->flushes = 1;
        up_count_own(&t->swaps);
    }
    t->java = known_as(thread); /* while records of this call are there it is this thread: it can not detach before the call's return */
    out->call = at;
    out->flags = 0;
}

int up_jvm_same_java_stack(uint64_t a, uint64_t b)
{
    uint64_t thread = attached && vm.stack_base >= 0 && vm.stack_size >= 0 ? java_thread() : 0;
    if (!thread)
        return 0;
    uint64_t base = load(thread + (uint64_t)vm.stack_base), size = load(thread + (uint64_t)vm.stack_size);
    return base - a <= size && base - b <= size;
}

/* ---- from here on: not the hit path ---- */

/* How the chain of a run becomes frames
 * -------------------------------------
 * The method that commits carries the probed function's name and is the event's top frame. Those that called it stand below it in the same way: each
 * event class has a native method of its function's name too, bound to call_inner. It is called with the address of what follows and calls the next
 * function's, the last one the commit method; so between two functions' frames is none of ours, and nothing is looked up or made. An exception ends all
 * levels: no one here handles it, it is pending when the outermost call comes back. */
struct upcall {
    const struct up_commit *calls[CHAIN_FRAMES + 1];    /* innermost first: [0] commits, the others are frames */
    int deep;
    jmethodID method;
    jvalue arguments[6];
};

static void call_next(JNIEnv *env, struct upcall *upcall)
{
    const struct up_commit *next = upcall->calls[--upcall->deep];
    jvalue address = { .j = (jlong)upcall };
    if (upcall->deep > 0)
        (*env)->CallStaticVoidMethodA(env, next->clazz, next->frame, &address);
    else
        (*env)->CallStaticVoidMethodA(env, next->clazz, upcall->method, upcall->arguments);
}

static void JNICALL call_inner(JNIEnv *env, jclass type, jlong upcall)
{
    (void)type;
    call_next(env, (struct upcall *)upcall);
}

static int callers_of(const struct up_run *run, const struct up_commit **calls)
{
    int32_t probes[CHAIN_FRAMES];
    int n = up_chain_probes(up_hit_chain(run->flags), probes, CHAIN_FRAMES);
    for (int i = 0; i < n; i++)
        calls[i] = up_probe_at(probes[i])->commit;
    return n;
}

int up_jvm_commit(void *environment, const struct up_run *run, const struct up_left *left, void **thrown)
{
    JNIEnv *env = environment;
    const struct up_commit *commit = up_probe_at(run->probe)->commit;
    if (!commit)
        return 0;               /* nobody makes events of this probe: settled as not consumed */
    struct upcall upcall;       /* mostly unused, so not initialised as a whole */
    upcall.calls[0] = commit;
    upcall.deep = 1 + callers_of(run, upcall.calls + 1);
    upcall.method = left ? commit->drained : commit->method;
    jvalue *arguments = upcall.arguments;
    arguments[0].i = (jint)((uint8_t *)run->first - up_threads.memory);
    arguments[1].i = run->count;
    if (left) {
        arguments[2].j = left->tid;
        arguments[3].l = left->name;
        arguments[4].j = left->java_id;
        arguments[5].l = left->reason;
    }
    call_next(env, &upcall);
    if (!(*env)->ExceptionCheck(env))
        return 0;
    jthrowable exception = (*env)->ExceptionOccurred(env);
    (*env)->ExceptionClear(env);
    if (thrown && (*env)->IsInstanceOf(env, exception, thread_death)) {
        *thrown = exception;    /* not ours: Thread.stop of JDK 17, thrown at the first place that could */
    } else {
        up_count(&up_flush_stats.failed);
        (*env)->DeleteLocalRef(env, exception);
    }
    return 1;
}

/* The records of this call become the drain's. */
static void leave_to_drain(struct up_thread *t, struct up_return *e, enum up_drained reason)
{
    struct up_run runs[FLUSH_RUNS];
    struct up_wanted wanted = { .call = e->sp };
    uint64_t position = e->first;
    int n;
    do {
        n = up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS);
        for (int i = 0; i < n; i++)
            up_ring_settle(&runs[i], reason, 0);
    } while (n > 0);
}

void up_jvm_flush(struct up_thread *t, struct up_return *e)
{
    up_count_own(&t->flushes);
    uint64_t thread = java_thread(), here = (uint64_t)__builtin_frame_address(0);
    if (!thread || state_of(thread) != THREAD_IN_NATIVE) {
        up_count(&up_flush_stats.refused_state_at_return);
        leave_to_drain(t, e, UP_DRAINED_STATE_CHANGED);
        return;
    }
    uint64_t end = vm.stack_base >= 0 ? load(thread + (uint64_t)vm.stack_base) - load(thread + (uint64_t)vm.stack_size) : 0;
    if (here < end + UPCALL_STACK) {
        up_count(&up_flush_stats.refused_stack_end);
        leave_to_drain(t, e, UP_DRAINED_STACK_END);
        return;
    }
    int frames_fit = here >= end + UPCALL_STACK + CHAIN_FRAMES * CHAIN_FRAME_STACK;
    /* The anchor is not the call's any more: a virtual thread was frozen in it (Object.wait, JEP 491), its frames are in the heap. */
    if (load(thread + (uint64_t)vm.last_java_sp) - UP_WORD != e->sp) {
        up_count(&up_flush_stats.refused_state_at_return);
        leave_to_drain(t, e, UP_DRAINED_STATE_CHANGED);
        return;
    }
    JNIEnv *env = (JNIEnv *)(thread + env_distance);
    struct up_run runs[FLUSH_RUNS];
    struct up_wanted wanted = { .call = e->sp };
    uint64_t position = e->first;
    jthrowable parked = NULL;
    int n = up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS);
    if (n == 0)
        return;
    int saved_errno = errno;    /* an FFM stub that captures it (Linker.Option.captureCallState) looks after us */
    if ((*env)->ExceptionCheck(env)) {
        parked = (*env)->ExceptionOccurred(env);
        (*env)->ExceptionClear(env);
    }
    t->committing = 1;
    do {
        for (int i = 0; i < n; i++) {
            void *thrown = NULL;
            if (!frames_fit && up_hit_chain(runs[i].flags)) {
                up_count(&up_flush_stats.refused_stack_end);
                up_ring_settle(&runs[i], UP_DRAINED_STACK_END, 0);
                continue;
            }
            up_count_own(&t->upcalls);
            up_jvm_commit(env, &runs[i], NULL, &thrown);
            up_ring_settle(&runs[i], UP_DRAINED_COMMIT_FAILED, 0);
            if (thrown && !parked)
                parked = thrown;
        }
        /* More than fitted, or a handler's hits since then. */
        n = position < t->head ? up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS) : 0;
    } while (n > 0);
    t->committing = 0;
    up_ring_advance(t, 0);
    up_ring_carry(t);
    up_ring_rewind(t);
    if (parked) {
        (*env)->Throw(env, parked);
        (*env)->DeleteLocalRef(env, parked);
    }
    errno = saved_errno;
}

int64_t up_jvm_java_id(uint64_t call)
{
    if (call < 1u << 31)        /* ids are small and user addresses are not */
        return (int64_t)call;
    for (int i = 0; i < early_count; i++)
        if (early[i].thread == call)
            return early[i].id;
    return 0;
}

static void JNICALL on_thread_start(jvmtiEnv *env, JNIEnv *jni, jthread thread)
{
    (void)env;
    java_id = (*jni)->GetLongField(jni, thread, field_tid);
}

static void JNICALL on_thread_end(jvmtiEnv *env, JNIEnv *jni, jthread thread)
{
    (void)env, (void)jni, (void)thread;
    java_id = 0;
}

/* The TLS segment of the object that holds `code`: this thread's block, and the image that blocks begin as. */
struct own_tls { uint64_t code, module, block, size, image, image_size; };

static int find_own_tls(struct dl_phdr_info *info, size_t size, void *data)
{
    struct own_tls *wanted = data;
    const ElfW(Phdr) *tls = NULL;
    int holds = 0;
    if (size < sizeof *info)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && wanted->code - (info->dlpi_addr + p->p_vaddr) < p->p_memsz)
            holds = 1;
        if (p->p_type == PT_TLS)
            tls = p;
    }
    if (!holds || !tls)
        return 0;
    wanted->module = info->dlpi_tls_modid;
    wanted->block = (uint64_t)info->dlpi_tls_data;
    wanted->size = tls->p_memsz;
    wanted->image = info->dlpi_addr + tls->p_vaddr;
    wanted->image_size = tls->p_filesz;
    return 1;
}

/* Thread::_thr_current is the word of libjvm's TLS block that holds this very thread and begins as null. (ZGC caches the thread in another, which
 * begins as -2 and goes stale: ZCPU::_self.) If more than one word would do, none is taken. */
static int find_thread_variable(uint64_t self, uint64_t code)
{
    struct own_tls tls = { .code = code };
    int found = 0;
    if (!dl_iterate_phdr(find_own_tls, &tls) || !tls.module || !tls.block)
        return UP_E_NO_VM;
    for (uint64_t offset = 0; offset + UP_WORD <= tls.size; offset += UP_WORD) {
        int begins_as_null = offset >= tls.image_size || load(tls.image + offset) == 0;
        if (begins_as_null && load(tls.block + offset) == self) {
            tls_module = tls.module;
            tls_offset = offset;
            found++;
        }
    }
    java_thread_vtable = load(self);
    return found == 1 && java_thread() == self ? 0 : UP_E_NO_VM;
}

static int watch_threads(JNIEnv *env, JavaVM *java_vm)
{
    jclass thread_class = (*env)->FindClass(env, "java/lang/Thread");
    field_tid = (*env)->GetFieldID(env, thread_class, "tid", "J");
    if ((*env)->ExceptionCheck(env))
        (*env)->ExceptionClear(env);
    jvmtiEventCallbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.ThreadStart = on_thread_start;
    callbacks.ThreadEnd = on_thread_end;
    if ((*java_vm)->GetEnv(java_vm, (void **)&jvmti, JVMTI_VERSION_1_2) != JNI_OK)
        return UP_E_NO_VM;
    jint n = 0;
    jthread *threads = NULL;
    if (!field_tid)
        return 0;
    if ((*jvmti)->SetEventCallbacks(jvmti, &callbacks, sizeof callbacks) != JVMTI_ERROR_NONE
        || (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, JVMTI_EVENT_THREAD_START, NULL) != JVMTI_ERROR_NONE
        || (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, JVMTI_EVENT_THREAD_END, NULL) != JVMTI_ERROR_NONE
        || (*jvmti)->GetAllThreads(jvmti, &n, &threads) != JVMTI_ERROR_NONE)
        return UP_E_NO_VM;
    early = calloc((size_t)n, sizeof *early);
    for (jint i = 0; early && i < n; i++) {
        uint64_t address = (uint64_t)(*env)->GetLongField(env, threads[i], field_eetop);
        if (address)
            early[early_count++] = (struct early){ address, (*env)->GetLongField(env, threads[i], field_tid) };
        (*env)->DeleteLocalRef(env, threads[i]);
    }
    (*jvmti)->Deallocate(jvmti, (unsigned char *)threads);
    return 0;
}

/* Called on a plain java.lang.Thread: others (HotSpot's attach listener) are subclasses of JavaThread, whose vtable is another. */
UP_EXPORT int up_jvm_attach(JNIEnv *env, const struct up_vm_layout *layout);
int up_jvm_attach(JNIEnv *env, const struct up_vm_layout *layout)
{
    if (attached)
        return 0;
    vm = *layout;
    JavaVM *java_vm;
    if ((*env)->GetJavaVM(env, &java_vm) != JNI_OK)
        return UP_E_NO_VM;
    if (vm.thread_state < 0 || vm.last_java_sp < 0 || vm.last_java_pc < 0 || vm.last_java_fp < 0 || vm.code_low <= 0 || vm.code_high <= 0)
        return UP_E_NO_VM;
    jclass thread_class = (*env)->FindClass(env, "java/lang/Thread");
    jmethodID current = (*env)->GetStaticMethodID(env, thread_class, "currentThread", "()Ljava/lang/Thread;");
    field_eetop = (*env)->GetFieldID(env, thread_class, "eetop", "J");
    jclass death = (*env)->FindClass(env, "java/lang/ThreadDeath");
    if (!current || !field_eetop || !death) {
        (*env)->ExceptionClear(env);
        return UP_E_NO_VM;
    }
    thread_death = (*env)->NewGlobalRef(env, death);
    jobject self = (*env)->CallStaticObjectMethod(env, thread_class, current);
    uint64_t thread = (uint64_t)(*env)->GetLongField(env, self, field_eetop);
    (*env)->DeleteLocalRef(env, self);
    if (!thread)
        return UP_E_NO_VM;
    env_distance = (uint64_t)env - thread;
    shadow_stack = up_shadow_stack_on();
    int failure = find_thread_variable(thread, (uint64_t)(*env)->GetVersion);
    if (failure || (failure = watch_threads(env, java_vm)) != 0)
        return failure;
    __atomic_store_n(&attached, 1, __ATOMIC_RELEASE);
    return 0;
}

/* The class's native method of this name, bound to call_inner; NULL if it has none. */
static jmethodID bind_frame(JNIEnv *env, jclass clazz, const char *name)
{
    const JNINativeMethod native = { (char *)name, (char *)"(J)V", (void *)call_inner };
    jmethodID frame = (*env)->GetStaticMethodID(env, clazz, name, native.signature);
    if (frame && (*env)->RegisterNatives(env, clazz, &native, 1) == JNI_OK)
        return frame;
    (*env)->ExceptionClear(env);
    return NULL;
}

/* offset: of the probe's sites from the beginning of their functions. */
UP_EXPORT int up_commit_register(JNIEnv *env, int32_t probe, jclass clazz, const char *method, int64_t offset);
int up_commit_register(JNIEnv *env, int32_t id, jclass clazz, const char *method, int64_t offset)
{
    if (id < 0 || id >= up_probe_count())
        return -EINVAL;
    struct up_commit *commit = up_keep(sizeof *commit);
    if (!commit)
        return -ENOMEM;
    commit->clazz = (*env)->NewGlobalRef(env, clazz);
    commit->method = (*env)->GetStaticMethodID(env, clazz, method, "(II)V");
    commit->drained = commit->method ? (*env)->GetStaticMethodID(env, clazz, method, "(IIJLjava/lang/String;JLjava/lang/String;)V") : NULL;
    if (!commit->drained || !commit->clazz) {
        (*env)->ExceptionClear(env);
        return -ESRCH;
    }
    commit->frame = bind_frame(env, clazz, method);
    up_probe_at(id)->offset = (uint32_t)offset;
    __atomic_store_n(&up_probe_at(id)->commit, commit, __ATOMIC_RELEASE);
    return 0;
}

int up_flush_statistics(struct up_flush_statistics *out)
{
    *out = up_flush_stats;
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE);
    for (int32_t i = 0; i < high; i++) {
        const struct up_thread *t = &up_threads.all[i];
        out->swaps += __atomic_load_n(&t->swaps, __ATOMIC_RELAXED);
        out->flushes += __atomic_load_n(&t->flushes, __ATOMIC_RELAXED);
        out->upcalls += __atomic_load_n(&t->upcalls, __ATOMIC_RELAXED);
    }
    out->unwound = up_returns_unwound;
    out->threads_taken = up_threads.taken;
    out->threads_recycled = up_threads.recycled;
    out->threads_refused = up_threads.refused;
    out->slots_refused = up_returns_refused;
    out->abandoned = up_ring_abandoned;
    out->chains_refused = up_chains_refused;
    return 0;
}

void *up_jvm_jvmti(void)
{
    return jvmti;
}
