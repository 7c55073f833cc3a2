// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that are refused because of their values: with which error, and with which of
 * several possible errors.  bad_memory.c tests EFAULT.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "kselftest_harness.h"
#include "task.h"
#include "world.h"

/* Memory that can be read but not written, with any content. */
struct read_only {
	size_t size;
	void *memory;
	void *nothing;		/* memory that cannot be read either */
};

static int read_only_create(struct read_only *mem)
{
	mem->size = sysconf(_SC_PAGESIZE);
	mem->memory = mmap(NULL, mem->size, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mem->nothing = mmap(NULL, mem->size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mem->memory == MAP_FAILED || mem->nothing == MAP_FAILED;
}

static void *read_only(struct read_only *mem, const void *data, size_t size)
{
	if (mprotect(mem->memory, mem->size, PROT_READ | PROT_WRITE))
		return NULL;
	memcpy(mem->memory, data, size);
	if (mprotect(mem->memory, mem->size, PROT_READ))
		return NULL;
	return mem->memory;
}

FIXTURE(bad_args) {
	struct world world;
	struct read_only mem;
};

FIXTURE_SETUP(bad_args)
{
	ASSERT_EQ(0, read_only_create(&self->mem));
	ASSERT_EQ(0, world_create(&self->world));
}

FIXTURE_TEARDOWN(bad_args)
{
	world_destroy(&self->world);
}

TEST_F(bad_args, creation)
{
	int dev = self->world.dev;

	EXPECT_EQ(-EINVAL, sem_create(dev, 1, 0));
	EXPECT_EQ(-EINVAL, sem_create(dev, UINT32_MAX, 1));
	EXPECT_EQ(-EINVAL, mutex_create(dev, 0, 1));
	EXPECT_EQ(-EINVAL, mutex_create(dev, 1, 0));
	EXPECT_NO_CHANGE(&self->world);
}

/* Creation must not write to its argument, which is only an input. */
TEST_F(bad_args, creation_writes_nothing)
{
	struct ntsync_sem_args sem = { 3, 7 };
	struct ntsync_mutex_args mutex = { 7, 3 };
	struct ntsync_event_args event = { 5, 6 };
	int dev = self->world.dev;

	EXPECT_LT(0, ntsync_call(dev, NTSYNC_IOC_CREATE_SEM, &sem));
	EXPECT_LT(0, ntsync_call(dev, NTSYNC_IOC_CREATE_MUTEX, &mutex));
	EXPECT_LT(0, ntsync_call(dev, NTSYNC_IOC_CREATE_EVENT, &event));
	EXPECT_EQ(3U, sem.count);
	EXPECT_EQ(7U, sem.max);
	EXPECT_EQ(7U, mutex.owner);
	EXPECT_EQ(3U, mutex.count);
	EXPECT_EQ(5U, event.manual);
	EXPECT_EQ(6U, event.signaled);
}

/* Lowers the limit to the descriptors that are open; returns the lowest free one. */
static int use_up_descriptors(struct rlimit *old)
{
	struct rlimit limit;
	int fd, lowest;

	/* Fill the holes below the highest open one. */
	do {
		fd = dup(0);
	} while (fd >= 0 && fd < 100);
	if (fd < 0 || getrlimit(RLIMIT_NOFILE, old))
		return -errno;
	lowest = fd;
	close(fd);
	limit = *old;
	limit.rlim_cur = lowest;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : lowest;
}

TEST_F(bad_args, no_descriptor_left)
{
	int i, lowest, dev = self->world.dev;
	struct rlimit old;

	lowest = use_up_descriptors(&old);
	ASSERT_LE(100, lowest);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EMFILE, sem_create(dev, 1, 1));
		EXPECT_EQ(-EMFILE, mutex_create(dev, 1, 1));
		EXPECT_EQ(-EMFILE, event_create(dev, 1, 1));
	}
	/* Errors in the argument are reported first. */
	EXPECT_EQ(-EINVAL, sem_create(dev, 1, 0));
	EXPECT_EQ(-EINVAL, mutex_create(dev, 1, 0));
	EXPECT_EQ(-EFAULT, ntsync_call(dev, NTSYNC_IOC_CREATE_EVENT, NULL));

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(lowest, event_create(dev, 1, 1));
	EXPECT_EQ(lowest + 1, sem_create(dev, 1, 1));
}

/*
 * The table of descriptors has a power of two as its size.  A number just behind it must not be
 * taken for descriptor 0.
 */
