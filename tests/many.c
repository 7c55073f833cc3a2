// SPDX-License-Identifier: GPL-2.0
/* Many waiters, many objects, wide waits, and charging to the memory cgroup. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

#define WAITERS		10000
#define FEWER_WAITERS	2000
#define WATCHERS	1000
#define OBJECTS		1000000

/* 10,000 threads need about 35 KiB each, most of it in the kernel. */
#define WAITERS_MIB	700

#define NO_ROOM "%lu MiB free, too little for 10,000 threads"

static long long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long long number;

	if (!file)
		return -errno;
	if (fscanf(file, "%lld", &number) != 1)
		number = -EIO;
	fclose(file);
	return number;
}

/* Never lowers the limit: other tests may need more. */
static void raise_limit(const char *path, long long least)
{
	long long now = read_number(path);
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", least);
	if (now >= 0 && now < least)
		write_file(path, text);
}

static int allow_descriptors(rlim_t n)
{
	struct rlimit limit = { .rlim_cur = n, .rlim_max = n };

	raise_limit("/proc/sys/fs/nr_open", n);
	raise_limit("/proc/sys/fs/file-max", 2 * n);
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

static int allow_threads(int n)
{
	size_t stack = 32 * 1024;
	pthread_attr_t attr;

	if (stack < (size_t)PTHREAD_STACK_MIN)
		stack = PTHREAD_STACK_MIN;
	raise_limit("/proc/sys/kernel/threads-max", 2 * n);
	raise_limit("/proc/sys/kernel/pid_max", 4 * n);
	raise_limit("/proc/sys/vm/max_map_count", 4 * n);
	if (pthread_attr_init(&attr) ||
	    pthread_attr_setstacksize(&attr, stack) ||
	    pthread_attr_setguardsize(&attr, 0))
		return -EINVAL;
	return -pthread_setattr_default_np(&attr);
}

static unsigned long free_mib(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return 0;
	return (__u64)info.freeram * info.mem_unit >> 20;
}

FIXTURE(crowd) {
	int dev;
	int n;
	int most;
	int fewer;
	struct waiter *waiters;
};

FIXTURE_VARIANT(crowd) {
	unsigned long request;
	int waiters;
};

FIXTURE_VARIANT_ADD(crowd, any) {
	.request = ANY, .waiters = WAITERS,
};

FIXTURE_VARIANT_ADD(crowd, all) {
	.request = ALL, .waiters = FEWER_WAITERS,
};

FIXTURE_SETUP(crowd)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->most = work(variant->waiters, variant->waiters / 40);
	self->fewer = work(FEWER_WAITERS, FEWER_WAITERS / 40);
	self->waiters = calloc(WAITERS, sizeof(*self->waiters));
	ASSERT_NE(NULL, self->waiters);
	ASSERT_EQ(0, allow_threads(WAITERS));
}

FIXTURE_TEARDOWN(crowd)
{
	free(self->waiters);
	close(self->dev);
}

/* Each has a different owner, its place plus one. */
static int start_crowd(FIXTURE_DATA(crowd) * self, int n, unsigned long request,
		       const int *objs, __u32 count)
{
	for (int i = 0; i < n; i++) {
		int ret = waiter_start(&self->waiters[i], self->dev, request,
				       objs, count, i + 1, 0);

		if (ret)
			return ret;
		self->n++;
	}
	for (int i = 0; i < n; i++) {
		if (!waiter_blocks(&self->waiters[i]))
			return -EIO;
	}
	return 0;
}

static int how_many_done(const FIXTURE_DATA(crowd) * self)
{
	int done = 0;

	for (int i = 0; i < self->n; i++)
		done += self->waiters[i].done;
	return done;
}

/* Returns how many of the waits that have ended did not return @expected. */
static int how_many_wrong(FIXTURE_DATA(crowd) * self, int expected)
{
	int wrong = 0;

	for (int i = 0; i < self->n; i++) {
		struct waiter *w = &self->waiters[i];

		if (waiter_join(w) != expected || w->args.index)
			wrong++;
	}
	return wrong;
}

TEST_F(crowd, woken_by_one_set)
{
	int event = event_create(self->dev, 1, 0);
	__u32 value;

	if (free_mib() < WAITERS_MIB)
		SKIP(return, NO_ROOM, free_mib());
	ASSERT_LE(0, event);
	ASSERT_EQ(0, start_crowd(self, self->most, variant->request,
				 &event, 1));
	ASSERT_EQ(0, event_set(event, &value));
	ASSERT_TRUE(wait_until(how_many_done(self) == self->most));
	EXPECT_EQ(0, how_many_wrong(self, 0));
	EXPECT_EVENT(1, 1, event);
}

