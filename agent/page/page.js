"use strict";

/*
 * Turns the table that the agent has written into a live one: fetches the JSON again and again and
 * writes what has changed into the document. Foreign text only ever becomes textContent or an
 * attribute's value, never markup.
 */
(() => {
	const LIST_MAX = 40;       /* so many pods have a bar with a name; more are a skyline */
	const RETRY_S = 3;         /* at most, when the agent does not answer */
	const TIMEOUT_MS = 10000;
	const SPANS_S = [60, 120, 300, 600]; /* of the history: the shortest that holds it all */
	const WEIGHT_MAX = 256;
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
		sort: memory.get("sort", { key: "pod", down: false }),
		closed: new Set(memory.get("closed", [])),
		report: null,      /* the last good answer */
		reportAt: 0,       /* when it came, performance.now() */
		failedSince: null, /* a Date; null while all is well */
		why: "",
		cursor: null,      /* of the history, an index */
	};
	const services = new Map(); /* by url: its elements */
	const chart = { parts: null, shown: [], x: null }; /* the history as drawn last */

	/* --- words --- */

	const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
	const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

	const plural = (n, word) => `${whole.format(n)} ${word}${n === 1 ? "" : "s"}`;
	const percent = (ratio) => `${(100 * ratio).toFixed(1)} %`;

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

	const clock = (date) => date.toLocaleTimeString("en-GB");

	/* How a state looks: good, warn, bad, calm (meant to be so), idle. */
	const looks = {
		heard: "good", stale: "warn", never_heard: "bad", disbelieved: "bad", down: "bad",
		draining: "calm", drain: "calm", maint: "calm", unplanned: "idle", backup: "idle",
		weight_zero: "idle", no_address: "idle", not_steered: "idle",
	};
	const lookOf = (pod) => looks[pod.state] ?? "idle";
	const isTrouble = (pod) => ["warn", "bad"].includes(lookOf(pod)) || pod.last_error !== null;
	const nameOf = (pod) => pod.podName || pod.server;

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

	/* The pattern of "held by others". Patterns are found by id, so there is one for the page. */
	function addPattern() {
		const svg = makeSvg("svg", { width: 0, height: 0, "aria-hidden": "true", class: "unseen" });
		const pattern = makeSvg("pattern", {
			id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse",
			patternTransform: "rotate(45)",
		});

		pattern.append(makeSvg("rect", { width: 5, height: 5, class: "hatch-ground" }),
			makeSvg("rect", { width: 1.6, height: 5, class: "hatch-stripe" }));
		svg.append(pattern);
		document.body.append(svg);
	}

	/* A bar of two parts and a mark for the level; all three are widths in percent. */
	function makeBar() {
		const svg = makeSvg("svg", { class: "bar", "aria-hidden": "true" });

		svg.own = makeSvg("rect", { class: "own", height: "100%" });
		svg.others = makeSvg("rect", { class: "others", height: "100%" });
		svg.level = makeSvg("line", { class: "level", y1: "0", y2: "100%" });
		svg.append(svg.own, svg.others, svg.level);
		return svg;
	}

	function setBar(svg, own, others, level, max) {
		const part = (n) => `${Math.min(100, (100 * n) / Math.max(1, max)).toFixed(2)}%`;

		setAttribute(svg.own, "width", part(own));
		setAttribute(svg.others, "x", part(own));
		setAttribute(svg.others, "width", part(others));
		if (level === null) {
			svg.level.setAttribute("visibility", "hidden");
			return;
		}
		svg.level.removeAttribute("visibility");
		setAttribute(svg.level, "x1", part(level));
		setAttribute(svg.level, "x2", part(level));
	}

	/* The pod's connections, as the parts that this HAProxy and others hold. */
	function partsOf(pod) {
		const own = Math.min(pod.own_sessions, pod.agentsConnections);

		return { own, others: pod.agentsConnections - own };
	}

	/* How full it is: what is to be even over all pods. */
	function heightOf(pod) {
		return pod.capacity > 0 ? pod.agentsConnections / pod.capacity : Infinity;
	}

	/* --- tables --- */

	/* text is what a cell says, where it says no more than that; value is what it is sorted by. */
	const columns = [
		{ key: "pod", title: "Pod", text: nameOf, value: nameOf },
		{ key: "node", title: "Node", text: (p) => p.nodeName ?? "", value: (p) => p.nodeName ?? "" },
		{ key: "address", title: "Address", text: (p) => p.address, value: (p) => p.address },
		{
			key: "connections", title: "Connections", hint: "That the pod has from everywhere",
			value: (p) => p.agentsConnections,
		},
		{
			key: "own", title: "Own", hint: "Sessions that this HAProxy holds on the pod",
			text: (p) => whole.format(p.own_sessions), value: (p) => p.own_sessions,
		},
		{
			key: "weight", title: "Weight",
			hint: "In HAProxy; behind an arrow, what the plan wants instead",
			value: (p) => p.weight ?? p.haproxy_weight,
		},
		{ key: "state", title: "State", text: (p) => p.why, value: (p) => p.why },
		{
			key: "age", title: "Age", hint: "Since the pod last answered",
			text: (p) => (p.count_age_s === null ? "" : age(p.count_age_s)),
			value: (p) => p.count_age_s ?? Infinity,
		},
		{
			key: "error", title: "Last error", text: (p) => p.last_error ?? "",
			value: (p) => p.last_error ?? "",
		},
	];
	const columnOf = new Map(columns.map((column) => [column.key, column]));

	function compare(a, b) {
		const value = columnOf.get(view.sort.key).value;
		const x = value(a);
		const y = value(b);
		const order = typeof x === "string" ? byName.compare(x, y) : Math.sign(x - y) || 0;

		/* Equal ones keep one order, or they would change places at every refresh. */
		return (view.sort.down ? -order : order) || byName.compare(nameOf(a), nameOf(b)) ||
			byName.compare(a.server, b.server);
	}

	function makeHead(service) {
		const row = make("tr");

		service.heads = new Map();
		for (const column of columns) {
			const th = make("th", `c-${column.key}`);
			const button = make("button", "", column.title);

			th.scope = "col";
			button.type = "button";
			if (column.hint)
				button.title = column.hint;
			button.addEventListener("click", () => sortBy(column.key));
			th.append(button);
			row.append(th);
			service.heads.set(column.key, th);
		}
		const head = make("thead");

		head.append(row);
		return head;
	}

	function makeRow() {
		const row = make("tr");

		row.cells_ = {};
		for (const column of columns) {
			const td = make("td", `c-${column.key}`);

			if (["own", "age", "connections", "weight"].includes(column.key))
				td.dataset.label = column.title;
			row.cells_[column.key] = td;
			row.append(td);
		}
		for (const key of ["connections", "weight"]) {
			const gauge = make("div", "gauge");

			row.cells_[key].number = make("span");
			row.cells_[key].bar = makeBar();
			gauge.append(row.cells_[key].number, row.cells_[key].bar);
			row.cells_[key].append(gauge);
		}
		row.cells_.state.word = make("span", "state");
		row.cells_.state.append(row.cells_.state.word);
		return row;
	}

	function setRow(row, pod, max) {
		const cells = row.cells_;

		for (const column of columns) {
			const cell = cells[column.key];

			if (!column.text)
				continue;
			setText(cell.word ?? cell, column.text(pod));
			/* What does not fit can be read in full. */
			if (["pod", "node", "address", "state", "error"].includes(column.key))
				setAttribute(cell, "title", column.text(pod));
		}
		cells.state.word.className = `state ${lookOf(pod)}`;

		const { own, others } = partsOf(pod);
		/* HAProxy's figure is of the reading before the plan: what was sent since is there too. */
		const there = pod.sent_weight ?? pod.haproxy_weight;
		const differs = pod.weight !== null && pod.weight !== there;

		setText(cells.connections.number, whole.format(pod.agentsConnections));
		setAttribute(cells.connections, "title", pod.level === null ? ""
			: `level ${whole.format(pod.level)} at capacity ${pod.capacity}`);
		setBar(cells.connections.bar, own, others, pod.level, max);
		setText(cells.weight.number, differs ? `${there} \u2192 ${pod.weight}` : String(there));
		setAttribute(cells.weight, "title", differs
			? `${there} in HAProxy, ${pod.weight} wanted` : `${there} of ${WEIGHT_MAX}`);
		setBar(cells.weight.bar, there, 0, differs ? pod.weight : null, WEIGHT_MAX);
	}

	/* --- services --- */

	function makeService(url) {
		const service = {
			root: make("details", "service"),
			facts: make("span", "facts"),
			bars: make("ol", "bars"),
			skyline: makeSkyline(),
			body: make("tbody"),
			rows: new Map(),
			items: new Map(),
		};
		const summary = make("summary");
		const table = make("table");
		const caption = make("caption", "unseen", `Pods of ${url}`);

		service.root.open = !view.closed.has(url);
		service.root.dataset.url = url;
		service.root.addEventListener("toggle", () => {
			view.closed[service.root.open ? "delete" : "add"](url);
			memory.set("closed", [...view.closed]);
			if (service.root.open)
				show();
		});
		summary.append(make("h2", "", url), service.facts);
		service.bars.setAttribute("aria-label", `Connections of each pod of ${url}`);
		table.append(caption, makeHead(service), service.body);
		service.root.append(summary, service.bars, service.skyline.root, table);
		return service;
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

	const keyOf = (pod) => `${pod.proxy}/${pod.server}`;

	function matches(pod) {
		if (view.trouble && !isTrouble(pod))
			return false;
		const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
		const text = [nameOf(pod), pod.server, pod.proxy, pod.nodeName, pod.zone, pod.address,
			pod.podIP, pod.why, pod.state, pod.last_error].join("\n").toLowerCase();

		return words.every((word) => text.includes(word));
	}

	function keep(map, pods, makeOne) {
		const seen = new Set();
		const kept = pods.map((pod) => {
			const key = keyOf(pod);

			seen.add(key);
			if (!map.has(key))
				map.set(key, makeOne());
			return map.get(key);
		});

		return { kept, seen };
	}

	function showRows(service, pods, max, all) {
		const { kept } = keep(service.rows, pods, makeRow);

		pods.forEach((pod, i) => setRow(kept[i], pod, max));
		arrange(service.body, kept);
		const alive = new Set(all.map(keyOf));

		for (const map of [service.rows, service.items])
			for (const key of map.keys())
				if (!alive.has(key))
					map.delete(key);
		for (const [key, th] of service.heads) {
			if (key === view.sort.key)
				setAttribute(th, "aria-sort", view.sort.down ? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
		}
	}

	function makeItem() {
		const item = make("li");

		item.name = make("span", "name");
		item.n = make("span", "n");
		item.bar = makeBar();
		item.word = make("span", "unseen");
		item.append(item.name, item.bar, item.n, item.word);
		return item;
	}

	function showBars(service, pods, max) {
		const { kept } = keep(service.items, pods, makeItem);

		pods.forEach((pod, i) => {
			const { own, others } = partsOf(pod);

			setText(kept[i].name, nameOf(pod));
			setAttribute(kept[i].name, "title", nameOf(pod));
			setText(kept[i].n, whole.format(pod.agentsConnections));
			setText(kept[i].word, ` connections, ${own} by this HAProxy, ${others} by others` +
				(pod.level === null ? "" : `, level ${Math.round(pod.level)}`));
			setBar(kept[i].bar, own, others, pod.level, max);
		});
		arrange(service.bars, kept);
	}

	/* --- skyline: many pods as one picture, a column each, the fullest first --- */

	function makeSkyline() {
		const root = make("div", "skyline");
		const svg = makeSvg("svg", { role: "img", preserveAspectRatio: "none" });
		const skyline = { root, svg, pods: [], text: make("p") };

		for (const part of ["others", "own", "level"]) {
			skyline[part] = makeSvg("path", { class: part });
			svg.append(skyline[part]);
		}
		root.append(svg, skyline.text);
		svg.addEventListener("pointermove", (event) => {
			const box = svg.getBoundingClientRect();
			const i = Math.floor(((event.clientX - box.left) / box.width) * skyline.pods.length);
			const pod = skyline.pods[Math.max(0, Math.min(i, skyline.pods.length - 1))];
			const { own, others } = partsOf(pod);

			setText(skyline.text, `${nameOf(pod)}: ${plural(pod.agentsConnections, "connection")}, ` +
				`${whole.format(own)} by this HAProxy, ${whole.format(others)} by others`);
		});
		svg.addEventListener("pointerleave", () => setText(skyline.text, skyline.rest));
		return skyline;
	}

	function showSkyline(skyline, pods, max) {
		let own = "";
		let all = "";
		let level = "";

		pods.forEach((pod, i) => {
			all += `M${i} ${max}V${max - pod.agentsConnections}h1V${max}z`;
			own += `M${i} ${max}V${max - partsOf(pod).own}h1V${max}z`;
			if (pod.level !== null)
				level += `M${i} ${(max - pod.level).toFixed(2)}h1`;
		});
		skyline.pods = pods;
		setAttribute(skyline.svg, "viewBox", `0 0 ${pods.length} ${max}`);
		setAttribute(skyline.others, "d", all);
		setAttribute(skyline.own, "d", own);
		setAttribute(skyline.level, "d", level);
		skyline.rest = `${plural(pods.length, "pod")}, the fullest first: ` +
			`${whole.format(pods[0].agentsConnections)} to ` +
			`${whole.format(pods[pods.length - 1].agentsConnections)} connections`;
		setAttribute(skyline.svg, "aria-label", skyline.rest);
		if (!skyline.svg.matches(":hover"))
			setText(skyline.text, skyline.rest);
	}

	/* --- the page --- */

	/* HAProxy has no name for "balance random" and calls it unknown; it hides all names from a
	 * socket of a low level. */
	function algorithmOf(backend) {
		if (!backend.algo)
			return "algorithm not told";
		return `balance ${backend.algo === "unknown" ? "random" : backend.algo}`;
	}

	function factsOf(url, report) {
		const pods = report.podMetrics[url];
		const known = pods.filter((pod) => pod.known).length;
		const proxies = new Set(pods.map((pod) => pod.proxy));
		const total = report.services.find((service) => service.url === url).connections;
		const facts = [plural(total, "connection"), `${known} of ${plural(pods.length, "pod")} known`];

		for (const backend of report.backends) {
			if (!proxies.has(backend.name))
				continue;
			const name = proxies.size > 1 || backend.name !== url ? `${backend.name}: ` : "";

			if (backend.imbalance !== null)
				facts.push(`${name}imbalance ${percent(backend.imbalance)}`);
			if (backend.outlook && backend.why !== "balanced")
				facts.push(name + backend.why);
			facts.push(`${name}${algorithmOf(backend)}, ` +
				(backend.mode === "not steered" ? backend.mode : `by ${backend.mode}`));
		}
		return facts.join("  \u00b7  ");
	}

	/* Shows what the last answer and the controls say. */
	function show() {
		const report = view.report;
		let shown = 0;

		if (!report)
			return;
		const wanted = report.services.map(({ url }) => {
			if (!services.has(url))
				services.set(url, makeService(url));
			const service = services.get(url);
			const all = report.podMetrics[url];
			const pods = all.filter(matches);

			shown += pods.length;
			setText(service.facts, factsOf(url, report));
			service.root.hidden = pods.length === 0;
			/* What is closed is not worked on. */
			if (!service.root.open || pods.length === 0)
				return service.root;
			const max = Math.max(1, ...all.map((pod) => Math.max(pod.agentsConnections, pod.level ?? 0)));
			const fullest = [...pods].sort((a, b) => heightOf(b) - heightOf(a) ||
				byName.compare(nameOf(a), nameOf(b)));
			const many = pods.length > LIST_MAX;

			service.bars.hidden = many;
			service.skyline.root.hidden = !many;
			if (many)
				showSkyline(service.skyline, fullest, max);
			else
				showBars(service, fullest, max);
			showRows(service, pods.sort(compare), max, all);
			return service.root;
		});

		for (const url of services.keys())
			if (!(url in report.podMetrics))
				services.delete(url);
		arrange(byId("services"), wanted);
		byId("nothing").hidden = shown > 0;
		setText(byId("nothing"), view.filter || view.trouble
			? "No pod matches the filter." : "There are no pods yet.");
	}

	function showSummary(report) {
		const { totals, haproxy, agent } = report;
		const notes = [];

		for (const [n, word] of [[totals.pods_stale, "stale"], [totals.pods_never_heard, "never heard"],
			[totals.pods_disbelieved, "disbelieved"], [totals.pods_draining, "draining"]])
			if (n > 0)
				notes.push(`${n} ${word}`);
		setText(byId("connections"), whole.format(totals.connections));
		setText(byId("connections-note"),
			`${whole.format(totals.own_sessions)} own, in ${plural(totals.services, "service")}`);
		setText(byId("imbalance"), totals.imbalance === null ? "\u2013" : percent(totals.imbalance));
		setText(byId("pods"), `${whole.format(totals.pods_known)} of ${whole.format(totals.pods)}`);
		setText(byId("pods-note"), notes.join(", ") ||
			`${whole.format(totals.pods_ready)} take new connections`);
		setText(byId("plan"), agent.plan_age_s === null ? "\u2013" : `${age(agent.plan_age_s)} ago`);
		setText(byId("plan-note"), (report.dry_run ? "dry run: nothing is sent" : "weights are sent") +
			(agent.replicas > 1 ? `, ${agent.replicas} HAProxies` : ""));
		setText(byId("haproxy"), haproxy.version ? haproxy.version.replace(/-.*/, "") : "\u2013");
		byId("haproxy").title = haproxy.version ?? "";
		setText(byId("haproxy-note"), haproxy.reached === null ? "agent-check alone"
			: !haproxy.reached ? "does not answer"
			: `up ${age(haproxy.uptime_s)}, ${plural(haproxy.reloads, "reload")} seen`);
		document.title = `${whole.format(totals.connections)} \u00b7 wsbalancer`;
	}

	function noticesOf(report) {
		const notices = [];

		if (view.failedSince)
			notices.push(["bad", `The agent has not answered since ${clock(view.failedSince)} ` +
				`(${view.why}). Below is what it said last. HAProxy goes on with the last weights.`]);
		if (!report)
			return notices;
		if (report.haproxy.reached === false)
			notices.push(["bad", "HAProxy does not answer" +
				(report.haproxy.error ? `: ${report.haproxy.error}` : "") +
				(report.haproxy.age_s === null ? "." : `. Its figures are ${age(report.haproxy.age_s)} old.`)]);
		else if (!report.ready)
			notices.push(["warn", "Not ready: the first round of polls is not done."]);
		if (report.dry_run)
			notices.push(["calm", "Dry run: weights are planned and shown, and none is sent to HAProxy."]);
		for (const backend of report.backends)
			if (backend.fallback)
				notices.push(["warn", `Backend ${backend.name}: fewer than half of its pods are known. ` +
					"All weights are as configured."]);
		for (const kube of report.kubernetes ?? []) {
			if (kube.error)
				notices.push(["warn", `Kubernetes does not tell of the Service ${kube.service}: ` +
					`${kube.error}. Below are the pods that were known last.`]);
			if (kube.pods_unplaced > 0)
				notices.push(["bad", `${plural(kube.pods_unplaced, "ready pod")} of the Service ` +
					`${kube.service} found no server in ${kube.proxy}.`]);
		}
		if (report.agent.version !== document.body.dataset.version)
			notices.push(["calm", `The agent is version ${report.agent.version} now: reload this page.`]);
		return notices;
	}

	/* A live region speaks when it changes: it is touched only then. */
	function showNotices() {
		const notices = noticesOf(view.report);
		const said = JSON.stringify(notices.map(([look, text]) =>
			[look, text.replace(/ are [0-9.]+ [a-z]+ old/, "")]));

		if (byId("notices").said === said)
			return;
		byId("notices").said = said;
		byId("notices").replaceChildren(
			...notices.map(([look, text]) => make("p", `notice ${look}`, text)));
	}

	function showLive() {
		const seconds = view.report ? (performance.now() - view.reportAt) / 1000 : 0;
		const isOld = view.interval > 0 && seconds > 2 * view.interval + 3;
		const look = view.failedSince ? "gone" : isOld ? "old" : view.interval > 0 ? "good" : "";

		document.body.classList.toggle("gone", Boolean(view.failedSince));
		byId("live").className = `live ${look}`;
		if (!view.report)
			return;
		const ago = seconds < 1.5 ? "just now" : `${age(Math.floor(seconds)).replace(".0", "")} ago`;

		setText(byId("live-text"), view.failedSince ? `Gone; last answer ${ago}`
			: isOld ? `Old: updated ${ago}`
			: view.interval > 0 ? `Live, updated ${ago}` : `Not refreshing, updated ${ago}`);
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

	function showHistory() {
		const report = view.report;
		const points = report.history;

		byId("history").hidden = points.length < 2;
		if (points.length < 2)
			return;
		const end = points[points.length - 1][0];
		const span = SPANS_S.find((s) => end - points[0][0] <= s) ?? SPANS_S.at(-1);
		const x = (t) => ((t - (end - span)) / span) * 1000;
		const { top, lines } = scaleOf(Math.max(...points.map((point) => point[1])));
		const y = (v) => 100 - (100 * v) / top;
		const gap = 5 * Math.max(1, report.agent.poll_interval_s);
		let line = "";
		let area = "";
		let last = null;
		let grid = "";

		for (const [t, v] of points) {
			if (x(t) < 0)
				continue;
			const at = `${x(t).toFixed(1)} ${y(v).toFixed(2)}`;

			/* No line over a time in which nothing was planned. */
			if (last === null || t - last > gap) {
				area += last === null ? `M${x(t).toFixed(1)} 100` : `V100M${x(t).toFixed(1)} 100`;
				line += `M${at}`;
			}
			line += `L${at}`;
			area += `L${at}`;
			last = t;
		}
		area += "V100z";
		for (let i = 0; i <= lines; i++)
			grid += `M0 ${(100 * i) / lines}H1000`;

		const svg = byId("chart");

		svg.setAttribute("viewBox", "0 0 1000 100");
		if (!chart.parts) {
			chart.parts = {};
			for (const name of ["grid", "area", "line", "cursor"])
				svg.append(chart.parts[name] = makeSvg("path", { class: name }));
		}
		chart.parts.grid.setAttribute("d", grid);
		chart.parts.area.setAttribute("d", area);
		chart.parts.line.setAttribute("d", line);
		chart.shown = points.filter((point) => x(point[0]) >= 0);
		chart.x = x;
		showMarks(top, lines, span);
		showCursor();
		setText(byId("chart-text"), `Now ${percent(points[points.length - 1][1])}, at most ` +
			`${percent(Math.max(...chart.shown.map((point) => point[1])))}. Arrow keys read the points.`);
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
		for (const [at, text] of [[0, `${age(span)} ago`], [50, `${age(span / 2)} ago`], [100, "now"]]) {
			const mark = make("span", at === 0 ? "x first" : "x", text);

			mark.style.left = `${at}%`;
			byId("marks").append(mark);
		}
	}

	function showCursor() {
		if (view.cursor === null || chart.shown.length === 0) {
			chart.parts?.cursor.setAttribute("d", "");
			setText(byId("readout"), "");
			return;
		}
		view.cursor = Math.max(0, Math.min(view.cursor, chart.shown.length - 1));
		const [t, v] = chart.shown[view.cursor];

		chart.parts.cursor.setAttribute("d", `M${chart.x(t).toFixed(1)} 0V100`);
		setText(byId("readout"), `${clock(new Date(1000 * t))}: ${percent(v)}`);
	}

	function watchHistory() {
		const svg = byId("chart");

		svg.addEventListener("pointermove", (event) => {
			const box = svg.getBoundingClientRect();
			const at = ((event.clientX - box.left) / box.width) * 1000;
			const far = (i) => Math.abs(chart.x(chart.shown[i][0]) - at);

			view.cursor = chart.shown.reduce((best, _, i) => (far(i) < far(best) ? i : best), 0);
			showCursor();
		});
		for (const event of ["pointerleave", "blur"])
			svg.addEventListener(event, () => {
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
			return await answer.json();
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
		const report = await fetchReport();

		underWay = false;
		schedule();
		if (report) {
			view.report = report;
			view.reportAt = performance.now();
			view.failedSince = null;
			showSummary(report);
			showHistory();
			show();
		}
		showNotices();
		showLive();
	}

	/* --- controls --- */

	function sortBy(key) {
		const first = typeof columnOf.get(key).value(Object.values(view.report.podMetrics).flat()[0]);

		/* Numbers are wanted with the largest first, names with the first. */
		if (view.sort.key === key)
			view.sort = { key, down: !view.sort.down };
		else
			view.sort = { key, down: first === "number" };
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
		byId("controls").hidden = false;
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
		addPattern();
		watchHistory();
		setInterval(showLive, 1000);
		load();
	}

	start();
})();
