// SPDX-License-Identifier: GPL-2.0-only
/*
 * ntsync: semaphores, mutexes and events with the semantics of Windows NT.
 *
 * Documentation/ntsync.rst describes the interface, Documentation/design.rst
 * the protocol with the races that it closes.  In short:
 *
 * Locks
 *	ntsync_obj.lock guards one object.  Whoever waits for a second object's
 *	lock holds ntsync_instance.multi_lock, which is never taken with an
 *	object locked; so the locks of several objects may be taken in any
 *	order.  With multi_lock held, every object is locked by
 *	ntsync_lock_nested().  Without it a second object is only ever tried.
 *
 * Signaling
 *	A step that makes an object signaled stores the new state, then
 *	advances ntsync_obj.rises, then offers the object to the waits-for-all
 *	that watch it and to the waits-for-any in its queue, all under the
 *	object's lock.
 *
 * Negative answers
 *	are given without a lock: a look reads the rises, then the state, and
 *	rises that have not moved afterwards prove that there was an instant at
 *	which every object looked at was unsignaled.  A positive look proves
 *	nothing; it is confirmed under the lock.
 *
 * Granting
 *	Whoever moves ntsync_wait.result from NTSYNC_PENDING decides how a wait
 *	ends.  A granter does so with the object locked, acquires for the
 *	waiter, unlinks what it granted, and only when it has dropped all its
 *	locks sets ntsync_wait.done.  The wait lives on the waiter's stack: it
 *	may be gone once done is set, and not before.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/compat.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/nsproxy.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>
#include <linux/ntsync.h>

#include "compat.h"

/* Values of ntsync_wait.result that are not the index of an object. */
#define NTSYNC_PENDING	(-1)
#define NTSYNC_CANCELED	(-2)

/* Waits for up to so many objects, the alert included, need no allocation. */
#define NTSYNC_SMALL_WAIT	9

/* So many waits are ended before the granter may be preempted. */
#define NTSYNC_URGENT_WAKES	4

/* Bits that tell the objects of a wait-for-all apart. */
#define NTSYNC_REPEAT_BITS	512

/* fdinfo shows so many waits for an object; those beyond are only counted. */
#define NTSYNC_SHOWN_WAITS	1024

/* So many of them are looked at before the lock is dropped for a moment. */
#define NTSYNC_GLIMPSES		8

enum ntsync_type {
	NTSYNC_SEM,
	NTSYNC_MUTEX,
	NTSYNC_EVENT,
};

/* What may make an object signaled, for those who trace. */
enum ntsync_op {
	NTSYNC_RELEASE,
	NTSYNC_UNLOCK,
	NTSYNC_KILL,
	NTSYNC_SET,
	NTSYNC_PULSE,
};

/**
 * struct ntsync_instance - what one open of the device stands for
 * @ref: one for the open file, one for each object
 * @multi_lock: held by whoever waits for a second object's lock; guards every
 *	ntsync_wait.watched and the moves of watches between objects
 * @wait_seq: numbers the waits-for-all as they begin; under @multi_lock
 * @alls: the waits-for-all (struct ntsync_wait) that are queued, as they began;
 *	under @multi_lock.  For fdinfo only
 * @last_id: number of the object that was created last
 * @id: number of the instance among all
 */
struct ntsync_instance {
	struct kref ref;
	spinlock_t multi_lock;	/* outer; see "Locks" above */
	u64 wait_seq;
	struct list_head alls;
	atomic_t last_id;
	u32 id;
};

/**
 * struct ntsync_obj - a semaphore, mutex or event
 * @lock: guards all that changes below; see "Locks" above
 * @rises: how often the object has become signaled for anybody, modulo 2^32;
 *	stored (release) after the state that it tells of, read (acquire)
 *	before it
 * @type: which member of the union holds the state
 * @abandoned: the mutex's owner was declared dead, and nobody has acquired it
 *	since
 * @id: number of the object in its instance; may repeat after 2^32 objects
 * @sem: state of a semaphore
 * @mutex: state of a mutex; under @lock, mutex.owner is 0 exactly while
 *	mutex.count is
 * @event: state of an event
 * @state: the same words, whatever the type
 * @instance: the world that the object belongs to
 * @queue: waits-for-any (struct ntsync_entry) in the order of service, then
 *	the pollers (struct ntsync_pollers) if there ever were any
 * @by_owner: the waits in it ordered by owner, of a mutex only: whoever has
 *	acquired it may have other waits that it satisfies too
 * @watchers: waits-for-all (struct ntsync_wait) that watch this object, in the
 *	order of service; changed with multi_lock held as well.  The object is
 *	unsignaled for each of them
 *
 * A step that makes one object signaled and others unsignaled stores in this
 * order, so that whoever sees its end without a lock sees its beginning.
 *
 * The object's file owns it, and is held by each wait for the object.
 */
struct ntsync_obj {
	spinlock_t lock;	/* inner; see "Locks" above */
	u32 rises;
	u8 type;
	bool abandoned;
	u32 id;
	union {
		struct {
			u32 count;
			u32 max;
		} sem;
		struct {
			u32 owner;
			u32 count;
		} mutex;
		struct {
			u32 signaled;
			u32 manual;
		} event;
		u32 state[2];
	};
	struct ntsync_instance *instance;
	struct list_head queue;
	struct rb_root by_owner;
	struct rb_root watchers;
};

/**
 * struct ntsync_entry - a wait's place in the queue of one object
 * @node: in ntsync_obj.queue, or empty when the entry has been taken off
 * @owner_node: in ntsync_obj.by_owner
 * @wait: whose entry it is, NULL if it is the pollers'
 * @owner: copy of ntsync_wait.owner
 * @index: what ntsync_wait.result becomes if this object ends the wait
 * @prio: copy of ntsync_wait.prio
 *
 * The nodes are guarded by the object's lock; the rest does not change.
 */
struct ntsync_entry {
	struct list_head node;
	struct rb_node owner_node;
	struct ntsync_wait *wait;
	u32 owner;
	u32 index;
	int prio;
};

/**
 * struct ntsync_pollers - those who poll() an object's file
 * @entry: the last one in ntsync_obj.queue, of no wait and no owner: when a
 *	signal gets so far, all waits were served and the object is signaled
 * @queue: where poll(), epoll and io_uring wait for that
 *
 * Made by the first of them, and freed with the object.
 */
struct ntsync_pollers {
	struct ntsync_entry entry;
	wait_queue_head_t queue;
};

/**
 * struct ntsync_wait - a thread that waits
 * @task: the waiter
 * @result: how the wait ends, decided by whoever moves it from NTSYNC_PENDING
 * @done: set (release) by the granter as its last access; read (acquire) by
 *	the waiter
 * @owner_dead: an abandoned mutex was acquired; written before @done
 * @all: a wait-for-all, else a wait-for-any
 * @has_deadline: it ends by itself some day
 * @owner: name under which mutexes are acquired
 * @prio: the lower the more urgent; the same for all ordinary threads
 * @count: objects in @objs, the alert not counted
 * @total: objects in @objs, the alert, which stands last, counted
 * @queued: how many of @entries were put on queues
 * @objs: what is waited for
 * @entries: places in queues: of a wait-for-any one for each of @objs, of a
 *	wait-for-all one for its alert
 * @next_wake: link of struct ntsync_wakes, used by the granter only
 * @watch: of a wait-for-all, in ntsync_obj.watchers of @watched; cleared when
 *	it watches nothing.  Guarded by multi_lock together with @watched's lock
 * @watched: under multi_lock
 * @seq: when the wait-for-all began; under multi_lock
 * @in_instance: in ntsync_instance.alls, of a wait-for-all; under multi_lock
 * @serial: tells the wait from all others that there were
 * @begun: when it queued, in jiffies
 */
struct ntsync_wait {
	struct task_struct *task;
	atomic_t result;
	bool done;
	bool owner_dead;
	bool all;
	bool has_deadline;
	u32 owner;
	int prio;
	u32 count;
	u32 total;
	u32 queued;
	struct ntsync_obj **objs;
	struct ntsync_entry *entries;
	struct ntsync_wait *next_wake;
	struct rb_node watch;
	struct ntsync_obj *watched;
	u64 seq;
	struct list_head in_instance;
	u64 serial;
	unsigned long begun;
};

/**
 * struct ntsync_wakes - whom to wake when the locks are dropped
 * @first: the wait that was granted first, NULL if none was
 * @last: where to link the next one
 * @pollers: to be told that the object is signaled, NULL if there are none
 */
struct ntsync_wakes {
	struct ntsync_wait *first;
	struct ntsync_wait **last;
	struct ntsync_pollers *pollers;
};

/**
 * struct ntsync_set - what one call waits for
 * @objs: the objects, then the alert if there is one
 * @files: what keeps @objs alive: files borrowed or, if @shared, referred to
 * @count: number of objects
 * @total: the same, the alert counted
 * @owner: name under which mutexes are acquired
 * @shared: other threads could close the descriptors meanwhile
 */
struct ntsync_set {
	struct ntsync_obj **objs;
	struct file **files;
	u32 count;
	u32 total;
	u32 owner;
	bool shared;
};

/**
 * struct ntsync_deadline - when a wait gives up
 * @time: absolute time of @clock in the host's terms; %KTIME_MAX means never,
 *	0 means that it has passed
 * @clock: CLOCK_MONOTONIC or CLOCK_REALTIME
 */
struct ntsync_deadline {
	ktime_t time;
	clockid_t clock;
};

static struct kmem_cache *ntsync_obj_cache;

/* Number of the instance that was opened last. */
static atomic_t ntsync_last_instance;

/* Serial number of the wait that queued last on each CPU; see ntsync_init(). */
static DEFINE_PER_CPU(u64, ntsync_last_serial);

#define CREATE_TRACE_POINTS
#include <trace/events/ntsync.h>

/*
 * Trace events of hot paths are called out of line, or what they need would
 * cost registers there while they are off.
 */

static noinline __cold void ntsync_trace_acquire(const struct ntsync_obj *obj,
						 u32 owner)
{
	trace_ntsync_acquire(obj, owner);
}

/* Before the wakes are made; @wakes is NULL if there are none. */
static noinline __cold void ntsync_trace_signal(const struct ntsync_obj *obj,
						enum ntsync_op op, int ret,
						const struct ntsync_wakes *wakes)
{
	const struct ntsync_wait *wait = wakes ? wakes->first : NULL;
	u32 woken = 0;

	for (; wait; wait = wait->next_wake)
		woken++;
	trace_ntsync_signal(obj, op, ret, woken);
}

/* State */

/*
 * A word of an object's state is stored under its lock and loaded with or
 * without.  Whoever sees a store sees what the same step, or an earlier one,
 * stored in other objects; a look is made after the looks before it.
 */
