/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes allocations and copies from user memory of one thread fail: with n in
 * /proc/thread-self/fail-nth, the n-th of them fails, and then the file reads 0.
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

/* Does the kernel let allocations from this cache fail? */
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
 * Prepares faults only in the caches whose allocations may fail: debug options allocate
 * memory too, and how often varies.  Turns off stack traces, which look like complaints.
 * Returns what to pass to the other functions, or -1 if the kernel cannot do it.
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
 * Has the fault happened?  If not, it may happen in these calls.
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
