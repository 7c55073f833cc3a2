// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts the cache lines of kernel memory which several
 * CPUs write repeatedly.  The guest uses no-ops to say when to count; see marks.h.
 * One thread emulates all CPUs, so no locking is needed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../marks.h"
#include "plugin.h"

#define MAX_CPUS	16
#define MAX_LINES	0x40000

/**
 * struct line - a cache line that was written
 * @number: its address divided by 64; 0 in a free place of the table
 * @writes: how often by each CPU
 */
struct line {
	uint64_t number;
	uint32_t writes[MAX_CPUS];
};

int qemu_plugin_version = PLUGIN_VERSION;

static struct line lines[MAX_LINES];
static int line_count;
static bool counting[MAX_CPUS];
static uint32_t operations[MAX_CPUS];

static struct line *find_line(uint64_t number)
{
	uint64_t place = number * 0x9e3779b97f4a7c15 >> 32;

	while (lines[place % MAX_LINES].number != number) {
		if (!lines[place % MAX_LINES].number) {
			if (++line_count > MAX_LINES / 2) {
				fputs("lines: too many cache lines\n", stderr);
				exit(1);
			}
			lines[place % MAX_LINES].number = number;
			break;
		}
		place++;
	}
	return &lines[place % MAX_LINES];
}

static void on_write(unsigned int cpu, uint32_t info, uint64_t address,
		     void *arg)
{
	bool of_kernel = address >> 63;

	(void)arg;
	/* QEMU reports loads too. */
	if (counting[cpu] && of_kernel && qemu_plugin_mem_is_store(info))
		find_line(address / 64)->writes[cpu]++;
}

/* Do at least two CPUs write it in every second operation? */
static bool is_common(const struct line *line)
{
	int writers = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		writers += operations[cpu] &&
			   line->writes[cpu] >= operations[cpu] / 2;
	return writers > 1;
}

static void report(void)
{
	char text[32];
	int common = 0;

	for (int i = 0; i < MAX_LINES; i++)
		common += lines[i].number && is_common(&lines[i]);
	snprintf(text, sizeof(text), "%d\n", common);
	qemu_plugin_outs(text);
	memset(lines, 0, sizeof(lines));
	memset(operations, 0, sizeof(operations));
	line_count = 0;
}

static void on_mark(unsigned int cpu, void *arg)
{
	switch ((uintptr_t)arg) {
	case MARK_BEGIN:
		counting[cpu] = true;
		break;
	case MARK_OPERATION:
		operations[cpu]++;
		break;
	case MARK_END:
		counting[cpu] = false;
		break;
	case MARK_REPORT:
		report();
		break;
	}
}

/* The number of a mark, or 0 if the instruction is none. */
static uint32_t find_mark(const struct qemu_plugin_insn *insn)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };
	const uint8_t *code = qemu_plugin_insn_data(insn);
	uint32_t number = 0;

	if (qemu_plugin_insn_size(insn) == sizeof(nopl) + sizeof(number) &&
	    !memcmp(code, nopl, sizeof(nopl)))
		memcpy(&number, code + sizeof(nopl), sizeof(number));
	return number;
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uintptr_t number = find_mark(insn);

		if (number)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       QEMU_PLUGIN_CB_NO_REGS,
							       (void *)number);
		qemu_plugin_register_vcpu_mem_cb(insn, on_write,
						 QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_W, NULL);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
