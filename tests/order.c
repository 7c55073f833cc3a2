// SPDX-License-Identifier: GPL-2.0
/*
 * Which waits a signal serves: first come first served, waits-for-all before
 * waits-for-any, real-time threads before ordinary ones.  At the end, what a real-time
 * thread does that finds an object locked by an ordinary one.
 *
 * Waiters queue one at a time, each only after the one before was seen asleep, so
 * the order of their waits is known.  Signals come one at a time, each only after
 * the thread that the one before served was seen to end.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <sys/mman.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

#define MAX_WAITERS 48

/* A queue of waiters, each with a different owner: its place plus one. */
struct queue {
	int dev;
	int n;
	struct waiter waiters[MAX_WAITERS];
};

static bool join_queue(struct queue *q, int priority, unsigned long request,
		       const int *objs, __u32 count)
{
	int place = q->n++;

	return waiter_start_priority(&q->waiters[place], priority, q->dev,
				     request, objs, count, place + 1);
}

static int how_many_done(const struct queue *q)
{
	int done = 0;

	for (int i = 0; i < q->n; i++)
		done += q->waiters[i].done;
	return done;
}

/*
 * Returns the place of the one waiter whose wait has ended since the last call, or a negative
 * number.  @before: how many had ended by then.
 */
static int who_was_served(struct queue *q, int before)
{
	int who = -1;

	if (!wait_until(how_many_done(q) > before))
		return -ETIMEDOUT;
	for (int i = 0; i < q->n; i++) {
		struct waiter *w = &q->waiters[i];

		if (!w->done || !w->dev)
			continue;
		if (who >= 0)
			return -E2BIG;
		who = i;
	}
	if (who >= 0) {
		q->waiters[who].dev = 0;
		if (waiter_join(&q->waiters[who]))
			return -EIO;
	}
	return who;
}

/* Signals the object for one more wait; a mutex is unlocked by its last owner. */
static int signal_once(struct object object, __u32 owner)
{
	__u32 one = 1;

	if (object.kind == MUTEX)
		return mutex_unlock(object.fd, owner, NULL);
	if (object.kind == SEM)
		return sem_release(object.fd, &one);
	return event_set(object.fd, &one);
}

/* Signals the object, and expects the waiters at @places to be served in this order. */
#define ASSERT_SERVED(in_queue, by_object, ...) do { \
	const int _places[] = { __VA_ARGS__ }; \
	struct object _object = (by_object); \
	struct queue *_q = (in_queue); \
	__u32 _owner = NOBODY_WAITS; \
	int _already = how_many_done(_q); \
	for (size_t _i = 0; _i < ARRAY_SIZE(_places); _i++) { \
		ASSERT_EQ(0, signal_once(_object, _owner)); \
		ASSERT_EQ(_places[_i], who_was_served(_q, _already++)); \
		_owner = _places[_i] + 1; \
	} \
} while (0)

FIXTURE(order) {
	struct queue queue;
	struct object object;
};

FIXTURE_VARIANT(order) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(order, sem) {
	.kind = SEM,
};

FIXTURE_VARIANT_ADD(order, mutex) {
	.kind = MUTEX,
};

FIXTURE_VARIANT_ADD(order, auto_event) {
	.kind = AUTO_EVENT,
};

FIXTURE_SETUP(order)
{
	self->queue.dev = ntsync_open();
	ASSERT_LE(0, self->queue.dev);
	self->object = object_create(self->queue.dev, variant->kind);
	ASSERT_LE(0, self->object.fd);
}

FIXTURE_TEARDOWN(order)
{
	close(self->object.fd);
	close(self->queue.dev);
}

/* The order of the queue; the reverse order would be a stack. */
TEST_F(order, first_any_first)
{
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd,
				       1));
	ASSERT_SERVED(&self->queue, self->object, 0, 1, 2, 3, 4);
}

TEST_F(order, first_all_first)
{
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ALL, &self->object.fd,
				       1));
	ASSERT_SERVED(&self->queue, self->object, 0, 1, 2, 3, 4);
}

/* A wait for several objects queues on each as if it were alone. */
TEST_F(order, wider_waits_queue_the_same)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];

	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->queue.dev, 0, 0);
		ASSERT_LE(0, objs[i]);
	}
	objs[20] = self->object.fd;
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &objs[20], 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, objs,
			       NTSYNC_MAX_WAIT_COUNT));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &objs[20], 2));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &objs[16], 8));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &objs[20], 1));
	ASSERT_SERVED(&self->queue, self->object, 0, 1, 2, 3, 4);
	EXPECT_EQ(20, self->queue.waiters[1].args.index);
	EXPECT_EQ(0, self->queue.waiters[2].args.index);
	EXPECT_EQ(4, self->queue.waiters[3].args.index);
}

/* An alert is an object like any other: waits with this alert queue like other waits. */
TEST_F(order, alert_queues_with_objects)
{
	struct waiter *alerted = &self->queue.waiters[1];
	int other = event_create(self->queue.dev, 0, 0);

	ASSERT_LE(0, other);
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(waiter_start_blocked(alerted, self->queue.dev, ANY, &other,
					 1, 2, self->object.fd));
	self->queue.n++;
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 0, 1, 2);
	EXPECT_EQ(1, alerted->args.index);
}

