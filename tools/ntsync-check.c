// SPDX-License-Identifier: GPL-2.0
/*
 * Says whether programs can use /dev/ntsync on this machine, and what to do if
 * they cannot.
 *
 * It first finds out everything that it can (the finders), then looks for the first
 * problem (the judges), then prints both.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <linux/ntsync.h>
#include "proc.h"
#include "util.h"
#include "wine.h"

#define DEVICE		"/dev/ntsync"
#define MODULE		"/sys/module/ntsync"
#define LOCAL		"/var/lib/ntsync"	/* where make local-install puts it */
#define WAIT_SECONDS	10	/* a wait that takes longer does not work */
#define SHORT_NS	1000000	/* a deadline in the near future */
#define NSEC_PER_SEC	1000000000ULL
#define WANTED_FILES	524288	/* ntsync-check(1) says who wants that many */

/* Which driver it is. */
enum origin { NONE, OURS, KERNELS, OTHERS, UNSEEN };

static const char * const origin_words[] = {
	[NONE] = "none",
	[OURS] = "ours",
	[KERNELS] = "kernel",
	[OTHERS] = "other",
	[UNSEEN] = "unknown",
};

struct process {
	int pid;
	bool uses;		/* the device or an object */
	bool asked;		/* the user asked about it */
	bool told;		/* belongs to an earlier group */
	enum role role;
	char *task;
	char *command;
	char *program;		/* of a server */
	unsigned long long files;	/* open files, and the limit */
	unsigned long long most_files;
	char *session;		/* that of a server and its clients */
};

/* Programs of one server that do not use the device, and why. */
struct group {
	struct process *server;	/* NULL if it is not seen */
	struct process **members;
	size_t count;
	struct answer answer;
};

/* The question; with neither of these it is about all processes. */
static struct {
	int pid;
	const char *command;
	bool json;
} question;

/* Everything that was found out. */
static struct {
	struct utsname kernel;
	enum origin origin;
	char version[32];
	bool too_old;		/* for the driver */
	bool headers;		/* of the running kernel, to build a module with */
	bool built_in;		/* into the kernel, as modules.builtin says */
	char *file;		/* that modprobe would load, if there is one */
	bool local;		/* make local-install was used, */
	bool local_file;	/* and has a module for this kernel */
	bool signatures;	/* the kernel requires a known signature */
	bool device;
	dev_t number;
	mode_t mode;
	int open_error;
	char wait_problem[128];	/* "" if waits work */
	bool lacks_fixes;	/* the driver is older than the fixes */
	unsigned long long most_files;	/* that a program started here may open */
	struct process *processes;
	size_t count;
	size_t hidden;		/* processes that we may not examine */
	struct group *groups;
	size_t group_count;
} found;

/* What is wrong; empty if all is well. */
static char problem[128];
static char remedy[256];

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return false;
	got = fgets(line, size, file);
	fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

/* The finders */

/* A driver is in this list even if a sandbox hides it in /sys. */
static bool is_registered(void)
{
	FILE *file = fopen("/proc/misc", "re");
	bool registered = false;
	char line[64];

	while (file && !registered && fgets(line, sizeof(line), file))
		registered = strstr(line, " ntsync\n");
	if (file)
		fclose(file);
	return registered;
}

/* The taint flag O marks an out-of-tree module. */
static void find_loaded(void)
{
	char taint[32] = "";
	bool version;

	version = read_line(MODULE "/version", found.version,
			    sizeof(found.version));
	read_line(MODULE "/taint", taint, sizeof(taint));
	if (version)
		found.origin = OURS;
	else if (strchr(taint, 'O'))
		found.origin = OTHERS;
	else if (!access(MODULE, F_OK) || found.built_in)
		found.origin = KERNELS;
	else if (access("/sys/module", F_OK) && is_registered())
		found.origin = UNSEEN;
}

/* The path of the module if this list of the kernel's modules names it. */
static char *listed(const char *list)
{
	char *path = NULL, *module = NULL, *line = NULL;
	size_t size = 0;
	FILE *file;

	if (asprintf(&path, "/lib/modules/%s/%s", found.kernel.release,
		     list) < 0)
		return NULL;
	file = fopen(path, "re");
	free(path);
	if (!file)
		return NULL;
	while (!module && getline(&line, &size, file) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		if (strstr(line, "/ntsync.ko") &&
		    asprintf(&module, "/lib/modules/%s/%s",
			     found.kernel.release, line) < 0)
			module = NULL;
	}
	free(line);
	fclose(file);
	return module;
}

