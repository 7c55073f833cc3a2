// SPDX-License-Identifier: GPL-2.0
/* Waits for all: all objects must be signaled at one instant, and are taken in one step. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "task.h"
#include "objects.h"

FIXTURE(wait_all) {
	int dev;
};

FIXTURE_SETUP(wait_all)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(wait_all)
{
	close(self->dev);
}

static bool start_all(struct waiter *waiter, int dev, const int *objs,
		      __u32 count, __u32 owner)
{
	return waiter_start_blocked(waiter, dev, NTSYNC_IOC_WAIT_ALL, objs,
				    count, owner, 0);
}

static bool start_any(struct waiter *waiter, int dev, const int *objs,
		      __u32 count, __u32 owner)
{
	return waiter_start_blocked(waiter, dev, NTSYNC_IOC_WAIT_ANY, objs,
				    count, owner, 0);
}

/* All of no objects are signaled at any instant. */
TEST_F(wait_all, zero_objects_are_all_signaled)
{
	__u32 index;

	EXPECT_EQ(0, wait_all(self->dev, NULL, 0, ME, 0, 0, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EQ(0, wait_all(self->dev, (int *)1, 0, ME, FOREVER, 0, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EQ(0, wait_all(self->dev, (int *)-1, 0, ME, FOREVER, 0, NULL));
}

TEST_F(wait_all, zero_objects_leave_the_alert)
{
	int alert = event_create(self->dev, 0, 1);
	__u32 index;

	ASSERT_LE(0, alert);
	EXPECT_EQ(0, wait_all(self->dev, NULL, 0, ME, 0, alert, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EQ(0, wait_all(self->dev, NULL, 0, ME, FOREVER, alert, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EVENT(0, 1, alert);
}

TEST_F(wait_all, writes_only_the_index)
{
	int objs[2] = { sem_create(self->dev, 1, 2),
			event_create(self->dev, 1, 1) };
	struct ntsync_wait_args before = {
		.timeout = 12345,
		.objs = (uintptr_t)objs,
		.count = 2,
		.index = GARBAGE,
		.owner = 0x87654321,
		.alert = event_create(self->dev, 1, 0),
	};
	struct ntsync_wait_args args = before;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, ntsync_call(self->dev, NTSYNC_IOC_WAIT_ALL, &args));
	before.index = 0;
	EXPECT_EQ(0, memcmp(&before, &args, sizeof(args)));

	args.index = GARBAGE;
	before = args;
	EXPECT_EQ(-ETIMEDOUT, ntsync_call(self->dev, NTSYNC_IOC_WAIT_ALL,
					  &args));
	EXPECT_EQ(0, memcmp(&before, &args, sizeof(args)));
}

TEST_F(wait_all, repeats_are_refused)
{
	int a = event_create(self->dev, 1, 1), b = event_create(self->dev,
								0, 1);
	const int twice[2] = { a, a }, apart[3] = { a, b, a };
	const int dupped[2] = { b, dup(b) }, single[1] = { b };
	__u32 index;

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_LE(0, dupped[1]);
	EXPECT_EQ(-EINVAL, poll_all(self->dev, twice, 2, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(-EINVAL, poll_all(self->dev, apart, 3, &index));
	EXPECT_EQ(-EINVAL, poll_all(self->dev, dupped, 2, &index));
	EXPECT_EQ(-EINVAL, wait_all(self->dev, single, 1, ME, 0, b, &index));
	EXPECT_EQ(-EINVAL, wait_all(self->dev, single, 1, ME, FOREVER,
				    dupped[1], &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EVENT(1, 1, a);
	EXPECT_EVENT(0, 1, b);
}

/* Repeats must be found at any two places, and in the alert. */
TEST_F(wait_all, repeats_in_a_large_set)
{
	int first, second, saved, objs[NTSYNC_MAX_WAIT_COUNT];
	const int last = NTSYNC_MAX_WAIT_COUNT - 1;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (second = 0; second <= last; second++) {
		saved = objs[second];
		for (first = 0; first <= last; first++) {
			if (first == second)
				continue;
			objs[second] = objs[first];
			ASSERT_EQ(-EINVAL, poll_all(self->dev, objs, last + 1,
						    NULL));
		}
		objs[second] = saved;
		ASSERT_EQ(-EINVAL, wait_all(self->dev, objs, last + 1, ME, 0,
					    saved, NULL));
	}
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, objs, last + 1, NULL));
}

/*
 * Different objects are not repeats, even if a hash of theirs is the same: tries all pairs of
 * more objects than a small table has slots.
 */
TEST_F(wait_all, different_objects_are_no_repeats)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT + 1], pass, spare[640];

	for (i = 0; i < 640; i++) {
		spare[i] = event_create(self->dev, 1, 1);
		ASSERT_LE(0, spare[i]);
	}
	for (pass = 1; pass <= 9; pass++) {
		for (i = 0; i <= NTSYNC_MAX_WAIT_COUNT; i++)
			objs[i] = spare[i * pass];
		ASSERT_EQ(0, wait_all(self->dev, objs, NTSYNC_MAX_WAIT_COUNT,
				      ME, 0, objs[NTSYNC_MAX_WAIT_COUNT],
				      NULL));
	}
}

TEST_F(wait_all, every_count)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 i, count, prev, index;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		for (i = 0; i < count; i++) {
			ASSERT_EQ(-ETIMEDOUT, poll_all(self->dev, objs, count,
						       &index));
			ASSERT_EQ(UINT32_MAX, index);
			ASSERT_EQ(0, event_set(objs[i], &prev));
			ASSERT_EQ(0U, prev);
		}
		ASSERT_EQ(0, poll_all(self->dev, objs, count, &index));
		ASSERT_EQ(0U, index);
		ASSERT_EQ(0, count_set(objs, NTSYNC_MAX_WAIT_COUNT));
	}
}

TEST_F(wait_all, more_than_the_most_is_refused)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT + 1];

	for (i = 0; i <= NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 1);
		ASSERT_LE(0, objs[i]);
	}
	EXPECT_EQ(-EINVAL, poll_all(self->dev, objs, NTSYNC_MAX_WAIT_COUNT + 1,
				    NULL));
	EXPECT_EQ(NTSYNC_MAX_WAIT_COUNT + 1,
		  count_set(objs, NTSYNC_MAX_WAIT_COUNT + 1));
	EXPECT_EQ(0, poll_all(self->dev, objs, NTSYNC_MAX_WAIT_COUNT, NULL));
}

/* If one is not signaled, at any place, the other 63 do not change. */
TEST_F(wait_all, one_missing_of_64)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 i, prev, index;

	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 1);
		ASSERT_LE(0, objs[i]);
	}
	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		ASSERT_EQ(0, event_reset(objs[i], &prev));
		ASSERT_EQ(-ETIMEDOUT, poll_all(self->dev, objs,
					       NTSYNC_MAX_WAIT_COUNT, &index));
		ASSERT_EQ(UINT32_MAX, index);
		ASSERT_EQ(NTSYNC_MAX_WAIT_COUNT - 1,
			  count_set(objs, NTSYNC_MAX_WAIT_COUNT));
		ASSERT_EQ(0, event_set(objs[i], &prev));
	}
	EXPECT_EQ(0, wait_all(self->dev, objs, NTSYNC_MAX_WAIT_COUNT, ME,
			      FOREVER, 0, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EQ(0, count_set(objs, NTSYNC_MAX_WAIT_COUNT));
}

/* One object of each kind, unsignaled, waited for together. */
FIXTURE(all_kinds) {
	int dev;
	struct object object[KINDS];
	int objs[KINDS];
	struct waiter waiter;
};

/* The orders in which they are signaled, one for each variant. */
FIXTURE_VARIANT(all_kinds) {
	int order[KINDS];
};

FIXTURE_VARIANT_ADD(all_kinds, order_0123) { { 0, 1, 2, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_0132) { { 0, 1, 3, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_0213) { { 0, 2, 1, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_0231) { { 0, 2, 3, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_0312) { { 0, 3, 1, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_0321) { { 0, 3, 2, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1023) { { 1, 0, 2, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1032) { { 1, 0, 3, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1203) { { 1, 2, 0, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1230) { { 1, 2, 3, 0 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1302) { { 1, 3, 0, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_1320) { { 1, 3, 2, 0 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2013) { { 2, 0, 1, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2031) { { 2, 0, 3, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2103) { { 2, 1, 0, 3 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2130) { { 2, 1, 3, 0 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2301) { { 2, 3, 0, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_2310) { { 2, 3, 1, 0 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3012) { { 3, 0, 1, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3021) { { 3, 0, 2, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3102) { { 3, 1, 0, 2 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3120) { { 3, 1, 2, 0 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3201) { { 3, 2, 0, 1 } };
FIXTURE_VARIANT_ADD(all_kinds, order_3210) { { 3, 2, 1, 0 } };

FIXTURE_SETUP(all_kinds)
{
	int i;

	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	for (i = 0; i < KINDS; i++) {
		self->object[i] = object_create(self->dev, i);
		ASSERT_LE(0, self->object[i].fd);
		self->objs[i] = self->object[i].fd;
	}
}

FIXTURE_TEARDOWN(all_kinds)
{
	int i;

	for (i = 0; i < KINDS; i++)
		close(self->objs[i]);
	close(self->dev);
}

TEST_F(all_kinds, polls_until_the_last)
{
	struct object object;
	int i, j;

	for (i = 0; i < KINDS; i++) {
		ASSERT_EQ(-ETIMEDOUT, poll_all(self->dev, self->objs, KINDS,
					       NULL));
		for (j = 0; j < KINDS; j++) {
			object = self->object[variant->order[j]];
			if (j < i)
				EXPECT_SIGNALED(object);
			else
				EXPECT_UNSIGNALED(object);
		}
		ASSERT_EQ(0, object_signal(self->object[variant->order[i]]));
	}
	EXPECT_EQ(0, poll_all(self->dev, self->objs, KINDS, NULL));
	for (i = 0; i < KINDS; i++)
		EXPECT_ACQUIRED(self->object[i], ME);
}

TEST_F(all_kinds, blocks_until_the_last)
{
	int i;

	ASSERT_TRUE(start_all(&self->waiter, self->dev, self->objs, KINDS, ME));
	for (i = 0; i < KINDS; i++) {
		ASSERT_TRUE(waiter_blocks(&self->waiter));
		ASSERT_EQ(0, object_signal(self->object[variant->order[i]]));
		if (i < KINDS - 1)
			EXPECT_SIGNALED(self->object[variant->order[i]]);
	}
	ASSERT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(0U, self->waiter.args.index);
	for (i = 0; i < KINDS; i++)
		EXPECT_ACQUIRED(self->object[i], ME);
}

/* While it waits, other waits can take the objects that are already signaled. */
TEST_F(all_kinds, taken_back_meanwhile)
{
	int i, place, fd;

	ASSERT_TRUE(start_all(&self->waiter, self->dev, self->objs, KINDS, ME));
	for (i = 0; i < KINDS; i++) {
		place = variant->order[i];
		fd = self->objs[place];
		ASSERT_EQ(0, object_signal(self->object[place]));
		if (i == KINDS - 1)
			break;
		ASSERT_EQ(0, wait_any(self->dev, &fd, 1, NOBODY_WAITS, 0, 0,
				      NULL));
		ASSERT_TRUE(waiter_blocks(&self->waiter));
		if (place != MANUAL_EVENT) {
			EXPECT_UNSIGNALED(self->object[place]);
			ASSERT_EQ(0, object_signal(self->object[place]));
		}
		ASSERT_TRUE(waiter_blocks(&self->waiter));
		EXPECT_SIGNALED(self->object[place]);
	}
	ASSERT_EQ(0, waiter_join(&self->waiter));
	for (i = 0; i < KINDS; i++)
		EXPECT_ACQUIRED(self->object[i], ME);
}

/* A wait that has given up watches no object. */
TEST_F(all_kinds, timed_out_takes_nothing)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;
	int i;

	ASSERT_EQ(0, object_signal(self->object[variant->order[0]]));
	EXPECT_EQ(-ETIMEDOUT, wait_all(self->dev, self->objs, KINDS, ME, soon,
				       0, NULL));
	for (i = 1; i < KINDS; i++)
		ASSERT_EQ(0, object_signal(self->object[variant->order[i]]));
	for (i = 0; i < KINDS; i++)
		EXPECT_SIGNALED(self->object[i]);
}

/* Alternating signals: each moves the watch. */
TEST_F(wait_all, alternating_signals)
{
	struct waiter waiter;
	int i, objs[3];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 1, objs, 3));
	ASSERT_TRUE(start_all(&waiter, self->dev, objs, 3, ME));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, event_set(objs[i % 3], &prev));
		ASSERT_EQ(0U, prev);
		ASSERT_EQ(0, event_set(objs[(i + 1) % 3], &prev));
		ASSERT_EQ(0U, prev);
		ASSERT_EQ(0, event_reset(objs[i % 3], &prev));
		ASSERT_EQ(1U, prev);
		ASSERT_EQ(0, event_reset(objs[(i + 1) % 3], &prev));
		ASSERT_EQ(1U, prev);
	}
	EXPECT_TRUE(waiter_blocks(&waiter));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, event_set(objs[i], &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(3, count_set(objs, 3));
}

/* The same with pulses, none of which meets the other objects set. */
TEST_F(wait_all, alternating_pulses)
{
	struct waiter waiter;
	int i, objs[2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, 2));
	ASSERT_TRUE(start_all(&waiter, self->dev, objs, 2, ME));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, event_pulse(objs[i % 2], &prev));
		ASSERT_EQ(0U, prev);
	}
	EXPECT_TRUE(waiter_blocks(&waiter));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_TRUE(waiter_blocks(&waiter));
	EXPECT_EQ(0, event_pulse(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(0, count_set(objs, 2));
}

/* 64 objects in a few orders: @step is odd, so it visits every place. */
TEST_F(wait_all, blocked_on_64)
{
	static const __u32 steps[] = { 1, 63, 31, 37 };
	int objs[NTSYNC_MAX_WAIT_COUNT];
	int alert = event_create(self->dev, 0, 0);
	struct waiter waiter;
	__u32 i, prev;
	size_t pass;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (pass = 0; pass < ARRAY_SIZE(steps); pass++) {
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
						 NTSYNC_IOC_WAIT_ALL, objs,
						 NTSYNC_MAX_WAIT_COUNT, ME,
						 pass % 2 ? alert : 0));
		for (i = 1; i <= NTSYNC_MAX_WAIT_COUNT; i++) {
			ASSERT_TRUE(waiter_blocks(&waiter));
			ASSERT_EQ(0, event_set(objs[i * steps[pass] % 64],
					       &prev));
			ASSERT_EQ(0U, prev);
		}
		ASSERT_EQ(0, waiter_join(&waiter));
		ASSERT_EQ(0U, waiter.args.index);
		ASSERT_EQ(0, count_set(objs, NTSYNC_MAX_WAIT_COUNT));
	}
}

/*
 * Two waits lack the same object.  When it is signaled each lacks another one, the only one that
 * is not in both sets: if they went on to the same object, a signal would be lost.
 */
TEST_F(wait_all, sets_that_differ_in_one_place)
{
	int objs[NTSYNC_MAX_WAIT_COUNT], own[2];
	struct waiter waiter[2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 1, objs, NTSYNC_MAX_WAIT_COUNT));
	ASSERT_EQ(0, create_events(self->dev, 0, own, 2));
	for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
		ASSERT_EQ(0, event_set(objs[i], &prev));
	for (int place = 0; place < NTSYNC_MAX_WAIT_COUNT; place += work(1, 3)) {
		int gate = objs[(place + 1) % NTSYNC_MAX_WAIT_COUNT];
		int common = objs[place];

		ASSERT_EQ(0, event_reset(gate, &prev));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, event_set(own[i], &prev));
			objs[place] = own[i];
			ASSERT_TRUE(start_all(&waiter[i], self->dev, objs, NTSYNC_MAX_WAIT_COUNT,
					      ME));
			ASSERT_EQ(0, event_reset(own[i], &prev));
		}
		objs[place] = common;
		ASSERT_EQ(0, event_set(gate, &prev));
		/* The one that waits last first. */
		for (int i = 1; i >= 0; i--) {
			ASSERT_EQ(0, event_set(own[i], &prev));
			ASSERT_EQ(0, count_set(&own[i], 1));
			ASSERT_EQ(0, waiter_join(&waiter[i]));
		}
	}
}

TEST_F(wait_all, blocked_with_every_count)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct waiter waiter;
	__u32 i, count, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		ASSERT_TRUE(start_all(&waiter, self->dev, objs, count, ME));
		for (i = 1; i < count; i++)
			ASSERT_EQ(0, event_set(objs[i], &prev));
		ASSERT_TRUE(waiter_blocks(&waiter));
		ASSERT_EQ((int)count - 1, count_set(objs, count));
		ASSERT_EQ(0, event_set(objs[0], &prev));
		ASSERT_EQ(0, waiter_join(&waiter));
		ASSERT_EQ(0, count_set(objs, count));
	}
}

/* A wait for all comes before a wait for any that began earlier. */
TEST_F(wait_all, goes_before_any)
{
	struct waiter any, all;
	int objs[2];
	__u32 prev;
	int last;

	for (last = 0; last < 2; last++) {
		ASSERT_EQ(0, create_events(self->dev, 0, objs, 2));
		ASSERT_TRUE(start_any(&any, self->dev, &objs[last], 1, ME));
		ASSERT_TRUE(start_all(&all, self->dev, objs, 2, OTHER));
		EXPECT_EQ(0, event_set(objs[!last], &prev));
		EXPECT_TRUE(waiter_blocks(&all));
		EXPECT_EQ(0, event_set(objs[last], &prev));
		EXPECT_EQ(0, waiter_join(&all));
		EXPECT_TRUE(waiter_blocks(&any));
		EXPECT_EQ(0, count_set(objs, 2));
		EXPECT_EQ(0, event_set(objs[last], &prev));
		EXPECT_EQ(0, waiter_join(&any));
	}
}

/* The same for a mutex that is handed over. */
TEST_F(wait_all, goes_before_any_for_a_mutex)
{
	int objs[2] = { mutex_create(self->dev, THIRD, 1),
			event_create(self->dev, 1, 1) };
	struct waiter any, all;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	ASSERT_TRUE(start_any(&any, self->dev, objs, 1, ME));
	ASSERT_TRUE(start_all(&all, self->dev, objs, 2, OTHER));
	EXPECT_EQ(0, mutex_unlock(objs[0], THIRD, NULL));
	EXPECT_EQ(0, waiter_join(&all));
	EXPECT_TRUE(waiter_blocks(&any));
	EXPECT_MUTEX(OTHER, 1, objs[0]);
	EXPECT_EQ(0, mutex_kill(objs[0], OTHER));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&any));
	EXPECT_MUTEX(ME, 1, objs[0]);
}

/* A wait for all that cannot be satisfied leaves its objects to others. */
TEST_F(wait_all, unsatisfied_does_not_hold_up_any)
{
	struct waiter any, all;
	int objs[2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, 2));
	ASSERT_TRUE(start_all(&all, self->dev, objs, 2, OTHER));
	ASSERT_TRUE(start_any(&any, self->dev, objs, 2, ME));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&any));
	EXPECT_EQ(1U, any.args.index);
	EXPECT_TRUE(waiter_blocks(&all));
	EXPECT_EQ(0, count_set(objs, 2));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_TRUE(waiter_blocks(&all));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&all));
	EXPECT_EQ(0, count_set(objs, 2));
}

/* Three waits, each for two of three objects. */
TEST_F(wait_all, competing_for_three)
{
	static const int pair[3][2] = { { 0, 1 }, { 1, 2 }, { 0, 2 } };
	struct waiter waiter[3];
	int i, objs[3], set[2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, 3));
	for (i = 0; i < 3; i++) {
		set[0] = objs[pair[i][0]];
		set[1] = objs[pair[i][1]];
		ASSERT_TRUE(start_all(&waiter[i], self->dev, set, 2, ME));
	}
	EXPECT_EQ(0, event_set(objs[2], &prev));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(waiter_blocks(&waiter[i]));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, waiter_join(&waiter[2]));
	EXPECT_EQ(0, count_set(objs, 3));

	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, event_set(objs[2], &prev) ?:
		     event_reset(objs[0], &prev));
	EXPECT_TRUE(waiter_blocks(&waiter[0]));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&waiter[1]));
	EXPECT_TRUE(waiter_blocks(&waiter[0]));
	EXPECT_EQ(0, count_set(objs, 3));

	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, waiter_join(&waiter[0]));
	EXPECT_EQ(0, count_set(objs, 3));
}

