// SPDX-License-Identifier: GPL-2.0
/* Alerts: one more object that ends a wait, and comes after all others. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"

/* Every kind of object as the alert of both kinds of wait. */
FIXTURE(alert) {
	int dev;
	struct object alert;
	struct object object[2];
	int objs[2];
	struct waiter waiter;
};

FIXTURE_VARIANT(alert) {
	unsigned long request;
	enum kind kind;
};

FIXTURE_VARIANT_ADD(alert, any_sem) { NTSYNC_IOC_WAIT_ANY, SEM };
FIXTURE_VARIANT_ADD(alert, any_mutex) { NTSYNC_IOC_WAIT_ANY, MUTEX };
FIXTURE_VARIANT_ADD(alert, any_auto) { NTSYNC_IOC_WAIT_ANY, AUTO_EVENT };
FIXTURE_VARIANT_ADD(alert, any_manual) { NTSYNC_IOC_WAIT_ANY, MANUAL_EVENT };
FIXTURE_VARIANT_ADD(alert, all_sem) { NTSYNC_IOC_WAIT_ALL, SEM };
FIXTURE_VARIANT_ADD(alert, all_mutex) { NTSYNC_IOC_WAIT_ALL, MUTEX };
FIXTURE_VARIANT_ADD(alert, all_auto) { NTSYNC_IOC_WAIT_ALL, AUTO_EVENT };
FIXTURE_VARIANT_ADD(alert, all_manual) { NTSYNC_IOC_WAIT_ALL, MANUAL_EVENT };

FIXTURE_SETUP(alert)
{
	int i;

	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->alert = object_create(self->dev, variant->kind);
	ASSERT_LE(0, self->alert.fd);
	for (i = 0; i < 2; i++) {
		self->object[i] = object_create(self->dev,
						i ? MUTEX : AUTO_EVENT);
		self->objs[i] = self->object[i].fd;
		ASSERT_LE(0, self->objs[i]);
	}
}

FIXTURE_TEARDOWN(alert)
{
	close(self->objs[0]);
	close(self->objs[1]);
	close(self->alert.fd);
	close(self->dev);
}

/* Signals the objects of the wait; returns the expected index. */
static __u32 satisfy(const struct object *object, unsigned long request)
{
	if (request == NTSYNC_IOC_WAIT_ALL)
		return object_signal(object[0]) ?: object_signal(object[1]);
	return object_signal(object[1]) ?: 1;
}

TEST_F(alert, ends_a_poll)
{
	__u32 index;

	EXPECT_EQ(-ETIMEDOUT, wait_call(self->dev, variant->request, self->objs,
					2, ME, 0, self->alert.fd, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_UNSIGNALED(self->alert);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_call(self->dev, variant->request, self->objs, 2, ME,
			       0, self->alert.fd, &index));
	EXPECT_EQ(2U, index);
	EXPECT_ACQUIRED(self->alert, ME);
	EXPECT_UNSIGNALED(self->object[0]);
	EXPECT_UNSIGNALED(self->object[1]);
}

TEST_F(alert, ends_a_wait_at_once)
{
	__u32 index;

	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_call(self->dev, variant->request, self->objs, 2, ME,
			       FOREVER, self->alert.fd, &index));
	EXPECT_EQ(2U, index);
	EXPECT_ACQUIRED(self->alert, ME);
}

TEST_F(alert, ends_a_blocked_wait)
{
	int i;

	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 variant->request, self->objs, 2, ME,
					 self->alert.fd));
	EXPECT_EQ(0, object_signal(self->alert));
	ASSERT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(2U, self->waiter.args.index);
	EXPECT_ACQUIRED(self->alert, ME);

	/* Objects that are signaled afterwards stay signaled. */
	for (i = 0; i < 2; i++) {
		EXPECT_UNSIGNALED(self->object[i]);
		EXPECT_EQ(0, object_signal(self->object[i]));
		EXPECT_SIGNALED(self->object[i]);
	}
}

