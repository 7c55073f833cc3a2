// SPDX-License-Identifier: GPL-2.0
/* Mutexes: ownership, recursion, hand-over and abandonment. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"

FIXTURE(mutex) {
	int dev;
};

FIXTURE_SETUP(mutex)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(mutex)
{
	close(self->dev);
}

static int lock_any(int dev, int fd, __u32 owner)
{
	return wait_any(dev, &fd, 1, owner, 0, 0, NULL);
}

static int lock_all(int dev, int fd, __u32 owner)
{
	return wait_all(dev, &fd, 1, owner, 0, 0, NULL);
}

static bool start_locking(struct waiter *waiter, int dev, int fd, __u32 owner)
{
	return waiter_start_blocked(waiter, dev, NTSYNC_IOC_WAIT_ANY, &fd, 1,
				    owner, 0);
}

FIXTURE(mutex_created) {
	int dev;
	int fd;
};

FIXTURE_VARIANT(mutex_created) {
	__u32 owner;
	__u32 count;
};

FIXTURE_VARIANT_ADD(mutex_created, unowned) { 0, 0 };
FIXTURE_VARIANT_ADD(mutex_created, owned) { 1, 1 };
FIXTURE_VARIANT_ADD(mutex_created, thrice) { 0x12345678, 3 };
FIXTURE_VARIANT_ADD(mutex_created, greatest_owner) { UINT32_MAX, 1 };
FIXTURE_VARIANT_ADD(mutex_created, sign_bit) { 0x80000000, 0x80000000 };
FIXTURE_VARIANT_ADD(mutex_created, most) { UINT32_MAX, UINT32_MAX };

FIXTURE_SETUP(mutex_created)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = mutex_create(self->dev, variant->owner, variant->count);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(mutex_created)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(mutex_created, reads_as_created)
{
	EXPECT_MUTEX(variant->owner, variant->count, self->fd);
	EXPECT_MUTEX(variant->owner, variant->count, self->fd);
}

TEST_F(mutex_created, only_the_owner_unlocks)
{
	__u32 stranger = variant->owner ^ 0x80000001;
	__u32 prev = GARBAGE;

	EXPECT_EQ(-EPERM, mutex_unlock(self->fd, stranger, NULL));
	EXPECT_EQ(-EINVAL, mutex_unlock(self->fd, 0, NULL));
	EXPECT_MUTEX(variant->owner, variant->count, self->fd);
	if (!variant->owner)
		return;

	EXPECT_EQ(0, mutex_unlock(self->fd, variant->owner, &prev));
	EXPECT_EQ(variant->count, prev);
	if (variant->count > 1)
		EXPECT_MUTEX(variant->owner, variant->count - 1, self->fd);
	else
		EXPECT_MUTEX(0, 0, self->fd);
}

TEST_F(mutex_created, only_the_owner_dies)
{
	__u32 stranger = variant->owner ^ 0x80000001;

	EXPECT_EQ(-EPERM, mutex_kill(self->fd, stranger));
	EXPECT_EQ(-EINVAL, mutex_kill(self->fd, 0));
	EXPECT_MUTEX(variant->owner, variant->count, self->fd);
	if (!variant->owner)
		return;

	EXPECT_EQ(0, mutex_kill(self->fd, variant->owner));
	EXPECT_ABANDONED(self->fd);
}

TEST_F(mutex_created, only_the_owner_recurses)
{
	__u32 stranger = variant->owner ^ 0x80000001;

	if (!variant->owner) {
		EXPECT_EQ(0, lock_any(self->dev, self->fd, stranger));
		EXPECT_MUTEX(stranger, 1, self->fd);
		return;
	}

	EXPECT_EQ(-ETIMEDOUT, lock_any(self->dev, self->fd, stranger));
	EXPECT_EQ(-ETIMEDOUT, lock_all(self->dev, self->fd, stranger));
	EXPECT_MUTEX(variant->owner, variant->count, self->fd);
	if (variant->count == UINT32_MAX) {
		EXPECT_EQ(-ETIMEDOUT,
			  lock_any(self->dev, self->fd, variant->owner));
		EXPECT_EQ(-ETIMEDOUT,
			  lock_all(self->dev, self->fd, variant->owner));
		EXPECT_MUTEX(variant->owner, UINT32_MAX, self->fd);
		return;
	}
	EXPECT_EQ(0, lock_any(self->dev, self->fd, variant->owner));
	EXPECT_MUTEX(variant->owner, variant->count + 1, self->fd);
	EXPECT_EQ(0, lock_all(self->dev, self->fd, variant->owner));
	EXPECT_MUTEX(variant->owner, variant->count + 2, self->fd);
}

TEST_F(mutex, owner_and_count_come_together)
{
	EXPECT_EQ(-EINVAL, mutex_create(self->dev, 0, 1));
	EXPECT_EQ(-EINVAL, mutex_create(self->dev, 1, 0));
	EXPECT_EQ(-EINVAL, mutex_create(self->dev, 0, UINT32_MAX));
	EXPECT_EQ(-EINVAL, mutex_create(self->dev, UINT32_MAX, 0));
}

TEST_F(mutex, locks_as_often_as_it_unlocks)
{
	int fd = mutex_create(self->dev, 0, 0);
	__u32 count, prev;

	ASSERT_LE(0, fd);
	for (count = 1; count <= 4; count++) {
		EXPECT_EQ(0, lock_any(self->dev, fd, ME));
		EXPECT_MUTEX(ME, count, fd);
	}
	for (count = 4; count; count--) {
		EXPECT_EQ(-ETIMEDOUT, lock_any(self->dev, fd, OTHER));
		prev = GARBAGE;
		EXPECT_EQ(0, mutex_unlock(fd, ME, &prev));
		EXPECT_EQ(count, prev);
	}
	EXPECT_MUTEX(0, 0, fd);
	EXPECT_EQ(-EPERM, mutex_unlock(fd, ME, NULL));
	EXPECT_EQ(0, lock_any(self->dev, fd, OTHER));
	EXPECT_MUTEX(OTHER, 1, fd);
	EXPECT_EQ(-EPERM, mutex_unlock(fd, ME, NULL));
	EXPECT_MUTEX(OTHER, 1, fd);
}

/* The owner is only an input of the unlock; only the count is returned. */
TEST_F(mutex, unlock_returns_only_the_count)
{
	struct ntsync_mutex_args args = { .owner = ME, .count = GARBAGE };
	int fd = mutex_create(self->dev, ME, 2);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ntsync_call(fd, NTSYNC_IOC_MUTEX_UNLOCK, &args));
	EXPECT_EQ(ME, args.owner);
	EXPECT_EQ(2U, args.count);
}

