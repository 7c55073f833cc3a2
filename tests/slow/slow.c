// SPDX-License-Identifier: GPL-2.0
/* Calls that are slow, because the driver was built with slow.h. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"
#include "wake_up.h"

/* Reading them all takes longer than wait_until() waits. */
#define SLEEPERS	300
#define PASSERS_BY	4
#define READERS		20

#define SEC_PER_DAY	86400ULL

FIXTURE(slow_fdinfo) {
	int dev;
	int event;
	struct fdinfo *info;
};

FIXTURE_SETUP(slow_fdinfo)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->event = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->event);
	self->info = calloc(1, sizeof(*self->info));
	ASSERT_NE(NULL, self->info);
}

FIXTURE_TEARDOWN(slow_fdinfo)
{
	free(self->info);
	close(self->dev);
}

/* In 32 bits milliseconds end after 49.7 days. */
TEST_F(slow_fdinfo, waited_for_months)
{
	struct waiter w;

	ASSERT_TRUE(waiter_start_blocked(&w, self->dev, NTSYNC_IOC_WAIT_ANY,
					 &self->event, 1, 1, 0));
	for (int i = 1; i < 4; i++) {
		ASSERT_EQ(0, fdinfo_read(self->event, self->info));
		ASSERT_EQ(1, self->info->shown);
		EXPECT_LE(i * 50 * SEC_PER_DAY * NSEC_PER_SEC,
			  self->info->waits[0].waited);
	}
}

struct traffic {
	int dev;
	int event;
	atomic_int passed;
	atomic_bool stop;
	atomic_bool read;
	int ret;
};

static void *pass_by(void *data)
{
	struct traffic *traffic = data;

	while (!traffic->stop) {
		__u64 soon = clock_ns(CLOCK_MONOTONIC) + 3 * NSEC_PER_SEC;

		wait_any(traffic->dev, &traffic->event, 1, 1, soon, 0, NULL);
		traffic->passed++;
	}
	return NULL;
}

static void *read_once(void *data)
{
	struct traffic *traffic = data;
	struct fdinfo *info = calloc(1, sizeof(*info));

	traffic->ret = info ? fdinfo_read(traffic->event, info) : -ENOMEM;
	free(info);
	traffic->read = true;
	return NULL;
}

/* Whenever the reader continues, there are new waits behind its place. */
TEST_F(slow_fdinfo, later_waits_do_not_keep_a_reader)
{
	struct traffic traffic = { .dev = self->dev, .event = self->event };
	pthread_t threads[PASSERS_BY], reader;

	for (int i = 0; i < PASSERS_BY; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, pass_by, &traffic));
	ASSERT_TRUE(wait_until(traffic.passed >= PASSERS_BY));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_once, &traffic));
	ASSERT_TRUE(wait_until(traffic.read));
	EXPECT_EQ(0, traffic.ret);
	traffic.stop = true;
	pthread_join(reader, NULL);
	for (int i = 0; i < PASSERS_BY; i++)
		pthread_join(threads[i], NULL);
}

/*
 * More readers than are passed at once have their marks behind a wait that then ends.  So
 * their marks come first in the queue, and one more reader meets them.
 */