/* Objects come before the alert, which then stays signaled. */
TEST_F(alert, is_kept_by_a_poll)
{
	__u32 expected = satisfy(self->object, variant->request);
	__u32 index;

	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_call(self->dev, variant->request, self->objs, 2, ME,
			       0, self->alert.fd, &index));
	EXPECT_EQ(expected, index);
	EXPECT_ACQUIRED(self->object[1], ME);
	EXPECT_SIGNALED(self->alert);
}

/* Few and many objects are acquired in different ways. */
TEST_F(alert, is_kept_by_sets_of_each_size)
{
	int objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 index;

	ASSERT_EQ(0, create_events(self->dev, 0, objs, NTSYNC_MAX_WAIT_COUNT));
	ASSERT_EQ(0, object_signal(self->alert));
	for (int count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		int acquired = variant->request == NTSYNC_IOC_WAIT_ALL ? count : 1;

		for (int i = 0; i < count; i++)
			ASSERT_EQ(0, event_set(objs[i], &index));
		ASSERT_EQ(0, wait_call(self->dev, variant->request, objs, count,
				       ME, 0, self->alert.fd, &index));
		EXPECT_EQ(0, index);
		EXPECT_EQ(count - acquired, count_set(objs, count));
		EXPECT_SIGNALED(self->alert);
	}
}

TEST_F(alert, is_kept_without_timeout)
{
	__u32 expected, index;

	EXPECT_EQ(0, object_signal(self->alert));
	expected = satisfy(self->object, variant->request);
	EXPECT_EQ(0, wait_call(self->dev, variant->request, self->objs, 2, ME,
			       FOREVER, self->alert.fd, &index));
	EXPECT_EQ(expected, index);
	EXPECT_ACQUIRED(self->object[1], ME);
	EXPECT_SIGNALED(self->alert);
}

TEST_F(alert, is_kept_after_a_blocked_wait)
{
	__u32 expected;

	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 variant->request, self->objs, 2, ME,
					 self->alert.fd));
	expected = satisfy(self->object, variant->request);
	ASSERT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(expected, self->waiter.args.index);
	EXPECT_ACQUIRED(self->object[1], ME);
	EXPECT_UNSIGNALED(self->alert);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_SIGNALED(self->alert);
}

TEST_F(alert, does_not_outlive_a_timeout)
{
	__u64 soon = clock_ns(CLOCK_MONOTONIC) + 1000000;

	EXPECT_EQ(-ETIMEDOUT, wait_call(self->dev, variant->request, self->objs,
					2, ME, soon, self->alert.fd, NULL));
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_SIGNALED(self->alert);
}

/* The index of the alert is the count, in the largest wait too. */
TEST_F(alert, index_is_the_count)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 count, index;

	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 0);
		ASSERT_LE(0, objs[i]);
	}
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		self->alert = object_create(self->dev, variant->kind);
		ASSERT_EQ(0, object_signal(self->alert));
		ASSERT_EQ(0, wait_call(self->dev, variant->request, objs, count,
				       ME, FOREVER, self->alert.fd, &index));
		ASSERT_EQ(count, index);
		EXPECT_ACQUIRED(self->alert, ME);
		ASSERT_EQ(0, close(self->alert.fd));
	}
}

TEST_F(alert, index_is_the_count_when_blocked)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT];
	__u32 count;

	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->dev, 0, 0);
		ASSERT_LE(0, objs[i]);
	}
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		if (count > 9 && count < NTSYNC_MAX_WAIT_COUNT - 1)
			continue;
		self->alert = object_create(self->dev, variant->kind);
		ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
						 variant->request, objs, count,
						 ME, self->alert.fd));
		ASSERT_EQ(0, object_signal(self->alert));
		ASSERT_EQ(0, waiter_join(&self->waiter));
		ASSERT_EQ(count, self->waiter.args.index);
		EXPECT_ACQUIRED(self->alert, ME);
		ASSERT_EQ(0, close(self->alert.fd));
	}
}

