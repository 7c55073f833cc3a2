/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mutex: its owner, who may acquire it again, threads that wait for it, urgently
 * or not, unlock it, or declare its owner dead, and waits that give up at any moment.
 * Names are those of ntsync.c.
 *
 * A signal is made under the lock or, as if the queue were long, with the mutex held
 * and its queue served in batches, here of one.  An urgent wait moves ahead one place
 * at a time, and the lock is free after each.  What is done without dropping the lock
 * is one step here, and so is a wake; grant.pml has all of that.
 *
 * Whenever the mutex is neither locked nor held, no one in its queue could have it.
 * Of two waits for a free mutex that are in their places, the more urgent one gets it.
 * Each death is told to one thread that acquires the mutex.  No thread sleeps for ever.
 *
 * code: ntsync_acquire ntsync_dequeue ntsync_enqueue ntsync_find_owner
 * code: ntsync_insert_by_owner ntsync_move_ahead ntsync_mutex_kill_step
 * code: ntsync_mutex_unlock_step ntsync_next_entry ntsync_queue_entry
 * code: ntsync_serve_queue ntsync_signaled
 *
 * sizes: HOLDS=1 MOST=2
 * break: FIRST_ONLY		the first in the queue is served, not the owner
 * break: KILL_SILENT		a mutex whose owner died serves no one
 * break: UNLOCK_SILENT		a mutex that was unlocked for the last time serves no one
 * break: STAYS_ABANDONED	a mutex is still abandoned when it has been acquired
 * break: ENDED_LAST		a wait that has ended is the last to be served
 * break: ONE_BATCH		only one batch of a long queue is served
 * break: NO_MOVE		an urgent wait stays at the end of the queue
 * break: MOVE_UNLINKED		... or moves ahead after it has been served
 *
 * sizes: HOLDS=2 MOST=2
 * break: FULL_UNLOCK_SILENT	a mutex that could not be acquired again serves no one then
 *
 * sizes: HOLDS=2 MOST=1
 */

#define THREADS		3
#define NONE		255

#define PENDING		200
#define CANCELED	201
#define GRANTED		0

/* Threads 0 and 1 wait with the same owner, and the third is urgent. */
#define owner_of(i)	(i == 2 -> 2 : 1)
#define urgent(i)	(i == 2)

/* Who has the mutex in the beginning. */
#define HOLDER		3

typedef wait {
	byte result;
	bool done;
	bool linked;
	bool placed		/* has come to its place in the queue */
}

wait w[THREADS];
byte queue[THREADS];		/* NONE after the last */
byte owner = HOLDER;
byte count = 1;
bool abandoned;
bool held;
bool multi_locked;
short untold;		/* deaths, but for those that an acquirer was told of */
byte finished;

#define signaled(o)	(owner == 0 || owner == o && count < MOST)

/* Could have the mutex, and has been left in its queue. */
#define left(i)		(w[i].linked && w[i].result == PENDING && \
			 signaled(owner_of(i)))

#define no_one_left	(held || !left(0) && !left(1) && !left(2))

inline enqueue(i)
{
	d_step {
		n = 0;
		do
		:: queue[n] != NONE -> n++
		:: else -> break
		od;
		queue[n] = i;
		w[i].linked = true;
		w[i].placed = !urgent(i);
		n = 0
	}
}

inline dequeue(i)
{
	d_step {
		assert(w[i].linked);
		w[i].linked = false;
		n = 0;
		do
		:: queue[n] != i -> n++
		:: else -> break
		od;
		do
		:: n < THREADS - 1 -> queue[n] = queue[n + 1]; n++
		:: else -> break
		od;
		queue[n] = NONE;
		n = 0
	}
}

/* One place ahead; sets there if none was left to pass. */
inline move_one(i)
{
	d_step {
		assert(w[i].linked);
		n = 0;
		do
		:: queue[n] != i -> n++
		:: else -> break
		od;
		if
		:: n == 0 -> there = true
		:: else ->
			queue[n] = queue[n - 1];
			queue[n - 1] = i
		fi;
		n = 0
	}
}

inline move_ahead(i)
{
#ifndef NO_MOVE
	do
#ifdef MOVE_UNLINKED
	:: atomic { !there -> move_one(i) }
	:: there -> break
#else
	:: atomic { w[i].linked && !there -> move_one(i) }
	:: !w[i].linked || there -> break
#endif
	od;
#endif
	w[i].placed = true
}

/* Sets won. */
inline claim(i, value)
{
	d_step {
		won = w[i].result == PENDING;
		if
		:: won -> w[i].result = value
		:: else
		fi
	}
}

inline acquire(i)
{
	d_step {
		assert(signaled(owner_of(i)));
		owner = owner_of(i);
		count++;
		untold = untold - abandoned;
#ifndef STAYS_ABANDONED
		abandoned = false
#endif
	}
}

