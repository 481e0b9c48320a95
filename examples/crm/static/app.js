"use strict";
// Everything here makes a page that works without it quicker to use.

// Copy buttons.
for (const b of document.querySelectorAll("button.copy")) {
	if (!navigator.clipboard) break;
	b.hidden = false;
	const label = b.textContent;
	b.addEventListener("click", async () => {
		await navigator.clipboard.writeText(b.dataset.copy);
		b.textContent = b.dataset.done;
		setTimeout(() => { b.textContent = label; }, 2000);
	});
}

// Two sections of a page become two tabs.
const tabs = document.querySelector(".tabs");
if (tabs) {
	const sections = [...tabs.querySelectorAll("section")];
	const list = document.createElement("div");
	list.className = "tablist";
	list.setAttribute("role", "tablist");
	const show = (i, focus) => {
		sections.forEach((s, j) => {
			s.hidden = i !== j;
			const b = list.children[j];
			b.setAttribute("aria-selected", String(i === j));
			b.tabIndex = i === j ? 0 : -1;
			if (focus && i === j) b.focus();
		});
	};
	sections.forEach((s, i) => {
		const b = document.createElement("button");
		b.type = "button";
		b.id = "tab-" + s.id;
		b.textContent = s.querySelector("h2").textContent;
		b.setAttribute("role", "tab");
		b.setAttribute("aria-controls", s.id);
		s.setAttribute("role", "tabpanel");
		b.addEventListener("click", () => show(i, false));
		list.append(b);
	});
	list.addEventListener("keydown", (e) => {
		const at = sections.findIndex((s) => !s.hidden);
		if (e.key === "ArrowRight") show((at + 1) % sections.length, true);
		if (e.key === "ArrowLeft") show((at + sections.length - 1) % sections.length, true);
	});
	tabs.prepend(list);
	tabs.classList.add("on");
	show(Math.max(0, sections.findIndex((s) => "first" in s.dataset)), false);
}

// A form that came back: go to the first field that is wrong.
document.querySelector("[aria-invalid]")?.focus();

// What was pasted as a certificate is recognised at once.
const certificate = document.getElementById("certificate");
const recognised = document.getElementById("recognised");
if (certificate && recognised) {
	let timer, asked = 0;
	certificate.addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(async () => {
			const mine = ++asked;
			const body = new FormData();
			body.set("certificate", certificate.value);
			try {
				const res = await fetch(recognised.dataset.url, { method: "POST", body });
				const html = await res.text();
				if (res.ok && mine === asked) recognised.innerHTML = html;
			} catch { /* saving tells the same */ }
		}, 250);
	});
}

// "Save and test" saves, and has the test run in a tab of its own. The tab is
// opened at the click: later, browsers would take it for a pop-up.
const form = document.getElementById("connection");
document.getElementById("test")?.addEventListener("click", async (e) => {
	e.preventDefault();
	const tab = window.open("about:blank", "_blank");
	const body = new FormData(form); // form.action would be the button of that name
	body.set("action", "test");
	try {
		const res = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
		if (res.ok && res.headers.get("Content-Type").startsWith("application/json")) {
			const { test, page } = await res.json();
			if (tab) tab.location.replace(test);
			location.assign(page);
			return;
		}
	} catch { /* the form says it */ }
	tab?.close();
	form.submit(); // the page comes back with what is wrong
});

// The settings page asks what came of the test until it knows.
const check = document.getElementById("check");
if (check?.dataset.part) {
	const started = Date.now();
	const ask = async () => {
		const now = check.querySelector("#outcome")?.dataset.status;
		if (now === "done") return;
		try {
			const res = await fetch(check.dataset.part);
			if (res.ok) {
				const html = await res.text();
				const next = document.createElement("div");
				next.innerHTML = html;
				const status = next.querySelector("#outcome")?.dataset.status;
				if (status === "done") { // the whole page: the switch follows the test
					location.reload();
					return;
				}
				if (status !== now && (status !== "unknown" || Date.now() - started > 20000)) check.replaceChildren(...next.childNodes);
			}
		} catch { /* try again */ }
		setTimeout(ask, 700);
	};
	ask();
}
