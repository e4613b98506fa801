package shop;

/** Scaled by {@link Scaler}. */
final class Pictures {
    private static final int WIDTH = 320, PREVIEW = 64;
    private int round;

    Void work() {
        show();
        if (++round % 4 == 0) {
            preview();
        }
        return null;
    }

    private int show() {
        return Scaler.scale(WIDTH + round % 7, false);
    }

    /** Never given back. */
    private int preview() {
        return Scaler.scale(PREVIEW, true);
    }
}
