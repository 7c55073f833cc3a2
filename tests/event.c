// SPDX-License-Identifier: GPL-2.0
/* Events: set, reset and pulse, of both kinds, with and without waiters. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"
#include "task.h"

#define WAITERS 4

FIXTURE(event) {
	int dev;
};

FIXTURE_SETUP(event)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(event)
{
	close(self->dev);
}

/* Any nonzero value is true, and true reads as 1. */
TEST_F(event, flags_are_booleans)
{
	static const __u32 truth[] = {
		0, 1, 2, 0x100, 0x10000, 0x80000000, UINT32_MAX,
	};
	size_t i, j;
	int fd;

	for (i = 0; i < ARRAY_SIZE(truth); i++) {
		for (j = 0; j < ARRAY_SIZE(truth); j++) {
			fd = event_create(self->dev, truth[i], truth[j]);
			ASSERT_LE(0, fd);
			EXPECT_EVENT(!!truth[i], !!truth[j], fd);
			EXPECT_EQ(!truth[j] ? -ETIMEDOUT : 0,
				  poll_any(self->dev, &fd, 1, NULL));
			EXPECT_EVENT(!!truth[i], truth[i] && truth[j], fd);
			EXPECT_EQ(0, close(fd));
		}
	}
}

FIXTURE(event_state) {
	int dev;
	int fd;
};

FIXTURE_VARIANT(event_state) {
	__u32 manual;
	__u32 signaled;
};

FIXTURE_VARIANT_ADD(event_state, auto_unset) { 0, 0 };
FIXTURE_VARIANT_ADD(event_state, auto_set) { 0, 1 };
FIXTURE_VARIANT_ADD(event_state, manual_unset) { 1, 0 };
FIXTURE_VARIANT_ADD(event_state, manual_set) { 1, 1 };

FIXTURE_SETUP(event_state)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = event_create(self->dev, variant->manual, variant->signaled);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(event_state)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(event_state, reads_as_created)
{
	EXPECT_EVENT(variant->manual, variant->signaled, self->fd);
	EXPECT_EVENT(variant->manual, variant->signaled, self->fd);
}

TEST_F(event_state, set)
{
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, event_set(self->fd, &prev));
	EXPECT_EQ(variant->signaled, prev);
	EXPECT_EVENT(variant->manual, 1, self->fd);
	prev = GARBAGE;
	EXPECT_EQ(0, event_set(self->fd, &prev));
	EXPECT_EQ(1U, prev);
	EXPECT_EVENT(variant->manual, 1, self->fd);
}

