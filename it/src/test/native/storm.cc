// Fifty functions for a storm of probes, signals, threads, children and exceptions. Each counts its own calls and sums its first argument; the second
// is a checksum of the first, the result holds a checksum of itself, and both are tested here and in the records (uprobe.it.app.Storm knows the
// same formulas).
//
// How a test knows what a probe must have seen: the arming thread makes a lane's epoch odd after arm() has returned and even before it disarms. A
// call that found the same odd epoch before and after itself was surely made under that probe, and counts for that epoch.
#include <jni.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define UNUSED __attribute__((unused))
#define PROBED extern "C" __attribute__((noipa, visibility("default")))
#define NATIVE(type, name) extern "C" JNIEXPORT type JNICALL Java_uprobe_it_app_Storm_##name

// Storm.java has the same numbers. Functions below QUIET, and the callers of those, are never called by a signal handler.
enum { LEAVES = 20, CALLERS = 15, LOOPS = 10, THROWERS = 5, FUNCTIONS = LEAVES + CALLERS + LOOPS + THROWERS, QUIET = 5 };
enum { FIRST_CALLER = LEAVES, FIRST_LOOP = LEAVES + CALLERS, FIRST_THROWER = LEAVES + CALLERS + LOOPS };
enum Lane { ENTRY, CALL, RETURN, MIDDLE, LANES };
enum { EPOCHS = 1 << 18, REGISTERED = 512, ALT_STACKS = 64, ALT_STACK = 64 << 10 };

#define IN_THREAD static __thread __attribute__((tls_model("initial-exec")))

namespace {

std::atomic<long> calls[FUNCTIONS], sums[FUNCTIONS], middles[FUNCTIONS], wrong;
std::atomic<uint32_t> epochs[FUNCTIONS][LANES];
std::atomic<uint32_t> sure[FUNCTIONS][LANES][EPOCHS];           // pages come with their first use

// hard paths as signal handlers find them
std::atomic<long> signals, in_call, in_handler, in_engine, in_slot, on_alt_stack, foreign_seen;
IN_THREAD int depth;                                            // probed functions of this thread that have begun and not ended
IN_THREAD int handlers;
IN_THREAD uint64_t random_state;
char alt_stacks[ALT_STACKS][ALT_STACK] __attribute__((aligned(64)));

struct Range { uint64_t low, high; };
Range engine_text, slots[64];
std::atomic<int> slot_ranges;

std::atomic<int> registered[REGISTERED];

long mix(long a, long k) {
    uint64_t x = static_cast<uint64_t>(a) * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(k) * 0xbf58476d1ce4e5b9u;
    return static_cast<long>(x ^ x >> 29);
}
// the lowest byte is a checksum of the others and of k
long seal(long v, long k) {
    uint64_t upper = static_cast<uint64_t>(v) & ~static_cast<uint64_t>(0xff);
    return static_cast<long>(upper | (static_cast<uint64_t>(mix(static_cast<long>(upper), k)) >> 40 & 0xff));
}
long rounds(long a) { return (a >> 3 & 3) + 1; }
long after_rounds(long a) { long n = rounds(a); return a + 7 * n + n * (n - 1) / 2; }
bool throws(int k, long a) { return k >= FIRST_THROWER && (k == 49 ? a % 16 == 0 : k >= 47 ? a % 8 == 0 : a % 4 == 0); }

long expected(int k, long a) {
    long own = mix(a, k + 100);
    if (k < FIRST_CALLER)
        return seal(own, k);
    if (k < FIRST_LOOP)
        return seal(own + expected(k - FIRST_CALLER, a ^ 0x55), k);
    if (k < FIRST_THROWER)
        return seal(own + after_rounds(a), k);
    switch (k) {
        case 46: return seal(own + expected(45, a), k);
        case 47: return seal(throws(46, a) ? own - 1 : own + expected(46, a), k);
        case 48: return seal(own + expected(47, a), k);
        default: return seal(own, k);
    }
}

uint64_t random_number() {
    uint64_t x = random_state ? random_state : static_cast<uint64_t>(syscall(SYS_gettid)) * 0x9e3779b97f4a7c15u;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return random_state = x;
}

struct Inside {
    Inside(int k, long a, long b) {
        depth++;
        calls[k].fetch_add(1, std::memory_order_relaxed);
        sums[k].fetch_add(a, std::memory_order_relaxed);
        if (b != mix(a, k))
            wrong++;
    }
    ~Inside() { depth--; }
};

// A call looked at from outside: was each lane surely armed all the while?
struct Sure {
    int k;
    uint32_t times, before[LANES];
    Sure(int function, long a) : k(function), times(function >= FIRST_LOOP && function < FIRST_THROWER ? static_cast<uint32_t>(rounds(a)) : 0) {
        for (int lane = 0; lane < LANES; lane++)
            before[lane] = epochs[k][lane].load(std::memory_order_seq_cst);
    }
    ~Sure() {
        for (int lane = 0; lane < LANES; lane++)
            if (before[lane] & 1 && epochs[k][lane].load(std::memory_order_seq_cst) == before[lane])
                sure[k][lane][before[lane] >> 1 & (EPOCHS - 1)].fetch_add(lane == MIDDLE ? times : 1, std::memory_order_relaxed);
    }
};

long call(int k, long a);

}

