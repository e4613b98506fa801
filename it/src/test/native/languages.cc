// The C++ of LanguagesIT, built in several ways: with an unwinder of its own, by the sanitizers, for CET, sealed. What it does is what probes are in
// the way of: recursion, exceptions across the probed functions, threads that come and go, the allocator, code behind PLT and GOT.
#include <jni.h>
#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <numeric>
#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#ifdef SEALED
#include <cstdlib>
#include <link.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define PROBED extern "C" __attribute__((noinline, noclone, visibility("default")))

static std::atomic<long> leaves;
static std::atomic<int> sealing;

PROBED long lang_leaf(long i) {
    leaves++;
    return i * 3 + 1;
}

PROBED long lang_recursion(long depth) {
    if (depth == 0) {
        throw std::invalid_argument(std::to_string(lang_leaf(7)));
    }
    std::string above = "depth " + std::to_string(depth);
    return lang_recursion(depth - 1) + static_cast<long>(above.size());
}

PROBED long lang_caught(long depth) {
    try {
        return lang_recursion(depth);
    } catch (const std::exception &e) {
        return std::stol(e.what()) + depth;
    }
}

PROBED long lang_thread(long n) {
    std::map<std::string, long> sums;
    std::vector<long> values(1000);
    std::iota(values.begin(), values.end(), n);
    std::sort(values.begin(), values.end(), [](long a, long b) { return a * 7919 % 1009 < b * 7919 % 1009; });
    for (long value : values) {
        sums[std::to_string(value % 13)] += lang_leaf(value);
    }
    long sum = lang_caught(20);
    for (const auto &entry : sums) {
        sum = (sum * 31 + entry.second) & 0xffffffffff;
    }
    return sum;
}

extern "C" JNIEXPORT jlong JNICALL Java_uprobe_it_app_Languages_work(JNIEnv *, jclass, jlong n) {
    std::vector<std::thread> threads;
    std::vector<long> sums(4);
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&sums, i, n] { sums[i] = lang_thread(n + i); });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    return std::accumulate(sums.begin(), sums.end(), lang_caught(n % 50)) & 0x7fffffff;
}

extern "C" JNIEXPORT jlong JNICALL Java_uprobe_it_app_Languages_leaves(JNIEnv *, jclass) {
    return leaves;
}

// 0: sealed; else why not, as errno
extern "C" JNIEXPORT jint JNICALL Java_uprobe_it_app_Languages_sealing(JNIEnv *, jclass) {
    return sealing;
}

#ifdef SEALED
static int seal_text(struct dl_phdr_info *object, size_t, void *inside) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) &segment = object->dlpi_phdr[i];
        ElfW(Addr) page = sysconf(_SC_PAGESIZE), start = (object->dlpi_addr + segment.p_vaddr) & -page, end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) && reinterpret_cast<ElfW(Addr)>(inside) - start < end - start) {
            const long mseal_since_6_10 = 462;
            sealing = syscall(mseal_since_6_10, start, (end - start + page - 1) & -page, 0) == 0 ? 0 : errno;
        }
    }
    return 0;
}

__attribute__((constructor)) static void seal() {
    dl_iterate_phdr(seal_text, reinterpret_cast<void *>(&lang_leaf));
    // then /proc/self/mem is root's
    if (getenv("LANG_NOT_DUMPABLE")) {
        prctl(PR_SET_DUMPABLE, 0);
    }
}
#endif
