# Sourced by the scripts: installs Debian packages that are missing, or says which.

# bring_packages NAME...: as root through apt-get; as anybody else, one line that says what to install.
bring_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' || missing+=("$name")
    done
    command -v javac >/dev/null || missing+=(default-jdk-headless)
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages; please run: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "installing ${missing[*]}"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}

# maven_options: Java takes a user's home from passwd; where that can not be written to (nobody), Maven's repository goes below HOME.
maven_options() {
    local home
    home=$(getent passwd "$(id -u)" | cut -d: -f6)
    if [ ! -w "${home:-/nonexistent}" ] && [ -w "${HOME:-/nonexistent}" ]; then
        echo "-Dmaven.repo.local=$HOME/.m2/repository"
    fi
}
