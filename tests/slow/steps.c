// SPDX-License-Identifier: GPL-2.0
/* What other threads see of steps that take long: the driver was built with slow.h. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <poll.h>
#include <sys/mman.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define WATCHERS	3
#define ROUNDS		2000
/* More than a wait for all tries to lock at once. */
#define MANY		10
/* More places in a queue than are served in one batch. */
#define PLACES		20

/*
 * Waits for all of an event and of one that is never set watch the event.  The step that
 * sets it holds it, and multi_lock, for the seconds in which it serves them.
 */
FIXTURE(step) {
	int dev;
	int never;
	int alert;
	int event;
	int event_too;
	int many[MANY];		/* events that are set */
	struct waiter watchers[WATCHERS];
	struct waiter setter;
	struct waiter waiter;
	struct fdinfo *info;
	atomic_int reader;
	enum kind kind;
	int ret;
};

static int create_set_events(int dev, int *objs)
{
	int ret = create_events(dev, 1, objs, MANY);
	__u32 value;

	for (int i = 0; i < MANY && !ret; i++)
		ret = event_set(objs[i], &value);
	return ret;
}

FIXTURE_SETUP(step)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->never = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->never);
	self->alert = event_create(self->dev, 1, 0);
	ASSERT_LE(0, self->alert);
	ASSERT_EQ(0, create_set_events(self->dev, self->many));
	self->info = calloc(1, sizeof(*self->info));
	ASSERT_NE(NULL, self->info);
}

FIXTURE_TEARDOWN(step)
{
	free(self->info);
	close(self->dev);
}

/* Begins waits that watch this object. */
static bool watch(FIXTURE_DATA(step) * self, int fd)
{
	int objs[2] = { fd, self->never };

	self->event = fd;
	for (int i = 0; i < WATCHERS; i++)
		if (!waiter_start_blocked(&self->watchers[i], self->dev, NTSYNC_IOC_WAIT_ALL,
					  objs, 2, OTHER, self->alert))
			return false;
	return true;
}

/* Creates the event and the waits that watch it. */
static bool begin_watch(FIXTURE_DATA(step) * self, __u32 manual)
{
	return watch(self, event_create(self->dev, manual, 0));
}

static bool end_watch(FIXTURE_DATA(step) * self)
{
	__u32 value;

	if (event_set(self->alert, &value))
		return false;
	for (int i = 0; i < WATCHERS; i++)
		if (waiter_join(&self->watchers[i]))
			return false;
	return !event_reset(self->alert, &value) && !close(self->event);
}

/* A thread sleeps so in the driver, and nowhere else here. */
static bool takes_long(struct waiter *w)
{
	return thread_state(w->tid) == 'D';
}

/* Makes a call in a thread of its own; true when it holds the object, or has ended. */
static bool start_setter(FIXTURE_DATA(step) * self, int fd, unsigned long request)
{
	self->setter.dev = fd;
	self->setter.request = request;
	return !waiter_run(&self->setter) &&
	       wait_until(self->setter.done || takes_long(&self->setter));
}

/* Sets the event in a thread of its own; true when it is set and held. */
static bool begin_step(FIXTURE_DATA(step) * self)
{
	return begin_watch(self, 1) && start_setter(self, self->event, NTSYNC_IOC_EVENT_SET);
}

static bool end_step(FIXTURE_DATA(step) * self)
{
	return !waiter_join(&self->setter) && end_watch(self);
}

TEST_F(step, ends_before_a_poll)
{
	int objs[2] = { self->never, event_create(self->dev, 1, 1) };
	__u32 index;

	ASSERT_TRUE(begin_step(self));
	/* What this one leaves on the stack is no answer for the next. */
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, objs, 2, &index));
	objs[0] = self->event;
	EXPECT_EQ(0, poll_all(self->dev, objs, 2, &index));
	EXPECT_TRUE(end_step(self));
}

/*
 * A poll that found its first object unsignaled waits for the step that holds the second
 * one, and meanwhile the first is set.
 */
TEST_F(step, does_not_hide_an_earlier_object)
{
	static const struct {
		unsigned long request;
		bool alert;
	} polls[] = {
		{ NTSYNC_IOC_WAIT_ANY, false },
		{ NTSYNC_IOC_WAIT_ANY, true },
		{ NTSYNC_IOC_WAIT_ALL, true },
	};
	struct waiter *w = &self->waiter;
	int objs[2], rounds = 0;
	bool in_time;
	__u32 value;

	for (int i = 0; i < 3; i += in_time) {
		/* Set once before, so that what is counted is not 0. */
		objs[0] = event_create(self->dev, 0, 0);
		ASSERT_EQ(0, event_set(objs[0], &value));
		ASSERT_EQ(0, event_reset(objs[0], &value));
		ASSERT_TRUE(begin_step(self));
		objs[1] = self->event;
		waiter_fill(w, self->dev, polls[i].request, objs, polls[i].alert ? 1 : 2, ME,
			    polls[i].alert ? self->event : 0);
		w->args.timeout = 0;
		ASSERT_EQ(0, waiter_run(w));
		ASSERT_TRUE(wait_until(w->done || takes_long(w)));
		ASSERT_EQ(0, event_set(objs[0], &value));
		in_time = !w->done && takes_long(&self->setter);
		ASSERT_EQ(0, waiter_join(w));
		EXPECT_TRUE(!in_time || w->args.index == 0);
		ASSERT_TRUE(end_step(self));
		close(objs[0]);
		rounds++;
	}
	say_done("%d rounds", rounds);
}

