// SPDX-License-Identifier: GPL-2.0
/*
 * EFAULT: arguments that cannot be read and results that cannot be written.
 * A call that fails has changed nothing, so it must find out before it acts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "waiter.h"
#include "world.h"

/* The size of the largest argument; the smallest is a __u32. */
#define ARGS_SIZE	sizeof(struct ntsync_wait_args)

#define PROT_RW		(PROT_READ | PROT_WRITE)

/* An ioctl that is about to be called. */
struct call {
	struct world world;
	enum thing thing;
	unsigned long request;
	size_t size;
	size_t result_size;
	size_t page;
	char *memory;			/* two pages */
	char before[ARGS_SIZE];		/* the argument before the call */
	int objs[1];
};

FIXTURE(bad_memory) {
	struct call call;
};

/* All ioctls, on objects for which they succeed if the memory is good. */
FIXTURE_VARIANT(bad_memory) {
	enum thing thing;
	unsigned long request;
	/* Where the result is in the argument. */
	size_t result;
	size_t result_size;
};

FIXTURE_VARIANT_ADD(bad_memory, create_sem) {
	THE_DEVICE, NTSYNC_IOC_CREATE_SEM, 0, 0,
};

FIXTURE_VARIANT_ADD(bad_memory, create_mutex) {
	THE_DEVICE, NTSYNC_IOC_CREATE_MUTEX, 0, 0,
};

FIXTURE_VARIANT_ADD(bad_memory, create_event) {
	THE_DEVICE, NTSYNC_IOC_CREATE_EVENT, 0, 0,
};

FIXTURE_VARIANT_ADD(bad_memory, wait_any) {
	THE_DEVICE, NTSYNC_IOC_WAIT_ANY,
	offsetof(struct ntsync_wait_args, index), sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, wait_all) {
	THE_DEVICE, NTSYNC_IOC_WAIT_ALL,
	offsetof(struct ntsync_wait_args, index), sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, sem_release) {
	THE_SEM, NTSYNC_IOC_SEM_RELEASE, 0, sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, sem_read) {
	THE_SEM, NTSYNC_IOC_SEM_READ, 0, sizeof(struct ntsync_sem_args),
};

FIXTURE_VARIANT_ADD(bad_memory, mutex_unlock) {
	THE_MUTEX, NTSYNC_IOC_MUTEX_UNLOCK,
	offsetof(struct ntsync_mutex_args, count), sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, mutex_kill) {
	THE_MUTEX, NTSYNC_IOC_MUTEX_KILL, 0, 0,
};

FIXTURE_VARIANT_ADD(bad_memory, mutex_read) {
	THE_MUTEX, NTSYNC_IOC_MUTEX_READ,
	0, sizeof(struct ntsync_mutex_args),
};

FIXTURE_VARIANT_ADD(bad_memory, abandoned_mutex_read) {
	DEAD_MUTEX, NTSYNC_IOC_MUTEX_READ,
	0, sizeof(struct ntsync_mutex_args),
};

FIXTURE_VARIANT_ADD(bad_memory, event_set) {
	MANUAL_UNSET, NTSYNC_IOC_EVENT_SET, 0, sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, event_reset) {
	AUTO_SET, NTSYNC_IOC_EVENT_RESET, 0, sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, event_pulse) {
	AUTO_SET, NTSYNC_IOC_EVENT_PULSE, 0, sizeof(__u32),
};

FIXTURE_VARIANT_ADD(bad_memory, event_read) {
	AUTO_SET, NTSYNC_IOC_EVENT_READ,
	0, sizeof(struct ntsync_event_args),
};

/* An argument with which the call would change something, or which it overwrites. */
static void fill_argument(void *memory, unsigned long request, const int *objs)
{
	struct ntsync_wait_args wait = {
		.objs = (uintptr_t)objs,
		.count = 1,
		.index = GARBAGE,
		.owner = ME,
	};
	__u32 words[2] = { GARBAGE, GARBAGE };

	if (request == NTSYNC_IOC_WAIT_ANY || request == NTSYNC_IOC_WAIT_ALL) {
		memcpy(memory, &wait, sizeof(wait));
		return;
	}
	if (request == NTSYNC_IOC_CREATE_SEM ||
	    request == NTSYNC_IOC_CREATE_MUTEX) {
		words[0] = 1;
		words[1] = 2;
	} else if (request == NTSYNC_IOC_SEM_RELEASE) {
		words[0] = 2;
	} else if (request == NTSYNC_IOC_MUTEX_UNLOCK ||
		   request == NTSYNC_IOC_MUTEX_KILL) {
		words[0] = ME;
	}
	memcpy(memory, words, _IOC_SIZE(request));
}

