/* Floor 0 */
/* libuprobe: what Java asks of C, and the memory both read
 * ---------------------------------------------------------
 * Java plans, C acts. Java hands down addresses, bytes and tables; the functions here patch, trap, record and return. None of them is called from
 * the hit path. Results: 0 or a positive value on success, -errno or one of UP_E_* on failure.
 */
#ifndef UPROBE_H
#define UPROBE_H

#include <stddef.h>
#include <stdint.h>

#define UP_EXPORT __attribute__((visibility("default")))

enum {
    UP_LAYOUT_VERSION = 1,
    UP_MAX_FIELDS = 15,         /* one bit each in up_hit.missing, the last bit is the duration's */
    UP_MISSING_DURATION = 1 << 15,
    UP_MAX_DEREFERENCES = 8
};

/* Failures that errno has no name for. */
enum up_failure {
    UP_E_CHANGED = -1001,       /* the bytes at the address are not those expected: somebody else wrote there */
    UP_E_FULL = -1002,          /* a table that was sized at the start is full */
    UP_E_NO_VM = -1003,         /* no Java VM in this process, or one that tells nothing of itself */
    UP_E_OTHER_PROCESS = -1004, /* called in the child of a fork */
    UP_E_GONE = -1005,          /* nothing is mapped at the address any more */
    UP_E_PROCESSOR = -1006      /* one without cmpxchg16b */
};

/* A hit as it lies in a thread's ring; HitRecordDescriptor on the Java side, checked against this one at start and by a test.
 *
 *   0               4       6       8               12              16              24              32
 *   +---------------+-------+-------+---------------+---------------+---------------+---------------+-----------
 *   |     state     |length |missing|     probe     |     flags     |     time      |     call      | values ...
 *   +---------------+-------+-------+---------------+---------------+---------------+---------------+-----------
 *
 * Records are multiples of UP_HIT_ALIGN bytes and never wrap. state: 0 nothing yet, then WRITING (length valid), READY (whole; stored with
 * release), CLAIMED (by the flush at the JNI return or by the drain), COMMITTED (Java made an event of it) or REJECTED (JFR did not want it), CONSUMED
 * (counted; its space may be reused). time is in clock units (up_clock). call is the stack address of the return address of the JNI call that the hit
 * belongs to or, once it is left to the drain, what up_jvm_java_id tells its Java thread by. missing has a bit for each value that could not be read. A
 * `c` record's values[0] is its duration in clock units; the fields follow in the order of the probe's definition. */
struct up_hit {
    int32_t state;
    uint16_t length;
    uint16_t missing;
    int32_t probe;
    uint32_t flags;
    int64_t time;
    uint64_t call;
    int64_t values[];
};
enum { UP_HIT_ALIGN = 32, UP_HIT_HEADER = 32 };
enum up_hit_state { UP_HIT_NONE, UP_HIT_WRITING, UP_HIT_READY, UP_HIT_CLAIMED, UP_HIT_COMMITTED, UP_HIT_REJECTED, UP_HIT_CONSUMED };
enum up_hit_flags {
    UP_HIT_UNWOUND = 1,         /* the call never returned: an exception or longjmp left it; duration and return values are missing */
    /* why a hit was left to the drain, bits 8..15: enum up_drained */
    UP_HIT_DRAINED_SHIFT = 8,
    /* the probed functions that it was called by, bits 16..31: a number of chain.h */
    UP_HIT_CHAIN_SHIFT = 16
};
/* Why a hit has no Java stack. DrainReason on the Java side, same order. */
enum up_drained {
    UP_DRAINED_NOT,
    UP_DRAINED_NATIVE_THREAD,   /* no Java thread: a thread of the library's own, or one not attached at that moment */
    UP_DRAINED_VM_STATE,        /* the Java thread was in the VM or in Java code (critical natives), not in a JNI call */
    UP_DRAINED_RUNTIME_CALL,    /* in state `native`, but above a call of the VM's own: a JVMTI callback, class loading */
    UP_DRAINED_JFR,             /* below a native of jdk.jfr.internal: an event there would corrupt the one being written */
    UP_DRAINED_LONG_CALL,       /* the JNI call had not returned for a long time */
    UP_DRAINED_RING_FULL,       /* the thread's ring became full before the JNI call returned */
    UP_DRAINED_STACK_END,       /* too little stack left for an upcall */
    UP_DRAINED_NO_RETURN_SLOT,  /* every return slot was in use */
    UP_DRAINED_STATE_CHANGED,   /* at the return of the call the thread was not in state `native` */
    UP_DRAINED_COMMIT_FAILED,   /* an exception, mostly StackOverflowError, while the event was made */
    UP_DRAINED_SHADOW_STACK,    /* user shadow stacks (CET) are on: return addresses are not swapped */
    UP_DRAINED_THREAD_ENDED,    /* the thread ended inside the JNI call */
    UP_DRAINED_BEGAN_UNRECORDED,/* a call that began while its probe made no events: where it began was not looked at */
    UP_DRAINED_CARRIER          /* on a carrier of virtual threads that has none mounted, or is about to: see up_java_is_bare_carrier */
};