/* Are all objects free while another step has multi_lock? */
static bool are_released(FIXTURE_DATA(step) * self, const int *objs, int count)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	struct ntsync_event_args args;
	bool free = false;

	while (race_goes_on(begun, free)) {
		if (!begin_step(self))
			return false;
		for (int i = 0; i < count; i++)
			if (event_read(objs[i], &args))
				return false;
		free = takes_long(&self->setter);
		if (!end_step(self))
			return false;
	}
	return free;
}

TEST_F(step, releases_what_it_held)
{
	int objs[2] = { event_create(self->dev, 0, 0), event_create(self->dev, 0, 1) };
	struct waiter *w = &self->waiter;
	__u32 value;

	ASSERT_TRUE(waiter_start_blocked(w, self->dev, NTSYNC_IOC_WAIT_ALL, objs, 2, ME, 0));
	ASSERT_EQ(0, event_set(objs[0], &value));
	ASSERT_EQ(0, waiter_join(w));
	EXPECT_TRUE(are_released(self, objs, 2));

	/* This one has looked, and before it queues both are set. */
	ASSERT_EQ(0, event_set(objs[1], &value));
	waiter_fill(w, self->dev, NTSYNC_IOC_WAIT_ALL, objs, 2, ME, 0);
	w->args.timeout = clock_ns(CLOCK_MONOTONIC) + 1000 * NSEC_PER_SEC;
	ASSERT_EQ(0, waiter_run(w));
	ASSERT_TRUE(wait_until(takes_long(w)));
	ASSERT_EQ(0, event_set(objs[0], &value));
	ASSERT_EQ(0, waiter_join(w));
	EXPECT_TRUE(are_released(self, objs, 2));
}

/* The alert ends the wait when the step has begun to grant it, and holds some of its objects. */
TEST_F(step, releases_what_it_could_not_grant)
{
	int objs[NTSYNC_MAX_WAIT_COUNT], *last = &objs[NTSYNC_MAX_WAIT_COUNT - 1];
	int alert = event_create(self->dev, 0, 0), checks = 0, rounds = 0;
	__u64 delay = NSEC_PER_SEC, change = 16 * NSEC_PER_MSEC, start;
	struct waiter *w = &self->waiter;
	bool granted, was_granted = false;
	__u32 value;

	ASSERT_EQ(0, create_events(self->dev, 1, objs, NTSYNC_MAX_WAIT_COUNT));
	for (int *obj = objs; obj < last; obj++)
		ASSERT_EQ(0, event_set(*obj, &value));
	for (; checks < 2; rounds++) {
		ASSERT_TRUE(waiter_start_blocked(w, self->dev, NTSYNC_IOC_WAIT_ALL, objs,
						 NTSYNC_MAX_WAIT_COUNT, ME, alert));
		ASSERT_TRUE(start_setter(self, *last, NTSYNC_IOC_EVENT_SET));
		/* About a second later the step begins to grant, which takes some milliseconds. */
		start = clock_ns(CLOCK_MONOTONIC);
		while (clock_ns(CLOCK_MONOTONIC) - start < delay)
			;
		ASSERT_EQ(0, event_set(alert, &value));
		ASSERT_EQ(0, waiter_join(w));
		ASSERT_EQ(0, waiter_join(&self->setter));
		granted = w->args.index == 0;
		ASSERT_EQ(0, event_reset(alert, &value));
		ASSERT_EQ(granted, value);
		ASSERT_EQ(0, event_reset(*last, &value));
		/* Here the alert was so late that it just came first. */
		if (was_granted && !granted) {
			EXPECT_TRUE(are_released(self, objs, NTSYNC_MAX_WAIT_COUNT));
			checks++;
		}
		if (was_granted != granted && change > 2 * NSEC_PER_MSEC)
			change /= 2;
		was_granted = granted;
		delay += granted ? -change : change;
	}
	say_done("%d rounds, the last delay %llu ns", rounds, delay);
}

/* A wait's deadline passes when the step has granted it, and has not woken it yet. */
TEST_F(step, grants_before_the_deadline)
{
	struct waiter *w = &self->waiter;
	bool late = false;
	int rounds = 0;
	__u32 value;

	while (!late) {
		ASSERT_TRUE(begin_watch(self, 0));
		waiter_fill(w, self->dev, NTSYNC_IOC_WAIT_ANY, &self->event, 1, ME, 0);
		w->args.timeout = clock_ns(CLOCK_MONOTONIC) + 5 * NSEC_PER_SEC;
		ASSERT_EQ(0, waiter_run(w));
		ASSERT_TRUE(waiter_blocks(w));
		/* It is granted after three seconds, and woken two later. */
		ASSERT_EQ(0, event_set(self->event, &value));
		late = clock_ns(CLOCK_MONOTONIC) > w->args.timeout;
		waiter_join(w);
		EXPECT_TRUE(!w->ret || w->ret == -ETIMEDOUT);
		EXPECT_EVENT(0, !!w->ret, self->event);
		late = late && !w->ret;
		ASSERT_TRUE(end_watch(self));
		rounds++;
	}
	say_done("%d rounds", rounds);
}

