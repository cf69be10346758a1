"use strict";
// A review by keyboard. The page's own forms do the work: this sends them without leaving the page, keeps what could not be
// sent until it can, and remembers what was typed.
(() => {
  const main = document.querySelector("main[data-keys]");
  if (!main) return;
  const UNSENT = "tocsin.review.unsent";
  const DRAFTS = "tocsin.review.drafts";
  const MOST_DRAFTS = 50;
  const PAUSE_MS = 250; // a key pressed twice is one answer: the next call is shown, and hears keys, no sooner
  const PATIENCE_MS = 20000;
  const KEYS = { y: "right", n: "wrong", s: "skip", u: "undo", 1: "1", 2: "2", 3: "3", 4: "4", 5: "5" };
  const WORDS = { right: "right", wrong: "wrong", skip: "skipped", undo: "taken back", label: "corrected" };
  const memory = {}; // where a browser forbids to keep anything
  const kept = {
    get(key, otherwise) {
      try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return memory[key] ?? otherwise; }
    },
    set(key, value) {
      memory[key] = value;
      try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* kept in memory */ }
    },
  };
  let isReady = true;
  let isSending = false;
  let pressed = 0;
  let wait = 1000;
  let again = 0;
  let looked = 0; // ms that this call was looked at, while the page could be seen
  let since = performance.now();

  const verdicts = () => main.querySelector("form[data-verdicts]");
  const item = () => main.querySelector("[data-item]")?.dataset.item || "";
  const draftKey = () => `${location.pathname} ${item()}`;

  function say(words, kind = "") {
    const place = main.querySelector("[data-said]");
    if (!place) return;
    place.textContent = words;
    place.className = kind ? `notice ${kind}` : "said";
  }

  function lookedMs() {
    return looked + (document.hidden ? 0 : performance.now() - since);
  }

  function keepDraft() {
    const form = verdicts();
    if (!form) return;
    const drafts = kept.get(DRAFTS, {});
    delete drafts[draftKey()];
    drafts[draftKey()] = { label: form.elements.label.value, comment: form.elements.comment.value, looked: lookedMs() };
    for (const old of Object.keys(drafts).slice(0, -MOST_DRAFTS)) delete drafts[old];
    kept.set(DRAFTS, drafts);
  }

  function dropDraft(key) {
    const drafts = kept.get(DRAFTS, {});
    delete drafts[key];
    kept.set(DRAFTS, drafts);
  }

  function begin() {
    looked = 0;
    since = performance.now();
    const form = verdicts();
    if (!form) return;
    const draft = kept.get(DRAFTS, {})[draftKey()];
    if (draft) {
      form.elements.label.value ||= draft.label || "";
      form.elements.comment.value ||= draft.comment || "";
      looked = draft.looked || 0;
    }
  }

  function press(verdict) {
    const form = verdicts();
    if (!form || !isReady) return;
    if (form.querySelector(`button[value="${verdict}"]`)?.disabled) return;
    if (verdict === "label" && !form.elements.label.value.trim()) { form.elements.label.focus(); return; }
    isReady = false;
    pressed = performance.now();
    form.setAttribute("aria-busy", "true");
    const body = new URLSearchParams(new FormData(form));
    body.set("verdict", verdict);
    body.set("minutes", String(lookedMs() / 60000));
    const id = globalThis.crypto?.randomUUID?.() || `${Date.now()}.${Math.random()}`;
    const answer = { id, page: location.pathname, to: form.getAttribute("action"), body: String(body), verdict, draft: draftKey() };
    kept.set(UNSENT, [...kept.get(UNSENT, []), answer]);
    send();
  }

  async function send() {
    if (isSending) return;
    isSending = true;
    clearTimeout(again);
    let shown = null;
    try {
      for (let first; (first = kept.get(UNSENT, [])[0]);) {
        const said = await post(first);
        if (said === null) { later(); return; }
        kept.set(UNSENT, kept.get(UNSENT, []).filter((each) => each.id !== first.id));
        wait = 1000;
        if (said.error) {
          shown = null;
          say(`Not recorded: ${said.error}`, "wrong");
        } else {
          if (first.verdict !== "skip") dropDraft(first.draft);
          shown = first.page === location.pathname ? { ...said, verdict: first.verdict } : shown;
        }
      }
    } finally {
      isSending = false;
    }
    await new Promise((done) => setTimeout(done, Math.max(0, pressed + PAUSE_MS - performance.now())));
    if (shown) show(shown);
    verdicts()?.removeAttribute("aria-busy");
    isReady = true;
  }

  // The answer, or null where nobody can say whether it arrived: then it is sent again, and recorded once all the same.
  async function post(answer) {
    try {
      const said = await fetch(answer.to, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json", "x-tocsin-part": "main" },
        body: answer.body,
        credentials: "same-origin",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await said.text();
      if (said.ok) return { text, url: said.url };
      if (![400, 404, 409].includes(said.status)) return null;
      return { error: JSON.parse(text).error };
    } catch {
      return null;
    }
  }

  function later() {
    const unsent = kept.get(UNSENT, []).length;
    say(`${unsent} ${unsent === 1 ? "answer is" : "answers are"} not sent yet: kept in this browser, and sent as soon as tocsin answers.`, "wrong");
    again = setTimeout(send, wait);
    wait = Math.min(2 * wait, 15000);
  }

  function show({ text, url, verdict }) {
    main.innerHTML = text;
    const to = new URL(url);
    history.replaceState(null, "", to.pathname + to.search);
    document.dispatchEvent(new CustomEvent("tocsin:swapped", { detail: main }));
    begin();
    isReady = true;
    main.querySelector("h1")?.scrollIntoView();
    say(`✓ ${WORDS[verdict] || `${verdict} of 5`}: saved`);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const field = event.target.closest?.("input, textarea, select");
    if (field) {
      if (event.key === "Escape") field.blur();
      if (event.key === "Enter" && "enter" in field.dataset) { event.preventDefault(); press("label"); }
      return;
    }
    const form = verdicts();
    if (!form) return;
    const key = event.key.toLowerCase();
    if (key === "e" || key === "c") {
      event.preventDefault();
      form.elements[key === "e" ? "label" : "comment"].focus();
    } else if (KEYS[key]) {
      event.preventDefault();
      press(KEYS[key]);
    }
  });
  main.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-verdicts]")) return;
    event.preventDefault();
    press(event.submitter?.value || "label");
  });
  main.addEventListener("input", keepDraft);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { looked += performance.now() - since; keepDraft(); }
    since = performance.now();
  });
  window.addEventListener("pagehide", keepDraft);
  window.addEventListener("online", send);
  window.addEventListener("beforeunload", (event) => { if (kept.get(UNSENT, []).length) event.preventDefault(); });
  begin();
  if (kept.get(UNSENT, []).length) { isReady = false; send(); }
})();