static void find_kernel(void)
{
	unsigned int version, patchlevel;
	char path[128];

	uname(&found.kernel);
	found.too_old = sscanf(found.kernel.release, "%u.%u", &version,
			       &patchlevel) == 2 &&
			version * 1000 + patchlevel < 5010;
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile",
		 found.kernel.release);
	found.headers = !access(path, F_OK);
}

static void find_files(void)
{
	char *built_in = listed("modules.builtin"), *path;

	found.built_in = built_in;
	free(built_in);
	found.file = listed("modules.dep");
	path = format(LOCAL "/%s/ntsync.ko", found.kernel.release);
	found.local = !access(LOCAL "/load", F_OK);
	found.local_file = !access(path, F_OK);
	free(path);
}

static void find_signatures(void)
{
	char line[64];

	found.signatures =
		(read_line("/sys/module/module/parameters/sig_enforce", line,
			   sizeof(line)) && line[0] == 'Y') ||
		(read_line("/sys/kernel/security/lockdown", line,
			   sizeof(line)) && !strstr(line, "[none]"));
}

static void find_device(void)
{
	struct stat st;

	found.device = !stat(DEVICE, &st) && S_ISCHR(st.st_mode);
	if (found.device) {
		found.mode = st.st_mode & 07777;
		found.number = st.st_rdev;
	}
}

static void no_end(int sig)
{
	(void)sig;
}

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void wait_fails(const char *what, int error)
{
	if (error == EINTR)
		snprintf(found.wait_problem, sizeof(found.wait_problem),
			 "%s did not end within %d s", what, WAIT_SECONDS);
	else
		snprintf(found.wait_problem, sizeof(found.wait_problem),
			 "%s: %s", what,
			 error ? strerror(error) : "a wrong result");
}

/* An event that is set ends one wait, but not the next one. */
static void try_waits(int device)
{
	struct ntsync_event_args event_args = { .signaled = 1 };
	int event = ioctl(device, NTSYNC_IOC_CREATE_EVENT, &event_args);
	struct ntsync_wait_args args = {
		.timeout = UINT64_MAX,
		.objs = (uintptr_t)&event,
		.count = 1,
		.index = UINT32_MAX,
		.owner = 1,
	};

	if (event < 0) {
		wait_fails("creating an event", errno);
		return;
	}
	if (ioctl(device, NTSYNC_IOC_WAIT_ANY, &args) < 0) {
		wait_fails("a wait for a set event", errno);
	} else if (args.index) {
		wait_fails("a wait for a set event", 0);
	} else {
		args.timeout = now() + SHORT_NS;
		if (!ioctl(device, NTSYNC_IOC_WAIT_ANY, &args))
			wait_fails("a wait for an unset event", 0);
		else if (errno != ETIMEDOUT)
			wait_fails("a wait for an unset event", errno);
		else if (now() < args.timeout)
			wait_fails("a wait with a deadline", 0);
	}
	/* Owner 0 means no owner.  Drivers before Linux 6.18.54 and 7.2.8 let it wait. */
	args.owner = 0;
	found.lacks_fixes = !ioctl(device, NTSYNC_IOC_WAIT_ANY, &args) ||
			    errno != EINVAL;
	close(event);
}

static void find_use(void)
{
	struct sigaction action = { .sa_handler = no_end };
	int device = open(DEVICE, O_RDONLY | O_CLOEXEC);

	if (device < 0) {
		found.open_error = errno;
		return;
	}
	/* No SA_RESTART: the signal ends a wait that hangs. */
	sigaction(SIGALRM, &action, NULL);
	alarm(WAIT_SECONDS);
	try_waits(device);
	alarm(0);
	close(device);
}

/* Is one of these descriptors the device or an object? */
static bool any_used(DIR *fds)
{
	struct dirent *entry;

	while ((entry = readdir(fds)))
		if (read_target(dirfd(fds), entry->d_name) != TARGET_OTHER)
			return true;
	return false;
}

/* Wine raises its limit up to the hard limit. */
static void find_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	found.most_files = limit.rlim_max;
}

static unsigned long long count_files(DIR *fds)
{
	unsigned long long count = 0;
	struct dirent *entry;

	rewinddir(fds);
	while ((entry = readdir(fds)))
		count += parse_id(entry->d_name) >= 0;
	return count;
}