static void *read_event(void *data)
{
	FIXTURE_DATA(step) * self = data;

	self->reader = gettid();
	self->ret = fdinfo_read(self->event, self->info);
	return NULL;
}

/* Reads the event's fdinfo in a thread of its own; true when it has shown a wait. */
static bool start_reader(FIXTURE_DATA(step) * self, pthread_t *thread)
{
	return !pthread_create(thread, NULL, read_event, self) &&
	       wait_until(self->reader && thread_state(self->reader) == 'D');
}

static void on_signal(int signal)
{
	(void)signal;
}

/* No wait for all leaves until a reader has gone through them. */
TEST_F(step, comes_after_a_reader)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t reader;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_TRUE(begin_watch(self, 0));
	ASSERT_TRUE(start_reader(self, &reader));
	for (int i = 0; i < WATCHERS; i++)
		ASSERT_EQ(0, pthread_kill(self->watchers[i].thread, SIGUSR1));
	pthread_join(reader, NULL);
	EXPECT_EQ(0, self->ret);
	EXPECT_EQ(WATCHERS, self->info->shown);
	for (int i = 0; i < WATCHERS; i++)
		EXPECT_EQ(-EINTR, waiter_join(&self->watchers[i]));
}

/* Calls that wait for the step.  A signal must not interrupt the first ones. */
#define CALLS		11
#define CALLS_TO_END	7

static int make_call(FIXTURE_DATA(step) * self, int i)
{
	struct pollfd fd = { .fd = self->event, .events = POLLIN };
	int objs[4] = { self->event, self->event_too, self->never, self->event };
	struct ntsync_event_args args;
	__u32 value;

	if (i == 0)
		return event_read(self->event, &args);
	if (i == 1)
		return event_set(self->event, &value);
	if (i == 2)
		return event_reset(self->event, &value);
	if (i == 3)
		return poll_any(self->dev, objs, 1, NULL);
	if (i == 4)
		return poll_all(self->dev, objs, 2, NULL);
	if (i == 5)
		return poll(&fd, 1, 0) > 0 && fd.revents & POLLERR ? -EINTR : 0;
	if (i == 6)
		return poll_all(self->dev, self->many, MANY, NULL);
	if (i == 7)
		return wait_all(self->dev, objs + 1, 2, ME, FOREVER, 0, NULL);
	if (i == 8)
		return wait_any(self->dev, objs + 2, 2, ME, FOREVER, 0, NULL);
	return fdinfo_read(i == 9 ? self->event : self->event_too, self->info);
}

/* Starts a child for each call; they must wait for the step when this returns. */
static bool start_calls(FIXTURE_DATA(step) * self, pid_t *pids, int calls)
{
	for (int i = 0; i < calls; i++) {
		pids[i] = fork_child();
		if (pids[i] < 0)
			return false;
		if (!pids[i])
			_exit(make_call(self, i) == -EINTR);
	}
	for (int i = 0; i < calls; i++)
		wait_until(child_ended(pids[i]) || thread_state(pids[i]) == 'D');
	return true;
}

/* Do children that wait for the step end before it does when they are killed? */
static bool end_when_killed(FIXTURE_DATA(step) * self)
{
	pid_t pids[CALLS];
	bool in_time;

	if (!start_calls(self, pids, CALLS))
		return false;
	for (int i = 0; i < CALLS; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < CALLS; i++)
		wait_until(child_ended(pids[i]));
	in_time = takes_long(&self->setter);
	for (int i = 0; i < CALLS; i++)
		in_time = child_status(pids[i]) == SIGKILL && in_time;
	return in_time;
}

