package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/* One mistake, one test, the whole sentence. The same sentences are in docs/probe-language.md, which ProbeLanguagePageTest holds true. */
class ProbeMistakesTest {
    private static final String REGISTERS = "%rax %rcx %rdx %rbx %rsp %rbp %rsi %rdi %r8 %r9 %r10 %r11 %r12 %r13 %r14 %r15";
    private static final String TYPES = "u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64";

    private static void mistake(String text, String message) {
        assertEquals(message, assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse(text)).getMessage());
    }

    @Test
    void saysWhatAProbeIsWhenThereIsNone() {
        mistake("",
                "column 1: the probe is empty; a probe is TYPE[:[GROUP/]EVENT] LIBRARY:TARGET [FIELD...] [if "
                + "CONDITION] [OPTION=VALUE...], e.g. p libz:deflate");
    }

    @Test
    void refusesAnUnknownType() {
        mistake("x libz:deflate",
                "column 1: unknown probe type 'x'; a probe begins with p (entry), r (return) or c (call), e.g. p "
                + "libz:deflate");
    }

    @Test
    void refusesALibraryWhereTheTypeBelongs() {
        mistake("libz:deflate",
                "column 1: unknown probe type 'libz'; a probe begins with p (entry), r (return) or c (call), e.g. p "
                + "libz:deflate");
    }

    @Test
    void translatesTheWordReturnIntoItsLetter() {
        mistake("return libz:deflate",
                "column 1: unknown probe type 'return'; write r");
    }

    @Test
    void hasNoUseForMaxactive() {
        mistake("r10:zlib/deflate libz:deflate",
                "column 2: a number after the type (the kernel's MAXACTIVE) is not needed; write r");
    }

    @Test
    void missesTheEventAfterTheColon() {
        mistake("p: libz:deflate",
                "column 3: EVENT is missing after ':'; write e.g. p:zlib/deflate, or p alone to name the event after "
                + "the symbol");
    }

    @Test
    void missesTheEventAfterTheSlash() {
        mistake("p:zlib/ libz:deflate",
                "column 8: EVENT is missing after '/'; write GROUP/EVENT, or EVENT alone");
    }

    @Test
    void missesTheGroupBeforeTheSlash() {
        mistake("p:/deflate libz:deflate",
                "column 3: GROUP is missing before '/'; write GROUP/EVENT, or EVENT alone");
    }

    @Test
    void refusesASecondSlashInTheName() {
        mistake("p:a/b/c libz:deflate",
                "column 6: a second '/' in the event's name; write GROUP/EVENT");
    }

    @Test
    void seesThatTheBlankAfterTheTypeIsMissing() {
        mistake("p:libz:deflate",
                "column 7: a second ':' in 'p:libz:deflate'; between the type and LIBRARY:TARGET stands a blank, "
                + "e.g. p libz:deflate");
    }

    @Test
    void refusesAGroupThatIsNoIdentifier() {
        mistake("p:my-app/deflate libz:deflate",
                "column 3: group 'my-app' is not a Java identifier; write e.g. my_app");
    }

    @Test
    void refusesAnEventThatIsAKeyword() {
        mistake("p:zlib/new libz:deflate",
                "column 8: event 'new' is a Java keyword; write e.g. new_");
    }

    @Test
    void refusesAnEventThatBeginsWithADigit() {
        mistake("p:7zip libz:deflate",
                "column 3: event '7zip' is not a Java identifier; write e.g. _7zip");
    }

    @Test
    void refusesTheNameOfAnEventOfTheAgentAsGroup() {
        mistake("p:ProbeArmed/x libz:deflate",
                "column 3: group 'ProbeArmed' is reserved, because uprobe.ProbeArmed is an event of the agent; "
                + "choose another name, e.g. ProbeArmed_");
    }

    @Test
    void saysWhatIsMissingWhenTheTextWasCutOffAtABlank() {
        mistake("c:zlib/deflate",
                "column 15: LIBRARY:TARGET is missing after 'c:zlib/deflate'; a probe is TYPE[:[GROUP/]EVENT] "
                + "LIBRARY:TARGET [FIELD...] [if CONDITION] [OPTION=VALUE...], e.g. p libz:deflate; if the rest was lost at a blank, quote the whole "
                + "probe or use @file");
    }

    @Test
    void missesTheColonAfterTheLibrary() {
        mistake("p libz",
                "column 7: ':' and the function are missing after 'libz'; write LIBRARY:TARGET, e.g. libz:deflate");
    }

    @Test
    void missesTheLibrary() {
        mistake("p :deflate",
                "column 3: LIBRARY is missing before ':'; write e.g. libz:deflate, or * for every library");
    }

    @Test
    void missesTheTarget() {
        mistake("p libz:",
                "column 8: TARGET is missing after ':'; write a function's name, e.g. libz:deflate");
    }

    @Test
    void refusesABraceThatIsNotClosed() {
        mistake("p {libz,libzip:deflate",
                "column 3: '{' in LIBRARY is not closed; write {a,b}, or \\{ for the character itself");
    }

    @Test
    void refusesABraceThatWasNotOpened() {
        mistake("p libz}:deflate",
                "column 7: '}' in LIBRARY has no '{' before it; write {a,b}, or \\} for the character itself");
    }

    @Test
    void refusesASetThatIsNotClosed() {
        mistake("p libz[12:deflate",
                "column 7: '[' in LIBRARY is not closed; write [abc], or \\[ for the character itself");
    }

    @Test
    void refusesARangeThatIsBackwards() {
        mistake("p libz[9-0]:deflate",
                "column 7: the range '9-0' in LIBRARY is backwards; write the lower character first");
    }

    @Test
    void refusesALibraryOfNothing() {
        mistake("p {,}:deflate",
                "column 3: LIBRARY '{,}' matches nothing; name a file, e.g. libz");
    }

    @Test
    void refusesQuotesAroundAPartOfTheLibrary() {
        mistake("p 'my'lib.so:f",
                "column 3: quotes must go around the whole of LIBRARY; write e.g. 'my lib.so':f");
    }

    @Test
    void missesTheClosingQuote() {
        mistake("p libz:'deflate",
                "column 8: the quote ' is not closed; put another ' behind the name");
    }

    @Test
    void refusesAnEmptyQuotedSymbol() {
        mistake("p libz:''",
                "column 8: the symbol between the quotes is empty; write a function's name, e.g. libz:deflate");
    }

    @Test
    void refusesTextBehindAQuotedSymbol() {
        mistake("p libz:'deflate'x",
                "column 17: only +OFFSET or a blank may follow a quoted symbol, found 'x'");
    }

    @Test
    void wantsQuotesAroundParentheses() {
        mistake("p librocksdbjni:rocksdb::DB::Get(int)",
                "column 33: '(' in a symbol; put a C++ name with parentheses or blanks into quotes, e.g. "
                + "'rocksdb::DB::Get(int)'");
    }

    @Test
    void wantsQuotesAroundACommaInATemplate() {
        mistake("p libfoo:f<int,char>",
                "column 11: '<' in a symbol is not closed; put a C++ name with commas or blanks into quotes, e.g. "
                + "'f(std::pair<int, int>)'");
    }

    @Test
    void refusesASemicolonInASymbol() {
        mistake("p libz:deflate;",
                "column 15: ';' separates the agent's arguments; take it out, or quote a symbol that has it in its "
                + "name");
    }

    @Test
    void missesTheSymbolBeforeTheOffset() {
        mistake("p libz:+4",
                "column 8: the symbol before '+' is missing; write SYM+OFFSET, e.g. deflate+0x1c");
    }

    @Test
    void missesTheOffsetAfterThePlus() {
        mistake("p libz:deflate+",
                "column 16: OFFSET is missing after '+'; write SYM+OFFSET, e.g. deflate+0x1c, or quote a symbol that "
                + "has '+' in its name");
    }

    @Test
    void refusesAnOffsetThatIsNoNumber() {
        mistake("p libz:deflate+x",
                "column 16: OFFSET 'x' is not a number; write SYM+OFFSET, e.g. deflate+0x1c, or quote a symbol that "
                + "has '+' in its name");
    }

    @Test
    void refusesAnOffsetThatCouldBeOctal() {
        mistake("p libz:deflate+010",
                "column 16: OFFSET '010' begins with 0, which the kernel reads as octal; write it in decimal without "
                + "the 0, or as 0x");
    }

    @Test
    void refusesAnOffsetOfMoreThan63Bits() {
        mistake("p libz:deflate+0x8000000000000000",
                "column 16: OFFSET '0x8000000000000000' is too large; at most 0x7fffffffffffffff can be used");
    }

    @Test
    void refusesANegativeOffset() {
        mistake("p libz:deflate-4",
                "column 15: an offset cannot be negative; write SYM+OFFSET, or quote a symbol that has '-' in its "
                + "name");
    }

    @Test
    void refusesAnOffsetInAReturnProbe() {
        mistake("r libz:deflate+4",
                "column 15: r cannot have an offset (+4): returns are caught from the function's entry; leave it "
                + "out, or write p");
    }

    @Test
    void refusesAnOffsetInACallProbe() {
        mistake("c libz:deflate+0x1c",
                "column 15: c cannot have an offset (+0x1c): returns are caught from the function's entry; leave it "
                + "out, or write p");
    }

    @Test
    void refusesPerfsWayToSayReturn() {
        mistake("p libz:deflate%return",
                "column 15: '%return' is how perf asks for the return; here the type does: write r and leave it out");
    }

    @Test
    void hasNoOffsetsInAPattern() {
        mistake("p libz:deflate*+4",
                "column 16: a pattern cannot have an offset (+4): it means whole functions; leave it out, or name one "
                + "symbol");
    }

    @Test
    void refusesAParenthesisInAPattern() {
        mistake("p librocksdbjni:rocksdb::DB::Get(*",
                "column 33: '(' in a pattern; write ? for it");
    }

    @Test
    void refusesATargetSetThatIsNotClosed() {
        mistake("p libz:defl[ate",
                "column 12: '[' in TARGET is not closed; write [abc], or \\[ for the character itself");
    }

    @Test
    void refusesATargetBraceThatIsNotClosed() {
        mistake("p libz:{deflate,inflate",
                "column 8: '{' in TARGET is not closed; write {a,b}, or \\{ for the character itself");
    }

    @Test
    void refusesATargetBraceThatWasNotOpened() {
        mistake("p libz:deflate}",
                "column 15: '}' in TARGET has no '{' before it; write {a,b}, or \\} for the character itself");
    }

    @Test
    void refusesATargetRangeThatIsBackwards() {
        mistake("p libz:z[9-0]",
                "column 9: the range '9-0' in TARGET is backwards; write the lower character first");
    }

    @Test
    void refusesATargetOfNothing() {
        mistake("p libz:{,}",
                "column 8: TARGET '{,}' matches nothing; name a function, e.g. libz:deflate*");
    }

    @Test
    void hasNoAddressesAsTargetYet() {
        mistake("p libz:0x1f959",
                "column 8: an address as TARGET (0x1f959) is not there yet; name a symbol, SYM+OFFSET for an "
                + "instruction inside it");
    }

    @Test
    void hasNoFunctionsWithoutANameYet() {
        mistake("p libsqlitejdbc:fn@0x1f959",
                "column 17: a function without a name (fn@0x1f959) is not there yet; name a symbol");
    }

    @Test
    void hasNoJniMethodsYet() {
        mistake("c:db/step jni:org.sqlite.core.NativeDB.step",
                "column 11: jni:METHOD is not there yet; name the C function, e.g. "
                + "*:Java_org_sqlite_core_NativeDB_step");
    }

    @Test
    void hasNoJniMethodsBehindALibraryYet() {
        mistake("c libzip:jni:java.util.zip.Deflater.init",
                "column 10: jni:METHOD is not there yet; name the C function, e.g. *:Java_java_util_zip_Deflater_init");
    }

    @Test
    void hasNoStaticTracepointsYet() {
        mistake("p sdt:libc:memory_malloc_retry",
                "column 3: sdt:PROVIDER:NAME is not there yet; probe the function that contains it, e.g. libc:malloc");
    }

    @Test
    void hasNoStaticTracepointsBehindALibraryYet() {
        mistake("p libc:sdt:libc:memory_malloc_retry",
                "column 8: sdt:PROVIDER:NAME is not there yet; probe the function that contains it, e.g. libc:malloc");
    }

    @Test
    void hasNoSourceLinesYet() {
        mistake("p libz:deflate.c:123",
                "column 8: a source line as TARGET (deflate.c:123) is not there yet; write SYM+OFFSET; objdump -dl "
                + "shows a line's offset");
    }

    @Test
    void refusesAnUnknownMode() {
        mistake("p libz:deflate mode=cuont",
                "column 21: unknown mode 'cuont'; did you mean count? modes are event, count and hist");
    }

    @Test
    void missesTheMode() {
        mistake("p libz:deflate mode=",
                "column 21: option 'mode=' has no value; write mode=event, mode=count or mode=hist");
    }

    @Test
    void hasNoDurationsToPutIntoAHistogram() {
        mistake("p libz:deflate mode=hist",
                "column 21: mode hist counts durations, which p has not; write c instead of p, or mode=count");
    }

    @Test
    void refusesASampleThatIsNone() {
        mistake("p libz:deflate sample=1%",
                "column 23: '1%' is no share of the hits; write 1/N to record one hit of N, e.g. 1/100, or all");
    }

    @Test
    void refusesASampleOutOfRange() {
        mistake("p libz:deflate sample=1/0",
                "column 23: sampling 1/0 is out of range; write 1/1 to 1/1000000000");
    }

    @Test
    void missesTheSample() {
        mistake("p libz:deflate sample=",
                "column 23: option 'sample=' has no value; write e.g. sample=1/100");
    }

    @Test
    void refusesALimitThatIsNone() {
        mistake("p libz:deflate limit=1000",
                "column 22: '1000' is no rate; write hits a second, e.g. 1000/s or 100k/s, or none");
    }

    @Test
    void refusesALimitOutOfRange() {
        mistake("p libz:deflate limit=0/s",
                "column 22: rate 0/s is out of range; write 1/s to 1000000000/s, or none");
    }

    @Test
    void missesTheLimit() {
        mistake("p libz:deflate limit=",
                "column 22: option 'limit=' has no value; write e.g. limit=1000/s");
    }

    @Test
    void refusesAnEndThatIsNone() {
        mistake("p libz:deflate until=10x",
                "column 22: '10x' is no end; write a number of hits, e.g. 1000, or a time: 500ms, 10s, 5m or 1h");
    }

    @Test
    void refusesAnEndBeforeTheBeginning() {
        mistake("p libz:deflate until=0",
                "column 22: a probe cannot end before its first hit; write a number of hits or a time above 0");
    }

    @Test
    void refusesAnEndThatIsTooFar() {
        mistake("p libz:deflate until=99999999999999999999",
                "column 22: '99999999999999999999' is too large; write never, or a smaller number");
    }

    @Test
    void missesTheEnd() {
        mistake("p libz:deflate until=",
                "column 22: option 'until=' has no value; write e.g. until=1000 (hits) or until=10s");
    }

    @Test
    void refusesAnUnknownStack() {
        mistake("p libz:deflate stack=native",
                "column 22: stack is java or none, not 'native'");
    }

    @Test
    void missesTheStack() {
        mistake("p libz:deflate stack=",
                "column 22: option 'stack=' has no value; write stack=java or stack=none");
    }

    @Test
    void refusesAnythingButTrueAndFalse() {
        mistake("p libz:deflate enabled=no",
                "column 24: enabled is true or false, not 'no'");
    }

    @Test
    void missesWhetherItIsEnabled() {
        mistake("p libz:deflate enabled=",
                "column 24: option 'enabled=' has no value; write enabled=true or enabled=false");
    }

    @Test
    void refusesAnOptionTwice() {
        mistake("p libz:deflate mode=count mode=event",
                "column 27: option 'mode=' is there twice; leave one of them out");
    }

    @Test
    void guessesTheOptionThatWasMeant() {
        mistake("p libz:deflate sampel=1/100",
                "column 16: unknown option 'sampel'; did you mean sample? options are mode sample limit until stack "
                + "enabled mechanism");
    }

    @Test
    void guessesTheOptionThatWasMeantBehindACondition() {
        mistake("p libz:deflate len=$arg2 if len > 4096 mod=count",
                "column 40: unknown option 'mod'; did you mean mode? options are mode sample limit until stack enabled "
                + "mechanism");
    }

    @Test
    void guessesTheOptionThatWasMeantBehindAnOption() {
        mistake("p libz:deflate len=$arg2 if len > 4096 mode=count stak=none",
                "column 51: unknown option 'stak'; did you mean stack? options are mode sample limit until stack enabled "
                + "mechanism");
    }

    @Test
    void missesTheBlankBeforeAnOption() {
        mistake("p libz:deflate len=$arg2 if (len > 4096)mode=count",
                "column 41: a blank is missing before option 'mode='");
    }

    @Test
    void hasNoJumpYet() {
        mistake("p libz:deflate mechanism=jump",
                "column 26: mechanism 'jump' is not there yet; leave it out: the best possible mechanism is taken");
    }

    @Test
    void refusesUnknownMechanisms() {
        mistake("p libz:deflate mechanism=bost",
                "column 26: unknown mechanism 'bost'; mechanisms are boost, emulate and step");
        mistake("p libz:deflate mechanism=",
                "column 26: option 'mechanism=' has no value; mechanisms are boost, emulate and step");
        mistake("p libz:deflate mechanism=step mechanism=step",
                "column 31: option 'mechanism=' is there twice; leave one of them out");
    }

    @Test
    void refusesAWordThatIsNoField() {
        mistake("p libz:deflate len",
                "column 16: 'len' is not a field; write NAME=FETCH, e.g. len=$arg1");
    }

    @Test
    void missesTheDollarOfAnUnnamedArgument() {
        mistake("p libz:deflate arg1",
                "column 16: 'arg1' is not a field; write $arg1");
    }

    @Test
    void refusesASixteenthField() {
        mistake("p f:f $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1 $arg1",
                "column 97: this is field 16; a probe has at most 15, so put it into a second probe on the same "
                + "function");
    }

    @Test
    void missesTheFieldsName() {
        mistake("p libz:deflate =$arg1",
                "column 16: a field's name is missing before '='; write NAME=FETCH, e.g. len=$arg1");
    }

    @Test
    void refusesAFieldThatIsNoIdentifier() {
        mistake("p libz:deflate avail-in=$arg1",
                "column 16: field 'avail-in' is not a Java identifier; write e.g. avail_in");
    }

    @Test
    void refusesAFieldThatIsAKeyword() {
        mistake("p libz:deflate int=$arg1",
                "column 16: field 'int' is a Java keyword; write e.g. int_");
    }

    @Test
    void refusesAFieldOfJfr() {
        mistake("c libz:deflate duration=$arg1",
                "column 16: field 'duration' is reserved: JFR gives every event its own; choose another name, e.g. "
                + "duration_");
    }

    @Test
    void refusesAFieldOfTheAgent() {
        mistake("p libz:deflate missing=$arg1",
                "column 16: field 'missing' is reserved: the agent adds it to its events; choose another name, e.g. "
                + "missing_");
    }

    @Test
    void refusesTheSameFieldTwice() {
        mistake("p libz:deflate len=$arg1 len=$arg2",
                "column 26: field 'len' is there twice, first at column 16; give one of them another name");
    }

    @Test
    void refusesANameThatAnUnnamedFieldGets() {
        mistake("p libz:deflate arg2=$arg1 $arg2",
                "column 27: field 'arg2' is there twice, first at column 16; give one of them another name");
    }

    @Test
    void missesTheValueThatAShellAte() {
        mistake("p libz:deflate len=:u32",
                "column 20: field 'len' has no value after '='; write e.g. len=$arg1; if $arg1 stood there, single "
                + "quotes keep it from a shell, $$arg1 from Compose and systemd");
    }

    @Test
    void missesTheValueAtTheEnd() {
        mistake("p libz:deflate len=",
                "column 20: field 'len' has no value after '='; write e.g. len=$arg1; if $arg1 stood there, single "
                + "quotes keep it from a shell, $$arg1 from Compose and systemd");
    }

    @Test
    void givesAnExampleThatAReturnProbeCanUse() {
        mistake("r libz:deflate ret=",
                "column 20: field 'ret' has no value after '='; write e.g. ret=$retval; if $retval stood there, "
                + "single quotes keep it from a shell, $$retval from Compose and systemd");
    }

    @Test
    void missesTheDollar() {
        mistake("p libz:deflate len=arg1",
                "column 20: 'arg1' is not a FETCH; write $arg1");
    }

    @Test
    void missesThePercentSign() {
        mistake("p libz:deflate len=rdi",
                "column 20: 'rdi' is not a FETCH; write %rdi");
    }

    @Test
    void refusesAPointerOfC() {
        mistake("p libz:deflate len=*arg1",
                "column 20: '*' is not a FETCH; memory is read with +OFFSET(FETCH), e.g. +0($arg1)");
    }

    @Test
    void refusesAWordAsValue() {
        mistake("p libz:deflate len=x",
                "column 20: 'x' is not a FETCH; write $arg1 to $arg6, $retval, a register such as %rdi, or "
                + "+OFFSET(FETCH)");
    }

    @Test
    void refusesANumberAsValue() {
        mistake("p libz:deflate len=4096",
                "column 20: a number is not a FETCH; write $arg1 to $arg6, $retval, a register or +OFFSET(FETCH)");
    }

    @Test
    void missesTheNameAfterTheDollar() {
        mistake("p libz:deflate len=$",
                "column 20: a name is missing after '$'; write $arg1 to $arg6 or $retval");
    }

    @Test
    void refusesAnUnknownVariable() {
        mistake("p libz:deflate len=$agr1",
                "column 20: unknown variable '$agr1'; did you mean $arg1? there are $arg1 to $arg6 and $retval");
    }

    @Test
    void missesTheArgumentsNumber() {
        mistake("p libz:deflate len=$arg",
                "column 20: $arg needs a number; write $arg1 to $arg6, one per field");
    }

    @Test
    void countsArgumentsFromOne() {
        mistake("p libz:deflate len=$arg0",
                "column 20: $arg0: arguments are counted from 1; write $arg1");
    }

    @Test
    void hasNoArgumentsOnTheStack() {
        mistake("p libz:deflate len=$arg7",
                "column 20: $arg7 is passed on the stack, and $stack is not there yet; $arg1 to $arg6 are in "
                + "registers");
    }

    @Test
    void hasNoResultAtEntry() {
        mistake("p libz:deflate ret=$retval:s32",
                "column 20: $retval does not exist at entry; write r for the return, or c for the whole call");
    }

    @Test
    void hasNoArgumentsAtTheReturn() {
        mistake("r libz:deflate len=+8($arg1)",
                "column 23: $arg1 is gone when the function returns; write c instead of r: it keeps the arguments "
                + "from the entry");
    }

    @Test
    void hasNoFloatingPointArgumentsYet() {
        mistake("p libm:cos x=$farg1",
                "column 14: $farg1 (a floating-point argument) is not there yet; integer and pointer arguments are "
                + "$arg1 to $arg6");
    }

    @Test
    void hasNoStackWordsYet() {
        mistake("p libz:deflate a=$stack2",
                "column 18: $stack2 is not there yet; write +16(%rsp)");
    }

    @Test
    void hasNoStackAddressYet() {
        mistake("p libz:deflate a=$stack",
                "column 18: $stack is not there yet; write %rsp");
    }

    @Test
    void hasNoThreadIdYet() {
        mistake("p libz:deflate t=$tid",
                "column 18: $tid is not there yet; leave it out: the event knows its thread");
    }

    @Test
    void hasNoCommandNameYet() {
        mistake("p libz:deflate t=$comm",
                "column 18: $comm is not there yet; leave it out: the event knows its thread");
    }

    @Test
    void hasNoGlobalVariablesYet() {
        mistake("p libz:deflate a=@environ",
                "column 18: @SYMBOL (a global variable) is not there yet; pass its address through an argument: "
                + "+0($arg1)");
    }

    @Test
    void hasNoConstantsYet() {
        mistake("p libz:deflate a=\\5",
                "column 18: \\CONSTANT is not there yet; leave it out: it would be the same in every event");
    }

    @Test
    void missesTheRegistersName() {
        mistake("p libz:deflate a=%",
                "column 18: a register's name is missing after '%'; registers are " + REGISTERS);
    }

    @Test
    void refusesAnUnknownRegister() {
        mistake("p libz:deflate a=%foo",
                "column 18: unknown register '%foo'; registers are " + REGISTERS);
    }

    @Test
    void guessesTheRegisterThatWasMeant() {
        mistake("p libz:deflate a=%rid",
                "column 18: unknown register '%rid'; did you mean %rdi? registers are " + REGISTERS);
    }

    @Test
    void refusesAPartOfARegister() {
        mistake("p libz:deflate a=%edi",
                "column 18: '%edi' is a part of %rdi; write %rdi and a type: :u32 takes the low 32 bits");
    }

    @Test
    void refusesTheInstructionPointer() {
        mistake("p libz:deflate a=%rip",
                "column 18: '%rip' would be the probe's own address in every event; leave it out");
    }

    @Test
    void hasNoFloatingPointRegistersYet() {
        mistake("p libz:deflate a=%xmm0",
                "column 18: a floating-point register ('%xmm0') is not there yet; registers are " + REGISTERS);
    }

    @Test
    void missesTheParenthesesOfARead() {
        mistake("p libz:deflate a=+8",
                "column 20: '(FETCH)' is missing after '+8'; memory is read with +OFFSET(FETCH), e.g. +8($arg1)");
    }

    @Test
    void missesTheOffsetOfARead() {
        mistake("p libz:deflate a=+($arg1)",
                "column 19: OFFSET is missing after '+'; write +OFFSET(FETCH), e.g. +8($arg1)");
    }

    @Test
    void refusesTheOffsetOfAReadThatIsNoNumber() {
        mistake("p libz:deflate a=+len($arg1)",
                "column 19: OFFSET 'len' is not a number; write +OFFSET(FETCH), e.g. +8($arg1)");
    }

    @Test
    void missesTheAddressThatAShellAte() {
        mistake("p libz:deflate a=+8()",
                "column 21: nothing stands between the parentheses; write e.g. +8($arg1); if $arg1 stood there, "
                + "single quotes keep it from a shell, $$arg1 from Compose and systemd");
    }

    @Test
    void missesTheClosingParenthesis() {
        mistake("p libz:deflate a=+8(+16($arg1)",
                "column 31: ')' is missing: the '(' at column 20 is not closed");
    }

    @Test
    void refusesATypeInsideTheParentheses() {
        mistake("p libz:deflate a=+8($arg1:u32)",
                "column 26: unexpected ':' before ')'; :TYPE and /UNIT stand behind the last ')'");
    }

    @Test
    void refusesArithmeticInsideTheParentheses() {
        mistake("p libz:deflate a=+8($arg1+4)",
                "column 26: unexpected '+' before ')'; write e.g. +8($arg1)");
    }

    @Test
    void refusesNineReadsInOneAnother() {
        mistake("p f:f a=+0(+0(+0(+0(+0(+0(+0(+0(+0($arg1)))))))))",
                "column 33: memory reads are nested more than 8 deep; read an inner address in a field of its own");
    }

    @Test
    void hasNoUserSpaceReadsYet() {
        mistake("p libz:deflate a=+u8($arg1)",
                "column 18: +uOFFSET(FETCH) is not there yet; write +8(FETCH): all memory of a JVM is user memory");
    }

    @Test
    void refusesWhatFollowsAValue() {
        mistake("p libz:deflate a=$arg1*4",
                "column 23: unexpected '*' behind '$arg1'; only :TYPE, /UNIT or a blank may follow");
    }

    @Test
    void missesTheType() {
        mistake("p libz:deflate a=$arg1:",
                "column 24: TYPE is missing after ':'; types are " + TYPES);
    }

    @Test
    void refusesAnUnknownValueType() {
        mistake("p libz:deflate a=$arg1:int",
                "column 24: unknown type 'int'; types are " + TYPES);
    }

    @Test
    void guessesTheTypeThatWasMeant() {
        mistake("p libz:deflate a=$arg1:U32",
                "column 24: unknown type 'U32'; did you mean u32? types are " + TYPES);
    }

    @Test
    void hasNoStringsYet() {
        mistake("p libc:open path=+0($arg1):string",
                "column 28: type 'string' is not there yet; record the first 8 bytes: +0(FETCH):x64");
    }

    @Test
    void hasNoBooleansYet() {
        mistake("p libz:deflate a=$arg1:bool",
                "column 24: type 'bool' is not there yet; write :u8");
    }

    @Test
    void hasNoCharactersYet() {
        mistake("p libz:deflate a=$arg1:char",
                "column 24: type 'char' is not there yet; write :u8");
    }

    @Test
    void hasNoFloatingPointTypesYet() {
        mistake("p libz:deflate a=+0($arg1):f64",
                "column 28: type 'f64' is not there yet; record the bits: :x64");
    }

    @Test
    void hasNoSymbolTypeYet() {
        mistake("p libz:deflate a=$arg1:symbol",
                "column 24: type 'symbol' is not there yet; record the address: :x64/address");
    }

    @Test
    void hasNoBitfieldsYet() {
        mistake("p libz:deflate a=$arg1:b4@0/32",
                "column 24: a bitfield type (b4@0/32) is not there yet; record the whole word, e.g. :u32, and cut it "
                + "where you read it");
    }

    @Test
    void hasNoArraysYet() {
        mistake("p libz:deflate a=+0($arg1):u8[16]",
                "column 28: an array type (u8[16]) is not there yet; record single elements: +0(FETCH), +8(FETCH)");
    }

    @Test
    void missesTheUnit() {
        mistake("p libz:deflate a=$arg1:u32/",
                "column 28: UNIT is missing after '/'; units are bytes bits ns us ms s address");
    }

    @Test
    void refusesAnUnknownUnit() {
        mistake("p libz:deflate a=$arg1/pages",
                "column 24: unknown unit 'pages'; units are bytes bits ns us ms s address");
    }

    @Test
    void guessesTheUnitThatWasMeant() {
        mistake("p libz:deflate a=$arg1/byte",
                "column 24: unknown unit 'byte'; did you mean bytes? units are bytes bits ns us ms s address");
    }

    @Test
    void wantsTheTypeBeforeTheUnit() {
        mistake("p libz:deflate a=$arg1/bytes:u32",
                "column 29: TYPE stands before UNIT; write :u32/bytes");
    }
}