TEST_F(slow_fdinfo, marks_of_many_readers)
{
	int alert = event_create(self->dev, 0, 0), rounds = 0;
	__u64 begun = clock_ns(CLOCK_MONOTONIC), start;
	struct waiter leaves, stays;
	pid_t pids[READERS];
	bool in_time = false;
	__u32 value;

	ASSERT_LE(0, alert);
	for (; race_goes_on(begun, in_time); rounds++) {
		ASSERT_TRUE(waiter_start_blocked(&leaves, self->dev, NTSYNC_IOC_WAIT_ANY,
						 &self->event, 1, ME, alert));
		ASSERT_TRUE(waiter_start_blocked(&stays, self->dev, NTSYNC_IOC_WAIT_ANY,
						 &self->event, 1, ME, 0));
		start = clock_ns(CLOCK_MONOTONIC);
		for (int i = 0; i < READERS; i++) {
			pids[i] = fork_child();
			ASSERT_LE(0, pids[i]);
			if (!pids[i])
				_exit(fdinfo_read(self->event, self->info) || !self->info->shown);
		}
		for (int i = 0; i < READERS; i++)
			ASSERT_TRUE(wait_until(child_ended(pids[i]) ||
					       thread_state(pids[i]) == 'D'));
		ASSERT_EQ(0, event_set(alert, &value));
		ASSERT_EQ(0, waiter_join(&leaves));
		/* A reader passes the next wait after a second. */
		in_time = clock_ns(CLOCK_MONOTONIC) - start < NSEC_PER_SEC / 2;
		EXPECT_EQ(0, fdinfo_read(self->event, self->info));
		EXPECT_EQ(1, self->info->shown);
		for (int i = 0; i < READERS; i++)
			EXPECT_EQ(0, child_exit_code(pids[i]));
		ASSERT_EQ(0, event_set(self->event, &value));
		ASSERT_EQ(0, waiter_join(&stays));
		ASSERT_EQ(0, event_reset(alert, &value));
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

FIXTURE(slow_reader) {
	int dev;
	int event;
	struct waiter waiters[SLEEPERS];
};

FIXTURE_SETUP(slow_reader)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->event = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(slow_reader)
{
	close(self->dev);
}

FIXTURE_VARIANT(slow_reader) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(slow_reader, any) {
	.request = NTSYNC_IOC_WAIT_ANY,
};

FIXTURE_VARIANT_ADD(slow_reader, all) {
	.request = NTSYNC_IOC_WAIT_ALL,
};

TEST_F(slow_reader, can_be_killed)
{
	char path[64];
	int status;
	pid_t pid;

	for (int i = 0; i < SLEEPERS; i++)
		ASSERT_EQ(0, waiter_start(&self->waiters[i], self->dev,
					  variant->request, &self->event, 1, 1, 0));
	for (int i = 0; i < SLEEPERS; i++)
		ASSERT_TRUE(waiter_blocks(&self->waiters[i]));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), self->event);
	pid = fork_child();
	if (!pid)
		_exit(fdinfo_read_path(path, calloc(1, sizeof(struct fdinfo))));
	ASSERT_LT(0, pid);
	/* It has shown some, and is delayed for a second. */
	ASSERT_TRUE(wait_until(thread_state(pid) == 'D'));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	status = child_status(pid);
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFSIGNALED(status));
}

/*
 * A process that is woken without a reason finds that it has been granted, and ends.  Its wait
 * is gone when its signaler, which is still about to wake it, goes on.
 */
#define EARLY	4

TEST(ends_before_it_is_woken)
{
	int dev = ntsync_open(), event = event_create(dev, 1, 0), early = 0;
	struct waiter w, setter = { .dev = event, .request = NTSYNC_IOC_EVENT_SET };
	pid_t pids[EARLY];

	if (access(WAKE_UP, R_OK))
		SKIP(return, "there is no " WAKE_UP);
	ASSERT_EQ(0, load_wake_up());
	waiter_fill(&w, dev, NTSYNC_IOC_WAIT_ANY, &event, 1, ME, 0);
	for (int i = 0; i < EARLY; i++) {
		pids[i] = fork_waiter(&w);
		ASSERT_LT(0, pids[i]);
	}
	ASSERT_EQ(0, waiter_run(&setter));
	while (!setter.done) {
		for (int i = 0; i < EARLY; i++) {
			wake_without_reason(pids[i]);
			early += child_ended(pids[i]);
		}
		use_stacks_again();
	}
	for (int i = 0; i < EARLY; i++)
		EXPECT_EQ(0, child_exit_code(pids[i]));
	EXPECT_EQ(0, waiter_join(&setter));
	EXPECT_LT(0, early);
}

/*
 * The last look of a poll comes after its deadline: it looks, then the event is set and the
 * deadline passes, and then it reads the clock.
 */
FIXTURE(slow_wait) {
	struct waiter waiter;
	int dev;
	int event;
	int other;
};

FIXTURE_VARIANT(slow_wait) {
	unsigned long request;
	int count;		/* number of objects; the event comes last */
	__u32 flags;
	clockid_t clock;
	bool alert;		/* the event is the alert instead */
};

FIXTURE_VARIANT_ADD(slow_wait, any_of_1) {
	.request = NTSYNC_IOC_WAIT_ANY, .count = 1,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, any_of_2) {
	.request = NTSYNC_IOC_WAIT_ANY, .count = 2,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, any_alert) {
	.request = NTSYNC_IOC_WAIT_ANY, .count = 1, .alert = true,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, all_of_1) {
	.request = NTSYNC_IOC_WAIT_ALL, .count = 1,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, all_of_2) {
	.request = NTSYNC_IOC_WAIT_ALL, .count = 2,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, all_alert) {
	.request = NTSYNC_IOC_WAIT_ALL, .count = 1, .alert = true,
	.clock = CLOCK_MONOTONIC,
};

FIXTURE_VARIANT_ADD(slow_wait, realtime) {
	.request = NTSYNC_IOC_WAIT_ANY, .count = 1,
	.flags = NTSYNC_WAIT_REALTIME, .clock = CLOCK_REALTIME,
};

