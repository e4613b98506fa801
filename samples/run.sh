#!/usr/bin/env bash
# Compresses this repository's own files under the agent and shows what zlib cost whom.
#   samples/run.sh              brings what is missing, builds what has changed, runs with JAVA_HOME's JDK or else the path's
#   samples/run.sh --all-jdks   runs with every JDK from 17 on that is found beside it and in update-alternatives
#   samples/run.sh --live       a table every second, made by the program itself: ten seconds
#   samples/run.sh --remote     the same from another JVM, with a filter and a threshold: ten seconds
# Exit code: 0 if all went well; 1 if something could not be had or built, came back different or is not in the recording.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OLDEST=17
readonly AGENT=agent/target/uprobe-agent.jar
readonly CLASSES=samples/target/classes
readonly BUILT=samples/target/built            # what the jars were built from, see fingerprint
readonly LOG=samples/target/run.log
readonly EVENTS=(uprobe.zlib.deflate uprobe.zlib.inflate)

die() {
    printf 'samples/run.sh: %s\n' "$*" >&2
    exit 1
}

# --- JDKs

# jdk_of JAVA: the folder whose bin/java this is, without links.
jdk_of() {
    local java
    java=$(readlink -f "$1") && [ -x "$java" ] && dirname "$(dirname "$java")"
}

# version_of JDK: 17, 25; 0 if it does not run. Options from outside would be in the answer.
version_of() {
    local version
    version=$(env -u JAVA_TOOL_OPTIONS -u _JAVA_OPTIONS -u JDK_JAVA_OPTIONS "$1/bin/java" -version 2>&1 \
        | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1) || true
    echo "${version:-0}"
}

can_run() {
    [ "$(version_of "$1")" -ge "$OLDEST" ]
}

can_build() {
    [ -x "$1/bin/javac" ] && [ -f "$1/include/jni.h" ] && can_run "$1"
}

