// SPDX-License-Identifier: GPL-2.0
/* The device and its objects as files: names, modes, and what they do not support. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "waiter.h"
#include "world.h"

FIXTURE(files) {
	struct world world;
};

FIXTURE_SETUP(files)
{
	ASSERT_EQ(0, world_create(&self->world));
}

FIXTURE_TEARDOWN(files)
{
	world_destroy(&self->world);
}

TEST_F(files, device_is_for_all_users)
{
	struct stat stat;

	ASSERT_EQ(0, fstat(self->world.dev, &stat));
	EXPECT_TRUE(S_ISCHR(stat.st_mode));
	EXPECT_EQ(0666U, stat.st_mode & 07777);
}

TEST_F(files, objects_close_on_exec)
{
	int i;

	for (i = 0; i < THINGS; i++)
		EXPECT_EQ(FD_CLOEXEC, fcntl(self->world.object[i].fd, F_GETFD));
}

TEST_F(files, objects_have_a_name)
{
	char path[64], name[64];
	ssize_t length;
	int i;

	for (i = 0; i < THINGS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 self->world.object[i].fd);
		length = readlink(path, name, sizeof(name) - 1);
		ASSERT_LT(0, length);
		name[length] = 0;
		EXPECT_STREQ("anon_inode:ntsync", name);
	}
}

/* An object gets the lowest free descriptor, like any file. */
TEST_F(files, objects_take_the_lowest_descriptor)
{
	int lowest = dup(self->world.dev);

	ASSERT_LE(0, lowest);
	ASSERT_EQ(0, close(lowest));
	EXPECT_EQ(lowest, sem_create(self->world.dev, 1, 1));
	EXPECT_EQ(lowest + 1, mutex_create(self->world.dev, 1, 1));
	EXPECT_EQ(lowest + 2, event_create(self->world.dev, 1, 1));
}

/* The mode with which the device was opened makes no difference, not even to who blocks. */
TEST_F(files, device_opened_in_any_mode)
{
	static const int modes[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_NONBLOCK,
		O_RDWR | O_APPEND,
	};
	__u32 prev = GARBAGE;
	struct waiter w;
	int dev, fd;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		dev = open("/dev/ntsync", modes[i] | O_CLOEXEC);
		ASSERT_LE(0, dev);
		fd = event_create(dev, 0, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-ETIMEDOUT, poll_any(dev, &fd, 1, NULL));
		EXPECT_EQ(0, event_set(fd, &prev));
		EXPECT_EQ(0U, prev);
		EXPECT_EQ(0, poll_all(dev, &fd, 1, NULL));
		ASSERT_TRUE(waiter_start_blocked(&w, dev, NTSYNC_IOC_WAIT_ANY, &fd, 1, ME, 0));
		EXPECT_EQ(0, event_set(fd, &prev));
		EXPECT_EQ(0, waiter_join(&w));
		EXPECT_EQ(0, close(fd));
		EXPECT_EQ(0, close(dev));
	}
}

/* A descriptor of the node only (O_PATH) is not an instance. */
TEST_F(files, device_as_a_path)
{
	int path = open("/dev/ntsync", O_PATH | O_CLOEXEC);

	ASSERT_LE(0, path);
	EXPECT_EQ(-EBADF, event_create(path, 0, 0));
}

static int count_transfers(int fd)
{
	char buffer[64] = {};

	return (read(fd, buffer, sizeof(buffer)) >= 0) +
	       (write(fd, buffer, sizeof(buffer)) >= 0) +
	       (pread(fd, buffer, sizeof(buffer), 0) >= 0) +
	       (pwrite(fd, buffer, sizeof(buffer), 0) >= 0) +
	       !ftruncate(fd, 1);
}

/* Read, write and mmap fail and change nothing. */
TEST_F(files, nothing_to_read_or_write)
{
	enum thing thing;

	for (thing = 0; thing <= THE_DEVICE; thing++)
		EXPECT_EQ(0, count_transfers(world_fd(&self->world, thing)));
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(files, nothing_to_read_or_write_when_opened_for_it)
{
	int dev = open("/dev/ntsync", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, dev);
	EXPECT_EQ(0, count_transfers(dev));
}

TEST_F(files, nothing_to_map)
{
	static const int protections[] = {
		PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	int flags, fd;
	enum thing thing;
	size_t i;

	for (thing = 0; thing <= THE_DEVICE; thing++) {
		fd = world_fd(&self->world, thing);
		for (i = 0; i < ARRAY_SIZE(protections); i++)
			for (flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++)
				EXPECT_EQ(MAP_FAILED,
					  mmap(NULL, 4096, protections[i],
					       flags, fd, 0));
	}
	EXPECT_NO_CHANGE(&self->world);
}

/* Whatever these calls return, they do not block and change nothing. */
TEST_F(files, calls_without_a_meaning)
{
	struct pollfd poll_fd = { .events = POLLIN | POLLOUT };
	enum thing thing;
	struct stat stat;

	for (thing = 0; thing <= THE_DEVICE; thing++) {
		poll_fd.fd = world_fd(&self->world, thing);
		lseek(poll_fd.fd, 1, SEEK_SET);
		fsync(poll_fd.fd);
		EXPECT_LE(0, poll(&poll_fd, 1, 0));
		EXPECT_EQ(0, fstat(poll_fd.fd, &stat));
		EXPECT_LE(0, fcntl(poll_fd.fd, F_GETFL));
	}
	EXPECT_NO_CHANGE(&self->world);
}

/* The descriptor is free again immediately, and the others keep working. */
TEST_F(files, closing_one_leaves_the_others)
{
	int fd = sem_create(self->world.dev, 1, 1), again;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, close(fd));
	EXPECT_NO_CHANGE(&self->world);
	again = event_create(self->world.dev, 0, 0);
	EXPECT_EQ(fd, again);
	EXPECT_EVENT(0, 0, again);
}

TEST_HARNESS_MAIN