TEST_F(event_state, reset)
{
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, event_reset(self->fd, &prev));
	EXPECT_EQ(variant->signaled, prev);
	EXPECT_EVENT(variant->manual, 0, self->fd);
	prev = GARBAGE;
	EXPECT_EQ(0, event_reset(self->fd, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EVENT(variant->manual, 0, self->fd);
}

TEST_F(event_state, pulse_leaves_it_unset)
{
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, event_pulse(self->fd, &prev));
	EXPECT_EQ(variant->signaled, prev);
	EXPECT_EVENT(variant->manual, 0, self->fd);
	prev = GARBAGE;
	EXPECT_EQ(0, event_pulse(self->fd, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &self->fd, 1, NULL));
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, &self->fd, 1, NULL));
	EXPECT_EQ(0, event_set(self->fd, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EVENT(variant->manual, 1, self->fd);
}

TEST_F(event_state, wait_any_resets_only_auto)
{
	__u32 index = GARBAGE;
	int ret = variant->signaled ? 0 : -ETIMEDOUT;

	EXPECT_EQ(ret, poll_any(self->dev, &self->fd, 1, &index));
	if (!ret)
		EXPECT_EQ(0U, index);
	EXPECT_EVENT(variant->manual, variant->manual && variant->signaled,
		     self->fd);
	if (!variant->manual)
		ret = -ETIMEDOUT;
	EXPECT_EQ(ret, poll_any(self->dev, &self->fd, 1, NULL));
}

TEST_F(event_state, wait_all_resets_only_auto)
{
	__u32 index = GARBAGE;
	int ret = variant->signaled ? 0 : -ETIMEDOUT;

	EXPECT_EQ(ret, poll_all(self->dev, &self->fd, 1, &index));
	if (!ret)
		EXPECT_EQ(0U, index);
	EXPECT_EVENT(variant->manual, variant->manual && variant->signaled,
		     self->fd);
	if (!variant->manual)
		ret = -ETIMEDOUT;
	EXPECT_EQ(ret, poll_all(self->dev, &self->fd, 1, NULL));
}

FIXTURE(event_waiters) {
	int dev;
	int fd;
	struct waiter waiter[WAITERS];
};

FIXTURE_VARIANT(event_waiters) {
	__u32 manual;
	unsigned long request[2];
};

FIXTURE_VARIANT_ADD(event_waiters, auto_any) {
	0, { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ANY },
};

FIXTURE_VARIANT_ADD(event_waiters, auto_all) {
	0, { NTSYNC_IOC_WAIT_ALL, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(event_waiters, auto_any_and_all) {
	0, { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(event_waiters, manual_any) {
	1, { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ANY },
};

FIXTURE_VARIANT_ADD(event_waiters, manual_all) {
	1, { NTSYNC_IOC_WAIT_ALL, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(event_waiters, manual_any_and_all) {
	1, { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_SETUP(event_waiters)
{
	int i;

	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = event_create(self->dev, variant->manual, 0);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < WAITERS; i++)
		ASSERT_TRUE(waiter_start_blocked(&self->waiter[i], self->dev,
						 variant->request[i % 2],
						 &self->fd, 1, i + 1, 0));
}

FIXTURE_TEARDOWN(event_waiters)
{
	close(self->fd);
	close(self->dev);
}

static int blocked_waiters(struct waiter *waiter)
{
	int i, blocked = 0;

	for (i = 0; i < WAITERS; i++)
		blocked += waiter_blocks(&waiter[i]);
	return blocked;
}

/* A signal satisfies one wait for an auto-reset event, all for a manual-reset one. */
static int left_after_signal(__u32 manual, int blocked)
{
	return manual ? 0 : blocked - 1;
}

TEST_F(event_waiters, set)
{
	int left = WAITERS;
	__u32 prev;

	while (left) {
		prev = GARBAGE;
		EXPECT_EQ(0, event_set(self->fd, &prev));
		EXPECT_EQ(0U, prev);
		left = left_after_signal(variant->manual, left);
		ASSERT_EQ(left, blocked_waiters(self->waiter));
		EXPECT_EVENT(variant->manual, variant->manual, self->fd);
	}
	EXPECT_EQ(0, event_set(self->fd, &prev));
	EXPECT_EQ(variant->manual, prev);
	EXPECT_EVENT(variant->manual, 1, self->fd);
}

TEST_F(event_waiters, pulse)
{
	int left = WAITERS;
	__u32 prev;

	while (left) {
		prev = GARBAGE;
		EXPECT_EQ(0, event_pulse(self->fd, &prev));
		EXPECT_EQ(0U, prev);
		left = left_after_signal(variant->manual, left);
		ASSERT_EQ(left, blocked_waiters(self->waiter));
		EXPECT_EVENT(variant->manual, 0, self->fd);
	}
	EXPECT_EQ(0, event_pulse(self->fd, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EVENT(variant->manual, 0, self->fd);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &self->fd, 1, NULL));
}

TEST_F(event_waiters, all_return_success)
{
	__u32 prev;
	int i;

	for (i = 0; i < (variant->manual ? 1 : WAITERS); i++)
		EXPECT_EQ(0, event_set(self->fd, &prev));
	for (i = 0; i < WAITERS; i++) {
		ASSERT_EQ(0, waiter_join(&self->waiter[i]));
		EXPECT_EQ(0U, self->waiter[i].args.index);
	}
	EXPECT_EVENT(variant->manual, variant->manual, self->fd);
}

TEST_F(event_waiters, reset_and_read_wake_no_one)
{
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, event_reset(self->fd, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EVENT(variant->manual, 0, self->fd);
	EXPECT_EQ(WAITERS, blocked_waiters(self->waiter));
}

/* A pulse reaches threads that wait, not those that come later. */
TEST_F(event_waiters, pulse_is_not_remembered)
{
	struct waiter late;
	__u32 prev;
	int i;

	for (i = 0; i < (variant->manual ? 1 : WAITERS); i++)
		EXPECT_EQ(0, event_pulse(self->fd, &prev));
	for (i = 0; i < WAITERS; i++)
		ASSERT_EQ(0, waiter_join(&self->waiter[i]));
	ASSERT_TRUE(waiter_start_blocked(&late, self->dev, variant->request[1],
					 &self->fd, 1, ME, 0));
	EXPECT_EQ(0, event_pulse(self->fd, &prev));
	EXPECT_EQ(0, waiter_join(&late));
	EXPECT_EVENT(variant->manual, 0, self->fd);
}

/* For a wait-for-all, the other objects must be signaled at the instant of the pulse. */
FIXTURE(event_pulse_all) {
	int dev;
	int objs[2];
	struct waiter all;
};

FIXTURE_VARIANT(event_pulse_all) {
	__u32 manual;
	int place;
};

FIXTURE_VARIANT_ADD(event_pulse_all, auto_first) { 0, 0 };
FIXTURE_VARIANT_ADD(event_pulse_all, auto_second) { 0, 1 };
FIXTURE_VARIANT_ADD(event_pulse_all, manual_first) { 1, 0 };
FIXTURE_VARIANT_ADD(event_pulse_all, manual_second) { 1, 1 };

FIXTURE_SETUP(event_pulse_all)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->objs[variant->place] = event_create(self->dev, variant->manual,
						  0);
	self->objs[!variant->place] = event_create(self->dev, 1, 0);
	ASSERT_LE(0, self->objs[0]);
	ASSERT_LE(0, self->objs[1]);
	ASSERT_TRUE(waiter_start_blocked(&self->all, self->dev,
					 NTSYNC_IOC_WAIT_ALL, self->objs, 2,
					 ME, 0));
}

FIXTURE_TEARDOWN(event_pulse_all)
{
	close(self->objs[0]);
	close(self->objs[1]);
	close(self->dev);
}

TEST_F(event_pulse_all, too_early_is_lost)
{
	int pulsed = self->objs[variant->place];
	int other = self->objs[!variant->place];
	__u32 prev;

	EXPECT_EQ(0, event_pulse(pulsed, &prev));
	EXPECT_TRUE(waiter_blocks(&self->all));
	EXPECT_EQ(0, event_set(other, &prev));
	EXPECT_TRUE(waiter_blocks(&self->all));
	EXPECT_EVENT(variant->manual, 0, pulsed);
	EXPECT_EVENT(1, 1, other);

	EXPECT_EQ(0, event_pulse(pulsed, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EQ(0, waiter_join(&self->all));
	EXPECT_EVENT(variant->manual, 0, pulsed);
	EXPECT_EVENT(1, 1, other);
}

/* A wait that cannot be satisfied must not take an object that another wait can take. */
TEST_F(event_pulse_all, goes_past_the_unsatisfied)
{
	int pulsed = self->objs[variant->place];
	struct waiter any;
	__u32 prev;

	ASSERT_TRUE(waiter_start_blocked(&any, self->dev, NTSYNC_IOC_WAIT_ANY,
					 &pulsed, 1, OTHER, 0));
	EXPECT_EQ(0, event_pulse(pulsed, &prev));
	EXPECT_EQ(0, waiter_join(&any));
	EXPECT_TRUE(waiter_blocks(&self->all));
	EXPECT_EVENT(variant->manual, 0, pulsed);
}

/* A pulse of an event that is set wakes no other thread, but resets it. */
TEST_F(event_pulse_all, of_a_set_event_resets)
{
	int pulsed = self->objs[variant->place];
	int other = self->objs[!variant->place];
	__u32 prev;

	EXPECT_EQ(0, event_set(pulsed, &prev));
	EXPECT_EQ(0, event_pulse(pulsed, &prev));
	EXPECT_EQ(1U, prev);
	EXPECT_TRUE(waiter_blocks(&self->all));
	EXPECT_EVENT(variant->manual, 0, pulsed);
	EXPECT_EQ(0, event_set(other, &prev));
	EXPECT_TRUE(waiter_blocks(&self->all));
	EXPECT_EQ(0, event_set(pulsed, &prev));
	EXPECT_EQ(0, waiter_join(&self->all));
	EXPECT_EVENT(variant->manual, variant->manual, pulsed);
}

struct watch {
	int fd;
	atomic_bool stop;
	atomic_int looks;
	atomic_uint seen_set;
	atomic_uint failed;
};

/* Tries every call that shows whether the event is set, except those that set it. */
static void *watch_main(void *data)
{
	struct watch *watch = data;
	struct ntsync_event_args args;
	__u32 prev;

	while (!atomic_load(&watch->stop)) {
		if (event_read(watch->fd, &args) ||
		    event_reset(watch->fd, &prev))
			atomic_fetch_add(&watch->failed, 1);
		else if (args.signaled || prev)
			atomic_fetch_add(&watch->seen_set, 1);
		watch->looks++;
	}
	return NULL;
}

#define PULSES work(5000, 125)

/* No thread ever sees a pulsed event set. */
TEST_F(event, pulse_does_not_show)
{
	__u32 manual, prev;
	struct watch watch = {};
	pthread_t thread;

	for (manual = 0; manual <= 1; manual++) {
		watch.fd = event_create(self->dev, manual, 0);
		ASSERT_LE(0, watch.fd);
		atomic_store(&watch.stop, false);
		watch.looks = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, watch_main, &watch));
		for (int i = 0; i < PULSES || watch.looks < PULSES / 10; i++) {
			prev = GARBAGE;
			ASSERT_EQ(0, event_pulse(watch.fd, &prev));
			ASSERT_EQ(0U, prev);
		}
		atomic_store(&watch.stop, true);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0U, atomic_load(&watch.seen_set));
		EXPECT_EQ(0U, atomic_load(&watch.failed));
	}
}

TEST_F(event, timed_out_waiter_takes_no_signal)
{
	int fd = event_create(self->dev, 0, 0);
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;
	__u32 prev;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, &fd, 1, ME, soon, 0, NULL));
	EXPECT_EQ(-ETIMEDOUT, wait_all(self->dev, &fd, 1, ME, soon, 0, NULL));
	EXPECT_EQ(0, event_set(fd, &prev));
	EXPECT_EVENT(0, 1, fd);
}

TEST_HARNESS_MAIN
