// SPDX-License-Identifier: GPL-2.0
/*
 * Makes each allocation and each copy from user memory of a call fail, one after
 * the other.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "fault.h"
#include "waiter.h"
#include "world.h"

/* Waits for this many objects need memory. */
#define WIDE		NTSYNC_MAX_WAIT_COUNT

/* Waits for this many, including the alert, need none. */
#define NARROW		9

struct scene {
	struct world world;
	int objs[WIDE];		/* events, unset */
	int alert;		/* an event that is pulsed all the time */
	pthread_t pulser;
	atomic_bool stop;
	int epoll;
	int fail_nth;
	bool possible;
	bool copies_fail;
};

FIXTURE(faults) {
	struct scene scene;
};

/* Ends each wait that blocks, and has no other effect: polls do not see pulses. */
static void *pulser_main(void *data)
{
	struct scene *scene = data;
	__u32 prev;

	while (!scene->stop) {
		event_pulse(scene->alert, &prev);
		waiter_pause();
	}
	return NULL;
}

FIXTURE_SETUP(faults)
{
	struct scene *scene = &self->scene;
	int i;

	scene->fail_nth = fault_open();
	scene->possible = scene->fail_nth >= 0 && fault_in_cache("ntsync_obj");
	scene->copies_fail = write_text(FAULT_SETTINGS "/fail_usercopy/verbose",
					"0");
	ASSERT_EQ(0, world_create(&scene->world));
	for (i = 0; i < WIDE; i++) {
		scene->objs[i] = event_create(scene->world.dev, 1, 0);
		ASSERT_LE(0, scene->objs[i]);
	}
	scene->alert = event_create(scene->world.dev, 0, 0);
	ASSERT_LE(0, scene->alert);
	scene->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, scene->epoll);
	world_remember(&scene->world);
	ASSERT_EQ(0, pthread_create(&scene->pulser, NULL, pulser_main, scene));
	/* Allocations of page faults could fail as well, so avoid page faults. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(faults)
{
	int i;

	self->scene.stop = true;
	pthread_join(self->scene.pulser, NULL);
	close(self->scene.epoll);
	close(self->scene.alert);
	for (i = 0; i < WIDE; i++)
		close(self->scene.objs[i]);
	world_destroy(&self->scene.world);
	close(self->scene.fail_nth);
}

/* Calls that leave the world unchanged. */

static int open_device(const struct scene *)
{
	return ntsync_open();
}

static int open_another(const struct scene *)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int create_sem(const struct scene *scene)
{
	return sem_create(scene->world.dev, 1, 2);
}

static int create_mutex(const struct scene *scene)
{
	return mutex_create(scene->world.dev, ME, 1);
}

static int create_event(const struct scene *scene)
{
	return event_create(scene->world.dev, 0, 1);
}

/* A wait that fails, or a poll that finds nothing, writes no index. */
static int wait_for(const struct scene *scene, unsigned long request,
		    __u32 count, uint64_t timeout, int alert)
{
	__u32 index;
	int ret = wait_call(scene->world.dev, request, scene->objs, count, ME,
			    timeout, alert, &index);

	return ret && index != UINT32_MAX ? -EBADMSG : ret;
}

static int poll_any_wide(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ANY, WIDE, 0, 0);
}

static int poll_all_wide(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ALL, WIDE, 0, 0);
}

static int wait_any_wide(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ANY, WIDE, FOREVER,
			scene->alert);
}

static int wait_all_wide(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ALL, WIDE, FOREVER,
			scene->alert);
}

static int wait_any_narrow(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ANY, NARROW - 1, FOREVER,
			scene->alert);
}

static int wait_all_narrow(const struct scene *scene)
{
	return wait_for(scene, NTSYNC_IOC_WAIT_ALL, NARROW - 1, FOREVER,
			scene->alert);
}

static int use_sem(const struct scene *scene)
{
	int sem = world_fd(&scene->world, THE_SEM);
	struct ntsync_sem_args args;
	__u32 count = 1;

	return sem_release(sem, &count) ?: sem_read(sem, &args) ?:
	       poll_any(scene->world.dev, &sem, 1, NULL);
}

static int use_mutex(const struct scene *scene)
{
	int mutex = world_fd(&scene->world, THE_MUTEX);
	struct ntsync_mutex_args args;
	int ret;

	ret = mutex_unlock(mutex, ME, NULL) ?: mutex_read(mutex, &args) ?:
	      mutex_kill(mutex, ME);
	if (ret)
		return ret;
	ret = poll_any(scene->world.dev, &mutex, 1, NULL);
	return ret == -EOWNERDEAD ? poll_any(scene->world.dev, &mutex, 1, NULL) : ret;
}

static int use_event(const struct scene *scene)
{
	int event = world_fd(&scene->world, AUTO_SET);
	struct ntsync_event_args args;
	__u32 prev;

	return event_reset(event, &prev) ?: event_pulse(event, &prev) ?:
	       event_read(event, &args) ?: event_set(event, &prev);
}

