// SPDX-License-Identifier: GPL-2.0-only
/*
 * ntsync: semaphores, mutexes and events with the semantics of Windows NT.
 *
 * Copyright 2026 The ntsync authors
 *
 * Documentation/ntsync.rst describes the interface, Documentation/design.rst
 * the protocol with the races that it closes.  In short:
 *
 * Words
 *	look		read an object's state without its lock
 *	acquire		change the state as a satisfied wait does
 *	serve		go through those who wait for an object that is signaled
 *	claim		decide how a wait ends, once for all
 *	grant		claim a wait and acquire its objects for it
 *	wake		tell the waiter, and let it run
 *	cancel		claim one's own wait, which was not granted
 *	hold		own an object without its lock
 *	watch		be in the list of watchers of one object of a wait-for-all
 *	step		what a call does to objects; others see all of it or nothing
 *
 * Locks
 *	ntsync_obj.lock, a spinlock, guards one object.  A thread that has one
 *	object locked may only try to lock a second one.
 *	ntsync_instance.multi_lock, a mutex, is taken with no object locked.  It
 *	serializes steps that need several objects, or a long time.
 *
 * Holding
 *	The owner of multi_lock may hold objects.  A held object is its own until
 *	it releases it, before it drops multi_lock.  Anyone else who locks the
 *	object and finds it held waits for multi_lock.  A step holds each object
 *	from before its first change until after its last one: other threads see
 *	all of the step or nothing.
 *
 * Signaling
 *	stores the new state, then advances ntsync_obj.seq, then serves the
 *	waits-for-all that watch the object and the waits-for-any in its queue.
 *
 * Negative answers
 *	are given without a lock: a look reads seq, then the state.  If no object
 *	was held, and no seq has moved afterwards, there was an instant at which
 *	all objects were unsignaled.  A positive look proves nothing; it is
 *	confirmed under the lock.
 *
 * Granting
 *	The thread that moves ntsync_wait.result from NTSYNC_PENDING decides how
 *	a wait ends.  A granter does so with the object locked or held, acquires
 *	for the waiter, unlinks what it granted, and sets ntsync_wait.done when it
 *	has dropped all locks.  The wait lives on the waiter's stack: it may be
 *	gone once done is set, and not before.
 */

#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/list_sort.h>
#include <linux/lockdep.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
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
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/ntsync.h>

#include "compat.h"
#include "fget.h"

/* Values of ntsync_wait.result that are not the index of an object. */
#define NTSYNC_PENDING	(-1)
#define NTSYNC_CANCELED	(-2)

#define NTSYNC_SMALL_WAIT	9	/* objects, alert included, without allocation */
#define NTSYNC_SMALL_ALL	9	/* objects of a wait-for-all that tries locks */
#define NTSYNC_BATCH		16	/* entries of a queue passed under one lock */
#define NTSYNC_SEQ_HELD		1	/* bit of ntsync_obj.seq: the object is held */
#define NTSYNC_SEQ_STEP		2	/* step of ntsync_obj.seq: became signaled */
#define NTSYNC_REPEAT_BITS	512	/* tell the objects of a wait-for-all apart */
#define NTSYNC_SHOWN_WAITS	1024	/* shown in fdinfo; any more are counted */

enum ntsync_type {
	NTSYNC_SEM,
	NTSYNC_MUTEX,
	NTSYNC_EVENT,
};

/* What may make an object signaled. */
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
 * @multi_lock: see "Locks" and "Holding" above; guards every
 *	ntsync_wait.watched and the lists of watchers
 * @last_ticket: number of the wait-for-all that began last; under @multi_lock
 * @all_waits: the waits-for-all (struct ntsync_wait) that are queued, as they began;
 *	under @multi_lock.  For fdinfo only
 * @last_id: number of the object that was created last
 * @id: number of the instance among all
 */
struct ntsync_instance {
	struct kref ref;
	struct mutex multi_lock;	/* outer; see "Locks" above */
	u64 last_ticket;
	struct list_head all_waits;
	atomic_t last_id;
	u32 id;
};

/**
 * struct ntsync_obj - a semaphore, mutex or event
 * @lock: guards all that changes below unless the object is held; see "Locks"
 *	and "Holding" above
 * @seq: bit 0, NTSYNC_SEQ_HELD, while the object is held; the rest counts how often
 *	it has become signaled for anyone, modulo 2^31.  Stored (release) after
 *	the state that it tells of, read (acquire) before it
 * @type: which member of the union holds the state
 * @abandoned: the mutex's owner was declared dead, and no one has acquired it
 *	since
 * @queued: how many waits are in @queue, or at 255 more than can be counted,
 *	until none is left
 * @unsorted: @watchers are not in the order of service; under multi_lock
 * @id: number of the object in its instance; may repeat after 2^32 objects
 * @sem: state of a semaphore
 * @mutex: state of a mutex; under @lock, mutex.owner is 0 exactly while
 *	mutex.count is
 * @event: state of an event
 * @instance: the instance that the object belongs to
 * @queue: waits-for-any (struct ntsync_entry) in the order of service, then
 *	the pollers (struct ntsync_pollers) if there ever were any.  While the
 *	object is held entries may leave under @lock, and only pollers join
 * @by_owner: the waits in it ordered by owner, of a mutex only: a thread that
 *	has acquired it may have other waits that it satisfies too
 * @watchers: first of the waits-for-all (ntsync_wait.watch) that watch this
 *	object, NULL if there are none; under multi_lock, the pointer itself
 *	under @lock too unless the object is held.  The object is unsignaled for
 *	each of them, and nothing but a step under multi_lock can change that
 *
 * The object's file owns it, and is held by each wait for the object.
 */
struct ntsync_obj {
	spinlock_t lock;	/* inner; see "Locks" above */
	u32 seq;
	u8 type;
	bool abandoned;
	u8 queued;
	bool unsorted;
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
	};
	struct ntsync_instance *instance;
	struct list_head queue;
	struct rb_root by_owner;
	struct list_head *watchers;
};

/* One cache line, where spinlocks are no larger than they must be. */
static_assert(sizeof(spinlock_t) > 4 || sizeof(struct ntsync_obj) <= 64);

/**
 * struct ntsync_entry - a wait's place in the queue of one object
 * @node: in ntsync_obj.queue, or empty when the entry has been taken off
 * @owner_node: in ntsync_obj.by_owner
 * @wait: whose entry it is, NULL if it is the pollers'
 * @owner: copy of ntsync_set.owner
 * @index: what ntsync_wait.result becomes if this object ends the wait
 * @prio: ntsync_wait.prio once the entry has come to its place in the queue
 *
 * The nodes and @prio are guarded by the object's lock; the rest does not change.
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
 * @result: how the wait ends, decided by the thread that moves it from
 *	NTSYNC_PENDING; to NTSYNC_CANCELED under multi_lock if @all, except
 *	for a waiter that is being killed
 * @done: set (release) by the granter as its last access; read (acquire) by
 *	the waiter
 * @owner_dead: an abandoned mutex was acquired; written before @done
 * @all: a wait-for-all, else a wait-for-any
 * @has_deadline: a timeout will end it
 * @prio: the lower the more urgent; the same for all ordinary threads
 * @queued: how many of @entries were put on queues
 * @set: what is waited for
 * @entries: places in queues: of a wait-for-any one for each object of @set, of
 *	a wait-for-all one for its alert
 * @next_wake: link of struct ntsync_wakes, used by the granter only
 * @watch: of a wait-for-all, in ntsync_obj.watchers of @watched; under
 *	multi_lock
 * @watched: NULL while it watches nothing; under multi_lock
 * @ticket: its place in the order in which waits-for-all began
 * @in_instance: in ntsync_instance.all_waits, of a wait-for-all; under multi_lock
 * @serial: unique number of the wait
 * @start: when it queued, in jiffies since boot
 */
