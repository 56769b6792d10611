// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Java program that does, line by line of its input, what makes a virtual machine map memory and
 * let it go: the heap grows and shrinks, threads come and go, memory outside of the heap.
 *
 *	java Churn INPUT OUTPUT		two FIFOs
 */
import java.io.*;
import java.nio.ByteBuffer;
import java.util.*;

public class Churn {
	static final List<byte[]> kept = new ArrayList<>();
	static final List<ByteBuffer> outside = new ArrayList<>();
	static final Map<Integer, String> words = new HashMap<>();
	static long sum;

	static void thread(int n) throws InterruptedException {
		Thread t = new Thread(() -> {
			int[] own = new int[20000];
			for (int i = 0; i < own.length; i++)
				own[i] = i * n;
			synchronized (kept) {
				sum += own[own.length - 1];
			}
		});
		t.start();
		t.join();
	}

	static void turn(int n) throws InterruptedException {
		for (int i = 0; i < 40; i++) {
			byte[] b = new byte[50000 + 100 * i];
			Arrays.fill(b, (byte) (n + i));
			kept.add(b);
		}
		for (int i = 0; i < 2000; i++)
			words.put(n * 2000 + i, "word " + i);
		ByteBuffer b = ByteBuffer.allocateDirect(300000 * (n % 5 + 1));
		b.putLong(8, n);
		outside.add(b);
		thread(n);
		if (n % 4 == 3) {
			kept.subList(0, kept.size() / 2).clear();
			words.keySet().removeIf(k -> k % 3 == 0);
			outside.remove(0);
			System.gc();
		}
		for (byte[] k : kept)
			sum = sum * 31 + k[k.length / 2];
		for (ByteBuffer o : outside)
			sum = sum * 31 + o.getLong(8);
		sum = sum * 31 + words.size();
	}

	public static void main(String[] args) throws Exception {
		BufferedReader in = new BufferedReader(new FileReader(args[0]));
		PrintStream out = new PrintStream(new FileOutputStream(args[1]), true);
		int n = 0;

		out.println(ProcessHandle.current().pid() + " 0");
		while (in.readLine() != null) {
			turn(n++);
			out.println(n + " " + sum);
		}
	}
}
