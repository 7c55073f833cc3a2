/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One interface to objects of all kinds, for tests that apply to all of them, and
 * expectations about an object's state.
 */
#ifndef NTSYNC_OBJECTS_H
#define NTSYNC_OBJECTS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include "ntsync_util.h"

/* Owners.  Most tests wait as ME; no wait uses NOBODY_WAITS. */
#define ME		1U
#define OTHER		2U
#define THIRD		3U
#define NOBODY_WAITS	99U

/* The content of memory that a call must not change if it fails. */
#define GARBAGE		0xdeadbeefU

enum kind { SEM, MUTEX, AUTO_EVENT, MANUAL_EVENT, KINDS };

struct object {
	enum kind kind;
	int fd;
};

/* Everything that a program can know about an object. */
struct state {
	int error;
	__u32 first;
	__u32 second;
};

/* Unsignaled for all owners except, if it is a mutex, NOBODY_WAITS. */
static inline struct object object_create(int dev, enum kind kind)
{
	struct object object = { .kind = kind, .fd = -EINVAL };

	switch (kind) {
	case SEM:
		object.fd = sem_create(dev, 0, 1);
		break;
	case MUTEX:
		object.fd = mutex_create(dev, NOBODY_WAITS, 1);
		break;
	case AUTO_EVENT:
	case MANUAL_EVENT:
		object.fd = event_create(dev, kind == MANUAL_EVENT, 0);
		break;
	case KINDS:
		break;
	}
	return object;
}

/* Creates events that are not set.  Returns 0 or the error of the first that fails. */
static inline int create_events(int dev, __u32 manual, int *objs, int count)
{
	for (int i = 0; i < count; i++) {
		objs[i] = event_create(dev, manual, 0);
		if (objs[i] < 0)
			return objs[i];
	}
	return 0;
}

/* How many of these events are set. */
static inline int count_set(const int *objs, int count)
{
	struct ntsync_event_args args;
	int set = 0;

	for (int i = 0; i < count; i++) {
		if (event_read(objs[i], &args))
			return -1;
		set += args.signaled;
	}
	return set;
}

/* Signals an object of object_create() for one wait. */
static inline int object_signal(struct object object)
{
	__u32 one = 1;

	switch (object.kind) {
	case SEM:
		return sem_release(object.fd, &one);
	case MUTEX:
		return mutex_unlock(object.fd, NOBODY_WAITS, NULL);
	case AUTO_EVENT:
	case MANUAL_EVENT:
		return event_set(object.fd, &one);
	case KINDS:
		break;
	}
	return -EINVAL;
}

static inline struct state object_state(struct object object)
{
	struct state state = { .first = GARBAGE, .second = GARBAGE };
	struct ntsync_mutex_args mutex = { GARBAGE, GARBAGE };
	struct ntsync_event_args event = { GARBAGE, GARBAGE };
	struct ntsync_sem_args sem = { GARBAGE, GARBAGE };

	switch (object.kind) {
	case SEM:
		state.error = sem_read(object.fd, &sem);
		state.first = sem.count;
		state.second = sem.max;
		break;
	case MUTEX:
		state.error = mutex_read(object.fd, &mutex);
		state.first = mutex.owner;
		state.second = mutex.count;
		break;
	case AUTO_EVENT:
	case MANUAL_EVENT:
		state.error = event_read(object.fd, &event);
		state.first = event.manual;
		state.second = event.signaled;
		break;
	case KINDS:
		break;
	}
	return state;
}

/* The result of object_state() while an object is unsignaled... */
static inline struct state state_unsignaled(enum kind kind)
{
	switch (kind) {
	case SEM:
		return (struct state) { 0, 0, 1 };
	case MUTEX:
		return (struct state) { 0, NOBODY_WAITS, 1 };
	default:
		return (struct state) { 0, kind == MANUAL_EVENT, 0 };
	}
}

/* ... once it was signaled... */
static inline struct state state_signaled(enum kind kind)
{
	switch (kind) {
	case SEM:
		return (struct state) { 0, 1, 1 };
	case MUTEX:
		return (struct state) { 0, 0, 0 };
	default:
		return (struct state) { 0, kind == MANUAL_EVENT, 1 };
	}
}

/* ... and after @owner has acquired it. */
static inline struct state state_acquired(enum kind kind, __u32 owner)
{
	switch (kind) {
	case SEM:
		return (struct state) { 0, 0, 1 };
	case MUTEX:
		return (struct state) { 0, owner, 1 };
	default:
		return (struct state) {
			0, kind == MANUAL_EVENT, kind == MANUAL_EVENT,
		};
	}
}

static inline bool same_state(struct state a, struct state b)
{
	return a.error == b.error && a.first == b.first && a.second == b.second;
}

static inline int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* A deadline that has passed before the wait begins, so the wait is a poll. */
static inline int poll_any(int dev, const int *objs, __u32 count, __u32 *index)
{
	return wait_any(dev, objs, count, ME, 0, 0, index);
}

static inline int poll_all(int dev, const int *objs, __u32 count, __u32 *index)
{
	return wait_all(dev, objs, count, ME, 0, 0, index);
}

/*
 * The rest needs kselftest_harness.h.  The checks are macros, so a failure names the
 * line of the test.
 */

#define EXPECT_STATE(expected_state, seen_state) do { \
	struct state _want = (expected_state); \
	struct state _have = (seen_state); \
	EXPECT_EQ(_want.error, _have.error); \
	EXPECT_EQ(_want.first, _have.first); \
	EXPECT_EQ(_want.second, _have.second); \
} while (0)

#define EXPECT_UNSIGNALED(obj) do { \
	struct object _object = (obj); \
	EXPECT_STATE(state_unsignaled(_object.kind), object_state(_object)); \
} while (0)

#define EXPECT_SIGNALED(obj) do { \
	struct object _object = (obj); \
	EXPECT_STATE(state_signaled(_object.kind), object_state(_object)); \
} while (0)

#define EXPECT_ACQUIRED(obj, by) do { \
	struct object _object = (obj); \
	EXPECT_STATE(state_acquired(_object.kind, by), object_state(_object)); \
} while (0)

#define EXPECT_SEM(sem_count, sem_max, sem_fd) do { \
	struct object _object = { SEM, (sem_fd) }; \
	struct state _expected = { 0, (sem_count), (sem_max) }; \
	EXPECT_STATE(_expected, object_state(_object)); \
} while (0)

#define EXPECT_MUTEX(mutex_owner, mutex_count, mutex_fd) do { \
	struct object _object = { MUTEX, (mutex_fd) }; \
	struct state _expected = { 0, (mutex_owner), (mutex_count) }; \
	EXPECT_STATE(_expected, object_state(_object)); \
} while (0)

#define EXPECT_ABANDONED(mutex_fd) do { \
	struct object _object = { MUTEX, (mutex_fd) }; \
	struct state _expected = { -EOWNERDEAD, 0, 0 }; \
	EXPECT_STATE(_expected, object_state(_object)); \
} while (0)

#define EXPECT_EVENT(event_manual, event_signaled, event_fd) do { \
	struct object _object = { AUTO_EVENT, (event_fd) }; \
	struct state _expected = { 0, (event_manual), (event_signaled) }; \
	EXPECT_STATE(_expected, object_state(_object)); \
} while (0)

#endif /* NTSYNC_OBJECTS_H */
