// SPDX-License-Identifier: GPL-2.0
/*
 * lsntsync --report: runs commands, whose output becomes the files of an archive.
 * It must not contain anything private: it has the names of threads and processes,
 * but not their command lines and environments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "report.h"
#include "util.h"

#define FOLDER	"ntsync-report"

/* For each process that has an object: $pid, and $name. */
#define EACH_PROCESS							\
	"\"$LSNTSYNC\" --descriptors -rn -o PID 2>/dev/null | sort -nu |\n" \
	"while read -r pid; do name=$(cat /proc/$pid/comm) || continue\n"

/* In the order in which they are run. */
static const struct {
	const char *file;
	const char *what;
	const char *command;	/* of the shell */
} parts[] = {
	{ "versions.txt", "versions of the driver, the kernel, the system and this program",
	  "uname -srm; sed -n 's/^PRETTY_NAME=//p' /etc/os-release; \"$LSNTSYNC\" --version\n"
	  "for file in version srcversion taint refcnt; do\n"
	  "	printf 'module %s: %s\\n' $file \"$(cat /sys/module/ntsync/$file 2>&1)\"\n"
	  "done" },
	{ "check.json", "what ntsync-check says, with the names of processes that use the device",
	  "\"${LSNTSYNC%lsntsync}ntsync-check\" --json" },
	{ "objects-1.json", "objects, with the names of the processes that have them",
	  "\"$LSNTSYNC\" --descriptors --output-all --json" },
	{ "waits-1.json", "waits, with the names of the threads that wait",
	  "\"$LSNTSYNC\" --waits --output-all --json" },
	{ "objects-2.json", "objects, a second later",
	  "sleep 1; \"$LSNTSYNC\" --descriptors --output-all --json" },
	{ "waits-2.json", "waits, a second later",
	  "\"$LSNTSYNC\" --waits --output-all --json" },
	{ "deadlocks.json", "deadlocks among them",
	  "\"$LSNTSYNC\" --deadlocks --output-all --json" },
	{ "rates.json", "what threads and objects do, for five seconds",
	  "\"$LSNTSYNC\" --top --count 5 --output-all --json" },
	{ "kernel.txt", "the last 200 lines of the kernel's log that name ntsync",
	  "log=$(dmesg) || exit 2\n"
	  "echo \"$log\" | grep -i ntsync | tail -n 200" },
	{ "limits.txt", "limits on open files, of the system and of these processes",
	  "cd /proc/sys/fs && grep . file-nr file-max nr_open; " EACH_PROCESS
	  "	echo \"$pid $name: $(ls /proc/$pid/fd | wc -l) open\"\n"
	  "	grep 'open files' /proc/$pid/limits; done" },
	{ "sandbox.txt", "whether these processes are in a sandbox",
	  EACH_PROCESS
	  "	printf '%s %s:' \"$pid\" \"$name\"\n"
	  "	for ns in mnt pid user; do\n"
	  "		[ /proc/$pid/ns/$ns -ef /proc/self/ns/$ns ] || printf ' own-%s' $ns\n"
	  "	done\n"
	  "	[ ! -e /proc/$pid/root/.flatpak-info ] || printf ' flatpak'\n"
	  "	sed -nE 's/^(NoNewPrivs|Seccomp):[[:space:]]*/ \\1=/p' /proc/$pid/status | tr -d '\\n'\n"
	  "	echo; done" },
};

#define NR_PARTS	(sizeof(parts) / sizeof(*parts))

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = true;
}

static void list_parts(void)
{
	size_t i;

	for (i = 0; i < NR_PARTS; i++)
		printf("%-15s %s\n", parts[i].file, parts[i].what);
	printf("%-15s %s\n", "messages.txt", "errors of these commands");
	puts("It has no command lines, no environments and no names of users or of the machine.");
}

/* Returns the exit status of a command of the shell. */
static int shell(const char *command, int output, int messages)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (dup2(output, STDOUT_FILENO) < 0 || dup2(messages, STDERR_FILENO) < 0)
			_exit(EXIT_TROUBLE);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(EXIT_TROUBLE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(EXIT_TROUBLE, "fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TROUBLE;
}

static int create(const char *folder, const char *file)
{
	char *path = format("%s/%s", folder, file);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		err(EXIT_TROUBLE, "cannot write %s", path);
	free(path);
	return fd;
}

/* The first line that a command has printed from there on. */
static void warn_of(const char *file, int messages, off_t from)
{
	char said[200];
	ssize_t length = pread(messages, said, sizeof(said) - 1, from);

	said[length > 0 ? length : 0] = 0;
	said[strcspn(said, "\n")] = 0;
	warnx("%s is not complete: %s", file, said);
}

/* Returns whether all of it could be had. */
static bool collect(const char *folder)
{
	int messages = create(folder, "messages.txt"), output, status;
	bool complete = true;
	off_t from;
	size_t i;

	for (i = 0; i < NR_PARTS && !interrupted; i++) {
		output = create(folder, parts[i].file);
		dprintf(messages, "%s:\n", parts[i].file);
		from = lseek(messages, 0, SEEK_END);
		status = shell(parts[i].command, output, messages);
		if (status >= EXIT_TROUBLE && !interrupted) {
			warn_of(parts[i].file, messages, from);
			complete = false;
		}
		close(output);
	}
	close(messages);
	return complete;
}

/* Commands find this program, and the other one in its folder. */
static void tell_commands(const char *folder)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0)
		err(EXIT_TROUBLE, "cannot find this program in /proc");
	path[length] = 0;
	if (setenv("LSNTSYNC", path, 1) || setenv("REPORT", folder, 1) ||
	    setenv("LC_ALL", "C.UTF-8", 1))
		err(EXIT_TROUBLE, NULL);
}

/* Fills the file from a folder in which the parts are made. */
static bool make_archive(int archive, bool *complete)
{
	char folder[] = "/tmp/lsntsync-XXXXXX", *inside;
	bool made;

	if (!mkdtemp(folder))
		err(EXIT_TROUBLE, "cannot make a folder in /tmp");
	tell_commands(folder);
	inside = format("%s/" FOLDER, folder);
	if (mkdir(inside, 0700))
		err(EXIT_TROUBLE, "cannot write %s", inside);
	*complete = collect(inside);
	made = !interrupted &&
	       !shell("exec tar -C \"$REPORT\" -cz " FOLDER, archive,
		      STDERR_FILENO) && !fsync(archive);
	shell("rm -rf \"$REPORT\"", STDERR_FILENO, STDERR_FILENO);
	free(inside);
	return made;
}

/**
 * report() - make an archive for a maintainer
 * @file: its name; no file of that name may exist
 * @dry_run: only list the contents
 *
 * Return: the exit status.
 */
int report(const char *file, bool dry_run)
{
	const struct sigaction action = {
		.sa_handler = interrupt, .sa_flags = SA_RESTART,
	};
	bool complete;
	int archive;

	if (dry_run) {
		list_parts();
		flush_output();
		return EXIT_SUCCESS;
	}
	archive = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (archive < 0)
		err(EXIT_TROUBLE, "cannot make %s", file);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!make_archive(archive, &complete)) {
		unlink(file);
		errx(EXIT_TROUBLE, interrupted ? "interrupted: %s was not made" :
		     "could not make %s: is tar installed, and is there room?", file);
	}
	printf("%s %s.  Look at it before you publish it: tar -xzf %s\n", file,
	       complete ? "is complete" : "has everything else", file);
	flush_output();
	return EXIT_SUCCESS;
}
