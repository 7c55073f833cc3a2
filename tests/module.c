// SPDX-License-Identifier: GPL-2.0
/*
 * The module cannot be unloaded while it is in use, can be unloaded and loaded while
 * other threads try to open the device, and is not loaded without memory.  It is loaded
 * again from a file in the VM.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include "fault.h"
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define MODULE "/vm/modules/10-ntsync.ko"

#define NO_MODULE "there is no " MODULE ": the driver is built in, or this no VM of tests/vm/run"

static int unload(void)
{
	return syscall(SYS_delete_module, "ntsync", O_NONBLOCK) ? -errno : 0;
}

static int load(void)
{
	int ret, fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* A file's last reference may be dropped a moment after close(). */
static bool unload_soon(void)
{
	int ret;

	return wait_until((ret = unload()) != -EAGAIN) && !ret;
}

static bool is_there(void)
{
	return !access(MODULE, R_OK) && !geteuid();
}

/* The module is loaded at the end, also if the test fails. */
FIXTURE(module) {
	int dev;
};

FIXTURE_SETUP(module)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(module)
{
	close(self->dev);
	if (is_there())
		load();
}

TEST_F(module, stays_while_the_device_is_open)
{
	if (!is_there())
		SKIP(return, NO_MODULE);
	EXPECT_EQ(-EAGAIN, unload());
	close(self->dev);
	EXPECT_TRUE(unload_soon());
	EXPECT_EQ(-ENOENT, ntsync_open());
	EXPECT_EQ(0, load());
	self->dev = ntsync_open();
	EXPECT_LE(0, self->dev);
}

TEST_F(module, stays_while_there_is_an_object)
{
	if (!is_there())
		SKIP(return, NO_MODULE);
	for (int kind = 0; kind < KINDS; kind++) {
		struct object object = object_create(self->dev, kind);

		ASSERT_LE(0, object.fd);
		close(self->dev);
		EXPECT_EQ(-EAGAIN, unload());
		ASSERT_EQ(0, object_signal(object));
		EXPECT_EQ(-EAGAIN, unload());
		close(object.fd);
		EXPECT_TRUE(unload_soon());
		EXPECT_EQ(0, load());
		self->dev = ntsync_open();
		ASSERT_LE(0, self->dev);
	}
}

/* No descriptor is left, but the call uses the file. */
TEST_F(module, stays_while_a_thread_waits)
{
	int event = event_create(self->dev, 0, 0);
	struct waiter w;
	pid_t pid;

	if (!is_there())
		SKIP(return, NO_MODULE);
	ASSERT_LE(0, event);
	waiter_fill(&w, self->dev, NTSYNC_IOC_WAIT_ANY, &event, 1, ME, 0);
	pid = fork_waiter(&w);
	ASSERT_LT(0, pid);
	close(event);
	close(self->dev);
	EXPECT_EQ(-EAGAIN, unload());
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(SIGKILL, child_status(pid));
	EXPECT_TRUE(unload_soon());
	EXPECT_EQ(0, load());
	self->dev = ntsync_open();
}

static int run_on_cpu(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set);
}

/* The number of a wait that begins on this CPU; 0 if something is wrong. */
static unsigned long long serial_of_new_wait(int dev, struct fdinfo *info)
{
	int event = event_create(dev, 0, 0);
	unsigned long long serial = 0;
	struct waiter w;
	__u32 value;

	if (event < 0 ||
	    !waiter_start_blocked(&w, dev, NTSYNC_IOC_WAIT_ANY, &event, 1, ME, 0))
		return 0;
	if (!fdinfo_read(event, info) && info->shown == 1)
		serial = info->waits[0].serial;
	if (event_set(event, &value) || waiter_join(&w))
		serial = 0;
	close(event);
	return serial;
}

#define ONLINE "/sys/devices/system/cpu/cpu1/online"

/*
 * Numbers are those since the module was loaded, and CPUs count without each other, also one that
 * was not there when it was loaded.
 */