TEST_F(order, all_before_any)
{
	static const unsigned long requests[] = { ANY, ALL, ANY, ALL, ALL };

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, requests[i],
				       &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 1, 3, 4, 0, 2);
}

/* A wait-for-all that has to wait for another object does not hold up others. */
TEST_F(order, unsatisfiable_all_is_passed)
{
	int objs[2] = { event_create(self->queue.dev, 1, 0), self->object.fd };

	ASSERT_LE(0, objs[0]);
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 2));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 2));
	ASSERT_SERVED(&self->queue, self->object, 2, 1);
	EXPECT_FALSE(self->queue.waiters[0].done);
	EXPECT_FALSE(self->queue.waiters[3].done);
}

/* Waits after one that times out move up. */
TEST_F(order, given_up_place_is_lost)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC / 2;
	struct waiter *impatient = &self->queue.waiters[1];

	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	waiter_fill(impatient, self->queue.dev, ANY, &self->object.fd, 1, 2, 0);
	impatient->args.timeout = soon;
	self->queue.n++;
	ASSERT_EQ(0, waiter_run(impatient));
	ASSERT_EQ(-ETIMEDOUT, waiter_join(impatient));
	impatient->dev = 0;
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 0, 2, 3);
}

static atomic_int interruptions;

static void count_interruption(int sig)
{
	(void)sig;
	interruptions++;
}

TEST_F(order, restarted_wait_queues_anew)
{
	struct sigaction action = {
		.sa_handler = count_interruption,
		.sa_flags = SA_RESTART,
	};
	struct waiter *restarted = &self->queue.waiters[0];

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd,
				       1));
	ASSERT_EQ(0, pthread_kill(restarted->thread, SIGUSR1));
	ASSERT_TRUE(wait_until(interruptions == 1));
	ASSERT_TRUE(waiter_blocks(restarted));
	ASSERT_SERVED(&self->queue, self->object, 1, 2, 0);
}

/* It moves ahead according to its priority at that time. */
TEST_F(order, restarted_wait_is_still_urgent)
{
	static const int priorities[] = { 10, 10, 0, 5 };
	struct sigaction action = {
		.sa_handler = count_interruption,
		.sa_flags = SA_RESTART,
	};

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < 2; i++) {
		struct waiter *restarted = &self->queue.waiters[0];

		self->queue.n = 0;
		memset(self->queue.waiters, 0, sizeof(self->queue.waiters));
		for (size_t j = 0; j < ARRAY_SIZE(priorities); j++)
			ASSERT_TRUE(join_queue(&self->queue, priorities[j],
					       i ? ALL : ANY, &self->object.fd,
					       1));
		interruptions = 0;
		ASSERT_EQ(0, pthread_kill(restarted->thread, SIGUSR1));
		ASSERT_TRUE(wait_until(interruptions == 1));
		ASSERT_TRUE(waiter_blocks(restarted));
		ASSERT_SERVED(&self->queue, self->object, 1, 0, 3, 2);
		ASSERT_EQ(0, signal_once(self->object, 3));
		ASSERT_EQ(0, wait_any(self->queue.dev, &self->object.fd, 1,
				      NOBODY_WAITS, 0, 0, NULL));
	}
}

TEST_F(order, real_time_first)
{
	static const int priorities[] = { 0, 10, 0, 20, 10, 1, 20 };

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_TRUE(join_queue(&self->queue, priorities[i], ANY,
				       &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 3, 6, 1, 4, 5, 0, 2);
}

/*
 * A queue that begins with more waits than are passed in one batch, all of which another
 * object has just satisfied.  The next one must be served all the same.
 */
TEST_F(order, waits_that_have_ended_are_passed)
{
	int objs[2] = { event_create(self->queue.dev, 1, 0), self->object.fd };
	__u32 prev;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	/* On one CPU with this thread, so that none leaves the queue between the signals. */
	ASSERT_EQ(0, stay_on_cpu(sched_getcpu()));
	for (int i = 0; i < MAX_WAITERS - 1; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ANY, objs, 2));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_EQ(0, set_priority(1));
	ASSERT_EQ(0, event_set(objs[0], &prev));
	ASSERT_EQ(0, object_signal(self->object));
	ASSERT_EQ(0, set_priority(0));
	ASSERT_FALSE(same_state(state_signaled(variant->kind), object_state(self->object)));
	for (int i = 0; i < MAX_WAITERS; i++)
		EXPECT_EQ(0, waiter_join(&self->queue.waiters[i]));
}

/* More ordinary threads than are passed in one batch, and behind them two real-time ones. */
#define ORDINARY	(MAX_WAITERS - 2)

static bool join_after_many(struct queue *q, unsigned long request, const int *obj)
{
	for (int i = 0; i < ORDINARY; i++)
		if (!join_queue(q, 0, request, obj, 1))
			return false;
	return join_queue(q, 10, request, obj, 1) && join_queue(q, 11, request, obj, 1);
}

/* The second must not stop at the end of a batch. */
TEST_F(order, real_time_passes_many)
{
	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_TRUE(join_after_many(&self->queue, ANY, &self->object.fd));
	ASSERT_SERVED(&self->queue, self->object, ORDINARY + 1, ORDINARY, 0, 1, 2);
}

TEST_F(order, real_time_passes_many_sets)
{
	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_TRUE(join_after_many(&self->queue, ALL, &self->object.fd));
	ASSERT_SERVED(&self->queue, self->object, ORDINARY + 1, ORDINARY, 0, 1, 2);
}

