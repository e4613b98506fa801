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

static uint64_t set_in(const char *status, const char *label)
{
    const char *line = strstr(status, label);
    return line ? strtoull(line + strlen(label), NULL, 16) : 0;
}

/* SigBlk and SigPnd of a task's status: at most a few KB, with the processors that it may run on. 0 if the thread has ended. */
static int signals_of(int tasks, const char *tid, uint64_t *mask, uint64_t *pending)
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
    *mask = set_in(text, "\nSigBlk:");
    *pending = set_in(text, "\nSigPnd:");
    return strstr(text, "\nSigBlk:") != NULL;
}

int up_tasks_masks(int64_t *tids, int64_t *masks, int64_t *pending, int32_t capacity)
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return -errno;
    int count = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        uint64_t mask, waiting;
        if (task->d_name[0] == '.' || !signals_of(dirfd(tasks), task->d_name, &mask, &waiting))
            continue;
        if (count < capacity) {
            tids[count] = strtoll(task->d_name, NULL, 10);
            masks[count] = (int64_t)mask;
            pending[count] = (int64_t)waiting;
        }
        count++;
    }
    closedir(tasks);
    return count;
}
