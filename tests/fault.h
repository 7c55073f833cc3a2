/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes the allocations and copies from user memory of one thread fail in turn: with
 * n in /proc/thread-self/fail-nth, the n-th of them fails, and then the file reads 0.
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

/* Was the kernel told to let allocations from this cache fail? */
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
 * Has the fault happened?  If not, it may happen to the calls that ask for it and
 * that end it.
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