/* How many files a process may have open; 0 if that is not known. */
static unsigned long long read_limit(const char *task)
{
	unsigned long long most = 0;
	char line[128], *path = format("/proc/%s/limits", task);
	FILE *file = fopen(path, "re");

	while (file && !most && fgets(line, sizeof(line), file))
		sscanf(line, "Max open files %llu", &most);
	if (file)
		fclose(file);
	free(path);
	return most;
}

/* The kernel truncates names; Windows ignores case. */
static bool is_named(const char *task, const char *name, const char *wanted)
{
	static const char separators[] = "/\\";
	char *path = argument(task, 0), *base = path;
	bool same = !strcasecmp(name, wanted) ||
		    (strlen(name) == 15 && !strncasecmp(name, wanted, 15));

	while (base && strpbrk(base, separators))
		base = strpbrk(base, separators) + 1;
	same |= base && !strcasecmp(base, wanted);
	free(path);
	return same;
}

static bool is_asked(const char *pid, const char *task, const struct status *status)
{
	if (question.pid)
		return parse_id(pid) == question.pid;
	return !question.command || is_named(task, status->name, question.command);
}

static void add_process(struct process *process)
{
	found.processes = grow(found.processes, found.count,
			       sizeof(*found.processes));
	found.processes[found.count++] = *process;
}

static void find_process(const char *pid)
{
	struct process process = { .pid = parse_id(pid) };
	struct status status;
	char task[NAME_MAX];
	DIR *fds;

	if (!find_task("/proc", pid, task, &status))
		return;
	fds = open_folder("/proc", task, "fd");
	if (!fds) {
		found.hidden += errno == EACCES;
		return;
	}
	process.uses = any_used(fds);
	process.asked = is_asked(pid, task, &status);
	process.role = find_role(task, &process.program);
	if (process.role != NO_WINE) {
		process.files = count_files(fds);
		process.most_files = read_limit(task);
	}
	closedir(fds);
	if (!process.uses && process.role == NO_WINE &&
	    !(process.asked && (question.pid || question.command)))
		return;
	process.task = format("%s", task);
	process.command = format("%s", status.name);
	if (process.role != NO_WINE)
		process.session = find_session(task, process.role, status.uid);
	add_process(&process);
}

static void find_processes(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc)))
		if (parse_id(entry->d_name) > 0 &&
		    parse_id(entry->d_name) != getpid())
			find_process(entry->d_name);
	if (proc)
		closedir(proc);
}

static bool same_session(const struct process *a, const struct process *b)
{
	return a == b || (a->session && b->session && !strcmp(a->session, b->session));
}

static struct process *find_server(const struct process *client)
{
	struct process *process = found.processes;

	for (; process < found.processes + found.count; process++)
		if (process->role == WINE_SERVER && same_session(process, client))
			return process;
	return NULL;
}

/* The processes in question that have the same server as the first. */
static void fill_group(struct group *group, struct process *first)
{
	struct process *process = first;

	for (; process < found.processes + found.count; process++) {
		if (process->uses || !process->asked || !same_session(process, first))
			continue;
		process->told = true;
		group->members = grow(group->members, group->count,
				      sizeof(*group->members));
		group->members[group->count++] = process;
	}
}

static void add_group(struct process *first)
{
	struct group group = { .server = find_server(first) };
	struct process *head = group.server ? group.server : first;

	/* It gets objects as soon as it needs them. */
	if (group.server && group.server->uses) {
		first->uses = true;
		return;
	}
	fill_group(&group, first);
	if (first->role == NO_WINE)
		group.answer = (struct answer) {
			.reason = NOT_WINE,
			.what = "it is not a Wine program",
			.remedy = "ask about the Windows program, not about what starts it",
		};
	else
		explain(head->task, head->role, head->program, found.number, &group.answer);
	found.groups = grow(found.groups, found.group_count, sizeof(group));
	found.groups[found.group_count++] = group;
}

static void find_groups(void)
{
	struct process *process = found.processes;

	for (; process < found.processes + found.count; process++)
		if (!process->uses && process->asked && !process->told)
			add_group(process);
}

static void find_all(void)
{
	find_kernel();
	find_files();
	find_loaded();
	find_signatures();
	find_device();
	find_use();
	find_limit();
	find_processes();
	find_groups();
}

/* The judges: each returns whether it has found a problem. */

