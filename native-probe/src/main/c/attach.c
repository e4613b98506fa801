/* Floor 6 */
#define _GNU_SOURCE
#include "attach.h"
#include "commit.h"
#include "java.h"

#include <jni.h>
#include <jvmti.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static jvmtiEnv *jvmti;
static struct early { uint64_t thread; int64_t id; } *early;
static int early_count;
static jfieldID field_eetop, field_tid;

int up_shadow_stack_on(void)
{
    enum { ARCH_SHSTK_STATUS = 0x5005, ARCH_SHSTK_SHSTK = 1 };   /* linux/arch/x86/include/uapi/asm/prctl.h */
    uint64_t features = 0;
    return up_syscall3(SYS_arch_prctl, ARCH_SHSTK_STATUS, &features, 0) == 0 && features & ARCH_SHSTK_SHSTK;
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

/* By name: looking the class up would initialize it. */
static int is_carrier(JNIEnv *jni, jthread thread)
{
    jclass type = (*jni)->GetObjectClass(jni, thread);
    char *signature = NULL;
    int is = (*jvmti)->GetClassSignature(jvmti, type, &signature, NULL) == JVMTI_ERROR_NONE && strcmp(signature, "Ljdk/internal/misc/CarrierThread;") == 0;
    (*jvmti)->Deallocate(jvmti, (unsigned char *)signature);
    (*jni)->DeleteLocalRef(jni, type);
    return is;
}

static void JNICALL on_thread_start(jvmtiEnv *env, JNIEnv *jni, jthread thread)
{
    (void)env;
    up_java_id = (*jni)->GetLongField(jni, thread, field_tid);
    up_java_id_watch = up_java.watch;
    up_java_carries = is_carrier(jni, thread) ? 1 : -1;
}

static void JNICALL on_thread_end(jvmtiEnv *env, JNIEnv *jni, jthread thread)
{
    (void)env, (void)jni, (void)thread;
    up_java_id = 0;
    up_java_carries = -1;
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
        int begins_as_null = offset >= tls.image_size || up_java_load(tls.image + offset) == 0;
        if (begins_as_null && up_java_load(tls.block + offset) == self) {
            up_java.tls_module = tls.module;
            up_java.tls_offset = offset;
            found++;
        }
    }
    up_java.thread_vtable = up_java_load(self);
    return found == 1 && up_java_thread() == self ? 0 : UP_E_NO_VM;
}

/* After each call into Java: -Xcheck:jni asks that it is looked at. */
static int threw(JNIEnv *env)
{
    if (!(*env)->ExceptionCheck(env))
        return 0;
    (*env)->ExceptionClear(env);
    return 1;
}

static int watch_threads(JNIEnv *env, JavaVM *java_vm)
{
    jclass thread_class = (*env)->FindClass(env, "java/lang/Thread");
    field_tid = (*env)->GetFieldID(env, thread_class, "tid", "J");
    threw(env);
    jvmtiEventCallbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.ThreadStart = on_thread_start;
    callbacks.ThreadEnd = on_thread_end;
    if (!jvmti && (*java_vm)->GetEnv(java_vm, (void **)&jvmti, JVMTI_VERSION_1_2) != JNI_OK)
        return UP_E_NO_VM;
    up_java.watch++;            /* what threads were told of themselves before may be over */
    jint n = 0;
    jthread *threads = NULL;
    if (!field_tid)
        return 0;
    if ((*jvmti)->SetEventCallbacks(jvmti, &callbacks, sizeof callbacks) != JVMTI_ERROR_NONE
        || (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, JVMTI_EVENT_THREAD_START, NULL) != JVMTI_ERROR_NONE
        || (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, JVMTI_EVENT_THREAD_END, NULL) != JVMTI_ERROR_NONE
        || (*jvmti)->GetAllThreads(jvmti, &n, &threads) != JVMTI_ERROR_NONE)
        return UP_E_NO_VM;
    free(early);                /* nobody hits, and no drain thread looks */
    free(up_java.carriers);
    early_count = up_java.carrier_count = 0;
    early = calloc((size_t)n, sizeof *early);
    up_java.carriers = calloc((size_t)n, sizeof *up_java.carriers);
    for (jint i = 0; early && i < n; i++) {
        uint64_t address = (uint64_t)(*env)->GetLongField(env, threads[i], field_eetop);
        if (address)
            early[early_count++] = (struct early){ address, (*env)->GetLongField(env, threads[i], field_tid) };
        if (address && up_java.carriers && is_carrier(env, threads[i]))
            up_java.carriers[up_java.carrier_count++] = address;
        (*env)->DeleteLocalRef(env, threads[i]);
    }
    (*jvmti)->Deallocate(jvmti, (unsigned char *)threads);
    return 0;
}

