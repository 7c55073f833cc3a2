// SPDX-License-Identifier: GPL-2.0
/* Waits for any: which object ends the wait, and that no other one changes. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"

#define CROWD	80

FIXTURE(wait_any) {
	int dev;
};

FIXTURE_SETUP(wait_any)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(wait_any)
{
	close(self->dev);
}

TEST_F(wait_any, zero_objects_time_out)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;
	__u32 index;

	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, NULL, 0, ME, 0, 0, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, NULL, 0, ME, soon, 0, NULL));
	EXPECT_LE(soon, clock_ns(CLOCK_MONOTONIC));
}

/* The array is not read when it is empty. */
TEST_F(wait_any, zero_objects_have_no_array)
{
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, (int *)1, 0, ME, 0, 0, NULL));
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, (int *)-1, 0, ME, 0, 0,
				       NULL));
}

TEST_F(wait_any, zero_objects_block)
{
	struct waiter waiter;

	EXPECT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, NULL, 0, ME, 0));
}

TEST_F(wait_any, every_count_and_place)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 count, place, index, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		ASSERT_EQ(-ETIMEDOUT, poll_any(self->dev, objs, count, &index));
		ASSERT_EQ(UINT32_MAX, index);
		for (place = 0; place < count; place++) {
			ASSERT_EQ(0, event_set(objs[place], &prev));
			ASSERT_EQ(0, poll_any(self->dev, objs, count, &index));
			ASSERT_EQ(place, index);
		}
	}
}

/* Objects that are not in the array do not matter. */
TEST_F(wait_any, count_is_the_end)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 count, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	EXPECT_EQ(0, event_set(objs[NTSYNC_MAX_WAIT_COUNT - 1], &prev));
	for (count = 1; count < NTSYNC_MAX_WAIT_COUNT; count++)
		EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, objs, count, NULL));
	EXPECT_EQ(0, poll_any(self->dev, objs, count, NULL));
}

TEST_F(wait_any, more_than_the_most_is_refused)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT + 1];
	__u32 index;

	for (i = 0; i <= NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 1);
		ASSERT_LE(0, objs[i]);
	}
	EXPECT_EQ(-EINVAL, poll_any(self->dev, objs, NTSYNC_MAX_WAIT_COUNT + 1,
				    &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(-EINVAL, poll_any(self->dev, objs, UINT32_MAX, &index));
	EXPECT_EQ(-EINVAL, poll_any(self->dev, objs, 0x80000001, &index));
	EXPECT_EQ(NTSYNC_MAX_WAIT_COUNT + 1,
		  count_set(objs, NTSYNC_MAX_WAIT_COUNT + 1));
}

/* Each wait takes the first signaled object in the array. */
TEST_F(wait_any, drains_in_order)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 i, index, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (i = NTSYNC_MAX_WAIT_COUNT; i--;)
		EXPECT_EQ(0, event_set(objs[i], &prev));
	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		ASSERT_EQ(0, poll_any(self->dev, objs, NTSYNC_MAX_WAIT_COUNT,
				      &index));
		ASSERT_EQ(i, index);
		ASSERT_EQ(NTSYNC_MAX_WAIT_COUNT - 1 - (int)i,
			  count_set(objs, NTSYNC_MAX_WAIT_COUNT));
	}
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, objs, NTSYNC_MAX_WAIT_COUNT,
				       NULL));
}

/* Only index is written, and only on success. */
TEST_F(wait_any, writes_only_the_index)
{
	int objs[2] = { sem_create(self->dev, 0, 2), event_create(self->dev,
								  1, 1) };
	struct ntsync_wait_args before = {
		.timeout = 12345,
		.objs = (uintptr_t)objs,
		.count = 2,
		.index = GARBAGE,
		.owner = 0x87654321,
		.alert = objs[1],
	};
	struct ntsync_wait_args args = before;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, ntsync_call(self->dev, NTSYNC_IOC_WAIT_ANY, &args));
	before.index = 1;
	EXPECT_EQ(0, memcmp(&before, &args, sizeof(args)));

	args.alert = 0;
	args.count = 1;
	args.index = GARBAGE;
	before = args;
	EXPECT_EQ(-ETIMEDOUT, ntsync_call(self->dev, NTSYNC_IOC_WAIT_ANY,
					  &args));
	EXPECT_EQ(0, memcmp(&before, &args, sizeof(args)));
}

/* Two objects of each pair of kinds. */
FIXTURE(any_pair) {
	int dev;
	struct object object[2];
	int objs[2];
};

FIXTURE_VARIANT(any_pair) {
	enum kind kind[2];
};