TEST_F(order, real_time_first_among_all)
{
	static const int priorities[] = { 0, 10, 0, 20, 10, 1, 20 };

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_TRUE(join_queue(&self->queue, priorities[i], ALL,
				       &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 3, 6, 1, 4, 5, 0, 2);
}

/* SCHED_RR is a real-time class too; a nice value is not a priority. */
TEST_F(order, classes_and_nice_values)
{
	struct sched_param param = { .sched_priority = 5 };
	int ret;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	errno = 0;
	ASSERT_EQ(-10, nice(-10));
	ret = join_queue(&self->queue, 0, ANY, &self->object.fd, 1);
	ASSERT_EQ(0, nice(10));
	ASSERT_TRUE(ret);
	ASSERT_TRUE(join_queue(&self->queue, 5, ANY, &self->object.fd, 1));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_RR, &param));
	ret = join_queue(&self->queue, 0, ANY, &self->object.fd, 1);
	ASSERT_EQ(0, set_priority(0));
	ASSERT_TRUE(ret);
	ASSERT_SERVED(&self->queue, self->object, 2, 3, 0, 1);
}

/* The argument of sched_setattr(2); not every libc has it. */
struct deadline_class {
	__u32 size;
	__u32 policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime;
	__u64 deadline;
	__u64 period;
};

/* The caller may run for 1 ms of each 100: -errno or 0. */
static int become_sched_deadline(void)
{
	struct deadline_class class = {
		.size = sizeof(class), .policy = 6 /* SCHED_DEADLINE */,
		.runtime = NSEC_PER_MSEC, .deadline = 100 * NSEC_PER_MSEC,
		.period = 100 * NSEC_PER_MSEC,
	};

	return syscall(SYS_sched_setattr, 0, &class, 0) ? -errno : 0;
}

static void *wait_with_a_deadline(void *data)
{
	struct waiter *w = data;

	w->ret = become_sched_deadline();
	return w->ret ? NULL : waiter_main(w);
}

/* Like join_queue(), in a class that goes ahead of SCHED_FIFO. */
static bool join_with_a_deadline(struct queue *q, unsigned long request,
				 const int *objs, __u32 count)
{
	struct waiter *w = &q->waiters[q->n++];

	waiter_fill(w, q->dev, request, objs, count, q->n, 0);
	return !pthread_create(&w->thread, NULL, wait_with_a_deadline, w) &&
	       wait_until(w->ret || w->tid) && waiter_blocks(w);
}

TEST_F(order, sched_deadline_is_most_urgent)
{
	for (int i = 0; i < 2; i++) {
		unsigned long request = i ? ALL : ANY;

		self->queue.n = 0;
		memset(self->queue.waiters, 0, sizeof(self->queue.waiters));
		ASSERT_TRUE(join_queue(&self->queue, 0, request,
				       &self->object.fd, 1));
		for (int j = 0; j < 2; j++) {
			ASSERT_TRUE(join_queue(&self->queue, 99, request,
					       &self->object.fd, 1));
			ASSERT_TRUE(join_with_a_deadline(&self->queue, request,
							 &self->object.fd, 1));
		}
		ASSERT_SERVED(&self->queue, self->object, 2, 4, 1, 3, 0);
		ASSERT_EQ(0, signal_once(self->object, 1));
		ASSERT_EQ(0, wait_any(self->queue.dev, &self->object.fd, 1,
				      NOBODY_WAITS, 0, 0, NULL));
	}
}

/* The priority of a thread that may be lent one; below 0 if it is a real-time one. */
static int current_priority(void)
{
	FILE *file = fopen("/proc/thread-self/stat", "re");
	int priority = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%d",
		   &priority) != 1)
		priority = 0;
	fclose(file);
	return priority;
}

/* An ordinary thread that owns a lock while it waits. */
struct lock_owner {
	struct waiter *waiter;
	pthread_mutex_t lock;
	atomic_bool locked;
};

static void *wait_with_a_lent_priority(void *data)
{
	struct lock_owner *owner = data;

	pthread_mutex_lock(&owner->lock);
	owner->locked = true;
	if (wait_until(current_priority() < 0))
		waiter_main(owner->waiter);
	pthread_mutex_unlock(&owner->lock);
	return NULL;
}

static void *want_the_lock(void *data)
{
	struct lock_owner *owner = data;

	pthread_mutex_lock(&owner->lock);
	pthread_mutex_unlock(&owner->lock);
	return NULL;
}

/* Like join_queue(), in an ordinary thread that runs with the priority of @urgent. */
static bool join_with_a_lent_priority(struct queue *q, struct lock_owner *owner,
				      pthread_t *urgent, unsigned long request,
				      const int *objs, __u32 count)
{
	struct waiter *w = &q->waiters[q->n++];
	pthread_mutexattr_t inherit;
	int ret;

	owner->waiter = w;
	owner->locked = false;
	if (pthread_mutexattr_init(&inherit) ||
	    pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT) ||
	    pthread_mutex_init(&owner->lock, &inherit))
		return false;
	waiter_fill(w, q->dev, request, objs, count, q->n, 0);
	if (pthread_create(&w->thread, NULL, wait_with_a_lent_priority, owner) ||
	    !wait_until(owner->locked) || set_priority(50))
		return false;
	ret = pthread_create(urgent, NULL, want_the_lock, owner);
	return !set_priority(0) && !ret && waiter_blocks(w);
}