/* Two waits for the same set are served in the order in which they began. */
TEST_F(wait_all, competing_for_the_same)
{
	struct waiter first, second;
	int objs[2], reversed[2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, 2));
	reversed[0] = objs[1];
	reversed[1] = objs[0];
	ASSERT_TRUE(start_all(&first, self->dev, objs, 2, ME));
	ASSERT_TRUE(start_all(&second, self->dev, reversed, 2, OTHER));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&first));
	EXPECT_TRUE(waiter_blocks(&second));
	EXPECT_EQ(0, count_set(objs, 2));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, waiter_join(&second));
	EXPECT_EQ(0, count_set(objs, 2));
}

/* One signal satisfies as many as it can, not just the first. */
TEST_F(wait_all, one_manual_event_completes_several)
{
	int i, objs[2], gate;
	struct waiter waiter[3];
	__u32 prev;

	gate = event_create(self->dev, 1, 0);
	ASSERT_LE(0, gate);
	for (i = 0; i < 3; i++) {
		objs[0] = event_create(self->dev, 0, i != 1);
		objs[1] = gate;
		ASSERT_LE(0, objs[0]);
		ASSERT_TRUE(start_all(&waiter[i], self->dev, objs, 2, ME));
	}
	EXPECT_EQ(0, event_pulse(gate, &prev));
	EXPECT_EQ(0, waiter_join(&waiter[0]));
	EXPECT_EQ(0, waiter_join(&waiter[2]));
	EXPECT_TRUE(waiter_blocks(&waiter[1]));
	EXPECT_EVENT(1, 0, gate);
}

