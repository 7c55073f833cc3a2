// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation and each copy from user memory that a call makes is made to
 * fail in turn, by /proc/thread-self/fail-nth: a number n there has the n-th of
 * them that the thread makes fail, and is 0 when that has happened.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "waiter.h"
#include "world.h"

#define SETTINGS "/sys/kernel/debug"

/* Waits for so many objects need memory. */
#define WIDE		NTSYNC_MAX_WAIT_COUNT

/* Waits for so many, the alert included, need none. */
#define NARROW		9

struct scene {
	struct world world;
	int objs[WIDE];		/* events, unset */
	int alert;		/* an event that is pulsed all the time */
	pthread_t pulser;
	atomic_bool stop;
	int fail_nth;
	bool possible;
	bool copies_fail;
};

FIXTURE(faults) {
	struct scene scene;
};

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

static bool reads_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[2] = "";
	bool one = fd >= 0 && read(fd, text, 1) == 1 && text[0] == '1';

	if (fd >= 0)
		close(fd);
	return one;
}

/*
 * Only of the caches that the kernel was told to let fail: the memory that
 * debug options need would be places too, and those vary.  And without a trace,
 * which would look like a complaint.
 */
static bool allow_faults(void)
{
	return reads_one("/sys/kernel/slab/ntsync_obj/failslab") &&
	       write_text(SETTINGS "/failslab/cache-filter", "Y") &&
	       write_text(SETTINGS "/failslab/ignore-gfp-wait", "N") &&
	       write_text(SETTINGS "/failslab/verbose", "0") &&
	       write_text(SETTINGS "/fail_page_alloc/min-order", "99");
}

/* Ends each wait that blocks, and nothing else: a poll does not see a pulse. */
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

	scene->fail_nth = open("/proc/thread-self/fail-nth",
			       O_RDWR | O_CLOEXEC);
	scene->possible = scene->fail_nth >= 0 && allow_faults();
	scene->copies_fail = write_text(SETTINGS "/fail_usercopy/verbose", "0");
	ASSERT_EQ(0, world_create(&scene->world));
	for (i = 0; i < WIDE; i++) {
		scene->objs[i] = event_create(scene->world.dev, 1, 0);
		ASSERT_LE(0, scene->objs[i]);
	}
	scene->alert = event_create(scene->world.dev, 0, 0);
	ASSERT_LE(0, scene->alert);
	world_remember(&scene->world);
	ASSERT_EQ(0, pthread_create(&scene->pulser, NULL, pulser_main, scene));
	/* What page faults need could fail as well: let there be none. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(faults)
{
	int i;

	self->scene.stop = true;
	pthread_join(self->scene.pulser, NULL);
	close(self->scene.alert);
	for (i = 0; i < WIDE; i++)
		close(self->scene.objs[i]);
	world_destroy(&self->scene.world);
	close(self->scene.fail_nth);
}

static bool set_fault(int fail_nth, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fail_nth, text, len, 0) == len;
}

/*
 * Whether the fault has happened.  If it has not, it may happen to the very
 * calls that ask and that end it.
 */
static bool fault_happened(int fail_nth)
{
	char text[16] = "";
	bool happened = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 &&
			!strcmp(text, "0\n");

	while (!set_fault(fail_nth, 0))
		;
	return happened;
}

/* Calls that change nothing in the world, or change it back. */

static int open_device(const struct scene *)
{
	return ntsync_open();
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

/* A wait that fails, or is a poll and finds nothing, writes no index. */
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

/*
 * Makes the call with a fault in one place after the other, until there is none
 * left.  Returns how many calls failed for want of memory, or -1 if something
 * was wrong; of the places, @copies are copies.
 */
static int fail_in_turn(struct scene *scene,
			int (*call)(const struct scene *scene), int copies)
{
	int ret, enomem = 0, efault = 0;
	bool happened = true, wrong;
	unsigned int n;

	for (n = 1; happened; n++) {
		if (!set_fault(scene->fail_nth, n))
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

/* The file, then the instance. */
TEST_F(faults, open)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(2, fail_in_turn(&self->scene, open_device, 1));
}

/* The object, then its file and that one's name. */
TEST_F(faults, create)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_sem, 1));
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_mutex, 1));
	EXPECT_EQ(3, fail_in_turn(&self->scene, create_event, 1));
}

/* The objects, then, if it queues on each, the entries. */
TEST_F(faults, wide_waits)
{
	if (!self->scene.possible)
		SKIP(return, NO_FAULTS);
	EXPECT_EQ(1, fail_in_turn(&self->scene, poll_any_wide, 0));
	EXPECT_EQ(1, fail_in_turn(&self->scene, poll_all_wide, 0));
	EXPECT_EQ(2, fail_in_turn(&self->scene, wait_any_wide, 0));
	EXPECT_EQ(1, fail_in_turn(&self->scene, wait_all_wide, 0));
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
