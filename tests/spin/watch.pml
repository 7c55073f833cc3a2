/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits for all and their watches: waits for all of some auto-reset events,
 * threads that set, reset and pulse these, an alert of the first waiter, and waits
 * that give up at any moment.  Names are those of ntsync.c.
 *
 * While no thread has multi_lock, each wait that is queued watches exactly one of
 * its events, that event is unset, and no event is held.  All events are acquired
 * at one instant.  No wait gives up while all that it waits for are set.  No thread
 * sleeps on while all are set, nor after a pulse if all others stayed set until its
 * end, and none waits for a lock for ever.  A wait lives on its waiter's stack and is
 * not touched once the waiter has returned.
 *
 * code: ntsync_acquire_all ntsync_block ntsync_cancel ntsync_claim ntsync_end_signal
 * code: ntsync_event_reset ntsync_event_set_step ntsync_find_unsignaled
 * code: ntsync_grant ntsync_hold ntsync_hold_locked ntsync_link_watch
 * code: ntsync_lock ntsync_move_watch ntsync_queue ntsync_queue_all
 * code: ntsync_release_set ntsync_serve_watchers ntsync_signal
 * code: ntsync_signal_slow ntsync_sleep ntsync_try_acquire_all ntsync_try_all
 * code: ntsync_try_all_held ntsync_try_watch ntsync_trylock_objs
 * code: ntsync_unqueue ntsync_unqueue_all ntsync_wake_all ntsync_wake_first
 *
 * sizes: EVENTS=2 WAITERS=1 WAITS=1 SETS=1 ALERTS=1 PULSES=0
 * break: NO_MUTEX		watchers are served without multi_lock
 * break: MUTEX_INSIDE		multi_lock is taken with an event locked
 * break: STEP_FIRST		an event is set before it is known that a wait watches it
 * break: LOCK_ANYWAY		ntsync_lock() does not look whether its event is held
 * break: WATCH_UNCHECKED	an event is watched whatever its state
 * break: WATCH_UNLOCKED	an unwatched event comes to be watched without its lock
 * break: GRANT_UNCHECKED	a wait is granted though events look unset
 * break: RELEASE_EARLY		events are released before they are acquired
 * break: KEEP_FRESH		... or not at all if the wait was alerted meanwhile
 * break: CANCEL_OUTSIDE	a wait is given up without multi_lock
 * break: LEAVE_WATCH		a waiter that gives up leaves the watch behind
 * break: LEAVE_OUTSIDE		... or takes it off without multi_lock
 * break: LEAVE_AT_ONCE		a waiter that lost the exchange does not wait for done
 *
 * sizes: EVENTS=3 WAITERS=1 WAITS=1 SETS=1 ALERTS=0 PULSES=0
 *
 * sizes: EVENTS=2 WAITERS=1 WAITS=2 SETS=2 ALERTS=0 PULSES=0
 * break: HOLD_UNLOCKED		an event is held while another thread has it locked
 * break: SIGNAL_ANYWAY		a signal does not look whether its event is held
 * break: TRY_ANYWAY		... nor does a wait that tries locks
 * break: DROP_FIRST		multi_lock, waited for, is dropped before the lock is taken
 *
 * sizes: EVENTS=2 WAITERS=2 WAITS=1 SETS=1 ALERTS=0 PULSES=0
 * break: WAIT_FOR_SECOND	a wait that finds all set waits for the locks
 *
 * sizes: EVENTS=2 WAITERS=1 WAITS=1 SETS=1 ALERTS=1 PULSES=1
 * break: PULSE_FIRST		a pulse ends before watchers are served
 * break: PULSE_STAYS		... or not at all
 *
 * sizes: EVENTS=2 WAITERS=1 WAITS=1 SETS=2 ALERTS=0 PULSES=1
 */

#define NONE		255

#define PENDING		200
#define CANCELED	201
#define ALERTED		EVENTS

typedef event {
	bool locked;
	bool held;
	bool set;
	bool watchers[2]
}

typedef wait {
	byte result;
	bool done;
	bool queued;
	/* In the queue of the alert. */
	bool linked;
	byte watched
}

typedef thread {
	bool asleep;
	bool waits
}

/* The last one is the alert of the first waiter. */
event ev[EVENTS + 1];
wait w[2];
thread task[2];
bool multi_locked;
byte finished;
/* A pulse has to end these waits, unless an event becomes unset before it ends. */
bool owed[2];