TEST_F(step, does_not_keep_who_is_killed)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	bool in_time = false;
	int rounds = 0;

	self->event_too = event_create(self->dev, 1, 1);
	ASSERT_LE(0, self->event_too);
	while (race_goes_on(begun, in_time)) {
		ASSERT_TRUE(begin_step(self));
		in_time = end_when_killed(self);
		ASSERT_TRUE(end_step(self));
		rounds++;
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

/* A signal interrupts waits, but neither other calls nor polls, even if they must wait. */
TEST_F(step, keeps_who_is_interrupted)
{
	struct sigaction action = { .sa_handler = on_signal };
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	pid_t pids[CALLS_TO_END];
	bool in_time = false;
	int rounds = 0;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->event_too = event_create(self->dev, 1, 1);
	ASSERT_LE(0, self->event_too);
	for (; race_goes_on(begun, in_time); rounds++) {
		ASSERT_TRUE(begin_step(self));
		ASSERT_TRUE(start_calls(self, pids, CALLS_TO_END));
		for (int i = 0; i < CALLS_TO_END; i++)
			kill(pids[i], SIGUSR1);
		in_time = takes_long(&self->setter);
		for (int i = 0; i < CALLS_TO_END; i++)
			EXPECT_EQ(0, child_exit_code(pids[i]));
		ASSERT_TRUE(end_step(self));
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

/* The signaler is killed, but all that the step has to serve are served. */
TEST_F(step, goes_on_when_its_thread_is_killed)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	bool in_time = false;
	int rounds = 0;
	__u32 value;

	for (; race_goes_on(begun, in_time); rounds++) {
		pid_t pid;

		ASSERT_TRUE(begin_watch(self, 1));
		pid = fork_child();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(event_set(self->event, &value));
		ASSERT_TRUE(wait_until(child_ended(pid) || thread_state(pid) == 'D'));
		in_time = !child_ended(pid);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_LE(0, child_status(pid));
		ASSERT_EQ(1, count_set(&self->event, 1));
		for (int i = 0; i < WATCHERS; i++) {
			ASSERT_EQ(0, event_set(self->never, &value));
			ASSERT_EQ(0, count_set(&self->never, 1));
		}
		for (int i = 0; i < WATCHERS; i++)
			ASSERT_EQ(0, waiter_join(&self->watchers[i]));
		close(self->event);
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

static void *signal_event(void *data)
{
	FIXTURE_DATA(step) * self = data;
	struct object object = { self->kind, self->event };

	self->setter.tid = gettid();
	self->ret = object_signal(object);
	self->setter.done = true;
	return NULL;
}

/* An error, too, tells something about the state, so it comes after the step. */
TEST_F(step, ends_before_an_error)
{
	static const enum kind kinds[] = { SEM, MUTEX, MUTEX };
	int rounds = 0;
	bool in_time;

	for (int i = 0; i < 3; i += in_time) {
		struct object object = object_create(self->dev, kinds[i]);
		pthread_t thread;
		__u32 one = 1;
		int ret;

		self->kind = kinds[i];
		self->setter.tid = 0;
		self->setter.done = false;
		ASSERT_TRUE(watch(self, object.fd));
		ASSERT_EQ(0, pthread_create(&thread, NULL, signal_event, self));
		ASSERT_TRUE(wait_until(self->setter.done ||
				       (self->setter.tid && takes_long(&self->setter))));
		in_time = !self->setter.done;
		if (i == 0)
			ret = sem_release(object.fd, &one);
		else if (i == 1)
			ret = mutex_unlock(object.fd, NOBODY_WAITS, NULL);
		else
			ret = mutex_kill(object.fd, NOBODY_WAITS);
		EXPECT_FALSE(takes_long(&self->setter));
		EXPECT_EQ(i ? -EPERM : -EOVERFLOW, ret);
		pthread_join(thread, NULL);
		ASSERT_EQ(0, self->ret);
		ASSERT_TRUE(end_watch(self));
		rounds++;
	}
	say_done("%d rounds", rounds);
}

/*
 * The alert of the first wait ends it while the step looks at it.  That must not make the
 * driver forget the others, which wait for the same objects.
 */
TEST_F(step, keeps_the_others_of_a_wait_that_ends)
{
	int alert = event_create(self->dev, 0, 0), objs[2] = { 0, self->never };
	struct waiter *w = self->watchers;
	__u32 value;

	/* In the first round the others stay, in the second they move to the other object. */
	for (int count = 1; count <= 2; count++) {
		objs[0] = event_create(self->dev, count == 2, 0);
		for (int i = 0; i < WATCHERS; i++)
			ASSERT_TRUE(waiter_start_blocked(&w[i], self->dev, NTSYNC_IOC_WAIT_ALL,
							 objs, count, ME, i ? 0 : alert));
		ASSERT_TRUE(start_setter(self, objs[0], NTSYNC_IOC_EVENT_SET));
		ASSERT_EQ(0, event_set(alert, &value));
		ASSERT_EQ(0, waiter_join(&self->setter));
		/* A busy machine may be late; then the first is served first. */
		for (int i = 0; i < WATCHERS; i++) {
			ASSERT_EQ(0, event_set(objs[count - 1], &value));
			ASSERT_TRUE(wait_until(w[0].done + w[1].done + w[2].done >= i + 1));
		}
		for (int i = 0; i < WATCHERS; i++)
			ASSERT_EQ(0, waiter_join(&w[i]));
		ASSERT_EQ(0, event_reset(alert, &value));
		ASSERT_EQ(0, event_reset(self->never, &value));
		close(objs[0]);
	}
}

/*
 * While the step goes on, the memory of its result becomes inaccessible.  (An event's result
 * is there before.)
 */
TEST_F(step, says_that_its_result_is_lost)
{
	static const struct {
		enum kind kind;
		unsigned long request;
		__u32 argument;
	} steps[] = {
		{ SEM, NTSYNC_IOC_SEM_RELEASE, 1 },
		{ MUTEX, NTSYNC_IOC_MUTEX_UNLOCK, NOBODY_WAITS },
	};
	size_t size = sysconf(_SC_PAGESIZE);
	struct waiter *setter, *watcher = &self->watchers[0];
	int rounds = 0, ret;
	struct object object;
	bool in_time;
	__u32 value;
	char *page;

	page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	/* Its argument ends with the page. */
	setter = (void *)(page + size - offsetof(struct waiter, objs));
	for (int i = 0; i < 2; i += in_time) {
		object = object_create(self->dev, steps[i].kind);
		ASSERT_TRUE(waiter_start_blocked(watcher, self->dev, NTSYNC_IOC_WAIT_ALL,
						 (int[]){ object.fd, self->never }, 2, OTHER,
						 self->alert));
		setter->dev = object.fd;
		setter->request = steps[i].request;
		memcpy(&setter->args, &steps[i].argument, sizeof(__u32));
		ASSERT_EQ(0, waiter_run(setter));
		ASSERT_TRUE(wait_until(setter->done || takes_long(setter)));
		ASSERT_EQ(0, mprotect(page, size, PROT_READ));
		in_time = takes_long(setter);
		ret = waiter_join(setter);
		EXPECT_TRUE(!in_time || ret == -EFAULT);
		EXPECT_SIGNALED(object);
		ASSERT_EQ(0, mprotect(page, size, PROT_READ | PROT_WRITE));
		ASSERT_EQ(0, event_set(self->alert, &value));
		ASSERT_EQ(0, waiter_join(watcher));
		ASSERT_EQ(0, event_reset(self->alert, &value));
		close(object.fd);
		rounds++;
	}
	say_done("%d rounds", rounds);
}

/* A queue is served in two batches.  Nobody sees the object signaled in between. */
TEST_F(step, keeps_a_long_queue_to_itself)
{
	static const unsigned long requests[] = { NTSYNC_IOC_EVENT_PULSE, NTSYNC_IOC_SEM_RELEASE };
	struct waiter *w = self->watchers;
	const __u32 two = 2;
	int objs[PLACES];

	/* The semaphore has another unit, for a second wait. */
	for (int i = 0; i < 2; i++) {
		int fd = i ? sem_create(self->dev, 0, 2) : event_create(self->dev, 1, 0);

		for (int j = 0; j < PLACES; j++)
			objs[j] = fd;
		for (int j = 0; j <= i; j++)
			ASSERT_TRUE(waiter_start_blocked(&w[j], self->dev, NTSYNC_IOC_WAIT_ANY,
							 objs, j ? 1 : PLACES, ME, 0));
		memcpy(&self->setter.args, &two, sizeof(two));
		ASSERT_TRUE(start_setter(self, fd, requests[i]));
		ASSERT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, NULL));
		ASSERT_EQ(0, waiter_join(&self->setter));
		for (int j = 0; j <= i; j++)
			ASSERT_EQ(0, waiter_join(&w[j]));
		close(fd);
	}
}

/* Others can read the memory of a result while the call waits for the step. */
TEST_F(step, is_not_seen_in_a_result)
{
	static const unsigned long requests[] = { NTSYNC_IOC_EVENT_SET, NTSYNC_IOC_EVENT_PULSE };
	struct waiter w[2];
	volatile __u32 *results[2];
	bool in_time = false;
	int rounds = 0;
	__u32 early;

	while (!in_time) {
		ASSERT_TRUE(begin_step(self));
		for (int i = 0; i < 2; i++) {
			results[i] = (void *)&w[i].args;
			w[i].dev = self->event;
			w[i].request = requests[i];
			*results[i] = GARBAGE;
			ASSERT_EQ(0, waiter_run(&w[i]));
			ASSERT_TRUE(wait_until(w[i].done || takes_long(&w[i])));
		}
		early = *results[0] | *results[1];
		in_time = takes_long(&self->setter);
		EXPECT_TRUE(!in_time || early == 0);
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, waiter_join(&w[i]));
		EXPECT_EQ(1, *results[0] | *results[1]);
		ASSERT_TRUE(end_step(self));
		rounds++;
	}
	say_done("%d rounds", rounds);
}

/* Calls of another instance do not wait for the step. */
TEST_F(step, leaves_another_instance_alone)
{
	int dev = ntsync_open(), alert = event_create(dev, 0, 0), objs[MANY];
	struct waiter *w = &self->waiter;
	bool in_time = false;
	int rounds = 0;
	__u32 value;

	ASSERT_LE(0, alert);
	ASSERT_EQ(0, create_set_events(dev, objs));
	while (!in_time) {
		ASSERT_TRUE(begin_step(self));
		waiter_fill(w, dev, NTSYNC_IOC_WAIT_ALL, objs, MANY, ME, 0);
		w->args.timeout = 0;
		ASSERT_EQ(0, waiter_run(w));
		ASSERT_TRUE(wait_until(w->done || takes_long(w)));
		ASSERT_TRUE(w->done);
		EXPECT_EQ(0, waiter_join(w));
		EXPECT_EQ(0, fdinfo_read(objs[0], self->info));
		ASSERT_EQ(0, event_reset(objs[0], &value));
		ASSERT_TRUE(waiter_start_blocked(w, dev, NTSYNC_IOC_WAIT_ALL, objs, MANY, ME,
						 alert));
		ASSERT_EQ(0, event_set(alert, &value));
		EXPECT_EQ(0, waiter_join(w));
		in_time = takes_long(&self->setter);
		ASSERT_EQ(0, event_reset(alert, &value));
		ASSERT_EQ(0, event_set(objs[0], &value));
		ASSERT_TRUE(end_step(self));
		rounds++;
	}
	close(dev);
	say_done("%d rounds", rounds);
}

/* A thread that wakes many lets others run in between. */
TEST_F(step, rests_between_wakes)
{
	int event = event_create(self->dev, 1, 0), rounds = 0;
	struct waiter w[3];
	bool rests = false;
	__u32 value;

	ASSERT_LE(0, event);
	/* A busy machine may be late. */
	for (; !rests && rounds < 50; rounds++) {
		for (int i = 0; i < 3; i++)
			ASSERT_TRUE(waiter_start_blocked(&w[i], self->dev, NTSYNC_IOC_WAIT_ANY,
							 &event, 1, ME, 0));
		ASSERT_TRUE(start_setter(self, event, NTSYNC_IOC_EVENT_SET));
		rests = takes_long(&self->setter) && !w[2].done;
		EXPECT_EQ(0, waiter_join(&self->setter));
		for (int i = 0; i < 3; i++)
			ASSERT_EQ(0, waiter_join(&w[i]));
		ASSERT_EQ(0, event_reset(event, &value));
	}
	EXPECT_TRUE(rests);
	say_done("%d rounds", rounds);
}

/*
 * A release takes the waits before a reader's mark off the queue, and the mark too.  The reader
 * must show those that remain.
 */
TEST_F(step, leaves_the_rest_to_a_reader)
{
	struct waiter w[4];
	__u32 value = 2;
	pthread_t reader;
	int shown;

	self->event = sem_create(self->dev, 0, 4);
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(waiter_start_blocked(&w[i], self->dev, NTSYNC_IOC_WAIT_ANY,
						 &self->event, 1, i + 1, 0));
	ASSERT_TRUE(start_reader(self, &reader));
	ASSERT_EQ(0, sem_release(self->event, &value));
	pthread_join(reader, NULL);
	EXPECT_EQ(0, self->ret);
	shown = self->info->shown;
	EXPECT_EQ(shown, self->info->waiters);
	/* The last two have been there all the time. */
	ASSERT_LE(2, shown);
	EXPECT_EQ(3, self->info->waits[shown - 2].owner);
	EXPECT_EQ(4, self->info->waits[shown - 1].owner);
	value = 2;
	ASSERT_EQ(0, sem_release(self->event, &value));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, waiter_join(&w[i]));
	say_done("%d shown", shown);
}