struct ntsync_wait {
	struct task_struct *task;
	atomic_t result;
	bool done;
	bool owner_dead;
	bool all;
	bool has_deadline;
	int prio;
	u32 queued;
	const struct ntsync_set *set;
	struct ntsync_entry *entries;
	struct ntsync_wait *next_wake;
	struct list_head watch;
	struct ntsync_obj *watched;
	u64 ticket;
	struct list_head in_instance;
	u64 serial;
	u64 start;
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
 * struct ntsync_looks - what was seen of objects that looked unsignaled
 * @sum: of their seqs, modulo 2^32
 * @bits: the bits that any of their seqs had
 */
struct ntsync_looks {
	u32 sum;
	u32 bits;
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

/* Out of line, or what trace events need would cost hot paths registers. */

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

/* Lifetime of instances and objects */

static const struct file_operations ntsync_obj_fops;

static struct ntsync_pollers *ntsync_find_pollers(const struct ntsync_obj *obj)
{
	struct ntsync_entry *last;

	if (list_empty(&obj->queue))
		return NULL;
	last = list_last_entry(&obj->queue, struct ntsync_entry, node);
	return last->wait ? NULL : container_of(last, struct ntsync_pollers, entry);
}

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

static int ntsync_obj_release(struct inode *inode, struct file *file)
{
	ntsync_obj_free(file->private_data);
	return 0;
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

/* Locking and holding */

static bool ntsync_is_held(const struct ntsync_obj *obj)
{
	/* Pairs with the release in ntsync_release(). */
	return smp_load_acquire(&obj->seq) & NTSYNC_SEQ_HELD;
}

/* The object must be locked, or held by the caller. */
static void ntsync_assert_owned(const struct ntsync_obj *obj)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && !ntsync_is_held(obj))
		lockdep_assert_held(&obj->lock);
}

/*
 * Lock an object.  If it is held, wait until the step that holds it has ended.
 * Returns false, and it is not locked, if the thread is being killed.
 */
static __always_inline bool ntsync_lock(struct ntsync_obj *obj)
{
	spin_lock(&obj->lock);
	if (likely(!ntsync_is_held(obj)))
		return true;
	spin_unlock(&obj->lock);
	if (mutex_lock_killable(&obj->instance->multi_lock))
		return false;
	spin_lock(&obj->lock);
	mutex_unlock(&obj->instance->multi_lock);
	return true;
}

static void ntsync_hold_locked(struct ntsync_obj *obj)
{
	lockdep_assert_held(&obj->instance->multi_lock);
	lockdep_assert_held(&obj->lock);
	/* Before every change: those are made by ntsync_store(), a release. */
	WRITE_ONCE(obj->seq, obj->seq | NTSYNC_SEQ_HELD);
}

/* Hold an object, which the caller may hold already. */
static void ntsync_hold(struct ntsync_obj *obj)
{
	if (ntsync_is_held(obj))
		return;
	spin_lock(&obj->lock);
	ntsync_hold_locked(obj);
	spin_unlock(&obj->lock);
}

static void ntsync_release(struct ntsync_obj *obj)
{
	lockdep_assert_held(&obj->instance->multi_lock);
	/* Pairs with the acquires in ntsync_is_held() and ntsync_look(). */
	smp_store_release(&obj->seq, obj->seq & ~NTSYNC_SEQ_HELD);
}

/* Release those of a set, the alert included, that are held. */
static void ntsync_release_set(const struct ntsync_set *set)
{
	u32 i;

	for (i = 0; i < set->total; i++)
		if (ntsync_is_held(set->objs[i]))
			ntsync_release(set->objs[i]);
}

/* State */

/*
 * A word of an object's state is stored under its lock and loaded with or
 * without.  A thread that sees a store sees what the same step, or an earlier one,
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
 * mutex with a full count cannot be acquired by anyone), and "yes" is a hint.
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
 * Acquire a signaled object, locked or held.  Returns whether it was an abandoned
 * mutex.
 */
static __always_inline bool ntsync_acquire(struct ntsync_obj *obj, u32 owner)
{
	bool abandoned = false;

	ntsync_assert_owned(obj);
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

/* Acquire all objects of a set, which are locked or held, and signaled. */
static bool ntsync_acquire_all(const struct ntsync_set *set)
{
	bool abandoned = false;
	u32 i;

	for (i = 0; i < set->count; i++)
		abandoned |= ntsync_acquire(set->objs[i], set->owner);
	return abandoned;
}

/* Say that an object has become signaled, after its state says so. */
static void ntsync_advance_seq(struct ntsync_obj *obj)
{
	ntsync_assert_owned(obj);
	/* Pairs with the acquire in ntsync_look(). */
	smp_store_release(&obj->seq, obj->seq + NTSYNC_SEQ_STEP);
}

/* Granting and waking */

/* Decide how a wait ends; false if that has been decided. */
static bool ntsync_claim(struct ntsync_wait *wait, int result)
{
	return atomic_read(&wait->result) == NTSYNC_PENDING &&
	       atomic_cmpxchg(&wait->result, NTSYNC_PENDING,
			      result) == NTSYNC_PENDING;
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

/* With no lock held. */
static void ntsync_wake_all(struct ntsync_wakes *wakes)
{
	while (wakes->first) {
		ntsync_wake_first(wakes);
		cond_resched();
	}
	if (unlikely(wakes->pollers))
		wake_up_poll(&wakes->pollers->queue, EPOLLIN | EPOLLRDNORM);
}

/* Queues of waits-for-any, under the object's lock */

static void ntsync_insert_by_owner(struct ntsync_obj *obj,
				   struct ntsync_entry *entry)
{
	struct rb_node **link = &obj->by_owner.rb_node, *parent = NULL;
	struct ntsync_entry *other;

	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct ntsync_entry, owner_node);
		if (entry->owner < other->owner ||
		    (entry->owner == other->owner &&
		     entry->wait->prio < other->wait->prio))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
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

static void ntsync_enqueue(struct ntsync_obj *obj, struct ntsync_entry *entry)
{
	struct ntsync_pollers *pollers = ntsync_find_pollers(obj);

	lockdep_assert_held(&obj->lock);
	list_add_tail(&entry->node, pollers ? &pollers->entry.node : &obj->queue);
	if (obj->queued < U8_MAX)
		obj->queued++;
	if (obj->type == NTSYNC_MUTEX)
		ntsync_insert_by_owner(obj, entry);
}

/*
 * Move an entry of a locked object's queue ahead of those that are less urgent.
 * On a long way the lock is dropped now and then; until the entry has come to its
 * place it is served, and passed by others, like an ordinary one that has just
 * joined.
 */
static void ntsync_move_ahead(struct ntsync_obj *obj, struct ntsync_entry *entry)
{
	struct ntsync_entry *ahead;
	u32 steps;

	for (steps = 1; !list_empty(&entry->node); steps++) {
		ahead = list_prev_entry(entry, node);
		if (&ahead->node == &obj->queue || ahead->prio <= entry->wait->prio)
			break;
		list_move_tail(&entry->node, &ahead->node);
		if (steps % NTSYNC_BATCH)
			continue;
		spin_unlock(&obj->lock);
		cond_resched();
		spin_lock(&obj->lock);
	}
	entry->prio = entry->wait->prio;
}

static void ntsync_dequeue(struct ntsync_obj *obj, struct ntsync_entry *entry)
{
	lockdep_assert_held(&obj->lock);
	list_del_init(&entry->node);
	if (obj->queued < U8_MAX)
		obj->queued--;
	else if (list_empty(&obj->queue) ||
		 (list_is_singular(&obj->queue) && ntsync_find_pollers(obj)))
		obj->queued = 0;
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
 * Serve a locked object's queue, one batch at most.  Returns whether there may
 * be more to serve, never so if the queue is not long.  Entries of waits that
 * have ended otherwise are taken off, so that they are met only once.
 */
static __always_inline bool ntsync_serve_queue(struct ntsync_obj *obj,
					       struct ntsync_wakes *wakes)
{
	struct ntsync_entry *entry;
	struct ntsync_wait *wait;
	u32 budget = NTSYNC_BATCH;

	lockdep_assert_held(&obj->lock);
	while (!list_empty(&obj->queue)) {
		entry = ntsync_next_entry(obj);
		if (!entry || !ntsync_signaled(obj, entry->owner))
			return false;
		wait = entry->wait;
		if (!wait) {
			wakes->pollers = ntsync_find_pollers(obj);
			return false;
		}
		if (!budget--)
			return true;
		ntsync_dequeue(obj, entry);
		if (!ntsync_claim(wait, entry->index))
			continue;
		wait->owner_dead = ntsync_acquire(obj, entry->owner);
		ntsync_wakes_add(wakes, wait);
	}
	return false;
}

/* Watches of waits-for-all; multi_lock must be held */

static bool ntsync_wait_before(const struct ntsync_wait *a,
			       const struct ntsync_wait *b)
{
	return a->prio != b->prio ? a->prio < b->prio : a->ticket < b->ticket;
}

/* Where an object stands in a set; ntsync_set.count if not among its objects. */
static u32 ntsync_index_of(const struct ntsync_set *set,
			   const struct ntsync_obj *obj)
{
	u32 i;

	for (i = 0; i < set->count; i++)
		if (set->objs[i] == obj)
			break;
	return i;
}

/*
 * The object that is best watched: of those that are, or look, unsignaled the
 * one that was signaled least often.
 */
static __always_inline struct ntsync_obj *
ntsync_find_unsignaled(const struct ntsync_set *set)
{
	struct ntsync_obj *obj, *found = NULL;
	u32 i, seq, least = 0;

	for (i = 0; i < set->count; i++) {
		obj = set->objs[i];
		if (ntsync_signaled(obj, set->owner))
			continue;
		seq = READ_ONCE(obj->seq);
		if (!found || seq < least) {
			found = obj;
			least = seq;
		}
	}
	return found;
}

/* Make a wait, wherever it is linked now, the last of an object's watchers. */
static void ntsync_link_watch(struct ntsync_wait *wait, struct ntsync_obj *obj)
{
	struct list_head *first = obj->watchers;

	if (!first) {
		ntsync_assert_owned(obj);
		list_del_init(&wait->watch);
		obj->watchers = &wait->watch;
		obj->unsorted = false;
	} else {
		if (ntsync_wait_before(wait, list_entry(first->prev,
							struct ntsync_wait, watch)))
			obj->unsorted = true;
		list_bulk_move_tail(first, &wait->watch, &wait->watch);
	}
	wait->watched = obj;
}

/* Watch an object that is locked, held or watched, if it is unsignaled. */
static __always_inline bool ntsync_try_watch(struct ntsync_wait *wait,
					     struct ntsync_obj *obj)
{
	if (ntsync_signaled(obj, wait->set->owner))
		return false;
	ntsync_link_watch(wait, obj);
	return true;
}

/*
 * Watch another object than before, one that is unsignaled for the waiter.
 * Returns false if there seems to be none.
 */
static bool ntsync_move_watch(struct ntsync_wait *wait)
{
	struct ntsync_obj *obj = ntsync_find_unsignaled(wait->set);
	bool moved;

	if (!obj || obj == wait->watched)
		return false;
	/* If it is watched, it cannot become signaled meanwhile. */
	if (obj->watchers || ntsync_is_held(obj))
		return ntsync_try_watch(wait, obj);
	spin_lock(&obj->lock);
	moved = ntsync_try_watch(wait, obj);
	spin_unlock(&obj->lock);
	return moved;
}

/*
 * Grant a wait-for-all that watches nothing, or find it an object to watch.  If
 * it is granted its objects stay held, and so does its alert: else a thread
 * that signals the alert could tell that the wait has been granted.
 */
static bool ntsync_grant(struct ntsync_wait *wait)
{
	DECLARE_BITMAP(fresh, NTSYNC_MAX_WAIT_COUNT + 1) = {};
	const struct ntsync_set *set = wait->set;
	bool held = true;
	u32 i;

	for (i = 0; i < set->total && held; i++) {
		struct ntsync_obj *obj = set->objs[i];

		held = i == set->count;
		if (ntsync_is_held(obj)) {
			/* This step may have acquired it. */
			held = held || !ntsync_try_watch(wait, obj);
			continue;
		}
		spin_lock(&obj->lock);
		held = held || !ntsync_try_watch(wait, obj);
		if (held) {
			ntsync_hold_locked(obj);
			__set_bit(i, fresh);
		}
		spin_unlock(&obj->lock);
	}
	if (held && ntsync_claim(wait, 0)) {
		wait->owner_dead = ntsync_acquire_all(set);
		return true;
	}
	for_each_set_bit(i, fresh, set->total)
		ntsync_release(set->objs[i]);
	return false;
}

static int ntsync_cmp_waits(void *unused, ntsync_sorted struct list_head *a,
			    ntsync_sorted struct list_head *b)
{
	cond_resched();
	return ntsync_wait_before(list_entry(b, struct ntsync_wait, watch),
				  list_entry(a, struct ntsync_wait, watch));
}

static bool ntsync_same_objs(const struct ntsync_set *a,
			     const struct ntsync_set *b)
{
	return a->count == b->count &&
	       !memcmp(a->objs, b->objs, a->count * sizeof(*a->objs));
}

/*
 * Move a watcher to another object, and with it those that follow in the list
 * and have the same set.  Returns the first that was not moved, @wait itself if
 * it has no unsignaled object.
 */
static struct ntsync_wait *ntsync_move_run(struct ntsync_wait *wait,
					   const struct list_head *head)
{
	struct ntsync_wait *next = list_next_entry(wait, watch);
	struct ntsync_wait *first = next, *last = wait;
	struct ntsync_obj *to;

	if (!ntsync_move_watch(wait))
		return wait;
	to = wait->watched;
	while (&next->watch != head && ntsync_same_objs(next->set, wait->set) &&
	       !ntsync_signaled(to, next->set->owner)) {
		if (ntsync_wait_before(next, last))
			to->unsorted = true;
		next->watched = to;
		last = next;
		next = list_next_entry(next, watch);
		cond_resched();
	}
	if (last != wait)
		list_bulk_move_tail(to->watchers, &first->watch, &last->watch);
	return next;
}

/*
 * Put watchers into the order of service.  Those that can watch another object
 * need not be sorted: they go there at once.
 */
static void ntsync_sort_watchers(struct list_head *watchers)
{
	struct ntsync_wait *wait, *next;

	wait = list_first_entry(watchers, struct ntsync_wait, watch);
	while (&wait->watch != watchers) {
		next = ntsync_move_run(wait, watchers);
		wait = next == wait ? list_next_entry(wait, watch) : next;
		cond_resched();
	}
	list_sort(NULL, watchers, ntsync_cmp_waits);
}

/*
 * Serve those who watch a held object.  Each that it is signaled for leaves:
 * moved to another object, granted, or because its wait has ended otherwise.
 */
static void ntsync_serve_watchers(struct ntsync_obj *obj,
				  struct ntsync_wakes *wakes)
{
	struct ntsync_wait *wait, *next;
	LIST_HEAD(watchers);

	if (!obj->watchers)
		return;
	list_add_tail(&watchers, obj->watchers);
	obj->watchers = NULL;
	if (obj->unsorted)
		ntsync_sort_watchers(&watchers);
	wait = list_first_entry(&watchers, struct ntsync_wait, watch);
	for (; &wait->watch != &watchers; wait = next) {
		cond_resched();
		if (!ntsync_signaled(obj, wait->set->owner)) {
			next = list_next_entry(wait, watch);
			if (obj->type == NTSYNC_MUTEX)
				continue;
			break;
		}
		next = ntsync_move_run(wait, &watchers);
		if (next != wait)
			continue;
		next = list_next_entry(wait, watch);
		list_del_init(&wait->watch);
		wait->watched = NULL;
		if (atomic_read(&wait->result) == NTSYNC_PENDING &&
		    ntsync_grant(wait)) {
			list_del(&wait->in_instance);
			ntsync_wakes_add(wakes, wait);
		}
	}
	if (list_empty(&watchers))
		return;
	obj->watchers = watchers.next;
	obj->unsorted = false;
	list_del(&watchers);
}

/*
 * Steps that may make an object signaled.  An ntsync_step_t does its step to an
 * object that is locked or held, and stores the previous value.  It returns 1 if
 * the object became signaled for anyone, 0 if not, or an error, and changes
 * nothing then.
 */

typedef int (*ntsync_step_t)(struct ntsync_obj *obj, u32 arg, u32 *prev);

/* What is left to do when those who wait for the object have been served. */
static __always_inline void ntsync_end_signal(struct ntsync_obj *obj,
					      enum ntsync_op op, int ret,
					      struct ntsync_wakes *wakes)
{
	if (op == NTSYNC_PULSE) {
		ntsync_store(&obj->event.signaled, 0);
		if (wakes)
			wakes->pollers = NULL;
	}
	if (trace_ntsync_signal_enabled())
		ntsync_trace_signal(obj, op, min(ret, 0), wakes);
}

/*
 * Serve the short queue of an object that became signaled, drop its lock and
 * wake the waits that it satisfies.  The thread must not be preempted by one
 * that is less urgent than the first waiter before it has woken that one.
 * PREEMPT_RT's spinlocks cannot be dropped with preemption off.
 */
static noinline void ntsync_serve_and_wake(struct ntsync_obj *obj,
					   enum ntsync_op op)
	__releases(&obj->lock)
{
	struct ntsync_wakes wakes = { .last = &wakes.first };
	bool urgent;

	ntsync_serve_queue(obj, &wakes);
	ntsync_end_signal(obj, op, 0, &wakes);
	urgent = wakes.first && !IS_ENABLED(CONFIG_PREEMPT_RT);
	if (urgent)
		preempt_disable();
	spin_unlock(&obj->lock);
	if (urgent) {
		ntsync_wake_first(&wakes);
		preempt_enable();
	}
	ntsync_wake_all(&wakes);
}

/*
 * ntsync_signal() of an object that is held or watched or has a long queue.  The
 * queue comes last: other threads may find its waits claimed before this ends.
 */
static noinline int ntsync_signal_slow(struct ntsync_obj *obj,
				       ntsync_step_t step, enum ntsync_op op,
				       u32 arg, u32 *prev)
{
	struct ntsync_wakes wakes = { .last = &wakes.first };
	struct ntsync_wait *wait;
	bool more = true;
	int ret;

	if (mutex_lock_killable(&obj->instance->multi_lock))
		return -EINTR;
	ntsync_hold(obj);
	ret = step(obj, arg, prev);
	if (ret > 0) {
		ntsync_serve_watchers(obj, &wakes);
		while (more) {
			spin_lock(&obj->lock);
			more = ntsync_serve_queue(obj, &wakes);
			spin_unlock(&obj->lock);
			cond_resched();
		}
	}
	ntsync_end_signal(obj, op, ret, &wakes);
	for (wait = wakes.first; wait; wait = wait->next_wake) {
		if (wait->all)
			ntsync_release_set(wait->set);
		cond_resched();
	}
	if (ntsync_is_held(obj))
		ntsync_release(obj);
	mutex_unlock(&obj->instance->multi_lock);
	ntsync_wake_all(&wakes);
	return min(ret, 0);
}

/*
 * Do a step to an object and satisfy the waits that it can.  Returns 0, the
 * step's error, or -EINTR if the thread is being killed.
 */
static __always_inline int ntsync_signal(struct ntsync_obj *obj,
					 ntsync_step_t step, enum ntsync_op op,
					 u32 arg, u32 *prev)
{
	int ret;

	spin_lock(&obj->lock);
	if (unlikely(ntsync_is_held(obj) || obj->watchers ||
		     obj->queued > NTSYNC_BATCH)) {
		spin_unlock(&obj->lock);
		return ntsync_signal_slow(obj, step, op, arg, prev);
	}
	ret = step(obj, arg, prev);
	if (ret > 0 && !list_empty(&obj->queue)) {
		ntsync_serve_and_wake(obj, op);
		return 0;
	}
	ntsync_end_signal(obj, op, ret, NULL);
	spin_unlock(&obj->lock);
	return min(ret, 0);
}

/* What a call waits for */

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

/* Is objs[i] in the array before i too?  @seen is a hash of those before i. */
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
	DECLARE_BITMAP(seen, NTSYNC_REPEAT_BITS) __uninitialized;
	struct ntsync_obj **objs = set->objs, *obj;
	u32 i, total = set->total;
	struct file *file;

	if (all)
		bitmap_zero(seen, NTSYNC_REPEAT_BITS);

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
		if (all && ntsync_repeats(objs, i, seen)) {
			ntsync_put_files(set, i + 1);
			return -EINVAL;
		}
	}
	return 0;
}

/* Waits that are decided at once */

/*
 * Why looks did not decide a wait.  What makes them returns one of these, 0 or an
 * error.
 */
enum ntsync_undecided {
	NTSYNC_UNSIGNALED = 1,	/* no object that can be acquired */
	NTSYNC_CHANGED,		/* an object may have changed after the look */
};

/*
 * Look at an object without its lock.  Returns whether it is signaled for
 * @owner; if it is not, the seq read before the state is added to @looks.
 */
static __always_inline bool ntsync_look(const struct ntsync_obj *obj, u32 owner,
					struct ntsync_looks *looks)
{
	/* Pairs with the releases in ntsync_advance_seq() and ntsync_release(). */
	u32 seq = smp_load_acquire(&obj->seq);

	if (ntsync_signaled(obj, owner))
		return true;
	looks->sum += seq;
	looks->bits |= seq;
	return false;
}

/*
 * Could one of the objects, which looked unsignaled, have been signaled since,
 * or be part of a step that has not ended?  Sums are modulo 2^32: an equal one
 * means that no object has become signaled, or 2^31 times since, which takes
 * minutes at the least.
 */
static __always_inline bool ntsync_changed(struct ntsync_obj *const *objs,
					   u32 count,
					   const struct ntsync_looks *looks)
{
	u32 i, sum = 0;

	for (i = 0; i < count; i++)
		sum += READ_ONCE(objs[i]->seq);
	return sum != looks->sum || looks->bits & NTSYNC_SEQ_HELD;
}

/*
 * Acquire objs[i], which looked signaled, if those before it, which looked
 * unsignaled, have stayed so.  Returns 0, -EOWNERDEAD, -EINTR if the thread is
 * being killed, or an ntsync_undecided; the seq of an object that is unsignaled is
 * added to @looks.
 */
static __always_inline int ntsync_try_acquire(struct ntsync_obj *const *objs, u32 i,
					      u32 owner, struct ntsync_looks *looks)
{
	struct ntsync_obj *obj = objs[i];
	int ret;

	if (!ntsync_lock(obj))
		return -EINTR;
	if (!ntsync_signaled(obj, owner)) {
		looks->sum += obj->seq;
		ret = NTSYNC_UNSIGNALED;
	} else if (ntsync_changed(objs, i, looks)) {
		ret = NTSYNC_CHANGED;
	} else {
		ret = ntsync_acquire(obj, owner) ? -EOWNERDEAD : 0;
	}
	spin_unlock(&obj->lock);
	return ret;
}

/*
 * Acquire the first object that is signaled.  Returns 0 or -EOWNERDEAD with
 * @index, or as ntsync_try_acquire().
 */
static __always_inline int ntsync_try_any(struct ntsync_obj *const *objs,
					  u32 count, u32 owner,
					   struct ntsync_looks *looks, u32 *index)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		if (!ntsync_look(objs[i], owner, looks))
			continue;
		ret = ntsync_try_acquire(objs, i, owner, looks);
		if (ret == NTSYNC_UNSIGNALED)
			continue;
		*index = i;
		return ret;
	}
	return NTSYNC_UNSIGNALED;
}

