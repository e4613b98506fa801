package uprobe.probe;

/** Native methods found by their names in libodd.so, with nothing between them and the JVM. */
final class NativeMethod {
    static {
        System.load(Odd.folder().resolve("libodd.so").toString());
    }

    static native long twice(long n);
    static native long calls(long n);

    private NativeMethod() {}
}
