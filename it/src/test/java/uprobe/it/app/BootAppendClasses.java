package uprobe.it.app;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Loads classes from -Xbootclasspath/a while objects move. The JVM itself reads them: it runs libzip's inflate in state "in native" above a
 * runtime call, where there is no JNI call that could be returned to. Even classes are resolved by a {@code new} in bytecode, odd ones by
 * Class.forName, below whose native method the same happens.
 *
 * <p>Argument: the number of classes in the jar of {@link MakeBootJar}.
 */
public final class BootAppendClasses {
    private BootAppendClasses() {
    }

    public static void main(String[] args) throws Throwable {
        int classes = Fixture.argument(args, 0, 500);
        Class<?> caller = Class.forName(MakeBootJar.CALLER.replace('/', '.'), true, null);
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        MethodType number = MethodType.methodType(long.class);
        Churn.during(() -> {
            for (int k = 0; k < classes; k++) {
                MethodHandle ask = k % 2 == 0 ? lookup.findStatic(caller, "number" + k, number)
                        : lookup.findStatic(Class.forName((MakeBootJar.NUMBERED + k).replace('/', '.'), true, null), "number", number);
                // some garbage between the load and the answer: what the load left on the stack must have been found by the collector
                Object[] live = new Object[1000];
                for (int i = 0; i < live.length; i++) {
                    live[i] = new long[] { i };
                }
                Fixture.same(MakeBootJar.numberOf(k), (long) ask.invokeExact(), "class " + k);
                Fixture.same(live.length - 1, ((long[]) live[live.length - 1])[0], "an object beside class " + k);
            }
        });
        System.out.println("expected classes " + classes);
        Fixture.ok();
    }
}
