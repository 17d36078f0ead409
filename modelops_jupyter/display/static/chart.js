// Shows a drawing made in Python, tells what the pointer is on, and says what was chosen.
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// A picture needs its colours written out: a variable of the page means nothing outside of it.
async function savePicture(svg) {
  const copy = svg.cloneNode(true);
  const shown = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((part, n) => {
    const style = window.getComputedStyle(shown[n]);
    for (const name of ["fill", "stroke", "font-family", "font-size"]) {
      part.style.setProperty(name, style.getPropertyValue(name));
    }
  });
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  const pen = canvas.getContext("2d");
  let ground = svg.parentElement;
  while (ground && /^(transparent|rgba\(0, 0, 0, 0\))$/.test(window.getComputedStyle(ground).backgroundColor)) {
    ground = ground.parentElement;
  }
  pen.fillStyle = ground ? window.getComputedStyle(ground).backgroundColor : "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, "chart.png"));
}

// A click on a head sorts its table; a second one turns the order around. What has no figure stays last.
function sort(head) {
  const row = head.parentElement;
  const place = [...row.children].indexOf(head);
  const falling = head.getAttribute("aria-sort") === "ascending";
  for (const other of row.children) {
    other.removeAttribute("aria-sort");
  }
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const body = head.closest("table").tBodies[0];
  const value = (line) => line.children[place].dataset.value ?? "";
  const order = (a, b) =>
    head.dataset.sort === "number" ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true });
  const lines = [...body.rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === "" || right === "") {
      return (left === "") - (right === "");
    }
    return falling ? order(right, left) : order(left, right);
  });
  body.append(...lines);
}

function render({ model, el }) {
  const tip = document.createElement("div");
  tip.className = "mo-tip";
  tip.hidden = true;
  const drawing = document.createElement("div");
  drawing.className = "mo-drawing";
  const keep = document.createElement("button");
  keep.className = "mo-keep";
  keep.type = "button";
  keep.textContent = "PNG";
  keep.title = "Save the chart as PNG";
  keep.setAttribute("aria-label", "Save the chart as PNG");
  keep.onclick = () => savePicture(drawing.querySelector("svg"));
  const form = document.createElement("div");
  el.append(form, drawing, keep, tip);

  // Other controls keep what stands in those before them.
  function drawForm() {
    const kept = { ...model.get("fields"), ...entries() };
    form.innerHTML = model.get("form") ?? "";
    for (const field of form.querySelectorAll("[data-field]")) {
      field.value = kept[field.dataset.field] ?? field.value;
    }
  }

  function entries() {
    const fields = [...form.querySelectorAll("[data-field]")];
    return Object.fromEntries(fields.map((field) => [field.dataset.field, field.value]));
  }

  let later;
  function enter(event) {
    // What goes with a decision is sent with it, not letter by letter.
    if (event.target.dataset.field && event.target.dataset.late === undefined) {
      window.clearTimeout(later);
      later = window.setTimeout(tell, event.type === "change" ? 0 : 120);
    }
  }

  function tell() {
    window.clearTimeout(later);
    model.set("fields", entries());
    model.save_changes();
  }

  // Python empties the form once a decision is taken.
  function refill() {
    const fields = model.get("fields") ?? {};
    for (const field of form.querySelectorAll("input[data-field]")) {
      if ((fields[field.dataset.field] ?? "") === "") {
        field.value = "";
      }
    }
  }

  function draw() {
    const scrolled = drawing.scrollLeft;
    drawing.innerHTML = model.get("html"); // built in Python, every user's text escaped there
    for (const title of drawing.querySelectorAll("svg *:not(svg) > title")) {
      title.parentNode.dataset.tip = title.textContent;
      title.remove();
    }
    for (const target of drawing.querySelectorAll("text[data-pick]")) {
      target.setAttribute("tabindex", "0");
      target.setAttribute("role", "button");
      target.closest("svg").setAttribute("role", "group"); // a picture holds nothing to press
    }
    for (const head of drawing.querySelectorAll("th[data-sort]")) {
      head.setAttribute("tabindex", "0");
    }
    mark();
    keep.hidden = !drawing.querySelector("svg") || drawing.querySelector("table") !== null;
    drawing.scrollLeft = scrolled;
  }

  function mark() {
    drawing.querySelector("[data-overlay]")?.remove();
    const svg = drawing.querySelector("svg");
    if (svg && model.get("overlay")) {
      const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
      group.dataset.overlay = "";
      group.innerHTML = model.get("overlay"); // built in Python, as the picture is
      svg.append(group);
    }
  }

  function pick(event) {
    const head = event.target.closest("th[data-sort]");
    const target = event.target.closest("[data-pick]");
    if (head) {
      sort(head);
    } else if (target) {
      model.set("picked", { what: target.dataset.pick, count: (model.get("picked").count ?? 0) + 1 });
      model.save_changes();
    }
  }

  function point(event) {
    const target = event.target.closest("[data-tip]");
    tip.hidden = !target;
    if (target) {
      tip.textContent = target.dataset.tip;
      const box = el.getBoundingClientRect();
      const left = Math.min(event.clientX - box.left + 12, box.width - tip.offsetWidth);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${event.clientY - box.top + 18}px`;
    }
  }

  drawing.addEventListener("click", pick);
  form.addEventListener("input", enter);
  form.addEventListener("change", enter);
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick]")) {
      tell(); // what stands in the form goes first
      pick(event);
    }
  });
  model.on("change:form", drawForm);
  model.on("change:fields", refill);
  drawForm();
  drawing.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("text[data-pick], [data-sort]")) {
      event.preventDefault();
      pick(event);
    }
  });
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("pointerleave", () => (tip.hidden = true));
  model.on("change:html", draw);
  model.on("change:overlay", mark);
  draw();
  return () => {
    model.off("change:html", draw);
    model.off("change:overlay", mark);
  };
}

export default { render };