FIXTURE_VARIANT_ADD(any_pair, sem_sem) { { SEM, SEM } };
FIXTURE_VARIANT_ADD(any_pair, sem_mutex) { { SEM, MUTEX } };
FIXTURE_VARIANT_ADD(any_pair, sem_manual) { { SEM, MANUAL_EVENT } };
FIXTURE_VARIANT_ADD(any_pair, mutex_mutex) { { MUTEX, MUTEX } };
FIXTURE_VARIANT_ADD(any_pair, mutex_auto) { { MUTEX, AUTO_EVENT } };
FIXTURE_VARIANT_ADD(any_pair, mutex_sem) { { MUTEX, SEM } };
FIXTURE_VARIANT_ADD(any_pair, auto_auto) { { AUTO_EVENT, AUTO_EVENT } };
FIXTURE_VARIANT_ADD(any_pair, auto_sem) { { AUTO_EVENT, SEM } };
FIXTURE_VARIANT_ADD(any_pair, manual_manual) { { MANUAL_EVENT, MANUAL_EVENT } };
FIXTURE_VARIANT_ADD(any_pair, manual_mutex) { { MANUAL_EVENT, MUTEX } };

FIXTURE_SETUP(any_pair)
{
	int i;

	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	for (i = 0; i < 2; i++) {
		self->object[i] = object_create(self->dev, variant->kind[i]);
		ASSERT_LE(0, self->object[i].fd);
		self->objs[i] = self->object[i].fd;
	}
}

FIXTURE_TEARDOWN(any_pair)
{
	close(self->objs[0]);
	close(self->objs[1]);
	close(self->dev);
}

TEST_F(any_pair, none_signaled)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;
	__u32 index;

	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, self->objs, 2, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, self->objs, 2, ME, soon, 0,
				       &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_UNSIGNALED(self->object[0]);
	EXPECT_UNSIGNALED(self->object[1]);

	/* A wait that has given up does not take a later signal. */
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_SIGNALED(self->object[0]);
	EXPECT_SIGNALED(self->object[1]);
}

TEST_F(any_pair, one_signaled)
{
	__u32 i, index;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, object_signal(self->object[i]));
		EXPECT_EQ(0, poll_any(self->dev, self->objs, 2, &index));
		EXPECT_EQ(i, index);
		EXPECT_ACQUIRED(self->object[i], ME);
		if (i == 0) {
			EXPECT_UNSIGNALED(self->object[1]);
			/* Make the first one unavailable to us again. */
			self->object[0] = object_create(self->dev, SEM);
			self->objs[0] = self->object[0].fd;
		}
	}
	EXPECT_UNSIGNALED(self->object[0]);
}

TEST_F(any_pair, both_signaled)
{
	__u32 index;

	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, poll_any(self->dev, self->objs, 2, &index));
	EXPECT_EQ(0U, index);
	EXPECT_ACQUIRED(self->object[0], ME);
	EXPECT_SIGNALED(self->object[1]);
}

/* Without a timeout, a signaled object is taken immediately and in order as well. */
TEST_F(any_pair, both_signaled_without_timeout)
{
	__u32 index;

	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, wait_any(self->dev, self->objs, 2, ME, FOREVER, 0,
			      &index));
	EXPECT_EQ(0U, index);
	EXPECT_ACQUIRED(self->object[0], ME);
	EXPECT_SIGNALED(self->object[1]);
}

TEST_F(any_pair, blocked)
{
	struct waiter waiter;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
						 NTSYNC_IOC_WAIT_ANY,
						 &self->objs[i], 2 - i, ME, 0));
		EXPECT_EQ(0, object_signal(self->object[i]));
		EXPECT_EQ(0, waiter_join(&waiter));
		EXPECT_EQ(0U, waiter.args.index);
		EXPECT_ACQUIRED(self->object[i], ME);
	}
}

TEST_F(any_pair, blocked_by_the_first)
{
	struct waiter waiter;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, self->objs, 2, ME,
					 0));
	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(1U, waiter.args.index);
	EXPECT_ACQUIRED(self->object[1], ME);
	EXPECT_UNSIGNALED(self->object[0]);

	/* The wait is over: it takes no second object. */
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_SIGNALED(self->object[0]);
}

/* A wait that blocked is satisfied by the object that is signaled first. */
TEST_F(any_pair, first_signal_decides)
{
	struct waiter waiter;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, self->objs, 2, ME,
					 0));
	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(1U, waiter.args.index);
	EXPECT_ACQUIRED(self->object[1], ME);
	EXPECT_SIGNALED(self->object[0]);
}

/* If an object is listed several times, its lowest place counts. */
TEST_F(any_pair, repeats)
{
	int a = self->objs[0], b = self->objs[1];
	const int objs[6] = { b, a, a, b, a, a };
	__u32 index;

	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, objs, 6, NULL));
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, wait_any(self->dev, objs, 6, ME, 0, a, &index));
	EXPECT_EQ(1U, index);
	EXPECT_ACQUIRED(self->object[0], ME);
	EXPECT_UNSIGNALED(self->object[1]);
}