/* Two waits can share an alert, which is acquired like any object. */
TEST_F(alert, is_shared)
{
	struct waiter second;

	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 variant->request, self->objs, 2, ME,
					 self->alert.fd));
	ASSERT_TRUE(waiter_start_blocked(&second, self->dev, variant->request,
					 self->objs, 2, OTHER, self->alert.fd));
	EXPECT_EQ(0, object_signal(self->alert));
	ASSERT_EQ(0, waiter_join(&self->waiter));
	if (variant->kind == MANUAL_EVENT) {
		EXPECT_EQ(0, waiter_join(&second));
		EXPECT_EQ(2U, second.args.index);
	} else {
		EXPECT_TRUE(waiter_blocks(&second));
	}
	EXPECT_ACQUIRED(self->alert, ME);
}

/* The alert of one wait is an object of another. */
TEST_F(alert, is_an_object_elsewhere)
{
	struct waiter second;

	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 variant->request, self->objs, 2, ME,
					 self->alert.fd));
	ASSERT_TRUE(waiter_start_blocked(&second, self->dev, variant->request,
					 &self->alert.fd, 1, ME,
					 self->objs[0]));
	EXPECT_EQ(0, object_signal(self->object[0]));
	if (variant->request == NTSYNC_IOC_WAIT_ANY) {
		EXPECT_EQ(0, waiter_join(&self->waiter));
		EXPECT_EQ(0U, self->waiter.args.index);
		EXPECT_TRUE(waiter_blocks(&second));
	} else {
		EXPECT_EQ(0, waiter_join(&second));
		EXPECT_EQ(1U, second.args.index);
		EXPECT_TRUE(waiter_blocks(&self->waiter));
	}
	EXPECT_UNSIGNALED(self->object[0]);
}

FIXTURE(alert_of) {
	int dev;
	int object;
	struct waiter waiter;
};

FIXTURE_VARIANT(alert_of) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(alert_of, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(alert_of, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(alert_of)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->object = event_create(self->dev, 0, 0);
	ASSERT_LE(0, self->object);
}

FIXTURE_TEARDOWN(alert_of)
{
	close(self->object);
	close(self->dev);
}

TEST_F(alert_of, abandoned_mutex)
{
	int alert = mutex_create(self->dev, OTHER, 3);
	__u32 index;

	ASSERT_LE(0, alert);
	EXPECT_EQ(0, mutex_kill(alert, OTHER));
	EXPECT_EQ(-EOWNERDEAD, wait_call(self->dev, variant->request,
					 &self->object, 1, ME, 0, alert,
					 &index));
	EXPECT_EQ(1U, index);
	EXPECT_MUTEX(ME, 1, alert);
}

TEST_F(alert_of, abandoned_mutex_not_needed)
{
	int alert = mutex_create(self->dev, OTHER, 1);
	__u32 prev, index;

	ASSERT_LE(0, alert);
	EXPECT_EQ(0, mutex_kill(alert, OTHER));
	EXPECT_EQ(0, event_set(self->object, &prev));
	EXPECT_EQ(0, wait_call(self->dev, variant->request, &self->object, 1,
			       ME, 0, alert, &index));
	EXPECT_EQ(0U, index);
	EXPECT_ABANDONED(alert);
}

TEST_F(alert_of, death_ends_a_blocked_wait)
{
	int alert = mutex_create(self->dev, OTHER, 3);

	ASSERT_LE(0, alert);
	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 variant->request, &self->object, 1, ME,
					 alert));
	EXPECT_EQ(0, mutex_unlock(alert, OTHER, NULL));
	EXPECT_TRUE(waiter_blocks(&self->waiter));
	EXPECT_EQ(0, mutex_kill(alert, OTHER));
	EXPECT_EQ(-EOWNERDEAD, waiter_join(&self->waiter));
	EXPECT_EQ(1U, self->waiter.args.index);
	EXPECT_MUTEX(ME, 1, alert);
}

/* A mutex that the waiter owns is an alert that is signaled from the start. */
TEST_F(alert_of, own_mutex)
{
	int alert = mutex_create(self->dev, ME, UINT32_MAX - 1);
	__u32 index;

	ASSERT_LE(0, alert);
	EXPECT_EQ(0, wait_call(self->dev, variant->request, &self->object, 1,
			       ME, FOREVER, alert, &index));
	EXPECT_EQ(1U, index);
	EXPECT_MUTEX(ME, UINT32_MAX, alert);
	EXPECT_EQ(-ETIMEDOUT, wait_call(self->dev, variant->request,
					&self->object, 1, ME, 0, alert, NULL));
	EXPECT_MUTEX(ME, UINT32_MAX, alert);
}

