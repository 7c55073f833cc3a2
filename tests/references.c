// SPDX-License-Identifier: GPL-2.0
/*
 * If threads or processes share descriptors, a wait takes a reference to each file, and drops
 * it however the wait ends.  Otherwise an object would remain after its descriptor is closed.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <semaphore.h>
#include <sys/mman.h>
#include "objects.h"
#include "fdinfo.h"
#include "task.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

/* The most objects, and the alert. */
#define MOST (NTSYNC_MAX_WAIT_COUNT + 1)

/*
 * @objs: the last one is the alert if there is one
 * @total: how many there are
 * @bad: descriptors that make a call fail; one is an object of another instance
 */
FIXTURE(references) {
	int dev;
	int other_dev;
	int objs[MOST];
	int total;
	int bad[4];
	struct ntsync_wait_args *args;
	struct fdinfo *info;
	sem_t end;
	pthread_t thread;
};

FIXTURE_VARIANT(references) {
	unsigned long request;
	int count;
	bool alert;
	bool alone;		/* there is no other thread */
};

FIXTURE_VARIANT_ADD(references, any_1) { .request = ANY, .count = 1 };
FIXTURE_VARIANT_ADD(references, any_3) { .request = ANY, .count = 3 };
FIXTURE_VARIANT_ADD(references, any_64) { .request = ANY, .count = 64 };
FIXTURE_VARIANT_ADD(references, all_1) { .request = ALL, .count = 1 };
FIXTURE_VARIANT_ADD(references, all_3) { .request = ALL, .count = 3 };
FIXTURE_VARIANT_ADD(references, all_64) { .request = ALL, .count = 64 };

FIXTURE_VARIANT_ADD(references, any_alert) {
	.request = ANY, .count = 0, .alert = true,
};

FIXTURE_VARIANT_ADD(references, any_3_alert) {
	.request = ANY, .count = 3, .alert = true,
};

FIXTURE_VARIANT_ADD(references, any_64_alert) {
	.request = ANY, .count = 64, .alert = true,
};

FIXTURE_VARIANT_ADD(references, all_alert) {
	.request = ALL, .count = 0, .alert = true,
};

FIXTURE_VARIANT_ADD(references, all_3_alert) {
	.request = ALL, .count = 3, .alert = true,
};

FIXTURE_VARIANT_ADD(references, all_64_alert) {
	.request = ALL, .count = 64, .alert = true,
};

FIXTURE_VARIANT_ADD(references, alone_any_3_alert) {
	.request = ANY, .count = 3, .alert = true, .alone = true,
};

FIXTURE_VARIANT_ADD(references, alone_all_3_alert) {
	.request = ALL, .count = 3, .alert = true, .alone = true,
};

/* This thread only has to exist. */
static void *other_thread(void *end)
{
	while (sem_wait(end))
		;
	return NULL;
}

FIXTURE_SETUP(references)
{
	int closed = ntsync_open();

	self->dev = ntsync_open();
	self->other_dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	ASSERT_LE(0, self->other_dev);
	self->total = variant->count + variant->alert;
	self->bad[0] = closed;
	self->bad[1] = self->dev;
	self->bad[2] = INT32_MAX;
	close(closed);
	self->info = malloc(sizeof(*self->info));
	ASSERT_NE(NULL, self->info);
	self->args = mmap(NULL, sizeof(*self->args), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->args);
	ASSERT_EQ(0, sem_init(&self->end, 0, 0));
	if (!variant->alone)
		ASSERT_EQ(0, pthread_create(&self->thread, NULL, other_thread,
					    &self->end));
}

FIXTURE_TEARDOWN(references)
{
	sem_post(&self->end);
	if (!variant->alone)
		pthread_join(self->thread, NULL);
}

/* It must not get the number of the descriptor that is closed. */
static int create_event(int dev, int signaled)
{
	int event = event_create(dev, 0, signaled);
	int high = fcntl(event, F_DUPFD_CLOEXEC, 100);

	close(event);
	return high;
}

static int create_objects(FIXTURE_DATA(references) * self, int signaled)
{
	self->bad[3] = create_event(self->other_dev, 0);
	if (self->bad[3] < 0)
		return -EMFILE;
	for (int i = 0; i < self->total; i++) {
		self->objs[i] = create_event(self->dev, signaled);
		if (self->objs[i] < 0)
			return -EMFILE;
	}
	return 0;
}

static int count_objects(int dev, struct fdinfo *info)
{
	return fdinfo_read(dev, info) ? -EIO : (int)info->objects;
}

/* Returns how many objects are left when all descriptors have been closed. */
static int close_objects(FIXTURE_DATA(references) * self)
{
	for (int i = 0; i < self->total; i++)
		close(self->objs[i]);
	close(self->bad[3]);
	return count_objects(self->dev, self->info) +
	       count_objects(self->other_dev, self->info);
}

