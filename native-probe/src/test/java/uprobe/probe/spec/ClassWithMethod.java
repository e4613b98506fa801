package uprobe.probe.spec;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/* The smallest class with one method, public abstract void NAME(), written by hand (JVMS 4.1): asks the JVM whether a name may be one. */
final class ClassWithMethod {
    private ClassWithMethod() {
    }

    static Class<?> named(String className, String methodName) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(0xcafebabe);
        out.writeInt(61);
        out.writeShort(7);
        utf8(out, className);
        classOf(out, 1);
        utf8(out, "java/lang/Object");
        classOf(out, 3);
        utf8(out, methodName);
        utf8(out, "()V");
        out.writeShort(0x0421);     // ACC_PUBLIC, ACC_SUPER, ACC_ABSTRACT
        out.writeShort(2);          // this
        out.writeShort(4);          // super
        out.writeShort(0);          // interfaces
        out.writeShort(0);          // fields
        out.writeShort(1);          // methods
        out.writeShort(0x0401);     // ACC_PUBLIC, ACC_ABSTRACT
        out.writeShort(5);
        out.writeShort(6);
        out.writeShort(0);
        out.writeShort(0);
        byte[] code = bytes.toByteArray();
        return new ClassLoader(null) {
            Class<?> define() {
                return defineClass(null, code, 0, code.length);
            }
        }.define();
    }

    private static void utf8(DataOutputStream out, String text) throws IOException {
        out.writeByte(1);
        out.writeUTF(text);
    }

    private static void classOf(DataOutputStream out, int name) throws IOException {
        out.writeByte(7);
        out.writeShort(name);
    }
}
