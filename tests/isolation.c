// SPDX-License-Identifier: GPL-2.0
/* Instances: each open file of the device is separate from all others. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "passing.h"
#include "task.h"
#include "world.h"

FIXTURE(isolation) {
	struct world mine;
	struct world theirs;
};

FIXTURE_VARIANT(isolation) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(isolation, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(isolation, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(isolation)
{
	ASSERT_EQ(0, world_create(&self->mine));
	ASSERT_EQ(0, world_create(&self->theirs));
	world_remember(&self->mine);
	world_remember(&self->theirs);
}

FIXTURE_TEARDOWN(isolation)
{
	world_destroy(&self->mine);
	world_destroy(&self->theirs);
}

TEST_F(isolation, objects_of_another_instance)
{
	__u32 index;
	int i, fd;

	for (i = 0; i < THINGS; i++) {
		fd = self->theirs.object[i].fd;
		EXPECT_EQ(-EINVAL, wait_call(self->mine.dev, variant->request,
					     &fd, 1, ME, 0, 0, &index));
		EXPECT_EQ(UINT32_MAX, index);
		EXPECT_EQ(-EINVAL, wait_call(self->mine.dev, variant->request,
					     &fd, 1, ME, FOREVER, 0, NULL));
		fd = self->mine.object[i].fd;
		EXPECT_EQ(-EINVAL, wait_call(self->theirs.dev, variant->request,
					     &fd, 1, ME, 0, 0, NULL));
	}
	EXPECT_NO_CHANGE(&self->mine);
	EXPECT_NO_CHANGE(&self->theirs);
}

TEST_F(isolation, alert_of_another_instance)
{
	int i, alert, fd = self->mine.object[AUTO_SET].fd;
	__u32 index;

	for (i = 0; i < THINGS; i++) {
		alert = self->theirs.object[i].fd;
		EXPECT_EQ(-EINVAL, wait_call(self->mine.dev, variant->request,
					     &fd, 1, ME, 0, alert, &index));
		EXPECT_EQ(UINT32_MAX, index);
		EXPECT_EQ(-EINVAL, wait_call(self->mine.dev, variant->request,
					     NULL, 0, ME, 0, alert, &index));
		EXPECT_EQ(UINT32_MAX, index);
	}
	EXPECT_NO_CHANGE(&self->mine);
	EXPECT_NO_CHANGE(&self->theirs);
}

TEST_F(isolation, sets_of_two_instances)
{
	int objs[3] = {
		self->mine.object[THE_SEM].fd, self->mine.object[AUTO_SET].fd,
		self->theirs.object[THE_SEM].fd,
	};
	int place, mine;

	for (place = 2; place >= 0; place--) {
		EXPECT_EQ(-EINVAL, wait_call(self->mine.dev, variant->request,
					     objs, 3, ME, 0, 0, NULL));
		EXPECT_EQ(-EINVAL, wait_call(self->theirs.dev, variant->request,
					     objs, 3, ME, 0, 0, NULL));
		if (!place)
			break;
		mine = objs[place - 1];
		objs[place - 1] = objs[place];
		objs[place] = mine;
	}
	EXPECT_NO_CHANGE(&self->mine);
	EXPECT_NO_CHANGE(&self->theirs);
}

/* The same owner in two instances is two owners. */
TEST_F(isolation, owners_are_per_instance)
{
	int mine = self->mine.object[THE_MUTEX].fd;
	int theirs = self->theirs.object[THE_MUTEX].fd;

	EXPECT_EQ(0, mutex_kill(mine, ME));
	EXPECT_ABANDONED(mine);
	EXPECT_NO_CHANGE(&self->theirs);
	EXPECT_EQ(0, wait_call(self->theirs.dev, variant->request, &theirs, 1,
			       ME, 0, 0, NULL));
	EXPECT_MUTEX(ME, 3, theirs);
}

/* Calls on an object work in a process that cannot wait for it. */
TEST_F(isolation, object_ioctls_need_no_instance)
{
	int fd = self->theirs.object[AUTO_SET].fd;
	struct waiter waiter;
	__u32 prev = GARBAGE;

	EXPECT_EQ(0, event_reset(fd, &prev));
	EXPECT_EQ(1U, prev);
	ASSERT_TRUE(waiter_start_blocked(&waiter, self->theirs.dev,
					 variant->request, &fd, 1, ME, 0));
	EXPECT_EQ(0, close(self->mine.dev));
	EXPECT_EQ(0, event_set(fd, &prev));
	EXPECT_EQ(0, waiter_join(&waiter));
	self->mine.dev = -1;
}

