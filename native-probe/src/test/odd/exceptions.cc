/* C++ exceptions of every kind through a chain of probed functions: odd_x_top -> odd_x_middle -> odd_x_bottom, which throws. Each of them counts
 * its calls and those that an exception left, so a test can compare both with what the probes saw. Built as throws.cc is: with the
 * unwinder that the process shares, with one of its own, and with LLVM's. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#ifdef __clang__
#define ODD extern "C" __attribute__((noinline, visibility("default")))
#else
#pragma GCC diagnostic ignored "-Wcatch-value"     /* slicing is one of the kinds */
#define ODD extern "C" __attribute__((noipa, visibility("default")))
#endif

/* Functions that count themselves, in the order that LeavingScenarios knows. */
enum Function { TOP, MIDDLE, BOTTOM, COMPARE, RETHROWS, CATCHES, FUNCTIONS };

static std::atomic<long> calls[FUNCTIONS], left_by_exception[FUNCTIONS], alive;

ODD long odd_x_calls(int function) { return calls[function]; }
ODD long odd_x_left(int function) { return left_by_exception[function]; }

namespace {

/* The first local of each probed function. */
struct Seen {
    Function function;
    int under_way = std::uncaught_exceptions();
    explicit Seen(Function f) : function(f) { calls[f]++, alive++; }
    ~Seen() {
        alive--;
        if (std::uncaught_exceptions() > under_way)
            left_by_exception[function]++;
    }
};

/* Objects made and destroyed in equal numbers, whatever way they are left. */
struct Object {
    Object() { alive++; }
    Object(const Object &) { alive++; }
    ~Object() { alive--; }
};
struct Base : Object {
    long n;
    explicit Base(long number) : n(number) {}
    virtual ~Base() {}
    virtual long kind() const { return 1; }
};
struct Derived : Base {
    using Base::Base;
    long kind() const override { return 2; }
};
struct Left : virtual Base { Left() : Base(0) {} };
struct Right : virtual Base { Right() : Base(0) {} };
struct Diamond : Left, Right { explicit Diamond(long n) : Base(n) {} };
struct Large { long words[24]; };
enum class Colour { RED = 41, GREEN = 42 };

enum Kind {
    INT, TEXT, LARGE, BASE_BY_REFERENCE, SLICED, POINTER, VIRTUAL_BASE, ANYTHING, ENUMERATION, NESTED, FROM_CONSTRUCTOR, FROM_ARRAY, KEPT_AND_RETHROWN,
    ANOTHER_INSTEAD, FROM_DESTRUCTOR, WHILE_UNWINDING, RETHROWN_BY_A_CALL, THROUGH_QSORT, STANDARD, KINDS
};

}

ODD int odd_x_kinds() { return KINDS; }
ODD long odd_x_top(long kind, long n);
ODD long odd_x_middle(long kind, long n);

/* With an exception caught by its caller: the handler is still active here. */
ODD long odd_x_rethrows(long n) {
    Seen seen(RETHROWS);
    if (n >= 0)
        throw;
    return n;
}

namespace {

struct FromConstructor {
    Object member;
    explicit FromConstructor(long n) try : member() {
        throw n;
    } catch (long &inside) {
        inside += 1;            /* the handler of a constructor's function-try-block rethrows at its end */
    }
};
struct ThirdFails {
    Object member;
    ThirdFails() {
        static thread_local int made;
        if (++made % 3 == 0)
            throw made;
    }
};
struct ThrowsAtEnd {
    long n;
    ~ThrowsAtEnd() noexcept(false) { throw Derived(n); }
};
/* While an exception is under way the whole chain runs once more, and its exception is caught in here. */
struct RunsTheChainAgain {
    long n;
    bool *right;
    ~RunsTheChainAgain() {
        try {
            odd_x_top(INT, n + 1);
        } catch (int caught) {
            *right = caught == n + 1;
        }
    }
};

}

ODD int odd_x_compare(const void *a, const void *b) {
    Seen seen(COMPARE);
    if (*static_cast<const long *>(a) == 3 || *static_cast<const long *>(b) == 3)
        throw Derived(3);
    return 0;
}