/* A reader that is killed while the step holds the object takes its mark off the queue. */
TEST_F(step, leaves_no_mark_of_a_killed_reader)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	bool in_time = false;
	struct waiter w[3];
	int rounds = 0;
	__u32 value;

	for (; race_goes_on(begun, in_time); rounds++) {
		int fd = event_create(self->dev, 0, 0);
		pid_t pid;

		for (int i = 0; i < 3; i++)
			ASSERT_TRUE(waiter_start_blocked(&w[i], self->dev, NTSYNC_IOC_WAIT_ANY,
							 &fd, 1, ME, 0));
		pid = fork_child();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(fdinfo_read(fd, self->info));
		ASSERT_TRUE(wait_until(child_ended(pid) || thread_state(pid) == 'D'));
		ASSERT_TRUE(watch(self, fd));
		ASSERT_TRUE(start_setter(self, fd, NTSYNC_IOC_EVENT_SET));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		wait_until(child_ended(pid));
		in_time = !self->setter.done;
		in_time = child_status(pid) == SIGKILL && in_time;
		use_stacks_again();
		ASSERT_EQ(0, waiter_join(&self->setter));
		for (int i = 1; i < 3; i++)
			ASSERT_EQ(0, event_set(fd, &value));
		for (int i = 0; i < 3; i++)
			ASSERT_EQ(0, waiter_join(&w[i]));
		ASSERT_TRUE(end_watch(self));
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

/* The wait of a process that is killed ends when the step is done with it, not before. */
TEST_F(step, keeps_a_granted_wait_that_is_killed)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC), start;
	struct waiter granted, *reader = &self->waiter;
	bool in_time = false, ended;
	int rounds = 0;
	pid_t pid;

	for (; race_goes_on(begun, in_time); rounds++) {
		int event = event_create(self->dev, 0, 0);

		waiter_fill(&granted, self->dev, NTSYNC_IOC_WAIT_ALL, &event, 1, ME, 0);
		pid = fork_waiter(&granted);
		ASSERT_LT(0, pid);
		ASSERT_TRUE(watch(self, event));
		ASSERT_TRUE(start_setter(self, event, NTSYNC_IOC_EVENT_SET));
		start = clock_ns(CLOCK_MONOTONIC);
		reader->dev = event;
		reader->request = NTSYNC_IOC_EVENT_READ;
		ASSERT_EQ(0, waiter_run(reader));
		/* The wait is granted after a second, and woken after three, behind the read. */
		while (clock_ns(CLOCK_MONOTONIC) - start < 3 * NSEC_PER_SEC / 2)
			waiter_pause();
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(wait_until(child_ended(pid) || thread_state(pid) == 'D'));
		use_stacks_again();
		ended = child_ended(pid);
		in_time = !reader->done;
		ASSERT_EQ(0, waiter_join(&self->setter));
		ASSERT_EQ(0, waiter_join(reader));
		ASSERT_EQ(SIGKILL, child_status(pid));
		/* If it was killed before it was granted the event is still set. */
		in_time = in_time && !count_set(&event, 1);
		EXPECT_FALSE(in_time && ended);
		ASSERT_TRUE(end_watch(self));
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

static int how_many_ended(const struct waiter *w, int count)
{
	int ended = 0;

	for (int i = 0; i < count; i++)
		ended += w[i].done;
	return ended;
}

/* A real-time thread is on its way to the head of the queue while the step holds the object. */
TEST_F(step, does_not_stop_who_is_more_urgent)
{
	/* The last one is urgent. */
	struct waiter w[2 * PLACES + 1], *urgent = &w[2 * PLACES];
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	bool in_time = false;
	int rounds = 0, sem;
	__u32 count;

	if (set_priority(1) || set_priority(0))
		SKIP(return, "no permission for SCHED_FIFO");
	for (; race_goes_on(begun, in_time); rounds++) {
		sem = sem_create(self->dev, 0, 2 * PLACES);
		for (int i = 0; i < 2 * PLACES; i++)
			ASSERT_TRUE(waiter_start_blocked(&w[i], self->dev, NTSYNC_IOC_WAIT_ANY,
							 &sem, 1, ME, 0));
		ASSERT_EQ(0, set_priority(1));
		ASSERT_EQ(0, waiter_start(urgent, self->dev, NTSYNC_IOC_WAIT_ANY, &sem, 1, ME, 0));
		ASSERT_EQ(0, set_priority(0));
		ASSERT_TRUE(wait_until(urgent->tid && thread_state(urgent->tid) != 'R'));
		count = 1;
		memcpy(&self->setter.args, &count, sizeof(count));
		ASSERT_TRUE(start_setter(self, sem, NTSYNC_IOC_SEM_RELEASE));
		/* It goes on after a second, and the step holds the semaphore for two. */
		in_time = takes_long(urgent);
		ASSERT_EQ(0, waiter_join(&self->setter));
		waiter_blocks(urgent);
		ASSERT_EQ(0, sem_release(sem, &count));
		ASSERT_TRUE(wait_until(how_many_ended(w, 2 * PLACES + 1) == 2));
		EXPECT_TRUE(urgent->done);
		count = 2 * PLACES - 1;
		ASSERT_EQ(0, sem_release(sem, &count));
		for (int i = 0; i <= 2 * PLACES; i++)
			ASSERT_EQ(0, waiter_join(&w[i]));
		close(sem);
	}
	EXPECT_TRUE(in_time);
	say_done("%d rounds", rounds);
}

/* Steps that take a moment, and change an object twice or in several words. */
FIXTURE(moment) {
	int dev;
	int event;
	int mutex;
	int sem;
	int many[MANY];
	struct object object;
	pthread_t thread;
	atomic_int arrived;
	atomic_bool done;
	int ret;
};

FIXTURE_SETUP(moment)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->event = event_create(self->dev, 1, 0);
	ASSERT_LE(0, self->event);
	self->mutex = mutex_create(self->dev, 0, 0);
	ASSERT_LE(0, self->mutex);
	self->sem = sem_create(self->dev, UINT32_MAX / 2, UINT32_MAX);
	ASSERT_LE(0, self->sem);
	ASSERT_EQ(0, create_events(self->dev, 0, self->many, MANY));
}