TEST_F(crowd, woken_by_one_pulse)
{
	int event = event_create(self->dev, 1, 0);
	__u32 value;

	if (free_mib() < WAITERS_MIB)
		SKIP(return, NO_ROOM, free_mib());
	ASSERT_LE(0, event);
	ASSERT_EQ(0, start_crowd(self, self->fewer, variant->request,
				 &event, 1));
	ASSERT_EQ(0, event_pulse(event, &value));
	ASSERT_TRUE(wait_until(how_many_done(self) == self->fewer));
	EXPECT_EQ(0, how_many_wrong(self, 0));
	EXPECT_EVENT(1, 0, event);
}

/* Half of them first, to detect a driver that wakes all. */
TEST_F(crowd, woken_by_a_release)
{
	int sem = sem_create(self->dev, 0, self->most);
	int half = self->most / 2;
	__u32 value = half;

	if (free_mib() < WAITERS_MIB)
		SKIP(return, NO_ROOM, free_mib());
	ASSERT_LE(0, sem);
	ASSERT_EQ(0, start_crowd(self, self->most, variant->request,
				 &sem, 1));
	ASSERT_EQ(0, sem_release(sem, &value));
	EXPECT_EQ(0, value);
	ASSERT_TRUE(wait_until(how_many_done(self) >= half));
	EXPECT_EQ(half, how_many_done(self));
	EXPECT_SEM(0, self->most, sem);
	value = half + 1;
	ASSERT_EQ(0, sem_release(sem, &value));
	ASSERT_TRUE(wait_until(how_many_done(self) == self->most));
	EXPECT_EQ(0, how_many_wrong(self, 0));
	EXPECT_SEM(1, self->most, sem);
}

/*
 * A queue becomes short again as its waits leave one by one.  Whatever the driver remembers of
 * its length, one release then satisfies as many of those that are left as it can.
 */
TEST_F(crowd, woken_together_when_few_are_left)
{
	const int n = 300, left = 50, last = 10;
	int sem = sem_create(self->dev, 0, n);
	struct ntsync_sem_args args;
	__u32 value;

	ASSERT_LE(0, sem);
	ASSERT_EQ(0, start_crowd(self, n, variant->request, &sem, 1));
	for (int i = 0; i < n - left; i++) {
		value = 1;
		ASSERT_EQ(0, sem_release(sem, &value));
	}
	value = left - last;
	ASSERT_EQ(0, sem_release(sem, &value));
	ASSERT_EQ(0, sem_read(sem, &args));
	ASSERT_EQ(0, args.count);
	value = last;
	ASSERT_EQ(0, sem_release(sem, &value));
	EXPECT_SEM(0, n, sem);
	EXPECT_EQ(0, how_many_wrong(self, 0));
}

/* Each passes the mutex on to the next, which may be any of them. */
TEST_F(crowd, mutex_goes_through_all_hands)
{
	int mutex = mutex_create(self->dev, UINT32_MAX, 1);
	struct ntsync_mutex_args args = { .owner = UINT32_MAX };
	int bad = 0;

	if (free_mib() < WAITERS_MIB)
		SKIP(return, NO_ROOM, free_mib());
	ASSERT_LE(0, mutex);
	ASSERT_EQ(0, start_crowd(self, self->most, variant->request,
				 &mutex, 1));
	for (int i = 0; i < self->most; i++) {
		ASSERT_EQ(0, mutex_unlock(mutex, args.owner, NULL));
		ASSERT_EQ(0, mutex_read(mutex, &args));
		ASSERT_LE(1, args.owner);
		ASSERT_GE(self->most, args.owner);
		/* Each wait ends once, so each has one turn. */
		if (args.count != 1 ||
		    waiter_join(&self->waiters[args.owner - 1]) ||
		    self->waiters[args.owner - 1].args.owner != args.owner)
			bad++;
		self->waiters[args.owner - 1].args.owner = 0;
	}
	EXPECT_EQ(0, bad);
	ASSERT_EQ(0, mutex_unlock(mutex, args.owner, NULL));
	EXPECT_MUTEX(0, 0, mutex);
}