/*
 * Acquire all objects, which are locked or held.  Returns 0, -EOWNERDEAD, or
 * NTSYNC_CHANGED if one of them is unsignaled.
 */
static int ntsync_try_acquire_all(const struct ntsync_set *set)
{
	u32 i;

	for (i = 0; i < set->count; i++)
		if (!ntsync_signaled(set->objs[i], set->owner))
			return NTSYNC_CHANGED;
	return ntsync_acquire_all(set) ? -EOWNERDEAD : 0;
}

/* Sparse, which cannot follow a lock that is tried, counts none. */
static void ntsync_unlock_trylocked(struct ntsync_obj *obj)
{
	__acquire(&obj->lock);
	spin_unlock(&obj->lock);
}

/* Lock the objects, until one is locked or held.  Returns how many are locked. */
static u32 ntsync_trylock_objs(struct ntsync_obj **objs, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!spin_trylock(&objs[i]->lock))
			break;
		if (ntsync_is_held(objs[i])) {
			ntsync_unlock_trylocked(objs[i]);
			break;
		}
	}
	return i;
}

/*
 * Acquire all objects, which looked signaled, holding one after the other.  Returns
 * 0, -EOWNERDEAD, NTSYNC_CHANGED if one is unsignaled, or -EINTR if the thread is
 * being killed.
 */
