// SPDX-License-Identifier: GPL-2.0
/*
 * Timeouts: two clocks, deadlines that have passed, are near or are far, clock steps and
 * time namespaces.  On a busy machine a late end proves nothing, so the tests only check
 * that a wait does not end early, and that it ends.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

#ifndef HAVE_TEST_PASSED
#define __test_passed(metadata) ((metadata)->passed)
#endif

#define NSEC_PER_MSEC	1000000ULL
#define SECOND		((long long)NSEC_PER_SEC)
#define HOUR		(3600 * NSEC_PER_SEC)

struct kind_of_wait {
	int dev;
	unsigned long request;
	__u32 flags;
	clockid_t clock;
};

static int timed_wait(const struct kind_of_wait *how, const int *objs,
		      __u32 count, __u64 timeout, int alert, __u32 *index)
{
	struct ntsync_wait_args args = {
		.timeout = timeout,
		.objs = (uintptr_t)objs,
		.count = count,
		.index = GARBAGE,
		.flags = how->flags,
		.owner = ME,
		.alert = alert,
	};
	int ret = ntsync_call(how->dev, how->request, &args);

	if (index)
		*index = args.index;
	return ret;
}

/* Does the same wait block in another thread? */
static bool start_timed(struct waiter *w, const struct kind_of_wait *how,
			const int *objs, __u32 count, __u64 timeout)
{
	waiter_fill(w, how->dev, how->request, objs, count, ME, 0);
	w->args.timeout = timeout;
	w->args.flags = how->flags;
	return !waiter_run(w) && waiter_blocks(w);
}

/* Lets time pass in which something must not happen. */
static void let_pass(__u64 nsec)
{
	__u64 end = clock_ns(CLOCK_MONOTONIC) + nsec;

	while (clock_ns(CLOCK_MONOTONIC) < end)
		waiter_pause();
}