/* Who owns a lock that a real-time thread wants runs as urgently, but is an ordinary thread. */
TEST_F(order, lent_priority_does_not_count)
{
	struct lock_owner owner;
	pthread_t urgent;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	for (int i = 0; i < 2; i++) {
		unsigned long request = i ? ALL : ANY;

		self->queue.n = 0;
		memset(self->queue.waiters, 0, sizeof(self->queue.waiters));
		ASSERT_TRUE(join_queue(&self->queue, 0, request,
				       &self->object.fd, 1));
		ASSERT_TRUE(join_with_a_lent_priority(&self->queue, &owner,
						      &urgent, request,
						      &self->object.fd, 1));
		ASSERT_TRUE(join_queue(&self->queue, 0, request,
				       &self->object.fd, 1));
		ASSERT_SERVED(&self->queue, self->object, 0, 1, 2);
		ASSERT_EQ(0, pthread_join(urgent, NULL));
		ASSERT_EQ(0, signal_once(self->object, 3));
		ASSERT_EQ(0, wait_any(self->queue.dev, &self->object.fd, 1,
				      NOBODY_WAITS, 0, 0, NULL));
	}
}

/* An object serves waits that have it as their alert in the same order. */
TEST_F(order, real_time_first_at_an_alert)
{
	static const int priorities[] = { 0, 10, 0, 20, 10 };
	int other = event_create(self->queue.dev, 0, 0);

	ASSERT_LE(0, other);
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		struct waiter *w = &self->queue.waiters[self->queue.n++];

		waiter_fill(w, self->queue.dev, i % 2 ? ALL : ANY, &other, 1,
			    i + 1, self->object.fd);
		ASSERT_EQ(0, set_priority(priorities[i]));
		ASSERT_EQ(0, waiter_run(w));
		ASSERT_EQ(0, set_priority(0));
		ASSERT_TRUE(waiter_blocks(w));
	}
	ASSERT_SERVED(&self->queue, self->object, 3, 1, 4, 0, 2);
}

/* However urgent, a wait-for-any comes after every wait-for-all. */
TEST_F(order, all_before_real_time_any)
{
	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 50, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 30, ALL, &self->object.fd, 1));
	ASSERT_SERVED(&self->queue, self->object, 3, 2, 1, 0);
}

/* The place is that of the priority at the beginning of the wait. */
TEST_F(order, later_priority_changes_nothing)
{
	struct sched_param urgent = { .sched_priority = 40 };
	struct sched_param ordinary = { .sched_priority = 0 };

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 10, ANY, &self->object.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 20, ANY, &self->object.fd, 1));
	ASSERT_EQ(0, sched_setscheduler(self->queue.waiters[1].tid, SCHED_FIFO,
					&urgent));
	ASSERT_EQ(0, sched_setscheduler(self->queue.waiters[3].tid, SCHED_OTHER,
					&ordinary));
	ASSERT_SERVED(&self->queue, self->object, 3, 2, 0, 1);
}

FIXTURE(order_of_one) {
	struct queue queue;
};

FIXTURE_SETUP(order_of_one)
{
	self->queue.dev = ntsync_open();
	ASSERT_LE(0, self->queue.dev);
}

FIXTURE_TEARDOWN(order_of_one)
{
	close(self->queue.dev);
}

/* A pulse serves waits like a set: an auto-reset event serves the first in the queue. */
TEST_F(order_of_one, pulse_serves_the_first)
{
	int event = event_create(self->queue.dev, 0, 0);
	__u32 prev;

	ASSERT_LE(0, event);
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &event, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &event, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, &event, 1));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, event_pulse(event, &prev));
		EXPECT_EQ(0, prev);
		EXPECT_EQ((i + 2) % 3, who_was_served(&self->queue, i));
	}
}

/* A release of several serves that many, from the front. */
TEST_F(order_of_one, release_of_several)
{
	int sem = sem_create(self->queue.dev, 0, 10);
	__u32 three = 3;

	ASSERT_LE(0, sem);
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &sem, 1));
	ASSERT_EQ(0, sem_release(sem, &three));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, waiter_join(&self->queue.waiters[i]));
	EXPECT_TRUE(waiter_blocks(&self->queue.waiters[3]));
	EXPECT_TRUE(waiter_blocks(&self->queue.waiters[4]));
	EXPECT_SEM(0, 10, sem);
}

/* A release that could serve both kinds serves the waits-for-all first. */
TEST_F(order_of_one, release_serves_all_before_any)
{
	static const unsigned long requests[] = { ANY, ANY, ALL, ALL };
	int sem = sem_create(self->queue.dev, 0, 10);
	__u32 count = 3;

	ASSERT_LE(0, sem);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, requests[i], &sem, 1));
	ASSERT_EQ(0, sem_release(sem, &count));
	EXPECT_EQ(0, waiter_join(&self->queue.waiters[0]));
	EXPECT_EQ(0, waiter_join(&self->queue.waiters[2]));
	EXPECT_EQ(0, waiter_join(&self->queue.waiters[3]));
	EXPECT_TRUE(waiter_blocks(&self->queue.waiters[1]));
}

