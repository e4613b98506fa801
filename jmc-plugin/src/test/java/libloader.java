import uprobe.jmc.recording.Events;

/**
 * A class loader whose loadClass commits an event. Class.forName0 is a native method and calls it from C, so below the top frame
 * the stack is a real native method's, as under a real probe: no compiler needed.
 */
public final class libloader extends ClassLoader {

    @Override
    public Class<?> loadClass(String name) throws ClassNotFoundException {
        Events.LoadClass event = new Events.LoadClass();
        event.begin();
        long end = System.nanoTime() + 3_000_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        event.commit();
        return super.loadClass(name);
    }
}