FIXTURE_TEARDOWN(moment)
{
	close(self->dev);
}

static void *pulse(void *data)
{
	FIXTURE_DATA(moment) * self = data;
	__u32 value;

	for (int i = 0; i < ROUNDS && !self->ret; i++)
		self->ret = event_pulse(self->event, &value);
	self->done = true;
	return NULL;
}

TEST_F(moment, pulse_is_not_seen)
{
	struct pollfd fd = { .fd = self->event, .events = POLLIN };
	struct ntsync_event_args args;
	int rounds = 0;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, pulse, self));
	while (!self->done) {
		ASSERT_EQ(0, event_read(self->event, &args));
		ASSERT_EQ(0, args.signaled);
		ASSERT_EQ(0, poll(&fd, 1, 0));
		rounds++;
	}
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	say_done("%d reads", rounds);
}

/* The poll cannot trust its look at the event, and looks again with both objects held. */
TEST_F(moment, death_is_told_by_a_second_look)
{
	int objs[2] = { self->event, self->mutex };
	int rounds = 0;
	__u32 index;

	ASSERT_EQ(0, wait_any(self->dev, &self->mutex, 1, ME, 0, 0, NULL));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, pulse, self));
	while (!self->done) {
		bool alert = rounds++ & 1;

		ASSERT_EQ(0, mutex_kill(self->mutex, ME));
		ASSERT_EQ(-EOWNERDEAD, wait_any(self->dev, objs, alert ? 1 : 2, ME, 0,
						alert ? self->mutex : 0, &index));
		ASSERT_EQ(1, index);
	}
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	say_done("%d deaths", rounds);
}

