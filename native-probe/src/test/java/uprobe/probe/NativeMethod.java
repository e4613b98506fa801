package uprobe.probe;

/** Native methods found by their names in libodd.so, with nothing between them and the JVM. */
final class NativeMethod {
    static {
        System.load(Odd.folder().resolve("libodd.so").toString());
    }

    static native long twice(long n);
    static native long calls(long n);

    private NativeMethod() {}

    /** Forks; returns in both processes. */
    static native long forks(long how);

    /** Ends the process with 9 if it is another one. */
    static native void onlyIn(long pid);

    /** Ends the process at once, unless the status is negative. */
    static native void leaves(int status);
}