FIXTURE_SETUP(slow_wait)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->event = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->event);
	/* Signaled for waits for all, which then look at the event. */
	self->other = event_create(self->dev, 1, variant->request == NTSYNC_IOC_WAIT_ALL);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(slow_wait)
{
	close(self->dev);
}

/* Fills the wait of the variant, which @obj alone can end: an object or the alert. */
static void fill_slow_wait(FIXTURE_DATA(slow_wait) * self,
			   const FIXTURE_VARIANT(slow_wait) * variant, int obj)
{
	int objs[2] = { self->other, obj };
	struct waiter *w = &self->waiter;
	__u32 prev;

	if (variant->alert) {
		event_reset(self->other, &prev);
		waiter_fill(w, self->dev, variant->request, objs, variant->count, ME, obj);
	} else {
		waiter_fill(w, self->dev, variant->request, objs + 2 - variant->count,
			    variant->count, ME, 0);
	}
	w->args.flags = variant->flags;
	w->args.timeout = clock_ns(variant->clock) + 1000 * NSEC_PER_SEC;
}

TEST_F(slow_wait, looks_after_its_deadline)
{
	struct waiter *w = &self->waiter;
	bool in_time = false;
	int ret, rounds = 0;
	__u32 value;

	while (!in_time) {
		__u64 deadline = clock_ns(variant->clock) + NSEC_PER_SEC / 2;

		fill_slow_wait(self, variant, self->event);
		w->args.timeout = deadline;
		ASSERT_EQ(0, waiter_run(w));
		/* It has looked, and is delayed for a second before it reads the clock. */
		ASSERT_TRUE(wait_until(w->done || thread_state(w->tid) == 'D'));
		ASSERT_EQ(0, event_set(self->event, &value));
		in_time = clock_ns(variant->clock) < deadline && !w->done;
		ret = waiter_join(w);
		EXPECT_TRUE(!in_time || !ret);
		ASSERT_EQ(0, event_reset(self->event, &value));
		rounds++;
	}
	say_done("%d rounds", rounds);
}

/* It looks, then the event is set, then it queues. */
TEST_F(slow_wait, acquires_before_it_queues)
{
	struct waiter *w = &self->waiter;
	__u32 value;

	fill_slow_wait(self, variant, self->event);
	ASSERT_EQ(0, waiter_run(w));
	ASSERT_TRUE(wait_until(thread_state(w->tid) == 'D'));
	ASSERT_EQ(0, event_set(self->event, &value));
	EXPECT_EQ(0, waiter_join(w));
	EXPECT_EVENT(0, 0, self->event);
}

/* It looks, then a mutex's owner is declared dead, then it queues. */
TEST_F(slow_wait, learns_of_a_death_before_it_queues)
{
	int mutex = mutex_create(self->dev, OTHER, 1);
	struct waiter *w = &self->waiter;

	fill_slow_wait(self, variant, mutex);
	ASSERT_EQ(0, waiter_run(w));
	ASSERT_TRUE(wait_until(thread_state(w->tid) == 'D'));
	ASSERT_EQ(0, mutex_kill(mutex, OTHER));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(w));
	EXPECT_MUTEX(ME, 1, mutex);
}

/* It looks, then the alert and all objects are signaled, then it queues. */
TEST_F(slow_wait, prefers_objects_to_the_alert)
{
	int objs[2] = { self->other, self->event }, alert = event_create(self->dev, 0, 0);
	struct waiter *w = &self->waiter;
	bool in_time = false;
	int rounds = 0;
	__u32 value;

	for (; !in_time; rounds++) {
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, event_reset(objs[i], &value));
		ASSERT_EQ(0, event_reset(alert, &value));
		waiter_fill(w, self->dev, variant->request, objs, 2, ME, alert);
		w->args.flags = variant->flags;
		w->args.timeout = clock_ns(variant->clock) + 1000 * NSEC_PER_SEC;
		ASSERT_EQ(0, waiter_run(w));
		ASSERT_TRUE(wait_until(w->done || thread_state(w->tid) == 'D'));
		ASSERT_EQ(0, event_set(alert, &value));
		ASSERT_EQ(0, event_set(objs[1], &value));
		ASSERT_EQ(0, event_set(objs[0], &value));
		in_time = thread_state(w->tid) == 'D';
		ASSERT_EQ(0, waiter_join(w));
		EXPECT_TRUE(!in_time || w->args.index == 0);
		EXPECT_TRUE(!in_time || count_set(&alert, 1) == 1);
	}
	say_done("%d rounds", rounds);
}

TEST_HARNESS_MAIN