/* A pulse also satisfies waits that have the event as their alert at that instant. */
TEST_F(alert_of, pulse)
{
	int i, alert;
	__u32 prev;

	for (i = 0; i < 2; i++) {
		alert = event_create(self->dev, i, 0);
		ASSERT_LE(0, alert);
		ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
						 variant->request,
						 &self->object, 1, ME, alert));
		EXPECT_EQ(0, event_pulse(alert, &prev));
		EXPECT_EQ(0U, prev);
		EXPECT_EQ(0, waiter_join(&self->waiter));
		EXPECT_EQ(1U, self->waiter.args.index);
		EXPECT_EVENT(i, 0, alert);
	}
}

TEST_F(alert_of, manual_event_ends_every_wait)
{
	int i, alert = event_create(self->dev, 1, 1);
	__u32 index;

	ASSERT_LE(0, alert);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, wait_call(self->dev, variant->request,
				       &self->object, 1, ME, FOREVER, alert,
				       &index));
		EXPECT_EQ(1U, index);
	}
	EXPECT_EVENT(1, 1, alert);
}

/* A wait takes one from the semaphore, as an object or as the alert. */
TEST_F(alert_of, semaphore_counts_alerts)
{
	int alert = sem_create(self->dev, 2, 2);
	int i;

	ASSERT_LE(0, alert);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, wait_call(self->dev, variant->request,
				       &self->object, 1, ME, FOREVER, alert,
				       NULL));
	EXPECT_EQ(-ETIMEDOUT, wait_call(self->dev, variant->request,
					&self->object, 1, ME, 0, alert, NULL));
	EXPECT_SEM(0, 2, alert);
}

/* 0 is no alert, even if descriptor 0 is a signaled object. */
TEST_F(alert_of, descriptor_zero)
{
	int alert = event_create(self->dev, 0, 1);

	ASSERT_LE(0, alert);
	ASSERT_EQ(0, dup2(alert, 0));
	EXPECT_EQ(-ETIMEDOUT, wait_call(self->dev, variant->request,
					&self->object, 1, ME, 0, 0, NULL));
	EXPECT_EVENT(0, 1, alert);
}

/* A wait for all that the alert ends does not change objects that are signaled. */
TEST_F(alert_of, all_that_lacks_one)
{
	int objs[3] = { sem_create(self->dev, 1, 1), self->object,
			mutex_create(self->dev, 0, 0) };
	int alert = event_create(self->dev, 0, 1);
	__u32 index;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[2]);
	ASSERT_LE(0, alert);
	EXPECT_EQ(0, wait_all(self->dev, objs, 3, ME, FOREVER, alert, &index));
	EXPECT_EQ(3U, index);
	EXPECT_SEM(1, 1, objs[0]);
	EXPECT_MUTEX(0, 0, objs[2]);
	EXPECT_EVENT(0, 0, alert);
}

TEST_F(alert_of, all_that_lacks_one_blocked)
{
	int objs[3] = { sem_create(self->dev, 1, 1), self->object,
			mutex_create(self->dev, 0, 0) };
	int alert = event_create(self->dev, 0, 0);
	__u32 prev;

	ASSERT_LE(0, objs[0]);
	ASSERT_LE(0, objs[2]);
	ASSERT_LE(0, alert);
	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 NTSYNC_IOC_WAIT_ALL, objs, 3, ME,
					 alert));
	EXPECT_EQ(0, event_set(alert, &prev));
	EXPECT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(3U, self->waiter.args.index);
	EXPECT_EQ(0, event_set(self->object, &prev));
	EXPECT_EVENT(0, 1, self->object);
	EXPECT_SEM(1, 1, objs[0]);
	EXPECT_MUTEX(0, 0, objs[2]);
	EXPECT_EVENT(0, 0, alert);
}