TEST_F(bad_args, numbers_behind_the_table)
{
	int event = world_fd(&self->world, AUTO_SET);
	int dev = self->world.dev;

	ASSERT_EQ(0, dup2(event, 0));
	for (int fd = 32; fd <= 1 << 20; fd *= 2) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		EXPECT_EQ(-EINVAL, poll_any(dev, &fd, 1, NULL));
		EXPECT_EQ(-EINVAL, poll_all(dev, &fd, 1, NULL));
		EXPECT_EQ(-EINVAL, wait_any(dev, &fd, 0, ME, 0, fd, NULL));
	}
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_args, release_beyond_max)
{
	int sem = world_fd(&self->world, THE_SEM);
	__u32 value;

	for (value = 3; value; value = value * 2 + 1) {
		__u32 count = value;

		EXPECT_EQ(-EOVERFLOW, sem_release(sem, &count));
		EXPECT_EQ(value, count);
		if (value == UINT32_MAX)
			break;
	}
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_args, mutex_of_others)
{
	static const enum thing things[] = { THE_MUTEX, DEAD_MUTEX };
	static const __u32 owners[] = { OTHER, ME + 0x10000, UINT32_MAX };
	struct ntsync_mutex_args args;
	size_t i, j;
	int fd;

	for (i = 0; i < ARRAY_SIZE(things); i++) {
		fd = world_fd(&self->world, things[i]);
		for (j = 0; j < ARRAY_SIZE(owners); j++) {
			args.owner = owners[j];
			args.count = GARBAGE;
			EXPECT_EQ(-EPERM,
				  ntsync_call(fd, NTSYNC_IOC_MUTEX_UNLOCK,
					      &args));
			EXPECT_EQ(owners[j], args.owner);
			EXPECT_EQ(GARBAGE, args.count);
			EXPECT_EQ(-EPERM, mutex_kill(fd, owners[j]));
		}
		args.owner = 0;
		EXPECT_EQ(-EINVAL, ntsync_call(fd, NTSYNC_IOC_MUTEX_UNLOCK,
					       &args));
		EXPECT_EQ(GARBAGE, args.count);
		EXPECT_EQ(-EINVAL, mutex_kill(fd, 0));
	}
	EXPECT_NO_CHANGE(&self->world);
}

/*
 * Release, unlock and kill: argument (EFAULT), type and owner (EINVAL), result
 * memory (EFAULT), then the act (EPERM, EOVERFLOW).
 */
TEST_F(bad_args, order_in_release)
{
	int sem = world_fd(&self->world, THE_SEM);
	int event = world_fd(&self->world, AUTO_SET);
	const __u32 much = 3, little = 1;
	void *memory;

	EXPECT_EQ(-EFAULT, sem_release(event, self->mem.nothing));
	memory = read_only(&self->mem, &much, sizeof(much));
	EXPECT_EQ(-EINVAL, sem_release(event, memory));
	EXPECT_EQ(-EFAULT, sem_release(sem, memory));
	memory = read_only(&self->mem, &little, sizeof(little));
	EXPECT_EQ(-EFAULT, sem_release(sem, memory));
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_args, order_in_unlock)
{
	const struct ntsync_mutex_args others = { OTHER, GARBAGE };
	const struct ntsync_mutex_args nobodys = { 0, GARBAGE };
	int mutex = world_fd(&self->world, THE_MUTEX);
	int sem = world_fd(&self->world, THE_SEM);
	unsigned long unlock = NTSYNC_IOC_MUTEX_UNLOCK;
	void *memory;

	EXPECT_EQ(-EFAULT, ntsync_call(sem, unlock, self->mem.nothing));
	memory = read_only(&self->mem, &nobodys, sizeof(nobodys));
	EXPECT_EQ(-EINVAL, ntsync_call(sem, unlock, memory));
	EXPECT_EQ(-EINVAL, ntsync_call(mutex, unlock, memory));
	memory = read_only(&self->mem, &others, sizeof(others));
	EXPECT_EQ(-EINVAL, ntsync_call(sem, unlock, memory));
	EXPECT_EQ(-EFAULT, ntsync_call(mutex, unlock, memory));
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_args, order_in_kill)
{
	int mutex = world_fd(&self->world, THE_MUTEX);
	int sem = world_fd(&self->world, THE_SEM);
	unsigned long kill = NTSYNC_IOC_MUTEX_KILL;
	const __u32 nobody = 0, other = OTHER;
	void *memory;

	EXPECT_EQ(-EFAULT, ntsync_call(sem, kill, self->mem.nothing));
	memory = read_only(&self->mem, &nobody, sizeof(nobody));
	EXPECT_EQ(-EINVAL, ntsync_call(sem, kill, memory));
	EXPECT_EQ(-EINVAL, ntsync_call(mutex, kill, memory));
	memory = read_only(&self->mem, &other, sizeof(other));
	EXPECT_EQ(-EINVAL, ntsync_call(sem, kill, memory));
	EXPECT_EQ(-EPERM, ntsync_call(mutex, kill, memory));
	EXPECT_NO_CHANGE(&self->world);
}