/* How often this thread has given up its CPU voluntarily. */
static long times_slept(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

FIXTURE(timeout) {
	struct kind_of_wait how;
	int event;
	int alert;
	int sem;
};

FIXTURE_VARIANT(timeout) {
	unsigned long request;
	__u32 flags;
	clockid_t clock;
};

FIXTURE_VARIANT_ADD(timeout, monotonic_any) {
	.request = ANY,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(timeout, monotonic_all) {
	.request = ALL,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(timeout, realtime_any) {
	.request = ANY,
	.flags = NTSYNC_WAIT_REALTIME,
	.clock = CLOCK_REALTIME,
};

FIXTURE_VARIANT_ADD(timeout, realtime_all) {
	.request = ALL,
	.flags = NTSYNC_WAIT_REALTIME,
	.clock = CLOCK_REALTIME,
};

FIXTURE_SETUP(timeout)
{
	int dev = ntsync_open();

	ASSERT_LE(0, dev);
	self->how = (struct kind_of_wait) {
		.dev = dev,
		.request = variant->request,
		.flags = variant->flags,
		.clock = variant->clock,
	};
	self->event = event_create(dev, 0, 0);
	self->alert = event_create(dev, 0, 0);
	self->sem = sem_create(dev, 1, 1);
	ASSERT_LE(0, self->event);
	ASSERT_LE(0, self->alert);
	ASSERT_LE(0, self->sem);
}

FIXTURE_TEARDOWN(timeout)
{
	close(self->sem);
	close(self->alert);
	close(self->event);
	close(self->how.dev);
}

/* The clocks must not be confused: they differ by HOUR. */
#define EXPECT_FOR_PAST_TIMES(expected, call) do { \
	const __u64 _now = clock_ns(self->how.clock); \
	const __u64 _past[] = { \
		0, 1, NSEC_PER_SEC - 1, _now / 2, _now - 1, _now, \
	}; \
	for (size_t _i = 0; _i < ARRAY_SIZE(_past); _i++) { \
		__u64 past = _past[_i]; \
		EXPECT_EQ(expected, call) \
			TH_LOG("timeout %llu", (unsigned long long)past); \
	} \
} while (0)

TEST_F(timeout, past)
{
	__u32 index = 0;

	EXPECT_FOR_PAST_TIMES(-ETIMEDOUT,
			      timed_wait(&self->how, &self->event, 1, past, 0,
					 &index));
	EXPECT_EQ(GARBAGE, index);
	EXPECT_EVENT(0, 0, self->event);
}

TEST_F(timeout, past_acquires_what_is_signaled)
{
	const int both[] = { self->event, self->sem };
	__u32 value = 1, index = GARBAGE;

	EXPECT_FOR_PAST_TIMES(0, ({
		EXPECT_EQ(0, event_set(self->event, &value));
		timed_wait(&self->how, &self->event, 1, past, 0, &index);
	}));
	EXPECT_EQ(0, index);
	EXPECT_EVENT(0, 0, self->event);

	EXPECT_EQ(0, event_set(self->event, &value));
	EXPECT_EQ(0, timed_wait(&self->how, both, 2, 0, 0, &index));
	EXPECT_EQ(0, index);
	EXPECT_EVENT(0, 0, self->event);
	EXPECT_SEM(variant->request == ANY, 1, self->sem);
}

TEST_F(timeout, past_with_alert)
{
	__u32 value, index = 0;

	EXPECT_FOR_PAST_TIMES(-ETIMEDOUT,
			      timed_wait(&self->how, &self->event, 1, past,
					 self->alert, &index));
	EXPECT_EQ(GARBAGE, index);
	EXPECT_FOR_PAST_TIMES(0, ({
		EXPECT_EQ(0, event_set(self->alert, &value));
		timed_wait(&self->how, &self->event, 1, past, self->alert,
			   &index);
	}));
	EXPECT_EQ(1, index);
	EXPECT_EVENT(0, 0, self->alert);
}

/* A timer that has already expired would still call the scheduler. */
TEST_F(timeout, polls_never_sleep)
{
	int many[NTSYNC_MAX_WAIT_COUNT];
	long slept;

	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		many[i] = event_create(self->how.dev, i % 2, 0);
		ASSERT_LE(0, many[i]);
	}
	slept = times_slept();
	for (int i = 0; i < 50; i++) {
		EXPECT_FOR_PAST_TIMES(-ETIMEDOUT,
				      timed_wait(&self->how, &self->event, 1,
						 past, 0, NULL));
		EXPECT_FOR_PAST_TIMES(-ETIMEDOUT,
				      timed_wait(&self->how, many, 64, past,
						 self->alert, NULL));
		EXPECT_FOR_PAST_TIMES(-ETIMEDOUT,
				      timed_wait(&self->how, many, 8, past, 0,
						 NULL));
	}
	EXPECT_EQ(slept, times_slept());
}

TEST_F(timeout, never_early)
{
	static const __u64 delays[] = {
		1, 1000, 50000, 300000, NSEC_PER_MSEC, 7 * NSEC_PER_MSEC,
		40 * NSEC_PER_MSEC,
	};
	int objs[10] = { self->event };

	for (int i = 1; i < 10; i++) {
		objs[i] = event_create(self->how.dev, 0, 0);
		ASSERT_LE(0, objs[i]);
	}
	for (int i = 0; i < work(140, 7); i++) {
		__u64 deadline = clock_ns(self->how.clock) +
				 delays[i % ARRAY_SIZE(delays)];

		EXPECT_EQ(-ETIMEDOUT,
			  timed_wait(&self->how, objs, i % 2 ? 1 : 10, deadline,
				     i % 3 ? 0 : self->alert, NULL));
		EXPECT_LE(deadline, clock_ns(self->how.clock));
	}
}

#define TIMERS "/proc/timer_list"

struct timer {
	__u64 soonest;
	__u64 latest;
	int clock;
};

/* Finds the timer that may expire from @timer->soonest on. */
static bool find_timer(struct timer *timer)
{
	static const int clocks[] = {
		CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI,
	};
	unsigned long long from, to = 0;
	FILE *file = fopen(TIMERS, "re");
	unsigned int base = 0;
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		/* There are two lists for each clock. */
		if (sscanf(line, " .index: %u", &base) == 1)
			timer->clock = clocks[base % ARRAY_SIZE(clocks)];
		found = sscanf(line, " # expires at %llu-%llu", &from, &to) == 2 &&
			from == timer->soonest;
	}
	if (file)
		fclose(file);
	timer->latest = to;
	return found;
}

