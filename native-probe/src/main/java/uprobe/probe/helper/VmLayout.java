package uprobe.probe.helper;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.HashMap;
import java.util.Map;

/**
 * What HotSpot tells of its own structures, as {@code struct up_vm_layout} wants it. HotSpot exports tables of field offsets for debuggers
 * (vmStructs.cpp: {@code gHotSpotVMStructs}, {@code gHotSpotVMTypes}); names that moved between releases are looked up under each name they had.
 */
public final class VmLayout {
    /** 64-bit words of {@code struct up_vm_layout}. */
    public static final int WORDS = 28;
    private static final long UNKNOWN = -1;
    /** Words of {@code up_vm_layout}: heaps .. block_size. */
    private static final int HEAPS = 10, LAST_OF_HEAPS = 18;

    private final NativeLibrary jvm;
    /** "Type::field" to its offset, or for static fields its address. */
    private final Map<String, Long> fields = new HashMap<>();
    private final Map<String, Long> sizes = new HashMap<>();

    private VmLayout(String libjvm) {
        jvm = NativeLibrary.getInstance(libjvm);
        readFields();
        readSizes();
    }

    /**
     * @param libjvm path of the running VM's library
     * @throws UnsatisfiedLinkError if the library exports no such tables: not a HotSpot VM
     */
    public static Memory of(String libjvm) {
        return new VmLayout(libjvm).words();
    }

    private long global(String name) {
        return jvm.getGlobalVariableAddress(name).getLong(0);
    }

    private void readFields() {
        Pointer row = new Pointer(global("gHotSpotVMStructs"));
        long stride = global("gHotSpotVMStructEntryArrayStride"), type = global("gHotSpotVMStructEntryTypeNameOffset");
        long field = global("gHotSpotVMStructEntryFieldNameOffset"), isStatic = global("gHotSpotVMStructEntryIsStaticOffset");
        long offset = global("gHotSpotVMStructEntryOffsetOffset"), address = global("gHotSpotVMStructEntryAddressOffset");
        for (; row.getPointer(type) != null && row.getPointer(field) != null; row = row.share(stride)) {
            String name = row.getPointer(type).getString(0) + "::" + row.getPointer(field).getString(0);
            fields.put(name, row.getInt(isStatic) != 0 ? row.getLong(address) : row.getLong(offset));
        }
    }

    private void readSizes() {
        Pointer row = new Pointer(global("gHotSpotVMTypes"));
        long stride = global("gHotSpotVMTypeEntryArrayStride"), type = global("gHotSpotVMTypeEntryTypeNameOffset");
        long size = global("gHotSpotVMTypeEntrySizeOffset");
        for (; row.getPointer(type) != null; row = row.share(stride)) {
            sizes.put(row.getPointer(type).getString(0), row.getLong(size));
        }
    }

    private long offset(String... names) {
        for (String name : names) {
            Long found = fields.get(name);
            if (found != null) {
                return found;
            }
        }
        return UNKNOWN;
    }

    /** Offset of a field of a structure embedded at another field. */
    private long nested(long outer, long inner) {
        return outer == UNKNOWN || inner == UNKNOWN ? UNKNOWN : outer + inner;
    }

    private long staticWord(String name) {
        Long address = fields.get(name);
        return address == null ? UNKNOWN : new Pointer(address).getLong(0);
    }

    private Memory words() {
        long anchor = offset("JavaThread::_anchor", "Thread::_anchor");
        long memory = offset("CodeHeap::_memory"), segmap = offset("CodeHeap::_segmap");
        long low = offset("VirtualSpace::_low"), high = offset("VirtualSpace::_high");
        long stubs = staticWord("AbstractInterpreter::_code");
        long stubBuffer = offset("StubQueue::_stub_buffer"), stubLimit = offset("StubQueue::_buffer_limit");
        boolean interpreter = stubs > 0 && stubBuffer != UNKNOWN && stubLimit != UNKNOWN;
        long interpreterLow = interpreter ? new Pointer(stubs).getLong(stubBuffer) : UNKNOWN;
        long[] words = {
            offset("JavaThread::_thread_state"),
            nested(anchor, offset("JavaFrameAnchor::_last_Java_sp")),
            nested(anchor, offset("JavaFrameAnchor::_last_Java_pc")),
            nested(anchor, offset("JavaFrameAnchor::_last_Java_fp")),
            offset("JavaThread::_stack_base", "Thread::_stack_base"),
            offset("JavaThread::_stack_size", "Thread::_stack_size"),
            staticWord("CodeCache::_low_bound"),
            staticWord("CodeCache::_high_bound"),
            interpreterLow,
            interpreter ? interpreterLow + new Pointer(stubs).getInt(stubLimit) : UNKNOWN,
            staticWord("CodeCache::_heaps"),
            offset("GrowableArrayBase::_len"),
            offset("GrowableArray<int>::_data"),
            nested(memory, low),
            nested(memory, high),
            nested(segmap, low),
            offset("CodeHeap::_log2_segment_size"),
            nested(offset("HeapBlock::_header"), offset("HeapBlock::Header::_used")),
            sizes.getOrDefault("HeapBlock", UNKNOWN),
            offset("CodeBlob::_name"),
            offset("nmethod::_method", "CompiledMethod::_method"),
            offset("Method::_constMethod"),
            offset("ConstMethod::_constants"),
            offset("ConstantPool::_pool_holder"),
            offset("Klass::_name"),
            offset("Symbol::_length"),
            offset("Symbol::_body"),
            offset("JavaThread::_cont_entry"),
        };
        /* The code heaps can be searched only if all that is needed for it is told. */
        for (int i = HEAPS + 1; i <= LAST_OF_HEAPS; i++) {
            words[HEAPS] = words[i] == UNKNOWN ? UNKNOWN : words[HEAPS];
        }
        Memory memoryOfC = new Memory((long) WORDS * Long.BYTES);
        memoryOfC.write(0, words, 0, WORDS);
        return memoryOfC;
    }
}