/* One field of a probe: a register or the result, through `dereferences` loads. Followed in memory by that many int64 displacements. */
struct up_fetch {
    uint8_t source;             /* 0..15 general register, or UP_FETCH_RESULT */
    uint8_t size;               /* bytes of the value: 1, 2, 4, 8 */
    uint8_t is_signed;
    uint8_t at_return;          /* evaluated when the call returns, not at entry */
    uint32_t dereferences;      /* 0..UP_MAX_DEREFERENCES */
    int64_t displacement[];
};
enum { UP_FETCH_RESULT = UINT8_MAX };

enum up_probe_kind { UP_PROBE_ENTRY, UP_PROBE_RETURN, UP_PROBE_CALL };

/* Counters of a probe; hits = recorded + filtered + sampled_out + dropped + missed + own_work + what still lies in the rings or waits for its return.
 * ProbeCounters on the Java side. */
struct up_counters {
    uint64_t hits;
    uint64_t recorded;          /* events were made of them; in the modes without events: counted */
    uint64_t filtered;          /* by the condition, the threshold, or because no recording wanted them any more */
    uint64_t sampled_out;       /* by one_of, per_second, until */
    uint64_t dropped;           /* ring full, or no ring */
    uint64_t missed;            /* caused by our own flush, or no return slot was free */
    uint64_t timed;             /* calls (kind UP_PROBE_CALL) whose duration is known and that were not filtered */
    uint64_t total_time;        /* of these, clock units */
    uint64_t max_time;
    uint64_t own_work;          /* made by the engine's own threads, and by its work on others' threads: up_own_work */
    uint64_t self_time;         /* total_time without what of it was spent in other timed calls of the same probe */
};

enum up_mode {
    UP_MODE_EVENT,
    UP_MODE_COUNT,              /* no events; calls are not awaited unless the condition or the threshold needs it */
    UP_MODE_HIST                /* no events, but durations */
};

/* Which of a probe's hits become events. ProbeSettings on the Java side. */
struct up_settings {
    int64_t threshold;          /* clock units: shorter calls are filtered. The events of the other kinds are instants, which last UP_INSTANT */
    int64_t one_of;             /* of so many hits one, drawn at random, goes on; 1: all do */
    int64_t per_second;         /* so many events at most; INT64_MAX: no limit. Java keeps threshold and this out of other modes than event */
    int64_t until;              /* so many hits, and no more; INT64_MAX: no end */
    int64_t second;             /* clock units in one */
    int32_t mode;               /* enum up_mode */
    int32_t steps;              /* of the condition that follows in memory; 0: none */
    int32_t at_return;          /* the condition needs the duration or a field that is read at the return */
    int32_t times;              /* calls that are not filtered are timed: counters timed to max_time, and up_probe_durations */
};
enum { UP_INSTANT = 1, UP_MAX_STEPS = 64, UP_MAX_STACK = 16 };

/* A condition in postfix order. An operand that could not be read is unknown; so is what is made of it, unless the other operand of && or ||
 * decides. A condition holds if it is known and not 0. Order as in Condition.Step on the Java side. */
struct up_if_step {
    uint8_t operation;          /* enum up_if */
    uint8_t zero;
    uint16_t field;
    uint32_t zero2;
    int64_t constant;
};
enum up_if {
    UP_IF_FIELD, UP_IF_CONSTANT, UP_IF_DURATION,
    UP_IF_NOT, UP_IF_INVERT, UP_IF_NEGATE,
    UP_IF_MULTIPLY, UP_IF_ADD, UP_IF_SUBTRACT,
    UP_IF_LESS, UP_IF_LESS_UNSIGNED, UP_IF_LESS_EQUAL, UP_IF_LESS_EQUAL_UNSIGNED, UP_IF_EQUAL, UP_IF_NOT_EQUAL,
    UP_IF_AND_BITS, UP_IF_XOR_BITS, UP_IF_OR_BITS, UP_IF_AND, UP_IF_OR,
    UP_IF_OPERATIONS
};

