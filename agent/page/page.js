"use strict";

/*
 * Turns what the agent has written into a live page: fetches the JSON again and again and writes
 * what has changed into the document. Its sentences are the agent's own, so page, terminal, log and
 * alerts say the same. Foreign text only ever becomes textContent or an attribute's value, never
 * markup.
 */
(() => {
	const ROWS_FIRST = 100;    /* more are shown when they are asked for */
	const NEEDS_MAX = 3;       /* lines, so that little moves when they come */
	const EVENTS_TOLD = 6;
	const RETRY_S = 3;         /* at most, when the agent does not answer */
	const TIMEOUT_MS = 10000;
	const SPANS_S = [60, 120, 300, 600]; /* of the history: the shortest that holds it all */
	const SVG = "http://www.w3.org/2000/svg";

	const byId = (id) => document.getElementById(id);
	const memory = {
		get(key, fallback) {
			try {
				return JSON.parse(sessionStorage.getItem("wsbalancer." + key)) ?? fallback;
			} catch {
				return fallback;
			}
		},
		set(key, value) {
			try {
				sessionStorage.setItem("wsbalancer." + key, JSON.stringify(value));
			} catch {
				/* A browser that forbids it only forgets. */
			}
		},
	};

	const view = {
		interval: Number(document.body.dataset.refresh),
		filter: memory.get("filter", ""),
		trouble: memory.get("trouble", false),
		sort: memory.get("sort", { key: "state", down: false }),
		all: false,        /* rows beyond the first are asked for */
		report: null,      /* the last good answer */
		reportAt: 0,       /* when it was written, performance.now() */
		failedSince: null, /* a Date; null while all is well */
		why: "",
		cursor: null,      /* of the history, an index */
	};
	const rows = new Map();    /* by proxy and server: the table's rows */
	const bodies = new Map();  /* by url: the table's bodies */
	const table = { heads: new Map(), root: null };
	const chart = { parts: null, shown: [], events: [], x: null }; /* as drawn last */

	/* --- words --- */

	const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
	const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

	const plural = (n, word) => `${whole.format(n)} ${word}${n === 1 ? "" : "s"}`;
	const percent = (ratio) => `${(100 * ratio).toFixed(1)} %`;

	/* As the agent's own report_age. */
	function age(s) {
		if (s < 10)
			return `${s.toFixed(1)} s`;
		if (s < 60)
			return `${Math.floor(s)} s`;
		if (s < 7200)
			return `${Math.floor(s / 60)} min`;
		if (s < 172800)
			return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
		return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
	}

	/* How long ago something was, by the agent's clock; later is how old the report is. */
	const since = (at, later) => Math.max(0, view.report.written_at + later - at);
	const wholeAge = (s) => age(Math.floor(s)).replace(".0", "");
	const clock = (date) => date.toLocaleTimeString("en-GB");
	const nameOf = (pod) => pod.podName || pod.server;

	function deviationOf(pod) {
		if (pod.deviation === null)
			return "";
		const n = Math.round(100 * Math.abs(pod.deviation));

		return `${n === 0 ? "" : pod.deviation < 0 ? "\u2212" : "+"}${n} %`;
	}

	/* --- elements --- */

	function setText(element, text) {
		if (element.textContent !== text)
			element.textContent = text;
	}

	function setAttribute(element, name, value) {
		if (element.getAttribute(name) !== value)
			element.setAttribute(name, value);
	}

	function make(tag, className, text) {
		const element = document.createElement(tag);

		if (className)
			element.className = className;
		if (text !== undefined)
			element.textContent = text;
		return element;
	}

	function makeSvg(tag, attributes) {
		const element = document.createElementNS(SVG, tag);

		for (const [name, value] of Object.entries(attributes))
			element.setAttribute(name, value);
		return element;
	}

	/*
	 * Makes the children of parent those that are wanted, in that order. Most refreshes change
	 * neither, so elements are moved only where the order is another: a moved element loses its
	 * focus and its selected text.
	 */
	function arrange(parent, wanted) {
		let at = parent.firstElementChild;

		for (const element of wanted) {
			if (element === at)
				at = at.nextElementSibling;
			else
				parent.insertBefore(element, at);
		}
		while (at) {
			const next = at.nextElementSibling;

			at.remove();
			at = next;
		}
	}

	/* The children of parent, made anew only where there are too few or too many. */
	function children(parent, n, makeOne) {
		while (parent.childElementCount > n)
			parent.lastElementChild.remove();
		while (parent.childElementCount < n)
			parent.append(makeOne());
		return [...parent.children];
	}

	/* --- the verdict --- */

	function makeVerdict() {
		const article = make("article");

		article.text = make("h2");
		article.lines = make("dl");
		article.append(article.text, article.lines);
		return article;
	}

	function showVerdicts(report) {
		const all = report.backends.map((backend) => backend.verdict)
			.filter((verdict) => !report.services.length || isShown(report, verdict.backend));
		const some = all.filter((verdict) => verdict.state !== "left_alone");
		const told = some.length > 0 ? some : all;
		const root = byId("verdicts");

		if (!root.firstElementChild?.text)
			root.replaceChildren();
		children(root, told.length, makeVerdict).forEach((article, i) => {
			const verdict = told[i];
			const minor = verdict.state === "left_alone";
			const lines = minor ? [] : ["now", "why", "how", "you"].filter((key) => verdict[key])
				.map((key) => [key[0].toUpperCase() + key.slice(1), verdict[key]]);

			article.className = `card verdict ${verdict.state}${minor ? " minor" : ""}`;
			setText(article.text, verdict.text);
			children(article.lines, 2 * lines.length, () => make(
				article.lines.childElementCount % 2 ? "dd" : "dt")).forEach((element, k) =>
				setText(element, lines[k >> 1][k % 2]));
		});
	}

	/* A query may have selected some services. */
	function isShown(report, backend) {
		return !new URLSearchParams(location.search).get("service") ||
			Object.values(report.podMetrics).flat().some((pod) => pod.proxy === backend);
	}

	function showTitle() {
		const verdict = view.report?.verdict;
		const said = view.failedSince ? "No answer from the agent" : verdict?.text;

		document.title = said ? `${said} \u00b7 wsbalancer` : "wsbalancer";
	}

	/* Fills a card with a line for each of [name, what is said of it]; with more than NEEDS_MAX, as
	 * many less one, and how many more there are. */
	function showList(root, title, lines) {
		const told = lines.slice(0, lines.length > NEEDS_MAX ? NEEDS_MAX - 1 : NEEDS_MAX);
		const rest = lines.length - told.length;
		const list = root.querySelector("ul");

		setText(root.querySelector("h2"), title);
		if (!list.said) {
			list.said = true;
			list.replaceChildren();
		}
		const items = children(list, told.length + (rest > 0 ? 1 : 0), () => make("li"));

		items.forEach((item, i) => {
			const words = i < told.length
				? [["name", told[i][0]], ["", told[i][1]]]
				: [["rest", `and ${rest} more`]];

			children(item, words.length, () => make("span")).forEach((element, k) => {
				element.className = words[k][0];
				setText(element, words[k][1]);
			});
		});
	}

	function showNeeds(report, pods) {
		const needing = pods.filter((pod) => pod.trouble > 0)
			.sort((a, b) => b.trouble - a.trouble || byName.compare(nameOf(a), nameOf(b)));
		const root = byId("needs");

		setAttribute(root, "class", needing.length > 0 ? "card list bad" : "card list");
		showList(root, report.titles.needs, needing.map((pod) =>
			[nameOf(pod), pod.why + (pod.remedy ? `: ${pod.remedy}` : "")]));
	}

	function showNotAsked(report) {
		const lines = report.backends.flatMap((backend) => backend.not_asked.map(
			(server) => [`${backend.name}/${server.server}`, server.why]));
		const root = byId("not-asked");

		root.hidden = lines.length === 0;
		showList(root, report.titles.not_asked, lines);
	}

	/* --- facts --- */

	function ageOf(fact, later) {
		if (fact.at === null)
			return "";
		const s = since(fact.at, later);

		return fact.ago ? `${age(s)} ago` : wholeAge(s);
	}

	function showFacts(report, later) {
		const { facts } = report;

		children(byId("facts"), facts.length, () => make("span")).forEach((element, i) => {
			const fact = facts[i];

			if (!element.loud) {
				element.before_ = document.createTextNode("");
				element.loud = make("b");
				element.after_ = document.createTextNode("");
				element.replaceChildren(element.before_, element.loud, element.after_);
			}
			element.className = fact.look;
			setText(element.before_, fact.before);
			setText(element.loud, fact.strong);
			setText(element.after_, fact.after + ageOf(fact, later));
		});
	}

	/* --- the table --- */

	/* Numbers are wanted with the largest first, names with the first. Their titles are those of
	 * the agent's own table. */
	const columns = [
		{ key: "pod", value: nameOf },
		{ key: "connections", value: (p) => p.agentsConnections },
		{ key: "deviation", value: (p) => p.deviation ?? -Infinity },
		{ key: "bar" },
		{ key: "share", value: (p) => p.share_next ?? -1 },
		{ key: "state", class: "why" },
		{ key: "since", value: (p) => -(p.since ?? -Infinity) },
	];
	const columnOf = new Map(columns.map((column) => [column.key, column]));

	/* Trouble first, then the farthest from its level: in whole tenths, so that rows do not change
	 * places with each connection. */
	function byNeed(a, b) {
		const far = (pod) => Math.floor(10 * Math.abs(pod.deviation ?? 0));

		return b.trouble - a.trouble || far(b) - far(a);
	}

	function compare(a, b) {
		const { key, down } = view.sort;
		let order;

		if (key === "state") {
			order = byNeed(a, b);
		} else {
			const x = columnOf.get(key).value(a);
			const y = columnOf.get(key).value(b);

			order = typeof x === "string" ? byName.compare(x, y) : Math.sign(x - y) || 0;
		}
		/* Equal ones keep one order, or they would change places at every refresh. */
		return (down ? -order : order) || byName.compare(nameOf(a), nameOf(b)) ||
			byName.compare(a.server, b.server);
	}

	function makeTable() {
		const head = make("tr");
		const agents = byId("pods").querySelector("table");

		table.root = make("table");
		table.root.append(agents.caption, make("thead"));
		for (const column of columns) {
			const th = make("th", `c-${column.class ?? column.key}`);
			const title = agents.querySelector(`th.${th.className}`).textContent;

			th.scope = "col";
			if (column.key !== "bar") {
				const button = make("button", "", title);

				button.type = "button";
				button.addEventListener("click", () => sortBy(column.key));
				th.append(button);
				table.heads.set(column.key, th);
			} else {
				th.append(make("span", "unseen", title));
			}
			head.append(th);
		}
		table.root.tHead.append(head);
		byId("pods").replaceChildren(table.root);
	}

	const shapes = {
		good: "M6 1a5 5 0 1 0 .01 0z", warn: "M6 .5l5.8 11H.2z", bad: "M1 1h10v10H1z",
		calm: "M6 0l6 6-6 6-6-6z", idle: "M6 3a3 3 0 1 0 .01 0z",
	};

	function makeBar() {
		const svg = makeSvg("svg", { class: "bar", "aria-hidden": "true" });

		svg.own = makeSvg("rect", { class: "own", height: "100%" });
		svg.others = makeSvg("rect", { class: "others", height: "100%" });
		svg.halo = makeSvg("line", { class: "halo", y1: "0", y2: "100%" });
		svg.level = makeSvg("line", { class: "level", y1: "0", y2: "100%" });
		svg.append(svg.own, svg.others, svg.halo, svg.level);
		return svg;
	}

	function setBar(svg, pod, max) {
		const part = (n) => `${Math.min(100, (100 * n) / Math.max(1, max)).toFixed(2)}%`;
		const own = Math.min(pod.own_sessions, pod.agentsConnections);

		setAttribute(svg, "class", pod.reckoned ? "bar reckoned" : "bar");
		setAttribute(svg.own, "width", part(own));
		setAttribute(svg.others, "x", part(own));
		setAttribute(svg.others, "width", part(pod.agentsConnections - own));
		for (const line of [svg.halo, svg.level]) {
			setAttribute(line, "visibility", pod.level === null ? "hidden" : "visible");
			setAttribute(line, "x1", part(pod.level ?? 0));
			setAttribute(line, "x2", part(pod.level ?? 0));
		}
	}

	function makeRow() {
		const row = make("tr");

		for (const column of columns) {
			const key = column.class ?? column.key;

			row[`${key}_`] = make("td", `c-${key}`);
			row.append(row[`${key}_`]);
		}
		const pod = make("div", "pod");

		row.shape = makeSvg("svg", { class: "shape", viewBox: "0 0 12 12", "aria-hidden": "true" });
		row.path = makeSvg("path", {});
		row.shape.append(row.path);
		row.name = make("span", "name");
		row.place = make("span", "more-of-pod");
		pod.append(row.shape, row.name, row.place);
		row.pod_.append(pod);
		row.bar = makeBar();
		row.bar_.append(row.bar);
		row.why = make("span", "why");
		row.remedy = make("span", "remedy");
		row.error = make("span", "error");
		row.why_.append(row.why, row.remedy, row.error);
		return row;
	}

	function setRow(row, pod, max) {
		const place = [pod.nodeName, pod.address, `weight ${pod.haproxy_weight}`];

		setAttribute(row, "class", pod.look);
		setAttribute(row.shape, "class", `shape ${pod.look}`);
		setAttribute(row.path, "d", shapes[pod.look]);
		setText(row.name, nameOf(pod));
		setText(row.place, place.filter(Boolean).join(" \u00b7 "));
		setText(row.connections_, `${pod.reckoned ? "\u2248 " : ""}` +
			whole.format(pod.agentsConnections));
		setText(row.deviation_, deviationOf(pod));
		setBar(row.bar, pod, max);
		setText(row.share_, pod.next ?? "");
		setText(row.why, pod.why);
		setText(row.remedy, pod.remedy ?? "");
		/* A reason names the error that it rests on. */
		setText(row.error, pod.last_error && pod.trouble === 0
			? view.report.titles.last_error + pod.last_error : "");
		row.remedy.hidden = !pod.remedy;
		row.error.hidden = row.error.textContent === "";
		setText(row.since_, pod.since === null ? "" : wholeAge(since(pod.since, laterOf())));
	}

	function matches(pod) {
		if (view.trouble && pod.trouble === 0)
			return false;
		const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
		const text = [nameOf(pod), pod.server, pod.proxy, pod.nodeName, pod.zone, pod.address,
			pod.podIP, pod.why, pod.state, pod.last_error].join("\n").toLowerCase();

		return words.every((word) => text.includes(word));
	}

	const keyOf = (pod) => `${pod.proxy}/${pod.server}`;

	function rowOf(pod) {
		const key = keyOf(pod);

		if (!rows.has(key))
			rows.set(key, makeRow());
		return rows.get(key);
	}

	function makeBody(url) {
		const body = make("tbody");

		body.title_ = make("tr", "service");
		body.name = make("th");
		body.name.colSpan = columns.length;
		body.name.scope = "rowgroup";
		body.facts = make("small");
		body.name.append(url, body.facts);
		body.title_.append(body.name);
		return body;
	}

	/* Shows the service's pods that match, up to so many; returns how many match. */
	function showBody(service, pods, many, room) {
		const found = pods.filter(matches).sort(compare);
		const shown = found.slice(0, room);
		const max = pods.reduce((n, pod) => Math.max(n, pod.agentsConnections, pod.level ?? 0), 1);
		const body = bodies.get(service.url) ?? makeBody(service.url);

		bodies.set(service.url, body);
		body.hidden = shown.length === 0;
		setText(body.facts, `${plural(service.connections, "connection")} on ` +
			plural(pods.length, "pod"));
		shown.forEach((pod) => setRow(rowOf(pod), pod, max));
		arrange(body, [...(many ? [body.title_] : []), ...shown.map(rowOf)]);
		return found.length;
	}

	function showTable(report, pods) {
		let found = 0;

		if (!table.root)
			makeTable();
		for (const service of report.services) {
			const room = view.all ? Infinity : Math.max(0, ROWS_FIRST - found);

			found += showBody(service, report.podMetrics[service.url] ?? [],
				report.services.length > 1, room);
		}
		arrange(table.root, [table.root.caption, table.root.tHead,
			...report.services.map((service) => bodies.get(service.url))]);
		const alive = new Set(pods.map(keyOf));

		for (const key of rows.keys())
			if (!alive.has(key))
				rows.delete(key);
		for (const [key, th] of table.heads) {
			if (key === view.sort.key)
				setAttribute(th, "aria-sort", view.sort.down ? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
		}
		byId("nothing").hidden = found > 0 || pods.length === 0;
		byId("more").hidden = view.all || found <= ROWS_FIRST;
		setText(byId("all"), `Show all ${plural(found, "pod")}`);
	}

	function show() {
		const report = view.report;

		if (!report)
			return;
		const pods = Object.values(report.podMetrics).flat();

		showVerdicts(report);
		showNeeds(report, pods);
		showNotAsked(report);
		showTable(report, pods);
	}

	/* --- is it live? --- */

	/* How old the report is, s. */
	const laterOf = () => (performance.now() - view.reportAt) / 1000;

	/* What grows older by itself does so each second, whether or not the agent answers. */
	function showLive() {
		const later = laterOf();
		const isOld = view.interval > 0 && later > 3 * view.interval + 2;
		const look = view.failedSince ? "gone" : isOld ? "old" : "fresh";

		byId("live").className = `live ${look}`;
		document.body.classList.toggle("stale-page", look !== "fresh");
		showGone();
		showTitle();
		if (!view.report)
			return;
		showFacts(view.report, later);
		showHistory(later);
		const ago = later < 1.5 ? "just now" : `${wholeAge(later)} ago`;

		setText(byId("live-text"), view.failedSince ? `Gone; last answer ${ago}`
			: isOld ? `Old: updated ${ago}`
			: view.interval > 0 ? `Live, updated ${ago}` : `Not refreshing, updated ${ago}`);
	}

	function showGone() {
		const text = view.failedSince
			? `The agent has not answered since ${clock(view.failedSince)} (${view.why}). ` +
				"HAProxy goes on with the weights that it has. Below is what was known last."
			: "";

		if (byId("gone").textContent === text)
			return;
		byId("gone").replaceChildren(...(text ? [make("p", "card bad", text)] : []));
	}

	/* --- history --- */

	/* A round number of percent above the largest value, and how many lines divide it. */
	function scaleOf(largest) {
		const scales = [[0.02, 2], [0.05, 5], [0.1, 2], [0.2, 2], [0.5, 5], [1, 2], [2, 2], [5, 5]];

		for (const [top, lines] of scales)
			if (largest <= top)
				return { top, lines };
		return { top: Math.ceil(largest / 10) * 10, lines: 2 };
	}

	/* "Now" is now, however old the last point is. */
	function showHistory(later) {
		const report = view.report;
		const points = report.history;
		const end = report.written_at + later;
		const first = points.length > 0 ? points[0][0] : end;
		const span = SPANS_S.find((s) => end - first <= s) ?? SPANS_S.at(-1);
		const x = (t) => ((t - (end - span)) / span) * 1000;

		chart.shown = points.filter((point) => x(point[0]) >= 0);
		chart.events = report.events.filter((event) => x(event.at) >= 0);
		chart.x = x;
		const largest = chart.shown.reduce((n, point) => Math.max(n, point[1]), 0);
		const { top, lines } = scaleOf(largest);

		drawHistory(top, lines, 5 * Math.max(1, report.agent.poll_interval_s));
		showMarks(top, lines, span);
		showCursor();
		showEvents(report, end);
		const last = chart.shown.at(-1);

		setText(byId("chart-text"), last
			? `Last ${percent(last[1])} at ${clock(new Date(1000 * last[0]))}, at most ` +
				`${percent(largest)}. Arrow keys read the points.`
			: "Nothing was planned yet.");
	}

	function drawHistory(top, lines, gap) {
		const y = (v) => 100 - (100 * v) / top;
		const svg = byId("chart");
		let line = "";
		let area = "";
		let grid = "";
		let last = null;

		for (const [t, v] of chart.shown) {
			const at = `${chart.x(t).toFixed(1)} ${y(v).toFixed(2)}`;

			/* No line over a time in which nothing was planned. */
			if (last === null || t - last > gap) {
				area += `${last === null ? "" : "V100"}M${chart.x(t).toFixed(1)} 100`;
				line += `M${at}`;
			}
			line += `L${at}`;
			area += `L${at}`;
			last = t;
		}
		for (let i = 0; i <= lines; i++)
			grid += `M0 ${(100 * i) / lines}H1000`;
		if (!chart.parts) {
			chart.parts = {};
			svg.setAttribute("viewBox", "0 0 1000 100");
			for (const name of ["grid", "area", "line", "event", "cursor"])
				svg.append(chart.parts[name] = makeSvg("path", { class: name }));
		}
		setAttribute(chart.parts.grid, "d", grid);
		setAttribute(chart.parts.line, "d", line);
		setAttribute(chart.parts.area, "d", area ? `${area}V100z` : "");
		setAttribute(chart.parts.event, "d",
			chart.events.map((event) => `M${chart.x(event.at).toFixed(1)} 0V100`).join(""));
	}

	function showMarks(top, lines, span) {
		const said = `${top} ${lines} ${span}`;

		if (byId("marks").said === said)
			return;
		byId("marks").said = said;
		byId("marks").replaceChildren();
		for (let i = 0; i <= lines; i++) {
			const mark = make("span", "y", `${Math.round(100 * top * (1 - i / lines))} %`);

			mark.style.top = `${(100 * i) / lines}%`;
			byId("marks").append(mark);
		}
		for (const [at, name, text] of [[0, "x first", `${age(span)} ago`],
			[50, "x", `${age(span / 2)} ago`], [100, "x last", "now"]]) {
			const mark = make("span", name, text);

			mark.style.left = `${at}%`;
			byId("marks").append(mark);
		}
	}

	function showEvents(report, end) {
		const told = report.events.slice(-EVENTS_TOLD).reverse();

		children(byId("events"), told.length, () => make("li")).forEach((item, i) =>
			setText(item, `${told[i].text} ${wholeAge(Math.max(0, end - told[i].at))} ago`));
	}

	/* The point under the cursor, and what happened near it. */
	function showCursor() {
		if (view.cursor === null || chart.shown.length === 0) {
			chart.parts?.cursor.setAttribute("d", "");
			setText(byId("readout"), "");
			return;
		}
		view.cursor = Math.max(0, Math.min(view.cursor, chart.shown.length - 1));
		const [t, v] = chart.shown[view.cursor];
		const near = chart.events.filter((event) => Math.abs(chart.x(event.at) - chart.x(t)) < 8);

		chart.parts.cursor.setAttribute("d", `M${chart.x(t).toFixed(1)} 0V100`);
		setText(byId("readout"), [`${clock(new Date(1000 * t))}: ${percent(v)}`,
			...near.map((event) => event.text)].join(", "));
	}

	function watchHistory() {
		const svg = byId("chart");
		const look = (event) => {
			const box = svg.getBoundingClientRect();
			const at = ((event.clientX - box.left) / box.width) * 1000;
			const far = (i) => Math.abs(chart.x(chart.shown[i][0]) - at);

			view.cursor = chart.shown.reduce((best, _, i) => (far(i) < far(best) ? i : best), 0);
			showCursor();
		};

		svg.addEventListener("pointermove", look);
		svg.addEventListener("pointerdown", look);
		for (const event of ["pointerleave", "blur"])
			svg.addEventListener(event, (which) => {
				/* A finger that is lifted has left, and what it pointed at is still read. */
				if (which.pointerType === "touch")
					return;
				view.cursor = null;
				showCursor();
			});
		svg.addEventListener("keydown", (event) => {
			const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -60, PageDown: 60 }[event.key];

			if (!step)
				return;
			event.preventDefault();
			view.cursor = (view.cursor ?? chart.shown.length - 1) + step;
			showCursor();
			/* Spoken only when it was asked for, not at each move of a mouse. */
			setText(byId("chart-text"), byId("readout").textContent);
		});
	}

	/* --- fetching --- */

	let timer = 0;
	let underWay = false;

	function reportUrl() {
		const query = new URLSearchParams({ format: "json" });
		const asked = new URLSearchParams(location.search);

		for (const key of ["service", "pod"])
			if (asked.get(key))
				query.set(key, asked.get(key));
		return `${location.pathname}?${query}`;
	}

	function schedule() {
		clearTimeout(timer);
		if (view.interval === 0 || document.hidden)
			return;
		/* Sooner than usual when the agent does not answer, to see when it does again. */
		const seconds = view.failedSince ? Math.min(view.interval, RETRY_S) : view.interval;

		timer = setTimeout(load, 1000 * seconds);
	}

	async function fetchReport() {
		try {
			const answer = await fetch(reportUrl(),
				{ cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });

			if (!answer.ok)
				throw new Error(`it answers ${answer.status}`);
			const at = performance.now() -
				1000 * Number(answer.headers.get("report-age") ?? 0);

			return { report: await answer.json(), at };
		} catch (error) {
			view.failedSince ??= new Date();
			view.why = error.name === "TimeoutError" ? "no answer in 10 s"
				: error.name === "TypeError" ? "no connection" : error.message;
			return null;
		}
	}

	async function load() {
		if (underWay)
			return;
		underWay = true;
		const answer = await fetchReport();

		underWay = false;
		schedule();
		if (answer) {
			view.report = answer.report;
			view.reportAt = answer.at;
			view.failedSince = null;
			show();
		}
		showLive();
		document.body.classList.add("live-page");
	}

	/* --- controls --- */

	function sortBy(key) {
		const value = columnOf.get(key).value;
		const first = value?.(Object.values(view.report.podMetrics).flat()[0]);

		if (view.sort.key === key)
			view.sort = { key, down: !view.sort.down };
		else
			view.sort = { key, down: typeof first === "number" };
		memory.set("sort", view.sort);
		show();
	}

	function setRefresh(seconds) {
		const select = byId("refresh");
		const url = new URL(location.href);

		view.interval = seconds;
		if (![...select.options].some((option) => Number(option.value) === seconds))
			select.append(new Option(`${seconds} s`, String(seconds)));
		select.value = String(seconds);
		url.searchParams.set("refreshInterval", seconds > 0 ? String(seconds) : "off");
		/* A reload of the page keeps what was chosen. */
		if (url.href !== location.href)
			history.replaceState(null, "", url);
		showLive();
		schedule();
	}

	function start() {
		byId("controls").addEventListener("submit", (event) => event.preventDefault());
		byId("filter").value = view.filter;
		byId("trouble").checked = view.trouble;
		byId("filter").addEventListener("input", () => {
			view.filter = byId("filter").value;
			memory.set("filter", view.filter);
			show();
		});
		byId("trouble").addEventListener("change", () => {
			view.trouble = byId("trouble").checked;
			memory.set("trouble", view.trouble);
			show();
		});
		byId("refresh").value = String(view.interval);
		if (byId("refresh").value === "")
			setRefresh(view.interval);
		byId("refresh").addEventListener("change", () => setRefresh(Number(byId("refresh").value)));
		byId("now").addEventListener("click", load);
		byId("all").addEventListener("click", () => {
			view.all = true;
			show();
		});
		byId("as-json").href = reportUrl();
		document.addEventListener("keydown", (event) => {
			if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey ||
				/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? ""))
				return;
			event.preventDefault();
			byId("filter").focus();
		});
		/* Nobody looks at a hidden page; it is brought up to date when somebody does. */
		document.addEventListener("visibilitychange", () => {
			if (document.hidden)
				clearTimeout(timer);
			else if (view.interval > 0)
				load();
		});
		/* Paper shows all there is. */
		addEventListener("beforeprint", () => {
			view.all = true;
			show();
		});
		watchHistory();
		setInterval(showLive, 1000);
		load();
	}

	start();
})();