/* If a mutex with a full count is unlocked, the most urgent wait of its owner gets it. */
TEST_F(order_of_one, owners_waits_by_priority)
{
	static const int priorities[] = { 0, 10, 20, 10, 0 };
	static const int served[] = { 2, 1, 3, 0, 4 };
	int mutex = mutex_create(self->queue.dev, ME, UINT32_MAX);
	struct waiter *waiters = self->queue.waiters;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_LE(0, mutex);
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_TRUE(waiter_start_priority(&waiters[self->queue.n++],
						  priorities[i],
						  self->queue.dev, ANY, &mutex,
						  1, ME));
	for (size_t i = 0; i < ARRAY_SIZE(served); i++) {
		EXPECT_EQ(0, mutex_unlock(mutex, ME, NULL));
		EXPECT_EQ(served[i], who_was_served(&self->queue, i));
		EXPECT_MUTEX(ME, UINT32_MAX, mutex);
	}
}

/* The mutex of a dead owner goes to the first in the queue, as abandoned. */
TEST_F(order_of_one, killed_mutex_goes_to_the_first)
{
	int mutex = mutex_create(self->queue.dev, NOBODY_WAITS, 3);

	ASSERT_LE(0, mutex);
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &mutex, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &mutex, 1));
	ASSERT_EQ(0, mutex_kill(mutex, NOBODY_WAITS));
	ASSERT_EQ(-EOWNERDEAD, waiter_join(&self->queue.waiters[0]));
	EXPECT_MUTEX(1, 1, mutex);
	ASSERT_EQ(0, mutex_unlock(mutex, 1, NULL));
	ASSERT_EQ(0, waiter_join(&self->queue.waiters[1]));
	EXPECT_MUTEX(2, 1, mutex);
}

/*
 * Waits-for-all of several objects.  The driver may watch any object of a set; what a caller
 * sees must not depend on which one, nor on those that it watched before.
 */
FIXTURE(order_of_sets) {
	struct queue queue;
	int gate;		/* a manual-reset event in every set */
	int other;		/* another one */
	struct object prize;	/* only one wait at a time gets it */
};

FIXTURE_VARIANT(order_of_sets) {
	enum kind kind;
	/* The index of the prize in the array. */
	int place;
};

FIXTURE_VARIANT_ADD(order_of_sets, sem_first) {
	.kind = SEM,
	.place = 0,
};

FIXTURE_VARIANT_ADD(order_of_sets, event_between) {
	.kind = AUTO_EVENT,
	.place = 1,
};

FIXTURE_VARIANT_ADD(order_of_sets, mutex_last) {
	.kind = MUTEX,
	.place = 2,
};

FIXTURE_SETUP(order_of_sets)
{
	self->queue.dev = ntsync_open();
	ASSERT_LE(0, self->queue.dev);
	self->gate = event_create(self->queue.dev, 1, 0);
	ASSERT_LE(0, self->gate);
	self->other = event_create(self->queue.dev, 1, 0);
	ASSERT_LE(0, self->other);
	self->prize = object_create(self->queue.dev, variant->kind);
	ASSERT_LE(0, self->prize.fd);
}

FIXTURE_TEARDOWN(order_of_sets)
{
	close(self->prize.fd);
	close(self->other);
	close(self->gate);
	close(self->queue.dev);
}

static void fill_set(int *objs, int place, int prize, int gate, int other)
{
	const int events[] = { gate, other };

	for (int i = 0, e = 0; i < 3; i++)
		objs[i] = i == place ? prize : events[e++];
}

TEST_F(order_of_sets, first_come_first_served)
{
	__u32 prev;
	int objs[3];

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	EXPECT_EQ(0, how_many_done(&self->queue));
	ASSERT_SERVED(&self->queue, self->prize, 0, 1, 2, 3);
}

/* Waits that begin while different objects of the set hold them up. */
TEST_F(order_of_sets, begun_in_different_states)
{
	__u32 prev;
	int objs[3];

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_reset(self->other, &prev));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_reset(self->gate, &prev));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_SERVED(&self->queue, self->prize, 0, 1, 2, 3);
}

/*
 * Three waits that all watch the prize are moved away by a signal that satisfies none of
 * them, and come back in another order.  They are still served in the order in which they
 * began.
 */
TEST_F(order_of_sets, place_survives_moves)
{
	int objs[3], first[2], second[2];
	__u32 prev;

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	first[!variant->place] = self->gate;
	second[!variant->place] = self->other;
	first[!!variant->place] = self->prize.fd;
	second[!!variant->place] = self->prize.fd;
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, first, 2));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, second, 2));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	/* An odd number, so the last to come back is the one that began first. */
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, event_reset(self->gate, &prev));
		ASSERT_EQ(0, event_reset(self->other, &prev));
		ASSERT_EQ(0, signal_once(self->prize, NOBODY_WAITS));
		ASSERT_EQ(0, how_many_done(&self->queue));
		ASSERT_EQ(0, wait_any(self->queue.dev, &self->prize.fd, 1,
				      NOBODY_WAITS, 0, 0, NULL));
		ASSERT_EQ(0, event_set(i % 2 ? self->gate : self->other,
				       &prev));
		ASSERT_EQ(0, event_set(i % 2 ? self->other : self->gate,
				       &prev));
	}
	ASSERT_SERVED(&self->queue, self->prize, 0, 1, 2);
}