static int ntsync_try_all_held(struct ntsync_instance *instance,
			       const struct ntsync_set *set)
{
	struct ntsync_obj **objs = set->objs, *obj;
	u32 i, held, count = set->count, owner = set->owner;
	bool abandoned = false;

	if (mutex_lock_killable(&instance->multi_lock))
		return -EINTR;
	for (held = 0; held < count; held++) {
		obj = objs[held];
		spin_lock(&obj->lock);
		if (!ntsync_signaled(obj, owner)) {
			spin_unlock(&obj->lock);
			break;
		}
		ntsync_hold_locked(obj);
		spin_unlock(&obj->lock);
	}
	for (i = 0; i < held; i++) {
		if (held == count)
			abandoned |= ntsync_acquire(objs[i], owner);
		ntsync_release(objs[i]);
	}
	mutex_unlock(&instance->multi_lock);
	if (held < count)
		return NTSYNC_CHANGED;
	return abandoned ? -EOWNERDEAD : 0;
}

/*
 * Acquire all objects, which looked signaled.  Returns as above; NTSYNC_CHANGED also
 * if there are few, and one was locked or held.
 */
static int ntsync_try_all(struct ntsync_instance *instance,
			  const struct ntsync_set *set)
{
	struct ntsync_obj **objs = set->objs;
	int ret = NTSYNC_CHANGED;
	u32 locked;

	if (set->count > NTSYNC_SMALL_ALL)
		return ntsync_try_all_held(instance, set);
	locked = ntsync_trylock_objs(objs, set->count);
	if (locked == set->count)
		ret = ntsync_try_acquire_all(set);
	while (locked--)
		ntsync_unlock_trylocked(objs[locked]);
	return ret;
}