static bool wrong(const char *what, const char *what_to_do)
{
	snprintf(problem, sizeof(problem), "%s", what);
	snprintf(remedy, sizeof(remedy), "%s", what_to_do);
	return true;
}

/* After an update there may be no module for the new kernel yet. */
static bool judge_local(void)
{
	if (!found.local_file)
		return wrong("there is no module for this kernel yet in " LOCAL,
			     "as root: " LOCAL "/build, then systemctl restart ntsync-local");
	return wrong("the module in " LOCAL " is not loaded",
		     "as root: systemctl restart ntsync-local; systemctl status says why not");
}

static bool judge_module(void)
{
	char text[sizeof(remedy)];

	if (found.origin != NONE)
		return false;
	if (found.local)
		return judge_local();
	if (found.too_old)
		return wrong("the running kernel is too old for ntsync",
			     "boot Linux 5.10 or newer");
	if (!found.file && found.headers)
		return wrong("there is no module for the running kernel, though there are headers",
			     "install ntsync-dkms; if it is installed, as root: dkms autoinstall");
	if (!found.file) {
		snprintf(text, sizeof(text),
			 "install linux-headers-%s and ntsync-dkms; as root: dkms autoinstall, modprobe ntsync",
			 found.kernel.release);
		return wrong("there is no module for the running kernel", text);
	}
	if (found.signatures)
		return wrong("not loaded: the kernel requires a known signature (Secure Boot)",
			     "as root: mokutil --import /var/lib/dkms/mok.pub; reboot, Enroll MOK");
	return wrong("the module is not loaded",
		     "as root: modprobe ntsync; the package ntsync-autoload does it at boot");
}

static bool judge_device(void)
{
	static const char closed_remedy[] =
		"as root: chmod 666 " DEVICE
		", and look for its rule in /etc/udev and /usr/lib/udev";

	if (!found.device)
		return wrong("there is no " DEVICE " though the module is loaded",
			     "in a container, pass it in; otherwise, as root: modprobe -r ntsync, modprobe ntsync");
	if (found.open_error == EACCES || found.open_error == EPERM)
		return wrong("you have no permission to open " DEVICE, closed_remedy);
	if (found.open_error)
		return wrong(DEVICE " belongs to no driver",
			     "as root: rm " DEVICE ", modprobe -r ntsync, modprobe ntsync");
	if ((found.mode & 0666) != 0666)
		return wrong("other users have no permission to open " DEVICE, closed_remedy);
	return false;
}

static bool judge_waits(void)
{
	if (!found.wait_problem[0])
		return false;
	if (found.origin == OURS)
		return wrong("waits do not work",
			     "look for the driver's errors in dmesg, and reboot");
	return wrong("waits do not work with this driver, which is not ours",
		     "install ntsync-dkms, then as root: modprobe -r ntsync, modprobe ntsync");
}

/* At most a tenth is left. */
static bool is_close(const struct process *process)
{
	return process->most_files &&
	       process->files >= process->most_files - process->most_files / 10;
}

static bool judge_limits(void)
{
	char text[sizeof(problem)];
	size_t i;

	for (i = 0; i < found.count; i++) {
		const struct process *process = &found.processes[i];

		if (!process->asked || !is_close(process))
			continue;
		snprintf(text, sizeof(text), "%s (%d) has %llu of at most %llu files open",
			 process->command, process->pid, process->files,
			 process->most_files);
		return wrong(text,
			     "each object is an open file: raise the limit (ntsync-check(1), LIMITS)");
	}
	if (found.most_files >= WANTED_FILES)
		return false;
	snprintf(text, sizeof(text),
		 "programs may open %llu files at most, and some Windows programs need %d",
		 found.most_files, WANTED_FILES);
	return wrong(text,
		     "raise it: LimitNOFILE=, limits.conf or --ulimit (ntsync-check(1), LIMITS)");
}

/* Only for the program in question: others need not use the device. */
static bool judge_program(void)
{
	if ((!question.pid && !question.command) || !found.group_count)
		return false;
	return wrong(found.groups[0].answer.what, found.groups[0].answer.remedy);
}

static bool judge_driver(void)
{
	if (!found.lacks_fixes)
		return false;
	return wrong("this driver lacks fixes of Linux 6.18.54 and 7.2.8 (ntsync-check(1), FIXES)",
		     "boot a newer kernel, or install ntsync-dkms, which replaces it");
}