TEST_F(wait_all, one_release_completes_several)
{
	struct waiter waiter[3];
	int i, objs[2], gate;
	__u32 value = 3;

	gate = sem_create(self->dev, 0, 3);
	ASSERT_LE(0, gate);
	for (i = 0; i < 3; i++) {
		objs[i == 2] = gate;
		objs[i != 2] = event_create(self->dev, 0, i != 1);
		ASSERT_LE(0, objs[i != 2]);
		ASSERT_TRUE(start_all(&waiter[i], self->dev, objs, 2, ME));
	}
	EXPECT_EQ(0, sem_release(gate, &value));
	EXPECT_EQ(0U, value);
	EXPECT_EQ(0, waiter_join(&waiter[0]));
	EXPECT_EQ(0, waiter_join(&waiter[2]));
	EXPECT_TRUE(waiter_blocks(&waiter[1]));
	EXPECT_SEM(1, 3, gate);
}

/* A mutex is signaled for one wait and not for another, by owner. */
TEST_F(wait_all, own_mutex_is_signaled)
{
	int objs[2] = { mutex_create(self->dev, ME, 1),
			event_create(self->dev, 0, 0) };
	struct waiter mine, others;
	__u32 prev;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	ASSERT_TRUE(start_all(&others, self->dev, objs, 2, OTHER));
	ASSERT_TRUE(start_all(&mine, self->dev, objs, 2, ME));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&mine));
	EXPECT_MUTEX(ME, 2, objs[0]);
	EXPECT_EVENT(0, 0, objs[1]);
	EXPECT_TRUE(waiter_blocks(&others));

	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, mutex_unlock(objs[0], ME, NULL));
	EXPECT_TRUE(waiter_blocks(&others));
	EXPECT_EQ(0, mutex_unlock(objs[0], ME, NULL));
	EXPECT_EQ(0, waiter_join(&others));
	EXPECT_MUTEX(OTHER, 1, objs[0]);
	EXPECT_EVENT(0, 0, objs[1]);
}