/* Durations are counted in buckets: one for each value below 2 * UP_SUB_BUCKETS, above that UP_SUB_BUCKETS for each power of two, so that the middle
 * of a bucket is at most 1 / (2 * UP_SUB_BUCKETS) off. What is longer than UP_MAX_OCTAVE says lies in the last one. */
enum { UP_SUB_BUCKETS = 64, UP_SUB_BITS = 6, UP_MAX_OCTAVE = 52, UP_BUCKETS = (UP_MAX_OCTAVE - UP_SUB_BITS + 2) * UP_SUB_BUCKETS };

/* What HotSpot tells of itself through gHotSpotVMStructs (vmStructs.cpp), gathered by Java. All offsets in bytes; -1: not told. */
struct up_vm_layout {
    int64_t thread_state;       /* from JavaThread* */
    int64_t last_java_sp;       /* from JavaThread*: JavaThread::_anchor + JavaFrameAnchor::_last_Java_sp */
    int64_t last_java_pc;
    int64_t last_java_fp;
    int64_t stack_base;
    int64_t stack_size;
    int64_t code_low;           /* CodeCache::_low_bound, _high_bound: values */
    int64_t code_high;
    int64_t interpreter_low;    /* the interpreter's StubQueue: values */
    int64_t interpreter_high;
    int64_t heaps;              /* CodeCache::_heaps: value, GrowableArray<CodeHeap*>* */
    int64_t array_length;       /* from GrowableArray* */
    int64_t array_data;
    int64_t heap_low;           /* from CodeHeap*: _memory._low */
    int64_t heap_high;
    int64_t heap_segmap;        /* from CodeHeap*: _segmap._low */
    int64_t heap_log2_segment;
    int64_t block_used;         /* from HeapBlock* */
    int64_t block_size;         /* sizeof(HeapBlock) */
    int64_t blob_name;          /* from CodeBlob* */
    int64_t nmethod_method;     /* from nmethod* */
    int64_t method_const;       /* from Method* */
    int64_t const_pool;         /* from ConstMethod* */
    int64_t pool_holder;        /* from ConstantPool* */
    int64_t klass_name;         /* from Klass* */
    int64_t symbol_length;      /* from Symbol*, u2 */
    int64_t symbol_body;
    int64_t continuation;       /* from JavaThread*: _cont_entry, null while no virtual thread's frames are on the stack */
};

enum up_mechanism { UP_BOOST, UP_EMULATE, UP_STEP };

/* What the handler does itself (mechanism emulate). a, b, c are general registers, or UP_NO_REGISTER; size is that of the operands in bytes. */
enum up_operation {
    UP_OP_NOP,
    UP_OP_JUMP,                 /* to target */
    UP_OP_JUMP_IF,              /* to target if condition: the low four bits of jcc's opcode (SDM vol. 2A, appendix B.1.4.7) */
    UP_OP_LOOP,                 /* condition 0 loopne, 1 loope, 2 loop, 3 jrcxz: the low two bits of the opcode; size 8 or 4 is rcx or ecx */
    UP_OP_CALL,                 /* target */
    UP_OP_CALL_REGISTER,        /* a */
    UP_OP_JUMP_REGISTER,        /* a */
    UP_OP_RETURN,               /* and drops immediate bytes */
    UP_OP_PUSH,                 /* a */
    UP_OP_PUSH_IMMEDIATE,
    UP_OP_POP,                  /* a */
    UP_OP_LEAVE,
    UP_OP_LEA,                  /* a = b + c * scale + immediate */
    UP_OP_MOVE,                 /* a = b */
    UP_OP_MOVE_IMMEDIATE,       /* a = immediate */
    UP_OP_NONE                  /* can not be emulated */
};
enum { UP_NO_REGISTER = 0xff };