/* A whole process of waiters is killed. */
TEST_F(crowd, killed)
{
	int event = event_create(self->dev, 0, 0);
	__u32 value;
	pid_t pid;

	if (free_mib() < WAITERS_MIB)
		SKIP(return, NO_ROOM, free_mib());
	ASSERT_LE(0, event);
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (start_crowd(self, self->fewer, variant->request, &event,
				1))
			_exit(1);
		raise(SIGKILL);
	}
	ASSERT_EQ(SIGKILL, child_status(pid));
	ASSERT_EQ(0, event_set(event, &value));
	EXPECT_EVENT(0, 1, event);
}

/*
 * Sets with a common object that is signaled repeatedly, while another object of each set is
 * not signaled.
 */
TEST_F(crowd, sets_with_a_common_object)
{
	int common = event_create(self->dev, 1, 0);
	int own[WATCHERS], n = work(WATCHERS, WATCHERS / 40);
	__u32 value;

	ASSERT_LE(0, common);
	ASSERT_EQ(0, allow_descriptors(n + 100));
	for (int i = 0; i < n; i++) {
		int objs[2] = { common, event_create(self->dev, 0, 0) };

		ASSERT_LE(0, objs[1]);
		own[i] = objs[1];
		/* The common object first in the array, or last. */
		if (variant->request == ALL) {
			objs[0] = own[i];
			objs[1] = common;
		}
		ASSERT_EQ(0, waiter_start(&self->waiters[i], self->dev, ALL,
					  objs, 2, i + 1, 0));
		self->n++;
	}
	for (int i = 0; i < n; i++)
		ASSERT_TRUE(waiter_blocks(&self->waiters[i]));
	for (int i = 0; i < work(2000, 50); i++) {
		ASSERT_EQ(0, event_set(common, &value));
		ASSERT_EQ(0, event_reset(common, &value));
	}
	EXPECT_EQ(0, how_many_done(self));
	for (int i = 0; i < n; i += 2)
		ASSERT_EQ(0, event_set(own[i], &value));
	EXPECT_EQ(0, how_many_done(self));
	ASSERT_EQ(0, event_set(common, &value));
	ASSERT_TRUE(wait_until(how_many_done(self) == (n + 1) / 2));
	for (int i = 1; i < n; i += 2) {
		ASSERT_FALSE(self->waiters[i].done);
		ASSERT_EQ(0, event_set(own[i], &value));
		ASSERT_EQ(0, waiter_join(&self->waiters[i]));
	}
	for (int i = 0; i < n; i++)
		EXPECT_EVENT(0, 0, own[i]);
}

FIXTURE(many) {
	int dev;
};

FIXTURE_VARIANT(many) {
	bool ordinary_user;
	int objects;
};

FIXTURE_VARIANT_ADD(many, root) {
	.objects = OBJECTS,
};

FIXTURE_VARIANT_ADD(many, ordinary_user) {
	.ordinary_user = true, .objects = OBJECTS / 10,
};

FIXTURE_SETUP(many)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, allow_descriptors(OBJECTS + 100));
	if (variant->ordinary_user)
		ASSERT_EQ(0, become_nobody());
}

FIXTURE_TEARDOWN(many)
{
	close(self->dev);
}

TEST_F(many, objects)
{
	int n = work(variant->objects, OBJECTS / 100), objs[NTSYNC_MAX_WAIT_COUNT];
	struct object *objects = calloc(n, sizeof(*objects));
	__u32 index;

	ASSERT_NE(NULL, objects);
	for (int i = 0; i < n; i++) {
		objects[i] = object_create(self->dev, i % KINDS);
		ASSERT_LE(0, objects[i].fd);
	}
	/* Objects do not share state: a pattern is written, then read back. */
	for (int i = 0; i < n; i += 7)
		ASSERT_EQ(0, object_signal(objects[i]));
	for (int i = 0; i < n; i++) {
		struct state expected = i % 7 ?
			state_unsignaled(objects[i].kind) :
			state_signaled(objects[i].kind);

		ASSERT_TRUE(same_state(expected, object_state(objects[i])))
			TH_LOG("object %d", i);
	}
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
		objs[i] = objects[n - 1 - i].fd;
	EXPECT_EQ(0, poll_any(self->dev, objs, NTSYNC_MAX_WAIT_COUNT, &index));
	/* From the end, the first whose number is a multiple of 7. */
	EXPECT_EQ((n - 1) % 7, index);
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, close(objects[i].fd));
	free(objects);
}