/* The same, where only the last signal of all satisfies a wait. */
TEST_F(order_of_sets, gate_opens_last)
{
	int objs[3], already = 0;
	__u32 prev, owner = NOBODY_WAITS;

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	for (int i = 0; i < 4; i++) {
		ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
		ASSERT_EQ(0, event_set(i % 2 ? self->gate : self->other,
				       &prev));
		ASSERT_EQ(0, event_reset(i % 2 ? self->gate : self->other,
					 &prev));
	}
	ASSERT_EQ(0, event_set(self->other, &prev));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, event_reset(self->gate, &prev));
		ASSERT_EQ(0, signal_once(self->prize, owner));
		EXPECT_EQ(i, how_many_done(&self->queue));
		ASSERT_EQ(0, event_set(self->gate, &prev));
		ASSERT_EQ(i, who_was_served(&self->queue, already++));
		owner = i + 1;
	}
}

/* One that began first comes to the prize last, behind more than are passed in one batch. */
TEST_F(order_of_sets, place_survives_many)
{
	int objs[2];
	__u32 prev;

	objs[!variant->place] = self->gate;
	objs[!!variant->place] = self->prize.fd;
	/* While it looks, the gate is all that it can wait for. */
	ASSERT_EQ(0, signal_once(self->prize, NOBODY_WAITS));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 2));
	ASSERT_EQ(0, wait_any(self->queue.dev, &self->prize.fd, 1, NOBODY_WAITS, 0, 0,
			      NULL));
	for (int i = 0; i < 20; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ALL, &self->prize.fd, 1));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_SERVED(&self->queue, self->prize, 0, 1, 2);
}

/* A pulse of the gate satisfies the first set, and the gate stays unset. */
TEST_F(order_of_sets, pulsed_gate)
{
	__u32 prev, owner = NOBODY_WAITS;
	int objs[3];

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	ASSERT_EQ(0, event_set(self->other, &prev));
	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, event_pulse(self->gate, &prev));
		EXPECT_EQ(0, prev);
		EXPECT_EQ(i, how_many_done(&self->queue));
		ASSERT_EQ(0, signal_once(self->prize, owner));
		ASSERT_EQ(0, event_pulse(self->gate, &prev));
		ASSERT_EQ(i, who_was_served(&self->queue, i));
		EXPECT_EVENT(1, 0, self->gate);
		owner = i + 1;
	}
}

TEST_F(order_of_sets, real_time_first)
{
	static const int priorities[] = { 0, 10, 20, 0, 10 };
	__u32 prev;
	int objs[3];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_TRUE(join_queue(&self->queue, priorities[i], ALL, objs,
				       3));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_EQ(0, event_reset(self->gate, &prev));
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_SERVED(&self->queue, self->prize, 2, 1, 4, 0, 3);
}

/* The same for waits that go from object to object together, and are first in order. */
TEST_F(order_of_sets, real_time_first_after_a_move)
{
	static const int priorities[] = { 20, 0, 10 };
	__u32 prev;
	int objs[3];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
		ASSERT_TRUE(join_queue(&self->queue, priorities[i], ALL, objs,
				       3));
	/* Each of these moves them if it is the object that they watch. */
	ASSERT_EQ(0, signal_once(self->prize, NOBODY_WAITS));
	ASSERT_EQ(0, wait_any(self->queue.dev, &self->prize.fd, 1, NOBODY_WAITS,
			      0, 0, NULL));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_SERVED(&self->queue, self->prize, 0, 2, 1);
}

/* A set of two is served before a wait-for-any of the object signaled last. */
TEST_F(order_of_sets, set_before_any)
{
	__u32 prev;
	int objs[3];

	fill_set(objs, variant->place, self->prize.fd, self->gate,
		 self->other);
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->prize.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ANY, &self->prize.fd, 1));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_TRUE(join_queue(&self->queue, 0, ALL, objs, 3));
	ASSERT_EQ(0, event_set(self->gate, &prev));
	ASSERT_EQ(0, event_set(self->other, &prev));
	ASSERT_SERVED(&self->queue, self->prize, 2, 3, 0, 1);
}

/*
 * A long queue of ordinary threads that never get a turn, behind which real-time threads
 * queue again and again.  The driver passes over some at a time, so that others can come
 * in between: signalers, readers, and other real-time threads.
 */
#define CROWD	500

FIXTURE(order_in_a_crowd) {
	int dev;
	struct waiter *waiters;
};

FIXTURE_SETUP(order_in_a_crowd)
{
	size_t stack = 32 * 1024;
	pthread_attr_t attr;

	if (stack < (size_t)PTHREAD_STACK_MIN)
		stack = PTHREAD_STACK_MIN;
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, stack));
	ASSERT_EQ(0, pthread_setattr_default_np(&attr));
	self->waiters = calloc(CROWD, sizeof(*self->waiters));
	ASSERT_NE(NULL, self->waiters);
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(order_in_a_crowd)
{
	close(self->dev);
}

/* Each has a different owner, from OTHER. */
static bool start_crowd(FIXTURE_DATA(order_in_a_crowd) * self, int obj)
{
	for (int i = 0; i < CROWD; i++)
		if (waiter_start(&self->waiters[i], self->dev, ANY, &obj, 1,
				 OTHER + i, 0))
			return false;
	for (int i = 0; i < CROWD; i++)
		if (!waiter_blocks(&self->waiters[i]))
			return false;
	return true;
}