/*
 * Give the answer that needs no queue.  @needed receives the objects, up to
 * two, that the wait cannot be satisfied without: one of its objects that was
 * unsignaled, and the alert.  Returns as ntsync_try_any().
 */
static int ntsync_try_all_or_alert(struct ntsync_instance *instance,
				   const struct ntsync_set *set,
				    struct ntsync_obj **needed,
				    struct ntsync_looks *looks, u32 *index)
{
	struct ntsync_obj *const *objs = set->objs;
	u32 i, count = set->count, owner = set->owner;

	for (i = 0; i < count; i++)
		if (!ntsync_signaled(objs[i], owner))
			break;
	if (i == count) {
		*index = 0;
		return ntsync_try_all(instance, set);
	}

	needed[0] = objs[i];
	if (ntsync_look(needed[0], owner, looks))
		return NTSYNC_CHANGED;
	if (set->total == count)
		return NTSYNC_UNSIGNALED;
	needed[1] = objs[count];
	if (!ntsync_look(needed[1], owner, looks))
		return NTSYNC_UNSIGNALED;
	*index = count;
	return ntsync_try_acquire(needed, 1, owner, looks);
}

/* Deadlines */

static __always_inline struct ntsync_deadline
ntsync_get_deadline(const struct ntsync_wait_args *args)
{
	struct ntsync_deadline deadline = { KTIME_MAX, CLOCK_MONOTONIC };

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

	if (!deadline.time || deadline.time == KTIME_MAX)
		return !deadline.time;
	now = deadline.clock == CLOCK_REALTIME ? ktime_get_real()
						: ktime_get();
	return now >= deadline.time;
}

/*
 * Did the deadline, of which the clock says that it has passed, find the objects
 * unsignaled, as they looked before?
 */
static bool ntsync_expired(struct ntsync_obj *const *objs, u32 count,
			   const struct ntsync_looks *looks)
{
	/* The clock was read before the seqs are read again. */
	smp_rmb();
	return !ntsync_changed(objs, count, looks);
}