/*
 * A signal satisfies two waits, and the first one acquires the alert of the other: a mutex,
 * which is signaled only for its owner.
 */
TEST_F(wait_all, alert_acquired_in_the_same_step)
{
	int objs[2] = { event_create(self->dev, 1, 0),
			mutex_create(self->dev, ME, 1) };
	struct waiter first, second;
	__u32 prev;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	ASSERT_TRUE(start_all(&first, self->dev, objs, 2, ME));
	ASSERT_TRUE(waiter_start_blocked(&second, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 1, OTHER,
					 objs[1]));
	ASSERT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EQ(0, waiter_join(&first));
	EXPECT_EQ(0, waiter_join(&second));
	EXPECT_EQ(0U, second.args.index);
	EXPECT_EVENT(1, 1, objs[0]);
	EXPECT_MUTEX(ME, 2, objs[1]);
}

static void abandoned_among(struct __test_metadata *_metadata, int dev,
			    int count, int place)
{
	int objs[NTSYNC_MAX_WAIT_COUNT], events[NTSYNC_MAX_WAIT_COUNT];
	int mutex = mutex_create(dev, OTHER, 1);
	__u32 index = GARBAGE;

	ASSERT_LE(0, mutex);
	for (int i = 0; i < count; i++) {
		events[i] = event_create(dev, 0, i != place);
		ASSERT_LE(0, events[i]);
		objs[i] = i == place ? mutex : events[i];
	}
	ASSERT_EQ(0, mutex_kill(mutex, OTHER));
	EXPECT_EQ(-EOWNERDEAD, poll_all(dev, objs, count, &index));
	EXPECT_EQ(0, index);
	EXPECT_MUTEX(ME, 1, mutex);
	EXPECT_EQ(0, count_set(events, count));
	for (int i = 0; i < count; i++)
		ASSERT_EQ(0, event_set(events[i], &(__u32){ 0 }));
	EXPECT_EQ(0, poll_all(dev, objs, count, NULL));
	EXPECT_MUTEX(ME, 2, mutex);
	close(mutex);
	for (int i = 0; i < count; i++)
		close(events[i]);
}

