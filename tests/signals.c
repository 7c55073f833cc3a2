// SPDX-License-Identifier: GPL-2.0
/* Signals, stops and tracers: what interrupts a wait and what must not. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"
#include "wake_up.h"
#include "fdinfo.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

static atomic_int handled;

static void handle(int sig)
{
	(void)sig;
	handled++;
}

static int install_for(int sig, int flags)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = flags };

	handled = 0;
	return sigaction(sig, &action, NULL) ? -errno : 0;
}

static int install(int flags)
{
	return install_for(SIGUSR1, flags);
}

/* Several unsignaled objects and a wait for them. */
FIXTURE(signals) {
	int dev;
	int objs[10];
	int count;
	int alert;
	int sem;
	struct waiter w;
};

FIXTURE_VARIANT(signals) {
	unsigned long request;
	int count;
	bool alert;
};

FIXTURE_VARIANT_ADD(signals, any_of_one) {
	.request = ANY,
	.count = 1,
};

FIXTURE_VARIANT_ADD(signals, any_of_ten_alert) {
	.request = ANY,
	.count = 10,
	.alert = true,
};

FIXTURE_VARIANT_ADD(signals, any_of_none) {
	.request = ANY,
	.count = 0,
	.alert = true,
};

FIXTURE_VARIANT_ADD(signals, all_of_one) {
	.request = ALL,
	.count = 1,
};

FIXTURE_VARIANT_ADD(signals, all_of_ten_alert) {
	.request = ALL,
	.count = 10,
	.alert = true,
};

FIXTURE_SETUP(signals)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	for (int i = 0; i < variant->count; i++) {
		/* For a wait-for-all, one unsignaled object is enough. */
		self->objs[i] = event_create(self->dev, 0,
					     variant->request == ALL &&
					     i != variant->count / 2);
		ASSERT_LE(0, self->objs[i]);
	}
	if (variant->alert) {
		self->alert = event_create(self->dev, 0, 0);
		ASSERT_LE(0, self->alert);
	}
	waiter_fill(&self->w, self->dev, variant->request, self->objs,
		    variant->count, ME, self->alert);
}

FIXTURE_TEARDOWN(signals)
{
	for (int i = 0; i < variant->count; i++)
		close(self->objs[i]);
	close(self->dev);
}

/* Signals the last object of the wait, or its alert. */
static int satisfy(FIXTURE_DATA(signals) * self,
		   const FIXTURE_VARIANT(signals) * variant)
{
	int fd = self->alert;
	__u32 value;

	if (variant->count)
		fd = self->objs[variant->count / 2];
	return event_set(fd, &value);
}

static __u32 satisfied_index(const FIXTURE_VARIANT(signals) * variant)
{
	return variant->request == ALL ? 0 : variant->count / 2;
}

/* All objects of the wait are in the same state as after the setup. */
#define EXPECT_NOTHING_TAKEN() do { \
	for (int _i = 0; _i < variant->count; _i++) \
		EXPECT_EVENT(0, variant->request == ALL && \
			     _i != variant->count / 2, self->objs[_i]); \
} while (0)

TEST_F(signals, interrupted)
{
	ASSERT_EQ(0, install(0));
	for (int i = 1; i <= 5; i++) {
		self->w.args.index = GARBAGE;
		ASSERT_EQ(0, waiter_run(&self->w));
		ASSERT_TRUE(waiter_blocks(&self->w));
		ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR1));
		EXPECT_EQ(-EINTR, waiter_join(&self->w));
		EXPECT_EQ(i, handled);
		EXPECT_EQ(GARBAGE, self->w.args.index);
		EXPECT_NOTHING_TAKEN();
	}
}

TEST_F(signals, interrupted_with_deadline)
{
	ASSERT_EQ(0, install(0));
	self->w.args.timeout = clock_ns(CLOCK_MONOTONIC) + 3600 * NSEC_PER_SEC;
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, waiter_join(&self->w));
	EXPECT_NOTHING_TAKEN();
}

/* The next signal of an object goes to other waits, not to an interrupted one. */
TEST_F(signals, interrupted_leaves_no_trace)
{
	struct waiter next;

	ASSERT_EQ(0, install(0));
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	next = self->w;
	ASSERT_EQ(0, waiter_run(&next));
	ASSERT_TRUE(waiter_blocks(&next));
	ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR1));
	ASSERT_EQ(-EINTR, waiter_join(&self->w));
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, waiter_join(&next));
	EXPECT_EQ(satisfied_index(variant), next.args.index);
}