TEST_F(mutex, recursion_ends_at_the_limit)
{
	int fd = mutex_create(self->dev, ME, UINT32_MAX - 1);
	__u32 prev = GARBAGE;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, lock_any(self->dev, fd, ME));
	EXPECT_MUTEX(ME, UINT32_MAX, fd);
	EXPECT_EQ(-ETIMEDOUT, lock_any(self->dev, fd, ME));
	EXPECT_EQ(-ETIMEDOUT, lock_all(self->dev, fd, ME));
	EXPECT_MUTEX(ME, UINT32_MAX, fd);
	EXPECT_EQ(0, mutex_unlock(fd, ME, &prev));
	EXPECT_EQ(UINT32_MAX, prev);
	EXPECT_EQ(0, lock_all(self->dev, fd, ME));
	EXPECT_MUTEX(ME, UINT32_MAX, fd);
}

FIXTURE(mutex_at_limit) {
	int dev;
	int fd;
};

FIXTURE_VARIANT(mutex_at_limit) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(mutex_at_limit, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(mutex_at_limit, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(mutex_at_limit)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = mutex_create(self->dev, ME, UINT32_MAX);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(mutex_at_limit)
{
	close(self->fd);
	close(self->dev);
}

/* Below the limit the mutex is signaled again, but only for its owner. */
TEST_F(mutex_at_limit, unlock_lets_one_waiter_of_the_owner_in)
{
	struct waiter stranger, mine[2];
	__u32 prev = GARBAGE;
	int i, blocked;

	ASSERT_TRUE(waiter_start_blocked(&stranger, self->dev, variant->request,
					 &self->fd, 1, OTHER, 0));
	for (i = 0; i < 2; i++)
		ASSERT_TRUE(waiter_start_blocked(&mine[i], self->dev,
						 variant->request, &self->fd, 1,
						 ME, 0));

	EXPECT_EQ(0, mutex_unlock(self->fd, ME, &prev));
	EXPECT_EQ(UINT32_MAX, prev);
	EXPECT_MUTEX(ME, UINT32_MAX, self->fd);
	blocked = waiter_blocks(&mine[0]) + waiter_blocks(&mine[1]);
	EXPECT_EQ(1, blocked);
	EXPECT_TRUE(waiter_blocks(&stranger));

	EXPECT_EQ(0, mutex_unlock(self->fd, ME, &prev));
	EXPECT_EQ(UINT32_MAX, prev);
	EXPECT_EQ(0, waiter_join(&mine[0]));
	EXPECT_EQ(0, waiter_join(&mine[1]));
	EXPECT_MUTEX(ME, UINT32_MAX, self->fd);
	EXPECT_TRUE(waiter_blocks(&stranger));

	EXPECT_EQ(0, mutex_kill(self->fd, ME));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&stranger));
	EXPECT_MUTEX(OTHER, 1, self->fd);
}