static void *release_one(void *data)
{
	FIXTURE_DATA(moment) * self = data;
	__u32 one;

	for (int i = 0; i < ROUNDS && !self->ret; i++) {
		one = 1;
		self->ret = sem_release(self->sem, &one);
	}
	self->done = true;
	return NULL;
}

/* An object that is locked at this moment is still signaled, and comes before the alert. */
TEST_F(moment, alert_is_kept_by_a_busy_object)
{
	int objs[2] = { self->event, self->sem };
	int rounds = 0;
	__u32 index;

	ASSERT_EQ(0, event_set(self->event, &(__u32){ 0 }));
	ASSERT_EQ(0, event_set(self->many[0], &(__u32){ 0 }));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, release_one, self));
	while (!self->done) {
		ASSERT_EQ(0, wait_all(self->dev, objs, 2, ME, 0, self->many[0], &index));
		ASSERT_EQ(0, index);
		ASSERT_EQ(1, count_set(self->many, 1));
		rounds++;
	}
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	say_done("%d waits", rounds);
}

/* Acquires the mutex, and gives it up in one of two ways. */
static void *acquire(void *data)
{
	FIXTURE_DATA(moment) * self = data;
	int ret = 0;

	for (int i = 0; i < ROUNDS && (!ret || ret == -EOWNERDEAD); i++) {
		ret = wait_any(self->dev, &self->mutex, 1, ME, 0, 0, NULL);
		if (i & 1)
			self->ret |= mutex_kill(self->mutex, ME);
		else
			self->ret |= mutex_unlock(self->mutex, ME, NULL);
	}
	self->done = true;
	return NULL;
}

