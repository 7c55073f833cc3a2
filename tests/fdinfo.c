// SPDX-License-Identifier: GPL-2.0
/* What /proc/PID/fdinfo shows about objects and the waits for them. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

#define MANY_WAITERS	1030

FIXTURE(fdinfo) {
	int dev;
	struct fdinfo *info;
};

FIXTURE_SETUP(fdinfo)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->info = calloc(1, sizeof(*self->info));
	ASSERT_NE(NULL, self->info);
}

FIXTURE_TEARDOWN(fdinfo)
{
	free(self->info);
	close(self->dev);
}

#define EXPECT_SHOWN(place, name, value)				\
do {									\
	const int _place = place;					\
									\
	EXPECT_STREQ(name, self->info->names[_place]);			\
	EXPECT_EQ((__u32)(value), self->info->values[_place]);		\
} while (0)

TEST_F(fdinfo, semaphore)
{
	static const __u32 counts[][2] = { { 2, 5 }, { (1U << 31) + 1, UINT32_MAX } };

	for (int i = 0; i < 2; i++) {
		int sem = sem_create(self->dev, counts[i][0], counts[i][1]);

		ASSERT_EQ(0, fdinfo_read(sem, self->info));
		EXPECT_STREQ("semaphore", self->info->type);
		EXPECT_EQ(2, self->info->states);
		EXPECT_SHOWN(0, "count", counts[i][0]);
		EXPECT_SHOWN(1, "max", counts[i][1]);
		EXPECT_EQ(0U, self->info->waiters);
	}
}

TEST_F(fdinfo, mutex)
{
	const __u32 count = (1U << 31) + 3;
	int mutex = mutex_create(self->dev, UINT32_MAX, count);

	ASSERT_EQ(0, fdinfo_read(mutex, self->info));
	EXPECT_STREQ("mutex", self->info->type);
	EXPECT_EQ(3, self->info->states);
	EXPECT_SHOWN(0, "owner", UINT32_MAX);
	EXPECT_SHOWN(1, "count", count);
	EXPECT_SHOWN(2, "abandoned", 0);
	ASSERT_EQ(0, mutex_kill(mutex, UINT32_MAX));
	ASSERT_EQ(0, fdinfo_read(mutex, self->info));
	EXPECT_SHOWN(0, "owner", 0);
	EXPECT_SHOWN(1, "count", 0);
	EXPECT_SHOWN(2, "abandoned", 1);
}

TEST_F(fdinfo, event)
{
	for (__u32 manual = 0; manual < 2; manual++) {
		int event = event_create(self->dev, manual, 0);
		__u32 prev;

		ASSERT_EQ(0, fdinfo_read(event, self->info));
		EXPECT_STREQ("event", self->info->type);
		EXPECT_EQ(2, self->info->states);
		EXPECT_SHOWN(0, "manual", manual);
		EXPECT_SHOWN(1, "signaled", 0);
		ASSERT_EQ(0, event_set(event, &prev));
		ASSERT_EQ(0, fdinfo_read(event, self->info));
		EXPECT_SHOWN(1, "signaled", 1);
	}
}

/* Numbers are small and do not change. */
TEST_F(fdinfo, numbers)
{
	int a = event_create(self->dev, 0, 0), b = event_create(self->dev, 0, 0);
	int dev = ntsync_open();
	__u32 instance;

	ASSERT_EQ(0, fdinfo_read(self->dev, self->info));
	instance = self->info->instance;
	EXPECT_NE(0U, instance);
	EXPECT_EQ(2U, self->info->objects);
	ASSERT_EQ(0, fdinfo_read(a, self->info));
	EXPECT_EQ(instance, self->info->instance);
	EXPECT_EQ(1U, self->info->object);
	ASSERT_EQ(0, fdinfo_read(b, self->info));
	EXPECT_EQ(instance, self->info->instance);
	EXPECT_EQ(2U, self->info->object);
	close(a);
	ASSERT_EQ(0, fdinfo_read(b, self->info));
	EXPECT_EQ(2U, self->info->object);
	ASSERT_EQ(0, fdinfo_read(self->dev, self->info));
	EXPECT_EQ(1U, self->info->objects);

	ASSERT_EQ(0, fdinfo_read(dev, self->info));
	EXPECT_NE(instance, self->info->instance);
	EXPECT_EQ(0U, self->info->objects);
	close(dev);
}