FIXTURE(mutex_queue) {
	int dev;
	int fd;
	struct waiter other;
	struct waiter third;
};

FIXTURE_VARIANT(mutex_queue) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(mutex_queue, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(mutex_queue, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(mutex_queue)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = mutex_create(self->dev, ME, 2);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(waiter_start_blocked(&self->other, self->dev,
					 variant->request, &self->fd, 1, OTHER,
					 0));
	ASSERT_TRUE(waiter_start_blocked(&self->third, self->dev,
					 variant->request, &self->fd, 1, THIRD,
					 0));
}

FIXTURE_TEARDOWN(mutex_queue)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(mutex_queue, only_the_last_unlock_hands_over)
{
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, mutex_unlock(self->fd, ME, &prev));
	EXPECT_EQ(2U, prev);
	EXPECT_TRUE(waiter_blocks(&self->other));
	EXPECT_TRUE(waiter_blocks(&self->third));
	EXPECT_MUTEX(ME, 1, self->fd);

	EXPECT_EQ(0, mutex_unlock(self->fd, ME, &prev));
	EXPECT_EQ(1U, prev);
	EXPECT_MUTEX(OTHER, 1, self->fd);
	ASSERT_EQ(0, waiter_join(&self->other));
	EXPECT_EQ(0U, self->other.args.index);
	EXPECT_TRUE(waiter_blocks(&self->third));
	EXPECT_EQ(-EPERM, mutex_unlock(self->fd, ME, NULL));

	EXPECT_EQ(0, mutex_unlock(self->fd, OTHER, &prev));
	EXPECT_EQ(1U, prev);
	EXPECT_EQ(0, waiter_join(&self->third));
	EXPECT_MUTEX(THIRD, 1, self->fd);
	EXPECT_EQ(0, mutex_unlock(self->fd, THIRD, NULL));
	EXPECT_MUTEX(0, 0, self->fd);
}

TEST_F(mutex_queue, failing_calls_wake_no_one)
{
	EXPECT_EQ(-EPERM, mutex_unlock(self->fd, OTHER, NULL));
	EXPECT_EQ(-EINVAL, mutex_unlock(self->fd, 0, NULL));
	EXPECT_EQ(-EPERM, mutex_kill(self->fd, OTHER));
	EXPECT_EQ(-EINVAL, mutex_kill(self->fd, 0));
	EXPECT_TRUE(waiter_blocks(&self->other));
	EXPECT_TRUE(waiter_blocks(&self->third));
	EXPECT_MUTEX(ME, 2, self->fd);
}

/* Only the first to acquire it learns of the death. */
TEST_F(mutex_queue, kill_hands_over_with_the_news)
{
	EXPECT_EQ(0, mutex_kill(self->fd, ME));
	EXPECT_MUTEX(OTHER, 1, self->fd);
	ASSERT_EQ(-EOWNERDEAD, waiter_join(&self->other));
	EXPECT_EQ(0U, self->other.args.index);
	EXPECT_TRUE(waiter_blocks(&self->third));

	EXPECT_EQ(0, mutex_unlock(self->fd, OTHER, NULL));
	EXPECT_EQ(0, waiter_join(&self->third));
	EXPECT_MUTEX(THIRD, 1, self->fd);
	EXPECT_EQ(0, mutex_unlock(self->fd, THIRD, NULL));
	EXPECT_MUTEX(0, 0, self->fd);
}

TEST_F(mutex_queue, every_death_is_told)
{
	EXPECT_EQ(0, mutex_kill(self->fd, ME));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&self->other));
	EXPECT_EQ(0, mutex_kill(self->fd, OTHER));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&self->third));
	EXPECT_EQ(0, mutex_kill(self->fd, THIRD));
	EXPECT_ABANDONED(self->fd);
}

/* Threads that wait as the same owner all get in. */
TEST_F(mutex_queue, waiters_of_one_owner_enter_together)
{
	struct waiter again;

	ASSERT_TRUE(waiter_start_blocked(&again, self->dev, variant->request,
					 &self->fd, 1, OTHER, 0));
	EXPECT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	EXPECT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	EXPECT_EQ(0, waiter_join(&self->other));
	EXPECT_EQ(0, waiter_join(&again));
	EXPECT_MUTEX(OTHER, 2, self->fd);
	EXPECT_TRUE(waiter_blocks(&self->third));
}