#define NUMBERS_OF(X, tens) X(tens##0) X(tens##1) X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define DECIMAL(nn) (1##nn - 100)

#define LEAF(nn) PROBED long storm_##nn(long a, long b) { \
    Inside inside(DECIMAL(nn), a, b); \
    return seal(mix(a, DECIMAL(nn) + 100), DECIMAL(nn)); \
}
NUMBERS_OF(LEAF, 0) NUMBERS_OF(LEAF, 1)

#define CALLER(nn) PROBED long storm_##nn(long a, long b) { \
    Inside inside(DECIMAL(nn), a, b); \
    long inner = call(DECIMAL(nn) - FIRST_CALLER, a ^ 0x55); \
    return seal(mix(a, DECIMAL(nn) + 100) + inner, DECIMAL(nn)); \
}
NUMBERS_OF(CALLER, 2) CALLER(30) CALLER(31) CALLER(32) CALLER(33) CALLER(34)

// At storm_middle_NN: rax is the sum so far, rdi the round, rsi the argument.
#define LOOP(nn) extern "C" char storm_middle_##nn[]; \
PROBED long storm_##nn(long a, long b) { \
    Inside inside(DECIMAL(nn), a, b); \
    long x = a; \
    middles[DECIMAL(nn)].fetch_add(rounds(a), std::memory_order_relaxed); \
    _Pragma("GCC unroll 1") \
    for (long i = 0; i < rounds(a); i++) \
        __asm__ volatile(".hidden storm_middle_" #nn "\n.globl storm_middle_" #nn "\nstorm_middle_" #nn ": lea 7(%0,%1), %0" : "+a"(x) : "D"(i), "S"(a)); \
    return seal(mix(a, DECIMAL(nn) + 100) + x, DECIMAL(nn)); \
}
LOOP(35) LOOP(36) LOOP(37) LOOP(38) LOOP(39) LOOP(40) LOOP(41) LOOP(42) LOOP(43) LOOP(44)

PROBED long storm_45(long a, long b) {
    Inside inside(45, a, b);
    if (throws(45, a))
        throw a;
    return seal(mix(a, 145), 45);
}
PROBED long storm_46(long a, long b) {
    Inside inside(46, a, b);
    return seal(mix(a, 146) + call(45, a), 46);
}
PROBED long storm_47(long a, long b) {
    Inside inside(47, a, b);
    try {
        return seal(mix(a, 147) + call(46, a), 47);
    } catch (long thrown) {
        if (throws(47, a))
            throw;
        return seal(mix(a, 147) - 1 + (thrown - a), 47);
    }
}
namespace {
// a hit while an exception is under way
struct CallsAtEnd {
    long a;
    ~CallsAtEnd() {
        if (call(3, a) != expected(3, a))
            wrong++;
    }
};
}
PROBED long storm_48(long a, long b) {
    Inside inside(48, a, b);
    CallsAtEnd at_end{a};
    return seal(mix(a, 148) + call(47, a), 48);
}
PROBED long storm_49(long a, long b) {
    Inside inside(49, a, b);
    if (throws(49, a))
        throw a;
    return seal(mix(a, 149), 49);
}

