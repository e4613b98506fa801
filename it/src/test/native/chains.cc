// Calls in the shape of a tree that Java draws: each node is a call of one of the functions below, its argument the node's number. What led to a call
// is then known without asking anybody. Functions are named for what they do with the calls inside them.
#include <jni.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>

#define UNUSED __attribute__((unused))
#ifdef __clang__
#define noipa noinline
#endif
#define PROBED extern "C" __attribute__((noipa, visibility("default")))

// Chains.Call, in this order
enum Call { CALLS, RETURNS, ENTERS, THRICE, JUMPS, UNPROBED, LARGE, CATCHES, THROWS, UPCALLS, HANDLES, HANDLES_ELSEWHERE, SWITCHES, KINDS };

namespace {

struct Thrown {};

struct Tree {
    const jint *call, *first, *next;    // of each node; first child and next sibling, -1: none
    jlong id;                           // of node 0
    JNIEnv *env;                        // null on a native thread
    jclass type;
    jobject tree;
};

constexpr size_t STACK = 256 * 1024;
std::atomic<long> entered[KINDS];
jmethodID below;

}

// Each calls what is inside, and then adds something, so that it is no tail jump.
PROBED long chain_calls(long id, Tree *tree);
PROBED long chain_returns(long id, Tree *tree);
PROBED long chain_enters(long id, Tree *tree);
PROBED long chain_thrice(long id, Tree *tree);
PROBED long chain_jumps(long id, Tree *tree);
PROBED long chain_unprobed(long id, Tree *tree);
PROBED long chain_large(long id, Tree *tree);
PROBED long chain_catches(long id, Tree *tree);
PROBED long chain_throws(long id, Tree *tree);
PROBED long chain_upcalls(long id, Tree *tree);
PROBED long chain_handles(long id, Tree *tree);
PROBED long chain_handles_elsewhere(long id, Tree *tree);
PROBED long chain_switches(long id, Tree *tree);

namespace {

typedef long (*Function)(long id, Tree *tree);
const Function functions[KINDS] = { chain_calls, chain_returns, chain_enters, chain_thrice, chain_jumps, chain_unprobed, chain_large, chain_catches,
    chain_throws, chain_upcalls, chain_handles, chain_handles_elsewhere, chain_switches };

__attribute__((noipa)) void count_call(Call call) {
    entered[call].fetch_add(1, std::memory_order_relaxed);
}

inline void call_node(jint node, Tree *tree) {
    long id = tree->id + node, result = functions[tree->call[node]](id, tree);
    if (result != id && tree->call[node] != JUMPS) {
        abort();
    }
}

__attribute__((noinline)) void call_inside(long id, Tree *tree) {
    for (jint node = tree->first[id - tree->id]; node >= 0; node = tree->next[node]) {
        call_node(node, tree);
    }
}

struct Inside {
    long id;
    Tree *tree;
    ucontext_t here, other;
};
thread_local Inside *current;

void call_inside_current() {
    call_inside(current->id, current->tree);
}

void on_signal(int) {
    call_inside_current();
}

void raise_with(long id, Tree *tree, int flags) {
    struct sigaction action = {}, before;
    stack_t stack = {}, stack_before;
    action.sa_handler = on_signal;
    action.sa_flags = SA_NODEFER | flags;
    int signal = SIGRTMIN + (flags ? 5 : 6);
    sigaction(signal, &action, &before);
    if (flags) {
        stack.ss_sp = malloc(STACK);
        stack.ss_size = STACK;
        if (sigaltstack(&stack, &stack_before) != 0) {
            abort();
        }
    }
    Inside inside = { id, tree, {}, {} }, *outer = current;
    current = &inside;
    pthread_kill(pthread_self(), signal);
    current = outer;
    if (flags) {
        sigaltstack(&stack_before, nullptr);
        free(stack.ss_sp);
    }
}

}

PROBED long chain_calls(long id, Tree *tree) {
    count_call(CALLS);
    call_inside(id, tree);
    return id;
}

PROBED long chain_returns(long id, Tree *tree) {
    count_call(RETURNS);
    call_inside(id, tree);
    return id;
}

PROBED long chain_enters(long id, Tree *tree) {
    count_call(ENTERS);
    call_inside(id, tree);
    return id;
}

PROBED long chain_thrice(long id, Tree *tree) {
    count_call(THRICE);
    call_inside(id, tree);
    return id;
}

// to its only child
PROBED long chain_jumps(long id, Tree *tree) {
    count_call(JUMPS);
    jint child = tree->first[id - tree->id];
    if (child < 0) {
        return id;
    }
    return functions[tree->call[child]](tree->id + child, tree);
}

