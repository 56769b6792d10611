// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live screen: what comes from the session and the terminal, and what goes to it.
 */
#include <stdio.h>
#include <string.h>

#include "watch/screen.h"

/* Of a paste, say: reports are not to wait for all of it. */
#define KEYS_AT_ONCE 256

static int draw(struct screen *screen)
{
	struct page *page = &screen->page;
	unsigned int height, width;
	int err;

	terminal_size(&height, &width);
	err = page_begin(page, height, width, screen->live.utf8);
	if (!err)
		terminal_draw(page, live_layout(&screen->live, page));
	return err;
}

static void take_messages(struct screen *screen)
{
	struct messages *m = &screen->messages;

	messages_take(m);
	if (m->n == screen->told)
		return;
	screen->told = m->n;
	memcpy(screen->live.message, m->last, sizeof(screen->live.message));
}

/* It may have executed another program. */
static void name_it(struct screen *screen, const struct session *s)
{
	const struct watched *first = family_first(&s->family);

	snprintf(screen->live.title, sizeof(screen->live.title), "process %d %s%s",
		 (int)s->target.pid, first->since.name,
		 s->what->children ? " and its children" : "");
}

int screen_begin(struct screen *screen, struct session *s, const struct written_set *set,
		 enum color_choice color)
{
	struct live *live = &screen->live;
	int err = messages_catch(&screen->messages);

	if (err)
		return err;
	err = terminal_begin(color);
	if (err < 0) {
		messages_release(&screen->messages);
		return err;
	}
	screen->active = true;
	s->input = err;
	err = terminal_also_wait_for(screen->messages.pipe);
	live->set = set;
	live->interval = s->interval;
	live_begin(live);
	watched_read_name(family_first(&s->family));
	name_it(screen, s);
	if (!err)
		err = draw(screen);
	if (err)
		screen_end(screen);
	return err;
}

int screen_report(struct screen *screen, struct session *s)
{
	int err = live_report(&screen->live, &s->report);

	name_it(screen, s);
	take_messages(screen);
	return err ? err : draw(screen);
}

int screen_input(struct screen *screen, struct session *s)
{
	bool changed;
	int key, keys = 0, err = 0;

	/* Nobody is there any more to see anything. */
	if (!terminal_take(&changed)) {
		s->stop = true;
		return 0;
	}
	take_messages(screen);
	while (!err && keys++ < KEYS_AT_ONCE && (key = terminal_key()) != KEY_NONE)
		err = live_key(&screen->live, key);
	s->interval = screen->live.interval;
	s->stop = s->stop || screen->live.quit;
	return err ? err : draw(screen);
}

void screen_end(struct screen *screen)
{
	if (!screen->active)
		return;
	screen->active = false;
	terminal_end();
	messages_release(&screen->messages);
	live_free(&screen->live);
	page_free(&screen->page);
}