FIXTURE_SETUP(bad_memory)
{
	struct call *call = &self->call;

	ASSERT_EQ(0, world_create(&call->world));
	call->thing = variant->thing;
	call->request = variant->request;
	call->size = _IOC_SIZE(variant->request);
	call->result_size = variant->result_size;
	call->objs[0] = world_fd(&call->world, AUTO_SET);
	call->page = sysconf(_SC_PAGESIZE);
	call->memory = mmap(NULL, 2 * call->page, PROT_RW,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, call->memory);
	fill_argument(call->before, variant->request, call->objs);
}

FIXTURE_TEARDOWN(bad_memory)
{
	world_destroy(&self->call.world);
}

static int do_call(struct call *call, void *args)
{
	return ntsync_call(world_fd(&call->world, call->thing), call->request,
			   args);
}

/* Has the call succeeded, as it does with good memory? */
static bool call_succeeds(struct call *call, void *args)
{
	int ret = do_call(call, args);

	if (call->thing == DEAD_MUTEX)
		return ret == -EOWNERDEAD;
	if (call->thing == THE_DEVICE && !call->result_size)
		return ret > 0 && !close(ret);
	return !ret;
}

static bool protect(struct call *call, int first, int second)
{
	return !mprotect(call->memory, call->page, first) &&
	       !mprotect(call->memory + call->page, call->page, second);
}

/* Places @below bytes of the argument in the first page and the rest in the second. */
static char *place(struct call *call, size_t below)
{
	char *args = call->memory + call->page - below;

	if (!protect(call, PROT_RW, PROT_RW))
		return NULL;
	memcpy(args, call->before, call->size);
	return args;
}

/* Makes all of the argument readable again.  Is it unchanged? */
static bool memory_kept(struct call *call, char *args)
{
	return protect(call, PROT_RW, PROT_RW) &&
	       !memcmp(args, call->before, call->size);
}

/*
 * User-mode Linux accesses user memory itself, and its rules may differ from those of a
 * processor.  Calls on a pipe show whether this matters for a call that reads, and for one
 * that has a result.
 */
