// SPDX-License-Identifier: GPL-2.0
/* Semaphores: counting, its limits, and which waits a release ends. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"

#define WAITERS 5

FIXTURE(sem) {
	int dev;
};

FIXTURE_SETUP(sem)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(sem)
{
	close(self->dev);
}

FIXTURE(sem_created) {
	int dev;
};

FIXTURE_VARIANT(sem_created) {
	__u32 count;
	__u32 max;
};

FIXTURE_VARIANT_ADD(sem_created, zero_of_zero) { 0, 0 };
FIXTURE_VARIANT_ADD(sem_created, zero_of_one) { 0, 1 };
FIXTURE_VARIANT_ADD(sem_created, one_of_one) { 1, 1 };
FIXTURE_VARIANT_ADD(sem_created, two_of_three) { 2, 3 };
FIXTURE_VARIANT_ADD(sem_created, zero_of_most) { 0, UINT32_MAX };
FIXTURE_VARIANT_ADD(sem_created, sign_bit) { 0x7fffffff, 0x80000000 };
FIXTURE_VARIANT_ADD(sem_created, most_but_one) { UINT32_MAX - 1, UINT32_MAX };
FIXTURE_VARIANT_ADD(sem_created, most_of_most) { UINT32_MAX, UINT32_MAX };

FIXTURE_SETUP(sem_created)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(sem_created)
{
	close(self->dev);
}

TEST_F(sem_created, reads_as_created)
{
	int fd = sem_create(self->dev, variant->count, variant->max);

	ASSERT_LE(0, fd);
	EXPECT_SEM(variant->count, variant->max, fd);
	EXPECT_SEM(variant->count, variant->max, fd);
}

TEST_F(sem_created, releases_up_to_max)
{
	__u32 room = variant->max - variant->count;
	int fd = sem_create(self->dev, variant->count, variant->max);
	__u32 value;

	ASSERT_LE(0, fd);

	value = 0;
	EXPECT_EQ(0, sem_release(fd, &value));
	EXPECT_EQ(variant->count, value);
	EXPECT_SEM(variant->count, variant->max, fd);

	if (room < UINT32_MAX) {
		value = room + 1;
		EXPECT_EQ(-EOVERFLOW, sem_release(fd, &value));
		EXPECT_EQ(room + 1, value);
		EXPECT_SEM(variant->count, variant->max, fd);
	}

	value = room;
	EXPECT_EQ(0, sem_release(fd, &value));
	EXPECT_EQ(variant->count, value);
	EXPECT_SEM(variant->max, variant->max, fd);
}

/* The sum must not be computed in 32 bits. */
TEST_F(sem_created, overflow_does_not_wrap)
{
	int fd = sem_create(self->dev, variant->count, variant->max);
	__u32 value = UINT32_MAX;

	ASSERT_LE(0, fd);
	if (!variant->count && variant->max == UINT32_MAX) {
		EXPECT_EQ(0, sem_release(fd, &value));
		EXPECT_EQ(0, value);
		EXPECT_SEM(UINT32_MAX, UINT32_MAX, fd);
		return;
	}

	EXPECT_EQ(-EOVERFLOW, sem_release(fd, &value));
	EXPECT_EQ(UINT32_MAX, value);
	EXPECT_SEM(variant->count, variant->max, fd);
}

TEST_F(sem_created, wait_takes_one)
{
	int fd = sem_create(self->dev, variant->count, variant->max);
	__u32 index = GARBAGE;

	ASSERT_LE(0, fd);
	if (variant->count) {
		EXPECT_EQ(0, poll_any(self->dev, &fd, 1, &index));
		EXPECT_EQ(0U, index);
		EXPECT_SEM(variant->count - 1, variant->max, fd);
	} else {
		EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, &index));
		EXPECT_SEM(0, variant->max, fd);
	}
}

TEST_F(sem, count_beyond_max_is_refused)
{
	EXPECT_EQ(-EINVAL, sem_create(self->dev, 1, 0));
	EXPECT_EQ(-EINVAL, sem_create(self->dev, 3, 2));
	EXPECT_EQ(-EINVAL, sem_create(self->dev, UINT32_MAX, 0));
	EXPECT_EQ(-EINVAL, sem_create(self->dev, UINT32_MAX, UINT32_MAX - 1));
	EXPECT_EQ(-EINVAL, sem_create(self->dev, 0x80000000, 0x7fffffff));
}

TEST_F(sem, waits_drain_it)
{
	int fd = sem_create(self->dev, 3, 5);
	__u32 left, value = 2;

	ASSERT_LE(0, fd);
	for (left = 3; left; left--) {
		EXPECT_SEM(left, 5, fd);
		EXPECT_EQ(0, poll_any(self->dev, &fd, 1, NULL));
	}
	EXPECT_SEM(0, 5, fd);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, NULL));
	EXPECT_EQ(-ETIMEDOUT, poll_all(self->dev, &fd, 1, NULL));
	EXPECT_SEM(0, 5, fd);

	EXPECT_EQ(0, sem_release(fd, &value));
	EXPECT_EQ(0U, value);
	EXPECT_EQ(0, poll_all(self->dev, &fd, 1, NULL));
	EXPECT_EQ(0, poll_any(self->dev, &fd, 1, NULL));
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, NULL));
}

