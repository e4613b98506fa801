#!/usr/bin/env bash
# Brings what is missing and runs every test on every JDK found (17 to 25). Arguments go to Maven.
#   it/run.sh                    all tests, as in continuous integration
#   it/run.sh -Dstorm=true       the long storms as well
#   it/run.sh -pl native-probe   one module
set -euo pipefail
cd "$(dirname "$0")/.."
. it/bring.sh

bring_packages libjemalloc2 libtcmalloc-minimal4 make gcc g++ clang libc++-dev libc++abi-dev binutils gdb maven libzydis-dev libcapstone4 zlib1g-dev libssl-dev util-linux
# ReportPageIT looks at a page in it, and is skipped without
if [ "$(id -u)" = 0 ]; then
    command -v chromium >/dev/null || bring_packages chromium || echo "chromium could not be brought: ReportPageIT is skipped" >&2
fi
# LanguagesIT takes these compilers from wherever they are, and is skipped in part without them
if [ "$(id -u)" = 0 ]; then
    command -v go >/dev/null || bring_packages golang-go
    command -v rustc >/dev/null || bring_packages rustc
fi
it/other-libcs.sh || echo "no other C libraries could be brought: OtherLibcsIT is skipped in part" >&2
mapfile -t options < <(maven_options)
mvn -B -ntp ${options[@]+"${options[@]}"} verify "$@"
