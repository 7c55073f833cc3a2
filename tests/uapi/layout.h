/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface as literal numbers.  Compiling this as C and C++, 32 and 64 bit,
 * is the test.
 */
#include <linux/ntsync.h>
#include <linux/ntsync.h>	/* including it twice is allowed */
#include <linux/ioctl.h>
#include <stddef.h>

#ifndef __LINUX_NTSYNC_H
#error "a copy of the header must be left out by the same name"
#endif

/* An array of negative size does not compile. */
#define EQUAL(name, value, expected)					\
	extern char name[(value) == (expected) ? 1 : -1]

#define VALUE(name, value) EQUAL(name##_value, name, value)

#define SIZE(type, size) EQUAL(type##_size, sizeof(struct type), size)

#define OFFSET(type, member, offset)					\
	EQUAL(type##_##member##_offset, offsetof(struct type, member), offset)

/* A comparison of pointers to different types does not compile either. */
#define TYPE(type, member, pointer)					\
	extern char type##_##member##_type				\
		[sizeof((pointer)0 == &((struct type *)0)->member)]

SIZE(ntsync_sem_args, 8);
OFFSET(ntsync_sem_args, count, 0);
OFFSET(ntsync_sem_args, max, 4);
TYPE(ntsync_sem_args, count, __u32 *);
TYPE(ntsync_sem_args, max, __u32 *);

SIZE(ntsync_mutex_args, 8);
OFFSET(ntsync_mutex_args, owner, 0);
OFFSET(ntsync_mutex_args, count, 4);
TYPE(ntsync_mutex_args, owner, __u32 *);
TYPE(ntsync_mutex_args, count, __u32 *);

SIZE(ntsync_event_args, 8);
OFFSET(ntsync_event_args, manual, 0);
OFFSET(ntsync_event_args, signaled, 4);
TYPE(ntsync_event_args, manual, __u32 *);
TYPE(ntsync_event_args, signaled, __u32 *);

SIZE(ntsync_wait_args, 40);
OFFSET(ntsync_wait_args, timeout, 0);
OFFSET(ntsync_wait_args, objs, 8);
OFFSET(ntsync_wait_args, count, 16);
OFFSET(ntsync_wait_args, index, 20);
OFFSET(ntsync_wait_args, flags, 24);
OFFSET(ntsync_wait_args, owner, 28);
OFFSET(ntsync_wait_args, alert, 32);
OFFSET(ntsync_wait_args, pad, 36);
TYPE(ntsync_wait_args, timeout, __u64 *);
TYPE(ntsync_wait_args, objs, __u64 *);
TYPE(ntsync_wait_args, count, __u32 *);
TYPE(ntsync_wait_args, index, __u32 *);
TYPE(ntsync_wait_args, flags, __u32 *);
TYPE(ntsync_wait_args, owner, __u32 *);
TYPE(ntsync_wait_args, alert, __u32 *);
TYPE(ntsync_wait_args, pad, __u32 *);

VALUE(NTSYNC_WAIT_REALTIME, 0x1);
VALUE(NTSYNC_MAX_WAIT_COUNT, 64);

VALUE(NTSYNC_IOC_CREATE_SEM, 0x40084e80);
VALUE(NTSYNC_IOC_SEM_RELEASE, 0xc0044e81);
VALUE(NTSYNC_IOC_WAIT_ANY, 0xc0284e82);
VALUE(NTSYNC_IOC_WAIT_ALL, 0xc0284e83);
VALUE(NTSYNC_IOC_CREATE_MUTEX, 0x40084e84);
VALUE(NTSYNC_IOC_MUTEX_UNLOCK, 0xc0084e85);
VALUE(NTSYNC_IOC_MUTEX_KILL, 0x40044e86);
VALUE(NTSYNC_IOC_CREATE_EVENT, 0x40084e87);
VALUE(NTSYNC_IOC_EVENT_SET, 0x80044e88);
VALUE(NTSYNC_IOC_EVENT_RESET, 0x80044e89);
VALUE(NTSYNC_IOC_EVENT_PULSE, 0x80044e8a);
VALUE(NTSYNC_IOC_SEM_READ, 0x80084e8b);
VALUE(NTSYNC_IOC_MUTEX_READ, 0x80084e8c);
VALUE(NTSYNC_IOC_EVENT_READ, 0x80084e8d);
