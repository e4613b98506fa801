// C++ exceptions and backtraces through three functions whose returns are probed. Built twice: with the unwinder that the process shares,
// and with one of its own (-static-libgcc -static-libstdc++), which finds only what dl_iterate_phdr shows.
#include <jni.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <unwind.h>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#define UNUSED __attribute__((unused))
#define PROBED extern "C" __attribute__((noipa, visibility("default")))

// ThrowsThroughProbes.Way, in this order
enum Way { RETURNS, CAUGHT_BY_CALLER, RETHROWN_IN_MIDDLE, CAUGHT_IN_MIDDLE, THROWS_WHILE_UNWINDING, BACKTRACE, OWN_BACKTRACE };

namespace {

std::atomic<long> outer_calls, middle_calls, inner_calls, destructed;
std::atomic<long> frames_seen, backtraces_taken;

struct Destructed {
    ~Destructed() {
        destructed++;
    }
};

// frames found on the way out, innermost first
struct Frames {
    static constexpr int MOST = 64;
    void *at[MOST];
    int count = 0;
};

_Unwind_Reason_Code add_frame(_Unwind_Context *context, void *frames) {
    Frames *out = static_cast<Frames *>(frames);
    if (out->count == Frames::MOST) {
        return _URC_END_OF_STACK;
    }
    out->at[out->count++] = reinterpret_cast<void *>(_Unwind_GetIP(context));
    return _URC_NO_REASON;
}

// whether the functions stand among the frames in this order, with whatever between (trampolines have frames of their own)
bool shows(const Frames &frames, std::initializer_list<const char *> functions) {
    auto next = functions.begin();
    for (int i = 0; i < frames.count && next != functions.end(); i++) {
        Dl_info info;
        // a return address may be the first byte behind its function
        if (dladdr(static_cast<char *>(frames.at[i]) - 1, &info) != 0 && info.dli_sname != nullptr && strcmp(info.dli_sname, *next) == 0) {
            next++;
        }
    }
    return next == functions.end();
}

double seen_from_inner(const Frames &frames, double x) {
    backtraces_taken++;
    frames_seen += frames.count;
    return shows(frames, { "throws_middle", "throws_outer", "Java_uprobe_it_app_ThrowsThroughProbes_run" }) ? x * 8 : -1;
}

}

// the addition that follows each inner call keeps it from becoming a tail jump
PROBED double throws_outer(int way, double x);

PROBED double throws_inner(int way, double x) {
    inner_calls++;
    if (way == BACKTRACE) {
        Frames frames;
        frames.count = backtrace(frames.at, Frames::MOST);
        return seen_from_inner(frames, x);
    }
    if (way == OWN_BACKTRACE) {
        Frames frames;
        _Unwind_Backtrace(add_frame, &frames);
        return seen_from_inner(frames, x);
    }
    if (way != RETURNS) {
        throw std::runtime_error(std::to_string(x));
    }
    return x * 8;
}

namespace {

// While its exception is under way, the whole chain runs again, throws again, and that one is caught here.
struct ThrowsWhileUnwinding {
    double x;
    ~ThrowsWhileUnwinding() {
        try {
            throws_outer(CAUGHT_BY_CALLER, x + 1);
        } catch (const std::runtime_error &e) {
            if (std::stod(e.what()) == x + 1) {
                destructed++;
            }
        }
    }
};

double middle_of(int way, double x) {
    switch (way) {
        case RETHROWN_IN_MIDDLE:
            try {
                return throws_inner(way, x) + 1;
            } catch (const std::runtime_error &) {
                throw;
            }
        case CAUGHT_IN_MIDDLE:
            try {
                return throws_inner(way, x) + 1;
            } catch (const std::runtime_error &e) {
                return std::stod(e.what()) * 16;
            }
        case THROWS_WHILE_UNWINDING: {
            ThrowsWhileUnwinding again{x};
            return throws_inner(way, x) + 1;
        }
        default:
            return throws_inner(way, x) + 1;
    }
}

}

PROBED double throws_middle(int way, double x) {
    middle_calls++;
    Destructed local;
    return middle_of(way, x) + 2;
}

PROBED double throws_outer(int way, double x) {
    outer_calls++;
    Destructed local;
    return throws_middle(way, x) + 4;
}

// what outer returned, or -1000 less what was thrown
extern "C" JNIEXPORT jdouble JNICALL Java_uprobe_it_app_ThrowsThroughProbes_run(JNIEnv *env UNUSED, jclass type UNUSED, jint way,
        jdouble x) {
    try {
        return throws_outer(way, x) + 0.5;
    } catch (const std::runtime_error &e) {
        return -1000 - std::stod(e.what());
    }
}

extern "C" JNIEXPORT jlongArray JNICALL Java_uprobe_it_app_ThrowsThroughProbes_counts(JNIEnv *env, jclass type UNUSED) {
    const jlong counts[] = { outer_calls, middle_calls, inner_calls, destructed, backtraces_taken, frames_seen };
    const jsize n = sizeof counts / sizeof *counts;
    jlongArray out = env->NewLongArray(n);
    env->SetLongArrayRegion(out, 0, n, counts);
    return out;
}