/* Events' calls and reads check the type first, since they read no argument. */
TEST_F(bad_args, order_in_events_and_reads)
{
	static const unsigned long requests[] = {
		NTSYNC_IOC_EVENT_SET, NTSYNC_IOC_EVENT_RESET,
		NTSYNC_IOC_EVENT_PULSE, NTSYNC_IOC_EVENT_READ,
		NTSYNC_IOC_MUTEX_READ,
	};
	int event = world_fd(&self->world, MANUAL_UNSET);
	int sem = world_fd(&self->world, THE_SEM);
	unsigned long read = NTSYNC_IOC_SEM_READ;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-EINVAL, ntsync_call(sem, requests[i],
					       self->mem.nothing));
		EXPECT_EQ(-EINVAL, ntsync_call(sem, requests[i], NULL));
	}
	EXPECT_EQ(-EINVAL, ntsync_call(event, read, self->mem.nothing));
	EXPECT_EQ(-EFAULT, ntsync_call(sem, read, self->mem.nothing));
	EXPECT_NO_CHANGE(&self->world);
}

/* Each ioctl of one type of object on the others. */
TEST_F(bad_args, wrong_type_of_object)
{
	static const struct {
		unsigned long request;
		enum kind kind;
	} calls[] = {
		{ NTSYNC_IOC_SEM_RELEASE, SEM },
		{ NTSYNC_IOC_SEM_READ, SEM },
		{ NTSYNC_IOC_MUTEX_UNLOCK, MUTEX },
		{ NTSYNC_IOC_MUTEX_KILL, MUTEX },
		{ NTSYNC_IOC_MUTEX_READ, MUTEX },
		{ NTSYNC_IOC_EVENT_SET, AUTO_EVENT },
		{ NTSYNC_IOC_EVENT_RESET, AUTO_EVENT },
		{ NTSYNC_IOC_EVENT_PULSE, AUTO_EVENT },
		{ NTSYNC_IOC_EVENT_READ, AUTO_EVENT },
	};
	const struct object *object = self->world.object;
	__u32 args[2] = { ME, GARBAGE };
	enum kind kind;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		for (j = 0; j < THINGS; j++) {
			kind = object[j].kind;
			if (kind == MANUAL_EVENT)
				kind = AUTO_EVENT;
			if (kind == calls[i].kind)
				continue;
			EXPECT_EQ(-EINVAL, ntsync_call(object[j].fd,
						       calls[i].request, args));
			EXPECT_EQ(ME, args[0]);
			EXPECT_EQ(GARBAGE, args[1]);
		}
	}
	EXPECT_NO_CHANGE(&self->world);
}

/* Does @thing support @request?  If not, it must return ENOTTY. */
static bool is_known(enum thing thing, unsigned long request)
{
	switch (request) {
	case NTSYNC_IOC_CREATE_SEM:
	case NTSYNC_IOC_CREATE_MUTEX:
	case NTSYNC_IOC_CREATE_EVENT:
	case NTSYNC_IOC_WAIT_ANY:
	case NTSYNC_IOC_WAIT_ALL:
		return thing == THE_DEVICE;
	case NTSYNC_IOC_SEM_RELEASE:
	case NTSYNC_IOC_SEM_READ:
	case NTSYNC_IOC_MUTEX_UNLOCK:
	case NTSYNC_IOC_MUTEX_KILL:
	case NTSYNC_IOC_MUTEX_READ:
	case NTSYNC_IOC_EVENT_SET:
	case NTSYNC_IOC_EVENT_RESET:
	case NTSYNC_IOC_EVENT_PULSE:
	case NTSYNC_IOC_EVENT_READ:
		return thing != THE_DEVICE;
	default:
		return false;
	}
}

/* An argument of a call may get longer. */
#define MOST_SIZE 64