static bool reads_without_access(struct call *call)
{
	int ends[2];
	bool reads;

	if (call->result_size == call->size)
		return false;
	call->memory[0] = 1;
	if (pipe2(ends, O_CLOEXEC) || !protect(call, PROT_NONE, PROT_NONE))
		return false;
	reads = write(ends[1], call->memory, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return protect(call, PROT_RW, PROT_RW) && reads;
}

/* If a word crosses the two pages, is the writable part of it written? */
static bool writes_parts(struct call *call)
{
	char *word = call->memory + call->page - sizeof(int) / 2;
	char before[sizeof(int)];
	int ends[2];

	if (!call->result_size)
		return false;
	memset(before, 0x5a, sizeof(before));
	memcpy(word, before, sizeof(before));
	if (pipe2(ends, O_CLOEXEC) || !protect(call, PROT_RW, PROT_NONE))
		return false;
	ioctl(ends[0], FIONREAD, word);
	close(ends[0]);
	close(ends[1]);
	return protect(call, PROT_RW, PROT_RW) &&
	       memcmp(word, before, sizeof(before));
}

TEST_F(bad_memory, no_address)
{
	EXPECT_EQ(-EFAULT, do_call(&self->call, NULL));
	EXPECT_EQ(-EFAULT, do_call(&self->call, (void *)1));
	EXPECT_NO_CHANGE(&self->call.world);
}

TEST_F(bad_memory, not_a_user_address)
{
	EXPECT_EQ(-EFAULT, do_call(&self->call, (void *)-4096L));
	EXPECT_EQ(-EFAULT, do_call(&self->call, (void *)-4L));
	EXPECT_EQ(-EFAULT, do_call(&self->call, (void *)-1L));
	if (sizeof(long) == sizeof(__u64))
		EXPECT_EQ(-EFAULT, do_call(&self->call, (void *)LONG_MIN));
	EXPECT_NO_CHANGE(&self->call.world);
}

TEST_F(bad_memory, unmapped)
{
	ASSERT_EQ(0, munmap(self->call.memory, 2 * self->call.page));
	EXPECT_EQ(-EFAULT, do_call(&self->call, self->call.memory));
	EXPECT_NO_CHANGE(&self->call.world);
}

TEST_F(bad_memory, no_access)
{
	char *args;

	if (reads_without_access(&self->call))
		SKIP(return, "this kernel reads memory without access");
	args = place(&self->call, self->call.page);
	ASSERT_TRUE(protect(&self->call, PROT_NONE, PROT_NONE));
	EXPECT_EQ(-EFAULT, do_call(&self->call, args));
	EXPECT_TRUE(memory_kept(&self->call, args));
	EXPECT_NO_CHANGE(&self->call.world);
}

/* Even the accessible part of the argument must not be written. */
TEST_F(bad_memory, ends_in_no_access)
{
	size_t below;
	char *args;

	if (reads_without_access(&self->call))
		SKIP(return, "this kernel reads memory without access");
	if (writes_parts(&self->call))
		SKIP(return, "this kernel writes what it can of a result");
	for (below = 1; below < self->call.size; below++) {
		args = place(&self->call, below);
		ASSERT_TRUE(protect(&self->call, PROT_RW, PROT_NONE));
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_TRUE(memory_kept(&self->call, args));
	}
	EXPECT_NO_CHANGE(&self->call.world);
}

TEST_F(bad_memory, begins_in_no_access)
{
	size_t below;
	char *args;

	if (reads_without_access(&self->call))
		SKIP(return, "this kernel reads memory without access");
	/* A call that only writes accesses no more than it writes. */
	for (below = 1; below < self->call.size; below++) {
		args = place(&self->call, below);
		ASSERT_TRUE(protect(&self->call, PROT_NONE, PROT_RW));
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_TRUE(memory_kept(&self->call, args));
	}
	EXPECT_NO_CHANGE(&self->call.world);
}

TEST_F(bad_memory, read_only)
{
	char *args = place(&self->call, self->call.page);

	ASSERT_TRUE(protect(&self->call, PROT_READ, PROT_READ));
	if (variant->result_size) {
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_NO_CHANGE(&self->call.world);
	} else {
		EXPECT_TRUE(call_succeeds(&self->call, args));
	}
	EXPECT_TRUE(memory_kept(&self->call, args));
}

/* The same for memory that was never writable. */
TEST_F(bad_memory, read_only_mapping)
{
	int fd = memfd_create("args", MFD_CLOEXEC);
	char *args;

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)ARGS_SIZE, write(fd, self->call.before, ARGS_SIZE));
	args = mmap(NULL, self->call.page, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, args);
	world_remember(&self->call.world);
	if (variant->result_size) {
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_NO_CHANGE(&self->call.world);
	} else {
		EXPECT_TRUE(call_succeeds(&self->call, args));
	}
	EXPECT_EQ(0, memcmp(args, self->call.before, ARGS_SIZE));
}

/* Only the result in the argument needs to be writable, but all of it. */
TEST_F(bad_memory, ends_in_read_only)
{
	size_t result_end = variant->result + variant->result_size, below;
	char *args;

	if (writes_parts(&self->call))
		SKIP(return, "this kernel writes what it can of a result");
	for (below = 1; below < result_end; below++) {
		args = place(&self->call, below);
		ASSERT_TRUE(protect(&self->call, PROT_RW, PROT_READ));
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_TRUE(memory_kept(&self->call, args));
	}
	EXPECT_NO_CHANGE(&self->call.world);

	if (!variant->result_size)
		result_end = self->call.size / 2;
	args = place(&self->call, result_end);
	ASSERT_TRUE(protect(&self->call, PROT_RW, PROT_READ));
	EXPECT_TRUE(call_succeeds(&self->call, args));
}

