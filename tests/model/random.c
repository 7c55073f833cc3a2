// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of operations, one at a time, on the driver and on model.c.  After each
 * step both must have the same answer, the same states of all objects, the same threads
 * waiting, and the same results of waits that have ended.
 *
 * SEED=n STEPS=n in the environment choose the first sequence and how many
 * steps are made (a tenth of them in the tests with threads); a failure says
 * which sequence it was, and tries to find a shorter one that fails.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "kselftest.h"
#include "driver.h"
#include "script.h"
#include "settings.h"
#include "tell.h"
#include "worker.h"
#include "task.h"

#define HOUR		(3600 * NSEC_PER_SEC)

/* Of CLOCK_REALTIME; much longer than a sequence takes. */
#define CLOCK_UNIT	HOUR

/* Longer than anything takes except a hang. */
#define SCRIPT_LIMIT_SEC 60

/* For a failing sequence that is being shortened, and may hang. */
#define SHORT_LIMIT_SEC	1

/* @limit: a wait that takes so many seconds hangs */
struct run {
	const struct script *script;
	int limit;
	struct model model;
	int dev;
	int fd[MODEL_OBJECTS];
	bool waits[MODEL_THREADS];
	struct worker worker[MODEL_THREADS];
};

/* Where driver and model disagreed, for the parent process. */
struct failure {
	uint64_t seed;
	int step;
	char why[3 * TELL_TEXT];
};

static struct failure *failure;
static __u64 clock_start, clock_offset;
static atomic_int restarts;

static void handle_signal(int sig)
{
	if (sig == SIGUSR2)
		restarts++;
}

/* So many units from the start of a sequence, minus a half. */
static __u64 real_time(uint64_t units)
{
	return clock_start + units * CLOCK_UNIT - CLOCK_UNIT / 2;
}

static int set_clock(uint64_t units)
{
	__u64 ns = clock_ns(CLOCK_MONOTONIC) + clock_offset +
		   units * CLOCK_UNIT;
	struct timespec time = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	return clock_settime(CLOCK_REALTIME, &time) ? -errno : 0;
}

static void start_clock(void)
{
	clock_start = clock_ns(CLOCK_REALTIME);
	clock_offset = clock_start - clock_ns(CLOCK_MONOTONIC);
}

/* Disagreement */

#define disagree(...) ({ \
	snprintf(failure->why, sizeof(failure->why), __VA_ARGS__); \
	false; \
})

static bool agree(const char *what, int number, struct model_answer want,
		  struct model_answer have)
{
	char wanted[TELL_TEXT] = "", had[TELL_TEXT] = "";

	if (want.ret == have.ret && want.value[0] == have.value[0] &&
	    want.value[1] == have.value[1])
		return true;
	tell_answer(wanted, want);
	tell_answer(had, have);
	return disagree("%s %d: the model says %s, the driver %s", what, number,
			wanted, had);
}

/* The two sides, step by step */

/* The waits that a step may have ended; the others need not be checked. */
static bool concerns(const struct step *step, const struct model_args *wait)
{
	if (step->kind != STEP_OP)
		return step->kind == STEP_CLOCK;
	if (wait->alert == step->obj)
		return true;
	for (uint32_t i = 0; i < wait->count; i++)
		if (wait->objs[i] == step->obj)
			return true;
	return false;
}

/* Compares a thread that was waiting; @look: check whether it still is. */
static bool compare_waiter(struct run *run, int thread, bool look)
{
	const struct model_wait *want = &run->model.wait[thread];
	struct worker *w = &run->worker[thread];
	int ret;

	if (want->pending) {
		if (!w->done && (!look || worker_blocks(w, run->limit)))
			return true;
		ret = worker_end(w, run->limit);
		return disagree("thread %d: is to wait on, but has ended with %d, index %d",
				thread, ret, (int)w->args.index);
	}
	run->waits[thread] = false;
	ret = worker_end(w, run->limit);
	return agree("thread", thread, want->answer, driver_wait_answer(ret, w->args.index));
}

static bool compare(struct run *run, const struct step *step)
{
	for (int i = 0; i < MODEL_THREADS; i++)
		if (run->waits[i] &&
		    !compare_waiter(run, i,
				    concerns(step, &run->model.wait[i].args)))
			return false;
	for (int i = 0; i < run->model.objects; i++) {
		struct model_obj *obj = &run->model.obj[i];
		enum model_op read = driver_read_op(obj->type);

		if (!agree("afterwards object", i, model_step(obj, read, 0),
			   driver_op(run->fd[i], read, 0)))
			return false;
	}
	return true;
}

static bool do_op(struct run *run, const struct step *step)
{
	struct model_answer have = driver_op(run->fd[step->obj], step->op,
					     step->arg);

	return agree("object", step->obj,
		     model_do(&run->model, step->obj, step->op, step->arg),
		     have);
}