/* A place in a slot between two of its instructions, and what a thread that stands there would be without probes. */
struct up_mark {
    uint8_t offset;             /* from the slot's first byte */
    uint8_t stack;              /* bytes that the slot has put on the stack so far */
    uint8_t where;              /* enum up_mark_where */
    uint8_t saved;              /* 1: the scratch register's own value lies at rsp */
};
enum up_mark_where { UP_AT_SITE, UP_AT_NEXT, UP_AT_TARGET };
enum { UP_MARKS = 8 };

/* How a displaced instruction is carried out (way.h). Way.java packs the same. */
struct up_way {
    uint64_t slot;              /* the key among the ways with a slot; 0: none */
    uint64_t site;
    uint64_t next;              /* behind the displaced instruction */
    uint64_t target;            /* of a branch or call */
    int64_t immediate;          /* of an operation; of a step with a scratch register: what it holds */
    uint8_t mechanism;
    uint8_t operation;
    uint8_t a, b, c, scale;
    uint8_t size;
    uint8_t condition;
    uint8_t scratch;            /* general register that stands for rip in the slot's copy, or UP_NO_REGISTER */
    uint8_t copy_length;        /* of a step: bytes of the copy */
    uint8_t code_length;        /* of the slot */
    uint8_t original;           /* the site's first byte */
    uint8_t step_flags;         /* enum up_step_flags */
    uint8_t marks;              /* how many of mark[], in order of offset */
    uint8_t loop_head;          /* 1: the site is its function's first instruction, and a branch of the function leads back to it */
    uint8_t reserved;
    struct up_mark mark[UP_MARKS];
};
enum up_step_flags {
    UP_STEP_CALL = 1,           /* the copy pushes its own address */
    UP_STEP_PUSHF = 2,          /* the copy pushes the trap flag */
    UP_STEP_POPF = 4            /* the trap flag is what the instruction made it */
};
/* Slots begin at multiples of UP_SLOT_UNIT; one may take up two units. */
enum { UP_SLOT_UNIT = 32, UP_SLOT_UNITS = 2 };

/* One decoded instruction, as up_decode packs them. InstructionTable on the Java side. */
struct up_insn {
    uint32_t offset;            /* from the start of the decoded bytes */
    uint8_t length;             /* 0: not an instruction */
    uint8_t displacement_at;    /* byte of the 4-byte rip-relative displacement inside the instruction, 0: none */
    uint16_t flags;
    int64_t target;             /* absolute address of a relative branch or rip-relative operand, else 0 */
};
enum up_insn_flags {
    UP_INSN_RIP_RELATIVE = 1,   /* memory operand relative to rip */
    UP_INSN_BRANCH = 2,         /* jmp, jcc, loop, jrcxz with a relative target */
    UP_INSN_CALL = 4,           /* any call */
    UP_INSN_RETURN = 8,
    UP_INSN_TRAP = 16,          /* int3, int1, int n, ud2 */
    UP_INSN_PRIVILEGED = 32,
    UP_INSN_SYSCALL = 64,       /* syscall, sysenter */
    UP_INSN_INDIRECT = 128,     /* jmp through a register or memory */
    UP_INSN_FAR = 256,
    UP_INSN_TRANSACTION = 512,  /* xbegin */
    UP_INSN_RELATIVE = 1024     /* any rip-dependent immediate (relative call included) */
};

/* ---- engine.c, clock.c ---- */
/* Sets up rings, thread pool and return slots; before all else. Called again, only the clock may be another. ring_bytes: power of two. use_tsc: clock is rdtsc, else
 * CLOCK_MONOTONIC through vdso_clock_gettime (0: by system call). */
UP_EXPORT int up_init(int64_t ring_bytes, int32_t ring_count, int32_t use_tsc, int64_t vdso_clock_gettime);
UP_EXPORT int64_t up_clock(void);
UP_EXPORT int64_t up_ring_memory(void);
UP_EXPORT int64_t up_ring_memory_size(void);
/* Layout numbers for the check from Java: fills out[], returns how many there are. */
UP_EXPORT int up_layout(int32_t *out, int32_t capacity);

/* ---- text.c, memory.c ---- */
UP_EXPORT int up_region_map(int64_t address, int64_t size);
/* Writes length bytes of code at address; nobody may be executing there yet. */
UP_EXPORT int up_code_write(int64_t address, const uint8_t *bytes, int32_t length);
/* length, or UP_E_GONE if some of it is not mapped. */
UP_EXPORT int up_text_read(int64_t address, uint8_t *bytes, int32_t length);
/* Memory that may not be there: 0, or -errno and bytes as they were. */
UP_EXPORT int up_memory_read(int64_t address, uint8_t *bytes, int32_t length);

