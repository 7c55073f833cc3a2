/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A signal and all the waits-for-all that it satisfies are one step: a thread that
 * knows that the step has begun acts after it has ended.  Names are those of
 * ntsync.c.
 *
 * X, a wait for all of B and D, has the alert C; W, one for all of B and A, came
 * later; both watch B.  Z waits for any of B and E, Y for A, and came last.  One
 * thread sets B, a manual-reset event, by which X is granted.  Another finds out in
 * some way that this has happened, and then does something to A or B that would
 * spoil W if W were still to be served.
 *
 * code: ntsync_changed ntsync_claim ntsync_expired ntsync_grant ntsync_hold
 * code: ntsync_lock ntsync_look ntsync_release ntsync_serve_watchers
 * code: ntsync_signal ntsync_signal_slow ntsync_try_any ntsync_try_held
 *
 * sizes: ACT=1
 * break: ALERT_UNHELD		the alert of a wait that is granted is not held
 * break: CLAIM_FIRST		... or only after the wait has been claimed
 * break: STEP_UNHELD		the object that is signaled is not held
 * break: RELEASE_EARLY		what a wait acquired is released when it is granted
 * break: WAKE_EARLY		... or its waiter is woken then
 * break: QUEUE_FIRST		waits-for-any are served before waits-for-all
 * break: LOCK_ANYWAY		ntsync_lock() does not look whether the object is held
 * break: SIGNAL_ANYWAY		ntsync_signal() does not
 * break: NO_ODD		a look does not, when it begins
 * break: NO_COMPARE		... or when it ends
 *
 * sizes: ACT=2
 * sizes: ACT=3
 * sizes: ACT=4
 */

/* What is done: pulse A, set A, reset A, reset B.  A is set before to be reset. */
#define PULSE_A		1
#define SET_A		2
#define RESET_A		3
#define RESET_B		4

#define A		0
#define B		1
#define C		2
#define D		3
#define E		4

#define PENDING		0
#define GRANTED		1	/* by B, or by A */
#define ALERTED		2	/* by C, or by E */

/* Waits. */
#define X		0
#define W		1
#define Y		2
#define Z		3

typedef event {
	bool locked;
	bool held;
	bool set
}

event ev[5];
byte result[4];
#define NO_WAIT		9

/* What X and W watch. */
#define NOTHING		9
byte watched[2];
bool multi_locked, x_done, knows;
byte ended;

#define is_watched(o)	(watched[X] == o || watched[W] == o)

inline lock(o) { atomic { !ev[o].locked -> ev[o].locked = true } }
inline unlock(o) { ev[o].locked = false }
inline lock_multi() { atomic { !multi_locked -> multi_locked = true } }
inline unlock_multi() { multi_locked = false }

inline ntsync_lock(o)
{
	lock(o);
#ifndef LOCK_ANYWAY
	if
	:: ev[o].held ->
		unlock(o);
		lock_multi();
		lock(o);
		unlock_multi()
	:: else
	fi
#endif
}

/* It is locked for a moment. */
inline hold(o) { atomic { !ev[o].locked -> ev[o].held = true } }
inline release(o) { ev[o].held = false }

inline claim(i, value)
{
	d_step {
		won = result[i] == PENDING;
		if
		:: won -> result[i] = value
		:: else
		fi
	}
}

/* Grant a wait for all of B, which is set, and of another event, which is. */
inline grant(i, other, alert)
{
	if
	:: !ev[other].held -> hold(other)
	:: else
	fi;
	assert(ev[other].set);
#ifdef CLAIM_FIRST
	claim(i, GRANTED);
#endif
#ifndef ALERT_UNHELD
	if
	:: alert != other -> hold(alert)
	:: else
	fi;
#endif
#ifndef CLAIM_FIRST
	claim(i, GRANTED);
#endif
	if
	:: won -> ev[other].set = false
	:: else
	fi;
#ifdef RELEASE_EARLY
	release(other);
	release(alert);
#endif
	watched[i] = NOTHING
}

