package shop;

/** The shop's own native code, libshop.so. */
final class Scaler {
    static {
        System.load(System.getProperty("native.dir") + "/libshop.so");
    }

    /** Returns the bytes of the scaled picture; 0: there is no memory. {@code keeps}: it stays there. */
    static native int scale(int width, boolean keeps);

    private Scaler() {}
}
