// SPDX-License-Identifier: GPL-2.0-only
// The page of "uffdwp report": draws the data that is in it. Names are hostile, so they are given
// to canvases and to textContent only, never to markup.
"use strict";
(function () {
	const data = JSON.parse(document.getElementById("data").textContent);
	const PAGE = 4096, LEFT = 190, RIGHT = 12, TOP = 8, AXIS = 40, NAME_HEIGHT = 14;
	const map = document.getElementById("map"), sets = document.getElementById("sets");
	const tip = document.getElementById("tip"), shown = document.getElementById("shown");
	const columns = data.columns, rows = [];
	const begin = data.total.from, end = data.total.to;

	// ---- numbers for people

	function bytes(n) {
		const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
		let unit = 0;

		for (; n >= 1023.95 && unit < units.length - 1; unit++)
			n /= 1024;
		return (unit ? n.toFixed(1) : n.toFixed(0)) + " " + units[unit];
	}

	// Seconds behind the point only where they can be seen.
	function clock(seconds) {
		const two = (n) => String(n).padStart(2, "0"), whole = Math.round(seconds);

		if (end < 120)
			return Number(seconds.toPrecision(4)) + " s";
		if (end < 3600)
			return Math.floor(whole / 60) + ":" + two(whole % 60);
		return Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" +
			two(whole % 60);
	}

	function step(least) {
		const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800,
			21600, 43200, 86400];
		const power = 10 ** Math.floor(Math.log10(least) + 1e-9);

		if (least > 0.5)
			return steps.find((s) => s >= least) || 86400 * Math.ceil(least / 86400);
		return [1, 2, 5, 10].map((s) => s * power).find((s) => s >= least * 0.9999);
	}

	function owner(memory) {
		return memory.pid === undefined ? "another process" :
			"process " + memory.pid + " (" + memory.process + ")";
	}

	// ---- rows: each has a height; those of a small segment are higher, to have room for its name

	let total = 0;
	(function () {
		const all = data.segments.reduce((n, s) => n + s.rows.length, 0);
		const least = all * NAME_HEIGHT / 560;

		for (const segment of data.segments) {
			const m = segment.memory, pages = m.pages_of_a_row;
			const height = Math.max(1, least / segment.rows.length);
			const first = BigInt(m.start), last = BigInt(m.end);

			segment.top = total;
			segment.rows.forEach(function (cells, i) {
				const size = BigInt(pages) * BigInt(PAGE);
				const start = first + BigInt(i) * size;
				const stop = start + size < last ? start + size : last;
				const values = new Map();

				for (let c = 0; c < cells.length; c += 2)
					values.set(cells[c], cells[c + 1]);
				rows.push({ segment: segment, values: values, start: start,
					end: stop, pages: Number((stop - start) / BigInt(PAGE)),
					top: total, height: height });
				total += height;
			});
			segment.bottom = total;
		}
	})();

	// ---- what is shown: columns from x0 to x1, heights from y0 to y1

	const whole = { x0: 0, x1: columns.length || 1, y0: 0, y1: total || 1 };
	let view = Object.assign({}, whole), drag = null;

	function size(canvas) {
		const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();

		canvas.width = Math.round(box.width * ratio);
		canvas.height = Math.round(box.height * ratio);
		const c = canvas.getContext("2d");
		c.setTransform(ratio, 0, 0, ratio, 0, 0);
		c.clearRect(0, 0, box.width, box.height);
		c.font = "11px 'DejaVu Sans', Verdana, sans-serif";
		return { c: c, right: box.width - RIGHT, bottom: box.height - AXIS };
	}

	const time = (column) => begin + (end - begin) * column / (columns.length || 1);
	const columnOf = (t) => (t - begin) / (end - begin) * columns.length;

	function plot(canvas) {
		const box = canvas.getBoundingClientRect();
		const w = box.width - RIGHT - LEFT, h = box.height - AXIS - TOP;

		return {
			x: (column) => LEFT + (column - view.x0) / (view.x1 - view.x0) * w,
			y: (height) => TOP + (height - view.y0) / (view.y1 - view.y0) * h,
			column: (x) => view.x0 + (x - LEFT) / w * (view.x1 - view.x0),
			height: (y) => view.y0 + (y - TOP) / h * (view.y1 - view.y0),
			w: w, h: h,
		};
	}

	function rowAt(height) {
		let low = 0, high = rows.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (rows[middle].top + rows[middle].height <= height)
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}

	function level(share) {
		let l = share > 0 ? 1 : 0;

		while (l && l < data.scale.length - 1 && share > data.scale[l].most * 1.0000001)
			l++;
		return l;
	}

	// ---- drawing

	function axis(s, p, top) {
		const from = time(view.x0), to = time(view.x1), by = step((to - from) / 9);

		s.c.fillStyle = "#222";
		s.c.strokeStyle = "#ddd";
		s.c.textAlign = "center";
		for (let t = Math.ceil(from / by - 1e-6) * by; t <= to + by * 1e-6; t += by) {
			const x = p.x(columnOf(t));

			s.c.beginPath();
			s.c.moveTo(x, top);
			s.c.lineTo(x, s.bottom + 5);
			s.c.stroke();
			s.c.textAlign = x > s.right - 16 ? "right" : "center";
			s.c.fillText(clock(t), x > s.right - 16 ? s.right + RIGHT : x, s.bottom + 18);
		}
		s.c.textAlign = "center";
		s.c.fillStyle = "#666";
		s.c.fillText("time since recording began (" + (end < 120 ? "seconds" :
			end < 3600 ? "minutes:seconds" : "hours:minutes:seconds") + ")",
			LEFT + p.w / 2, s.bottom + 34);
	}

	function names(s, p) {
		let free = 0, lastOwner = null;

		s.c.textAlign = "right";
		for (const segment of data.segments) {
			const top = Math.max(p.y(segment.top), TOP);
			const bottom = Math.min(p.y(segment.bottom), s.bottom), m = segment.memory;

			if (bottom <= TOP || top >= s.bottom)
				continue;
			s.c.strokeStyle = "#999";
			s.c.beginPath();
			s.c.moveTo(LEFT - 4, top);
			s.c.lineTo(s.right, top);
			s.c.stroke();
			if (top + 1 < free)
				continue;
			const lines = [data.several ? tail(m.name, 18) + " of " + m.pid :
				tail(m.name, 26)];

			if (data.several && owner(m) !== lastOwner)
				lines.push(tail(owner(m), 28));
			lines.push(m.start.slice(2));
			lastOwner = owner(m);
			for (let i = 0; i < lines.length; i++) {
				const y = top + 11 + 12 * i;

				if (i && y > bottom)
					break;
				s.c.fillStyle = i ? "#666" : "#222";
				s.c.fillText(lines[i], LEFT - 8, y, LEFT - 10);
				free = y + 3;
			}
		}
	}

	// The end of a name says more than its beginning.
	function tail(name, most) {
		const characters = Array.from(name);

		return characters.length <= most ? name :
			"~" + characters.slice(characters.length - most + 1).join("");
	}

	function drawCells(s, p) {
		const first = Math.max(0, Math.floor(view.x0));
		const last = Math.min(columns.length, Math.ceil(view.x1));

		for (let r = rowAt(view.y0); r < rows.length && rows[r].top < view.y1; r++) {
			const row = rows[r], y = p.y(row.top);

			row.values.forEach(function (written, column) {
				const n = columns[column].intervals;

				if (column < first || column >= last || !n)
					return;
				s.c.fillStyle = data.scale[level(written / n / row.pages)].colour;
				s.c.fillRect(p.x(column), y, p.w / (view.x1 - view.x0) + 0.4,
					p.y(row.top + row.height) - y + 0.4);
			});
		}
		s.c.fillStyle = "#d8d8d8";
		for (let column = first; column < last; column++)
			if (!columns[column].intervals)
				s.c.fillRect(p.x(column), TOP, p.w / (view.x1 - view.x0) + 0.4, p.h);
	}

	function drawMap() {
		const s = size(map), p = plot(map);

		if (!columns.length) {
			s.c.fillText("Nothing was recorded: there is no interval.", LEFT, 40);
			return;
		}
		s.c.save();
		s.c.beginPath();
		s.c.rect(LEFT, TOP, p.w, p.h);
		s.c.clip();
		s.c.fillStyle = data.scale[0].colour;
		s.c.fillRect(LEFT, TOP, p.w, p.h);
		drawCells(s, p);
		s.c.restore();
		names(s, p);
		axis(s, p, s.bottom);
		if (drag && drag.moved) {
			s.c.strokeStyle = "#d55e00";
			s.c.strokeRect(Math.min(drag.x, drag.toX), Math.min(drag.y, drag.toY),
				Math.abs(drag.toX - drag.x), Math.abs(drag.toY - drag.y));
		}
	}

	function drawSets() {
		const s = size(sets), p = plot(sets);
		const colours = ["#d55e00", "#0072b2", "#9bbfd9"];
		const first = Math.max(0, Math.floor(view.x0));
		const last = Math.min(columns.length, Math.ceil(view.x1));
		let most = 1, by = 1, x = s.right;

		if (!columns.length)
			return;
		for (let i = first; i < last; i++)
			most = Math.max(most, ...columns[i].written_set);
		most *= PAGE * 1.25;
		while (by < most / 4)
			by *= 2;
		axis(s, p, TOP);
		for (let tick = 0; tick <= most; tick += by) {
			const y = s.bottom - p.h * tick / most;

			s.c.strokeStyle = "#e2e2e2";
			s.c.beginPath();
			s.c.moveTo(LEFT, y);
			s.c.lineTo(s.right, y);
			s.c.stroke();
			s.c.fillStyle = "#222";
			s.c.textAlign = "right";
			s.c.fillText(tick ? bytes(tick) : "0", LEFT - 8, y + 4);
		}
		s.c.save();
		s.c.beginPath();
		s.c.rect(LEFT, 0, p.w, s.bottom + 1);
		s.c.clip();
		for (let window = 2; window >= 0; window--) {
			let on = false;

			s.c.strokeStyle = colours[window];
			s.c.lineWidth = 1.8;
			s.c.beginPath();
			for (let i = first; i < last; i++) {
				const y = s.bottom - p.h * columns[i].written_set[window] * PAGE / most;

				if (!columns[i].intervals) {
					on = false;
					continue;
				}
				if (on)
					s.c.lineTo(p.x(i), y);
				else
					s.c.moveTo(p.x(i), y);
				s.c.lineTo(p.x(i + 1), y);
				on = true;
			}
			s.c.stroke();
		}
		s.c.restore();
		s.c.textAlign = "right";
		for (let window = 0; window < 3; window++) {
			const text = "in " + data.written_set[window].seconds + " s";

			s.c.fillStyle = "#ffffffcc";
			s.c.fillRect(x - 70, TOP, 70, 16);
			s.c.fillStyle = "#222";
			s.c.fillText(text, x, TOP + 12);
			x -= s.c.measureText(text).width + 16;
			s.c.fillStyle = colours[window];
			s.c.fillRect(x, TOP + 3, 11, 11);
			x -= 12;
		}
	}

	function draw() {
		const top = rows[Math.min(rowAt(view.y0), rows.length - 1)];
		const low = rows[Math.min(rowAt(view.y1 - 1e-9), rows.length - 1)];

		drawMap();
		drawSets();
		shown.textContent = !columns.length ? "" : "shown: " + clock(time(view.x0)) + " to " +
			clock(time(view.x1)) + (top ? ", " + top.start.toString(16) + " to " +
			low.end.toString(16) : "") + (data.ranges_left_out ? " (" +
			data.ranges_left_out + " ranges with " + data.pages_written_left_out +
			" page writes have no row)" : "");
	}

	// ---- mouse and keys

	function look(x0, x1, y0, y1) {
		const leastX = Math.min(2, whole.x1), leastY = Math.min(1, whole.y1);
		const limit = function (from, to, most, least) {
			const length = Math.min(most, Math.max(least, to - from));
			const start = Math.min(Math.max(0, from), most - length);

			return [start, start + length];
		};
		const x = limit(x0, x1, whole.x1, leastX), y = limit(y0, y1, whole.y1, leastY);

		view = { x0: x[0], x1: x[1], y0: y[0], y1: y[1] };
		draw();
	}

	function reset() {
		drag = null;
		look(whole.x0, whole.x1, whole.y0, whole.y1);
	}

	function place(event) {
		const box = map.getBoundingClientRect();

		return { x: event.clientX - box.left, y: event.clientY - box.top };
	}

	function clamp(at) {
		const p = plot(map);

		return { x: Math.min(Math.max(at.x, LEFT), LEFT + p.w),
			y: Math.min(Math.max(at.y, TOP), TOP + p.h) };
	}

	function showTip(event, text) {
		tip.textContent = text;
		tip.hidden = false;
		tip.style.left = Math.min(event.clientX + 14, window.innerWidth - 300) + "px";
		tip.style.top = Math.min(event.clientY + 14, window.innerHeight - 110) + "px";
	}

	function hover(event) {
		const at = place(event), p = plot(map), column = Math.floor(p.column(at.x));
		const row = rows[rowAt(p.height(at.y))];

		if (!row || at.x < LEFT || at.x > LEFT + p.w || at.y < TOP || at.y > TOP + p.h ||
		    column < 0 || column >= columns.length) {
			tip.hidden = true;
			return;
		}
		const m = row.segment.memory, n = columns[column].intervals;
		const written = row.values.get(column) || 0;

		showTip(event, m.name + "\n" + owner(m) + "\n" + row.start.toString(16) + "-" +
			row.end.toString(16) + " (" + bytes(row.pages * PAGE) + ")\n" +
			clock(time(column)) + " to " + clock(time(column + 1)) + "\n" +
			(n ? Number((written / n).toPrecision(4)) + " of " + row.pages +
			" pages written in an interval" : "nothing was recorded then"));
	}

	map.addEventListener("pointerdown", function (event) {
		const at = clamp(place(event));

		if (event.button)
			return;
		drag = { x: at.x, y: at.y, toX: at.x, toY: at.y, moved: false };
		map.setPointerCapture(event.pointerId);
	});
	map.addEventListener("pointermove", function (event) {
		if (drag) {
			const at = clamp(place(event));

			drag.toX = at.x;
			drag.toY = at.y;
			drag.moved = Math.abs(at.x - drag.x) > 4 || Math.abs(at.y - drag.y) > 4;
			tip.hidden = true;
			drawMap();
		} else {
			hover(event);
		}
	});
	map.addEventListener("pointerup", function () {
		const d = drag, p = plot(map);

		drag = null;
		if (!d || !d.moved)
			return;
		// A drag along one direction is about that direction only.
		const wide = Math.abs(d.toX - d.x) > 4, high = Math.abs(d.toY - d.y) > 12;
		const xs = [p.column(d.x), p.column(d.toX)].sort((a, b) => a - b);
		const ys = [p.height(d.y), p.height(d.toY)].sort((a, b) => a - b);

		look(wide ? xs[0] : view.x0, wide ? xs[1] : view.x1,
			high ? ys[0] : view.y0, high ? ys[1] : view.y1);
	});
	map.addEventListener("pointercancel", function () {
		drag = null;
		drawMap();
	});
	map.addEventListener("pointerleave", function () {
		tip.hidden = true;
	});
	map.addEventListener("wheel", function (event) {
		const at = place(event), p = plot(map), by = event.deltaY + event.deltaX > 0 ? 1.25 : 0.8;
		const x = p.column(at.x), y = p.height(at.y);

		event.preventDefault();
		if (event.shiftKey)
			look(view.x0, view.x1, y - (y - view.y0) * by, y + (view.y1 - y) * by);
		else
			look(x - (x - view.x0) * by, x + (view.x1 - x) * by, view.y0, view.y1);
	}, { passive: false });
	map.addEventListener("dblclick", reset);
	document.getElementById("reset").addEventListener("click", reset);
	document.addEventListener("keydown", function (event) {
		if (event.key === "Escape")
			reset();
	});
	window.addEventListener("resize", draw);

	// ---- what is not drawn

	function cell(kind, row, text, style) {
		const element = document.createElement(kind);

		element.textContent = text;
		if (style)
			element.className = style;
		row.appendChild(element);
	}

	function table() {
		const element = document.getElementById("mappings"), several = data.several;
		const head = element.insertRow();

		if (several)
			cell("th", head, "process");
		for (const title of ["name", "address range"])
			cell("th", head, title);
		for (const title of ["size", "page writes", "intervals", "first", "last"])
			cell("th", head, title, "number");
		for (const m of data.mappings.slice(0, 200)) {
			const row = element.insertRow();

			if (several)
				cell("td", row, owner(m));
			cell("td", row, m.name);
			cell("td", row, m.start.slice(2) + "-" + m.end.slice(2), "address");
			cell("td", row, bytes(Number(BigInt(m.end) - BigInt(m.start))), "number");
			cell("td", row, m.pages_written, "number");
			cell("td", row, m.intervals, "number");
			cell("td", row, clock(m.first), "number");
			cell("td", row, clock(m.last), "number");
		}
	}

	data.several = new Set(data.mappings.map(owner)).size > 1;
	for (const l of data.scale.concat([{ colour: "#d8d8d8", text: "not recorded" }])) {
		const item = document.createElement("span"), box = document.createElement("i");

		box.style.background = l.colour;
		item.appendChild(box);
		item.appendChild(document.createTextNode(l.text));
		document.getElementById("scale").appendChild(item);
	}
	table();
	draw();
})();