/* ---- probe.c, settings.c ---- */
/* Defines probes that record alike; ids: gets their numbers, all or none. fetches: the packed up_fetch array, bytes long. offset: of their sites from the
 * beginning of their functions. with: of the same probe to the user, as the functions of a pattern are; -1: they are by themselves. */
UP_EXPORT int up_probes_define(int32_t count, int32_t kind, int32_t fields, const uint8_t *fetches, int32_t bytes, int64_t offset, int32_t with,
    int32_t *ids);
/* Nobody asks for these any more, and they are active at no site: their numbers are others' as soon as up_probes_reclaim finds that nobody refers to
 * them. -EINVAL: one of them is not defined. */
UP_EXPORT int up_probes_give_up(const int32_t *ids, int32_t count);
UP_EXPORT int up_probe_counters(int32_t probe, struct up_counters *out);
/* The sums over all of them, and the longest time. */
UP_EXPORT int up_probes_counters(const int32_t *probes, int32_t count, struct up_counters *out);
/* Of each of them, in their order. */
UP_EXPORT int up_probes_counters_each(const int32_t *probes, int32_t count, struct up_counters *out);
/* Their hits from now on are chosen by these; steps: settings->steps of them. */
UP_EXPORT int up_probes_settings(const int32_t *probes, int32_t count, const struct up_settings *settings, const uint8_t *steps);
/* The buckets of the durations of a UP_PROBE_CALL; capacity of them at most. Returns how many. */
UP_EXPORT int up_probe_durations(int32_t probe, int64_t *out, int32_t capacity);

/* ---- forget.c ---- */
/* Numbers that were given up become free if nobody refers to them. Returns how many have to wait. It is declared where it stands: it takes a JNIEnv. */

/* ---- site.c, arm.c ---- */
/* Keeps a copy of each way for good and gives it to its site, which is made if there is none at that address yet. The slots' code has been written. A site
 * that is armed keeps its way: -EBUSY. indices: gets those of the sites. */
UP_EXPORT int up_sites_define(const struct up_way *ways, int32_t count, int32_t *indices);
/* Adds or removes probes as consumers of sites, one each. The sites' text is not touched. What could not be done wholly was not done. */
UP_EXPORT int up_sites_consumers(const int32_t *sites, const int32_t *probes, int32_t count, int32_t active);
/* Writes the traps, one after the other, after comparing what is there, and ends at the first site where it can not. Returns how many sites are armed
 * now; error: why the next is not, UP_E_CHANGED, UP_E_GONE: nothing was written there. */
UP_EXPORT int up_sites_arm(const int32_t *sites, int32_t count, int32_t *error);
/* Writes the original bytes, likewise, at each site where it can. errors: gets one for each site; 0, UP_E_CHANGED, UP_E_GONE: it is not armed any more. */
UP_EXPORT int up_sites_disarm(const int32_t *sites, int32_t count, int32_t *errors);
/* The code at the site is not its library's any more: not armed from now on, nothing is written. */
UP_EXPORT int up_site_forget(int32_t site);
UP_EXPORT int up_site_armed(int32_t site);
/* The armed sites whose byte in memory is not our trap: their indices, and the bytes found. Returns how many, at most capacity. Those whose memory is
 * gone are not among them. */
UP_EXPORT int up_sites_changed(int32_t *sites, uint8_t *found, int32_t capacity);

/* ---- trap.c ---- */
/* Takes the signals that the engine needs, or takes back what somebody got past libc; opens masks. Before each transaction. */
UP_EXPORT int up_trap_install(void);
/* A hit of the site at this address without its trap, as code that jumps to the engine would make it; -ENOENT: no site is there. regs: 16 words, the
 * general registers in the order of the SDM, rsp pointing to a return address. For measurements: what is left of a hit's cost. */
UP_EXPORT int up_hit_without_trap(int64_t address, const uint64_t *regs);
/* Statistics of hard paths; TrapStatistics on the Java side. */
struct up_trap_statistics { uint64_t traps, stale, foreign, emulated, stepped; };
UP_EXPORT int up_trap_statistics(struct up_trap_statistics *out);

