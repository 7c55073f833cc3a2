/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits for all and their watches: waits for all of some auto-reset events,
 * threads that set and reset these, and waits that give up at any moment.
 * Names are those of ntsync.c.
 *
 * A wait that is queued, and that nobody with multi_lock is moving, watches
 * exactly one of its events, and that event is unset.  All events are acquired
 * at one instant.  Nobody sleeps on while all that it waits for are set, and
 * nobody waits for a lock for ever.  A wait lives on its waiter's stack and is
 * not touched once the waiter has returned.
 *
 * sizes: EVENTS=2 WAITERS=1 WAITS=2 SETS=2
 * sizes: EVENTS=2 WAITERS=2 WAITS=1 SETS=1
 * sizes: EVENTS=3 WAITERS=1 WAITS=1 SETS=1
 *
 * break: MOVE_OUTSIDE		watches are moved without multi_lock
 * break: SET_FIRST		a watched event is set before multi_lock is taken
 * break: SEND_UNCHECKED	all watches are sent to an event that is not
 *				looked at under its lock
 * break: WATCH_UNCHECKED	one watch is moved so
 * break: GRANT_UNCHECKED	a wait is granted without a look under all locks
 * break: WAIT_FOR_SECOND	who finds all set waits for the locks, without
 *				multi_lock
 * break: MULTI_INSIDE		multi_lock is taken with an event locked
 * break: LEAVE_WATCH		who gives up leaves the watch behind
 * break: LEAVE_OUTSIDE		who gives up takes off the watch without
 *				multi_lock
 * break: LEAVE_AT_ONCE		who lost the exchange does not wait for done
 */

#define NOBODY		255

#define PENDING		200
#define CANCELED	201

typedef event {
	bool locked;
	bool set;
	bool watchers[2]
}

typedef wait {
	byte result;
	bool done;
	bool queued;
	bool watches;
	byte watched
}

typedef thread {
	bool asleep;
	bool waits
}

event ev[EVENTS];
wait w[2];
thread task[2];
bool multi_locked;
byte finished;

#if EVENTS == 2
#define all_set		(ev[0].set && ev[1].set)
#define watching(i)	(ev[0].watchers[i] + ev[1].watchers[i])
#else
#define all_set		(ev[0].set && ev[1].set && ev[2].set)
#define watching(i)	(ev[0].watchers[i] + ev[1].watchers[i] + \
			 ev[2].watchers[i])
#endif

/* What holds whenever nobody has multi_lock. */
#define watch_is_right(i) \
	(!w[i].queued || w[i].result != PENDING || \
	 (watching(i) == 1 && ev[w[i].watched].watchers[i] && \
	  (!ev[w[i].watched].set || ev[w[i].watched].locked)))

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
		assert(watch_is_right(1))
	}
}

/* Watch a locked event. */
inline watch(i, o)
{
	d_step {
		assert(task[i].waits && ev[o].locked);
		ev[o].watchers[i] = true;
		w[i].watched = o;
		w[i].watches = true
	}
}

/* With the watched event locked. */
inline unwatch(i)
{
	d_step {
		assert(task[i].waits && w[i].watches);
		assert(ev[w[i].watched].locked);
		assert(ev[w[i].watched].watchers[i]);
		ev[w[i].watched].watchers[i] = false;
		w[i].watches = false
	}
}

/* found: an event that looks unset, which one being left open, or NOBODY. */
inline find_unsignaled()
{
	found = NOBODY;
	n = 0;
	do
	:: n < EVENTS ->
		if
		:: !ev[n].set -> found = n
		:: !ev[n].set && found != NOBODY
		:: ev[n].set
		fi;
		n++
	:: else -> n = 0; break
	od
}

/* Sets won. */
inline claim(i, value)
{
	atomic {
		assert(task[i].waits);
		won = w[i].result == PENDING;
		if
		:: won -> w[i].result = value
		:: else
		fi
	}
}

/* With all of them locked. */
inline acquire_many()
{
	d_step {
		assert(all_set);
		n = 0;
		do
		:: n < EVENTS -> assert(ev[n].locked); ev[n].set = false; n++
		:: else -> n = 0; break
		od
	}
}

inline lock_others(held)
{
	n = 0;
	do
	:: n < EVENTS ->
		if
		:: n != held -> lock(n)
		:: else
		fi;
		n++
	:: else -> n = 0; break
	od
}

inline unlock_others(held)
{
	n = 0;
	do
	:: n < EVENTS ->
		if
		:: n != held -> unlock(n)
		:: else
		fi;
		n++
	:: else -> n = 0; break
	od
}

/* Sets won if the wait was granted. */
inline decide(i)
{
#ifdef GRANT_UNCHECKED
	found = NOBODY;
#else
	find_unsignaled();
#endif
	if
	:: found != NOBODY -> watch(i, found); won = false
	:: else ->
		claim(i, 0);
		if
		:: won -> acquire_many()
		:: else
		fi
	fi
}

/*
 * Sets won if the wait was granted.  held: the one event that the caller has
 * locked, or NOBODY.
 */
inline watch_or_grant(i, held)
{
	find_unsignaled();
	won = true;
	if
	:: found != NOBODY ->
		lock(found);
#ifdef WATCH_UNCHECKED
		won = false;
#else
		won = ev[found].set;
#endif
		if
		:: !won -> watch(i, found)
		:: else
		fi;
		unlock(found)
	:: else
	fi;
	if
	:: won ->
		lock_others(held);
		decide(i);
		unlock_others(held)
	:: else
	fi
}