namespace {

#define POINTER(nn) storm_##nn,
long (*const functions[FUNCTIONS])(long, long) = { NUMBERS_OF(POINTER, 0) NUMBERS_OF(POINTER, 1) NUMBERS_OF(POINTER, 2) NUMBERS_OF(POINTER, 3)
    NUMBERS_OF(POINTER, 4) };
char *const middle_of[LOOPS] = { storm_middle_35, storm_middle_36, storm_middle_37, storm_middle_38, storm_middle_39, storm_middle_40,
    storm_middle_41, storm_middle_42, storm_middle_43, storm_middle_44 };

long call(int k, long a) {
    Sure armed(k, a);
    return functions[k](a, mix(a, k));
}

void call_and_check(int k, long a) {
    try {
        long result = call(k, a);
        if (throws(k, a) || result != expected(k, a))
            wrong++;
    } catch (long thrown) {
        if (!throws(k, a) || thrown != a)
            wrong++;
    }
}

void call_any(long n) {
    for (long i = 0; i < n; i++) {
        uint64_t r = random_number();
        call_and_check(static_cast<int>(r % FUNCTIONS), static_cast<long>(r >> 8));
    }
}

bool within(const Range &range, uint64_t address) { return address >= range.low && address < range.high; }

// The functions that a handler may call: those that throw nothing, and none that is QUIET or calls one.
void on_signal(int, siginfo_t *, void *context) {
    int saved = errno;
    uint64_t ip = static_cast<uint64_t>(static_cast<ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP]);
    signals++;
    if (depth > 0)
        in_call++;
    if (handlers > 0)
        in_handler++;
    if (within(engine_text, ip))
        in_engine++;
    for (int i = 0; i < slot_ranges; i++)
        if (within(slots[i], ip))
            in_slot++;
    char *here = reinterpret_cast<char *>(&saved);
    if (here >= alt_stacks[0] && here < alt_stacks[ALT_STACKS])
        on_alt_stack++;
    handlers++;
    for (int i = 0; i < 4; i++) {
        uint64_t r = random_number();
        int k = i == 0 ? QUIET + static_cast<int>(r % (LEAVES - QUIET)) : i == 1 ? FIRST_CALLER + QUIET + static_cast<int>(r % (CALLERS - QUIET))
            : FIRST_LOOP + static_cast<int>(r % LOOPS);
        long a = static_cast<long>(r >> 8);
        if (call(k, a) != expected(k, a))
            wrong++;
    }
    handlers--;
    errno = saved;
}

void on_foreign_trap(int, siginfo_t *, void *) { foreign_seen++; }

void take(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART | flags;
    if (sigaction(signal, &action, nullptr) != 0)
        abort();
}

// Stops a thread being sent signals and gives its stack for handlers back.
struct Registered {
    int place = -1;
    explicit Registered(bool alt_stack) {
        int tid = static_cast<int>(syscall(SYS_gettid));
        setpriority(PRIO_PROCESS, static_cast<id_t>(tid), 10);      // leaves a processor to the thread that arms
        for (int i = 0; i < REGISTERED && place < 0; i++) {
            int none = 0;
            if (registered[i].compare_exchange_strong(none, tid))
                place = i;
        }
        if (alt_stack && place >= 0 && place < ALT_STACKS) {
            stack_t own = { alt_stacks[place], 0, ALT_STACK };
            sigaltstack(&own, nullptr);
        }
    }
    ~Registered() {
        stack_t off = { nullptr, SS_DISABLE, 0 };
        sigaltstack(&off, nullptr);
        if (place >= 0)
            registered[place] = 0;
    }
};

std::atomic<bool> sending;
pthread_t sender;
void *send(void *) {
    pthread_setname_np(pthread_self(), "sender");
    while (sending) {
        struct timespec nap = { 0, 1000000 };
        nanosleep(&nap, nullptr);
        int first = static_cast<int>(random_number() % REGISTERED), sent = 0;
        for (int i = 0; i < REGISTERED && sent < 2; i++) {
            int tid = registered[(first + i) % REGISTERED];
            // an id that was given out again meanwhile belongs to another thread of ours, whose handler is the same
            if (tid != 0 && syscall(SYS_tgkill, getpid(), tid, random_number() & 1024 ? SIGUSR1 : SIGPROF) == 0)
                sent++;
        }
    }
    return nullptr;
}

JavaVM *vm;
struct Thread { long n; bool attaches, alt_stack; };
void *run_thread(void *argument) {
    Thread *thread = static_cast<Thread *>(argument);
    Registered here(thread->alt_stack);
    call_any(thread->n / 2);
    if (thread->attaches) {
        JNIEnv *env;
        if (vm->AttachCurrentThread(reinterpret_cast<void **>(&env), nullptr) == JNI_OK) {
            jclass storm = env->FindClass("uprobe/it/app/Storm");
            if (storm != nullptr)
                env->CallStaticVoidMethod(storm, env->GetStaticMethodID(storm, "attached", "(I)V"), static_cast<jint>(thread->n));
            if (env->ExceptionCheck())
                wrong++, env->ExceptionDescribe();
            vm->DetachCurrentThread();
        }
    }
    call_any(thread->n / 2);
    return nullptr;
}

}

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *java_vm, void *) {
    vm = java_vm;
    take(SIGTRAP, on_foreign_trap, 0);          // before the engine: what is not its own comes here
    return JNI_VERSION_1_8;
}