TEST_F(module, numbers_waits_without_a_cpu)
{
	struct fdinfo *info = calloc(1, sizeof(*info));
	unsigned long long there[4], here = 0;

	if (!is_there())
		SKIP(return, NO_MODULE);
	if (access(ONLINE, W_OK))
		SKIP(return, "no second CPU that can be taken away");
	ASSERT_NE(NULL, info);
	close(self->dev);
	ASSERT_TRUE(unload_soon());
	/* The kernel complains if the harness has only this CPU. */
	ASSERT_EQ(0, run_on_cpu(getppid(), 0));
	ASSERT_EQ(0, run_on_cpu(0, 0));
	ASSERT_EQ(0, write_file(ONLINE, "0"));
	EXPECT_EQ(0, load());
	ASSERT_EQ(0, write_file(ONLINE, "1"));
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, run_on_cpu(0, 1));
	for (int i = 0; i < 4; i++) {
		there[i] = serial_of_new_wait(self->dev, info);
		ASSERT_NE(0, there[i]);
	}
	ASSERT_EQ(0, run_on_cpu(0, 0));
	ASSERT_EQ(0, write_file(ONLINE, "0"));
	while (here < there[3]) {
		here = serial_of_new_wait(self->dev, info);
		EXPECT_NE(0, here);
		if (!here)
			break;
		for (int i = 0; i < 4; i++)
			EXPECT_NE(there[i], here);
	}
	EXPECT_EQ(0, write_file(ONLINE, "1"));
	free(info);
}

/* Tells tests/guest which complaint of the kernel to expect. */
static bool tell_guest(const char *text)
{
	return write_text("/dev/kmsg", text);
}

/* The slab cache, the device, and what the kernel needs to load any module. */
TEST_F(module, is_not_loaded_without_memory)
{
	int fail_nth = fault_open(), failed = 0;
	bool happened = true;

	if (fail_nth < 0 || !fault_in_cache("kmem_cache"))
		SKIP(return, "this kernel cannot make its own allocations fail");
	close(self->dev);
	EXPECT_TRUE(unload_soon());
	EXPECT_TRUE(tell_guest("<6>test: complaints are wanted"));
	for (unsigned int n = 1; happened; n++) {
		int ret;

		if (!fault_set(fail_nth, n))
			break;
		ret = load();
		happened = fault_happened(fail_nth);
		if (!ret) {
			EXPECT_TRUE(unload_soon());
			continue;
		}
		/* Of the copies, this is the one of the module's parameters. */
		EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT);
		EXPECT_EQ(-ENOENT, ntsync_open());
		failed += ret == -ENOMEM;
	}
	EXPECT_TRUE(tell_guest("<6>test: no more complaints are wanted"));
	EXPECT_FALSE(happened);
	EXPECT_LE(2, failed);
	close(fail_nth);
	EXPECT_EQ(0, load());
	self->dev = ntsync_open();
}

struct openers {
	atomic_bool stop;
	atomic_int opened;
	atomic_int missed;
	atomic_int bad;
};

static void *open_and_close(void *data)
{
	struct openers *openers = data;

	for (int i = 0; !openers->stop; i++) {
		int event, dev = ntsync_open();

		if (dev < 0) {
			openers->missed++;
			if (dev != -ENOENT && dev != -ENODEV && dev != -ENXIO)
				openers->bad++;
			continue;
		}
		openers->opened++;
		event = event_create(dev, 0, 1);
		if (i % 2)
			close(dev);
		if (event < 0 || close(event))
			openers->bad++;
		if (!(i % 2))
			close(dev);
	}
	return NULL;
}

TEST_F(module, goes_and_comes_while_others_open_it)
{
	struct openers openers = { };
	pthread_t threads[3];

	if (!is_there())
		SKIP(return, NO_MODULE);
	close(self->dev);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, open_and_close,
					    &openers));
	for (int i = 0; i < work(20, 2); i++) {
		int missed, opened = openers.opened;

		EXPECT_TRUE(wait_until(openers.opened != opened));
		EXPECT_TRUE(unload_soon());
		missed = openers.missed;
		EXPECT_TRUE(wait_until(openers.missed != missed));
		EXPECT_EQ(0, load());
	}
	openers.stop = true;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, openers.bad);
	self->dev = ntsync_open();
}

TEST_HARNESS_MAIN