static bool judge(void)
{
	return judge_module() || judge_device() || judge_waits() || judge_driver() ||
	       judge_program() || judge_limits();
}

/* The report */

static const char *yes_or(int error)
{
	return error ? strerror(error) : "yes";
}

static void print_module(void)
{
	switch (found.origin) {
	case NONE:
		printf("module     not loaded\n");
		break;
	case OURS:
		printf("module     ours, version %s\n", found.version);
		break;
	case KERNELS:
		printf("module     the kernel's own\n");
		break;
	case UNSEEN:
		printf("module     loaded; this sandbox does not show which driver it is\n");
		break;
	case OTHERS:
		printf("module     neither ours nor the kernel's own\n");
		break;
	}
	printf("file       %s%s\n", found.built_in ? "built into the kernel" :
	       found.file ? found.file : "none for this kernel",
	       found.origin == KERNELS && found.file &&
	       strstr(found.file, "/updates/") ?
	       ", from the next boot on" : "");
}

static void print_users(void)
{
	const struct process *process = found.processes;
	bool any = false;

	printf("used by    ");
	for (; process < found.processes + found.count; process++) {
		if (!process->uses || !process->asked)
			continue;
		printf("%s%s (%d%s)", any ? ", " : "", process->command, process->pid,
		       process->role != NO_WINE ? ", Wine" : "");
		any = true;
	}
	printf("%s\n", any ? "" : "no process");
}

/* Programs that share a server, then the reason and the remedy. */
static void print_group(const struct group *group)
{
	size_t i;

	printf("unused by  ");
	for (i = 0; i < group->count; i++)
		printf("%s%s (%d)", i ? ", " : "", group->members[i]->command,
		       group->members[i]->pid);
	printf("\n  because  %s\n  remedy   %s\n", group->answer.what,
	       group->answer.remedy);
}

static void print_processes(void)
{
	size_t i;

	print_users();
	for (i = 0; i < found.group_count; i++)
		print_group(&found.groups[i]);
	if (found.hidden)
		printf("           %zu processes of other users could not be examined; root can\n",
		       found.hidden);
}

static void print_report(void)
{
	printf("kernel     Linux %s\n", found.kernel.release);
	print_module();
	if (found.device)
		printf("device     " DEVICE ", mode %04o\n", found.mode);
	else
		printf("device     no " DEVICE "\n");
	if (found.device) {
		printf("open       %s\n", yes_or(found.open_error));
		printf("wait       %s\n", found.open_error ? "not tried" :
		       found.wait_problem[0] ? found.wait_problem :
		       found.lacks_fixes ? "works, except for owner 0" : "works");
	}
	printf("files      at most %llu\n", found.most_files);
	print_processes();
	if (problem[0])
		printf("\nproblem    %s\nremedy     %s\n", problem, remedy);
	else
		printf("\nAll is well.\n");
}

static void print_string(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	if (!text || !text[0]) {
		printf("null");
		return;
	}
	putchar('"');
	while (*text) {
		int len = mblen(text, MB_CUR_MAX);

		if (len < 1)
			printf("?");
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", *text);
		else
			printf("%.*s", len, text);
		text += len < 1 ? 1 : len;
	}
	putchar('"');
}

static void print_json_users(void)
{
	const struct process *process = found.processes;
	bool any = false;

	printf("  \"processes\": [");
	for (; process < found.processes + found.count; process++) {
		if (!process->uses || !process->asked)
			continue;
		printf("%s\n    { \"pid\": %d, ", any ? "," : "", process->pid);
		print_string("command", process->command);
		printf(", \"wine\": %s", process->role != NO_WINE ? "true" : "false");
		if (process->role != NO_WINE)
			printf(", \"files\": %llu, \"most_files\": %llu", process->files,
			       process->most_files);
		printf(" }");
		any = true;
	}
	printf("%s],\n", any ? "\n  " : "");
}

static void print_json_group(const struct group *group)
{
	size_t i;

	printf("\n    { \"server\": ");
	if (group->server)
		printf("%d, ", group->server->pid);
	else
		printf("null, ");
	print_string("reason", reason_word(group->answer.reason));
	printf(", ");
	print_string("because", group->answer.what);
	printf(",\n      ");
	print_string("remedy", group->answer.remedy);
	printf(",\n      \"processes\": [");
	for (i = 0; i < group->count; i++) {
		printf("%s { \"pid\": %d, ", i ? "," : "", group->members[i]->pid);
		print_string("command", group->members[i]->command);
		printf(" }");
	}
	printf(" ] }");
}