TEST_F(bad_memory, begins_in_read_only)
{
	size_t size = self->call.size, below;
	size_t first = variant->result_size ? variant->result + 1 : size;
	char *args;

	for (below = first; below < size; below++) {
		args = place(&self->call, below);
		ASSERT_TRUE(protect(&self->call, PROT_READ, PROT_RW));
		EXPECT_EQ(-EFAULT, do_call(&self->call, args));
		EXPECT_TRUE(memory_kept(&self->call, args));
	}
	EXPECT_NO_CHANGE(&self->call.world);

	args = place(&self->call, first - 1);
	ASSERT_TRUE(protect(&self->call, PROT_READ, PROT_RW));
	EXPECT_TRUE(call_succeeds(&self->call, args));
}

/* Nothing beyond the argument is accessed. */
TEST_F(bad_memory, good_up_to_the_end)
{
	char *args = place(&self->call, self->call.size);

	ASSERT_TRUE(protect(&self->call, PROT_RW, PROT_NONE));
	EXPECT_TRUE(call_succeeds(&self->call, args));
	EXPECT_EQ(!variant->result_size, memory_kept(&self->call, args));
}

TEST_F(bad_memory, good_from_the_beginning)
{
	char *args = place(&self->call, 0);

	ASSERT_TRUE(protect(&self->call, PROT_NONE, PROT_RW));
	EXPECT_TRUE(call_succeeds(&self->call, args));
	EXPECT_EQ(!variant->result_size, memory_kept(&self->call, args));
}

/* Memory that is writable but not present must be faulted in. */
TEST_F(bad_memory, good_after_a_page_fault)
{
	int fd = memfd_create("args", MFD_CLOEXEC);
	char *args, *file;

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)ARGS_SIZE, write(fd, self->call.before, ARGS_SIZE));
	args = mmap(NULL, self->call.page, PROT_RW, MAP_PRIVATE, fd, 0);
	file = mmap(NULL, self->call.page, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, args);
	ASSERT_NE(MAP_FAILED, file);
	EXPECT_TRUE(call_succeeds(&self->call, args));
	EXPECT_EQ(!variant->result_size,
		  !memcmp(args, self->call.before, ARGS_SIZE));
	EXPECT_EQ(0, memcmp(file, self->call.before, ARGS_SIZE));
}

/* A call that cannot return its result wakes no waiter. */
FIXTURE(bad_result) {
	struct world world;
	char *args;
	struct waiter waiter[2];
};

FIXTURE_VARIANT(bad_result) {
	enum thing thing;
	unsigned long request;
	__u32 argument;
	unsigned long wait[2];
};

