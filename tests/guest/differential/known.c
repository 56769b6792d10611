// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel says something else than the device, and why: one table.
 *
 * Each row is one way in which PAGEMAP_SCAN says "not written" and the device says "written". There
 * is none for the contrary, which would be a write that the device has missed.
 */
#include <inttypes.h>
#include <string.h>

#include "unserved.h"
#include "differential.h"

#define AT(event) (1ull << EVENT_##event)
#define W UFFDWP_PAGE_IS_WRITTEN
#define THERE (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED)

/* What takes entries away, and what takes the marker away that says "not written". */
#define HOLES (AT(PUNCH) | AT(PUNCH_PART) | AT(TRUNCATE) | AT(REMOVE))
#define EMPTIES (AT(DONTNEED) | AT(FREE) | AT(PAGEOUT) | HOLES | AT(DISARM) | AT(UNGUARD))

enum which_state { NOTHING_THERE, SOMETHING_THERE };

static const struct known {
	const char *why;
	uint64_t events;
	unsigned int kinds;
	enum which_state state;	/* in the words of the kernel */
	unsigned int before[2];	/* the first kernel that has mended it; 0: none has */
} known[] = {
	{ "an entry with nothing in it reads as not written unless only written pages are asked for"
	  " (pagemap_page_category(), pagemap_scan_pte_hole())",
	  EMPTIES | AT(REGISTER) | AT(MOVE), OF_SMALL, NOTHING_THERE, { 7, 0 } },
	{ "a page of hugetlb that is not there reads as not written (pagemap_hugetlb_category())",
	  EMPTIES | AT(REGISTER) | AT(MOVE), OF_HUGETLB, NOTHING_THERE, { 0 } },
	{ "MADV_DONTNEED leaves a marker where an armed page of a file or of hugetlb was"
	  " (zap_install_uffd_wp_if_needed(), __unmap_hugepage_range())",
	  AT(DONTNEED), OF_ALL & ~OF_ANON, SOMETHING_THERE, { 0 } },
	{ "a hole in a file leaves a marker where an armed page was, and its last page as it was"
	  " (zap_install_uffd_wp_if_needed(), __unmap_hugepage_range(), shmem_undo_range())",
	  HOLES, OF_FILE, SOMETHING_THERE, { 0 } },
};

#define ROWS (sizeof(known) / sizeof(known[0]))

static struct {
	uint64_t pages;
	unsigned int kinds;
} seen[ROWS];

static bool row_applies(const struct known *row, const struct step *step, uint64_t native)
{
	return (row->events & (1ull << (step->event - events))) &&
	       (row->kinds & BIT_OF(step->kind)) &&
	       (row->state == SOMETHING_THERE) == !!(native & THERE) &&
	       (!row->before[0] || kernel_is_before(row->before[0], row->before[1]));
}

/* What goes along with it when a marker is gone, or a page of hugetlb has no table. */
static bool rest_is_equal(enum kind kind, uint64_t native, uint64_t device)
{
	uint64_t others = (native ^ device) & ~W;

	if (!(device & THERE))
		others &= ~UFFDWP_PAGE_IS_SWAPPED;
	if ((BIT_OF(kind) & OF_HUGETLB) && !(native & THERE))
		others &= ~UFFDWP_PAGE_IS_HUGE;
	return !others;
}

bool difference_is_known(const struct step *step, uint64_t native, uint64_t device)
{
	size_t i;

	if ((native & W) || !(device & W) || !rest_is_equal(step->kind, native, device))
		return false;
	for (i = 0; i < ROWS; i++) {
		if (!row_applies(&known[i], step, native))
			continue;
		seen[i].pages++;
		seen[i].kinds |= BIT_OF(step->kind);
		return true;
	}
	return false;
}

void differences_print(void)
{
	size_t i;
	enum kind kind;

	for (i = 0; i < ROWS; i++) {
		if (!seen[i].pages)
			continue;
		print_message("[   INFO   ] %" PRIu64 " pages of", seen[i].pages);
		for (kind = 0; kind < KINDS; kind++)
			if (seen[i].kinds & BIT_OF(kind))
				print_message(" %s,", kinds[kind].name);
		print_message(" not written for the kernel: %s\n", known[i].why);
	}
	memset(seen, 0, sizeof(seen));
}

const char *words_of(uint64_t categories)
{
	static const char *const names[] = {
		"tracked", "written", "file", "present", "swapped", "zero", "huge", "soft-dirty",
	};
	static char texts[4][160];
	static unsigned int next;
	char *text = texts[next++ % 4];
	size_t i;

	strcpy(text, categories & UFFDWP_PAGE_IS_UNTRACKED ? "untracked" : "");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(categories & (1ull << i)))
			continue;
		if (*text)
			strcat(text, "+");
		strcat(text, names[i]);
	}
	return *text ? text : "nothing";
}