static u32 ntsync_load(const u32 *word)
{
	/* Pairs with the release in ntsync_store(). */
	return smp_load_acquire(word);
}

static void ntsync_store(u32 *word, u32 value)
{
	/* Pairs with the acquire in ntsync_load(). */
	smp_store_release(word, value);
}

/*
 * Is the object signaled for this owner?  Under the lock: yes or no.  Without
 * it "no" is the truth about one instant, for each arm rests on one load (a
 * mutex with a full count is not to be had by anybody), and "yes" is a hint.
 */
static __always_inline bool ntsync_signaled(const struct ntsync_obj *obj, u32 owner)
{
	u32 mutex_owner;

	switch (obj->type) {
	case NTSYNC_MUTEX:
		mutex_owner = ntsync_load(&obj->mutex.owner);
		if (!mutex_owner)
			return true;
		if (mutex_owner != owner)
			return false;
		return ntsync_load(&obj->mutex.count) != U32_MAX;
	case NTSYNC_SEM:
		return ntsync_load(&obj->sem.count);
	default:
		return ntsync_load(&obj->event.signaled);
	}
}

/*
 * Acquire a locked, signaled object.  Returns whether it was an abandoned
 * mutex.
 */
static __always_inline bool ntsync_acquire(struct ntsync_obj *obj, u32 owner)
{
	bool abandoned = false;

	switch (obj->type) {
	case NTSYNC_MUTEX:
		abandoned = obj->abandoned;
		obj->abandoned = false;
		ntsync_store(&obj->mutex.count, obj->mutex.count + 1);
		ntsync_store(&obj->mutex.owner, owner);
		break;
	case NTSYNC_SEM:
		ntsync_store(&obj->sem.count, obj->sem.count - 1);
		break;
	case NTSYNC_EVENT:
		if (!obj->event.manual)
			ntsync_store(&obj->event.signaled, 0);
		break;
	}
	if (trace_ntsync_acquire_enabled())
		ntsync_trace_acquire(obj, owner);
	return abandoned;
}

/* Say that a locked object has become signaled, after its state says so. */
static void ntsync_rise(struct ntsync_obj *obj)
{
	/* Pairs with the acquire in ntsync_look(). */
	smp_store_release(&obj->rises, obj->rises + 1);
}

/* Locks of several objects; for sparse multi_lock stands for them all. */

static void ntsync_lock_nested(struct ntsync_obj *obj)
{
	spin_lock_nest_lock(&obj->lock, &obj->instance->multi_lock);
	__release(&obj->lock);
}

static bool ntsync_trylock(struct ntsync_obj *obj)
{
	return spin_trylock(&obj->lock);
}

static void ntsync_unlock(struct ntsync_obj *obj)
{
	__acquire(&obj->lock);
	spin_unlock(&obj->lock);
}

static void ntsync_unlock_many(struct ntsync_obj **objs, u32 count)
{
	while (count--)
		ntsync_unlock(objs[count]);
}

/* Granting and waking */

/* Decide how a wait ends; false if that has been decided. */
static bool ntsync_claim(struct ntsync_wait *wait, int result)
{
	return atomic_read(&wait->result) == NTSYNC_PENDING &&
	       atomic_cmpxchg(&wait->result, NTSYNC_PENDING,
			      result) == NTSYNC_PENDING;
}

static void ntsync_wakes_init(struct ntsync_wakes *wakes)
{
	wakes->first = NULL;
	wakes->last = &wakes->first;
	wakes->pollers = NULL;
}

static void ntsync_wakes_add(struct ntsync_wakes *wakes,
			     struct ntsync_wait *wait)
{
	wait->next_wake = NULL;
	*wakes->last = wait;
	wakes->last = &wait->next_wake;
}

/* End the first wait of a list.  Its memory is gone once done is set. */
static void ntsync_wake_first(struct ntsync_wakes *wakes)
{
	struct ntsync_wait *wait = wakes->first;
	struct task_struct *task = wait->task;

	wakes->first = wait->next_wake;
	/* A task that ends after this section began stays allocated in it. */
	rcu_read_lock();
	/* Pairs with the acquire in ntsync_sleep(). */
	smp_store_release(&wait->done, true);
	wake_up_process(task);
	rcu_read_unlock();
}

/*
 * Between dropping its locks and waking the most urgent waiters the granter
 * must not be preempted by somebody less urgent than they are.  PREEMPT_RT's
 * spinlocks cannot be dropped with preemption off.
 */
static void ntsync_wakes_begin(const struct ntsync_wakes *wakes)
{
	if (wakes->first && !IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
}

static void ntsync_wake_all(struct ntsync_wakes *wakes)
{
	int urgent = NTSYNC_URGENT_WAKES;

	while (wakes->first && urgent--)
		ntsync_wake_first(wakes);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	while (wakes->first) {
		ntsync_wake_first(wakes);
		cond_resched();
	}
}

static void ntsync_wakes_end(struct ntsync_wakes *wakes)
{
	if (wakes->first)
		ntsync_wake_all(wakes);
	if (unlikely(wakes->pollers))
		wake_up_poll(&wakes->pollers->queue, EPOLLIN | EPOLLRDNORM);
}

/* Queues of waits-for-any, under the object's lock */

static bool ntsync_owner_before(const struct ntsync_entry *a,
				const struct ntsync_entry *b)
{
	if (a->owner != b->owner)
		return a->owner < b->owner;
	return a->prio < b->prio;
}

static void ntsync_insert_by_owner(struct ntsync_obj *obj,
				   struct ntsync_entry *entry)
{
	struct rb_node **link = &obj->by_owner.rb_node, *parent = NULL;
	struct ntsync_entry *other;

	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct ntsync_entry, owner_node);
		link = ntsync_owner_before(entry, other) ? &parent->rb_left
							 : &parent->rb_right;
	}
	rb_link_node(&entry->owner_node, parent, link);
	rb_insert_color(&entry->owner_node, &obj->by_owner);
}

/* The entry of this owner that is to be served first. */
static struct ntsync_entry *ntsync_find_owner(const struct ntsync_obj *obj,
					      u32 owner)
{
	struct rb_node *node = obj->by_owner.rb_node;
	struct ntsync_entry *entry, *found = NULL;

	while (node) {
		entry = rb_entry(node, struct ntsync_entry, owner_node);
		if (entry->owner == owner)
			found = entry;
		node = entry->owner < owner ? node->rb_right : node->rb_left;
	}
	return found;
}

static struct ntsync_pollers *ntsync_find_pollers(const struct ntsync_obj *obj)
{
	struct ntsync_entry *last;

	if (list_empty(&obj->queue))
		return NULL;
	last = list_last_entry(&obj->queue, struct ntsync_entry, node);
	return last->wait ? NULL : container_of(last, struct ntsync_pollers, entry);
}

static void ntsync_enqueue(struct ntsync_obj *obj, struct ntsync_entry *entry)
{
	struct ntsync_pollers *pollers = ntsync_find_pollers(obj);
	struct list_head *before = pollers ? &pollers->entry.node : &obj->queue;
	struct ntsync_entry *other;

	if (entry->prio < MAX_RT_PRIO) {
		list_for_each_entry(other, &obj->queue, node) {
			if (entry->prio < other->prio) {
				before = &other->node;
				break;
			}
		}
	}
	list_add_tail(&entry->node, before);
	if (obj->type == NTSYNC_MUTEX)
		ntsync_insert_by_owner(obj, entry);
}

static void ntsync_dequeue(struct ntsync_obj *obj, struct ntsync_entry *entry)
{
	list_del_init(&entry->node);
	if (obj->type == NTSYNC_MUTEX)
		rb_erase(&entry->owner_node, &obj->by_owner);
}

/* Who is to be served next; of an owned mutex, only its owner can be. */
static struct ntsync_entry *ntsync_next_entry(struct ntsync_obj *obj)
{
	if (obj->type == NTSYNC_MUTEX && obj->mutex.owner)
		return ntsync_find_owner(obj, obj->mutex.owner);
	return list_first_entry_or_null(&obj->queue, struct ntsync_entry, node);
}

/*
 * Offer a locked object to its queue.  Entries of waits that have ended
 * otherwise are taken off, so that they are met only once.
 */
static void ntsync_offer_any(struct ntsync_obj *obj, struct ntsync_wakes *wakes)
{
	struct ntsync_entry *entry;
	struct ntsync_wait *wait;

	while (!list_empty(&obj->queue)) {
		entry = ntsync_next_entry(obj);
		if (!entry || !ntsync_signaled(obj, entry->owner))
			return;
		wait = entry->wait;
		if (!wait) {
			wakes->pollers = ntsync_find_pollers(obj);
			return;
		}
		ntsync_dequeue(obj, entry);
		if (!ntsync_claim(wait, entry->index))
			continue;
		wait->owner_dead = ntsync_acquire(obj, wait->owner);
		ntsync_wakes_add(wakes, wait);
	}
}

/* Watches of waits-for-all, under multi_lock */

static bool ntsync_wait_before(const struct ntsync_wait *a,
			       const struct ntsync_wait *b)
{
	if (a->prio != b->prio)
		return a->prio < b->prio;
	return a->seq < b->seq;
}

/* Where an object stands in a wait; ntsync_wait.count if not among its objects. */
static u32 ntsync_index_of(const struct ntsync_wait *wait,
			   const struct ntsync_obj *obj)
{
	u32 i;

	for (i = 0; i < wait->count; i++)
		if (wait->objs[i] == obj)
			break;
	return i;
}

/* Watch a locked object that is unsignaled for the waiter. */
static void ntsync_watch(struct ntsync_wait *wait, struct ntsync_obj *obj)
{
	struct rb_node **link = &obj->watchers.rb_node, *parent = NULL;
	struct ntsync_wait *other;

	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct ntsync_wait, watch);
		link = ntsync_wait_before(wait, other) ? &parent->rb_left
						       : &parent->rb_right;
	}
	rb_link_node(&wait->watch, parent, link);
	rb_insert_color(&wait->watch, &obj->watchers);
	wait->watched = obj;
}

/* With the watched object locked. */
static void ntsync_unwatch(struct ntsync_wait *wait)
{
	rb_erase(&wait->watch, &wait->watched->watchers);
	RB_CLEAR_NODE(&wait->watch);
}

/*
 * The object that is best watched: of those that are, or look, unsignaled the
 * one that was signaled least often.
 */
static struct ntsync_obj *ntsync_find_unsignaled(const struct ntsync_wait *wait)
{
	struct ntsync_obj *obj, *found = NULL;
	u32 i, rises, least = 0;

	for (i = 0; i < wait->count; i++) {
		obj = wait->objs[i];
		if (ntsync_signaled(obj, wait->owner))
			continue;
		rises = READ_ONCE(obj->rises);
		if (!found || rises < least) {
			found = obj;
			least = rises;
		}
	}
	return found;
}