/*
 * That a wait is late proves nothing, but its timer allows no delay, as others do.  Nor do
 * the clocks show that they differ, until the machine has been suspended.
 */
TEST_F(timeout, timer_is_exact)
{
	struct timer timer = { .soonest = clock_ns(variant->clock) + HOUR };
	struct waiter w;
	__u32 value;

	if (access(TIMERS, R_OK))
		SKIP(return, "cannot read " TIMERS);
	waiter_fill(&w, self->how.dev, variant->request, &self->event, 1, ME, 0);
	w.args.timeout = timer.soonest;
	w.args.flags = variant->flags;
	/* The new thread inherits it. */
	ASSERT_EQ(0, prctl(PR_SET_TIMERSLACK, NSEC_PER_SEC));
	ASSERT_EQ(0, waiter_run(&w));
	ASSERT_EQ(0, prctl(PR_SET_TIMERSLACK, 0));
	ASSERT_TRUE(waiter_blocks(&w));
	/* Other timers that come and go may hide it once. */
	ASSERT_TRUE(wait_until(find_timer(&timer)));
	EXPECT_EQ(timer.soonest, timer.latest);
	EXPECT_EQ(variant->clock, timer.clock);
	ASSERT_EQ(0, event_set(self->event, &value));
	EXPECT_EQ(0, waiter_join(&w));
}

TEST_F(timeout, no_objects)
{
	__u64 deadline = clock_ns(self->how.clock) + 5 * NSEC_PER_MSEC;
	__u32 index;

	if (variant->request == ALL) {
		EXPECT_EQ(0, timed_wait(&self->how, NULL, 0, deadline, 0,
					&index));
		EXPECT_EQ(0, index);
		return;
	}
	EXPECT_EQ(-ETIMEDOUT, timed_wait(&self->how, NULL, 0, 0, 0, &index));
	EXPECT_EQ(-ETIMEDOUT, timed_wait(&self->how, NULL, 0, deadline, 0,
					 &index));
	EXPECT_LE(deadline, clock_ns(self->how.clock));
	EXPECT_EQ(GARBAGE, index);
}

TEST_F(timeout, timed_out_acquires_nothing)
{
	bool all = variant->request == ALL;
	__u32 owner = all ? 0 : OTHER;
	int mutex = mutex_create(self->how.dev, owner, !all);
	const int objs[] = { self->event, mutex, self->sem };
	__u64 deadline;

	ASSERT_LE(0, mutex);
	/* Of the objects of the wait for all, only the event is not signaled. */
	for (int i = 0; i < 4; i++) {
		deadline = i ? clock_ns(self->how.clock) + i * NSEC_PER_MSEC : 0;
		EXPECT_EQ(-ETIMEDOUT, timed_wait(&self->how, objs, 2 + all,
						 deadline, self->alert, NULL));
		EXPECT_SEM(1, 1, self->sem);
		EXPECT_MUTEX(owner, !all, mutex);
		EXPECT_EVENT(0, 0, self->event);
		EXPECT_EVENT(0, 0, self->alert);
	}
}

/* A wait that timed out has left the queues and does not take a signal. */
TEST_F(timeout, timed_out_leaves_no_trace)
{
	const int objs[] = { self->event, self->alert };
	__u32 value;

	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(-ETIMEDOUT,
			  timed_wait(&self->how, objs, 2,
				     clock_ns(self->how.clock) + 100000, 0,
				     NULL));
		EXPECT_EQ(0, event_set(self->event, &value));
		EXPECT_EVENT(0, 1, self->event);
		EXPECT_EQ(0, event_reset(self->event, &value));
	}
}

