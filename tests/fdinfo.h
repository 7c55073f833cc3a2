/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/self/fdinfo of an object, parsed strictly. */
#ifndef NTSYNC_FDINFO_H
#define NTSYNC_FDINFO_H

#include <stdlib.h>
#include <string.h>
#include "ntsync_util.h"

#define FDINFO_WAITS	1100

struct wait_info {
	unsigned long long serial;
	int tid;
	char kind[4];
	__u32 index;
	__u32 owner;
	unsigned long long waited;
	char deadline[4];
	char alert[4];
	__u32 objects;
};

struct fdinfo {
	__u32 instance;
	__u32 object;
	__u32 objects;
	char type[16];
	/* In the order in which they are shown. */
	char names[3][16];
	__u32 values[3];
	int states;
	struct wait_info waits[FDINFO_WAITS];
	int shown;
	__u32 waiters;
};

static inline bool fdinfo_is_wait(const char *line, struct wait_info *wait)
{
	int len = 0, end = 0;

	return sscanf(line, "wait:\tserial=%llu tid=%d kind=%3[a-z] index=%u owner=%u%n",
		      &wait->serial, &wait->tid, wait->kind, &wait->index,
		      &wait->owner, &len) == 5 &&
	       sscanf(line + len, " waited=%llu deadline=%3[a-z] alert=%3[a-z] objects=%u%n",
		      &wait->waited, wait->deadline, wait->alert,
		      &wait->objects, &end) == 4 && line[len + end] == '\n';
}

static inline bool fdinfo_is_kernels(const char *line)
{
	return !strncmp(line, "pos:", 4) || !strncmp(line, "flags:", 6) ||
	       !strncmp(line, "mnt_id:", 7) || !strncmp(line, "ino:", 4);
}

/* Parses a line; false if its format is wrong. */
static inline bool fdinfo_line(const char *line, struct fdinfo *info)
{
	char *name;

	if (fdinfo_is_kernels(line))
		return true;
	/* No number is negative, but sscanf() would take it. */
	if (strchr(line, '-'))
		return false;
	if (sscanf(line, "instance:\t%u\n", &info->instance) == 1 ||
	    sscanf(line, "object:\t%u\n", &info->object) == 1 ||
	    sscanf(line, "objects:\t%u\n", &info->objects) == 1 ||
	    sscanf(line, "type:\t%15[a-z]\n", info->type) == 1 ||
	    sscanf(line, "waiters:\t%u\n", &info->waiters) == 1)
		return true;
	if (info->shown < FDINFO_WAITS &&
	    fdinfo_is_wait(line, &info->waits[info->shown])) {
		info->shown++;
		return true;
	}
	if (info->states == 3)
		return false;
	name = info->names[info->states];
	return sscanf(line, "%15[a-z]:\t%u\n", name,
		      &info->values[info->states++]) == 2;
}

/* Returns 0, -errno, or -EBADMSG if the format of a line is wrong. */
static inline int fdinfo_read_path(const char *path, struct fdinfo *info)
{
	FILE *file = fopen(path, "re");
	char line[256];
	int ret = 0;

	memset(info, 0, sizeof(*info));
	if (!file)
		return -errno;
	while (!ret && fgets(line, sizeof(line), file)) {
		if (!fdinfo_line(line, info)) {
			fprintf(stderr, "# wrong format: %s", line);
			ret = -EBADMSG;
		}
	}
	fclose(file);
	return ret;
}

static inline int fdinfo_read(int fd, struct fdinfo *info)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return fdinfo_read_path(path, info);
}

#endif /* NTSYNC_FDINFO_H */
