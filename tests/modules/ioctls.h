/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of ioctls for /dev/ioctls (ioctls.c). */
#ifndef NTSYNC_IOCTLS_H
#define NTSYNC_IOCTLS_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct ioctls_call {
	__u64 argument;
	__u32 request;
	__s32 fd;
	__s64 answer;	/* 0 or more, or a negative errno */
};

struct ioctls_list {
	__u64 calls;	/* address of an array of struct ioctls_call */
	__u32 count;
	__u32 pad;
};

/* Makes all calls of a list, one after the other, and writes their results. */
#define IOCTLS_MAKE _IOW('I', 0, struct ioctls_list)

#endif /* NTSYNC_IOCTLS_H */
