#!/usr/bin/env bash
# Unpacks the C libraries of other Debian releases into it/target/libcs/RELEASE, for OtherLibcsIT: JVMs are run under their ld.so. Nothing is installed.
#   it/other-libcs.sh [RELEASE...]
# Takes the packages from where this machine's apt takes its own, as any user.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- bullseye trixie
parts="libc6 zlib1g libgcc-s1 libstdc++6"
from=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/\?$' | sort -u | head -1)
include=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")/include
for release in "$@"; do
    folder=$PWD/target/libcs/$release
    [ ! -f "$folder/libwhole_libc.so" ] || continue
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$folder"
    echo "deb $from $release main" >"$work/sources"
    apt=(apt-get -qq -o Dir::Etc::sourcelist="$work/sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
        -o Dir::Cache::archives="$work" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
    "${apt[@]}" update
    # the release's own version, whatever is newer elsewhere
    (cd "$work" && for part in $parts; do "${apt[@]}" download "$part/$release"; done)
    for package in "$work"/*.deb; do
        dpkg-deb -x "$package" "$folder"
    done
    libc=$(dirname "$(find "$folder" -name libc.so.6 | head -1)")
    # LibcStorm's library, bound to that libc's versions of its functions
    gcc -shared -fPIC -O1 -I"$include" -I"$include/linux" -o "$folder/libwhole_libc.so" src/test/native/whole_libc.c -nodefaultlibs \
        "$libc/libc.so.6" "$libc/libpthread.so.0" "$libc/librt.so.1" "$libc/libanl.so.1" -lgcc
    rm -rf "$work"
done