static bool ntsync_acquire_many(struct ntsync_obj **objs, u32 count, u32 owner)
{
	bool abandoned = false;
	u32 i;

	for (i = 0; i < count; i++)
		abandoned |= ntsync_acquire(objs[i], owner);
	return abandoned;
}

/* With all the objects locked.  Returns whether the wait was granted. */
static bool ntsync_decide(struct ntsync_wait *wait)
{
	struct ntsync_obj *unsignaled = ntsync_find_unsignaled(wait);

	if (unsignaled) {
		ntsync_watch(wait, unsignaled);
		return false;
	}
	if (!ntsync_claim(wait, 0))
		return false;
	wait->owner_dead = ntsync_acquire_many(wait->objs, wait->count,
					       wait->owner);
	return true;
}

/*
 * Find a wait-for-all that watches nothing an object to watch, or grant it if
 * there is none.  @held is the one object that the caller has locked, signaled
 * for the waiter, or NULL.  Returns whether the wait was granted.
 */
static bool ntsync_watch_or_grant(struct ntsync_wait *wait,
				  const struct ntsync_obj *held)
{
	struct ntsync_obj *obj = ntsync_find_unsignaled(wait);
	bool granted;
	u32 i;

	if (obj) {
		bool unsignaled;

		ntsync_lock_nested(obj);
		unsignaled = !ntsync_signaled(obj, wait->owner);
		if (unsignaled)
			ntsync_watch(wait, obj);
		ntsync_unlock(obj);
		if (unsignaled)
			return false;
	}

	for (i = 0; i < wait->count; i++)
		if (wait->objs[i] != held)
			ntsync_lock_nested(wait->objs[i]);
	granted = ntsync_decide(wait);
	for (i = 0; i < wait->count; i++)
		if (wait->objs[i] != held)
			ntsync_unlock(wait->objs[i]);
	return granted;
}

/*
 * Let the watchers of one object watch another one, both locked, if it is
 * unsignaled for them all.
 */
static bool ntsync_move_watchers(struct ntsync_obj *from, struct ntsync_obj *to)
{
	struct rb_node *node;
	struct ntsync_wait *wait;

	for (node = rb_first(&from->watchers); node; node = rb_next(node)) {
		wait = rb_entry(node, struct ntsync_wait, watch);
		if (ntsync_index_of(wait, to) == wait->count ||
		    ntsync_signaled(to, wait->owner))
			break;
		wait->watched = to;
	}
	if (!node) {
		to->watchers = from->watchers;
		from->watchers = RB_ROOT;
		return true;
	}
	while ((node = rb_prev(node)))
		rb_entry(node, struct ntsync_wait, watch)->watched = from;
	return false;
}

/*
 * When waits have the same objects, a signal of one sends all watches to
 * another one.  If nobody watches that yet, their tree goes there as it is.
 */
static bool ntsync_send_watchers(struct ntsync_obj *from)
{
	struct rb_node *first = rb_first(&from->watchers);
	struct ntsync_obj *to;
	bool moved;

	if (!first)
		return true;
	to = ntsync_find_unsignaled(rb_entry(first, struct ntsync_wait, watch));
	if (!to || !RB_EMPTY_ROOT(&to->watchers))
		return false;
	ntsync_lock_nested(to);
	moved = ntsync_move_watchers(from, to);
	ntsync_unlock(to);
	return moved;
}

/*
 * Offer a locked object to its watchers.  Each that it is signaled for leaves:
 * granted, moved to another object, or because its wait has ended otherwise.
 */
static void ntsync_offer_all(struct ntsync_obj *obj, struct ntsync_wakes *wakes)
{
	struct rb_node *node, *next;
	struct ntsync_wait *wait;

	if (ntsync_send_watchers(obj))
		return;
	for (node = rb_first(&obj->watchers); node; node = next) {
		next = rb_next(node);
		wait = rb_entry(node, struct ntsync_wait, watch);
		if (!ntsync_signaled(obj, wait->owner)) {
			if (obj->type == NTSYNC_MUTEX)
				continue;
			return;
		}
		ntsync_unwatch(wait);
		if (atomic_read(&wait->result) != NTSYNC_PENDING)
			continue;
		if (ntsync_watch_or_grant(wait, obj)) {
			list_del(&wait->in_instance);
			ntsync_wakes_add(wakes, wait);
		}
	}
}

/*
 * Steps that may make an object signaled.  An ntsync_step_t does its step to a
 * locked object and stores the previous value, or returns an error and changes
 * nothing.
 */

enum ntsync_offer {
	NTSYNC_NO_OFFER,	/* signaled for nobody new */
	NTSYNC_OFFER,		/* became signaled */
	NTSYNC_OFFER_ONCE,	/* became signaled until it has been offered */
};

typedef int (*ntsync_step_t)(struct ntsync_obj *obj, u32 arg, u32 *prev);

/* What is left to do when a locked object was offered to all, or to nobody. */
static __always_inline void ntsync_end_offer(struct ntsync_obj *obj, int offer,
					     enum ntsync_op op,
					     struct ntsync_wakes *wakes)
{
	if (offer == NTSYNC_OFFER_ONCE) {
		ntsync_store(&obj->event.signaled, 0);
		if (wakes)
			wakes->pollers = NULL;
	}
	if (trace_ntsync_signal_enabled())
		ntsync_trace_signal(obj, op, min(offer, 0), wakes);
}

/*
 * Offer an object that somebody waits for to its queue, drop its lock and wake
 * whom it satisfies.
 */
static noinline void ntsync_satisfy(struct ntsync_obj *obj, int offer,
				    enum ntsync_op op)
	__releases(&obj->lock)
{
	struct ntsync_wakes wakes;

	ntsync_wakes_init(&wakes);
	ntsync_offer_any(obj, &wakes);
	ntsync_end_offer(obj, offer, op, &wakes);
	ntsync_wakes_begin(&wakes);
	spin_unlock(&obj->lock);
	ntsync_wakes_end(&wakes);
}

/* ntsync_signal() of an object that was seen to be watched. */
static noinline int ntsync_signal_watched(struct ntsync_obj *obj,
					  ntsync_step_t step, enum ntsync_op op,
					  u32 arg, u32 *prev)
{
	struct ntsync_instance *instance = obj->instance;
	struct ntsync_wakes wakes;
	int ret;

	ntsync_wakes_init(&wakes);
	spin_lock(&instance->multi_lock);
	ntsync_lock_nested(obj);
	ret = step(obj, arg, prev);
	if (ret > NTSYNC_NO_OFFER) {
		ntsync_offer_all(obj, &wakes);
		ntsync_offer_any(obj, &wakes);
	}
	ntsync_end_offer(obj, ret, op, &wakes);
	ntsync_unlock(obj);
	ntsync_wakes_begin(&wakes);
	spin_unlock(&instance->multi_lock);
	ntsync_wakes_end(&wakes);
	return min(ret, 0);
}

/*
 * Do a step to an object and satisfy whom it can.  Returns 0 or the step's
 * error.
 */
static __always_inline int ntsync_signal(struct ntsync_obj *obj,
					 ntsync_step_t step, enum ntsync_op op,
					 u32 arg, u32 *prev)
{
	int ret;

	spin_lock(&obj->lock);
	if (unlikely(!RB_EMPTY_ROOT(&obj->watchers))) {
		spin_unlock(&obj->lock);
		return ntsync_signal_watched(obj, step, op, arg, prev);
	}
	ret = step(obj, arg, prev);
	if (ret > NTSYNC_NO_OFFER && !list_empty(&obj->queue)) {
		ntsync_satisfy(obj, ret, op);
		return 0;
	}
	ntsync_end_offer(obj, ret, op, NULL);
	spin_unlock(&obj->lock);
	return min(ret, 0);
}

/*
 * Is the word of the caller's memory to which a result will go writable?
 * Writing back what stands there tells, and changes nothing.
 */
static bool ntsync_writable(u32 __user *word)
{
	u32 value;

	if (!user_access_begin(word, sizeof(*word)))
		return false;
	unsafe_get_user(value, word, fault);
	unsafe_put_user(value, word, fault);
	user_access_end();
	return true;

fault:
	user_access_end();
	return false;
}

/*
 * Give the caller two words, or none if one cannot be written: the second one
 * shows that by being written first, the first one as above.
 */
static int ntsync_put_pair(u32 __user *words, u32 first, u32 second)
{
	u32 value;

	if (!user_access_begin(words, 2 * sizeof(*words)))
		return -EFAULT;
	unsafe_get_user(value, &words[0], fault);
	unsafe_put_user(value, &words[0], fault);
	unsafe_put_user(second, &words[1], fault);
	unsafe_put_user(first, &words[0], fault);
	user_access_end();
	return 0;

fault:
	user_access_end();
	return -EFAULT;
}

/* Semaphores */

static int ntsync_sem_release_step(struct ntsync_obj *sem, u32 count, u32 *prev)
{
	*prev = sem->sem.count;
	if (count > sem->sem.max - *prev)
		return -EOVERFLOW;
	if (!count)
		return NTSYNC_NO_OFFER;
	ntsync_store(&sem->sem.count, *prev + count);
	if (*prev)
		return NTSYNC_NO_OFFER;
	ntsync_rise(sem);
	return NTSYNC_OFFER;
}

/**
 * ntsync_sem_release() - %NTSYNC_IOC_SEM_RELEASE: add to a semaphore's count
 * @sem: the object
 * @uarg: how much to add; receives the previous count
 *
 * Serves NtReleaseSemaphore.
 *
 * Context: may sleep.
 * Return: 0; -EFAULT if @uarg cannot be read or written; -EINVAL if the object
 *	is no semaphore; -EOVERFLOW if the count would pass the maximum.
 */
static long ntsync_sem_release(struct ntsync_obj *sem, u32 __user *uarg)
{
	u32 count, prev;
	int ret;

	if (get_user(count, uarg))
		return -EFAULT;
	if (sem->type != NTSYNC_SEM)
		return -EINVAL;
	if (put_user(count, uarg))
		return -EFAULT;

	ret = ntsync_signal(sem, ntsync_sem_release_step, NTSYNC_RELEASE, count,
			    &prev);
	if (ret)
		return ret;
	return put_user(prev, uarg);
}

/**
 * ntsync_sem_read() - %NTSYNC_IOC_SEM_READ: read a semaphore's state
 * @sem: the object
 * @uargs: receives count and maximum
 *
 * Serves NtQuerySemaphore.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the object is no semaphore; -EFAULT if @uargs cannot be
 *	written.
 */
static long ntsync_sem_read(struct ntsync_obj *sem,
			    struct ntsync_sem_args __user *uargs)
{
	u32 count;