#define is_watched(o)	(ev[o].watchers[0] || ev[o].watchers[1])

/* Send all watchers of a locked event to another one: sets won if they are. */
inline send_watchers(o)
{
	won = !is_watched(o);
	if
	:: !won -> find_unsignaled()
	:: else -> found = NOBODY
	fi;
	if
	:: found != NOBODY && !is_watched(found) ->
		lock(found);
		d_step {
#ifdef SEND_UNCHECKED
			won = true;
#else
			won = !ev[found].set;
#endif
			n = 0;
			do
			:: n < 2 ->
				if
				:: won && ev[o].watchers[n] ->
					assert(task[n].waits);
					ev[o].watchers[n] = false;
					ev[found].watchers[n] = true;
					w[n].watched = found
				:: else
				fi;
				n++
			:: else -> break
			od;
			n = 0
		}
		unlock(found)
	:: else
	fi
}

inline set_done(i)
{
	d_step { assert(task[i].waits); w[i].done = true }
}

inline offer_all(o)
{
	send_watchers(o);
	i = 0;
	do
	:: !won && i < 2 ->
		if
		:: ev[o].watchers[i] && ev[o].set ->
			unwatch(i);
			if
			:: w[i].result == PENDING ->
				watch_or_grant(i, o);
				wakes[i] = won;
				won = false
			:: else
			fi
		:: else
		fi;
		i++
	:: else -> i = 0; won = false; break
	od
}

inline wakes_end()
{
	do
	:: i < 2 ->
		if
		:: wakes[i] ->
			wakes[i] = false;
			set_done(i);
			task[i].asleep = false
		:: else
		fi;
		i++
	:: else -> i = 0; break
	od
}

inline signal_watched(o)
{
#ifndef MOVE_OUTSIDE
	lock_multi();
#endif
	lock(o);
#ifndef SET_FIRST
	ev[o].set = true;
#endif
	offer_all(o);
	unlock(o);
#ifndef MOVE_OUTSIDE
	unlock_multi();
#endif
	wakes_end()
}

inline signal(o)
{
	lock(o);
	if
	:: is_watched(o) ->
#ifdef SET_FIRST
		ev[o].set = true;
#endif
#ifdef MULTI_INSIDE
		lock_multi();
		ev[o].set = true;
		offer_all(o);
		unlock(o);
		unlock_multi();
		wakes_end()
#else
		unlock(o);
		signal_watched(o)
#endif
	:: else ->
		ev[o].set = true;
		unlock(o)
	fi
}

/* Sets its event, and may reset it before it does so again. */
proctype Signaler(byte me)
{
	byte i, n, found, times;
	bool won, wakes[2];

	do
	:: times < SETS ->
		times++;
		signal(me);
		if
		:: times < SETS ->
			lock(me);
			ev[me].set = false;
			unlock(me)
		:: true
		fi
	:: else -> break
	od;
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
		:: n > 0 -> n--; lock(n)
		:: else -> break
		od;
#else
		/* Try them all, and if one is locked wait for them in turn. */
		do
		:: n < EVENTS ->
			atomic {
				if
				:: !ev[n].locked -> ev[n].locked = true; n++
				:: else -> break
				fi
			}
		:: else -> break
		od;
		if
		:: n < EVENTS ->
			do
			:: n > 0 -> n--; unlock(n)
			:: else -> break
			od;
			lock_multi();
			lock_others(NOBODY);
			multi = true
		:: else -> n = 0
		fi;
#endif
		won = all_set;
		if
		:: won -> acquire_many()
		:: else
		fi;
		unlock_others(NOBODY);
		if
		:: multi -> unlock_multi(); multi = false
		:: else
		fi
	:: else
	fi
}

/* A wait ends in vain when nothing will come any more. */
#define nothing_comes	(finished == EVENTS && !all_set)

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

inline unqueue()
{
#ifndef LEAVE_WATCH
#ifndef LEAVE_OUTSIDE
	lock_multi();
#endif
	if
	:: w[me].watches ->
		found = w[me].watched;
		lock(found);
		unwatch(me);
		unlock(found)
	:: else
	fi;
#ifndef LEAVE_OUTSIDE
	unlock_multi();
#endif
#endif
	skip
}

inline block()
{
	atomic { task[me].waits = true; w[me].result = PENDING }
	lock_multi();
	watch_or_grant(me, NOBODY);
	atomic { w[me].done = won; w[me].queued = true }
	unlock_multi();
	sleep();
	if
	:: failed ->
		claim(me, CANCELED);
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
	if
	:: failed -> unqueue()
	:: else
	fi;
	atomic {
		assert(failed || w[me].result == 0);
		assert(!watching(me) && !w[me].watches);
		task[me].waits = false;
		w[me].result = 0;
		w[me].done = false;
		w[me].queued = false;
		w[me].watched = 0;
		failed = false;
		won = false;
		found = 0
	}
}

proctype Waiter(byte me)
{
	byte n, found, waits;
	bool won, failed, impatient, multi;

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
		run Waiter(0);
#if WAITERS > 1
		run Waiter(1)
#endif
	}
}
