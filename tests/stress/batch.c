// SPDX-License-Identifier: GPL-2.0
/*
 * Calls in batches, as many as the machine can make, by threads of a few processes that
 * share the objects of an instance.  No process is killed, no signal is sent, and only a
 * batch that needs an object creates one, so nearly all of the time is spent in calls.
 *
 * Tokens are semaphores, auto-reset events and mutexes.  A thread waits for tokens only
 * while it has none, and without a deadline, so each wait has to end.  It notes in shared
 * memory what it has: an event or a mutex must have one holder, a semaphore no more than
 * its maximum.  In between are batches of which every answer is known, and some that
 * disturb: events that all threads set, reset, pulse and poll.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "stress.h"

#define MAX_PROCESSES	8
#define MAX_THREADS	200	/* of a process */
#define SEM_MAX		3

enum token {
	SEM, SEM_END = SEM + 3,
	EVENT = SEM_END, EVENT_END = EVENT + 4,
	MUTEX = EVENT_END, MUTEX_END = MUTEX + 4,
	TOKENS = MUTEX_END,
};

/* Events that anyone signals; half of them are manual-reset. */
#define LOOSE	8

enum operation {
	CREATE, WAIT_FOR_ANY, WAIT_FOR_ALL, RELEASE, SET, RESET, PULSE, UNLOCK,
	DECLARE_DEAD, READ, CLOSE, OPERATIONS,
};

static const char *const operation_name[] = {
	"create", "wait any", "wait all", "sem release", "event set",
	"event reset", "event pulse", "mutex unlock", "mutex kill", "read",
	"close",
};

static struct shared {
	atomic_uint stop;
	atomic_uint wrong;
	atomic_uint living;			/* threads */
	atomic_uint holders[TOKENS];		/* of a semaphore, how many */
	struct tally tally[MAX_PROCESSES];
} *shared;

static unsigned int n_processes = 2, n_threads = 16;
static unsigned int stuck_seconds = STUCK_SECONDS;
static unsigned long long calls_wanted, seconds_wanted, seed;

static int device, tokens[TOKENS], loose[LOOSE];

/* Of this process. */
static struct tally *tally;

struct self {
	unsigned int owner;
	uint64_t random;
};

#define wrong(format, ...)						\
	tell_wrong(&shared->wrong, &shared->stop, "batch: WRONG: " format "\n",	\
		   ##__VA_ARGS__)

static int counted(enum operation operation, int ret)
{
	count(tally, operation, ret < 0 ? -ret : 0);
	return ret;
}

/* Counts a call, which has to answer so. */
static void expect(enum operation operation, int ret, int wanted)
{
	counted(operation, ret);
	if (ret != wanted)
		wrong("%s: returned %d, not %d", operation_name[operation], ret,
		      wanted);
}

static void expect_value(const char *what, uint32_t value, uint32_t wanted)
{
	if (value != wanted)
		wrong("%s is %u, not %u", what, value, wanted);
}

static bool is_mutex(unsigned int token)
{
	return token >= MUTEX;
}

/* Taking tokens and giving them back */

static void enter(const struct self *self, unsigned int token)
{
	unsigned int before = 0;

	if (token < SEM_END)
		before = atomic_fetch_add(&shared->holders[token], 1);
	else
		atomic_compare_exchange_strong(&shared->holders[token], &before,
					       self->owner);
	if (token < SEM_END ? before >= SEM_MAX : before)
		wrong("token %u was given to %u while it was had (%u)", token,
		      self->owner, before);
}

static void leave(const struct self *self, unsigned int token)
{
	unsigned int before;

	if (token < SEM_END) {
		atomic_fetch_sub(&shared->holders[token], 1);
		return;
	}
	before = atomic_exchange(&shared->holders[token], 0);
	expect_value("the holder of a token", before, self->owner);
}

/* An object that this thread has reads as acquired. */
static void look_at(const struct self *self, unsigned int token)
{
	struct ntsync_event_args event;
	struct ntsync_mutex_args mutex;
	struct ntsync_sem_args sem;

	if (token < SEM_END) {
		expect(READ, sem_read(tokens[token], &sem), 0);
		if (sem.count >= SEM_MAX || sem.max != SEM_MAX)
			wrong("a semaphore of which one is taken has %u of %u",
			      sem.count, sem.max);
	} else if (is_mutex(token)) {
		expect(READ, mutex_read(tokens[token], &mutex), 0);
		expect_value("the owner of a mutex", mutex.owner, self->owner);
		expect_value("the count of a mutex", mutex.count, 1);
	} else {
		expect(READ, event_read(tokens[token], &event), 0);
		expect_value("an event that was taken", event.signaled, 0);
	}
}

static void give_back(const struct self *self, unsigned int token)
{
	uint32_t value = 1;

	leave(self, token);
	if (token < SEM_END) {
		expect(RELEASE, sem_release(tokens[token], &value), 0);
		if (value >= SEM_MAX)
			wrong("a semaphore had %u before a release", value);
	} else if (is_mutex(token)) {
		expect(UNLOCK, mutex_unlock(tokens[token], self->owner, &value), 0);
		expect_value("the count before an unlock", value, 1);
	} else {
		expect(SET, event_set(tokens[token], &value), 0);
		expect_value("an event before it was given back", value, 0);
	}
}

/* So many different tokens, in an order at random. */
static void pick_tokens(struct self *self, unsigned int *picked, unsigned int n)
{
	unsigned int all[TOKENS];

	for (unsigned int i = 0; i < TOKENS; i++)
		all[i] = i;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int other = i + below(&self->random, TOKENS - i);

		picked[i] = all[other];
		all[other] = all[i];
	}
}

