// SPDX-License-Identifier: GPL-2.0
/*
 * A Windows program that uses the synchronization objects of Windows NT.  It prints
 * TAP; run it under Wine, with or without /dev/ntsync.
 *
 * With arguments it is the second process of a test: see the children below.
 */
#include <windows.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define PATIENCE	30000	/* ms; only a failure takes longer */

static int number, failures;
static const char *running;

static void expect(bool holds, const char *what, int line)
{
	if (holds)
		return;
	printf("# %s: line %d: not %s (error %lu)\n", running, line, what,
	       GetLastError());
	failures++;
}

#define EXPECT(holds)	expect(holds, #holds, __LINE__)

/* A poll. */
static DWORD look(HANDLE object)
{
	return WaitForSingleObject(object, 0);
}

/* A wait that must end. */
static DWORD wait_for(HANDLE object)
{
	return WaitForSingleObject(object, PATIENCE);
}

static HANDLE start(LPTHREAD_START_ROUTINE function, void *argument)
{
	return CreateThread(NULL, 0, function, argument, 0, NULL);
}

/* Waits for a thread that must end. */
static void finish(HANDLE thread)
{
	EXPECT(wait_for(thread) == WAIT_OBJECT_0);
	CloseHandle(thread);
}

static void events(void)
{
	HANDLE manual = CreateEventA(NULL, TRUE, FALSE, NULL);
	HANDLE automatic = CreateEventA(NULL, FALSE, TRUE, NULL);

	EXPECT(look(manual) == WAIT_TIMEOUT);
	EXPECT(SetEvent(manual));
	EXPECT(look(manual) == WAIT_OBJECT_0);
	EXPECT(look(manual) == WAIT_OBJECT_0);
	EXPECT(ResetEvent(manual));
	EXPECT(look(manual) == WAIT_TIMEOUT);
	EXPECT(look(automatic) == WAIT_OBJECT_0);
	EXPECT(look(automatic) == WAIT_TIMEOUT);
	CloseHandle(manual);
	CloseHandle(automatic);
}

static void semaphores(void)
{
	HANDLE semaphore = CreateSemaphoreA(NULL, 1, 3, NULL);
	LONG previous = -1;

	EXPECT(look(semaphore) == WAIT_OBJECT_0);
	EXPECT(look(semaphore) == WAIT_TIMEOUT);
	EXPECT(ReleaseSemaphore(semaphore, 2, &previous) && previous == 0);
	EXPECT(!ReleaseSemaphore(semaphore, 2, &previous) &&
	       GetLastError() == ERROR_TOO_MANY_POSTS);
	EXPECT(ReleaseSemaphore(semaphore, 1, &previous) && previous == 2);
	CloseHandle(semaphore);
}

static DWORD WINAPI try_mutex(void *mutex)
{
	return look(mutex);
}

static DWORD WINAPI release_mutex(void *mutex)
{
	return ReleaseMutex(mutex) ? 0 : GetLastError();
}

static DWORD result_of(LPTHREAD_START_ROUTINE function, void *argument)
{
	HANDLE thread = start(function, argument);
	DWORD code = 0xdead;

	EXPECT(wait_for(thread) == WAIT_OBJECT_0);
	GetExitCodeThread(thread, &code);
	CloseHandle(thread);
	return code;
}

static void mutexes(void)
{
	HANDLE mutex = CreateMutexA(NULL, TRUE, NULL);

	EXPECT(look(mutex) == WAIT_OBJECT_0);
	EXPECT(result_of(try_mutex, mutex) == WAIT_TIMEOUT);
	EXPECT(result_of(release_mutex, mutex) == ERROR_NOT_OWNER);
	EXPECT(ReleaseMutex(mutex));
	EXPECT(result_of(try_mutex, mutex) == WAIT_TIMEOUT);
	EXPECT(ReleaseMutex(mutex));
	EXPECT(!ReleaseMutex(mutex));
	EXPECT(look(mutex) == WAIT_OBJECT_0);
	EXPECT(ReleaseMutex(mutex));
	CloseHandle(mutex);
}

