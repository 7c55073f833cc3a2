/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of QEMU 7.2's plugin interface that lines.c uses; Debian has no package
 * with its header.
 */
#ifndef NTSYNC_BENCH_PLUGIN_H
#define NTSYNC_BENCH_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version of the interface that is meant here. */
#define PLUGIN_VERSION	1

enum { QEMU_PLUGIN_CB_NO_REGS };

enum { QEMU_PLUGIN_MEM_W = 2 };

struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*tb_trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*insn_cb)(unsigned int cpu, void *arg);
typedef void (*mem_cb)(unsigned int cpu, uint32_t info, uint64_t address,
		       void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_cb cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_cb cb, int flags, void *arg);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_cb cb,
				      int flags, int access, void *arg);
bool qemu_plugin_mem_is_store(uint32_t info);
void qemu_plugin_outs(const char *text);

#endif /* NTSYNC_BENCH_PLUGIN_H */