ODD long odd_x_bottom(long kind, long n) {
    Seen seen(BOTTOM);
    switch (kind) {
        case INT: throw static_cast<int>(n);
        case TEXT: throw "thrown text";
        case LARGE: {
            Large large;
            for (int i = 0; i < 24; i++)
                large.words[i] = n * i;
            throw large;
        }
        case POINTER: throw new Derived(n);
        case VIRTUAL_BASE: throw Diamond(n);
        case ENUMERATION: throw Colour::GREEN;
        case NESTED:
            try {
                throw std::runtime_error("inner " + std::to_string(n));
            } catch (...) {
                std::throw_with_nested(std::logic_error("outer"));
            }
        case FROM_CONSTRUCTOR: { FromConstructor never(n); break; }
        case FROM_ARRAY: { ThirdFails never[3]; break; }
        case FROM_DESTRUCTOR: { ThrowsAtEnd at_end{n}; break; }
        case THROUGH_QSORT: {
            long numbers[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
            qsort(numbers, 8, sizeof *numbers, odd_x_compare);
            break;
        }
        case STANDARD: std::string("short").at(static_cast<size_t>(n)); break;
        default: throw Derived(n);
    }
    return n;
}

ODD long odd_x_middle(long kind, long n) {
    Seen seen(MIDDLE);
    Object local;
    bool right = true;
    switch (kind) {
        case KEPT_AND_RETHROWN: {
            std::exception_ptr kept;
            try {
                odd_x_bottom(kind, n);
            } catch (...) {
                kept = std::current_exception();
            }
            std::rethrow_exception(kept);
        }
        case ANOTHER_INSTEAD:
            try {
                return odd_x_bottom(kind, n);
            } catch (const Base &first) {
                throw static_cast<int>(first.n + 5);
            }
        case RETHROWN_BY_A_CALL:
            try {
                return odd_x_bottom(kind, n);
            } catch (Base &first) {
                first.n++;
                odd_x_rethrows(n);
            }
            break;
        case WHILE_UNWINDING:
            try {
                RunsTheChainAgain again{n, &right};
                odd_x_bottom(kind, n);
            } catch (const Base &) {
                if (!right)
                    return -1;
                throw;
            }
            break;
        default: break;
    }
    return odd_x_bottom(kind, n) + 1;
}

ODD long odd_x_top(long kind, long n) {
    Seen seen(TOP);
    Object local;
    return odd_x_middle(kind, n) + 2;
}

/* Returns, after an exception has left the frames below it. */
ODD long odd_x_catches(long kind, long n) {
    Seen seen(CATCHES);
    try {
        return odd_x_top(kind, n);
    } catch (int caught) {
        return caught + 3L;
    }
}

static int caught_right(long kind, long n) {
    switch (kind) {
        case INT: try { odd_x_top(kind, n); } catch (int caught) { return caught == n; } break;
        case TEXT: try { odd_x_top(kind, n); } catch (const char *caught) { return std::string(caught) == "thrown text"; } break;
        case LARGE: try { odd_x_top(kind, n); } catch (Large caught) { return caught.words[23] == 23 * n && caught.words[1] == n; } break;
        case SLICED: try { odd_x_top(kind, n); } catch (Base caught) { return caught.n == n && caught.kind() == 1; } break;
        case POINTER:
            try {
                odd_x_top(kind, n);
            } catch (Base *caught) {
                int right = caught->n == n && caught->kind() == 2;
                delete caught;
                return right;
            }
            break;
        case ANYTHING: try { odd_x_top(kind, n); } catch (...) { return 1; } break;
        case ENUMERATION: try { odd_x_top(kind, n); } catch (Colour caught) { return caught == Colour::GREEN; } break;
        case NESTED:
            try {
                odd_x_top(kind, n);
            } catch (const std::logic_error &outer) {
                try {
                    std::rethrow_if_nested(outer);
                } catch (const std::runtime_error &inner) {
                    return std::string(outer.what()) == "outer" && inner.what() == "inner " + std::to_string(n);
                }
            }
            break;
        case FROM_CONSTRUCTOR: try { odd_x_top(kind, n); } catch (long caught) { return caught == n + 1; } break;
        case FROM_ARRAY: try { odd_x_top(kind, n); } catch (int made) { return made % 3 == 0; } break;
        case ANOTHER_INSTEAD: try { odd_x_top(kind, n); } catch (int caught) { return caught == n + 5; } break;
        case RETHROWN_BY_A_CALL: try { odd_x_top(kind, n); } catch (const Base &caught) { return caught.n == n + 1; } break;
        case THROUGH_QSORT: try { odd_x_top(kind, n); } catch (const Derived &caught) { return caught.n == 3; } break;
        case STANDARD: try { odd_x_top(kind, n); } catch (const std::out_of_range &) { return 1; } break;
        default: try { odd_x_top(kind, n); } catch (const Base &caught) { return caught.n == n && (kind == VIRTUAL_BASE || caught.kind() == 2); } break;
    }
    return 0;                   /* it returned */
}

/* 0: caught as it was thrown, and every object destroyed once. Only for one thread at a time. */
ODD int odd_x_check(long kind, long n) {
    long before = alive;
    int right = caught_right(kind, n) && odd_x_catches(INT, n) == n + 3;
    return !right ? 1 : alive != before ? 2 : 0;
}

static std::atomic<long> wrong;
static pthread_barrier_t together;
static void *throw_often(void *rounds) {
    pthread_barrier_wait(&together);
    for (long i = 0; i < reinterpret_cast<long>(rounds); i++)
        wrong += !caught_right(i % KINDS, 1999993 + i);
    return nullptr;
}
/* Returns what was not caught as it was thrown, plus the objects that were not destroyed once. */
ODD long odd_x_on_threads(int threads, long rounds) {
    pthread_t t[64];
    long before = alive;
    wrong = 0;
    pthread_barrier_init(&together, nullptr, static_cast<unsigned>(threads));
    for (int i = 0; i < threads; i++)
        if (pthread_create(&t[i], nullptr, throw_often, reinterpret_cast<void *>(rounds)) != 0)
            return -1;
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], nullptr);
    return wrong + std::labs(alive - before);
}

