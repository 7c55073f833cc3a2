/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Granting and waking: waits for any of two semaphores, threads that release
 * them, and waits that give up at any moment.  Names are those of ntsync.c.
 *
 * A release is made under the semaphore's lock or, as if the queue were long, with
 * the semaphore held and its queue served in batches, here of one.  Meanwhile the
 * lock is free: waits may leave the queue, and none may join it.
 *
 * A wait lives on its waiter's stack: no other thread may touch it once the waiter
 * has returned, nor the waiter's task once that has been freed.  Each wait that
 * succeeds has acquired one object, each that fails none.  No thread sleeps on
 * while a semaphore it waits for has a unit to give.
 *
 * code: ntsync_acquire ntsync_block ntsync_cancel ntsync_claim ntsync_dequeue
 * code: ntsync_enqueue ntsync_hold ntsync_lock ntsync_queue
 * code: ntsync_queue_entry ntsync_release ntsync_sem_release_step
 * code: ntsync_serve_and_wake ntsync_serve_queue ntsync_signal
 * code: ntsync_signal_slow ntsync_sleep ntsync_unqueue ntsync_wake_all
 * code: ntsync_wake_first ntsync_wakes_add
 *
 * sizes: SIGNALERS=1 RELEASES=1 WAITERS=2 WAITS=1
 * break: NO_EXCHANGE		a wait is granted without compare-and-exchange
 * break: CANCEL_PLAIN		a wait is canceled without compare-and-exchange
 * break: DONE_BEFORE_UNLINK	done is set before the granted entry is unlinked
 * break: LEAVE_AT_ONCE		a waiter that lost the exchange does not wait for done
 * break: NEXT_AFTER_DONE	the next wait to wake is read after done is set
 * break: TASK_AFTER_DONE	the task to wake is read after done is set
 * break: NO_RCU		the task is woken outside an RCU read section
 * break: STATE_AFTER_LOOK	the task says that it sleeps after it read done
 * break: NO_OFFER		a release does not look for waiters
 * break: SERVE_UNLOCKED	the queue of a held semaphore is walked without its lock
 * break: ONE_BATCH		... or only one batch of it
 * break: JOIN_HELD		a wait joins the queue of a held semaphore
 *
 * sizes: SIGNALERS=2 RELEASES=2 WAITERS=1 WAITS=2
 * break: UNQUEUE_FIRST		a wait leaves its queues before it is canceled
 * break: SKIP_LAST		a wait leaves without looking at its last queue
 *
 * sizes: SIGNALERS=1 RELEASES=2 WAITERS=2 WAITS=1
 */

#define OBJECTS		2
#define NONE		255

#define PENDING		200
#define CANCELED	201

typedef object {
	bool locked;
	bool held;
	bool offered;
	byte count;
	/* Waiters in the order of service, NONE after the last. */
	byte queue[2]
}

typedef wait {
	byte result;
	bool done;
	byte next_wake;
	bool linked[OBJECTS]
}

typedef thread {
	bool asleep;
	bool exited;
	bool freed;
	/* Whether the wait on its stack is there, and what it acquired. */
	bool waits;
	byte acquired
}

object obj[OBJECTS];
bool multi_locked;
wait w[2];
thread task[2];
bool reads[2];		/* is in an RCU read section */
bool read_before[4];	/* ... that began before the exit of a waiter */
byte finished;

inline lock(o) { atomic { !obj[o].locked -> obj[o].locked = true } }
inline unlock(o) { obj[o].locked = false }
inline lock_multi() { atomic { !multi_locked -> multi_locked = true } }
inline unlock_multi() { multi_locked = false }

inline ntsync_lock(o)
{
	lock(o);
	if
#ifndef JOIN_HELD
	:: obj[o].held ->
		unlock(o);
		lock_multi();
		lock(o);
		unlock_multi()
#endif
	:: else
	fi
}

/* It is locked for a moment. */
inline hold(o) { atomic { !obj[o].locked -> obj[o].held = true } }

inline enqueue(o, i)
{
	d_step {
		if
		:: obj[o].queue[0] == NONE -> obj[o].queue[0] = i
		:: else ->
			assert(obj[o].queue[1] == NONE);
			obj[o].queue[1] = i
		fi;
		w[i].linked[o] = true
	}
}