static __u64 timeout_of(const struct run *run, const struct step *step)
{
	switch (step->timeout) {
	case PAST_ZERO:
		return 0;
	case PAST_MONOTONIC:
		return clock_ns(CLOCK_MONOTONIC);
	case PAST_REALTIME:
		return real_time(0);
	case NEVER_MAX:
		return FOREVER;
	case NEVER_BEYOND:
		return (__u64)INT64_MAX + 1;
	case NEVER_HOUR:
		return clock_ns(CLOCK_MONOTONIC) + HOUR;
	default:
		return real_time(run->model.now + step->wait.deadline);
	}
}

static void fill_worker(struct run *run, const struct step *step)
{
	struct worker *w = &run->worker[step->thread];

	w->dev = run->dev;
	w->request = driver_wait_request(&step->wait);
	w->args = driver_wait_args(&step->wait, run->fd, w->objs,
				   timeout_of(run, step));
	if (step->timeout == PAST_REALTIME || step->timeout == LATER_REALTIME)
		w->args.flags = NTSYNC_WAIT_REALTIME;
}

/* A wait that does not block is made by this thread. */
static bool do_wait(struct run *run, const struct step *step)
{
	struct worker *w = &run->worker[step->thread];
	struct model_args args = step->wait;
	int ret;

	if (run->waits[step->thread])
		return true;
	if (args.deadline != MODEL_NEVER)
		args.deadline += run->model.now;
	fill_worker(run, step);
	model_begin_wait(&run->model, step->thread,
			 run->script->urgency[step->thread], &args);
	if (run->model.wait[step->thread].pending) {
		run->waits[step->thread] = true;
		worker_begin(w);
		return compare_waiter(run, step->thread, true);
	}
	ret = ntsync_call(w->dev, w->request, &w->args);
	return agree("thread", step->thread,
		     run->model.wait[step->thread].answer,
		     driver_wait_answer(ret, w->args.index));
}

static bool do_interrupt(struct run *run, int thread)
{
	if (!run->waits[thread])
		return true;
	model_interrupt(&run->model, thread);
	pthread_kill(run->worker[thread].thread, SIGUSR1);
	return compare_waiter(run, thread, false);
}

static bool do_restart(struct run *run, int thread)
{
	int before = restarts;

	if (!run->waits[thread])
		return true;
	model_restart(&run->model, thread);
	pthread_kill(run->worker[thread].thread, SIGUSR2);
	if (!wait_until(restarts != before))
		return disagree("thread %d: does not handle its signal",
				thread);
	return compare_waiter(run, thread, true);
}

static bool do_clock(struct run *run)
{
	model_set_clock(&run->model, run->model.now + 1);
	return !set_clock(run->model.now);
}

static bool do_step(struct run *run, const struct step *step)
{
	switch (step->kind) {
	case STEP_OP:
		return do_op(run, step);
	case STEP_WAIT:
		return do_wait(run, step);
	case STEP_INTERRUPT:
		return do_interrupt(run, step->thread);
	case STEP_RESTART:
		return do_restart(run, step->thread);
	default:
		return do_clock(run);
	}
}

/* Sequences */

/* Starts the threads if needed, and sets their scheduling classes for a run. */
static bool prepare_workers(struct run *run, const struct script *script)
{
	static bool started;

	for (int i = 0; i < MODEL_THREADS; i++)
		if (!started && !worker_start(&run->worker[i]))
			return disagree("a thread cannot be made");
	started = true;
	for (int i = 0; i < MODEL_THREADS; i++)
		if (!worker_set_priority(&run->worker[i], script->urgency[i]))
			return disagree("a thread's class cannot be set");
	return true;
}

static bool run_begin(struct run *run, const struct script *script)
{
	if (!prepare_workers(run, script))
		return false;
	run->script = script;
	run->model = (struct model) { };
	memset(run->waits, 0, sizeof(run->waits));
	run->dev = ntsync_open();
	if (run->dev < 0)
		return disagree("/dev/ntsync: error %d", run->dev);
	if (set_clock(0))
		return disagree("the real time cannot be set");
	for (int i = 0; i < script->objects; i++) {
		uint32_t first = script->obj[i].first;
		uint32_t second = script->obj[i].second;

		model_create(&run->model, script->obj[i].type, first, second);
		run->fd[i] = driver_create(run->dev, script->obj[i].type,
					   first, second);
		if (run->fd[i] < 0)
			return disagree("object %d: cannot be made: error %d",
					i, run->fd[i]);
	}
	return true;
}

static bool run_end(struct run *run)
{
	for (int i = 0; i < MODEL_THREADS; i++)
		if (!do_interrupt(run, i))
			return false;
	for (int i = 0; i < run->script->objects; i++)
		close(run->fd[i]);
	close(run->dev);
	return true;
}

static void tell_objects(const struct run *run)
{
	for (int i = 0; i < run->model.objects; i++) {
		char text[TELL_TEXT] = "";

		tell_object(text, &run->model.obj[i]);
		ksft_print_msg("\tobject %d: %s\n", i, text);
	}
}

