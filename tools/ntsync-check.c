// SPDX-License-Identifier: GPL-2.0
/*
 * Tells whether programs can use /dev/ntsync on this machine, and what to do if
 * they cannot.
 *
 * It first finds out all that it can (the finders), then looks for the first
 * thing that is wrong (the judges), then prints both.
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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <linux/ntsync.h>
#include "proc.h"
#include "util.h"

#define DEVICE		"/dev/ntsync"
#define MODULE		"/sys/module/ntsync"
#define WAIT_SECONDS	10	/* a wait that takes longer does not work */
#define SHORT_NS	1000000	/* a deadline that is not far */
#define NSEC_PER_SEC	1000000000ULL

/* Whose driver it is. */
enum origin { NONE, OURS, KERNELS, OTHERS };

static const char * const origin_words[] = {
	[NONE] = "none",
	[OURS] = "ours",
	[KERNELS] = "kernel",
	[OTHERS] = "other",
};

struct process {
	int pid;
	bool wine;
	char *command;
};

/* All that was found out. */
static struct {
	struct utsname kernel;
	enum origin origin;
	char version[32];
	bool too_old;		/* for the driver */
	bool headers;		/* of the running kernel, to build a module with */
	bool built_in;		/* into the kernel, as modules.builtin says */
	char *file;		/* that modprobe would load, if there is one */
	bool signatures;	/* the kernel takes no module without a known one */
	bool device;
	mode_t mode;
	int open_error;
	char wait_problem[128];	/* "" if waits work */
	struct process *processes;
	size_t count;
	size_t hidden;		/* processes that we may not look into */
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

/* The kernel marks a module that is not its own with an O. */
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
	char *built_in = listed("modules.builtin");