inline dequeue(o, i)
{
	d_step {
		assert(task[i].waits);
		assert(w[i].linked[o]);
		w[i].linked[o] = false;
		if
		:: obj[o].queue[0] == i ->
			obj[o].queue[0] = obj[o].queue[1]
		:: else -> assert(obj[o].queue[1] == i)
		fi;
		obj[o].queue[1] = NONE
	}
}

/*
 * Objects are taken in the order of the array, and taken is an object at the
 * exchange.  An earlier one that is being offered then is signaled after it.
 */
#define in_order(value)	(value != 1 || !obj[0].count || obj[0].offered)

/* Sets won. */
inline claim(i, value)
{
#ifdef NO_EXCHANGE
	assert(task[i].waits);
	won = w[i].result == PENDING;
	if
	:: won -> assert(task[i].waits); w[i].result = value
	:: else
	fi
#else
	atomic {
		assert(task[i].waits);
		won = w[i].result == PENDING;
		if
		:: won -> assert(in_order(value)); w[i].result = value
		:: else
		fi
	}
#endif
}

inline acquire(o, i, mine)
{
	d_step {
		assert((mine || obj[o].locked) && obj[o].held == mine);
		assert(obj[o].count > 0);
		obj[o].count--;
		task[i].acquired++
	}
}

inline wakes_add(i)
{
	d_step {
		assert(task[i].waits);
		w[i].next_wake = NONE;
		if
		:: first == NONE -> first = i
		:: else -> assert(task[last].waits); w[last].next_wake = i
		fi;
		last = i
	}
}

inline set_done(i)
{
	d_step { assert(task[i].waits); w[i].done = true }
}

inline wake_up_process(i)
{
	d_step { assert(!task[i].freed); task[i].asleep = false }
}

inline rcu_read_lock()
{
#ifndef NO_RCU
	reads[me] = true
#else
	skip
#endif
}

inline rcu_read_unlock()
{
	d_step {
		reads[me] = false;
		read_before[2 * me] = false;
		read_before[2 * me + 1] = false
	}
}

inline wake_first()
{
	atomic {
		i = first;
		assert(task[i].waits);
#ifndef NEXT_AFTER_DONE
		first = w[i].next_wake;
#endif
	}
	rcu_read_lock();
	set_done(i);
#ifdef TASK_AFTER_DONE
	assert(task[i].waits);
#endif
	wake_up_process(i);
	rcu_read_unlock();
#ifdef NEXT_AFTER_DONE
	atomic { assert(task[i].waits); first = w[i].next_wake }
#endif
}

/* Serve the queue, or one batch of it. */
inline serve_queue(o, batch)
{
	do
	:: obj[o].queue[0] != NONE && obj[o].count > 0 ->
		i = obj[o].queue[0];
#ifdef DONE_BEFORE_UNLINK
		claim(i, o);
		if
		:: won ->
			acquire(o, i, batch);
			set_done(i);
			wake_up_process(i)
		:: else
		fi;
		dequeue(o, i)
#else
		dequeue(o, i);
		claim(i, o);
		if
		:: won -> acquire(o, i, batch); wakes_add(i)
		:: else
		fi
#endif
		;
		if
		:: batch -> break
		:: else
		fi
	:: else -> more = false; break
	od
}

inline release_step()
{
	atomic {
		obj[me].offered = true;
		if
		:: obj[me].count++
		:: obj[me].count = obj[me].count + 2
		fi
	}
}

inline sem_release()
{
	lock(me);
	release_step();
#ifndef NO_OFFER
	serve_queue(me, false);
#endif
	atomic { obj[me].offered = false; unlock(me) }
}

inline sem_release_slow()
{
	lock_multi();
	hold(me);
	release_step();
	more = true;
	do
	:: more ->
#ifdef SERVE_UNLOCKED
		serve_queue(me, true)
#else
		lock(me);
		serve_queue(me, true);
		unlock(me)
#endif
#ifdef ONE_BATCH
		;
		more = false
#endif
	:: else -> break
	od;
	atomic { obj[me].offered = false; obj[me].held = false }
	unlock_multi()
}

