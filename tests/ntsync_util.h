/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of /dev/ntsync as functions.  Each returns what the ioctl returned
 * (a descriptor or 0), or the negated errno.
 */
#ifndef NTSYNC_UTIL_H
#define NTSYNC_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/ntsync.h>

/*
 * The harness gives a test 30 s, which is too short on a slow machine.  This is longer than
 * tests/guest gives the program, because that shows what its threads were doing.
 */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1000

/*
 * The harness forks for each test, and an emulated machine needs twice as long for that if
 * the child starts on another CPU.  So the harness stays on one CPU; tests use all of them.
 */
static void use_all_cpus(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
}

static __attribute__((constructor)) void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	pthread_atfork(NULL, NULL, use_all_cpus);
}
#endif

#define FOREVER		UINT64_MAX
#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

static inline int ntsync_call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static inline int ntsync_open(void)
{
	int fd = open("/dev/ntsync", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int sem_create(int dev, __u32 count, __u32 max)
{
	struct ntsync_sem_args args = { .count = count, .max = max };

	return ntsync_call(dev, NTSYNC_IOC_CREATE_SEM, &args);
}

static inline int mutex_create(int dev, __u32 owner, __u32 count)
{
	struct ntsync_mutex_args args = { .owner = owner, .count = count };

	return ntsync_call(dev, NTSYNC_IOC_CREATE_MUTEX, &args);
}

static inline int event_create(int dev, __u32 manual, __u32 signaled)
{
	struct ntsync_event_args args = {
		.manual = manual, .signaled = signaled,
	};

	return ntsync_call(dev, NTSYNC_IOC_CREATE_EVENT, &args);
}

/* *count: how many to add; on success, the count before. */
static inline int sem_release(int sem, __u32 *count)
{
	return ntsync_call(sem, NTSYNC_IOC_SEM_RELEASE, count);
}

static inline int sem_read(int sem, struct ntsync_sem_args *args)
{
	return ntsync_call(sem, NTSYNC_IOC_SEM_READ, args);
}

static inline int mutex_unlock(int mutex, __u32 owner, __u32 *prev)
{
	struct ntsync_mutex_args args = { .owner = owner };
	int ret = ntsync_call(mutex, NTSYNC_IOC_MUTEX_UNLOCK, &args);

	if (!ret && prev)
		*prev = args.count;
	return ret;
}

static inline int mutex_kill(int mutex, __u32 owner)
{
	return ntsync_call(mutex, NTSYNC_IOC_MUTEX_KILL, &owner);
}

static inline int mutex_read(int mutex, struct ntsync_mutex_args *args)
{
	return ntsync_call(mutex, NTSYNC_IOC_MUTEX_READ, args);
}

static inline int event_set(int event, __u32 *prev)
{
	return ntsync_call(event, NTSYNC_IOC_EVENT_SET, prev);
}

static inline int event_reset(int event, __u32 *prev)
{
	return ntsync_call(event, NTSYNC_IOC_EVENT_RESET, prev);
}

static inline int event_pulse(int event, __u32 *prev)
{
	return ntsync_call(event, NTSYNC_IOC_EVENT_PULSE, prev);
}

static inline int event_read(int event, struct ntsync_event_args *args)
{
	return ntsync_call(event, NTSYNC_IOC_EVENT_READ, args);
}

/* The time of a clock in nanoseconds, the unit of timeouts. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/*
 * Both waits.  @timeout is absolute, CLOCK_MONOTONIC; @alert is a descriptor,
 * or 0 for none; *@index is written on success and on EOWNERDEAD.
 */
static inline int wait_call(int dev, unsigned long request, const int *objs,
			    __u32 count, __u32 owner, uint64_t timeout,
			    int alert, __u32 *index)
{
	struct ntsync_wait_args args = {
		.timeout = timeout,
		.objs = (uintptr_t)objs,
		.count = count,
		.owner = owner,
		.alert = alert,
		.index = UINT32_MAX,
	};
	int ret = ntsync_call(dev, request, &args);

	if (index)
		*index = args.index;
	return ret;
}

static inline int wait_any(int dev, const int *objs, __u32 count, __u32 owner,
			   uint64_t timeout, int alert, __u32 *index)
{
	return wait_call(dev, NTSYNC_IOC_WAIT_ANY, objs, count, owner, timeout,
			 alert, index);
}

static inline int wait_all(int dev, const int *objs, __u32 count, __u32 owner,
			   uint64_t timeout, int alert, __u32 *index)
{
	return wait_call(dev, NTSYNC_IOC_WAIT_ALL, objs, count, owner, timeout,
			 alert, index);
}

#endif /* NTSYNC_UTIL_H */