/* Wide waits of many threads for the same 64 semaphores, in every order. */
struct wide {
	int dev;
	int sems[NTSYNC_MAX_WAIT_COUNT];
	atomic_int place;
	atomic_int bad;
	atomic_int running;
};

static void take_wide(struct wide *wide, const int *objs, bool all)
{
	__u32 index, one;
	int ret;

	ret = wait_call(wide->dev, all ? ALL : ANY, objs, NTSYNC_MAX_WAIT_COUNT,
			ME, FOREVER, 0, &index);
	if (ret || index >= NTSYNC_MAX_WAIT_COUNT) {
		wide->bad++;
		return;
	}
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		one = 1;
		if ((all || i == (int)index) && sem_release(objs[i], &one))
			wide->bad++;
	}
}

static void *wait_wide(void *data)
{
	struct wide *wide = data;
	int place = wide->place++;
	int objs[NTSYNC_MAX_WAIT_COUNT];

	for (int round = 0; round < work(300, 8); round++) {
		for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
			objs[i] = wide->sems[(i + place * 9 + round) %
					     NTSYNC_MAX_WAIT_COUNT];
		take_wide(wide, objs, (round + place) % 4 == 0);
	}
	wide->running--;
	return NULL;
}

TEST_F(many, objects_in_a_wait)
{
	struct wide wide = { .dev = self->dev, .running = 8 };
	pthread_t threads[8];

	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		wide.sems[i] = sem_create(self->dev, 1, 1);
		ASSERT_LE(0, wide.sems[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, wait_wide,
					    &wide));
	ASSERT_TRUE(wait_until(wide.running == 0));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, wide.bad);
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
		EXPECT_SEM(1, 1, wide.sems[i]);
}

/* A wait for as many as possible acquires the one that is signaled. */
TEST_F(many, sleeping_wide_waits)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct waiter any, all;
	__u32 value;

	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 0);
		ASSERT_LE(0, objs[i]);
	}
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		ASSERT_TRUE(waiter_start_blocked(&any, self->dev, ANY, objs,
						 NTSYNC_MAX_WAIT_COUNT, ME, 0));
		ASSERT_EQ(0, event_set(objs[i], &value));
		ASSERT_EQ(0, waiter_join(&any));
		EXPECT_EQ(i, any.args.index);
	}
	for (int last = 0; last < NTSYNC_MAX_WAIT_COUNT; last += 9) {
		ASSERT_TRUE(waiter_start_blocked(&all, self->dev, ALL, objs,
						 NTSYNC_MAX_WAIT_COUNT, ME, 0));
		for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
			if (i != last)
				ASSERT_EQ(0, event_set(objs[i], &value));
		}
		EXPECT_TRUE(waiter_blocks(&all));
		ASSERT_EQ(0, event_set(objs[last], &value));
		ASSERT_EQ(0, waiter_join(&all));
		for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
			EXPECT_EVENT(0, 0, objs[i]);
	}
}

/*
 * A memory cgroup, of version 1 if the kernel still has it: there the OOM killer can be
 * turned off, so calls return ENOMEM.
 */
#define HIERARCHY	"/ntsync-cgroup"
#define GROUP		HIERARCHY "/limited"
#define CHARGED		20000
#define CHARGED_WAITS	1200

FIXTURE(cgroup) {
	int dev;
	const char *usage;	/* the file that shows how much is charged */
	int error;		/* why it could not be made */
	const char *why_not;	/* why charges are not compared */
};

static int mount_version_1(void)
{
	return mount("none", HIERARCHY, "cgroup", 0, "memory") ? -errno : 0;
}

static int mount_version_2(void)
{
	if (mount("none", HIERARCHY, "cgroup2", 0, NULL))
		return -errno;
	return write_file(HIERARCHY "/cgroup.subtree_control", "+memory");
}

FIXTURE_SETUP(cgroup)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, allow_descriptors(4 * CHARGED));
	/* Each CPU gets 64 pages at a time. */
	if (sysconf(_SC_PAGESIZE) > 4096)
		self->why_not = "what is charged is counted in steps of 64 large pages";
	else if (work(0, 1) && !access("/sys/kernel/debug/kmemleak", F_OK))
		self->why_not = "a small run has it on kernels without kmemleak only";
	mkdir(HIERARCHY, 0700);
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	self->usage = GROUP "/memory.usage_in_bytes";
	if (mount_version_1()) {
		self->usage = GROUP "/memory.current";
		self->error = -mount_version_2();
	}
	if (!self->error && mkdir(GROUP, 0700))
		self->error = errno;
}