/* Called on a plain java.lang.Thread: others (HotSpot's attach listener) are subclasses of JavaThread, whose vtable is another. */
UP_EXPORT int up_jvm_attach(JNIEnv *env, const struct up_vm_layout *layout);
int up_jvm_attach(JNIEnv *env, const struct up_vm_layout *layout)
{
    JavaVM *java_vm;
    if ((*env)->GetJavaVM(env, &java_vm) != JNI_OK)
        return UP_E_NO_VM;
    if (up_java.attached)
        return watch_threads(env, java_vm);
    up_java.vm = *layout;
    if (layout->thread_state < 0 || layout->last_java_sp < 0 || layout->last_java_pc < 0 || layout->last_java_fp < 0 || layout->code_low <= 0
        || layout->code_high <= 0)
        return UP_E_NO_VM;
    jclass thread_class = (*env)->FindClass(env, "java/lang/Thread");
    jmethodID current = (*env)->GetStaticMethodID(env, thread_class, "currentThread", "()Ljava/lang/Thread;");
    field_eetop = (*env)->GetFieldID(env, thread_class, "eetop", "J");
    jclass death = (*env)->FindClass(env, "java/lang/ThreadDeath");
    if (!current || !field_eetop || !death) {
        (*env)->ExceptionClear(env);
        return UP_E_NO_VM;
    }
    up_thread_death = (*env)->NewGlobalRef(env, death);
    jobject self = (*env)->CallStaticObjectMethod(env, thread_class, current);
    if (threw(env))
        return UP_E_NO_VM;
    uint64_t thread = (uint64_t)(*env)->GetLongField(env, self, field_eetop);
    (*env)->DeleteLocalRef(env, self);
    if (!thread)
        return UP_E_NO_VM;
    up_java.env_distance = (uint64_t)env - thread;
    up_java.shadow_stack = up_shadow_stack_on();
    int failure = find_thread_variable(thread, (uint64_t)(*env)->GetVersion);
    if (failure || (failure = watch_threads(env, java_vm)) != 0)
        return failure;
    __atomic_store_n(&up_java.attached, 1, __ATOMIC_RELEASE);
    return 0;
}

/* JVM.exclude or JVM.include: on JDK 17 methods of an object. */
static void mark(JNIEnv *env, jobject jvm, jclass type, jmethodID method, jobject thread)
{
    jvalue argument = { .l = thread };
    if (jvm)
        (*env)->CallVoidMethodA(env, jvm, method, &argument);
    else
        (*env)->CallStaticVoidMethodA(env, type, method, &argument);
    threw(env);
}

/* Which byte of the calling thread's VM structure JFR sets and clears; called with JVM.exclude and JVM.include. */
static int64_t changed_by(JNIEnv *env, jobject jvm, jclass type, jmethodID exclude, jmethodID include, jobject self)
{
    enum { ROUNDS = 8 };
    uint64_t thread = up_java_any_thread(), size = (uint64_t)up_java.vm.last_java_sp;     /* what JFR keeps lies before the frame anchor */
    uint8_t *off = malloc(size), *on = malloc(size), *is = calloc(size, 1);
    int64_t found = 0;
    if (off && on && is && thread) {
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(off, (const void *)thread, size);
            mark(env, jvm, type, exclude, self);
            memcpy(on, (const void *)thread, size);
            mark(env, jvm, type, include, self);
            for (uint64_t i = 0; i < size; i++)
                is[i] += off[i] == 0 && on[i] == 1 && ((const volatile uint8_t *)thread)[i] == 0;
        }
        int candidates = 0;
        for (uint64_t i = 0; i < size; i++)
            if (is[i] == ROUNDS) {
                candidates++;
                found = (int64_t)i;
            }
        if (candidates != 1)
            found = 0;
    }
    free(off);
    free(on);
    free(is);
    return found;
}

/* JFR writes nothing on threads that hand out events (RecordingStream), and commit() does not tell. The mark is found by having it set. */
UP_EXPORT int up_jfr_find_exclusion(JNIEnv *env);
int up_jfr_find_exclusion(JNIEnv *env)
{
    static const char type_name[] = "jdk/jfr/internal/JVM", signature[] = "(Ljava/lang/Thread;)V";
    if (!up_java.attached)
        return UP_E_NO_VM;
    jclass thread_class = (*env)->FindClass(env, "java/lang/Thread"), type = (*env)->FindClass(env, type_name);
    jmethodID current = thread_class ? (*env)->GetStaticMethodID(env, thread_class, "currentThread", "()Ljava/lang/Thread;") : NULL;
    jobject self = current ? (*env)->CallStaticObjectMethod(env, thread_class, current) : NULL, jvm = NULL;
    if (threw(env) || !self || !type)
        return UP_E_NO_VM;
    jmethodID exclude = (*env)->GetStaticMethodID(env, type, "exclude", signature), include = NULL;
    if (exclude) {
        include = (*env)->GetStaticMethodID(env, type, "include", signature);
    } else {                    /* JDK 17: methods of its only object */
        threw(env);
        jmethodID get = (*env)->GetStaticMethodID(env, type, "getJVM", "()Ljdk/jfr/internal/JVM;");
        jvm = get ? (*env)->CallStaticObjectMethod(env, type, get) : NULL;
        exclude = !threw(env) && jvm ? (*env)->GetMethodID(env, type, "exclude", signature) : NULL;
        include = exclude ? (*env)->GetMethodID(env, type, "include", signature) : NULL;
    }
    if (!threw(env) && include)
        up_java.excluded = changed_by(env, jvm, type, exclude, include, self);
    return up_java.excluded > 0 ? 0 : UP_E_NO_VM;
}

int up_jvm_detach(void)
{
    if (!up_java.attached || !field_tid)
        return 0;
    int failed = (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_DISABLE, JVMTI_EVENT_THREAD_START, NULL) != JVMTI_ERROR_NONE;
    failed |= (*jvmti)->SetEventNotificationMode(jvmti, JVMTI_DISABLE, JVMTI_EVENT_THREAD_END, NULL) != JVMTI_ERROR_NONE;
    return failed ? UP_E_NO_VM : 0;
}

void *up_jvm_jvmti(void)
{
    return jvmti;
}