/* Tries every number and direction, and some sizes; returns the number of wrong results. */
static int try_unknown_ioctls(const struct world *world, enum thing thing,
			      unsigned int type, void *args)
{
	int fd = world_fd(world, thing), wrong = 0;
	unsigned long request;
	unsigned int nr, dir, size, step;

	for (nr = 0; nr < 256; nr++) {
		/* Every size of the numbers that the driver has, and of others near them. */
		step = nr / 16 == _IOC_NR(NTSYNC_IOC_CREATE_SEM) / 16 ? 1 : 32;
		for (dir = 0; dir < 4; dir++)
			for (size = 0; size <= MOST_SIZE; size += step) {
				request = _IOC(dir, type, nr, size);
				if (is_known(thing, request))
					continue;
				wrong += ntsync_call(fd, request, args) !=
					 -ENOTTY;
			}
	}
	return wrong;
}

TEST_F(bad_args, unknown_ioctls)
{
	struct ntsync_wait_args before = {
		.count = 1, .index = GARBAGE, .owner = ME,
	};
	struct ntsync_wait_args args[2] = { before, before };
	enum thing thing;

	for (thing = 0; thing <= THE_DEVICE; thing++) {
		EXPECT_EQ(0, try_unknown_ioctls(&self->world, thing, 'N',
						args));
		EXPECT_EQ(0, try_unknown_ioctls(&self->world, thing, 'n',
						args));
		EXPECT_EQ(0, try_unknown_ioctls(&self->world, thing, 'N', NULL));
	}
	EXPECT_EQ(0, memcmp(&args[0], &before, sizeof(before)));
	EXPECT_EQ(0, memcmp(&args[1], &before, sizeof(before)));
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_args, no_object_at_all)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pipes[2], closed;
	__u32 word = GARBAGE;

	ASSERT_LE(0, null);
	ASSERT_EQ(0, pipe(pipes));
	closed = dup(null);
	ASSERT_EQ(0, close(closed));
	EXPECT_EQ(-EBADF, event_set(-1, &word));
	EXPECT_EQ(-EBADF, event_set(closed, &word));
	EXPECT_EQ(-EBADF, poll_any(closed, NULL, 0, NULL));
	EXPECT_EQ(-ENOTTY, event_set(pipes[0], &word));
	EXPECT_EQ(-ENOTTY, event_set(null, &word));
	EXPECT_EQ(-ENOTTY, event_create(null, 0, 0));
	EXPECT_EQ(GARBAGE, word);
}

FIXTURE(bad_wait) {
	struct world world;
	struct read_only mem;
	struct ntsync_wait_args args;
	/* Signaled, unsignaled, signaled; and an alert. */
	int objs[3];
	int alert;
};

FIXTURE_VARIANT(bad_wait) {
	unsigned long request;
};

FIXTURE_VARIANT_ADD(bad_wait, any) { NTSYNC_IOC_WAIT_ANY };
FIXTURE_VARIANT_ADD(bad_wait, all) { NTSYNC_IOC_WAIT_ALL };

FIXTURE_SETUP(bad_wait)
{
	__u32 prev;

	ASSERT_EQ(0, read_only_create(&self->mem));
	ASSERT_EQ(0, world_create(&self->world));
	self->objs[0] = world_fd(&self->world, THE_SEM);
	self->objs[1] = world_fd(&self->world, MANUAL_UNSET);
	self->objs[2] = world_fd(&self->world, THE_MUTEX);
	self->alert = world_fd(&self->world, AUTO_SET);
	ASSERT_EQ(0, event_set(self->objs[1], &prev));
	world_remember(&self->world);
	self->args = (struct ntsync_wait_args) {
		.timeout = FOREVER,
		.objs = (uintptr_t)self->objs,
		.count = 3,
		.index = GARBAGE,
		.owner = ME,
		.alert = self->alert,
	};
}

FIXTURE_TEARDOWN(bad_wait)
{
	world_destroy(&self->world);
}

/* Calls with a copy of @args; returns the error if the copy is unchanged. */
static int call_wait(int dev, unsigned long request,
		     const struct ntsync_wait_args *args)
{
	struct ntsync_wait_args copy = *args;
	int ret = ntsync_call(dev, request, &copy);

	return memcmp(args, &copy, sizeof(copy)) ? -EILSEQ : ret;
}

#define EXPECT_WAIT(error) do { \
	EXPECT_EQ(error, call_wait(self->world.dev, variant->request, \
				   &self->args)); \
	EXPECT_NO_CHANGE(&self->world); \
} while (0)