/* A number does not come again, even if most objects and instances live for a moment only. */
TEST_F(fdinfo, numbers_of_short_lives)
{
	int event = event_create(self->dev, 0, 0);

	if (work(0, 1) && !access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "a small run has it on kernels without kmemleak only");
	for (int i = 0; i < 1 << 16; i++)
		ASSERT_EQ(0, close(event_create(self->dev, 0, 0)));
	ASSERT_EQ(0, fdinfo_read(event, self->info));
	EXPECT_EQ(1U, self->info->object);
	event = event_create(self->dev, 0, 0);
	ASSERT_EQ(0, fdinfo_read(event, self->info));
	EXPECT_EQ((1U << 16) + 2, self->info->object);
	for (int i = 0; i < 1 << 16; i++)
		ASSERT_EQ(0, close(ntsync_open()));
	ASSERT_EQ(0, fdinfo_read(ntsync_open(), self->info));
	EXPECT_LT(1U << 16, self->info->instance);
}

static const struct wait_info *find_wait(const struct fdinfo *info,
					 const struct waiter *waiter)
{
	for (int i = 0; i < info->shown; i++)
		if (info->waits[i].tid == waiter->tid)
			return &info->waits[i];
	return NULL;
}

#define EXPECT_WAIT(fd, who, kind_, index_, alert_, objects_)		\
do {									\
	const struct waiter *_waiter = who;				\
	const struct wait_info *_wait;					\
									\
	ASSERT_EQ(0, fdinfo_read(fd, self->info));			\
	_wait = find_wait(self->info, _waiter);				\
	ASSERT_NE(NULL, _wait);						\
	EXPECT_STREQ(kind_, _wait->kind);				\
	EXPECT_EQ((__u32)(index_), _wait->index);			\
	EXPECT_EQ(_waiter->args.owner, _wait->owner);			\
	EXPECT_STREQ(_waiter->args.timeout == FOREVER ? "no" : "yes",	\
		     _wait->deadline);					\
	EXPECT_STREQ(alert_, _wait->alert);				\
	EXPECT_EQ((__u32)(objects_), _wait->objects);			\
	if (!serial)							\
		serial = _wait->serial;					\
	EXPECT_EQ(serial, _wait->serial);				\
} while (0)

TEST_F(fdinfo, wait_any_is_shown_by_each_object)
{
	int objs[3] = { event_create(self->dev, 0, 0),
			sem_create(self->dev, 0, 1),
			mutex_create(self->dev, OTHER, 1) };
	int alert = event_create(self->dev, 1, 0);
	unsigned long long serial = 0;
	struct waiter waiter;
	__u32 prev;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ANY, objs, 3, UINT32_MAX, alert));
	for (int i = 0; i < 3; i++) {
		EXPECT_WAIT(objs[i], &waiter, "any", i, "yes", 3);
		EXPECT_EQ(1U, self->info->waiters);
	}
	EXPECT_WAIT(alert, &waiter, "any", 3, "yes", 3);
	ASSERT_EQ(0, event_set(alert, &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, fdinfo_read(objs[i], self->info));
		EXPECT_EQ(0U, self->info->waiters);
		EXPECT_EQ(0, self->info->shown);
	}
}

/*
 * The time shown advances in ticks of 10 ms at most, like the coarse clock; on a busy machine
 * by several at once.
 */
#define TICKS (NSEC_PER_SEC / 50)

/*
 * Does fdinfo show the right time for an object's only wait, which began after @begun and
 * was asleep at @asleep?
 */
static bool time_is_right(int fd, __u64 begun, __u64 asleep,
			  struct fdinfo *info)
{
	__u64 before, after;

