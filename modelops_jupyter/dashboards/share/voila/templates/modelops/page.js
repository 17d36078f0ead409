// The address keeps the model, not the token: the cookie of the first answer lets the reader in from here on.
(function () {
  const address = new URL(window.location);
  if (address.searchParams.has("token")) {
    address.searchParams.delete("token");
    window.history.replaceState(null, "", address);
  }

  // The kernel of a page that nobody touched is gone: say so, instead of leaving a page that does not answer.
  async function check() {
    const { kernelId } = document.body.dataset;
    if (!kernelId || document.hidden || document.querySelector(".mo-asleep")) {
      return;
    }
    const { baseUrl } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
    let alive = false;
    try {
      alive = (await fetch(`${baseUrl}api/kernels/${kernelId}`)).ok;
    } catch (error) {
      console.warn("modelops: the dashboard's server does not answer", error);
    }
    if (!alive) {
      const banner = document.createElement("div");
      banner.className = "mo-asleep";
      banner.setAttribute("role", "alert");
      banner.textContent = "This page has gone to sleep. ";
      const again = document.createElement("button");
      again.textContent = "Wake it up";
      again.onclick = () => window.location.reload();
      banner.append(again);
      document.body.prepend(banner);
    }
  }
  window.setInterval(check, 30000);
  document.addEventListener("visibilitychange", check);
})();