static void take_some(struct self *self, bool all)
{
	unsigned int picked[4], n = 1 + below(&self->random, ARRAY_SIZE(picked));
	int objs[ARRAY_SIZE(picked)];
	uint32_t index;

	pick_tokens(self, picked, n);
	for (unsigned int i = 0; i < n; i++)
		objs[i] = tokens[picked[i]];
	expect(all ? WAIT_FOR_ALL : WAIT_FOR_ANY,
	       wait_call(device, all ? NTSYNC_IOC_WAIT_ALL : NTSYNC_IOC_WAIT_ANY,
			 objs, n, self->owner, FOREVER, 0, &index), 0);
	if (index >= (all ? 1 : n)) {
		wrong("index %u of a wait for %u", index, n);
		return;
	}
	if (!all) {
		picked[0] = picked[index];
		n = 1;
	}
	for (unsigned int i = 0; i < n; i++)
		enter(self, picked[i]);
	if (one_in(&self->random, 4))
		look_at(self, picked[0]);
	if (one_in(&self->random, 8))
		sched_yield();
	for (unsigned int i = 0; i < n; i++)
		give_back(self, picked[i]);
}

static void take_all(struct self *self)
{
	take_some(self, true);
}

static void take_any(struct self *self)
{
	take_some(self, false);
}

/* Objects of the batch's own: each answer is known. */

static int created(int fd)
{
	counted(CREATE, fd < 0 ? fd : 0);
	if (fd < 0)
		wrong("create: errno %d", -fd);
	return fd;
}

static void own_event(struct self *self)
{
	bool manual = one_in(&self->random, 2);
	int event = created(event_create(device, manual, 0));
	uint32_t value;

	expect(WAIT_FOR_ANY, wait_any(device, &event, 1, self->owner, 0, 0, NULL),
	       -ETIMEDOUT);
	for (unsigned int i = 0; i < 4; i++) {
		expect(SET, event_set(event, &value), 0);
		expect_value("a new event, or one that was reset", value, 0);
		expect(WAIT_FOR_ANY, wait_any(device, &event, 1, self->owner,
					      FOREVER, 0, NULL), 0);
		expect(RESET, event_reset(event, &value), 0);
		expect_value("an event after a wait", value, manual);
		expect(PULSE, event_pulse(event, &value), 0);
		expect_value("an event before a pulse", value, 0);
	}
	expect(CLOSE, close(event), 0);
}

static void own_sem(struct self *self)
{
	int sem = created(sem_create(device, 0, 4));
	uint32_t value;

	for (unsigned int i = 0; i < 4; i++) {
		value = 1;
		expect(RELEASE, sem_release(sem, &value), 0);
		expect_value("the count of a semaphore", value, i);
	}
	value = 1;
	expect(RELEASE, sem_release(sem, &value), -EOVERFLOW);
	for (unsigned int i = 0; i < 5; i++)
		expect(WAIT_FOR_ALL, wait_all(device, &sem, 1, self->owner, 0, 0,
					      NULL), i < 4 ? 0 : -ETIMEDOUT);
	expect(CLOSE, close(sem), 0);
}