static int how_many_of_the_crowd(const FIXTURE_DATA(order_in_a_crowd) * self)
{
	int done = 0;

	for (int i = 0; i < CROWD; i++)
		done += self->waiters[i].done;
	return done;
}

/*
 * Real-time threads that wait again and again, each time all at once, and those that come in
 * between.  They are processes: on user-mode Linux, threads of one do not run at one time.
 */
struct team {
	int obj;
	int n;
	int rounds;
	int begin;		/* an event to set before each wait, or 0 */
	atomic_int arrived;
	struct waiter waiters[2];
	atomic_int reads;
	atomic_bool stop;
	struct fdinfo info;
};

/* Makes a team of @n for an object for which the crowd waits already. */
static struct team *make_team(FIXTURE_DATA(order_in_a_crowd) * self, int obj,
			      int n, int rounds)
{
	struct team *team = mmap(NULL, sizeof(*team), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (team == MAP_FAILED || !start_crowd(self, obj))
		return NULL;
	team->obj = obj;
	team->n = n;
	team->rounds = rounds;
	for (int i = 0; i < n; i++)
		waiter_fill(&team->waiters[i], self->dev, ANY, &obj, 1, ME, 0);
	return team;
}

/* Returns how many of its waits failed. */
static int wait_in_team(struct team *team, int place)
{
	struct waiter *w = &team->waiters[place];
	int wrong = 0;
	__u32 prev;

	for (int i = 0; i < team->rounds; i++) {
		meet(&team->arrived, i, team->n);
		if (team->begin)
			wrong += event_set(team->begin, &prev) != 0;
		waiter_main(w);
		wrong += w->ret != 0;
	}
	return wrong;
}

/*
 * Its processes are children; each exits with 0 if all went well.  Those of different place
 * run on different CPUs if there are two.
 */
static pid_t fork_member(struct team *team, int priority, int place,
			 int (*run)(struct team *team, int place))
{
	pid_t pid = fork_child();

	if (pid)
		return pid;
	stay_on_cpu(place % sysconf(_SC_NPROCESSORS_ONLN));
	_exit(set_priority(priority) || run(team, place));
}

static int how_many_of_the_team(const struct team *team)
{
	int done = 0;

	for (int i = 0; i < team->n; i++)
		done += team->waiters[i].done;
	return done;
}

/* Serves as many waits as the team has; false if others are served, or none. */
static bool serve_team(FIXTURE_DATA(order_in_a_crowd) * self, struct team *team)
{
	__u32 n = team->n;

	for (int i = 0; i < team->n; i++)
		if (!waiter_blocks(&team->waiters[i]))
			return false;
	if (sem_release(team->obj, &n) ||
	    !wait_until(how_many_of_the_team(team) +
			how_many_of_the_crowd(self) >= team->n) ||
	    how_many_of_the_crowd(self))
		return false;
	for (int i = 0; i < team->n; i++)
		team->waiters[i].done = false;
	return true;
}

/* Of two on their way, neither may stop behind the other. */
TEST_F(order_in_a_crowd, real_time_passes_together)
{
	int sem = sem_create(self->dev, 0, CROWD);
	struct team *team;
	pid_t pids[2];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_LE(0, sem);
	team = make_team(self, sem, 2, work(3000, 1000));
	ASSERT_NE(NULL, team);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork_member(team, 10, i, wait_in_team);
		ASSERT_LE(0, pids[i]);
	}
	/* Or the first of them that is served keeps it from the other. */
	ASSERT_EQ(0, set_priority(20));
	for (int i = 0; i < team->rounds; i++) {
		ASSERT_TRUE(serve_team(self, team))
			TH_LOG("in round %d", i);
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, child_exit_code(pids[i]));
}

/* Reads the fdinfo of the object all the time.  Returns how often it was not complete. */
static int read_the_queue(struct team *team, int place)
{
	int wrong = 0;

	(void)place;
	while (!team->stop) {
		wrong += fdinfo_read(team->obj, &team->info) ||
			 team->info.shown < CROWD;
		team->reads++;
	}
	return wrong;
}

/* Nor behind a reader's place in the queue. */
TEST_F(order_in_a_crowd, real_time_passes_a_reader)
{
	int sem = sem_create(self->dev, 0, CROWD);
	struct team *team;
	pid_t pids[2];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_LE(0, sem);
	team = make_team(self, sem, 1, work(3000, 500));
	ASSERT_NE(NULL, team);
	pids[0] = fork_member(team, 10, 0, wait_in_team);
	ASSERT_LE(0, pids[0]);
	pids[1] = fork_member(team, 0, 1, read_the_queue);
	ASSERT_LE(0, pids[1]);
	ASSERT_TRUE(wait_until(team->reads));
	for (int i = 0; i < team->rounds; i++) {
		ASSERT_TRUE(serve_team(self, team))
			TH_LOG("in round %d, after %d reads", i, team->reads);
	}
	team->stop = true;
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, child_exit_code(pids[i]));
	say_done("%d waits, %d reads", team->rounds, team->reads);
}