	/* Until the clock must have advanced. */
	if (!wait_until(clock_ns(CLOCK_MONOTONIC) > asleep + 2 * TICKS))
		return false;
	/* On a busy machine ticks are late, and then there are several at once. */
	before = clock_ns(CLOCK_MONOTONIC);
	if (!wait_until(fdinfo_read(fd, info) || info->shown != 1 ||
			info->waits[0].waited + TICKS > before - asleep))
		return false;
	after = clock_ns(CLOCK_MONOTONIC);
	return info->shown == 1 &&
	       info->waits[0].waited < after - begun + TICKS;
}

/* Objects that it does not watch show it too. */
TEST_F(fdinfo, wait_all_is_shown_by_each_object)
{
	int objs[3] = { event_create(self->dev, 1, 0),
			event_create(self->dev, 1, 1),
			event_create(self->dev, 1, 0) };
	int alert = event_create(self->dev, 1, 0);
	int other = event_create(self->dev, 1, 0);
	unsigned long long serial = 0;
	__u64 begun, asleep;
	struct waiter waiter;
	__u32 prev;

	begun = clock_ns(CLOCK_MONOTONIC);
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ALL, objs, 3, (1U << 31) + 1,
					 alert));
	asleep = clock_ns(CLOCK_MONOTONIC);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) {
			EXPECT_WAIT(objs[i], &waiter, "all", i, "yes", 3);
			EXPECT_EQ(1U, self->info->waiters);
			EXPECT_TRUE(time_is_right(objs[i], begun, asleep,
						  self->info));
		}
		EXPECT_WAIT(alert, &waiter, "all", 3, "yes", 3);
		EXPECT_EQ(1U, self->info->waiters);
		/* Moves the watch, perhaps. */
		ASSERT_EQ(0, event_set(objs[0], &prev));
	}
	ASSERT_EQ(0, fdinfo_read(other, self->info));
	EXPECT_EQ(0U, self->info->waiters);
	ASSERT_EQ(0, event_set(objs[2], &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
	ASSERT_EQ(0, fdinfo_read(objs[1], self->info));
	EXPECT_EQ(0U, self->info->waiters);
}

/* A wait that has an object in several places has one line, with the lowest index. */
TEST_F(fdinfo, waits_are_counted_once)
{
	int event = event_create(self->dev, 0, 0);
	int objs[4] = { event_create(self->dev, 0, 0), event, event, event };
	unsigned long long serial = 0;
	struct waiter waiter;
	__u32 prev;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ANY, objs, 4, ME,
					 event));
	EXPECT_WAIT(event, &waiter, "any", 1, "yes", 4);
	EXPECT_EQ(1, self->info->shown);
	EXPECT_EQ(1U, self->info->waiters);
	EXPECT_WAIT(objs[0], &waiter, "any", 0, "yes", 4);
	EXPECT_EQ(1, self->info->shown);
	EXPECT_EQ(1U, self->info->waiters);
	ASSERT_EQ(0, event_set(event, &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
}

/* A poll is not a wait. */
TEST_F(fdinfo, pollers_are_not_shown)
{
	int event = event_create(self->dev, 0, 0);
	struct pollfd fd = { .fd = event, .events = POLLIN };
	unsigned long long serial = 0;
	struct waiter waiter;
	__u32 prev;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, poll(&fd, 1, 0));
		ASSERT_EQ(0, fdinfo_read(event, self->info));
		EXPECT_EQ(0U, self->info->waiters);
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ANY,
						 &event, 1, ME, 0));
		EXPECT_WAIT(event, &waiter, "any", 0, "no", 1);
		EXPECT_EQ(1U, self->info->waiters);
		ASSERT_EQ(0, event_set(event, &prev));
		EXPECT_EQ(0, waiter_join(&waiter));
		serial = 0;
	}
}

TEST_F(fdinfo, deadline_and_time)
{
	static const unsigned long requests[] = { ANY, ALL };

	for (int i = 0; i < 2; i++) {
		int event = event_create(self->dev, 0, 0);
		__u64 begun = clock_ns(CLOCK_MONOTONIC);
		unsigned long long serial = 0;
		struct waiter waiter;
		__u32 prev;

		waiter_fill(&waiter, self->dev, requests[i], &event, 1, ME, 0);
		waiter.args.timeout = begun + 3600 * NSEC_PER_SEC;
		ASSERT_EQ(0, waiter_run(&waiter));
		ASSERT_TRUE(waiter_blocks(&waiter));
		EXPECT_TRUE(time_is_right(event, begun,
					  clock_ns(CLOCK_MONOTONIC),
					  self->info));
		EXPECT_WAIT(event, &waiter, i ? "all" : "any", 0, "no", 1);
		ASSERT_EQ(0, event_set(event, &prev));
		EXPECT_EQ(0, waiter_join(&waiter));
	}
}