/* ---- signals.c ---- */
/* Address of the function that stands in for libc's; hook: SignalGuard.Hook's ordinal. -EINVAL: no such hook. */
UP_EXPORT int64_t up_signals_function(int32_t hook);
/* Where that function goes on to reach libc's own: behind the jump that leads to it, or libc's function itself, for calls that up_got_redirect leads to
 * ours. Before anybody comes there. */
UP_EXPORT int up_signals_next(int32_t hook, int64_t next);
/* From now on SIGTRAP is kept out of masks by those functions, or (0) they only pass on what they are asked. */
UP_EXPORT int up_signals_guard(int32_t on);
/* The signals that are ours in the kernel become what the program has, and what lost SIGTRAP in its sa_mask gets it back. No trap can come any more. To be
 * called once more when everybody has left the functions above. stays: one that is not given back, 0: all are. Returns how many signals stay ours, as the kernel did not let them be changed. */
UP_EXPORT int up_signals_give_back(int32_t stays);
/* How many masks SIGTRAP was kept out of so far, of those that threads set by pthread_sigmask. */
UP_EXPORT int64_t up_signals_masks_opened(void);
/* Where a slot calls that stands for a system call: signals_x86_64.S. */
UP_EXPORT int64_t up_guards_address(void);
/* Stores desired over expected, eight aligned bytes of code, by one store. UP_E_CHANGED: there was something else. */
UP_EXPORT int up_code_store(int64_t address, int64_t expected, int64_t desired);
/* Where libjvm's code lies, whose handler of SIGBUS decodes instructions. */
UP_EXPORT int up_signals_vm_text(int64_t start, int64_t end);

/* ---- got.c ---- */
/* Has the calls of all loaded libraries but libc to the function `name`, which stands at `from`, lead to `to`. is_default: 1 if ld.so would bind the
 * name to `from`, so that entries not bound yet are meant too. Returns how many entries were changed, or -errno if one could not be. */
UP_EXPORT int up_got_redirect(const char *name, int64_t from, int64_t to, int32_t is_default);

/* ---- attach.c, commit.c, awaited.c, drain.c; engine.c counts together ---- */
/* up_jvm_attach, up_commit_register and up_drain_start take JNI references: they are declared where they stand. */
UP_EXPORT int up_shadow_stack_on(void);
struct up_flush_statistics {
    uint64_t swaps;             /* return addresses of JNI calls swapped */
    uint64_t flushes;           /* flush trampolines run */
    uint64_t upcalls;
    uint64_t failed;            /* upcalls that ended with an exception */
    uint64_t refused_runtime_call, refused_state, refused_jfr, refused_stack_end, refused_state_at_return;
    uint64_t unwound;           /* return entries left behind by an exception or longjmp */
    uint64_t threads_taken, threads_recycled, threads_refused;
    uint64_t slots_refused;     /* return slots wanted when none was free */
    uint64_t abandoned;         /* records left half-written: their frame was left by siglongjmp, or their thread ended */
    uint64_t chains_refused;    /* calls that are no frames of the hits inside them: chain.h */
};
UP_EXPORT int up_flush_statistics(struct up_flush_statistics *out);
/* How many entries of the return table are taken now. */
UP_EXPORT int up_returns_awaited(void);
/* Has everything drained that is whole now and waits for it: 0 when done, -ETIMEDOUT. all != 0 takes records of unfinished JNI calls too. */
UP_EXPORT int up_drain_now(int32_t all, int64_t timeout_ns);

/* The drain thread ends: whoever lent it its name joins it. */
UP_EXPORT int up_drain_stop(void);
/* The memory of rings that hold nothing goes back to the kernel; nobody records any more. Returns how many rings hold something, or may be written to. */
UP_EXPORT int up_rings_rest(void);
/* The VM tells us of threads no more; up_jvm_attach begins anew. */
UP_EXPORT int up_jvm_detach(void);

/* Grows whenever the dynamic linker loads or unloads a library in this process: while it is the same, so are they. */
UP_EXPORT int64_t up_library_changes(void);
/* The calling thread begins (1) or ends (-1) work of the engine's, which may nest: its hits meanwhile are counted as that. -1: it has no up_thread, and
 * what it hits is dropped. A thread, not the fiber that runs on it: between the two it must not change. */
UP_EXPORT int up_own_work(int32_t change);
/* Where the caller returns to: from Java an address in the library of the JNA that the engine uses, whatever its file is called. */
UP_EXPORT int64_t up_caller(void);