/*
 * An abandoned mutex is reported, whether it is the first, the last or another one of few or
 * many objects, and all the others are acquired too.
 */
TEST_F(wait_all, abandoned_mutex_among_others)
{
	static const int counts[] = { 2, 9, 10, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		abandoned_among(_metadata, self->dev, counts[i], 0);
		abandoned_among(_metadata, self->dev, counts[i], counts[i] / 2);
		abandoned_among(_metadata, self->dev, counts[i], counts[i] - 1);
	}
}

/* A mutex that was signaled becomes unsignaled for the wait, and must be watched again. */
TEST_F(wait_all, mutex_changes_hands_meanwhile)
{
	int objs[2] = { mutex_create(self->dev, 0, 0),
			event_create(self->dev, 0, 0) };
	struct waiter waiter;
	__u32 prev;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	ASSERT_TRUE(start_all(&waiter, self->dev, objs, 2, ME));
	EXPECT_EQ(0, wait_any(self->dev, objs, 1, OTHER, 0, 0, NULL));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_TRUE(waiter_blocks(&waiter));
	EXPECT_EQ(0, mutex_unlock(objs[0], OTHER, NULL));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_MUTEX(ME, 1, objs[0]);
	EXPECT_EVENT(0, 0, objs[1]);
}

TEST_F(wait_all, recursion_limit_is_unsignaled)
{
	int objs[2] = { event_create(self->dev, 0, 1),
			mutex_create(self->dev, ME, UINT32_MAX) };
	struct waiter waiter;
	__u32 prev = GARBAGE;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, objs, 2, NULL));
	EXPECT_EVENT(0, 1, objs[0]);
	ASSERT_TRUE(start_all(&waiter, self->dev, objs, 2, ME));
	EXPECT_EVENT(0, 1, objs[0]);
	EXPECT_EQ(0, mutex_unlock(objs[1], ME, &prev));
	EXPECT_EQ(UINT32_MAX, prev);
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EVENT(0, 0, objs[0]);
	EXPECT_MUTEX(ME, UINT32_MAX, objs[1]);
}