static int call(FIXTURE_DATA(references) * self,
		const FIXTURE_VARIANT(references) * variant, const int *objs)
{
	mprotect(self->args, sizeof(*self->args), PROT_READ | PROT_WRITE);
	*self->args = (struct ntsync_wait_args) {
		.objs = (uintptr_t)objs,
		.count = variant->count,
		.owner = ME,
		.alert = variant->alert ? objs[variant->count] : 0,
	};
	return ntsync_call(self->dev, variant->request, self->args);
}

/* Every index in small waits, some in large ones. */
static int next_place(int place, int total)
{
	return place + (total < 10 || place > total - 3 ? 1 : total / 3);
}

TEST_F(references, bad_descriptors)
{
	for (int i = 0; i < self->total; i = next_place(i, self->total)) {
		for (size_t j = 0; j < ARRAY_SIZE(self->bad); j++) {
			int objs[MOST];

			ASSERT_EQ(0, create_objects(self, 0));
			memcpy(objs, self->objs, sizeof(objs));
			objs[i] = self->bad[j];
			EXPECT_EQ(-EINVAL, call(self, variant, objs));
			EXPECT_EQ(0, close_objects(self))
				TH_LOG("bad descriptor %zu at %d", j, i);
		}
	}
}

/* An object is listed twice. */
TEST_F(references, repeats)
{
	int wanted = variant->request == ALL ? -EINVAL : -ETIMEDOUT;

	for (int i = 1; i < self->total; i = next_place(i, self->total)) {
		int objs[MOST];

		ASSERT_EQ(0, create_objects(self, 0));
		memcpy(objs, self->objs, sizeof(objs));
		objs[i] = objs[0];
		EXPECT_EQ(wanted, call(self, variant, objs));
		EXPECT_EQ(0, close_objects(self))
			TH_LOG("0 is repeated at %d", i);
	}
}

TEST_F(references, result_not_writable)
{
	ASSERT_EQ(0, create_objects(self, 0));
	call(self, variant, self->objs);
	ASSERT_EQ(0, mprotect(self->args, sizeof(*self->args), PROT_READ));
	EXPECT_EQ(-EFAULT, ntsync_call(self->dev, variant->request, self->args));
	EXPECT_EQ(0, close_objects(self));
}

/* Waits that are satisfied immediately, and waits that are not satisfied. */
TEST_F(references, waits_that_are_right)
{
	bool empty = variant->request == ALL && !variant->count;

	for (int signaled = 0; signaled < 2; signaled++) {
		ASSERT_EQ(0, create_objects(self, signaled));
		EXPECT_EQ(signaled || empty ? 0 : -ETIMEDOUT,
			  call(self, variant, self->objs));
		EXPECT_EQ(0, close_objects(self));
	}
}

/* Prepares a wait without a timeout; false if it would not block. */
static bool fill_wait(struct waiter *w, const FIXTURE_DATA(references) * self,
		      const FIXTURE_VARIANT(references) * variant)
{
	waiter_fill(w, self->dev, variant->request, self->objs, variant->count,
		    ME, variant->alert ? self->objs[variant->count] : 0);
	return variant->request == ANY || variant->count;
}

/* The wait's process has one thread, but its objects can be closed. */
TEST_F(references, closed_by_another_process)
{
	struct waiter w;
	int before;
	pid_t pid;

	ASSERT_EQ(0, create_objects(self, 0));
	if (!fill_wait(&w, self, variant))
		return;
	before = count_objects(self->dev, self->info);
	pid = clone_child();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(ntsync_call(w.dev, w.request, &w.args) ? 1 : 0);
	ASSERT_TRUE(wait_until(child_ended(pid) ||
			       thread_in_ioctl(pid, w.request, &w.args)));
	/* The wait keeps them. */
	EXPECT_EQ(before, close_objects(self));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, child_status(pid));
	EXPECT_EQ(0, count_objects(self->dev, self->info));
}

static void leave_a_thread_waiting(struct waiter *w)
{
	if (!waiter_run(w) && waiter_blocks(w))
		syscall(SYS_exit, 0);
	_exit(1);
}

/* The wait took references, and drops them when no one shares the descriptors any more. */
TEST_F(references, other_thread_ends)
{
	struct waiter w;
	pid_t pid;

	ASSERT_EQ(0, create_objects(self, 0));
	if (!fill_wait(&w, self, variant))
		return;
	pid = fork_child();
	ASSERT_LE(0, pid);
	if (!pid)
		leave_a_thread_waiting(&w);
	ASSERT_TRUE(wait_until(child_ended(pid) || thread_state(pid) == 'Z'));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, child_status(pid));
	EXPECT_EQ(0, close_objects(self));
}

TEST_HARNESS_MAIN