/* A mutex is abandoned when its owner exits, and reported as such once. */
static void abandonment(void)
{
	HANDLE mutex = CreateMutexA(NULL, FALSE, NULL);
	HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);
	HANDLE both[] = { event, mutex };

	EXPECT(result_of(try_mutex, mutex) == WAIT_OBJECT_0);
	EXPECT(look(mutex) == WAIT_ABANDONED_0);
	EXPECT(ReleaseMutex(mutex));
	EXPECT(look(mutex) == WAIT_OBJECT_0);
	EXPECT(ReleaseMutex(mutex));

	EXPECT(result_of(try_mutex, mutex) == WAIT_OBJECT_0);
	EXPECT(WaitForMultipleObjects(2, both, TRUE, 0) == WAIT_ABANDONED_0);
	EXPECT(ReleaseMutex(mutex));
	CloseHandle(mutex);
	CloseHandle(event);
}

/* The first signaled object ends the wait, and the others do not change. */
static void wait_any(void)
{
	HANDLE objects[MAXIMUM_WAIT_OBJECTS];
	int i;

	for (i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
		objects[i] = CreateEventA(NULL, FALSE, FALSE, NULL);
	EXPECT(WaitForMultipleObjects(64, objects, FALSE, 0) == WAIT_TIMEOUT);
	SetEvent(objects[63]);
	SetEvent(objects[7]);
	EXPECT(WaitForMultipleObjects(64, objects, FALSE, PATIENCE) ==
	       WAIT_OBJECT_0 + 7);
	EXPECT(WaitForMultipleObjects(64, objects, FALSE, PATIENCE) ==
	       WAIT_OBJECT_0 + 63);
	EXPECT(WaitForMultipleObjects(64, objects, FALSE, 0) == WAIT_TIMEOUT);
	for (i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
		CloseHandle(objects[i]);
}

static DWORD WINAPI wait_for_all(void *objects)
{
	return WaitForMultipleObjects(3, objects, TRUE, PATIENCE);
}

/* Nothing is taken until all can be. */
static void wait_all(void)
{
	HANDLE objects[3] = {
		CreateEventA(NULL, FALSE, TRUE, NULL),
		CreateSemaphoreA(NULL, 1, 1, NULL),
		CreateEventA(NULL, FALSE, FALSE, NULL),
	};
	DWORD code = 0xdead;
	HANDLE thread;

	EXPECT(WaitForMultipleObjects(3, objects, TRUE, 0) == WAIT_TIMEOUT);
	EXPECT(look(objects[1]) == WAIT_OBJECT_0);
	EXPECT(ReleaseSemaphore(objects[1], 1, NULL));

	thread = start(wait_for_all, objects);
	EXPECT(WaitForSingleObject(thread, 50) == WAIT_TIMEOUT);
	EXPECT(SetEvent(objects[2]));
	EXPECT(wait_for(thread) == WAIT_OBJECT_0);
	GetExitCodeThread(thread, &code);
	EXPECT(code == WAIT_OBJECT_0);
	CloseHandle(thread);
	EXPECT(look(objects[0]) == WAIT_TIMEOUT);
	EXPECT(look(objects[1]) == WAIT_TIMEOUT);
	EXPECT(look(objects[2]) == WAIT_TIMEOUT);
	CloseHandle(objects[0]);
	CloseHandle(objects[1]);
	CloseHandle(objects[2]);
}

static LONG calls;

static void CALLBACK called(ULONG_PTR argument)
{
	InterlockedAdd(&calls, argument);
}

struct alertable {
	HANDLE ready;
	HANDLE never;
};

static DWORD WINAPI wait_alertably(void *argument)
{
	struct alertable *alertable = argument;

	SetEvent(alertable->ready);
	return WaitForSingleObjectEx(alertable->never, PATIENCE, TRUE);
}

/*
 * A procedure call ends only an alertable wait, and only if its object does not.
 */
static void alertable_waits(void)
{
	struct alertable alertable = {
		.ready = CreateEventA(NULL, FALSE, FALSE, NULL),
		.never = CreateEventA(NULL, FALSE, FALSE, NULL),
	};
	HANDLE set = CreateEventA(NULL, TRUE, TRUE, NULL);
	DWORD code = 0xdead;
	HANDLE thread;

	calls = 0;
	EXPECT(QueueUserAPC(called, GetCurrentThread(), 1));
	EXPECT(look(alertable.never) == WAIT_TIMEOUT && !calls);
	EXPECT(WaitForSingleObjectEx(set, 0, TRUE) == WAIT_OBJECT_0 && !calls);
	EXPECT(WaitForSingleObjectEx(alertable.never, PATIENCE, TRUE) ==
	       WAIT_IO_COMPLETION && calls == 1);
	EXPECT(WaitForSingleObjectEx(alertable.never, 0, TRUE) == WAIT_TIMEOUT);

	thread = start(wait_alertably, &alertable);
	EXPECT(wait_for(alertable.ready) == WAIT_OBJECT_0);
	EXPECT(QueueUserAPC(called, thread, 10));
	EXPECT(wait_for(thread) == WAIT_OBJECT_0);
	GetExitCodeThread(thread, &code);
	EXPECT(code == WAIT_IO_COMPLETION && calls == 11);
	CloseHandle(thread);
	CloseHandle(alertable.ready);
	CloseHandle(alertable.never);
	CloseHandle(set);
}

struct pair {
	HANDLE to;
	HANDLE from;
};

static DWORD WINAPI answer(void *argument)
{
	struct pair *pair = argument;
	int i;

	for (i = 0; i < 100; i++)
		if (wait_for(pair->to) != WAIT_OBJECT_0 ||
		    !SetEvent(pair->from))
			return 1;
	return 0;
}

static void signal_and_wait(void)
{
	struct pair pair = {
		.to = CreateEventA(NULL, FALSE, FALSE, NULL),
		.from = CreateEventA(NULL, FALSE, FALSE, NULL),
	};
	HANDLE thread = start(answer, &pair);
	int i, answers = 0;

	for (i = 0; i < 100; i++)
		answers += SignalObjectAndWait(pair.to, pair.from, PATIENCE,
					       FALSE) == WAIT_OBJECT_0;
	EXPECT(answers == 100);
	finish(thread);
	CloseHandle(pair.to);
	CloseHandle(pair.from);
}

static DWORD WINAPI wait_for_pulse(void *event)
{
	return wait_for(event);
}

/*
 * A pulse ends the current waits and leaves the event unset.  There is no way to know when a
 * thread has begun to wait, so the pulse is repeated until it ends the wait.
 */
static void pulse(void)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
	HANDLE thread = start(wait_for_pulse, event);
	int i;

	for (i = 0; i < PATIENCE / 10; i++) {
		PulseEvent(event);
		if (WaitForSingleObject(thread, 10) == WAIT_OBJECT_0)
			break;
	}
	EXPECT(i < PATIENCE / 10);
	EXPECT(look(event) == WAIT_TIMEOUT);
	CloseHandle(thread);
	CloseHandle(event);
}

static void timeouts(void)
{
	HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
	ULONGLONG begin = GetTickCount64();

	EXPECT(WaitForSingleObject(event, 200) == WAIT_TIMEOUT);
	EXPECT(GetTickCount64() - begin >= 180);
	CloseHandle(event);
}

#define THREADS	8
#define ROUNDS	500

static HANDLE guard;
static int guarded;

static DWORD WINAPI add_guarded(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		if (wait_for(guard) != WAIT_OBJECT_0)
			return 1;
		guarded++;
		ReleaseMutex(guard);
	}
	return 0;
}