TEST_F(moment, mutex_is_read_at_one_instant)
{
	struct ntsync_mutex_args args;
	int rounds = 0, ret;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, acquire, self));
	while (!self->done) {
		ret = mutex_read(self->mutex, &args);
		ASSERT_TRUE(!ret || (ret == -EOWNERDEAD && !args.owner));
		ASSERT_EQ(args.owner, args.count * ME);
		rounds++;
	}
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	say_done("%d reads", rounds);
}

static void *signal_too(void *data)
{
	FIXTURE_DATA(moment) * self = data;

	for (int i = 0;; i += 2) {
		meet(&self->arrived, i, 2);
		if (self->done)
			return NULL;
		self->ret = object_signal(self->object);
		meet(&self->arrived, i + 1, 2);
	}
}

/* Two waits, and two signals at the same time: neither is lost or refused. */
TEST_F(moment, two_signals_end_two_waits)
{
	static const enum kind kinds[] = { SEM, AUTO_EVENT };
	struct waiter waiters[2];
	int meeting = 0;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, signal_too, self));
	for (int i = 0; i < 100; i++, meeting += 2) {
		self->object = object_create(self->dev, kinds[i % 2]);
		for (int j = 0; j < 2; j++)
			ASSERT_TRUE(waiter_start_blocked(&waiters[j], self->dev,
							 NTSYNC_IOC_WAIT_ANY, &self->object.fd, 1,
							 ME, 0));
		meet(&self->arrived, meeting, 2);
		ASSERT_EQ(0, object_signal(self->object));
		meet(&self->arrived, meeting + 1, 2);
		ASSERT_EQ(0, self->ret);
		for (int j = 0; j < 2; j++)
			ASSERT_EQ(0, waiter_join(&waiters[j]));
		EXPECT_UNSIGNALED(self->object);
		close(self->object.fd);
	}
	self->done = true;
	meet(&self->arrived, meeting, 2);
	pthread_join(self->thread, NULL);
}

static void *poll_many(void *data)
{
	FIXTURE_DATA(moment) * self = data;

	for (int i = 0;; i += 2) {
		meet(&self->arrived, i, 2);
		if (self->done)
			return NULL;
		self->ret = poll_all(self->dev, self->many, MANY, NULL);
		meet(&self->arrived, i + 1, 2);
	}
}

/* Either one poll acquires all events, or the other one the last of them. */
TEST_F(moment, many_are_acquired_at_one_instant)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	int all = 0, last = 0, delay = 0, ret;
	__u32 value;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, poll_many, self));
	for (int i = 0; race_goes_on(begun, all >= 20 && last >= 20); i += 2) {
		for (int j = 0; j < MANY; j++)
			ASSERT_EQ(0, event_set(self->many[j], &value));
		meet(&self->arrived, i, 2);
		spin(delay);
		ret = poll_any(self->dev, &self->many[MANY - 1], 1, NULL);
		meet(&self->arrived, i + 1, 2);
		ASSERT_EQ(-ETIMEDOUT, ret + self->ret);
		all += !self->ret;
		last += !ret;
		/* The one that came second is given more time. */
		if (ret)
			delay -= delay / 4;
		else if (delay < 1 << 24)
			delay += delay / 4 + 64;
	}
	EXPECT_LE(20, all);
	EXPECT_LE(20, last);
	self->done = true;
	meet(&self->arrived, 2 * (all + last), 2);
	pthread_join(self->thread, NULL);
	say_done("%d of all, %d of the last one", all, last);
}

TEST_HARNESS_MAIN