	if (sem->type != NTSYNC_SEM)
		return -EINVAL;

	spin_lock(&sem->lock);
	count = sem->sem.count;
	spin_unlock(&sem->lock);
	return ntsync_put_pair(&uargs->count, count, sem->sem.max);
}

/* Mutexes */

static int ntsync_mutex_unlock_step(struct ntsync_obj *mutex, u32 owner,
				    u32 *prev)
{
	*prev = mutex->mutex.count;
	if (mutex->mutex.owner != owner)
		return -EPERM;
	ntsync_store(&mutex->mutex.count, *prev - 1);
	if (*prev == 1)
		ntsync_store(&mutex->mutex.owner, 0);
	else if (*prev != U32_MAX)
		return NTSYNC_NO_OFFER;
	ntsync_rise(mutex);
	return NTSYNC_OFFER;
}

/**
 * ntsync_mutex_unlock() - %NTSYNC_IOC_MUTEX_UNLOCK: undo one acquisition
 * @mutex: the object
 * @uargs: names the owner; its count receives the previous count
 *
 * Serves NtReleaseMutant.
 *
 * Context: may sleep.
 * Return: 0; -EFAULT if @uargs cannot be read or written; -EINVAL if the object
 *	is no mutex or the owner is 0; -EPERM if the mutex has another owner or
 *	none.
 */
static long ntsync_mutex_unlock(struct ntsync_obj *mutex,
				struct ntsync_mutex_args __user *uargs)
{
	struct ntsync_mutex_args args;
	u32 prev;
	int ret;

	if (get_user(args.owner, &uargs->owner) ||
	    get_user(args.count, &uargs->count))
		return -EFAULT;
	if (mutex->type != NTSYNC_MUTEX || !args.owner)
		return -EINVAL;
	if (put_user(args.count, &uargs->count))
		return -EFAULT;

	ret = ntsync_signal(mutex, ntsync_mutex_unlock_step, NTSYNC_UNLOCK,
			    args.owner, &prev);
	if (ret)
		return ret;
	return put_user(prev, &uargs->count);
}

static int ntsync_mutex_kill_step(struct ntsync_obj *mutex, u32 owner,
				  u32 *prev)
{
	if (mutex->mutex.owner != owner)
		return -EPERM;
	mutex->abandoned = true;
	ntsync_store(&mutex->mutex.count, 0);
	ntsync_store(&mutex->mutex.owner, 0);
	ntsync_rise(mutex);
	return NTSYNC_OFFER;
}

/**
 * ntsync_mutex_kill() - %NTSYNC_IOC_MUTEX_KILL: declare a mutex's owner dead
 * @mutex: the object
 * @uarg: names the owner
 *
 * Serves the end of an NT thread, which abandons the mutants that it owns.
 *
 * Context: may sleep.
 * Return: 0; -EFAULT if @uarg cannot be read; -EINVAL if the object is no mutex
 *	or the owner is 0; -EPERM if the mutex has another owner or none.
 */
static long ntsync_mutex_kill(struct ntsync_obj *mutex, u32 __user *uarg)
{
	u32 owner;

	if (get_user(owner, uarg))
		return -EFAULT;
	if (mutex->type != NTSYNC_MUTEX || !owner)
		return -EINVAL;
	return ntsync_signal(mutex, ntsync_mutex_kill_step, NTSYNC_KILL, owner,
			     NULL);
}

/**
 * ntsync_mutex_read() - %NTSYNC_IOC_MUTEX_READ: read a mutex's state
 * @mutex: the object
 * @uargs: receives owner and count, 0 and 0 of a mutex without owner
 *
 * Serves NtQueryMutant.
 *
 * Context: may sleep.
 * Return: 0; -EOWNERDEAD, with @uargs filled in, if the mutex is abandoned;
 *	-EINVAL if the object is no mutex; -EFAULT if @uargs cannot be written.
 */
static long ntsync_mutex_read(struct ntsync_obj *mutex,
			      struct ntsync_mutex_args __user *uargs)
{
	u32 owner, count;
	bool abandoned;

	if (mutex->type != NTSYNC_MUTEX)
		return -EINVAL;

	spin_lock(&mutex->lock);
	owner = mutex->mutex.owner;
	count = mutex->mutex.count;
	abandoned = mutex->abandoned;
	spin_unlock(&mutex->lock);
	if (ntsync_put_pair(&uargs->owner, owner, count))
		return -EFAULT;
	return abandoned ? -EOWNERDEAD : 0;
}

/* Events */

static int ntsync_event_set_step(struct ntsync_obj *event, u32 unused,
				 u32 *prev)
{
	*prev = event->event.signaled;
	if (*prev)
		return NTSYNC_NO_OFFER;
	ntsync_store(&event->event.signaled, 1);
	ntsync_rise(event);
	return NTSYNC_OFFER;
}

static int ntsync_event_pulse_step(struct ntsync_obj *event, u32 unused,
				   u32 *prev)
{
	ntsync_event_set_step(event, unused, prev);
	return NTSYNC_OFFER_ONCE;
}

/**
 * ntsync_event_signal() - %NTSYNC_IOC_EVENT_SET and %NTSYNC_IOC_EVENT_PULSE
 * @event: the object
 * @step: which of them
 * @op: the same, for those who trace
 * @uarg: receives 1 if the event was set before, else 0
 *
 * Serves NtSetEvent and NtPulseEvent.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the object is no event; -EFAULT if @uarg cannot be
 *	written.
 */
static __always_inline long ntsync_event_signal(struct ntsync_obj *event,
						ntsync_step_t step,
						enum ntsync_op op,
						u32 __user *uarg)
{
	u32 prev;

	if (event->type != NTSYNC_EVENT)
		return -EINVAL;
	if (!ntsync_writable(uarg))
		return -EFAULT;

	ntsync_signal(event, step, op, 0, &prev);
	return put_user(prev, uarg);
}

/**
 * ntsync_event_reset() - %NTSYNC_IOC_EVENT_RESET: reset an event
 * @event: the object
 * @uarg: receives 1 if the event was set before, else 0
 *
 * Serves NtResetEvent and NtClearEvent.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the object is no event; -EFAULT if @uarg cannot be
 *	written.
 */
static long ntsync_event_reset(struct ntsync_obj *event, u32 __user *uarg)
{
	u32 prev;

	if (event->type != NTSYNC_EVENT)
		return -EINVAL;
	if (!ntsync_writable(uarg))
		return -EFAULT;

	spin_lock(&event->lock);
	prev = event->event.signaled;
	ntsync_store(&event->event.signaled, 0);
	spin_unlock(&event->lock);
	return put_user(prev, uarg);
}

/**
 * ntsync_event_read() - %NTSYNC_IOC_EVENT_READ: read an event's state
 * @event: the object
 * @uargs: receives kind and state, each 0 or 1
 *
 * Serves NtQueryEvent.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the object is no event; -EFAULT if @uargs cannot be
 *	written.
 */
static long ntsync_event_read(struct ntsync_obj *event,
			      struct ntsync_event_args __user *uargs)
{
	u32 signaled;

	if (event->type != NTSYNC_EVENT)
		return -EINVAL;

	spin_lock(&event->lock);
	signaled = event->event.signaled;
	spin_unlock(&event->lock);
	return ntsync_put_pair(&uargs->manual, event->event.manual, signaled);
}

/* Deadlines */

/* A time of the caller's monotonic clock as the host's clock shows it. */
static ktime_t ntsync_monotonic_to_host(ktime_t time)
{
#ifdef CONFIG_TIME_NS
	const struct time_namespace *ns = current->nsproxy->time_ns;
	ktime_t offset = timespec64_to_ktime(ns->offsets.monotonic);
	ktime_t host;

	if (offset >= time)
		return 0;
	if (check_sub_overflow(time, offset, &host))
		return KTIME_MAX;
	return host;
#else
	return time;
#endif
}

static __always_inline struct ntsync_deadline
ntsync_get_deadline(const struct ntsync_wait_args *args)
{
	struct ntsync_deadline deadline = {
		.time = KTIME_MAX,
		.clock = CLOCK_MONOTONIC,
	};

	if (args->flags & NTSYNC_WAIT_REALTIME)
		deadline.clock = CLOCK_REALTIME;
	if (args->timeout >= KTIME_MAX)
		return deadline;
	deadline.time = args->timeout;
	if (deadline.clock == CLOCK_MONOTONIC)
		deadline.time = ntsync_monotonic_to_host(deadline.time);
	return deadline;
}

static bool ntsync_has_passed(struct ntsync_deadline deadline)
{
	ktime_t now;

	if (deadline.time == KTIME_MAX)
		return false;
	if (!deadline.time)
		return true;
	now = deadline.clock == CLOCK_REALTIME ? ktime_get_real()
						: ktime_get();
	return now >= deadline.time;
}

/* Waits that block */

/*
 * Queue on one object, or take it if it is signaled.  Returns whether the wait
 * may go on to queue on the next one.
 */
static bool ntsync_queue_entry(struct ntsync_wait *wait, u32 index)
{
	struct ntsync_obj *obj = wait->objs[index];
	struct ntsync_entry *entry = &wait->entries[wait->queued];
	bool queued = false;

	entry->wait = wait;
	entry->owner = wait->owner;
	entry->index = index;
	entry->prio = wait->prio;

	spin_lock(&obj->lock);
	if (!ntsync_signaled(obj, wait->owner)) {
		ntsync_enqueue(obj, entry);
		trace_ntsync_queue(obj, wait, index);
		wait->queued++;
		queued = true;
	} else if (ntsync_claim(wait, index)) {
		wait->owner_dead = ntsync_acquire(obj, wait->owner);
		wait->done = true;
	}
	spin_unlock(&obj->lock);
	return queued;
}

static void ntsync_queue_all(struct ntsync_wait *wait,
			     struct ntsync_instance *instance)
{
	spin_lock(&instance->multi_lock);
	wait->seq = instance->wait_seq++;
	wait->done = ntsync_watch_or_grant(wait, NULL);
	if (!wait->done) {
		list_add_tail(&wait->in_instance, &instance->alls);
		if (trace_ntsync_queue_enabled())
			trace_ntsync_queue(wait->watched, wait,
					   ntsync_index_of(wait, wait->watched));
	}
	spin_unlock(&instance->multi_lock);
}

static void ntsync_queue(struct ntsync_wait *wait,
			 struct ntsync_instance *instance)
{
	u32 i = 0;

	if (wait->all) {
		ntsync_queue_all(wait, instance);
		i = wait->count;
	}
	for (; i < wait->total; i++)
		if (atomic_read(&wait->result) != NTSYNC_PENDING ||
		    !ntsync_queue_entry(wait, i))
			break;
}