/* ---- signals while exceptions leave frames behind ---- */
/* Entries of frames that an exception left wait for the thread's next hit or return to be taken away: both may come at one time, if the hit is a
 * signal handler's. */
static std::atomic<long> handled;
static std::atomic<bool> stop, running;
static char signal_stack[64 << 10] __attribute__((aligned(64)));

static void rethrows_nothing(int) {
    if (odd_x_rethrows(-5) != -5)
        wrong++;
    handled++;
}
static void *throw_until_stopped(void *own_stack) {
    stack_t own = { signal_stack, 0, sizeof signal_stack }, off = { nullptr, SS_DISABLE, 0 };
    if (own_stack)
        sigaltstack(&own, nullptr);
    running = true;
    for (long i = 0; !stop; i++) {
        wrong += odd_x_catches(INT, 1999993) != 1999996;
    }
    if (own_stack)
        sigaltstack(&off, nullptr);
    return nullptr;
}
/* Returns what was wrong, or less than 0: so many signals did not come to the handler. */
ODD long odd_x_beneath_signals(int signals, int own_stack) {
    struct sigaction old, action = {};
    action.sa_handler = rethrows_nothing;
    action.sa_flags = SA_RESTART | (own_stack ? SA_ONSTACK : 0);
    sigaction(SIGUSR1, &action, &old);
    stop = running = false;
    handled = wrong = 0;
    pthread_t t;
    if (pthread_create(&t, nullptr, throw_until_stopped, own_stack ? signal_stack : nullptr) != 0)
        return -1;
    while (!running)
        sched_yield();
    for (int i = 0; i < signals; i++) {
        long before = handled;
        pthread_kill(t, SIGUSR1);
        for (int naps = 0; handled == before && naps < 100000; naps++)
            usleep(20);         // not before it has come: signals that wait at one time are one
    }
    stop = true;
    pthread_join(t, nullptr);
    sigaction(SIGUSR1, &old, nullptr);
    return handled == signals ? static_cast<long>(wrong) : handled - signals;
}