/* If one of two owners is dead, acquiring both mutexes reports it. */
TEST_F(wait_all, two_mutexes_from_two_owners)
{
	int objs[2] = { mutex_create(self->dev, OTHER, 2),
			mutex_create(self->dev, THIRD, 1) };
	struct waiter waiter;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	ASSERT_TRUE(start_all(&waiter, self->dev, objs, 2, ME));
	EXPECT_EQ(0, mutex_unlock(objs[0], OTHER, NULL));
	EXPECT_EQ(0, mutex_unlock(objs[0], OTHER, NULL));
	EXPECT_TRUE(waiter_blocks(&waiter));
	EXPECT_MUTEX(0, 0, objs[0]);
	EXPECT_EQ(0, mutex_kill(objs[1], THIRD));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&waiter));
	EXPECT_EQ(0U, waiter.args.index);
	EXPECT_MUTEX(ME, 1, objs[0]);
	EXPECT_MUTEX(ME, 1, objs[1]);
	EXPECT_EQ(0, poll_all(self->dev, objs, 2, NULL));
	EXPECT_MUTEX(ME, 2, objs[0]);
	EXPECT_MUTEX(ME, 2, objs[1]);
}

/* No other thread may see that only a part of the set has been acquired. */
struct taker {
	int dev;
	const int *objs;
	__u32 owner;
	__u32 rounds;
	atomic_uint taken;
	atomic_uint strange;
};