/* Another descriptor of the same open file is the same instance. */
TEST_F(isolation, same_instance_by_dup)
{
	int dev = dup(self->mine.dev), fd = self->mine.object[AUTO_SET].fd;
	int other_fd = dup(fd), created;

	ASSERT_LE(0, dev);
	ASSERT_LE(0, other_fd);
	EXPECT_EQ(0, wait_call(dev, variant->request, &other_fd, 1, ME, FOREVER,
			       0, NULL));
	EXPECT_EVENT(0, 0, fd);
	created = event_create(dev, 0, 1);
	ASSERT_LE(0, created);
	EXPECT_EQ(0, wait_call(self->mine.dev, variant->request, &created, 1,
			       ME, FOREVER, 0, NULL));
	EXPECT_EVENT(0, 0, created);
}

/* Opening the device again, under any name, creates a new instance. */
TEST_F(isolation, other_instance_by_opening_again)
{
	int dev, fd = self->mine.object[AUTO_SET].fd;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->mine.dev);
	dev = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, dev);
	EXPECT_EQ(-EINVAL, wait_call(dev, variant->request, &fd, 1, ME, 0, 0,
				     NULL));
	EXPECT_EVENT(0, 1, fd);
}

/* The exit status of a child whose checks passed. */
#define CHILD_OK 200

/* As in a server that drops its privileges. */
TEST_F(isolation, same_instance_by_fork)
{
	int fd = self->mine.object[AUTO_SET].fd;
	pid_t pid = fork_child();

	if (!pid) {
		int created = event_create(self->mine.dev, 0, 1);
		int objs[2] = { fd, created };
		int ret = getuid() ? 0 : become_nobody();

		ret = ret ?: wait_all(self->mine.dev, objs, 2, OTHER, FOREVER, 0, NULL);
		_exit(ret ? -ret : CHILD_OK);
	}
	EXPECT_EQ(CHILD_OK, child_exit_code(pid));
	EXPECT_EVENT(0, 0, fd);
}

/* Another process ends a wait of this one. */
TEST_F(isolation, woken_by_a_child)
{
	int fd = self->mine.object[MANUAL_UNSET].fd;
	struct waiter waiter;
	pid_t pid;

	ASSERT_TRUE(waiter_start_blocked(&waiter, self->mine.dev,
					 variant->request, &fd, 1, ME, 0));
	pid = fork_child();
	if (!pid) {
		__u32 prev;
		int ret = event_set(fd, &prev);

		_exit(ret ? -ret : CHILD_OK);
	}
	EXPECT_EQ(CHILD_OK, child_exit_code(pid));
	EXPECT_EQ(0, waiter_join(&waiter));
}

#define PASSED 2

/* As in Wine: the server passes the device and objects to clients, here of another user. */
TEST_F(isolation, same_instance_by_descriptor_passing)
{
	int fds[PASSED] = { self->mine.dev, self->mine.object[AUTO_SET].fd };
	int sockets[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "this kernel has no sockets");
	}
	pid = fork_child();
	if (!pid) {
		int got[PASSED], ret;

		/* Keep only received descriptors, not inherited ones. */
		world_destroy(&self->mine);
		world_destroy(&self->theirs);
		ret = receive_fds(sockets[1], got, PASSED) ?:
		      (getuid() ? 0 : become_nobody()) ?:
		      wait_call(got[0], variant->request, &got[1], 1, OTHER,
				FOREVER, 0, NULL);
		_exit(ret ? -ret : CHILD_OK);
	}
	EXPECT_EQ(0, send_fds(sockets[0], fds, PASSED));
	EXPECT_EQ(CHILD_OK, child_exit_code(pid));
	EXPECT_EVENT(0, 0, self->mine.object[AUTO_SET].fd);
}

/* Passed objects cannot be used with another instance. */
TEST_F(isolation, passed_objects_belong_to_their_instance)
{
	int fds[PASSED] = { self->mine.dev, self->mine.object[AUTO_SET].fd };
	int sockets[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "this kernel has no sockets");
	}
	pid = fork_child();
	if (!pid) {
		int got[PASSED], ret;

		ret = receive_fds(sockets[1], got, PASSED) ?:
		      wait_call(self->theirs.dev, variant->request, &got[1], 1,
				OTHER, FOREVER, 0, NULL);
		_exit(ret == -EINVAL ? CHILD_OK : 1);
	}
	EXPECT_EQ(0, send_fds(sockets[0], fds, PASSED));
	EXPECT_EQ(CHILD_OK, child_exit_code(pid));
	EXPECT_EVENT(0, 1, self->mine.object[AUTO_SET].fd);
}

TEST_HARNESS_MAIN
