/* Floor 1 */
/* What the kernel tells of this process's threads, in proc(5). Not the hit path. */
#define _GNU_SOURCE
#include "uprobe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SigBlk of a task's status: at most a few KB, with the processors that it may run on. 0 if the thread has ended. */
static int blocked(int tasks, const char *tid, uint64_t *mask)
{
    char name[32], text[8192];
    if (snprintf(name, sizeof name, "%s/status", tid) >= (int)sizeof name)
        return 0;
    int fd = openat(tasks, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    const char *line = strstr(text, "\nSigBlk:");
    if (!line)
        return 0;
    *mask = strtoull(line + strlen("\nSigBlk:"), NULL, 16);
    return 1;
}

int up_tasks_masks(int64_t *tids, int64_t *masks, int32_t capacity)
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return -errno;
    int count = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        uint64_t mask;
        if (task->d_name[0] == '.' || !blocked(dirfd(tasks), task->d_name, &mask))
            continue;
        if (count < capacity) {
            tids[count] = strtoll(task->d_name, NULL, 10);
            masks[count] = (int64_t)mask;
        }
        count++;
    }
    closedir(tasks);
    return count;
}