TEST_F(signals, restarted)
{
	ASSERT_EQ(0, install(SA_RESTART));
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	for (int i = 1; i <= 20; i++) {
		ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR1));
		ASSERT_TRUE(wait_until(handled == i));
		ASSERT_TRUE(waiter_blocks(&self->w));
	}
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_EQ(satisfied_index(variant), self->w.args.index);
}

/* Interrupts a wait that has not ended. */
static bool ends_if_shot_at(struct waiter *w)
{
	if (!w->done)
		pthread_kill(w->thread, SIGUSR1);
	return w->done;
}

/*
 * A deadline is a point in time.  Repeated signals must neither bring it forward nor put it
 * off, even if they interrupt each restarted wait.  The deadline grows until a slow machine
 * gets some of them before it.
 */
static int restart_until_deadline(struct waiter *w, clockid_t clock)
{
	__u64 delay = NSEC_PER_SEC / 64, deadline;
	int ret;

	do {
		delay *= 2;
		if (delay >= 20 * NSEC_PER_SEC)
			return -ERANGE;
		deadline = clock_ns(clock) + delay;
		w->args.timeout = deadline;
		ret = install(SA_RESTART) ?: waiter_run(w);
		if (ret)
			return ret;
		if (!wait_until(ends_if_shot_at(w)))
			return WAITER_HANGS;
		ret = waiter_join(w);
		if (clock_ns(clock) < deadline)
			return -EALREADY;
	} while (ret == -ETIMEDOUT && handled < 5);
	return ret;
}

TEST_F(signals, restarted_to_the_same_deadline)
{
	self->w.args.index = GARBAGE;
	EXPECT_EQ(-ETIMEDOUT, restart_until_deadline(&self->w, CLOCK_MONOTONIC));
	EXPECT_EQ(GARBAGE, self->w.args.index);
	EXPECT_NOTHING_TAKEN();
}

TEST_F(signals, restarted_by_clock_realtime)
{
	self->w.args.index = GARBAGE;
	self->w.args.flags = NTSYNC_WAIT_REALTIME;
	EXPECT_EQ(-ETIMEDOUT, restart_until_deadline(&self->w, CLOCK_REALTIME));
	EXPECT_EQ(GARBAGE, self->w.args.index);
	EXPECT_NOTHING_TAKEN();
}

/* Blocked and ignored signals do not interrupt a wait. */
TEST_F(signals, blocked_and_ignored)
{
	sigset_t usr1;

	ASSERT_EQ(0, install(0));
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &usr1, NULL));
	signal(SIGUSR2, SIG_IGN);
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_kill(self->w.thread, SIGUSR2));
	EXPECT_TRUE(waiter_blocks(&self->w));
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_EQ(0, handled);
}

/*
 * A timer fires soon after each poll begins, after varying times.  A periodic timer would
 * leave a machine on which signals are slow no time to poll.
 */
TEST_F(signals, poll_is_never_interrupted)
{
	struct itimerval once = { };
	int polls = 0, most = work(20000, 500);

	ASSERT_EQ(0, install_for(SIGALRM, 0));
	for (; polls < most || handled < most / 200; polls++) {
		int ret;

		once.it_value.tv_usec = 1 + polls % 50;
		ASSERT_EQ(0, setitimer(ITIMER_REAL, &once, NULL));
		ret = wait_call(self->dev, variant->request, self->objs,
				variant->count, ME, 0, self->alert, NULL);
		ASSERT_EQ(-ETIMEDOUT, ret);
	}
	once.it_value.tv_usec = 0;
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &once, NULL));
	EXPECT_NOTHING_TAKEN();
}

/* A signal that is pending when a wait begins does not keep it from acquiring. */
struct pending_signal {
	const struct waiter *w;
	atomic_bool done;
	int ret;
};

static void *wait_with_signals_pouring_in(void *data)
{
	struct pending_signal *p = data;
	struct ntsync_wait_args args = p->w->args;

	/* Until the first success. */
	pause();
	p->ret = ntsync_call(p->w->dev, p->w->request, &args);
	p->done = true;
	return NULL;
}

TEST_F(signals, satisfiable_wait_ignores_signals)
{
	for (int i = 0; i < work(100, 5); i++) {
		struct pending_signal p = { .w = &self->w };
		pthread_t thread;

		ASSERT_EQ(0, install(0));
		ASSERT_EQ(0, satisfy(self, variant));
		if (variant->request == ALL) {
			__u32 value;

			for (int j = 0; j < variant->count; j++)
				event_set(self->objs[j], &value);
		}
		ASSERT_EQ(0, pthread_create(&thread, NULL,
					    wait_with_signals_pouring_in, &p));
		while (!p.done)
			pthread_kill(thread, SIGUSR1);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, p.ret);
	}
}