#if EVENTS == 2
#define all_set		(ev[0].set && ev[1].set)
#define watching(i)	(ev[0].watchers[i] + ev[1].watchers[i])
#define any_held	(ev[0].held || ev[1].held || ev[2].held)
#else
#define all_set		(ev[0].set && ev[1].set && ev[2].set)
#define watching(i)	(ev[0].watchers[i] + ev[1].watchers[i] + \
			 ev[2].watchers[i])
#define any_held	(ev[0].held || ev[1].held || ev[2].held || ev[3].held)
#endif

#define is_watched(o)	(ev[o].watchers[0] || ev[o].watchers[1])

/* What holds while no thread has multi_lock. */
#define watch_is_right(i) \
	(!w[i].queued || w[i].result != PENDING || \
	 (watching(i) == 1 && ev[w[i].watched].watchers[i] && \
	  !ev[w[i].watched].set))

inline lock(o) { atomic { !ev[o].locked -> ev[o].locked = true } }

inline unlock(o)
{
	atomic {
		ev[o].locked = false;
		assert(multi_locked || watch_is_right(0));
		assert(multi_locked || watch_is_right(1))
	}
}

inline lock_multi() { atomic { !multi_locked -> multi_locked = true } }

inline unlock_multi()
{
	atomic {
		multi_locked = false;
		assert(watch_is_right(0));
		assert(watch_is_right(1));
		assert(!any_held)
	}
}

inline ntsync_lock(o)
{
	lock(o);
#ifndef LOCK_ANYWAY
	if
	:: ev[o].held ->
		unlock(o);
		lock_multi();
#ifdef DROP_FIRST
		unlock_multi();
		lock(o)
#else
		lock(o);
		unlock_multi()
#endif
	:: else
	fi
#endif
}

/* It is locked for a moment. */
inline hold(o)
{
	if
	:: ev[o].held
	:: else ->
#ifdef HOLD_UNLOCKED
		ev[o].held = true
#else
		atomic { !ev[o].locked -> ev[o].held = true }
#endif
	fi
}

/* All events, and of the first waiter the alert, one after the other. */
inline release_set(alert)
{
	n = 0;
	do
	:: n < EVENTS + ALERTS * (alert) -> assert(ev[n].held); ev[n].held = false; n++
	:: else -> n = 0; break
	od
}

/* Watch an event that is locked, held or watched, if it is unset. */
inline try_watch(i, o)
{
	d_step {
		assert(task[i].waits);
#ifdef WATCH_UNCHECKED
		moved = true;
#else
		moved = !ev[o].set;
#endif
		if
		:: moved ->
			if
			:: w[i].watched != NONE ->
				assert(ev[w[i].watched].watchers[i]);
				ev[w[i].watched].watchers[i] = false
			:: else
			fi;
			ev[o].watchers[i] = true;
			w[i].watched = o
		:: else
		fi
	}
}

inline unwatch(i)
{
	d_step {
		assert(task[i].waits);
		if
		:: w[i].watched != NONE ->
			assert(ev[w[i].watched].watchers[i]);
			ev[w[i].watched].watchers[i] = false;
			w[i].watched = NONE
		:: else
		fi
	}
}

/* found: an event that looks unset, which one being left open, or NONE. */
inline find_unsignaled()
{
	found = NONE;
	n = 0;
	do
	:: n < EVENTS ->
		if
		:: !ev[n].set -> found = n
		:: !ev[n].set && found != NONE
		:: ev[n].set
		fi;
		n++
	:: else -> n = 0; break
	od
}

/* Sets moved. */
inline move_watch(i)
{
	find_unsignaled();
	moved = false;
	if
	:: found == NONE || found == w[i].watched
	:: else ->
		if
#ifndef WATCH_UNLOCKED
		:: !is_watched(found) && !ev[found].held ->
			lock(found);
			try_watch(i, found);
			unlock(found)
#endif
		:: else -> try_watch(i, found)
		fi
	fi
}

/* Sets won.  No wait is given up while all that it waits for are set. */
inline claim(i, value)
{
	atomic {
		assert(task[i].waits);
		won = w[i].result == PENDING;
		if
		:: won ->
			assert(value != CANCELED || !all_set);
			w[i].result = value
		:: else
		fi
	}
}

/* All of them are the caller's, held or locked. */
inline acquire_all(owned)
{
	d_step {
		assert(all_set);
		n = 0;
		do
		:: n < EVENTS ->
			assert(owned);
			ev[n].set = false;
			n++
		:: else -> n = 0; break
		od;
		owed[0] = false;
		owed[1] = false
	}
}

/* Release what grant() has held. */
inline release_fresh()
{
	do
	:: n > 0 ->
		n--;
		if
		:: fresh[n] -> fresh[n] = false; ev[n].held = false
		:: else
		fi
	:: else -> break
	od
}