/* Sets next, which is NONE if there is no one to be served. */
inline next_entry()
{
	d_step {
		next = queue[0];
#ifndef FIRST_ONLY
		if
		:: owner ->
			n = 0;
			do
			:: n < THREADS && queue[n] != NONE && owner_of(queue[n]) != owner ->
				n++
			:: else -> break
			od;
			next = (n < THREADS -> queue[n] : NONE);
			n = 0
		:: else
		fi;
#endif
		if
		:: next == NONE
		:: else ->
			if
			:: !signaled(owner_of(next)) -> next = NONE
			:: else
			fi
		fi
	}
}

/* A more urgent wait that is in its place is not passed by. */
#define passed_by(i)	(owner == 0 && !urgent(i) && w[2].linked && \
			 w[2].placed && w[2].result == PENDING)

/* Serve the queue, or one batch of it; sets more. */
inline serve_queue(batch)
{
	more = false;
	do
	:: true ->
		next_entry();
		if
		:: next == NONE -> break
		:: else
		fi;
		if
		:: batch && more -> break
		:: else
		fi;
		assert(!passed_by(next));
		dequeue(next);
		claim(next, GRANTED);
		if
		:: won ->
			acquire(next);
			w[next].done = true
#ifdef ENDED_LAST
		:: else -> break
#else
		:: else
#endif
		fi;
		more = true
	od;
	if
	:: next == NONE -> more = false
	:: else
	fi
}

/* Sets signals. */
inline step(dies, who)
{
	d_step {
		signals = false;
		if
		:: owner != who
		:: owner == who && dies ->
			abandoned = true;
			untold++;
			owner = 0;
			count = 0;
#ifndef KILL_SILENT
			signals = true
#endif
		:: owner == who && !dies ->
			count--;
			if
			:: count == 0 ->
				owner = 0;
#ifndef UNLOCK_SILENT
				signals = true
#endif
#ifndef FULL_UNLOCK_SILENT
			:: count == MOST - 1 && count > 0 -> signals = true
			:: count != MOST - 1 && count > 0
#else
			:: count > 0
#endif
			fi
		fi
	}
}

inline forget() { d_step { next = 0; won = false; more = false; signals = false } }

inline signal(dies, who)
{
	if
	:: atomic {
		!held ->
		step(dies, who);
		if
		:: signals -> serve_queue(false)
		:: else
		fi;
		assert(no_one_left);
		forget()
	}
	:: signal_slow(dies, who)
	fi
}

inline signal_slow(dies, who)
{
	atomic {
		!multi_locked ->
		multi_locked = true;
		held = true;
		step(dies, who);
		more = signals
	}
	do
	:: atomic {
		more ->
		serve_queue(true);
#ifdef ONE_BATCH
		more = false
#endif
	}
	:: !more -> break
	od;
	atomic {
		held = false;
		assert(no_one_left);
		multi_locked = false;
		forget()
	}
}

/* Sets won if the wait has acquired the mutex. */
inline block(i)
{
	atomic {
		!held ->
		w[i].result = PENDING;
		w[i].done = false;
		there = !urgent(i);
		if
		:: signaled(owner_of(i)) ->
			w[i].result = GRANTED;
			acquire(i);
			w[i].done = true
		:: else -> enqueue(i)
		fi
	}
	if
	:: urgent(i) && !w[i].done -> move_ahead(i)
	:: else
	fi;
	if
	:: atomic { w[i].done -> won = true }
	:: atomic {
		impatient ->
		claim(i, CANCELED);
		if
		:: won -> won = false
		:: else -> won = true
		fi
	}
	fi;
	atomic {
		if
		:: w[i].linked && w[i].result == CANCELED -> dequeue(i)
		:: else
		fi
	}
	atomic {
		w[i].done || !won ->
		there = false;
		w[i].result = 0;
		w[i].done = false;
		w[i].placed = false
	}
}

/* What it has acquired it unlocks, or its owner dies. */
proctype Thread(byte me)
{
	byte n, next, rounds, holds;
	bool won, more, signals, there, impatient;

	if
	:: impatient = true
	:: impatient = false
	fi;
	rounds = (me == 0 -> HOLDS : 1);
	do
	/* The second time, a mutex that takes no more would never come. */
	:: rounds > 0 && !(holds > 0 && MOST == 1) ->
		rounds--;
		block(me);
		atomic { holds = holds + won; won = false }
	:: else -> break
	od;
	if
	:: holds > 0 -> signal(true, owner_of(me)); holds = 0
	:: true
	fi;
	do
	:: holds > 0 -> holds--; signal(false, owner_of(me))
	:: else -> break
	od;
	finished++
}

proctype Holder()
{
	byte n, next;
	bool won, more, signals;

	if
	:: signal(true, HOLDER)
	:: signal(false, HOLDER)
	fi;
	finished++
}

init
{
	atomic {
		queue[0] = NONE;
		queue[1] = NONE;
		queue[2] = NONE;
		run Thread(0);
		run Thread(1);
		run Thread(2);
		run Holder()
	}
	finished == THREADS + 1;
	assert(untold == abandoned);
	assert(queue[0] == NONE && owner == 0 && count == 0)
}