TEST_F(fdinfo, each_wait_has_a_serial_number)
{
	int event = event_create(self->dev, 0, 0);
	unsigned long long last = 0;

	for (int i = 0; i < 3; i++) {
		struct waiter waiter;
		__u32 prev;

		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ANY,
						 &event, 1, ME, 0));
		ASSERT_EQ(0, fdinfo_read(event, self->info));
		ASSERT_EQ(1, self->info->shown);
		EXPECT_NE(last, self->info->waits[0].serial);
		last = self->info->waits[0].serial;
		ASSERT_EQ(0, event_set(event, &prev));
		EXPECT_EQ(0, waiter_join(&waiter));
	}
}

/* First waits-for-all in the order in which they began, then waits-for-any as they are served. */
TEST_F(fdinfo, order_of_service)
{
	int sem = sem_create(self->dev, 0, 9);
	int objs[2] = { sem, event_create(self->dev, 1, 0) };
	struct waiter waiters[4];
	static const __u32 served[4] = { 3, 4, 2, 1 };
	__u32 nine = 9, prev;

	ASSERT_TRUE(waiter_start_blocked(&waiters[0], self->dev, ANY, &sem, 1,
					 1, 0));
	if (!waiter_start_priority(&waiters[1], 1, self->dev, ANY, &sem, 1, 2))
		SKIP(return, "no permission for SCHED_FIFO");
	for (int i = 2; i < 4; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], self->dev, ALL,
						 objs, 2, i + 1, 0));
	ASSERT_EQ(0, fdinfo_read(sem, self->info));
	ASSERT_EQ(4, self->info->shown);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(served[i], self->info->waits[i].owner);
	ASSERT_EQ(0, event_set(objs[1], &prev));
	ASSERT_EQ(0, sem_release(sem, &nine));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
}

/*
 * Waits that have ended are not shown by another object either, in whose queue they stand until
 * their threads run.
 */
TEST_F(fdinfo, ended_waits_are_not_shown)
{
	int objs[2] = { event_create(self->dev, 1, 0), event_create(self->dev, 1, 0) };
	struct waiter waiters[4];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	/* On one CPU with this thread, so that none leaves the queue before it is read. */
	ASSERT_EQ(0, stay_on_cpu(sched_getcpu()));
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], self->dev, ANY, objs, 2, ME, 0));
	ASSERT_EQ(0, set_priority(1));
	ASSERT_EQ(0, event_set(objs[0], &(__u32){ 0 }));
	ASSERT_EQ(0, fdinfo_read(objs[1], self->info));
	ASSERT_EQ(0, set_priority(0));
	EXPECT_EQ(0, self->info->shown);
	EXPECT_EQ(0U, self->info->waiters);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
}

/* More than are shown, and more than fit into one read(). */
TEST_F(fdinfo, many_waiters)
{
	struct waiter *waiters = calloc(MANY_WAITERS, sizeof(*waiters));
	int mutex = mutex_create(self->dev, OTHER, 1);
	int alert = event_create(self->dev, 1, 0);
	pthread_attr_t attr;
	__u32 prev;

	ASSERT_NE(NULL, waiters);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN + 16384));
	ASSERT_EQ(0, pthread_setattr_default_np(&attr));
	for (int all = 0; all < 2; all++) {
		for (int i = 0; i < MANY_WAITERS; i++)
			ASSERT_EQ(0, waiter_start(&waiters[i], self->dev, all ? ALL : ANY, &mutex,
						  1, i + 10, alert));
		for (int i = 0; i < MANY_WAITERS; i++)
			ASSERT_TRUE(waiter_blocks(&waiters[i]));
		ASSERT_EQ(0, fdinfo_read(mutex, self->info));
		EXPECT_EQ(MANY_WAITERS, self->info->waiters);
		EXPECT_EQ(1024, self->info->shown);
		for (int i = 0; i < self->info->shown; i++)
			for (int j = 0; j < i; j++)
				ASSERT_NE(self->info->waits[i].serial,
					  self->info->waits[j].serial);
		ASSERT_EQ(0, event_set(alert, &prev));
		for (int i = 0; i < MANY_WAITERS; i++)
			ASSERT_EQ(0, waiter_join(&waiters[i]));
		ASSERT_EQ(0, event_reset(alert, &prev));
		ASSERT_EQ(0, fdinfo_read(mutex, self->info));
		EXPECT_EQ(0U, self->info->waiters);
	}
	free(waiters);
}

