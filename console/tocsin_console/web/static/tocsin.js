"use strict";
// Everything on a page works without this: it brings news, shows times as the reader's own, and remembers a name.
(() => {
  const LOCAL = "tocsin.local-times";
  const NAME = "tocsin.name";
  const store = {
    get(key) { try { return localStorage.getItem(key) || ""; } catch { return ""; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* a browser may forbid it */ } },
  };

  function showTimes(root) {
    const local = store.get(LOCAL) === "yes";
    for (const time of root.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime);
      if (Number.isNaN(when.getTime())) continue;
      time.dataset.utc ??= time.textContent;
      const here = when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      time.textContent = local ? here : time.dataset.utc;
      time.title = local ? time.dataset.utc : `${here} here`;
    }
    const button = document.querySelector("[data-times]");
    if (button) button.textContent = local ? "Show times in UTC" : "Show times as here";
  }

  function remember(root) {
    for (const input of root.querySelectorAll("input[data-remember]")) {
      if (!input.value) input.value = store.get(`${NAME}.${input.dataset.remember}`);
      input.addEventListener("change", () => store.set(`${NAME}.${input.dataset.remember}`, input.value.trim()));
    }
  }

  // What scrolls sideways has to be reached without a mouse.
  function reach(root) {
    for (const box of root.querySelectorAll(".scroll:not([tabindex])")) {
      if (box.scrollWidth <= box.clientWidth) continue;
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.querySelector("caption")?.textContent || "table");
    }
  }

  function dress(root) {
    showTimes(root);
    reach(root);
    remember(root);
    document.dispatchEvent(new CustomEvent("tocsin:shown", { detail: root }));
  }

  // A page that somebody is filling in is not changed under their hands.
  function isBusy(main) {
    const at = document.activeElement;
    if (at && main.contains(at) && at.matches("input, select, textarea")) return true;
    return [...main.querySelectorAll("input, textarea, select")].some((field) => field.dataset.touched);
  }

  document.addEventListener("tocsin:swapped", (event) => dress(event.detail));

  let asking = false;
  let again = false;
  async function refresh() {
    const main = document.querySelector("main[data-live]");
    if (!main || document.hidden || isBusy(main)) { again = true; return; }
    if (asking) { again = true; return; }
    asking = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { "x-tocsin-part": "main" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (isBusy(main)) { again = true; return; }
      const focus = document.activeElement && main.contains(document.activeElement) ? pathOf(document.activeElement, main) : null;
      const open = [...main.querySelectorAll("details[open][id]")].map((each) => each.id);
      main.innerHTML = text;
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      dress(main);
      if (focus) find(focus, main)?.focus({ preventScroll: true });
      delete document.documentElement.dataset.stale;
    } catch {
      document.documentElement.dataset.stale = "";
    } finally {
      asking = false;
    }
  }
  function pathOf(node, root) {
    if (node.id) return `#${CSS.escape(node.id)}`;
    const parts = [];
    for (let each = node; each && each !== root; each = each.parentElement) {
      parts.unshift(`${each.tagName.toLowerCase()}:nth-child(${[...each.parentElement.children].indexOf(each) + 1})`);
    }
    return parts.join(">");
  }
  function find(path, root) { try { return root.querySelector(path); } catch { return null; } }

  function listen() {
    if (!document.querySelector("main[data-live]") || !("EventSource" in window)) return;
    const events = new EventSource("/events");
    const state = document.querySelector("[data-connection]");
    events.addEventListener("open", () => { if (state) state.textContent = "live"; });
    events.addEventListener("error", () => { if (state) state.textContent = "not connected: this page may be old"; });
    events.addEventListener("changed", refresh);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });
    window.addEventListener("pagehide", () => events.close());
  }

  document.addEventListener("input", (event) => { event.target.dataset.touched = "yes"; });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-times]")) {
      store.set(LOCAL, store.get(LOCAL) === "yes" ? "" : "yes");
      showTimes(document);
    }
    const copy = event.target.closest?.("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.textContent = "copied"; });
  });
  // "/" goes to the first search field of a page, "g" and a letter to a section, as people know it from elsewhere.
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, [data-keys]")) return;
    if (document.querySelector("main[data-keys]")) return;
    if (event.key === "/") {
      const field = document.querySelector("main input[type=search]");
      if (field) { event.preventDefault(); field.focus(); }
    } else if (event.key === "g") {
      waiting = Date.now();
    } else if (Date.now() - waiting < 1500) {
      waiting = 0;
      document.querySelector(`nav.sections a[data-key="${CSS.escape(event.key)}"]`)?.click();
    }
  });
  // A link of a message may lead into something that is folded up.
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details")?.setAttribute("open", "");
  dress(document);
  window.addEventListener("resize", () => reach(document));
  listen();
})();