proctype Signaler(byte me)
{
	byte i, first, last, n;
	bool won, more;

	do
	:: n < RELEASES ->
		n++;
		first = NONE;
		if
		:: sem_release()
		:: sem_release_slow()
		fi;
		do
		:: first != NONE -> wake_first()
		:: else -> break
		od;
		atomic { i = 0; last = 0; won = false; more = false }
	:: else -> break
	od;
	finished++
}

/* Sets queued, and done if it acquired an object. */
inline queue_all()
{
	do
	:: queued < OBJECTS && w[me].result == PENDING ->
		ntsync_lock(queued);
		if
		:: obj[queued].count == 0 ->
			enqueue(queued, me);
			unlock(queued);
			queued++
		:: else ->
			claim(me, queued);
			if
			:: won -> acquire(queued, me, false); w[me].done = true
			:: else
			fi;
			unlock(queued);
			break
		fi
	:: else -> break
	od
}

#define nothing_comes	(finished == SIGNALERS && obj[0].count == 0 && \
			 obj[1].count == 0)

/* Sets failed when it has given up. */
inline sleep()
{
	do
	::
#ifdef STATE_AFTER_LOOK
		if
		:: w[me].done -> break
		:: else
		fi;
		task[me].asleep = true;
#else
		task[me].asleep = true;
		if
		:: w[me].done -> break
		:: else
		fi;
#endif
		if
		:: !task[me].asleep
		/* The deadline, or a signal. */
		:: impatient -> failed = true; break
		/* The end of the world. */
		:: nothing_comes && w[me].result == PENDING ->
			failed = true;
			break
		fi
	od;
	task[me].asleep = false
}

inline sleep_until_done()
{
	do
	::
		task[me].asleep = true;
		if
		:: w[me].done -> break
		:: else
		fi;
		!task[me].asleep
	od;
	task[me].asleep = false
}

inline unqueue()
{
	n = 0;
	do
#ifdef SKIP_LAST
	:: n < queued && n < OBJECTS - 1 ->
#else
	:: n < queued ->
#endif
		if
		:: n == w[me].result
		:: else ->
			lock(n);
			if
			:: w[me].linked[n] -> dequeue(n, me)
			:: else
			fi;
			unlock(n)
		fi;
		n++
	:: else -> break
	od
}

inline cancel()
{
#ifdef CANCEL_PLAIN
	won = w[me].result == PENDING;
	if
	:: won -> w[me].result = CANCELED
	:: else
	fi
#else
	claim(me, CANCELED)
#endif
}

inline block()
{
	d_step {
		task[me].waits = true;
		w[me].result = PENDING
	}
	queue_all();
	sleep();
#ifdef UNQUEUE_FIRST
	if
	:: failed -> unqueue()
	:: else
	fi;
#endif
	if
	:: failed ->
		cancel();
		if
		:: !won ->
#ifndef LEAVE_AT_ONCE
			sleep_until_done();
#endif
			failed = false
		:: else
		fi
	:: else
	fi;
	unqueue();
	atomic {
		assert(failed -> task[me].acquired == 0 :
				 task[me].acquired == 1);
		assert(failed || w[me].result < OBJECTS);
		task[me].waits = false;
		task[me].acquired = 0;
		w[me].result = 0;
		w[me].done = false;
		w[me].next_wake = 0;
		failed = false;
		won = false;
		queued = 0;
		n = 0
	}
}

/* The memory of its waits, one after another, is the same. */
proctype Waiter(byte me)
{
	byte n, queued, rounds;
	bool failed, won, impatient;

	do
	:: rounds < WAITS ->
		rounds++;
		if
		:: impatient = true
		:: impatient = false
		fi;
		block()
	:: else -> break
	od;
	/* The task is freed when those that may know it are gone. */
	atomic {
		task[me].exited = true;
		read_before[me] = reads[0];
		read_before[2 + me] = reads[1]
	}
	atomic {
		!read_before[me] && !read_before[2 + me] ->
		task[me].freed = true
	}
}

init
{
	atomic {
		obj[0].queue[0] = NONE;
		obj[0].queue[1] = NONE;
		obj[1].queue[0] = NONE;
		obj[1].queue[1] = NONE;
		run Signaler(0);
		run Waiter(0);
#if SIGNALERS > 1
		run Signaler(1);
#endif
#if WAITERS > 1
		run Waiter(1)
#endif
	}
}