/*
 * The thread that signals the object and the one that sends the signal race.  The wait either
 * succeeds and has acquired the object, or returns EINTR and has not.
 */
struct race {
	struct waiter *w;
	pthread_t target;
	atomic_int arrived;
	atomic_bool over;	/* changes before a round's first meeting */
};

static void *wait_again_and_again(void *data)
{
	struct race *r = data;

	for (int round = 0; ; round++) {
		meet(&r->arrived, 2 * round, 3);
		if (r->over)
			break;
		r->w->ret = ntsync_call(r->w->dev, r->w->request, &r->w->args);
		meet(&r->arrived, 2 * round + 1, 3);
	}
	return NULL;
}

static void *shoot_again_and_again(void *data)
{
	struct race *r = data;
	unsigned int seed = 1;

	for (int round = 0; ; round++) {
		meet(&r->arrived, 2 * round, 3);
		if (r->over)
			break;
		spin(vary(&seed) % 8000);
		pthread_kill(r->target, SIGUSR1);
		meet(&r->arrived, 2 * round + 1, 3);
	}
	return NULL;
}

/* The event that @satisfy sets; all other objects are signaled. */
static struct object last_object(FIXTURE_DATA(signals) * self,
				 const FIXTURE_VARIANT(signals) * variant)
{
	int last = variant->count / 2;
	__u32 value;

	if (!variant->count)
		return (struct object) { AUTO_EVENT, self->alert };
	for (int i = 0; i < variant->count; i++) {
		if (variant->request == ALL && i != last)
			event_set(self->objs[i], &value);
	}
	return (struct object) { AUTO_EVENT, self->objs[last] };
}

TEST_F(signals, success_is_kept)
{
	int rounds = 0, most = work(2500, 60), successes = 0, interrupts = 0;
	struct race r = { .w = &self->w };
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	unsigned int seed = 2;
	pthread_t shooter;
	__u32 value;

	ASSERT_EQ(0, install(0));
	ASSERT_EQ(0, pthread_create(&r.target, NULL, wait_again_and_again, &r));
	ASSERT_EQ(0, pthread_create(&shooter, NULL, shoot_again_and_again, &r));
	for (;; rounds++) {
		struct object object = last_object(self, variant);

		r.over = !race_goes_on(begun, rounds >= most &&
				       successes >= most / 50 &&
				       interrupts >= most / 50);
		meet(&r.arrived, 2 * rounds, 3);
		if (r.over)
			break;
		spin(vary(&seed) % 8000);
		ASSERT_EQ(0, event_set(object.fd, &value));
		meet(&r.arrived, 2 * rounds + 1, 3);
		successes += !self->w.ret;
		interrupts += self->w.ret == -EINTR;
		if (self->w.ret) {
			EXPECT_EQ(-EINTR, self->w.ret);
			EXPECT_SIGNALED(object);
			ASSERT_EQ(0, event_reset(object.fd, &value));
		}
		EXPECT_UNSIGNALED(object);
	}
	pthread_join(r.target, NULL);
	pthread_join(shooter, NULL);
	say_done("%d rounds, %d successes, %d EINTR", rounds, successes,
		 interrupts);
	EXPECT_LE(most, rounds);
	EXPECT_LE(most / 50, successes);
	EXPECT_LE(most / 50, interrupts);
}

/*
 * The same without a known order: tokens are passed around among threads that are all
 * interrupted by signals, and none may be lost.
 */
#define TOKENS	2
#define TAKERS	6
#define ROUNDS	1500

struct taker {
	int dev;
	const int *objs;
	pthread_t thread;
	atomic_bool done;
	int bad;
	int interrupted;
};

static void *take_and_give_back(void *data)
{
	struct taker *t = data;

	for (int i = 0; i < ROUNDS; i++) {
		__u32 one = 1, index;
		int ret = wait_any(t->dev, t->objs, 2, ME, FOREVER, 0, &index);

		if (ret == -EINTR) {
			t->interrupted++;
			continue;
		}
		/* The others sleep at the same time. */
		if (i % 2)
			sched_yield();
		if (ret || index > 1 || sem_release(t->objs[index], &one))
			t->bad++;
	}
	t->done = true;
	return NULL;
}

FIXTURE(signals_race) {
	int dev;
};