/*
 * Leave all queues.  A granter unlinks what it grants before it sets done; only
 * that may be passed over without a lock.
 */
static void ntsync_unqueue(struct ntsync_wait *wait,
			   struct ntsync_instance *instance)
{
	u32 result = atomic_read(&wait->result);
	u32 i;

	for (i = 0; i < wait->queued; i++) {
		struct ntsync_entry *entry = &wait->entries[i];
		struct ntsync_obj *obj = wait->objs[entry->index];

		if (entry->index == result)
			continue;
		spin_lock(&obj->lock);
		if (!list_empty(&entry->node))
			ntsync_dequeue(obj, entry);
		spin_unlock(&obj->lock);
	}

	if (!wait->all || !result)
		return;
	spin_lock(&instance->multi_lock);
	list_del(&wait->in_instance);
	if (!RB_EMPTY_NODE(&wait->watch)) {
		ntsync_lock_nested(wait->watched);
		ntsync_unwatch(wait);
		ntsync_unlock(wait->watched);
	}
	spin_unlock(&instance->multi_lock);
}

/*
 * Sleep until the wait is done.  Returns 0, -ETIMEDOUT or -ERESTARTSYS; after
 * an error the wait may have been granted all the same.
 */
static int ntsync_sleep(struct ntsync_wait *wait,
			struct ntsync_deadline deadline)
{
	ktime_t time = deadline.time;
	ktime_t *expires = time == KTIME_MAX ? NULL : &time;
	int ret = 0;

	for (;;) {
		/* Pairs with the barrier in wake_up_process(). */
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		/* Pairs with the release in ntsync_wake_first(). */
		if (smp_load_acquire(&wait->done))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (!schedule_hrtimeout_range_clock(expires, 0,
						    HRTIMER_MODE_ABS,
						    deadline.clock)) {
			ret = -ETIMEDOUT;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* Wait the moment until a granter who has claimed the wait is done with it. */
static void ntsync_sleep_until_done(struct ntsync_wait *wait)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		/* Pairs with the release in ntsync_wake_first(). */
		if (smp_load_acquire(&wait->done))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Everything but what is written first when a wait-for-all queues. */
static void ntsync_wait_init(struct ntsync_wait *wait,
			     const struct ntsync_set *set, bool all,
			     struct ntsync_entry *entries,
			     struct ntsync_deadline deadline)
{
	wait->task = current;
	atomic_set(&wait->result, NTSYNC_PENDING);
	wait->done = false;
	wait->owner_dead = false;
	wait->all = all;
	wait->has_deadline = deadline.time != KTIME_MAX;
	wait->owner = set->owner;
	wait->prio = min(READ_ONCE(current->normal_prio), MAX_RT_PRIO);
	wait->count = set->count;
	wait->total = set->total;
	wait->queued = 0;
	wait->objs = set->objs;
	wait->entries = entries;
	RB_CLEAR_NODE(&wait->watch);
	wait->serial = this_cpu_add_return(ntsync_last_serial, nr_cpu_ids);
	wait->begun = jiffies;
}

/*
 * Queue, sleep, and leave the queues.  @entries is room for one entry an
 * object, of a wait-for-all for one for its alert.
 */
static int ntsync_block(struct ntsync_instance *instance,
			const struct ntsync_set *set, bool all,
			struct ntsync_entry *entries,
			struct ntsync_deadline deadline, u32 *index)
{
	struct ntsync_wait wait __uninitialized;
	int ret;

	ntsync_wait_init(&wait, set, all, entries, deadline);
	ntsync_queue(&wait, instance);

	ret = ntsync_sleep(&wait, deadline);
	if (ret && !ntsync_claim(&wait, NTSYNC_CANCELED)) {
		ntsync_sleep_until_done(&wait);
		ret = 0;
	}

	ntsync_unqueue(&wait, instance);
	if (ret)
		return ret;
	*index = atomic_read(&wait.result);
	return wait.owner_dead ? -EOWNERDEAD : 0;
}

/* Apart from the calls that need not block, which so have a small frame. */
static noinline int ntsync_block_one(struct ntsync_instance *instance,
				     struct ntsync_obj *obj, bool all,
				     u32 owner, struct ntsync_deadline deadline)
{
	struct ntsync_entry entry;
	const struct ntsync_set set = {
		.objs = &obj,
		.count = 1,
		.total = 1,
		.owner = owner,
	};
	u32 index;

	return ntsync_block(instance, &set, all, &entry, deadline, &index);
}

static noinline int ntsync_block_many(struct ntsync_instance *instance,
				      const struct ntsync_set *set, bool all,
				      struct ntsync_deadline deadline,
				      u32 *index)
{
	struct ntsync_entry small[NTSYNC_SMALL_WAIT] __uninitialized;
	struct ntsync_entry *entries = small;
	u32 count = all ? set->total - set->count : set->total;
	int ret;

	if (count > ARRAY_SIZE(small)) {
		entries = kmalloc_array(count, sizeof(*entries),
					GFP_KERNEL_ACCOUNT);
		if (!entries)
			return -ENOMEM;
	}
	ret = ntsync_block(instance, set, all, entries, deadline, index);
	if (entries != small)
		kfree(entries);
	return ret;
}

/* Waits that are decided at once */

/*
 * Look at an object without its lock.  Whether it is signaled for @owner; the
 * rises read before the state are added to @rises if it is not.
 */
static __always_inline bool ntsync_look(const struct ntsync_obj *obj, u32 owner,
					u32 *rises)
{
	/* Pairs with the release in ntsync_rise(). */
	u32 before = smp_load_acquire(&obj->rises);

	if (ntsync_signaled(obj, owner))
		return true;
	*rises += before;
	return false;
}

/*
 * Modulo 2^32: an equal sum means that nothing has risen, or 2^32 times since
 * the look, which takes minutes at the least.
 */
static u32 ntsync_sum_rises(struct ntsync_obj *const *objs, u32 count)
{
	u32 i, sum = 0;

	for (i = 0; i < count; i++)
		sum += READ_ONCE(objs[i]->rises);
	return sum;
}

/*
 * Take objs[i], which looked signaled, if those before it, which looked
 * unsignaled at @rises, have stayed so.  Returns 0, -EOWNERDEAD, -EAGAIN if it
 * is unsignaled, its rises added to @rises, or -EBUSY if the order is in doubt.
 */
static __always_inline int ntsync_take(struct ntsync_obj *const *objs, u32 i,
				       u32 owner, u32 *rises)
{
	struct ntsync_obj *obj = objs[i];
	int ret;

	spin_lock(&obj->lock);
	if (!ntsync_signaled(obj, owner)) {
		*rises += obj->rises;
		ret = -EAGAIN;
	} else if (ntsync_sum_rises(objs, i) != *rises) {
		ret = -EBUSY;
	} else {
		ret = ntsync_acquire(obj, owner) ? -EOWNERDEAD : 0;
	}
	spin_unlock(&obj->lock);
	return ret;
}

/*
 * Take the first object that is signaled.  Returns 0 or -EOWNERDEAD with
 * @index, -EAGAIN if none was signaled at @rises, -EBUSY if that is in doubt.
 */
static __always_inline int ntsync_take_any(struct ntsync_obj *const *objs,
					   u32 count, u32 owner, u32 *rises,
					   u32 *index)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		if (!ntsync_look(objs[i], owner, rises))
			continue;
		ret = ntsync_take(objs, i, owner, rises);
		if (ret == -EAGAIN)
			continue;
		*index = i;
		return ret;
	}
	return -EAGAIN;
}

static bool ntsync_all_signaled(struct ntsync_obj *const *objs, u32 count,
				u32 owner)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!ntsync_signaled(objs[i], owner))
			return false;
	return true;
}

/* With all the objects locked.  Returns 0, -EOWNERDEAD or -EBUSY. */
static int ntsync_take_locked(const struct ntsync_set *set)
{
	if (!ntsync_all_signaled(set->objs, set->count, set->owner))
		return -EBUSY;
	return ntsync_acquire_many(set->objs, set->count, set->owner) ?
	       -EOWNERDEAD : 0;
}

/* Lock the objects unless somebody holds one.  Returns how many are locked. */
static u32 ntsync_trylock_many(struct ntsync_obj **objs, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!ntsync_trylock(objs[i]))
			break;
	return i;
}

/*
 * Take all objects, which looked signaled.  Returns 0, -EOWNERDEAD, or -EBUSY
 * if one of them is not.
 */
static int ntsync_take_all(struct ntsync_instance *instance,
			   const struct ntsync_set *set)
{
	struct ntsync_obj **objs = set->objs;
	u32 i, locked, count = set->count;
	int ret;

	if (count <= NTSYNC_SMALL_WAIT) {
		locked = ntsync_trylock_many(objs, count);
		ret = locked == count ? ntsync_take_locked(set) : -EAGAIN;
		ntsync_unlock_many(objs, locked);
		if (ret != -EAGAIN)
			return ret;
	}

	spin_lock(&instance->multi_lock);
	for (i = 0; i < count; i++)
		ntsync_lock_nested(objs[i]);
	ret = ntsync_take_locked(set);
	ntsync_unlock_many(objs, count);
	spin_unlock(&instance->multi_lock);
	return ret;
}

/*
 * Give the answer that needs no queue.  @witness receives the objects, up to
 * two, that the wait cannot be satisfied without: one of its objects that was
 * unsignaled, and the alert.  Returns as ntsync_take_any().
 */
static int ntsync_take_all_or_alert(struct ntsync_instance *instance,
				    const struct ntsync_set *set,
				    struct ntsync_obj **witness, u32 *rises,
				    u32 *index)
{
	struct ntsync_obj *const *objs = set->objs;
	u32 i, count = set->count, owner = set->owner;

	for (i = 0; i < count; i++)
		if (!ntsync_look(objs[i], owner, rises))
			break;
	if (i == count) {
		*index = 0;
		return ntsync_take_all(instance, set);
	}

	witness[0] = objs[i];
	if (set->total == count)
		return -EAGAIN;
	witness[1] = objs[count];
	if (!ntsync_look(witness[1], owner, rises))
		return -EAGAIN;
	*index = count;
	return ntsync_take(witness, 1, owner, rises);
}

/*
 * Did the deadline pass while the objects, which looked unsignaled at @rises,
 * have stayed so?
 */
static bool ntsync_missed(struct ntsync_obj *const *objs, u32 count, u32 rises)
{
	/* The clock was read before the rises are read again. */
	smp_rmb();
	return ntsync_sum_rises(objs, count) == rises;
}

