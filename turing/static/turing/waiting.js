// The waiting room: looks every second whether somebody has come, and goes where the site leads.

const form = document.getElementById("waiting");

async function look() {
  const response = await fetch(location.href, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new FormData(form),
  });
  if (!response.ok) return;
  const { address } = await response.json();
  if (address) location.assign(address);
}

// A server that cannot be reached now is asked again.
setInterval(() => look().catch(() => {}), 1000);
