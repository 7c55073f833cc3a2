/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Interface of /dev/ntsync: semaphores, mutexes and events with the semantics
 * of Windows NT.  Documentation/ntsync.rst describes every call.
 */
#ifndef __LINUX_NTSYNC_H
#define __LINUX_NTSYNC_H

#include <linux/types.h>

/**
 * struct ntsync_sem_args - state of a semaphore
 * @count: how many acquisitions it grants before it blocks
 * @max: the highest value that @count may reach
 */
struct ntsync_sem_args {
	__u32 count;
	__u32 max;
};

/**
 * struct ntsync_mutex_args - state of a mutex
 * @owner: name of the thread that owns it, 0 if there is none
 * @count: how many times the owner has acquired it, 0 if it has no owner
 */
struct ntsync_mutex_args {
	__u32 owner;
	__u32 count;
};

/**
 * struct ntsync_event_args - state of an event
 * @manual: nonzero for a manual-reset event, 0 for an auto-reset event
 * @signaled: nonzero while the event is set
 */
struct ntsync_event_args {
	__u32 manual;
	__u32 signaled;
};

/* Flag of struct ntsync_wait_args: the timeout is on CLOCK_REALTIME. */
#define NTSYNC_WAIT_REALTIME	0x1

/* The most objects that one wait may name, its alert not counted. */
#define NTSYNC_MAX_WAIT_COUNT	64

/**
 * struct ntsync_wait_args - argument of both kinds of wait
 * @timeout: absolute time in nanoseconds at which to give up, on
 *	CLOCK_MONOTONIC unless %NTSYNC_WAIT_REALTIME is given; the largest
 *	value means never
 * @objs: address of an array of @count file descriptors (__u32) of objects
 * @count: number of objects, at most %NTSYNC_MAX_WAIT_COUNT
 * @index: set on success to the place in @objs of the object that ended the
 *	wait, to 0 by a wait for all, to @count by the alert
 * @flags: %NTSYNC_WAIT_REALTIME or 0
 * @owner: name under which mutexes are acquired, not 0
 * @alert: file descriptor of one more object that may end the wait, or 0
 * @pad: must be 0
 */
struct ntsync_wait_args {
	__u64 timeout;
	__u64 objs;
	__u32 count;
	__u32 index;
	__u32 flags;
	__u32 owner;
	__u32 alert;
	__u32 pad;
};

/* Ioctls of the device. */
#define NTSYNC_IOC_CREATE_SEM	_IOW('N', 0x80, struct ntsync_sem_args)
#define NTSYNC_IOC_WAIT_ANY	_IOWR('N', 0x82, struct ntsync_wait_args)
#define NTSYNC_IOC_WAIT_ALL	_IOWR('N', 0x83, struct ntsync_wait_args)
#define NTSYNC_IOC_CREATE_MUTEX	_IOW('N', 0x84, struct ntsync_mutex_args)
#define NTSYNC_IOC_CREATE_EVENT	_IOW('N', 0x87, struct ntsync_event_args)

/* Ioctls of the objects. */
#define NTSYNC_IOC_SEM_RELEASE	_IOWR('N', 0x81, __u32)
#define NTSYNC_IOC_MUTEX_UNLOCK	_IOWR('N', 0x85, struct ntsync_mutex_args)
#define NTSYNC_IOC_MUTEX_KILL	_IOW('N', 0x86, __u32)
#define NTSYNC_IOC_EVENT_SET	_IOR('N', 0x88, __u32)
#define NTSYNC_IOC_EVENT_RESET	_IOR('N', 0x89, __u32)
#define NTSYNC_IOC_EVENT_PULSE	_IOR('N', 0x8a, __u32)
#define NTSYNC_IOC_SEM_READ	_IOR('N', 0x8b, struct ntsync_sem_args)
#define NTSYNC_IOC_MUTEX_READ	_IOR('N', 0x8c, struct ntsync_mutex_args)
#define NTSYNC_IOC_EVENT_READ	_IOR('N', 0x8d, struct ntsync_event_args)

#endif /* __LINUX_NTSYNC_H */