TEST_F(bad_wait, pad)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		self->args.pad = 1U << bit;
		EXPECT_WAIT(-EINVAL);
	}
}

TEST_F(bad_wait, flags)
{
	int bit;

	for (bit = 1; bit < 32; bit++) {
		self->args.flags = 1U << bit;
		EXPECT_WAIT(-EINVAL);
		self->args.flags |= NTSYNC_WAIT_REALTIME;
		EXPECT_WAIT(-EINVAL);
	}
}

TEST_F(bad_wait, owner)
{
	self->args.owner = 0;
	EXPECT_WAIT(-EINVAL);
	self->args.count = 0;
	EXPECT_WAIT(-EINVAL);
	self->args.alert = 0;
	EXPECT_WAIT(-EINVAL);
}

TEST_F(bad_wait, count)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT + 1];

	for (i = 0; i <= NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->world.dev, 1, 1);
		ASSERT_LE(0, objs[i]);
	}
	world_remember(&self->world);
	self->args.objs = (uintptr_t)objs;
	self->args.count = NTSYNC_MAX_WAIT_COUNT + 1;
	EXPECT_WAIT(-EINVAL);
	self->args.count = UINT32_MAX;
	EXPECT_WAIT(-EINVAL);
	self->args.count = 0x40000000;
	EXPECT_WAIT(-EINVAL);
}

/* The structure's own errors come before those of the array. */
TEST_F(bad_wait, order_of_structure_and_array)
{
	struct ntsync_wait_args good;

	self->args.objs = (uintptr_t)self->mem.nothing;
	good = self->args;
	self->args.pad = 1;
	EXPECT_WAIT(-EINVAL);
	self->args = good;
	self->args.flags = 2;
	EXPECT_WAIT(-EINVAL);
	self->args = good;
	self->args.owner = 0;
	EXPECT_WAIT(-EINVAL);
	self->args = good;
	self->args.count = NTSYNC_MAX_WAIT_COUNT + 1;
	EXPECT_WAIT(-EINVAL);

	/* The array's address is checked before its content. */
	self->args = good;
	self->args.alert = -1;
	EXPECT_WAIT(-EFAULT);
	self->args.count = 1;
	EXPECT_WAIT(-EFAULT);
}

TEST_F(bad_wait, order_of_descriptors_and_result)
{
	const int closed[2] = { self->objs[0], -1 };
	unsigned long request = variant->request;
	int dev = self->world.dev;
	void *memory;

	/* The memory for the result is checked last, */
	self->args.alert = -1;
	memory = read_only(&self->mem, &self->args, sizeof(self->args));
	EXPECT_EQ(-EINVAL, ntsync_call(dev, request, memory));
	self->args.alert = self->alert;
	self->args.objs = (uintptr_t)closed;
	self->args.count = 2;
	memory = read_only(&self->mem, &self->args, sizeof(self->args));
	EXPECT_EQ(-EINVAL, ntsync_call(dev, request, memory));
	self->args.owner = 0;
	memory = read_only(&self->mem, &self->args, sizeof(self->args));
	EXPECT_EQ(-EINVAL, ntsync_call(dev, request, memory));

	/* but before the wait: neither success nor timeout. */
	self->args.owner = ME;
	self->args.objs = (uintptr_t)self->objs;
	memory = read_only(&self->mem, &self->args, sizeof(self->args));
	EXPECT_EQ(-EFAULT, ntsync_call(dev, request, memory));
	EXPECT_NO_CHANGE(&self->world);
}

TEST_F(bad_wait, order_of_repeats)
{
	const int twice[2] = { self->objs[0], self->objs[0] };
	const int twice_and_closed[3] = { self->objs[0], self->objs[0], -1 };
	void *memory;

	if (variant->request == NTSYNC_IOC_WAIT_ANY) {
		self->args.objs = (uintptr_t)twice_and_closed;
		self->args.count = 3;
		EXPECT_WAIT(-EINVAL);
		return;
	}

	self->args.objs = (uintptr_t)twice;
	self->args.count = 2;
	EXPECT_WAIT(-EINVAL);
	memory = read_only(&self->mem, &self->args, sizeof(self->args));
	EXPECT_EQ(-EINVAL, ntsync_call(self->world.dev, variant->request,
				       memory));
	self->args.objs = (uintptr_t)twice_and_closed;
	self->args.count = 3;
	EXPECT_WAIT(-EINVAL);
	self->args.objs = (uintptr_t)self->objs;
	self->args.alert = self->objs[2];
	EXPECT_WAIT(-EINVAL);
}