/* An owner is any number but 0; those with the highest bit set are not negative. */
TEST_F(mutex_queue, waiters_of_each_owner_enter_together)
{
	static const __u32 owners[] = {
		0x90000000, 10, 0x80000000, 11, UINT32_MAX, 12, 0x7fffffff, 13,
	};
	const int n = ARRAY_SIZE(owners);
	struct waiter waiters[2 * ARRAY_SIZE(owners)];

	for (int i = 0; i < 2 * n; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiters[i], self->dev,
						 variant->request, &self->fd, 1,
						 owners[i % n], 0));
	ASSERT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	ASSERT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	ASSERT_EQ(0, mutex_unlock(self->fd, OTHER, NULL));
	ASSERT_EQ(0, mutex_unlock(self->fd, THIRD, NULL));
	for (int i = 0; i < n; i++) {
		struct state both = { 0, owners[i], 2 };

		ASSERT_TRUE(same_state(both, object_state((struct object) {
			MUTEX, self->fd })));
		ASSERT_EQ(0, mutex_unlock(self->fd, owners[i], NULL));
		ASSERT_EQ(0, mutex_unlock(self->fd, owners[i], NULL));
	}
	EXPECT_EQ(0, waiter_join(&self->other));
	EXPECT_EQ(0, waiter_join(&self->third));
	for (int i = 0; i < 2 * n; i++)
		EXPECT_EQ(0, waiter_join(&waiters[i]));
}

/* Only the first of them learns that the previous owner died. */
TEST_F(mutex_queue, one_of_one_owner_learns_of_a_death)
{
	struct waiter again;

	ASSERT_TRUE(waiter_start_blocked(&again, self->dev, variant->request,
					 &self->fd, 1, OTHER, 0));
	EXPECT_EQ(0, mutex_kill(self->fd, ME));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&self->other));
	EXPECT_EQ(0, waiter_join(&again));
	EXPECT_MUTEX(OTHER, 2, self->fd);
	EXPECT_TRUE(waiter_blocks(&self->third));
}

FIXTURE(abandoned) {
	int dev;
	int fd;
};

FIXTURE_VARIANT(abandoned) {
	__u32 count;
};

FIXTURE_VARIANT_ADD(abandoned, once) { 1 };
FIXTURE_VARIANT_ADD(abandoned, recursive) { 7 };
FIXTURE_VARIANT_ADD(abandoned, at_limit) { UINT32_MAX };

FIXTURE_SETUP(abandoned)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = mutex_create(self->dev, OTHER, variant->count);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mutex_kill(self->fd, OTHER));
}

FIXTURE_TEARDOWN(abandoned)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(abandoned, belongs_to_no_one)
{
	EXPECT_ABANDONED(self->fd);
	EXPECT_EQ(-EPERM, mutex_unlock(self->fd, OTHER, NULL));
	EXPECT_EQ(-EPERM, mutex_kill(self->fd, OTHER));
	EXPECT_EQ(-EPERM, mutex_kill(self->fd, ME));
	EXPECT_ABANDONED(self->fd);
}

TEST_F(abandoned, wait_any_clears_it)
{
	__u32 index = GARBAGE;

	EXPECT_EQ(-EOWNERDEAD, poll_any(self->dev, &self->fd, 1, &index));
	EXPECT_EQ(0U, index);
	EXPECT_MUTEX(ME, 1, self->fd);
	EXPECT_EQ(0, poll_any(self->dev, &self->fd, 1, NULL));
	EXPECT_MUTEX(ME, 2, self->fd);
	EXPECT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	EXPECT_EQ(0, mutex_unlock(self->fd, ME, NULL));
	EXPECT_MUTEX(0, 0, self->fd);
	EXPECT_EQ(0, poll_any(self->dev, &self->fd, 1, NULL));
}

TEST_F(abandoned, wait_all_clears_it)
{
	__u32 index = GARBAGE;

	EXPECT_EQ(-EOWNERDEAD, poll_all(self->dev, &self->fd, 1, &index));
	EXPECT_EQ(0U, index);
	EXPECT_MUTEX(ME, 1, self->fd);
	EXPECT_EQ(0, poll_all(self->dev, &self->fd, 1, NULL));
	EXPECT_MUTEX(ME, 2, self->fd);
}

