// The address bar, links between views, files to save, and moments in the reader's time zone.
const PAGE = /\/([a-z]+)\.ipynb$/;

function here() {
  const query = Object.fromEntries(new URLSearchParams(window.location.search));
  delete query.token;
  return { page: PAGE.exec(window.location.pathname)?.[1] ?? "", query };
}

function addressOf(page, query) {
  const search = new URLSearchParams(query).toString();
  return window.location.pathname.replace(PAGE, `/${page}.ipynb`) + (search ? `?${search}` : "");
}

// Windows are named by their UTC date and stay as they are; moments become the reader's, with UTC to look up.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
      const pad = (number) => String(number).padStart(2, "0");
      time.textContent =
        `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ` +
        `${pad(at.getHours())}:${pad(at.getMinutes())}`;
    }
    time.dataset.local = "";
  }
}

function save({ name, mime, text }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: mime }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function render({ model, el }) {
  el.hidden = true;
  const served = document.body.classList.contains("mo-body");
  const page = el.closest(".mo-page") ?? el.parentElement ?? document.body;
  const watch = new MutationObserver(() => localise(document.querySelector(".mo-page") ?? page));

  function ask() {
    model.set("asked", { ...here(), step: (model.get("asked").step ?? 0) + 1 });
    model.save_changes();
  }

  function move() {
    const { page: name, query, title, push } = model.get("place");
    if (!served || !name) {
      return;
    }
    const address = addressOf(name, query);
    if (address !== window.location.pathname + window.location.search) {
      window.history[push ? "pushState" : "replaceState"](null, "", address);
    }
    document.title = title;
    if (push) {
      window.scrollTo(0, 0);
      document.querySelector("#rendered_cells")?.scrollTo(0, 0);
      document.querySelector(".mo-page h1")?.focus();
    }
  }

  function follow(event) {
    const link = event.target.closest?.(".mo-page a[href], .mo-page [data-do]");
    if (link?.dataset.do === "print") {
      window.print();
      return;
    }
    if (!link?.href || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) {
      return; // a new tab or window is the browser's business
    }
    const target = new URL(link.href);
    if (target.origin === window.location.origin && PAGE.test(target.pathname)) {
      event.preventDefault();
      window.history.pushState(null, "", target);
      ask();
      window.scrollTo(0, 0);
      document.querySelector("#rendered_cells")?.scrollTo(0, 0);
    }
  }

  model.on("msg:custom", save);
  if (served) {
    watch.observe(document.querySelector("#rendered_cells") ?? document.body, { childList: true, subtree: true });
    document.addEventListener("click", follow);
    window.addEventListener("popstate", ask);
    localise(document);
    model.on("change:place", move);
    ask();
  }
  return () => {
    watch.disconnect();
    document.removeEventListener("click", follow);
    window.removeEventListener("popstate", ask);
  };
}

export default { render };