struct readers {
	int objs[3];
	atomic_bool stop;
	atomic_int reads;
	atomic_int taken_any;
	atomic_int taken_all;
	atomic_int errors;
};

static void *read_all_the_time(void *data)
{
	struct fdinfo *info = malloc(sizeof(*info));
	struct readers *readers = data;

	while (!readers->stop) {
		for (int i = 0; i < 3; i++)
			if (fdinfo_read(readers->objs[i], info))
				readers->errors++;
		readers->reads++;
	}
	free(info);
	return NULL;
}

static void *take_and_give(void *data)
{
	struct readers *readers = data;
	int dev = readers->objs[2], me = syscall(SYS_gettid);
	unsigned int state = me;

	while (!readers->stop) {
		__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;
		int *objs = readers->objs, ret;
		__u32 index = 0, one = 1;

		if (vary(&state) % 2) {
			ret = wait_any(dev, objs, 2, me, soon, 0, &index);
			if (ret)
				continue;
			readers->taken_any++;
			if (index)
				sem_release(objs[1], &one);
			else
				mutex_unlock(objs[0], me, NULL);
		} else if (!wait_all(dev, objs, 2, me, soon, 0, NULL)) {
			readers->taken_all++;
			sem_release(objs[1], &one);
			mutex_unlock(objs[0], me, NULL);
		}
	}
	return NULL;
}

/* Readers mark their places in the queues; this must not disturb waits. */
TEST_F(fdinfo, readers_disturb_no_one)
{
	struct readers readers = {
		.objs = { mutex_create(self->dev, 0, 0),
			  sem_create(self->dev, 1, 1), self->dev },
	};
	struct ntsync_mutex_args mutex;
	pthread_t threads[10];
	struct state state;
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, i < 3 ?
					    read_all_the_time : take_and_give,
					    &readers));
	EXPECT_TRUE(wait_until(readers.reads >= work(2000, 50) &&
			       readers.taken_any >= work(2000, 50) &&
			       readers.taken_all >= work(500, 20)));
	readers.stop = true;
	for (i = 0; i < 10; i++)
		pthread_join(threads[i], NULL);
	say_done("%d reads, %d waits for any, %d for all", readers.reads,
		 readers.taken_any, readers.taken_all);
	EXPECT_EQ(0, readers.errors);
	EXPECT_EQ(0, mutex_read(readers.objs[0], &mutex));
	EXPECT_EQ(0U, mutex.owner);
	state = object_state((struct object) { SEM, readers.objs[1] });
	EXPECT_EQ(1U, state.first);
}

/* A reader's place in the queue must not hide other waits of the next owner. */
TEST_F(fdinfo, reader_leaves_the_owners_waits)
{
	int mutex = mutex_create(self->dev, OTHER, 1);
	struct waiter waiters[3];

	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], self->dev,
						 NTSYNC_IOC_WAIT_ANY, &mutex, 1,
						 ME, 0));
	ASSERT_EQ(0, fdinfo_read(mutex, self->info));
	EXPECT_EQ(3, self->info->shown);
	ASSERT_EQ(0, mutex_unlock(mutex, OTHER, NULL));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
	EXPECT_MUTEX(ME, 3, mutex);
}