/* Unlocks a mutex some time after each begin.  Returns how often anything failed. */
static int unlock_soon_after(struct team *team, int place)
{
	struct timespec delay = { };
	unsigned int state = 1;
	int wrong = 0;

	(void)place;
	for (int i = 0; i < team->rounds; i++) {
		/* Short on a fast machine, or long. */
		delay.tv_nsec = vary(&state) % (1024 << i % 8);
		wrong += wait_any(team->waiters[0].dev, &team->begin, 1, ME,
				  FOREVER, 0, NULL) != 0;
		nanosleep(&delay, NULL);
		wrong += mutex_unlock(team->obj, ME, NULL) != 0;
	}
	return wrong;
}

/*
 * The owner of a mutex waits for it because its count is full.  Who unlocks the mutex serves
 * that wait, wherever it is in the queue; a more urgent thread on the same CPU comes in
 * between when its timer expires.
 */
TEST_F(order_in_a_crowd, real_time_is_served_on_its_way)
{
	int mutex = mutex_create(self->dev, ME, UINT32_MAX);
	struct team *team;
	pid_t pids[2];

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_LE(0, mutex);
	team = make_team(self, mutex, 1, work(10000, 2000));
	ASSERT_NE(NULL, team);
	team->begin = event_create(self->dev, 0, 0);
	ASSERT_LE(0, team->begin);
	pids[0] = fork_member(team, 10, 0, wait_in_team);
	ASSERT_LE(0, pids[0]);
	pids[1] = fork_member(team, 20, 0, unlock_soon_after);
	ASSERT_LE(0, pids[1]);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, child_exit_code(pids[i]))
			TH_LOG("in round %d", team->arrived);
	}
	EXPECT_MUTEX(ME, UINT32_MAX, mutex);
	EXPECT_EQ(0, how_many_of_the_crowd(self));
}

struct session {
	int dev;
	int event;
	atomic_int waits;
};

static void *wait_again_and_again(void *data)
{
	struct session *session = data;

	while (!wait_all(session->dev, &session->event, 1, ME, FOREVER, 0, NULL))
		session->waits++;
	return NULL;
}

/*
 * The order of waits-for-all between which more than 2^16 others block, so that a number of 16 bits
 * would begin again.  An emulated machine takes 10 s.
 */
TEST(first_all_first_in_a_long_session)
{
	struct session session = { .dev = ntsync_open() };
	static struct queue queue;
	struct object sem;
	pthread_t thread;
	__u32 prev;

	/* User-mode Linux has this file. */
	if (work(0, 1) && access("/proc/exitcode", F_OK))
		SKIP(return, "a small run has it on user-mode Linux only");
	queue.dev = session.dev;
	sem = object_create(session.dev, SEM);
	ASSERT_LE(0, sem.fd);
	session.event = event_create(session.dev, 1, 0);
	ASSERT_LE(0, session.event);
	/* On one CPU, so that they take turns. */
	ASSERT_EQ(0, stay_on_cpu(sched_getcpu()));
	for (int i = 0; i < 32; i++)
		ASSERT_EQ(0, pthread_create(&thread, NULL, wait_again_and_again, &session));
	for (int i = 0; i < 8; i++) {
		__u64 begun = clock_ns(CLOCK_MONOTONIC);

		while (race_goes_on(begun, session.waits >= (i + 1) * 9000)) {
			ASSERT_EQ(0, event_pulse(session.event, &prev));
			sched_yield();
		}
		ASSERT_TRUE(join_queue(&queue, 0, ALL, &sem.fd, 1));
	}
	EXPECT_LE(72000, session.waits);
	ASSERT_SERVED(&queue, sem, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Sets and resets an event all the time, and counts that. */
static void move_event(int event, atomic_uint *moves)
{
	__u32 prev;

	for (;;) {
		event_set(event, &prev);
		event_reset(event, &prev);
		(*moves)++;
	}
}

/*
 * A real-time thread that finds an object locked by an ordinary thread on its CPU lets that
 * one unlock it, and do no more.  If it spun instead, the other would run when the kernel
 * gives ordinary threads their share of a second, which may happen here once or twice.
 */
TEST(real_time_does_not_spin)
{
	atomic_uint *moves = mmap(NULL, sizeof(*moves), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = work(20000, 8000), taken = 0, spun = 0;
	int dev = ntsync_open(), objs[2];
	struct timespec delay = { };
	unsigned int state = 1;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	ASSERT_NE(MAP_FAILED, moves);
	ASSERT_LE(0, dev);
	for (int i = 0; i < 2; i++) {
		objs[i] = event_create(dev, 1, 1);
		ASSERT_LE(0, objs[i]);
	}
	stay_on_cpu(0);
	if (!fork_child()) {
		stay_on_cpu(0);
		move_event(objs[1], moves);
	}
	ASSERT_TRUE(wait_until(*moves));
	ASSERT_EQ(0, set_priority(10));
	for (int i = 0; i < rounds && spun < 3; i++) {
		unsigned int before;
		int ret;

		delay.tv_nsec = vary(&state) % 65536;
		nanosleep(&delay, NULL);
		before = *moves;
		ret = poll_all(dev, objs, 2, NULL);
		spun += *moves - before > 10;
		taken += !ret;
		ASSERT_TRUE(!ret || ret == -ETIMEDOUT);
	}
	ASSERT_EQ(0, set_priority(0));
	EXPECT_GT(3, spun);
	EXPECT_LT(0, taken);
	EXPECT_GT(rounds, taken);
}

TEST_HARNESS_MAIN
