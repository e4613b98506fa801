# Files lie on floors, and each leans on lower ones only: what it includes, and what it calls or reads, stands below it. So there is no circle, and who
# reads a file has read what it needs. A file says in its first line on which floor it lies; those of one name (ring.c, ring.h) are one.
#
#   nm -A *.o | awk -f floors.awk *.c *.h *.S -
#
# The headers tell half of it: uprobe.h declares functions of every floor. The other half the object files tell.
function name_of(path) { sub(/.*\//, "", path); sub(/\..*/, "", path); sub(/_x86_64$/, "", path); return path }
function complain(what) { print what > "/dev/stderr"; failed = 1 }

FILENAME != "-" && FNR == 1 {
    if (!match($0, /^\/\* Floor [0-9]+ \*\/$/))
        complain(FILENAME ": the first line says no floor")
    else if (name_of(FILENAME) in floor && floor[name_of(FILENAME)] != $3)
        complain(FILENAME ": floor " $3 ", but its other half is on floor " floor[name_of(FILENAME)])
    floor[name_of(FILENAME)] = $3
}
FILENAME != "-" && /^#include "/ { leans[name_of(FILENAME), name_of(substr($2, 2))] = "includes " $2 }

FILENAME == "-" && NF == 3 && $2 == "U" && $3 ~ /^up_/ { needs[name_of($1), $3] }
FILENAME == "-" && NF == 3 && $2 ~ /^[A-TV-Z]$/ { home[$3] = name_of($1) }

END {
    for (key in needs) {
        split(key, part, SUBSEP)
        leans[part[1], home[part[2]]] = "needs " part[2]
    }
    for (key in leans) {
        split(key, part, SUBSEP)
        if (part[1] != part[2] && floor[part[1]] + 0 <= floor[part[2]] + 0)
            complain(part[1] " on floor " floor[part[1]] " " leans[key] " of " part[2] " on floor " floor[part[2]])
    }
    exit failed
}