PROBED long chain_unprobed(long id, Tree *tree) {
    count_call(UNPROBED);
    call_inside(id, tree);
    return id;
}

// its frame covers what earlier calls left on the stack, and does not overwrite it
PROBED long chain_large(long id, Tree *tree) {
    volatile char untouched[3000];
    __asm__ volatile("" : : "r"(untouched));
    count_call(LARGE);
    call_inside(id, tree);
    return id;
}

PROBED long chain_catches(long id, Tree *tree) {
    count_call(CATCHES);
    for (jint node = tree->first[id - tree->id]; node >= 0; node = tree->next[node]) {
        try {
            call_node(node, tree);
        } catch (const Thrown &) {
        }
    }
    return id;
}

PROBED long chain_throws(long id, Tree *tree) {
    count_call(THROWS);
    call_inside(id, tree);
    throw Thrown();
}

// each child in a JNI call of its own
PROBED long chain_upcalls(long id, Tree *tree) {
    count_call(UPCALLS);
    tree->env->CallStaticVoidMethod(tree->type, below, tree->tree, (jint) (id - tree->id));
    if (tree->env->ExceptionCheck()) {
        abort();
    }
    return id;
}

PROBED long chain_handles(long id, Tree *tree) {
    count_call(HANDLES);
    raise_with(id, tree, 0);
    return id;
}

PROBED long chain_handles_elsewhere(long id, Tree *tree) {
    count_call(HANDLES_ELSEWHERE);
    raise_with(id, tree, SA_ONSTACK);
    return id;
}

PROBED long chain_switches(long id, Tree *tree) {
    count_call(SWITCHES);
    Inside inside = { id, tree, {}, {} }, *outer = current;
    getcontext(&inside.other);
    inside.other.uc_stack.ss_sp = malloc(STACK);
    inside.other.uc_stack.ss_size = STACK;
    inside.other.uc_link = &inside.here;
    makecontext(&inside.other, call_inside_current, 0);
    current = &inside;
    swapcontext(&inside.here, &inside.other);
    current = outer;
    free(inside.other.uc_stack.ss_sp);
    return id;
}

namespace {

void run_node(jint node, Tree *tree) {
    try {
        call_node(node, tree);
    } catch (const Thrown &) {
    }
}

struct OnThread {
    Tree *tree;
    jint node;
};

void *run_on_thread(void *argument) {
    OnThread *on = static_cast<OnThread *>(argument);
    run_node(on->node, on->tree);
    return nullptr;
}

}

// The subtree of a node, on this thread or on one of its own that the JVM does not know. Elements are pinned by copies: what runs may call Java.
extern "C" JNIEXPORT void JNICALL Java_uprobe_it_app_Chains_run(JNIEnv *env, jclass type, jobject object, jint node, jboolean onThread, jlong id,
        jintArray call, jintArray first, jintArray next) {
    below = env->GetStaticMethodID(type, "below", "(Luprobe/it/app/Chains$Tree;I)V");
    jint *c = env->GetIntArrayElements(call, nullptr), *f = env->GetIntArrayElements(first, nullptr), *n = env->GetIntArrayElements(next, nullptr);
    Tree tree = { c, f, n, id, onThread ? nullptr : env, type, object };
    if (onThread) {
        OnThread on = { &tree, node };
        pthread_t thread;
        if (pthread_create(&thread, nullptr, run_on_thread, &on) != 0) {
            abort();
        }
        pthread_join(thread, nullptr);
    } else {
        run_node(node, &tree);
    }
    env->ReleaseIntArrayElements(call, c, JNI_ABORT);
    env->ReleaseIntArrayElements(first, f, JNI_ABORT);
    env->ReleaseIntArrayElements(next, n, JNI_ABORT);
}

extern "C" JNIEXPORT jlong JNICALL Java_uprobe_it_app_Chains_entered(JNIEnv *env UNUSED, jclass type UNUSED, jint call) {
    return entered[call].load();
}

// What a hit costs with and without an open call around it: chain_calls or chain_unprobed around n calls of chain_enters.
namespace {

double loop(long n) {
    struct timespec start, end;
    jint none = -1;
    Tree tree = { nullptr, &none, nullptr, 7, nullptr, nullptr, nullptr };
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < n; i++) {
        chain_enters(7, &tree);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / n;
}

}

PROBED double chain_open_loop(long n) {
    return loop(n) + 0.0;
}

PROBED double chain_plain_loop(long n) {
    return loop(n) + 0.0;
}

extern "C" JNIEXPORT jdouble JNICALL Java_uprobe_it_app_Chains_hits(JNIEnv *env UNUSED, jclass type UNUSED, jlong n, jboolean open) {
    return open ? chain_open_loop(n) : chain_plain_loop(n);
}