/*
 * Sets won if the wait was granted; else it watches something, or was alerted.  All
 * that it holds is released later, but for what it held in vain.
 */
inline grant(i)
{
	n = 0;
	moved = false;
	do
	:: n < EVENTS + ALERTS && !moved ->
		if
		:: !ev[n].held ->
			lock(n);
#ifndef GRANT_UNCHECKED
			if
			:: n < EVENTS -> try_watch(i, n)
			:: else
			fi;
#endif
			if
			:: !moved -> ev[n].held = true; fresh[n] = true
			:: else
			fi;
			unlock(n)
		:: else
		fi;
		n++
	:: else -> break
	od;
	won = false;
	if
	:: !moved -> claim(i, 0)
	:: else
	fi;
#ifdef RELEASE_EARLY
	release_fresh();
#endif
	if
	:: won -> acquire_all(ev[n].held)
	:: else ->
#ifndef KEEP_FRESH
		release_fresh()
#endif
	fi;
	atomic {
		n = 0;
		do
		:: n <= EVENTS -> fresh[n] = false; n++
		:: else -> n = 0; break
		od
	}
}

inline serve_watchers(o)
{
	i = 0;
	do
	:: i < 2 ->
		if
		:: ev[o].watchers[i] && ev[o].set ->
			move_watch(i);
			if
			:: !moved ->
				unwatch(i);
				if
				:: w[i].result == PENDING ->
					grant(i);
					wakes[i] = won
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		i++
	:: else -> i = 0; break
	od
}

inline set_done(i)
{
	d_step {
		assert(task[i].waits);
		w[i].done = true;
		task[i].asleep = false
	}
}

inline wake_all()
{
	do
	:: i < 2 ->
		if
		:: wakes[i] -> wakes[i] = false; set_done(i)
		:: else
		fi;
		i++
	:: else -> i = 0; break
	od
}

#define is_owed(i)	(w[i].queued && w[i].result == PENDING && all_set)

inline end_pulse(o)
{
	d_step {
		assert(!owed[0] || w[0].result != PENDING);
		assert(!owed[1] || w[1].result != PENDING);
		owed[0] = false;
		owed[1] = false;
#ifndef PULSE_STAYS
		ev[o].set = false
#endif
	}
}

/* Outside of a signal's step; a pulse that finds it unset need not end a wait. */
inline unset(o)
{
	d_step {
		ev[o].set = false;
		owed[0] = false;
		owed[1] = false
	}
}

inline signal_slow(o)
{
#ifndef NO_MUTEX
	lock_multi();
#endif
	hold(o);
	d_step {
		ev[o].set = true;
		if
		:: pulse -> owed[0] = is_owed(0); owed[1] = is_owed(1)
		:: else
		fi
	}
#ifdef PULSE_FIRST
	if
	:: pulse -> ev[o].set = false
	:: else
	fi;
#endif
	serve_watchers(o);
	if
	:: pulse -> end_pulse(o)
	:: else
	fi;
	/* What it granted, and its event. */
	if
	:: wakes[0] || wakes[1] -> release_set(wakes[0])
	:: else
	fi;
	ev[o].held = false;
#ifndef NO_MUTEX
	unlock_multi();
#endif
	wake_all()
}

#ifdef SIGNAL_ANYWAY
#define goes_slow(o)	is_watched(o)
#else
#define goes_slow(o)	(ev[o].held || is_watched(o))
#endif

inline signal(o)
{
	lock(o);
#ifdef STEP_FIRST
	ev[o].set = true;
#endif
	if
	:: goes_slow(o) ->
#ifdef MUTEX_INSIDE
		lock_multi();
		unlock(o);
		unlock_multi();
#else
		unlock(o);
#endif
		signal_slow(o)
	:: else ->
		assert(!ev[o].held);
		if
		:: pulse -> unset(o)
		:: else -> ev[o].set = true
		fi;
		unlock(o)
	fi
}

/* Sets or pulses its event, and may reset it before it does so again. */
proctype Signaler(byte me)
{
	byte i, n, found, times;
	bool won, moved, pulse, wakes[2], fresh[EVENTS + 1];

	do
	:: times < SETS ->
		times++;
#if PULSES
		if
		:: pulse = true
		:: pulse = false
		fi;
#endif
		signal(me);
		assert(!pulse || !ev[me].set);
		if
		:: times < SETS ->
			ntsync_lock(me);
			assert(!ev[me].held);
			unset(me);
			unlock(me)
		:: true
		fi
	:: else -> break
	od;
	finished++
}