static void own_mutex(struct self *self)
{
	int mutex = created(mutex_create(device, 0, 0));
	uint32_t value = 0;

	for (unsigned int i = 0; i < 3; i++)
		expect(WAIT_FOR_ANY, wait_any(device, &mutex, 1, self->owner,
					      FOREVER, 0, NULL), 0);
	expect(UNLOCK, mutex_unlock(mutex, self->owner, &value), 0);
	expect_value("the count of a mutex", value, 3);
	expect(UNLOCK, mutex_unlock(mutex, self->owner + 1, NULL), -EPERM);
	expect(DECLARE_DEAD, mutex_kill(mutex, self->owner + 1), -EPERM);
	expect(DECLARE_DEAD, mutex_kill(mutex, self->owner), 0);
	expect(WAIT_FOR_ALL, wait_all(device, &mutex, 1, self->owner, 0, 0, NULL),
	       -EOWNERDEAD);
	expect(CLOSE, close(mutex), 0);
}

/* Events that all threads signal: most answers are open. */

static void answers_one_of(enum operation operation, int ret, int other)
{
	counted(operation, ret);
	if (ret && ret != other)
		wrong("%s: returned %d", operation_name[operation], ret);
}

static void disturb(struct self *self)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 8; i++) {
		int event = loose[below(&self->random, LOOSE)];

		switch (below(&self->random, 4)) {
		case 0 ... 1:
			expect(SET, event_set(event, &value), 0);
			break;
		case 2:
			expect(RESET, event_reset(event, &value), 0);
			break;
		default:
			expect(PULSE, event_pulse(event, &value), 0);
		}
		if (value > 1)
			wrong("an event was neither set nor unset: %u", value);
	}
}

static void poll_some(struct self *self)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t index, n = 1 + below(&self->random, LOOSE);
		bool all = one_in(&self->random, 2);
		uint64_t timeout = one_in(&self->random, 16) ?
			clock_ns(CLOCK_MONOTONIC) + below(&self->random, 50000) : 0;
		int ret = wait_call(device, all ? NTSYNC_IOC_WAIT_ALL :
						  NTSYNC_IOC_WAIT_ANY,
				    loose, n, self->owner, timeout, 0, &index);

		answers_one_of(all ? WAIT_FOR_ALL : WAIT_FOR_ANY, ret,
			       -ETIMEDOUT);
		if (ret ? index != UINT32_MAX : index >= (all ? 1 : n))
			wrong("a poll of %u returned %d and index %u", n, ret,
			      index);
	}
}

/* Threads, processes */

static void *run(void *arg)
{
	static void (*const batches[])(struct self *self) = {
		take_all, take_all, take_all, take_any, take_any, take_any,
		own_event, own_sem, own_mutex, disturb, disturb, poll_some,
	};
	struct self *self = arg;

	while (!shared->stop)
		one_of(&self->random, batches)(self);
	shared->living--;
	return NULL;
}