# jdks: every JDK or JRE, one a line: JAVA_HOME's first, then the path's, those of update-alternatives and what lies beside any of them.
jdks() {
    local java jdk
    {
        if [ -n "${JAVA_HOME:-}" ]; then echo "$JAVA_HOME/bin/java"; fi
        command -v java || true
        command -v javac || true
        if command -v update-alternatives >/dev/null; then update-alternatives --list java 2>/dev/null || true; fi
    } | while read -r java; do
        # A JRE of old lies in its JDK: .../jre/bin/java.
        if jdk=$(jdk_of "$java"); then
            echo "${jdk%/jre}"
        fi
    done | awk '!seen[$0]++' | {
        local found=() beside
        while read -r jdk; do found+=("$jdk"); done
        {
            printf '%s\n' ${found[@]+"${found[@]}"}
            for jdk in ${found[@]+"${found[@]}"}; do
                for beside in "$(dirname "$jdk")"/*/bin/java; do jdk_of "$beside" || true; done
            done
        } | awk 'NF && !seen[$0]++'
    }
}

first_that() {
    local jdk
    while read -r jdk; do
        if "$1" "$jdk"; then
            echo "$jdk"
            return
        fi
    done < <(jdks)
    return 1
}

# --- What is missing

has_zydis() {
    printf '#include <Zydis/Zydis.h>\n' | gcc -E - >/dev/null 2>&1
}

# missing: Debian packages to install, one a line.
missing() {
    local package
    if ! first_that can_build >/dev/null; then
        for package in openjdk-{17,21,25}-jdk-headless default-jdk-headless; do
            if [ -n "$(apt-cache show "$package" 2>/dev/null)" ] || [ "$package" = default-jdk-headless ]; then
                echo "$package"
                break
            fi
        done
    fi
    command -v mvn >/dev/null || echo maven
    command -v make >/dev/null || echo make
    # nm looks after the hit path; ld comes with it.
    command -v nm >/dev/null || echo binutils
    if ! command -v gcc >/dev/null; then
        printf '%s\n' gcc libc6-dev
    elif ! printf '#include <stdio.h>\n' | gcc -E - >/dev/null 2>&1; then
        echo libc6-dev
    fi
    has_zydis || echo libzydis-dev
}

bring() {
    local packages
    mapfile -t packages < <(missing)
    if [ ${#packages[@]} -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        die "please install first: sudo apt-get install -y ${packages[*]}"
    fi
    echo "Installing ${packages[*]} ..."
    apt-get -qq update >>"$LOG" 2>&1 || true      # what is known already may be enough
    mapfile -t packages < <(missing)              # an empty list of packages knew no JDK's name
    if ! DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}" >>"$LOG" 2>&1; then
        tail -20 "$LOG" >&2
        die "apt-get could not install ${packages[*]}; all it said is in $LOG"
    fi
    mapfile -t packages < <(missing)
    [ ${#packages[@]} -eq 0 ] || die "installed, and still missing: ${packages[*]}"
}

# --- Build

# fingerprint: the text of all sources and the jars that came of them; the same as at the last build means there is nothing to do.
fingerprint() {
    {
        find pom.xml native-probe jfr-bridge agent jmc-plugin samples \( -name target -o -name README.md -o -name run.sh \) -prune -o -type f -print0 \
            | LC_ALL=C sort -z | xargs -0 sha256sum
        find "$AGENT" jmc-plugin/target/jmc-plugin-*.jar "$CLASSES" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0r sha256sum
    } | sha256sum
}

# home: where Maven may keep what it loads, if its usual place can not be written: Java asks the password file, not HOME.
home() {
    local usual
    usual=$(getent passwd "$(id -u)" | cut -d: -f6) || true
    if [ -w "$usual/.m2" ] || { [ -w "$usual" ] && [ ! -e "$usual/.m2" ]; }; then
        return
    fi
    if [ -w "${HOME:-}" ]; then echo "$HOME"; else echo "$PWD/samples/target"; fi
}

build() {
    if [ -f "$BUILT" ] && [ "$(fingerprint)" = "$(cat "$BUILT")" ]; then
        return
    fi
    echo "Building; the first time Maven loads what it needs, which takes minutes ..."
    rm -f "$BUILT"
    local jdk elsewhere maven=(mvn -q -B)
    jdk=$(first_that can_build)
    elsewhere=$(home)
    [ -z "$elsewhere" ] || maven+=("-Dmaven.repo.local=$elsewhere/.m2/repository")
    if ! JAVA_HOME=$jdk "${maven[@]}" -pl agent,jmc-plugin,samples -am package -DskipTests >>"$LOG" 2>&1; then
        tail -40 "$LOG" >&2
        die "the build failed; all it said is in $LOG"
    fi
    fingerprint >"$BUILT"
}

# --- Run

# list_files: names with a 0 behind each. What git knows or would take; without git, everything. And something big: the agent itself.
list_files() {
    local list=samples/target/files
    if ! git ls-files -z --cached --others --exclude-standard >"$list" 2>/dev/null || [ ! -s "$list" ]; then
        find . \( -name .git -o -name target \) -prune -o -type f -print0 | sed -z 's,^\./,,' >"$list"
    fi
    printf '%s\0' "$AGENT" >>"$list"
}

run() {
    local jdk=$1 version recording arguments
    version=$(version_of "$jdk")
    recording=samples/target/zlib-$version.jfr
    if [[ " ${recordings[*]} " == *" $recording "* ]]; then
        recording=samples/target/zlib-$(basename "$jdk").jfr
    fi
    rm -f "$recording"
    arguments="record=$recording;quiet;@samples/zlib.probes"
    printf '\nJDK %s in %s\n\n' "$version" "$jdk"
    printf '%s\n' "java -javaagent:$AGENT=\\" "'$arguments' \\" \
        "    -cp $CLASSES uprobe.samples.CompressFiles <samples/target/files" ""
    if ! "$jdk/bin/java" "-javaagent:$AGENT=$arguments" -cp "$CLASSES" uprobe.samples.CompressFiles <samples/target/files; then
        echo "JDK $version: the program failed" >&2
        return 1
    fi
    if [ ! -s "$recording" ]; then
        echo "JDK $version: there is no recording $recording" >&2
        return 1
    fi
    echo
    if ! "$jdk/bin/java" -cp "$CLASSES" uprobe.samples.Report "$recording" "${EVENTS[@]}"; then
        echo "JDK $version: the recording $recording is not whole" >&2
        return 1
    fi
    recordings+=("$recording")
}

# live JDK: no recording but the program's own stream.
live() {
    local command=("$1/bin/java" "-javaagent:$AGENT=quiet;enabled=false;@samples/zlib.probes" -cp "$CLASSES" uprobe.samples.LiveView 10)
    printf '\n%s\n\n' "${command[*]} <samples/target/files"
    "${command[@]}" <samples/target/files
}

# remote JDK: one JVM works, another looks.
remote() {
    local work=("$1/bin/java" "-javaagent:$AGENT=quiet;enabled=false;@samples/zlib.probes" -cp "$CLASSES" uprobe.samples.CompressFiles 60)
    local pid look failed=0
    printf '\n%s\n' "${work[*]} <samples/target/files &"
    "${work[@]}" <samples/target/files >>"$LOG" 2>&1 &
    pid=$!
    look=("$1/bin/java" -cp "$CLASSES" uprobe.samples.RemoteView "$pid" 10 uprobe.zlib.deflate 'avail_in > 4k' 1)
    printf '%s\n\n' "${look[*]}"
    sleep 2         # it has the agent when its own code runs
    "${look[@]}" || failed=1
    kill "$pid" 2>/dev/null || failed=1
    wait "$pid" 2>/dev/null || true
    return $failed
}

main() {
    local all=false view='' jdk chosen=() failed=0 plugin
    case "$#:${1:-}" in
        0:) ;;
        1:--all-jdks) all=true ;;
        1:--live|1:--remote) view=${1#--} ;;
        *) die "usage: samples/run.sh [--all-jdks | --live | --remote]" ;;
    esac
    if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
        die "the agent works on Linux on x86-64; this is $(uname -s) on $(uname -m)"
    fi
    if [ -n "${JAVA_HOME:-}" ] && [ "$(version_of "$JAVA_HOME")" -lt "$OLDEST" ]; then
        die "JAVA_HOME=$JAVA_HOME has no Java $OLDEST or later; set it to one that has, or unset it"
    fi
    if [[ $PWD == *[[:space:]]* ]]; then
        die "make can not build below a folder with a blank in its name: $PWD"
    fi
    if ! mkdir -p samples/target || ! : >"$LOG"; then
        die "can not write to samples/target; copy the tree to where you can"
    fi

    bring
    build
    while read -r jdk; do
        if can_run "$jdk"; then
            chosen+=("$jdk")
            $all || break
        fi
    done < <(jdks)

    list_files
    if [ -n "$view" ]; then
        "$view" "${chosen[0]}"
        return
    fi
    recordings=()
    for jdk in "${chosen[@]}"; do
        run "$jdk" || failed=1
    done
    if [ ${#recordings[@]} -gt 0 ]; then
        plugin=$(find jmc-plugin/target -maxdepth 1 -name 'jmc-plugin-*.jar' | head -1)
        printf '\nTo open in JDK Mission Control (File > Open):\n'
        printf '    %s\n' "${recordings[@]/#/$PWD/}"
        printf "Plug-in: copy %s into Mission Control's dropins.\n" "$plugin"
    fi
    return $failed
}

main "$@"