	found.built_in = built_in;
	free(built_in);
	found.file = listed("modules.dep");
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
	found.mode = found.device ? st.st_mode & 07777 : 0;
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

/* An event that is set ends one wait, and not the next. */
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

/* Whether one of these descriptors is the device or an object. */
static bool any_used(DIR *fds)
{
	struct dirent *entry;

	while ((entry = readdir(fds)))
		if (read_target(dirfd(fds), entry->d_name) != TARGET_OTHER)
			return true;
	return false;
}

/* A Windows program has a name of its own; its loader and its server do not. */
static bool is_wine(const char *task)
{
	char path[PATH_MAX], exe[PATH_MAX];
	const char *name;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%s/exe", task);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len < 0)
		return false;
	exe[len] = '\0';
	name = strrchr(exe, '/');
	return name && !strncmp(name + 1, "wine", 4);
}

static void add_process(const char *pid, const char *task,
			const struct status *status)
{
	found.processes = grow(found.processes, found.count,
			       sizeof(*found.processes));
	found.processes[found.count++] = (struct process) {
		.pid = parse_id(pid),
		.wine = is_wine(task),
		.command = format("%s", status->name),
	};
}

static void find_process(const char *pid)
{
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
	if (any_used(fds))
		add_process(pid, task, &status);
	closedir(fds);
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

static void find_all(void)
{
	find_kernel();
	find_files();
	find_loaded();
	find_signatures();
	find_device();
	find_use();
	find_processes();
}

/* The judges: each returns whether it has found what is wrong. */

static bool wrong(const char *what, const char *what_to_do)
{
	snprintf(problem, sizeof(problem), "%s", what);
	snprintf(remedy, sizeof(remedy), "%s", what_to_do);
	return true;
}

static bool judge_module(void)
{
	char text[sizeof(remedy)];

	if (found.origin != NONE)
		return false;
	if (found.too_old)
		return wrong("the running kernel is too old for ntsync",
			     "boot Linux 5.10 or newer");
	if (!found.file && found.headers)
		return wrong("there is no module for the running kernel, though there are headers",
			     "install ntsync-dkms; if it is, dkms autoinstall, as root, says why not");
	if (!found.file) {
		snprintf(text, sizeof(text),
			 "install linux-headers-%s and ntsync-dkms; as root: dkms autoinstall, modprobe ntsync",
			 found.kernel.release);
		return wrong("there is no module for the running kernel", text);
	}
	if (found.signatures)
		return wrong("not loaded, and the kernel wants a known signature (Secure Boot)",
			     "as root: mokutil --import /var/lib/dkms/mok.pub; reboot, Enroll MOK");
	return wrong("the module is not loaded",
		     "as root: modprobe ntsync; /etc/modules-load.d/ntsync.conf does it at boot");
}

static bool judge_device(void)
{
	static const char closed_remedy[] =
		"as root: chmod 666 " DEVICE ", and find the rule in /etc/udev/rules.d";

	if (!found.device)
		return wrong("there is no " DEVICE " though the module is loaded",
			     "in a container, pass it in; else, as root: modprobe -r ntsync, modprobe ntsync");
	if (found.open_error == EACCES || found.open_error == EPERM)
		return wrong("you may not open " DEVICE, closed_remedy);
	if (found.open_error)
		return wrong(DEVICE " belongs to no driver",
			     "as root: rm " DEVICE ", modprobe -r ntsync, modprobe ntsync");
	if ((found.mode & 0666) != 0666)
		return wrong("other users may not open " DEVICE, closed_remedy);
	return false;
}

static bool judge_waits(void)
{
	if (!found.wait_problem[0])
		return false;
	if (found.origin == OURS)
		return wrong("waits do not work",
			     "see dmesg for what became of the driver, and boot again");
	return wrong("waits do not work with this driver, which is not ours",
		     "install ntsync-dkms, then as root: modprobe -r ntsync, modprobe ntsync");
}

static bool judge(void)
{
	return judge_module() || judge_device() || judge_waits();
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

static void print_processes(void)
{
	size_t i;

	printf("used by    %s", found.count ? "" : "nobody");
	for (i = 0; i < found.count; i++)
		printf("%s%s (%d%s)", i ? ", " : "",
		       found.processes[i].command, found.processes[i].pid,
		       found.processes[i].wine ? ", Wine" : "");
	printf("\n");
	if (found.hidden)
		printf("           %zu processes of others could not be seen; root sees all\n",
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
		       found.wait_problem[0] ? found.wait_problem : "works");
	}
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

static void print_json_processes(void)
{
	size_t i;

	printf("  \"processes\": [");
	for (i = 0; i < found.count; i++) {
		printf("%s\n    { \"pid\": %d, ", i ? "," : "",
		       found.processes[i].pid);
		print_string("command", found.processes[i].command);
		printf(", \"wine\": %s }",
		       found.processes[i].wine ? "true" : "false");
	}
	printf("%s],\n  \"hidden_processes\": %zu,\n", found.count ? "\n  " : "",
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
	print_json_processes();
	printf("  ");
	print_string("tool_version", VERSION);
	printf("\n}\n");
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: ntsync-check [--json]\n"
		"\n"
		"Tells whether programs can use " DEVICE " here, who uses it now, and what to do\n"
		"if they cannot.\n"
		"\n"
		"  -J, --json     as JSON\n"
		"  -h, --help     this text\n"
		"  -V, --version  the version of this program\n"
		"\n"
		"Exit status: 0 if all is well, 1 if not, 2 if the question was wrong.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'J' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "JhV", options, NULL)) != -1) {
		switch (option) {
		case 'J':
			json = true;
			break;
		case 'h':
			print_usage(stdout);
			return 0;
		case 'V':
			printf("ntsync-check " VERSION "\n");
			return 0;
		default:
			print_usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ntsync-check: '%s' is too much: it takes options only\n",
			argv[optind]);
		return 2;
	}

	setlocale(LC_CTYPE, "C.UTF-8");
	find_all();
	judge();
	if (json)
		print_json();
	else
		print_report();
	free(found.processes);
	free(found.file);
	return problem[0] != '\0';
}