/* The first poll of an object allocates memory. */
static int poll_first(const struct scene *scene)
{
	struct pollfd pollfd = { .events = POLLIN };
	int ret;

	pollfd.fd = event_create(scene->world.dev, 0, 0);
	if (pollfd.fd < 0)
		return pollfd.fd;
	ret = poll(&pollfd, 1, 0);
	if (ret < 0)
		ret = -errno;
	else if (ret)
		ret = -EBADMSG;
	close(pollfd.fd);
	return ret;
}

/* An object that was added to an epoll wakes it. */
static int add_to_epoll(const struct scene *scene)
{
	int event = event_create(scene->world.dev, 0, 0), ret;
	struct epoll_event added = { .events = EPOLLIN };
	__u32 prev;

	if (event < 0)
		return event;
	ret = epoll_ctl(scene->epoll, EPOLL_CTL_ADD, event, &added);
	if (ret) {
		ret = -errno;
	} else {
		event_set(event, &prev);
		if (epoll_wait(scene->epoll, &added, 1, 0) != 1 ||
		    added.events != EPOLLIN)
			ret = -EBADMSG;
	}
	close(event);
	return ret;
}

/*
 * Makes the call with a fault in each place in turn.  Returns how many calls failed with
 * ENOMEM, or -1 if something was wrong; @copies of the places are copies.
 */
static int fail_in_turn(struct scene *scene,
			int (*call)(const struct scene *scene), int copies)
{
	int ret, enomem = 0, efault = 0;
	bool happened = true, wrong;
	unsigned int n;

	for (n = 1; happened; n++) {
		if (!fault_set(scene->fail_nth, n))
			return -1;
		ret = call(scene);
		happened = fault_happened(scene->fail_nth);
		if (ret > 0)
			close(ret);
		enomem += ret == -ENOMEM;
		efault += ret == -EFAULT;
		wrong = ret < 0 && ret != -ETIMEDOUT &&
			(!happened || (ret != -ENOMEM && ret != -EFAULT));
		if (wrong || world_changes(&scene->world)) {
			fprintf(stderr, "# place %u: %d\n", n, ret);
			return -1;
		}
	}
	return efault == (scene->copies_fail ? copies : 0) ? enomem : -1;
}

#define NO_FAULTS "this kernel cannot make allocations fail"

/* The file, then the instance.  Not every kernel can make the copy of the path fail. */
TEST_F(faults, open)
{
	int copies;

	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	copies = fail_in_turn(&self->scene, open_another, 1) == 1;
	EXPECT_EQ(2, fail_in_turn(&self->scene, open_device, copies));
}

/* The object, then its file and the file's name. */
TEST_F(faults, create)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_sem, 1));
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_mutex, 1));
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_event, 1));
}

/* The objects and, if the wait queues, the entries. */
TEST_F(faults, wide_waits)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(1, fail_in_turn(&self->scene, poll_any_wide, 0));
	EXPECT_EQ(1, fail_in_turn(&self->scene, poll_all_wide, 0));
	EXPECT_EQ(2, fail_in_turn(&self->scene, wait_any_wide, 0));
	EXPECT_EQ(1, fail_in_turn(&self->scene, wait_all_wide, 0));
}

/* A wide wait reads the array before it needs memory. */
TEST_F(faults, bad_array_comes_first)
{
	static const unsigned long requests[] = { NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL };
	struct scene *scene = &self->scene;
	const int *nowhere = mmap(NULL, sizeof(scene->objs), PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool happened;
	int ret;

	if (!scene->possible)
		SKIP(return, NO_FAULTS);
	ASSERT_NE(MAP_FAILED, nowhere);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		happened = true;
		for (unsigned int n = 1; happened; n++) {
			ASSERT_TRUE(fault_set(scene->fail_nth, n));
			ret = wait_call(scene->world.dev, requests[i], nowhere, WIDE, ME, 0, 0,
					NULL);
			happened = fault_happened(scene->fail_nth);
			EXPECT_EQ(-EFAULT, ret);
		}
	}
}

/* The memory for creating the object, and the epoll's. */
TEST_F(faults, poll)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(3, fail_in_turn(&self->scene, poll_first, 2));
	EXPECT_LE(3, fail_in_turn(&self->scene, add_to_epoll, 2));
}

TEST_F(faults, nothing_else_can_fail)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(0, fail_in_turn(&self->scene, wait_any_narrow, 0));
	EXPECT_EQ(0, fail_in_turn(&self->scene, wait_all_narrow, 0));
	EXPECT_EQ(0, fail_in_turn(&self->scene, use_sem, 0));
	EXPECT_EQ(0, fail_in_turn(&self->scene, use_mutex, 0));
	EXPECT_EQ(0, fail_in_turn(&self->scene, use_event, 0));
}

TEST_HARNESS_MAIN
