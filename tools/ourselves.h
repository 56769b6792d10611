/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_OURSELVES_H
#define TOOLS_OURSELVES_H

#include <signal.h>

/* What a verb arranges for its own process before it watches others. */

/*
 * A file that becomes larger than it may be is an error like others (EFBIG), for whoever can leave
 * things in order. Not to be inherited by a program that we start.
 */
void ourselves_survive_limits(void);

/**
 * ourselves_catch_signals - signals that end a program are noted, and come only while we wait
 *
 * So that none is missed between looking for it and waiting. A reader that goes away ("| head")
 * ends us by a failed write, in good order. A signal that is ignored stays so.
 *
 * Return: the signals that are to be blocked while we wait.
 */
const sigset_t *ourselves_catch_signals(void);

/* The signal that tells us to end, or 0. */
int ourselves_interrupted(void);

/* The same for who works for long: a signal that is waiting comes now. */
int ourselves_interrupted_by_now(void);

/* From here on a signal ends us as it would any other program. */
void ourselves_release_signals(void);

/* For a program that we start: SIGPIPE is as it was before we caught signals. */
void ourselves_restore_sigpipe(void);

/*
 * For who has the whole terminal: SIGQUIT, which is Ctrl-\, would end us and leave it as it is. Not
 * to be inherited by a program that we start; and then it is what it was before.
 */
void ourselves_ignore_sigquit(void);
void ourselves_restore_sigquit(void);

/* Each process takes files. Not to be inherited by a program that we have started: it runs. */
void ourselves_have_many_files(void);

#endif /* TOOLS_OURSELVES_H */
