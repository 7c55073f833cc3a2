/* SPDX-License-Identifier: GPL-2.0 */
/* Wakes threads without a reason, by tests/modules/wake_up.c, in a VM that has the module. */
#ifndef NTSYNC_WAKE_UP_H
#define NTSYNC_WAKE_UP_H

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "task.h"

#define WAKE_UP	"/wake_up.ko"

static inline int load_wake_up(void)
{
	int ret, fd = open(WAKE_UP, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST ? -errno : 0;
	close(fd);
	return ret;
}

/* Returns 0, or -ESRCH if there is no such thread. */
static inline int wake_without_reason(pid_t tid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", tid);
	return write_file("/sys/module/wake_up/parameters/tid", text);
}

#endif /* NTSYNC_WAKE_UP_H */