FIXTURE(alert_alone) {
	int dev;
	struct object alert;
	struct waiter waiter;
};

FIXTURE_VARIANT(alert_alone) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(alert_alone, sem) { SEM };
FIXTURE_VARIANT_ADD(alert_alone, mutex) { MUTEX };
FIXTURE_VARIANT_ADD(alert_alone, auto_event) { AUTO_EVENT };
FIXTURE_VARIANT_ADD(alert_alone, manual_event) { MANUAL_EVENT };

FIXTURE_SETUP(alert_alone)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	self->alert = object_create(self->dev, variant->kind);
	ASSERT_LE(0, self->alert.fd);
}

FIXTURE_TEARDOWN(alert_alone)
{
	close(self->alert.fd);
	close(self->dev);
}

/* A wait for any of no objects is ended by the alert... */
TEST_F(alert_alone, ends_any_of_zero)
{
	__u32 index;

	EXPECT_EQ(-ETIMEDOUT, wait_any(self->dev, NULL, 0, ME, 0,
				       self->alert.fd, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_any(self->dev, NULL, 0, ME, 0, self->alert.fd,
			      &index));
	EXPECT_EQ(0U, index);
	EXPECT_ACQUIRED(self->alert, ME);
}

TEST_F(alert_alone, ends_blocked_any_of_zero)
{
	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, NULL, 0, ME,
					 self->alert.fd));
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(0U, self->waiter.args.index);
	EXPECT_ACQUIRED(self->alert, ME);
}

/* ... a wait for all of no objects is satisfied without it. */
TEST_F(alert_alone, is_kept_by_all_of_zero)
{
	__u32 index;

	EXPECT_EQ(0, wait_all(self->dev, NULL, 0, ME, FOREVER, self->alert.fd,
			      &index));
	EXPECT_EQ(0U, index);
	EXPECT_UNSIGNALED(self->alert);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_all(self->dev, NULL, 0, ME, FOREVER, self->alert.fd,
			      &index));
	EXPECT_EQ(0U, index);
	EXPECT_SIGNALED(self->alert);
}

/* If the alert is an object too, its place among the objects counts. */
TEST_F(alert_alone, repeats_an_object_of_any)
{
	const int objs[2] = { event_create(self->dev, 0, 0), self->alert.fd };
	__u32 index;

	ASSERT_LE(0, objs[0]);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, wait_any(self->dev, objs, 2, ME, FOREVER, self->alert.fd,
			      &index));
	EXPECT_EQ(1U, index);
	EXPECT_ACQUIRED(self->alert, ME);
}

TEST_F(alert_alone, repeats_an_object_of_blocked_any)
{
	const int objs[2] = { event_create(self->dev, 0, 0), self->alert.fd };

	ASSERT_LE(0, objs[0]);
	ASSERT_TRUE(waiter_start_blocked(&self->waiter, self->dev,
					 NTSYNC_IOC_WAIT_ANY, objs, 2, ME,
					 self->alert.fd));
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(0, waiter_join(&self->waiter));
	EXPECT_EQ(1U, self->waiter.args.index);
	EXPECT_ACQUIRED(self->alert, ME);
}

/* In a wait for all no object may repeat, including the alert. */
TEST_F(alert_alone, repeats_an_object_of_all)
{
	const int objs[2] = { event_create(self->dev, 1, 1), self->alert.fd };
	__u32 index;

	ASSERT_LE(0, objs[0]);
	EXPECT_EQ(-EINVAL, wait_all(self->dev, objs, 2, ME, FOREVER,
				    self->alert.fd, &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_EQ(0, object_signal(self->alert));
	EXPECT_EQ(-EINVAL, wait_all(self->dev, objs, 2, ME, 0, self->alert.fd,
				    &index));
	EXPECT_EQ(-EINVAL, wait_all(self->dev, objs, 2, ME, 0, objs[0],
				    &index));
	EXPECT_EQ(UINT32_MAX, index);
	EXPECT_SIGNALED(self->alert);
}

TEST_HARNESS_MAIN
