package uprobe.it.app;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;

/** Uses a JNA of its own, beside the agent's. */
public final class OwnJna {
    public static final int CALLS = 25;

    public static void main(String[] args) {
        Function labs = NativeLibrary.getInstance("c").getFunction("labs");
        for (long i = 0; i < CALLS; i++) {
            Fixture.same(i, labs.invokeLong(new Object[] {-i}), "labs");
        }
        Fixture.ok();
    }

    private OwnJna() {}
}
