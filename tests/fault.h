/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations and copies from user memory of one thread that are made to fail in
 * turn: a number n in /proc/thread-self/fail-nth has the n-th of them that the
 * thread makes fail, and is 0 when that has happened.
 */
#ifndef NTSYNC_FAULT_H
#define NTSYNC_FAULT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAULT_SETTINGS "/sys/kernel/debug"

static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

/* Whether the kernel was told to let allocations from this cache fail. */
static inline bool fault_in_cache(const char *name)
{
	char path[128], text[2] = "";
	bool yes;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/failslab", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	yes = fd >= 0 && read(fd, text, 1) == 1 && text[0] == '1';
	if (fd >= 0)
		close(fd);
	return yes;
}

/*
 * Only of the caches that the kernel was told to let fail: the memory that
 * debug options need would be places too, and those vary.  And without a trace,
 * which would look like a complaint.  Returns what to give the others, or -1 if
 * the kernel cannot do it.
 */
static inline int fault_open(void)
{
	if (!write_text(FAULT_SETTINGS "/failslab/cache-filter", "Y") ||
	    !write_text(FAULT_SETTINGS "/failslab/ignore-gfp-wait", "N") ||
	    !write_text(FAULT_SETTINGS "/failslab/verbose", "0") ||
	    !write_text(FAULT_SETTINGS "/fail_page_alloc/min-order", "99"))
		return -1;
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

static inline bool fault_set(int fail_nth, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fail_nth, text, len, 0) == len;
}

/*
 * Whether the fault has happened.  If it has not, it may happen to the very
 * calls that ask and that end it.
 */
static inline bool fault_happened(int fail_nth)
{
	char text[16] = "";
	bool happened = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 &&
			!strcmp(text, "0\n");

	while (!fault_set(fail_nth, 0))
		;
	return happened;
}

#endif /* NTSYNC_FAULT_H */
