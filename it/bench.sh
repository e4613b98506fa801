#!/usr/bin/env bash
# What a hit and an event cost, beside an unprobed call and a plain Java event, and how long a JVM's start and arming whole libraries take, on every JDK
# found. Prints a table with ratios.
#   [PAIRS=9] [PARTS="hits starting arming"] it/bench.sh [JAVA_HOME...]
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
agent=$root/agent/target/uprobe-agent.jar
if [ ! -f "$agent" ] || [ ! -f it/target/native/libdeep_chain.so ]; then
    mvn -q -B -ntp -pl it -am package -DskipTests
fi
homes=("$@")
if [ ${#homes[@]} -eq 0 ]; then
    siblings=$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")")
    for home in "$siblings"/*/; do
        [ -L "${home%/}" ] || [ ! -x "$home/bin/jfr" ] || [ ! -f "$home/release" ] || homes+=("${home%/}")
    done
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run ITEMS PARTS...: the numbers, as NAME VALUE lines
run() {
    local items=$1
    shift
    "$java" -Xms1g -Xmx1g -XX:+AlwaysPreTouch -Dnative.dir="$PWD/it/target/native" ${items:+"-javaagent:$agent=quiet;ring=16m;rings=64;guard=off;$items"} \
        -cp it/target/test-classes uprobe.it.app.Bench "$@" 2>/dev/null | awk '{ print $1, $2 }'
}
value() { awk -v name="$2" '$1 == name { print $2 }' <<<"$1"; }
row() { awk -v what="$1" -v ns="$2" -v base="$3" -v of="$4" 'BEGIN { printf "  %-62s %9.1f ns   %7.2f x %s\n", what, ns, ns / base, of }'; }

# Without an agent and with probes that no recording wants, in turns: the median of the pairs' ratios, and the smallest and largest.
paired() {
    local ready='c:b/leaf libdeep_chain:bench_leaf a=$arg1 ret=$retval;c:b/chain libdeep_chain:bench_chain_leaf a=$arg1 ret=$retval;c:b/zip libz:deflate flush=$arg2'
    local i without=() with=()
    for ((i = 0; i < pairs; i++)); do
        without+=("$(run "" 1000000 leaf chain jni1 zip)")
        with+=("$(run "$ready" 1000000 leaf chain jni1 zip)")
    done
    echo "  $pairs pairs of runs, without an agent and with probes that no recording wants:"
    ratios "a call" leaf
    ratios "a chain of nine calls" chain
    ratios "a JNI call" jni1
    ratios "4 KiB deflated" zip
}
ratios() {
    for ((i = 0; i < pairs; i++)); do
        echo "$(value "${without[i]}" "$2_min") $(value "${with[i]}" "$2_min")"
    done | awk '{ print $2 / $1, $1, $2 }' | sort -n | awk -v what="$1" '{ ratio[NR] = $1; ns[NR] = $2 " and " $3 }
        END { m = int((NR + 1) / 2); printf "    %-58s %7.3f x  (%.3f to %.3f; that of the middle: %s ns)\n", what, ratio[m], ratio[1], ratio[NR], ns[m] }'
}

# All functions of a library, `c` (count): the milliseconds that loading it takes without and with them, and the recording's start, by
# which they are ready and armed; those of libjvm are ready before main.
arming() {
    local what=$1 probe=$2 jar=$3 i agents
    for agents in "" "-javaagent:$agent=quiet;$probe"; do
        for ((i = 0; i < 3; i++)); do
            (cd "$(mktemp -d -p "$work")" && "$java" -Xmx1g ${agents:+"$agents"} -cp "$root/it/target/test-classes:$jar" uprobe.it.app.WholeLibraries "$what") \
                2>/dev/null | awk -v agent="${agents:+with}" '/^loaded after/ { loaded = $3 } /^armed after/ { print (agent ? agent : "without"), loaded + 0, $3 }'
        done
    done | awk -v what="$what" '{ if (!($1 in l) || $2 < l[$1]) l[$1] = $2; if (!($1 in a) || $3 < a[$1]) a[$1] = $3 }
        END { printf "  all of %-22s loaded: %5d ms without, %5d ms with; recording started: %5d ms without, %5d ms with\n", what, l["without"], l["with"], a["without"], a["with"] }'
}

# Milliseconds until main of a JVM with a recording, without and with twenty single probes: pairs of starts, the middle of their differences.
starting() {
    local i names='libz:{crc32,deflate,inflate,adler32,compress};libc:{open,read,write,close,connect,malloc,free,mmap,pread64,pwrite64,poll,fsync,getaddrinfo};libjvm:{JVM_GC,JVM_FindLoadedClass}' probes="" library name
    for library in ${names//;/ }; do
        name=${library#*:}
        for name in $(tr -d '{}' <<<"$name" | tr , ' '); do probes+=";c ${library%%:*}:$name"; done
    done
    until_main() {
        local start; start=$(date +%s%3N)
        echo $(($("$java" "$@" -cp it/target/test-classes uprobe.it.app.Started 2>/dev/null | tail -1) - start))
    }
    for ((i = 0; i < pairs; i++)); do
        echo "$(until_main "-XX:StartFlightRecording:filename=$work/start.jfr") $(until_main "-javaagent:$agent=quiet;record=$work/start.jfr$probes")"
    done | awk '{ print $2 - $1, $1, $2 }' | sort -n | awk '{ more[NR] = $1; ms[NR] = $2 " and " $3 }
        END { m = int((NR + 1) / 2); printf "  until main, with JFR alone and with 20 single probes: %d ms more (%d to %d; that of the middle: %s ms)\n", more[m], more[1], more[NR], ms[m] }'
}

# jar GROUP:ARTIFACT:VERSION[:CLASSIFIER]
jar() {
    local artifact=${1#*:}
    artifact=${artifact%%:*}
    mvn -q -B -ntp dependency:copy -Dartifact="$1" -DoutputDirectory="$work/jars" >/dev/null
    echo "$work/jars/$artifact"-*.jar
}

pairs=${PAIRS:-9}
parts=${PARTS:-hits starting arming}
case " $parts " in *" arming "*)
    rocksdb=$(jar org.rocksdb:rocksdbjni:10.10.1.1:jar:linux64)
    duckdb=$(jar org.duckdb:duckdb_jdbc:1.4.4.0) ;;
esac
echo "$(uname -sr), $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
record=record=$work/bench.jfr
for home in "${homes[@]}"; do
    java=$home/bin/java
    echo "$("$java" -version 2>&1 | sed -n 2p)"
    case " $parts " in *" starting "*) starting ;; esac
    case " $parts " in *" arming "*)
        arming rocksdb 'c librocksdbjni*:* mode=count' "$rocksdb"
        arming libjvm 'c libjvm:* mode=count' "$rocksdb"
        arming duckdb 'c libduckdb*:* mode=count' "$duckdb" ;;
    esac
    case " $parts " in *" hits "*) ;; *) continue ;; esac
    plain=$(run "" 100000 leaf chain)
    entry=$(run "$record;"'p:b/leaf libdeep_chain:bench_leaf a=$arg1 b=$arg2;p:b/chain libdeep_chain:bench_chain_leaf a=$arg1 b=$arg2' 100000 leaf chain)
    call=$(run "$record;"'c:b/leaf libdeep_chain:bench_leaf a=$arg1 ret=$retval;c:b/chain libdeep_chain:bench_chain_leaf a=$arg1 ret=$retval' 100000 leaf chain)
    fields=$(run "$record;"'p:b/fields libdeep_chain:bench_fields length=+8($arg1):s64 next=+8(+16($arg1)):s64' 100000 fields)
    events=$(run "$record;"'p:b/leaf libdeep_chain:bench_leaf a=$arg1 b=$arg2' 200000 plain jni1 call1 plain10 jni10 call10)
    leaf=$(value "$plain" leaf_min)
    chain=$(value "$plain" chain_min)
    row "a call, unprobed" "$leaf" "$leaf" "the call"
    row "p hit, two arguments (INT3, boosted)" "$(value "$entry" leaf_min)" "$leaf" "the call"
    row "p hit, two values behind three pointers" "$(value "$fields" fields_min)" "$leaf" "the call"
    row "c hit, argument and result" "$(value "$call" leaf_min)" "$leaf" "the call"
    row "a chain of nine calls, unprobed" "$chain" "$chain" "the chain"
    row "the chain, p on its leaf" "$(value "$entry" chain_min)" "$chain" "the chain"
    row "the chain, c on its leaf" "$(value "$call" chain_min)" "$chain" "the chain"
    event=$(value "$events" plain_min)
    ten=$(value "$events" plain10_min)
    row "a plain Java event with its stack" "$event" "$event" "a plain event"
    row "a JNI call with one hit, event with stack" "$(value "$events" jni1_min)" "$event" "a plain event"
    row "the same without the trap's own cost (the hit is a call)" "$(value "$events" call1_min)" "$event" "a plain event"
    row "ten plain Java events" "$ten" "$ten" "ten plain events"
    row "a JNI call with ten hits, ten events" "$(value "$events" jni10_min)" "$ten" "ten plain events"
    row "the same without the traps" "$(value "$events" call10_min)" "$ten" "ten plain events"
    paired
done
