package uprobe.probe;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A static method without parameters that {@link ChildJvm} runs in a JVM of its own making, since a process has one engine and can die of it. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Scenario {
    /** A process for this method only: it changes what belongs to the whole process. */
    boolean alone() default false;

    /** What the process must end with; another value than 0 means that the method must not return. 128 + n: killed by signal n. */
    int exit() default 0;

    /** On the running JDK only: it is slow, and what it shows is the helper's or the kernel's doing on any of them. */
    boolean oneJdk() default false;
}