static void tell_step(const struct run *run, int i)
{
	char text[TELL_TEXT] = "";

	script_tell_step(text, run->script, &run->script->step[i]);
	ksft_print_msg("%3d %s\n", i, text);
}

/*
 * Do all steps agree?  If not, @failure says where.  @aloud: prints
 * everything; @limit: a wait that takes so many seconds hangs
 */
static bool run_script(const struct script *script, bool aloud, int limit)
{
	static struct run run;
	bool good;

	run.limit = limit;
	alarm(SCRIPT_LIMIT_SEC);
	failure->step = -1;
	good = run_begin(&run, script);
	if (aloud)
		tell_objects(&run);
	for (int i = 0; good && i < script->length; i++) {
		const struct step *step = &script->step[i];

		if (aloud)
			tell_step(&run, i);
		failure->step = i;
		good = do_step(&run, step) && compare(&run, step);
	}
	if (good) {
		failure->step = script->length;
		good = run_end(&run);
	}
	if (aloud && !good)
		ksft_print_msg("    %s\n", failure->why);
	return good;
}

/* A failure leaves waiting threads and more behind, so each run is a process. */
static bool run_script_apart(const struct script *script, bool aloud, int limit)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(!run_script(script, aloud, limit));
	return pid > 0 && child_exit_code(pid) == 0;
}

/* Leaves out what is not needed for the failure: first halves, finally single steps. */
static void shrink(struct script *script)
{
	static struct script shorter;

	script->length = failure->step + 1;
	if (script->length > SCRIPT_STEPS)
		script->length = SCRIPT_STEPS;
	for (int some = script->length / 2 ?: 1; some; some /= 2) {
		int from = 0;

		while (from + some <= script->length) {
			shorter = *script;
			shorter.length -= some;
			memmove(&shorter.step[from], &script->step[from + some],
				(script->length - from - some) *
				sizeof(*script->step));
			if (run_script_apart(&shorter, false, SHORT_LIMIT_SEC))
				from += some;
			else
				*script = shorter;
		}
	}
}

static void explain(struct script *script)
{
	const struct failure seen = *failure;

	ksft_print_msg("SEED=%llu fails at step %d: %s\n",
		       (unsigned long long)seen.seed, seen.step, seen.why);
	if (run_script_apart(script, false, WAITER_LIMIT_SEC)) {
		struct run run = { .script = script };

		ksft_print_msg("it does not fail again; its last steps:\n");
		for (int i = 0; i <= seen.step && i < script->length; i++)
			if (i > seen.step - 30)
				tell_step(&run, i);
		return;
	}
	shrink(script);
	ksft_print_msg("a short sequence that fails:\n");
	run_script_apart(script, true, WAITER_LIMIT_SEC);
}

/* Tests */

static const struct test {
	const char *name;
	bool waiting;
	bool realtime;
} tests[] = {
	{ "while no one waits", false, false },
	{ "while threads wait", true, false },
	{ "while threads of real-time classes wait", true, true },
};

/* Runs in a separate process; returns 0 if all sequences agree. */
static int run_all(const struct test *test, struct script *script,
		   uint64_t seed, uint64_t steps)
{
	uint64_t done = 0;

	while (done < steps) {
		failure->seed = seed;
		snprintf(failure->why, sizeof(failure->why), "no end after %d s",
			 SCRIPT_LIMIT_SEC);
		script_make(script, seed++, test->waiting, test->realtime);
		if (!run_script(script, false, WAITER_LIMIT_SEC))
			return 1;
		done += script->length;
		show_progress(test->name, done, steps);
	}
	return 0;
}

static void run_test(const struct test *test, uint64_t seed, uint64_t steps)
{
	static struct script script;
	int status;
	pid_t pid;

	if (test->waiting)
		steps = steps / SLOWNESS ?: 1;
	fflush(stdout);
	pid = fork_child();
	if (!pid)
		_exit(run_all(test, &script, seed, steps));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !status) {
		ksft_test_result_pass("%llu steps %s\n",
				      (unsigned long long)steps, test->name);
		return;
	}
	script_make(&script, failure->seed, test->waiting, test->realtime);
	explain(&script);
	ksft_test_result_fail("steps %s\n", test->name);
}

int main(void)
{
	const struct sigaction interrupt = { .sa_handler = handle_signal };
	const struct sigaction restart = {
		.sa_handler = handle_signal, .sa_flags = SA_RESTART,
	};
	uint64_t seed = setting("SEED", clock_ns(CLOCK_REALTIME) % 1000000000);
	uint64_t steps = setting("STEPS", DEFAULT_STEPS);

	sigaction(SIGUSR1, &interrupt, NULL);
	sigaction(SIGALRM, &interrupt, NULL);
	sigaction(SIGUSR2, &restart, NULL);
	start_clock();
	failure = mmap(NULL, sizeof(*failure), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(tests));
	ksft_print_msg("SEED=%llu STEPS=%llu\n", (unsigned long long)seed,
		       (unsigned long long)steps);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		run_test(&tests[i], seed, steps);
	set_clock(0);
	ksft_finished();
}