FIXTURE_TEARDOWN(cgroup)
{
	rmdir(GROUP);
	umount(HIERARCHY);
	rmdir(HIERARCHY);
	close(self->dev);
}

static int enter_group(void)
{
	/* The table of descriptors must not be part of the measurement. */
	if (dup2(0, 4 * CHARGED - 1) < 0 || close(4 * CHARGED - 1))
		return -errno;
	return write_file(GROUP "/cgroup.procs", "0");
}

/* Objects that are made many times, to see what is charged for them. */

static int make_eventfd(int dev)
{
	(void)dev;
	return eventfd(0, 0);
}

static int make_event(int dev)
{
	return event_create(dev, 0, 0);
}

/* The first poll of an object allocates memory that later ones share. */
static int make_polled_event(int dev)
{
	struct pollfd fd = {
		.fd = event_create(dev, 0, 0), .events = POLLIN,
	};

	return poll(&fd, 1, 0) ? -EBADMSG : fd.fd;
}

static int open_null(int dev)
{
	(void)dev;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_instance(int dev)
{
	(void)dev;
	return ntsync_open();
}

/* Returns what is charged for so many of them, or a negative number. */
static long long charge_for(const char *usage, int dev, int (*make)(int dev))
{
	long long start = read_number(usage);

	for (int i = 0; i < CHARGED; i++)
		if (make(dev) < 0)
			return -1;
	return read_number(usage) - start;
}

/*
 * Is @make charged for at least this much more than @like, which creates the same files
 * without memory of the driver?
 */
static int compare_charges(const FIXTURE_DATA(cgroup) * self,
			   int (*like)(int dev), int (*make)(int dev), int least)
{
	long long less, more;

	if (enter_group())
		return 1;
	less = charge_for(self->usage, self->dev, like);
	more = charge_for(self->usage, self->dev, make);
	if (less < 0 || more < 0)
		return 2;
	fprintf(stderr, "# charged %lld each, without the driver's %lld\n",
		more / CHARGED, less / CHARGED);
	return more - less >= (long long)CHARGED * least ? 0 : 3;
}

/* The same in a separate process; returns 0 if so. */
static int charged_more(const FIXTURE_DATA(cgroup) * self,
			int (*like)(int dev), int (*make)(int dev), int least)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(compare_charges(self, like, make, least));
	return child_exit_code(pid);
}

#define NO_GROUP "no memory cgroup: %s"

/* Files are charged for any driver; the context of an eventfd is not. */
TEST_F(cgroup, objects_are_charged)
{
	if (self->error)
		SKIP(return, NO_GROUP, strerror(self->error));
	if (self->why_not)
		SKIP(return, "%s", self->why_not);
	EXPECT_EQ(0, charged_more(self, make_eventfd, make_event, 48));
}

TEST_F(cgroup, instances_are_charged)
{
	if (self->error)
		SKIP(return, NO_GROUP, strerror(self->error));
	if (self->why_not)
		SKIP(return, "%s", self->why_not);
	EXPECT_EQ(0, charged_more(self, open_null, open_instance, 48));
}

TEST_F(cgroup, pollers_are_charged)
{
	if (self->error)
		SKIP(return, NO_GROUP, strerror(self->error));
	if (self->why_not)
		SKIP(return, "%s", self->why_not);
	EXPECT_EQ(0, charged_more(self, make_event, make_polled_event, 48));
}

/* Threads that wait for an object, then for as many as possible. */
struct twice {
	int one;
	int many[NTSYNC_MAX_WAIT_COUNT];
	atomic_int second;	/* how many have begun the second wait */
	struct waiter waiters[CHARGED_WAITS];
};

static struct twice *twice;

static void *wait_twice(void *data)
{
	struct waiter *w = data;

	w->tid = gettid();
	if (!ntsync_call(w->dev, w->request, &w->args)) {
		w->args.objs = (uintptr_t)twice->many;
		w->args.count = NTSYNC_MAX_WAIT_COUNT;
		twice->second++;
		ntsync_call(w->dev, w->request, &w->args);
	}
	w->done = true;
	return NULL;
}

/*
 * Each CPU gets pages for the group in advance, so this uses only one.  Stacks that become huge
 * pages while the threads sleep are charged more.
 */