TEST_F(any_pair, repeats_blocked)
{
	int a = self->objs[0], b = self->objs[1];
	const int objs[6] = { b, a, a, b, a, a };
	struct waiter waiter;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, objs, 6, ME, a));
	EXPECT_EQ(0, object_signal(self->object[0]));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(1U, waiter.args.index);
	EXPECT_ACQUIRED(self->object[0], ME);
	EXPECT_UNSIGNALED(self->object[1]);

	/* None of its six entries may still be queued. */
	EXPECT_EQ(0, object_signal(self->object[1]));
	EXPECT_SIGNALED(self->object[1]);
}

/* It is acquired once, however often it is listed. */
TEST_F(wait_any, repeats_acquire_once)
{
	int sem = sem_create(self->dev, 3, 3);
	int mutex = mutex_create(self->dev, ME, 1);
	const int sems[3] = { sem, sem, sem };
	const int mutexes[3] = { mutex, mutex, mutex };

	ASSERT_LE(0, sem);
	ASSERT_LE(0, mutex);
	EXPECT_EQ(0, wait_any(self->dev, sems, 3, ME, 0, sem, NULL));
	EXPECT_SEM(2, 3, sem);
	EXPECT_EQ(0, wait_any(self->dev, mutexes, 3, ME, 0, mutex, NULL));
	EXPECT_MUTEX(ME, 2, mutex);
}

TEST_F(wait_any, repeats_acquire_once_when_woken)
{
	int sem = sem_create(self->dev, 0, 3);
	const int sems[3] = { sem, sem, sem };
	struct waiter waiter;
	__u32 value = 3;

	ASSERT_LE(0, sem);
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, sems, 3, ME,
					 sem));
	EXPECT_EQ(0, sem_release(sem, &value));
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(0U, waiter.args.index);
	EXPECT_SEM(2, 3, sem);
}

/* A duplicated descriptor refers to the same object. */
TEST_F(wait_any, repeats_by_dup)
{
	int a = event_create(self->dev, 0, 1);
	int objs[3] = { event_create(self->dev, 0, 0), dup(a), a };
	__u32 index;

	ASSERT_LE(0, a);
	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, poll_any(self->dev, objs, 3, &index));
	EXPECT_EQ(1U, index);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, objs, 3, &index));
}

TEST_F(wait_any, one_object_64_times)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT];
	int a = event_create(self->dev, 0, 0);
	struct waiter waiter;
	__u32 prev, index;

	ASSERT_LE(0, a);
	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
		objs[i] = a;
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, objs,
					 NTSYNC_MAX_WAIT_COUNT, ME, a));
	EXPECT_EQ(0, event_set(a, &prev));
	EXPECT_EQ(0U, prev);
	EXPECT_EQ(0, waiter_join(&waiter));
	EXPECT_EQ(0U, waiter.args.index);
	EXPECT_EVENT(0, 0, a);

	EXPECT_EQ(0, event_set(a, &prev));
	EXPECT_EQ(0, wait_any(self->dev, objs, NTSYNC_MAX_WAIT_COUNT, ME,
			      FOREVER, a, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EVENT(0, 0, a);
}

/* However long a queue is, one signal serves all of it. */
TEST_F(wait_any, thousands_of_places)
{
	unsigned long requests[2] = { NTSYNC_IOC_SEM_RELEASE, NTSYNC_IOC_EVENT_SET };
	int fds[2] = { sem_create(self->dev, 0, CROWD), event_create(self->dev, 1, 0) };
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct waiter crowd[CROWD];
	__u32 value = CROWD;

	for (int kind = 0; kind < 2; kind++) {
		ASSERT_LE(0, fds[kind]);
		for (int i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
			objs[i] = fds[kind];
		for (int i = 0; i < CROWD; i++)
			ASSERT_TRUE(waiter_start_blocked(&crowd[i], self->dev,
							 NTSYNC_IOC_WAIT_ANY, objs,
							 NTSYNC_MAX_WAIT_COUNT, ME,
							 fds[kind]));
		ASSERT_EQ(0, ntsync_call(fds[kind], requests[kind], &value));
		for (int i = 0; i < CROWD; i++) {
			ASSERT_FALSE(waiter_blocks(&crowd[i]));
			EXPECT_EQ(0, waiter_join(&crowd[i]));
		}
	}
	EXPECT_SEM(0, CROWD, fds[0]);
	EXPECT_EVENT(1, 1, fds[1]);
}

/* Small and large waits may be stored differently, so try all sizes. */
TEST_F(wait_any, blocked_with_every_count)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct waiter waiter;
	__u32 count, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
						 NTSYNC_IOC_WAIT_ANY, objs,
						 count, ME, 0));
		ASSERT_EQ(0, event_set(objs[count - 1], &prev));
		ASSERT_EQ(0, waiter_join(&waiter));
		ASSERT_EQ(count - 1, waiter.args.index);
		ASSERT_EQ(0, count_set(objs, NTSYNC_MAX_WAIT_COUNT));
	}
}

