// Enhancements of the administration only: every page of it works without this file.
const AGAIN_MS = 1500;
const MEGABYTE = 1_000_000;

const form = document.querySelector("form[data-upload]");
if (form) form.addEventListener("submit", upload);
follow();

// Sends the form while saying how much has gone, and shows what comes back.
function upload(event) {
  event.preventDefault();
  const target = event.currentTarget;
  const chosen = target.querySelector("input[type=file]").files[0];
  if (chosen && chosen.size > Number(target.dataset.mostMb) * MEGABYTE) {
    say(`The file has ${shown(chosen.size)} MB; it must be ${target.dataset.mostMb} MB or smaller.`);
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", target.action);
  request.upload.addEventListener("progress", (moved) => {
    if (!moved.lengthComputable) return;
    say(
      moved.loaded < moved.total
        ? `${shown(moved.loaded)} of ${shown(moved.total)} MB`
        : "Uploaded. The document is being taken in.",
      (100 * moved.loaded) / moved.total,
    );
  });
  request.addEventListener("load", () => answered(request, target));
  request.addEventListener("error", () => say("The upload did not get through. Try again."));
  say("Starting", 0);
  request.send(new FormData(target));
}

function shown(bytes) {
  return (bytes / MEGABYTE).toFixed(1);
}

function say(text, share) {
  const box = document.getElementById("sending");
  box.hidden = false;
  const bar = box.querySelector("progress");
  bar.hidden = share === undefined;
  if (share !== undefined) bar.value = share;
  const line = document.getElementById("sent-text");
  line.setAttribute("role", "status");
  line.textContent = text;
}

function answered(request, target) {
  if (request.status < 400) {
    location.assign(request.responseURL);
    return;
  }
  const came = new DOMParser().parseFromString(request.responseText, "text/html");
  const file = target.querySelector("input[type=file]");
  const fresh = came.querySelector("input[type=file]");
  if (fresh) {
    // The file stays chosen: only a browser's own form would lose it.
    file.className = fresh.className;
    file.setAttribute("aria-describedby", fresh.getAttribute("aria-describedby"));
    fresh.replaceWith(file);
    came.querySelector("[data-again]")?.remove();
  }
  document.title = came.title;
  const main = document.querySelector("main");
  main.replaceChildren(...came.querySelector("main").childNodes);
  main.querySelector("form[data-upload]")?.addEventListener("submit", upload);
  const summary = main.querySelector(".nhsuk-error-summary") ?? main.querySelector("h1");
  summary?.setAttribute("tabindex", "-1");
  summary?.focus();
}

// A job under way is looked at again and again until it is over.
async function follow() {
  let job = document.getElementById("job");
  if (!job) return;
  while (job.hasAttribute("data-refresh")) {
    job.querySelector("[data-manual]")?.remove();
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    try {
      const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (reply.redirected) return location.assign(reply.url);
      const came = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = came.getElementById("job");
      if (!fresh) continue;
      document.title = came.title;
      if (fresh.dataset.state !== job.dataset.state) announce(came.title);
      job.replaceWith(fresh);
      job = fresh;
    } catch {
      // The server may be restarting; the next look tells.
    }
  }
}

function announce(text) {
  document.getElementById("announcement").textContent = text;
}