/* A wait that does not sleep has the same result. */
TEST_F(abandoned, waits_without_timeout_take_it)
{
	EXPECT_EQ(-EOWNERDEAD, wait_any(self->dev, &self->fd, 1, ME, FOREVER, 0,
					NULL));
	EXPECT_EQ(0, mutex_kill(self->fd, ME));
	EXPECT_EQ(-EOWNERDEAD, wait_all(self->dev, &self->fd, 1, ME, FOREVER, 0,
					NULL));
	EXPECT_MUTEX(ME, 1, self->fd);
}

TEST_F(abandoned, mark_stays_while_others_satisfy)
{
	int objs[2] = { event_create(self->dev, 0, 1), self->fd };
	__u32 index = GARBAGE;

	ASSERT_LE(0, objs[0]);
	EXPECT_EQ(0, poll_any(self->dev, objs, 2, &index));
	EXPECT_EQ(0U, index);
	EXPECT_ABANDONED(self->fd);

	EXPECT_EQ(-EOWNERDEAD, poll_any(self->dev, objs, 2, &index));
	EXPECT_EQ(1U, index);
	EXPECT_MUTEX(ME, 1, self->fd);
}

TEST_F(abandoned, mark_stays_while_all_is_not_satisfied)
{
	int objs[2] = { self->fd, event_create(self->dev, 0, 0) };
	struct waiter waiter;

	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, objs, 2, NULL));
	EXPECT_ABANDONED(self->fd);
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 2, ME, 0));
	EXPECT_ABANDONED(self->fd);

	EXPECT_EQ(0, event_set(objs[1], &(__u32) { 0 }));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&waiter));
	EXPECT_EQ(0U, waiter.args.index);
	EXPECT_MUTEX(ME, 1, self->fd);
	EXPECT_EVENT(0, 0, objs[1]);
}

/* The place of the abandoned one in the set must not matter. */
TEST_F(abandoned, any_place_in_a_set_is_told)
{
	int place, objs[3];

	for (place = 0; place < 3; place++) {
		objs[0] = mutex_create(self->dev, 0, 0);
		objs[1] = mutex_create(self->dev, ME, 1);
		objs[2] = sem_create(self->dev, 1, 1);
		ASSERT_LE(0, objs[0]);
		ASSERT_LE(0, objs[1]);
		ASSERT_LE(0, objs[2]);
		EXPECT_EQ(0, close(objs[place]));
		objs[place] = self->fd;
		EXPECT_EQ(-EOWNERDEAD, poll_all(self->dev, objs, 3, NULL));
		EXPECT_MUTEX(ME, 1, self->fd);
		EXPECT_EQ(0, mutex_kill(self->fd, ME));
	}
}

TEST_F(abandoned, two_are_told_once)
{
	int objs[2] = { self->fd, mutex_create(self->dev, OTHER, 1) };

	ASSERT_LE(0, objs[1]);
	EXPECT_EQ(0, mutex_kill(objs[1], OTHER));
	EXPECT_EQ(-EOWNERDEAD, poll_all(self->dev, objs, 2, NULL));
	EXPECT_MUTEX(ME, 1, objs[0]);
	EXPECT_MUTEX(ME, 1, objs[1]);
	EXPECT_EQ(0, poll_all(self->dev, objs, 2, NULL));
	EXPECT_MUTEX(ME, 2, objs[0]);
	EXPECT_MUTEX(ME, 2, objs[1]);
}

TEST_F(mutex, timed_out_waiter_gets_no_mutex)
{
	int fd = mutex_create(self->dev, OTHER, 1);
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, &fd, 1, ME, soon, 0, NULL));
	EXPECT_EQ(0, mutex_unlock(fd, OTHER, NULL));
	EXPECT_MUTEX(0, 0, fd);
}

TEST_F(mutex, recursion_delays_the_hand_over)
{
	int fd = mutex_create(self->dev, ME, 1);
	struct waiter first, second;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(start_locking(&first, self->dev, fd, OTHER));
	ASSERT_TRUE(start_locking(&second, self->dev, fd, ME + 100));
	EXPECT_EQ(0, mutex_unlock(fd, ME, NULL));
	EXPECT_EQ(0, waiter_join(&first));
	EXPECT_EQ(0, lock_any(self->dev, fd, OTHER));
	EXPECT_EQ(0, mutex_unlock(fd, OTHER, NULL));
	EXPECT_TRUE(waiter_blocks(&second));
	EXPECT_EQ(0, mutex_unlock(fd, OTHER, NULL));
	EXPECT_EQ(0, waiter_join(&second));
	EXPECT_MUTEX(ME + 100, 1, fd);
}

TEST_HARNESS_MAIN
