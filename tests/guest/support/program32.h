/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a 32-bit program needs that has no C library.
 */
#ifndef PROGRAM32_H
#define PROGRAM32_H

#define SYS_exit 1
#define SYS_open 5
#define SYS_ioctl 54
#define SYS_mmap2 192
#define SYS_userfaultfd 374

#define PAGE 4096u
#define PAGES 16u

_Static_assert(sizeof(void *) == 4, "this is a 32-bit program");

static inline long call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

/*
 * Private anonymous memory, readable and writable. mmap2 has a sixth argument, the offset, in ebp,
 * which the compiler keeps: 0 will do.
 */
static inline char *map(unsigned int len)
{
	long ret;

	__asm__ volatile("push %%ebp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%ebp"
			 : "=a"(ret)
			 : "a"(SYS_mmap2), "b"(0), "c"(len), "d"(3), "S"(0x22), "D"(-1)
			 : "memory");
	return (char *)ret;
}

static inline void stop(int status)
{
	call(SYS_exit, status, 0, 0);
	for (;;)
		;
}

#define CHECK(number, condition)	\
	do {				\
		if (!(condition))	\
			stop(number);	\
	} while (0)

#endif /* PROGRAM32_H */