static void run_process(unsigned int number)
{
	static struct self selves[MAX_THREADS];
	static pthread_t threads[MAX_THREADS];

	tally = &shared->tally[number];
	for (unsigned int i = 0; i < n_threads; i++) {
		selves[i].owner = 1000 * (number + 1) + 2 * i;
		selves[i].random = seed_of(seed, number, i, 0);
		if (pthread_create(&threads[i], NULL, run, &selves[i])) {
			tell("batch: cannot start a thread\n");
			exit(2);
		}
	}
	for (unsigned int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}

static void create_objects(void)
{
	device = ntsync_open();
	if (device < 0) {
		tell("batch: cannot use /dev/ntsync (is the module loaded?)\n");
		exit(2);
	}
	for (unsigned int i = 0; i < TOKENS; i++)
		tokens[i] = i < SEM_END ? sem_create(device, SEM_MAX, SEM_MAX) :
			    is_mutex(i) ? mutex_create(device, 0, 0) :
					  event_create(device, 0, 1);
	for (unsigned int i = 0; i < LOOSE; i++)
		loose[i] = event_create(device, i % 2, 0);
}

/* At the end each token must be as it was in the beginning. */
static void check_tokens(void)
{
	struct ntsync_event_args event = { 0 };
	struct ntsync_mutex_args mutex = { 0 };
	struct ntsync_sem_args sem = { 0 };

	for (unsigned int i = SEM; i < SEM_END; i++)
		if (sem_read(tokens[i], &sem) || sem.count != SEM_MAX)
			wrong("semaphore %u has %u at the end", i, sem.count);
	for (unsigned int i = EVENT; i < EVENT_END; i++)
		if (event_read(tokens[i], &event) || !event.signaled)
			wrong("event %u is not set at the end", i);
	for (unsigned int i = MUTEX; i < MUTEX_END; i++)
		if (mutex_read(tokens[i], &mutex) || mutex.owner)
			wrong("mutex %u is owned by %u at the end", i, mutex.owner);
}

/* Watching them */

static uint64_t begin;

static double seconds_passed(void)
{
	return (clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
}

static uint64_t sum_calls(struct totals *totals)
{
	uint64_t calls = 0;

	memset(totals, 0, sizeof(*totals));
	for (unsigned int i = 0; i < n_processes; i++)
		add_up(totals, &shared->tally[i]);
	for (unsigned int i = 0; i < OPERATIONS; i++)
		calls += sum_operation(totals, i);
	return calls;
}

/* Returns whether all threads have ended, and not one of them stands still. */
static bool watch(void)
{
	double moved = 0, told = 0;
	uint64_t calls, before = 0;
	struct totals totals;

	while (shared->living) {
		pause_ns(200000000);
		calls = sum_calls(&totals);
		if (calls != before)
			moved = seconds_passed();
		before = calls;
		if (seconds_passed() - moved > stuck_seconds) {
			tell("batch: WRONG: %u threads have not moved for %u s\n",
			     shared->living, stuck_seconds);
			return false;
		}
		if (seconds_passed() - told >= PROGRESS_SECONDS) {
			told = seconds_passed();
			tell("batch: %.0f s, %llu calls\n", told,
			     (unsigned long long)calls);
		}
		if ((calls_wanted && calls >= calls_wanted) ||
		    (seconds_wanted && seconds_passed() >= seconds_wanted))
			shared->stop = 1;
	}
	return true;
}

static void report(bool served)
{
	struct totals totals;
	uint64_t calls = sum_calls(&totals);

	print_totals(&totals, "batch", operation_name, OPERATIONS);
	printf("# %llu calls in %.0f s, %.0f a second; made in batches\n",
	       (unsigned long long)calls, seconds_passed(),
	       calls / seconds_passed());
	if (shared->wrong)
		printf("# to repeat: SEED=%llu\n", seed);
	printf("1..2\n");
	printf("%sok 1 no token was lost or had twice, and every call answered as it had to\n",
	       shared->wrong ? "not " : "");
	printf("%sok 2 every waiter was served\n", served ? "" : "not ");
}

static void explain(void)
{
	tell("usage: batch [--calls N] [--seconds N] [--seed N] [--processes N]\n"
	     "             [--threads N] [--stuck N]\n"
	     "Runs processes (%u, at most %u) of N threads each (%u, at most %u) until there\n"
	     "were N calls or N seconds have passed.  If no call has returned for %u seconds,\n"
	     "or N, its thread is stuck.\n",
	     n_processes, MAX_PROCESSES, n_threads, MAX_THREADS, stuck_seconds);
	exit(2);
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		unsigned long long value;

		if (i + 1 == argc)
			explain();
		value = number("batch", argv[i], argv[i + 1]);
		if (!strcmp(argv[i], "--calls"))
			calls_wanted = value;
		else if (!strcmp(argv[i], "--seconds"))
			seconds_wanted = value;
		else if (!strcmp(argv[i], "--seed"))
			seed = value;
		else if (!strcmp(argv[i], "--processes") && value <= MAX_PROCESSES)
			n_processes = value;
		else if (!strcmp(argv[i], "--threads") && value <= MAX_THREADS)
			n_threads = value;
		else if (!strcmp(argv[i], "--stuck") && value <= STUCK_SECONDS)
			stuck_seconds = value;
		else
			explain();
	}
	if (!calls_wanted && !seconds_wanted)
		explain();
}

/*
 * Process i stays on processor i from its beginning: user-mode Linux is several times as
 * fast then (see --pin of tests/vm/run).
 */
static void move_to(unsigned int i)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void start_processes(pid_t *pids)
{
	for (unsigned int i = 0; i < n_processes; i++) {
		move_to(i);
		pids[i] = fork();
		if (!pids[i]) {
			run_process(i);
			_exit(0);
		}
		if (pids[i] < 0) {
			tell("batch: cannot fork: %s\n", strerror(errno));
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_PROCESSES];
	bool served;

	begin = clock_ns(CLOCK_MONOTONIC);
	seed = begin ^ getpid();
	read_options(argc, argv);
	tell("batch: seed %llu\n", seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		tell("batch: no memory\n");
		return 2;
	}
	create_objects();
	shared->living = n_processes * n_threads;
	start_processes(pids);
	served = watch();
	for (unsigned int i = 0; i < n_processes; i++) {
		if (!served)
			kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	if (served)
		check_tokens();
	report(served);
	return shared->wrong || !served;
}