static void run_charged_waits(void)
{
	if (enter_group() || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		_exit(1);
	stay_on_one_cpu();
	for (int i = 0; i < CHARGED_WAITS; i++)
		if (pthread_create(&twice->waiters[i].thread, NULL, wait_twice,
				   &twice->waiters[i]))
			_exit(1);
	pause();
}

/* What is charged once all threads sleep in a wait.  This process is not in the group. */
static long long charged_asleep(const char *usage)
{
	for (int i = 0; i < CHARGED_WAITS; i++)
		if (!waiter_blocks(&twice->waiters[i]))
			return -1;
	return read_number(usage);
}

/* How much more a wait for the most objects is charged than one for one object, or -1. */
static long long charge_for_width(const FIXTURE_DATA(cgroup) * self, unsigned long request)
{
	long long narrow, wide = -1;
	__u32 value;
	pid_t pid;

	twice->second = 0;
	for (int i = 0; i < CHARGED_WAITS; i++) {
		waiter_fill(&twice->waiters[i], self->dev, request, &twice->one, 1, ME, 0);
		twice->waiters[i].tid = 0;
	}
	if (event_reset(twice->one, &value))
		return -1;
	pid = fork_child();
	if (pid < 0)
		return -1;
	if (!pid)
		run_charged_waits();
	narrow = charged_asleep(self->usage);
	if (narrow >= 0 && !event_set(twice->one, &value) &&
	    wait_until(twice->second == CHARGED_WAITS))
		wide = charged_asleep(self->usage);
	kill(pid, SIGKILL);
	if (child_status(pid) != SIGKILL || wide < 0)
		return -1;
	fprintf(stderr, "# charged %lld more each\n", (wide - narrow) / CHARGED_WAITS);
	return (wide - narrow) / CHARGED_WAITS;
}

/*
 * The objects and their files, at a pointer each, and of a wait for any its entries in the
 * queues.  Half is enough.
 */
TEST_F(cgroup, waits_are_charged)
{
	int pointer = NTSYNC_MAX_WAIT_COUNT * sizeof(long);

	if (self->error)
		SKIP(return, NO_GROUP, strerror(self->error));
	if (self->why_not)
		SKIP(return, "%s", self->why_not);
	ASSERT_EQ(0, allow_threads(CHARGED_WAITS));
	twice = mmap(NULL, sizeof(*twice), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT_NE(MAP_FAILED, twice);
	twice->one = event_create(self->dev, 1, 0);
	ASSERT_LE(0, twice->one);
	ASSERT_EQ(0, create_events(self->dev, 1, twice->many, NTSYNC_MAX_WAIT_COUNT));
	EXPECT_LE(pointer, charge_for_width(self, ALL));
	EXPECT_LE(4 * pointer, charge_for_width(self, ANY));
}

/* Creates objects up to the limit and closes them: none is lost, and none is left. */
static int reach_limit(int dev)
{
	int made[2 * CHARGED], n, ret = 0;
	__u32 value;

	/* At the limit a page fault would wait for memory forever. */
	if (mlockall(MCL_CURRENT) || enter_group())
		return 1;
	for (n = 0; n < 2 * CHARGED; n++) {
		made[n] = event_create(dev, 0, 0);
		if (made[n] < 0)
			break;
	}
	if (n == 2 * CHARGED || made[n] != -ENOMEM)
		return 2;
	for (int i = 0; i < n; i++) {
		if (event_set(made[i], &value) || value ||
		    wait_any(dev, &made[i], 1, ME, 0, 0, NULL))
			ret = 3;
		close(made[i]);
	}
	/* Files are freed with a delay, after which it must be possible again. */
	if (!wait_until(event_create(dev, 0, 0) >= 0))
		return 4;
	return ret;
}

TEST_F(cgroup, limit_is_enomem)
{
	int limit, keep_out;
	pid_t pid;

	if (self->error)
		SKIP(return, NO_GROUP, strerror(self->error));
	limit = write_file(GROUP "/memory.limit_in_bytes", "8M");
	keep_out = write_file(GROUP "/memory.oom_control", "1");
	if (limit || keep_out)
		SKIP(return, "no limit without the OOM killer: %d, %d", limit,
		     keep_out);
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(reach_limit(self->dev));
	EXPECT_EQ(0, child_exit_code(pid));
}

TEST_HARNESS_MAIN