FIXTURE_VARIANT_ADD(bad_result, sem_release) {
	THE_SEM, NTSYNC_IOC_SEM_RELEASE, 1,
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(bad_result, mutex_unlock) {
	THE_MUTEX, NTSYNC_IOC_MUTEX_UNLOCK, OTHER,
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(bad_result, event_set) {
	MANUAL_UNSET, NTSYNC_IOC_EVENT_SET, GARBAGE,
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

FIXTURE_VARIANT_ADD(bad_result, event_pulse) {
	AUTO_SET, NTSYNC_IOC_EVENT_PULSE, GARBAGE,
	{ NTSYNC_IOC_WAIT_ANY, NTSYNC_IOC_WAIT_ALL },
};

/* Makes every object of the world unsignaled for ME. */
static int world_unsignal(struct world *world)
{
	int dev = world->dev, mutex = world_fd(world, THE_MUTEX);
	__u32 prev;

	return event_reset(world_fd(world, AUTO_SET), &prev) ?:
	       poll_any(dev, &world->object[THE_SEM].fd, 1, NULL) ?:
	       mutex_unlock(mutex, ME, NULL) ?:
	       mutex_unlock(mutex, ME, NULL) ?:
	       wait_any(dev, &mutex, 1, OTHER, 0, 0, NULL);
}

FIXTURE_SETUP(bad_result)
{
	int i, fd;

	ASSERT_EQ(0, world_create(&self->world));
	ASSERT_EQ(0, world_unsignal(&self->world));
	world_remember(&self->world);
	self->args = mmap(NULL, ARGS_SIZE, PROT_RW,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->args);
	memcpy(self->args, &variant->argument, sizeof(variant->argument));
	fd = world_fd(&self->world, variant->thing);
	for (i = 0; i < 2; i++)
		ASSERT_TRUE(waiter_start_blocked(&self->waiter[i],
						 self->world.dev,
						 variant->wait[i], &fd, 1, ME,
						 0));
}

FIXTURE_TEARDOWN(bad_result)
{
	world_destroy(&self->world);
}

TEST_F(bad_result, wakes_no_one)
{
	int fd = world_fd(&self->world, variant->thing);
	int i;

	ASSERT_EQ(0, mprotect(self->args, ARGS_SIZE, PROT_READ));
	EXPECT_EQ(-EFAULT, ntsync_call(fd, variant->request, self->args));
	ASSERT_EQ(0, mprotect(self->args, ARGS_SIZE, PROT_NONE));
	EXPECT_EQ(-EFAULT, ntsync_call(fd, variant->request, self->args));
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(waiter_blocks(&self->waiter[i]));
	EXPECT_NO_CHANGE(&self->world);

	/* Now that the memory is writable, it does. */
	ASSERT_EQ(0, mprotect(self->args, ARGS_SIZE, PROT_RW));
	EXPECT_EQ(0, ntsync_call(fd, variant->request, self->args));
	EXPECT_EQ(0, waiter_join(&self->waiter[1]));
}

FIXTURE(bad_wait) {
	struct world world;
	size_t page;
	int *border;			/* between two pages */
	struct waiter wait;		/* has no thread */
};

FIXTURE_VARIANT(bad_wait) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(bad_wait, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(bad_wait, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(bad_wait)
{
	void *memory;

	ASSERT_EQ(0, world_create(&self->world));
	self->page = sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, 2 * self->page, PROT_RW,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	self->border = memory + self->page;
	self->wait.dev = self->world.dev;
	self->wait.request = variant->request;
	self->wait.args = (struct ntsync_wait_args) {
		.count = 1,
		.index = GARBAGE,
		.owner = ME,
	};
}

FIXTURE_TEARDOWN(bad_wait)
{
	world_destroy(&self->world);
}

/* Only @objs is bad, not the structure. */
static int wait_for(struct waiter *wait, const void *objs, __u32 count)
{
	wait->args.objs = (uintptr_t)objs;
	wait->args.count = count;
	return ntsync_call(wait->dev, wait->request, &wait->args);
}

TEST_F(bad_wait, array_is_nowhere)
{
	__u32 count;

	ASSERT_EQ(0, mprotect(self->border, self->page, PROT_NONE));
	for (count = 1; count <= NTSYNC_MAX_WAIT_COUNT; count++) {
		EXPECT_EQ(-EFAULT, wait_for(&self->wait, NULL, count));
		EXPECT_EQ(-EFAULT, wait_for(&self->wait, (void *)-4L, count));
		EXPECT_EQ(-EFAULT, wait_for(&self->wait, self->border, count));
	}
	EXPECT_EQ(GARBAGE, self->wait.args.index);
	EXPECT_NO_CHANGE(&self->world);
}

/* Larger than any pointer of the process: the member has 64 bits. */
TEST_F(bad_wait, array_is_beyond_the_address_space)
{
	self->wait.args.objs = 0x8000000000000000ULL;
	EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev, variant->request,
				       &self->wait.args));
	self->wait.args.objs = 0xffffffff00000000ULL;
	EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev, variant->request,
				       &self->wait.args));
	self->wait.args.objs = 0x0100000000000000ULL;
	EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev, variant->request,
				       &self->wait.args));
	self->wait.args.objs = UINT64_MAX - 3;
	EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev, variant->request,
				       &self->wait.args));
	EXPECT_EQ(GARBAGE, self->wait.args.index);
	EXPECT_NO_CHANGE(&self->world);
}

