// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that becomes inaccessible during a call, after the call has tested it: the only case
 * in which a call fails although it has acted.  It returns EFAULT, and does no other harm: no
 * wait remains in a queue, and the next call works.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "task.h"
#include "objects.h"

#define PROT_RW		(PROT_READ | PROT_WRITE)

/* A wait whose argument becomes inaccessible while it sleeps. */
FIXTURE(asleep) {
	int dev;
	int event;
	size_t size;
	char *page;
	struct waiter *waiter;	/* its argument ends with the page */
};

FIXTURE_VARIANT(asleep) {
	unsigned long request;
	int left;		/* what is still allowed for the page then */
};

FIXTURE_VARIANT_ADD(asleep, any_read_only) { NTSYNC_IOC_WAIT_ANY, PROT_READ };
FIXTURE_VARIANT_ADD(asleep, any_no_access) { NTSYNC_IOC_WAIT_ANY, PROT_NONE };
FIXTURE_VARIANT_ADD(asleep, all_read_only) { NTSYNC_IOC_WAIT_ALL, PROT_READ };
FIXTURE_VARIANT_ADD(asleep, all_no_access) { NTSYNC_IOC_WAIT_ALL, PROT_NONE };

FIXTURE_SETUP(asleep)
{
	self->dev = ntsync_open();
	self->event = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->event);
	self->size = sysconf(_SC_PAGESIZE);
	self->page = mmap(NULL, 2 * self->size, PROT_RW,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	self->waiter = (void *)(self->page + self->size -
				offsetof(struct waiter, objs));
}

FIXTURE_TEARDOWN(asleep)
{
	close(self->event);
	close(self->dev);
}

TEST_F(asleep, is_woken_and_has_acquired)
{
	__u32 prev = GARBAGE;

	/* Once with the result in its place already. */
	for (__u32 index = 0; index < 2; index++) {
		ASSERT_EQ(0, mprotect(self->page, self->size, PROT_RW));
		waiter_fill(self->waiter, self->dev, variant->request, &self->event, 1, ME, 0);
		self->waiter->args.index = index;
		ASSERT_EQ(0, waiter_run(self->waiter));
		ASSERT_TRUE(waiter_blocks(self->waiter));
		ASSERT_EQ(0, mprotect(self->page, self->size, variant->left));
		EXPECT_EQ(0, event_set(self->event, &prev));
		EXPECT_EQ(-EFAULT, waiter_join(self->waiter));
		EXPECT_EQ(0U, prev);
		EXPECT_EVENT(0, 0, self->event);
	}

	/* No wait is left in the queue. */
	EXPECT_EQ(0, event_set(self->event, &prev));
	EXPECT_EQ(0, poll_any(self->dev, &self->event, 1, NULL));
}

/* A wait without a result writes nothing. */
TEST_F(asleep, times_out)
{
	__u64 patience = NSEC_PER_SEC / 4;
	bool slept = false;

	/* Repeat with a longer time until it is seen asleep. */
	for (; !slept && patience < 64 * NSEC_PER_SEC; patience *= 2) {
		waiter_fill(self->waiter, self->dev, variant->request,
			    &self->event, 1, ME, 0);
		self->waiter->args.timeout = clock_ns(CLOCK_MONOTONIC) +
					     patience;
		ASSERT_EQ(0, waiter_run(self->waiter));
		slept = waiter_blocks(self->waiter);
		if (slept)
			ASSERT_EQ(0, mprotect(self->page, self->size,
					      variant->left));
		EXPECT_EQ(-ETIMEDOUT, waiter_join(self->waiter));
	}
	EXPECT_TRUE(slept);
}

/* An argument that appears and disappears during a series of calls. */
FIXTURE(flicker) {
	int dev;
	struct object object;
	size_t size;
	void *arg;		/* the address for the calls */
	void *always;		/* the same memory, always accessible */
	pthread_t thread;
	atomic_bool stop;
};

/* Calls that change an object of this kind, the state after them, and the result. */
FIXTURE_VARIANT(flicker) {
	enum kind kind;
	unsigned long request;
	bool signals;
	__u32 result;
};

FIXTURE_VARIANT_ADD(flicker, sem_release) {
	SEM, NTSYNC_IOC_SEM_RELEASE, true, 0,
};

FIXTURE_VARIANT_ADD(flicker, mutex_unlock) {
	MUTEX, NTSYNC_IOC_MUTEX_UNLOCK, true, 1,
};

FIXTURE_VARIANT_ADD(flicker, event_set) {
	MANUAL_EVENT, NTSYNC_IOC_EVENT_SET, true, 0,
};

FIXTURE_VARIANT_ADD(flicker, event_reset) {
	MANUAL_EVENT, NTSYNC_IOC_EVENT_RESET, false, 1,
};

FIXTURE_VARIANT_ADD(flicker, event_pulse) {
	AUTO_EVENT, NTSYNC_IOC_EVENT_PULSE, false, 1,
};