/* Descriptors of all sorts that are not objects of the instance. */
#define STRANGERS 9

static int open_strangers(const struct world *world, int *fd)
{
	int pipes[2], sock, other_dev = ntsync_open();

	if (pipe(pipes))
		return -errno;
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (sock < 0 && errno != ENOSYS)
		return -errno;
	fd[0] = world->dev;
	fd[1] = pipes[0];
	fd[2] = sock < 0 ? pipes[1] : sock;
	fd[3] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd[4] = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	fd[5] = open("/", O_PATH | O_CLOEXEC);
	fd[6] = memfd_create("stranger", MFD_CLOEXEC);
	fd[7] = other_dev;
	fd[8] = event_create(other_dev, 1, 1);
	return 0;
}

/* In every place, after signaled objects or before them. */
TEST_F(bad_wait, strangers_among_the_objects)
{
	int i, place, saved, fd[STRANGERS];

	ASSERT_EQ(0, open_strangers(&self->world, fd));
	world_remember(&self->world);
	for (i = 0; i < STRANGERS; i++) {
		ASSERT_LE(0, fd[i]);
		for (place = 0; place < 3; place++) {
			saved = self->objs[place];
			self->objs[place] = fd[i];
			self->args.alert = self->alert;
			EXPECT_WAIT(-EINVAL);
			self->args.alert = 0;
			EXPECT_WAIT(-EINVAL);
			self->objs[place] = saved;
		}
		/* Alone, which may take another path in the driver. */
		self->args.objs = (uintptr_t)&fd[i];
		self->args.count = 1;
		EXPECT_WAIT(-EINVAL);
		self->args.objs = (uintptr_t)self->objs;
		self->args.count = 3;
	}
}

/* Also when the objects satisfy the wait without the alert. */
TEST_F(bad_wait, strangers_as_the_alert)
{
	int i, count, fd[STRANGERS];

	ASSERT_EQ(0, open_strangers(&self->world, fd));
	world_remember(&self->world);
	for (i = 0; i < STRANGERS; i++) {
		ASSERT_LE(0, fd[i]);
		self->args.alert = fd[i];
		for (count = 0; count <= 3; count++) {
			self->args.count = count;
			EXPECT_WAIT(-EINVAL);
		}
	}
}

TEST_F(bad_wait, no_descriptors)
{
	static const int numbers[] = { -1, INT_MIN, INT_MAX, 1000000, 999 };
	size_t i;
	int place, saved;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (place = 0; place < 3; place++) {
			saved = self->objs[place];
			self->objs[place] = numbers[i];
			EXPECT_WAIT(-EINVAL);
			self->objs[place] = saved;
		}
		self->args.alert = numbers[i];
		EXPECT_WAIT(-EINVAL);
		self->args.count = 0;
		EXPECT_WAIT(-EINVAL);
		self->args.alert = self->alert;
		self->args.count = 3;
	}
}

/* A descriptor of an object that has just been closed. */
TEST_F(bad_wait, closed_descriptors)
{
	int closed = event_create(self->world.dev, 1, 1);

	ASSERT_LE(0, closed);
	ASSERT_EQ(0, close(closed));
	self->objs[2] = closed;
	EXPECT_WAIT(-EINVAL);
	self->objs[2] = world_fd(&self->world, THE_MUTEX);
	self->args.alert = closed;
	EXPECT_WAIT(-EINVAL);
}

/* The last of 64, and the alert after them. */
TEST_F(bad_wait, stranger_behind_64)
{
	int i, objs[NTSYNC_MAX_WAIT_COUNT];

	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT; i++) {
		objs[i] = event_create(self->world.dev, 0, 1);
		ASSERT_LE(0, objs[i]);
	}
	world_remember(&self->world);
	self->args.objs = (uintptr_t)objs;
	self->args.count = NTSYNC_MAX_WAIT_COUNT;
	self->args.alert = self->world.dev;
	EXPECT_WAIT(-EINVAL);
	self->args.alert = 0;
	objs[NTSYNC_MAX_WAIT_COUNT - 1] = self->world.dev;
	EXPECT_WAIT(-EINVAL);
	for (i = 0; i < NTSYNC_MAX_WAIT_COUNT - 1; i++)
		EXPECT_EVENT(0, 1, objs[i]);
}

TEST_HARNESS_MAIN
