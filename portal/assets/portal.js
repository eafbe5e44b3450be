// What scripts add to pages that work without them: buttons that copy a value
// as it really is, Enter in the look-up, and a second question before a key is
// removed.
"use strict";

function copier(text, label) {
	const button = document.createElement("button");
	button.type = "button";
	button.className = "copy";
	button.textContent = "Copy";
	button.setAttribute("aria-label", label);
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(text());
			button.textContent = "Copied";
		} catch {
			button.textContent = "Not possible here";
		}
		setTimeout(() => { button.textContent = "Copy"; }, 2000);
	});
	return button;
}

if (navigator.clipboard) {
	for (const el of document.querySelectorAll("[data-copy]")) {
		(el.closest("a") || el).after(copier(() => el.dataset.copy, "Copy the value as it is, not defanged"));
	}
	for (const el of document.querySelectorAll("[data-snippet]")) {
		el.before(copier(() => el.textContent, "Copy the configuration"));
	}
}

for (const form of document.querySelectorAll("[data-ask]")) {
	form.querySelector("[data-hint]").hidden = false;
	form.querySelector("textarea").addEventListener("keydown", (e) => {
		if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
			e.preventDefault();
			form.requestSubmit();
		}
	});
}

for (const button of document.querySelectorAll("[data-sure]")) {
	button.addEventListener("click", (e) => {
		if (!confirm(button.dataset.sure)) {
			e.preventDefault();
		}
	});
}
