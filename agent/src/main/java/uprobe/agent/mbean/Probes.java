package uprobe.agent.mbean;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import uprobe.agent.console.Lines;
import uprobe.agent.verb.Target;
import uprobe.agent.verb.Verb;
import uprobe.agent.verb.Verbs;
import uprobe.agent.verb.Version;

/** Registered with the platform's MBean server as soon as somebody else has made that: who makes it first chooses its builder, and has the logging begin. */
public final class Probes implements ProbesMBean {
    public static final String NAME = "uprobe:type=Probes";

    private final Target target;

    private Probes(Target target) {
        this.target = target;
    }

    /**
     * Returns whether it is registered now; false: there is no platform MBean server yet.
     *
     * @throws IllegalStateException if the server refuses it
     */
    public static boolean register(Target target) {
        try {
            Optional<MBeanServer> platform = platform();
            if (platform.isPresent() && !platform.get().isRegistered(new ObjectName(NAME))) {
                platform.get().registerMBean(new Probes(target), new ObjectName(NAME));
            }
            return platform.isPresent();
        } catch (JMException e) {       /* whoever calls is loaded where there may be no JMX: its verification would load this class */
            throw new IllegalStateException(e);
        }
    }

    /** @throws IllegalStateException if the server keeps it */
    public static void unregister() {
        try {
            Optional<MBeanServer> platform = platform();
            if (platform.isPresent() && platform.get().isRegistered(new ObjectName(NAME))) {
                platform.get().unregisterMBean(new ObjectName(NAME));
            }
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The one that has the JVM's own MBeans; an application may make others. */
    private static Optional<MBeanServer> platform() throws JMException {
        ObjectName runtime = new ObjectName(ManagementFactory.RUNTIME_MXBEAN_NAME);
        return MBeanServerFactory.findMBeanServer(null).stream().filter(server -> server.isRegistered(runtime)).findFirst();
    }

    @Override
    public String getVersion() {
        return Version.TEXT;
    }

    @Override
    public String execute(String line) {
        StringBuilder said = new StringBuilder(), problems = new StringBuilder();
        try {
            List<String> words = Verbs.words(line == null || line.isBlank() || line.strip().equals("help") ? "--help" : line);
            int code = Verbs.execute(words, target, new Lines(text -> said.append(text).append('\n'), text -> problems.append(text).append('\n')), false);
            if (code != Verb.OK) {
                throw new IllegalStateException(problems.append(said).toString().strip());
            }
            return said.append(problems).toString();
        } catch (IllegalStateException e) {
            throw e;
        } catch (Exception | LinkageError e) {
            throw new IllegalStateException(problems + Lines.said(e));      /* no cause: the other side has none of our classes */
        }
    }
}
