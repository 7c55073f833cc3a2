// SPDX-License-Identifier: GPL-2.0
/* A worker: threads that make calls, fork, exec, stop and kill. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include "fuzz.h"

struct control *control;
char **program_args;

static void fuzz(struct fuzzer *f, unsigned int steps);

static void start_memory(struct fuzzer *f)
{
	arena_create(&f->arg, &f->random);
	arena_create(&f->array, &f->random);
}

/* A few calls by a child, possibly one at its limit of descriptors. */
static void be_a_child(struct fuzzer *f)
{
	struct rlimit none = { .rlim_cur = 3, .rlim_max = 3 };

	arena_destroy(&f->arg);
	arena_destroy(&f->array);
	f->kcov.area = NULL;
	f->child = true;
	f->no_descriptors = one_in(&f->random, 3);
	start_memory(f);
	if (f->no_descriptors)
		setrlimit(RLIMIT_NOFILE, &none);
	fuzz(f, 20);
	_exit(0);
}

/* A child that kills or stops its parent, whatever that is doing. */
static void be_an_enemy(struct fuzzer *f, pid_t parent, enum operation how)
{
	pause_ns(below(&f->random, 2000000));
	if (getppid() != parent) {
		/* It has been killed, and its number may have been reused. */
	} else if (how == KILL) {
		control->workers[f->worker].doomed = 1;
		kill(parent, SIGKILL);
	} else {
		kill(parent, SIGSTOP);
		pause_ns(below(&f->random, 2000000));
		kill(parent, SIGCONT);
	}
	_exit(0);
}

static void do_fork(struct fuzzer *f, enum operation why)
{
	pid_t parent = getpid(), pid = fork();

	count(&f->shared->tally, why, pid < 0 ? errno : 0);
	/* The child must not repeat the parent's decisions. */
	f->random = seed_of(f->random, !pid, 0, 0);
	if (pid)
		return;
	if (why == FORK)
		be_a_child(f);
	else
		be_an_enemy(f, parent, why);
}

static void mask_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void do_exec(struct fuzzer *f)
{
	/* A signal meanwhile waits until there is a handler again. */
	mask_signal(SIG_BLOCK);
	count(&f->shared->tally, EXEC, 0);
	kcov_stop(&f->kcov);
	execv("/proc/self/exe", program_args);
	wrong(f, "exec: errno %d", errno);
}

/* Interrupts a thread of this process, possibly this one. */
static void do_signal(struct fuzzer *f)
{
	static atomic_int tids[THREADS];
	int tid;

	tids[f->thread] = f->child ? 0 : thread_id();
	tid = tids[below(&f->random, THREADS)];
	if (!f->child && tid)
		count(&f->shared->tally, SIGNAL,
		      syscall(SYS_tgkill, getpid(), tid, SIGUSR1) ? errno : 0);
}

/* Rare and expensive calls, which a forked child does not make. */
static void live(struct fuzzer *f)
{
	if (f->child)
		return;
	switch (below(&f->random, 32)) {
	case 0 ... 1:
		do_fork(f, KILL);
		break;
	case 2:
		do_exec(f);
		break;
	case 3 ... 9:
		do_fork(f, STOP);
		break;
	default:
		do_fork(f, FORK);
		break;
	}
}

static void step(struct fuzzer *f)
{
	switch (below(&f->random, 128)) {
	case 0 ... 7:
		unknown_ioctl(f);
		break;
	case 8:
		do_poll(f);
		break;
	case 9:
		if (one_in(&f->random, 8))
			do_select(f);
		else
			do_epoll(f);
		break;
	case 10:
		if (one_in(&f->random, 8))
			do_fdinfo(f);
		else
			do_signal(f);
		break;
	case 11 ... 13:
		do_dup(f);
		break;
	case 14 ... 15:
		do_close(f);
		break;
	case 16 ... 17:
		do_open(f);
		break;
	case 18:
		if (one_in(&f->random, 32))
			live(f);
		break;
	default:
		known_ioctl(f);
		break;
	}
	atomic_fetch_add_explicit(&f->shared->moves, 1, memory_order_relaxed);
}

static void fuzz(struct fuzzer *f, unsigned int steps)
{
	for (unsigned int i = 0; i < steps && !control->stop; i++) {
		step(f);
		if (i % 4096 == 4095 &&
		    !(arena_intact(&f->arg) && arena_intact(&f->array)))
			wrong(f, "memory far from any argument has changed");
	}
}

/* A worker */

static void *thread_main(void *data)
{
	struct fuzzer *f = data;

	f->shared->tid = thread_id();
	start_memory(f);
	/* This slows a thread down. */
	if (!f->thread && f->worker < 2)
		kcov_start(&f->kcov);
	while (!control->stop)
		fuzz(f, UINT32_MAX);
	return NULL;
}

static void nothing_happens(int signal)
{
	(void)signal;
}

struct control *map_control(void)
{
	void *map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
			 MAP_SHARED, FD_CONTROL, 0);

	if (map == MAP_FAILED)
		exit(3);
	return map;
}

int worker_main(unsigned int number)
{
	static struct fuzzer fuzzers[THREADS];
	struct sigaction action = { .sa_handler = nothing_happens };
	struct worker *worker;
	pthread_t threads[THREADS];
	unsigned int generation;
	uint64_t seed;

	control = map_control();
	worker = &control->workers[number];
	generation = worker->generation++;
	seed = (uint64_t)control->seed[1] << 32 | control->seed[0];
	close_range(FD_RACE, ~0U, 0);
	close_range(STDERR_FILENO + 1, FD_CONTROL - 1, 0);
	if (dup2(epoll_create1(EPOLL_CLOEXEC), FD_EPOLL) < 0)
		return 3;
	fill_shared_known();
	signal(SIGCHLD, SIG_IGN);
	action.sa_flags = generation % 2 ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
	mask_signal(SIG_UNBLOCK);
	for (unsigned int i = 0; i < THREADS; i++) {
		fuzzers[i] = (struct fuzzer) {
			.worker = number,
			.generation = generation,
			.thread = i,
			.shared = &worker->threads[i],
			.random = seed_of(seed, number, generation, i),
			.last_id = 100,
			.last_instance = 2,
		};
		if (pthread_create(&threads[i], NULL, thread_main, &fuzzers[i]))
			return 3;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