/* With all the objects held.  Returns 0, -EOWNERDEAD or -ETIMEDOUT. */
static int ntsync_try_now(const struct ntsync_set *set, bool all, u32 *index)
{
	u32 i = 0;
	int ret;

	if (all) {
		*index = 0;
		ret = ntsync_try_acquire_all(set);
		if (ret <= 0)
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
 * Look once, at one instant: for a wait whose deadline has passed, and whose
 * objects were in doubt.  It must not queue, or a pulse would be granted to it.
 */
static noinline int ntsync_try_held(struct ntsync_instance *instance,
				    const struct ntsync_set *set, bool all,
				     u32 *index)
{
	int ret;
	u32 i;

	if (mutex_lock_killable(&instance->multi_lock))
		return -EINTR;
	for (i = 0; i < set->total; i++)
		ntsync_hold(set->objs[i]);
	ret = ntsync_try_now(set, all, index);
	ntsync_release_set(set);
	mutex_unlock(&instance->multi_lock);
	return ret;
}

/* Waits that block */

/*
 * Queue on one object, or acquire it if it is signaled.  Returns whether the wait
 * may go on to queue on the next one.
 */
static bool ntsync_queue_entry(struct ntsync_wait *wait, u32 index)
{
	struct ntsync_entry *entry = &wait->entries[wait->queued];
	struct ntsync_obj *obj = wait->set->objs[index];
	bool queued = false;

	entry->wait = wait;
	entry->owner = wait->set->owner;
	entry->index = index;
	entry->prio = MAX_RT_PRIO;

	if (!ntsync_lock(obj))
		return false;
	if (!ntsync_signaled(obj, wait->set->owner)) {
		ntsync_enqueue(obj, entry);
		trace_ntsync_queue(obj, wait, index);
		wait->queued++;
		queued = true;
	} else if (ntsync_claim(wait, index)) {
		wait->owner_dead = ntsync_acquire(obj, entry->owner);
		wait->done = true;
	}
	if (queued && wait->prio < MAX_RT_PRIO)
		ntsync_move_ahead(obj, entry);
	spin_unlock(&obj->lock);
	return queued;
}

/* Returns 0, or -EINTR if the thread is being killed; it is not queued then. */
static int ntsync_queue_all(struct ntsync_wait *wait,
			    struct ntsync_instance *instance)
{
	INIT_LIST_HEAD(&wait->watch);
	wait->watched = NULL;
	if (mutex_lock_killable(&instance->multi_lock))
		return -EINTR;
	wait->ticket = ++instance->last_ticket;
	wait->done = !ntsync_move_watch(wait) && ntsync_grant(wait);
	if (wait->done) {
		ntsync_release_set(wait->set);
	} else {
		list_add_tail(&wait->in_instance, &instance->all_waits);
		if (trace_ntsync_queue_enabled())
			trace_ntsync_queue(wait->watched, wait,
					   ntsync_index_of(wait->set, wait->watched));
	}
	mutex_unlock(&instance->multi_lock);
	return 0;
}

static int ntsync_queue(struct ntsync_wait *wait,
			struct ntsync_instance *instance)
{
	u32 i = 0;

	if (wait->all) {
		if (ntsync_queue_all(wait, instance))
			return -EINTR;
		i = wait->set->count;
	}
	for (; i < wait->set->total; i++)
		if (atomic_read(&wait->result) != NTSYNC_PENDING ||
		    !ntsync_queue_entry(wait, i))
			break;
	return 0;
}

/*
 * Sleep until the wait is done.  Returns 0, -ETIMEDOUT or -ERESTARTSYS; after
 * an error the wait may have been granted all the same.
 */
static __always_inline int ntsync_sleep(struct ntsync_wait *wait,
					struct ntsync_deadline deadline,
					unsigned int state)
{
	ktime_t time = deadline.time;
	ktime_t *expires = time == KTIME_MAX ? NULL : &time;
	int ret = 0;

	while (!ret) {
		/* Pairs with the barrier in wake_up_process(). */
		set_current_state(state);
		/* Pairs with the release in ntsync_wake_first(). */
		if (smp_load_acquire(&wait->done))
			break;
		if (signal_pending_state(state, current))
			ret = -ERESTARTSYS;
		else if (!schedule_hrtimeout_range_clock(expires, 0,
							 HRTIMER_MODE_ABS,
							 deadline.clock))
			ret = -ETIMEDOUT;
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/*
 * Give a wait up; false if it has been decided otherwise.  A step that may
 * grant a wait-for-all, and has begun, comes first, except for a thread that
 * is being killed: it learns nothing of it.  A wait-for-any is given up before it
 * leaves any queue: else a later one of its objects could end it after an
 * earlier one was signaled and not seen.
 */
static bool ntsync_cancel(struct ntsync_wait *wait,
			  struct ntsync_instance *instance)
{
	bool locked = wait->all && !mutex_lock_killable(&instance->multi_lock);
	bool canceled = ntsync_claim(wait, NTSYNC_CANCELED);

	if (locked)
		mutex_unlock(&instance->multi_lock);
	return canceled;
}

/* It cannot be killed meanwhile: the wait, which is linked, is on its stack. */
static void ntsync_unqueue_all(struct ntsync_wait *wait,
			       struct ntsync_instance *instance)
{
	struct ntsync_obj *obj;

	mutex_lock(&instance->multi_lock);
	list_del(&wait->in_instance);
	obj = wait->watched;
	if (obj) {
		spin_lock(&obj->lock);
		if (list_empty(&wait->watch))
			obj->watchers = NULL;
		else if (obj->watchers == &wait->watch)
			obj->watchers = wait->watch.next;
		list_del(&wait->watch);
		spin_unlock(&obj->lock);
	}
	mutex_unlock(&instance->multi_lock);
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
		struct ntsync_obj *obj = wait->set->objs[entry->index];

		if (entry->index == result)
			continue;
		spin_lock(&obj->lock);
		if (!list_empty(&entry->node))
			ntsync_dequeue(obj, entry);
		spin_unlock(&obj->lock);
	}
	if (wait->all && result)
		ntsync_unqueue_all(wait, instance);
}

/*
 * Queue, sleep, and leave the queues.  Apart from the calls that need not block,
 * which so have a small frame.
 */
static noinline int ntsync_block(struct ntsync_instance *instance,
				 const struct ntsync_set *set, bool all,
				 struct ntsync_deadline deadline, u32 *index)
{
	struct ntsync_entry small[NTSYNC_SMALL_WAIT] __uninitialized;
	struct ntsync_wait wait = {
		.task = current,
		.result = ATOMIC_INIT(NTSYNC_PENDING),
		.all = all,
		.has_deadline = deadline.time != KTIME_MAX,
		.prio = min(READ_ONCE(current->normal_prio), MAX_RT_PRIO),
		.set = set,
		.entries = small,
		.serial = this_cpu_add_return(ntsync_last_serial, nr_cpu_ids),
		.start = get_jiffies_64(),
	};
	u32 count = all ? set->total - set->count : set->total;
	int ret;

	if (count > ARRAY_SIZE(small)) {
		wait.entries = kmalloc_array(count, sizeof(*wait.entries),
					     GFP_KERNEL_ACCOUNT);
		if (!wait.entries)
			return -ENOMEM;
	}
	ret = ntsync_queue(&wait, instance);
	if (!ret) {
		ret = ntsync_sleep(&wait, deadline,
				   TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (ret && !ntsync_cancel(&wait, instance)) {
			/* The moment until the granter is done. */
			deadline.time = KTIME_MAX;
			ret = ntsync_sleep(&wait, deadline, TASK_UNINTERRUPTIBLE);
		}
		ntsync_unqueue(&wait, instance);
	}
	if (wait.entries != small)
		kfree(wait.entries);
	if (ret)
		return ret;
	*index = atomic_read(&wait.result);
	return wait.owner_dead ? -EOWNERDEAD : 0;
}

/* The wait */

/* Wait for one object; for any or for all is the same until it blocks. */
static __always_inline int
ntsync_decide_one(struct ntsync_instance *instance, struct ntsync_obj *obj,
		  bool all, const struct ntsync_wait_args *args)
{
	struct ntsync_looks looks = {};
	struct ntsync_deadline deadline;
	u32 index;
	int ret;

	/* See ntsync_decide_many(). */
	smp_mb();
	ret = ntsync_try_any(&obj, 1, args->owner, &looks, &index);
	if (ret <= 0)
		return ret;
	deadline = ntsync_get_deadline(args);
	if (!ntsync_has_passed(deadline)) {
		const struct ntsync_set set = {
			.objs = &obj, .count = 1, .total = 1, .owner = args->owner,
		};

		return ntsync_block(instance, &set, all, deadline, &index);
	}
	if (ntsync_expired(&obj, 1, &looks))
		return -ETIMEDOUT;
	ret = ntsync_try_acquire(&obj, 0, args->owner, &(struct ntsync_looks){});
	return ret > 0 ? -ETIMEDOUT : ret;
}

static __always_inline int
ntsync_decide_many(struct ntsync_instance *instance, const struct ntsync_set *set,
		   bool all, const struct ntsync_wait_args *args, u32 *index)
{
	struct ntsync_obj *needed[2], **looked = set->objs;
	struct ntsync_looks looks = {};
	struct ntsync_deadline deadline;
	u32 count = set->total;
	int ret;

	/*
	 * What this thread stored in an earlier call is seen by all before the
	 * looks: of two threads that each signal one object and then poll the
	 * other's, one finds it signaled.  Pairs with itself there.
	 */
	smp_mb();
	if (all) {
		looked = needed;
		count = 1 + set->total - set->count;
		ret = ntsync_try_all_or_alert(instance, set, needed, &looks,
					      index);
	} else {
		ret = ntsync_try_any(set->objs, set->total, set->owner, &looks,
				     index);
	}
	if (ret <= 0)
		return ret;

	deadline = ntsync_get_deadline(args);
	if (!ntsync_has_passed(deadline))
		return ntsync_block(instance, set, all, deadline, index);
	if (ret == NTSYNC_UNSIGNALED && ntsync_expired(looked, count, &looks))
		return -ETIMEDOUT;
	return ntsync_try_held(instance, set, all, index);
}

static __always_inline bool ntsync_waits_are_traced(void)
{
	return trace_ntsync_wait_begin_enabled() ||
	       trace_ntsync_wait_end_enabled();
}

static noinline __cold int
ntsync_trace_wait(struct ntsync_instance *instance, const struct ntsync_set *set,
		  bool all, const struct ntsync_wait_args *args, u32 *index)
{
	u64 start = ktime_get_ns();
	int ret;

	trace_ntsync_wait_begin(instance, args, all);
	ret = ntsync_decide_many(instance, set, all, args, index);
	trace_ntsync_wait_end(instance, args, all, ret, *index, set->objs,
			      ktime_get_ns() - start);
	return ret;
}

/*
 * A wait for one object without alert, nine of ten: no array, no allocation, no
 * trace events.
 */
static int ntsync_wait_one(struct ntsync_instance *instance, bool all,
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
	else
		ret = ntsync_decide_one(instance, obj, all, args);
	ntsync_put_file(file, shared);
	return ret;
}

static noinline int ntsync_wait_many(struct ntsync_instance *instance, bool all,
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
	int ret;

	if (args->count && ntsync_get_fds(fds, ufds, args->count))
		return -EFAULT;
	fds[args->count] = args->alert;
	if (set.total > NTSYNC_SMALL_WAIT) {
		set.objs = kmalloc_array(set.total, sizeof(*files) + sizeof(*objs),
					 GFP_KERNEL_ACCOUNT);
		if (!set.objs)
			return -ENOMEM;
		set.files = (struct file **)(set.objs + set.total);
	}

	ret = ntsync_get_files(&set, instance, fds, all);
	if (ret)
		goto out;
	if (!writable)
		ret = -EFAULT;
	else if (ntsync_waits_are_traced())
		ret = ntsync_trace_wait(instance, &set, all, args, index);
	else
		ret = ntsync_decide_many(instance, &set, all, args, index);
	ntsync_put_files(&set, set.total);
out:
	if (set.total > NTSYNC_SMALL_WAIT)
		kfree(set.objs);
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

	if (args.count == 1 && !args.alert && !ntsync_waits_are_traced())
		ret = ntsync_wait_one(instance, all, &args, writable);
	else
		ret = ntsync_wait_many(instance, all, &args, writable, &index);
	if ((!ret || ret == -EOWNERDEAD) && put_user(index, &uargs->index))
		return -EFAULT;
	return ret;
}

/* Creating objects */

/**
 * ntsync_create_sem() - %NTSYNC_IOC_CREATE_SEM: create a semaphore
 * @instance: where
 * @uargs: initial count, and maximum
 *
 * Serves NtCreateSemaphore.
 *
 * Context: may sleep.
 * Return: a file descriptor; -EFAULT if @uargs cannot be read; -EINVAL if the
 *	count is above the maximum; -ENOMEM; -EMFILE; -ENFILE.
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
 *	one of owner and count is 0; -ENOMEM; -EMFILE; -ENFILE.
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
 *	-EMFILE; -ENFILE.
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

/* Calls on objects */

/*
 * Give the caller two words, or none if one cannot be written.  If their address
 * is a multiple of eight they are on one page, and one store writes both or none.
 * Otherwise the second word shows that it can be written by being written first,
 * and the first one by what is there being written back.
 */
static int ntsync_put_pair(u32 __user *words, u32 first, u32 second)
{
	union {
		u32 words[2];
		u64 both;
	} pair = { .words = { first, second } };
	u32 value;

	if (!user_access_begin(words, sizeof(pair)))
		return -EFAULT;
	if (IS_ALIGNED((unsigned long)words, sizeof(pair))) {
		unsafe_put_user(pair.both, (u64 __user *)words, fault);
	} else {
		unsafe_get_user(value, &words[0], fault);
		unsafe_put_user(value, &words[0], fault);
		unsafe_put_user(second, &words[1], fault);
		unsafe_put_user(first, &words[0], fault);
	}
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
		return 0;
	ntsync_store(&sem->sem.count, *prev + count);
	if (*prev)
		return 0;
	ntsync_advance_seq(sem);
	return 1;
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

	if (!ntsync_lock(sem))
		return -EINTR;
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
		return 0;
	ntsync_advance_seq(mutex);
	return 1;
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
	ntsync_advance_seq(mutex);
	return 1;
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

	if (!ntsync_lock(mutex))
		return -EINTR;
	owner = mutex->mutex.owner;
	count = mutex->mutex.count;
	abandoned = mutex->abandoned;
	spin_unlock(&mutex->lock);
	if (ntsync_put_pair(&uargs->owner, owner, count))
		return -EFAULT;
	return abandoned ? -EOWNERDEAD : 0;
}

/*
 * Events.  A signal or reset cannot fail once the caller's memory is known to be
 * writable.  To find that out, the previous state that makes sense of the call is
 * written before.  It must not be what a look says: another thread that reads the
 * memory could tell that a step has begun.
 */

static int ntsync_event_set_step(struct ntsync_obj *event, u32 unused,
				 u32 *prev)
{
	*prev = event->event.signaled;
	if (*prev)
		return 0;
	ntsync_store(&event->event.signaled, 1);
	ntsync_advance_seq(event);
	return 1;
}

/**
 * ntsync_event_signal() - %NTSYNC_IOC_EVENT_SET and %NTSYNC_IOC_EVENT_PULSE
 * @event: the object
 * @op: which of them
 * @uarg: receives 1 if the event was set before, else 0
 *
 * Serves NtSetEvent and NtPulseEvent.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the object is no event; -EFAULT if @uarg cannot be
 *	written.
 */
static __always_inline long ntsync_event_signal(struct ntsync_obj *event,
						enum ntsync_op op,
						u32 __user *uarg)
{
	u32 prev;
	int ret;

	if (event->type != NTSYNC_EVENT)
		return -EINVAL;
	if (put_user(0, uarg))
		return -EFAULT;

	ret = ntsync_signal(event, ntsync_event_set_step, op, 0, &prev);
	if (ret)
		return ret;
	return likely(!prev) ? 0 : put_user(prev, uarg);
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
	if (put_user(1, uarg))
		return -EFAULT;

	if (!ntsync_lock(event))
		return -EINTR;
	prev = event->event.signaled;
	ntsync_store(&event->event.signaled, 0);
	spin_unlock(&event->lock);
	return likely(prev) ? 0 : put_user(prev, uarg);
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

	if (!ntsync_lock(event))
		return -EINTR;
	signaled = event->event.signaled;
	spin_unlock(&event->lock);
	return ntsync_put_pair(&uargs->manual, event->event.manual, signaled);
}

/* Polling a descriptor */

/*
 * The pollers of an object, made if there are none.  That must not fail: epoll
 * would not hear of it, and wait for an object of which it is never told.  They
 * may join the queue of a held object: they are last, and look after the step.
 */
static struct ntsync_pollers *ntsync_get_pollers(struct ntsync_obj *obj)
{
	struct ntsync_pollers *pollers, *new;

	spin_lock(&obj->lock);
	pollers = ntsync_find_pollers(obj);
	spin_unlock(&obj->lock);
	if (pollers)
		return pollers;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
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
 *	while it is unowned; %EPOLLERR if the thread is being killed.
 */
static __poll_t ntsync_obj_poll(struct file *file, poll_table *table)
{
	struct ntsync_obj *obj = file->private_data;
	struct ntsync_pollers *pollers;
	bool signaled;

	pollers = ntsync_get_pollers(obj);
	poll_wait(file, &pollers->queue, table);
	/* Locked, so that the state of a held object is not shown. */
	if (!ntsync_lock(obj))
		return EPOLLERR;
	signaled = ntsync_signaled(obj, 0);
	spin_unlock(&obj->lock);
	return signaled ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Looking inside: /proc/PID/fdinfo/FD */

/**
 * struct ntsync_reader - a thread that reads an object's fdinfo
 * @m: what it prints to
 * @start: when it began, in jiffies since boot
 * @waiters: how many waits it has met
 */
struct ntsync_reader {
	struct seq_file *m;
	u64 start;
	u32 waiters;
};

static const char * const ntsync_type_names[] = {
	[NTSYNC_SEM] = "semaphore",
	[NTSYNC_MUTEX] = "mutex",
	[NTSYNC_EVENT] = "event",
};

/* What keeps the wait in its place must be locked; that keeps its task too. */
static void ntsync_show_wait(struct ntsync_reader *reader,
			     const struct ntsync_wait *wait, u32 index)
{
	const struct ntsync_set *set = wait->set;
	struct seq_file *m = reader->m;

	if (reader->waiters++ >= NTSYNC_SHOWN_WAITS)
		return;
	seq_put_decimal_ull(m, "wait:\tserial=", wait->serial);
	seq_put_decimal_ll(m, " tid=", task_pid_vnr(wait->task));
	seq_puts(m, wait->all ? " kind=all" : " kind=any");
	seq_put_decimal_ull(m, " index=", index);
	seq_put_decimal_ull(m, " owner=", set->owner);
	seq_put_decimal_ull(m, " waited=",
			    jiffies64_to_nsecs(get_jiffies_64() - wait->start));
	seq_puts(m, wait->has_deadline ? " deadline=yes" : " deadline=no");
	seq_puts(m, set->total > set->count ? " alert=yes" : " alert=no");
	seq_put_decimal_ull(m, " objects=", set->count);
	seq_putc(m, '\n');
}

/* The waits-for-all that have the object in their set. */
static void ntsync_show_all_waits(struct ntsync_reader *reader,
				  const struct ntsync_obj *obj)
{
	struct ntsync_wait *wait;
	u32 index;

	if (mutex_lock_killable(&obj->instance->multi_lock))
		return;
	list_for_each_entry(wait, &obj->instance->all_waits, in_instance) {
		if (fatal_signal_pending(current))
			break;
		index = ntsync_index_of(wait->set, obj);
		if (atomic_read(&wait->result) == NTSYNC_PENDING &&
		    index < wait->set->count)
			ntsync_show_wait(reader, wait, index);
		cond_resched();
	}
	mutex_unlock(&obj->instance->multi_lock);
}

/*
 * Pass over the next wait in a locked object's queue and show it, once if the
 * object stands in it several times.  Returns whether there may be another one
 * that was queued when the reader began; ordinary ones are queued as they began.
 */
static bool ntsync_pass_wait(struct ntsync_reader *reader,
			     struct ntsync_entry *place, struct ntsync_obj *obj)
{
	struct ntsync_entry *entry = place;
	const struct ntsync_wait *wait;
	u32 readers = 0;

	if (list_empty(&place->node)) {
		ntsync_enqueue(obj, place);
		list_move(&place->node, &obj->queue);
		place->prio = INT_MIN;
	}
	do {
		if (list_is_last(&entry->node, &obj->queue))
			return false;
		entry = list_next_entry(entry, node);
		wait = entry->wait;
	} while (wait && !wait->set && readers++ < NTSYNC_BATCH);
	if (!wait || (wait->prio == MAX_RT_PRIO && wait->start > reader->start))
		return false;
	if (atomic_read(&wait->result) == NTSYNC_PENDING &&
	    wait->start <= reader->start &&
	    ntsync_index_of(wait->set, obj) == entry->index)
		ntsync_show_wait(reader, wait, entry->index);
	list_move(&place->node, &entry->node);
	place->prio = entry->prio;
	return !fatal_signal_pending(current);
}

/*
 * The waits that have an entry in the object's queue.  While the lock is dropped
 * the reader keeps its place there by an entry of a canceled wait.  A granter who
 * meets that takes it off; all that stood before it is gone then.
 */
static void ntsync_show_queue(struct ntsync_reader *reader, struct ntsync_obj *obj)
{
	struct ntsync_wait wait = { .result = ATOMIC_INIT(NTSYNC_CANCELED) };
	struct ntsync_entry place = { .wait = &wait };
	bool more;

	INIT_LIST_HEAD(&place.node);
	do {
		more = ntsync_lock(obj);
		if (more)
			more = ntsync_pass_wait(reader, &place, obj);
		else
			spin_lock(&obj->lock);
		if (!more && !list_empty(&place.node))
			ntsync_dequeue(obj, &place);
		spin_unlock(&obj->lock);
		cond_resched();
	} while (more);
}

static void ntsync_obj_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ntsync_reader reader = { .m = m, .start = get_jiffies_64() };
	struct ntsync_obj *obj = file->private_data;

	seq_printf(m, "instance:\t%u\nobject:\t%u\ntype:\t%s\n",
		   obj->instance->id, obj->id, ntsync_type_names[obj->type]);
	if (!ntsync_lock(obj))
		return;
	switch (obj->type) {
	case NTSYNC_SEM:
		seq_printf(m, "count:\t%u\nmax:\t%u\n", obj->sem.count, obj->sem.max);
		break;
	case NTSYNC_MUTEX:
		seq_printf(m, "owner:\t%u\ncount:\t%u\nabandoned:\t%d\n",
			   obj->mutex.owner, obj->mutex.count, obj->abandoned);
		break;
	case NTSYNC_EVENT:
		seq_printf(m, "manual:\t%u\nsignaled:\t%u\n",
			   obj->event.manual, obj->event.signaled);
		break;
	}
	spin_unlock(&obj->lock);
	ntsync_show_all_waits(&reader, obj);
	ntsync_show_queue(&reader, obj);
	seq_printf(m, "waiters:\t%u\n", reader.waiters);
}

static void ntsync_dev_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ntsync_instance *instance = file->private_data;

	/* The device's own reference counts for no object. */
	seq_printf(m, "instance:\t%u\nobjects:\t%u\n", instance->id,
		   kref_read(&instance->ref) - 1);
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
		return ntsync_event_signal(obj, NTSYNC_SET, argp);
	case NTSYNC_IOC_EVENT_RESET:
		return ntsync_event_reset(obj, argp);
	case NTSYNC_IOC_EVENT_PULSE:
		return ntsync_event_signal(obj, NTSYNC_PULSE, argp);
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
	mutex_init(&instance->multi_lock);
	INIT_LIST_HEAD(&instance->all_waits);
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

MODULE_AUTHOR("The ntsync authors");
MODULE_DESCRIPTION("Windows NT synchronization objects");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0.0");