/* Does objs[i] stand before i too?  @seen is a set of what does. */
static __always_inline bool ntsync_repeats(struct ntsync_obj *const *objs,
					   u32 i, unsigned long *seen)
{
	u32 bit = objs[i]->id % NTSYNC_REPEAT_BITS;
	u32 j;

	if (!__test_and_set_bit(bit, seen))
		return false;
	for (j = 0; j < i; j++)
		if (objs[j] == objs[i])
			return true;
	return false;
}

/* With all the objects locked.  Returns 0, -EOWNERDEAD or -ETIMEDOUT. */
static int ntsync_take_now(const struct ntsync_set *set, bool all, u32 *index)
{
	u32 i = 0;
	int ret;

	if (all) {
		*index = 0;
		ret = ntsync_take_locked(set);
		if (ret != -EBUSY)
			return ret;
		i = set->count;
	}
	for (; i < set->total; i++) {
		if (ntsync_signaled(set->objs[i], set->owner)) {
			*index = i;
			return ntsync_acquire(set->objs[i], set->owner) ?
			       -EOWNERDEAD : 0;
		}
	}
	return -ETIMEDOUT;
}

/*
 * Look once, at one instant: for a poll that signals kept from being decided
 * without locks.  It must not queue, or a pulse would be granted to it.
 */
static noinline int ntsync_poll_locked(struct ntsync_instance *instance,
				       const struct ntsync_set *set, bool all,
				       u32 *index)
{
	DECLARE_BITMAP(locked, NTSYNC_MAX_WAIT_COUNT + 1) = {};
	DECLARE_BITMAP(seen, NTSYNC_REPEAT_BITS) = {};
	int ret;
	u32 i;

	spin_lock(&instance->multi_lock);
	for (i = 0; i < set->total; i++) {
		if (ntsync_repeats(set->objs, i, seen))
			continue;
		ntsync_lock_nested(set->objs[i]);
		__set_bit(i, locked);
	}
	ret = ntsync_take_now(set, all, index);
	for_each_set_bit(i, locked, set->total)
		ntsync_unlock(set->objs[i]);
	spin_unlock(&instance->multi_lock);
	return ret;
}

