/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of ntsync, included by ntsync.c after its structures.
 * Documentation/ntsync.rst says what they mean.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ntsync

#if !defined(_TRACE_NTSYNC_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_NTSYNC_H

#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(NTSYNC_SEM);
TRACE_DEFINE_ENUM(NTSYNC_MUTEX);
TRACE_DEFINE_ENUM(NTSYNC_EVENT);

TRACE_DEFINE_ENUM(NTSYNC_RELEASE);
TRACE_DEFINE_ENUM(NTSYNC_UNLOCK);
TRACE_DEFINE_ENUM(NTSYNC_KILL);
TRACE_DEFINE_ENUM(NTSYNC_SET);
TRACE_DEFINE_ENUM(NTSYNC_PULSE);

#define ntsync_show_type(type)				\
	__print_symbolic(type,				\
			 { NTSYNC_SEM, "semaphore" },	\
			 { NTSYNC_MUTEX, "mutex" },	\
			 { NTSYNC_EVENT, "event" })

#define ntsync_show_op(op)				\
	__print_symbolic(op,				\
			 { NTSYNC_RELEASE, "release" },	\
			 { NTSYNC_UNLOCK, "unlock" },	\
			 { NTSYNC_KILL, "kill" },	\
			 { NTSYNC_SET, "set" },		\
			 { NTSYNC_PULSE, "pulse" })

#define ntsync_show_kind(kind)				\
	__print_symbolic(kind, { 0, "any" }, { 1, "all" })

DECLARE_EVENT_CLASS(ntsync_obj,
	TP_PROTO(const struct ntsync_obj *obj),
	TP_ARGS(obj),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, object)
		__field(u32, type)
	),
	TP_fast_assign(
		__entry->instance = obj->instance->id;
		__entry->object = obj->id;
		__entry->type = obj->type;
	),
	TP_printk("instance=%u object=%u type=%s",
		  __entry->instance, __entry->object,
		  ntsync_show_type(__entry->type))
);

DEFINE_EVENT(ntsync_obj, ntsync_create,
	TP_PROTO(const struct ntsync_obj *obj),
	TP_ARGS(obj)
);

DEFINE_EVENT(ntsync_obj, ntsync_destroy,
	TP_PROTO(const struct ntsync_obj *obj),
	TP_ARGS(obj)
);

TRACE_EVENT(ntsync_wait_begin,
	TP_PROTO(const struct ntsync_instance *instance,
		 const struct ntsync_wait_args *args, bool all),
	TP_ARGS(instance, args, all),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, kind)
		__field(u32, count)
		__field(u32, alert)
		__field(u32, owner)
		__field(u64, timeout)
	),
	TP_fast_assign(
		__entry->instance = instance->id;
		__entry->kind = all;
		__entry->count = args->count;
		__entry->alert = !!args->alert;
		__entry->owner = args->owner;
		__entry->timeout = args->timeout;
	),
	TP_printk("instance=%u kind=%s count=%u alert=%u owner=%u timeout=%llu",
		  __entry->instance, ntsync_show_kind(__entry->kind),
		  __entry->count, __entry->alert, __entry->owner,
		  __entry->timeout)
);

TRACE_EVENT(ntsync_queue,
	TP_PROTO(const struct ntsync_obj *obj, const struct ntsync_wait *wait,
		 u32 index),
	TP_ARGS(obj, wait, index),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, object)
		__field(u32, type)
		__field(u32, kind)
		__field(u32, index)
		__field(u32, owner)
		__field(u32, holder)
		__field(u64, serial)
	),
	TP_fast_assign(
		__entry->instance = obj->instance->id;
		__entry->object = obj->id;
		__entry->type = obj->type;
		__entry->kind = wait->all;
		__entry->index = index;
		__entry->owner = wait->set->owner;
		__entry->holder = obj->type == NTSYNC_MUTEX ?
				  READ_ONCE(obj->mutex.owner) : 0;
		__entry->serial = wait->serial;
	),
	TP_printk("instance=%u serial=%llu object=%u type=%s kind=%s index=%u owner=%u holder=%u",
		  __entry->instance, __entry->serial, __entry->object,
		  ntsync_show_type(__entry->type),
		  ntsync_show_kind(__entry->kind), __entry->index,
		  __entry->owner, __entry->holder)
);

TRACE_EVENT(ntsync_acquire,
	TP_PROTO(const struct ntsync_obj *obj, u32 owner),
	TP_ARGS(obj, owner),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, object)
		__field(u32, type)
		__field(u32, owner)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->instance = obj->instance->id;
		__entry->object = obj->id;
		__entry->type = obj->type;
		__entry->owner = owner;
		__entry->count = obj->type == NTSYNC_MUTEX ? obj->mutex.count :
				 obj->type == NTSYNC_SEM ? obj->sem.count :
				 obj->event.signaled;
	),
	TP_printk("instance=%u object=%u type=%s owner=%u count=%u",
		  __entry->instance, __entry->object,
		  ntsync_show_type(__entry->type), __entry->owner,
		  __entry->count)
);

TRACE_EVENT(ntsync_signal,
	TP_PROTO(const struct ntsync_obj *obj, u32 op, int ret, u32 woken),
	TP_ARGS(obj, op, ret, woken),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, object)
		__field(u32, type)
		__field(u32, op)
		__field(int, ret)
		__field(u32, woken)
	),
	TP_fast_assign(
		__entry->instance = obj->instance->id;
		__entry->object = obj->id;
		__entry->type = obj->type;
		__entry->op = op;
		__entry->ret = ret;
		__entry->woken = woken;
	),
	TP_printk("instance=%u object=%u type=%s op=%s ret=%d woken=%u",
		  __entry->instance, __entry->object,
		  ntsync_show_type(__entry->type), ntsync_show_op(__entry->op),
		  __entry->ret, __entry->woken)
);

TRACE_EVENT(ntsync_wait_end,
	TP_PROTO(const struct ntsync_instance *instance,
		 const struct ntsync_wait_args *args, bool all, int ret,
		 u32 index, struct ntsync_obj *const *objs, u64 waited),
	TP_ARGS(instance, args, all, ret, index, objs, waited),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, kind)
		__field(u32, count)
		__field(u32, owner)
		__field(int, ret)
		__field(u32, index)
		__field(u32, object)
		__field(u32, type)
		__field(u64, waited)
	),
	TP_fast_assign(
		__entry->instance = instance->id;
		__entry->kind = all;
		__entry->count = args->count;
		__entry->owner = args->owner;
		__entry->ret = ret;
		__entry->index = index;
		__entry->object = 0;
		__entry->type = 0;
		if ((!ret || ret == -EOWNERDEAD) &&
		    (args->count || (args->alert && !all))) {
			__entry->object = objs[index]->id;
			__entry->type = objs[index]->type;
		}
		__entry->waited = waited;
	),
	TP_printk("instance=%u kind=%s count=%u owner=%u ret=%d index=%u object=%u type=%s waited=%llu",
		  __entry->instance, ntsync_show_kind(__entry->kind),
		  __entry->count, __entry->owner, __entry->ret,
		  __entry->index, __entry->object,
		  ntsync_show_type(__entry->type), __entry->waited)
);

#endif /* _TRACE_NTSYNC_H */

#include <trace/define_trace.h>
