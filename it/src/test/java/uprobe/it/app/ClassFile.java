package uprobe.it.app;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Random;

/**
 * Class files assembled by hand: no compiler needed in the child. Format 49 (Java 5), which asks for no stack maps.
 * JVMS chapter 4, The class File Format.
 */
final class ClassFile {
    private static final int MAGIC = 0xcafebabe, MAJOR = 49;
    private static final int PUBLIC_SUPER = 0x21, PUBLIC = 1, PUBLIC_STATIC = 9;
    private static final int UTF8 = 1, LONG = 5, CLASS = 7, METHOD_REF = 10, NAME_AND_TYPE = 12;

    private final ByteArrayOutputStream poolBytes = new ByteArrayOutputStream();
    private final DataOutputStream pool = new DataOutputStream(poolBytes);
    private final ByteArrayOutputStream methodBytes = new ByteArrayOutputStream();
    private final DataOutputStream methods = new DataOutputStream(methodBytes);
    private final int self, parent, objectInit, code;
    private int next = 1;
    private int methodCount;

    private ClassFile(String internalName) throws IOException {
        self = type(internalName);
        parent = type("java/lang/Object");
        objectInit = method("java/lang/Object", "<init>", "()V");
        code = utf8("Code");
    }

    /**
     * A class with a constructor and {@code static long number()}.
     *
     * @param filler bytes of text in the constant pool, half of it random: work for inflate
     */
    static byte[] withNumber(String internalName, long number, int filler) throws IOException {
        ClassFile file = new ClassFile(internalName);
        file.constructor();
        int constant = file.longConstant(number);
        // 14 idx    ldc2_w number     ad    lreturn
        file.add(PUBLIC_STATIC, "number", "()J", 2, 0, new byte[] { 0x14, (byte) (constant >> 8), (byte) constant, (byte) 0xad });
        Random random = new Random(number);
        for (int i = 0; i < filler; i += 64) {
            file.utf8("text that repeats in every class, " + Long.toHexString(random.nextLong()) + Long.toHexString(i));
        }
        return file.bytes();
    }

    /**
     * A class with {@code static long numberK()} for each K below count: makes an instance of class prefix + K - resolved by the JVM inside
     * a call from interpreted or compiled code - and returns that class's number.
     */
    static byte[] callerOf(String internalName, String prefix, int count) throws IOException {
        ClassFile file = new ClassFile(internalName);
        file.constructor();
        for (int k = 0; k < count; k++) {
            int type = file.type(prefix + k), init = file.method(prefix + k, "<init>", "()V");
            int number = file.method(prefix + k, "number", "()J");
            file.add(PUBLIC_STATIC, "number" + k, "()J", 2, 0, new byte[] {
                (byte) 0xbb, (byte) (type >> 8), (byte) type,       // new prefixK
                (byte) 0xb7, (byte) (init >> 8), (byte) init,       // invokespecial <init>
                (byte) 0xb8, (byte) (number >> 8), (byte) number,   // invokestatic number
                (byte) 0xad,                                        // lreturn
            });
        }
        return file.bytes();
    }

    private void constructor() throws IOException {
        // 2a aload_0   b7 idx invokespecial Object.<init>   b1 return
        add(PUBLIC, "<init>", "()V", 1, 1, new byte[] { 0x2a, (byte) 0xb7, (byte) (objectInit >> 8), (byte) objectInit, (byte) 0xb1 });
    }

    private void add(int access, String name, String descriptor, int stack, int locals, byte[] body) throws IOException {
        methods.writeShort(access);
        methods.writeShort(utf8(name));
        methods.writeShort(utf8(descriptor));
        methods.writeShort(1);
        methods.writeShort(code);
        methods.writeInt(2 + 2 + 4 + body.length + 2 + 2);
        methods.writeShort(stack);
        methods.writeShort(locals);
        methods.writeInt(body.length);
        methods.write(body);
        methods.writeShort(0); // exception table
        methods.writeShort(0); // attributes
        methodCount++;
    }

    private byte[] bytes() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeShort(0);
        out.writeShort(MAJOR);
        out.writeShort(next);
        poolBytes.writeTo(out);
        out.writeShort(PUBLIC_SUPER);
        out.writeShort(self);
        out.writeShort(parent);
        out.writeShort(0); // interfaces
        out.writeShort(0); // fields
        out.writeShort(methodCount);
        methodBytes.writeTo(out);
        out.writeShort(0); // attributes
        return bytes.toByteArray();
    }

    private int utf8(String text) throws IOException {
        pool.writeByte(UTF8);
        pool.writeUTF(text);
        return next++;
    }

    private int type(String internalName) throws IOException {
        int name = utf8(internalName);
        pool.writeByte(CLASS);
        pool.writeShort(name);
        return next++;
    }

    private int method(String type, String name, String descriptor) throws IOException {
        int owner = type(type), nameIndex = utf8(name), descriptorIndex = utf8(descriptor);
        pool.writeByte(NAME_AND_TYPE);
        pool.writeShort(nameIndex);
        pool.writeShort(descriptorIndex);
        int nameAndType = next++;
        pool.writeByte(METHOD_REF);
        pool.writeShort(owner);
        pool.writeShort(nameAndType);
        return next++;
    }

    /** A long takes two entries of the pool (JVMS 4.4.5). */
    private int longConstant(long value) throws IOException {
        pool.writeByte(LONG);
        pool.writeLong(value);
        next += 2;
        return next - 2;
    }
}