static void *take_main(void *data)
{
	struct taker *taker = data;
	__u32 i, prev;
	int ret;

	for (i = 0; i < taker->rounds; i++) {
		ret = wait_all(taker->dev, taker->objs, 2, taker->owner,
			       FOREVER, 0, NULL);
		if (ret) {
			atomic_fetch_add(&taker->strange, 1);
			break;
		}
		/* While we have both, no other thread can have either. */
		atomic_fetch_add(&taker->taken, 1);
		if (event_set(taker->objs[i % 2], &prev) || prev)
			atomic_fetch_add(&taker->strange, 1);
		if (event_set(taker->objs[!(i % 2)], &prev) || prev)
			atomic_fetch_add(&taker->strange, 1);
	}
	return NULL;
}

TEST_F(wait_all, threads_take_turns)
{
	struct taker taker[3] = {};
	pthread_t thread[3];
	int i, objs[2][2];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs[0], 2));
	objs[1][0] = objs[0][1];
	objs[1][1] = objs[0][0];
	for (i = 0; i < 3; i++) {
		taker[i].dev = self->dev;
		taker[i].objs = objs[i % 2];
		taker[i].owner = i + 1;
		taker[i].rounds = work(2000, 50);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, take_main,
					    &taker[i]));
	}
	EXPECT_EQ(0, event_set(objs[0][1], &prev));
	EXPECT_EQ(0, event_set(objs[0][0], &prev));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		EXPECT_EQ(taker[i].rounds, atomic_load(&taker[i].taken));
		EXPECT_EQ(0U, atomic_load(&taker[i].strange));
	}
	EXPECT_EQ(2, count_set(objs[0], 2));
}

TEST_HARNESS_MAIN