/* A semaphore has no owner: each wait takes one more. */
TEST_F(sem, every_owner_takes_its_own)
{
	int fd = sem_create(self->dev, 2, 2);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, wait_any(self->dev, &fd, 1, ME, 0, 0, NULL));
	EXPECT_EQ(0, wait_any(self->dev, &fd, 1, OTHER, 0, 0, NULL));
	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, &fd, 1, ME, 0, 0, NULL));
}

TEST_F(sem, max_of_zero_is_never_signaled)
{
	int fd = sem_create(self->dev, 0, 0);
	__u32 value = 1;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, NULL));
	EXPECT_EQ(-EOVERFLOW, sem_release(fd, &value));
	EXPECT_EQ(1U, value);
	EXPECT_EQ(-ETIMEDOUT, poll_any(self->dev, &fd, 1, NULL));
}

FIXTURE(sem_waiters) {
	int dev;
	int fd;
	struct waiter waiter[WAITERS];
};

/* How many waits are served must not depend on which waits. */
FIXTURE_VARIANT(sem_waiters) {
	unsigned long request[2];
};

FIXTURE_VARIANT_ADD(sem_waiters, any) {
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ANY },
};

FIXTURE_VARIANT_ADD(sem_waiters, all) {
	{ NTSYNC_IOC_WAIT_ALL, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(sem_waiters, any_and_all) {
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_SETUP(sem_waiters)
{
	int i;

	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->fd = sem_create(self->dev, 0, WAITERS);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < WAITERS; i++)
		ASSERT_TRUE(waiter_start_blocked(&self->waiter[i], self->dev,
						 variant->request[i % 2],
						 &self->fd, 1, i + 1, 0));
}

FIXTURE_TEARDOWN(sem_waiters)
{
	close(self->fd);
	close(self->dev);
}

static int blocked_waiters(struct waiter *waiter, int count)
{
	int i, blocked = 0;

	for (i = 0; i < count; i++)
		blocked += waiter_blocks(&waiter[i]);
	return blocked;
}

TEST_F(sem_waiters, release_wakes_as_many_as_it_adds)
{
	__u32 add, value;
	int left = WAITERS;

	for (add = 0; add <= 2; add++) {
		value = add;
		EXPECT_EQ(0, sem_release(self->fd, &value));
		EXPECT_EQ(0U, value);
		left -= add;
		EXPECT_EQ(left, blocked_waiters(self->waiter, WAITERS));
		EXPECT_SEM(0, WAITERS, self->fd);
	}
}

TEST_F(sem_waiters, what_no_one_waits_for_stays)
{
	__u32 value = WAITERS - 1;
	int i;

	EXPECT_EQ(0, sem_release(self->fd, &value));
	value = WAITERS;
	EXPECT_EQ(0, sem_release(self->fd, &value));
	EXPECT_EQ(0U, value);
	for (i = 0; i < WAITERS; i++) {
		ASSERT_EQ(0, waiter_join(&self->waiter[i]));
		EXPECT_EQ(0U, self->waiter[i].args.index);
	}
	EXPECT_SEM(WAITERS - 1, WAITERS, self->fd);
}

/* The limit applies to the count before waiters take from it. */
TEST_F(sem_waiters, overflow_wakes_no_one)
{
	__u32 value = WAITERS + 1;

	EXPECT_EQ(-EOVERFLOW, sem_release(self->fd, &value));
	EXPECT_EQ(WAITERS + 1U, value);
	EXPECT_EQ(WAITERS, blocked_waiters(self->waiter, WAITERS));
	EXPECT_SEM(0, WAITERS, self->fd);

	value = UINT32_MAX;
	EXPECT_EQ(-EOVERFLOW, sem_release(self->fd, &value));
	EXPECT_EQ(UINT32_MAX, value);
	EXPECT_EQ(WAITERS, blocked_waiters(self->waiter, WAITERS));
}

TEST_F(sem_waiters, reading_wakes_no_one)
{
	EXPECT_SEM(0, WAITERS, self->fd);
	EXPECT_EQ(WAITERS, blocked_waiters(self->waiter, WAITERS));
}

/* Each release passes its unit to a waiter, so the count never reaches the maximum. */
TEST_F(sem, waiters_make_room)
{
	struct waiter waiter[3];
	int fd = sem_create(self->dev, 0, 1);
	__u32 value;
	int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(waiter_start_blocked(&waiter[i], self->dev,
						 NTSYNC_IOC_WAIT_ANY, &fd, 1,
						 ME, 0));
	for (i = 3; i > 0; i--) {
		EXPECT_EQ(i, blocked_waiters(waiter, 3));
		value = 1;
		EXPECT_EQ(0, sem_release(fd, &value));
		EXPECT_EQ(0U, value);
		EXPECT_SEM(0, 1, fd);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, waiter_join(&waiter[i]));

	value = 1;
	EXPECT_EQ(0, sem_release(fd, &value));
	EXPECT_EQ(0U, value);
	value = 1;
	EXPECT_EQ(-EOVERFLOW, sem_release(fd, &value));
	EXPECT_EQ(1U, value);
}

TEST_HARNESS_MAIN