/* However often the waits are read, one signal still ends all of them. */
TEST_F(fdinfo, readers_hide_no_wait_from_a_signal)
{
	const int n = 20, reads = 8;
	int sem = sem_create(self->dev, 0, n);
	struct ntsync_sem_args args;
	struct waiter waiters[n];
	__u32 value = n;

	for (int i = 0; i < n; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], self->dev, ANY,
						 &sem, 1, ME, 0));
	for (int i = 0; i < reads; i++) {
		ASSERT_EQ(0, fdinfo_read(sem, self->info));
		EXPECT_EQ(n, self->info->shown);
	}
	ASSERT_EQ(0, sem_release(sem, &value));
	ASSERT_EQ(0, sem_read(sem, &args));
	ASSERT_EQ(0, args.count);
	for (int i = 0; i < n; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
}

/* Reads @path as an unprivileged user.  Returns 0 or -errno. */
static int read_as_nobody(const char *path)
{
	int fd;

	if (become_nobody())
		return -EIO;
	fd = open(path, O_RDONLY);
	return fd < 0 ? -errno : 0;
}

TEST_F(fdinfo, other_users_may_not_read)
{
	int event = event_create(self->dev, 0, 0);
	char path[64];
	pid_t pid;

	if (getuid())
		SKIP(return, "only root can become another user");
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), event);
	pid = fork_child();
	if (!pid)
		_exit(-read_as_nobody(path));
	EXPECT_EQ(EACCES, child_exit_code(pid));
}

/* Returns 0 if an ordinary user sees two waits of its own. */
static int own_waits(int dev, int event, struct fdinfo *info)
{
	struct waiter waiters[2];

	if (become_nobody())
		return 10;
	if (!waiter_start_blocked(&waiters[0], dev, ANY, &event, 1, ME, 0) ||
	    !waiter_start_blocked(&waiters[1], dev, ALL, &event, 1, OTHER, 0))
		return 11;
	if (fdinfo_read(event, info))
		return 12;
	return info->shown == 2 && info->waiters == 2 ? 0 : 13;
}

TEST_F(fdinfo, other_users_may_read_what_is_theirs)
{
	int event = event_create(self->dev, 1, 0);
	pid_t pid;

	if (getuid())
		SKIP(return, "only root can become another user");
	pid = fork_child();
	if (!pid)
		_exit(own_waits(self->dev, event, self->info));
	EXPECT_EQ(0, child_exit_code(pid));
}

/* The waiter is our thread, so it is not visible in the child's pid namespace. */
static int read_in_namespace(int fd, struct fdinfo *info)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return 10;
	if (fdinfo_read_path(path, info))
		return 11;
	if (info->shown != 1)
		return 12;
	return info->waits[0].tid ? 13 : 0;
}

TEST_F(fdinfo, thread_ids_are_those_of_the_readers_namespace)
{
	int event = event_create(self->dev, 0, 0);
	unsigned long long serial = 0;
	struct waiter waiter;
	__u32 prev;
	pid_t pid;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev, ANY, &event, 1, ME,
					 0));
	EXPECT_WAIT(event, &waiter, "any", 0, "no", 1);
	pid = fork_child();
	if (!pid) {
		int status = 20;

		if (unshare(CLONE_NEWPID | CLONE_NEWNS))
			_exit(19);
		pid = fork();
		if (!pid)
			_exit(read_in_namespace(event, self->info));
		if (waitpid(pid, &status, 0) == pid)
			status = WEXITSTATUS(status);
		_exit(status);
	}
	EXPECT_EQ(0, child_exit_code(pid));
	ASSERT_EQ(0, event_set(event, &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
}

/* The descriptor is closed by another thread between open() and read(). */
TEST_F(fdinfo, objects_that_vanish)
{
	for (int i = 0; i < 100; i++) {
		int event = event_create(self->dev, 0, 0);
		char path[64], text[256];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", event);
		fd = open(path, O_RDONLY);
		ASSERT_LE(0, fd);
		close(event);
		EXPECT_EQ(-1, read(fd, text, sizeof(text)));
		EXPECT_EQ(ENOENT, errno);
		close(fd);
	}
}

TEST_HARNESS_MAIN