static void contention(void)
{
	HANDLE threads[THREADS];
	int i;

	guard = CreateMutexA(NULL, FALSE, NULL);
	guarded = 0;
	for (i = 0; i < THREADS; i++)
		threads[i] = start(add_guarded, NULL);
	EXPECT(WaitForMultipleObjects(THREADS, threads, TRUE, 2 * PATIENCE) ==
	       WAIT_OBJECT_0);
	EXPECT(guarded == THREADS * ROUNDS);
	for (i = 0; i < THREADS; i++)
		CloseHandle(threads[i]);
	CloseHandle(guard);
}

/* Other processes */

static HANDLE run_child(const char *role)
{
	char path[MAX_PATH], command[MAX_PATH + 32];
	PROCESS_INFORMATION process;
	STARTUPINFOA startup = { .cb = sizeof(startup) };

	GetModuleFileNameA(NULL, path, sizeof(path));
	snprintf(command, sizeof(command), "\"%s\" %s", path, role);
	if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL,
			    &startup, &process))
		return NULL;
	CloseHandle(process.hThread);
	return process.hProcess;
}

/* Opens the named objects, takes the semaphore, sets the event. */
static int child_answers(void)
{
	HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "ntsync-event");
	HANDLE semaphore = OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE,
					  "ntsync-semaphore");

	if (!event || !semaphore || wait_for(semaphore) != WAIT_OBJECT_0)
		return 1;
	return !SetEvent(event);
}