/* ---- tasks.c ---- */
/* The signal masks of this process's threads, and the signals that wait for each, as the kernel has them. Returns how many threads there are, of which at
 * most capacity are told, or -errno. */
UP_EXPORT int up_tasks_masks(int64_t *tids, int64_t *masks, int64_t *pending, int32_t capacity);

/* ---- decode_x86_64.c ---- */
/* An address in the decoder's library. */
UP_EXPORT int64_t up_decoder(void);
UP_EXPORT int up_decode(const uint8_t *bytes, int32_t length, int64_t address, struct up_insn *out, int32_t capacity);
/* The same for several pieces of code that lie one behind the other in bytes but each at an address of its own. Offsets of rows are from the beginning of
 * their piece. */
UP_EXPORT int up_decode_pieces(const uint8_t *bytes, const int32_t *lengths, const int64_t *addresses, int32_t pieces, struct up_insn *out,
    int32_t capacity);
/* Straight code from from[i] to ends[i], ascending, becomes shorter where a direct branch in these bytes leads into it: from[i] is then the last such
 * target. */
UP_EXPORT int up_straight(const uint8_t *bytes, int32_t length, int64_t address, const int64_t *ends, int64_t *from, int32_t count);
/* The same for whatever looks like a branch with an offset of four bytes, at any byte: of all of a library's text in no time, and what is none lands there
 * next to never. */
UP_EXPORT int up_straight_far(const uint8_t *bytes, int32_t length, int64_t address, const int64_t *ends, int64_t *from, int32_t count);
/* Offsets of 0f 05, syscall, in these bytes, wherever instructions begin. Returns how many there are, of which at most capacity are told. */
UP_EXPORT int up_calls_find(const uint8_t *bytes, int32_t length, int32_t *at, int32_t capacity);
/* 1 if code in [from, to) may make a system call of one of these numbers: it moves the number into a register and, soon after, makes some call. 0 if
 * not, or -errno. */
UP_EXPORT int up_may_call(int64_t from, int64_t to, const int32_t *numbers, int32_t count);

/* What the planner asks about one instruction. InstructionDetail on the Java side, same order. */
struct up_detail {
    uint8_t operation;          /* enum up_operation; the next six as in struct up_way */
    uint8_t a, b, c, scale;
    uint8_t size;
    uint8_t condition;
    uint8_t step_flags;
    int64_t immediate;
    uint16_t used;              /* general registers that it reads or writes, hidden ones too: bit n is register n */
    uint8_t modrm_at;           /* offsets inside the instruction; 0: there is none, as no instruction begins with them */
    uint8_t prefix_at;          /* of the REX, VEX, EVEX or XOP prefix */
    uint8_t prefix;             /* enum up_prefix */
    uint8_t memory;             /* has a memory operand */
    uint8_t hazards;            /* enum up_hazard */
    uint8_t opcode;             /* the last byte of it, before ModRM */
};
enum up_prefix { UP_PREFIX_NONE, UP_PREFIX_REX, UP_PREFIX_VEX2, UP_PREFIX_LONG };  /* LONG: VEX of three bytes, XOP, EVEX: B is inverted in byte 1 */
enum up_hazard {
    UP_HAZARD_SHORT_BRANCH = 1, /* 66 without REX.W on a near branch: Intel ignores it, AMD cuts rip to 16 bits (APM vol. 3, 1.2.4) */
    UP_HAZARD_NO_STEP = 2       /* holds off or ends the trap of a single step: mov ss, pop ss, syscall, sysenter, int */
};
UP_EXPORT int up_uses_return_address(const uint8_t *bytes, int32_t length);
UP_EXPORT int up_describe(const uint8_t *bytes, int32_t length, struct up_detail *out);

/* What is to be known of a function whose entry is probed. Entries on the Java side, same order. */
struct up_entry {
    int64_t start;              /* asked for: address of its first byte */
    int64_t end;                /* and behind its last */
    struct up_insn first;       /* its first instruction; length 0: there is none */
    struct up_detail detail;
    uint8_t bytes[15];          /* of that */
    uint8_t uses_return_address;
    uint8_t loop_head;          /* as in struct up_way */
    uint8_t reserved[7];
};
/* Looks at many functions in one text, which was read at address and has length bytes, without any trap in it. Entries that do not lie inside have no first
 * instruction. */
UP_EXPORT int up_survey(int64_t text, int64_t length, int64_t address, struct up_entry *entries, int32_t count);

#endif