FIXTURE_SETUP(signals_race)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(signals_race)
{
	close(self->dev);
}

TEST_F(signals_race, tokens_are_conserved)
{
	struct taker takers[TAKERS] = { };
	int sems[2], running, interrupted = 0;
	struct ntsync_sem_args args[2];

	ASSERT_EQ(0, install(0));
	for (int i = 0; i < 2; i++) {
		sems[i] = sem_create(self->dev, i ? TOKENS - 1 : 1, TOKENS);
		ASSERT_LE(0, sems[i]);
	}
	for (int i = 0; i < TAKERS; i++) {
		takers[i].dev = self->dev;
		takers[i].objs = sems;
		ASSERT_EQ(0, pthread_create(&takers[i].thread, NULL,
					    take_and_give_back, &takers[i]));
	}
	do {
		running = 0;
		for (int i = 0; i < TAKERS; i++) {
			if (takers[i].done)
				continue;
			pthread_kill(takers[i].thread, SIGUSR1);
			running++;
		}
		sched_yield();
	} while (running);
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(takers[i].thread, NULL);
		EXPECT_EQ(0, takers[i].bad);
		interrupted += takers[i].interrupted;
	}
	say_done("%d waits, %d EINTR", TAKERS * ROUNDS, interrupted);
	EXPECT_LE(10, interrupted);
	EXPECT_LE(10, TAKERS * ROUNDS - interrupted);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, sem_read(sems[i], &args[i]));
	EXPECT_EQ(TOKENS, args[0].count + args[1].count);
}

/* A thread that is woken without a reason sleeps on: that is no signal. */
TEST_F(signals, woken_without_a_reason)
{
	if (access(WAKE_UP, R_OK))
		SKIP(return, "there is no " WAKE_UP);
	ASSERT_EQ(0, load_wake_up());
	ASSERT_EQ(0, waiter_run(&self->w));
	ASSERT_TRUE(waiter_blocks(&self->w));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, wake_without_reason(self->w.tid));
		ASSERT_TRUE(waiter_blocks(&self->w));
	}
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, waiter_join(&self->w));
	EXPECT_EQ(satisfied_index(variant), self->w.args.index);
}

/* Stops and tracers act on processes. */

TEST_F(signals, stopped_and_continued)
{
	pid_t pid = fork_waiter(&self->w);
	int status;

	ASSERT_LT(0, pid);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_TRUE(wait_until(thread_in_ioctl(pid, self->w.request,
						       &self->w.args)));
	}
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, child_exit_code(pid));
}

/*
 * Starts a process that makes the wait and stops it before the deadline; 0 if it stopped too
 * late.
 */
static pid_t stopped_waiter(struct waiter *w, __u64 deadline)
{
	int status;
	pid_t pid;

	w->args.timeout = deadline;
	pid = fork_waiter(w);
	if (pid < 0)
		return pid;
	kill(pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) != pid)
		return -1;
	if (!WIFSTOPPED(status))
		return 0;
	if (clock_ns(CLOCK_MONOTONIC) < deadline)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 0;
}

/*
 * A stopped process does not wait.  When it continues, it finds objects that were signaled
 * meanwhile, even after the deadline.  The deadline grows until a slow machine stops the
 * process before it.
 */
TEST_F(signals, signaled_while_stopped)
{
	__u64 delay = NSEC_PER_SEC / 64, deadline;
	pid_t pid;

	do {
		delay *= 2;
		ASSERT_GT(20 * NSEC_PER_SEC, delay);
		deadline = clock_ns(CLOCK_MONOTONIC) + delay;
		pid = stopped_waiter(&self->w, deadline);
	} while (!pid);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, satisfy(self, variant));
	ASSERT_TRUE(wait_until(clock_ns(CLOCK_MONOTONIC) > deadline));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, child_exit_code(pid));
}

/* A control group whose processes can be frozen. */
#define CGROUPS	"/sys/fs/cgroup"
#define FREEZER	CGROUPS "/freezer"

static bool all_are_frozen(void)
{
	char text[64] = "";
	FILE *file = fopen(FREEZER "/cgroup.events", "re");
	bool frozen = false;

	while (file && fgets(text, sizeof(text), file))
		frozen = frozen || !strcmp(text, "frozen 1\n");
	if (file)
		fclose(file);
	return frozen;
}

