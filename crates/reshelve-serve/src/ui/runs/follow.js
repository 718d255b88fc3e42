// A page that changes by itself shows what is new every two seconds, where nobody is at work in it.
const EVERY_MS = 2000;
async function follow() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok || !page.querySelector("[data-follow]")) {
        location.reload();
        return;
      }
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(part.id);
        if (fresh && !part.contains(document.activeElement) && fresh.innerHTML !== part.innerHTML) {
          part.replaceChildren(...fresh.childNodes);
        }
      }
    } catch {
      // The server is not there now: it is asked again.
    }
  }
  setTimeout(follow, EVERY_MS);
}
if (document.querySelector("[data-follow]")) setTimeout(follow, EVERY_MS);