TEST_F(timeout, far)
{
	const __u64 timeouts[] = {
		clock_ns(self->how.clock) + HOUR, INT64_MAX / 2, INT64_MAX - 1,
		INT64_MAX, (__u64)INT64_MAX + 1, (__u64)INT64_MAX + 2,
		UINT64_MAX - NSEC_PER_SEC, UINT64_MAX - 1, UINT64_MAX,
	};
	struct waiter w[ARRAY_SIZE(timeouts)];
	__u32 value;

	for (size_t i = 0; i < ARRAY_SIZE(timeouts); i++) {
		ASSERT_TRUE(start_timed(&w[i], &self->how, &self->event, 1,
					timeouts[i]))
			TH_LOG("timeout %llu: %d",
			       (unsigned long long)timeouts[i], w[i].ret);
	}
	let_pass(20 * NSEC_PER_MSEC);
	for (size_t i = 0; i < ARRAY_SIZE(timeouts); i++) {
		EXPECT_TRUE(waiter_blocks(&w[i]));
		ASSERT_EQ(0, event_set(self->event, &value));
		ASSERT_EQ(0, waiter_join(&w[i]));
	}
}

/*
 * The last look at the objects comes after the deadline: a signal whose call returned just
 * before the deadline must end the wait.
 */
struct close_call {
	int event;
	clockid_t clock;
	__u64 deadline;
	__u64 margin;
	__u64 signaled;		/* when the call had returned */
	bool over;
	sem_t begin;		/* passes the above to the other thread */
	sem_t ended;		/* passes it back */
};

/* Sleeps first, to let the other thread begin its wait even if there is one CPU. */
static void wait_for_the_margin(const struct close_call *c)
{
	__u64 wake = c->deadline - c->margin - NSEC_PER_MSEC / 2;
	struct timespec ts = {
		.tv_sec = wake / NSEC_PER_SEC,
		.tv_nsec = wake % NSEC_PER_SEC,
	};

	clock_nanosleep(c->clock, TIMER_ABSTIME, &ts, NULL);
	while (clock_ns(c->clock) + c->margin < c->deadline)
		;
}

static void *signal_closely(void *data)
{
	struct close_call *c = data;
	__u32 value;

	while (!sem_wait(&c->begin) && !c->over) {
		wait_for_the_margin(c);
		event_set(c->event, &value);
		c->signaled = clock_ns(c->clock);
		sem_post(&c->ended);
	}
	return NULL;
}

TEST_F(timeout, signal_before_the_deadline)
{
	struct close_call c = {
		.event = self->event, .clock = self->how.clock,
	};
	int objs[2] = { event_create(self->how.dev, 1, 1), self->event };
	int skipped = variant->request == ANY, in_time = 0, too_late = 0;
	pthread_t thread;
	__u32 value;

	ASSERT_LE(0, objs[0]);
	ASSERT_EQ(0, sem_init(&c.begin, 0, 0));
	ASSERT_EQ(0, sem_init(&c.ended, 0, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_closely, &c));
	for (int i = 1; i <= work(400, 20) || !in_time || !too_late; i++) {
		int ret;

		c.deadline = clock_ns(c.clock) + 2 * NSEC_PER_MSEC;
		c.margin = (i * 7919) % 200000;
		ASSERT_EQ(0, sem_post(&c.begin));
		ret = timed_wait(&self->how, objs + skipped, 2 - skipped,
				 c.deadline, 0, NULL);
		ASSERT_EQ(0, sem_wait(&c.ended));
		in_time += !ret;
		too_late += ret == -ETIMEDOUT;
		if (ret) {
			ASSERT_EQ(-ETIMEDOUT, ret);
			EXPECT_LE(c.deadline, c.signaled);
			EXPECT_EQ(0, event_reset(self->event, &value));
			EXPECT_EQ(1, value);
		}
		EXPECT_EVENT(0, 0, self->event);
	}
	say_done("%d in time, %d too late", in_time, too_late);
	c.over = true;
	ASSERT_EQ(0, sem_post(&c.begin));
	pthread_join(thread, NULL);
}