NATIVE(void, begin)(JNIEnv *, jclass, jlong engine_low, jlong engine_high) {
    engine_text = { static_cast<uint64_t>(engine_low), static_cast<uint64_t>(engine_high) };
    take(SIGUSR1, on_signal, SA_ONSTACK);
    take(SIGPROF, on_signal, 0);
    sending = true;
    if (pthread_create(&sender, nullptr, send, nullptr) != 0)
        abort();
}
NATIVE(void, slotRange)(JNIEnv *, jclass, jlong low, jlong high) {
    int n = slot_ranges;
    for (int i = 0; i < n; i++)
        if (slots[i].low == static_cast<uint64_t>(low))
            return;
    if (n < 64) {
        slots[n] = { static_cast<uint64_t>(low), static_cast<uint64_t>(high) };
        slot_ranges = n + 1;
    }
}
NATIVE(void, end)(JNIEnv *, jclass) {
    sending = false;
    pthread_join(sender, nullptr);
}

// The calling thread gets signals from here on, until its second call.
static thread_local Registered *own;
NATIVE(void, register)(JNIEnv *, jclass, jboolean on, jboolean alt_stack) {
    delete own;
    own = on ? new Registered(alt_stack) : nullptr;
}
NATIVE(void, work)(JNIEnv *, jclass, jint n) { call_any(n); }

// A function that several threads call all the time finds traps that are taken away under it.
NATIVE(void, hammer)(JNIEnv *, jclass, jint k, jint n) {
    for (int i = 0; i < n; i++)
        call_and_check(k, static_cast<long>(random_number() >> 8));
}
NATIVE(jint, nativeThread)(JNIEnv *, jclass, jint n, jboolean attaches, jboolean alt_stack) {
    pthread_t t;
    Thread how = { n, attaches != 0, alt_stack != 0 };
    return pthread_create(&t, nullptr, run_thread, &how) != 0 ? -1 : pthread_join(t, nullptr);
}

// The child calls probed functions, then becomes another program. Its calls are its own: nothing of them is seen in this process.
NATIVE(jint, forkAndExec)(JNIEnv *, jclass) {
    pid_t child = fork();
    if (child == 0) {
        long before = wrong;
        for (int k = 0; k < FIRST_THROWER; k++)
            if (call(k, 1999993 + k) != expected(k, 1999993 + k))
                _exit(99);
        char *const arguments[] = { const_cast<char *>("true"), nullptr };
        if (wrong == before)
            execv("/bin/true", arguments);
        _exit(98);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}
NATIVE(void, foreignTrap)(JNIEnv *, jclass) { __asm__ volatile("int3"); }

NATIVE(jint, epoch)(JNIEnv *, jclass, jint k, jint lane) { return static_cast<jint>(++epochs[k][lane]); }
NATIVE(jlong, sureCalls)(JNIEnv *, jclass, jint k, jint lane, jint epoch) {
    return sure[k][lane][static_cast<uint32_t>(epoch) >> 1 & (EPOCHS - 1)];
}
NATIVE(jlong, calls)(JNIEnv *, jclass, jint k, jint lane) { return lane == MIDDLE ? middles[k] : calls[k]; }
NATIVE(jlong, sum)(JNIEnv *, jclass, jint k) { return sums[k]; }
NATIVE(jint, middleOffset)(JNIEnv *, jclass, jint k) {
    return static_cast<jint>(middle_of[k - FIRST_LOOP] - reinterpret_cast<char *>(functions[k]));
}
NATIVE(jlong, expectedResult)(JNIEnv *, jclass, jint k, jlong a) { return expected(k, a); }

// wrong results, then the hard paths in the order of Storm.HARD_PATHS
NATIVE(jlongArray, seen)(JNIEnv *env, jclass) {
    const jlong numbers[] = { wrong, signals, in_call, in_handler, in_engine, in_slot, on_alt_stack, foreign_seen };
    const jsize n = sizeof numbers / sizeof *numbers;
    jlongArray out = env->NewLongArray(n);
    env->SetLongArrayRegion(out, 0, n, numbers);
    return out;
}
