package uprobe.probe;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** The engine at work, in JVMs of its own: on each JDK that is installed. */
class ProbeEngineTest {
    @TestFactory
    List<DynamicNode> valuesAndState() throws IOException {
        return ChildJvm.tests(ValueScenarios.class);
    }

    @TestFactory
    List<DynamicNode> settings() throws IOException {
        return ChildJvm.tests(SettingsScenarios.class);
    }

    @TestFactory
    List<DynamicNode> returns() throws IOException {
        return ChildJvm.tests(ReturnScenarios.class);
    }

    @TestFactory
    List<DynamicNode> chains() throws IOException {
        return ChildJvm.tests(ChainScenarios.class);
    }

    @TestFactory
    List<DynamicNode> leavings() throws IOException {
        return ChildJvm.tests(LeavingScenarios.class, StepScenarios.class);
    }

    @TestFactory
    List<DynamicNode> traps() throws IOException {
        return ChildJvm.tests(TrapScenarios.class);
    }

    @TestFactory
    List<DynamicNode> signals() throws IOException {
        return ChildJvm.tests(SignalScenarios.class);
    }

    @TestFactory
    List<DynamicNode> refusals() throws IOException {
        return ChildJvm.tests(RefusalScenarios.class);
    }

    @TestFactory
    List<DynamicNode> oddities() throws IOException {
        return ChildJvm.tests(OddityScenarios.class);
    }

    @TestFactory
    List<DynamicNode> rings() throws IOException {
        return ChildJvm.tests(RingScenarios.class);
    }

    @TestFactory
    List<DynamicNode> lifetimes() throws IOException {
        return ChildJvm.tests(LifetimeScenarios.class);
    }

    @TestFactory
    List<DynamicNode> forgetting() throws IOException {
        return ChildJvm.tests(ForgetScenarios.class);
    }

    @TestFactory
    List<DynamicNode> closing() throws IOException {
        return ChildJvm.tests(CloseScenarios.class);
    }

    @TestFactory
    List<DynamicNode> forks() throws IOException {
        return ChildJvm.tests(ForkScenarios.class);
    }
}