static void print_json_processes(void)
{
	size_t i;

	print_json_users();
	printf("  \"without\": [");
	for (i = 0; i < found.group_count; i++) {
		if (i)
			printf(",");
		print_json_group(&found.groups[i]);
	}
	printf("%s],\n  \"hidden_processes\": %zu,\n", found.group_count ? "\n  " : "",
	       found.hidden);
}

static void print_json(void)
{
	char mode[8] = "";

	if (found.device)
		snprintf(mode, sizeof(mode), "%04o", found.mode);

	printf("{\n  \"ok\": %s,\n  ", problem[0] ? "false" : "true");
	print_string("problem", problem);
	printf(",\n  ");
	print_string("remedy", remedy);
	printf(",\n  ");
	print_string("kernel", found.kernel.release);
	printf(",\n  \"module\": { ");
	print_string("loaded", origin_words[found.origin]);
	printf(", ");
	print_string("version", found.version);
	printf(", \"built_in\": %s, ", found.built_in ? "true" : "false");
	print_string("file", found.file);
	printf(" },\n  \"signatures_enforced\": %s,\n",
	       found.signatures ? "true" : "false");
	printf("  \"device\": { \"exists\": %s, ",
	       found.device ? "true" : "false");
	print_string("mode", mode);
	printf(" },\n  \"opens\": %s,\n",
	       found.device && !found.open_error ? "true" : "false");
	printf("  \"waits\": %s,\n", found.device && !found.open_error &&
	       !found.wait_problem[0] ? "true" : "false");
	printf("  \"lacks_fixes\": %s,\n", found.lacks_fixes ? "true" : "false");
	printf("  \"most_files\": %llu,\n", found.most_files);
	print_json_processes();
	printf("  ");
	print_string("tool_version", VERSION);
	printf("\n}\n");
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: ntsync-check [--json] [--pid PID | --command NAME]\n"
		"\n"
		"Tells whether programs can use " DEVICE " here, who uses it now, which\n"
		"Wine programs do not and why, and what to do.\n"
		"\n"
		"  -p, --pid PID       ask about one process\n"
		"  -c, --command NAME  ask about programs of that name, such as game.exe\n"
		"  -J, --json          print JSON\n"
		"  -h, --help          print this\n"
		"  -V, --version       print the version\n"
		"\n"
		"Exit status: 0 if all is well, 1 if not, 2 if the command line is wrong.\n");
}

/* Ends the program unless the question can be answered. */
static void read_question(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "command", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'J' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "p:c:JhV", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			question.pid = parse_id(optarg);
			if (question.pid <= 0)
				errx(EXIT_TROUBLE,
				     "'%s' is not the number of a process",
				     optarg);
			break;
		case 'c':
			question.command = optarg;
			break;
		case 'J':
			question.json = true;
			break;
		case 'h':
			print_usage(stdout);
			exit(0);
		case 'V':
			printf("ntsync-check " VERSION "\n");
			exit(0);
		default:
			print_usage(stderr);
			exit(EXIT_TROUBLE);
		}
	}
	if (optind < argc)
		errx(EXIT_TROUBLE, "unexpected '%s': --help lists the options", argv[optind]);
	if (question.pid && question.command)
		errx(EXIT_TROUBLE, "--pid and --command cannot be combined");
}

/* If the process in question was not found, its state is not known. */
static void check_answer(void)
{
	size_t i;

	if (!question.pid && !question.command)
		return;
	for (i = 0; i < found.count; i++)
		if (found.processes[i].asked)
			return;
	if (question.command)
		errx(EXIT_TROUBLE, "no process is called '%s'%s", question.command,
		     found.hidden ? " among those that you may inspect: run as root" :
		     "");
	if (!kill(question.pid, 0) || errno == EPERM)
		errx(EXIT_TROUBLE,
		     "no permission to inspect process %d: run as its user or as root",
		     question.pid);
	errx(EXIT_TROUBLE, "there is no process %d", question.pid);
}

int main(int argc, char **argv)
{
	read_question(argc, argv);
	setlocale(LC_CTYPE, "C.UTF-8");
	find_all();
	check_answer();
	judge();
	if (question.json)
		print_json();
	else
		print_report();
	return problem[0] != '\0';
}