/* Signaled objects before the unmapped page must not be acquired. */
TEST_F(bad_wait, array_ends_in_no_access)
{
	const __u32 most = NTSYNC_MAX_WAIT_COUNT;
	__u32 count, i, there;
	int *start;

	for (i = 1; i <= most; i++)
		self->border[-(int)i] = world_fd(&self->world,
						 i % 2 ? AUTO_SET : THE_SEM);
	ASSERT_EQ(0, mprotect(self->border, self->page, PROT_NONE));
	for (count = 2; count <= most; count++) {
		start = self->border - count;
		EXPECT_EQ(-EFAULT, wait_for(&self->wait, start + 1, count));
		EXPECT_EQ(-EFAULT, wait_for(&self->wait, (char *)start + 1,
					    count));
		for (there = 1; there < count; there += there + 1) {
			start = self->border - there;
			EXPECT_EQ(-EFAULT, wait_for(&self->wait, start, count));
		}
	}
	EXPECT_EQ(GARBAGE, self->wait.args.index);
	EXPECT_NO_CHANGE(&self->world);
}

/* The array is only read, up to its end. */
TEST_F(bad_wait, array_that_is_good)
{
	self->border[-2] = world_fd(&self->world, THE_SEM);
	self->border[-1] = world_fd(&self->world, AUTO_SET);
	ASSERT_EQ(0, mprotect(self->border, self->page, PROT_NONE));
	ASSERT_EQ(0, mprotect((char *)self->border - self->page, self->page,
			      PROT_READ));
	EXPECT_EQ(0, wait_for(&self->wait, self->border - 2, 2));
	EXPECT_EQ(0U, self->wait.args.index);
	EXPECT_SEM(0, 3, world_fd(&self->world, THE_SEM));
	EXPECT_EVENT(0, variant->request == NTSYNC_IOC_WAIT_ANY,
		     world_fd(&self->world, AUTO_SET));
}

/*
 * The memory for the result is tested before the wait, which then neither blocks, nor times
 * out, nor takes the alert.
 */
TEST_F(bad_wait, index_is_read_only)
{
	struct ntsync_wait_args *args = (void *)self->border;
	int objs[1] = { world_fd(&self->world, MANUAL_UNSET) };
	__u64 timeout[3] = {
		0, clock_ns(CLOCK_MONOTONIC) + 3 * NSEC_PER_SEC, 0,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(timeout); i++) {
		ASSERT_EQ(0, mprotect(args, self->page,
				      PROT_RW));
		*args = self->wait.args;
		args->timeout = timeout[i];
		args->objs = (uintptr_t)objs;
		if (i == 2)
			args->alert = world_fd(&self->world, AUTO_SET);
		ASSERT_EQ(0, mprotect(args, self->page, PROT_READ));
		EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev,
					       variant->request, args));
		EXPECT_EQ(GARBAGE, args->index);
	}
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_wait, index_is_read_only_without_objects)
{
	struct ntsync_wait_args *args = (void *)self->border;

	*args = self->wait.args;
	args->count = 0;
	args->alert = world_fd(&self->world, AUTO_SET);
	ASSERT_EQ(0, mprotect(args, self->page, PROT_READ));
	EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev, variant->request,
				       args));
	EXPECT_EQ(GARBAGE, args->index);
	EXPECT_NO_CHANGE(&self->world);
}

/* All kinds together; the last is abandoned. */
TEST_F(bad_wait, index_is_read_only_for_many)
{
	struct ntsync_wait_args *args = (void *)self->border;
	int objs[4] = {
		world_fd(&self->world, THE_SEM),
		world_fd(&self->world, AUTO_SET),
		world_fd(&self->world, THE_MUTEX),
		world_fd(&self->world, DEAD_MUTEX),
	};
	__u32 count;

	for (count = 1; count <= 4; count++) {
		ASSERT_EQ(0, mprotect(args, self->page,
				      PROT_RW));
		*args = self->wait.args;
		args->objs = (uintptr_t)&objs[4 - count];
		args->count = count;
		args->timeout = FOREVER;
		ASSERT_EQ(0, mprotect(args, self->page, PROT_READ));
		EXPECT_EQ(-EFAULT, ntsync_call(self->world.dev,
					       variant->request, args));
		EXPECT_EQ(GARBAGE, args->index);
		EXPECT_NO_CHANGE(&self->world);
	}
}

TEST_HARNESS_MAIN
