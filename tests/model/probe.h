/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does a thread sleep in an ioctl?  Like waiter.h, but with files that stay open, for
 * tests that ask very often.
 */
#ifndef NTSYNC_PROBE_H
#define NTSYNC_PROBE_H

#include "waiter.h"

struct probe {
	int syscall;
	int stat;
};

static inline int probe_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/%s",
		 syscall(SYS_gettid), name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Called by the thread that will be probed. */
static inline bool probe_open(struct probe *probe)
{
	probe->syscall = probe_file("syscall");
	probe->stat = probe_file("stat");
	return probe->syscall >= 0 && probe->stat >= 0;
}

static inline void probe_read(int fd, char *text, size_t room)
{
	ssize_t size = pread(fd, text, room - 1, 0);

	text[size < 0 ? 0 : size] = 0;
}

/* Like thread_state(). */
static inline char probe_state(const struct probe *probe)
{
	char text[256], state;

	probe_read(probe->stat, text, sizeof(text));
	return sscanf(text, "%*d (%*[^)]) %c", &state) == 1 ? state : 0;
}

/* Like thread_in_ioctl(). */
static inline bool probe_sleeps(const struct probe *probe,
				unsigned long request, const void *arg)
{
	unsigned long call[3];
	char text[256];
	long nr;

	if (probe_state(probe) != 'S')
		return false;
	probe_read(probe->syscall, text, sizeof(text));
	return sscanf(text, "%ld %lx %lx %lx", &nr, &call[0], &call[1],
		      &call[2]) == 4 &&
	       nr == SYS_ioctl && call[1] == request &&
	       call[2] == (unsigned long)arg && probe_state(probe) == 'S';
}

#endif /* NTSYNC_PROBE_H */