TEST_F(wait_any, blocked_with_every_place)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	struct waiter waiter;
	__u32 i, place, prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	for (place = 0; place < NTSYNC_MAX_WAIT_COUNT; place += 7) {
		ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
						 NTSYNC_IOC_WAIT_ANY, objs,
						 NTSYNC_MAX_WAIT_COUNT, ME, 0));
		ASSERT_EQ(0, event_set(objs[place], &prev));
		ASSERT_EQ(0, waiter_join(&waiter));
		ASSERT_EQ(place, waiter.args.index);
		/* It must have left the queues of all other objects. */
		for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
			ASSERT_EQ(0, event_set(objs[i], &prev));
		ASSERT_EQ(NTSYNC_MAX_WAIT_COUNT,
			  count_set(objs, NTSYNC_MAX_WAIT_COUNT));
		for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++)
			ASSERT_EQ(0, event_reset(objs[i], &prev));
	}
}

/* A mutex is signaled for its owner, even if others wait before it. */
TEST_F(wait_any, own_mutex_is_signaled)
{
	int objs[2] = { mutex_create(self->dev, OTHER, 1),
			mutex_create(self->dev, ME, 1) };
	__u32 index;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, wait_any(self->dev, objs, 2, ME, FOREVER, 0, &index));
	EXPECT_EQ(1U, index);
	EXPECT_MUTEX(OTHER, 1, objs[0]);
	EXPECT_MUTEX(ME, 2, objs[1]);
	EXPECT_EQ(0, wait_any(self->dev, objs, 2, OTHER, FOREVER, 0, &index));
	EXPECT_EQ(0U, index);
	EXPECT_MUTEX(OTHER, 2, objs[0]);
	EXPECT_MUTEX(ME, 2, objs[1]);
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, objs, 2, THIRD, 0, 0, NULL));
}

/* At the recursion limit even the owner takes the next object. */
TEST_F(wait_any, mutex_at_its_limit_is_passed_over)
{
	int objs[2] = { mutex_create(self->dev, ME, UINT32_MAX),
			sem_create(self->dev, 1, 1) };
	__u32 index;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, poll_any(self->dev, objs, 2, &index));
	EXPECT_EQ(1U, index);
	EXPECT_MUTEX(ME, UINT32_MAX, objs[0]);
	EXPECT_SEM(0, 1, objs[1]);
}

/* Waits that share objects: each signal satisfies one of them. */
TEST_F(wait_any, overlapping_waits)
{
	struct waiter first, second;
	int objs[3];
	__u32 prev;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, 3));
	ASSERT_TRUE(waiter_start_blocked(&first, self->dev, NTSYNC_IOC_WAIT_ANY,
					 objs, 2, ME, 0));
	ASSERT_TRUE(waiter_start_blocked(&second, self->dev,
					 NTSYNC_IOC_WAIT_ANY, objs + 1, 2,
					 OTHER, 0));
	EXPECT_EQ(0, event_set(objs[1], &prev));
	EXPECT_EQ(0, waiter_join(&first));
	EXPECT_EQ(1U, first.args.index);
	EXPECT_TRUE(waiter_blocks(&second));
	EXPECT_EQ(0, event_set(objs[0], &prev));
	EXPECT_EVENT(0, 1, objs[0]);
	EXPECT_TRUE(waiter_blocks(&second));
	EXPECT_EQ(0, event_set(objs[2], &prev));
	EXPECT_EQ(0, waiter_join(&second));
	EXPECT_EQ(1U, second.args.index);
	EXPECT_EQ(1, count_set(objs, 3));
}

/* Descriptor 0 is an object like any other. */
TEST_F(wait_any, descriptor_zero)
{
	int a = event_create(self->dev, 0, 1);
	const int objs[1] = { 0 };
	__u32 index;

	ASSERT_LE(0, a);
	ASSERT_EQ(0, dup2(a, 0));
	EXPECT_EQ(0, poll_any(self->dev, objs, 1, &index));
	EXPECT_EQ(0U, index);
	EXPECT_EVENT(0, 0, a);
}

/* The device may be named by any descriptor of the same open file. */
TEST_F(wait_any, through_a_duplicate_of_the_device)
{
	int dev = dup(self->dev);
	int a = event_create(self->dev, 0, 1);

	ASSERT_LE(0, dev);
	ASSERT_LE(0, a);
	EXPECT_EQ(0, poll_any(dev, &a, 1, NULL));
	EXPECT_EVENT(0, 0, a);
}

TEST_HARNESS_MAIN
