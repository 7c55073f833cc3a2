// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls: numbers, arguments, descriptors and memory, right and wrong, by
 * 64-bit and 32-bit processes whose threads close, dup, fork, exec and kill while
 * others use the same descriptors.  The interface says what each call may return;
 * any other result is an error, and so is a changed byte outside of it.
 *
 * The first process starts the others, the workers, and starts them again when they
 * are killed.  Descriptors have fixed numbers: each thread has its own slots and
 * knows what is in them, and all threads of a process replace the descriptors in the
 * other slots.
 *
 * This file is the first process; fuzz_worker.c is the workers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "fuzz.h"

struct boss {
	unsigned long long calls;
	unsigned long long seconds;
	unsigned long long seed;
	unsigned int workers;
	char **programs;
	unsigned int n_programs;
	uint64_t begin;
	unsigned int ticks;
	unsigned int deaths;
	unsigned int alive;
	bool stuck;
	struct {
		unsigned int moves;
		uint64_t since;
	} seen[MAX_WORKERS][THREADS];
};

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void must(bool done, const char *what)
{
	if (done)
		return;
	tell("fuzz: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

static void give_number(int fd, int number)
{
	must(fd >= 0, "create what all processes share");
	must(dup2(fd, number) == number, "give a descriptor its number");
	close(fd);
}

/* What workers inherit. */
static void create_shared(void)
{
	int fd = memfd_create("control", 0), dev[2];
	struct pollfd unset = { .events = POLLIN };

	must(fd >= 0 && !ftruncate(fd, sizeof(*control)), "share memory");
	give_number(fd, FD_CONTROL);
	control = map_control();
	for (int i = 0; i < 2; i++) {
		dev[i] = FD_DEVICE + i;
		fd = open("/dev/ntsync", O_RDONLY);
		must(fd >= 0, "open /dev/ntsync (is the module loaded?)");
		give_number(fd, dev[i]);
		give_number(event_create(dev[i], i, 0), FD_BELL + i);
	}
	for (int i = 0; i < FD_POOL_END - FD_POOL; i++) {
		int in = dev[i / 6];

		give_number(i % 3 == 0 ? sem_create(in, i & 1, 2 + i) :
			    i % 3 == 1 ? mutex_create(in, 0, 0) :
					 event_create(in, i & 1, 0),
			    FD_POOL + i);
	}
	unset.fd = FD_BELL;
	control->pollable = poll(&unset, 1, 0) == 0;
	kcov_find_module(&control->kcov);
}

static void start_worker(struct boss *boss, unsigned int number)
{
	char *program = boss->programs[number % boss->n_programs];
	char text[16];
	char *const args[] = { "fuzz", "--worker", text, NULL };
	pid_t pid;

	snprintf(text, sizeof(text), "%u", number);
	control->workers[number].doomed = 0;
	memset(boss->seen[number], 0, sizeof(boss->seen[number]));
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		execv(program, args);
		tell("fuzz: cannot run %s: %s\n", program, strerror(errno));
		_exit(3);
	}
	control->workers[number].pid = pid;
	boss->alive++;
}

/* Workers end only when they are killed or told to stop. */
static void worker_ended(struct boss *boss, unsigned int number, int status)
{
	struct worker *worker = &control->workers[number];

	boss->alive--;
	worker->pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    worker->doomed) {
		boss->deaths++;
		if (!control->stop)
			start_worker(boss, number);
	} else if (status || !control->stop) {
		tell("fuzz: WRONG: worker %u ended with status 0x%x\n", number,
		     status);
		control->wrong++;
		control->stop = 1;
	}
}

static void reap(struct boss *boss)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned int i = 0; i < boss->workers; i++)
			if (control->workers[i].pid == pid)
				worker_ended(boss, i, status);
}

static uint64_t sum_calls(const struct boss *boss, struct totals *totals)
{
	uint64_t sum = 0;

	memset(totals, 0, sizeof(*totals));
	for (unsigned int i = 0; i < boss->workers; i++)
		for (unsigned int j = 0; j < THREADS; j++)
			add_up(totals, &control->workers[i].threads[j].tally);
	add_up(totals, &control->boss);
	for (unsigned int i = 0; i < IOCTLS; i++)
		sum += sum_operation(totals, i);
	return sum;
}

/* Ends waits that would never end. */
static void ring_bells(void)
{
	uint32_t value;

	for (int i = 0; i < 2; i++) {
		event_set(FD_BELL + i, &value);
		event_pulse(FD_BELL + i, &value);
	}
}

/* The module is in use, so unloading must fail. */
static void try_unload(void)
{
	int ret = syscall(SYS_delete_module, "ntsync", O_NONBLOCK);
	int error = ret ? errno : 0;

	count(&control->boss, UNLOAD, error);
	if (error != EAGAIN && error != EBUSY && error != EPERM &&
	    error != ENOENT) {
		tell("fuzz: WRONG: rmmod of the module in use: errno %d\n",
		     error);
		control->wrong++;
		control->stop = 1;
	}
}

/* Reads a file of a thread in /proc; empty if it cannot be read. */
static void read_about(int pid, int tid, const char *what, char *text, int size)
{
	ssize_t len = -1;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, size - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
}

/* Is a thread alive? */
static bool is_alive(int pid, int tid)
{
	char stat[512], state = 'X';

	read_about(pid, tid, "stat", stat, sizeof(stat));
	return sscanf(stat, "%*d (%*[^)]) %c", &state) == 1 &&
	       state != 'Z' && state != 'X';
}

