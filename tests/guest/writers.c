// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that others look at: "writers RED BLUE" has two threads, each of which writes so many
 * pages of memory that is there already, from a function of its own, when it is told to by a byte
 * on standard input. Then it waits for another byte, and ends.
 *
 * "writers TIMES" writes to the first page so many times, one for each byte. With the next byte it
 * unmaps what it writes to, and then it waits for another byte, and ends.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define MOST 4096ul

static volatile char *const red_memory = (char *)0x600000000000;
static volatile char *const blue_memory = (char *)0x610000000000;
static size_t red_pages, blue_pages;
static pthread_barrier_t go;

static void map_at(volatile char *place)
{
	if (mmap((void *)place, MOST * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0) != place)
		exit(99);
}

static __attribute__((noinline)) void fill_red(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		red_memory[i * PAGE] = 1;
}

static __attribute__((noinline)) void fill_blue(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		blue_memory[i * PAGE] = 2;
}

static __attribute__((noinline)) void call_red(size_t n)
{
	fill_red(n);
	/* So that it is not the last thing that this function does. */
	__asm__ volatile("");
}

static void *red(void *unused)
{
	pthread_setname_np(pthread_self(), "red");
	pthread_barrier_wait(&go);
	call_red(red_pages);
	pthread_barrier_wait(&go);
	return unused;
}

static void *blue(void *unused)
{
	pthread_setname_np(pthread_self(), "blue");
	pthread_barrier_wait(&go);
	fill_blue(blue_pages);
	pthread_barrier_wait(&go);
	return unused;
}

static void await_byte(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(0);
}

static int write_often(size_t times)
{
	while (times--) {
		await_byte();
		fill_red(1);
	}
	await_byte();
	munmap((void *)red_memory, MOST * PAGE);
	await_byte();
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	if (argc < 2)
		return 2;
	map_at(red_memory);
	map_at(blue_memory);
	red_pages = strtoul(argv[1], NULL, 10);
	if (argc == 2)
		return write_often(red_pages);
	blue_pages = strtoul(argv[2], NULL, 10);
	if (pthread_barrier_init(&go, NULL, 3) || pthread_create(&threads[0], NULL, red, NULL) ||
	    pthread_create(&threads[1], NULL, blue, NULL))
		return 1;
	await_byte();
	pthread_barrier_wait(&go);
	pthread_barrier_wait(&go);
	await_byte();
	return 0;
}