/* Serve W, which watches an event that is set: let it watch the other, or grant it. */
inline serve_last(other)
{
	if
	:: ev[other].held -> won = ev[other].set
	:: else ->
		lock(other);
		won = ev[other].set;
		if
		:: !won -> watched[W] = other
		:: else -> ev[other].held = true
		fi;
		unlock(other)
	fi;
	if
	:: won ->
		claim(W, GRANTED);
		/* B is a manual-reset event. */
		ev[A].set = false;
		watched[W] = NOTHING
	:: else
	fi
}

inline serve_queue_of_b()
{
	lock(B);
	claim(Z, GRANTED);
	unlock(B)
}

/* When both have ended: if the second one knew of the step, W was part of it. */
inline end()
{
	atomic {
		ended++;
		assert(ended < 2 || !knows || result[W] == GRANTED)
	}
}

/* Set B, which is watched. */
proctype Signaler()
{
	bool won;

	lock_multi();
#ifndef STEP_UNHELD
	hold(B);
#endif
	ev[B].set = true;
#ifdef QUEUE_FIRST
	serve_queue_of_b();
#endif
	grant(X, D, C);
#ifdef WAKE_EARLY
	x_done = result[X] == GRANTED;
#endif
	if
	:: watched[W] == B && ev[B].set -> serve_last(A)
	:: else
	fi;
#ifndef QUEUE_FIRST
	if
	:: ev[B].set -> serve_queue_of_b()
	:: else
	fi;
#endif
	/* In any order. */
	release(D);
	release(C);
	release(A);
	release(B);
	unlock_multi();
	x_done = result[X] == GRANTED;
	end()
}

/* Signal an event that waits-for-any wait for, and W may watch. */
inline signal(o, i, value)
{
	lock(o);
#ifdef SIGNAL_ANYWAY
	slow = is_watched(o);
#else
	slow = ev[o].held || is_watched(o);
#endif
	if
	:: slow ->
		unlock(o);
		lock_multi();
		hold(o)
	:: else
	fi;
	ev[o].set = true;
	if
	:: slow && watched[W] == o -> serve_last(B)
	:: else
	fi;
	if
	:: ev[o].set && i != NO_WAIT ->
		claim(i, value);
		if
		:: won -> ev[o].set = false
		:: else
		fi
	:: else
	fi;
#if ACT == PULSE_A
	if
	:: o == A -> ev[o].set = false
	:: else
	fi;
#endif
	if
	:: slow -> release(B); release(o); unlock_multi()
	:: else -> unlock(o)
	fi
}

/* A poll that looks for D without its lock, and if in doubt holds it. */
inline poll()
{
	/* Seq: D does not rise, so its only change is that it is held. */
	before = ev[D].held;
	knows = !ev[D].set;
	again = ev[D].held;
	if
#ifdef NO_ODD
	:: knows && (again != before) ->
#elif defined(NO_COMPARE)
	:: knows && before ->
#else
	:: knows && (before || again) ->
#endif
		lock_multi();
		hold(D);
		knows = !ev[D].set;
		release(D);
		unlock_multi()
	:: else
	fi
}

proctype Knower()
{
	bool won, slow, before, again;

	/* Find out. */
	if
	:: signal(C, X, ALERTED); knows = ev[C].set
	:: signal(E, Z, ALERTED); knows = ev[E].set
	:: ntsync_lock(B); knows = ev[B].set; unlock(B)
	:: ntsync_lock(D); knows = !ev[D].set; unlock(D)
	:: poll()
	:: x_done -> knows = true
	:: ended -> true
	fi;
	/* Act. */
#if ACT == PULSE_A
	signal(A, NO_WAIT, GRANTED);
#elif ACT == SET_A
	signal(A, Y, GRANTED);
	assert(!knows || result[Y] == PENDING);
#elif ACT == RESET_A
	ntsync_lock(A);
	ev[A].set = false;
	unlock(A);
#else
	ntsync_lock(B);
	ev[B].set = false;
	unlock(B);
#endif
	end()
}

init
{
	atomic {
		ev[D].set = true;
#if ACT == RESET_A || ACT == RESET_B
		ev[A].set = true;
#endif
		watched[X] = B;
		watched[W] = B;
		run Signaler();
		run Knower()
	}
}
