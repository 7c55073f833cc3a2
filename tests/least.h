/* SPDX-License-Identifier: GPL-2.0 */
/* Put before ntsync.c: the kernel lacks what all kernels have with which it is tested. */
#undef CONFIG_EVENT_TRACING
#undef CONFIG_MEMCG
#undef CONFIG_PREEMPT_COUNT
#undef CONFIG_PREEMPTION
#undef CONFIG_PROC_FS
#undef CONFIG_SMP
#undef CONFIG_TIME_NS
#undef CONFIG_TRACEPOINTS
#undef __uninitialized