/* Wait for one object; for any or for all is the same until it blocks. */
static __always_inline int
ntsync_wait_one(struct ntsync_instance *instance, struct ntsync_obj *obj,
		bool all, const struct ntsync_wait_args *args)
{
	struct ntsync_deadline deadline;
	u32 rises = 0, index;
	int ret;

	/* See ntsync_wait_many(). */
	smp_mb();
	ret = ntsync_take_any(&obj, 1, args->owner, &rises, &index);
	if (ret != -EAGAIN)
		return ret;
	deadline = ntsync_get_deadline(args);
	if (!ntsync_has_passed(deadline))
		return ntsync_block_one(instance, obj, all, args->owner,
					deadline);
	if (ntsync_missed(&obj, 1, rises))
		return -ETIMEDOUT;
	rises = 0;
	ret = ntsync_take(&obj, 0, args->owner, &rises);
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

static __always_inline int
ntsync_wait_many(struct ntsync_instance *instance, const struct ntsync_set *set,
		 bool all, const struct ntsync_wait_args *args, u32 *index)
{
	struct ntsync_obj *witness[2], **looked = set->objs;
	u32 rises = 0, count = set->total;
	struct ntsync_deadline deadline;
	int ret;

	/*
	 * What this thread stored in an earlier call is seen by all before the
	 * looks: of two threads that each signal one object and then poll the
	 * other's, one finds it signaled.  Pairs with itself there.
	 */
	smp_mb();
	if (all) {
		looked = witness;
		count = 1 + set->total - set->count;
		ret = ntsync_take_all_or_alert(instance, set, witness, &rises,
					       index);
	} else {
		ret = ntsync_take_any(set->objs, set->total, set->owner, &rises,
				      index);
	}
	if (ret != -EAGAIN && ret != -EBUSY)
		return ret;

	deadline = ntsync_get_deadline(args);
	if (!ntsync_has_passed(deadline))
		return ntsync_block_many(instance, set, all, deadline, index);
	if (ret == -EAGAIN && ntsync_missed(looked, count, rises))
		return -ETIMEDOUT;
	return ntsync_poll_locked(instance, set, all, index);
}

/* What a call waits for */

static const struct file_operations ntsync_obj_fops;

/* Could another thread close the caller's descriptors? */
static bool ntsync_fds_shared(void)
{
	/* Pairs with whoever was the last other user and has gone, as in fdget(). */
	return atomic_read_acquire(&current->files->count) != 1;
}

static __always_inline struct file __rcu **ntsync_fd_slot(struct fdtable *fdt,
							  u32 fd)
{
	if (fd >= fdt->max_fds)
		return NULL;
	return &fdt->fd[array_index_nospec(fd, fdt->max_fds)];
}

/* The file of a descriptor that nobody can close, so not to be put. */
static __always_inline struct file *ntsync_borrow_file(u32 fd)
{
	struct fdtable *fdt = rcu_dereference_raw(current->files->fdt);
	struct file __rcu **slot = ntsync_fd_slot(fdt, fd);

	return slot ? rcu_dereference_raw(*slot) : NULL;
}

/*
 * fget() without its calls: they cost more than all else that a wait does with
 * an object.  Memory of files is used again at once, so that a file is only
 * known to be the descriptor's if it still is after it was referred to, in a
 * table that is still the process's.
 */
static __always_inline struct file *ntsync_fget(u32 fd)
{
	struct files_struct *files = current->files;
	struct file __rcu **slot;
	struct fdtable *fdt;
	struct file *file;
	bool stale;

	rcu_read_lock_sched();
	fdt = rcu_dereference_raw(files->fdt);
	slot = ntsync_fd_slot(fdt, fd);
	file = slot ? rcu_dereference_raw(*slot) : NULL;
	if (unlikely(!file || !ntsync_ref_file(file))) {
		rcu_read_unlock_sched();
		return fget(fd);
	}
	/* Reference first: the barrier in ntsync_ref_file() sees to it. */
	stale = rcu_access_pointer(*slot) != file ||
		rcu_access_pointer(files->fdt) != fdt;
	rcu_read_unlock_sched();
	if (unlikely(stale)) {
		fput(file);
		return fget(fd);
	}
	return file;
}

static __always_inline struct file *ntsync_get_file(u32 fd, bool shared)
{
	return shared ? ntsync_fget(fd) : ntsync_borrow_file(fd);
}

static void ntsync_put_file(struct file *file, bool shared)
{
	if (shared && file)
		fput(file);
}

/* The object behind a file if it belongs to the instance, else NULL. */
static struct ntsync_obj *ntsync_get_obj(const struct file *file,
					 const struct ntsync_instance *instance)
{
	struct ntsync_obj *obj;

	if (!file || file->f_op != &ntsync_obj_fops)
		return NULL;
	obj = file->private_data;
	return obj->instance == instance ? obj : NULL;
}

static bool ntsync_any_repeats(struct ntsync_obj *const *objs, u32 count)
{
	DECLARE_BITMAP(seen, NTSYNC_REPEAT_BITS) = {};
	u32 i;

	for (i = 0; i < count; i++)
		if (ntsync_repeats(objs, i, seen))
			return true;
	return false;
}

static void ntsync_put_files(const struct ntsync_set *set, u32 count)
{
	u32 i;

	if (!set->shared)
		return;
	for (i = 0; i < count; i++)
		fput(set->files[i]);
}

/* Look up the objects of a set by their descriptors. */
static int ntsync_get_files(struct ntsync_set *set,
			    const struct ntsync_instance *instance,
			    const u32 *fds, bool all)
{
	struct ntsync_obj **objs = set->objs, *obj;
	u32 i, total = set->total;
	struct file *file;

	for (i = 0; i < total; i++) {
		file = ntsync_get_file(fds[i], set->shared);
		obj = ntsync_get_obj(file, instance);
		if (!obj) {
			ntsync_put_file(file, set->shared);
			ntsync_put_files(set, i);
			return -EINVAL;
		}
		set->files[i] = file;
		objs[i] = obj;
	}
	if (all && ntsync_any_repeats(objs, total)) {
		ntsync_put_files(set, total);
		return -EINVAL;
	}
	return 0;
}

/*
 * Read the argument of a wait, and see whether its index can be written.
 * Returns 0 or -EFAULT.
 */
static int ntsync_get_wait_args(struct ntsync_wait_args *args, bool *writable,
				struct ntsync_wait_args __user *uargs)
{
	*writable = false;
	if (!user_access_begin(uargs, sizeof(*uargs)))
		return -EFAULT;
	unsafe_get_user(args->timeout, &uargs->timeout, unreadable);
	unsafe_get_user(args->objs, &uargs->objs, unreadable);
	unsafe_get_user(args->count, &uargs->count, unreadable);
	unsafe_get_user(args->index, &uargs->index, unreadable);
	unsafe_get_user(args->flags, &uargs->flags, unreadable);
	unsafe_get_user(args->owner, &uargs->owner, unreadable);
	unsafe_get_user(args->alert, &uargs->alert, unreadable);
	unsafe_get_user(args->pad, &uargs->pad, unreadable);
	unsafe_put_user(args->index, &uargs->index, unwritable);
	*writable = true;
unwritable:
	user_access_end();
	return 0;

unreadable:
	user_access_end();
	return -EFAULT;
}

/* Read an array of descriptors.  Returns 0 or -EFAULT. */
static int ntsync_get_fds(u32 *fds, const u32 __user *ufds, u32 count)
{
	u32 i;

	if (!user_read_access_begin(ufds, count * sizeof(*ufds)))
		return -EFAULT;
	for (i = 0; i < count; i++)
		unsafe_get_user(fds[i], &ufds[i], fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline bool ntsync_waits_are_traced(void)
{
	return trace_ntsync_wait_begin_enabled() ||
	       trace_ntsync_wait_end_enabled();
}

static noinline __cold int
ntsync_trace_wait_one(struct ntsync_instance *instance, struct ntsync_obj *obj,
		      bool all, const struct ntsync_wait_args *args)
{
	u64 begun = ktime_get_ns();
	int ret;

	trace_ntsync_wait_begin(instance, args, all);
	ret = ntsync_wait_one(instance, obj, all, args);
	trace_ntsync_wait_end(instance, args, all, ret, 0, &obj,
			      ktime_get_ns() - begun);
	return ret;
}

static noinline __cold int
ntsync_trace_wait_many(struct ntsync_instance *instance,
		       const struct ntsync_set *set, bool all,
		       const struct ntsync_wait_args *args, u32 *index)
{
	u64 begun = ktime_get_ns();
	int ret;

	trace_ntsync_wait_begin(instance, args, all);
	ret = ntsync_wait_many(instance, set, all, args, index);
	trace_ntsync_wait_end(instance, args, all, ret, *index, set->objs,
			      ktime_get_ns() - begun);
	return ret;
}

/* A wait for one object without alert, nine of ten: no array, no allocation. */
static int ntsync_call_one(struct ntsync_instance *instance, bool all,
			   const struct ntsync_wait_args *args, bool writable)
{
	const u32 __user *ufds = u64_to_user_ptr(args->objs);
	bool shared = ntsync_fds_shared();
	struct ntsync_obj *obj;
	struct file *file;
	int ret;
	u32 fd;

	if (get_user(fd, ufds))
		return -EFAULT;
	file = ntsync_get_file(fd, shared);
	obj = ntsync_get_obj(file, instance);
	if (!obj)
		ret = -EINVAL;
	else if (!writable)
		ret = -EFAULT;
	else if (ntsync_waits_are_traced())
		ret = ntsync_trace_wait_one(instance, obj, all, args);
	else
		ret = ntsync_wait_one(instance, obj, all, args);
	ntsync_put_file(file, shared);
	return ret;
}

static __always_inline int
ntsync_call_set(struct ntsync_instance *instance, struct ntsync_set *set,
		const u32 *fds, bool all, const struct ntsync_wait_args *args,
		bool writable, u32 *index)
{
	int ret;

	ret = ntsync_get_files(set, instance, fds, all);
	if (ret)
		return ret;
	if (!writable)
		ret = -EFAULT;
	else if (ntsync_waits_are_traced())
		ret = ntsync_trace_wait_many(instance, set, all, args, index);
	else
		ret = ntsync_wait_many(instance, set, all, args, index);
	ntsync_put_files(set, set->total);
	return ret;
}

static noinline int ntsync_call_many(struct ntsync_instance *instance, bool all,
				     const struct ntsync_wait_args *args,
				     bool writable, u32 *index)
{
	const u32 __user *ufds = u64_to_user_ptr(args->objs);
	u32 fds[NTSYNC_MAX_WAIT_COUNT + 1] __uninitialized;
	struct ntsync_obj *objs[NTSYNC_SMALL_WAIT] __uninitialized;
	struct file *files[NTSYNC_SMALL_WAIT] __uninitialized;
	struct ntsync_set set = {
		.objs = objs,
		.files = files,
		.count = args->count,
		.total = args->count + !!args->alert,
		.owner = args->owner,
		.shared = ntsync_fds_shared(),
	};
	void *room;
	int ret;

	if (args->count && ntsync_get_fds(fds, ufds, args->count))
		return -EFAULT;
	fds[args->count] = args->alert;

	if (set.total <= NTSYNC_SMALL_WAIT)
		return ntsync_call_set(instance, &set, fds, all, args, writable,
				       index);

	room = kmalloc_array(set.total, sizeof(*files) + sizeof(*objs),
			     GFP_KERNEL_ACCOUNT);
	if (!room)
		return -ENOMEM;
	set.objs = room;
	set.files = room + set.total * sizeof(*objs);
	ret = ntsync_call_set(instance, &set, fds, all, args, writable, index);
	kfree(room);
	return ret;
}

/**
 * ntsync_wait() - %NTSYNC_IOC_WAIT_ANY and %NTSYNC_IOC_WAIT_ALL
 * @instance: the caller's instance
 * @uargs: what to wait for and until when, in nanoseconds; receives the index
 * @all: wait for all objects at one instant, else for the first that is
 *	signaled
 *
 * Serves NtWaitForSingleObject and NtWaitForMultipleObjects, NtDelayExecution
 * with no object, and by the alert NtAlertThread and user APCs.
 *
 * Context: may sleep.
 * Return: 0, or -EOWNERDEAD if an abandoned mutex was among what was acquired;
 *	-EFAULT if memory cannot be read or written; -EINVAL for a malformed
 *	argument or a descriptor that is no object of this instance, or, in a
 *	wait for all, repeats; -ENOMEM; -ETIMEDOUT if the time has passed;
 *	-ERESTARTSYS if a signal came.  Nothing was acquired then.
 */
static long ntsync_wait(struct ntsync_instance *instance,
			struct ntsync_wait_args __user *uargs, bool all)
{
	struct ntsync_wait_args args __uninitialized;
	u32 index = 0;
	bool writable;
	int ret;

	if (ntsync_get_wait_args(&args, &writable, uargs))
		return -EFAULT;
	if (args.pad || args.flags & ~NTSYNC_WAIT_REALTIME || !args.owner ||
	    args.count > NTSYNC_MAX_WAIT_COUNT)
		return -EINVAL;

	if (args.count == 1 && !args.alert)
		ret = ntsync_call_one(instance, all, &args, writable);
	else
		ret = ntsync_call_many(instance, all, &args, writable, &index);
	if ((!ret || ret == -EOWNERDEAD) && put_user(index, &uargs->index))
		return -EFAULT;
	return ret;
}

/* Polling a descriptor */

/* The pollers of an object, made if there are none.  NULL without memory. */
static struct ntsync_pollers *ntsync_get_pollers(struct ntsync_obj *obj)
{
	struct ntsync_pollers *pollers, *new;

	spin_lock(&obj->lock);
	pollers = ntsync_find_pollers(obj);
	spin_unlock(&obj->lock);
	if (pollers)
		return pollers;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->entry.prio = INT_MAX;
	init_waitqueue_head(&new->queue);
	spin_lock(&obj->lock);
	pollers = ntsync_find_pollers(obj);
	if (!pollers) {
		list_add_tail(&new->entry.node, &obj->queue);
		swap(pollers, new);
	}
	spin_unlock(&obj->lock);
	kfree(new);
	return pollers;
}

/**
 * ntsync_obj_poll() - poll(), epoll and the like of an object
 * @file: the object's
 * @table: where to wait, if it waits
 *
 * Has no NT call: it lets a program wait for objects beside sockets and timers.
 *
 * Context: may sleep.
 * Return: %EPOLLIN and %EPOLLRDNORM while the object is signaled, of a mutex
 *	while it is unowned; %EPOLLERR without memory.
 */
static __poll_t ntsync_obj_poll(struct file *file, poll_table *table)
{
	struct ntsync_obj *obj = file->private_data;
	struct ntsync_pollers *pollers;
	bool signaled;

	pollers = ntsync_get_pollers(obj);
	if (!pollers)
		return EPOLLERR;
	poll_wait(file, &pollers->queue, table);
	/* Locked: a signal after this has seen the poller in the queue. */
	spin_lock(&obj->lock);
	signaled = ntsync_signaled(obj, 0);
	spin_unlock(&obj->lock);
	return signaled ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Looking inside: /proc/PID/fdinfo/FD */

/* What is shown of a wait, read under the lock and printed without it. */
struct ntsync_glimpse {
	u64 serial;
	unsigned long waited;
	pid_t tid;
	u32 owner;
	u32 index;
	u32 objects;
	bool all;
	bool has_deadline;
	bool has_alert;
};

/**
 * struct ntsync_viewer - a thread that reads an object's fdinfo
 * @wait: of nobody and canceled, so that it is passed over; its @in_instance is
 *	the viewer's place among the waits-for-all while multi_lock is dropped
 * @entry: of @wait, its place in the object's queue while the lock is dropped.
 *	A granter who meets it takes it off, as any entry of a canceled wait:
 *	all that stood before it is gone then
 * @glimpses: of the waits met since the lock was taken
 * @count: how many
 * @waiters: how many were met in all
 */
struct ntsync_viewer {
	struct ntsync_wait wait;
	struct ntsync_entry entry;
	struct ntsync_glimpse glimpses[NTSYNC_GLIMPSES];
	u32 count;
	u32 waiters;
};

static const char * const ntsync_type_names[] = {
	[NTSYNC_SEM] = "semaphore",
	[NTSYNC_MUTEX] = "mutex",
	[NTSYNC_EVENT] = "event",
};

/* With what keeps the wait where it is locked; that keeps its task too. */
static void ntsync_view(struct ntsync_viewer *viewer,
			const struct ntsync_wait *wait, u32 index)
{
	if (atomic_read(&wait->result) != NTSYNC_PENDING)
		return;
	viewer->glimpses[viewer->count++] = (struct ntsync_glimpse) {
		.serial = wait->serial,
		.waited = jiffies - wait->begun,
		.tid = task_pid_vnr(wait->task),
		.owner = wait->owner,
		.index = index,
		.objects = wait->count,
		.all = wait->all,
		.has_deadline = wait->has_deadline,
		.has_alert = wait->total > wait->count,
	};
}

/* Look at a few waits-for-all of the instance.  Returns whether there are more. */
static bool ntsync_view_alls(struct ntsync_viewer *viewer,
			     const struct ntsync_obj *obj)
{
	struct list_head *place = &viewer->wait.in_instance;
	struct ntsync_instance *instance = obj->instance;
	struct ntsync_wait *wait;
	u32 looks = NTSYNC_GLIMPSES, index;
	bool more;

	spin_lock(&instance->multi_lock);
	if (list_empty(place))
		list_add(place, &instance->alls);
	while (!list_is_last(place, &instance->alls) && looks--) {
		wait = list_next_entry(&viewer->wait, in_instance);
		list_move(place, &wait->in_instance);
		index = ntsync_index_of(wait, obj);
		if (index < wait->count)
			ntsync_view(viewer, wait, index);
	}
	more = !list_is_last(place, &instance->alls);
	if (!more)
		list_del_init(place);
	spin_unlock(&instance->multi_lock);
	return more;
}

/* The same of the object's queue. */
static bool ntsync_view_queue(struct ntsync_viewer *viewer,
			      struct ntsync_obj *obj)
{
	struct ntsync_entry *place = &viewer->entry, *entry;
	u32 looks = NTSYNC_GLIMPSES;
	bool more = true;

	spin_lock(&obj->lock);
	if (list_empty(&place->node)) {
		list_add(&place->node, &obj->queue);
		if (obj->type == NTSYNC_MUTEX)
			ntsync_insert_by_owner(obj, place);
	}
	while (more && looks--) {
		entry = list_next_entry(place, node);
		more = !list_is_last(&place->node, &obj->queue) && entry->wait;
		if (!more)
			break;
		list_move(&place->node, &entry->node);
		place->prio = entry->prio;
		ntsync_view(viewer, entry->wait, entry->index);
	}
	if (!more)
		ntsync_dequeue(obj, place);
	spin_unlock(&obj->lock);
	return more;
}

static void ntsync_show_glimpses(struct seq_file *m, struct ntsync_viewer *viewer)
{
	const struct ntsync_glimpse *seen;
	u32 i;

	for (i = 0; i < viewer->count; i++) {
		if (viewer->waiters++ >= NTSYNC_SHOWN_WAITS)
			continue;
		seen = &viewer->glimpses[i];
		seq_printf(m, "wait:\tserial=%llu tid=%d kind=%s index=%u owner=%u waited=%llu deadline=%s alert=%s objects=%u\n",
			   seen->serial, seen->tid, seen->all ? "all" : "any",
			   seen->index, seen->owner,
			   (u64)jiffies_to_msecs(seen->waited) * NSEC_PER_MSEC,
			   seen->has_deadline ? "yes" : "no",
			   seen->has_alert ? "yes" : "no", seen->objects);
	}
	viewer->count = 0;
	cond_resched();
}

static void ntsync_show_waits(struct seq_file *m, struct ntsync_obj *obj)
{
	struct ntsync_viewer viewer = {
		.wait.result = ATOMIC_INIT(NTSYNC_CANCELED),
		.entry.wait = &viewer.wait,
		.entry.prio = INT_MIN,
	};
	bool more;

	INIT_LIST_HEAD(&viewer.wait.in_instance);
	INIT_LIST_HEAD(&viewer.entry.node);
	do {
		more = ntsync_view_alls(&viewer, obj);
		ntsync_show_glimpses(m, &viewer);
	} while (more);
	do {
		more = ntsync_view_queue(&viewer, obj);
		ntsync_show_glimpses(m, &viewer);
	} while (more);
	seq_printf(m, "waiters:\t%u\n", viewer.waiters);
}

static void ntsync_obj_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ntsync_obj *obj = file->private_data;
	u32 state[2];
	bool abandoned;

	spin_lock(&obj->lock);
	state[0] = obj->state[0];
	state[1] = obj->state[1];
	abandoned = obj->abandoned;
	spin_unlock(&obj->lock);

	seq_printf(m, "instance:\t%u\nobject:\t%u\ntype:\t%s\n",
		   obj->instance->id, obj->id, ntsync_type_names[obj->type]);
	switch (obj->type) {
	case NTSYNC_SEM:
		seq_printf(m, "count:\t%u\nmax:\t%u\n", state[0], state[1]);
		break;
	case NTSYNC_MUTEX:
		seq_printf(m, "owner:\t%u\ncount:\t%u\nabandoned:\t%d\n",
			   state[0], state[1], abandoned);
		break;
	case NTSYNC_EVENT:
		seq_printf(m, "manual:\t%u\nsignaled:\t%u\n", state[1], state[0]);
		break;
	}
	ntsync_show_waits(m, obj);
}

static void ntsync_dev_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ntsync_instance *instance = file->private_data;

	/* The device's own reference counts for no object. */
	seq_printf(m, "instance:\t%u\nobjects:\t%u\n", instance->id,
		   kref_read(&instance->ref) - 1);
}

/* Lifetime of instances and objects */

static void ntsync_instance_free(struct kref *ref)
{
	kfree(container_of(ref, struct ntsync_instance, ref));
}

static void ntsync_instance_put(struct ntsync_instance *instance)
{
	kref_put(&instance->ref, ntsync_instance_free);
}

static __always_inline struct ntsync_obj *
ntsync_obj_alloc(struct ntsync_instance *instance, enum ntsync_type type)
{
	struct ntsync_obj *obj;

	obj = kmem_cache_zalloc(ntsync_obj_cache, GFP_KERNEL);
	if (!obj)
		return NULL;
	spin_lock_init(&obj->lock);
	obj->type = type;
	obj->id = atomic_inc_return(&instance->last_id);
	obj->instance = instance;
	INIT_LIST_HEAD(&obj->queue);
	kref_get(&instance->ref);
	return obj;
}

static __always_inline void ntsync_obj_free(struct ntsync_obj *obj)
{
	trace_ntsync_destroy(obj);
	if (!list_empty(&obj->queue))
		kfree(ntsync_find_pollers(obj));
	ntsync_instance_put(obj->instance);
	kmem_cache_free(ntsync_obj_cache, obj);
}

/* Give an object a file.  From then on the object is the file's. */
static int ntsync_obj_install(struct ntsync_obj *obj)
{
	int fd;

	trace_ntsync_create(obj);
	fd = anon_inode_getfd("ntsync", &ntsync_obj_fops, obj,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ntsync_obj_free(obj);
	return fd;
}

static int ntsync_obj_release(struct inode *inode, struct file *file)
{
	ntsync_obj_free(file->private_data);
	return 0;
}

/**
 * ntsync_create_sem() - %NTSYNC_IOC_CREATE_SEM: create a semaphore
 * @instance: where
 * @uargs: initial count, and maximum
 *
 * Serves NtCreateSemaphore.
 *
 * Context: may sleep.
 * Return: a file descriptor; -EFAULT if @uargs cannot be read; -EINVAL if the
 *	count is above the maximum; -ENOMEM; -EMFILE.
 */
static long ntsync_create_sem(struct ntsync_instance *instance,
			      const struct ntsync_sem_args __user *uargs)
{
	struct ntsync_sem_args args;
	struct ntsync_obj *sem;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.count > args.max)
		return -EINVAL;
	sem = ntsync_obj_alloc(instance, NTSYNC_SEM);
	if (!sem)
		return -ENOMEM;
	sem->sem.count = args.count;
	sem->sem.max = args.max;
	return ntsync_obj_install(sem);
}

/**
 * ntsync_create_mutex() - %NTSYNC_IOC_CREATE_MUTEX: create a mutex
 * @instance: where
 * @uargs: its first owner, and how many acquisitions deep, or 0 and 0
 *
 * Serves NtCreateMutant.
 *
 * Context: may sleep.
 * Return: a file descriptor; -EFAULT if @uargs cannot be read; -EINVAL if only
 *	one of owner and count is 0; -ENOMEM; -EMFILE.
 */
static long ntsync_create_mutex(struct ntsync_instance *instance,
				const struct ntsync_mutex_args __user *uargs)
{
	struct ntsync_mutex_args args;
	struct ntsync_obj *mutex;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (!args.owner != !args.count)
		return -EINVAL;
	mutex = ntsync_obj_alloc(instance, NTSYNC_MUTEX);
	if (!mutex)
		return -ENOMEM;
	mutex->mutex.owner = args.owner;
	mutex->mutex.count = args.count;
	return ntsync_obj_install(mutex);
}

/**
 * ntsync_create_event() - %NTSYNC_IOC_CREATE_EVENT: create an event
 * @instance: where
 * @uargs: its kind, and whether it is set
 *
 * Serves NtCreateEvent.
 *
 * Context: may sleep.
 * Return: a file descriptor; -EFAULT if @uargs cannot be read; -ENOMEM;
 *	-EMFILE.
 */
static long ntsync_create_event(struct ntsync_instance *instance,
				const struct ntsync_event_args __user *uargs)
{
	struct ntsync_event_args args;
	struct ntsync_obj *event;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	event = ntsync_obj_alloc(instance, NTSYNC_EVENT);
	if (!event)
		return -ENOMEM;
	event->event.manual = !!args.manual;
	event->event.signaled = !!args.signaled;
	return ntsync_obj_install(event);
}

/* Files */

static long ntsync_obj_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct ntsync_obj *obj = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case NTSYNC_IOC_SEM_RELEASE:
		return ntsync_sem_release(obj, argp);
	case NTSYNC_IOC_SEM_READ:
		return ntsync_sem_read(obj, argp);
	case NTSYNC_IOC_MUTEX_UNLOCK:
		return ntsync_mutex_unlock(obj, argp);
	case NTSYNC_IOC_MUTEX_KILL:
		return ntsync_mutex_kill(obj, argp);
	case NTSYNC_IOC_MUTEX_READ:
		return ntsync_mutex_read(obj, argp);
	case NTSYNC_IOC_EVENT_SET:
		return ntsync_event_signal(obj, ntsync_event_set_step,
					   NTSYNC_SET, argp);
	case NTSYNC_IOC_EVENT_RESET:
		return ntsync_event_reset(obj, argp);
	case NTSYNC_IOC_EVENT_PULSE:
		return ntsync_event_signal(obj, ntsync_event_pulse_step,
					   NTSYNC_PULSE, argp);
	case NTSYNC_IOC_EVENT_READ:
		return ntsync_event_read(obj, argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations ntsync_obj_fops = {
	.owner		= THIS_MODULE,
	.release	= ntsync_obj_release,
	.poll		= ntsync_obj_poll,
	.show_fdinfo	= ntsync_obj_show_fdinfo,
	.unlocked_ioctl	= ntsync_obj_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static int ntsync_dev_open(struct inode *inode, struct file *file)
{
	struct ntsync_instance *instance;

	instance = kzalloc(sizeof(*instance), GFP_KERNEL_ACCOUNT);
	if (!instance)
		return -ENOMEM;
	kref_init(&instance->ref);
	spin_lock_init(&instance->multi_lock);
	INIT_LIST_HEAD(&instance->alls);
	instance->id = atomic_inc_return(&ntsync_last_instance);
	file->private_data = instance;
	return nonseekable_open(inode, file);
}

static int ntsync_dev_release(struct inode *inode, struct file *file)
{
	ntsync_instance_put(file->private_data);
	return 0;
}

static long ntsync_dev_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct ntsync_instance *instance = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case NTSYNC_IOC_WAIT_ANY:
		return ntsync_wait(instance, argp, false);
	case NTSYNC_IOC_WAIT_ALL:
		return ntsync_wait(instance, argp, true);
	case NTSYNC_IOC_CREATE_SEM:
		return ntsync_create_sem(instance, argp);
	case NTSYNC_IOC_CREATE_MUTEX:
		return ntsync_create_mutex(instance, argp);
	case NTSYNC_IOC_CREATE_EVENT:
		return ntsync_create_event(instance, argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations ntsync_dev_fops = {
	.owner		= THIS_MODULE,
	.open		= ntsync_dev_open,
	.release	= ntsync_dev_release,
	.show_fdinfo	= ntsync_dev_show_fdinfo,
	.unlocked_ioctl	= ntsync_dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice ntsync_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "ntsync",
	.fops	= &ntsync_dev_fops,
	.mode	= 0666,
};

static int __init ntsync_init(void)
{
	unsigned int cpu;
	int ret;

	/* Each CPU counts in steps that leave room for the others. */
	for_each_possible_cpu(cpu)
		per_cpu(ntsync_last_serial, cpu) = cpu;
	ntsync_obj_cache = KMEM_CACHE(ntsync_obj,
				      SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	if (!ntsync_obj_cache)
		return -ENOMEM;
	ret = misc_register(&ntsync_misc);
	if (ret)
		kmem_cache_destroy(ntsync_obj_cache);
	return ret;
}

static void __exit ntsync_exit(void)
{
	misc_deregister(&ntsync_misc);
	kmem_cache_destroy(ntsync_obj_cache);
}

module_init(ntsync_init);
module_exit(ntsync_exit);

MODULE_DESCRIPTION("Windows NT synchronization objects");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0.0");