/* Exits while it owns the mutex. */
static int child_abandons(void)
{
	HANDLE mutex = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "ntsync-mutex");

	if (!mutex || wait_for(mutex) != WAIT_OBJECT_0)
		return 1;
	TerminateProcess(GetCurrentProcess(), 0);
	return 1;
}

static void named_objects(void)
{
	HANDLE event = CreateEventA(NULL, FALSE, FALSE, "ntsync-event");
	HANDLE semaphore = CreateSemaphoreA(NULL, 0, 1, "ntsync-semaphore");
	HANDLE again = CreateEventA(NULL, FALSE, FALSE, "ntsync-event");
	DWORD code = 0xdead;
	HANDLE child;

	EXPECT(GetLastError() == ERROR_ALREADY_EXISTS);
	EXPECT(SetEvent(again) && look(event) == WAIT_OBJECT_0);

	child = run_child("answers");
	EXPECT(child);
	EXPECT(ReleaseSemaphore(semaphore, 1, NULL));
	EXPECT(wait_for(event) == WAIT_OBJECT_0);
	EXPECT(wait_for(child) == WAIT_OBJECT_0);
	EXPECT(GetExitCodeProcess(child, &code) && !code);
	EXPECT(look(semaphore) == WAIT_TIMEOUT);
	CloseHandle(child);
	CloseHandle(again);
	CloseHandle(event);
	CloseHandle(semaphore);
}

static void abandonment_by_a_process(void)
{
	HANDLE mutex = CreateMutexA(NULL, FALSE, "ntsync-mutex");
	HANDLE child = run_child("abandons");
	DWORD code = 0xdead;

	EXPECT(child && wait_for(child) == WAIT_OBJECT_0);
	EXPECT(GetExitCodeProcess(child, &code) && !code);
	EXPECT(wait_for(mutex) == WAIT_ABANDONED_0);
	EXPECT(ReleaseMutex(mutex));
	CloseHandle(child);
	CloseHandle(mutex);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "events", events },
	{ "semaphores", semaphores },
	{ "mutexes", mutexes },
	{ "abandonment", abandonment },
	{ "wait for any of 64", wait_any },
	{ "wait for all", wait_all },
	{ "alertable waits", alertable_waits },
	{ "signal and wait", signal_and_wait },
	{ "pulse", pulse },
	{ "timeouts", timeouts },
	{ "contention", contention },
	{ "named objects of two processes", named_objects },
	{ "abandonment by a process", abandonment_by_a_process },
};

int main(int argc, char **argv)
{
	const int count = ARRAY_SIZE(tests);
	int i, bad = 0;

	if (argc > 1)
		return strcmp(argv[1], "answers") ? child_abandons() :
						    child_answers();

	printf("1..%d\n", count);
	for (i = 0; i < count; i++) {
		running = tests[i].name;
		failures = 0;
		tests[i].run();
		printf("%sok %d %s\n", failures ? "not " : "", ++number,
		       running);
		fflush(stdout);
		bad += failures > 0;
	}
	return bad > 0;
}