/*
 * Other parts of the kernel, and a busy machine, may delay a thread for long.  A thread that
 * has ended waits for the others of its process, which may not be in the driver.
 */
static bool is_in_driver(int pid, int tid)
{
	char stack[4096];

	if (!is_alive(pid, tid))
		return false;
	read_about(pid, tid, "stack", stack, sizeof(stack));
	return !*stack || strstr(stack, "ntsync_");
}

static void show_thread(unsigned int number, int pid, int tid)
{
	static const char *const files[] = { "syscall", "stack", "wchan" };
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		read_about(pid, tid, files[i], text, sizeof(text));
		tell("fuzz: worker %u, thread %d: %s: %s\n", number, tid,
		     files[i], text);
	}
}

static void show_worker(unsigned int number)
{
	int pid = control->workers[number].pid;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			show_thread(number, pid, atoi(entry->d_name));
	if (dir)
		closedir(dir);
}

static void check_moves(struct boss *boss, unsigned int i, unsigned int j)
{
	struct worker *worker = &control->workers[i];
	unsigned int moves = worker->threads[j].moves;

	if (moves != boss->seen[i][j].moves || !boss->seen[i][j].since) {
		boss->seen[i][j].moves = moves;
		boss->seen[i][j].since = now_ns();
	} else if (worker->pid && !boss->stuck &&
		   now_ns() - boss->seen[i][j].since >
			   STUCK_SECONDS * NSEC_PER_SEC &&
		   is_in_driver(worker->pid, worker->threads[j].tid)) {
		tell("fuzz: WRONG: worker %u, thread %u has not moved for %d s\n",
		     i, j, STUCK_SECONDS);
		show_worker(i);
		boss->stuck = true;
		control->wrong++;
		control->stop = 1;
	}
}

static void watch(struct boss *boss)
{
	struct totals totals;
	uint64_t calls;

	for (unsigned int i = 0; i < boss->workers; i++)
		for (unsigned int j = 0; j < THREADS; j++)
			check_moves(boss, i, j);
	calls = sum_calls(boss, &totals);
	if (boss->calls && calls >= boss->calls)
		control->stop = 1;
	if (boss->ticks % (PROGRESS_SECONDS * 100) == 0)
		tell("fuzz: %llu s, %llu calls, %u workers killed\n",
		     (unsigned long long)(now_ns() - boss->begin) / NSEC_PER_SEC,
		     (unsigned long long)calls, boss->deaths);
}

/* Are there still workers? */
static bool tick(struct boss *boss)
{
	boss->ticks++;
	reap(boss);
	ring_bells();
	if (boss->ticks % 16 == 0)
		try_unload();
	if (boss->ticks % 100 == 0)
		watch(boss);
	if (boss->seconds && now_ns() - boss->begin >
			     boss->seconds * NSEC_PER_SEC)
		control->stop = 1;
	return boss->alive;
}

static void report(const struct boss *boss)
{
	double seconds = (now_ns() - boss->begin) / 1e9;
	struct totals totals;
	uint64_t calls = sum_calls(boss, &totals);

	print_totals(&totals, "fuzz", operation_name, OPERATIONS);
	printf("# %llu ioctls in %.0f s, %.0f a second; %u workers killed\n",
	       (unsigned long long)calls, seconds, calls / seconds,
	       boss->deaths);
	if (control->kcov.size && kcov_places(&control->kcov))
		printf("# kcov: %u places of the module were executed\n",
		       kcov_places(&control->kcov));
	if (control->wrong)
		printf("# to repeat: SEED=%llu\n", boss->seed);
	printf("1..2\n");
	printf("%sok 1 every call returned and changed only what it may\n",
	       control->wrong > boss->stuck ? "not " : "");
	printf("%sok 2 no thread was stuck\n", boss->stuck ? "not " : "");
}

static void explain(void)
{
	tell("usage: fuzz [--calls N] [--seconds N] [--seed N] [--workers N] [PROGRAM...]\n"
	     "Runs workers until there were N calls or N seconds have passed.  PROGRAMs are\n"
	     "other builds of this one, which take turns with it as workers.\n");
	exit(2);
}

static void read_options(struct boss *boss, int argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		unsigned long long value = number("fuzz", argv[i], argv[i + 1]);

		if (!strcmp(argv[i], "--calls"))
			boss->calls = value;
		else if (!strcmp(argv[i], "--seconds"))
			boss->seconds = value;
		else if (!strcmp(argv[i], "--seed"))
			boss->seed = value;
		else if (!strcmp(argv[i], "--workers") && value <= MAX_WORKERS)
			boss->workers = value;
		else
			explain();
	}
	if ((i < argc && argv[i][0] == '-') || !(boss->calls || boss->seconds))
		explain();
	/* The first program is this one. */
	argv[i - 1] = "/proc/self/exe";
	boss->programs = &argv[i - 1];
	boss->n_programs = argc - i + 1;
}

int main(int argc, char **argv)
{
	struct boss boss = {
		.seed = now_ns() ^ getpid(),
		.workers = 4,
		.begin = now_ns(),
	};

	program_args = argv;
	if (argc == 3 && !strcmp(argv[1], "--worker"))
		return worker_main(atoi(argv[2]));
	read_options(&boss, argc, argv);
	tell("fuzz: seed %llu\n", boss.seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	create_shared();
	control->seed[0] = boss.seed;
	control->seed[1] = boss.seed >> 32;
	for (unsigned int i = 0; i < boss.workers; i++)
		start_worker(&boss, i);
	while (tick(&boss))
		pause_ns(10000000);
	report(&boss);
	return control->wrong != 0;
}