FIXTURE_VARIANT_ADD(flicker, wait_any) {
	SEM, NTSYNC_IOC_WAIT_ANY, false, 0,
};

FIXTURE_VARIANT_ADD(flicker, wait_all) {
	AUTO_EVENT, NTSYNC_IOC_WAIT_ALL, false, 0,
};

static void *flicker_main(void *data)
{
	FIXTURE_DATA(flicker) * self = data;

	while (!self->stop) {
		mprotect(self->arg, self->size, PROT_READ);
		mprotect(self->arg, self->size, PROT_RW);
	}
	return NULL;
}

FIXTURE_SETUP(flicker)
{
	int fd = memfd_create("argument", MFD_CLOEXEC);

	self->dev = ntsync_open();
	self->object = object_create(self->dev, variant->kind);
	ASSERT_LE(0, self->object.fd);
	self->size = sysconf(_SC_PAGESIZE);
	ASSERT_EQ(0, ftruncate(fd, self->size));
	self->arg = mmap(NULL, self->size, PROT_RW, MAP_SHARED, fd, 0);
	self->always = mmap(NULL, self->size, PROT_RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, self->arg);
	ASSERT_NE(MAP_FAILED, self->always);
	close(fd);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, flicker_main, self));
}

FIXTURE_TEARDOWN(flicker)
{
	self->stop = true;
	pthread_join(self->thread, NULL);
	close(self->object.fd);
	close(self->dev);
}

/* What is no result is there before the call. */
static void fill_argument(void *arg, unsigned long request, const int *obj)
{
	struct ntsync_mutex_args mutex = { .owner = NOBODY_WAITS, .count = GARBAGE };
	struct ntsync_wait_args wait = {
		.objs = (uintptr_t)obj, .count = 1, .owner = ME, .index = GARBAGE,
	};
	__u32 value = request == NTSYNC_IOC_SEM_RELEASE ? 1 : GARBAGE;

	if (request == NTSYNC_IOC_MUTEX_UNLOCK)
		memcpy(arg, &mutex, sizeof(mutex));
	else if (_IOC_SIZE(request) == sizeof(wait))
		memcpy(arg, &wait, sizeof(wait));
	else
		memcpy(arg, &value, sizeof(value));
}

static __u32 result_in(const void *arg, unsigned long request)
{
	if (request == NTSYNC_IOC_MUTEX_UNLOCK)
		return ((const struct ntsync_mutex_args *)arg)->count;
	if (_IOC_SIZE(request) == sizeof(struct ntsync_wait_args))
		return ((const struct ntsync_wait_args *)arg)->index;
	return *(const __u32 *)arg;
}

/* Undoes object_signal(). */
static int unsignal(int dev, struct object object)
{
	__u32 prev;

	if (object.kind == MANUAL_EVENT)
		return event_reset(object.fd, &prev);
	return wait_any(dev, &object.fd, 1, NOBODY_WAITS, 0, 0, NULL);
}

/* Makes the call, with an argument that may or may not be accessible. */
static int flickering_call(FIXTURE_DATA(flicker) * self, unsigned long request)
{
	bool wait = _IOC_SIZE(request) == sizeof(struct ntsync_wait_args);

	fill_argument(self->always, request, &self->object.fd);
	return ntsync_call(wait ? self->dev : self->object.fd, request,
			   self->arg);
}

TEST_F(flicker, either_acts_or_says_efault)
{
	struct state before = state_unsignaled(variant->kind);
	struct state after = state_signaled(variant->kind);
	int calls = 0, succeeded = 0, refused = 0, lost = 0, ret;
	int least = work(100, 10);
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	struct state now;

	if (!variant->signals) {
		ASSERT_EQ(0, object_signal(self->object));
		before = state_signaled(variant->kind);
		after = state_unsignaled(variant->kind);
	}

	for (; race_goes_on(begun, calls >= work(20000, 500) &&
			    succeeded >= least && refused >= least); calls++) {
		ret = flickering_call(self, variant->request);
		now = object_state(self->object);
		if (same_state(before, now)) {
			ASSERT_EQ(-EFAULT, ret);
			refused++;
			continue;
		}
		EXPECT_STATE(after, now);
		if (ret) {
			ASSERT_EQ(-EFAULT, ret);
			lost++;
		} else {
			ASSERT_EQ(variant->result,
				  result_in(self->always, variant->request));
			succeeded++;
		}
		ASSERT_EQ(0, variant->signals ?
			     unsignal(self->dev, self->object) :
			     object_signal(self->object));
	}
	say_done("%d succeeded, %d were refused, %d lost their result",
		 succeeded, refused, lost);
	EXPECT_LE(work(20000, 500), calls);
	EXPECT_LE(least, succeeded);
	EXPECT_LE(least, refused);
}

TEST_HARNESS_MAIN