/* Serve the queue of the alert, which is locked. */
inline serve_alert()
{
	assert(!ev[EVENTS].held);
	if
	:: w[0].linked ->
		assert(task[0].waits);
		w[0].linked = false;
		claim(0, ALERTED)
	:: else
	fi;
	ev[EVENTS].set = !won
}

/* Sets the alert once.  No wait watches that, and its queue is short. */
proctype Alerter()
{
	bool won;

	ntsync_lock(EVENTS);
	serve_alert();
	unlock(EVENTS);
	if
	:: won -> set_done(0)
	:: else
	fi;
	finished++
}

/* Sets won if all were taken without a wait. */
inline take_all()
{
	n = 0;
	won = true;
	do
	:: n < EVENTS && won -> won = ev[n].set; n++
	:: else -> n = 0; break
	od;
	if
	:: won ->
#ifdef WAIT_FOR_SECOND
		n = EVENTS;
		do
		:: n > 0 -> n--; ntsync_lock(n)
		:: else -> n = EVENTS; break
		od;
#else
		do
		:: n < EVENTS ->
			atomic {
				if
#ifdef TRY_ANYWAY
				:: !ev[n].locked ->
#else
				:: !ev[n].locked && !ev[n].held ->
#endif
					ev[n].locked = true;
					n++
				:: else -> break
				fi
			}
		:: else -> break
		od;
#endif
		won = n == EVENTS && all_set;
		if
		:: won ->
			acquire_all(ev[n].locked && !ev[n].held);
			n = EVENTS
		:: else
		fi;
		do
		:: n > 0 -> n--; unlock(n)
		:: else -> break
		od
	:: else
	fi
}

/* A wait ends in vain when nothing will come any more. */
#define nothing_comes	(finished == EVENTS + ALERTS && !all_set)

inline sleep()
{
	do
	::
		task[me].asleep = true;
		if
		:: w[me].done -> break
		:: else
		fi;
		if
		:: !task[me].asleep
		:: impatient -> failed = true; break
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

inline cancel()
{
#ifdef CANCEL_OUTSIDE
	claim(me, CANCELED)
#else
	lock_multi();
	claim(me, CANCELED);
	unlock_multi()
#endif
}

inline queue_alert()
{
#if ALERTS
	if
	:: me == 0 && w[me].result == PENDING ->
		ntsync_lock(EVENTS);
		if
		:: !ev[EVENTS].set -> w[me].linked = true
		:: else ->
			claim(me, ALERTED);
			if
			:: won ->
				ev[EVENTS].set = false;
				w[me].done = true
			:: else
			fi
		fi;
		unlock(EVENTS)
	:: else
	fi
#else
	skip
#endif
}

inline unqueue()
{
#if ALERTS
	lock(EVENTS);
	w[me].linked = false;
	unlock(EVENTS);
#endif
#ifndef LEAVE_WATCH
	if
	:: w[me].result != 0 ->
#ifndef LEAVE_OUTSIDE
		lock_multi();
#endif
		found = w[me].watched;
		if
		:: found != NONE ->
			lock(found);
			unwatch(me);
			unlock(found)
		:: else
		fi;
#ifndef LEAVE_OUTSIDE
		unlock_multi()
#endif
	:: else
	fi
#endif
}

inline block()
{
	atomic {
		task[me].waits = true;
		w[me].result = PENDING;
		w[me].watched = NONE
	}
	lock_multi();
	move_watch(me);
	if
	:: !moved -> grant(me)
	:: else -> won = false
	fi;
	atomic { w[me].done = won; w[me].queued = true }
	if
	:: won -> release_set(me == 0)
	:: else
	fi;
	unlock_multi();
	queue_alert();
	sleep();
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
		assert(failed || w[me].result <= ALERTED);
		assert(!watching(me) && !w[me].linked);
		task[me].waits = false;
		w[me].result = 0;
		w[me].done = false;
		w[me].queued = false;
		w[me].watched = 0;
		failed = false;
		won = false;
		moved = false;
		found = 0
	}
}

proctype Waiter(byte me)
{
	byte n, found, waits;
	bool won, moved, failed, impatient, fresh[EVENTS + 1];

	do
	:: waits < WAITS ->
		waits++;
		if
		:: impatient = true
		:: impatient = false
		fi;
		take_all();
		if
		:: !won -> block()
		:: else -> won = false
		fi
	:: else -> break
	od
}

init
{
	atomic {
		run Signaler(0);
		run Signaler(1);
#if EVENTS > 2
		run Signaler(2);
#endif
#if ALERTS
		run Alerter();
#endif
		run Waiter(0);
#if WAITERS > 1
		run Waiter(1)
#endif
	}
}