/* The same for a frozen process. */
TEST_F(signals, frozen)
{
	pid_t pid = fork_waiter(&self->w);
	char text[16];

	ASSERT_LT(0, pid);
	ASSERT_TRUE(!mkdir(FREEZER, 0700) || errno == EEXIST);
	snprintf(text, sizeof(text), "%d", pid);
	ASSERT_EQ(0, write_file(FREEZER "/cgroup.procs", text));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_file(FREEZER "/cgroup.freeze", "1"));
		ASSERT_TRUE(wait_until(all_are_frozen()));
		if (i == 2)
			ASSERT_EQ(0, satisfy(self, variant));
		ASSERT_FALSE(child_ended(pid));
		ASSERT_EQ(0, write_file(FREEZER "/cgroup.freeze", "0"));
		if (i < 2)
			ASSERT_TRUE(wait_until(thread_in_ioctl(pid,
							       self->w.request,
							       &self->w.args)));
	}
	EXPECT_EQ(0, child_exit_code(pid));
	EXPECT_EQ(0, rmdir(FREEZER));
}

/* The freezer that also suspends a machine, as a cgroup of version 1. */
#define FREEZERS	"/ntsync-freezer"
#define SUSPENDED	FREEZERS "/suspended"

/* Waits until the state, which the kernel updates when it is read, is @state. */
static bool reach_state(const char *state)
{
	char text[16] = "";
	FILE *file;

	if (write_file(SUSPENDED "/freezer.state", state))
		return false;
	return wait_until(({
		file = fopen(SUSPENDED "/freezer.state", "re");
		if (!file || !fgets(text, sizeof(text), file))
			text[0] = 0;
		if (file)
			fclose(file);
		!strncmp(text, state, strlen(state));
	}));
}

/* The number of the wait, which no other wait gets; 0 if the driver does not show it. */
static unsigned long long serial_of_wait(int fd)
{
	struct fdinfo *info = calloc(1, sizeof(*info));
	unsigned long long serial = 0;

	if (info && !fdinfo_read(fd, info) && info->shown == 1)
		serial = info->waits[0].serial;
	free(info);
	return serial;
}

static bool is_before_6_1(void)
{
	struct utsname kernel;
	int major, minor;

	return !uname(&kernel) && sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 1));
}

/* A wait that is frozen is not interrupted, and keeps its place. */
TEST_F(signals, suspended)
{
	int fd = variant->count ? self->objs[variant->count / 2] : self->alert;
	unsigned long long serial;
	char text[16];
	pid_t pid;
	int error;

	if (is_before_6_1())
		SKIP(return, "before Linux 6.1 the freezer interrupts waits");
	mkdir(FREEZERS, 0700);
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	error = mount("none", FREEZERS, "cgroup", 0, "freezer") ? errno : 0;
	if (error)
		rmdir(FREEZERS);
	if (error)
		SKIP(return, "no freezer of version 1: %s", strerror(error));
	ASSERT_EQ(0, mkdir(SUSPENDED, 0700));
	pid = fork_waiter(&self->w);
	ASSERT_LT(0, pid);
	snprintf(text, sizeof(text), "%d", pid);
	ASSERT_EQ(0, write_file(SUSPENDED "/cgroup.procs", text));
	serial = serial_of_wait(fd);
	EXPECT_NE(0, serial);
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(reach_state("FROZEN"));
		EXPECT_TRUE(reach_state("THAWED"));
		ASSERT_TRUE(wait_until(thread_in_ioctl(pid, self->w.request, &self->w.args)));
		EXPECT_EQ(serial, serial_of_wait(fd));
	}
	EXPECT_TRUE(reach_state("FROZEN"));
	EXPECT_EQ(0, satisfy(self, variant));
	EXPECT_TRUE(reach_state("THAWED"));
	EXPECT_EQ(0, child_exit_code(pid));
	EXPECT_EQ(0, rmdir(SUSPENDED));
	EXPECT_EQ(0, umount(FREEZERS));
	EXPECT_EQ(0, rmdir(FREEZERS));
}

TEST_F(signals, traced)
{
	pid_t pid = fork_waiter(&self->w);
	int status;

	ASSERT_LT(0, pid);
	for (int i = 0; i < 3; i++) {
		if (ptrace(PTRACE_ATTACH, pid, NULL, NULL)) {
			ASSERT_EQ(EPERM, errno);
			kill(pid, SIGKILL);
			SKIP(return, "no permission to trace");
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSTOPPED(status));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
		ASSERT_TRUE(wait_until(thread_in_ioctl(pid, self->w.request,
						       &self->w.args)));
	}
	ASSERT_EQ(0, satisfy(self, variant));
	EXPECT_EQ(0, child_exit_code(pid));
}

TEST_HARNESS_MAIN