/* Steps CLOCK_REALTIME, and sets it back with the help of the other clock. */
FIXTURE(clock_step) {
	struct kind_of_wait realtime;
	struct kind_of_wait monotonic;
	int event;
	__u64 offset;		/* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

FIXTURE_VARIANT(clock_step) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(clock_step, any) {
	.request = ANY,
};

FIXTURE_VARIANT_ADD(clock_step, all) {
	.request = ALL,
};

/* Sets CLOCK_REALTIME ahead of CLOCK_MONOTONIC by this much. */
static int set_realtime(__u64 offset)
{
	__u64 time = clock_ns(CLOCK_MONOTONIC) + offset;
	struct timespec ts = {
		.tv_sec = time / NSEC_PER_SEC, .tv_nsec = time % NSEC_PER_SEC,
	};

	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

FIXTURE_SETUP(clock_step)
{
	int dev = ntsync_open();

	ASSERT_LE(0, dev);
	self->event = event_create(dev, 0, 0);
	ASSERT_LE(0, self->event);
	self->realtime = (struct kind_of_wait) {
		dev, variant->request, NTSYNC_WAIT_REALTIME, CLOCK_REALTIME,
	};
	self->monotonic = (struct kind_of_wait) {
		dev, variant->request, 0, CLOCK_MONOTONIC,
	};
	self->offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	/* Without a hardware clock a guest starts in 1970. */
	if (clock_ns(CLOCK_REALTIME) < 48 * HOUR)
		self->offset += 48 * HOUR;
}

FIXTURE_TEARDOWN(clock_step)
{
	set_realtime(self->offset);
	close(self->event);
	close(self->realtime.dev);
}

/*
 * Now, and in a VM also when 31 and 32 bits do not suffice for seconds, in 2040 and in 2107: other
 * programs of a real machine would see that.
 */
TEST_F(clock_step, forward_ends_a_wait)
{
	const __u64 offsets[] = {
		self->offset, 2210000000 * NSEC_PER_SEC, 4330000000 * NSEC_PER_SEC,
	};
	bool far = sizeof(time_t) > 4 && !access("/vm", F_OK);
	struct waiter w;

	if (set_realtime(self->offset) == -EPERM)
		SKIP(return, "no permission to set CLOCK_REALTIME");
	for (size_t i = 0; i < (far ? ARRAY_SIZE(offsets) : 1); i++) {
		ASSERT_EQ(0, set_realtime(offsets[i]));
		ASSERT_TRUE(start_timed(&w, &self->realtime, &self->event, 1,
					clock_ns(CLOCK_REALTIME) + HOUR));
		ASSERT_EQ(0, set_realtime(offsets[i] + HOUR / 2));
		EXPECT_TRUE(waiter_blocks(&w));
		ASSERT_EQ(0, set_realtime(offsets[i] + HOUR + HOUR));
		EXPECT_EQ(-ETIMEDOUT, waiter_join(&w));
	}
}

/*
 * If the machine was too slow to step the clock before the deadline, try again with more
 * time.
 */
TEST_F(clock_step, backward_delays_a_wait)
{
	__u64 delay, end = 0, stepped = 1;
	struct waiter w;

	if (set_realtime(self->offset) == -EPERM)
		SKIP(return, "no permission to set CLOCK_REALTIME");
	for (delay = NSEC_PER_SEC / 4; stepped >= end; delay *= 4) {
		ASSERT_GT(10 * NSEC_PER_SEC, delay);
		ASSERT_EQ(0, set_realtime(self->offset));
		end = clock_ns(CLOCK_MONOTONIC) + delay;
		waiter_fill(&w, self->realtime.dev, variant->request,
			    &self->event, 1, ME, 0);
		w.args.flags = NTSYNC_WAIT_REALTIME;
		w.args.timeout = end + self->offset;
		ASSERT_EQ(0, waiter_run(&w));
		waiter_blocks(&w);
		ASSERT_EQ(0, set_realtime(self->offset - 24 * HOUR));
		stepped = clock_ns(CLOCK_MONOTONIC);
		if (stepped >= end) {
			ASSERT_EQ(0, set_realtime(self->offset));
			ASSERT_EQ(-ETIMEDOUT, waiter_join(&w));
		}
	}
	let_pass(end - stepped + NSEC_PER_SEC / 10);
	EXPECT_TRUE(waiter_blocks(&w));
	ASSERT_EQ(0, set_realtime(self->offset));
	EXPECT_EQ(-ETIMEDOUT, waiter_join(&w));
}

TEST_F(clock_step, monotonic_is_not_moved)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC / 2;
	struct waiter timed, endless, hour;
	__u32 value;

	if (set_realtime(self->offset) == -EPERM)
		SKIP(return, "no permission to set CLOCK_REALTIME");
	ASSERT_TRUE(start_timed(&hour, &self->monotonic, &self->event, 1,
				clock_ns(CLOCK_MONOTONIC) + HOUR));
	ASSERT_TRUE(start_timed(&endless, &self->realtime, &self->event, 1,
				UINT64_MAX));
	start_timed(&timed, &self->monotonic, &self->event, 1, soon);
	ASSERT_EQ(0, set_realtime(self->offset + 3 * HOUR));
	let_pass(20 * NSEC_PER_MSEC);
	ASSERT_EQ(0, set_realtime(self->offset - 24 * HOUR));
	EXPECT_EQ(-ETIMEDOUT, waiter_join(&timed));
	EXPECT_LE(soon, clock_ns(CLOCK_MONOTONIC));
	EXPECT_TRUE(waiter_blocks(&hour));
	EXPECT_TRUE(waiter_blocks(&endless));
	ASSERT_EQ(0, event_set(self->event, &value));
	EXPECT_EQ(0, waiter_join(&hour));
	ASSERT_EQ(0, event_set(self->event, &value));
	EXPECT_EQ(0, waiter_join(&endless));
}

/*
 * Time namespaces.  The children of a process that unshares one live in it;
 * the objects are made outside.
 */
FIXTURE(time_namespace) {
	int dev;
	int event;
};

FIXTURE_VARIANT(time_namespace) {
	long long offset;	/* nanoseconds */
};

FIXTURE_VARIANT_ADD(time_namespace, a_day_ahead) {
	.offset = 24 * HOUR,
};

FIXTURE_VARIANT_ADD(time_namespace, ten_seconds_back) {
	.offset = -10 * SECOND,
};

FIXTURE_VARIANT_ADD(time_namespace, fraction_ahead) {
	.offset = 10 * SECOND + 9 * SECOND / 10,
};

FIXTURE_VARIANT_ADD(time_namespace, fraction_back) {
	.offset = -10 * SECOND + 9 * SECOND / 10,
};

/* Linux limits such a clock to half the range of ktime_t, 146 years. */
FIXTURE_VARIANT_ADD(time_namespace, most_of_ktime_ahead) {
	.offset = 4600000000 * SECOND,
};

FIXTURE_SETUP(time_namespace)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->event = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(time_namespace)
{
	close(self->event);
	close(self->dev);
}

/* Gives later children a separate clock.  Returns 0 or -errno. */
static int set_offset(long long offset)
{
	long long nsec = (offset % SECOND + SECOND) % SECOND;
	FILE *file;
	int ret;

	if (unshare(CLONE_NEWTIME))
		return -errno;
	/* A clock cannot be set back to before its start. */
	while ((long long)clock_ns(CLOCK_MONOTONIC) + offset < SECOND)
		waiter_pause();
	file = fopen("/proc/self/timens_offsets", "we");
	if (!file)
		return -errno;
	ret = fprintf(file, "monotonic %lld %lld\n", (offset - nsec) / SECOND, nsec);
	if (fclose(file) || ret < 0)
		return -errno;
	return 0;
}

/* Returns whether later children have a separate clock. */
static bool unshare_clock(struct __test_metadata *_metadata, long long offset)
{
	int ret = set_offset(offset);

	if (ret == -EPERM || ret == -EINVAL || ret == -ENOENT)
		SKIP(return false, "no time namespaces: %s", strerror(-ret));
	EXPECT_EQ(0, ret);
	return !ret;
}

/* Runs @body in a child with its own clock, and passes if the child does. */
static void in_time_namespace(struct __test_metadata *_metadata,
			      void (*body)(struct __test_metadata *_metadata,
					   int dev, int event),
			      const FIXTURE_DATA(time_namespace) * self,
			      long long offset)
{
	__u64 outside, inside;
	pid_t pid;

	if (!unshare_clock(_metadata, offset))
		return;
	outside = clock_ns(CLOCK_MONOTONIC);
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid) {
		inside = clock_ns(CLOCK_MONOTONIC);
		EXPECT_LE(offset, (__s64)(inside - outside));
		body(_metadata, self->dev, self->event);
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	EXPECT_EQ(0, child_exit_code(pid));
}

static void is_never_early(struct __test_metadata *_metadata, int dev,
			   int event)
{
	const struct kind_of_wait ways[] = {
		{ dev, ANY, 0, CLOCK_MONOTONIC },
		{ dev, ALL, 0, CLOCK_MONOTONIC },
		{ dev, ANY, NTSYNC_WAIT_REALTIME, CLOCK_REALTIME },
		{ dev, ALL, NTSYNC_WAIT_REALTIME, CLOCK_REALTIME },
	};

	for (int i = 0; i < 40; i++) {
		const struct kind_of_wait *how = &ways[i % 4];
		__u64 deadline = clock_ns(how->clock) + i / 4 * NSEC_PER_MSEC;

		EXPECT_EQ(-ETIMEDOUT, timed_wait(how, &event, 1, deadline, 0,
						 NULL));
		EXPECT_LE(deadline, clock_ns(how->clock));
	}
}

TEST_F(time_namespace, never_early)
{
	in_time_namespace(_metadata, is_never_early, self, variant->offset);
}

static void polls_in_the_past(struct __test_metadata *_metadata, int dev,
			      int event)
{
	const struct kind_of_wait how = { dev, ANY, 0, CLOCK_MONOTONIC };
	__u64 now = clock_ns(CLOCK_MONOTONIC);
	const __u64 past[] = { 0, 1, NSEC_PER_SEC / 2, now / 2, now - 1, now };
	long slept = times_slept();
	__u32 value;

	for (size_t i = 0; i < ARRAY_SIZE(past); i++) {
		EXPECT_EQ(-ETIMEDOUT, timed_wait(&how, &event, 1, past[i], 0,
						 NULL));
		EXPECT_EQ(0, event_set(event, &value));
		EXPECT_EQ(0, timed_wait(&how, &event, 1, past[i], 0, NULL));
	}
	/* A deadline that is converted wrongly may be in the future. */
	EXPECT_EQ(slept, times_slept());
}

TEST_F(time_namespace, past)
{
	in_time_namespace(_metadata, polls_in_the_past, self, variant->offset);
}

/* Subtracting an offset must not overflow in either direction. */
static void waits_for_long(struct __test_metadata *_metadata, int dev,
			   int event)
{
	const struct kind_of_wait how = { dev, ANY, 0, CLOCK_MONOTONIC };
	const __u64 far[] = {
		clock_ns(CLOCK_MONOTONIC) + HOUR,
		INT64_MAX - 5 * NSEC_PER_SEC, INT64_MAX - 1, INT64_MAX,
		(__u64)INT64_MAX + 1, (__u64)INT64_MAX + HOUR,
		UINT64_MAX - 1, UINT64_MAX,
	};
	struct waiter w;
	__u32 value;

	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		ASSERT_TRUE(start_timed(&w, &how, &event, 1, far[i]));
		let_pass(2 * NSEC_PER_MSEC);
		EXPECT_TRUE(waiter_blocks(&w));
		ASSERT_EQ(0, event_set(event, &value));
		ASSERT_EQ(0, waiter_join(&w));
	}
}

TEST_F(time_namespace, far)
{
	in_time_namespace(_metadata, waits_for_long, self, variant->offset);
}

/* A process that unshares one for its children keeps its own clock. */
TEST_F(time_namespace, not_yet_entered)
{
	const struct kind_of_wait how = { self->dev, ANY, 0, CLOCK_MONOTONIC };
	__u64 now, soon;
	long slept;

	if (!unshare_clock(_metadata, variant->offset))
		return;
	now = clock_ns(CLOCK_MONOTONIC);
	slept = times_slept();
	EXPECT_EQ(-ETIMEDOUT, timed_wait(&how, &self->event, 1, now, 0, NULL));
	/* If the clock were behind, this would have been a wait. */
	EXPECT_EQ(slept, times_slept());
	soon = clock_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC / 4;
	EXPECT_EQ(-ETIMEDOUT, timed_wait(&how, &self->event, 1, soon, 0, NULL));
	EXPECT_LE(soon, clock_ns(CLOCK_MONOTONIC));
}

TEST_HARNESS_MAIN
