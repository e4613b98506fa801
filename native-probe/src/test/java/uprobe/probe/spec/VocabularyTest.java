package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class VocabularyTest {
    @ParameterizedTest
    @CsvSource({"1,RDI,7", "2,RSI,6", "3,RDX,2", "4,RCX,1", "5,R8,8", "6,R9,9"})
    void findsArgumentsWhereThePsabiPutsThem(int argument, MachineRegister register, int number) {
        assertEquals(register, new Fetch.Argument(argument).register());
        assertEquals(number, register.number());
    }

    @ParameterizedTest
    @CsvSource({"RAX,0", "RCX,1", "RDX,2", "RBX,3", "RSP,4", "RBP,5", "RSI,6", "RDI,7", "R8,8", "R15,15"})
    void numbersRegistersAsTheInstructionSetDoes(MachineRegister register, int number) {
        assertEquals(number, register.number());
    }

    @ParameterizedTest
    @EnumSource(MachineRegister.class)
    void namesRegistersInFullAndAsTheKernelDoes(MachineRegister register) {
        assertEquals(Optional.of(register), MachineRegister.named(register.text()));
        assertEquals(Optional.of(register), MachineRegister.named(register.text().replaceFirst("^r(?=[a-z])", "")));
        assertEquals("%" + register.name().toLowerCase(java.util.Locale.ROOT), register.toString());
    }

    @Test
    void refusesAnArgumentThatIsOnTheStack() {
        assertEquals("argument 7 is not in a register; 1 to 6 are",
                assertThrows(IllegalArgumentException.class, () -> new Fetch.Argument(7)).getMessage());
    }

    @ParameterizedTest
    @CsvSource({"U8,1,false,false", "U64,8,false,false", "S16,2,true,false", "S32,4,true,false", "X32,4,false,true", "X64,8,false,true"})
    void knowsWhatATypeIs(ValueType type, int size, boolean signed, boolean hex) {
        assertEquals(size, type.size());
        assertEquals(signed, type.signed());
        assertEquals(hex, type.hex());
    }

    @ParameterizedTest
    @CsvSource({"record,record,0", "recrod,record,1", "recor,record,1", "recordd,record,1", "rekord,record,1", "abc,xyz,3", "'',abc,3"})
    void countsSlipsOfAFinger(String word, String meant, int slips) {
        assertEquals(slips, Nearest.distance(word, meant));
    }

    @Test
    void guessesOnlyWhatIsNear() {
        assertEquals(Optional.of("record"), Nearest.to("recrod", List.of("quiet", "record")));
        assertEquals(Optional.empty(), Nearest.to("xyz", List.of("quiet", "record")));
        assertEquals(Optional.of("quiet"), Nearest.atAnyDistance("xyz", List.of("quiet", "record")));
        assertEquals(Optional.empty(), Nearest.atAnyDistance("xyz", List.of()));
    }
}
